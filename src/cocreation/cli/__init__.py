"""The command line: one verb for each thing a person does with the course, one module an audience.

Thin on purpose: a verb reads its options, calls the library, and says what
came of it. Heavy imports stand inside the verbs, so that ``--help`` answers at
once; typer's stands inside :func:`main`, so that its absence is told too.
"""

from __future__ import annotations

import errno
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import CourseError
from .terminal import Stopped

__all__ = ["main"]

#: what a system refuses, as against a file that we should have looked for
_REFUSALS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE,
             errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR}  # fmt: skip


class _Terminated(KeyboardInterrupt):
    """SIGTERM: the same end as by Ctrl-C, with the exit status of its own."""

    status = 128 + signal.SIGTERM


def main() -> None:
    """Run the command line; what a user did wrong is one sentence on stderr and exit status 2.

    Lines after that sentence, such as the traceback of a notebook's cell, stay lines. So is what the system refuses
    and what is not installed. Ctrl-C is one sentence and status 130, SIGTERM the same and 143.
    """
    try:
        with _termination():
            from .app import app

            app(prog_name="cocreation")
    except CourseError as error:
        _end(str(error).strip(), 2)
    except (KeyboardInterrupt, Stopped) as stopped:
        _end("Stopped before it was done; every file that was there is whole.", getattr(stopped, "status", 130))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "cocreation"):
            raise
        _end(
            f"The package {package} is not installed, and this needs it. Install what is missing with: "
            "pip install 'cocreation[course]'; 'cocreation doctor' looks for everything else.",
            2,
        )
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        place = f" {error.filename}" if error.filename else ""
        _end(f"The system refuses{place}: {error.strerror}. Mend that, or name another place.", 2)


def _end(sentence: str, status: int) -> None:
    print(f"cocreation: {sentence}", file=sys.stderr)
    sys.exit(status)


@contextmanager
def _termination() -> Iterator[None]:
    """Within the block SIGTERM tidies up as Ctrl-C does; where signals cannot be had nothing changes."""

    def terminate(number: int, frame: object) -> None:
        raise _Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
