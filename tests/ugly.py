"""Small ugly data for property tests, and what a result must not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from cocreation.errors import EstimationError, InputError

__all__ = ["frames", "says_why_or_is_finite", "scales_of"]

_UGLY = ["copy", "mirror", "sum", "constant", "holes", "wide", "tiny", "text"]


@st.composite
def frames(draw, *, least: int = 2, most: int = 7) -> pd.DataFrame:
    """Likert answers sharing a factor more or less, among them columns that repeat, mirror, sum, vanish or overflow."""
    p = draw(st.integers(least, most))
    n = draw(st.sampled_from([60, 35, 20, 12, 9, 6, 4, 2]))
    ugly = draw(st.sets(st.integers(0, most - 1), max_size=2))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    shared = draw(st.sampled_from([0.0, 0.3, 0.8]))
    common = rng.standard_normal(n)
    columns: dict[str, object] = {}
    for i in range(p):
        kind = draw(st.sampled_from(_UGLY)) if i in ugly else "likert"
        value = np.clip(np.round(4 + 1.4 * (shared * common + (1 - shared) * rng.standard_normal(n))), 1, 7)
        before = [v for v in columns.values() if np.asarray(v).dtype.kind == "f"]
        if kind == "copy" and before:
            value = before[-1]
        elif kind == "mirror" and before:
            value = 8 - before[-1]
        elif kind == "sum" and len(before) > 1:
            value = before[-1] + before[-2]
        elif kind == "constant":
            value = np.full(n, 4.0)
        elif kind == "holes":
            value = np.where(rng.random(n) < 0.3, np.nan, value)
        elif kind == "wide":
            value = value * 10.0 ** draw(st.sampled_from([-200, -120, -9, 6, 15, 90, 200]))
        elif kind == "tiny":
            value = value + 1e-13 * rng.standard_normal(n)
        elif kind == "text":
            value = value.astype(int).astype(str) if draw(st.booleans()) else np.array(["3|5"] * n)
        columns[f"i{i}"] = value
    return pd.DataFrame(columns)


def scales_of(frame: pd.DataFrame, size: int) -> dict[str, list[str]]:
    """Cut the columns into scales of ``size`` items, the last one smaller."""
    names = list(frame.columns)
    return {f"D{i}": names[i : i + size] for i in range(0, len(names), size)}


def says_why_or_is_finite(step: Callable[[], object], *, may_be_empty: tuple[str, ...] = ()) -> None:
    """Run a step: an error must be ours and say something; numbers must be numbers.

    ``may_be_empty`` names the cells (columns, fields) whose absence the result's note or remark explains.
    """
    try:
        result = step()
    except (InputError, EstimationError) as error:
        text = str(error)
        assert len(text) > 25, text
        assert text.rstrip().endswith("."), text
        return
    for field in fields(result):
        _finite(getattr(result, field.name), field.name, may_be_empty)


def _finite(value: object, where: str, may_be_empty: tuple[str, ...]) -> None:
    if where in may_be_empty:
        return
    if isinstance(value, pd.DataFrame):
        for column in value.columns:
            if pd.api.types.is_numeric_dtype(value[column]) and column not in may_be_empty:
                cells = value[column].to_numpy(dtype=float)
                assert np.isfinite(cells).all(), f"{where}.{column}\n{value}"
    elif isinstance(value, pd.Series):
        assert np.isfinite(value.to_numpy(dtype=float)).all(), f"{where}\n{value}"
    elif isinstance(value, float):
        assert np.isfinite(value), where
