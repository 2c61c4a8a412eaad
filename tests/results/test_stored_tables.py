"""The tables that the notebooks store are tables of the house, every one of them."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXERCISES = sorted((ROOT / "exercises").glob("*.ipynb"))


def cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def outputs(path: Path) -> list[str]:
    found = [output.get("data", {}) for cell in cells(path) for output in cell.get("outputs", [])]
    return ["".join(data["text/html"]) for data in found if "<table" in "".join(data.get("text/html", ""))]


def texts(html: str, part: str, tag: str) -> list[str]:
    """What stands in the cells of a part of the tables."""
    parts = re.findall(rf"<{part}>(.*?)</{part}>", html, re.DOTALL)
    found = [text for each in parts for text in re.findall(rf"<{tag}(?: [^>]*)?>(.*?)</{tag}>", each, re.DOTALL)]
    return [unescape(re.sub(r"<[^>]+>", "", text)).strip() for text in found]


def captions(cell: dict) -> list[dict]:
    told = cell["metadata"].get("cocreation", {}).get("table", [])
    return told if isinstance(told, list) else [told]


@pytest.mark.parametrize("path", [*NOTEBOOKS, *EXERCISES], ids=lambda path: f"{path.parent.name}/{path.stem}")
class TestStored:
    """Every notebook that is kept with its outputs."""

    def test_every_table_is_one_of_the_house(self, path):
        for html in outputs(path):
            assert html.count('<div class="apa"') == html.count("<table") == html.count("</div>")
            assert "dataframe" not in html
            assert "<style" not in html

    def test_no_head_is_a_name_of_the_code(self, path):
        heads = [head for html in outputs(path) for head in texts(html, "thead", "th")]
        assert "_" not in "".join(heads)
        assert all(heads)

    def test_there_is_one_row_of_heads_below_at_most_one_of_spanners(self, path):
        for html in outputs(path):
            for head in re.findall(r"<thead>(.*?)</thead>", html, re.DOTALL):
                above, *below = re.findall(r"<tr>(.*?)</tr>", head, re.DOTALL)
                assert len(below) <= 1
                assert not below or 'scope="colgroup"' in above
                assert below or 'scope="colgroup"' not in above

    def test_figures_are_written_as_apa_has_them(self, path):
        for html in outputs(path):
            for cell in [*texts(html, "tbody", "td"), *texts(html, "tbody", "th")]:
                assert cell not in ("NaN", "nan", "None", "NaT", "<NA>")
                assert not re.match(r"-\.?\d", cell)
                assert not re.fullmatch(r"−(0|0?\.0+)", cell)

    def test_degrees_of_freedom_are_whole_and_no_probability_is_zero(self, path):
        for html in outputs(path):
            for table in re.findall(r"<table.*?</table>", html, re.DOTALL):
                *_, heads = [""], *rows_of(table, "thead")
                for row in rows_of(table, "tbody"):
                    for head, cell in zip(heads, row, strict=False):
                        assert head not in ("df", "Δdf", "n") or "." not in cell
                        assert head != "p" or not re.fullmatch(r"0?\.?0+", cell)


def rows_of(table: str, part: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", "".join(re.findall(rf"<{part}>(.*?)</{part}>", table, re.DOTALL)), re.DOTALL)
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_table_of_the_book_says_what_it_shows(path):
    """In its metadata, for every table of the cell that has one, or as the title of a result's."""
    for cell in cells(path):
        html = "".join("".join(output.get("data", {}).get("text/html", "")) for output in cell.get("outputs", []))
        entries = captions(cell)
        assert len(entries) == html.count("<table") or (not entries and html.count("<table") == html.count("<caption"))
        for entry in entries:
            assert set(entry) == {"caption", "name"}
            assert entry["name"].startswith(f"tab-{path.stem}-")
            assert 10 < len(entry["caption"]) < 140
            assert not entry["caption"].endswith(".")


def test_names_of_tables_are_given_once_and_what_is_cited_is_there():
    entries = [entry["name"] for path in NOTEBOOKS for cell in cells(path) for entry in captions(cell)]
    assert len(entries) >= 100
    assert len(entries) == len(set(entries))
    prose = "".join("".join(cell["source"]) for path in NOTEBOOKS for cell in cells(path))
    cited = set(re.findall(r"\{numref\}`(tab-[\w-]+)`", prose))
    assert len(cited) >= 60
    assert cited <= set(entries)
