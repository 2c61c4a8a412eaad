"""Fit measures of a covariance structure, all in one convention.

``lavaan`` multiplies the minimum F by N everywhere, ``amos`` by N − 1. Mixing
them (a chi-square of one, an RMSEA of the other) shifts the third decimal.
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtr, chdtrc, chdtri, chndtr

__all__ = [
    "CONVENTIONS",
    "baseline_minimum",
    "measures",
    "overall",
    "residual_measures",
    "rmsea_interval",
    "robust_measures",
    "scaled_measures",
]

CONVENTIONS = ("lavaan", "amos")


def baseline_minimum(s: np.ndarray) -> float:
    """Return F of the model of independence: Σ ln s_ii − ln|S|.

    Parameters
    ----------
    s : array, shape (p, p)
        Sample covariances.

    Returns
    -------
    float
    """
    return float(np.log(np.diag(s)).sum() - np.linalg.slogdet(s)[1])


def _root_mean_square(residuals: np.ndarray, means: np.ndarray | tuple = ()) -> float:
    """Return the root mean square over the lower triangle with its diagonal, and over the means."""
    lower = residuals[np.tril_indices(len(residuals))]
    return float(np.sqrt((lower @ lower + np.dot(means, means)) / (len(lower) + len(means))))


def residual_measures(s: np.ndarray, sigma: np.ndarray, means: tuple | None) -> dict[str, float]:
    """Return SRMR, RMR and their variants; means count where the model speaks of them (not in ``rmr_nomean``).

    Parameters
    ----------
    s, sigma : array, shape (p, p)
        Sample and implied covariances.
    means : (array, array) or None
        Sample and implied means, where the model speaks of them.

    Returns
    -------
    dict
        ``srmr``, ``srmr_bollen``, ``srmr_mplus``, ``rmr``, ``rmr_nomean``.
    """
    sd, model_sd = np.sqrt(np.diag(s)), np.sqrt(np.diag(sigma))
    raw, plain, mplus = (), (), ()
    if means is not None:
        raw, plain = means[0] - means[1], (means[0] - means[1]) / sd
        mplus = means[0] / sd - means[1] / model_sd
    own = s / np.outer(sd, sd) - sigma / np.outer(model_sd, model_sd)
    in_variance = own + np.diag(1 - np.diag(sigma) / np.diag(s))
    found = {"srmr": _root_mean_square((s - sigma) / np.outer(sd, sd), plain)}
    found |= {"srmr_bollen": _root_mean_square(own, mplus), "srmr_mplus": _root_mean_square(in_variance, mplus)}
    return found | {"rmr": _root_mean_square(s - sigma, raw), "rmr_nomean": _root_mean_square(s - sigma)}


def rmsea_interval(chi2: float, df: int, n: float, *, level: float = 0.90) -> tuple[float, float]:
    """Return the confidence limits of RMSEA from the noncentral chi-square (Steiger; Browne & Cudeck 1993).

    Parameters
    ----------
    chi2 : float
        The test statistic.
    df : int
        Its degrees of freedom, at least 1.
    n : float
        N or N − 1, whichever multiplied F.
    level : float
        Confidence.

    Returns
    -------
    lower, upper : float
    """
    from scipy.optimize import brentq

    def noncentrality(probability: float) -> float:
        if chdtr(df, chi2) <= probability:
            return 0.0
        high = max(chi2, 1.0)
        while chndtr(chi2, df, high) > probability:
            high *= 2
        return brentq(lambda shift: chndtr(chi2, df, shift) - probability, 1e-12, high, xtol=1e-10, rtol=1e-12)

    tail = (1 - level) / 2
    lower, upper = noncentrality(1 - tail), noncentrality(tail)
    return float(np.sqrt(lower / (n * df))), float(np.sqrt(upper / (n * df)))


def measures(
    s: np.ndarray,
    sigma: np.ndarray,
    minimum: float,
    n_obs: int,
    parameters: int,
    *,
    convention: str = "lavaan",
    baseline: tuple[float, int] | None = None,
    unrestricted_logl: float | None = None,
    given: int = 0,
) -> dict[str, float]:
    """Return the fit measures of a covariance structure by name.

    Parameters
    ----------
    s, sigma : array, shape (p, p)
        Sample (divisor N) and implied covariances.
    minimum : float
        F at the optimum.
    n_obs : int
        Respondents.
    parameters : int
        Free parameters.
    convention : {"lavaan", "amos"}
        χ² = N·F with AIC = −2·logL + 2q, or χ² = (N−1)·F with AIC = χ² + 2q.
    baseline : (float, int), optional
        F and degrees of freedom of independence; of complete data without covariates by default.
    unrestricted_logl : float, optional
        Log-likelihood at the unrestricted moments; of complete data by default.
    given : int
        Moments of covariates, which are among the ``p(p+1)/2`` but neither parameters nor tested.

    Returns
    -------
    dict
        {name in :data:`cocreation.core.measures.MEASURES`: value}; those of an estimator's own
        are added elsewhere. A measure that is not defined – those that
        divide by the degrees of freedom where there are none – is left out
        rather than given a value.

    Raises
    ------
    ValueError
        For another convention.
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"convention is 'lavaan' or 'amos', not {convention!r}")
    p = len(s)
    if unrestricted_logl is None:
        unrestricted_logl = -n_obs / 2 * (p * np.log(2 * np.pi) + np.linalg.slogdet(s)[1] + p)
    moments = p * (p + 1) // 2 - given
    return overall(
        minimum,
        n_obs,
        parameters,
        moments,
        baseline or (baseline_minimum(s), p * (p - 1) // 2),
        unrestricted_logl,
        _gfi(s, sigma) if moments > parameters else None,
        residual_measures(s, sigma, None),
        convention=convention,
    )


def overall(
    minimum: float,
    n_obs: int,
    parameters: int,
    moments: int,
    baseline: tuple[float, int],
    unrestricted_logl: float,
    gfi: float | None,
    residuals: dict[str, float],
    *,
    convention: str = "lavaan",
    n_groups: int = 1,
) -> dict[str, float]:
    """Return the measures of :func:`measures`, of one group or several, from what is known of all of them.

    ``moments`` counts those of all groups, ``residuals`` are averaged over them. RMSEA is per group
    (Steiger 1998): its N is that of an average group.

    Parameters
    ----------
    minimum : float
        F at the optimum, over all groups.
    n_obs, parameters, moments : int
        Respondents, free parameters and sample moments, of all groups.
    baseline : (float, int)
        F and degrees of freedom of independence.
    unrestricted_logl : float
        Log-likelihood at the unrestricted moments.
    gfi : float or None
        Goodness of fit; needed where there are degrees of freedom.
    residuals : dict
        As :func:`residual_measures` returns them, averaged over the groups.
    convention : {"lavaan", "amos"}
        As of :func:`measures`.
    n_groups : int
        Groups.

    Returns
    -------
    dict
        Name to value; what is not defined is left out.
    """
    n = n_obs if convention == "lavaan" else n_obs - 1
    df = moments - parameters
    chi2, base, base_df = n * minimum, n * baseline[0], baseline[1]
    found: dict[str, float] = {"chi2": chi2, "df": df}
    if df > 0:
        found |= {"p": chdtrc(df, chi2), "chi2_df": chi2 / df}
        found |= _against_baseline(chi2, df, base, base_df)
        found |= {"gfi": gfi, "agfi": 1 - moments / df * (1 - gfi), "pgfi": df / moments * gfi}
        each = n / n_groups
        lower, upper = rmsea_interval(chi2, df, each)
        found |= {
            "rmsea": np.sqrt(max(chi2 - df, 0.0) / (each * df)),
            "rmsea_lower": lower,
            "rmsea_upper": upper,
            "pclose": _upper_tail(chi2, df, each * df * 0.05**2),
            "mfi": np.exp(-(chi2 - df) / n / 2),
        }
        if minimum > 0:
            found |= {f"cn_{tail}": chdtri(df, alpha) / minimum + 1 for tail, alpha in (("05", 0.05), ("01", 0.01))}
    found |= residuals
    logl = unrestricted_logl - n_obs * minimum / 2
    deviance = -2 * logl if convention == "lavaan" else chi2
    found |= {
        "ecvi": chi2 / n + 2 * parameters / n,
        "fmin": minimum / 2,
        "logl": logl,
        "unrestricted_logl": unrestricted_logl,
        "aic": deviance + 2 * parameters,
        "bic": deviance + parameters * np.log(n_obs),
        "bic2": deviance + parameters * np.log((n_obs + 2) / 24),
        "parameters": parameters,
        "n": n_obs,
        "baseline_chi2": base,
        "baseline_df": base_df,
    }
    return {name: value if isinstance(value, int) else float(value) for name, value in found.items()}


def _gfi(s: np.ndarray, sigma: np.ndarray) -> float:
    unit = np.sqrt(np.outer(np.diag(s), np.diag(s)))
    ws = np.linalg.solve(sigma / unit, s / unit)
    off = ws - np.eye(len(s))
    return 1 - np.einsum("ij,ji->", off, off) / np.einsum("ij,ji->", ws, ws)


def scaled_measures(chi2: float, df: int, n: int, scale: float, base: float, base_df: int, base_scale: float) -> dict:
    """Return the measures of a chi-square divided by its scaling factor.

    Parameters
    ----------
    chi2, df, n : float
        Of the model, unscaled; respondents.
    scale : float
        Scaling factor of the model.
    base, base_df, base_scale : float
        The same of the model of independence.

    Returns
    -------
    dict
        ``chi2_scaled, df_scaled, p_scaled, scaling_factor``, the same of the baseline, and CFI, TLI
        and RMSEA with its limits, ``_scaled`` (their formulas on the scaled statistics) and
        ``_robust`` (estimates of the population's values: Brosseau-Liard, Savalei & Li 2012;
        Brosseau-Liard & Savalei 2014; Li & Bentler 2006), as lavaan 0.6-14 computes them.
    """
    ours, theirs = chi2 / scale, base / base_scale
    found = {"chi2_scaled": ours, "df_scaled": df, "p_scaled": chdtrc(df, ours), "scaling_factor": scale}
    found |= {"baseline_chi2_scaled": theirs, "baseline_df_scaled": base_df}
    found |= {"baseline_scaling_factor": base_scale}
    against = _against_baseline(ours, df, theirs, base_df)
    found |= {f"{name}_scaled": against[name] for name in ("cfi", "tli") if name in against}
    found["rmsea_scaled"] = np.sqrt(max(ours - df, 0.0) / (n * df))
    # lavaan takes these limits from the unscaled statistic on scaled degrees of freedom
    found["rmsea_lower_scaled"], found["rmsea_upper_scaled"] = rmsea_interval(chi2, scale * df, n)
    found |= robust_measures(chi2, df, n, scale * df, base, base_df, base_scale * base_df)
    return {name: value if isinstance(value, int) else float(value) for name, value in found.items()}


def robust_measures(
    chi2: float, df: int, n: int, expected: float, base: float, base_df: int, base_expected: float
) -> dict[str, float]:
    """Return CFI, TLI and RMSEA of statistics whose expectation under the model is not their df.

    Parameters
    ----------
    chi2, base : float
        Of the model and of independence.
    df, base_df : int
        Their degrees of freedom.
    n : int
        Respondents.
    expected, base_expected : float
        What the statistics would be on average were the models true.

    Returns
    -------
    dict
        ``cfi_robust``, ``tli_robust`` (where independence misfits at all), ``rmsea_robust`` and its limits.
    """
    excess, base_excess = chi2 - expected, base - base_expected
    found = {}
    worst = max(excess, base_excess, 0.0)
    found["cfi_robust"] = 1.0 if worst == 0 else 1 - max(excess, 0.0) / worst
    if base_excess != 0:
        found["tli_robust"] = 1 - excess / base_excess * base_df / df
    stretch = np.sqrt(expected / df)
    lower, upper = rmsea_interval(chi2 / stretch**2, df, n)
    found["rmsea_robust"] = np.sqrt(max(excess, 0.0) / (n * df))
    return found | {"rmsea_lower_robust": lower * stretch, "rmsea_upper_robust": upper * stretch}


def _upper_tail(chi2: float, df: int, noncentrality: float) -> float:
    # the complement is exact where the library's upper tail is not: close to one
    lower = chndtr(chi2, df, noncentrality)
    if lower < 0.5:
        return float(1 - lower)
    from scipy.stats import ncx2  # half a second to import, and rarely needed

    return float(ncx2.sf(chi2, df, noncentrality))


def _against_baseline(chi2: float, df: int, base: float, base_df: int) -> dict[str, float]:
    """CFI is clamped to 0 … 1; TLI, NFI, RFI and IFI are left as their formulas give them.

    lavaan prints an RFI of 1 for what its formula makes negative, which praises the worst of models.
    """
    if base <= 1e-12 or base_df == 0:
        return {}
    worst = max(chi2 - df, base - base_df, 0.0)
    found = {"cfi": 1.0 if worst == 0 else 1 - max(chi2 - df, 0.0) / worst}
    if base != base_df:
        found["tli"] = (base / base_df - chi2 / df) / (base / base_df - 1)
    found |= {"nfi": 1 - chi2 / base, "rfi": 1 - (chi2 / df) / (base / base_df)}
    found["pnfi"] = df / base_df * found["nfi"]
    if base != base_df:
        found["rni"] = 1 - (chi2 - df) / (base - base_df)
    if base != df:
        found["ifi"] = (base - chi2) / (base - df)
    return found
