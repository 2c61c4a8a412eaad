"""Which printed figures of fit can be true together, what follows from which, and what reconciles the rest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .figures import PROGRAMS, Printed, Report, number
from .propagation import NAMES, boxes, propagate, select
from .relations import DOMAINS, Relation, extra_parameters, structures
from .vocabulary import FIGURES

__all__ = ["Derivation", "Fit", "Reading"]

Span = tuple[float, float]
_AT = {name: place for place, name in enumerate(NAMES)}
_INTERVAL = {"rmsea_lower", "rmsea_upper", "pclose"}
#: indices whose labels are easily exchanged
_LOOKALIKES = ("cfi", "tli", "nfi", "rfi", "ifi", "gfi", "agfi")
#: in which order readings with equally many figures are told: the sample, the model, indices, the test itself
_ORDER = ("n", "c", "free", "items", "rmsea_lower", "rmsea_upper", "pclose", "rmsea")
_MODEL, _PROGRAM, _ALPHAS = "free", "c", "alpha_bound"
_INNER = (_PROGRAM, "m", "moments", "means", "baseline_ratio", "factors", _ALPHAS, "spare", "items", _MODEL)


@dataclass(frozen=True)
class Derivation:
    """A figure that follows from others: the value at the printed figures, and the ends their rounding leaves."""

    figure: str
    value: float
    low: float
    high: float
    support: tuple[str, ...]
    uses_model: bool
    relation: Relation


@dataclass(frozen=True)
class Reading:
    """Figures given up, so that the rest can hold; what all figures can be then, and what explains it."""

    given_up: tuple[str, ...]
    spans: dict[str, Span]
    remarks: tuple[tuple[str, str], ...]
    change: float


class Fit:
    """The figures of one fitted model.

    Attributes
    ----------
    spans : dict
        The interval of each printed figure, with those the structure ("free") and the program ("c") stand for.
    possible : bool
        Whether all can be true together.
    hull : dict
        What each figure can be where all hold; empty where they cannot.
    """

    def __init__(self, report: Report, alpha_bound: float = 0.0) -> None:
        self.report = report
        self.printed = {key: figure for key, figure in report.figures.items() if key in DOMAINS and key != "factors"}
        self.spans = {key: _clip(key, figure.span) for key, figure in self.printed.items()}
        self.points = {
            key: (figure.value, figure.value) if not math.isnan(figure.value) else self.spans[key]
            for key, figure in self.printed.items()
        }
        self.base_free = self._free(report.structure)
        if self.base_free is not None and "items" in self.printed:
            self.spans[_MODEL] = self.points[_MODEL] = (self.base_free, self.base_free)
        self.spans[_PROGRAM] = self.points[_PROGRAM] = PROGRAMS[report.program]
        self.spans["means"] = self.points["means"] = (0.0, 0.0)
        if alpha_bound > 0:
            self.spans[_ALPHAS] = (alpha_bound, math.inf)
        self.relations = select(self.spans, robust=report.robust, amos=report.program == "amos")
        self.fast = tuple(relation for relation in self.relations if not relation.slow)
        figures = sorted(self.printed, key=list(FIGURES).index)
        self.figures = tuple(figures)
        self.model = tuple(key for key in ("items", _MODEL) if key in self.spans)
        #: what can be given up, and what follows nothing else and is followed by nothing
        self.loose = tuple(key for key in figures if key != "items")
        alive, hull = self._together([self.spans])
        if not alive[0] and {"parameters", "agfi", "aic"} & set(self.printed):
            # as programs count them that fit means too, which the figures of fit do not show
            with_means, more = self._together([self.spans | {"means": (1.0, 1.0)}])
            if with_means[0]:
                self.spans["means"] = self.points["means"] = (1.0, 1.0)
                alive, hull = with_means, more
        self.possible = bool(alive[0])
        self.hull = {} if not self.possible else {name: tuple(hull[:, _AT[name], 0]) for name in NAMES}

    def _free(self, structure: str) -> float | None:
        """Return the parameters beyond loadings and unique variances, None where the factors are not told."""
        figures = self.report.figures
        freed = figures["freed"].value if "freed" in figures else 0
        if structure == "one-factor" or structure == "uncorrelated":
            return freed
        needed = "items" if structure == "bifactor" else "factors"
        if needed not in figures or math.isnan(figures[needed].value):
            return None
        value = figures[needed].value
        return extra_parameters(structure, value, value) + freed

    # ── which can hold together ──────────────────────────────────────────────────────────────────────────────────

    def _together(self, cases: Sequence[Mapping[str, Span]], *, whole: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Return which cases can be, and the ends of their figures, shape (2, figures, cases).

        Given chi-square/df every other figure meets the rest one at a time, so cases that
        survive are cut into slices of it until what is left is narrow.
        """
        slow = any(_INTERVAL & set(case) for case in cases)
        relations = self.relations if slow else self.fast
        box, _ = propagate(boxes(cases, robust=self.report.robust), relations, whole=whole)
        owner = np.arange(2 * len(cases)) // 2
        for pieces in (12, 8):
            keep = np.flatnonzero(box.alive)
            box, owner = box.take(keep), owner[keep]
            if not len(keep):
                break
            edges = _slices(box.low[_AT["chi2_df"]], box.high[_AT["chi2_df"]], pieces)
            again = np.repeat(np.arange(len(keep)), pieces)
            box, owner = box.take(again), owner[again]
            box.low[_AT["chi2_df"]] = np.maximum(box.low[_AT["chi2_df"]], edges[:-1].T.ravel())
            box.high[_AT["chi2_df"]] = np.minimum(box.high[_AT["chi2_df"]], edges[1:].T.ravel())
            box, _ = propagate(box, relations, whole=whole)
        alive = np.zeros(len(cases), bool)
        hull = np.stack([np.full((len(NAMES), len(cases)), np.inf), np.full((len(NAMES), len(cases)), -np.inf)])
        for column in np.flatnonzero(box.alive):
            case = owner[column]
            alive[case] = True
            hull[0, :, case] = np.minimum(hull[0, :, case], box.low[:, column])
            hull[1, :, case] = np.maximum(hull[1, :, case], box.high[:, column])
        return alive, hull

    # ── what follows from what ───────────────────────────────────────────────────────────────────────────────────

    def derivations(self, avoid: Iterable[str] = (), *, most: int = 3) -> dict[str, list[Derivation]]:
        """Return for each figure how it follows from the smallest sets of the printed ones, simplest first.

        ``avoid``: figures to use only where nothing else gives the figure. Sets of a size are
        looked through only while a printed figure still follows from nothing.
        """
        found: dict[str, list[tuple[tuple, Derivation]]] = {}
        avoid = set(avoid)
        sources = [key for key in self.loose if not math.isnan(self.printed[key].value)]
        if "n" in sources and {"chi2", "chi2_df"} & set(sources):  # then the interval of RMSEA tells nothing more
            sources = [key for key in sources if key not in _INTERVAL]
        for size in range(most + 1):
            supports = list(combinations(sources, size))
            for relations, some in (
                (self.fast, [s for s in supports if not _INTERVAL & set(s)]),
                (self.relations, [s for s in supports if _INTERVAL & set(s)]),
            ):
                self._derive(relations, some, avoid, found)
            lacking = [key for key in sources if not any(rank[0] == 0 for rank, _ in found.get(key, ()))]
            if size >= 2 and (not lacking or len(sources) > 12) and (len(sources) > 8 or size == most):
                break
        if _INTERVAL & set(self.printed):
            test = ["chi2"] if "chi2" in sources else ["chi2_df"] if "chi2_df" in sources else ["rmsea"]
            wanted = tuple(key for key in ("n", "df", *test) if key in sources)
            self._derive(self.relations, [wanted], avoid, found)
        return {key: [each for _, each in sorted(several, key=lambda pair: pair[0])] for key, several in found.items()}

    def _derive(self, relations, supports, avoid, found) -> None:
        cases = [(s, with_model) for s in supports for with_model in ((False, True) if self.model else (False,))]
        if not cases:
            return
        keys = [{*support, *(self.model if with_model else ()), _PROGRAM, "means"} for support, with_model in cases]
        ends, by = propagate(boxes([{k: self.spans[k] for k in some} for some in keys], robust=self.report.robust),
                             relations, whole=False)  # fmt: skip
        points, _ = propagate(boxes([{k: self.points[k] for k in some} for some in keys], robust=self.report.robust),
                              relations, whole=False)  # fmt: skip
        ends_low, ends_high, alive = _union(ends)
        low, high, point_alive = _union(points)
        with np.errstate(invalid="ignore"):
            fixed = (
                (high - low <= 0.004 * np.maximum(np.abs(low), 1e-12) + 1e-7)
                & np.isfinite(high)
                & np.isfinite(low)
                & point_alive
                & alive
            )
        for row, name in enumerate(NAMES):
            if name in _INNER or name in self.model:
                continue
            for column in np.flatnonzero(fixed[row]):
                support, with_model = cases[column]
                if name in support or (by[row, 2 * column] < 0 and by[row, 2 * column + 1] < 0):
                    continue
                # the model counts as one figure more only where the degrees of freedom are printed
                cost = len(support) + (with_model and "df" in self.printed)
                if any(
                    set(other.support) <= set(support) and other.uses_model <= with_model
                    for _, other in found.get(name, ())
                ):
                    continue
                number_of = max(by[row, 2 * column], by[row, 2 * column + 1])
                derivation = Derivation(
                    name, float((low[row, column] + high[row, column]) / 2), float(ends_low[row, column]),
                    float(ends_high[row, column]), support, with_model, relations[number_of],
                )  # fmt: skip
                avoided = len(avoid & {*support, *(self.model if with_model else ())})
                rank = (avoided, cost, len(found.get(name, ())))
                found.setdefault(name, []).append((rank, derivation))

    def ends(self, figure: str, support: Iterable[str], exact: Iterable[str] = ()) -> Span:
        """Return the ends of a figure that follows from others, some of them taken exactly as printed."""
        case = {
            key: self.points[key] if key in set(exact) else self.spans[key]
            for key in (*support, *self.model, _PROGRAM, "means")
        }
        low, high, _ = _union(propagate(boxes([case], robust=self.report.robust), self.fast, whole=False)[0])
        return float(low[_AT[figure], 0]), float(high[_AT[figure], 0])

    # ── what reconciles them ─────────────────────────────────────────────────────────────────────────────────────

    def readings(self, *, most: int = 3) -> list[Reading]:
        """Return the smallest sets of figures whose giving up lets the rest hold, with what each then would be."""
        if self.possible:
            return []
        choices = [*self.loose, *([_MODEL, "items"] if self.model else [])]
        choices += [_ALPHAS] if _ALPHAS in self.spans else []
        choices += [_PROGRAM] if self.report.program != "either" else []
        for size in range(1, most + 1):
            sets = [given for given in combinations(choices, size) if not {_MODEL, "items"} <= set(given)]
            # a superset of a smaller success is no news; the cheap pass first, slices for what it leaves
            first, _ = propagate(boxes([self._without(s) for s in sets], robust=self.report.robust), self.fast)
            left = [s for s, fine in zip(sets, first.alive.reshape(-1, 2).any(axis=1), strict=True) if fine]
            if not left:
                continue
            alive, hull = self._together([self._without(s) for s in left])
            good = [place for place in range(len(left)) if alive[place]]
            if good:
                found = [self._reading(left[place], hull[:, :, place]) for place in good]
                return sorted(found, key=_in_order)
        return []

    def _without(self, given_up: Iterable[str]) -> dict[str, Span]:
        spans = {key: span for key, span in self.spans.items() if key not in given_up}
        if _PROGRAM in given_up:
            spans[_PROGRAM] = PROGRAMS["either"]
        return spans

    def _reading(self, given_up: tuple[str, ...], hull: np.ndarray) -> Reading:
        spans = {name: (float(hull[0, at]), float(hull[1, at])) for name, at in _AT.items()}
        remarks = [*self._relabelled(given_up, spans)]
        moves = [
            abs(np.clip(printed.value, *spans[key]) / printed.value - 1)
            for key, printed in self.printed.items()
            if key in given_up and printed.value
        ]
        for key in given_up:
            if key in self.printed and key not in dict(remarks):
                remarks += _slip(key, FIGURES[key][0], self.printed[key], spans[key])
        if _MODEL in given_up:
            remarks += [(_MODEL, text) for text in self._structures(spans)]
        return Reading(given_up, spans, tuple(remarks), float(max(moves, default=0.0)))

    def _relabelled(self, given_up: tuple[str, ...], spans: Mapping[str, Span]) -> list[tuple[str, str]]:
        """Say where a given-up index is what another one should be, if the rest holds with that label."""
        remarks = []
        for key in (key for key in given_up if key in _LOOKALIKES):
            others = [o for o in _LOOKALIKES if o != key and (o not in self.printed or o in given_up)]
            others = [o for o in others if _meet(self.spans[key], spans[o]) and np.isfinite(spans[o]).all()]
            narrow = [o for o in others if spans[o][1] - spans[o][0] < 0.02]
            cases = [self._without(given_up) | {other: self.spans[key]} for other in narrow]
            alive = self._together(cases)[0] if cases else []
            fits = [FIGURES[other][0] for other, fine in zip(narrow, alive, strict=True) if fine]
            if fits:
                remarks.append(
                    (key, f"what is printed as {FIGURES[key][0]} is what the {' or the '.join(fits)} would be")
                )
        return remarks

    def _structures(self, spans: Mapping[str, Span]) -> list[str]:
        low, high = spans[_MODEL]
        if not np.isfinite([low, high]).all() or self.base_free is None:
            return []
        named = [
            s
            for s in structures()
            if s != self.report.structure and (free := self._free(s)) is not None and low <= free <= high
        ]
        if named:
            return [f"the degrees of freedom are those of a {' or '.join(named)} model"]
        more = low - self.base_free
        if low == high and more > 0:
            return [f"{more:.0f} more free parameters, such as correlated errors or cross-loadings"]
        return []

    def conflicts(self, readings: Sequence[Reading] = (), *, most: int = 4) -> list[tuple[str, ...]]:
        """Return the smallest sets of figures that cannot all be true, each without a figure to spare.

        What is left by a reading can be true, so every such set holds a figure of every reading.
        """
        if self.possible:
            return []
        choices = [*self.loose, *([_ALPHAS] if _ALPHAS in self.spans else [])]
        choices += [_PROGRAM] if self.report.program != "either" else []
        found: list[tuple[str, ...]] = []
        for size in range(1, most + 1):
            if size == most and (found or math.comb(len(choices), size) > 3000):
                break
            sets = [s for s in combinations(choices, size) if not any(set(f) <= set(s) for f in found)]
            sets = [s for s in sets if all({*s, _MODEL, "items"} & set(reading.given_up) for reading in readings)]
            found += [s for s, fine in zip(sets, self._quick([(*s, _MODEL) for s in sets]), strict=True) if not fine]
        found = found or [self._pruned(choices)]
        without = self._quick(found)
        return [(*s, _MODEL) if fine and _MODEL in self.spans else s for s, fine in zip(found, without, strict=True)]

    def _quick(self, sets: Sequence[Iterable[str]]) -> np.ndarray:
        """Say of each set of figures whether it survives one propagation."""
        fine = np.ones(len(sets), bool)
        for slow, relations in ((False, self.fast), (True, self.relations)):
            places = [place for place, some in enumerate(sets) if bool(_INTERVAL & set(some)) == slow]
            if places:
                done, _ = propagate(boxes([self._only(sets[p]) for p in places], robust=self.report.robust), relations)
                fine[places] = done.alive.reshape(-1, 2).any(axis=1)
        return fine

    def _only(self, keys: Iterable[str]) -> dict[str, Span]:
        kept = {*keys, "items", "means"} & set(self.spans)
        told = _PROGRAM in kept or self.report.program == "either"
        return {key: self.spans[key] for key in kept} | {_PROGRAM: self.spans[_PROGRAM] if told else PROGRAMS["either"]}

    def _pruned(self, keys: Sequence[str]) -> tuple[str, ...]:
        """Leave out whatever the contradiction does not need, one figure after the other."""
        kept = list(keys)
        for key in keys:
            if not self._together([self._only([*(k for k in kept if k != key), _MODEL])])[0][0]:
                kept.remove(key)
        return tuple(kept)

    def cut_off(self) -> bool:
        """Say whether all figures hold together if they were cut off after their last decimal, not rounded."""
        figures = {
            key: number(figure.text, rounding="truncated", whole=FIGURES[key][3]).span
            for key, figure in self.printed.items()
            if not math.isnan(figure.value)
        }
        return bool(self._together([self.spans | {key: _clip(key, span) for key, span in figures.items()}])[0][0])


def _slices(low: np.ndarray, high: np.ndarray, pieces: int) -> np.ndarray:
    """Return the edges of slices, shape (pieces + 1, cases); the last is open where the interval is."""
    share = np.linspace(0, 1, pieces + 1)[:, None]
    top = np.where(np.isfinite(high), high, np.maximum(50.0, 10 * low))
    start = np.maximum(low, 1e-6)
    with np.errstate(divide="ignore"):
        edges = np.exp(np.log(start) * (1 - share) + np.log(np.maximum(top, start)) * share)
    edges[0], edges[-1] = low, high
    return edges


def _union(box) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the ends over both regimes of each case and whether either can be."""
    alive = box.alive
    low = np.where(alive, box.low, np.inf).reshape(len(NAMES), -1, 2).min(axis=2)
    high = np.where(alive, box.high, -np.inf).reshape(len(NAMES), -1, 2).max(axis=2)
    return low, high, alive.reshape(-1, 2).any(axis=1)


def _clip(key: str, span: Span) -> Span:
    least, most = DOMAINS[key]
    return max(span[0], least), min(span[1], most)


def _meet(one: Span, other: Span) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _in_order(reading: Reading) -> tuple:
    """Sort what is explained first, the sample before the indices; then by how far a figure would move."""
    if reading.remarks:
        return 0, min(_ORDER.index(key) if key in _ORDER else len(_ORDER) for key in reading.given_up)
    return 1, reading.change


def _slip(key: str, label: str, printed: Printed, span: Span) -> list[tuple[str, str]]:
    """Say so where two neighbouring digits exchanged, or the decimal point moved, give a figure that fits."""
    if math.isnan(printed.value) or not np.isfinite(span).all():
        return []
    digits = f"{abs(printed.value):.{max(printed.decimals, 0)}f}"
    half = 0.0 if printed.low == printed.high else (printed.high - printed.low) / 2

    def fits(value: float) -> bool:
        return _meet((value - half, value + half), span)

    for place in range(len(digits) - 1):
        a, b = digits[place : place + 2]
        if a != b and "." not in (a, b):
            other = digits[:place] + b + a + digits[place + 2 :]
            if fits(math.copysign(float(other), printed.value)):
                other = other.removeprefix("0") if other.startswith("0.") else other
                return [(key, f"{label} {other} would fit: two digits exchanged")]
    for factor in (10, 0.1):
        if fits(printed.value * factor):
            return [(key, f"{label} {printed.value * factor:g} would fit: the decimal point moved")]
    return []
