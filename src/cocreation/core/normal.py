"""The answers of a group, pattern by pattern of what was answered, and what a normal likelihood makes of them.

Everything here is about moments μ and Σ, whatever model implies them. With d = x − μ of the items
a respondent answered and W the inverse of their part of Σ, the likelihood is

    F = Σ over respondents of 1/N · [ln|W⁻¹| + dᵀWd].

A pattern with few gaps m is not factored: with K = Σ⁻¹, ln|W⁻¹| = ln|Σ| + ln|Kₘₘ|, and Wd is K times d
filled up at the gaps with its expectation −Kₘₘ⁻¹(Kd)ₘ. One with more gaps than answers is, on the answered side.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg.lapack import dpotrf

__all__ = ["Block", "Layout", "Point", "casewise", "patterns", "respondents"]

#: a conditional variance, of 1, below which Σ⁻¹ has lost too many digits to be used for its parts
_SOUND = 1e-6
#: numbers of an array that is made in pieces
_PIECE = 2_000_000


class Block(NamedTuple):
    """Patterns with as many gaps (or answers): their numbers, items (a row each), data rows, and those rows' place."""

    gaps: bool
    patterns: np.ndarray
    items: np.ndarray
    rows: np.ndarray
    place: np.ndarray


class Layout:
    """Data rows of a group, zero where not answered, in the order of their patterns.

    Parameters
    ----------
    n : array, shape (patterns,)
        Respondents of each.
    seen : boolean array, shape (patterns, p)
        What they answered.
    y : array, shape (rows, p)
        Rows of which only squares and products count.
    a : array, shape (rows,)
        How often the mean is in each: 1 in an answer as it is.
    owner : array, shape (rows,)
        The pattern of each, rising.
    """

    def __init__(self, n: np.ndarray, seen: np.ndarray, y: np.ndarray, a: np.ndarray, owner: np.ndarray) -> None:
        self.n, self.seen, self.y, self.a, self.owner = n.astype(float), seen, y, a, owner
        self.share, self.total, self.p = self.n / self.n.sum(), float(self.n.sum()), seen.shape[1]
        self.filled = seen[owner].astype(float)
        self._blocks: dict[bool, list[Block]] = {}

    @property
    def constant(self) -> float:
        """What minus twice the log-likelihood adds to N·F."""
        return np.log(2 * np.pi) * float(self.n @ self.seen.sum(axis=1))

    def scaled(self, centre: np.ndarray, spread: np.ndarray) -> Layout:
        """Return the same rows in other units."""
        y = (self.y - np.outer(self.a, centre)) / spread * self.filled
        return Layout(self.n, self.seen, y, self.a, self.owner)

    def blocks(self, by_gaps: bool) -> list[Block]:
        """Return the patterns in blocks, by the smaller side, or all by their answers."""
        if by_gaps not in self._blocks:
            answered = self.seen.sum(axis=1)
            gaps = by_gaps & (self.p - answered <= answered)
            size = np.where(gaps, self.p - answered, answered)
            found, place = [], np.empty(len(self.n), dtype=int)
            for side, k in sorted({*zip(gaps.tolist(), size.tolist(), strict=True)}):
                which = np.flatnonzero((gaps == side) & (size == k))
                items = np.nonzero(self.seen[which] ^ side)[1].reshape(len(which), k)
                inside = np.zeros(len(self.n), dtype=bool)
                inside[which], place[which] = True, np.arange(len(which))
                rows = np.flatnonzero(inside[self.owner])
                found.append(Block(side, which, items, rows, place[self.owner[rows]]))
            self._blocks[by_gaps] = found
        return self._blocks[by_gaps]


class Point:
    """A group's data seen from moments μ, Σ.

    Attributes
    ----------
    value : float
        F without its floor.
    b : array, shape (p,)
        Minus half the slopes of F by the means.
    q : array, shape (p, p)
        Its slopes by the covariances, both halves of each together.
    positive : bool
        Whether Σ is positive definite as a whole too, not only what somebody answered.
    e : array, shape (rows, p)
        Wd of each row, zero where not answered.

    Raises
    ------
    LinAlgError
        Where the part of Σ that somebody answered is not positive definite.
    """

    def __init__(self, data: Layout, mean: np.ndarray, cov: np.ndarray) -> None:
        if not (np.diag(cov) > 0).all():
            raise LinAlgError
        # in units in which spreads do not cost digits
        unit = np.sqrt(np.diag(cov))
        self.data, self._unit = data, unit
        corr = cov / np.outer(unit, unit)
        root, failed = dpotrf(corr, lower=1)
        self.positive = not failed
        sound = self.positive and bool((root.diagonal() ** 2 > _SOUND).all())
        inner = _symmetric(np.linalg.inv(corr)) if sound else corr
        whole = 2 * np.log(root.diagonal()).sum() if sound else 0.0
        d = (data.y - np.outer(data.a, mean)) * data.filled / unit
        log_det, filled, e = np.zeros(len(data.n)), d.copy(), None
        pulled = d @ inner if sound else d
        self._inner, self._parts, ours = inner, [], []
        gaps, answers, p = np.zeros((data.p, data.p)), np.zeros((data.p, data.p)), data.p
        for block in data.blocks(sound):
            part, k = None, block.items.shape[1]
            if k:
                part = (inner if block.gaps else corr)[block.items[:, :, None], block.items[:, None, :]]
                log_det[block.patterns] = 2 * np.log(np.linalg.cholesky(part).diagonal(axis1=1, axis2=2)).sum(axis=1)
                part = np.linalg.inv(part)
                own = block.rows[:, None], block.items[block.place]
                turned = np.einsum("rij,rj->ri", part[block.place], (pulled if block.gaps else d)[own])
                flat = (block.items[:, :, None] * p + block.items[:, None, :]).ravel()
                weight = (part * data.share[block.patterns, None, None]).ravel()
                into = gaps if block.gaps else answers
                into += np.bincount(flat, weight, p * p).reshape(p, p)
                if block.gaps:
                    filled[own] = -turned
                else:
                    ours.append((own, turned))
            if block.gaps:
                log_det[block.patterns] += whole
            self._parts.append((block, part))
        e = filled @ inner * data.filled
        for own, turned in ours:
            e[own] = turned
        mixed = sum((data.share[block.patterns].sum() for block, _ in self._parts if block.gaps), 0.0)
        self._mean_w = _symmetric(answers + (mixed * inner - inner @ gaps @ inner if sound else 0.0))
        self.value = float(data.share @ (log_det + 2 * (data.seen @ np.log(unit))) + (e * d).sum() / data.total)
        self.b = data.a @ e / data.total / unit
        self.q = (self._mean_w - e.T @ e / data.total) / np.outer(unit, unit)
        self.e = e / unit

    @property
    def mean_inverse(self) -> np.ndarray:
        """The average of W, zero where not answered, shape (p, p)."""
        return self._mean_w / np.outer(self._unit, self._unit)

    def layers(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Return piece by piece patterns, their W (zero where not answered), their rows and where each one's begin."""
        p, inner, unit = self.data.p, self._inner, np.outer(self._unit, self._unit)
        size = max(1, _PIECE // (p * p))
        for block, part in self._parts:
            for first in range(0, len(block.patterns), size):
                which = slice(first, first + size)
                patterns, items = block.patterns[which], block.items[which]
                w = np.zeros((len(patterns), p, p))
                if block.gaps:
                    w += inner
                    if part is not None:
                        cut = inner[items]
                        w -= cut.swapaxes(1, 2) @ (part[which] @ cut)
                    seen = self.data.seen[patterns]
                    w *= seen[:, :, None] & seen[:, None, :]
                else:
                    w[np.arange(len(patterns))[:, None, None], items[:, :, None], items[:, None, :]] = part[which]
                ends = np.searchsorted(block.place, [first, first + len(patterns)])
                begins = np.searchsorted(block.place, first + np.arange(len(patterns))) - ends[0]
                yield patterns, w / unit, block.rows[ends[0] : ends[1]], begins

    def squared(self, mean: np.ndarray, cov: np.ndarray) -> float:
        """Return the square of moments' distances in the metric of the expected information, not made for it."""
        found = float(mean @ self.mean_inverse @ mean)
        for patterns, w, _, _ in self.layers():
            turned = w @ cov
            found += float(self.data.share[patterns] @ (turned * turned.swapaxes(1, 2)).sum(axis=(1, 2))) / 2
        return found

    @cached_property
    def expected(self) -> np.ndarray:
        """Expected information of one observation on means and lower triangle of the covariances."""
        return self._information(observed=False)

    @cached_property
    def observed(self) -> np.ndarray:
        """Observed information of one observation on the same."""
        return self._information(observed=True)

    def _information(self, *, observed: bool) -> np.ndarray:
        p, share, total = self.data.p, self.data.share, self.data.total
        i, j = np.tril_indices(p)
        m, x = np.zeros((len(i), len(i))), np.zeros((len(i), p))
        for patterns, w, rows, begins in self.layers():
            w = w[:, i, j]
            if not observed:
                w *= np.sqrt(share[patterns, None] / 2)
                m += w.T @ w
                continue
            e = self.e[rows]
            z = np.add.reduceat(e[:, i] * e[:, j], begins) / total
            z -= share[patterns, None] * w / 2
            x += w.T @ (np.add.reduceat(self.data.a[rows, None] * e, begins) / total)
            m += w.T @ z
        half, at = np.where(i == j, 0.5, 1.0), np.zeros((p, p), dtype=int)
        at[i, j] = at[j, i] = np.arange(len(i))
        ii, jj, ij = at[i[:, None], i], at[j[:, None], j], at[i[:, None], j]
        k = m[ii, jj] + m[ij, ij.T]
        k += m[jj, ii] + m[ij.T, ij] if observed else k
        found = np.zeros((p + len(i), p + len(i)))
        found[:p, :p] = self.mean_inverse
        found[p:, p:] = k * np.outer(half, half)
        if observed:
            found[:p, p:] = half * (x[at[:, i], j] + x[at[:, j], i])
            found[p:, :p] = found[:p, p:].T
        return found


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return (matrix + matrix.T) / 2


def patterns(answered: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the answered items of each pattern and its rows, the most frequent first.

    Parameters
    ----------
    answered : boolean array, shape (n, p)
        Who answered what.

    Returns
    -------
    list of (items, rows)
        Numbers of columns and of rows; who answered nothing is in none.
    """
    kinds, owner, counts = np.unique(answered, axis=0, return_inverse=True, return_counts=True)
    order = [k for k in np.argsort(-counts, kind="stable") if kinds[k].any()]
    rows = np.split(np.argsort(owner.ravel(), kind="stable"), np.cumsum(counts)[:-1])
    return [(np.flatnonzero(kinds[k]), rows[k]) for k in order]


def respondents(x: np.ndarray) -> tuple[Layout, np.ndarray]:
    """Return the answers with a row a respondent, and who stands in which row.

    Parameters
    ----------
    x : array, shape (n, p)
        Answers, NaN where missing; in every row at least one.

    Returns
    -------
    layout : Layout
    who : integer array, shape (n,)
    """
    kinds = patterns(~np.isnan(x))
    who = np.concatenate([rows for _, rows in kinds])
    sizes = np.array([len(rows) for _, rows in kinds])
    seen = ~np.isnan(x[[rows[0] for _, rows in kinds]])
    return Layout(sizes, seen, np.nan_to_num(x[who]), np.ones(len(who)), np.repeat(np.arange(len(sizes)), sizes)), who


def casewise(x: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """Return each respondent's slope of the log-likelihood by the means and the lower triangle of the covariances.

    Parameters
    ----------
    x : array, shape (n, p)
        Answers, NaN where missing; in every row at least one.
    mean, cov : arrays, shapes (p,) and (p, p)
        Where to take it.

    Returns
    -------
    array, shape (n, p + p(p+1)/2)
    """
    p = len(mean)
    i, j = np.tril_indices(p)
    half = np.where(i == j, 0.5, 1.0)
    layout, who = respondents(x)
    point, found = Point(layout, mean, cov), np.zeros((len(x), p + len(i)))
    found[who, :p] = point.e
    for patterns_, w, rows, _ in point.layers():
        own = np.searchsorted(patterns_, layout.owner[rows])
        e = point.e[rows]
        found[who[rows], p:] = half * (e[:, i] * e[:, j] - w[:, i, j][own])
    return found
