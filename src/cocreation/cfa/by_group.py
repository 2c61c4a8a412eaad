"""Answers by group: who belongs where, and whether every group can carry the model.

A room behind :mod:`cocreation.steps.validate`.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import pandas as pd

from ..core.sem.terms import Specification
from ..errors import InputError, plain
from ..inputs.answers import items_frame
from ..inputs.labels import bare, labels_in
from ..inputs.options import quoted
from .specify import answers_of

__all__ = ["Grouped", "by_group"]


@dataclass(frozen=True)
class Grouped:
    """The answers of each group, the reference first.

    They come in the order in which they first appear among all rows, whoever can be used, or of an ordered
    Categorical in that of its categories: ``order`` says which. ``who`` says whose answers they are; ``remarks``
    what a careful reader would want to know.
    """

    frames: dict[str, pd.DataFrame]
    order: str
    who: str
    remarks: tuple[tuple[str, str], ...]

    @property
    def sizes(self) -> pd.DataFrame:
        """How many respondents each group has."""
        return pd.DataFrame({"group": list(self.frames), "n": [len(frame) for frame in self.frames.values()]})


def by_group(data: pd.DataFrame, specification: Specification, group: Hashable, missing: str) -> Grouped:
    """Return the answers to a model's items group by group; refuse, by name, what no model could be fitted to."""
    items = specification.observed
    frame = items_frame(data, items, missing="keep", constant="keep", respondents=0)
    if not isinstance(group, Hashable) or group not in data.columns:
        raise InputError(
            f"group is the column that says who belongs where, and the data have no column {plain(group)}. Known "
            f"columns are {quoted(data.columns, most=8) or 'none'}; check the spelling."
        )
    if group in items:
        raise InputError(f"The group column '{group}' is an item of the model. Choose a column that is none.")
    labels, names, order = _labels(data[group], group)
    # respondents may bear one name: they are told apart by their row
    frame, labels = frame.set_axis(range(len(data))), labels.set_axis(range(len(data)))
    usable = frame.notna().all(axis=1) if missing == "listwise" else frame.notna().any(axis=1)
    _refuse_unanswered(frame)
    answers_of(frame, specification, missing)
    found = {
        label: _fit_for_a_model(frame[labels == label], label, specification, group, missing)
        for label in _at_least_two([name for name in names if (labels[usable] == name).any()], group)
    }
    why = "with missing answers" if missing == "listwise" else "without any answer"
    left_out = {why: int((~usable).sum()), "without a group label": int((usable & labels.isna()).sum())}
    told = ", ".join(f"{count} {reason} left out" for reason, count in left_out.items() if count)
    used = sum(map(len, found.values()))
    remarks = _remarks(data[group], names, found, left_out["without a group label"])
    return Grouped(found, order, f"{used} respondents{f' ({told})' if told else ''}", remarks)


def _refuse_unanswered(frame: pd.DataFrame) -> None:
    if len(frame) and (empty := [name for name in frame if frame[name].isna().all()]):
        raise InputError(f"Item {quoted(empty)} has no answer from anybody. Leave it out.")


def _labels(column: pd.Series, group: Hashable) -> tuple[pd.Series, list[str], str]:
    """Return the labels as text, each once in the order of the groups, and what that order is."""
    labels = labels_in(column, "labels", f"data[{plain(group)}]", where=f"of the group column '{group}'")
    labels = labels.map(_label, na_action="ignore").astype(object)
    names = list(dict.fromkeys(labels.dropna()))
    if isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered:
        return labels, [name for name in map(_label, column.cat.categories) if name in names], "of the categories"
    return labels, names, "of their first appearance in the data"


def _label(value: object) -> str:
    """Return a label as text: 2.0 as 2, which missing labels made of it."""
    return value.strip() if isinstance(value, str) else bare(value)


def _at_least_two(labels: list[str], group: Hashable) -> list[str]:
    if len(labels) < 2:
        raise InputError(
            f"The group column '{group}' has {len(labels)} group{'' if len(labels) == 1 else 's'} among the "
            f"respondents who can be used ({quoted(labels) or 'none'}): nothing to compare. Choose another column."
        )
    return labels


def _fit_for_a_model(answers: pd.DataFrame, label: str, specification, group: Hashable, missing: str) -> pd.DataFrame:
    # whole groups: who is left out may be the reason why an item does not vary
    n, p = (
        int((answers.notna().all(axis=1) if missing == "listwise" else answers.notna().any(axis=1)).sum()),
        answers.shape[1],
    )
    where = f"Group '{label}' of '{group}'"
    if n <= p:
        raise InputError(
            f"{where} has {n} {'complete ' if missing == 'listwise' else ''}respondents for {p} items; their "
            "covariances then have no inverse. Leave the group out, or put it together with another."
        )
    try:
        _refuse_unanswered(answers)
        return answers_of(answers, specification, missing)[0]
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _remarks(
    column: pd.Series, names: list[str], found: dict[str, pd.DataFrame], without: int
) -> tuple[tuple[str, str], ...]:
    remarks = []
    if without:
        remarks.append(f"{without} respondents have no group label and are left out.")
    categories = map(_label, column.cat.categories) if isinstance(column.dtype, pd.CategoricalDtype) else ()
    absent = [label for label in dict.fromkeys([*categories, *names]) if label and label not in found]
    if absent:
        remarks.append(f"Nobody who can be used belongs to {quoted(absent)}; no group is made of it.")
    sizes = {label: len(frame) for label, frame in found.items()}
    least = min(sizes, key=sizes.get)
    if max(sizes.values()) > 2 * sizes[least]:
        remarks.append(
            f"Group '{least}' has {sizes[least]} respondents, the largest {max(sizes.values())}: what differs in the "
            "small group weighs little in every figure and is easily overlooked."
        )
    return tuple((str(column.name), text) for text in remarks)
