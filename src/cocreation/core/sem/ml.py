"""Maximum-likelihood estimation of covariance structures by Fisher scoring.

A model is a table of entries (:mod:`~cocreation.core.sem.model`). The derivative of Σ
by any of them is u·vᵀ + v·uᵀ, so gradient and expected information cost a few matrix
products. Models with means, several groups or missing answers are fitted by
:mod:`~cocreation.core.sem.groups`, with the same search.
Variances are not bounded: a negative estimate (Heywood case) is information.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from scipy.linalg import LinAlgError, cholesky
from scipy.linalg.lapack import dpotrf, dpotri

from ...errors import EstimationError
from ..threads import one_thread
from .fit import baseline_minimum
from .model import Entry, Model, inverse, score_test, standardize, start_values, total_covariances
from .search import IMPOSSIBLE_START, NOT_POSITIVE, State, search
from .slopes import columns, derivative, response, standardized_entries
from .starts import optima

__all__ = [
    "Entry",
    "MLFit",
    "Model",
    "SimpleFit",
    "fit",
    "modification_indices",
    "simple_structure",
    "standardize",
    "standardized_entries",
    "start_values",
    "total_covariances",
]


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
        return inverse(self.information) / self.n_obs

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


def _evaluate(model: Model, theta: np.ndarray, s: np.ndarray, log_det_s: float) -> State | None:
    """Return F with its derivatives at theta, or None where Σ is not positive definite."""
    sigma, u, v = columns(model, theta)
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
        raise EstimationError(NOT_POSITIVE) from error
    if model.df < 0:
        raise EstimationError(
            f"The model is not identified: {model.n_parameters} free parameters for "
            f"{model.n_parameters + model.df} sample moments. Fix parameters or add items."
        )
    if not model.n_parameters:
        raise EstimationError("The model leaves nothing to estimate: every parameter is fixed. Free one.")
    with one_thread():
        theta = start_values(model, s) if start is None else np.array(start, dtype=float)
        state = _evaluate(model, theta, s, log_det_s)
        if state is None:
            raise EstimationError(IMPOSSIBLE_START)
        theta, state, used = search(
            lambda theta: _evaluate(model, theta, s, log_det_s), theta, state, tolerance, iterations
        )
    return MLFit(model, theta, max(state.value, 0.0), state.implied, s, n_obs, used, state.information)


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
    g, _, h = response(model, theta)
    _, u, v = columns(model, theta)
    row = np.array([entry.row for entry in candidates])
    column = np.array([entry.column for entry in candidates])
    is_path = np.array([entry.matrix == "A" for entry in candidates])
    cu, cv = derivative(g, h, row, column, is_path)
    w = inverse(fitted.sigma)
    q = w - w @ fitted.sample @ w
    score = -(cu * (q @ cv)).sum(axis=0)
    wcu, wcv = w @ cu, w @ cv
    own = (cu * wcu).sum(axis=0) * (cv * wcv).sum(axis=0) + (cu * wcv).sum(axis=0) ** 2
    mixed = ((u.T @ wcu) * (v.T @ wcv) + (u.T @ wcv) * (v.T @ wcu)).T @ pooled.pool
    n = fitted.n_obs
    return score_test(n * score, n * own, n * mixed, inverse(fitted.information) / n)


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
    full = optima(partial(fit, s, n_obs), model, s).lowest
    p = len(s)
    paths, covariances = full.standardized()
    owner = {item: p + f for f, group in enumerate(groups) for item in group}
    loadings = np.array([paths[item, owner[item]] for item in range(p)])
    phi = covariances[p:, p:]
    signs = np.array([np.sign(loadings[list(group)].sum()) or 1.0 for group in groups])
    loadings = loadings * np.array([signs[owner[item] - p] for item in range(p)])
    baseline = n_obs * baseline_minimum(s)
    return SimpleFit(loadings, phi * np.outer(signs, signs), full.chi2, full.df, baseline, p * (p - 1) // 2, full)
