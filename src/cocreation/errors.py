"""The errors a user can cause, told in the user's terms."""

from __future__ import annotations

import linecache
import traceback

__all__ = ["CourseError", "EstimationError", "InputError"]


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


class InputError(CourseError, ValueError):
    """Data or arguments that a statistic cannot take."""


class EstimationError(CourseError, ArithmeticError):
    """A model that did not converge, is not identified, or was fitted inconsistently."""
