"""Model syntax: lavaan's text to a table of entries, with lavaan's defaults.

Understood are ``factor =~ items`` (also factors on the right: second order),
``a ~~ b`` and ``a ~ b`` among latent variables, several terms joined by ``+``,
and before a term a number (fixed), ``NA*`` (free), ``start(0.2)*`` or a label;
terms that share a label are equal. ``#`` and ``!`` begin a comment, which ends with
the line; ``;`` ends a statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..errors import InputError
from .ml import Entry, Model

__all__ = ["Specification", "Term", "parse"]

_NAME = re.compile(r"[^\W\d][\w.]*")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass
class Term:
    """One line of a parameter table: ``left op right`` with what was asked of it."""

    left: str
    op: str
    right: str
    fixed: float | None = None
    start: float | None = None
    label: str = ""
    free: bool = False
    parameter: int = -1


@dataclass(frozen=True)
class Specification:
    """A model by names: its observed and latent variables, terms, and :class:`~cocreation.core.ml.Model`.

    ``terms[i]`` belongs to ``model.entries[i]``.
    """

    observed: tuple[str, ...]
    latent: tuple[str, ...]
    terms: tuple[Term, ...]
    model: Model

    @property
    def indicators(self) -> dict[str, list[str]]:
        """What each latent variable is measured by, in the order written."""
        found: dict[str, list[str]] = {name: [] for name in self.latent}
        for term in self.terms:
            if term.op == "=~":
                found[term.left].append(term.right)
        return found


@dataclass
class _Draft:
    terms: dict[tuple[str, str, str], Term] = field(default_factory=dict)

    def get(self, left: str, op: str, right: str) -> Term:
        key = (left, op, right)
        if op == "~~" and (right, op, left) in self.terms:
            key = (right, op, left)
        return self.terms.setdefault(key, Term(*key))

    def has(self, left: str, op: str, right: str) -> bool:
        return (left, op, right) in self.terms or (op == "~~" and (right, op, left) in self.terms)

    def of(self, op: str) -> list[Term]:
        return [term for term in self.terms.values() if term.op == op]


def parse(text: str, *, orthogonal: bool = False) -> Specification:
    """Return the model a text describes.

    Parameters
    ----------
    text : str
        lavaan's syntax.
    orthogonal : bool
        Fix the covariances of the factors at zero unless they are written.

    Returns
    -------
    Specification

    Raises
    ------
    InputError
        For a line that is not understood or says something twice, naming it; for
        a model without factors; for a factor without a scale; for a label that
        stands for two numbers.
    """
    if not isinstance(text, str):
        raise InputError(f"Expected the model as text such as 'PE =~ q01 + q02 + q03', got {type(text).__name__}.")
    draft = _Draft()
    for line in _lines(text):
        _read(line, draft)
    measured = draft.of("=~")
    if not measured:
        raise InputError("The model names no factor. Write a line such as 'PE =~ q01 + q02 + q03'.")
    latent = _unique(term.left for term in measured)
    observed = _unique(
        [term.right for term in measured if term.right not in latent]
        + [term.left for term in draft.of("~") if term.left not in latent]
    )
    _refuse_observed_predictors(draft, observed, latent)
    _fix_markers(draft, latent)
    _fix_labelled(draft)
    _refuse_scaleless(draft, latent)
    _add_defaults(draft, observed, latent, orthogonal)
    return _specify(draft, observed, latent)


def _lines(text: str) -> list[str]:
    """Statements, with comments gone and lines that end or begin with + joined."""
    # comments first: a semicolon within one begins no statement
    bare = "\n".join(re.split(r"[#!]", line)[0] for line in text.splitlines())
    kept = [line.strip() for line in re.split(r"[\n;]", bare)]
    joined: list[str] = []
    for line in filter(None, kept):
        if joined and (line.startswith("+") or joined[-1].endswith(("+", "~", "*"))):
            joined[-1] += " " + line
        else:
            joined.append(line)
    return joined


def _read(line: str, draft: _Draft) -> None:
    found = re.fullmatch(r"(.+?)\s*(=~|~~|~)\s*(.+)", line)
    if not found:
        raise InputError(f"The model line {line!r} is not understood. Write 'factor =~ item + item' or 'a ~~ b'.")
    left_side, op, right_side = found.groups()
    for left in (name.strip() for name in left_side.split("+")):
        if not _NAME.fullmatch(left):
            raise InputError(f"{left!r} in the model line {line!r} is not a name. Use letters, digits, '_' and '.'.")
        for piece in right_side.split("+"):
            *modifiers, name = (part.strip() for part in piece.split("*"))
            if not _NAME.fullmatch(name):
                raise InputError(
                    f"{piece.strip()!r} in the model line {line!r} is not understood. A term is an item, or "
                    "number*item, label*item, NA*item."
                )
            if name == left and op != "~~":
                raise InputError(f"'{name}' measures or predicts itself in the model line {line!r}.")
            if draft.has(left, op, name) and not modifiers:
                raise InputError(f"The model says '{left} {op} {name}' twice, again in {line!r}. Say it once.")
            term = draft.get(left, op, name)
            for modifier in modifiers:
                _modify(term, modifier, line)


def _modify(term: Term, modifier: str, line: str) -> None:
    """Add what is asked of a term; ``NA*x + m*x`` asks for both, ``1*x + 2*x`` for the impossible."""
    start = re.fullmatch(r"start\(\s*(.+?)\s*\)", modifier)
    before = (term.fixed, term.start, term.label)
    if start and _NUMBER.fullmatch(start[1]):
        term.start = float(start[1])
    elif _NUMBER.fullmatch(modifier):
        term.fixed = float(modifier)
    elif modifier == "NA":
        term.free = True
    elif _NAME.fullmatch(modifier):
        term.label = modifier
    else:
        raise InputError(f"{modifier!r} in the model line {line!r} is not a number, a label, NA or start(number).")
    changed = any(
        was not in (None, "", now) for was, now in zip(before, (term.fixed, term.start, term.label), strict=True)
    )
    if changed or (term.free and term.fixed is not None):
        raise InputError(
            f"The model asks two different things of '{term.left} {term.op} {term.right}', the second in {line!r}. "
            "Decide for one."
        )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _refuse_observed_predictors(draft: _Draft, observed: tuple[str, ...], latent: tuple[str, ...]) -> None:
    known = {*observed, *latent}
    for term in draft.of("~"):
        if term.right not in latent:
            raise InputError(
                f"'{term.left} ~ {term.right}': a predictor must be a factor of the model. Give '{term.right}' "
                "a line with =~ or leave it out."
            )
    for term in draft.of("~~"):
        for name in (term.left, term.right):
            if name not in known:
                raise InputError(f"'{term.left} ~~ {term.right}': '{name}' stands in no line with =~ or ~.")


def _fix_markers(draft: _Draft, latent: tuple[str, ...]) -> None:
    """Fix a factor's first loading at 1 unless it is fixed or freed in the text."""
    for factor in latent:
        first = next(term for term in draft.of("=~") if term.left == factor)
        if first.fixed is None and not first.free:
            first.fixed = 1.0


def _fix_labelled(draft: _Draft) -> None:
    """Fix every term that shares its label with a fixed one: what equals 1 is 1, as in lavaan."""
    values: dict[str, float] = {}
    for term in draft.terms.values():
        if term.label and term.fixed is not None and values.setdefault(term.label, term.fixed) != term.fixed:
            raise InputError(
                f"The label '{term.label}' stands for {values[term.label]:g} and for {term.fixed:g}. Use two labels."
            )
    for term in draft.terms.values():
        if term.label in values and term.fixed is None:
            if term.free:
                raise InputError(
                    f"NA* frees '{term.left} {term.op} {term.right}', but its label '{term.label}' is fixed at "
                    f"{values[term.label]:g} elsewhere (a factor's first loading is). Free that too, or use two labels."
                )
            term.fixed = values[term.label]


def _refuse_scaleless(draft: _Draft, latent: tuple[str, ...]) -> None:
    for factor in latent:
        scale = [term for term in draft.of("=~") if term.left == factor]
        scale += [term for term in draft.of("~~") if term.left == term.right == factor]
        if all(term.fixed is None for term in scale):
            raise InputError(
                f"Factor '{factor}' has no scale: no loading and no variance is fixed. "
                f"Write '{factor} ~~ 1*{factor}' or fix a loading."
            )


def _add_defaults(draft: _Draft, observed, latent, orthogonal: bool) -> None:
    for name in (*observed, *latent):
        draft.get(name, "~~", name)
    measured = {term.right for term in draft.of("=~")}
    predicted = {term.left for term in draft.of("~")}
    predictors = {term.right for term in draft.of("~")}
    exogenous = [name for name in latent if name not in measured | predicted]
    outcomes = [name for name in (*latent, *observed) if name in predicted - predictors - measured]
    groups = [outcomes] if orthogonal else [exogenous, outcomes]
    for group in groups:
        for i, left in enumerate(group):
            for right in group[i + 1 :]:
                draft.get(left, "~~", right)


def _specify(draft: _Draft, observed: tuple[str, ...], latent: tuple[str, ...]) -> Specification:
    number = {name: i for i, name in enumerate((*observed, *latent))}
    labels: dict[str, int] = {}
    free = 0
    entries = []
    cells: dict[tuple[str, int, int], Term] = {}
    order = {"=~": 0, "~": 1, "~~": 2}
    terms = sorted(draft.terms.values(), key=lambda term: order[term.op])
    for term in terms:
        if term.fixed is None:
            if term.label and term.label in labels:
                term.parameter = labels[term.label]
            else:
                term.parameter = free
                free += 1
                if term.label:
                    labels[term.label] = term.parameter
        value = term.fixed if term.fixed is not None else (np.nan if term.start is None else term.start)
        if term.op == "=~":
            cell = ("A", number[term.right], number[term.left])
        elif term.op == "~":
            cell = ("A", number[term.left], number[term.right])
        else:
            cell = ("P", number[term.left], number[term.right])
        other = cells.setdefault(cell, term)
        if other is not term:
            raise InputError(
                f"'{other.left} {other.op} {other.right}' and '{term.left} {term.op} {term.right}' say the same path. "
                "Leave one out."
            )
        entries.append(Entry(*cell, term.parameter, value))
    return Specification(observed, latent, tuple(terms), Model(len(observed), len(latent), tuple(entries)))
