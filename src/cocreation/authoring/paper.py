"""The book on paper: all pages as one, with a cover, contents and page numbers, printed to PDF by Chromium.

The pages are those of the built HTML book, so that nothing is written twice. They are printed two times: the first
print says on which page each chapter begins, the second has these numbers in its contents.
"""

from __future__ import annotations

import io
import os
import posixpath
import re
import shutil
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._files import read_text, write_whole
from ..errors import CourseError, needed

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag
    from playwright.sync_api import Playwright

__all__ = ["ENABLE", "Chapter", "chapters", "compose", "find_browser", "print_book"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
)
ENABLE = "Install Chromium or Chrome, or run: python -m playwright install chromium"

#: milliseconds; the whole book is one long page
_PATIENCE = 600_000
#: what serves a reader at a screen alone
_SCREEN = ("script, noscript, dialog, button, .headerlink, .cc-notes, .cc-fold, .cc-tools, .cc-onward, .cc-card, "
           ".cc-strip, .cc-goon, .cc-starts, .cc-narrow, .cocreation-skip")  # fmt: skip
#: attributes that name elements of the same page
_NAMING = ("for", "aria-labelledby", "aria-describedby", "aria-controls")


@dataclass(frozen=True)
class Chapter:
    """A page of the book on paper: its name, title, the part it opens if it opens one, and how deep it stands."""

    name: str
    title: str
    part: str
    level: int


def find_browser(driver: Playwright) -> str | None:
    """Return the path of a Chromium or Chrome of this machine, else of the one Playwright downloaded, or None.

    Parameters
    ----------
    driver : Playwright

    Returns
    -------
    str or None
    """
    found = [shutil.which(name) for name in NAMES]
    found += [place for place in (*PLACES, driver.chromium.executable_path) if os.path.isfile(place)]
    return next((path for path in found if path), None)


def print_book(root: Path, html: Path, target: Path) -> Path:
    """Print the built book to a PDF: tagged, with an outline, cover, contents and page numbers, in light colours.

    Parameters
    ----------
    root : Path
        The folder with ``_toc.yml``.
    html : Path
        The folder of the built book.
    target : Path
        The file to write; it appears whole or not at all.

    Returns
    -------
    Path
        ``target``.

    Raises
    ------
    CourseError
        If there is no browser, or a page of the table of contents is not in the built book.
    MissingPackageError
        Without Playwright or pypdf.

    Notes
    -----
    The reference of functions is left out: it is looked up, not read. Two runs give the same bytes with the same
    browser: dates and numbers of the file are taken out.
    """
    for package in ("playwright", "pypdf", "bs4"):
        needed(package, "The book as PDF")
    from playwright.sync_api import sync_playwright

    listed = chapters(root, html)
    with sync_playwright() as driver:
        path = find_browser(driver)
        if path is None:
            raise CourseError(f"No browser was found, and the PDF is printed by one. {ENABLE}")
        # Chromium refuses its sandbox to root, as whom containers run.
        sandbox = not (hasattr(os, "geteuid") and os.geteuid() == 0)
        quiet = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--font-render-hinting=none"]
        browser = driver.chromium.launch(executable_path=path, args=quiet, chromium_sandbox=sandbox)
        try:
            first = _printed(browser, html, compose(html, listed, {}))
            pages = _begin_at(first, listed)
            again = _printed(browser, html, compose(html, listed, pages))
        finally:
            browser.close()
    if _begin_at(again, listed) != pages:
        raise CourseError("The contents of the PDF grew by their own page numbers. Shorten a title and print again.")
    write_whole(target, _same_bytes(again))
    return target


def chapters(root: Path, html: Path) -> list[Chapter]:
    """Return the pages to print, in the order of the table of contents, without the reference of functions.

    Parameters
    ----------
    root, html : Path
        As for :func:`print_book`.

    Returns
    -------
    list of Chapter
    """
    from sphinx_external_toc.parsing import parse_toc_yaml

    site = parse_toc_yaml(root / "_toc.yml")
    found = []

    def add(name: str, part: str, level: int) -> None:
        found.append(Chapter(name, _title(_article(html, name)), part, level))
        for tree in site[name].subtrees:
            for item in tree.items:
                add(str(item), "", level + 1)

    for tree in site.root.subtrees:
        part = tree.caption or ""
        for item in tree.items:
            if not posixpath.dirname(str(item)).endswith("reference"):
                add(str(item), part, 1)
                part = ""
    return found


def compose(html: Path, listed: list[Chapter], pages: dict[str, int]) -> str:
    """Return the book as one HTML page.

    Parameters
    ----------
    html : Path
        The folder of the built book; the page is to be opened from there.
    listed : list of Chapter
        What to print.
    pages : dict
        The number of the page on which each chapter begins; empty where it is not known yet.

    Returns
    -------
    str
    """
    names = {name: f"c{number}" for number, name in enumerate(["index", *(each.name for each in listed)])}
    cover = _cover(_article(html, "index"), names)
    bodies = []
    for each in listed:
        article = _adapted(_article(html, each.name), each.name, names)
        kind = "cc-chapter" if each.level == 1 else "cc-under"
        bodies.append(f'<section class="{kind}" id="{names[each.name]}">{article.decode_contents()}</section>')
    return _PAGE.format(
        styles="".join(f'<link rel="stylesheet" href="{escape(style)}">' for style in _styles(html, listed)),
        title=escape(_site_title(html)),
        cover=cover,
        contents=_contents(listed, names, pages),
        body="".join(bodies),
    )


_PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8"><title>{title}</title>{styles}
<link rel="stylesheet" href="_static/cocreation/paper.css"></head>
<body class="cc-paper"><main class="bd-main"><div class="bd-content"><div class="bd-article-container">
<article class="bd-article">{cover}{contents}{body}</article></div></div></main></body></html>
"""


def _soup(html: Path, name: str) -> BeautifulSoup:
    from bs4 import BeautifulSoup

    path = html / f"{name}.html"
    if not path.is_file():
        raise CourseError(f"The built book has no page {name}. Build it again: cocreation book")
    return BeautifulSoup(read_text(path, remedy="Build the book again: cocreation book"), "lxml")


def _article(html: Path, name: str) -> Tag:
    article = _soup(html, name).select_one("article.bd-article")
    if article is None:
        raise CourseError(f"The page {name} of the built book holds no article. Build the book again: cocreation book")
    return article


def _title(article: Tag) -> str:
    heading = article.find("h1")
    if heading is None:
        return ""
    for link in heading.select(".headerlink"):
        link.decompose()
    return " ".join(heading.get_text().split())


def _site_title(html: Path) -> str:
    return _title(_article(html, "index"))


def _styles(html: Path, listed: list[Chapter]) -> list[str]:
    """Return the style sheets of all pages, each once, as seen from the top folder; ours last, as on each page."""
    found: dict[str, None] = {}
    for name in ["index", *(each.name for each in listed)]:
        for link in _soup(html, name).select('link[rel="stylesheet"]'):
            found[posixpath.normpath(posixpath.join(posixpath.dirname(name), str(link["href"])))] = None
    return sorted(found, key=lambda style: "cocreation/" in style and "katex" not in style)


def _adapted(article: Tag, name: str, names: dict[str, str]) -> Tag:
    """Make an article part of the whole: what is for the screen goes, names and links become those of the whole."""
    for unneeded in article.select(_SCREEN):
        unneeded.decompose()
    for details in article.select("details"):
        details["open"] = ""
    for plain in article.select(".cocreation-widget > .cocreation-fallback"):
        plain.parent["class"] = "cocreation-widget"
    mark = names[name]
    for element in article.find_all(True):
        if element.get("id"):
            element["id"] = f"{mark}-{element['id']}"
        for attribute in _NAMING:
            if element.get(attribute):
                words = element[attribute] if isinstance(element[attribute], list) else element[attribute].split()
                element[attribute] = " ".join(f"{mark}-{word}" for word in words)
        for attribute, value in list(element.attrs.items()):
            if isinstance(value, str) and "url(#" in value:
                element[attribute] = re.sub(r"url\(#", f"url(#{mark}-", value)
        for attribute in ("href", "xlink:href"):
            if element.get(attribute):
                element[attribute] = _link(str(element[attribute]), name, names)
        if element.get("src"):
            element["src"] = posixpath.normpath(posixpath.join(posixpath.dirname(name), str(element["src"])))
    for style in article.find_all("style"):
        if style.string:
            style.string = re.sub(r"url\(#", f"url(#{mark}-", style.string)
    return article


def _link(address: str, name: str, names: dict[str, str]) -> str:
    """Return where a link leads: into the PDF, or, for what is not in it, nowhere outside of it."""
    if re.match(r"[a-z][a-z+.-]*:", address):
        return address
    path, _, anchor = address.partition("#")
    if not path:
        return f"#{names[name]}-{anchor}" if anchor else f"#{names[name]}"
    page = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)).removesuffix(".html")
    if page not in names:
        return f"#{names[name]}"
    return f"#{names[page]}-{anchor}" if anchor else f"#{names[page]}"


def _cover(article: Tag, names: dict[str, str]) -> str:
    """Return the first page, title, lead and the picture of all steps, and the start page's text after it."""
    article = _adapted(article, "index", names)
    heading, lead, picture = (article.select_one(what) for what in ("h1", ".cc-lead", ".cc-pipeline"))
    kept = "".join(str(part) for part in (heading, lead, picture) if part is not None)
    for part in (heading, lead, picture):
        if part is not None:
            part.extract()
    front = f'<section class="cc-front" id="c0">{kept}</section>'
    return f'{front}<section class="cc-before">{article.decode_contents()}</section>'


def _contents(listed: list[Chapter], names: dict[str, str], pages: dict[str, int]) -> str:
    lines = []
    for each in listed:
        if each.part:
            lines.append(f'<li class="cc-partline">{escape(each.part)}</li>')
        number = pages.get(each.name, "000")
        lines.append(
            f'<li class="cc-level{each.level}"><a href="#{names[each.name]}"><span>{escape(each.title)}</span>'
            f"<i></i><b>{number}</b></a></li>"
        )
    return f'<nav class="cc-contents"><h2>Contents</h2><ol>{"".join(lines)}</ol></nav>'


def _printed(browser: Any, html: Path, text: str) -> bytes:
    """Return the PDF of a page that is opened from the book's folder; nothing outside of it is asked for."""
    place = html / ".paper.html"
    write_whole(place, text.encode())
    try:
        context = browser.new_context(color_scheme="light", java_script_enabled=False, offline=True)
        page = context.new_page()
        page.set_default_timeout(_PATIENCE)
        page.goto(place.resolve().as_uri(), wait_until="load")
        page.emulate_media(media="print", color_scheme="light")
        printed = page.pdf(prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
        context.close()
    finally:
        place.unlink(missing_ok=True)
    return printed


def _begin_at(printed: bytes, listed: list[Chapter]) -> dict[str, int]:
    """Return the page on which each chapter begins, counted from the cover."""
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(printed))
    places = reader.named_destinations
    found = {}
    for number, each in enumerate(listed, start=1):
        place = places.get(f"c{number}") or places.get(f"/c{number}")
        if place is None:
            raise CourseError(f"Chromium did not mark where {each.title} begins. Use a newer Chromium.")
        found[each.name] = reader.get_destination_page_number(place) + 1
    return found


def _same_bytes(printed: bytes) -> bytes:
    """Return the PDF without the time of printing and what is drawn by lot."""
    from pypdf import PdfWriter
    from pypdf.generic import ArrayObject, ByteStringObject

    writer = PdfWriter(clone_from=io.BytesIO(printed))
    fixed = "D:20000101000000Z"
    writer.add_metadata({"/CreationDate": fixed, "/ModDate": fixed, "/Producer": "", "/Creator": "cocreation"})
    writer._ID = ArrayObject([ByteStringObject(b"cocreation"), ByteStringObject(b"cocreation")])
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()
