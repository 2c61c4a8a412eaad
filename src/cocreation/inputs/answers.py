"""The gate every step's data pass: a DataFrame of items, or an error that names the culprit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from ..errors import InputError, plain
from .labels import refuse_alike
from .matrices import refuse_matrix
from .options import names_of, plain_table, quoted
from .suspects import refuse_outside, warn_of_suspects

__all__ = ["items_frame", "refuse_singular", "scales_mapping", "used"]


def used(frame: pd.DataFrame, data: pd.DataFrame) -> str:
    """Return how many respondents a statistic used, and how many it left out, for its note.

    Parameters
    ----------
    frame : DataFrame
        The answers used.
    data : DataFrame
        Those handed in.

    Returns
    -------
    str

    See Also
    --------
    items_frame : Check the answers.

    Examples
    --------
    >>> import pandas as pd
    >>> data = pd.DataFrame({"a": [1, 2, None]})
    >>> used(data.dropna(), data)
    '2 respondents (1 with missing answers left out)'
    """
    left_out = len(data) - len(frame)
    return f"{len(frame)} respondents" + (f" ({left_out} with missing answers left out)" if left_out else "")


def items_frame(
    data: pd.DataFrame,
    items: Iterable[str] | None = None,
    *,
    missing: str = "listwise",
    at_least: int = 2,
    constant: str = "raise",
    respondents: int = 2,
    points: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """Return the items as a float DataFrame that a statistic can take.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        A row a respondent.
    items : iterable of str, optional
        The columns to use, in this order; all columns by default.
    missing : {"listwise", "raise", "keep"}
        Drop respondents with a missing answer, refuse them, or leave them in.
    at_least : int
        The fewest items the statistic can take.
    constant : {"raise", "keep"}
        What to do with an item that everybody answered alike.
    respondents : int
        The fewest respondents the statistic can take. What needs the inverse of the items' correlations needs more
        of them than items: :func:`refuse_singular` says so.
    points : (lowest, highest), optional
        The ends of the scale, where they are known.

    Returns
    -------
    DataFrame of float64, shape (respondents kept, items)

    Raises
    ------
    InputError
        For correlations or covariances in place of answers, an unknown or repeated item, a column that is not
        numeric, infinite values, an answer outside ``points``, too few items or respondents, or a constant
        item; the message names it and the remedy.

    Warns
    -----
    AnswersWarning
        Of values far outside the rest, such as 99 for no answer; :func:`~cocreation.inputs.suspects.suspects` says
        which.

    See Also
    --------
    scales_mapping : Check the dimensions.
    refuse_singular : Refuse items that repeat each other.
    used : Say how many respondents were used.

    Examples
    --------
    >>> import pandas as pd
    >>> raw = pd.DataFrame({"a": ["1", "2", "3", None], "b": [2, 1, 4, 3]})
    >>> items_frame(raw)
         a    b
    0  1.0  2.0
    1  2.0  1.0
    2  3.0  4.0
    >>> items_frame(raw.assign(b=4))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    cocreation.errors.InputError: Item 'b' is constant: ... Leave it out.
    """
    for option, value, allowed in (
        ("missing", missing, ("listwise", "raise", "keep")),
        ("constant", constant, ("raise", "keep")),
    ):
        if value not in allowed:
            raise InputError(f"{option} is one of {', '.join(allowed)}, not {plain(value)}.")
    if not isinstance(data, pd.DataFrame):
        raise InputError(
            f"Expected a pandas DataFrame with one column an item, got {type(data).__name__}. "
            "Wrap the answers in pd.DataFrame(answers, columns=items)."
        )
    plain_table(data)
    names = names_of(data.columns if items is None else items)
    refuse_matrix(data, names)
    unknown = [name for name in names if name not in data.columns]
    if unknown:
        raise InputError(
            f"The data have no item {quoted(unknown)}. Known columns are {quoted(data.columns, most=8) or 'none'}; "
            "check the spelling."
        )
    if len(names) < at_least:
        raise InputError(
            f"This needs at least {at_least} item{'s' if at_least > 1 else ''}, got {len(names)} "
            f"({quoted(names) or 'none'}). Add items."
        )
    given = frame = _numbers(data, names)
    if points is None:
        warn_of_suspects(given, data)
    else:
        refuse_outside(given, data, points)
    if missing != "keep":
        frame = _without_holes(frame, missing)
    _refuse_few(frame, respondents, missing)
    if constant == "raise":
        _refuse_constant(frame, given)
    return frame


def _without_holes(frame: pd.DataFrame, missing: str) -> pd.DataFrame:
    holes = frame.isna()
    count = int(holes.to_numpy().sum())
    if not count:
        return frame
    if missing == "raise" and count:
        first = [name for name in frame if holes[name].any()]
        raise InputError(
            f"Item {quoted(first)} has missing values ({count} in all), which this statistic cannot take. Drop those "
            "respondents (data.dropna()) or use missing='listwise'."
        )
    empty = [name for name in frame if holes[name].all()]
    if empty and len(frame):
        raise InputError(f"Item {quoted(empty)} has no answer from anybody. Leave it out.")
    return frame[~holes.any(axis=1)]


def _refuse_few(frame: pd.DataFrame, respondents: int, missing: str) -> None:
    if len(frame) < respondents:
        least = f"at least {respondents} respondent{'s' if respondents > 1 else ''}"
        raise InputError(
            f"This needs {least}, got {len(frame)}. Collect more answers."
            if missing == "keep"
            else f"There are {len(frame)} complete respondents; this needs {least}. Collect more answers or leave out "
            "an item that many skipped."
        )


def _refuse_constant(frame: pd.DataFrame, given: pd.DataFrame) -> None:
    """Raise where an item does not vary in ``frame``, which is ``given`` without those who skipped an item."""
    flat = _flat(frame)
    truly = _flat(given[flat]) if flat else []
    if truly:
        raise InputError(
            f"Item {quoted(truly)} is constant: everybody gave the same answer, so it correlates "
            "with nothing. Leave it out."
        )
    if flat:
        item, skipped = flat[0], _skipped(flat[0], frame, given)
        together = len(skipped) > 1
        raise InputError(
            f"Item '{item}' is constant among the {len(frame)} respondents who answered every item: each gave "
            f"{frame[item].iloc[0]:g}. It varies among all who answered it, but those who answered it otherwise "
            f"skipped {quoted(skipped)}. Leave {'those' if together else quoted(skipped)} out rather than '{item}', or "
            f"complete {'their' if together else 'its'} missing answers."
        )


def _flat(frame: pd.DataFrame) -> list:
    most, least = (reduce(frame.to_numpy(), axis=0) for reduce in (np.fmax.reduce, np.fmin.reduce))
    # a spread lost in the rounding of its own column has no correlation either
    trace = np.maximum(1e-10 * np.maximum(np.abs(most), np.abs(least)), 1e-100)
    return [name for name, varied in zip(frame, most - least > trace, strict=True) if not varied]


def _skipped(item, frame: pd.DataFrame, given: pd.DataFrame) -> list:
    """Return the fewest items without whose gaps ``item`` would vary among the complete rows."""
    otherwise = given[given[item].notna() & (given[item] != frame[item].iloc[0])].isna()
    fewest = otherwise.sum(axis=1)
    gaps = otherwise[(fewest == fewest.min()).to_numpy()]
    # of several such sets the one that keeps most respondents
    kept = [int(given.drop(columns=gaps.columns[row]).notna().all(axis=1).sum()) for row in gaps.to_numpy()]
    return list(gaps.columns[gaps.to_numpy()[int(np.argmax(kept))]])


def scales_mapping(
    scales: Mapping[str, Sequence[str]], columns: Iterable[str] | None = None, *, at_least: int = 2
) -> dict[str, list[str]]:
    """Return ``{dimension: [item, …]}`` checked: known items, each in one dimension only.

    Parameters
    ----------
    scales : mapping
        ``{dimension: [item, …]}``.
    columns : iterable of str, optional
        The items there are; any by default.
    at_least : int
        The fewest items a dimension.

    Returns
    -------
    dict
        ``{dimension: [item, …]}``, with lists, in the order given.

    Raises
    ------
    InputError
        If it is not a mapping, a dimension has too few items, an item is
        unknown, or an item stands in two dimensions.

    See Also
    --------
    items_frame : Check the answers.

    Examples
    --------
    >>> scales_mapping({"DO": ("DO01", "DO02")})
    {'DO': ['DO01', 'DO02']}
    >>> scales_mapping({"DO": ["DO01", "DO02"], "CE": ["DO02", "CE01"]})
    Traceback (most recent call last):
        ...
    cocreation.errors.InputError: Item 'DO02' stands in 'DO' and in 'CE'. Put it in one dimension.
    """
    if not isinstance(scales, Mapping) or not scales:
        raise InputError(
            "Expected a mapping from dimension to its items, got "
            f"{'an empty one' if isinstance(scales, Mapping) else type(scales).__name__}. "
            "Write {'PE': ['PE1', 'PE2', 'PE3'], …}."
        )
    checked = {str(name): names_of(items) for name, items in scales.items()}
    if len(checked) < len(scales):
        raise InputError(f"Two dimensions have the same name among {quoted(scales)}. Give each its own.")
    known = None if columns is None else set(columns)
    owner: dict[str, str] = {}
    for name, items in checked.items():
        if len(items) < at_least:
            raise InputError(f"Dimension '{name}' has {len(items)} items; this needs at least {at_least}. Add items.")
        for item in items:
            if known is not None and item not in known:
                raise InputError(
                    f"Dimension '{name}' names the item '{item}', which the data do not have. Check the spelling."
                )
            if item in owner:
                raise InputError(f"Item '{item}' stands in '{owner[item]}' and in '{name}'. Put it in one dimension.")
            owner[item] = name
    refuse_alike(checked, "dimensions", remedy="Rename one of them")
    refuse_alike(owner, "items", remedy="Rename one of them or leave it out")
    return checked


def _numbers(data: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return the columns as numbers: all at once where they are plain numbers, one by one to say which is not."""
    chosen = data[names]
    if all(isinstance(kind, np.dtype) and kind.kind in "iuf" for kind in chosen.dtypes):
        array = chosen.to_numpy(dtype=float)
        if not (np.abs(array) > 1e100).any():
            return pd.DataFrame(array, data.index, names)
    return pd.DataFrame({name: _numeric(data[name], name) for name in names}, index=data.index)


def _numeric(column: pd.Series, name: str) -> np.ndarray:
    kinds = pd.api.types
    if kinds.is_bool_dtype(column) or (column.dtype == object and column.map(_is_bool).any()):
        raise InputError(
            f"Item '{name}' holds True and False, which are no answers. Leave it out, or write "
            f"data['{name}'].astype(int) if it is a question of yes or no."
        )
    if kinds.is_datetime64_any_dtype(column) or kinds.is_timedelta64_dtype(column):
        raise InputError(f"Item '{name}' holds dates or times, which are no answers. Leave it out.")
    if kinds.is_complex_dtype(column):
        raise InputError(f"Item '{name}' holds complex numbers, which are no answers. Leave it out.")
    if not kinds.is_numeric_dtype(column):
        column = column.astype(object)
        column = column.mask(column.map(_is_blank).astype(bool))
        values = pd.to_numeric(column, errors="coerce")
        bad = column[values.isna() & column.notna()]
        if len(bad):
            raise InputError(
                f"Item '{name}' is not numeric: row {bad.index[0]} holds {str(bad.iloc[0])!r}. Recode the answers "
                "to numbers (an answer with two ticks is missing)."
            )
        column = values
    array = column.to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(array).any():
        raise InputError(f"Item '{name}' holds an infinite value. Replace it with a missing value.")
    if (np.abs(array) > 1e100).any():
        raise InputError(f"Item '{name}' holds a value above 1e100, whose square is infinite. Correct it.")
    return array


def _is_bool(value: object) -> bool:
    return isinstance(value, (bool, np.bool_))


def _is_blank(value: object) -> bool:
    """An empty cell that came as text is no answer."""
    return isinstance(value, str) and not value.strip()


def refuse_singular(frame: pd.DataFrame, purpose: str) -> None:
    """Raise where the items' correlation matrix has no inverse: too few respondents, or items that repeat each other.

    Parameters
    ----------
    frame : DataFrame
        Complete answers, as :func:`items_frame` returns them.
    purpose : str
        What needs the inverse, for the message.

    Raises
    ------
    InputError
        Saying how many respondents there are, or naming the items, and the remedy.

    See Also
    --------
    items_frame : Check the answers.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"a": [1.0, 2, 3, 5], "b": [2.0, 1, 4, 3]})
    >>> refuse_singular(frame, "KMO")
    >>> refuse_singular(frame.assign(c=frame["a"] + frame["b"]), "KMO")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    cocreation.errors.InputError: Items 'a', 'b', 'c' repeat each other exactly ... Leave one of them out.
    """
    n, p = frame.shape
    if n <= p:
        raise InputError(
            f"There are {n} complete respondents for {p} items; a correlation matrix then has no inverse, and "
            f"{purpose} does not exist. Collect more answers or use fewer items."
        )
    r = np.corrcoef(frame.to_numpy(), rowvar=False)
    values, vectors = np.linalg.eigh(r)
    if values[0] > 1e-10:
        return
    weights = np.abs(vectors[:, 0])
    together = [name for name, weight in zip(frame.columns, weights, strict=True) if weight > 0.1 * weights.max()]
    raise InputError(
        f"Items {quoted(together)} repeat each other exactly (one is a sum of the others), so the correlation "
        f"matrix is singular and {purpose} does not exist. Leave one of them out."
    )
