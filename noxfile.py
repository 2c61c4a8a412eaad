"""The commands of the course. All sessions share one environment, set up from requirements.lock.

nox -s book       build the HTML book and say where it is
nox -s tests      unit, golden, notebook (nbval) and browser tests
nox -s lab        open JupyterLab on a working copy of your own
nox -s notebooks  run the notebooks and store their outputs
nox -s lint       look for what ruff and the notebook normaliser would change
nox -s lock       pin the dependencies anew
nox -s nightly    what is too slow for every change
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nox
from nox.command import CommandFailed

ROOT = Path(__file__).resolve().parent  # a link to the checkout is the checkout
ENVIRONMENT = ROOT / ".nox" / "course"
LOCK = ROOT / "requirements.lock"

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "tests"]

#: one thread a process: several share the processors, and sums keep their order
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

#: pytest in two processes, a file in one of them
SHARED = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")

#: the rooms of the tests of what computes, from the ground up to the models; the nightly run takes all
COMPUTE = ("core", "cfa")


def course(session: nox.Session) -> str:
    """Return the Python of the shared environment; make it where the lock file or pyproject changed."""
    if sys.version_info < (3, 11):  # noqa: UP036 – nox itself may run on an older Python
        session.error(
            f"the course needs Python 3.11 or newer, but this nox runs on {sys.version.split()[0]}. "
            "Run 'pip install nox' and nox with a newer Python"
        )
    python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = hashlib.sha256(
        sys.version.encode() + str(ROOT).encode() + LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    ).hexdigest()
    stamp = ENVIRONMENT / "made-from"
    if not (python.exists() and stamp.exists() and stamp.read_text() == wanted):
        if not os.access(ROOT, os.W_OK):
            session.error(f"{ROOT} cannot be written to. Clone the course into a folder of your own")
        session.log("Setting up the environment in .nox/course: a few minutes and about 1.5 GB, once")
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        session.run(sys.executable, "-m", "venv", str(ENVIRONMENT), external=True, silent=True)
        pip = (str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        try:
            session.run(*pip, "--require-hashes", "-r", str(LOCK), external=True)
            # pip cannot hash a folder, so the course itself is installed in a second step.
            session.run(*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT), external=True)
        except CommandFailed:
            session.error(
                "the packages were not installed; pip's message is above. If it found no matching distribution, or "
                "the connection broke, look after the network (or the package index pip uses) and run this again"
            )
        stamp.write_text(wanted)
    os.environ["PATH"] = str(python.parent) + os.pathsep + os.environ["PATH"]
    return str(python)


@nox.session
def book(session: nox.Session) -> None:
    """Execute the notebooks and build the HTML book."""
    session.run(course(session), "-m", "cocreation", "book", *session.posargs, external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the unit, golden, notebook and browser tests."""
    python = course(session)
    if session.posargs:
        session.run(python, "-m", "pytest", *session.posargs, env=ONE_THREAD, external=True)
        return
    # Tests and notebooks share two processes, long files first (see tests/conftest.py): none waits for the others' end.
    # The book is built beside them, for much of its time is waiting; what reads it comes late, and waits for it.
    with building(session, python):
        compare(session, python, *SHARED, "tests")
    if os.environ.get("CI", "").lower() == "true":
        on_the_plainest(session, python, *SHARED, "-m", "not slow", *(f"tests/{room}" for room in COMPUTE))


def on_the_plainest(session: nox.Session, python: str, *words: str) -> None:
    """Run pytest as on the plainest processor, without the instructions NumPy chooses by what there is.

    The kernels of nbval, and all else that tests start, compute so in every run (see tests/conftest.py).
    """
    ask = (python, "-c", "import processors; print(processors.dispatched())")
    names = session.run(*ask, env={"PYTHONPATH": "tests"}, silent=True, external=True).strip()
    plain = {**ONE_THREAD, "NPY_DISABLE_CPU_FEATURES": names}
    session.run(python, "-m", "pytest", *words, env=plain, external=True)


@contextlib.contextmanager
def building(session: nox.Session, python: str) -> Iterator[None]:
    """Build the book while the block runs, which begins when the build holds its folder; fail where the build did."""
    note, began = ROOT / "_build" / ".builder.json", time.time()
    with tempfile.TemporaryFile("w+") as said:
        build = subprocess.Popen(
            [python, "-m", "cocreation", "book"], env={**os.environ, **ONE_THREAD}, stdout=said, stderr=said
        )
        try:
            while build.poll() is None and not (note.exists() and note.stat().st_mtime >= began):
                time.sleep(0.05)
            yield
            build.wait()
        finally:
            build.terminate()  # where the tests were stopped; it has ended otherwise
            build.wait()
            said.seek(0)
            session.log(said.read().strip())
    if build.returncode:
        session.error("the book was not built; the reason is above")


def compare(session: nox.Session, python: str, *words: str) -> None:
    """Run pytest with nbval, which compares every stored output of the notebooks with a fresh run."""
    session.run(python, "-m", "pytest", "--nbval", "--nbval-sanitize-with", "tests/nbval.cfg", *words,
                "notebooks", "exercises", env=ONE_THREAD, external=True)  # fmt: skip


@nox.session
def lab(session: nox.Session) -> None:
    """Open JupyterLab on a working copy of your own."""
    python = course(session)
    if not (ROOT / "_build" / "html" / "index.html").exists() and "--copy-only" not in session.posargs:
        session.log("Building the book, to which the notebooks lead: a few minutes, once")
        # where it cannot be built its links say how, and Lab works all the same
        session.run(python, "-m", "cocreation", "book", external=True, success_codes=[0, 2])
    session.run(python, "-m", "cocreation", "lab", *session.posargs, external=True)


@nox.session
def notebooks(session: nox.Session) -> None:
    """Run the notebooks (all, or those named) and store their outputs, normalised."""
    paths = session.posargs or [str(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    session.run(course(session), "-m", "cocreation.authoring.notebooks", *paths, external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Look for what ruff and the notebook normaliser would change."""
    python = course(session)
    session.run(python, "-m", "ruff", "check", external=True)
    session.run(python, "-m", "ruff", "format", "--check", external=True)
    stored = [str(path) for folder in ("notebooks", "exercises") for path in sorted((ROOT / folder).glob("*.ipynb"))]
    session.run(python, "-m", "cocreation.authoring.notebooks", "--no-run", "--check", *stored, external=True)


@nox.session(venv_backend="venv")
def lock(session: nox.Session) -> None:
    """Pin every dependency with hashes, for Linux, macOS and Windows and every supported Python."""
    session.install("uv>=0.8")
    session.run("uv", "pip", "compile", "pyproject.toml", "--extra", "course", "--universal", "--python-version",
                "3.11", "--generate-hashes", "--no-header", "--no-emit-index-url", "--no-annotate", "--quiet",
                "--output-file", "requirements.lock", *session.posargs)  # fmt: skip


@nox.session
def nightly(session: nox.Session) -> None:
    """What is too slow for every change: everything from nothing, serially, every page, the PDF, and the benchmarks."""
    python = course(session)
    shutil.rmtree(ROOT / "_build", ignore_errors=True)
    session.run(python, "-m", "cocreation", "book", "--pdf", env=ONE_THREAD, external=True)
    session.run(python, "-m", "pytest", env={**ONE_THREAD, "COCREATION_NIGHTLY": "1"}, external=True)
    on_the_plainest(session, python)
    compare(session, python)
    session.run(python, "benchmarks/run.py", external=True)
