"""Common method variance: one factor, a method factor, and how much of the answers it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...core.factor import minres
from ...core.moments import correlation
from ...inputs.answers import items_frame, scales_mapping
from ...results.result import Result
from .rivals import compared

__all__ = ["CommonMethod", "common_method"]


@dataclass(frozen=True, repr=False)
class CommonMethod(Result):
    """What the usual tests of common method variance say.

    Attributes
    ----------
    harman_percent : float
        Percent of total variance on the first unrotated principal component.
    harman_factor_percent : float
        The same for a single common factor, which is what the argument is about.
    method_percent : float
        Mean percent of an item's variance that an equal-loading method factor takes
        (NaN where there is none to estimate; the table says why).
    table : DataFrame
        M1, the one-factor model, M1 with the method factor; columns as :class:`NestedModels`.
    n : int
    convention : str
    note : str
    """

    title = "Common method variance"

    harman_percent: float
    harman_factor_percent: float
    method_percent: float
    table: pd.DataFrame
    n: int
    convention: str
    note: str


def common_method(
    data: pd.DataFrame, scales: Mapping[str, Sequence[str]], *, convention: str = "lavaan"
) -> CommonMethod:
    """Run Harman's test, the one-factor model and the common latent factor with equal loadings.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    scales : mapping
        ``{dimension: [item, …]}``, at least two dimensions.
    convention : {"lavaan", "amos"}
        As :func:`cfa`.

    Returns
    -------
    CommonMethod
        Harman's percentages, the method factor's share, and a table with a row a model.

    Raises
    ------
    InputError, EstimationError
        As :func:`nested`.

    See Also
    --------
    nested : All rivals of the measurement model.
    cfa : The models one by one.
    difference : Test the method factor.

    Notes
    -----
    None of these clears a study. That one factor fits badly shows that method is not
    *everything*; half of every answer could be method and one factor would still fit
    badly. The equal-loading factor supposes the method touches all items alike, and
    takes up shared substance too. Free method loadings have several optima and are
    not estimated here. What clears a study is design: another source, another
    time, another format (Podsakoff et al. 2003).

    In R, Harman's percentages are ``100 * eigen(cor(x))$values[1] / ncol(x)`` and 100 times
    ``psych::fa(x, 1)$Vaccounted["Proportion Var", 1]``; the models are those of ``lavaan::cfa``.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> found = common_method(answers, {code: scales[code] for code in ("DO", "CE")})
    >>> round(found.harman_percent, 1), round(found.harman_factor_percent, 1)
    (64.2, 59.2)
    """
    models = compared(data, scales, {"one factor", "method factor"}, convention=convention)
    items = [item for group in scales_mapping(scales).values() for item in group]
    r = correlation(items_frame(data, items).to_numpy())
    fitted = models.models.get(models.table["model"].iloc[-1])
    share = float("nan")
    if fitted is not None:
        name = fitted.phi.columns[-1]
        share = float(100 * (fitted.loadings.loc[fitted.loadings["factor"] == name, "std"] ** 2).mean())
    note = (
        f"{models.note} A one-factor test clears nothing: it fails only where method is nearly all there is, and a "
        "method factor takes up shared substance as well. Separate sources, times or formats are the remedy."
    )
    return CommonMethod(
        float(100 * np.linalg.eigvalsh(r)[-1] / len(r)),
        float(100 * (minres(r, 1).loadings ** 2).sum() / len(r)),
        share,
        models.table,
        models.n,
        convention,
        note,
    )
