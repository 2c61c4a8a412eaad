"""What printed statistics imply about one another: arithmetic for checking a report without its data.

Every function takes figures a study prints and returns one that follows from
them. r stands for chi-square/df throughout, n for the number of respondents, k
for the number of items of a scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import permutations, product

__all__ = [
    "ave_from_cr",
    "baseline_bound",
    "baseline_bound_from_range",
    "baseline_from_cfi",
    "cfa_df",
    "counts_for_percentage",
    "mean_r_from_alpha",
    "n_for_rmsea",
    "nfi",
    "percentage",
    "ratio_for_rmsea",
    "rfi",
    "rmsea_from_ratio",
    "rounding",
    "tli_from_cfi",
    "totals_for_percentage",
    "within_rounding",
]


def percentage(part: float, whole: float) -> float:
    """Return part as per cent of whole."""
    return 100 * part / whole


def rounding(value: float, decimals: int) -> tuple[float, float]:
    """Return the interval of numbers that are printed as ``value`` with so many decimals."""
    half = 0.5 * 10.0**-decimals
    return value - half, value + half


def within_rounding(function: Callable[..., float], *printed: tuple[float, int] | float) -> tuple[float, float, float]:
    """Return a function of printed figures, and its ends when each may be anything that rounds to it.

    ``printed`` are (value, decimals), or a number taken as exact. The ends are sought at
    the corners, which is right for functions that are monotone in every argument, as
    all of this module are.
    """
    middle = function(*(p[0] if isinstance(p, tuple) else p for p in printed))
    corners = product(*(rounding(*p) if isinstance(p, tuple) else (p,) for p in printed))
    values = [function(*corner) for corner in corners]
    return middle, min(values), max(values)


def counts_for_percentage(percent: float, n: int, decimals: int) -> list[int]:
    """Return the counts among n whose percentage prints as ``percent`` (the GRIM idea, Brown & Heathers 2017).

    An empty list means that no whole number of respondents gives the figure.
    """
    low, high = rounding(percent, decimals)
    nearest = round(percent * n / 100)
    around = range(max(0, nearest - n // 100 - 1), min(n, nearest + n // 100 + 1) + 1)
    return [count for count in around if low - 1e-9 <= percentage(count, n) <= high + 1e-9]


def totals_for_percentage(part: int, percent: float, decimals: int) -> tuple[int, float]:
    """Return the smallest and largest whole of which ``part`` prints as ``percent``.

    The largest is infinite where the figure rounds to 0.
    """
    low, high = rounding(percent, decimals)
    most = math.floor(100 * part / low + 1e-9) if low > 0 else math.inf
    return math.ceil(100 * part / high - 1e-9), most


def cfa_df(items: int, factors: int) -> int:
    """Return the degrees of freedom of correlated factors with simple structure.

    Moments p(p + 1)/2, less p loadings, p unique variances and the factors' correlations.
    """
    return items * (items + 1) // 2 - 2 * items - factors * (factors - 1) // 2


def rmsea_from_ratio(r: float, n: float) -> float:
    """Return √[(r − 1)/(N − 1)]: RMSEA depends on chi-square/df and N alone."""
    return math.sqrt(max(r - 1, 0.0) / (n - 1))


def n_for_rmsea(r: float, rmsea: float) -> float:
    """Return the number of respondents at which chi-square/df gives this RMSEA: 1 + (r − 1)/RMSEA²."""
    return 1 + (r - 1) / rmsea**2


def ratio_for_rmsea(rmsea: float, n: float) -> float:
    """Return the chi-square/df that gives this RMSEA with n respondents: 1 + (N − 1)·RMSEA²."""
    return 1 + (n - 1) * rmsea**2


def tli_from_cfi(cfi: float, df: int, baseline_df: int) -> float:
    """Return 1 − (1 − CFI)·df_b/df."""
    return 1 - (1 - cfi) * baseline_df / df


def baseline_from_cfi(r: float, cfi: float, df: int, baseline_df: int) -> float:
    """Return the baseline model's chi-square: df_b + (r − 1)·df/(1 − CFI)."""
    return baseline_df + (r - 1) * df / (1 - cfi)


def nfi(chi2: float, baseline_chi2: float) -> float:
    """Return 1 − chi2/chi2_b."""
    return 1 - chi2 / baseline_chi2


def rfi(r: float, baseline_chi2: float, baseline_df: int) -> float:
    """Return 1 − (chi2/df)/(chi2_b/df_b)."""
    return 1 - r / (baseline_chi2 / baseline_df)


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


def baseline_bound_from_range(n: int, lowest: float, highest: float, sizes: Sequence[int]) -> float:
    """Return the least baseline chi-square if of the scales' alphas only the lowest and the highest are known.

    One scale has the highest, all others are given the lowest; the assignment that
    asks least is taken, so the true bound can only be larger.
    """
    alphas = [highest, *[lowest] * (len(sizes) - 1)]
    return min(baseline_bound(n, alphas, order) for order in set(permutations(sizes)))
