"""The search for the minimum of a discrepancy by Fisher scoring; what it says when there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dposv

from ...errors import EstimationError

__all__ = ["IMPOSSIBLE_START", "NOT_POSITIVE", "State", "descend", "determined", "is_proper", "search"]

#: steps that limited-memory BFGS learns from
_REMEMBERED = 12

NOT_POSITIVE = (
    "The covariance matrix is not positive definite: an item is a sum of others, or there are too few respondents. "
    "Leave the redundant item out."
)
IMPOSSIBLE_START = (
    "The starting values imply an impossible covariance matrix. Give starting values for the parameters without a "
    "marker item."
)


class State(NamedTuple):
    """A point of the search: F, its slope, half its expected curvature, and what is implied there."""

    value: float
    gradient: np.ndarray
    information: np.ndarray
    implied: object


def search(evaluate: Callable, theta: np.ndarray, state: State, tolerance: float, iterations: int, slack=1e-15):
    """Fisher scoring with a Levenberg–Marquardt ridge that vanishes as the steps succeed.

    What the information lacks of the curvature where a model misfits is learned from the steps taken, which spares
    half of them: the idea is Dennis, Gay and Welsch's (1981), the update here the symmetric one of rank one.

    Parameters
    ----------
    evaluate : callable
        Returns the :class:`State` at a theta, or None where nothing is defined.
    theta : array, shape (parameters,)
        Where to start.
    state : State
        The state there.
    tolerance : float
        Stop when the expected gain of the next step in F is below this.
    iterations : int
        The most steps tried.
    slack : float
        Rounding error of F.

    Returns
    -------
    theta : array, shape (parameters,)
    state : State
        There.
    used : int
        Steps.

    Raises
    ------
    EstimationError
        If the parameters are not determined, or the search does not converge.
    """
    ridge, lacking = 0.0, np.zeros_like(state.information)
    for used in range(1, iterations + 1):
        scale = np.diag(state.information)
        if not np.isfinite(scale).all() or (scale <= 0).any():
            raise _not_identified(len(theta))
        root = np.sqrt(scale)
        unit = (state.information + lacking) / np.outer(root, root)
        unit.flat[:: len(theta) + 1] += ridge
        # F's expected Hessian is twice the information of one observation, which `information` is
        _, step, failed = dposv(unit, state.gradient / root / -2, lower=1)
        step /= root
        gain = -(state.gradient @ step)
        if lacking.any() and (failed or gain < tolerance):
            lacking[:] = 0.0  # what was learned may be wrong: the information alone must agree
            continue
        if failed:
            if ridge > 1e3:
                raise _not_identified(len(theta))
            ridge = max(10 * ridge, 1e-8)
            continue
        if gain < tolerance:
            determined(state.information)
            return theta, state, used
        size, better = 1.0, None
        while size > 1e-4:
            trial = evaluate(theta + size * step)
            if trial is not None and trial.value <= state.value - 1e-4 * size * gain + slack:
                better = trial
                break
            size /= 2
        if better is None:
            lacking[:] = 0.0
            if ridge > 1e6:
                break
            ridge = max(10 * ridge, 1e-4)
            continue
        move = size * step
        missed = (better.gradient - state.gradient) / 2 - (better.information + lacking) @ move
        if gain > 1e-5:  # far from the end the curvature changes too much to be learned
            lacking[:] = 0.0
        elif abs(missed @ move) > 1e-8 * np.linalg.norm(missed / root) * np.linalg.norm(move * root):
            lacking += np.outer(missed, missed / (missed @ move))
        theta, state = theta + move, better
        ridge = ridge / 10 if size == 1.0 and ridge > 1e-7 else (0.0 if size == 1.0 else ridge)
    raise EstimationError(
        f"The model did not converge in {iterations} iterations. It asks more of the data than they hold: check for "
        "factors of two items, nearly perfectly correlated factors, or too few respondents."
    )


def determined(information: np.ndarray) -> np.ndarray:
    """Return the information, where it determines all parameters.

    Parameters
    ----------
    information : array, shape (parameters, parameters)

    Returns
    -------
    array, shape (parameters, parameters)

    Raises
    ------
    EstimationError
        Where it does not.
    """
    scale = np.diag(information)
    if not np.isfinite(scale).all() or (scale <= 0).any():
        raise _not_identified(len(scale))
    root = np.sqrt(scale)
    if np.linalg.eigvalsh(information / np.outer(root, root))[0] < 1e-9:
        raise _not_identified(len(scale))
    return information


def is_proper(fitted) -> bool:
    """Return whether the errors' and the factors' estimated covariances are possible ones, as lavaan's post.check asks.

    Parameters
    ----------
    fitted : fit
        With ``matrices``, ``total`` and ``model``.

    Returns
    -------
    bool
    """
    p = fitted.model.observed
    for part in (fitted.matrices[1][:p, :p], fitted.total[p:, p:]):
        unit = np.sqrt(np.abs(np.diag(part)))
        unit[unit == 0] = 1.0
        if len(part) and np.linalg.eigvalsh(part / np.outer(unit, unit))[0] < -1e-10:
            return False
    return True


def _not_identified(parameters: int) -> EstimationError:
    return EstimationError(
        f"The model is not identified: its {parameters} parameters are not determined by the covariances, so "
        "many different solutions fit alike. Give every factor at least three items (or two and a correlated factor) "
        "and a fixed scale, or set parameters equal."
    )


def descend(look: Callable, x: np.ndarray, tolerance: float, most: int, slack: float) -> tuple[np.ndarray, bool]:
    """Minimize where curvature is known only roughly: Nocedal's (1980) limited-memory BFGS in a given metric.

    Parameters
    ----------
    look : callable
        Returns at an x the value, its slope (k,) and a function that applies the inverse of the rough curvature
        there, or None where nothing is defined.
    x : array, shape (k,)
        Where to start.
    tolerance : float
        Stop when the expected gain of the next step is below this.
    most : int
        The most steps.
    slack : float
        Rounding error of the value.

    Returns
    -------
    x : array, shape (k,)
    settled : bool
        Whether the tolerance was reached.
    """
    value, slope, against = look(x)
    past: list[tuple[np.ndarray, np.ndarray, float]] = []
    for _ in range(most):
        step, weights = -slope, []
        for s, y, sy in reversed(past):
            weights.append(s @ step / sy)
            step = step - weights[-1] * y
        step = against(step)
        for (s, y, sy), weight in zip(past, reversed(weights), strict=True):
            step = step + (weight - y @ step / sy) * s
        gain = -(slope @ step) / 2
        plain = slope @ against(slope) / 2
        if gain <= tolerance and plain <= tolerance:
            return x, True
        size, better = 1.0, None
        while size > 1e-4 and gain > 0:
            better = look(x + size * step)
            if better is not None and better[0] <= value - 2e-4 * size * gain + slack:
                break
            size, better = size / 2, None
        if better is None:
            if not past:
                return x, False
            past = []
            continue
        s, y = size * step, better[1] - slope
        if s @ y > 1e-10 * np.sqrt((s @ s) * (y @ y)):
            past = [*past, (s, y, s @ y)][-_REMEMBERED:]
        x, (value, slope, against) = x + s, better
    return x, False
