"""The errors a user can cause, told in the user's terms."""

from __future__ import annotations

import importlib
import linecache
import traceback
from types import ModuleType

__all__ = [
    "AnswersWarning",
    "CourseError",
    "EstimationError",
    "InputError",
    "MissingPackageError",
    "needed",
    "plain",
]


class CourseError(Exception):
    """Something a user did or asked for cannot be done.

    The message says what was wrong, where, and what to do about it. The
    command line prints it as one sentence and exits with status 2. A notebook
    shows it with the line that led to it, in place of a traceback through the
    library.
    """

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows."""
        shown = [f"{type(self).__name__}: {self}"]
        frames = [
            (frame.f_code.co_filename, number)
            for frame, number in traceback.walk_tb(self.__traceback__)
            if frame.f_globals.get("__name__") == "__main__"
        ]
        line = linecache.getline(*frames[-1]).strip() if frames else ""
        return [*shown, f"It came from the line: {line}"] if line else shown


class AnswersWarning(UserWarning):
    """Answers that a statistic can take but that hardly are answers, such as 99 on a scale from 1 to 7."""


class InputError(CourseError, ValueError):
    """Data or arguments that a statistic cannot take."""


class EstimationError(CourseError, ArithmeticError):
    """A model that did not converge, is not identified, or was fitted inconsistently."""


class MissingPackageError(CourseError, ImportError):
    """What was asked for needs a package that this Python lacks, or one that does not load."""


def plain(value: object) -> str:
    """Return a value as a user would type it: ``0``, not ``np.int64(0)``, also within lists and the like.

    Parameters
    ----------
    value : object
        What a message is about.

    Returns
    -------
    str

    Examples
    --------
    >>> import numpy as np
    >>> print(plain(np.int64(0)), plain((np.float64(1), "x")), plain({np.str_("a"): [np.True_]}))
    0 (1.0, 'x') {'a': [True]}
    """
    return repr(_unwrapped(value))


def _unwrapped(value: object) -> object:
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        return kind(map(_unwrapped, value))
    if kind is dict:
        return {_unwrapped(key): _unwrapped(inner) for key, inner in value.items()}
    # without importing NumPy, which not everything that fails needs
    return value.tolist() if kind.__module__ == "numpy" and getattr(value, "size", 99) <= 20 else value


def needed(package: str, what: str, *, module: str = "") -> ModuleType:
    """Return a package that only ``what`` needs, so that all else works in a Python without it.

    Parameters
    ----------
    package : str
        As pip knows it.
    what : str
        What needs it, to begin a sentence with.
    module : str
        As Python imports it; by default the same.

    Raises
    ------
    MissingPackageError
        If it is not installed or does not load, naming the package.

    Examples
    --------
    >>> needed("json", "Reading JSON").loads("[1, 2]")
    [1, 2]
    """
    module = module or package
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingPackageError(
            f"{what} needs the package {package}, which is not installed. Install it (pip install {package}), or do "
            "without this."
            if isinstance(error, ModuleNotFoundError) and error.name == module
            else f"{what} needs the package {package}, which does not load: {error}. Install it anew (pip install "
            f"--force-reinstall {package}), or do without this."
        ) from error
