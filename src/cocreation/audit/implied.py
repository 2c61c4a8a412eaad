"""What printed statistics imply about one another: arithmetic for checking a report without its data.

Every function takes figures a study prints and returns one that follows from
them. r stands for chi-square/df throughout, n for the number of respondents, k
for the number of items of a scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = [
    "ave_from_cr",
    "baseline_bound",
    "counts_for_percentage",
    "mean_r_from_alpha",
    "percentage",
    "rmsea_from_ratio",
    "rounding",
]


def percentage(part: float, whole: float) -> float:
    """Return part as per cent of whole."""
    return 100 * part / whole


def rounding(value: float, decimals: int) -> tuple[float, float]:
    """Return the interval of numbers that are printed as ``value`` with so many decimals."""
    half = 0.5 * 10.0**-decimals
    return value - half, value + half


def counts_for_percentage(percent: float, n: int, decimals: int) -> list[int]:
    """Return the counts among n whose percentage prints as ``percent`` (the GRIM idea, Brown & Heathers 2017).

    An empty list means that no whole number of respondents gives the figure.
    """
    low, high = rounding(percent, decimals)
    nearest = round(percent * n / 100)
    around = range(max(0, nearest - n // 100 - 1), min(n, nearest + n // 100 + 1) + 1)
    return [count for count in around if low - 1e-9 <= percentage(count, n) <= high + 1e-9]


def rmsea_from_ratio(r: float, n: float) -> float:
    """Return √[(r − 1)/(N − 1)]: RMSEA depends on chi-square/df and N alone."""
    return math.sqrt(max(r - 1, 0.0) / (n - 1))


def ave_from_cr(cr: float, k: int) -> float:
    """Return CR/[k − (k − 1)·CR]: the AVE of k items with equal loadings."""
    return cr / (k - (k - 1) * cr)


def mean_r_from_alpha(alpha: float, k: int) -> float:
    """Return alpha/[k − (k − 1)·alpha]: the mean inter-item correlation behind a standardized alpha."""
    return alpha / (k - (k - 1) * alpha)


def baseline_bound(n: int, alphas: Sequence[float], sizes: Sequence[int]) -> float:
    """Return the least chi-square the baseline model can have, given each scale's alpha and number of items.

    (N − 1)·Σ −[(k − 1)·ln(1 − r̄) + ln(1 + (k − 1)·r̄)] over the scales. Among the correlation
    matrices with a mean correlation r̄ the one with equal correlations has the largest
    determinant, and scales that correlate make it smaller still: the figure is reached
    with equal correlations in uncorrelated scales.
    """
    total = 0.0
    for alpha, k in zip(alphas, sizes, strict=True):
        r = mean_r_from_alpha(alpha, k)
        total -= (k - 1) * math.log1p(-r) + math.log1p((k - 1) * r)
    return (n - 1) * total
