"""What a user may pass: tables, lists of names, whole numbers, seeds – or an error that says what to do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ..errors import InputError, plain
from .labels import refuse_alike

__all__ = [
    "between",
    "confidence",
    "ends",
    "generator",
    "instance",
    "names_of",
    "plain_table",
    "quoted",
    "whole",
    "yes_no",
]


def plain_table(
    data: pd.DataFrame, columns: Iterable[str] = (), *, what: str = "data", row: str = "a respondent"
) -> pd.DataFrame:
    """Return ``data`` itself if it is a table with these columns, each named once.

    Parameters
    ----------
    data : DataFrame
        What a user passed.
    columns : iterable of str
        The columns it must have.
    what, row : str
        What it is and what a row stands for, for the messages.

    Raises
    ------
    InputError
        If it is no DataFrame, its columns have several levels, a column is named
        twice or is not there.
    """
    if not isinstance(data, pd.DataFrame):
        raise InputError(
            f"Expected the {what} as a pandas DataFrame with a row {row}, got {type(data).__name__}. "
            "Wrap what you have in pd.DataFrame(…, columns=[…])."
        )
    if data.columns.nlevels > 1:
        raise InputError(
            f"The columns of the {what} have {data.columns.nlevels} levels, the first is {plain(data.columns[0])}. "
            "Give each column one name: data.columns = data.columns.map('_'.join)."
        )
    twice = sorted(map(str, data.columns[data.columns.duplicated()]))
    if twice:
        raise InputError(f"Column {quoted(twice)} of the {what} is named twice. Name every column once.")
    missing = [name for name in columns if isinstance(name, (list, dict, set)) or name not in data.columns]
    if missing:
        raise InputError(
            f"The {what} have no column {str(missing[0])!r}. Known columns are "
            f"{quoted(data.columns, most=8) or 'none'}; check the spelling."
        )
    return data


def names_of(items: Iterable[str], *, what: str = "item") -> list[str]:
    """Return names as a list, each once.

    Raises
    ------
    InputError
        For one text instead of a list, a set (which has no order), lists within the
        list, a name given twice, or two that look alike.
    """
    if isinstance(items, str):
        raise InputError(f"Expected a list of {what}s, got the text '{items}'. Write ['{items}'].")
    if not isinstance(items, Iterable):
        raise InputError(f"Expected a list of {what}s, got {type(items).__name__}. Write ['…', '…'].")
    if isinstance(items, (set, frozenset)):
        raise InputError(f"Expected a list of {what}s, got a set, which has no order. Write sorted({what}s).")
    names = list(items)
    for name in names:
        if isinstance(name, (list, dict, set)):
            raise InputError(f"Expected names of {what}s, got {plain(name)} among them. Give one flat list.")
    repeated = sorted({str(name) for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"{what.capitalize()} {quoted(repeated)} is named twice. Name every {what} once.")
    refuse_alike(names, f"{what}s", remedy="Rename one of them or leave it out")
    return names


def whole(value: int, name: str, *, least: int = 1, remedy: str = "") -> int:
    """Return ``value`` if it is a whole number from ``least`` on.

    Raises
    ------
    InputError
        Naming the argument.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(
            f"{name} is a whole number from {least} on, not {plain(value)}. {remedy or f'Write {name}={least}.'}"
        )
    return int(value)


def yes_no(value: bool, name: str) -> bool:
    """Return ``value`` if it is True or False: a text such as "no" would count as true.

    Raises
    ------
    InputError
        Naming the argument.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(f"{name} is True or False, not {plain(value)}. Write {name}=True or leave it out.")
    return bool(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))


def between(value: float, name: str, low: float, high: float, *, what: str = "a number", remedy: str = "") -> float:
    """Return ``value`` if it is a number from ``low`` to ``high``.

    Raises
    ------
    InputError
        Naming the argument.
    """
    if not _is_number(value) or not low <= value <= high:
        span = f"between {low:g} and {high:g}".replace("-", "−")
        raise InputError(f"{name} is {what} {span}, not {plain(value)}. {remedy or 'Choose one within.'}")
    return float(value)


def confidence(level: float) -> float:
    """Return ``level`` if it is a confidence strictly between 0 and 1.

    Raises
    ------
    InputError
        For anything else.
    """
    if not _is_number(level) or not 0 < level < 1:
        raise InputError(f"level is a confidence between 0 and 1, not {plain(level)}. Write 0.95 for 95 %.")
    return float(level)


def ends(points: tuple[float, float]) -> tuple[float, float]:
    """Return the lowest and the highest point of a scale.

    Raises
    ------
    InputError
        If they are not two numbers, the lower first.
    """
    fine = isinstance(points, (tuple, list)) and len(points) == 2 and all(map(_is_number, points))
    if not fine or not points[0] < points[1]:
        raise InputError(f"points are the lowest and the highest answer, not {plain(points)}. Write points=(1, 7).")
    return points[0], points[1]


def generator(seed: int | Iterable[int]) -> np.random.Generator:
    """Return the generator of random numbers a seed stands for: a whole number from 0 on, or several.

    Raises
    ------
    InputError
        For anything else, None among it: an unseeded draw nobody can repeat.
    """
    numbers = [seed] if isinstance(seed, (int, np.integer, float, bool)) else seed
    try:
        listed = list(numbers)
        fine = bool(listed) and all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in listed)
        fine = fine and min(listed) >= 0
    except TypeError:
        fine = False
    if not fine or isinstance(seed, str):
        raise InputError(f"seed is a whole number from 0 on, not {plain(seed)}. Write seed=1.")
    return np.random.default_rng(seed if isinstance(seed, (int, np.integer)) else listed)


def instance(value: object, kind: type, name: str, *, remedy: str) -> None:
    """Do nothing if ``value`` is a ``kind``.

    Raises
    ------
    InputError
        Saying what the argument ``name`` is, what it was given, and the remedy.
    """
    if not isinstance(value, kind):
        raise InputError(f"{name} is a {kind.__name__}, not a {type(value).__name__}. {remedy}")


def quoted(names: Iterable[object], most: int = 5) -> str:
    """Return names in quotes, the first few of them."""
    listed = [f"'{name}'" for name in names]
    shown = ", ".join(listed[:most])
    return f"{shown}, … ({len(listed)} in all)" if len(listed) > most else shown
