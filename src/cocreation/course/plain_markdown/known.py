"""What a page may refer to: other pages, works, terms, figures and tables; and where each is found from a notebook."""

from __future__ import annotations

import posixpath
from functools import cached_property
from pathlib import Path

from . import contents, terms, works
from .write import escaped, linked

__all__ = ["BOOK", "START", "Known", "address"]

#: where the server of a working copy shows the book; see cocreation.course.served_book
BOOK = "/book"
#: the start page of a working copy
START = "start.md"


class Known:
    """What the course's pages refer to.

    Parameters
    ----------
    root : Path
        The course's files.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.works = works.Works(root / "book" / "references.bib")

    @cached_property
    def pages(self) -> list[contents.Page]:
        """The pages of the book, in their order."""
        return contents.pages(self.root)

    @cached_property
    def numbers(self) -> dict[str, contents.Numbered]:
        """The figures and tables that have a name."""
        return contents.numbers(self.pages)

    @cached_property
    def meanings(self) -> dict[str, tuple[str, str]]:
        """The terms of the glossary and what they mean."""
        return terms.meanings(self.root / "book" / "glossary.md")

    def role(self, name: str, content: str, page: str) -> str | None:
        """Return what a role of MyST becomes.

        Parameters
        ----------
        name, content : str
            As in ``{name}`` and the backticks after it.
        page : str
            The page on which it stands, such as *notebooks/explore*.

        Returns
        -------
        str or None
            Markdown, or None if the role, or what it refers to, is not known.
        """
        if name == "cite" or name.startswith("cite:"):
            return self.works.cite(name.partition(":")[2] or "p", content, address("book/bibliography"))
        said, target = terms.reference(content)
        if name == "term" and target.lower() in self.meanings:
            term, meaning = self.meanings[target.lower()]
            return linked(escaped(said), address("book/glossary", terms.anchor(term)), meaning)
        if name == "numref" and target in self.numbers:
            found = self.numbers[target]
            text = found.label if said == target else said.replace("%s", found.number)
            return linked(escaped(text), self.place(found.page, page, target))
        return None

    def place(self, page: contents.Page, here: str, anchor: str = "") -> str:
        """Return where a page is found from another: a notebook in the working copy, a chapter in the book.

        Parameters
        ----------
        page : Page
        here : str
            The page on which the link stands, such as *notebooks/explore*.
        anchor : str
            The part of the page, if not its beginning.

        Returns
        -------
        str
        """
        if not page.practice:
            return address(page.name, anchor)
        way = "" if page.name == here else posixpath.relpath(f"{page.name}.ipynb", posixpath.dirname(here) or ".")
        return f"{way}{anchor and '#'}{anchor}"

    def link(self, href: str, here: str) -> str | None:
        """Return where a link to a chapter leads from a notebook of a working copy.

        Parameters
        ----------
        href : str
            As in the source.
        here : str
            The page on which it stands.

        Returns
        -------
        str or None
            None if it leads elsewhere, to another notebook or out of the course, and stays as it is.
        """
        path, _, anchor = href.partition("#")
        name = posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
        return address(name[:-3], anchor) if path.endswith(".md") and (self.root / name).is_file() else None


def address(page: str, anchor: str = "") -> str:
    """Return where a page of the book is found."""
    return f"{BOOK}/{page}.html{anchor and '#'}{anchor}"
