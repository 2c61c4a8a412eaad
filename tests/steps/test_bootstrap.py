"""Resampled respondents: refits against lavaan and one by one, intervals against R's, HTMT against semTools."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import NAMES, load
from scipy.stats import bootstrap as scipy_bootstrap
from ugly import frames, says_why_or_is_finite, scales_of

from cocreation.core import resampling
from cocreation.core.moments import covariance
from cocreation.core.sem import batch, ml
from cocreation.core.sem.syntax import parse
from cocreation.errors import EstimationError, InputError
from cocreation.steps.confirm import bootstrap, cfa
from cocreation.steps.validate import htmt, htmt_intervals, validity

# a function of the face hides the module of the same name behind it
confirm_bootstrap, validate_htmt = (
    sys.modules[name] for name in ("cocreation.steps.confirm.bootstrap", "cocreation.steps.validate.htmt")
)

RESAMPLED = ["hs1939", "likert7_sim"]
MODELS = ["cfa", "cfa_single", "cfa_second_order", "cfa_bifactor", "ulmc_equal"]


def _as_r_drew(n: int, draws: int) -> np.ndarray:
    """The resamples of resamples.R: Park and Miller's generator."""
    x, rows = 42, np.empty((draws, n), dtype=int)
    for place in np.ndindex(rows.shape):
        x = 16807 * x % 2147483647
        rows[place] = x * n // 2147483647
    return rows


def _of_r(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    theirs = pd.read_csv(Path(__file__).parent / "resamples" / f"{name}.csv")
    return theirs, _as_r_drew(len(load(name).answers), len(theirs))


def _fitted(name: str, model: str | None = None):
    golden = load(name)
    block = golden.figures[model or "cfa"]
    specification = parse(block["syntax"], orthogonal=model == "cfa_bifactor")
    x = golden.answers[list(specification.observed)].to_numpy(dtype=float)
    return x, specification, ml.fit(covariance(x, divisor="N"), len(x), specification.model)


@pytest.mark.parametrize("name", RESAMPLED)
def test_refits_and_ratios_of_the_same_resamples_equal_those_of_r(name):
    theirs, rows = _of_r(name)
    x, specification, fitted = _fitted(name)
    found = batch.refit(batch.resampled(x, rows), fitted)
    figures = confirm_bootstrap._Figures(specification)(found.theta)
    np.testing.assert_allclose(found.minimum * len(x), theirs["chisq"], rtol=1e-6)
    expected = theirs.filter(regex=r"^(loading|phi)")
    np.testing.assert_allclose(figures[:, : expected.shape[1]], expected, rtol=0, atol=5e-5)
    turned = batch.refit(batch.resampled(confirm_bootstrap._as_the_model_says(x, fitted), rows), fitted)
    # lavaan turns the answers by its own solution, a millionth from the optimum
    np.testing.assert_allclose(turned.minimum * len(x), theirs["chisq_model"], rtol=1e-4)
    i, j = np.tril_indices(len(specification.latent), -1)
    ratios = np.concatenate(
        validate_htmt._squares(batch.resampled(x, rows), specification.indicators)[:, :, i, j], axis=1
    )
    np.testing.assert_allclose(ratios, theirs.filter(regex="^htmt"), rtol=1e-9)


@pytest.mark.parametrize("name", [name for name in NAMES if "bootstrap" in load(name).figures])
def test_errors_and_intervals_of_loadings_equal_lavaans_within_chance(name):
    golden = load(name)
    theirs = pd.DataFrame(golden.figures["bootstrap"]["loadings"])
    found = bootstrap(golden.data, golden.model, draws=2000)
    assert found.loadings[["factor", "item"]].to_numpy().tolist() == theirs[["lhs", "rhs"]].to_numpy().tolist()
    np.testing.assert_allclose(found.loadings["std"], theirs["est"], rtol=0, atol=5e-5)
    np.testing.assert_allclose(found.loadings["se"], theirs["boot_se"], rtol=0.12)
    np.testing.assert_allclose(found.loadings["lower"], theirs["lo"], rtol=0, atol=0.03)
    np.testing.assert_allclose(found.loadings["upper"], theirs["hi"], rtol=0, atol=0.03)
    assert (found.draws, found.used, found.failed, found.improper) == (2000, 2000, 0, 0)


CASES = [(name, model) for name in NAMES for model in MODELS if load(name).figures[model].get("converged")]


@pytest.mark.parametrize(("name", "model"), CASES)
def test_refits_together_end_where_each_ends_alone(name, model):
    x, specification, fitted = _fitted(name, model)
    samples = batch.resampled(x, np.random.default_rng(2).integers(0, len(x), (12, len(x))))
    found, compared = batch.refit(samples, fitted), 0
    for sample, theta, minimum in zip(samples, found.theta, found.minimum, strict=True):
        try:
            alone = ml.fit(sample, len(x), specification.model, start=fitted.theta)
        except EstimationError:
            continue
        compared += 1
        # models with several solutions may end at one that fits as well or better
        assert minimum <= alone.minimum + 1e-9
        if minimum > alone.minimum - 1e-9 and model != "cfa_bifactor":
            np.testing.assert_allclose(theta, alone.theta, rtol=1e-4, atol=1e-4 * np.abs(alone.theta).max())
    assert compared >= 9


def test_feedback_and_equal_parameters_are_refitted_too():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((300, 4)) @ np.array([[1, 0.5, 0.3, 0.1], [0, 1, 0.2, 0.4], [0, 0, 1, 0.3], [0, 0, 0, 1]])
    entries = [
        ml.Entry("A", 0, 1, 0), ml.Entry("A", 1, 0, 1), ml.Entry("A", 0, 2, 2), ml.Entry("A", 1, 3, 2),
        *(ml.Entry("P", i, i, 3 + i) for i in range(4)), ml.Entry("P", 2, 3, 7),
    ]  # fmt: skip
    model = ml.Model(4, 0, tuple(entries))
    fitted = ml.fit(covariance(x, divisor="N"), 300, model)
    samples = batch.resampled(x, rng.integers(0, 300, (5, 300)))
    found = batch.refit(samples, fitted)
    for sample, theta in zip(samples, found.theta, strict=True):
        np.testing.assert_allclose(theta, ml.fit(sample, 300, model, start=fitted.theta).theta, atol=1e-5)


def test_resampled_covariances_are_those_of_the_rows_drawn():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((40, 3)) * [1, 10, 0.1] + 100
    rows = rng.integers(0, 40, (5, 40))
    expected = [covariance(x[each], divisor="N") for each in rows]
    np.testing.assert_allclose(batch.resampled(x, rows), expected, rtol=1e-10)
    x[1:, 1] = 3.7
    constant = batch.resampled(x, np.maximum(rows, 1))
    assert (constant[:, 1] == 0).all()
    assert (constant[:, :, 1] == 0).all()
    np.testing.assert_allclose(confirm_bootstrap._one_left_out(x)[7], covariance(np.delete(x, 7, axis=0), divisor="N"))


def test_a_resample_without_covariances_or_solution_is_counted_not_dropped(monkeypatch):
    x, _, fitted = _fitted("hs1939")
    sample = fitted.sample
    flat = sample.copy()
    flat[0] = flat[:, 0] = 0
    repeated = sample.copy()
    repeated[1], repeated[:, 1] = sample[0], sample[:, 0]
    repeated[1, 1] = sample[0, 0]
    found = batch.refit(np.stack([sample, flat, repeated]), fitted)
    assert np.isfinite(found.minimum).tolist() == [True, False, False]
    assert found.failed == 2
    np.testing.assert_allclose(found.theta[0], fitted.theta, atol=1e-6)
    # what the joint search leaves is fitted alone
    monkeypatch.setattr(batch, "_STEPS", 2)
    samples = batch.resampled(x, np.random.default_rng(3).integers(0, len(x), (4, len(x))))
    assert batch.refit(samples, fitted)[2] == 4
    monkeypatch.setattr(ml, "fit", _no_solution)
    assert batch.refit(samples, fitted).failed == 4


def _no_solution(*_arguments, **_options):
    raise EstimationError("no solution")


def test_a_bootstrap_says_what_failed_and_what_was_improper(monkeypatch):
    golden = load("hs1939")
    refit = batch.refit

    def spoiled(samples, fitted):
        found = refit(samples, fitted)
        if len(samples) > 1:
            found.theta[3], found.minimum[3] = np.nan, np.nan
            found.theta[5] = -found.theta[5]
        return found

    monkeypatch.setattr(batch, "refit", spoiled)
    found = bootstrap(golden.data, golden.model, draws=200)
    assert (found.draws, found.used, found.failed, found.improper) == (200, 196, 2, 2)
    assert "4 draws gave no figures" in found.note
    assert len(found.replicates) == 196
    assert found.tables()["draws"].iloc[0].tolist() == [200, 196, 2, 2, found.alone]

    def lost(samples, fitted):
        found = refit(samples, fitted)
        return found._replace(theta=found.theta * np.nan, minimum=found.minimum * np.nan)

    monkeypatch.setattr(batch, "refit", lost)
    with pytest.raises(EstimationError, match="only 0 gave"):
        bootstrap(golden.data, golden.model, draws=100)


def test_reliability_is_that_of_validity_and_correlations_those_of_the_model():
    golden = load("likert7_sim")
    found = bootstrap(golden.data, golden.scales, draws=100)
    beside = validity(golden.data, golden.scales, model=found.model).table.set_index("dimension")
    wide = found.reliability.pivot_table(index="factor", columns="measure", values="estimate")
    np.testing.assert_allclose(wide["CR"], beside["cr"][wide.index], atol=1e-6)
    np.testing.assert_allclose(wide["AVE"], beside["ave"][wide.index], atol=1e-6)
    for row in found.correlations.itertuples():
        assert row.estimate == pytest.approx(found.model.phi.loc[row.left, row.right], abs=1e-6)
    np.testing.assert_allclose(found.loadings["std"], found.model.loadings["std"], atol=1e-6)
    for table in (found.loadings, found.correlations, found.reliability):
        middle = table.columns[2]
        assert ((table["lower"] < table[middle]) & (table[middle] < table["upper"])).all()


def test_cr_and_ave_are_left_out_where_their_formulas_do_not_hold():
    golden = load("hs1939")
    text = "v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6 + x1\ns =~ x7 + x8 + x9\nx7 ~~ x8"
    assert bootstrap(golden.data, text, draws=60).reliability.empty
    single = bootstrap(golden.data, "v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6\ns =~ x7 + x8 + x9\nx7 ~~ x8", draws=60)
    assert single.reliability["factor"].tolist() == ["v", "v", "t", "t"]


def test_bollen_and_stine_turn_the_answers_so_that_the_model_holds():
    x, _, fitted = _fitted("hs1939")
    turned = confirm_bootstrap._as_the_model_says(x, fitted)
    np.testing.assert_allclose(covariance(turned, divisor="N"), fitted.sigma, atol=1e-10)


def test_bollen_and_stine_reject_what_does_not_fit_and_keep_what_does():
    bad, good = load("hs1939"), load("likert7_sim")
    rejected = bootstrap(bad.data, bad.model, draws=200, kind="bollen-stine")
    assert rejected.chi2_p < 0.01
    kept = bootstrap(good.data, good.model, draws=300, kind="bollen-stine")
    assert kept.chi2_p == pytest.approx(cfa(good.data, good.model).measure("p"), abs=0.12)
    assert kept.chi2 == pytest.approx(good.figures["cfa"]["fit"]["chisq"], rel=1e-6)
    assert "Bollen–Stine" in kept.note
    assert "Bollen–Stine" in repr(kept)
    assert np.isnan(bootstrap(good.data, good.model, draws=50, level=0.9).chi2_p)
    saturated = bootstrap(bad.data, "v =~ x1 + x2 + x3", draws=50, level=0.9, kind="bollen-stine")
    assert np.isnan(saturated.chi2_p)
    assert "nothing to test" in repr(saturated)


def test_bca_ends_are_those_of_scipy():
    rng = np.random.default_rng(4)
    x = rng.exponential(size=60)
    theirs = scipy_bootstrap((x,), np.std, n_resamples=20_000, method="BCa", vectorized=True, random_state=5)
    jackknife = np.array([[np.std(np.delete(x, i))] for i in range(60)])
    replicates = theirs.bootstrap_distribution[:, None]
    ours = resampling.summary(np.array([np.std(x)]), replicates, 0.95, jackknife)
    assert ours["lower"][0] == pytest.approx(theirs.confidence_interval.low, abs=2e-3)
    assert ours["upper"][0] == pytest.approx(theirs.confidence_interval.high, abs=2e-3)
    plain = resampling.summary(np.array([np.std(x)]), replicates, 0.95)
    assert plain["upper"][0] < ours["upper"][0] - 0.01


def test_bca_intervals_of_a_model_are_near_the_percentiles_and_said():
    golden = load("likert7_sim")
    plain, corrected = (
        bootstrap(golden.data, golden.model, draws=300, interval=each) for each in ("percentile", "bca")
    )
    assert "BCa" in corrected.note
    assert not plain.loadings["lower"].equals(corrected.loadings["lower"])
    np.testing.assert_allclose(corrected.loadings["lower"], plain.loadings["lower"], atol=0.03)
    np.testing.assert_array_equal(corrected.loadings["se"], plain.loadings["se"])


@pytest.mark.parametrize("name", NAMES)
def test_htmt_intervals_hold_the_ratios_and_say_what_they_stay_below(name):
    golden = load(name)
    found = htmt_intervals(golden.data, golden.scales, draws=300)
    ratios = dict(zip(("HTMT", "HTMT2"), htmt(golden.data, golden.scales), strict=True))
    for row in found.table.itertuples(index=False):
        assert row.ratio == pytest.approx(ratios[row.index].loc[row.left, row.right], rel=1e-12)
        assert row.lower < row.upper
        assert (row.below_085, row.below_090, row.below_1) == tuple(row.upper < limit for limit in (0.85, 0.9, 1))
    assert (found.draws, found.failed, found.n) == (300, 0, len(golden.answers))
    narrow = htmt_intervals(golden.data, golden.scales, draws=300, level=0.9)
    assert (narrow.table["upper"] < found.table["upper"]).all()


def test_two_scales_of_one_factor_are_not_told_apart():
    answers = load("hs1939").answers.assign(copy=lambda d: d["x4"] + d["x1"] / 5, twin=lambda d: d["x5"] - d["x2"] / 5)
    found = htmt_intervals(answers, {"A": ["x4", "x5"], "B": ["copy", "twin"]}, draws=100)
    assert not found.table[["below_085", "below_090", "below_1"]].to_numpy().any()


def _interrupt(monkeypatch, owner, name: str, after: int) -> None:
    """Let Ctrl-C be pressed in the call number ``after`` of a function."""
    original, calls = getattr(owner, name), iter(range(10**6))

    def call(*arguments, **options):
        if next(calls) == after:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, call)


@pytest.mark.parametrize("kind", ["nonparametric", "bollen-stine"])
def test_an_interrupted_bootstrap_is_that_of_fewer_draws(ctrl_c, monkeypatch, kind):
    golden = load("hs1939")
    whole = bootstrap(golden.data, golden.model, draws=200, kind=kind)
    _interrupt(monkeypatch, batch, "resampled", after=2)
    cut = bootstrap(golden.data, golden.model, draws=1000, kind=kind)
    assert cut.draws == 200
    assert "200 (interrupted; 1000 were asked for) draws" in cut.note
    for name in ("loadings", "correlations", "reliability", "replicates"):
        pd.testing.assert_frame_equal(getattr(cut, name), getattr(whole, name), check_exact=True)
    assert (cut.chi2, cut.used, cut.alone) == (whole.chi2, whole.used, whole.alone)
    assert np.array_equal(cut.chi2_p, whole.chi2_p, equal_nan=True)


def test_interrupted_htmt_intervals_are_those_of_fewer_draws(ctrl_c, monkeypatch):
    golden = load("hs1939")
    whole = htmt_intervals(golden.data, golden.scales, draws=100)
    _interrupt(monkeypatch, batch, "resampled", after=1)
    cut = htmt_intervals(golden.data, golden.scales, draws=1000)
    assert cut.draws == 100
    assert "100 (interrupted; 1000 were asked for) draws" in cut.note
    pd.testing.assert_frame_equal(cut.table, whole.table, check_exact=True)


def test_a_bootstrap_interrupted_before_anything_is_done_stays_interrupted(ctrl_c, monkeypatch):
    golden = load("hs1939")
    _interrupt(monkeypatch, batch, "resampled", after=0)
    with pytest.raises(KeyboardInterrupt):
        bootstrap(golden.data, golden.model)


def test_a_longer_bootstrap_begins_with_the_shorter_one_and_repeats_itself():
    golden = load("hs1939")
    short, long = (bootstrap(golden.data, golden.model, draws=draws).replicates for draws in (100, 300))
    pd.testing.assert_frame_equal(short, long[:100], check_exact=True)
    pd.testing.assert_frame_equal(short, bootstrap(golden.data, golden.model, draws=100).replicates, check_exact=True)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"draws": 20}, "draws .* from 50 on, not 20"),
        ({"draws": 100, "level": 0.99}, "draws .* from 200 on"),
        ({"level": 95}, "level"),
        ({"seed": None}, "seed"),
        ({"kind": "parametric"}, "'parametric'"),
        ({"interval": "normal"}, "'normal'"),
    ],
)
def test_arguments_that_cannot_be_taken_are_refused(options, names):
    golden = load("hs1939")
    with pytest.raises(InputError, match=names):
        bootstrap(golden.data, golden.model, **options)
    if not {"kind", "interval"} & set(options):
        with pytest.raises(InputError, match=names):
            htmt_intervals(golden.data, golden.scales, **options)


def test_one_dimension_has_no_ratio_and_unrelated_items_have_none():
    golden = load("hs1939")
    with pytest.raises(InputError, match="at least two dimensions"):
        htmt_intervals(golden.data, {"A": ["x1", "x2", "x3"]})
    apart = pd.DataFrame(
        {"a": [0, 0, 1, 1] * 20, "b": [0, 1, 0, 1] * 20, "c": [0, 1, 1, 2] * 20, "d": [1, 1, 2, 3] * 20}
    )
    with pytest.raises(InputError, match="dimension 'A' do not correlate"):
        htmt_intervals(apart, {"A": ["a", "b"], "B": ["c", "d"]})


def test_answers_that_nearly_all_are_alike_leave_too_few_ratios():
    rng = np.random.default_rng(1)
    answers = pd.DataFrame(rng.integers(1, 6, (60, 4)), columns=list("abcd")).assign(a=[1, *[2] * 59])
    found = htmt_intervals(answers, {"A": ["a", "b"], "B": ["c", "d"]}, draws=200)
    assert found.failed > 30
    with pytest.raises(EstimationError, match="gave ratios"):
        htmt_intervals(answers, {"A": ["a", "b"], "B": ["c", "d"]}, draws=52)


def test_means_are_not_refitted():
    _, _, fitted = _fitted("hs1939")
    model = ml.Model(9, 3, (*fitted.model.entries, ml.Entry("M", 0, 0, fitted.model.n_parameters)))
    with pytest.raises(EstimationError, match="means"):
        batch.standardized(model, fitted.theta[None])


def test_figures_are_drawn():
    golden = load("likert7_sim")
    found = bootstrap(golden.data, golden.model, draws=60)
    for kind in ("loadings", "correlations", "reliability"):
        assert len(found.plot(kind=kind).get_yticklabels()) == len(getattr(found, kind))
    ratios = htmt_intervals(golden.data, golden.scales, draws=60)
    assert len(ratios.plot().get_yticklabels()) == 10
    shown = [float(text.get_text()) for text in ratios.plot(index="HTMT2", kind="heatmap").texts]
    expected = ratios.table.loc[ratios.table["index"] == "HTMT2", "upper"].round(2)
    assert sorted(shown) == sorted(expected)
    with pytest.raises(InputError, match="Choose"):
        found.plot(kind="phi")
    with pytest.raises(InputError, match="Choose"):
        ratios.plot(index="HTMT3")


@pytest.mark.slow
@given(frames(), st.integers(2, 4))
@settings(deadline=None, derandomize=True, max_examples=8)
def test_whatever_the_answers_a_bootstrap_says_why_not_or_is_finite(frame, size):
    scales, empty = scales_of(frame, size), ("chi2_p", "se", "z", "p", "lower", "upper", "std_se", "std_epc", "model")
    says_why_or_is_finite(lambda: bootstrap(frame, scales, draws=50, level=0.9), may_be_empty=empty)
    says_why_or_is_finite(lambda: htmt_intervals(frame, scales, draws=50, level=0.9))


def test_a_defined_figure_is_that_of_each_resample():
    text = """v =~ x1 + x2 + x3
        t =~ x4 + x5 + x6
        s =~ x7 + x8 + x9
        t ~ a*v
        s ~ b*t + v
        ab := a*b
        twice := 2*ab"""
    data = load("hs1939").data
    found, model = bootstrap(data, text, draws=300), cfa(data, text)
    delta = model.parameters.set_index("left").loc[["ab", "twice"]]
    assert found.defined[["name", "formula"]].to_numpy().tolist() == [["ab", "a*b"], ["twice", "2*ab"]]
    assert found.defined["estimate"].to_numpy() == pytest.approx(delta["estimate"].to_numpy(), rel=1e-9)
    assert found.defined["se"].to_numpy() == pytest.approx(delta["se"].to_numpy(), rel=0.3)
    assert found.replicates["twice"].to_numpy() == pytest.approx(2 * found.replicates["ab"].to_numpy(), rel=1e-12)
    # the first resample by hand
    rows = np.random.default_rng(4711).integers(0, len(data), size=(100, len(data)))[0]
    again = cfa(data.iloc[rows].reset_index(drop=True), text).parameters.set_index("left")
    assert found.replicates["ab"].iloc[0] == pytest.approx(again.loc["ab", "estimate"], rel=1e-5)
    assert "defined" in found.tables()
    rooted = bootstrap(data, text.replace("2*ab", "(ab + 0.01)^0.5"), draws=300)
    assert rooted.improper == (found.replicates["ab"] < -0.01).sum() > 0
    assert bootstrap(data, "v =~ x1 + x2 + x3", draws=50, level=0.9).defined.empty


def test_hopeless_resamples_are_given_up_after_the_first_hundred():
    """Twelve respondents for nine items: nearly every resample is singular or improper."""
    rng = np.random.default_rng(4)
    factors = np.repeat(rng.normal(size=(12, 3)), 3, axis=1)
    data = pd.DataFrame(0.8 * factors + 0.6 * rng.normal(size=(12, 9)), columns=[f"x{i}" for i in range(9)])
    model = {f"F{j}": [f"x{3 * j + i}" for i in range(3)] for j in range(3)}
    cfa(data, model)
    with pytest.raises(EstimationError, match=r"Of 100 resamples only \d gave a solution"):
        bootstrap(data, model, draws=1000)
