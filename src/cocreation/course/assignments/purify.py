"""The assignment purify: its data, what is right in it, and what the known mistakes give, on any student's data.

The right figures come from :mod:`cocreation.steps`, as in the book. A mistake
is computed, not described: the hint can only appear when the mistake was made.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from ...errors import plain
from ...steps import purify as step
from ...steps.decisions import COLUMNS
from ...survey import population
from ..questions import Mistake, Question, Verdict
from .flawed_scale import flawed_scale

__all__ = ["data", "questions"]

_BELOW = 0.50
_UNRECODED = (
    "This is what you get when the reverse-keyed item is not recoded: it pulls against the others. Use your recoded "
    "answers."
)
_INCOMPLETE = (
    "This is what you get from all respondents, those who skipped an item included. Each figure then describes other "
    "people (pairwise); use the complete respondents everywhere (listwise)."
)


def data(seed: int) -> pd.DataFrame:
    """Return a student's survey: respondents × the items of one dimension, answers 1 … 7, missing where skipped."""
    return flawed_scale(seed).data


def questions(data: pd.DataFrame) -> dict[str, Question]:
    """Return the questions, by id and in order, for a student's data."""
    complete = data.dropna()
    reverse = _citc(complete).idxmin()
    recoded = _turned(complete, reverse)
    rounds = _rounds(recoded)
    dropped = [item for citc in rounds for item in [citc.idxmin()] if citc.min() < _BELOW]
    return {
        "spread": _spread(data, complete),
        "reverse": _reverse(complete, reverse, dropped),
        "recoded": _recoded(data, complete, reverse, recoded),
        "citc": _citc_question(data, complete, recoded, reverse),
        "alpha": _alpha_question(data, complete, recoded, reverse),
        "if_deleted": _if_deleted(complete, recoded),
        "dropped": _dropped(complete, recoded, dropped, rounds[0]),
        "log": _log(recoded, dropped, rounds),
    }


def _spread(data: pd.DataFrame, complete: pd.DataFrame) -> Question:
    def table(frame: pd.DataFrame, ddof: int = 1) -> pd.DataFrame:
        return pd.DataFrame({"mean": frame.mean(), "sd": frame.std(ddof=ddof)})

    return Question(
        table(complete),
        f"means and standard deviations of the {len(complete)} respondents who answered every item.",
        "Keep the respondents without a missing answer, then take the mean and the standard deviation of each column.",
        [
            Mistake("pairwise", table(data), _INCOMPLETE),
            Mistake(
                "n instead of n-1",
                table(complete, ddof=0),
                "Your standard deviations divide by n, as NumPy does unless told otherwise. A sample's divides by "
                "n − 1: use pandas, or ddof=1.",
            ),
            Mistake("pairwise, n instead of n-1", table(data, ddof=0), f"{_INCOMPLETE} And divide by n − 1, not n."),
            Mistake(
                "variance",
                table(complete).assign(sd=complete.var()),
                "Your column sd holds variances. A standard deviation is the square root of the variance.",
            ),
        ],
    )


def _reverse(complete: pd.DataFrame, reverse: str, dropped: list[str]) -> Question:
    others = [item for item in complete.columns if item != reverse]
    weak = "{} is weak, not reverse-keyed: its correlations with the others are near zero. A reverse-keyed item has "
    mistakes = [
        Mistake("weak item", item, weak.format(item) + "clearly negative ones.")
        if item in dropped
        else Mistake(
            "keyed like the others",
            item,
            f"{item} goes the same way as most of the others: look for the row of the correlation table in which "
            "nearly every sign is minus.",
        )
        for item in others
    ]
    return Question(
        reverse,
        f"{reverse} correlates negatively with the others, so its statement says the opposite of theirs.",
        f"Give the name of one item, such as {plain(others[0])}.",
        mistakes,
    )


def _recoded(data: pd.DataFrame, complete: pd.DataFrame, reverse: str, recoded: pd.DataFrame) -> Question:
    low, high = population.load().points
    total = low + high
    # on a scale from 0 the highest answer less the answer is right, and one more than that the likely slip
    near = high if low else high + 1
    rule = f"On a scale from {low} to {high} it is {total} − answer."
    turn = {
        f"{near} - answer": (near - complete[reverse], f"{near} − answer turns {high} into {near - high}. {rule}"),
        "minus sign": (-complete[reverse], f"The minus sign turns {high} into {-high}. {rule}".replace("-", "−")),
    }
    mistakes = [Mistake(name, complete.assign(**{reverse: new}), hint) for name, (new, hint) in turn.items()]
    mistakes += [
        Mistake(
            "not recoded",
            complete,
            f"Nothing has changed: the answers to {reverse} are still as given. Put {total} − answer in their place.",
        ),
        Mistake("all recoded", total - complete, "You turned every item round. Only the reverse-keyed one needs it."),
        Mistake("pairwise", _turned(data, reverse), _INCOMPLETE),
    ]
    return Question(
        recoded,
        f"{reverse} now points the same way as the others, and nothing else has changed.",
        f"Copy the complete answers and put {total} − answer in the column {reverse}; leave all else as it is.",
        mistakes,
    )


def _citc_question(data: pd.DataFrame, complete: pd.DataFrame, recoded: pd.DataFrame, reverse: str) -> Question:
    every = _turned(data, reverse)
    total = recoded.sum(axis=1)
    rest_mean = pd.Series({item: every[item].corr(every.drop(columns=item).mean(axis=1)) for item in every})
    rest_sum = pd.Series({item: every[item].corr(every.drop(columns=item).sum(axis=1)) for item in every})
    return Question(
        _citc(recoded),
        "each item is correlated with the sum of the others, and with nothing of itself.",
        "For each item: add up the other items of each respondent, and correlate the item with that sum.",
        [
            Mistake("not recoded", _citc(complete), _UNRECODED),
            Mistake(
                "uncorrected",
                recoded.corrwith(total),
                "This is the uncorrected item–total correlation: the item is part of the total, so it is correlated "
                "with itself. Subtract the item from the total first.",
            ),
            Mistake(
                "not recoded, uncorrected",
                complete.corrwith(complete.sum(axis=1)),
                "Two things at once: the reverse-keyed item is not recoded, and the item is still part of the total.",
            ),
            Mistake("pairwise", rest_mean, _INCOMPLETE),
            Mistake(
                "missing counted as 0",
                rest_sum,
                "This is what you get when a skipped item counts as 0 in the sum, as pandas adds it up. Use the "
                "complete respondents.",
            ),
            Mistake(
                "mean correlation",
                (recoded.corr().sum() - 1) / (recoded.shape[1] - 1),
                "This is each item's mean correlation with the others. The CITC is its correlation with their sum.",
            ),
        ],
    )


def _alpha_question(data: pd.DataFrame, complete: pd.DataFrame, recoded: pd.DataFrame, reverse: str) -> Question:
    k = recoded.shape[1]
    every = _turned(data, reverse)
    items, total = recoded.var().sum(), recoded.sum(axis=1)
    mean_r = (recoded.corr().to_numpy().sum() - k) / (k * (k - 1))
    mixed = (
        "Here variances with n and with n − 1 are mixed: NumPy divides by n, pandas by n − 1. Alpha is the same with "
        "either, but only if all variances use the same one."
    )
    return Question(
        step.alpha(recoded).alpha,
        "alpha of all items, with every variance taken in the same way.",
        "Alpha is k/(k − 1) · (1 − sum of the items' variances / variance of the sum), with k items.",
        [
            Mistake("not recoded", step.alpha(complete).alpha, _UNRECODED),
            Mistake(
                "no k/(k-1)",
                1 - items / total.var(),
                "The factor k/(k − 1) is missing; without it alpha cannot reach 1.",
            ),
            Mistake("n mixed with n-1", _formula(k, items, total.var(ddof=0)), mixed),
            Mistake("n-1 mixed with n", _formula(k, recoded.var(ddof=0).sum(), total.var()), mixed),
            Mistake(
                "standardized",
                k * mean_r / (1 + (k - 1) * mean_r),
                "This is standardized alpha, from correlations. It treats all items as equally spread; alpha itself "
                "uses variances.",
            ),
            Mistake(
                "sd instead of variance",
                _formula(k, recoded.std().sum(), total.std()),
                "You used standard deviations. Alpha compares variances.",
            ),
            Mistake("pairwise", _formula(k, every.var().sum(), every.sum(axis=1, skipna=False).var()), _INCOMPLETE),
            Mistake(
                "missing counted as 0",
                _formula(k, every.var().sum(), every.sum(axis=1).var()),
                "This is what you get when a skipped item counts as 0 in the sum, as pandas adds it up. Use the "
                "complete respondents.",
            ),
        ],
    )


def _if_deleted(complete: pd.DataFrame, recoded: pd.DataFrame) -> Question:
    k = recoded.shape[1]
    right = _alpha_if_deleted(recoded)
    whole = step.alpha(recoded).alpha
    return Question(
        right,
        f"without its weakest item the scale has an alpha of {right.max():.3f}, with it {whole:.3f}.",
        "For each item: leave it out, and compute alpha of all the others.",
        [
            Mistake("not recoded", _alpha_if_deleted(complete), _UNRECODED),
            Mistake(
                "k of the whole scale",
                right * (k / (k - 1)) / ((k - 1) / (k - 2)),
                f"The factor k/(k − 1) still counts {k} items. Without one there are {k - 1}.",
            ),
            Mistake(
                "whole scale",
                pd.Series(whole, index=right.index),
                "All values are the alpha of the whole scale: the item is still in. Drop its column first.",
            ),
            Mistake("difference", right - whole, "These are differences from alpha. Give alpha without the item."),
            Mistake("citc", _citc(recoded), "These are the CITC. Give the alpha of the scale without each item."),
        ],
    )


def _dropped(complete: pd.DataFrame, recoded: pd.DataFrame, dropped: list[str], first: pd.Series) -> Question:
    at_once = first[first < _BELOW].sort_values(kind="stable").index.tolist()
    unrecoded = [c.idxmin() for c in _rounds(complete) if c.min() < _BELOW]
    rescued = [item for item in at_once if item not in dropped]
    rules = (
        "Drop the item with the lowest CITC if that is below .50, compute all CITC again, and go on until none is "
        "below."
    )

    def judge(answer: Any) -> Verdict | None:
        if not isinstance(answer, list | tuple):
            return None
        stranger = next((str(name) for name in answer if name not in recoded.columns), "")
        if stranger:
            return Verdict(False, f"{plain(stranger)} is not an item of your scale. Name items as strings.", "shape")
        if set(answer) == set(dropped) and list(answer) != dropped:
            return Verdict(False, "The right items, in another order: name the one dropped first, first.", "order")
        if set(answer) == set(at_once) != set(dropped):
            return Verdict(
                False,
                f"You dropped every item below .50 at once. {', '.join(rescued)} was below only because of weaker "
                "company: drop the weakest, compute all CITC again, then decide on the next.",
                "all at once",
            )
        return None

    return Question(
        dropped,
        f"after {len(dropped)} of {len(first)} items every CITC is at least .50."
        + (f" {', '.join(rescued)} was below .50 at first, and is not any more." if rescued else ""),
        rules,
        [
            Mistake("none", [], f"At least one CITC is below .50. {rules}"),
            Mistake("not recoded", unrecoded, f"{_UNRECODED} A reverse-keyed item is to be recoded, not dropped."),
            *(
                Mistake("too few", dropped[:some], f"After these a CITC is still below .50. {rules}")
                for some in range(1, len(dropped))
            ),
        ],
        judge,
    )


def _log(recoded: pd.DataFrame, dropped: list[str], rounds: list[pd.Series]) -> Question:
    decision = pd.Series({item: "drop" if item in dropped else "keep" for item in recoded.columns})
    evidence = rounds[-1].copy()
    for item, citc in zip(dropped, rounds, strict=False):
        evidence[item] = citc[item]

    def judge(answer: Any) -> Verdict:
        return _log_problem(answer, decision, evidence, rounds[0]) or Verdict(
            True, "whoever reads this log can see what was decided, by which rule and on which evidence."
        )

    return Question(decision, "", "", judge=judge)


def _log_problem(log: Any, decision: pd.Series, evidence: pd.Series, first: pd.Series) -> Verdict | None:
    if not isinstance(log, pd.DataFrame):
        return Verdict(False, "The log is a DataFrame with one row an item.", "shape")
    lacking = [name for name in COLUMNS if name not in log.columns]
    if lacking:
        return Verdict(False, f"The log lacks the column {lacking[0]}; it needs {', '.join(COLUMNS)}.", "shape")
    subjects = log["subject"].tolist()
    if sorted(map(str, subjects)) != sorted(decision.index):
        return Verdict(False, "The log needs one row for each item, the kept ones as well, and no other.", "rows")
    for row in log.itertuples(index=False):
        problem = _row_problem(row, decision[row.subject], evidence[row.subject], first[row.subject])
        if problem:
            return problem
    return None


def _row_problem(row: Any, decision: str, evidence: float, first: float) -> Verdict | None:
    if row.decision not in {"keep", "drop"}:
        return Verdict(False, f"{row.subject}: a decision is 'keep' or 'drop', not {plain(row.decision)}.", "decision")
    if row.decision != decision:
        return Verdict(False, f"{row.subject}: the log says {row.decision}, your list of dropped items does not.",
                       "decision")  # fmt: skip
    if not re.search(r"[.,]?50?\b", str(row.rule)) or "citc" not in str(row.rule).lower():
        return Verdict(False, f"{row.subject}: the rule does not say what was compared with what: CITC, and .50.",
                       "rule")  # fmt: skip
    figures = [float(text.replace("−", "-")) for text in re.findall(r"[-−]?\d*\.\d+", str(row.evidence))]
    if any(abs(figure - evidence) <= 0.0051 for figure in figures):
        return None
    if any(abs(figure - first) <= 0.0051 for figure in figures):
        return Verdict(
            False,
            f"{row.subject}: the evidence is the CITC of the first round. The scale has changed since; give the one "
            "on which the decision rests.",
            "first round",
        )
    return Verdict(False, f"{row.subject}: the evidence must hold its CITC with at least two decimals.", "evidence")


def _turned(answers: pd.DataFrame, item: str) -> pd.DataFrame:
    return answers.assign(**{item: population.load().turned(answers[item])})


def _citc(answers: pd.DataFrame) -> pd.Series:
    return step.alpha(answers).items.set_index("item")["citc"]


def _alpha_if_deleted(answers: pd.DataFrame) -> pd.Series:
    return step.alpha(answers).items.set_index("item")["alpha_if_deleted"]


def _rounds(answers: pd.DataFrame) -> list[pd.Series]:
    """Return the CITC of every round of dropping the weakest item, the last round being the kept scale's."""
    rounds = [_citc(answers)]
    while rounds[-1].min() < _BELOW and len(rounds[-1]) > 2:
        rounds.append(_citc(answers[rounds[-1].index.drop(rounds[-1].idxmin())]))
    return rounds


def _formula(k: int, items: float, total: float) -> float:
    return k / (k - 1) * (1 - items / total)
