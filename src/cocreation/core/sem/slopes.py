"""Slopes and curvature of the moments that a model implies, by its parameters."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ..normal import Point
from .model import Model, total_paths

__all__ = [
    "columns",
    "curvature",
    "derivative",
    "jacobian",
    "moment_slopes",
    "response",
    "slopes",
    "standardized_entries",
]


def response(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how the observed respond to disturbances (G), the means of all, and the observed's covariances with all.

    Parameters
    ----------
    model : Model
        The structure.
    theta : array, shape (parameters,)
        Values of its parameters.

    Returns
    -------
    g : array, shape (p, variables)
    mean : array, shape (variables,)
    h : array, shape (p, variables)
    """
    a, p, m = model._index.matrices(theta)
    total = total_paths(a)
    g = total[: model.observed]
    return g, total @ m, g @ p @ total.T


def derivative(g, h, row, column, is_path) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns u and v of dΣ = u·vᵀ + v·uᵀ for entries at these places.

    Parameters
    ----------
    g, h : array, shape (p, variables)
        As :func:`response` returns them.
    row, column : integer array, shape (entries,)
        The places.
    is_path : boolean array, shape (entries,)
        Whether a place is in the path matrix A, else in P.

    Returns
    -------
    u, v : array, shape (p, entries)
    """
    v = np.where(is_path, h[:, column], g[:, column])
    v[:, ~is_path & (row == column)] *= 0.5
    return g[:, row], v


def columns(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Σ of a model without means and, a column for each free entry, u and v of dΣ = u·vᵀ + v·uᵀ.

    Parameters
    ----------
    model : Model
        The structure.
    theta : array, shape (parameters,)
        Values of its parameters.

    Returns
    -------
    sigma : array, shape (p, p)
    u, v : array, shape (p, free entries)
    """
    index = model._index
    g, _, h = response(model, theta)
    sigma = h[:, : model.observed]
    return (sigma + sigma.T) / 2, *derivative(g, h, index.free_row, index.free_column, index.free_path)


def slopes(model: Model, theta: np.ndarray):
    """Return μ, Σ and, a column for each free entry, dμ and the u and v of dΣ = u·vᵀ + v·uᵀ.

    Parameters
    ----------
    model : Model
        The structure.
    theta : array, shape (parameters,)
        Values of its parameters.

    Returns
    -------
    mu : array, shape (p,)
    sigma : array, shape (p, p)
    dmu, u, v : array, shape (p, free entries)
    """
    index = model._index
    g, nu, h = response(model, theta)
    sigma = h[:, : model.observed]
    u, v = derivative(g, h, index.free_row, index.free_column, index.free_path)
    v[:, index.free_kind == "M"] = 0.0
    weight = np.where(index.free_kind == "A", nu[index.free_column], 1.0 * (index.free_kind == "M"))
    return nu[: model.observed], (sigma + sigma.T) / 2, u * weight, u, v


def jacobian(model: Model, theta: np.ndarray) -> np.ndarray:
    """Return the slopes of means and lower triangle of the covariances by the parameters.

    Parameters
    ----------
    model : Model
        The structure.
    theta : array, shape (parameters,)
        Values of its parameters.

    Returns
    -------
    array, shape (p + p(p+1)/2, parameters)
    """
    return moment_slopes(*slopes(model, theta)[2:]) @ model._index.pool


def moment_slopes(d: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the slopes of means and lower triangle of the covariances by entries.

    Parameters
    ----------
    d, u, v : array, shape (p, entries)
        As :func:`slopes` returns them.

    Returns
    -------
    array, shape (p + p(p+1)/2, entries)
    """
    rows, columns = np.tril_indices(len(d))
    return np.vstack([d, u[rows] * v[columns] + v[rows] * u[columns]])


def curvature(model: Model, theta: np.ndarray, b: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return what the curvature of the moments in the parameters adds to the observed information.

    That is half the second derivatives of tr(QΣ) − 2bᵀμ at fixed ``b`` and ``q``.

    Parameters
    ----------
    model : Model
        The structure.
    theta : array, shape (parameters,)
        Values of its parameters.
    b : array, shape (p,)
        Weights of the means.
    q : array, shape (p, p)
        Weights of the covariances.

    Returns
    -------
    array, shape (parameters, parameters)
    """
    index = model._index
    a, p, m = index.matrices(theta)
    whole = np.linalg.inv(np.eye(len(a)) - a)
    g, t, nu = whole[: model.observed], whole @ p @ whole.T, whole @ m
    m1, m2, gb = g.T @ q @ g @ p @ whole.T, g.T @ q @ g, g.T @ b
    kind, r, c = index.free_kind, index.free_row, index.free_column
    path, mutual, intercept = (kind == name for name in "APM")
    found = np.zeros((len(kind), len(kind)))

    def cells(first, second):
        return np.ix_(first, second), r[first][:, None], c[first][:, None], r[second][None], c[second][None]

    at, r1, c1, r2, c2 = cells(path, path)
    found[at] = whole[c2, r1] * m1[r2, c1] + m2[r1, r2] * t[c2, c1] + m1[r1, c2] * whole[c1, r2]
    found[at] -= gb[r2] * whole[c2, r1] * nu[c1] + gb[r1] * whole[c1, r2] * nu[c2]
    at, r1, c1, r2, c2 = cells(path, mutual)
    found[at] = (m2[r1, r2] * whole[c1, c2] + m2[r1, c2] * whole[c1, r2]) * np.where(r2 == c2, 0.5, 1.0)
    at, r1, c1, r2, c2 = cells(path, intercept)
    found[at] = -gb[r1] * whole[c1, r2]
    found = np.where(path[:, None], found, found.T)
    return index.pool.T @ found @ index.pool


def standardized_entries(model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every entry with all variables at unit variance, and its slopes by the parameters (delta method).

    Parameters
    ----------
    model : Model
        The structure.
    theta : array, shape (parameters,)
        Values of its parameters.

    Returns
    -------
    value : array, shape (entries,)
        In the order of ``model.entries``; NaN where a variance is negative.
    slope : array, shape (entries, parameters)
    """
    index = model._index
    a, p, _ = index.matrices(theta)
    whole = np.linalg.inv(np.eye(len(a)) - a)
    total = whole @ p @ whole.T
    _, v = derivative(whole, total, index.free_row, index.free_column, index.free_path)
    v[:, index.free_kind == "M"] = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        sd, own = np.sqrt(np.diag(total)), np.sqrt(np.diag(p))
        stretch = whole[:, index.free_row] * v / np.diag(total)[:, None] @ index.pool  # of the logarithm of each sd
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
    order = np.argsort(index.order, kind="stable")
    return value[order], slope[order]


def _slope(point: Point, entries) -> np.ndarray:
    d, u, v = entries
    return 2 * (u * (point.q @ v)).sum(axis=0) - 2 * d.T @ point.b


def _of_complete(w: np.ndarray, entries) -> np.ndarray:
    d, u, v = entries
    return _of_covariances(w, u, v) + d.T @ w @ d


def _of_covariances(w: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    wv = w @ v
    cross = u.T @ wv
    return (u.T @ (w @ u)) * (v.T @ wv) + cross * cross.T


def _few(point: Point) -> bool:
    """Whether it is quicker to take the information pattern by pattern than on all moments."""
    return len(point.data.n) <= point.data.p


def _information(point: Point, left, right, kind: str = "expected") -> np.ndarray:
    """Return the information of one observation on entries with entries, of which dμ, u and v are given."""
    if not _few(point):
        inner = point.expected if kind == "expected" else point.observed
        return moment_slopes(*left).T @ (inner @ moment_slopes(*right))
    (d, u, v), (d2, u2, v2) = left, right
    if left is right and kind == "expected":
        found = d.T @ point.mean_inverse @ d
        for patterns_, w, _, _ in point.layers():
            for share, each in zip(point.data.share[patterns_], w, strict=True):
                found += share * _of_covariances(each, u, v)
        return found
    found = d.T @ point.mean_inverse @ d2
    for patterns_, w, rows, begins in point.layers():
        for k, number in enumerate(patterns_):
            own = w[k] * point.data.share[number]
            own_rows = rows[begins[k] : begins[k + 1] if k + 1 < len(begins) else None]
            e = point.e[own_rows]
            uu, vv, uv, vu = (a.T @ w[k] @ b for a, b in ((u, u2), (v, v2), (u, v2), (v, u2)))
            z = own / 2 if kind == "expected" else e.T @ e / point.data.total - own / 2
            zu, zv = z @ u2, z @ v2
            found += uu * (v.T @ zv) + vv * (u.T @ zu) + uv * (v.T @ zu) + vu * (u.T @ zv)
            if kind == "observed":
                pull = point.data.a[own_rows] @ e / point.data.total
                found += (d.T @ w[k] @ u2) * (pull @ v2) + (d.T @ w[k] @ v2) * (pull @ u2)
                found += ((d2.T @ w[k] @ u) * (pull @ v) + (d2.T @ w[k] @ v) * (pull @ u)).T
    return found


def _of_candidates(point: Point, new, there) -> tuple[np.ndarray, np.ndarray]:
    """Return the expected information of many entries with those that are there, and of each alone."""
    d, u, v = new
    if not _few(point):
        slope = sparse.csc_array(moment_slopes(*new))
        own = np.asarray(slope.multiply(point.expected @ slope).sum(axis=0)).ravel()
        return slope.T @ (point.expected @ moment_slopes(*there)), own
    own = (d * (point.mean_inverse @ d)).sum(axis=0)
    for patterns_, w, _, _ in point.layers():
        for share, each in zip(point.data.share[patterns_], w, strict=True):
            wu, wv = each @ u, each @ v
            own += share * ((u * wu).sum(axis=0) * (v * wv).sum(axis=0) + (u * wv).sum(axis=0) ** 2)
    return _information(point, new, there), own
