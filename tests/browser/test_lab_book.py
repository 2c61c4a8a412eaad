"""A working copy in JupyterLab beside the book: what a notebook shows, and where its links lead."""

from __future__ import annotations

import re
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from contents import CHAPTERS
from docutils.nodes import make_id

from cocreation.course import lab
from cocreation.course.plain_markdown import Known

#: MyST as somebody types it, and as nobody should see it
_RAW = re.compile(r"\{[\w:-]+\}|:::")


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("student") / "mine"


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """Where the book will lie."""
    return tmp_path_factory.mktemp("course") / "html"


@pytest.fixture(scope="module")
def server(copy, book, tmp_path_factory, start_lab):
    """JupyterLab as the command starts it; yields its address."""
    home = tmp_path_factory.mktemp("home")
    words = [sys.executable, "-m", "cocreation", "lab", "--folder", str(copy), "--no-browser"]
    options = ["--", "--allow-root", "--LabApp.expose_app_in_browser=True", "--IdentityProvider.token=open",
               "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]  # fmt: skip
    # neither the windows nor the settings of whoever runs the tests
    own = {"JUPYTERLAB_WORKSPACES_DIR": home / "workspaces", "JUPYTERLAB_SETTINGS_DIR": home / "settings"}
    with start_lab([*words, *options], home, COCREATION_BOOK=book, **own) as address:
        yield address


@pytest.fixture
def with_book(server, book, built_book) -> str:
    if not book.exists():
        shutil.copytree(built_book, book)
    return server


def asked(address: str, **headers: str) -> tuple[int, str]:
    """Return status and text of a page, for who has the token."""
    request = urllib.request.Request(address, headers={"Authorization": "token open", **headers})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 – our own server
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_numbers_of_the_copy_are_those_of_the_book(root, built_book):
    shown = {}
    for page in built_book.rglob("*.html"):
        for number in BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").select(".caption-number"):
            holder = number.find_parent(lambda each: each.name in ("figure", "table", "div") and each.get("id"))
            shown[f"{page.relative_to(built_book).as_posix()}#{holder['id']}"] = number.get_text().strip()
    numbers = {f"{each.page.name}.html#{make_id(name)}": each.label for name, each in Known(root).numbers.items()}
    assert len(numbers) >= 13
    assert numbers == {place: label for place, label in shown.items() if place in numbers}
    unnamed = [place for place in shown if place not in numbers and not re.search(r"#id\d+$", place)]
    assert not unnamed


def test_every_link_into_the_book_leads_to_a_page_and_an_anchor_of_it(root, built_book):
    ids: dict[str, set[str]] = {}
    links = set()
    for name, content in lab.upstream(root):
        if name.endswith((".ipynb", lab.START)):
            links |= set(re.findall(r"\]\(/book/([^\s)]+)", content.decode()))
    assert len(links) >= 80
    for link in links:
        page, _, anchor = link.partition("#")
        if page not in ids:
            ids[page] = set(re.findall(r'id="([^"]+)"', (built_book / page).read_text(encoding="utf-8")))
        assert not anchor or anchor in ids[page], link


@pytest.mark.slow
def test_where_the_book_is_not_built_a_page_says_how_and_shows_it_once_it_is(server, book, built_book):
    if book.exists():
        shutil.rmtree(book)
    status, text = asked(f"{server}book/book/explore.html")
    assert status == 404
    assert "<code>nox -s book</code>" in text
    assert str(book) in text
    shutil.copytree(built_book, book)
    status, text = asked(f"{server}book/book/explore.html")
    assert (status, text) == (200, (built_book / "book" / "explore.html").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_book_built_anew_is_shown_at_once(with_book, book):
    page = book / "book" / "value.html"
    before = page.read_text(encoding="utf-8")
    assert asked(f"{with_book}book/book/value.html") == (200, before)
    page.write_text(before.replace("</h1>", " (second edition)</h1>"), encoding="utf-8")
    assert "(second edition)" in asked(f"{with_book}book/book/value.html")[1]


@pytest.mark.slow
def test_only_the_book_is_shown_and_only_to_who_is_logged_in(with_book, copy):
    start = (with_book + "book").rstrip("/")
    assert asked(start)[1] == asked(f"{start}/")[1] == asked(f"{start}/index.html")[1]
    assert asked(f"{start}/nothing.html")[0] == 404
    (copy.parent / "secret.html").write_text("secret")
    for way in ("../secret.html", "..%2f..%2fsecret.html", "%2e%2e/%2e%2e/secret.html"):
        status, text = asked(f"{start}/{way}")
        assert status in (403, 404), way
        assert text != "secret"
    _, text = asked(f"{start}/book/explore.html", Authorization="")
    assert "How many dimensions" not in text
    assert "Password or token" in text


@pytest.mark.slow
def test_a_notebook_shows_what_the_book_shows_and_its_links_open_the_book(with_book, watch):
    watched = watch(viewport={"width": 1200, "height": 1000})
    page = watched.page(f"{with_book}lab/tree/notebooks/explore.ipynb?token=open")
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")
    notebook.locator(".jp-RenderedMarkdown h1").wait_for()
    page.wait_for_function(
        "() => document.querySelectorAll('.jp-Notebook .jp-MarkdownCell.jp-mod-rendered').length >= 24"
    )
    shown = "\n".join(notebook.locator(".jp-RenderedMarkdown").all_text_contents())
    assert not _RAW.findall(shown)
    assert "In Figure 12.1 five stand above random data" in shown
    assert "smallest on average [Velicer, 1976]." in shown
    box = notebook.locator(".jp-RenderedMarkdown div[style]").first
    assert box.evaluate("box => getComputedStyle(box).borderLeftWidth") == "3px"
    assert box.locator("strong").first.inner_text() == "Before you start"
    work = notebook.get_by_role("link", name="Velicer, 1976")
    assert work.get_attribute("title").startswith("Wayne F. Velicer. Determining the number of components")

    # the number leads to figure and caption
    notebook.locator("a[href='#fig-explore-communalities']").click()
    page.wait_for_function(
        """() => {
          const anchor = document.querySelector('[data-jupyter-id="fig-explore-communalities"]');
          const caption = anchor?.parentElement.getBoundingClientRect();
          return caption && caption.top > 300 && caption.bottom < innerHeight;
        }"""
    )

    def opened(link) -> object:
        with watched.context.expect_page() as new:
            link.click()
        new.value.wait_for_load_state()
        return new.value

    chapter = opened(box.get_by_role("link", name="explore", exact=True))
    assert urlsplit(chapter.url).path == "/book/book/explore.html"
    assert chapter.locator("article h1").inner_text().startswith("12. Explore: how many dimensions are there?")
    # with the book's own type and scripts, as from the folder
    assert chapter.evaluate("() => document.fonts.ready.then(() => document.fonts.check('16px \"Source Serif 4\"'))")
    entry = opened(work)
    assert "Velicer" in entry.locator(":target").inner_text()
    assert opened(notebook.get_by_role("link", name="Confirm: does the structure")).url.endswith("/book/confirm.html")
    notebook.get_by_role("link", name="Confirm in practice").click()
    notebook.locator("h1", has_text="Confirm in practice").wait_for()
    assert watched.outside == []
    assert not [each for each in watched.errors if "/book/" in each]


@pytest.mark.slow
def test_lab_begins_with_the_book_and_the_steps(with_book, watch):
    watched = watch(viewport={"width": 1200, "height": 1000})
    page = watched.page(f"{with_book}?token=open")
    start = page.locator(".jp-MarkdownViewer")
    start.locator("h1").wait_for()
    assert start.locator("tbody tr").count() == len(CHAPTERS)
    with watched.context.expect_page() as new:
        start.get_by_role("link", name="The book", exact=True).click()
    new.value.wait_for_load_state()
    assert new.value.locator("article h1").inner_text().startswith("Value Co-Creation")
