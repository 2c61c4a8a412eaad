"""What happens to clean answers on the way: items skipped or ticked twice, careless and straight-lining people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ..errors import InputError, plain
from ..inputs.options import ends, generator, names_of, plain_table, whole
from ._shapes import SPOILED

__all__ = ["KINDS", "as_returned", "kinds_of", "spoil"]

#: what can happen to a questionnaire, beside being answered well
KINDS = SPOILED


def spoil(
    answers: pd.DataFrame,
    *,
    seed: int | Iterable[int],
    items: Iterable[str] | None = None,
    not_returned: int = 0,
    skipping: int = 0,
    double_ticking: int = 0,
    careless: int = 0,
    trap_failing: int = 0,
    straight_lining: int = 0,
    trap: str = "trap",
    right: int = 2,
    points: tuple[int, int] = (1, 7),
    straight: Iterable[int] | None = None,
) -> pd.DataFrame:
    """Let some of the respondents spoil their questionnaires.

    Parameters
    ----------
    answers : DataFrame of int, shape (respondents, columns)
        Clean answers, as :func:`cocreation.survey.sample.draw` gives them.
    seed : int
        Decides who spoils what.
    items : iterable of str, optional
        Where skipped items and double ticks occur; all columns by default.
    not_returned, skipping, double_ticking, careless, trap_failing, straight_lining : int
        How many respondents of each kind. A careless respondent answers at
        random and misses the trap question; a straight-lining one gives the
        same answer throughout, half of them to the trap question too.
    trap, right : str, int
        Name of the trap question's column, and its right answer.
    points : (lowest, highest)
        The scale of the answers, such as ``population.points``.
    straight : iterable of int, optional
        What one and the same answer throughout may be; by default any from the
        middle of the scale up.

    Returns
    -------
    DataFrame, shape (respondents, columns + 2)
        Answers as text ("" where there is none, "3|5" for two ticks), the trap
        question, and ``kind``.

    Raises
    ------
    InputError
        If more respondents are to be spoiled than there are, an answer is not a
        whole number on the scale, an item is unknown, or a column for the trap
        question exists already.

    See Also
    --------
    cocreation.survey.sample.draw : Clean answers.
    pre_survey : A survey spoiled so.
    formal_survey : Another.
    cocreation.steps.screen.screen : Find the spoiled ones.

    Examples
    --------
    >>> from cocreation.survey import sample
    >>> raw = spoil(sample.draw(6, seed=1, items=["DO01", "DO02"]), seed=1, skipping=1, straight_lining=1)
    >>> raw["kind"].value_counts().to_dict()
    {'genuine': 4, 'straight_lining': 1, 'skipping': 1}
    """
    plain_table(answers)
    counts = dict(
        zip(KINDS, [not_returned, skipping, double_ticking, careless, trap_failing, straight_lining], strict=True)
    )
    for name, value in counts.items():
        whole(value, name, least=0, remedy="Write how many respondents spoil their questionnaire so.")
    if sum(counts.values()) > len(answers):
        raise InputError(
            f"{sum(counts.values())} of {len(answers)} respondents are to be spoiled. Ask for no more in "
            "all than there are."
        )
    if {trap, "kind"} & set(answers.columns):
        raise InputError(f"The answers have a column '{trap}' or 'kind' already. Give the trap question another name.")
    low, high = (whole(end, "an end of points", least=-1000, remedy="Write points=(1, 7).") for end in ends(points))
    scale = range(low, high + 1)
    straight = list(scale[len(scale) // 2 :]) if straight is None else list(straight)
    for name, value in (("right", right), *(("straight", value) for value in straight)):
        if whole(value, name, least=low, remedy=f"It is an answer from {low} to {high}.") > high:
            raise InputError(f"{name} is an answer from {low} to {high}, not {plain(value)}. Choose one of the scale.")
    chosen = list(answers.columns) if items is None else names_of(items)
    plain_table(answers, chosen)
    for name in answers.columns:
        bad = answers.loc[~answers[name].isin(scale), name]
        if len(bad):
            raise InputError(
                f"Item '{name}', row {plain(bad.index[0])}, holds {plain(bad.iloc[0])}, which is no answer from {low} "
                f"to {high}. Spoil clean answers, as sample.draw() gives them, or name their scale by points=(…, …)."
            )
    rng = generator(seed)
    kind = kinds_of(len(answers), counts, rng)
    return as_returned(answers, kind, rng, chosen, trap, right, (low, high), straight)


def kinds_of(n: int, spoiled: Mapping[str, int], rng: np.random.Generator) -> np.ndarray:
    counts = {kind: spoiled.get(kind, 0) for kind in KINDS}
    kind = np.full(n, "genuine", dtype=object)
    kind[rng.permutation(n)[: sum(counts.values())]] = np.repeat(list(counts), list(counts.values()))
    return kind


def as_returned(
    answers: pd.DataFrame,
    kind: np.ndarray,
    rng: np.random.Generator,
    items: list[str],
    trap: str,
    right: int,
    points: tuple[int, int],
    straight: list[int],
) -> pd.DataFrame:
    """Return the answers as text, spoiled as each respondent's kind says."""
    values = answers.to_numpy().copy()
    (low, top), width = points, values.shape[1]
    answered = np.full(len(values), right)
    random = kind == "careless"
    values[random] = rng.integers(low, top + 1, (random.sum(), width))
    wrong = np.array([answer for answer in range(low, top + 1) if answer != right])
    missed = random | (kind == "trap_failing")
    answered[missed] = rng.choice(wrong, missed.sum())
    alike = np.flatnonzero(kind == "straight_lining")
    always = rng.choice(straight, len(alike))
    values[alike] = always[:, None]
    unread = rng.permutation(len(alike)) < len(alike) // 2
    answered[alike[unread]] = always[unread]

    text = values.astype(str).astype(object)
    place = [answers.columns.get_loc(item) for item in items]
    for row in np.flatnonzero(kind == "skipping"):
        skipped = rng.choice(place, rng.integers(1, min(5, len(place)) + 1), replace=False)
        text[row, skipped] = ""
    for row in np.flatnonzero(kind == "double_ticking"):
        for column in rng.choice(place, rng.integers(1, min(2, len(place)) + 1), replace=False):
            tick = values[row, column]
            beside = tick + (1 if tick == low else -1 if tick == top else rng.choice([-1, 1]))
            text[row, column] = f"{min(tick, beside)}|{max(tick, beside)}"
    lost = kind == "not_returned"
    text[lost] = ""
    raw = pd.DataFrame(text, columns=answers.columns, index=answers.index)
    raw[trap] = np.where(lost, "", answered.astype(str))
    raw["kind"] = kind
    return raw
