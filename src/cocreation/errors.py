"""The errors a user can cause, told in the user's terms."""

from __future__ import annotations

__all__ = ["CourseError", "EstimationError", "InputError"]


class CourseError(Exception):
    """Something a user did or asked for cannot be done.

    The message says what was wrong, where, and what to do about it. The
    command line prints it as one sentence and exits with status 2.
    """


class InputError(CourseError, ValueError):
    """Data or arguments that a statistic cannot take."""


class EstimationError(CourseError, ArithmeticError):
    """A model that did not converge, is not identified, or was fitted inconsistently."""
