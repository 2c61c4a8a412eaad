"""An APA table (:mod:`._apa`) as HTML for notebooks, plain text, Markdown and LaTeX."""

from __future__ import annotations

import html
import re
import textwrap

from .table import MINUS, Column, Runs, Table, plain

__all__ = ["STYLE", "to_html", "to_markdown", "to_text"]

# The classes thrice: Jupyter and the book stripe tables by rules that would win over one. The book aligns cells by
# a rule that says "important", so ours must; in the dark it lays a light ground under all but pandas' tables.
_A = ".apa.apa.apa"
STYLE = (
    "<style>"
    ".text_html:has(.apa){background:none!important;color:inherit!important;padding:0!important}"
    f"{_A}{{overflow-x:auto;margin:0 0 1.5em}}"
    f"{_A} table{{border-collapse:collapse;border:0;width:auto;margin:0;font-variant-numeric:tabular-nums}}"
    f"{_A} caption{{caption-side:top;text-align:left;color:inherit;padding:0 0 .4em}}"
    f"{_A} caption b,{_A} caption i{{display:block;width:max-content;max-width:min(80vw,40em)}}"
    f"{_A} tr{{background:none}}"
    f"{_A} :is(th,td){{border:0;padding:.2em .7em;text-align:left;vertical-align:top;font-weight:inherit;"
    "background:none;color:inherit;white-space:normal;max-width:24em}"
    f"{_A} thead th{{vertical-align:bottom}}"
    f"{_A} :is(th,td).n{{text-align:right!important;white-space:nowrap}}"
    f"{_A} th.w{{min-width:10em}}"
    f"{_A} th.s{{text-align:center!important;border-bottom:1px solid}}"
    f"{_A} thead tr:first-child>*{{border-top:2px solid}}"
    f"{_A} thead tr:last-child>*{{border-bottom:1px solid}}"
    f"{_A} tbody tr:last-child>*{{border-bottom:2px solid}}"
    f"{_A} p{{margin:.4em 0 0;font-size:.9em;max-width:60em}}"
    "</style>"
)


def _runs_html(text: Runs) -> str:
    return "".join(f"<i>{html.escape(piece)}</i>" if italic else html.escape(piece) for piece, italic in text)


def to_html(table: Table) -> str:
    """Return the table as HTML; :data:`STYLE` must stand before the first."""
    reach = ' tabindex="0"' if table.width > 80 else ""  # so that the keyboard can scroll it
    parts = [
        f'<div class="apa"{reach}>\n<table>\n<caption><b>Table {table.number}</b>',
        f"<i>{html.escape(plain(table.title))}</i></caption>\n<thead>\n",
    ]
    if table.spanners:
        cells = [
            f'<th class="s" scope="colgroup" colspan="{width}">{_runs_html(text)}</th>' if text else "<td></td>" * width
            for text, _, width in table.spanners
        ]
        parts.append(f"<tr>{''.join(cells)}</tr>\n")
    heads = (
        f'<th scope="col"{_kind(column.numeric, _running(column))}>{_runs_html(column.head)}</th>'
        if column.head
        else "<td></td>"
        for column in table.columns
    )
    parts.append(f"<tr>{''.join(heads)}</tr>\n</thead>\n<tbody>\n")
    for row in table.rows:
        cells = []
        for position, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
            names_row = position == max(table.stub - 1, 0) and not column.numeric and cell
            tag, scope = ("th", ' scope="row"') if names_row else ("td", "")
            cells.append(f"<{tag}{scope}{_kind(column.numeric)}>{html.escape(cell)}</{tag}>")
        parts.append(f"<tr>{''.join(cells)}</tr>\n")
    parts.append("</tbody>\n</table>\n")
    if table.note:
        parts.append(f"<p>{_runs_html(table.note)}</p>\n")
    parts.append("</div>")
    return "".join(parts)


def _kind(numeric: bool, running: bool = False) -> str:
    return ' class="n"' if numeric else ' class="w"' if running else ""


def _running(column: Column) -> bool:
    """Whether cells hold words enough to need room before the column is squeezed."""
    return not column.numeric and max(map(len, column.cells), default=0) > 14


def to_text(table: Table) -> str:
    """Return the table as plain text for a terminal."""
    heads = [plain(column.head) for column in table.columns]
    spanners = [""] * len(heads)
    widths = [max(map(len, (head, *column.cells))) for head, column in zip(heads, table.columns, strict=True)]
    for text, first, width in table.spanners:
        spanners[first] = plain(text)
        room = sum(widths[first : first + width]) + 2 * (width - 1)
        widths[first + width - 1] += max(0, len(plain(text)) - room)
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    lines = [f"Table {table.number}", plain(table.title), rule]
    if table.spanners:
        line = ""
        for text, first, width in table.spanners:
            line += plain(text).ljust(sum(widths[first : first + width]) + 2 * width)
        lines.append(line.rstrip())
    for row in (heads, None, *table.rows):
        if row is None:
            lines.append(rule)
            continue
        cells = (
            cell.rjust(width) if column.numeric else cell.ljust(width)
            for cell, width, column in zip(row, widths, table.columns, strict=True)
        )
        lines.append("  ".join(cells).rstrip())
    lines.append(rule)
    if table.note:
        lines += textwrap.wrap(plain(table.note), 100, break_long_words=False)
    return "\n".join(lines).replace(MINUS, "-")


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
