"""The pages of the built book in a real browser: no other host, no error, nothing a reader could not use.

Every page is opened in the nightly run (or with COCREATION_NIGHTLY=1); otherwise one of each kind.
"""

from __future__ import annotations

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

PHONE = {"viewport": {"width": 320, "height": 640}}
DESK = {"viewport": {"width": 1280, "height": 900}}
#: one page of each kind: cover, chapter with an exercise, chapters and notebooks with all that pages have, lists
KINDS = ("index", "book/logics", "notebooks/explore", "book/bibliography", "book/reference/purify", "search")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def all_pages(built_book) -> list[Path]:
    """Every page of the book that a reader is led to; index.html may be a mere redirect."""
    found = sorted(path for path in built_book.rglob("*.html") if "_static" not in path.parts)
    return [path for path in found if 'http-equiv="Refresh"' not in path.read_text("utf-8")]


@pytest.fixture(scope="module")
def pages(all_pages, built_book) -> list[Path]:
    """The pages to open: all of them in the nightly run, else one of each kind."""
    assert len(all_pages) > 40
    if os.environ.get("COCREATION_NIGHTLY"):
        return all_pages
    found = [built_book / f"{name}.html" for name in KINDS]
    assert [path for path in found if path not in all_pages] == []
    return found


@pytest.fixture(scope="module")
def opened(watch_for_all, pages):
    """Every page opened once, on a phone that then grows to a desk: who watched, and what each page has."""
    watched, found = watch_for_all(**PHONE), {}
    for path in pages:
        page = watched.page(path.as_uri())
        width = page.evaluate("document.documentElement.scrollWidth")
        page.set_viewport_size(DESK["viewport"])
        images = page.locator("main img")
        found[path] = {
            "width": width,
            "titles": page.locator("h1").evaluate_all("all => all.filter((each) => each.checkVisibility()).length"),
            "language": page.evaluate("document.documentElement.lang"),
            "images": images.evaluate_all("all => all.map((img) => [img.getAttribute('alt'), img.src])"),
            "unnamed": _unnamed(page),
        }
        # not Playwright's "networkidle", which now and then never comes on a busy machine
        page.wait_for_function("document.readyState === 'complete' && document.fonts.status === 'loaded'", polling=50)
        page.close()
    return watched, found


def test_no_page_calls_another_host_or_throws_an_error(opened, pages):
    watched, found = opened
    assert len(found) == len(pages)
    assert watched.outside == []
    assert watched.errors == []


class _Loads(HTMLParser):
    """What a page loads by itself: scripts, styles, fonts, images and frames."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "link":
            passive = {"canonical", "author", "license", "next", "prev", "search", "index", "copyright"}
            if set((given.get("rel") or "").split()) - passive:
                self.found.append(given.get("href") or "")
        elif tag in {"script", "img", "iframe", "source", "audio", "video", "embed", "track", "input"}:
            self.found += [given[name] or "" for name in ("src", "srcset", "poster") if name in given]


OUTSIDE = re.compile(r"^(https?:)?//")
CSS_LOADS = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")
JS_LOADS = re.compile(
    r"""(?:\.src\s*=|\.href\s*=|import\s*\(?|importScripts\(|fetch\()\s*["'`]((?:https?:)?//[^"'`]+)"""
)


def test_no_page_names_a_script_style_font_or_image_of_another_host(all_pages, built_book):
    named, files = [], set()
    for path in all_pages:
        loads = _Loads()
        text = path.read_text("utf-8")
        loads.feed(text)
        for address in loads.found:
            if OUTSIDE.match(address):
                named.append(f"{path.name}: {address}")
            elif not address.startswith("data:"):
                files.add((path.parent / address.partition("?")[0]).resolve())
        named += [f"{path.name}: {address}" for address in CSS_LOADS.findall(text)]
    for file in sorted(files):
        assert file.is_file(), f"a page loads {file}, which is not there"
        pattern = {".css": CSS_LOADS, ".js": JS_LOADS}.get(file.suffix)
        if pattern:
            text = file.read_text("utf-8")
            named += [f"{file.relative_to(built_book)}: {address}" for address in pattern.findall(text)]
    assert named == []


NAMED_ROLES = {"button", "link", "checkbox", "radio", "textbox", "searchbox", "combobox", "slider", "progressbar",
               "image", "img", "table", "dialog"}  # fmt: skip


def _unnamed(page) -> list[str]:
    """Return what the browser would announce to a screen reader without a name."""
    session = page.context.new_cdp_session(page)
    whole = session.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    # asked by role: the whole tree of a long page has thousands of nodes to bring over
    found = [
        node
        for role in sorted(NAMED_ROLES - {"table", "dialog"})
        for node in session.send("Accessibility.queryAXTree", {"nodeId": whole, "role": role})["nodes"]
        if not node.get("ignored")
    ]
    session.detach()
    assert found, f"{page.url} has nothing to use"
    return [
        f"{page.url}: {node['role']['value']} {node.get('properties')}"
        for node in found
        if not node.get("name", {}).get("value", "").strip()
    ]


def test_every_page_has_one_title_a_language_and_a_name_for_everything_one_can_use(opened):
    _, found = opened
    for path, has in found.items():
        assert has["titles"] == 1, f"{path.name} has {has['titles']} titles"
        assert has["language"] == "en"
        assert [src for alt, src in has["images"] if not (alt or "").strip() or alt in src] == [], path.name
        assert has["unnamed"] == []


def test_no_page_scrolls_sideways_on_a_phone(opened):
    _, found = opened
    assert {path.name: has["width"] for path, has in found.items() if has["width"] > 320} == {}


@pytest.mark.parametrize(
    ("theme", "width"),
    [("light", 1280), ("dark", 390)] + [("dark", 1280), ("light", 390)] * bool(os.environ.get("COCREATION_NIGHTLY")),
)
def test_no_page_breaks_a_rule_of_accessibility(watch, pages, theme, width):
    """Deque's axe, rules of WCAG 2.2 at the levels A and AA; its own look at style sheets asks for other files."""
    watched, found = watch(viewport={"width": width, "height": 900}), []
    for path in pages:
        page = watched.page(path.as_uri(), theme=theme)
        told = Axe().run(page, options={"runOnly": RULES, "preload": False}).response
        assert len(told["passes"]) > 10
        found += [
            f"{path.name}: {rule['id']}: {node['html'][:90]}" for rule in told["violations"] for node in rule["nodes"]
        ]
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        page.close()
    assert found == []


# What a page weighs ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "most"), [("book/value", 900_000), ("book/report", 900_000), ("notebooks/explore", 1_200_000),
                       ("notebooks/validate", 1_200_000)]
)  # fmt: skip
def test_a_page_weighs_no_more_than_it_should(watch, built_book, name, most):
    """Uncompressed, with its fonts, as the browser fetched them."""
    context, fetched = watch(**DESK).context, set()
    page = context.new_page()
    page.on("requestfinished", lambda request: fetched.add(request.url.partition("?")[0]))
    page.goto((built_book / f"{name}.html").as_uri())
    page.wait_for_function("document.readyState === 'complete' && document.fonts.status === 'loaded'", polling=50)
    files = [Path(url.removeprefix("file://")) for url in fetched if url.startswith("file://")]
    assert len(files) > 5
    weights = {path.name: path.stat().st_size for path in files}
    assert sum(weights.values()) <= most, sorted(weights.items(), key=lambda pair: -pair[1])[:8]
    assert not [name for name in weights if name.startswith(("fa-", "search-index", "searchindex"))]


# Search ---------------------------------------------------------------------------


def _found(page, words: str) -> list[str]:
    page.get_by_role("searchbox").fill(words)
    expect(page.locator(".cc-search-said:visible")).to_contain_text(words)
    return page.locator(".cc-search-found a:visible").all_inner_texts()


def test_search_finds_whole_words_first_from_a_file(watch, built_book):
    watched = watch(**DESK)
    watched.context.set_offline(True)
    page = watched.page((built_book / "book" / "value.html").as_uri())
    page.keyboard.press("Control+k")
    ave = _found(page, "AVE")
    assert [text for text in ave if re.search(r"(?<![a-z])ave", text, re.IGNORECASE)] == ave != []
    assert re.search(r"\bAVE\b|average variance extracted", ave[0], re.IGNORECASE)
    assert _found(page, "qqqq") == []
    assert "HTMT" in _found(page, "htmt")[0]
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "value.html" not in url)
    assert watched.errors == []
    assert watched.outside == []


def test_the_search_page_answers_an_address(watch, built_book):
    page = watch(**DESK).page((built_book / "search.html").as_uri() + "?q=communality")
    expect(page.locator(".cc-search-found a").first).to_contain_text("ommunalit")


# What the reader's browser keeps --------------------------------------------------


def test_a_page_is_marked_as_done_and_forgotten_at_will(watch, built_book):
    watched = watch(**DESK)
    page = watched.page((built_book / "book" / "value.html").as_uri())
    done = page.get_by_role("button", name="Mark as done")
    done.click()
    expect(page.get_by_role("button", name="Done")).to_have_attribute("aria-pressed", "true")
    page.goto((built_book / "index.html").as_uri())
    expect(page.locator('.cc-nav a[data-page="book/value"]')).to_have_class(re.compile("cc-was-done"))
    expect(page.locator(".cc-goon a")).to_have_attribute("href", re.compile(r"book/value\.html$"))
    page.get_by_role("button", name="Forget my progress").click()
    expect(page.locator('.cc-nav a[data-page="book/value"]')).not_to_have_class(re.compile("cc-was-done"))
    assert page.evaluate("localStorage.getItem('cocreation:reader')") is None
    assert watched.errors == []


def test_what_another_program_left_in_the_storage_does_no_harm(watch, built_book):
    watched = watch(**DESK)
    page = watched.page((built_book / "book" / "value.html").as_uri())
    for left in ("{", json.dumps(5), json.dumps({"done": "x"}), "null"):
        page.evaluate("left => localStorage.setItem('cocreation:reader', left)", left)
        page.reload()
        expect(page.get_by_role("button", name="Mark as done")).to_be_visible()
    assert watched.errors == []


@pytest.mark.parametrize("width", [1280, 320])
def test_every_step_of_the_cover_is_a_link_one_reaches_by_keyboard(watch, built_book, width):
    page = watch(viewport={"width": width, "height": 900}).page((built_book / "index.html").as_uri())
    links = page.locator(".cc-pipeline a:visible")
    assert links.count() == 15
    links.first.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == links.nth(1).get_attribute("href")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
