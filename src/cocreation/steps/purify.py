"""Purify: drop items that do not go with the rest of their dimension (CITC), watch alpha."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..core.moments import covariance, to_correlation
from ..core.reliability import (
    alpha_from_covariance,
    alpha_interval,
    item_statistics,
    lambda6,
    overlap_corrected,
    squared_multiple,
    standardized_alpha,
)
from ..errors import InputError
from ..inputs.answers import items_frame, scales_mapping, used
from ..inputs.options import between, confidence
from ..results.result import Result
from ._ordinal import OrdinalAlpha, ordinal_alpha

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Alpha", "OrdinalAlpha", "Purification", "alpha", "ordinal_alpha", "purify"]


@dataclass(frozen=True, repr=False)
class Alpha(Result):
    """Coefficient alpha of a scale with its item statistics.

    Attributes
    ----------
    alpha, lower, upper : float
        The coefficient and its confidence limits.
    alpha_std : float
        Alpha of the standardized items.
    mean_r : float
        Mean correlation between items.
    n, k : int
        Respondents and items used.
    items : DataFrame
        Columns item, mean, sd, citc, alpha_if_deleted, smc (squared multiple correlation
        with the others), r_cor (correlation with the sum, the item's own error taken out).
    lambda6 : float
        Guttman's λ6 of the standardized items (psych's G6).
    sum_mean, sum_sd : float
        Mean and standard deviation (N − 1) of the sum of the items.
    note : str
    """

    title = "Reliability of a scale"

    alpha: float
    lower: float
    upper: float
    alpha_std: float
    mean_r: float
    n: int
    k: int
    items: pd.DataFrame
    lambda6: float
    sum_mean: float
    sum_sd: float
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the coefficient and the item statistics that decide; the rest stays in the fields."""
        shown = ["alpha", "lower", "upper", "alpha_std", "mean_r", "n", "k"]
        row = pd.DataFrame([{name: getattr(self, name) for name in shown}])
        return {"": row, "items": self.items[["item", "mean", "sd", "citc", "alpha_if_deleted"]]}


def alpha(data: pd.DataFrame, items: Iterable[str] | None = None, *, level: float = 0.95) -> Alpha:
    """Return coefficient alpha, its confidence interval and the item statistics.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    items : iterable of str, optional
        The items of one scale; all columns by default. Reverse-keyed items must
        have been recoded.
    level : float
        Confidence of the interval, between 0 and 1.

    Returns
    -------
    Alpha

    Raises
    ------
    InputError
        For data that :func:`~cocreation.inputs.answers.items_frame` refuses, and
        where some items' sum does not vary, so that no correlation with it exists.

    Notes
    -----
    Alpha is k/(k−1)·(1 − Σ variances / variance of the sum) (Cronbach 1951), the
    interval Feldt, Woodruff & Salih's (1987), CITC the correlation of an item with
    the sum of the *other* items. Alpha grows with the number of items and says
    nothing about how many dimensions they measure. λ6 (Guttman 1945), smc and r_cor
    are those of psych's ``alpha``; they are missing where items repeat each other.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame({"a": [1, 2, 3, 4, 5], "b": [2, 2, 3, 5, 5], "c": [1, 3, 3, 4, 4]})
    >>> round(alpha(answers).alpha, 3)
    0.954
    """
    confidence(level)
    frame = items_frame(data, items)
    x = frame.to_numpy()
    s = covariance(x)
    if s.sum() <= 1e-12 * np.trace(s):
        raise InputError(
            "The sum of the items does not vary, so alpha does not exist: some items mirror others. "
            "Recode the reverse-keyed items first."
        )
    statistics = item_statistics(x)
    flat = [name for name, value in zip(frame.columns, statistics.citc, strict=True) if np.isnan(value)]
    if flat:
        raise InputError(
            f"Without item '{flat[0]}' the sum of the remaining items does not vary, so its corrected item–total "
            "correlation does not exist. Recode the reverse-keyed items first."
        )
    value = alpha_from_covariance(s)
    n, k = x.shape
    lower, upper = alpha_interval(value, n, k, level=level)
    r = to_correlation(s)
    table = pd.DataFrame(
        {
            "item": list(frame.columns),
            "mean": x.mean(axis=0),
            "sd": np.sqrt(np.diag(s)),
            "citc": statistics.citc,
            "alpha_if_deleted": statistics.alpha_if_deleted,
            "smc": squared_multiple(r),
            "r_cor": overlap_corrected(r),
        }
    )
    note = (
        f"Listwise: {used(frame, data)}; "
        f"variances with N − 1; {level:.0%} interval after Feldt; citc = correlation with the sum of the other items."
        + (" Alpha without an item does not exist with two items." if k == 2 else "")
        + (" λ6, smc and r_cor do not exist: items repeat or mirror each other." if table["r_cor"].isna().any() else "")
    )
    mean_r = float((r.sum() - k) / (k * (k - 1)))
    total = x.sum(axis=1)
    return Alpha(
        value,
        lower,
        upper,
        standardized_alpha(s),
        mean_r,
        n,
        k,
        table,
        lambda6(r),
        float(total.mean()),
        float(total.std(ddof=1)),
        note,
    )


@dataclass(frozen=True, repr=False)
class Purification(Result):
    """The items before and after purification.

    Attributes
    ----------
    items : DataFrame
        One row an item of the pool: dimension, item, citc (in its dimension as
        it stood when the item was last judged), alpha_if_deleted, decision.
    scales : DataFrame
        One row a dimension: dimension, items_before, items_after, alpha_before,
        alpha_after (of the items kept).
    decisions : DataFrame
        The decision log: subject, decision, rule, evidence.
    kept : dict
        ``{dimension: [item, …]}`` of the items kept, for the next step.
    limit : float
        The CITC limit used.
    note : str
    """

    title = "Purification by corrected item–total correlation"

    items: pd.DataFrame
    scales: pd.DataFrame
    decisions: pd.DataFrame
    kept: dict[str, list[str]]
    limit: float
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the two tables that are read; the decision log goes to a file."""
        return {"scales": self.scales, "items": self.items}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw every item's CITC, dimension by dimension and the highest first, dropped items hollow.

        Returns
        -------
        Axes
        """
        import matplotlib.pyplot as plt

        order = {name: i for i, name in enumerate(self.scales["dimension"])}
        table = self.items.assign(rank=self.items["dimension"].map(order))
        table = table.sort_values(["rank", "citc"], ascending=[True, False], kind="stable").reset_index(drop=True)
        # a gap between dimensions; the first item stands on top
        height = -(table.index + 0.9 * table["rank"]).to_numpy(dtype=float)
        if ax is None:
            _, ax = plt.subplots(figsize=(6.4, max(2.5, 0.17 * (1 - height.min()) + 0.9)))
        ax.axvline(self.limit, color="0.3", linestyle="--", linewidth=1)
        for decision, face, edge in (("keep", "#20639b", "#20639b"), ("drop", "white", "#b3261e")):
            rows = (table["decision"] == decision).to_numpy()
            ax.hlines(height[rows], 0, table["citc"][rows], color=edge, alpha=0.3, linewidth=1)
            ax.plot(table["citc"][rows], height[rows], "o", color=edge, markerfacecolor=face, label=decision)
        for dimension, rows in table.groupby("dimension", sort=False).groups.items():
            ax.text(1.02, height[rows].mean(), dimension, transform=ax.get_yaxis_transform(), va="center")
        ax.set_yticks(height, table["item"], fontsize=8)
        ax.set_ylim(height.min() - 0.8, 0.8)
        ax.set_xlim(min(0.0, float(table["citc"].min()) - 0.05), 1)
        ax.set_xlabel("corrected item–total correlation")
        ax.grid(axis="y", visible=False)
        ax.set_title(f"Dropped below {self.limit:.2f}", loc="left")
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, borderaxespad=0.2)
        return ax


def purify(data: pd.DataFrame, scales: Mapping[str, Sequence[str]], *, citc_below: float = 0.50) -> Purification:
    """Drop, dimension by dimension, the items whose CITC is below a limit.

    One item goes at a time, the lowest first, and CITC is computed again: a bad
    item drags down the correlations of good ones (they are judged against a sum
    that holds it), so dropping all at once would drop good items too. A
    dimension whose last two items miss the limit is dropped whole.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing answer to an item of the pool are left out.
    scales : mapping
        ``{dimension: [item, …]}`` of the pool, at least two items each.
    citc_below : float
        The limit, between −1 and 1; the study used .50.

    Returns
    -------
    Purification

    Raises
    ------
    InputError
        For data or scales that cannot be taken; see :func:`alpha`.

    Notes
    -----
    Churchill (1979): purify before factor analysis. What CITC cannot see is an
    item that goes well with its own dimension *and* with another.

    Examples
    --------
    >>> from cocreation.survey import population, respondents
    >>> answers = respondents.valid_answers(population.load(), "pre_survey")
    >>> found = purify(answers, {"DO": ["DO01", "DO02", "DO04", "DO05"], "CE": ["CE01", "CE02", "CE03"]})
    >>> found.kept
    {'DO': ['DO01', 'DO02', 'DO05'], 'CE': ['CE01', 'CE02']}
    """
    between(citc_below, "citc_below", -1, 1, what="a correlation", remedy="The study used 0.50.")
    checked = scales_mapping(scales, getattr(data, "columns", None))
    frame = items_frame(data, [item for items in checked.values() for item in items])
    judged: list[dict] = []
    summary, kept = [], {}
    for dimension, items in checked.items():
        before = alpha(frame, items)
        rows, left = _judge(frame, dimension, items, citc_below)
        judged += rows
        after = alpha(frame, left).alpha if len(left) > 1 else None
        summary.append((dimension, len(items), len(left), before.alpha, after))
        if left:
            kept[dimension] = left
    table = pd.DataFrame(judged)
    note = (
        f"Listwise over the pool: {len(frame)} respondents. Rule: drop while the lowest CITC of a dimension is below "
        f"{citc_below:.2f}, one item at a time."
    )
    columns = ["dimension", "items_before", "items_after", "alpha_before", "alpha_after"]
    return Purification(
        table[["dimension", "item", "citc", "alpha_if_deleted", "decision"]],
        pd.DataFrame(summary, columns=columns),
        table[["item", "decision", "rule", "evidence"]].rename(columns={"item": "subject"}),
        kept,
        citc_below,
        note,
    )


def _judge(frame: pd.DataFrame, dimension: str, items: list[str], limit: float) -> tuple[list[dict], list[str]]:
    """Return a row for every item of one dimension, in the pool's order, and the items kept."""
    rule = f"CITC < {limit:.2f}"
    rows: dict[str, dict] = {}
    left = list(items)
    while left:
        now = alpha(frame, left)
        table = now.items.set_index("item")
        worst = table["citc"].idxmin()
        going = [] if table.loc[worst, "citc"] >= limit else ([worst] if len(left) > 2 else list(left))
        for name in going or left:
            citc, without = table.loc[name, "citc"], table.loc[name, "alpha_if_deleted"]
            evidence = f"CITC {citc:.3f} among {len(left)} items of {dimension}; alpha {now.alpha:.3f}"
            if going and len(left) > 2:
                evidence += f", without it {without:.3f}"
            rows[name] = {
                "dimension": dimension,
                "item": name,
                "citc": citc,
                "alpha_if_deleted": without,
                "decision": "drop" if going else "keep",
                "rule": rule if going else f"CITC ≥ {limit:.2f}",
                "evidence": evidence,
            }
        if not going:
            break
        left = [name for name in left if name not in going]
    return [rows[name] for name in items], left
