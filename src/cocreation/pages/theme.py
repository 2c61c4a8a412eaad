"""The theme's frame around a page: contents at the side, head and icons, and nothing that the page does not need."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from docutils import nodes

from .contents import Step, lead, minutes, parts, steps

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

__all__ = ["setup"]

#: assets that a page needs only if its text holds the mark
_WITH_MARK = {
    "sphinx-design": 'class="sd-',
    "design-tabs": 'class="sd-',
    "togglebutton": "toggle",
    "copybutton": "highlight",
    "clipboard": "highlight",
    "mystnb": "cell_",
}
#: scripts that ours replace
_REPLACED = ("sphinx-book-theme.js", "searchtools.js", "language_data.js", "searchindex.js")
_TOGGLES = re.compile(r"let toggle|togglebuttonSelector")


def _configure(app: Sphinx, config: Config) -> None:
    options = config.html_theme_options
    # The page's own contents stand in those of the book, so that the right margin is free for notes.
    options["secondary_sidebar_items"] = []
    options["use_fullscreen_button"] = options["back_to_top_button"] = False
    options["article_header_start"] = ["toggle-primary-sidebar.html"]
    options["article_header_end"] = ["article-header-buttons.html"]
    options.setdefault("search_bar_text", "Search this book")
    config.html_sidebars = {"**": ["navbar-logo.html", "search-button-field.html", "sbt-sidebar-nav.html"]}
    # The theme speaks of an invalid mode where none is named.
    config.html_context.setdefault("default_mode", "auto")
    config.html_show_sphinx = False


def _dress(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    """Give the page's template what it shows of the book, and take out assets for things the page has not."""
    env = app.env
    context["cocreation_lead"] = lead(env, pagename)
    context["cocreation_nav"] = _contents(app, pagename, context)
    context["cocreation_head"] = _eyebrow(env) if pagename == env.config.root_doc else _strip(app, pagename)
    # Sphinx names the viewport itself; docutils would do so once more.
    context["metatags"] = re.sub(r'<meta[^>]*name="viewport"[^>]*>', "", context.get("metatags", ""))
    body = context["body"] = _plain_roles(context.get("body", ""))
    for assets in (context.get("script_files"), context.get("css_files")):
        if assets is not None:
            assets[:] = [asset for asset in assets if _needed(asset, body)]


def _plain_roles(body: str) -> str:
    """Take out roles of the bibliography that the standard has given up, or that its entries do not keep."""
    return body.replace(' role="doc-biblioentry"', "").replace('<div role="list" class="citation-list">', "<div>")


def _needed(asset: Any, body: str) -> bool:
    name = str(getattr(asset, "filename", asset) or "")
    inline = (getattr(asset, "attributes", None) or {}).get("body") or ""
    if any(word in name for word in _REPLACED):
        return False
    if _TOGGLES.search(inline):
        return _WITH_MARK["togglebutton"] in body
    return all(mark in body for word, mark in _WITH_MARK.items() if word in name)


# The contents at the side -------------------------------------------------------------


def _contents(app: Sphinx, page: str, context: dict[str, Any]) -> str:
    """Return the book's contents: parts, steps with their numbers, and the sections of the page that is shown."""
    env, numbers = app.env, {step.chapter: step for step in steps(app.env)}
    root = env.config.root_doc
    lines = [_list([_item(app, page, root, "Start", "", context)])]
    for part in parts(env):
        lines.append(f'<p class="cc-part" id="part-{_slug(part.caption)}">{escape(part.caption)}</p>')
        items = []
        for name, below in part.pages:
            step = numbers.get(name)
            inner = "".join(
                _item(app, page, under, _under(env, step, under), "cc-practice" if step else "", context)
                for under in below
                if step or page == name or page in below
            )
            items.append(_item(app, page, name, _title(env, name, step), "", context, step, inner))
        lines.append(_list(items, f"part-{_slug(part.caption)}"))
    return "\n".join(lines)


def _list(items: list[str], labelled: str = "") -> str:
    label = f' aria-labelledby="{labelled}"' if labelled else ""
    return f"<ul{label}>{''.join(items)}</ul>"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _title(env: BuildEnvironment, name: str, step: Step | None) -> str:
    full = env.titles[name].astext()
    word, colon, rest = full.partition(": ")
    if step and colon:
        return f"<b>{escape(word)}</b> <small>{escape(rest)}</small>"
    return f"<b>{escape(full)}</b>" if step else escape(full)


def _under(env: BuildEnvironment, step: Step | None, name: str) -> str:
    if step and name == step.notebook:
        return f"Practice <small>{minutes(env, name)} min</small>"
    return escape(env.titles[name].astext())


def _item(
    app: Sphinx,
    page: str,
    name: str,
    text: str,
    kind: str,
    context: dict[str, Any],
    step: Step | None = None,
    inner: str = "",
) -> str:
    here = name == page
    current = ' aria-current="page" class="active"' if here else ""
    number = f'<span class="cc-number">{step.number}</span>' if step else ""
    link = f'<a href="{_uri(app, page, name)}"{current} data-page="{name}">{number}<span>{text}</span></a>'
    sections = _sections(context) if here else ""
    below = f"<ul>{inner}</ul>" if inner else ""
    return f'<li class="{kind}">{link}{sections}{below}</li>' if kind else f"<li>{link}{sections}{below}</li>"


def _sections(context: dict[str, Any]) -> str:
    """Return the sections of the page that is shown, marked as the theme's script wants them to follow the reader."""
    found = re.findall(r'href="(#[^"]+)">(.*?)</a>', _second_level(context.get("toc", "")), re.DOTALL)
    items = (f'<li class="toc-entry"><a class="nav-link" href="{anchor}">{text}</a></li>' for anchor, text in found)
    return f'<ul id="pst-page-toc-nav" class="cc-sections">{"".join(items)}</ul>' if found else ""


def _second_level(toc: str) -> str:
    """Return the second level of Sphinx's nested list alone."""
    depth, kept, at = 0, [], 0
    for tag in re.finditer(r"<(/?)ul[^>]*>", toc):
        if depth == 2:
            kept.append(toc[at : tag.start()])
        depth, at = depth + (-1 if tag[1] else 1), tag.end()
    return "".join(kept)


def _uri(app: Sphinx, page: str, name: str) -> str:
    return app.builder.get_relative_uri(page, name) or "#"


def _eyebrow(env: BuildEnvironment) -> str:
    """Return the line above the title of the cover: what the book holds, counted."""
    found = steps(env)
    notebooks = sum(env.doc2path(name).endswith(".ipynb") for name in env.found_docs)
    counted = "1 notebook" if notebooks == 1 else f"{notebooks} notebooks"
    return f'<p class="cc-eyebrow">A course in {len(found)} steps · {counted}</p>' if found else ""


# Where one is ------------------------------------------------------------------------


def _strip(app: Sphinx, page: str) -> str:
    """Return the thin band of all steps that stands above a page and says which one it belongs to."""
    env, found = app.env, steps(app.env)
    here = next((step for step in found if page in step.pages), None)
    if not found:
        return ""
    shares = getattr(env, "cocreation_shares", {})
    turns = {part.pages[0][0] for part in parts(env)[1:] if part.numbered and part.pages}
    items = []
    for step in found:
        title = escape(f"Step {step.number} of {len(found)}: {env.titles[step.chapter].astext()}")
        current = ' aria-current="step"' if step is here else ""
        turn = ' class="cc-turns"' if step.chapter in turns else ""
        layers = shares.get(step.slug)
        bar = f'<i style="--share:{layers[0]};--layers:{layers[1]}"></i>' if layers else "<i></i>"
        items.append(
            f'<li{turn}><a href="{_uri(app, page, step.chapter)}" title="{title}" aria-label="{title}"{current} '
            f'data-pages="{" ".join(step.pages)}">{bar}</a></li>'
        )
    said = f"Step {here.number} of {len(found)} · {here.slug}" if here else f"{len(found)} steps"
    return (
        f'<nav class="cc-strip d-print-none" aria-label="Steps of the course"><ol>{"".join(items)}</ol>'
        f'<p class="cc-here">{said}</p></nav>'
    )


def setup(app: Sphinx) -> None:
    """Register what frames a page."""
    app.add_css_file("cocreation/theme.css", priority=900)
    app.add_js_file("cocreation/reader.js", defer="defer")
    app.connect("config-inited", _configure, priority=900)
    # After the theme (500) and what takes out the rest (900).
    app.connect("html-page-context", _dress, priority=950)
