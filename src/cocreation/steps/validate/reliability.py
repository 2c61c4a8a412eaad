"""Reliability from a model's unstandardized estimates; a room behind :mod:`cocreation.steps.validate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...cfa.result import Cfa
from ...core.moments import covariance
from ...core.reliability import alpha_from_covariance, categorical_omega, composite
from ...errors import InputError
from ...inputs.answers import items_frame, scales_mapping, used
from ...results.result import Result
from ..confirm import cfa
from ..purify.keying import keying

__all__ = ["Reliability", "reliability", "same_scales", "unstandardized"]


@dataclass(frozen=True, repr=False)
class Reliability(Result):
    """How much of the sum of a dimension's items, as it stands, is its factor.

    Attributes
    ----------
    table : DataFrame
        One row a dimension: dimension, items, omega, alpha, ave.
    n : int
        Respondents used.
    note : str
    """

    title = "Reliability of sum scores"

    table: pd.DataFrame
    n: int
    note: str


def reliability(data: pd.DataFrame, scales: Mapping[str, Sequence[str]], *, model: Cfa | None = None) -> Reliability:
    """Return McDonald's omega, alpha and AVE from unstandardized estimates, as semTools gives them.

    Of a ``model`` by WLSMV omega is Green and Yang's (2009): the reliability of the sum of the ordered answers.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    scales : mapping
        ``{dimension: [item, …]}``, at least two items each.
    model : Cfa, optional
        A fit of exactly these scales, such as ``cfa(data, scales, estimator="WLSMV")``; one by maximum likelihood is
        made by default.

    Returns
    -------
    Reliability
        A row a dimension with omega, alpha and AVE.

    Raises
    ------
    InputError
        For data, scales or a model that cannot be taken.
    EstimationError
        If the measurement model cannot be estimated.

    See Also
    --------
    validity : CR and AVE from standardized loadings.
    omega : How much of the sum is one thing.
    retest : Reliability over time.
    cocreation.steps.purify.alpha : Alpha with the items' figures.

    Notes
    -----
    With loadings λ, factor variance ψ and S the items' covariances (divisor N):
    omega = (Σλ)²ψ / Σ Σ s_ij (semTools' ``compRelSEM``: the observed variance of the
    sum below the line, so that misfit lowers it), AVE = Σλ²ψ / Σ s_ii
    (semTools' ``AVE``), alpha from S. CR and AVE of :func:`~cocreation.steps.validate.validity`
    work on standardized loadings, as papers do (Fornell & Larcker 1981): the items
    count alike there, whatever their spread; the two differ in the second decimal.

    With WLSMV the standardized loadings and thresholds give the covariances of the answers that the factor brings, and
    all of them, as the model implies them; omega is the share in the sum (Green & Yang 2009), NaN beside a Heywood
    case. CR of the same model is higher: it is that of responses nobody sees (Chalmers 2018). alpha is of the answers,
    AVE of the responses. In R, ``semTools::reliability(fit)``, rows omega, alpha and avevar.

    In R, ``semTools::compRelSEM(fit)``, the same with ``tau.eq = TRUE``, and ``semTools::AVE(fit)`` of
    ``fit <- lavaan::cfa(model, data)``.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> found = reliability(answers, {code: scales[code] for code in ("DO", "CE")})
    >>> print(found.table.round(3).to_string(index=False))
    dimension  items  omega  alpha   ave
           DO      4  0.952  0.952 0.832
           CE      4  0.934  0.938 0.790
    """
    checked = scales_mapping(scales, getattr(data, "columns", None))
    frame = items_frame(data, [item for items in checked.values() for item in items])
    model = cfa(frame, checked) if model is None else model
    same_scales(model, checked, len(frame))
    if model.estimator == "WLSMV":
        table = _categorical(model, frame, checked)
        how = (
            "ordered answers by WLSMV; omega and alpha are of the sum of the answers (omega: Green & Yang 2009), AVE "
            "of the responses behind them"
        )
    else:
        table = unstandardized(model, frame, checked)
        how = (
            "maximum likelihood; unstandardized estimates over the observed variance (divisor N), as semTools' "
            "compRelSEM and AVE"
        )
    note = f"{used(frame, data)}. {'Correlated-factors' if len(checked) > 1 else 'One-factor'} model, {how}."
    note += keying(frame, checked)
    return Reliability(table, len(frame), note)


def unstandardized(model: Cfa, frame: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return dimension, items, omega, alpha and AVE from the unstandardized estimates of a fit to these answers."""
    rows = []
    for name, items in scales.items():
        estimates = model.loadings[model.loadings["factor"] == name].set_index("item")["estimate"]
        loading = estimates[list(items)].to_numpy()
        own = model.parameters[(model.parameters["op"] == "~~") & (model.parameters["left"] == name)]
        variance = float(own.loc[own["right"] == name, "estimate"].iloc[0])
        common = variance * np.outer(loading, loading)
        s = covariance(frame[list(items)].to_numpy(), divisor="N")
        rows.append(
            {
                "dimension": name,
                "items": len(items),
                "omega": common.sum() / s.sum(),
                "alpha": alpha_from_covariance(s),
                "ave": np.trace(common) / np.trace(s),
            }
        )
    return pd.DataFrame(rows)


def _categorical(model: Cfa, frame: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return dimension, items, omega, alpha and AVE of a fit to these answers as ordered categories."""
    cuts = model.parameters[model.parameters["op"] == "|"].groupby("left", sort=False)["estimate"]
    thresholds = {item: values.to_numpy() for item, values in cuts}
    rows = []
    for name, items in scales.items():
        loading = model.loadings[model.loadings["factor"] == name].set_index("item")["std"][list(items)].to_numpy()
        steps = [np.diff(np.unique(frame[item])) for item in items]
        rows.append(
            {
                "dimension": name,
                "items": len(items),
                "omega": categorical_omega(loading, [thresholds[item] for item in items], steps),
                "alpha": alpha_from_covariance(covariance(frame[list(items)].to_numpy())),
                "ave": float(composite(loading)[1]),
            }
        )
    return pd.DataFrame(rows)


def same_scales(model: Cfa, scales: Mapping[str, Sequence[str]], respondents: int) -> None:
    """Refuse a fit that the formulas of CR and AVE do not hold for, or that is of other respondents."""
    if not isinstance(model, Cfa):
        raise InputError(f"model is what cfa() returns, not {type(model).__name__}. Write cfa(data, scales).")
    if model.n != respondents:
        raise InputError(
            f"The model was fitted to {model.n} respondents, the data have {respondents} complete ones. Fit the model "
            "to these data, or leave model= out."
        )
    others = [name for name in model.phi.index if name not in scales]
    if others:
        raise InputError(
            f"The model has the factor '{others[0]}', the scales do not. Fit the model to these scales, or leave "
            "model= out."
        )
    table = model.parameters
    items = {item for group in scales.values() for item in group}
    pairs = table[(table["op"] == "~~") & (table["left"] != table["right"]) & table["left"].isin(items)]
    if len(pairs):
        left, right = pairs.iloc[0][["left", "right"]]
        raise InputError(
            f"The model lets the errors of '{left}' and '{right}' correlate, which CR and AVE do not allow for. Fit "
            "the model to these scales, or leave model= out."
        )
    for name, items in scales.items():
        measured = model.loadings.loc[model.loadings["factor"] == name, "item"].tolist()
        if sorted(map(str, measured)) != sorted(map(str, items)):
            raise InputError(
                f"The model measures '{name}' by {', '.join(map(str, measured)) or 'nothing'}, the scales by "
                f"{', '.join(map(str, items))}. Fit the model to these scales, or leave model= out."
            )
