"""The shipped data sets: load them, read what their columns mean, make them again.

Every file can be made again from ``population.toml`` and ``fieldwork.toml``,
byte by byte; ``cocreation data`` does so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from .._paths import course_root, restoring
from ..errors import InputError
from . import population as truth
from . import respondents
from .tables import read_table

__all__ = ["codebook", "load", "make", "names", "path", "published", "study", "write"]

#: data sets whose answers are text, as they were keyed in: empty if skipped, "3|5" for two ticks
_AS_TICKED = ("pre_survey", "formal_survey")
_CODEBOOK = ["column", "type", "values", "meaning"]


def names() -> list[str]:
    """Return the names of the data sets in the order of the course.

    Examples
    --------
    >>> names()
    ['interviews', 'item_pool', 'expert_sorts', 'pre_survey', 'formal_survey', 'follow_up']
    """
    return list(_MAKERS)


def path(name: str) -> Path:
    """Return where a data set's CSV file lies.

    Raises
    ------
    InputError
        If there is no data set of this name.

    Examples
    --------
    >>> path("pre_survey").name
    'pre_survey.csv'
    """
    return course_root() / "datasets" / f"{_known(name)}.csv"


def load(name: str) -> pd.DataFrame:
    """Return a shipped data set.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    DataFrame
        In ``pre_survey`` and ``formal_survey`` the answers are text as keyed in
        (missing if skipped, "3|5" for two ticks): screening turns them into
        numbers. Elsewhere numbers are numbers.

    Raises
    ------
    InputError
        If there is no data set of this name, or its file was lost or changed
        so that it is no table with the codebook's columns.

    Examples
    --------
    >>> load("formal_survey").shape
    (700, 44)
    """
    file, book = path(name), codebook(name)
    text: dict[str, type] = {}
    if name in _AS_TICKED:
        text = dict.fromkeys(book.loc[book["type"] == "answer", "column"], str)
    return read_table(file, book["column"], remedy=restoring(file), dtype=text, keep_default_na=False, na_values=[""])


def codebook(name: str) -> pd.DataFrame:
    """Return a data set's codebook: column, type, values, meaning.

    Raises
    ------
    InputError
        If there is no data set of this name, or its codebook was lost or changed.

    Examples
    --------
    >>> codebook("follow_up").loc[1, "meaning"]
    'weeks since the formal survey'
    """
    file = path(name).with_suffix(".codebook.csv")
    return read_table(file, _CODEBOOK, remedy=restoring(file), dtype=str, keep_default_na=False)


def make(name: str) -> pd.DataFrame:
    """Draw a data set anew, as it is shipped.

    Raises
    ------
    InputError
        If there is no data set of this name.

    Examples
    --------
    >>> make("follow_up").equals(load("follow_up"))
    True
    """
    return _MAKERS[_known(name)][0]()


def write(folder: str | Path, *, only: str | None = None) -> list[Path]:
    """Write all data sets, or ``only`` one, with codebook and data sheet; return the files' paths.

    Line ends are ``\\n`` and the encoding is UTF-8 on every system, so the
    files equal the shipped ones byte by byte. Data sheets are prose and copied.

    Examples
    --------
    >>> import tempfile
    >>> [file.name for file in write(tempfile.mkdtemp(), only="follow_up")]
    ['follow_up.csv', 'follow_up.codebook.csv', 'follow_up.md']
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in [_known(only)] if only is not None else names():
        table, book = (maker() for maker in _MAKERS[name])
        for frame, file in ((table, f"{name}.csv"), (book, f"{name}.codebook.csv")):
            (folder / file).write_bytes(frame.to_csv(index=False, lineterminator="\n").encode())
            written.append(folder / file)
        sheet = path(name).with_suffix(".md")
        (folder / sheet.name).write_bytes(sheet.read_bytes())
        written.append(folder / sheet.name)
    return written


def published() -> pd.DataFrame:
    """Return every figure of the published study.

    Returns
    -------
    DataFrame [id, step, kind, label, value, decimals, tolerance, together, reason, note]
        ``value`` is a float where it is a number, text where it is a fact such
        as a date, missing where the study does not report the figure.

    Examples
    --------
    >>> published().set_index("id").loc["rmsea", "value"]
    0.073
    """
    columns = ["id", "step", "kind", "label", "value", "decimals", "tolerance", "together", "reason", "note"]
    table = pd.DataFrame(_published()["figures"], dtype=object).reindex(columns=columns)
    table["together"] = table["together"].fillna(True).astype(bool)
    table[["reason", "note"]] = table[["reason", "note"]].fillna("")
    table[["decimals", "tolerance"]] = table[["decimals", "tolerance"]].apply(pd.to_numeric)
    return table


def study() -> dict[str, Any]:
    """Return the published study in a few numbers: respondents, items, pool, dimensions, themes, doi.

    Examples
    --------
    >>> study()["respondents"]
    486
    """
    return dict(_published()["study"])


@lru_cache(maxsize=1)
def _published() -> dict[str, Any]:
    return tomllib.loads((course_root() / "datasets" / "published.toml").read_text(encoding="utf-8"))


def _known(name: str) -> str:
    if name not in _MAKERS:
        raise InputError(f"There is no data set '{name}'. Choose one of {', '.join(_MAKERS)}.")
    return name


def _pre_survey() -> pd.DataFrame:
    return respondents.pre_survey(truth.load()).raw


def _formal_survey() -> pd.DataFrame:
    return respondents.formal_survey(truth.load()).raw


def _follow_up() -> pd.DataFrame:
    return respondents.follow_up(truth.load(), respondents.formal_survey(truth.load()))


def _about(prefix: str) -> list[tuple[str, str, str, str]]:
    return [
        ("respondent", "identifier", f"{prefix}001, …", "the questionnaire's number"),
        ("returned", "category", "yes, no", "whether the questionnaire came back"),
    ]


_ROLE = ("role", "category", "middle manager, senior manager", "the respondent's position")
_SECONDS = ("seconds", "number", "", "time to complete, in seconds; empty if not returned")


def _answers(items: list[str], meaning: str = "") -> list[tuple[str, str, str, str]]:
    table = truth.load().items.set_index("item")
    values = meaning or "1 does not apply at all … 7 applies fully; empty = skipped; 3|5 = two ticks"
    rows = []
    for item in items:
        row = table.loc[item]
        rows.append((item, "answer", values, f"{row['wording']} ({row['dimension']}, {row['theme']})"))
    return rows


def _trap_row() -> tuple[str, str, str, str]:
    trap = truth.load().raw["trap"]
    return ("trap", "answer", f"1 … 7; right is {trap['right']}", trap["wording"])


def _pre_survey_codebook() -> pd.DataFrame:
    population = truth.load()
    channel = ("channel", "category", "face to face, e-mail, online link", "how the questionnaire was handed over")
    rows = [*_about("P"), channel, _ROLE, _SECONDS]
    rows += _with_trap(_answers(population.items["item"].tolist()), population.raw["pre_survey"]["trap_after"])
    return pd.DataFrame(rows, columns=_CODEBOOK)


def _formal_survey_codebook() -> pd.DataFrame:
    population = truth.load()
    firms = population.raw["formal_survey"]["firms"]
    rows = [
        *_about("F"),
        ("channel", "category", "direct, industry association", "how the questionnaire reached the firm"),
        _ROLE,
        ("industry", "category", ", ".join(firms["industry"]), "the firm's industry, known from the address list"),
        ("age", "category", ", ".join(firms["age"]), "the firm's age in years, known from the address list"),
        ("size", "category", ", ".join(firms["size"]), "the firm's size, known from the address list"),
        ("day", "number", "1 … 84", "day of the field time on which the questionnaire came back; empty if it did not"),
        _SECONDS,
    ]
    rows += _with_trap(_answers(population.kept()), population.raw["formal_survey"]["trap_after"])
    for row in population.outcomes.itertuples():
        rows.append((row.item, "answer", "as the items", f"{row.wording} ({row.name})"))
    rows.append(("growth", "number", "", "growth of sales in the year after, per cent, from the firm's books"))
    return pd.DataFrame(rows, columns=_CODEBOOK)


def _follow_up_codebook() -> pd.DataFrame:
    rows = [
        ("respondent", "identifier", "F001, …", "the questionnaire's number in the formal survey"),
        ("weeks", "number", "5 … 7", "weeks since the formal survey"),
        *_answers(truth.load().kept(), "1 does not apply at all … 7 applies fully"),
    ]
    return pd.DataFrame(rows, columns=_CODEBOOK)


def _with_trap(rows: list[tuple[str, str, str, str]], after: str) -> list[tuple[str, str, str, str]]:
    place = [row[0] for row in rows].index(after) + 1
    return [*rows[:place], _trap_row(), *rows[place:]]


def _fieldwork(name: str) -> tuple[Callable[[], pd.DataFrame], Callable[[], pd.DataFrame]]:
    # imported when needed: loading a survey does not need the fieldwork
    def table() -> pd.DataFrame:
        from . import fieldwork

        return getattr(fieldwork, name)()

    def book() -> pd.DataFrame:
        from . import fieldwork

        return fieldwork.CODEBOOKS[name]

    return table, book


#: name -> (how to draw it, how to write its codebook)
_MAKERS: dict[str, tuple[Callable[[], pd.DataFrame], Callable[[], pd.DataFrame]]] = {
    "interviews": _fieldwork("interviews"),
    "item_pool": _fieldwork("item_pool"),
    "expert_sorts": _fieldwork("expert_sorts"),
    "pre_survey": (_pre_survey, _pre_survey_codebook),
    "formal_survey": (_formal_survey, _formal_survey_codebook),
    "follow_up": (_follow_up, _follow_up_codebook),
}
