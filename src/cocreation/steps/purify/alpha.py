"""Coefficient alpha, with CITC and alpha if deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...core.moments import covariance, to_correlation
from ...core.reliability import (
    ItemStatistics,
    alpha_from_covariance,
    alpha_interval,
    item_statistics,
    lambda6,
    overlap_corrected,
    squared_multiple,
    standardized_alpha,
)
from ...errors import InputError
from ...inputs.answers import items_frame, used
from ...inputs.options import confidence
from ...results.result import Result
from .keying import keying

__all__ = ["Alpha", "Judged", "alpha", "coefficient", "judged"]


@dataclass(frozen=True, repr=False)
class Alpha(Result):
    """Coefficient alpha of a scale with its item statistics.

    Attributes
    ----------
    alpha, lower, upper : float
        The coefficient and its confidence limits.
    alpha_std : float
        Alpha of the standardized items.
    mean_r : float
        Mean correlation between items.
    n, k : int
        Respondents and items used.
    items : DataFrame
        Columns item, mean, sd, citc, alpha_if_deleted, smc (squared multiple correlation
        with the others), r_cor (correlation with the sum, the item's own error taken out).
    lambda6 : float
        Guttman's λ6 of the standardized items (psych's G6).
    sum_mean, sum_sd : float
        Mean and standard deviation (N − 1) of the sum of the items.
    note : str
    """

    title = "Reliability of a scale"

    alpha: float
    lower: float
    upper: float
    alpha_std: float
    mean_r: float
    n: int
    k: int
    items: pd.DataFrame
    lambda6: float
    sum_mean: float
    sum_sd: float
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the coefficient and the item statistics that decide; the rest stays in the fields.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        shown = ["alpha", "lower", "upper", "alpha_std", "mean_r", "n", "k"]
        row = pd.DataFrame([{name: getattr(self, name) for name in shown}])
        return {"": row, "items": self.items[["item", "mean", "sd", "citc", "alpha_if_deleted"]]}


def alpha(data: pd.DataFrame, items: Iterable[str] | None = None, *, level: float = 0.95) -> Alpha:
    """Return coefficient alpha, its confidence interval and the item statistics.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    items : iterable of str, optional
        The items of one scale; all columns by default. Reverse-keyed items must
        have been recoded; the note names those that look as if they were not.
    level : float
        Confidence of the interval, between 0 and 1.

    Returns
    -------
    Alpha
        Alpha with its limits, standardized alpha, λ6, mean correlation, and a row an item.

    Raises
    ------
    InputError
        For data that :func:`~cocreation.inputs.answers.items_frame` refuses, and
        where some items' sum does not vary, so that no correlation with it exists.

    See Also
    --------
    ordinal_alpha : Alpha of the responses behind ordered answers.
    purify : Drop items by CITC.
    cocreation.steps.validate.omega : How much of the sum is one thing.
    cocreation.steps.validate.reliability : Omega and AVE of a model.

    Notes
    -----
    Alpha is k/(k−1)·(1 − Σ variances / variance of the sum) (Cronbach 1951), the
    interval Feldt, Woodruff & Salih's (1987), CITC the correlation of an item with
    the sum of the *other* items. Alpha grows with the number of items and says
    nothing about how many dimensions they measure. λ6 (Guttman 1945), smc and r_cor
    are those of psych's ``alpha``; they are missing where items repeat each other.

    An item goes against the rest, and the note says how to recode it, if its CITC – the others turned as they load on
    the first principal component – is below −.30; with fewer than 30 respondents below what is significant at 5 %,
    with more than 60 below what is at 1 % (one-tailed), so that chance alone seldom says it. psych's ``alpha`` warns
    of every negative loading.

    In R, ``psych::alpha(x)$total$raw_alpha``, ``psych::alpha(x)$item.stats$r.drop`` (CITC),
    ``psych::alpha(x)$alpha.drop$raw_alpha``, and ``psych::alpha.ci(alpha, n, k)`` for the interval.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame({"a": [1, 2, 3, 4, 5], "b": [2, 2, 3, 5, 5], "c": [1, 3, 3, 4, 4]})
    >>> round(alpha(answers).alpha, 3)
    0.954
    """
    confidence(level)
    frame = items_frame(data, items)
    x, (s, value, statistics) = frame.to_numpy(), judged(frame)
    n, k = x.shape
    lower, upper = alpha_interval(value, n, k, level=level)
    r = to_correlation(s)
    table = pd.DataFrame(
        {
            "item": list(frame.columns),
            "mean": x.mean(axis=0),
            "sd": np.sqrt(np.diag(s)),
            "citc": statistics.citc,
            "alpha_if_deleted": statistics.alpha_if_deleted,
            "smc": squared_multiple(r),
            "r_cor": overlap_corrected(r),
        }
    )
    note = (
        f"Listwise: {used(frame, data)}; "
        f"variances with N − 1; {level:.0%} interval after Feldt; citc = correlation with the sum of the other items."
        + (" Alpha without an item does not exist with two items." if k == 2 else "")
        + (f" λ6, smc and r_cor do not exist: {_why_not(n, k)}." if table["r_cor"].isna().any() else "")
        + keying(frame, {"": list(frame.columns)})
    )
    mean_r = float((r.sum() - k) / (k * (k - 1)))
    total = x.sum(axis=1)
    return Alpha(
        value,
        lower,
        upper,
        standardized_alpha(s),
        mean_r,
        n,
        k,
        table,
        lambda6(r),
        float(total.mean()),
        float(total.std(ddof=1)),
        note,
    )


def _why_not(n: int, k: int) -> str:
    if n <= k:
        return "with no more respondents than items the correlations have no inverse"
    return "items repeat or mirror each other"


class Judged(NamedTuple):
    """The covariances of a scale's items, their alpha, and each item's part in it."""

    covariances: np.ndarray
    alpha: float
    statistics: ItemStatistics


def judged(frame: pd.DataFrame) -> Judged:
    """Return what complete answers to the items of one scale say of each item: all that dropping one needs.

    Parameters
    ----------
    frame : DataFrame, shape (respondents, items)

    Returns
    -------
    Judged

    Raises
    ------
    InputError
        Where the sum of all or of some items does not vary.
    """
    x = frame.to_numpy()
    s = covariance(x)
    value, statistics = coefficient(s), item_statistics(x)
    flat = [name for name, citc in zip(frame.columns, statistics.citc, strict=True) if np.isnan(citc)]
    if flat:
        raise InputError(
            f"Without item '{flat[0]}' the sum of the remaining items does not vary, so its corrected item–total "
            "correlation does not exist. Recode the reverse-keyed items first."
        )
    return Judged(s, value, statistics)


def coefficient(s: np.ndarray) -> float:
    """Return alpha of the items' covariances, and nothing else of :func:`alpha`.

    Parameters
    ----------
    s : array, shape (items, items)
        Covariances.

    Returns
    -------
    float

    Raises
    ------
    InputError
        Where the sum of the items does not vary.
    """
    if s.sum() <= 1e-12 * np.trace(s):
        raise InputError(
            "The sum of the items does not vary, so alpha does not exist: some items mirror others. "
            "Recode the reverse-keyed items first."
        )
    return alpha_from_covariance(s)
