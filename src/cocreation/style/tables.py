"""The table behind a figure: what is drawn, in figures, for who cannot or would not read it off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Drawn = TypeVar("Drawn", Axes, Figure)

__all__ = ["behind", "packed", "tables_behind", "unpacked"]

_NAME = "_cocreation_tables"


def behind(drawn: Drawn, frame: pd.DataFrame) -> Drawn:
    """Attach the table that a figure draws; a page shows it below the figure.

    Parameters
    ----------
    drawn : Axes or Figure
        Where it is drawn. A figure of several axes keeps a table for each.
    frame : DataFrame
        The values as drawn, not rounded; an index that has a name becomes the first column.

    Returns
    -------
    Axes or Figure
        The same, so that a ``plot()`` may end with it.

    See Also
    --------
    tables_behind : Ask for them.

    Examples
    --------
    >>> import pandas as pd
    >>> from cocreation.style import axes
    >>> ax = behind(axes(None), pd.DataFrame({"item": ["a"], "loading": [0.71234]}))
    >>> tables_behind(ax)[0]
      item  loading
    0    a    0.712
    """
    figure = drawn.get_figure(root=True)
    attached = getattr(figure, _NAME, {})
    setattr(figure, _NAME, {**attached, drawn: _rounded(frame)})
    return drawn


def tables_behind(drawn: Axes | Figure) -> list[pd.DataFrame]:
    """Return the tables behind a figure, in the order in which it was drawn.

    Parameters
    ----------
    drawn : Axes or Figure
        The figure, or any of its axes.

    Returns
    -------
    list of DataFrame
        Figures are rounded to three decimals.

    See Also
    --------
    behind : Attach one.

    Examples
    --------
    >>> from cocreation.style import axes
    >>> tables_behind(axes(None))
    []
    """
    return list(getattr(drawn.get_figure(root=True), _NAME, {}).values())


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a plain copy: rounded, rows counted, columns named by text, whatever the names are and how often."""
    index = [(name, frame.index.get_level_values(at)) for at, name in enumerate(frame.index.names) if name is not None]
    columns = [*index, *((name, frame.iloc[:, at]) for at, name in enumerate(frame.columns))]
    plain = [pd.Series(np.asarray(values), name=str(name)) for name, values in columns]
    return pd.concat([each.round(3) if each.dtype.kind == "f" else each for each in plain], axis=1)


def packed(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a table as JSON can hold it.

    Parameters
    ----------
    frame : DataFrame

    Returns
    -------
    dict
        ``columns`` and ``rows``; what is missing or infinite is null.

    See Also
    --------
    unpacked : The way back.

    Examples
    --------
    >>> import pandas as pd
    >>> packed(pd.DataFrame({"n": [1, 2], "r": [0.5, None]}))
    {'columns': ['n', 'r'], 'rows': [[1, 0.5], [2, None]]}
    """
    rows = zip(*(map(_cell, frame.iloc[:, at].tolist()) for at in range(frame.shape[1])), strict=True)
    return {"columns": [str(name) for name in frame.columns], "rows": [list(row) for row in rows]}


def _cell(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)


def unpacked(table: dict[str, Any]) -> pd.DataFrame:
    """Return the table that :func:`packed` put away.

    Parameters
    ----------
    table : dict

    Returns
    -------
    DataFrame

    See Also
    --------
    packed : The way there.

    Examples
    --------
    >>> unpacked({"columns": ["n"], "rows": [[1], [2]]})["n"].sum()
    np.int64(3)
    """
    return pd.DataFrame(table["rows"], columns=table["columns"])
