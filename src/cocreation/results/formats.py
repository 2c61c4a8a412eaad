"""An APA table (:mod:`.table`) as HTML for notebooks, plain text, Markdown and LaTeX."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from .table import MINUS, Column, Runs, Table, plain

__all__ = ["MARKS", "to_html", "to_markdown", "to_text"]

#: what the eye sees beside a decision; black and white do what colours could not
MARKS = {"keep": "●", "drop": "○", "recode?": "◐"}

# JupyterLab aligns all cells right and has no rules of ours; the book's style sheet is tables.css. So a cell of text
# says that it stands left, the table has its outer rules, and the rest is left to those who show it.
_LEFT = "text-align:left"
_TABLE = "border-top:2px solid;border-bottom:2px solid;font-variant-numeric:tabular-nums"
_CAPTION = f"caption-side:top;white-space:nowrap;{_LEFT}"
#: characters that fit a phone; a wider table must be reached by the keyboard, to be scrolled
_PHONE = 34
#: from so many letters on a cell among figures is rather a text that ends with one
_UNBROKEN = 20
#: as wide as a point and as a digit, where the font's digits are all as wide
_POINT, _DIGIT = "\u2008", "\u2007"


def _runs_html(text: Runs) -> str:
    return "".join(f"<i>{html.escape(piece)}</i>" if italic else html.escape(piece) for piece, italic in text)


def to_html(table: Table) -> str:
    """Return the table as HTML that looks right in JupyterLab and, with its style sheet, in the book."""
    if not table.columns:
        return f'<div class="apa"><p>{_runs_html(table.note)}</p></div>'
    name = html.escape(_name(table))
    reach = f' tabindex="0" role="region" aria-label="{name}"' if table.width > _PHONE else ""
    parts = [f'<div class="apa" style="overflow-x:auto"{reach}>\n<table style="{_TABLE}">\n']
    if table.title or table.number is not None:
        number = "" if table.number is None else f"<b>Table {table.number}</b> "
        parts.append(f'<caption style="{_CAPTION}">{number}{_runs_html(table.title)}</caption>\n')
    if any(column.head or column.spanner for column in table.columns):
        parts += ["<thead>\n", *_heads(table), "</thead>\n"]
    parts.append("<tbody>\n")
    columns = [_aligned(column) for column in table.columns]
    for number, row in enumerate(zip(*columns, strict=True)):
        if table.cut and table.cut[0] == number:
            parts.append(f'<tr><td colspan="{len(columns)}" style="{_LEFT}">{html.escape(table.cut[1])}</td></tr>\n')
        cells = []
        for position, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
            tag = 'th scope="row"' if position == table.stub - 1 and cell else "td"
            cells.append(f"<{tag}{_stands(column)}>{cell}</{tag[:2]}>")
        parts.append(f"<tr>{''.join(cells)}</tr>\n")
    parts.append("</tbody>\n</table>\n")
    if table.note:
        parts.append(f"<p>{_runs_html(table.note)}</p>\n")
    parts.append("</div>")
    return "".join(parts)


def _heads(table: Table) -> Iterator[str]:
    if table.spanners:
        cells = [
            f'<th scope="colgroup" colspan="{width}" style="text-align:center;border-bottom:1px solid">'
            f"{_runs_html(text)}</th>"
            if text
            else f"<td{f' colspan={chr(34)}{width}{chr(34)}' if width > 1 else ''}></td>"
            for text, _, width in _gaps_joined(table.spanners)
        ]
        yield f"<tr>{''.join(cells)}</tr>\n"
    cells = []
    for column in table.columns:
        running = not column.numeric and max(map(len, column.cells), default=0) > 14
        known = column.key.lower() in ("", plain(column.head).lower())
        code = "" if known else f' title="{html.escape(column.key)}"'
        stands = _stands(column, ";min-width:10em" if running else "") + code
        cells.append(f'<th scope="col"{stands}>{_runs_html(column.head)}</th>' if column.head else "<td></td>")
    yield f"<tr>{''.join(cells)}</tr>\n"


def _gaps_joined(spanners: Iterable[tuple[Runs, int, int]]) -> list[tuple[Runs, int, int]]:
    """Make one blank cell of those beside each other."""
    found: list[tuple[Runs, int, int]] = []
    for text, first, width in spanners:
        if found and not text and not found[-1][0]:
            found[-1] = ((), found[-1][1], found[-1][2] + width)
        else:
            found.append((text, first, width))
    return found


def _name(table: Table) -> str:
    """What a listener hears of a table before its cells."""
    heads = ", ".join(plain(column.head) for column in table.columns if column.head)
    return plain(table.title) or (f"Table: {heads}" if heads else "Table")


def _stands(column: Column, more: str = "") -> str:
    return "" if column.numeric else f' style="{_LEFT}{more}"'


def _aligned(column: Column) -> list[str]:
    """The cells as HTML: figures of a column with their points below each other, decisions with their marks."""
    if not column.numeric:
        marks = MARKS if column.key == "decision" else {}
        return [
            f'<span aria-hidden="true">{marks[cell]}</span> {html.escape(cell)}' if cell in marks else html.escape(cell)
            for cell in column.cells
        ]
    after = [_after_point(cell) for cell in column.cells]
    most = max(after)
    shown = []
    for cell, digits in zip(column.cells, after, strict=True):
        room = (_POINT if most and not digits else "") + _DIGIT * (most - digits) if digits >= 0 else ""
        # a figure is not broken between its sign and its digits; what is no figure may be
        shown.append(html.escape(cell.replace(" ", "\xa0") if digits >= 0 and len(cell) < _UNBROKEN else cell) + room)
    return shown


def _after_point(cell: str) -> int:
    """How many digits stand after the point of the number a cell ends with; -1 if it ends with none."""
    found = None if re.search(r"\de[−+]\d+$", cell) else re.search(r"\.(\d+)$|\d$", cell)
    return len(found[1] or "") if found else -1


def to_text(table: Table, *, widest: int | None = None) -> str:
    """Return the table as plain text for a terminal; ``widest`` is where the text of a cell is broken."""
    if not table.columns:
        return plain(table.note)
    heads = [plain(column.head) for column in table.columns]
    lines_of = [[_broken(cell, column, widest) for cell in column.cells] for column in table.columns]
    spanners = [""] * len(heads)
    widths = [
        max(map(len, (head, *(line for cell in lines for line in cell))))
        for head, lines in zip(heads, lines_of, strict=True)
    ]
    for text, first, width in table.spanners:
        spanners[first] = plain(text)
        room = sum(widths[first : first + width]) + 2 * (width - 1)
        widths[first + width - 1] += max(0, len(plain(text)) - room)
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines = [text for text in ("" if table.number is None else f"Table {table.number}", plain(table.title)) if text]
    lines.append(rule)
    if table.spanners:
        line = ""
        for text, first, width in table.spanners:
            line += plain(text).ljust(sum(widths[first : first + width]) + 2 * width)
        lines.append(line.rstrip())
    if any(heads):
        lines += [_line(heads, widths, table.columns), rule]
    for number, row in enumerate(zip(*lines_of, strict=True)):
        if table.cut and table.cut[0] == number:
            lines.append(table.cut[1])
        for cells in zip_longest(*row, fillvalue=""):
            lines.append(_line(cells, widths, table.columns))
    lines.append(rule)
    if table.note:
        lines += textwrap.wrap(plain(table.note), 100, break_long_words=False)
    return "\n".join(lines).replace(MINUS, "-")


def _broken(cell: str, column: Column, widest: int | None) -> list[str]:
    return [cell] if column.numeric or widest is None else textwrap.wrap(cell, widest) or [""]


def _line(cells: Iterable[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    standing = (
        cell.rjust(width) if column.numeric else cell.ljust(width)
        for cell, width, column in zip(cells, widths, columns, strict=True)
    )
    return "  ".join(standing).rstrip()


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_|<>\[\]~$])", r"\\\1", text).replace("\n", " ")


def _runs_markdown(text: Runs) -> str:
    return "".join(f"*{_markdown(piece)}*" if italic else _markdown(piece) for piece, italic in text)


def to_markdown(table: Table) -> str:
    """Return the table as Markdown; a spanner, which Markdown lacks, stands in each of its heads."""
    heads = [
        ": ".join(_runs_markdown(text) for text in (column.spanner, column.head) if text) for column in table.columns
    ]
    lines = [f"**Table {table.number}**", "", f"*{_markdown(plain(table.title))}*", ""]
    lines.append(f"| {' | '.join(heads)} |")
    lines.append(f"|{'|'.join('---:' if column.numeric else ':---' for column in table.columns)}|")
    lines += [f"| {' | '.join(map(_markdown, row))} |" for row in table.rows]
    if table.note:
        lines += ["", _runs_markdown(table.note)]
    return "\n".join(lines) + "\n"
