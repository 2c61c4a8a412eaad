"""What an assignment asks: the right answer, the known mistakes, and what to say of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["TOLERANCE", "Mistake", "Question", "Verdict"]

#: answers may be rounded to three decimals
TOLERANCE = 6e-4


@dataclass(frozen=True)
class Mistake:
    """A known way to go wrong: its name, the answer it gives, and what to tell the student."""

    name: str
    value: Any
    hint: str


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, what to tell the student, and the name of the mistake recognised, if any."""

    right: bool
    message: str
    mistake: str = ""


class _Judge(Protocol):
    def __call__(self, answer: Any) -> Verdict | None: ...


@dataclass(frozen=True)
class Question:
    """One answer cell: the right answer, the known mistakes, and what to say.

    Attributes
    ----------
    right : str, number, list of str, Series or DataFrame
    praise : str
        What a right answer shows.
    otherwise : str
        Where to look when no known mistake gives the answer.
    mistakes : sequence of Mistake
        Tried in this order.
    judge : callable, optional
        Looks first; returns a verdict, or None to leave it to the comparison.
    """

    right: Any
    praise: str
    otherwise: str
    mistakes: Sequence[Mistake] = field(default_factory=tuple)
    judge: _Judge | None = None
