"""Where a search may start, for factors that could settle on one cluster of their items or on another.

Such a model has several minima, and the usual start leads to one of them, in every program. Here a factor whose
items hold more than one cluster is started on each of them in turn; all searches go a few steps, the best to the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from ...errors import EstimationError
from ..factor import clusters, principal_components
from ..moments import to_correlation
from .model import Entry, Model, start_values

__all__ = ["Optima", "Optimum", "further", "is_proper", "loose", "optima", "patterns", "refined", "several"]

#: no loading starts higher, or its item would have hardly any variance of its own; no fixed one lower
_HIGHEST, _LOWEST = 0.95, 0.1
#: a search goes to its end only if it is among the best where the next step promises F no more than this
_ROUGH = 1e-3
#: the most steps of a search from a further start, and of one that goes on
STEPS = 60
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
        factor could choose.
    """
    measured, free = _measured(model), {column for column, _ in loose(model)}
    r, found = to_correlation(s), []
    for column, cells in measured.items():
        parameters = {cell.parameter for cell in cells if cell.parameter >= 0}
        if len(cells) < 3 or len(parameters) < 2 or column in free:
            continue
        weights = np.array([_weights(cell.row, measured, r) for cell in cells])
        alternatives = clusters(to_correlation(weights @ r @ weights.T), _HIGHEST)
        if alternatives:
            found.append([_oriented(cells, loadings) for loadings in alternatives])
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
    paths = [e for e in model.entries if e.matrix == "A" and e.row < p <= e.column]
    owners = {row: {e.column for e in paths if e.row == row} for row in range(p)}
    found = []
    for factor in dict.fromkeys(e.column for e in paths):
        own = [e for e in paths if e.column == factor]
        free = all(e.parameter >= 0 and not np.isfinite(e.value) for e in own)
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
        looked, searches = _looked(fit, model, s, mean, usual, choices, drawn)
        if found := _polished(fit, model, looked, refuse):
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


def _looked(fit: Callable, model: Model, s, mean, usual, choices, drawn):
    """Return where searches from all starts come near a minimum, lowest first, each with its parameters; how many.

    With several factors that could choose, the best start of each is kept for those of the next.
    """
    found: list[tuple[object, np.ndarray]] = []
    unit, back = _unit_variances(model)
    searches = 0

    def look(start: np.ndarray, steps: int, of: Model) -> float:
        nonlocal searches
        searches += 1
        try:
            fitted = fit(of, start=start, tolerance=_ROUGH, iterations=steps)
        except EstimationError:
            return np.inf
        found.append((fitted, back(fitted.theta) if of is unit else fitted.theta))
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


def _unit_variances(model: Model) -> tuple[Model, Callable[[np.ndarray], np.ndarray]]:
    """Return the model with factors' variances fixed instead of markers' loadings, and what turns parameters back.

    Where a marker belongs to another cluster, its loading passes zero on the way to the minimum, which in units of
    that loading is infinitely far. A marker's loading takes the number of the variance it sets free. Factors that
    others predict, and those with equal parameters or starts of their own, keep their marker.
    """
    entries, counts = list(model.entries), np.zeros(model.n_parameters, dtype=int)
    np.add.at(counts, [e.parameter for e in entries if e.parameter >= 0], 1)
    turned: list[tuple[int, float, int]] = []
    for factor in range(model.observed, model.observed + model.latent):
        mine = [k for k, e in enumerate(entries) if factor in (e.row, e.column)]
        marked = [k for k in mine if entries[k].matrix == "A" and entries[k].parameter < 0 and entries[k].value]
        own = [k for k in mine if entries[k].matrix == "P" and entries[k].row == entries[k].column]
        plain = all(
            ((e.matrix == "A" and e.column == factor) or e.matrix == "P" or (e.parameter < 0 and not e.value))
            and (e.parameter < 0 or (counts[e.parameter] == 1 and not np.isfinite(e.value)))
            and (e.matrix != "P" or e.parameter >= 0 or not e.value)
            for e in (model.entries[k] for k in mine)
        )
        if plain and len(marked) == len(own) == 1 and entries[own[0]].parameter >= 0:
            number = entries[own[0]].parameter
            turned.append((factor, entries[marked[0]].value, number))
            entries[marked[0]] = entries[marked[0]]._replace(parameter=number, value=np.nan)
            entries[own[0]] = entries[own[0]]._replace(parameter=-1, value=1.0)
    if not turned:
        return model, lambda theta: theta

    def back(theta: np.ndarray) -> np.ndarray:
        found, scale = theta.copy(), np.ones(model.observed + model.latent)
        for factor, value, number in turned:
            size = theta[number] / value
            scale[factor] = size if abs(size) > 1e-8 else 1e-8
        for e in model.entries:
            if e.parameter >= 0 and e.matrix == "A":
                found[e.parameter] = theta[e.parameter] * scale[e.row] / scale[e.column]
            elif e.parameter >= 0 and e.matrix == "P":
                found[e.parameter] = theta[e.parameter] * scale[e.row] * scale[e.column]
        for factor, _, number in turned:
            found[number] = scale[factor] ** 2
        return found

    return Model(model.observed, model.latent, tuple(entries)), back


def _polished(fit: Callable, model: Model, looked: list, refuse: Callable) -> tuple[Optimum, ...]:
    """Search on from the best of these points, until no other could compete with the lowest proper minimum."""
    found: list[Optimum] = []
    tried: list = []
    for near, theta in looked:
        if any(optimum.proper for optimum in found) and not _competes(near, found):
            break
        if any(_same(near, other, 2 * _ROUGH, 0.02) for other in tried):
            continue
        tried.append(near)
        try:
            fitted = fit(model, start=theta, iterations=STEPS)
            refuse(fitted)
        except EstimationError:
            continue
        tried.append(fitted)
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


def is_proper(fitted) -> bool:
    """Return whether the errors' and the factors' estimated covariances are possible ones, as lavaan's post.check asks.

    Parameters
    ----------
    fitted : fit
        With ``matrices``, ``total`` and ``model``.

    Returns
    -------
    bool
    """
    p = fitted.model.observed
    for part in (fitted.matrices[1][:p, :p], fitted.total[p:, p:]):
        unit = np.sqrt(np.abs(np.diag(part)))
        unit[unit == 0] = 1.0
        if len(part) and np.linalg.eigvalsh(part / np.outer(unit, unit))[0] < -1e-10:
            return False
    return True
