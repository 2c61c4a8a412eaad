"""The instructions of this processor that NumPy makes use of, and how to go without them."""

from __future__ import annotations

from numpy._core import _multiarray_umath as core


def dispatched() -> str:
    """Return the names of the instructions beyond NumPy's least that it uses on this processor, as it takes them."""
    return " ".join(name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name))
