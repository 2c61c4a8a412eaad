"""Figures in pages: part of the page, in its colours, numbered by their step, with the table behind them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import small_book

from cocreation import style
from cocreation.pages import figures
from cocreation.pages.inline_svg import inline
from cocreation.style import palette
from cocreation.style.shown import svg

ROOT = Path(__file__).resolve().parents[2]
STATIC = Path(figures.__file__).parent / "static" / "cocreation"


@pytest.fixture(scope="module")
def drawn() -> str:
    """A figure of the house as the book's own run gives it."""
    import matplotlib as mpl

    with mpl.rc_context():
        style.use()
        _, ax = style.figure(height=300)
        ax.plot([1, 2, 3], [0.25, 0.9, 0.4], "o-", color=style.ACCENT)
        style.threshold(ax, 0.7, "cut-off .70")
        style.behind(ax, pd.DataFrame({"item": ["a", "b & c", "d"], "alpha": [0.25, -0.9, 0.4]}))
        return svg(ax.get_figure())


def _figure(svg_text: str | None, **figure: str):
    return small_book.figure(svg_text, mystnb={"figure": figure, "image": {"alt": 'A "line" & more'}})


class _Page(HTMLParser):
    """Every element of a page: its name and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))

    def all(self, tag: str, of: str = "") -> list[dict[str, str | None]]:
        return [has for name, has in self.found if name == tag and of in ["", *(has.get("class") or "").split()]]


# The drawing ----------------------------------------------------------------------


def test_a_figure_of_a_notebook_is_drawn_by_the_page_with_its_alt_text(build, drawn):
    out, told = build({"index.ipynb": _figure(drawn, caption="It falls.", name="fig-one")})
    text = (out / "index.html").read_text("utf-8")
    (found,) = _Page(text).all("svg", "cc-svg")
    assert told == ""
    assert found["role"] == "img"
    assert found["aria-label"] == 'A "line" & more'
    assert found["viewbox"] == "0 0 489.6 216"
    assert re.search(r"max-width:680px;min-width:\d+px", found["style"])
    assert ">cut-off .70</text>" in text
    assert "<?xml" not in text
    assert "DOCTYPE svg" not in text
    assert "stroke-linejoin: round}" not in text  # matplotlib's style would hold for the page
    assert not list(out.glob("_images/*.svg"))


def test_its_colours_are_those_of_the_page(drawn):
    html = inline(drawn, alt="x", mark="f1-").html
    for name in ("ink", "muted", "paper", "accent"):
        assert f"var(--cc-{name}, {style.TOKENS[name]})" in html
    bare = re.sub(r"var\([^)]*\)", "", html)
    assert not [colour for colour in style.TOKENS.values() if colour in bare]


def test_its_type_is_that_of_the_page_and_its_smallest_text_can_be_read(drawn):
    found = inline(drawn, alt="x", mark="f1-")
    assert "font-family" not in found.html
    assert "Source Sans" not in found.html
    assert found.width == 680
    # nine points of a figure that is 489.6 points wide are nine pixels where it is 489.6 pixels wide
    assert found.least == pytest.approx(489.6)


@pytest.mark.parametrize(
    ("style_of_text", "size"),
    [("font-size: 12px; font-family: 'A'", 12), ("font: 700 8px 'A', 'B'", 8), ("font: 10px 'A'", 10)],
)
def test_the_size_of_text_is_found_as_any_matplotlib_writes_it(style_of_text, size):
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 200"><text style="{style_of_text}">a</text></svg>'
    found = inline(text, alt="x", mark="m-", width=1000)
    assert found.least == 400 * 9 / size
    assert f"font-size:{size}px" in found.html
    assert ("font-weight:700" in found.html) == ("700" in style_of_text)


def test_two_figures_of_a_page_share_no_identifier(build, drawn):
    files = {"index.md": "# Book\n\n```{toctree}\na\n```\n", "a.ipynb": _figure(drawn, caption="One.", name="fig-one")}
    again = small_book.figure(drawn, mystnb={"image": {"alt": "again"}})
    files["a.ipynb"].cells.append(again.cells[1])
    out, _ = build(files)
    page = _Page((out / "a.html").read_text("utf-8"))
    names = [has["id"] for _, has in page.found if "id" in has]
    assert len(page.all("svg", "cc-svg")) == 2
    assert len(names) == len(set(names))
    pointed = {has["href"] for has in page.all("use")}
    assert pointed
    assert pointed <= {f"#{name}" for name in names}


def test_a_file_that_is_no_svg_is_told_and_shown_as_it_is(build):
    text = "# Book\n\n```{figure} a.svg\n:alt: nothing\n\nA caption.\n```\n"
    out, told = build({"index.md": text, "a.svg": "<svg"})
    assert "a.svg cannot be put into the page: this is no SVG" in told
    assert 'alt="nothing"' in (out / "index.html").read_text("utf-8")


@pytest.mark.parametrize("text", ["<g/>", "<svg/>", '<svg width="3cm" height="2cm"/>'])
def test_what_has_no_size_in_points_or_pixels_is_refused(text):
    with pytest.raises(ValueError, match=r"no SVG|no number of points or pixels"):
        inline(text, alt="x", mark="m-")


@pytest.mark.parametrize("path", sorted((ROOT / "book" / "static").glob("*.svg")), ids=lambda path: path.stem)
def test_the_books_own_drawings_have_no_colour_but_those_of_the_house(path):
    html = inline(path.read_text("utf-8"), alt="x", mark="m-").html
    assert re.findall(r"#[0-9a-f]{6}\b", re.sub(r"var\([^)]*\)", "", html)) == []
    assert "<title" not in html  # would be a tooltip, and say what the alt text says


def test_without_an_svg_the_png_is_shown(build):
    out, told = build({"index.ipynb": _figure(None, caption="One.", name="fig-one")})
    page = _Page((out / "index.html").read_text("utf-8"))
    assert told == ""
    assert page.all("svg", "cc-svg") == []
    # the sign beside the book's title says nothing and has an empty one
    assert [has["alt"] for has in page.all("img") if has["alt"]] == ['A "line" & more']
    assert len(page.all("button", "cc-enlarge")) == 1


def test_a_picture_within_a_line_is_left_alone(build):
    dot = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'
    out, _ = build({"index.md": "# Book\n\nA ![dot](a.svg) in a line.\n", "a.svg": dot})
    text = (out / "index.html").read_text("utf-8")
    assert "cc-figure" not in text
    assert "figures.js" not in text


# The buttons and the table --------------------------------------------------------


def test_the_table_behind_it_folds_out_below(build, drawn):
    out, _ = build({"index.ipynb": _figure(drawn, caption="One.", name="fig-one")})
    text = (out / "index.html").read_text("utf-8")
    table = re.search(r'<details class="cc-data">.*?</details>', text, re.DOTALL)[0]
    assert re.findall(r"<th [^>]*>(.*?)</th>", table) == ["Item", "α"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", table) == ["a", ".250", "b &amp; c", "−.900", "d", ".400"]
    assert '<span class="cc-unseen"> of Figure 1</span>' in table


def test_a_drawing_without_a_table_has_no_such_button(build):
    text = "# Book\n\n```{figure} a.svg\n:alt: nothing\n:width: 5px\n\nA caption.\n```\n"
    dot = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'
    out, told = build({"index.md": text, "a.svg": dot})
    page = _Page((out / "index.html").read_text("utf-8"))
    assert told == ""
    assert page.all("details", "cc-data") == []
    assert page.all("button", "cc-enlarge")[0]["data-name"] == "Figure 1"
    assert page.all("svg", "cc-svg")[0]["style"].startswith("max-width:5px")


def test_only_pages_with_figures_load_what_figures_need(build, drawn):
    files = {"index.md": "# Book\n\n```{toctree}\na\n```\n", "a.ipynb": _figure(drawn)}
    out, _ = build(files)
    for name, times in (("index", 0), ("a", 1)):
        text = (out / f"{name}.html").read_text("utf-8")
        for asset in ("figures.js", "figures.css"):
            assert text.count(f"_static/cocreation/{asset}") == times


# Numbers --------------------------------------------------------------------------


def test_figures_are_numbered_through_a_step_its_notebook_included(build, drawn):
    dot = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'
    still = "```{figure} dot.svg\n:name: fig-NAME\n:alt: a dot\n\nA caption.\n```\n"
    files = {
        "dot.svg": dot,
        "index.md": "# Book\n\n```{toctree}\n:numbered: 1\nfirst\nsecond\n```\n\n```{toctree}\nlast\n```\n",
        "first.md": f"# First\n\n## Part\n\n{still.replace('NAME', 'a')}\nSee {{numref}}`fig-c`.\n",
        "second.md": f"# Second\n\n{still.replace('NAME', 'b')}\n```{{toctree}}\nnotebook\n```\n",
        "notebook.ipynb": _figure(drawn, caption="Of the notebook.", name="fig-c"),
        "last.md": f"# Last\n\n{still.replace('NAME', 'd')}",
    }
    files["notebook.ipynb"].cells[0].source = "# Practice\n\n## Part\n\n{numref}`fig-b`"
    out, told = build(files)
    assert told == ""
    pages = {name: (out / f"{name}.html").read_text("utf-8") for name in ("first", "second", "notebook", "last")}
    numbers = {name: re.findall(r'caption-number">(.*?) <', text) for name, text in pages.items()}
    assert numbers == {
        "first": ["Figure 1.1"],
        "second": ["Figure 2.1"],
        "notebook": ["Figure 2.2"],
        "last": ["Figure 1"],
    }
    assert '<span class="std std-numref">Figure 2.2</span>' in pages["first"]
    assert '<span class="std std-numref">Figure 2.1</span>' in pages["notebook"]
    assert '<span class="section-number">1. </span>First' in pages["first"]
    assert "section-number" not in re.search(r"<h1>Practice.*?</h1>", pages["notebook"], re.DOTALL)[0]


def test_the_steps_are_numbered_in_the_table_of_contents_as_on_the_start_page():
    import yaml

    parts = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))["parts"]
    numbered = [each["file"] for part in parts if part.get("numbered") for each in part["chapters"]]
    rows = re.findall(r"^\| (\d+)\s\[\w+\]\((book/\w+)\.md\)", (ROOT / "index.md").read_text("utf-8"), re.MULTILINE)
    assert [(str(number), name) for number, name in enumerate(numbered, start=1)] == rows
    assert all(part["numbered"] == 1 for part in parts if "numbered" in part)


# Style sheet ----------------------------------------------------------------------


@pytest.mark.parametrize(("selector", "colours"), [("html", palette.TOKENS), ('html[data-theme="dark"]', palette.DARK)])
def test_the_style_sheet_has_the_colours_of_the_palette(selector, colours):
    rules = re.search(
        rf":where\({re.escape(selector)}\) {{(.*?)}}", (STATIC / "figures.css").read_text("utf-8"), re.DOTALL
    )
    assert dict(re.findall(r"--cc-([\w-]+): (#\w+)", rules[1])) == colours


def test_the_same_figure_gives_the_same_page(build, drawn):
    files = {"index.ipynb": _figure(drawn, caption="One.", name="fig-one")}
    one, other = (build(files, to=folder)[0] / "index.html" for folder in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
