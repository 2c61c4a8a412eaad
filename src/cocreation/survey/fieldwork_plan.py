"""What fieldwork.toml may say, and whether it goes with the population beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from ._shapes import FIELDWORK, among, lacking, refusal, same, shaped, short, unique
from .plans import NONE

if TYPE_CHECKING:
    from .population import Population

__all__ = ["check_fieldwork", "relevant_ratings"]


def relevant_ratings(panel: Mapping[str, Any]) -> tuple[range, range]:
    """Return all ratings a rater may give, and those that say an item is relevant.

    Parameters
    ----------
    panel : mapping
        The part ``[panel]`` of the fieldwork.

    Returns
    -------
    all, relevant : range

    See Also
    --------
    check_fieldwork : Check the fieldwork.
    cocreation.steps.judge.relevance : Evaluate the ratings.

    Examples
    --------
    >>> relevant_ratings({"relevant": 3})
    (range(1, 5), range(3, 5))
    """
    low, high = panel.get("ratings", (1, 4))
    return range(low, high + 1), range(panel["relevant"], high + 1)


def check_fieldwork(plan: Mapping[str, Any], population: Population, where: str | Path = "The fieldwork") -> None:
    """Do nothing if what ``fieldwork.toml`` says goes with the population beside it.

    Parameters
    ----------
    plan : mapping
        The file as read.
    population : Population
        Whose dimensions, themes and items the fieldwork is about.
    where : path or str
        The file, to be named in the message.

    Raises
    ------
    CourseError
        If an entry is missing.
    InputError
        If an entry is of another kind than it should be, or does not go with the population or another entry.

    See Also
    --------
    relevant_ratings : The ratings of a panel.
    cocreation.survey.plans.check_population : Check the population.
    cocreation.survey.plans.check_published : Check the published figures.

    Examples
    --------
    >>> from cocreation.survey import population, study
    >>> check_fieldwork(study.facts(study.find("fieldwork.toml")), population.load())
    """
    where = str(where)
    try:
        shaped(plan, FIELDWORK, "", where)
    except KeyError as missing:
        raise lacking(where, missing, "fieldwork.toml") from missing
    beside = "Write those of the population.toml beside it, or take fieldwork.toml away if the study has no fieldwork."
    codes = population.dimensions["dimension"].tolist()
    themes = population.themes["theme"].tolist()
    panel = plan["panel"]
    same(panel.get("bins", codes), codes, "panel.bins", where, beside)
    if NONE in codes:
        should = "another name, for sorters say it of an item that fits nowhere"
        raise refusal(where, "a dimension of the population", f"'{NONE}'", should, "Rename the dimension.")
    same(plan["themes"], themes, "themes", where, beside)
    for name, theme in plan["themes"].items():
        _check_theme(name, theme, plan, where)
    unique((firm["name"] for firm in plan["firms"]), "firms", where)
    talks = plan["interviews"]
    shortest, longest = talks.get("minutes", (talks["mean_minutes"],) * 2)
    if not shortest <= talks["mean_minutes"] <= longest:
        should = f"within interviews.minutes, {shortest} to {longest}"
        raise refusal(where, "interviews.mean_minutes", str(talks["mean_minutes"]), should, "Correct one of them.")
    most = talks["excerpts"][1]
    for role, n in plan["roles"].items():
        wordings = sum(len(theme[role]) for theme in plan["themes"].values())
        if n * most > wordings:
            has = f"{n} a firm, with up to {most} excerpts each"
            should = f"within the {wordings} wordings of that role, for none is said twice in a firm"
            raise refusal(where, f"roles.{role}", has, should, "Write more wordings, or ask for fewer.")
    _check_panel(plan, population, where)


def _check_theme(name: str, theme: Mapping[str, Any], plan: Mapping[str, Any], where: str) -> None:
    key = f"themes.{name}"
    same(theme["weight"], plan["roles"], f"{key}.weight", where, "Give every role its weight.")
    wordings = [each for each in theme if each not in ("weight", "confused_with")]
    same(wordings, plan["roles"], f"{key}, beside weight and confused_with,", where, "Give every role its wordings.")
    for role in plan["roles"]:
        for wording in theme[role]:
            _check_gaps(wording, plan["firms"], f"{key}.{role}", where)
        if theme["weight"][role] <= 0:
            raise refusal(where, f"{key}.weight.{role}", f"{theme['weight'][role]:g}", "above 0", "Raise it.")
    if len(set(theme["confused_with"])) < 2:
        raise refusal(where, f"{key}.confused_with", f"a list of {len(set(theme['confused_with']))}",
                      "one of two or more other themes, one for each coder", "Name more.")  # fmt: skip
    for other in theme["confused_with"]:
        among(other, [each for each in plan["themes"] if each != name], f"{key}.confused_with", where)


def _check_gaps(wording: str, firms: Iterable[Mapping[str, str]], key: str, where: str) -> None:
    try:
        gaps = {name for _, name, _, _ in Formatter().parse(wording) if name is not None}
    except ValueError as problem:
        raise refusal(where, key, short(wording), f"a text with gaps in braces ({problem})", "Close them.") from None
    for firm in firms:
        for gap in sorted(gaps):
            if gap.removesuffix("_start") not in firm:
                remedy = f"Write it in [[firms]] of {firm['name']}."
                raise refusal(
                    where, key, f"a text with the gap {{{gap}}}", "one with words that every firm has", remedy
                )


def _check_panel(plan: Mapping[str, Any], population: Population, where: str) -> None:
    panel, codes = plan["panel"], population.dimensions["dimension"].tolist()
    ratings, relevant = relevant_ratings(panel)
    if panel["relevant"] not in ratings[1:]:
        raise refusal(where, "panel.relevant", str(panel["relevant"]), f"a rating above {ratings[0]} and up to "
                      f"{ratings[-1]}", "Correct the entry.")  # fmt: skip
    for expert in plan["experts"]:
        among(expert["group"], ("sorting", "rating"), f"experts ({expert['expert']}).group", where)
    unique((expert["expert"] for expert in plan["experts"]), "experts", where)
    size = {group: sum(e["group"] == group for e in plan["experts"]) for group in ("sorting", "rating")}
    for group, n in size.items():
        if n < 2:
            raise refusal(where, f"experts of the group '{group}'", f"{n} in number", "2 or more", "Add experts.")
    if panel["agree"] > size["sorting"]:
        raise refusal(where, "panel.agree", str(panel["agree"]), f"at most the {size['sorting']} sorters", "Lower it.")
    if panel.get("raters", 2) > size["rating"]:
        raise refusal(where, "panel.raters", str(panel["raters"]), f"at most the {size['rating']} raters", "Lower it.")
    for flaw in dict.fromkeys(flaw or "without" for flaw in population.items["flaw"]):
        if flaw not in panel["doubts"]:
            raise refusal(where, "panel.doubts", f"without '{flaw}'", "there for every flaw of population.toml",
                          f"Write panel.doubts.{flaw}.")  # fmt: skip
    for flaw, doubt in panel["doubts"].items():
        shares = doubt["three_or_four"]
        if len(shares) != len(relevant) or min(shares) < 0 or abs(sum(shares) - 1) > 1e-8:
            should = f"{len(relevant)} shares that add up to 1, for the ratings {', '.join(map(str, relevant))}"
            raise refusal(where, f"panel.doubts.{flaw}.three_or_four", short(shares), should, "Correct the entry.")
    kept = population.items["item"].tolist()
    unique(
        [*kept, *(item["item"] for item in plan.get("rejected", []))], "items of population.toml and rejected", where
    )
    for item in plan.get("rejected", []):
        key = f"rejected ({item['item']})"
        among(item["theme"], plan["themes"], f"{key}.theme", where)
        for name, group in (("sorted", "sorting"), ("relevance", "rating")):
            if len(item[name]) != size[group]:
                raise refusal(where, f"{key}.{name}", f"a list of {len(item[name])}", f"one of {size[group]}, for as "
                              "many experts", "Give every expert a vote.")  # fmt: skip
        for vote in item["sorted"]:
            among(vote, [*codes, NONE], f"{key}.sorted", where)
        for vote in item["relevance"]:
            among(vote, ratings, f"{key}.relevance", where)
