"""Build the HTML book: execute its notebooks side by side, then let Jupyter Book write the pages."""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
from pathlib import Path

import yaml

from .. import __version__
from ..errors import CourseError
from .notebooks import Progress, execute_many

__all__ = ["book_notebooks", "build_book", "fingerprint"]


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

    Parameters
    ----------
    root : Path
        The folder that holds ``_config.yml`` and ``_toc.yml``.
    out : Path, optional
        The folder to build in; ``<root>/_build`` by default.
    strict : bool
        A warning fails the build (after all of them have been told).
    warm, jobs, progress
        How the notebooks run, see :func:`cocreation.course.notebooks.execute_many`.

    Returns
    -------
    Path
        The folder of the HTML; its start page is ``index.html``.

    Raises
    ------
    CourseError
        If there is no book, a notebook fails, or the build has errors or (strict) warnings.
    """
    root = Path(root).resolve()
    out = (root / "_build" if out is None else Path(out)).resolve()
    for name in ("_config.yml", "_toc.yml"):
        if not (root / name).is_file():
            raise CourseError(f"There is no book in {root}: {name} is missing. Run this in a checkout of the course.")
    cache = _execute_changed(root, out, warm=warm, jobs=jobs, progress=progress)
    html = out / "html"
    from jupyter_book.sphinx import build_sphinx
    from sphinx.util.console import color_terminal, nocolor

    if not (color_terminal() and sys.stderr.isatty()):
        nocolor()
    result = build_sphinx(
        root,
        html,
        path_config=root / "_config.yml",
        noconfig=True,
        confoverrides={
            "external_toc_path": "_toc.yml",
            "nb_execution_cache_path": str(cache),
            "latex_individualpages": False,
        },
        doctreedir=out / ".doctrees",
        warningiserror=strict,
        keep_going=True,
        quiet=True,
    )
    if isinstance(result, BaseException):
        raise CourseError(f"The book could not be built: {result}. The messages above name the page.") from result
    if result:
        raise CourseError("The book was built with warnings, which fail it. The messages above name page and line.")
    return html


def book_notebooks(root: Path) -> list[Path]:
    """Return the notebooks that ``_toc.yml`` names, in its order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
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
        progress=progress,
    )


def _forget_others(cache: Path) -> None:
    for other in cache.parent.iterdir():
        if other != cache:
            shutil.rmtree(other)
