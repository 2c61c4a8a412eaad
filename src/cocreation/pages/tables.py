"""Tables of notebooks as the book has them: with a caption, numbered through, cited by ``{numref}``.

A cell says what its table shows in its metadata, ``{"cocreation": {"table": {"caption": "…", "name": "tab-…"}}}``,
with a list of such entries where it shows several. Tables of results bring their title along. What has neither
is left without a number.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.locale import _
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from ..results.table import runs

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.writers.html5 import HTML5Translator

__all__ = ["setup"]

logger = logging.getLogger(__name__)

#: a table as cocreation.results.formats writes it; nothing in it is a div
_TABLE = re.compile(r'<div class="apa"[^>]*>.*?</div>', re.DOTALL)
_TITLE = re.compile(r"<caption[^>]*>(.*?)</caption>\n?", re.DOTALL)
_NAMED = re.compile(r' aria-label="[^"]*"')


class TableFigure(nodes.General, nodes.Element):
    """A table of a notebook with its caption; Sphinx numbers it."""


class TableCaption(nodes.Part, nodes.TextElement):
    """What the table shows."""


class CaptionTables(SphinxTransform):
    """Take the tables out of a cell's HTML and give them captions, before Sphinx looks for what it numbers."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        for cell in list(self.document.findall(_is_cell)):
            wanted = list(_captions(cell))
            for raw in [node for node in cell.findall(nodes.raw) if _is_html_output(node)]:
                raw.parent.replace(raw, list(self._pieces(raw, wanted)))
            for entry in wanted:
                named = entry.get("caption") or entry
                logger.warning("A cell has no table for the caption %s.", named, location=cell, type="cocreation",
                               subtype="table")  # fmt: skip

    def _pieces(self, raw: nodes.raw, wanted: list[dict[str, str]]) -> Iterator[nodes.Node]:
        """The output once more, cut into what is captioned and what is not."""
        text, done = raw.astext(), 0
        found = list(_TABLE.finditer(text)) or list(re.finditer(r"<table.*?</table>", text, re.DOTALL))
        for table in found:
            title = _TITLE.search(table[0])
            if not title and not wanted:
                continue
            if text[done : table.start()].strip():
                yield _raw(raw, text[done : table.start()])
            done = table.end()
            entry = wanted.pop(0) if wanted else {}
            yield self._captioned(raw, table[0], entry, title[1] if title else "")
        if text[done:].strip() or not done:
            yield _raw(raw, text[done:])

    def _captioned(self, raw: nodes.raw, table: str, entry: dict[str, str], title: str) -> TableFigure:
        figure = TableFigure()
        figure.source, figure.line = raw.source, raw.line
        if entry.get("name"):
            figure["names"].append(nodes.fully_normalize_name(entry["name"]))
            self.document.note_explicit_target(figure, figure)
        else:
            self.document.set_id(figure)
        caption = TableCaption()
        caption.source, caption.line = raw.source, raw.line
        markup = entry.get("caption") or html.unescape(re.sub(r"</?[bi]>", "", title))
        for piece, italic in runs(markup):
            caption += nodes.emphasis(piece, piece) if italic else nodes.Text(piece)
        figure += caption
        # who hears the page hears the caption as the name of the table and of the part that scrolls
        name = f' aria-labelledby="{_caption_id(figure)}"'
        table = _NAMED.sub(name, _TITLE.sub("", table, count=1), count=1)
        figure += _raw(raw, table.replace("<table", f"<table{name}", 1))
        return figure


def _is_cell(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def _is_html_output(node: nodes.raw) -> bool:
    return node.get("format") == "html" and node.parent.get("mime_type") == "text/html"


def _captions(cell: nodes.Element) -> Iterator[dict[str, str]]:
    told = cell.get("cell_metadata", {}).get("cocreation", {}).get("table", [])
    yield from told if isinstance(told, list) else [told]


def _raw(like: nodes.raw, text: str) -> nodes.raw:
    node = nodes.raw("", text, format="html", classes=list(like["classes"]))
    node.source, node.line = like.source, like.line
    return node


def _caption_id(figure: nodes.Element) -> str:
    return f"{figure['ids'][0]}-caption"


def _title(node: nodes.Node) -> str:
    """What a reference may call the table."""
    return next(node.findall(TableCaption)).astext()


def _visit_figure(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append(self.starttag(node, "figure", CLASS="apa-figure"))


def _depart_figure(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append("</figure>\n")


def _visit_caption(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append(f'<figcaption id="{_caption_id(node.parent)}">')
    self.add_fignumber(node.parent)
    self.body.append('<span class="caption-text">')


def _depart_caption(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append("</span>")
    self.add_permalink_ref(node.parent, _("Link to this table"))
    self.body.append("</figcaption>\n")


def _nothing(self: Any, node: nodes.Element) -> None:
    """Other builders show the table's plain text instead."""


def _configure(app: Sphinx, config: Config) -> None:
    config.numfig = True


def setup(app: Sphinx) -> None:
    """Register nodes, transform and style sheet."""
    others = {name: (_nothing, _nothing) for name in ("latex", "text", "man", "texinfo")}
    app.add_enumerable_node(TableFigure, "table", _title, html=(_visit_figure, _depart_figure), **others)
    app.add_node(TableCaption, html=(_visit_caption, _depart_caption), **others)
    app.add_transform(CaptionTables)
    app.add_css_file("cocreation/tables.css")
    app.connect("config-inited", _configure)
