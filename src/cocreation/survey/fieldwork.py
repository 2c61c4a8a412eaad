"""The fieldwork before the survey: interviews with their coding, the item pool, the expert panel.

All three are drawn from a study's ``fieldwork.toml`` (of the course's own,
everything is invented) and the items of the ``population.toml`` beside it, by
the seeds that stand in the former: the same files give the same tables on every
machine. A file that does not go with the other is refused before anything is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from .._paths import restoring
from ..errors import CourseError
from . import fieldwork_plan, population, study

__all__ = ["CODEBOOKS", "NONE", "expert_sorts", "interviews", "item_pool", "rules"]

#: where a sorter puts an item that fits no dimension
NONE = fieldwork_plan.NONE
#: words for how many rows an item has in the panel's table
_WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


def _plan() -> dict[str, Any]:
    """Return the plan of the study at hand, which goes with its population."""
    path = study.find("fieldwork.toml")
    if not path.exists():
        raise CourseError(f"The plan of the fieldwork is missing ({path}). {restoring(path)}")
    plan = study.facts(path, remedy=restoring(path))
    fieldwork_plan.check_fieldwork(plan, population.load(), path)
    return plan


def rules() -> dict[str, Any]:
    """Return what the panel's votes must show for an item to stay.

    Returns
    -------
    dict
        ``agree`` (sorters who must put it to its dimension), ``ratings`` (the lowest and the highest), ``relevant``
        (the lowest that says an item is relevant), ``raters`` (how many must say so).

    Raises
    ------
    CourseError
        If the study has no fieldwork, or its files do not go together.

    See Also
    --------
    expert_sorts : The votes.
    cocreation.steps.judge.judge : Apply them.

    Examples
    --------
    >>> rules()
    {'agree': 2, 'ratings': (1, 4), 'relevant': 3, 'raters': 2}
    """
    panel = _plan()["panel"]
    ratings, relevant = fieldwork_plan.relevant_ratings(panel)
    return {
        **{"agree": panel["agree"], "ratings": (ratings[0], ratings[-1]), "relevant": relevant[0]},
        "raters": panel.get("raters", 2),
    }


def interviews() -> pd.DataFrame:
    """Return the coded excerpts of the interviews, one row an excerpt.

    Returns
    -------
    DataFrame
        ``excerpt``, ``interview``, ``firm``, ``industry``, ``role``,
        ``minutes`` (of the whole interview), ``text``, ``coder_a``,
        ``coder_b``, ``theme`` (agreed after discussion), ``dimension``.

    Raises
    ------
    CourseError
        If the study has no fieldwork, or its files do not go together.

    See Also
    --------
    item_pool : The items written from them.
    cocreation.steps.conceptualize.agreement : Compare the coders.
    cocreation.steps.conceptualize.saturation : Count the themes.

    Examples
    --------
    >>> talks = interviews()
    >>> talks["interview"].nunique(), talks["theme"].nunique()
    (45, 14)
    """
    plan = _plan()
    rng = np.random.default_rng(plan["interviews"]["seed"])
    people = [
        {"firm": firm["name"], "industry": firm["industry"], "role": role}
        for firm in plan["firms"]
        for role, n in plan["roles"].items()
        for _ in range(n)
    ]
    minutes = _minutes(rng, len(people), plan["interviews"])
    words = {firm["name"]: _words(firm) for firm in plan["firms"]}
    left = {
        (firm["name"], role, name): len(theme[role])
        for firm in plan["firms"]
        for role in plan["roles"]
        for name, theme in plan["themes"].items()
    }
    rows = []
    for number, (person, duration) in enumerate(zip(people, minutes, strict=True), start=1):
        for theme in _themes_of(rng, person, left, plan):
            wordings = plan["themes"][theme][person["role"]]
            text = wordings[len(wordings) - left[person["firm"], person["role"], theme]].format(**words[person["firm"]])
            left[person["firm"], person["role"], theme] -= 1
            rows.append(
                {"interview": f"I{number:02d}", **person, "minutes": int(duration), "text": text, "theme": theme}
            )
    table = pd.DataFrame(rows)
    table.insert(0, "excerpt", [f"X{i:03d}" for i in range(1, len(table) + 1)])
    table["coder_a"], table["coder_b"] = _coded(rng, table["theme"].tolist(), plan)
    themes = population.load().themes.set_index("theme")["dimension"]
    table["dimension"] = table["theme"].map(themes)
    columns = ["excerpt", "interview", "firm", "industry", "role", "minutes", "text"]
    return table[[*columns, "coder_a", "coder_b", "theme", "dimension"]]


def _minutes(rng: np.random.Generator, n: int, plan: dict[str, Any]) -> np.ndarray:
    """Draw durations whose mean is the published one, to the minute."""
    drawn = np.rint(rng.normal(plan["mean_minutes"], plan["sd_minutes"], n))
    minutes = np.clip(drawn, *_minutes_allowed(plan)).astype(int)
    surplus = int(minutes.sum()) - n * plan["mean_minutes"]
    for place in rng.permutation(n)[np.arange(abs(surplus)) % n]:
        minutes[place] -= np.sign(surplus)
    return minutes


def _minutes_allowed(plan: dict[str, Any]) -> tuple[int, int]:
    shortest, longest = plan.get("minutes", (1, 24 * 60))
    return shortest, longest


def _words(firm: dict[str, str]) -> dict[str, str]:
    """Add the words that stand at the start of a sentence."""
    start = {f"{key}_start": firm[key][0].upper() + firm[key][1:] for key in firm}
    return {**firm, **start}


def _themes_of(
    rng: np.random.Generator, person: dict[str, str], left: dict[tuple[str, str, str], int], plan: dict[str, Any]
) -> list[str]:
    """Draw what one interviewee speaks of: no theme twice, no wording twice in a firm."""
    few, many = plan["interviews"]["excerpts"]
    free = [theme for theme in plan["themes"] if left[person["firm"], person["role"], theme]]
    weight = np.array([plan["themes"][theme]["weight"][person["role"]] for theme in free], dtype=float)
    n = min(int(rng.integers(few, many + 1)), len(free))
    return [free[i] for i in rng.choice(len(free), size=n, replace=False, p=weight / weight.sum())]


def _coded(rng: np.random.Generator, themes: list[str], plan: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Let each coder now and then take a neighbouring theme, never both the same wrong one."""
    coded: tuple[list[str], list[str]] = ([], [])
    for theme in themes:
        neighbours = rng.permutation(plan["themes"][theme]["confused_with"])
        slips = rng.random(2) < plan["interviews"]["slip"]
        for coder in range(2):
            coded[coder].append(str(neighbours[coder]) if slips[coder] else theme)
    return coded


def item_pool() -> pd.DataFrame:
    """Return the items as they went to the panel: those it kept and those it turned away.

    Returns
    -------
    DataFrame
        ``item``, ``dimension``, ``theme``, ``wording``, ``shown`` (the place in
        which the panel saw it, at random so that neighbours give no hint).

    Raises
    ------
    CourseError
        If the study has no fieldwork, or its files do not go together.

    See Also
    --------
    interviews : What they were written from.
    expert_sorts : What the panel made of them.
    cocreation.steps.generate.wording : Check the wordings.
    cocreation.steps.generate.coverage : Check the spread.

    Examples
    --------
    >>> item_pool().shape
    (60, 5)
    """
    plan = _plan()
    truth = population.load()
    owner = truth.themes.set_index("theme")["dimension"]
    rejected = pd.DataFrame(plan.get("rejected", []), columns=["item", "theme", "wording"])
    rejected.insert(1, "dimension", rejected["theme"].map(owner))
    pool = pd.concat([truth.items[["item", "dimension", "theme", "wording"]], rejected], ignore_index=True)
    codes = truth.dimensions["dimension"].tolist()
    pool = pool.sort_values("item", kind="stable").sort_values(
        "dimension", key=lambda c: c.map(codes.index), kind="stable"
    )
    pool["shown"] = np.random.default_rng(plan["panel"]["seed"]).permutation(len(pool)) + 1
    return pool.reset_index(drop=True)


def expert_sorts() -> pd.DataFrame:
    """Return what the experts did with every item of the pool, one row an item and expert.

    Returns
    -------
    DataFrame
        ``item``, ``expert``, ``role``, ``group`` ("sorting" or "rating"),
        ``sorted_to`` (a dimension or "none"; sorting group only),
        ``relevance`` (rating group only).

    Raises
    ------
    CourseError
        If the study has no fieldwork, or its files do not go together.

    See Also
    --------
    item_pool : The items they judged.
    rules : What their votes must show.
    cocreation.steps.judge.sorting : Evaluate the sorts.
    cocreation.steps.judge.relevance : Evaluate the ratings.

    Examples
    --------
    >>> expert_sorts().groupby("group")["expert"].nunique().to_dict()
    {'rating': 3, 'sorting': 3}
    """
    plan = _plan()
    rng = np.random.default_rng(plan["panel"]["seed"])
    truth = population.load().items.set_index("item")
    decided = {item["item"]: (item["sorted"], item["relevance"]) for item in plan.get("rejected", [])}
    rows = []
    for item in item_pool()["item"]:
        sorted_to, relevance = decided[item] if item in decided else _votes(rng, truth.loc[item], plan)
        rows.extend(_expert_rows(item, sorted_to, relevance, plan))
    table = pd.DataFrame(rows, columns=["item", "expert", "role", "group", "sorted_to", "relevance"])
    table["relevance"] = table["relevance"].astype("Int64")
    return table


def _votes(rng: np.random.Generator, item: pd.Series, plan: dict[str, Any]) -> tuple[list[str], list[int]]:
    """Draw the votes on an item that survives: at most one sorter and one rater have doubts."""
    flaw = "" if pd.isna(item["flaw"]) else item["flaw"]
    doubt = plan["panel"]["doubts"][flaw or "without"]
    bins = [code for code in population.load().dimensions["dimension"] if code != item["dimension"]] or [NONE]
    other = item["cross"] if isinstance(item["cross"], str) and item["cross"] else bins[int(rng.integers(len(bins)))]
    _, relevant = fieldwork_plan.relevant_ratings(plan["panel"])
    sorters, raters = (sum(e["group"] == group for e in plan["experts"]) for group in ("sorting", "rating"))
    sorted_to = [item["dimension"]] * sorters
    relevance = [int(value) for value in rng.choice(list(relevant), size=raters, p=doubt["three_or_four"])]
    if rng.random() < doubt["sorting"]:
        sorted_to[int(rng.integers(sorters))] = NONE if doubt["fits_nowhere"] else other
    if rng.random() < doubt["rating"]:
        relevance[int(rng.integers(raters))] = relevant[0] - 1
    return sorted_to, relevance


def _expert_rows(item: str, sorted_to: list[str], relevance: list[int], plan: dict[str, Any]) -> Iterator[tuple]:
    votes = {"sorting": iter(sorted_to), "rating": iter(relevance)}
    for expert in plan["experts"]:
        vote = next(votes[expert["group"]])
        sorting = expert["group"] == "sorting"
        yield (
            item,
            expert["expert"],
            expert["role"],
            expert["group"],
            vote if sorting else None,
            None if sorting else vote,
        )


def _codebook(name: str, *rows: tuple[str, str, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["column", "type", "values", "meaning"])
    low, high = population.load().points
    for column, meaning in _plan().get("codebook", {}).get(name, {}).items():
        told = meaning.replace("{lowest}", str(low)).replace("{highest}", str(high))
        table.loc[table["column"] == column, "meaning"] = told
    return table


def _listed(names: Iterable[str]) -> str:
    """Return names once each, three or more that are numbered on end as a range: "P1, P2, D1–D4"."""
    families: dict[str, list[tuple[str, int | None]]] = {}
    for name in dict.fromkeys(names):
        stem, digits = re.fullmatch(r"(.*?)([1-9]\d*)?", name, re.DOTALL | re.ASCII).groups()
        families.setdefault(stem, []).append((name, int(digits) if digits else None))
    told = []
    for members in families.values():
        numbered = sorted((number, name) for name, number in members if number is not None)
        told += [name for name, number in members if number is None]
        for _, run in groupby(enumerate(numbered), key=lambda pair: pair[1][0] - pair[0]):
            run = [name for _, (_, name) in run]
            told += [f"{run[0]}–{run[-1]}"] if len(run) > 2 else run
    return ", ".join(told)


def _interviews_book() -> pd.DataFrame:
    plan, world = _plan(), population.load()
    people = len(plan["firms"]) * sum(plan["roles"].values())
    themes = ", ".join(world.themes["theme"])
    shortest, longest = _minutes_allowed(plan["interviews"])
    return _codebook(
        "interviews",
        ("excerpt", "text", "X001, X002, …", "the excerpt; one row each"),
        ("interview", "text", f"I01–I{people:02d}", "the interview it is from, in the order in which they were held"),
        ("firm", "text", ", ".join(firm["name"] for firm in plan["firms"]), "the interviewee's firm (invented)"),
        ("industry", "text", ", ".join(dict.fromkeys(f["industry"] for f in plan["firms"])), "what the firm makes"),
        ("role", "text", ", ".join(plan["roles"]), "the interviewee's role"),
        ("minutes", "integer", f"{shortest}–{longest}", "length of the whole interview, repeated in each of its rows"),
        ("text", "text", "", "the excerpt"),
        ("coder_a", "text", themes, "theme the first coder gave, working alone"),
        ("coder_b", "text", themes, "theme the second coder gave, working alone"),
        ("theme", "text", themes, "theme agreed in the discussion afterwards"),
        ("dimension", "text", ", ".join(world.dimensions["dimension"]), "the dimension the agreed theme belongs to"),
    )


def _item_pool_book() -> pd.DataFrame:
    pool, world = item_pool(), population.load()
    lettered = all(row.item.startswith(row.dimension) for row in pool.itertuples())
    low, high = world.points
    return _codebook(
        "item_pool",
        (
            *("item", "text", f"{pool['item'].iloc[0]}, …"),
            "the item" + ("; the letters are the dimension it was written for" if lettered else ""),
        ),
        ("dimension", "text", ", ".join(world.dimensions["dimension"]), "the dimension it was written for"),
        ("theme", "text", ", ".join(world.themes["theme"]), "the theme it was written for"),
        ("wording", "text", "", f"the statement; answered from {low} to {high}"),
        ("shown", "integer", f"1–{len(pool)}", "the place in which the panel saw it, drawn at random"),
    )


def _expert_sorts_book() -> pd.DataFrame:
    plan, codes = _plan(), population.load().dimensions["dimension"]
    experts, first = plan["experts"], item_pool()["item"].iloc[0]
    low, *_, high = fieldwork_plan.relevant_ratings(plan["panel"])[0]
    rows = _WORDS[len(experts)] if len(experts) < len(_WORDS) else len(experts)
    return _codebook(
        "expert_sorts",
        ("item", "text", f"{first}, …", f"the item judged; {rows} rows each"),
        ("expert", "text", _listed(e["expert"] for e in experts), "the expert"),
        ("role", "text", ", ".join(dict.fromkeys(e["role"] for e in experts)), "the expert's position"),
        ("group", "text", "sorting, rating", "sorters assign items to dimensions, raters say how relevant they are"),
        ("sorted_to", "text", ", ".join([*codes, NONE]), "where a sorter put the item; empty for raters"),
        (
            *("relevance", "integer", f"{low}–{high}"),
            f"{low} not relevant to {high} highly relevant for its dimension; empty for sorters",
        ),
    )


_BOOKS: dict[str, Callable[[], pd.DataFrame]] = {
    "interviews": _interviews_book,
    "item_pool": _item_pool_book,
    "expert_sorts": _expert_sorts_book,
}

#: {data set: DataFrame [column, type, values, meaning]}, of the study at hand
CODEBOOKS = study.OnDemand(lambda: {name: book() for name, book in _BOOKS.items()})
