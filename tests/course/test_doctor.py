"""The doctor finds what keeps the course from running, and names the remedy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from cocreation.course import doctor
from cocreation.course.doctor import Finding, Report


def states(found) -> set[str]:
    return {result[0] for result in found}


@pytest.fixture
def course(tmp_path, root, monkeypatch) -> Path:
    """A copy of the course's data, to be damaged at will."""
    shutil.copytree(root / "datasets", tmp_path / "datasets")
    shutil.copy(root / "requirements.lock", tmp_path)
    monkeypatch.setenv("COCREATION_ROOT", str(tmp_path))
    return tmp_path


def test_here_the_course_can_run(tmp_path):
    report = doctor.examine(tmp_path)
    looked = {finding.what for finding in report.findings}
    assert looked >= {"Python", "packages", "course files", "data sets", "kernel", "working copy", "threads", "browser"}
    assert not report.failed, [finding for finding in report.findings if finding.state == "fail"]


def test_whatever_is_not_right_has_a_remedy():
    for finding in doctor.examine().findings:
        assert finding.state in {"ok", "info", "warn", "fail"}
        assert bool(finding.remedy) == (finding.state != "ok")


def test_only_a_failure_fails():
    assert not Report((Finding("a", "warn", "", "do"), Finding("b", "info", "", "do"))).failed
    assert Report((Finding("a", "ok", ""), Finding("b", "fail", "", "do"))).failed


def test_the_shipped_data_are_known_byte_for_byte(course):
    assert states(doctor._data_sets()) == {"ok"}


def test_one_changed_answer_in_the_data_is_found(course):
    path = course / "datasets" / "formal_survey.csv"
    content = path.read_bytes()
    assert content.endswith(b"\n")
    last = content[-2:-1]
    path.write_bytes(content[:-2] + (b"1" if last != b"1" else b"2") + b"\n")
    [(state, found, remedy)] = doctor._data_sets()
    assert state == "warn"
    assert "formal_survey.csv" in found
    assert "cocreation data" in remedy


def test_a_data_set_that_cannot_be_read_fails(course):
    (course / "datasets" / "pre_survey.csv").write_bytes(b"\xff\xfe\x00")
    [(state, found, _)] = doctor._data_sets()
    assert state == "fail"
    assert "pre_survey.csv" in found


def test_a_missing_data_set_is_found(course):
    (course / "datasets" / "pre_survey.csv").unlink()
    [(state, found, _)] = doctor._data_sets()
    assert (state, "pre_survey.csv" in found) == ("warn", True)


def test_data_sets_that_a_student_changed_in_their_copy_are_told(tmp_path, root):
    shutil.copytree(root / "datasets", tmp_path / "mine" / "datasets")
    assert states(doctor._folder(tmp_path / "mine")) == {"ok"}
    (tmp_path / "mine" / "datasets" / "follow_up.csv").unlink()
    (tmp_path / "mine" / "datasets" / "pre_survey.csv").write_text("")
    told = [rest[0] for state, *rest in doctor._folder(tmp_path / "mine") if state == "info"]
    assert told == ["other data sets than the course's: follow_up.csv, pre_survey.csv"]


def test_another_version_than_locked_is_a_warning(course):
    lock = course / "requirements.lock"
    version = metadata.version("numpy")
    lock.write_text(lock.read_text().replace(f"numpy=={version}", "numpy==1.0"))
    found = list(doctor._packages())
    assert states(found) == {"warn"}
    assert f"numpy {version} (locked: 1.0)" in found[0][1]


def test_a_missing_library_fails_and_a_missing_tool_warns(monkeypatch):
    installed = doctor._installed
    gone = {"scipy", "nbgrader"}
    monkeypatch.setattr(doctor, "_installed", lambda name: None if name in gone else installed(name))
    found = {state: text for state, text, _ in doctor._packages()}
    assert found["fail"] == "missing: scipy"
    assert "nbgrader" in found["warn"]


def test_a_folder_under_a_file_fails(tmp_path):
    (tmp_path / "file").write_text("x")
    assert states(doctor._folder(tmp_path / "file" / "copy")) == {"fail"}
    assert states(doctor._folder(tmp_path / "new" / "copy")) == {"ok"}
    assert not (tmp_path / "new").exists()


def test_a_kernel_that_is_not_the_courses_fails(tmp_path, monkeypatch):
    kernel = tmp_path / "kernels" / "python3"
    kernel.mkdir(parents=True)
    # ipykernel without the course: what a kernel of another environment amounts to
    start = f"import sys; sys.path += {[p for p in sys.path if p]!r}; sys.modules['cocreation'] = None; " + (
        "import importlib.util as u; find = u.find_spec; "
        "u.find_spec = lambda name, *more: None if name == 'cocreation' else find(name, *more); "
        "from ipykernel.kernelapp import launch_new_instance as go; go()"
    )
    spec = {"argv": [sys.executable, "-c", start, "-f", "{connection_file}"], "display_name": "x", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    [(state, found, remedy)] = doctor._kernel()
    assert state == "fail"
    assert "the course is not installed" in found
    assert "ipykernel install" in remedy


def test_a_kernel_that_is_missing_fails(monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    def none(self, name):
        raise NoSuchKernel(name)

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", none)
    assert states(doctor._kernel()) == {"fail"}


def test_the_course_key_is_told_to_be_the_practice_one(monkeypatch):
    monkeypatch.delenv("COCREATION_COURSE_KEY", raising=False)
    assert states(doctor._course_key()) == {"info"}
    monkeypatch.setenv("COCREATION_COURSE_KEY", "spring")
    assert list(doctor._course_key()) == [("ok", "set by COCREATION_COURSE_KEY")]


def test_the_findings_as_json_are_for_machines(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "cocreation", "doctor", "--json", "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert {
        "what": "working copy",
        "state": "ok",
        "found": f"{tmp_path} can be written to",
        "remedy": "",
    } in json.loads(done.stdout)


HIDE = """
import importlib.metadata as metadata, sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] == {package!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, Hidden())
version = metadata.version
def seen(name):
    if name.replace('-', '_') == {package!r}:
        raise metadata.PackageNotFoundError(name)
    return version(name)
metadata.version = seen
"""


@pytest.mark.parametrize("package", ["pandas", "numpy", "matplotlib", "packaging", "rich", "threadpoolctl"])
def test_a_package_that_is_missing_is_a_row_and_never_a_traceback(tmp_path, package):
    (tmp_path / "sitecustomize.py").write_text(HIDE.format(package=package))
    done = subprocess.run(
        [sys.executable, "-m", "cocreation", "doctor", "--folder", str(tmp_path / "copy")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)]), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    [packages] = [line for line in done.stdout.splitlines() if "packages" in line]
    assert "fail" in packages
    assert package in packages
    assert "pip install" in packages
    assert "browser" in done.stdout  # it has looked to the end


@pytest.mark.parametrize("file", ["population", "fieldwork"])
def test_a_broken_file_of_the_course_is_a_row(course, tmp_path, file):
    from cocreation.survey.study import forget

    (course / "datasets" / f"{file}.toml").write_text("not toml")
    forget()
    try:
        [(state, found, remedy)] = doctor._survived(doctor._data_sets, "fail")
    finally:
        forget()
    assert (state, found) == ("fail", "cannot be looked at")
    assert f"{file}.toml is not TOML" in remedy


def test_whatever_a_look_raises_is_a_row_and_the_others_are_made(monkeypatch, tmp_path):
    def broken():
        yield "ok", "half of it"
        raise ZeroDivisionError("a defect")

    for look in ("_kernel", "_data_sets", "_browser"):
        monkeypatch.setattr(doctor, look, broken)
    report = doctor.examine(tmp_path)
    rows = [(each.what, each.state) for each in report.findings if each.found.endswith("ZeroDivisionError: a defect")]
    assert rows == [("data sets", "fail"), ("kernel", "fail"), ("browser", "info")]
    assert all(each.remedy for each in report.findings if each.state != "ok")
    assert {"threads", "fonts", "working copy"} <= {each.what for each in report.findings}


def test_a_home_that_is_not_there_is_a_row():
    rows = [each for each in doctor.examine("~nobodyhere/x").findings if each.what == "working copy"]
    assert [(each.state, "no user 'nobodyhere'" in each.remedy) for each in rows] == [("fail", True)]
