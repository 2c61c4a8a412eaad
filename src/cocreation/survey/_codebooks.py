"""What the columns of the surveys mean, from the facts of the study."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from . import population as truth

__all__ = ["COLUMNS", "follow_up", "formal_survey", "pre_survey"]

COLUMNS = ["column", "type", "values", "meaning"]


def _about(prefix: str) -> list[tuple[str, str, str, str]]:
    return [
        ("respondent", "identifier", f"{prefix}001, …", "the questionnaire's number"),
        ("returned", "category", "yes, no", "whether the questionnaire came back"),
    ]


_SECONDS = ("seconds", "number", "", "time to complete, in seconds; empty if not returned")


def _scale(population: truth.Population) -> str:
    """Return the ends of the scale in words: "1 does not apply at all … 7 applies fully"."""
    labels = population.raw["scale"].get("labels", ("", ""))
    return " … ".join(f"{value} {label}".strip() for value, label in zip(population.points, labels, strict=True))


def _answers(items: list[str], more: str = "") -> list[tuple[str, str, str, str]]:
    population = truth.load()
    table = population.items.set_index("item")
    rows = []
    for item in items:
        row = table.loc[item]
        about = f"{row['wording']} ({row['dimension']}, {row['theme']})"
        rows.append((item, "answer", f"{_scale(population)}{more}", about))
    return rows


def _as_keyed(population: truth.Population) -> str:
    low, high = population.points
    middle = (low + high) // 2
    return f"; empty = skipped; {max(low, middle - 1)}|{min(high, middle + 1)} = two ticks"


def _trap_row() -> tuple[str, str, str, str]:
    population = truth.load()
    (low, high), trap = population.points, population.raw["trap"]
    return ("trap", "answer", f"{low} … {high}; right is {trap['right']}", trap["wording"])


def _categories(column: str, categories: Iterable[str] | None, meaning: str) -> list[tuple[str, str, str, str]]:
    """Return a row for a column the study has, none for one it has not."""
    return [(column, "category", ", ".join(categories), meaning)] if categories else []


def _book(name: str, rows: list[tuple[str, str, str, str]]) -> pd.DataFrame:
    """Return a codebook, with what the study itself says of a column."""
    table = pd.DataFrame(rows, columns=COLUMNS)
    for column, meaning in truth.load().raw.get("codebook", {}).get(name, {}).items():
        table.loc[table["column"] == column, "meaning"] = meaning
    return table


def pre_survey() -> pd.DataFrame:
    population = truth.load()
    plan = population.part("pre_survey")
    rows = _about("P")
    rows += _categories("channel", plan.get("channels"), "how the questionnaire was handed over")
    rows += _categories("role", population.raw.get("roles"), "the respondent's position")
    rows.append(_SECONDS)
    rows += _with_trap(_answers(population.items["item"].tolist(), _as_keyed(population)), plan["trap_after"])
    return _book("pre_survey", rows)


def formal_survey() -> pd.DataFrame:
    population = truth.load()
    plan = population.part("formal_survey")
    rows = _about("F")
    rows += _categories("channel", plan.get("channels"), "how the questionnaire was handed over")
    rows += _categories("role", population.raw.get("roles"), "the respondent's position")
    for column, categories in plan.get("firms", {}).items():
        rows += _categories(column, categories, f"the firm's {column}")
    if "days" in plan:
        when = "day of the field time on which the questionnaire came back; empty if it did not"
        rows.append(("day", "number", f"1 … {plan['days']}", when))
    rows.append(_SECONDS)
    rows += _with_trap(_answers(population.kept(), _as_keyed(population)), plan["trap_after"])
    for row in population.outcomes.itertuples():
        rows.append((row.item, "answer", "as the items", f"{row.wording} ({row.name})"))
    if "growth" in population.raw:
        source = population.raw["growth"].get("source")
        rows.append(("growth", "number", "", "growth" + (f", from {source}" if source else "")))
    return _book("formal_survey", rows)


def follow_up() -> pd.DataFrame:
    population = truth.load()
    rows = [("respondent", "identifier", "F001, …", "the questionnaire's number in the formal survey")]
    if "weeks" in population.part("follow_up"):
        soonest, latest = population.part("follow_up")["weeks"]
        rows.append(("weeks", "number", f"{soonest} … {latest}", "weeks since the formal survey"))
    return _book("follow_up", [*rows, *_answers(population.kept())])


def _with_trap(rows: list[tuple[str, str, str, str]], after: str) -> list[tuple[str, str, str, str]]:
    place = [row[0] for row in rows].index(after) + 1
    return [*rows[:place], _trap_row(), *rows[place:]]
