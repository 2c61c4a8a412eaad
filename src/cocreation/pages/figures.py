"""Figures of a page: drawn by the page itself in its own colours, enlarged at will, with the table behind them.

An SVG of a notebook or of the book becomes a part of the page, so that it follows light and dark and its text is
text. Where there is only a PNG, that is shown. Below each figure stand two quiet buttons, *Enlarge* and, where a
table is known, *Data*; the first needs the script ``figures.js``, the second needs none.

Captions are numbered through a step, *Figure 12.1*, by Sphinx itself: the chapters are numbered in the table of
contents one deep, and the notebook below a chapter counts with it.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from ..results.table import plain, table_of
from .inline_svg import Drawing, inline

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

__all__ = ["setup"]

logger = logging.getLogger(__name__)

SCRIPT = "cocreation/figures.js"
STYLE = "cocreation/figures.css"
_MARK = "cocreation_figure"


class Figures(SphinxPostTransform):
    """Put each figure of a page into its place: the drawing, its caption, its buttons."""

    #: after MyST-NB has chosen one kind of each output (4)
    default_priority = 8
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Go through the images of the page that stand for themselves; those within a line are left alone."""
        images = [image for image in self.document.findall(nodes.image) if not _within_text(image)]
        for serial, image in enumerate(images, start=1):
            whole = image.parent if isinstance(image.parent, nodes.figure) else image
            name = self._name(whole)
            drawing = self._drawing(image, f"f{serial}-")
            size = "" if drawing is None else f' style="--cc-width:{drawing.width:.0f}px;--cc-ratio:{_ratio(drawing)}"'
            before = f'<div class="cc-plot" role="group" aria-label="{name}" tabindex="0"{size}>'
            shown = [image.deepcopy()] if drawing is None else [_raw(drawing.html)]
            parent, at = image.parent, image.parent.index(image)
            parent[at : at + 1] = [_raw(before), *shown, _raw("</div>")]
            tables = [] if drawing is None else drawing.tables
            first, last = _raw('<div class="cc-figure">'), _raw(_tools(name, tables) + "</div>")
            if whole is image:
                parent.insert(at, first)
                parent.insert(at + 4, last)
            else:
                place = whole.parent.index(whole)
                whole.parent[place : place + 1] = [first, whole, last]

    def _name(self, whole: nodes.Element) -> str:
        """Return what the figure is called, such as *Figure 12.1*; one without a caption has no number."""
        numbers = self.env.toc_fignumbers.get(self.env.docname, {}).get("figure", {})
        found = next((numbers[each] for each in whole.get("ids", []) if each in numbers), None)
        return "Figure" if found is None else self.config.numfig_format["figure"] % ".".join(map(str, found))

    def _drawing(self, image: nodes.image, mark: str) -> Drawing | None:
        """Return the SVG of an image, or None where it is something else."""
        path = Path(self.app.srcdir, image["uri"])
        if path.suffix != ".svg" or not path.is_file():
            return None
        asked = str(image.get("width", "")).removesuffix("px")
        try:
            return inline(
                path.read_text("utf-8"),
                alt=str(image.get("alt", "")),
                mark=mark,
                width=float(asked) if asked.replace(".", "", 1).isdigit() else None,
            )
        except ValueError as error:
            logger.warning("%s cannot be put into the page: %s", path.name, error, location=image, type="cocreation")
            return None


def _within_text(image: nodes.image) -> bool:
    """Whether an image is an inline one, as in a line of text, or a link."""
    return isinstance(image.parent, nodes.TextElement)


def _ratio(drawing: Drawing) -> str:
    return f"{drawing.width / drawing.height:.3f}"


def _raw(html: str) -> nodes.raw:
    node = nodes.raw("", html, format="html")
    node[_MARK] = True
    return node


def _tools(name: str, tables: list[pd.DataFrame]) -> str:
    """Return the buttons below a figure. That which needs a script is shown by the script."""
    unseen = f'<span class="cc-unseen"> {name}</span>' if name != "Figure" else '<span class="cc-unseen"> figure</span>'
    enlarge = f'<button type="button" class="cc-enlarge" data-name="{name}" hidden>Enlarge{unseen}</button>'
    if not tables:
        return f'<div class="cc-tools">{enlarge}</div>'
    shown = "".join(map(_table, tables))
    said = f'<div class="cc-rows" role="group" aria-label="Data of {name}" tabindex="0">{shown}</div>'
    return (
        f'<div class="cc-tools">{enlarge}<details class="cc-data"><summary>Data'
        f'<span class="cc-unseen"> of {name}</span></summary>{said}</details></div>'
    )


def _table(frame: pd.DataFrame) -> str:
    """Return a table behind a figure as HTML, its figures as all tables of results have them."""
    columns = table_of(frame).columns
    kinds = [' class="cc-number"' if column.numeric else "" for column in columns]
    heads = [f'<th scope="col"{kind}>{escape(_head(column))}</th>' for column, kind in zip(columns, kinds, strict=True)]
    rows = [
        "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(row, kinds, strict=True))
        for row in zip(*(column.cells for column in columns), strict=True)
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>{body}</tbody></table>"


def _head(column: Any) -> str:
    return " ".join(filter(None, [plain(column.spanner), plain(column.head)]))


def _configure(app: Sphinx, config: Config) -> None:
    config.numfig = True
    config.numfig_secnum_depth = 1
    config.numfig_format = {"figure": "Figure %s", "table": "Table %s", **config.numfig_format}


def _load(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is not None and any(doctree.findall(lambda node: isinstance(node, nodes.raw) and _MARK in node)):
        app.add_css_file(STYLE)
        app.add_js_file(SCRIPT, defer="defer")


def setup(app: Sphinx) -> None:
    """Register what draws, numbers and serves the figures."""
    app.add_post_transform(Figures)
    app.connect("config-inited", _configure)
    app.connect("html-page-context", _load, priority=600)
