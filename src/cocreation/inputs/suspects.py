"""Answers that stand far outside the rest: codes of a missing answer, such as 99, and slips of the keyboard."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Hashable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import AnswersWarning, InputError, plain

__all__ = ["recoding", "refuse_outside", "suspects", "warn_of_codes", "warn_of_suspects"]

#: what surveys write for no answer: sevens, eights, nines, and the last numbers before a power of ten
_FAR = [10**digits - 1 - less for digits in range(2, 7) for less in range(4)]
_FAR += [digit * (10**digits // 9) for digit in (7, 8) for digits in range(2, 7)]
_NEAR = np.array([8.0, 9.0, -1.0, -7.0, -8.0, -9.0])
_CODES = np.array([*_FAR, *(-code for code in _FAR), *_NEAR], dtype=float)
_FAR_CODES = np.array([*_FAR, *(-code for code in _FAR)], dtype=float)

#: mark of answers that were judged: a statistic hands them on to others, and the user is to be told once
_JUDGED = "cocreation: answers judged, from and to"

#: more different answers than this are no rating scale
_MOST_POINTS = 15


def suspects(frame: pd.DataFrame) -> dict[Hashable, list[float]]:
    """Return the answers of each item that hardly are answers.

    Parameters
    ----------
    frame : DataFrame of float64, shape (respondents, items)
        Missing answers are NaN.

    Returns
    -------
    dict
        ``{item: [value, …]}``, the smallest value first; empty where nothing is odd.

    See Also
    --------
    warn_of_suspects : Tell the user.

    Notes
    -----
    A value is suspicious if one of these holds.

    1. It is a usual code of a missing answer – 8, 9, 77, 88, 96 to 99 and the like with more
       digits, or −1, −7, −8, −9, −77 … – and lies further from the item's other answers than
       these lie apart; so 99 beside 1 to 7, 999 beside 0 to 100, but not 99 beside 0 to 100. A code of
       two digits or more is half as large again as they are; one of a single digit is given by at most one in
       four, and the answer next to it by at least one in twenty, lest it be something counted.
    2. It is such a code below zero, −1 excepted, and the item has no other answer below zero.
    3. On a rating scale (three items or more of whole numbers, at most 15 different ones, taken together):
       nobody chose the numbers between it and the scale in *any* item, the scale's last point is no thin
       tail (one answer in fifty), and it is a usual code that at most one in four gave to an item without
       gaps of its own, or any number further from the scale than this is wide, which at most one in
       twenty gave (and the last point is one answer in twenty). So 9 beside 1 to 7, 55 beside 1 to 5.
    4. It is 0 or such a code, and next to a scale which at least three other items use from the same first
       to the same last point, the last often, at most a quarter of the items hold it, and there at most one
       answer in twenty is it: 0 beside 1 to 7 in one item, but not 1 beside 2 to 7, which is a point seldom chosen.

    What the data cannot show: a code that stands next to the scale in every item (0 to 5 may be 1 to 5
    with 0 for no answer), or within it.
    """
    values = frame.to_numpy(dtype=float)
    if not values.size:
        return {}
    flagged = np.zeros(values.shape, dtype=bool)
    known = ~np.isnan(values)
    _by_item(values, known, flagged)
    _by_scale(values, known, flagged)
    columns = np.flatnonzero(flagged.any(axis=0))
    return {frame.columns[i]: [float(v) for v in np.unique(values[flagged[:, i], i])] for i in columns}


def _by_item(values: np.ndarray, known: np.ndarray, flagged: np.ndarray) -> None:
    """Flag codes far from the item's other answers (rules 1 and 2)."""
    code = np.isin(values, _CODES)
    for i in np.flatnonzero(code.any(axis=0)):
        column = values[:, i]
        for upper in (True, False):
            side = code[:, i] & (column > 0 if upper else column < 0)
            # 98 and 99 beside 1 to 7 must not hide each other, and 8 beside 9 may be an answer
            for least in np.unique(np.abs(column[side])):
                now = side & (np.abs(column) >= least)
                rest = column[known[:, i] & ~now & ~flagged[:, i]]
                if len(rest) < 2 or not (span := np.ptp(rest)):
                    continue
                end = rest.max() if upper else rest.min()
                apart = (column[now] - end) * (1 if upper else -1)
                # years 92 to 95 do not make 99 a code, nor 0, 1 and 2 an 8 of something counted
                far = (apart > span) & (not upper or (column[now] > 1.5 * end))
                if least < 10:
                    far &= (rest == end).sum() >= max(5, 0.05 * len(rest)) and 4 * now.sum() <= len(rest)
                if ((apart > 0) & (far | (not upper and least > 1 and rest.min() >= 0))).all():
                    flagged[now, i] = True
                    break


def _by_scale(values: np.ndarray, known: np.ndarray, flagged: np.ndarray) -> None:
    """Flag what lies outside the scale that the items share (rules 3 and 4)."""
    known = known & ~flagged
    usable = known.any(axis=0) & (~known | (values == np.round(values)) & (np.abs(values) < 1e6)).all(axis=0)
    counts = [
        dict(zip(*_counted(values[known[:, i], i]), strict=True)) if usable[i] else {} for i in range(len(usable))
    ]
    members = [i for i, count in enumerate(counts) if 2 <= len(count) <= _MOST_POINTS]
    core: tuple[int, int] | None = None
    while members:
        total = _pooled(counts, members)
        core = _core(total)
        inside = [i for i in members if 2 * _within(counts[i], core) > sum(counts[i].values())]
        if len(inside) == len(members):
            break
        members = inside
    if not members or core is None or core[0] == core[1]:
        return
    answers, odd = sum(total.values()), set()
    for value in total:
        if core[0] <= value <= core[1] or len(members) < 3:
            continue
        end, code = core[1] if value > core[1] else core[0], value in _CODES
        far = abs(value - end) > core[1] - core[0]
        if not (code or far) or total[end] < max(5, (0.02 if code else 0.05) * answers):
            continue
        for i in members:
            rare = counts[i].get(value, 0) <= (0.25 if code else 0.05) * sum(counts[i].values())
            widest = _widest(counts[i], value, core)
            # an item coded 1, 2, 4, 5, 8 has a scale of its own
            if value in counts[i] and rare and _gap(counts[i], value) > widest and (far or widest == 1):
                odd.add((i, value))
    odd |= _beside({i: [value for value in counts[i] if (i, value) not in odd] for i in members}, counts)
    for i, value in odd:
        flagged[known[:, i] & (values[:, i] == value), i] = True


def _beside(own: dict[int, list[int]], counts: list[dict[int, int]]) -> set[tuple[int, int]]:
    """Return the item and the value of what stands next to the scale of all others (rule 4)."""
    odd = set()
    for step in (1, -1):
        ends = {i: (max(found), min(found))[::step] for i, found in own.items()}
        for last, first in set(ends.values()):
            if last + step != 0 and last + step not in _CODES:
                continue  # 1 beside 2 to 7 is a point that few chose
            others = [i for i in own if ends[i] == (last, first)]
            holders = [i for i in own if ends[i] == (last + step, first)]
            if len(others) < max(3, 3 * len(holders)) or len(others) + len(holders) < len(own):
                continue
            if all(counts[i][last] >= max(5, 0.05 * sum(counts[i].values())) for i in others):
                rare = (i for i in holders if 20 * counts[i][last + step] <= sum(counts[i].values()))
                odd |= {(i, last + step) for i in rare}
    return odd


def _counted(column: np.ndarray) -> tuple[list[int], list[int]]:
    found, count = np.unique(column, return_counts=True)
    return [int(value) for value in found], [int(n) for n in count]


def _pooled(counts: list[dict[int, int]], members: list[int]) -> dict[int, int]:
    total: dict[int, int] = {}
    for i in members:
        for value, count in counts[i].items():
            total[value] = total.get(value, 0) + count
    return dict(sorted(total.items()))


def _core(total: dict[int, int]) -> tuple[int, int]:
    """Return the ends of the run of neighbouring numbers that holds the median."""
    found, count = list(total), np.array(list(total.values())).cumsum()
    low = high = found[int(np.searchsorted(count, count[-1] / 2))]
    while low - 1 in total:
        low -= 1
    while high + 1 in total:
        high += 1
    return low, high


def _within(count: dict[int, int], core: tuple[int, int]) -> int:
    return sum(n for value, n in count.items() if core[0] <= value <= core[1])


def _gap(count: dict[int, int], value: int) -> int:
    return min(abs(other - value) for other in count if other != value)


def _widest(count: dict[int, int], value: int, core: tuple[int, int]) -> int:
    own = sorted(other for other in count if other != value and core[0] <= other <= core[1])
    return max(np.diff(own), default=1)


def warn_of_suspects(frame: pd.DataFrame, data: pd.DataFrame) -> None:
    """Warn of answers that hardly are answers, at the line of the user's that passed them.

    Parameters
    ----------
    frame : DataFrame of float64, shape (respondents, items)
        The answers as numbers, before anybody is left out.
    data : DataFrame
        The answers as they were passed, for the remedy.

    Warns
    -----
    AnswersWarning
        Naming items, values and what to type.

    See Also
    --------
    suspects : What is suspicious.
    refuse_outside : Where the scale's points are known.
    """
    span = (frame.min(axis=None), frame.max(axis=None))
    known = data.attrs.get(_JUDGED)
    if known and known[0] <= span[0] and span[1] <= known[1]:
        frame.attrs[_JUDGED] = known
        return
    frame.attrs[_JUDGED] = span
    found = suspects(frame)
    if not found:
        return
    alike: dict[tuple[float, ...], list[Hashable]] = {}
    for item, odd in found.items():
        alike.setdefault(tuple(odd), []).append(item)
    told = [
        f"{'Item' if len(items) == 1 else 'Items'} {_some(items)} "
        f"{'holds' if len(items) == 1 else 'hold'} {_listed(odd)}, outside the other answers "
        f"({_span(frame, items, odd)})"
        for odd, items in alike.items()
    ]
    recodings = [recoding(data, item, odd) for item, odd in list(found.items())[:3]]
    warnings.warn(
        f"{'; '.join(told)}. If that stands for no answer, say so first: {'; '.join(recodings)}"
        f"{' and so on' if len(found) > 3 else ''}. A slip of the keyboard is corrected in the data.",
        AnswersWarning,
        stacklevel=_users_level(),
    )


def warn_of_codes(labels: Iterable[object], what: str, remedy: str) -> None:
    """Warn of codes of a missing answer among what raters or coders gave, where all of it is numbers.

    Parameters
    ----------
    labels : iterable
        All that was given, of whichever rater; None or NaN where there is nothing.
    what : str
        What they are, in the plural, for the message: "ratings".
    remedy : str
        What to do, after "If that stands for none": may hold ``{odd}``, where the values are put.

    Warns
    -----
    AnswersWarning
        Naming the values and what to do, at the line of the user's that passed them.

    See Also
    --------
    warn_of_suspects : The same of respondents' answers, item by item.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_of_codes([1, 2, 3, 4, 2, 3, 99], "ratings", "write None for {odd}")
    >>> print(caught[0].message)
    The ratings hold 99, outside the others (1 to 4). If that stands for none, write None for 99.
    """
    known = pd.Series([label for label in labels if not pd.isna(label)], dtype=object)
    numbers = pd.to_numeric(known, errors="coerce")
    if numbers.isna().any() or known.map(lambda label: isinstance(label, (bool, np.bool_))).any():
        return
    frame = pd.DataFrame({"all": numbers.astype(float)})
    if odd := tuple(suspects(frame).get("all", ())):
        warnings.warn(
            f"The {what} hold {_listed(odd)}, outside the others ({_span(frame, ['all'], odd)}). If that stands for "
            f"none, {remedy.format(odd=_listed(odd))}.",
            AnswersWarning,
            stacklevel=_users_level(),
        )


def recoding(data: pd.DataFrame, item: Hashable, odd: list[float]) -> str:
    """Return what to type so that values of an item count as missing.

    Parameters
    ----------
    data : DataFrame
        The answers as they were passed.
    item : hashable
        The column.
    odd : list of float
        The values.

    Returns
    -------
    str

    Examples
    --------
    >>> recoding(pd.DataFrame({"a": [1, 99]}), "a", [99.0])
    "data['a'] = data['a'].replace(99, np.nan)"
    """
    column = f"data[{plain(item)}]"
    numeric = pd.api.types.is_numeric_dtype(data[item])
    what = f"{odd[0]:g}" if len(odd) == 1 else f"[{', '.join(f'{value:g}' for value in odd)}]"
    return f"{column} = {column if numeric else f'pd.to_numeric({column})'}.replace({what}, np.nan)"


def refuse_outside(frame: pd.DataFrame, data: pd.DataFrame, points: tuple[float, float]) -> None:
    """Raise where an answer is outside the scale.

    Parameters
    ----------
    frame, data : DataFrame
        As :func:`warn_of_suspects`.
    points : (lowest, highest)
        The ends of the scale.

    Raises
    ------
    InputError
        Naming the item, the row, the value and what to type.

    See Also
    --------
    warn_of_suspects : Where the points are not known.
    """
    values = frame.to_numpy(dtype=float)
    wrong = (values < points[0]) | (values > points[1])
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        item, value = frame.columns[column], values[row, column]
        raise InputError(
            f"Item '{item}', row {plain(data.index[row])}, holds {value:g}, which is not an answer from {points[0]:g} "
            f"to {points[1]:g}. Correct it; if it stands for no answer, write {recoding(data, item, [value])}; of "
            "another scale say points=(lowest, highest)."
        )


def _some(items: list[Hashable], most: int = 5) -> str:
    return ", ".join(f"'{item}'" for item in items[:most]) + (f" and {len(items) - most} more" if items[most:] else "")


def _listed(odd: tuple[float, ...]) -> str:
    return " and ".join(f"{value:g}".replace("-", "−") for value in odd)


def _span(frame: pd.DataFrame, items: list[Hashable], odd: tuple[float, ...]) -> str:
    rest = frame[items].to_numpy()
    rest = rest[~np.isnan(rest) & ~np.isin(rest, odd)]
    return f"{rest.min():g} to {rest.max():g}".replace("-", "−")


def _users_level() -> int:
    """Return the stacklevel of the first caller outside the package: the line that passed the answers."""
    package = str(Path(__file__).resolve().parents[1])
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        frame, level = frame.f_back, level + 1
    return level
