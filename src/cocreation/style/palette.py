"""The colours of the course, light ones for dark pages included; the pages make CSS variables of them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

__all__ = [
    "ACCENT",
    "CELL",
    "CELL_OPPOSED",
    "DARK",
    "HAIRLINE",
    "INK",
    "MUTED",
    "OPPOSED",
    "PAPER",
    "SHADE",
    "TOKENS",
    "contrast",
    "dimension_colours",
    "dimension_text_colours",
]

INK = "#22283a"
#: axes, thresholds, what stands in the background
MUTED = "#5a6175"
HAIRLINE = "#d9d3c4"
PAPER = "#fffefa"
#: bands and areas
SHADE = "#f4f1e8"
#: the main series, and what has no dimension
ACCENT = "#1f5a8c"
#: the other end of a scale with a middle: negative where ACCENT is positive
OPPOSED = "#9c3d2e"

#: laid on the cells of a table, thicker the larger a figure is, positive and negative
CELL, CELL_OPPOSED = "#1d5b90", "#a03a2b"

#: five colours that stay apart for the colour-blind (Okabe & Ito, 2008), the n-th for the n-th dimension of a study
_DIMENSIONS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7")
#: the same, dark enough to be read as text
_TEXTS = ("#00689f", "#8a5f00", "#00755a", "#ad4c00", "#a0497b")

#: name of each colour, without the ``--cc-`` of its CSS variable, and its value on a light page
TOKENS: dict[str, str] = {
    "ink": INK,
    "muted": MUTED,
    "hairline": HAIRLINE,
    "paper": PAPER,
    "shade": SHADE,
    "accent": ACCENT,
    "opposed": OPPOSED,
    "cell": CELL,
    "cell-opposed": CELL_OPPOSED,
    **{f"dimension-{n}": colour for n, colour in enumerate(_DIMENSIONS, start=1)},
    **{f"dimension-{n}-text": colour for n, colour in enumerate(_TEXTS, start=1)},
}

#: those that differ on a dark page
DARK: dict[str, str] = {
    "ink": "#e6e3da",
    "muted": "#a3a9b8",
    "hairline": "#353b4a",
    "paper": "#14171f",
    "shade": "#1d222d",
    "accent": "#8ec1f0",
    "opposed": "#f0a08f",
    "cell": "#4a8cc7",
    "cell-opposed": "#c2604f",
    "dimension-1": "#2f95d3",
    "dimension-1-text": "#6cb8ea",
    "dimension-2-text": "#e9ad2c",
    "dimension-3-text": "#35c79d",
    "dimension-4-text": "#f58b45",
    "dimension-5-text": "#e0a0c4",
}


def dimension_colours(codes: Iterable[str]) -> dict[str, str]:
    """Return the colour of each dimension: the n-th has the n-th of five, whatever the study.

    Parameters
    ----------
    codes : iterable of str
        The study's dimensions in its own order, as ``population.load().dimensions`` has them. A sixth begins anew.

    Returns
    -------
    dict of str to str
        Code to ``#rrggbb``.

    See Also
    --------
    dimension_text_colours : The same, for words.

    Notes
    -----
    The colours are those of Okabe & Ito (2008) that stay apart for the colour-blind.

    Examples
    --------
    >>> dimension_colours(["DO", "CE"])
    {'DO': '#0072b2', 'CE': '#e69f00'}
    """
    return dict(zip(codes, cycle(_DIMENSIONS), strict=False))


def dimension_text_colours(codes: Iterable[str]) -> dict[str, str]:
    """Return a shade of the colour of each dimension in which words can be read (a contrast of 4.5 and more).

    Parameters
    ----------
    codes : iterable of str
        As for :func:`dimension_colours`.

    Returns
    -------
    dict of str to str
        Code to ``#rrggbb``.

    See Also
    --------
    dimension_colours : For marks.

    Examples
    --------
    >>> dimension_text_colours(["DO"])
    {'DO': '#00689f'}
    """
    return dict(zip(codes, cycle(_TEXTS), strict=False))


def contrast(one: str, other: str) -> float:
    """Return how far two colours stand apart, from 1 (not at all) to 21 (black on white).

    Parameters
    ----------
    one, other : str
        ``#rrggbb``.

    Returns
    -------
    float

    Notes
    -----
    The ratio of relative luminances of the Web Content Accessibility Guidelines 2: 4.5 for text, 3 for marks.

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return round((high + 0.05) / (low + 0.05), 4)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
