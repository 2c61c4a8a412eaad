"""Checks that say what an answer reveals.

An answer is compared with the right one and with the answers that known
mistakes give on the same data. So feedback can say "this is what you get when
the reverse-keyed item is not recoded" instead of "wrong". What is right, and
which mistakes are known, stands in the module of the assignment
(:mod:`cocreation.course.assignments`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

from ..errors import CourseError
from ..inputs.labels import look
from . import assignments, personal
from .questions import TOLERANCE, Mistake, Question, Verdict

__all__ = ["TOLERANCE", "Checks", "Mistake", "NotYet", "Question", "Verdict", "compare", "shape_problem"]

#: an answer that is not rounded tells methods apart even where their results lie close together
_EXACT = 1e-9


class NotYet(AssertionError):
    """An answer is not right yet; the message says what it reveals. Notebooks show the message alone."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]


def compare(answer: Any, question: Question, *, tolerance: float = TOLERANCE) -> Verdict:
    """Return the verdict on an answer.

    Parameters
    ----------
    answer : object
        Whatever the student has. Kind and labels are looked at before values.
    question : Question
    tolerance : float
        Largest absolute difference of a number.

    Returns
    -------
    Verdict
        Right if every value agrees; else with the hint of the first mistake
        that gives the same values. Exact agreement is looked for before
        agreement within the tolerance, so an unrounded answer is told apart
        from a neighbour that happens to round alike.
    """
    if answer is ...:
        return Verdict(False, "The answer is still “…”. Put your own in its place.", "empty")
    if question.judge:
        verdict = question.judge(answer)
        if verdict:
            return verdict
    problem = shape_problem(answer, question.right)
    for closeness in (_EXACT, tolerance):
        if not problem and _agree(answer, question.right, closeness):
            return Verdict(True, question.praise)
        for mistake in question.mistakes:
            if not shape_problem(answer, mistake.value) and _agree(answer, mistake.value, closeness):
                return Verdict(False, mistake.hint, mistake.name)
    if problem:
        return Verdict(False, problem, "shape")
    return Verdict(False, f"{_first_difference(answer, question.right, tolerance)}{question.otherwise}", "unknown")


class Checks:
    """The checks of one student's assignment, to be called as ``check("alpha", my_alpha)``.

    The data are drawn again from the student's number, so a change made to
    them in the notebook does not mislead the checks.

    Raises
    ------
    CourseError
        If there is no such assignment or question, or no student is named.
    """

    def __init__(self, assignment: str, student: str, *, key: str | None = None) -> None:
        self.assignment = assignment
        self._questions = assignments.find(assignment).questions(personal.data(assignment, student, key=key))

    @property
    def questions(self) -> tuple[str, ...]:
        """The ids of the assignment's questions, in order."""
        return tuple(self._questions)

    def verdict(self, question: str, answer: Any) -> Verdict:
        """Return the verdict on an answer without printing or raising."""
        if question not in self._questions:
            raise CourseError(
                f"The assignment '{self.assignment}' has no question '{question}'. It has: {', '.join(self.questions)}."
            )
        return compare(answer, self._questions[question])

    def __call__(self, question: str, answer: Any) -> None:
        """Print what a right answer shows, or raise :class:`NotYet` with what a wrong one reveals."""
        verdict = self.verdict(question, answer)
        if not verdict.right:
            raise NotYet(verdict.message)
        print(f"Yes: {verdict.message}")


def shape_problem(answer: Any, right: Any) -> str:
    """Return what is wrong with the kind or the labels of an answer, or ""."""
    if isinstance(right, pd.DataFrame):
        return _frame_problem(answer, right)
    if isinstance(right, pd.Series):
        if not isinstance(answer, Mapping | pd.Series):
            return f"This needs one number for each item (a Series or a dict), but your answer is {_kind(answer)}."
        return _labels_problem(list(answer.keys()), list(right.index), "item") or _numbers_problem(answer)
    if isinstance(right, str):
        return "" if isinstance(answer, str) else f"This needs a name in quotes, but your answer is {_kind(answer)}."
    if isinstance(right, list):
        named = isinstance(answer, list | tuple) and all(isinstance(name, str) for name in answer)
        return "" if named else f"This needs a list of names such as ['A1', 'A2'], but your answer is {_kind(answer)}."
    if not isinstance(answer, Number) or isinstance(answer, bool | np.bool_):
        return f"This needs one number, but your answer is {_kind(answer)}."
    return "" if math.isfinite(answer) else f"Your answer is {answer}: a missing value or a division by zero got in."


def _frame_problem(answer: Any, right: pd.DataFrame) -> str:
    if not isinstance(answer, pd.DataFrame):
        return f"This needs a DataFrame, but your answer is {_kind(answer)}."
    columns = _labels_problem(list(answer.columns), list(right.columns), "column")
    if columns:
        return columns
    if len(answer) != len(right):
        return f"Your table has {len(answer)} rows; it needs {len(right)}."
    text = [name for name in right.columns if not pd.api.types.is_numeric_dtype(answer[name])]
    if text:
        return f"The column {text[0]} of your table holds something that is not a number."
    return _labels_problem(list(answer.index), list(right.index), "row")


def _labels_problem(have: list, need: list, what: str) -> str:
    missing = [str(name) for name in need if name not in have]
    extra = [str(name) for name in have if name not in need]
    if missing:
        return f"Your answer lacks the {what} {', '.join(missing[:3])}; it needs {', '.join(map(str, need[:12]))}."
    if extra:
        return f"Your answer has the {what} {', '.join(extra[:3])}, which does not belong here."
    return f"Your answer has a {what} twice." if len(have) != len(need) else ""


def _numbers_problem(answer: Mapping | pd.Series) -> str:
    for name, value in answer.items():
        if not isinstance(value, Number) or isinstance(value, bool | np.bool_):
            return f"The value of {name} is {_kind(value)}, not a number."
        if not math.isfinite(value):
            return f"The value of {name} is missing: a respondent without an answer, or a division by zero, got in."
    return ""


def _agree(answer: Any, other: Any, tolerance: float) -> bool:
    if isinstance(other, str):
        return look(answer) == look(other)
    if isinstance(other, list):
        return list(map(look, answer)) == list(map(look, other))
    return not _differences(answer, other, tolerance)


def _differences(answer: Any, other: Any, tolerance: float) -> list[tuple[str, float]]:
    """Return (where, the answer's value) for all numbers that differ."""
    if isinstance(other, pd.DataFrame):
        ours = answer.loc[other.index, other.columns].to_numpy(dtype=float, na_value=np.nan)
        off = ~np.isclose(ours, other.to_numpy(dtype=float), rtol=0, atol=tolerance, equal_nan=True)
        return [(f"{other.index[r]}, {other.columns[c]}", float(ours[r, c])) for r, c in np.argwhere(off)]
    if isinstance(other, pd.Series):
        return [
            (str(name), float(answer[name]))
            for name, value in other.items()
            if not abs(float(answer[name]) - value) <= tolerance
        ]
    return [] if abs(float(answer) - float(other)) <= tolerance else [("", float(answer))]


def _first_difference(answer: Any, right: Any, tolerance: float) -> str:
    if isinstance(right, str | list):
        return ""
    where, value = _differences(answer, right, tolerance)[0]
    return f"{where} is {value:.3f} in your answer, and should be another figure. " if where else ""


def _kind(value: Any) -> str:
    if value is None:
        return "None (does your function return its result?)"
    if callable(value):
        return "a function: call it, with parentheses and data"
    return {"str": "a text", "DataFrame": "a DataFrame", "Series": "a Series", "ndarray": "an array without names"}.get(
        type(value).__name__, f"of the kind {type(value).__name__}"
    )
