"""Stored outputs: deterministic, free of noise, and watched by nbval."""

from __future__ import annotations

import base64
import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client import KernelManager

from cocreation.authoring import kernels, notebooks
from cocreation.errors import CourseError

ROOT = Path(__file__).resolve().parents[2]


def new(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


def test_running_a_notebook_twice_changes_no_byte(tmp_path):
    path = tmp_path / "a.ipynb"
    nbformat.write(
        new(
            "print('a')\nprint('b')",
            "import matplotlib.pyplot as plt\nax = plt.figure().subplots()\n_ = ax.plot([1, 2])",
        ),
        path,
    )
    assert notebooks.store([path]) == [path]
    once = path.read_bytes()
    assert notebooks.store([path]) == []
    assert path.read_bytes() == once
    assert b"image/png" in once


def test_a_warm_and_a_cold_kernel_store_the_same(tmp_path):
    path = tmp_path / "a.ipynb"
    nbformat.write(
        new("import numpy as np, pandas as pd, seaborn as sns", "pd.DataFrame({'a': np.arange(3) / 7}).round(3)",
            "ax = sns.lineplot(x=[1, 2], y=[3, 4])"), path
    )  # fmt: skip
    stored = []
    for warm in (True, False):
        notebooks.execute_many(
            [path], warm=warm, done=lambda _, nb: stored.append(nbformat.writes(notebooks.normalise(nb)))
        )
    assert stored[0] == stored[1]


FIGURE = """from cocreation import style
import pandas as pd
style.use()
_, ax = style.figure(width=300, height=200)
lines = ax.plot([1, 2], [3, 4])
ax = style.behind(ax, pd.DataFrame({'x': [1, 2]}))"""


@pytest.mark.parametrize("warm", [True, False])
def test_the_books_own_run_adds_an_svg_with_the_table_and_stores_the_same_sharp_png(tmp_path, warm):
    path = tmp_path / "a.ipynb"
    nbformat.write(new(FIGURE), path)
    shown = []
    for svg in (False, True):
        notebooks.execute_many([path], warm=warm, svg=svg, done=lambda _, nb: shown.append(nb))
    stored, book = (nb.cells[0].outputs[-1] for nb in shown)
    assert sorted(stored.data) == ["image/png", "text/plain"]
    assert sorted(book.data) == ["image/png", "image/svg+xml", "text/plain"]
    assert '[{"columns": ["x"], "rows": [[1], [2]]}]' in book.data["image/svg+xml"]
    assert stored.metadata["image/png"] == {"width": 300, "height": 200}
    width, height = struct.unpack(">II", base64.b64decode(stored.data["image/png"])[16:24])
    assert (width, height) == (600, 400)
    assert nbformat.writes(notebooks.normalise(shown[0])) == nbformat.writes(notebooks.normalise(shown[1]))


@pytest.mark.skipif(not kernels.can_fork(), reason="kernels are forked on Linux only")
def test_forked_kernels_need_no_port_and_leave_no_socket():
    """A port found free may be taken before the kernel takes it; so it happened beside tests of browsers."""
    manager = KernelManager()
    with kernels.warm_kernels():
        manager.start_kernel()
    try:
        folder = Path(manager.ip).parent
        assert manager.transport == "ipc"
        for _ in range(2):
            client = manager.blocking_client()
            client.start_channels()
            client.wait_for_ready(timeout=60)
            reply = client.execute_interactive("6 * 7", timeout=60, output_hook=lambda _: None)
            assert reply["content"]["status"] == "ok"
            assert len(list(folder.glob("at-*"))) == 5
            client.stop_channels()
            manager.restart_kernel(now=True)
    finally:
        manager.shutdown_kernel(now=True)
    assert not folder.exists()


def test_the_users_own_settings_do_not_reach_stored_outputs(tmp_path):
    figure = "import matplotlib.pyplot as plt\nax = plt.figure().subplots()\n_ = ax.plot([1, 2])"
    startup = tmp_path / "home" / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("print = lambda *_: None")
    (tmp_path / "home" / "matplotlibrc").write_text("figure.dpi: 31\n")
    own = {"HOME": str(tmp_path / "home"), "USERPROFILE": str(tmp_path / "home"), "PYTHONHASHSEED": "7",
           "IPYTHONDIR": str(startup.parents[1]), "MPLCONFIGDIR": str(tmp_path / "home"), "COLUMNS": "40",
           "COCREATION_SVG": "1"}  # fmt: skip
    stored = []
    for number, extra in enumerate(({}, own)):
        path = tmp_path / f"{number}.ipynb"
        nbformat.write(new("print(6 * 7)", figure, FIGURE), path)
        words = [sys.executable, "-m", "cocreation.authoring.notebooks", str(path)]
        subprocess.run(words, check=True, env={**os.environ, **extra})
        stored.append(path.read_bytes())
    assert b"42" in stored[0]
    assert stored[0] == stored[1]


def test_a_kernel_that_is_told_to_stop_is_gone(tmp_path):
    path = tmp_path / "a.ipynb"
    nbformat.write(new("import os; print(os.getpid())"), path)
    pids: list[int] = []
    notebooks.execute_many([path], done=lambda _, nb: pids.append(int(nb.cells[0].outputs[0].text)))
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_every_failed_notebook_is_named_with_its_error(tmp_path):
    for name, source in {"good": "1", "bad": "raise KeyError('x')", "worse": "1 / 0"}.items():
        nbformat.write(new(source), tmp_path / f"{name}.ipynb")
    with pytest.raises(CourseError) as told:
        notebooks.store(sorted(tmp_path.glob("*.ipynb")))
    assert re.match(r"\S+/bad\.ipynb and \S+/worse\.ipynb failed\.", str(told.value))
    assert re.search(r"bad\.ipynb.*KeyError.*worse\.ipynb.*ZeroDivisionError", str(told.value), re.DOTALL)
    assert "\x1b" not in str(told.value)


def test_a_file_that_is_no_notebook_is_told(tmp_path):
    (tmp_path / "a.ipynb").write_text("{")
    with pytest.raises(CourseError, match="not a readable notebook"):
        notebooks.store([tmp_path / "a.ipynb"])
    with pytest.raises(CourseError, match="no notebook"):
        notebooks.store([tmp_path / "b.ipynb"], run=False)


def test_normalising_strips_the_run_and_keeps_the_outputs():
    nb = new("1", "", "2")
    nb.cells[0].update(execution_count=17, metadata={"execution": {"iopub.status.busy": "now"}, "tags": ["hide-input"]})
    nb.cells[0].outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "1"}, execution_count=17)]
    nb.cells[2].execution_count = 20
    nb.metadata.update(widgets={"state": {}}, language_info={"name": "python", "version": "3.11.7"}, authors=["A"])
    nb = notebooks.normalise(nb)
    assert [cell.execution_count for cell in nb.cells] == [1, None, 2]
    assert nb.cells[0].outputs[0].execution_count == 1
    assert nb.cells[0].metadata == {"tags": ["hide-input"]}
    assert "version" not in nb.metadata.language_info
    assert "widgets" not in nb.metadata
    assert nb.metadata.authors == ["A"]
    nbformat.validate(nb)


def nbval(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-sanitize-with", str(ROOT / "tests" / "nbval.cfg"),
         "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(path.parent), str(path)],
        capture_output=True, text=True, check=False, cwd=path.parent,
    )  # fmt: skip


def test_every_cell_has_been_run_for_without_outputs_nbval_compares_nothing():
    assignments = [path for path in (ROOT / "exercises").glob("*.ipynb") if "### BEGIN SOLUTION" in path.read_text()]
    assert assignments
    for path in [*sorted((ROOT / "notebooks").glob("*.ipynb")), *assignments]:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code" and "".join(cell["source"]).strip():
                assert cell["execution_count"], f"{path.name}: {''.join(cell['source'])[:60]}"


def test_every_stored_notebook_is_compared_where_nbval_runs_beside_the_tests(request):
    if not request.config.getoption("nbval"):
        pytest.skip("nbval compares nothing here. nox -s tests runs it beside the tests")
    stored = {path for room in ("notebooks", "exercises") for path in (ROOT / room).glob("*.ipynb")}
    assert len(stored) >= 13
    assert stored <= {item.path for item in request.session.items if type(item).__module__.startswith("nbval")}


@pytest.mark.slow
def test_one_changed_digit_in_a_stored_output_turns_nbval_red(tmp_path):
    """On the real notebook of the step purify, at the first figure it prints."""
    source = ROOT / "notebooks" / "purify.ipynb"
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for log in (ROOT / "notebooks" / "decisions").glob("*.csv"):
        (folder / "decisions").mkdir(exist_ok=True)
        (folder / "decisions" / log.name).write_bytes(log.read_bytes())
    nb = json.loads(source.read_text())
    path = folder / "purify.ipynb"
    for cell in nb["cells"]:
        for output in cell.get("outputs", []):
            text = "".join(output.get("data", {}).get("text/plain", output.get("text", "")))
            figure = re.search(r"\d\.\d\d\d", text)
            if figure:
                last = str((int(figure.group()[-1]) + 1) % 10)
                tampered = text[: figure.end() - 1] + last + text[figure.end() :]
                if "data" in output:
                    output["data"]["text/plain"] = tampered
                else:
                    output["text"] = tampered
                break
        else:
            continue
        break
    else:
        pytest.fail("the notebook prints no figure with three decimals")
    path.write_text(json.dumps(nb))
    red = nbval(path)
    assert red.returncode == 1, red.stdout
    assert re.search(r"\b1 failed, [1-9]\d* passed", red.stdout), red.stdout
    assert "error" not in red.stdout.splitlines()[-1]
