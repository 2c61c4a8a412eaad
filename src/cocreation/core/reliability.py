"""Coefficient alpha and the item statistics that go with it, from a complete data matrix."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import fdtri, ndtr, stdtrit

from .factor import principal_components
from .moments import covariance, to_correlation
from .polychoric import bivariate_normal

__all__ = [
    "ItemStatistics",
    "against_the_rest",
    "alpha_from_covariance",
    "alpha_interval",
    "categorical_omega",
    "composite",
    "heterotrait",
    "item_statistics",
    "lambda6",
    "orientation",
    "overlap_corrected",
    "squared_multiple",
    "standardized_alpha",
]


def alpha_from_covariance(s: np.ndarray) -> float:
    """Return coefficient alpha k/(k−1)·(1 − Σ s_ii / ΣΣ s_ij) (Cronbach 1951).

    Parameters
    ----------
    s : array, shape (k, k)
        Covariances of the items, k at least 2.

    Returns
    -------
    float
    """
    k = len(s)
    return float(k / (k - 1) * (1 - np.trace(s) / s.sum()))


def alpha_interval(alpha: float, n_obs: int, k: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return the confidence limits of alpha (Feldt, Woodruff & Salih 1987).

    Parameters
    ----------
    alpha : float
        The estimate.
    n_obs, k : int
        Respondents and items.
    level : float
        Confidence.

    Returns
    -------
    lower, upper : float
    """
    tail = (1 - level) / 2
    first, second = n_obs - 1, (n_obs - 1) * (k - 1)
    lower = 1 - (1 - alpha) * fdtri(first, second, 1 - tail)
    return float(lower), float(1 - (1 - alpha) * fdtri(first, second, tail))


class ItemStatistics(NamedTuple):
    """One value an item: corrected item–total correlation, alpha without it (NaN with two items)."""

    citc: np.ndarray
    alpha_if_deleted: np.ndarray


def item_statistics(x: np.ndarray) -> ItemStatistics:
    """Return each item's correlation with the sum of the others, and alpha without the item.

    NaN where the sum of the others does not vary.

    Parameters
    ----------
    x : array, shape (n, k)
        Complete answers.

    Returns
    -------
    ItemStatistics
        Two arrays of shape (k,).
    """
    s = covariance(x)
    k = len(s)
    citc, without = np.full(k, np.nan), np.full(k, np.nan)
    for i in range(k):
        others = np.delete(np.arange(k), i)
        # summed over the others themselves: taking the item off the total would drown them in a large item's rounding
        rest = s[np.ix_(others, others)]
        if rest.sum() > 1e-12 * np.trace(rest):
            citc[i] = s[i, others].sum() / np.sqrt(s[i, i] * rest.sum())
            if k > 2:
                without[i] = alpha_from_covariance(rest)
    return ItemStatistics(np.clip(citc, -1, 1), without)


def orientation(r: np.ndarray) -> np.ndarray:
    """Return −1 for each item that loads negatively on the first principal component, 1 for the others.

    The component is turned so that its loadings sum to more than zero, as psych's ``alpha`` and ``omega`` have it;
    where they sum to zero, so that the first item's is positive.

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations.

    Returns
    -------
    array, shape (p,)
    """
    first = principal_components(r, 1)[:, 0]
    # a sum of zero has the sign of its rounding
    undecided = abs(first.sum()) < 1e-9 * np.abs(first).sum()
    first = -first if undecided and first[0] < 0 else first
    return np.where(first < 0, -1.0, 1.0)


def against_the_rest(r: np.ndarray, n_obs: int) -> np.ndarray:
    """Return which items go against the others of their scale, by more than chance makes an unrelated item do.

    Every item is held against the sum of the others, each turned as it loads on the first principal component. It goes
    against them if the correlation is below −.30; with fewer than 30 respondents, where chance reaches that, below what
    is significant at 5 %, with more than 60 below what is at 1 %, both one-tailed. Where such items are the more, the
    others are those that go against.

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations of the items of one scale.
    n_obs : int
        Respondents.

    Returns
    -------
    array of bool, shape (p,)
    """
    signs = orientation(r)
    if n_obs < 3 or (r >= 0).all():
        return np.zeros(len(r), dtype=bool)
    turned = r * np.outer(signs, signs)
    with_others = turned.sum(axis=0) - 1
    spread = np.sqrt(np.clip(turned.sum() - 2 * with_others - 1, 1e-12, None))
    t = stdtrit(n_obs - 2, [0.95, 0.99])
    least, most = t / np.sqrt(n_obs - 2 + t**2)
    clear = with_others / spread > np.clip(0.30, least, most)
    against = clear & (signs < 0)
    return clear & (signs > 0) if 2 * against.sum() > clear.sum() else against


def standardized_alpha(s: np.ndarray) -> float:
    """Return alpha of the standardized items.

    Parameters
    ----------
    s : array, shape (k, k)
        Covariances of the items, k at least 2.

    Returns
    -------
    float
    """
    return alpha_from_covariance(to_correlation(s))


def squared_multiple(r: np.ndarray) -> np.ndarray:
    """Return each item's squared multiple correlation with the others, 1 − 1/r^ii; NaN where r has no inverse.

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations.

    Returns
    -------
    array, shape (p,)
    """
    if np.linalg.eigvalsh(r)[0] < 1e-10:
        return np.full(len(r), np.nan)
    return 1 - 1 / np.diag(np.linalg.inv(r))


def lambda6(r: np.ndarray) -> float:
    """Return Guttman's (1945) λ6 of the standardized items: error is what the other items do not predict.

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations.

    Returns
    -------
    float
    """
    return float(1 - (1 - squared_multiple(r)).sum() / r.sum())


def overlap_corrected(r: np.ndarray) -> np.ndarray:
    """Return each item's correlation with the sum, own error taken out: r with squared multiple correlations on
    its diagonal (psych's r.cor, after Cureton 1966). NaN where what is left of the sum has no variance.

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations.

    Returns
    -------
    array, shape (p,)
    """
    shared = r.copy()
    np.fill_diagonal(shared, squared_multiple(r))
    total = shared.sum()
    return shared.sum(axis=0) / np.sqrt(total) if total > 0 else np.full(len(r), np.nan)


def composite(loadings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return composite reliability and average variance extracted of standardized loadings (Fornell & Larcker 1981).

    CR = (Σλ)² / ((Σλ)² + Σ(1 − λ²)), AVE = mean λ².

    Parameters
    ----------
    loadings : array, shape (…, items)

    Returns
    -------
    cr, ave : arrays, shape (…)
    """
    total, squared = loadings.sum(axis=-1) ** 2, loadings**2
    return total / (total + (1 - squared).sum(axis=-1)), squared.mean(axis=-1)


def categorical_omega(loadings: np.ndarray, thresholds: list[np.ndarray], steps: list[np.ndarray]) -> float:
    """Return the reliability of the sum of ordered answers to one factor (Green & Yang 2009).

    The variance of the sum that the factor brings, over all of it: both follow from normal responses that the loadings
    let correlate and the thresholds cut. semTools' ``reliability`` prints it for categorical items (``omega``), of
    answers that are whole numbers without gaps.

    Parameters
    ----------
    loadings : array, shape (items,)
        Standardized, of the responses.
    thresholds : list of array, shape (categories − 1,) each
        Where the responses are cut, standardized.
    steps : list of array, shape (categories − 1,) each
        By how much the answer grows there, 1 for whole numbers without gaps.

    Returns
    -------
    float
        NaN where a loading is 1 or more, so that nothing is left to chance.
    """
    if (np.abs(loadings) >= 1).any():
        return float("nan")
    true = total = 0.0
    for i, (h, rise) in enumerate(zip(thresholds, steps, strict=True)):
        for j, (k, other) in enumerate(zip(thresholds, steps, strict=True)):
            weight, h_k = np.outer(rise, other), np.broadcast_arrays(h[:, None], k[None, :])
            apart = ndtr(h_k[0]) * ndtr(h_k[1])
            shared = (weight * (bivariate_normal(*h_k, loadings[i] * loadings[j]) - apart)).sum()
            true += shared
            total += shared if i != j else (weight * (ndtr(np.minimum(*h_k)) - apart)).sum()
    return float(true / total)


def heterotrait(r: np.ndarray, owner: np.ndarray, *, geometric: bool = False) -> np.ndarray:
    """Return the heterotrait–monotrait ratios of a stack of correlation matrices.

    Parameters
    ----------
    r : array, shape (stack, p, p)
        Correlations; their size is used.
    owner : integer array, shape (p,)
        Each item's dimension, 0 … k−1.
    geometric : bool
        HTMT2, by geometric means (Roemer, Schuberth & Henseler 2021), rather than HTMT (Henseler, Ringle & Sarstedt
        2015).

    Returns
    -------
    array, shape (stack, k, k)
        Ones on the diagonal; NaN in row and column of a dimension whose items do not correlate.
    """
    size = np.abs(r)
    size = np.where(size < 1e-12, 1e-300, size)  # the rounding of a zero is no small correlation
    size = np.log(size) if geometric else size - np.eye(len(owner))
    member = (owner[:, None] == np.arange(owner.max() + 1)).astype(float)
    items = member.sum(axis=0)
    number = np.outer(items, items) - np.diag(items)
    mean = member.T @ size @ member / number
    mean = np.exp(mean) if geometric else mean
    within = np.diagonal(mean, axis1=1, axis2=2)
    root = np.sqrt(np.where(within > 1e-10, within, np.nan))
    ratio = mean / (root[:, :, None] * root[:, None, :])
    diagonal = np.arange(len(items))
    ratio[:, diagonal, diagonal] = np.where(np.isnan(root), np.nan, 1.0)
    return ratio
