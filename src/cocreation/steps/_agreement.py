"""Agreement beyond chance: Fleiss' kappa, Krippendorff's alpha, and the kappa of two raters.

A room behind :mod:`cocreation.steps.judge` and :mod:`cocreation.steps.conceptualize`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from .._input import confidence, plain_table
from ..errors import InputError
from .result import Result

__all__ = ["FleissKappa", "fleiss_kappa"]


@dataclass(frozen=True, repr=False)
class FleissKappa(Result):
    """Agreement of several raters beyond chance.

    Attributes
    ----------
    items, raters : int
    observed, expected : float
        Share of agreeing pairs of raters, and what chance would give.
    kappa, se, lower, upper : float
        Fleiss' kappa with the standard error over items and its interval.
    se0, z, p : float
        Standard error if there were no agreement beyond chance, and the two-sided test with it.
    note : str
    """

    items: int
    raters: int
    observed: float
    expected: float
    kappa: float
    se: float
    lower: float
    upper: float
    se0: float
    z: float
    p: float
    note: str

    title = "Fleiss' kappa"


def fleiss_kappa(sorts: pd.DataFrame, *, level: float = 0.95) -> FleissKappa:
    """Measure how far several raters put the same items into the same bins.

    Parameters
    ----------
    sorts : DataFrame, shape (items, raters)
        The bin each rater chose (nominal; "none" is a bin like any other).
    level : float
        Of the interval.

    Notes
    -----
    kappa as in Fleiss (1971). ``se0`` is the standard error for independent
    raters of Fleiss, Nee and Landis (1979, Psychological Bulletin, 86,
    974-977), for the test only. ``se`` is the linearised standard error over
    items (Gwet, 2021, Educational and Psychological Measurement, 81, 781-790),
    for the interval.

    Raises
    ------
    InputError
        For fewer than two items or raters, a missing vote, or one bin only.

    Examples
    --------
    >>> import pandas as pd
    >>> sorts = pd.DataFrame([["A", "A", "A"], ["A", "B", "none"], ["B", "B", "A"]], index=["x", "y", "z"])
    >>> found = fleiss_kappa(sorts)
    >>> round(found.observed, 3), round(found.kappa, 3)
    (0.444, 0.022)
    """
    plain_table(sorts, what="votes", row="an item")
    if min(sorts.shape) < 2:
        raise InputError(
            f"Fleiss' kappa needs at least two items (rows) and two raters (columns), got {len(sorts)} and "
            f"{sorts.shape[1]}. Add what is missing."
        )
    if sorts.isna().any(axis=None):
        row, column = np.argwhere(sorts.isna().to_numpy())[0]
        raise InputError(f"Rater '{sorts.columns[column]}' has no vote on item '{sorts.index[row]}'. Ask for it.")
    codes, bins = pd.factorize(sorts.to_numpy().astype(object).ravel())
    if len(bins) < 2:
        raise InputError("All raters put everything into one bin, so chance agreement is complete and kappa undefined.")
    confidence(level)
    items, raters = sorts.shape
    counts = np.zeros((items, len(bins)))
    np.add.at(counts, (np.repeat(np.arange(items), raters), codes), 1)
    share = counts.mean(axis=0) / raters
    pairs = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))
    observed, expected = float(pairs.mean()), float((share**2).sum())
    kappa = (observed - expected) / (1 - expected)
    by_item = (pairs - expected) / (1 - expected)
    drift = (counts @ share) / raters - expected
    parts = by_item - 2 * (1 - kappa) * drift / (1 - expected)
    se = float(np.sqrt(((parts - kappa) ** 2).sum() / (items * (items - 1))))
    q = 1 - share
    spread = (share * q).sum()
    se0 = np.sqrt(2 * (spread**2 - (share * q * (q - share)).sum()) / (items * raters * (raters - 1))) / spread
    reach, z = ndtri(0.5 + level / 2) * se, kappa / se0
    note = (
        f"{items} items, {raters} raters, {len(bins)} bins. se and the {100 * level:g} % interval: over items; se0, z "
        "and p: for raters who choose independently."
    )
    return FleissKappa(
        items,
        raters,
        observed,
        expected,
        kappa,
        se,
        kappa - reach,
        kappa + reach,
        float(se0),
        float(z),
        float(2 * ndtr(-abs(z))),
        note,
    )
