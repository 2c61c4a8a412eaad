"""The pictures of a confirmatory factor analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .. import style
from ..errors import needed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["loadings", "residuals"]


def loadings(loadings: pd.DataFrame, ax: Axes | None) -> Axes:
    """Draw the standardized loadings, a row an item, as :attr:`Cfa.loadings` has them."""
    import matplotlib.pyplot as plt

    sns = needed("seaborn", "This figure")
    table = loadings.iloc[::-1].reset_index(drop=True)
    if ax is None:
        _, ax = plt.subplots(figsize=(7, max(2.5, 0.26 * len(table) + 1.1)), layout="constrained")
    factors = list(dict.fromkeys(loadings["factor"]))
    palette = sns.color_palette("colorblind", len(factors))
    for factor, colour in zip(factors, palette, strict=True):
        rows = table[table["factor"] == factor]
        ax.hlines(rows.index, 0, rows["std"], color=colour, alpha=0.35)
        ax.plot(rows["std"], rows.index, "o", color=colour, label=factor)
    ax.axvline(0.7, color="0.35", linestyle="--", linewidth=1)
    ax.set_yticks(table.index, table["item"], fontsize=9)
    ax.set_ylim(-0.8, len(table) - 0.2)
    ax.set_xlim(min(0.0, table["std"].min() - 0.05), max(1.0, table["std"].max() + 0.05))
    ax.set_xlabel("standardized loading (dashed: .70)")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return style.behind(ax, loadings[["factor", "item", "std"]])


def residuals(residuals: pd.DataFrame, ax: Axes | None) -> Axes:
    """Draw the residual correlations below the diagonal, as :attr:`Cfa.residuals` has them."""
    import matplotlib.pyplot as plt

    sns = needed("seaborn", "This figure")
    table = residuals.iloc[1:, :-1]
    size = len(table)
    if ax is None:
        # no wider than the page's column, where a larger picture would be shrunk with its labels
        width, height = min(7.0, 0.34 * size + 2.2), min(6.4, 0.3 * size + 1.2)
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    mask = np.triu(np.ones((size, size), dtype=bool), 1)
    limit = max(0.1, float(np.abs(table.to_numpy()[~mask]).max(initial=0.0)))
    sns.heatmap(
        table,
        ax=ax,
        mask=mask,
        cmap="RdBu",
        vmin=-limit,
        vmax=limit,
        square=True,
        linewidths=0.5,
        xticklabels=True,
        yticklabels=True,
        cbar_kws={"label": "residual correlation", "shrink": 0.8},
    )
    ax.set_xlabel("")
    ax.set_ylabel("")
    ax.grid(visible=False)
    ax.tick_params(axis="x", labelsize=9, rotation=90)
    ax.tick_params(axis="y", labelsize=9, rotation=0)
    return style.behind(ax, table.where(~mask).rename_axis("item"))
