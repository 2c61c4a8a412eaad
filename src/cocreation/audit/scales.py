"""Checks of a scale's printed figures: alpha, CR, AVE, loadings, correlations, and what alphas ask of the baseline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from . import implied
from .figures import Printed, Report
from .rows import AGREES, DIFFERS, IMPLIED, OPEN, Row, overlap, row_of, same, span_of
from .vocabulary import FIGURES

__all__ = ["alpha_bound", "scales"]


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
    k = _size(each)
    alpha, cr, ave, root = (each.get(key) for key in ("alpha", "cr", "ave", "root_ave"))
    if loadings:
        if "items" in each and each["items"].value != k:
            yield row_of(f"{name}: items", each["items"], same(float(k)), "loadings", "their number")
        ends = [[getattr(one, end) for one in loadings] for end in ("value", "low", "high")]
        yield row_of(f"{name}: CR", cr, tuple(_cr(some) for some in ends), f"{k} loadings", "(Σλ)²/[(Σλ)² + Σ(1 − λ²)]")
        yield row_of(
            f"{name}: AVE", ave, tuple(float(np.mean(np.square(some))) for some in ends), f"{k} loadings", "mean λ²"
        )
    elif cr and k > 1:
        low = max(implied.ave_from_cr(max(cr.low, 0.0), k), 0.0)
        found = (implied.ave_from_cr(cr.value, k), low, _most_ave(min(cr.high, 1.0), k))
        remark = "the smallest: it is reached with equal loadings"
        if ave and not overlap(found, ave):
            most = k * ave.high / (1 + (k - 1) * ave.high)
            needed = cr.low * (1 - ave.high) / (ave.high * (1 - cr.low)) if ave.high > 0 and cr.low < 1 else math.inf
            remark = f"or CR is at most {most:.3f}, or the items are at least {math.ceil(needed - 1e-9)}"
            if ave.low > found[2]:
                remark = "AVE is larger than any loadings allow with this CR; or CR is larger"
        yield row_of(f"{name}: AVE", ave, found, f"CR, {k} items", "≥ CR/[k − (k − 1)·CR]", remark)
    if alpha and cr:
        yield _alpha_below_cr(f"{name}: alpha", alpha, cr)
    if alpha and k > 1 and alpha.low > 0:
        found = span_of(lambda a: implied.mean_r_from_alpha(a, k), alpha)
        yield row_of(
            f"{name}: mean correlation",
            each.get("mean_r"),
            found,
            f"alpha, {k} items",
            "alpha/[k − (k − 1)·alpha]",
            _redundant(found[0]),
        )
    for low_key, high_key in (("loading_lowest", "loading_highest"),):
        if ave and not loadings and low_key in each and high_key in each:
            ends = each[low_key].low ** 2, min(each[high_key].high, 1.0) ** 2
            yield row_of(
                f"{name}: AVE", ave, ((ends[0] + ends[1]) / 2, *ends), "smallest and largest loading", "mean λ²"
            )
    if root and ave:
        yield row_of(f"{name}: root of AVE", root, span_of(math.sqrt, _at_least(ave)), "AVE", "√AVE")
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
        yield Row(
            f"{name}: AVE above MSV",
            "",
            ave.value - msv[0],
            ave.low - msv[2],
            ave.high - msv[1],
            "AVE, correlations",
            verdict,
            "AVE − MSV > 0 (Fornell–Larcker)",
            remark,
        )


def _magnitude(one: Printed) -> Printed:
    """Return the size of a figure whose sign depends on how the items are keyed."""
    if one.low >= 0:
        return one
    low, high = (0.0, max(-one.low, one.high)) if one.high > 0 else (-one.high, -one.low)
    return one._replace(low=low, high=high, value=abs(one.value))


def _at_least(one: Printed, least: float = 0.0) -> Printed:
    return one._replace(low=max(one.low, least), high=max(one.high, least))


def _size(each: Mapping) -> int:
    """Return how many items a scale has, zero where it is not told."""
    return len(each.get("loadings", ())) or (int(each["items"].value) if "items" in each else 0)


def _alpha_below_cr(label: str, alpha: Printed, cr: Printed) -> Row:
    """Alpha is at most CR for items that share one factor; in samples a hundredth more happens."""
    gap = cr.value - alpha.value
    fine = alpha.low <= cr.high + 0.01
    remark = (
        f"CR is {gap:.3f} above it" + (": nearly equal loadings" if gap < 0.01 else "")
        if gap >= 0
        else ("CR is below it, by no more than chance" if fine else "CR below alpha: other items, correlated errors?")
    )
    return Row(
        label,
        alpha.text,
        cr.value,
        -math.inf,
        cr.high,
        "CR",
        AGREES if fine else DIFFERS,
        "alpha ≤ CR",
        remark,
        alpha.decimals,
        alpha.value,
        10.0**-alpha.decimals,
    )


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
    yield Row(
        "smallest eigenvalue of the correlations",
        "",
        smallest,
        smallest - room,
        smallest + room,
        f"{len(pairs)} correlations",
        verdict,
        "not negative",
        remark,
        value=0.0,
    )


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
            yield Row(
                f"AVE of {k} items",
                "",
                (low + high) / 2,
                low,
                high,
                "CR, equal loadings",
                IMPLIED,
                "CR/[k − (k − 1)·CR]",
                remark,
                2,
            )
    if all(f"alpha_{end}" in f for end in ends):
        low, high = (implied.mean_r_from_alpha(f[f"alpha_{end}"].value, 4) for end in ends)
        yield Row(
            "mean correlation of 4 items",
            "",
            (low + high) / 2,
            low,
            high,
            "alpha",
            IMPLIED,
            "alpha/[k − (k − 1)·alpha]",
            _redundant(low),
            2,
        )


# ── the baseline that alphas ask for ─────────────────────────────────────────────────────────────────────────────────


def alpha_bound(report: Report, *, split: str = "even", less: float = 0.0) -> tuple[float, tuple[int, ...]]:
    """Return the least baseline chi-square per m that the alphas allow, and the sizes of the scales.

    From the scales' own alphas where these are told with their items; else from the smallest and the
    largest alpha and a ``split`` of the items over the factors, "even" or "extreme" (all but one
    of three items). ``less`` is taken off each alpha. Zero where it cannot be said.
    """
    told = [(each["alpha"], _size(each)) for each in report.lists.get("scales", [])
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
