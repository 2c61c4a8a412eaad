"""What is stored and printed must not depend on the processor: round-off orders nothing, and runs are plain, too."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from processors import dispatched

from cocreation.core.ties import without_noise

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [path for room in ("src", "tests", "benchmarks") for path in sorted((ROOT / room).rglob("*.py"))]
NOTEBOOKS = [path for room in ("notebooks", "exercises") for path in sorted((ROOT / room).glob("*.ipynb"))]
#: NumPy and pandas sort these by an algorithm that processors choose, unless told kind="stable"
UNSTABLE = {"sort_values", "argsort", "sort_index"}
#: draws points beside each other in an order that equal distances leave open
FORBIDDEN = {"swarmplot", "argpartition"}


def _code(path: Path) -> list[str]:
    if path.suffix == ".py":
        return [path.read_text(encoding="utf-8")]
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def unstable(code: str) -> list[str]:
    """Return the calls whose result depends on how ties are broken."""
    plain = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in code.splitlines())
    found = []
    for node in ast.walk(ast.parse(plain)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            kinds = {word.arg: word.value for word in node.keywords}
            stable = isinstance(kinds.get("kind"), ast.Constant) and kinds["kind"].value == "stable"
            if node.func.attr in FORBIDDEN or (node.func.attr in UNSTABLE and not stable):
                found.append(ast.unparse(node)[:80])
    return found


@pytest.mark.parametrize("path", [*SOURCES, *NOTEBOOKS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_sort_is_stable(path):
    assert [call for code in _code(path) for call in unstable(code)] == []


def test_an_unstable_sort_is_found():
    assert unstable("t.sort_values('a')\nnp.argsort(x)\nsns.swarmplot(t)\n") == [
        "t.sort_values('a')", "np.argsort(x)", "sns.swarmplot(t)",
    ]  # fmt: skip
    assert unstable("t.sort_values('a', kind='stable')\nx.argsort(kind='stable')\nsorted(x)\n%matplotlib inline") == []


def test_round_off_orders_nothing():
    values = np.array([0.3, 0.1 + 0.2, 0.3, 2e5 / 3, 2e5 / 3 * (1 + 2e-16), np.nan, -np.inf, 0.0, -1e-17])
    assert np.argsort(-without_noise(values), kind="stable").tolist() == [3, 4, 0, 1, 2, 7, 8, 6, 5]
    assert without_noise(np.array([0.1234567894, 0.1234567896])).tolist() == [0.123456789, 0.12345679]


def test_kernels_and_other_processes_of_the_tests_run_without_the_processors_own_instructions():
    """The book is run with them, so that its outputs and those that nbval compares come from two kinds of machine."""
    said = subprocess.run(
        [sys.executable, "-c", "import conftest; print(conftest.dispatched())"],
        capture_output=True, text=True, check=True, cwd=ROOT / "tests",
    )  # fmt: skip
    assert said.stdout.strip() == ""
    assert os.environ["NPY_DISABLE_CPU_FEATURES"] == dispatched() or not dispatched()
