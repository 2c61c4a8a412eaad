"""A maker of flawed scales: the items of one dimension, some of them spoilt in known ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...errors import CourseError
from ...survey import population, sample

__all__ = ["Flawed", "flawed_scale"]

#: flaws that the population itself gives an item; personal data start from items without them
_SPOILT = {"weak", "noise", "reverse_keyed", "ceiling"}
#: items a personal scale needs: a reverse-keyed one, a weak one, one on the edge, and one more
_FEWEST = 4


@dataclass(frozen=True)
class Flawed:
    """A personal scale and what was done to it.

    Attributes
    ----------
    data : DataFrame of float, shape (respondents, items)
        Answers on the population's scale, missing where skipped.
    reverse_keyed : str
        The item whose answers were turned round.
    weak : tuple of str
        Items that many respondents answered without reading.
    rescued : str
        The item below CITC .50 only as long as the weak ones are in the scale.
    """

    data: pd.DataFrame
    reverse_keyed: str
    weak: tuple[str, ...]
    rescued: str


def flawed_scale(seed: int) -> Flawed:
    """Return the scale of one dimension with a reverse-keyed item, one or two weak ones, and one on the edge.

    Once the reverse-keyed item is recoded, the weak items have a CITC of at most .42, the one on
    the edge of .44 to .492, and all others of at least .55. Without the weak
    items the one on the edge comes to .508 or more, so the order of decisions
    matters.

    Raises
    ------
    CourseError
        If no dimension has four usable items, or the population allows no such
        scale within two hundred draws.
    """
    source = np.random.default_rng(seed)
    table = population.load().items
    sound = table[~table["flaw"].isin(_SPOILT)]
    scales = [items.tolist() for _, items in sound.groupby("dimension", sort=False)["item"] if len(items) >= _FEWEST]
    if not scales:
        raise CourseError(
            f"No personal data can be drawn: no dimension of the population has {_FEWEST} items that are not weak, "
            "noise, reverse-keyed or at the ceiling. Write more items in population.toml."
        )
    items = scales[int(source.random() * len(scales))]
    for _ in range(200):
        found = _attempt(items, source)
        if found:
            return found
    raise CourseError(
        "No personal data could be drawn: the population's items are too weak. Restore datasets/population.toml "
        "or run 'cocreation data --calibrate'."
    )


def _attempt(items: list[str], source: np.random.Generator) -> Flawed | None:
    n = 170 + int(source.random() * 60)
    drawn = sample.draw(n, seed=int(source.random() * 2**53), items=items).to_numpy(dtype=float, copy=True)
    drawn[source.random(drawn.shape) < 0.02] = np.nan
    reverse, edge, *others = _shuffled(len(items), source)
    weak = others[: 2 if len(items) > 6 and source.random() < 0.5 else 1]
    sound = [reverse, *others[len(weak) :]]
    for item in weak:
        _answer_blindly(drawn, item, _shuffled(n, source)[: int(n * (0.70 + 0.15 * source.random()))])
    if not _bring_to_edge(drawn, edge, weak, _shuffled(n, source)):
        return None
    citc = _citc(drawn)
    if citc[weak].max() > 0.42 or citc[sound].min() < 0.55:
        return None
    drawn[:, reverse] = population.load().turned(drawn[:, reverse])
    if _citc(drawn)[reverse] > -0.3:
        return None
    names = tuple(sorted(items[k] for k in weak))
    respondents = pd.RangeIndex(1, n + 1, name="respondent")
    return Flawed(pd.DataFrame(drawn, index=respondents, columns=items), items[reverse], names, items[edge])


def _shuffled(n: int, source: np.random.Generator) -> np.ndarray:
    """Return 0 … n − 1 in random order, from uniform values, whose stream NumPy promises to keep."""
    return np.argsort(source.random(n), kind="stable")


def _answer_blindly(drawn: np.ndarray, item: int, who: np.ndarray) -> None:
    """Let each of these respondents give the next one's answer: the distribution stays, the meaning goes."""
    drawn[who, item] = drawn[np.roll(who, 1), item]


def _bring_to_edge(drawn: np.ndarray, item: int, weak: Sequence[int], order: np.ndarray) -> bool:
    """Let ever more respondents answer the item blindly until it is on the edge; tell whether that was possible."""
    original = drawn[:, item].copy()
    others = [k for k in range(drawn.shape[1]) if k != item]
    without = [k for k in others if k not in weak]
    for share in np.arange(0.20, 0.75, 0.01):
        drawn[:, item] = original
        _answer_blindly(drawn, item, order[: int(len(drawn) * share)])
        rows = ~np.isnan(drawn).any(axis=1)
        complete = drawn[rows]
        before = _correlation(complete[:, item], complete[:, others].sum(axis=1))
        if before <= 0.492:
            return before >= 0.44 and _correlation(complete[:, item], complete[:, without].sum(axis=1)) >= 0.508
    return False


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(x, y)[0, 1])


def _citc(drawn: np.ndarray) -> np.ndarray:
    complete = drawn[~np.isnan(drawn).any(axis=1)]
    total = complete.sum(axis=1)
    return np.array([_correlation(column, total - column) for column in complete.T])
