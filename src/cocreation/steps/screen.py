"""Screening: which respondents may stay, by which rule, and what their answers look like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..errors import InputError
from ..inputs.answers import items_frame
from ..inputs.options import ends, names_of, plain_table
from ..results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RULES", "Distributions", "SampleDescription", "Screening", "describe", "sample_description", "screen"]

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
        """Return recovery and decisions; ``valid`` and ``flags`` have a row a respondent and are not shown."""
        return {"recovery": self.recovery, "decisions": self.decisions}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how many questionnaires are left after each rule."""
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
        return ax


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
        The trap question. An empty or double answer to it is wrong.
    returned : str, optional
        The column that says whether the questionnaire came back (True/False,
        1/0 or yes/no). Without it all are taken as returned.
    straightline : bool
        Whether one and the same answer to all items makes a respondent invalid.
    points : (lowest, highest), optional
        The answers the scale allows; None allows every number.
    ticks : str
        What separates two ticks in one answer.

    Raises
    ------
    InputError
        For an unknown column, no respondents, fewer than two items, an answer
        that is neither a number nor ticks, an answer outside ``points``, or a
        column ``returned`` that does not say yes or no.

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
    text = raw[items].astype(object).where(raw[items].notna(), "").astype(str)
    text = text.apply(lambda column: column.str.strip())
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
        raise InputError(
            f"Item '{items[column]}', row {raw.index[row]!r}, holds {text.iloc[row, column]!r}, which is not {wanted}. "
            f"Correct the entry, leave it empty, or separate two ticks by {ticks!r}."
        )
    return numbers, double


def _returned(raw: pd.DataFrame, column: str | None) -> pd.Series:
    if column is None:
        return pd.Series(True, index=raw.index)
    if column not in raw.columns:
        raise InputError(
            f"The data have no column '{column}' that says which questionnaires came back. Check the spelling."
        )
    said = {"true": True, "1": True, "1.0": True, "yes": True, "false": False, "0": False, "0.0": False, "no": False}
    text = raw[column].astype(object).map(lambda value: str(value).strip().lower())
    unknown = text[~text.isin(said)]
    if len(unknown):
        raise InputError(
            f"Column '{column}', row {unknown.index[0]!r}, holds {raw.loc[unknown.index[0], column]!r}; "
            "it must say True/False, 1/0 or yes/no."
        )
    return text.map(said).astype(bool)


def _trap_failed(raw: pd.DataFrame, trap: tuple[str, object], ticks: str) -> pd.Series:
    if not isinstance(trap, (tuple, list)) or len(trap) != 2:
        raise InputError(f"trap is a pair (column, right answer), not {trap!r}. Write trap=('trap', 2).")
    column, right = trap
    if column not in raw.columns:
        raise InputError(
            f"The data have no column '{column}' for the trap question. Known columns end with "
            f"{', '.join(map(str, raw.columns[-3:]))}."
        )
    given = raw[column].astype(object).where(raw[column].notna(), "").astype(str).str.strip()
    number = pd.to_numeric(given, errors="coerce")
    wanted = pd.to_numeric(pd.Series([right]), errors="coerce").iloc[0]
    return number != wanted if pd.notna(wanted) else given != str(right)


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


@dataclass(frozen=True, repr=False)
class Distributions(Result):
    """How the answers to each item are distributed.

    Attributes
    ----------
    table : DataFrame
        ``item``, ``n``, ``mean``, ``sd`` (n - 1), ``skew`` (G1), ``kurtosis`` (G2, excess), and the percent of
        answers at the lowest (``floor``) and highest (``ceiling``) point.
    shares : DataFrame, shape (items, distinct answers)
        Percent of the item's answers at each point.
    note : str
    """

    table: pd.DataFrame
    shares: pd.DataFrame
    note: str

    title = "Distributions of the answers"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the table of moments; the shares are what ``plot`` draws."""
        return {"": self.table}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each item's answers as one bar of 100 %."""
        import matplotlib.pyplot as plt

        sns = self._seaborn()
        if self.shares.shape[1] > 12:
            raise InputError(
                f"The items take {self.shares.shape[1]} different values; a bar of answer categories can show at most "
                "12. Draw a histogram (seaborn.histplot) instead."
            )
        ax = ax if ax is not None else plt.subplots(figsize=(8, 0.26 * len(self.shares) + 1.4))[1]
        # blue to orange over grey: told apart by the colour-blind, and the middle is not the colour of the page
        colors = sns.blend_palette(["#20639b", "#a9c3d9", "#dcdcdc", "#f0c29b", "#c2601a"], self.shares.shape[1])
        start = np.zeros(len(self.shares))
        for (point, share), color in zip(self.shares.items(), colors, strict=True):
            ax.barh(self.shares.index.astype(str), share, left=start, color=color, label=f"{point:g}", height=0.82)
            start += share.to_numpy()
        ax.set(xlim=(0, 100), ylim=(len(self.shares) - 0.5, -0.5), xlabel="percent of the answers", ylabel="")
        ax.grid(axis="y", visible=False)
        ax.legend(title="answer", bbox_to_anchor=(1.01, 1), loc="upper left", frameon=False)
        return ax


_SHAPE = {"spss": "skewness G1 and kurtosis G2 as in SPSS", "psych": "skewness b1 and kurtosis b2 as in psych"}


def describe(
    data: pd.DataFrame,
    items: Iterable[str] | None = None,
    *,
    points: tuple[float, float] | None = None,
    convention: str = "spss",
) -> Distributions:
    """Describe each item's distribution, over all who answered that item.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        A row a respondent.
    items : iterable of str, optional
        The items, all columns by default.
    points : (lowest, highest), optional
        The ends of the scale; the smallest and largest answer to any of the
        items by default.
    convention : {"spss", "psych"}
        Whose skewness and kurtosis; see the notes.

    Notes
    -----
    Skewness G1 and excess kurtosis G2 are those SPSS, SAS and Excel print
    ("type 2" in R), unbiased under normality; ``psych::describe`` prints b1 and
    b2 ("type 3": third and fourth moment over powers of the sd with n − 1) by
    default. They are missing where an item is constant or too few answered it.

    Raises
    ------
    InputError
        For an unknown item, a column that is not numeric, or another convention.

    Examples
    --------
    >>> import pandas as pd
    >>> found = describe(pd.DataFrame({"q1": [1, 4, 5, 7, 7], "q2": [3, None, 4, 4, 5]}), points=(1, 7))
    >>> print(found.table[["item", "n", "mean", "skew", "ceiling"]].round(2).to_string(index=False))
    item  n  mean  skew  ceiling
      q1  5   4.8 -0.92     40.0
      q2  4   4.0  0.00      0.0
    """
    if convention not in _SHAPE:
        raise InputError(f"convention is 'spss' or 'psych', not {convention!r}.")
    frame = items_frame(data, items, missing="keep", at_least=1, constant="keep", respondents=1)
    values = frame.to_numpy()
    if not (~np.isnan(values)).any():
        raise InputError("None of the items has an answer. Check the data.")
    low, high = ends(points) if points is not None else (np.nanmin(values), np.nanmax(values))
    rows = []
    for item in frame:
        known = frame[item].dropna().to_numpy()
        skew, kurtosis = _skew_kurtosis(known, convention)
        rows.append(
            {
                "item": item,
                "n": len(known),
                "mean": known.mean() if len(known) else np.nan,
                "sd": known.std(ddof=1) if len(known) > 1 else np.nan,
                "skew": skew,
                "kurtosis": kurtosis,
                "floor": 100 * (known == low).mean() if len(known) else np.nan,
                "ceiling": 100 * (known == high).mean() if len(known) else np.nan,
            }
        )
    shares = frame.apply(lambda column: 100 * column.value_counts(normalize=True)).T
    note = (
        f"Each item over those who answered it. sd with n - 1, "
        f"{_SHAPE[convention]}; "
        f"floor and ceiling: percent at {low:g} and {high:g}."
    )
    return Distributions(pd.DataFrame(rows), shares.fillna(0.0).reindex(sorted(shares), axis=1), note)


def _skew_kurtosis(x: np.ndarray, convention: str) -> tuple[float, float]:
    """G1 and G2, or b1 and b2 (Joanes & Gill, 1998, The Statistician, 47, 183-189)."""
    n = len(x)
    if n < 3 or np.ptp(x) == 0:
        return np.nan, np.nan
    d = x - x.mean()
    m2 = (d**2).mean()
    if convention == "psych":
        sd = x.std(ddof=1)
        return (d**3).mean() / sd**3, (d**4).mean() / sd**4 - 3
    skew = (d**3).mean() / m2**1.5 * np.sqrt(n * (n - 1)) / (n - 2)
    if n < 4:
        return skew, np.nan
    excess = (d**4).mean() / m2**2 - 3
    return skew, (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6)


@dataclass(frozen=True, repr=False)
class SampleDescription(Result):
    """Who answered: counts and percentages.

    Attributes
    ----------
    table : DataFrame
        ``variable``, ``category``, ``n``, ``percent`` (of those who answered the question).
    note : str
    """

    table: pd.DataFrame
    note: str

    title = "Description of the sample"
    digits = 1

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the percentages, a colour a variable."""
        import matplotlib.pyplot as plt

        sns = self._seaborn()
        ax = ax if ax is not None else plt.subplots(figsize=(8, 0.4 * len(self.table) + 1.2))[1]
        gap = self.table["variable"].ne(self.table["variable"].shift()).cumsum().to_numpy() - 1
        place = np.arange(len(self.table)) + 0.7 * gap
        variables = list(dict.fromkeys(self.table["variable"]))
        for variable, color in zip(variables, sns.color_palette("colorblind", len(variables)), strict=True):
            rows = (self.table["variable"] == variable).to_numpy()
            bars = ax.barh(place[rows], self.table.loc[rows, "percent"], color=color, label=variable)
            ax.bar_label(bars, labels=[f"{p:.1f} %" for p in self.table.loc[rows, "percent"]], padding=4)
        ax.set_yticks(place, self.table["category"].astype(str))
        ax.set(xlabel="percent of the sample", ylabel="", xlim=(0, self.table["percent"].max() * 1.15))
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
        ax.legend(loc="best")
        return ax


def sample_description(
    data: pd.DataFrame, columns: Iterable[str], *, order: Mapping[str, Sequence[object]] | None = None
) -> SampleDescription:
    """Count the categories of the background questions.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        A row a respondent.
    columns : iterable of str
        The background questions.
    order : mapping from column to its categories, optional
        How to list the categories. By default a Categorical's own order; where
        every category holds a number, by that number; else the largest first.

    Raises
    ------
    InputError
        For an unknown column, a column nobody answered, or an ``order`` that
        leaves a category out.

    Examples
    --------
    >>> import pandas as pd
    >>> firms = pd.DataFrame({"size": ["small", "small", "large", None]})
    >>> print(sample_description(firms, ["size"]).table.round(1).to_string(index=False))
    variable category  n  percent
        size    small  2     66.7
        size    large  1     33.3
    """
    columns, order = names_of(columns, what="column"), dict(order or {})
    plain_table(data, columns)
    parts, missing = [], {}
    for column in columns:
        known = data[column].dropna()
        if known.empty:
            raise InputError(f"Nobody answered '{column}'. Leave it out.")
        if known.map(lambda value: isinstance(value, (list, dict, set))).any():
            raise InputError(f"Column '{column}' holds lists, not categories. Split it into one column an answer.")
        if len(known) < len(data):
            missing[column] = len(data) - len(known)
        counts = known.value_counts()
        counts = counts.reindex(_category_order(data[column], counts, order.get(column), column), fill_value=0)
        parts.append(
            pd.DataFrame(
                {
                    "variable": column,
                    "category": counts.index.astype(str),
                    "n": counts.to_numpy(),
                    "percent": 100 * counts.to_numpy() / len(known),
                }
            )
        )
    if not parts:
        raise InputError("Name at least one column to describe.")
    unanswered = "; ".join(f"{n} did not answer '{column}'" for column, n in missing.items())
    note = f"N = {len(data)}. Percent of those who answered the question" + (f"; {unanswered}." if unanswered else ".")
    return SampleDescription(pd.concat(parts, ignore_index=True), note)


def _category_order(values: pd.Series, counts: pd.Series, wanted: Sequence[object] | None, column: str) -> list[object]:
    found = [category for category in counts.index if counts[category] > 0]
    if wanted is not None:
        left_out = [category for category in found if category not in list(wanted)]
        if left_out:
            raise InputError(f"The order of '{column}' leaves out the category {left_out[0]!r}. Add it.")
        return list(wanted)
    if isinstance(values.dtype, pd.CategoricalDtype):
        return list(values.cat.categories)
    numbers = {category: re.search(r"\d+", str(category)) for category in found}
    if all(numbers.values()):
        # "over 20" comes after "16-20": the words break the tie that the numbers leave
        return sorted(found, key=lambda c: (int(numbers[c].group()), str(c)))
    return sorted(found, key=lambda c: (-counts[c], str(c)))
