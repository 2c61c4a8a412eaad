"""The wheel: everything a student needs, and no notebook with a solution."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


def build(checkout: Path, place: Path) -> subprocess.CompletedProcess:
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    return subprocess.run(words, cwd=checkout, capture_output=True, text=True, check=False)


def unpacked(place: Path) -> Path:
    with zipfile.ZipFile(next(place.glob("*.whl"))) as packed:
        packed.extractall(place / "installed")
    return place / "installed"


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory) -> Path:
    """The wheel, unpacked: what an installation of it holds."""
    place = tmp_path_factory.mktemp("wheel")
    done = build(root, place)
    assert done.returncode == 0, done.stderr
    return unpacked(place)


@pytest.fixture
def small(root, tmp_path) -> Path:
    """A checkout of empty rooms, to be added to."""
    place = tmp_path / "small"
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "LICENSE-CONTENT", "_toc.yml"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, place / name)
    for folder in ("src/cocreation", "datasets", "notebooks", "exercises", "book"):
        (place / folder).mkdir(parents=True)
    (place / "src" / "cocreation" / "__init__.py").write_text("")
    return place


def a_notebook(source: str, **metadata: object) -> str:
    cell = {"cell_type": "code", "id": "a", "metadata": metadata, "source": [source], "outputs": []}
    return json.dumps(
        {"cells": [{**cell, "execution_count": None}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )


def command(wheel: Path, *words: str) -> subprocess.CompletedProcess:
    script = f"import sys; sys.path.insert(0, {str(wheel)!r}); from cocreation.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=False, cwd=wheel
    )


def test_no_file_holds_a_solution(wheel):
    inside = [path for path in wheel.rglob("*.ipynb") if path.is_file()]
    assert inside
    for path in inside:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not any("### BEGIN" in "".join(cell["source"]) for cell in cells), path.name
        assert not any(cell["metadata"].get("nbgrader", {}).get("solution") for cell in cells), path.name


def test_of_the_exercises_exactly_those_without_solutions_are_there(wheel, root, sources_with_solutions):
    inside = {path.name for path in (wheel / "cocreation" / "_shipped" / "exercises").iterdir()}
    sources = {path.name for path in (root / "exercises").iterdir() if path.suffix in {".ipynb", ".yml"}}
    assert inside == sources - {path.name for path in sources_with_solutions}
    assert any(name.endswith(".ipynb") for name in inside)


def test_new_practice_goes_in_without_a_line_and_a_new_assignment_stays_out(small, tmp_path):
    exercises = small / "exercises"
    (exercises / "new.yml").write_text("kind: card-sort")
    (exercises / "new.ipynb").write_text(a_notebook("from cocreation.widgets import CardSort"))
    solution = {"nbgrader": {"grade_id": "a", "solution": True}}
    (exercises / "solved.ipynb").write_text(a_notebook("mean = 3", **solution))
    (exercises / "no-metadata.ipynb").write_text(a_notebook("### BEGIN SOLUTION\nmean = 3\n### END SOLUTION"))
    (exercises / "misspelt.ipynb").write_text(a_notebook("# begin_solution\nmean = 3"))
    (exercises / ".new.yml").write_text("an editor's copy")
    (exercises / "notes.txt").write_text("mean = 3")
    assert build(small, tmp_path / "dist").returncode == 0
    inside = {path.name for path in (unpacked(tmp_path / "dist") / "cocreation" / "_shipped" / "exercises").iterdir()}
    assert inside == {"new.ipynb", "new.yml"}


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"cells": [1]}', '{"cells": [{"metadata": {}}]}'])
def test_a_notebook_that_cannot_be_read_stops_the_build(small, tmp_path, content):
    (small / "exercises" / "broken.ipynb").write_text(content)
    done = build(small, tmp_path / "dist")
    assert done.returncode != 0
    assert "broken.ipynb is not a notebook that can be read" in done.stderr
    assert not list((tmp_path / "dist").glob("*.whl"))


def test_data_sets_notebooks_logs_and_every_card_sort_are_there(wheel, root):
    for pattern in ("datasets/*", "notebooks/*.ipynb", "notebooks/decisions/*.csv", "exercises/*.yml"):
        for path in root.glob(pattern):
            there = wheel / "cocreation" / "_shipped" / path.relative_to(root)
            assert there.read_bytes() == path.read_bytes(), path.name


def test_a_working_copy_comes_out_of_it(wheel, root, tmp_path):
    done = command(wheel, "lab", "--copy-only", "--folder", str(tmp_path / "mine"))
    assert done.returncode == 0, done.stderr
    # with the words and numbers of the book, though the book itself is not in the wheel
    shown = (tmp_path / "mine" / "notebooks" / "explore.ipynb").read_text(encoding="utf-8")
    assert "[Figure 12.1](#fig-explore-scree)" in shown
    assert "[[Velicer, 1976](/book/book/bibliography.html#ref-velicer1976 " in shown
    practice = {path.name for path in (wheel / "cocreation" / "_shipped" / "exercises").iterdir()}
    assert {path.name for path in (tmp_path / "mine" / "exercises").iterdir()} == practice


def test_it_makes_the_shipped_data_whatever_language_time_zone_and_hash_seed(wheel, root, tmp_path, monkeypatch):
    for name, value in {"LANG": "tr_TR.UTF-8", "LC_ALL": "C", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "77"}.items():
        monkeypatch.setitem(os.environ, name, value)
    done = command(wheel, "data", "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written
    assert written == {name: (root / "datasets" / name).read_bytes() for name in written}


@pytest.mark.parametrize(("words", "told"), [(["book"], "Run this in a checkout"), (["release", "purify"], "checkout")])
def test_what_needs_a_checkout_says_so(wheel, words, told):
    done = command(wheel, *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
