"""A step as one thing: a card at the head of its pages, and the way on at their end."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from .contents import Step, minutes, step_of, steps

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["setup"]


class starts(nodes.General, nodes.Element):
    """The buttons of the cover; they become links when all pages are known."""


class Starts(SphinxDirective):
    """``starts``: buttons that lead in, one a line: ``book/value: Begin with value``."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"class": directives.class_option}

    def run(self) -> list[nodes.Node]:
        pairs = [line.partition(":") for line in self.content if line.strip()]
        for name, colon, words in pairs:
            if not (colon and words.strip()):
                raise self.error(f"'{name}' is no button. Write: page: words on the button")
            if name.strip() not in self.env.found_docs:
                raise self.error(f"There is no page {name.strip()} to begin with.")
        node = starts(pages=[(name.strip(), words.strip()) for name, _, words in pairs])
        self.set_source_info(node)
        return [node]


def _link(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(starts)):
        links = "".join(
            f'<a class="cc-start{" cc-second" if i else ""}" href="{app.builder.get_relative_uri(docname, name)}">'
            f"{escape(words)}</a>"
            for i, (name, words) in enumerate(node["pages"])
        )
        html = f'<p class="cc-starts">{links}</p><p class="cc-goon" hidden></p>'
        node.replace_self(nodes.raw("", html, format="html"))


def _insert(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    step = step_of(app.env, docname)
    section = next(iter(doctree.findall(nodes.section)), None)
    if step is None or section is None:
        return
    section.insert(1, nodes.raw("", _card(app, docname, step), format="html"))
    section.append(nodes.raw("", _onward(app, docname, step), format="html"))


def _card(app: Sphinx, page: str, step: Step) -> str:
    """Return the card: read, practise, check yourself, with times; the page one is on is marked."""
    env, link = app.env, app.builder.get_relative_uri
    stages = [("Read", f"{minutes(env, step.chapter)} min", step.chapter, "")]
    if step.notebook:
        stages.append(("Practise", f"{minutes(env, step.notebook)} min", step.notebook, ""))
    if step.check:
        stages.append(("Check yourself", "questions", step.check[0], f"#{step.check[1]}"))
    if len(stages) == 1 and page == step.chapter:
        return ""
    items = []
    for word, told, name, anchor in stages:
        current = ' aria-current="page"' if name == page and not anchor else ""
        target = anchor if anchor and name == page else (link(page, name) or "#") + anchor
        done = f' data-page="{name}"' if not anchor else ""
        items.append(f'<li><a href="{target}"{current}{done}><b>{word}</b> <span>{told}</span></a></li>')
    label = f"Step {step.number}, {step.slug}"
    return f'<nav class="cc-card d-print-none" aria-label="{label}"><ol>{"".join(items)}</ol></nav>'


def _onward(app: Sphinx, page: str, step: Step) -> str:
    """Return what ends a page: the reader's own mark that it is done, and what comes next."""
    env, link = app.env, app.builder.get_relative_uri
    if page == step.chapter and step.notebook:
        words, name = f"Practise: {env.titles[step.notebook].astext()}", step.notebook
    else:
        later = next((other for other in steps(env) if other.number == step.number + 1), None)
        if later is None:
            words, name = "", ""
        else:
            words, name = f"Step {later.number}: {env.titles[later.chapter].astext()}", later.chapter
    onward = f'<a class="cc-next" href="{link(page, name)}">{escape(words)}</a>' if name else ""
    return (
        f'<div class="cc-onward d-print-none"><button type="button" class="cc-done" data-page="{page}" hidden '
        f'aria-pressed="false">Mark as done</button>{onward}</div>'
    )


def setup(app: Sphinx) -> None:
    """Register card and buttons."""
    app.add_node(starts)
    app.add_directive("starts", Starts)
    app.connect("doctree-resolved", _link)
    app.connect("doctree-resolved", _insert)
