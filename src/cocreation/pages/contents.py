"""What the book holds: its parts and steps, how long a page takes, and what each page knows of the others.

Read from the table of contents and from the pages, so that another order, or another study, needs no change here. The
parts that the table of contents numbers hold the steps; a step's notebook is the page below its chapter.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["Part", "Step", "lead", "minutes", "parts", "setup", "step_of", "steps"]

#: words a minute of somebody who reads to learn
_PACE = 180
_TIME = re.compile(r"^Time (\d+) minutes")
_CHECK = "check yourself"


@dataclass(frozen=True)
class Step:
    """A step of the course: its number, its word, the chapter, the notebook, and where its questions stand."""

    number: int
    slug: str
    chapter: str
    notebook: str | None
    check: tuple[str, str] | None

    @property
    def pages(self) -> tuple[str, ...]:
        """The pages of the step, the chapter first."""
        return (self.chapter, self.notebook) if self.notebook else (self.chapter,)


@dataclass(frozen=True)
class Part:
    """A part of the book: its caption, and its pages, each with the pages below it."""

    caption: str
    numbered: bool
    pages: tuple[tuple[str, tuple[str, ...]], ...]


def parts(env: BuildEnvironment) -> list[Part]:
    """Return the parts of the book in the order of the table of contents.

    Parameters
    ----------
    env : BuildEnvironment
        With all pages read.

    Returns
    -------
    list of Part
    """
    found = []
    for toctree in env.get_doctree(env.config.root_doc).findall(addnodes.toctree):
        named = [name for _, name in toctree["entries"] if name in env.found_docs]
        below = tuple((name, tuple(env.toctree_includes.get(name, ()))) for name in named)
        found.append(Part(toctree.get("caption") or "", bool(toctree.get("numbered")), below))
    return found


def steps(env: BuildEnvironment) -> list[Step]:
    """Return the steps of the course, numbered through the parts that are numbered.

    Parameters
    ----------
    env : BuildEnvironment
        With all pages read.

    Returns
    -------
    list of Step
    """
    found: list[Step] = []
    for part in parts(env):
        for chapter, below in part.pages if part.numbered else ():
            notebook = below[0] if below else None
            places = [(page, _known(env, page).get("check")) for page in (chapter, notebook) if page]
            check = next(((page, anchor) for page, anchor in places if anchor), None)
            found.append(Step(len(found) + 1, chapter.rsplit("/", 1)[-1], chapter, notebook, check))
    return found


def step_of(env: BuildEnvironment, page: str) -> Step | None:
    """Return the step a page belongs to, or None."""
    return next((step for step in steps(env) if page in step.pages), None)


def minutes(env: BuildEnvironment, page: str) -> int:
    """Return how long a page takes: what it says itself under "Before you start", or else by its words."""
    known = _known(env, page)
    return known.get("minutes") or max(5, 5 * math.ceil(known.get("words", 0) / _PACE / 5))


def _known(env: BuildEnvironment, page: str) -> dict[str, Any]:
    return _all(env).get(page, {})


def _all(env: BuildEnvironment) -> dict[str, dict[str, Any]]:
    if not hasattr(env, "cocreation_contents"):
        env.cocreation_contents = {}
    return env.cocreation_contents


def _prose(doctree: nodes.document) -> Iterator[str]:
    for node in doctree.findall(nodes.TextElement):
        if isinstance(node, nodes.paragraph | nodes.term) and not isinstance(node.parent, nodes.entry):
            yield node.astext()


def _read(app: Sphinx, doctree: nodes.document) -> None:
    known: dict[str, Any] = {"words": sum(len(text.split()) for text in _prose(doctree))}
    for text in _prose(doctree):
        if stated := _TIME.match(text):
            known["minutes"] = int(stated[1])
            break
    for section in doctree.findall(nodes.section):
        if section["ids"] and isinstance(section[0], nodes.title) and section[0].astext().lower().startswith(_CHECK):
            known["check"] = section["ids"][0]
    first = next((text for text in _prose(doctree) if len(text.split()) > 8 and not _TIME.match(text)), "")
    known["lead"] = first
    _all(app.env)[app.env.docname] = known


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _all(env).pop(docname, None)


def _merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    _all(env).update({name: known for name, known in _all(other).items() if name in docnames})


def lead(env: BuildEnvironment, page: str) -> str:
    """Return the first sentences of a page, as search engines and previews show them."""
    text = " ".join(_known(env, page).get("lead", "").split())
    cut = text[:157].rsplit(" ", 1)[0]
    return text if len(text) <= 160 else f"{cut} …"


def _every_page(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Write every page where one was read: each of them shows the order, times and numbers of the others."""
    return sorted(env.found_docs)


def setup(app: Sphinx) -> None:
    """Register what is read from the pages."""
    app.connect("doctree-read", _read)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("env-updated", _every_page)
