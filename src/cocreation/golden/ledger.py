"""The books of a comparison: every figure of a golden set is compared, or stands here with the reason why not.

A room behind :mod:`cocreation.golden.agree`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["COMPARED", "TOLERANCES", "Figure", "Ledger", "Omission", "Tolerance", "as_list", "leaves"]

Path = tuple[str | int, ...]

#: keys whose values are names, by which figures are found, or words about figures
LABELS = {"item", "items", "lhs", "op", "rhs", "group", "rows", "cols", "label", "what", "note", "objective_note", "m"}
#: comparisons of golden.json: the two models, as the blocks that hold them
COMPARED = {
    "single_vs_correlated": ("cfa_single", "cfa"),
    "correlated_vs_ulmc_equal": ("cfa", "ulmc_equal"),
    "correlated_vs_ulmc_free": ("cfa", "ulmc_free"),
}
NAMES = "names and remarks, by which figures are found"


@dataclass(frozen=True)
class Tolerance:
    """How far two figures may be apart, and in what terms.

    ``kind`` is "relative" (to R's figure), "absolute", "scaled" (relative to R's figure where that
    exceeds 1, else absolute), "sized" (relative to ``size``, which ``words`` say), "exact", or "at most" (ours may be
    smaller by any amount). ``words`` also say it where the limit itself depends on R's figures. A difference is
    measured in the same terms, so that one that agrees never is larger than the limit.
    """

    limit: float
    kind: str
    unit: str = ""
    words: str = ""
    size: float = 1.0

    def difference(self, ours: object, theirs: object) -> float:
        """Return how far apart two figures are; infinity where ours is no number."""
        if self.kind == "exact":
            return 0.0 if ours == theirs and not _absent(ours) else math.inf
        if _absent(ours) or isinstance(ours, str) or isinstance(theirs, str):
            return math.inf
        apart = float(ours) - float(theirs)
        if self.kind == "at most":
            return max(apart, 0.0)
        # figures that are zero but for round-off have no relative difference worth a name
        size = {"relative": max(abs(float(theirs)), 1e-3), "scaled": max(1.0, abs(float(theirs)))}.get(
            self.kind, self.size
        )
        return abs(apart) / size if math.isfinite(apart) else math.inf

    def __str__(self) -> str:
        if self.words or self.kind == "exact":
            return self.words or "exact"
        limit = f"{100 * self.limit:.2g} %" if self.limit > 0.1 and self.kind == "relative" else f"{self.limit:.2g}"
        said = {"relative": "relative", "absolute": "", "scaled": "of max(1, value)", "at most": "above R's at most"}
        return " ".join(part for part in (limit, self.unit or said[self.kind]) if part)


#: what is asked of each kind of figure. lavaan stops about 1e-6 from the optimum: no CFA can agree better than that.
TOLERANCES = {
    "exact": Tolerance(0.0, "exact"),
    "closed form": Tolerance(1e-9, "relative"),
    "rotated": Tolerance(1e-6, "absolute"),
    "rotated sums": Tolerance(1e-6, "scaled"),
    # omega rests on psych's minres, which stops early
    "omega": Tolerance(5e-5, "absolute"),
    "chi-square": Tolerance(1e-6, "relative"),
    "fit": Tolerance(1e-5, "absolute"),
    "fit in units": Tolerance(1e-5, "scaled"),
    "standardized": Tolerance(5e-5, "absolute"),
    "standardized, bifactor": Tolerance(1e-4, "absolute"),
    "standardized error": Tolerance(5e-5, "scaled"),
    "estimate": Tolerance(1e-4, "scaled"),
    "estimate, bifactor": Tolerance(5e-4, "scaled"),
    # chi-squares 1e-6 apart leave a thousandth of an error to an estimate, so to z, and so much to p
    "z": Tolerance(1e-3, "scaled"),
    "p of estimate": Tolerance(8e-4, "absolute"),
    "modification": Tolerance(1e-4, "relative"),
    "scaled chi-square": Tolerance(1e-5, "relative"),
    "polychoric": Tolerance(1e-6, "absolute"),
    "random mean": Tolerance(4.0, "absolute", "Monte Carlo errors"),
    "random percentile": Tolerance(0.02, "absolute"),
    "bootstrap error": Tolerance(0.12, "relative"),
    "bootstrap limit": Tolerance(0.03, "absolute"),
    "method factor": Tolerance(0.01, "at most"),
}


@dataclass(frozen=True)
class Figure:
    """One figure compared: where it stands, both values, how far apart they are.

    ``short`` says that it follows from a search of R's that stopped short of the optimum.
    """

    section: str
    metric: str
    key: str
    ours: object
    theirs: object
    difference: float
    tolerance: Tolerance
    short: bool = False

    @property
    def misses(self) -> bool:
        """Whether it is outside its tolerance, as what is no number always is, and R is not known to be the reason."""
        return not self.short and not self.difference <= self.tolerance.limit


@dataclass(frozen=True)
class Omission:
    """What was not compared, and why."""

    section: str
    key: str
    reason: str


def as_list(value: object) -> list:
    """Return a vector of a golden file as a list; R writes one of length 1 as a plain value, an empty one as null."""
    return value if isinstance(value, list) else [] if value is None else [value]


def leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Yield every single value of a golden file with the way to it."""
    if isinstance(value, Mapping | list):
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, inner in pairs:
            yield from leaves(inner, (*path, key))
        if not value and path:
            yield path, None
    else:
        yield path, value


def _absent(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float | np.floating) and not math.isfinite(value))


class Ledger:
    """All values of one golden file, and what became of each."""

    def __init__(self, golden: Mapping[str, object]) -> None:
        self.open: dict[Path, object] = dict(leaves(golden))
        self.figures: list[Figure] = []
        self.omissions: list[Omission] = []
        self.failed: set[str | int] = set()

    def compare(self, path: Path, ours: object, metric: str, tolerance: str | Tolerance) -> None:
        """Set our figure beside R's; without one there, or taken already, do nothing."""
        if path not in self.open:
            return
        theirs = self.open[path]
        if theirs is None:
            self.omit(path, "R gives no figure (null)")
            return
        del self.open[path]
        allowed = TOLERANCES[tolerance] if isinstance(tolerance, str) else tolerance
        ours = ours.item() if isinstance(ours, np.generic) else ours
        difference = allowed.difference(ours, theirs)
        self.figures.append(Figure(*_place(path, metric), ours, theirs, difference, allowed))

    def vector(self, path: Path, ours: Sequence[object], metric: str, tolerance: str | Tolerance) -> None:
        """Compare a list of figures, place by place; one that R has and we have not is a miss."""
        if path in self.open:  # of length 1, or null
            self.compare(path, ours[0] if len(ours) else None, metric, tolerance)
        for place in self._below(path):
            number = place[len(path)]
            self.compare(place, ours[number] if number < len(ours) else None, metric, tolerance)

    def named(self, path: Path, ours: Mapping[str, object], metric: str, tolerance: str | Tolerance) -> None:
        """Compare figures by their names; those that ``ours`` does not name are left open."""
        for name, value in ours.items():
            self.compare((*path, name), value, metric, tolerance)

    def omit(self, path: Path, reason: str) -> None:
        """Leave out everything at and below a place."""
        for place in [place for place in self.open if place[: len(path)] == path]:
            del self.open[place]
            self.omissions.append(Omission(str(place[0]), _key(place), reason))

    def miss(self, path: Path, what: str) -> None:
        """Book a section that could not be computed as a miss; ``what`` is the error's sentence."""
        where = _place(path, "could not be computed")
        self.figures.append(Figure(*where, what, None, math.inf, TOLERANCES["exact"]))
        self.failed.add(path[0])

    def close(self) -> None:
        """Book what is left: labels as such, null as such, all else as unknown to this version."""
        for place, value in list(self.open.items()):
            last = next(part for part in reversed(place) if isinstance(part, str))
            if place[0] == "meta":
                reason = "about the file"
            elif last in LABELS:
                reason = NAMES
            elif value is None:
                reason = "R gives no figure (null)"
            elif place[0] in self.failed:
                reason = "could not be computed, see the miss"
            else:
                reason = "unknown to this version of cocreation"
            self.omit(place, reason)

    def _below(self, path: Path) -> list[Path]:
        return [place for place in self.open if place[: len(path)] == path and len(place) == len(path) + 1]


def _place(path: Path, metric: str) -> tuple[str, str, str]:
    return str(path[0]), metric, _key(path)


def _key(path: Path) -> str:
    return "/".join(map(str, path))
