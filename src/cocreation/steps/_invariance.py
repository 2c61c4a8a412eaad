"""Measurement invariance: does the model mean the same in every group?

A room behind :mod:`cocreation.steps.validate`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from ..core.sem import equalities as core
from ..errors import InputError
from ..inputs.options import names_of, quoted
from ..results.result import Result
from ._climb import Climb, climb, parameters, scores, warnings_of
from ._equality import LEVELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GroupModel", "Invariance", "LatentMeans", "invariance", "latent_means"]

_FIT = ["chi2", "df", "p", "cfi", "tli", "rmsea", "rmsea_lower", "rmsea_upper", "srmr", "aic", "bic"]
_TESTED = ["estimate", "se", "z", "p", "lower", "upper"]
_DOUBT = {
    "fails": "Not tenable: the differences may lie in the items, not in the factors",
    "doubtful": "In doubt, and with it that the differences lie in the factors",
}
_DELTAS = ["delta_chi2", "delta_df", "delta_p", "delta_cfi", "delta_rmsea", "delta_srmr"]


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

        Raises
        ------
        InputError
            If the name is unknown or the measure does not exist for this model.
        """
        if name not in self.fit.index:
            raise InputError(
                f"There is no fit measure {name!r} here. Choose one of {quoted(self.fit.index, most=len(self.fit))}."
            )
        return float(self.fit.loc[name, "value"])


@dataclass(frozen=True, repr=False)
class Invariance(Result):
    """The ladder of invariance.

    Attributes
    ----------
    table : DataFrame
        A row a level: level, chi2, df, p, cfi, tli, rmsea, rmsea_lower, rmsea_upper, srmr, aic, bic;
        the differences from the level before, delta_chi2, delta_df, delta_p, delta_cfi, delta_rmsea,
        delta_srmr; verdict ("holds", "doubtful", "fails") and remark. Of MLM and MLR chi-square is
        the scaled one, CFI, TLI and RMSEA are the robust ones.
    models : dict
        ``{level: GroupModel}``.
    scores : DataFrame
        Score tests of the equalities: level, parameter (as ``free`` takes it), group, mi, p, epc – by how
        much chi-square would fall, and the parameter change, if that group had its own. The costliest
        first within a level.
    groups : DataFrame
        group, n.
    warnings : DataFrame
        Columns subject, warning.
    n : int
    note : str
    """

    title = "Measurement invariance"

    table: pd.DataFrame
    models: dict[str, GroupModel]
    scores: pd.DataFrame
    groups: pd.DataFrame
    warnings: pd.DataFrame
    n: int
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return groups, fit, differences, the costliest equalities of the first level in doubt, and warnings."""
        steps = self.table[["level", *_DELTAS, "verdict", "remark"]]
        above = "Against the level before"
        steps = steps.set_axis(pd.MultiIndex.from_tuples([(above if c in _DELTAS else "", c) for c in steps]), axis=1)
        shown = {"groups": self.groups, "fit": self.table[["level", *_FIT]], "what each level costs": steps}
        doubted = self.table.loc[(self.table["verdict"] != "holds") & self.table["delta_df"].notna(), "level"]
        if len(doubted):
            level = doubted.iloc[0]
            costly = self.scores[self.scores["level"] == level].drop(columns="level").head(5)
            shown[f"the costliest equalities, {level}"] = costly.reset_index(drop=True)
        if len(self.warnings):
            shown["warnings"] = self.warnings
        return shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the ladder: a rung a level, the first at the bottom, with its fit and what it costs. Return the Axes."""
        from ._ladder import ladder

        return ladder(self.table, ax)


@dataclass(frozen=True, repr=False)
class LatentMeans(Result):
    """How the groups differ in the factors themselves.

    Attributes
    ----------
    table : DataFrame
        Columns factor, group, estimate, se, z, p, lower, upper, d: the factor's mean in the group less that
        in the first group, in the units of the factor's first item; ``d`` divides it by the standard
        deviation within groups.
    reference : str
        The first group, whose means are zero.
    warnings : DataFrame
        Columns subject, warning: where equal intercepts are not tenable.
    model : GroupModel
        The fit the means come from.
    n : int
    note : str
    """

    title = "Differences of latent means"

    table: pd.DataFrame
    reference: str
    warnings: pd.DataFrame
    model: GroupModel = field(repr=False)
    n: int
    note: str


def invariance(
    data: pd.DataFrame,
    model: str | Mapping[str, Sequence[str]],
    group: Hashable,
    *,
    levels: Iterable[str] = tuple(LEVELS),
    free: Iterable[str] = (),
    missing: str = "listwise",
    estimator: str = "ML",
) -> Invariance:
    """Fit a measurement model in several groups, holding more equal from level to level.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers and the column of groups.
    model : str or mapping
        lavaan's text with ``=~`` and ``~~``, or ``{dimension: [item, …]}``. What bears a label in the
        text is equal in all groups at every level.
    group : column name
        Who belongs where. Groups come in the order in which they first appear; who has no label is left out.
    levels : iterable of str
        Which of ``configural`` (the same items), ``metric`` (equal loadings), ``scalar`` (and intercepts),
        ``strict`` (and residual variances), in this order.
    free : iterable of str
        What stays free in every group though its level holds it equal (partial invariance):
        ``"PE =~ q03"``, ``"q04 ~ 1"``, ``"q04 ~~ q04"``.
    missing : {"listwise", "fiml"}
        Leave out who has a missing answer, or use all answers given (full-information ML).
    estimator : {"ML", "MLM", "MLR"}
        MLM and MLR correct chi-square and standard errors for answers that are not normal (MLR also with
        FIML); chi-square differences are then Satorra and Bentler's (2001).

    Returns
    -------
    Invariance

    Raises
    ------
    InputError
        For data, a model, a group column or options that cannot be taken, naming the culprit: an item
        constant in one group, a group of too few respondents, a marker item set free.
    EstimationError
        If a level cannot be estimated, naming it.

    Notes
    -----
    lavaan's conventions: χ² = N·F; RMSEA times the root of the number of groups; the first item's loading 1
    in every group; factor means 0, from ``scalar`` on only in the first group. In a second-order model
    the means of the first-order factors are freed; lavaan frees the second-order mean as well, which
    nothing determines. A verdict weighs three criteria: χ² of the difference (α = .05); CFI falling by
    more than .010 (Cheung & Rensvold 2002); CFI falling by .010 while RMSEA rises by .015 or SRMR by .030 (intercepts
    and residuals: .010), or .005 with .010 or .025 (.005) where N is at most 300 or the largest group more
    than half again as large as the smallest (Chen 2007, who says "unequal"). None speaks against: "holds"; all:
    "fails"; else "doubtful". ``configural`` is held to CFI ≥ .90, RMSEA ≤ .08, SRMR ≤ .10 (Vandenberg & Lance
    2000). A verdict is of its own step; it says nothing where a step below fails.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(400, seed=1), population.load().scales(kept_only=True)
    >>> answers["wave"] = ["first", "second"] * 200
    >>> found = invariance(answers, {code: scales[code] for code in ("DO", "CE")}, "wave")
    >>> print(found.table[["level", "df", "delta_df", "verdict"]].to_string(index=False))
         level  df  delta_df  verdict
    configural  38      <NA> doubtful
        metric  44         6    holds
        scalar  50         6    holds
        strict  58         8    holds
    """
    return _told(climb(data, model, group, _levels(levels), free, missing, estimator))


def _told(climbed: Climb) -> Invariance:
    models = {}
    for level, step in climbed.steps.items():
        table = parameters(climbed, level)
        fit = pd.DataFrame({"value": pd.Series(step.measures, dtype=float)}).rename_axis("measure")
        note = f"Equal in all groups: {_held(level)}. {climbed.note}"
        models[level] = GroupModel(level, fit, table, warnings_of(climbed, level, table), step.fitted.n_obs, note)
    told = [*climbed.grouped.remarks, *_fixed_scales(climbed), *_lone_intercepts(climbed)]
    for each in models.values():
        told += each.warnings.itertuples(index=False, name=None)
    return Invariance(
        _table(climbed),
        models,
        pd.concat([scores(climbed, level) for level in climbed.steps], ignore_index=True),
        climbed.grouped.sizes,
        _once(told),
        int(climbed.grouped.sizes["n"].sum()),
        climbed.note,
    )


def latent_means(
    data: pd.DataFrame,
    model: str | Mapping[str, Sequence[str]],
    group: Hashable,
    *,
    free: Iterable[str] = (),
    missing: str = "listwise",
    estimator: str = "ML",
) -> LatentMeans:
    """Compare the means of the factors between groups, with loadings and intercepts held equal.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers and the column of groups.
    model : str or mapping
        As of :func:`invariance`.
    group : column name
        The first group that appears is the reference.
    free : iterable of str
        Loadings and intercepts that stay free in every group.
    missing : {"listwise", "fiml"}
        As of :func:`invariance`.
    estimator : {"ML", "MLM", "MLR"}
        As of :func:`invariance`.

    Returns
    -------
    LatentMeans

    Raises
    ------
    InputError
        As :func:`invariance`.
    EstimationError
        As :func:`invariance`.

    Notes
    -----
    Without equal intercepts a difference of means may lie in the items alone; where configural, metric or
    scalar invariance is not tenable, a warning says so. ``d`` divides by the square root of the factor's
    variance, averaged over all groups by their sizes (Hancock 2001); lavaan's standardized mean, in the
    parameters of ``model``, by that of the group itself.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(400, seed=1), population.load().scales(kept_only=True)
    >>> answers["wave"] = ["first", "second"] * 200
    >>> found = latent_means(answers, {code: scales[code] for code in ("DO", "CE")}, "wave")
    >>> print(found.table[["factor", "group", "estimate", "p", "d"]].round(3).to_string(index=False))
    factor  group  estimate     p      d
        DO second    -0.006 0.967 -0.004
        CE second    -0.101 0.477 -0.073
    """
    climbed = climb(data, model, group, ["configural", "metric", "scalar"], free, missing, estimator)
    ladder = _told(climbed)
    found, sizes = ladder.models["scalar"], ladder.groups["n"].to_numpy()
    latent, p = climbed.specification.latent, len(climbed.specification.observed)
    fitted = climbed.steps["scalar"].fitted
    variances = np.array([np.diag(fitted.total(g))[p:] for g in range(len(sizes))])
    spread = dict(zip(latent, np.sqrt(np.average(variances, axis=0, weights=sizes)), strict=True))
    rows = found.parameters
    rows = rows[(rows["op"] == "~1") & rows["left"].isin(latent) & rows["se"].notna()]
    table = rows.rename(columns={"left": "factor"})[["factor", "group", *_TESTED]].reset_index(drop=True)
    table["d"] = table["estimate"] / table["factor"].map(spread)
    doubts = ladder.table[ladder.table["verdict"] != "holds"]
    told = [(row.level, f"{_DOUBT[row.verdict]} ({row.remark}).") for row in doubts.itertuples()]
    warnings = pd.concat([pd.DataFrame(told, columns=["subject", "warning"]), ladder.warnings], ignore_index=True)
    reference = climbed.names[0]
    note = f"Means of '{reference}' are zero; d divides by the factor's standard deviation within groups. {found.note}"
    return LatentMeans(table, reference, warnings, found, ladder.n, note)


def _levels(levels: Iterable[str]) -> list[str]:
    wanted = names_of(levels, what="level")
    if not wanted or wanted != [level for level in LEVELS if level in wanted]:
        raise InputError(
            f"levels go up the ladder {', '.join(LEVELS)}, or some of it; got {wanted!r}. Give them in that order."
        )
    return wanted


def _held(level: str) -> str:
    return ", ".join(list(LEVELS.values())[: list(LEVELS).index(level) + 1])


def _once(told: list[tuple[str, str]]) -> pd.DataFrame:
    """Return warnings, those that recur at every level with another figure only once."""
    kinds = {(subject, re.split(r"\d", text)[0]): (subject, text) for subject, text in reversed(told)}
    return pd.DataFrame(list(reversed(kinds.values())), columns=["subject", "warning"])


def _lone_intercepts(climbed: Climb) -> list[tuple[str, str]]:
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


def _fixed_scales(climbed: Climb) -> list[tuple[str, str]]:
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


def _table(climbed: Climb) -> pd.DataFrame:
    """Return fit and differences by level, with verdicts."""
    rows: list[dict] = []
    sizes, last = climbed.grouped.sizes["n"], None
    strict = sizes.sum() <= 300 or sizes.max() > 1.5 * sizes.min()
    for level, step in climbed.steps.items():
        found = step.measures
        row = {"level": level} | {name: found.get(_shown(name, climbed.estimator), np.nan) for name in _FIT}
        if last is None:
            row |= dict.fromkeys(_DELTAS, np.nan) | _verdict_of_fit(row)
        else:
            row |= _difference(found, last, climbed.estimator)
            row |= {f"delta_{name}": row[name] - rows[-1][name] for name in ("cfi", "rmsea", "srmr")}
            row |= _verdict(row, strict, "metric" if level == "metric" else "")
            if any(each["verdict"] == "fails" for each in rows):
                row["remark"] = "; ".join(filter(None, [row["remark"], "rests on a level that fails"]))
        rows.append(row)
        last = found
    table = pd.DataFrame(rows, columns=["level", *_FIT, *_DELTAS, "verdict", "remark"])
    return table.astype({"df": int, "delta_df": "Int64"})


def _shown(name: str, estimator: str) -> str:
    """Return the measure that stands for a name: of MLM and MLR the scaled chi-square and the robust indices."""
    if estimator == "ML":
        return name
    robust = {"chi2": "chi2_scaled", "p": "p_scaled"}
    return robust.get(name, f"{name}_robust" if name.startswith(("cfi", "tli", "rmsea")) else name)


def _difference(found: dict, last: dict, estimator: str) -> dict:
    """Return the chi-square difference, scaled where the estimator scales."""
    factors = tuple(1.0 if estimator == "ML" else each.get("scaling_factor", np.nan) for each in (found, last))
    pair = tuple((each["chi2"], each["df"]) for each in (found, last))
    chi2, df = core.difference(*zip(*pair, strict=True), factors)
    return {"delta_chi2": chi2, "delta_df": df, "delta_p": chdtrc(df, max(chi2, 0.0)) if df > 0 else np.nan}


def _verdict_of_fit(row: dict) -> dict:
    if row["df"] == 0:
        return {"verdict": "doubtful", "remark": "df = 0: cannot be tested"}
    against = {
        "CFI below .90": row["cfi"] < 0.90,
        "RMSEA above .08": row["rmsea"] > 0.08,
        "SRMR above .10": row["srmr"] > 0.10,
    }
    return _weighed(against)


def _verdict(row: dict, strict: bool, level: str) -> dict:
    """Weigh the criteria; ``strict``: Chen's cut-offs for small or unequal groups."""
    if row["delta_df"] <= 0:
        return {"verdict": "holds", "remark": "nothing more is held equal than at the level before"}
    cfi, rmsea = (0.005, 0.010) if strict else (0.010, 0.015)
    srmr = (0.025 if strict else 0.030) if level == "metric" else (0.005 if strict else 0.010)
    against = {
        "χ²": row["delta_p"] < 0.05,
        "CFI": -row["delta_cfi"] > 0.010,
        "Chen": -row["delta_cfi"] >= cfi and (row["delta_rmsea"] >= rmsea or row["delta_srmr"] >= srmr),
    }
    found = _weighed(against)
    if np.isnan(row["delta_p"]):
        found["remark"] = "; ".join(filter(None, [found["remark"], "no scaled χ² difference: its factor is negative"]))
    return found


def _weighed(against: dict[str, bool]) -> dict:
    speaking = [name for name, speaks in against.items() if speaks]
    verdict = "holds" if not speaking else "fails" if len(speaking) == len(against) else "doubtful"
    return {"verdict": verdict, "remark": f"against: {', '.join(speaking)}" if speaking else ""}
