"""Omega total and hierarchical by Schmid and Leiman."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...core import factor
from ...core.moments import correlation
from ...core.reliability import alpha_from_covariance, lambda6, orientation
from ...core.rotation import oblimin
from ...errors import EstimationError, InputError
from ...inputs.answers import items_frame, refuse_singular, used
from ...results.result import Result

__all__ = ["Omega", "omega"]


@dataclass(frozen=True, repr=False)
class Omega(Result):
    """How much of the sum score is one thing.

    Attributes
    ----------
    omega_total : float
        Share of the sum's variance that all common factors explain.
    omega_hierarchical : float
        Share that the general factor explains.
    omega_limit : float
        omega_hierarchical over omega_total.
    ecv : float
        Share of the common variance that is the general factor's.
    alpha, lambda6 : float
        Alpha and Guttman's λ6 of the standardized items, for comparison.
    n, factors : int
    loadings : DataFrame
        Columns item, general, F1 …, communality, flipped.
    note : str
    """

    title = "Omega after Schmid and Leiman"

    omega_total: float
    omega_hierarchical: float
    omega_limit: float
    ecv: float
    alpha: float
    n: int
    factors: int
    loadings: pd.DataFrame
    lambda6: float
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the coefficients and the loadings.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        shown = ["omega_total", "omega_hierarchical", "omega_limit", "ecv", "alpha", "n", "factors"]
        return {"": pd.DataFrame([{name: getattr(self, name) for name in shown}]), "loadings": self.loadings}


def omega(data: pd.DataFrame, n_factors: int = 3, *, items: Iterable[str] | None = None) -> Omega:
    """Return omega total and hierarchical from an exploratory Schmid–Leiman solution.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    n_factors : int
        How many group factors; with two, the general factor's loadings are not
        determined and set equal; with one, it is the general factor itself.
    items : iterable of str, optional
        The items; all columns by default.

    Returns
    -------
    Omega
        Omega total, hierarchical and its limit, ECV, alpha and λ6, and the loadings on general and group factors.

    Raises
    ------
    InputError
        For data that cannot be taken, or a number of factors the items cannot determine.
    EstimationError
        If factors or rotation do not converge.

    See Also
    --------
    reliability : Omega of a measurement model, dimension by dimension.
    cocreation.steps.purify.alpha : Coefficient alpha.
    cocreation.steps.purify.ordinal_alpha : Alpha of ordered answers.
    cocreation.steps.explore.factors : The group factors.

    Notes
    -----
    Minres, oblimin without Kaiser normalization, the general factor as the minres
    factor of phi. In R, ``psych::omega(cor(x), nfactors = n_factors, fm = "minres", rotate = "oblimin")``.
    Items that load negatively on the general
    factor are reversed first (they are named in the note), as psych does.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> world = population.load()
    >>> answers = sample.draw(300, seed=1, items=world.kept())
    >>> found = omega(answers, 5)
    >>> round(found.omega_total, 3), round(found.omega_hierarchical, 3)
    (0.983, 0.832)
    """
    frame = items_frame(data, items, at_least=3)
    p = frame.shape[1]
    if len(frame) > p:  # minres inverts nothing; items that repeat each other it would take for a Heywood case
        refuse_singular(frame, "omega")
    most = factor.most_factors(p)
    if isinstance(n_factors, bool) or not isinstance(n_factors, (int, np.integer)) or not 1 <= n_factors <= most:
        raise InputError(
            f"Omega of {p} items takes 1 to {most} group factors, not {n_factors}."
            if most >= 2
            else f"Omega needs at least 5 items to determine two group factors, got {p}. Ask for one, or use alpha."
        )
    r = correlation(frame.to_numpy())
    signs = orientation(r)
    r = r * np.outer(signs, signs)
    found = factor.minres(r, n_factors)
    oblique = oblimin(found.loadings, kaiser=False)
    general, groups = factor.schmid_leiman(oblique.pattern, oblique.phi)
    if general.sum() < 0:
        general = -general
    total = r.sum()
    shared = (general @ general) + (groups**2).sum()
    if not total > 1e-10 or not shared > 1e-10:
        raise EstimationError("The items share nothing, so omega does not exist. Look at their correlations first.")
    names = [f"F{i + 1}" for i in range(n_factors)]
    table = pd.DataFrame(groups, columns=names)
    table.insert(0, "item", list(frame.columns))
    table.insert(1, "general", general)
    table["communality"] = 1 - found.uniquenesses
    table["flipped"] = signs < 0
    whole = float(1 - found.uniquenesses.sum() / total)
    hierarchical = float(general.sum() ** 2 / total)
    if not whole > 1e-10:
        raise EstimationError("The common factors explain nothing of the sum, so omega's limit does not exist.")
    flipped = [str(name) for name in table.loc[table["flipped"], "item"]]
    note = (
        f"{used(frame, data)}, listwise; minres, oblimin without Kaiser normalization, Schmid–Leiman."
        + (f" Reversed first: {', '.join(flipped)}." if flipped else "")
        + (" Heywood case: a unique variance ran into its floor of .005." if found.heywood.any() else "")
        + (
            " λ6 does not exist: with no more respondents than items the correlations have no inverse."
            * (len(frame) <= p)
        )
        + (
            " With one factor omega total is the share of the sum that is not unique, omega hierarchical the share "
            "that the factor's loadings explain; the two differ by the correlations it leaves unexplained."
            if n_factors == 1
            else ""
        )
        + (" With two group factors the general factor's loadings on them are set equal." if n_factors == 2 else "")
    )
    ecv = float((general @ general) / shared)
    limit = hierarchical / whole
    return Omega(
        whole, hierarchical, limit, ecv, alpha_from_covariance(r), len(frame), int(n_factors), table, lambda6(r), note
    )
