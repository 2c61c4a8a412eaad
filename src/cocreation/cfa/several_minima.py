"""Several minima of one model: the lowest of all answers and in several groups, and what to say of the others."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from ..core.sem import groups, ml, starts
from ..core.sem.model import Model, standardize
from ..core.sem.terms import Specification
from ..errors import EstimationError
from ..inputs.options import quoted

__all__ = ["as_single", "beside", "in_groups", "of_moments", "remarks_on", "searched"]

#: an item belongs to what a factor measures where its standardized loading is this large
_LOADS = 0.5
_METHOD = (
    "A factor with free loadings on the items of others can take several shares of them that fit about as well: "
    "this is the lowest of the minima that searches from several starts reached. Do not interpret its loadings."
)
_LOOK = (
    "Look at the correlations among these items: leave out one of two that repeat each other, and give each cluster "
    "a factor of its own."
)


def remarks_on(specification: Specification, reached: starts.Optima, n: int) -> tuple[tuple[str, str], ...]:
    """Return the warnings of minima beside the lowest.

    Parameters
    ----------
    specification : Specification
    reached : Optima
        The fits, the one reported first.
    n : int
        By what their F is multiplied for chi-square.

    Returns
    -------
    tuple of (subject, warning)
    """
    if reached.starts == 1:
        return ()
    if starts.loose(specification.model):
        return (("model", _METHOD),)
    first, *others = reached.found
    chi2, told = _chi2(first, n), []
    if not first.proper:
        best = next((other for other in others if other.proper), None)
        other = (
            f"The lowest proper one has chi-square {_chi2(best, n)}. {_unlike(specification, first, best)}"
            if best
            else "None of the searches ended at a proper one."
        )
        told.append(
            f"The lowest minimum found, chi-square {chi2}, is reported, variances being unbounded as in lavaan, but it "
            f"holds a negative variance or a correlation beyond 1. {other}"
        )
        others = [each for each in others if each is not best]
    for each in others[:2]:
        told.append(
            f"Another minimum competes: chi-square {_chi2(each, n)}{'' if each.proper else ' (improper)'} beside the "
            f"{chi2} reported, less than {starts.MARGIN:g} points or {100 * starts.SHARE:g} % above. "
            f"{_unlike(specification, first, each)}"
        )
    return tuple(("model", f"{text.strip()} {_LOOK}") for text in told)


def beside(reached: starts.Optima, n: int) -> str:
    """Return in a few words the minimum beside the lowest that a reader of a table must know of, if there is one.

    Parameters
    ----------
    reached : Optima
        The fits, the one reported first.
    n : int
        By what their F is multiplied for chi-square.

    Returns
    -------
    str
    """
    first, *others = reached.found
    if not others:
        return ""
    proper = next((each for each in others if each.proper), None)
    if proper and not first.proper:
        return f"lowest proper minimum at chi-square {_chi2(proper, n)}"
    return f"another minimum competes, at chi-square {_chi2(others[0], n)}"


def searched(count: int) -> str:
    """Return for a note from how many starts a minimum was searched; nothing for one.

    Parameters
    ----------
    count : int
        Starts.

    Returns
    -------
    str
    """
    if count == 1:
        return ""
    return f" The lowest minimum that searches from {count} starts reached; that no lower one exists cannot be proved."


def _chi2(optimum: starts.Optimum, n: int) -> str:
    return f"{n * optimum.fitted.minimum:.2f}"


def _impossible(specification: Specification, optimum: starts.Optimum) -> str:
    names = (*specification.observed, *specification.latent)
    negative = np.diag(optimum.fitted.matrices[1]) < 0
    if negative.any():
        return f"negative variance of {quoted(name for name, below in zip(names, negative, strict=True) if below)}"
    return "a correlation beyond 1"


def _unlike(specification: Specification, one: starts.Optimum, other: starts.Optimum) -> str:
    """Say which factor measures what at one minimum and at the other."""
    p, names = len(specification.observed), (*specification.observed, *specification.latent)
    here, there = (np.abs(np.nan_to_num(standardize(each.fitted.model, each.fitted.theta)[0])) for each in (one, other))
    for column, factor in enumerate(specification.latent, start=p):
        items = [[names[row] for row in np.flatnonzero(paths[:, column] >= _LOADS)] for paths in (here, there)]
        if items[0] != items[1]:
            mine, theirs = (quoted(group, most=8) if group else "none above .5" for group in items)
            return f"Factor '{factor}' mainly measures {mine} in the one reported, {theirs} in the other."
    return ""


def as_single(whole: groups.GroupsFit) -> ml.MLFit:
    """Return the fit of one group as that of one sample."""
    return ml.MLFit(
        whole.models[0],
        whole.theta,
        whole.minimum,
        whole.sigma[0],
        whole.unrestricted[0].cov,
        whole.n_obs,
        whole.iterations,
        whole.information,
    )


def of_moments(moments: groups.Moments, n: int) -> Callable[..., ml.MLFit]:
    """Return what fits a model with means to complete answers of these moments, as :func:`optima` asks for it."""
    answers = [groups.Sample(n, moments.mean, moments.cov, np.arange(len(moments.mean)))]
    unrestricted = [groups.saturated(answers)]

    def fit(model: Model, **options) -> ml.MLFit:
        return as_single(groups.fit([answers], [model], unrestricted=unrestricted, **options))

    return fit


def in_groups(
    fit: Callable[[np.ndarray | None], groups.GroupsFit],
    model: Model,
    models: Sequence[Model],
    data: Sequence[groups.Samples],
    unrestricted: Sequence[groups.Moments],
    before: groups.GroupsFit | None,
) -> tuple[groups.GroupsFit, tuple[float, ...]]:
    """Fit a model in several groups, from several starts where in any of them a factor could choose.

    Parameters
    ----------
    fit : callable
        Takes a start, or None for the usual one; raises where a fit cannot be reported.
    model : Model
        Of one group, with means.
    models : sequence of Model
        One a group, with the entries of ``model`` in their order.
    data, unrestricted
        As :func:`~cocreation.core.sem.groups.fit`.
    before : GroupsFit or None
        The fit of a less restricted model.

    Returns
    -------
    fitted : GroupsFit
        The lowest.
    others : tuple of float
        Chi-squares of minima that compete with it.

    Raises
    ------
    EstimationError
        What ``fit`` says of the usual start, where no start leads anywhere.
    """
    found, failed = [], None
    for start in (None, *_starts(model, models, data, unrestricted, before)):
        try:
            found.append(fit(start))
        except EstimationError as error:
            failed = failed or error
    if not found:
        raise failed
    found.sort(key=lambda fitted: fitted.minimum)
    chi2 = [fitted.chi2 for fitted in found]
    near = chi2[0] + max(starts.MARGIN, starts.SHARE * chi2[0])
    apart = [b for a, b in itertools.pairwise(chi2) if b - a > 1e-5 * max(1.0, a) and b <= near]
    return found[0], tuple(apart)


def _starts(model: Model, models, data, unrestricted, before) -> Iterator[np.ndarray]:
    """Yield where else to start: at each group's own lowest minimum, at the minima of all, at the freer model's."""
    sizes = np.array([sum(sample.n for sample in group) for group in data])
    share = sizes / sizes.sum()
    mean = sum(w * moments.mean for w, moments in zip(share, unrestricted, strict=True))
    cov = sum(w * moments.cov for w, moments in zip(share, unrestricted, strict=True))
    pooled = groups.Moments(mean, cov, np.nan)
    if not any(starts.several(model, moments.cov) for moments in (*unrestricted, pooled)):
        return
    together = partial(_together, [model] * len(models), models, sizes)
    reached = []
    for moments, n in zip((*unrestricted, pooled), (*sizes, sizes.sum()), strict=True):
        try:
            reached.append(starts.optima(of_moments(moments, n), model, moments.cov, mean=moments.mean).found)
        except EstimationError:
            reached.append(())
    *each, whole = reached
    if all(each):
        yield together([found[0].fitted.theta for found in each])
    intercepts = [e for e in model.entries if e.matrix == "M" and e.row < model.observed and e.parameter >= 0]
    for optimum in whole:
        thetas = [optimum.fitted.theta.copy() for _ in models]
        for theta, moments in zip(thetas, unrestricted, strict=True):
            theta[[e.parameter for e in intercepts]] = moments.mean[[e.row for e in intercepts]]
        yield together(thetas)
    if before is not None:
        yield _together(before.models, models, sizes, [before.theta] * len(models))


def _together(old: Sequence[Model], new: Sequence[Model], sizes: np.ndarray, thetas) -> np.ndarray:
    """Return the parameters of models in groups from those of others with the same entries, averaged where equal."""
    total, weight = np.zeros((2, max(model.n_parameters for model in new)))
    for before, after, n, theta in zip(old, new, sizes, thetas, strict=True):
        for was, now in zip(before.entries, after.entries, strict=True):
            if now.parameter >= 0:
                total[now.parameter] += n * (theta[was.parameter] if was.parameter >= 0 else was.value)
                weight[now.parameter] += n
    return total / np.where(weight > 0, weight, 1.0)
