"""What is written into a figure, so that it needs no legend: labels, thresholds, cells with their figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from . import palette

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

__all__ = ["heat", "label_lines", "note", "threshold"]

#: points between two lines of small text
_LINE = 12.0
#: how thick the colour lies on the cell of a full size: words still stand out from it
_THICK = 0.62


def note(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    *,
    dx: float = 0,
    dy: float = 0,
    colour: str = palette.INK,
    bold: bool = False,
    ha: str = "left",
    va: str = "center",
) -> Text:
    """Write words at a point of the data, on a ground of paper so that lines do not cross them.

    Parameters
    ----------
    ax : Axes
    x, y : float
        The point.
    text : str
    dx, dy : float
        Points to the right and up from it.
    colour : str
    bold : bool
        For what the figure is about.
    ha, va : str
        Which side of the words is at the point.

    Returns
    -------
    Text

    See Also
    --------
    threshold : A line with its words.
    label_lines : Words at the ends of lines.

    Examples
    --------
    >>> from cocreation.style import axes
    >>> note(axes(None), 0.5, 0.5, "five stand above noise", bold=True).get_text()
    'five stand above noise'
    """
    ground = {"facecolor": palette.PAPER, "edgecolor": "none", "alpha": 0.85, "pad": 0.8}
    return ax.annotate(
        text,
        (x, y),
        (dx, dy),
        textcoords="offset points",
        color=colour,
        fontweight="bold" if bold else "normal",
        fontsize=10 if bold else 9,
        ha=ha,
        va=va,
        bbox=ground,
        zorder=4,
    )


def threshold(
    ax: Axes, value: float, text: str, *, axis: str = "y", at: float = 1.0, above: bool = True
) -> tuple[Line2D, Text]:
    """Draw a limit as a dashed grey line, with words on it.

    Parameters
    ----------
    ax : Axes
        Its limits are left as they are; set them before or after.
    value : float
    text : str
        What the limit is and where it lies, as ``"cut-off .70"``.
    axis : {'y', 'x'}
        On which the value lies: ``'y'`` draws a line across.
    at : float
        Where along the line the words end, from 0 to 1.
    above : bool
        Words above (or, for ``'x'``, to the right of) the line.

    Returns
    -------
    tuple of Line2D and Text

    See Also
    --------
    note : Words at a point.

    Examples
    --------
    >>> from cocreation.style import axes
    >>> line, words = threshold(axes(None), 0.7, "cut-off .70")
    >>> words.get_text()
    'cut-off .70'
    """
    across = axis == "y"
    draw = ax.axhline if across else ax.axvline
    line = draw(value, color=palette.MUTED, linestyle=(0, (4, 3)), linewidth=1, zorder=1.5)
    side = 3 if above else -3
    words = ax.annotate(
        text,
        (at, value) if across else (value, at),
        (0, side) if across else (side, 0),
        xycoords=("axes fraction", "data") if across else ("data", "axes fraction"),
        textcoords="offset points",
        color=palette.MUTED,
        fontsize=9,
        ha="right" if across else ("left" if above else "right"),
        va=("bottom" if above else "top") if across else "top",
        zorder=4,
    )
    return line, words


def label_lines(ax: Axes, lines: Mapping[str, Line2D]) -> list[Text]:
    """Write the name of each line at its right end, in its colour; names that would meet are moved apart.

    Parameters
    ----------
    ax : Axes
        With its final limits and scales, from which the distances follow.
    lines : mapping of str to Line2D
        Name to line.

    Returns
    -------
    list of Text
        In the order given.

    See Also
    --------
    note : Words at a point.

    Examples
    --------
    >>> from cocreation.style import axes
    >>> ax = axes(None)
    >>> drawn = {name: ax.plot([0, 1], [0, end])[0] for name, end in [("men", 1.0), ("women", 0.99)]}
    >>> [words.get_text() for words in label_lines(ax, drawn)]
    ['men', 'women']
    """
    figure = ax.get_figure(root=True)
    ends = [(float(line.get_xdata()[-1]), float(line.get_ydata()[-1])) for line in lines.values()]
    heights = [ax.transData.transform(end)[1] * 72 / figure.dpi for end in ends]
    placed = _apart(heights, _LINE)
    return [
        ax.annotate(
            name,
            end,
            (6, to - from_),
            textcoords="offset points",
            color=line.get_color(),
            fontsize=9,
            ha="left",
            va="center",
            annotation_clip=False,
        )
        for (name, line), end, from_, to in zip(lines.items(), ends, heights, placed, strict=True)
    ]


def _apart(places: list[float], least: float) -> list[float]:
    """Return places at least so far apart, in the same order, moved as little as that asks in sum of squares."""
    order = np.argsort(places, kind="stable")
    blocks: list[list[float]] = []  # sum of what the members want of the first place, and their number
    for rank, index in enumerate(order):
        blocks.append([places[index] - rank * least, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, number = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += number
    level = [total / number for total, number in blocks for _ in range(int(number))]
    result = [0.0] * len(places)
    for rank, index in enumerate(order):
        result[index] = float(level[rank] + rank * least)
    return result


def heat(ax: Axes, frame: pd.DataFrame, *, full: float = 1.0, digits: int = 2, words: bool = True) -> None:
    """Draw a table as cells, darker the larger a figure is, blue where positive and red where negative.

    The colours are laid on thinner or thicker, so that a small figure has the colour of the page, light or dark, and
    are never so dark that a figure does not stand out.

    Parameters
    ----------
    ax : Axes
        Its axes become the table's columns, on top, and rows.
    frame : DataFrame
        Missing figures leave their cell empty.
    full : float
        The size that has the full colour.
    digits : int
        Decimals of the figures.
    words : bool
        Write the figures into the cells.

    See Also
    --------
    note : Words at a point.

    Examples
    --------
    >>> import pandas as pd
    >>> from cocreation.style import axes
    >>> ax = axes(None)
    >>> heat(ax, pd.DataFrame({"F1": [0.8, -0.1]}, index=["a", "b"]))
    >>> [text.get_text() for text in ax.texts]
    ['.80', '−.10']
    """
    from matplotlib.patches import Rectangle

    for row, values in enumerate(frame.to_numpy(float)):
        for column, value in enumerate(values):
            if not np.isfinite(value):
                continue
            thick = round(_THICK * min(1.0, abs(value) / full), 3)
            ground = (palette.CELL if value >= 0 else palette.CELL_OPPOSED, thick)
            cell = Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=ground, edgecolor=palette.PAPER, linewidth=1)
            ax.add_patch(cell)
            if words:
                ax.text(column, row, _short(value, digits), ha="center", va="center_baseline", fontsize=8.5)
    ax.set(xlim=(-0.5, frame.shape[1] - 0.5), ylim=(frame.shape[0] - 0.5, -0.5))
    ax.set_xticks(range(frame.shape[1]), [str(name) for name in frame.columns])
    ax.set_yticks(range(frame.shape[0]), [str(name) for name in frame.index])
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.grid(visible=False)


def _short(value: float, digits: int) -> str:
    """Return a figure with a true minus and, as of a correlation, without the zero before its point."""
    text = f"{abs(value):.{digits}f}"
    text = text[1:] if text.startswith("0.") else text
    return f"−{text}" if value < 0 and float(f"{value:.{digits}f}") else text
