"""Tables of notebooks have a caption, a number and a name by which the text cites them."""

from __future__ import annotations

import re

import nbformat
import pandas as pd
import pytest
import small_book

from cocreation.results.display import bundle
from cocreation.steps.purify import alpha
from cocreation.survey import sample

FRAME = pd.DataFrame({"citc": [0.819, -0.448]}, index=pd.Index(["DO01", "DO07"], name="item"))


def shown(data: dict[str, str], caption: object = None) -> nbformat.NotebookNode:
    output = nbformat.v4.new_output("execute_result", data=data)
    metadata = {} if caption is None else {"cocreation": {"table": caption}}
    return nbformat.v4.new_code_cell("1", outputs=[output], metadata=metadata)


def of(found: object) -> dict[str, str]:
    return {"text/html": found._repr_html_(), "text/plain": repr(found)}


@pytest.fixture
def build(tmp_path):
    """Build a small book of one notebook; return its page and the warnings."""

    def run(*cells: nbformat.NotebookNode, text: str = "") -> tuple[str, str]:
        book = small_book.notebook(text=f"# A notebook\n\n{text}")
        book.cells[1:] = cells
        out, told = small_book.build(tmp_path, {"index.ipynb": book})
        return (out / "index.html").read_text("utf-8"), told

    return run


def captions(page: str) -> list[str]:
    found = re.findall(r"<figcaption.*?</figcaption>", page, re.DOTALL)
    return [re.sub(r"<a.*?</a>|<[^>]+>", "", caption).strip() for caption in found]


def test_a_table_has_a_number_and_is_cited_by_its_name(build):
    first = shown(bundle(FRAME), {"caption": "What *no one* asked", "name": "tab-first"})
    second = shown(bundle(FRAME), {"caption": "CITC of two items", "name": "tab-second"})
    page, told = build(first, second, text="We see it in {numref}`tab-second`.")
    assert told == ""
    assert captions(page) == ["Table 1 What no one asked", "Table 2 CITC of two items"]
    assert "What <em>no one</em> asked" in page
    assert re.search(r'<a [^>]*href="#tab-second"[^>]*><span class="std std-numref">Table 2</span></a>', page)
    assert re.search(r'<figure class="apa-figure" id="tab-second">', page)


def test_the_caption_names_the_table_to_who_hears_it(build):
    wide = pd.DataFrame({f"measure {letter}": [1] for letter in "abcdef"})
    page, _ = build(shown(bundle(wide), {"caption": "Six measures", "name": "tab-six"}))
    assert page.count('aria-labelledby="tab-six-caption"') == 2
    assert '<figcaption id="tab-six-caption">' in page
    assert re.search(r'<div class="apa"[^>]* tabindex="0" role="region" aria-labelledby="tab-six-caption">', page)


def test_tables_of_results_are_numbered_by_the_page_and_keep_their_titles(build):
    found = alpha(sample.draw(60, seed=1, items=["DO01", "DO02", "DO05"]))
    page, told = build(
        shown(of(found)), shown(bundle(FRAME), {"caption": "CITC", "name": "tab-citc"}),
        shown(of(found), [{"caption": "Alpha", "name": "tab-alpha"}, {"caption": "Its items", "name": "tab-items"}]),
    )  # fmt: skip
    assert told == ""
    assert captions(page) == [
        "Table 1 Reliability of a Scale", "Table 2 Reliability of a Scale: Items", "Table 3 CITC", "Table 4 Alpha",
        "Table 5 Its items",
    ]  # fmt: skip
    assert "<caption" not in page
    assert page.count("See the note of the first of these tables.") == 2


def test_a_table_without_caption_has_no_number(build):
    page, told = build(shown(bundle(FRAME)))
    assert told == ""
    assert "<figcaption" not in page
    assert "−.448" in page


def test_what_stands_beside_a_table_stays(build):
    data = {"text/html": f"<p>before</p>{bundle(FRAME)['text/html']}<p>after</p>", "text/plain": "x"}
    page, _ = build(shown(data, {"caption": "CITC"}))
    assert re.search(r"before</p>.*<figcaption.*CITC.*<table.*</figure>.*<p>after", page, re.DOTALL)


def test_a_caption_for_a_table_that_is_not_there_is_told(build):
    _, told = build(shown({"text/plain": "5"}, {"caption": "Nothing to see"}))
    assert "index.ipynb" in told
    assert "A cell has no table for the caption Nothing to see" in told


def test_a_name_given_twice_is_told(build):
    cells = [shown(bundle(FRAME), {"caption": "CITC", "name": "tab-citc"}) for _ in range(2)]
    assert "tab-citc" in build(*cells)[1]
