"""The identities that join printed figures: one table, and the propagation of intervals along it.

A relation is solved for each of its figures, and every solved form is monotone in
every argument; "+chi2_df -m" says that it grows with the first and falls with the
second. So the interval of a figure that follows from the intervals of the others
lies between two corners of their box. A new identity is one more entry of
:data:`RELATIONS`.

Symbols: r = chi-square/df, r_b the same of the baseline model, m = N − c, the
number that multiplied the minimum F (c = 1 in AMOS, LISREL and EQS, 0 in lavaan
and Mplus). Two regimes are kept apart, since CFI and RMSEA are cut off where
chi-square falls below df: "misfit" (r ≥ 1) and "overfit" (r ≤ 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, chdtri, chndtr, chndtrix

from ..core.measures import MEASURES
from .vocabulary import FIGURES

__all__ = ["DOMAINS", "RELATIONS", "WHOLE", "Relation", "extra_parameters", "structures"]

#: directions of the arguments, and the function; or one for the lower and one for the upper corner
Form = tuple[str, Callable[..., np.ndarray] | tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]]


class Relation(NamedTuple):
    """One identity: its formula as a reader writes it, whence it comes, and itself solved for each figure.

    ``when``: "always", or the regime it holds in. ``needs``: "any" estimator, "ml" where the
    figures must be those of normal-theory maximum likelihood (or all scaled alike), "amos"
    where they must come from a program that computes them so. ``slow`` ones go without
    where many boxes are looked through.
    """

    formula: str
    source: str
    forms: Mapping[str, Form]
    when: str = "always"
    needs: str = "ml"
    slow: bool = False


#: how far a figure is looked for where it could be anything, or nearer than it could be: there are degrees of freedom,
#: AIC is chi-square + 2·parameters
_LOOKED_FOR: dict[str, tuple[float, float]] = {
    "n": (2, 1e8), "df": (1, 1e8), "baseline_df": (1, 1e8), "parameters": (1, 1e8), "chi2": (0, 1e9),
    "chi2_df": (0, 1e4), "baseline_chi2": (0, 1e10), "rmsea": (0, 100), "rmsea_lower": (0, 100),
    "rmsea_upper": (0, 100), "aic": (0, np.inf),
}  # fmt: skip
#: figures that are no fit measures
_OTHERS: dict[str, tuple[float, float]] = {
    "c": (0, 1), "m": (1, 1e8), "items": (2, 1e4), "factors": (1, 1e3), "free": (-1e6, 1e6), "moments": (1, 1e9),
    "means": (0, 1), "baseline_ratio": (1, 1e6), "alpha_bound": (0, np.inf), "spare": (0, np.inf),
    "pcfi": (-np.inf, np.inf),
}  # fmt: skip
#: figures that are fit measures
_FIT = tuple(name for name in FIGURES if name in MEASURES)
#: what a figure can be; figures that are whole numbers
DOMAINS: dict[str, tuple[float, float]] = {
    **{name: _LOOKED_FOR.get(name, MEASURES[name].bounds) for name in _FIT},
    **_OTHERS,
}
WHOLE = frozenset({"c", "items", "factors", *(name for name in _FIT if MEASURES[name].kind == "count")})


def structures() -> tuple[str, ...]:
    """Return the kinds of measurement model whose degrees of freedom can be counted."""
    return ("correlated", "second-order", "one-factor", "uncorrelated", "bifactor")


def extra_parameters(structure: str, items: float, factors: float) -> float:
    """Return the free parameters of a measurement model beyond a loading and a unique variance for each item."""
    return {
        "correlated": factors * (factors - 1) / 2,
        "second-order": min(factors, factors * (factors - 1) / 2),
        "one-factor": 0,
        "uncorrelated": 0,
        "bifactor": items,
    }[structure]


#: chi-squares beyond this take no part where the interval of RMSEA is solved for
_FARTHEST = 1e6


def _positive(x):
    return np.where(x > 0, x, np.nan)


def _noncentrality(chi2, df, level):
    """Halve the interval in which λ lies; the library's own inverse may take a minute where λ is next to zero."""
    low, high = np.zeros_like(chi2), 2 * chi2 + 50
    for _ in range(48):
        middle = (low + high) / 2
        above = chndtr(chi2, df, middle) > level
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2


def _power(lower: bool) -> dict[str, Form]:
    """The forms of an end of the 90 % interval: λ/(df·m) with the λ at which chi-square has 95 or 5 % below it."""
    level, name = (0.95, "rmsea_lower") if lower else (0.05, "rmsea_upper")

    def shift(chi2, df):
        chi2, df = np.broadcast_arrays(np.asarray(chi2, float), np.asarray(df, float))
        none = (chdtrc(df, chi2) >= 1 - level) | ~(np.isfinite(chi2) & np.isfinite(df))
        far = chi2 > _FARTHEST
        found = _noncentrality(np.where(none | far, 0.0, chi2), df, level)
        return np.where(none, np.where(np.isfinite(chi2), 0.0, chi2), np.where(far, np.nan, found))

    def statistic(nothing):
        # an end of zero stands for every chi-square from zero up to a quantile: the corners differ; nan: no information
        def solved(end, df, m):
            end, df, m = np.broadcast_arrays(end, df, m)
            # the series has as many terms as the noncentrality: what no printed study reaches tells nothing
            usable = (end > 0) & (df * m * end**2 < _FARTHEST)
            found = chndtrix(level, np.where(usable, df, 1), np.where(usable, df * m * end**2, 1))
            return np.where(usable, found, np.where(end > 0, np.nan, nothing(df)))

        return solved

    solved = statistic(lambda df: 0.0), statistic(lambda df: chdtri(df, 1 - level))
    return {
        name: ("+chi2 -df -m", lambda chi2, df, m: np.sqrt(shift(chi2, df) / (df * m))),
        "chi2": (f"+{name} +df +m", solved),
        "m": (f"+chi2 -df -{name}", lambda chi2, df, end: shift(chi2, df) / (df * end**2)),
    }


RELATIONS: tuple[Relation, ...] = (
    Relation("m = N − c", "Jöreskog (1969); c = 0 or 1 by program", {
        "m": ("+n -c", lambda n, c: n - c),
        "n": ("+m +c", lambda m, c: m + c),
        "c": ("+n -m", lambda n, m: n - m),
    }, needs="any"),
    Relation("p(p + 1)/2 − 2p − further parameters", "count of moments and parameters (Bollen 1989)", {
        "df": ("+items -free", lambda items, free: items * (items - 3) / 2 - free),
        "free": ("+items -df", lambda items, df: items * (items - 3) / 2 - df),
        "items": ("+df +free", lambda df, free: (3 + np.sqrt(9 + 8 * (df + free))) / 2),
    }, needs="any"),
    Relation("p(p − 1)/2", "the baseline model has p variances (Bentler & Bonett 1980)", {
        "baseline_df": ("+items", lambda items: items * (items - 1) / 2),
        "items": ("+baseline_df", lambda df: (1 + np.sqrt(1 + 8 * df)) / 2),
    }, needs="any"),
    Relation("p(p + 1)/2, and p means where they are fitted", "count of moments (Bollen 1989)", {
        "moments": ("+items +means", lambda items, means: items * (items + 1) / 2 + items * means),
        "items": ("+moments -means", lambda q, means: (np.sqrt((1 + 2 * means) ** 2 + 8 * q) - 1 - 2 * means) / 2),
    }, needs="any"),
    Relation("moments − df", "count of moments and parameters (Bollen 1989)", {
        "parameters": ("+moments -df", lambda moments, df: moments - df),
        "df": ("+moments -parameters", lambda moments, q: moments - q),
        "moments": ("+df +parameters", lambda df, q: df + q),
    }, needs="any"),
    Relation("chi2/df", "definition", {
        "chi2_df": ("+chi2 -df", lambda chi2, df: chi2 / df),
        "chi2": ("+chi2_df +df", lambda r, df: r * df),
        "df": ("+chi2 -chi2_df", lambda chi2, r: chi2 / r),
    }, needs="any"),
    Relation("upper tail of chi-square with df", "definition", {
        "p": ("-chi2 +df", lambda chi2, df: chdtrc(df, chi2)),
        "chi2": ("-p +df", lambda p, df: chdtri(df, p)),
    }, needs="any"),
    Relation("√[(r − 1)/m]", "Steiger (1990); Browne & Cudeck (1993)", {
        "rmsea": ("+chi2_df -m", lambda r, m: np.sqrt(np.maximum(r - 1, 0) / m)),
        "chi2_df": ("+rmsea +m", lambda e, m: 1 + e * e * m),
        "m": ("+chi2_df -rmsea", lambda r, e: (r - 1) / (e * e)),
    }, when="misfit"),
    Relation("1 − (1 − CFI)·df_b/df", "Bentler (1990) and Tucker & Lewis (1973) share chi2 − df", {
        "tli": ("+cfi +df -baseline_df", lambda cfi, df, base: 1 - (1 - cfi) * base / df),
        "cfi": ("+tli -df +baseline_df", lambda tli, df, base: 1 - (1 - tli) * df / base),
        "df": ("-cfi +tli +baseline_df", lambda cfi, tli, base: (1 - cfi) / (1 - tli) * base),
        "baseline_df": ("+cfi -tli +df", lambda cfi, tli, df: (1 - tli) / (1 - cfi) * df),
    }, when="misfit", needs="any"),
    Relation("1 − (chi2 − df)/(chi2_b − df_b)", "Bentler (1990)", {
        "baseline_chi2": ("+chi2_df +df +baseline_df +cfi", lambda r, d, base, cfi: base + (r - 1) * d / (1 - cfi)),
        "cfi": ("-chi2_df -df +baseline_chi2 -baseline_df",
                lambda r, d, b, base: 1 - (r - 1) * d / _positive(b - base)),
        "chi2_df": ("-df +baseline_chi2 -baseline_df -cfi", lambda d, b, base, cfi: 1 + (1 - cfi) * (b - base) / d),
    }, when="misfit"),
    Relation("chi2_b/df_b", "definition", {
        "baseline_ratio": ("+baseline_chi2 -baseline_df", lambda b, base: b / base),
        "baseline_chi2": ("+baseline_ratio +baseline_df", lambda rb, base: rb * base),
        "baseline_df": ("+baseline_chi2 -baseline_ratio", lambda b, rb: b / rb),
    }, needs="any"),
    Relation("1 − (r − 1)/(r_b − 1)", "Tucker & Lewis (1973)", {
        "tli": ("-chi2_df +baseline_ratio", lambda r, rb: 1 - (r - 1) / (rb - 1)),
        "chi2_df": ("-tli +baseline_ratio", lambda tli, rb: 1 + (1 - tli) * (rb - 1)),
        "baseline_ratio": ("+chi2_df +tli", lambda r, tli: 1 + (r - 1) / (1 - tli)),
    }, when="misfit"),
    Relation("1 − (r − 1)/(r_b − 1)", "Tucker & Lewis (1973)", {
        "tli": ("-chi2_df -baseline_ratio", lambda r, rb: 1 + (1 - r) / (rb - 1)),
        "chi2_df": ("-tli -baseline_ratio", lambda tli, rb: 1 - (tli - 1) * (rb - 1)),
        "baseline_ratio": ("-chi2_df -tli", lambda r, tli: 1 + (1 - r) / (tli - 1)),
    }, when="overfit"),
    Relation("1 − chi2/chi2_b", "Bentler & Bonett (1980)", {
        "nfi": ("-chi2 +baseline_chi2", lambda chi2, b: 1 - chi2 / b),
        "chi2": ("-nfi +baseline_chi2", lambda nfi, b: (1 - nfi) * b),
        "baseline_chi2": ("+chi2 +nfi", lambda chi2, nfi: chi2 / (1 - nfi)),
    }),
    Relation("1 − r/(chi2_b/df_b)", "Bollen (1986)", {
        "rfi": ("-chi2_df +baseline_ratio", lambda r, rb: 1 - r / rb),
        "chi2_df": ("-rfi +baseline_ratio", lambda rfi, rb: (1 - rfi) * rb),
        "baseline_ratio": ("+chi2_df +rfi", lambda r, rfi: r / (1 - rfi)),
    }),
    Relation("1 − (1 − NFI)·df_b/df", "Bollen (1986)", {
        "rfi": ("+nfi +df -baseline_df", lambda nfi, df, base: 1 - (1 - nfi) * base / df),
        "nfi": ("+rfi -df +baseline_df", lambda rfi, df, base: 1 - (1 - rfi) * df / base),
        "df": ("-nfi +rfi +baseline_df", lambda nfi, rfi, base: (1 - nfi) / (1 - rfi) * base),
        "baseline_df": ("+nfi -rfi +df", lambda nfi, rfi, df: (1 - rfi) / (1 - nfi) * df),
    }),
    Relation("(chi2_b − chi2)/(chi2_b − df)", "Bollen (1989)", {
        "ifi": ("-chi2_df -df +baseline_chi2", lambda r, df, b: 1 - (r - 1) * df / _positive(b - df)),
        "chi2_df": ("-ifi -df +baseline_chi2", lambda ifi, df, b: 1 + (1 - ifi) * (b - df) / df),
        "baseline_chi2": ("+chi2_df +ifi +df", lambda r, ifi, df: df + (r - 1) * df / (1 - ifi)),
    }, when="misfit"),
    Relation("(chi2_b − chi2)/(chi2_b − df)", "Bollen (1989)", {
        "ifi": ("-chi2_df +df -baseline_chi2", lambda r, df, b: 1 + (1 - r) * df / _positive(b - df)),
        "baseline_chi2": ("-chi2_df -ifi +df", lambda r, ifi, df: df + (1 - r) * df / (ifi - 1)),
    }, when="overfit"),
    Relation("NFI·df/df_b", "James, Mulaik & Brett (1982)", {
        "pnfi": ("+nfi +df -baseline_df", lambda nfi, df, base: nfi * df / base),
        "nfi": ("+pnfi -df +baseline_df", lambda pnfi, df, base: pnfi * base / df),
    }),
    Relation("CFI·df/df_b", "Mulaik and others (1989)", {
        "pcfi": ("+cfi +df -baseline_df", lambda cfi, df, base: cfi * df / base),
        "cfi": ("+pcfi -df +baseline_df", lambda pcfi, df, base: pcfi * base / df),
    }, needs="any"),
    Relation("1 − moments/df·(1 − GFI)", "Jöreskog & Sörbom (1984)", {
        "agfi": ("-moments +df +gfi", lambda moments, df, gfi: 1 - moments / df * (1 - gfi)),
        "gfi": ("+moments -df +agfi", lambda moments, df, agfi: 1 - (1 - agfi) * df / moments),
    }, needs="any"),
    Relation("exp[−(chi2 − df)/(2m)]", "McDonald (1989)", {
        "mfi": ("-chi2_df -df +m", lambda r, df, m: np.exp(-(r - 1) * df / (2 * m))),
        "chi2_df": ("-mfi -df +m", lambda mfi, df, m: 1 - 2 * m * np.log(mfi) / df),
        "m": ("+chi2_df +df +mfi", lambda r, df, mfi: -(r - 1) * df / (2 * np.log(mfi))),
    }, when="misfit"),
    Relation("chi2_b ≥ m·Σ −[(k − 1)·ln(1 − r̄) + ln(1 + (k − 1)·r̄)]", "Fischer's inequality; r̄ of each alpha", {
        "baseline_chi2": ("+m +alpha_bound +spare", lambda m, bound, spare: m * bound + spare),
        "m": ("+baseline_chi2 -alpha_bound -spare", lambda b, bound, spare: (b - spare) / bound),
    }),
    Relation("λ(chi2, df)/(df·m), root, 5 % tail", "Browne & Cudeck (1993)", _power(True), slow=True),
    Relation("λ(chi2, df)/(df·m), root, 95 % tail", "Browne & Cudeck (1993)", _power(False), slow=True),
    Relation("P(chi-square ≥ chi2 | RMSEA = .05)", "Browne & Cudeck (1993)", {
        "pclose": ("-chi2 +df +m", lambda chi2, df, m: 1 - chndtr(chi2, df, 0.0025 * df * m)),
        "chi2": ("-pclose +df +m", lambda p, df, m: chndtrix(1 - p, df, 0.0025 * df * m)),
    }, slow=True),
    Relation("chi2 + 2·parameters", "AMOS and LISREL; others take it from the log-likelihood", {
        "aic": ("+chi2 +parameters", lambda chi2, q: chi2 + 2 * q),
        "chi2": ("+aic -parameters", lambda aic, q: aic - 2 * q),
        "parameters": ("+aic -chi2", lambda aic, chi2: (aic - chi2) / 2),
    }, needs="amos"),
    Relation("AIC/(N − 1)", "Browne & Cudeck (1989)", {
        "ecvi": ("+aic -n", lambda aic, n: aic / (n - 1)),
        "aic": ("+ecvi +n", lambda ecvi, n: ecvi * (n - 1)),
        "n": ("+aic -ecvi", lambda aic, ecvi: 1 + aic / ecvi),
    }, needs="amos"),
)  # fmt: skip
