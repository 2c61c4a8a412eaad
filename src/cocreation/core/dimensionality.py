"""How many factors: eigenvalues of random data (parallel analysis) and the minimum average partial."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..inputs.options import generator
from .factor import principal_components

__all__ = ["map_criterion", "parallel_eigenvalues"]


def parallel_eigenvalues(n_obs: int, p: int, *, draws: int = 1000, seed: int = 20240) -> Iterator[np.ndarray]:
    """Yield the eigenvalues of random correlation matrices: what pure noise of this size gives.

    Instead of n × p normal numbers a draw, the triangular root of their
    cross-products is drawn (Bartlett 1933), which has the same distribution. With
    no more respondents than items it has n − 1 columns, and so many eigenvalues are
    not zero.

    Parameters
    ----------
    n_obs, p : int
        Respondents, at least two, and items.
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
        rank = min(p, n_obs - 1)
        root = np.tril(rng.standard_normal((size, p, rank)), -1)
        diagonal = np.arange(rank)
        root[:, diagonal, diagonal] = np.sqrt(rng.chisquare(n_obs - 1 - diagonal, size=(size, rank)))
        root /= np.sqrt((root**2).sum(axis=2, keepdims=True))
        yield np.linalg.eigvalsh(root @ root.transpose(0, 2, 1))[:, ::-1]


def map_criterion(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the average squared and fourth-power partial correlation after 0 … p−1 components.

    Velicer (1976) and its revision (Velicer, Eaton & Fava 2000); the number of
    components is where the average is smallest. NaN where a residual variance
    is used up and no partial correlation exists.

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations.

    Returns
    -------
    squared, fourth : array, shape (p,)
        Entry m is the average after m components.
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
