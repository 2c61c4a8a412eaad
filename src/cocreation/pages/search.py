"""The index a reader searches: the prose of each section, the glossary's terms, and the functions of the reference.

It is a script, not JSON, because a page that is opened as a file may load scripts only; it is loaded when somebody
types.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx import addnodes

from .._files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["setup"]

#: anchor, title, text
Entry = tuple[str, str, str]

INDEX = "cocreation/search-index.js"
_LEFT_OUT = (
    nodes.literal_block,
    nodes.raw,
    nodes.comment,
    nodes.math_block,
    nodes.section,
    nodes.image,
    addnodes.index,
)


def _entries(doctree: nodes.document) -> Iterator[Entry]:
    """Yield what can be found on a page: its sections, the terms of a glossary, the names of a reference."""
    for section in doctree.findall(nodes.section):
        if isinstance(section[0], nodes.title):
            anchor = section["ids"][0] if section["ids"] and not isinstance(section.parent, nodes.document) else ""
            yield anchor, section[0].astext(), _text(section[1:])
    for item in doctree.findall(nodes.definition_list_item):
        terms = [term for term in item if isinstance(term, nodes.term) and term["ids"]]
        for term in terms:
            yield term["ids"][0], _text([term]), _text([child for child in item if child not in terms])
    for described in doctree.findall(addnodes.desc):
        signature = described.next_node(addnodes.desc_signature)
        if signature is not None and signature["ids"]:
            name = signature.get("fullname") or signature["ids"][0]
            yield signature["ids"][0], str(name), _text(described[1:])


def _text(parts: list[nodes.Node]) -> str:
    """Return the words of these nodes without code, output, and what has an entry of its own."""
    words: list[str] = []

    def walk(node: nodes.Node) -> None:
        if isinstance(node, nodes.Text):
            words.append(str(node))
        elif not isinstance(node, _LEFT_OUT) and "cell_output" not in getattr(node, "attributes", {}).get(
            "classes", ()
        ):
            for child in node.children:
                walk(child)
            if not isinstance(node, nodes.Inline):
                words.append(" ")

    for part in parts:
        walk(part)
    return " ".join("".join(words).split())


def _all(env: BuildEnvironment) -> dict[str, list[Entry]]:
    if not hasattr(env, "cocreation_search"):
        env.cocreation_search = {}
    return env.cocreation_search


def _read(app: Sphinx, doctree: nodes.document) -> None:
    _all(app.env)[app.env.docname] = list(_entries(doctree))


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _all(env).pop(docname, None)


def _merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    _all(env).update({name: found for name, found in _all(other).items() if name in docnames})


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    env, rows = app.env, []
    for name, entries in sorted(_all(env).items()):
        page = env.titles[name].astext()
        rows += [[name, anchor, title, "" if title == page else page, text] for anchor, title, text in entries]
    text = "window.cocreationSearchIndex=" + json.dumps(rows, ensure_ascii=False, separators=(",", ":")) + ";\n"
    place = Path(app.outdir, "_static", INDEX)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, text.encode())


def setup(app: Sphinx) -> None:
    """Register the index and the script that reads it."""
    app.add_js_file("cocreation/search.js", defer="defer")
    app.connect("doctree-read", _read)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("build-finished", _write)
