"""What a result shows is what its fields hold, in APA style, and the same in every format."""

from __future__ import annotations

import doctest
import hashlib
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest
from modules import modules

from cocreation.errors import InputError
from cocreation.results import latex
from cocreation.results.heads import ABBREVIATIONS, BOUNDED, COUNTS, HEADS
from cocreation.results.result import Result
from cocreation.results.table import number_text, plain
from cocreation.steps import purify
from cocreation.survey import sample

FORMATS = {
    "terminal": repr,
    "notebook": Result._repr_html_,
    "markdown": Result.to_markdown,
    "latex": Result.to_latex,
}
every_format = pytest.mark.parametrize("show", FORMATS.values(), ids=list(FORMATS))


@dataclass(frozen=True, repr=False)
class Sample(Result):
    p: float
    table: pd.DataFrame
    note: str = "Computed <by hand>."

    title = "A sample"


@pytest.fixture
def small():
    long = "item DO03 goes with its own dimension and with another at once"
    return Sample(1e-12, pd.DataFrame({"p": [np.nan, 4e-4, 0.0312], "x": [1.0, np.nan, -1e-9], "evidence": long}))


@cache
def results() -> tuple[Result, ...]:
    """Every result that an example of the steps has a name for, and the first of each other kind that is made there."""
    found, made, rooms = [], {}, list(modules())

    def noting(kind: type[Result]) -> Callable[..., None]:
        begin = kind.__init__

        def begun(self: Result, *fields: object, **named: object) -> None:
            begin(self, *fields, **named)
            made.setdefault(type(self), self)

        return begun

    with pytest.MonkeyPatch.context() as patch:
        for kind in kinds():
            patch.setattr(kind, "__init__", noting(kind))
        for module in rooms:
            for test in doctest.DocTestFinder().find(module):
                if test.examples:
                    doctest.DocTestRunner(verbose=False).run(test, out=lambda _: None, clear_globs=False)
                    for value in test.globs.values():
                        found += [each for each in (value if isinstance(value, tuple) else (value,))
                                  if isinstance(each, Result)]  # fmt: skip
    return (*found, *(first for kind, first in made.items() if kind not in {type(each) for each in found}))


def kinds(of: type[Result] = Result) -> set[type[Result]]:
    """Every kind of result that the library has."""
    ours = {each for each in of.__subclasses__() if each.__module__.startswith("cocreation.")}
    return ours.union(*map(kinds, ours))


def cells_of(result: Result) -> list[list[list[str]]]:
    """The model: tables, rows, cells."""
    return [[list(row) for row in table.rows] for table in result._apa(1)]


def test_the_examples_make_results_of_every_kind():
    """A room whose examples are not found would leave its results without a trial, and green."""
    assert len(results()) >= 44
    assert len(kinds()) >= 39
    assert kinds() - {type(result) for result in results()} == set()


@every_format
def test_a_p_value_is_never_shown_as_zero(small, show):
    shown = html.unescape(show(small)).replace("$<$", "<").replace("\\<", "<").replace("\xa0", " ")
    assert shown.count("< .001") == 2
    assert ".031" in shown
    assert "0.031" not in shown
    assert "nan" not in shown.lower()


@every_format
def test_evidence_is_shown_to_its_end_and_zero_without_a_sign(small, show):
    assert "with another at once" in show(small).replace("\n", " ")
    assert not re.search(r"[-−]\$?0\.000", show(small))


def test_a_note_cannot_break_the_page(small):
    assert "Computed &lt;by hand&gt;." in small._repr_html_()


def test_a_column_p_of_words_is_left_alone():
    words = Sample(0.5, pd.DataFrame({"p": ["left", "right"]}))
    assert "right" in repr(words)
    assert ".500" in repr(words)


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (0.95612, "cfi", ".956"), (1.048, "tli", "1.048"), (-0.31, "r", "−.310"), (0.31, "estimate", "0.310"),
        (1.0, "std", "1.000"), (0.0004, "p", "< .001"), (0.0005, "p", ".001"), (0.9999, "p", "1.000"),
        (179.0, "df", "179"), (17.4, "df", "17.400"), (486, "n", "486"), (np.int64(-3), "delta_df", "−3"),
        (True, "passed", "yes"), (np.bool_(False), "passed", "no"), (None, "z", ""), (np.nan, "z", ""),
        (pd.NA, "df", ""), (np.inf, "z", "∞"), (-0.0001, "cfi", ".000"), ("often", "cfi", "often"),
        (["a", "b"], "kept", "a, b"),
    ],
)  # fmt: skip
def test_figures_are_written_as_apa_has_them(value, name, text):
    assert number_text(value, name, 3) == text


def test_limits_of_an_interval_follow_the_figure_they_belong_to():
    bounded = Sample(0.1, pd.DataFrame({"alpha": [0.9], "lower": [0.8], "upper": [0.95]}))
    free = Sample(0.1, pd.DataFrame({"estimate": [0.9], "se": [0.1], "z": [9.0], "p": [0.0], "lower": [0.8]}))
    assert cells_of(bounded)[1] == [[".900", ".800", ".950"]]
    assert cells_of(free)[1] == [["0.900", "0.100", "9.000", "< .001", "0.800"]]


def test_a_matrix_of_correlations_has_no_zeros_before_the_point_and_one_of_covariances_has():
    names = ["a", "b"]
    correlations = pd.DataFrame([[1.0, 0.4], [0.4, 1.0]], names, names)
    assert cells_of(Sample(0.1, correlations))[1][0] == ["a", "1.000", ".400"]
    assert cells_of(Sample(0.1, correlations * 2))[1][0] == ["a", "2.000", "0.800"]


@pytest.mark.slow
def test_every_format_shows_the_same_cells():
    """Heads and cells, read back out of each format, are those of the model."""
    for result in results():
        model = cells_of(result)
        assert model
        assert from_html(result._repr_html_()) == model
        assert from_markdown(result.to_markdown()) == model
        assert from_latex(result.to_latex()) == [[[cell.replace("’", "'") for cell in row] for row in table]
                                                 for table in model]  # fmt: skip


def from_html(text: str) -> list[list[list[str]]]:
    found = []
    for body in re.findall(r"<tbody>(.*?)</tbody>", text, re.DOTALL):
        rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
        found.append([[html_cell(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)]
                      for row in rows])  # fmt: skip
    return found


def html_cell(cell: str) -> str:
    """The cell without the mark of a decision and the spaces that put points below each other."""
    words = re.sub(r'<span aria-hidden="true">.</span> ', "", cell)
    return html.unescape(words).rstrip("\u2007\u2008").replace("\xa0", " ")


def from_markdown(text: str) -> list[list[list[str]]]:
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [re.split(r"(?<!\\) ?\| ?", line.strip())[1:-1] for line in block.splitlines()[2:]]
        found.append([[re.sub(r"\\(.)", r"\1", cell.strip()) for cell in row] for row in rows])
    return found


def from_latex(text: str) -> list[list[list[str]]]:
    found = []
    for body in re.findall(r"\\midrule\n(.*?)\\bottomrule", text, re.DOTALL):
        rows = [line.removesuffix(r" \\") for line in body.splitlines()]
        found.append([[unlatex(cell) for cell in re.split(r"(?<!\\) ?& ?", row.removeprefix("{}"))] for row in rows])
    return found


def unlatex(cell: str) -> str:
    """Undo the escapes, one at a time from the left; neighbouring formulas were joined to one."""
    table = {escape: character for character, escape in latex._SPECIAL.items() if character not in '"„’\n'}
    table |= {rf"$\{name}$": character for character, name in latex._GREEK.items()}
    cell = re.sub(r"(?<!\\)\$[^$]+\$", lambda found: apart(found.group(), table), cell)
    return "".join(pieces(cell, table)).strip()


def apart(formula: str, table: dict[str, str]) -> str:
    inner = {escape[1:-1]: f"{escape}" for escape in table if escape.startswith("$")}
    return "".join(pieces(formula[1:-1], inner))


def pieces(text: str, table: dict[str, str]) -> list[str]:
    found, escapes = [], sorted(table, key=len, reverse=True)
    while text:
        escape = next((escape for escape in escapes if text.startswith(escape)), text[0])
        found.append(table.get(escape, escape))
        text = text[len(escape) :]
    return found


@pytest.mark.slow
def test_word_opens_the_document_and_finds_the_same_cells_between_three_rules(tmp_path):
    import docx
    from docx.oxml.ns import qn

    for number, result in enumerate(results()):
        document = docx.Document(result.to_docx(tmp_path / f"{number}.docx", first=3))
        for position, (table, model) in enumerate(zip(document.tables, result._apa(3), strict=True)):
            heads = 2 if model.spanners else 1
            assert [[cell.text for cell in row.cells] for row in table.rows][heads:] == [
                list(row) for row in model.rows
            ]
            assert [cell.text for cell in table.rows[heads - 1].cells] == [
                plain(column.head) for column in model.columns
            ]
            rules = {(row, edge.tag.split("}")[1]) for row in range(len(table.rows)) for cell in table.rows[row].cells
                     for borders in cell._tc.iter(qn("w:tcBorders")) for edge in borders}  # fmt: skip
            spanner = {(0, "bottom")} if heads == 2 else set()
            assert rules - spanner == {(0, "top"), (heads - 1, "bottom"), (len(table.rows) - 1, "bottom")}
            assert f"Table {position + 3}" in [paragraph.text for paragraph in document.paragraphs]
        said = [paragraph.text for paragraph in document.paragraphs if paragraph.text.startswith("Note.")]
        assert said[0].startswith(f"Note. {result.note}")


def test_the_same_result_is_the_same_document_to_the_byte(tmp_path, monkeypatch):
    import time
    import zipfile

    result = results()[0]
    first = result.to_docx(tmp_path / "a.docx").read_bytes()
    monkeypatch.setattr(time, "localtime", lambda *_: time.struct_time((2031, 5, 6, 7, 8, 9, 0, 1, 0)))
    second = result.to_docx(tmp_path / "b.docx").read_bytes()
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    with zipfile.ZipFile(tmp_path / "b.docx") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {2020}
        assert b"2020-01-01" in archive.read("docProps/core.xml")


def test_a_document_of_another_kind_or_in_no_folder_is_refused(small, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.docx.*Write 'tables\.docx'"):
        small.to_docx(tmp_path / "tables.pdf")
    with pytest.raises(InputError, match="Cannot write"):
        small.to_docx(tmp_path / "no" / "tables.docx")
    with pytest.raises(InputError, match=r"path is the name of a file, not None\. Write 'tables\.docx'"):
        small.to_docx(None)
    with pytest.raises(InputError, match="first is the number"):
        small.to_markdown(first=0)


def test_tables_are_numbered_and_only_the_first_repeats_the_whole_note():
    found = purify.alpha(sample.draw(300, seed=1, items=["DO01", "DO02", "DO05"]))
    shown = found.to_markdown(first=4)
    assert re.findall(r"\*\*Table (\d+)\*\*", shown) == ["4", "5"]
    assert shown.count(found.note) == 1
    assert "See the note of Table 4. CITC = corrected item–total correlation." in shown


def test_latex_leaves_no_special_character_and_no_letter_that_plain_latex_cannot_read():
    """pdflatex is no part of the course; the rules it would complain of are tested instead."""
    nasty = r"50 % of A&B_C #1 {x} \ ~ ^ $ < > | " + '"q" “r” – — … √ α χ² Δ × ≥ −.3 é ü Ł ß ñ č ő'
    result = Sample(0.2, pd.DataFrame({nasty: [nasty], "[a": ["[b"]}), nasty)
    text = result.to_latex()
    assert text.isascii()
    body = re.sub(r"^%.*$", "", text, flags=re.MULTILINE)
    bare = re.sub(r"\\(textbackslash|textasciitilde|textasciicircum)\{\}|\\[\\{}$&#%_~^]", "", body)
    assert not re.search(r"[#%]", bare)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    outside = re.sub(r"\$[^$]*\$", "", bare)
    assert not re.search(r"[_^<>|]", outside)
    for row in re.findall(r"^(?!\\).* \\\\$", text, re.MULTILINE):
        assert not row.startswith("[")


def test_latex_rows_have_as_many_cells_as_the_table_has_columns():
    for result in results():
        for model, text in zip(result._apa(1), map(latex.to_latex, result._apa(1)), strict=True):
            kinds = re.search(r"\\begin\{tabular\}\{@\{\}(.*)@\{\}\}", text).group(1)
            assert len(re.sub(r"p\{[^}]*\}", "p", kinds)) == len(model.columns)
            for line in text[text.index(r"\toprule") : text.index(r"\bottomrule")].splitlines():
                if line.endswith(r"\\"):
                    spans = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line))
                    assert len(re.split(r"(?<!\\)&", line)) + spans == len(model.columns), line
            assert text.count(r"\begin{") == text.count(r"\end{")


def test_what_stands_in_cells_cannot_make_markup():
    evil = "a|b *c* _d_ <i>e</i> `f` [g](h)"
    result = Sample(0.2, pd.DataFrame({evil: [evil, evil]}))
    assert from_markdown(result.to_markdown())[1] == [[evil], [evil]]
    assert "<i>e" not in result._repr_html_()
    assert cells_of(result)[1] == [[evil], [evil]]


def test_statistics_are_italic_and_greek_letters_upright():
    shown = Sample(0.2, pd.DataFrame({"chi2": [3.2], "sd": [1.0], "df": [2]}))
    assert "<i>SD</i>" in shown._repr_html_()
    assert "<i>df</i>" in shown._repr_html_()
    assert "<i>χ" not in shown._repr_html_()
    assert r"$\chi^{2}$" in shown.to_latex()
    assert "| χ² | *SD* | *df* |" in shown.to_markdown()


def test_neighbours_share_their_spanner():
    shown = Sample(0.2, pd.DataFrame({"rmsea": [0.05], "rmsea_lower": [0.04], "rmsea_upper": [0.06]}))
    assert re.search(r'colspan="2"[^>]*>90% CI of RMSEA</th>', shown._repr_html_())
    assert r"\multicolumn{2}{c}{90\% CI of RMSEA}" in shown.to_latex()
    assert "90% CI of RMSEA: *UL*" in shown.to_markdown()


def test_columns_of_two_levels_make_spanners():
    frame = pd.DataFrame([[1.5, 2.5]], columns=pd.MultiIndex.from_tuples([("men", "mean"), ("women", "mean")]))
    assert [plain(text) for text, _, _ in Sample(0.2, frame)._apa(1)[1].spanners] == ["men", "women"]


def test_a_row_of_many_figures_is_turned_and_a_wide_table_too():
    many = Sample(0.2, pd.DataFrame([{f"F{i}": 0.5 for i in range(12)}]))
    assert [len(row) for row in cells_of(many)[1]] == [2] * 12
    wide = Sample(0.2, pd.DataFrame({f"measure number {i}": [0.5, 0.4] for i in range(12)}))
    assert r"\begin{sidewaystable}" in wide.to_latex()


def test_a_wide_table_makes_the_word_document_landscape(tmp_path):
    import docx

    wide = Sample(0.2, pd.DataFrame({f"measure number {i}": [0.5, 0.4] for i in range(12)}))
    section = docx.Document(wide.to_docx(tmp_path / "wide.docx")).sections[0]
    assert section.page_width > section.page_height


def test_no_head_is_a_name_of_the_code():
    for result in results():
        for table in result._apa(1):
            for column in table.columns:
                assert "_" not in plain(column.head), (type(result).__name__, plain(column.head))


def test_the_dictionary_of_heads_is_consistent():
    assert set(ABBREVIATIONS) <= set(HEADS)
    assert not BOUNDED & COUNTS
    for name, head in HEADS.items():
        assert head.count("*") % 2 == 0, name
        assert head.count("|") <= 1, name
