"""Means and standard deviations of whole-number answers: could any answers have given them?

GRIM (Brown & Heathers 2017): a mean is a whole-number total over n. GRIMMER
(Anaya 2016; Allard 2018): so is the sum of squares, and it is odd or even as the total is.
SPRITE (Heathers and others 2018): answers that give both.
"""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["Answers", "answers", "sizes_near", "totals"]

Span = tuple[float, float]


class Answers(NamedTuple):
    """Whether a mean (and SD) can be; of how many answers, an example as counts by answer, and where it fails."""

    mean_possible: bool
    sd_possible: bool
    sd_span: Span
    telling: bool
    example: dict[int, int]


def totals(mean: Span, n: int, items: int = 1) -> range:
    """Return the whole-number totals of ``n`` answers to ``items`` items whose mean lies in the interval."""
    return range(math.ceil(mean[0] * n * items - 1e-7), math.floor(mean[1] * n * items + 1e-7) + 1)


def answers(mean: Span, sd: Span | None, n: int, *, items: int = 1, ends: tuple[int, int] | None = None) -> Answers:
    """Look for whole-number answers with this mean and standard deviation (divisor n − 1).

    Parameters
    ----------
    mean, sd : (low, high)
        The numbers that print as the figure; ``sd`` may be None. With several items the SD is
        not looked at: a mean of items has a coarser scale than its squares.
    n, items : int
        Respondents, and items averaged for each.
    ends : (lowest, highest), optional
        The ends of the answer scale; without them any whole number counts.
    """
    telling = n * items * (mean[1] - mean[0]) < 1
    possible = [t for t in totals(mean, n, items) if ends is None or ends[0] * n * items <= t <= ends[1] * n * items]
    if not possible or sd is None or items > 1 or n < 2:
        return Answers(bool(possible), bool(possible), (math.nan, math.nan), bool(telling), {})
    limits, found, undecided = [], {}, False
    for total in possible:
        least, most = _square_ends(total, n, ends)
        limits += [
            math.sqrt(max(each - total**2 / n, 0) / (n - 1)) if math.isfinite(each) else math.inf
            for each in (least, most)
        ]
        if not found:
            found = _search(total, n, sd, least, most, ends)
            undecided |= found is None
    return Answers(True, bool(found) or undecided, (min(limits), max(limits)), bool(telling), found or {})


def sizes_near(mean: Span, n: int, items: int = 1, *, most: int = 3) -> list[int]:
    """Return the numbers of respondents nearest to ``n`` that can have such a mean, fewer before more."""
    near = sorted(
        (size for size in range(max(1, n // 2), n + n // 10 + 3) if totals(mean, size, items)),
        key=lambda s: (abs(s - n), s),
    )
    return near[:most]


def _square_ends(total: int, n: int, ends: tuple[int, int] | None) -> Span:
    """Return the least and largest sum of squares of n whole numbers with this total."""
    whole, rest = divmod(total, n)
    least = n * whole**2 + rest * (2 * whole + 1)
    if ends is None:
        return least, math.inf
    low, high = ends
    if low == high:
        return least, least
    full, left = divmod(total - n * low, high - low)
    squares = full * high**2 + (n - full) * low**2
    if left:  # one answer between the ends
        squares += (low + left) ** 2 - low**2
    return least, squares


def _search(
    total: int, n: int, sd: Span, least: float, most: float, ends: tuple[int, int] | None
) -> dict[int, int] | None:
    """Return counts by answer with this total and an SD in the interval, {} if there are none, None if undecided.

    The sum of squares has the parity of the total, so an interval without such a number
    is settled at once.
    """
    square = total**2 / n
    low = max(math.ceil(max(sd[0], 0) ** 2 * (n - 1) + square - 1e-6), int(least))
    high = math.floor(sd[1] ** 2 * (n - 1) + square + 1e-6)
    high = high if math.isinf(most) else min(high, int(most))
    low += (low - total) % 2
    if ends is None:  # answers further out than this alone would exceed the SD
        reach = math.ceil(sd[1] * math.sqrt(n - 1)) + 1
        ends = (math.floor(total / n) - reach, math.ceil(total / n) + reach)
    undecided = False
    for wanted in range(low, high + 1, 2)[:200]:
        found = _spread(total, n, wanted, int(least), ends)
        if not found:
            found = _inside(total, n, wanted, ends)
        if found:
            return found
        undecided |= found is None
    return None if undecided else {}


def _spread(total: int, n: int, wanted: int, start: int, ends: tuple[int, int]) -> dict[int, int]:
    """Move answers apart, two at a time, from answers as alike as the total allows, as far as the squares still let."""
    whole, rest = divmod(total, n)
    counts = {value: count for value, count in ((whole, n - rest), (whole + 1, rest)) if count}
    missing = wanted - start
    while missing > 0:
        # moving a down and b up by one adds 2·(b − a + 1)
        values = sorted(counts)
        pairs = [
            (2 * (b - a + 1), a, b)
            for a in values
            for b in values
            if b >= a and (a != b or counts[a] > 1) and a > ends[0] and b < ends[1] and 2 * (b - a + 1) <= missing
        ]
        if not pairs:
            return {}
        gain, a, b = max(pairs)
        for value, change in ((a, -1), (b, -1), (a - 1, 1), (b + 1, 1)):
            counts[value] = counts.get(value, 0) + change
        counts = {value: count for value, count in counts.items() if count}
        missing -= gain
    return {value: counts[value] for value in sorted(counts)} if missing == 0 else {}


def _inside(total: int, n: int, wanted: int, ends: tuple[int, int], *, budget: int = 20_000) -> dict[int, int] | None:
    """Look through the answers between the ends of the scale; None if there are too many to look through.

    Σ(x − low)(high − x) is known from total and squares, and only answers between the ends
    add to it: 5, 8, 9, 8 or 5 each on seven points. The rest lie at the ends, and how
    many at which follows from the total.
    """
    low, high = ends
    inner = sorted(range(low + 1, high), key=lambda v: -(v - low) * (high - v))
    steps = budget

    def fill(place: int, rest: int, left: int, points: int) -> dict[int, int] | None:
        nonlocal steps
        steps -= 1
        if rest == 0:
            at_high, odd = divmod(points, high - low)
            fine = odd == 0 and 0 <= at_high <= left
            return {low: left - at_high, high: at_high} if fine else None
        if place == len(inner) or steps < 0:
            return None
        value = inner[place]
        weight = (value - low) * (high - value)
        for count in range(min(rest // weight, left), -1, -1):
            found = fill(place + 1, rest - count * weight, left - count, points - count * (value - low))
            if found is not None:
                return found | {value: count}
        return None

    found = fill(0, (low + high) * total - wanted - n * low * high, n, total - n * low)
    if found is None:
        return None if steps < 0 else {}
    return {value: found[value] for value in sorted(found) if found[value]}
