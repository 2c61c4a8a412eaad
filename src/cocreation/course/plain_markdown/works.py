"""Citations in the words of the book: made by the code that makes them there, and written as Markdown."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ...errors import InputError, needed
from .write import escaped, linked

if TYPE_CHECKING:
    from docutils.nodes import Node
    from pybtex.database import BibliographyData
    from pybtex.style import FormattedEntry

__all__ = ["CITE_ID", "LIST_STYLE", "TEXT_STYLE", "Works"]

#: as in ``_config.yml``: how a list of works is written, how a citation in the text, and the anchor of a work
LIST_STYLE, TEXT_STYLE, CITE_ID = "alpha", "author_year", "ref-{key}"


class Works:
    """The works of a bibliography.

    Parameters
    ----------
    path : Path
        A BibTeX file. One that is not there holds no works.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, FormattedEntry] = {}

    @cached_property
    def _data(self) -> BibliographyData:
        needed("sphinxcontrib-bibtex", "A working copy of the notebooks", module="sphinxcontrib.bibtex")
        from pybtex.database import BibliographyData, parse_file
        from pybtex.exceptions import PybtexError

        try:
            return parse_file(str(self._path), "bibtex") if self._path.is_file() else BibliographyData()
        except PybtexError as error:
            raise InputError(f"{self._path} is no bibliography: {error}. Restore it from git.") from error

    @cached_property
    def _list_style(self) -> Any:
        from pybtex.plugin import find_plugin

        return find_plugin("pybtex.style.formatting", LIST_STYLE)()

    @cached_property
    def _text_style(self) -> Any:
        from sphinxcontrib.bibtex.plugin import find_plugin

        return find_plugin("sphinxcontrib.bibtex.style.referencing", TEXT_STYLE)()

    @cached_property
    def _order(self) -> list[str]:
        """The keys in the order of the bibliography, in which a citation names several works, too."""
        return [entry.key for entry in self._list_style.sort(self._data.entries.values())]

    @cached_property
    def _labels(self) -> dict[str, str]:
        entries = [self._data.entries[key] for key in self._order]
        return dict(zip(self._order, self._list_style.format_labels(entries), strict=True))

    def _formatted(self, key: str) -> FormattedEntry:
        if key not in self._known:
            self._known[key] = self._list_style.format_entry(self._labels[key], self._data.entries[key])
        return self._known[key]

    def cite(self, kind: str, target: str, page: str) -> str | None:
        """Return a citation as Markdown, each work a link with its entry in the bibliography as the title.

        Parameters
        ----------
        kind : str
            What follows the colon of the role: ``p`` for [Kaiser, 1960], ``t`` for Kaiser [1960], and so on.
        target : str
            Keys with commas between them, each with text before and after it in braces.
        page : str
            The address of the bibliography.

        Returns
        -------
        str or None
            None if a key, or the kind, is not known.
        """
        from pybtex_docutils import Backend
        from sphinxcontrib.bibtex.citation_target import parse_citation_targets
        from sphinxcontrib.bibtex.domain import SphinxReferenceInfo
        from sphinxcontrib.bibtex.style.referencing import format_references

        try:
            wanted = list(parse_citation_targets(target))
        except ValueError:
            return None
        entries = self._data.entries
        if kind not in self._text_style.role_names() or not all(each.key in entries for each in wanted):
            return None
        references = [
            (
                entries[each.key],
                self._formatted(each.key),
                SphinxReferenceInfo(
                    builder=SimpleNamespace(name="html", get_relative_uri=lambda here, there: there),
                    fromdocname="",
                    todocname=page,
                    citation_id=anchor(each.key),
                    title=self.told(each.key),
                    pre_text=each.pre,
                    post_text=each.post,
                ),
            )
            for each in sorted(wanted, key=lambda each: self._order.index(each.key))
        ]
        shown = format_references(self._text_style, kind, references).render(Backend())
        return "".join(map(_markdown, shown))

    def told(self, key: str) -> str:
        """Return the entry of a work in the bibliography, as plain text."""
        from pybtex.backends.plaintext import Backend

        return self._formatted(key).text.render(Backend()).replace("\\url ", "")


def anchor(key: str) -> str:
    """Return the anchor of a work in the book's bibliography."""
    from docutils.nodes import make_id

    return make_id(CITE_ID.format(key=key))


def _markdown(node: Node) -> str:
    from docutils import nodes

    if isinstance(node, nodes.Text):
        return escaped(node.astext())
    inside = "".join(map(_markdown, node.children))
    if isinstance(node, nodes.reference):
        return linked(inside, node["refuri"], node.get("reftitle", ""))
    return f"*{inside}*" if isinstance(node, nodes.emphasis) else inside
