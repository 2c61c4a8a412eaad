"""Margin notes: what a term means and what a citation stands for, beside the place where a reader meets it first.

Where a page is wide, a note stands in the margin beside its paragraph; elsewhere the notes of a section fold
together at its end. The texts are the glossary's and the bibliography's own.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["setup"]

#: a definition longer than this is cut after a sentence
_LONGEST = 240


def _all(env: BuildEnvironment) -> dict[str, dict[str, tuple[str, str]]]:
    if not hasattr(env, "cocreation_definitions"):
        env.cocreation_definitions = {}
    return env.cocreation_definitions


def _read(app: Sphinx, doctree: nodes.document) -> None:
    found = {}
    for glossary in doctree.findall(addnodes.glossary):
        for item in glossary.findall(nodes.definition_list_item):
            terms = [child for child in item if isinstance(child, nodes.term)]
            texts = [child for child in item.findall(nodes.definition)]
            for term in terms:
                for anchor in term["ids"]:
                    if texts:
                        found[anchor] = (_term(term), _short(texts[0].astext()))
    if found:
        _all(app.env)[app.env.docname] = found


def _term(term: nodes.term) -> str:
    return "".join(child.astext() for child in term if not isinstance(child, addnodes.index))


def _short(text: str) -> str:
    """Return whole sentences, as many as fit."""
    text = " ".join(text.split())
    if len(text) <= _LONGEST:
        return text
    end = text.rfind(". ", 0, _LONGEST)
    return text[: end + 1] if end > 0 else text[:_LONGEST].rsplit(" ", 1)[0] + " …"


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _all(env).pop(docname, None)


def _merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    _all(env).update({name: found for name, found in _all(other).items() if name in docnames})


def _annotate(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the notes beside the paragraphs, and once more, folded, at the end of each section."""
    if app.builder.format != "html":
        return
    known = {anchor: told for found in _all(app.env).values() for anchor, told in found.items()}
    met: set[str] = set()
    folded: dict[int, tuple[nodes.section, list[str]]] = {}
    for paragraph in list(doctree.findall(nodes.paragraph)):
        section = _section(paragraph)
        if section is None or not isinstance(paragraph.parent, nodes.section):
            continue
        notes = [html for key, html in _notes(paragraph, known) if not (key in met or met.add(key))]
        if notes:
            place = paragraph.parent.index(paragraph)
            beside = f'<div class="cc-notes" role="note">{"".join(notes)}</div>'
            paragraph.parent.insert(place, nodes.raw("", beside, format="html"))
            folded.setdefault(id(section), (section, []))[1].extend(notes)
    for section, notes in folded.values():
        inner = next((k for k, child in enumerate(section) if isinstance(child, nodes.section)), len(section))
        count = f"{len(notes)} notes" if len(notes) > 1 else "1 note"
        fold = f'<details class="cc-fold d-print-none"><summary>{count}</summary>{"".join(notes)}</details>'
        section.insert(inner, nodes.raw("", fold, format="html"))


def _section(node: nodes.Node) -> nodes.section | None:
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return node


def _notes(paragraph: nodes.paragraph, known: dict[str, tuple[str, str]]) -> list[tuple[str, str]]:
    found = []
    for link in paragraph.findall(nodes.reference):
        anchor = _anchor(link)
        if anchor in known:
            word, told = known[anchor]
            found.append((anchor, f"<p><b>{escape(word)}</b> {escape(told)}</p>"))
        elif link.get("reftitle") and link.get("internal") and "bibliography" in str(link.get("refuri", "")):
            found.append((anchor, f"<p>{escape(link['reftitle'])}</p>"))
    return found


def _anchor(link: nodes.reference) -> str:
    target: Any = link.get("refid") or str(link.get("refuri", "")).partition("#")[2]
    return str(target)


def setup(app: Sphinx) -> None:
    """Register the notes."""
    app.connect("doctree-read", _read)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    # After citations and terms have become links.
    app.connect("doctree-resolved", _annotate, priority=800)
