"""A confirmatory factor analysis: from model and answers to the tables of its result.

The room behind :mod:`cocreation.steps.confirm`, whose functions and rival models all
fit through :func:`fit_model`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..core.measures import named
from ..core.moments import to_correlation
from ..core.sem.groups import factor_scores
from ..errors import InputError, plain
from ..inputs.answers import items_frame
from ..results.result import Result
from .likelihood import Estimate, estimate
from .specify import Task
from .tables import modification_of, note_of, parameters_of, warnings_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Cfa", "fit_model"]


@dataclass(frozen=True, repr=False)
class Cfa(Result):
    """A confirmatory factor analysis.

    Attributes
    ----------
    fit : DataFrame
        Index measure, column value: chi2, df, p, chi2_df, cfi, tli, nfi, rfi, ifi, pnfi,
        rni, gfi, agfi, pgfi, mfi, cn_05, cn_01, rmsea, rmsea_lower, rmsea_upper, pclose,
        srmr, srmr_bollen, srmr_mplus, rmr, rmr_nomean, ecvi, fmin, logl,
        unrestricted_logl, aic, bic, bic2, parameters, n, baseline_chi2, baseline_df;
        with MLM, MLR and WLSMV also chi2_scaled, df_scaled, p_scaled, scaling_factor,
        baseline_chi2_scaled, baseline_df_scaled, baseline_scaling_factor, cfi_scaled,
        tli_scaled, rmsea_scaled, rmsea_lower_scaled and rmsea_upper_scaled; with these
        and FIML cfi_robust, tli_robust, rmsea_robust, rmsea_lower_robust and
        rmsea_upper_robust. WLSMV has shift, wrmr and srmr_bentler, but nothing that
        rests on a likelihood. Measures that do not exist (with df = 0) have no row.
        :data:`cocreation.core.measures.MEASURES` says what each is. See :meth:`measure`.
    loadings : DataFrame
        Columns factor, item, estimate, se, z, p, std. A fixed loading has no se.
    parameters : DataFrame
        Columns left, op, right, label, estimate, se, z, p, lower, upper, std, std_se, of
        every entry; op is =~, ~, ~~, ~1 (intercepts, with FIML) or := (defined); with WLSMV
        also | (thresholds) and ~*~ (items' scales, all 1). A fixed parameter has no se; its
        standardized value is estimated and has one.
    phi : DataFrame
        Correlations of the factors as the model implies them.
    residuals : DataFrame, shape (items, items)
        Sample minus implied covariances over √(s_ii·s_jj).
    modification : DataFrame
        Columns left, op, right, mi, epc, std_epc: cross-loadings and residual
        covariances left out of the model, the largest index first. A residual
        covariance of an item with a negative variance has no std_epc.
    warnings : DataFrame
        Columns subject, warning: what a careful reader would question.
    n : int
        Respondents used.
    convention : str
        "lavaan" or "amos".
    agreement : float
        Largest difference of standardized loadings from semopy's; NaN where it is not asked, infinite where it
        does not stay at the minimum, and the note says so. It checks arithmetic, not that no minimum is lower.
    note : str
    estimator, missing : str
        As :func:`cocreation.steps.confirm.cfa` was told.
    estimate : Estimate, optional
        The fit underneath, for what is computed from it.
    """

    title = "Confirmatory factor analysis"

    fit: pd.DataFrame
    loadings: pd.DataFrame
    parameters: pd.DataFrame
    phi: pd.DataFrame
    residuals: pd.DataFrame
    modification: pd.DataFrame
    warnings: pd.DataFrame
    n: int
    convention: str
    agreement: float
    note: str
    estimator: str = "ML"
    missing: str = "listwise"
    estimate: Estimate | None = field(default=None, compare=False)

    def measure(self, name: str) -> float:
        """Return one fit measure by name, such as ``"cfi"``; lavaan's names are understood too.

        Parameters
        ----------
        name : str
            One of the rows of ``fit``, or lavaan's name.

        Returns
        -------
        float

        Raises
        ------
        InputError
            If the name is unknown or the measure does not exist for this model.
        """
        found = name if name in self.fit.index else named(name, self.fit.index)
        if not found:
            raise InputError(f"There is no fit measure {plain(name)} here; there are {', '.join(self.fit.index)}.")
        return float(self.fit.loc[found, "value"])

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return chi-square, fit indices, loadings, factor correlations, and warnings if there are any.

        A p-value beside a scaled chi-square is that of the scaled one.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        chi2 = {name: self.measure(name) for name in ("chi2", "df", "p", "chi2_df") if name in self.fit.index}
        if "p_scaled" in self.fit.index:
            chi2["p"] = self.measure("p_scaled")
        chi2["df"] = int(chi2["df"])
        chi2 |= {name: self.measure(name) for name in ("chi2_scaled", "scaling_factor") if name in self.fit.index}
        indices = ["cfi", "tli", "nfi", "rmsea", "rmsea_lower", "rmsea_upper", "srmr"]
        # the plain chi-square of WLSMV is none, nor are the indices made of it
        scaled = {name: self.measure(f"{name}_scaled") for name in indices if f"{name}_scaled" in self.fit.index}
        kind = "scaled fit" if self.estimator == "WLSMV" and scaled else "fit"
        found = {name: self.measure(name) for name in indices if name in self.fit.index}
        if kind == "scaled fit":
            found = scaled | {"srmr": self.measure("srmr")}
        shown = {"chi-square": pd.DataFrame([chi2])}
        if found:
            shown[kind] = pd.DataFrame([found])
        robust = {name: self.measure(f"{name}_robust") for name in indices if f"{name}_robust" in self.fit.index}
        if robust:
            shown["robust fit"] = pd.DataFrame([robust])
        shown["loadings"] = self.loadings
        if len(self.phi) > 1:
            shown["factor correlations"] = self.phi
        if len(self.warnings):
            shown["warnings"] = self.warnings
        return shown

    def scores(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return the factor scores of respondents by the regression method, as lavaan's ``lavPredict``.

        Parameters
        ----------
        data : DataFrame, shape (respondents, columns)
            Answers to the model's items, of the same respondents or of others.

        Returns
        -------
        DataFrame, shape (respondents, factors)
            With FIML everybody who gave any answer is scored by the answers given; otherwise only
            who answered every item. The index is that of ``data``.

        Raises
        ------
        InputError
            If the data lack an item or hold what is no answer, or if the estimator gives no scores.

        Notes
        -----
        η̂ = E(η | y) at the estimates, deviations taken from the means of the sample the model was
        fitted to (Thurstone 1935). Scores are less variable than factors, and correlate differently.
        """
        if self.estimate is None:
            raise InputError(f"There are no factor scores with {self.estimator}. Fit the model with estimator='ML'.")
        found, fitted = self.estimate, self.estimate.fitted
        names = found.specification.observed
        frame = items_frame(data, names, missing="keep", at_least=1, constant="keep", respondents=1)
        seen = frame.notna().to_numpy()
        frame = frame[seen.any(axis=1) if self.missing == "fiml" else seen.all(axis=1)]
        scores = factor_scores(frame.to_numpy(), fitted.model, fitted.theta, found.mu)
        return pd.DataFrame(scores, frame.index, list(found.specification.latent))

    def plot(self, ax: Axes | None = None, *, kind: str = "loadings") -> Axes:
        """Draw the standardized loadings by factor, the residual correlations as a heatmap, or the model's paths.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw.
        kind : {"loadings", "residuals", "path"}
            What to draw; "path" is the diagram with standardized estimates, dashed where p ≥ .05.

        Returns
        -------
        Axes
        """
        if kind not in ("loadings", "residuals", "path"):
            raise InputError(f"kind is 'loadings', 'residuals' or 'path', not {plain(kind)}. Choose one of them.")
        if kind == "path":
            from ..results import path_diagram

            return path_diagram.draw(self.parameters, ax)
        from . import plots

        return plots.loadings(self.loadings, ax) if kind == "loadings" else plots.residuals(self.residuals, ax)


def fit_model(task: Task) -> Cfa:
    """Fit a model by maximum likelihood and return the tables of its result."""
    found = estimate(task)
    specification, fitted = found.specification, found.fitted
    table = pd.DataFrame({"value": np.array([*found.measures.values()], dtype=float)}, index=[*found.measures])
    table.index.name = "measure"
    parameters = parameters_of(found)
    measuring = parameters["op"].to_numpy() == "=~"
    named = {"factor": "left", "item": "right"} | {name: name for name in ("estimate", "se", "z", "p", "std")}
    loadings = pd.DataFrame({name: parameters[column].to_numpy()[measuring] for name, column in named.items()})
    p = len(specification.observed)
    phi = pd.DataFrame(to_correlation(fitted.total[p:, p:]), specification.latent, specification.latent)
    own = np.sqrt(np.diag(fitted.sample))
    residuals = pd.DataFrame(
        (fitted.sample - fitted.sigma) / np.outer(own, own), specification.observed, specification.observed
    )
    return Cfa(
        table,
        loadings,
        parameters,
        phi,
        residuals,
        modification_of(specification, fitted, found.indices),
        warnings_of(specification, parameters, phi, found.missed, found.remarks),
        len(task.frame),
        task.convention,
        found.agreement,
        note_of(found, task),
        task.estimator,
        task.missing,
        found,
    )
