"""What the samples must show for the twin to be the published study's, and what they do show.

The aims stand in the study's ``published.toml``; the figures come from :mod:`cocreation.core` alone: the course's
own steps are then applied to the data as to anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..core import factor, moments
from ..core.reliability import alpha_from_covariance, item_statistics
from ..core.rotation import varimax
from ..core.sem import ml
from ..errors import CourseError, InputError
from ..inputs.options import instance
from .population import Population, load
from .respondents import valid_answers
from .study import OnDemand, published

__all__ = [
    "AIMS",
    "ALPHAS",
    "formal_figures",
    "formal_survey_fits",
    "pre_survey_figures",
    "pre_survey_fits",
    "shortfalls",
    "wanted_alphas",
]

#: the figures of the samples that can be aimed at, if the study prints them and they can be met together
_AIMED_AT = ("rmsea", "cfi", "tli", "alpha_lowest", "alpha_highest", "cr_lowest", "cr_highest", "variance")


def _aims() -> dict[str, tuple[float, float]]:
    printed = {figure["id"]: figure for figure in published()["figures"] if figure["kind"] == "estimate"}
    return {
        name: (float(printed[name]["value"]), float(printed[name]["tolerance"]))
        for name in _AIMED_AT
        if name in printed and printed[name].get("together", True)
    }


#: what the samples must show, of the study at hand: figure -> (value, tolerance). A calibrated figure
#: must come within half of it, so that rounding the parameters cannot push it out.
AIMS = OnDemand(_aims)


def wanted_alphas(raw: Mapping[str, Any]) -> dict[str, float]:
    """Return the alpha each dimension is to have.

    Those that stand in ``[aims.alphas]`` of the population; else evenly from the smallest to the
    largest of the published ones, in the order of the dimensions.

    Parameters
    ----------
    raw : mapping
        ``population.toml`` as read.

    Returns
    -------
    dict
        Dimension to alpha.

    Raises
    ------
    CourseError
        If neither the population nor ``published.toml`` has alphas.

    See Also
    --------
    cocreation.survey.aims.formal_figures : The alphas reached.
    cocreation.survey.calibrate.solve : Find the loadings that give them.

    Examples
    --------
    >>> from cocreation.survey import population
    >>> wanted_alphas(population.load().raw)["DO"]
    0.936
    """
    if "alphas" in raw.get("aims", {}):
        return dict(raw["aims"]["alphas"])
    if "dimensions" not in raw:
        raise CourseError("The population lacks the entry 'dimensions'. Compare with population.toml.")
    codes = [dimension["code"] for dimension in raw["dimensions"]]
    aims = dict(AIMS)
    if not {"alpha_lowest", "alpha_highest"} <= set(aims):
        raise CourseError(
            "There are no alphas to aim at. Write [aims.alphas] in population.toml, or alpha_lowest and alpha_highest "
            "in published.toml."
        )
    between = np.linspace(aims["alpha_lowest"][0], aims["alpha_highest"][0], len(codes))
    return dict(zip(codes, between.round(4).tolist(), strict=True))


#: the alphas aimed at, of the study at hand: the ends of the published range, and those between
ALPHAS = OnDemand(lambda: wanted_alphas(load().raw))


def _alpha(x: np.ndarray) -> float:
    return alpha_from_covariance(moments.covariance(x))


def formal_figures(population: Population, *, seed: int | None = None) -> dict[str, float]:
    """Return alphas, fit, CR, AVE and discriminant validity of the formal survey's valid respondents.

    Fit in lavaan's convention (N, not N − 1); CR and AVE from standardized
    loadings. ``fornell_larcker`` is the smallest difference between the root of
    a dimension's AVE and its largest correlation with another.

    Parameters
    ----------
    population : Population
        Whose sample to compute them of.
    seed : int, optional
        That of the population by default.

    Returns
    -------
    dict
        Figure to value.

    Raises
    ------
    InputError
        If ``population`` is no population.
    EstimationError
        If the model cannot be fitted to its sample.

    See Also
    --------
    cocreation.survey.aims.formal_survey_fits : Whether they are as aimed at.
    cocreation.survey.aims.shortfalls : Which are not.
    cocreation.survey.aims.pre_survey_figures : Those of the other survey.
    cocreation.survey.calibrate.calibrate : Find a population that has them.

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
    """Return what the published rules leave of the pre-survey's items, and the components of what is left.

    ``purified`` are the items that pass CITC, ``kept`` those that pass all
    rules; ``agreed`` is whether these are the intended ones however the rules are
    applied (all offenders of a round at once, or one at a time in two ways) and
    whether reverse-keyed items are recoded or not. ``factors``, ``variance`` (per cent),
    ``loading_lowest``, ``alpha_lowest`` and ``sixth`` (the next eigenvalue; 0 if there is none) describe
    the kept items; ``citc_margin`` is the distance of the closest CITC from .50.

    Parameters
    ----------
    population : Population
        Whose sample to compute them of.
    seed : int, optional
        That of the population by default.

    Returns
    -------
    dict
        Name to value.

    Raises
    ------
    InputError
        If ``population`` is no population.

    See Also
    --------
    cocreation.survey.aims.pre_survey_fits : Whether they are as aimed at.
    cocreation.survey.aims.formal_figures : Those of the other survey.
    cocreation.survey.calibrate.calibrate : Find a population that has them.

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
        recoded[backward] = population.turned(recoded[backward])
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
        "sixth": values[loadings.shape[1]] if len(values) > loadings.shape[1] else 0.0,
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

    Parameters
    ----------
    figures : mapping
        As :func:`~cocreation.survey.aims.formal_figures` returns them, or some of them.
    share : float
        Of the tolerance.

    Returns
    -------
    list of str
        Empty where all are as aimed at.

    Raises
    ------
    InputError
        If ``figures`` is no mapping.

    See Also
    --------
    cocreation.survey.aims.formal_figures : The figures.
    cocreation.survey.aims.formal_survey_fits : Whether all are as aimed at.

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


def formal_survey_fits(figures: Mapping[str, Any]) -> bool:
    """Whether the figures are within half of their tolerance, and loadings and dimensions as the study has them.

    Parameters
    ----------
    figures : mapping
        As :func:`~cocreation.survey.aims.formal_figures` returns them.

    Returns
    -------
    bool

    See Also
    --------
    cocreation.survey.aims.formal_figures : The figures.
    cocreation.survey.aims.shortfalls : Which are not as aimed at.
    cocreation.survey.aims.pre_survey_fits : The same of the other survey.

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

    Parameters
    ----------
    population : Population
        What the sample was drawn from.
    figures : mapping
        As :func:`~cocreation.survey.aims.pre_survey_figures` returns them.

    Returns
    -------
    bool

    See Also
    --------
    cocreation.survey.aims.pre_survey_figures : The figures.
    cocreation.survey.aims.formal_survey_fits : The same of the other survey.

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
