"""The rows of the audit that tell figures of fit: what follows, from which others, and what to see beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from scipy.special import chdtrc

from ..core.sem.fit import rmsea_interval
from . import scales
from .figures import Report
from .reconcile import Derivation, Fit, Reading
from .relations import extra_parameters
from .rows import AGREES, DIFFERS, OPEN, Row, row_of, text, unchecked
from .vocabulary import FIGURES

__all__ = ["COUNTED", "NAMES", "alpha_rows", "fit_rows"]

#: figures told although they are not printed, where they follow
_SHOWN = ("df", "chi2", "chi2_df", "p", "rmsea", "cfi", "tli", "nfi", "rfi", "baseline_chi2")
NAMES = {key: label for key, (label, *_) in FIGURES.items()} | {
    "free": "the model", "c": "the program's N or N − 1", "alpha_bound": "the alphas",
}  # fmt: skip
COUNTED = ("n", "df", "baseline_df", "parameters")


def fit_rows(
    report: Report, fit: Fit, derived: Mapping[str, list[Derivation]], readings: list[Reading]
) -> Iterator[Row]:
    everywhere = set.intersection(*(set(reading.given_up) for reading in readings)) if readings else set()
    for key, (label, *_) in FIGURES.items():
        printed = fit.printed.get(key)
        if key == "items" or (printed is None and not (key in _SHOWN and key in derived)):
            continue
        ways = derived.get(key, [])
        if not ways:
            remark = _why_open(key, report)
            yield unchecked(label, printed, remark)
            continue
        best = ways[0]
        found = (_value(key, best, derived, fit), best.low, best.high)
        remarks = [*_narrowed(key, best, ways, fit), *_remarks(key, best, report, fit, derived, readings)]
        source = ", ".join([*(NAMES[name] for name in best.support), *(["the model"] if best.uses_model else [])])
        if key == "p" and best.value < 1e-4:
            found = (found[0],) * 3
        places = 0 if key in COUNTED else 1 if key in ("chi2", "baseline_chi2") else 3
        doubted = {*best.support, *(["free"] if best.uses_model else [])} & everywhere
        if printed and doubted:  # what every reading gives up says nothing about the others
            remark = f"only from {' and '.join(NAMES[name] for name in sorted(doubted))}, which every reading gives up"
            yield unchecked(label, printed, remark)
            continue
        yield row_of(label, printed, found, source, best.relation.formula, "; ".join(remarks), places)
    for key in ("kmo", "bartlett_chi2", "srmr"):
        if key in report.figures and key not in fit.printed:
            yield unchecked(NAMES[key], report.figures[key], "no other printed figure implies it")


def _why_open(key: str, report: Report) -> str:
    if report.robust and key not in ("n", "srmr", "kmo"):
        return "robust statistics are scaled by a factor that is not printed"
    return "no other printed figure implies it"


def _value(key: str, best: Derivation, derived: Mapping[str, list[Derivation]], fit: Fit) -> float:
    """Return what follows; a tiny p from its chi-square itself, which an interval has no room for."""
    if key == "p":
        chi2, df = (
            fit.printed[k].value if k in fit.printed else derived[k][0].value if k in derived else math.nan
            for k in ("chi2", "df")
        )
        return float(chdtrc(df, chi2)) if not math.isnan(chi2 + df) else best.value
    return best.value


def _narrowed(key: str, best: Derivation, ways: list[Derivation], fit: Fit) -> Iterator[str]:
    """Say which other figures narrow one that is not printed most, what both need taken as printed."""
    places = 0 if key in ("baseline_chi2", "chi2") else 4
    tops, bottoms = [], []
    for way in ways[1:] if key not in fit.printed else ():
        if len(way.support) != len(best.support) or way.low > best.high or way.high < best.low:
            continue
        common = set(way.support) & set(best.support)
        (low, high), (own_low, own_high) = (fit.ends(key, each.support, common) for each in (way, best))
        named = " and ".join(NAMES[name] for name in way.support if name not in common)
        tops += [(high, named)] if max(low, own_low) <= high < own_high - 10.0**-places else []
        bottoms += [(low, named)] if own_low + 10.0**-places < low <= min(high, own_high) else []
    for what, (end, named) in (("top", min(tops, default=(0, ""))), ("bottom", max(bottoms, default=(0, "")))):
        if named:
            yield f"{named} narrows the {what} to {text(end, places)}"


def _remarks(key: str, best: Derivation, report: Report, fit: Fit, derived, readings: list[Reading]) -> Iterator[str]:
    """Yield what a reader would want to know beside a figure."""
    if key == "rmsea" and not {"rmsea_lower", "rmsea_upper"} & set(fit.printed):
        interval = _interval(best.support, fit, derived)
        if interval:
            yield f"90 % interval {interval[0]:.3f}–{interval[1]:.3f}"
    if key == "rmsea" and not best.uses_model and "df" not in best.support:
        yield "whatever the df"
    if key in ("tli", "df") and "df" not in fit.printed and report.structure == "correlated" and "free" in fit.spans:
        items, factors = (report.figures[k].value for k in ("items", "factors"))
        df = items * (items - 3) / 2 - extra_parameters("second-order", items, factors)
        base = items * (items - 1) / 2
        if factors > 3 and key == "df":
            yield f"a second-order model would have {df:.0f}, one factor {items * (items - 3) / 2:.0f}"
        elif factors > 3 and "cfi" in fit.printed and not math.isnan(fit.printed["cfi"].value):
            yield f"a second-order model would give {1 - (1 - fit.printed['cfi'].value) * base / df:.4f}"
    yield from sorted({said for reading in readings for name, said in reading.remarks if name == key})
    for name, other in fit.printed.items():
        told = any(NAMES[key] in said for r in readings for k, said in r.remarks if k == name)
        if key not in fit.printed and told and other.low <= best.high and best.low <= other.high:
            yield f"what is printed as {NAMES[name]}"


def _interval(support: tuple[str, ...], fit: Fit, derived) -> tuple[float, float] | None:
    """Return the 90 % interval of the RMSEA that chi-square, df and N imply."""
    values = {}
    for key in ("chi2", "df", "n"):
        known = fit.printed.get(key)
        values[key] = known.value if known else derived[key][0].value if key in derived else math.nan
    if any(math.isnan(value) for value in values.values()):
        return None
    c = float(np.mean(fit.spans["c"]))
    return rmsea_interval(values["chi2"], round(values["df"]), values["n"] - c)


def alpha_rows(report: Report, fit: Fit, derived, readings: list[Reading]) -> Iterator[Row]:
    """Yield the least baseline chi-square that the alphas ask for, beside the one that CFI and TLI allow."""
    if report.robust or "n" not in fit.printed:
        return
    base = [d for d in derived.get("baseline_chi2", []) if len(d.support) <= 2]
    base = [d for d in base if d.low <= base[0].high and base[0].low <= d.high]
    common = set.intersection(*(set(d.support) for d in base)) if base else set()
    top = min((fit.ends("baseline_chi2", d.support, common)[1] for d in base), default=math.inf)
    if "baseline_chi2" in fit.printed:
        top = fit.printed["baseline_chi2"].high
    m = fit.printed["n"].value - float(np.mean(fit.spans["c"]))
    for split in ("even", "extreme"):
        bound, sizes = scales.alpha_bound(report, split=split)
        if not bound or (split == "extreme" and "scales" in report.lists and sizes == scales.alpha_bound(report)[1]):
            continue
        least = m * bound
        split_text = "-".join(map(str, sizes))
        remark = "even with uncorrelated factors" if split == "even" else "only with correlations near zero"
        verdict = OPEN if math.isinf(top) else AGREES if least <= top else DIFFERS
        allowed = "" if math.isinf(top) else f"≤ {top:,.0f}"
        yield Row(
            f"baseline chi-square the alphas need, {split_text}",
            allowed,
            least,
            least,
            math.inf,
            "alphas, N",
            verdict,
            "m·Σ −[(k − 1)·ln(1 − r̄) + ln(1 + (k − 1)·r̄)]",
            remark,
            0,
            top,
        )
