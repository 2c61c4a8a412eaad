"""The decision log: what was kept or dropped, by which rule, on which evidence.

Every notebook ends by writing its log; the next one reads it. The logs are
small CSV files in ``notebooks/decisions`` so that a reader can open them.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .._files import write_whole
from ..errors import InputError, plain
from ..inputs.labels import refuse_alike, without_blanks
from ..inputs.options import plain_table
from ..survey.tables import read_table

__all__ = ["COLUMNS", "kept", "read_decisions", "write_decisions"]

#: what is decided on (an item, a respondent group, a model), what was decided
#: ("keep" or "drop"), by which rule, on which evidence
COLUMNS = ["subject", "decision", "rule", "evidence"]


def write_decisions(decisions: pd.DataFrame, step: str, folder: str | Path = "decisions") -> Path:
    """Write a step's decision log and return its path.

    The file appears whole or not at all, and an unchanged log is left alone,
    so notebooks may run side by side.

    Parameters
    ----------
    decisions : DataFrame
        The log, columns :data:`COLUMNS`, as the results of the steps hold it.
    step : str
        The step's word; the file bears it.
    folder : path
        Where the logs lie; made if it is not there.

    Returns
    -------
    Path
        The CSV file.

    Raises
    ------
    InputError
        If a column of :data:`COLUMNS` is missing, a decision is neither
        "keep" nor "drop", a subject is blank or two look alike, or the folder
        cannot be written to.

    See Also
    --------
    read_decisions : Read a log.
    kept : The subjects it keeps.
    cocreation.steps.purify.purify : A step that decides.
    cocreation.steps.explore.explore : Another.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> log = pd.DataFrame({"subject": ["DO01"], "decision": ["keep"], "rule": ["CITC"], "evidence": ["CITC 0.81"]})
    >>> folder = tempfile.mkdtemp()
    >>> write_decisions(log, "purify", folder).name
    'purify.csv'
    >>> read_decisions("purify", folder)["subject"].tolist()
    ['DO01']
    """
    _checked(decisions)
    text = decisions[COLUMNS].to_csv(index=False, lineterminator="\n")
    folder = Path(folder)
    path = folder / f"{step}.csv"
    if path.exists() and path.read_bytes() == text.encode():
        return path
    write_whole(path, text.encode())
    return path


def read_decisions(step: str, folder: str | Path = "decisions") -> pd.DataFrame:
    """Return the decision log a step has written, columns :data:`COLUMNS`.

    Parameters
    ----------
    step : str
        The step's word, such as "purify".
    folder : path
        Where the logs lie.

    Returns
    -------
    DataFrame
        A row a subject, all columns text.

    Raises
    ------
    InputError
        If the step has not been run yet, or its log was changed so that it is none.

    See Also
    --------
    write_decisions : Write a log.
    kept : The subjects it keeps.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> log = pd.DataFrame({"subject": ["DO01"], "decision": ["keep"], "rule": ["CITC"], "evidence": ["CITC 0.81"]})
    >>> path = write_decisions(log, "purify", tempfile.mkdtemp())
    >>> read_decisions("purify", path.parent)["evidence"].tolist()
    ['CITC 0.81']
    """
    path = Path(folder) / f"{step}.csv"
    if not path.exists():
        raise InputError(f"There is no decision log of the step '{step}' ({path}). Run notebooks/{step}.ipynb first.")
    again = f"Run notebooks/{step}.ipynb to write it anew."
    log = read_table(path, COLUMNS, remedy=again, dtype=str, keep_default_na=False)
    other = log[~log["decision"].isin(["keep", "drop"])]
    if len(other):
        subject, decision = other.iloc[0][["subject", "decision"]]
        raise InputError(f"{path} says {plain(decision)} for {plain(subject)}; a decision is 'keep' or 'drop'. {again}")
    refuse_alike(log["subject"], "subjects", where=f"of {path}")
    return log


def kept(decisions: pd.DataFrame) -> list[str]:
    """Return the subjects whose decision is "keep", in the order of the log.

    Parameters
    ----------
    decisions : DataFrame
        A decision log, columns :data:`COLUMNS`.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        If it is no decision log: a decision is another word, a row names no subject, or two look alike.

    See Also
    --------
    read_decisions : A log written before.
    write_decisions : Write one.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"subject": ["DO01", "DO07"], "decision": ["keep", "drop"], "rule": "CITC", "evidence": ""})
    >>> kept(log)
    ['DO01']
    """
    _checked(decisions, undecided=True)
    return decisions.loc[decisions["decision"] == "keep", "subject"].tolist()


def _checked(decisions: pd.DataFrame, *, undecided: bool = False) -> None:
    """Raise unless it is a decision log, each decision taken, or else (``undecided``) one that waits for a recoding."""
    plain_table(decisions, COLUMNS, what="decisions", row="a decision")
    known = ["keep", "drop", *(["recode?"] if undecided else [])]
    other = decisions.loc[~decisions["decision"].isin(known), "decision"]
    if len(other):
        remedy = "Recode the item and purify again." if other.iloc[0] == "recode?" else "Correct it."
        raise InputError(
            f"A decision is 'keep' or 'drop', not {plain(other.iloc[0])} (row {plain(other.index[0])}). {remedy}"
        )
    blank = decisions.index[without_blanks(decisions["subject"]).isna()]
    if len(blank):
        raise InputError(f"Row {plain(blank[0])} of the decisions does not say what it decides on. Write its subject.")
    refuse_alike(decisions["subject"], "subjects", where="of the decisions")
