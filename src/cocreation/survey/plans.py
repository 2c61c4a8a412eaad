"""Whether the files of a study are right in themselves and go together.

They are written by a person, so that each mistake is told with the file, the key, what stands there, what should,
and what to do – before anything is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..errors import InputError, plain
from ._shapes import POPULATION, PUBLISHED, SPOILED, among, is_number, lacking, refusal, same, shaped, short, unique

__all__ = ["NONE", "check_population", "check_published"]

#: where a sorter puts an item that fits no dimension
NONE = "none"
#: columns of the surveys that are not a firm's, an item's or an outcome's
_RESERVED = {"respondent", "returned", "channel", "role", "day", "seconds", "weeks", "trap", "kind", "growth"}
_COMPARED = ("count", "percentage", "estimate")
_KINDS = (*_COMPARED, "above", "below", "rule", "fact", "unreported")


def check_population(raw: Mapping[str, Any], where: str | Path = "The population") -> None:
    """Do nothing if what ``population.toml`` says describes a study.

    Parameters
    ----------
    raw : mapping
        The file as read.
    where : path or str
        The file, to be named in the message.

    Raises
    ------
    CourseError
        If an entry is missing.
    InputError
        If an entry is of another kind than it should be, contradicts another, or names what is not there.

    See Also
    --------
    check_published : Check the published figures.
    cocreation.survey.fieldwork_plan.check_fieldwork : Check the fieldwork.
    cocreation.survey.population.read : The population itself.

    Examples
    --------
    >>> from cocreation.survey import population
    >>> check_population(population.load().raw)
    """
    try:
        _check_population(raw, str(where))
    except KeyError as missing:
        raise lacking(where, missing, "population.toml") from missing


def _check_population(raw: Mapping[str, Any], where: str) -> None:
    shaped(raw, POPULATION, "", where)
    codes = unique((d["code"] for d in raw["dimensions"]), "dimensions", where)
    owner = {t["name"]: d["code"] for d in raw["dimensions"] for t in d["themes"]}
    unique((t["name"] for d in raw["dimensions"] for t in d["themes"]), "themes", where)
    points = _check_scale(raw["scale"], where)
    items = unique((i["item"] for i in raw["items"]), "items", where)
    outcomes = raw.get("outcomes", [])
    firms = raw.get("formal_survey", {}).get("firms", {})
    columns = [*items, *(f"{o['code']}{k}" for o in outcomes for k in range(1, len(o["loadings"]) + 1))]
    unique([*columns, *firms], "the columns of the surveys (items, outcomes, firms)", where)
    for column in [*columns, *firms]:
        if column in _RESERVED:
            raise InputError(f"{where}: '{column}' names an item, outcome or firm, but is a column of every survey. "
                             "Give it another name.")  # fmt: skip
    _check_items(raw, codes, owner, where)
    for pair in raw["correlations"]:
        allowed = {f"{a}-{b}" for a in codes for b in codes if a != b}
        if pair != "level" and pair not in allowed:
            raise refusal(where, f"correlations.{pair}", "there", "a pair of " + ", ".join(codes), "Correct the name.")
    if "level" not in raw["correlations"]:
        raise KeyError("correlations.level")
    for number, group in enumerate(raw.get("groups", []), start=1):
        key = f"groups (number {number})"
        among(group["column"], firms, f"{key}.column", where)
        among(group["value"], firms[group["column"]], f"{key}.value", where)
        for code in group.get("dimensions", {}):
            among(code, codes, f"{key}.dimensions", where)
        for item in group.get("items", {}):
            among(item, items, f"{key}.items", where)
    _check_outcomes(raw, codes, where)
    _check_surveys(raw, points, where)
    if "calibrated" in raw:
        same(raw["calibrated"]["loadings"], codes, "calibrated.loadings", where, "Give every dimension its loading.")
        for survey in ("pre_survey", "formal_survey"):
            if survey in raw and survey not in raw["calibrated"]["seeds"]:
                raise KeyError(f"calibrated.seeds.{survey}")
    if "alphas" in raw.get("aims", {}):
        same(raw["aims"]["alphas"], codes, "aims.alphas", where, "Give every dimension its alpha, or leave them out.")


def _check_scale(scale: Mapping[str, Any], where: str) -> range:
    points, cuts = scale["points"], scale["cuts"]
    if points < 2:
        raise refusal(where, "scale.points", str(points), "2 or more", "A scale has at least two answers.")
    if len(cuts) != points - 1:
        raise refusal(where, "scale.cuts", f"a list of {len(cuts)}", f"one of {points - 1}, for {points} points",
                      "Write one cut between every two neighbouring answers.")  # fmt: skip
    if any(later <= earlier for earlier, later in pairwise(cuts)):
        raise refusal(where, "scale.cuts", short(cuts), "in rising order", "Sort them.")
    lowest = scale.get("lowest", 1)
    answers = range(lowest, lowest + points)
    for value in scale.get("straight_lining", []):
        if value not in answers:
            raise _off_scale("scale.straight_lining", value, answers, where)
    return answers


def _off_scale(key: str, value: int, answers: range, where: str) -> InputError:
    return refusal(where, key, str(value), f"an answer from {answers[0]} to {answers[-1]}", "Correct the entry.")


def _check_items(raw: Mapping[str, Any], codes: list[str], owner: Mapping[str, str], where: str) -> None:
    for item in raw["items"]:
        name = f"items ({item['item']})"
        among(item["theme"], owner, f"{name}.theme", where)
        among(item["role"], ("kept", "flawed"), f"{name}.role", where)
        needed = "offset" if item["role"] == "kept" else "loading"
        if needed not in item:
            raise KeyError(f"{name}.{needed}")
        if "cross" in item:
            others = [code for code in codes if code != owner[item["theme"]]]
            among(item["cross"]["dimension"], others, f"{name}.cross.dimension", where)
    for code in codes:
        if not any(item["role"] == "kept" and owner[item["theme"]] == code for item in raw["items"]):
            raise InputError(f'{where}: dimension {code} has no item with role = "kept". Give it one or more, or take '
                             "it out.")  # fmt: skip


def _check_outcomes(raw: Mapping[str, Any], codes: list[str], where: str) -> None:
    known = list(codes)
    entries = [(f"outcomes ({each['code']})", each) for each in raw.get("outcomes", [])]
    if "growth" in raw:
        entries.append(("growth", raw["growth"]))
    for name, entry in entries:
        for code in entry["weights"]:
            among(code, known, f"{name}.weights", where)
        known.append(entry.get("code", "growth"))
        loadings, wordings = entry.get("loadings", []), entry.get("wordings", [])
        if len(loadings) != len(wordings):
            raise refusal(where, f"{name}.loadings", f"a list of {len(loadings)}", f"one of {len(wordings)}, for as "
                          "many wordings", "Give every wording its loading.")  # fmt: skip
        for loading in loadings:
            if loading**2 + entry["method"] ** 2 > 1:
                raise InputError(f"{where}: {name}.loadings and {name}.method explain more than the whole variance of "
                                 "an item. Lower one.")  # fmt: skip
    unique(known, "dimensions and outcomes", where)


def _check_surveys(raw: Mapping[str, Any], points: range, where: str) -> None:
    surveys = [name for name in ("pre_survey", "formal_survey") if name in raw]
    if surveys and "trap" not in raw:
        raise KeyError("trap")
    if "trap" in raw and raw["trap"]["right"] not in points:
        raise _off_scale("trap.right", raw["trap"]["right"], points, where)
    asked = {
        "pre_survey": [item["item"] for item in raw["items"]],
        "formal_survey": [item["item"] for item in raw["items"] if item["role"] == "kept"],
    }
    for name in surveys:
        plan = raw[name]
        if plan["trap_after"] not in asked[name]:
            raise refusal(where, f"{name}.trap_after", plain(plan["trap_after"]), "an item of that survey, such as "
                          f"'{asked[name][0]}'", "Correct the entry.")  # fmt: skip
        if _genuine(plan) < 1:
            raise refusal(where, f"{name}.spoiled", f"{plan['distributed'] - _genuine(plan)} in all", "fewer than the "
                          f"{plan['distributed']} distributed", "Lower one.")  # fmt: skip
        _check_shares(plan.get("channels"), f"{name}.channels", where)
    _check_shares(raw.get("roles"), "roles", where)
    for column, categories in raw.get("formal_survey", {}).get("firms", {}).items():
        total, valid = sum(categories.values()), _genuine(raw["formal_survey"])
        if total != valid:
            raise refusal(where, f"formal_survey.firms.{column}", f"{total} firms", f"the {valid} valid questionnaires "
                          "(distributed less spoiled)", "Let its counts add up to that.")  # fmt: skip
    if "follow_up" in raw:
        if "formal_survey" not in raw:
            raise KeyError("formal_survey")
        again, valid = raw["follow_up"]["respondents"], _genuine(raw["formal_survey"])
        if again > valid:
            raise refusal(where, "follow_up.respondents", str(again), f"at most the {valid} valid respondents of the "
                          "formal survey", "Lower it.")  # fmt: skip


def _genuine(plan: Mapping[str, Any]) -> int:
    """Return how many questionnaires of a survey are valid."""
    return plan["distributed"] - sum(plan.get("spoiled", {}).get(kind, 0) for kind in SPOILED)


def _check_shares(shares: Mapping[str, float] | None, key: str, where: str) -> None:
    if shares is not None and abs(sum(shares.values()) - 1) > 1e-8:
        raise refusal(where, key, f"{sum(shares.values()):g} in all", "1 in all", "Let the shares add up to 1.")


def check_published(raw: Mapping[str, Any], where: str | Path = "The published figures") -> None:
    """Do nothing if what ``published.toml`` says can be compared with a study's data.

    Parameters
    ----------
    raw : mapping
        The file as read.
    where : path or str
        The file, to be named in the message.

    Raises
    ------
    CourseError
        If an entry is missing.
    InputError
        If an entry is of another kind than it should be.

    See Also
    --------
    check_population : Check the population.
    cocreation.survey.fieldwork_plan.check_fieldwork : Check the fieldwork.
    cocreation.survey.datasets.published : The figures themselves.

    Examples
    --------
    >>> from cocreation.survey import study
    >>> check_published(study.facts(study.find("published.toml")))
    """
    where = str(where)
    try:
        shaped(raw, PUBLISHED, "", where)
        for figure in raw["figures"]:
            _check_figure(figure, where)
    except KeyError as missing:
        raise lacking(where, missing, "published.toml") from missing
    unique((figure["id"] for figure in raw["figures"]), "figures", where)


def _check_figure(figure: Mapping[str, Any], where: str) -> None:
    name, kind = f"figures ({figure['id']})", figure["kind"]
    among(kind, _KINDS, f"{name}.kind", where)
    number = kind not in ("fact", "unreported")
    needed = {"value": number, "decimals": kind != "fact", "tolerance": kind in _COMPARED}
    for entry, wanted in needed.items():
        if wanted and entry not in figure:
            raise KeyError(f"{name}.{entry}")
    if number and not is_number(figure["value"]):
        raise refusal(where, f"{name}.value", short(figure["value"]), "a number", "Correct the entry.")
