"""What stands in the TOML files of a study, entry by entry, and how a mistake in one is told.

A room behind :mod:`cocreation.survey.plans`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..errors import CourseError, InputError, plain
from ..inputs.options import quoted

__all__ = ["FIELDWORK", "POPULATION", "PUBLISHED", "SPOILED", "among", "is_number", "lacking", "refusal", "same",
           "shaped", "short", "unique"]  # fmt: skip

#: what can happen to a questionnaire, beside being answered well
SPOILED = ("not_returned", "skipping", "double_ticking", "careless", "trap_failing", "straight_lining")


def is_number(value: object) -> bool:
    """Whether a value is a number, and neither true, false nor nan."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _list_of(fits: Callable[[object], bool], n: int | None = None) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value)) and (n is None or len(value) == n)


#: what a value should be, in words, and whether it is
_NUMBER = ("a number", is_number)
_WHOLE = ("a whole number", _whole)
_COUNT = ("a whole number from 0 on", lambda value: _whole(value) and value >= 0)
_SOME = ("a whole number from 1 on", lambda value: _whole(value) and value >= 1)
_SHARE = ("a number from 0 to 1", lambda value: is_number(value) and 0 <= value <= 1)
_TEXT = ("a text", lambda value: isinstance(value, str) and bool(value.strip()))
_YES = ("true or false", lambda value: isinstance(value, bool))
_NUMBERS = ("a list of numbers", _list_of(is_number))
_WHOLES = ("a list of whole numbers", lambda value: _list_of(_whole)(value) and bool(value))
_SPAN = ("two whole numbers, the lower first", lambda value: _list_of(_whole, 2)(value) and value[0] <= value[1])
_TEXTS = ("a list of texts", _list_of(lambda text: isinstance(text, str)))
_ENDS = ("two texts", _list_of(lambda text: isinstance(text, str), 2))
_SHARES = {"*": _SHARE}
_WORDS = {"*": {"*": _TEXT}}
_LOST = {f"{kind}?": _COUNT for kind in SPOILED}

#: a table is a dict ("*" stands for names of one's own, "?" for what may be left out), several tables are a list
POPULATION: dict[str, Any] = {
    "dimensions": [
        {"code": _TEXT, "name": _TEXT, "phase": _TEXT, "meaning": _TEXT, "themes": [{"name": _TEXT, "meaning": _TEXT}]}
    ],
    "scale": {
        **{"points": _SOME, "cuts": _NUMBERS, "method": _NUMBER, "theme_flawed?": _NUMBER},
        **{"lowest?": _WHOLE, "labels?": _ENDS, "straight_lining?": _WHOLES},
    },
    "items": [
        {
            **{"item": _TEXT, "theme": _TEXT, "wording": _TEXT, "role": _TEXT, "location": _NUMBER},
            **{"offset?": _NUMBER, "loading?": _NUMBER, "flaw?": _TEXT},
            "cross?": {"dimension": _TEXT, "loading": _NUMBER},
        }
    ],
    "correlations": {"*": _NUMBER},
    "groups?": [{"column": _TEXT, "value": _TEXT, "dimensions?": {"*": _NUMBER}, "items?": {"*": _NUMBER}}],
    "outcomes?": [
        {
            **{"code": _TEXT, "name": _TEXT, "weights": {"*": _NUMBER}, "loadings": _NUMBERS, "method": _NUMBER},
            **{"wordings": _TEXTS, "source?": _TEXT},
        }
    ],
    "growth?": {"weights": {"*": _NUMBER}, "mean": _NUMBER, "spread": _NUMBER, "source?": _TEXT},
    "roles?": _SHARES,
    "pre_survey?": {"distributed": _SOME, "trap_after": _TEXT, "spoiled?": _LOST, "channels?": _SHARES},
    "formal_survey?": {
        **{"distributed": _SOME, "trap_after": _TEXT, "spoiled?": _LOST, "channels?": _SHARES, "days?": _SOME},
        "firms?": {"*": {"*": _COUNT}},
    },
    "follow_up?": {
        **{"respondents": _SOME, "weeks?": _SPAN, "stable_dimension": _SHARE, "stable_theme": _SHARE},
        **{"stable_method": _SHARE, "stable_unique": _SHARE},
    },
    "trap?": {"wording": _TEXT, "right": _WHOLE},
    "aims?": {"alphas?": {"*": _SHARE}},
    "codebook?": _WORDS,
    "calibrated?": {"theme_loading": _NUMBER, "loadings": {"*": _NUMBER}, "seeds": {"*": _COUNT}},
}
FIELDWORK: dict[str, Any] = {
    "interviews": {
        **{"seed": _COUNT, "mean_minutes": _SOME, "sd_minutes": _NUMBER, "excerpts": _SPAN, "slip": _SHARE},
        "minutes?": _SPAN,
    },
    "firms": [{"name": _TEXT, "industry": _TEXT, "*": _TEXT}],
    "roles": {"*": _SOME},
    # what a role says of a theme has the role's name
    "themes": {"*": {"weight": {"*": _NUMBER}, "confused_with": _TEXTS, "*": _TEXTS}},
    "panel": {
        **{"seed": _COUNT, "bins?": _TEXTS, "agree": _SOME, "relevant": _WHOLE, "ratings?": _SPAN, "raters?": _SOME},
        "doubts": {"*": {"sorting": _SHARE, "fits_nowhere": _YES, "rating": _SHARE, "three_or_four": _NUMBERS}},
    },
    "experts": [{"expert": _TEXT, "role": _TEXT, "group": _TEXT}],
    "rejected?": [
        {
            **{"item": _TEXT, "theme": _TEXT, "wording": _TEXT, "sorted": _TEXTS, "relevance": _WHOLES},
            "flaw?": _TEXT,
        }
    ],
    "codebook?": _WORDS,
}
PUBLISHED: dict[str, Any] = {
    "figures": [
        {
            **{"id": _TEXT, "step": _TEXT, "kind": _TEXT, "label": _TEXT, "tolerance?": _NUMBER, "together?": _YES},
            **{"decimals?": _COUNT, "reason?": _TEXT, "note?": _TEXT},
        }
    ],
}


def refusal(where: str, key: str, has: str, should: str, remedy: str) -> InputError:
    """Return the error that tells file, key, what it has and should have, and what to do."""
    return InputError(f"{where}: {key} is {has}, but should be {should}. {remedy}")


def shaped(value: Any, shape: Any, key: str, where: str) -> None:
    """Refuse a value that has not the shape; a missing entry is a KeyError with its whole name."""
    if isinstance(shape, list):
        if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
            raise refusal(where, key, short(value), f"one or more tables [[{key}]]", "Write it so.")
        for place, each in enumerate(value, start=1):
            shaped(each, shape[0], f"{key} (number {place})", where)
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            raise refusal(where, key, short(value), f"a table [{key}]", "Write it so.")
        known = {name.removesuffix("?"): name for name in shape if name != "*"}
        for name, written in known.items():
            if written.endswith("?") and value.get(name) == []:
                continue
            if name in value:
                shaped(value[name], shape[written], f"{key}.{name}".lstrip("."), where)
            elif not written.endswith("?"):
                raise KeyError(f"{key}.{name}".lstrip("."))
        for name in value:
            if name in known:
                continue
            if "*" in shape:
                shaped(value[name], shape["*"], f"{key}.{name}".lstrip("."), where)
                continue
            meant = [each for each in get_close_matches(name, known, 1, 0.8) if each not in value]
            if meant:
                label = f"{key}.{name}".lstrip(".")
                raise InputError(
                    f"{where}: nothing reads the entry {label}; it may be meant as '{meant[0]}'. Rename it."
                )
    elif not shape[1](value):
        raise refusal(where, key, short(value), shape[0], "Correct the entry.")


def short(value: object) -> str:
    """Return a value as it is written, cut off where it is long."""
    text = plain(value)
    return text if len(text) < 60 else f"{text[:56]} …"


def unique(names: Iterable[str], key: str, where: str) -> list[str]:
    """Return the names, or refuse one that stands there twice."""
    listed = list(names)
    twice = [name for place, name in enumerate(listed) if name in listed[:place]]
    if twice:
        raise InputError(f"{where}: {key} has '{twice[0]}' twice. Give every one a name of its own.")
    return listed


def among(name: object, known: Iterable[object], key: str, where: str) -> None:
    """Refuse a name that is none of the known ones."""
    known = list(known)
    if name not in known:
        remedy = "Correct the entry." if known else "Leave the entry out."
        raise refusal(where, key, plain(name), f"one of {quoted(known, most=8)}" if known else "absent", remedy)


def same(has: Iterable[str], should: Iterable[str], key: str, where: str, remedy: str) -> None:
    """Refuse names that are not the ones they should be, in whatever order."""
    has, should = list(has), list(should)
    if set(has) != set(should):
        raise refusal(where, key, ", ".join(has) or "empty", ", ".join(should) or "empty", remedy)


def lacking(where: str | Path, missing: KeyError, shipped: str) -> CourseError:
    """Return the error that names an entry that is not there."""
    return CourseError(f"{where} lacks the entry {missing}. Compare it with the shipped {shipped}.")
