"""An APA table (:mod:`._apa`) as a table of a Word document."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._files import user_path, write_whole
from ..errors import InputError, needed, plain
from .table import Runs, Table

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["write_docx"]

#: the date of every file, so that the same result is the same bytes
_DATE = datetime(2020, 1, 1)
_WIDEST_UPRIGHT = 92
#: what XML cannot hold: control characters but tab and new line, and halves of characters
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_THICK, _THIN = 12, 6  # eighths of a point


def write_docx(tables: Sequence[Table], path: str | Path) -> Path:
    """Write the tables into a new Word document and return its path.

    Raises
    ------
    InputError
        If the path does not end in .docx or cannot be written to.
    MissingPackageError
        If python-docx is not installed.
    """
    if not isinstance(path, (str, Path)):
        raise InputError(f"path is the name of a file, not {plain(path)}. Write 'tables.docx'.")
    path = user_path(path)
    if path.suffix.lower() != ".docx":
        raise InputError(
            f"A Word document ends in .docx, not in '{path.suffix}'. Write '{path.stem or 'tables'}.docx'."
        )
    docx = needed("python-docx", "A Word document", module="docx")
    from docx.enum.section import WD_ORIENT
    from docx.shared import Cm, Pt

    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    if any(table.width > _WIDEST_UPRIGHT for table in tables):
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = Cm(29.7), Cm(21)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(2.54)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Times New Roman", Pt(12)
    normal.paragraph_format.space_after = Pt(0)
    for position, table in enumerate(tables):
        if position:
            document.add_paragraph()
        _add(document, table)
    properties = document.core_properties
    properties.author, properties.comments, properties.last_modified_by = "cocreation", "", ""
    properties.title = "".join(piece for piece, _ in tables[0].title) if tables else ""
    properties.created = properties.modified = _DATE
    properties.revision = 1
    whole = io.BytesIO()
    document.save(whole)
    write_whole(path, _undated(whole), parents=False)
    return path


def _undated(document: io.BytesIO) -> bytes:
    """Return the archive with one date for all its parts: the moment of writing is no part of a result."""
    out = io.BytesIO()
    with zipfile.ZipFile(document) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, _DATE.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0  # else it tells the operating system
            new.writestr(entry, old.read(name))
    return out.getvalue()


def _add(document: Document, table: Table) -> None:
    from docx.shared import Pt

    number = document.add_paragraph()
    number.add_run(f"Table {table.number}").bold = True
    number.paragraph_format.keep_with_next = True
    title = document.add_paragraph()
    title.add_run("".join(piece for piece, _ in table.title)).italic = True
    title.paragraph_format.keep_with_next = True
    title.paragraph_format.space_after = Pt(6)
    heads = 2 if table.spanners else 1
    grid = document.add_table(rows=heads + len(table.rows), cols=len(table.columns))
    grid.autofit = True
    size = Pt(10 if table.width <= _WIDEST_UPRIGHT else 9 if table.width <= 140 else 8)
    rows = [list(row.cells) for row in grid.rows]
    for text, first, width in table.spanners:
        if text:
            cell = rows[0][first].merge(rows[0][first + width - 1])
            _fill(cell, text, size, "center")
            _rule(cell, bottom=_THIN)
    for position, column in enumerate(table.columns):
        _fill(rows[heads - 1][position], column.head, size, "right" if column.numeric else "left")
        for row, text in enumerate(column.cells, start=heads):
            _fill(rows[row][position], ((text, False),), size, "right" if column.numeric else "left")
    for cell in rows[0]:
        _rule(cell, top=_THICK)
    for cell in rows[heads - 1]:
        _rule(cell, bottom=_THIN)
    for cell in rows[-1]:
        _rule(cell, bottom=_THICK)
    for row in grid.rows[:heads]:
        _repeat(row)
    if table.note:
        note = document.add_paragraph()
        note.paragraph_format.space_before = Pt(4)
        _write(note, table.note, Pt(10))


def _fill(cell: Any, text: Runs, size: Any, align: str) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph = cell.paragraphs[0]
    paragraph.alignment = getattr(WD_ALIGN_PARAGRAPH, align.upper())
    _write(paragraph, text, size)


def _write(paragraph: Any, text: Runs, size: Any) -> None:
    for piece, italic in text:
        if piece:
            run = paragraph.add_run(_UNPRINTABLE.sub("\ufffd", piece))
            run.italic, run.font.size = italic or None, size


def _rule(cell: Any, **edges: int) -> None:
    """Draw rules on the edges named (top, bottom), in eighths of a point."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    properties = cell._tc.get_or_add_tcPr()
    borders = properties.find(qn("w:tcBorders"))
    if borders is None:
        borders = OxmlElement("w:tcBorders")
        properties.append(borders)
    for edge, size in edges.items():
        if borders.find(qn(f"w:{edge}")) is not None:
            continue
        line = OxmlElement(f"w:{edge}")
        for name, value in (("val", "single"), ("sz", str(size)), ("space", "0"), ("color", "auto")):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)


def _repeat(row: Any) -> None:
    """Repeat a head row where the table goes on on the next page."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)
