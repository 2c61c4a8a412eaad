"""Personal data: every student gets a survey of their own, and the same one every time.

The seed is an HMAC of the course key, the assignment and the student, so it
tells one student nothing about another's and needs no list of students. The
key comes from the environment variable ``COCREATION_COURSE_KEY``. Without it a
public practice key is used. Whoever has the key can draw anybody's data: it
keeps one course's data apart from the next one's, it does not keep marks safe.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import unicodedata
from typing import TYPE_CHECKING

from ..errors import CourseError
from . import assignments

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KEY_VARIABLE", "PRACTICE_KEY", "course_key", "data", "seed"]

KEY_VARIABLE = "COCREATION_COURSE_KEY"
#: public on purpose: for practice, for the book and for whoever works alone
PRACTICE_KEY = "practice"


def course_key() -> str:
    """Return the course key of ``COCREATION_COURSE_KEY``, or the public practice key."""
    return os.environ.get(KEY_VARIABLE) or PRACTICE_KEY


def seed(assignment: str, student: str, *, key: str | None = None) -> int:
    """Return the seed of a student's data: 128 bits of HMAC-SHA256(key, assignment and student).

    Capitals, outer blanks and the ways Unicode has of writing one letter make
    no difference to who a student is.

    Raises
    ------
    CourseError
        If the student is not named.
    """
    name = unicodedata.normalize("NFKC", str(student)).strip().casefold()
    if not re.search(r"\w", name):
        raise CourseError('No student is named. Write your student number between the quotes of STUDENT = "…".')
    message = f"{assignment}\0{name}".encode()
    return int.from_bytes(hmac.digest((key or course_key()).encode(), message, hashlib.sha256)[:16], "big")


def data(assignment: str, student: str, *, key: str | None = None) -> pd.DataFrame:
    """Return a student's data for an assignment.

    Parameters
    ----------
    assignment : str
        For instance "purify".
    student : str
        The student number.
    key : str, optional
        The course key, by default :func:`course_key`.

    Returns
    -------
    DataFrame
        What the assignment's own ``data`` makes of the student's :func:`seed`.

    Raises
    ------
    CourseError
        If there is no such assignment or no student is named.
    """
    return assignments.find(assignment).data(seed(assignment, student, key=key))
