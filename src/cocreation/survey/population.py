"""The truth behind the synthetic survey, read from ``datasets/population.toml``.

Everything a draw needs stands in that file: dimensions, themes, the 43 items
with their wordings and flaws, categories, firms, outcomes, what happens to the
questionnaires, and the numbers the calibration found.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._paths import course_root, restoring
from ..errors import CourseError, InputError

__all__ = ["Calibrated", "Population", "build", "load", "read"]


@dataclass(frozen=True)
class Calibrated:
    """What the calibration may turn: loadings, correlation, seeds.

    ``loadings`` holds one latent loading a dimension, ``theme_loading`` that of
    every kept item on its theme, ``seeds`` one seed a survey.
    """

    loadings: Mapping[str, float]
    theme_loading: float
    seeds: Mapping[str, int]


@dataclass(frozen=True)
class Population:
    """Dimensions, themes, items and firms of the synthetic world.

    Attributes
    ----------
    dimensions : DataFrame [dimension, name, phase, meaning]
    themes : DataFrame [theme, dimension, meaning]
    items : DataFrame [item, dimension, theme, wording, role, flaw, loading,
        cross, cross_loading, theme_loading, method, unique, location]
        ``unique`` is the standard deviation that brings the latent item to
        variance 1; ``cross`` is the other dimension of an item about two.
    correlations : DataFrame, dimensions × dimensions
    outcomes : DataFrame [item, outcome, name, wording, loading, method]
    cuts : ndarray, shape (points − 1,)
    calibrated : Calibrated
    raw : dict
        The file as read; the surveys' composition is taken from it.
    """

    dimensions: pd.DataFrame
    themes: pd.DataFrame
    items: pd.DataFrame
    correlations: pd.DataFrame
    outcomes: pd.DataFrame
    cuts: np.ndarray
    calibrated: Calibrated
    raw: dict[str, Any] = field(repr=False)

    def scales(self, *, kept_only: bool = False) -> dict[str, list[str]]:
        """Return ``{dimension: [item, …]}`` of the pool, or of the 21 items meant to be kept."""
        items = self.items[self.items["role"] == "kept"] if kept_only else self.items
        return {code: items.loc[items["dimension"] == code, "item"].tolist() for code in self.dimensions["dimension"]}

    def kept(self) -> list[str]:
        """Return the 21 items without a flaw, in questionnaire order."""
        return self.items.loc[self.items["role"] == "kept", "item"].tolist()

    def __repr__(self) -> str:
        return (
            f"Population({len(self.dimensions)} dimensions, {len(self.themes)} themes, {len(self.items)} items, "
            f"{len(self.kept())} of them kept)"
        )


@lru_cache(maxsize=1)
def load() -> Population:
    """Return the population of the shipped data.

    Raises
    ------
    CourseError
        If ``population.toml`` was lost or changed; with how to get it back.

    Examples
    --------
    >>> load()
    Population(5 dimensions, 14 themes, 43 items, 21 of them kept)
    """
    path = course_root() / "datasets" / "population.toml"
    try:
        return read(path)
    except CourseError as problem:
        raise CourseError(f"{problem} {restoring(path)}") from problem


def read(path: str | Path, *, calibrated: Calibrated | None = None) -> Population:
    """Return the population a TOML file describes, with other calibrated numbers if given.

    Raises
    ------
    CourseError
        If the file is not there, is not TOML, or lacks a part.
    InputError
        If the numbers describe no population: an item with more than its
        whole variance explained, or correlations that no data can have.

    Examples
    --------
    >>> from cocreation.survey import datasets
    >>> read(datasets.path("pre_survey").with_name("population.toml")).kept()[:3]
    ['DO01', 'DO02', 'DO05']
    """
    try:
        raw = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as problem:
        raise CourseError(
            f"The population could not be read from {path}: {problem.strerror}. Check the path."
        ) from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise CourseError(
            f"The population could not be read from {path}: {problem}. Restore the shipped file."
        ) from problem
    try:
        return _built(raw, calibrated or _calibrated(raw))
    except KeyError as missing:
        raise CourseError(
            f"{path} lacks the entry {missing}. Compare it with the shipped population.toml."
        ) from missing


def build(raw: dict[str, Any], calibrated: Calibrated) -> Population:
    """Return the population of a file already read, with the given calibrated numbers.

    Raises
    ------
    InputError
        If the numbers describe no population; see :func:`read`.
    CourseError
        If a part is missing.

    Examples
    --------
    >>> world = load()
    >>> weaker = Calibrated(world.calibrated.loadings, 0.0, world.calibrated.seeds)
    >>> build(world.raw, weaker).items["theme_loading"].iloc[0].item()
    0.0
    """
    try:
        return _built(raw, calibrated)
    except KeyError as missing:
        raise CourseError(f"The population lacks the entry {missing}. Compare with population.toml.") from missing


def _built(raw: dict[str, Any], calibrated: Calibrated) -> Population:
    dimensions = pd.DataFrame(
        [(d["code"], d["name"], d["phase"], d["meaning"]) for d in raw["dimensions"]],
        columns=["dimension", "name", "phase", "meaning"],
    )
    themes = pd.DataFrame(
        [(t["name"], d["code"], t["meaning"]) for d in raw["dimensions"] for t in d["themes"]],
        columns=["theme", "dimension", "meaning"],
    )
    correlations = _correlations(list(dimensions["dimension"]), raw["correlations"])
    items = _items(raw, themes, correlations, calibrated)
    outcomes = pd.DataFrame(
        [
            (f"{o['code']}{k}", o["code"], o["name"], wording, loading, o["method"])
            for o in raw["outcomes"]
            for k, (wording, loading) in enumerate(zip(o["wordings"], o["loadings"], strict=True), start=1)
        ],
        columns=["item", "outcome", "name", "wording", "loading", "method"],
    )
    cuts = np.array(raw["scale"]["cuts"], dtype=float)
    return Population(dimensions, themes, items, correlations, outcomes, cuts, calibrated, raw)


def _calibrated(raw: dict[str, Any]) -> Calibrated:
    found = raw["calibrated"]
    return Calibrated(found["loadings"], found["theme_loading"], found["seeds"])


def _correlations(codes: list[str], plan: Mapping[str, float]) -> pd.DataFrame:
    level = plan["level"]
    table = pd.DataFrame(np.eye(len(codes)), index=codes, columns=codes)
    for first, second in combinations(codes, 2):
        table.loc[first, second] = table.loc[second, first] = level + plan.get(f"{first}-{second}", 0.0)
    if np.linalg.eigvalsh(table.to_numpy()).min() <= 0:
        raise InputError(f"No data can have dimensions that correlate like this (level {level}). Lower the level.")
    return table


def _items(
    raw: dict[str, Any], themes: pd.DataFrame, correlations: pd.DataFrame, calibrated: Calibrated
) -> pd.DataFrame:
    owner = dict(zip(themes["theme"], themes["dimension"], strict=True))
    scale = raw["scale"]
    rows = []
    for entry in raw["items"]:
        dimension = owner[entry["theme"]]
        kept = entry["role"] == "kept"
        loading = calibrated.loadings[dimension] + entry["offset"] if kept else entry["loading"]
        theme_loading = calibrated.theme_loading if kept else scale["theme_flawed"]
        cross = entry.get("cross", {})
        other, cross_loading = cross.get("dimension", ""), cross.get("loading", 0.0)
        explained = loading**2 + cross_loading**2 + theme_loading**2 + scale["method"] ** 2
        if other:
            explained += 2 * loading * cross_loading * correlations.loc[dimension, other]
        if explained >= 1:
            raise InputError(
                f"The loadings of item '{entry['item']}' explain {explained:.3f} of its variance of 1. Lower one."
            )
        rows.append(
            (
                *(entry["item"], dimension, entry["theme"], entry["wording"], entry["role"], entry.get("flaw", "")),
                *(loading, other, cross_loading, theme_loading, scale["method"], np.sqrt(1 - explained)),
                entry["location"],
            )
        )
    columns = ["item", "dimension", "theme", "wording", "role", "flaw", "loading", "cross", "cross_loading"]
    return pd.DataFrame(rows, columns=[*columns, "theme_loading", "method", "unique", "location"])
