"""One model of an APA table: what every format – notebook, terminal, Markdown, LaTeX, Word – shows.

Numbers become text here and nowhere else, so that the formats cannot disagree. Text that this
course writes may hold ``*italics*``; names and answers of a user are taken as they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

import pandas as pd

from .heads import ABBREVIATIONS, BOUNDED, COUNTS, GROUPS, HEADS, PROBABILITIES, TITLES

__all__ = [
    "Column",
    "Runs",
    "Table",
    "are_figures",
    "fixed",
    "is_matrix",
    "leading_text",
    "named_once",
    "number_text",
    "plain",
    "runs",
    "table_of",
    "title_case",
    "without_zero",
]

#: pieces of text, each upright (False) or italic (True)
Runs = tuple[tuple[str, bool], ...]

MINUS = "−"
NUMERIC = re.compile(rf"[<>]? ?[{MINUS}-]?(\d+\.?\d*|\.\d+)(e[{MINUS}+]\d+)?|{MINUS}?∞")
LIMITS = ("lower", "upper")
#: columns of loadings, as the steps name components and factors
LOADINGS = re.compile(r"[CF]\d+")
#: a single row with more columns than this is turned, a line a figure
_WIDEST_ROW = 9


@dataclass(frozen=True)
class Column:
    """A column: head, spanner above it (empty if none), cells as text, how they stand, and its name in the code."""

    head: Runs
    spanner: Runs
    cells: tuple[str, ...]
    numeric: bool
    key: str = ""


@dataclass(frozen=True)
class Table:
    """An APA table.

    Without a number it is not counted (or the page counts it). ``stub`` is how many columns from the left
    name the row. ``cut`` is the row before which others are left out, and what is said in their place.
    """

    number: int | None
    title: Runs
    columns: tuple[Column, ...]
    note: Runs
    stub: int
    cut: tuple[int, str] | None = None

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The cells row by row."""
        return list(zip(*(column.cells for column in self.columns), strict=True))

    @property
    def spanners(self) -> list[tuple[Runs, int, int]]:
        """``(text, first column, how many)`` of each spanner, those without text between them included."""
        found: list[tuple[Runs, int, int]] = []
        for position, column in enumerate(self.columns):
            if found and column.spanner and found[-1][0] == column.spanner:
                text, first, width = found[-1]
                found[-1] = (text, first, width + 1)
            else:
                found.append((column.spanner, position, 1))
        return found if any(text for text, _, _ in found) else []

    @property
    def width(self) -> int:
        """How many characters a line takes, a cell of running text counted as twenty-four."""
        return sum(
            2 + max(len(plain(column.head)), *(min(len(cell), 24) for cell in ("", *column.cells)))
            for column in self.columns
        )


def fixed(value: float, digits: int) -> str:
    """Return a number with so many decimals, zero without a sign.

    Parameters
    ----------
    value : float
        The number.
    digits : int
        Decimals.

    Returns
    -------
    str

    Examples
    --------
    >>> fixed(-0.0001, 3), fixed(0.0736, 3)
    ('0.000', '0.074')
    """
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def runs(markup: str) -> Runs:
    """Return pieces of text and whether each is italic.

    Examples
    --------
    >>> runs("χ²/*df*")
    (('χ²/', False), ('df', True))
    """
    return tuple((piece, bool(i % 2)) for i, piece in enumerate(markup.split("*")) if piece)


def plain(text: Runs) -> str:
    """Return the text without italics."""
    return "".join(piece for piece, _ in text)


def title_case(text: str) -> str:
    """Capitalize as APA does: first word and words of four letters or more; what has capitals is left alone.

    Examples
    --------
    >>> title_case("agreement of two coders"), title_case("HTMT from correlations")
    ('Agreement of Two Coders', 'HTMT From Correlations')
    """
    small = {"a", "an", "and", "as", "at", "but", "by", "for", "if", "in", "nor", "of", "on", "or", "the", "to", "up"}
    words = re.split(r"([ –-])", text)
    return "".join(word if word in small and i else word[:1].upper() + word[1:] for i, word in enumerate(words))


def number_text(value: Any, name: str, digits: int, *, bounded: bool = False) -> str:
    """Return one cell as APA prints it.

    Parameters
    ----------
    value : object
        A number, text, True or False, a list of names, or nothing (None, NaN).
    name : str
        The column's name in the code, which says what kind of figure it is.
    digits : int
        Decimals.
    bounded : bool
        The figure cannot exceed 1, whatever its name: no zero before the point.

    Examples
    --------
    >>> number_text(0.0421, "cfi", 3), number_text(1e-9, "p", 3), number_text(4.0, "df", 3)
    ('.042', '< .001', '4')
    >>> number_text(-0.31, "estimate", 2), number_text(True, "passed", 3), number_text(None, "se", 3)
    ('−0.31', 'yes', '')
    """
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(map(str, value))
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    if pd.api.types.is_bool(value):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return str(int(value)).replace("-", MINUS)
    if not isinstance(value, Real):
        return str(value)
    if math.isinf(value):
        return ("" if value > 0 else MINUS) + "∞"
    if name in PROBABILITIES:
        digits = max(digits, 3)
        if value < 0.5 * 10.0**-digits:
            return "< " + without_zero(fixed(10.0**-digits, digits))
    elif name in COUNTS and float(value).is_integer():
        return fixed(value, 0).replace("-", MINUS)
    text = fixed(value, digits)
    if bounded or name in BOUNDED or name in PROBABILITIES:
        text = without_zero(text)
    return text.replace("-", MINUS)


def without_zero(text: str) -> str:
    """Return a number as text without the zero before its point."""
    return re.sub(r"^(-?)0\.", r"\1.", text)


def table_of(
    frame: pd.DataFrame,
    *,
    number: int | None = 1,
    title: str = "",
    name: str = "",
    note: str = "",
    digits: int = 3,
    proportions: Sequence[str] = (),
) -> Table:
    """Return the table of a DataFrame.

    Parameters
    ----------
    frame : DataFrame
        An index that is not a plain count becomes the first columns.
    number : int or None
        Table number; None if the page numbers.
    title, name : str
        Title of the result, and the name of this table among the result's tables.
    note : str
        What stands below; abbreviations of the heads are added.
    digits : int
        Decimals of figures.
    proportions : sequence of str
        Columns whose figures cannot exceed 1, beside those known by name.
    """
    matrix = is_matrix(frame)
    within = matrix and _within_one(frame)
    columns: list[Column] = []
    stub = 0
    if not isinstance(frame.index, pd.RangeIndex):
        for level in range(frame.index.nlevels):
            label = frame.index.names[level]
            values = frame.index.get_level_values(level)
            columns.append(_column(label if label is not None else "", values, digits, False, False))
        stub = len(columns)
    limits = False
    for position, label in enumerate(frame.columns):
        key = str(label[-1] if isinstance(label, tuple) else label)
        if key not in (*LIMITS, "se", "se0", "z", "p"):
            limits = key in BOUNDED or key in proportions
        bounded = within or key in proportions or (key in LIMITS and limits) or bool(LOADINGS.fullmatch(key))
        columns.append(_column(label, frame.iloc[:, position], digits, bounded, matrix))
    stub = stub or leading_text(columns)
    columns = named_once(columns, [str(label) for label in frame.columns], stub)
    if len(frame) == 1 and len(columns) > _WIDEST_ROW:
        columns, stub = _turned(columns), 1
    full = title_case(": ".join(part for part in (title, TITLES.get(name, name)) if part))
    below = " ".join(part for part in (note, _abbreviations(frame)) if part)
    said: Runs = (("Note.", True), (f" {below}", False)) if below else ()
    return Table(number, ((full, True),), tuple(columns), said, stub)


def _column(label: Any, values: Any, digits: int, bounded: bool, verbatim: bool) -> Column:
    above, key = (" ".join(map(str, label[:-1])), str(label[-1])) if isinstance(label, tuple) else ("", str(label))
    head: Runs = ((key, False),) if key else ()
    spanner: Runs = ((above, False),) if above else ()
    if not verbatim and key in HEADS:
        over, _, own = HEADS[key].rpartition("|")
        head, spanner = runs(own), spanner or runs(over)
    elif not verbatim and re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", key):
        head = ((key.replace("_", " ").capitalize(), False),)
    elif not verbatim and re.fullmatch(r"[a-z]{3,}", key):
        head = ((key.capitalize(), False),)
    cells = tuple(number_text(value, key, digits, bounded=bounded) for value in values)
    return Column(head, spanner, cells, are_figures(cells), key)


def are_figures(cells: Iterable[str]) -> bool:
    """Whether half of the cells that are not blank are numbers."""
    filled = [cell for cell in cells if cell]
    return bool(filled) and 2 * sum(bool(NUMERIC.fullmatch(cell)) for cell in filled) >= len(filled)


def is_matrix(frame: pd.DataFrame) -> bool:
    """Whether the same names stand at the left and above."""
    return not isinstance(frame.index, pd.RangeIndex) and list(frame.index) == list(frame.columns)


def _within_one(frame: pd.DataFrame) -> bool:
    values = frame.to_numpy(dtype=float, na_value=math.nan)
    return not (abs(values) > 1 + 1e-9).any()


def leading_text(columns: list[Column]) -> int:
    """How many columns from the left are words: they name the row. At least one, unless all are figures."""
    first = next((i for i, column in enumerate(columns) if column.numeric), len(columns))
    return min(first, 2) if first else 0


def named_once(columns: list[Column], keys: list[str], stub: int) -> list[Column]:
    """Name a group of rows on its first row only, as APA does."""
    if not columns or len(columns) != len(keys) or stub < 2 or keys[0] not in GROUPS:
        return columns
    first = columns[0]
    shown = [cell if i == 0 or cell != first.cells[i - 1] else "" for i, cell in enumerate(first.cells)]
    return [replace(first, cells=tuple(shown)), *columns[1:]]


def _turned(columns: list[Column]) -> list[Column]:
    """One row of many figures as two columns, a line a figure."""
    names = tuple(
        f"{plain(column.spanner)}, {plain(column.head)}" if column.spanner else plain(column.head) for column in columns
    )
    values = tuple(column.cells[0] for column in columns)
    return [Column(runs("Figure"), (), names, False), Column(runs("Value"), (), values, True)]


def _abbreviations(frame: pd.DataFrame) -> str:
    """Say what the heads' abbreviations stand for, each once."""
    if is_matrix(frame):
        return ""
    keys = [str(label[-1] if isinstance(label, tuple) else label) for label in (*frame.index.names, *frame.columns)]
    said = [explained for key in keys for explained in ABBREVIATIONS.get(key, "").split("; ") if explained]
    return "; ".join(dict.fromkeys(said)) + "." if said else ""
