"""Common factors: the lowest minimum, tables without a unique answer, searches that end."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from cocreation.core import factor
from cocreation.core.moments import correlation


def _two_clusters(first: int, one: float, second: int, other: float, phi: float = 0.0) -> np.ndarray:
    """Correlations of two clusters with one loading each, whose factors correlate by phi."""
    loadings = np.zeros((first + second, 2))
    loadings[:first, 0], loadings[first:, 1] = one, other
    r = loadings @ np.array([[1, phi], [phi, 1]]) @ loadings.T
    np.fill_diagonal(r, 1)
    return r


class TestOneFactor:
    def test_takes_the_cluster_that_leaves_less(self):
        """The usual start ends on the two items, psych's fa too, and leaves fifteen residuals of .25: .9375."""
        found = factor.minres(_two_clusters(2, 0.95, 6, 0.5), 1)
        assert found.minimum == pytest.approx(0.95**4, rel=1e-10)
        assert found.loadings[:, 0] == pytest.approx([0.0] * 2 + [0.5] * 6, abs=1e-8)

    def test_of_maximum_likelihood_leaves_the_larger_determinant(self):
        """The usual start ends on the two items, where the four of .6 leave the smaller determinant."""
        found = factor.maximum_likelihood(_two_clusters(2, 0.8, 4, 0.6), 1)
        assert found.minimum == pytest.approx(-np.log(1 - 0.8**4), rel=1e-10)
        assert found.minimum < -np.log(np.linalg.det(0.36 + 0.64 * np.eye(4))) - 0.05
        assert found.loadings[:, 0] == pytest.approx([0.0] * 2 + [0.6] * 4, abs=1e-6)

    @pytest.mark.parametrize("method", [factor.minres, factor.maximum_likelihood])
    def test_no_random_start_finds_a_lower_minimum(self, method, monkeypatch):
        rng, single = np.random.default_rng(1), 0
        for first, one, second, other, phi in itertools.product((2, 3), (0.7, 0.9), (3, 5), (0.4, 0.6, 0.7), (0, 0.1)):
            r = _two_clusters(first, one, second, other, phi)
            found = method(r, 1).minimum
            drawn, usual = rng.uniform(0.02, 0.98, (20, len(r))), factor._first_uniquenesses(r)
            for starts in (list(drawn), [usual]):
                with monkeypatch.context() as patched:
                    patched.setattr(factor, "_starts", lambda r, n, starts=starts: starts)
                    other_end = method(r, 1).minimum
                assert found <= other_end + 1e-8
                single += len(starts) == 1 and other_end > found + 1e-6
        assert single > 0  # or these tables could not tell


class TestTablesWithoutAUniqueAnswer:
    """Where items correlate alike, a kept and a residual eigenvalue are one: the criterion has no second derivative."""

    @pytest.mark.parametrize("method", [factor.minres, factor.maximum_likelihood])
    @pytest.mark.parametrize(("p", "n"), [(4, 1), (5, 2), (7, 3)])
    @pytest.mark.parametrize("rho", [0.0, 0.3, 0.9])
    def test_items_that_correlate_alike_are_reproduced(self, method, p, n, rho):
        r = np.full((p, p), rho)
        np.fill_diagonal(r, 1)
        with np.errstate(divide="raise", invalid="raise", over="raise"):
            found = method(r, n)
        assert found.minimum == pytest.approx(0, abs=1e-10)
        assert found.loadings @ found.loadings.T + np.diag(found.uniquenesses) == pytest.approx(r, abs=1e-5)

    @pytest.mark.parametrize("size", [2, 3])
    def test_of_blocks_that_are_alike_one_factor_takes_one(self, size):
        r = np.kron(np.eye(2), np.full((size, size), 0.6))
        np.fill_diagonal(r, 1)
        with np.errstate(divide="raise", invalid="raise", over="raise"):
            found = factor.minres(r, 1)
        assert found.minimum == pytest.approx(0.6**2 * size * (size - 1) / 2, rel=1e-8)


class TestMoreFactorsThanTheItemsHold:
    """Five factors of nine items that hold two: searches creep along valleys, and are broken off."""

    @staticmethod
    def _table(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        loading, owner = rng.uniform(0.4, 0.85, 9), np.arange(9) % 2
        z = rng.normal(size=(300, 2))[:, owner] * loading + rng.normal(size=(300, 9)) * np.sqrt(1 - loading**2)
        return correlation(np.digitize(z, [-1.2, -0.4, 0.4, 1.2]).astype(float))

    @pytest.fixture
    def asked(self, monkeypatch) -> list[int]:
        """How often the criterion was evaluated, a number a search for factors."""
        found, lowest = [], factor._lowest

        def counting(criterion, *rest):
            found.append(0)

            def counted(x):
                found[-1] += 1
                return criterion(x)

            return lowest(counted, *rest)

        monkeypatch.setattr(factor, "_lowest", counting)
        return found

    def test_a_search_that_creeps_is_broken_off_and_misses_nothing(self, asked, monkeypatch):
        methods = {12: "minres", 23: "principal_axis"}
        found = [factor.extract(self._table(seed), 5, method).minimum for seed, method in methods.items()]
        assert max(asked) <= 7000
        asked.clear()
        for name in ("_EVALUATIONS", "_EACH", "_ALL"):
            monkeypatch.setattr(factor, name, 10**9)
        patient = [factor.extract(self._table(seed), 5, method).minimum for seed, method in methods.items()]
        assert min(asked) > 7000  # or these tables could not tell
        assert found == pytest.approx(patient, abs=1e-9)

    @pytest.mark.parametrize("n", [5, 6])
    def test_no_table_takes_more(self, n, asked):
        for seed in range(20):
            rng = np.random.default_rng(seed)
            r = correlation(rng.integers(1, 6, (int(rng.integers(100, 301)), 9)).astype(float))
            assert factor.minres(r, n).minimum >= 0
        assert len(asked) == 20
        assert max(asked) <= 7000
