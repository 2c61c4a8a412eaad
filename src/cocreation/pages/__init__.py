"""The pages of the book: a Sphinx extension that gives them their look, live exercises, and no need of a network.

Add ``cocreation.pages`` to the extensions; it sets everything else:

* the directive ``widget`` and a small script that brings embedded widgets to
  life, on pages that hold one (:mod:`cocreation.widgets.host.live`);
* formulas rendered when the book is built, fonts and icons from the book's own
  folder, no script from elsewhere (:mod:`.offline`);
* the book's own look: type, contents, cover, the steps as one thing
  (:mod:`.theme`, :mod:`.pipeline`, :mod:`.steps`, :mod:`.notes`);
* figures that are part of the page, numbered, with their data (:mod:`.figures`);
* captions and numbers for the tables of notebooks (:mod:`.tables`);
* warnings for what a reader would miss: an image without alt text, a widget
  that cannot live without a kernel (:mod:`.lint`).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from ..widgets.host import live
from . import contents, figures, lint, notes, offline, pipeline, search, steps, tables, theme

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension with Sphinx."""
    # Sphinx copies style sheets and scripts only when it writes a page; a value that changes with
    # them makes it write all.
    app.add_config_value("cocreation_pages_digest", _digest(), "html", str)
    contents.setup(app)
    offline.setup(app)
    theme.setup(app)
    pipeline.setup(app)
    steps.setup(app)
    notes.setup(app)
    search.setup(app)
    live.setup(app)
    figures.setup(app)
    tables.setup(app)
    lint.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _digest() -> str:
    """Return what tells one state of the pages, widgets, templates and assets from another."""
    package = Path(__file__).parents[1]
    rooms = (package / "pages", package / "widgets")
    files = sorted(path for room in rooms for path in room.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
