"""Differences of latent means between groups."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ...cfa.levels import climb
from ...results.result import Result
from .group_model import GroupModel
from .invariance import ladder_of, models_of, warnings_over

__all__ = ["LatentMeans", "latent_means"]

_TESTED = ["estimate", "se", "z", "p", "lower", "upper"]
_DOUBT = {
    "fails": "Not tenable: the differences may lie in the items, not in the factors",
    "doubtful": "In doubt, and with it that the differences lie in the factors",
}


@dataclass(frozen=True, repr=False)
class LatentMeans(Result):
    """How the groups differ in the factors themselves.

    Attributes
    ----------
    table : DataFrame
        Columns factor, group, estimate, se, z, p, lower, upper, d: the factor's mean in the group less that
        in the first group, in the units of the factor's first item; ``d`` divides it by the standard
        deviation within groups.
    reference : str
        The first group, whose means are zero.
    warnings : DataFrame
        Columns subject, warning: where equal intercepts are not tenable.
    model : GroupModel
        The fit the means come from.
    n : int
    note : str
    """

    title = "Differences of latent means"

    table: pd.DataFrame
    reference: str
    warnings: pd.DataFrame
    model: GroupModel = field(repr=False)
    n: int
    note: str


def latent_means(
    data: pd.DataFrame,
    model: str | Mapping[str, Sequence[str]],
    group: Hashable,
    *,
    free: Iterable[str] = (),
    missing: str = "listwise",
    estimator: str = "ML",
) -> LatentMeans:
    """Compare the means of the factors between groups, with loadings and intercepts held equal.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers and the column of groups.
    model : str or mapping
        As of :func:`invariance`.
    group : column name
        The first group is the reference: in order of appearance among all rows, whoever is left out, or the first
        category of an ordered Categorical.
    free : iterable of str
        Loadings and intercepts that stay free in every group.
    missing : {"listwise", "fiml"}
        As of :func:`invariance`.
    estimator : {"ML", "MLM", "MLR"}
        As of :func:`invariance`.

    Returns
    -------
    LatentMeans
        A row a factor and group with the difference of means, its standard error, test, interval and d.

    Raises
    ------
    InputError
        As :func:`invariance`.
    EstimationError
        As :func:`invariance`.

    See Also
    --------
    invariance : Whether the means can be compared.
    validity : Convergent and discriminant validity.
    retest : The same people's means on two occasions.
    nomological : Paths among factors.

    Notes
    -----
    Without equal intercepts a difference of means may lie in the items alone; where configural, metric or
    scalar invariance is not tenable, a warning says so. ``d`` divides by the square root of the factor's
    variance, averaged over all groups by their sizes (Hancock 2001); lavaan's standardized mean, in the
    parameters of ``model``, by that of the group itself.

    In R, the rows ``~1`` of the factors that
    ``lavaan::cfa(model, data, group = "g", group.equal = c("loadings", "intercepts"))`` estimates; no R call gives
    ``d``.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(400, seed=1), population.load().scales(kept_only=True)
    >>> answers["wave"] = ["first", "second"] * 200
    >>> found = latent_means(answers, {code: scales[code] for code in ("DO", "CE")}, "wave")
    >>> print(found.table[["factor", "group", "estimate", "p", "d"]].round(3).to_string(index=False))
    factor  group  estimate     p      d
        DO second    -0.006 0.967 -0.004
        CE second    -0.101 0.477 -0.073
    """
    climbed = climb(data, model, group, ["configural", "metric", "scalar"], free, missing, estimator)
    models, ladder = models_of(climbed), ladder_of(climbed)
    found, sizes = models["scalar"], climbed.grouped.sizes["n"].to_numpy()
    latent, p = climbed.specification.latent, len(climbed.specification.observed)
    fitted = climbed.steps["scalar"].fitted
    variances = np.array([np.diag(fitted.total(g))[p:] for g in range(len(sizes))])
    spread = dict(zip(latent, np.sqrt(np.average(variances, axis=0, weights=sizes)), strict=True))
    rows = found.parameters
    rows = rows[(rows["op"] == "~1") & rows["left"].isin(latent) & rows["se"].notna()]
    table = rows.rename(columns={"left": "factor"})[["factor", "group", *_TESTED]].reset_index(drop=True)
    table["d"] = table["estimate"] / table["factor"].map(spread)
    doubts = ladder[ladder["verdict"] != "holds"]
    told = [(row.level, f"{_DOUBT[row.verdict]} ({row.remark}).") for row in doubts.itertuples()]
    doubted, more = pd.DataFrame(told, columns=["subject", "warning"]), warnings_over(climbed, models)
    warnings = pd.concat([doubted, more], ignore_index=True)
    reference = climbed.names[0]
    note = f"Means of '{reference}' are zero; d divides by the factor's standard deviation within groups. {found.note}"
    return LatentMeans(table, reference, warnings, found, int(sizes.sum()), note)
