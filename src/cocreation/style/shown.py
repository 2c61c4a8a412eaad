"""How IPython shows a figure: a sharp PNG, and in the book's own run an SVG that holds the table behind it."""

from __future__ import annotations

import io
import json
import os
import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from .settings import SALT
from .tables import packed, tables_behind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SVG", "show_in", "svg"]

SVG = "image/svg+xml"
#: names the kind of what stands in an SVG's ``<metadata>``
TABLES = "cocreation-tables"


def show_in(shell: Any) -> None:
    """Let a shell of IPython show figures as the course does, where matplotlib draws inline.

    Parameters
    ----------
    shell : InteractiveShell
    """
    import matplotlib

    if "inline" not in matplotlib.get_backend().lower():
        return
    # Imported before a figure is made, or it would choose its own formats then.
    import matplotlib_inline.backend_inline  # noqa: F401
    from matplotlib.figure import Figure
    from matplotlib_inline.config import InlineBackend

    inline = InlineBackend.instance(parent=shell)
    inline.shell = shell
    inline.print_figure_kwargs = {"bbox_inches": None}
    inline.figure_formats = {"retina"}
    if os.environ.get("COCREATION_SVG") == "1":
        # A second drawing may move what the first one laid out: the PNG comes first, as where there is no SVG.
        png = shell.display_formatter.formatters["image/png"].pop(Figure)
        shell.display_formatter.mimebundle_formatter.for_type(Figure, lambda figure: _both(figure, png))


def _both(figure: Figure, png: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    drawn = png(figure)
    if drawn is None:  # there is nothing on it
        return {}, {}
    picture, size = drawn
    return {"image/png": picture, SVG: svg(figure)}, {"image/png": size}


def svg(figure: Figure) -> str:
    """Return a figure as SVG: the same bytes in every run, text as text, the tables behind it in its metadata.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    str

    See Also
    --------
    cocreation.style.behind : Attach a table.

    Examples
    --------
    >>> import pandas as pd
    >>> from cocreation.style import axes, behind
    >>> ax = behind(axes(None), pd.DataFrame({"n": [1]}))
    >>> "cocreation-tables" in svg(ax.get_figure())
    True
    """
    import matplotlib

    written = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": SALT}):
        figure.savefig(written, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    tables = [packed(table) for table in tables_behind(figure)]
    if not tables:
        return written.getvalue()
    told = escape(json.dumps(tables, ensure_ascii=False))
    return re.sub(
        r"<svg\b[^>]*>",
        lambda head: f'{head[0]}\n <metadata id="{TABLES}">{told}</metadata>',
        written.getvalue(),
        count=1,
    )
