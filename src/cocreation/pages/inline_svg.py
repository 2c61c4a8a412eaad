"""An SVG file as a part of a page: cleaned, safe beside others, in the colours of the page."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from xml.etree import ElementTree

import pandas as pd

from ..style.palette import TOKENS
from ..style.shown import TABLES
from ..style.tables import unpacked

__all__ = ["Drawing", "inline"]

#: text of a figure is never smaller than this on a page, in CSS pixels
_SMALLEST = 9.0
#: CSS pixels of what an SVG measures in points, as a hundred of them are an inch of a figure here
_PIXELS = {"pt": 100 / 72, "px": 1.0, "": 1.0}
_NAMES = {colour: f"var(--cc-{name}, {colour})" for name, colour in TOKENS.items()}
_COLOUR = re.compile("|".join(_NAMES), re.IGNORECASE)
_PAINTED = ("fill", "stroke", "stop-color", "color")
_POINTING = re.compile(r"url\(#([^)]+)\)")
_SIZE = re.compile(r"\bfont-size:\s*([\d.]+)|\bfont:[^;]*?([\d.]+)px")
_FRACTION = re.compile(r"-?\d+\.\d{3,}")


@dataclass(frozen=True)
class Drawing:
    """A figure for a page.

    Attributes
    ----------
    html : str
        The element ``svg``.
    width, height : float
        Its size in CSS pixels, where there is room.
    least : float
        The width below which its smallest text could not be read.
    tables : list of DataFrame
        The tables behind it.
    """

    html: str
    width: float
    height: float
    least: float
    tables: list[pd.DataFrame]


def inline(text: str, *, alt: str, mark: str, width: float | None = None) -> Drawing:
    """Make an SVG file a part of a page.

    Parameters
    ----------
    text : str
        The file.
    alt : str
        What the figure shows, for who does not see it.
    mark : str
        Stands before each identifier, so that two figures of a page share none.
    width : float, optional
        The width to show it with, in CSS pixels; by default its own.

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError
        If the text is no SVG, or has no size.
    """
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 – the book's own files
    except ElementTree.ParseError as error:
        raise ValueError(f"this is no SVG: {error}") from error
    if root.tag.rpartition("}")[2] != "svg":
        raise ValueError("this is no SVG, its outermost element has another name")
    own = _width(root)
    tables = [unpacked(table) for table in _tables(root)]
    smallest = min(_font_sizes(root), default=_SMALLEST)
    _clean(root, mark)
    box = [float(number) for number in root.get("viewBox", "").replace(",", " ").split()]
    width = width or own
    least = min(width, _SMALLEST * box[2] / smallest)
    size = f"max-width:{width:.0f}px;min-width:{least:.0f}px"
    root.set("class", "cc-svg")
    root.set("role", "img")
    root.set("aria-label", alt)
    root.set("style", ";".join(filter(None, [root.get("style"), size])))
    html = ElementTree.tostring(root, encoding="unicode")
    return Drawing(html, width, width * box[3] / box[2], least, tables)


def _width(root: ElementTree.Element) -> float:
    """Return the width in CSS pixels, and see to it that there is a viewBox."""
    if "viewBox" not in root.attrib:
        root.set("viewBox", "0 0 {:g} {:g}".format(*(_pixels(root.get(side, "")) for side in ("width", "height"))))
    own = root.get("width", "100%")
    return float(root.get("viewBox", "").replace(",", " ").split()[2]) if own.endswith("%") else _pixels(own)


def _pixels(length: str) -> float:
    found = re.fullmatch(r"\s*([\d.]+)\s*(pt|px|)\s*", length)
    if not found:
        raise ValueError(f"its width or height, {length or 'which is not there'}, is no number of points or pixels")
    return float(found[1]) * _PIXELS[found[2]]


def _tables(root: ElementTree.Element) -> list[dict]:
    for element in root.iter():
        if element.get("id") == TABLES:
            return json.loads(element.text or "[]")
    return []


def _font_sizes(root: ElementTree.Element) -> list[float]:
    """Return the sizes of text, in the units of the viewBox."""
    told = [value if name == "style" else f"{name}:{value}" for each in root.iter() for name, value in each.items()]
    return [float(one or other) for text in told for one, other in _SIZE.findall(text)]


def _clean(root: ElementTree.Element, mark: str) -> None:
    """Drop what only a file needs, name what is pointed at after the figure, and let the page choose the colours."""
    pointed = set()
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name in list(element.attrib):
            short = name.rpartition("}")[2]
            element.attrib[short] = element.attrib.pop(name)
        for value in element.attrib.values():
            pointed |= set(_POINTING.findall(value))
        pointed |= {element.get("href", "")[1:]} if element.get("href", "").startswith("#") else set()
    for name in ("width", "height", "version", "aria-labelledby", "aria-describedby", "font-family", "role"):
        root.attrib.pop(name, None)
    _prune(root)
    for element in root.iter():
        _dress(element, pointed, mark)


def _prune(parent: ElementTree.Element) -> None:
    """Remove what a page has no use for, and the space between elements."""
    if parent.tag not in ("text", "tspan"):
        parent.text = None
    for child in list(parent):
        _prune(child)
        if parent.tag not in ("text", "tspan"):
            child.tail = None
        # matplotlib's style would hold for the whole page; the page has the rule, for its figures
        if child.tag in ("metadata", "style", "title", "desc") or (child.tag in ("defs", "g") and len(child) == 0):
            parent.remove(child)


def _dress(element: ElementTree.Element, pointed: set[str], mark: str) -> None:
    attributes = element.attrib
    name = attributes.pop("id", None)
    if name in pointed:
        attributes["id"] = f"{mark}{name}"
    if attributes.get("href", "").startswith("#"):
        attributes["href"] = f"#{mark}{attributes['href'][1:]}"
    style = [part.strip() for part in attributes.pop("style", "").split(";")]
    # in an attribute a variable is not everywhere understood; in a style it is
    painted = [f"{key}: {attributes.pop(key)}" for key in _PAINTED if _COLOUR.search(attributes.get(key, ""))]
    style = [*painted, *filter(None, map(_without_family, style))]
    if style:
        told = ";".join(part.replace(": ", ":") for part in style)
        attributes["style"] = _COLOUR.sub(lambda found: _NAMES[found[0].lower()], told)
    for key, value in attributes.items():
        value = _POINTING.sub(rf"url(#{mark}\1)", value)
        if key in ("d", "x", "y", "width", "height", "cx", "cy", "r", "x1", "x2", "y1", "y2", "transform", "points"):
            value = " ".join(_FRACTION.sub(_shorter, value).split())
        attributes[key] = value
    if re.fullmatch(r"rotate\(-?0(\.0)? [^)]*\)", attributes.get("transform", "")):
        del attributes["transform"]


def _without_family(part: str) -> str:
    """Leave the type to the page, which has it."""
    key, _, value = part.partition(":")
    if key == "font-family":
        return ""
    if key == "font":  # matplotlib before 3.11: weight and size, then the family
        weight, size = re.match(r"\s*(.*?)\s*([\d.]+px)", value).groups()
        return f"font-weight: {weight};font-size: {size}" if weight else f"font-size: {size}"
    return part


def _shorter(number: re.Match[str]) -> str:
    """Return a coordinate to a hundredth of a point, which nobody sees; a scale keeps its digits."""
    if abs(float(number[0])) < 0.05:
        return number[0]
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
