"""Which items carry the factors: dropped one by one, by stated rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from ...core.ties import without_noise
from ...errors import EstimationError
from ...inputs.answers import items_frame, used
from ...inputs.options import between
from ...results.result import Result
from .extraction import Extraction, components

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Exploration", "explore"]


@dataclass(frozen=True, repr=False)
class Exploration(Result):
    """The published item selection, round by round.

    Attributes
    ----------
    rounds : DataFrame
        Columns round, items, components, percent (variance explained), dropped, rule, evidence.
    decisions : DataFrame
        The decision log: subject, decision, rule, evidence.
    final : Extraction
        Components of the items kept.
    kept : list of str
    note : str
    """

    title = "Item selection by the published rules"

    rounds: pd.DataFrame
    decisions: pd.DataFrame
    final: Extraction
    kept: list[str]
    note: str

    @property
    def scales(self) -> dict[str, list[str]]:
        """``{component: [item, …]}`` of the items kept."""
        return self.final.scales

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the rounds and the final loadings; the decision log goes to a file.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        return {"rounds": self.rounds, **self.final.tables()}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the final loadings as a heatmap.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        return self.final.plot(ax)


def explore(
    data: pd.DataFrame,
    *,
    items: Iterable[str] | None = None,
    loading_below: float = 0.50,
    cross_above: float = 0.40,
    communality_below: float = 0.50,
    one_at_a_time: bool = True,
) -> Exploration:
    """Drop items by the published rules until none offends.

    Each round extracts as many principal components as eigenvalues exceed 1,
    rotates them by varimax, and applies the rules in the published order: largest
    loading < ``loading_below``; second-largest loading > ``cross_above``; communality <
    ``communality_below``. **One item goes a round**: the worst offender against the
    first rule that anyone breaks. Every deletion changes all loadings and
    sometimes the number of components, so an item that offends beside a bad one
    may be sound without it; dropping all offenders at once
    (``one_at_a_time=False``, all that break any rule) judges them on a solution
    that no longer exists.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    items : iterable of str, optional
        The items to start from; all columns by default.
    loading_below, cross_above, communality_below : float
        The limits, between 0 and 1.
    one_at_a_time : bool
        See above.

    Returns
    -------
    Exploration
        A row a round, the decision log, the items kept and their components.

    Raises
    ------
    InputError
        For data or limits that cannot be taken.
    EstimationError
        If fewer than three items survive.

    See Also
    --------
    components : The analysis of each round.
    compare : What a common-factor analysis says.
    n_factors : How many factors.
    cocreation.steps.purify.purify : The step before: drop items by CITC.
    cocreation.steps.decisions.write_decisions : Keep the log.

    Notes
    -----
    These are the rules of the published study (principal components, eigenvalue > 1,
    varimax). For what a reviewer would ask for instead, see :func:`compare`.

    No R call runs the rounds; each rests on the loadings of ``psych::principal(x, n, rotate = "varimax")``.

    Examples
    --------
    >>> from cocreation.survey import population, respondents
    >>> world = population.load()
    >>> answers = respondents.valid_answers(world, "pre_survey")
    >>> found = explore(answers, items=[*world.scales()["CE"], "DO01", "DO02", "DO05"])
    >>> found.rounds["dropped"].tolist()
    ['CE08', 'CE03', 'CE06', '']
    """
    limits = {"loading_below": loading_below, "cross_above": cross_above, "communality_below": communality_below}
    for name, value in limits.items():
        between(value, name, 0, 1, what="a limit")
    frame = items_frame(data, items, at_least=3)
    pool = left = list(frame.columns)
    rounds: list[tuple] = []
    dropped: dict[str, tuple[str, str]] = {}
    while True:
        if len(left) < 3:
            raise EstimationError(
                f"The rules leave {len(left)} of {len(pool)} items (last dropped: '{next(reversed(dropped))}'), too "
                "few for components. Loosen a limit or look at the items' correlations first."
            )
        now = components(frame, items=left)
        offenders = _offenders(now.primary, loading_below, cross_above, communality_below)
        going = offenders[:1] if one_at_a_time else offenders
        percent = now.variance["cumulative"].iloc[-1]
        number = len(rounds) + 1
        _, rule, evidence = going[0] if going else ("", "", "")
        gone = ", ".join(str(item) for item, *_ in going)
        rounds.append((number, len(left), now.loadings.shape[1], percent, gone, rule, evidence))
        if not going:
            break
        for item, broken, figures in going:
            dropped[item] = (broken, f"round {number}: {figures}")
        left = [item for item in left if item not in dropped]
    note = (
        f"Principal components with eigenvalue > 1, varimax with Kaiser normalization, {used(frame, data)}. Rules in "
        f"order: loading < {loading_below:.2f}, cross-loading > {cross_above:.2f}, communality < "
        f"{communality_below:.2f}; {'one item a round, the worst' if one_at_a_time else 'all offenders a round'}."
    )
    thin = [f"{name} ({', '.join(map(str, group))})" for name, group in now.scales.items() if len(group) < 3]
    if thin:
        note += f" No rule minds that a component rests on fewer than three items: {'; '.join(thin)}."
    columns = ["round", "items", "components", "percent", "dropped", "rule", "evidence"]
    return Exploration(pd.DataFrame(rounds, columns=columns), _log(pool, dropped, now, limits), now, list(left), note)


def _offenders(
    primary: pd.DataFrame, loading_below: float, cross_above: float, communality_below: float
) -> list[tuple[str, str, str]]:
    """Return (item, rule, evidence), by the order of the rules and within a rule the worst first."""
    size = primary["loading"].abs()
    broken = [
        (size < loading_below, size - loading_below, f"loading < {loading_below:.2f}", size),
        (
            primary["cross"] > cross_above,
            cross_above - primary["cross"],
            f"cross-loading > {cross_above:.2f}",
            primary["cross"],
        ),
        (
            primary["communality"] < communality_below,
            primary["communality"] - communality_below,
            f"communality < {communality_below:.2f}",
            primary["communality"],
        ),
    ]
    found: dict[str, tuple[str, str, str]] = {}
    for breaks, badness, rule, value in broken:
        for i in badness[breaks].sort_values(kind="stable", key=without_noise).index:
            item = primary.loc[i, "item"]
            figures = f"{rule.split(' ')[0]} {value[i]:.3f} on {primary.loc[i, 'factor']}"
            if rule.startswith("cross"):
                figures = f"cross-loading {value[i]:.3f} beside {size[i]:.3f} on {primary.loc[i, 'factor']}"
            elif rule.startswith("comm"):
                figures = f"communality {value[i]:.3f}"
            found.setdefault(item, (item, rule, figures))
    return list(found.values())


def _log(pool, dropped, final: Extraction, limits: dict[str, float]) -> pd.DataFrame:
    primary = final.primary.set_index("item")
    kept_rule = (
        f"loading ≥ {limits['loading_below']:.2f}, cross-loading ≤ {limits['cross_above']:.2f}, "
        f"communality ≥ {limits['communality_below']:.2f}"
    )
    rows = []
    for item in pool:
        if item in dropped:
            rows.append((item, "drop", *dropped[item]))
        else:
            row = primary.loc[item]
            evidence = (
                f"loading {row['loading']:.3f} on {row['factor']}, cross-loading {row['cross']:.3f}, "
                f"communality {row['communality']:.3f}"
            )
            rows.append((item, "keep", kept_rule, evidence))
    return pd.DataFrame(rows, columns=["subject", "decision", "rule", "evidence"])
