"""A small book, built as the course's is: of the files a test writes."""

from __future__ import annotations

import base64
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat

PIXEL = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")
).decode()


def build(folder: Path, files: dict[str, Any], *, to: str = "out") -> tuple[Path, str]:
    """Build a book from {file name: text or notebook}; return its folder and the warnings."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    source = folder / "source"
    for name, content in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else nbformat.writes(content)
        (source / name).write_text(text, "utf-8")
    config = {
        "extensions": ["myst_nb", "sphinx_thebe", "sphinx_book_theme", "cocreation.pages"],
        "html_theme": "sphinx_book_theme",
        "html_title": "Small book",
        "nb_execution_mode": "off",
        "myst_enable_extensions": ["dollarmath", "amsmath"],
    }
    told = StringIO()
    out = folder / to
    with docutils_namespace():
        app = Sphinx(source, None, out, out / ".trees", "html", config, status=None, warning=told)
        app.build()
    return out, told.getvalue()


def notebook(*outputs, state=None, metadata=None, text: str = "# Live"):
    """Return a notebook of a heading and one cell with these outputs."""
    cell = nbformat.v4.new_code_cell("1", outputs=list(outputs), metadata=metadata or {})
    language = {"language_info": {"name": "python", "pygments_lexer": "python"}}
    book = nbformat.v4.new_notebook(metadata=language, cells=[nbformat.v4.new_markdown_cell(text), cell])
    if state:
        widgets = {"state": state, "version_major": 2, "version_minor": 0}
        book.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": widgets}
    return book


def figure(svg: str | None = None, *, text: str = "# Live", **metadata):
    """Return a notebook whose cell shows a figure: a PNG, and an SVG where one is given."""
    data = {"image/png": PIXEL, "text/plain": "<Figure>", **({"image/svg+xml": svg} if svg else {})}
    return notebook(nbformat.v4.new_output("display_data", data=data), metadata=metadata, text=text)
