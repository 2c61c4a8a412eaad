"""The tables of a confirmatory factor analysis: parameters, modification indices, warnings, note.

A room behind :mod:`cocreation.steps.confirm`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from ..core.sem import ml
from ..core.sem.terms import Specification
from ..core.ties import without_noise
from .likelihood import Estimate
from .several_minima import searched
from .specify import Task

__all__ = ["modification_of", "note_of", "parameter_table", "parameters_of", "warnings_of"]

_ERRORS = {
    ("ML", "listwise"): "standard errors from the expected information",
    ("ML", "fiml"): "standard errors from the observed information",
    ("MLM", "listwise"): "standard errors and chi-square after Satorra and Bentler (1994)",
    ("MLR", "listwise"): "standard errors by the sandwich of Huber and White (observed information), chi-square after "
    "Yuan and Bentler (2000) as Mplus and lavaan compute it",
}
_ERRORS["MLR", "fiml"] = _ERRORS["MLR", "listwise"]


def note_of(found: Estimate, task: Task) -> str:
    """Return in words how a model was fitted."""
    how = "" if task.missing == "listwise" else " of all answers there are (FIML)"
    robust = "" if task.estimator == "ML" else f" ({task.estimator})"
    return (
        f"Maximum likelihood{how}{robust}, {task.who}, convention {task.convention}: "
        f"chi-square = {'N' if task.convention == 'lavaan' else '(N − 1)'}·F, RMSEA with the "
        f"same divisor; {_ERRORS[task.estimator, task.missing]}; variances unbounded.{searched(found.starts)} "
        f"{found.opinion}"
    )


def parameters_of(found: Estimate) -> pd.DataFrame:
    """Return every entry of a model and every defined figure, with errors and standardized values."""
    return parameter_table(found.specification, found.fitted.model, found.fitted.theta, found.covariance)


def parameter_table(
    specification: Specification, model: ml.Model, theta: np.ndarray, covariance: np.ndarray
) -> pd.DataFrame:
    """Return the table of a model's parameters, given the covariance matrix of their estimates."""
    terms = specification.terms
    std, slopes = ml.standardized_entries(model, theta)
    given = sorted({term.parameter for term in terms if term.given})
    if given:  # moments of covariates, which are taken as they are
        covariance = covariance.copy()
        covariance[given], covariance[:, given] = 0.0, 0.0
    number = np.array([-1 if term.given else entry.parameter for term, entry in zip(terms, model.entries, strict=True)])
    at = np.array([entry.parameter for entry in model.entries])
    value = np.where(at >= 0, theta[at], [entry.value for entry in model.entries])
    variance = np.where(number >= 0, np.diag(covariance)[number], np.nan)
    std_variance = (slopes @ covariance * slopes).sum(axis=1)
    rows = [(term.left, term.op, term.right, term.label) for term in terms]
    if specification.definitions:
        more = _definitions(specification, value, at, std, slopes, covariance)
        rows += [(d.name, ":=", d.expression, d.name) for d in specification.definitions]
        value, variance, std, std_variance = (
            np.concatenate(pair) for pair in zip((value, variance, std, std_variance), more, strict=True)
        )
    with np.errstate(invalid="ignore"):
        se, std_se = (np.sqrt(np.clip(square, 0.0, None)) for square in (variance, std_variance))
        z = value / np.where(se > 0, se, np.nan)
    reach = ndtri(0.975) * se
    left, op, right, label = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "left": left,
            "op": op,
            "right": right,
            "label": label,
            "estimate": value,
            "se": se,
            "z": z,
            "p": 2 * ndtr(-np.abs(z)),
            "lower": value - reach,
            "upper": value + reach,
            "std": std,
            "std_se": std_se,
        }
    )


def _definitions(specification: Specification, value, at, std, slopes, covariance):
    """Return value, variance, standardized value and its variance of every ``:=``, by the delta method.

    A derivative is the imaginary part at a step along the imaginary axis, exact to the last digit.
    """
    first = {term.label: i for i, term in reversed([*enumerate(specification.terms)]) if term.label}
    raw = np.zeros((len(value), covariance.shape[0]))
    raw[np.flatnonzero(at >= 0), at[at >= 0]] = 1.0
    found = []
    for estimates, slope in ((value, raw), (std, slopes)):
        known = {label: (complex(estimates[i]), slope[i]) for label, i in first.items()}
        for definition in specification.definitions:
            plain = {label: number for label, (number, _) in known.items()}
            result, total = definition.value(plain), np.zeros(covariance.shape[0])
            for label, (number, direction) in known.items():
                moved = definition.value(plain | {label: number + 1e-30j})
                total = total + complex(moved).imag / 1e-30 * direction
            known[definition.name] = (complex(result), total)
        kept = [known[definition.name] for definition in specification.definitions]
        found += [np.array([number.real for number, _ in kept])]
        found += [np.array([direction @ covariance @ direction for _, direction in kept])]
    return found


def modification_of(specification: Specification, fitted, indices=ml.modification_indices) -> pd.DataFrame:
    """Return the modification indices of the loadings of items, and of the covariances of errors and of factors (or of
    what their predictors leave of them), that a model leaves out.
    """
    p, names = len(specification.observed), np.array((*specification.observed, *specification.latent), dtype=object)
    loading, mutual = np.zeros((len(names), len(names)), dtype=bool), np.eye(len(names), dtype=bool)
    mutual[:p, p:] = True  # an error varies with no factor
    for e in specification.model.entries:
        if e.matrix == "A":
            loading[e.row, e.column] = True
        elif e.matrix == "P":
            mutual[e.row, e.column] = mutual[e.column, e.row] = True
    factor, item = np.nonzero(~loading[:p, p:].T)
    first, second = np.nonzero(np.triu(~mutual))
    candidates = [ml.Entry("A", i, p + f, 0) for f, i in zip(factor.tolist(), item.tolist(), strict=True)]
    candidates += [ml.Entry("P", i, j, 0) for i, j in zip(first.tolist(), second.tolist(), strict=True)]
    if not candidates or fitted.df == 0:
        return pd.DataFrame(columns=["left", "op", "right", "mi", "epc", "std_epc"])
    index, change = indices(fitted, candidates)
    total, own = np.sqrt(np.diag(fitted.total)), np.sqrt(np.clip(np.diag(fitted.matrices[1]), 0.0, None))
    scale = own[first] * own[second]
    with np.errstate(divide="ignore"):
        unit = np.concatenate([total[p + factor] / total[item], np.where(scale > 0, 1 / scale, np.nan)])
    kept = np.flatnonzero(~np.isnan(index))
    # beside a negative variance there is an index, but no correlation to express the change in
    kept = kept[np.argsort(-without_noise(index[kept]), kind="stable")]
    left, right = np.concatenate([p + factor, first])[kept], np.concatenate([item, second])[kept]
    op = np.where(kept < len(factor), "=~", "~~").astype(object)
    columns = {"left": names[left], "op": op, "right": names[right], "mi": index[kept], "epc": change[kept]}
    return pd.DataFrame(columns | {"std_epc": (change * unit)[kept]})


def warnings_of(
    specification: Specification, parameters: pd.DataFrame, phi: pd.DataFrame, missed: float = 0.0, remarks=()
) -> pd.DataFrame:
    """Return what a careful reader would question: df = 0, Heywood cases, thin factors, correlations of 1."""
    found: list[tuple[str, str]] = []
    if missed > 0:
        found.append(
            (
                "model",
                f"semopy's search from the same starting values ended {missed:.2g} above the minimum reported: the "
                "model may have more than one solution and deserves no trust before that is understood.",
            )
        )
    if specification.model.df == 0:
        found.append(
            (
                "model",
                "df = 0: as many parameters as moments. The model repeats the data whatever they are; its perfect fit "
                "tests nothing, so fit indices are left out.",
            )
        )
    columns = (parameters[name].to_list() for name in ("left", "op", "right", "estimate"))
    for left, op, right, estimate in zip(*columns, strict=True):
        if op == "~~" and left == right and estimate < 0:
            found.append(
                (
                    left,
                    f"Heywood case: variance {estimate:.3f} is negative, which no variance can be. Too few items or "
                    "respondents, an outlier, or a wrong model.",
                )
            )
    single = [name for name, items in specification.indicators.items() if len(items) == 2]
    for name in single:
        found.append(
            (name, "Two items: identified only through its correlations with other factors. Three or more stand alone.")
        )
    correlations = phi.to_numpy()
    for i, j in zip(*np.triu_indices(len(phi), 1), strict=True):
        if abs(correlations[i, j]) >= 1:
            found.append(
                (
                    f"{phi.index[i]} ~~ {phi.columns[j]}",
                    f"correlation {correlations[i, j]:.3f}: the two factors cannot be told apart.",
                )
            )
    return pd.DataFrame([*specification.doubts, *found, *remarks], columns=["subject", "warning"])
