"""Diagonally weighted least squares over polychoric correlations, with tests corrected in mean and variance.

F = Σ (r − ρ(θ))²/γ over the pairs of items, γ being N times the sampling variance of
the polychoric correlation r. The estimates ignore that correlations covary; standard
errors and tests then take their whole sampling covariance Γ into account (Muthén,
du Toit & Spisic 1997; Asparouhov & Muthén 2010). Items are standardized (lavaan's delta
parameterization): an item's own variance is what the model leaves of 1, and no
parameter. The thresholds fit themselves, so only their number matters here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import chdtrc, chdtri

from ...errors import EstimationError
from ..polychoric import Ordinal
from ..threads import one_thread
from .fit import _against_baseline, _upper_tail, robust_measures
from .model import Entry, Model, score_test, start_values, total_covariances
from .search import State, search
from .slopes import jacobian

__all__ = ["Corrected", "WLSFit", "fit", "measures", "modification_indices", "own_variances"]

#: below this eigenvalue a correlation matrix has no inverse worth the name
LEAST_EIGENVALUE = 1e-8


@dataclass(frozen=True)
class Corrected:
    """A test statistic, and what remains of it when its mean and variance are those of a chi-square.

    ``scaled`` = ``chi2``/``factor`` + ``shift``. ``trace`` is the mean of ``chi2`` where the model holds.
    """

    chi2: float
    df: int
    trace: float
    factor: float

    @property
    def shift(self) -> float:
        """What is added after the division."""
        return self.df - self.trace / self.factor

    @property
    def scaled(self) -> float:
        """The corrected statistic."""
        return self.chi2 / self.factor + self.shift


@dataclass(frozen=True)
class WLSFit:
    """What diagonally weighted least squares found.

    Attributes
    ----------
    model : Model
    theta : array, shape (parameters,)
        All parameters of the model, items' own variances among them.
    free : array of int
        The parameters that were estimated: all but items' own variances.
    minimum : float
        F at the optimum.
    sigma : array, shape (p, p)
        Implied correlations.
    slopes : array, shape (pairs, free)
        Their derivatives.
    ordinal : Ordinal
        What was fitted.
    n_obs, iterations : int
    """

    model: Model
    theta: np.ndarray
    free: np.ndarray
    minimum: float
    sigma: np.ndarray
    slopes: np.ndarray
    ordinal: Ordinal
    n_obs: int
    iterations: int

    @property
    def df(self) -> int:
        """Correlations minus parameters."""
        return len(self.slopes) - len(self.free)

    @property
    def sample(self) -> np.ndarray:
        """The polychoric correlations, shape (p, p)."""
        return self.ordinal.correlations

    @cached_property
    def matrices(self) -> tuple[np.ndarray, np.ndarray]:
        """The estimated path matrix A and (co)variance matrix P over all variables."""
        return self.model.matrices(self.theta)

    @cached_property
    def total(self) -> np.ndarray:
        """The implied covariances of all variables, observed and latent."""
        return total_covariances(self.model, self.theta)

    @cached_property
    def gamma(self) -> np.ndarray:
        """Γ, N times the sampling covariance of the correlations, shape (pairs, pairs)."""
        return _gamma(self.ordinal, self.n_obs)

    @cached_property
    def change(self) -> np.ndarray:
        """By how much each correlation moves each parameter, shape (free, pairs)."""
        weighted = (self.slopes / np.diag(self.gamma)[:, None]).T
        return np.linalg.solve(weighted @ self.slopes, weighted)

    @cached_property
    def covariance(self) -> np.ndarray:
        """The robust sampling covariance of all parameters, shape (parameters, parameters); divisor N − 1 as lavaan's.

        Items' own variances vary as the others make them.
        """
        rows, columns = np.tril_indices(self.model.observed)
        explained = jacobian(self.model, self.theta)[self.model.observed :][rows == columns]
        follow = np.eye(len(self.theta))[:, self.free]
        for parameter, item in own_variances(self.model).items():
            follow[parameter] = -explained[item, self.free]
        change = follow @ self.change
        return change @ self.gamma @ change.T / (self.n_obs - 1)

    @cached_property
    def residuals(self) -> np.ndarray:
        """Sample minus implied, shape (pairs,)."""
        return (self.sample - self.sigma)[self.ordinal.pairs]

    @cached_property
    def test(self) -> Corrected:
        """The model's test: (N − 1)·F, and corrected."""
        weight = np.diag(1 / np.diag(self.gamma))
        return self._corrected((self.n_obs - 1) * self.minimum, self.left(weight), self.df)

    @cached_property
    def baseline(self) -> Corrected:
        """The test of uncorrelated items."""
        weight, r = 1 / np.diag(self.gamma), self.sample[self.ordinal.pairs]
        return self._corrected((self.n_obs - 1) * float(weight @ r**2), np.diag(weight), len(r))

    @cached_property
    def likelihood(self) -> tuple[Corrected, Corrected] | None:
        """The tests of the model and of uncorrelated items that maximum likelihood's F gives at these estimates.

        N·[ln|Σ| + tr(RΣ⁻¹) − ln|R| − p] with its normal-theory weights; the robust CFI,
        TLI and RMSEA come from them (Savalei 2021). None where R or Σ is not positive definite.
        """
        r, sigma, n = self.sample, self.sigma, self.n_obs
        if min(np.linalg.eigvalsh(r)[0], np.linalg.eigvalsh(sigma)[0]) < LEAST_EIGENVALUE:
            return None
        inverse = np.linalg.inv(sigma)
        i, j = self.ordinal.pairs
        weight = inverse[np.ix_(i, i)] * inverse[np.ix_(j, j)] + inverse[np.ix_(i, j)] * inverse[np.ix_(j, i)]
        apart = -np.linalg.slogdet(r)[1]
        value = np.linalg.slogdet(sigma)[1] + (r * inverse).sum() + apart - len(r)
        return (
            self._corrected(n * value, self.left(weight), self.df),
            self._corrected(n * apart, np.eye(len(i)), len(i)),
        )

    def left(self, weight: np.ndarray) -> np.ndarray:
        """Return the weight of the correlations in a quadratic form of the residuals that the parameters leave."""
        rest = np.eye(len(self.slopes)) - self.slopes @ self.change
        return rest.T @ weight @ rest

    def _corrected(self, chi2: float, weight: np.ndarray, df: int) -> Corrected:
        product = weight @ self.gamma
        factor = np.sqrt((product * product.T).sum() / df) if df else 1.0
        return Corrected(float(chi2), df, float(np.trace(product)), float(factor))


def _gamma(ordinal: Ordinal, n_obs: int) -> np.ndarray:
    m = len(ordinal.pairs[0])
    return n_obs * ordinal.covariance[-m:, -m:]


def own_variances(model: Model) -> dict[int, int]:
    """Return the parameters that are an observed variable's own variance, with its number.

    Parameters
    ----------
    model : Model
        The structure.

    Returns
    -------
    dict
        Parameter number to variable number.
    """
    return {e.parameter: e.row for e in model.entries if e.matrix == "P" and e.row == e.column < model.observed}


def fit(
    ordinal: Ordinal,
    n_obs: int,
    model: Model,
    *,
    start: np.ndarray | None = None,
    tolerance: float = 1e-15,
    iterations: int = 500,
) -> WLSFit:
    """Fit a model of correlations by diagonally weighted least squares.

    Parameters
    ----------
    ordinal : Ordinal
        Polychoric correlations with their sampling covariance.
    n_obs : int
        Respondents.
    model : Model
        Its items' own variances are taken as what the rest leaves of 1.
    start : array, shape (parameters,), optional
        Starting values; chosen from the correlations by default.
    tolerance : float
        Stop when the expected gain of the next step in F is below this.
    iterations : int
        The most steps tried.

    Returns
    -------
    WLSFit

    Raises
    ------
    EstimationError
        If there are more parameters than correlations, they are not identified, or the
        search does not converge.
    """
    r, pairs, p = ordinal.correlations, ordinal.pairs, model.observed
    own = own_variances(model)
    free = np.array([q for q in range(model.n_parameters) if q not in own], dtype=int)
    if len(free) > len(pairs[0]):
        raise EstimationError(
            f"The model is not identified: {len(free)} free parameters for {len(pairs[0])} correlations of ordinal "
            "items. Fix parameters or add items."
        )
    rows, columns = np.tril_indices(p)
    below = p + np.flatnonzero(rows != columns)
    weight = 1 / np.diag(_gamma(ordinal, n_obs))
    theta = start_values(model, r) if start is None else np.array(start, dtype=float)

    def evaluate(some: np.ndarray, proper: bool) -> State | None:
        full = theta.copy()
        full[free] = some
        total = total_covariances(model, full)
        if proper and not (np.diag(total)[p:] > 0).all():
            return None
        sigma = total[:p, :p]
        slopes, e = jacobian(model, full)[np.ix_(below, free)], (r - sigma)[pairs]
        weighted = weight[:, None] * slopes
        if not np.isfinite(slopes).all():
            return None
        return State(float(weight @ e**2), -2 * weighted.T @ e, weighted.T @ slopes, (sigma, slopes))

    def run(proper: bool):
        at = evaluate(theta[free], proper)
        if at is None:
            raise EstimationError("The starting values imply a negative variance. Give other starting values.")
        return search(lambda some: evaluate(some, proper), theta[free], at, tolerance, iterations)

    with one_thread():
        try:  # where a factor has a variance, the least squares beyond its zero would only mislead the search
            found, state, used = run(proper=True)
        except EstimationError:
            found, state, used = run(proper=False)
    theta[free] = found
    sigma, slopes = state.implied
    for parameter, item in own.items():
        theta[parameter] += 1 - sigma[item, item]
    np.fill_diagonal(sigma, 1.0)
    return WLSFit(model, theta, free, state.value, sigma, slopes, ordinal, n_obs, used)


def modification_indices(fitted: WLSFit, candidates: Sequence[Entry]) -> tuple[np.ndarray, np.ndarray]:
    """Return the score test of each cell that is fixed at zero and the value it would take.

    As lavaan's: by the weights of the fit alone, not corrected for the correlations' covariance.

    Parameters
    ----------
    fitted : WLSFit
    candidates : sequence of Entry
        Cells not in the model.

    Returns
    -------
    index, change : arrays, shape (candidates,)
        The expected fall of (N − 1)·F and the expected parameter change; NaN where a
        cell is not identified beside the others.
    """
    model, q = fitted.model, fitted.model.n_parameters
    wider = Model(
        model.observed,
        model.latent,
        (*model.entries, *(e._replace(parameter=q + i) for i, e in enumerate(candidates))),
    )
    rows, columns = np.tril_indices(model.observed)
    slopes = jacobian(wider, np.append(fitted.theta, np.zeros(len(candidates))))
    slopes = slopes[model.observed :][rows != columns, q:]
    weight = 1 / np.diag(fitted.gamma)[:, None]
    # of all respondents; lavaan counts one less in the slopes only
    n, of_all = fitted.n_obs, (fitted.n_obs - 1) / fitted.n_obs
    weighted = n * weight * slopes
    known = np.linalg.inv(n * (fitted.slopes * weight).T @ fitted.slopes)
    own, mixed = (slopes * weighted).sum(axis=0), weighted.T @ fitted.slopes
    return score_test(of_all * weighted.T @ fitted.residuals, own, mixed, known)


def measures(fitted: WLSFit) -> dict[str, float]:
    """Return the fit measures by name, as lavaan's WLSMV.

    Plain ones from ``fitted.test``, which has no chi-square distribution; those with
    ``_scaled`` from the corrected statistic; those with ``_robust`` from the likelihood's F
    (Savalei 2021), without the bias that the weights bring. What divides by the degrees
    of freedom is left out where there are none, the robust ones also where the
    polychoric or the implied correlations are not positive definite.

    Parameters
    ----------
    fitted : WLSFit
        A converged fit.

    Returns
    -------
    dict
        Name to value.
    """
    n, df, test, base = fitted.n_obs - 1, fitted.df, fitted.test, fitted.baseline
    e, r, p = fitted.residuals, fitted.sample[fitted.ordinal.pairs], fitted.model.observed
    cut = np.concatenate(fitted.ordinal.thresholds)
    weight = 1 / (fitted.n_obs * np.diag(fitted.ordinal.covariance))
    moments = len(weight)
    gfi = 1 - fitted.minimum / (weight @ np.append(cut, r) ** 2)
    found: dict[str, float] = {"chi2": test.chi2, "df": df}
    if df:
        found |= {"p": chdtrc(df, test.chi2), "chi2_df": test.chi2 / df}
        found |= _against_baseline(test.chi2, df, base.chi2, base.df)
        found |= _named("", robust_measures(test.chi2, df, n, df, base.chi2, base.df, base.df))
        found |= {"pclose": _upper_tail(test.chi2, df, n * df * 0.05**2)}
        found |= {"gfi": gfi, "agfi": 1 - moments / df * (1 - gfi), "pgfi": df / moments * gfi}
        found |= {"mfi": np.exp(-(test.chi2 - df) / (2 * n))}
        if fitted.minimum > 0:
            found |= {f"cn_{tail}": chdtri(df, float(f"0.{tail}")) / fitted.minimum + 1 for tail in ("05", "01")}
        found |= {"chi2_scaled": test.scaled, "df_scaled": df, "p_scaled": chdtrc(df, test.scaled)}
        found |= {"scaling_factor": test.factor, "shift": test.shift}
        found |= {"baseline_chi2_scaled": base.scaled, "baseline_df_scaled": base.df}
        found |= {"baseline_scaling_factor": base.factor}
        found |= _named("_scaled", robust_measures(test.scaled, df, n, df, base.scaled, base.df, base.df))
        if fitted.likelihood:
            own, null = fitted.likelihood
            found |= robust_measures(own.chi2, df, n, own.trace, null.chi2, null.df, null.trace)
    squares, diagonal = float(e @ e), len(r) + p
    found |= {"srmr": np.sqrt(squares / diagonal), "rmr_nomean": np.sqrt(squares / diagonal)}
    found |= dict.fromkeys(("rmr", "srmr_bentler"), np.sqrt(squares / (diagonal + len(cut))))
    found |= {"wrmr": np.sqrt(test.chi2 / moments), "fmin": test.chi2 / fitted.n_obs / 2}
    found |= {"parameters": len(fitted.free) + len(cut), "n": fitted.n_obs}
    found |= {"baseline_chi2": base.chi2, "baseline_df": base.df}
    return {name: value if isinstance(value, int) else float(value) for name, value in found.items()}


def _named(suffix: str, found: dict[str, float]) -> dict[str, float]:
    """Return CFI, TLI and RMSEA under other names: without correction they have the same formulas."""
    return {name.replace("_robust", suffix): value for name, value in found.items()}
