"""Where a search may start, for factors that could settle on one cluster of their items or on another.

Such a model has several minima, and the usual start leads to one of them, in every program. Here a factor whose
items hold more than one cluster is started on each of them in turn, and two factors on items that repeat each other;
all searches go a few steps, the best to the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from ...errors import EstimationError
from ..factor import clusters, principal_components
from ..moments import to_correlation
from .model import Entry, Model, start_values, unit_variances
from .search import is_proper

__all__ = ["Optima", "Optimum", "further", "loose", "optima", "patterns", "refined", "several"]

#: no loading starts higher, or its item would have hardly any variance of its own; no fixed one lower
_HIGHEST, _LOWEST = 0.95, 0.1
#: a search goes to its end only if it is among the best where the next step promises F no more than this
_ROUGH = 1e-3
#: the most steps of a search from a further start, and of one that goes on; as often as that from one of few starts
STEPS, _PATIENT = 60, 3
#: items of two factors that share this much, more than with the rest of their own, may become their factors
_TWINS, _MOST_TWINS = 0.7, 6
#: random starts for a factor whose loadings are all free on items of other factors
_DRAWN = 20
#: a minimum competes that is at most this much, or this share, of chi-square above the lowest
MARGIN, SHARE = 10.0, 0.1


class Optimum(NamedTuple):
    """A minimum that a search reached: the fit there, and whether its variances and covariances are possible ones."""

    fitted: object
    proper: bool


class Optima(NamedTuple):
    """The minima that searches from so many starts reached.

    The lowest first; beside it those that compete with it, and the lowest proper one where it is not proper.
    """

    found: tuple[Optimum, ...]
    starts: int

    @property
    def lowest(self):
        """The fit at the lowest minimum."""
        return self.found[0].fitted


def several(model: Model, s: np.ndarray) -> bool:
    """Return whether :func:`optima` would search from more than one start.

    Parameters
    ----------
    model : Model
        The structure.
    s : array, shape (p, p)
        Sample covariances.

    Returns
    -------
    bool
    """
    return bool(loose(model) or patterns(model, s))


def patterns(model: Model, s: np.ndarray) -> list[list[dict[tuple[int, int], float]]]:
    """Return where else the factors of a model could start, a list for each that could choose among clusters.

    A factor's variables are the items that load on it or, where there are none, the factors that do, each of which
    its own items' first component stands for.

    Parameters
    ----------
    model : Model
        The structure.
    s : array, shape (p, p)
        Sample covariances.

    Returns
    -------
    list of lists of dicts
        Standardized loadings by cell, as :func:`~cocreation.core.sem.model.start_values` takes them; empty where no
        factor could choose. The last ones are of several factors at once, with their correlations.
    """
    measured, free = _measured(model), {column for column, _ in loose(model)}
    r, found, blocks = to_correlation(s), [], []
    for column, cells in measured.items():
        parameters = {cell.parameter for cell in cells if cell.parameter >= 0}
        if len(cells) < 3 or len(parameters) < 2 or column in free:
            continue
        rows = [cell.row for cell in cells]
        if max(rows) < model.observed:
            inner = r[rows][:, rows]
            blocks.append(cells)
        else:
            weights = np.array([_weights(row, measured, r) for row in rows])
            inner = to_correlation(weights @ r @ weights.T)
        alternatives = clusters(inner, _HIGHEST)
        if alternatives:
            found.append([_oriented(cells, loadings) for loadings in alternatives])
    return found + _across(blocks, r)


def _across(blocks: list[list[Entry]], r: np.ndarray) -> list[list[dict[tuple[int, int], float]]]:
    """Return starts of two factors on two items that share more with each other than with the rest of their own.

    Beside such twins a factor of few or weak items may fit best as one of the two, and so may the other's.
    """
    owner = [-1] * len(r)
    for number, cells in enumerate(blocks):
        for cell in cells:  # an item of two factors ties them already
            owner[cell.row] = number if owner[cell.row] == -1 else -2
    owner, size = np.array(owner), np.abs(r)
    twins = np.argwhere((size > _TWINS) & (owner[:, None] < owner) & (owner[:, None] >= 0))
    if not len(twins):
        return []
    size = np.where((owner[:, None] == owner) & ~np.eye(len(r), dtype=bool), size, 0.0)
    twins = [pair for pair in twins if abs(r[tuple(pair)]) > size[pair].max()]  # with none of their own as much
    pairs: dict[tuple[int, int], dict[int, int]] = {}
    for i, j in sorted(twins, key=lambda pair: -abs(r[tuple(pair)])):
        pairs.setdefault((owner[i], owner[j]), {owner[i]: i, owner[j]: j})
    found = list(pairs.values())[:_MOST_TWINS]
    if len(found) > 1:
        together: dict[int, int] = {}
        for pair in found:
            if all(together.get(block, item) == item for block, item in pair.items()):
                together |= pair
        found.append(together)
    return [[_standing(blocks, each, r) for each in found]] if found else []


def _standing(blocks: list[list[Entry]], items: dict[int, int], r: np.ndarray) -> dict[tuple[int, int], float]:
    """Return the start at which each of some factors is one of its items, with their correlations."""
    found: dict[tuple[int, int], float] = {}
    turned: dict[int, tuple[int, float]] = {}
    for block, item in items.items():
        cells = blocks[block]
        loadings = _oriented(cells, np.clip(r[item, [cell.row for cell in cells]], -_HIGHEST, _HIGHEST))
        factor = cells[0].column
        for other, (of, sign) in turned.items():
            phi = sign * np.sign(loadings[item, factor]) * np.clip(r[item, of], -_HIGHEST, _HIGHEST)
            found[factor, other] = found[other, factor] = float(phi)
        turned[factor] = item, np.sign(loadings[item, factor])
        found |= loadings
    return found


def _measured(model: Model) -> dict[int, list[Entry]]:
    """Return the cells of the loadings of each factor: of items, or of factors where no item loads on it."""
    found: dict[int, list[Entry]] = {}
    for entry in model.entries:
        if entry.matrix == "A" and entry.column >= model.observed and (entry.parameter >= 0 or entry.value):
            found.setdefault(entry.column, []).append(entry)
    return {column: [e for e in cells if e.row < model.observed] or cells for column, cells in found.items()}


def _weights(variable: int, measured: dict[int, list[Entry]], r: np.ndarray, above: tuple[int, ...] = ()) -> np.ndarray:
    """Return the weights of the items in what stands for a variable."""
    if variable < len(r):
        return np.eye(len(r))[variable]
    inner = [cell.row for cell in measured.get(variable, ()) if cell.row not in above]
    if not inner:
        raise EstimationError("A factor without items stands for nothing.")
    weights = np.array([_weights(row, measured, r, (*above, variable)) for row in inner])
    return principal_components(to_correlation(weights @ r @ weights.T), 1)[:, 0] @ weights


def _oriented(cells: list[Entry], loadings: np.ndarray) -> dict[tuple[int, int], float]:
    """Return loadings by cell, none that is fixed 0, with the sign that the first fixed one has."""
    fixed = [k for k, cell in enumerate(cells) if cell.parameter < 0]
    signs = np.where(loadings < 0, -1.0, 1.0)
    loadings = loadings.copy()
    loadings[fixed] = signs[fixed] * np.maximum(np.abs(loadings[fixed]), _LOWEST)
    turn = signs[fixed[0]] * np.sign(cells[fixed[0]].value) if fixed else 1.0
    return {(cell.row, cell.column): float(turn * loading) for cell, loading in zip(cells, loadings, strict=True)}


def loose(model: Model) -> list[tuple[int, list[Entry]]]:
    """Return the factors that measure the items of others with loadings all free, such as a method factor.

    They may take any share of those items, with any sign: the usual start often leads nowhere, or to one of many
    minima.

    Parameters
    ----------
    model : Model
        The structure.

    Returns
    -------
    list of (factor, loadings)
        The number of each, and its cells.
    """
    p = model.observed
    paths: dict[int, list[Entry]] = {}
    owners: dict[int, set[int]] = {}
    for entry in model.entries:
        if entry.matrix == "A" and entry.row < p <= entry.column:
            paths.setdefault(entry.column, []).append(entry)
            owners.setdefault(entry.row, set()).add(entry.column)
    found = []
    for factor, own in paths.items():
        free = all(e.parameter >= 0 and not math.isfinite(e.value) for e in own)
        if free and len({e.parameter for e in own}) == len(own) > 2 and all(len(owners[e.row]) > 1 for e in own):
            found.append((factor, own))
    return found


def _drawn(model: Model, s: np.ndarray, usual: np.ndarray) -> list[np.ndarray]:
    """Return random starts for the loose factors of a model."""
    cells = [cell for _, own in loose(model) for cell in own]
    if not cells:
        return []
    rng, starts = np.random.default_rng(1), []
    at, scale = [e.parameter for e in cells], np.sqrt(np.diag(s))[[e.row for e in cells]]
    for _ in range(_DRAWN):
        start = usual.copy()
        start[at] = rng.uniform(-0.4, 0.4, len(at)) * scale
        starts.append(start)
    return starts


def optima(
    fit: Callable,
    model: Model,
    s: np.ndarray,
    *,
    mean: np.ndarray | None = None,
    refuse: Callable[[object], None] = lambda fitted: None,
) -> Optima:
    """Search from the usual start and, where a factor could choose, from further ones.

    Parameters
    ----------
    fit : callable
        Takes a model and, by name, ``start``, ``tolerance`` and ``iterations``, the last two where they are not its
        own; returns a fit with ``theta``, ``minimum`` (F), ``sigma``, ``n_obs``, ``model``, ``matrices`` and ``total``.
    model : Model
        The structure.
    s : array, shape (p, p)
        Sample covariances.
    mean : array, shape (p,), optional
        Sample means; needed where the model speaks of them.
    refuse : callable
        Raises where a fit cannot be reported.

    Returns
    -------
    Optima
        A single one, from one start, where no factor could choose.

    Raises
    ------
    EstimationError
        What ``fit`` and ``refuse`` say of the usual start, where no start leads anywhere.
    """
    usual = start_values(model, s, mean)
    choices, drawn = patterns(model, s), _drawn(model, s, usual)
    if choices or drawn:
        unit, back = unit_variances(model)
        looked, searches = _looked(fit, model, unit, s, mean, usual, choices, drawn)
        steps = STEPS if drawn else _PATIENT * STEPS
        if found := _polished(fit, model, unit, back, looked, refuse, steps):
            return Optima(found, searches)
    fitted = fit(model, start=usual)
    refuse(fitted)
    return Optima((Optimum(fitted, is_proper(fitted)),), 1)


def refined(fit: Callable, starts: Iterable[np.ndarray], *, refuse: Callable[[object], None]) -> tuple[Optimum, ...]:
    """Search to the end from starts that are near minima, such as those of other moments.

    Parameters
    ----------
    fit : callable
        Takes ``start`` by name; returns a fit as :func:`optima`'s does.
    starts : iterable of arrays, shape (parameters,)
        Where to start.
    refuse : callable
        Raises where a fit cannot be reported.

    Returns
    -------
    tuple of Optimum
        As in :class:`Optima`; empty where no start leads anywhere.
    """
    found: list[Optimum] = []
    for start in starts:
        try:
            fitted = fit(start=start)
            refuse(fitted)
        except EstimationError:
            continue
        _add(found, fitted)
    return _told(found)


def further(fit: Callable, reached: Optima, start: np.ndarray, *, refuse: Callable[[object], None]) -> Optima:
    """Search to the end from one more start, such as the place where another program's search ended.

    Parameters
    ----------
    fit : callable
        Takes ``start`` by name; returns a fit as :func:`optima`'s does.
    reached : Optima
        What the other starts led to.
    start : array, shape (parameters,)
        Where to start.
    refuse : callable
        Raises where a fit cannot be reported.

    Returns
    -------
    Optima
        With the minimum reached, and one start more, if it is a new one.
    """
    found = list(reached.found)
    try:
        fitted = fit(start=start)
        refuse(fitted)
    except EstimationError:
        return reached
    _add(found, fitted)
    return reached if len(found) == len(reached.found) else Optima(_told(found), reached.starts + 1)


def _looked(fit: Callable, model: Model, unit: Model, s, mean, usual, choices, drawn):
    """Return where searches from all starts come near a minimum, lowest first, each with its model; how many.

    With several factors that could choose, the best start of each is kept for those of the next.
    """
    found: list[tuple[object, Model]] = []
    searches = 0

    def look(start: np.ndarray, steps: int, of: Model) -> float:
        nonlocal searches
        searches += 1
        try:
            fitted = fit(of, start=start, tolerance=_ROUGH, iterations=steps)
        except EstimationError:
            return np.inf
        found.append((fitted, of))
        return fitted.minimum

    least, best = look(usual, 500, model), {}
    for alternatives in choices:
        base = best
        for pattern in ({}, *alternatives) if unit is not model else alternatives:
            value = look(start_values(unit, s, mean, base | pattern), STEPS, unit)
            if value < least:
                least, best = value, base | pattern
    for start in drawn:
        look(start, STEPS, model)
    return sorted(found, key=lambda pair: pair[0].minimum), searches


def _polished(fit: Callable, model: Model, unit: Model, back, looked, refuse, steps: int) -> tuple[Optimum, ...]:
    """Search on from the best of these points, until no other could compete with the lowest proper minimum.

    In factor variances of 1 where the search was begun in them: a marker may measure nothing at the minimum.
    """
    found: list[Optimum] = []
    tried: list[tuple[object, Model | None]] = []
    for near, of in looked:
        if any(optimum.proper for optimum in found) and not _competes(near, found):
            break
        if any(failed in (None, of) and _same(near, other, 2 * _ROUGH, 0.02) for other, failed in tried):
            continue
        try:
            fitted = fit(of, start=near.theta, iterations=steps if of is unit else STEPS)
            if of is not model:
                fitted = fit(model, start=back(fitted.theta), iterations=STEPS)
            refuse(fitted)
        except EstimationError:
            tried.append((near, of))
            continue
        tried += [(near, None), (fitted, None)]
        _add(found, fitted)
    return _told(found)


def _add(found: list[Optimum], fitted) -> None:
    if not any(_same(fitted, optimum.fitted, 1e-7, 1e-3) for optimum in found):
        found.append(Optimum(fitted, is_proper(fitted)))


def _told(found: list[Optimum]) -> tuple[Optimum, ...]:
    """Return the lowest, the lowest proper one, and what competes."""
    found = sorted(found, key=lambda optimum: optimum.fitted.minimum)
    proper = next((k for k, optimum in enumerate(found) if optimum.proper), 0)
    return tuple(optimum for k, optimum in enumerate(found) if k in (0, proper) or _competes(optimum.fitted, found))


def _competes(fitted, found: list[Optimum]) -> bool:
    least = min(optimum.fitted.minimum for optimum in found)
    return fitted.minimum - least <= max(MARGIN / fitted.n_obs, SHARE * least)


def _same(one, other, apart: float, reach: float) -> bool:
    """Whether two fits are the same minimum: as low, and with the same implied correlations."""
    sd = np.sqrt(np.abs(np.diag(other.sigma)))
    away = np.abs(one.sigma - other.sigma) / np.outer(sd, sd)
    return abs(one.minimum - other.minimum) <= apart * max(1.0, other.minimum) and bool(away.max() <= reach)
