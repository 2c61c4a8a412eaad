"""Which respondents may stay, and by which rule the others go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import style
from ...errors import InputError, plain
from ...inputs.labels import bare, look
from ...inputs.matrices import refuse_matrix
from ...inputs.options import ends, names_of, plain_table
from ...inputs.suspects import warn_of_suspects
from ...results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RULES", "Screening", "screen"]

#: the rules in their order: flag -> (what a respondent who breaks it did, the stage of those who passed it)
RULES = {
    "not_returned": ("did not return the questionnaire", "returned"),
    "missing": ("left an item unanswered", "all items answered"),
    "two_ticks": ("ticked two answers to one item", "one answer an item"),
    "trap_failed": ("failed the trap question", "trap question passed"),
    "straight_line": ("gave one answer to all items", "answers vary"),
}


@dataclass(frozen=True, repr=False)
class Screening(Result):
    """Who stays, who goes, and by which rule.

    Attributes
    ----------
    valid : DataFrame, shape (valid respondents, columns of the raw data)
        The items as numbers, the other columns as they were.
    recovery : DataFrame
        ``stage``, ``n``, ``percent_of_distributed``, ``percent_of_returned``:
        how many are left after each rule.
    decisions : DataFrame
        One row a group of respondents: ``subject``, ``decision``, ``rule``, ``evidence``.
    flags : DataFrame, shape (distributed, rules + 1)
        Every rule a respondent breaks, and in ``reason`` the first one (empty if valid).
    note : str
        The rules and their order.
    """

    valid: pd.DataFrame
    recovery: pd.DataFrame
    decisions: pd.DataFrame
    flags: pd.DataFrame
    note: str

    title = "Screening of respondents"
    digits = 2

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return recovery and decisions; ``valid`` and ``flags`` have a row a respondent and are not shown.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        return {"recovery": self.recovery, "decisions": self.decisions}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how many questionnaires are left after each rule.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        import matplotlib.pyplot as plt

        sns = self._seaborn()
        ax = ax if ax is not None else plt.subplots(figsize=(8, 0.55 * len(self.recovery) + 1))[1]
        stages = self.recovery.iloc[:-1] if len(self.recovery) > 2 else self.recovery
        last = len(stages) - 1
        colors = sns.light_palette("#20639b", n_colors=8)[3]
        bars = ax.barh(stages["stage"], stages["n"], color=[colors] * last + ["#20639b"])
        labels = [f"{n}  ({p:.1f} %)" for n, p in zip(stages["n"], stages["percent_of_distributed"], strict=True)]
        ax.bar_label(bars, labels=labels, padding=4)
        most = stages["n"].max()
        ax.set_xticks([tick for tick in ax.get_xticks() if 0 <= tick <= most])
        ax.set_xlim(0, most * 1.28)  # room for the label of the longest bar
        ax.invert_yaxis()
        ax.set(xlabel="questionnaires (percent of the distributed)", ylabel="")
        ax.grid(axis="y", visible=False)
        return style.behind(ax, stages[["stage", "n", "percent_of_distributed"]])


def screen(
    raw: pd.DataFrame,
    *,
    items: Iterable[str],
    trap: tuple[str, object] | None = None,
    returned: str | None = None,
    straightline: bool = True,
    points: tuple[int, int] | None = (1, 7),
    ticks: str = "|",
) -> Screening:
    """Apply the screening rules in their order and count each respondent under the first he breaks.

    The order is: not returned, an item unanswered, two ticks in one item, trap
    question failed, one answer to all items. The valid respondents do not
    depend on the order; the counts a rule do.

    Parameters
    ----------
    raw : DataFrame, shape (distributed, columns)
        A row a questionnaire; answers are numbers or text such as "5", "3|5"
        (two ticks), empty or missing.
    items : iterable of str
        The item columns.
    trap : (column, right answer), optional
        The trap question. An empty or double answer to it is wrong; case and
        blanks do not count: " AGREE" is right where "agree" is.
    returned : str, optional
        The column that says whether the questionnaire came back (True/False,
        1/0 or yes/no). Without it all are taken as returned.
    straightline : bool
        Whether one and the same answer to all items makes a respondent invalid.
    points : (lowest, highest), optional
        The answers the scale allows; None allows every number.
    ticks : str
        What separates two ticks in one answer.

    Returns
    -------
    Screening
        The valid answers as numbers, a row a stage with what is left, a row a respondent with the rules it breaks, the
        decision log.

    Raises
    ------
    InputError
        For an unknown column, no respondents, fewer than two items, an answer
        that is neither a number nor ticks, an answer outside ``points``, or a
        column ``returned`` that does not say yes or no.

    See Also
    --------
    describe : What the answers look like.
    sample_description : Who answered.
    cocreation.steps.purify.purify : The step after.
    cocreation.survey.datasets.load : The course's answers as keyed in.

    Notes
    -----
    No R call applies these rules.

    References
    ----------
    Meade, A. W., & Craig, S. B. (2012). Identifying careless responses in
    survey data. Psychological Methods, 17, 437-455.

    Examples
    --------
    >>> import pandas as pd
    >>> raw = pd.DataFrame({"q1": ["5", "", "3|5", "4"], "q2": ["6", "2", "4", "4"], "trap": ["2", "2", "2", "2"]})
    >>> found = screen(raw, items=["q1", "q2"], trap=("trap", 2))
    >>> print(found.recovery[["stage", "n"]].to_string(index=False))
                   stage  n
             distributed  4
      all items answered  3
      one answer an item  2
    trap question passed  2
            answers vary  1
                   valid  1
    >>> found.valid
       q1  q2 trap
    0   5   6    2
    """
    items = _checked_items(raw, items)
    answers, double = _answers(raw, items, ticks, None if points is None else ends(points))
    back = _returned(raw, returned)
    flags = pd.DataFrame(False, index=raw.index, columns=list(RULES))
    flags["not_returned"] = ~back
    flags["two_ticks"] = double.any(axis=1)
    flags["missing"] = (answers.isna() & ~double).any(axis=1)
    if trap is not None:
        flags["trap_failed"] = _trap_failed(raw, trap, ticks)
    if straightline:
        flags["straight_line"] = (answers.min(axis=1) == answers.max(axis=1)) & (answers.notna().sum(axis=1) > 1)
    # a questionnaire that never came back broke no other rule
    flags.loc[~back, list(RULES)[1:]] = False
    broken = flags.to_numpy()
    first = np.where(broken.any(axis=1), np.array(list(RULES))[broken.argmax(axis=1)], "")
    applied = {
        "not_returned": returned is not None,
        "missing": True,
        "two_ticks": True,
        "trap_failed": trap is not None,
        "straight_line": straightline,
    }
    rules = [rule for rule in RULES if applied[rule]]
    recovery = _recovery(first, rules, n_returned=int(back.sum()))
    valid = raw.loc[first == ""].copy()
    valid[items] = answers.loc[first == ""].astype(_smallest(answers))
    flags["reason"] = first
    note = (
        f"Rules in this order: {'; '.join(RULES[rule][0] for rule in rules)}. A respondent is counted under the "
        "first rule broken."
        + ("" if returned is not None else " No column says what was returned, so all count as returned.")
    )
    return Screening(valid, recovery, _decisions(first, rules), flags, note)


def _checked_items(raw: pd.DataFrame, items: Iterable[str]) -> list[str]:
    plain_table(raw, what="raw answers", row="a questionnaire")
    items = names_of(items)
    refuse_matrix(raw, items)
    unknown = [item for item in items if item not in raw.columns]
    if unknown:
        raise InputError(f"The data have no item '{unknown[0]}'. Check the spelling or the list of items.")
    if len(items) < 2:
        raise InputError(f"Screening needs at least two items, got {len(items)}. Add items.")
    if raw.empty:
        raise InputError("There are no questionnaires in the data. Load the survey first.")
    return items


def _answers(
    raw: pd.DataFrame, items: Sequence[str], ticks: str, points: tuple[int, int] | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the answers as numbers (missing where unusable) and where two were ticked."""
    if not isinstance(ticks, str) or not ticks:
        raise InputError("ticks is the text between two answers in one field; it cannot be empty. Write ticks='|'.")
    text = raw[items].astype(object).map(bare)
    ticks = ticks if ticks.isascii() else bare(ticks) or ticks
    double = text.apply(lambda column: column.str.contains(ticks, regex=False))
    numbers = text.mask(double, "").apply(pd.to_numeric, errors="coerce").astype(float)
    unreadable = numbers.isna() & ~double & (text != "")
    if points is not None:
        outside = numbers.notna() & ((numbers < points[0]) | (numbers > points[1]))
        wanted = f"an answer from {points[0]} to {points[1]}"
    else:
        outside = numbers.abs() == np.inf
        wanted = "a number"
    wrong = (unreadable | outside).to_numpy()
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        held = raw[items].iloc[row, column]
        name = f"raw[{plain(items[column])}]"
        raise InputError(
            f"Item '{items[column]}', row {plain(raw.index[row])}, holds {plain(text.iloc[row, column])}, which is not "
            f"{wanted}. Correct the entry, leave it empty, or separate two ticks by {plain(ticks)}; if it stands "
            f"for no answer, write {name} = {name}.replace({plain(held)}, np.nan)"
            + ("; of another scale say points=(lowest, highest)." if points is not None else ".")
        )
    if points is None:
        warn_of_suspects(numbers, raw)
    return numbers, double


def _returned(raw: pd.DataFrame, column: str | None) -> pd.Series:
    if column is None:
        return pd.Series(True, index=raw.index)
    if column not in raw.columns:
        raise InputError(
            f"The data have no column '{column}' that says which questionnaires came back. Check the spelling."
        )
    said = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    text = raw[column].astype(object).map(look)
    unknown = text[~text.isin(said)]
    if len(unknown):
        raise InputError(
            f"Column '{column}', row {plain(unknown.index[0])}, holds {plain(raw.loc[unknown.index[0], column])}; "
            "it must say True/False, 1/0 or yes/no."
        )
    return text.map(said).astype(bool)


def _trap_failed(raw: pd.DataFrame, trap: tuple[str, object], ticks: str) -> pd.Series:
    if not isinstance(trap, (tuple, list)) or len(trap) != 2:
        raise InputError(f"trap is a pair (column, right answer), not {plain(trap)}. Write trap=('trap', 2).")
    column, right = trap
    if column not in raw.columns:
        raise InputError(
            f"The data have no column '{column}' for the trap question. Known columns end with "
            f"{', '.join(map(str, raw.columns[-3:]))}."
        )
    if not look(right):
        raise InputError(f"The right answer to the trap question is blank: {plain(right)}. Write trap=('trap', 2).")
    given = raw[column].astype(object)
    number = pd.to_numeric(given.map(bare), errors="coerce")
    wanted = pd.to_numeric(pd.Series([right]), errors="coerce").iloc[0]
    return ~((given.map(look) == look(right)) | (number == wanted))


def _smallest(answers: pd.DataFrame) -> str:
    """Whole answers stay integers; anything else stays float."""
    values = answers.to_numpy()
    known = values[~np.isnan(values)]
    return "int64" if np.equal(known, np.round(known)).all() else "float64"


def _recovery(first: np.ndarray, rules: Sequence[str], *, n_returned: int) -> pd.DataFrame:
    left = len(first)
    rows = [("distributed", left)]
    for rule in rules:
        left -= int((first == rule).sum())
        rows.append((RULES[rule][1], left))
    rows.append(("valid", left))
    table = pd.DataFrame(rows, columns=["stage", "n"])
    table["percent_of_distributed"] = 100 * table["n"] / len(first)
    share = 100 * table["n"] / n_returned if n_returned else np.nan
    table["percent_of_returned"] = np.where(table["stage"] == "distributed", np.nan, share)
    return table


def _decisions(first: np.ndarray, rules: Sequence[str]) -> pd.DataFrame:
    distributed = len(first)
    rows = []
    for rule in rules:
        n = int((first == rule).sum())
        evidence = f"{n} of {distributed} distributed"
        rows.append((f"respondents: {rule.replace('_', ' ')}", "drop", RULES[rule][0], evidence))
    n = int((first == "").sum())
    evidence = f"{n} of {distributed} distributed"
    rows.append(("respondents: valid", "keep", "broke none of the rules", evidence))
    return pd.DataFrame(rows, columns=["subject", "decision", "rule", "evidence"])
