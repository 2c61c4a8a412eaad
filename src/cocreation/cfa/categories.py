"""Answers as categories: how many there may be, and which are too thin or too alike to be told apart."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from ..core.sem import wls
from ..errors import InputError

__all__ = ["as_categories", "singularity"]

#: more different answers than this are hardly categories
MOST_CATEGORIES = 12


def as_categories(frame: pd.DataFrame) -> tuple[np.ndarray, list[list[int]], list[tuple[str, str]]]:
    """Return answers as category numbers from 0 on, the answers they stand for, and what to be careful about."""
    codes, answers, warnings = np.empty(frame.shape, dtype=int), [], []
    for i, name in enumerate(frame):
        values, codes[:, i], counts = np.unique(frame[name].to_numpy(), return_inverse=True, return_counts=True)
        broken = values[values != np.round(values)]
        if len(broken):
            raise InputError(
                f"Item '{name}' holds {broken[0]:g}, which is no category: ordered answers are whole numbers. Use the "
                "single items rather than means of them, or estimator='MLR', which takes numbers as they are."
            )
        if len(values) > MOST_CATEGORIES:
            raise InputError(
                f"Item '{name}' has {len(values)} different answers, more than {MOST_CATEGORIES}: it looks continuous. "
                "Use Pearson correlations or estimator='MLR' for it, or merge its answers to a few categories."
            )
        answers.append([int(value) for value in values])
        warnings += _thin(name, answers[-1], counts)
    return codes, answers, _narrow(list(frame.columns), answers) + warnings


def _thin(name: str, answers: list[int], counts: np.ndarray) -> list[tuple[str, str]]:
    found = []
    # answers may be coded 10, 20, 30, or as large as identifiers: gaps everywhere are no empty categories
    if len(answers) < answers[-1] - answers[0] + 1 < 2 * len(answers):
        gaps = sorted({*range(answers[0], answers[-1])} - {*answers})
        which = ", ".join(map(str, gaps))
        found.append((name, f"Nobody chose {which}, between others: the answers on both sides meet at one threshold."))
    found += [
        (name, f"Only one respondent chose {answer}: the threshold beside it rests on one answer. Merge it if you can.")
        for answer, count in zip(answers, counts, strict=True)
        if count == 1
    ]
    return found


def _narrow(names: list[str], answers: list[list[int]]) -> list[tuple[str, str]]:
    """Name the items whose first or last answers nobody chose, by what most items have."""
    (low, high), count = Counter((values[0], values[-1]) for values in answers).most_common(1)[0]
    if 2 * count <= len(answers):
        return []
    return [
        (
            name,
            f"Answers from {values[0]} to {values[-1]} where most items have {low} to {high}: a category nobody chose "
            "has no threshold. That is no fault.",
        )
        for name, values in zip(names, answers, strict=True)
        if low <= values[0] and values[-1] <= high and (low, high) != (values[0], values[-1])
    ]


def singularity(r: np.ndarray) -> list[tuple[str, str]]:
    least = np.linalg.eigvalsh(r)[0]
    if least >= wls.LEAST_EIGENVALUE:
        return []
    return [
        (
            "correlations",
            f"Not positive definite (smallest eigenvalue {least:.3f}), since each was estimated from its own pair: no "
            "factor analysis by maximum likelihood can take them, and robust fit indices do not exist. Merge rare "
            "categories, leave out items that nearly repeat each other, or collect more answers.",
        )
    ]
