"""What all tests share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the course."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def sources_with_solutions(root) -> list[Path]:
    """The notebooks of ``exercises/`` in which a cell is marked as a solution, or holds nbgrader's markers."""

    def gives_away(cell: dict) -> bool:
        return cell["metadata"].get("nbgrader", {}).get("solution", False) or "### BEGIN" in "".join(cell["source"])

    sources = sorted((root / "exercises").glob("*.ipynb"))
    found = [path for path in sources if any(map(gives_away, json.loads(path.read_text("utf-8"))["cells"]))]
    assert found
    return found


@pytest.fixture(autouse=True, scope="module")
def _no_figure_left_open() -> Iterator[None]:
    """matplotlib keeps every figure until it is told otherwise, and warns of too many; a file's tests may share one."""
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
