"""Principal components, common factors and their rotations, from a correlation matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from .._input import generator
from ..errors import EstimationError

__all__ = [
    "Extracted",
    "Oblique",
    "align",
    "extract",
    "map_criterion",
    "maximum_likelihood",
    "minres",
    "most_factors",
    "oblimin",
    "parallel_eigenvalues",
    "principal_axis",
    "principal_components",
    "promax",
    "schmid_leiman",
    "varimax",
]

#: uniquenesses are kept above this, as psych and factanal do; an item that reaches it is a Heywood case
LOWEST_UNIQUENESS = 0.005

#: random starts beside the usual one
_MORE_STARTS = 20


def align(loadings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order and the signs that make loadings comparable between programs.

    Columns by falling sum of squares, each with a positive sum. Apply as
    ``loadings[:, order] * signs`` – and to phi alike, or the factor
    correlations belong to other columns.

    Returns
    -------
    order : integer array, shape (k,)
    signs : array of ±1, shape (k,), for the ordered columns
    """
    order = np.argsort(-(loadings**2).sum(axis=0), kind="stable")
    signs = np.where(loadings[:, order].sum(axis=0) < 0, -1.0, 1.0)
    return order, signs


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
    largest = np.argsort(values)[::-1][:n]
    loadings = vectors[:, largest] * np.sqrt(np.clip(values[largest], 0.0, None))
    return loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)


def varimax(loadings: np.ndarray, *, kaiser: bool = True, tolerance: float = 1e-12) -> np.ndarray:
    """Return varimax-rotated loadings, columns sorted by sum of squares with positive sums.

    Pairs of columns are turned in their plane by the angle that maximizes the
    criterion there (Kaiser 1958) until no angle exceeds ``tolerance``.

    Parameters
    ----------
    loadings : array, shape (p, k)
        Unrotated loadings.
    kaiser : bool
        Give every item unit length while rotating, as SPSS and R do.
    tolerance : float
        The largest angle (radians) left over.

    Returns
    -------
    array, shape (p, k)
    """
    x = np.array(loadings, dtype=float)
    p, k = x.shape
    if k > 1:
        length = np.sqrt((x**2).sum(axis=1))
        length[length == 0] = 1.0
        if kaiser:
            x /= length[:, None]
        for _ in range(1000):
            widest = 0.0
            for i in range(k - 1):
                for j in range(i + 1, k):
                    angle = _plane_angle(x[:, i], x[:, j], p)
                    if abs(angle) > tolerance:
                        c, s = np.cos(angle), np.sin(angle)
                        x[:, i], x[:, j] = c * x[:, i] + s * x[:, j], c * x[:, j] - s * x[:, i]
                    widest = max(widest, abs(angle))
            if widest <= tolerance:
                break
        if kaiser:
            x *= length[:, None]
    order, signs = align(x)
    return x[:, order] * signs


def _plane_angle(a: np.ndarray, b: np.ndarray, p: int) -> float:
    u, v = a * a - b * b, 2 * a * b
    su, sv = u.sum(), v.sum()
    return 0.25 * np.arctan2(2 * (u @ v) - 2 * su * sv / p, u @ u - v @ v - (su * su - sv * sv) / p)


class Extracted(NamedTuple):
    """Unrotated common factors: loadings (p, k), uniquenesses (p,), minimum of the criterion, Heywood items."""

    loadings: np.ndarray
    uniquenesses: np.ndarray
    minimum: float
    heywood: np.ndarray


def most_factors(p: int) -> int:
    """Return the largest number of common factors with no more parameters than p items have correlations."""
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

    log_psi, value = _lowest(criterion, [np.log(start) for start in _starts(r, n)], np.log(lowest))
    psi = np.exp(log_psi)
    values, vectors = spectrum(psi)
    loadings = np.sqrt(psi)[:, None] * vectors[:, -n:] * np.sqrt(np.clip(values[-n:] - 1, 0.0, None))
    return Extracted(_signed(loadings), psi, value, psi <= lowest * (1 + 1e-9))


def extract(r: np.ndarray, n: int, method: str, *, lowest: float = LOWEST_UNIQUENESS) -> Extracted:
    """Return common factors by ``method``: "minres", "principal_axis" or "ml"; no uniqueness goes below ``lowest``.

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
    """One minus the squared multiple correlations, the usual start."""
    try:
        return np.clip(1 / np.diag(np.linalg.inv(r)), 0.05, 0.95)
    except LinAlgError:
        return np.full(len(r), 0.5)


def _starts(r: np.ndarray, n: int) -> list[np.ndarray]:
    """The usual start, and where there can be other minima – beside more than one factor – a few drawn ones."""
    rng = np.random.default_rng(1)
    return [_first_uniquenesses(r), *(rng.uniform(0.05, 0.95, len(r)) for _ in range(_MORE_STARTS if n > 1 else 0))]


def _lowest(criterion, starts: list[np.ndarray], floor: float) -> tuple[np.ndarray, float]:
    """Return the lowest minimum reached; of minima that are equal but for round-off, the first."""
    found: list[tuple[np.ndarray, float]] = []
    for number, start in enumerate(starts):
        try:
            # the usual start is given all the time it needs, the others as long as a good one takes
            found.append(_newton(criterion, start, floor, iterations=40 if number else 300))
        except EstimationError:
            continue
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


class Oblique(NamedTuple):
    """Rotated oblique factors: pattern (p, k) and factor correlations phi (k, k), columns of both in one order."""

    pattern: np.ndarray
    phi: np.ndarray
    criterion: float

    @property
    def structure(self) -> np.ndarray:
        """Correlations of the items with the factors."""
        return self.pattern @ self.phi

    @property
    def communalities(self) -> np.ndarray:
        """Variance that the factors explain together, phi included."""
        return ((self.pattern @ self.phi) * self.pattern).sum(axis=1)


def _arranged(pattern: np.ndarray, phi: np.ndarray, criterion: float) -> Oblique:
    """Order columns by the variance they explain, phi reordered and reflected with them."""
    explained = np.diag(phi @ pattern.T @ pattern)
    order = np.argsort(-explained, kind="stable")
    signs = np.where(pattern[:, order].sum(axis=0) < 0, -1.0, 1.0)
    phi = phi[np.ix_(order, order)] * np.outer(signs, signs)
    np.fill_diagonal(phi, 1.0)
    return Oblique(pattern[:, order] * signs, phi, criterion)


def oblimin(loadings: np.ndarray, *, kaiser: bool = True, starts: int = 8, seed: int = 1) -> Oblique:
    """Return direct-oblimin (delta 0, quartimin) rotated loadings.

    Gradient projection (Jennrich 2002) from the unrotated loadings and from
    ``starts`` random rotations; the lowest criterion is kept and polished.

    Parameters
    ----------
    loadings : array, shape (p, k)
        Unrotated loadings.
    kaiser : bool
        Give every item unit length while rotating, as SPSS does; GPArotation and
        psych do not.
    starts, seed : int
        Random starts and the seed they are drawn with.

    Raises
    ------
    EstimationError
        If no start converges.
    """
    k = loadings.shape[1]
    if k == 1:
        order, signs = align(loadings)
        return Oblique(loadings[:, order] * signs, np.ones((1, 1)), 0.0)
    length = np.sqrt((loadings**2).sum(axis=1))
    length[length == 0] = 1.0
    a = loadings / length[:, None] if kaiser else loadings
    rng = np.random.default_rng(seed)
    turns = [np.eye(k)] + [np.linalg.qr(rng.standard_normal((k, k)))[0] for _ in range(starts)]
    found = min((_project(a, turn, 1e-4, 300) for turn in turns), key=lambda solution: round(solution[0], 9))
    value, turn, left = _project(a, found[1], 1e-9, 20000)
    if not left < 1e-6:
        raise EstimationError("The oblique rotation did not converge. Extract fewer factors or rotate by varimax.")
    pattern = a @ np.linalg.inv(turn).T
    if kaiser:
        pattern = pattern * length[:, None]
    return _arranged(pattern, turn.T @ turn, value)


def _quartimin(pattern: np.ndarray) -> tuple[float, np.ndarray]:
    squares = pattern**2
    others = squares.sum(axis=1, keepdims=True) - squares
    return float((squares * others).sum() / 4), pattern * others


def _project(a: np.ndarray, turn: np.ndarray, tolerance: float, iterations: int) -> tuple[float, np.ndarray, float]:
    """Minimize quartimin over matrices with unit columns; return criterion, matrix, size of the gradient left."""
    inverse = np.linalg.inv(turn)
    pattern = a @ inverse.T
    value, slope = _quartimin(pattern)
    step, left, smallest, waited = 1.0, np.inf, np.inf, 0
    for _ in range(iterations):
        gradient = -(pattern.T @ slope @ inverse).T
        tangent = gradient - turn * (turn * gradient).sum(axis=0)
        left = float(np.sqrt((tangent**2).sum()))
        # round-off, not the criterion, decides once the gradient has stopped shrinking
        smallest, waited = (left, 0) if left < smallest else (smallest, waited + 1)
        if left < tolerance or (waited > 50 and left < 1e-7):
            break
        step *= 2
        while step > 1e-14:
            trial = turn - step * tangent
            trial = trial / np.sqrt((trial**2).sum(axis=0))
            inverse = np.linalg.inv(trial)
            pattern = a @ inverse.T
            new, slope = _quartimin(pattern)
            if new <= value - 0.5 * step * left**2 + 1e-17:
                break
            step /= 2
        else:
            break
        turn, value = trial, new
    return value, turn, left


def promax(loadings: np.ndarray, *, power: int = 4, kaiser: bool = True) -> Oblique:
    """Return promax-rotated loadings (Hendrickson & White 1964): varimax, then towards its own powers.

    Parameters
    ----------
    loadings : array, shape (p, k)
        Unrotated loadings.
    power : int
        The exponent of the target.
    kaiser : bool
        Give every item unit length while rotating.

    Notes
    -----
    As psych's: the varimax it begins with is that of R, which stops before its end. Run to the end the
    loadings differ by up to 1e-3; the target is a makeshift either way.
    """
    k = loadings.shape[1]
    if k == 1:
        return oblimin(loadings)
    length = np.sqrt((loadings**2).sum(axis=1))
    length[length == 0] = 1.0
    a = loadings / length[:, None] if kaiser else loadings
    x = _varimax_of_r(a)
    transform = np.linalg.lstsq(x, x * np.abs(x) ** (power - 1), rcond=None)[0]
    transform = transform * np.sqrt(np.diag(np.linalg.inv(transform.T @ transform)))
    pattern = x @ transform
    inverse = np.linalg.inv(transform)
    if kaiser:
        pattern = pattern * length[:, None]
    return _arranged(pattern, inverse @ inverse.T, float("nan"))


def _varimax_of_r(x: np.ndarray) -> np.ndarray:
    """Return varimax-rotated loadings where R stops: once the criterion grows by less than 1e-5 of itself."""
    turn, before = np.eye(x.shape[1]), 0.0
    for _ in range(1000):
        z = x @ turn
        left, size, right = np.linalg.svd(x.T @ (z**3 - z * (z**2).mean(axis=0)))
        turn = left @ right
        if size.sum() < before * (1 + 1e-5):
            break
        before = size.sum()
    return x @ turn


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


def parallel_eigenvalues(n_obs: int, p: int, *, draws: int = 1000, seed: int = 20240) -> Iterator[np.ndarray]:
    """Yield the eigenvalues of random correlation matrices: what pure noise of this size gives.

    Instead of n × p normal numbers a draw, the triangular root of their
    cross-products is drawn (Bartlett 1933), which has the same distribution.

    Parameters
    ----------
    n_obs, p : int
        Respondents and items, ``n_obs`` > ``p``.
    draws, seed : int
        How many matrices, and the seed they are drawn with.

    Yields
    ------
    array, shape (up to 1000 draws, p), each row falling
        The more items, the fewer draws a piece; the pieces do not depend on how many are asked for.
    """
    rng = generator(seed)
    piece = max(1, min(1000, 2_500_000 // p**2))
    for first in range(0, draws, piece):
        size = min(piece, draws - first)
        root = np.tril(rng.standard_normal((size, p, p)), -1)
        diagonal = np.arange(p)
        root[:, diagonal, diagonal] = np.sqrt(rng.chisquare(n_obs - 1 - diagonal, size=(size, p)))
        root /= np.sqrt((root**2).sum(axis=2, keepdims=True))
        yield np.linalg.eigvalsh(root @ root.transpose(0, 2, 1))[:, ::-1]


def map_criterion(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the average squared and fourth-power partial correlation after 0 … p−1 components.

    Velicer (1976) and its revision (Velicer, Eaton & Fava 2000); the number of
    components is where the average is smallest. NaN where a residual variance
    is used up and no partial correlation exists.
    """
    p = len(r)
    off = ~np.eye(p, dtype=bool)
    squared, fourth = np.full(p, np.nan), np.full(p, np.nan)
    loadings = principal_components(r, p)
    for m in range(p):
        rest = r - loadings[:, :m] @ loadings[:, :m].T
        variance = np.diag(rest)
        if (variance < 1e-12).any():
            continue
        partial = (rest / np.sqrt(np.outer(variance, variance)))[off]
        squared[m], fourth[m] = (partial**2).mean(), (partial**4).mean()
    return squared, fourth
