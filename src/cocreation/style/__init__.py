"""How figures look."""

from __future__ import annotations

import contextlib
import importlib

__all__ = ["use"]


def use() -> None:
    """Give figures the course's look, where there is seaborn.

    Examples
    --------
    >>> use()
    """
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module("seaborn").set_theme(style="whitegrid", context="notebook", palette="colorblind")
