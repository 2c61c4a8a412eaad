"""A confirmatory factor analysis of ordered answers by WLSMV."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from ..core import polychoric as core
from ..core.moments import to_correlation
from ..core.sem import starts, wls
from ..core.sem.terms import Specification
from ..errors import EstimationError
from .categories import as_categories, singularity
from .likelihood import hinting, positive, refuse_impossible
from .result import Cfa
from .several_minima import remarks_on, searched
from .specify import Task
from .tables import modification_of, parameter_table, warnings_of

__all__ = ["fit_ordinal"]


def fit_ordinal(task: Task) -> Cfa:
    """Fit a model to complete answers by WLSMV, all observed variables as ordered categories.

    Parameters
    ----------
    task : Task
        With complete answers.

    Raises
    ------
    InputError
        For answers that are no categories.
    EstimationError
        If a polychoric correlation does not exist, or the model is not identified, does
        not converge or gives a factor a negative variance.
    """
    specification = task.specification
    codes, answers, warnings = as_categories(task.frame)
    n_obs, model, p = len(task.frame), specification.model, len(specification.observed)
    ordinal = core.polychoric(codes, list(specification.observed))

    def fit(of: wls.Model, **options) -> wls.WLSFit:
        try:
            with hinting(specification):
                return wls.fit(ordinal, n_obs, of, **options)
        except EstimationError as error:
            raise EstimationError(f"{error}{_weak_marker(specification, ordinal.correlations)}") from error

    reached = starts.optima(fit, model, ordinal.correlations, refuse=partial(refuse_impossible, specification))
    fitted = reached.lowest
    turned = positive(specification, fitted)
    if turned is not fitted:
        fitted = wls.fit(ordinal, n_obs, model, start=turned.theta)
    table = pd.DataFrame({"value": pd.Series(wls.measures(fitted), dtype=float)}).rename_axis("measure")
    parameters = _parameters(specification, fitted)
    loadings = parameters[parameters["op"] == "=~"].rename(columns={"left": "factor", "right": "item"})
    phi = pd.DataFrame(to_correlation(fitted.total[p:, p:]), specification.latent, specification.latent)
    doubts, remarks = warnings_of(specification, parameters, phi, 0.0), remarks_on(specification, reached, n_obs - 1)
    doubts = pd.concat(
        [doubts, pd.DataFrame([*remarks, *warnings, *singularity(fitted.sample)], columns=doubts.columns)]
    )
    least, most = min(map(len, answers)), max(map(len, answers))
    note = (
        f"WLSMV: diagonally weighted least squares over polychoric correlations, {task.who}, answers as ordered "
        f"categories ({least if least == most else f'{least} to {most}'}); standard errors robust. Judge by the "
        "figures called scaled, whose chi-square is corrected in mean and variance; the plain one, (N − 1)·F, has no "
        "chi-square distribution. Items standardized (delta parameterization), conventions as lavaan's. Modification "
        "indices are not corrected. semopy has no working WLSMV, so there is no second opinion."
        f"{searched(reached.starts)}"
    )
    return Cfa(
        fit=table,
        loadings=loadings[["factor", "item", "estimate", "se", "z", "p", "std"]].reset_index(drop=True),
        parameters=parameters,
        phi=phi,
        residuals=pd.DataFrame(fitted.sample - fitted.sigma, specification.observed, specification.observed),
        modification=modification_of(specification, fitted, wls.modification_indices),
        warnings=doubts.reset_index(drop=True),
        n=n_obs,
        convention=task.convention,
        agreement=float("nan"),
        note=note,
        estimator=task.estimator,
    )


def _weak_marker(specification: Specification, r: np.ndarray) -> str:
    """Say which factor begins with an item that hardly correlates with its others: no scale to measure it in."""
    place = {name: i for i, name in enumerate(specification.observed)}
    for factor, items in specification.indicators.items():
        at = [place[item] for item in items if item in place]
        if len(at) > 2 and np.abs(r[at[0], at[1:]]).max() < 0.15:
            return f" The first item of '{factor}', '{items[0]}', hardly correlates with the others: put another first."
    return ""


def _parameters(specification: Specification, fitted: wls.WLSFit) -> pd.DataFrame:
    """Return every entry in lavaan's order: paths, thresholds, (co)variances, scales (~*~), intercepts, definitions."""
    table = parameter_table(specification, fitted.model, fitted.theta, fitted.covariance)
    observed, latent = specification.observed, specification.latent
    own = (table["op"] == "~~") & (table["left"] == table["right"]) & table["left"].isin(observed)
    table.loc[own, ["se", "z", "p", "lower", "upper"]] = np.nan
    thresholds = pd.DataFrame(
        [
            (name, "|", f"t{i + 1}", "", cut)
            for name, cuts in zip(observed, fitted.ordinal.thresholds, strict=True)
            for i, cut in enumerate(cuts)
        ],
        columns=["left", "op", "right", "label", "estimate"],
    )
    # lavaan divides by N − 1 here
    variance = np.diag(fitted.ordinal.covariance)[: len(thresholds)] * fitted.n_obs / (fitted.n_obs - 1)
    cut, se = thresholds["estimate"], np.sqrt(variance)
    reach = ndtri(0.975) * se
    thresholds = thresholds.assign(
        se=se, z=cut / se, p=2 * ndtr(-np.abs(cut / se)), lower=cut - reach, upper=cut + reach, std=cut, std_se=se
    )
    scales = [(name, "~*~", name, "", 1.0, 1.0, 0.0) for name in observed]
    scales += [(name, "~1", "", "", 0.0, 0.0, 0.0) for name in (*observed, *latent)]
    fixed = pd.DataFrame(scales, columns=["left", "op", "right", "label", "estimate", "std", "std_se"])
    fixed[["se", "z", "p", "lower", "upper"]] = np.nan
    mutual, defined = table["op"] == "~~", table["op"] == ":="
    parts = [table[~mutual & ~defined], thresholds, table[mutual], fixed[table.columns], table[defined]]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)
