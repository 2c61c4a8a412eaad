"""Whatever a user passes to a step or a survey: a result, or an error that names the thing and the remedy.

Every public function of both floors stands in one of three tables here; a new one that does not fails the first test.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from modules import functions, modules, public, short

from cocreation import progress
from cocreation.audit import audit
from cocreation.errors import CourseError, EstimationError, InputError
from cocreation.inputs import answers, labels
from cocreation.results import display
from cocreation.steps import conceptualize, confirm, decisions, explore, generate, judge, purify, report, validate
from cocreation.steps import screen as screening
from cocreation.survey import (
    aims,
    calibrate,
    datasets,
    fieldwork_plan,
    plans,
    population,
    respondents,
    sample,
    study,
    tables,
)

ITEMS = list("abcdef")
SCALES = {"A": ["a", "b", "c"], "B": ["d", "e", "f"]}
MODEL = "A =~ a + b + c\nB =~ d + e + f"
#: the imperative that tells what to do
REMEDY = re.compile(
    r"\b(Add|Ask|Check|Choose|Code|Collect|Compare|Complete|Correct|Decide|Draw|Drop|Fit|Fix|Free|Give|Install|Keep|Lay|Leave|"
    r"Load|Look|Lower|Name|Pass|Put|Recode|Rename|Replace|Restore|Run|Say|See|Simplify|Spoil|Split|Use|Wrap|Write|check|leave|see)\b"
)


def _answers(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    factor = rng.standard_normal((n, 2))
    x = np.column_stack([factor[:, i // 3] + 0.6 * rng.standard_normal(n) for i in range(6)])
    return pd.DataFrame(np.clip(np.round(4 + 1.3 * x), 1, 7).astype(int), columns=ITEMS)


GOOD = _answers()
WAVE = GOOD.assign(respondent=range(60))


def _in_teams(data: object) -> object:
    """Add a column of two groups, where there is a table to add it to."""
    if not isinstance(data, pd.DataFrame) or data.columns.nlevels > 1:
        return data
    return data.assign(team=np.where(np.arange(len(data)) % 2, "red", "blue"))


#: statistics of answers: how to call them with data
STATISTICS: dict[str, Callable[[object], object]] = {
    "confirm.bootstrap": lambda d: confirm.bootstrap(d, MODEL, draws=50),
    "confirm.cfa": lambda d: confirm.cfa(d, MODEL),
    "confirm.common_method": lambda d: confirm.common_method(d, SCALES),
    "confirm.nested": lambda d: confirm.nested(d, SCALES),
    "explore.adequacy": lambda d: explore.adequacy(d, items=ITEMS),
    "explore.compare": lambda d: explore.compare(d, 2, items=ITEMS, draws=20),
    "explore.components": lambda d: explore.components(d, items=ITEMS),
    "explore.explore": lambda d: explore.explore(d, items=ITEMS),
    "explore.factors": lambda d: explore.factors(d, 2, items=ITEMS),
    "explore.n_factors": lambda d: explore.n_factors(d, items=ITEMS, draws=20),
    "explore.polychoric": lambda d: explore.polychoric(d, ITEMS),
    "answers.items_frame": lambda d: answers.items_frame(d, ITEMS),
    "purify.alpha": lambda d: purify.alpha(d, ITEMS),
    "purify.ordinal_alpha": lambda d: purify.ordinal_alpha(d, ITEMS),
    "purify.purify": lambda d: purify.purify(d, SCALES),
    "screen.describe": lambda d: screening.describe(d, ITEMS),
    "screen.screen": lambda d: screening.screen(d, items=ITEMS),
    "validate.htmt_intervals": lambda d: validate.htmt_intervals(d, SCALES, draws=100),
    "validate.htmt": lambda d: validate.htmt(d, SCALES),
    "validate.invariance": lambda d: validate.invariance(_in_teams(d), SCALES, "team"),
    "validate.latent_means": lambda d: validate.latent_means(_in_teams(d), SCALES, "team"),
    "validate.omega": lambda d: validate.omega(d, 2, items=ITEMS),
    "validate.reliability": lambda d: validate.reliability(d, SCALES),
    "validate.validity": lambda d: validate.validity(d, SCALES),
}

LENIENT = {"screen.describe", "screen.screen"}
NEEDS_NO_INVERSE = {
    *LENIENT, "explore.components", "explore.explore", "explore.n_factors", "answers.items_frame", "purify.alpha",
    "purify.purify", "validate.htmt", "validate.htmt_intervals",
}  # fmt: skip

#: what takes no more respondents than items: whose figures need no inverse
FEW_WILL_DO = NEEDS_NO_INVERSE | {"explore.factors", "explore.compare", "validate.omega"}
FEW = "5 complete respondents for 6 items|No respondent contradicts"

#: kind of bad data -> (how good data are spoiled, what the message names, who can take them all the same)
BAD_DATA: dict[str, tuple[Callable[[pd.DataFrame], object], str, set[str]]] = {
    "unknown item": (lambda d: d.drop(columns="b"), "'b'", set()),
    "item of another name": (lambda d: d.set_axis(range(6), axis=1), "'a'", set()),
    "text": (lambda d: d.assign(b="often"), "'b'.*'often'", set()),
    "two ticks": (lambda d: d.assign(b=["3|5", *["4"] * 59]), "'b'", {"screen.screen"}),
    "categories of words": (lambda d: d.assign(b=pd.Categorical(np.where(d["b"] > 4, "yes", "no"))), "'b'", set()),
    "true and false": (lambda d: d.assign(b=d["b"] > 4), "'b'", set()),
    "true and false as objects": (lambda d: d.assign(b=(d["b"] > 4).astype(object)), "'b'", set()),
    "nullable true and false": (lambda d: d.assign(b=(d["b"] > 4).astype("boolean")), "'b'", set()),
    "dates": (lambda d: d.assign(b=pd.date_range("2024-01-01", periods=60)), "'b'", set()),
    "durations": (lambda d: d.assign(b=pd.to_timedelta(range(60), unit="D")), "'b'", set()),
    "complex numbers": (lambda d: d.assign(b=d["b"] + 1j), "'b'", set()),
    "lists": (lambda d: d.assign(b=[[1, 2]] * 60), "'b'", set()),
    "infinite": (lambda d: d.assign(b=[np.inf, *d["b"][1:]]), "'b'", set()),
    "overflowing": (lambda d: d.assign(b=d["b"] * 1e150), "'b'", set()),
    "constant": (lambda d: d.assign(b=4), "'b'", LENIENT),
    "constant but for one who skipped another": (
        lambda d: d.assign(b=[5, *[4] * 59], a=[np.nan, *d["a"][1:]]), "'b'", LENIENT,
    ),
    "no answer at all": (lambda d: d.assign(b=np.nan), "'b'", LENIENT),
    "one row": (lambda d: d.iloc[:1], "1 complete respondents|got 1", LENIENT),
    "fewer rows than items": (lambda d: d.iloc[:5], FEW, FEW_WILL_DO),
    "fewer complete rows than items": (
        lambda d: d.astype("Int64").mask(np.arange(360).reshape(60, 6) >= 30), FEW, FEW_WILL_DO,
    ),
    "correlations": (lambda d: d.corr(), "correlation matrix", set()),
    "covariances": (lambda d: d.cov(), "covariance matrix", set()),
    "correlations to two digits": (lambda d: d.corr().round(2), "correlation matrix", set()),
    "correlations, the lower half": (
        lambda d: d.corr().where(np.tril(np.ones((6, 6), dtype=bool))), "correlation matrix", set(),
    ),
    "correlations with their names in a column": (
        lambda d: d.corr().reset_index(names="item"), "correlation matrix", set(),
    ),
    "empty": (lambda d: d.iloc[:0], "0 complete respondents|got 0|no questionnaires", set()),
    "no columns": (lambda d: pd.DataFrame(), "'a'", set()),
    "item that repeats another": (lambda d: d.assign(b=d["a"]), "'a', 'b'|'a' and 'b'", NEEDS_NO_INVERSE),
    "item that is a mean": (lambda d: d.assign(b=(d["a"] + d["c"]) / 2), "'a', 'b', 'c'|'b' holds", NEEDS_NO_INVERSE),
    "column twice": (lambda d: pd.concat([d, d[["b"]]], axis=1), "'b'", set()),
    "columns of two levels": (
        lambda d: d.set_axis(pd.MultiIndex.from_product([["a", "b"], list("xyz")]), axis=1), "levels|'a'", set(),
    ),
    "a Series": (lambda d: d["a"], "Series", set()),
    "an array": (lambda d: d.to_numpy(), "ndarray", set()),
    "a dict": (lambda d: d.to_dict("list"), "dict", set()),
    "a list": (lambda d: [1, 2, 3], "list", set()),
    "nothing": (lambda d: None, "NoneType", set()),
}  # fmt: skip

#: kind of odd but usable data -> how good data become it; the result must be that of the good data
GOOD_DATA: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "nullable integers": lambda d: d.astype("Int64"),
    "small integers": lambda d: d.astype("int8"),
    "numbers as objects": lambda d: d.astype(object),
    "numbers as text": lambda d: d.astype(str),
    "categories of numbers": lambda d: d.astype("category"),
    "sparse": lambda d: d.astype(pd.SparseDtype("float64")),
    "rows of two levels": lambda d: d.set_axis(pd.MultiIndex.from_product([range(30), [0, 1]])),
    "rows of one name": lambda d: d.set_axis(["respondent"] * 60),
    "other columns beside": lambda d: d.assign(note="text", day=pd.Timestamp("2024-01-01")),
}

SHUFFLED = GOOD.assign(a=GOOD["a"].sample(frac=1, random_state=1).to_numpy())
APART = MODEL + "\nA ~~ 0*B"
SINGLE = "A =~ a + b + c + d + e + f\na ~~ f"
SORTS = pd.DataFrame([["A", "A"], ["B", "B"], ["A", "B"]], index=["x", "y", "z"], columns=["s1", "s2"])
AIMS = {"x": "A", "y": "B", "z": "A"}
RATINGS = pd.DataFrame([[4, 4], [3, 4], [1, 2]], index=["x", "y", "z"], columns=["r1", "r2"])
TALKS = pd.DataFrame({"interview": ["I1", "I1", "I2"], "theme": ["joy", "task", "joy"]})
POOL = pd.DataFrame({"item": ["x", "y"], "dimension": ["A", "A"], "theme": ["joy", "task"]})
LOG = pd.DataFrame([["x", "keep", "rule", "evidence"]], columns=decisions.COLUMNS)
WORLD = population.load()
FIELDWORK = study.facts(study.find("fieldwork.toml"))
PRINTED = {"id": "rmsea", "step": "confirm", "kind": "estimate", "label": "RMSEA", "value": 0.073, "decimals": 3,
           "tolerance": 0.002}  # fmt: skip
CLEAN = sample.draw(12, seed=1)
PEOPLE = sample.latent(12, seed=1, population=WORLD)

#: everything else that takes arguments: wrong calls and what each message names
OTHERS: dict[str, list[tuple[Callable[[], object], str]]] = {
    "display.bundle": [
        (lambda: display.bundle([1, 2]), r"DataFrame or a Series, not \[1, 2\]"),
        (lambda: display.bundle(None), "DataFrame or a Series, not None"),
    ],
    "labels.labels_in": [
        (lambda: labels.labels_in(pd.Series(["joy", "Joy"]), "codes", "codes"), "'joy' and 'Joy'.*merge_alike"),
        (lambda: labels.labels_in(pd.Series([["joy"]]), "codes", "codes"), "lists or tables"),
    ],
    "labels.merge_alike": [
        (lambda: labels.merge_alike("joy"), "columns, tables or lists"),
        (lambda: labels.merge_alike([["joy"]]), "lists or tables"),
    ],
    "labels.refuse_alike": [(lambda: labels.refuse_alike([1, "1"], "codes"), "1 and '1'")],
    "audit.audit": [
        (lambda: audit.audit(3), "int"),
        (lambda: audit.audit("nowhere.toml"), "nowhere"),
        (lambda: audit.audit({"cfa": 0.9}), "'cfa'"),
        (lambda: audit.audit({"cfi": 1.2}), "cfi.*1.2"),
        (lambda: audit.audit({"n": "many"}), "'many'"),
        (lambda: audit.audit({"program": "spss"}), "'spss'"),
        (lambda: audit.audit({"scales": "A"}), "'A'"),
        (lambda: audit.audit({"means": [{"name": "x", "n": 9}]}), "'mean'"),
    ],
    "conceptualize.agreement": [
        (lambda: conceptualize.agreement("joy", ["joy"]), "first coder.*str"),
        (lambda: conceptualize.agreement(["joy", "task"], None), "second coder.*NoneType"),
        (lambda: conceptualize.agreement(TALKS, TALKS), "DataFrame"),
        (lambda: conceptualize.agreement([["joy"], "task"], ["joy", "task"]), "number 1"),
        (lambda: conceptualize.agreement(["joy", "task"], ["joy", pd.NA]), "number 2"),
        (lambda: conceptualize.agreement(["joy", "task"], ["joy", "task"], level="high"), "'high'"),
        (lambda: conceptualize.agreement(["joy", "task"], ["joy", "task"], weights="linear"), "order"),
        (lambda: conceptualize.agreement([1, 2], [1, 2], order=[1, 2], weights=np.eye(2)), "weights.*None"),
        (lambda: conceptualize.agreement([1, 2], [1, 2], order=[1, 2, 1], weights="linear"), "'1'.*twice"),
        (lambda: conceptualize.agreement([1, 2], [1, 2], order={1, 2}, weights="linear"), "set"),
        (lambda: conceptualize.agreement([1, 2], ["1", "2"]), "1 and '1' look alike"),
        (lambda: conceptualize.agreement(["joy", "task"], ["joy ", "task"]), "look alike"),
        (lambda: conceptualize.agreement({"joy", "task"}, {"joy", "task"}), "set"),
        (lambda: conceptualize.agreement(np.eye(2), np.eye(2)), "number 1"),
        (lambda: conceptualize.agreement(TALKS["theme"], TALKS["theme"].iloc[::-1]), "indexes"),
    ],
    "conceptualize.saturation": [
        (lambda: conceptualize.saturation(None), "NoneType"),
        (lambda: conceptualize.saturation(TALKS, theme="topic"), "'topic'"),
        (lambda: conceptualize.saturation(TALKS.assign(theme=["joy", None, "joy"])), "'theme'.*row 1"),
        (lambda: conceptualize.saturation(TALKS, draws=0.5), "draws.*0.5"),
        (lambda: conceptualize.saturation(TALKS, seed=None), "seed.*None"),
    ],
    "confirm.difference": [
        (lambda: confirm.difference(3, confirm.cfa(GOOD, SCALES)), "restricted.*int"),
        (lambda: confirm.difference(confirm.cfa(GOOD, SCALES), None), "general.*NoneType"),
        (lambda: confirm.difference(confirm.cfa(GOOD, SCALES), confirm.cfa(GOOD[:50], SCALES)), "60 and 50"),
        (lambda: confirm.difference(confirm.cfa(GOOD, SCALES), confirm.cfa(GOOD, {"A": ITEMS})), "Give the model"),
        (lambda: confirm.difference(confirm.cfa(GOOD, APART), confirm.cfa(SHUFFLED, SCALES)), "different answers"),
        (lambda: confirm.difference(confirm.cfa(GOOD, APART), confirm.cfa(GOOD, SINGLE)), "fits better"),
        (
            lambda: confirm.difference(*(confirm.cfa(GOOD, m, estimator="WLSMV") for m in (APART, MODEL))),
            "WLSMV",
        ),
    ],
    "confirm.syntax": [
        (lambda: confirm.syntax({"A": "abc"}), "'abc'"),
        (lambda: confirm.syntax(["a", "b"]), "list"),
        (lambda: confirm.syntax({"A": ["a", "b c"]}), "'b c'"),
        (lambda: confirm.syntax({"A": {"a", "b"}}), "set"),
    ],
    "decisions.kept": [(lambda: decisions.kept(LOG.drop(columns="decision")), "'decision'")],
    "decisions.read_decisions": [(lambda: decisions.read_decisions("nowhere"), "'nowhere'")],
    "decisions.write_decisions": [
        (lambda: decisions.write_decisions({}, "x"), "dict"),
        (lambda: decisions.write_decisions(LOG.drop(columns="rule"), "x"), "'rule'"),
        (lambda: decisions.write_decisions(LOG.assign(decision="maybe"), "x"), "'maybe'"),
    ],
    "answers.refuse_singular": [(lambda: answers.refuse_singular(GOOD.assign(b=GOOD["a"]), "KMO"), "'a', 'b'")],
    "answers.scales_mapping": [
        (lambda: answers.scales_mapping({"A": "abc"}), "'abc'"),
        (lambda: answers.scales_mapping({"A": 5}), "int"),
        (lambda: answers.scales_mapping({1: ["a", "b"], "1": ["c", "d"]}), "'1', '1'"),
        (lambda: answers.scales_mapping({"A": ["a", "b", "a"]}), "'a'"),
        (lambda: answers.scales_mapping({"A": [["a", "b"], "c"]}), r"\['a', 'b'\]"),
        (lambda: answers.scales_mapping(None), "NoneType"),
    ],
    "generate.coverage": [
        (lambda: generate.coverage(None), "NoneType"),
        (lambda: generate.coverage(POOL.drop(columns="theme")), "'theme'"),
        (lambda: generate.coverage(POOL, scheme=["joy"]), "scheme.*list"),
        (lambda: generate.coverage(POOL, final=4), "final.*4"),
        (lambda: generate.coverage(POOL, final={}), "'A'"),
    ],
    "generate.wording": [
        (lambda: generate.wording(["We ask."]), "list"),
        (lambda: generate.wording({"x": 3}), "'x'"),
        (lambda: generate.wording({"x": "We ask."}, most_words="many"), "most_words.*'many'"),
    ],
    "judge.chance": [
        (lambda: judge.chance(raters=2.5), "raters.*2.5"),
        (lambda: judge.chance(2, 5, 3), "3 of 2"),
    ],
    "judge.fleiss_kappa": [
        (lambda: judge.fleiss_kappa(SORTS.to_numpy()), "ndarray"),
        (lambda: judge.fleiss_kappa(SORTS.iloc[:1]), "got 1 and 2"),
        (lambda: judge.fleiss_kappa(SORTS.mask(SORTS == "B")), "'s1'.*'y'"),
    ],
    "judge.judge": [
        (lambda: judge.judge(SORTS, RATINGS), "DataFrame"),
        (lambda: judge.judge(judge.sorting(SORTS, AIMS), judge.relevance(RATINGS), raters=5), "not 5"),
    ],
    "judge.relevance": [
        (lambda: judge.relevance([[4, 4]]), "list"),
        (lambda: judge.relevance(RATINGS.astype(object).replace(1, "often")), "'r1'.*'z'"),
        (lambda: judge.relevance(RATINGS, points=4), "points.*4"),
        (lambda: judge.relevance(RATINGS, relevant=9), "relevant.*9"),
    ],
    "judge.cvr": [
        (lambda: judge.cvr(RATINGS["r1"]), "Series"),
        (lambda: judge.cvr(RATINGS), "'essential'.*1, 2, 3"),
        (lambda: judge.cvr(RATINGS[["r1"]], essential=4), "1 experts"),
        (lambda: judge.cvr(RATINGS.mask(RATINGS < 3), essential=4), "'z'"),
        (lambda: judge.cvr(RATINGS, essential=4, level=95), "95"),
        (lambda: judge.cvr(RATINGS, essential=[4]), "list"),
        (lambda: judge.cvr(RATINGS.astype(object).map(lambda r: [r])), "list"),
        (lambda: judge.cvr(RATINGS.astype(str).rename_axis("item").reset_index(), essential="4"), "'item'.*set_index"),
    ],
    "judge.cvr_critical": [
        (lambda: judge.cvr_critical(2.5), "2.5"),
        (lambda: judge.cvr_critical(5, level=0), "not 0"),
    ],
    "judge.krippendorff_alpha": [
        (lambda: judge.krippendorff_alpha(RATINGS["r1"]), "Series"),
        (lambda: judge.krippendorff_alpha(SORTS, metric="interval"), "'s1'.*'x'.*'A'"),
        (lambda: judge.krippendorff_alpha(SORTS, metric="distance"), "'distance'"),
        (lambda: judge.krippendorff_alpha(SORTS, order=["A"]), "'B'"),
        (lambda: judge.krippendorff_alpha(RATINGS - 2, metric="ratio"), "-1"),
        (lambda: judge.krippendorff_alpha(RATINGS, metric="ratio", order=[1, 2]), "order.*'ratio'"),
        (lambda: judge.krippendorff_alpha(RATINGS.assign(r2=np.nan)), "got 0"),
        (lambda: judge.krippendorff_alpha(RATINGS * 0), "one and the same"),
        (lambda: judge.krippendorff_alpha(RATINGS, draws=0), "draws.*0"),
        (lambda: judge.krippendorff_alpha(RATINGS, draws=1), "draws.*1"),
        (lambda: judge.krippendorff_alpha(RATINGS, metric="ordinal", order=[1, 2, 3, 4, 4]), "'4'.*twice"),
        (lambda: judge.krippendorff_alpha(RATINGS.astype(object).map(lambda r: [r])), "list"),
        (lambda: judge.krippendorff_alpha(RATINGS * 1e200, metric="interval"), "1e100"),
        (lambda: judge.krippendorff_alpha(RATINGS, seed=None), "None"),
        (lambda: judge.krippendorff_alpha(RATINGS, level=1), "not 1"),
    ],
    "judge.sorting": [
        (lambda: judge.sorting(SORTS["s1"], AIMS), "Series"),
        (lambda: judge.sorting(SORTS, ["A", "B", "A"]), "list"),
        (lambda: judge.sorting(SORTS, pd.Series(["A", "B"], index=["x", "x"])), "'x'"),
        (lambda: judge.sorting(SORTS, AIMS, agree="two"), "agree.*'two'"),
        (lambda: judge.sorting(SORTS.replace("B", "Q"), AIMS), "'Q'"),
    ],
    "judge.substantive_critical": [(lambda: judge.substantive_critical(0), "not 0")],
    "progress.show": [(lambda: progress.show("yes"), "'yes'")],
    "report.compare": [
        (lambda: report.compare([0.073]), "list"),
        (lambda: report.compare({"citc": 1}), "'citc'"),
    ],
    "validate.nomological": [
        (lambda: validate.nomological(GOOD, SCALES), "dict"),
        (lambda: validate.nomological(GOOD, MODEL), "no path"),
        (lambda: validate.nomological(GOOD, MODEL + "\nB ~ A", {"A ~ B": "+"}), "'A ~ B'.*'B ~ A'"),
        (lambda: validate.nomological(GOOD, MODEL + "\nB ~ A", {"B ~ A": "up"}), "'up'"),
        (lambda: validate.nomological(GOOD, MODEL + "\nB ~ A", "+"), "str"),
        (lambda: validate.nomological(GOOD, MODEL + "\nB ~ z"), "'z'"),
        (lambda: validate.nomological(GOOD, MODEL + "\nB ~ A", estimator="OLS"), "'OLS'"),
        (lambda: validate.nomological(GOOD, MODEL + "\nB ~ A", level=95), "95"),
        (lambda: validate.nomological(GOOD, MODEL + "\nB ~ A", estimator="WLSMV"), "MLR"),
        (lambda: validate.nomological(None, MODEL + "\nB ~ A"), "NoneType"),
    ],
    "validate.retest": [
        (lambda: validate.retest(WAVE, WAVE.drop(columns="respondent"), SCALES), "second occasion.*'respondent'"),
        (lambda: validate.retest(None, WAVE, SCALES), "NoneType"),
        (lambda: validate.retest(WAVE, WAVE, {"A": ["a", "z"]}), "'z'"),
        (lambda: validate.retest(WAVE, WAVE.assign(respondent=1), SCALES), "'1' stands in two rows"),
        (lambda: validate.retest(WAVE, WAVE.iloc[:2], SCALES), "got 2|2 respondents"),
        (lambda: validate.retest(WAVE, WAVE.assign(b="often"), SCALES), "'b'.*'often'"),
        (lambda: validate.retest(WAVE, WAVE, SCALES, level=95), "95"),
        (lambda: validate.retest(WAVE, WAVE, SCALES, key=["respondent"]), "respondent"),
        (lambda: validate.retest(WAVE.iloc[:0], WAVE, SCALES), "called nothing"),
    ],
    "screen.sample_description": [
        (lambda: screening.sample_description(GOOD["a"], ["a"]), "Series"),
        (lambda: screening.sample_description(GOOD, "a"), "'a'"),
        (lambda: screening.sample_description(GOOD, ["size"]), "'size'"),
        (lambda: screening.sample_description(GOOD, ["a", "a"]), "'a'"),
        (lambda: screening.sample_description(GOOD, 3), "int"),
        (lambda: screening.sample_description(GOOD.assign(b=[[1]] * 60), ["b"]), "'b'"),
        (lambda: screening.sample_description(pd.concat([GOOD, GOOD], axis=1), ["a"]), "'a'"),
    ],
    "aims.formal_figures": [(lambda: aims.formal_figures(None), "NoneType")],
    "aims.formal_survey_fits": [(lambda: aims.formal_survey_fits(None), "NoneType")],
    "aims.pre_survey_figures": [(lambda: aims.pre_survey_figures(CLEAN), "DataFrame")],
    "aims.pre_survey_fits": [(lambda: aims.pre_survey_fits(None, {}), "NoneType")],
    "aims.shortfalls": [(lambda: aims.shortfalls([1]), "list")],
    "aims.wanted_alphas": [(lambda: aims.wanted_alphas({}), "'dimensions'")],
    "calibrate.calibrate": [(lambda: calibrate.calibrate(path="nowhere.toml"), "nowhere")],
    "calibrate.formal_figures": [(lambda: calibrate.formal_figures(None), "NoneType")],
    "calibrate.formal_survey_fits": [(lambda: calibrate.formal_survey_fits(None), "NoneType")],
    "calibrate.pre_survey_figures": [(lambda: calibrate.pre_survey_figures(CLEAN), "DataFrame")],
    "calibrate.pre_survey_fits": [(lambda: calibrate.pre_survey_fits(None, {}), "NoneType")],
    "calibrate.save": [
        (lambda: calibrate.save(None), "NoneType"),
        (lambda: calibrate.save(WORLD.calibrated, "nowhere.toml"), "nowhere"),
    ],
    "calibrate.shortfalls": [(lambda: calibrate.shortfalls([1]), "list")],
    "calibrate.solve": [(lambda: calibrate.solve({}, 1), "'dimensions'")],
    "datasets.codebook": [(lambda: datasets.codebook("bfi"), "'bfi'")],
    "datasets.load": [(lambda: datasets.load("bfi"), "'bfi'")],
    "datasets.make": [(lambda: datasets.make("bfi"), "'bfi'")],
    "datasets.path": [(lambda: datasets.path("bfi"), "'bfi'")],
    "datasets.write": [(lambda: datasets.write("nowhere", only="bfi"), "'bfi'")],
    "fieldwork_plan.check_fieldwork": [
        (lambda: fieldwork_plan.check_fieldwork(FIELDWORK | {"roles": {}}, WORLD), "weight"),
        (lambda: fieldwork_plan.check_fieldwork(FIELDWORK | {"themes": {}}, WORLD), "themes"),
        (lambda: fieldwork_plan.check_fieldwork(FIELDWORK | {"experts": "six"}, WORLD), "'six'"),
    ],
    "plans.check_population": [
        (lambda: plans.check_population({}), "'dimensions'"),
        (lambda: plans.check_population(WORLD.raw | {"scale": WORLD.raw["scale"] | {"points": 5}}), "scale.cuts"),
        (lambda: plans.check_population(WORLD.raw | {"trap": {"wording": "Tick.", "right": 9}}), "trap.right is 9"),
    ],
    "plans.check_published": [
        (lambda: plans.check_published({"figures": [PRINTED | {"id": 3}]}), "3"),
        (lambda: plans.check_published({"figures": [PRINTED | {"kind": "mean"}]}), "'mean'"),
        (lambda: plans.check_published({"figures": [PRINTED | {"value": "low"}]}), "'low'"),
        (lambda: plans.check_published({"figures": [PRINTED, PRINTED]}), "'rmsea' twice"),
    ],
    "population.build": [(lambda: population.build({}, WORLD.calibrated), "'dimensions'")],
    "population.load": [(lambda: population.load("nowhere.toml"), "nowhere")],
    "population.read": [(lambda: population.read("nowhere.toml"), "nowhere")],
    "respondents.follow_up": [
        (lambda: respondents.follow_up(WORLD, CLEAN), "DataFrame"),
        (lambda: respondents.follow_up(None, CLEAN), "NoneType"),
    ],
    "respondents.formal_survey": [
        (lambda: respondents.formal_survey(None), "NoneType"),
        (lambda: respondents.formal_survey(WORLD, seed=-1), "-1"),
    ],
    "respondents.pre_survey": [
        (lambda: respondents.pre_survey("population.toml"), "str"),
        (lambda: respondents.pre_survey(WORLD, seed="one"), "'one'"),
    ],
    "respondents.spoil": [
        (lambda: respondents.spoil(CLEAN.to_numpy(), seed=1), "ndarray"),
        (lambda: respondents.spoil(CLEAN.mask(CLEAN == 4), seed=1), "nan"),
        (lambda: respondents.spoil(CLEAN.replace(4, 9), seed=1), "9"),
        (lambda: respondents.spoil(CLEAN, seed=1, items=["XX1"]), "'XX1'"),
        (lambda: respondents.spoil(CLEAN, seed=1, careless=2.5), "careless.*2.5"),
        (lambda: respondents.spoil(CLEAN, seed=None), "None"),
        (lambda: respondents.spoil(CLEAN, seed=1, points=(1, 5)), "from 1 to 5"),
        (lambda: respondents.spoil(CLEAN, seed=1, points=7), "points"),
        (lambda: respondents.spoil(CLEAN, seed=1, right=8), "right .*8"),
        (lambda: respondents.spoil(CLEAN, seed=1, straight=[8]), "straight .*8"),
    ],
    "respondents.valid_answers": [(lambda: respondents.valid_answers(WORLD, "third"), "'third'")],
    "sample.answers": [
        (lambda: sample.answers(CLEAN, WORLD), "DataFrame"),
        (lambda: sample.answers(PEOPLE, WORLD, items=["XX1"]), "'XX1'"),
        (
            lambda: sample.answers(PEOPLE, WORLD, firms=pd.DataFrame({"size": ["small"]})),
            "firms.*industry|industry|1 firms",
        ),
    ],
    "sample.draw": [
        (lambda: sample.draw(0, seed=1), "not 0"),
        (lambda: sample.draw(2.5, seed=1), "2.5"),
        (lambda: sample.draw(5, seed=None), "None"),
        (lambda: sample.draw(5, seed="one"), "'one'"),
        (lambda: sample.draw(5, seed=1, items="DO01"), "'DO01'"),
        (lambda: sample.draw(5, seed=1, population="shipped"), "str"),
    ],
    "sample.latent": [
        (lambda: sample.latent(-1, seed=1, population=WORLD), "-1"),
        (lambda: sample.latent(5, seed=1, population=None), "NoneType"),
    ],
    "sample.outcomes": [
        (lambda: sample.outcomes(CLEAN, WORLD, seed=1), "DataFrame"),
        (lambda: sample.outcomes(PEOPLE, WORLD, seed=-1), "-1"),
    ],
    "sample.wave": [(lambda: sample.wave(CLEAN, WORLD, seed=1), "DataFrame")],
    "study.facts": [(lambda: study.facts(Path("nowhere.toml")), "nowhere")],
    "tables.read_table": [(lambda: tables.read_table(Path("nowhere.csv"), remedy="Restore it."), "nowhere")],
}

GROUPED = _in_teams(GOOD)

#: options of the statistics above: wrong ones and what each message names
OPTIONS: list[tuple[Callable[[], object], str]] = [
    *(
        (lambda option=option, value=value: confirm.cfa(GOOD, MODEL, **{option: value}), f"{option}.*{value}")
        for option, value in [
            ("estimator", "ml"), ("estimator", None), ("missing", "pairwise"), ("convention", "LISREL"),
            ("orthogonal", "no"), ("orthogonal", 1), ("std_lv", "yes"), ("std_lv", None),
        ]
    ),
    *(
        (lambda estimator=estimator: confirm.cfa(GOOD, MODEL, estimator=estimator, missing="fiml"), estimator)
        for estimator in ("MLM", "WLSMV")
    ),
    *(
        (lambda estimator=estimator: confirm.cfa(GOOD, MODEL, estimator=estimator, convention="amos"), "amos")
        for estimator in ("MLM", "MLR", "WLSMV")
    ),
    (lambda: confirm.nested(GOOD, SCALES, method_factor="no"), "method_factor.*'no'"),
    (lambda: confirm.bootstrap(GOOD, MODEL, draws=50, orthogonal="no"), "orthogonal.*'no'"),
    (lambda: confirm.bootstrap(GOOD, MODEL, draws=50, kind="bayes"), "kind.*'bayes'"),
    (lambda: confirm.bootstrap(GOOD, MODEL, draws=50, interval="normal"), "interval.*'normal'"),
    (lambda: confirm.bootstrap(GOOD, MODEL, draws=1000, level=0.9999), "draws=20001"),
    *(
        (lambda call=call, value=value: call(draws=value), f"draws.*{value}")
        for value in (0, 1, -5, 1.5, True, None)
        for call in (
            lambda **k: confirm.bootstrap(GOOD, MODEL, **k),
            lambda **k: validate.htmt_intervals(GOOD, SCALES, **k),
            lambda **k: explore.n_factors(GOOD, **k),
            lambda **k: explore.compare(GOOD, 2, **k),
        )
    ),
    *(
        (lambda call=call, value=value: call(seed=value), "seed")
        for value in ("x", None, -1, 1.5, True, [], {})
        for call in (
            lambda **k: confirm.bootstrap(GOOD, MODEL, draws=50, **k),
            lambda **k: validate.htmt_intervals(GOOD, SCALES, draws=50, **k),
            lambda **k: explore.n_factors(GOOD, draws=20, **k),
        )
    ),
    *(
        (lambda call=call, value=value: call(level=value), f"level.*{value}")
        for value in (95, 0, 1, "0.95", None, float("nan"), True)
        for call in (
            lambda **k: confirm.bootstrap(GOOD, MODEL, draws=50, **k),
            lambda **k: validate.htmt_intervals(GOOD, SCALES, draws=50, **k),
            lambda **k: purify.alpha(GOOD, **k),
        )
    ),
    *(
        (lambda function=function, more=more: function(GROUPED, SCALES, **({"group": "team"} | more)), names)
        for more, names in [
            ({"group": None}, "None"), ({"group": ["team"]}, r"\['team'\]"), ({"group": "a"}, "'a'"),
            ({"free": "A =~ b"}, "A =~ b"), ({"free": ["A =~ z"]}, "A =~ z"), ({"free": [3]}, "3"),
            ({"estimator": "WLSMV"}, "'WLSMV'"), ({"missing": "x"}, "'x'"),
            ({"estimator": "MLM", "missing": "fiml"}, "MLM"),
        ]
        for function in (validate.invariance, validate.latent_means)
    ),
    (lambda: validate.invariance(GROUPED, SCALES, "team", levels="metric"), "metric"),
    (lambda: validate.invariance(GROUPED, SCALES, "team", levels=["strict", "metric"]), "ladder"),
]  # fmt: skip

#: models that cannot be taken or estimated, and what each message names
MODELS: dict[str, str] = {
    "": "no factor",
    "A = a + b + c": "A = a",
    "A =~ a + b +": "A =~ a",
    "A =~ a b c": "a b c",
    "A =~ a + b + x": "'x'",
    "A =~ a": "at least 2",
    "A =~ a + b": "not identified.*'A' has only 2",
    "A =~ a + b + c\na ~~ b\nb ~~ c": "not identified",
    "A =~ A + b + c": "itself",
    "A =~ B + a + b\nB =~ A + d + e": "circle",
    "A =~ 1*a + 1*b + 1*c\nA ~~ 1*A\na ~~ 1*a\nb ~~ 1*b\nc ~~ 1*c": "every parameter is fixed",
    "A =~ a + q*b + c\nr := q**9999999": "'r := ",
    "A =~ a + q*b + c\nr := (0-q)^0.5": "'r := ",
    "A =~ a + q*b + c\nr := 1/(q-q)": "1/",
    "A =~ " + " + ".join("a" * 3000): "twice",
    "A =~ a + q*b + c\nr := " + "(" * 5000 + "q" + ")" * 5000: "not understood",
}

#: functions a user cannot call wrongly: no arguments, or made for the modules beside them
SAFE = {
    "audit.audit_study", "audit.template", "report.audit_study", "report.twin",
    "datasets.names", "datasets.published", "fieldwork_plan.relevant_ratings", "study.find", "study.forget",
    "study.published",
    "datasets.study", "fieldwork.expert_sorts", "fieldwork.interviews", "fieldwork.item_pool", "fieldwork.rules",
    "answers.used", "labels.bare", "labels.look", "labels.without_blanks",
    "sample.normal", "result.fixed", "display.house_style", "progress.bar", "progress.drawn", "progress.gather",
    "progress.visible",
}  # fmt: skip


def _public() -> set[str]:
    """Every public function that the reference shows, as module.name."""
    return {f"{module.__name__.rpartition('.')[2]}.{name}" for module in public() for name in functions(module)}


def test_every_public_function_of_steps_and_survey_is_tried_with_bad_input():
    assert _public() == {*STATISTICS, *OTHERS, *SAFE}


OWN = [module for module in modules() if ".core." not in module.__name__ and not hasattr(module, "__path__")]


@pytest.mark.parametrize("module", OWN, ids=short)
def test_what_a_module_calls_public_is_what_it_defines_without_underscore(module):
    own = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    }
    assert own <= set(module.__all__), f"{module.__name__}: {own - set(module.__all__)}"
    assert all(hasattr(module, name) for name in module.__all__)


def test_no_module_is_forgotten():
    assert len(OWN) >= 55


def _refused(call: Callable[[], object], names: str) -> None:
    with pytest.raises(CourseError) as caught:
        call()
    assert isinstance(caught.value, (InputError, EstimationError)) or "nowhere" in names or "'dimensions'" in names
    message = str(caught.value)
    assert re.search(names, message), message
    assert REMEDY.search(message), f"no remedy: {message}"
    assert message.endswith("."), message


@pytest.mark.parametrize("kind", BAD_DATA)
@pytest.mark.parametrize("function", STATISTICS)
def test_bad_data_are_refused_by_name_with_a_remedy(function, kind):
    spoil, names, takers = BAD_DATA[kind]
    if function in takers:
        STATISTICS[function](spoil(GOOD))
    else:
        _refused(lambda: STATISTICS[function](spoil(GOOD)), names)


@pytest.mark.parametrize("kind", GOOD_DATA)
@pytest.mark.parametrize("function", STATISTICS)
def test_odd_but_usable_data_give_what_plain_data_give(function, kind):
    plain, odd = (repr(STATISTICS[function](data)) for data in (GOOD, GOOD_DATA[kind](GOOD)))
    if function not in {"answers.items_frame", "screen.screen"} or not kind.startswith("rows"):
        assert odd == plain


@pytest.mark.parametrize(("call", "names"), OPTIONS)
def test_wrong_options_are_refused_by_name_with_a_remedy(call, names):
    _refused(call, names)


@pytest.mark.parametrize("text", MODELS, ids=[text[:30] for text in MODELS])
def test_models_that_cannot_be_are_refused_in_one_short_sentence(text):
    _refused(lambda: confirm.cfa(GOOD, text), MODELS[text])
    with pytest.raises(CourseError) as caught:
        confirm.cfa(GOOD, text, estimator="WLSMV")
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("function", ["confirm.cfa", "explore.polychoric", "purify.ordinal_alpha"])
def test_answers_as_large_as_identifiers_are_categories_like_others(function):
    call = {"confirm.cfa": lambda d: confirm.cfa(d, MODEL, estimator="WLSMV")}.get(function, STATISTICS[function])
    tables = [[table.to_numpy() for table in call(data).tables().values()] for data in (GOOD, GOOD * 10**12)]
    assert len(tables[0]) == len(tables[1])


@pytest.mark.parametrize("function", OTHERS)
def test_wrong_arguments_are_refused_by_name_with_a_remedy(function):
    assert OTHERS[function]
    for call, names in OTHERS[function]:
        _refused(call, names)
