"""What a search minimizes, computed at any point: by these formulas R's figures and ours are judged alike.

A room behind :mod:`cocreation.golden.optimum`. Nothing here is fitted: the formulas are written out for the figures a
golden set holds, apart from the code that found ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

__all__ = [
    "Entry",
    "chi_square",
    "implied",
    "maximum_likelihood",
    "quartimin",
    "squares",
    "varimax",
    "weighted_squares",
]


class Entry(NamedTuple):
    """A line of a table of parameters: its two sides, the operator, the group's number, the value."""

    left: str
    op: str
    right: str
    group: int
    value: float


def implied(entries: Iterable[Entry], observed: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the covariance matrix of the observed variables, and their means where there are intercepts.

    Parameters
    ----------
    entries : iterable of Entry
        All parameters of one group, fixed ones too.
    observed : list of str

    Returns
    -------
    sigma : array, shape (p, p)
    means : array, shape (p,), or None

    Notes
    -----
    The reticular action model: Σ = (I − A)⁻¹ S (I − A)⁻ᵀ, with all regressions and loadings in A and all variances
    and covariances in S.
    """
    table = [entry for entry in entries if entry.op in ("=~", "~", "~~", "~1")]
    names = list(dict.fromkeys([*observed, *(side for e in table for side in (e.left, e.right) if side)]))
    place = {name: i for i, name in enumerate(names)}
    paths, spread, means = np.zeros((len(names),) * 2), np.zeros((len(names),) * 2), np.zeros(len(names))
    for entry in table:
        i, j = place[entry.left], place.get(entry.right, -1)
        if entry.op == "=~":
            paths[j, i] = entry.value
        elif entry.op == "~":
            paths[i, j] = entry.value
        elif entry.op == "~~":
            spread[i, j] = spread[j, i] = entry.value
        else:
            means[i] = entry.value
    total = np.linalg.inv(np.eye(len(names)) - paths)[: len(observed)]
    centre = total @ means if any(entry.op == "~1" for entry in table) else None
    return total @ spread @ total.T, centre


def chi_square(entries: Iterable[Entry], groups: Mapping[int, pd.DataFrame], unrestricted: float | None = None):
    """Return N times maximum likelihood's discrepancy, summed over groups; NaN where Σ is not positive definite.

    Parameters
    ----------
    entries : iterable of Entry
    groups : mapping of int to DataFrame, shape (respondents, observed variables)
        Answers, NaN where missing.
    unrestricted : float, optional
        The log-likelihood of the unrestricted moments, which incomplete answers need.

    Returns
    -------
    float
    """
    entries, value = list(entries), 0.0
    for number, frame in groups.items():
        sigma, means = implied([e for e in entries if e.group == number], list(frame.columns))
        if not np.linalg.eigvalsh(sigma)[0] > 0:
            return float("nan")
        x = frame.to_numpy(dtype=float)
        complete = not np.isnan(x).any()
        value += _deviance(x, sigma, x.mean(axis=0) if means is None and complete else means)
        if complete and unrestricted is None:
            value -= _deviance(x, np.cov(x, rowvar=False, ddof=0).reshape(sigma.shape), x.mean(axis=0))
    return value + (2 * unrestricted if unrestricted is not None else 0.0)


def _deviance(x: np.ndarray, sigma: np.ndarray, means: np.ndarray) -> float:
    """−2 log-likelihood of normal answers, over what each respondent answered."""
    value = 0.0
    patterns, owner = np.unique(~np.isnan(x), axis=0, return_inverse=True)
    for number, there in enumerate(patterns):
        if there.any():
            own, part = x[owner.ravel() == number][:, there] - means[there], sigma[np.ix_(there, there)]
            determinant = np.linalg.slogdet(2 * np.pi * part)[1]
            value += len(own) * determinant + (own * np.linalg.solve(part, own.T).T).sum()
    return float(value)


def weighted_squares(entries: Iterable[Entry], names: list[str], r: np.ndarray, variance: np.ndarray) -> float:
    """Return WLSMV's sum of squared residual correlations, each over its own sampling variance.

    Parameters
    ----------
    entries : iterable of Entry
    names : list of str
        The items.
    r, variance : array, shape (p, p)
        Polychoric correlations and their sampling variances; the lower triangles count.

    Returns
    -------
    float
    """
    sigma, _ = implied(entries, names)
    lower = np.tril_indices(len(r), -1)
    return float(((r - sigma)[lower] ** 2 / variance[lower]).sum())


def squares(unique: np.ndarray, r: np.ndarray, k: int) -> float:
    """Return half the sum of squared residuals that k factors leave of ``r`` with given unique variances.

    Parameters
    ----------
    unique : array, shape (p,)
    r : array, shape (p, p)
    k : int

    Returns
    -------
    float
        What minres and principal axes minimize (Harman & Jones 1966).
    """
    rest = np.linalg.eigvalsh(r - np.diag(unique))[:-k]
    return float((rest**2).sum() / 2)


def maximum_likelihood(unique: np.ndarray, r: np.ndarray, k: int) -> float:
    """Return F of k factors with given unique variances, as R's ``factanal`` prints it.

    Parameters
    ----------
    unique : array, shape (p,)
    r : array, shape (p, p)
    k : int

    Returns
    -------
    float
    """
    rest = np.linalg.eigvalsh(r / np.sqrt(np.outer(unique, unique)))[:-k]
    return float((rest - np.log(rest) - 1).sum())


def varimax(loadings: np.ndarray) -> float:
    """Return minus the variance of the squared loadings, summed over factors (Kaiser 1958).

    Parameters
    ----------
    loadings : array, shape (p, k)

    Returns
    -------
    float
    """
    return -float((loadings**2).var(axis=0).sum())


def quartimin(pattern: np.ndarray) -> float:
    """Return the sum of products of squared loadings over pairs of factors: oblimin with γ = 0.

    Parameters
    ----------
    pattern : array, shape (p, k)

    Returns
    -------
    float
    """
    squared = pattern**2
    return float((squared.sum(axis=1) ** 2 - (squared**2).sum(axis=1)).sum() / 4)
