"""Sorting of items: do experts put an item where it belongs, and would chance?

A room behind :mod:`cocreation.steps.judge`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import bdtrc

from ... import style
from ...core.chance import agreeing_at_random
from ...errors import InputError, plain
from ...inputs.labels import refuse_alike, without_blanks
from ...inputs.options import names_of, plain_table, whole
from ...results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Chance", "Sorting", "chance", "sorting", "substantive_critical"]


@dataclass(frozen=True, repr=False)
class Sorting(Result):
    """Where sorters put the items.

    Attributes
    ----------
    items : DataFrame
        ``item``, ``intended``, ``modal`` (the bin most sorters chose, or
        "tie"), ``votes`` (the most that a dimension got), ``right`` (for the
        intended one), ``n`` sorters, ``p_sa`` = right / n, ``c_sv`` =
        (right − most votes of another dimension) / n, ``same`` (at least
        ``agree`` sorters on one dimension, whichever) and ``passed`` (on the
        intended one).
    agree : int
        The votes asked for.
    critical : float
        The smallest significant c_sv at 5 % (missing if none can be).
    table : DataFrame, shape (intended, sorted to)
        How many votes went where.
    note : str
    """

    items: pd.DataFrame
    agree: int
    critical: float
    table: pd.DataFrame
    note: str

    title = "Sorting of the items"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw where the votes on each dimension's items went.

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
        ax = ax if ax is not None else plt.subplots(figsize=(0.9 * self.table.shape[1] + 1.5, 4))[1]
        share = self.table.div(self.table.sum(axis=1), axis=0)
        blue = sns.light_palette("#20639b", as_cmap=True)
        sns.heatmap(share, annot=self.table, fmt="d", cmap=blue, vmin=0, vmax=1, cbar=False, linewidths=0.5, ax=ax)
        ax.set(xlabel="sorted to", ylabel="written for")
        ax.tick_params(axis="y", rotation=0)
        return style.behind(ax, self.table.rename_axis(index="written for", columns=None))


def sorting(
    sorts: pd.DataFrame,
    intended: Mapping[str, str] | pd.Series,
    *,
    dimensions: Sequence[str] | None = None,
    none: str = "none",
    agree: int = 2,
) -> Sorting:
    """Evaluate an item-sort task.

    Parameters
    ----------
    sorts : DataFrame, shape (items, sorters)
        Indexed by item; the dimension each sorter chose, or ``none``.
    intended : mapping or Series from item to the dimension it was written for
        Every item of ``sorts``.
    dimensions : sequence of str, optional
        The bins, without ``none``; by default those intended.
    none : str
        What a sorter says when no dimension fits. It is no other dimension
        in c_sv, but it costs the item a vote.
    agree : int
        Votes an item needs; two in the study.

    Returns
    -------
    Sorting
        A row an item with p_sa, c_sv and whether it passed, and a table of dimensions by bins.

    See Also
    --------
    relevance : Whether items are relevant.
    judge : Both groups' decision.
    chance : How often random sorters pass an item.
    substantive_critical : The smallest significant c_sv.
    fleiss_kappa : Agreement over all items.
    krippendorff_alpha : The same where votes are missing.

    Notes
    -----
    p_sa and c_sv are those of Anderson and Gerbing (1991). ``critical`` is
    their test: votes for the intended dimension are binomial with one half
    if the item is no clearer than a coin.

    Raises
    ------
    InputError
        For an item without an intended dimension, a missing or blank vote, a vote
        for an unknown bin, items or bins that look alike, or fewer than two sorters.

    Examples
    --------
    >>> import pandas as pd
    >>> sorts = pd.DataFrame([["A", "A", "A"], ["A", "B", "none"], ["B", "B", "A"]], index=["x", "y", "z"])
    >>> found = sorting(sorts, {"x": "A", "y": "A", "z": "B"})
    >>> print(found.items[["item", "right", "c_sv", "passed"]].round(2).to_string(index=False))
    item  right  c_sv  passed
       x      3  1.00    True
       y      1  0.00   False
       z      2  0.33    True
    """
    sorts, aims = _votes(sorts, intended)
    dimensions = list(dict.fromkeys(aims)) if dimensions is None else names_of(dimensions, what="dimension")
    _known_bins(sorts, aims, [*dimensions, none], dimensions)
    n = sorts.shape[1]
    if whole(agree, "agree") > n:
        raise InputError(f"agree is a number of votes from 1 to the {n} sorters, not {agree}. Ask for fewer.")
    counts = pd.DataFrame({code: (sorts == code).sum(axis=1) for code in dimensions}, index=sorts.index)
    right = pd.Series([counts.loc[item, aim] for item, aim in aims.items()], index=sorts.index)
    others = counts.mask(pd.DataFrame({code: aims == code for code in dimensions}), -1).max(axis=1).clip(lower=0)
    votes = counts.max(axis=1)
    bins = counts.assign(**{none: (sorts == none).sum(axis=1)})
    modal = bins.idxmax(axis=1).mask(bins.eq(bins.max(axis=1), axis=0).sum(axis=1) > 1, "tie")
    items = pd.DataFrame(
        {
            "item": sorts.index,
            "intended": aims.to_numpy(),
            "modal": modal.to_numpy(),
            "votes": votes.to_numpy(),
            "right": right.to_numpy(),
            "n": n,
            "p_sa": right.to_numpy() / n,
            "c_sv": ((right - others) / n).to_numpy(),
            "same": (votes >= agree).to_numpy(),
            "passed": (right >= agree).to_numpy(),
        }
    )
    long = pd.DataFrame({"intended": np.repeat(aims.to_numpy(), n), "to": sorts.to_numpy().ravel()})
    table = pd.crosstab(long["intended"], long["to"]).reindex(index=dimensions, columns=[*dimensions, none])
    table = table.fillna(0).astype(int).rename_axis(index="written for", columns="sorted to")
    note = (
        f"{len(items)} items, {n} sorters, {len(dimensions)} dimensions and '{none}'. An item passes if at least "
        f"{agree} sorters chose the dimension it was written for. p_sa and c_sv: Anderson and Gerbing (1991)."
    )
    return Sorting(items, agree, substantive_critical(n), table, note)


def _votes(sorts: pd.DataFrame, intended: Mapping[str, str] | pd.Series) -> tuple[pd.DataFrame, pd.Series]:
    plain_table(sorts, what="votes", row="an item")
    if sorts.empty:
        raise InputError("Expected the votes with a row an item and a column a sorter, and got none. Load the sorts.")
    if not isinstance(intended, (Mapping, pd.Series)):
        raise InputError(
            f"Expected a mapping from item to the dimension it was written for, got {type(intended).__name__}. "
            "Use pool.set_index('item')['dimension']."
        )
    if sorts.shape[1] < 2:
        raise InputError("One sorter cannot agree with anybody. Give the votes of at least two.")
    if sorts.index.duplicated().any():
        raise InputError(f"Item '{sorts.index[sorts.index.duplicated()][0]}' has two rows of votes. Keep one.")
    if isinstance(intended, pd.Series) and intended.index.duplicated().any():
        twice = intended.index[intended.index.duplicated()][0]
        raise InputError(f"Item '{twice}' was written for two dimensions. Name each item once in intended.")
    refuse_alike([*sorts.index, *dict(intended)], "items")
    aims = without_blanks(pd.Series(dict(intended), dtype=object).reindex(sorts.index))
    if aims.isna().any():
        raise InputError(f"Nothing says for which dimension item '{aims.index[aims.isna()][0]}' was written.")
    sorts = without_blanks(sorts)
    if sorts.isna().any(axis=None):
        item, sorter = next((i, s) for s in sorts for i in sorts.index[sorts[s].isna()])
        raise InputError(f"Sorter '{sorter}' has no vote on item '{item}'. Write 'none' if it fits no dimension.")
    return sorts, aims


def _known_bins(sorts: pd.DataFrame, aims: pd.Series, bins: list[str], dimensions: list[str]) -> None:
    refuse_alike([*bins, *aims, *sorts.to_numpy().ravel()], "bins", f"votes = merge_alike(votes, like={bins})")
    for item, aim in aims.items():
        if aim not in dimensions:
            raise InputError(f"Item '{item}' was written for '{aim}', which is not among the dimensions {dimensions}.")
    unknown = ~sorts.isin(bins)
    if unknown.any(axis=None):
        row, column = np.argwhere(unknown.to_numpy())[0]
        raise InputError(
            f"Sorter '{sorts.columns[column]}' put item '{sorts.index[row]}' to {plain(sorts.iloc[row, column])}; the "
            f"bins are {', '.join(map(str, bins))}. Correct the vote or name the dimension."
        )


def substantive_critical(n: int, *, level: float = 0.05) -> float:
    """Return the smallest c_sv that n sorters can reach significantly, NaN if there is none.

    With m of n votes for the intended dimension and the rest for one other,
    c_sv = 2·m/n − 1; m is the smallest number that a fair coin reaches with a
    probability below ``level`` (Anderson and Gerbing, 1991).

    Parameters
    ----------
    n : int
        Sorters.
    level : float
        The probability that is too small for chance.

    Returns
    -------
    float
        Between 0 and 1, NaN where the panel is too small.

    See Also
    --------
    sorting : The c_sv of each item.
    cvr_critical : The same for votes on what is essential.
    chance : How often random sorters agree.

    Examples
    --------
    >>> substantive_critical(3), substantive_critical(20)
    (nan, 0.5)
    """
    whole(n, "n", remedy="Write how many sorters there were.")
    for m in range(n + 1):
        if bdtrc(m - 1, n, 0.5) < level:
            return 2 * m / n - 1
    return float("nan")


@dataclass(frozen=True, repr=False)
class Chance(Result):
    """How often random sorters would pass an item.

    Attributes
    ----------
    raters, bins, at_least : int
    any_bin : float
        Probability that at least so many choose one and the same bin, whichever.
    intended : float
        … the intended bin.
    note : str
    """

    raters: int
    bins: int
    at_least: int
    any_bin: float
    intended: float
    note: str

    title = "What chance would pass"
    proportions = ("intended",)

    def plot(self, ax: Axes | None = None, *, most: int = 8) -> Axes:
        """Draw how often blind raters choose the intended bin, for panels of up to ``most``; this one is framed.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.
        most : int
            The largest panel drawn.

        Returns
        -------
        Axes
        """
        import matplotlib.pyplot as plt
        from matplotlib.patches import Rectangle

        sns = self._seaborn()
        asked = range(min(2, self.at_least), max(most, self.raters) + 1)
        sizes = range(min(2, self.raters), asked.stop)
        shares = {n: [100 * bdtrc(m - 1, n, 1 / self.bins) if m <= n else np.nan for m in asked] for n in sizes}
        table = pd.DataFrame(shares, index=asked)
        words = table.map(lambda share: "" if np.isnan(share) else "<0.1" if share < 0.05 else f"{share:.1f}")
        ax = ax if ax is not None else plt.subplots(figsize=(0.9 * len(sizes) + 1, 0.5 * len(asked) + 1))[1]
        sns.heatmap(table, annot=words, fmt="", cmap=sns.light_palette("#20639b", as_cmap=True), cbar=False, ax=ax)
        corner = (self.raters - sizes.start, self.at_least - asked.start)
        ax.add_patch(Rectangle(corner, 1, 1, fill=False, ec="#c0392b", lw=3, clip_on=False))
        ax.set(xlabel="raters", ylabel="of whom must agree", title="percent of the items that chance would pass")
        ax.tick_params(axis="y", rotation=0)
        ax.grid(visible=False)
        return style.behind(ax, table.rename_axis("at least"))


def chance(raters: int = 3, bins: int = 5, at_least: int = 2) -> Chance:
    """Return how often sorters who choose at random agree.

    Exact: the sequences of votes in which every bin stays below ``at_least``
    are counted (by the coefficients of a power of a polynomial) and taken
    from all bins**raters sequences.

    Parameters
    ----------
    raters : int
        Sorters of the panel.
    bins : int
        Dimensions they choose among, "none" included where it may be chosen.
    at_least : int
        Votes that count as agreement.

    Returns
    -------
    Chance
        Probability of such agreement on any bin, and on the intended one.

    Raises
    ------
    InputError
        If a number is not positive or more votes are asked for than there are raters.

    See Also
    --------
    sorting : Evaluate a sort.
    substantive_critical : The smallest significant c_sv.
    fleiss_kappa : Agreement beyond chance.

    Examples
    --------
    >>> found = chance(raters=3, bins=5, at_least=2)
    >>> round(found.any_bin, 3), round(found.intended, 3)
    (0.52, 0.104)
    """
    for name, value in (("raters", raters), ("bins", bins), ("at_least", at_least)):
        whole(value, name)
    if at_least > raters:
        raise InputError(f"{at_least} of {raters} raters cannot agree. Lower at_least.")
    return Chance(
        raters,
        bins,
        at_least,
        *agreeing_at_random(raters, bins, at_least),
        "Sorters choose independently, each bin with the same probability.",
    )
