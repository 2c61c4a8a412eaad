"""Intervals of figures, and what the relations make of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from .relations import DOMAINS, RELATIONS, WHOLE, Relation

__all__ = ["NAMES", "Boxes", "boxes", "propagate", "select"]

#: what each regime allows; under a robust estimator chi-square is on another scale than the indices
_REGIMES: dict[bool, dict[str, tuple[float, float]]] = {
    True: {"tli": (-np.inf, 1), "ifi": (-np.inf, 1), "mfi": (0, 1), "chi2_df": (1, 1e4)},
    False: {"tli": (1, np.inf), "ifi": (1, np.inf), "mfi": (1, np.inf), "chi2_df": (0, 1), "cfi": (1, 1),
            "rmsea": (0, 0), "rmsea_lower": (0, 0)},
}  # fmt: skip


class Boxes(NamedTuple):
    """Intervals of all figures for many cases at once: arrays of shape (figures, cases)."""

    low: np.ndarray
    high: np.ndarray
    misfit: np.ndarray

    def take(self, cases: np.ndarray) -> Boxes:
        """Return some of the cases, or the same ones several times."""
        return Boxes(self.low[:, cases], self.high[:, cases], self.misfit[cases])

    @property
    def alive(self) -> np.ndarray:
        """Say of each case whether its figures can still be true together."""
        return (self.low <= self.high).all(axis=0)


NAMES = tuple(DOMAINS)
_AT = {name: place for place, name in enumerate(NAMES)}
_WHOLE_ROWS = np.array([name in WHOLE for name in NAMES])


#: figures that stand in one identity only and are told where printed, not sought
_ENDS = frozenset({"parameters", "gfi", "agfi", "pnfi", "pcfi", "mfi", "aic", "ecvi", "pclose", "rmsea_lower",
                   "rmsea_upper", "alpha_bound"})  # fmt: skip


def select(known: Iterable[str], *, robust: bool, amos: bool) -> tuple[Relation, ...]:
    """Return the relations that hold for an estimator and a program and can tell something of the known figures."""
    allowed = {"any"} | (set() if robust else {"ml"}) | ({"amos"} if amos and not robust else set())
    asleep = _ENDS - set(known)
    if "gfi" in known:
        asleep -= {"agfi"}
    if not {"parameters", "aic", "ecvi", "gfi", "agfi"} & set(known):
        asleep = asleep | {"moments"}
    if "aic" in known or "ecvi" in known:
        asleep -= {"aic", "parameters"}

    def figures(relation: Relation) -> set[str]:
        return {*relation.forms, *(term[1:] for spec, _ in relation.forms.values() for term in spec.split())}

    return tuple(r for r in RELATIONS if r.needs in allowed and not figures(r) & asleep)


def boxes(cases: Iterable[Mapping[str, tuple[float, float]]], *, robust: bool = False) -> Boxes:
    """Return the boxes of cases given as the intervals of their known figures: each case in both regimes, misfit first.

    Case i stands in columns 2i and 2i + 1.
    """
    cases = list(cases)
    ends = np.array([DOMAINS[name] for name in NAMES], float)
    low, high = (np.repeat(ends[:, [end]], 2 * len(cases), 1) for end in (0, 1))
    misfit = np.arange(2 * len(cases)) % 2 == 0
    for regime, domain in _REGIMES.items():
        for name, (least, most) in domain.items():
            if robust and name not in ("cfi", "tli"):  # naive, scaled and robust figures stand side by side
                continue
            row, columns = _AT[name], misfit == regime
            low[row, columns] = np.maximum(low[row, columns], least)
            high[row, columns] = np.minimum(high[row, columns], most)
    for place, case in enumerate(cases):
        for name, (least, most) in case.items():
            row, columns = _AT[name], slice(2 * place, 2 * place + 2)
            low[row, columns] = np.maximum(low[row, columns], least)
            high[row, columns] = np.minimum(high[row, columns], most)
    return Boxes(low, high, misfit)


def propagate(
    start: Boxes, relations: Iterable[Relation], *, whole: bool = True, rounds: int = 40
) -> tuple[Boxes, np.ndarray]:
    """Narrow all intervals by all relations until nothing moves.

    Parameters
    ----------
    start : Boxes
    relations : iterable of Relation
    whole : bool
        Whether counts are narrowed to whole numbers.
    rounds : int
        Passes at most; to stop early leaves intervals too wide, never too narrow.

    Returns
    -------
    Boxes
        Cases that cannot be are left with an empty interval.
    by : array of int, shape (figures, cases)
        The last relation that narrowed each figure, −1 where none did.
    """
    low, high = start.low.copy(), start.high.copy()
    relations = tuple(relations)
    by = np.full(low.shape, -1)
    forms = [(number, _AT[out], *_corners(spec), f if isinstance(f, tuple) else (f, f), relation.when)
             for number, relation in enumerate(relations) for out, (spec, f) in relation.forms.items()]  # fmt: skip
    if whole:
        _to_whole(low, high)
    moved = [True] * len(NAMES)
    alive = (low <= high).all(axis=0)
    with np.errstate(all="ignore"):
        for _ in range(rounds):
            now, moved = moved, [False] * len(NAMES)
            standing = {"always": np.flatnonzero(alive), "misfit": np.flatnonzero(alive & start.misfit),
                        "overfit": np.flatnonzero(alive & ~start.misfit)}  # fmt: skip
            for number, out, args, up, function, when in forms:
                cases = standing[when]
                if not len(cases) or not any(now[a] or moved[a] for a in args):
                    continue
                if relations[number].slow:  # an inverse noncentral chi-square of a wide interval tells next to nothing
                    wide = high[args][:, cases] - low[args][:, cases] > 0.3 * np.abs(high[args][:, cases])
                    cases = cases[~(wide | (high[args][:, cases] > 1e5)).any(axis=0)]
                    if not len(cases):
                        continue
                ends = [(low[a, cases], high[a, cases]) for a in args]
                least = function[0](*[lo if u else hi for (lo, hi), u in zip(ends, up, strict=True)])
                most = function[1](*[hi if u else lo for (lo, hi), u in zip(ends, up, strict=True)])
                if _narrow(low, high, out, cases, least, most, by, number):
                    moved[out] = True
                    if whole and _WHOLE_ROWS[out]:
                        _to_whole(low, high)
            alive = (low <= high).all(axis=0)
            if not any(moved) or not alive.any():
                break
    return Boxes(low, high, start.misfit), by


def _corners(spec: str) -> tuple[list[int], list[bool]]:
    terms = spec.split()
    return [_AT[term[1:]] for term in terms], [term[0] == "+" for term in terms]


def _to_whole(low: np.ndarray, high: np.ndarray) -> None:
    low[_WHOLE_ROWS] = np.ceil(low[_WHOLE_ROWS] - 1e-6)
    high[_WHOLE_ROWS] = np.floor(high[_WHOLE_ROWS] + 1e-6)


def _narrow(low, high, out, cases, least, most, by, number) -> bool:
    """Intersect one figure's interval with what follows, a hair outwards; say whether it moved by more than a trifle.

    nan stands for "no information" and loses every comparison.
    """
    had_low, had_high = low[out, cases], high[out, cases]
    least = least - 1e-9 * np.abs(least)
    most = most + 1e-9 * np.abs(most)
    rises = least > had_low + (1e-6 * np.abs(least) + 1e-12)
    falls = most < had_high - (1e-6 * np.abs(most) + 1e-12)
    if rises.any():
        low[out, cases[rises]] = least[rises]
        by[out, cases[rises]] = number
    elif not falls.any():
        return False
    if falls.any():
        high[out, cases[falls]] = most[falls]
        by[out, cases[falls]] = number
    return True
