"""Resamples of respondents, and what figures are over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from ..inputs.options import confidence, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "enough", "resamples", "summary"]

#: draws that are computed together; Ctrl-C is heard between them
PIECE = 100
#: fewer say nothing of a standard error
LEAST = 50


def enough(draws: int, level: float) -> int:
    """Return how many draws the level needs, if there are as many.

    Parameters
    ----------
    draws : int
        Those asked for.
    level : float
        Confidence of the intervals.

    Returns
    -------
    int
        The fewest draws that will do.
    """
    least = max(LEAST, int(np.ceil(2 / (1 - confidence(level)) - 1e-9)))
    remedy = f"The ends of an interval need draws beyond them. Use draws={max(1000, least)}."
    whole(draws, "draws", least=least, remedy=remedy)
    return least


def resamples(rng: np.random.Generator, n: int, draws: int) -> Iterator[np.ndarray]:
    """Yield the respondents of each resample, a piece at a time; many draws begin with those of fewer.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where they are drawn from.
    n : int
        Respondents.
    draws : int
        Resamples.

    Yields
    ------
    integer array, shape (up to PIECE draws, n)
        Row numbers of respondents.
    """
    for first in range(0, draws, PIECE):
        yield rng.integers(0, n, size=(min(PIECE, draws - first), n))


def summary(
    estimate: np.ndarray, replicates: np.ndarray, level: float, jackknife: np.ndarray | None = None
) -> pd.DataFrame:
    """Return estimate, se, lower, upper, a row a figure; BCa intervals where a jackknife is given.

    Parameters
    ----------
    estimate : array, shape (figures,)
        Of all respondents.
    replicates : array, shape (draws, figures)
        Of the resamples.
    level : float
        Confidence of the intervals.
    jackknife : array, shape (n, figures), optional
        With one respondent left out at a time.

    Returns
    -------
    DataFrame
        In the order of ``estimate``.
    """
    tails = np.tile([[(1 - level) / 2], [(1 + level) / 2]], len(estimate))
    if jackknife is not None:
        away = np.nanmean(jackknife, axis=0) - jackknife
        spread = np.nansum(away**2, axis=0) ** 1.5
        acceleration = np.divide(np.nansum(away**3, axis=0), 6 * spread, out=np.zeros_like(spread), where=spread > 0)
        below = (replicates < estimate).mean(axis=0) + (replicates == estimate).mean(axis=0) / 2
        bias = ndtri(np.clip(below, 0.5 / len(replicates), 1 - 0.5 / len(replicates)))
        shift = bias + ndtri(tails)
        tails = ndtr(bias + shift / (1 - acceleration * shift))
    ends = [
        [np.quantile(column, tail, method="weibull") for column, tail in zip(replicates.T, side, strict=True)]
        for side in tails
    ]
    return pd.DataFrame(
        {"estimate": estimate, "se": replicates.std(axis=0, ddof=1), "lower": ends[0], "upper": ends[1]}
    )


def draw(ax: Axes | None, labels: pd.Series, estimate: pd.Series, lower: pd.Series, upper: pd.Series) -> Axes:
    """Draw estimates with their intervals, the first on top.

    Parameters
    ----------
    ax : Axes or None
        Where to draw; a figure of its own for None.
    labels : Series of str
        Of the rows.
    estimate, lower, upper : Series of float
        The points, and the ends of their intervals.

    Returns
    -------
    Axes
    """
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=(7, max(2.2, 0.26 * len(labels) + 1.1)), layout="constrained")
    place = np.arange(len(labels))[::-1]
    ax.hlines(place, lower, upper, color="tab:blue", linewidth=2)
    ax.plot(estimate, place, "o", color="tab:blue")
    ax.set_yticks(place, labels, fontsize=9)
    ax.set_ylim(-0.7, len(labels) - 0.3)
    ax.grid(visible=False, axis="y")
    return ax
