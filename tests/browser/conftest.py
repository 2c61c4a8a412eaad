"""A browser, the built book and a page that keeps to itself.

The browser is a Chromium or Chrome of this machine, else the one Playwright
downloaded. Without either the tests are skipped, saying how to enable them; with
``CI=true`` that is a failure, so that they cannot silently stop running.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from cocreation.authoring.paper import ENABLE, find_browser
from cocreation.widgets.cards import Deck, read

QUIET = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
LOCAL = ("file:", "data:", "blob:", "about:", "http://127.0.0.1:", "ws://127.0.0.1:")

#: seconds. Every wait is for a condition and ends with it; this only bounds one that never comes true.
PATIENCE = 300
expect.set_options(timeout=PATIENCE * 1000)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if "built_book" in item.fixturenames:
                item.add_marker(pytest.mark.book)


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(driver: Playwright) -> Iterator[Browser]:
    path = find_browser(driver)
    if path is None:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"No browser was found, and CI must run the browser tests. {ENABLE}")
        pytest.skip(f"No browser was found. {ENABLE}")
    # Chromium refuses its sandbox to root, as whom containers run.
    sandbox = not (hasattr(os, "geteuid") and os.geteuid() == 0)
    started = driver.chromium.launch(executable_path=path, args=list(QUIET), chromium_sandbox=sandbox)
    yield started
    started.close()


class Watched:
    """A browser context that lets nothing out and writes down what was tried and what went wrong."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        context.set_default_timeout(PATIENCE * 1000)
        self.outside: list[str] = []
        self.errors: list[str] = []
        context.route(lambda url: not url.startswith(LOCAL), lambda route: route.abort())
        context.on("request", self._requested)
        context.on("weberror", lambda error: self.errors.append(f"{error.page.url}: {error.error}"))
        context.on("console", self._said)

    def _requested(self, request) -> None:
        if not request.url.startswith(LOCAL):
            self.outside.append(f"{request.frame.url} asks for {request.url}")

    def _said(self, message) -> None:
        if message.type == "error":
            self.errors.append(f"{message.page.url}: {message.text}")

    def page(self, address: str, *, theme: str = "light") -> Page:
        page = self.context.new_page()
        page.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
        page.goto(address)
        return page


def _watching(browser: Browser) -> Iterator:
    """Make watched contexts; options as of Browser.new_context."""
    made = []

    def make(**options) -> Watched:
        made.append(browser.new_context(**options))
        return Watched(made[-1])

    yield make
    for context in made:
        context.close()


watch = pytest.fixture(_watching, name="watch")
watch_for_all = pytest.fixture(_watching, name="watch_for_all", scope="module")


@pytest.fixture(scope="session")
def built_book(root: Path) -> Path:
    """The folder of the built HTML: $COCREATION_BOOK, or _build/html, built when it is not there.

    Where another process builds it, as ``nox -s tests`` does beside the tests, that is waited for.
    """
    named = os.environ.get("COCREATION_BOOK")
    folder = Path(named) if named else root / "_build" / "html"
    if not named and folder.parent.is_dir():
        FileLock(folder.parent / ".lock", timeout=3 * PATIENCE).acquire().lock.release()
    if not (folder / "index.html").is_file():
        if named:
            pytest.fail(f"COCREATION_BOOK names {folder}, which holds no index.html. Build the book, or unset it.")
        from cocreation.authoring.build import build_book

        folder = build_book(root)
    return folder.resolve()


@pytest.fixture(scope="session")
def deck() -> Deck:
    return read("logics")


def _listening(runtime: Path) -> dict | None:
    """What a Jupyter server wrote about itself, once it has, and answers."""
    for file in runtime.glob("jpserver-*.json"):
        try:
            told = json.loads(file.read_text())
            with urllib.request.urlopen(f"{told['url']}api", timeout=5):  # noqa: S310 – our own server
                return told
        except (OSError, json.JSONDecodeError):
            return None  # not written or not listening yet
    return None


@pytest.fixture(scope="session")
def start_lab():
    """Run a command that ends in a JupyterLab, wait until that answers, and stop it in the end.

    Made into a context manager that yields the server's address, which ends in a slash. The server chooses its port.
    """

    @contextlib.contextmanager
    def started(command: list[str], home: Path, **environment: object) -> Iterator[str]:
        runtime, log = home / "runtime", home / "server.log"
        own = {**environment, "JUPYTER_RUNTIME_DIR": runtime}
        with log.open("w") as out:
            server = subprocess.Popen(
                command, env={**os.environ, **{key: str(value) for key, value in own.items()}}, stdout=out, stderr=out
            )
        try:
            give_up = time.monotonic() + PATIENCE
            while (told := _listening(runtime)) is None:
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < give_up, f"JupyterLab does not answer:\n{log.read_text()}"
                time.sleep(0.1)
            yield told["url"]
        finally:
            server.terminate()  # the server ends its kernels, and now and then hangs when that is done
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    return started


class Player:
    """Works a card sort as a person does who has a keyboard and nothing else."""

    def __init__(self, page: Page, deck: Deck) -> None:
        self.page = page
        self.deck = deck
        self.root = page.locator(".card-sort")
        self.root.wait_for()

    def text(self) -> str:
        return self.root.locator(".cs-deck .cs-text").inner_text()

    def current(self):
        shown = self.text()
        return next(statement for statement in self.deck.statements if statement.text == shown)

    def focused(self) -> str:
        return self.page.evaluate("document.activeElement?.dataset?.focus ?? ''")

    def tab_to(self, wanted: str, *, most: int = 300) -> None:
        for _ in range(most):
            if self.focused() == wanted:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{most} presses of Tab do not reach {wanted!r}")

    def choose(self, bin_id: str, *, digits: bool = True) -> None:
        """Put the statement at hand into a bin: by its number, or by arrow keys and Enter."""
        at = [each.id for each in self.deck.bins].index(bin_id)
        if digits:
            self.page.keyboard.press(str(at + 1))
            return
        self.page.keyboard.press("Home")
        for _ in range(at):
            self.page.keyboard.press("ArrowRight")
        self.page.keyboard.press("Enter")

    def sort(self, wrong: dict[str, str] | None = None, *, digits: bool = True) -> None:
        """Sort what is open, `wrong` (statement -> bin) as told and the rest rightly; then check."""
        self.tab_to(f"bin-{self.deck.bins[0].id}")
        while self.root.locator(".cs-deck .cs-text").count():
            statement = self.current()
            self.choose((wrong or {}).get(statement.id, statement.bin), digits=digits)
        self.tab_to("check")
        self.page.keyboard.press("Enter")

    def score(self) -> str:
        return self.root.locator(".cs-score").inner_text()


@pytest.fixture
def play(deck: Deck):
    return lambda page: Player(page, deck)
