"""What the answers to each item look like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import style
from ...errors import InputError, plain
from ...inputs.answers import items_frame
from ...inputs.options import ends
from ...results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Distributions", "describe"]


@dataclass(frozen=True, repr=False)
class Distributions(Result):
    """How the answers to each item are distributed.

    Attributes
    ----------
    table : DataFrame
        ``item``, ``n``, ``mean``, ``sd`` (n - 1), ``skew`` (G1), ``kurtosis`` (G2, excess), and the percent of
        answers at the lowest (``floor``) and highest (``ceiling``) point.
    shares : DataFrame, shape (items, distinct answers)
        Percent of the item's answers at each point.
    note : str
    """

    table: pd.DataFrame
    shares: pd.DataFrame
    note: str

    title = "Distributions of the answers"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the table of moments; the shares are what ``plot`` draws.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        return {"": self.table}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each item's answers as one bar of 100 %.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        import matplotlib.pyplot as plt

        sns = self._seaborn()
        if self.shares.shape[1] > 12:
            raise InputError(
                f"The items take {self.shares.shape[1]} different values; a bar of answer categories can show at most "
                "12. Draw a histogram (seaborn.histplot) instead."
            )
        ax = ax if ax is not None else plt.subplots(figsize=(8, 0.26 * len(self.shares) + 1.4))[1]
        # blue to orange over grey: told apart by the colour-blind, and the middle is not the colour of the page
        colors = sns.blend_palette(["#20639b", "#a9c3d9", "#dcdcdc", "#f0c29b", "#c2601a"], self.shares.shape[1])
        start = np.zeros(len(self.shares))
        for (point, share), color in zip(self.shares.items(), colors, strict=True):
            ax.barh(self.shares.index.astype(str), share, left=start, color=color, label=f"{point:g}", height=0.82)
            start += share.to_numpy()
        ax.set(xlim=(0, 100), ylim=(len(self.shares) - 0.5, -0.5), xlabel="percent of the answers", ylabel="")
        ax.grid(axis="y", visible=False)
        ax.legend(title="answer", bbox_to_anchor=(1.01, 1), loc="upper left", frameon=False)
        return style.behind(ax, self.shares.rename_axis("item"))


_SHAPE = {"spss": "skewness G1 and kurtosis G2 as in SPSS", "psych": "skewness b1 and kurtosis b2 as in psych"}


def describe(
    data: pd.DataFrame,
    items: Iterable[str] | None = None,
    *,
    points: tuple[float, float] | None = None,
    convention: str = "spss",
) -> Distributions:
    """Describe each item's distribution, over all who answered that item.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        A row a respondent.
    items : iterable of str, optional
        The items, all columns by default.
    points : (lowest, highest), optional
        The ends of the scale, outside which no answer is taken; the smallest and largest answer
        to any of the items by default.
    convention : {"spss", "psych"}
        Whose skewness and kurtosis; see the notes.

    Returns
    -------
    Distributions
        A row an item with n, mean, standard deviation, skewness, excess kurtosis, percent at floor and ceiling; percent
        of its answers at each point.

    See Also
    --------
    screen : Which answers count.
    sample_description : Who answered.
    cocreation.steps.purify.alpha : Figures of a scale's items.

    Notes
    -----
    Skewness G1 and excess kurtosis G2 are those SPSS, SAS and Excel print
    ("type 2" in R), unbiased under normality; ``psych::describe`` prints b1 and
    b2 ("type 3": third and fourth moment over powers of the sd with n − 1) by
    default. They are missing where an item is constant or too few answered it.

    In R, ``psych::describe(x, type = 2)``; "psych" is ``type = 3``.

    Raises
    ------
    InputError
        For an unknown item, a column that is not numeric, an answer outside ``points``, or another convention.

    Examples
    --------
    >>> import pandas as pd
    >>> found = describe(pd.DataFrame({"q1": [1, 4, 5, 7, 7], "q2": [3, None, 4, 4, 5]}), points=(1, 7))
    >>> print(found.table[["item", "n", "mean", "skew", "ceiling"]].round(2).to_string(index=False))
    item  n  mean  skew  ceiling
      q1  5   4.8 -0.92     40.0
      q2  4   4.0  0.00      0.0
    """
    if convention not in _SHAPE:
        raise InputError(f"convention is 'spss' or 'psych', not {plain(convention)}.")
    points = None if points is None else ends(points)
    frame = items_frame(data, items, missing="keep", at_least=1, constant="keep", respondents=1, points=points)
    values = frame.to_numpy()
    if not (~np.isnan(values)).any():
        raise InputError("None of the items has an answer. Check the data.")
    low, high = points if points is not None else (np.nanmin(values), np.nanmax(values))
    rows = []
    for item in frame:
        known = frame[item].dropna().to_numpy()
        skew, kurtosis = _skew_kurtosis(known, convention)
        rows.append(
            {
                "item": item,
                "n": len(known),
                "mean": known.mean() if len(known) else np.nan,
                "sd": known.std(ddof=1) if len(known) > 1 else np.nan,
                "skew": skew,
                "kurtosis": kurtosis,
                "floor": 100 * (known == low).mean() if len(known) else np.nan,
                "ceiling": 100 * (known == high).mean() if len(known) else np.nan,
            }
        )
    shares = frame.apply(lambda column: 100 * column.value_counts(normalize=True)).T
    note = (
        f"Each item over those who answered it. sd with n - 1, "
        f"{_SHAPE[convention]}; "
        f"floor and ceiling: percent at {low:g} and {high:g}."
    )
    return Distributions(pd.DataFrame(rows), shares.fillna(0.0).reindex(sorted(shares), axis=1), note)


def _skew_kurtosis(x: np.ndarray, convention: str) -> tuple[float, float]:
    """G1 and G2, or b1 and b2 (Joanes & Gill, 1998, The Statistician, 47, 183-189)."""
    n = len(x)
    if n < 3 or np.ptp(x) == 0:
        return np.nan, np.nan
    d = x - x.mean()
    m2 = (d**2).mean()
    if convention == "psych":
        sd = x.std(ddof=1)
        return (d**3).mean() / sd**3, (d**4).mean() / sd**4 - 3
    skew = (d**3).mean() / m2**1.5 * np.sqrt(n * (n - 1)) / (n - 2)
    if n < 4:
        return skew, np.nan
    excess = (d**4).mean() / m2**2 - 3
    return skew, (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6)
