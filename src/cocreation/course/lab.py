"""A working copy of the course in the student's own folder, and JupyterLab on it.

The copy grows with the course and never costs a student a keystroke: a file
the student has changed is theirs for good. Which files are unchanged, or
notebooks that were only run, is known from a record of what was put there.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._files import digest, read_record, user_path, write_record, write_whole
from .._paths import book_folder, course_root
from ..authoring import release
from ..errors import CourseError
from .plain_markdown import START, Known, convert
from .start_page import start_page

__all__ = ["RECORD", "START", "Update", "command", "environment", "running", "start", "strangers", "update",
           "upstream"]  # fmt: skip

#: what was copied, in the working copy
RECORD = ".cocreation/copied.json"
#: what file managers leave in a folder that looks empty
_OF_THE_DESKTOP = {".DS_Store", "Thumbs.db", "desktop.ini"}
_FOLDERS = {"notebooks": {".ipynb", ".csv"}, "datasets": {".csv", ".md", ".toml"}}
#: what in nbgrader's menus is for whoever makes and collects assignments
_FOR_INSTRUCTORS = ("assignment-list", "course-list", "create-assignment", "formgrader", "menu")
#: JupyterLab's settings, in the working copy's folder .cocreation
_SETTINGS: dict[str, dict[str, Any]] = {
    # a kernel starts with the notebook, and Lab asks no host for news or updates
    "labconfig/default_setting_overrides.json": {
        "@jupyterlab/notebook-extension:tracker": {"autoStartDefaultKernel": True},
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
        # pages are to be read; their source is one click away
        "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"markdown": "Markdown Preview"}},
    },
    "labconfig/page_config.json": {
        "disabledExtensions": {f"@jupyter/nbgrader:{name}": True for name in _FOR_INSTRUCTORS}
    },
    # warnings and the address, not every step of the start
    "jupyter_server_config.json": {
        "ServerApp": {
            "log_level": 30,
            "jpserver_extensions": {
                f"nbgrader.server_extensions.{name}": False for name in ("assignment_list", "course_list", "formgrader")
            }
            # the chapters, to which the notebooks lead
            | {"cocreation.course.served_book": True},
        },
        "KernelManager": {"transport_encryption": "auto"},
    },
    "jupyter_lab_config.json": {"LabApp": {"log_level": 30, "default_url": f"/lab/tree/{START}"}},
}


@dataclass(frozen=True)
class Update:
    """What bringing a working copy up to date did; every name is relative to the folder.

    Attributes
    ----------
    added : list of str
        Files that were not there.
    replaced : list of str
        Files the student had not changed (but perhaps run), now newer.
    beside : dict of str to str
        Files the student has changed, which stay, and where the newer one lies.
    """

    folder: Path
    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    beside: dict[str, str] = field(default_factory=dict)


def upstream(root: Path | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield (relative path, content) of everything a student gets.

    Exercises are student editions, and notebooks are written so that JupyterLab renders them (see
    :mod:`.plain_markdown`).
    """
    known = Known(root or course_root())
    yield START, start_page(known).encode()
    for folder, kinds in _FOLDERS.items():
        for path in sorted((known.root / folder).rglob("*")):
            inside = path.relative_to(known.root)
            if path.is_file() and path.suffix in kinds and not any(part.startswith(".") for part in inside.parts):
                yield inside.as_posix(), _for_lab(inside, path.read_bytes(), known)
    for path in release.assignments(known.root / "exercises"):
        name = Path("exercises", path.name)
        yield name.as_posix(), _for_lab(name, release.student_edition(path).content, known)


def _for_lab(name: Path, content: bytes, known: Known) -> bytes:
    return convert(content, name.with_suffix("").as_posix(), known) if name.suffix == ".ipynb" else content


def update(
    folder: Path | str, *, root: Path | None = None, progress: Callable[[int, int, str], None] | None = None
) -> Update:
    """Bring a working copy up to date, or make it, without touching the student's work.

    Parameters
    ----------
    folder : path
        The student's folder; made if it is not there.
    root : path, optional
        The course's files, by default the installed ones.
    progress : callable, optional
        Called with (files done, files in all, the next one).

    Raises
    ------
    CourseError
        If the folder is a file, is the course itself, or cannot be written to.
    """
    root = (root or course_root()).resolve()
    folder = user_path(folder)
    _refuse(folder.resolve(), root)
    record = {section: {} for section in ("copied", "cells", "offered")} | read_record(folder / RECORD)
    done = Update(folder)
    files = list(upstream(root))
    # first, so that a copy that is interrupted is known as one
    for name, settings in _SETTINGS.items():
        write_whole(folder / ".cocreation" / name, (json.dumps(settings, indent=1) + "\n").encode())
    try:
        for number, (name, content) in enumerate(files):
            if progress:
                progress(number, len(files), name)
            _bring(done, name, content, record)
    finally:
        write_record(folder / RECORD, record)
    return done


def strangers(folder: Path | str) -> list[str]:
    """Return what lies in a folder that is no working copy; nothing if it is one, is empty or is not there yet.

    Raises
    ------
    CourseError
        If the folder is the course itself.
    """
    folder = user_path(folder)
    _refuse(folder.resolve(), course_root())
    if not folder.is_dir() or (folder / RECORD).parent.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.name not in _OF_THE_DESKTOP)


def running(folder: Path | str) -> str | None:
    """Return the address of a JupyterLab of this user that serves the folder already, with its token; or None."""
    try:
        from jupyter_server.serverapp import list_running_servers
    except ImportError:
        return None
    folder = user_path(folder).resolve()
    for server in list_running_servers():
        if server.get("root_dir") and Path(server["root_dir"]).resolve() == folder:
            token = server.get("token")
            return f"{server['url']}lab{f'?token={token}' if token else ''}"
    return None


def _bring(done: Update, name: str, content: bytes, record: dict[str, dict[str, str]]) -> None:
    target, new = done.folder / name, digest(content)
    copied, cells, offered = record["copied"], record["cells"], record["offered"]
    if target.exists() and not target.is_file():
        raise CourseError(f"{target} is a folder, but the course has a file of that name. Rename the folder.")
    theirs = target.read_bytes() if target.exists() else None
    if theirs is None:
        write_whole(target, content)
        done.added.append(name)
    elif digest(theirs) == new:
        pass
    elif new in (copied.get(name), offered.get(name)):
        return
    elif digest(theirs) == copied.get(name) or (name in cells and _cells(theirs) == cells[name]):
        write_whole(target, content)
        done.replaced.append(name)
    else:
        done.beside[name] = _lay_beside(done.folder, name, content)
        offered[name] = new
        return
    copied[name] = new
    if name.endswith(".ipynb"):
        cells[name] = _cells(content)


def _cells(notebook: bytes) -> str:
    """Return a digest of what a person writes in a notebook, which running it does not change."""
    try:
        cells = json.loads(notebook)["cells"]
        written = [(cell["cell_type"], "".join(cell["source"]), cell.get("attachments")) for cell in cells]
    except (ValueError, KeyError, TypeError):
        return digest(notebook)
    return digest(json.dumps(written).encode())


def _lay_beside(folder: Path, name: str, content: bytes) -> str:
    """Write the newer version under the first name of the row "x (newer)", "x (newer 2)" … that is free."""
    path, number = Path(name), 1
    while True:
        mark = "newer" if number == 1 else f"newer {number}"
        beside = path.with_name(f"{path.stem} ({mark}){path.suffix}")
        target = folder / beside
        if not target.exists():
            write_whole(target, content)
            return beside.as_posix()
        if target.is_file() and target.read_bytes() == content:
            return beside.as_posix()
        number += 1


def _refuse(folder: Path, root: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise CourseError(f"{folder} is a file. Name a folder with --folder.")
    if folder == root and (folder / RECORD).exists():
        raise CourseError(
            f"This runs inside Lab on {folder} already. Use a terminal outside of Lab to bring the copy up to date."
        )
    sources = [root / name for name in ("notebooks", "exercises", "datasets", "src", "book")]
    if folder == root or any(source == folder or source in folder.parents for source in sources):
        raise CourseError(
            f"{folder} is the course itself, not a working copy. Name another folder with --folder, "
            "for instance ~/cocreation."
        )


def environment(folder: Path) -> dict[str, str]:
    """Return the environment for JupyterLab: the course's settings as defaults beneath the user's own.

    Notebooks read the data sets of the working copy, so that a student sees what a change of them does.
    Linear algebra gets one thread unless the user has said otherwise: on shared cores more
    threads make the fits of this course several times slower.
    """
    folder = folder.resolve()
    known = os.environ.get("JUPYTER_CONFIG_PATH")
    merged = dict(
        os.environ,
        JUPYTER_CONFIG_PATH=str(folder / ".cocreation") + (os.pathsep + known if known else ""),
        COCREATION_ROOT=str(folder),
        COCREATION_BOOK=str(book_folder().resolve()),
        # so that a cell or Lab's terminal finds the command "cocreation"
        PATH=str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", os.defpath),
    )
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        merged.setdefault(name, "1")
    return merged


def command(
    folder: Path,
    *,
    browser: bool = True,
    port: int | None = None,
    allow_root: bool = False,
    more: Sequence[str] = (),
) -> list[str]:
    """Return the command that starts JupyterLab on the folder, with ``more`` options of JupyterLab's own.

    Raises
    ------
    CourseError
        If JupyterLab is not installed, the port is taken, or the user is root and ``allow_root`` is not given.
    """
    from importlib.util import find_spec

    if find_spec("jupyterlab") is None:
        raise CourseError("JupyterLab is not installed. Install it with: pip install 'cocreation[course]'.")
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}"]
    if allow_root:
        words.append("--allow-root")
    elif hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in more:
        raise CourseError(
            "You are root, and whoever reaches JupyterLab could then do everything on this machine. Start it as an "
            "ordinary user, or, in a container of your own, with --allow-root (nox -s lab -- --allow-root)."
        )
    if not browser:
        words.append("--no-browser")
    if port is not None:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise CourseError(
                    f"Port {port} cannot be used ({error.strerror}). Name another with --port, or leave it out."
                ) from error
        words += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    return [*words, *more]


def start(folder: Path, words: Sequence[str]) -> int:
    """Run the :func:`command` in the folder until it ends, and return its exit status.

    Where the system can, this process becomes JupyterLab, so that whatever stops the one stops the other.
    """
    settings = environment(folder)
    sys.stdout.flush()
    if os.name == "posix":
        os.chdir(folder)
        os.execve(words[0], words, settings)  # noqa: S606 – the same program as ours, no shell
    with subprocess.Popen(words, env=settings, cwd=folder) as lab:
        while True:
            try:
                return lab.wait()
            except KeyboardInterrupt:
                # The terminal has told JupyterLab too; it asks whether to stop, and answers by ending.
                continue
