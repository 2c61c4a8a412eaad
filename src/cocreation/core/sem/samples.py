"""The answers of a group, pattern by pattern of what was answered, and what a normal likelihood makes of them.

Everything here is about moments μ and Σ, whatever model implies them. With
T = C + (x̄ − μ)(x̄ − μ)ᵀ of the items a sample answered, the likelihood is

    F = Σ over samples of n/N · [ln|Σ| + tr(TΣ⁻¹)].
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg.lapack import dpotrf

from ...errors import EstimationError
from ..moments import covariance
from .model import inverse
from .search import NOT_POSITIVE, State, search

__all__ = [
    "Moments",
    "Point",
    "Sample",
    "Samples",
    "Stack",
    "baseline",
    "casewise",
    "information_at",
    "moment_information",
    "patterns",
    "point_at",
    "samples",
    "saturated",
    "slopes_of",
    "stack_of",
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
    def stack(self) -> Stack:
        """Return numbers of respondents, what they answered, means and covariances, a layer each sample."""
        p = 1 + max(int(sample.seen.max()) for sample in self)
        found = Stack(*(np.zeros((len(self), *shape)) for shape in ((), (p,), (p,), (p, p))))
        for k, s in enumerate(self):
            found.n[k], found.seen[k, s.seen], found.mean[k, s.seen] = s.n, 1.0, s.mean
            found.cov[k][np.ix_(s.seen, s.seen)] = s.cov
        return found


class Stack(NamedTuple):
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


class Point(NamedTuple):
    """The samples seen from moments μ, Σ: Σ⁻¹, x̄ − μ and TΣ⁻¹, a layer each sample, and F without its floor."""

    w: np.ndarray
    off: np.ndarray
    tw: np.ndarray
    value: float


def stack_of(data: Sequence[Sample]) -> Stack:
    """Return the samples of one group as arrays with a layer each.

    Parameters
    ----------
    data : sequence of Sample
        One group, as :func:`samples` returns it.

    Returns
    -------
    Stack
    """
    return data.stack if isinstance(data, Samples) else Samples(data).stack


def point_at(data: Stack, mean: np.ndarray, cov: np.ndarray) -> Point:
    """Return the samples seen from these moments.

    Parameters
    ----------
    data : Stack
        One group's samples.
    mean, cov : arrays, shapes (p,) and (p, p)
        The moments.

    Returns
    -------
    Point

    Raises
    ------
    LinAlgError
        Where Σ is not positive definite.
    """
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
    return Point(w, off, tw, float(data.share @ (log_det + tw.trace(axis1=1, axis2=2))))


def samples(x: np.ndarray) -> Samples:
    """Return one sample for each pattern of missing answers (NaN); who answered nothing is left out.

    Parameters
    ----------
    x : array, shape (n, p)
        Answers, NaN where missing.

    Returns
    -------
    Samples
    """
    x = np.asarray(x, dtype=float)
    found = Samples()
    for pattern, rows in patterns(~np.isnan(x)):
        part = x[np.ix_(rows, pattern)]
        found.append(Sample(len(part), part.mean(axis=0), covariance(part, divisor="N"), pattern))
    return found


def patterns(answered: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the answered items of each pattern and its rows, the most frequent first.

    Parameters
    ----------
    answered : boolean array, shape (n, p)
        Who answered what.

    Returns
    -------
    list of (items, rows)
        Numbers of columns and of rows; who answered nothing is in none.
    """
    kinds, owner, counts = np.unique(answered, axis=0, return_inverse=True, return_counts=True)
    order = [k for k in np.argsort(-counts, kind="stable") if kinds[k].any()]
    return [(np.flatnonzero(kinds[k]), np.flatnonzero(owner.ravel() == k)) for k in order]


def saturated(data: Sequence[Sample]) -> Moments:
    """Return the unrestricted means and covariances (divisor N) of one group and its log-likelihood.

    Parameters
    ----------
    data : sequence of Sample
        One group, as :func:`samples` returns it.

    Returns
    -------
    Moments

    Raises
    ------
    EstimationError
        If the covariances are not positive definite, or missing answers leave them undetermined.
    """
    stack = stack_of(data)
    mean, cov = stack.mean[0], stack.cov[0]
    try:
        if len(data) > 1 or not stack.seen.all():
            mean, cov = _saturated_with_holes(stack)
        return Moments(mean, cov, -(stack.n.sum() * point_at(stack, mean, cov).value + stack.constant) / 2)
    except LinAlgError:
        raise EstimationError(NOT_POSITIVE) from None


def _saturated_with_holes(data: Stack) -> tuple[np.ndarray, np.ndarray]:
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
            point = point_at(scaled, mean, cov)
        except LinAlgError:
            return None
        b, q = slopes_of(scaled, point)
        slope = np.concatenate([-2 * b, np.where(rows == columns, 1, 2) * q[rows, columns]])
        # with much missing the observed curvature leads faster, where it is one
        curved = information_at(scaled, point, "observed")
        if dpotrf(curved)[1]:
            curved = information_at(scaled, point)
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


def _available(data: Stack) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (divisor n) of each item among those who answered it."""
    weight = data.n[:, None] * data.seen / (data.n @ data.seen)
    mean = (weight * data.mean).sum(axis=0)
    inner = data.cov.diagonal(axis1=1, axis2=2) + (data.mean - mean) ** 2
    return mean, np.sqrt((weight * inner).sum(axis=0))


def baseline(data: Sequence[Sample]) -> Moments:
    """Return the moments of independence: each item's own mean and variance among those who answered it.

    Parameters
    ----------
    data : sequence of Sample
        One group, as :func:`samples` returns it.

    Returns
    -------
    Moments
        Covariances zero.
    """
    stack = stack_of(data)
    mean, spread = _available(stack)
    cov = np.diag(spread**2)
    return Moments(mean, cov, -(stack.n.sum() * point_at(stack, mean, cov).value + stack.constant) / 2)


def slopes_of(data: Stack, point: Point) -> tuple[np.ndarray, np.ndarray]:
    """Return b and Q: the slopes of F are −2b by the means and Q (both halves of a covariance) by the covariances.

    Parameters
    ----------
    data : Stack
        One group's samples.
    point : Point
        Where to take them.

    Returns
    -------
    b : array, shape (p,)
    q : array, shape (p, p)
    """
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
    stack = stack_of(data)
    return information_at(stack, point_at(stack, mean, cov), kind)


def information_at(data: Stack, point: Point, kind: str = "expected") -> np.ndarray:
    """Return what :func:`moment_information` does, of samples and a point already laid out.

    Parameters
    ----------
    data : Stack
        One group's samples.
    point : Point
        Where to take it.
    kind : {"expected", "observed"}
        Which information.

    Returns
    -------
    array, shape (p + p(p+1)/2, p + p(p+1)/2)
    """
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
    mean, cov : arrays, shapes (p,) and (p, p)
        Where to take it.

    Returns
    -------
    array, shape (n, p + p(p+1)/2)
    """
    p = len(mean)
    rows, columns = np.tril_indices(p)
    found = np.zeros((len(x), p + len(rows)))
    half = np.where(rows == columns, 0.5, 1.0)
    for seen, who in patterns(~np.isnan(x)):
        w = np.zeros((p, p))
        w[np.ix_(seen, seen)] = inverse(cov[np.ix_(seen, seen)])
        e = (x[np.ix_(who, seen)] - mean[seen]) @ w[seen]
        found[who] = np.hstack([e, half * (e[:, rows] * e[:, columns] - w[rows, columns])])
    return found
