"""A model by names: the lines of its parameter table, figures defined by labels, and the specification of both."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from .model import Model

__all__ = ["LABEL", "NAME", "Definition", "Specification", "Term", "calculate", "short", "tree"]

NAME = re.compile(r"[^\W\d][\w.]*")
#: a label within a formula; the e of 1e3 is none
LABEL = re.compile(rf"(?<![\w.]){NAME.pattern}")
_ARITHMETIC = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


def short(text: str) -> str:
    """Return a text in quotes, the middle of a long one left out.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    str
    """
    return repr(text if len(text) <= 100 else f"{text[:60]} … {text[-30:]}")


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
    #: a moment of covariates, which the sample gives
    given: bool = False


@dataclass(frozen=True)
class Definition:
    """A figure defined by labels: ``name := expression``."""

    name: str
    expression: str

    def value(self, of: Mapping[str, complex]) -> complex:
        """Return the figure at these values of the labels; a root of a negative number or a division by 0 is none.

        Raises
        ------
        InputError
            If it does not exist there.
        """
        try:
            found = complex(calculate(tree(self), of))
        except ArithmeticError:
            found = complex(np.nan)
        # a step of the derivative along the imaginary axis is far smaller
        if not np.isfinite(found) or abs(found.imag) > 1e-12 * max(1.0, abs(found)):
            raise InputError(
                f"'{self.name} := {short(self.expression)[1:-1]}' does not exist at the estimates (a division "
                "by zero, or the root of a negative number). Write another expression."
            )
        return found


@dataclass(frozen=True)
class Specification:
    """A model by names: its observed and latent variables, terms, and :class:`~cocreation.core.sem.model.Model`.

    ``terms[i]`` belongs to ``model.entries[i]``. The moments of ``covariates`` are
    parameters of the ``model`` (they come out as in the sample), but none that a
    report counts: their terms are ``given``. ``doubts`` are subjects and warnings: what is
    well written, but seems to be meant otherwise.
    """

    observed: tuple[str, ...]
    latent: tuple[str, ...]
    terms: tuple[Term, ...]
    model: Model
    covariates: tuple[str, ...] = ()
    definitions: tuple[Definition, ...] = ()
    doubts: tuple[tuple[str, str], ...] = ()

    @property
    def indicators(self) -> dict[str, list[str]]:
        """What each latent variable is measured by, in the order written."""
        found: dict[str, list[str]] = {name: [] for name in self.latent}
        for term in self.terms:
            if term.op == "=~":
                found[term.left].append(term.right)
        return found


def tree(definition: Definition) -> ast.expr:
    """Return the formula of a definition as Python's grammar reads it, labels written as ``_`` and their bytes.

    Parameters
    ----------
    definition : Definition
        ``name := expression``.

    Returns
    -------
    ast.expr
    """
    # a label may hold dots, which Python's grammar reads otherwise
    bare = LABEL.sub(lambda name: f"_{name[0].encode().hex()}", definition.expression.replace("^", "**"))
    return ast.parse(bare.strip(), mode="eval").body


def calculate(node: ast.expr, of: Mapping[str, complex]) -> complex:
    """Return the value of a formula, ``of`` the labels in it.

    Parameters
    ----------
    node : ast.expr
        As :func:`tree` returns it.
    of : mapping
        Label to value.

    Returns
    -------
    complex

    Raises
    ------
    ValueError
        For anything but numbers, labels and arithmetic.
    """
    match node:
        case ast.Constant(int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.Name(name) if name.startswith("_"):
            return of[bytes.fromhex(name[1:]).decode()]
        case ast.UnaryOp(op, operand) if type(op) in _ARITHMETIC:
            return _ARITHMETIC[type(op)](calculate(operand, of))
        case ast.BinOp(left, op, right) if type(op) in _ARITHMETIC:
            return _ARITHMETIC[type(op)](calculate(left, of), calculate(right, of))
    raise ValueError(ast.dump(node))
