"""How a figure of the course looks: one palette, one type, direct labels, and the table behind what is drawn.

A notebook calls :func:`use` in its first cell. Every ``plot()`` of the library draws with what stands here.
"""

from .look import axes, figure, use
from .marks import heat, label_lines, note, threshold
from .palette import (
    ACCENT,
    HAIRLINE,
    INK,
    MUTED,
    OPPOSED,
    PAPER,
    SHADE,
    TOKENS,
    contrast,
    dimension_colours,
    dimension_text_colours,
)
from .settings import COLUMN
from .tables import behind, tables_behind

__all__ = [
    "ACCENT",
    "COLUMN",
    "HAIRLINE",
    "INK",
    "MUTED",
    "OPPOSED",
    "PAPER",
    "SHADE",
    "TOKENS",
    "axes",
    "behind",
    "contrast",
    "dimension_colours",
    "dimension_text_colours",
    "figure",
    "heat",
    "label_lines",
    "note",
    "tables_behind",
    "threshold",
    "use",
]
