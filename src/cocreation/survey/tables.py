"""Read a CSV file that a person may have opened, changed or lost, and say in one sentence what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import InputError

__all__ = ["read_table"]


def read_table(path: Path, needed: Iterable[str] = (), *, remedy: str, **options: Any) -> pd.DataFrame:
    """Return a CSV file as a DataFrame.

    Parameters
    ----------
    path : Path
        The file.
    needed : iterable of str
        Columns it must have; others may stand among them.
    remedy : str
        How to get the file back as it was, a sentence.
    options
        As of :func:`pandas.read_csv`.

    Returns
    -------
    DataFrame
        All columns of the file, in its order.

    Raises
    ------
    InputError
        If the file is not there, is empty, is no table of comma-separated UTF-8 text, or lacks a column.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "votes.csv"
    >>> pd.DataFrame({"item": ["DO01"], "vote": ["DO"]}).to_csv(path, index=False)
    >>> read_table(path, ["item"], remedy="Restore it.")
       item vote
    0  DO01   DO
    """
    try:
        # what utf-8-sig adds to UTF-8 is the mark that Excel puts first
        table = pd.read_csv(path, encoding="utf-8-sig", **options)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}. {remedy}") from None
    except pd.errors.EmptyDataError:
        raise InputError(f"{path} is empty. {remedy}") from None
    except pd.errors.ParserError as problem:
        what = str(problem).strip().removeprefix("Error tokenizing data. C error: ")
        raise InputError(f"{path} is not a table with equally long rows ({what}). {remedy}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text; a spreadsheet may have saved it otherwise. {remedy}") from None
    except OSError as problem:
        raise InputError(f"{path} cannot be read ({problem.strerror}). {remedy}") from problem
    missing = [name for name in needed if name not in table.columns]
    if missing and len(table.columns) == 1 and any(mark in table.columns[0] for mark in ";\t"):
        raise InputError(f"{path} has no commas between its columns; a spreadsheet may have saved it so. {remedy}")
    if missing:
        listed = ", ".join(f"'{name}'" for name in missing[:3]) + (", …" if len(missing) > 3 else "")
        raise InputError(f"{path} lacks the column {listed}. {remedy}")
    return table
