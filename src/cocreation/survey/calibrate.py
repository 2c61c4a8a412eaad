"""Find the population whose samples show the published figures.

Six numbers are turned – a loading for each of the five dimensions, and the
loading of kept items on their theme – and a seed a survey. For a given seed the
figures of the *sample* are smooth functions of the six numbers (the same random
values are used throughout), so a few Newton steps put the alphas and RMSEA where
the study has them; then seeds are tried until everything else is within its
tolerance too. The level of the correlations between dimensions is not turned: at
the same alphas and RMSEA it moves CFI by .002 between .30 and .55.

Only :mod:`cocreation.core` is used: the course's own steps are then applied to
the data as to anybody's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .._paths import course_root
from ..core import factor, moments
from ..core.reliability import alpha_from_covariance, item_statistics
from ..core.rotation import varimax
from ..core.sem import ml
from ..core.threads import one_thread
from ..errors import CourseError, EstimationError, InputError
from ..inputs.options import instance
from .population import Calibrated, Population, build, load, read
from .respondents import valid_answers

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

#: what the samples must show: figure -> (value, tolerance). A calibrated figure
#: must come within half of it, so that rounding the parameters cannot push it out.
AIMS = {
    "rmsea": (0.073, 0.002),
    "cfi": (0.955, 0.005),
    "tli": (0.947, 0.005),
    "alpha_lowest": (0.928, 0.003),
    "alpha_highest": (0.951, 0.003),
    "cr_lowest": (0.930, 0.003),
    "cr_highest": (0.953, 0.003),
    "variance": (83.933, 0.5),
}
#: the alphas aimed at: the ends of the published range, and the three between
ALPHAS = {"DO": 0.936, "CE": 0.940, "DE": 0.9285, "WC": 0.944, "EV": 0.9515}

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


def _alpha(x: np.ndarray) -> float:
    return alpha_from_covariance(moments.covariance(x))


def formal_figures(population: Population, *, seed: int | None = None) -> dict[str, float]:
    """Return alphas, fit, CR, AVE and discriminant validity of the formal survey's valid respondents.

    Fit in lavaan's convention (N, not N − 1); CR and AVE from standardized
    loadings. ``fornell_larcker`` is the smallest difference between the root of
    a dimension's AVE and its largest correlation with another.

    Raises
    ------
    InputError
        If ``population`` is no population.
    EstimationError
        If the model cannot be fitted to its sample.

    Examples
    --------
    >>> from cocreation.survey import population
    >>> figures = formal_figures(population.load())
    >>> float(round(figures["rmsea"], 3)), float(round(figures["cfi"], 3))
    (0.073, 0.956)
    """
    data = valid_answers(population, "formal_survey", seed=seed)
    scales = population.scales(kept_only=True)
    columns = list(data.columns)
    groups = [[columns.index(item) for item in items] for items in scales.values()]
    x = data.to_numpy(dtype=float)
    n = len(x)
    fitted = ml.simple_structure(moments.correlation(x), n, groups)
    gain, gain0 = fitted.chi2 - fitted.df, fitted.baseline_chi2 - fitted.baseline_df
    squares = [fitted.loadings[group] ** 2 for group in groups]
    sums = [fitted.loadings[group].sum() ** 2 for group in groups]
    cr = [total / (total + (1 - square).sum()) for total, square in zip(sums, squares, strict=True)]
    ave = np.array([square.mean() for square in squares])
    between = np.abs(fitted.phi - np.eye(len(groups))).max(axis=0)
    alphas = {code: _alpha(x[:, group]) for code, group in zip(scales, groups, strict=True)}
    return {
        **{f"alpha_{code}": value for code, value in alphas.items()},
        "alpha_lowest": min(alphas.values()),
        "alpha_highest": max(alphas.values()),
        "cr_lowest": min(cr),
        "cr_highest": max(cr),
        "ave_lowest": ave.min(),
        "loading_lowest": fitted.loadings.min(),
        "fornell_larcker": (np.sqrt(ave) - between).min(),
        "chi2_df": fitted.chi2 / fitted.df,
        "rmsea": np.sqrt(max(gain, 0) / (fitted.df * n)),
        "cfi": 1 - gain / gain0,
        "tli": 1 - (gain / fitted.df) / (gain0 / fitted.baseline_df),
        "nfi": 1 - fitted.chi2 / fitted.baseline_chi2,
    }


def pre_survey_figures(population: Population, *, seed: int | None = None) -> dict[str, Any]:
    """Return what the published rules leave of the pre-survey's 43 items, and the components of what is left.

    ``purified`` are the items that pass CITC, ``kept`` those that pass all
    rules; ``agreed`` is whether these are the intended ones however the rules are
    applied (all offenders of a round at once, or one at a time in two ways) and
    whether reverse-keyed items are recoded or not. ``factors``, ``variance`` (per cent),
    ``loading_lowest``, ``alpha_lowest`` and ``sixth`` (the next eigenvalue) describe
    the kept items; ``citc_margin`` is the distance of the closest CITC from .50.

    Raises
    ------
    InputError
        If ``population`` is no population.

    Examples
    --------
    >>> from cocreation.survey import population
    >>> figures = pre_survey_figures(population.load())
    >>> len(figures["purified"]), len(figures["kept"]), figures["factors"]
    (32, 21, 5)
    """
    data = valid_answers(population, "pre_survey", seed=seed)
    scales = population.scales()
    citc = _citc(data, scales)
    purified = [item for item in data.columns if citc[item] >= 0.50]
    kept = _explored(data, purified, "all")
    agreed = kept == population.kept() and kept == _explored(data, purified, "one") == _explored(
        data, purified, "worst"
    )
    if agreed:
        recoded = data.copy()
        backward = population.items.loc[population.items["flaw"] == "reverse_keyed", "item"]
        recoded[backward] = population.raw["scale"]["points"] + 1 - recoded[backward]
        again = _citc(recoded, scales)
        agreed = _explored(recoded, [item for item in data.columns if again[item] >= 0.50], "all") == kept
    values, loadings = _components(data, kept)
    left = {code: [item for item in items if item in kept] for code, items in scales.items()}
    alphas = [_alpha(data[items].to_numpy(dtype=float)) for items in left.values() if len(items) > 1]
    return {
        "purified": purified,
        "kept": kept,
        "agreed": agreed,
        "factors": loadings.shape[1],
        "variance": 100 * values[: loadings.shape[1]].sum() / len(kept),
        "loading_lowest": np.abs(loadings).max(axis=1).min(),
        "alpha_lowest": min(alphas),
        "sixth": values[loadings.shape[1]],
        "citc_margin": min(abs(value - 0.50) for value in citc.values()),
    }


def _citc(data: pd.DataFrame, scales: Mapping[str, list[str]]) -> dict[str, float]:
    found = {}
    for items in scales.values():
        citc = item_statistics(data[items].to_numpy(dtype=float)).citc
        found |= dict(zip(items, citc.tolist(), strict=True))
    return found


def _components(data: pd.DataFrame, items: list[str]) -> tuple[np.ndarray, np.ndarray]:
    r = moments.correlation(data[items].to_numpy(dtype=float))
    values = np.linalg.eigvalsh(r)[::-1]
    return values, varimax(factor.principal_components(r, int((values > 1).sum())))


def _explored(data: pd.DataFrame, items: list[str], how: str) -> list[str]:
    """Apply loading, cross-loading and communality rules until no item offends.

    ``how``: drop "all" offenders of a round, "one" (the worst against the first rule
    that anything offends), or the "worst" (over all rules together).
    """
    while True:
        _, loadings = _components(data, items)
        size = np.sort(np.abs(loadings), axis=1)
        cross = size[:, -2] if size.shape[1] > 1 else np.zeros(len(size))
        short = np.column_stack([0.50 - size[:, -1], cross - 0.40, 0.50 - (loadings**2).sum(axis=1)])
        offends = short > 0
        if not offends.any():
            return items
        if how == "all":
            dropped = offends.any(axis=1)
        elif how == "one":
            dropped = np.arange(len(items)) == short[:, offends.any(axis=0).argmax()].argmax()
        else:
            dropped = np.arange(len(items)) == np.clip(short, 0, None).sum(axis=1).argmax()
        items = [item for item, out in zip(items, dropped, strict=True) if not out]
        if len(items) < 3:
            return items


def shortfalls(figures: Mapping[str, Any], *, share: float = 1.0) -> list[str]:
    """Return the figures that lie farther from their aim than ``share`` of the tolerance.

    Raises
    ------
    InputError
        If ``figures`` is no mapping.

    Examples
    --------
    >>> shortfalls({"rmsea": 0.080, "cfi": 0.956})
    ['rmsea']
    """
    if not isinstance(figures, Mapping):
        raise InputError(f"Expected figures by name, got {type(figures).__name__}. Pass formal_figures(population).")
    return [
        name
        for name, (aim, tolerance) in AIMS.items()
        if name in figures and not abs(figures[name] - aim) <= share * tolerance
    ]


def calibrate(progress: Callable[[float, str], None] | None = None, *, path: str | Path | None = None) -> Calibration:
    """Find parameters and seeds that meet :data:`AIMS`; the same ones on every run.

    Parameters
    ----------
    progress : callable, optional
        Called with the share done (0 … 1) and what is being done.
    path : path, optional
        The population to calibrate; its present calibrated numbers are not
        used. The shipped one by default.

    Returns
    -------
    Calibration
        Not written anywhere: see :func:`save`.

    Raises
    ------
    EstimationError
        If no seed tried meets the aims: the population's fixed numbers then do
        not allow it.
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

    Raises
    ------
    CourseError
        If the file cannot be read.
    InputError
        If it has no part ``[calibrated]`` to replace.

    Examples
    --------
    >>> import shutil
    >>> import tempfile
    >>> from cocreation.survey import population
    >>> shipped = course_root() / "datasets" / "population.toml"
    >>> copy = shutil.copy(shipped, tempfile.mkdtemp())
    >>> save(population.load().calibrated, copy).read_bytes() == shipped.read_bytes()
    True
    """
    path = Path(path) if path is not None else course_root() / "datasets" / "population.toml"
    instance(calibrated, Calibrated, "calibrated", remedy="Pass calibrate().calibrated.")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise CourseError(f"The population could not be read from {path}: {problem}. Check the path.") from problem
    if _MARK not in text:
        raise InputError(f"{path} has no part [calibrated] to replace. Restore the shipped file.")
    loadings = "".join(f"{code} = {value:.4f}\n" for code, value in calibrated.loadings.items())
    seeds = "".join(f"{name} = {value}\n" for name, value in calibrated.seeds.items())
    tail = (
        f"{_MARK}theme_loading = {calibrated.theme_loading:.4f}\n\n"
        f"[calibrated.loadings]\n{loadings}\n[calibrated.seeds]\n{seeds}"
    )
    path.write_bytes((text[: text.index(_MARK)] + tail).encode())
    load.cache_clear()
    return path


def _raw(path: str | Path | None) -> dict[str, Any]:
    path = Path(path) if path is not None else course_root() / "datasets" / "population.toml"
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

    Examples
    --------
    >>> from cocreation.survey import population
    >>> world = population.load()
    >>> found = solve(world.raw, world.calibrated.seeds["formal_survey"], start=world.calibrated)
    >>> abs(found.theme_loading - world.calibrated.theme_loading) < 0.001
    True
    """
    codes = list(ALPHAS)

    def calibrated(v: np.ndarray) -> Calibrated:
        v = v.round(4)
        loadings = dict(zip(codes, v[: len(codes)].tolist(), strict=True))
        return Calibrated(loadings, float(v[-1]), {"pre_survey": seed, "formal_survey": seed})

    def residuals(v: np.ndarray) -> np.ndarray:
        figures = formal_figures(build(raw, calibrated(v)), seed=seed)
        wanted = {f"alpha_{code}": value for code, value in ALPHAS.items()} | {"rmsea": AIMS["rmsea"][0]}
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


def formal_survey_fits(figures: Mapping[str, Any]) -> bool:
    """Whether the figures are within half of their tolerance, and loadings and dimensions as the study has them.

    Examples
    --------
    >>> from cocreation.survey import population
    >>> formal_survey_fits(formal_figures(population.load()))
    True
    """
    short = shortfalls(figures, share=0.5)
    return bool(not short and figures["loading_lowest"] > 0.7 and figures["fornell_larcker"] > 0)


def pre_survey_fits(population: Population, figures: Mapping[str, Any]) -> bool:
    """Whether each kind of flaw is found by the rule it is made for, with a margin.

    Examples
    --------
    >>> from cocreation.survey import population
    >>> world = population.load()
    >>> pre_survey_fits(world, pre_survey_figures(world))
    True
    """
    instance(population, Population, "population", remedy="Use cocreation.survey.population.load().")
    expected = population.items["flaw"].isin(["", "low_communality", "cross_loading", "double_barrelled"])
    return bool(
        figures["agreed"]
        and figures["purified"] == population.items.loc[expected, "item"].tolist()
        and not shortfalls(figures, share=0.5)
        and figures["factors"] == len(population.dimensions)
        and figures["citc_margin"] > 0.01
        and figures["sixth"] < 0.9
        and figures["loading_lowest"] > 0.65
        and figures["alpha_lowest"] > 0.905
    )


def _hopeless(survey: str, tried: int) -> str:
    return (
        f"None of {tried} seeds gives a {survey} that meets the aims. The fixed numbers of population.toml (offsets, "
        "cuts, flaws) do not allow them; move those toward the shipped ones."
    )
