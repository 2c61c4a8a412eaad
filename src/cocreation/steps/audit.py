"""The reporting audit: a paper's printed figures checked against each other, without its data.

Printed figures imply one another. The audit says what follows from what, which of them can be
true together, and every small set of figures that could be given up so that the rest holds. It
accuses nobody: a wrong label, a sample that changed between two runs or a rounded figure is enough.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from .._paths import course_root
from ..core.fit import rmsea_interval
from . import _checks
from ._checks import AGREES, DIFFERS, IMPLIED, OPEN, Row
from ._joint import Derivation, Fit, Reading
from ._printed import FIGURES, TEMPLATE, TOPICS, Report, read
from ._relations import extra_parameters
from .result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["VERDICTS", "Audit", "audit", "audit_study", "template"]

#: of a printed figure; of one that is not printed; of a rule the study sets itself
VERDICTS = (AGREES, DIFFERS, OPEN, IMPLIED, "passes", "fails")

#: figures told although they are not printed, where they follow; figures of a reading
_SHOWN = ("df", "chi2", "chi2_df", "p", "rmsea", "cfi", "tli", "nfi", "rfi", "baseline_chi2")
_OF_READINGS = ("n", "df", "chi2_df", "rmsea", "cfi", "tli", "nfi", "rfi", "baseline_chi2")
_NAMES = {key: label for key, (label, *_) in FIGURES.items()} | {
    "free": "the model", "c": "the program's N or N − 1", "alpha_bound": "the alphas",
}  # fmt: skip
_COUNTED = ("n", "df", "baseline_df", "parameters")
#: beyond standardized ones, what raw alphas may lie above them before they are held against the fit
_RAW = 0.01


@dataclass(frozen=True, repr=False)
class Audit(Result):
    """What printed figures imply about one another.

    Attributes
    ----------
    possible : bool
        Whether all figures of fit can be true together, each as it is rounded.
    table : DataFrame
        A row a figure: figure, printed (text), implied, low, high (what follows if the figures
        it follows from may be anything that prints so), from_figures, verdict, formula, remark.
        Verdicts: "agrees", "differs" and "not checkable" of printed figures, "implied" of
        others, "passes" and "fails" of the study's own rules.
    readings : DataFrame
        Ways to reconcile figures of fit that cannot hold together: reading, given_up, then n, df,
        chi2_df, rmsea, cfi, tli, nfi, rfi, baseline_chi2 as they would be, least_baseline_chi2 (what
        the alphas ask for), alphas_possible, and low/high of what is given up in ``would_be``. Empty where all hold.
    conflicts : DataFrame
        The smallest sets of figures that cannot all be true: figures.
    missing : DataFrame
        What a reader would want and the figures do not hold: what, why, follows.
    note : str
    """

    possible: bool
    table: pd.DataFrame
    readings: pd.DataFrame
    conflicts: pd.DataFrame
    missing: pd.DataFrame
    note: str
    title: str = "The reporting audit"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return checks, readings, conflicts and what is missing, each figure with the decimals it is printed with."""
        shown: dict[str, pd.DataFrame] = {"": _shown(self.table)}
        if len(self.readings):
            readings = self.readings.astype(object)
            for column in ("n", "df", "baseline_chi2", "least_baseline_chi2"):
                readings[column] = [_text(value, 0) for value in self.readings[column]]
            for column in ("chi2_df", "rmsea", "cfi", "tli", "nfi", "rfi"):
                readings[column] = [_text(value, 3) for value in self.readings[column]]
            readings["alphas_possible"] = [
                {True: "yes", False: "no"}.get(v, "") for v in self.readings["alphas_possible"]
            ]
            shown["readings"] = readings.drop(columns="given_up")
            shown["figures that cannot all be true"] = self.conflicts
        shown["not in the report"] = self.missing
        return shown

    def records(self) -> dict[str, Any]:
        """Return everything as plain records, for JSON; what is not a number is null."""
        tables = {name: getattr(self, name) for name in ("table", "readings", "conflicts", "missing")}
        found = {
            name: json.loads(t.to_json(orient="records", force_ascii=False, double_precision=12))
            for name, t in tables.items()
        }
        return {"title": self.title, "possible": self.possible, **found, "note": self.note}

    @property
    def agrees(self) -> bool:
        """Whether no printed figure differs from what follows, and all of fit can be true together."""
        return self.possible and not self.table["verdict"].eq(DIFFERS).any()

    def plot(self, ax: Axes | None = None, *, kind: str = "figures") -> Axes:
        """Draw the audit.

        Parameters
        ----------
        ax : Axes, optional
        kind : {"figures", "rmsea"}
            Each printed figure beside what follows from the others, in units of its last printed
            digit; or the RMSEA that chi-square/df implies at each N, with the readings.

        Returns
        -------
        Axes

        Raises
        ------
        InputError
            For another kind, or "rmsea" without N, RMSEA and chi-square/df.
        """
        from . import _audit_plots

        return _audit_plots.draw(self, ax, kind)


def audit(figures: Mapping[str, Any] | str | Path) -> Audit:
    """Check the printed figures of a paper against each other.

    Parameters
    ----------
    figures : mapping or path of a TOML file
        Any of N, items, factors, structure, df, chi2, chi2_df, p, cfi, tli, nfi, rfi, ifi, gfi, agfi, rmsea and its
        interval, srmr, baseline_chi2, and lists of scales, correlations, means, percentages, shares, totals, rules,
        eigenvalues; :func:`template` shows all of them. Figures count with the decimals they show: text such as
        ".930", "< .001", "> .90" keeps what a number loses.

    Returns
    -------
    Audit

    Raises
    ------
    InputError
        If a key is unknown, a value is not a figure or lies where the figure cannot.

    Notes
    -----
    Each figure stands for all numbers that print so. A table of identities (df from items and factors, RMSEA
    from chi-square/df and N, TLI from CFI, NFI and RFI by way of the baseline model, …) carries these intervals to every
    other figure until nothing moves; slices of chi-square/df make this exact where the degrees of freedom are known.
    An interval is never too narrow, so figures called impossible together are so. Single-group models; a
    chi-square is N·F or (N − 1)·F, either unless ``program`` says which. Under a robust estimator ("MLM", "MLR",
    "WLSMV", …) the chi-square is scaled by a factor the paper rarely prints, so only identities among indices are kept.
    Sources: Nuijten and others (2016), Brown and Heathers (2017), and those named in the formulas.

    Examples
    --------
    >>> found = audit({"n": 312, "chi2": "163.3", "df": 71, "rmsea": ".046", "cfi": ".965"})
    >>> found.possible
    False
    >>> found.readings["reading"].tolist()[0]
    'Another RMSEA (.064–.065); RMSEA .064 would fit: two digits exchanged'
    """
    report = read(figures)
    fit = Fit(report, _checks.alpha_bound(report, split="extreme", less=_RAW)[0] if not report.robust else 0.0)
    readings = fit.readings()
    avoid = {key for key in _NAMES if sum(key in r.given_up for r in readings) > len(readings) / 2}
    derived = fit.derivations(avoid)
    rows = [*_checks.counted(report), *_fit_rows(report, fit, derived, readings), *_checks.scales(report),
            *_alpha_rows(report, fit, derived, readings), *_checks.rules(report)]  # fmt: skip
    table = pd.DataFrame(rows, columns=Row._fields)
    conflicts = [", ".join(_NAMES[key] for key in some) for some in fit.conflicts(readings)[:6]]
    return Audit(
        fit.possible, table, _readings(report, fit, derived, readings), pd.DataFrame({"figures": conflicts}, dtype=object),
        _missing(report, table), _note(report, fit, readings), report.title or "The reporting audit",
    )  # fmt: skip


def audit_study() -> Audit:
    """Check the figures of the published study against each other.

    Returns
    -------
    Audit

    Notes
    -----
    The audit of ``published.toml``: N = 486, 21 items, five correlated factors with simple structure, so
    df = 179 and 210 for the baseline model; AMOS, so N − 1. Where only the lowest and the highest of five alphas
    are printed, the assignment is used that asks least.

    Examples
    --------
    >>> table = audit_study().table.set_index("figure")
    >>> table.loc["RMSEA", "verdict"], float(table.loc["RMSEA", "implied"].round(4))
    ('differs', 0.0621)
    """
    return audit(course_root() / "datasets" / "published.toml")


def template() -> str:
    """Return a commented TOML file to start from: the figures of an invented paper.

    Examples
    --------
    >>> print(template().splitlines()[0])
    # The figures of a paper, as it prints them. Delete what it does not print, change the rest, then run
    """
    return TEMPLATE


# ── figures of fit ───────────────────────────────────────────────────────────────────────────────────────────────────


def _fit_rows(
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
            yield _checks.unchecked(label, printed, remark)
            continue
        best = ways[0]
        found = (_value(key, best, derived, fit), best.low, best.high)
        remarks = [*_narrowed(key, best, ways, fit), *_remarks(key, best, report, fit, derived, readings)]
        source = ", ".join([*(_NAMES[name] for name in best.support), *(["the model"] if best.uses_model else [])])
        if key == "p" and best.value < 1e-4:
            found = (found[0],) * 3
        places = 0 if key in _COUNTED else 1 if key in ("chi2", "baseline_chi2") else 3
        doubted = {*best.support, *(["free"] if best.uses_model else [])} & everywhere
        if printed and doubted:  # what every reading gives up says nothing about the others
            remark = f"only from {' and '.join(_NAMES[name] for name in sorted(doubted))}, which every reading gives up"
            yield _checks.unchecked(label, printed, remark)
            continue
        yield _checks.row_of(label, printed, found, source, best.relation.formula, "; ".join(remarks), places)
    for key in ("kmo", "bartlett_chi2", "srmr"):
        if key in report.figures and key not in fit.printed:
            yield _checks.unchecked(_NAMES[key], report.figures[key], "no other printed figure implies it")


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
        named = " and ".join(_NAMES[name] for name in way.support if name not in common)
        tops += [(high, named)] if max(low, own_low) <= high < own_high - 10.0**-places else []
        bottoms += [(low, named)] if own_low + 10.0**-places < low <= min(high, own_high) else []
    for what, (end, named) in (("top", min(tops, default=(0, ""))), ("bottom", max(bottoms, default=(0, "")))):
        if named:
            yield f"{named} narrows the {what} to {_text(end, places)}"


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
    yield from sorted({text for reading in readings for name, text in reading.remarks if name == key})
    for name, other in fit.printed.items():
        if key not in fit.printed and any(_NAMES[key] in text for r in readings for k, text in r.remarks if k == name):
            if other.low <= best.high and best.low <= other.high:
                yield f"what is printed as {_NAMES[name]}"


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


def _alpha_rows(report: Report, fit: Fit, derived, readings: list[Reading]) -> Iterator[Row]:
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
        bound, sizes = _checks.alpha_bound(report, split=split)
        if not bound or (split == "extreme" and "scales" in report.lists and sizes == _checks.alpha_bound(report)[1]):
            continue
        least = m * bound
        split_text = "-".join(map(str, sizes))
        remark = "even with uncorrelated factors" if split == "even" else "only with correlations near zero"
        verdict = OPEN if math.isinf(top) else AGREES if least <= top else DIFFERS
        allowed = "" if math.isinf(top) else f"≤ {top:,.0f}"
        yield Row(f"baseline chi-square the alphas need, {split_text}", allowed, least, least, math.inf, "alphas, N", verdict,
                  "m·Σ −[(k − 1)·ln(1 − r̄) + ln(1 + (k − 1)·r̄)]", remark, 0, top)  # fmt: skip


# ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _readings(report: Report, fit: Fit, derived, readings: list[Reading]) -> pd.DataFrame:
    """Return the readings as a table, each figure as it would be."""
    rows = []
    bound, _ = _checks.alpha_bound(report)
    for reading in readings:
        row: dict[str, Any] = {
            "reading": _sentence(reading, fit),
            "given_up": ", ".join(_NAMES[k] for k in reading.given_up),
        }
        for key in _OF_READINGS:
            row[key] = _of_reading(key, reading, fit, derived)
        least = bound * (row["n"] - float(np.mean(fit.spans["c"]))) if bound and not report.robust else math.nan
        row["least_baseline_chi2"] = least
        known = math.isfinite(least) and math.isfinite(row["baseline_chi2"])
        row["alphas_possible"] = bool(least <= row["baseline_chi2"]) if known else None
        rows.append(row)
    if not fit.possible and fit.cut_off():
        empty = dict.fromkeys([*_OF_READINGS, "least_baseline_chi2"], math.nan)
        rows.append({"reading": "All hold if the figures were cut off after their last decimal, not rounded.", "given_up": "",
                     **empty, "alphas_possible": None})  # fmt: skip
    columns = ["reading", "given_up", *_OF_READINGS, "least_baseline_chi2", "alphas_possible"]
    return pd.DataFrame(rows, columns=columns).astype({"alphas_possible": object})


def _of_reading(key: str, reading: Reading, fit: Fit, derived) -> float:
    """Return a figure of a reading: as printed, as it follows from what is kept, or the middle of what it can be."""
    given = set(reading.given_up)
    if key in fit.printed and key not in given and not math.isnan(fit.printed[key].value):
        return fit.printed[key].value
    low, high = reading.spans[key]
    ways = [
        d
        for d in derived.get(key, [])
        if not given & set(d.support) and not (d.uses_model and given & {"free", "items"})
    ]
    ways = [d for d in ways if low - 1e-6 <= d.high and d.low <= high + 1e-6]
    value = ways[0].value if ways else (low + high) / 2 if math.isfinite(low + high) else math.nan
    return float(round(value)) if key in _COUNTED and math.isfinite(value) else value


def _sentence(reading: Reading, fit: Fit) -> str:
    parts = []
    for key in reading.given_up:
        if key == "c":
            parts.append("the other of N and N − 1 as multiplier")
        elif key == "free":
            low, high = reading.spans["df"]
            parts.append("another model" + (f" (df {low:.0f})" if low == high else ""))
        elif key == "alpha_bound":
            parts.append("smaller alphas")
        else:
            parts.append(f"another {_NAMES[key]}{_between(*reading.spans[key], fit.printed[key].decimals)}")
    said = " and ".join(parts)
    return "; ".join([said[0].upper() + said[1:], *(text for _, text in reading.remarks)])


def _between(low: float, high: float, places: int) -> str:
    if not math.isfinite(low) or high >= 1e4 > low * 100:
        return ""
    if not math.isfinite(high):
        return f" (at least {_bare(low, places)})"
    ends = _bare(low, places), _bare(high, places)
    return f" ({ends[0]})" if ends[0] == ends[1] else f" ({ends[0]}–{ends[1]})"


def _bare(value: float, places: int) -> str:
    text = f"{value:,.{max(places, 0)}f}"
    return text.removeprefix("0") if text.startswith("0.") else text


# ── what is missing, and how it prints ───────────────────────────────────────────────────────────────────────────────


def _missing(report: Report, table: pd.DataFrame) -> pd.DataFrame:
    """Return the topics of a report that no figure and no word of it covers, and what of them can be worked out."""
    scales = report.lists.get("scales", [])
    told = set(report.given)
    told |= {topic for topic, (_, _, keys) in TOPICS.items() if keys and all(key in report.figures for key in keys)}
    for topic, key in (("loadings", "loadings"), ("ave", "ave")):
        if scales and all(key in each for each in scales):
            told.add(topic)
    if scales and all("alpha" in each or "cr" in each for each in scales) or "alpha_lowest" in report.figures:
        told.add("reliability")
    if "correlations" in report.lists:
        told.add("correlations")
    if "estimator" in report.raw or any(isinstance(v, Mapping) and "estimator" in v for v in report.raw.values()):
        told.add("estimator")
    follows = table[table["printed"].eq("") & table["verdict"].eq(IMPLIED)].set_index("figure")
    rmsea = (
        table.loc[table["figure"].eq("RMSEA"), "remark"]
        .str.extract(r"90 % interval (\S+?)(?:;|$)", expand=False)
        .dropna()
    )
    rows = []
    for topic, (what, why, keys) in TOPICS.items():
        if topic in told:
            continue
        label = _NAMES[keys[0]] if len(keys) == 1 else ""
        known = ""
        if label in follows.index:
            row = follows.loc[label]
            known = f"{_text(row['implied'], row['decimals'])}, from {row['from_figures']}"
        elif topic == "rmsea_interval" and len(rmsea):
            known = f"{rmsea.iloc[0]}, from N and chi-square"
        rows.append((what, why, known))
    return pd.DataFrame(rows, columns=["what", "why", "follows"], dtype=object)


def _note(report: Report, fit: Fit, readings: list[Reading]) -> str:
    parts = [f"From the printed figures alone, each taken as anything that prints so ({report.rounding})."]
    if "free" in fit.spans:
        parts.append(f"Model: {report.structure} factors, simple structure, one group.")
    program = {"amos": "(N − 1)·F, as AMOS", "lavaan": "N·F, as lavaan", "either": "N·F or (N − 1)·F"}[report.program]
    parts.append(f"Chi-square taken as {program}; estimator taken as {report.estimator}.")
    if report.robust:
        parts.append(
            "It is robust: chi-square and indices are not held against each other, since they may be scaled differently."
        )
    if not fit.possible:
        many = f"{len(readings)} readings" if len(readings) != 1 else "One reading"
        parts.append(f"Not all figures of fit can be true together. {many} with as few figures given up as possible; "
                     "the figures cannot say which holds." if readings else "Not all figures of fit can be true together, "
                     "and giving up three of them does not help.")  # fmt: skip
    elif len(fit.printed) > 1:
        parts.append("All figures of fit can be true together.")
    return " ".join(parts)


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for row in table.itertuples():
        ends = row.low, row.high
        finite = math.isfinite(row.low) and math.isfinite(row.high)
        if row.decimals == 0 and finite and math.ceil(row.low) <= row.high:  # a count is a whole number
            ends = math.ceil(row.low - 1e-6), math.floor(row.high + 1e-6)
        implied, low, high = (_text(value, min(row.decimals, 4)) for value in (row.implied, *ends))
        span = "" if implied == low == high or not (low or high) else f"{low or '−∞'} – {high or '∞'}"
        rows.append((row.figure, row.printed, implied, span, row.from_figures, row.verdict, row.remark))
    columns = ["figure", "printed", "implied", "range", "from_figures", "verdict", "remark"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def _text(value: float, places: int) -> str:
    if value is None or math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if 0 < abs(value) < 0.5 * 10.0**-places:
        return f"{value:.0e}"
    text = f"{value:,.{places}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text
