"""What each rung of the ladder of invariance holds equal, by the names of the model.

A room behind :mod:`cocreation.steps.validate.invariance`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from ..core.sem import equalities as core
from ..core.sem.model import Model
from ..core.sem.terms import Specification, Term
from ..errors import InputError, plain
from ..inputs.options import names_of, quoted
from .specify import specification_of, with_means

__all__ = ["LEVELS", "Rung", "freed", "measurement", "rung", "text_of"]

#: what each rung holds equal in all groups, beside what the rungs below it do
LEVELS = {"configural": "the same items", "metric": "loadings", "scalar": "intercepts", "strict": "residual variances"}
_HEIGHT = {"=~": 1, "~1": 2, "~~": 3}


@dataclass(frozen=True)
class Rung:
    """One level: the model of each group, and what is equal or free there (positions among the terms)."""

    level: str
    models: tuple[Model, ...]
    equal: tuple[int, ...]
    means: tuple[int, ...]


def measurement(data: pd.DataFrame, model: str | Mapping) -> Specification:
    """Return a model with intercepts and factor means; refuse one that is more than measurement."""
    found = specification_of(data, model, False)
    paths = [f"{term.left} ~ {term.right}" for term in found.terms if term.op == "~"]
    paths += [f"{each.name} := {each.expression}" for each in found.definitions]
    if paths:
        raise InputError(f"Invariance is about measurement, but the model says '{paths[0]}'. Leave that line out.")
    return with_means(found)


def text_of(term: Term) -> str:
    """Return a parameter as ``free`` takes it."""
    return f"{term.left} ~ 1" if term.op == "~1" else f"{term.left} {term.op} {term.right}"


def _equal(specification: Specification, level: str) -> list[int]:
    """Return the positions of what a level holds equal: loadings, items' intercepts, items' residual variances."""
    height, items = list(LEVELS).index(level), set(specification.observed)
    return [
        i
        for i, (term, entry) in enumerate(zip(specification.terms, specification.model.entries, strict=True))
        if _HEIGHT[term.op] <= height
        and entry.parameter >= 0
        and (term.op == "=~" or (term.left in items and term.right in (term.left, "")))
    ]


def freed(specification: Specification, free: Iterable[str], highest: str) -> set[int]:
    """Return the positions of what stays free; refuse what no level asked for holds equal."""
    held = {text_of(specification.terms[i]): i for i in _equal(specification, highest)}
    found = set()
    for wanted in names_of(free, what="parameter"):
        parts = re.fullmatch(r"\s*(.+?)\s*(=~|~~|~)\s*(.+?)\s*", wanted) if isinstance(wanted, str) else None
        if not parts:
            raise InputError(f"free holds {plain(wanted)}. Write 'PE =~ q03', 'q04 ~ 1' or 'q04 ~~ q04'.")
        text = " ".join(parts.groups())
        term = next((each for each in specification.terms if text_of(each) == text), None)
        if term is None or text not in held:
            why = "is not in the model" if term is None else f"is not held equal up to '{highest}'"
            if term is not None and term.fixed is not None:
                why = "is fixed in every group, where it gives its factor a scale (put another item first to free it)"
            raise InputError(
                f"'{text}' {why}. Choose among {quoted(held, most=6) or 'the parameters of a higher level'}."
            )
        if term.label:
            raise InputError(
                f"'{text}' bears the label '{term.label}', so it is equal in all groups. Leave the label out."
            )
        found.add(held[text])
    return found


def rung(specification: Specification, level: str, free: set[int], n_groups: int) -> Rung:
    """Return the models of one level."""
    terms = specification.terms
    equal = [i for i in _equal(specification, level) if i not in free]
    means = _means(specification, free) if list(LEVELS).index(level) >= _HEIGHT["~1"] else []
    labelled = [i for i, term in enumerate(terms) if term.label and term.parameter >= 0]
    models = core.in_groups(specification.model, n_groups, [*equal, *labelled], means)
    return Rung(level, models, tuple(i for i in equal if not terms[i].label), tuple(means))


def _means(specification: Specification, free: set[int]) -> list[int]:
    """Return the positions of the factor means that equal intercepts set free; refuse one that nothing determines."""
    position = {term.left: i for i, term in enumerate(specification.terms) if term.op == "~1"}
    found = []
    for factor, measures in specification.indicators.items():
        items = [item for item in measures if item in specification.observed]
        if items and all(position[item] in free for item in items):
            raise InputError(
                f"All intercepts of factor '{factor}' are set free, so nothing determines its mean. Leave at least one "
                "out of free, better two."
            )
        if items:
            found.append(position[factor])
    return found
