"""Answers with gaps: value, slopes, information and unrestricted moments against the direct formula, row by row."""

import numpy as np
import pandas as pd
import pytest

from cocreation.core.normal import Point, casewise, respondents
from cocreation.core.sem import groups
from cocreation.core.sem.samples import point_at
from cocreation.errors import EstimationError
from cocreation.steps.confirm import cfa


def _answers(n: int, p: int, missing: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) * np.geomspace(0.01, 100, p) + rng.standard_normal((n, 1)) * np.geomspace(
        0.01, 100, p
    )
    x[rng.random((n, p)) < missing] = np.nan
    return x[~np.isnan(x).all(axis=1)]


def _minus_twice_logl(x: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> float:
    total = 0.0
    for row in x:
        o = np.flatnonzero(~np.isnan(row))
        part, d = cov[np.ix_(o, o)], row[o] - mean[o]
        total += len(o) * np.log(2 * np.pi) + np.linalg.slogdet(part)[1] + d @ np.linalg.solve(part, d)
    return total


# from hardly any gap to hardly any answer, so that both sides of the formula are used, and extreme rows
@pytest.mark.parametrize("missing", [0.0, 0.05, 0.4, 0.8])
def test_value_slopes_and_information_are_those_of_the_direct_formula(missing):
    x = _answers(60, 5, missing, 3)
    x[:2] = np.nan
    x[0, 0], x[1] = 0.01, np.geomspace(0.01, 100, 5)
    n, scale, rng = len(x), np.geomspace(0.01, 100, 5), np.random.default_rng(1)
    mean, cov = 0.1 * scale, np.outer(scale, scale) * (np.eye(5) + 0.7)
    i, j = np.tril_indices(5)
    point = point_at(groups.samples(x), mean, cov)
    assert n * point.value + point.data.constant == pytest.approx(_minus_twice_logl(x, mean, cov), rel=1e-12)
    rows = Point(respondents(x)[0], mean, cov)
    assert rows.value == pytest.approx(point.value, rel=1e-12)
    np.testing.assert_allclose(rows.q * np.outer(scale, scale), point.q * np.outer(scale, scale), atol=1e-12)

    def moved(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        change = np.zeros((5, 5))
        change[i, j] = change[j, i] = step[5:]
        return mean + step[:5] * scale, cov + change * np.outer(scale, scale)

    unit = np.concatenate([scale, (scale[i] * scale[j])])
    slope = np.concatenate([-2 * point.b, np.where(i == j, 1, 2) * point.q[i, j]]) * unit
    np.testing.assert_allclose(casewise(x, mean, cov).sum(axis=0) * unit, -n * slope / 2, rtol=1e-9, atol=1e-9)
    away = rng.standard_normal(20)
    size = 1e-5
    up, down = (_minus_twice_logl(x, *moved(sign * size * away)) / n for sign in (1, -1))
    assert slope @ away == pytest.approx((up - down) / (2 * size), rel=1e-6, abs=1e-7)
    ends = [point_at(groups.samples(x), *moved(sign * size * away)) for sign in (1, -1)]
    slopes = [np.concatenate([-2 * e.b, np.where(i == j, 1, 2) * e.q[i, j]]) * unit for e in ends]
    np.testing.assert_allclose(
        2 * (point.observed * np.outer(unit, unit)) @ away, (slopes[0] - slopes[1]) / (2 * size), rtol=1e-5, atol=1e-6
    )
    shift, change = away[:5] * scale, np.zeros((5, 5))
    change[i, j] = change[j, i] = away[5:] * scale[i] * scale[j]
    square = (away * unit) @ point.expected @ (away * unit)
    assert point.squared(shift, change) == pytest.approx(square, rel=1e-10)


@pytest.mark.parametrize("missing", [0.05, 0.5])
def test_unrestricted_moments_have_no_slope_left(missing):
    x = _answers(300, 6, missing, 5)
    found = groups.saturated(groups.samples(x))
    assert found.logl == pytest.approx(-_minus_twice_logl(x, found.mean, found.cov) / 2, rel=1e-12)
    unit = np.sqrt(np.diag(found.cov))
    i, j = np.tril_indices(6)
    slope = casewise(x, found.mean, found.cov).mean(axis=0) * np.concatenate([unit, unit[i] * unit[j]])
    np.testing.assert_allclose(slope, 0, atol=1e-8)


def test_two_items_that_nobody_answered_both_are_refused():
    x = _answers(100, 4, 0, 2)
    x[:50, 0] = x[50:, 1] = np.nan
    with pytest.raises(EstimationError, match="undetermined"):
        groups.saturated(groups.samples(x))


@pytest.mark.parametrize(("missing", "gaps"), [(0.05, "few"), (0.3, "many")])
@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_large_data_are_searched_otherwise_and_end_at_the_same_place(monkeypatch, missing, gaps, estimator):
    """From some size on the search is steered by the information of complete answers, which costs little."""
    rng = np.random.default_rng(11)
    factors = rng.multivariate_normal(np.zeros(2), [[1, 0.5], [0.5, 1]], 400)
    answers = 0.7 * factors[:, [0, 0, 0, 0, 1, 1, 1, 1]] + 0.7 * rng.standard_normal((400, 8))
    frame = pd.DataFrame(answers, columns=list("abcdefgh")).mask(rng.random((400, 8)) < missing)
    model = {"F": list("abcd"), "G": list("efgh")}
    exact = cfa(frame, model, missing="fiml", estimator=estimator)
    used = []
    searched = groups._search_roughly
    monkeypatch.setattr(groups, "_search_roughly", lambda *given: used.append(given[3]) or searched(*given))
    monkeypatch.setattr(groups, "_COSTLY", 0)
    rough = cfa(frame, model, missing="fiml", estimator=estimator)
    assert used
    assert (max(used) > groups._MANY_GAPS) == (gaps == "many")
    for one, other in ((rough.parameters, exact.parameters), (rough.fit, exact.fit)):
        numbers = one.select_dtypes("number").columns
        assert len(numbers)
        np.testing.assert_allclose(one[numbers], other[numbers], rtol=1e-6, atol=2e-7)
