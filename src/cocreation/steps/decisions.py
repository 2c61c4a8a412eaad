"""The decision log: what was kept or dropped, by which rule, on which evidence.

Every notebook ends by writing its log; the next one reads it. The logs are
small CSV files in ``notebooks/decisions`` so that a reader can open them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from ..errors import InputError

__all__ = ["COLUMNS", "kept", "read_decisions", "write_decisions"]

#: what is decided on (an item, a respondent group, a model), what was decided
#: ("keep" or "drop"), by which rule, on which evidence
COLUMNS = ["subject", "decision", "rule", "evidence"]


def write_decisions(decisions: pd.DataFrame, step: str, folder: str | Path = "decisions") -> Path:
    """Write a step's decision log and return its path.

    The file appears whole or not at all, and an unchanged log is left alone,
    so notebooks may run side by side.

    Raises
    ------
    InputError
        If a column of :data:`COLUMNS` is missing or a decision is neither
        "keep" nor "drop".
    """
    missing = [name for name in COLUMNS if name not in decisions.columns]
    if missing:
        raise InputError(f"The decision log lacks the column {missing[0]!r}; it needs {', '.join(COLUMNS)}.")
    other = decisions.loc[~decisions["decision"].isin(["keep", "drop"]), "decision"]
    if len(other):
        raise InputError(f"A decision is 'keep' or 'drop', not {other.iloc[0]!r}.")
    text = decisions[COLUMNS].to_csv(index=False, lineterminator="\n")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{step}.csv"
    if path.exists() and path.read_bytes() == text.encode():
        return path
    whole = folder / f".{step}.{os.getpid()}.tmp"
    whole.write_bytes(text.encode())
    os.replace(whole, path)
    return path


def read_decisions(step: str, folder: str | Path = "decisions") -> pd.DataFrame:
    """Return the decision log a step has written, columns :data:`COLUMNS`.

    Raises
    ------
    InputError
        If the step has not been run yet.
    """
    path = Path(folder) / f"{step}.csv"
    if not path.exists():
        raise InputError(f"There is no decision log of the step '{step}' ({path}). Run notebooks/{step}.ipynb first.")
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def kept(decisions: pd.DataFrame) -> list[str]:
    """Return the subjects whose decision is "keep", in the order of the log."""
    return decisions.loc[decisions["decision"] == "keep", "subject"].tolist()
