"""One model in several groups, with parameters held equal step by step, and what each equality costs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..threads import one_thread
from . import fit as fit_measures
from . import groups
from .model import Model, inverse, score_test

__all__ = ["Release", "difference", "in_groups", "measures", "release"]


def in_groups(model: Model, n_groups: int, equal: Collection[int], freed: Collection[int] = ()) -> tuple[Model, ...]:
    """Return the model once a group.

    Parameters
    ----------
    model : Model
        With intercepts, of one group.
    n_groups : int
    equal : collection of int
        Positions, among the model's entries, of what is the same in all groups.
    freed : collection of int
        Positions of fixed entries that are free in every group but the first.

    Returns
    -------
    tuple of Model
        Equal parameter numbers are equal parameters; the first group's are those of ``model``.
    """
    number, found, last = {}, [], 0
    shared = {model.entries[i].parameter for i in equal}
    for group in range(n_groups):
        entries = []
        for i, entry in enumerate(model.entries):
            if i in freed and group:
                entry = entry._replace(parameter=model.n_parameters + i, value=np.nan)
            if entry.parameter >= 0:
                key = (entry.parameter, 0 if entry.parameter in shared else group)
                if key not in number:
                    number[key] = entry.parameter if not group else last
                    last = max(last, number[key]) + 1
                entry = entry._replace(parameter=number[key])
            entries.append(entry)
        last = max(last, model.n_parameters)
        found.append(replace(model, entries=tuple(entries)))
    return tuple(found)


def _pairwise(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means of who answered an item and covariances of who answered two, in lavaan's units for its GFI."""
    seen, mean = ~np.isnan(x), np.nanmean(x, axis=0)
    z, w = np.where(seen, x - mean, 0.0), seen.astype(float)
    pairs = w.T @ w
    sums = z.T @ w
    cov = (z.T @ z - sums * sums.T / pairs) / (pairs - 1) * (len(x) - 1) / len(x)
    return mean, cov


def measures(fitted: groups.GroupsFit, x: Sequence[np.ndarray]) -> dict[str, float]:
    """Return the fit measures of one group or of several together, with missing answers too, as lavaan.

    Parameters
    ----------
    fitted : GroupsFit
        With means.
    x : sequence of arrays, shapes (n, p)
        The answers of each group, NaN where missing.

    Returns
    -------
    dict
        As :func:`cocreation.core.sem.fit.measures`.
    """
    shares = np.array(fitted.n_groups) / fitted.n_obs
    residuals, gfi = [], 0.0
    for g, (share, free) in enumerate(zip(shares, fitted.unrestricted, strict=True)):
        mu, sigma = fitted.mu[g], fitted.sigma[g]
        residuals.append(fit_measures.residual_measures(free.cov, sigma, (free.mean, mu)))
        mean, cov = _pairwise(np.asarray(x[g], dtype=float))
        point = groups.point_at(fitted.data[g], mu, sigma)
        gfi += share * (1 - point.squared(mean - mu, cov - sigma) / point.squared(mean, cov))
    chi2, df = fitted.baseline
    return fit_measures.overall(
        fitted.minimum,
        fitted.n_obs,
        len(fitted.theta),
        sum(model.moments for model in fitted.models),
        (chi2 / fitted.n_obs, df),
        fitted.unrestricted_logl,
        gfi,
        {name: float(shares @ [each[name] for each in residuals]) for name in residuals[0]},
        n_groups=len(shares),
    )


class Release(NamedTuple):
    """What is to be expected if one parameter were its own in one group: fall of chi-square, and its change there."""

    parameter: int
    group: int
    index: float
    change: float


def release(fitted: groups.GroupsFit, parameters: Sequence[int]) -> list[Release]:
    """Return the score test of each equality: of each parameter, in each group in which it stands.

    Parameters
    ----------
    fitted : GroupsFit
        A converged fit.
    parameters : sequence of int
        Parameters that stand in several groups.

    Returns
    -------
    list of Release
        ``index`` is NaN where the parameter alone is not identified. Of two groups the second is told;
        releasing the first is the same. Expected information, as lavaan's lavTestScore.
    """
    with one_thread():
        return _release(fitted, parameters)


def _release(fitted: groups.GroupsFit, parameters: Sequence[int]) -> list[Release]:
    known, found = inverse(fitted.information) / fitted.n_obs, []
    spread = range(len(fitted.models)) if len(fitted.models) > 2 else [1]
    for g in spread:
        data, model = fitted.data[g], fitted.models[g]
        state = groups._evaluate_group(data, model, fitted.theta, fitted.unrestricted[g].mean)
        n, q = fitted.n_groups[g], model.n_parameters
        information = np.zeros((q, len(known)))
        information[:, :q] = n * state.information
        at = [number for number in parameters if number < q and information[number, number] > 0]
        tested = score_test(-n * state.gradient[at] / 2, information[at, at], information[at], known)
        found += [
            Release(number, g, float(index), float(change)) for number, index, change in zip(at, *tested, strict=True)
        ]
    return sorted(found, key=lambda each: (each.parameter, each.group))


def difference(chi2: Sequence[float], df: Sequence[int], scaling: Sequence[float] = (1.0, 1.0)) -> tuple[float, int]:
    """Return the chi-square by which a restricted model fits worse than the freer one, and its degrees of freedom.

    Parameters
    ----------
    chi2, df, scaling : pairs
        Unscaled chi-square, degrees of freedom and scaling factor of the restricted and of the freer model.

    Returns
    -------
    tuple
        The difference over (df₀·c₀ − df₁·c₁)/(df₀ − df₁), Satorra and Bentler's (2001); NaN where that
        is not positive, or where the models have the same degrees of freedom.
    """
    more = df[0] - df[1]
    factor = (df[0] * scaling[0] - df[1] * scaling[1]) / more if more > 0 else np.nan
    return ((chi2[0] - chi2[1]) / factor if factor > 0 else np.nan), more
