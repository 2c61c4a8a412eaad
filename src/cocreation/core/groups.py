"""Maximum likelihood of mean structures: several groups, each with its patterns of missing answers.

A group's data are a list of :class:`Sample`, one for each pattern of items answered; complete data
are one. With T = C + (x̄ − μ)(x̄ − μ)ᵀ of the answered items,

    F = Σ over samples of n/N · [ln|Σ| + tr(TΣ⁻¹)]  −  the same at the unrestricted moments,

so N·F is the likelihood-ratio chi-square, with missing answers (FIML) and without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg.lapack import dpotrf

from ..errors import EstimationError
from .ml import Entry, Model, State, _derivative, _inverse, search, standardize, start_values, total_covariances
from .threads import one_thread

__all__ = [
    "GroupsFit",
    "Moments",
    "Sample",
    "Samples",
    "baseline",
    "casewise",
    "factor_scores",
    "fit",
    "implied",
    "jacobian",
    "modification_indices",
    "moment_information",
    "samples",
    "saturated",
]


class Sample(NamedTuple):
    """The respondents of one group who answered the same items.

    ``mean`` and ``cov`` (divisor n) are those of the answered items, whose numbers are ``seen``.
    """

    n: int
    mean: np.ndarray
    cov: np.ndarray
    seen: np.ndarray


class Moments(NamedTuple):
    """Means and covariances of a group, and the log-likelihood of its answers there."""

    mean: np.ndarray
    cov: np.ndarray
    logl: float


class Samples(list):
    """The samples of one group, which also stand in arrays with zeros at the items not answered."""

    @cached_property
    def stack(self) -> _Stack:
        """Return numbers of respondents, what they answered, means and covariances, a layer each sample."""
        p = 1 + max(int(sample.seen.max()) for sample in self)
        found = _Stack(*(np.zeros((len(self), *shape)) for shape in ((), (p,), (p,), (p, p))))
        for k, s in enumerate(self):
            found.n[k], found.seen[k, s.seen], found.mean[k, s.seen] = s.n, 1.0, s.mean
            found.cov[k][np.ix_(s.seen, s.seen)] = s.cov
        return found


class _Stack(NamedTuple):
    n: np.ndarray
    seen: np.ndarray
    mean: np.ndarray
    cov: np.ndarray

    @property
    def share(self) -> np.ndarray:
        return self.n / self.n.sum()

    @property
    def constant(self) -> float:
        """What minus twice the log-likelihood adds to the sum of n·[ln|Σ| + tr(TΣ⁻¹)]."""
        return np.log(2 * np.pi) * float(self.n @ self.seen.sum(axis=1))


class _Point(NamedTuple):
    """The samples seen from moments μ, Σ: Σ⁻¹, x̄ − μ and TΣ⁻¹, a layer each sample, and F without its floor."""

    w: np.ndarray
    off: np.ndarray
    tw: np.ndarray
    value: float


def _stack(data: Sequence[Sample]) -> _Stack:
    return data.stack if isinstance(data, Samples) else Samples(data).stack


def _at(data: _Stack, mean: np.ndarray, cov: np.ndarray) -> _Point:
    """Return the samples seen from these moments; LinAlgError where Σ is not positive definite."""
    if not (np.diag(cov) > 0).all():
        raise LinAlgError
    unit = np.sqrt(np.diag(cov))
    both = data.seen[:, :, None] * data.seen[:, None, :]
    # an item not answered stands for itself, in units in which spreads do not cost digits
    filled = np.where(both > 0, cov / np.outer(unit, unit), np.eye(len(unit)))
    log_det = 2 * np.log(np.linalg.cholesky(filled).diagonal(axis1=1, axis2=2)).sum(axis=1)
    w = np.linalg.inv(filled) * both / np.outer(unit, unit)
    off = (data.mean - mean) * data.seen
    tw = (data.cov + off[:, :, None] * off[:, None, :]) @ w
    log_det += data.seen @ (2 * np.log(unit))
    return _Point(w, off, tw, float(data.share @ (log_det + tw.trace(axis1=1, axis2=2))))


def samples(x: np.ndarray) -> Samples:
    """Return one sample for each pattern of missing answers (NaN); who answered nothing is left out.

    Parameters
    ----------
    x : array, shape (n, p)
    """
    x = np.asarray(x, dtype=float)
    found = Samples()
    for pattern, rows in _patterns(~np.isnan(x)):
        part = x[np.ix_(rows, pattern)]
        mean = part.mean(axis=0)
        found.append(Sample(len(part), mean, (part - mean).T @ (part - mean) / len(part), pattern))
    return found


def _patterns(answered: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the answered items of each pattern and its rows, the most frequent first."""
    kinds, owner, counts = np.unique(answered, axis=0, return_inverse=True, return_counts=True)
    order = [k for k in np.argsort(-counts, kind="stable") if kinds[k].any()]
    return [(np.flatnonzero(kinds[k]), np.flatnonzero(owner.ravel() == k)) for k in order]


def saturated(data: Sequence[Sample]) -> Moments:
    """Return the unrestricted means and covariances (divisor N) of one group and its log-likelihood.

    Raises
    ------
    EstimationError
        If the covariances are not positive definite, or missing answers leave them undetermined.
    """
    stack = _stack(data)
    mean, cov = stack.mean[0], stack.cov[0]
    try:
        if len(data) > 1 or not stack.seen.all():
            mean, cov = _saturated_with_holes(stack)
        return Moments(mean, cov, -(stack.n.sum() * _at(stack, mean, cov).value + stack.constant) / 2)
    except LinAlgError:
        raise _not_positive() from None


def _not_positive() -> EstimationError:
    return EstimationError(
        "The covariance matrix is not positive definite: an item is a sum of others, or there are too few "
        "respondents. Leave the redundant item out."
    )


def _saturated_with_holes(data: _Stack) -> tuple[np.ndarray, np.ndarray]:
    """Scoring on the moments themselves, in units of each item's own mean and deviation."""
    centre, spread = _available(data)
    scaled = data._replace(mean=(data.mean - centre) / spread * data.seen, cov=data.cov / np.outer(spread, spread))
    p = len(centre)
    rows, columns = np.tril_indices(p)

    def unpack(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cov = np.zeros((p, p))
        cov[rows, columns] = cov[columns, rows] = theta[p:]
        return theta[:p], cov

    def evaluate(theta: np.ndarray) -> State | None:
        mean, cov = unpack(theta)
        try:
            point = _at(scaled, mean, cov)
        except LinAlgError:
            return None
        b, q = _slopes(scaled, point)
        slope = np.concatenate([-2 * b, np.where(rows == columns, 1, 2) * q[rows, columns]])
        # with much missing the observed curvature leads faster, where it is one
        curved = _moment_information(scaled, point, "observed")
        if dpotrf(curved)[1]:
            curved = _moment_information(scaled, point)
        return State(point.value, slope, curved, None)

    theta = np.concatenate([np.zeros(p), (rows == columns).astype(float)])
    try:
        theta, _, _ = search(evaluate, theta, evaluate(theta), 1e-15, 500, 1e-13)
    except EstimationError as error:
        raise EstimationError(
            "Missing answers leave the covariances undetermined: some items were hardly ever answered by the same "
            "respondents, or an item is a sum of others. Leave an item with many missing answers out."
        ) from error
    mean, cov = unpack(theta)
    return centre + spread * mean, cov * np.outer(spread, spread)


def _available(data: _Stack) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (divisor n) of each item among those who answered it."""
    weight = data.n[:, None] * data.seen / (data.n @ data.seen)
    mean = (weight * data.mean).sum(axis=0)
    inner = data.cov.diagonal(axis1=1, axis2=2) + (data.mean - mean) ** 2
    return mean, np.sqrt((weight * inner).sum(axis=0))


def baseline(data: Sequence[Sample]) -> Moments:
    """Return the moments of independence: each item's own mean and variance among those who answered it."""
    stack = _stack(data)
    mean, spread = _available(stack)
    cov = np.diag(spread**2)
    return Moments(mean, cov, -(stack.n.sum() * _at(stack, mean, cov).value + stack.constant) / 2)


def _slopes(data: _Stack, point: _Point) -> tuple[np.ndarray, np.ndarray]:
    """Return b and Q: the slopes of F are −2b by the means and Q (both halves of a covariance) by the covariances."""
    b = data.share @ (point.off[:, None] @ point.w)[:, 0]
    return b, np.tensordot(data.share, point.w - point.w @ point.tw, 1)


def moment_information(data: Sequence[Sample], mean: np.ndarray, cov: np.ndarray, kind: str = "expected") -> np.ndarray:
    """Return the information of one observation on the means and the lower triangle of the covariances.

    Parameters
    ----------
    data : sequence of Sample
    mean, cov : arrays, shapes (p,) and (p, p)
        Where to take it.
    kind : {"expected", "observed"}

    Returns
    -------
    array, shape (p + p(p+1)/2, p + p(p+1)/2)
    """
    stack = _stack(data)
    return _moment_information(stack, _at(stack, mean, cov), kind)


def _moment_information(data: _Stack, point: _Point, kind: str = "expected") -> np.ndarray:
    w, share = point.w, data.share
    s, p, _ = w.shape
    z = w / 2 if kind == "expected" else w @ point.tw - w / 2
    flat = (w * share[:, None, None]).reshape(s, -1)
    k = (flat.T @ z.reshape(s, -1)).reshape(p, p, p, p)
    i, j = np.tril_indices(p)
    half = np.where(i == j, 0.5, 1.0)
    i, j, u, v = i[:, None], j[:, None], i[None, :], j[None, :]
    found = np.zeros((p + len(half), p + len(half)))
    found[:p, :p] = np.tensordot(share, w, 1)
    found[p:, p:] = np.outer(half, half) * (k[i, u, j, v] + k[i, v, j, u] + k[j, u, i, v] + k[j, v, i, u])
    if kind == "observed":
        x = (flat.T @ (point.off[:, None] @ w)[:, 0]).reshape(p, p, p)
        found[:p, p:] = half * (x[:, u[0], v[0]] + x[:, v[0], u[0]])
        found[p:, :p] = found[:p, p:].T
    return found


def casewise(x: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """Return each respondent's slope of the log-likelihood by the means and the lower triangle of the covariances.

    Parameters
    ----------
    x : array, shape (n, p)
        Answers, NaN where missing; in every row at least one.

    Returns
    -------
    array, shape (n, p + p(p+1)/2)
    """
    p = len(mean)
    rows, columns = np.tril_indices(p)
    found = np.zeros((len(x), p + len(rows)))
    half = np.where(rows == columns, 0.5, 1.0)
    for seen, who in _patterns(~np.isnan(x)):
        w = np.zeros((p, p))
        w[np.ix_(seen, seen)] = _inverse(cov[np.ix_(seen, seen)])
        e = (x[np.ix_(who, seen)] - mean[seen]) @ w[seen]
        found[who] = np.hstack([e, half * (e[:, rows] * e[:, columns] - w[rows, columns])])
    return found


def factor_scores(x: np.ndarray, model: Model, theta: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """Return the expectation of the latent variables given the answers there are (regression method).

    Parameters
    ----------
    x : array, shape (n, p)
        Answers, NaN where missing; in every row at least one.
    mu : array, shape (p,)
        The means from which the answers deviate.

    Returns
    -------
    array, shape (n, latent)
    """
    p, total = model.observed, total_covariances(model, theta)
    found = np.tile(implied(model, theta)[1][p:], (len(x), 1))
    for seen, who in _patterns(~np.isnan(x)):
        w = _inverse(total[np.ix_(seen, seen)])
        found[who] += (x[np.ix_(who, seen)] - mu[seen]) @ w @ total[seen, p:]
    return found


def implied(model: Model, theta: np.ndarray):
    """Return G (observed rows), all variables' means, and their covariances with the observed, at ``theta``."""
    a, p, m = model._index.matrices(theta)
    inverse = np.linalg.inv(np.eye(len(a)) - a)
    return inverse[: model.observed], inverse @ m, inverse[: model.observed] @ p @ inverse.T


def _moments(model: Model, theta: np.ndarray):
    """Return μ, Σ and, a column for each free entry, dμ and the u and v of dΣ = u·vᵀ + v·uᵀ."""
    index = model._index
    g, nu, h = implied(model, theta)
    sigma = h[:, : model.observed]
    u, v = _derivative(g, h, index.free_row, index.free_column, index.free_kind == "A")
    v[:, index.free_kind == "M"] = 0.0
    weight = np.where(index.free_kind == "A", nu[index.free_column], 1.0 * (index.free_kind == "M"))
    return nu[: model.observed], (sigma + sigma.T) / 2, u * weight, u, v


def jacobian(model: Model, theta: np.ndarray) -> np.ndarray:
    """Return the slopes of means and lower triangle of the covariances by the parameters.

    Returns
    -------
    array, shape (p + p(p+1)/2, parameters)
    """
    _, _, d, u, v = _moments(model, theta)
    rows, columns = np.tril_indices(model.observed)
    return np.vstack([d, u[rows] * v[columns] + v[rows] * u[columns]]) @ model._index.pool


@dataclass(frozen=True)
class GroupsFit:
    """What maximum likelihood found in several groups.

    Attributes
    ----------
    data : tuple of sequences of Sample
    models : tuple of Model
        One a group; equal parameter numbers are equal parameters.
    theta : array, shape (parameters,)
    minimum : float
        F per observation at the optimum, against the unrestricted moments.
    mu, sigma : tuples of arrays, shapes (p,) and (p, p)
        Implied moments, one a group.
    unrestricted : tuple of Moments
        Unrestricted moments, one a group.
    iterations : int
    information : array, shape (parameters, parameters)
        Expected information of one observation.
    """

    data: tuple[Sequence[Sample], ...]
    models: tuple[Model, ...]
    theta: np.ndarray
    minimum: float
    mu: tuple[np.ndarray, ...]
    sigma: tuple[np.ndarray, ...]
    unrestricted: tuple[Moments, ...]
    iterations: int
    information: np.ndarray

    @property
    def n_groups(self) -> tuple[int, ...]:
        """Respondents of each group."""
        return tuple(sum(sample.n for sample in data) for data in self.data)

    @property
    def n_obs(self) -> int:
        """Respondents."""
        return sum(self.n_groups)

    @property
    def chi2(self) -> float:
        """N·F, the likelihood-ratio statistic."""
        return self.n_obs * self.minimum

    @property
    def df(self) -> int:
        """Moments of all groups minus parameters."""
        return sum(model.moments for model in self.models) - len(self.theta)

    @property
    def unrestricted_logl(self) -> float:
        """Log-likelihood of the unrestricted moments."""
        return sum(moments.logl for moments in self.unrestricted)

    @property
    def logl(self) -> float:
        """Log-likelihood of the model."""
        return self.unrestricted_logl - self.chi2 / 2

    @cached_property
    def baseline(self) -> tuple[float, int]:
        """Chi-square and degrees of freedom of independence with free means and variances in every group."""
        chi2 = 2 * (self.unrestricted_logl - sum(baseline(data).logl for data in self.data))
        return chi2, sum(model.observed * (model.observed - 1) // 2 for model in self.models)

    @property
    def covariance(self) -> np.ndarray:
        """The covariance matrix of the estimates, of the expected information."""
        return self.covariance_of("expected")

    def covariance_of(self, kind: str) -> np.ndarray:
        """Return the covariance matrix of the estimates, of the ``"expected"`` or the ``"observed"`` information."""
        return _inverse(self.information if kind == "expected" else self.observed_information) / self.n_obs

    @cached_property
    def observed_information(self) -> np.ndarray:
        """Observed information of one observation: half the second derivatives of F."""
        total = np.zeros_like(self.information)
        for data, model, mu, sigma, n in zip(self.data, self.models, self.mu, self.sigma, self.n_groups, strict=True):
            j, q, stack = jacobian(model, self.theta), model.n_parameters, _stack(data)
            point = _at(stack, mu, sigma)
            inner = _moment_information(stack, point, "observed")
            if not model.means:
                j, inner = j[model.observed :], inner[model.observed :, model.observed :]
            curved = j.T @ inner @ j + _bend(model, self.theta, *_slopes(stack, point))
            total[:q, :q] += n / self.n_obs * curved
        return total

    def total(self, group: int) -> np.ndarray:
        """Return the implied covariances of all variables of a group, observed and latent."""
        return total_covariances(self.models[group], self.theta)

    def standardized(self, group: int) -> tuple[np.ndarray, np.ndarray]:
        """Return A and P of a group with every variable at unit variance."""
        return standardize(self.models[group], self.theta)


def modification_indices(
    fitted: GroupsFit, candidates: Sequence[Entry], *, group: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the score test of each cell of a group that is fixed at zero and the value it would take.

    As :func:`cocreation.core.ml.modification_indices`, from the expected information as lavaan's.
    """
    q, old = len(fitted.theta), fitted.models[group]
    # the parameters there are keep their numbers, the candidates follow
    added = tuple(entry._replace(parameter=q + k, value=0.0) for k, entry in enumerate(candidates))
    wider = Model(old.observed, old.latent, old.entries + added)
    theta = np.concatenate([fitted.theta, np.zeros(len(added))])
    part = _evaluate_group(fitted.data[group], wider, theta, fitted.unrestricted[group].mean)
    share = fitted.n_groups[group] / fitted.n_obs
    score, information = -share * part.gradient[q:] / 2, share * part.information
    own, mixed = np.diag(information)[q:], information[q:, :q]
    left = own - (mixed @ _inverse(fitted.information) * mixed).sum(axis=1)
    left = np.where(left > 1e-9 * own, left, np.nan)
    return fitted.n_obs * score**2 / left, score / left


def _bend(model: Model, theta: np.ndarray, b: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return what the curvature of the moments in the parameters adds to the observed information."""
    index = model._index
    a, p, m = index.matrices(theta)
    inverse = np.linalg.inv(np.eye(len(a)) - a)
    g, t, nu = inverse[: model.observed], inverse @ p @ inverse.T, inverse @ m
    m1, m2, gb = g.T @ q @ g @ p @ inverse.T, g.T @ q @ g, g.T @ b
    kind, r, c = index.free_kind, index.free_row, index.free_column
    path, mutual, intercept = (kind == name for name in "APM")
    found = np.zeros((len(kind), len(kind)))

    def cells(first, second):
        return np.ix_(first, second), r[first][:, None], c[first][:, None], r[second][None], c[second][None]

    at, r1, c1, r2, c2 = cells(path, path)
    found[at] = inverse[c2, r1] * m1[r2, c1] + m2[r1, r2] * t[c2, c1] + m1[r1, c2] * inverse[c1, r2]
    found[at] -= gb[r2] * inverse[c2, r1] * nu[c1] + gb[r1] * inverse[c1, r2] * nu[c2]
    at, r1, c1, r2, c2 = cells(path, mutual)
    found[at] = (m2[r1, r2] * inverse[c1, c2] + m2[r1, c2] * inverse[c1, r2]) * np.where(r2 == c2, 0.5, 1.0)
    at, r1, c1, r2, c2 = cells(path, intercept)
    found[at] = -gb[r1] * inverse[c1, r2]
    found = np.where(path[:, None], found, found.T)
    return index.pool.T @ found @ index.pool


def fit(
    data: Sequence[Sequence[Sample]],
    models: Sequence[Model],
    *,
    start: np.ndarray | None = None,
    unrestricted: Sequence[Moments] | None = None,
    tolerance: float = 1e-13,
    iterations: int = 500,
) -> GroupsFit:
    """Fit one model a group by maximum likelihood; equal parameter numbers are equal parameters.

    Parameters
    ----------
    data : sequence of sequences of Sample
        Each group's data, as :func:`samples` returns them.
    models : sequence of Model
        One a group. Without intercepts the means are left as they are, which complete data allow.
    start : array, shape (parameters,), optional
        Starting values; chosen from the data by default.
    unrestricted : sequence of Moments, optional
        What :func:`saturated` finds, where it is known already.
    tolerance : float
        Stop when the expected gain of the next step in F is below this.
    iterations : int
        The most steps tried.

    Returns
    -------
    GroupsFit

    Raises
    ------
    EstimationError
        As :func:`cocreation.core.ml.fit`, and if missing answers leave the covariances undetermined.
    """
    with one_thread():
        return _fit(tuple(data), tuple(models), start, unrestricted, tolerance, iterations)


def _fit(data, models, start, free, tolerance, iterations) -> GroupsFit:
    size = max(model.n_parameters for model in models)
    moments = sum(model.moments for model in models)
    if any(len(group) > 1 and not model.means for group, model in zip(data, models, strict=True)):
        raise ValueError("missing answers need a model with intercepts")
    if moments < size:
        raise EstimationError(
            f"The model is not identified: {size} free parameters for {moments} sample moments. Fix parameters or "
            "add items."
        )
    n = np.array([sum(sample.n for sample in group) for group in data])
    free = tuple(saturated(group) for group in data) if free is None else tuple(free)
    stacks = [_stack(group) for group in data]
    floor = sum(-2 * m.logl - stack.constant for m, stack in zip(free, stacks, strict=True)) / n.sum()
    theta = _starts(models, free, n, size) if start is None else np.array(start, dtype=float)

    def evaluate(theta: np.ndarray) -> State | None:
        value, slope, information, seen = -floor, np.zeros(size), np.zeros((size, size)), []
        for group, model, unrestricted, share in zip(data, models, free, n / n.sum(), strict=True):
            try:
                part = _evaluate_group(group, model, theta, unrestricted.mean)
            except LinAlgError:
                return None
            q = model.n_parameters
            value += share * part.value
            slope[:q] += share * part.gradient
            information[:q, :q] += share * part.information
            seen.append(part.implied)
        return State(value, slope, information, seen)

    state = evaluate(theta)
    if state is None:
        raise EstimationError(
            "The starting values imply an impossible covariance matrix. Give starting values for the parameters "
            "without a marker item."
        )
    theta, state, used = search(evaluate, theta, state, tolerance, iterations, 1e-15 * (1 + abs(floor)))
    mu, sigma = zip(*state.implied, strict=True)
    return GroupsFit(data, models, theta, max(state.value, 0.0), mu, sigma, free, used, state.information)


def _starts(models, free, n, size) -> np.ndarray:
    """Average over the groups in which a parameter stands."""
    total, weight = np.zeros(size), np.zeros(size)
    for model, moments, count in zip(models, free, n, strict=True):
        numbers = np.unique(model._index.free_parameter)
        total[numbers] += count * start_values(model, moments.cov, moments.mean)[numbers]
        weight[numbers] += count
    return total / np.where(weight > 0, weight, 1.0)


def _evaluate_group(data: Sequence[Sample], model: Model, theta: np.ndarray, mean: np.ndarray) -> State:
    """Return F of one group (without what the unrestricted moments give) and its derivatives."""
    stack, index = _stack(data), model._index
    mu, sigma, d, u, v = _moments(model, theta)
    if not model.means:
        mu = mean
    point = _at(stack, mu, sigma)
    b, q = _slopes(stack, point)
    slope = 2 * (u * (q @ v)).sum(axis=0) - 2 * d.T @ b
    information = np.zeros((u.shape[1], u.shape[1]))
    for share, w in zip(stack.share, point.w, strict=True):
        wv = w @ v
        cross = u.T @ wv
        information += share * ((u.T @ (w @ u)) * (v.T @ wv) + cross * cross.T)
    if model.means:
        information += d.T @ np.tensordot(stack.share, point.w, 1) @ d
    return State(point.value, index.pool.T @ slope, index.pool.T @ information @ index.pool, (mu, sigma))
