"""What all tests share."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import signal
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import matplotlib as mpl
import pytest
from hypothesis import settings
from processors import dispatched

mpl.use("Agg")

# The same examples every time, however slow the machine is.
settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")


def pytest_configure(config: pytest.Config) -> None:
    """Let what tests start – nbval's kernels first of all – compute as on the plainest processor.

    The book's own run, which is compared with the stored outputs too, uses all that the processor has. Tests
    themselves do as well, for NumPy is loaded already; pytest's workers, not yet, and are left alone.
    """
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", dispatched())
        if platform.machine() in ("x86_64", "AMD64"):
            os.environ.setdefault("OPENBLAS_CORETYPE", "Prescott")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where processes share the files, begin with the long ones, so that none is left when the rest is done.

    Long are those with a test marked slow or driving a browser, and among them those last that wait for the book,
    which may be in the making; then come notebooks, then the files with most tests.
    """
    for item in items:
        if hasattr(item, "output_timeout"):
            item.output_timeout = 300  # nbval's 5 seconds for an output to arrive are too few on a busy machine
    if not hasattr(config, "workerinput"):
        return
    number = Counter(item.path for item in items)
    slow, browser, book = ({i.path for i in items if i.get_closest_marker(m)} for m in ("slow", "browser", "book"))
    long = slow | browser | book
    items.sort(
        key=lambda item: (
            item.path not in long,
            item.path in book,
            item.path.suffix != ".ipynb",
            -number[item.path],
        )
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Fork nbval's kernels, as the book's are: importing takes longer than most notebooks compute."""
    from cocreation.authoring.kernels import warm_kernels

    with warm_kernels() if hasattr(item, "output_timeout") else contextlib.nullcontext():
        return (yield)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the course."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture
def build(tmp_path):
    """Build a small book from {file name: text or notebook}; return its folder and the warnings."""
    from small_book import build

    return partial(build, tmp_path)


@pytest.fixture(scope="session")
def sources_with_solutions(root) -> list[Path]:
    """The notebooks of ``exercises/`` in which a cell is marked as a solution, or holds nbgrader's markers."""

    def gives_away(cell: dict) -> bool:
        return cell["metadata"].get("nbgrader", {}).get("solution", False) or "### BEGIN" in "".join(cell["source"])

    sources = sorted((root / "exercises").glob("*.ipynb"))
    found = [path for path in sources if any(map(gives_away, json.loads(path.read_text("utf-8"))["cells"]))]
    assert found
    return found


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C interrupts, also where the tests run in the background, for which a shell has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True, scope="module")
def _no_figure_left_open() -> Iterator[None]:
    """matplotlib keeps every figure until it is told otherwise, and warns of too many; a file's tests may share one."""
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
