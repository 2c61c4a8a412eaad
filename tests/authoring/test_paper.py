"""The book on paper: one page of all pages, whose names and links are those of the whole; printed by a real browser."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from cocreation.authoring import paper
from cocreation.errors import CourseError

# ruff: noqa: E501 – pages as they are built have long lines

TOC = """format: jb-book
root: index
parts:
  - caption: Ideas
    chapters:
      - file: book/think
  - caption: Scale
    chapters:
      - file: book/ask
        sections:
          - file: notebooks/ask
  - caption: Reference
    chapters:
      - file: book/reference/index
"""
HEAD = '<!DOCTYPE html><html><head><link rel="stylesheet" href="{up}_static/own.css"></head><body>'


def page(up: str, inner: str) -> str:
    return f'{HEAD.format(up=up)}<article class="bd-article"><section>{inner}</section></article></body></html>'


@pytest.fixture
def book(tmp_path):
    """The folders of a course and of its built book."""
    html = tmp_path / "_build" / "html"
    (tmp_path / "_toc.yml").write_text(TOC)
    pages = {
        "index": page("", '<h1>A course<a class="headerlink" href="#x">#</a></h1><div class="cc-lead"><p>Lead.</p></div>'
                          '<p>See <a href="book/ask.html#why">why</a>.</p>'),
        "book/think": page("../", '<h1>1. Think</h1><p id="a">A <a href="ask.html#why">link</a>, <a href="#a">here</a>, '
                           '<a href="reference/index.html#f">there</a>, <a href="https://doi.org/1">out</a>.</p>'
                           '<svg><clipPath id="p"></clipPath><g clip-path="url(#p)"></g></svg>'
                           '<details><summary>Q</summary>Answer</details><button>Enlarge</button>'),
        "book/ask": page("../", '<h1>2. Ask</h1><h2 id="why">Why</h2><p id="a">B</p><img src="../_images/a.png" alt="a">'
                         '<div class="cocreation-widget"><div class="cocreation-fallback"><table><tr><td>on paper</td>'
                         "</tr></table></div></div><script>1</script>"),
        "notebooks/ask": page("../", "<h1>Ask in practice</h1>" + "<p>Text.</p>" * 150),
        "book/reference/index": page("../../", "<h1>Reference</h1>"),
    }  # fmt: skip
    for name, text in pages.items():
        (html / name).parent.mkdir(parents=True, exist_ok=True)
        (html / f"{name}.html").write_text(text)
    (html / "_static").mkdir()
    (html / "_static" / "own.css").write_text("p { color: black }")
    return tmp_path, html


def test_chapters_come_in_the_order_of_the_contents_without_the_reference(book):
    found = paper.chapters(*book)
    assert [(each.name, each.title, each.part, each.level) for each in found] == [
        ("book/think", "1. Think", "Ideas", 1),
        ("book/ask", "2. Ask", "Scale", 1),
        ("notebooks/ask", "Ask in practice", "", 2),
    ]


def test_names_are_unique_and_every_link_within_leads_to_one_of_them(book):
    listed = paper.chapters(*book)
    whole = BeautifulSoup(paper.compose(book[1], listed, {"book/ask": 7}), "lxml")
    names = [each["id"] for each in whole.select("[id]")]
    assert len(names) == len(set(names)) > 6
    links = [each["href"] for each in whole.select("a[href]")]
    assert {link[1:] for link in links if link.startswith("#")} <= set(names)
    assert [link for link in links if not link.startswith("#")] == ["https://doi.org/1"]
    assert whole.select_one("g")["clip-path"] == f"url(#{whole.select_one('clipPath, clippath')['id']})"
    assert whole.select_one("img")["src"] == "_images/a.png"
    assert whole.select("script, button, .headerlink") == []
    assert whole.select_one("details").has_attr("open")
    assert "on paper" in whole.get_text()
    assert re.findall(r"2\. Ask(\d+)", whole.select_one(".cc-contents").get_text()) == ["7"]
    assert [each["href"] for each in whole.select("link")] == ["_static/own.css", "_static/cocreation/paper.css"]


def test_a_page_that_is_not_built_is_told(book):
    (book[1] / "notebooks" / "ask.html").unlink()
    with pytest.raises(CourseError, match=r"has no page notebooks/ask\. Build it again"):
        paper.chapters(*book)


def test_without_a_browser_one_sentence_says_what_to_install(book, monkeypatch):
    monkeypatch.setattr(paper, "find_browser", lambda driver: None)
    with pytest.raises(CourseError, match=r"No browser was found.*Install Chromium or Chrome"):
        paper.print_book(*book, book[0] / "book.pdf")
    assert not (book[0] / "book.pdf").exists()


@pytest.mark.browser
def test_a_browser_prints_it_with_numbers_tags_and_an_outline_and_the_same_bytes_again(book):
    first, again = (paper.print_book(*book, book[0] / name).read_bytes() for name in ("a.pdf", "b.pdf"))
    assert first == again
    reader = PdfReader(io.BytesIO(first))
    texts = [each.extract_text() for each in reader.pages]
    contents = next(text for text in texts if "Contents" in text)
    for title in ("1. Think", "2. Ask", "Ask in practice"):
        stated = int(re.search(rf"{re.escape(title)}\s*(\d+)", contents)[1])
        assert title in texts[stated - 1]
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert {"1. Think", "2. Ask"} <= {each.title for each in reader.outline if not isinstance(each, list)}
    assert len(texts) > 5
    assert not list(book[1].glob(".paper*"))


def test_the_command_says_that_it_prints():
    told = subprocess.run(
        [sys.executable, "-m", "cocreation", "book", "--help"], capture_output=True, text=True, check=True
    )
    assert "--pdf" in told.stdout
