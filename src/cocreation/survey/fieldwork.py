"""The fieldwork before the survey: interviews with their coding, the item pool, the expert panel.

All three are drawn from ``datasets/fieldwork.toml`` (everything invented for
the course) and the items of ``datasets/population.toml``, by the seeds that
stand in the former: the same files give the same tables on every machine.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from .._paths import course_root
from ..errors import CourseError
from . import population

__all__ = ["CODEBOOKS", "NONE", "expert_sorts", "interviews", "item_pool"]

#: where a sorter puts an item that fits no dimension
NONE = "none"


@lru_cache(maxsize=1)
def _plan() -> dict[str, Any]:
    path = course_root() / "datasets" / "fieldwork.toml"
    if not path.exists():
        raise CourseError(f"The plan of the fieldwork is missing ({path}). Restore it from the course's repository.")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def interviews() -> pd.DataFrame:
    """Return the coded excerpts of 45 interviews, one row an excerpt.

    Returns
    -------
    DataFrame
        ``excerpt``, ``interview``, ``firm``, ``industry``, ``role``,
        ``minutes`` (of the whole interview), ``text``, ``coder_a``,
        ``coder_b``, ``theme`` (agreed after discussion), ``dimension``.

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
    left = {(p["firm"], p["role"], theme): 2 for p in people for theme in plan["themes"]}
    rows = []
    for number, (person, duration) in enumerate(zip(people, minutes, strict=True), start=1):
        for theme in _themes_of(rng, person, left, plan):
            wordings = plan["themes"][theme][person["role"]]
            text = wordings[2 - left[person["firm"], person["role"], theme]].format(**words[person["firm"]])
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
    minutes = np.clip(np.rint(rng.normal(plan["mean_minutes"], plan["sd_minutes"], n)), 25, 95).astype(int)
    surplus = int(minutes.sum()) - n * plan["mean_minutes"]
    for place in rng.permutation(n)[np.arange(abs(surplus)) % n]:
        minutes[place] -= np.sign(surplus)
    return minutes


def _words(firm: dict[str, str]) -> dict[str, str]:
    """Add the words that stand at the start of a sentence."""
    start = {f"{key}_start": firm[key][0].upper() + firm[key][1:] for key in ("a_product", "products")}
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

    Examples
    --------
    >>> item_pool().shape
    (60, 5)
    """
    plan = _plan()
    truth = population.load()
    owner = truth.themes.set_index("theme")["dimension"]
    rejected = pd.DataFrame(plan["rejected"])[["item", "theme", "wording"]]
    rejected.insert(1, "dimension", rejected["theme"].map(owner))
    pool = pd.concat([truth.items[["item", "dimension", "theme", "wording"]], rejected], ignore_index=True)
    codes = truth.dimensions["dimension"].tolist()
    pool = pool.sort_values("item", kind="stable").sort_values(
        "dimension", key=lambda c: c.map(codes.index), kind="stable"
    )
    pool["shown"] = np.random.default_rng(plan["panel"]["seed"]).permutation(len(pool)) + 1
    return pool.reset_index(drop=True)


def expert_sorts() -> pd.DataFrame:
    """Return what six experts did with every item of the pool, one row an item and expert.

    Returns
    -------
    DataFrame
        ``item``, ``expert``, ``role``, ``group`` ("sorting" or "rating"),
        ``sorted_to`` (a dimension or "none"; sorting group only),
        ``relevance`` (1-4; rating group only).

    Examples
    --------
    >>> expert_sorts().groupby("group")["expert"].nunique().to_dict()
    {'rating': 3, 'sorting': 3}
    """
    plan = _plan()
    rng = np.random.default_rng(plan["panel"]["seed"])
    truth = population.load().items.set_index("item")
    decided = {item["item"]: (item["sorted"], item["relevance"]) for item in plan["rejected"]}
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
    bins = [code for code in plan["panel"]["bins"] if code != item["dimension"]]
    other = item["cross"] if isinstance(item["cross"], str) and item["cross"] else bins[int(rng.integers(len(bins)))]
    sorted_to = [item["dimension"]] * 3
    relevance = [int(value) for value in rng.choice([3, 4], size=3, p=doubt["three_or_four"])]
    if rng.random() < doubt["sorting"]:
        sorted_to[int(rng.integers(3))] = NONE if doubt["fits_nowhere"] else other
    if rng.random() < doubt["rating"]:
        relevance[int(rng.integers(3))] = 2
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


def _codebook(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["column", "type", "values", "meaning"])


_THEMES = (
    "novelty, support, design, production, sharing, connection, analytics, intelligence, collaboration, alliance, "
    "ecosystem, emotional, functional, social"
)

#: {data set: DataFrame [column, type, values, meaning]}
CODEBOOKS: dict[str, pd.DataFrame] = {
    "interviews": _codebook(
        ("excerpt", "text", "X001, X002, …", "the excerpt; one row each"),
        ("interview", "text", "I01–I45", "the interview it is from, in the order in which they were held"),
        ("firm", "text", "Brumbleworth, Threadlebury, Pixelwick", "the interviewee's firm (invented)"),
        ("industry", "text", "appliances, clothing, electronics", "what the firm makes"),
        ("role", "text", "manager, staff, customer", "the interviewee's role"),
        ("minutes", "integer", "25–95", "length of the whole interview, repeated in each of its rows"),
        ("text", "text", "", "the excerpt, in the course's own words"),
        ("coder_a", "text", _THEMES, "theme the first coder gave, working alone"),
        ("coder_b", "text", _THEMES, "theme the second coder gave, working alone"),
        ("theme", "text", _THEMES, "theme agreed in the discussion afterwards"),
        ("dimension", "text", "DO, CE, DE, WC, EV", "the dimension the agreed theme belongs to"),
    ),
    "item_pool": _codebook(
        ("item", "text", "DO01, …", "the item; the letters are the dimension it was written for"),
        ("dimension", "text", "DO, CE, DE, WC, EV", "the dimension it was written for"),
        ("theme", "text", _THEMES, "the theme it was written for"),
        ("wording", "text", "", "the statement, in the course's own words; answered from 1 (not at all) to 7 (fully)"),
        ("shown", "integer", "1–60", "the place in which the panel saw it, drawn at random"),
    ),
    "expert_sorts": _codebook(
        ("item", "text", "DO01, …", "the item judged; six rows each"),
        ("expert", "text", "P1, P2, D1–D4", "the expert"),
        ("role", "text", "professor, doctoral student", "the expert's position"),
        ("group", "text", "sorting, rating", "sorters assign items to dimensions, raters say how relevant they are"),
        ("sorted_to", "text", "DO, CE, DE, WC, EV, none", "where a sorter put the item; empty for raters"),
        ("relevance", "integer", "1–4", "1 not relevant to 4 highly relevant for its dimension; empty for sorters"),
    ),
}
