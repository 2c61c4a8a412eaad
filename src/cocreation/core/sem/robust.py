"""Standard errors and test statistics that do not rest on normal answers.

All of them compare two matrices on the moments of a group: the information A a normal
likelihood expects and the spread B of the respondents' own slopes (or Γ, of their squares and
products). With Δ the slopes of the moments by the parameters,

    Satorra–Bentler (MLM):  V = (ΔᵀWΔ)⁻¹ ΔᵀWΓWΔ (ΔᵀWΔ)⁻¹,  c = [tr(WΓ) − tr(V ΔᵀWΔ)] / df,
    Huber–White (MLR):      V = A₀⁻¹B₀A₀⁻¹,                c = [tr(A₁⁻¹B₁) − tr(A₀⁻¹B₀)] / df

(Yuan & Bentler 2000 as Mplus computes it), 0 at the model and 1 at the unrestricted moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from ..normal import Layout, Point, casewise, respondents
from .groups import GroupsFit, at
from .model import Entry, Model, inverse
from .samples import Sample, moment_information
from .samples import baseline as independent_moments
from .slopes import jacobian, moment_slopes, slopes

__all__ = ["Answers", "Robust", "corrected_misfit", "huber_white", "independence", "satorra_bentler"]


class Robust(NamedTuple):
    """The covariance matrix of the estimates, and the sum of df by which the scaling factor is divided."""

    covariance: np.ndarray
    trace: float


class Answers(list):
    """The answers of each group, NaN where missing; what no model changes of their spread is worked out once."""

    def __init__(self, x: Sequence[np.ndarray]) -> None:
        super().__init__(x)
        self._gamma: dict[int, np.ndarray] = {}
        self._spread: dict[int, np.ndarray] = {}
        self._inverse: dict[int, np.ndarray] = {}
        self._trace: dict[tuple[int, bool], float] = {}
        self._layout: dict[int, Layout] = {}
        self._complete: dict[tuple[int, bool], Complete] = {}

    def gamma(self, group: int) -> np.ndarray:
        """Return the covariances (divisor n) of a group's answers and of the products of their deviations."""
        if group not in self._gamma:
            self._gamma[group] = _gamma(self[group])
        return self._gamma[group]

    def spread(self, fitted: GroupsFit, group: int) -> np.ndarray:
        """Return the spread B₁ of the slopes at a group's unrestricted moments."""
        if group not in self._spread:
            slopes = casewise(self[group], *fitted.unrestricted[group][:2])
            self._spread[group] = slopes.T @ slopes / len(self[group])
        return self._spread[group]

    def trace(self, fitted: GroupsFit, group: int) -> float:
        """Return tr(A₁⁻¹B₁) of a group; where all is answered, its parts are p and half of kurtosis less p."""
        means = fitted.models[group].means
        if (group, means) not in self._trace:
            mean, cov, _ = fitted.unrestricted[group]
            if not np.isnan(self[group]).any():
                z = self[group] - mean
                kurtosis = ((z @ inverse(cov) * z).sum(axis=1) ** 2).mean()
                self._trace[group, means] = len(mean) * means + (float(kurtosis) - len(mean)) / 2
            else:
                weight = self.inverse_information(fitted, group)
                self._trace[group, means] = float((weight * self.spread(fitted, group)).sum())
        return self._trace[group, means]

    def inverse_information(self, fitted: GroupsFit, group: int) -> np.ndarray:
        """Return A₁⁻¹ of a group, whose model has means."""
        if group not in self._inverse:
            mean, cov, _ = fitted.unrestricted[group]
            self._inverse[group] = _inverse(moment_information(fitted.data[group], mean, cov, "observed"))
        return self._inverse[group]

    def layout(self, group: int) -> Layout:
        """Return the answers of a group, a row a respondent."""
        if group not in self._layout:
            self._layout[group] = respondents(self[group])[0]
        return self._layout[group]

    def complete(self, fitted: GroupsFit, group: int, *, normal: bool) -> Complete:
        """Return what :func:`corrected_misfit` needs of the unrestricted moments."""
        if (group, normal) not in self._complete:
            mean, cov, _ = fitted.unrestricted[group]
            a = moment_information(fitted.data[group], mean, cov, "observed")
            gamma = self.inverse_information(fitted, group)
            if not normal:
                gamma = gamma @ self.spread(fitted, group) @ gamma
            alone = [Sample(1, mean, np.zeros((0, len(mean))), np.arange(len(mean)))]
            w = moment_information(alone, mean, cov)
            self._complete[group, normal] = Complete(a, gamma, w, float((w * gamma).sum()))
        return self._complete[group, normal]


class Complete(NamedTuple):
    """Observed information of unrestricted moments, their errors, the information of complete answers, and tr(WΓ)."""

    a: np.ndarray
    gamma: np.ndarray
    w: np.ndarray
    trace: float


def _answers(x: Sequence[np.ndarray]) -> Answers:
    return x if isinstance(x, Answers) else Answers(x)


def _slopes(fitted: GroupsFit, group: int) -> np.ndarray:
    """Return Δ of one group, a column for every parameter of all groups, without rows a model leaves out."""
    model = fitted.models[group]
    found = np.zeros((model.observed * (model.observed + 3) // 2, len(fitted.theta)))
    found[:, : model.n_parameters] = jacobian(model, fitted.theta)
    return found if model.means else found[model.observed :]


def _kept(fitted: GroupsFit, group: int, matrix: np.ndarray) -> np.ndarray:
    p = 0 if fitted.models[group].means else fitted.models[group].observed
    return matrix[p:, p:]


def satorra_bentler(fitted: GroupsFit, x: Sequence[np.ndarray]) -> Robust:
    """Return the robust covariance of the estimates and the trace of UΓ (Satorra & Bentler 1994).

    Parameters
    ----------
    fitted : GroupsFit
        Of complete data.
    x : sequence of arrays, shapes (n, p)
        The answers of each group.

    Returns
    -------
    Robust
    """
    bread, meat, whole = *np.zeros((2, len(fitted.theta), len(fitted.theta))), 0.0
    x = _answers(x)
    for group, answers in enumerate(x):
        share = len(answers) / fitted.n_obs
        w = _kept(fitted, group, moment_information(fitted.data[group], fitted.mu[group], fitted.sigma[group]))
        gamma, delta = _kept(fitted, group, x.gamma(group)), _slopes(fitted, group)
        wd = w @ delta
        bread += share * delta.T @ wd
        meat += share * wd.T @ gamma @ wd
        whole += np.einsum("ij,ji->", w, gamma)
    naive = inverse(bread)
    return Robust(naive @ meat @ naive / fitted.n_obs, whole - np.einsum("ij,ji->", naive, meat))


def _gamma(x: np.ndarray) -> np.ndarray:
    """Return the covariances (divisor n) of the answers and of the products of their deviations."""
    z = x - x.mean(axis=0)
    rows, columns = np.tril_indices(x.shape[1])
    products = np.hstack([z, z[:, rows] * z[:, columns]])
    products = products - products.mean(axis=0)
    return products.T @ products / len(x)


def huber_white(fitted: GroupsFit, x: Sequence[np.ndarray]) -> Robust:
    """Return the sandwich covariance of the estimates and the Yuan–Bentler trace, with missing answers too.

    Parameters
    ----------
    fitted : GroupsFit
    x : sequence of arrays, shapes (n, p)
        The answers of each group, NaN where missing; in every row at least one.

    Returns
    -------
    Robust
    """
    meat, free, x = np.zeros((len(fitted.theta),) * 2), 0.0, _answers(x)
    for group in range(len(x)):
        slopes = _casewise(fitted, x, group)
        meat[: slopes.shape[1], : slopes.shape[1]] += slopes.T @ slopes / fitted.n_obs
        free += x.trace(fitted, group)
    bread = inverse(fitted.observed_information)
    return Robust(bread @ meat @ bread / fitted.n_obs, free - np.einsum("ij,ji->", bread, meat))


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Return the inverse of a symmetric matrix, by half the work where it is positive definite, as it should be."""
    root, failed = dpotrf(matrix, lower=1)
    if failed:
        return np.linalg.inv(matrix)
    lower = np.tril(dpotri(root, lower=1)[0])
    return lower + np.tril(lower, -1).T


def _casewise(fitted: GroupsFit, x: Answers, group: int) -> np.ndarray:
    """Return the slope of the log-likelihood of each respondent by the parameters, in no order."""
    layout, model = x.layout(group), fitted.models[group]
    point = Point(layout, fitted.mu[group], fitted.sigma[group])
    d, u, v = slopes(model, fitted.theta)[2:]
    found = point.e @ d + (point.e @ u) * (point.e @ v)
    i, j = np.tril_indices(layout.p)
    weights = moment_slopes(d, u, v)[layout.p :] * np.where(i == j, 0.5, 1.0)[:, None]
    expected = np.zeros((len(layout.n), d.shape[1]))
    for patterns, w, _, _ in point.layers():
        expected[patterns] = w[:, i, j] @ weights
    return (found - expected[layout.owner]) @ model._index.pool


def independence(fitted: GroupsFit) -> GroupsFit:
    """Return the fit of the model in which nothing correlates: each item's own mean and variance, without a search.

    Parameters
    ----------
    fitted : GroupsFit
        The fit whose data are taken.

    Returns
    -------
    GroupsFit
    """
    models, found, free = [], [], 0
    for data, model in zip(fitted.data, fitted.models, strict=True):
        moments, p = independent_moments(data), model.observed
        cells = [("P", i, i) for i in range(p)]
        cells += [("M", i, 0) for i in range(p) if model.means]
        models.append(Model(p, 0, tuple(Entry(*cell, free + k) for k, cell in enumerate(cells))))
        found += [np.diag(moments.cov), moments.mean[: p * model.means]]
        free += len(cells)
    return at(fitted.data, models, np.concatenate(found), unrestricted=fitted.unrestricted)


def corrected_misfit(fitted: GroupsFit, x: Sequence[np.ndarray], *, normal: bool) -> tuple[float, float]:
    """Return what complete data would have given for chi-square, and what it would be were the model true.

    Missing answers hide misfit; CFI and RMSEA of FIML therefore rest on the unrestricted moments
    taken for those of complete data (Zhang & Savalei 2023, third version; lavaan's ``robust``).

    Parameters
    ----------
    fitted : GroupsFit
        With means.
    x : sequence of arrays, shapes (n, p)
        The answers of each group, NaN where missing; :class:`Answers` where they are asked again.
    normal : bool
        Whether the answers are taken for normal.

    Returns
    -------
    chi2, expectation : float
    """
    chi2, joint, parts, x = 0.0, np.zeros((len(fitted.theta),) * 2), [], _answers(x)
    for group, n in enumerate(fitted.n_groups):
        mean, cov, _ = fitted.unrestricted[group]
        found = x.complete(fitted, group, normal=normal)
        delta = _slopes(fitted, group)
        joint += n / fitted.n_obs * delta.T @ found.a @ delta
        parts.append((n / fitted.n_obs, delta, found))
        off, w = mean - fitted.mu[group], inverse(fitted.sigma[group])
        gain = np.linalg.slogdet(w @ cov)[1]
        chi2 += n * (np.trace(w @ cov) - gain - len(mean) + off @ w @ off)
    # residual moments are (I − ΔE⁻¹ΔᵀA) of the moments' errors, weighted as complete data would
    steps = [np.linalg.solve(joint, share * delta.T @ found.a) for share, delta, found in parts]
    expectation, spread = 0.0, np.zeros_like(joint)
    for step, (share, delta, found) in zip(steps, parts, strict=True):
        moved = step @ found.gamma
        expectation += found.trace - 2 * float(((found.w @ delta) * moved.T).sum())
        spread += moved @ step.T / share
    for share, delta, found in parts:
        expectation += share * float(((delta.T @ found.w @ delta) * spread).sum())
    return float(chi2), float(expectation)
