"""Maximum-likelihood estimation of covariance structures by Fisher scoring.

A model is a table of path and covariance entries over the observed and the
latent variables (reticular action model): v = A·v + e, Cov(e) = P, so that

    Σ = G·P·Gᵀ,   G = the observed rows of (I − A)⁻¹.

The derivative of Σ by any entry is u·vᵀ + v·uᵀ with two columns that are at
hand, so gradient and expected information cost a few matrix products.
Intercepts m, where a model has them, add the means μ = G·m; such models are
fitted by :mod:`~cocreation.core.groups`, groups and missing answers included.
Variances are not bounded: a negative estimate (Heywood case) is information.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cholesky
from scipy.linalg.lapack import dposv, dpotrf, dpotri

from ..errors import EstimationError
from .threads import one_thread

__all__ = [
    "Entry",
    "MLFit",
    "Model",
    "SimpleFit",
    "State",
    "fit",
    "modification_indices",
    "search",
    "simple_structure",
    "standardize",
    "standardized_entries",
    "start_values",
    "total_covariances",
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
        self.places = np.argsort(self.free_parameter)

    def matrices(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        value = self.value.copy()
        value[self.free] = theta[self.free_parameter]
        a, p, m = np.zeros((self.size, self.size)), np.zeros((self.size, self.size)), np.zeros(self.size)
        (path, to, source), (mutual, row, column), (intercept, variable, _) = self.cells
        a[to, source] = value[path]
        p[row, column] = p[column, row] = value[mutual]
        m[variable] = value[intercept]
        return a, p, m


@dataclass(frozen=True)
class MLFit:
    """What maximum likelihood found.

    Attributes
    ----------
    model : Model
    theta : array, shape (parameters,)
    minimum : float
        F = ln|Σ| + tr(SΣ⁻¹) − ln|S| − p at the optimum.
    sigma : array, shape (p, p)
        The implied covariances.
    sample : array, shape (p, p)
        The covariances that were fitted (divisor N).
    n_obs : int
    iterations : int
    information : array, shape (parameters, parameters)
        Expected information of one observation.
    """

    model: Model
    theta: np.ndarray
    minimum: float
    sigma: np.ndarray
    sample: np.ndarray
    n_obs: int
    iterations: int
    information: np.ndarray

    @property
    def chi2(self) -> float:
        """N·F, lavaan's convention; AMOS multiplies F by N − 1."""
        return self.n_obs * self.minimum

    @property
    def df(self) -> int:
        """Degrees of freedom."""
        return self.model.df

    @cached_property
    def covariance(self) -> np.ndarray:
        """The covariance matrix of the estimates: the inverse of N times the expected information."""
        return _inverse(self.information) / self.n_obs

    @cached_property
    def matrices(self) -> tuple[np.ndarray, np.ndarray]:
        """The estimated path matrix A and (co)variance matrix P over all variables."""
        return self.model.matrices(self.theta)

    @cached_property
    def total(self) -> np.ndarray:
        """The implied covariances of all variables, observed and latent."""
        return total_covariances(self.model, self.theta)

    def standardized(self) -> tuple[np.ndarray, np.ndarray]:
        """Return A and P with every variable at unit variance.

        A covariance of two disturbances is divided by the disturbances' own
        standard deviations, so it is a correlation.
        """
        return standardize(self.model, self.theta)


def total_covariances(model: Model, theta: np.ndarray) -> np.ndarray:
    """Return the implied covariances of all variables, observed and latent, at ``theta``."""
    a, p = model.matrices(theta)
    inverse = np.linalg.inv(np.eye(len(a)) - a)
    return inverse @ p @ inverse.T


def standardize(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the path and (co)variance matrices at ``theta`` with every variable at unit variance.

    A cell is NaN where a variance is negative.
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


def standardized_entries(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every entry with all variables at unit variance, and its slopes by the parameters (delta method).

    Returns
    -------
    value : array, shape (entries,)
        In the order of ``model.entries``; NaN where a variance is negative.
    slope : array, shape (entries, parameters)
    """
    index = model._index
    a, p, _ = index.matrices(theta)
    inverse = np.linalg.inv(np.eye(len(a)) - a)
    total = inverse @ p @ inverse.T
    _, v = _derivative(inverse, total, index.free_row, index.free_column, index.free_path)
    v[:, index.free_kind == "M"] = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        sd, own = np.sqrt(np.diag(total)), np.sqrt(np.diag(p))
        stretch = inverse[:, index.free_row] * v / np.diag(total)[:, None] @ index.pool  # of the logarithm of each sd
        unit = np.zeros((len(index.kind), len(index.free_kind)))
        unit[np.flatnonzero(index.free), np.arange(len(index.free_kind))] = 1.0
        unit = unit @ index.pool
        variance = (index.kind == "P") & (index.row == index.column)
        change = np.zeros((index.size, unit.shape[1]))  # half the slope of the logarithm of each own variance
        change[index.row[variance]] = unit[variance] / np.diag(p)[index.row[variance], None] / 2
        i, j, raw = index.row, index.column, index.value.copy()
        raw[index.free] = theta[index.free_parameter]
        scale = np.where(index.kind == "M", 1 / sd[i], 1 / (own[i] * own[j]))
        scale = np.where(index.kind == "A", sd[j] / sd[i], scale)
        scale[variance] = 1 / np.diag(total)[i[variance]]
        shift = np.where((index.kind == "A")[:, None], stretch[j] - stretch[i], -stretch[i])
        mutual = (index.kind == "P") & ~variance
        shift[mutual] = -(change[i] + change[j])[mutual]
        shift[variance] *= 2
        value = np.where(raw == 0, 0.0, raw * scale)
        slope = unit * scale[:, None] + value[:, None] * shift
    slope[(raw == 0) & ~index.free] = 0.0  # zero in any unit
    order = np.argsort(index.order)
    return value[order], slope[order]


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Invert a matrix of positive diagonal in units in which that is 1, so that spreads do not cost digits."""
    unit = np.sqrt(np.diag(matrix))
    return np.linalg.inv(matrix / np.outer(unit, unit)) / np.outer(unit, unit)


class State(NamedTuple):
    """A point of the search: F, its slope, half its expected curvature, and what is implied there."""

    value: float
    gradient: np.ndarray
    information: np.ndarray
    implied: object


def _columns(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Σ and, a column for each free entry, the u and v of dΣ = u·vᵀ + v·uᵀ."""
    index = model._index
    g, h = _response(model, theta)
    sigma = h[:, : model.observed]
    return (sigma + sigma.T) / 2, *_derivative(g, h, index.free_row, index.free_column, index.free_path)


def _response(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how the observed respond to each disturbance, and their covariances with all variables."""
    a, p = model.matrices(theta)
    inverse = np.linalg.inv(np.eye(len(a)) - a)
    g = inverse[: model.observed]
    return g, g @ p @ inverse.T


def _derivative(g, h, row, column, is_path) -> tuple[np.ndarray, np.ndarray]:
    v = np.where(is_path, h[:, column], g[:, column])
    v[:, ~is_path & (row == column)] *= 0.5
    return g[:, row], v


def _evaluate(model: Model, theta: np.ndarray, s: np.ndarray, log_det_s: float) -> State | None:
    """Return F with its derivatives at theta, or None where Σ is not positive definite."""
    sigma, u, v = _columns(model, theta)
    # LAPACK by name: what scipy checks on the way costs more than the work
    factor, failed = dpotrf(sigma, lower=1)
    if failed or not np.isfinite(sigma).all():
        return None
    w = dpotri(factor, lower=1)[0]
    w = np.tril(w) + np.tril(w, -1).T
    ws = w @ s
    value = 2 * np.log(np.diag(factor)).sum() + np.trace(ws) - log_det_s - model.observed
    wu, wv = w @ u, w @ v
    gradient = 2 * ((u * wv).sum(axis=0) - (wu * (s @ wv)).sum(axis=0))
    cross = u.T @ wv
    information = (u.T @ wu) * (v.T @ wv) + cross * cross.T
    index = model._index
    if index.shared:
        gradient, information = index.pool.T @ gradient, index.pool.T @ information @ index.pool
    else:
        gradient, information = gradient[index.places], information[np.ix_(index.places, index.places)]
    return State(value, gradient, information, sigma)


def start_values(model: Model, s: np.ndarray, mean: np.ndarray | None = None) -> np.ndarray:
    """Return starts in the units of the data: loadings that share half of each item's variance, with its sign.

    Items' intercepts start at their ``mean``, factors' at zero.
    """
    p = model.observed
    sd = np.sqrt(np.diag(s))
    theta = np.zeros(model.n_parameters)
    loadings = [e for e in model.entries if e.matrix == "A" and e.row < p <= e.column]
    higher = [e for e in model.entries if e.matrix == "A" and min(e.row, e.column) >= p]
    anchor: dict[int, tuple[int, float]] = {}
    latent_sd: dict[int, float] = {}
    for entry in loadings:
        fixed = entry.parameter < 0 and entry.value != 0
        if fixed or entry.column not in anchor:
            anchor[entry.column] = (entry.row, np.sign(entry.value) if fixed else 1.0)
        if fixed:
            latent_sd[entry.column] = 0.7 * sd[entry.row] / abs(entry.value)
    for entry in model.entries:
        if entry.matrix == "P" and entry.row == entry.column >= p and entry.parameter < 0 and entry.value > 0:
            latent_sd[entry.row] = float(np.sqrt(entry.value))
    for entry in higher:
        if entry.parameter < 0 and entry.value and entry.column not in latent_sd:
            latent_sd[entry.column] = 0.7 * latent_sd.get(entry.row, 1.0) / abs(entry.value)
    for entry in model.entries:
        if entry.parameter < 0:
            continue
        if np.isfinite(entry.value):
            start = entry.value
        elif entry.matrix == "M":
            start = 0.0 if mean is None or entry.row >= p else mean[entry.row]
        elif entry.matrix == "A":
            start = _loading_start(entry, p, s, sd, latent_sd, anchor)
        elif entry.row == entry.column:
            start = 0.5 * s[entry.row, entry.row] if entry.row < p else latent_sd.get(entry.row, 0.5) ** 2
        else:
            start = 0.0
        theta[entry.parameter] = start
    return theta


def _loading_start(entry: Entry, p: int, s, sd, latent_sd, anchor) -> float:
    scale = latent_sd.get(entry.column, 1.0)
    if entry.row >= p:  # a factor on a factor
        return 0.7 * latent_sd.get(entry.row, 1.0) / scale
    item, sign = anchor.get(entry.column, (entry.row, 1.0))
    sign *= -1.0 if s[entry.row, item] < 0 else 1.0
    return sign * 0.7 * sd[entry.row] / scale


def fit(
    s: np.ndarray,
    n_obs: int,
    model: Model,
    *,
    start: np.ndarray | None = None,
    tolerance: float = 1e-13,
    iterations: int = 500,
) -> MLFit:
    """Fit a covariance structure by maximum likelihood.

    Parameters
    ----------
    s : array, shape (p, p)
        Sample covariances, divisor N.
    n_obs : int
        Respondents.
    model : Model
        The structure.
    start : array, shape (parameters,), optional
        Starting values; chosen from the data by default.
    tolerance : float
        Stop when the expected gain of the next step in F is below this.
    iterations : int
        The most steps tried.

    Returns
    -------
    MLFit
        ``.chi2`` (N·F), ``.df``, ``.theta``, ``.sigma``, ``.standardized()``, …

    Raises
    ------
    EstimationError
        If the covariances are not positive definite, the model has more
        parameters than moments, the parameters are not identified, or the
        search does not converge. Never returns a half-converged fit.
    """
    s = np.asarray(s, dtype=float)
    try:
        log_det_s = 2 * np.log(np.diag(cholesky(s))).sum()
    except (LinAlgError, ValueError) as error:
        raise EstimationError(
            "The covariance matrix is not positive definite: an item is a sum of others, or there are too few "
            "respondents. Leave the redundant item out."
        ) from error
    if model.df < 0:
        raise EstimationError(
            f"The model is not identified: {model.n_parameters} free parameters for "
            f"{model.n_parameters + model.df} sample moments. Fix parameters or add items."
        )
    with one_thread():
        theta = start_values(model, s) if start is None else np.array(start, dtype=float)
        state = _evaluate(model, theta, s, log_det_s)
        if state is None:
            raise EstimationError(
                "The starting values imply an impossible covariance matrix. Give starting values for the parameters "
                "without a marker item."
            )
        theta, state, used = search(
            lambda theta: _evaluate(model, theta, s, log_det_s), theta, state, tolerance, iterations
        )
    return MLFit(model, theta, max(state.value, 0.0), state.implied, s, n_obs, used, state.information)


def search(evaluate: Callable, theta: np.ndarray, state: State, tolerance: float, iterations: int, slack=1e-15):
    """Fisher scoring with a Levenberg–Marquardt ridge that vanishes as the steps succeed.

    ``evaluate(theta)`` returns a :class:`State` or None where nothing is defined; ``slack``
    is the rounding error of its value. Returns theta, the state there and the steps used.
    """
    ridge = 0.0
    for used in range(1, iterations + 1):
        scale = np.diag(state.information)
        if not np.isfinite(scale).all() or (scale <= 0).any():
            raise _not_identified(len(theta))
        root = np.sqrt(scale)
        unit = state.information / np.outer(root, root)
        unit.flat[:: len(theta) + 1] += ridge
        # F's expected Hessian is twice the information of one observation, which `information` is
        _, step, failed = dposv(unit, state.gradient / root / -2, lower=1)
        if failed:
            if ridge > 1e3:
                raise _not_identified(len(theta))
            ridge = max(10 * ridge, 1e-8)
            continue
        step /= root
        gain = -(state.gradient @ step)
        if gain < tolerance:
            return _finish(theta, state, used)
        size, better = 1.0, None
        while size > 1e-4:
            trial = evaluate(theta + size * step)
            if trial is not None and trial.value <= state.value - 1e-4 * size * gain + slack:
                better = trial
                break
            size /= 2
        if better is None:
            if ridge > 1e6:
                break
            ridge = max(10 * ridge, 1e-4)
            continue
        theta, state = theta + size * step, better
        ridge = ridge / 10 if size == 1.0 and ridge > 1e-7 else (0.0 if size == 1.0 else ridge)
    raise EstimationError(
        f"The model did not converge in {iterations} iterations. It asks more of the data than they hold: check for "
        "factors of two items, nearly perfectly correlated factors, or too few respondents."
    )


def _finish(theta, state, used):
    scale = np.sqrt(np.diag(state.information))
    smallest = np.linalg.eigvalsh(state.information / np.outer(scale, scale))[0]
    if smallest < 1e-9:
        raise _not_identified(len(theta))
    return theta, state, used


def _not_identified(parameters: int) -> EstimationError:
    return EstimationError(
        f"The model is not identified: its {parameters} parameters are not determined by the covariances, so "
        "many different solutions fit alike. Give every factor at least three items (or two and a correlated factor) "
        "and a fixed scale, or set parameters equal."
    )


def modification_indices(fitted: MLFit, candidates: Sequence[Entry]) -> tuple[np.ndarray, np.ndarray]:
    """Return the score test of each cell that is fixed at zero and the value it would take.

    Parameters
    ----------
    fitted : MLFit
        A converged fit.
    candidates : sequence of Entry
        Cells not in the model.

    Returns
    -------
    index : array, shape (candidates,)
        The expected fall of chi-square (N·F), from the expected information.
    change : array, shape (candidates,)
        The expected parameter change. Both are NaN where a cell is not
        identified beside the others.
    """
    model, theta = fitted.model, fitted.theta
    pooled = model._index
    g, h = _response(model, theta)
    _, u, v = _columns(model, theta)
    row = np.array([entry.row for entry in candidates])
    column = np.array([entry.column for entry in candidates])
    is_path = np.array([entry.matrix == "A" for entry in candidates])
    cu, cv = _derivative(g, h, row, column, is_path)
    w = _inverse(fitted.sigma)
    q = w - w @ fitted.sample @ w
    score = -fitted.n_obs * (cu * (q @ cv)).sum(axis=0)
    wcu, wcv = w @ cu, w @ cv
    own = (cu * wcu).sum(axis=0) * (cv * wcv).sum(axis=0) + (cu * wcv).sum(axis=0) ** 2
    mixed = ((u.T @ wcu) * (v.T @ wcv) + (u.T @ wcv) * (v.T @ wcu)).T @ pooled.pool
    left = own - (mixed @ _inverse(fitted.information) * mixed).sum(axis=1)
    left = np.where(left > 1e-9 * own, left, np.nan) * fitted.n_obs
    return score**2 / left, score / left


@dataclass(frozen=True)
class SimpleFit:
    """A correlated-factors fit in the numbers a calibration needs.

    Attributes
    ----------
    loadings : array, shape (p,)
        Standardized loading of each item on its own factor.
    phi : array, shape (k, k)
        Factor correlations.
    chi2, df, baseline_chi2, baseline_df : float
        N·F of the model and of the model of independence.
    full : MLFit
    """

    loadings: np.ndarray
    phi: np.ndarray
    chi2: float
    df: int
    baseline_chi2: float
    baseline_df: int
    full: MLFit


def simple_structure(s: np.ndarray, n_obs: int, groups: Sequence[Sequence[int]]) -> SimpleFit:
    """Fit correlated factors with simple structure: each item loads on its group's factor only.

    Parameters
    ----------
    s : array, shape (p, p)
        Sample covariances, divisor N; a correlation matrix gives the same
        chi-square and standardized loadings.
    n_obs : int
        Respondents.
    groups : sequence of sequences of int
        Column numbers of each factor's items, each of 0 … p−1 once.

    Returns
    -------
    SimpleFit

    Raises
    ------
    EstimationError
        As :func:`fit`.

    Examples
    --------
    >>> import numpy as np
    >>> phi = np.array([[1, .5], [.5, 1]])
    >>> lam = np.kron(np.eye(2), np.array([[.8], [.7], [.6]]))
    >>> sigma = lam @ phi @ lam.T
    >>> np.fill_diagonal(sigma, 1)
    >>> fitted = simple_structure(sigma, 200, [[0, 1, 2], [3, 4, 5]])
    >>> fitted.loadings.round(3)
    array([0.8, 0.7, 0.6, 0.8, 0.7, 0.6])
    """
    s = np.asarray(s, dtype=float)
    model = Model.correlated(groups)
    full = fit(s, n_obs, model)
    p = len(s)
    paths, covariances = full.standardized()
    owner = {item: p + f for f, group in enumerate(groups) for item in group}
    loadings = np.array([paths[item, owner[item]] for item in range(p)])
    phi = covariances[p:, p:]
    signs = np.array([np.sign(loadings[list(group)].sum()) or 1.0 for group in groups])
    loadings = loadings * np.array([signs[owner[item] - p] for item in range(p)])
    baseline = n_obs * (np.log(np.diag(s)).sum() - np.linalg.slogdet(s)[1])
    return SimpleFit(
        loadings, phi * np.outer(signs, signs), full.chi2, full.df, float(baseline), p * (p - 1) // 2, full
    )
