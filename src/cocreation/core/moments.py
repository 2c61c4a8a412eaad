"""Means, covariances and correlations of a complete data matrix."""

from __future__ import annotations

import numpy as np

__all__ = ["correlation", "covariance", "to_correlation"]


def covariance(x: np.ndarray, *, divisor: str = "N-1") -> np.ndarray:
    """Return the covariance matrix of the columns of ``x``.

    Parameters
    ----------
    x : array, shape (n, p)
        Complete data.
    divisor : {"N-1", "N"}
        N−1 is the unbiased estimate that a table of descriptives prints; N is
        the maximum-likelihood estimate that lavaan and semopy fit to.

    Returns
    -------
    array, shape (p, p)

    Raises
    ------
    ValueError
        For another divisor.
    """
    if divisor not in ("N", "N-1"):
        raise ValueError(f"divisor is 'N' or 'N-1', not {divisor!r}")
    x = np.asarray(x, dtype=float)
    centred = x - x.mean(axis=0)
    return centred.T @ centred / (len(x) - (divisor == "N-1"))


def to_correlation(s: np.ndarray) -> np.ndarray:
    """Return the correlation matrix that belongs to a covariance matrix, unit diagonal exactly.

    Parameters
    ----------
    s : array, shape (p, p)
        Covariances, variances positive.

    Returns
    -------
    array, shape (p, p)
    """
    sd = np.sqrt(np.diag(s))
    r = s / np.outer(sd, sd)
    np.fill_diagonal(r, 1.0)
    return r


def correlation(x: np.ndarray) -> np.ndarray:
    """Return the Pearson correlations of the columns of ``x``, shape (p, p).

    Parameters
    ----------
    x : array, shape (n, p)
        Complete data.

    Returns
    -------
    array, shape (p, p)
    """
    return to_correlation(covariance(x))
