"""The fit measures of a covariance structure: one row each, read by whoever names, shows, bounds or compares them.

A new measure is computed in :mod:`cocreation.core.sem.fit` (or in the estimator's own room) and gets its row here;
a test holds what fitted models offer against this table, the docstring of the result and R's figures.
"""

from __future__ import annotations

from collections.abc import Container
from math import inf
from typing import Literal, NamedTuple

__all__ = ["MEASURES", "Measure", "named"]

_LIMITS = "CI = confidence interval; LL = lower limit; UL = upper limit"
_ANY, _POSITIVE, _SHARE, _TO_ONE = (-inf, inf), (0, inf), (0, 1), (-inf, 1)


class Measure(NamedTuple):
    """One fit measure.

    Attributes
    ----------
    name : str
        Here, wherever code names it.
    lavaan : str
        In lavaan's ``fitMeasures``; empty where it has none.
    words : str
        In a sentence.
    head : str
        Over a column, ``*italics*``; ``spanner|head`` under a spanner.
    kind : {"count", "number", "fraction", "probability"}
        A whole number, a number, one that custom writes without a zero before the point, or a p-value.
    bounds : (float, float)
        What it can be at all.
    closeness : str
        How near R's figure it must come: a key of :data:`cocreation.golden.ledger.TOLERANCES`.
    abbreviation : str
        What the note of a table says of the head, if it is short for something.
    also : tuple of str
        Further names of lavaan's for the same figure.
    unproved : str
        Why no figure of R stands beside it; empty where one does.
    """

    name: str
    lavaan: str
    words: str
    head: str
    kind: Literal["count", "number", "fraction", "probability"]
    bounds: tuple[float, float]
    closeness: str
    abbreviation: str = ""
    also: tuple[str, ...] = ()
    unproved: str = ""


_ROWS = (
    Measure("n", "ntotal", "N", "*n*", "count", (2, inf), "exact"),
    Measure("parameters", "npar", "free parameters", "Parameters", "count", (1, inf), "exact"),
    # the test
    Measure("chi2", "chisq", "chi-square", "χ²", "number", _POSITIVE, "chi-square"),
    Measure("df", "df", "df", "*df*", "count", _POSITIVE, "exact"),
    Measure("p", "pvalue", "p of chi-square", "*p*", "probability", _SHARE, "fit"),
    Measure("chi2_df", "", "chi-square/df", "χ²/*df*", "number", _POSITIVE, "chi-square",
            unproved="lavaan does not print it; it is the quotient of two figures that are compared"),
    Measure("fmin", "fmin", "F at the minimum", "*F*", "number", _POSITIVE, "chi-square"),
    Measure("baseline_chi2", "baseline.chisq", "chi-square of the baseline model", "Baseline|χ²", "number", _POSITIVE,
            "chi-square"),
    Measure("baseline_df", "baseline.df", "df of the baseline model", "Baseline|*df*", "count", _POSITIVE, "exact"),
    # against the model of independence
    Measure("cfi", "cfi", "CFI", "CFI", "fraction", _SHARE, "fit", "CFI = comparative fit index"),
    Measure("tli", "tli", "TLI", "TLI", "fraction", _ANY, "fit", "TLI = Tucker–Lewis index", also=("nnfi",)),
    Measure("nfi", "nfi", "NFI", "NFI", "fraction", _TO_ONE, "fit", "NFI = normed fit index"),
    Measure("rfi", "rfi", "RFI", "RFI", "fraction", _TO_ONE, "fit", "RFI = relative fit index"),
    Measure("ifi", "ifi", "IFI", "IFI", "fraction", _ANY, "fit", "IFI = incremental fit index"),
    Measure("rni", "rni", "RNI", "RNI", "fraction", _ANY, "fit", "RNI = relative noncentrality index"),
    Measure("pnfi", "pnfi", "PNFI", "PNFI", "fraction", _ANY, "fit", "PNFI = parsimony normed fit index"),
    # absolute
    Measure("gfi", "gfi", "GFI", "GFI", "fraction", _TO_ONE, "fit", "GFI = goodness-of-fit index"),
    Measure("agfi", "agfi", "AGFI", "AGFI", "fraction", _TO_ONE, "fit", "AGFI = adjusted goodness-of-fit index"),
    Measure("pgfi", "pgfi", "PGFI", "PGFI", "fraction", _TO_ONE, "fit", "PGFI = parsimony goodness-of-fit index"),
    Measure("mfi", "mfi", "McDonald's index", "MFI", "fraction", _POSITIVE, "fit", "MFI = McDonald’s fit index"),
    Measure("cn_05", "cn_05", "critical N at .05", "Critical *N*|.05", "number", _POSITIVE, "chi-square"),
    Measure("cn_01", "cn_01", "critical N at .01", "Critical *N*|.01", "number", _POSITIVE, "chi-square"),
    Measure("rmsea", "rmsea", "RMSEA", "RMSEA", "fraction", _POSITIVE, "fit",
            "RMSEA = root-mean-square error of approximation"),
    Measure("rmsea_lower", "rmsea.ci.lower", "lower end of RMSEA", "90% CI of RMSEA|*LL*", "fraction", _POSITIVE, "fit",
            _LIMITS),
    Measure("rmsea_upper", "rmsea.ci.upper", "upper end of RMSEA", "90% CI of RMSEA|*UL*", "fraction", _POSITIVE,
            "fit"),
    Measure("pclose", "rmsea.pvalue", "p of close fit", "*p* of close fit", "probability", _SHARE, "fit"),
    # residuals
    Measure("srmr", "srmr", "SRMR", "SRMR", "fraction", _POSITIVE, "fit",
            "SRMR = standardized root-mean-square residual", also=("srmr_bentler",)),
    Measure("srmr_bentler", "srmr_bentler", "SRMR with the thresholds", "SRMR with thresholds", "fraction", _POSITIVE,
            "fit", "SRMR = standardized root-mean-square residual"),
    Measure("srmr_bollen", "", "Bollen's SRMR", "Bollen’s SRMR", "fraction", _POSITIVE, "fit",
            "SRMR = standardized root-mean-square residual",
            unproved="lavaan prints CRMR in its place, which leaves the diagonal out of the mean"),
    Measure("srmr_mplus", "srmr_mplus", "Mplus's SRMR", "Mplus’s SRMR", "fraction", _POSITIVE, "fit",
            "SRMR = standardized root-mean-square residual"),
    Measure("rmr", "rmr", "RMR", "RMR", "number", _POSITIVE, "estimate", "RMR = root-mean-square residual"),
    Measure("rmr_nomean", "rmr_nomean", "RMR without means", "RMR without means", "number", _POSITIVE, "estimate",
            "RMR = root-mean-square residual"),
    Measure("wrmr", "wrmr", "WRMR", "WRMR", "number", _POSITIVE, "fit", "WRMR = weighted root-mean-square residual"),
    # information
    Measure("ecvi", "ecvi", "ECVI", "ECVI", "number", _POSITIVE, "fit in units",
            "ECVI = expected cross-validation index"),
    Measure("logl", "logl", "log-likelihood", "Log-likelihood", "number", _ANY, "chi-square"),
    Measure("unrestricted_logl", "unrestricted.logl", "unrestricted log-likelihood", "Unrestricted log-likelihood",
            "number", _ANY, "chi-square"),
    Measure("aic", "aic", "AIC", "AIC", "number", _ANY, "chi-square", "AIC = Akaike information criterion"),
    Measure("bic", "bic", "BIC", "BIC", "number", _ANY, "chi-square", "BIC = Bayesian information criterion"),
    Measure("bic2", "bic2", "BIC adjusted for sample size", "Adjusted BIC", "number", _ANY, "chi-square",
            "BIC = Bayesian information criterion"),
    # of a chi-square that is scaled (MLM, MLR, WLSMV)
    Measure("chi2_scaled", "chisq.scaled", "scaled chi-square", "Scaled|χ²", "number", _POSITIVE, "scaled chi-square"),
    Measure("df_scaled", "df.scaled", "df of the scaled chi-square", "Scaled|*df*", "count", _POSITIVE, "fit in units"),
    Measure("p_scaled", "pvalue.scaled", "p of the scaled chi-square", "Scaled|*p*", "probability", _SHARE, "fit"),
    Measure("scaling_factor", "chisq.scaling.factor", "scaling factor", "Scaling factor", "number", _POSITIVE, "fit"),
    Measure("shift", "", "shift of the scaled chi-square", "Shift", "number", _ANY, "fit",
            unproved="lavaan keeps it with the test, not among the measures; the chi-square made with it is compared"),
    Measure("baseline_chi2_scaled", "baseline.chisq.scaled", "scaled chi-square of the baseline model",
            "Scaled baseline|χ²", "number", _POSITIVE, "scaled chi-square"),
    Measure("baseline_df_scaled", "baseline.df.scaled", "df of the scaled baseline model", "Scaled baseline|*df*",
            "count", _POSITIVE, "fit in units"),
    Measure("baseline_scaling_factor", "baseline.chisq.scaling.factor", "scaling factor of the baseline model",
            "Scaled baseline|scaling factor", "number", _POSITIVE, "fit"),
    Measure("cfi_scaled", "cfi.scaled", "scaled CFI", "Scaled|CFI", "fraction", _SHARE, "fit",
            "CFI = comparative fit index"),
    Measure("tli_scaled", "tli.scaled", "scaled TLI", "Scaled|TLI", "fraction", _ANY, "fit",
            "TLI = Tucker–Lewis index"),
    Measure("rmsea_scaled", "rmsea.scaled", "scaled RMSEA", "Scaled|RMSEA", "fraction", _POSITIVE, "fit",
            "RMSEA = root-mean-square error of approximation"),
    Measure("rmsea_lower_scaled", "rmsea.ci.lower.scaled", "lower end of the scaled RMSEA",
            "90% CI of scaled RMSEA|*LL*", "fraction", _POSITIVE, "fit", _LIMITS),
    Measure("rmsea_upper_scaled", "rmsea.ci.upper.scaled", "upper end of the scaled RMSEA",
            "90% CI of scaled RMSEA|*UL*", "fraction", _POSITIVE, "fit"),
    # robust: estimates of what the measure would be in the population
    Measure("cfi_robust", "cfi.robust", "robust CFI", "Robust|CFI", "fraction", _SHARE, "fit",
            "CFI = comparative fit index"),
    Measure("tli_robust", "tli.robust", "robust TLI", "Robust|TLI", "fraction", _ANY, "fit",
            "TLI = Tucker–Lewis index"),
    Measure("rmsea_robust", "rmsea.robust", "robust RMSEA", "Robust|RMSEA", "fraction", _POSITIVE, "fit",
            "RMSEA = root-mean-square error of approximation"),
    Measure("rmsea_lower_robust", "rmsea.ci.lower.robust", "lower end of the robust RMSEA",
            "90% CI of robust RMSEA|*LL*", "fraction", _POSITIVE, "fit", _LIMITS),
    Measure("rmsea_upper_robust", "rmsea.ci.upper.robust", "upper end of the robust RMSEA",
            "90% CI of robust RMSEA|*UL*", "fraction", _POSITIVE, "fit"),
)  # fmt: skip

#: every fit measure by its name here
MEASURES: dict[str, Measure] = {row.name: row for row in _ROWS}


def named(name: str, among: Container[str]) -> str:
    """Return what a measure is called here, by its name here or in lavaan.

    Parameters
    ----------
    name : str
        Such as ``"rmsea_lower"`` or ``"rmsea.ci.lower"``.
    among : container of str
        The measures there are. One that an estimator has under a name of its own goes before one
        of which the name is lavaan's second.

    Returns
    -------
    str
        Empty where there is none of that name.

    Examples
    --------
    >>> named("nnfi", MEASURES), named("srmr_bentler", {"srmr"}), named("made-up", MEASURES)
    ('tli', 'srmr', '')
    """
    first = (row.name for row in _ROWS if name in (row.name, row.lavaan))
    second = (row.name for row in _ROWS if name in row.also)
    return next((found for found in (*first, *second) if found in among), "")
