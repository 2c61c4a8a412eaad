"""Ordered answers: polychoric correlations, ordinal alpha and WLSMV beside lavaan's figures.

Two sets of the golden ones, and awkward ones made for this (``golden_ordinal``): binary items,
2 × 2 tables with an empty cell, different numbers of categories not coded from 1, skewed
answers, a second-order factor with an error covariance, equal loadings with a negative variance.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from reference import load, matrix
from scipy.integrate import quad
from scipy.stats import norm
from ugly import frames, says_why_or_is_finite

from cocreation.core.polychoric import bivariate_normal
from cocreation.core.polychoric import polychoric as core_polychoric
from cocreation.core.sem import wls
from cocreation.core.sem.model import Model
from cocreation.errors import EstimationError, InputError
from cocreation.steps import confirm
from cocreation.steps.explore import polychoric
from cocreation.steps.purify import alpha, ordinal_alpha
from cocreation.steps.validate import reliability, validity

mpl.use("Agg")
FOLDER = Path(__file__).parents[1] / "golden_ordinal"
FIGURES = pd.read_csv(FOLDER / "figures.csv", keep_default_na=False)
FIGURES["value"] = pd.to_numeric(FIGURES["value"], errors="coerce")
TWO = "A =~ v1 + v2 + v3\nB =~ v4 + v5 + v6"
MODELS = {
    "binary": TWO,
    "hole": TWO,
    "mixed": "A =~ v1 + v2 + v3 + v4\nB =~ v5 + v6 + v7",
    "skewed": "A =~ v1 + v2 + v3 + v4\nB =~ v5 + v6 + v7 + v8\nC =~ v9 + v10 + v11",
    "second": "A =~ v1 + v2 + v3\nB =~ v4 + v5 + v6\nC =~ v7 + v8 + v9\nD =~ v10 + v11 + v12\n"
    "G =~ A + B + C + D\nv1 ~~ v4",
    "equal": "A =~ NA*v1 + a*v1 + a*v2 + a*v3\nA ~~ 1*A\nB =~ v4 + v5 + v6",
}
GOLDEN = ["likert7_sim", "bfi_nec_missing"]
#: lavaan's name of a fit measure where it is not ours with dots
NAMES = {
    "npar": "parameters",
    "pvalue": "p",
    "pvalue.scaled": "p_scaled",
    "nnfi": "tli",
    "rmsea.pvalue": "pclose",
    "chisq.scaling.factor": "scaling_factor",
    "baseline.chisq.scaling.factor": "baseline_scaling_factor",
}


def ours(name: str) -> str:
    return NAMES.get(name, name.replace("chisq", "chi2").replace(".ci.", ".").replace(".", "_"))


def wlsmv(data: pd.DataFrame, model):
    return confirm.cfa(data, model, estimator="WLSMV")


def answers(case: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{case}.csv")


def figures(case: str, kind: str) -> pd.Series:
    part = FIGURES[(FIGURES["case"] == case) & (FIGURES["kind"] == kind)]
    return part.set_index("name")["value"].dropna()


def keyed(parameters: pd.DataFrame, column: str) -> pd.Series:
    """A column of a parameter table by 'left op right', covariances under both orders."""
    rows = {}
    for row in parameters.itertuples():
        rows[f"{row.left} {row.op} {row.right}"] = getattr(row, column)
        if row.op == "~~":
            rows[f"{row.right} {row.op} {row.left}"] = getattr(row, column)
    return pd.Series(rows)


def thresholds(found) -> pd.Series:
    table = found.thresholds
    return pd.Series(table["estimate"].to_numpy(), table["item"] + "|" + table["threshold"])


def likert(n: int, points: int, seed: int, loading: float = 0.8, items: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((n, 1))
    y = loading * factor + np.sqrt(1 - loading**2) * rng.standard_normal((n, items))
    cut = norm.ppf(np.arange(1, points) / points)
    return pd.DataFrame(np.digitize(y, cut) + 1, columns=[f"v{i + 1}" for i in range(items)])


@pytest.fixture(scope="module", params=GOLDEN)
def golden(request):
    found = load(request.param)
    return found, wlsmv(found.data, found.model)


@pytest.fixture(scope="module", params=MODELS)
def awkward(request):
    return request.param, wlsmv(answers(request.param), MODELS[request.param])


# polychoric correlations


@pytest.mark.parametrize("name", GOLDEN)
def test_thresholds_and_polychorics_equal_lavaan_on_the_golden_sets(name):
    figures = load(name).figures["ordinal"]
    found = polychoric(load(name).answers)
    np.testing.assert_allclose(found.correlations, matrix(figures["polychoric"]), rtol=0, atol=1e-6)
    theirs = pd.Series(figures["thresholds"])
    np.testing.assert_allclose(thresholds(found)[theirs.index], theirs, rtol=1e-9)


@pytest.mark.parametrize("case", MODELS)
def test_thresholds_and_polychorics_equal_lavaan_on_awkward_answers(case):
    found = polychoric(answers(case))
    theirs = figures(case, "polychoric")
    values = pd.Series(found.pairs["polychoric"].to_numpy(), found.pairs["first"] + " " + found.pairs["second"])
    np.testing.assert_allclose(values[theirs.index], theirs, rtol=0, atol=1e-6)
    theirs = figures(case, "threshold")
    np.testing.assert_allclose(thresholds(found)[theirs.index], theirs, rtol=1e-9)


@pytest.mark.parametrize("case", MODELS)
def test_sampling_variances_equal_lavaan(case):
    found = polychoric(answers(case))
    theirs = figures(case, "gamma")
    variances = dict(zip(thresholds(found).index, found.thresholds["se"] ** 2, strict=True))
    variances |= {f"{row.first}~~{row.second}": row.se**2 for row in found.pairs.itertuples()}
    np.testing.assert_allclose([variances[name] * found.n for name in theirs.index], theirs, rtol=1e-5)


def test_two_by_two_tables_with_an_empty_cell_are_among_the_awkward_ones():
    data = answers("hole")
    empty = [(a, b) for a in data for b in data if a < b and (pd.crosstab(data[a], data[b]) == 0).any(axis=None)]
    assert len(empty) >= 5


@pytest.mark.parametrize("rho", [-0.999, -0.7, 0.0, 0.3, 0.95, 0.9999])
def test_bivariate_normal_equals_its_integral(rho):
    points = [-2.1, 0.0, 0.4, 0.5]
    h, k = np.meshgrid(points, points)
    root = np.sqrt(1 - rho**2)
    theirs = [
        quad(
            lambda x, k=k_: norm.pdf(x) * norm.cdf((k - rho * x) / root),
            -12, h_, epsabs=1e-13, epsrel=1e-12, limit=500, points=[min(h_, max(-12.0, k_ / rho)) if rho else 0.0],
        )[0]
        for h_, k_ in zip(h.ravel(), k.ravel(), strict=True)
    ]  # fmt: skip
    np.testing.assert_allclose(bivariate_normal(h, k, np.array(rho)).ravel(), theirs, rtol=0, atol=1e-11)


def test_infinite_corners_and_zero_corners_are_limits():
    h = np.array([40.0, -40.0, 40.0, 0.0])
    k = np.array([0.7, 0.7, 40.0, 0.0])
    expected = [norm.cdf(0.7), 0.0, 1.0, 0.25 + np.arcsin(0.6) / (2 * np.pi)]
    np.testing.assert_allclose(bivariate_normal(h, k, np.array(0.6)), expected, atol=1e-15)


def test_the_correlation_behind_the_answers_is_found_and_pearson_is_smaller():
    found = polychoric(likert(20_000, 3, seed=1, loading=np.sqrt(0.6)))
    np.testing.assert_allclose(found.pairs["polychoric"], 0.6, atol=0.03)
    assert (found.pairs["pearson"] < 0.53).all()
    np.testing.assert_allclose(found.pairs["difference"], found.pairs["polychoric"] - found.pairs["pearson"])


def test_only_the_order_of_the_answers_counts():
    data = likert(300, 4, seed=2)
    coded = data.assign(v1=data["v1"].map({1: -3, 2: 0, 3: 1, 4: 40}))
    np.testing.assert_array_equal(polychoric(coded).correlations, polychoric(data).correlations)
    turned = polychoric(data.assign(v2=5 - data["v2"])).correlations
    sign = np.array([1, -1, 1, 1])
    np.testing.assert_allclose(turned, polychoric(data).correlations * np.outer(sign, sign), atol=1e-9)
    other = polychoric(data[["v3", "v1", "v4", "v2"]]).correlations.loc[data.columns, data.columns]
    np.testing.assert_allclose(other, polychoric(data).correlations, atol=1e-9)


def test_a_nearly_perfect_correlation_is_found():
    rng = np.random.default_rng(4)
    factor = rng.standard_normal(2000)
    y = np.column_stack([factor, factor + 0.05 * rng.standard_normal(2000)])
    data = pd.DataFrame(np.digitize(y, [-1, 0, 1]), columns=["a", "b"])
    assert 0.995 < polychoric(data).correlations.loc["a", "b"] < 1


def test_standard_errors_are_those_of_repeated_samples():
    found = [polychoric(likert(250, 4, seed=seed, items=2)).pairs.iloc[0] for seed in range(300)]
    table = pd.DataFrame(found)
    assert table["se"].mean() == pytest.approx(table["polychoric"].astype(float).std(), rel=0.12)


def test_polychoric_prints_and_draws():
    found = polychoric(answers("mixed"))
    shown = found.tables()
    assert list(shown["thresholds"].index) == list(answers("mixed"))
    assert shown["thresholds"].shape == (7, 4)
    assert np.isnan(shown["thresholds"].loc["v3", "t2"])
    assert "Pearson" in repr(found)
    axes = found.plot()
    cells = axes.collections[0].get_array().reshape(7, 7)
    pair = found.pairs.iloc[0]
    assert cells[1, 0] == pytest.approx(pair["polychoric"])
    assert cells[0, 1] == pytest.approx(pair["pearson"])


# what is refused, and what is told


def test_answers_that_are_no_categories_are_refused():
    data = likert(100, 4, seed=3)
    with pytest.raises(InputError, match=r"'v2' holds 2.5.*whole numbers.*Use"):
        polychoric(data.assign(v2=[2.5, *data["v2"][1:]]))
    with pytest.raises(InputError, match=r"'v2' has 100 different answers.*continuous.*Use"):
        polychoric(data.assign(v2=range(100)))
    with pytest.raises(InputError, match=r"'v2' is constant.*Leave it out"):
        polychoric(data.assign(v2=3))
    with pytest.raises(EstimationError, match=r"'v1' and 'v2'.*does not exist.*Leave one of them out"):
        polychoric(data.iloc[:3])
    twelve = data.assign(v2=np.arange(100) % 12)
    assert len(polychoric(twelve).thresholds.query("item == 'v2'")) == 11


@pytest.mark.parametrize("turned", [False, True])
def test_a_perfect_correlation_is_refused_by_name(turned):
    """A table no cell of which contradicts a correlation of ±1; a binary one with two empty cells is the plainest."""
    stairs = np.repeat([[0, 0], [0, 1], [1, 1], [1, 2], [2, 2]], 10, axis=0)
    binary = np.repeat([[0, 0], [1, 1]], 25, axis=0)
    rng = np.random.default_rng(5)
    data = pd.DataFrame(stairs, columns=["a", "b"]).assign(c=rng.integers(0, 3, 50))
    data["b"] = 2 - data["b"] if turned else data["b"]
    sign = "−1" if turned else r"\+1"
    with pytest.raises(EstimationError, match=rf"perfect correlation \({sign}\) of items 'a' and 'b'.*Leave"):
        polychoric(data)
    with pytest.raises(EstimationError, match=rf"perfect correlation \({sign}\)"):
        core_polychoric(np.column_stack([binary[:, 0], 1 - binary[:, 1] if turned else binary[:, 1]]))


def test_empty_thin_and_missing_categories_are_told():
    data = likert(200, 5, seed=6)
    data["v1"] = data["v1"].replace(3, 2)
    data["v2"] = data["v2"].clip(2, 5)
    data.loc[data["v3"] == 5, "v3"] = 4
    data.loc[0, "v3"] = 5
    told = polychoric(data).warnings.set_index("subject")["warning"]
    assert "Nobody chose 3" in told["v1"]
    assert "from 2 to 5 where most items have 1 to 5" in told["v2"]
    assert "Only one respondent chose 5" in told["v3"]
    assert "v4" not in told
    assert len(wlsmv(data, "A =~ v1 + v2 + v3 + v4").warnings) == 3


def test_answers_coded_in_tens_have_no_empty_categories():
    assert polychoric(10 * likert(200, 4, seed=6)).warnings.empty


def test_an_indefinite_matrix_is_told_and_has_no_robust_measures():
    rng = np.random.default_rng(21)
    y = 0.6 * rng.standard_normal((40, 1)) + 0.8 * rng.standard_normal((40, 8))
    data = pd.DataFrame(np.digitize(y, [0.9]), columns=[f"v{i}" for i in range(8)])
    found = polychoric(data)
    assert np.linalg.eigvalsh(found.correlations)[0] < 0
    assert found.warnings["warning"].str.contains("Not positive definite").any()
    fitted = wlsmv(data, "A =~ " + " + ".join(data))
    assert fitted.warnings["warning"].str.contains("Not positive definite").any()
    assert "cfi_scaled" in fitted.fit.index
    assert not fitted.fit.index.str.endswith("_robust").any()


# ordinal alpha


@pytest.mark.parametrize("name", GOLDEN)
def test_ordinal_alpha_equals_its_definition_in_r(name):
    golden = load(name)
    for scale, value in golden.figures["ordinal"]["ordinal_alpha"].items():
        found = ordinal_alpha(golden.answers, golden.scales[scale])
        assert found.ordinal_alpha == pytest.approx(value, abs=1e-6)
        assert found.alpha == pytest.approx(alpha(golden.answers, golden.scales[scale]).alpha, rel=1e-12)
        assert "not of the sum score" in found.note


def test_ordinal_alpha_needs_items_of_one_direction():
    rng = np.random.default_rng(7)
    data = pd.DataFrame(rng.integers(1, 5, (200, 2)), columns=["a", "b"])
    data["b"] = np.where(rng.random(200) < 0.9, 5 - data["a"], data["b"])
    assert ordinal_alpha(data).ordinal_alpha < 0
    repeated = likert(200, 4, seed=8, loading=0.95, items=3)
    assert ordinal_alpha(repeated.assign(v1=5 - repeated["v1"])).ordinal_alpha < 0.2


# WLSMV


def test_every_fit_measure_equals_lavaan_on_the_golden_sets(golden):
    data, found = golden
    theirs = {ours(name): value for name, value in data.figures["ordinal"]["wlsmv"]["fit"].items() if value is not None}
    assert len(theirs) >= 40
    mine = found.fit.loc[list(theirs), "value"]
    np.testing.assert_allclose(mine, list(theirs.values()), rtol=1e-5, atol=1e-6)
    for name in ("chi2", "chi2_scaled", "scaling_factor", "baseline_chi2_scaled"):
        assert found.measure(name) == pytest.approx(theirs[name], rel=1e-6)


def test_every_parameter_equals_lavaan_on_the_golden_sets(golden):
    data, found = golden
    theirs = pd.DataFrame(data.figures["ordinal"]["wlsmv"]["parameters"])
    assert len(theirs) == len(found.parameters)
    names = (theirs["lhs"] + " " + theirs["op"] + " " + theirs["rhs"]).tolist()
    for column, name in {"estimate": "est", "std": "std_all", "std_se": "std_all_se"}.items():
        np.testing.assert_allclose(keyed(found.parameters, column)[names], theirs[name].astype(float), atol=5e-6)
    free = theirs["se"].astype(float) > 0
    for column, name in {"se": "se", "z": "z", "p": "pvalue", "lower": "ci.lower", "upper": "ci.upper"}.items():
        mine, their = keyed(found.parameters, column)[names].to_numpy(), theirs[name].astype(float)
        np.testing.assert_allclose(mine[free], their[free], rtol=1e-5, atol=5e-6)
        assert np.isnan(mine[~free]).all()


def test_wlsmv_equals_lavaan_on_awkward_answers(awkward):
    case, found = awkward
    theirs = {ours(name): value for name, value in figures(case, "fit").items()}
    shared = [name for name in found.fit.index if name in theirs]
    assert len(shared) >= 42
    np.testing.assert_allclose(found.fit.loc[shared, "value"], [theirs[name] for name in shared], rtol=1e-5, atol=1e-6)
    for column in ("estimate", "se", "std", "std_se"):
        their = figures(case, column)
        their = their[their > 0] if column == "se" else their
        np.testing.assert_allclose(keyed(found.parameters, column)[their.index], their, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", ["binary", "skewed"])
def test_reliability_of_the_sum_equals_semtools_and_that_of_the_responses_is_another(case):
    scales = {line[0]: line[5:].split(" + ") for line in MODELS[case].splitlines()}
    data = answers(case)
    model = wlsmv(data, scales)
    found = reliability(data, scales, model=model).table.set_index("dimension")
    for ours, theirs in (("omega", "omega"), ("alpha", "alpha"), ("ave", "avevar")):
        assert found[ours].to_dict() == pytest.approx(figures(case, theirs).to_dict(), abs=5e-6)
    assert (validity(data, scales, model=model).table.set_index("dimension")["cr"] > found["omega"]).all()


def test_modification_indices_equal_lavaan(awkward):
    case, found = awkward
    if case == "hole":  # its factors coincide: what one more loading would do is not determined there
        assert found.warnings["warning"].str.contains("cannot be told apart").any()
        return
    table = found.modification.set_index(found.modification[["left", "op", "right"]].agg(" ".join, axis=1))
    for column in ("mi", "epc"):
        theirs = figures(case, column)
        theirs = theirs[theirs.index.isin(table.index)]
        assert len(theirs) >= 15
        np.testing.assert_allclose(table.loc[theirs.index, column], theirs, rtol=1e-3, atol=1e-3)


def test_srmr_with_and_without_the_thresholds_are_two_figures():
    """lavaan 0.6-14: fitMeasures(fit, c("srmr", "srmr_bentler"))."""
    golden = load("yesno_sim")
    found = confirm.cfa(golden.answers, golden.scales, estimator="WLSMV")
    assert found.measure("srmr") == pytest.approx(0.0398419, abs=5e-7)
    assert found.measure("srmr_bentler") == pytest.approx(0.0356357, abs=5e-7)


def test_an_items_own_variance_is_what_the_model_leaves_of_one(golden):
    _, found = golden
    estimates = found.parameters[found.parameters["op"] == "~~"]
    own = estimates[estimates["left"] == estimates["right"]].set_index("left")["estimate"]
    left = 1 - found.loadings.set_index("item")["std"] ** 2
    np.testing.assert_allclose(own[left.index], left, atol=1e-12)


def test_the_scale_of_a_factor_does_not_matter():
    data = answers("skewed")
    first = wlsmv(data, MODELS["skewed"])
    scales = {"A": [f"v{i}" for i in range(1, 5)], "B": [f"v{i}" for i in range(5, 9)], "C": ["v9", "v10", "v11"]}
    free = "\n".join(f"{f} =~ NA*{' + '.join(items)}\n{f} ~~ 1*{f}" for f, items in scales.items())
    second = wlsmv(data, free)
    for name in ("chi2", "chi2_scaled", "cfi_robust", "parameters"):
        assert second.measure(name) == pytest.approx(first.measure(name), rel=1e-8)
    np.testing.assert_allclose(second.loadings["std"], first.loadings["std"], atol=1e-7)
    std_se = [keyed(found.parameters, "std_se")["A =~ v2"] for found in (first, second)]
    assert std_se[0] == pytest.approx(std_se[1], rel=1e-6)


def test_a_factor_of_reversed_items_is_turned_and_its_errors_stay():
    data = answers("skewed")[["v1", "v2", "v3", "v4"]]
    model = "A =~ NA*v1 + v2 + v3 + v4\nA ~~ 1*A"
    turned, plain = wlsmv(6 - data, model), wlsmv(data, model)
    np.testing.assert_allclose(turned.loadings[["estimate", "se"]], plain.loadings[["estimate", "se"]], rtol=1e-6)
    assert (turned.loadings["estimate"] > 0).all()


def test_a_model_that_repeats_the_correlations_has_no_test():
    found = wlsmv(likert(200, 4, seed=9, items=3), "A =~ v1 + v2 + v3")
    assert found.measure("df") == 0
    assert found.measure("chi2") == pytest.approx(0, abs=1e-10)
    assert not {"cfi", "rmsea", "cfi_scaled"} & set(found.fit.index)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("A =~ v1 + v2", "not identified.*1 correlations.*'A'"),
        ("A =~ v1 + v2\nB =~ v3 + v4\nA ~~ 0*B", "not identified.*'A'"),
    ],
)
def test_two_item_factors_alone_are_not_identified(model, names):
    with pytest.raises(EstimationError, match=f"(?s){names}"):
        wlsmv(likert(200, 4, seed=10), model)


def test_a_first_item_that_hardly_correlates_still_lets_the_others_be_found():
    """The marker's loading is near 0, so the others' are large beside it: 10.75625 in lavaan 0.6-14."""
    data = answers("weak")
    found = wlsmv(data, "A =~ v0 + v1 + v2 + v3")
    assert found.loadings["estimate"].abs().max() == pytest.approx(10.75625, rel=1e-4)
    noise = pd.DataFrame(np.random.default_rng(4).integers(1, 5, (300, 4)), columns=list("abcd"))
    with pytest.raises(EstimationError, match=r"first item of 'A', 'a', hardly correlates.*put another first"):
        wlsmv(noise, "A =~ a + b + c + d")


def test_answers_that_say_nothing_of_their_correlation_are_refused():
    # every respondent chose the middle of one of the items: at ρ = 0 no score differs from 0
    with pytest.raises(EstimationError, match="'a' and 'b' leave unknown how sure"):
        polychoric(pd.DataFrame({"a": [3, 5, 6, 5], "b": [3, 2, 3, 4]}))


@settings(max_examples=60, deadline=None)
@given(frame=frames())
def test_whatever_is_passed_there_is_a_number_or_a_reason(frame):
    says_why_or_is_finite(lambda: polychoric(frame))
    says_why_or_is_finite(lambda: ordinal_alpha(frame))


def test_two_item_factors_that_correlate_are_estimated_and_told():
    found = wlsmv(likert(300, 4, seed=11), "A =~ v1 + v2\nB =~ v3 + v4")
    assert found.measure("df") == 1
    assert {"A", "B"} <= set(found.warnings["subject"])


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("v1 ~~ 0.5*v1", "v1 ~~ v1.*Leave the line out"),
        ("v1 ~~ e*v1\nv2 ~~ e*v2", "v1 ~~ v1.*Leave the line out"),
        ("A ~ v4", "'v4' predicts.*Leave it out"),
    ],
)
def test_what_ordered_items_cannot_have_is_refused(line, names):
    with pytest.raises(InputError, match=names):
        wlsmv(likert(200, 4, seed=12), f"A =~ v1 + v2 + v3\n{line}")


def test_structural_paths_and_definitions_equal_lavaan():
    """lavaan 0.6-14 on the answers 'second'; the standardized total effect from standardizedSolution."""
    model = (
        "A =~ v1 + v2 + v3\nB =~ v4 + v5 + v6\nC =~ v7 + v8 + v9\nC ~ c*B + b*A\nB ~ a*A\nind := a*c\ntot := ind + b"
    )
    found = confirm.cfa(answers("second"), model, estimator="WLSMV")
    rows = found.parameters.set_index("left")[lambda table: table["op"] == ":="]
    np.testing.assert_allclose(
        rows.loc["ind", ["estimate", "se"]].astype(float), [0.1612302804, 0.0338847199], atol=1e-6
    )
    np.testing.assert_allclose(
        rows.loc["tot", ["estimate", "se"]].astype(float), [0.3192346968, 0.0504321985], atol=1e-6
    )
    assert rows.loc["tot", "std"] == pytest.approx(0.4410043416, abs=1e-6)
    # an item outside every factor may be an outcome
    outcome = confirm.cfa(answers("second"), "A =~ v1 + v2 + v3\nB =~ v4 + v5 + v6\nv7 ~ A", estimator="WLSMV")
    assert outcome.measure("chisq.scaled") == pytest.approx(62.555, abs=5e-4)
    path = outcome.parameters[outcome.parameters["op"] == "~"].iloc[0]
    np.testing.assert_allclose([path["estimate"], path["se"]], [0.46126993386, 0.06192733815], atol=1e-6)


def test_cfa_takes_wlsmv_as_an_estimator():
    golden = load("bfi_nec_missing")
    found = confirm.cfa(golden.data, golden.scales, estimator="WLSMV")
    assert found.estimator == "WLSMV"
    assert "396 respondents (204 with missing answers left out)" in found.note
    theirs = golden.figures["ordinal"]["wlsmv"]["fit"]
    for name in ("chisq.scaled", "cfi.robust", "rmsea.ci.upper.scaled", "wrmr", "srmr_bentler", "npar"):
        assert found.measure(name) == pytest.approx(theirs[name], rel=1e-6)
    shown = found.tables()
    assert shown["scaled fit"].loc[0, "cfi"] == pytest.approx(theirs["cfi.scaled"], abs=1e-6)
    assert shown["robust fit"].loc[0, "rmsea"] == pytest.approx(theirs["rmsea.robust"], abs=1e-6)
    free = confirm.cfa(golden.data, golden.scales, estimator="WLSMV", std_lv=True)
    assert free.measure("chi2_scaled") == pytest.approx(found.measure("chi2_scaled"), rel=1e-9)
    for wrong in ({"convention": "amos"}, {"missing": "fiml"}):
        with pytest.raises(InputError, match="WLSMV"):
            confirm.cfa(golden.data, golden.scales, estimator="WLSMV", **wrong)
    with pytest.raises(InputError, match="no factor scores with WLSMV"):
        found.scores(golden.data)


def test_the_note_says_what_was_done():
    found = wlsmv(answers("mixed"), MODELS["mixed"])
    for words in ("WLSMV", "350 respondents", "2 to 5", "scaled", "delta", "no second opinion"):
        assert words in found.note
    assert np.isnan(found.agreement)


def test_the_core_says_when_a_model_asks_for_more_than_there_is():
    codes = likert(100, 3, seed=13, items=3).to_numpy() - 1
    with pytest.raises(EstimationError, match=r"not identified: \d+ free parameters for 3 correlations"):
        wls.fit(core_polychoric(codes), 100, Model.correlated([[0], [1, 2]]))
