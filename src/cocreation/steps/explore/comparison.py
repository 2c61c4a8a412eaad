"""Extractions and rotations of the same items beside each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import style
from ...inputs.answers import items_frame
from ...results.result import Result
from .extraction import Extraction, components, factors
from .number import n_factors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, repr=False)
class Comparison(Result):
    """Components with varimax beside common factors with oblimin.

    Attributes
    ----------
    loadings : DataFrame
        Columns item, component, component_loading, component_communality, factor,
        factor_loading, factor_communality: each item's largest loading in both.
        Extraction *and* rotation differ, and an oblique pattern may load higher
        than either; the communalities are what no rotation touches.
    variance : DataFrame
        Columns solution, number, percent (of the items' total variance).
    rules : DataFrame
        Columns rule, number: how many factors each rule keeps.
    phi : DataFrame
        Correlations of the common factors.
    components, factors : Extraction
    note : str
    """

    title = "Components and common factors side by side"

    loadings: pd.DataFrame
    variance: pd.DataFrame
    rules: pd.DataFrame
    phi: pd.DataFrame
    components: Extraction
    factors: Extraction
    note: str

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each item's communality in both solutions, joined by a line.

        Communalities, because they do not depend on the rotation: only the extraction tells them apart.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        table = self.loadings.iloc[::-1].reset_index(drop=True)
        ax = style.axes(ax, height=max(220, 20 * len(table) + 90))
        first, second = table["component_communality"], table["factor_communality"]
        ax.hlines(table.index, first, second, color=style.MUTED, linewidth=1)
        ax.plot(first, table.index, "D", color=style.MUTED, markersize=5)
        ax.plot(second, table.index, "o", color=style.ACCENT)
        top = table.index[-1]
        ends = sorted([(first[top], "components", style.MUTED), (second[top], "common factors", style.ACCENT)])
        for (value, name, colour), side, ha in zip(ends, (-8, 8), ("right", "left"), strict=True):
            style.note(ax, value, top, name, dx=side, colour=colour, ha=ha)
        ax.set_yticks(table.index, table["item"])
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.grid(axis="x")
        ax.set_ylim(-0.7, len(table) - 0.3)
        ax.set_xlabel("communality: variance of the item that is explained")
        # dots, not bars: the axis may begin near the smallest one
        ax.set_xlim(max(0.0, np.floor(10 * min(first.min(), second.min())) / 10), 1.01)
        return style.behind(ax, self.loadings[["item", "component_communality", "factor_communality"]])


def compare(
    data: pd.DataFrame,
    n: int | None = None,
    *,
    items: Iterable[str] | None = None,
    draws: int = 1000,
    seed: int = 20240,
) -> Comparison:
    """Return the published kind of analysis beside a proper common-factor analysis.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    n : int, optional
        How many components and factors; by default the number of eigenvalues above 1.
    items : iterable of str, optional
        The items; all columns by default.
    draws, seed : int
        For parallel analysis; see :func:`n_factors`.

    Returns
    -------
    Comparison
        Both solutions, an item's largest loading and communality in each, explained variance, and what each rule says
        of the number of factors.

    Raises
    ------
    InputError, EstimationError
        As :func:`components`, :func:`factors` and :func:`n_factors`.

    See Also
    --------
    components : The published kind of analysis.
    factors : The common factors.
    n_factors : The rules.
    explore : The published selection of items.
    cocreation.steps.report.compare : Figures beside the published ones.

    Notes
    -----
    The R calls are those of :func:`components`, :func:`factors` and :func:`n_factors`. No R call sets them side by
    side.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> world = population.load()
    >>> answers = sample.draw(300, seed=1, items=world.kept())
    >>> print(compare(answers, 5, draws=100).variance.round(1).to_string(index=False))
                         solution  number  percent
    principal components, varimax       5     85.7
          minres factors, oblimin       5     81.3
    """
    frame = items_frame(data, items)
    number_of = n_factors(frame, draws=draws, seed=seed)
    component = components(frame, n)
    common = factors(frame, component.loadings.shape[1])
    left, right = component.primary, common.primary
    loadings = pd.DataFrame(
        {
            "item": left["item"],
            "component": left["factor"],
            "component_loading": left["loading"],
            "component_communality": left["communality"],
            "factor": right["factor"],
            "factor_loading": right["loading"],
            "factor_communality": right["communality"],
        }
    )
    number = component.loadings.shape[1]
    variance = pd.DataFrame(
        {
            "solution": ["principal components, varimax", "minres factors, oblimin"],
            "number": [number, number],
            "percent": [component.variance["cumulative"].iloc[-1], common.variance["cumulative"].iloc[-1]],
        }
    )
    note = f"Both with Kaiser normalization. {number_of.note}"
    return Comparison(loadings, variance, number_of.rules, common.phi, component, common, note)
