"""The model of several groups at one level of invariance."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from ...cfa.equal_parameters import LEVELS
from ...cfa.levels import Climb
from ...errors import InputError, plain
from ...inputs.options import quoted
from ...results.result import Result

__all__ = ["GroupModel", "each_once", "fixed_scales", "lone_intercepts", "what_is_held"]


@dataclass(frozen=True, repr=False)
class GroupModel(Result):
    """One model fitted in all groups at once.

    Attributes
    ----------
    level : str
        The rung of the ladder: what is held equal.
    fit : DataFrame
        Index measure, column value, as of :class:`~cocreation.steps.confirm.Cfa`.
    parameters : DataFrame
        Columns left, op, right, group, label, estimate, se, z, p, lower, upper, std, std_se. What bears
        the same label is the same parameter. Standardized within each group.
    warnings : DataFrame
        Columns subject, warning.
    n : int
    note : str
    """

    title = "One model in several groups"

    level: str
    fit: pd.DataFrame
    parameters: pd.DataFrame
    warnings: pd.DataFrame
    n: int
    note: str

    def measure(self, name: str) -> float:
        """Return one fit measure by name, such as ``"cfi"``.

        Parameters
        ----------
        name : str
            One of the rows of ``fit``, or lavaan's name.

        Returns
        -------
        float

        Raises
        ------
        InputError
            If the name is unknown or the measure does not exist for this model.
        """
        if name not in self.fit.index:
            raise InputError(
                f"There is no fit measure {plain(name)} here. Choose one of "
                f"{quoted(self.fit.index, most=len(self.fit))}."
            )
        return float(self.fit.loc[name, "value"])


def what_is_held(level: str) -> str:
    return ", ".join(list(LEVELS.values())[: list(LEVELS).index(level) + 1])


def each_once(told: list[tuple[str, str]]) -> pd.DataFrame:
    """Return warnings, those that recur at every level with another figure only once."""
    kinds = {(subject, re.split(r"\d", text)[0]): (subject, text) for subject, text in reversed(told)}
    return pd.DataFrame(list(reversed(kinds.values())), columns=["subject", "warning"])


def lone_intercepts(climbed: Climb) -> list[tuple[str, str]]:
    """Warn of factors whose means rest on the intercept of one item."""
    if not any(step.rung.means for step in climbed.steps.values()):
        return []
    terms, last = climbed.specification.terms, list(climbed.steps.values())[-1]
    equal = {terms[i].left for i in last.rung.equal if terms[i].op == "~1"}
    found = []
    for factor, items in climbed.specification.indicators.items():
        anchors = [item for item in items if item in equal]
        if len(anchors) == 1:
            found.append(
                (factor, f"Its mean rests on the intercept of '{anchors[0]}' alone, whose equality is not tested.")
            )
    return found


def fixed_scales(climbed: Climb) -> list[tuple[str, str]]:
    """Warn of factors whose variance is 1 in every group, which equal loadings make an equality of its own."""
    specification = climbed.specification
    if list(climbed.steps) == ["configural"]:
        return []
    return [
        (
            term.left,
            f"Its variance is fixed in every group, so from 'metric' on the model also says that the groups vary alike "
            f"in {term.left}. Scale it by its first item to test the loadings alone.",
        )
        for term in specification.terms
        if term.op == "~~" and term.left == term.right in specification.latent and term.fixed is not None
    ]
