"""Saturation: do further interviews still bring new themes?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import gammaln

from ... import style
from ...errors import InputError, plain
from ...inputs.labels import labels_in
from ...inputs.options import generator, plain_table, whole
from ...results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Saturation", "saturation"]


@dataclass(frozen=True, repr=False)
class Saturation(Result):
    """How soon further interviews stop bringing new themes.

    Attributes
    ----------
    curve : DataFrame
        ``interviews`` (1, 2, …), ``new`` and ``found`` themes in the order
        given, ``expected`` over all orders, ``lower`` and ``upper``: the
        middle 90 % of random orders.
    themes : DataFrame
        ``theme``, ``interviews`` (in how many it appears), ``first`` (the
        number of the first of them in the order given).
    saturated_at : int
        Interviews until every theme had appeared, in the order given.
    typically_at : float
        The median of that number over random orders.
    note : str
    """

    curve: pd.DataFrame
    themes: pd.DataFrame
    saturated_at: int
    typically_at: float
    note: str

    title = "Saturation of themes"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the themes found against the interviews held.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        import matplotlib.pyplot as plt

        ax = ax if ax is not None else plt.subplots(figsize=(8, 4.5))[1]
        c = self.curve
        ax.fill_between(c["interviews"], c["lower"], c["upper"], color="#20639b", alpha=0.18, lw=0)
        ax.plot(c["interviews"], c["expected"], color="#20639b", label="any order: mean and middle 90 %")
        ax.step(c["interviews"], c["found"], where="post", color="#c0392b", lw=2, label="as the interviews were held")
        ax.axhline(len(self.themes), color="0.5", ls=":", lw=1)
        ax.set(xlabel="interviews", ylabel="different themes", xlim=(0, len(c) + 0.5), ylim=(0, len(self.themes) + 1))
        ax.legend(loc="lower right", frameon=False)
        return style.behind(ax, c)


def saturation(
    data: pd.DataFrame, *, interview: str = "interview", theme: str = "theme", draws: int = 1000, seed: int = 2026
) -> Saturation:
    """Count the themes found after each interview, in the order given and in any order.

    Parameters
    ----------
    data : DataFrame
        A row an excerpt; the interviews in the order in which they were held.
    interview, theme : str
        The columns that say where an excerpt is from and what it is about.
    draws : int
        Random orders for the band and the median.
    seed : int
        Of the random orders.

    Returns
    -------
    Saturation
        A row an interview with the themes found by then, a row a theme, and when all had appeared.

    See Also
    --------
    agreement : Whether two coders give the same codes.
    cocreation.survey.fieldwork.interviews : The course's coded excerpts.

    Notes
    -----
    The mean over all orders is exact: a theme that f of N interviews mention
    is missing among n of them with probability C(N − f, n) / C(N, n)
    (sample-based rarefaction). Only the band comes from random orders. All curves end
    at the themes that were found, where the band closes by construction: it
    shows what the order of these interviews did, not which themes nobody mentioned. Many
    themes heard in one interview only are the sign that there are more.

    In R, ``vegan::specaccum(x, method = "exact")$richness`` gives ``expected``, of a table of zeros and ones with a row
    an interview and a column a theme.

    Raises
    ------
    InputError
        For an unknown column, a missing or blank value in one of them, interviews or themes
        that look alike, no rows or no draws.

    Examples
    --------
    >>> import pandas as pd
    >>> talks = pd.DataFrame({"interview": ["I1", "I1", "I2", "I3"], "theme": ["joy", "task", "joy", "data"]})
    >>> found = saturation(talks)
    >>> found.curve["found"].tolist(), found.saturated_at
    ([2, 2, 3], 3)
    """
    mentions = _mentions(data, interview, theme)
    whole(draws, "draws", remedy="Use 1000 random orders.")
    n, n_themes = mentions.shape
    found = np.logical_or.accumulate(mentions.to_numpy(), axis=0).sum(axis=1)
    held = np.arange(1, n + 1)
    rng = generator(seed)
    curves = np.empty((draws, n), dtype=int)
    for draw in range(draws):
        curves[draw] = np.logical_or.accumulate(mentions.to_numpy()[rng.permutation(n)], axis=0).sum(axis=1)
    lower, upper = np.quantile(curves, [0.05, 0.95], axis=0, method="inverted_cdf")
    curve = pd.DataFrame(
        {
            "interviews": held,
            "new": np.diff(found, prepend=0),
            "found": found,
            "expected": _expected(mentions.sum().to_numpy(), n),
            "lower": lower.astype(int),
            "upper": upper.astype(int),
        }
    )
    themes = pd.DataFrame(
        {
            "theme": mentions.columns,
            "interviews": mentions.sum().to_numpy(),
            "first": mentions.to_numpy().argmax(axis=0) + 1,
        }
    ).sort_values("first", kind="stable", ignore_index=True)
    complete = (curves == n_themes).argmax(axis=1) + 1
    note = (
        f"{n} interviews, {n_themes} themes. The expected curve is exact over all orders; the band and the median are "
        f"from {draws} random orders (seed {plain(seed)})."
    )
    return Saturation(curve, themes, int((found == n_themes).argmax() + 1), float(np.median(complete)), note)


def _mentions(data: pd.DataFrame, interview: str, theme: str) -> pd.DataFrame:
    """Return interviews × themes, True where an interview mentions a theme; both in order of appearance."""
    plain_table(data, (interview, theme), row="an excerpt")
    said = []
    for column in (interview, theme):
        labels = labels_in(data[column], "labels", f"data[{plain(column)}]", where=f"of the column '{column}'")
        said.append(labels)
        if labels.isna().any():
            row = data.index[labels.isna()][0]
            raise InputError(f"Column '{column}' is empty in row {plain(row)}. Code the excerpt or leave it out.")
    if data.empty:
        raise InputError("There are no excerpts. Load the interviews first.")
    rows, columns = (labels.drop_duplicates().tolist() for labels in said)
    return pd.crosstab(*said).reindex(index=rows, columns=columns) > 0


def _expected(frequency: np.ndarray, n: int) -> np.ndarray:
    """Return the mean number of themes among 1 … n interviews over all orders."""
    held = np.arange(1, n + 1)[:, None]
    without = n - frequency[None, :]
    absent = np.zeros((n, len(frequency)))
    possible = held <= without
    absent[possible] = np.exp(
        (gammaln(without + 1) - gammaln(np.where(possible, without - held, 0) + 1) - gammaln(n + 1))[possible]
        + np.broadcast_to(gammaln(n - held + 1), absent.shape)[possible]
    )
    return (1 - absent).sum(axis=1)
