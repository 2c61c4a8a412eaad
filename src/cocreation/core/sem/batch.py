"""Many maximum-likelihood fits of one covariance structure at once: what bootstrap and jackknife need.

Resamples lie near the sample they come from. So all start at its solution, take its information for their curvature,
and learn the rest from their own gradients (L-BFGS): a step of the whole stack costs a few products of small matrices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...errors import EstimationError
from ..threads import one_thread
from . import ml

__all__ = ["Refits", "refit", "resampled", "standardized"]

#: steps a search remembers, the most it takes, and the most of those that are fitted alone
_MEMORY, _STEPS, _ALONE = 20, 100, 200


class Refits(NamedTuple):
    """What became of a stack of refits.

    ``theta`` (stack, parameters) and ``minimum`` (stack,) are NaN where nothing converged; ``alone`` counts those
    that converged only when fitted one by one.
    """

    theta: np.ndarray
    minimum: np.ndarray
    alone: int

    @property
    def failed(self) -> int:
        """How many did not converge at all."""
        return int(np.isnan(self.minimum).sum())


def resampled(x: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return the covariance matrices (divisor: rows drawn) of resampled rows.

    Parameters
    ----------
    x : array, shape (n, p)
        Complete data.
    drawn : integer array, shape (stack, m)
        The rows each resample holds.

    Returns
    -------
    array, shape (stack, p, p)
        Zero in row and column of a variable that is constant among the rows drawn.
    """
    n, p = x.shape
    x = x - x.mean(axis=0)
    weights = np.stack([np.bincount(rows, minlength=n) for rows in drawn]) / drawn.shape[1]
    i, j = np.tril_indices(p)
    mean = weights @ x
    products = np.empty((len(drawn), p, p))
    products[:, i, j] = products[:, j, i] = weights @ (x[:, i] * x[:, j])
    found = products - mean[:, :, None] * mean[:, None, :]
    # who answered alike has no variance, but for the rounding of the difference
    flat = np.diagonal(found, axis1=1, axis2=2) <= 1e-12 * (x**2).max(axis=0)
    found[flat[:, :, None] | flat[:, None, :]] = 0.0
    return found


def standardized(model: ml.Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the standardized paths and the correlations of all variables for a stack of estimates.

    Parameters
    ----------
    model : Model
    theta : array, shape (stack, parameters)

    Returns
    -------
    paths, correlations : arrays, shape (stack, variables, variables)
        NaN beside a variance that is not positive.
    """
    a, p, inverse = _Cells(model).matrices(theta)
    total = inverse @ p @ inverse.transpose(0, 2, 1)
    variance = np.diagonal(total, axis1=1, axis2=2)
    sd = np.sqrt(np.where(variance > 0, variance, np.nan))
    return a * sd[:, None, :] / sd[:, :, None], total / (sd[:, None, :] * sd[:, :, None])


def refit(samples: np.ndarray, fitted: ml.MLFit, *, tolerance: float = 1e-13) -> Refits:
    """Fit a model again, to each of a stack of covariance matrices.

    Parameters
    ----------
    samples : array, shape (stack, p, p)
    fitted : MLFit
        The fit to the sample that they come from.
    tolerance : float
        Stop when the gradient, measured by the information, promises F a fall of less than this.

    Returns
    -------
    Refits
        Those that the joint search leaves are fitted one by one, from the sample's solution and from the usual
        starting values.

    Raises
    ------
    EstimationError
        If the model has means.
    """
    found = Refits(np.full((len(samples), len(fitted.theta)), np.nan), np.full(len(samples), np.nan), 0)
    with one_thread():
        spread = np.sqrt(np.diagonal(samples, axis1=1, axis2=2))
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = samples / (spread[:, :, None] * spread[:, None, :])
        # a resample of few people can repeat them so often that no covariances are left to fit
        sound = np.flatnonzero(np.isfinite(unit).all(axis=(1, 2)))
        sound = sound[np.linalg.eigvalsh(unit[sound])[:, 0] > 1e-10]
        found.theta[sound], found.minimum[sound] = _search(_Cells(fitted.model), samples[sound], fitted, tolerance)
        left = sound[np.isnan(found.minimum[sound])]
        for number in left:
            for start in (fitted.theta, None):
                try:
                    alone = ml.fit(samples[number], fitted.n_obs, fitted.model, start=start, iterations=_ALONE)
                except EstimationError:
                    continue
                found.theta[number], found.minimum[number] = alone.theta, alone.minimum
                break
    return found._replace(alone=int(np.isfinite(found.minimum[left]).sum()))


class _Cells:
    """Where the free entries of a model stand: in A and P, and in the derivatives by all cells."""

    def __init__(self, model: ml.Model) -> None:
        if any(entry.matrix == "M" for entry in model.entries):
            raise EstimationError("Refits in a stack are of covariances only. Leave the means out of the model.")
        entries = sorted(model.entries, key=lambda entry: entry.parameter)
        self.observed, self.size = model.observed, model.observed + model.latent
        self.row, self.column = np.array([(entry.row, entry.column) for entry in entries]).T
        self.path = np.array([entry.matrix == "A" for entry in entries])
        number = np.array([entry.parameter for entry in entries])
        self.free, self.parameter = number >= 0, np.maximum(number, 0)
        self.value = np.where(self.free, 0.0, [entry.value for entry in entries])
        #: dΣ = u·vᵀ + v·uᵀ; v is a column of G or, for a path, of H, and half of it for a variance
        self.weight = np.where(~self.path & (self.row == self.column), 1.0, 2.0)[self.free]
        self.cell = ((2 * self.row + self.path) * self.size + self.column)[self.free]
        #: where the entries of each parameter begin; those of an equal one stand together
        self.first = np.flatnonzero(np.diff(number[self.free], prepend=-1))
        pattern = np.zeros((self.size, self.size))
        pattern[self.row[self.path], self.column[self.path]] = 1.0
        power, self.paths = pattern, 0
        while power.any() and self.paths <= self.size:
            power, self.paths = np.sign(power @ pattern), self.paths + 1

    def matrices(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return stacks of A, P and (I − A)⁻¹."""
        value = np.where(self.free, theta[:, self.parameter], self.value)
        a, p = np.zeros((2, len(theta), self.size, self.size))
        path, row, column = self.path, self.row, self.column
        a[:, row[path], column[path]] = value[:, path]
        p[:, row[~path], column[~path]] = p[:, column[~path], row[~path]] = value[:, ~path]
        one = np.eye(self.size)
        if self.paths > self.size:  # feedback
            return a, p, np.linalg.inv(one - a)
        inverse = one + a  # and A² + … as far as paths lead on
        for _ in range(1, self.paths):
            inverse = one + a @ inverse
        return a, p, inverse


def _search(cells: _Cells, samples: np.ndarray, fitted: ml.MLFit, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return parameters and minima; rows that do not converge are NaN."""
    stack, q = len(samples), len(fitted.theta)
    inverse = fitted.covariance * fitted.n_obs / 2
    theta, step, slope = np.tile(fitted.theta, (stack, 1)), np.zeros((stack, q)), np.zeros((stack, q))
    value, size = np.full(stack, np.inf), np.ones(stack)
    moves, changes, weights = np.zeros((_MEMORY, stack, q)), np.zeros((_MEMORY, stack, q)), np.zeros((_MEMORY, stack))
    found, minimum = np.full((stack, q), np.nan), np.full(stack, np.nan)
    constant = np.linalg.slogdet(samples)[1] + cells.observed
    active = np.arange(stack)
    for number in range(_STEPS):
        if not len(active):
            break
        trial = theta[active] + size[active, None] * step[active]
        new, gradient = _evaluate(cells, trial, samples[active])
        new = new - constant[active]
        wanted = 1e-4 * size[active] * (slope[active] * step[active]).sum(axis=1)
        better = new <= value[active] + wanted + 1e-12
        on, off = active[better], active[~better]
        # what each step taken tells of the curvature; rows that took none this time get no weight
        slot = number % _MEMORY
        moves[slot, on], changes[slot, on] = trial[better] - theta[on], gradient[better] - slope[on]
        curvature = (moves[slot, on] * changes[slot, on]).sum(axis=1)
        weights[slot] = 0.0
        weights[slot, on] = np.divide(1.0, curvature, out=np.zeros_like(curvature), where=curvature > 1e-300)
        theta[on], value[on], slope[on], size[on] = trial[better], new[better], gradient[better], 1.0
        newest = [(slot - back) % _MEMORY for back in range(min(number, _MEMORY))]
        step[on] = _direction(slope[on], inverse, [(moves[s, on], changes[s, on], weights[s, on]) for s in newest])
        size[off] /= 2
        arrived = ((slope[on] @ inverse) * slope[on]).sum(axis=1) < 2 * tolerance
        done = on[arrived]
        found[done], minimum[done] = theta[done], np.maximum(value[done], 0.0)
        active = np.sort(np.concatenate([on[~arrived], off[size[off] > 1e-4]]))
    return found, minimum


def _direction(slope: np.ndarray, inverse: np.ndarray, history: list[tuple[np.ndarray, ...]]) -> np.ndarray:
    """Return minus the slope times the inverse curvature that the steps taken show (Nocedal 1980)."""
    rest, shares = slope.copy(), []
    for move, change, weight in history:
        shares.append(weight * (move * rest).sum(axis=1))
        rest -= shares[-1][:, None] * change
    step = rest @ inverse
    for (move, change, weight), share in zip(reversed(history), reversed(shares), strict=True):
        step += (share - weight * (change * step).sum(axis=1))[:, None] * move
    return -step


def _evaluate(cells: _Cells, theta: np.ndarray, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ln|Σ| + tr(SΣ⁻¹), infinite where Σ is not positive definite, and its gradient.

    dF = 2·uᵀQv with Q = Σ⁻¹ − Σ⁻¹SΣ⁻¹, so Gᵀ·Q·[G H] holds the derivative by every cell of P and A.
    """
    _, p, inverse = cells.matrices(theta)
    g = inverse[:, : cells.observed]
    h = g @ p @ inverse.transpose(0, 2, 1)
    sigma = h[:, :, : cells.observed]
    possible = np.ones(len(theta), dtype=bool)
    try:
        root = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        possible = np.linalg.eigvalsh(sigma)[:, 0] > 1e-12 * np.trace(sigma, axis1=1, axis2=2)
        sigma = np.where(possible[:, None, None], sigma, np.eye(cells.observed))
        root = np.linalg.cholesky(sigma)
    w = np.linalg.inv(sigma)
    value = 2 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1) + (w * samples).sum(axis=(1, 2))
    columns = np.concatenate([g, h], axis=2)
    wide = w @ columns
    cell = wide[:, :, : cells.size].transpose(0, 2, 1) @ (columns - samples @ wide)
    gradient = cells.weight * cell.reshape(len(theta), 2 * cells.size**2)[:, cells.cell]
    if len(cells.first) < len(cells.cell):
        gradient = np.add.reduceat(gradient, cells.first, axis=1)
    return np.where(possible, value, np.inf), gradient
