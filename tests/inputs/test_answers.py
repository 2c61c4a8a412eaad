"""The gate that data pass before any statistic."""

from __future__ import annotations

import contextlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from ugly import frames

from cocreation.errors import CourseError, InputError
from cocreation.inputs.answers import items_frame, refuse_singular, scales_mapping

GOOD = pd.DataFrame({"a": [1, 2, 3, 4, 5.0], "b": [2, 1, 4, 3, 5.0], "c": [5, 3, 4, 1, 2.0]})


def test_good_data_pass_unchanged():
    pd.testing.assert_frame_equal(items_frame(GOOD), GOOD)


def test_items_come_in_the_order_asked_for():
    assert list(items_frame(GOOD, ["c", "a"]).columns) == ["c", "a"]


def test_respondents_with_a_missing_answer_are_left_out():
    data = pd.concat([GOOD, pd.DataFrame({"a": [np.nan], "b": [1.0], "c": [1.0]})], ignore_index=True)
    assert len(items_frame(data)) == 5


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "float32"])
def test_nullable_numbers_become_plain_ones(dtype):
    frame = items_frame(GOOD.astype(dtype))
    assert set(frame.dtypes.astype(str)) == {"float64"}
    np.testing.assert_array_equal(frame, GOOD)


def test_numbers_written_as_text_are_numbers():
    np.testing.assert_array_equal(items_frame(GOOD.astype(int).astype(str)), GOOD)


@pytest.mark.parametrize(
    ("change", "options", "names", "remedy"),
    [
        (lambda d: d, {"items": ["a", "zz"]}, "'zz'", "spelling"),
        (lambda d: d, {"items": ["a", "a"]}, "'a'", "once"),
        (lambda d: d, {"items": ["a"]}, "'a'", "Add items"),
        (lambda d: d, {"items": "abc"}, "'abc'", "list"),
        (lambda d: d.assign(b=["1", "3|5", "2", "3", "4"]), {}, "'b'", "two ticks"),
        (lambda d: d.assign(b=4), {}, "'b'", "Leave it out"),
        (lambda d: d.assign(b=1e15 + np.arange(5) * 0.125), {}, "'b'", "Leave it out"),
        (lambda d: d.assign(b=[1, 2, 3, 4, np.inf]), {}, "'b'", "missing value"),
        (lambda d: d * 1e120, {}, "'a'", "Correct it"),
        (lambda d: d.assign(b=[1, 2, np.nan, 4, 5]), {"missing": "raise"}, "'b'", "dropna"),
        (lambda d: d.iloc[:1], {}, "1 complete respondents", "more answers"),
        (lambda d: d.iloc[:1], {"missing": "keep"}, "got 1", "more answers"),
        (lambda d: d.iloc[:0], {}, "0 complete respondents", "more answers"),
        (lambda d: d.to_numpy(), {}, "ndarray", "pd.DataFrame"),
    ],
)
def test_bad_data_are_refused_by_name_with_a_remedy(change, options, names, remedy):
    with pytest.raises(InputError) as caught:
        items_frame(change(GOOD), **options)
    assert names in str(caught.value)
    assert remedy in str(caught.value)


def test_a_singular_matrix_names_the_items_that_repeat_each_other():
    data = GOOD.assign(d=GOOD["a"] + GOOD["b"])
    with pytest.raises(InputError, match=r"'a', 'b', 'd'.*Leave one of them out"):
        refuse_singular(data, "KMO")
    refuse_singular(GOOD.iloc[:, :2], "KMO")


def test_no_more_respondents_than_items_is_the_reason_why_there_is_no_inverse():
    few = items_frame(GOOD.iloc[:3])
    assert len(few) == 3
    with pytest.raises(InputError, match=r"3 complete respondents for 3 items.*KMO does not exist.*more answers"):
        refuse_singular(few, "KMO")


@pytest.mark.parametrize(
    ("scales", "names"),
    [
        ({"A": ["a", "zz"]}, "'zz'"),
        ({"A": ["a", "b"], "B": ["b", "c"]}, "'b' stands in 'A' and in 'B'"),
        ({"A": ["a"]}, "'A' has 1 items"),
        ({"A": "abc"}, "'abc'"),
        ({}, "mapping"),
        (["a", "b"], "list"),
    ],
)
def test_scales_that_cannot_be_taken_are_refused_by_name(scales, names):
    with pytest.raises(InputError, match=names):
        scales_mapping(scales, GOOD.columns)


@given(frames(least=0))
@settings(deadline=None, derandomize=True, max_examples=80)
def test_whatever_comes_in_what_goes_out_is_complete_and_varies(frame):
    taken = None
    with contextlib.suppress(CourseError):
        taken = items_frame(frame)
    if taken is not None:
        assert np.isfinite(taken.to_numpy()).all()
        assert (taken.max() > taken.min()).all()
        assert len(taken) > 1


def test_an_empty_cell_that_came_as_text_is_no_answer():
    typed = pd.DataFrame({"a": ["1", "2", "", "4", "5", "3"], "b": ["2", " ", "3", "3", "5", "1"]})
    expected = pd.DataFrame({"a": [1.0, 4, 5, 3], "b": [2.0, 3, 5, 1]}, index=[0, 3, 4, 5])
    for kind in (object, "string", "category"):
        pd.testing.assert_frame_equal(items_frame(typed.astype(kind)), expected)
    with pytest.raises(InputError, match="'a' has no answer from anybody"):
        items_frame(typed.assign(a="\t"))


GAPS = pd.DataFrame(
    {
        "a": [1, 2, 3, 4, 5, 3],
        "b": [4, 4, 4, 4, 1, 2],
        "c": [2, 1, 3, 4, np.nan, np.nan],
        "d": [3, 1, 2, 5, np.nan, 4],
    }
)


def test_an_item_that_only_complete_rows_leave_constant_is_told_with_the_item_whose_gaps_did_it():
    with pytest.raises(InputError) as caught:
        items_frame(GAPS)
    message = str(caught.value)
    assert "Item 'b' is constant among the 4 respondents who answered every item: each gave 4" in message
    assert "skipped 'c'. Leave 'c' out rather than 'b'" in message
    assert items_frame(GAPS, ["a", "b", "d"])["b"].nunique() == 2  # as the message says
    assert "everybody" not in message


def test_two_items_whose_gaps_together_leave_an_item_constant_are_both_named():
    both = GAPS.assign(d=[3, 1, 2, 5, np.nan, np.nan])
    with pytest.raises(InputError, match=r"skipped 'c', 'd'\. Leave those out rather than 'b', or complete their"):
        items_frame(both)
    assert items_frame(both, ["a", "b"])["b"].nunique() == 3


def test_an_item_that_nobody_answered_otherwise_is_plainly_constant():
    with pytest.raises(InputError, match=r"Item 'b' is constant: everybody gave the same answer.*Leave it out"):
        items_frame(GAPS.assign(b=[4, 4, 4, 4, np.nan, 4]))
