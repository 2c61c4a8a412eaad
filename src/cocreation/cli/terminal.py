"""What all verbs share: colours, the console, bars, paths as a person writes them, and the end by a signal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .._files import user_path

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["COLOURS", "Stopped", "absent", "console", "expanded", "figure", "progress_of", "share_of"]

COLOURS = {"ok": "green", "within": "green", "agrees": "green", "passes": "green", "implied": "cyan", "info": "cyan",
            "warn": "yellow", "not attainable together": "yellow", "fails": "yellow", "differs": "bold yellow",
            "fail": "bold red", "outside": "bold red"}  # fmt: skip


class Stopped(Exception):
    """The work was ended by a signal; ``status`` is the exit status that says by which."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def expanded(given: Path | list[Path] | None) -> Path | list[Path] | None:
    """Return the path of an option, or its paths, with "~" written out: the callback of every option that takes one."""
    if given is None:
        return None
    return [user_path(each) for each in given] if isinstance(given, list) else user_path(given)


def console() -> Console:
    """Return a console as wide as the terminal; a file or a pipe gets room enough for every table."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=120)


@contextmanager
def progress_of(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar on stderr while the block runs, if stderr is a terminal; yield what moves it.

    Without rich there is none: the doctor must be able to say that it is missing.
    """
    try:
        import rich.progress  # noqa: F401
    except ImportError:
        yield lambda done, total, name: None
        return
    with _bar() as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total, name: bar.update(task, completed=done, total=total, description=f"{what}: {name}")


@contextmanager
def share_of(what: str) -> Iterator[Callable[[float, str], None]]:
    """The same for work that reports the share done, from 0 to 1."""
    with _bar() as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share, text: bar.update(task, completed=share, description=f"{what}: {text}")


def _bar():
    from ..progress import bar

    return bar()


def figure(value: object, decimals: int = 3, *, sign: str = "-") -> str:
    if absent(value):
        return ""
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:{sign}.{decimals}f}" if abs(value) >= 1e-6 or value == 0 else f"{value:.0e}"


def absent(value: object) -> bool:
    return value is None or value != value
