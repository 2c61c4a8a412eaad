"""Put widgets into pages, so that they live there without a kernel.

A page embeds the state of a widget as JSON, a note where to show it, and the
exercise as a plain table for readers without JavaScript. ``widget-host.js``
does the rest. Notebook pages get state and note from myst-nb; prose gets them
from the directive ``widget``.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from ...errors import CourseError
from .. import WIDGETS
from ..cards import find

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

__all__ = ["setup"]

HOST = "cocreation/widget-host.js"
STYLE = "cocreation/widget-host.css"
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
_HERE = Path(__file__).parent
_MARK = "cocreation-widget"


class WidgetDirective(SphinxDirective):
    """``widget``: a live exercise in a chapter, e.g. ``card-sort`` with ``:data: logics``."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"data": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        kind = self.arguments[0]
        if kind not in WIDGETS:
            raise self.error(f"There is no widget {kind!r}. There are: {', '.join(sorted(WIDGETS))}.")
        if "data" not in self.options:
            raise self.error(f"The widget {kind!r} needs the option ':data:', the name of a file in exercises.")
        try:
            path = self._file(self.options["data"])
            self.env.note_dependency(str(path))
            widget = WIDGETS[kind].load(path)
        except CourseError as problem:
            raise self.error(str(problem)) from problem
        serial = self.env.new_serialno(_MARK)
        name = f"{self.env.docname}:{kind}:{self.options['data']}:{serial}"
        model_id = hashlib.sha256(name.encode()).hexdigest()[:32]
        state = {"version_major": 2, "version_minor": 0, "state": {model_id: widget.embedded()}}
        view = {"version_major": 2, "version_minor": 0, "model_id": model_id}
        html = widget.fallback() + _script(STATE, state) + _script(VIEW, view)
        self.env.metadata[self.env.docname][_MARK] = True
        for asset in (_HERE.parent / "card_sort.js", _HERE.parent / "card_sort.css"):
            self.env.note_dependency(str(asset))
        node = nodes.raw("", f'<div class="cocreation-widget">{html}</div>', format="html")
        self.set_source_info(node)
        return [node]

    def _file(self, name: str) -> Path:
        """The book's own exercises come first; the course's are the second choice."""
        own = Path(self.env.srcdir) / "exercises" / f"{name}.yml"
        return own if own.is_file() else find(name)


class JoinFallback(SphinxPostTransform):
    """In a notebook's output, keep a widget's plain HTML beside the live one.

    myst-nb shows the first kind of output it knows and drops the rest, so the two
    are joined before it chooses (its transform has priority 4).
    """

    default_priority = 3
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        for bundle in self.document.findall(is_bundle):
            by_type = {child.get("mime_type"): child for child in bundle.children}
            if VIEW in by_type and "text/html" in by_type:
                view, plain = by_type[VIEW], by_type["text/html"]
                html = plain.astext() + view.astext()
                view.children = [nodes.raw("", f'<div class="cocreation-widget">{html}</div>', format="html")]


def is_bundle(node: nodes.Node) -> bool:
    """Whether `node` holds the alternative kinds of one notebook output."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def _script(kind: str, content: Any) -> str:
    # "</" would end the script element early; in JSON "<\/" means the same.
    text = json.dumps(content).replace("</", "<\\/")
    return f'<script type="{kind}">{text}</script>'


def _configure(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(_HERE / "static"))
    # What myst-nb loads on notebook pages with widgets, instead of two files from a CDN.
    config.nb_ipywidgets_js = {HOST: {"defer": "defer"}}


def _load_host(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    loaded = {str(getattr(script, "filename", script)) for script in context.get("script_files", [])}
    from_notebook = f"_static/{HOST}" in loaded
    if not from_notebook and _MARK in app.env.metadata.get(pagename, {}):
        app.add_js_file(HOST, defer="defer")
    if from_notebook or _MARK in app.env.metadata.get(pagename, {}):
        app.add_css_file(STYLE)


def setup(app: Sphinx) -> None:
    """Register directive, transform and host script."""
    app.add_directive("widget", WidgetDirective)
    app.add_post_transform(JoinFallback)
    app.connect("config-inited", _configure)
    # After myst-nb (500) has named the scripts of a notebook page.
    app.connect("html-page-context", _load_host, priority=600)
