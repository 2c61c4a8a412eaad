"""The people behind the questionnaires: those who answer, and those who spoil them.

Every kind of respondent that screening looks for occurs in known numbers:
forms that never come back, skipped items, two ticks in one item, random
answers, a trap question overlooked, one and the same answer throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import EstimationError, InputError
from ..inputs.options import instance, whole
from . import sample
from ._spoiling import KINDS, as_returned, kinds_of, spoil
from .population import Population

__all__ = ["KINDS", "Survey", "follow_up", "formal_survey", "pre_survey", "spoil", "valid_answers"]

#: respondents drawn beyond the wanted number, in case one answers all items alike without meaning to
_SPARE = 40
#: if more than so many must be drawn for one who is wanted, the population is no use
_MOST = 10


@dataclass(frozen=True)
class Survey:
    """A survey and the truth about it.

    ``raw`` is the table as keyed in (answers are text), ``kind`` says what each
    questionnaire is ("genuine" or one of :data:`KINDS`), ``who`` holds the latent
    values, ``firms`` the firms, ``clean`` the answers before anything was spoiled.
    """

    raw: pd.DataFrame
    kind: pd.Series
    who: sample.Latent
    firms: pd.DataFrame
    clean: pd.DataFrame

    def valid(self) -> pd.DataFrame:
        """Return the clean answers of the genuine respondents.

        Returns
        -------
        DataFrame of int, shape (genuine respondents, columns)
        """
        return self.clean[self.kind == "genuine"]


def pre_survey(population: Population, *, seed: int | None = None) -> Survey:
    """Return the pre-survey: all items of the pool, spoiled as the population says.

    Parameters
    ----------
    population : Population
        What the respondents are drawn from.
    seed : int, optional
        That of the population by default.

    Returns
    -------
    Survey
        The table as keyed in, and the truth about it.

    Raises
    ------
    InputError
        If ``population`` is no population or has no such survey, or ``seed`` is no seed.
    EstimationError
        If the population is so uniform that too many answer all items alike.

    See Also
    --------
    formal_survey : The survey after.
    valid_answers : Its valid answers alone.
    spoil : How it is spoiled.
    cocreation.survey.datasets.load : The shipped one.

    Examples
    --------
    >>> from cocreation.survey import population
    >>> survey = pre_survey(population.load())
    >>> len(survey.raw), len(survey.valid())
    (223, 188)
    """
    seed = _seed(population, "pre_survey", seed)
    plan = population.raw["pre_survey"]
    items, n = population.items["item"].tolist(), plan["distributed"]
    who, clean = _attentive(population, n, seed=[seed, 1], items=items)
    scale = {"points": population.points, "straight": population.straight_lining()}
    right = population.raw["trap"]["right"]
    raw = spoil(clean, seed=[seed, 2], right=right, **scale, **plan.get("spoiled", {}))
    kind = raw.pop("kind")
    rng = np.random.default_rng([seed, 3])
    about = pd.DataFrame({"respondent": [f"P{k:03d}" for k in range(1, n + 1)]})
    about["returned"] = np.where(kind == "not_returned", "no", "yes")
    _shared_out(about, "channel", plan.get("channels"), rng)
    _shared_out(about, "role", population.raw.get("roles"), rng)
    about["seconds"] = _seconds(rng, kind, len(items))
    answers = _with_trap(raw, plan["trap_after"])
    return Survey(pd.concat([about, answers], axis=1), kind, who, about, clean)


def formal_survey(population: Population, *, seed: int | None = None) -> Survey:
    """Return the formal survey: the kept items and the outcomes, spoiled as the population says.

    Parameters
    ----------
    population : Population
        What the respondents are drawn from.
    seed : int, optional
        That of the population by default.

    Returns
    -------
    Survey
        The table as keyed in, and the truth about it.

    Raises
    ------
    InputError, EstimationError
        As :func:`pre_survey`.

    See Also
    --------
    pre_survey : The survey before.
    valid_answers : Its valid answers alone.
    follow_up : The second wave.
    spoil : How it is spoiled.
    cocreation.survey.datasets.load : The shipped one.

    Examples
    --------
    >>> from cocreation.survey import population
    >>> survey = formal_survey(population.load())
    >>> len(survey.raw), len(survey.valid())
    (700, 486)
    """
    seed = _seed(population, "formal_survey", seed)
    kind, firms, who, clean, rng = _formal(population, seed)
    n, plan, items = len(kind), population.raw["formal_survey"], population.kept()
    outcome = sample.outcomes(who, population, seed=[seed, 4])
    growth = outcome.pop("growth") if "growth" in outcome else None
    right = population.raw["trap"]["right"]
    both = pd.concat([clean, outcome], axis=1)
    raw = as_returned(
        both,
        kind.to_numpy(),
        np.random.default_rng([seed, 5]),
        items,
        "trap",
        right,
        population.points,
        population.straight_lining(),
    ).drop(columns="kind")
    about = pd.DataFrame({"respondent": [f"F{k:03d}" for k in range(1, n + 1)]})
    about["returned"] = np.where(kind == "not_returned", "no", "yes")
    _shared_out(about, "channel", plan.get("channels"), rng)
    _shared_out(about, "role", population.raw.get("roles"), rng)
    about = pd.concat([about, firms], axis=1)
    if "days" in plan:
        about["day"] = _for_returned(rng.integers(1, plan["days"] + 1, n), kind)
    about["seconds"] = _seconds(rng, kind, both.shape[1])
    answers = _with_trap(raw, plan["trap_after"])
    if growth is not None:
        answers["growth"] = [f"{v:.1f}" if k != "not_returned" else "" for v, k in zip(growth, kind, strict=True)]
    return Survey(pd.concat([about, answers], axis=1), kind, who, firms, clean)


def _formal(
    population: Population, seed: int
) -> tuple[pd.Series, pd.DataFrame, sample.Latent, pd.DataFrame, np.random.Generator]:
    """Return who answers the formal survey and how, before anything is spoiled."""
    plan = population.raw["formal_survey"]
    n, spoiled = plan["distributed"], plan.get("spoiled", {})
    rng = np.random.default_rng([seed, 2])
    kind = kinds_of(n, spoiled, rng)
    firms = _firms(plan.get("firms", {}), kind == "genuine", np.random.default_rng([seed, 3]))
    who, clean = _attentive(population, n, seed=[seed, 1], items=population.kept(), firms=firms)
    return pd.Series(kind, name="kind"), firms, who, clean, rng


def valid_answers(population: Population, survey: str, *, seed: int | None = None) -> pd.DataFrame:
    """Return the clean answers of a survey's genuine respondents, without making up the rest.

    Equals what is left of the survey after screening; the calibration draws it
    hundreds of times.

    Parameters
    ----------
    population : Population
        What the respondents are drawn from.
    survey : {"pre_survey", "formal_survey"}
        Which.
    seed : int, optional
        That of the population by default.

    Returns
    -------
    DataFrame of int, shape (valid respondents, items)

    Raises
    ------
    InputError
        If ``survey`` is neither "pre_survey" nor "formal_survey", ``population`` is no
        population or ``seed`` no seed.

    See Also
    --------
    pre_survey : The survey whole.
    formal_survey : The other.
    cocreation.survey.sample.draw : Any number of respondents.
    cocreation.steps.screen.screen : What leaves the same of a survey.

    Examples
    --------
    >>> from cocreation.survey import population
    >>> valid_answers(population.load(), "formal_survey").shape
    (486, 21)
    """
    if survey not in ("pre_survey", "formal_survey"):
        raise InputError(f"There is no survey '{survey}'. Choose 'pre_survey' or 'formal_survey'.")
    seed = _seed(population, survey, seed)
    if survey == "formal_survey":
        kind, _, _, clean, _ = _formal(population, seed)
    else:
        plan, items = population.raw[survey], population.items["item"].tolist()
        _, clean = _attentive(population, plan["distributed"], seed=[seed, 1], items=items)
        kind = kinds_of(len(clean), plan.get("spoiled", {}), np.random.default_rng([seed, 2]))
        kind = pd.Series(kind)
    return clean[kind == "genuine"]


def follow_up(population: Population, first: Survey, *, seed: int | None = None) -> pd.DataFrame:
    """Return the second wave: some of the valid respondents of the formal survey answer the kept items again.

    Parameters
    ----------
    population : Population
        What the respondents were drawn from.
    first : Survey
        The formal survey, as :func:`formal_survey` returns it.
    seed : int, optional
        That of the population by default.

    Returns
    -------
    DataFrame
        A row a respondent: who it is, the weeks since, the answers as whole numbers.

    Raises
    ------
    InputError
        If an argument is not what it should be.

    See Also
    --------
    formal_survey : The first wave.
    cocreation.survey.sample.wave : The latent values behind it.
    cocreation.steps.validate.retest : Compare the waves.

    Examples
    --------
    >>> from cocreation.survey import population
    >>> world = population.load()
    >>> follow_up(world, formal_survey(world)).shape
    (120, 23)
    """
    seed = _seed(population, "formal_survey", seed)
    instance(first, Survey, "first", remedy="Pass the first wave: formal_survey(population).")
    rng = np.random.default_rng([seed, 6])
    genuine = np.flatnonzero((first.kind == "genuine").to_numpy())
    plan = population.part("follow_up")
    chosen = np.sort(rng.choice(genuine, plan["respondents"], replace=False))
    later = sample.wave(first.who, population, seed=[seed, 7])
    answers = sample.answers(later, population, firms=first.firms, items=population.kept()).iloc[chosen]
    about = pd.DataFrame({"respondent": first.raw["respondent"].iloc[chosen]})
    if "weeks" in plan:
        soonest, latest = plan["weeks"]
        about["weeks"] = rng.integers(soonest, latest + 1, len(chosen))
    return pd.concat([about, answers], axis=1).reset_index(drop=True)


def _seed(population: Population, survey: str, seed: int | None) -> int:
    """Return the seed given, or the one the survey was calibrated with."""
    instance(population, Population, "population", remedy="Use cocreation.survey.population.load().")
    population.part(survey)
    if seed is None:
        return population.calibrated.seeds[survey]
    return whole(seed, "seed", least=0, remedy="Write seed=1, or leave it out for the shipped survey.")


def _attentive(
    population: Population, n: int, *, seed: Iterable[int], items: list[str], firms: pd.DataFrame | None = None
) -> tuple[sample.Latent, pd.DataFrame]:
    """Draw n respondents; whoever by chance answers all items alike gives way to a spare one."""
    drawn = sample.latent(n + _SPARE, seed=seed, population=population)
    rows, spare = np.arange(n), n
    while True:
        who = drawn.rows(rows)
        clean = sample.answers(who, population, firms=firms, items=items)
        alike = np.flatnonzero(clean.nunique(axis=1).to_numpy() == 1)
        if not len(alike) or len(items) == 1:
            return who, clean
        if spare + len(alike) > _MOST * n + _SPARE:
            raise EstimationError(
                "Too many respondents answer all items alike: the population's loadings are close to 1 or its cuts lie "
                "far out. Lower the loadings or move the cuts."
            )
        if spare + len(alike) > len(drawn.method):
            # the first of a longer draw are the same, so that nobody changes but by being replaced
            drawn = sample.latent(2 * len(drawn.method) + len(alike), seed=seed, population=population)
        rows[alike] = np.arange(spare, spare + len(alike))
        spare += len(alike)


def _shared_out(about: pd.DataFrame, column: str, shares: Mapping[str, float] | None, rng: np.random.Generator) -> None:
    """Draw a column by the shares of its categories; without shares the study does not ask."""
    if shares:
        about[column] = rng.choice(list(shares), len(about), p=list(shares.values()))


def _firms(counts: dict[str, dict[str, int]], valid: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Return firms whose valid part has exactly the given counts; the others follow the same proportions."""
    firms = {}
    for column, categories in counts.items():
        names, numbers = list(categories), np.array(list(categories.values()))
        values = np.empty(len(valid), dtype=object)
        values[valid] = rng.permutation(np.repeat(names, numbers))
        values[~valid] = rng.choice(names, int((~valid).sum()), p=numbers / numbers.sum())
        firms[column] = values
    return pd.DataFrame(firms, index=pd.RangeIndex(len(valid)))


def _seconds(rng: np.random.Generator, kind: pd.Series, questions: int) -> list[str]:
    """Return the time to complete, some seven seconds a question; who does not read is faster."""
    pace = np.exp(0.35 * sample.normal(rng, (len(kind),)))
    hasty = kind.isin(["careless", "straight_lining"]).to_numpy()
    seconds = np.round(np.round(questions * np.where(hasty, 2.2, 7.0) * pace, 6)).astype(int)
    return _for_returned(seconds, kind)


def _for_returned(values: np.ndarray, kind: pd.Series) -> list[str]:
    return [str(value) if k != "not_returned" else "" for value, k in zip(values, kind, strict=True)]


def _with_trap(raw: pd.DataFrame, after: str) -> pd.DataFrame:
    columns = [column for column in raw.columns if column != "trap"]
    columns.insert(columns.index(after) + 1, "trap")
    return raw[columns]
