"""Path diagrams: every estimate is shown once, nothing covers anything, everything fits the page."""

from __future__ import annotations

import itertools

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Ellipse, FancyBboxPatch
from reference import load

from cocreation.errors import InputError
from cocreation.results import path_diagram
from cocreation.steps.confirm import cfa

matplotlib.use("Agg")

LIKERT = load("likert7_sim")
SCHOOL = load("hs1939")
ITEMS = [item for group in LIKERT.scales.values() for item in group]
PATHS = LIKERT.model + "\nFC ~ PE + EE + SI\nBI ~ PE + EE + SI + FC"
SMALL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6"


def _fit(model, golden=SCHOOL, **options):
    return cfa(golden.data, model, **options)


MODELS = {
    "five factors": lambda: _fit(LIKERT.model, LIKERT),
    "three factors": lambda: _fit(SCHOOL.model),
    "two factors": lambda: _fit(SMALL),
    "one factor": lambda: _fit("g =~ x4 + x5 + x6 + x1"),
    "second order": lambda: _fit(LIKERT.model + "\nSO =~ PE + EE + SI + FC + BI", LIKERT),
    "bifactor": lambda: _fit("G =~ " + " + ".join(ITEMS) + "\n" + LIKERT.model, LIKERT, orthogonal=True),
    "errors that correlate": lambda: _fit(SCHOOL.model + "\nx1 ~~ x2\nx7 ~~ x9"),
    "mediation": lambda: _fit(PATHS, LIKERT),
    "two outcomes": lambda: _fit(LIKERT.model + "\nFC ~ PE + EE\nBI ~ PE + EE + SI", LIKERT),
    "observed variables in it": lambda: _fit(SMALL + "\ntextual ~ visual + x7\nx9 ~ textual"),
}  # fmt: skip


@pytest.fixture(scope="module", params=MODELS)
def drawn(request):
    model = MODELS[request.param]()
    ax = model.plot(kind="path")
    ax.figure.canvas.draw()
    yield model, ax
    plt.close(ax.figure)


def _estimates(ax) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_gid() == "estimate"]


def _expected(model) -> list[str]:
    """Every estimate between two variables, written as papers do; items of a structural model are left out."""
    table = model.parameters[model.parameters["left"] != model.parameters["right"]]
    table = table[table["op"].isin(["=~", "~", "~~"]) & ((table["std"] != 0) | table["se"].notna())]
    if (table["op"] == "~").any():
        latent = set(model.phi.index)
        table = table[(table["op"] != "=~") | table["right"].isin(latent)]
        inner = latent | set(table.loc[table["op"] == "~", ["left", "right"]].to_numpy().ravel())
        table = table[table["left"].isin(inner) & table["right"].isin(inner)]
    return [path_diagram._figure(value) for value in table["std"]]


def test_every_estimate_is_shown_once(drawn):
    model, ax = drawn
    assert sorted(_estimates(ax)) == sorted(_expected(model))


def test_it_fits_the_width_of_the_page(drawn):
    _, ax = drawn
    width, height = ax.figure.get_size_inches()
    assert width <= 7.01
    assert height <= 9
    # an inch of the figure is a unit of the axes, so letters have the size that was meant
    assert ax.get_window_extent().width / ax.figure.dpi == pytest.approx(np.ptp(ax.get_xlim()), rel=1e-6)


def test_no_figure_covers_another_nor_a_shape(drawn):
    _, ax = drawn
    render = ax.figure.canvas.get_renderer()
    numbers = [text.get_window_extent(render) for text in ax.texts if text.get_gid() == "estimate"]
    for a, b in itertools.combinations(numbers, 2):
        assert not a.overlaps(b)
    shapes = [p.get_window_extent(render) for p in ax.patches if isinstance(p, FancyBboxPatch)]
    for number, shape in itertools.product(numbers, shapes):
        assert not number.overlaps(shape)


def test_everything_lies_within_the_picture(drawn):
    _, ax = drawn
    render, frame = ax.figure.canvas.get_renderer(), ax.figure.bbox
    for part in [*ax.texts, *ax.patches]:
        box = part.get_window_extent(render)
        assert box.x0 >= frame.x0 - 1, part
        assert box.x1 <= frame.x1 + 1, part
        assert box.y0 >= frame.y0 - 1, part
        assert box.y1 <= frame.y1 + 1, part


def test_names_stay_within_their_shapes(drawn):
    _, ax = drawn
    render = ax.figure.canvas.get_renderer()
    shapes = [p.get_window_extent(render) for p in ax.patches if isinstance(p, (Ellipse, FancyBboxPatch))]
    for text in ax.texts:
        if text.get_gid() != "estimate":
            box = text.get_window_extent(render)
            assert any(s.x0 <= box.x0 and box.x1 <= s.x1 and s.y0 <= box.y0 and box.y1 <= s.y1 for s in shapes)


def test_factors_are_ellipses_and_items_boxes():
    ax = _fit(SMALL).plot(kind="path")
    assert sum(isinstance(patch, Ellipse) for patch in ax.patches) == 2
    assert sum(isinstance(patch, FancyBboxPatch) for patch in ax.patches) == 6


def test_what_may_be_zero_is_dashed():
    ax = _fit(PATHS, LIKERT).plot(kind="path")
    dashed = [patch for patch in ax.patches if patch.get_gid() == "path" and patch.get_linestyle() != "-"]
    table = _fit(PATHS, LIKERT).parameters
    assert len(dashed) == ((table["op"] == "~") & (table["p"] >= 0.05)).sum() == 1


def test_it_needs_no_colour(drawn):
    """What is drawn in blue, ink or grey keeps apart when printed in grey."""
    _, ax = drawn
    weights = np.array([0.299, 0.587, 0.114])
    fills = {
        float(np.round(np.array(p.get_facecolor()[:3]) @ weights, 3)) for p in ax.patches if isinstance(p, Ellipse)
    }
    inks = {float(np.array(matplotlib.colors.to_rgb(text.get_color())) @ weights) for text in ax.texts}
    assert min(fills) - max(inks) > 0.7


def test_it_draws_where_it_is_told():
    _, axes = plt.subplots(1, 2, figsize=(10, 4))
    assert _fit(SMALL).plot(axes[1], kind="path") is axes[1]
    assert not axes[0].patches


def test_long_names_are_written_smaller_not_over_the_edge():
    rename = {f"x{i}": f"an item with a very long name {i}" for i in range(1, 7)}
    data = SCHOOL.data.rename(columns=rename)
    items = list(rename.values())
    ax = cfa(data, {"visual imagination of space": items[:3], "text": items[3:]}).plot(kind="path")
    ax.figure.canvas.draw()
    test_names_stay_within_their_shapes((None, ax))


def test_a_loop_is_drawn_too():
    names = ["left", "op", "right", "se", "p", "std"]
    paths = [("A", "B", 0.3), ("B", "A", 0.2), ("B", "c", 0.4), ("A", "d", -0.5)]
    rows = [(left, "~", right, 0.1, 0.0, std) for left, right, std in paths]
    ax = path_diagram.draw(pd.DataFrame(rows, columns=names))
    assert sorted(_estimates(ax)) == sorted([".30", ".20", ".40", "−.50"])


def test_figures_are_written_as_papers_do():
    assert [path_diagram._figure(value) for value in (0.834, -0.1204, 1.043, -0.001, np.nan)] == [
        ".83", "−.12", "1.04", ".00", "?"
    ]  # fmt: skip


def test_another_kind_is_refused():
    with pytest.raises(InputError, match="'path', not 'paths'"):
        _fit(SMALL).plot(kind="paths")
