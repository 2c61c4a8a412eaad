"""What a student sees first: the book, and the steps with their chapters and notebooks."""

from __future__ import annotations

from collections.abc import Iterator

from .plain_markdown import START, Known, address
from .plain_markdown.contents import Page

__all__ = ["start_page"]

_WELCOME = """# Value Co-Creation: from Theory to Scale

This folder is yours: change whatever you like. The notebooks read the data sets of this folder, each explained by its
codebook and data sheet. To get the course's own version of a file back, delete it and start Lab again.

The course is a book and its notebooks. **[The book]({book})** opens beside this page, in a tab of its own, as
do the chapters below. Read a chapter, then do its notebook here; each notebook reads the decision log that an earlier
one has written, so keep to the order. Terms, works and chapters in the notebooks lead into the book, too."""


def start_page(known: Known) -> str:
    """Return the start page of a working copy, in Markdown.

    Parameters
    ----------
    known : Known
        The course's pages.

    Returns
    -------
    str
        Links lead to chapters in the book, and to notebooks and exercises in the copy.
    """
    practice = [*_own("exercises", known), *_own("notebooks", known)]
    lines = [_WELCOME.format(book=address("index")), *_steps(known, practice), *_beyond(known, practice)]
    return "\n".join(lines) + "\n"


def _own(folder: str, known: Known) -> list[Page]:
    """Return the notebooks of a folder that are no pages of the book."""
    listed = {page.path for page in known.pages}
    paths = sorted((known.root / folder).glob("*.ipynb"))
    return [Page(f"{folder}/{path.stem}", path) for path in paths if path not in listed]


def _steps(known: Known, practice: list[Page]) -> Iterator[str]:
    part = ""
    for number in dict.fromkeys(page.step for page in known.pages if page.step is not None):
        pages = [page for page in known.pages if page.step == number]
        first = pages[0]
        if first.part != part:
            part = first.part
            yield from ("", f"## {part}", "", "| Step | Read | Practise |", "|---|---|---|")
        read = [page for page in pages if not page.practice]
        do = [page for page in pages if page.practice] + [page for page in practice if page.slug == first.slug]
        yield f"| {number}\N{NO-BREAK SPACE}{first.slug} | {_links(read, known)} | {_links(do, known)} |"


def _beyond(known: Known, practice: list[Page]) -> Iterator[str]:
    """Yield what belongs to no step; what the table of contents does not have comes last."""
    slugs = {page.slug for page in known.pages if page.step is not None}
    others = [page for page in known.pages if page.practice and page.step is None]
    others += [page for page in practice if page.slug not in slugs]
    if others:
        yield from ("", "## Beyond the steps", "", *(f"- {_links([page], known)}" for page in others))


def _links(pages: list[Page], known: Known) -> str:
    return "; ".join(f"[{page.title}]({known.place(page, START)})" for page in pages)
