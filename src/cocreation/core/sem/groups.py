"""Maximum likelihood of mean structures: several groups, each with its patterns of missing answers.

A group's data are its :mod:`~cocreation.core.sem.samples`. F is their likelihood at the implied
moments less the same at the unrestricted ones, so N·F is the likelihood-ratio chi-square, with
missing answers (FIML) and without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.linalg.lapack import dpotrf, dpotrs

from ...errors import EstimationError
from ..normal import Point, casewise, patterns
from ..threads import one_thread
from .model import Entry, Model, inverse, score_test, standardize, start_values, total_covariances
from .samples import Moments, Sample, Samples, baseline, moment_information, point_at, samples, saturated
from .search import IMPOSSIBLE_START, State, descend, determined, search
from .slopes import _information, _of_candidates, _of_complete, _slope, curvature, jacobian, response, slopes

__all__ = [
    "GroupsFit",
    "Moments",
    "Sample",
    "at",
    "baseline",
    "casewise",
    "factor_scores",
    "fit",
    "jacobian",
    "modification_indices",
    "moment_information",
    "point_at",
    "samples",
    "saturated",
]


#: patterns times moments of items squared, from which on the expected information is not taken at every step
_COSTLY = 2e8
#: share of missing answers from which on the information of complete ones misleads
_MANY_GAPS = 0.08


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
    """

    data: tuple[Sequence[Sample], ...]
    models: tuple[Model, ...]
    theta: np.ndarray
    minimum: float
    mu: tuple[np.ndarray, ...]
    sigma: tuple[np.ndarray, ...]
    unrestricted: tuple[Moments, ...]
    iterations: int

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
        return inverse(self.information if kind == "expected" else self.observed_information) / self.n_obs

    @cached_property
    def information(self) -> np.ndarray:
        """Expected information of one observation."""
        return self._information("expected")

    @cached_property
    def observed_information(self) -> np.ndarray:
        """Observed information of one observation: half the second derivatives of F."""
        return self._information("observed")

    def _information(self, kind: str) -> np.ndarray:
        total = np.zeros((len(self.theta), len(self.theta)))
        for data, model, mu, sigma, n in zip(self.data, self.models, self.mu, self.sigma, self.n_groups, strict=True):
            point, q, pool = point_at(data, mu, sigma), model.n_parameters, model._index.pool
            entries = slopes(model, self.theta)[2:]
            curved = pool.T @ _information(point, entries, entries, kind) @ pool
            if kind == "observed":
                curved += curvature(model, self.theta, point.b, point.q)
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

    As :func:`cocreation.core.sem.ml.modification_indices`, from the expected information as lavaan's.

    Parameters
    ----------
    fitted : GroupsFit
        A converged fit.
    candidates : sequence of Entry
        Cells not in the model.
    group : int
        The group's number.

    Returns
    -------
    index, change : array, shape (candidates,)
        NaN where a cell is not identified beside the others.
    """
    q, old = len(fitted.theta), fitted.models[group]
    # the parameters there are keep their numbers, the candidates follow
    added = tuple(entry._replace(parameter=q + k, value=0.0) for k, entry in enumerate(candidates))
    wider = Model(old.observed, old.latent, old.entries + added)
    theta = np.concatenate([fitted.theta, np.zeros(len(added))])
    index, known = wider._index, inverse(fitted.information) / fitted.n_obs
    n, entries = fitted.n_groups[group], slopes(wider, theta)[2:]
    # an entry each, in the order of their numbers
    places = np.argsort(index.free_parameter, kind="stable")[len(index.free_parameter) - len(added) :]
    new = tuple(part[:, places] for part in entries)
    point = point_at(fitted.data[group], fitted.mu[group], fitted.sigma[group])
    mixed, own = _of_candidates(point, new, entries)
    return score_test(-n * _slope(point, new) / 2, n * own, n * mixed @ index.pool[:, :q], known)


def factor_scores(x: np.ndarray, model: Model, theta: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """Return the expectation of the latent variables given the answers there are (regression method).

    Parameters
    ----------
    x : array, shape (n, p)
        Answers, NaN where missing; in every row at least one.
    model : Model
        The structure.
    theta : array, shape (parameters,)
        The estimates.
    mu : array, shape (p,)
        The means from which the answers deviate.

    Returns
    -------
    array, shape (n, latent)
    """
    p, total = model.observed, total_covariances(model, theta)
    found = np.tile(response(model, theta)[1][p:], (len(x), 1))
    for seen, who in patterns(~np.isnan(x)):
        w = inverse(total[np.ix_(seen, seen)])
        found[who] += (x[np.ix_(who, seen)] - mu[seen]) @ w @ total[seen, p:]
    return found


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
        As :func:`cocreation.core.sem.ml.fit`, and if missing answers leave the covariances undetermined.
    """
    with one_thread():
        return _fit(tuple(map(_kept, data)), tuple(models), start, unrestricted, tolerance, iterations)


def at(
    data: Sequence[Sequence[Sample]],
    models: Sequence[Model],
    theta: np.ndarray,
    *,
    unrestricted: Sequence[Moments] | None = None,
) -> GroupsFit:
    """Return what :func:`fit` would, where the minimum is known: evaluated there once, with no search.

    Parameters
    ----------
    data, models, unrestricted
        As :func:`fit`.
    theta : array, shape (parameters,)
        The estimates, as another search or a formula gave them.

    Returns
    -------
    GroupsFit

    Raises
    ------
    EstimationError
        If the estimates imply impossible covariances, or missing answers leave those of the answers undetermined.
    """
    with one_thread():
        data = tuple(map(_kept, data))
        free, _, evaluate = _discrepancy(data, tuple(models), unrestricted)
        theta = np.array(theta, dtype=float)
        state = evaluate(theta, exact=False)
        if state is None:
            raise EstimationError(IMPOSSIBLE_START)
        return _found(data, tuple(models), theta, state, free, 0)


def _fit(data, models, start, free, tolerance, iterations) -> GroupsFit:
    size = max(model.n_parameters for model in models)
    moments = sum(model.moments for model in models)
    if moments < size:
        raise EstimationError(
            f"The model is not identified: {size} free parameters for {moments} sample moments. Fix parameters or "
            "add items."
        )
    free, floor, evaluate = _discrepancy(data, models, free)
    theta = _starts(models, free, _sizes(data), size) if start is None else np.array(start, dtype=float)
    layouts = [group.layout for group in data]
    costly = any(len(rows.n) > rows.p and len(rows.n) * rows.p**4 > _COSTLY for rows in layouts)
    state = evaluate(theta, exact=not costly)
    if state is None:
        raise EstimationError(IMPOSSIBLE_START)
    slack = 1e-15 * (1 + abs(floor))
    if not costly:
        theta, state, used = search(evaluate, theta, state, tolerance, iterations, slack)
        return _found(data, models, theta, state, free, used)
    answered = sum(rows.n @ rows.seen.mean(axis=1) for rows in layouts) / sum(rows.total for rows in layouts)
    theta, state, used = _search_roughly(evaluate, theta, state, 1 - answered, iterations, slack)
    found = _found(data, models, theta, state, free, used)
    determined(found.information)
    return found


def _search_roughly(evaluate, theta, state: State, gaps: float, iterations: int, slack: float):
    """Search with the information of complete answers, which costs little, and look at the end with the right one.

    Where much is missing it says too much; once near the end, it is brought to what the answers there are say.
    """

    def rough(theta: np.ndarray) -> State | None:
        return evaluate(theta, exact=False)

    curved = rough
    theta, state, used = search(rough, theta, state, 1e-4, iterations, slack)
    if gaps > _MANY_GAPS:
        exact = determined(evaluate(theta).information)
        lower, upper = (cholesky(each, lower=True) for each in (state.information, exact))
        stretch = solve_triangular(lower, upper.T, trans=1, lower=True).T

        def curved(theta: np.ndarray) -> State | None:
            state = rough(theta)
            return state and state._replace(information=stretch @ state.information @ stretch.T)

        state = state._replace(information=exact)

    def look(theta: np.ndarray):
        state = curved(theta)
        if state is None or (factor := dpotrf(state.information, lower=1))[1]:
            return None
        return state.value, state.gradient, lambda slope: dpotrs(factor[0], slope / 2, lower=1)[0]

    # where the model misfits no information is the curvature, which is learned; as the expected gain is not exact,
    # what is asked of it is far below what F can show
    theta, _ = descend(look, theta, 1e-18, iterations, slack)
    state = curved(theta)
    theta, state, more = search(curved, theta, state, 1e-18, iterations, slack)
    return theta, state, used + more


def _sizes(data) -> np.ndarray:
    return np.array([sum(sample.n for sample in group) for group in data])


def _discrepancy(data, models, free):
    """Return the unrestricted moments, the floor they set, and F with its derivatives as a function of theta."""
    if any(len(group) > 1 and not model.means for group, model in zip(data, models, strict=True)):
        raise ValueError("missing answers need a model with intercepts")
    n, size = _sizes(data), max(model.n_parameters for model in models)
    free = tuple(saturated(group) for group in data) if free is None else tuple(free)
    floor = sum(-2 * m.logl - group.layout.constant for m, group in zip(free, data, strict=True)) / n.sum()

    def evaluate(theta: np.ndarray, *, exact: bool = True) -> State | None:
        value, slope, information, seen = -floor, np.zeros(size), np.zeros((size, size)), []
        for group, model, unrestricted, share in zip(data, models, free, n / n.sum(), strict=True):
            try:
                part = _evaluate_group(group, model, theta, unrestricted.mean, exact=exact)
            except LinAlgError:
                return None
            q = model.n_parameters
            value += share * part.value
            slope[:q] += share * part.gradient
            information[:q, :q] += share * part.information
            seen.append(part.implied)
        return State(value, slope, information, seen)

    return free, floor, evaluate


def _found(data, models, theta, state: State, free, used: int) -> GroupsFit:
    mu, sigma = zip(*state.implied, strict=True)
    return GroupsFit(data, models, theta, max(state.value, 0.0), mu, sigma, free, used)


def _starts(models, free, n, size) -> np.ndarray:
    """Average over the groups in which a parameter stands."""
    total, weight = np.zeros(size), np.zeros(size)
    for model, moments, count in zip(models, free, n, strict=True):
        numbers = np.unique(model._index.free_parameter)
        total[numbers] += count * start_values(model, moments.cov, moments.mean)[numbers]
        weight[numbers] += count
    return total / np.where(weight > 0, weight, 1.0)


def _evaluate_group(data: Samples, model: Model, theta: np.ndarray, mean: np.ndarray, *, exact: bool = True) -> State:
    """Return F of one group (without what the unrestricted moments give) and its derivatives.

    Not ``exact``, the information is that which complete answers would have.
    """
    mu, sigma, *entries = slopes(model, theta)
    if not model.means:
        mu = mean
    # only what is asked again at the same place is worth remembering
    point = point_at(data, mu, sigma) if exact else Point(data.layout, mu, sigma)
    information = _information(point, entries, entries) if exact else _of_complete(inverse(sigma), entries)
    pool = model._index.pool
    return State(point.value, pool.T @ _slope(point, entries), pool.T @ information @ pool, (mu, sigma))


def _kept(data: Sequence[Sample]) -> Samples:
    return data if isinstance(data, Samples) else Samples(data)
