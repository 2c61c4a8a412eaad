"""MyST into plain Markdown, piece by piece; what is none of MyST's stays as it was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .parser import Directive, directive, parse
from .terms import words
from .write import box, folded, linked

if TYPE_CHECKING:
    from markdown_it.token import Token

    from .known import Known

__all__ = ["left_over", "plain"]

_NOTES = ("note", "tip", "hint", "important", "seealso")
_WARNINGS = ("warning", "caution", "attention", "danger", "error")
_TITLES = {"seealso": "See also"}
#: what else of MyST Jupyter shows as it is typed, and what to call it
_UNKNOWN = {
    "myst_target": "a target ({})=",
    "myst_line_comment": "a comment %",
    "myst_block_break": "a break +++",
    "dl_open": "a list of definitions",
    "fieldlist_open": "a list of fields",
    "footnote_ref": "a footnote",
    "substitution_inline": "a substitution",
    "substitution_block": "a substitution",
}


def plain(text: str, page: str, known: Known) -> str:
    """Return a text of MyST as Markdown that Jupyter renders without extensions.

    Parameters
    ----------
    text : str
    page : str
        The page on which it stands, such as *notebooks/explore*.
    known : Known
        What it may refer to.

    Returns
    -------
    str
        The text itself where nothing in it is MyST. What is not known how to write stays, see :func:`left_over`.
    """
    source = _Source(text)
    for token in parse(text):
        if token.type == "inline":
            opened = None
            for piece in token.children or []:
                opened = piece if piece.type == "link_open" else opened
                source.inline(piece, token, _instead(piece, opened, page, known))
        elif token.type in ("fence", "colon_fence", "code_block", "html_block", "math_block") and token.map:
            found = directive(token)
            source.block(token.map, None if found is None else _block(found, page, known))
    return source.written()


def left_over(text: str) -> list[str]:
    """Return what of MyST is in a text that Jupyter would show as it is typed, as a message names it."""
    return list(_left_over(parse(text)))


def _left_over(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "myst_role":
            yield f"{{{token.meta['name']}}}`{token.content}`"
        elif (found := directive(token)) is not None:
            yield f"{{{found.name}}} {found.argument}".strip()
        elif token.type == "colon_fence":
            yield f":::{token.info}"
        elif token.type in _UNKNOWN:
            yield _UNKNOWN[token.type].format(token.content)
        yield from _left_over(token.children or [])


def _instead(piece: Token, opened: Token | None, page: str, known: Known) -> str | None:
    """Return what takes the place of an inline piece, or None if it stays; ``opened`` begins the link it may end."""
    if piece.type == "myst_role":
        return known.role(piece.meta["name"], piece.content, page)
    if piece.type == "link_close" and opened is not None:
        way = known.link(str(opened.attrs["href"]), page)
        return None if way is None else linked("", way, str(opened.attrs.get("title", "")))[1:]
    return None


def _block(found: Directive, page: str, known: Known) -> str | None:
    """Return what takes the place of a directive, or None if it stays."""
    title, lines = found.argument, found.body
    if found.name in (*_NOTES, *_WARNINGS):
        # what stands behind the name of these is their first line, not a title
        title, lines = _TITLES.get(found.name, found.name.capitalize()), f"{found.argument}\n{found.body}"
    elif found.name != "admonition":
        return None
    body = plain(lines.strip("\n"), page, known)
    if "dropdown" in found.options.get("class", "").split():
        return folded(words(title), body)
    return box(plain(title, page, known), body, warning=found.name in _WARNINGS)


class _Source:
    """A text in which pieces are replaced, found in the order in which its tokens name them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(end.end() for end in re.finditer("\n", text)), len(text)]
        self.at = 0
        self.edits: list[tuple[int, int, str]] = []

    def inline(self, piece: Token, block: Token, instead: str | None) -> None:
        """Go on to behind a piece of a block, and replace it."""
        raw = piece.meta.get("raw")
        if raw is None or block.map is None:
            return
        first, last = (self.starts[min(line, len(self.starts) - 1)] for line in block.map)
        # a line of a list or a quotation begins with what is no part of the piece
        sought = re.escape(raw).replace("\\\n", r"\n[ \t>]*")
        found = re.compile(sought).search(self.text, max(self.at, first), last)
        if found is None:
            return
        self.at = found.end()
        if instead is not None:
            self.edits.append((found.start(), found.end(), instead))

    def block(self, lines: list[int], instead: str | None) -> None:
        """Go on to behind some lines, and replace them; the new ones stand in the same list or quotation."""
        first, last = (self.starts[min(line, len(self.starts) - 1)] for line in lines)
        self.at = max(self.at, last)
        before = re.match(r"[ \t>]*", self.text[first:last])[0]
        if instead is None or self.text[first + len(before)] not in ":`~":  # the first line of a list's item
            return
        behind = self.text[last:].split("\n", 1)[0]
        end = "\n" if self.text[first:last].endswith("\n") else ""
        # HTML ends at an empty line
        end += f"{before.rstrip()}\n" if behind.strip(" \t>") else ""
        self.edits.append((first, last, "\n".join(f"{before}{line}".rstrip() for line in instead.split("\n")) + end))

    def written(self) -> str:
        """Return the text with everything replaced."""
        pieces, done = [], 0
        for first, last, instead in self.edits:
            pieces += [self.text[done:first], instead]
            done = last
        return "".join([*pieces, self.text[done:]])
