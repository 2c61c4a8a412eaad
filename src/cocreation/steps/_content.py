"""Content validity: do experts find an item relevant, and essential?

A room behind :mod:`cocreation.steps.judge`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import comb as combinations

from .._input import between, ends, plain_table
from ..errors import InputError
from .result import Result

__all__ = ["Relevance", "relevance"]

#: Polit, Beck and Owen's words for the modified kappa, from the lowest value on
_KAPPA_WORDS = ((0.75, "excellent"), (0.60, "good"), (0.40, "fair"), (-np.inf, "poor"))


@dataclass(frozen=True, repr=False)
class Relevance(Result):
    """Content validity from ratings of relevance.

    Attributes
    ----------
    items : DataFrame
        ``item``, ``n`` raters, ``relevant`` (how many said so), ``mean``,
        ``i_cvi``, ``chance`` (probability of exactly this agreement if raters
        toss a coin), ``kappa`` (modified), ``verdict``.
    s_cvi_ave : float
        Mean I-CVI of the items.
    s_cvi_ua : float
        Share of items all raters call relevant.
    note : str
    """

    items: pd.DataFrame
    s_cvi_ave: float
    s_cvi_ua: float
    note: str

    title = "Relevance of the items"


def relevance(ratings: pd.DataFrame, *, relevant: float = 3, points: tuple[int, int] = (1, 4)) -> Relevance:
    """Compute the indices of content validity.

    Parameters
    ----------
    ratings : DataFrame, shape (items, raters)
        Indexed by item.
    relevant : number
        A rating from here on says "relevant".
    points : (lowest, highest)
        The ends of the rating scale.

    Notes
    -----
    I-CVI is the share of raters who call the item relevant (Lynn, 1986). The
    modified kappa takes off chance: pc = C(n, a)·.5^n for a of n raters,
    κ* = (I-CVI − pc) / (1 − pc); "excellent" above .74, "good" from .60,
    "fair" from .40 (Polit, Beck and Owen, 2007, Research in Nursing & Health,
    30, 459-467).

    Raises
    ------
    InputError
        For no items, fewer than two raters, a missing or impossible rating.

    Examples
    --------
    >>> import pandas as pd
    >>> found = relevance(pd.DataFrame([[4, 3, 4], [4, 3, 2]], index=["x", "y"]))
    >>> print(found.items[["item", "i_cvi", "kappa", "verdict"]].round(2).to_string(index=False))
    item  i_cvi  kappa   verdict
       x   1.00   1.00 excellent
       y   0.67   0.47      fair
    """
    plain_table(ratings, what="ratings", row="an item")
    if ratings.empty or ratings.shape[1] < 2:
        raise InputError(
            f"Expected a row an item and a column for each of two or more raters, got {len(ratings)} items and "
            f"{ratings.shape[1]} raters. Add what is missing."
        )
    low, high = ends(points)
    between(relevant, "relevant", low, high, what="a rating")
    values = ratings.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = ~((values >= low) & (values <= high))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"Rater '{ratings.columns[column]}' gave item '{ratings.index[row]}' {ratings.iloc[row, column]!r}; a "
            f"rating is from {low} to {high}. Ask for it or leave the item out."
        )
    n = values.shape[1]
    yes = (values >= relevant).sum(axis=1)
    i_cvi = yes / n
    by_chance = combinations(n, yes) * 0.5**n
    kappa = (i_cvi - by_chance) / (1 - by_chance)
    # rounded to the two decimals in which the limits are stated, so that .75 - 1e-17 is "excellent"
    words = [next(word for limit, word in _KAPPA_WORDS if round(k, 2) >= limit) for k in kappa]
    items = pd.DataFrame(
        {
            "item": ratings.index,
            "n": n,
            "relevant": yes,
            "mean": values.mean(axis=1),
            "i_cvi": i_cvi,
            "chance": by_chance,
            "kappa": kappa,
            "verdict": words,
        }
    )
    note = (
        f"{len(items)} items, {n} raters; {relevant:g} or more counts as relevant. I-CVI: share of raters; S-CVI/Ave: "
        "its mean; S-CVI/UA: share of items all call relevant; kappa: Polit, Beck and Owen (2007)."
    )
    return Relevance(items, float(i_cvi.mean()), float((yes == n).mean()), note)
