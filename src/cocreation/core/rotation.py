"""Rotations of loadings, orthogonal and oblique, and the order and signs that make them comparable."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..errors import EstimationError
from .ties import without_noise

__all__ = ["Oblique", "align", "oblimin", "promax", "varimax"]


def align(loadings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order and the signs that make loadings comparable between programs.

    Columns by falling sum of squares, each with a positive sum. Apply as
    ``loadings[:, order] * signs`` – and to phi alike, or the factor
    correlations belong to other columns.

    Parameters
    ----------
    loadings : array, shape (p, k)
        Rotated loadings.

    Returns
    -------
    order : integer array, shape (k,)
    signs : array of ±1, shape (k,), for the ordered columns
    """
    order = np.argsort(-without_noise((loadings**2).sum(axis=0)), kind="stable")
    signs = np.where(loadings[:, order].sum(axis=0) < 0, -1.0, 1.0)
    return order, signs


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
    order = np.argsort(-without_noise(explained), kind="stable")
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

    Returns
    -------
    Oblique
        Pattern, shape (p, k), and factor correlations, shape (k, k).

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

    Returns
    -------
    Oblique
        Pattern, shape (p, k), and factor correlations, shape (k, k).

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
