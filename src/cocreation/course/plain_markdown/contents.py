"""What the book holds, read from its sources: pages and steps in their order, and the numbers of figures and tables.

The same counting as the book's, where Sphinx does it: a step has one number, figures and tables are counted through
it, those of the chapter before those of its notebook; pages that belong to no step are counted together.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..._files import read_text
from .parser import directives

__all__ = ["Numbered", "Page", "cells", "numbers", "pages", "tables", "title"]

#: directives that Sphinx numbers where they have a caption or a name, and which part of them is the caption
_CAPTIONED = {"figure": ("figure", "body"), "table": ("table", "argument"), "list-table": ("table", "argument"),
              "csv-table": ("table", "argument")}  # fmt: skip
_WORDS = {"figure": "Figure", "table": "Table"}
#: a table of results as cocreation.results writes it, and any other
_RESULT = re.compile(r'<div class="apa"[^>]*>.*?</div>', re.DOTALL)
_TABLE = re.compile(r"<table.*?</table>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A page of the book.

    Attributes
    ----------
    name : str
        As the table of contents has it: the path of its source without the suffix.
    path : Path
        The source.
    part : str
        The caption of its part; empty for the start page.
    step : int or None
        The number of the step it belongs to.
    """

    name: str
    path: Path
    part: str = ""
    step: int | None = None

    @property
    def slug(self) -> str:
        """The word of the step, or of the page."""
        return self.name.rsplit("/", 1)[-1]

    @property
    def practice(self) -> bool:
        """Whether it is a notebook."""
        return self.path.suffix == ".ipynb"

    @property
    def title(self) -> str:
        """Its first heading."""
        return title(self.path)


@dataclass(frozen=True)
class Numbered:
    """A figure or a table with a name, and its number in the book.

    Attributes
    ----------
    kind : str
        The word before the number, such as *Figure*.
    number : str
        Such as *12.1*.
    page : Page
        Where it stands.
    """

    kind: str
    number: str
    page: Page

    @property
    def label(self) -> str:
        """What the text calls it, such as *Figure 12.1*."""
        return f"{self.kind} {self.number}"


def pages(root: Path) -> list[Page]:
    """Return the pages of the book whose sources are there, in the order of the table of contents."""
    contents = root / "_toc.yml"
    if not contents.is_file():
        return []
    toc = yaml.safe_load(read_text(contents, remedy="Restore it from git."))
    found, step = [(toc["root"], "", None)], 0
    for part in toc.get("parts", []):
        for chapter in part["chapters"]:
            step += bool(part.get("numbered"))
            number = step if part.get("numbered") else None
            found += [(name, part.get("caption", ""), number) for name in _files(chapter)]
    every = [Page(name, _source(root, name), part, number) for name, part, number in found]
    return [page for page in every if page.path.is_file()]


def _files(entry: dict[str, Any]) -> Iterator[str]:
    yield entry["file"]
    for below in entry.get("sections", []):
        yield from _files(below)


def _source(root: Path, name: str) -> Path:
    notebook = root / f"{name}.ipynb"
    return notebook if notebook.is_file() else root / f"{name}.md"


def title(path: Path) -> str:
    """Return the first heading of a page or notebook, or its name."""
    text = path.read_text(encoding="utf-8")
    lines = text if path.suffix == ".md" else "\n".join(_markdown(cell) for cell in cells(text))
    return next((line[2:].strip() for line in lines.splitlines() if line.startswith("# ")), path.stem)


def cells(notebook: str) -> list[dict[str, Any]]:
    """Return the cells of a notebook; none of what is no notebook."""
    try:
        found = json.loads(notebook)["cells"]
        return [cell for cell in found if isinstance(cell["source"], list | str) and cell["metadata"] is not None]
    except (ValueError, KeyError, TypeError):
        return []


def _markdown(cell: dict[str, Any]) -> str:
    return "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""


def numbers(book: list[Page]) -> dict[str, Numbered]:
    """Return the figures and tables of all pages that have a name, by it."""
    counts: Counter[tuple[str, int | None]] = Counter()
    found = {}
    for page in book:
        for kind, name in _captioned(page):
            counts[kind, page.step] += 1
            number = ".".join(str(each) for each in (page.step, counts[kind, page.step]) if each is not None)
            if name:
                found[name] = Numbered(_WORDS[kind], number, page)
    return found


def _captioned(page: Page) -> Iterator[tuple[str, str]]:
    """Yield (figure or table, its name or nothing) of all on a page that the book numbers."""
    text = page.path.read_text(encoding="utf-8")
    if not page.practice:
        yield from _of_text(text)
        return
    for cell in cells(text):
        if cell["cell_type"] == "markdown":
            yield from _of_text(_markdown(cell))
        elif cell["cell_type"] == "code":
            yield from _of_code(cell)


def _of_text(text: str) -> Iterator[tuple[str, str]]:
    for found in directives(text):
        kind, caption = _CAPTIONED.get(found.name, ("", "body"))
        name = found.options.get("name", "")
        if kind and (name or getattr(found, caption).strip()):
            yield kind, name


def _of_code(cell: dict[str, Any]) -> Iterator[tuple[str, str]]:
    figure = cell["metadata"].get("mystnb", {}).get("figure", {})
    if figure.get("caption") or figure.get("name"):
        yield "figure", figure.get("name", "")
    wanted = tables(cell)
    for html in _html(cell):
        for table in _RESULT.findall(html) or _TABLE.findall(html):
            if wanted:
                yield "table", wanted.pop(0).get("name", "")
            elif "<caption" in table:
                yield "table", ""


def tables(cell: dict[str, Any]) -> list[dict[str, str]]:
    """Return what a cell says of the tables it shows, each with a caption, a name, or both."""
    told = cell["metadata"].get("cocreation", {}).get("table", [])
    return list(told) if isinstance(told, list) else [told]


def _html(cell: dict[str, Any]) -> Iterator[str]:
    for output in cell.get("outputs", []):
        yield "".join(output.get("data", {}).get("text/html", ""))
