"""The truth behind a synthetic survey, read from its ``population.toml``.

Everything a draw needs stands in that file: dimensions, themes, the items
with their wordings and flaws, categories, firms, outcomes, what happens to the
questionnaires, and the numbers the calibration found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._paths import restoring
from ..errors import CourseError, InputError
from . import study
from .plans import check_population

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

    @property
    def points(self) -> tuple[int, int]:
        """The lowest and the highest answer, as :func:`cocreation.steps.screen.screen` takes them."""
        lowest = self.raw["scale"].get("lowest", 1)
        return lowest, lowest + len(self.cuts)

    def straight_lining(self) -> list[int]:
        """Return what one and the same answer throughout may be; from the middle up unless the file says otherwise.

        Returns
        -------
        list of int
        """
        low, high = self.points
        return self.raw["scale"].get("straight_lining") or list(range(low, high + 1))[(high + 1 - low) // 2 :]

    def part(self, name: str) -> dict[str, Any]:
        """Return what the file says of a survey.

        Parameters
        ----------
        name : str
            Such as "pre_survey".

        Returns
        -------
        dict

        Raises
        ------
        InputError
            If there is none.
        """
        if name not in self.raw:
            raise InputError(f"The population has no part [{name}]. Write it in population.toml, or do without.")
        return self.raw[name]

    def turned(self, answers: pd.DataFrame | pd.Series | np.ndarray) -> pd.DataFrame | pd.Series | np.ndarray:
        """Return answers turned round, so that the highest becomes the lowest.

        Parameters
        ----------
        answers : DataFrame, Series or array
            On the population's scale.

        Returns
        -------
        DataFrame, Series or array
            As ``answers``: lowest plus highest point less each answer.
        """
        return sum(self.points) - answers

    def scales(self, *, kept_only: bool = False) -> dict[str, list[str]]:
        """Return ``{dimension: [item, …]}`` of the pool, or of the items meant to be kept.

        Parameters
        ----------
        kept_only : bool
            Only the items without a flaw.

        Returns
        -------
        dict
            In the order of the dimensions.
        """
        items = self.items[self.items["role"] == "kept"] if kept_only else self.items
        return {code: items.loc[items["dimension"] == code, "item"].tolist() for code in self.dimensions["dimension"]}

    def kept(self) -> list[str]:
        """Return the items without a flaw, in questionnaire order.

        Returns
        -------
        list of str
        """
        return self.items.loc[self.items["role"] == "kept", "item"].tolist()

    def __repr__(self) -> str:
        return (
            f"Population({len(self.dimensions)} dimensions, {len(self.themes)} themes, {len(self.items)} items, "
            f"{len(self.kept())} of them kept)"
        )


def load(path: str | Path | None = None) -> Population:
    """Return the population of a study; the file is read again only when it has changed.

    Parameters
    ----------
    path : path, optional
        A study's folder or its ``population.toml``. By default the study at hand: the course's own, or that of
        the folder in the environment variable ``COCREATION_ROOT``.

    Returns
    -------
    Population
        Its dimensions, themes, items, correlations and outcomes, with the calibrated numbers of the file.

    Raises
    ------
    CourseError
        If ``population.toml`` was lost or changed; with how to get it back.
    InputError
        If its entries contradict each other or describe no population; see :func:`read`.

    See Also
    --------
    read : Any file, with other calibrated numbers.
    build : A file already read.
    cocreation.survey.sample.draw : Answers drawn from it.
    cocreation.survey.respondents.formal_survey : A survey drawn from it.

    Examples
    --------
    >>> load()
    Population(5 dimensions, 14 themes, 43 items, 21 of them kept)
    >>> load(study.find("population.toml").parent).points
    (1, 7)
    """
    where = study.find("population.toml", path)
    try:
        raw = study.facts(where) if path is not None else study.facts(where, remedy=restoring(where))
        known = _LOADED.get(where)
        if known is None or known.raw is not raw:
            known = _LOADED[where] = _described(raw, where)
    except InputError:
        raise
    except CourseError as problem:
        if path is not None:
            raise
        raise CourseError(f"{problem} {restoring(where)}") from problem
    return known


#: the populations read so far, by their files
_LOADED: dict[Path, Population] = {}
# as functools' caches have it: what was read before counts no more
load.cache_clear = study.forget  # type: ignore[attr-defined]


def read(path: str | Path, *, calibrated: Calibrated | None = None) -> Population:
    """Return the population a TOML file describes, with other calibrated numbers if given.

    Parameters
    ----------
    path : path
        A ``population.toml``.
    calibrated : Calibrated, optional
        In place of the file's own numbers.

    Returns
    -------
    Population

    Raises
    ------
    CourseError
        If the file is not there, is not TOML, or lacks a part.
    InputError
        If an entry is of another kind than it should be, contradicts another or
        names what is not there, with the entry, what it has and what it should
        have; or if the numbers describe no population: an item with more than its
        whole variance explained, or correlations that no data can have.

    See Also
    --------
    load : The population of a study.
    build : A file already read.

    Examples
    --------
    >>> read(study.find("population.toml")).kept()[:3]
    ['DO01', 'DO02', 'DO05']
    """
    path = Path(path)
    return _described(study.facts(path), path, calibrated)


def _described(raw: dict[str, Any], where: Path, calibrated: Calibrated | None = None) -> Population:
    try:
        return _built(raw, calibrated, where)
    except KeyError as missing:
        raise CourseError(
            f"{where} lacks the entry {missing}. Compare it with the shipped population.toml."
        ) from missing


def build(raw: dict[str, Any], calibrated: Calibrated) -> Population:
    """Return the population of a file already read, with the given calibrated numbers.

    Parameters
    ----------
    raw : dict
        The file as read.
    calibrated : Calibrated
        Loadings, correlation and seeds in place of its own.

    Returns
    -------
    Population

    Raises
    ------
    InputError
        If the numbers describe no population; see :func:`read`.
    CourseError
        If a part is missing.

    See Also
    --------
    load : The population of a study.
    read : The population of a file.
    cocreation.survey.calibrate.solve : Find calibrated numbers.

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


def _built(raw: dict[str, Any], calibrated: Calibrated | None, where: str | Path = "The population") -> Population:
    check_population(raw, where)
    calibrated = calibrated or _calibrated(raw)
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
            for o in raw.get("outcomes", [])
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
        more = plan.get(f"{first}-{second}", plan.get(f"{second}-{first}", 0.0))
        table.loc[first, second] = table.loc[second, first] = level + more
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
