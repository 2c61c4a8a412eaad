"""Checks of printed figures that need no model: counts and percentages, means, rules, eigenvalues, scales."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ..core import implied
from . import _grim
from ._printed import FIGURES, Printed, Report
from .judge import chance

__all__ = ["Row", "alpha_bound", "counted", "row_of", "rules", "scales", "unchecked"]

AGREES, DIFFERS, IMPLIED, OPEN = "agrees", "differs", "implied", "not checkable"


class Row(NamedTuple):
    """One line of the audit: a figure, as printed and as it follows from others."""

    figure: str
    printed: str
    implied: float
    low: float
    high: float
    from_figures: str
    verdict: str
    formula: str
    remark: str = ""
    decimals: int = 3
    value: float = math.nan
    unit: float = math.nan


def row_of(figure: str, printed: Printed | None, found: tuple[float, float, float], source: str, formula: str,
         remark: str = "", decimals: int = 3) -> Row:  # fmt: skip
    """Compare a printed figure with what follows from others: do the intervals overlap?"""
    if printed is None:
        return Row(figure, "", *found, source, IMPLIED, formula, remark, decimals)
    slack = 1e-9 * max(1.0, abs(found[0]) if math.isfinite(found[0]) else 1.0)
    meets = found[1] <= printed.high + slack and found[2] >= printed.low - slack
    places = 0 if decimals == 0 else max(printed.decimals + 1, 1 if decimals == 1 else 2)
    verdict = AGREES if meets else DIFFERS
    return Row(
        figure, printed.text, *found, source, verdict, formula, remark, places, printed.value, 10.0**-printed.decimals
    )


def unchecked(figure: str, printed: Printed, remark: str) -> Row:
    nothing = (math.nan, math.nan, math.nan)
    unit = 10.0**-printed.decimals
    return Row(figure, printed.text, *nothing, "", OPEN, "", remark, max(printed.decimals, 0), printed.value, unit)


def _span(function, *printed: Printed) -> tuple[float, float, float]:
    """Return a function of printed figures and its ends over their roundings; monotone in each."""
    corners = [each.span for each in printed]
    with np.errstate(all="ignore"):
        values = [function(*corner) for corner in _product(corners)]
        middle = function(*(each.value for each in printed))
    return float(middle), float(min(values)), float(max(values))


def _product(spans):
    return [()] if not spans else [(end, *rest) for end in spans[0] for rest in _product(spans[1:])]


# ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def counted(report: Report) -> Iterator[Row]:
    """Yield the checks of shares, percentages, totals and means."""
    for each in report.lists.get("shares", []):
        yield _share(each)
    for each in report.lists.get("percentages", []):
        yield from _percentages(each)
    for each in report.lists.get("totals", []):
        yield from _total(each)
    for each in report.lists.get("means", []):
        yield from _mean(each)


def _share(each: Mapping) -> Row:
    part, whole, percent = (each.get(key) for key in ("part", "whole", "percent"))
    name = each["name"]
    if part and whole and whole.value:
        remark = ""
        found = (
            _span(implied.percentage, part, whole) if _inexact(part, whole) else _same(100 * part.value / whole.value)
        )
        if percent and not _overlap(found, percent) and part.value == int(part.value) and not math.isnan(percent.value):
            fewest, most = (
                math.ceil(100 * part.value / percent.high - 1e-9),
                math.floor(100 * part.value / percent.low + 1e-9),
            )
            remark = f"{percent.text} per cent would be of {fewest:,} to {most:,}, perhaps those returned"
        return row_of(f"{name}, per cent", percent, found, f"{part.text} of {whole.text}", "part/whole", remark,
                    2)  # fmt: skip
    if part and percent and percent.value:
        found = _span(lambda a, b: 100 * a / b, part, percent)
        return row_of(
            f"{name}, whole", None, found, f"{part.text} are {percent.text} per cent", "part/share", decimals=1
        )
    if whole and percent and not math.isnan(percent.value):
        found = _span(lambda a, b: a * b / 100, whole, percent)
        return row_of(
            f"{name}, part", None, found, f"{percent.text} per cent of {whole.text}", "share × whole", decimals=1
        )
    given = next((f for f in (part, whole, percent) if f), None)
    nothing = Printed("", math.nan, math.nan, math.nan, 0)
    return unchecked(name, given or nothing, "two of part, whole and percent are needed")


def _inexact(*figures: Printed) -> bool:
    """Say whether one was printed with decimals: counts are what they are."""
    return any(figure.decimals > 0 for figure in figures)


def _same(value: float) -> tuple[float, float, float]:
    return value, value, value


def _overlap(found: tuple[float, float, float], printed: Printed) -> bool:
    return found[1] <= printed.high + 1e-9 and found[2] >= printed.low - 1e-9


def _percentages(each: Mapping) -> Iterator[Row]:
    n, percent, name = int(each["n"].value), each["percent"], each["name"]
    half = sum((figure.high - figure.low) / 2 for figure in percent.values())
    total = sum(figure.value for figure in percent.values())
    verdict = AGREES if abs(total - 100) <= half + 1e-9 else DIFFERS
    yield Row(f"sum of the {name}, per cent", "", total, total - half, total + half, f"{len(percent)} percentages",
              verdict, "their sum is 100", "", 1, 100.0, 1.0)  # fmt: skip
    told = each.get("counts")
    if told and len(told) == len(percent):
        off = [
            key for (key, figure), count in zip(percent.items(), told, strict=True)
            if not _overlap(_same(100 * count.value / n), figure)
        ]  # fmt: skip
        found, remarks = (
            [int(count.value) for count in told],
            [f"the count of {key} gives another percentage" for key in off],
        )
    else:
        found, remarks = _counts(percent, n)
        off = []
    verdict = AGREES if sum(found) == n and not off else DIFFERS
    remark = "; ".join([f"counts {'/'.join(map(str, found))}", *remarks])
    yield Row(f"respondents in the {name}", f"{n}", *_same(sum(found)), f"{len(percent)} percentages", verdict,
              "count/N (GRIM)", remark, 0, float(n), 1.0)  # fmt: skip


def _counts(percentages: Mapping[str, Printed], n: int) -> tuple[list[int], list[str]]:
    """Return the counts behind percentages, and what had to be assumed.

    A figure printed without decimals is first read as one whose last zero was left
    off; if no count gives that, it was rounded to a whole number. Where several counts
    give a figure, those are taken that add up to n.
    """
    finest = max(figure.decimals for figure in percentages.values())
    options: list[list[int]] = []
    remarks = []
    for name, figure in percentages.items():
        shorter = figure.decimals == 0 and finest > 0
        fitting = implied.counts_for_percentage(figure.value, n, 1 if shorter else figure.decimals)
        if not fitting and shorter:
            remarks.append(f"no count gives {figure.value:.1f} per cent ({name}): rounded to a whole number")
            fitting = implied.counts_for_percentage(figure.value, n, 0)
        elif not fitting:
            remarks.append(f"no count of {n} gives {figure.text} per cent ({name})")
            fitting = [round(figure.value * n / 100)]
        options.append(fitting)
    nearest = [
        min(some, key=lambda c, f=figure: abs(100 * c / n - f.value))
        for some, figure in zip(options, percentages.values(), strict=True)
    ]
    for place in sorted(range(len(options)), key=lambda p: -len(options[p])):
        rest = n - sum(nearest) + nearest[place]
        nearest[place] = min(options[place], key=lambda count: abs(count - rest))
    return nearest, remarks


def _total(each: Mapping) -> Iterator[Row]:
    count, mean, total = (each.get(key) for key in ("count", "mean", "total"))
    per = each["per"].value if "per" in each else 1.0
    divided = f"/{per:g}" if per != 1 else ""
    if count and mean:
        found = _span(lambda k, m: k * m / per, count._replace(low=count.value, high=count.value), mean)
        yield row_of(each["name"], total, found, f"{count.text} × {mean.text}", f"count × mean{divided}", decimals=1)
    elif total:
        yield unchecked(each["name"], total, "count and mean are needed")


def _mean(each: Mapping) -> Iterator[Row]:
    n, mean, sd = int(each["n"].value), each["mean"], each.get("sd")
    items = int(each["items"].value) if "items" in each else 1
    ends = (int(each["lowest"].value), int(each["highest"].value)) if {"lowest", "highest"} <= set(each) else None
    found = _grim.answers(mean.span, sd.span if sd else None, n, items=items, ends=ends)
    name = f"mean of {each['name']}"
    source = f"N = {n}" + (f", {items} items" if items > 1 else "")
    nearest = round(mean.value * n * items) / (n * items)
    if not found.mean_possible:
        near = ", ".join(map(str, _grim.sizes_near(mean.span, n, items)))
        remark = f"{n} whole-number answers cannot give it" + (
            f"; {near} could, if some did not answer" if near else ""
        )
        if ends and not ends[0] <= mean.value <= ends[1]:
            remark = f"outside the scale from {ends[0]} to {ends[1]}"
        yield Row(
            name,
            mean.text,
            *_same(nearest),
            source,
            DIFFERS,
            "total/N (GRIM)",
            remark,
            mean.decimals + 1,
            mean.value,
            10.0**-mean.decimals,
        )
    elif not found.telling:
        yield unchecked(name, mean, f"with {source} every mean of {mean.decimals} decimals is possible")
    else:
        yield row_of(
            name, mean, _same(nearest), source, "total/N (GRIM)", f"a total of {round(mean.value * n * items)}"
        )
    if sd and items == 1 and found.mean_possible:
        example = "; ".join(f"{value}: {count}" for value, count in found.example.items())
        remark = f"for example {example}" if found.example else ""
        verdict = AGREES if found.sd_possible else DIFFERS
        if not found.sd_possible:
            inside = found.sd_span[0] <= sd.high and sd.low <= found.sd_span[1]
            remark = (
                "no whole-number answers give it with this mean" if inside else "no answers on this scale spread so"
            )
        yield Row(f"SD of {each['name']}", sd.text, math.nan, *found.sd_span, f"{source}, mean", verdict,
                  "sum of squares (GRIMMER, SPRITE)", remark, sd.decimals + 1, sd.value, 10.0**-sd.decimals)  # fmt: skip


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def rules(report: Report) -> Iterator[Row]:
    """Yield the study's own rules, what sorters reach by chance, eigenvalues and the variance explained."""
    for each in report.lists.get("rules", []):
        of, per, least = each["of"], each["per"], each.get("at_least")
        ratio = of.value / per.value
        verdict, remark = IMPLIED, ""
        if least:
            verdict = "passes" if ratio >= least.value else "fails"
            remark = f"{least.value * per.value:,.0f} are asked for"
        yield Row(each["name"], f"≥ {least.text}" if least else "", *_same(ratio), f"{of.text}/{per.text}", verdict,
                  "ratio", remark, 2, least.value if least else math.nan)  # fmt: skip
    for each in report.lists.get("sortings", []):
        raters, bins, agree = (
            int(each[k].value) if k in each else d for k, d in (("raters", 3), ("bins", 5), ("agree", 2))
        )
        guess = chance(raters, bins, agree)
        yield Row(f"{each['name']}: {agree} of {raters} agree by chance", "", *_same(guess.any_bin), f"{bins} bins", IMPLIED,
                  "share of random sortings", f"on the intended one {guess.intended:.3f}; the groups' size decides")  # fmt: skip
    for each in report.lists.get("eigenvalues", []):
        yield from _eigenvalues(each)
    yield from _variance(report)


def _eigenvalues(each: Mapping) -> Iterator[Row]:
    p, values = each["items"].value, each["values"]
    percents = each.get("percent", [])
    for place, (value, percent) in enumerate(zip(values, percents, strict=False), 1):
        yield row_of(f"component {place}, per cent", percent, _span(lambda v: 100 * v / p, value), f"eigenvalue {value.text}",
                   "eigenvalue/items")  # fmt: skip
    total = tuple(sum(getattr(v, end) for v in values) * 100 / p for end in ("value", "low", "high"))
    if "cumulative" in each:
        yield row_of("variance explained by the components, per cent", each["cumulative"], total, f"{len(values)} eigenvalues",
                   "sum/items")  # fmt: skip
    if total[1] > 100:
        yield Row("sum of the eigenvalues", "", *(t * p / 100 for t in total), f"{len(values)} eigenvalues", DIFFERS,
                  "at most the number of items", value=p)  # fmt: skip


def _variance(report: Report) -> Iterator[Row]:
    f = report.figures
    if "variance" in f and not math.isnan(f["variance"].value):
        communality = _span(lambda percent: percent / 100, f["variance"])
        remark = ""
        if "items" in f:
            remark = f"sum of the eigenvalues {communality[0] * f['items'].value:.2f} of {f['items'].text}"
            if "factors" in f and f["factors"].value > 1:
                k = f["items"].value / f["factors"].value
                sizes = sorted({max(math.floor(k), 2), max(math.ceil(k), 2)})
                alphas = [f"{_alpha_of_component(communality[0], s):.3f}" for s in sizes]
                remark += f"; a component of {' or '.join(map(str, sizes))} items then has alpha {' or '.join(alphas)}"
        yield row_of("mean communality", None, communality, "variance explained", "variance explained/100", remark)
    if "bartlett_df" in f:
        p = (1 + math.sqrt(1 + 8 * f["bartlett_df"].value)) / 2
        fits = abs(p - round(p)) < 1e-9
        remark = "" if fits else "no number of items has it"
        yield Row(
            "items in Bartlett's test", "", *_same(p), "its df", IMPLIED if fits else DIFFERS, "df = p(p − 1)/2", remark
        )


def _alpha_of_component(communality: float, k: int) -> float:
    """Return alpha of k items whose first component explains this share of their variance."""
    r = (k * communality - 1) / (k - 1)
    return k * r / (1 + (k - 1) * r)


# ── scales ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def scales(report: Report) -> Iterator[Row]:
    """Yield the checks of alpha, CR, AVE, loadings and correlations, scale by scale and of the ends of ranges."""
    between = _correlations(report)
    for each in report.lists.get("scales", []):
        yield from _scale(each, between.get(each["name"], []))
    yield from _definite(report)
    yield from _ranges(report)


def _scale(each: Mapping, related: list[Printed]) -> Iterator[Row]:
    name = each["name"]
    loadings = [_magnitude(one) for one in each.get("loadings", [])]
    k = len(loadings) or (int(each["items"].value) if "items" in each else 0)
    alpha, cr, ave, root = (each.get(key) for key in ("alpha", "cr", "ave", "root_ave"))
    if loadings:
        if "items" in each and each["items"].value != k:
            yield row_of(f"{name}: items", each["items"], _same(float(k)), "loadings", "their number")
        ends = [[getattr(one, end) for one in loadings] for end in ("value", "low", "high")]
        yield row_of(f"{name}: CR", cr, tuple(_cr(some) for some in ends), f"{k} loadings", "(Σλ)²/[(Σλ)² + Σ(1 − λ²)]")
        yield row_of(
            f"{name}: AVE", ave, tuple(float(np.mean(np.square(some))) for some in ends), f"{k} loadings", "mean λ²"
        )
    elif cr and k > 1:
        low = max(implied.ave_from_cr(max(cr.low, 0.0), k), 0.0)
        found = (implied.ave_from_cr(cr.value, k), low, _most_ave(min(cr.high, 1.0), k))
        remark = "the smallest: it is reached with equal loadings"
        if ave and not _overlap(found, ave):
            most = k * ave.high / (1 + (k - 1) * ave.high)
            needed = cr.low * (1 - ave.high) / (ave.high * (1 - cr.low)) if ave.high > 0 and cr.low < 1 else math.inf
            remark = f"or CR is at most {most:.3f}, or the items are at least {math.ceil(needed - 1e-9)}"
            if ave.low > found[2]:
                remark = "AVE is larger than any loadings allow with this CR; or CR is larger"
        yield row_of(f"{name}: AVE", ave, found, f"CR, {k} items", "≥ CR/[k − (k − 1)·CR]", remark)
    if alpha and cr:
        yield _alpha_below_cr(f"{name}: alpha", alpha, cr)
    if alpha and k > 1 and alpha.low > 0:
        found = _span(lambda a: implied.mean_r_from_alpha(a, k), alpha)
        yield row_of(f"{name}: mean correlation", each.get("mean_r"), found, f"alpha, {k} items", "alpha/[k − (k − 1)·alpha]",
                   _redundant(found[0]))  # fmt: skip
    for low_key, high_key in (("loading_lowest", "loading_highest"),):
        if ave and not loadings and low_key in each and high_key in each:
            ends = each[low_key].low ** 2, min(each[high_key].high, 1.0) ** 2
            yield row_of(
                f"{name}: AVE", ave, ((ends[0] + ends[1]) / 2, *ends), "smallest and largest loading", "mean λ²"
            )
    if root and ave:
        yield row_of(f"{name}: root of AVE", root, _span(math.sqrt, _at_least(ave)), "AVE", "√AVE")
    yield from _discriminant(name, each, related, ave, root)


def _discriminant(
    name: str, each: Mapping, related: list[Printed], ave: Printed | None, root: Printed | None
) -> Iterator[Row]:
    sizes = [_magnitude(one) for one in related] or (
        [_magnitude(each["largest_correlation"])] if "largest_correlation" in each else []
    )
    if not sizes and "msv" not in each:
        return
    if sizes:
        msv = tuple(max(getattr(one, end) for one in sizes) ** 2 for end in ("value", "low", "high"))
        source = "correlations" if related else "largest correlation"
        yield row_of(f"{name}: MSV", each.get("msv"), msv, source, "largest r²")
    else:
        msv = tuple(getattr(each["msv"], end) for end in ("value", "low", "high"))
    ave = ave or (Printed(root.text, root.low**2, root.high**2, root.value**2, root.decimals) if root else None)
    if ave:
        verdict = "passes" if ave.low > msv[2] else "fails" if ave.high < msv[1] else OPEN
        remark = "" if verdict != OPEN else "within rounding"
        yield Row(f"{name}: AVE above MSV", "", ave.value - msv[0], ave.low - msv[2], ave.high - msv[1], "AVE, correlations",
                  verdict, "AVE − MSV > 0 (Fornell–Larcker)", remark)  # fmt: skip


def _magnitude(one: Printed) -> Printed:
    """Return the size of a figure whose sign depends on how the items are keyed."""
    if one.low >= 0:
        return one
    low, high = (0.0, max(-one.low, one.high)) if one.high > 0 else (-one.high, -one.low)
    return one._replace(low=low, high=high, value=abs(one.value))


def _at_least(one: Printed, least: float = 0.0) -> Printed:
    return one._replace(low=max(one.low, least), high=max(one.high, least))


def _alpha_below_cr(label: str, alpha: Printed, cr: Printed) -> Row:
    """Alpha is at most CR for items that share one factor; in samples a hundredth more happens."""
    gap = cr.value - alpha.value
    fine = alpha.low <= cr.high + 0.01
    remark = f"CR is {gap:.3f} above it" + (": nearly equal loadings" if gap < 0.01 else "") if gap >= 0 else (
        "CR is below it, by no more than chance" if fine else "CR below alpha: correlated errors, or other items")  # fmt: skip
    return Row(label, alpha.text, cr.value, -math.inf, cr.high, "CR", AGREES if fine else DIFFERS, "alpha ≤ CR", remark,
               alpha.decimals, alpha.value, 10.0**-alpha.decimals)  # fmt: skip


def _redundant(r: float) -> str:
    return "so high that one may ask whether the items say the same" if r > 0.7 else ""


def _cr(loadings: list[float]) -> float:
    x = np.asarray(loadings)
    return float(x.sum() ** 2 / (x.sum() ** 2 + (1 - x**2).sum()))


def _most_ave(cr: float, k: int) -> float:
    """Return the largest AVE k items can have with this CR: some loadings of one, some of none, one between."""

    def least_cr(ave: float) -> float:
        full = math.floor(ave * k)
        total = full + math.sqrt(max(ave * k - full, 0.0))
        return total**2 / (total**2 + k * (1 - ave))

    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if least_cr(middle) <= cr else (low, middle)
    return high


def _correlations(report: Report) -> dict[str, list[Printed]]:
    found: dict[str, list[Printed]] = {}
    for each in report.lists.get("correlations", []):
        for name in each["between"]:
            found.setdefault(name, []).append(each["r"])
    return found


def _definite(report: Report) -> Iterator[Row]:
    """Say whether the printed correlations can belong to one matrix, if all pairs are there."""
    pairs = {frozenset(each["between"]): each["r"] for each in report.lists.get("correlations", [])}
    names = sorted({name for pair in pairs for name in pair})
    if len(names) < 3 or len(pairs) != len(names) * (len(names) - 1) // 2:
        return
    r = np.eye(len(names))
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            if i != j:
                r[i, j] = pairs[frozenset((a, b))].value
    half = max((one.high - one.low) / 2 for one in pairs.values())
    smallest = float(np.linalg.eigvalsh(r)[0]) if np.isfinite(r).all() else math.nan
    if math.isnan(smallest):
        return
    # Weyl: an eigenvalue moves by at most the largest row sum of what rounding took away
    room = half * (len(names) - 1)
    verdict = AGREES if smallest + room >= 0 else DIFFERS
    remark = "" if verdict == AGREES else "no data have such correlations together; one of them is another"
    yield Row("smallest eigenvalue of the correlations", "", smallest, smallest - room, smallest + room,
              f"{len(pairs)} correlations", verdict, "not negative", remark, value=0.0)  # fmt: skip


def _ranges(report: Report) -> Iterator[Row]:
    f = report.figures
    ends = ("lowest", "highest")
    for end in ends:
        if f"alpha_{end}" in f and f"cr_{end}" in f:
            yield _alpha_below_cr(FIGURES[f"alpha_{end}"][0], f[f"alpha_{end}"], f[f"cr_{end}"])
    if all(f"cr_{end}" in f for end in ends):
        crs = [f[f"cr_{end}"] for end in ends]
        for k in (3, 4, 5, 6):
            low, high = (implied.ave_from_cr(cr.value, k) for cr in crs)
            remark = "so high that a bound such as .50 says little" if k == 4 and low > 0.6 else ""
            yield Row(f"AVE of {k} items", "", (low + high) / 2, low, high, "CR, equal loadings", IMPLIED,
                      "CR/[k − (k − 1)·CR]", remark, 2)  # fmt: skip
    if all(f"alpha_{end}" in f for end in ends):
        low, high = (implied.mean_r_from_alpha(f[f"alpha_{end}"].value, 4) for end in ends)
        yield Row("mean correlation of 4 items", "", (low + high) / 2, low, high, "alpha", IMPLIED,
                  "alpha/[k − (k − 1)·alpha]", _redundant(low), 2)  # fmt: skip


# ── the baseline that alphas ask for ─────────────────────────────────────────────────────────────────────────────────


def alpha_bound(report: Report, *, split: str = "even", less: float = 0.0) -> tuple[float, tuple[int, ...]]:
    """Return the least baseline chi-square per m that the alphas allow, and the sizes of the scales.

    From the scales' own alphas where these are told with their items; else from the smallest and the
    largest alpha and a ``split`` of the items over the factors, "even" or "extreme" (all but one
    of three items). ``less`` is taken off each alpha. Zero where it cannot be said.
    """
    told = [(each["alpha"], len(each.get("loadings", ())) or int(each["items"].value)) for each in report.lists.get("scales", [])
            if "alpha" in each and ("items" in each or "loadings" in each)]  # fmt: skip
    told = [(alpha.value - less, k) for alpha, k in told if k > 1 and 0 < alpha.value - less < 1]
    if told:
        return implied.baseline_bound(2, [a for a, _ in told], [k for _, k in told]), tuple(k for _, k in told)
    f = report.figures
    if not {"alpha_lowest", "alpha_highest", "items", "factors"} <= set(f):
        return 0.0, ()
    lowest, highest = (f[f"alpha_{end}"].value - less for end in ("lowest", "highest"))
    items, factors = int(f["items"].value), int(f["factors"].value)
    if not 0 < lowest <= highest < 1 or items < 2 * factors:
        return 0.0, ()
    if split == "even":
        sizes = tuple(items // factors + (place < items % factors) for place in range(factors))
    else:
        least = min(3, items // factors)
        sizes = (items - least * (factors - 1), *[least] * (factors - 1))
    options = {
        place: [highest if place == other else lowest for other in range(factors)]
        for place in {sizes.index(size) for size in sizes}
    }
    return min(implied.baseline_bound(2, alphas, sizes) for alphas in options.values()), sizes
