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
        (lambda d: d.iloc[:3], {}, "3 complete respondents for 3 items", "more answers"),
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
        assert len(taken) > taken.shape[1]
