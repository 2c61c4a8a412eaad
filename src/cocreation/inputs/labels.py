"""Labels a user hands in: blank text is a missing label, and labels that look alike never count as two in silence."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Hashable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError

__all__ = ["bare", "labels_in", "look", "merge_alike", "refuse_alike", "without_blanks"]

#: letters and signs that show nothing, though Unicode calls them no blanks
_UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0"
_UNSEEN += "".join(map(chr, range(0xFE00, 0xFE10)))  # which form of the letter before is meant
_SAME = dict.fromkeys("‘’‚‛′´", "'") | dict.fromkeys("“”„‟″", '"') | dict.fromkeys("‐‑‒–—―−", "-")
_SAME |= dict.fromkeys(_UNSEEN, "")
_SIGNS = str.maketrans(_SAME)
#: Cyrillic and Greek letters that are drawn as Latin ones are, after Unicode's table of confusables (UTS 39)
_DRAWN = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁһΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϲϳ",
    "ABESIJKMHOPCTYXaesijopcyxdhABEZHIKMNOPTYXocj",
)
_WORD = re.compile(r"[^\W\d_]+")


def bare(value: object) -> str:
    """Return a label as text without what nobody sees: outer blanks, characters without width, Unicode's other forms.

    Parameters
    ----------
    value : object
        Text, a number, True or False; 2.0 is "2", and what is missing is "".

    Returns
    -------
    str
        In Unicode's form NFKC (full-width letters and digits as plain ones), quotes and dashes straight.

    See Also
    --------
    look : The same, where the case and inner blanks do not count either.

    Examples
    --------
    >>> bare(" Agree\\u200b\\xa0"), bare("１"), bare(2.0), bare(None)
    ('Agree', '1', '2', '')
    """
    if isinstance(value, str):
        return _bare(str(value))
    if _is_missing(value):
        return ""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return _bare(str(value))


@lru_cache(maxsize=4096)
def _bare(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text.strip()
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)
    # a tab or a line's end is a blank; other control and format characters (soft hyphen, zero width) show nothing
    return "".join(c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf")).strip()


def look(value: object) -> str:
    """Return what a reader makes of a label: two that give the same text look alike, "" is blank.

    Parameters
    ----------
    value : object
        As of :func:`bare`.

    Returns
    -------
    str
        As :func:`bare` has it, in lower case, "1.0" as "1", without blanks but those that part two digits; in a word
        of Latin letters, Cyrillic and Greek ones that are drawn as they are count as they.

    See Also
    --------
    refuse_alike : Refuse labels that look alike.

    Examples
    --------
    >>> look(" AGREE "), look("Service  Dominant") == look("service-dominant"), look(1.0) == look("1") == look("1.0")
    ('agree', False, True)
    """
    return _look(bare(value))


@lru_cache(maxsize=4096)
def _look(text: str) -> str:
    text = text if text.isascii() else _WORD.sub(_in_one_script, text)
    text = unicodedata.normalize("NFKC", text.casefold())
    text = re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text)
    text = re.sub(r"\s+", " ", text)
    return text[:-2] if re.fullmatch(r"[+-]?\d+\.0", text) else text


def _in_one_script(word: re.Match[str]) -> str:
    """Return a word that mixes Latin letters with others drawn like them as all Latin; genuine words are left alone."""
    latin = word[0].translate(_DRAWN)
    return latin if latin != word[0] and latin.isascii() and re.search(r"[A-Za-z]", word[0]) else word[0]


def _drawn(value: object) -> str:
    """Return how a label is drawn, whatever script its letters are of: a Cyrillic А alone is drawn as a Latin A."""
    return _look(bare(value).translate(_DRAWN))


def _is_missing(value: object) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def without_blanks(labels: Any) -> Any:
    """Return a column or a table of labels with what is blank, or shows nothing, as missing.

    Parameters
    ----------
    labels : Series or DataFrame
        Of any kind, a Categorical too.

    Returns
    -------
    Series or DataFrame of object
        The labels as they were, None for those that are missing.

    See Also
    --------
    labels_in : The same, and labels that look alike refused.

    Examples
    --------
    >>> import pandas as pd
    >>> without_blanks(pd.Series(["joy", " ", "\\u200b", None])).tolist()
    ['joy', None, None, None]
    """
    labels = labels.astype(object)
    blank = {value for value in _cells(labels) if isinstance(value, str) and not look(value)}
    known = labels.notna() & ~labels.isin(blank) if blank else labels.notna()
    return labels.where(known, None)


def labels_in(labels: Any, what: str, name: str, *, where: str = "") -> Any:
    """Return a column or a table of labels, blank text as missing; refuse labels that look alike.

    Parameters
    ----------
    labels : Series or DataFrame
        Of any kind, a Categorical too.
    what : str
        What the labels are, in the plural, for the message: "votes".
    name : str
        What the user calls ``labels``, for the line to type: "votes", "data['sex']".
    where : str
        Where they stand, for the message: "of the column 'sex'".

    Returns
    -------
    Series or DataFrame of object
        None for those that are missing.

    Raises
    ------
    InputError
        For lists among the labels, and for two that look alike, naming them and the line that merges them.

    See Also
    --------
    merge_alike : Merge them on request.
    refuse_alike : The same of names that stand in no column.
    without_blanks : Blank text as missing, nothing refused.

    Examples
    --------
    >>> import pandas as pd
    >>> labels_in(pd.Series(["joy", "", "task"]), "codes", "codes").tolist()
    ['joy', None, 'task']
    >>> labels_in(pd.Series(["joy", "Joy "]), "codes", "codes")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    cocreation.errors.InputError: The codes 'joy' and 'Joy ' look alike, but count as two. Write them alike, or ...
    """
    if any(not isinstance(value, Hashable) for value in _cells(labels)):
        raise InputError(f"The {_placed(what, where)} hold lists or tables. Give one label a cell.")
    labels = without_blanks(labels)
    refuse_alike(_distinct(labels), what, f"{name} = merge_alike({name})", where=where)
    return labels


def refuse_alike(
    labels: Iterable[object], what: str, merge: str = "", *, where: str = "", remedy: str = "Write them alike"
) -> None:
    """Raise where two labels look alike: they differ in case, blanks, Unicode's forms, or as 1 does from "1".

    Parameters
    ----------
    labels : iterable
        What counts as different, each any number of times; what is missing or blank does not count.
    what : str
        What they are, in the plural, for the message.
    merge : str
        The line to type that merges them, if there is one.
    where : str
        Where they stand, for the message.
    remedy : str
        What to do, as long as it is not to merge.

    Raises
    ------
    InputError
        Naming the two.

    See Also
    --------
    labels_in : The same of a column or a table.
    look : When two labels look alike.

    Examples
    --------
    >>> refuse_alike(["joy", "task", "joy"], "codes")
    >>> refuse_alike([1, "1"], "codes")
    Traceback (most recent call last):
        ...
    cocreation.errors.InputError: The codes 1 and '1' look alike, but count as two. Write them alike.
    """
    seen: dict[str, object] = {}
    for label in labels:
        seems = look(label)
        if not seems:
            continue
        others = [seen.setdefault(each, label) for each in (seems, _drawn(label))]
        other = next((each for each in others if each != label), label)
        if other != label:
            line = f", or merge all that look alike: {merge} (from cocreation.inputs.labels import merge_alike)"
            raise InputError(
                f"The {what} {_placed(_shown(other, label), where)} look alike, but count as two. {remedy}"
                f"{line if merge else ''}."
            )


def merge_alike(*labels: Any, like: Iterable[object] = ()) -> Any:
    """Return labels with all that look alike written in one way, and blank text as missing.

    Two labels look alike where they differ only in case, blanks, Unicode's forms (full-width letters, accents apart
    from their letters, characters without width), curly or straight quotes and dashes, a Cyrillic or Greek letter
    drawn as the Latin one in whose place it stands, or as 1 differs from "1".

    Parameters
    ----------
    *labels : Series, DataFrame or sequence
        A column, a table, or several that are compared with each other, such as two coders' codes.
    like : iterable, optional
        Spellings to prefer; otherwise the most frequent stands for all, of those as frequent the first, without its
        outer blanks.

    Returns
    -------
    Series, DataFrame or list, or a tuple of them
        Of what was given, in the same order. A Categorical stays one, in the order of its categories.

    Raises
    ------
    InputError
        For nothing, one text, or lists among the labels.

    See Also
    --------
    refuse_alike : What functions do that are not told to merge.

    Examples
    --------
    >>> import pandas as pd
    >>> merge_alike(pd.Series(["Male", "male", "MALE ", "female", "male"])).tolist()
    ['male', 'male', 'male', 'female', 'male']
    >>> merge_alike(["joy", "task"], ["Joy ", ""])
    (['joy', 'task'], ['joy', None])
    """
    if not labels or any(isinstance(each, str) or not isinstance(each, (Collection, pd.Series)) for each in labels):
        raise InputError("merge_alike takes columns, tables or lists of labels. Write merge_alike(data['…']).")
    cells = [cell for each in labels for cell in _cells(each)]
    if any(not isinstance(cell, Hashable) for cell in cells):
        raise InputError("There are lists or tables among the labels. Give one label a cell.")
    preferred, seems = list(like), _Seeming()
    best: dict[str, object] = {seems(label): label for label in reversed(preferred)}
    for label, _ in Counter(cell for cell in cells if look(cell)).most_common():
        best.setdefault(seems(label), label.strip() if isinstance(label, str) else label)
    merged = tuple(_merged(each, best, seems) for each in labels)
    return merged if len(merged) > 1 else merged[0]


class _Seeming:
    """What labels look like: the first look of all that are drawn alike."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def __call__(self, label: object) -> str:
        return self._first.setdefault(_drawn(label), look(label))


def _merged(labels: Any, best: dict[str, object], seems: _Seeming) -> Any:
    if isinstance(labels, pd.DataFrame):
        return labels.apply(lambda column: _merged(column, best, seems))
    if not isinstance(labels, pd.Series):
        return [best.get(seems(label)) for label in labels]
    found = pd.Series([best.get(seems(label)) for label in labels], labels.index, object, name=labels.name)
    if not isinstance(labels.dtype, pd.CategoricalDtype):
        return found
    kept = dict.fromkeys(best.get(seems(label), label) for label in labels.cat.categories if look(label))
    return found.astype(pd.CategoricalDtype(list(kept), ordered=labels.cat.ordered))


def _cells(labels: Any) -> list[object]:
    if isinstance(labels, (pd.Series, pd.DataFrame)):
        return labels.astype(object).to_numpy().ravel().tolist()
    return list(labels)


def _distinct(labels: Any) -> list[object]:
    """Return the labels there are, each once, in the order of their rows."""
    return list(dict.fromkeys(_cells(labels)))


def _placed(words: str, where: str) -> str:
    return f"{words} {where}" if where else words


def _shown(one: object, other: object) -> str:
    """Return both as Python writes them, by their codes where they would read the same."""
    first, second = (unicodedata.normalize("NFKC", repr(each)).translate(_DRAWN) for each in (one, other))
    same = first == second
    write = ascii if same else repr
    return f"{write(one)} and {write(other)}"
