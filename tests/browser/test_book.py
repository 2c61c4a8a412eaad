"""The live exercise of the built book in a real browser."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

PHONE = {"viewport": {"width": 320, "height": 640}}
DESK = {"viewport": {"width": 1200, "height": 900}}


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: pytest shows what matters."""


@pytest.fixture(scope="module")
def served(built_book):
    """The address of the book on a local web server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(built_book)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def chapter(built_book) -> str:
    """The address of the chapter with the exercise, as a file."""
    return (built_book / "book" / "logics.html").as_uri()


# The exercise ---------------------------------------------------------------------


@pytest.mark.parametrize("digits", [True, False], ids=["by number keys", "by arrows and Enter"])
def test_the_exercise_is_solved_from_a_file_by_keyboard_alone_without_a_network(watch, chapter, play, deck, digits):
    watched = watch(**DESK)
    watched.context.set_offline(True)
    player = play(watched.page(chapter))
    player.sort(digits=digits)
    assert player.score() == f"All {len(deck.statements)} in the right bin"
    assert player.focused() == "result"
    assert watched.errors == []
    assert watched.outside == []


def test_the_exercise_is_solved_from_a_server_that_has_gone_away(watch, served, play, deck):
    watched = watch(**DESK)
    player = play(watched.page(f"{served}/book/logics.html"))
    watched.context.set_offline(True)
    player.sort()
    assert player.score() == f"All {len(deck.statements)} in the right bin"
    assert watched.errors == []


def test_a_wrong_answer_tells_what_it_reveals_and_only_that_one_is_sorted_again(watch, chapter, play, deck):
    page = watch(**DESK).page(chapter)
    player = play(page)
    first, *_, last = deck.statements
    wrong = {each.id: next(b.id for b in deck.bins if b.id != each.bin) for each in (first, last)}
    player.sort(wrong)
    assert player.score() == f"{len(deck.statements) - 2} of {len(deck.statements)} in the right bin"
    for each in (first, last):
        shown = player.root.locator(f'.cs-rethink[data-card="{each.id}"]')
        expect(shown).to_contain_text(each.feedback[wrong[each.id]])
        expect(shown).not_to_contain_text(each.feedback[each.bin])
    player.tab_to("again")
    page.keyboard.press("Enter")
    expect(player.root.locator(".cs-count")).to_have_text(
        f"{len(deck.statements) - 2} of {len(deck.statements)} placed"
    )
    assert player.current() == first
    player.sort()
    assert player.score() == f"All {len(deck.statements)} in the right bin"
    expect(player.root.locator(".cs-result")).to_contain_text(
        f"Checked 2 times. At the first check it was {len(deck.statements) - 2}."
    )


def test_a_right_answer_tells_why_and_names_its_source(watch, chapter, play, deck):
    page = watch(**DESK).page(chapter)
    player = play(page)
    player.sort()
    player.root.locator("summary").press("Enter")
    for each in deck.statements:
        shown = player.root.locator(f'.cs-right[data-card="{each.id}"]')
        expect(shown).to_contain_text(each.feedback[each.bin])
        expect(shown).to_contain_text(each.source)


def test_a_placed_statement_is_moved_and_taken_back_by_keyboard(watch, chapter, play, deck):
    page = watch(**DESK).page(chapter)
    player = play(page)
    statement, (left, middle, right) = deck.statements[0], deck.bins
    card = player.root.get_by_role("button", name=statement.text)
    lists = {each.id: player.root.get_by_role("list", name=each.short) for each in deck.bins}
    player.tab_to(f"bin-{left.id}")
    player.choose(left.id)
    expect(lists[left.id]).to_contain_text(statement.text)
    player.tab_to(f"card-{statement.id}")
    page.keyboard.press("ArrowRight")
    expect(lists[middle.id]).to_contain_text(statement.text)
    page.keyboard.press("3")
    expect(lists[right.id]).to_contain_text(statement.text)
    expect(card).to_be_focused()
    page.keyboard.press("Enter")
    expect(card).to_have_count(0)
    assert player.current() == statement


def test_a_card_can_be_dragged_to_a_bin(watch, chapter, play, deck):
    player = play(watch(**DESK).page(chapter))
    statement, target = deck.statements[0], deck.bins[2]
    # step by step: one quick movement may end before the browser has told the page that a drag began
    goal = player.root.locator(f'[data-focus="bin-{target.id}"]')
    player.root.locator(".cs-card").hover()
    player.page.mouse.down()
    goal.hover()
    goal.hover()
    expect(player.root.locator(".cs-over")).to_have_count(1)
    player.page.mouse.up()
    expect(player.root.get_by_role("list", name=target.short)).to_contain_text(statement.text)


def test_checking_too_early_says_what_is_missing(watch, chapter, play, deck):
    page = watch(**DESK).page(chapter)
    player = play(page)
    player.tab_to("check")
    page.keyboard.press("Enter")
    expect(player.root.get_by_role("status")).to_have_text(
        f"{len(deck.statements)} statements still to place before you can check."
    )


def test_a_screen_reader_hears_where_a_statement_went_and_the_next_one(watch, chapter, play, deck):
    player = play(watch(**DESK).page(chapter))
    player.tab_to(f"bin-{deck.bins[0].id}")
    player.choose(deck.bins[1].id)
    told = player.root.get_by_role("status")
    expect(told).to_contain_text(f"Placed in {deck.bins[1].name}.")
    expect(told).to_contain_text(deck.statements[1].text)


def test_no_step_of_the_exercise_scrolls_sideways_on_a_phone(watch, chapter, play, deck):
    page = watch(**PHONE).page(chapter)
    player = play(page)
    widest = "document.documentElement.scrollWidth"
    assert page.evaluate(widest) <= 320
    statement = deck.statements[0]
    player.sort({statement.id: next(b.id for b in deck.bins if b.id != statement.bin)})
    assert page.evaluate(widest) <= 320
    player.tab_to("again")
    page.keyboard.press("Enter")
    assert page.evaluate(widest) <= 320
    player.sort()
    player.root.locator("summary").press("Enter")
    assert page.evaluate(widest) <= 320


def test_without_javascript_and_on_paper_the_exercise_is_a_table(watch, chapter, deck):
    plain = watch(java_script_enabled=False, **DESK).context.new_page()
    plain.goto(chapter)
    printed = watch(**DESK).page(chapter)
    printed.locator(".card-sort").wait_for()
    printed.emulate_media(media="print")
    expect(printed.locator(".card-sort")).to_be_hidden()
    for page in (plain, printed):
        rows = page.locator(".cocreation-fallback tbody tr")
        expect(rows).to_have_count(len(deck.statements))
        expect(rows.first).to_be_visible()
        expect(rows.first).to_contain_text(deck.statements[0].text)


def test_who_wants_less_motion_gets_none(watch, chapter):
    page = watch(reduced_motion="reduce", **DESK).page(chapter)
    moving = page.locator(".card-sort .cs-card")
    moving.wait_for()
    assert moving.evaluate("node => getComputedStyle(node).animationName") == "none"


CONTRAST = """root => {
  const pen = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d",
    {willReadFrequently: true});
  const mix = (colours) => {  // paint one over the other, as the browser does
    pen.clearRect(0, 0, 1, 1);
    for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = (node) => node ? [...behind(node.parentElement), getComputedStyle(node).backgroundColor] : ["white"];
  const ratio = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  const found = [];
  for (const node of root.querySelectorAll("*")) {
    if (![...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) continue;
    if (!node.checkVisibility() || node.closest(".cs-unseen")) continue;
    const back = behind(node);
    const value = ratio(light(mix([...back, getComputedStyle(node).color])), light(mix(back)));
    found.push([value, node.className + ": " + node.textContent.slice(0, 30)]);
  }
  return found;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_of_the_exercise_stands_out_from_its_ground(watch, chapter, play, deck, theme):
    page = watch(reduced_motion="reduce", **DESK).page(chapter, theme=theme)
    player = play(page)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    statement = deck.statements[0]
    measured = player.root.evaluate(CONTRAST)
    player.tab_to(f"bin-{deck.bins[0].id}")
    player.choose(deck.bins[0].id)
    measured += player.root.evaluate(CONTRAST)
    player.sort({deck.statements[1].id: statement.bin})
    player.root.locator("summary").press("Enter")
    measured += player.root.evaluate(CONTRAST)
    assert len(measured) > 30
    assert [each for each in measured if each[0] < 4.5] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_focus_is_always_seen(watch, chapter, play, deck, theme):
    player = play(watch(**DESK).page(chapter, theme=theme))
    for wanted in (f"bin-{deck.bins[0].id}", "check"):
        player.tab_to(wanted)
        ring = player.page.evaluate("(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])"
                                    "(getComputedStyle(document.activeElement))")  # fmt: skip
        assert ring == ["solid", "3px"]
