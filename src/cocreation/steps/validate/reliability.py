"""Reliability from a model's unstandardized estimates; a room behind :mod:`cocreation.steps.validate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...cfa.result import Cfa
from ...core.moments import covariance
from ...core.reliability import alpha_from_covariance
from ...inputs.answers import items_frame, scales_mapping, used
from ...results.result import Result
from ..confirm import cfa
from ..purify.keying import keying

__all__ = ["Reliability", "reliability", "unstandardized"]


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

    title = "Reliability from the unstandardized model"

    table: pd.DataFrame
    n: int
    note: str


def reliability(data: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> Reliability:
    """Return McDonald's omega, alpha and AVE from unstandardized estimates, as semTools gives them.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    scales : mapping
        ``{dimension: [item, …]}``, at least two items each.

    Returns
    -------
    Reliability
        A row a dimension with omega, alpha and AVE.

    Raises
    ------
    InputError
        For data or scales that cannot be taken.
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
    model = cfa(frame, checked)
    table = unstandardized(model, frame, checked)
    note = (
        f"{used(frame, data)}. Correlated-factors model, maximum likelihood; unstandardized estimates over the "
        "observed variance (divisor N), as semTools' compRelSEM and AVE."
    ) + keying(frame, checked)
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
