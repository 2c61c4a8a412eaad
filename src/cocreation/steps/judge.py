"""Judging items: do experts put an item where it belongs, and do they find it relevant?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import bdtrc, ndtr, ndtri
from scipy.special import comb as combinations

from .._input import between, confidence, ends, names_of, plain_table, whole
from ..errors import InputError
from .result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Chance",
    "FleissKappa",
    "Judgement",
    "Relevance",
    "Sorting",
    "chance",
    "fleiss_kappa",
    "judge",
    "relevance",
    "sorting",
    "substantive_critical",
]

#: Polit, Beck and Owen's words for the modified kappa, from the lowest value on
_KAPPA_WORDS = ((0.75, "excellent"), (0.60, "good"), (0.40, "fair"), (-np.inf, "poor"))


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
        """Draw where the votes on each dimension's items went."""
        import matplotlib.pyplot as plt
        import seaborn as sns

        ax = ax if ax is not None else plt.subplots(figsize=(0.9 * self.table.shape[1] + 1.5, 4))[1]
        share = self.table.div(self.table.sum(axis=1), axis=0)
        blue = sns.light_palette("#20639b", as_cmap=True)
        sns.heatmap(share, annot=self.table, fmt="d", cmap=blue, vmin=0, vmax=1, cbar=False, linewidths=0.5, ax=ax)
        ax.set(xlabel="sorted to", ylabel="written for")
        ax.tick_params(axis="y", rotation=0)
        return ax


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
    dimensions : sequence of str, optional
        The bins, without ``none``; by default those intended.
    none : str
        What a sorter says when no dimension fits. It is no other dimension
        in c_sv, but it costs the item a vote.
    agree : int
        Votes an item needs; two in the study.

    Notes
    -----
    p_sa and c_sv are those of Anderson and Gerbing (1991). ``critical`` is
    their test: votes for the intended dimension are binomial with one half
    if the item is no clearer than a coin.

    Raises
    ------
    InputError
        For an item without an intended dimension, a missing vote, a vote for
        an unknown bin, or fewer than two sorters.

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
    aims = pd.Series(dict(intended), dtype=object).reindex(sorts.index)
    if aims.isna().any():
        raise InputError(f"Nothing says for which dimension item '{aims.index[aims.isna()][0]}' was written.")
    if sorts.isna().any(axis=None):
        item, sorter = next((i, s) for s in sorts for i in sorts.index[sorts[s].isna()])
        raise InputError(f"Sorter '{sorter}' has no vote on item '{item}'. Write 'none' if it fits no dimension.")
    return sorts.astype(object), aims


def _known_bins(sorts: pd.DataFrame, aims: pd.Series, bins: list[str], dimensions: list[str]) -> None:
    for item, aim in aims.items():
        if aim not in dimensions:
            raise InputError(f"Item '{item}' was written for '{aim}', which is not among the dimensions {dimensions}.")
    unknown = ~sorts.isin(bins)
    if unknown.any(axis=None):
        row, column = np.argwhere(unknown.to_numpy())[0]
        raise InputError(
            f"Sorter '{sorts.columns[column]}' put item '{sorts.index[row]}' to {sorts.iloc[row, column]!r}; the bins "
            f"are {', '.join(map(str, bins))}. Correct the vote or name the dimension."
        )


def substantive_critical(n: int, *, level: float = 0.05) -> float:
    """Return the smallest c_sv that n sorters can reach significantly, NaN if there is none.

    With m of n votes for the intended dimension and the rest for one other,
    c_sv = 2·m/n − 1; m is the smallest number that a fair coin reaches with a
    probability below ``level`` (Anderson and Gerbing, 1991).

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

    def plot(self, ax: Axes | None = None, *, most: int = 8) -> Axes:
        """Draw how often blind raters choose the intended bin, for panels of up to ``most``; this one is framed."""
        import matplotlib.pyplot as plt
        import seaborn as sns
        from matplotlib.patches import Rectangle

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
        return ax


def chance(raters: int = 3, bins: int = 5, at_least: int = 2) -> Chance:
    """Return how often sorters who choose at random agree.

    Exact: the sequences of votes in which every bin stays below ``at_least``
    are counted (by the coefficients of a power of a polynomial) and taken
    from all bins**raters sequences.

    Raises
    ------
    InputError
        If a number is not positive or more votes are asked for than there are raters.

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
    # ways[k]: sequences of k votes over the bins seen so far with fewer than at_least in each
    ways = [1] + [0] * raters
    for _ in range(bins):
        ways = [sum(ways[k - v] * comb(k, v) for v in range(min(k, at_least - 1) + 1)) for k in range(raters + 1)]
    return Chance(
        raters,
        bins,
        at_least,
        1 - ways[raters] / bins**raters,
        float(bdtrc(at_least - 1, raters, 1 / bins)),
        "Sorters choose independently, each bin with the same probability.",
    )


@dataclass(frozen=True, repr=False)
class Relevance(Result):
    """Content validity from ratings of relevance.

    Attributes
    ----------
    items : DataFrame
        ``item``, ``n`` raters, ``relevant`` (how many said so), ``mean``,
        ``i_cvi``, ``chance`` (probability of exactly this agreement if raters
        toss a coin), ``kappa`` (modified), ``verdict``.
    s_cvi_ave : float
        Mean I-CVI of the items.
    s_cvi_ua : float
        Share of items all raters call relevant.
    note : str
    """

    items: pd.DataFrame
    s_cvi_ave: float
    s_cvi_ua: float
    note: str

    title = "Relevance of the items"


def relevance(ratings: pd.DataFrame, *, relevant: float = 3, points: tuple[int, int] = (1, 4)) -> Relevance:
    """Compute the indices of content validity.

    Parameters
    ----------
    ratings : DataFrame, shape (items, raters)
        Indexed by item.
    relevant : number
        A rating from here on says "relevant".
    points : (lowest, highest)
        The ends of the rating scale.

    Notes
    -----
    I-CVI is the share of raters who call the item relevant (Lynn, 1986). The
    modified kappa takes off chance: pc = C(n, a)·.5^n for a of n raters,
    κ* = (I-CVI − pc) / (1 − pc); "excellent" above .74, "good" from .60,
    "fair" from .40 (Polit, Beck and Owen, 2007, Research in Nursing & Health,
    30, 459-467).

    Raises
    ------
    InputError
        For no items, fewer than two raters, a missing or impossible rating.

    Examples
    --------
    >>> import pandas as pd
    >>> found = relevance(pd.DataFrame([[4, 3, 4], [4, 3, 2]], index=["x", "y"]))
    >>> print(found.items[["item", "i_cvi", "kappa", "verdict"]].round(2).to_string(index=False))
    item  i_cvi  kappa   verdict
       x   1.00   1.00 excellent
       y   0.67   0.47      fair
    """
    plain_table(ratings, what="ratings", row="an item")
    if ratings.empty or ratings.shape[1] < 2:
        raise InputError(
            f"Expected a row an item and a column for each of two or more raters, got {len(ratings)} items and "
            f"{ratings.shape[1]} raters. Add what is missing."
        )
    low, high = ends(points)
    between(relevant, "relevant", low, high, what="a rating")
    values = ratings.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = ~((values >= low) & (values <= high))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"Rater '{ratings.columns[column]}' gave item '{ratings.index[row]}' {ratings.iloc[row, column]!r}; a "
            f"rating is from {low} to {high}. Ask for it or leave the item out."
        )
    n = values.shape[1]
    yes = (values >= relevant).sum(axis=1)
    i_cvi = yes / n
    by_chance = combinations(n, yes) * 0.5**n
    kappa = (i_cvi - by_chance) / (1 - by_chance)
    # rounded to the two decimals in which the limits are stated, so that .75 - 1e-17 is "excellent"
    words = [next(word for limit, word in _KAPPA_WORDS if round(k, 2) >= limit) for k in kappa]
    items = pd.DataFrame(
        {
            "item": ratings.index,
            "n": n,
            "relevant": yes,
            "mean": values.mean(axis=1),
            "i_cvi": i_cvi,
            "chance": by_chance,
            "kappa": kappa,
            "verdict": words,
        }
    )
    note = (
        f"{len(items)} items, {n} raters; {relevant:g} or more counts as relevant. I-CVI: share of raters; S-CVI/Ave: "
        "its mean; S-CVI/UA: share of items all call relevant; kappa: Polit, Beck and Owen (2007)."
    )
    return Relevance(items, float(i_cvi.mean()), float((yes == n).mean()), note)


@dataclass(frozen=True, repr=False)
class FleissKappa(Result):
    """Agreement of several raters beyond chance.

    Attributes
    ----------
    items, raters : int
    observed, expected : float
        Share of agreeing pairs of raters, and what chance would give.
    kappa, se, lower, upper : float
        Fleiss' kappa with the standard error over items and its interval.
    se0, z, p : float
        Standard error if there were no agreement beyond chance, and the two-sided test with it.
    note : str
    """

    items: int
    raters: int
    observed: float
    expected: float
    kappa: float
    se: float
    lower: float
    upper: float
    se0: float
    z: float
    p: float
    note: str

    title = "Fleiss' kappa"


def fleiss_kappa(sorts: pd.DataFrame, *, level: float = 0.95) -> FleissKappa:
    """Measure how far several raters put the same items into the same bins.

    Parameters
    ----------
    sorts : DataFrame, shape (items, raters)
        The bin each rater chose (nominal; "none" is a bin like any other).
    level : float
        Of the interval.

    Notes
    -----
    kappa as in Fleiss (1971). ``se0`` is the standard error for independent
    raters of Fleiss, Nee and Landis (1979, Psychological Bulletin, 86,
    974-977), for the test only. ``se`` is the linearised standard error over
    items (Gwet, 2021, Educational and Psychological Measurement, 81, 781-790),
    for the interval.

    Raises
    ------
    InputError
        For fewer than two items or raters, a missing vote, or one bin only.

    Examples
    --------
    >>> import pandas as pd
    >>> sorts = pd.DataFrame([["A", "A", "A"], ["A", "B", "none"], ["B", "B", "A"]], index=["x", "y", "z"])
    >>> found = fleiss_kappa(sorts)
    >>> round(found.observed, 3), round(found.kappa, 3)
    (0.444, 0.022)
    """
    plain_table(sorts, what="votes", row="an item")
    if min(sorts.shape) < 2:
        raise InputError(
            f"Fleiss' kappa needs at least two items (rows) and two raters (columns), got {len(sorts)} and "
            f"{sorts.shape[1]}. Add what is missing."
        )
    if sorts.isna().any(axis=None):
        row, column = np.argwhere(sorts.isna().to_numpy())[0]
        raise InputError(f"Rater '{sorts.columns[column]}' has no vote on item '{sorts.index[row]}'. Ask for it.")
    codes, bins = pd.factorize(sorts.to_numpy().astype(object).ravel())
    if len(bins) < 2:
        raise InputError("All raters put everything into one bin, so chance agreement is complete and kappa undefined.")
    confidence(level)
    items, raters = sorts.shape
    counts = np.zeros((items, len(bins)))
    np.add.at(counts, (np.repeat(np.arange(items), raters), codes), 1)
    share = counts.mean(axis=0) / raters
    pairs = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))
    observed, expected = float(pairs.mean()), float((share**2).sum())
    kappa = (observed - expected) / (1 - expected)
    by_item = (pairs - expected) / (1 - expected)
    drift = (counts @ share) / raters - expected
    parts = by_item - 2 * (1 - kappa) * drift / (1 - expected)
    se = float(np.sqrt(((parts - kappa) ** 2).sum() / (items * (items - 1))))
    q = 1 - share
    spread = (share * q).sum()
    se0 = np.sqrt(2 * (spread**2 - (share * q * (q - share)).sum()) / (items * raters * (raters - 1))) / spread
    reach, z = ndtri(0.5 + level / 2) * se, kappa / se0
    note = (
        f"{items} items, {raters} raters, {len(bins)} bins. se and the {100 * level:g} % interval: over items; se0, z "
        "and p: for raters who choose independently."
    )
    return FleissKappa(
        items,
        raters,
        observed,
        expected,
        kappa,
        se,
        kappa - reach,
        kappa + reach,
        float(se0),
        float(z),
        float(2 * ndtr(-abs(z))),
        note,
    )


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
        """Return how many items each rule dropped and the drops; ``items`` has a row an item and is not shown."""
        count = self.decisions.groupby(["decision", "rule"], sort=False).size().rename("items").reset_index()
        return {"": count, "dropped": self.decisions[self.decisions["decision"] == "drop"].reset_index(drop=True)}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how many items got which combination of votes; the framed corner is kept."""
        import matplotlib.pyplot as plt
        import seaborn as sns
        from matplotlib.patches import Polygon

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
        return ax


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

    Raises
    ------
    InputError
        If the two groups did not judge the same items, or ``raters`` is more than there are.

    Examples
    --------
    >>> import pandas as pd
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
