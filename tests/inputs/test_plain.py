"""What a message is about is written as a user would type it: 0, not np.int64(0)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cocreation
from cocreation.errors import CourseError, plain
from cocreation.inputs import options
from cocreation.steps import decisions, generate
from cocreation.steps.conceptualize import agreement, saturation
from cocreation.steps.confirm import bootstrap, cfa
from cocreation.steps.explore import factors
from cocreation.steps.judge import cvr, krippendorff_alpha, relevance, sorting
from cocreation.steps.purify import alpha
from cocreation.steps.screen import describe, screen
from cocreation.steps.validate import htmt_intervals, invariance, omega, retest

_ROWS = pd.DataFrame(np.random.default_rng(0).integers(1, 6, (40, 4)), columns=list("abcd"))
_VOTES = pd.DataFrame({"r1": [1, 2, 9], "r2": [1, 2, 2]}, index=pd.Index([10, 11, 12]))
_LOG = pd.DataFrame({"subject": ["a"], "decision": [np.int64(3)], "rule": [""], "evidence": [""]}, index=pd.Index([0]))
_MODEL = {"F": ["a", "b", "c", "d"]}

CALLS = {
    "level": lambda: alpha(_ROWS, level=np.float64(2)),
    "whole number": lambda: options.whole(np.int64(0), "draws"),
    "yes or no": lambda: options.yes_no(np.int64(1), "orthogonal"),
    "between": lambda: options.between(np.float64(3), "limit", 0, 1),
    "points": lambda: options.ends((np.int64(7), np.int64(1))),
    "seed": lambda: options.generator(np.float64(1.5)),
    "seeds": lambda: options.generator([np.int64(-1), np.int64(2)]),
    "names": lambda: options.names_of([[np.int64(1)], "b"]),
    "number of factors": lambda: omega(_ROWS.assign(e=_ROWS["a"].to_numpy()[::-1]), np.int64(9)),
    "number to extract": lambda: factors(_ROWS, np.float64(1.5)),
    "estimator": lambda: cfa(_ROWS, _MODEL, estimator=np.int64(1)),
    "kind of bootstrap": lambda: bootstrap(_ROWS, _MODEL, kind=np.str_("ordinary")),
    "column of groups": lambda: invariance(_ROWS, _MODEL, np.int64(5)),
    "levels": lambda: invariance(_ROWS.assign(g=1), _MODEL, "g", levels=[np.str_("metric"), np.int64(1)]),
    "coder's code": lambda: agreement(np.array([1, 2, 3]), np.array([1, 2, 4]), order=[1, 2, 3]),
    "row without a theme": lambda: saturation(pd.DataFrame({"interview": [1, 2], "theme": ["a", None]})),
    "rating": lambda: relevance(_VOTES, points=(1, 4)),
    "vote": lambda: cvr(_VOTES, essential=np.int64(5)),
    "metric": lambda: krippendorff_alpha(_VOTES, metric=np.int64(1)),
    "value out of order": lambda: krippendorff_alpha(_VOTES, metric="ordinal", order=[1, 2]),
    "sort": lambda: sorting(_VOTES, pd.Series([1, 2, 2], index=_VOTES.index)),
    "decision": lambda: decisions.write_decisions(_LOG, "purify", "nowhere"),
    "convention": lambda: describe(_ROWS, convention=np.int64(1)),
    "trap": lambda: screen(_ROWS, items=list("abcd"), trap=(np.int64(1),), points=(1, 5)),
    "answer to screen": lambda: screen(_ROWS.assign(a=9), items=list("abcd"), points=(1, 5)),
    "final": lambda: generate.coverage(
        pd.DataFrame({"item": ["x"], "dimension": ["A"], "theme": ["t"]}), final=np.int64(4)
    ),
    "dimension": lambda: retest(*[_ROWS.assign(respondent=range(40))] * 2, {"F": ["a", "b"]}).plot(
        dimension=np.int64(3)
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_message_names_no_type_of_numpy(name):
    with pytest.raises(CourseError) as told:
        CALLS[name]()
    assert not re.search(r"np\.\w+\(|np\.True_|np\.False_", str(told.value))


def test_plain_leaves_what_is_no_scalar():
    assert plain("np.int64(0)") == "'np.int64(0)'"
    assert plain([np.int64(1), {np.float64(2.5): (None,)}]) == "[1, {2.5: (None,)}]"
    assert plain(np.array([1, 2])) == "[1, 2]"
    assert len(plain(np.arange(9999))) < 100


def test_a_note_names_seeds_as_they_are_typed():
    seeds = [np.int64(1), np.int64(2)]
    answers = _ROWS + 3 * _ROWS[["a"]].to_numpy()
    assert "seed [1, 2]" in htmt_intervals(answers, {"F": ["a", "b"], "G": ["c", "d"]}, draws=50, seed=seeds).note
    assert "seed [1, 2]" in krippendorff_alpha(_VOTES, draws=50, level=0.9, seed=np.array(seeds)).note


def test_no_message_prints_a_value_by_its_representation():
    """``{value!r}`` would show NumPy's types; what stays is text for certain, or a programmer's mistake."""
    root = Path(cocreation.__file__).parent
    text_only = {"_files.py", "progress.py", "syntax.py"}
    for path in root.rglob("*.py"):
        if path.name in text_only or path.is_relative_to(root / "widgets"):
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            if "!r}" in line:
                assert "ValueError(" in line or "{str(" in line, (path, line)
