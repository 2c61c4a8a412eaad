"""Small pieces of Markdown, written so that every renderer reads them alike."""

from __future__ import annotations

import re
from html import escape

__all__ = ["anchored", "box", "escaped", "folded", "linked"]

#: text that would be markup; "$" begins a formula in Jupyter, and "|" ends a cell of a table
_MARKUP = re.compile(r"[\\`*_<\[\]]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", "$": "&#36;", "|": "&#124;"}
#: a line at the left and a tint, which light and dark themes both bear; JupyterLab lets no variables of CSS through
_STYLE = "border-left: 3px solid {}; background-color: {}; padding: 8px 16px; margin: 16px 0"
_CALM, _WARNING = ("#4d86b4", "rgba(31, 90, 140, 0.08)"), ("#c98500", "rgba(230, 159, 0, 0.1)")


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is. Brackets that stand alone need no escape, and get none."""
    return _MARKUP.sub(lambda found: found[0] if found[0] in "[]" else f"\\{found[0]}", text)


def linked(words: str, address: str, title: str = "") -> str:
    """Return a link, with a title that is seen when the mouse rests on it.

    Parameters
    ----------
    words : str
        Markdown.
    address : str
    title : str
        Plain text.

    Returns
    -------
    str
    """
    told = "".join(_ENTITIES.get(letter, letter) for letter in " ".join(title.split()))
    quoted = told.replace("\\", "\\\\").replace('"', '\\"')
    return f'[{words}]({address} "{quoted}")' if told else f"[{words}]({address})"


def anchored(name: str) -> str:
    """Return an anchor for a caption. It lies above, so that who follows a link sees what the caption is about."""
    return f'<span id="{name}" style="position: relative; top: -400px"></span>'


def box(title: str, body: str, *, warning: bool = False) -> str:
    """Return a box of Markdown below a bold title, set apart by a line at its left."""
    line, tint = _WARNING if warning else _CALM
    return f'<div style="{_STYLE.format(line, tint)}">\n\n**{title}**\n\n{body}\n\n</div>'


def folded(title: str, body: str) -> str:
    """Return Markdown that is shown when its title, plain text, is clicked."""
    return f"<details>\n<summary><b>{escape(title, quote=False)}</b></summary>\n\n{body}\n\n</details>"
