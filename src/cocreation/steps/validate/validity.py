"""Convergent and discriminant validity: CR, AVE, Fornell–Larcker, HTMT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import style
from ...cfa.result import Cfa
from ...core.moments import covariance
from ...core.reliability import composite
from ...errors import InputError
from ...inputs.answers import items_frame, scales_mapping, used
from ...results.result import Result
from ..confirm import cfa
from ..purify.alpha import coefficient
from ..purify.keying import keying
from .htmt import htmt
from .reliability import same_scales, unstandardized

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Validity", "validity"]


@dataclass(frozen=True, repr=False)
class Validity(Result):
    """Convergent and discriminant validity of a set of dimensions.

    Attributes
    ----------
    table : DataFrame
        One row a dimension: dimension, items, alpha, cr, ave, msv, asv, root_ave,
        largest_correlation, fornell_larcker (True where root_ave is the larger). What
        compares dimensions is missing where there is one, and the matrices are empty.
    fornell_larcker : DataFrame
        Factor correlations below the diagonal, √AVE on it; empty above.
    htmt : DataFrame
        Heterotrait–monotrait ratios (Henseler, Ringle & Sarstedt 2015), symmetric with ones on the diagonal.
    htmt2 : DataFrame
        The same from geometric means (Roemer, Schuberth & Henseler 2021).
    phi : DataFrame
        Factor correlations of the model.
    model : Cfa
        The fit that loadings and correlations come from.
    note : str
    unstandardized : DataFrame
        dimension, semtools_omega, semtools_alpha, semtools_ave: what semTools' ``compRelSEM``,
        the same with ``tau.eq=TRUE``, and ``AVE`` give, from unstandardized estimates. Not
        printed, lest they be taken for CR and AVE; :func:`reliability` prints them. Empty for
        ordered items, whose estimates have no units.
    """

    title = "Convergent and discriminant validity"

    table: pd.DataFrame
    fornell_larcker: pd.DataFrame
    htmt: pd.DataFrame
    htmt2: pd.DataFrame
    phi: pd.DataFrame
    model: Cfa
    note: str
    unstandardized: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return every table but the unstandardized figures; of one dimension what does not compare it.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        found = {name: table for name, table in super().tables().items() if name != "unstandardized"}
        if len(self.phi) > 1:
            return found
        return {"table": self.table[["dimension", "items", "alpha", "cr", "ave"]]}

    def plot(self, ax: Axes | None = None, *, limit: float = 0.85) -> Axes:
        """Draw HTMT as a heatmap, ratios above ``limit`` outlined.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.
        limit : float
            From where on a ratio is outlined.

        Returns
        -------
        Axes

        Raises
        ------
        InputError
            Where there is one dimension.
        """
        if len(self.phi) < 2:
            raise InputError("There is one dimension, so there is no HTMT to draw. Draw its loadings: .model.plot().")
        import matplotlib.pyplot as plt
        from matplotlib.patches import Rectangle

        sns = self._seaborn()
        table = self.htmt.iloc[1:, :-1]
        size = len(table)
        if ax is None:
            _, ax = plt.subplots(
                figsize=(min(7.0, 0.9 * size + 2.0), min(6.0, 0.75 * size + 1.2)), layout="constrained"
            )
        mask = np.triu(np.ones((size, size), dtype=bool), 1)
        sns.heatmap(
            table,
            ax=ax,
            mask=mask,
            vmin=0,
            vmax=1,
            # light throughout, so that the figures in the cells are always dark and readable
            cmap=sns.light_palette("#7fb2e5", as_cmap=True),
            annot=True,
            fmt=".2f",
            linewidths=1,
            square=True,
            xticklabels=True,
            yticklabels=True,
            cbar_kws={"label": "HTMT"},
        )
        above = 0
        for i, j in zip(*np.tril_indices(size), strict=True):
            if table.iloc[i, j] > limit:
                above += 1
                ax.add_patch(Rectangle((j, i), 1, 1, fill=False, edgecolor="tab:red", linewidth=2.5))
        pairs = size * (size + 1) // 2
        ax.set_title(f"{above} of {pairs} pairs above {limit:.2f}")
        ax.tick_params(axis="y", rotation=0)
        ax.grid(visible=False)
        return style.behind(ax, table.where(~mask).rename_axis("dimension"))


def validity(
    data: pd.DataFrame, scales: Mapping[str, Sequence[str]], *, model: Cfa | None = None, convention: str = "lavaan"
) -> Validity:
    """Return composite reliability, AVE, MSV, ASV, the Fornell–Larcker matrix and HTMT.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    scales : mapping
        ``{dimension: [item, …]}``, at least two items each (of one dimension alone three).
    model : Cfa, optional
        A fit of exactly these scales, to save fitting again.
    convention : {"lavaan", "amos"}
        For the fit; the figures here are the same in both.

    Returns
    -------
    Validity
        A row a dimension with alpha, CR, AVE, MSV, ASV; the Fornell–Larcker matrix, HTMT and HTMT2; the fit.
        Of one dimension CR and AVE, and nothing that compares it with others.

    Raises
    ------
    InputError
        For data, scales or a model that cannot be taken.
    EstimationError
        If the measurement model cannot be estimated.

    See Also
    --------
    reliability : Omega and AVE as semTools has them.
    omega : How much of the sum is one thing.
    htmt : HTMT alone.
    htmt_intervals : HTMT with intervals.
    invariance : The model in several groups.
    latent_means : Means of factors between groups.
    nomological : Paths among factors.
    retest : Stability over time.
    cocreation.steps.confirm.cfa : The model.

    Notes
    -----
    From standardized loadings λ of the correlated-factors model (Fornell & Larcker 1981):
    CR = (Σλ)² / ((Σλ)² + Σ(1 − λ²)), AVE = mean λ², MSV and ASV the largest and the mean
    squared correlation with another factor. semTools works on unstandardized
    loadings and differs by up to .014 (``.unstandardized``). HTMT uses the size of
    correlations, as semTools' ``htmt(absolute=TRUE)``, so reverse-keyed items do not cancel.
    With a ``model`` by WLSMV, CR and AVE are of the responses behind the answers, CR therefore above the reliability of
    the sum score (Chalmers 2018), which :func:`reliability` gives.

    No R call gives CR and AVE so; they follow from ``lavaan::standardizedSolution(fit)`` by the formulas above. HTMT is
    ``semTools::htmt(model, data, htmt2 = FALSE)``, HTMT2 with ``htmt2 = TRUE``, ``phi``
    ``lavaan::lavInspect(fit, "cor.lv")``.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> found = validity(answers, {code: scales[code] for code in ("DO", "CE")})
    >>> print(found.table[["dimension", "cr", "ave", "fornell_larcker"]].round(3).to_string(index=False))
    dimension    cr   ave  fornell_larcker
           DO 0.952 0.832             True
           CE 0.938 0.793             True
    """
    checked = scales_mapping(scales, getattr(data, "columns", None))
    frame = items_frame(data, [item for items in checked.values() for item in items])
    if model is None:
        model = cfa(frame, checked, convention=convention)
    same_scales(model, checked, len(frame))
    names = list(checked)
    phi = model.phi.loc[names, names]
    squared = phi.to_numpy() ** 2
    rows = []
    for number, name in enumerate(names):
        loading = model.loadings.loc[model.loadings["factor"] == name, "std"].to_numpy()
        cr, ave = composite(loading)
        others = np.delete(squared[number], number)
        largest = np.sqrt(others.max(initial=0)) if len(others) else np.nan
        rows.append(
            {
                "dimension": name,
                "items": len(loading),
                "alpha": coefficient(covariance(frame[checked[name]].to_numpy())),
                "cr": cr,
                "ave": ave,
                "msv": largest**2,
                "asv": others.mean() if len(others) else np.nan,
                "root_ave": np.sqrt(ave),
                "largest_correlation": largest,
                "fornell_larcker": bool(np.sqrt(ave) > largest) if len(others) else None,
            }
        )
    table = pd.DataFrame(rows)
    standardized = (
        f"{used(frame, data)}. CR and AVE from standardized loadings of the "
        f"{'correlated-factors' if names[1:] else 'one-factor'} model (Fornell & Larcker 1981); semTools' "
        "variance-weighted figures differ."
    )
    if names[1:]:
        matrix = phi.where(np.tril(np.ones(phi.shape, dtype=bool), -1)).to_numpy(copy=True)
        np.fill_diagonal(matrix, table["root_ave"])
        square, (first, second) = pd.DataFrame(matrix, names, names), htmt(frame, checked)
        note = (
            f"{standardized} Fornell–Larcker: √AVE on the diagonal. HTMT: mean correlation between over "
            "the geometric mean of the mean correlations within, in absolute size; HTMT2: geometric means throughout."
        )
    else:
        square = first = second = pd.DataFrame()
        note = f"{standardized} There is one dimension and none to tell it from: no MSV, ASV, Fornell–Larcker, HTMT."
    if model.estimator == "WLSMV":
        note += (
            " The model is of the responses behind the ordered answers: CR is the reliability of a sum of unobserved "
            "responses, not of the sum score, whose alpha stands beside it (Chalmers 2018). Omega of the sum score is "
            "in reliability(data, scales, model=model)."
        )
    ill = model.warnings.loc[model.warnings["warning"].str.startswith("Heywood"), "subject"]
    if len(ill):
        note += f" Heywood case ({', '.join(map(str, ill))}): CR and AVE of its dimension mean nothing."
    if against := keying(frame, checked):
        note += f"{against} They cancel in CR and alpha, but not in AVE and HTMT, which take sizes."
    if names[1:]:
        note += _zeros(checked, second)
    plain = pd.DataFrame(columns=["dimension", "semtools_omega", "semtools_alpha", "semtools_ave"])
    if model.estimator != "WLSMV":
        plain = unstandardized(model, frame, checked).drop(columns="items").set_axis(plain.columns, axis=1)
    return Validity(table, square, first, second, phi, model, note, plain)


def _zeros(scales: dict[str, list[str]], geometric: pd.DataFrame) -> str:
    """Say where a zero makes HTMT2 mean less than it seems to."""
    zero = [f"{a} and {b}" for i, a in enumerate(scales) for b in list(scales)[:i] if geometric.loc[a, b] < 1e-6]
    if not zero:
        return ""
    return (
        f" HTMT2 of {', '.join(zero)} is 0 because an item of one and an item of the other do not correlate at all, "
        "and a geometric mean with a zero is zero; read HTMT there."
    )
