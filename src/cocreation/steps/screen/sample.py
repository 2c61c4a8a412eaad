"""Who answered: the sample by groups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import style
from ...errors import InputError, plain
from ...inputs.labels import labels_in, look, refuse_alike
from ...inputs.options import names_of, plain_table
from ...results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SampleDescription", "sample_description"]


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
        """Draw the percentages, a colour a variable.

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
        return style.behind(ax, self.table)


def sample_description(
    data: pd.DataFrame, columns: Iterable[str], *, order: Mapping[str, Sequence[object]] | None = None
) -> SampleDescription:
    """Count the categories of the background questions.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        A row a respondent.
    columns : iterable of str
        The background questions. Blank text is no answer.
    order : mapping from column to its categories, optional
        How to list the categories. By default a Categorical's own order; where
        every category holds a number, by that number; else the largest first.

    Returns
    -------
    SampleDescription
        A row a category with its count and percentage.

    Raises
    ------
    InputError
        For an unknown column, a column nobody answered, categories that look
        alike, or an ``order`` that leaves a category out.

    See Also
    --------
    screen : Which answers count.
    describe : What the answers look like.

    Notes
    -----
    In R, ``100 * base::prop.table(base::table(data$size))`` gives the percentages of one question.

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
        if data[column].map(lambda value: isinstance(value, (list, dict, set))).any():
            raise InputError(f"Column '{column}' holds lists, not categories. Split it into one column an answer.")
        labels = labels_in(data[column], "categories", f"data[{plain(column)}]", where=f"of the column '{column}'")
        known = labels.dropna().infer_objects()
        if known.empty:
            raise InputError(f"Nobody answered '{column}'. Leave it out.")
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
        merge = f"data[{plain(column)}] = merge_alike(data[{plain(column)}], like={list(wanted)})"
        refuse_alike([*wanted, *found], "categories", merge, where=f"of the column '{column}'")
        left_out = [category for category in found if category not in list(wanted)]
        if left_out:
            raise InputError(f"The order of '{column}' leaves out the category {plain(left_out[0])}. Add it.")
        return list(wanted)
    if isinstance(values.dtype, pd.CategoricalDtype):
        return [category for category in values.cat.categories if look(category)]
    numbers = {category: re.search(r"\d+", str(category)) for category in found}
    if all(numbers.values()):
        # "over 20" comes after "16-20": the words break the tie that the numbers leave
        return sorted(found, key=lambda c: (int(numbers[c].group()), str(c)))
    return sorted(found, key=lambda c: (-counts[c], str(c)))
