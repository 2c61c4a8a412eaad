"""Figures in a real browser: enlarged by keyboard, their data without a script, readable on a phone and in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

PHONE = {"viewport": {"width": 320, "height": 640}}
DESK = {"viewport": {"width": 1200, "height": 900}}


#: the size of a drawing's smallest text as it is shown, in pixels
SMALLEST = """svg => Math.min(...[...svg.querySelectorAll("text")].map(
  (text) => parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width
))"""


@pytest.fixture(scope="module")
def notebook(built_book) -> str:
    """The address of a notebook with figures of the house."""
    return (built_book / "notebooks" / "explore.html").as_uri()


def _width(page: Page) -> float:
    return page.locator(".cc-svg").first.bounding_box()["width"]


def test_a_figure_is_enlarged_and_put_back_by_keyboard_alone(watch, notebook):
    watched = watch(**DESK)
    page = watched.page(notebook)
    button = page.get_by_role("button", name="Enlarge Figure 12.1")
    before = _width(page)
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Figure 12.1")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("img")).to_have_count(1)
    assert dialog.locator(".cc-svg").bounding_box()["width"] > 1.4 * before
    page.keyboard.press("Escape")
    expect(page.locator(".cc-dialog")).to_have_count(0)
    expect(button).to_be_focused()
    assert _width(page) == before
    expect(page.locator("figure#fig-explore-scree .cc-plot .cc-svg")).to_have_count(1)
    assert watched.errors == []


def test_an_enlarged_figure_is_closed_by_its_button_and_beside_it(watch, notebook):
    page = watch(**DESK).page(notebook)
    button = page.get_by_role("button", name="Enlarge Figure 12.2")
    button.click()
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".cc-dialog")).to_have_count(0)
    button.click()
    page.mouse.click(5, 5)
    expect(page.locator(".cc-dialog")).to_have_count(0)


@pytest.mark.parametrize("script", [True, False])
def test_the_data_fold_out_with_and_without_a_script(watch, notebook, script):
    page = watch(java_script_enabled=script, **DESK).context.new_page()
    page.goto(notebook)
    rows = page.locator(".cc-figure").nth(1).locator(".cc-data tbody tr")
    expect(rows.first).to_be_hidden()
    page.locator(".cc-figure").nth(1).locator("summary").press("Enter")
    expect(rows).to_have_count(21)
    expect(rows.first).to_be_visible()
    expect(page.locator(".cc-enlarge").first).to_be_visible(visible=script)


def test_on_a_phone_a_figure_scrolls_in_itself_and_its_smallest_text_can_be_read(watch, notebook):
    page = watch(**PHONE).page(notebook)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    plots = page.locator(".cc-plot")
    assert plots.count() == 3
    for plot in plots.all():
        assert plot.locator(".cc-svg").evaluate(SMALLEST) >= 8.99
        if plot.evaluate("plot => plot.scrollWidth > plot.clientWidth"):
            assert plot.get_attribute("tabindex") == "0"


def test_where_there_is_room_no_figure_is_a_stop_for_the_keyboard(watch, notebook):
    page = watch(**DESK).page(notebook)
    expect(page.locator(".cc-plot[tabindex]")).to_have_count(0)
    page.set_viewport_size(PHONE["viewport"])
    expect(page.locator(".cc-plot[tabindex]").first).to_be_attached()


def test_a_figure_follows_the_theme_and_nothing_dims_it(watch, notebook):
    inks = {}
    for theme in ("light", "dark"):
        page = watch(**DESK).page(notebook, theme=theme)
        drawing = page.locator(".cc-svg").first
        inks[theme] = drawing.locator("text").first.evaluate("text => getComputedStyle(text).fill")
        assert drawing.evaluate("svg => getComputedStyle(svg).filter") == "none"
    assert inks == {"light": "rgb(34, 40, 58)", "dark": "rgb(230, 227, 218)"}


def test_on_paper_there_are_no_buttons(watch, notebook):
    page = watch(**DESK).page(notebook)
    page.emulate_media(media="print")
    for kind in (".cc-enlarge", ".cc-data"):
        expect(page.locator(kind).first).to_be_hidden()
    expect(page.locator(".cc-svg").first).to_be_visible()
