"""Nomological validity: does the construct stand to others as theory says?

A room behind :mod:`cocreation.steps.validate`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from ...cfa.result import Cfa
from ...core.moments import to_correlation
from ...core.sem.syntax import parse
from ...errors import InputError, plain
from ...inputs.options import confidence, quoted
from ...results.result import Result
from ..confirm import cfa

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Nomological", "nomological"]

#: a standardized path this small is taken for none
_NONE = 0.1
#: variance inflation from which predictors are called nearly the same
_INFLATED = 5.0

Expected = str | tuple[float, float]


@dataclass(frozen=True, repr=False)
class Nomological(Result):
    """Regressions among factors, beside what theory expects of them.

    Attributes
    ----------
    fit : DataFrame
        One row: chi2, df, p, cfi, tli, rmsea, rmsea_lower, rmsea_upper, srmr (those that exist).
    paths : DataFrame
        outcome, predictor, estimate, se, z, p, std, std_se, r (the correlation of the
        two that the model implies) and vif (variance inflation among the predictors of
        that outcome; infinite where they cannot be told apart).
    r_squared : DataFrame
        outcome, r2: explained variance; empty where a disturbance has a negative one.
    effects : DataFrame
        source, target, direct, indirect, total with indirect_se, indirect_p, total_se and
        total_p, and std_indirect, std_total; empty if nothing mediates.
    defined : DataFrame
        name, formula, estimate, se, z, p, std of every ``:=``.
    hypotheses : DataFrame
        hypothesis, expected, std, lower, upper, p, verdict ("supported", "contradicted",
        "undecided").
    warnings : DataFrame
        subject, warning.
    model : Cfa
        The fit, measurement part included.
    note : str
    """

    title = "Nomological validity"

    fit: pd.DataFrame
    paths: pd.DataFrame
    r_squared: pd.DataFrame
    effects: pd.DataFrame
    defined: pd.DataFrame
    hypotheses: pd.DataFrame
    warnings: pd.DataFrame
    model: Cfa
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that hold something.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        return {name: table for name, table in super().tables().items() if len(table)}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the paths with their standardized estimates, dashed where not significant.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        from ...results import path_diagram

        return path_diagram.draw(self.model.parameters, ax)


def nomological(
    data: pd.DataFrame,
    model: str,
    expected: Mapping[str, Expected] | None = None,
    *,
    convention: str = "lavaan",
    estimator: str = "ML",
    missing: str = "listwise",
    level: float = 0.95,
) -> Nomological:
    """Regress factors on factors and compare the paths with what theory says.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers.
    model : str
        lavaan's text: how the factors are measured (``SAT =~ s1 + s2 + s3``) and what
        depends on what (``SAT ~ DO + CE``). Observed variables may stand on both
        sides of ``~``; ``ab := a*b`` defines a figure by labels.
    expected : mapping, optional
        ``{"SAT ~ CE": "+"}``: the sign expected of a path, a correlation (``"DO ~~ CE"``)
        or a defined figure (``"ab"``) – "+", "-", "0" – or the range of its standardized value,
        such as (0.2, 0.6).
    convention, estimator, missing
        As :func:`~cocreation.steps.confirm.cfa`, but for WLSMV.
    level : float
        Confidence of the intervals; the tests are at 1 − ``level``, two-sided.

    Returns
    -------
    Nomological
        Fit, a row a path, explained variance, indirect and total effects, a row a hypothesis with its verdict.

    Raises
    ------
    InputError
        For data or a model that cannot be taken, a model without ``~``, or a
        hypothesis about something that is not in it.
    EstimationError
        If the model cannot be estimated.

    See Also
    --------
    validity : Convergent and discriminant validity.
    invariance : The model in several groups.
    cocreation.steps.confirm.cfa : The measurement model.
    cocreation.steps.confirm.bootstrap : Intervals of indirect effects.

    Notes
    -----
    Factors and paths are estimated together. In R, ``lavaan::sem(model, data)``: exogenous factors
    correlate, outcomes that predict nothing correlate in their disturbances, and an
    observed variable that only predicts is taken as it is (``fixed.x``). Verdicts: a sign is
    supported if the path is significant with it, contradicted if significant
    against it; "0" is supported only if the whole interval lies within ±.10 – "not
    significant" alone supports nothing – and contradicted if the path is significant and
    beyond; a range is supported if it holds a significant estimate (or reaches across
    zero) and contradicted if the interval lies outside it altogether. Standard errors of indirect and
    total effects are the delta method's (Sobel 1982), which takes a product for normal;
    in small samples define them by labels (``ab := a*b``) and use ``confirm.bootstrap``.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> text = "\\n".join(f"{name} =~ {' + '.join(scales[name])}" for name in ("DO", "CE", "EV"))
    >>> found = nomological(answers, text + "\\nEV ~ DO + CE", {"EV ~ DO": "+", "EV ~ CE": (0.2, 0.6)})
    >>> print(found.hypotheses[["hypothesis", "expected", "std", "verdict"]].round(2).to_string(index=False))
    hypothesis   expected  std   verdict
       EV ~ DO          + 0.35 supported
       EV ~ CE 0.2 to 0.6 0.42 supported
    """
    confidence(level)
    if estimator == "WLSMV":
        raise InputError(
            "Effects and their errors are computed from maximum likelihood. Use estimator='MLR', which bears skewed "
            "answers."
        )
    if not isinstance(model, str):
        raise InputError(f"Expected the model as text, got {type(model).__name__}. Write a line such as 'SAT ~ DO'.")
    if not any(term.op == "~" for term in parse(model).terms):
        raise InputError("The model has no path, so there is nothing to regress. Write a line such as 'SAT ~ DO + CE'.")
    found = cfa(data, model, convention=convention, estimator=estimator, missing=missing)
    table = found.parameters
    paths, alerts = _paths(found, 1 - level)
    residual = table[(table["op"] == "~~") & (table["left"] == table["right"])].set_index("left")["std"]
    outcomes = list(dict.fromkeys(paths["outcome"]))
    explained = [1 - residual[name] if residual[name] >= 0 else np.nan for name in outcomes]
    effects = _effects(found)
    defined = table.loc[table["op"] == ":=", ["left", "right", "estimate", "se", "z", "p", "std"]]
    shown = ["chi2", "df", "p", "cfi", "tli", "rmsea", "rmsea_lower", "rmsea_upper", "srmr"]
    row = {name: found.measure(name) for name in shown if name in found.fit.index}
    row["df"] = int(row["df"])
    alerts += list(found.warnings.itertuples(index=False, name=None))
    hypotheses = _hypotheses(table, expected or {}, level)
    note = (
        f"{found.note} Intervals {100 * level:g} %; r as the model implies it."
        + (" Indirect and total effects: delta method." if len(effects) else "")
        + (f" {len(hypotheses)} hypotheses, each tested at {1 - level:.2g}, unadjusted." if len(hypotheses) else "")
    )
    return Nomological(
        pd.DataFrame([row]),
        paths,
        pd.DataFrame({"outcome": outcomes, "r2": explained}),
        effects,
        defined.rename(columns={"left": "name", "right": "formula"}).reset_index(drop=True),
        hypotheses,
        pd.DataFrame(alerts, columns=["subject", "warning"]),
        found,
        note,
    )


def _structure(found: Cfa) -> tuple[dict[str, int], np.ndarray, np.ndarray]:
    """Return the number of each variable, the path matrix and the implied correlations of all of them."""
    specification, fitted = found.estimate.specification, found.estimate.fitted
    number = {name: i for i, name in enumerate((*specification.observed, *specification.latent))}
    return number, fitted.matrices[0], to_correlation(fitted.total)


def _paths(found: Cfa, alpha: float) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    table = found.parameters[found.parameters["op"] == "~"].rename(columns={"left": "outcome", "right": "predictor"})
    table = table[["outcome", "predictor", "estimate", "se", "z", "p", "std", "std_se"]].reset_index(drop=True)
    number, _, correlation = _structure(found)
    table["r"] = [correlation[number[a], number[b]] for a, b in zip(table["outcome"], table["predictor"], strict=True)]
    table["vif"] = 1.0
    alerts: list[tuple[str, str]] = []
    for outcome, rows in table.groupby("outcome", sort=False):
        at = [number[name] for name in rows["predictor"]]
        together = correlation[np.ix_(at, at)]
        if np.linalg.eigvalsh(together)[0] > 1e-8:
            table.loc[rows.index, "vif"] = np.diag(np.linalg.inv(together))
        else:  # a correlation of 1 or, with a Heywood case, beyond
            table.loc[rows.index, "vif"] = np.inf
        high = table.loc[rows.index][table.loc[rows.index, "vif"] > _INFLATED]
        if len(high):
            alerts.append(
                (
                    outcome,
                    f"{quoted(high['predictor'])} are nearly the same (variance inflation {high['vif'].max():.1f}): "
                    "which of them carries the effect cannot be told, and standard errors are large. Merge them "
                    "or drop one.",
                )
            )
    for row in table.itertuples():
        if not row.p < alpha:
            continue
        name = f"{row.outcome} ~ {row.predictor}"
        if row.std * row.r < 0:
            alerts.append(
                (
                    name,
                    f"Suppression: the path is {row.std:.2f}, the correlation {row.r:.2f}. The sign belongs to what is "
                    "left of the predictor when the others are held constant, not to the predictor.",
                )
            )
        elif abs(row.std) > abs(row.r) + 0.05:
            alerts.append(
                (
                    name,
                    f"Suppression: the path, {row.std:.2f}, is larger than the correlation, {row.r:.2f}. Other "
                    "predictors take something out of this one; look at the model without them.",
                )
            )
    return table, alerts


_EFFECTS = [
    "source", "target", "direct", "indirect", "indirect_se", "indirect_p", "total", "total_se", "total_p",
    "std_indirect", "std_total",
]  # fmt: skip


def _effects(found: Cfa) -> pd.DataFrame:
    """Return direct, indirect and total effects with standard errors, for every pair that something mediates."""
    number, a, _ = _structure(found)
    estimate = found.estimate
    terms, entries = estimate.specification.terms, estimate.fitted.model.entries
    links = [(entry, term) for entry, term in zip(entries, terms, strict=True) if term.op == "~"]
    size = len(a)
    step = np.zeros((size, size), dtype=bool)
    for entry, _ in links:
        step[entry.row, entry.column] = True
    reach = step.copy()
    for _ in range(size):
        reach |= (reach.astype(int) @ step) > 0
    mediated = (reach.astype(int) @ step) > 0
    total = np.linalg.inv(np.eye(size) - a)
    sd = np.sqrt(np.diag(estimate.fitted.total))
    free = [(entry, entry.parameter) for entry in entries if entry.matrix == "A" and entry.parameter >= 0]
    used = [name for name in number if any(name in (term.left, term.right) for _, term in links)]
    rows = []
    for source in used:
        for target in used:
            i, j = number[target], number[source]
            if i == j or not mediated[i, j]:
                continue
            slope, direct = np.zeros(len(estimate.covariance)), np.zeros(len(estimate.covariance))
            for entry, parameter in free:
                slope[parameter] += total[i, entry.row] * total[entry.column, j]
                direct[parameter] += (entry.row, entry.column) == (i, j)
            row = {"source": source, "target": target, "direct": a[i, j]}
            for name, value, gradient in (
                ("indirect", total[i, j] - a[i, j], slope - direct),
                ("total", total[i, j], slope),
            ):
                se = float(np.sqrt(max(gradient @ estimate.covariance @ gradient, 0.0)))
                row |= {name: value, f"{name}_se": se, f"{name}_p": 2 * ndtr(-abs(value / se)) if se else np.nan}
                row[f"std_{name}"] = value * sd[j] / sd[i]
            rows.append(row)
    return pd.DataFrame(rows, columns=_EFFECTS)


def _hypotheses(table: pd.DataFrame, expected: Mapping[str, Expected], level: float) -> pd.DataFrame:
    if not isinstance(expected, Mapping):
        raise InputError(
            f"Expected the hypotheses as a mapping, got {type(expected).__name__}. Write {{'SAT ~ CE': '+'}}."
        )
    rows = []
    for hypothesis, what in expected.items():
        row = _row(table, hypothesis)
        reach = ndtri(0.5 + level / 2) * row["std_se"]
        lower, upper = row["std"] - reach, row["std"] + reach
        low, high = _range(hypothesis, what)
        sure = row["p"] < 1 - level
        words = what if isinstance(what, str) else f"{low:g} to {high:g}"
        if what == "0":
            verdict = (lower > low and upper < high, sure and abs(row["std"]) > _NONE)
        elif isinstance(what, str):
            verdict = (sure and low < row["std"] < high, sure and not low < row["std"] < high)
        else:
            verdict = (low <= row["std"] <= high and (sure or low <= 0 <= high), upper < low or lower > high)
        word = "supported" if verdict[0] else "contradicted" if verdict[1] else "undecided"
        rows.append((hypothesis, words, row["std"], lower, upper, row["p"], word))
    return pd.DataFrame(rows, columns=["hypothesis", "expected", "std", "lower", "upper", "p", "verdict"])


def _row(table: pd.DataFrame, hypothesis: str) -> pd.Series:
    parts = re.fullmatch(r"\s*(\S+?)\s*(~~|~)\s*(\S+)\s*", str(hypothesis))
    if parts:
        left, op, right = parts.groups()
        same = (table["left"] == left) & (table["right"] == right)
        if op == "~~":
            same |= (table["left"] == right) & (table["right"] == left)
        found = table[same & (table["op"] == op)]
    else:
        found = table[(table["op"] == ":=") & (table["left"] == str(hypothesis).strip())]
    if found.empty:
        known = [f"{row.left} ~ {row.right}" for row in table[table["op"] == "~"].itertuples()]
        known += table.loc[table["op"] == ":=", "left"].tolist()
        raise InputError(
            f"The model has no {plain(hypothesis)}; it has {quoted(known, most=8)}. Write it as in the model."
        )
    if not np.isfinite(found.iloc[0]["se"]):
        raise InputError(f"'{hypothesis}' is fixed, so the data cannot speak about it. Free it or leave it out.")
    return found.iloc[0]


def _range(hypothesis: str, what: Expected) -> tuple[float, float]:
    signs = {"+": (0.0, np.inf), "-": (-np.inf, 0.0), "−": (-np.inf, 0.0), "0": (-_NONE, _NONE)}
    if isinstance(what, str) and what in signs:
        return signs[what]
    try:
        low, high = what
        fine = not isinstance(what, str) and -np.inf <= float(low) < float(high) <= np.inf
    except (TypeError, ValueError):
        fine = False
    if not fine:
        raise InputError(
            f"Of '{hypothesis}' is expected '+', '-', '0' or a range of the standardized value, not {plain(what)}. "
            "Write (0.2, 0.6) for a range."
        )
    return float(low), float(high)
