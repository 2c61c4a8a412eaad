"""The terms of the glossary and what they mean."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from .parser import directives, inline

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["anchor", "meanings", "reference", "words"]

_WITH_TARGET = re.compile(r"(.*?)\s*<(.+)>", re.DOTALL)


def meanings(glossary: Path) -> dict[str, tuple[str, str]]:
    """Return each term and what it means, both as plain text, by the term in small letters.

    In a glossary a line that begins at the margin is a term, several of them share a meaning, and what is indented
    below is the meaning.

    Parameters
    ----------
    glossary : Path
        A page with MyST's directives ``glossary``. One that is not there explains nothing.
    """
    text = glossary.read_text(encoding="utf-8") if glossary.is_file() else ""
    found: dict[str, tuple[str, str]] = {}
    for each in directives(text):
        if each.name != "glossary":
            continue
        terms: list[str] = []
        meaning: list[str] = []
        for line in [*each.body.splitlines(), ""]:
            if line[:1].isspace():
                meaning.append(line.strip())
            elif line.strip():
                if meaning:
                    terms, meaning = [], []
                terms.append(line.strip())
            if terms and meaning:
                told = words(" ".join(meaning))
                found.update((term.lower(), (term, told)) for term in terms)
    return found


def reference(content: str) -> tuple[str, str]:
    """Return what a role shows and what it refers to: ``text <target>``, or both in one."""
    stated = _WITH_TARGET.fullmatch(content)
    return (stated[1], stated[2]) if stated else (content, content)


def anchor(term: str) -> str:
    """Return the anchor of a term in the book's glossary, as Sphinx makes it."""
    from sphinx.util.nodes import make_id

    ids = SimpleNamespace(ids={})
    return make_id(SimpleNamespace(new_serialno=lambda _: 0), ids, "term", term)


def words(text: str) -> str:
    """Return a line of MyST as plain text: emphasis, links and roles by their words, formulas by their letters."""
    return " ".join("".join(map(_words, inline(text))).split())


def _words(token: Token) -> str:
    if token.type == "myst_role":
        return reference(token.content)[0]
    if token.type in ("softbreak", "hardbreak"):
        return " "
    return token.content
