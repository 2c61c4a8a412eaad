"""Draw answers from the population: the same seed gives the same answers on every machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..errors import InputError, plain
from ..inputs.labels import refuse_alike
from ..inputs.options import generator, instance, names_of, plain_table, whole
from .population import Population, load

__all__ = ["Latent", "answers", "draw", "latent", "normal", "outcomes", "wave"]

#: Latent values are rounded before they are cut, so that the last bit of a
#: sum, which differs between processors, never decides about an answer.
_DECIMALS = 9


@dataclass(frozen=True)
class Latent:
    """What no questionnaire shows: everything that makes up the answers of n respondents.

    ``dimensions``, ``themes`` and ``unique`` have a column a dimension, theme and item,
    ``method`` has one; all are standard normal, and the dimensions correlate.
    """

    dimensions: np.ndarray
    themes: np.ndarray
    method: np.ndarray
    unique: np.ndarray

    def rows(self, which: np.ndarray) -> Latent:
        """Return the chosen respondents.

        Parameters
        ----------
        which : array of int or bool
            Their row numbers, or a mark for each.

        Returns
        -------
        Latent
        """
        return Latent(self.dimensions[which], self.themes[which], self.method[which], self.unique[which])


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return standard normal values by inverting uniform ones.

    NumPy promises the stream of uniform values, not that of its normal ones;
    half a step is added so that no value is 0.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the uniform values come from.
    shape : tuple of int
        How many.

    Returns
    -------
    ndarray of that shape

    See Also
    --------
    latent : Respondents made of such values.

    Examples
    --------
    >>> normal(np.random.default_rng(1), (2,)).round(3)
    array([0.03 , 1.649])
    """
    return ndtri(rng.random(shape) + 2.0**-54)


def latent(n: int, *, seed: int | Iterable[int], population: Population) -> Latent:
    """Draw n respondents; the first k of a longer draw equal a draw of k.

    Parameters
    ----------
    n : int
        Number of respondents.
    seed : int or iterable of int
        The same seed gives the same respondents, on any machine.
    population : Population
        What they are drawn from.

    Returns
    -------
    Latent
        Arrays of n rows.

    Raises
    ------
    InputError
        If n is not positive, the seed is no seed, or ``population`` is no population.

    See Also
    --------
    answers : What they answer.
    wave : The same respondents later.
    outcomes : What depends on the dimensions.
    draw : Respondents and answers in one.

    Examples
    --------
    >>> latent(3, seed=1, population=load()).dimensions.shape
    (3, 5)
    """
    whole(n, "n", remedy="Ask for at least one respondent.")
    instance(population, Population, "population", remedy="Use cocreation.survey.population.load().")
    widths = [len(population.dimensions), len(population.themes), 1, len(population.items)]
    z = normal(generator(seed), (n, sum(widths)))
    general, themes, method, unique = np.split(z, np.cumsum(widths)[:-1], axis=1)
    root = np.linalg.cholesky(population.correlations.to_numpy())
    return Latent(general @ root.T, themes, method, unique)


def answers(
    who: Latent, population: Population, *, firms: pd.DataFrame | None = None, items: Iterable[str] | None = None
) -> pd.DataFrame:
    """Return the answers of respondents, on the population's scale.

    Parameters
    ----------
    who : Latent
        The respondents.
    population : Population
        The items they answer.
    firms : DataFrame, optional
        Columns such as ``size`` whose values shift dimensions and items as the
        population says.
    items : iterable of str, optional
        All items by default.

    Returns
    -------
    DataFrame of int64, shape (respondents, items)

    Raises
    ------
    InputError
        For an unknown item, or firms that are not as many as the respondents or
        lack a column that matters.

    See Also
    --------
    draw : Respondents and answers in one.
    latent : Draw respondents.
    outcomes : Their answers to the outcomes.
    wave : The same respondents later.

    Examples
    --------
    >>> world = load()
    >>> who = latent(3, seed=1, population=world)
    >>> answers(who, world, items=["DO01", "DO02"])
       DO01  DO02
    0     5     4
    1     6     7
    2     3     4
    """
    _expect(who, population)
    table = population.items
    position = {code: k for k, code in enumerate(population.dimensions["dimension"])}
    place = {theme: k for k, theme in enumerate(population.themes["theme"])}
    general, shift = _differences(who.dimensions, table["item"], population, firms)
    mixture = (
        general[:, table["dimension"].map(position)] * table["loading"].to_numpy()
        + who.themes[:, table["theme"].map(place)] * table["theme_loading"].to_numpy()
        + who.method * table["method"].to_numpy()
        + who.unique * table["unique"].to_numpy()
        + table["location"].to_numpy()
        + shift
    )
    crossed = np.flatnonzero(table["cross"].to_numpy() != "")
    other = table["cross"].iloc[crossed].map(position)
    mixture[:, crossed] += general[:, other] * table["cross_loading"].to_numpy()[crossed]
    chosen = _chosen(table["item"], items)
    return pd.DataFrame(_cut(mixture, population), columns=table["item"].tolist())[chosen]


def draw(
    n: int, *, seed: int, population: Population | None = None, items: Iterable[str] | None = None
) -> pd.DataFrame:
    """Draw the clean answers of n respondents.

    Parameters
    ----------
    n : int
        Number of respondents.
    seed : int
        The same seed gives the same answers, on any machine.
    population : Population, optional
        That of the study at hand by default.
    items : iterable of str, optional
        The items to answer; an item's answers do not depend on which others
        are asked.

    Returns
    -------
    DataFrame of int64 from the lowest to the highest point of the scale, shape (n, items)

    Raises
    ------
    InputError
        If n is not positive or an item is unknown.

    See Also
    --------
    latent : What lies behind the answers.
    answers : Answers of respondents drawn before.
    cocreation.survey.respondents.spoil : Spoil some of them.
    cocreation.survey.population.load : What they are drawn from.

    Examples
    --------
    >>> draw(3, seed=1, items=["DO01", "DO02", "CE01"])
       DO01  DO02  CE01
    0     5     4     6
    1     6     7     6
    2     3     4     3
    """
    population = load() if population is None else population
    instance(population, Population, "population", remedy="Use cocreation.survey.population.load().")
    chosen = _chosen(population.items["item"], items)
    return answers(latent(n, seed=seed, population=population), population, items=chosen)


def outcomes(who: Latent, population: Population, *, seed: int | Iterable[int]) -> pd.DataFrame:
    """Return outcome items (on the population's scale) and ``growth`` (from the books) of respondents.

    Of a population without outcomes or growth there is none.

    Parameters
    ----------
    who : Latent
        The respondents, as :func:`latent` draws them.
    population : Population
        What they were drawn from.
    seed : int or iterable of int
        The same seed gives the same values, on any machine.

    Returns
    -------
    DataFrame, shape (respondents, outcome items and ``growth``)
        Items as whole numbers on the scale, ``growth`` rounded to one decimal.

    Raises
    ------
    InputError
        If an argument is not what it should be, or the weights of an outcome
        explain more than the whole of it.

    See Also
    --------
    answers : Their answers to the items.
    latent : Draw respondents.
    wave : The same respondents later.
    cocreation.steps.validate.nomological : What outcomes are for.

    Examples
    --------
    >>> world = load()
    >>> who = latent(3, seed=1, population=world)
    >>> outcomes(who, world, seed=2).columns.tolist()
    ['INN1', 'INN2', 'INN3', 'SAT1', 'SAT2', 'SAT3', 'PER1', 'PER2', 'PER3', 'MAR1', 'MAR2', 'MAR3', 'growth']
    """
    _expect(who, population)
    rng = generator(seed)
    known = {code: who.dimensions[:, k] for k, code in enumerate(population.dimensions["dimension"])}
    codes = list(known)
    relation = population.correlations.to_numpy()
    columns: dict[str, np.ndarray] = {}
    # covariance of every latent variable so far with the dimensions, to keep each outcome at variance 1
    weights_of = {code: np.eye(len(codes))[k] for k, code in enumerate(codes)}
    noise_of: dict[str, dict[str, float]] = {code: {} for code in codes}
    table = population.outcomes
    books = population.raw.get("growth")
    entries = [*population.raw.get("outcomes", []), *([{"code": "growth", **books}] if books else [])]
    for entry in entries:
        code = entry["code"]
        reach = sum((w * weights_of[name] for name, w in entry["weights"].items()), np.zeros(len(codes)))
        noise: dict[str, float] = {}
        for name, w in entry["weights"].items():
            for source, amount in noise_of[name].items():
                noise[source] = noise.get(source, 0.0) + w * amount
        explained = reach @ relation @ reach + sum(amount**2 for amount in noise.values())
        if explained > 1:
            raise InputError(
                f"The weights of the outcome '{code}' explain {explained:.3f} of its variance of 1. Lower one in "
                "population.toml."
            )
        own = np.sqrt(1 - explained)
        z = normal(rng, (len(who.method), 1 + len(entry.get("loadings", []))))
        known[code] = sum((w * known[name] for name, w in entry["weights"].items()), 0.0) + own * z[:, 0]
        weights_of[code], noise_of[code] = reach, {**noise, code: own}
        for k, row in enumerate(table[table["outcome"] == code].itertuples(), start=1):
            rest = np.sqrt(1 - row.loading**2 - row.method**2)
            mixture = row.loading * known[code] + row.method * who.method[:, 0] + rest * z[:, k]
            columns[row.item] = _cut(mixture[:, None], population)[:, 0]
    if books:
        columns["growth"] = np.round(np.round(books["mean"] + books["spread"] * known["growth"], _DECIMALS), 1) + 0.0
    return pd.DataFrame(columns, index=pd.RangeIndex(len(who.method)))


def wave(who: Latent, population: Population, *, seed: int | Iterable[int]) -> Latent:
    """Return the same respondents at the second wave: part of each latent value has changed.

    Parameters
    ----------
    who : Latent
        The respondents, as :func:`latent` draws them.
    population : Population
        What they were drawn from.
    seed : int or iterable of int
        The same seed gives the same values, on any machine.

    Returns
    -------
    Latent
        A row a respondent, in the order of ``who``.

    Raises
    ------
    InputError
        If an argument is not what it should be.

    See Also
    --------
    latent : Draw respondents.
    answers : What they answer.
    cocreation.survey.respondents.follow_up : The shipped second wave.
    cocreation.steps.validate.retest : What it is for.

    Examples
    --------
    >>> world = load()
    >>> who = latent(3, seed=1, population=world)
    >>> later = wave(who, world, seed=2)
    >>> bool((later.dimensions != who.dimensions).all())
    True
    """
    _expect(who, population)
    rules = population.part("follow_up")
    new = latent(len(who.method), seed=seed, population=population)

    def moved(part: str, stable: float) -> np.ndarray:
        return stable * getattr(who, part) + np.sqrt(1 - stable**2) * getattr(new, part)

    return replace(
        who,
        dimensions=moved("dimensions", rules["stable_dimension"]),
        themes=moved("themes", rules["stable_theme"]),
        method=moved("method", rules["stable_method"]),
        unique=moved("unique", rules["stable_unique"]),
    )


def _expect(who: Latent, population: Population) -> None:
    instance(who, Latent, "who", remedy="Draw respondents by latent(n, seed=…, population=…).")
    instance(population, Population, "population", remedy="Use cocreation.survey.population.load().")


def _cut(mixture: np.ndarray, population: Population) -> np.ndarray:
    rounded = np.round(mixture, _DECIMALS)
    category = np.full(rounded.shape, population.points[0], dtype=np.int64)
    for cut in population.cuts:
        category += rounded > cut
    return category


def _differences(
    general: np.ndarray, items: pd.Series, population: Population, firms: pd.DataFrame | None
) -> tuple[np.ndarray, np.ndarray]:
    shift = np.zeros((len(general), len(items)))
    if firms is None:
        return general, shift
    groups = population.raw.get("groups", [])
    plain_table(firms, dict.fromkeys(group["column"] for group in groups), what="firms")
    if len(firms) != len(general):
        raise InputError(f"There are {len(general)} respondents and {len(firms)} firms. Give each respondent one firm.")
    general = general.copy()
    for group in groups:
        column = group["column"]
        merge = f"firms[{plain(column)}] = merge_alike(firms[{plain(column)}], like=[{plain(group['value'])}])"
        refuse_alike([group["value"], *firms[column]], "labels", merge, where=f"of the column '{column}'")
        member = (firms[column] == group["value"]).to_numpy()
        for code, amount in group.get("dimensions", {}).items():
            general[member, population.dimensions["dimension"].tolist().index(code)] += amount
        for item, amount in group.get("items", {}).items():
            shift[member, items.tolist().index(item)] += amount
    return general, shift


def _chosen(known: pd.Series, items: Iterable[str] | None) -> list[str]:
    if items is None:
        return known.tolist()
    chosen = names_of(items)
    unknown = [name for name in chosen if name not in set(known)]
    if unknown:
        raise InputError(
            f"The population has no item '{unknown[0]}'. Items are {known.iloc[0]} … {known.iloc[-1]}; "
            "see cocreation.survey.population.load().items."
        )
    return chosen
