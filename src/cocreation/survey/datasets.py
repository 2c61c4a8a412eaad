"""The data sets of the study at hand: load them, read what their columns mean, make them again.

Every file can be made again from ``population.toml`` and ``fieldwork.toml``,
byte by byte; ``cocreation data`` does so. A study without one of the surveys, or
without ``fieldwork.toml``, has fewer data sets.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from .._files import read_bytes, user_path, write_whole
from .._paths import course_root, restoring
from ..errors import InputError
from . import population as truth
from . import respondents
from . import study as files
from ._codebooks import COLUMNS, follow_up, formal_survey, pre_survey
from .tables import read_table

__all__ = ["codebook", "load", "make", "names", "path", "published", "study", "write"]

_SURVEYS = ("pre_survey", "formal_survey", "follow_up")
#: data sets whose answers are text, as they were keyed in: empty if skipped, "3|5" for two ticks
_AS_TICKED = ("pre_survey", "formal_survey")


def names() -> list[str]:
    """Return the names of the study's data sets in the order of the course.

    Returns
    -------
    list of str

    See Also
    --------
    load : A data set.
    codebook : What its columns mean.

    Examples
    --------
    >>> names()[:3], names()[-1]
    (['interviews', 'item_pool', 'expert_sorts'], 'follow_up')
    """
    plan = truth.load().raw
    surveys = {name for name in _SURVEYS if name in plan}
    return [name for name in _MAKERS if name in surveys or (name not in _SURVEYS and _has_fieldwork())]


def path(name: str) -> Path:
    """Return where a data set's CSV file lies.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    Path
        Of the study at hand.

    Raises
    ------
    InputError
        If there is no data set of this name.

    See Also
    --------
    load : The data set.
    write : Write it elsewhere.

    Examples
    --------
    >>> path("pre_survey").name
    'pre_survey.csv'
    """
    return course_root() / "datasets" / f"{_known(name)}.csv"


def load(name: str) -> pd.DataFrame:
    """Return a data set of the study at hand.

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

    See Also
    --------
    names : Which there are.
    codebook : What the columns mean.
    make : Draw it anew.
    path : Its file.
    published : The published figures.
    cocreation.steps.screen.screen : Turn a survey's answers into numbers.

    Examples
    --------
    >>> load("formal_survey").shape
    (700, 44)
    """
    file, book = path(name), codebook(name)
    # names stay as written, even if they look like numbers
    kinds = {"text", "identifier", "category"} | ({"answer"} if name in _AS_TICKED else set())
    text = dict.fromkeys(book.loc[book["type"].isin(kinds), "column"], str)
    return read_table(file, book["column"], remedy=restoring(file), dtype=text, keep_default_na=False, na_values=[""])


def codebook(name: str) -> pd.DataFrame:
    """Return a data set's codebook: column, type, values, meaning.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    DataFrame [column, type, values, meaning]
        A row a column of the data set.

    Raises
    ------
    InputError
        If there is no data set of this name, or its codebook was lost or changed.

    See Also
    --------
    load : The data set.
    names : Which there are.

    Examples
    --------
    >>> codebook("follow_up").loc[1, "meaning"]
    'weeks since the formal survey'
    """
    file = path(name).with_suffix(".codebook.csv")
    return read_table(file, COLUMNS, remedy=restoring(file), dtype=str, keep_default_na=False)


def make(name: str) -> pd.DataFrame:
    """Draw a data set anew, as it is shipped.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    DataFrame
        As :func:`load` returns it.

    Raises
    ------
    InputError
        If there is no data set of this name.

    See Also
    --------
    load : The shipped data set.
    write : Write them all.
    cocreation.survey.respondents.formal_survey : How a survey is drawn.
    cocreation.survey.fieldwork.interviews : How the fieldwork is made.

    Examples
    --------
    >>> make("follow_up").equals(load("follow_up"))
    True
    """
    return _MAKERS[_known(name)][0]()


def write(folder: str | Path, *, only: str | None = None) -> list[Path]:
    """Write all data sets, or ``only`` one, with codebook and data sheet; return the files' paths.

    Line ends are ``\\n`` and the encoding is UTF-8 on every system, so the
    files equal the shipped ones byte by byte. Data sheets are prose and copied; a study has one
    for each data set, or none. All tables are drawn before the first file is written.

    Parameters
    ----------
    folder : path
        Where to; made if it is not there.
    only : str, optional
        One of :func:`names`.

    Returns
    -------
    list of Path
        The files, those of a data set together.

    Raises
    ------
    InputError
        If there is no data set ``only``, or the study's files contradict themselves or each other.
        Or if a file it is made from was lost, or one cannot be written.

    See Also
    --------
    make : One table.
    path : The shipped file.

    Examples
    --------
    >>> import tempfile
    >>> [file.name for file in write(tempfile.mkdtemp(), only="follow_up")]
    ['follow_up.csv', 'follow_up.codebook.csv', 'follow_up.md']
    """
    folder, contents = user_path(folder), {}
    plan = files.find("fieldwork.toml")
    drawn = (plan.with_name(f"{name}.csv") for name in _MAKERS if name not in _SURVEYS)
    if not plan.exists() and any(file.exists() for file in drawn):
        raise InputError(f"There is no file {plan}, but data sets drawn from it lie beside it. {restoring(plan)}")
    with_sheets = any(path(name).with_suffix(".md").exists() for name in names())
    for name in [_known(only)] if only is not None else names():
        for frame, end in zip((maker() for maker in _MAKERS[name]), ("csv", "codebook.csv"), strict=True):
            contents[folder / f"{name}.{end}"] = frame.to_csv(index=False, lineterminator="\n").encode()
        if with_sheets:
            sheet = path(name).with_suffix(".md")
            contents[folder / sheet.name] = read_bytes(sheet, remedy=restoring(sheet))
    for file, content in contents.items():
        write_whole(file, content)
    return list(contents)


def published() -> pd.DataFrame:
    """Return every figure of the published study.

    Returns
    -------
    DataFrame [id, step, kind, label, value, decimals, tolerance, together, reason, note]
        ``value`` is a float where it is a number, text where it is a fact such
        as a date, missing where the study does not report the figure.

    Raises
    ------
    CourseError
        If the study has no ``published.toml``.

    See Also
    --------
    study : The study in a few numbers.
    load : The data.
    cocreation.survey.study.published : The file as it is.
    cocreation.steps.report.compare : One's own figures beside them.

    Examples
    --------
    >>> published().set_index("id").loc["rmsea", "value"]
    0.073
    """
    columns = ["id", "step", "kind", "label", "value", "decimals", "tolerance", "together", "reason", "note"]
    table = pd.DataFrame(files.published()["figures"], dtype=object).reindex(columns=columns).astype(object)
    table["together"] = table["together"].fillna(True).astype(bool)
    table[["reason", "note"]] = table[["reason", "note"]].fillna("")
    table[["decimals", "tolerance"]] = table[["decimals", "tolerance"]].apply(pd.to_numeric)
    return table


def study() -> dict[str, Any]:
    """Return the published study in a few numbers, as ``[study]`` of ``published.toml`` has them.

    Returns
    -------
    dict
        Name to value.

    Raises
    ------
    CourseError
        If the study has no ``published.toml``.

    See Also
    --------
    published : Every figure.
    cocreation.survey.study.published : The file as it is.

    Examples
    --------
    >>> study()["respondents"]
    486
    """
    return dict(files.published().get("study", {}))


def _has_fieldwork() -> bool:
    return files.find("fieldwork.toml").exists()


def _known(name: str) -> str:
    if name not in _MAKERS:
        raise InputError(f"There is no data set '{name}'. Choose one of {', '.join(_MAKERS)}.")
    drawn = course_root() / "datasets" / f"{name}.csv"
    if name not in _SURVEYS and not _has_fieldwork() and not drawn.exists():
        file = files.find("fieldwork.toml")
        raise InputError(f"The study has no data set '{name}', for there is no {file}. {restoring(file)}")
    return name


def _pre_survey() -> pd.DataFrame:
    return respondents.pre_survey(truth.load()).raw


def _formal_survey() -> pd.DataFrame:
    return respondents.formal_survey(truth.load()).raw


def _follow_up() -> pd.DataFrame:
    return respondents.follow_up(truth.load(), respondents.formal_survey(truth.load()))


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
    "pre_survey": (_pre_survey, pre_survey),
    "formal_survey": (_formal_survey, formal_survey),
    "follow_up": (_follow_up, follow_up),
}
