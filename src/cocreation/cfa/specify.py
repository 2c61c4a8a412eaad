"""What to fit: a model's text or scales made a specification, the options checked, the answers chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..core.sem import fit as fit_measures
from ..core.sem import ml
from ..core.sem.syntax import parse
from ..core.sem.terms import Specification, Term
from ..errors import InputError, plain
from ..inputs.answers import items_frame, refuse_singular, scales_mapping, used
from ..inputs.options import quoted, yes_no

__all__ = [
    "ESTIMATORS",
    "MISSING",
    "Task",
    "answers_of",
    "check_options",
    "from_scales",
    "specification_of",
    "task_of",
    "with_means",
]

ESTIMATORS = ("ML", "MLM", "MLR", "WLSMV")
MISSING = ("listwise", "fiml")


@dataclass(frozen=True)
class Task:
    """What a fit is asked to do: made and checked once, by :func:`task_of`, and handed on whole.

    ``frame`` holds the answers, a column an observed variable of ``specification``, in its order; ``who`` says whose
    they are. ``cross_check=False`` leaves semopy out, for measuring what it costs.
    """

    frame: pd.DataFrame
    specification: Specification
    who: str
    convention: str = "lavaan"
    estimator: str = "ML"
    missing: str = "listwise"
    cross_check: bool = True

    def __post_init__(self) -> None:
        # a fit goes by position: answers in another order are those of other items
        if list(self.frame) != list(self.specification.observed):
            raise ValueError("the answers do not stand in the order of the model's observed variables")

    def of(self, specification: Specification) -> Task:
        """Return the same task with another model of the same items, whatever their order there."""
        return replace(self, specification=specification, frame=self.frame[list(specification.observed)])


def task_of(
    data: pd.DataFrame,
    model,
    *,
    orthogonal: bool = False,
    std_lv: bool = False,
    convention: str = "lavaan",
    estimator: str = "ML",
    missing: str = "listwise",
    cross_check: bool = True,
) -> Task:
    """Return what to fit to whose answers, with every option checked, as :func:`~cocreation.steps.confirm.cfa` says.

    Returns
    -------
    Task

    Raises
    ------
    InputError
        For data, a model or options that cannot be taken, or that do not go together.
    """
    check_options(convention, estimator, missing)
    yes_no(orthogonal, "orthogonal")
    yes_no(std_lv, "std_lv")
    specification = specification_of(data, model, orthogonal, std_lv)
    frame, who = answers_of(data, specification, missing, estimator)
    if estimator == "WLSMV":
        _refuse_as_categories(specification)
    elif missing == "fiml":
        _refuse_covariates(specification, "missing='fiml'")
    elif estimator != "ML":
        _refuse_covariates(specification, estimator)
    return Task(frame, specification, who, convention, estimator, missing, cross_check)


def check_options(convention: str, estimator: str, missing: str) -> None:
    """Refuse options that do not exist or do not go together.

    Raises
    ------
    InputError
        Naming the option and what to write.
    """
    options = (("convention", convention, fit_measures.CONVENTIONS), ("estimator", estimator, ESTIMATORS))
    for name, value, allowed in (*options, ("missing", missing, MISSING)):
        if value not in allowed:
            choices = " or ".join([", ".join(map(plain, allowed[:-1])), repr(allowed[-1])])
            raise InputError(f"{name} is {choices}, not {plain(value)}. Choose one of them.")
    if missing == "fiml" and estimator in ("MLM", "WLSMV"):
        raise InputError(
            f"{estimator} needs complete answers: what it corrects by is not defined where some are missing. Use "
            "estimator='MLR' with missing='fiml', or missing='listwise'."
        )
    if convention == "amos" and (estimator != "ML" or missing == "fiml"):
        raise InputError(
            f"The convention 'amos' is that of plain maximum likelihood with complete answers; {estimator} with "
            f"missing='{missing}' exists in lavaan's only. Leave convention out."
        )


def specification_of(data: pd.DataFrame, model, orthogonal: bool, std_lv: bool = False) -> Specification:
    """Return the model of a text or of scales; refuse a factor named like a column."""
    columns = getattr(data, "columns", None)
    if isinstance(model, str):
        found = parse(model, orthogonal=orthogonal, std_lv=std_lv)
        taken = [name for name in found.latent if columns is not None and name in columns]
        if taken:
            raise InputError(
                f"The model measures '{taken[0]}', but the data have a column of that name. Give the factor another "
                "name, so that nobody takes one for the other."
            )
        return replace(found, doubts=_mistaken_labels(found, columns))
    scales = scales_mapping(model, columns, at_least=1)
    return from_scales(scales, orthogonal=orthogonal, std_lv=std_lv)


def _mistaken_labels(specification: Specification, columns) -> tuple[tuple[str, str], ...]:
    """Return a warning for every label that names a variable, whose product or sum may have been meant."""
    measured = {*specification.observed, *(() if columns is None else columns)}
    found = []
    for term in specification.terms:
        left, op, label, right = term.left, term.op, term.label, term.right
        if label not in measured | {*specification.latent}:
            continue
        text = f"'{label}*' only labels a parameter, as in lavaan, but '{label}' is also a variable. "
        if op == "=~":
            text += f"If it was to be measured too, write '{left} =~ {label} + {right}'. "
        elif op == "~" and {label, right} <= measured:
            product = f"{label}_{right}"
            text += (
                f"For an interaction make the product a column, data['{product}'] = data['{label}'] * data['{right}'], "
                f"and write '{left} ~ {label} + {right} + {product}'. "
            )
        elif op == "~":
            text += "There is no interaction of factors here. "
        found.append((f"{left} {op} {label}*{right}", f"{text}If a label is meant, give it another name."))
    return tuple(found)


def from_scales(scales: dict[str, list[str]], extra: str = "", names: Sequence[str] = (), **options) -> Specification:
    """Return correlated factors over any names; ``extra`` speaks of y0 …, f0 … and of further factors ``names``."""
    items = [item for group in scales.values() for item in group]
    code = {item: f"y{i}" for i, item in enumerate(items)}
    lines = [f"f{i} =~ {' + '.join(code[item] for item in group)}" for i, group in enumerate(scales.values())]
    found = parse("\n".join([*lines, extra]), **options)
    real = {f"y{i}": item for i, item in enumerate(items)} | {f"f{i}": name for i, name in enumerate(scales)}
    real |= {name: name for name in names}
    for term in found.terms:
        term.left, term.right = real[term.left], real[term.right]
    return replace(found, observed=tuple(real[n] for n in found.observed), latent=tuple(real[n] for n in found.latent))


def answers_of(
    data: pd.DataFrame, specification: Specification, missing: str, estimator: str = "ML"
) -> tuple[pd.DataFrame, str]:
    """Return the answers a fit uses, and in words whose they are; with FIML all but empty rows."""
    if missing == "listwise":
        frame = items_frame(data, specification.observed)
        if estimator != "WLSMV":  # whose weights are a diagonal: it inverts no correlations
            refuse_singular(frame, "a maximum-likelihood fit")
        return frame, used(frame, data)
    frame = items_frame(data, specification.observed, missing="keep", constant="keep", respondents=0)
    seen = frame.notna().to_numpy()
    if empty := [name for name, any_answer in zip(frame, seen.any(axis=0), strict=True) if not any_answer]:
        raise InputError(f"Item {quoted(empty)} has no answer from anybody. Leave it out.")
    frame = frame[seen.any(axis=1)]
    items_frame(frame, missing="keep")  # a constant item
    if len(frame) <= frame.shape[1]:
        raise InputError(
            f"There are {len(frame)} respondents for {frame.shape[1]} items; their covariances then have no inverse, "
            "and a maximum-likelihood fit does not exist. Collect more answers or use fewer items."
        )
    _refuse_never_together(frame)
    whole = frame.dropna()
    varied = whole.loc[:, whole.max() > whole.min()]
    if len(whole) > frame.shape[1] and varied.shape[1] > 1:
        refuse_singular(varied, "a maximum-likelihood fit")
    count, empty_rows = int((~seen.all(axis=1)).sum()) - (len(data) - len(frame)), len(data) - len(frame)
    told = f" ({count} with some answers missing"
    told += f"; {empty_rows} without any answer left out)" if empty_rows else ")"
    return frame, f"{len(frame)} respondents" + (told if count or empty_rows else "")


def _refuse_never_together(frame: pd.DataFrame) -> None:
    seen = frame.notna().to_numpy(dtype=float)
    together = seen.T @ seen
    i, j = np.unravel_index(np.argmin(together), together.shape)
    if together[i, j] < 2:
        raise InputError(
            f"Only {int(together[i, j])} respondents answered both '{frame.columns[i]}' and '{frame.columns[j]}', so "
            "their covariance is unknown. Leave one of them out."
        )


def _refuse_covariates(specification: Specification, what: str) -> None:
    if specification.covariates:
        name = specification.covariates[0]
        raise InputError(
            f"'{name}' only predicts, so its moments are taken as given, which {what} cannot. Write '{name} ~~ {name}' "
            "to make it a variable of the model, or use estimator='ML' with missing='listwise'."
        )


def _refuse_as_categories(specification: Specification) -> None:
    if specification.covariates:
        raise InputError(
            f"'{specification.covariates[0]}' predicts without being an ordered answer that the model explains, which "
            "WLSMV here cannot take. Leave it out, or use estimator='MLR'."
        )
    for term in specification.terms:
        own = term.op == "~~" and term.left == term.right in specification.observed
        if own and (term.fixed is not None or term.label or term.start is not None):
            raise InputError(
                f"'{term.left} ~~ {term.right}': an ordered item has no variance of its own to fix or to name; it is "
                "what the model leaves of 1. Leave the line out."
            )
    predictors = [t.right for t in specification.terms if t.op == "~" and t.right in specification.observed]
    if predictors:
        raise InputError(
            f"The observed variable '{predictors[0]}' predicts, which WLSMV here cannot take. Give it a factor of its "
            "own, or use estimator='MLR'."
        )


def with_means(specification: Specification) -> Specification:
    """Return the model with a free intercept for every observed variable, factor means fixed at zero."""
    if specification.model.means:
        return specification
    model, p = specification.model, len(specification.observed)
    names = (*specification.observed, *specification.latent)
    terms, entries = [*specification.terms], [*model.entries]
    for row, name in enumerate(names):
        free = model.n_parameters + row if row < p else -1
        terms.append(Term(name, "~1", "", fixed=None if row < p else 0.0, parameter=free))
        entries.append(ml.Entry("M", row, 0, free, np.nan if row < p else 0.0))
    return replace(specification, terms=tuple(terms), model=ml.Model(p, model.latent, tuple(entries)))
