"""From the instructor's source notebooks to the edition students get.

The cutting is nbgrader's own (its preprocessors, in the order of its
``generate_assignment``), so an nbgrader site gets the same result; what is
added here is the list of metadata that may be published and the proof that
nothing else is (:mod:`cocreation.authoring.leaks`).
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._files import digest, read_record, user_path, write_record, write_whole
from .._paths import course_root
from ..errors import CourseError

__all__ = ["FOLDER", "RECORD", "Edition", "Release", "assignments", "release", "student_edition", "try_out"]

#: where a release goes unless told otherwise: outside of the checkout, where neither git nor the book would take it up
FOLDER = Path("~/cocreation-release")
#: the record of what a release wrote, in the released folder
RECORD = ".cocreation-release.json"
_STUB = '# Write your answer here, and delete the next line.\nraise NotImplementedError("not answered yet")'
_TEXT_STUB = "*Write your answer here.*"


@dataclass(frozen=True)
class Edition:
    """The student edition of one exercise.

    Attributes
    ----------
    name : str
        The file name.
    content : bytes
        What the file will hold.
    questions : tuple of str
        Ids of the answer cells; empty for practice and for data.
    """

    name: str
    content: bytes
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Release:
    """What a release did to a folder.

    Attributes
    ----------
    folder : Path
    editions : tuple of Edition
    written, unchanged : tuple of str
        Names of the files that were written, and that already were as they should be.
    """

    folder: Path
    editions: tuple[Edition, ...]
    written: tuple[str, ...]
    unchanged: tuple[str, ...]


def assignments(source: Path | None = None) -> list[Path]:
    """Return the source files of ``exercises/``: notebooks, and the YAML data of quizzes and card sorts."""
    folder = source or course_root() / "exercises"
    found = [path for path in folder.glob("*") if path.suffix in {".ipynb", ".yml"} and not path.name.startswith(".")]
    if not found:
        raise CourseError(f"There are no exercises in {folder}. Run this from a checkout of the course.")
    return sorted(found)


def student_edition(path: Path) -> Edition:
    """Return the student edition of one source file, proven to hold nothing it should not.

    A notebook with nbgrader cells loses solutions, hidden tests, outputs and
    notes. One without (practice) loses outputs and notes. YAML data are read,
    so that a mistake in them is told, and pass as they are.

    Raises
    ------
    CourseError
        If a marker is broken, the metadata are not nbgrader's, or anything
        secret would be left; the message names the file and the cell.
    """
    if path.suffix == ".yml":
        from ..widgets import cards

        cards.read(path)
        return Edition(path.name, path.read_bytes())
    try:
        import nbformat

        from . import leaks
    except ImportError as error:
        raise CourseError(
            "Releasing needs nbformat and nbgrader. Install the course's tools with: pip install 'cocreation[course]'."
        ) from error
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, KeyError, AttributeError, RecursionError, nbformat.ValidationError) as error:
        raise CourseError(
            f"{path.name} is not a notebook that can be read ({str(error).splitlines()[0]}). Restore it from git."
        ) from error
    secrets = leaks.read_secrets(notebook, path.name)
    text = _cut(notebook, path.name)
    leaks.prove(nbformat.reads(text, as_version=4), secrets, path.name)
    leaks.prove_taint(notebook, lambda tainted: _cut(tainted, path.name), path.name)
    flags = [(cell, cell.metadata.get("nbgrader", {})) for cell in notebook.cells]
    questions = tuple(str(flag["grade_id"]) for _, flag in flags if flag.get("solution"))
    return Edition(path.name, text.encode(), questions)


def _cut(notebook, file: str) -> str:
    """Run nbgrader's preprocessors over a copy and return the notebook's text."""
    import nbformat
    from nbgrader.nbgraderformat import MetadataValidator, ValidationError
    from nbgrader.preprocessors import (
        CheckCellMetadata,
        ClearHiddenTests,
        ClearMarkScheme,
        ClearOutput,
        ClearSolutions,
        ComputeChecksums,
        LockCells,
    )

    from . import leaks

    notebook = leaks.without_secrets(notebook)
    quiet = logging.getLogger("cocreation.release")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    chain = [
        CheckCellMetadata(log=quiet),
        LockCells(log=quiet),
        ClearSolutions(log=quiet, code_stub={"python": _STUB}, text_stub=_TEXT_STUB),
        ClearOutput(log=quiet),
        ClearHiddenTests(log=quiet),
        ClearMarkScheme(log=quiet),
        ComputeChecksums(log=quiet),
        CheckCellMetadata(log=quiet),
    ]
    try:
        for index, cell in enumerate(notebook.cells):
            place = f", cell {leaks.cell_name(cell, index)}"
            MetadataValidator().validate_cell(cell)
        place = ""
        MetadataValidator().validate_nb(notebook)
        for preprocessor in chain:
            notebook, _ = preprocessor.preprocess(notebook, {})
    except (RuntimeError, ValidationError, KeyError) as error:
        reason = str(error).split("\n")[0].rstrip(".")
        raise CourseError(
            f"nbgrader refuses {file}{place}: {reason}. Correct the cell in JupyterLab's sidebar 'Create Assignment'."
        ) from error
    return nbformat.writes(notebook) + "\n"


def try_out(edition: Edition) -> None:
    """Run a student edition in a fresh kernel, as a student would, up to the first answer.

    Raises
    ------
    CourseError
        If a cell before the first answer fails, or the first answer does not
        stop with ``NotImplementedError``.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    from . import leaks
    from .notebooks import CELL_TIMEOUT

    notebook = nbformat.reads(edition.content.decode(), as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            shutdown_kernel="immediate",
            timeout=CELL_TIMEOUT,
            startup_timeout=CELL_TIMEOUT,
            # what a busy machine prints late would be lost in silence
            iopub_timeout=CELL_TIMEOUT,
            raise_on_iopub_timeout=True,
            kernel_name="python3",
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            resources={"metadata": {"path": folder}},
        )
        with client.setup_kernel():
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type != "code":
                    continue
                answer = bool(cell.metadata.get("nbgrader", {}).get("solution"))
                try:
                    client.execute_cell(cell, index)
                except CellExecutionError as error:
                    if answer and error.ename == "NotImplementedError":
                        return
                    raise CourseError(
                        f"The student edition of {edition.name} does not run: cell {leaks.cell_name(cell, index)} "
                        f"stops with {error.ename}: {error.evalue}. Correct the source notebook."
                    ) from error
                if answer:
                    raise CourseError(
                        f"In the student edition of {edition.name} the answer cell {leaks.cell_name(cell, index)} "
                        "runs without an answer. Put its solution between '### BEGIN SOLUTION' and '### END SOLUTION'."
                    )


def release(
    names: Iterable[str] = (),
    *,
    output: Path | str = FOLDER,
    source: Path | None = None,
    force: bool = False,
    run: bool = True,
    progress: Callable[[int, int, str], None] | None = None,
) -> Release:
    """Write the student editions into a folder; either all of them or none.

    Parameters
    ----------
    names : iterable of str
        Assignments such as "purify"; all of them by default.
    output : path
        The folder. It must be new, empty, or written by an earlier release.
    source : path, optional
        The folder of the source notebooks, by default the course's ``exercises``.
    force : bool
        Write into a folder with other content, and over files that were changed
        there. Nothing but the released files is ever replaced, nothing deleted.
    run : bool
        Run each assignment's student edition up to the first answer.
    progress : callable, optional
        Called with (files done, files in all, the next one).

    Raises
    ------
    CourseError
        For an unknown assignment, a source that cannot be released, or a
        folder with other content. Nothing has been written then.
    """
    folder = user_path(output)
    wanted = _chosen(list(names), assignments(source))
    record = _check_folder(folder, [path.name for path in wanted], force=force)
    editions = []
    for done, path in enumerate(wanted):
        if progress:
            progress(done, len(wanted), path.name)
        edition = student_edition(path)
        if run and edition.questions:
            try_out(edition)
        editions.append(edition)
    if progress:
        progress(len(wanted), len(wanted), "written")
    written, unchanged = [], []
    try:
        for edition in editions:
            target = folder / edition.name
            same = target.is_file() and target.read_bytes() == edition.content
            (unchanged if same else written).append(edition.name)
            if not same:
                write_whole(target, edition.content)
            record[edition.name] = digest(edition.content)
    finally:  # what is written is known as ours, also if the rest is not
        write_record(folder / RECORD, {"files": record})
    return Release(folder, tuple(editions), tuple(written), tuple(unchanged))


def _chosen(names: Sequence[str], known: Sequence[Path]) -> list[Path]:
    if not names:
        return list(known)
    slugs = {path.stem for path in known}
    for name in names:
        if name.removesuffix(".ipynb").removesuffix(".yml") not in slugs:
            where = "" if (course_root() / "pyproject.toml").exists() else " A checkout of the course holds them all."
            raise CourseError(f"There is no assignment '{name}'. There are: {', '.join(sorted(slugs))}.{where}")
    stems = {name.removesuffix(".ipynb").removesuffix(".yml") for name in names}
    return [path for path in known if path.stem in stems]


def _check_folder(folder: Path, names: Sequence[str], *, force: bool) -> dict[str, str]:
    """Return the record of the earlier release, or raise if the folder is not ours to write to."""
    root = course_root()
    target = folder.resolve()
    for kept in ("exercises", "notebooks", "datasets", "book", "src"):
        if target == root / kept or root / kept in target.parents:
            raise CourseError(f"{folder} holds the course's own sources. Name another folder with --output.")
    if folder.exists() and not folder.is_dir():
        raise CourseError(f"{folder} is a file. Name a folder with --output.")
    record = read_record(folder / RECORD).get("files", {})
    if force or not folder.exists():
        return record
    if not record:
        others = sorted(path.name for path in folder.iterdir())
        if others:
            raise CourseError(
                f"{folder} holds other files ({', '.join(others[:3])}{', …' if len(others) > 3 else ''}). "
                "Name an empty folder with --output, or add --force to write among them."
            )
    for name in names:
        target = folder / name
        if target.exists() and (name not in record or digest(target.read_bytes()) != record[name]):
            raise CourseError(
                f"{target} was changed since the last release and would be overwritten. Move it away, or add --force."
            )
    return record
