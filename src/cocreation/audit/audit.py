"""The reporting audit: a paper's printed figures checked against each other, without its data.

Printed figures imply one another. The audit says what follows from what, which of them can be
true together, and every small set of figures that could be given up so that the rest holds. It
accuses nobody: a wrong label, a sample that changed between two runs or a rounded figure is enough.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import CourseError
from ..results.result import Result
from ..survey import study
from . import counts
from . import scales as scale_checks
from .figures import Report, read
from .fit_rows import COUNTED, NAMES, alpha_rows, fit_rows
from .reconcile import Fit, Reading
from .rows import AGREES, DIFFERS, IMPLIED, OPEN, Row, text
from .vocabulary import TEMPLATE, TOPICS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["VERDICTS", "Audit", "audit", "audit_study", "template"]

#: of a printed figure; of one that is not printed; of a rule the study sets itself
VERDICTS = (AGREES, DIFFERS, OPEN, IMPLIED, "passes", "fails")

#: figures of a reading
_OF_READINGS = ("n", "df", "chi2_df", "rmsea", "cfi", "tli", "nfi", "rfi", "baseline_chi2")
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
        """Return checks, readings, conflicts and what is missing, each figure with the decimals it is printed with.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        shown: dict[str, pd.DataFrame] = {"": _shown(self.table)}
        if len(self.readings):
            readings = self.readings.astype(object)
            for column in ("n", "df", "baseline_chi2", "least_baseline_chi2"):
                readings[column] = [text(value, 0) for value in self.readings[column]]
            readings["chi2_df"] = [text(value, 3) for value in self.readings["chi2_df"]]
            for column in ("rmsea", "cfi", "tli", "nfi", "rfi"):
                readings[column] = [re.sub(r"^0\.", ".", text(value, 3)) for value in self.readings[column]]
            readings["alphas_possible"] = [
                {True: "yes", False: "no"}.get(v, "") for v in self.readings["alphas_possible"]
            ]
            shown["readings"] = readings.drop(columns="given_up")
            shown["figures that cannot all be true"] = self.conflicts
        shown["not in the report"] = self.missing
        return shown

    def records(self) -> dict[str, Any]:
        """Return everything as plain records, for JSON; what is not a number is null.

        Returns
        -------
        dict
            Name of the field to its value, tables as lists of dictionaries.
        """
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
        from . import plots

        return plots.draw(self.table, self.readings, ax, kind)


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
        A row a figure with what the others imply of it, ways to reconcile them, what is missing.

    Raises
    ------
    InputError
        If a key is unknown, a value is not a figure or lies where the figure cannot.

    See Also
    --------
    cocreation.audit.audit.template : A file to write the figures into.
    cocreation.audit.audit.audit_study : The published study's.
    cocreation.steps.report.compare : Figures beside one's own.

    Notes
    -----
    Each figure stands for all numbers that print so. A table of identities (df from items and factors, RMSEA
    from chi-square/df and N, TLI from CFI, NFI and RFI by way of the baseline model, …) carries these intervals
    to every other figure until nothing moves; slices of chi-square/df make this exact where df is known.
    An interval is never too narrow, so figures called impossible together are so. Single-group models; a
    chi-square is N·F or (N − 1)·F, either unless ``program`` says which. Under a robust estimator ("MLM", "MLR",
    "WLSMV", …) the chi-square is scaled by a factor the paper rarely prints, so only identities among indices are kept.
    Sources: Nuijten and others (2016), Brown and Heathers (2017), and those named in the formulas.

    Examples
    --------
    >>> found = audit({"n": 312, "chi2": "161.4", "df": 71, "rmsea": ".046", "rmsea_upper": ".077"})
    >>> found.possible
    False
    >>> found.readings["reading"].tolist()[0]
    'Another RMSEA (.064); RMSEA .064 would fit: two digits exchanged'
    """
    report = read(figures)
    fit = Fit(report, scale_checks.alpha_bound(report, split="extreme", less=_RAW)[0] if not report.robust else 0.0)
    readings = fit.readings()
    avoid = {key for key in NAMES if sum(key in r.given_up for r in readings) > len(readings) / 2}
    derived = fit.derivations(avoid)
    rows = [*counts.counted(report), *fit_rows(report, fit, derived, readings), *scale_checks.scales(report),
            *alpha_rows(report, fit, derived, readings), *counts.rules(report)]  # fmt: skip
    table = pd.DataFrame(rows, columns=Row._fields)
    conflicts = [", ".join(NAMES[key] for key in some) for some in fit.conflicts(readings)[:6]]
    return Audit(
        fit.possible,
        table,
        _readings(report, fit, derived, readings),
        pd.DataFrame({"figures": conflicts}, dtype=object),
        _missing(report, table),
        _note(report, fit, readings),
        report.title or "The reporting audit",
    )


def audit_study() -> Audit:
    """Check the figures of the published study against each other.

    Returns
    -------
    Audit
        A row a figure with what the others imply of it, ways to reconcile them, what is missing.

    Raises
    ------
    CourseError
        If the study has no ``published.toml``, or that has no part ``[audit]``.

    See Also
    --------
    cocreation.audit.audit.audit : Any paper's figures.
    cocreation.audit.audit.template : A file to write them into.
    cocreation.steps.report.twin : The study's figures beside those of its twin.

    Notes
    -----
    The audit of ``published.toml``. In the course's own: N = 486, 21 items, five correlated factors with simple
    structure, so df = 179 and 210 for the baseline model; AMOS, so N − 1. Where only the lowest and the highest of
    five alphas are printed, the assignment is used that asks least.

    Examples
    --------
    >>> table = audit_study().table.set_index("figure")
    >>> table.loc["RMSEA", "verdict"], float(table.loc["RMSEA", "implied"].round(4))
    ('differs', 0.0621)
    """
    file = study.find("published.toml")
    if "audit" not in study.published():
        raise CourseError(
            f"{file} has no part [audit], which says what the audit takes. Write it, or name the figures."
        )
    return audit(file)


def template() -> str:
    """Return a commented TOML file to start from: the figures of an invented paper.

    Returns
    -------
    str
        TOML with a comment an entry; :func:`audit` takes the file it is saved in.

    See Also
    --------
    cocreation.audit.audit.audit : Check the figures.
    cocreation.audit.audit.audit_study : Check the published study's.

    Examples
    --------
    >>> print(template().splitlines()[0])
    # The figures of a paper, as it prints them. Delete what it does not print, change the rest, then run
    """
    return TEMPLATE


# ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _readings(report: Report, fit: Fit, derived, readings: list[Reading]) -> pd.DataFrame:
    """Return the readings as a table, each figure as it would be."""
    rows = []
    bound, _ = scale_checks.alpha_bound(report)
    for reading in readings:
        row: dict[str, Any] = {
            "reading": _sentence(reading, fit),
            "given_up": ", ".join(NAMES[k] for k in reading.given_up),
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
        rows.append(
            {
                "reading": "All hold if the figures were cut off after their last decimal, not rounded.",
                "given_up": "",
                **empty,
                "alphas_possible": None,
            }
        )
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
    return float(round(value)) if key in COUNTED and math.isfinite(value) else value


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
            parts.append(f"another {NAMES[key]}{_between(*reading.spans[key], fit.printed[key].decimals)}")
    said = " and ".join(parts)
    return "; ".join([said[0].upper() + said[1:], *(said for _, said in reading.remarks)])


def _between(low: float, high: float, places: int) -> str:
    if not math.isfinite(low) or high >= 1e4 > low * 100:
        return ""
    if not math.isfinite(high):
        return f" (at least {_bare(low, places)})"
    ends = _bare(low, places), _bare(high, places)
    return f" ({ends[0]})" if ends[0] == ends[1] else f" ({ends[0]}–{ends[1]})"


def _bare(value: float, places: int) -> str:
    shown = f"{value:,.{max(places, 0)}f}"
    return shown.removeprefix("0") if shown.startswith("0.") else shown


# ── what is missing, and how it prints ───────────────────────────────────────────────────────────────────────────────


def _missing(report: Report, table: pd.DataFrame) -> pd.DataFrame:
    """Return the topics of a report that no figure and no word of it covers, and what of them can be worked out."""
    scales = report.lists.get("scales", [])
    told = set(report.given)
    told |= {topic for topic, (_, _, keys) in TOPICS.items() if keys and all(key in report.figures for key in keys)}
    for topic, key in (("loadings", "loadings"), ("ave", "ave")):
        if scales and all(key in each for each in scales):
            told.add(topic)
    if (scales and all("alpha" in each or "cr" in each for each in scales)) or "alpha_lowest" in report.figures:
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
        label = NAMES[keys[0]] if len(keys) == 1 else ""
        known = ""
        if label in follows.index:
            row = follows.loc[label]
            known = f"{text(row['implied'], row['decimals'])}, from {row['from_figures']}"
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
            "It is robust: chi-square and indices are not held against each other, they may be scaled differently."
        )
    if readings:
        many = f"{len(readings)} readings give" if len(readings) != 1 else "One reading gives"
        parts.append(f"Not all figures of fit can be true together. {many} up as few as possible; which holds")
        parts.append("the figures cannot say.")
    elif not fit.possible:
        parts.append("Not all figures of fit can be true together, and giving up three of them does not help.")
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
        implied, low, high = (text(value, min(row.decimals, 4)) for value in (row.implied, *ends))
        if re.match(r"[<>≤≥ ]*-?\.", row.printed):  # what follows is written like what is printed
            implied, low, high = (re.sub(r"^(-?)0\.", r"\1.", each) for each in (implied, low, high))
        if implied == low == high or not (low or high):
            span = ""
        else:
            span = f"≤ {high}" if math.isinf(row.low) else f"≥ {low}" if math.isinf(row.high) else f"{low} – {high}"
        rows.append((row.figure, row.printed, implied, span, row.from_figures, row.verdict, row.remark))
    columns = ["figure", "printed", "implied", "range", "from_figures", "verdict", "remark"]
    return pd.DataFrame(rows, columns=columns, dtype=object)
