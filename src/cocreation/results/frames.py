"""Any DataFrame or Series as a table of the house: what a notebook shows when a cell ends with one.

The frame is shown as it is – no column is renamed, turned or left out – but read as a reader would have it:
names of measures as the field writes them, index names over the columns they name, figures in one style a
column. :mod:`.table` does the same for results, which know more of their columns.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

import numpy as np
import pandas as pd

from .heads import BOUNDED, COUNTS, PROBABILITIES
from .names import head_of, joined, kind_of, row_names
from .table import LIMITS, LOADINGS, Column, Runs, Table, are_figures, leading_text, named_once, plain
from .values import USUAL, Figures, decimals, is_figure, is_missing, text_of

__all__ = ["displayed"]

#: more figures than this that all end early were not cut short by chance
_BY_CHANCE = 3
#: columns shown where pandas would measure the terminal
_COLUMNS = 20
#: a column whose largest figure is smaller needs more decimals than usual
_SMALL = 0.01
#: figures that say nothing of what they belong to: of a correlation, which is bounded, or of a mean, which is not
_BESIDE = frozenset({*LIMITS, "se", "se0", "z", "t"})
#: figures that can exceed 1 even where these do not
_FREE = frozenset({"d", "estimate", "mean", "sd"})
#: from here on figures are of another size than those that 1 might bound
_OTHER = 10.0


def displayed(frame: pd.DataFrame | pd.Series) -> Table:
    """Return the table of any DataFrame or Series, without number and title.

    Parameters
    ----------
    frame : DataFrame or Series
        As many rows and columns of it are shown as pandas' options ``display.max_rows`` and
        ``display.max_columns`` say; an index that counts from 0 is not.

    Returns
    -------
    Table

    Examples
    --------
    >>> shown = displayed(pd.DataFrame({"df": [179.0], "cfi": [0.956]}, index=["five factors"]))
    >>> shown.rows
    [('five factors', '179', '.956')]
    """
    series = isinstance(frame, pd.Series)
    if series:
        frame = frame.to_frame(name="" if frame.name is None else frame.name)
    rows, columns = frame.shape
    shown, cut = _fewer_rows(frame)
    shown, gap = _fewer_columns(shown)
    matrix = _is_matrix(shown)
    stubs = _stubs(shown, matrix) if series or not _counts(frame.index) else []
    values = [_values(shown.iloc[:, position]) for position in range(shown.shape[1])]
    body = _body(shown, values, matrix)
    if gap is not None:
        left_out = (f"… {columns - shown.shape[1]} more columns", False)
        body.insert(gap, Column((left_out,), (), ("",) * len(shown), False))
    body = _spanned(body, shown.columns)
    if not stubs and body:
        body = named_once(body, [column.key for column in body], leading_text(body))
    blank = any(is_missing(value) for column in values for value in column)
    note = _note((rows, columns), shown.columns, empty=not (stubs or body), cut=shown.shape != frame.shape, blank=blank)
    stub = len(stubs) or leading_text(body)
    return Table(None, (), (*stubs, *body), note, stub, (cut, f"… {rows - len(shown)} more rows") if cut else None)


def _fewer_rows(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Leave out the middle of a long frame; return where, 0 if nowhere."""
    most = pd.get_option("display.max_rows")
    if not most or len(frame) <= most:
        return frame, 0
    first = max(1, min(pd.get_option("display.min_rows") or most, most) // 2)
    return frame.iloc[[*range(first), *range(len(frame) - first, len(frame))]], first


def _fewer_columns(frame: pd.DataFrame) -> tuple[pd.DataFrame, int | None]:
    most = pd.get_option("display.max_columns")
    most = _COLUMNS if most == 0 else most
    if most is None or frame.shape[1] <= most:
        return frame, None
    first = max(1, most // 2)
    return frame.iloc[:, [*range(first), *range(frame.shape[1] - first, frame.shape[1])]], first


def _counts(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1 and index.name is None


def _is_matrix(frame: pd.DataFrame) -> bool:
    if _counts(frame.index) or frame.index.nlevels > 1 or frame.columns.nlevels > 1 or len(set(frame.shape)) > 1:
        return False
    return list(map(text_of, frame.index)) == list(map(text_of, frame.columns))


def _stubs(frame: pd.DataFrame, matrix: bool) -> list[Column]:
    """The levels of the index, each but the last named on the first row of its group only."""
    found = []
    for level, name in enumerate(frame.index.names):
        values = list(frame.index.get_level_values(level))
        over = head_of(name)
        column = _column(values, _style([values], [""])[0], [""] * len(values), name, joined(over))
        named = None if matrix else row_names(values)
        column = replace(column, cells=tuple(named)) if named else column
        found.append(column)
    cells = [column.cells for column in found]
    new = [0] * len(frame)
    for row in range(1, len(frame)):
        before, here = ([column[at] for column in cells] for at in (row - 1, row))
        new[row] = next((level for level, pair in enumerate(zip(before, here, strict=True)) if pair[0] != pair[1]), 0)
    return [
        replace(column, cells=tuple(cell if new[row] <= level else "" for row, cell in enumerate(column.cells)))
        for level, column in enumerate(found)
    ]


def _body(frame: pd.DataFrame, values: list[list[Any]], matrix: bool) -> list[Column]:
    labels = [label[-1] if isinstance(label, tuple) and label else label for label in frame.columns]
    kinds = [""] * len(labels) if matrix else [kind_of(label) for label in labels]
    by_row = [kind_of(name) for name in frame.index] if frame.index.nlevels == 1 and not matrix else [""] * len(frame)
    found = []
    for position, style in enumerate(_style(values, kinds, by_row)):
        label = frame.columns[position]
        if isinstance(label, tuple) and frame.columns.nlevels > 1:
            over = ", ".join(plain(joined(head_of(part))) for part in label[:-1] if text_of(part))
            spanner: Runs = ((over, False),) if over else ()
            head, own = head_of(label[-1])
            head, spanner = (head, spanner or own) if head else (spanner, ())
        elif matrix:
            head, spanner = (((text_of(label), False),) if text_of(label) else ()), ()
        else:
            head, spanner = head_of(label)
        names = [kinds[position] or row for row in by_row]
        found.append(_column(values[position], style, names, labels[position], head, spanner))
    return found


def _values(column: pd.Series) -> list[Any]:
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind == "f" and dtype.itemsize < 8:
        return list(column.astype(str).astype(float))  # .1 in half the bits is not .1 in all of them
    return list(column)


def _column(
    values: Sequence[Any], style: Figures, names: Sequence[str], label: Hashable, head: Runs, spanner: Runs = ()
) -> Column:
    times = [value for value in values if isinstance(value, datetime) and not is_missing(value)]
    days = all(value.time() == time() and value.tzinfo is None for value in times)
    cells = tuple(
        text_of(value, _of_row(style, name, label), name, days=days) for value, name in zip(values, names, strict=True)
    )
    return Column(head, spanner, cells, are_figures(cells), text_of(label))


def _of_row(style: Figures, name: str, label: Hashable) -> Figures:
    """Let the name of a row decide on the zero before the point, where that of the column says nothing."""
    explained = name and name not in LIMITS and not kind_of(label)
    return replace(style, bounded=name in BOUNDED) if explained else style


@dataclass
class _Size:
    """What the figures of a column are like; ``own`` is the largest of those that no row's name explains."""

    decimals: int | None
    largest: float
    several: bool
    own: float


def _style(columns: Sequence[Sequence[Any]], kinds: Sequence[str], by_row: Sequence[str] = ()) -> list[Figures]:
    """Return how the figures of each column are written."""
    sizes = [_size(values, () if kind else by_row) for values, kind in zip(columns, kinds, strict=True)]
    rounded = max((size.decimals for size in sizes if size.decimals), default=0)
    exact = any(size.decimals is None for size in sizes)
    # figures of the same size that do exceed 1 stand for the others of their kind
    free = any(
        1 + 1e-9 < size.own < _OTHER and (kind == "" or kind not in _BESIDE | BOUNDED | COUNTS | PROBABILITIES)
        for kind, size in zip(kinds, sizes, strict=True)
        if size.decimals != 0
    )
    free = free or any(kind in _FREE and size.decimals != 0 for kind, size in zip(kinds, sizes, strict=True))
    found, limits = [], False
    for size, kind in zip(sizes, kinds, strict=True):
        own = kind in BOUNDED or bool(LOADINGS.fullmatch(kind)) if kind else not free and size.own <= 1 + 1e-9
        if kind in LIMITS:
            own = limits
        elif size.decimals != 0:
            limits = own
        found.append(_figures(size, kind, own, rounded, exact))
    return found


def _size(values: Sequence[Any], by_row: Sequence[str] = ()) -> _Size:
    known = [bool(by_row and by_row[row]) for row in range(len(values))]
    numbers = [float(value) for value in values if is_figure(value) and math.isfinite(value)]
    own = [abs(float(v)) for v, named in zip(values, known, strict=True) if is_figure(v) and not named]
    return _Size(
        decimals=decimals(numbers),
        largest=max(map(abs, numbers), default=0.0),
        several=sum(not number.is_integer() for number in numbers) > _BY_CHANCE,
        own=max(own, default=0.0),
    )


def _figures(size: _Size, kind: str, bounded: bool, rounded: int, exact: bool) -> Figures:
    digits = size.decimals
    if digits is None:
        digits = USUAL
        if 0 < size.largest < _SMALL and kind not in PROBABILITIES:
            digits = 1 - math.floor(math.log10(size.largest))
            return Figures(min(digits, 6), bounded, size.largest, powers=digits > 6)
    elif digits == 0:
        # ones and zeros of a measure that has decimals elsewhere; nothing but zeros among figures that were rounded
        digits = (rounded or USUAL) if kind in BOUNDED | PROBABILITIES else rounded if size.largest == 0 else 0
    elif not size.several and not exact:
        digits = rounded  # its last decimals happen to be zeros
    return Figures(digits, bounded, size.largest)


def _spanned(columns: list[Column], labels: pd.Index) -> list[Column]:
    """Put the name of the columns over them, and into its head a spanner that would stand over one column only."""
    named = labels.nlevels == 1 and labels.name is not None and text_of(labels.name)
    if named and not all(map(kind_of, labels)):  # measures need not be told to be measures
        over = joined(head_of(labels.name))
        columns = [column if column.spanner else replace(column, spanner=over) for column in columns]
    beside = [(), *(column.spanner for column in columns), ()]
    return [
        column
        if not column.spanner or column.spanner in (beside[at], beside[at + 2])
        else replace(column, head=joined((column.head, column.spanner)), spanner=())
        for at, column in enumerate(columns)
    ]


def _note(size: tuple[int, int], labels: pd.Index, *, empty: bool, cut: bool, blank: bool) -> Runs:
    """Say what the eye cannot see: how much is left out, why cells are blank, what levels of columns are called."""
    said = []
    if empty:
        said.append("No columns.")
    elif not size[0]:
        said.append("No rows.")
    if cut:
        said.append("{} rows, {} columns.".format(*size))
    if blank:
        said.append("Blank: no value.")
    names = [plain(joined(head_of(name))) for name in labels.names if name is not None]
    if labels.nlevels > 1 and names:
        said.append(f"Columns: {', '.join(names)}.")
    return (("Note.", True), (f" {' '.join(said)}", False)) if said else ()
