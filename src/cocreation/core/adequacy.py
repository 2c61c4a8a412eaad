"""Do the correlations hold anything to factor? Kaiser–Meyer–Olkin and Bartlett."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc

__all__ = ["bartlett_sphericity", "kmo"]


def kmo(r: np.ndarray) -> tuple[float, np.ndarray]:
    """Return Kaiser's measure of sampling adequacy, overall and for each item.

    Squared correlations over squared correlations plus squared partial (anti-image)
    correlations, off the diagonal (Kaiser & Rice 1974).

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations with an inverse.

    Returns
    -------
    overall : float
    items : array, shape (p,)
        NaN for an item that correlates with nothing.
    """
    inverse = np.linalg.inv(r)
    root = np.sqrt(np.diag(inverse))
    partial = -inverse / np.outer(root, root)
    simple = r.copy()
    np.fill_diagonal(simple, 0.0)
    np.fill_diagonal(partial, 0.0)
    simple, partial = simple**2, partial**2
    total = simple.sum() + partial.sum()
    of_items = simple.sum(axis=0) + partial.sum(axis=0)
    items = np.full(len(r), np.nan)
    shared = of_items > 1e-24
    items[shared] = simple.sum(axis=0)[shared] / of_items[shared]
    return float(simple.sum() / total) if total > 1e-24 else float("nan"), items


def bartlett_sphericity(r: np.ndarray, n_obs: int) -> tuple[float, int, float]:
    """Return chi-square, degrees of freedom and p of Bartlett's (1951) test that r is an identity matrix.

    Parameters
    ----------
    r : array, shape (p, p)
        Correlations.
    n_obs : int
        Respondents.

    Returns
    -------
    chi2 : float
    df : int
    p : float
    """
    p = len(r)
    chi2 = -(n_obs - 1 - (2 * p + 5) / 6) * np.linalg.slogdet(r)[1]
    df = p * (p - 1) // 2
    return float(chi2), df, float(chdtrc(df, chi2))
