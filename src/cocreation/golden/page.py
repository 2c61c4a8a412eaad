"""Sphinx extension of the book: the comparison with R as tables, computed when the page is read.

Add ``cocreation.golden.page`` to the extensions. ``{agreement} tests/golden`` compares the golden sets of a
folder of the book and shows what :func:`cocreation.golden.agree.agree` finds; ``{agreement-tolerances}`` shows what
is asked of each kind of figure. A figure outside its tolerance is a warning, which fails the build.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ..errors import CourseError
from .agree import Agreement, Row, agree
from .ledger import TOLERANCES
from .optimum import SHORT
from .sets import FILES, folders
from .terminal import shown

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["setup"]

logger = logging.getLogger(__name__)

#: headings of the page: the sections of a golden set under each
GROUPS = {
    "Respondents, items, correlations": ["n_rows", "n_complete", "descriptives", "correlations"],
    "Reliability": ["reliability", "reliability_all_items", "omega_exploratory"],
    "Exploratory factor analysis": ["efa"],
    "Confirmatory models": ["cfa", "cfa_std_residuals_max", "factor_scores", "cfa_std_lv", "cfa_single",
                            "cfa_second_order", "cfa_bifactor"],
    "Regressions among factors": ["regressions"],
    "Method factors and nested models": ["ulmc_equal", "ulmc_free", "comparisons"],
    "Validity": ["validity"],
    "Robust estimators: MLM, MLR": ["cfa_mlm", "cfa_mlr"],
    "Missing answers: FIML, with MLR": ["cfa_fiml", "cfa_fiml_mlr"],
    "Invariance over groups": ["invariance"],
    "Ordered answers: polychoric correlations, WLSMV": ["ordinal"],
    "Bootstrap": ["bootstrap"],
}  # fmt: skip

#: below this a difference is round-off, which another processor gives otherwise
_ROUND_OFF = 1e-10

_HEAD = ["metric", "figures", "largest difference", "in", "tolerance", "verdict"]

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class AgreementTables(SphinxDirective):
    """``agreement``: golden sets of a folder compared with R."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Return a sentence, a table a group of sections, and what was not compared."""
        folder = Path(self.env.srcdir) / self.arguments[0]
        self._depend_on(folder)
        try:
            found = agree([folder])
        except CourseError as error:
            raise self.error(str(error).replace(f"{self.env.srcdir}/", "")) from error
        for each in found:
            for figure in each.misses:
                text = f"{each.name}, {figure.key}: R has {figure.theirs}, here {figure.ours}."
                logger.warning(text, location=self.get_location(), type="cocreation", subtype="agreement")
        figures = sum(row.compared for each in found for row in each.rows)
        misses = sum(len(each.misses) for each in found)
        verdict = "all within tolerance" if not misses else f"{misses} of them outside tolerance"
        sets = "1 set" if len(found) == 1 else f"{len(found)} sets"
        said = f"{figures} figures of {sets} compared, {verdict}."
        made = "; ".join(dict.fromkeys(f"{_programs(each)}" for each in found))
        page: list[nodes.Node] = [nodes.paragraph("", "", nodes.strong("", said), nodes.Text(f" Made with {made}."))]
        page.append(_wide(["set", "figures compared", "misses", "not compared"], _overview(found)))
        for title, sections in _grouped(found).items():
            page += [nodes.rubric("", title), _wide(_HEAD, _rows(found, sections))]
        return [*page, nodes.rubric("", "Not compared"), _wide(["figures", "why not", "where"], _omitted(found))]

    def _depend_on(self, folder: Path) -> None:
        """Read the page again where a golden file or a source has changed, and only then."""
        package = Path(__file__).parents[1]
        rooms = ("inputs", "core", "results", "cfa", "steps", "golden")
        sources = [path for room in rooms for path in sorted((package / room).rglob("*.py"))]
        files = [path / name for path in folders([folder]) for name in FILES] if folder.is_dir() else []
        for path in [*files, *sources]:
            self.env.note_dependency(str(path))


class ToleranceTable(SphinxDirective):
    """``agreement-tolerances``: what is asked of each kind of figure."""

    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Return the table of tolerances."""
        self.env.note_dependency(str(Path(__file__).with_name("ledger.py")))
        return [
            _wide(["figure", "tolerance"], [(kind, _typeset(str(allowed))) for kind, allowed in TOLERANCES.items()])
        ]


def _programs(each: Agreement) -> str:
    return ", ".join(
        version.split(" Patched")[0] if name == "R" else f"{name} {version}" for name, version in each.programs.items()
    )


def _grouped(found: list[Agreement]) -> dict[str, list[str]]:
    """The headings that have something to show; a section nobody has placed comes under its own name."""
    present = list(dict.fromkeys(row.section for each in found for row in each.rows))
    placed = {section for sections in GROUPS.values() for section in sections}
    groups = GROUPS | {section: [section] for section in present if section not in placed}
    return {title: sections for title, sections in groups.items() if set(sections) & set(present)}


def _rows(found: list[Agreement], sections: list[str]) -> list[tuple[str, ...]]:
    """A row a metric and tolerance: over the sections and sets how many figures, the largest difference and where."""
    together: dict[tuple[str, str], list[tuple[float, str, Row]]] = {}
    for each in found:
        for row in each.rows:
            if row.section in sections:
                together.setdefault((row.metric, row.tolerance), []).append((row.largest, each.name, row))
    rows = []
    for (metric, allowed), parts in together.items():
        largest, where = max((part[:2] for part in parts), key=lambda part: part[0])
        misses = sum(len(row.misses) for _, _, row in parts)
        # which set it is does not matter, and may change with the processor, where it is round-off
        where = where if largest >= _ROUND_OFF else ""
        count = sum(row.compared for _, _, row in parts)
        short = any(row.short for _, _, row in parts)
        verdict = f"{misses} miss" if misses else SHORT if short else "agrees"
        rows.append((metric, str(count), _typeset(_rounded(largest)), where, _typeset(allowed), verdict))
    return rows


def _overview(found: list[Agreement]) -> list[tuple[str, ...]]:
    return [
        (each.name, str(sum(row.compared for row in each.rows)), str(len(each.misses)), str(len(each.omissions)))
        for each in found
    ]


def _rounded(difference: float) -> str:
    return f"< {_ROUND_OFF:.0e}" if 0 < difference < _ROUND_OFF else shown(difference)


def _typeset(text: str) -> str:
    """Powers of ten as one writes them: 3e-07 as 3·10⁻⁷, 4e-02 as 0.04."""

    def power(found: re.Match) -> str:
        digit, exponent = found[1], int(found[2])
        if -3 <= exponent <= 0:
            return f"{float(found[0]):g}"
        raised = f"10{str(exponent).translate(_RAISED)}"
        return raised if digit == "1" else f"{digit}·{raised}"

    return re.sub(r"(\d(?:\.\d)?)e([+-]\d+)", power, text)


def _omitted(found: list[Agreement]) -> list[tuple[str, ...]]:
    together: dict[str, list[tuple[str, str]]] = {}
    for each in found:
        for omission in each.omissions:
            together.setdefault(omission.reason, []).append((each.name, omission.section))
    rows = []
    for reason, places in together.items():
        sets, sections = (list(dict.fromkeys(part)) for part in zip(*places, strict=True))
        where = "all sets" if len(sets) == len(found) > 1 else ", ".join(sets)
        rows.append((str(len(places)), reason, f"{where}: {', '.join(sections) if len(sections) < 5 else 'many'}"))
    return rows


def _breakable(name: str) -> str:
    """A name that a narrow column may break after an underscore."""
    return name.replace("_", "_\u200b")


def _wide(head: Sequence[str], rows: Iterable[Sequence[str]]) -> nodes.table:
    table = nodes.table(classes=["agreement"])
    group = nodes.tgroup(cols=len(head))
    table += group
    group.extend(nodes.colspec(colwidth=1) for _ in head)
    header, body = nodes.thead(), nodes.tbody()
    group.extend((header, body))
    for part, lines in ((header, [head]), (body, rows)):
        for cells in lines:
            row = nodes.row()
            row.extend(nodes.entry("", nodes.paragraph("", _breakable(text))) for text in cells)
            part += row
    return table


def setup(app: Sphinx) -> dict[str, object]:
    """Register the directives with Sphinx."""
    app.add_directive("agreement", AgreementTables)
    app.add_directive("agreement-tolerances", ToleranceTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
