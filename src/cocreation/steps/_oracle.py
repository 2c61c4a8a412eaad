"""semopy as the second opinion on every confirmatory fit.

The one place where semopy is touched. It gets the model with every entry
written out (so none of its defaults apply), the starting values of the core,
unbounded variances and a tight tolerance: its own tolerance stops at standardized
loadings that are off in the third or fourth decimal with ``success=True``.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from ..core.ml import MLFit, standardize, start_values
from ..core.syntax import Specification

__all__ = ["AGREEMENT", "Opinion", "description", "second_opinion"]

#: standardized loadings of the two programs may differ by this much
AGREEMENT = 1e-4


def description(specification: Specification) -> str:
    """Return the model in semopy's syntax, variables as y0 … and f0 …, every free parameter named."""
    p = len(specification.observed)
    names = [f"y{i}" for i in range(p)] + [f"f{i}" for i in range(len(specification.latent))]
    lines = [f"DEFINE(latent) {' '.join(names[p:])}"]
    for entry in specification.model.entries:
        modifier = f"p{entry.parameter}" if entry.parameter >= 0 else repr(float(entry.value))
        row, column = names[entry.row], names[entry.column]
        # written as regressions: semopy would fix a first loading and log a warning where it cannot
        lines.append(f"{row} {'~' if entry.matrix == 'A' else '~~'} {modifier}*{column}")
    return "\n".join(lines)


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
    """How far semopy's standardized loadings are from the core's, its F, and its parameters in the core's order."""

    apart: float
    minimum: float
    theta: np.ndarray


def second_opinion(specification: Specification, fitted: MLFit, start: np.ndarray | None = None) -> Opinion:
    """Fit the model by semopy, from the core's starting values unless ``start`` is given.

    Signs of whole factors are free where no loading is fixed, so sizes are
    compared. Restarted from where it stopped up to three times, since its search
    can stall above the minimum and call that success.
    """
    import pandas as pd
    import semopy

    p = len(specification.observed)
    names = [f"y{i}" for i in range(p)]
    with _quiet(), threadpool_limits(1), np.errstate(all="ignore"):
        model = semopy.Model(description(specification), cov_diag=True)
        starts = start_values(specification.model, fitted.sample) if start is None else start
        for name, parameter in model.parameters.items():
            parameter.bound = (None, None)
            if name.startswith("p"):
                parameter.start = float(starts[int(name[1:])])
        model.load(cov=pd.DataFrame(fitted.sample, index=names, columns=names), n_samples=fitted.n_obs)
        numbers = [int(name[1:]) for name, parameter in model.parameters.items() if parameter.active]
        size = np.abs(fitted.standardized()[0])
        apart, minimum = np.inf, np.inf
        for _ in range(3):
            result = model.fit(obj="MLW", solver="SLSQP", options={"ftol": 1e-12, "maxiter": 1000})
            theta = np.empty(specification.model.n_parameters)
            theta[numbers] = result.x
            paths, _ = standardize(specification.model, theta)
            apart, minimum = float(np.abs(np.abs(paths) - size).max()), float(result.fun)
            if apart <= AGREEMENT / 100:
                break
    return Opinion(apart, minimum, theta)
