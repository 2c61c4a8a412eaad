"""Cohen's kappa of two raters, plain or weighted, from a table of counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from ..errors import InputError

__all__ = ["TwoRaters", "kappa_of_two", "limits", "weights_of"]


class TwoRaters(NamedTuple):
    """Kappa of two raters, its standard error, that under independence, and the shares agreed and expected."""

    kappa: float
    se: float
    se0: float
    observed: float
    expected: float


def limits(kappa: float, se: float, level: float) -> tuple[float, float, str]:
    """Return the symmetric interval of a kappa, cut at what a kappa can be, and for its note what was cut.

    Parameters
    ----------
    kappa, se : float
        The coefficient and its standard error.
    level : float
        Confidence.

    Returns
    -------
    lower, upper : float
        Between −1 and 1.
    told : str
        Begins with a blank; empty where nothing was cut.
    """
    reach = ndtri(0.5 + level / 2) * se
    ends = (kappa - reach, kappa + reach)
    lower, upper = (float(np.clip(end, -1, 1)) for end in ends)
    over = [end for end, cut in zip(ends, (lower, upper), strict=True) if abs(end - cut) > 1e-9]
    where = " and ".join(f"{end:.3f}".replace("-", "−") for end in over)
    told = f" The interval is cut at what a kappa can be; the symmetric one ends at {where}." if over else ""
    return lower, upper, told


def weights_of(k: int, kind: str | None) -> np.ndarray:
    """Return what the agreement of category i with category j of k counts, from 0 to 1.

    ``None``: only the same category counts; ``"linear"``: 1 − \\|i − j\\|/(k − 1);
    ``"quadratic"``: 1 − (i − j)²/(k − 1)².

    Parameters
    ----------
    k : int
        Categories.
    kind : {"linear", "quadratic"} or None
        See above.

    Returns
    -------
    array, shape (k, k)
        Ones on the diagonal.
    """
    if kind is None:
        return np.eye(k)
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / max(k - 1, 1)
    return 1 - (apart if kind == "linear" else apart**2)


def kappa_of_two(counts: np.ndarray, weights: np.ndarray) -> TwoRaters:
    """Return Cohen's (weighted) kappa of a table of counts, shape (codes, codes).

    The large-sample standard errors are those of Fleiss, Cohen and Everitt (1969).

    Parameters
    ----------
    counts : array, shape (codes, codes)
        How often the first rater said the row's code and the second the column's.
    weights : array, shape (codes, codes)
        What each cell counts as agreement, as :func:`weights_of` returns them.

    Returns
    -------
    TwoRaters
        Kappa, both standard errors, and the shares of agreement.

    Raises
    ------
    InputError
        If both raters used one and the same code throughout (kappa is then 0/0).
    """
    if np.count_nonzero(counts.sum(axis=1) + counts.sum(axis=0)) < 2:
        raise InputError(
            "Both coders gave every excerpt the same one code, so chance agreement is complete and kappa is not "
            "defined. Code a more varied set."
        )
    n = counts.sum()
    p = counts / n
    row, column = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float((weights * p).sum()), float(row @ weights @ column)
    # what a code of one rater counts on average, given how the other uses the codes
    mean = (weights @ column)[:, None] + (row @ weights)[None, :]
    spread = (p * (weights * (1 - expected) - mean * (1 - observed)) ** 2).sum()
    spread -= (observed * expected - 2 * expected + observed) ** 2
    spread0 = (np.outer(row, column) * (weights - mean) ** 2).sum() - expected**2
    se, se0 = (np.sqrt(max(v, 0.0) / n) / (1 - expected) ** power for v, power in ((spread, 2), (spread0, 1)))
    return TwoRaters((observed - expected) / (1 - expected), float(se), float(se0), observed, expected)
