"""One look for a notebook: figures by :mod:`cocreation.style`, and every DataFrame as a table of the house.

A notebook's first cell calls :func:`house_style`. What a cell ends with or displays then looks like the
tables of the results, in JupyterLab and in the book; ``print`` and ``to_string`` are left as they are.
"""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd

from .. import style
from ..errors import InputError, plain
from . import formats
from .frames import displayed
from .table import Table

__all__ = ["bundle", "house_style"]

#: where a cell of text is broken in plain text
_WIDEST = 60


def house_style() -> None:
    """Give a notebook the course's look: its figures, and its DataFrames and Series as tables.

    Outside IPython only the figures change.

    See Also
    --------
    bundle : What is shown of a DataFrame, for programs that show it themselves.

    Examples
    --------
    >>> house_style()
    """
    style.use()
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    for kind in (pd.DataFrame, pd.Series):
        formatters["text/html"].for_type(kind, _html)
        formatters["text/plain"].for_type(kind, _plain)


def bundle(value: pd.DataFrame | pd.Series) -> dict[str, str]:
    """Return a table as a notebook shows it, by MIME type.

    Parameters
    ----------
    value : DataFrame or Series
        Any.

    Returns
    -------
    dict
        ``text/html`` and ``text/plain``.

    Raises
    ------
    InputError
        If it is neither a DataFrame nor a Series.

    Notes
    -----
    What even this cannot read – objects of a class that raises when it is asked – is shown as pandas shows it.

    See Also
    --------
    house_style : Show all of a notebook's tables so.

    Examples
    --------
    >>> print(bundle(pd.DataFrame({"citc": [0.819, -0.448]}, index=["DO01", "DO07"]))["text/plain"])
    -----------
           CITC
    -----------
    DO01   .819
    DO07  -.448
    -----------
    """
    if not isinstance(value, pd.DataFrame | pd.Series):
        raise InputError(f"value is a DataFrame or a Series, not {plain(value)}. Write pd.DataFrame(…) around it.")
    found = {"text/html": _html(value), "text/plain": _text(value)}
    return {kind: text for kind, text in found.items() if text is not None}


def _html(value: pd.DataFrame | pd.Series) -> str | None:
    table = _table(value)
    return formats.to_html(table) if table else getattr(value, "_repr_html_", lambda: None)()


def _text(value: pd.DataFrame | pd.Series) -> str:
    table = _table(value)
    return formats.to_text(table, widest=_WIDEST) if table else repr(value)


def _plain(value: pd.DataFrame | pd.Series, printer: Any, cycle: bool) -> None:
    printer.text(_text(value))


def _table(value: pd.DataFrame | pd.Series) -> Table | None:
    try:
        return displayed(value)
    except Exception:  # a class of the user's own may raise anywhere; pandas' table is better than none
        return None
