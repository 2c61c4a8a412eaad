"""The experts' two judgements together: which items stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from ... import style
from ...errors import InputError
from ...inputs.labels import refuse_alike
from ...inputs.options import whole
from ...results.result import Result
from .content import Relevance
from .sorting import Sorting

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Judgement", "judge"]


@dataclass(frozen=True, repr=False)
class Judgement(Result):
    """What the panel decides.

    Attributes
    ----------
    items : DataFrame
        ``item``, ``intended``, ``right``, ``p_sa``, ``c_sv``, ``relevant``, ``i_cvi``, ``kept``.
    decisions : DataFrame
        ``subject``, ``decision``, ``rule``, ``evidence``; an item is dropped under the first rule it breaks.
    kept : list of str
    note : str
    """

    items: pd.DataFrame
    decisions: pd.DataFrame
    kept: list[str]
    note: str

    title = "Decision of the panel"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return how many items each rule dropped and the drops; ``items`` has a row an item and is not shown.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        count = self.decisions.groupby(["decision", "rule"], sort=False).size().rename("items").reset_index()
        return {"": count, "dropped": self.decisions[self.decisions["decision"] == "drop"].reset_index(drop=True)}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how many items got which combination of votes; the framed corner is kept.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        import matplotlib.pyplot as plt
        from matplotlib.patches import Polygon

        sns = self._seaborn()
        ax = ax if ax is not None else plt.subplots(figsize=(5.5, 4.5))[1]
        n_right, n_relevant = self.items[["n_sorters", "n_raters"]].max()
        table = pd.crosstab(self.items["right"], self.items["relevant"])
        table = table.reindex(index=range(n_right, -1, -1), columns=range(n_relevant + 1), fill_value=0)
        blue = sns.light_palette("#20639b", as_cmap=True)
        sns.heatmap(table, annot=True, fmt="d", cmap=blue, cbar=False, square=True, linewidths=0.5, ax=ax)
        kept = self.items[self.items["kept"]]
        if len(kept):
            low, left = kept["right"].min(), kept["relevant"].min()
            right, bottom = n_relevant + 1, n_right - low + 1
            corners = [(left, 0), (right, 0), (right, bottom), (left, bottom)]
            ax.add_patch(Polygon(corners, fill=False, ec="#c0392b", lw=3, clip_on=False))
        ax.set(xlabel="raters who find the item relevant", ylabel="sorters on the intended dimension")
        ax.tick_params(axis="y", rotation=0)
        return style.behind(ax, table.rename_axis(index="right", columns=None))


def judge(sorted_items: Sorting, rated_items: Relevance, *, raters: int = 2) -> Judgement:
    """Join the two groups' evaluations and decide which items stay.

    Parameters
    ----------
    sorted_items : Sorting
        From :func:`sorting`; an item must have passed.
    rated_items : Relevance
        From :func:`relevance`, for the same items.
    raters : int
        How many raters must find an item relevant.

    Returns
    -------
    Judgement
        A row an item with its votes, the decision log, the items kept.

    Raises
    ------
    InputError
        If the two groups did not judge the same items, or ``raters`` is more than there are.

    See Also
    --------
    sorting : The first group's votes.
    relevance : The second group's ratings.
    cvr : Votes on what is essential.
    cocreation.steps.decisions.write_decisions : Keep the log.

    Examples
    --------
    >>> import pandas as pd
    >>> from cocreation.steps.judge import relevance, sorting
    >>> sorts = pd.DataFrame([["A", "A", "A"], ["A", "B", "none"], ["B", "B", "A"]], index=["x", "y", "z"])
    >>> ratings = pd.DataFrame([[4, 4, 3], [4, 4, 4], [1, 2, 4]], index=["x", "y", "z"])
    >>> found = judge(sorting(sorts, {"x": "A", "y": "A", "z": "B"}), relevance(ratings))
    >>> found.kept, found.decisions["evidence"].tolist()
    (['x'], ['3 of 3 sorters; 3 of 3 raters', '1 of 3 sorters; 3 of 3 raters', '2 of 3 sorters; 1 of 3 raters'])
    """
    if not isinstance(sorted_items, Sorting) or not isinstance(rated_items, Relevance):
        raise InputError(
            f"Expected what sorting() and relevance() return, got {type(sorted_items).__name__} and "
            f"{type(rated_items).__name__}. Write judge(sorting(sorts, intended), relevance(ratings))."
        )
    left, right = sorted_items.items, rated_items.items.set_index("item")
    refuse_alike([*left["item"], *right.index], "items")
    odd = sorted(set(left["item"]) ^ set(right.index), key=str)
    if odd:
        raise InputError(f"Item '{odd[0]}' was judged by one group only. Give both groups the same items.")
    n_raters = int(right["n"].max())
    if whole(raters, "raters", least=0) > n_raters:
        raise InputError(f"raters is a number of votes from 0 to the {n_raters} raters, not {raters}. Ask for fewer.")
    rated = right.reindex(left["item"])
    table = left[["item", "intended", "modal", "right", "p_sa", "c_sv"]].copy()
    table["n_sorters"] = left["n"]
    table["relevant"], table["i_cvi"] = rated["relevant"].to_numpy(), rated["i_cvi"].to_numpy()
    table["n_raters"] = n_raters
    table["kept"] = left["passed"] & (table["relevant"] >= raters)
    sort_rule = f"at least {sorted_items.agree} of {left['n'].max()} sorters on the intended dimension"
    rate_rule = f"at least {raters} of {n_raters} raters find it relevant"
    rows = []
    for row, passed in zip(table.itertuples(), left["passed"], strict=True):
        rule = f"{sort_rule}; {rate_rule}" if row.kept else rate_rule if passed else sort_rule
        went = "" if row.modal in {row.intended, "tie"} else f", most said {row.modal}"
        evidence = f"{row.right} of {row.n_sorters} sorters{went}; {row.relevant} of {row.n_raters} raters"
        rows.append((row.item, "keep" if row.kept else "drop", rule, evidence))
    decisions = pd.DataFrame(rows, columns=["subject", "decision", "rule", "evidence"])
    kept = table.loc[table["kept"], "item"].tolist()
    note = f"{len(kept)} of {len(table)} items kept: {sort_rule}, and {rate_rule}."
    return Judgement(table, decisions, kept, note)
