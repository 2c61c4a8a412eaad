"""Any DataFrame a student may display comes out as a table of the house, and no figure says what is not so."""

from __future__ import annotations

import datetime
import decimal
import fractions
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cocreation.results import formats
from cocreation.results.display import bundle
from cocreation.results.frames import displayed
from cocreation.results.names import head_of
from cocreation.results.table import plain
from cocreation.results.values import Figures, text_of


def cells(frame: pd.DataFrame | pd.Series) -> list[list[str]]:
    return [list(row) for row in displayed(frame).rows]


def heads(frame: pd.DataFrame | pd.Series) -> list[str]:
    return [plain(column.head) for column in displayed(frame).columns]


# Heads ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "head"),
    [
        ("df", "df"), ("chi2", "χ²"), ("citc", "CITC"), ("percent_agreed", "Percent agreed"), ("recoded", "Recoded"),
        ("random_p95 by hand", "Random data 95th percentile by hand"), ("icc_a1, moved", "ICC(A,1), moved"),
        ("with the sum of all", "With the sum of all"), ("DO01", "DO01"), ("x1", "x1"), ("q1_2", "q1_2"), (3, "3"),
        (None, ""), (True, "yes"), (0.5, "0.5"), ("CITC at first", "CITC at first"),
        ("expected chi2", "Expected χ²"), ("lavaan, N", "lavaan, N"),
        ("critical c_sv", "Critical csv"), ("alphas_possible", "Alphas possible"), ("AMOS, N − 1", "AMOS, N − 1"),
    ],
)  # fmt: skip
def test_a_head_is_the_measures_own_or_words(label, head):
    assert heads(pd.DataFrame([[1.5]], columns=pd.Index([label], dtype=object), index=["row"])) == ["", head]


def test_the_name_in_the_code_is_told_where_the_head_is_another():
    shown = bundle(pd.DataFrame({"std": [0.9], "item": ["DO01"]}))["text/html"]
    assert '<th scope="col" title="std">Standardized</th>' in shown
    assert ">Item</th>" in shown
    assert 'title="item"' not in shown


def test_names_of_the_index_stand_over_its_columns_in_the_one_row_of_heads():
    index = pd.MultiIndex.from_tuples([("DO", "DO01"), ("DO", "DO02"), ("CE", "CE01")], names=["dimension", "item"])
    frame = pd.DataFrame({"citc": [0.8, 0.7, 0.6]}, index=index)
    assert heads(frame) == ["Dimension", "Item", "CITC"]
    assert cells(frame) == [["DO", "DO01", ".8"], ["", "DO02", ".7"], ["CE", "CE01", ".6"]]
    assert bundle(frame)["text/html"].count("<tr>") == 4


def test_a_group_that_returns_is_named_again():
    index = pd.MultiIndex.from_tuples([("a", "x"), ("b", "x"), ("b", "y"), ("a", "y")])
    assert [row[:2] for row in cells(pd.DataFrame({"n": range(4)}, index))] == [
        ["a", "x"], ["b", "x"], ["", "y"], ["a", "y"],
    ]  # fmt: skip


def test_the_name_of_the_columns_spans_them():
    frame = pd.crosstab(pd.Series([True, False], name="straight_line"), pd.Series([True, False], name="trap_failed"))
    table = displayed(frame)
    assert [(plain(text), first, width) for text, first, width in table.spanners] == [("", 0, 1), ("Trap failed", 1, 2)]
    assert heads(frame) == ["Straight line", "no", "yes"]


def test_measures_are_not_called_measures():
    frame = pd.DataFrame({"value": [85.306, 0.931]}, index=pd.Index(["chi2", "cfi"], name="measure")).T
    assert displayed(frame).spanners == []
    assert (heads(frame), cells(frame)) == (["", "χ²", "CFI"], [["value", "85.306", ".931"]])


def test_columns_of_several_levels_have_spanners_and_their_names_in_the_note():
    columns = pd.MultiIndex.from_product([["first", "second"], ["mean", "sd"]], names=["survey", "figure"])
    table = displayed(pd.DataFrame([[4.5, 1.2, 4.6, 1.1]], columns=columns))
    assert [plain(text) for text, _, _ in table.spanners] == ["First", "Second"]
    assert [plain(column.head) for column in table.columns] == ["M", "SD", "M", "SD"]
    assert plain(table.note) == "Note. Columns: Survey, Figure."


def test_a_spanner_over_one_column_is_part_of_its_head():
    frame = pd.DataFrame({"percent_of_distributed": [95.96], "lower": [0.7], "upper": [0.8]})
    assert heads(frame) == ["Percent of distributed", "LL", "UL"]
    assert [plain(text) for text, _, _ in displayed(frame).spanners] == ["", "CI"]


def test_rows_that_are_measures_are_named_and_written_as_such():
    frame = pd.DataFrame({"lavaan, N": [647.036, 179.0, 0.0, 0.073]}, index=["chi2", "df", "p", "rmsea"])
    assert cells(frame.where(frame < 1, 0.001).iloc[[0, 3]]) == [["χ²", "0.001"], ["RMSEA", ".073"]]
    assert cells(frame.rename_axis("measure")) == [
        ["χ²", "647.036"], ["df", "179"], ["p", "< .001"], ["RMSEA", ".073"],
    ]  # fmt: skip


def test_rows_of_which_half_are_measures_are_named_as_words():
    frame = pd.DataFrame({"reading": ["1", "2", "yes"]}, index=["chi2", "least_baseline_chi2", "baseline_chi2"])
    assert [row[0] for row in cells(frame)] == ["χ²", "Least baseline χ²", "Baseline χ²"]
    assert [row[0] for row in cells(frame.set_axis(["n", "E with N", "q_1"]))] == ["n", "E with N", "q_1"]


# Figures -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        # as many decimals as they were rounded to, three where they were not
        ({"citc": [0.819, -0.448]}, [".819", "−.448"]),
        ({"by hand": [0.819, -0.448]}, [".819", "−.448"]),
        ({"mean": [4.5, 0.25, 4.0, 4.1, 4.3]}, ["4.50", "0.25", "4.00", "4.10", "4.30"]),
        ({"share": [1 / 3, 2 / 3]}, [".333", ".667"]),
        ({"std": [0.77190, 0.77141]}, [".77190", ".77141"]),
        # whole numbers whole, and of one column as of another
        ({"df": [179.0, np.nan]}, ["179", ""]),
        ({"answers": [6.0, np.nan, 5.0]}, ["6", "", "5"]),
        ({"estimate": [1.0, 0.967]}, ["1.000", "0.967"]),
        # the zero before the point, the same down the column
        ({"difference": [0.5, 1.25]}, ["0.50", "1.25"]),
        ({"d": [0.375, 0.274]}, ["0.375", "0.274"]),
        ({"observed": [0.459, 0.779]}, [".459", ".779"]),
        ({"cfi": [0.956, 1.0]}, [".956", "1.000"]),
        # nothing that is not zero is zero
        ({"p": [0.0, 1e-9, 0.0312]}, ["< .001", "< .001", ".031"]),
        ({"p": [0.0, 0.0]}, ["< .001", "< .001"]),
        ({"p": [0.0, 0.04, 0.12, 0.31, 0.55]}, ["< .01", ".04", ".12", ".31", ".55"]),
        ({"by hand": [1e-5, -1e-5, 1 / 3]}, ["< .001", "> −.001", ".333"]),
        ({"by hand": [0.00012345, 0.0001]}, [".00012", ".00010"]),
        ({"by hand": [1.2345e-7, 0.0]}, ["1.2e−07", "0"]),
        # what computing leaves of zero is zero
        ({"by hand": [5.6e-17, 1 / 3]}, [".000", ".333"]),
        ({"by hand": [-0.0, 1 / 3]}, [".000", ".333"]),
        # very large, and no number at all
        ({"by hand": [1e20, np.inf, -np.inf]}, ["1.0e+20", "∞", "−∞"]),
        ({"id": [12345678901234567, -5]}, ["12345678901234567", "−5"]),
        ({"id": [10**5000, 1]}, ["1.0e+5000", "1"]),
        ({"answer": np.array([0.1, 0.25], dtype="float32")}, [".10", ".25"]),
    ],
)  # fmt: skip
def test_figures_of_a_column_are_written_in_one_style(column, shown):
    assert [row[0] for row in cells(pd.DataFrame(column))] == shown


def test_the_zero_is_kept_where_a_figure_of_the_same_size_exceeds_one():
    assert cells(pd.DataFrame({"men": [0.85, 0.9], "women": [1.25, 0.7]}))[0] == ["0.85", "1.25"]
    assert cells(pd.DataFrame({"mean loading": [0.851], "% of variance": [83.952]})) == [[".851", "83.952"]]
    assert cells(pd.DataFrame({"d": [0.375], "truth": [0.25]})) == [["0.375", "0.250"]]
    assert cells(pd.DataFrame({"std": [0.947], "truth": [0.25]})) == [[".947", ".250"]]


def test_zeros_among_rounded_figures_are_as_long_as_they():
    assert cells(pd.DataFrame({"chi2": [85.306], "largest change": [0.0]})) == [["85.306", ".000"]]


def test_a_table_that_was_rounded_keeps_its_decimals_where_they_are_zeros():
    frame = pd.DataFrame({"alpha": [0.86, 0.87], "ave": [0.786, 0.797]})
    assert cells(frame) == [[".860", ".786"], [".870", ".797"]]


def test_limits_follow_the_figure_they_belong_to():
    frame = pd.DataFrame({"citc": [0.449], "decision": ["drop"], "lower": [0.327], "upper": [0.557]})
    assert cells(frame) == [[".449", "drop", ".327", ".557"]]
    frame = pd.DataFrame({"estimate": [0.449], "lower": [0.327], "upper": [0.557]})
    assert cells(frame) == [["0.449", "0.327", "0.557"]]


def test_a_matrix_of_correlations_and_one_of_covariances():
    names = pd.Index(["mean", "x2"])
    assert cells(pd.DataFrame([[1.0, 0.4], [0.4, 1.0]], names, names)) == [["mean", "1.0", ".4"], ["x2", ".4", "1.0"]]
    assert cells(pd.DataFrame([[2.0, 0.4], [0.4, 1.0]], names, names))[0] == ["mean", "2.0", "0.4"]
    assert heads(pd.DataFrame([[2.0, 0.4], [0.4, 1.0]], names, names)) == ["", "mean", "x2"]


def test_the_points_of_a_column_stand_below_each_other():
    frame = pd.DataFrame({"FIML": [2436.0, -0.244]}, index=["n", "E with N"])
    shown = re.findall(r"<td>(.*?)</td>", bundle(frame)["text/html"].partition("<tbody>")[2])
    assert shown == ["2436\u2008\u2007\u2007\u2007", "−.244"]


# Other values --------------------------------------------------------------------


class Loud:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (pd.NA, ""), (pd.NaT, ""), (decimal.Decimal("NaN"), ""), (True, "yes"), (np.bool_(False), "no"),
        ("-0.45", "−0.45"), ("11-15", "11–15"), ("555-123", "555-123"), ("01-02", "01-02"), ("I-CVI", "I-CVI"),
        ("a\nb\x00", "a b"), ("\ud800", "?"), ([1, "a", None], "1, a, "), ({"b", "a"}, "a, b"), ({"k": 0.5}, "k: 0.5"),
        (decimal.Decimal("-1.50"), "−1.50"), (fractions.Fraction(1, 3), "1/3"), (1.5 - 2j, "1.5 − 2i"),
        (datetime.date(2026, 11, 27), "2026-11-27"), (pd.Interval(-0.5, 1.0), "(−0.5, 1]"), (b"x", "b'x'"),
        (np.arange(3), "0, 1, 2"), (np.eye(2), "table of 2 × 2"), (pd.DataFrame(index=range(4)), "table of 4 × 0"),
        (object(), "<object object>"), (Loud(), "Loud"), ("x" * 2000, "x" * 1000 + "…"), (-(10**30), "−1.0e+30"),
    ],
)  # fmt: skip
def test_every_value_has_a_text(value, text):
    assert text_of(value) == text


def test_a_list_that_holds_itself_ends():
    endless: list = [1]
    endless.append(endless)
    assert text_of(endless) == "1, 1, 1, …"


def test_midnights_are_days():
    days = pd.Series(pd.to_datetime(["2026-11-27", None]), name="day")
    times = pd.Series(pd.to_datetime(["2026-11-27 08:05", "2026-11-28 00:00"]), name="time")
    assert [row[1] for row in cells(days)] == ["2026-11-27", ""]
    assert [row[1] for row in cells(times)] == ["2026-11-27 08:05:00", "2026-11-28 00:00:00"]


def test_missing_is_blank_and_the_note_says_so():
    assert plain(displayed(pd.DataFrame({"se": [np.nan, 0.035]})).note) == "Note. Blank: no value."
    assert not displayed(pd.DataFrame({"se": [0.035]})).note


def test_decisions_are_marked_by_shape_and_word():
    shown = bundle(pd.DataFrame({"decision": ["keep", "drop", "recode?"]}))["text/html"]
    for mark, word in {"●": "keep", "○": "drop", "◐": "recode?"}.items():
        assert f'<span aria-hidden="true">{mark}</span> {word}<' in shown


def test_a_series_is_a_table_with_its_index():
    series = pd.Series([0.4, 0.5], index=["DO01", "DO02"], name="citc")
    assert (heads(series), cells(series)) == (["", "CITC"], [["DO01", ".4"], ["DO02", ".5"]])
    assert cells(pd.Series([7, 8])) == [["0", "7"], ["1", "8"]]


def test_an_index_that_only_counts_is_left_out():
    assert cells(pd.DataFrame({"item": ["DO01"]})) == [["DO01"]]
    assert cells(pd.DataFrame({"item": ["DO01", "DO02"]}).iloc[1:]) == [["1", "DO02"]]


def test_nothing_is_said_to_be_nothing():
    assert bundle(pd.DataFrame()) == {
        "text/html": '<div class="apa"><p><i>Note.</i> No columns.</p></div>', "text/plain": "Note. No columns.",
    }  # fmt: skip
    assert plain(displayed(pd.DataFrame({"item": []})).note) == "Note. No rows."


# Size ----------------------------------------------------------------------------


def test_a_long_frame_is_cut_in_the_middle_and_says_by_how_much():
    frame = pd.DataFrame({"answer": range(486)})
    table = displayed(frame)
    assert [row[0] for row in table.rows] == ["0", "1", "2", "3", "4", "481", "482", "483", "484", "485"]
    assert table.cut == (5, "… 476 more rows")
    assert plain(table.note) == "Note. 486 rows, 1 columns."
    assert ">4</td></tr>\n<tr><td colspan=" in bundle(frame)["text/html"]
    assert "\n… 476 more rows\n" in bundle(frame)["text/plain"]
    assert displayed(frame.head(60)).cut is None
    with pd.option_context("display.max_rows", None):
        assert len(displayed(frame).rows) == 486


def test_a_broad_frame_is_cut_as_well():
    with pd.option_context("display.max_columns", 0):
        shown = heads(pd.DataFrame([range(43)], columns=[f"i{number}" for number in range(43)]))
    assert shown[9:12] == ["i9", "… 23 more columns", "i33"]


def test_what_does_not_fit_a_phone_can_be_reached_by_the_keyboard_and_has_a_name():
    narrow = bundle(pd.DataFrame({"n": [1], "df": [2]}))["text/html"]
    wide = bundle(pd.DataFrame({f"measure {letter}": [1] for letter in "abcdef"}))["text/html"]
    assert "tabindex" not in narrow
    assert ' tabindex="0" role="region" aria-label="Table: Measure a, Measure b,' in wide


def test_long_text_is_broken_in_plain_text():
    frame = pd.DataFrame({"wording": ["word " * 30], "n": [5]})
    assert max(map(len, bundle(frame)["text/plain"].splitlines())) < 70


# Any frame -----------------------------------------------------------------------

labels = st.one_of(st.text(max_size=8), st.integers(), st.none(), st.booleans(), st.floats(), st.dates(),
                   st.sampled_from(["p", "df", "alpha", "percent_of_distributed", "decision", "lower"]),
                   st.tuples(st.text(max_size=3), st.integers()))  # fmt: skip
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.complex_numbers(), st.decimals(),
    st.fractions(), st.datetimes(), st.timedeltas(), st.binary(max_size=4), st.lists(st.floats(), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2), st.just(pd.NA), st.just(pd.DataFrame({"a": [1]})),
    st.just(pd.Interval(0, 1)), st.floats(width=32).map(np.float32), st.just(pd.Timestamp("2026-01-01", tz="UTC")),
)  # fmt: skip


class Page(HTMLParser):
    """Which tags are open, and how many cells the rows of the body have."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[int] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if "tbody" in self.open and tag == "tr":
            self.rows.append(0)
        if "tbody" in self.open and tag in ("td", "th"):
            self.rows[-1] += 1
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows, columns = draw(st.integers(0, 5)), draw(st.integers(0, 4))
    data = {}
    for position in range(columns):
        drawn = draw(st.lists(values, min_size=rows, max_size=rows))
        kind = draw(st.sampled_from([None, "category", "string"]))
        whole = pd.Series(drawn, dtype=object)
        data[position] = whole if kind is None else whole.map(repr).astype(kind)
    frame = pd.DataFrame(data, index=range(rows))
    names = draw(st.lists(labels, min_size=columns, max_size=columns))
    if draw(st.booleans()) and columns:
        frame.columns = pd.MultiIndex.from_arrays([list(map(str, names)), range(columns)], names=[None, "x"])
    else:
        frame.columns = pd.Index(names, dtype=object, tupleize_cols=False)
    if rows and draw(st.booleans()):
        stubs = draw(st.lists(labels, min_size=rows, max_size=rows))
        index = pd.Index(stubs, dtype=object, tupleize_cols=False)
        frame.index = pd.MultiIndex.from_arrays([list(map(str, stubs)), range(rows)]) if draw(st.booleans()) else index
    return frame


@settings(max_examples=300, deadline=None)
@given(frames())
def test_no_frame_is_refused_and_all_of_it_is_well_formed(frame):
    shown = bundle(frame)
    assert shown == bundle(frame)
    page = Page()
    page.feed(shown["text/html"])
    assert not page.open
    table = displayed(frame)
    assert page.rows == ([len(table.columns)] * len(table.rows) if table.columns else [])
    assert shown["text/plain"] == shown["text/plain"].encode("utf-8").decode()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=6), st.integers(0, 6))
def test_a_figure_is_off_by_half_its_last_digit_at_most(numbers, digits):
    largest = max(map(abs, numbers))
    for number in (*numbers, *(round(number, digits) for number in numbers if abs(number) < 1e9)):
        table = displayed(pd.DataFrame({"by hand": [number, *numbers]}))
        text = table.rows[0][0].replace("−", "-")
        if text[0] in "<>":
            assert (number > 0) == (text[0] == "<")
            assert 0 < abs(number) < abs(float(text[2:]))
        elif float(text) == 0:
            assert abs(number) <= 1e-12 * max(largest, abs(number)) or number == 0
        else:
            places = len(text.partition(".")[2]) if "e" not in text else 0
            allowed = 0.5 * 10.0**-places if "e" not in text else 0.06 * abs(number)
            assert abs(float(text) - number) <= allowed * (1 + 1e-6) + 1e-15 * abs(number)


def test_a_figure_is_written_the_same_alone_and_in_html():
    assert Figures(3, bounded=True).text(-0.4481) == "−.448"
    assert "−.448" in formats.to_html(displayed(pd.DataFrame({"citc": [-0.448]})))
    assert head_of("citc") == ((("CITC", False),), ())
