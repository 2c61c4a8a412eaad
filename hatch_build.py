"""What the wheel takes from ``exercises/``: the practice, known by what a file holds, not by a list of names.

The build runs this before the package can be imported, so it stands on its own.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: whatever resembles one of nbgrader's markers
_MARKER = re.compile(r"#{3}\s*(begin|end)\b|\b(begin|end)[\s_-]*(solution|hidden|mark)", re.IGNORECASE)


class Practice(BuildHookInterface):
    """Card sorts and notebooks for practice go in; the source of an assignment holds its solutions and stays out."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the practice to what the build includes."""
        for path in practice(Path(self.root) / "exercises"):
            build_data["force_include"][str(path)] = f"cocreation/_shipped/exercises/{path.name}"


def practice(folder: Path) -> list[Path]:
    """Return the YAML data, and the notebooks that have nothing of nbgrader's: no cell of its kinds and no marker.

    Raises
    ------
    ValueError
        If a notebook cannot be read, so that nobody knows what it holds.
    """
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    notebooks = [path for path in files if path.suffix == ".ipynb"]
    return [path for path in files if path.suffix == ".yml"] + [path for path in notebooks if not _graded(path)]


def _graded(notebook: Path) -> bool:
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        return any("nbgrader" in cell["metadata"] or _MARKER.search("".join(cell["source"])) for cell in cells)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{notebook} is not a notebook that can be read ({error!r}). Restore it, or move it away."
        ) from error
