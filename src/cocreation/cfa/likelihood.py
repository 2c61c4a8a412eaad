"""From answers and a specification to estimates: ML, MLM, MLR, with complete answers or all of them (FIML)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from ..core.moments import covariance
from ..core.sem import equalities, groups, ml, robust, starts
from ..core.sem import fit as fit_measures
from ..core.sem.search import is_proper
from ..core.sem.terms import Specification
from ..errors import EstimationError
from .several_minima import as_single, beside, of_moments, remarks_on
from .specify import Task, with_means

__all__ = ["Estimate", "estimate", "hinting", "positive", "refuse_impossible"]

#: F of two searches that ended alike; F of one place by two programs, relative above 1
_ALIKE, _SAME_F = 1e-9, 1e-6
#: how often semopy may go lower from a minimum that was the lowest so far
_OPINIONS = 3
_UNCHECKED = "semopy does not stay at this minimum, so there is no second opinion."
_LEFT = (
    "semopy, started at the minimum reported, leaves it for a worse place or for no possible one. The fit stands, but "
    "without a second opinion: simplify the model, or bring the items to similar spreads, before trusting it."
)
_BELOW = (
    "semopy's search went below the minimum reported, to a place that is no minimum or cannot be reported. The model "
    "asks more of the data than they hold and deserves no trust before that is understood."
)


@dataclass(frozen=True)
class Estimate:
    """A model's estimates, whichever way they came about.

    ``fitted.sample`` holds the unrestricted covariances; ``mean`` and ``mu`` the unrestricted and the
    implied means; ``covariance`` that of the estimates; ``indices`` the modification indices of cells.
    ``agreement`` is semopy's distance (NaN where it is not asked, infinite where it leaves the minimum),
    ``missed`` by how much its search from the only start stopped above, ``remarks`` what goes into the
    warnings, ``opinion`` a sentence of semopy's for the note, ``starts`` from how many starts the minimum
    was searched, ``beside`` which other a table should tell of.
    """

    specification: Specification
    fitted: ml.MLFit
    mean: np.ndarray
    mu: np.ndarray
    covariance: np.ndarray
    measures: dict[str, float]
    indices: Callable
    agreement: float
    missed: float
    remarks: tuple[tuple[str, str], ...] = ()
    opinion: str = ""
    starts: int = 1
    beside: str = ""


def estimate(task: Task) -> Estimate:
    """Fit a model to answers.

    Raises
    ------
    EstimationError
        If the model is not identified, does not converge, gives a factor a negative variance,
        or semopy computes otherwise or ends as low elsewhere.
    """
    x, specification = task.frame.to_numpy(), task.specification
    if task.missing == "fiml":
        return _of_all_answers(x, with_means(specification), task.estimator)
    checked = _Check(_maximum_likelihood(x, specification), np.nan, 0.0, (), "Not compared with semopy.")
    if task.cross_check:
        checked = _cross_check(specification, checked.reached)
    reached, n, given = checked.reached, len(x), _given(specification)
    fitted, divisor = positive(specification, reached.lowest), n - (task.convention == "amos")
    doubts = checked.remarks + remarks_on(specification, reached, divisor)
    baseline, floor = _complete_baseline(fitted.sample, specification, n)
    found = fit_measures.measures(
        fitted.sample,
        fitted.sigma,
        fitted.minimum,
        n,
        specification.model.n_parameters - given,
        convention=task.convention,
        baseline=baseline,
        unrestricted_logl=floor,
        given=given,
    )
    if given and found["df"] > 0:
        found |= _gfi_given_covariates(fitted, specification, int(found["df"]))
    mean = x.mean(axis=0)
    errors = fitted.covariance * (n / (n - 1) if task.convention == "amos" else 1.0)
    if task.estimator != "ML":
        errors, scaled, remarks = _corrected(x, fitted, task.estimator)
        found, doubts = found | scaled, doubts + remarks
    return Estimate(
        specification, fitted, mean, mean, errors, found, ml.modification_indices, checked.agreement, checked.missed,
        doubts, checked.told, reached.starts, beside(reached, divisor),
    )  # fmt: skip


def _maximum_likelihood(x: np.ndarray, specification: Specification) -> starts.Optima:
    s = covariance(x, divisor="N")

    def fit(model: ml.Model, **options) -> ml.MLFit:
        with hinting(specification):
            return ml.fit(s, len(x), model, **options)

    return starts.optima(fit, specification.model, s, refuse=partial(refuse_impossible, specification))


@contextmanager
def hinting(specification: Specification) -> Iterator[None]:
    """Add to the reason why a model cannot be estimated that one of its factors is thin."""
    try:
        yield
    except EstimationError as error:
        thin = [(name, len(items)) for name, items in specification.indicators.items() if len(items) < 3]
        if not thin:
            raise
        name, count = thin[0]
        raise EstimationError(f"{error} Factor '{name}' has only {count} items.") from error


def _given(specification: Specification) -> int:
    return len({term.parameter for term in specification.terms if term.given})


def _complete_baseline(s: np.ndarray, specification: Specification, n: int):
    """Return F and df of independence and the unrestricted log-likelihood, both given the covariates, if any."""
    if not specification.covariates:
        return None, None
    at = [specification.observed.index(name) for name in specification.covariates]
    log_det = np.linalg.slogdet(s)[1]
    inner = np.linalg.slogdet(s[np.ix_(at, at)])[1]
    p, k = len(s), len(at)
    minimum = np.log(np.delete(np.diag(s), at)).sum() + inner - log_det
    floor = -n / 2 * ((p - k) * (np.log(2 * np.pi) + 1) + log_det - inner)
    return (float(minimum), (p * (p - 1) - k * (k - 1)) // 2), float(floor)


def _gfi_given_covariates(fitted: ml.MLFit, specification: Specification, df: int) -> dict[str, float]:
    """GFI as lavaan takes it: the moments of covariates are none to be reproduced, but count among the moments."""
    at = [specification.observed.index(name) for name in specification.covariates]
    wanted = fitted.sample.copy()
    wanted[np.ix_(at, at)] = 0.0
    missed, aim = (np.linalg.solve(fitted.sigma, s) for s in (fitted.sample - fitted.sigma, wanted))
    gfi = float(1 - np.trace(missed @ missed) / np.trace(aim @ aim))
    moments = len(wanted) * (len(wanted) + 1) // 2
    return {"gfi": gfi, "agfi": 1 - moments / df * (1 - gfi), "pgfi": df / moments * gfi}


def _corrected(x: np.ndarray, fitted: ml.MLFit, estimator: str):
    """Return robust covariances of the estimates, the scaled and robust measures, and remarks."""
    answers = robust.Answers([x])
    whole = groups.at([groups.samples(x)], [fitted.model], fitted.theta)
    correct = robust.satorra_bentler if estimator == "MLM" else robust.huber_white
    model, independent = correct(whole, answers), robust.independence(whole)
    base = correct(independent, answers)
    return model.covariance, *_scaled(whole, model.trace, independent, base.trace, len(x), fitted.model.n_parameters)


def _scaled(whole: groups.GroupsFit, trace: float, independent: groups.GroupsFit, base: float, n: int, q: int):
    """Return the scaled measures where they exist, and what to beware of."""
    remarks = []
    if n <= q:
        remarks.append(
            (
                "model",
                f"{n} respondents for {q} parameters: robust standard errors rest on as many differences between "
                "respondents and are too small here. Collect more answers, or report plain ML.",
            )
        )
    if whole.df == 0:
        return {}, tuple(remarks)
    scale, base_scale = trace / whole.df, base / independent.df
    if scale <= 0 or base_scale <= 0:
        remarks.append(
            (
                "model",
                f"The scaling factor would be {min(scale, base_scale):.3g}, which is impossible: too few respondents "
                "for it. Scaled and robust measures are left out.",
            )
        )
        return {}, tuple(remarks)
    measures = fit_measures.scaled_measures(
        whole.chi2, whole.df, n, scale, independent.chi2, independent.df, base_scale
    )
    return measures, tuple(remarks)


def _of_all_answers(x: np.ndarray, specification: Specification, estimator: str) -> Estimate:
    """Maximum likelihood of all answers there are; semopy's, which is wrong, is not asked."""
    n, model = len(x), specification.model
    data = groups.samples(x)
    reached, unrestricted = _lowest_of_all_answers(data, specification)
    turned = positive(specification, reached.lowest)
    whole = groups.at([data], [model], turned.theta, unrestricted=unrestricted)
    independent = robust.independence(whole)
    found = equalities.measures(whole, [x])
    errors, remarks = whole.covariance_of("observed"), remarks_on(specification, reached, n)
    answers = robust.Answers([x])
    if estimator == "MLR":
        corrected, base = robust.huber_white(whole, answers), robust.huber_white(independent, answers)
        errors = corrected.covariance
        scaled, doubts = _scaled(whole, corrected.trace, independent, base.trace, n, model.n_parameters)
        found, remarks = found | scaled, remarks + doubts
    if whole.df:
        ours, theirs = (robust.corrected_misfit(f, answers, normal=estimator == "ML") for f in (whole, independent))
        found |= fit_measures.robust_measures(ours[0], whole.df, n, ours[1], theirs[0], independent.df, theirs[1])

    def indices(_, candidates):
        return groups.modification_indices(whole, candidates)

    mean, mu = whole.unrestricted[0].mean, whole.mu[0]
    return Estimate(
        specification, turned, mean, mu, errors, found, indices, np.nan, 0.0, remarks,
        "semopy, whose own fit of missing answers is wrong, was not asked.", reached.starts, beside(reached, n),
    )  # fmt: skip


def _lowest_of_all_answers(data: groups.Samples, specification: Specification):
    """Return the minima of all answers there are, and the unrestricted moments.

    Where there could be several, they are looked for among complete answers of these moments, which takes no time.
    """
    model = specification.model
    with hinting(specification):
        moments = groups.saturated(data)
    refuse, usual = partial(refuse_impossible, specification), ml.start_values(model, moments.cov, moments.mean)

    def fit(start: np.ndarray, **options) -> ml.MLFit:
        with hinting(specification):
            return as_single(groups.fit([data], [model], start=start, unrestricted=[moments], **options))

    if starts.several(model, moments.cov):
        near = of_moments(moments, sum(sample.n for sample in data))
        reached = starts.optima(near, model, moments.cov, mean=moments.mean, refuse=refuse)
        on = partial(fit, iterations=starts.STEPS)
        found = starts.refined(on, [each.fitted.theta for each in reached.found], refuse=refuse)
        if found:
            return starts.Optima(found, reached.starts), [moments]
    fitted = fit(usual)
    refuse(fitted)
    return starts.Optima((starts.Optimum(fitted, is_proper(fitted)),), 1), [moments]


def refuse_impossible(specification: Specification, fitted: ml.MLFit) -> None:
    """Raise where a factor's variance lets nothing be standardized."""
    p, total = len(specification.observed), np.diag(fitted.total)
    for number, name in enumerate(specification.latent, start=p):
        value = total[number]
        # where a loading is fixed, its item must share a trace of its variance with the factor, whatever its units
        markers = [e for e in specification.model.entries if e.matrix == "A" and e.column == number and e.parameter < 0]
        shares = [e.value**2 * value / total[e.row] for e in markers if e.value and total[e.row] > 0]
        if not value > 0 or (shares and max(shares) < 1e-10):
            raise EstimationError(
                f"Factor '{name}' gets a variance of {value:.3g}, so nothing can be standardized: its first item does "
                "not share anything with the others. Put a better item first or drop it."
            )


def positive(specification: Specification, fitted: ml.MLFit) -> ml.MLFit:
    """Turn factors whose scale is a fixed variance so that their first loading is positive, as a marker's is."""
    p = len(specification.observed)
    sign = np.ones(len(fitted.theta))
    entries = specification.model.entries
    for number in range(p, p + len(specification.latent)):
        paths = [e for e in entries if e.matrix == "A" and e.column == number]
        if any(e.parameter < 0 and e.value for e in paths) or not paths:
            continue
        numbers = sorted({e.parameter for e in paths if e.parameter >= 0})
        others = {e.parameter for e in entries if e not in paths}
        first = next((e.parameter for e in paths if e.parameter >= 0), None)
        if first is not None and (sign * fitted.theta)[first] < 0 and not others & set(numbers):
            sign[numbers] *= -1
            turned = {
                e.parameter
                for e in entries
                if e.parameter >= 0 and e.matrix == "P" and e.row != e.column and number in (e.row, e.column)
            } | {e.parameter for e in entries if e.parameter >= 0 and e.matrix in "AM" and e.row == number}
            sign[sorted(turned)] *= -1
    if (sign > 0).all():
        return fitted
    return replace(fitted, theta=sign * fitted.theta, information=fitted.information * np.outer(sign, sign))


class _Check(NamedTuple):
    """The minima after semopy was asked, its distance, how far it first stopped above, warnings, words for the note."""

    reached: starts.Optima
    agreement: float
    missed: float
    remarks: tuple[tuple[str, str], ...]
    told: str


def _cross_check(specification: Specification, reached: starts.Optima) -> _Check:
    """Ask semopy from its usual start and, where that ends elsewhere, at the lowest minimum.

    Wherever semopy ends is one more start for the search here: two programs can end apart from one start, and the
    lower minimum counts. That semopy ends or stays at a minimum checks the arithmetic; of lower ones it says nothing.
    Where it leaves for a worse place, the fit stands by semopy's own F, but without a second opinion.
    """
    from . import semopy_check

    if unasked := semopy_check.unavailable():
        return _Check(reached, np.nan, 0.0, (), f"semopy was not asked: {unasked}.")
    first, single = reached.lowest, reached.starts == 1
    on, refuse = (
        partial(ml.fit, first.sample, first.n_obs, specification.model),
        partial(refuse_impossible, specification),
    )
    opinion = semopy_check.second_opinion(specification, first)
    if opinion.apart <= semopy_check.AGREEMENT:
        within = semopy_check.magnitude(opinion.apart)
        told = f"semopy's standardized loadings agree within {within}."
        if not single:
            told = f"semopy ends here from the usual start too, within {within}, which checks the arithmetic."
        return _Check(reached, opinion.apart, 0.0, (), told)
    missed = max(opinion.minimum - first.minimum, 0.0) if single and np.isfinite(opinion.minimum) else 0.0
    below = False
    for _ in range(_OPINIONS):
        if np.isfinite(opinion.minimum):
            reached = starts.further(on, reached, opinion.theta, refuse=refuse)
        fitted = reached.lowest
        below = below or opinion.minimum < fitted.minimum - _ALIKE
        opinion = semopy_check.second_opinion(specification, fitted, fitted.theta)
        if not opinion.minimum < fitted.minimum - _ALIKE:
            break
    remarks = (("model", _BELOW),) if below else ()
    if not opinion.apart <= semopy_check.AGREEMENT:
        _refuse_disagreement(fitted, opinion)
        return _Check(reached, np.inf, missed, (*remarks, ("model", _LEFT)), _UNCHECKED)
    where = (
        "A search of semopy's led to this minimum, below those of the searches here"
        if fitted.minimum < first.minimum - _ALIKE
        else "semopy's search from the usual start ended elsewhere"
    )
    within = semopy_check.magnitude(opinion.apart)
    told = f"{where}; started at this minimum, semopy stays within {within}, which checks the arithmetic."
    return _Check(reached, opinion.apart, missed, remarks, told)


def _refuse_disagreement(fitted: ml.MLFit, opinion) -> None:
    """Raise where semopy, started at a minimum, computes another F there or goes to another place as low."""
    apart = f" by {opinion.apart:.2g} in a standardized loading" if np.isfinite(opinion.apart) else ""
    if np.isfinite(opinion.begun) and abs(opinion.begun - fitted.minimum) > _SAME_F * max(1.0, fitted.minimum):
        why = f"semopy computes F = {opinion.begun:.8g} at the estimates whose F is {fitted.minimum:.8g} here"
    elif abs(opinion.minimum - fitted.minimum) <= _ALIKE:
        why = "two different solutions fit equally well, so the model is not identified"
    else:
        return
    raise EstimationError(
        f"semopy and this course's estimator disagree{apart}: {why}. Simplify the model or bring the items to similar "
        "spreads."
    )
