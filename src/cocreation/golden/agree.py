"""Does the course compute what R computes? Golden sets gone through figure by figure.

A golden set is a folder with ``data.csv``, ``model.lav`` and ``golden.json``: R's figures (lavaan, psych,
semTools, GPArotation) for the data. Everything named there is computed with the public functions of the steps
and set beside R's figure; what is not, is listed with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import __version__
from ..errors import CourseError
from . import classical, models
from .fitted import WARNED, is_model, model
from .ledger import Figure, Omission
from .optimum import SHORT, Optimum, judge
from .sets import Golden, folders, load

__all__ = ["Agreement", "Row", "agree", "report"]

Progress = Callable[[int, int, str], None]

SCHEMA = 2

_UNEVEN = (
    "The items' variances are more than a factor 1000 apart. lavaan warns of such data, in which its own figures lose "
    "precision."
)


@dataclass(frozen=True)
class Row:
    """One metric of one section: how many figures, how far the worst of them is off.

    ``largest`` is infinite where R has a figure and we have none, or where names or counts differ.
    """

    section: str
    metric: str
    compared: int
    largest: float
    tolerance: str
    misses: tuple[Figure, ...]
    short: tuple[Figure, ...] = ()

    @property
    def verdict(self) -> str:
        """Return "agrees", "misses" or "R stopped short"; one miss among figures of a short search is a miss."""
        return "misses" if self.misses else SHORT if self.short else "agrees"


@dataclass(frozen=True)
class Agreement:
    """One golden set gone through.

    Attributes
    ----------
    name, folder : str
    programs : dict
        The programs that made R's figures, with versions.
    rows : tuple of Row
    omissions : tuple of Omission
        Every figure of the file that was not compared: section, key, reason.
    remark : str
        What to bear in mind with these data; often empty.
    optima : tuple of Optimum
        Where figures differ, what their searches minimize, here and in R, and who is nearer.
    """

    name: str
    folder: str
    programs: dict[str, str]
    rows: tuple[Row, ...]
    omissions: tuple[Omission, ...]
    remark: str
    optima: tuple[Optimum, ...] = ()

    @property
    def misses(self) -> tuple[Figure, ...]:
        """Every figure outside its tolerance, but for those that a search of R's left short."""
        return tuple(figure for row in self.rows for figure in row.misses)

    @property
    def short(self) -> tuple[Figure, ...]:
        """Every figure outside its tolerance that follows from a search of R's which stopped short."""
        return tuple(figure for row in self.rows for figure in row.short)

    def reasons(self) -> list[tuple[str, str, list[str]]]:
        """Return what was not compared as (section, reason, keys), each reason once a section."""
        found: dict[tuple[str, str], list[str]] = {}
        for omission in self.omissions:
            found.setdefault((omission.section, omission.reason), []).append(omission.key)
        return [(section, reason, keys) for (section, reason), keys in found.items()]


def agree(given: Iterable[str | Path], *, progress: Progress | None = None) -> list[Agreement]:
    """Compare golden sets with what the steps compute.

    Parameters
    ----------
    given : iterable of path
        Folders with a golden set, or folders of such folders.
    progress : callable, optional
        Called with sections done, sections in all, and where it is.

    Raises
    ------
    InputError
        If a folder is not there, holds no golden set, or its files cannot be read or do not
        belong together. All are read before anything is computed.
    """
    sets = [load(folder) for folder in folders([Path(path) for path in given])]
    planned = [(golden, _plan(golden)) for golden in sets]
    total, done, found = sum(len(sections) for _, sections in planned), 0, []
    for golden, sections in planned:
        for path, section in sections:
            if progress:
                progress(done, total, f"{golden.name}, {'/'.join(path)}")
            _run(golden, path, section)
            done += 1
        optima = judge(golden)
        golden.ledger.close()
        found.append(_summary(golden, optima))
    return found


def _plan(golden: Golden) -> list[tuple[tuple[str, ...], Callable[[Golden], None]]]:
    """The sections of a set, those known by name and all fitted models, in the order of the file."""
    known = [*classical.SECTIONS, *models.SECTIONS]
    named = {path for path, _ in known}
    sections = [(path, section) for path, section in known if golden.block(*path) not in ({}, [])]
    places = [(name,) for name in golden.figures]
    places += [(outer, name) for outer in ("ordinal", "regressions") for name in golden.block(outer)]
    for path in places:
        block = golden.block(*path)
        if path not in named and isinstance(block, dict) and (is_model(block) or "error" in block):
            sections.append((path, lambda each, path=path: model(each, path)))
    order = list(golden.figures)
    return sorted(sections, key=lambda section: order.index(section[0][0]))


def _run(golden: Golden, path: tuple[str, ...], section: Callable[[Golden], None]) -> None:
    """Go through one section; what ends it early is a miss with the error's sentence, not the end of the table."""
    try:
        section(golden)
    except CourseError as error:
        golden.ledger.miss(path, str(error))
    except Exception as error:
        what = f"there is no {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
        golden.ledger.miss(path, f"golden.json may not be as golden_lib.R writes it: {what}")


def _summary(golden: Golden, optima: list[Optimum]) -> Agreement:
    together: dict[tuple[str, str], list[Figure]] = {}
    for figure in golden.ledger.figures:
        together.setdefault((figure.section, figure.metric), []).append(figure)
    rows = []
    for (section, metric), figures in together.items():
        # figures of one metric share a tolerance but for those that could not be computed
        allowed = max((figure.tolerance for figure in figures), key=lambda tolerance: tolerance.limit)
        largest = max(figure.difference for figure in figures)
        misses = tuple(figure for figure in figures if figure.misses)
        short = tuple(figure for figure in figures if figure.short)
        rows.append(Row(section, metric, len(figures), largest, str(allowed), misses, short))
    order = list(golden.figures)
    rows.sort(key=lambda row: order.index(row.section))
    programs = golden.block("meta", "generated_with")
    return Agreement(
        golden.name,
        str(golden.folder),
        dict(programs) if isinstance(programs, Mapping) else {},
        tuple(rows),
        tuple(golden.ledger.omissions),
        _UNEVEN if golden.unevenness > WARNED else "",
        tuple(optima),
    )


def report(found: Iterable[Agreement]) -> dict[str, object]:
    """Return the comparison for machines: plain values, differences that do not exist as null.

    ``schema`` counts up when the shape changes: ``{schema, version, agrees, sets: [{name, folder, programs, agrees,
    rows: [{section, metric, compared, largest, tolerance, verdict, misses: [{key, ours, theirs, difference}], short:
    [as misses]}], optima: [{place, measure, ours, theirs, verdict, figures}], remark, not_compared: [{section, reason,
    keys}]}]}``.
    """
    sets = [
        {
            "name": each.name,
            "folder": each.folder,
            "programs": each.programs,
            "agrees": not each.misses,
            "rows": [
                {
                    "section": row.section,
                    "metric": row.metric,
                    "compared": row.compared,
                    "largest": _finite(row.largest),
                    "tolerance": row.tolerance,
                    "verdict": row.verdict,
                    "misses": [_plain(figure) for figure in row.misses],
                    "short": [_plain(figure) for figure in row.short],
                }
                for row in each.rows
            ],
            "optima": [{name: _finite(value) for name, value in asdict(optimum).items()} for optimum in each.optima],
            "remark": each.remark,
            "not_compared": [
                {"section": section, "reason": reason, "keys": keys} for section, reason, keys in each.reasons()
            ],
        }
        for each in found
    ]
    return {"schema": SCHEMA, "version": __version__, "agrees": all(each["agrees"] for each in sets), "sets": sets}


def _plain(figure: Figure) -> dict[str, object]:
    return {name: _finite(getattr(figure, name)) for name in ("key", "ours", "theirs", "difference")}


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
