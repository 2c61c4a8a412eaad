"""The built book beside JupyterLab, under ``/book/``, so that a link to a chapter opens the page it means.

An extension of Jupyter's server, switched on in a working copy only. Where the book is not built, each page says how
to build it; as soon as it is, the same address shows the page.
"""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.web import RedirectHandler, StaticFileHandler, authenticated

from .._paths import book_folder
from .plain_markdown import BOOK

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from jupyter_server.serverapp import ServerApp

__all__ = ["BookPages"]

_MISSING = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The book is not built yet</title>
<style>
body {{ font: 18px/1.55 "Source Serif 4", Georgia, serif; color: #22283a; background: #fffefa;
       max-width: 34em; margin: 12vh auto; padding: 0 1em; }}
h1 {{ font: 600 1.6em/1.2 "Source Sans 3", Arial, sans-serif; }}
code {{ font-size: .9em; background: #f4f1e8; padding: .1em .3em; }}
@media (prefers-color-scheme: dark) {{
  body {{ color: #e6e3da; background: #14171f; }}
  code {{ background: #1d222d; }}
}}
</style>
<h1>The book is not built yet</h1>
{told}
</html>
"""
_HOW = """<p>In the folder of the course's repository, run</p>
<p><code>nox -s book</code></p>
<p>in a second terminal. It takes a few minutes. Then reload this page; JupyterLab can stay open.</p>
"""
_WHERE = "<p>It is looked for in <code>{folder}</code>.</p>\n"


class BookPages(JupyterHandler, StaticFileHandler):
    """The pages of the book, for who is logged in."""

    auth_resource = "contents"

    @authenticated
    @authorized
    async def get(self, path: str, include_body: bool = True) -> None:
        """Send a page, or how to get it.

        Parameters
        ----------
        path : str
            As in the folder of the built book.
        include_body : bool
            False to send the headers alone.
        """
        if not Path(self.root, "index.html").is_file():
            self.set_status(404)
            self.set_header("Cache-Control", "no-store")
            self.finish(_MISSING.format(told=_HOW + _WHERE.format(folder=escape(self.root))))
            return
        await super().get(path, include_body)

    @authenticated
    @authorized
    def head(self, path: str) -> Awaitable[None]:
        """Send the headers of a page."""
        return self.get(path, include_body=False)

    def set_extra_headers(self, path: str) -> None:
        """Let browsers ask each time: the book may have been built anew."""
        self.set_header("Cache-Control", "no-cache")

    def compute_etag(self) -> None:
        """Leave it to the date of the file whether it is new; tornado would remember the content it saw first."""


def _load_jupyter_server_extension(app: ServerApp) -> None:
    """Let the server show the book."""
    first = url_path_join(app.base_url, BOOK, "index.html")
    pages = url_path_join(app.base_url, BOOK, "(.*)")
    app.web_app.add_handlers(
        ".*$",
        [
            (url_path_join(app.base_url, BOOK), RedirectHandler, {"url": first, "permanent": False}),
            (pages, BookPages, {"path": os.fspath(book_folder().resolve()), "default_filename": "index.html"}),
        ],
    )
