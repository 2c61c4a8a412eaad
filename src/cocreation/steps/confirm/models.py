"""The confirmatory factor analysis of a measurement model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from ...cfa.result import Cfa, fit_model
from ...cfa.specify import task_of
from ...errors import InputError
from ...inputs.answers import scales_mapping

__all__ = ["cfa", "syntax"]

_NAME = re.compile(r"[^\W\d][\w.]*")


def syntax(scales: Mapping[str, Sequence[str]]) -> str:
    """Return the measurement model of correlated factors as text that lavaan and semopy read.

    Parameters
    ----------
    scales : mapping
        ``{dimension: [item, …]}``.

    Returns
    -------
    str
        A line a dimension, ``PE =~ q1 + q2 + q3``; factors correlate by default.

    Raises
    ------
    InputError
        If a name cannot stand in a model text; ``cfa(data, scales)`` takes any names.

    See Also
    --------
    cfa : Fit a model.
    nested : Fit it beside its rivals.

    Examples
    --------
    >>> print(syntax({"PE": ["q1", "q2", "q3"], "EE": ["q4", "q5", "q6"]}))
    PE =~ q1 + q2 + q3
    EE =~ q4 + q5 + q6
    """
    checked = scales_mapping(scales)
    for name in [*checked, *(item for items in checked.values() for item in items)]:
        if not _NAME.fullmatch(str(name)):
            raise InputError(
                f"'{name}' cannot stand in a model text. Rename it to letters, digits, '_' and '.', or give the scales "
                "themselves: cfa(data, scales)."
            )
    return "\n".join(f"{dimension} =~ {' + '.join(items)}" for dimension, items in checked.items())


def cfa(
    data: pd.DataFrame,
    model: str | Mapping[str, Sequence[str]],
    *,
    convention: str = "lavaan",
    orthogonal: bool = False,
    std_lv: bool = False,
    estimator: str = "ML",
    missing: str = "listwise",
) -> Cfa:
    """Fit a measurement model.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers, a row a respondent.
    model : str or mapping
        lavaan's text (``PE =~ q1 + q2 + q3``), or ``{dimension: [item, …]}`` for correlated factors.
    convention : {"lavaan", "amos"}
        χ² = N·F, or (N − 1)·F as AMOS and LISREL; RMSEA, AIC and standard errors follow. The second
        is for plain ML with complete answers.
    orthogonal : bool
        Fix the factors' covariances at zero unless the text says otherwise (bifactor models).
    std_lv : bool
        Fix the factors' variances at 1 instead of their first loadings.
    estimator : {"ML", "MLM", "MLR", "WLSMV"}
        All but the last give the estimates of maximum likelihood. MLM: standard errors and
        chi-square after Satorra and Bentler. MLR: sandwich standard errors and the chi-square of
        Yuan and Bentler, with missing answers too. WLSMV: answers as ordered categories.
    missing : {"listwise", "fiml"}
        Leave out respondents with a missing answer to an item of the model, or use every answer there is
        (full information maximum likelihood, right where answers are missing at random).

    Returns
    -------
    Cfa
        Fit measures, a row a parameter, factor correlations, residual correlations, modification indices, warnings.

    Raises
    ------
    InputError
        For data, a model or options that cannot be taken, naming the culprit.
    EstimationError
        If the model is not identified, does not converge, gives a factor a negative
        variance, or if semopy ends elsewhere (standardized loadings apart by more than
        1e-4); with the reason. A flag that says success is never believed.

    See Also
    --------
    syntax : The text of a model of correlated factors.
    nested : The model beside its rivals.
    difference : Test a model against a more general one.
    bootstrap : The same figures over resamples.
    common_method : Tests of common method variance.
    cocreation.steps.validate.validity : CR, AVE and discriminant validity.
    cocreation.steps.validate.invariance : The model in several groups.
    cocreation.steps.validate.nomological : Paths among factors.

    Notes
    -----
    Estimated twice: by semopy (tight tolerance, unbounded variances) and by this
    course's Fisher scoring, which is the one printed, since it goes on until the
    gradient is gone. Corrections to semopy: GFI (semopy's equals NFI), AIC and
    log-likelihood, CFI clamped, one divisor for χ² and RMSEA, residual covariances
    standardized by the residuals' own deviations. Variances are not bounded, so a
    Heywood case shows as one. semopy's fit of missing answers is wrong and is not asked; in a
    Python without semopy nothing is, as the note then says, and the estimates stand alone.

    Definitions are lavaan's, but for an RFI below 0, which lavaan prints as 1. Standard
    errors: expected information (ML), observed with FIML; MLM and MLR as Savalei (2014)
    reviews them. ``_scaled`` fit measures put the scaled chi-square into their formulas,
    which estimates nothing in the population; report the ``_robust`` ones (Brosseau-Liard
    & Savalei 2014; with FIML Zhang & Savalei 2023).
    Modification indices: score tests of plain ML.

    WLSMV takes every observed variable as an ordered answer with at most 12 categories:
    diagonally weighted least squares over polychoric correlations, items at unit variance
    (lavaan's delta parameterization), robust standard errors, chi-square corrected in mean
    and variance (lavaan's ``scaled.shifted``; Asparouhov & Muthén 2010), robust indices after
    Savalei (2021), modification indices uncorrected. semopy has no working WLSMV to ask.

    In R, ``lavaan::cfa(model, data)`` with the same ``orthogonal``, ``std.lv``, ``estimator`` and ``missing``, for
    WLSMV with ``ordered = TRUE``; the figures are those of ``lavaan::fitMeasures``, ``lavaan::parameterEstimates``,
    ``lavaan::standardizedSolution``, ``lavaan::modificationIndices`` and
    ``lavaan::lavResiduals(type = "cor.bentler")``. Chi-square and RMSEA by AMOS's convention:
    ``likelihood = "wishart"``.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> model = cfa(answers, scales)
    >>> int(model.measure("df")), round(model.measure("cfi"), 3), round(model.measure("rmsea"), 3)
    (179, 0.952, 0.079)
    >>> robust = cfa(answers, scales, estimator="MLM")
    >>> round(robust.measure("scaling_factor"), 3), round(robust.measure("cfi_robust"), 3)
    (1.033, 0.953)
    """
    task = task_of(
        data,
        model,
        orthogonal=orthogonal,
        std_lv=std_lv,
        convention=convention,
        estimator=estimator,
        missing=missing,
    )
    if estimator == "WLSMV":
        from ...cfa.wlsmv import fit_ordinal

        return fit_ordinal(task)
    return fit_model(task)
