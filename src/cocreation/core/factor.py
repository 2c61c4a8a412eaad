"""Principal components, common factors and their rotations, from a correlation matrix."""

from __future__ import annotations

import numpy as np

__all__ = ["align", "principal_components", "varimax"]


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
    kaiser : bool
        Give every item unit length while rotating, as SPSS and R do.

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
