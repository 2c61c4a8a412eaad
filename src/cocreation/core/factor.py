"""Principal components and common factors of a correlation matrix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..errors import EstimationError
from .rotation import align, varimax

__all__ = [
    "Extracted",
    "clusters",
    "extract",
    "maximum_likelihood",
    "minres",
    "most_factors",
    "principal_axis",
    "principal_components",
]

#: uniquenesses are kept above this, as psych and factanal do; an item that reaches it is a Heywood case
LOWEST_UNIQUENESS = 0.005

#: two items that share this much are a cluster of their own beside one other, if the second eigenvalue is no less
_DOUBLET, _SECOND = 0.8, 0.8

#: random starts beside the usual one
_MORE_STARTS = 20

#: evaluations that the usual start may take, a random one, and all of these; searches that creep take any number
_EVALUATIONS, _EACH, _ALL = 2000, 800, 5000
#: as often as that for maximum likelihood, whose lowest minimum is often reached by creeping
_PATIENT = 4


def principal_components(r: np.ndarray, n: int) -> np.ndarray:
    """Return the loadings of the first ``n`` principal components of a correlation matrix.

    Eigenvectors times the root of their eigenvalues, by the symmetric
    eigen-decomposition: exact, where a randomized SVD is right to three or four
    decimals. Columns by falling eigenvalue, each with a positive sum.

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations.
    n : int
        How many components, 1 … p.

    Returns
    -------
    array, shape (p, n)
    """
    values, vectors = np.linalg.eigh(r)
    largest = np.argsort(-values, kind="stable")[:n]
    loadings = vectors[:, largest] * np.sqrt(np.clip(values[largest], 0.0, None))
    return loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)


def clusters(r: np.ndarray, highest: float = 1.0) -> list[np.ndarray]:
    """Return loadings that a single factor of these variables could have: on each cluster, and on the strongest pair.

    Clusters are the components with an eigenvalue above 1, rotated by varimax, each variable with its largest. The
    loadings are the correlations of all with the first component of a cluster, the pair among them.

    Parameters
    ----------
    r : array, shape (k, k)
        Correlations.
    highest : float
        The size that no loading exceeds.

    Returns
    -------
    list of arrays, shape (k,)
        Empty where the variables hang together in one cluster.
    """
    values = np.linalg.eigvalsh(r)
    if len(r) < 3 or values[-2] < _SECOND:
        return []
    count, size = int((values > 1).sum()), np.abs(np.tril(r, -1))
    pair = np.unravel_index(size.argmax(), r.shape)
    if count < 2 and size[pair] < _DOUBLET:
        return []
    groups = [np.array(pair)]
    if count > 1:
        owner = np.abs(varimax(principal_components(r, count), tolerance=1e-3)).argmax(axis=1)
        groups = [*(group for k in range(count) if len(group := np.flatnonzero(owner == k))), *groups]
    found = []
    for group in groups:
        inner = r[np.ix_(group, group)]
        weights = principal_components(inner, 1)[:, 0]
        loadings = r[:, group] @ weights / np.sqrt(weights @ inner @ weights)
        found.append(np.clip(loadings, -highest, highest))
    return found


class Extracted(NamedTuple):
    """Unrotated common factors: loadings (p, k), uniquenesses (p,), minimum of the criterion, Heywood items."""

    loadings: np.ndarray
    uniquenesses: np.ndarray
    minimum: float
    heywood: np.ndarray


def most_factors(p: int) -> int:
    """Return the largest number of common factors with no more parameters than p items have correlations.

    Parameters
    ----------
    p : int
        Items.

    Returns
    -------
    int
    """
    return max((n for n in range(1, p) if (p - n) ** 2 >= p + n), default=0)


def minres(r: np.ndarray, n: int, *, lowest: float = LOWEST_UNIQUENESS) -> Extracted:
    """Return the factors that leave the smallest squared residual correlations (minres, ULS).

    Harman & Jones (1966). Found by Newton steps on the uniquenesses with exact
    second derivatives, which converge to machine precision; from several starts,
    since with more factors than the items hold the criterion has several minima.

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations.
    n : int
        How many factors.
    lowest : float
        Floor of the uniquenesses.

    Returns
    -------
    Extracted
        ``minimum`` is half the sum of the squared residual correlations.

    Raises
    ------
    EstimationError
        If the search does not converge.
    """

    def criterion(psi: np.ndarray):
        values, vectors = np.linalg.eigh(r - np.diag(psi))
        rest, kept = values[:-n], values[-n:]
        a, b = vectors[:, :-n], vectors[:, -n:]
        value = 0.5 * (rest**2).sum()
        gradient = -(a**2) @ rest
        gauss = (a @ a.T) ** 2
        ratio = rest[:, None] / (rest[:, None] - kept[None, :])
        return value, gradient, gauss, gauss + 2 * _pairs(a, b, ratio)

    psi, value = _lowest(criterion, _starts(r, n), lowest)
    values, vectors = np.linalg.eigh(r - np.diag(psi))
    loadings = vectors[:, -n:] * np.sqrt(np.clip(values[-n:], 0.0, None))
    return Extracted(_signed(loadings), psi, value, psi <= lowest * (1 + 1e-9))


def principal_axis(r: np.ndarray, n: int, *, lowest: float = LOWEST_UNIQUENESS) -> Extracted:
    """Return converged principal-axis factors.

    Iterated principal axes end where minres does (both ask that the
    communalities reproduce themselves), so this *is* :func:`minres`.

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations.
    n : int
        How many factors.
    lowest : float
        Floor of the uniquenesses.

    Returns
    -------
    Extracted
        As :func:`minres`.

    Raises
    ------
    EstimationError
        If the search does not converge.
    """
    return minres(r, n, lowest=lowest)


def maximum_likelihood(r: np.ndarray, n: int, *, lowest: float = LOWEST_UNIQUENESS) -> Extracted:
    """Return maximum-likelihood factors (Lawley; Jöreskog 1967), by Newton steps on the log uniquenesses.

    From several starts, as :func:`minres`.

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations, positive definite.
    n : int
        How many factors.
    lowest : float
        Floor of the uniquenesses.

    Returns
    -------
    Extracted
        ``minimum`` is F = ln|Σ| + tr(RΣ⁻¹) − ln|R| − p.

    Raises
    ------
    EstimationError
        If the search does not converge.
    """

    def spectrum(psi: np.ndarray):
        root = np.sqrt(psi)
        return np.linalg.eigh(r / np.outer(root, root))

    def criterion(log_psi: np.ndarray):
        values, vectors = spectrum(np.exp(log_psi))
        rest, kept = np.maximum(values[:-n], 1e-300), values[-n:]
        a, b = vectors[:, :-n], vectors[:, -n:]
        value = (rest - np.log(rest) - 1).sum()
        gradient = (a**2) @ (1 - rest)
        gauss = ((a * rest) @ a.T) * (a @ a.T)
        ratio = (1 - rest)[:, None] * (rest[:, None] + kept[None, :]) / (kept[None, :] - rest[:, None])
        return value, gradient, gauss, gauss + _pairs(a, b, ratio)

    log_psi, value = _lowest(criterion, [np.log(start) for start in _starts(r, n)], np.log(lowest), _PATIENT)
    psi = np.exp(log_psi)
    values, vectors = spectrum(psi)
    loadings = np.sqrt(psi)[:, None] * vectors[:, -n:] * np.sqrt(np.clip(values[-n:] - 1, 0.0, None))
    return Extracted(_signed(loadings), psi, value, psi <= lowest * (1 + 1e-9))


def extract(r: np.ndarray, n: int, method: str, *, lowest: float = LOWEST_UNIQUENESS) -> Extracted:
    """Return common factors by ``method``: "minres", "principal_axis" or "ml"; no uniqueness goes below ``lowest``.

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations.
    n : int
        How many factors.
    method : {"minres", "principal_axis", "ml"}
        The criterion.
    lowest : float
        Floor of the uniquenesses.

    Returns
    -------
    Extracted
        Loadings, shape (p, n), with their uniquenesses.

    Raises
    ------
    EstimationError
        If the search does not converge.
    ValueError
        For another method.
    """
    methods = {"minres": minres, "principal_axis": principal_axis, "ml": maximum_likelihood}
    if method not in methods:
        raise ValueError(f"method is one of {', '.join(methods)}, not {method!r}")
    return methods[method](r, n, lowest=lowest)


def _first_uniquenesses(r: np.ndarray) -> np.ndarray:
    """One minus the squared multiple correlations, the usual start; a half where they do not exist."""
    if np.linalg.eigvalsh(r)[0] < 1e-12:
        return np.full(len(r), 0.5)
    return np.clip(1 / np.diag(np.linalg.inv(r)), 0.05, 0.95)


def _starts(r: np.ndarray, n: int) -> list[np.ndarray]:
    """The usual start, and where there can be other minima – beside more than one factor – a few drawn ones."""
    rng = np.random.default_rng(1)
    return [_first_uniquenesses(r), *(rng.uniform(0.05, 0.95, len(r)) for _ in range(_MORE_STARTS if n > 1 else 0))]


class _Counted:
    """A criterion that refuses when it was asked too often."""

    def __init__(self, criterion, most: int) -> None:
        self._criterion, self._most, self.used = criterion, most, 0

    def __call__(self, x: np.ndarray):
        if self.used >= self._most:
            raise EstimationError(_NO_FACTORS)
        self.used += 1
        return self._criterion(x)


def _lowest(criterion, starts: list[np.ndarray], floor: float, patience: int = 1) -> tuple[np.ndarray, float]:
    """Return the lowest minimum reached; of minima that are equal but for round-off, the first."""
    found: list[tuple[np.ndarray, float]] = []
    left = _ALL * patience
    for number, start in enumerate(starts):
        # the usual start is given the time it needs, the others as long as a good one takes
        most = min(_EACH * patience, left) if number else _EVALUATIONS * patience
        counted = _Counted(criterion, most)
        try:
            found.append(_newton(counted, start, floor, iterations=40 if number else 300))
        except EstimationError:
            continue
        finally:
            left -= counted.used if number else 0
    if not found:
        raise EstimationError(_NO_FACTORS)
    best = min(value for _, value in found)
    return next((x, value) for x, value in found if value <= best + 1e-10)


def _pairs(a: np.ndarray, b: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Σ over residual m and kept n of ratio[m, n]·(a_m∘b_n)(a_m∘b_n)ᵀ."""
    products = (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)
    return (products * ratio.ravel()) @ products.T


def _signed(loadings: np.ndarray) -> np.ndarray:
    order, signs = align(loadings)
    return loadings[:, order] * signs


def _newton(criterion, x: np.ndarray, floor: float, *, iterations: int = 300) -> tuple[np.ndarray, float]:
    """Minimize under x ≥ floor: Newton on the free coordinates, Gauss–Newton where the Hessian is indefinite."""
    value, gradient, gauss, hessian = criterion(x)
    for _ in range(iterations):
        free = ~((x <= floor) & (gradient > 0))
        if not free.any() or np.abs(gradient[free]).max() < 1e-12:
            return x, value
        step = np.zeros_like(x)
        step[free] = _descent(gradient[free], hessian[np.ix_(free, free)], gauss[np.ix_(free, free)])
        slope, size = gradient @ step, 1.0
        while True:
            trial = np.maximum(x + size * np.clip(step, -1, 1), floor)
            result = criterion(trial)
            if result[0] <= value + 1e-4 * size * slope + 1e-15 * (1 + abs(value)):
                break
            size /= 2
            if size < 1e-12:
                if np.abs(gradient[free]).max() < 1e-8:
                    return x, value
                raise EstimationError(_NO_FACTORS)
        x = trial
        value, gradient, gauss, hessian = result
    if np.abs(gradient[~((x <= floor) & (gradient > 0))]).max(initial=0.0) < 1e-8:
        return x, value
    raise EstimationError(_NO_FACTORS)


_NO_FACTORS = (
    "The common factors did not converge: the communalities keep moving. Extract fewer factors, or look for an item "
    "that repeats another."
)


def _descent(gradient: np.ndarray, hessian: np.ndarray, gauss: np.ndarray) -> np.ndarray:
    for matrix in (hessian, gauss):
        try:
            return -cho_solve(cho_factor(matrix), gradient)
        except (LinAlgError, ValueError):
            continue
    return -gradient


def schmid_leiman(pattern: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the loadings on one general factor (p,) and on the group factors made orthogonal to it (p, k).

    The general factor is the minres factor of phi (Schmid & Leiman 1957); with
    two factors their one correlation is shared equally, with one there is no
    group factor left.

    Raises
    ------
    EstimationError
        If the factor correlations have no general factor.
    """
    k = len(phi)
    if k == 1:
        return pattern[:, 0], np.zeros_like(pattern)
    higher = np.full(2, np.sqrt(abs(phi[0, 1]))) if k == 2 else minres(phi, 1).loadings[:, 0]
    if k == 2 and phi[0, 1] < 0:
        higher[1] *= -1
    return pattern @ higher, pattern * np.sqrt(np.clip(1 - higher**2, 0.0, None))
