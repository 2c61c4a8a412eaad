"""Checks of printed figures that need no model: counts and percentages, means, rules, eigenvalues."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ..core.chance import agreeing_at_random
from . import grim, implied
from .figures import Printed, Report
from .rows import AGREES, DIFFERS, IMPLIED, Row, overlap, row_of, same, span_of, unchecked

__all__ = ["counted", "rules"]

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
            span_of(implied.percentage, part, whole) if _inexact(part, whole) else same(100 * part.value / whole.value)
        )
        if percent and not overlap(found, percent) and part.value == int(part.value) and not math.isnan(percent.value):
            fewest, most = (
                math.ceil(100 * part.value / percent.high - 1e-9),
                math.floor(100 * part.value / percent.low + 1e-9),
            )
            remark = f"{percent.text} per cent would be of {fewest:,} to {most:,}, perhaps those returned"
        return row_of(f"{name}, per cent", percent, found, f"{part.text} of {whole.text}", "part/whole", remark, 2)
    if part and percent and percent.value:
        found = span_of(lambda a, b: 100 * a / b, part, percent)
        return row_of(
            f"{name}, whole", None, found, f"{part.text} are {percent.text} per cent", "part/share", decimals=1
        )
    if whole and percent and not math.isnan(percent.value):
        found = span_of(lambda a, b: a * b / 100, whole, percent)
        return row_of(
            f"{name}, part", None, found, f"{percent.text} per cent of {whole.text}", "share × whole", decimals=1
        )
    given = next((f for f in (part, whole, percent) if f), None)
    nothing = Printed("", math.nan, math.nan, math.nan, 0)
    return unchecked(name, given or nothing, "two of part, whole and percent are needed")


def _inexact(*figures: Printed) -> bool:
    """Say whether one was printed with decimals: counts are what they are."""
    return any(figure.decimals > 0 for figure in figures)


def _percentages(each: Mapping) -> Iterator[Row]:
    n, percent, name = int(each["n"].value), each["percent"], each["name"]
    half = sum((figure.high - figure.low) / 2 for figure in percent.values())
    total = sum(figure.value for figure in percent.values())
    verdict = AGREES if abs(total - 100) <= half + 1e-9 else DIFFERS
    yield Row(
        f"sum of the {name}, per cent",
        "",
        total,
        total - half,
        total + half,
        f"{len(percent)} percentages",
        verdict,
        "their sum is 100",
        "",
        1,
        100.0,
        1.0,
    )
    told = each.get("counts")
    if told and len(told) == len(percent):
        off = [
            key for (key, figure), count in zip(percent.items(), told, strict=True)
            if not overlap(same(100 * count.value / n), figure)
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
    yield Row(
        f"respondents in the {name}",
        f"{n}",
        *same(sum(found)),
        f"{len(percent)} percentages",
        verdict,
        "count/N (GRIM)",
        remark,
        0,
        float(n),
        1.0,
    )


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
        found = span_of(lambda k, m: k * m / per, count._replace(low=count.value, high=count.value), mean)
        yield row_of(each["name"], total, found, f"{count.text} × {mean.text}", f"count × mean{divided}", decimals=1)
    elif total:
        yield unchecked(each["name"], total, "count and mean are needed")


def _mean(each: Mapping) -> Iterator[Row]:
    n, mean, sd = int(each["n"].value), each["mean"], each.get("sd")
    items = int(each["items"].value) if "items" in each else 1
    ends = (int(each["lowest"].value), int(each["highest"].value)) if {"lowest", "highest"} <= set(each) else None
    found = grim.answers(mean.span, sd.span if sd else None, n, items=items, ends=ends)
    name = f"mean of {each['name']}"
    source = f"N = {n}" + (f", {items} items" if items > 1 else "")
    nearest = round(mean.value * n * items) / (n * items)
    if not found.mean_possible:
        near = ", ".join(map(str, grim.sizes_near(mean.span, n, items)))
        remark = f"{n} whole-number answers cannot give it" + (
            f"; {near} could, if some did not answer" if near else ""
        )
        if ends and not ends[0] <= mean.value <= ends[1]:
            remark = f"outside the scale from {ends[0]} to {ends[1]}"
        yield Row(
            name,
            mean.text,
            *same(nearest),
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
        yield row_of(name, mean, same(nearest), source, "total/N (GRIM)", f"a total of {round(mean.value * n * items)}")
    if sd and items == 1 and found.mean_possible:
        example = "; ".join(f"{value}: {count}" for value, count in found.example.items())
        remark = f"for example {example}" if found.example else ""
        verdict = AGREES if found.sd_possible else DIFFERS
        if not found.sd_possible:
            inside = found.sd_span[0] <= sd.high and sd.low <= found.sd_span[1]
            remark = (
                "no whole-number answers give it with this mean" if inside else "no answers on this scale spread so"
            )
        yield Row(
            f"SD of {each['name']}",
            sd.text,
            math.nan,
            *found.sd_span,
            f"{source}, mean",
            verdict,
            "sum of squares (GRIMMER, SPRITE)",
            remark,
            sd.decimals + 1,
            sd.value,
            10.0**-sd.decimals,
        )


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
        yield Row(
            each["name"],
            f"≥ {least.text}" if least else "",
            *same(ratio),
            f"{of.text}/{per.text}",
            verdict,
            "ratio",
            remark,
            2,
            least.value if least else math.nan,
        )
    for each in report.lists.get("sortings", []):
        raters, bins, agree = (
            int(each[k].value) if k in each else d for k, d in (("raters", 3), ("bins", 5), ("agree", 2))
        )
        any_bin, intended = agreeing_at_random(raters, bins, agree)
        yield Row(
            f"{each['name']}: {agree} of {raters} agree by chance",
            "",
            *same(any_bin),
            f"{bins} bins",
            IMPLIED,
            "share of random sortings",
            f"on the intended one {intended:.3f}; the groups' size decides",
        )
    for each in report.lists.get("eigenvalues", []):
        yield from _eigenvalues(each)
    yield from _variance(report)


def _eigenvalues(each: Mapping) -> Iterator[Row]:
    p, values = each["items"].value, each["values"]
    percents = each.get("percent", [])
    for place, (value, percent) in enumerate(zip(values, percents, strict=False), 1):
        yield row_of(
            f"component {place}, per cent",
            percent,
            span_of(lambda v: 100 * v / p, value),
            f"eigenvalue {value.text}",
            "eigenvalue/items",
        )
    total = tuple(sum(getattr(v, end) for v in values) * 100 / p for end in ("value", "low", "high"))
    if "cumulative" in each:
        yield row_of(
            "variance explained by the components, per cent",
            each["cumulative"],
            total,
            f"{len(values)} eigenvalues",
            "sum/items",
        )
    if total[1] > 100:
        yield Row(
            "sum of the eigenvalues",
            "",
            *(t * p / 100 for t in total),
            f"{len(values)} eigenvalues",
            DIFFERS,
            "at most the number of items",
            value=p,
        )


def _variance(report: Report) -> Iterator[Row]:
    f = report.figures
    if "variance" in f and not math.isnan(f["variance"].value):
        communality = span_of(lambda percent: percent / 100, f["variance"])
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
            "items in Bartlett's test", "", *same(p), "its df", IMPLIED if fits else DIFFERS, "df = p(p − 1)/2", remark
        )


def _alpha_of_component(communality: float, k: int) -> float:
    """Return alpha of k items whose first component explains this share of their variance."""
    r = (k * communality - 1) / (k - 1)
    return k * r / (1 + (k - 1) * r)
