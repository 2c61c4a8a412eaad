"""Assignments: personal data, hints that fit the mistake, and solutions that are right for everybody.

What every assignment keeps is asked of each that there is; what only purify has, of purify.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat import NotebookNode

from cocreation.authoring.release import student_edition
from cocreation.course import assignments, personal
from cocreation.course.assignments.flawed_scale import Flawed, flawed_scale
from cocreation.course.assignments.purify import questions
from cocreation.course.checks import Checks, NotYet, compare
from cocreation.course.questions import Question
from cocreation.errors import CourseError
from cocreation.steps import purify

SEED_OF_EXAMPLE = 0xBBA9FE2F46E00613DC3E12E1562F5E92
STUDENTS = [f"student {number}" for number in range(12)]


@pytest.fixture(scope="module", params=assignments.names())
def assignment(request) -> str:
    return request.param


@pytest.fixture
def notebook(root, assignment) -> NotebookNode:
    return nbformat.read(root / "exercises" / f"{assignment}.ipynb", as_version=4)


@pytest.fixture
def purify_notebook(root) -> NotebookNode:
    return nbformat.read(root / "exercises" / "purify.ipynb", as_version=4)


@pytest.fixture(scope="module", params=STUDENTS)
def student(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def flawed(student) -> Flawed:
    return flawed_scale(personal.seed("purify", student))


@pytest.fixture(scope="module")
def check(student) -> Checks:
    return Checks("purify", student)


@pytest.fixture(scope="module")
def recoded(flawed) -> pd.DataFrame:
    complete = flawed.data.dropna()
    return complete.assign(**{flawed.reverse_keyed: 8 - complete[flawed.reverse_keyed]})


# personal data ------------------------------------------------------------------------------------------------------


def test_a_student_gets_the_same_survey_every_time(assignment, student):
    pd.testing.assert_frame_equal(personal.data(assignment, student), personal.data(assignment, student))


def test_every_student_gets_another_survey(assignment):
    seen = {personal.data(assignment, student).to_csv() for student in STUDENTS}
    assert len(seen) == len(STUDENTS)


def test_seeds_follow_from_key_assignment_and_student_alone():
    # HMAC-SHA256 with the key "practice" and the message "purify", zero byte, "example"; computed with openssl
    assert personal.seed("purify", "example", key="practice") == SEED_OF_EXAMPLE
    assert personal.seed("purify", " Example ", key="practice") == SEED_OF_EXAMPLE
    others = [("purify", "example", "spring"), ("screen", "example", "practice"), ("purify", "example2", "practice")]
    assert all(personal.seed(a, s, key=k) != SEED_OF_EXAMPLE for a, s, k in others)


def test_the_course_key_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv(personal.KEY_VARIABLE, "spring")
    assert personal.seed("purify", "a") == personal.seed("purify", "a", key="spring")
    monkeypatch.delenv(personal.KEY_VARIABLE)
    assert personal.seed("purify", "a") == personal.seed("purify", "a", key=personal.PRACTICE_KEY)


def test_a_student_without_a_name_is_told_where_to_write_it():
    for nobody in ("", "  ", "…"):
        with pytest.raises(CourseError, match="STUDENT ="):
            personal.data("purify", nobody)


def test_answers_are_one_to_seven_with_some_skipped(flawed):
    values = flawed.data.to_numpy()
    assert set(np.unique(values[~np.isnan(values)])) <= set(range(1, 8))
    assert 0.005 < np.isnan(values).mean() < 0.05


def test_the_flaws_are_where_they_were_put(flawed, recoded):
    citc = purify.alpha(recoded).items.set_index("item")["citc"]
    as_given = purify.alpha(flawed.data).items.set_index("item")["citc"]
    assert as_given[flawed.reverse_keyed] < 0 < as_given.drop(flawed.reverse_keyed).median()
    assert (citc[list(flawed.weak)] < 0.45).all()
    assert 0.44 <= citc[flawed.rescued] < 0.5
    assert (citc.drop([*flawed.weak, flawed.rescued]) > 0.55).all()


def test_the_library_drops_the_weak_items_and_rescues_the_one_on_the_edge(flawed, recoded):
    kept = purify.purify(recoded, {"scale": list(recoded)}).kept["scale"]
    assert set(recoded) - set(kept) == set(flawed.weak)


# right answers and mistakes -----------------------------------------------------------------------------------------


def by_hand(recoded: pd.DataFrame) -> pd.Series:
    return pd.Series(
        {item: np.corrcoef(recoded[item], recoded.drop(columns=item).sum(axis=1))[0, 1] for item in recoded}
    )


def alpha(data: pd.DataFrame) -> float:
    covariances = np.cov(data.to_numpy(), rowvar=False)
    k = len(covariances)
    return k / (k - 1) * (1 - np.trace(covariances) / covariances.sum())


def test_answers_by_hand_are_right_exact_or_rounded_to_three_decimals(check, flawed, recoded):
    complete = flawed.data.dropna()
    table = complete.agg(["mean", "std"]).T.set_axis(["mean", "sd"], axis=1)
    given = {
        "spread": table,
        "citc": by_hand(recoded),
        "alpha": alpha(recoded),
        "if_deleted": pd.Series({item: alpha(recoded.drop(columns=item)) for item in recoded}),
    }
    for question, answer in given.items():
        assert check.verdict(question, answer).right
        rounded = round(answer, 3) if isinstance(answer, float) else answer.round(3)
        assert check.verdict(question, rounded).right
    assert check.verdict("citc", by_hand(recoded).to_dict()).right
    assert check.verdict("reverse", flawed.reverse_keyed).right
    assert check.verdict("recoded", recoded).right
    assert set(questions(flawed.data)["dropped"].right) == set(flawed.weak)


def test_answers_rounded_to_one_decimal_are_not_right(check, recoded):
    assert not check.verdict("citc", by_hand(recoded).round(1)).right


def told(check: Checks, question: str, answer) -> str:
    verdict = check.verdict(question, answer)
    assert not verdict.right
    assert verdict.message.strip()
    return verdict.mistake


def test_the_hint_fits_the_mistake(check, flawed, recoded):
    data, complete, k = flawed.data, flawed.data.dropna(), flawed.data.shape[1]
    assert told(check, "spread", pd.DataFrame({"mean": np.mean(complete, axis=0), "sd": np.std(complete, axis=0)})) == (
        "n instead of n-1"
    )
    assert told(check, "spread", pd.DataFrame({"mean": data.mean(), "sd": data.std()})) == "pairwise"
    assert told(check, "reverse", flawed.weak[0]) == "weak item"
    assert told(check, "reverse", flawed.rescued) == "keyed like the others"
    assert told(check, "recoded", complete.assign(**{flawed.reverse_keyed: 7 - complete[flawed.reverse_keyed]})) == (
        "7 - answer"
    )
    assert told(check, "recoded", complete) == "not recoded"
    assert told(check, "recoded", 8 - complete) == "all recoded"
    assert told(check, "citc", by_hand(complete)) == "not recoded"
    assert told(check, "citc", recoded.corrwith(recoded.sum(axis=1))) == "uncorrected"
    assert told(check, "alpha", alpha(complete)) == "not recoded"
    assert told(check, "alpha", 1 - recoded.var().sum() / recoded.sum(axis=1).var()) == "no k/(k-1)"
    mixed = k / (k - 1) * (1 - recoded.var().sum() / np.var(recoded.sum(axis=1).to_numpy()))
    assert told(check, "alpha", mixed) == "n mixed with n-1"
    assert told(check, "if_deleted", pd.Series(alpha(recoded), index=recoded.columns)) == "whole scale"
    assert told(check, "if_deleted", by_hand(recoded)) == "citc"


def test_skipped_answers_counted_as_zero_are_recognised(check, flawed):
    every = flawed.data.assign(**{flawed.reverse_keyed: 8 - flawed.data[flawed.reverse_keyed]})
    citc = pd.Series({item: every[item].corr(every.drop(columns=item).sum(axis=1)) for item in every})
    assert told(check, "citc", citc) == "missing counted as 0"


def test_dropping_everything_at_once_is_told_from_dropping_one_by_one(check, flawed, recoded):
    first = by_hand(recoded)
    at_once = first[first < 0.5].index.tolist()
    verdict = check.verdict("dropped", at_once)
    assert (verdict.right, verdict.mistake) == (False, "all at once")
    assert flawed.rescued in verdict.message
    assert told(check, "dropped", []) == "none"
    in_order = questions(flawed.data)["dropped"].right
    if len(in_order) > 1:
        assert told(check, "dropped", in_order[::-1]) == "order"
        assert told(check, "dropped", in_order[:1]) == "too few"


def good_log(flawed: Flawed, recoded: pd.DataFrame) -> pd.DataFrame:
    return purify.purify(recoded, {"XX": list(recoded)}).decisions


def test_the_librarys_own_log_is_right(check, flawed, recoded):
    assert check.verdict("log", good_log(flawed, recoded)).right


def test_a_log_is_told_what_it_lacks(check, flawed, recoded):
    log = good_log(flawed, recoded)
    kept = log.index[log["decision"] == "keep"][0]
    assert told(check, "log", log.drop(columns="rule")) == "shape"
    assert told(check, "log", log[log["decision"] == "drop"]) == "rows"
    assert told(check, "log", log.assign(rule="it was bad")) == "rule"
    assert told(check, "log", log.assign(evidence="see above")) == "evidence"
    assert told(check, "log", log.assign(decision="keep")) == "decision"
    first = by_hand(recoded)
    stale = log.assign(evidence=[f"CITC {first[item]:.3f}" for item in log["subject"]])
    assert told(check, "log", stale) == "first round"
    spoilt = log.copy()
    spoilt.loc[kept, "evidence"] = "see above"
    assert check.verdict("log", spoilt).message.startswith(log.loc[kept, "subject"])


def test_no_known_mistake_is_taken_for_another_or_for_right(assignment, student):
    asked = assignments.find(assignment).questions(personal.data(assignment, student))
    assert any(question.mistakes for question in asked.values())
    for question in asked.values():
        for mistake in question.mistakes:
            assert compare(mistake.value, question).mistake == mistake.name


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (..., "still “…”"),
        (None, "None (does your function return"),
        (len, "a function: call it"),
        ("0.9", "a text"),
        (True, "bool"),
        (float("nan"), "missing value"),
        (pd.Series([1.0]), "a Series"),
    ],
)
def test_something_that_is_no_number_is_told_what_it_is(answer, said):
    verdict = compare(answer, Question(0.9, "right", "otherwise"))
    assert not verdict.right
    assert said in verdict.message


def test_an_item_that_is_missing_or_too_many_is_named():
    question = Question(pd.Series({"A1": 0.5, "A2": 0.6}), "right", "otherwise")
    assert "lacks the item A2" in compare({"A1": 0.5}, question).message
    assert "has the item A3" in compare({"A1": 0.5, "A2": 0.6, "A3": 1.0}, question).message
    assert "A1 is missing" in compare({"A1": np.nan, "A2": 0.6}, question).message
    assert "A2 is 0.700" in compare({"A1": 0.5, "A2": 0.7}, question).message


def test_a_wrong_answer_raises_the_hint_alone_and_a_right_one_prints(check, flawed, capsys):
    with pytest.raises(NotYet) as caught:
        check("reverse", flawed.weak[0])
    assert caught.value._render_traceback_() == [f"Not yet: {caught.value}"]
    check("reverse", flawed.reverse_keyed)
    assert capsys.readouterr().out.startswith("Yes: ")


def test_changing_the_data_does_not_mislead_the_checks(flawed, student):
    mine = personal.data("purify", student)
    mine.iloc[:] = 4
    assert Checks("purify", student).verdict("reverse", flawed.reverse_keyed).right


def test_an_unknown_question_is_answered_with_the_known_ones(check):
    with pytest.raises(CourseError, match="It has: spread, reverse, recoded, citc, alpha, if_deleted, dropped, log"):
        check.verdict("beta", 1)


# the notebook -------------------------------------------------------------------------------------------------------


def run(notebook: NotebookNode, **replaced: str) -> dict:
    """Run the cells one after another as a script would; return the names they leave."""
    space: dict = {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        source = replaced.get(cell.metadata.get("nbgrader", {}).get("grade_id", "").replace("-", "_"), cell.source)
        for old, new in replaced.get("texts", {}).items():
            source = source.replace(old, new)
        exec(compile(source, "cell", "exec"), space)  # noqa: S102 – our own notebook
    plt.close("all")
    return space


def test_every_notebook_with_solutions_is_an_assignment_and_the_other_way_round(sources_with_solutions):
    assert sorted(path.stem for path in sources_with_solutions) == assignments.names()


def test_the_solution_is_right_for_every_student(notebook, assignment, student):
    space = run(notebook, texts={'STUDENT = "example"': f"STUDENT = {student!r}"})
    assert (space["STUDENT"], space["check"].assignment) == (student, assignment)
    checked = re.findall(r'^check\("(\w+)"', "\n".join(cell.source for cell in notebook.cells), re.MULTILINE)
    assert tuple(checked) == space["check"].questions  # else a wrong answer to one would pass


@pytest.mark.parametrize(
    ("cell", "cheat"),
    [
        ("answer_alpha", "alpha = lambda data: alpha_all\nalpha_all = purify_alpha"),
        ("answer_reverse", "reverse_keyed = complete.columns[0]\nrecoded = complete"),
    ],
)
def test_hidden_tests_catch_what_is_typed_in(purify_notebook, cell, cheat):
    from cocreation.steps.purify import alpha as library

    complete = personal.data("purify", "example").dropna()
    reverse = questions(personal.data("purify", "example"))["reverse"].right
    figure = library(complete.assign(**{reverse: 8 - complete[reverse]})).alpha
    with pytest.raises(AssertionError):
        run(purify_notebook, **{cell: cheat.replace("purify_alpha", repr(figure))})


def test_every_answer_cell_has_a_solution_and_a_test_with_a_hidden_part(notebook):
    flags = [(cell, cell.metadata["nbgrader"]) for cell in notebook.cells if "nbgrader" in cell.metadata]
    solutions = [cell for cell, flag in flags if flag["solution"]]
    tests = [cell for cell, flag in flags if flag["grade"]]
    assert len(solutions) == len(tests) > 0
    assert all("### BEGIN SOLUTION" in cell.source for cell in solutions)
    assert all("### BEGIN HIDDEN TESTS" in cell.source and "check(" in cell.source for cell in tests)
    [promised] = re.findall(r"\*\*Points:\*\* (\d+)", notebook.cells[0].source)
    assert sum(flag["points"] for _, flag in flags if flag["grade"]) == int(promised)


@pytest.mark.slow
def test_one_changed_digit_in_a_stored_output_is_noticed(root, tmp_path):
    text = (root / "exercises" / "purify.ipynb").read_text(encoding="utf-8")
    notebook = json.loads(text)
    [output] = [cell["outputs"][0] for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id")
                == "answer-alpha"]  # fmt: skip
    shown = output["data"]["text/plain"][0]
    output["data"]["text/plain"] = [shown[:-1] + ("1" if shown[-1] != "1" else "2")]
    (tmp_path / "purify.ipynb").write_text(json.dumps(notebook))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--nbval", "-p", "no:cacheprovider", "purify.ipynb"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "1 failed" in done.stdout


@pytest.mark.slow
def test_an_nbgrader_site_takes_source_and_release_as_they_are(root, purify_notebook, tmp_path):
    solutions = {
        cell.metadata.nbgrader.grade_id: "\n".join(line for line in cell.source.split("\n") if "###" not in line)
        for cell in purify_notebook.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    solutions_with_a_mistake = {**solutions, "answer-citc": "citc = recoded.corrwith(recoded.sum(axis=1))\ncitc"}
    (tmp_path / "source" / "purify").mkdir(parents=True)
    nbformat.write(purify_notebook, tmp_path / "source" / "purify" / "purify.ipynb")
    for name, given in (("ada", solutions), ("bob", solutions_with_a_mistake)):
        edition = nbformat.reads(student_edition(root / "exercises" / "purify.ipynb").content.decode(), as_version=4)
        for cell in edition.cells:
            cell.source = cell.source.replace('STUDENT = "example"', f"STUDENT = {name!r}")
            cell.source = given.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
        (tmp_path / "submitted" / name / "purify").mkdir(parents=True)
        nbformat.write(edition, tmp_path / "submitted" / name / "purify" / "purify.ipynb")
    patient = "\n".join(f"c.Execute.{name} = 300" for name in ("timeout", "startup_timeout", "iopub_timeout"))
    (tmp_path / "nbgrader_config.py").write_text(f"c = get_config()\n{patient}\n")
    tools = {**os.environ, "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]}  # its alembic
    for words in (["generate_assignment", "purify"], ["autograde", "purify"], ["export"]):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *words],
            cwd=tmp_path,
            env=tools,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    grades = pd.read_csv(tmp_path / "grades.csv").set_index("student_id")["score"]
    assert grades.to_dict() == {"ada": 22, "bob": 18}  # bob's CITC is the uncorrected one, and only that costs points
