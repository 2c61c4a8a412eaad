"""The chi-square difference of two nested models; a room behind :mod:`cocreation.steps.confirm`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from ...cfa.result import Cfa
from ...core.sem import equalities as core
from ...errors import EstimationError, InputError
from ...inputs.options import instance, quoted
from ...results.result import Result

__all__ = ["Difference", "difference"]


@dataclass(frozen=True, repr=False)
class Difference(Result):
    """What the restrictions of a model cost in fit.

    Attributes
    ----------
    chi2 : float
        Chi-square of the restricted model less that of the general one (scaled: see the note).
    df : int
        How many restrictions.
    p : float
        Probability of a difference at least so large where the restrictions hold.
    note : str
    """

    title = "Chi-square difference"

    chi2: float
    df: int
    p: float
    note: str


def difference(restricted: Cfa, general: Cfa) -> Difference:
    """Test a model against a more general one of the same respondents.

    Parameters
    ----------
    restricted, general : Cfa
        Two fits; ``restricted`` is ``general`` with parameters fixed or set equal. That
        they are nested is for the user to know: it cannot be read off the fits.

    Returns
    -------
    Difference
        Difference of chi-square, degrees of freedom, p.

    Raises
    ------
    InputError
        For anything else than two fits of the same respondents by the same estimator, and
        where ``restricted`` has no more degrees of freedom or fits better; for WLSMV.
    EstimationError
        If the scaled difference has a negative scaling factor, so that it does not exist.

    See Also
    --------
    cfa : Fit the two models.
    nested : The usual rivals of a measurement model, compared at once.
    cocreation.steps.validate.invariance : Differences between groups' models, level by level.

    Notes
    -----
    In R, ``lavaan::lavTestLRT(general, restricted)``. For MLM and MLR the difference of scaled chi-squares is no
    chi-square; the difference of the plain ones is divided by
    (df₀c₀ − df₁c₁)/(df₀ − df₁) (Satorra & Bentler 2001).

    Examples
    --------
    >>> from cocreation.steps.confirm import cfa
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> two = cfa(answers, {code: scales[code] for code in ("DO", "CE")})
    >>> one = cfa(answers, {"DO and CE": [*scales["DO"], *scales["CE"]]})
    >>> found = difference(one, two)
    >>> found.df, bool(found.p < 0.001)
    (1, True)
    """
    for value, name in ((restricted, "restricted"), (general, "general")):
        instance(value, Cfa, name, remedy="Pass what cfa() returned.")
    _refuse_apart(restricted, general)
    pair = [restricted, general]
    chi2, df = ([model.measure(name) for model in pair] for name in ("chi2", "df"))
    if df[0] <= df[1]:
        raise InputError(
            f"The restricted model has {df[0]:.0f} degrees of freedom, the general one {df[1]:.0f}. Give the model "
            "with more degrees of freedom first."
        )
    if chi2[0] < chi2[1] - 1e-4:
        raise InputError(
            f"The restricted model fits better, by {chi2[1] - chi2[0]:.3g} in chi-square, so it is no restriction of "
            "the general one. Give two models of which one is the other with parameters fixed or set equal."
        )
    how, scaling = "difference of the chi-squares", [1.0, 1.0]
    if general.estimator != "ML":
        # without degrees of freedom there is no scaling factor, nor does it count
        scaling = [model.measure("scaling_factor") if model.measure("df") else 1.0 for model in pair]
        factor = (df[0] * scaling[0] - df[1] * scaling[1]) / (df[0] - df[1])
        if factor <= 0:
            raise EstimationError(
                f"The scaling factor of the difference is {factor:.3g}, so a scaled difference does not exist for "
                "these models. Compare their robust fit measures instead."
            )
        how = f"Satorra and Bentler's (2001) scaled difference, scaling factor {factor:.4f}"
    fall, more = core.difference(chi2, df, scaling)
    p = float(chdtrc(more, max(fall, 0.0)))
    return Difference(fall, int(more), p, f"{how[0].upper()}{how[1:]}; {general.n} respondents.")


def _refuse_apart(restricted: Cfa, general: Cfa) -> None:
    """Refuse fits of other answers, by other estimators, or whose chi-squares have no simple difference."""
    pair = (restricted, general)
    if restricted.n != general.n or restricted.convention != general.convention:
        raise InputError(
            f"The models were fitted to {restricted.n} and {general.n} respondents, by the conventions "
            f"{restricted.convention} and {general.convention}. Fit both to the same data in the same way."
        )
    how = [f"estimator='{model.estimator}', missing='{model.missing}'" for model in pair]
    if how[0] != how[1]:
        raise InputError(f"One model was fitted with {how[0]}, the other with {how[1]}. Fit both in the same way.")
    if general.estimator == "WLSMV":
        raise InputError(
            "The difference of two WLSMV chi-squares is no chi-square, scaled or not; it needs a test of its own "
            "(Mplus' DIFFTEST), which there is none here. Compare their scaled fit measures, or use estimator='MLR'."
        )
    first, second = (set(model.residuals) for model in pair)
    if other := sorted(map(str, first ^ second)):
        raise InputError(
            f"Only one of the models speaks of {quoted(other)}, so neither is the other with restrictions. Give both "
            "the same items; fix loadings at 0 rather than leave an item out."
        )
    order = list(restricted.residuals)
    own, theirs = (_sample(model).loc[order, order].to_numpy() for model in pair)
    sd = np.sqrt(np.diag(own))
    # the unrestricted moments of missing answers come from a search, in whatever order the items stand
    if np.abs((own - theirs) / np.outer(sd, sd)).max() > 1e-6:
        raise InputError("The models were fitted to different answers. Fit both to the same respondents.")


def _sample(model: Cfa) -> pd.DataFrame:
    names = list(model.residuals)
    return pd.DataFrame(model.estimate.fitted.sample, names, names)
