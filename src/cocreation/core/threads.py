"""One thread for many small matrices: more only wait for each other (a fit of 35 ms then takes 400)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

__all__ = ["one_thread"]


@cache
def _libraries() -> ThreadpoolController | None:
    """Return what sets the number of threads; None where nothing can, as in a browser, which has but one."""
    # looking for them takes longer than many a fit; numpy's and scipy's are loaded by whoever needs this
    import scipy.linalg  # noqa: F401

    try:
        from threadpoolctl import ThreadpoolController

        found = ThreadpoolController()
        with found.limit(limits=1):
            return found
    except Exception:  # whatever a platform without loadable libraries raises: this is about speed, not figures
        return None


def one_thread() -> AbstractContextManager:
    """Return a context in which linear algebra runs in one thread, as far as its libraries let themselves be told.

    Returns
    -------
    context manager
    """
    libraries = _libraries()
    return nullcontext() if libraries is None else libraries.limit(limits=1)
