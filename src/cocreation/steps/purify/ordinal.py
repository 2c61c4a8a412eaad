"""Alpha of ordered answers: of the responses that lie beneath them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from ...core.moments import covariance
from ...core.reliability import alpha_from_covariance
from ...errors import InputError
from ...inputs.answers import items_frame
from ...results.result import Result
from ..explore import polychoric
from .keying import keying

__all__ = ["OrdinalAlpha", "ordinal_alpha"]


@dataclass(frozen=True, repr=False)
class OrdinalAlpha(Result):
    """Coefficient alpha of the responses behind ordered answers.

    Attributes
    ----------
    ordinal_alpha : float
        Alpha of the polychoric correlations.
    alpha : float
        Coefficient alpha of the answers themselves.
    n, k : int
        Respondents and items used.
    warnings : DataFrame
        Columns subject, warning.
    note : str
    """

    title = "Ordinal alpha"

    ordinal_alpha: float
    alpha: float
    n: int
    k: int
    warnings: pd.DataFrame
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return both coefficients, and warnings if there are any.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        found = super().tables()
        if not len(self.warnings):
            found.pop("warnings")
        return found


def ordinal_alpha(data: pd.DataFrame, items: Iterable[str] | None = None) -> OrdinalAlpha:
    """Return Zumbo's ordinal alpha: coefficient alpha of the polychoric correlations.

    It says how reliable the sum of the *continuous responses* behind the answers would
    be, if anybody could observe them. It is not the reliability of the sum score that a
    study computes from its answers, which is lower; report it only beside alpha or omega,
    and under its own name.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers as whole numbers; respondents with a missing one are left out.
    items : iterable of str, optional
        The items of one scale, reverse-keyed ones recoded; all columns by default.

    Returns
    -------
    OrdinalAlpha
        Ordinal alpha, coefficient alpha beside it, warnings.

    Raises
    ------
    InputError
        As :func:`polychoric`; and where the items' correlations cancel out, so that
        alpha does not exist.
    EstimationError
        As :func:`polychoric`.

    See Also
    --------
    alpha : Coefficient alpha of the answers.
    purify : Drop items by CITC.
    cocreation.steps.explore.polychoric : The correlations it rests on.
    cocreation.steps.validate.omega : How much of the sum is one thing.
    cocreation.steps.validate.reliability : Omega of a model.

    Notes
    -----
    k/(k−1)·(1 − k/ΣΣ r_ij) over the polychoric correlations (Zumbo, Gadermann & Zeisser
    2007). That it is no reliability of the sum score: Chalmers (2018), Revelle & Condon
    (2019). semTools' ``compRelSEM(ord.scale=FALSE)`` means the same scale, with a model.
    In R, ``psych::alpha(unclass(lavaan::lavCor(x, ordered = names(x))))$total$raw_alpha``.

    Examples
    --------
    >>> from cocreation.survey import sample
    >>> found = ordinal_alpha(sample.draw(300, seed=1), ["DO01", "DO02", "DO05"])
    >>> round(found.ordinal_alpha, 3), round(found.alpha, 3)
    (0.953, 0.938)
    """
    found = polychoric(data, items)
    r = found.correlations.to_numpy()
    if r.sum() <= 1e-12:
        raise InputError(
            "The items' polychoric correlations cancel out, so ordinal alpha does not exist. Recode the reverse-keyed "
            "items first."
        )
    frame = items_frame(data, items)
    raw = alpha_from_covariance(covariance(frame.to_numpy()))
    note = (
        f"Coefficient alpha of the polychoric correlations (Zumbo, Gadermann & Zeisser 2007). {found.note} It is the "
        "reliability of a sum of unobserved responses, not of the sum score (Chalmers 2018): report alpha or omega "
        f"beside it.{keying(frame, {'': list(frame.columns)})}"
    )
    return OrdinalAlpha(alpha_from_covariance(r), raw, found.n, len(r), found.warnings, note)
