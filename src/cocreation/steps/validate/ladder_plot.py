"""The picture of the ladder of invariance; a room behind :mod:`cocreation.steps.validate.invariance`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import style
from ...results.table import fixed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ladder"]

#: colour and mark of a verdict, told apart without colour as well
MARKS = {"holds": ("#0072b2", "o"), "doubtful": ("#e69f00", "^"), "fails": ("#d55e00", "X")}
_RAILS = (0.0, 0.185)
_PANELS = {"cfi": (0.43, 0.25), "rmsea": (0.74, 0.25)}


def ladder(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw a rung a level, the first at the bottom: verdict, χ²/df, CFI and RMSEA with its interval, and what changed.

    Parameters
    ----------
    table : DataFrame
        As :attr:`Invariance.table <cocreation.steps.validate.Invariance>`.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
    """
    import matplotlib.pyplot as plt

    height = len(table)
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 0.72 * height + 1.1), layout="constrained")
    ax.set(xlim=(-0.01, 1.0), ylim=(-0.6, height - 0.4))
    ax.axis("off")
    ax.vlines(_RAILS, -0.45, height - 0.55, color="0.35", linewidth=3)
    for y, row in enumerate(table.itertuples()):
        colour, _ = MARKS[row.verdict]
        ax.hlines(y, *_RAILS, color=colour, linewidth=6)
        middle = sum(_RAILS) / 2
        ax.text(middle, y + 0.1, row.level, ha="center", va="bottom", fontsize=10)
        ax.text(middle, y - 0.1, row.verdict, ha="center", va="top", fontsize=9, color="0.25")
        ax.text(0.2, y, _chi_square(row), ha="left", va="center", fontsize=9)
    _panel(ax, table, "cfi", "CFI (dashed: .90)", 0.90)
    _panel(ax, table, "rmsea", "RMSEA (dashed: .08)", 0.08)
    return style.behind(ax, table)


def _chi_square(row) -> str:
    text = f"χ²/df = {row.chi2 / row.df:.2f}" if row.df else "df = 0"
    if pd.notna(row.delta_df) and pd.notna(row.delta_chi2):
        p = "p < .001" if row.delta_p < 0.0005 else f"p = {_short(row.delta_p)}"
        text += f"\nΔχ² = {fixed(row.delta_chi2, 1)}\nΔdf = {row.delta_df}, {p}"
    return text


def _short(value: float) -> str:
    """Return a figure that cannot exceed 1 as papers print it."""
    return fixed(value, 3).replace("0.", ".", 1).replace("-", "−")


def _panel(ax: Axes, table: pd.DataFrame, name: str, label: str, limit: float) -> None:
    left, width = _PANELS[name]
    low, high = ax.get_ylim()
    inner = ax.inset_axes((left, low, width, high - low), transform=ax.transData)
    values = table[name].to_numpy(dtype=float)
    reach = [values, [limit]]
    if name == "rmsea":
        reach += [table["rmsea_lower"].to_numpy(dtype=float), table["rmsea_upper"].to_numpy(dtype=float)]
    reach = np.concatenate(reach)
    inner.axvline(limit, color="0.35", linestyle="--", linewidth=1)
    for y, row in enumerate(table.itertuples()):
        colour, mark = MARKS[row.verdict]
        if name == "rmsea":
            inner.hlines(y, row.rmsea_lower, row.rmsea_upper, color=colour, linewidth=2)
        inner.plot(values[y], y, mark, color=colour, markersize=7)
        change = getattr(row, f"delta_{name}")
        if np.isfinite(values[y]):
            text = _short(values[y]) + ("" if pd.isna(change) else f"  (Δ {_signed(change)})")
            where = {"transform": inner.get_yaxis_transform(), "ha": "center", "va": "bottom", "fontsize": 9}
            # the limit's line must not strike the figure out
            inner.text(0.5, y + 0.16, text, **where, bbox={"facecolor": ax.get_facecolor(), "linewidth": 0, "pad": 1})
    margin = 0.12 * max(np.nanmax(reach) - np.nanmin(reach), 0.02)
    inner.set(ylim=(low, high), xlim=(np.nanmin(reach) - margin, np.nanmax(reach) + margin), yticks=[])
    inner.set_xlabel(label, fontsize=9)
    inner.tick_params(axis="x", labelsize=9)
    inner.locator_params(axis="x", nbins=4)
    inner.spines[["left", "right", "top"]].set_visible(False)
    inner.grid(visible=False)


def _signed(change: float) -> str:
    text = _short(change)
    return text if text.startswith("−") or float(fixed(change, 3)) == 0 else f"+{text}"
