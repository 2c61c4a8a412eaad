"""What to say of a model that has several minima: which other competes, and what to look at."""

from __future__ import annotations

import numpy as np

from ..core.sem import starts
from ..core.sem.model import standardize
from ..core.sem.terms import Specification
from ..inputs.options import quoted

__all__ = ["beside", "remarks_on", "searched"]

#: an item belongs to what a factor measures where its standardized loading is this large
_LOADS = 0.5
_METHOD = (
    "A factor with free loadings on the items of others can take several shares of them that fit about as well: "
    "this is the lowest of the minima that searches from several starts reached. Do not interpret its loadings."
)
_LOOK = (
    "Look at the correlations among these items: leave out one of two that repeat each other, and give each cluster "
    "a factor of its own."
)


def remarks_on(specification: Specification, reached: starts.Optima, n: int) -> tuple[tuple[str, str], ...]:
    """Return the warnings of minima beside the lowest.

    Parameters
    ----------
    specification : Specification
    reached : Optima
        The fits, the one reported first.
    n : int
        By what their F is multiplied for chi-square.

    Returns
    -------
    tuple of (subject, warning)
    """
    if reached.starts == 1:
        return ()
    if starts.loose(specification.model):
        return (("model", _METHOD),)
    first, *others = reached.found
    chi2, told = _chi2(first, n), []
    if not first.proper:
        best = next((other for other in others if other.proper), None)
        other = (
            f"The lowest proper one has chi-square {_chi2(best, n)}. {_unlike(specification, first, best)}"
            if best
            else "None of the searches ended at a proper one."
        )
        told.append(
            f"The lowest minimum, chi-square {chi2}, is reported as lavaan would, but it holds a negative variance or "
            f"a correlation beyond 1. {other}"
        )
        others = [each for each in others if each is not best]
    for each in others[:2]:
        told.append(
            f"Another minimum competes: chi-square {_chi2(each, n)}{'' if each.proper else ' (improper)'} beside the "
            f"{chi2} reported, less than {starts.MARGIN:g} points or {100 * starts.SHARE:g} % above. "
            f"{_unlike(specification, first, each)}"
        )
    return tuple(("model", f"{text.strip()} {_LOOK}") for text in told)


def beside(reached: starts.Optima, n: int) -> str:
    """Return in a few words the minimum beside the lowest that a reader of a table must know of, if there is one.

    Parameters
    ----------
    reached : Optima
        The fits, the one reported first.
    n : int
        By what their F is multiplied for chi-square.

    Returns
    -------
    str
    """
    first, *others = reached.found
    if not others:
        return ""
    proper = next((each for each in others if each.proper), None)
    if proper and not first.proper:
        return f"lowest proper minimum at chi-square {_chi2(proper, n)}"
    return f"another minimum competes, at chi-square {_chi2(others[0], n)}"


def searched(count: int) -> str:
    """Return for a note from how many starts a minimum was searched; nothing for one.

    Parameters
    ----------
    count : int
        Starts.

    Returns
    -------
    str
    """
    if count == 1:
        return ""
    return f" The lowest minimum that searches from {count} starts reached; that no lower one exists cannot be proved."


def _chi2(optimum: starts.Optimum, n: int) -> str:
    return f"{n * optimum.fitted.minimum:.2f}"


def _impossible(specification: Specification, optimum: starts.Optimum) -> str:
    names = (*specification.observed, *specification.latent)
    negative = np.diag(optimum.fitted.matrices[1]) < 0
    if negative.any():
        return f"negative variance of {quoted(name for name, below in zip(names, negative, strict=True) if below)}"
    return "a correlation beyond 1"


def _unlike(specification: Specification, one: starts.Optimum, other: starts.Optimum) -> str:
    """Say which factor measures what at one minimum and at the other."""
    p, names = len(specification.observed), (*specification.observed, *specification.latent)
    here, there = (np.abs(np.nan_to_num(standardize(each.fitted.model, each.fitted.theta)[0])) for each in (one, other))
    for column, factor in enumerate(specification.latent, start=p):
        items = [[names[row] for row in np.flatnonzero(paths[:, column] >= _LOADS)] for paths in (here, there)]
        if items[0] != items[1]:
            mine, theirs = (quoted(group, most=8) if group else "none above .5" for group in items)
            return f"Factor '{factor}' mainly measures {mine} in the one reported, {theirs} in the other."
    return ""
