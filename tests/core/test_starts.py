"""Factors that could choose among clusters of items: no minimum above the best that many starts find, in any model."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from cocreation.cfa.specify import task_of
from cocreation.core.moments import covariance
from cocreation.core.sem import groups, ml, starts
from cocreation.core.sem.model import Model, start_values
from cocreation.errors import EstimationError
from cocreation.steps.confirm import cfa, nested

SETS = range(24)


def _clusters(seed: int, *, reversed_share: float = 0.0, doublet: bool = False) -> pd.DataFrame:
    """Answers of 1 to 7 to 8 to 20 items of two to five uncorrelated clusters."""
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(250, 501)), int(rng.integers(2, 6))
    p = int(rng.integers(max(8, 2 * k), 21))
    owner = np.sort(np.concatenate([np.repeat(np.arange(k), 2), rng.integers(0, k, p - 2 * k)]))
    loading = rng.uniform(0.4, 0.9, p)
    z = rng.normal(size=(n, k))[:, owner] * loading + rng.normal(size=(n, p)) * np.sqrt(1 - loading**2)
    z *= np.where(rng.random(p) < reversed_share, -1, 1)
    if doublet:
        z[:, 0] = z[:, -1] + 0.25 * rng.normal(size=n)
    return pd.DataFrame(1 + np.digitize(z, np.linspace(-1.8, 1.8, 6)), columns=[f"v{i}" for i in range(p)])


def _lowest_of_random_starts(s: np.ndarray, n: int, model: Model, count: int = 12) -> float:
    rng, best = np.random.default_rng(0), np.inf
    loadings = [(e.row, e.column) for e in model.entries if e.matrix == "A"]
    for _ in range(count):
        pattern = dict(zip(loadings, rng.uniform(-0.95, 0.95, len(loadings)), strict=True))
        try:
            fitted = ml.fit(s, n, model, start=start_values(model, s, None, pattern), iterations=60)
        except EstimationError:
            continue
        best = min(best, fitted.minimum)
    return best


@pytest.mark.parametrize("kind", [{}, {"reversed_share": 0.3}, {"doublet": True}], ids=["plain", "reversed", "doublet"])
def test_no_random_start_finds_a_lower_minimum_of_one_factor(kind):
    higher, single = [], 0
    for seed in SETS:
        data = _clusters(seed, **kind)
        s, n = covariance(data.to_numpy(dtype=float), divisor="N"), len(data)
        model = Model.correlated([range(data.shape[1])])
        found = starts.optima(partial(ml.fit, s, n), model, s).lowest.minimum
        single += ml.fit(s, n, model).minimum > found + 1e-6
        if found > _lowest_of_random_starts(s, n, model) + 1e-6:
            higher.append(seed)
    assert higher == []
    assert single > 0  # or these sets could not tell


def _lowest(s: np.ndarray, n: int, model: Model) -> float:
    return starts.optima(partial(ml.fit, s, n), model, s).lowest.minimum


def test_a_doublet_is_a_start_though_one_eigenvalue_exceeds_1():
    """Two items of .7 that correlate by .95 beside five of .8: eigenvalues 4.5, .8, …"""
    loading = np.array([0.7, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8])
    r = np.outer(loading, loading)
    r[0, 1] = r[1, 0] = 0.95
    np.fill_diagonal(r, 1)
    assert (np.linalg.eigvalsh(r) > 1).sum() == 1
    model = Model.correlated([range(7)], marker=True)
    found = _lowest(r, 300, model)
    assert 300 * found == pytest.approx(403.2164, abs=1e-4)
    assert 300 * ml.fit(r, 300, model).minimum == pytest.approx(458.8139, abs=1e-4)
    assert found <= _lowest_of_random_starts(r, 300, model) + 1e-8


@pytest.mark.parametrize(("seed", "chi2"), [(26, 1025.466), (89, 458.912)])
def test_a_marker_that_measures_nothing_at_the_minimum_does_not_bar_it(seed, chi2):
    """In units of that marker the other loadings grow without end; the same model with a variance of 1 gets there."""
    data = _clusters(seed)
    s, n = covariance(data.to_numpy(dtype=float), divisor="N"), len(data)
    marked, unit = (Model.correlated([range(data.shape[1])], marker=marker) for marker in (True, False))
    assert n * _lowest(s, n, marked) == pytest.approx(chi2, abs=1e-3)
    assert _lowest(s, n, marked) <= _lowest_of_random_starts(s, n, unit) + 1e-8


def test_near_duplicates_across_factors_are_starts_of_both():
    """Where items of two factors share more with each other than with their own, the factors may become these items."""
    single = 0
    for seed in SETS:
        rng = np.random.default_rng(seed)
        loading, owner = rng.uniform(0.4, 0.7, 12), np.repeat(range(3), 4)
        factors = rng.normal(size=(300, 3)) * np.sqrt(0.6) + rng.normal(size=(300, 1)) * np.sqrt(0.4)
        z = factors[:, owner] * loading + rng.normal(size=(300, 12)) * np.sqrt(1 - loading**2)
        z[:, 4] = 0.92 * z[:, 0] + np.sqrt(1 - 0.92**2) * rng.normal(size=300)
        s = covariance(1.0 + np.digitize(z, np.linspace(-1.8, 1.8, 6)), divisor="N")
        groups = [range(4), range(4, 8), range(8, 12)]
        model, unit = Model.correlated(groups, marker=True), Model.correlated(groups)
        found = _lowest(s, 300, model)
        assert found <= _lowest_of_random_starts(s, 300, unit) + 1e-6, seed
        try:
            single += ml.fit(s, 300, model).minimum > found + 1e-6
        except EstimationError:
            single += 1
    assert single > 0  # or these sets could not tell


def test_the_lowest_minimum_is_reported_and_the_lowest_proper_one_is_told():
    """At the lowest minimum the factor is two near-duplicate items, one of which gets a negative variance."""
    data = _clusters(38, doublet=True)
    model = cfa(data, {"F": list(data)})
    told = " ".join(model.warnings["warning"])
    assert model.measure("chi2") == pytest.approx(506.12, abs=0.01)
    assert "chi-square 506.12, is reported, variances being unbounded as in lavaan, but it holds" in told
    assert "The lowest proper one has chi-square 1037.16." in told
    assert "no lower one exists cannot be proved" in model.note


def test_a_minimum_that_semopys_own_search_misses_is_no_disagreement():
    """From the usual start semopy ends at chi-square 164.02, as lavaan does."""
    data = _clusters(5)
    model = cfa(data, {"F": list(data)})
    assert model.measure("chi2") == pytest.approx(148.599, abs=1e-3)
    assert model.agreement < 1e-5
    assert "semopy's search from the usual start ended elsewhere; started at this minimum, semopy stays" in model.note
    assert "which checks the arithmetic" in model.note
    assert model.warnings["warning"].str.contains("above the minimum").sum() == 0


@pytest.mark.parametrize("estimator", ["ML", "MLR", "WLSMV"])
def test_a_model_written_otherwise_ends_at_the_same_minimum(estimator):
    """The marker is the item of a small cluster: a search from the usual start stays there."""
    data = _clusters(5)
    items = list(data)
    ends = [
        cfa(data, {"F": order}, estimator=estimator).measure("chi2")
        for order in (items, items[::-1], [*items[4:], *items[:4]])
    ]
    assert ends == pytest.approx([ends[0]] * 3, rel=1e-6)


def test_no_random_start_finds_a_lower_minimum_of_all_answers():
    data = _clusters(5).astype(float)
    gaps = data.mask(np.random.default_rng(1).random(data.shape) < 0.02)
    found = cfa(gaps, {"F": list(data)}, missing="fiml").estimate
    answers, model, rng = [groups.samples(gaps.to_numpy())], found.specification.model, np.random.default_rng(2)
    moments, least = groups.saturated(answers[0]), np.inf
    for _ in range(15):
        pattern = {(e.row, e.column): rng.uniform(-0.95, 0.95) for e in model.entries if e.matrix == "A"}
        start = start_values(model, moments.cov, moments.mean, pattern)
        try:
            fitted = groups.fit(answers, [model], start=start, unrestricted=[moments], iterations=60)
        except EstimationError:
            continue
        least = min(least, fitted.minimum)
    assert found.fitted.minimum <= least + 1e-7


def test_a_rival_that_merges_dimensions_is_as_low_as_its_own_model():
    data = _clusters(8)
    scales = {"A": list(data)[:3], "B": list(data)[3:6], "C": list(data)[6:]}
    found = nested(data, scales)
    for name, rival in found.models.items():
        if "one factor" in name:
            own = cfa(data, {"F": list(data)})
            assert rival.measure("chi2") == pytest.approx(own.measure("chi2"), rel=1e-8)
            break
    else:
        pytest.fail(f"no rival of one factor among {list(found.models)}")


@pytest.mark.parametrize(
    "text",
    [
        "F =~ v0 + v1 + v2 + v3 + v4 + v5\nv0 ~~ v5",
        "F =~ 1*v0 + 0.8*v1 + v2 + v3 + v4 + v5",
        "F =~ v0 + a*v1 + a*v2 + a*v3 + v4 + v5",
        "F =~ NA*v0 + v1 + v2 + v3 + v4 + v5\nF ~~ 1*F",
        "F =~ v0 + v1 + v2 + v3\nG =~ v4 + v5 + v6\nG ~ F",
        "A =~ v0 + v1 + v2\nB =~ v3 + v4 + v5\nC =~ v6 + v7\nG =~ A + B + C",
        "F =~ v0 + v1 + v2 + v3 + v4\nF ~ v7",
    ],
)
def test_other_models_are_never_fitted_worse_than_from_the_usual_start(text):
    """Correlated residuals, fixed and equal loadings, a fixed variance, a regression, a second order, a covariate."""
    data = _clusters(12).iloc[:, :8]
    task = task_of(data, text)
    s = covariance(task.frame.to_numpy(), divisor="N")
    try:
        usual = ml.fit(s, len(data), task.specification.model).minimum
    except EstimationError:
        usual = np.inf
    try:
        found = cfa(data, text).estimate.fitted.minimum
    except EstimationError:
        found = np.inf
    assert found <= usual + 1e-8
