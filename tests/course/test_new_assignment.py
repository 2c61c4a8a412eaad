"""An assignment is found by its name: a module and a notebook are all that a new one takes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cocreation.authoring.release import release
from cocreation.course import assignments, personal
from cocreation.course.checks import Checks
from cocreation.errors import CourseError

MODULE = '''
"""The assignment sums: add up three numbers of your own."""

import numpy as np
import pandas as pd

from cocreation.course.questions import Mistake, Question


def data(seed):
    return pd.DataFrame({"number": np.random.default_rng(seed).integers(1, 10**6, 3)})


def questions(data):
    numbers = data["number"]
    mean = Mistake("mean", float(numbers.mean()), "This is their mean.")
    return {"total": Question(int(numbers.sum()), "that is the sum.", "Add them up.", [mean])}
'''
SETUP = """from cocreation.course import checks, personal

STUDENT = "example"
numbers = personal.data("sums", STUDENT)
check = checks.Checks("sums", STUDENT)"""


def notebook() -> nbformat.NotebookNode:
    def flags(grade_id: str, **more) -> dict:
        kinds = {"solution": False, "grade": False, "locked": False, "task": False, "schema_version": 3}
        return {"nbgrader": {**kinds, "grade_id": grade_id, **more}}

    cells = [
        new_markdown_cell("# Add up\n\n**Points:** 1"),
        new_code_cell(SETUP),
        new_code_cell(
            '### BEGIN SOLUTION\ntotal = int(numbers["number"].sum())\n### END SOLUTION',
            metadata=flags("answer-total", solution=True),
        ),
        new_code_cell(
            'check("total", total)\n### BEGIN HIDDEN TESTS\nassert total > 0\n### END HIDDEN TESTS',
            metadata=flags("check-total", grade=True, locked=True, points=1),
        ),
    ]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A folder whose modules are assignments too, for one test."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setattr(assignments, "__path__", [*assignments.__path__, str(folder)])
    known = set(sys.modules)
    yield folder
    for name in set(sys.modules) - known:
        if name.startswith(f"{assignments.__name__}."):
            del sys.modules[name]
            vars(assignments).pop(name.rpartition(".")[2], None)


@pytest.fixture
def sums(room) -> Path:
    (room / "sums.py").write_text(MODULE)
    return room


def test_a_second_module_gives_data_questions_and_verdicts(sums):
    assert {"sums", "purify"} <= set(assignments.names())
    numbers = personal.data("sums", "ada")["number"]
    check = Checks("sums", "ada")
    assert check.questions == ("total",)
    assert check.verdict("total", int(numbers.sum())).right
    assert check.verdict("total", float(numbers.mean())).mistake == "mean"
    assert check.verdict("total", 0).message.endswith("Add them up.")
    assert personal.data("sums", "ada").equals(personal.data("sums", "Ada "))
    assert not personal.data("sums", "ada").equals(personal.data("sums", "bob"))


def test_its_notebook_is_released_by_its_name(sums, tmp_path):
    (tmp_path / "exercises").mkdir()
    nbformat.write(notebook(), tmp_path / "exercises" / "sums.ipynb")
    done = release(["sums"], source=tmp_path / "exercises", output=tmp_path / "out", run=False)
    assert [edition.questions for edition in done.editions] == [("answer-total",)]
    assert ".sum()" not in (tmp_path / "out" / "sums.ipynb").read_text(encoding="utf-8")


@pytest.mark.slow
def test_two_files_in_a_checkout_are_enough(root, tmp_path):
    """A copy of the checkout, the module and the notebook; then the commands as an instructor gives them."""
    for folder in ("src", "datasets", "exercises"):
        shutil.copytree(root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "src" / "cocreation" / "course" / "assignments" / "sums.py").write_text(MODULE)
    nbformat.write(notebook(), tmp_path / "exercises" / "sums.ipynb")
    places = {"PYTHONPATH": str(tmp_path / "src"), "COCREATION_ROOT": str(tmp_path)}

    def told(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=tmp_path, env={**os.environ, **places}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    told("cocreation", "release", "sums", "--output", "out")  # which runs it as far as the first answer
    edition = json.loads((tmp_path / "out" / "sums.ipynb").read_text(encoding="utf-8"))
    assert "NotImplementedError" in edition["cells"][2]["source"][-1]
    assert "3 passed" in told("pytest", "-q", "--nbval", "-p", "no:cacheprovider", "exercises/sums.ipynb")


def test_what_is_no_assignment_is_answered_with_those_there_are(sums):
    for name in ("dance", "flawed_scale", "Purify", "purify.py", "", "__init__", None, 5, ["purify"]):
        for asked in (assignments.find, lambda name: personal.data(name, "ada"), lambda name: Checks(name, "ada")):
            with pytest.raises(CourseError, match=r"^There is no assignment '.*'\. There are: (\w+, )*sums(, \w+)*\.$"):
                asked(name)


@pytest.mark.parametrize("name", ["os", "..", "../trap", ".trap", "helper.trap", "helper/trap", "trap\0", "sums "])
def test_a_name_runs_nothing_but_a_module_of_the_package(sums, name):
    trap = "raise SystemExit('this was run')"
    (sums / "helper").mkdir()
    (sums / "helper" / "__init__.py").write_text("")
    for folder in (sums.parent, sums / "helper"):
        (folder / "trap.py").write_text(trap)
    with pytest.raises(CourseError, match="There is no assignment"):
        assignments.find(name)


@pytest.mark.parametrize(("there", "lacking"), [("data", "questions"), ("questions", "data")])
def test_half_an_assignment_is_told_what_it_lacks(room, there, lacking):
    (room / "half.py").write_text(f"def {there}(given):\n    return given\n")
    with pytest.raises(CourseError, match=rf"assignments\.half has no function '{lacking}'"):
        personal.data("half", "ada")
    assert "half" not in assignments.names()


def test_a_mistake_in_a_module_is_shown_as_it_is(room):
    (room / "broken.py").write_text("import nothing_of_that_name\n")
    with pytest.raises(ModuleNotFoundError, match="nothing_of_that_name"):
        assignments.find("broken")
