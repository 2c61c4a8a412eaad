"""What must not reach a student: where it stands in a source notebook, and the proof that none of it is left.

Independent looks are taken at a student edition. Markers: nothing that
resembles one may remain. Notes: no text may stand in a Markdown cell that its
rendering hides, such as an HTML comment. Text: no line of a solution or a hidden test, and no
figure that an answer cell displayed, may occur in it. Taint: a copy of the
source with a canary in every secret place goes through the same machinery, and
none may come out.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from .._files import digest
from ..errors import CourseError

__all__ = [
    "Secrets",
    "cell_name",
    "metadata_of",
    "prove",
    "prove_taint",
    "read_secrets",
    "without_secrets",
]

_KINDS = {"SOLUTION": "solution", "HIDDEN TESTS": "grade", "MARK SCHEME": "task"}
#: the one way to write a marker: alone on its line
_MARKER = re.compile(r"^\s*### (BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)\s*$")
#: whatever somebody may have meant as one
_MEANT = re.compile(
    r"\b(?:begin|end)[\s_-]*(?:solution|hidden[\s_-]*test|mark(?:ing)?[\s_-]*scheme)"
    r"|^\s*#{2,}\s*(?:BEGIN|END)\b|#{3}\s*(?:HASHED\s+)?AUTOTEST",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"(?<![\d.])-?\d*\.\d{3,}(?!\d)")
#: what a browser does not show: comments, declarations, what is no text, and what is marked as hidden
_UNSEEN = re.compile(
    r"<[!?]|<(?:script|style|template|noscript|head|title)\b"
    r"|<[a-z](?:[^>\"']|\"[^\"]*\"|'[^']*')*?\s(?:hidden(?=[\s=/>])"
    r"|style\s*=\s*[\"']?[^>\"']*?(?:display\s*:\s*none|visibility\s*:\s*hidden|(?:opacity|font-size)\s*:\s*0(?![.\d])))",
    re.IGNORECASE,
)
_IMPORT = re.compile(r"^(?:from\s+\S+\s+)?import\s")
#: a line this long (without spaces) says something about the answer wherever it stands
_TELLING = 20

_CELL_METADATA = {"deletable", "editable", "nbgrader", "mystnb"}
_NBGRADER_METADATA = {"cell_type", "checksum", "grade", "grade_id", "locked", "points", "schema_version", "solution",
                      "task"}  # fmt: skip
_KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


@dataclass(frozen=True)
class Secrets:
    """What a source notebook keeps from students.

    Attributes
    ----------
    lines : tuple of (cell name, line)
        The lines of solutions, hidden tests and mark schemes.
    figures : tuple of (cell name, figure)
        Figures with three or more decimals displayed by answer and test cells.
    public : frozenset of str
        The lines outside, as the author wrote them.
    """

    lines: tuple[tuple[str, str], ...]
    figures: tuple[tuple[str, str], ...]
    public: frozenset[str]


def cell_name(cell: NotebookNode, index: int) -> str:
    """Return how to speak of a cell: its grade id, else its place and first words."""
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    if grade_id:
        return f"'{grade_id}' (cell {index + 1})"
    first = cell.source.strip().split("\n")[0][:40]
    return f"{index + 1} (“{first}”)" if first else f"{index + 1}"


def read_secrets(notebook: NotebookNode, file: str) -> Secrets:
    """Find every secret of a source notebook.

    Raises
    ------
    CourseError
        If a marker is unclosed, nested, closed without being opened,
        misspelt, stands in the wrong kind of cell or beside other text; the
        message names the file and the cell.
    """
    lines: list[tuple[str, str]] = []
    figures: list[tuple[str, str]] = []
    public: set[str] = set()
    for index, cell in enumerate(notebook.cells):
        name = cell_name(cell, index)
        flags = cell.metadata.get("nbgrader", {})
        regions = list(_regions(cell, file, name))
        whole = bool(flags.get("solution")) and not any(kind == "SOLUTION" for kind, _ in regions)
        for kind, line in regions:
            if kind or whole:
                lines.append((name, line))
            else:
                public.add(_plain(line))
        if (flags.get("solution") or flags.get("grade")) and cell.cell_type == "code":
            figures.extend((name, figure) for figure in _FIGURE.findall(_output_text(cell)))
    return Secrets(tuple(lines), tuple(dict.fromkeys(figures)), frozenset(public))


def without_secrets(notebook: NotebookNode) -> NotebookNode:
    """Return a copy with only the metadata a student needs; what is not on the list goes."""
    notebook = copy.deepcopy(notebook)
    notebook.metadata = NotebookNode(kernelspec=NotebookNode(_KERNELSPEC), language_info=NotebookNode(name="python"))
    for cell in notebook.cells:
        cell.metadata = metadata_of(cell)
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.pop("attachments", None)
    return notebook


def metadata_of(cell: NotebookNode) -> NotebookNode:
    """Return the metadata of a cell that may be published."""
    kept = {key: value for key, value in cell.metadata.items() if key in _CELL_METADATA}
    if "nbgrader" in kept:
        kept["nbgrader"] = {key: value for key, value in kept["nbgrader"].items() if key in _NBGRADER_METADATA}
    if "mystnb" in kept:
        alt = kept["mystnb"].get("image", {}).get("alt")
        kept["mystnb"] = {"image": {"alt": alt}} if isinstance(alt, str) else {}
    return NotebookNode({key: NotebookNode(value) if isinstance(value, dict) else value for key, value in kept.items()})


def prove(edition: NotebookNode, secrets: Secrets, file: str) -> None:
    """Raise if anything of the secrets, or anything like a marker, an output or a note, is left.

    ``edition`` is read back from the bytes that will be published.

    Raises
    ------
    CourseError
        Naming the file, the cell and what was left.
    """
    for index, cell in enumerate(edition.cells):
        name = cell_name(cell, index)
        if cell.get("outputs") or cell.get("execution_count") is not None:
            raise _leak(file, name, "an output")
        if cell.metadata != metadata_of(cell):
            raise _leak(file, name, "instructor's metadata")
        for line in cell.source.split("\n"):
            if _MEANT.search(line):
                raise _leak(file, name, f"the marker “{line.strip()}”")
        if cell.cell_type == "markdown" and (note := _hidden(cell.source)):
            raise CourseError(
                f"The student edition of {file} would hold a note that only its source shows, “{note}”, in cell "
                f"{name}. Take it out, or keep it in a notebook of your own."
            )
    if set(edition.metadata) - {"kernelspec", "language_info"}:
        raise _leak(file, "metadata of the notebook", "instructor's metadata")
    _prove_text(edition, secrets, file)


def _hidden(text: str) -> str | None:
    """Return the first piece of Markdown that a reader of the rendered cell does not see, or None.

    That is a comment or a hidden element of HTML, and the link that leads nowhere, ``[//]: # (…)``, which some use as
    a comment. In code, where such a thing is shown, it is none.
    """
    from markdown_it import MarkdownIt

    links: dict[str, Any] = {}
    pieces = MarkdownIt("commonmark").parse(text, links)
    pieces = [piece for each in pieces for piece in (each, *(each.children or ()))]
    for piece in pieces:
        if piece.type in ("html_block", "html_inline") and (found := _UNSEEN.search(piece.content)):
            return _shortened(piece.content[found.start() :])
    for link in links.get("references", {}).values():
        if link["href"] in ("", "#") and link["title"]:
            return _shortened(link["title"])
    return None


def _shortened(text: str) -> str:
    first = text.strip().split("\n")[0]
    return first if len(first) <= 60 else f"{first[:60]}…"


def _prove_text(edition: NotebookNode, secrets: Secrets, file: str) -> None:
    places = [(cell_name(cell, index), _plain(cell.source)) for index, cell in enumerate(edition.cells)]
    for owner, line in secrets.lines:
        text = _plain(line)
        shared = any(text in known for known in secrets.public)
        if not text or _IMPORT.match(line.strip()) or (shared and len(text) < _TELLING):
            continue
        if len(text) < 4 and not text.isalnum():
            continue  # a lone bracket says nothing
        for name, source in places:
            if text in source:
                raise CourseError(
                    f"The student edition of {file} would show a line of {owner} in cell {name}: “{line.strip()}”. "
                    "Put it between markers there too, or write one of the two differently."
                )
    for owner, figure in secrets.figures:
        for name, source in places:
            if re.search(rf"(?<![\d.]){re.escape(figure)}(?!\d)", source):
                raise CourseError(
                    f"The student edition of {file} would show {figure}, which cell {owner} displays as its answer, "
                    f"in cell {name}. Take the figure out of the text."
                )


def prove_taint(notebook: NotebookNode, make: Callable[[NotebookNode], str], file: str) -> None:
    """Send a copy with a canary in every secret place through ``make``; raise if one comes out.

    Raises
    ------
    CourseError
        If the text that ``make`` returns holds a canary.
    """
    tainted = copy.deepcopy(notebook)
    canary = "canary" + digest(file.encode())[:16]
    tainted.metadata[canary] = {"note": canary}
    for index, cell in enumerate(tainted.cells):
        cell.metadata[canary] = canary
        cell.metadata.setdefault("tags", []).append(canary)
        flags = cell.metadata.get("nbgrader")
        if flags is not None:
            flags[canary] = canary
        _taint_source(cell, canary, file, cell_name(cell, index))
        if cell.cell_type == "code":
            cell.outputs.append(new_output("stream", name="stdout", text=canary))
            cell.outputs.append(new_output("execute_result", data={"text/plain": canary}, execution_count=7))
    if canary in make(tainted):
        raise CourseError(
            f"A mark planted in the solutions, tests, outputs and metadata of {file} came out in the student edition, "
            "so it would leak. Nothing was released; check the versions of nbgrader and nbconvert with "
            "'cocreation doctor'."
        )


def _taint_source(cell: NotebookNode, canary: str, file: str, name: str) -> None:
    regions = list(_regions(cell, file, name, markers=True))
    solution = bool(cell.metadata.get("nbgrader", {}).get("solution"))
    if solution and not any(kind == "SOLUTION" for kind, _ in regions):
        cell.source += f"\n# {canary}"
        return
    tainted = []
    for kind, line in regions:
        tainted.append(line)
        if kind and _MARKER.match(line):
            tainted.append(re.match(r"\s*", line)[0] + f"# {canary}")
    cell.source = "\n".join(tainted)


def _regions(cell: NotebookNode, file: str, name: str, *, markers: bool = False) -> Iterator[tuple[str, str]]:
    """Yield (kind of the region or "", line); the markers' own lines only if asked for."""
    where = f"{file}, cell {name}"
    flags = cell.metadata.get("nbgrader", {})
    inside = ""
    for line in cell.source.split("\n"):
        marker = _MARKER.match(line)
        if not marker:
            if _MEANT.search(line):
                raise CourseError(
                    f"{where}: “{line.strip()}” looks like a marker but is none. Write it alone on its line as "
                    "'### BEGIN SOLUTION', '### END SOLUTION', '### BEGIN HIDDEN TESTS' or '### END HIDDEN TESTS', "
                    "or reword it."
                )
            yield inside, line
            continue
        edge, kind = marker.groups()
        if edge == "BEGIN" and inside:
            raise CourseError(f"{where}: '### BEGIN {kind}' stands inside an open {inside}. Close that one first.")
        if edge == "END" and inside != kind:
            raise CourseError(f"{where}: '### END {kind}' closes nothing. Add '### BEGIN {kind}' above it.")
        if not flags.get(_KINDS[kind]):
            raise CourseError(
                f"{where}: a {kind} region stands in a cell that is not marked as {_KINDS[kind]}, so nbgrader would "
                f"not find it. Set nbgrader.{_KINDS[kind]} to true in the cell's metadata, or move the region."
            )
        inside = kind if edge == "BEGIN" else ""
        if markers:
            yield kind if edge == "BEGIN" else "", line
    if inside:
        raise CourseError(f"{where}: '### BEGIN {inside}' is never closed. Add '### END {inside}'.")


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _output_text(cell: NotebookNode) -> str:
    parts = []
    for output in cell.get("outputs", []):
        parts.append(output.get("text", ""))
        parts.extend(str(value) for kind, value in output.get("data", {}).items() if kind.startswith("text/"))
    return "\n".join("".join(part) if isinstance(part, list) else part for part in parts)


def _leak(file: str, name: str, what: str) -> CourseError:
    return CourseError(f"The student edition of {file} still holds {what} in cell {name}. Nothing was released.")
