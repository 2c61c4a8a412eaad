"""One thread for many small matrices: more only wait for each other (a fit of 35 ms then takes 400)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController

__all__ = ["one_thread"]


@cache
def _libraries() -> ThreadpoolController:
    # looking for them takes longer than many a fit; numpy's and scipy's are loaded by whoever needs this
    import scipy.linalg  # noqa: F401

    return ThreadpoolController()


def one_thread() -> AbstractContextManager:
    """Return a context in which linear algebra runs in one thread."""
    return _libraries().limit(limits=1)
