"""A row of the audit: a printed figure beside what others imply, and the verdict."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .figures import Printed

__all__ = [
    "AGREES",
    "DIFFERS",
    "IMPLIED",
    "OPEN",
    "Row",
    "overlap",
    "row_of",
    "same",
    "span_of",
    "text",
    "unchecked",
]

AGREES, DIFFERS, IMPLIED, OPEN = "agrees", "differs", "implied", "not checkable"


class Row(NamedTuple):
    """One line of the audit: a figure, as printed and as it follows from others."""

    figure: str
    printed: str
    implied: float
    low: float
    high: float
    from_figures: str
    verdict: str
    formula: str
    remark: str = ""
    decimals: int = 3
    value: float = math.nan
    unit: float = math.nan


def row_of(figure: str, printed: Printed | None, found: tuple[float, float, float], source: str, formula: str,
         remark: str = "", decimals: int = 3) -> Row:  # fmt: skip
    """Compare a printed figure with what follows from others: do the intervals overlap?"""
    if printed is None:
        return Row(figure, "", *found, source, IMPLIED, formula, remark, decimals)
    slack = 1e-9 * max(1.0, abs(found[0]) if math.isfinite(found[0]) else 1.0)
    meets = found[1] <= printed.high + slack and found[2] >= printed.low - slack
    places = 0 if decimals == 0 else max(printed.decimals + 1, 1 if decimals == 1 else 2)
    verdict = AGREES if meets else DIFFERS
    return Row(
        figure, printed.text, *found, source, verdict, formula, remark, places, printed.value, 10.0**-printed.decimals
    )


def text(value: float, places: int) -> str:
    """Return a figure with so many decimals; nothing for nan, and never a zero that is none."""
    if value is None or math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if 0 < abs(value) < 0.5 * 10.0**-places:
        return f"{value:.0e}"
    shown = f"{value:,.{places}f}"
    return shown.lstrip("-") if float(shown.replace(",", "")) == 0 else shown


def unchecked(figure: str, printed: Printed, remark: str) -> Row:
    nothing = (math.nan, math.nan, math.nan)
    unit = 10.0**-printed.decimals
    return Row(figure, printed.text, *nothing, "", OPEN, "", remark, max(printed.decimals, 0), printed.value, unit)


def span_of(function, *printed: Printed) -> tuple[float, float, float]:
    """Return a function of printed figures and its ends over their roundings; monotone in each."""
    corners = [each.span for each in printed]
    with np.errstate(all="ignore"):
        values = [function(*corner) for corner in _product(corners)]
        middle = function(*(each.value for each in printed))
    return float(middle), float(min(values)), float(max(values))


def _product(spans):
    return [()] if not spans else [(end, *rest) for end in spans[0] for rest in _product(spans[1:])]


def same(value: float) -> tuple[float, float, float]:
    return value, value, value


def overlap(found: tuple[float, float, float], printed: Printed) -> bool:
    return found[1] <= printed.high + 1e-9 and found[2] >= printed.low - 1e-9
