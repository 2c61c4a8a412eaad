"""Items that go against the rest of their scale: found, named, and how to recode them.

A room behind :mod:`cocreation.steps.purify`, for every function that adds up items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ...core.moments import correlation
from ...core.reliability import against_the_rest, item_statistics
from ...errors import plain
from ...results.result import fixed

__all__ = ["keying", "reverse_keyed"]


def reverse_keyed(frame: pd.DataFrame) -> list[str]:
    """Return the items of one scale that go against the others, as :func:`against_the_rest` decides.

    Parameters
    ----------
    frame : DataFrame, shape (respondents, items)
        Complete answers; where an item is constant nothing can be said.

    Returns
    -------
    list of str
    """
    x = frame.to_numpy()
    if frame.shape[1] < 2 or len(x) < 3 or (np.ptp(x, axis=0) == 0).any():
        return []
    against = against_the_rest(correlation(x), len(x))
    return [name for name, found in zip(frame, against, strict=True) if found]


def keying(frame: pd.DataFrame, scales: Mapping[str, Sequence[str]], *, table: str = "data") -> str:
    """Return a sentence for a note: which items go against the rest of their scale, and the recoding to type.

    Parameters
    ----------
    frame : DataFrame, shape (respondents, items)
        Complete answers.
    scales : mapping
        ``{dimension: [item, …]}``; a dimension without a name is not named.
    table : str
        What the answers are called where the recoding is typed.

    Returns
    -------
    str
        Begins with a blank; empty where no item goes against the rest.
    """
    told, turns, halves = [], {}, False
    for dimension, items in scales.items():
        own = frame[list(items)]
        found = reverse_keyed(own)
        if not found:
            continue
        turned = np.where(own.columns.isin(found), -1, 1)
        citc = dict(zip(own, item_statistics(own.to_numpy() * turned).citc, strict=True))
        of = f" of {dimension}" if dimension else ""
        told += [f"'{name}'{of} (CITC {fixed(-citc[name], 2)})".replace("-", "−") for name in found]
        ends = own.to_numpy().min() + own.to_numpy().max()
        turns.setdefault(f"{ends:g}", []).extend(found)
        halves |= 2 * len(found) == own.shape[1]
    if not told:
        return ""
    typed = []
    for ends, names in turns.items():
        column = f"{table}[{plain(names[0]) if len(names) == 1 else plain(names)}]"
        typed.append(f"{column} = {ends} - {column}")
    many = len(told) > 1
    return (
        f" Against the rest of {'their' if many else 'its'} scale: {', '.join(told)}. Reverse-keyed? Then recode "
        f"{'them' if many else 'it'} first: {'; '.join(typed)} (lowest plus highest answer given; the ends of the "
        "scale where nobody gave them)."
        + (" As many items go the other way: read which of them say the opposite." if halves else "")
    )
