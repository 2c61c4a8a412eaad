"""The answers of a group by pattern of what was answered, and their unrestricted moments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg.lapack import dpocon, dpotrf

from ...errors import EstimationError
from ..normal import Layout, Point, patterns
from .search import NOT_POSITIVE, State, descend, search

__all__ = [
    "Moments",
    "Sample",
    "Samples",
    "baseline",
    "moment_information",
    "point_at",
    "samples",
    "saturated",
]


class Sample(NamedTuple):
    """The respondents of one group who answered the same items.

    ``mean`` is that of the answered items, whose numbers are ``seen``; the cross-products of the rows
    of ``root`` are ``n`` times their covariances (divisor n).
    """

    n: int
    mean: np.ndarray
    root: np.ndarray
    seen: np.ndarray

    @property
    def cov(self) -> np.ndarray:
        """Covariances (divisor n) of the answered items."""
        return self.root.T @ self.root / self.n


class Moments(NamedTuple):
    """Means and covariances of a group, and the log-likelihood of its answers there."""

    mean: np.ndarray
    cov: np.ndarray
    logl: float


class Samples(list):
    """The samples of one group; where it was looked at last is remembered."""

    def __init__(self, found: Sequence[Sample] = ()) -> None:
        super().__init__(found)
        self._points: dict[bytes, Point] = {}

    @cached_property
    def layout(self) -> Layout:
        """The samples as rows: root n times the mean of each, and its root."""
        p = 1 + max(int(sample.seen.max()) for sample in self)
        sizes = [1 + len(sample.root) for sample in self]
        n, seen = np.array([sample.n for sample in self]), np.zeros((len(self), p), dtype=bool)
        y, a, first = np.zeros((sum(sizes), p)), np.zeros(sum(sizes)), 0
        for k, (sample, size) in enumerate(zip(self, sizes, strict=True)):
            seen[k, sample.seen] = True
            a[first] = np.sqrt(sample.n)
            y[first : first + size, sample.seen] = np.vstack([a[first] * sample.mean, sample.root])
            first += size
        return Layout(n, seen, y, a, np.repeat(np.arange(len(self)), sizes))

    def point(self, mean: np.ndarray, cov: np.ndarray) -> Point:
        """Return the data seen from these moments; model, independence and unrestricted moments are asked again."""
        key = np.concatenate([mean, cov.ravel()]).tobytes()
        found = self._points.pop(key, None) or Point(self.layout, mean, cov)
        while len(self._points) > 3:
            del self._points[next(iter(self._points))]
        self._points[key] = found
        return found


def point_at(data: Sequence[Sample], mean: np.ndarray, cov: np.ndarray) -> Point:
    """Return the samples seen from these moments.

    Parameters
    ----------
    data : sequence of Sample
        One group, as :func:`samples` returns it.
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
    return (data if isinstance(data, Samples) else Samples(data)).point(mean, cov)


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
        mean = part.mean(axis=0)
        root = part - mean if len(part) > 1 else part[:0]
        found.append(Sample(len(part), mean, np.linalg.qr(root, "r") if len(root) > len(pattern) else root, pattern))
    return found


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
    data = data if isinstance(data, Samples) else Samples(data)
    mean, cov = data[0].mean, data[0].cov
    try:
        if len(data) > 1 or not data.layout.seen.all():
            mean, cov = _saturated_with_holes(data)
        return _moments(data, mean, cov)
    except LinAlgError:
        raise EstimationError(NOT_POSITIVE) from None


def _moments(data: Sequence[Sample], mean: np.ndarray, cov: np.ndarray) -> Moments:
    point = point_at(data, mean, cov)
    return Moments(mean, cov, -(point.data.total * point.value + point.data.constant) / 2)


def _saturated_with_holes(data: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Steps of EM, led by what they teach of the curvature; where these creep, scoring on the moments themselves.

    A step of EM is that of scoring with the information of complete answers. In units of each item's
    own mean and deviation.
    """
    centre, spread = _available(data)
    scaled, p = data.layout.scaled(centre, spread), len(centre)
    undetermined = EstimationError(
        "Missing answers leave the covariances undetermined: some items were hardly ever answered by the same "
        "respondents, or an item is a sum of others. Leave an item with many missing answers out."
    )

    def look(theta: np.ndarray):
        cov = theta[p:].reshape(p, p)
        try:
            point = Point(scaled, theta[:p], cov)
        except LinAlgError:
            return None
        if not point.positive:
            return None
        slope = np.concatenate([-2 * point.b, point.q.ravel()])

        def against(v: np.ndarray) -> np.ndarray:
            turned = cov @ v[p:].reshape(p, p) @ cov
            return np.concatenate([cov @ v[:p] / 2, ((turned + turned.T) / 2).ravel()])

        return point.value, slope, against

    theta, settled = descend(look, np.concatenate([np.zeros(p), np.eye(p).ravel()]), 1e-18, 300, 1e-13)
    mean, cov = theta[:p], theta[p:].reshape(p, p)
    if not settled:
        try:
            mean, cov = _scored(scaled, mean, cov)
        except EstimationError as error:
            raise undetermined from error
    mean, cov = centre + spread * mean, cov * np.outer(spread, spread)
    curved = data.point(mean, cov).observed
    scale = np.sqrt(np.maximum(curved.diagonal(), 0))
    if not (scale > 0).all():
        raise undetermined
    root, failed = dpotrf(curved / np.outer(scale, scale))
    if failed or dpocon(root, 1.0)[0] < 1e-10:
        raise undetermined
    return mean, cov


def _scored(data: Layout, mean: np.ndarray, cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p = len(mean)
    rows, columns = np.tril_indices(p)

    def unpack(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cov = np.zeros((p, p))
        cov[rows, columns] = cov[columns, rows] = theta[p:]
        return theta[:p], cov

    def evaluate(theta: np.ndarray) -> State | None:
        try:
            point = Point(data, *unpack(theta))
        except LinAlgError:
            return None
        slope = np.concatenate([-2 * point.b, np.where(rows == columns, 1, 2) * point.q[rows, columns]])
        # with much missing the observed curvature leads faster, where it is one
        curved = point.expected if dpotrf(point.observed)[1] else point.observed
        return State(point.value, slope, curved, None)

    theta = np.concatenate([mean, cov[rows, columns]])
    theta, _, _ = search(evaluate, theta, evaluate(theta), 1e-15, 500, 1e-13)
    return unpack(theta)


def _available(data: Sequence[Sample]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (divisor n) of each item among those who answered it."""
    rows = (data if isinstance(data, Samples) else Samples(data)).layout
    count = rows.n @ rows.seen
    mean = rows.a @ rows.y / count
    # centred before they are squared
    return mean, np.sqrt((((rows.y - np.outer(rows.a, mean)) * rows.filled) ** 2).sum(axis=0) / count)


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
    mean, spread = _available(data)
    return _moments(data, mean, np.diag(spread**2))


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
    point = point_at(data, mean, cov)
    return point.expected if kind == "expected" else point.observed
