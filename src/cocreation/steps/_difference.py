"""The chi-square difference of two nested models; a room behind :mod:`cocreation.steps.confirm`."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import chdtrc

from .._input import instance
from ..errors import EstimationError, InputError
from ._cfa import Cfa
from .result import Result

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

    Raises
    ------
    InputError
        For anything else than two fits of the same respondents by the same estimator, and
        where ``restricted`` has no more degrees of freedom.
    EstimationError
        If the scaled difference has a negative scaling factor, so that it does not exist.

    Notes
    -----
    lavaan's ``lavTestLRT``. For MLM and MLR the difference of scaled chi-squares is no
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
    if restricted.n != general.n or restricted.convention != general.convention:
        raise InputError(
            f"The models were fitted to {restricted.n} and {general.n} respondents, by the conventions "
            f"{restricted.convention} and {general.convention}. Fit both to the same data in the same way."
        )
    scaled = ["scaling_factor" in model.fit.index for model in (restricted, general)]
    if scaled[0] != scaled[1]:
        raise InputError(
            "One model has a scaled chi-square, the other has not. Fit both by the same estimator."
        )
    df = int(restricted.measure("df") - general.measure("df"))
    if df <= 0:
        raise InputError(
            f"The restricted model has {int(restricted.measure('df'))} degrees of freedom, the general one "
            f"{int(general.measure('df'))}. Give the model with more degrees of freedom first."
        )
    chi2 = restricted.measure("chi2") - general.measure("chi2")
    how = "difference of the chi-squares"
    if all(scaled):
        products = [model.measure("df") * model.measure("scaling_factor") for model in (restricted, general)]
        factor = (products[0] - products[1]) / df
        if factor <= 0:
            raise EstimationError(
                f"The scaling factor of the difference is {factor:.3g}, so a scaled difference does not exist for "
                "these models. Compare their robust fit measures instead."
            )
        chi2 /= factor
        how = f"Satorra and Bentler's (2001) scaled difference, scaling factor {factor:.4f}"
    return Difference(chi2, df, float(chdtrc(df, max(chi2, 0.0))), f"{how.capitalize()}; {general.n} respondents.")
