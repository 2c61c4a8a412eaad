"""Build the HTML book: execute its notebooks side by side, then let Jupyter Book write the pages."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import io
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from .. import __version__
from .._files import read_json, read_text, reason, write_whole
from ..errors import CourseError
from .notebooks import Progress, execute_many

__all__ = ["book_notebooks", "build_book", "fingerprint", "run_notebooks"]


def build_book(
    root: Path,
    out: Path | None = None,
    *,
    strict: bool = True,
    warm: bool = True,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Execute the book's notebooks where something changed and build the HTML.

    The book that was there stays until the new one is complete, whatever ends the build.

    Parameters
    ----------
    root : Path
        The folder that holds ``_config.yml`` and ``_toc.yml``.
    out : Path, optional
        The folder to build in; ``<root>/_build`` by default.
    strict : bool
        A warning fails the build (after all of them have been told).
    warm, jobs, progress
        How the notebooks run, see :func:`cocreation.authoring.notebooks.execute_many`.

    Returns
    -------
    Path
        The folder of the HTML; its start page is ``index.html``.

    Raises
    ------
    CourseError
        If there is no book, a notebook fails, the build has errors or (strict) warnings, or
        another process builds in the same folder.
    KeyboardInterrupt
        If Ctrl-C is pressed. What has run by then is not run again by the next build.
    """
    root, out = _prepared(root, out)
    with _alone(out):
        _take_back(out)
        cache = _execute_changed(root, out, warm=warm, jobs=jobs, progress=progress)
        told = _write_pages(root, out, cache, strict=strict)
        try:
            _publish(out)
        except OSError as error:  # a full disk, or on Windows a program that holds a page open
            raise CourseError(
                f"The book is built but could not be put into {out / 'html'}: {reason(error)}. Make room there, close "
                "what shows the old one, and build again."
            ) from error
    if told:
        print(told, file=sys.stderr)
    return out / "html"


def run_notebooks(root: Path, out: Path | None = None, *, patience: float = 0) -> Path:
    """Execute the book's notebooks where something changed, and write no page.

    Parameters
    ----------
    root, out : Path
        As for :func:`build_book`.
    patience : float
        Seconds to wait for another process that builds there.

    Returns
    -------
    Path
        The folder of the notebook cache, which jupyter-cache reads.

    Raises
    ------
    CourseError
        As :func:`build_book`.

    See Also
    --------
    build_book : Write the pages too.
    """
    root, out = _prepared(root, out)
    with _alone(out, patience):
        return _execute_changed(root, out, warm=True, jobs=None, progress=None)


def _prepared(root: Path, out: Path | None) -> tuple[Path, Path]:
    """Return the folders of the course and of the build, the first with a book in it, the second made."""
    root = Path(root).resolve()
    out = (root / "_build" if out is None else Path(out)).resolve()
    for name in ("_config.yml", "_toc.yml"):
        if not (root / name).is_file():
            raise CourseError(f"There is no book in {root}: {name} is missing. Run this in a checkout of the course.")
        _read_yaml(root / name)
    _check_contents(root)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(f"Cannot write to {out}: {error.strerror}. Name another folder with --output.") from error
    if not os.access(out, os.W_OK):
        raise CourseError(f"Cannot write to {out}. Name another folder with --output.")
    return root, out


@contextlib.contextmanager
def _alone(out: Path, patience: float = 0) -> Iterator[None]:
    """Hold the folder while the block runs; the system lets go of it when this process ends, however it ends.

    Raises
    ------
    CourseError
        If another process holds it; with its number, and since when.
    """
    from filelock import FileLock, Timeout

    lock, note = FileLock(out / ".lock"), out / ".builder.json"
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise CourseError(
            f"{out} is being built by another process{_builder(note)}. Wait until it has ended, or name another "
            "folder with --output."
        ) from None
    try:
        since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        write_whole(note, json.dumps({"process": os.getpid(), "since": since}).encode())
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _builder(note: Path) -> str:
    """Return who builds, as far as it is known: between the lock and the note nobody has said so yet."""
    try:
        told = read_json(note, remedy="")
        return f" (process {told['process']}, since {told['since']})"
    except (CourseError, KeyError, TypeError):
        return ""


def _take_back(out: Path) -> None:
    """Put the previous book back if a process ended between the two renames of :func:`_publish`."""
    shown, previous = out / "html", out / ".previous"
    if previous.exists() and not shown.exists():
        previous.rename(shown)


def _publish(out: Path) -> None:
    """Let a copy of the pages take the place of the book that was there."""
    shown, fresh, previous = out / "html", out / ".fresh", out / ".previous"
    for left in (fresh, previous):
        if left.exists():
            shutil.rmtree(left)
    shutil.copytree(out / ".pages", fresh)
    try:
        if shown.exists():
            shown.rename(previous)
        fresh.rename(shown)
    finally:
        _take_back(out)
    shutil.rmtree(previous, ignore_errors=True)


def _read_yaml(path: Path) -> Any:
    text = read_text(path, remedy="Restore it from git.")
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path.name}, line {mark.line + 1}" if mark else path.name
        raise CourseError(f"{place}: this is not valid YAML, {error.problem or error.context}. Correct it.") from None
    except yaml.YAMLError as error:
        raise CourseError(f"{path.name} is not valid YAML: {error}. Correct it.") from None
    except RecursionError:
        raise CourseError(f"{path.name} nests its entries too deeply. Correct it.") from None


def _check_contents(root: Path) -> None:
    """Raise if the table of contents is malformed or names a page that is not there."""
    from sphinx_external_toc.parsing import MalformedError, parse_toc_yaml

    try:
        pages = list(parse_toc_yaml(root / "_toc.yml"))
    except MalformedError as error:
        raise CourseError(f"_toc.yml is not as Jupyter Book wants it: {error}. Compare it with git diff.") from None
    for page in pages:
        if any((root / f"{page}{kind}").is_file() for kind in ("", ".md", ".ipynb")):
            continue
        known = [path.relative_to(root).with_suffix("").as_posix() for path in (root / page).parent.glob("*.[mi]*")]
        near = difflib.get_close_matches(page, known, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise CourseError(f"_toc.yml names {page}, but there is no {page}.md or {page}.ipynb.{meant} Correct it.")


def _write_pages(root: Path, out: Path, cache: Path, *, strict: bool) -> str:
    """Let Jupyter Book write the pages; return what it warned of, or raise.

    Sphinx warns of a page when it reads or writes it, so the next build, which has nothing to do, would
    pass in silence. After a build that failed or was interrupted every page is therefore read again.
    """
    from jupyter_book.sphinx import build_sphinx

    pages, unfinished = out / ".doctrees", out / ".unfinished"
    if unfinished.exists():
        shutil.rmtree(pages, ignore_errors=True)
    unfinished.touch()
    with contextlib.redirect_stderr(io.StringIO()) as said:
        result = build_sphinx(
            root,
            out / ".pages",
            path_config=root / "_config.yml",
            noconfig=True,
            confoverrides={
                "external_toc_path": "_toc.yml",
                "nb_execution_cache_path": str(cache),
                "latex_individualpages": False,
            },
            doctreedir=pages,
            warningiserror=strict,
            keep_going=True,
            quiet=True,
        )
    told = _readable(said.getvalue(), root)
    if isinstance(result, KeyboardInterrupt):
        raise result
    if isinstance(result, BaseException):
        raise CourseError(f"The book could not be built: {result}.\n{told}") from result
    if result:
        raise CourseError(f"The book has warnings, and a warning fails it. Correct these places.\n{told}")
    unfinished.unlink()
    return told


def _readable(said: str, root: Path) -> str:
    """Return Sphinx's messages without colours, each once, places as a person speaks of them."""
    said = re.sub(r"\x1b\[[0-9;]*m", "", said).replace(f"{root}{os.sep}", "")
    # MyST-NB counts 10000 lines a cell, and one for the cell itself
    said = re.sub(r"(\.ipynb):(\d+)\d{4}:", lambda found: f"{found[1]}, cell {found[2]}:", said)
    return "\n".join(dict.fromkeys(line for line in said.splitlines() if line.strip()))


def book_notebooks(root: Path) -> list[Path]:
    """Return the notebooks that ``_toc.yml`` names, in its order."""
    toc = _read_yaml(root / "_toc.yml")
    names: list[str] = []

    def walk(node: object) -> None:
        if isinstance(node, dict):
            names.extend(str(node[key]) for key in ("root", "file") if key in node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(toc)
    paths = [root / name if name.endswith(".ipynb") else root / f"{name}.ipynb" for name in names]
    return [path for path in paths if path.is_file()]


def fingerprint(root: Path) -> str:
    """Return a digest of everything a notebook's outputs depend on besides its own code.

    The notebook cache knows a notebook by its code cells alone; data, package
    source, decision logs and pinned versions would otherwise change unseen.
    """
    digest = hashlib.sha256(f"{__version__} {platform.python_version()}".encode())
    patterns = ("datasets/*", "src/cocreation/**/*.py", "exercises/*.yml", "notebooks/decisions/*.csv")
    files = sorted(path for pattern in patterns for path in root.glob(pattern) if path.is_file())
    lock = root / "requirements.lock"
    for path in [*files, *([lock] if lock.is_file() else [])]:
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _execute_changed(root: Path, out: Path, *, warm: bool, jobs: int | None, progress: Progress | None) -> Path:
    """Fill the notebook cache and return its folder.

    A notebook may change the decision log the next one reads. Then everything
    runs again with the new logs, at most once for each link of the chain.
    """
    notebooks = book_notebooks(root)
    for _ in range(len(notebooks) + 1):
        before = fingerprint(root)
        cache = out / ".notebooks" / before
        _fill_cache(cache, notebooks, warm=warm, jobs=jobs, progress=progress)
        if fingerprint(root) == before:
            _forget_others(cache)
            return cache
    raise CourseError(
        "The notebooks' decision logs change with every run. A notebook draws without a seed or writes the time; "
        "compare notebooks/decisions with git diff."
    )


def _fill_cache(cache: Path, notebooks: list[Path], *, warm: bool, jobs: int | None, progress: Progress | None) -> None:
    import nbformat
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    cache.mkdir(parents=True, exist_ok=True)
    store = get_cache(cache)
    # The cache keeps at most so many notebooks; a book must fit.
    store.change_cache_limit(max(1000, 2 * len(notebooks)))

    def known(path: Path) -> bool:
        try:
            store.match_cache_notebook(nbformat.read(path, as_version=4))
        except KeyError:
            return False
        return True

    execute_many(
        [path for path in notebooks if not known(path)],
        done=lambda path, notebook: store.cache_notebook_bundle(
            CacheBundleIn(notebook, str(path)), check_validity=False, overwrite=True
        ),
        jobs=jobs,
        warm=warm,
        svg=True,
        progress=progress,
    )


def _forget_others(cache: Path) -> None:
    for other in cache.parent.iterdir():
        if other != cache:
            shutil.rmtree(other)
