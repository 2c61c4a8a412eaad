"""Figures as a paper prints them, and the file or mapping they are written in."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from .._files import read_toml, user_path
from ..errors import InputError, plain
from ..inputs.labels import refuse_alike
from ..inputs.options import quoted
from .relations import structures
from .vocabulary import FIGURES, LISTS, TOPICS

__all__ = ["PROGRAMS", "Printed", "Report", "number", "read"]

ROUNDINGS = ("rounded", "truncated", "either")
PROGRAMS = {"amos": (1.0, 1.0), "lavaan": (0.0, 0.0), "either": (0.0, 1.0)}
ROBUST = ("MLM", "MLMV", "MLMVS", "MLR", "MLF", "WLSMV", "WLSM", "ULSMV", "ULSM", "DWLS", "WLS", "ULS", "ROBUST")
_SECTIONS = ("sample", "model", "fit", "scale_ranges", "report")


class Printed(NamedTuple):
    """A figure as printed: its text, the numbers that print so, and the middle one (nan for a bound)."""

    text: str
    low: float
    high: float
    value: float
    decimals: int

    @property
    def span(self) -> tuple[float, float]:
        return self.low, self.high


_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?([eE][+-]?\d+)?")


def number(given: object, *, rounding: str = "rounded", whole: bool = False, decimals: int | None = None) -> Printed:
    """Return a figure given as text (".073", "< .001", "> .90", "1,234.5", ".056-.068") or as a number.

    A number counts with the decimals it shows; text keeps its last zeros. Raises ValueError
    for anything else.
    """
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        raise ValueError("not a figure")
    text = str(given).strip().replace("−", "-").replace("–", "-").rstrip("%*").strip()
    if text.startswith(("<", "≤", ">", "≥")):
        end = number(text[1:].lstrip("=").strip(), whole=True)
        low, high = (-math.inf, end.value) if text[0] in "<≤" else (end.value, math.inf)
        return Printed(str(given), low, high, math.nan, end.decimals)
    parts = re.fullmatch(r"(\S+?)\s*(?:-|to)\s*(\S+)", text) if not _NUMBER.fullmatch(text) else None
    if parts:
        ends = [number(part, rounding=rounding) for part in parts.groups()]
        if ends[0].value > ends[1].value:
            raise ValueError("the range begins above its end")
        return Printed(str(given), ends[0].low, ends[1].high, math.nan, ends[0].decimals)
    if not _NUMBER.fullmatch(text) or not any(map(str.isdigit, text)):
        raise ValueError("not a figure")
    plain = text.replace(",", "")
    value = float(plain)
    if not math.isfinite(value):
        raise ValueError("not a figure")
    if whole:
        return Printed(str(given), value, value, value, len(plain.partition(".")[2]))
    mantissa, _, power = plain.lower().partition("e")
    places = (len(mantissa.partition(".")[2]) - int(power or 0)) if decimals is None else decimals
    unit = 10.0**-places
    toward = math.copysign(1, value)
    ends = {
        "rounded": (-unit / 2, unit / 2),
        "truncated": (0, toward * unit),
        "either": (-unit / 2 * toward, toward * unit),
    }
    low, high = sorted(value + end for end in ends[rounding])
    return Printed(str(given), low, high, value, places)


class Report(NamedTuple):
    """What was read: single figures, lists of tables with their figures read, the settings, topics said to be given."""

    title: str
    figures: dict[str, Printed]
    lists: dict[str, list[dict[str, Any]]]
    structure: str
    estimator: str
    robust: bool
    program: str
    rounding: str
    given: frozenset[str]
    raw: Mapping[str, Any]


def read(source: Mapping[str, Any] | str | Path) -> Report:
    """Return the figures of a mapping or a TOML file, checked.

    Raises
    ------
    InputError
        Naming the key, its value, and what is allowed.
    """
    if isinstance(source, (str, Path)):
        raw, where = _load(Path(source)), f"{Path(source).name}: "
    elif isinstance(source, Mapping):
        raw, where = source, ""
    else:
        raise InputError(
            f"Expected figures as a mapping or the path of a TOML file, got {type(source).__name__}. "
            "Write audit({'n': 312, 'chi2': '452.1', …})."
        )
    if "audit" in raw and "figures" in raw:
        raw = _published(raw)
    flat = _flatten(raw, where)
    settings = {"rounding": "rounded", "program": "either", "structure": "correlated", "estimator": "ML", "title": ""}
    allowed = {"rounding": ROUNDINGS, "program": tuple(PROGRAMS), "structure": structures()}
    for key in settings:
        if key in flat:
            settings[key] = _text(where, key, flat.pop(key), allowed.get(key))
    given = _topics(where, flat.pop("given", []))
    rounding = settings["rounding"]
    lists: dict[str, list[dict[str, Any]]] = {}
    for key in [key for key in flat if key in LISTS]:
        lists[key] = [
            _entry(where, key, place, each, rounding)
            for place, each in enumerate(_tables(where, key, flat.pop(key)), 1)
        ]
    _alike(where, lists)
    figures = {key: _figure(where, key, value, rounding) for key, value in flat.items()}
    _agree(where, figures)
    estimator = settings["estimator"].strip()
    robust = any(word in ROBUST for word in re.split(r"[^A-Z]+", estimator.upper()))
    title, structure, program = (settings[key] for key in ("title", "structure", "program"))
    return Report(title, figures, lists, structure, estimator, robust, program, rounding, given, raw)


def _alike(where: str, lists: Mapping[str, list[dict[str, Any]]]) -> None:
    """Refuse a scale written in two ways, whose figures would not be held against each other, and such categories."""
    place = f"of {where.removesuffix(': ')}" if where else "of the report"
    paired = [name for each in lists.get("correlations", []) for name in each["between"]]
    refuse_alike([*(each["name"] for each in lists.get("scales", [])), *paired], "scales", where=place)
    for each in lists.get("percentages", []):
        refuse_alike(each["percent"], f"categories of {each['name']}", where=place)


def _load(path: Path) -> dict[str, Any]:
    remedy = "Name a TOML file of figures; `cocreation audit --template` prints one to start from."
    hint = 'Correct that line. A figure such as .073 is written 0.073 or ".073".'
    return read_toml(user_path(path), remedy=remedy, name=path.name, hint=hint, parse_float=str)


_NAMES = {"name", "title", "program", "structure", "estimator", "rounding", "given"}


def _published(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Put the figures of a published.toml in the place of their ids; "age" stands for all ids that begin "age."."""
    bound = {"above": "> ", "below": "< "}
    # the file holds numbers; as text they have no zero before the point, as the course's tables
    texts = {
        each["id"]: bound.get(each["kind"], "") + re.sub(r"^0(?=\.)", "", str(each["value"]))
        for each in raw["figures"]
        if "value" in each
    }

    def put(key: str, value: Any) -> Any:
        if isinstance(value, list):
            return [put(key, each) for each in value]
        if isinstance(value, Mapping):
            return {name: put(name, each) for name, each in value.items()}
        if key in _NAMES or value not in texts:
            inside = {name.split(".", 1)[1]: text for name, text in texts.items() if name.startswith(f"{value}.")}
            return inside if inside and key == "percent" else value
        return texts[value]

    return {key: put(key, value) for key, value in raw["audit"].items()}


def _flatten(raw: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Take the figures out of their sections, which are for the eye only."""
    flat: dict[str, Any] = {}
    known = [*FIGURES, *LISTS, "rounding", "program", "structure", "estimator", "title", "given"]
    for key, value in raw.items():
        inside = value.items() if key in _SECTIONS and isinstance(value, Mapping) else [(key, value)]
        for name, each in inside:
            if name not in known:
                near = get_close_matches(str(name).lower(), known, 1, 0.5)
                meant = f"Did you mean '{near[0]}'? " if near else ""
                raise InputError(f"{where}'{name}' is not a figure the audit knows. {meant}Check the spelling; known "
                                 f"are {quoted(known, most=60)}.")  # fmt: skip
            if name in flat:
                raise InputError(f"{where}'{name}' stands there twice. Leave one of them.")
            flat[name] = each
    return flat


def _text(where: str, key: str, value: object, allowed: tuple[str, ...] | None) -> str:
    if not isinstance(value, str) or (allowed and value not in allowed):
        told = f"one of {quoted(allowed)}" if allowed else "text"
        raise InputError(f"{where}{key} is {plain(value)}; it must be {told}. Correct it.")
    return value


def _topics(where: str, value: object) -> frozenset[str]:
    if not isinstance(value, (list, tuple, set, frozenset)) or any(each not in TOPICS for each in value):
        wrong = next((e for e in value if e not in TOPICS), value) if isinstance(value, (list, tuple, set)) else value
        raise InputError(
            f"{where}given holds {plain(wrong)}; allowed is a list of {quoted(TOPICS, most=60)}. Correct it."
        )
    return frozenset(value)


def _tables(where: str, key: str, value: object) -> list[Mapping[str, Any]]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, Mapping) for each in value):
        raise InputError(f"{where}{key} is {plain(value)}; it must be a list of tables. Write each as [[{key}]].")
    return list(value)


#: of keys within lists: label and bounds; the rest are figures of any size
_WITHIN = {
    "items": ("items", 1, 1000, True), "n": ("N", 1, 1e8, True), "raters": ("raters", 1, 100, True),
    "bins": ("bins", 1, 100, True), "agree": ("raters that must agree", 1, 100, True),
    "lowest": ("lowest answer", -1e6, 1e6, True), "highest": ("highest answer", -1e6, 1e6, True),
    "alpha": ("alpha", -10, 1, False), "cr": ("CR", 0, 1, False), "ave": ("AVE", 0, 1, False),
    "root_ave": ("root of AVE", 0, 1, False), "msv": ("MSV", 0, 1, False), "mean_r": ("mean correlation", -1, 1, False),
    "largest_correlation": ("largest correlation", -1, 1, False), "loadings": ("loading", -1.5, 1.5, False),
    "loading_lowest": ("smallest loading", -1, 1, False), "loading_highest": ("largest loading", -1, 1.5, False),
    "r": ("correlation", -1, 1, False), "sd": ("SD", 0, 1e9, False), "counts": ("count", 0, 1e8, True),
    "values": ("eigenvalue", 0, 1000, False), "cumulative": ("per cent", 0, 100.5, False),
    "percent": ("per cent", 0, 1e6, False),
}  # fmt: skip
_MANY = {"loadings", "values", "counts"}


def _entry(where: str, key: str, place: int, table: Mapping[str, Any], rounding: str) -> dict[str, Any]:
    needed, further = LISTS[key]
    at = f"{where}{key} number {place}: "
    for name in needed:
        if name not in table:
            raise InputError(f"{at}'{name}' is missing. Add it; needed are {quoted(needed)}.")
    unknown = [name for name in table if name not in (*needed, *further)]
    if unknown:
        near = get_close_matches(str(unknown[0]), [*needed, *further], 1, 0.5)
        meant = f"Did you mean '{near[0]}'? " if near else ""
        raise InputError(f"{at}'{unknown[0]}' is not known. {meant}Check the spelling; allowed are "
                         f"{quoted([*needed, *further], most=20)}.")  # fmt: skip
    found: dict[str, Any] = {}
    for name, value in table.items():
        several = name in _MANY or (key == "eigenvalues" and name == "percent")
        if name == "name":
            found[name] = _text(at, name, value, None)
        elif name == "between":
            if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(isinstance(v, str) for v in value):
                raise InputError(
                    f"{at}between is {plain(value)}; it must be the names of two scales. Write ['A', 'B']."
                )
            found[name] = tuple(value)
        elif key == "percentages" and name == "percent":
            if not isinstance(value, Mapping) or not value:
                raise InputError(
                    f"{at}percent is {plain(value)}; it must name the categories. Write {{small = 44.9, large = 55.1}}."
                )
            found[name] = {
                str(each): _checked(at, f"percent.{each}", v, "per cent", 0, 100, False, rounding)
                for each, v in value.items()
            }
        elif several:
            if not isinstance(value, (list, tuple)) or not value:
                raise InputError(f"{at}{name} is {plain(value)}; it must be a list of figures. Write [0.81, 0.79, …].")
            found[name] = [_checked(at, name, each, *_WITHIN[name], rounding) for each in value]
        else:
            found[name] = _checked(at, name, value, *_WITHIN.get(name, (name, -1e12, 1e12, False)), rounding)
    return found


def _figure(where: str, key: str, value: object, rounding: str) -> Printed:
    return _checked(where, key, value, *FIGURES[key], rounding)


def _checked(
    where: str, key: str, value: object, label: str, least: float, most: float, whole: bool, rounding: str
) -> Printed:
    span = f"from {least:g} to {most:g}".replace("-", "−") if abs(most) < 1e4 else f"from {least:g} on"
    kind = "a whole number" if whole else 'a figure as printed, such as 0.073, "< .001" or "> .90",'
    said = f"{where}{key} is {plain(value)}; {label} must be {kind} {span}. Correct it."
    if isinstance(value, Printed):
        return value
    try:
        found = number(value, rounding=rounding, whole=whole)
    except (ValueError, OverflowError) as error:
        raise InputError(said) from error
    bad_whole = whole and not math.isnan(found.value) and found.value != int(found.value)
    inside = [end for end in (found.low, found.high) if math.isfinite(end)]
    middle = [found.value] if not math.isnan(found.value) else inside
    if bad_whole or any(not least - 1e-12 <= each <= most + 1e-12 for each in middle):
        raise InputError(said)
    return found


def _agree(where: str, figures: Mapping[str, Printed]) -> None:
    """Refuse what no reading can mend: a model without degrees of freedom, more factors than items."""
    if "df" in figures and figures["df"].high < 1:
        raise InputError(f"{where}df is {figures['df'].text}: a just-identified model fits any data, so its indices "
                         "say nothing. Leave the figures of fit out.")  # fmt: skip
    if {"items", "factors"} <= set(figures) and figures["factors"].low > figures["items"].high:
        pair = figures["factors"].text, figures["items"].text
        raise InputError(f"{where}factors is {pair[0]} with {pair[1]} items; there cannot be more factors than items. "
                         "Correct one of them.")  # fmt: skip
