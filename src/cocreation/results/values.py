"""Any value as the text of a cell: what a student may put into a table, and the figures of a column in one style.

A column is written in one style: as many decimals as its figures have (three at most unless they were
rounded to more), a zero before the point or none. What is not zero is not written as zero.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from .table import COUNTS, MINUS, PROBABILITIES, fixed, number_text, without_zero

__all__ = ["Figures", "decimals", "is_figure", "is_missing", "text_of"]

#: decimals of a figure that was not rounded, and the most that a rounded one is shown with
USUAL, MOST = 3, 6
#: letters of a cell; what is longer ends in an ellipsis
LONGEST = 1000
#: from here on a figure is written with a power of ten
_HUGE = 1e15
#: below this part of the largest figure of its column a figure is what computing left of zero
_NOISE = 1e-13
#: how deep lists in lists are looked into
_DEEPEST = 3


@dataclass(frozen=True)
class Figures:
    """How the figures of a column are written.

    Attributes
    ----------
    digits : int
        Decimals.
    bounded : bool
        No zero before the point.
    largest : float
        The largest size of a figure in the column.
    powers : bool
        With powers of ten, for all are too small or too different for decimals.
    """

    digits: int = USUAL
    bounded: bool = False
    largest: float = 0.0
    powers: bool = False

    def text(self, value: float, name: str = "") -> str:
        """Return one figure as text; ``name`` says what kind of figure it is."""
        if abs(value) <= _NOISE * self.largest:
            value = 0.0
        if math.isinf(value):
            return number_text(value, name, self.digits)
        if name in COUNTS and float(value).is_integer() and abs(value) < _HUGE:
            return fixed(value, 0).replace("-", MINUS)
        probability = name in PROBABILITIES
        if abs(value) >= _HUGE or (self.powers and not probability):
            return f"{value:.1e}".replace("-", MINUS) if value else "0"
        least = self._written(10.0**-self.digits, probability)
        if float(fixed(value, self.digits)) == 0 and (value or probability):
            return f"< {least}" if value >= 0 else f"> {MINUS}{least}"
        return self._written(value, probability)

    def _written(self, value: float, probability: bool) -> str:
        text = fixed(value, self.digits)
        return (without_zero(text) if self.bounded or probability else text).replace("-", MINUS)


def decimals(numbers: Iterable[float]) -> int | None:
    """Return how many decimals the numbers have; None if they were not rounded.

    Parameters
    ----------
    numbers : iterable of float
        Finite ones.

    Examples
    --------
    >>> decimals([0.25, 3.0]), decimals([4.0, 2.0]), decimals([1 / 3])
    (2, 0, None)
    """
    array = np.fromiter(numbers, dtype=float)
    array = array[np.abs(array) < _HUGE]
    return next((digits for digits in range(MOST + 1) if (np.round(array, digits) == array).all()), None)


def is_missing(value: object) -> bool:
    """Whether there is no value: None, NaN, NaT, NA."""
    if isinstance(value, Decimal):
        return value.is_nan()  # pandas would compare it, which one that signals does not bear
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def is_figure(value: object) -> bool:
    """Whether the value is a number that may have decimals."""
    return isinstance(value, float | np.floating) and not math.isnan(value)


def text_of(value: Any, style: Figures | None = None, name: str = "", *, days: bool = False) -> str:
    """Return the text of one cell.

    Parameters
    ----------
    value : object
        Anything.
    style : Figures, optional
        How the figures of its column are written; by default as many decimals as it has.
    name : str
        What kind of figure it is.
    days : bool
        Times of the column are all midnights: leave them out.

    Examples
    --------
    >>> text_of(-0.5), text_of(True), text_of(None), text_of(["a", 2]), text_of(1e-7)
    ('−0.5', 'yes', '', 'a, 2', '1.0e−07')
    """
    text = _text(value, style, name, days, 0)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _text(value: Any, style: Figures | None, name: str, days: bool, depth: int) -> str:
    if isinstance(value, str):
        return _words(value)
    if is_missing(value):
        return ""
    if pd.api.types.is_bool(value):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return _whole(int(value))
    if is_figure(value):
        return (style or _alone(float(value))).text(float(value), name)
    if isinstance(value, complex | np.complexfloating):
        parts = [_text(part, style, "", days, depth) for part in (float(value.real), float(value.imag))]
        return f"{parts[0] or 'nan'} + {parts[1] or 'nan'}i".replace(f"+ {MINUS}", f"{MINUS} ")
    if isinstance(value, datetime) and days:
        return value.date().isoformat()
    if isinstance(value, datetime | date):
        return _words(str(value))
    if isinstance(value, pd.Interval):
        ends = [_text(end, style, "", days, depth) for end in (value.left, value.right)]
        return f"{'[' if value.closed_left else '('}{', '.join(ends)}{']' if value.closed_right else ')'}"
    return _many(value, depth)


def _many(value: Any, depth: int) -> str:
    """Text of what holds several values, or is of a kind of its own."""
    if isinstance(value, pd.DataFrame | np.ndarray) and np.ndim(value) != 1:
        return "table of " + " × ".join(map(str, value.shape)) if np.ndim(value) else _words(str(value))
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        pairs = ((_text(key, None, "", False, depth + 1), each) for key, each in value.items())
        return _joined(f"{key}: {_text(each, None, '', False, depth + 1)}" for key, each in pairs)
    if isinstance(value, set | frozenset):
        return _joined(sorted(_text(each, None, "", False, depth + 1) for each in value))
    if isinstance(value, Sequence | np.ndarray | pd.Series | pd.Index) and not isinstance(value, bytes | bytearray):
        return _joined(_text(each, None, "", False, depth + 1) for each in value)
    try:
        told = str(value)
    except Exception:  # whatever a class of the user's own raises, its table is to be seen
        return type(value).__name__
    # an address would be another one in each run
    return _words(re.sub(r" at 0x[0-9a-fA-F]+", "", told))


def _joined(parts: Iterable[str]) -> str:
    """Return the parts with commas, no more of them than a cell can hold."""
    found, length = [], 0
    for part in parts:
        found.append(part)
        length += len(part) + 2
        if length > LONGEST:
            break
    return ", ".join(found)


def _words(text: str) -> str:
    """Return text on one line; a number or a range among text gets the signs that figures have."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())
    line = line.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair cannot be stored
    if re.fullmatch(r"-(\d+\.?\d*|\.\d+)(e[+-]?\d+)?( ?%)?", line):
        return line.replace("-", MINUS)
    ends = re.fullmatch(r"([1-9]?\d|100)-([1-9]\d{0,2})", line)
    return f"{ends[1]}–{ends[2]}" if ends and int(ends[1]) < int(ends[2]) else line


def _whole(value: int) -> str:
    """Return a whole number in full, or with a power of ten where nobody would read its digits."""
    if abs(value) < 10**21:
        return str(value).replace("-", MINUS)
    power = int(math.log10(abs(value)))
    return f"{value / 10**power:.1f}e+{power}".replace("-", MINUS)


def _alone(value: float) -> Figures:
    """Return the style of a figure that stands in no column of figures."""
    if math.isinf(value):
        return Figures()
    digits = decimals([value])
    return Figures(USUAL if digits is None else digits, largest=abs(value), powers=0 < abs(value) < 10.0**-USUAL)
