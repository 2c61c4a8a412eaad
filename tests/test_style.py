"""The look of figures: a palette that is told apart, text that is measured as it is shown, the table behind."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.font_manager import FontProperties, findfont, fontManager

from cocreation import style
from cocreation.style import palette, shown
from cocreation.style.tables import packed, unpacked

PACKAGE = Path(style.__file__).parents[1]
DIMENSIONS = [f"dimension-{n}" for n in range(1, 6)]


@pytest.fixture(autouse=True)
def _own_settings():
    with mpl.rc_context():
        yield


# The palette ----------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "opposed", *(f"{each}-text" for each in DIMENSIONS)])
def test_what_is_read_stands_out_from_paper_and_shade(name, dark):
    colours = {**style.TOKENS, **(palette.DARK if dark else {})}
    for ground in ("paper", "shade"):
        assert style.contrast(colours[name], colours[ground]) >= 4.5


@pytest.mark.parametrize("name", DIMENSIONS)
def test_marks_of_a_dimension_stand_out_from_dark_paper(name):
    """On light paper orange and green do not reach 3: there a mark has its name beside it, in the shade for text."""
    colours = {**style.TOKENS, **palette.DARK}
    assert style.contrast(colours[name], colours["paper"]) >= 3


def test_contrast_is_that_of_the_web_guidelines():
    assert style.contrast("#000000", "#ffffff") == 21
    assert style.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert style.contrast("#ffffff", "#777777") == style.contrast("#777777", "#ffffff")


def test_the_nth_dimension_has_the_nth_colour_in_any_study():
    ours, others = style.dimension_colours(["DO", "CE", "DE", "WC", "EV"]), style.dimension_colours(["one", "two"])
    assert list(ours.values()) == ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7"]
    assert list(others.values()) == list(ours.values())[:2]
    assert list(style.dimension_colours("abcdef").values())[5] == "#0072b2"
    assert set(style.dimension_text_colours(ours)) == set(ours)


# Settings and type ----------------------------------------------------------------


def test_type_is_measured_with_the_font_that_the_package_brings(caplog):
    style.use()
    for weight, file in (("normal", "SourceSans3-Regular.ttf"), ("bold", "SourceSans3-Semibold.ttf")):
        found = Path(findfont(FontProperties(family="Source Sans 3", weight=weight)))
        assert found == PACKAGE / "style" / "fonts" / file
    _, ax = style.figure()
    style.note(ax, 0.5, 0.5, "χ² ≤ 3, ω = −.5", bold=True)
    ax.get_figure().canvas.draw()
    assert caplog.messages == []


def test_using_it_twice_brings_no_font_twice():
    style.use()
    style.use()
    assert sum(entry.name == "Source Sans 3" for entry in fontManager.ttflist) == 2


def test_a_figure_has_the_size_asked_for_and_given_axes_are_kept():
    style.use()
    figure, ax = style.figure(width=400, height=300)
    assert (figure.get_size_inches() * figure.dpi).tolist() == [400, 300]
    assert style.axes(ax, height=900) is ax
    assert style.axes(None).get_figure().get_size_inches()[0] * 100 == style.COLUMN


# Labels ---------------------------------------------------------------------------


def test_names_at_the_ends_of_lines_do_not_meet():
    style.use()
    _, ax = style.figure(height=300)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    lines = {f"line {n}": ax.plot([0, 1], [0, end])[0] for n, end in enumerate([0.5, 0.52, 0.51, 0.95])}
    texts = style.label_lines(ax, lines)
    ax.get_figure().canvas.draw()
    boxes = [text.get_window_extent() for text in texts]
    assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[:at])
    heights = [box.y0 for box in boxes]
    assert np.argsort(heights, kind="stable").tolist() == [0, 2, 1, 3]
    assert texts[3].get_position()[1] == pytest.approx(0, abs=1e-9)  # nobody is near, so it stays


@pytest.mark.parametrize(("axis", "at"), [("y", ("axes fraction", "data")), ("x", ("data", "axes fraction"))])
def test_a_threshold_is_a_line_at_its_value_with_words_on_it(axis, at):
    ax = style.axes(None)
    line, words = style.threshold(ax, 0.7, "cut-off .70", axis=axis)
    assert set(line.get_ydata() if axis == "y" else line.get_xdata()) == {0.7}
    assert words.xycoords == at
    assert words.xy[1 if axis == "y" else 0] == 0.7


def test_cells_show_their_figures_readably_and_leave_out_what_is_missing():
    ax = style.axes(None)
    style.heat(ax, pd.DataFrame({"F1": [0.91, np.nan], "F2": [-0.2, -0.001]}, index=["a", "b"]))
    assert [text.get_text() for text in ax.texts] == [".91", "−.20", ".00"]
    assert len(ax.patches) == 3
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["F1", "F2"]
    assert ax.yaxis_inverted()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("value", [1, -1])
def test_words_stand_out_from_the_darkest_cell(value, dark):
    ax = style.axes(None)
    style.heat(ax, pd.DataFrame({"F1": [value]}))
    *over, thick = ax.patches[0].get_facecolor()
    name = next(name for name, colour in style.TOKENS.items() if colour == mpl.colors.to_hex(over))
    colours = {**style.TOKENS, **(palette.DARK if dark else {})}
    paper, over = (np.array(mpl.colors.to_rgb(colours[each])) for each in ("paper", name))
    assert style.contrast(mpl.colors.to_hex(thick * over + (1 - thick) * paper), colours["ink"]) >= 4.5


# The table behind -----------------------------------------------------------------


def test_the_table_behind_a_figure_is_kept_rounded_with_its_rows_named():
    _, (left, right) = style.figure(ncols=2)
    frame = pd.DataFrame({"n": [1, 2], "share": [1 / 3, np.nan]}, index=pd.Index(["a", "b"], name="item"))
    assert style.behind(left, frame) is left
    style.behind(right, frame.reset_index(drop=True))
    style.behind(right, frame[["n"]])
    first, second = style.tables_behind(left)
    assert first.columns.tolist() == ["item", "n", "share"]
    assert first["share"].tolist()[0] == 0.333
    assert second.columns.tolist() == ["item", "n"]
    assert frame["share"].iloc[0] == 1 / 3


def test_any_names_of_rows_and_columns_will_do():
    frame = pd.DataFrame(np.eye(3), columns=pd.CategoricalIndex(["a", "a", "item"]), index=[5, 6, 7])
    table = style.tables_behind(style.behind(style.axes(None), frame.rename_axis("item")))[0]
    assert table.columns.tolist() == ["item", "a", "a", "item"]
    assert unpacked(json.loads(json.dumps(packed(table)))).equals(table)


def test_what_json_cannot_hold_is_null_or_text():
    frame = pd.DataFrame({"a": [np.inf, 1.0], "b": [pd.Period("2026"), None], "c": [True, pd.NA]})
    assert json.loads(json.dumps(packed(frame)))["rows"] == [[None, "2026", True], [1.0, None, None]]


def _draws(function: ast.FunctionDef) -> bool:
    return function.returns is not None and ast.unparse(function.returns) == "Axes"


#: those that draw a part for others
PARTS = {"axes", "_axes", "draw", "fit"}


@pytest.mark.parametrize(
    "path", sorted(p for p in PACKAGE.rglob("*.py") if "style" not in p.parts), ids=lambda p: p.name
)
def test_every_figure_of_the_library_ends_with_its_table(path):
    """A function that returns axes hands them on through ``style.behind``, or through another such function."""
    tree = ast.parse(path.read_text("utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _draws(node)):
        if function.name in PARTS and path.name != "plots.py":
            continue
        for each in (node for node in ast.walk(function) if isinstance(node, ast.Return)):
            assert "style.behind(" in ast.unparse(each) or isinstance(each.value, ast.Call | ast.IfExp), function.name


# SVG ------------------------------------------------------------------------------

DRAW = """
import sys
import matplotlib
matplotlib.use("Agg")
import pandas as pd
from cocreation import style
from cocreation.style.shown import svg
style.use()
_, ax = style.figure(height=300)
ax.plot([1, 2, 3], [0.2, 0.9, 0.4])
style.threshold(ax, 0.7, "cut-off .70")
style.note(ax, 2, 0.9, "highest & <best>", bold=True)
sys.stdout.write(svg(style.behind(ax, pd.DataFrame({"x": [1], "<y>": ["&"]})).get_figure()))
"""


def _drawn(**environment: str) -> str:
    told = subprocess.run(
        [sys.executable, "-c", DRAW], env={**os.environ, **environment}, capture_output=True, check=True
    )
    return told.stdout.decode("utf-8")


def test_an_svg_is_the_same_bytes_whatever_the_seed_time_zone_and_language():
    one = _drawn(PYTHONHASHSEED="1", TZ="UTC", LANG="C.UTF-8", LC_ALL="C.UTF-8")
    other = _drawn(PYTHONHASHSEED="2", TZ="Asia/Shanghai", LANG="de_DE.UTF-8", LC_ALL="de_DE.UTF-8", PYTHONUTF8="1")
    assert one == other
    assert not re.search(r"\b20\d\d-\d\d-\d\d", one)


def test_an_svg_holds_text_as_text_and_the_table_behind_it():
    root = ElementTree.fromstring(_drawn())  # noqa: S314 – our own
    texts = {"".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"cut-off .70", "highest & <best>"} <= texts
    held = next(each for each in root.iter() if each.get("id") == shown.TABLES)
    assert json.loads(held.text) == [{"columns": ["x", "<y>"], "rows": [[1, "&"]]}]


def test_a_figure_without_a_table_holds_none():
    assert shown.TABLES not in shown.svg(style.axes(None).get_figure())
