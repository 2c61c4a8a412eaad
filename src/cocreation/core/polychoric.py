"""Polychoric correlations: what ordered answers say about the continuous responses behind them.

Each item is taken as a standard normal response cut at thresholds. The thresholds
come from the item's own proportions, then each correlation from the two items'
table by maximum likelihood with the thresholds held fixed (Olsson 1979, two steps).
The sampling covariance of all of them follows from how each respondent moves
them (Muthén 1984); all respondents of one cell move a correlation alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, owens_t

from ..errors import EstimationError
from .threads import one_thread

__all__ = ["Ordinal", "bivariate_normal", "pair_log_likelihood", "polychoric"]

#: stands for infinity: no probability is left beyond, and products stay finite
FAR = 40.0
#: no cell is taken as less likely, so that a rounding error is no answer
LEAST = 1e-15
#: differences of the distribution at a cell's corners have four digits down to here: what is less is not told apart
TOLD_APART = 1e-12


class Ordinal(NamedTuple):
    """Thresholds and polychoric correlations with their sampling covariance.

    ``thresholds`` holds an array an item, ``correlations`` has shape (p, p). ``pairs`` are the
    row and column numbers of the m correlations below the diagonal. ``covariance``, shape
    (t + m, t + m), is that of all t thresholds, item by item, and then of the correlations.
    """

    thresholds: list[np.ndarray]
    correlations: np.ndarray
    pairs: tuple[np.ndarray, np.ndarray]
    covariance: np.ndarray


def bivariate_normal(h: np.ndarray, k: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """Return P(X ≤ h, Y ≤ k) of standard normal variables that correlate rho, -1 < rho < 1 (Owen 1956).

    Right to fifteen decimals, near ±1 too.

    Parameters
    ----------
    h, k : array
        Upper limits.
    rho : array
        Correlations; all three of shapes that broadcast.

    Returns
    -------
    array of the common shape
        Probabilities.

    Examples
    --------
    >>> round(float(bivariate_normal(np.array(0.0), np.array(0.0), np.array(0.5))), 12)
    0.333333333333
    """
    h, k = (np.where(np.abs(x) < 1e-300, 1e-300, x) for x in (h, k))  # the limit, without dividing by zero
    root = np.sqrt((1 - rho) * (1 + rho))
    wedges = owens_t(h, (k / h - rho) / root) + owens_t(k, (h / k - rho) / root)
    return (ndtr(h) + ndtr(k)) / 2 - wedges - 0.5 * (np.signbit(h) != np.signbit(k))


def _density(x: np.ndarray) -> np.ndarray:
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def polychoric(codes: np.ndarray, names: Sequence[str] | None = None) -> Ordinal:
    """Return the thresholds of all items and the polychoric correlations of all pairs.

    Parameters
    ----------
    codes : array of int, shape (n, p)
        Complete answers; each item's categories numbered 0, 1, … without gaps, at least two.
    names : sequence of str, optional
        The items' names, for messages.

    Returns
    -------
    Ordinal

    Raises
    ------
    EstimationError
        If no respondent contradicts a perfect correlation of two items: then every
        correlation near ±1 fits their table alike, and none is the estimate. If the cells of
        two items that were chosen say nothing of their correlation: then it has no standard error.

    Notes
    -----
    As lavaan: in a table of 2 × 2 with one empty cell half a respondent is moved into
    it, margins kept; larger tables are taken as they are. (lavaan stops at ±.999.) In the sampling covariance,
    derivatives are sums of products of scores over the respondents, not expected ones.

    Examples
    --------
    >>> codes = np.array([[0, 0], [0, 1], [1, 1], [1, 0], [2, 1], [2, 1]])
    >>> polychoric(codes).correlations.round(3)
    array([[1.   , 0.618],
           [0.618, 1.   ]])
    """
    n, p = codes.shape
    names = [str(i) for i in range(p)] if names is None else names
    levels = codes.max(axis=0) + 1
    most = int(levels.max())
    hot = (codes[:, :, None] == np.arange(most)).astype(float)
    below = np.concatenate([np.zeros((p, 1)), hot.mean(axis=0).cumsum(axis=1)], axis=1)
    inner = np.arange(most + 1) < levels[:, None]
    inner[:, 0] = False
    # items with fewer categories than others have empty ones beyond the last
    cut = np.where(np.arange(most + 1) > 0, FAR, -FAR) * np.ones((p, 1))
    cut[inner] = ndtri(below[inner])
    row, column = np.tril_indices(p, -1)
    with one_thread():
        flat = hot.reshape(n, -1)
        tables = (flat.T @ flat).reshape(p, most, p, most)[row, :, column, :]
        h, k = cut[row][:, :, None], cut[column][:, None, :]
        filled = _without_empty(tables, levels[row] * levels[column] == 4)
        _refuse_perfect(filled / n, below[row][:, :, None], below[column][:, None, :], row, column, names)
        rho = _correlations(filled, h, k)
        r = np.eye(p)
        r[row, column] = r[column, row] = rho
        # how a respondent of each category moves the item's thresholds, shape (p, K − 1, K)
        beyond = np.arange(most) < np.arange(1, most)[:, None]
        steepness = np.where(inner, _density(cut) * n, np.inf)[:, 1:-1, None]
        moves = (beyond - below[:, 1:-1, None]) / steepness
        of_cell = _influence(tables, h, k, rho, moves[row], moves[column])
        if not (known := np.isfinite(of_cell).all(axis=(1, 2))).all():
            first, second = names[column[~known][0]], names[row[~known][0]]
            raise EstimationError(
                f"The few answers to items '{first}' and '{second}' leave unknown how sure their polychoric "
                "correlation is. Collect more answers, leave one of the items out, or merge rare categories."
            )
        influence = [moves[i, : levels[i] - 1, codes[:, i]] for i in range(p)]
        influence = np.hstack([*influence, of_cell[np.arange(len(row)), codes[:, row], codes[:, column]]])
        covariance = influence.T @ influence
    return Ordinal([cut[i, inner[i]] for i in range(p)], r, (row, column), covariance)


def pair_log_likelihood(codes: np.ndarray, rho: float) -> float:
    """Return the log-likelihood of two items' table at a correlation, thresholds from the items' own proportions.

    Parameters
    ----------
    codes : integer array, shape (n, 2)
        Category numbers from 0 on, every one used.
    rho : float
        Any correlation between −1 and 1: the polychoric one is where this is largest.

    Returns
    -------
    float
        No cell counts as less likely than 1e-12, which is to the good of a correlation far off.

    Examples
    --------
    >>> codes = np.array([[0, 0], [0, 1], [1, 1], [1, 0], [2, 1], [2, 1]])
    >>> best = polychoric(codes).correlations[0, 1]
    >>> pair_log_likelihood(codes, best) > max(pair_log_likelihood(codes, r) for r in (best - 1e-3, best + 1e-3))
    True
    """
    table = np.zeros(codes.max(axis=0) + 1)
    np.add.at(table, tuple(codes.T), 1.0)
    h, k = (np.array([-FAR, *ndtri(table.sum(axis=1 - i).cumsum()[:-1] / len(codes)), FAR]) for i in (0, 1))
    if table.size == 4:
        table = _without_empty(table[None], np.array([True]))[0]
    cells = _cells(bivariate_normal(h[None, :, None], k[None, None, :], np.asarray(rho)))[0]
    return float((table * np.log(np.maximum(cells, TOLD_APART))).sum())


def _without_empty(tables: np.ndarray, small: np.ndarray) -> np.ndarray:
    """Move half a respondent into the empty cell of each table of 2 × 2 (``small``), margins kept."""
    empty = tables[:, :2, :2] == 0
    small = small & (empty.sum(axis=(1, 2)) == 1)
    shift = 0.5 * small * np.where(empty[:, 0, 0] | empty[:, 1, 1], 1.0, -1.0)
    filled = tables.copy()
    filled[:, :2, :2] += shift[:, None, None] * np.array([[1.0, -1.0], [-1.0, 1.0]])
    return filled


def _refuse_perfect(shares, below_row, below_column, row, column, names) -> None:
    """Raise where a table is the one that a correlation of 1 or −1 makes of its margins."""
    for sign, corners in (
        ("+1", np.minimum(below_row, below_column)),
        ("−1", np.maximum(below_row + below_column - 1, 0)),
    ):
        perfect = np.flatnonzero(np.abs(_cells(corners) - shares).max(axis=(1, 2)) < 1e-9)
        if len(perfect):
            first, second = names[row[perfect[0]]], names[column[perfect[0]]]
            raise EstimationError(
                f"No respondent contradicts a perfect correlation ({sign}) of items '{second}' and '{first}', so their "
                "polychoric correlation does not exist. Leave one of them out, or merge rare categories."
            )


def _cells(corners: np.ndarray) -> np.ndarray:
    """From a function at the cells' corners, shape (pairs, K + 1, K + 1), to its rise over the cells."""
    return np.diff(np.diff(corners, axis=1), axis=2)


def _correlations(tables: np.ndarray, h: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Newton's steps in all pairs at once, each kept within the bracket that the sign of its slope leaves."""
    rho, low, high = np.zeros(len(tables)), -np.ones(len(tables)), np.ones(len(tables))
    going = np.arange(len(tables))
    for _ in range(100):
        now = rho[going]
        at, first, second = now[:, None, None], h[going], k[going]
        left = (1 - at) * (1 + at)
        square = first**2 - 2 * at * first * second + second**2
        density = np.exp(-square / (2 * left)) / (2 * np.pi * np.sqrt(left))
        p = np.maximum(_cells(bivariate_normal(first, second, at)), LEAST)
        # the normal distribution's slope by rho is its density: no integral in the derivatives
        score = _cells(density) / p
        bend = _cells(density * ((at + first * second) / left - at * square / left**2)) / p - score**2
        slope, curve = ((tables[going] * x).sum(axis=(1, 2)) for x in (score, bend))
        low[going], high[going] = np.where(slope > 0, now, low[going]), np.where(slope > 0, high[going], now)
        step = now - slope / np.where(curve < 0, curve, np.inf)
        inside = (curve < 0) & (step > low[going]) & (step < high[going])
        rho[going] = np.where(inside | (slope == 0), step, (low[going] + high[going]) / 2)
        going = going[np.abs(rho[going] - now) > 1e-11]
        if not len(going):
            return rho
    raise EstimationError("A polychoric correlation did not converge in 100 steps. Merge rare categories.")


def _influence(tables, h, k, rho, moves_row, moves_column) -> np.ndarray:
    """Return by how much one respondent in a cell moves the correlation, shape (pairs, K, K).

    By the score of the cell, less what the thresholds' moves take of it. NaN where no cell that was
    chosen says anything of the correlation.
    """
    rho = rho[:, None, None]
    root = np.sqrt((1 - rho) * (1 + rho))
    p = np.maximum(_cells(bivariate_normal(h, k, rho)), LEAST)
    density = np.exp(-(h**2 - 2 * rho * h * k + k**2) / (2 * root**2)) / (2 * np.pi * root)
    score = _cells(density) / p
    weighted = tables * score / p

    def crossed(own, other, weighted):
        """Sum over respondents of the products of the scores by rho and by the rows' thresholds, (pairs, K − 1)."""
        inside = own[:, 1:-1]
        slope = _density(inside) * np.diff(ndtr((other - rho * inside) / root), axis=2)
        return (slope * (weighted[:, :-1] - weighted[:, 1:])).sum(axis=2)

    by_row = np.einsum("mt,mtc->mc", crossed(h, k, weighted), moves_row)
    turned = (x.transpose(0, 2, 1) for x in (k, h, weighted))
    by_column = np.einsum("mt,mtc->mc", crossed(*turned), moves_column)
    information, respondents = ((tables * x).sum(axis=(1, 2))[:, None, None] for x in (score**2, 1.0))
    information = np.where(information > 1e-12 * respondents, information, np.nan)
    return (score - by_row[:, :, None] - by_column[:, None, :]) / information
