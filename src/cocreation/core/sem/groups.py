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
from scipy.linalg import LinAlgError

from ...errors import EstimationError
from ..threads import one_thread
from .model import Entry, Model, inverse, score_test, standardize, start_values, total_covariances
from .samples import (
    Moments,
    Sample,
    baseline,
    casewise,
    information_at,
    moment_information,
    patterns,
    point_at,
    samples,
    saturated,
    slopes_of,
    stack_of,
)
from .search import IMPOSSIBLE_START, State, search
from .slopes import curvature, jacobian, response, slopes

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
    "samples",
    "saturated",
]


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
        return inverse(self.information if kind == "expected" else self.observed_information) / self.n_obs

    @cached_property
    def observed_information(self) -> np.ndarray:
        """Observed information of one observation: half the second derivatives of F."""
        total = np.zeros_like(self.information)
        for data, model, mu, sigma, n in zip(self.data, self.models, self.mu, self.sigma, self.n_groups, strict=True):
            j, q, stack = jacobian(model, self.theta), model.n_parameters, stack_of(data)
            point = point_at(stack, mu, sigma)
            inner = information_at(stack, point, "observed")
            if not model.means:
                j, inner = j[model.observed :], inner[model.observed :, model.observed :]
            curved = j.T @ inner @ j + curvature(model, self.theta, *slopes_of(stack, point))
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
    part = _evaluate_group(fitted.data[group], wider, theta, fitted.unrestricted[group].mean)
    n, information = fitted.n_groups[group], part.information
    known = inverse(fitted.information) / fitted.n_obs
    return score_test(-n * part.gradient[q:] / 2, n * np.diag(information)[q:], n * information[q:, :q], known)


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
        return _fit(tuple(data), tuple(models), start, unrestricted, tolerance, iterations)


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
        free, _, evaluate = _discrepancy(tuple(data), tuple(models), unrestricted)
        theta = np.array(theta, dtype=float)
        state = evaluate(theta)
        if state is None:
            raise EstimationError(IMPOSSIBLE_START)
        return _found(tuple(data), tuple(models), theta, state, free, 0)


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
    state = evaluate(theta)
    if state is None:
        raise EstimationError(IMPOSSIBLE_START)
    theta, state, used = search(evaluate, theta, state, tolerance, iterations, 1e-15 * (1 + abs(floor)))
    return _found(data, models, theta, state, free, used)


def _sizes(data) -> np.ndarray:
    return np.array([sum(sample.n for sample in group) for group in data])


def _discrepancy(data, models, free):
    """Return the unrestricted moments, the floor they set, and F with its derivatives as a function of theta."""
    if any(len(group) > 1 and not model.means for group, model in zip(data, models, strict=True)):
        raise ValueError("missing answers need a model with intercepts")
    n, size = _sizes(data), max(model.n_parameters for model in models)
    free = tuple(saturated(group) for group in data) if free is None else tuple(free)
    stacks = [stack_of(group) for group in data]
    floor = sum(-2 * m.logl - stack.constant for m, stack in zip(free, stacks, strict=True)) / n.sum()

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

    return free, floor, evaluate


def _found(data, models, theta, state: State, free, used: int) -> GroupsFit:
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
    stack, index = stack_of(data), model._index
    mu, sigma, d, u, v = slopes(model, theta)
    if not model.means:
        mu = mean
    point = point_at(stack, mu, sigma)
    b, q = slopes_of(stack, point)
    slope = 2 * (u * (q @ v)).sum(axis=0) - 2 * d.T @ b
    information = np.zeros((u.shape[1], u.shape[1]))
    for share, w in zip(stack.share, point.w, strict=True):
        wv = w @ v
        cross = u.T @ wv
        information += share * ((u.T @ (w @ u)) * (v.T @ wv) + cross * cross.T)
    if model.means:
        information += d.T @ np.tensordot(stack.share, point.w, 1) @ d
    return State(point.value, index.pool.T @ slope, index.pool.T @ information @ index.pool, (mu, sigma))
