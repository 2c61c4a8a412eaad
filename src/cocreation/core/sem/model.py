"""A model as a table of entries, the moments it implies, and their slopes by the parameters.

Over the observed and the latent variables (reticular action model), v = A·v + m + e with
Cov(e) = P, so that

    Σ = G·P·Gᵀ,   μ = G·m,   G = the observed rows of (I − A)⁻¹.

The derivative of Σ by any entry is u·vᵀ + v·uᵀ, that of μ a column, all of which are at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ...errors import EstimationError

__all__ = [
    "Entry",
    "Model",
    "inverse",
    "score_test",
    "standardize",
    "start_values",
    "total_covariances",
    "total_paths",
    "unit_variances",
]


class Entry(NamedTuple):
    """One cell of a model: a path (``"A"``: row ← column), a (co)variance (``"P"``) or an intercept (``"M"``: row).

    ``parameter`` is the number of the free parameter that sits there, or −1
    where the cell is fixed at ``value``; entries that share a number are equal.
    ``value`` of a free cell is its start (NaN: chosen from the data).
    """

    matrix: str
    row: int
    column: int
    parameter: int
    value: float = float("nan")


@dataclass(frozen=True)
class Model:
    """A covariance or mean structure: ``observed`` variables first, then ``latent`` ones.

    Parameters
    ----------
    observed, latent : int
        How many of each; variable numbers run over the observed, then the latent.
    entries : sequence of Entry
        Every cell that is not zero. A covariance is listed once. Without an intercept among
        them the means are no part of the model.
    """

    observed: int
    latent: int
    entries: tuple[Entry, ...]

    @cached_property
    def n_parameters(self) -> int:
        """The number of free parameters."""
        return 1 + max((entry.parameter for entry in self.entries), default=-1)

    @property
    def df(self) -> int:
        """Sample moments minus free parameters."""
        return self.moments - self.n_parameters

    @cached_property
    def means(self) -> bool:
        """Whether the model speaks of means."""
        return any(entry.matrix == "M" for entry in self.entries)

    @property
    def moments(self) -> int:
        """How many sample moments the model speaks of."""
        return self.observed * (self.observed + 1) // 2 + self.means * self.observed

    @classmethod
    def correlated(cls, groups: Sequence[Sequence[int]], *, marker: bool = False) -> Model:
        """Return the model in which each group of items measures one factor and the factors correlate.

        Parameters
        ----------
        groups : sequence of sequences of int
            Item numbers of each factor; each item in one group.
        marker : bool
            Fix the first loading of each factor at 1; otherwise each factor's variance.
        """
        p = sum(len(group) for group in groups)
        entries: list[Entry] = []
        free = iter(range(10**6))
        for f, group in enumerate(groups):
            for position, item in enumerate(group):
                fixed = marker and position == 0
                entries.append(Entry("A", item, p + f, -1 if fixed else next(free), 1.0 if fixed else np.nan))
        entries += [Entry("P", item, item, next(free)) for item in range(p)]
        for f in range(len(groups)):
            entries.append(Entry("P", p + f, p + f, next(free) if marker else -1, np.nan if marker else 1.0))
            entries += [Entry("P", p + f, p + g, next(free)) for g in range(f)]
        return cls(p, len(groups), tuple(entries))

    def matrices(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the path matrix A and the (co)variance matrix P over all variables at ``theta``."""
        return self._index.matrices(theta)[:2]

    def intercepts(self, theta: np.ndarray) -> np.ndarray:
        """Return the intercepts of all variables at ``theta``."""
        return self._index.matrices(theta)[2]

    @cached_property
    def _index(self) -> _Index:
        return _Index(self)


class _Index:
    """The entries of a model as index arrays, ready for the matrix work."""

    def __init__(self, model: Model) -> None:
        self.order = np.array(sorted(range(len(model.entries)), key=lambda k: model.entries[k].matrix), dtype=int)
        entries = [model.entries[k] for k in self.order]
        self.size = model.observed + model.latent
        self.value = np.array([entry.value for entry in entries])
        self.parameter = np.array([entry.parameter for entry in entries])
        self.row = np.array([entry.row for entry in entries])
        self.column = np.array([entry.column for entry in entries])
        self.kind = np.array([entry.matrix for entry in entries])
        self.cells = [(at, self.row[at], self.column[at]) for at in (np.flatnonzero(self.kind == k) for k in "APM")]
        self.free = self.parameter >= 0
        self.free_row, self.free_column = self.row[self.free], self.column[self.free]
        self.free_kind = self.kind[self.free]
        self.free_path = self.free_kind == "A"
        self.free_parameter = self.parameter[self.free]
        #: sums the derivatives of entries that share a parameter; None where no two do
        counts = np.bincount(self.free_parameter, minlength=model.n_parameters)
        self.pool = np.zeros((len(self.free_parameter), model.n_parameters))
        self.pool[np.arange(len(self.free_parameter)), self.free_parameter] = 1.0
        self.shared = bool((counts > 1).any())
        self.places = np.argsort(self.free_parameter, kind="stable")

    def matrices(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        value = self.value.copy()
        value[self.free] = theta[self.free_parameter]
        a, p, m = np.zeros((self.size, self.size)), np.zeros((self.size, self.size)), np.zeros(self.size)
        (path, to, source), (mutual, row, column), (intercept, variable, _) = self.cells
        a[to, source] = value[path]
        p[row, column] = p[column, row] = value[mutual]
        m[variable] = value[intercept]
        return a, p, m


def total_covariances(model: Model, theta: np.ndarray) -> np.ndarray:
    """Return the implied covariances of all variables, observed and latent, at ``theta``.

    Parameters
    ----------
    model : Model
        The structure.
    theta : array, shape (parameters,)
        Values of its parameters.

    Returns
    -------
    array, shape (variables, variables)
    """
    a, p = model.matrices(theta)
    whole = total_paths(a)
    return whole @ p @ whole.T


def standardize(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the path and (co)variance matrices at ``theta`` with every variable at unit variance.

    A cell is NaN where a variance is negative.

    Parameters
    ----------
    model : Model
        The structure.
    theta : array, shape (parameters,)
        Values of its parameters.

    Returns
    -------
    paths, covariances : array, shape (variables, variables)
        A and P.
    """
    a, p = model.matrices(theta)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(np.diag(total_covariances(model, theta)))
        own = np.sqrt(np.diag(p))
        paths = a * sd[None, :] / sd[:, None]
        covariances = p / np.outer(own, own)
        covariances[p == 0] = 0.0
        np.fill_diagonal(covariances, np.diag(p) / sd**2)
    return paths, covariances


def score_test(score: np.ndarray, own: np.ndarray, mixed: np.ndarray, known: np.ndarray) -> tuple:
    """Return by how much chi-square would fall if parameters were freed one by one, and what they would change by.

    Parameters
    ----------
    score, own : arrays, shape (candidates,)
        Half the slopes of chi-square with the sign turned, and the candidates' own information, of all respondents.
    mixed : array, shape (candidates, parameters)
        Their information with the parameters.
    known : array, shape (parameters, parameters)
        The inverse of the parameters' information.

    Returns
    -------
    index, change : arrays, shape (candidates,)
        NaN where the parameters leave a candidate no information of its own, so that it is not identified.
    """
    left = own - (mixed @ known * mixed).sum(axis=1)
    left = np.where(left > 1e-9 * own, left, np.nan)
    return score**2 / left, score / left


def inverse(matrix: np.ndarray) -> np.ndarray:
    """Invert a matrix of positive diagonal in units in which that is 1, so that spreads do not cost digits.

    Parameters
    ----------
    matrix : array, shape (k, k)
        Symmetric.

    Returns
    -------
    array, shape (k, k)
    """
    unit = np.sqrt(np.diag(matrix))
    return np.linalg.inv(matrix / np.outer(unit, unit)) / np.outer(unit, unit)


def total_paths(a: np.ndarray) -> np.ndarray:
    """Return how far every variable reaches over all paths.

    Parameters
    ----------
    a : array, shape (k, k)
        The paths, row ← column.

    Returns
    -------
    array, shape (k, k)
        (I − A)⁻¹.

    Raises
    ------
    EstimationError
        If paths run in a circle in which nothing is determined.
    """
    try:
        return np.linalg.inv(np.eye(len(a)) - a)
    except np.linalg.LinAlgError as error:
        raise EstimationError(
            "The model's paths run in a circle in which nothing is determined: variables measure or predict each "
            "other. Leave one of these paths out."
        ) from error


#: a loading whose square is half
_HALF = 0.7


def start_values(
    model: Model,
    s: np.ndarray,
    mean: np.ndarray | None = None,
    loadings: Mapping[tuple[int, int], float] | None = None,
) -> np.ndarray:
    """Return starts in the units of the data: loadings that share half of each item's variance, with its sign.

    Items' intercepts start at their ``mean``, factors' at zero.

    Parameters
    ----------
    model : Model
        The structure.
    s : array, shape (p, p)
        Sample covariances.
    mean : array, shape (p,), optional
        Sample means; needed where the model speaks of them.
    loadings : mapping, optional
        Standardized loadings to start from instead, by (row, column) of their cells; a fixed one is not 0 and has
        the sign it is fixed with. Correlations of factors likewise.

    Returns
    -------
    array, shape (parameters,)
    """
    p, chosen = model.observed, loadings or {}
    sd = np.sqrt(np.diag(s))
    theta = np.zeros(model.n_parameters)
    paths = [e for e in model.entries if e.matrix == "A" and e.row < p <= e.column]
    higher = [e for e in model.entries if e.matrix == "A" and min(e.row, e.column) >= p]
    anchor: dict[int, tuple[int, float]] = {}
    latent_sd: dict[int, float] = {}
    for entry in paths:
        fixed = entry.parameter < 0 and entry.value != 0
        if fixed or entry.column not in anchor:
            anchor[entry.column] = (entry.row, np.sign(entry.value) if fixed else 1.0)
        if fixed:
            share = abs(chosen.get((entry.row, entry.column), _HALF))
            latent_sd[entry.column] = share * sd[entry.row] / abs(entry.value)
    for entry in model.entries:
        if entry.matrix == "P" and entry.row == entry.column >= p and entry.parameter < 0 and entry.value > 0:
            latent_sd[entry.row] = float(np.sqrt(entry.value))
    for entry in higher:
        if entry.parameter < 0 and entry.value and entry.column not in latent_sd:
            share = abs(chosen.get((entry.row, entry.column), _HALF))
            latent_sd[entry.column] = share * latent_sd.get(entry.row, 1.0) / abs(entry.value)
    unexplained = np.full(p, 0.5)
    for (row, _), loading in chosen.items():
        if row < p:
            unexplained[row] = 1 - loading**2
    for entry in model.entries:
        if entry.parameter < 0:
            continue
        if np.isfinite(entry.value):
            start = entry.value
        elif entry.matrix == "M":
            start = 0.0 if mean is None or entry.row >= p else mean[entry.row]
        elif entry.matrix == "A":
            start = _loading_start(entry, p, s, sd, latent_sd, anchor, chosen)
        elif entry.row == entry.column:
            start = (
                unexplained[entry.row] * s[entry.row, entry.row]
                if entry.row < p
                else latent_sd.get(entry.row, 0.5) ** 2
            )
        elif (entry.row, entry.column) in chosen:
            spread = latent_sd.get(entry.row, 1.0) * latent_sd.get(entry.column, 1.0)
            start = chosen[entry.row, entry.column] * spread
        else:
            start = 0.0
        theta[entry.parameter] = start
    return theta


def _loading_start(entry: Entry, p: int, s, sd, latent_sd, anchor, chosen) -> float:
    cell, scale = (entry.row, entry.column), latent_sd.get(entry.column, 1.0)
    own = latent_sd.get(entry.row, 1.0) if entry.row >= p else sd[entry.row]
    if cell in chosen:
        return chosen[cell] * own / scale
    if entry.row >= p:  # a factor on a factor
        return _HALF * own / scale
    item, sign = anchor.get(entry.column, (entry.row, 1.0))
    return sign * (-1.0 if s[entry.row, item] < 0 else 1.0) * _HALF * own / scale


def unit_variances(model: Model) -> tuple[Model, Callable[[np.ndarray], np.ndarray]]:
    """Return the model with factors' variances fixed instead of markers' loadings, and what turns parameters back.

    Where a marker belongs to another cluster, its loading passes zero on the way to the minimum, which in units of
    that loading is infinitely far. A marker's loading takes the number of the variance it sets free. Factors that
    others predict, and those with equal parameters or starts of their own, keep their marker.

    Parameters
    ----------
    model : Model
        The structure.

    Returns
    -------
    unit : Model
        The same one where no factor can be turned.
    back : callable
        Takes the parameters of ``unit``, returns those of ``model``.
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
