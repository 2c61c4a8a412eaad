"""A working copy grows with the course and never costs a student their work."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import sys
from pathlib import Path

import pytest
from contents import CHAPTERS, WITH_NOTEBOOK

from cocreation.course import lab
from cocreation.errors import CourseError


@pytest.fixture
def course(tmp_path, root) -> Path:
    """A small course, to be changed at will."""
    place = tmp_path / "course"
    for folder in ("notebooks/decisions", "datasets", "exercises"):
        (place / folder).mkdir(parents=True)
    (place / "notebooks" / "purify.ipynb").write_text("first edition")
    (place / "notebooks" / "decisions" / "purify.csv").write_text("subject,decision,rule,evidence\n")
    (place / "datasets" / "pre_survey.csv").write_text("a,b\n1,2\n")
    shutil.copy(root / "exercises" / "purify.ipynb", place / "exercises")
    return place


@pytest.fixture
def copy(tmp_path) -> Path:
    return tmp_path / "mine"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_first_start_brings_notebooks_data_and_student_editions(course, copy):
    done = lab.update(copy, root=course)
    assert sorted(done.added) == [
        "datasets/pre_survey.csv",
        "exercises/purify.ipynb",
        "notebooks/decisions/purify.csv",
        "notebooks/purify.ipynb",
        "start.md",
    ]
    assert "BEGIN SOLUTION" in (course / "exercises" / "purify.ipynb").read_text(encoding="utf-8")
    assert "BEGIN SOLUTION" not in (copy / "exercises" / "purify.ipynb").read_text(encoding="utf-8")


def test_the_start_page_names_the_book_and_leads_through_the_steps_to_every_notebook_and_exercise(root, copy):
    lab.update(copy)
    page = (copy / lab.START).read_text(encoding="utf-8")
    assert "**[The book](/book/index.html)**" in page
    rows = re.findall(r"^\| (\d+)\s(\w+) \| \[.+?\]\(/book/book/(\w+)\.html\) \| (.*) \|$", page, re.MULTILINE)
    assert [(int(number), word, slug) for number, word, slug, _ in rows] == [
        (number, slug, slug) for number, slug in enumerate(CHAPTERS, 1)
    ]
    assert [slug for _, slug, _, do in rows if f"](notebooks/{slug}.ipynb)" in do] == WITH_NOTEBOOK
    linked = re.findall(r"\]\(([^/)]\S+)\)", page)
    every = [
        path.relative_to(root).as_posix()
        for room in ("exercises", "notebooks")
        for path in (root / room).glob("*.ipynb")
    ]
    assert len(every) >= len(WITH_NOTEBOOK) + 4
    assert sorted(linked) == sorted(every)
    assert all((copy / page).is_file() for page in linked)
    assert "[Purify a scale of your own](exercises/purify.ipynb)" in page


def test_an_upgrade_of_the_chapters_refreshes_untouched_notebooks_and_leaves_touched_ones(course, copy):
    """What the copy shows of the glossary is part of what is compared."""
    (course / "book").mkdir()
    glossary = course / "book" / "glossary.md"
    glossary.write_text("```{glossary}\nalpha\n  A coefficient.\n```\n")
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "See {term}`alpha`."}
    text = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    for name in ("purify", "explore"):
        (course / "notebooks" / f"{name}.ipynb").write_text(text)
    lab.update(copy, root=course)
    shown = (copy / "notebooks" / "explore.ipynb").read_text()
    assert r"See [alpha](/book/book/glossary.html#term-alpha \"A coefficient.\")." in shown
    mine = (copy / "notebooks" / "purify.ipynb").read_text().replace("See", "I see")
    (copy / "notebooks" / "purify.ipynb").write_text(mine)
    assert lab.update(copy, root=course).replaced == []
    glossary.write_text("```{glossary}\nalpha\n  A lower bound.\n```\n")
    done = lab.update(copy, root=course)
    assert done.replaced == ["notebooks/explore.ipynb"]
    assert done.beside == {"notebooks/purify.ipynb": "notebooks/purify (newer).ipynb"}
    assert "A lower bound." in (copy / "notebooks" / "explore.ipynb").read_text()
    assert (copy / "notebooks" / "purify.ipynb").read_text() == mine


def test_a_copy_of_an_older_course_that_shows_myst_is_brought_up_to_date(root, copy):
    """Its record holds what was copied then: the sources themselves."""
    name = "notebooks/explore.ipynb"
    source = (root / name).read_bytes()
    (copy / "notebooks").mkdir(parents=True)
    (copy / name).write_bytes(source)
    record = copy / lab.RECORD
    record.parent.mkdir()
    record.write_text(json.dumps({"copied": {name: hashlib.sha256(source).hexdigest()}, "cells": {}, "offered": {}}))
    done = lab.update(copy)
    assert name in done.replaced
    assert ":::" not in (copy / name).read_text(encoding="utf-8")


def test_a_second_start_changes_nothing(course, copy):
    lab.update(copy, root=course)
    before = contents(copy)
    done = lab.update(copy, root=course)
    assert (done.added, done.replaced, done.beside) == ([], [], {})
    assert contents(copy) == before


def test_what_a_student_wrote_stays_and_the_newer_version_lies_beside_it(course, copy):
    lab.update(copy, root=course)
    (copy / "notebooks" / "purify.ipynb").write_text("my own work")
    (course / "notebooks" / "purify.ipynb").write_text("second edition")
    done = lab.update(copy, root=course)
    assert done.beside == {"notebooks/purify.ipynb": "notebooks/purify (newer).ipynb"}
    assert (copy / "notebooks" / "purify.ipynb").read_text() == "my own work"
    assert (copy / "notebooks" / "purify (newer).ipynb").read_text() == "second edition"


def test_a_newer_version_is_offered_once_and_the_next_one_gets_a_name_of_its_own(course, copy):
    lab.update(copy, root=course)
    (copy / "notebooks" / "purify.ipynb").write_text("my own work")
    (course / "notebooks" / "purify.ipynb").write_text("second edition")
    lab.update(copy, root=course)
    (copy / "notebooks" / "purify (newer).ipynb").write_text("my work goes on here")
    assert lab.update(copy, root=course).beside == {}
    (course / "notebooks" / "purify.ipynb").write_text("third edition")
    done = lab.update(copy, root=course)
    assert done.beside == {"notebooks/purify.ipynb": "notebooks/purify (newer 2).ipynb"}
    assert (copy / "notebooks" / "purify (newer).ipynb").read_text() == "my work goes on here"


def test_a_file_nobody_touched_is_brought_up_to_date(course, copy):
    lab.update(copy, root=course)
    (course / "notebooks" / "purify.ipynb").write_text("second edition")
    done = lab.update(copy, root=course)
    assert (done.replaced, done.beside) == (["notebooks/purify.ipynb"], {})
    assert (copy / "notebooks" / "purify.ipynb").read_text() == "second edition"


def test_a_changed_file_is_left_in_peace_while_the_course_has_nothing_newer(course, copy):
    lab.update(copy, root=course)
    (copy / "notebooks" / "purify.ipynb").write_text("my own work")
    done = lab.update(copy, root=course)
    assert (done.added, done.replaced, done.beside) == ([], [], {})


def test_a_students_file_that_was_there_before_the_course_stays(course, copy):
    (copy / "notebooks").mkdir(parents=True)
    (copy / "notebooks" / "purify.ipynb").write_text("notes of my own")
    (copy / "thesis.txt").write_text("mine")
    lab.update(copy, root=course)
    assert (copy / "notebooks" / "purify.ipynb").read_text() == "notes of my own"
    assert (copy / "thesis.txt").read_text() == "mine"


def a_notebook(source: str, output: str = "") -> str:
    outputs = [{"output_type": "stream", "name": "stdout", "text": output}] if output else []
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": outputs}
    return json.dumps({"cells": [{**cell, "execution_count": 1 if output else None}], "metadata": {}, "nbformat": 4})


def test_a_notebook_that_was_only_run_is_brought_up_to_date(course, copy):
    (course / "notebooks" / "purify.ipynb").write_text(a_notebook("print(1)"))
    lab.update(copy, root=course)
    (copy / "notebooks" / "purify.ipynb").write_text(a_notebook("print(1)", output="1"))
    assert lab.update(copy, root=course).replaced == []
    (course / "notebooks" / "purify.ipynb").write_text(a_notebook("print(2)"))
    done = lab.update(copy, root=course)
    assert (done.replaced, done.beside) == (["notebooks/purify.ipynb"], {})
    (copy / "notebooks" / "purify.ipynb").write_text(a_notebook("print(2)  # and I see why", output="2"))
    (course / "notebooks" / "purify.ipynb").write_text(a_notebook("print(3)"))
    done = lab.update(copy, root=course)
    assert (done.replaced, list(done.beside)) == ([], ["notebooks/purify.ipynb"])


def test_losing_the_record_costs_no_work(course, copy):
    lab.update(copy, root=course)
    (copy / "notebooks" / "purify.ipynb").write_text("my own work")
    (copy / lab.RECORD).unlink()
    lab.update(copy, root=course)
    assert (copy / "notebooks" / "purify.ipynb").read_text() == "my own work"


def test_a_damaged_record_is_told_and_nothing_is_touched(course, copy):
    lab.update(copy, root=course)
    (copy / lab.RECORD).write_text("{")
    before = contents(copy)
    with pytest.raises(CourseError, match="is damaged"):
        lab.update(copy, root=course)
    assert contents(copy) == before


def test_a_deleted_file_comes_back(course, copy):
    lab.update(copy, root=course)
    (copy / "datasets" / "pre_survey.csv").unlink()
    assert lab.update(copy, root=course).added == ["datasets/pre_survey.csv"]


@pytest.mark.parametrize("place", ["", "notebooks", "exercises/deeper"])
def test_the_course_itself_is_no_working_copy(course, place):
    before = contents(course)
    with pytest.raises(CourseError, match="is the course itself"):
        lab.update(course / place, root=course)
    assert contents(course) == before


def test_from_inside_lab_the_copy_cannot_be_updated_from_itself(course, copy):
    lab.update(copy, root=course)
    with pytest.raises(CourseError, match="inside Lab"):
        lab.update(copy, root=copy)


def test_a_file_where_the_folder_should_be_is_told(course, copy):
    copy.write_text("not a folder")
    with pytest.raises(CourseError, match="is a file"):
        lab.update(copy, root=course)


def test_a_place_that_cannot_be_written_to_is_told(course, copy):
    copy.write_text("not a folder")
    with pytest.raises(CourseError, match="Cannot write"):
        lab.update(copy / "inside", root=course)


def test_lab_asks_no_host_for_news_and_starts_kernels_by_itself(course, copy, monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/of/the/user")
    lab.update(copy, root=course)
    paths = lab.environment(copy)["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    settings = json.loads(Path(paths[0], "labconfig", "default_setting_overrides.json").read_text())
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    assert settings["@jupyterlab/notebook-extension:tracker"]["autoStartDefaultKernel"] is True
    assert paths[1:] == ["/of/the/user"]


def test_the_users_own_number_of_threads_stands(copy, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    environment = lab.environment(copy)
    assert (environment["OMP_NUM_THREADS"], environment["OPENBLAS_NUM_THREADS"]) == ("4", "1")


def test_a_taken_port_is_told(copy):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CourseError, match=f"Port {port} cannot be used"):
            lab.command(copy, port=port, allow_root=True)


def test_a_free_port_is_the_one_lab_takes_and_no_other(copy, monkeypatch):
    monkeypatch.setattr(socket.socket, "bind", lambda *_: None)
    words = lab.command(copy, port=4711, allow_root=True)
    assert {"--ServerApp.port=4711", "--ServerApp.port_retries=0"} <= set(words)


def test_root_is_refused_in_one_sentence_unless_they_say_so(copy, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    with pytest.raises(CourseError, match="You are root"):
        lab.command(copy)
    assert "--allow-root" in lab.command(copy, allow_root=True)
    assert lab.command(copy, more=["--allow-root"]).count("--allow-root") == 1


def test_notebooks_read_the_data_sets_of_the_working_copy(course, copy):
    lab.update(copy, root=course)
    assert Path(lab.environment(copy)["COCREATION_ROOT"]) == copy.resolve()


def test_lab_shows_the_book_of_the_course_or_the_one_that_is_named(course, copy, root, monkeypatch):
    monkeypatch.delenv("COCREATION_BOOK", raising=False)
    lab.update(copy, root=course)
    settings = json.loads((copy / ".cocreation" / "jupyter_server_config.json").read_text())
    assert settings["ServerApp"]["jpserver_extensions"]["cocreation.course.served_book"] is True
    assert Path(lab.environment(copy)["COCREATION_BOOK"]) == (root / "_build" / "html").resolve()
    monkeypatch.setenv("COCREATION_BOOK", str(course))
    assert Path(lab.environment(copy)["COCREATION_BOOK"]) == course.resolve()


def test_the_command_is_found_from_a_cell_and_from_labs_terminal(copy):
    assert Path(lab.environment(copy)["PATH"].split(os.pathsep)[0]) == Path(sys.executable).parent


def test_a_student_sees_no_tools_for_making_assignments(course, copy):
    lab.update(copy, root=course)
    settings = json.loads((copy / ".cocreation" / "labconfig" / "page_config.json").read_text())
    assert settings["disabledExtensions"]["@jupyter/nbgrader:create-assignment"] is True
    assert "@jupyter/nbgrader:validate-assignment" not in settings["disabledExtensions"]


def test_an_interrupted_copy_is_known_as_one_and_goes_on(course, copy):
    def stop(done, total, name):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lab.update(copy, root=course, progress=stop)
    written = [path for path in contents(copy) if not path.startswith(".cocreation")]
    assert len(written) == 2
    assert lab.strangers(copy) == []
    (course / "notebooks" / "purify.ipynb").write_text("second edition")
    done = lab.update(copy, root=course)
    assert done.beside == {}
    assert (copy / "notebooks" / "purify.ipynb").read_text() == "second edition"


def test_other_files_are_seen_only_in_a_folder_that_is_no_copy(course, copy):
    assert lab.strangers(copy) == []
    copy.mkdir()
    (copy / ".DS_Store").write_text("")
    assert lab.strangers(copy) == []
    (copy / "thesis.txt").write_text("mine")
    assert lab.strangers(copy) == ["thesis.txt"]
    lab.update(copy, root=course)
    assert lab.strangers(copy) == []


def test_a_jupyterlab_that_runs_on_the_copy_is_found_by_its_folder(copy, tmp_path, monkeypatch):
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
    assert lab.running(copy) is None
    about = {"url": "http://localhost:8889/", "token": "abc", "root_dir": str(copy), "pid": os.getpid()}
    (runtime / "jpserver-1.json").write_text(json.dumps({**about, "root_dir": str(tmp_path)}))
    assert lab.running(copy) is None
    (runtime / "jpserver-2.json").write_text(json.dumps(about))
    assert lab.running(copy) == "http://localhost:8889/lab?token=abc"
