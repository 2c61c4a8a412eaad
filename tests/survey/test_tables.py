"""A file that a person opened, changed or lost is told in one sentence, with the way back."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from cocreation._paths import restoring
from cocreation.course import lab
from cocreation.errors import CourseError, InputError
from cocreation.steps.decisions import read_decisions
from cocreation.survey import datasets, population


@pytest.fixture
def mine(tmp_path, root, monkeypatch) -> Path:
    """A working copy's data sets, as its notebooks see them."""
    shutil.copytree(root / "datasets", tmp_path / "datasets")
    (tmp_path / ".cocreation").mkdir()
    (tmp_path / lab.RECORD).write_text("{}")
    monkeypatch.setenv("COCREATION_ROOT", str(tmp_path))
    return tmp_path / "datasets"


def changed(path: Path, old: bytes, new: bytes, count: int = -1) -> None:
    before = path.read_bytes()
    assert old in before
    path.write_bytes(before.replace(old, new, count))


@pytest.mark.parametrize(
    ("old", "new", "count", "told"),
    [
        (b"DO05", b"D005", 1, "lacks the column 'DO05'"),
        (b",", b";", -1, "no commas between its columns"),
        (b",", b"\t", -1, "no commas between its columns"),
        (b"\nP003,", b"\nP003,x,y,", 1, "equally long rows .*line 4"),
        (b"e-mail", "é-mail".encode("latin-1"), 1, "is not UTF-8 text"),
    ],
)
def test_a_survey_that_a_spreadsheet_changed_says_what_is_wrong_and_how_to_get_it_back(mine, old, new, count, told):
    changed(mine / "pre_survey.csv", old, new, count)
    with pytest.raises(InputError, match=f"pre_survey.csv.*{told}.*Delete the file and start") as caught:
        datasets.load("pre_survey")
    assert "\n" not in str(caught.value)


def test_a_lost_data_set_comes_back_with_the_next_start(mine):
    (mine / "pre_survey.csv").unlink()
    with pytest.raises(InputError, match=r"There is no file .*pre_survey\.csv\. Start the working copy's Lab again"):
        datasets.load("pre_survey")


def test_an_emptied_codebook_is_named(mine):
    (mine / "pre_survey.codebook.csv").write_bytes(b"")
    with pytest.raises(InputError, match=r"pre_survey\.codebook\.csv is empty"):
        datasets.load("pre_survey")


def test_what_excel_does_to_a_csv_file_without_changing_it_does_no_harm(mine):
    before = datasets.load("pre_survey")
    changed(mine / "pre_survey.csv", b"\n", b"\r\n")
    (mine / "pre_survey.csv").write_bytes(b"\xef\xbb\xbf" + (mine / "pre_survey.csv").read_bytes())
    pd.testing.assert_frame_equal(datasets.load("pre_survey"), before)


def test_a_column_of_ones_own_does_no_harm(mine):
    changed(mine / "follow_up.csv", b"\n", b",1\n")
    changed(mine / "follow_up.csv", b",1\n", b",mine\n", 1)
    assert "mine" in datasets.load("follow_up").columns


@pytest.mark.parametrize("how", ["lost", "damaged"])
def test_a_population_that_cannot_be_read_says_how_to_get_it_back(mine, how):
    if how == "lost":
        (mine / "population.toml").unlink()
    else:
        (mine / "population.toml").write_text("[[")
    population.load.cache_clear()
    with pytest.raises(CourseError, match=r"population\.toml.*tart the working copy's Lab again"):
        population.load()


def test_in_a_checkout_git_restores_a_file(root):
    told = restoring(root / "datasets" / "pre_survey.csv")
    assert told == "Restore it: git checkout -- datasets/pre_survey.csv"


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (None, "There is no decision log of the step 'purify'"),
        ("", "is empty"),
        ("subject,dec,rule,evidence\n", "lacks the column 'decision'"),
        ("subject,decision,rule,evidence\nDO01,Keep,a,b\n", "says 'Keep' for 'DO01'"),
    ],
)
def test_a_decision_log_lost_or_changed_names_the_notebook_that_writes_it(tmp_path, log, told):
    if log is not None:
        (tmp_path / "purify.csv").write_text(log)
    with pytest.raises(InputError, match=rf"{told}.*Run notebooks/purify\.ipynb"):
        read_decisions("purify", folder=tmp_path)


def test_a_notebook_shows_the_sentence_and_the_line_and_not_the_librarys_inside(tmp_path):
    cell = nbformat.v4.new_code_cell(
        "from cocreation.steps.decisions import read_decisions\nx = 1\nlog = read_decisions('purify')"
    )
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "a.ipynb")
    words = [sys.executable, "-m", "cocreation.authoring.notebooks", str(tmp_path / "a.ipynb")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "InputError: There is no decision log of the step 'purify'" in done.stderr
    assert "It came from the line: log = read_decisions('purify')" in done.stderr
    assert "site-packages" not in done.stderr
    assert "decisions.py" not in done.stderr
