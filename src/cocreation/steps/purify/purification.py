"""Items dropped one by one while their CITC is too low."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import style
from ...core.moments import covariance
from ...core.ties import without_noise
from ...inputs.answers import items_frame, scales_mapping
from ...inputs.options import between
from ...results.result import Result
from .alpha import coefficient, judged
from .keying import keying, reverse_keyed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Purification", "purify"]

#: what becomes of an item that goes against the rest, and the two colours it is drawn in
_UNDECIDED = ("recode?", "white", "#8a6d00")


@dataclass(frozen=True, repr=False)
class Purification(Result):
    """The items before and after purification.

    Attributes
    ----------
    items : DataFrame
        One row an item of the pool: dimension, item, citc (in its dimension as
        it stood when the item was last judged), alpha_if_deleted, decision: keep, drop,
        or recode? for an item that goes against the rest. Its own citc is that of
        the answers as they are, those of the others are as if it were recoded.
    scales : DataFrame
        One row a dimension: dimension, items_before, items_after, alpha_before (of the
        answers as they are), alpha_after (of the items kept).
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
        """Return the two tables that are read; the decision log goes to a file.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        return {"scales": self.scales, "items": self.items}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw every item's CITC, dimension by dimension and the highest first, dropped items hollow.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        import matplotlib.pyplot as plt

        order = {name: i for i, name in enumerate(self.scales["dimension"])}
        table = self.items.assign(rank=self.items["dimension"].map(order))
        table = table.sort_values(
            ["rank", "citc"], ascending=[True, False], kind="stable", key=without_noise, ignore_index=True
        )
        # a gap between dimensions; the first item stands on top
        height = -(table.index + 0.9 * table["rank"]).to_numpy(dtype=float)
        if ax is None:
            _, ax = plt.subplots(figsize=(6.4, max(2.5, 0.17 * (1 - height.min()) + 0.9)))
        ax.axvline(self.limit, color="0.3", linestyle="--", linewidth=1)
        for decision, face, edge in (("keep", "#20639b", "#20639b"), ("drop", "white", "#b3261e"), _UNDECIDED):
            rows = (table["decision"] == decision).to_numpy()
            if decision == _UNDECIDED[0] and not rows.any():
                continue
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
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, frameon=False, borderaxespad=0.2)
        return style.behind(ax, table[["dimension", "item", "citc", "decision"]])


def purify(data: pd.DataFrame, scales: Mapping[str, Sequence[str]], *, citc_below: float = 0.50) -> Purification:
    """Drop, dimension by dimension, the items whose CITC is below a limit.

    One item goes at a time, the lowest first, and CITC is computed again: a bad
    item drags down the correlations of good ones (they are judged against a sum
    that holds it), so dropping all at once would drop good items too. A
    dimension whose last two items miss the limit is dropped whole.

    An item that goes against the rest (:func:`alpha` says when) is not dropped for it but marked "recode?", since
    reverse-keyed answers must be recoded before any CITC means something. The other items are judged as if that were
    done, so that they fare as they will after it. Recode, and purify again: a log with "recode?" is not written.

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
        A row an item with CITC and decision, a row a dimension with alpha before and after, the decision log.

    Raises
    ------
    InputError
        For data or scales that cannot be taken; see :func:`alpha`.

    See Also
    --------
    alpha : One scale's figures.
    ordinal_alpha : Alpha of the responses behind ordered answers.
    cocreation.steps.screen.screen : The step before.
    cocreation.steps.explore.explore : The step after.
    cocreation.steps.decisions.write_decisions : Keep the log.

    Notes
    -----
    Churchill (1979): purify before factor analysis. What CITC cannot see is an
    item that goes well with its own dimension *and* with another.

    No R call runs the rounds; each rests on ``psych::alpha(x)$item.stats$r.drop``.

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
    rows: list[dict] = []
    summary, kept = [], {}
    for dimension, items in checked.items():
        own = frame[items]
        before = coefficient(covariance(own.to_numpy()))
        found, left = _judge(own, dimension, citc_below)
        rows += found
        after = coefficient(covariance(own[left].to_numpy())) if left else None
        summary.append((dimension, len(items), len(left), before, after))
        if left:
            kept[dimension] = left
    table = pd.DataFrame(rows)
    note = (
        f"Listwise over the pool: {len(frame)} respondents. Rule: drop while the lowest CITC of a dimension is below "
        f"{citc_below:.2f}, one item at a time."
    )
    if against := keying(frame, checked):
        note += f"{against} Until then the decision is open; the other items are judged as if it were done."
    columns = ["dimension", "items_before", "items_after", "alpha_before", "alpha_after"]
    return Purification(
        table[["dimension", "item", "citc", "alpha_if_deleted", "decision"]],
        pd.DataFrame(summary, columns=columns),
        table[["item", "decision", "rule", "evidence"]].rename(columns={"item": "subject"}),
        kept,
        citc_below,
        note,
    )


def _judge(answers: pd.DataFrame, dimension: str, limit: float) -> tuple[list[dict], list[str]]:
    """Return a row for every item of one dimension, in the pool's order, and the items kept."""
    against = reverse_keyed(answers)
    answers = answers.assign(**{name: -answers[name] for name in against}) if against else answers
    rows: dict[str, dict] = {}
    left = list(answers)
    while left:
        _, value, statistics = judged(answers[left])
        worst = int(np.argmin(without_noise(statistics.citc)))
        going = [] if statistics.citc[worst] >= limit else ([left[worst]] if len(left) > 2 else list(left))
        for name, citc, without in zip(left, *statistics, strict=True):
            if going and name not in going:
                continue
            evidence = f"CITC {citc:.3f} among {len(left)} items of {dimension}; alpha {value:.3f}"
            if going and len(left) > 2:
                evidence += f", without it {without:.3f}"
            if against:
                evidence += f"; {', '.join(map(str, against))} recoded"
            rows[name] = {
                "dimension": dimension,
                "item": name,
                "citc": -citc if name in against else citc,
                "alpha_if_deleted": without,
                "decision": "drop" if going else "keep",
                "rule": f"CITC < {limit:.2f}" if going else f"CITC ≥ {limit:.2f}",
                "evidence": evidence,
            }
        if not going:
            break
        left = [name for name in left if name not in going]
    kept = [name for name in left if name not in against]
    kept = kept if len(kept) > 1 else []
    # what is left alone by the items to recode cannot be judged before them
    for name in {*against, *left} - set(kept):
        rows[name] |= {"decision": _UNDECIDED[0], "rule": "recode before CITC is judged"}
    return [rows[name] for name in answers], kept
