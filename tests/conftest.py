"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the course."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True, scope="module")
def _no_figure_left_open() -> Iterator[None]:
    """matplotlib keeps every figure until it is told otherwise, and warns of too many; a file's tests may share one."""
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
