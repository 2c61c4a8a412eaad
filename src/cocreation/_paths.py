"""Where the course's files lie: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import CourseError

__all__ = ["book_folder", "course_root", "restoring"]

_PACKAGE = Path(__file__).resolve().parent


def course_root() -> Path:
    """Return the folder that holds ``datasets``, ``notebooks`` and ``exercises``.

    Looked for in this order: the environment variable ``COCREATION_ROOT``, the
    checkout the package is installed from, the copy inside an installed wheel.

    Raises
    ------
    CourseError
        If none of them holds a folder ``datasets``.
    """
    named = os.environ.get("COCREATION_ROOT")
    places = [Path(named)] if named else [_PACKAGE.parents[1], _PACKAGE / "_shipped"]
    for place in places:
        if (place / "datasets").is_dir():
            return place.resolve()
    looked = " or ".join(str(place) for place in places)
    raise CourseError(
        f"The course files were not found in {looked}. Install the course from a checkout "
        "(pip install -e .) or set COCREATION_ROOT to the folder that holds 'datasets'."
    )


def book_folder() -> Path:
    """Return the folder in which the HTML of the book lies once it is built; it may not be there.

    The environment variable ``COCREATION_BOOK`` names another than that of the course's own build.
    """
    named = os.environ.get("COCREATION_BOOK")
    return Path(named) if named else course_root() / "_build" / "html"


def restoring(path: Path) -> str:
    """Return the sentence that says how to get one of the course's files back as it was."""
    root = course_root()
    if (root / ".cocreation" / "copied.json").exists():
        first = "Delete the file and start" if path.exists() else "Start"
        return f"{first} the working copy's Lab again to get the course's own back."
    if (root / "pyproject.toml").exists():
        return f"Restore it: git checkout -- {path.relative_to(root).as_posix()}"
    if os.environ.get("COCREATION_ROOT"):
        if path.suffix == ".csv":
            return "Draw the study's data sets anew: cocreation data."
        what = "Correct the file" if path.exists() else "Put it there"
        return f"{what}, or unset COCREATION_ROOT to work with the course's own study."
    return "Install the course anew."
