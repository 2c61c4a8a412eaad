"""A confirmatory factor analysis: from model and answers to the tables of its result.

The room behind :mod:`cocreation.steps.confirm`, whose functions and rival models all
fit through :func:`fit_model`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from ..core import fit as fit_measures
from ..core import ml
from ..core.moments import covariance
from ..core.syntax import Specification, parse
from ..errors import EstimationError, InputError
from .frames import items_frame, refuse_singular, scales_mapping
from .result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Cfa", "complete_frame", "fit_model", "from_scales", "specification_of"]


@dataclass(frozen=True, repr=False)
class Cfa(Result):
    """A confirmatory factor analysis.

    Attributes
    ----------
    fit : DataFrame
        Index measure, column value: chi2, df, p, chi2_df, cfi, tli, nfi, rfi, ifi, gfi,
        agfi, rmsea, rmsea_lower, rmsea_upper, pclose, srmr, logl, aic, bic,
        parameters, n, baseline_chi2, baseline_df. Measures that do not exist
        (with df = 0) have no row. See :meth:`measure`.
    loadings : DataFrame
        Columns factor, item, estimate, se, z, p, std. A fixed loading has no se.
    parameters : DataFrame
        Columns left, op, right, label, estimate, se, z, p, lower, upper, std, of every entry.
    phi : DataFrame
        Correlations of the factors as the model implies them.
    residuals : DataFrame, shape (items, items)
        Sample minus implied covariances over √(s_ii·s_jj).
    modification : DataFrame
        Columns left, op, right, mi, epc, std_epc: cross-loadings and residual
        covariances left out of the model, the largest index first. A residual
        covariance of an item with a negative variance has no std_epc.
    warnings : DataFrame
        Columns subject, warning: what a careful reader would question.
    n : int
        Respondents used.
    convention : str
        "lavaan" or "amos".
    agreement : float
        Largest difference of standardized loadings from semopy's.
    note : str
    """

    title = "Confirmatory factor analysis"

    fit: pd.DataFrame
    loadings: pd.DataFrame
    parameters: pd.DataFrame
    phi: pd.DataFrame
    residuals: pd.DataFrame
    modification: pd.DataFrame
    warnings: pd.DataFrame
    n: int
    convention: str
    agreement: float
    note: str

    def measure(self, name: str) -> float:
        """Return one fit measure by name, such as ``"cfi"``.

        Raises
        ------
        InputError
            If the name is unknown or the measure does not exist for this model.
        """
        if name not in self.fit.index:
            raise InputError(f"There is no fit measure {name!r} here; there are {', '.join(self.fit.index)}.")
        return float(self.fit.loc[name, "value"])

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return chi-square, fit indices, loadings, factor correlations, and warnings if there are any."""
        chi2 = {name: self.measure(name) for name in ("chi2", "df", "p", "chi2_df") if name in self.fit.index}
        chi2["df"] = int(chi2["df"])
        indices = ["cfi", "tli", "nfi", "rmsea", "rmsea_lower", "rmsea_upper", "srmr"]
        found = {name: self.measure(name) for name in indices if name in self.fit.index}
        shown = {"chi-square": pd.DataFrame([chi2])}
        if found:
            shown["fit"] = pd.DataFrame([found])
        shown["loadings"] = self.loadings
        if len(self.phi) > 1:
            shown["factor correlations"] = self.phi
        if len(self.warnings):
            shown["warnings"] = self.warnings
        return shown

    def plot(self, ax: Axes | None = None, *, kind: str = "loadings") -> Axes:
        """Draw the standardized loadings by factor, or the residual correlations as a heatmap.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw.
        kind : {"loadings", "residuals"}
            What to draw.

        Returns
        -------
        Axes
        """
        if kind not in ("loadings", "residuals"):
            raise InputError(f"kind is 'loadings' or 'residuals', not {kind!r}.")
        return self._plot_loadings(ax) if kind == "loadings" else self._plot_residuals(ax)

    def _plot_loadings(self, ax: Axes | None) -> Axes:
        import matplotlib.pyplot as plt
        import seaborn as sns

        table = self.loadings.iloc[::-1].reset_index(drop=True)
        if ax is None:
            _, ax = plt.subplots(figsize=(7, max(2.5, 0.26 * len(table) + 1.1)), layout="constrained")
        factors = list(dict.fromkeys(self.loadings["factor"]))
        palette = sns.color_palette("colorblind", len(factors))
        for factor, colour in zip(factors, palette, strict=True):
            rows = table[table["factor"] == factor]
            ax.hlines(rows.index, 0, rows["std"], color=colour, alpha=0.35)
            ax.plot(rows["std"], rows.index, "o", color=colour, label=factor)
        ax.axvline(0.7, color="0.35", linestyle="--", linewidth=1)
        ax.set_yticks(table.index, table["item"], fontsize=9)
        ax.set_ylim(-0.8, len(table) - 0.2)
        ax.set_xlim(min(0.0, table["std"].min() - 0.05), max(1.0, table["std"].max() + 0.05))
        ax.set_xlabel("standardized loading (dashed: .70)")
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
        return ax

    def _plot_residuals(self, ax: Axes | None) -> Axes:
        import matplotlib.pyplot as plt
        import seaborn as sns

        table = self.residuals.iloc[1:, :-1]
        size = len(table)
        if ax is None:
            # no wider than the page's column, where a larger picture would be shrunk with its labels
            width, height = min(7.0, 0.34 * size + 2.2), min(6.4, 0.3 * size + 1.2)
            _, ax = plt.subplots(figsize=(width, height), layout="constrained")
        mask = np.triu(np.ones((size, size), dtype=bool), 1)
        limit = max(0.1, float(np.abs(table.to_numpy()[~mask]).max(initial=0.0)))
        sns.heatmap(
            table,
            ax=ax,
            mask=mask,
            cmap="RdBu",
            vmin=-limit,
            vmax=limit,
            square=True,
            linewidths=0.5,
            xticklabels=True,
            yticklabels=True,
            cbar_kws={"label": "residual correlation", "shrink": 0.8},
        )
        ax.set_xlabel("")
        ax.set_ylabel("")
        ax.grid(visible=False)
        ax.tick_params(axis="x", labelsize=9, rotation=90)
        ax.tick_params(axis="y", labelsize=9, rotation=0)
        return ax


def specification_of(data: pd.DataFrame, model, orthogonal: bool) -> Specification:
    """Return the model of a text or of scales; refuse a factor named like a column."""
    columns = getattr(data, "columns", None)
    if isinstance(model, str):
        found = parse(model, orthogonal=orthogonal)
        taken = [name for name in found.latent if columns is not None and name in columns]
        if taken:
            raise InputError(
                f"The model measures '{taken[0]}', but the data have a column of that name. Give the factor another "
                "name, so that nobody takes one for the other."
            )
        return found
    scales = scales_mapping(model, columns, at_least=1)
    return from_scales(scales, orthogonal=orthogonal)


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


def complete_frame(data: pd.DataFrame, specification: Specification) -> pd.DataFrame:
    """Return the complete answers to the items of a model; refuse items that repeat each other."""
    frame = items_frame(data, specification.observed)
    refuse_singular(frame, "a maximum-likelihood fit")
    return frame


def fit_model(frame: pd.DataFrame, specification: Specification, convention: str, who: str) -> Cfa:
    """Fit a model by both programs and return the tables of its result; ``who`` says whose answers they are."""
    fitted, agreement, missed = _cross_check(specification, _estimate(frame, specification))
    _refuse_impossible(specification, fitted)
    n_obs, model = len(frame), specification.model
    found = fit_measures.measures(
        fitted.sample, fitted.sigma, fitted.minimum, n_obs, model.n_parameters, convention=convention
    )
    table = pd.DataFrame({"value": pd.Series(found, dtype=float)})
    table.index.name = "measure"
    parameters = _parameters(specification, fitted, n_obs / (n_obs - 1) if convention == "amos" else 1.0)
    loadings = parameters[parameters["op"] == "=~"].rename(columns={"left": "factor", "right": "item"})
    loadings = loadings[["factor", "item", "estimate", "se", "z", "p", "std"]].reset_index(drop=True)
    p = len(specification.observed)
    latent = fitted.total[p:, p:]
    sd = np.sqrt(np.diag(latent))
    correlations = latent / np.outer(sd, sd)
    np.fill_diagonal(correlations, 1.0)
    phi = pd.DataFrame(correlations, specification.latent, specification.latent)
    own = np.sqrt(np.diag(fitted.sample))
    residuals = pd.DataFrame(
        (fitted.sample - fitted.sigma) / np.outer(own, own), specification.observed, specification.observed
    )
    note = (
        f"Maximum likelihood, {who}, convention {convention}: "
        f"chi-square = {'N' if convention == 'lavaan' else '(N − 1)'}·F, RMSEA with the "
        f"same divisor; standard errors from the expected information; variances unbounded. semopy's standardized "
        f"loadings agree within {_magnitude(agreement)}."
    )
    return Cfa(
        table,
        loadings,
        parameters,
        phi,
        residuals,
        _modification(specification, fitted),
        _warnings(specification, parameters, phi, missed),
        n_obs,
        convention,
        agreement,
        note,
    )


def _magnitude(difference: float) -> str:
    """A power of ten that bounds a difference, so that a printed note is the same on every machine."""
    return next((text for limit, text in ((1e-6, "1e-6"), (1e-5, "1e-5")) if difference <= limit), "1e-4")


def _estimate(frame: pd.DataFrame, specification: Specification) -> ml.MLFit:
    sample = covariance(frame.to_numpy(), divisor="N")
    try:
        fitted = ml.fit(sample, len(frame), specification.model)
    except EstimationError as error:
        thin = [name for name, items in specification.indicators.items() if len(items) < 3]
        hint = f" Factor '{thin[0]}' has only {len(specification.indicators[thin[0]])} items." if thin else ""
        raise EstimationError(f"{error}{hint}") from error
    _refuse_impossible(specification, fitted)
    return _positive(specification, fitted)


def _refuse_impossible(specification: Specification, fitted: ml.MLFit) -> None:
    p, total = len(specification.observed), np.diag(fitted.total)
    for number, name in enumerate(specification.latent, start=p):
        value = total[number]
        # where a loading is fixed, its item must share a trace of its variance with the factor, whatever its units
        markers = [e for e in specification.model.entries if e.matrix == "A" and e.column == number and e.parameter < 0]
        shares = [e.value**2 * value / total[e.row] for e in markers if e.value and total[e.row] > 0]
        if not value > 0 or (shares and max(shares) < 1e-10):
            raise EstimationError(
                f"Factor '{name}' gets a variance of {value:.3g}, so nothing can be standardized: its first item does "
                "not share anything with the others. Put a better item first or drop it."
            )


def _positive(specification: Specification, fitted: ml.MLFit) -> ml.MLFit:
    """Turn factors whose scale is a fixed variance so that their loadings sum to something positive."""
    p = len(specification.observed)
    theta = fitted.theta.copy()
    entries = specification.model.entries
    for number in range(p, p + len(specification.latent)):
        paths = [e for e in entries if e.matrix == "A" and e.column == number]
        if any(e.parameter < 0 and e.value for e in paths) or not paths:
            continue
        numbers = sorted({e.parameter for e in paths if e.parameter >= 0})
        others = {e.parameter for e in entries if e not in paths}
        if theta[numbers].sum() < 0 and not others & set(numbers):
            theta[numbers] *= -1
            turned = {
                e.parameter
                for e in entries
                if e.parameter >= 0 and e.matrix == "P" and e.row != e.column and number in (e.row, e.column)
            } | {e.parameter for e in entries if e.parameter >= 0 and e.matrix == "A" and e.row == number}
            theta[sorted(turned)] *= -1
    return fitted if np.array_equal(theta, fitted.theta) else replace(fitted, theta=theta)


def _cross_check(specification: Specification, fitted: ml.MLFit) -> tuple[ml.MLFit, float, float]:
    """Return the fit both programs end at, how far they are apart, and by how much the worse of two minima missed it.

    Where their searches end at different minima the lower one counts, and the
    other program, started there, must stay there.
    """
    from . import _oracle

    opinion = _oracle.second_opinion(specification, fitted)
    if opinion.apart <= _oracle.AGREEMENT:
        return fitted, opinion.apart, 0.0
    missed = opinion.minimum - fitted.minimum
    if missed < -1e-9:
        fitted = _positive(specification, ml.fit(fitted.sample, fitted.n_obs, specification.model, start=opinion.theta))
    again = _oracle.second_opinion(specification, fitted, opinion.theta if missed < -1e-9 else fitted.theta)
    if again.apart <= _oracle.AGREEMENT:
        return fitted, again.apart, abs(missed)
    if not np.isfinite(again.apart) or not np.isfinite(again.minimum):
        why = "semopy's search ended at a model without positive variances"
    elif abs(again.minimum - fitted.minimum) < 1e-9:
        why = "two different solutions fit equally well, so the model is not identified"
    else:
        why = f"semopy stopped {again.minimum - fitted.minimum:.2g} from the minimum found here and called that success"
    raise EstimationError(
        f"semopy and this course's estimator disagree by {again.apart:.2g} in a standardized loading: {why}. Simplify "
        "the model or bring the items to similar spreads."
    )


def _parameters(specification: Specification, fitted: ml.MLFit, widen: float) -> pd.DataFrame:
    a, p = fitted.matrices
    std_a, std_p = fitted.standardized()
    se = np.sqrt(np.clip(np.diag(fitted.covariance), 0.0, None) * widen)
    rows = []
    for term, entry in zip(specification.terms, specification.model.entries, strict=True):
        raw, std = (a, std_a) if entry.matrix == "A" else (p, std_p)
        rows.append((term.left, term.op, term.right, term.label, raw[entry.row, entry.column], entry.parameter))
        rows[-1] += (std[entry.row, entry.column],)
    table = pd.DataFrame(rows, columns=["left", "op", "right", "label", "estimate", "number", "std"])
    free = table["number"] >= 0
    table["se"] = np.where(free, se[table["number"].clip(lower=0)], np.nan)
    table["z"] = table["estimate"] / table["se"]
    table["p"] = 2 * ndtr(-table["z"].abs())
    reach = ndtri(0.975) * table["se"]
    table["lower"], table["upper"] = table["estimate"] - reach, table["estimate"] + reach
    return table[["left", "op", "right", "label", "estimate", "se", "z", "p", "lower", "upper", "std"]]


def _modification(specification: Specification, fitted, indices=ml.modification_indices) -> pd.DataFrame:
    p, names = len(specification.observed), (*specification.observed, *specification.latent)
    taken = {(e.matrix, e.row, e.column) for e in specification.model.entries}
    first_order = [number for number in range(p, len(names)) if any(("A", i, number) in taken for i in range(p))]
    loadings = [ml.Entry("A", i, f, 0) for f in first_order for i in range(p) if ("A", i, f) not in taken]
    errors = [
        ml.Entry("P", i, j, 0) for i in range(p) for j in range(i + 1, p) if not {("P", i, j), ("P", j, i)} & taken
    ]
    candidates = loadings + errors
    columns = ["left", "op", "right", "mi", "epc", "std_epc"]
    if not candidates or fitted.df == 0:
        return pd.DataFrame(columns=columns)
    index, change = indices(fitted, candidates)
    total, own = np.sqrt(np.diag(fitted.total)), np.sqrt(np.clip(np.diag(fitted.matrices[1]), 0.0, None))
    rows = []
    for entry, mi, epc in zip(candidates, index, change, strict=True):
        if entry.matrix == "A":
            rows.append(
                (names[entry.column], "=~", names[entry.row], mi, epc, epc * total[entry.column] / total[entry.row])
            )
        else:
            scale = own[entry.row] * own[entry.column]
            rows.append((names[entry.row], "~~", names[entry.column], mi, epc, epc / scale if scale else np.nan))
    # beside a negative variance there is an index, but no correlation to express the change in
    table = pd.DataFrame(rows, columns=columns).dropna(subset="mi")
    return table.sort_values("mi", ascending=False, kind="stable", ignore_index=True)


def _warnings(specification: Specification, parameters: pd.DataFrame, phi: pd.DataFrame, missed: float) -> pd.DataFrame:
    found: list[tuple[str, str]] = []
    if missed > 0:
        found.append(
            (
                "model",
                f"Two searches from the same starting values ended apart, one {missed:.2g} above the minimum reported: "
                "the model may have more than one solution and deserves no trust before that is understood.",
            )
        )
    if specification.model.df == 0:
        found.append(
            (
                "model",
                "df = 0: as many parameters as moments. The model repeats the data whatever they are; its perfect fit "
                "tests nothing, so fit indices are left out.",
            )
        )
    own = parameters[(parameters["op"] == "~~") & (parameters["left"] == parameters["right"])]
    for row in own[own["estimate"] < 0].itertuples():
        found.append(
            (
                row.left,
                f"Heywood case: variance {row.estimate:.3f} is negative, which no variance can be. Too few items or "
                "respondents, an outlier, or a wrong model.",
            )
        )
    single = [name for name, items in specification.indicators.items() if len(items) == 2]
    for name in single:
        found.append(
            (name, "Two items: identified only through its correlations with other factors. Three or more stand alone.")
        )
    correlations = phi.to_numpy()
    for i, j in zip(*np.triu_indices(len(phi), 1), strict=True):
        if abs(correlations[i, j]) >= 1:
            found.append(
                (
                    f"{phi.index[i]} ~~ {phi.columns[j]}",
                    f"correlation {correlations[i, j]:.3f}: the two factors cannot be told apart.",
                )
            )
    return pd.DataFrame(found, columns=["subject", "warning"])
