"""The student edition holds the task and nothing of the answer."""

from __future__ import annotations

import copy
import json
import re
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cocreation.authoring import leaks
from cocreation.authoring.release import RECORD, release, student_edition, try_out
from cocreation.errors import CourseError

CANARY = "kanarie77"


def flags(grade_id: str, *, solution: bool = False, grade: bool = False, points: int = 1) -> dict:
    kept = {"grade_id": grade_id, "solution": solution, "grade": grade, "locked": grade, "schema_version": 3}
    return {"nbgrader": {**kept, "task": False, **({"points": points} if grade else {})}}


def assignment(*, answer: str | None = None, test: str | None = None, prose: str = "Add the two numbers."):
    """A small assignment with a canary in every place that students must not see."""
    answer = answer or f"### BEGIN SOLUTION\nsum_of_both = {{'{CANARY}': 2 + 3}}\n### END SOLUTION\nsum_of_both"
    test = test or f"check = 1\n### BEGIN HIDDEN TESTS\nassert sum_of_both != '{CANARY}'\n### END HIDDEN TESTS"
    cells = [
        new_markdown_cell(prose, metadata={"note": CANARY}),
        new_code_cell("a, b = 2, 3", metadata={"tags": [CANARY]}),
        new_code_cell(answer, metadata={**flags("answer", solution=True), "remark": CANARY}),
        new_code_cell(test, metadata=flags("test", grade=True)),
        new_markdown_cell(f"An essay for {CANARY}.", metadata=flags("essay", solution=True, grade=True)),
    ]
    cells[2].outputs = [
        new_output("execute_result", data={"text/plain": f"{{'{CANARY}': 0.87654}}"}, execution_count=1),
        new_output("stream", name="stderr", text=CANARY),
    ]
    cells[2].execution_count = 1
    cells[4].attachments = {"key.png": {"image/png": CANARY}}
    return new_notebook(
        cells=cells, metadata={"instructor": CANARY, "kernelspec": {"name": CANARY, "display_name": CANARY}}
    )


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "exercises"
    folder.mkdir()

    def save(notebook, name: str = "sums.ipynb"):
        nbformat.write(notebook, folder / name)
        return folder / name

    return save


def refusal(path) -> str:
    with pytest.raises(CourseError) as caught:
        student_edition(path)
    return str(caught.value)


def test_no_canary_reaches_the_student(source):
    edition = student_edition(source(assignment()))
    assert CANARY not in edition.content.decode()
    assert edition.questions == ("answer", "essay")


def test_the_student_edition_is_one_that_nbgrader_accepts(source):
    from nbgrader.nbgraderformat import reads

    notebook = reads(student_edition(source(assignment())).content.decode(), as_version=4)
    assert "raise NotImplementedError" in notebook.cells[2].source
    assert notebook.cells[2].source.endswith("sum_of_both")  # the line after the region stays
    assert notebook.cells[3].source == "check = 1"
    assert all(cell.metadata.nbgrader.get("checksum") for cell in notebook.cells[2:])
    assert notebook.cells[3].metadata.editable is False


def test_equal_sources_give_equal_bytes(source):
    path = source(assignment())
    assert student_edition(path).content == student_edition(path).content


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("### BEGIN SOLUTION\nx = 1", "never closed"),
        ("x = 1\n### END SOLUTION", "closes nothing"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "inside an open"),
        ("### BEGIN SOLUTION\nx = 1\n### END HIDDEN TESTS", "closes nothing"),
        ("### BEGIN SOLUTON\nx = 1\n### END SOLUTON", "looks like a marker"),
        ("### begin solution\nx = 1\n### end solution", "looks like a marker"),
        ("x = 1  ### BEGIN SOLUTION\ny = 2\n### END SOLUTION", "looks like a marker"),
        ("# BEGIN_SOLUTION\nx = 1\n# END_SOLUTION", "looks like a marker"),
        ("### BEGIN HIDDEN TESTS\nx = 1\n### END HIDDEN TESTS", "not marked as grade"),
        ("### AUTOTEST x", "looks like a marker"),
    ],
)
def test_a_broken_marker_stops_the_release_and_names_file_and_cell(source, answer, reason):
    message = refusal(source(assignment(answer=answer)))
    assert reason in message
    assert message.startswith("sums.ipynb, cell 'answer' (cell 3)")


def test_a_solution_in_an_ordinary_cell_stops_the_release(source):
    notebook = assignment()
    notebook.cells[1].source = "### BEGIN SOLUTION\na, b = 2, 3\n### END SOLUTION"
    assert "not marked as solution" in refusal(source(notebook))


def test_an_answer_given_away_in_the_prose_stops_the_release(source):
    answer = "### BEGIN SOLUTION\ntotal_of_numbers = sum([a, b])\n### END SOLUTION"
    message = refusal(source(assignment(answer=answer, prose="Write `total_of_numbers = sum([a,b])`.")))
    assert "would show a line of 'answer' (cell 3) in cell 1" in message


def test_an_answers_figure_in_the_prose_stops_the_release(source):
    assert "0.87654" in refusal(source(assignment(prose="You should get 0.87654.")))


def test_a_hidden_test_repeated_in_the_visible_part_stops_the_release(source):
    line = "assert sum_of_both == {'five': 5}"
    test = f"{line}\n### BEGIN HIDDEN TESTS\n{line}\n### END HIDDEN TESTS"
    assert "would show a line of 'test'" in refusal(source(assignment(test=test)))


def test_twice_the_same_grade_id_stops_the_release(source):
    notebook = assignment()
    notebook.cells[4].metadata.nbgrader.grade_id = "answer"
    assert "Duplicate grade id" in refusal(source(notebook))


def test_a_damaged_file_is_named(source):
    path = source(assignment())
    path.write_text("{")
    assert refusal(path).startswith("sums.ipynb is not a notebook")


def _put(notebook, what: str):
    cell = notebook.cells[1]
    if what == "output":
        cell.outputs = [new_output("stream", text="5")]
    elif what == "count":
        cell.execution_count = 3
    elif what == "metadata":
        cell.metadata.remark = "easy"
    elif what == "nbgrader":
        notebook.cells[2].metadata.nbgrader.remark = "easy"
    elif what == "notebook":
        notebook.metadata.instructor = "me"
    elif what == "marker":
        cell.source += "\n### END HIDDEN TESTS"
    elif what == "solution":
        cell.source += f"\nsum_of_both = {{'{CANARY}': 2 + 3}}"


@pytest.mark.parametrize("what", ["output", "count", "metadata", "nbgrader", "notebook", "marker", "solution"])
def test_the_proof_finds_what_the_cutting_might_leave(source, what):
    original = assignment()
    secrets = leaks.read_secrets(original, "sums.ipynb")
    edition = nbformat.reads(student_edition(source(original)).content.decode(), as_version=4)
    leaks.prove(edition, secrets, "sums.ipynb")
    spoilt = copy.deepcopy(edition)
    _put(spoilt, what)
    with pytest.raises(CourseError, match=r"student edition of sums\.ipynb"):
        leaks.prove(spoilt, secrets, "sums.ipynb")


@pytest.mark.parametrize("place", ["solution", "hidden test", "output", "metadata"])
def test_the_taint_proof_notices_machinery_that_forgets_one_place(place):
    def forgetful(tainted) -> str:
        cells = {"solution": tainted.cells[2].source, "hidden test": tainted.cells[3].source}
        parts = {"output": tainted.cells[1].outputs, "metadata": tainted.metadata}
        return json.dumps({**cells, **parts}[place])

    with pytest.raises(CourseError, match="planted"):
        leaks.prove_taint(assignment(), forgetful, "sums.ipynb")


def test_practice_without_nbgrader_cells_only_loses_outputs_and_notes(source):
    notebook = assignment()
    notebook.cells = notebook.cells[:2]
    notebook.cells[1].outputs = [new_output("stream", text=CANARY)]
    edition = student_edition(source(notebook))
    assert edition.questions == ()
    assert CANARY not in edition.content.decode()
    assert [cell.source for cell in nbformat.reads(edition.content.decode(), 4).cells] == [
        cell.source for cell in notebook.cells
    ]


def test_the_student_edition_runs_until_the_first_answer(source):
    try_out(student_edition(source(assignment())))


def test_an_edition_that_fails_before_the_first_answer_is_refused(source):
    notebook = assignment()
    notebook.cells[1].source = "a = b"
    with pytest.raises(CourseError, match=r"does not run: cell 2 .* NameError"):
        try_out(student_edition(source(notebook)))


def everything(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(("cards", "told"), [("\t- x", "not valid YAML"), ("cards: []\n", "unknown field 'cards'")])
def test_card_data_with_a_mistake_stop_the_release(source, tmp_path, cards, told):
    path = source(assignment())
    (path.parent / "cards.yml").write_text(cards)
    with pytest.raises(CourseError, match=rf"cards\.yml.*{told}"):
        release(output=tmp_path / "out", source=path.parent, run=False)
    assert not (tmp_path / "out").exists()


def test_metadata_that_are_not_nbgraders_name_the_cell(source):
    notebook = assignment()
    place = next(index for index, cell in enumerate(notebook.cells) if "nbgrader" in cell.metadata)
    notebook.cells[place].metadata.nbgrader.points = "five"
    assert f"(cell {place + 1}): 'five' is not of type 'number'" in refusal(source(notebook))


def test_a_release_writes_notebooks_and_card_data_and_a_second_one_changes_nothing(source, tmp_path, root):
    path = source(assignment())
    shutil.copy(root / "exercises" / "logics.yml", path.parent / "cards.yml")
    first = release(output=tmp_path / "out", source=path.parent, run=False)
    assert first.written == ("cards.yml", "sums.ipynb")
    before = everything(tmp_path / "out")
    assert set(before) == {"cards.yml", "sums.ipynb", RECORD}
    again = release(output=tmp_path / "out", source=path.parent, run=False)
    assert again.written == ()
    assert everything(tmp_path / "out") == before


def test_one_bad_assignment_leaves_the_earlier_release_as_it_was(source, tmp_path):
    path = source(assignment())
    release(output=tmp_path / "out", source=path.parent, run=False)
    before = everything(tmp_path / "out")
    source(assignment(prose="Newer."))
    source(assignment(answer="### BEGIN SOLUTION\nx = 1"), "zebra.ipynb")
    with pytest.raises(CourseError, match=r"zebra\.ipynb"):
        release(output=tmp_path / "out", source=path.parent, run=False)
    assert everything(tmp_path / "out") == before


def test_a_folder_with_other_files_is_left_alone_unless_forced(source, tmp_path):
    path = source(assignment())
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(CourseError, match=r"holds other files \(thesis\.txt\)"):
        release(output=out, source=path.parent, run=False)
    release(output=out, source=path.parent, run=False, force=True)
    assert (out / "thesis.txt").read_text() == "mine"
    assert (out / "sums.ipynb").exists()


def test_a_released_file_that_was_changed_is_not_overwritten_unless_forced(source, tmp_path):
    path = source(assignment())
    out = tmp_path / "out"
    release(output=out, source=path.parent, run=False)
    (out / "sums.ipynb").write_text("edited")
    with pytest.raises(CourseError, match="was changed since the last release"):
        release(output=out, source=path.parent, run=False)
    assert (out / "sums.ipynb").read_text() == "edited"
    release(output=out, source=path.parent, run=False, force=True)
    assert "nbgrader" in (out / "sums.ipynb").read_text()


def test_the_courses_own_sources_are_never_a_place_to_release_to(root):
    for force in (False, True):
        with pytest.raises(CourseError, match="own sources"):
            release(output=root / "exercises", force=force, run=False)


def test_an_unknown_assignment_is_answered_with_the_known_ones(source, tmp_path):
    path = source(assignment())
    with pytest.raises(CourseError, match=r"no assignment 'nope'\. There are: sums"):
        release(["nope"], output=tmp_path / "out", source=path.parent)
    assert not (tmp_path / "out").exists()


def solution_lines(path) -> list[str]:
    """What stands between the markers of a notebook's solutions and nowhere else, one-word lines apart."""
    source = "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"])
    regions = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", source, re.DOTALL)
    lines = {line.strip() for region in regions for line in region.split("\n") if " " in line.strip()}
    for region in regions:
        source = source.replace(region, "")
    return sorted(line for line in lines if line not in source)


def test_everything_the_course_ships_can_be_released(root, sources_with_solutions, tmp_path):
    done = release(output=tmp_path / "out")
    kinds = {".ipynb", ".yml"}
    assert list(done.written) == sorted(path.name for path in (root / "exercises").iterdir() if path.suffix in kinds)
    assert [edition.name for edition in done.editions if edition.questions] == [
        path.name for path in sources_with_solutions
    ]
    for source in sources_with_solutions:
        cells = json.loads((tmp_path / "out" / source.name).read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells)
        assert "BEGIN" not in text
        assert solution_lines(source)
        assert not [line for line in solution_lines(source) if line in text]
        assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.parametrize(
    "note",
    [
        "<!-- solution: sum_of_both = a + b -->",
        "Add them. <!-- the trick\nis to recode first --> Then go on.",
        "[//]: # (recode first)",
        "[comment]: <> (recode first)",
        "<span style='display: none'>recode first</span>",
        "<div hidden>recode first</div>",
        "<script>/* recode first */</script>",
    ],
)
@pytest.mark.parametrize("practice", [False, True])
def test_a_note_that_only_the_source_shows_stops_the_release(source, note, practice):
    notebook = assignment(prose=f"Add the two numbers.\n\n{note}")
    if practice:
        notebook.cells = notebook.cells[:2]
    message = refusal(source(notebook))
    assert "a note that only its source shows" in message
    assert "in cell 1 (“Add the two numbers.”)" in message


@pytest.mark.parametrize(
    "prose",
    [
        "Write `<!-- a comment -->` and see.",
        "```html\n<!-- a comment -->\n```",
        "<details><summary>A hint</summary>Recode first.</details>",
        "If a<b, see [the book][b].\n\n[b]: https://example.org 'The book'",
        "<img src='a.png' alt='a hidden face'>",
    ],
)
def test_what_a_reader_sees_is_no_note(source, prose):
    edition = nbformat.reads(student_edition(source(assignment(prose=prose))).content.decode(), as_version=4)
    assert edition.cells[0].source == prose


def test_a_release_that_is_interrupted_can_be_made_again(source, tmp_path, monkeypatch):
    from cocreation.authoring import release as module

    path = source(assignment())
    source(assignment(), "zebra.ipynb")
    write, done = module.write_whole, []

    def stopped(target, content):
        if done:
            raise KeyboardInterrupt
        done.append(target)
        write(target, content)

    monkeypatch.setattr(module, "write_whole", stopped)
    with pytest.raises(KeyboardInterrupt):
        release(output=tmp_path / "out", source=path.parent, run=False)
    monkeypatch.undo()
    source(assignment(prose="Newer."))
    assert release(output=tmp_path / "out", source=path.parent, run=False).written == ("sums.ipynb", "zebra.ipynb")
