"""Model syntax: lavaan's text to a table of entries, with lavaan's defaults.

Understood are ``factor =~ items`` (also factors on the right: second order),
``a ~~ b``, ``outcome ~ predictors`` among factors and observed variables, several
terms joined by ``+``, and before a term a number (fixed), ``NA*`` (free),
``start(0.2)*`` or a label; terms that share a label are equal. ``ab := a*b`` defines
a figure by labels. ``#`` and ``!`` begin a comment, which ends with the line; ``;``
ends a statement.

An observed variable that only predicts is a covariate (lavaan's ``fixed.x``): its
variance and its covariances with other covariates are those of the sample and no
parameters of the model, unless a line with ``~~`` names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ...errors import InputError
from .model import Entry, Model
from .terms import LABEL, NAME, Definition, Specification, Term, calculate, short, tree

__all__ = ["parse"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass
class _Draft:
    terms: dict[tuple[str, str, str], Term] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)

    def get(self, left: str, op: str, right: str) -> Term:
        key = (left, op, right)
        if op == "~~" and (right, op, left) in self.terms:
            key = (right, op, left)
        return self.terms.setdefault(key, Term(*key))

    def has(self, left: str, op: str, right: str) -> bool:
        return (left, op, right) in self.terms or (op == "~~" and (right, op, left) in self.terms)

    def of(self, op: str) -> list[Term]:
        return [term for term in self.terms.values() if term.op == op]


def parse(text: str, *, orthogonal: bool = False, std_lv: bool = False) -> Specification:
    """Return the model a text describes.

    Parameters
    ----------
    text : str
        lavaan's syntax.
    orthogonal : bool
        Fix the covariances of the factors at zero unless they are written.
    std_lv : bool
        Give factors their scale by a variance of 1 (of the disturbance, where something explains
        the factor) unless it is written, instead of a first loading of 1.

    Returns
    -------
    Specification

    Raises
    ------
    InputError
        For a line that is not understood or says something twice, naming it; for
        a model without a line that measures or predicts; for a factor without a
        scale; for a label that stands for two numbers; for a definition by labels
        that are not there.
    """
    if not isinstance(text, str):
        raise InputError(f"Expected the model as text such as 'PE =~ q01 + q02 + q03', got {type(text).__name__}.")
    draft = _Draft()
    for line in _lines(text):
        _read(line, draft)
    measured, paths = draft.of("=~"), draft.of("~")
    if not measured and not paths:
        raise InputError("The model names no factor. Write a line such as 'PE =~ q01 + q02 + q03'.")
    latent = _unique(term.left for term in measured)
    named = [*(term.right for term in measured), *(name for term in paths for name in (term.left, term.right))]
    observed = _unique(name for name in named if name not in latent)
    _refuse_strangers(draft, {*observed, *latent})
    # as in lavaan, a covariate named in a line with ~~ becomes a variable of the model
    inner = {term.left for term in paths} | {term.right for term in measured}
    inner |= {name for term in draft.of("~~") for name in (term.left, term.right)}
    covariates = tuple(name for name in observed if name not in inner)
    _fix_scales(draft, latent, std_lv)
    _fix_labelled(draft)
    _refuse_scaleless(draft, latent)
    _add_defaults(draft, observed, latent, covariates, orthogonal)
    return _specify(draft, observed, latent, covariates)


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
    if defined := re.fullmatch(r"(.+?)\s*:=\s*(.+)", line):
        _define(Definition(*defined.groups()), line, draft)
        return
    found = re.fullmatch(r"(.+?)\s*(=~|~~|~)\s*(.+)", line)
    if not found:
        raise InputError(
            f"The model line {short(line)} is not understood. Write 'factor =~ item + item', 'outcome ~ "
            "predictor' or 'a ~~ b'."
        )
    left_side, op, right_side = found.groups()
    for left in (name.strip() for name in left_side.split("+")):
        if not NAME.fullmatch(left):
            raise InputError(
                f"{left!r} in the model line {short(line)} is not a name. Use letters, digits, '_' and '.'."
            )
        for piece in right_side.split("+"):
            *modifiers, name = (part.strip() for part in piece.split("*"))
            if not NAME.fullmatch(name):
                raise InputError(
                    f"{short(piece.strip())} in the model line {short(line)} is not understood. Write names joined "
                    "by +, before a name number*, label* or NA* if need be."
                )
            if name == left and op != "~~":
                raise InputError(f"'{name}' measures or predicts itself in the model line {short(line)}. Name another.")
            if draft.has(left, op, name) and not modifiers:
                raise InputError(f"The model says '{left} {op} {name}' twice, again in {short(line)}. Say it once.")
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
    elif NAME.fullmatch(modifier):
        term.label = modifier
    else:
        raise InputError(f"{modifier!r} in the model line {short(line)} is not a number, a label, NA or start(number).")
    changed = any(
        was not in (None, "", now) for was, now in zip(before, (term.fixed, term.start, term.label), strict=True)
    )
    if changed or (term.free and term.fixed is not None):
        raise InputError(
            f"The model asks two different things of '{term.left} {term.op} {term.right}', the second in "
            f"{short(line)}. Decide for one."
        )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _refuse_strangers(draft: _Draft, known: set[str]) -> None:
    for term in draft.of("~~"):
        for name in (term.left, term.right):
            if name not in known:
                raise InputError(
                    f"'{term.left} ~~ {term.right}': '{name}' stands in no line with =~ or ~. Give it one, or leave "
                    "the term out."
                )
    labels = {term.label for term in draft.terms.values()}
    for definition in draft.definitions.values():
        for name in LABEL.findall(definition.expression):
            if name not in labels:
                raise InputError(
                    f"'{name}' in '{definition.name} := {definition.expression}' is not understood: no term bears "
                    f"that label, no line above defines it. Write {name}* before the term that is meant."
                )
        labels.add(definition.name)


def _define(definition: Definition, line: str, draft: _Draft) -> None:
    if not NAME.fullmatch(definition.name):
        raise InputError(
            f"{definition.name!r} in the model line {short(line)} is not a name. Use letters, digits and '_'."
        )
    if definition.name in draft.definitions:
        raise InputError(f"The model defines '{definition.name}' twice, again in {short(line)}. Give it another name.")
    try:
        # at values that are no neat numbers, so that no division fails by chance
        calculate(tree(definition), dict.fromkeys(LABEL.findall(definition.expression), 0.7390851332))
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        raise InputError(
            f"{short(definition.expression)} in the model line {short(line)} is not understood. Write labels "
            "and numbers with +, -, *, /, ^ and brackets."
        ) from error
    draft.definitions[definition.name] = definition


def _fix_scales(draft: _Draft, latent: tuple[str, ...], std_lv: bool) -> None:
    """Fix a factor's first loading – with ``std_lv`` its variance – at 1 unless it is fixed or freed in the text."""
    for factor in latent:
        first = next(term for term in draft.of("=~") if term.left == factor)
        scale = draft.get(factor, "~~", factor) if std_lv else first
        if scale.fixed is None and not scale.free:
            scale.fixed = 1.0


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


def _add_defaults(draft: _Draft, observed, latent, covariates, orthogonal: bool) -> None:
    for name in (*observed, *latent):
        draft.get(name, "~~", name)
    for i, left in enumerate(covariates):
        for right in covariates[i:]:
            draft.get(left, "~~", right).given = True
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


def _specify(draft: _Draft, observed: tuple[str, ...], latent: tuple[str, ...], covariates) -> Specification:
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
    model = Model(len(observed), len(latent), tuple(entries))
    return Specification(observed, latent, tuple(terms), model, covariates, tuple(draft.definitions.values()))
