"""Explore: is there something to factor, how many factors, which items carry them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .. import progress
from ..core.adequacy import bartlett_sphericity, kmo
from ..core.dimensionality import map_criterion, parallel_eigenvalues
from ..core.moments import correlation
from ..errors import EstimationError, InputError
from ..inputs.answers import items_frame, refuse_singular, used
from ..inputs.options import between, whole
from ..results.result import Result
from ._extraction import Extraction, above_one, components, factors
from ._ordinal import Polychoric, polychoric

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Adequacy",
    "Comparison",
    "Exploration",
    "Extraction",
    "NumberOfFactors",
    "Polychoric",
    "adequacy",
    "compare",
    "components",
    "explore",
    "factors",
    "n_factors",
    "polychoric",
]


@dataclass(frozen=True, repr=False)
class Adequacy(Result):
    """Whether the correlations are worth factoring.

    Attributes
    ----------
    kmo : float
        Overall measure of sampling adequacy.
    bartlett_chi2, df, p : float, int, float
        Bartlett's test of sphericity.
    n : int
        Respondents used.
    kmo_items : DataFrame
        Columns item, kmo.
    note : str
    """

    title = "Adequacy for factor analysis"

    kmo: float
    bartlett_chi2: float
    df: int
    p: float
    n: int
    kmo_items: pd.DataFrame
    note: str

    @property
    def log_determinant(self) -> float:
        """ln det R, which Bartlett's test is a multiple of: 0 for items that share nothing."""
        return -self.bartlett_chi2 / (self.n - 1 - (2 * len(self.kmo_items) + 5) / 6)


def adequacy(data: pd.DataFrame, *, items: Iterable[str] | None = None) -> Adequacy:
    """Return the Kaiser–Meyer–Olkin measure and Bartlett's test of sphericity.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    items : iterable of str, optional
        The items; all columns by default.

    Raises
    ------
    InputError
        For data that cannot be taken; for items that repeat each other, since
        both statistics need the inverse of the correlation matrix; for items
        that correlate with nothing at all.

    Notes
    -----
    KMO after Kaiser & Rice (1974), Bartlett (1951). Both agree with
    factor_analyzer's ``calculate_kmo`` and ``calculate_bartlett_sphericity`` to
    twelve decimals. KMO > .50 is Kaiser's "miserable", not a sign of quality.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> world = population.load()
    >>> answers = sample.draw(300, seed=1, items=world.kept())
    >>> found = adequacy(answers)
    >>> round(found.kmo, 3), found.df
    (0.926, 210)
    """
    frame = items_frame(data, items)
    refuse_singular(frame, "KMO")
    r = correlation(frame.to_numpy())
    overall, of_items = kmo(r)
    lonely = [name for name, value in zip(frame.columns, of_items, strict=True) if np.isnan(value)]
    if lonely:
        raise InputError(f"Item '{lonely[0]}' correlates with no other item, so its KMO does not exist. Leave it out.")
    chi2, df, p = bartlett_sphericity(r, len(frame))
    table = pd.DataFrame({"item": list(frame.columns), "kmo": of_items})
    return Adequacy(overall, chi2, df, p, len(frame), table, f"Pearson correlations, listwise: {used(frame, data)}.")


@dataclass(frozen=True, repr=False)
class NumberOfFactors(Result):
    """What the rules say about the number of factors.

    Attributes
    ----------
    kaiser : int
        Eigenvalues above 1.
    parallel : int
        Eigenvalues, from the first on, above the 95th percentile of random data.
    parallel_mean : int
        The same against the mean of random data (Horn 1965).
    map, map_fourth : int
        Velicer's minimum average partial, squared (1976) and fourth power (2000).
    draws : int
        Random data sets drawn; fewer than asked for if parallel analysis was interrupted.
    table : DataFrame
        Columns number, eigenvalue, percent, random_mean, random_p95, map, map_fourth
        (the averages after that many components; empty where none exists).
    map_start : tuple of float
        The averages of MAP before any component is taken out: squared, fourth power.
    note : str
    """

    title = "Number of factors"

    kaiser: int
    parallel: int
    parallel_mean: int
    map: int
    map_fourth: int
    draws: int
    table: pd.DataFrame
    map_start: tuple[float, float]
    note: str

    @property
    def rules(self) -> pd.DataFrame:
        """One row a rule: rule, number (of factors it keeps)."""
        number = {
            "eigenvalue > 1": self.kaiser,
            "parallel analysis, 95th percentile": self.parallel,
            "parallel analysis, mean": self.parallel_mean,
            "MAP": self.map,
            "MAP, 4th power": self.map_fourth,
        }
        return pd.DataFrame({"rule": list(number), "number": list(number.values())})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the scree of the data over the band of random data. Return the Axes."""
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(7, 4.2))
        number = self.table["number"]
        ax.fill_between(
            number,
            self.table["random_mean"],
            self.table["random_p95"],
            color="tab:orange",
            alpha=0.45,
            label="random data, mean to 95th percentile",
        )
        ax.plot(number, self.table["eigenvalue"], "o-", color="tab:blue", label="data")
        ax.axhline(1, color="0.35", linestyle="--", linewidth=1, label="eigenvalue 1")
        ax.set_xlabel("component")
        ax.set_ylabel("eigenvalue")
        ax.set_ylim(bottom=0)
        ax.set_xlim(0.5, len(number) + 0.5)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_title(f"Above 1: {self.kaiser} · above random: {self.parallel} · MAP: {self.map}")
        ax.legend(frameon=True)
        return ax


def n_factors(
    data: pd.DataFrame, *, items: Iterable[str] | None = None, draws: int = 1000, seed: int = 20240
) -> NumberOfFactors:
    """Return the eigenvalues beside those of random data, and how many factors each rule keeps.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    items : iterable of str, optional
        The items; all columns by default.
    draws, seed : int
        How many random data sets, at least 20, and the seed they are drawn with. Ctrl-C ends drawing; what is
        done by then is the result of so many draws.

    Raises
    ------
    InputError
        For data that cannot be taken, or fewer than 20 draws.

    Notes
    -----
    Random eigenvalues come from Wishart matrices drawn by Bartlett's
    decomposition: exact in distribution, for normal answers, and quick. All
    rules judge the unreduced correlation matrix.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> world = population.load()
    >>> answers = sample.draw(300, seed=1, items=world.kept())
    >>> found = n_factors(answers, draws=100)
    >>> found.kaiser, found.parallel, found.map
    (5, 5, 5)
    """
    whole(draws, "draws", least=20, remedy="A 95th percentile needs at least 20 random data sets. Use 1000.")
    frame = items_frame(data, items)
    r = correlation(frame.to_numpy())
    p = len(r)
    eigenvalues = np.linalg.eigvalsh(r)[::-1]
    pieces = parallel_eigenvalues(len(frame), p, draws=draws, seed=seed)
    random = np.concatenate(progress.gather("Parallel analysis", pieces, draws, least=20))
    mean, high = random.mean(axis=0), np.quantile(random, 0.95, axis=0)
    squared, fourth = map_criterion(r)
    table = pd.DataFrame(
        {
            "number": np.arange(1, p + 1),
            "eigenvalue": eigenvalues,
            "percent": 100 * eigenvalues / p,
            "random_mean": mean,
            "random_p95": high,
            "map": [*squared[1:], np.nan],
            "map_fourth": [*fourth[1:], np.nan],
        }
    )
    note = (
        f"Pearson correlations, listwise: {used(frame, data)}. Parallel analysis: "
        f"{progress.drawn(len(random), draws)} random correlation matrices, seed {seed}; MAP without components: "
        f"{squared[0]:.4f}."
    )
    return NumberOfFactors(
        above_one(eigenvalues),
        int(np.cumprod(eigenvalues > high).sum()),
        int(np.cumprod(eigenvalues > mean).sum()),
        int(np.nanargmin(squared)),
        int(np.nanargmin(fourth)),
        len(random),
        table,
        (float(squared[0]), float(fourth[0])),
        note,
    )


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
        """Return the rounds and the final loadings; the decision log goes to a file."""
        return {"rounds": self.rounds, **self.final.tables()}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the final loadings as a heatmap. Return the Axes."""
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

    Raises
    ------
    InputError
        For data or limits that cannot be taken.
    EstimationError
        If fewer than three items survive.

    Notes
    -----
    These are the rules of the published study (principal components, eigenvalue > 1,
    varimax). For what a reviewer would ask for instead, see :func:`compare`.

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
        for i in badness[breaks].sort_values(kind="stable").index:
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


@dataclass(frozen=True, repr=False)
class Comparison(Result):
    """Components with varimax beside common factors with oblimin.

    Attributes
    ----------
    loadings : DataFrame
        Columns item, component, component_loading, component_communality, factor,
        factor_loading, factor_communality: each item's largest loading in both.
        Extraction *and* rotation differ, and an oblique pattern may load higher
        than either; the communalities are what no rotation touches.
    variance : DataFrame
        Columns solution, number, percent (of the items' total variance).
    rules : DataFrame
        Columns rule, number: how many factors each rule keeps.
    phi : DataFrame
        Correlations of the common factors.
    components, factors : Extraction
    note : str
    """

    title = "Components and common factors side by side"

    loadings: pd.DataFrame
    variance: pd.DataFrame
    rules: pd.DataFrame
    phi: pd.DataFrame
    components: Extraction
    factors: Extraction
    note: str

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each item's communality in both solutions, joined by a line. Return the Axes.

        Communalities, because they do not depend on the rotation: only the extraction tells them apart.
        """
        import matplotlib.pyplot as plt

        table = self.loadings.iloc[::-1].reset_index(drop=True)
        if ax is None:
            _, ax = plt.subplots(figsize=(6.4, max(2.5, 0.22 * len(table) + 1.3)))
        first, second = table["component_communality"], table["factor_communality"]
        ax.hlines(table.index, first, second, color="0.6")
        ax.plot(first, table.index, "D", color="#d55e00", markersize=5, label="principal components")
        ax.plot(second, table.index, "o", color="#0072b2", label="common factors")
        ax.set_yticks(table.index, table["item"], fontsize=8)
        ax.set_ylim(-0.7, len(table) - 0.3)
        ax.set_xlabel("communality: variance of the item that is explained")
        # dots, not bars: the axis may begin near the smallest one
        ax.set_xlim(max(0.0, np.floor(10 * min(first.min(), second.min())) / 10), 1.01)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
        return ax


def compare(
    data: pd.DataFrame,
    n: int | None = None,
    *,
    items: Iterable[str] | None = None,
    draws: int = 1000,
    seed: int = 20240,
) -> Comparison:
    """Return the published kind of analysis beside a proper common-factor analysis.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    n : int, optional
        How many components and factors; by default the number of eigenvalues above 1.
    items : iterable of str, optional
        The items; all columns by default.
    draws, seed : int
        For parallel analysis; see :func:`n_factors`.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError, EstimationError
        As :func:`components`, :func:`factors` and :func:`n_factors`.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> world = population.load()
    >>> answers = sample.draw(300, seed=1, items=world.kept())
    >>> print(compare(answers, 5, draws=100).variance.round(1).to_string(index=False))
                         solution  number  percent
    principal components, varimax       5     85.7
          minres factors, oblimin       5     81.3
    """
    frame = items_frame(data, items)
    number_of = n_factors(frame, draws=draws, seed=seed)
    component = components(frame, n)
    common = factors(frame, component.loadings.shape[1])
    left, right = component.primary, common.primary
    loadings = pd.DataFrame(
        {
            "item": left["item"],
            "component": left["factor"],
            "component_loading": left["loading"],
            "component_communality": left["communality"],
            "factor": right["factor"],
            "factor_loading": right["loading"],
            "factor_communality": right["communality"],
        }
    )
    number = component.loadings.shape[1]
    variance = pd.DataFrame(
        {
            "solution": ["principal components, varimax", "minres factors, oblimin"],
            "number": [number, number],
            "percent": [component.variance["cumulative"].iloc[-1], common.variance["cumulative"].iloc[-1]],
        }
    )
    note = f"Both with Kaiser normalization. {number_of.note}"
    return Comparison(loadings, variance, number_of.rules, common.phi, component, common, note)
