"""The settings of matplotlib for all figures."""

from __future__ import annotations

from typing import Any

from . import palette

__all__ = ["COLUMN", "FAMILY", "SALT", "settings"]

#: width of the text column of a page, in CSS pixels; a hundred of them are an inch of a figure
COLUMN = 680
#: type of all figures; the package brings it along, so that text is measured as the page shows it
FAMILY = "Source Sans 3"
#: what the identifiers in an SVG are made from besides their content
SALT = "cocreation"


def settings() -> dict[str, Any]:
    """Return the settings of matplotlib, by their names in ``matplotlib.rcParams``.

    Returns
    -------
    dict of str to object

    See Also
    --------
    cocreation.style.use : Apply them.

    Examples
    --------
    >>> settings()["axes.spines.top"]
    False
    """
    from matplotlib import cycler

    return {
        "figure.figsize": (COLUMN / 100, 4.2),
        "figure.dpi": 100,
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.h_pad": 0.04,
        "figure.constrained_layout.w_pad": 0.04,
        "figure.facecolor": palette.PAPER,
        # sizes are those asked for: nothing is cut off or added when a figure is written
        "savefig.bbox": None,
        "savefig.dpi": "figure",
        "savefig.facecolor": "auto",
        "font.family": [FAMILY, "DejaVu Sans"],
        "font.size": 9.5,
        "text.color": palette.INK,
        # the width of a text is the same at every resolution
        "text.hinting": "none",
        "mathtext.default": "regular",
        "axes.facecolor": "none",
        "axes.edgecolor": palette.MUTED,
        "axes.linewidth": 0.8,
        "axes.labelcolor": palette.INK,
        "axes.labelsize": 9.5,
        "axes.titlesize": 10,
        "axes.titleweight": "bold",
        "axes.titlecolor": palette.INK,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=[palette.ACCENT, palette.MUTED, palette.OPPOSED]),
        "grid.color": palette.HAIRLINE,
        "grid.linewidth": 0.8,
        "xtick.color": palette.MUTED,
        "ytick.color": palette.MUTED,
        "xtick.labelcolor": palette.INK,
        "ytick.labelcolor": palette.INK,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
        "lines.linewidth": 1.6,
        "lines.markersize": 6,
        "patch.edgecolor": palette.PAPER,
        "legend.frameon": False,
        "legend.fontsize": 9,
        # text of an SVG stays text, and its identifiers are those of every other run
        "svg.fonttype": "none",
        "svg.hashsalt": SALT,
    }
