"""The look of all figures from the first cell of a notebook on, and figures of the right size."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .settings import COLUMN, FAMILY, settings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["axes", "figure", "use"]

#: the semibold is what is drawn for bold, on pages too
_WEIGHTS = {"Regular": 400, "Semibold": 700}
_FONTS = Path(__file__).with_name("fonts")


def use() -> None:
    """Draw all figures from now on as the course does. For the first cell of a notebook.

    In IPython figures are sharp PNGs of just the size asked for. Where the environment variable ``COCREATION_SVG``
    is 1, as in the book's own run, each is also an SVG that holds the table behind it.

    See Also
    --------
    figure : A figure of the right size.
    behind : The table behind a figure.

    Examples
    --------
    >>> import matplotlib
    >>> with matplotlib.rc_context():
    ...     use()
    ...     print(matplotlib.rcParams["font.family"][0])
    Source Sans 3
    """
    import matplotlib

    matplotlib.rcParams.update(settings())
    _bring_fonts()
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        from .shown import show_in

        show_in(shell)


def _bring_fonts() -> None:
    """Make the fonts of the package known to matplotlib, once."""
    from matplotlib.font_manager import fontManager

    for name, weight in _WEIGHTS.items():
        path = str(_FONTS / f"SourceSans3-{name}.ttf")
        if any(entry.fname == path for entry in fontManager.ttflist):
            continue
        fontManager.addfont(path)
        # which may take the semibold for a family of its own, or for two
        added = dataclasses.replace(fontManager.ttflist[-1], name=FAMILY, weight=weight)
        fontManager.ttflist = [entry for entry in fontManager.ttflist if entry.fname != path] + [added]


def figure(*, width: float = COLUMN, height: float = 420, **options: Any) -> tuple[Figure, Any]:
    """Return a new figure of a size in CSS pixels, and its axes.

    Parameters
    ----------
    width, height : float
        In pixels of the page. Wider than the column is shown smaller.
    **options
        For ``matplotlib.pyplot.subplots``.

    Returns
    -------
    tuple of Figure and Axes

    See Also
    --------
    axes : For a function that may be given axes.

    Examples
    --------
    >>> made, _ = figure(height=300)
    >>> print(*made.get_size_inches())
    6.8 3.0
    """
    import matplotlib.pyplot as plt

    options.setdefault("layout", "constrained")
    return plt.subplots(figsize=(width / 100, height / 100), **options)


def axes(ax: Axes | None, *, width: float = COLUMN, height: float = 420) -> Axes:
    """Return the axes given, else those of a new figure.

    Parameters
    ----------
    ax : Axes or None
        What a ``plot()`` was given.
    width, height : float
        In pixels of the page, for the new one.

    Returns
    -------
    Axes

    See Also
    --------
    figure : A new figure.

    Examples
    --------
    >>> ax = axes(None)
    >>> axes(ax) is ax
    True
    """
    return figure(width=width, height=height)[1] if ax is None else ax
