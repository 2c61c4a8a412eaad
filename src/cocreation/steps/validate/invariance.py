"""Measurement invariance: the ladder from the same pattern to the same intercepts and uniquenesses."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from ...cfa.equal_parameters import LEVELS
from ...cfa.levels import Climb, climb, parameters, scores, warnings_of
from ...core.sem import equalities as core
from ...errors import InputError, plain
from ...inputs.options import names_of
from ...results.result import Result
from .group_model import GroupModel, each_once, fixed_scales, lone_intercepts, what_is_held

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Invariance", "invariance", "ladder_of", "models_of", "warnings_over"]

_FIT = ["chi2", "df", "p", "cfi", "tli", "rmsea", "rmsea_lower", "rmsea_upper", "srmr", "aic", "bic"]
_DELTAS = ["delta_chi2", "delta_df", "delta_p", "delta_cfi", "delta_rmsea", "delta_srmr"]


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
        """Return groups, fit, differences, the costliest equalities of the first level in doubt, and warnings.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
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
        """Draw the ladder: a rung a level, the first at the bottom, with its fit and what it costs.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        from .ladder_plot import ladder

        return ladder(self.table, ax)


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
        Who belongs where. Groups come in the order in which they first appear among all rows, whoever is left
        out, or of an ordered Categorical in that of its categories; the first is the reference. Who has no label,
        or a blank one, is left out; labels that look alike are refused.
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
        A row a level with fit, difference from the level before and verdict; the models; score tests of the equalities;
        group sizes; warnings.

    Raises
    ------
    InputError
        For data, a model, a group column or options that cannot be taken, naming the culprit: an item
        constant in one group, a group of too few respondents, a marker item set free.
    EstimationError
        If a level cannot be estimated, naming it.

    See Also
    --------
    latent_means : Compare the factors' means.
    validity : Convergent and discriminant validity.
    nomological : Paths among factors.
    cocreation.steps.confirm.cfa : One group.
    cocreation.steps.confirm.difference : One comparison.

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

    In R, ``lavaan::cfa(model, data, group = "g", group.equal = c("loadings", "intercepts", "residuals"))``, of which
    ``metric`` takes the first, ``scalar`` two, ``configural`` none; ``group.partial`` is ``free``. Differences are
    ``lavaan::lavTestLRT``'s, score tests ``lavaan::lavTestScore``'s.

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
    climbed = climb(data, model, group, _levels(levels), free, missing, estimator)
    models = models_of(climbed)
    return Invariance(
        ladder_of(climbed),
        models,
        pd.concat([scores(climbed, level) for level in climbed.steps], ignore_index=True),
        climbed.grouped.sizes,
        warnings_over(climbed, models),
        int(climbed.grouped.sizes["n"].sum()),
        climbed.note,
    )


def models_of(climbed: Climb) -> dict[str, GroupModel]:
    """Return the model of each level."""
    models = {}
    for level, step in climbed.steps.items():
        table = parameters(climbed, level)
        fit = pd.DataFrame({"value": pd.Series(step.measures, dtype=float)}).rename_axis("measure")
        note = f"Equal in all groups: {what_is_held(level)}. {climbed.note}"
        models[level] = GroupModel(level, fit, table, warnings_of(climbed, level, table), step.fitted.n_obs, note)
    return models


def warnings_over(climbed: Climb, models: Mapping[str, GroupModel]) -> pd.DataFrame:
    """Return the warnings of all levels, and those of groups and scaling."""
    told = [*climbed.grouped.remarks, *fixed_scales(climbed), *lone_intercepts(climbed)]
    for each in models.values():
        told += each.warnings.itertuples(index=False, name=None)
    return each_once(told)


def _levels(levels: Iterable[str]) -> list[str]:
    wanted = names_of(levels, what="level")
    if not wanted or wanted != [level for level in LEVELS if level in wanted]:
        raise InputError(
            f"levels go up the ladder {', '.join(LEVELS)}, or some of it; got {plain(wanted)}. Give them in that order."
        )
    return wanted


def ladder_of(climbed: Climb) -> pd.DataFrame:
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
