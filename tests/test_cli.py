"""The command line answers a person: with what was asked for, or with one clear sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import pandas as pd
import pytest

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
