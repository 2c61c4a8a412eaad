"""Fit measures of a covariance structure, all in one convention.

``lavaan`` multiplies the minimum F by N everywhere, ``amos`` by N − 1. Mixing
them (a chi-square of one, an RMSEA of the other) shifts the third decimal.
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtr, chdtrc, chndtr

__all__ = ["CONVENTIONS", "baseline_minimum", "measures", "rmsea_interval", "srmr"]

CONVENTIONS = ("lavaan", "amos")


def baseline_minimum(s: np.ndarray) -> float:
    """Return F of the model of independence: Σ ln s_ii − ln|S|."""
    return float(np.log(np.diag(s)).sum() - np.linalg.slogdet(s)[1])


def srmr(s: np.ndarray, sigma: np.ndarray) -> float:
    """Return the root mean square of (s_ij − σ_ij)/√(s_ii·s_jj) over the lower triangle with its diagonal."""
    sd = np.sqrt(np.diag(s))
    lower = np.tril_indices(len(s))
    return float(np.sqrt((((s - sigma) / np.outer(sd, sd))[lower] ** 2).mean()))


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
    s: np.ndarray, sigma: np.ndarray, minimum: float, n_obs: int, parameters: int, *, convention: str = "lavaan"
) -> dict[str, float]:
    """Return the fit measures by name.

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

    Returns
    -------
    dict
        ``chi2, df, p, chi2_df, cfi, tli, nfi, rfi, ifi, gfi, agfi, rmsea,
        rmsea_lower, rmsea_upper, pclose, srmr, logl, aic, bic, parameters, n,
        baseline_chi2, baseline_df``. A measure that is not defined – those that
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
    n = n_obs if convention == "lavaan" else n_obs - 1
    df = p * (p + 1) // 2 - parameters
    chi2, base, base_df = n * minimum, n * baseline_minimum(s), p * (p - 1) // 2
    unit = np.sqrt(np.outer(np.diag(s), np.diag(s)))
    ws = np.linalg.solve(sigma / unit, s / unit)
    off = ws - np.eye(p)
    gfi = 1 - np.trace(off @ off) / np.trace(ws @ ws)
    found: dict[str, float] = {"chi2": chi2, "df": df}
    if df > 0:
        found |= {"p": chdtrc(df, chi2), "chi2_df": chi2 / df}
        found |= _against_baseline(chi2, df, base, base_df)
        found |= {"gfi": gfi, "agfi": 1 - p * (p + 1) / (2 * df) * (1 - gfi)}
        lower, upper = rmsea_interval(chi2, df, n)
        found |= {
            "rmsea": np.sqrt(max(chi2 - df, 0.0) / (n * df)),
            "rmsea_lower": lower,
            "rmsea_upper": upper,
            "pclose": _upper_tail(chi2, df, n * df * 0.05**2),
        }
    found["srmr"] = srmr(s, sigma)
    logl = -n_obs / 2 * (p * np.log(2 * np.pi) + np.linalg.slogdet(s)[1] + p) - n_obs * minimum / 2
    deviance = -2 * logl if convention == "lavaan" else chi2
    found |= {
        "logl": logl,
        "aic": deviance + 2 * parameters,
        "bic": deviance + parameters * np.log(n_obs),
        "parameters": parameters,
        "n": n_obs,
        "baseline_chi2": base,
        "baseline_df": base_df,
    }
    return {name: value if isinstance(value, int) else float(value) for name, value in found.items()}


def _upper_tail(chi2: float, df: int, noncentrality: float) -> float:
    # the complement is exact where the library's upper tail is not: close to one
    lower = chndtr(chi2, df, noncentrality)
    if lower < 0.5:
        return float(1 - lower)
    from scipy.stats import ncx2  # half a second to import, and rarely needed

    return float(ncx2.sf(chi2, df, noncentrality))


def _against_baseline(chi2: float, df: int, base: float, base_df: int) -> dict[str, float]:
    """CFI is clamped to 0 … 1; TLI, NFI, RFI and IFI are left as their formulas give them."""
    if base <= 1e-12 or base_df == 0:
        return {}
    worst = max(chi2 - df, base - base_df, 0.0)
    found = {"cfi": 1.0 if worst == 0 else 1 - max(chi2 - df, 0.0) / worst}
    if base != base_df:
        found["tli"] = (base / base_df - chi2 / df) / (base / base_df - 1)
    found |= {"nfi": 1 - chi2 / base, "rfi": 1 - (chi2 / df) / (base / base_df)}
    if base != df:
        found["ifi"] = (base - chi2) / (base - df)
    return found
