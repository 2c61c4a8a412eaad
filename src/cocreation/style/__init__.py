"""How figures look."""

from __future__ import annotations

__all__ = ["use"]


def use() -> None:
    """Give figures the course's look, where there is seaborn.

    Examples
    --------
    >>> use()
    """
    try:
        import seaborn
    except ImportError:
        return
    seaborn.set_theme(style="whitegrid", context="notebook", palette="colorblind")
