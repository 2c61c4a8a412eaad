"""Every file of a person: read with one sentence where it cannot be, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
import threading
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .errors import InputError

__all__ = ["Entries", "digest", "read_bytes", "read_json", "read_record", "read_text", "read_toml", "reason",
           "user_path", "write_record", "write_whole"]  # fmt: skip


def digest(content: bytes) -> str:
    """Return the SHA-256 of the bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def reason(error: OSError) -> str:
    """Return why the system refused, in its own words."""
    return error.strerror or str(error) or type(error).__name__


def user_path(given: str | Path) -> Path:
    """Return a path as a person writes it: "~" is their home, "~name" that of another user.

    Raises
    ------
    InputError
        If there is no such user, or the path holds what no path can.
    """
    if "\0" in str(given):
        raise InputError(f"{str(given)!r} is no path: it holds a character that no path can. Write it without.")
    try:
        return Path(given).expanduser()
    except RuntimeError:
        first = Path(given).parts[0]
        raise InputError(
            f"There is no user '{first[1:]}' on this machine, so {given} is nowhere. Write the folder out, or "
            f"'./{first}' for a folder of that name."
        ) from None


def read_bytes(path: Path, *, remedy: str) -> bytes:
    """Return what a file holds; ``remedy`` is the sentence that says how to get one that can be read.

    Raises
    ------
    InputError
        If it is not there, is a folder or a device, or cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{path} is a folder, not a file. {remedy}")
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):  # a terminal or /dev/zero never ends
            raise InputError(f"{path} is a device, not a file. {remedy}")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"There is no file {path}. {remedy}") from None
    except OSError as error:
        raise InputError(f"Cannot read {path}: {reason(error)}. {remedy}") from error


def read_text(path: Path, *, remedy: str) -> str:
    """Return a text file in UTF-8, with any line ends, as text with plain ones.

    Raises
    ------
    InputError
        As :func:`read_bytes`, or if the bytes are no UTF-8.
    """
    try:
        # what utf-8-sig adds to UTF-8 is the mark that some Windows programs put first
        text = read_bytes(path, remedy=remedy).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text. {remedy}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Entries(dict):
    """A table of a file: an entry that is asked for and not there is the file's fault, and told as such."""

    where = ""
    remedy = ""

    def __missing__(self, key: str) -> Any:
        raise InputError(f"{self.where} lacks the entry '{key}'. {self.remedy}")


def read_toml(
    path: Path, *, remedy: str, name: str = "", hint: str = "", parse_float: Callable[[str], Any] = float
) -> Entries:
    """Return what a TOML file says; ``hint`` follows where it says nothing, ``name`` speaks of it instead of its path.

    Raises
    ------
    InputError
        As :func:`read_text`, or if it is no TOML. Later, if an entry is asked for that is not there.
    """
    text, name = read_text(path, remedy=remedy), name or str(path)
    try:
        return _entries(tomllib.loads(text, parse_float=parse_float), name, remedy)
    except RecursionError:
        raise InputError(f"{name} nests its values too deeply. {remedy}") from None
    except ValueError as error:  # tomllib's own, and Python's for a number with thousands of digits
        raise InputError(f"{name} is not TOML: {str(error).rstrip('.')}. {hint or remedy}") from error


def _entries(value: Any, where: str, remedy: str) -> Any:
    if isinstance(value, list):
        return [_entries(each, where, remedy) for each in value]
    if not isinstance(value, dict):
        return value
    table = Entries((key, _entries(each, where, remedy)) for key, each in value.items())
    table.where, table.remedy = where, remedy
    return table


def read_json(path: Path, *, remedy: str) -> Any:
    """Return what a JSON file says.

    Raises
    ------
    InputError
        As :func:`read_text`, or if it is no JSON.
    """
    text = read_text(path, remedy=remedy)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        said = "it nests its values too deeply" if isinstance(error, RecursionError) else str(error).rstrip(".")
        raise InputError(f"{path} is not valid JSON: {said}. {remedy}") from None


def write_whole(path: Path, content: bytes, *, parents: bool = True) -> None:
    """Write a file through a neighbour and a rename: a reader sees the old content or the new, never half of it.

    A file that is there keeps its permissions, and a link still leads where it led.

    Parameters
    ----------
    path : Path
    content : bytes
    parents : bool
        Make the folder if it is not there.

    Raises
    ------
    InputError
        If it cannot be written there; the old file is then as it was.
    """
    target = Path(os.path.realpath(path))
    # short, so that it fits wherever the name itself does
    half = target.with_name(f".{os.getpid()}-{threading.get_ident()}.part")
    try:
        if parents:
            target.parent.mkdir(parents=True, exist_ok=True)
        there = target.exists()
        if there and not target.is_file():
            raise InputError(f"Cannot write to {path}: it is no ordinary file. Name a file.")
        if there and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # else a power cut after the rename could leave an empty file
        if there:
            shutil.copymode(target, half)
        half.replace(target)
    except OSError as error:
        raise InputError(f"Cannot write to {path}: {reason(error)}. {_way_out(error, path)}") from error
    finally:
        with contextlib.suppress(OSError):  # renamed, never made, or its folder is gone
            half.unlink()


def _way_out(error: OSError, path: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Make room there, or choose another folder."
    if error.errno == errno.ENOENT:
        return f"Make the folder {path.parent} first."
    return "Choose a folder that you may write to."


def read_record(path: Path) -> dict[str, dict[str, str]]:
    """Return a record of written files, empty if there is none yet.

    Raises
    ------
    InputError
        If the file is there but is not such a record.
    """
    if not path.exists():
        return {}
    try:
        record = read_json(path, remedy="")
        return {str(section): dict(files) for section, files in record.items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"{path} is damaged, so what was written there before is unknown. Delete that one file and try again; "
            "nothing else is lost."
        ) from error


def write_record(path: Path, record: Mapping[str, Mapping[str, str]]) -> None:
    """Write the record, its keys sorted, so that equal folders have equal records."""
    write_whole(path, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
