"""Execute the course's notebooks and store them so that a second run changes no byte.

Used by the book (:mod:`.build`) and by an instructor who has changed a
notebook: ``python -m cocreation.authoring.notebooks notebooks/purify.ipynb``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from .._files import write_whole
from ..errors import CourseError
from .kernels import refuse_more, warm_kernels

__all__ = ["Progress", "execute", "execute_many", "normalise", "store"]

#: called with the number of notebooks done, their total, and the one just done
Progress = Callable[[int, int, str], None]

#: seconds a cell may take; the slowest takes about ten
CELL_TIMEOUT = 300

#: metadata that say who ran a notebook, where and when, not what it holds
_PASSING_METADATA = ("execution", "ExecuteTime", "collapsed", "scrolled", "widgets", "jp-MarkdownHeadingCollapsed")


def execute(notebook: NotebookNode, folder: Path, *, svg: bool = False) -> NotebookNode:
    """Run a notebook in a folder and return it with its outputs.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    folder : Path
        The kernel's working folder.
    svg : bool
        Give figures of the course's style as SVG too, with the tables behind them.

    Raises
    ------
    CourseError
        If a cell fails or takes longer than :data:`CELL_TIMEOUT` seconds; the
        message holds the cell and its error.
    """
    return _execute(notebook, folder, _Running(), svg)


def _execute(notebook: NotebookNode, folder: Path, running_now: _Running, svg: bool) -> NotebookNode:
    from jupyter_core.utils import run_sync
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    running = [0]
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        startup_timeout=CELL_TIMEOUT,
        # what a busy machine prints late would be lost in silence
        iopub_timeout=CELL_TIMEOUT,
        raise_on_iopub_timeout=True,
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=lambda cell, cell_index: running.append(cell_index + 1),
        shutdown_kernel="immediate",  # nothing in it is to be kept, and one that computes would be waited for
    )

    async def run() -> None:
        try:
            await client.async_execute(env=_kernel_environment(settings, svg=svg))
        finally:
            # nbclient leaves it if it is stopped while the kernel starts
            if client.km is not None and client.km.has_kernel:
                await client.km.shutdown_kernel(now=True)

    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as settings:
            run_sync(running_now.run)(run)
    except CellExecutionError as error:
        raise CourseError(f"Cell {running[-1]} failed.\n{_told(error)}") from error
    except CellTimeoutError as error:
        source = notebook.cells[running[-1] - 1].source
        raise CourseError(f"Cell {running[-1]} took longer than {CELL_TIMEOUT} seconds.\n{source}") from error
    except DeadKernelError as error:
        source = notebook.cells[running[-1] - 1].source
        raise CourseError(f"Cell {running[-1]} ended the kernel.\n{source}") from error
    return notebook


def execute_many(
    paths: Sequence[Path],
    *,
    done: Callable[[Path, NotebookNode], None],
    jobs: int | None = None,
    warm: bool = True,
    svg: bool = False,
    progress: Progress | None = None,
) -> None:
    """Run notebooks side by side and hand each one over as soon as it is done.

    Parameters
    ----------
    paths : sequence of Path
    done : callable
        Called with the path and the executed notebook, in the calling thread.
    jobs : int, optional
        How many at a time; by default one for each processor, at most four.
    warm : bool
        Fork the kernels from a process that has done the imports (see :mod:`.kernels`).
    svg : bool
        As for :func:`execute`. The book's own run does so; what is stored holds PNGs only.
    progress : Progress, optional

    Raises
    ------
    CourseError
        After all have run, naming every notebook that failed.
    KeyboardInterrupt
        If Ctrl-C is pressed: no other notebook is begun then, and no kernel is left.
    """
    failed: dict[Path, CourseError] = {}
    jobs = jobs or min(4, os.cpu_count() or 1)
    choose = warm_kernels if warm else contextlib.nullcontext
    running_now = _Running()
    with choose(), ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            running = {path: pool.submit(_execute_file, path, running_now, svg) for path in paths}
            for number, (path, future) in enumerate(running.items(), start=1):
                try:
                    done(path, future.result())
                except CourseError as error:
                    failed[path] = error
                if progress:
                    progress(number, len(running), path.name)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            running_now.end()
            raise
    if failed:
        names = [f"{path.parent.name}/{path.name}" for path in failed]
        told = "\n\n".join(f"{name}: {error}" for name, error in zip(names, failed.values(), strict=True))
        raise CourseError(f"{' and '.join(names)} failed. Correct what is told below.\n\n{told}")


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Strip from a notebook, in place, what changes from run to run and machine to machine.

    Outputs stay, for nbval compares against them. Cell ids become a digest of
    position and source, execution counts count from 1, stream pieces are
    joined, widget state and timings go, and so does an SVG beside a PNG, which
    only the book's own run gives.
    """
    count = 0
    for position, cell in enumerate(notebook.cells):
        cell["id"] = hashlib.sha256(f"{position}\n{cell.source}".encode()).hexdigest()[:8]
        for key in _PASSING_METADATA:
            cell.metadata.pop(key, None)
        if cell.cell_type != "code":
            continue
        ran = bool(cell.source.strip()) and cell.execution_count is not None
        count += ran
        cell.execution_count = count if ran else None
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = cell.execution_count
            if "image/png" in output.get("data", {}):
                output.data.pop("image/svg+xml", None)
            if output.get("metadata"):
                output.metadata.pop("needs_background", None)
    notebook.metadata = nbformat.from_dict(
        {
            **{key: value for key, value in notebook.metadata.items() if key not in ("widgets", "vscode", "toc")},
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def store(
    paths: Iterable[Path], *, run: bool = True, jobs: int | None = None, progress: Progress | None = None
) -> list[Path]:
    """Run notebooks, normalise them and write back those that differ.

    Parameters
    ----------
    paths : iterable of Path
    run : bool
        Execute them first; otherwise only normalise what is stored.

    Returns
    -------
    list of Path
        The notebooks whose file changed.
    """
    changed: list[Path] = []

    def write(path: Path, notebook: NotebookNode) -> None:
        text = nbformat.writes(normalise(notebook)).rstrip("\n") + "\n"
        if path.read_text(encoding="utf-8") != text:
            write_whole(path, text.encode())
            changed.append(path)

    listed = list(paths)
    if run:
        execute_many(listed, done=write, jobs=jobs, progress=progress)
    else:
        for path in listed:
            write(path, _read(path))
    return changed


#: seconds a cancelled notebook has to tidy up before it is told once more
_PATIENCE = 2.0


class _Running:
    """The notebooks that run now, each in a loop of its own thread, so that another thread can end them all."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._tasks: set[tuple[asyncio.AbstractEventLoop, asyncio.Task]] = set()
        self._ended = False

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work, unless or until all is ended; it sees that as a cancellation and can tidy up."""
        me = asyncio.get_running_loop(), asyncio.current_task()
        with self._lock:
            if self._ended:
                raise asyncio.CancelledError
            self._tasks.add(me)
        try:
            await work()
        finally:
            with self._lock:
                self._tasks.discard(me)
                self._lock.notify_all()
            others = asyncio.all_tasks() - {me[1]} if self._ended else ()
            if others:  # what nbclient had begun beside it would be missed when the loop goes
                for other in others:
                    other.cancel()
                await asyncio.wait(others, timeout=_PATIENCE)

    def end(self) -> None:
        """Cancel what runs, and whatever would begin."""
        refuse_more()
        with self._lock:
            self._ended = True
            # a cancellation is lost where what it meets ends in that very moment (asyncio.wait_for): say it again
            while self._tasks:
                for loop, task in self._tasks:
                    loop.call_soon_threadsafe(task.cancel)
                self._lock.wait_for(lambda: not self._tasks, timeout=_PATIENCE)


def _execute_file(path: Path, running_now: _Running, svg: bool) -> NotebookNode:
    return _execute(_read(path), path.parent, running_now, svg)


def _read(path: Path) -> NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise CourseError(f"There is no notebook {path}. Check the name.") from None
    except Exception as error:  # nbformat raises whatever its JSON and schema readers raise
        raise CourseError(f"{path} is not a readable notebook ({error}). Restore it from git.") from error


def _kernel_environment(settings: str, *, svg: bool) -> dict[str, str]:
    """Return what a kernel sees: nothing of the terminal and of the user's own settings reaches stored outputs."""
    # One thread a kernel: several kernels share the processors, and sums keep their order.
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    chosen = {"PYTHONHASHSEED": "0", "COLUMNS": "100", "NO_COLOR": "1", "IPYTHONDIR": settings}
    chosen["COCREATION_SVG"] = str(int(svg))
    found = find_spec("matplotlib")
    if found and found.origin:
        chosen["MATPLOTLIBRC"] = str(Path(found.origin).with_name("mpl-data") / "matplotlibrc")
    return {**os.environ, **one, **chosen}


def _told(error: Exception) -> str:
    """Return the cell, what it printed and its traceback, without nbclient's own words and rules."""
    text = _plain(str(error)).removeprefix("An error occurred while executing the following cell:\n")
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m cocreation.authoring.notebooks", description=__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--no-run", action="store_true", help="only normalise what is stored")
    parser.add_argument("--check", action="store_true", help="exit with status 1 if a file changed")
    options = parser.parse_args(argv)
    try:
        changed = store(
            options.notebooks,
            run=not options.no_run,
            progress=lambda done, total, name: print(f"{done}/{total} {name}", file=sys.stderr),
        )
    except CourseError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. The notebooks that were done are stored, the others are as they were.", file=sys.stderr)
        return 130
    for path in changed:
        print(f"changed: {path}")
    return int(options.check and bool(changed))


if __name__ == "__main__":
    raise SystemExit(_main())
