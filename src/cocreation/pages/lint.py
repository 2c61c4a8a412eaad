"""Warn of what a reader would miss, on every build and not only when a page changed.

With warnings as errors a second build must not pass because it had nothing to
read; so findings are kept in the environment and told at each consistency check.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging

from ..widgets.host.live import VIEW, is_bundle

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["setup"]

logger = logging.getLogger(__name__)

Finding = tuple[int | None, str, str]  # line, kind, text


def images_without_alt(doctree: nodes.document) -> Iterator[Finding]:
    """Find images that say nothing to those who do not see them."""
    for image in doctree.findall(nodes.image):
        if str(image.get("alt", "")).strip():
            continue
        if any(is_bundle(parent) for parent in _ancestors(image)):
            advice = 'give the cell the metadata {"mystnb": {"image": {"alt": "what the figure shows"}}}'
            yield image.line or image.parent.line, "alt", f"A figure of a notebook cell has no alt text: {advice}."
        else:
            yield image.line, "alt", f"The image {image.get('uri')} has no alt text: say what it shows."


def widgets_without_life(env: BuildEnvironment, docname: str, doctree: nodes.document) -> Iterator[Finding]:
    """Find notebook widgets that a page cannot run, or that leave nothing to read when they do not."""
    scripts = getattr(env, "nb_metadata", {}).get(docname, {}).get("js_files", {})
    if "ipywidgets_state" in scripts:
        models = json.loads(scripts["ipywidgets_state"][1]["body"])["state"].values()
        strange = sorted({model["model_name"] for model in models if not _hosted(model)})
        if strange:
            advice = "write it as an anywidget whose logic is in its JavaScript module, or remove the output"
            names = ", ".join(strange)
            yield None, "widget", f"Widgets that need a kernel or the ipywidgets bundle: {names}. Instead {advice}."
    for bundle in doctree.findall(is_bundle):
        kinds = [child.get("mime_type") for child in bundle.children]
        if VIEW in kinds and "text/html" not in kinds:
            advice = "return its content as text/html too, in _repr_mimebundle_"
            yield bundle.line, "widget", f"A widget has nothing to show without JavaScript or on paper: {advice}."


def _hosted(model: dict) -> bool:
    return model["model_module"] == "anywidget" or model["model_name"] == "LayoutModel"


def _ancestors(node: nodes.Node) -> Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node


def _findings(env: BuildEnvironment) -> dict[str, list[Finding]]:
    if not hasattr(env, "cocreation_findings"):
        env.cocreation_findings = {}
    return env.cocreation_findings


def _read(app: Sphinx, doctree: nodes.document) -> None:
    found = [*images_without_alt(doctree), *widgets_without_life(app.env, app.env.docname, doctree)]
    _findings(app.env)[app.env.docname] = found


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _findings(env).pop(docname, None)


def _merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    _findings(env).update({name: found for name, found in _findings(other).items() if name in docnames})


def _tell(app: Sphinx, env: BuildEnvironment) -> None:
    for docname, found in sorted(_findings(env).items()):
        for line, kind, text in found:
            logger.warning(text, location=(docname, line), type="cocreation", subtype=kind)


def setup(app: Sphinx) -> None:
    """Register the checks."""
    app.connect("doctree-read", _read)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("env-check-consistency", _tell)
