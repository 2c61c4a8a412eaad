"""The reporting audit: the published figures of the study, checked against each other.

State what follows from what, give every reading that would reconcile the
figures, accuse nobody. Nothing here needs data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from ..core import implied
from ..core.fit import rmsea_interval
from ..survey import datasets
from .judge import chance
from .result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Audit", "audit_study"]

#: how the 21 kept items could be spread over the dimensions most evenly, and least
_EVEN, _EXTREME = (5, 4, 4, 4, 4), (9, 3, 3, 3, 3)
#: two colours that stay apart for the colour-blind; the marks differ as well
_BLUE, _VERMILION = "#0072b2", "#d55e00"
_GROUPS = {"industry": "industries", "age": "ages", "size": "sizes"}


@dataclass(frozen=True, repr=False)
class Audit(Result):
    """What the printed figures imply about one another.

    Attributes
    ----------
    table : DataFrame
        One row a check: check, printed, implied, low, high (what is implied when the
        figures it is computed from may be anything that rounds to them), verdict,
        formula, remark. Verdicts: "agrees" and "differs" where the study prints the figure,
        "passes" and "fails" for its own rules, "follows" where nothing is printed.
    readings : DataFrame
        Ways to reconcile the fit figures: reading, n, chi2_df, rmsea, nfi, rfi,
        baseline_chi2, least_baseline_chi2 (what the alphas ask for), alphas_possible.
    note : str
    """

    table: pd.DataFrame
    readings: pd.DataFrame
    note: str

    title = "The reporting audit"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return checks and readings, large figures without decimals, indices with three."""
        shown = self.table[["check", "printed", "implied", "low", "high", "verdict", "remark"]].astype(object)
        for column in ("printed", "implied", "low", "high"):
            shown[column] = [_short(value) for value in self.table[column]]
        readings = self.readings.astype(object)
        for column in readings.columns.drop(["reading", "alphas_possible"]):
            readings[column] = [_short(value) for value in self.readings[column]]
        return {"": shown, "readings": readings}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the RMSEA that a chi-square/df implies at each N, with the printed one and the readings."""
        import matplotlib.pyplot as plt

        ax = ax if ax is not None else plt.subplots(figsize=(7, 4.2), layout="constrained")[1]
        figures = _figures()
        n = np.linspace(250, 600, 200)
        low, high = implied.rounding(*figures["rmsea"])
        ax.axhspan(low, high, color="#8a8a8a", alpha=0.3, linewidth=0, label=f"printed RMSEA: {figures['rmsea'][0]}")
        for ratio, style in ((self.readings["chi2_df"].max(), "--"), (figures["chi2_df"][0], "-")):
            curve = [implied.rmsea_from_ratio(ratio, each) for each in n]
            ax.plot(n, curve, style, color=_BLUE, label=f"chi-square/df = {ratio:.3f}")
        marks = {True: ("o", _BLUE, "alphas possible"), False: ("X", _VERMILION, "alphas impossible")}
        for number, row in enumerate(self.readings.itertuples(), start=1):
            mark, colour, label = marks[bool(row.alphas_possible)]
            ax.plot(row.n, row.rmsea, mark, color=colour, markersize=9, label=label)
            ax.annotate(f"reading {number}", (row.n, row.rmsea), xytext=(8, 8), textcoords="offset points")
        ax.set(xlabel="respondents", ylabel="implied RMSEA", xlim=(250, 600))
        handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
        ax.legend(handles.values(), handles.keys(), frameon=False)
        return ax


class _Check(NamedTuple):
    check: str
    printed: float
    implied: float
    low: float
    high: float
    verdict: str
    formula: str
    remark: str = ""


def audit_study() -> Audit:
    """Check the figures of the published study against each other.

    Returns
    -------
    Audit

    Notes
    -----
    Everything is computed from the printed figures in ``published.toml`` by the
    functions of :mod:`cocreation.core.implied`. N = 486, 21 items, five correlated
    factors with simple structure: df = 179, baseline df = 210. Where only the lowest and
    the highest of five alphas are printed, the assignment is used that asks least.

    Examples
    --------
    >>> table = audit_study().table.set_index("check")
    >>> table.loc["RMSEA", "verdict"], float(table.loc["RMSEA", "implied"].round(4))
    ('differs', 0.0621)
    """
    checks = [*_sample_checks(), *_fit_checks(), *_reliability_checks(), *_rule_checks()]
    note = (
        "From the printed figures alone. low and high: what is implied when each figure used may be anything that "
        "rounds to the printed one. The table of nested models, which would decide between the readings, is missing "
        "from our copy."
    )
    return Audit(pd.DataFrame(checks), _readings(), note)


def _figures() -> dict[str, tuple[float, int]]:
    """Return (value, decimals) of every published number."""
    table = datasets.published()
    numbers = table[[isinstance(value, (int, float)) and value == value for value in table["value"]]]
    return {row.id: (float(row.value), int(row.decimals)) for row in numbers.itertuples()}


def _against(check: str, printed: tuple[float, int], found: tuple[float, float, float], formula: str, remark: str = ""):
    """Compare a printed figure with what is implied: do their roundings overlap?"""
    low, high = implied.rounding(*printed)
    verdict = "agrees" if found[1] <= high + 1e-12 and found[2] >= low - 1e-12 else "differs"
    return _Check(check, printed[0], *found, verdict, formula, remark)


def _exact(value: float) -> tuple[float, float, float]:
    return value, value, value


def _sample_checks() -> Iterator[_Check]:
    f = _figures()
    valid, n = f["pre_valid"][0], int(f["formal_valid"][0])
    yield _against(
        "pre-survey recovery, per cent",
        f["pre_recovery"],
        _exact(implied.percentage(valid, f["pre_distributed"][0])),
        "valid/distributed",
    )
    fewest, most = implied.totals_for_percentage(n, *f["formal_recovery"])
    yield _against(
        "formal recovery, per cent",
        f["formal_recovery"],
        _exact(implied.percentage(n, f["formal_distributed"][0])),
        "valid/distributed",
        f"{f['formal_recovery'][0]:g} per cent would be of {fewest} to {most} questionnaires, perhaps those returned",
    )
    for group, plural in _GROUPS.items():
        names = [name for name in f if name.startswith(f"{group}.")]
        total = sum(f[name][0] for name in names)
        yield _against(f"sum of the {plural}, per cent", (100.0, 1), _exact(total), "sum of the percentages")
        counts, remarks = _counts({name.split(".")[1]: f[name] for name in names}, n)
        found = sum(counts)
        remark = "; ".join([f"counts {'/'.join(map(str, counts))}", *remarks])
        verdict = "agrees" if found == n else "differs"
        yield _Check(f"respondents in the {plural}", n, found, found, found, verdict, "count/N (GRIM)", remark)
    hours = implied.within_rounding(lambda k, minutes: k * minutes / 60, f["interviews"][0], f["interview_minutes"])
    yield _Check("hours of interviews", np.nan, *hours, "follows", "interviews × mean minutes/60")


def _counts(percentages: dict[str, tuple[float, int]], n: int) -> tuple[list[int], list[str]]:
    """Return the counts behind percentages, and what had to be assumed.

    A figure printed without decimals is first read as one whose last zero was left
    off; if no count gives that, it was rounded to a whole number and the other
    counts decide.
    """
    found: dict[str, int | None] = {}
    remarks = []
    for name, (percent, decimals) in percentages.items():
        fitting = implied.counts_for_percentage(percent, n, max(decimals, 1))
        found[name] = fitting[0] if len(fitting) == 1 else None
        if not fitting:
            remarks.append(f"no count gives {percent:.1f} per cent ({name}): rounded to a whole number")
    open_ones = [name for name, count in found.items() if count is None]
    if len(open_ones) == 1:
        name = open_ones[0]
        rest = n - sum(count for count in found.values() if count is not None)
        if rest in implied.counts_for_percentage(percentages[name][0], n, percentages[name][1]):
            found[name] = rest
    return [count if count is not None else 0 for count in found.values()], remarks


def _fit_checks() -> Iterator[_Check]:
    f, size = _figures(), datasets.study()
    n, items, factors = size["respondents"], size["items"], size["dimensions"]
    df, base_df = implied.cfa_df(items, factors), items * (items - 1) // 2
    ratio, rmsea, cfi, tli = f["chi2_df"], f["rmsea"], f["cfi"], f["tli"]

    chi2 = implied.within_rounding(lambda r: r * df, ratio)
    p = chdtrc(df, chi2[0])
    yield _Check("chi-square", np.nan, *chi2, "follows", "r·df", f"df = {df}; p = {p:.0e}")
    low, high = rmsea_interval(chi2[0], df, n - 1)
    from_ratio = implied.within_rounding(implied.rmsea_from_ratio, ratio, n)
    yield _against(
        "RMSEA", rmsea, from_ratio, "√[(r − 1)/(N − 1)]", f"90 % interval {low:.3f} to {high:.3f}; df does not matter"
    )
    needed = implied.within_rounding(implied.n_for_rmsea, ratio, rmsea)
    yield _against("respondents at which r gives the RMSEA", (n, 0), needed, "1 + (r − 1)/RMSEA²")
    wanted = implied.within_rounding(implied.ratio_for_rmsea, rmsea, n)
    yield _against("chi-square/df that gives the RMSEA", ratio, wanted, "1 + (N − 1)·RMSEA²")
    second = implied.tli_from_cfi(cfi[0], df + factors, base_df)
    from_cfi = implied.within_rounding(implied.tli_from_cfi, cfi, df, base_df)
    remark = f"a second-order model would give {second:.4f}"
    yield _against("TLI", tli, from_cfi, "1 − (1 − CFI)·df_b/df", remark)
    baseline = implied.within_rounding(implied.baseline_from_cfi, ratio, cfi, df, base_df)
    top = _baseline_top(ratio, tli, base_df)
    yield _Check(
        *("chi-square of the baseline model", np.nan, *baseline, "follows", "df_b + (r − 1)·df/(1 − CFI)"),
        f"the TLI narrows the top to {top:,.0f}",
    )
    ends = (baseline[0], baseline[1], min(baseline[2], top))
    nfi = [implied.nfi(chi2[0], b) for b in ends]
    rfi = [implied.rfi(ratio[0], b, base_df) for b in ends]
    yield _against("NFI", f["nfi"], tuple(nfi), "1 − chi2/chi2_b")
    yield _against(
        "RFI, if that is what is printed as NFI",
        f["nfi"],
        tuple(rfi),
        "1 − r/(chi2_b/df_b)",
        "RFI is not named in the study",
    )


def _baseline_top(ratio: tuple[float, int], tli: tuple[float, int], base_df: int) -> float:
    """Return the largest baseline chi-square at which the TLI still prints as it does."""
    return base_df * (1 + (ratio[0] - 1) / (1 - implied.rounding(*tli)[1]))


def _reliability_checks() -> Iterator[_Check]:
    f, size = _figures(), datasets.study()
    n, items = size["respondents"], size["items"]
    lowest, highest = f["alpha_lowest"][0], f["alpha_highest"][0]
    for end in ("lowest", "highest"):
        gap = f[f"cr_{end}"][0] - f[f"alpha_{end}"][0]
        remark = f"CR is {gap:.3f} above it: nearly equal loadings"
        verdict = "agrees" if gap >= 0 else "differs"
        ends = implied.rounding(*f[f"cr_{end}"])
        yield _Check(
            f"{end} alpha is at most the CR",
            f[f"alpha_{end}"][0],
            f["cr_" + end][0],
            *ends,
            verdict,
            "CR ≥ alpha",
            remark,
        )
    for k in (3, 4, 5, 6):
        low, high = (implied.ave_from_cr(f[f"cr_{end}"][0], k) for end in ("lowest", "highest"))
        yield _Check(f"AVE of {k} items", np.nan, (low + high) / 2, low, high, "follows", "CR/[k − (k − 1)·CR]")
    low, high = (implied.mean_r_from_alpha(a, 4) for a in (lowest, highest))
    yield _Check(
        *("mean correlation of 4 items", np.nan, (low + high) / 2, low, high, "follows", "alpha/[k − (k − 1)·alpha]"),
        "so high that one may ask whether the items say the same",
    )
    communality = implied.within_rounding(lambda percent: percent / 100, f["variance"])
    four, five = (_alpha_of_component(communality[0], k) for k in (4, 5))
    remark = (
        f"{communality[0] * items:.2f} of {items}; a component of 4 or 5 items then has alpha {four:.3f} to {five:.3f}"
    )
    yield _Check("mean communality", np.nan, *communality, "follows", "variance explained/100", remark)
    top = _baseline_top(f["chi2_df"], f["tli"], items * (items - 1) // 2)
    for sizes in (_EVEN, _EXTREME):
        least = implied.baseline_bound_from_range(n, lowest, highest, sizes)
        verdict = "agrees" if least <= top else "differs"
        remark = "even with uncorrelated factors" if sizes == _EVEN else "only with correlations near zero"
        yield _Check(
            f"baseline chi-square the alphas need, {'-'.join(map(str, sizes))}",
            *(top, least, least, np.inf, verdict),
            "(N − 1)·Σ −[(k − 1)·ln(1 − r̄) + ln(1 + (k − 1)·r̄)]",
            f"{remark}; CFI and TLI allow at most what is printed here",
        )


def _alpha_of_component(communality: float, k: int) -> float:
    """Return alpha of k items whose first component explains this share of their variance."""
    r = (k * communality - 1) / (k - 1)
    return k * r / (1 + (k - 1) * r)


def _rule_checks() -> Iterator[_Check]:
    f, size = _figures(), datasets.study()
    items, pool, themes = size["items"], size["pool"], size["themes"]
    wanted = f["respondents_per_item"][0]
    for name, respondents, number in (
        ("formal survey", size["respondents"], items),
        ("pre-survey", size["pre_survey_respondents"], pool),
    ):
        ratio = respondents / number
        verdict = "passes" if ratio >= wanted else "fails"
        remark = f"{wanted * number:.0f} respondents are asked for"
        yield _Check(f"respondents an item, {name}", wanted, ratio, ratio, ratio, verdict, "N/items", remark)
    ratio = pool / items
    verdict = "passes" if ratio >= f["pool_ratio"][0] else "fails"
    spare = pool - f["pool_ratio"][0] * items
    yield _Check(
        *("items of the pool for one that is kept", f["pool_ratio"][0], ratio, ratio, ratio, verdict, "pool/kept"),
        f"by {spare:.0f} item",
    )
    for name, number in (("pool", pool), ("final scale", items)):
        each = number / themes
        remark = "too few to measure fourteen themes" if each < 2 else ""
        yield _Check(f"items a theme, {name}", np.nan, each, each, each, "follows", "items/themes", remark)
    guess = chance(3, size["dimensions"], int(f["sorting_rule"][0]))
    yield _Check(
        "at least two of three sorters agree by chance", np.nan, *_exact(guess.any_bin), "follows", "1 − 5·4·3/5³",
        f"on the intended dimension {guess.intended:.3f}; the groups' size is not stated",
    )  # fmt: skip


def _readings() -> pd.DataFrame:
    f, size = _figures(), datasets.study()
    items, factors = size["items"], size["dimensions"]
    df, base_df = implied.cfa_df(items, factors), items * (items - 1) // 2
    ratio, rmsea, cfi = (f[name][0] for name in ("chi2_df", "rmsea", "cfi"))
    n = float(size["respondents"])
    smaller = round(implied.n_for_rmsea(ratio, rmsea))
    rows = []
    for reading, respondents, r in (
        ("fewer respondents in the CFA, and NFI is RFI", smaller, ratio),
        ("N and chi-square/df are right", n, ratio),
        ("N and RMSEA are right", n, implied.ratio_for_rmsea(rmsea, n)),
    ):
        baseline = implied.baseline_from_cfi(r, cfi, df, base_df)
        least = implied.baseline_bound_from_range(respondents, f["alpha_lowest"][0], f["alpha_highest"][0], _EVEN)
        rows.append(
            {
                "reading": reading,
                "n": float(respondents),
                "chi2_df": r,
                "rmsea": implied.rmsea_from_ratio(r, respondents),
                "nfi": implied.nfi(r * df, baseline),
                "rfi": implied.rfi(r, baseline, base_df),
                "baseline_chi2": baseline,
                "least_baseline_chi2": least,
                "alphas_possible": least <= baseline,
            }
        )
    return pd.DataFrame(rows)


def _short(value: float) -> str:
    if np.isnan(value):
        return ""
    if np.isinf(value):
        return "∞"
    value = round(value, 9)  # a sum of percentages is off by the rounding of its parts
    if value == int(value) and abs(value) < 1000:
        return f"{value:.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.3f}"
