"""Polychoric correlations of ordered answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import style
from ...cfa.categories import as_categories, singularity
from ...core import polychoric as core
from ...core.moments import correlation
from ...core.ties import without_noise
from ...inputs.answers import items_frame, used
from ...results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Polychoric", "polychoric"]


@dataclass(frozen=True, repr=False)
class Polychoric(Result):
    """Polychoric correlations of ordered answers beside Pearson's.

    Attributes
    ----------
    correlations : DataFrame, shape (items, items)
        Polychoric correlations.
    thresholds : DataFrame
        Columns item, threshold (t1, t2, …), below, above (the answers it parts), estimate,
        se: where the standard normal response behind an item is cut.
    pairs : DataFrame
        Columns first, second, pearson, polychoric, se, difference; a row a pair of items.
    warnings : DataFrame
        Columns subject, warning: thin or empty categories, a matrix that no factor
        analysis can take.
    n : int
        Respondents used.
    note : str
    """

    title = "Polychoric correlations"

    correlations: pd.DataFrame
    thresholds: pd.DataFrame
    pairs: pd.DataFrame
    warnings: pd.DataFrame
    n: int
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return both kinds of correlation in brief, those that differ most, the thresholds, and warnings.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        sizes = self.pairs[["pearson", "polychoric"]].abs()
        brief = {"pairs": len(self.pairs)} | {f"mean |{name}|": sizes[name].mean() for name in sizes}
        brief |= {
            "largest difference": self.pairs["difference"].abs().max(),
            "smallest eigenvalue": np.linalg.eigvalsh(self.correlations)[0],
        }
        difference = without_noise(self.pairs["difference"].abs())
        most = difference.sort_values(ascending=False, kind="stable").index[:5]
        groups = self.thresholds.groupby("item", sort=False)
        wide = pd.DataFrame({item: rows.set_index("threshold")["estimate"] for item, rows in groups}).T
        shown = {"Pearson and polychoric": pd.DataFrame([brief])}
        shown["pairs that differ most"] = self.pairs.loc[most].reset_index(drop=True)
        shown["thresholds"] = wide
        if len(self.warnings):
            shown["warnings"] = self.warnings
        return shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a heatmap: polychoric correlations below the diagonal, Pearson's above.

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
        size = len(self.correlations)
        if ax is None:
            width, height = min(7.0, 0.34 * size + 2.4), min(6.4, 0.3 * size + 1.6)
            _, ax = plt.subplots(figsize=(width, height), layout="constrained")
        shown = self.correlations.to_numpy().copy()
        place = {item: i for i, item in enumerate(self.correlations)}
        for row in self.pairs.itertuples():
            shown[place[row.first], place[row.second]] = row.pearson
        np.fill_diagonal(shown, np.nan)
        heat = pd.DataFrame(shown, self.correlations.index, self.correlations.columns)
        sns.heatmap(
            heat,
            ax=ax,
            cmap="RdBu",
            vmin=-1,
            vmax=1,
            square=True,
            linewidths=0.5,
            xticklabels=True,
            yticklabels=True,
            cbar_kws={"label": "correlation", "shrink": 0.8},
        )
        ax.set_title("below: polychoric · above: Pearson", fontsize=10)
        ax.grid(visible=False)
        ax.tick_params(axis="x", labelsize=9, rotation=90)
        ax.tick_params(axis="y", labelsize=9, rotation=0)
        return style.behind(ax, heat.rename_axis("item"))


def polychoric(data: pd.DataFrame, items: Iterable[str] | None = None) -> Polychoric:
    """Return the polychoric correlations of ordered answers, their thresholds, and Pearson's beside them.

    A Likert answer is taken as a normal response that was cut into categories. The
    polychoric correlation is that of the responses; Pearson's, of the category
    numbers, is smaller, the more so the fewer the categories and the more skewed they are.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers as whole numbers, at most 12 different ones an item; they need not begin
        at 1. Respondents with a missing one are left out.
    items : iterable of str, optional
        The items; all columns by default.

    Returns
    -------
    Polychoric
        Correlations, shape (items, items), a row a threshold, a row a pair with both correlations, warnings.

    Raises
    ------
    InputError
        For data that cannot be taken: not whole numbers, so many different answers that
        the item looks continuous, a constant item.
    EstimationError
        If no respondent contradicts a perfect correlation of two items.

    See Also
    --------
    factors : Common factors, of Pearson's correlations.
    adequacy : Whether to factor at all.
    cocreation.steps.purify.ordinal_alpha : Alpha of these correlations.
    cocreation.steps.confirm.cfa : With WLSMV, a model of them.

    Notes
    -----
    Two steps (Olsson 1979): thresholds from each item's own proportions, then each
    correlation by maximum likelihood. In R, ``lavaan::lavCor(x, ordered = names(x))``, with which they
    agree to seven decimals; an empty cell in a table of 2 × 2 gets half a respondent,
    larger tables are left alone. psych's ``polychoric`` adds to empty cells of every table
    and so differs in the second or third decimal. Standard errors after Muthén (1984).

    Examples
    --------
    >>> from cocreation.survey import sample
    >>> found = polychoric(sample.draw(300, seed=1), ["DO01", "DO02", "DO05"])
    >>> print(found.pairs.round(3).to_string(index=False))
    first second  pearson  polychoric    se  difference
     DO01   DO02    0.894       0.930 0.010       0.035
     DO01   DO05    0.820       0.857 0.018       0.036
     DO02   DO05    0.791       0.826 0.022       0.035
    """
    frame = items_frame(data, items)
    codes, answers, warnings = as_categories(frame)
    found = core.polychoric(codes, list(map(str, frame.columns)))
    names = list(frame.columns)
    row, column = found.pairs
    # in the order of reading: the first item with all others, then the second
    order = np.lexsort((row, column))
    pearson, r = correlation(frame.to_numpy()), found.correlations
    se = np.sqrt(np.diag(found.covariance))
    thresholds = len(se) - len(row)
    pairs = pd.DataFrame(
        {
            "first": [names[i] for i in column[order]],
            "second": [names[i] for i in row[order]],
            "pearson": pearson[row, column][order],
            "polychoric": r[row, column][order],
            "se": se[thresholds:][order],
        }
    )
    pairs["difference"] = pairs["polychoric"] - pairs["pearson"]
    note = (
        f"Two-step maximum likelihood over each pair's table, listwise: {used(frame, data)}; an empty cell of a 2 × 2 "
        "table gets half a respondent. It supposes a bivariate normal response behind each pair of items."
    )
    return Polychoric(
        pd.DataFrame(r, names, names),
        _thresholds(names, found.thresholds, answers, se[:thresholds]),
        pairs,
        pd.DataFrame([*warnings, *singularity(r)], columns=["subject", "warning"]),
        len(frame),
        note,
    )


def _thresholds(names: list[str], thresholds: list[np.ndarray], answers: list[list[int]], se: np.ndarray):
    rows = [
        (name, f"t{i + 1}", values[i], values[i + 1], cut)
        for name, cuts, values in zip(names, thresholds, answers, strict=True)
        for i, cut in enumerate(cuts)
    ]
    return pd.DataFrame(rows, columns=["item", "threshold", "below", "above", "estimate"]).assign(se=se)
