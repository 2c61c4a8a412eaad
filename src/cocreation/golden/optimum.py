"""Who is nearer the optimum where figures differ: what R's search left short is no miss, and what ours did is said.

A room behind :mod:`cocreation.golden.agree`. Both programs' figures go into the same formula
(:mod:`cocreation.golden.points`). Only where ours come out lower, and the value we print is what our figures give,
is R said to have stopped short, and only for figures of that very fit, pair or rotation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..cfa.categories import as_categories
from ..core.polychoric import pair_log_likelihood, polychoric
from ..errors import CourseError
from . import points
from .fitted import REACH, is_model, options_of
from .ledger import COMPARED, TOLERANCES, Figure, as_list
from .sets import Golden

__all__ = ["OURS", "SHORT", "UNDECIDED", "Optimum", "judge"]

SHORT, OURS, UNDECIDED = "R stopped short", "ours is not the optimum", "undecided"

#: sections that rest on the fit of the measurement model, and what in them does not
ON_CFA = ("cfa_std_residuals_max/", "factor_scores/", "validity/", "bootstrap/")
NOT_ON_CFA = ("HTMT, HTMT2", "bootstrap errors", "bootstrap limits")
#: from this chi-square on the two searches ended in different places, and no figure need be near the other's
ELSEWHERE = 0.1


@dataclass(frozen=True)
class Optimum:
    """One search that ended at different places: what it minimizes here and in R.

    Attributes
    ----------
    place : str
        The way to it in golden.json.
    measure : str
        What is minimized.
    ours, theirs : float
        Its value at our figures and at R's, or as reported where R's figures are not all known.
    verdict : {"R stopped short", "ours is not the optimum", "undecided"}
    figures : int
        How many figures outside their tolerance follow from it.
    remark : str
        What else to know of R's solution.
    """

    place: str
    measure: str
    ours: float
    theirs: float
    verdict: str
    figures: int = 0
    remark: str = ""


@dataclass(frozen=True)
class _Search:
    """An optimum, the figures that follow from it, and how many of their tolerances they may be off.

    ``own`` is False where it is the search behind another section's figures.
    """

    optimum: Optimum
    covers: Callable[[Figure], bool]
    wider: float = math.inf
    own: bool = True


def judge(golden: Golden) -> list[Optimum]:
    """Find, for the figures outside their tolerance, the searches they come from, and say who is nearer.

    Figures that follow from a search of R's that stopped short are marked as such in the ledger.

    Parameters
    ----------
    golden : Golden
        A set that was gone through.

    Returns
    -------
    list of Optimum
        Those that were looked at, in the order of the file; none where no figure is outside its tolerance.
    """
    ledger, found = golden.ledger, []
    if not any(figure.misses for figure in ledger.figures):
        return found
    look = _Look(golden)
    for search in look.searches():
        count = 0
        for place, figure in enumerate(ledger.figures):
            if search.optimum.verdict == SHORT and figure.misses and search.covers(figure) and _within(figure, search):
                ledger.figures[place] = replace(figure, short=True)
                count += 1
        if count or search.own:
            found.append(replace(search.optimum, figures=count))
    return found


def _within(figure: Figure, search: _Search) -> bool:
    """Whether the distance may come from the search: of values near each other figures are near too."""
    if isinstance(figure.ours, bool) and isinstance(figure.theirs, bool):
        return math.isinf(search.wider)
    return math.isfinite(figure.difference) and (
        math.isinf(search.wider) or figure.difference <= figure.tolerance.limit * search.wider
    )


class _Look:
    """A golden set with the figures found by their keys."""

    def __init__(self, golden: Golden) -> None:
        self.golden = golden
        self.known = {figure.key: figure for figure in golden.ledger.figures}
        self.short_pairs: set[frozenset[str]] = set()

    def searches(self) -> Iterator[_Search]:
        """Yield the searches behind figures that differ, those before that others rest on."""
        short: dict[str, _Search] = {}
        for search in (*self._pairs(), *self._extractions(), *self._models(), *self._levels()):
            yield search
            if search.optimum.verdict == SHORT:
                short[search.optimum.place] = search
        yield from self._rotations(short)
        if "cfa" in short:
            follows = replace(short["cfa"].optimum, place="cfa, in other sections")
            yield replace(short["cfa"], covers=_on_cfa, optimum=follows, own=False)
        for place, search in self._alphas():
            yield _Search(Optimum(place, *search, SHORT), lambda figure, place=place: figure.key == place)
        yield from self._differences(short)

    def differ(self, *starts: str) -> bool:
        """Whether a figure whose key begins so is outside its tolerance."""
        return any(figure.misses for figure in self.golden.ledger.figures if figure.key.startswith(starts))

    def pair(self, key: str) -> tuple[float, float] | None:
        """Return ours and R's figure of a key, where both are numbers."""
        figure = self.known.get(key)
        both = (figure.ours, figure.theirs) if figure else (None, None)
        return both if all(isinstance(value, int | float) for value in both) else None

    def table(self, path: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Return ours and R's of a vector or matrix of figures; None where one is not a number."""
        block = self.golden.block(*path.split("/"))
        shape = np.shape(block["values"] if isinstance(block, Mapping) and "values" in block else as_list(block))
        inner = f"{path}/values" if isinstance(block, Mapping) else path
        if not shape or not all(shape):
            return None
        found = [self.pair("/".join([inner, *map(str, at)])) for at in np.ndindex(shape)]
        if None in found:
            return None
        ours, theirs = (np.array(side, dtype=float).reshape(shape) for side in zip(*found, strict=True))
        return ours, theirs

    # polychoric correlations

    def _pairs(self) -> Iterator[_Search]:
        """The pairs of items whose polychoric correlations differ."""
        if not self.differ("ordinal/polychoric/"):
            return
        names = as_list(self.golden.block("ordinal", "polychoric", "rows"))
        codes, _, _ = as_categories(self.golden.complete[names])
        for j, second in enumerate(names):
            for i, first in enumerate(names[:j]):
                keys = {f"ordinal/polychoric/values/{i}/{j}", f"ordinal/polychoric/values/{j}/{i}"}
                both = [self.pair(key) for key in sorted(keys) if self.known.get(key) and self.known[key].misses]
                if not both or None in both or any(abs(r) >= 1 for r in both[0]):
                    continue
                ours, theirs = (-pair_log_likelihood(codes[:, [i, j]], r) for r in both[0])
                verdict = _nearer(ours, theirs, TOLERANCES["closed form"].limit * ours)
                place = f"ordinal/polychoric, {first} and {second}"
                if verdict == SHORT:
                    self.short_pairs.add(frozenset((first, second)))
                optimum = Optimum(f"{place}, r {both[0][0]:.6f} and {both[0][1]:.6f}", "−log L", ours, theirs, verdict)
                yield _Search(optimum, lambda figure, keys=keys: figure.key in keys)

    def _alphas(self) -> Iterator[tuple[str, tuple[str, float, float]]]:
        """Ordinal alphas that differ because a pair within the scale does: R's is what R's correlations give."""
        block = self.golden.block("ordinal", "polychoric")
        for name, items in self.golden.scales.items() if self.short_pairs else ():
            key = f"ordinal/ordinal_alpha/{name}"
            both, inside = self.pair(key), [pair for pair in self.short_pairs if pair <= set(items)]
            if not inside or both is None or not self.known[key].misses:
                continue
            r = pd.DataFrame(block["values"], as_list(block["rows"]), as_list(block["cols"])).loc[items, items]
            k = len(items)
            if abs(k / (k - 1) * (1 - k / r.to_numpy().sum()) - both[1]) < TOLERANCES["polychoric"].limit:
                yield key, ("alpha of the correlations", *both)

    # fitted models

    def _models(self) -> Iterator[_Search]:
        """The models whose figures differ."""
        places = [(name,) for name in self.golden.figures]
        places += [(outer, name) for outer in ("ordinal", "regressions") for name in self.golden.block(outer)]
        for path in places:
            block, key = self.golden.block(*path), "/".join(path)
            if not is_model(block) or not self.differ(f"{key}/"):
                continue
            options = options_of(block)
            try:
                found = None if options is None else self.golden.cfa(block["syntax"], **options)
            except CourseError:
                continue  # refused, which is booked as a miss with its reason
            if found is not None:
                search = self._fit(key, f"{key}/fit", block.get("parameters"), found, options)
                if search:
                    yield search

    def _levels(self) -> Iterator[_Search]:
        """The levels of invariance whose figures differ."""
        for level, found in self.golden.levels.items():
            own = (f"invariance/fit/{level}/", *(("invariance/scalar_parameters/",) if level == "scalar" else ()))
            if not self.differ(*own):
                continue
            table = self.golden.block("invariance", "scalar_parameters") if level == "scalar" else None
            search = self._fit(f"invariance/fit/{level}", f"invariance/fit/{level}", table, found, {}, own)
            if search:
                yield search

    def _fit(self, place, fit, table, found, options, own=()) -> _Search | None:
        """Compare the chi-squares of one fit, each with what its own estimates give."""
        both = self.pair(f"{fit}/chisq")
        same = all(self.known[key].difference == 0 for key in (f"{fit}/df", f"{fit}/npar") if key in self.known)
        if both is None or not same:
            return None
        ours, theirs = both
        limit = TOLERANCES["chi-square"].limit * max(ours, theirs, 1e-3)
        rows = [row for row in table or [] if row.get("est") is not None]
        value = self._discrepancy(fit, found, options)
        mine = value(_entries(found.parameters, self.golden) + _rest(found.parameters, rows))
        there = value([Entry(row) for row in rows]) if rows else math.nan
        sound = abs(mine - ours) <= 10 * limit and _same_restrictions(rows, found.parameters)
        on_pairs = options.get("estimator") == "WLSMV" and any(
            pair <= set(self.golden.items) for pair in self.short_pairs
        )
        if on_pairs:  # R's chi-square is of other correlations: both points are judged by ours
            theirs = there
        known = abs(there - theirs) <= 10 * limit
        verdict = _nearer(ours, theirs, limit)
        if (verdict == SHORT and not sound) or (verdict == OURS and rows and not known):
            verdict = UNDECIDED
        if not verdict:
            return None
        apart = abs(theirs - ours)
        remark = "R's solution is improper" if self.golden.block(*place.split("/")).get("post_check") is False else ""
        far = on_pairs or apart >= ELSEWHERE
        wider = math.inf if far else 2 * max(math.sqrt(apart) / REACH, apart / limit)
        # a chi-square that R's own estimates do not give says nothing about those
        starts = own or ((f"{place}/",) if known or not rows else (f"{fit}/", f"{place}/amos_convention/"))
        return _Search(
            Optimum(place, "chi-square", ours, theirs, verdict, remark=remark),
            lambda figure: figure.key.startswith(starts),
            wider,
        )

    def _discrepancy(self, fit: str, found, options: Mapping[str, object]) -> Callable[[list], float]:
        """Return chi-square as a function of the table of parameters."""
        golden, sides = self.golden, {*found.parameters["left"], *found.parameters["right"]}
        names = [name for name in golden.data if name in sides]
        if options.get("estimator") == "WLSMV":
            codes, _, _ = as_categories(golden.complete[names])
            sample = polychoric(codes, names)
            variance = np.ones_like(sample.correlations)
            variance[sample.pairs] = np.diag(sample.covariance)[-len(sample.pairs[0]) :]
            n = len(codes)
            return lambda entries: (n - 1) / n * points.weighted_squares(entries, names, sample.correlations, variance)
        if "group" in found.parameters:
            column, order = golden.block("invariance", "group"), as_list(golden.block("invariance", "group_order"))
            rows = golden.data[[*names, column]].dropna()
            label = rows[column].map(_label)
            groups = {i + 1: rows.loc[label == str(name), names] for i, name in enumerate(order)}
            return lambda entries: points.chi_square(entries, groups)
        if options.get("missing") == "fiml":
            logl = self.pair(f"{fit}/unrestricted.logl")
            frame = golden.data[names]
            return lambda entries: points.chi_square(entries, {1: frame}, logl[0] if logl else math.nan)
        frame = golden.complete[names]
        return lambda entries: points.chi_square(entries, {1: frame})

    def _differences(self, short: Mapping[str, _Search]) -> Iterator[_Search]:
        """Chi-square differences of which one fit is short, where each side's is the difference of its chi-squares."""
        pairs = {f"comparisons/{name}": fits for name, fits in COMPARED.items()}
        pairs |= {
            f"invariance/comparisons/{name}": tuple(f"invariance/fit/{level}" for level in name.split(" vs "))
            for name in self.golden.block("invariance", "comparisons")
        }
        for key, fits in pairs.items():
            both = self.pair(f"{key}/chi2_diff")
            values = [self.pair(f"{fit}/chisq" if "/" in fit else f"{fit}/fit/chisq") for fit in fits]
            if both is None or None in values or not any(fit in short for fit in fits):
                continue
            made = [abs(abs(one - other) - abs(mine)) for one, other, mine in zip(*values, both, strict=True)]
            if max(made) <= TOLERANCES["estimate"].limit * max(1.0, *map(abs, both)):
                optimum = Optimum(key, "difference of chi-squares", *both, SHORT)
                yield _Search(optimum, lambda figure, key=key: figure.key.startswith(f"{key}/"), own=False)

    # factors

    def _extractions(self) -> Iterator[_Search]:
        """Common factors that differ."""
        kinds = {
            "efa/paf": ("communalities", points.squares, "half the squared residuals"),
            "efa/minres": ("uniquenesses", points.squares, "half the squared residuals"),
            "efa/ml": ("uniquenesses", points.maximum_likelihood, "ML discrepancy"),
        }
        for place, (name, value, measure) in kinds.items():
            both = self.table(f"{place}/{name}") if self.differ(f"{place}/") else None
            k = self.golden.block("efa", "n_factors")
            if both is None:
                continue
            r = np.corrcoef(self.golden.complete.to_numpy(), rowvar=False)
            unique = [1 - side if name == "communalities" else side for side in both]
            if min(side.min() for side in unique) <= 0:
                continue
            ours, theirs = (value(side, r, k) for side in unique)
            verdict = _nearer(ours, theirs, TOLERANCES["closed form"].limit * max(ours, 1e-3))
            if verdict:
                optimum = Optimum(place, measure, ours, theirs, verdict)
                yield _Search(optimum, lambda figure, place=place: figure.key.startswith(f"{place}/"))

    def _rotations(self, short: Mapping[str, _Search]) -> Iterator[_Search]:
        """Rotations of the same factors that differ."""
        kinds = {"varimax_kaiser": True, "varimax_raw": False, "oblimin_kaiser_spss": True,
                 "oblimin_raw_gparotation": False}  # fmt: skip
        for outer in ("efa/pca", "efa/paf", "efa/ml"):
            for name, kaiser in kinds.items():
                place, oblique = f"{outer}/{name}", name.startswith("oblimin")
                if outer in short or not self.differ(place):
                    continue
                tables = self.table(f"{place}/pattern" if oblique else place)
                phi = self.table(f"{place}/phi") if oblique else None
                if tables is None or (oblique and phi is None):
                    continue
                size = [((a @ phi[side]) * a if oblique else a**2).sum(axis=1) for side, a in enumerate(tables)]
                if np.abs(size[0] - size[1]).max() > 10 * TOLERANCES["rotated"].limit:
                    continue  # not the same factors turned
                criterion = points.quartimin if oblique else points.varimax
                ours, theirs = (
                    criterion(a / np.sqrt(h)[:, None] if kaiser else a) for a, h in zip(tables, size, strict=True)
                )
                verdict = _nearer(ours, theirs, TOLERANCES["closed form"].limit * max(abs(ours), 1e-3))
                if verdict:
                    measure = "quartimin" if oblique else "minus varimax"
                    optimum = Optimum(place, measure, ours, theirs, verdict)
                    yield _Search(optimum, lambda figure, place=place: figure.key.startswith(place))


def _nearer(ours: float, theirs: float, limit: float) -> str:
    """Say whose value is lower by more than ``limit``; "" where neither's is."""
    return SHORT if theirs - ours > limit else OURS if ours - theirs > limit else ""


def _on_cfa(figure: Figure) -> bool:
    return figure.key.startswith(ON_CFA) and figure.metric not in NOT_ON_CFA and "/semtools_alpha/" not in figure.key


def Entry(row: Mapping) -> points.Entry:
    """A row of R's table of parameters."""
    return points.Entry(row["lhs"], row["op"], row["rhs"], row.get("group") or 1, row["est"])


def _label(name: object) -> str:
    return f"{name:g}" if isinstance(name, float) else str(name)


def _entries(table: pd.DataFrame, golden: Golden) -> list[points.Entry]:
    order = [str(name) for name in as_list(golden.block("invariance", "group_order"))] if "group" in table else []
    return [
        points.Entry(row["left"], row["op"], row["right"], order.index(_label(row["group"])) + 1 if order else 1,
                     row["estimate"])
        for row in table.to_dict("records")
        if row["op"] in ("=~", "~", "~~", "~1")
    ]  # fmt: skip


def _rest(table: pd.DataFrame, rows: list[dict]) -> list[points.Entry]:
    """Entries that are parameters in R's table alone: moments of covariates, which no model changes."""
    own = {frozenset((row["left"], row["right"])) for row in table.to_dict("records") if row["op"] == "~~"}
    return [Entry(row) for row in rows if row["op"] == "~~" and frozenset((row["lhs"], row["rhs"])) not in own]


def _same_restrictions(rows: list[dict], table: pd.DataFrame) -> bool:
    """Whether our estimates keep what R's fixes and holds equal."""
    if "group" in table:
        return True
    known = {(row["left"], row["op"], row["right"]): row["estimate"] for row in table.to_dict("records")}
    labelled: dict[str, float] = {}
    for row in rows:
        mine = known.get((row["lhs"], row["op"], row["rhs"]))
        if mine is None or row["op"] in (":=", "|", "~*~"):
            continue
        fixed = row.get("se") == 0 and row.get("z") is None and not row.get("label")
        if fixed and row["est"] in (0, 1) and abs(mine - row["est"]) > 1e-9:
            return False
        if row.get("label") and abs(labelled.setdefault(row["label"], mine) - mine) > 1e-6 * max(1.0, abs(mine)):
            return False
    return True
