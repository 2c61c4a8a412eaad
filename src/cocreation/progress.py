"""Long work shows how far it is, and keeps what is done when it is interrupted."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Protocol, TypeVar

from .errors import InputError

__all__ = ["Bar", "bar", "drawn", "gather", "show", "visible"]

Piece = TypeVar("Piece")

#: seconds before a bar is worth showing
_PATIENCE = 1.0

_asked: bool | None = None
_open = 0


def show(on: bool | None = True) -> None:
    """Show progress bars (True), hide them (False), or leave it to who is there (None, as at the start).

    Parameters
    ----------
    on : bool or None
        See above.

    Raises
    ------
    InputError
        For anything else.

    See Also
    --------
    visible : Whether a bar would be shown.

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

    Returns
    -------
    bool

    See Also
    --------
    show : Show or hide bars.
    bar : A bar.

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


class Bar(Protocol):
    """What a bar is told: that there is work, and how far it is."""

    def add_task(self, description: str, *, total: float | None) -> int:
        """Name a piece of work and how large it is.

        Parameters
        ----------
        description : str
            What is being done, in a few words.
        total : float or None
            How much there is to do; None where nobody knows.

        Returns
        -------
        int
            The number by which :meth:`update` speaks of it.
        """

    def update(self, task: int, **fields: object) -> None:
        """Say how much of a piece of work is done.

        Parameters
        ----------
        task : int
            As :meth:`add_task` returned it.
        **fields
            What has changed, such as ``completed=3``.
        """


class _Silent:
    """A bar that shows nothing."""

    def add_task(self, description: str, *, total: float | None) -> int:
        return 0

    def update(self, task: int, **fields: object) -> None:
        pass


@contextmanager
def bar() -> Iterator[Bar]:
    """Open a bar on the error stream, gone when the block ends; work inside the block opens none of its own.

    It is silent where nobody watches, and in a Python without rich or without the thread that redraws it.

    Yields
    ------
    Bar
        With ``add_task`` and ``update`` as rich's Progress has them.

    See Also
    --------
    gather : Long work that may be interrupted.
    visible : Whether a bar would be shown.
    show : Show or hide bars.

    Examples
    --------
    >>> with bar() as shown:
    ...     task = shown.add_task("Counting", total=3)
    ...     shown.update(task, completed=3)
    """
    global _open
    _open += 1
    try:
        with _drawn_by_rich() if visible() and _threads_start() else nullcontext(_Silent()) as shown:
            yield shown
    finally:
        _open -= 1


def _drawn_by_rich() -> AbstractContextManager[Bar]:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    except ImportError:
        return nullcontext(_Silent())
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn()
    # the stream of now: a build that listens to stderr must not hear the bar
    return Progress(*columns, console=Console(file=sys.stderr), transient=True)


def _threads_start() -> bool:
    """Whether a thread can be started; rich finds out only when half the bar is set up."""
    thread = threading.Thread(target=int)
    try:
        thread.start()
    except RuntimeError:
        return False
    thread.join()
    return True


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

    Returns
    -------
    list
        The pieces done, in their order.

    Raises
    ------
    KeyboardInterrupt
        If less than ``least`` was done when Ctrl-C was pressed, or if this is part of larger work.

    See Also
    --------
    bar : A bar alone.
    drawn : How many draws were made, in words.
    show : Show or hide bars.

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

    Parameters
    ----------
    done, asked : int
        Draws made, and asked for.

    Returns
    -------
    str

    See Also
    --------
    gather : Long work that may be interrupted.

    Examples
    --------
    >>> drawn(1000, 1000), drawn(300, 1000)
    ('1000', '300 (interrupted; 1000 were asked for)')
    """
    return f"{done}" if done == asked else f"{done} (interrupted; {asked} were asked for)"
