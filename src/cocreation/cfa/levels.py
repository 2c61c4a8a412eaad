"""Up the ladder of invariance: one fit in all groups a level, and the tables of each.

A room behind :mod:`cocreation.steps.validate.invariance`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from ..core.sem import equalities as core
from ..core.sem import fit as fit_measures
from ..core.sem import groups, robust
from ..core.sem.terms import Specification
from ..core.threads import one_thread
from ..core.ties import without_noise
from ..errors import EstimationError, InputError, plain
from .by_group import Grouped, by_group
from .equal_parameters import Rung, freed, measurement, rung, text_of
from .several_minima import in_groups
from .tables import parameter_table

__all__ = ["ESTIMATORS", "Climb", "Step", "climb", "parameters", "scores", "warnings_of"]

ESTIMATORS = ("ML", "MLM", "MLR")
_NAMES = {
    "ML": "Maximum likelihood",
    "MLM": "Maximum likelihood with Satorra and Bentler's corrections (MLM)",
    "MLR": "Maximum likelihood with Huber–White standard errors and the Yuan–Bentler chi-square (MLR)",
}


@dataclass(frozen=True)
class Step:
    """One level as it was fitted: measures by name, and the covariance matrix of the estimates."""

    rung: Rung
    fitted: groups.GroupsFit
    measures: dict[str, float]
    covariance: np.ndarray
    remarks: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Climb:
    """All levels."""

    specification: Specification
    grouped: Grouped
    steps: dict[str, Step]
    estimator: str
    note: str

    @property
    def names(self) -> list[str]:
        """The groups."""
        return list(self.grouped.frames)


def climb(
    data: pd.DataFrame,
    model: str | Mapping[str, Sequence[str]],
    group: Hashable,
    levels: Sequence[str],
    free: Iterable[str],
    missing: str,
    estimator: str,
) -> Climb:
    """Fit every level; refuse by name what cannot be fitted."""
    _option("estimator", estimator, ESTIMATORS)
    _option("missing", missing, ("listwise", "fiml"))
    if estimator == "MLM" and missing == "fiml":
        raise InputError("MLM needs complete answers. Use estimator='MLR' with missing='fiml'.")
    specification = measurement(data, model)
    grouped = by_group(data, specification, group, missing)
    apart = freed(specification, free, levels[-1])
    with one_thread():
        steps = _fitted(specification, grouped, levels, apart, missing, estimator)
    told = [text_of(specification.terms[i]) for i in sorted(apart)]
    note = (
        f"{_NAMES[estimator]}{' of all answers given (FIML)' if missing == 'fiml' else ''}, {grouped.who}; groups in "
        f"the order {grouped.order}, '{next(iter(grouped.frames))}' the reference. chi-square = N·F; RMSEA times the "
        f"root of the number of groups; factors scaled by their first item, their means zero in the reference."
        f"{_set_free(told)}"
    )
    return Climb(specification, grouped, steps, estimator, note)


def _fitted(specification: Specification, grouped: Grouped, levels, apart, missing: str, estimator: str):
    x = [frame.to_numpy() for frame in grouped.frames.values()]
    samples, unrestricted, steps = [groups.samples(answers) for answers in x], [], {}
    for name, group in zip(grouped.frames, samples, strict=True):
        with _saying(f"In group '{name}'"):
            unrestricted.append(groups.saturated(group))
    answers, base, fitted = robust.Answers(x), None, None
    for level in levels:
        step = rung(specification, level, apart, len(x))

        def fit(start, level=level, step=step) -> groups.GroupsFit:
            with _saying(f"At the level '{level}'"):
                found = groups.fit(samples, step.models, start=start, unrestricted=unrestricted)
            _refuse_impossible(specification, found, level, list(grouped.frames))
            return found

        fitted, others = in_groups(fit, specification.model, step.models, samples, unrestricted, fitted)
        base = base or _Base(fitted, answers, estimator)
        steps[level] = _measured(step, fitted, answers, missing, base, others)
    return steps


class _Base:
    """Independence, which every level is compared with: the same at all of them, so what it gives is found once."""

    def __init__(self, fitted: groups.GroupsFit, answers: robust.Answers, estimator: str) -> None:
        self.estimator, self._first, self._answers = estimator, fitted, answers

    @cached_property
    def fitted(self) -> groups.GroupsFit:
        return robust.independence(self._first)

    @cached_property
    def scale(self) -> float:
        return self.corrected(self.fitted).trace / self.fitted.df

    @cached_property
    def misfit(self) -> tuple[float, float]:
        return self.misfit_of(self.fitted)

    def corrected(self, fitted: groups.GroupsFit) -> robust.Robust:
        correct = robust.satorra_bentler if self.estimator == "MLM" else robust.huber_white
        return correct(fitted, self._answers)

    def misfit_of(self, fitted: groups.GroupsFit) -> tuple[float, float]:
        return robust.corrected_misfit(fitted, self._answers, normal=self.estimator == "ML")


@contextmanager
def _saying(where: str) -> Iterator[None]:
    """Add to an estimation error where it arose."""
    try:
        yield
    except EstimationError as error:
        raise EstimationError(f"{where}: {error}") from error


def _set_free(told: list[str]) -> str:
    return f" Free in every group: {', '.join(told)}." if told else ""


def _option(name: str, value: object, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise InputError(f"{name} is one of {', '.join(map(plain, allowed))}, not {plain(value)}. Choose one of them.")


def _refuse_impossible(specification: Specification, fitted: groups.GroupsFit, level: str, names: list[str]) -> None:
    p = len(specification.observed)
    for g, name in enumerate(names):
        for factor, variance in zip(specification.latent, np.diag(fitted.total(g))[p:], strict=True):
            if not variance > 0:
                raise EstimationError(
                    f"At the level '{level}' factor '{factor}' gets a variance of {variance:.3g} in group '{name}', so "
                    "nothing can be standardized: its first item shares nothing with the others there. Put a better "
                    "item first or drop it."
                )


def _measured(
    step: Rung, fitted: groups.GroupsFit, x: robust.Answers, missing: str, base: _Base, others: Sequence[float]
) -> Step:
    """Return fit measures and the covariance of the estimates as the estimator has them."""
    found = core.measures(fitted, x)
    remarks = [
        f"{step.level}: another minimum competes, with chi-square {chi2:.2f} beside the {fitted.chi2:.2f} reported: a "
        "factor can measure one cluster of its items or another. Give each cluster a factor of its own."
        for chi2 in others[:1]
    ]
    if base.estimator != "ML" and fitted.n_obs <= len(fitted.theta):
        remarks.append(
            f"{step.level}: {fitted.n_obs} respondents for {len(fitted.theta)} parameters, too few for robust standard "
            "errors, which come out too small. Report plain ML."
        )
    covariance = fitted.covariance_of("observed" if missing == "fiml" else "expected")
    scales = None
    if base.estimator != "ML":
        corrected = base.corrected(fitted)
        covariance = corrected.covariance
        if fitted.df:
            scales = corrected.trace / fitted.df, base.scale
    each = fitted.n_obs / len(x)  # RMSEA is per group
    if scales and min(scales) <= 0:
        remarks.append(
            f"{step.level}: no scaled chi-square, its factor would be {min(scales):.3g}: too few respondents."
        )
    elif scales:
        null = base.fitted
        found |= fit_measures.scaled_measures(fitted.chi2, fitted.df, each, scales[0], null.chi2, null.df, scales[1])
    if missing == "fiml" and fitted.df:
        (chi2, expected), (null_chi2, null_expected) = base.misfit_of(fitted), base.misfit
        found |= fit_measures.robust_measures(chi2, fitted.df, each, expected, null_chi2, base.fitted.df, null_expected)
    return Step(step, fitted, found, covariance, tuple(("model", text) for text in remarks))


def parameters(climbed: Climb, level: str) -> pd.DataFrame:
    """Return the parameters of every group; equal ones bear the same label, lavaan's where the text gives none."""
    step, tables = climbed.steps[level], []
    labels = [
        f".p{i + 1}." if i in step.rung.equal else term.label for i, term in enumerate(climbed.specification.terms)
    ]
    for name, model in zip(climbed.names, step.rung.models, strict=True):
        q = model.n_parameters
        table = parameter_table(climbed.specification, model, step.fitted.theta[:q], step.covariance[:q, :q])
        table["label"] = labels
        table.insert(3, "group", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def scores(climbed: Climb, level: str) -> pd.DataFrame:
    """Return what each equality of a level costs, the costliest first."""
    step, terms = climbed.steps[level], climbed.specification.terms
    number = {step.rung.models[0].entries[i].parameter: text_of(terms[i]) for i in step.rung.equal}
    rows = [
        (level, number[each.parameter], climbed.names[each.group], each.index, chdtrc(1, each.index), each.change)
        for each in core.release(step.fitted, list(number))
    ]
    table = pd.DataFrame(rows, columns=["level", "parameter", "group", "mi", "p", "epc"]).dropna(subset="mi")
    table = table.astype({"mi": float, "p": float, "epc": float})  # of a level without equalities too
    return table.sort_values("mi", ascending=False, kind="stable", key=without_noise, ignore_index=True)


def warnings_of(climbed: Climb, level: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return negative variances and impossible correlations by group, and what the estimator warns of."""
    found = [*climbed.specification.doubts, *climbed.steps[level].remarks]
    own = table[(table["op"] == "~~") & (table["left"] == table["right"])]
    for row in own[own["estimate"] < 0].itertuples():
        found.append(
            (
                f"{row.left}, {row.group}",
                f"Heywood case: variance {row.estimate:.3f} is negative, which no variance can be. Too few items or "
                "respondents in the group, an outlier, or a wrong model.",
            )
        )
    pairs = table[(table["op"] == "~~") & (table["left"] != table["right"])]
    for row in pairs[pairs["std"].abs() >= 1].itertuples():
        found.append((f"{row.left} ~~ {row.right}, {row.group}", f"correlation {row.std:.3f}: not to be told apart."))
    if climbed.steps[level].fitted.df == 0:
        found.append(("model", f"df = 0 at the level '{level}': it fits whatever the data are. Its fit tests nothing."))
    return pd.DataFrame(found, columns=["subject", "warning"])
