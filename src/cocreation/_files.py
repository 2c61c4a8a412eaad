"""Files that appear whole or not at all, and the record of what was written where."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from .errors import CourseError

__all__ = ["digest", "read_record", "write_record", "write_whole"]


def digest(content: bytes) -> str:
    """Return the SHA-256 of the bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file through a neighbour and a rename, so that a reader never sees half of it.

    Raises
    ------
    CourseError
        If the folder cannot be made or written to.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(content)
        os.replace(half, path)
    except OSError as error:
        with contextlib.suppress(OSError):  # it was never made, or its folder is gone
            half.unlink()
        raise CourseError(
            f"Cannot write {path}: {error.strerror or error}. Choose a folder that you may write to."
        ) from error


def read_record(path: Path) -> dict[str, dict[str, str]]:
    """Return a record of written files, empty if there is none yet.

    Raises
    ------
    CourseError
        If the file is there but is not such a record.
    """
    if not path.exists():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {str(section): dict(files) for section, files in record.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise CourseError(
            f"{path} is damaged, so what was written there before is unknown. Delete that one file and try again; "
            "nothing else is lost."
        ) from error


def write_record(path: Path, record: Mapping[str, Mapping[str, str]]) -> None:
    """Write the record, its keys sorted, so that equal folders have equal records."""
    write_whole(path, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
