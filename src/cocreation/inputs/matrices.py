"""Correlations or covariances handed over as if they were answers: recognized, and refused by name."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from ..errors import InputError

__all__ = ["refuse_matrix"]

#: nobody prints a matrix of more items
_MOST_ROWS = 300


def refuse_matrix(data: pd.DataFrame, items: Sequence[Hashable]) -> None:
    """Raise where a table is not answers but the items' correlations or covariances.

    Recognized are symmetric tables, or triangles of them, whose rows are named like the items – in the
    index or in a column of text, with other rows or columns beside them or not – and such tables without
    names for the rows if they hold three items or more and broken numbers.

    Parameters
    ----------
    data : DataFrame
        What a user passed as answers.
    items : sequence
        The columns that are taken for items; those the data do not have are passed over.

    Raises
    ------
    InputError
        Saying what the table is, and what to pass.

    See Also
    --------
    cocreation.inputs.answers.items_frame : Check the answers.

    Examples
    --------
    >>> r = pd.DataFrame([[1, 0.5], [0.5, 1]], index=["a", "b"], columns=["a", "b"])
    >>> refuse_matrix(r, ["a", "b"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    cocreation.errors.InputError: The data are a correlation matrix ... Pass the answers ...
    """
    if not isinstance(data, pd.DataFrame) or data.columns.nlevels > 1 or not data.columns.is_unique:
        return
    items = [item for item in items if isinstance(item, Hashable) and item in data.columns]
    square, named = _square(data, items)
    if square is None:
        return
    if kind := _kind(square, named=named):
        why = [*(["its rows bear the names of its columns"] if named else []), "symmetric"]
        why += ["ones on the diagonal"] if kind == "correlation" else []
        raise InputError(
            f"The data are a {kind} matrix ({', '.join(why)}), not the answers of respondents: its rows would be taken "
            "for people. Pass the answers it was computed from, with a row a respondent."
        )


def _square(data: pd.DataFrame, items: list[Hashable]) -> tuple[np.ndarray | None, bool]:
    """Return the rows named like the items, or the whole of a square table, and whether names say which rows."""
    if min(len(items), len(data)) < 2 or len(data) > _MOST_ROWS:
        return None, False
    texts = [name for name in data.columns if not pd.api.types.is_numeric_dtype(data[name])]
    labels = [data.index] if data.index.nlevels == 1 else []
    for label in [*labels, *(pd.Index(data[name]) for name in texts)]:
        place: dict[str, int] = {}
        for number, value in enumerate(label):
            place.setdefault(str(value).strip(), number)
        named = {item: place[str(item).strip()] for item in items if str(item).strip() in place}
        if len(named) >= max(2, len(items) / 2):
            # rows are counted without being named
            return _numbers(data[[*named]].iloc[[*named.values()]]), not any(name.isdecimal() for name in place)
    numeric = [name for name in data.columns if name not in texts]
    return (_numbers(data[numeric]), False) if len(numeric) == len(data) else (None, False)


def _numbers(table: pd.DataFrame) -> np.ndarray | None:
    values = table.apply(lambda column: pd.to_numeric(column, errors="coerce")).to_numpy(dtype=float, na_value=np.nan)
    return values if np.isfinite(values).any() else None


def _kind(square: np.ndarray, *, named: bool) -> str:
    """Return "correlation", "covariance" or nothing; half a matrix counts as the whole."""
    filled = np.where(np.isnan(square), square.T, square)
    off = ~np.eye(len(filled), dtype=bool)
    if np.isnan(filled[off]).any() or not np.isfinite(filled[off]).all():
        return ""
    diagonal = np.diag(filled)
    unknown = np.isnan(diagonal)
    size = np.abs(filled[off]).max()
    if np.abs(filled - filled.T)[off].max() > 0.0051 * max(size, 1e-300):
        return ""
    # counted rows could be answers that happen to be symmetric: then only broken numbers tell
    if not named and (unknown.any() or len(filled) < 3 or (filled[off] == np.round(filled[off])).all()):
        return ""
    if size <= 1.0005 and (unknown | (np.abs(diagonal - 1) < 0.0051)).all():
        return "correlation"
    if unknown.any() or (diagonal <= 0).any():
        return ""
    return "covariance" if (np.abs(filled) <= 1.01 * np.sqrt(np.outer(diagonal, diagonal)))[off].all() else ""
