"""A notebook of the course as a working copy holds it."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from typing import Any

from .contents import Numbered, Page, cells, tables
from .known import START, Known
from .markdown import plain
from .write import anchored

__all__ = ["ADDED", "convert"]

#: says in a cell's metadata (``cocreation: {added: …}``) that it is not in the source, and what it is
ADDED = "added"


def convert(content: bytes, page: str, known: Known) -> bytes:
    """Return a notebook in Markdown that Jupyter renders: captions as cells, and in the end the way on.

    Code and outputs stay as they are.

    Parameters
    ----------
    content : bytes
        The notebook. What is no notebook comes back as it is.
    page : str
        Its path in the copy without the suffix, such as *notebooks/explore*.
    known : Known
        What it may refer to.

    Returns
    -------
    bytes
        The same bytes where there was nothing to do.
    """
    found = cells(content.decode("utf-8", errors="replace"))
    written: list[dict[str, Any]] = []
    for cell in found:
        written += [_plain(cell, page, known), *_captions(cell, page, known)]
    written += _onward(page, known)
    if not found or written == found:
        return content
    notebook = json.loads(content)
    return (json.dumps({**notebook, "cells": written}, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _plain(cell: dict[str, Any], page: str, known: Known) -> dict[str, Any]:
    # nbgrader knows a cell of its own by a digest of what is in it
    if cell["cell_type"] != "markdown" or "nbgrader" in cell["metadata"]:
        return cell
    source = "".join(cell["source"])
    instead = plain(source, page, known)
    return cell if instead == source else {**cell, "source": instead.splitlines(keepends=True)}


def _captions(cell: dict[str, Any], page: str, known: Known) -> Iterator[dict[str, Any]]:
    """Yield a cell with the captions of what a cell shows, with the numbers they have in the book."""
    if cell["cell_type"] != "code":
        return
    figure = cell["metadata"].get("mystnb", {}).get("figure", {})
    told = [each for each in ([figure] if figure else []) + tables(cell) if each.get("caption")]
    lines = [_caption(each, known.numbers.get(each.get("name", "")), page, known) for each in told]
    if lines:
        yield _cell(f"{cell.get('id', 'cell')}-caption", "\n\n".join(lines), "caption")


def _caption(told: dict[str, str], number: Numbered | None, page: str, known: Known) -> str:
    caption = plain(told["caption"], page, known)
    return caption if number is None else f"{anchored(told['name'])}**{number.label}** {caption}"


def _cell(name: str, source: str, what: str) -> dict[str, Any]:
    lines = source.splitlines(keepends=True)
    return {"cell_type": "markdown", "id": name, "metadata": {"cocreation": {ADDED: what}}, "source": lines}


def _onward(page: str, known: Known) -> Iterator[dict[str, Any]]:
    """Yield the cell that leads on from a notebook of the book."""
    here = next((each for each in known.pages if each.name == page and each.practice), None)
    if here is None:
        return
    lines = []
    exercise = known.root / "exercises" / f"{here.slug}.ipynb"
    if exercise.is_file():
        own = Page(f"exercises/{here.slug}", exercise)
        lines.append(f"**On your own:** {_link(own, page, known)}")
    chapter, notebook = _next(here, known)
    if chapter is not None:
        then = f", then do its notebook {_link(notebook, page, known)}" if notebook is not None else ""
        step = f"**Next: step {chapter.step}, {chapter.slug}.**"
        lines.append(f"{step} Read the chapter {_link(chapter, page, known)}{then}.")
    elif notebook is not None:
        lines.append(f"**Next:** {_link(notebook, page, known)}")
    lines.append(f"All steps: [start page]({posixpath.relpath(START, posixpath.dirname(page) or '.')})")
    yield _cell("onward", "***\n\n" + "\n\n".join(lines), "onward")


def _next(here: Page, known: Known) -> tuple[Page | None, Page | None]:
    """Return chapter and notebook of the next step; after the last step, the next notebook."""
    later = known.pages[known.pages.index(here) + 1 :]
    step = [each for each in later if each.step is not None]
    if here.step is not None and step:
        pages = [each for each in step if each.step == step[0].step]
        return (
            next((each for each in pages if not each.practice), None),
            next((each for each in pages if each.practice), None),
        )
    return None, next((each for each in later if each.practice), None)


def _link(page: Page, here: str, known: Known) -> str:
    return f"[{page.title}]({known.place(page, here)})"
