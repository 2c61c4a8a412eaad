"""Find the population whose samples show the published figures.

A loading for each dimension is turned, the loading of kept items on their
theme, and a seed a survey. For a given seed the figures of the *sample* are
smooth functions of these numbers (the same random values are used throughout),
so a few Newton steps put the alphas and RMSEA where the study has them; then
seeds are tried until everything else is within its tolerance too. The level of
the correlations between dimensions is not turned: at the same alphas and RMSEA
it moves CFI by .002 between .30 and .55.

What is aimed at, and how it is measured, stands in :mod:`cocreation.survey.aims`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._files import read_text, write_whole
from ..core.threads import one_thread
from ..errors import CourseError, EstimationError, InputError
from ..inputs.options import instance
from . import study
from .aims import (
    AIMS,
    formal_figures,
    formal_survey_fits,
    pre_survey_figures,
    pre_survey_fits,
    shortfalls,
    wanted_alphas,
)
from .population import Calibrated, Population, build, load, read

__all__ = [
    "AIMS",
    "Calibration",
    "calibrate",
    "formal_figures",
    "formal_survey_fits",
    "pre_survey_figures",
    "pre_survey_fits",
    "save",
    "shortfalls",
    "solve",
]

_MARK = "[calibrated]\n"
_STEP = 0.01
_MOST_SEEDS = 6000


@dataclass(frozen=True)
class Calibration:
    """A population that meets the aims, and what its samples show.

    ``figures`` has a row a figure: figure, aim, tolerance, reached; ``tried`` says how
    many seeds of each survey were looked at.
    """

    calibrated: Calibrated
    figures: pd.DataFrame
    tried: Mapping[str, int]


def calibrate(progress: Callable[[float, str], None] | None = None, *, path: str | Path | None = None) -> Calibration:
    """Find parameters and seeds that meet :data:`AIMS`; the same ones on every run.

    Parameters
    ----------
    progress : callable, optional
        Called with the share done (0 … 1) and what is being done.
    path : path, optional
        The population to calibrate; its present calibrated numbers are not
        used. That of the study at hand by default.

    Returns
    -------
    Calibration
        Not written anywhere: see :func:`save`.

    Raises
    ------
    EstimationError
        If no seed tried meets the aims: the population's fixed numbers then do
        not allow it.
    CourseError
        If the study has no published figures to aim at.

    See Also
    --------
    save : Write what was found.
    solve : One seed.
    cocreation.survey.aims.shortfalls : What is not as aimed at.
    """
    report = progress or (lambda share, text: None)
    raw = _raw(path)
    with one_thread():
        tried, found = 0, None
        for tried, candidate in enumerate(_formal_candidates(raw), start=1):
            report(min(0.4, 0.05 * tried), f"formal survey: seed {tried}")
            if candidate is not None:
                found = candidate
                break
        if found is None:
            raise EstimationError(_hopeless("formal survey", tried))
        for seed in range(1, _MOST_SEEDS + 1):
            report(1 - 0.6 * np.exp(-seed / 800), f"pre-survey: seed {seed}")
            calibrated = replace(found, seeds={"pre_survey": seed, "formal_survey": found.seeds["formal_survey"]})
            population = build(raw, calibrated)
            if pre_survey_fits(population, pre_survey_figures(population)):
                report(1.0, "done")
                return Calibration(calibrated, _reached(population), {"formal_survey": tried, "pre_survey": seed})
    raise EstimationError(_hopeless("pre-survey", _MOST_SEEDS))


def _reached(population: Population) -> pd.DataFrame:
    """Return figure, aim, tolerance and what the population's two surveys show."""
    figures = formal_figures(population) | pre_survey_figures(population)
    rows = [(name, aim, tolerance, float(figures[name])) for name, (aim, tolerance) in AIMS.items()]
    return pd.DataFrame(rows, columns=["figure", "aim", "tolerance", "reached"])


def save(calibrated: Calibrated, path: str | Path | None = None) -> Path:
    """Write the calibrated numbers to the end of ``population.toml`` and return its path.

    Parameters
    ----------
    calibrated : Calibrated
        What to write.
    path : path, optional
        A ``population.toml``; that of the study at hand by default.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the file cannot be read or written, or has no part ``[calibrated]`` to replace.

    See Also
    --------
    calibrate : Find the numbers.
    cocreation.survey.population.read : Read them.

    Examples
    --------
    >>> import shutil
    >>> import tempfile
    >>> from cocreation.survey import population
    >>> shipped = study.find("population.toml")
    >>> copy = shutil.copy(shipped, tempfile.mkdtemp())
    >>> save(population.load().calibrated, copy).read_bytes() == shipped.read_bytes()
    True
    """
    path = study.find("population.toml", path)
    instance(calibrated, Calibrated, "calibrated", remedy="Pass calibrate().calibrated.")
    text = read_text(path, remedy="Check the path.")
    if _MARK not in text:
        raise InputError(f"{path} has no part [calibrated] to replace. Restore the shipped file.")
    loadings = "".join(f"{_key(code)} = {value:.4f}\n" for code, value in calibrated.loadings.items())
    seeds = "".join(f"{_key(name)} = {value}\n" for name, value in calibrated.seeds.items())
    tail = (
        f"{_MARK}theme_loading = {calibrated.theme_loading:.4f}\n\n"
        f"[calibrated.loadings]\n{loadings}\n[calibrated.seeds]\n{seeds}"
    )
    write_whole(path, (text[: text.index(_MARK)] + tail).encode())
    load.cache_clear()
    return path


def _key(name: str) -> str:
    """Return a name as TOML writes a key: quoted unless it is plain."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name, re.ASCII) else json.dumps(name, ensure_ascii=False)


def _raw(path: str | Path | None) -> dict[str, Any]:
    path = study.find("population.toml", path)
    return read(path).raw


def _formal_candidates(raw: dict[str, Any]) -> Iterator[Calibrated | None]:
    """Yield, for seed after seed, the parameters that meet the aims of the formal survey, or None."""
    for seed in range(1, _MOST_SEEDS + 1):
        try:
            calibrated = solve(raw, seed)
            figures = formal_figures(build(raw, calibrated), seed=seed)
        except (EstimationError, InputError, np.linalg.LinAlgError):
            # Newton left the possible populations: this seed's random values do not allow the aims
            yield None
            continue
        yield calibrated if formal_survey_fits(figures) else None


def solve(raw: dict[str, Any], seed: int, *, start: Calibrated | None = None) -> Calibrated:
    """Return the parameters, rounded, whose sample of this seed meets the alphas and RMSEA.

    Newton steps from ``start``, or from loadings of .86 and .32; none where the start meets
    them already.

    Parameters
    ----------
    raw : dict
        ``population.toml`` as read.
    seed : int
        Of the formal survey.
    start : Calibrated, optional
        Where to start.

    Returns
    -------
    Calibrated
        Loadings and correlation, rounded as :func:`save` writes them.

    Raises
    ------
    CourseError
        If the study has no alphas or RMSEA to aim at, or the population lacks a part.

    See Also
    --------
    calibrate : Try seeds until all is as aimed at.
    cocreation.survey.aims.wanted_alphas : The alphas to meet.
    cocreation.survey.population.build : The population of such numbers.

    Examples
    --------
    >>> from cocreation.survey import population
    >>> world = population.load()
    >>> found = solve(world.raw, world.calibrated.seeds["formal_survey"], start=world.calibrated)
    >>> abs(found.theme_loading - world.calibrated.theme_loading) < 0.001
    True
    """
    alphas = wanted_alphas(raw)
    codes = list(alphas)
    if "rmsea" not in AIMS:
        raise CourseError("There is no RMSEA to aim at. Write the figure 'rmsea' in published.toml.")

    def calibrated(v: np.ndarray) -> Calibrated:
        v = v.round(4)
        loadings = dict(zip(codes, v[: len(codes)].tolist(), strict=True))
        return Calibrated(loadings, float(v[-1]), {"pre_survey": seed, "formal_survey": seed})

    def residuals(v: np.ndarray) -> np.ndarray:
        figures = formal_figures(build(raw, calibrated(v)), seed=seed)
        wanted = {f"alpha_{code}": value for code, value in alphas.items()} | {"rmsea": AIMS["rmsea"][0]}
        return np.array([figures[name] - value for name, value in wanted.items()])

    v = np.array([*[0.86] * len(codes), 0.32])
    if start is not None:
        v = np.array([*(start.loadings[code] for code in codes), start.theme_loading])
    best, smallest = v, np.inf
    for _ in range(8):
        now = residuals(v)
        if np.abs(now).max() < smallest:
            best, smallest = v, np.abs(now).max()
        if smallest < 2e-4:
            break
        # categories make the figures steps, not lines: differences are taken over a visible distance
        slopes = np.column_stack([(residuals(v + step) - now) / _STEP for step in _STEP * np.eye(len(v))])
        v = v - np.clip(np.linalg.solve(slopes, now), -0.05, 0.05)
    return calibrated(best)


def _hopeless(survey: str, tried: int) -> str:
    return (
        f"None of {tried} seeds gives a {survey} that meets the aims. The fixed numbers of population.toml (offsets, "
        "cuts, flaws) do not allow them; move those toward the shipped ones."
    )
