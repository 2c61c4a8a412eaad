"""The frame around a page: contents and steps, the picture of all steps, cards, margin notes, the search's index."""

from __future__ import annotations

import json
import re

import pytest
import small_book

from cocreation.errors import CourseError
from cocreation.pages.pipeline import items_left

INDEX = """# A course

```{starts}
book/think: Begin
book/ask: Go on
```

```{pipeline}
:said: ask: two surveys
```

```{toctree}
:caption: Ideas
:numbered: 1
book/think
```

```{toctree}
:caption: Scale
:numbered: 1
book/ask
book/keep
```

```{toctree}
:caption: More
book/words
```
"""
ASK = """# Ask: which questions

Time 25 minutes.

A {term}`pool` holds what is asked. It holds {term}`pool` and more, 价值共创 too.

## Where AVE comes in

Words that no reader could have missed.

## Check yourself

What is a pool?

```{toctree}
:hidden:
../notebooks/ask
```
"""
WORDS = "# Words\n\n```{glossary}\npool\n  All items before any is dropped. Second sentence.\n```\n"
POOL = "item,dimension\na1,A\na2,A\nb1,B\nb2,B\n"
LOG = "subject,decision,rule,evidence\n"


def book(**more: object) -> dict[str, object]:
    return {
        "index.md": INDEX,
        "book/think.md": "# Think: what to ask\n\nFirst think & then ask, at some length, so that it is a lead.\n",
        "book/ask.md": ASK,
        "book/keep.md": "# Keep\n\nOnly the good ones.\n",
        "book/words.md": WORDS,
        "notebooks/ask.ipynb": small_book.notebook(text="# Ask in practice\n\nTime 40 minutes."),
        "datasets/item_pool.csv": POOL,
        "notebooks/decisions/ask.csv": LOG + "".join(f"{item},keep,r,e\n" for item in ("a1", "a2", "b1", "b2")),
        "notebooks/decisions/keep.csv": LOG + "a1,keep,r,e\na2,drop,r,e\nb1,keep,r,e\nb2,keep,r,e\n",
        **more,
    }


@pytest.fixture
def pages(tmp_path):
    """Build the book; return what reads a page of it, and what it was warned of."""
    out, told = small_book.build(tmp_path, book())
    assert told == ""
    return lambda name: (out / f"{name}.html").read_text("utf-8")


def test_the_contents_number_the_steps_through_the_parts_and_show_notebooks_with_their_chapter(pages):
    nav = re.search(r'<nav class="bd-links bd-docs-nav cc-nav".*?</nav>', pages("book/keep"), re.DOTALL)[0]
    numbered = re.findall(r'data-page="([^"]+)"><span class="cc-number">(\d+)</span>', nav)
    assert numbered == [("book/think", "1"), ("book/ask", "2"), ("book/keep", "3")]
    assert re.search(r'aria-current="page"[^>]*data-page="book/keep"', nav)
    assert re.search(r'class="cc-practice"><a href="\.\./notebooks/ask\.html" data-page="notebooks/ask">', nav)
    assert "Practice <small>40 min</small>" in nav
    assert re.findall(r'class="cc-part"[^>]*>([^<]+)<', nav) == ["Ideas", "Scale", "More"]


def test_a_page_shows_its_own_sections_and_no_others_do(pages):
    assert 'href="#where-ave-comes-in">' in re.search(r'id="pst-page-toc-nav".*?</ul>', pages("book/ask"), re.DOTALL)[0]
    assert "pst-page-toc-nav" not in pages("book/keep")


def test_a_step_has_a_card_with_times_and_the_way_on(pages):
    chapter, notebook = pages("book/ask"), pages("notebooks/ask")
    card = re.search(r'<nav class="cc-card.*?</nav>', chapter, re.DOTALL)[0]
    assert re.findall(r"<b>(.*?)</b> <span>(.*?)</span>", card) == [
        ("Read", "25 min"), ("Practise", "40 min"), ("Check yourself", "questions")
    ]  # fmt: skip
    assert 'href="#check-yourself"' in card
    assert 'aria-current="page" data-page="notebooks/ask"' in notebook
    assert re.search(r'class="cc-next" href="\.\./notebooks/ask\.html">Practise: Ask in practice<', chapter)
    assert re.search(r'class="cc-next" href="\.\./book/keep\.html">Step 3: Keep<', notebook)
    assert "cc-card" not in pages("book/words")


def test_the_strip_says_which_step_it_is_and_how_much_each_leaves(pages):
    strip = re.search(r'<nav class="cc-strip.*?</nav>', pages("book/keep"), re.DOTALL)[0]
    assert "Step 3 of 3 · keep" in strip
    assert strip.count('aria-current="step"') == 1
    shares = re.findall(r"--share:([\d.]+);--layers:(linear-gradient\([^;]*\))\"", strip)
    assert [share for share, _ in shares] == ["1.0", "0.75"]
    assert "var(--cc-dimension-1) 0.0% 33.3%,var(--cc-dimension-2) 33.3% 100.0%" in shares[1][1]
    assert "3 steps" in pages("book/words")


def test_the_cover_draws_the_steps_from_the_decision_logs(pages):
    cover = pages("index")
    drawn = re.search(r'<svg class="cc-wide".*?</svg>', cover, re.DOTALL)[0]
    assert re.findall(r'class="cc-total"[^>]*>(\d+)<', drawn) == ["4", "3"]
    assert re.findall(r'class="cc-word"[^>]*>([^<]+)<', drawn) == ["1 think", "2 ask", "3 keep"]
    assert re.findall(r"<title>(\w)</title>", drawn) == ["A", "B"]
    listed = re.search(r'<ol class="cc-narrow">.*?</ol>', cover, re.DOTALL)[0]
    assert re.findall(r'class="cc-sum">(.*?)<', listed) == ["4 items", "3 items"]
    assert re.findall(r'class="cc-start[^"]*" href="([^"]+)">(\w+)', cover) == [
        ("book/think.html", "Begin"), ("book/ask.html", "Go")
    ]  # fmt: skip
    assert "A course in 3 steps · 1 notebooks" not in cover
    assert "A course in 3 steps · 1 notebook<" in cover


def test_items_left_follows_the_logs_and_carries_on_where_one_speaks_of_other_things(tmp_path):
    for name, text in book().items():
        if name.endswith(".csv"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
    (tmp_path / "notebooks/decisions/fit.csv").write_text(LOG + "model: one,keep,r,e\n")
    left = items_left(tmp_path, ["think", "ask", "keep", "fit", "later"])
    assert left == {"ask": {"A": 2, "B": 2}, "keep": {"A": 1, "B": 2}, "fit": {"A": 1, "B": 2}}
    (tmp_path / "notebooks/decisions/keep.csv").write_text(LOG + "a1,drop,r,e\n")
    with pytest.raises(CourseError, match=r"keep\.csv keeps no item"):
        items_left(tmp_path, ["ask", "keep"])
    assert items_left(tmp_path / "nowhere", ["ask"]) == {}


def test_a_term_is_explained_once_in_the_margin_and_once_folded(pages):
    page = pages("book/ask")
    assert page.count("<p><b>pool</b> All items before any is dropped. Second sentence.</p>") == 2
    assert page.count('<div class="cc-notes"') == 1
    assert "<summary>1 note</summary>" in page


def test_the_index_of_the_search_has_sections_and_terms_but_no_code(tmp_path):
    out, _ = small_book.build(tmp_path, book(**{"book/keep.md": "# Keep\n\nProse.\n\n```python\nsecret = 1\n```\n"}))
    text = (out / "_static" / "cocreation" / "search-index.js").read_text("utf-8")
    rows = json.loads(text.removeprefix("window.cocreationSearchIndex=").rstrip(";\n"))
    found = {(page, anchor): (title, above, words) for page, anchor, title, above, words in rows}
    assert found["book/ask", "where-ave-comes-in"][:2] == ("Where AVE comes in", "Ask: which questions")
    assert "价值共创" in found["book/ask", ""][2]
    assert found["book/words", "term-pool"][0] == "pool"
    assert found["book/keep", ""] == ("Keep", "", "Prose.")
    assert "secret" not in text


def test_every_page_names_its_icon_and_what_it_is_about_and_its_width_once(pages):
    page = pages("book/think")
    assert page.count('name="viewport"') == 1
    assert page.count('rel="icon"') == 1
    lead = '<meta name="description" content="First think &amp; then ask, at some length, so that it is a lead." />'
    assert lead in page
    for word in ("fontawesome.js", "bootstrap.js", "searchindex.js", "sphinx-design", "togglebutton", "copybutton"):
        assert word not in page


@pytest.mark.parametrize(
    ("line", "words"),
    [("book/think", "is no button"), ("book/nothing: Begin", "There is no page book/nothing to begin with")],
)
def test_a_button_that_leads_nowhere_is_told(tmp_path, line, words):
    _, told = small_book.build(tmp_path, book(**{"index.md": INDEX.replace("book/think: Begin", line)}))
    assert words in told
