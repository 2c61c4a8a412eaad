"""The command line answers a person: with what was asked for, or with one clear sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import get_args, get_type_hints

import pandas as pd
import pytest
import typer

import cocreation.steps
from cocreation import __version__, cli

VERBS = ("lab", "book", "data", "twin", "audit", "agree", "release", "doctor")


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process; return exit status, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "160")

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cocreation", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        heard = capsys.readouterr()
        return ended.value.code or 0, heard.out, heard.err

    return call


def command(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "cocreation", *words], capture_output=True, text=True, check=False)


def test_the_version_is_the_packages(run):
    assert run("--version") == (0, f"cocreation {__version__}\n", "")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_with_an_example(run, verb):
    status, out, _ = run(verb, "--help")
    assert status == 0
    assert f"Example: cocreation {verb}" in out


def test_without_a_verb_the_verbs_are_listed(run):
    _, out, _ = run()
    assert all(verb in out for verb in VERBS)


def test_help_loads_nothing_heavy():
    heavy = {"numpy", "pandas", "matplotlib", "jupyterlab", "nbformat", "nbgrader", "semopy", "sphinx"}
    script = (
        "import sys; from cocreation import cli; sys.argv = ['cocreation', '--help']\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        f"print('loaded:', sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["release", "nope"], "There is no assignment 'nope'."),
        (["lab", "--copy-only", "--folder", "{root}"], "is the course itself"),
        (["data", "--calibrate", "--output", "{tmp}"], "--calibrate changes the course's own population.toml"),
        (["data", "--output", "{file}"], "is a file."),
        (["release", "--no-run", "--output", "{file}"], "is a file."),
    ],
)
def test_a_users_mistake_is_one_sentence_and_status_2(run, root, tmp_path, words, said):
    file = tmp_path / "file"
    file.write_text("x")
    status, out, err = run(*(word.format(root=root, tmp=tmp_path, file=file) for word in words))
    assert status == 2
    assert out == ""
    assert err.startswith("cocreation: ")
    assert said in err
    assert err.count("\n") == 1


def test_what_follows_the_sentence_keeps_its_lines(monkeypatch, run):
    from cocreation.course import doctor
    from cocreation.errors import CourseError

    def fails(*_, **__):
        raise CourseError("A cell failed.\n  1 / 0\nZeroDivisionError: division by zero\n")

    monkeypatch.setattr(doctor, "examine", fails)
    assert run("doctor") == (2, "", "cocreation: A cell failed.\n  1 / 0\nZeroDivisionError: division by zero\n")


def test_a_course_that_is_not_there_is_a_users_mistake_too(run, tmp_path, monkeypatch):
    monkeypatch.setenv("COCREATION_ROOT", str(tmp_path))
    status, _, err = run("book")
    assert status == 2
    assert err.startswith("cocreation: The course files were not found")


def test_a_course_without_a_book_says_so(run, tmp_path, monkeypatch):
    (tmp_path / "datasets").mkdir()
    monkeypatch.setenv("COCREATION_ROOT", str(tmp_path))
    status, _, err = run("book")
    assert status == 2
    assert "There is no book" in err


@pytest.mark.parametrize("words", [["relaese"], ["release", "--outptu", "x"], ["lab", "--port", "0"], ["book", "more"]])
def test_an_unknown_word_is_status_2_without_a_traceback(run, words):
    status, _, err = run(*words)
    assert status == 2
    assert "Traceback" not in err
    assert "Usage: cocreation" in err


def test_an_error_that_is_ours_keeps_its_traceback(monkeypatch):
    from cocreation.course import doctor

    def broken(*_, **__):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(doctor, "examine", broken)
    monkeypatch.setattr(sys, "argv", ["cocreation", "doctor"])
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_a_pipe_gets_neither_progress_nor_colours(tmp_path):
    done = command("release", "--no-run", "--output", str(tmp_path / "out"))
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "purify.ipynb" in done.stdout


def test_data_writes_every_file_and_says_where(run, tmp_path, root):
    status, out, _ = run("data", "--output", tmp_path / "mine")
    assert status == 0
    assert str(tmp_path / "mine") in out
    assert (tmp_path / "mine" / "formal_survey.csv").read_bytes() == (
        root / "datasets" / "formal_survey.csv"
    ).read_bytes()


def test_lab_tells_whose_version_stayed(run, tmp_path):
    folder = tmp_path / "mine"
    run("lab", "--copy-only", "--folder", folder)
    (folder / ".cocreation" / "copied.json").unlink()
    (folder / "exercises" / "purify.ipynb").write_text("mine")
    status, out, _ = run("lab", "--copy-only", "--folder", folder)
    assert status == 0
    assert "You have changed exercises/purify.ipynb" in out
    assert "exercises/purify (newer).ipynb" in out


def twin_of(*verdicts: str) -> ModuleType:
    rows = [("alpha", 0.95, 0.951, 0.001, 0.003, verdict, f"because {verdict}", "purify", 3) for verdict in verdicts]
    columns = ["figure", "published", "reproduced", "difference", "tolerance", "verdict", "reason", "step", "decimals"]
    module = ModuleType("cocreation.steps.report")
    module.twin = lambda: SimpleNamespace(table=pd.DataFrame(rows, columns=columns))
    return module


@pytest.fixture
def pretend(monkeypatch):
    def put(*verdicts: str) -> None:
        module = twin_of(*verdicts)
        monkeypatch.setitem(sys.modules, "cocreation.steps.report", module)
        monkeypatch.setattr(cocreation.steps, "report", module, raising=False)

    return put


def test_a_twin_with_a_figure_outside_its_tolerance_is_status_1(run, pretend):
    pretend("within", "outside")
    status, out, _ = run("twin")
    assert status == 1
    assert "because outside" in out
    assert "because within" not in out


def test_a_figure_no_data_can_meet_is_explained_and_is_no_failure(run, pretend):
    pretend("within", "not attainable together")
    status, out, _ = run("twin")
    assert status == 0
    assert "because not attainable together" in out


def test_the_twin_as_json_is_a_list_of_figures(run, pretend):
    pretend("within")
    status, out, _ = run("twin", "--json")
    assert status == 0
    assert json.loads(out)[0]["reproduced"] == 0.951


def test_the_twin_reproduces_the_study_and_says_what_no_data_can(run):
    status, out, _ = run("twin")
    assert status == 0
    explained = next(line for line in out.splitlines() if line.strip().startswith("variance explained"))
    assert "83.933" in explained.split()
    assert "chi-square/df: N = 486" in out


def test_the_audit_without_a_file_is_the_studys(run):
    status, out, _ = run("audit")
    assert status == 0
    assert "348 – 357" in out
    assert "what is printed as NFI is what the RFI would be" in out
    assert "not in the report" in out
    assert run("audit", "--strict")[0] == 1


def test_the_audit_reads_its_own_template(run, tmp_path):
    file = tmp_path / "figures.toml"
    file.write_text(run("audit", "--template")[1], encoding="utf-8")
    status, out, _ = run("audit", file, "--json")
    assert status == 0
    assert json.loads(out)["readings"][0]["given_up"] == "RMSEA"
    file.write_text('n = 301\ndf = 24\nchi2 = "85.31"\nrmsea = 0.092\n', encoding="utf-8")
    assert run("audit", file, "--strict")[0] == 0


def test_a_mistake_in_the_figures_is_one_sentence_and_status_2(run, tmp_path):
    file = tmp_path / "figures.toml"
    file.write_text("[fit]\ncfi = 1.2\n", encoding="utf-8")
    status, out, err = run("audit", file)
    assert (status, out) == (2, "")
    assert "cfi is '1.2'; CFI must be" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("columns", [50, 60, 80, 200])
def test_the_audit_names_every_figure_however_narrow_the_terminal(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    status, out, _ = run("audit")
    assert status == 0
    assert "verdict" in out
    assert any(line.split()[:1] == ["figure"] for line in out.splitlines())
    assert any(line.split()[:1] == ["RMSEA"] for line in out.splitlines())


def test_an_audit_of_a_file_that_nests_too_deeply_ends_with_one_sentence(run, tmp_path):
    file = tmp_path / "deep.toml"
    file.write_text("a=" + "[" * 5000 + "]" * 5000, encoding="utf-8")
    status, _, err = run("audit", str(file))
    assert status == 2
    assert "nests its values too deeply" in err


def path_options() -> list[tuple[str, str]]:
    """Every verb with every option or argument that takes a path, as it is written."""
    from cocreation.cli.app import app

    found = []
    for verb in app.registered_commands:
        for name, hint in get_type_hints(verb.callback, include_extras=True).items():
            if "Path" in str(get_args(hint)[:1]):
                option = isinstance(get_args(hint)[1], typer.models.OptionInfo)
                found.append((verb.callback.__name__, f"--{name.replace('_', '-')}" if option else ""))
    return found


def test_the_options_that_take_a_path_are_found():
    assert {("lab", "--folder"), ("release", "--output"), ("audit", ""), ("agree", "")} <= set(path_options())


@pytest.mark.parametrize(("verb", "option"), path_options())
def test_a_home_that_is_not_there_is_one_sentence_for_every_path(run, tmp_path, monkeypatch, verb, option):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(verb, *([option] if option else []), "~nobodyhere/x")
    assert (status, out) == (2, "")
    assert err.startswith("cocreation: There is no user 'nobodyhere' on this machine")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def copied(tmp_path, root, monkeypatch):
    """A course of its own, to be damaged; what is remembered of the shipped one is forgotten and comes back."""
    import shutil

    from cocreation.survey.study import forget

    for folder in ("datasets", "exercises"):
        shutil.copytree(root / folder, tmp_path / "course" / folder)
    monkeypatch.setenv("COCREATION_ROOT", str(tmp_path / "course"))
    forget()
    yield tmp_path / "course"
    forget()


@pytest.mark.parametrize("content", [b"not toml", b"", b"\xff\xfe", None])
@pytest.mark.parametrize(("file", "verb"), [("published", "twin"), ("fieldwork", "data"), ("population", "twin")])
def test_a_damaged_file_of_the_course_is_one_sentence_that_names_it(run, copied, tmp_path, file, verb, content):
    path = copied / "datasets" / f"{file}.toml"
    path.unlink() if content is None else path.write_bytes(content)
    words = ["--output", tmp_path / "out"] if verb == "data" else []
    status, out, err = run(verb, *words)
    assert (status, out) == (2, "")
    assert f"{path}" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_data_names_the_file_that_is_missing_and_writes_nothing(run, copied, tmp_path):
    (copied / "datasets" / "pre_survey.md").unlink()
    status, _, err = run("data", "--output", tmp_path / "out")
    assert status == 2
    assert err.startswith(f"cocreation: There is no file {copied / 'datasets' / 'pre_survey.md'}.")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{", b"[1"])
@pytest.mark.parametrize("name", ["golden.json", "model.lav", "data.csv"])
def test_a_golden_set_that_cannot_be_read_is_one_sentence(run, tmp_path, root, name, content):
    import shutil

    shutil.copytree(next((root / "tests" / "golden").glob("*/golden.json")).parent, tmp_path / "set")
    (tmp_path / "set" / name).write_bytes(content)
    status, out, err = run("agree", tmp_path / "set")
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["", "nowhere.toml", "latin.toml"])
def test_an_audit_of_what_is_no_file_of_figures_is_one_sentence(run, tmp_path, name):
    (tmp_path / "latin.toml").write_bytes("title = 'é'".encode("latin-1"))
    status, out, err = run("audit", tmp_path / name)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1


WORK = {
    "book": "cocreation.authoring.build.build_book",
    "data": "cocreation.survey.datasets.write",
    "data --calibrate": "cocreation.survey.calibrate.calibrate",
    "twin": "cocreation.steps.report.twin",
    "audit": "cocreation.audit.audit.audit_study",
    "agree .": "cocreation.golden.agree.agree",
    "release": "cocreation.authoring.release.release",
    "lab --copy-only": "cocreation.course.lab.update",
    "doctor": "cocreation.course.doctor.examine",
}


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("words", WORK)
def test_every_verb_that_is_stopped_says_so_in_one_sentence(run, monkeypatch, tmp_path, words, number, status):
    monkeypatch.setenv("HOME", str(tmp_path))
    before = signal.getsignal(signal.SIGTERM)

    def stopped(*_, **__):
        os.kill(os.getpid(), number)
        pytest.fail("the signal did not stop the work")

    monkeypatch.setattr(WORK[words], stopped)
    assert run(*words.split()) == (
        status,
        "",
        "cocreation: Stopped before it was done; every file that was there is whole.\n",
    )
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_search_for_the_population_that_is_stopped_changes_nothing(run, copied, monkeypatch):
    from cocreation.survey import calibrate

    before = {path.name: path.read_bytes() for path in (copied / "datasets").iterdir()}

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(calibrate, "solve", stopped)
    assert run("data", "--calibrate")[0] == 130
    assert {path.name: path.read_bytes() for path in (copied / "datasets").iterdir()} == before


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "/a/b"), "The system refuses /a/b: Permission denied."),
        (OSError(28, "No space left on device"), "The system refuses: No space left on device."),
        (ModuleNotFoundError("No module named 'pandas'", name="pandas.io"), "The package pandas is not installed"),
    ],
)
def test_what_the_system_refuses_or_lacks_is_one_sentence(run, monkeypatch, error, said):
    from cocreation.course import doctor

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(doctor, "examine", fails)
    status, out, err = run("doctor")
    assert (status, out) == (2, "")
    assert err.startswith(f"cocreation: {said}")
    assert err.count("\n") == 1


def test_lab_asks_before_it_fills_a_folder_of_other_files(run, tmp_path, monkeypatch):
    import io

    (tmp_path / "thesis.txt").write_text("mine")
    words = ("lab", "--copy-only", "--folder", tmp_path)
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert "holds other files (thesis.txt) and is no working copy" in err
    assert "--yes" in err

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", Terminal("no\n"))
    status, _, err = run(*words)
    assert status == 2
    assert "Lay the course among them? [y/N] cocreation: Nothing was written." in err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert run(*words)[0] == 0
    assert run(*words)[0] == 0  # it is a working copy now, and nobody is asked
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_lab_tells_of_one_that_runs_already_and_starts_none(run, tmp_path, monkeypatch):
    from cocreation.course import lab

    def started(*_):
        pytest.fail("a second JupyterLab was started")

    monkeypatch.setattr(lab, "running", lambda folder: "http://localhost:8888/lab?token=abc")
    monkeypatch.setattr(lab, "start", started)
    status, out, _ = run("lab", "--no-browser", "--allow-root", "--folder", tmp_path / "mine")
    assert status == 0
    assert out.endswith("JupyterLab runs on this copy already: http://localhost:8888/lab?token=abc\n")


def test_a_release_goes_out_of_the_checkout_and_says_where(run, tmp_path, root, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(root)
    before = set(root.iterdir())
    status, out, _ = run("release", "logics")
    assert status == 0
    assert str(tmp_path / "cocreation-release") in out
    assert (tmp_path / "cocreation-release" / "logics.ipynb").is_file()
    assert set(root.iterdir()) == before
