"""semopy as the second opinion on every confirmatory fit.

The one place where semopy is touched. It gets the model with every entry
written out (so none of its defaults apply), the starting values of the core,
unbounded variances and a tight tolerance: its own tolerance stops at standardized
loadings that are off in the third or fourth decimal with ``success=True``. And it
gets every variable in units in which its variance is about 1, since its search
ends far from the minimum where items differ by powers of ten in their spread.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from ..core.moments import to_correlation
from ..core.sem.ml import MLFit
from ..core.sem.model import Entry, Model, standardize, start_values, total_covariances
from ..core.sem.terms import Specification
from ..core.threads import one_thread

__all__ = ["AGREEMENT", "Opinion", "description", "magnitude", "second_opinion", "unavailable"]

#: standardized loadings of the two programs may differ by this much
AGREEMENT = 1e-4


def magnitude(difference: float) -> str:
    """Return a power of ten that bounds a difference, so that a printed note is the same on every machine."""
    return next((text for limit, text in ((1e-6, "1e-6"), (1e-5, "1e-5")) if difference <= limit), "1e-4")


def unavailable() -> str:
    """Return why semopy cannot be asked, for a note; empty where it can."""
    try:
        import semopy  # noqa: F401
    except Exception as error:  # whatever a broken installation raises: estimates do not depend on it
        if isinstance(error, ModuleNotFoundError) and error.name == "semopy":
            return "not installed"
        return f"it is installed, but importing it ends in {type(error).__name__}"
    return ""


def description(specification: Specification, ratio: np.ndarray | None = None) -> str:
    """Return the model in semopy's syntax, variables as y0 … and f0 …, every free parameter named.

    ``ratio`` holds, for each entry, by what the choice of units multiplies it.
    """
    p = len(specification.observed)
    names = [f"y{i}" for i in range(p)] + [f"f{i}" for i in range(len(specification.latent))]
    lines = []
    for i in _between(specification.model):
        lines += [f"y{i} ~ 1.0*g{i}", f"y{i} ~~ 0.0*y{i}"]
        names[i] = f"g{i}"
    lines.insert(0, f"DEFINE(latent) {' '.join(name for name in names if name[0] != 'y')}")
    for number, entry in enumerate(specification.model.entries):
        fixed = float(entry.value if ratio is None else entry.value * ratio[number])
        modifier = f"p{entry.parameter}" if entry.parameter >= 0 else repr(fixed)
        row, column = names[entry.row], names[entry.column]
        # written as regressions: semopy would fix a first loading and log a warning where it cannot
        lines.append(f"{row} {'~' if entry.matrix == 'A' else '~~'} {modifier}*{column}")
    return "\n".join(lines)


def _between(model: Model) -> list[int]:
    """Return the observed outcomes whose disturbance varies with that of a factor or of a predictor.

    semopy keeps outcomes that predict nothing in a matrix of their own, with no place for such a
    covariance. They get a factor behind them that is the same variable.
    """
    paths = [(e.row, e.column) for e in model.entries if e.matrix == "A"]
    outcomes = {row for row, _ in paths if row < model.observed} - {column for _, column in paths}
    pairs = [(e.row, e.column) for e in model.entries if e.matrix == "P" and e.row != e.column]
    found: set[int] = set()
    while True:
        rest = outcomes - found
        more = {i for pair in pairs for i in pair if i in rest and not rest.issuperset(pair)}
        if not more:
            return sorted(found)
        found |= more


def _units(model: Model, sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the unit of each variable, and by what these units multiply each entry.

    Each variable has its own unit, unless parameters that are equal would no longer
    be: then the observed share one, then the latent too, or all stay as they are.
    """
    spread = np.sqrt(np.diag(sample))
    total = np.diag(total_covariances(model, start_values(model, sample)))[model.observed :]
    latent = np.sqrt(np.where(total > 0, total, 1.0))
    shared, shared_latent = np.full_like(spread, _middle(spread)), np.full_like(latent, _middle(spread))
    for units in ((spread, latent), (shared, latent), (shared, shared_latent)):
        ratio = np.array([_ratio(entry, np.concatenate(units)) for entry in model.entries])
        if _keeps_equal(model, ratio):
            return np.concatenate(units), ratio
    return np.ones(model.observed + model.latent), np.ones(len(model.entries))


def _middle(values: np.ndarray) -> float:
    return float(np.exp(np.log(values).mean()))


def _ratio(entry: Entry, units: np.ndarray) -> float:
    if entry.matrix == "A":
        return units[entry.column] / units[entry.row]
    return 1 / (units[entry.row] * units[entry.column])


def _keeps_equal(model: Model, ratio: np.ndarray) -> bool:
    """Whether entries that share a parameter are multiplied by the same."""
    of_parameter: dict[int, float] = {}
    free = [(e.parameter, r) for e, r in zip(model.entries, ratio, strict=True) if e.parameter >= 0]
    return all(np.isclose(of_parameter.setdefault(parameter, r), r, rtol=1e-12) for parameter, r in free)


@contextmanager
def _quiet():
    """Keep semopy's remarks off the root logger while it runs; what they say is checked here."""
    root = logging.getLogger()
    before = root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


class Opinion(NamedTuple):
    """How far semopy's standardized loadings are from the core's, its F, and its parameters in the core's order.

    ``minimum`` is NaN and ``apart`` infinite where its search ended at no possible covariance matrix; ``begun`` is its
    F where it started, infinite where it can compute none.
    """

    apart: float
    minimum: float
    theta: np.ndarray
    begun: float


def second_opinion(specification: Specification, fitted: MLFit, start: np.ndarray | None = None) -> Opinion:
    """Fit the model by semopy, from the core's starting values unless ``start`` is given.

    Signs of whole factors are free where no loading is fixed, so sizes are
    compared. Restarted from where it stopped up to three times, since its search
    can stall above the minimum and call that success.
    """
    import pandas as pd
    import semopy

    model = specification.model
    p = model.observed
    names = [f"y{i}" for i in range(p)]
    starts = start_values(model, fitted.sample) if start is None else start
    units, ratio = _units(model, fitted.sample)
    stretch = np.ones(model.n_parameters)
    for entry, r in zip(model.entries, ratio, strict=True):
        if entry.parameter >= 0:
            stretch[entry.parameter] = r
    sample = fitted.sample / np.outer(units[:p], units[:p])
    with _quiet(), one_thread(), np.errstate(all="ignore"):
        theirs = semopy.Model(description(specification, ratio), cov_diag=True)
        for name, parameter in theirs.parameters.items():
            parameter.bound = (None, None)
            if name.startswith("p"):
                parameter.start = float(starts[int(name[1:])] * stretch[int(name[1:])])
        theirs.load(cov=pd.DataFrame(sample, index=names, columns=names), n_samples=fitted.n_obs)
        numbers = [int(name[1:]) for name, parameter in theirs.parameters.items() if parameter.active]
        size = np.abs(fitted.standardized()[0])
        begun = float(theirs.obj_mlw(theirs.param_vals))
        for _ in range(3):
            result = theirs.fit(obj="MLW", solver="SLSQP", options={"ftol": 1e-12, "maxiter": 1000})
            theta = np.empty(model.n_parameters)
            theta[numbers] = result.x / stretch[numbers]
            if not _possible(model, theta):
                return Opinion(np.inf, np.nan, theta, begun)
            paths, _ = standardize(model, theta)
            apart, minimum = float(np.abs(np.abs(paths) - size).max()), float(result.fun)
            if apart <= AGREEMENT / 100:
                break
    return Opinion(apart, minimum, theta, begun)


def _possible(model: Model, theta: np.ndarray) -> bool:
    """Whether the implied covariances of the observed are positive definite, of which semopy does not take heed."""
    p = model.observed
    sigma = total_covariances(model, theta)[:p, :p]
    if not np.isfinite(sigma).all() or np.diag(sigma).min() <= 0:
        return False
    return bool(np.linalg.eigvalsh(to_correlation(sigma))[0] > 0)
