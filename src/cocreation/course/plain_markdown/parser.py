"""How a page is read: MyST's own parser, which notes of each inline piece what it looks like in the source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from ...errors import needed

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

__all__ = ["EXTENSIONS", "Directive", "directive", "directives", "inline", "parse"]

#: what ``_config.yml`` lets the book understand besides CommonMark, tables and MyST's roles and directives
EXTENSIONS = ("amsmath", "colon_fence", "deflist", "dollarmath", "fieldlist", "substitution", "tasklist")

_NAMED = re.compile(r"\{([^\s{}]+)\}[ \t]*(.*)")
_OPTION = re.compile(r":([\w-]+):[ \t]*(.*)")


class Directive(NamedTuple):
    """A directive of MyST: a fence whose first line begins with a name in braces."""

    name: str
    argument: str
    options: dict[str, str]
    body: str


def parse(text: str) -> list[Token]:
    """Return the tokens of a page. Inline ones say in ``meta["raw"]`` what the source looks like, where it matters.

    Of a link that is its end, ``](address "title")``, and stands with the token that closes it.

    Raises
    ------
    MissingPackageError
        If MyST's parser is not installed.
    """
    return _parser().parse(text)


def inline(text: str) -> list[Token]:
    """Return the tokens of a line of text."""
    return _parser().parseInline(text)[0].children or []


@cache
def _parser() -> MarkdownIt:
    needed("myst-parser", "A working copy of the notebooks", module="myst_parser")
    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_inline import autolink, backtick, escape, html_inline, image, link
    from mdit_py_plugins.myst_role.index import myst_role
    from myst_parser.config.main import MdParserConfig
    from myst_parser.parsers.mdit import create_md_parser

    parser = create_md_parser(MdParserConfig(enable_extensions=set(EXTENSIONS)), RendererHTML)
    rules = {"myst_role": myst_role, "backticks": backtick, "escape": escape, "image": image, "autolink": autolink,
             "html_inline": html_inline}  # fmt: skip
    for name, rule in rules.items():
        parser.inline.ruler.at(name, _noting(rule))
    parser.inline.ruler.at("link", _noting(link, skip=_label))
    return parser


def _noting(
    rule: Callable[[StateInline, bool], bool], skip: Callable[[StateInline], int] | None = None
) -> Callable[[StateInline, bool], bool]:
    """Return a rule that writes onto the token it makes what it has read, from where ``skip`` says."""

    def noted(state: StateInline, silent: bool) -> bool:
        known, start = len(state.tokens), skip(state) if skip else state.pos
        found = rule(state, silent)
        if found and not silent and len(state.tokens) > known:
            state.tokens[-1].meta["raw"] = state.src[start : state.pos]
        return found

    return noted


def _label(state: StateInline) -> int:
    """Return where the label of a link ends that may begin here."""
    if state.src[state.pos] != "[":
        return state.pos
    return state.md.helpers.parseLinkLabel(state, state.pos, True)


def directive(token: Token) -> Directive | None:
    """Return the directive that a token is, or None.

    Its options are the lines ``:name: value`` it begins with.
    """
    named = _NAMED.fullmatch(token.info.strip()) if token.type in ("fence", "colon_fence") else None
    if named is None:
        return None
    lines, options = token.content.split("\n"), {}
    while lines and (option := _OPTION.fullmatch(lines[0].strip())):
        options[option[1]] = option[2]
        del lines[0]
    return Directive(named[1], named[2], options, "\n".join(lines).strip("\n"))


def directives(text: str) -> Iterator[Directive]:
    """Yield the directives of a page in their order, with those inside others."""
    for token in parse(text):
        if (found := directive(token)) is not None:
            yield found
            yield from directives(found.body)
