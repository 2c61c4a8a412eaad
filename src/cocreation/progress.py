"""Long work shows how far it is, and keeps what is done when it is interrupted."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TypeVar

from .errors import InputError

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["bar", "drawn", "gather", "show", "visible"]

Piece = TypeVar("Piece")

#: seconds before a bar is worth showing
_PATIENCE = 1.0

_asked: bool | None = None
_open = 0


def show(on: bool | None = True) -> None:
    """Show progress bars (True), hide them (False), or leave it to who is there (None, as at the start).

    Raises
    ------
    InputError
        For anything else.

    Examples
    --------
    >>> show(False)
    >>> visible()
    False
    >>> show(None)
    """
    global _asked
    if on not in (True, False, None):
        raise InputError(f"on is True, False or None, not {on!r}. Write show(True).")
    _asked = on


def visible() -> bool:
    """Return whether a bar would be shown: on a terminal, and in a notebook that a person runs.

    A notebook that a program executes – a test, a build of the book – must not hold the traces of a bar. Such a
    program says so when it sends a cell, for nobody could answer a question either.

    Examples
    --------
    >>> show(True)
    >>> visible()
    True
    >>> show(None)
    """
    if _asked is not None:
        return _asked
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        return bool(getattr(kernel, "_allow_stdin", False))
    return sys.stderr.isatty() and sys.stdout.isatty()


@contextmanager
def bar() -> Iterator[Progress]:
    """Open a bar on the error stream, gone when the block ends; work inside the block opens none of its own.

    Examples
    --------
    >>> with bar() as shown:
    ...     task = shown.add_task("Counting", total=3)
    ...     shown.update(task, completed=3)
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    global _open
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn()
    _open += 1
    try:
        # the stream of now: a build that listens to stderr must not hear the bar
        with Progress(*columns, console=Console(file=sys.stderr), transient=True, disable=not visible()) as shown:
            yield shown
    finally:
        _open -= 1


def gather(
    what: str, pieces: Iterable[Piece], total: int, *, least: int = 1, size: Callable[[Piece], int] = len
) -> list[Piece]:
    """Return the pieces of long work, with a bar where it is visible; Ctrl-C ends the work and keeps what is done.

    Parameters
    ----------
    what : str
        What is being done, for the bar.
    pieces : iterable
        Does the work, a piece at a time.
    total : int
        How large the pieces are together.
    least : int
        How much must be done for it to be worth keeping.
    size : callable
        How large a piece is.

    Raises
    ------
    KeyboardInterrupt
        If less than ``least`` was done when Ctrl-C was pressed, or if this is part of larger work.

    Examples
    --------
    >>> gather("Counting", ([n, n] for n in range(3)), 6)
    [[0, 0], [1, 1], [2, 2]]
    """
    done: list[Piece] = []
    inside, begun = _open > 0, time.monotonic()
    try:
        with ExitStack() as stack:
            move = None
            for piece in pieces:
                done.append(piece)
                amount = sum(map(size, done))
                if move is None and not inside and amount < total and time.monotonic() > begun + _PATIENCE:
                    shown = stack.enter_context(bar())
                    task = shown.add_task(what, total=total)
                    move = shown.update
                if move:
                    move(task, completed=amount)
    except KeyboardInterrupt:
        if inside or sum(map(size, done)) < least:
            raise
    return done


def drawn(done: int, asked: int) -> str:
    """Return how many draws a result rests on, for its note.

    Examples
    --------
    >>> drawn(1000, 1000), drawn(300, 1000)
    ('1000', '300 (interrupted; 1000 were asked for)')
    """
    return f"{done}" if done == asked else f"{done} (interrupted; {asked} were asked for)"
