"""The wheel: everything a student needs, and no solution."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory) -> Path:
    """The wheel, unpacked: what an installation of it holds."""
    place = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(words, cwd=root, check=True, capture_output=True)
    with zipfile.ZipFile(next(place.glob("*.whl"))) as packed:
        packed.extractall(place / "installed")
    return place / "installed"


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


def test_data_sets_notebooks_logs_and_every_card_sort_are_there(wheel, root):
    for pattern in ("datasets/*", "notebooks/*.ipynb", "notebooks/decisions/*.csv", "exercises/*.yml"):
        for path in root.glob(pattern):
            there = wheel / "cocreation" / "_files" / path.relative_to(root)
            assert there.read_bytes() == path.read_bytes(), path.name


def test_a_working_copy_comes_out_of_it(wheel, tmp_path):
    done = command(wheel, "lab", "--copy-only", "--folder", str(tmp_path / "mine"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine" / "notebooks" / "purify.ipynb").is_file()
    assert [path.name for path in sorted((tmp_path / "mine" / "exercises").iterdir())] == ["logics.ipynb", "logics.yml"]


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
