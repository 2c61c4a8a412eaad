"""The assignments, one module each, found by the name that they share with their notebook in ``exercises``.

An assignment is a module of this package with two functions: ``data(seed)``
makes a student's data, ``questions(data)`` says what is right on them and what
the known mistakes give, a :class:`cocreation.course.questions.Question` an
answer. A module with neither, such as a maker of data that several use, is a
helper. There is no list to enter a new one into.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import CourseError

if TYPE_CHECKING:
    import pandas as pd

    from ..questions import Question

__all__ = ["Assignment", "find", "names"]


class Assignment(Protocol):
    """What the module of an assignment holds."""

    def data(self, seed: int) -> pd.DataFrame:
        """Return a student's data, the same for the same seed."""

    def questions(self, data: pd.DataFrame) -> dict[str, Question]:
        """Return the questions, by id and in order, for a student's data."""


def names() -> list[str]:
    """Return the names of all assignments."""
    return [name for name in _modules() if not _lacking(_load(name))]


def find(name: str) -> Assignment:
    """Return the module of an assignment.

    Raises
    ------
    CourseError
        If there is no such assignment, or its module has only one of the two functions.
    """
    # looked up first: a name comes from whoever runs a notebook, and importing runs what it names
    module = _load(name) if name in _modules() else None
    lacking = _lacking(module)
    if len(lacking) == 1:
        raise CourseError(
            f"The module {__name__}.{name} has no function '{lacking[0]}', which an assignment needs. Add "
            "data(seed) and questions(data), as in the others."
        )
    if lacking:
        raise CourseError(f"There is no assignment '{name}'. There are: {', '.join(names())}.")
    return module


def _modules() -> list[str]:
    return sorted(found.name for found in pkgutil.iter_modules(__path__))


def _load(name: str) -> Any:
    return importlib.import_module(f"{__name__}.{name}")


def _lacking(module: Any) -> list[str]:
    return [name for name in ("data", "questions") if not callable(getattr(module, name, None))]
