"""Agreement beyond chance: Fleiss' kappa, Krippendorff's alpha, and the kappa of two raters.

A room behind :mod:`cocreation.steps.judge` and :mod:`cocreation.steps.conceptualize`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ... import style
from ...core.kappa import limits
from ...core.resampling import enough
from ...errors import InputError, plain
from ...inputs.labels import labels_in, refuse_alike, without_blanks
from ...inputs.options import confidence, generator, names_of, plain_table
from ...inputs.suspects import warn_of_codes
from ...results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FleissKappa", "Krippendorff", "fleiss_kappa", "krippendorff_alpha"]


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
    proportions = ("observed", "expected")


def fleiss_kappa(sorts: pd.DataFrame, *, level: float = 0.95) -> FleissKappa:
    """Measure how far several raters put the same items into the same bins.

    Parameters
    ----------
    sorts : DataFrame, shape (items, raters)
        The bin each rater chose (nominal; "none" is a bin like any other).
    level : float
        Of the interval.

    Returns
    -------
    FleissKappa
        Observed and expected agreement, kappa with standard error and interval, and its test.

    See Also
    --------
    krippendorff_alpha : Also for ordered values, and where some are missing.
    sorting : Item by item.
    chance : Agreement of random sorters.
    cocreation.steps.conceptualize.agreement : Two coders.

    Notes
    -----
    kappa as in Fleiss (1971). ``se0`` is the standard error for independent
    raters of Fleiss, Nee and Landis (1979, Psychological Bulletin, 86,
    974-977), for the test only. ``se`` is the linearised standard error over
    items (Gwet, 2021, Educational and Psychological Measurement, 81, 781-790),
    for the interval.

    In R, ``irr::kappam.fleiss(sorts)`` gives kappa and its test; it has no interval.

    Raises
    ------
    InputError
        For fewer than two items or raters, a missing or blank vote, bins that
        look alike, or one bin only.

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
    sorts = labels_in(sorts, "votes", "votes")
    if sorts.isna().any(axis=None):
        row, column = np.argwhere(sorts.isna().to_numpy())[0]
        raise InputError(f"Rater '{sorts.columns[column]}' has no vote on item '{sorts.index[row]}'. Ask for it.")
    warn_of_codes(sorts.to_numpy().ravel(), "votes", "ask for these votes, or leave out the items that hold {odd}")
    codes, bins = pd.factorize(sorts.to_numpy().ravel())
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
    (lower, upper, cut), z = limits(kappa, se, level), kappa / se0
    note = (
        f"{items} items, {raters} raters, {len(bins)} bins. se and the {100 * level:g} % interval: over items; se0, z "
        f"and p: for raters who choose independently.{cut}"
    )
    return FleissKappa(
        items,
        raters,
        observed,
        expected,
        kappa,
        se,
        lower,
        upper,
        float(se0),
        float(z),
        float(2 * ndtr(-abs(z))),
        note,
    )


_METRICS = ("nominal", "ordinal", "interval", "ratio")


@dataclass(frozen=True, repr=False)
class Krippendorff(Result):
    """Krippendorff's alpha: agreement of any number of raters, some of whose values may be missing.

    Attributes
    ----------
    alpha, lower, upper : float
        The coefficient and its bootstrap interval.
    metric : str
    observed, expected : float
        Mean squared difference of two values of one unit, and of any two values.
    units, raters, values : int
        Units with at least two values, raters, and values in those units.
    coincidence : DataFrame, shape (values, values)
        How often two values meet in a unit; each unit counts as often as it has values.
    note : str
    """

    alpha: float
    lower: float
    upper: float
    metric: str
    observed: float
    expected: float
    units: int
    raters: int
    values: int
    coincidence: pd.DataFrame
    note: str

    title = "Krippendorff's alpha"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the coincidences: off the diagonal lie the disagreements.

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
        side = 0.5 * len(self.coincidence) + 1.6
        ax = ax if ax is not None else plt.subplots(figsize=(side + 0.6, side), layout="constrained")[1]
        words = self.coincidence.map(lambda value: f"{value:.3g}" if value else "")
        blue = sns.light_palette("#20639b", as_cmap=True)
        sns.heatmap(self.coincidence, annot=words, fmt="", cmap=blue, cbar=False, square=True, linewidths=0.5, ax=ax)
        ax.set(xlabel="value", ylabel="met in the same unit by", title=f"alpha ({self.metric}) = {self.alpha:.3f}")
        ax.tick_params(axis="y", rotation=0)
        return style.behind(ax, self.coincidence.rename_axis(index="value", columns=None))


def krippendorff_alpha(
    ratings: pd.DataFrame,
    *,
    metric: str = "nominal",
    order: Sequence[object] | None = None,
    draws: int = 1000,
    seed: int = 2026,
    level: float = 0.95,
) -> Krippendorff:
    """Measure how far raters agree, on any level of measurement and with values missing.

    Parameters
    ----------
    ratings : DataFrame, shape (units, raters)
        What each rater said of each unit; missing, or blank text, where a rater did not
        rate. A unit with fewer than two values says nothing of agreement and is left out.
    metric : {"nominal", "ordinal", "interval", "ratio"}
        What a difference of two values means.
    order : sequence, optional
        All values from the lowest to the highest, for ordinal values that are words.
    draws : int
        Bootstrap samples, of units.
    seed : int
        Of the bootstrap.
    level : float
        Of the interval.

    Returns
    -------
    Krippendorff
        Alpha with its interval, observed and expected disagreement, and the coincidences.

    See Also
    --------
    fleiss_kappa : Nominal values, none missing.
    sorting : Item by item.
    relevance : Ratings item by item.
    cocreation.steps.conceptualize.agreement : Two coders.

    Notes
    -----
    alpha = 1 − observed / expected disagreement, from the coincidence matrix
    (Krippendorff, 2019, Content Analysis, 4th ed., ch. 12). The interval takes units
    with replacement and the percentiles of alpha; a sample in which all values are
    equal has no alpha and is drawn again. Hayes and Krippendorff's macro draws pairs of
    values instead and keeps the expected disagreement as it is, so its interval differs.

    In R, ``irr::kripp.alpha(t(ratings), method = metric)`` gives alpha, of values written as numbers; it has no
    interval.

    Raises
    ------
    InputError
        For no unit with two values, one value only, values that look alike, values that
        the metric does not take (words without ``order``; negative numbers for "ratio").

    Examples
    --------
    >>> import pandas as pd
    >>> ratings = pd.DataFrame({"r1": [1, 2, 3, 3, 2], "r2": [1, 2, 3, 4, 2], "r3": [None, 3, 3, 3, 2]})
    >>> round(krippendorff_alpha(ratings).alpha, 3), round(krippendorff_alpha(ratings, metric="interval").alpha, 3)
    (0.6, 0.803)
    """
    codes, values = _coded(ratings, metric, order)
    enough(draws, level)
    counts = np.zeros((len(codes), len(values)))
    for column in codes.T:
        rated = column >= 0
        np.add.at(counts, (np.flatnonzero(rated), column[rated]), 1)
    kept = counts.sum(axis=1) >= 2
    counts = counts[kept]
    if len(counts) < 2:
        raise InputError(
            f"Alpha needs at least two units (rows) that two raters (columns) rated, got {len(counts)}. Add what is "
            "missing."
        )
    if (counts.sum(axis=0) > 0).sum() < 2:
        raise InputError(
            "All raters gave every unit one and the same value, so chance agreement is complete and alpha undefined. "
            "Add units that differ."
        )
    points = np.array(values, dtype=float) if metric in ("interval", "ratio") else np.arange(len(values), dtype=float)
    observed, expected = _disagreement(counts, np.ones(len(counts)), metric, points)
    rng, drawn = generator(seed), []
    while len(drawn) < draws:
        weight = np.bincount(rng.integers(0, len(counts), len(counts)), minlength=len(counts))
        found, by_chance = _disagreement(counts, weight, metric, points)
        if by_chance > 0:
            drawn.append(1 - found / by_chance)
    lower, upper = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    share = 1 / (counts.sum(axis=1) - 1)
    meetings = (counts.T * share) @ counts - np.diag(share @ counts)
    note = (
        f"{len(counts)} units with at least two values ({int((~kept).sum())} others left out), {codes.shape[1]} "
        f"raters, {int(counts.sum())} values, metric {metric}. Interval {100 * level:g} %: percentiles of {draws} "
        f"bootstrap samples of units (seed {plain(seed)})."
    )
    return Krippendorff(
        float(1 - observed / expected),
        float(lower),
        float(upper),
        metric,
        float(observed),
        float(expected),
        len(counts),
        codes.shape[1],
        int(counts.sum()),
        pd.DataFrame(meetings, index=values, columns=values),
        note,
    )


def _disagreement(counts: np.ndarray, weight: np.ndarray, metric: str, points: np.ndarray) -> tuple[float, float]:
    """Return the mean squared difference within units, each taken ``weight`` times, and between any two values."""
    total = weight @ counts
    n = total.sum()
    if metric == "ordinal":  # two values are as far apart as their mean ranks
        points = np.cumsum(total) - total / 2
    apart = np.subtract.outer(points, points)
    if metric == "nominal":
        apart = (apart != 0).astype(float)
    elif metric == "ratio":
        apart = apart / np.where(apart == 0, 1.0, np.add.outer(points, points))
    square = apart**2
    within = (counts @ square * counts).sum(axis=1) / (counts.sum(axis=1) - 1)
    return weight @ within / n, total @ square @ total / (n * (n - 1))


def _coded(ratings: pd.DataFrame, metric: str, order: Sequence[object] | None) -> tuple[np.ndarray, list]:
    """Return each rating's place in the list of values (−1 where there is none), and that list."""
    plain_table(ratings, what="ratings", row="a unit")
    if metric not in _METRICS:
        raise InputError(f"metric is one of {', '.join(_METRICS)}, not {plain(metric)}. Choose one of them.")
    if min(ratings.shape) < 2:
        raise InputError(
            f"Alpha needs at least two units (rows) and two raters (columns), got {len(ratings)} and "
            f"{ratings.shape[1]}. Add what is missing."
        )
    flat = pd.Series(ratings.astype(object).to_numpy().ravel())
    if not flat.map(pd.api.types.is_hashable).all():
        raise InputError("A rating is one word or number, not a list. Give one rating a cell.")
    flat = without_blanks(flat)
    if order is not None:
        if metric not in ("nominal", "ordinal"):
            raise InputError(
                f"order goes with nominal or ordinal values; a metric of {plain(metric)} has its own. Drop it."
            )
        values = names_of(order, what="value")
        refuse_alike([*values, *flat.unique()], "ratings", "ratings = merge_alike(ratings, like=order)")
        unknown = flat[~flat.isin(values) & flat.notna()]
        if len(unknown):
            raise InputError(
                f"The value {plain(unknown.iloc[0])} is not in the order given. Add it or correct the rating."
            )
    else:
        numbers = pd.to_numeric(flat, errors="coerce").astype(float)
        words = flat[(numbers.isna() & flat.notna()) | np.isinf(numbers)]
        if len(words) and metric != "nominal":
            row, column = divmod(words.index[0], ratings.shape[1])
            raise InputError(
                f"Rater '{ratings.columns[column]}' gave '{ratings.index[row]}' the value {plain(words.iloc[0])}, "
                "which is no number. Correct it"
                + (", or give all values from the lowest on: order=[…]." if metric == "ordinal" else ".")
            )
        if metric != "nominal" and (numbers.abs() > 1e100).any():
            raise InputError("The ratings hold a value above 1e100, whose square is infinite. Correct it.")
        flat = labels_in(flat, "ratings", "ratings") if len(words) else numbers
        values = sorted(flat.dropna().unique(), key=str if len(words) else float)
        values = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
        if metric == "ratio" and values and values[0] < 0:
            raise InputError(f"A ratio has a zero and nothing below; {values[0]:g} is. Choose metric='interval'.")
    warn_of_codes(flat, "ratings", "say so first: ratings = ratings.replace({odd}, None)")
    place = {value: i for i, value in enumerate(values)}
    codes = [-1 if pd.isna(value) else place[value] for value in flat]
    return np.array(codes).reshape(ratings.shape), values
