"""The pictures of the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import style
from ..errors import InputError, plain
from . import implied

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw"]

#: colours that stay apart for the colour-blind; the marks differ as well
_BLUE, _VERMILION, _GREY = "#0072b2", "#d55e00", "#5f5f5f"
_MARKS = {"agrees": ("o", _BLUE), "differs": ("X", _VERMILION)}


def draw(table: pd.DataFrame, readings: pd.DataFrame, ax: Axes | None, kind: str) -> Axes:
    """Draw one of the kinds of :meth:`Audit.plot` from the tables of an audit.

    Raises
    ------
    InputError
        For another kind, or if what the kind needs is not among the figures.
    """
    if kind == "figures":
        return _figures(table, ax)
    if kind == "rmsea":
        return _rmsea(table.set_index("figure"), readings, ax)
    raise InputError(f"kind is 'figures' or 'rmsea', not {plain(kind)}. Choose one of them.")


def _figures(table: pd.DataFrame, ax: Axes | None) -> Axes:
    """A row a printed figure that others imply: what follows, less what is printed, in last printed digits."""
    import matplotlib.pyplot as plt

    rows = table[table["verdict"].isin(_MARKS) & table["value"].notna() & np.isfinite(table["implied"])]
    rows = (
        rows[~rows["printed"].str.startswith("≤") & ~rows["formula"].eq("alpha ≤ CR")].iloc[::-1].reset_index(drop=True)
    )
    if rows.empty:
        raise InputError("No printed figure follows from others, so there is nothing to draw. Give further figures.")
    ax = ax if ax is not None else plt.subplots(figsize=(7, 0.3 * len(rows) + 1.4), layout="constrained")[1]
    unit = rows["unit"].to_numpy(float)
    away = {end: (rows[end] - rows["value"]).to_numpy() / unit for end in ("implied", "low", "high")}
    ax.axvspan(-0.5, 0.5, color=_BLUE, alpha=0.15, linewidth=0)
    ax.axvline(0, color=_BLUE, linewidth=1)
    for verdict, (mark, colour) in _MARKS.items():
        for row in np.flatnonzero(rows["verdict"] == verdict):
            ax.plot(
                [away["low"][row], away["high"][row]], [row, row], color=colour, linewidth=2.5, solid_capstyle="butt"
            )
            ax.plot(away["implied"][row], row, mark, color=colour, markersize=7)
        if (rows["verdict"] == verdict).any():
            ax.plot([], [], mark, color=colour, markersize=7, label=verdict)
    ax.set_xscale("symlog", linthresh=1, linscale=0.8)
    edge = max(3.0, 1.6 * float(np.nanmax(np.abs(np.concatenate([v[np.isfinite(v)] for v in away.values()])))))
    places = (-1000, -10, 0, 10, 1000) if edge > 300 else (-100, -10, -1, 0, 1, 10, 100)
    ticks = [t for t in places if abs(t) <= edge]
    ax.set_xticks(ticks, [f"{t:+d}".replace("-", "−") if t else "0" for t in ticks])
    ax.minorticks_off()
    ax.set(xlim=(-edge, edge), ylim=(-0.7, len(rows) - 0.3), ylabel="")
    ax.set_xlabel("what follows minus what is printed, in units of the last printed digit")
    ax.set_yticks(rows.index, rows["figure"])
    ax.grid(axis="y", visible=False)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=9.5)
    _numbers(ax, rows)
    return style.behind(ax, rows.iloc[::-1][["figure", "printed", "implied", "low", "high", "verdict"]])


def _numbers(ax: Axes, rows) -> None:
    right = ax.twinx()
    right.set_ylim(ax.get_ylim())
    texts = []
    for row in rows.itertuples():
        texts.append(f"{row.printed or format(row.value, 'g')} ← {row.implied:,.{min(row.decimals, 4)}f}")
    right.set_yticks(rows.index, texts)
    right.grid(visible=False)
    for axes in (ax, right):
        axes.tick_params(axis="y", length=0, labelsize=9.5)
    right.annotate("printed\n← follows", (1, 1), (6, 4), "axes fraction", "offset points", fontsize=9.5)


def _rmsea(table: pd.DataFrame, readings: pd.DataFrame, ax: Axes | None) -> Axes:
    """The RMSEA that a chi-square/df implies at each N, with the printed one and the readings."""
    import matplotlib.pyplot as plt

    needed = {"N": "n", "RMSEA": "rmsea", "chi-square/df": "chi2_df"}
    lacking = [name for name in needed if name not in table.index or np.isnan(table.loc[name, "value"])]
    derived_ratio = "chi-square/df" in lacking and "chi-square/df" in table.index
    if [name for name in lacking if not (name == "chi-square/df" and derived_ratio)]:
        raise InputError(
            f"This picture needs N, RMSEA and chi-square/df; there is no {lacking[0]}. Choose kind='figures'."
        )
    n, rmsea = float(table.loc["N", "value"]), table.loc["RMSEA"]
    ratio = float(table.loc["chi-square/df", "implied" if derived_ratio else "value"])
    ax = ax if ax is not None else plt.subplots(figsize=(7, 4.2), layout="constrained")[1]
    readings = readings.dropna(subset=["n", "rmsea", "chi2_df"])
    low, high = rmsea["value"] - rmsea["unit"] / 2, rmsea["value"] + rmsea["unit"] / 2
    ax.axhspan(low, high, color="#8a8a8a", alpha=0.3, linewidth=0, label=f"printed RMSEA: {rmsea['printed']}")
    sizes = [n, *readings["n"]]
    left, right = 0.7 * min(sizes), 1.25 * max(sizes)
    at = np.linspace(left, right, 200)
    others = sorted({round(float(r), 3) for r in readings["chi2_df"]} - {round(ratio, 3)})
    for each, dashes in zip([ratio, *others], ["-", "--", ":", "-."], strict=False):
        ax.plot(
            at,
            [implied.rmsea_from_ratio(each, size) for size in at],
            dashes,
            color=_BLUE,
            label=f"chi-square/df = {each:.3f}",
        )
    ax.axvline(n, color=_GREY, linewidth=1, linestyle=":", label=f"printed N: {n:.0f}")
    marks = {
        True: ("o", _BLUE, "alphas possible"),
        False: ("X", _VERMILION, "alphas impossible"),
        None: ("o", _BLUE, "a reading"),
    }
    for number, row in enumerate(readings.itertuples(), start=1):
        mark, colour, label = marks[row.alphas_possible]
        ax.plot(row.n, row.rmsea, mark, color=colour, markersize=9, label=label)
        ax.annotate(f"reading {number}", (row.n, row.rmsea), xytext=(8, 8), textcoords="offset points")
    ax.set(xlabel="respondents", ylabel="implied RMSEA", xlim=(left, right))
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    ax.legend(handles.values(), handles.keys(), frameon=False, fontsize=9.5)
    return style.behind(ax, readings)
