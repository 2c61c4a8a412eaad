"""What a label of a frame means to a reader: the measure it names, or words.

Where the code names a measure the field's name is shown; where a person wrote words the words are; where a
program or a data set has a name in small letters it keeps them.
"""

from __future__ import annotations

import re

from .heads import ALIASES, BOUNDED, COUNTS, HEADS, PROBABILITIES
from .table import Runs, plain, runs
from .values import text_of

__all__ = ["head_of", "joined", "kind_of", "row_names"]

_KNOWN = frozenset(HEADS) | BOUNDED | COUNTS | PROBABILITIES
#: heads that say where a figure comes from, not what it is
_SOURCES = frozenset({"expected", "fiml", "observed", "intended"})
#: programs and data sets, whose names begin small
_SMALL = frozenset({"bfi", "factor_analyzer", "lavaan", "mobi", "pandas", "psych", "semopy", "semTools"})
#: measures whose names in the code are no words, so that among words too they can be nothing else
_NO_WORDS = "cfi|chi2|citc|fiml|htmt|kmo|nfi|rmsea|srmr|tli"
_NAMES = re.compile(rf"[A-Za-z]\w*_\w+|\b({_NO_WORDS})\b")


def kind_of(label: object) -> str:
    """Return the name that says what kind of figure a column or row holds; empty if none does.

    Examples
    --------
    >>> kind_of("cfi"), kind_of("CFI"), kind_of("scaling factor"), kind_of("r, moved"), kind_of("forgotten")
    ('cfi', 'cfi', 'scaling_factor', 'r', '')
    """
    if not isinstance(label, str):
        return ""
    for name in (label, label.partition(", ")[0]):
        small = name.lower() if len(name) > 1 else name
        for form in (name, small, small.replace(" ", "_")):
            found = ALIASES.get(form, form)
            if found in _KNOWN:
                return "" if found in _SOURCES else found
    return "percent" if re.search(r"%|\bper ?cent\b", label) else ""


def head_of(label: object) -> tuple[Runs, Runs]:
    """Return head and spanner of a label: a known measure as the field writes it, other names as words.

    Examples
    --------
    >>> head_of("chi2"), head_of("rmsea_lower")
    (((('χ²', False),), ()), ((('LL', True),), (('90% CI of RMSEA', False),)))
    >>> head_of("percent_agreed"), head_of("r, moved")
    (((('Percent agreed', False),), ()), ((('r', True), (', moved', False)), ()))
    """
    text = text_of(label)
    if not isinstance(label, str):
        return (((text, False),) if text else ()), ()
    if text in HEADS:
        over, _, own = HEADS[text].rpartition("|")
        return runs(own), runs(over)
    base, comma, rest = text.partition(", ")
    if comma and base in HEADS:
        return _merged((*joined(head_of(base)), (", ", False), *_words(rest))), ()
    words = _words(text)
    if words and not words[0][1] and re.match(r"[a-z]{3,}(?![\w./])|[a-z]+ [a-z(]", text.replace("_", " ")):
        first = re.match(r"\w+", text)
        if not first or first[0] not in _SMALL:
            words = ((words[0][0][0].upper() + words[0][0][1:], False), *words[1:])
    return words, ()


def row_names(labels: list[object]) -> list[str] | None:
    """Return the names of rows that are measures; None if they are something else.

    Examples
    --------
    >>> row_names(["chi2", "rmsea_lower", "items_per_factor"]), row_names(["n", "E with N", "N1"])
    (['χ²', '90% CI of RMSEA LL', 'Items per factor'], None)
    """
    texts = [label for label in labels if isinstance(label, str)]
    known = sum(text in HEADS for text in texts)
    if len(texts) < len(labels) or not texts or 2 * known < len(texts):
        return None
    if not all(text in HEADS or re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", text) for text in texts):
        return None
    return [plain(joined(head_of(text))) for text in texts]


def joined(head: tuple[Runs, Runs]) -> Runs:
    """Return head and spanner in one."""
    own, over = head
    return (*over, (" ", False), *own) if over else own


def _words(text: str) -> Runs:
    """Return text in which names of the code have become words."""
    found: list[tuple[str, bool]] = []
    done = 0
    for name in _NAMES.finditer(text):
        found += [(text[done : name.start()], False), *_name_in_words(name[0])]
        done = name.end()
    found.append((text[done:], False))
    return _merged(tuple(found))


def _merged(pieces: Runs) -> Runs:
    """Return the pieces without empty ones, neighbours of one kind as one."""
    whole: list[tuple[str, bool]] = []
    for piece, italic in pieces:
        if whole and whole[-1][1] == italic:
            whole[-1] = (whole[-1][0] + piece, italic)
        elif piece:
            whole.append((piece, italic))
    return tuple(whole)


def _name_in_words(name: str) -> Runs:
    if name in HEADS:
        return joined(head_of(name))
    if name not in _SMALL and re.fullmatch(rf"[a-z]+(_([a-z]+|{_NO_WORDS}))+", name):
        return _words(name.replace("_", " "))
    return ((name, False),)
