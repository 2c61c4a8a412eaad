"""The published figures beside their twin's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import style
from ...errors import InputError
from ...results.result import Result
from ...results.table import fixed, without_zero
from ...survey import datasets

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["VERDICTS", "Twin", "compare"]

#: within the tolerance, outside it, impossible beside the other figures, or not in the study at all
VERDICTS = ("within", "outside", "not attainable together", "not reported")

#: marks differ in shape and colour; how many tolerances the picture of the twin reaches to either side
_MARKS = {
    "within": ("o", "#0072b2"),
    "outside": ("X", "#d55e00"),
    "not attainable together": ("D", "#5f5f5f"),
}
_EDGE = 3.0
_COLUMNS = ["figure", "published", "reproduced", "difference", "tolerance", "verdict", "reason"]


@dataclass(frozen=True, repr=False)
class Twin(Result):
    """The published figures beside those of the synthetic twin.

    Attributes
    ----------
    table : DataFrame
        One row a figure: figure, published, reproduced, difference, tolerance,
        verdict (one of :data:`VERDICTS`), reason, and id, step, kind, decimals as in
        ``published.toml``. Of a bound (kind "above" or "below") the reproduced figure is
        the one closest to it.
    note : str
    """

    table: pd.DataFrame
    note: str

    title = "The published study and its twin"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the table with every figure in the decimals it is printed with.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        shown = self.table[["figure", "published", "reproduced", "difference", "tolerance", "verdict"]].astype(object)
        for row in self.table.itertuples():
            places = int(row.decimals)
            bound = row.kind in ("above", "below")
            finer = 3 if bound else max(places, 1) if row.kind == "percentage" else places
            # what cannot exceed 1, or by custom is written as if it could not
            fraction = finer > 1 and np.nanmax(np.abs([row.published, row.reproduced])) <= 1
            written = without_zero if fraction else str
            for column, digits in {"published": places, "reproduced": finer, "difference": finer}.items():
                value = getattr(row, column)
                shown.loc[row.Index, column] = "" if np.isnan(value) else written(fixed(value, digits))
            shown.loc[row.Index, "tolerance"] = "" if np.isnan(row.tolerance) else written(f"{row.tolerance:g}")
            if bound:
                shown.loc[row.Index, ["published", "difference"]] = [
                    f"{row.kind} {shown.loc[row.Index, 'published']}",
                    "",
                ]
                shown.loc[row.Index, "figure"] = row.figure.removesuffix(f", {row.kind}")
            # a probability is never zero, however it is rounded
            if row.kind == "below" and 0 <= row.reproduced < 0.5 * 10.0**-finer:
                shown.loc[row.Index, "reproduced"] = "< " + without_zero(f"{10.0**-finer:.{finer}f}")
        return {"": shown}

    def records(self) -> list[dict[str, object]]:
        """Return the table as plain records, for JSON.

        Returns
        -------
        list of dict
            One a figure.
        """
        return json.loads(self.table.to_json(orient="records", force_ascii=False))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how far each reproduced figure is from the published one, in units of its tolerance.

        A row a figure that has a tolerance other than zero, in the order of the steps;
        both numbers stand to the right. Whatever is more than three tolerances away
        is an arrow at the edge.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        import matplotlib.pyplot as plt

        table = self.table[self.table["tolerance"].gt(0)].iloc[::-1].reset_index(drop=True)
        ax = ax if ax is not None else plt.subplots(figsize=(7, 0.29 * len(table) + 1.3), layout="constrained")[1]
        ax.axvspan(-1, 1, color="#0072b2", alpha=0.10, linewidth=0)
        ax.axvline(0, color="#0072b2", linewidth=1)
        offset = table["difference"] / table["tolerance"]
        for verdict, (mark, colour) in _MARKS.items():
            rows = table["verdict"] == verdict
            inside, beyond = rows & (offset.abs() <= _EDGE), rows & (offset.abs() > _EDGE)
            if rows.any():
                ax.plot([], [], ">" if beyond[rows].all() else mark, color=colour, markersize=7, label=verdict)
            ax.plot(offset[inside], table.index[inside], mark, color=colour, markersize=7)
            for row in table.index[beyond]:
                side = np.sign(offset[row])
                ax.plot(side * (_EDGE - 0.15), row, ">" if side > 0 else "<", color=colour, markersize=9)
        steps = table["step"]
        for row in table.index[1:][(steps != steps.shift())[1:]]:
            ax.axhline(row - 0.5, color="0.6", linewidth=0.8, linestyle=":")
        ax.set_yticks(table.index, table["figure"])
        ax.set(xlim=(-_EDGE, _EDGE), ylim=(-0.7, len(table) - 0.3))
        ax.set(xlabel="reproduced minus published, in tolerances", ylabel="")
        ax.grid(axis="y", visible=False)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9.5)
        _both_numbers(ax, table)
        return style.behind(ax, table.iloc[::-1].drop(columns="decimals"))


def _both_numbers(ax: Axes, table: pd.DataFrame) -> None:
    """Write the published and the reproduced figure of each row to the right of the axes."""
    right = ax.twinx()
    right.set_ylim(ax.get_ylim())
    texts = [
        f"{row.published:.{int(row.decimals)}f} → {row.reproduced:.{max(int(row.decimals), 1)}f}"
        for row in table.itertuples()
    ]
    right.set_yticks(table.index, texts)
    right.grid(visible=False)
    for axes in (ax, right):
        axes.tick_params(axis="y", length=0, labelsize=9.5)
    right.annotate("published\n→ reproduced", (1, 1), (6, 4), "axes fraction", "offset points", fontsize=9.5)


def compare(reproduced: Mapping[str, float], published: pd.DataFrame | None = None) -> pd.DataFrame:
    """Set reproduced figures beside the published ones and give each a verdict.

    Parameters
    ----------
    reproduced : mapping
        Figure id to value; every figure of the published ones that is not a rule or
        a fact.
    published : DataFrame, optional
        As :func:`cocreation.survey.datasets.published` returns it, the default.

    Returns
    -------
    DataFrame
        As ``Twin.table``.

    Raises
    ------
    InputError
        If a figure is missing or unknown.

    See Also
    --------
    twin : Reproduce the figures and compare them.
    audit_study : Compare the published figures with each other.
    cocreation.survey.datasets.published : The published figures.
    cocreation.steps.explore.compare : Components beside common factors.

    Examples
    --------
    >>> import pandas as pd
    >>> printed = pd.DataFrame({"id": ["rmsea"], "step": "confirm", "kind": "estimate", "label": "RMSEA"})
    >>> printed = printed.assign(value=0.073, decimals=3, tolerance=0.002, together=True, reason="", note="")
    >>> print(compare({"rmsea": 0.0745}, printed)[["published", "reproduced", "verdict"]].to_string(index=False))
     published  reproduced verdict
         0.073      0.0745  within
    """
    if not isinstance(reproduced, Mapping):
        raise InputError(
            f"Expected a mapping from figure to value, got {type(reproduced).__name__}. Write {{'rmsea': 0.073, …}}."
        )
    published = datasets.published() if published is None else published
    wanted = published[~published["kind"].isin(["rule", "fact"])]
    unknown = sorted(set(reproduced) - set(wanted["id"]))
    missing = [name for name in wanted["id"] if name not in reproduced]
    if unknown or missing:
        culprit, what = (unknown[0], "is not a published figure") if unknown else (missing[0], "was not reproduced")
        raise InputError(f"The figure '{culprit}' {what}. Look up the ids in published.toml.")
    rows = []
    for row in wanted.itertuples():
        value = float(reproduced[row.id])
        printed = np.nan if row.kind == "unreported" else float(row.value)
        verdict, tolerance = _verdict(row, value, printed)
        label = f"{row.label}, {row.kind}" if row.kind in ("above", "below") else row.label
        reason = row.reason or row.note or ("The study does not give this figure." if verdict == "not reported" else "")
        about = (row.id, row.step, row.kind, int(row.decimals))
        rows.append((label, printed, value, value - printed, tolerance, verdict, reason, *about))
    return pd.DataFrame(rows, columns=[*_COLUMNS, "id", "step", "kind", "decimals"])


def _verdict(row, value: float, printed: float) -> tuple[str, float]:
    if row.kind == "unreported":
        return "not reported", np.nan
    if row.kind in ("above", "below"):
        return ("within" if (value > printed) == (row.kind == "above") else "outside"), np.nan
    if not row.together:
        return "not attainable together", float(row.tolerance)
    # a figure printed in rounded form may be off by exactly half a unit
    return ("within" if abs(value - printed) <= row.tolerance + 1e-9 else "outside"), float(row.tolerance)
