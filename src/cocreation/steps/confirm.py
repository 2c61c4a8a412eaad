"""Confirm: does the measurement model fit, and better than its rivals?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr, ndtri

from ..core import fit as fit_measures
from ..core import ml
from ..core.factor import minres
from ..core.moments import correlation, covariance
from ..core.syntax import Specification, parse
from ..errors import EstimationError, InputError
from .frames import items_frame, refuse_singular, scales_mapping, used
from .result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Cfa", "CommonMethod", "NestedModels", "cfa", "common_method", "nested", "syntax"]

_NAME = re.compile(r"[^\W\d][\w.]*")


def syntax(scales: Mapping[str, Sequence[str]]) -> str:
    """Return the measurement model of correlated factors as text that lavaan and semopy read.

    Parameters
    ----------
    scales : mapping
        ``{dimension: [item, …]}``.

    Raises
    ------
    InputError
        If a name cannot stand in a model text; ``cfa(data, scales)`` takes any names.

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


def cfa(
    data: pd.DataFrame,
    model: str | Mapping[str, Sequence[str]],
    *,
    convention: str = "lavaan",
    orthogonal: bool = False,
) -> Cfa:
    """Fit a measurement model by maximum likelihood.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing answer to an item of the model are left out.
    model : str or mapping
        lavaan's text (``PE =~ q1 + q2 + q3``), or ``{dimension: [item, …]}`` for correlated factors.
    convention : {"lavaan", "amos"}
        χ² = N·F, or (N − 1)·F as AMOS and LISREL; RMSEA, AIC and standard errors follow.
    orthogonal : bool
        Fix the factors' covariances at zero unless the text says otherwise (bifactor models).

    Returns
    -------
    Cfa

    Raises
    ------
    InputError
        For data or a model that cannot be taken, naming the culprit.
    EstimationError
        If the model is not identified, does not converge, gives a factor a negative
        variance, or if semopy ends elsewhere (standardized loadings apart by more than
        1e-4); with the reason. A flag that says success is never believed.

    Notes
    -----
    Estimated twice: by semopy (tight tolerance, unbounded variances) and by this
    course's Fisher scoring, which is the one printed, since it goes on until the
    gradient is gone. Standard errors from the expected information. Corrections to
    semopy: GFI (semopy's equals NFI), AIC and log-likelihood, CFI clamped, one
    divisor for χ² and RMSEA, residual covariances standardized by the residuals' own
    deviations. Variances are not bounded, so a Heywood case shows as one.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> model = cfa(answers, scales)
    >>> int(model.measure("df")), round(model.measure("cfi"), 3), round(model.measure("rmsea"), 3)
    (179, 0.952, 0.079)
    """
    if convention not in fit_measures.CONVENTIONS:
        raise InputError(f"convention is 'lavaan' or 'amos', not {convention!r}.")
    specification = _specification(data, model, orthogonal)
    frame = _frame(data, specification)
    return _fit(frame, specification, convention, used(frame, data))


def _specification(data: pd.DataFrame, model, orthogonal: bool) -> Specification:
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
    return _from_scales(scales, orthogonal=orthogonal)


def _from_scales(scales: dict[str, list[str]], extra: str = "", names: Sequence[str] = (), **options) -> Specification:
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


def _frame(data: pd.DataFrame, specification: Specification) -> pd.DataFrame:
    frame = items_frame(data, specification.observed)
    refuse_singular(frame, "a maximum-likelihood fit")
    return frame


def _fit(frame: pd.DataFrame, specification: Specification, convention: str, who: str) -> Cfa:
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


def _modification(specification: Specification, fitted: ml.MLFit) -> pd.DataFrame:
    p, names = len(specification.observed), (*specification.observed, *specification.latent)
    taken = {(e.matrix, e.row, e.column) for e in specification.model.entries}
    first_order = [number for number in range(p, len(names)) if any(("A", i, number) in taken for i in range(p))]
    loadings = [ml.Entry("A", i, f, 0) for f in first_order for i in range(p) if ("A", i, f) not in taken]
    errors = [
        ml.Entry("P", i, j, 0) for i in range(p) for j in range(i + 1, p) if not {("P", i, j), ("P", j, i)} & taken
    ]
    candidates = loadings + errors
    columns = ["left", "op", "right", "mi", "epc", "std_epc"]
    if not candidates or specification.model.df == 0:
        return pd.DataFrame(columns=columns)
    index, change = ml.modification_indices(fitted, candidates)
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


# ---- rival models ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class NestedModels(Result):
    """The measurement model beside its rivals.

    Attributes
    ----------
    table : DataFrame
        Columns model, chi2, df, chi2_df, rmsea, rmsea_lower, rmsea_upper, cfi, tli, nfi,
        srmr, aic, delta_chi2, delta_df, delta_p (against M1; negative where a model
        fits better), remark. A model that cannot be estimated has an empty row
        and the reason as its remark.
    models : dict
        ``{model: Cfa}`` of those that were estimated.
    n : int
    convention : str
    note : str
    """

    title = "Nested measurement models"

    table: pd.DataFrame
    models: dict[str, Cfa]
    n: int
    convention: str
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the table, remarks only where there are any."""
        table = self.table if self.table["remark"].astype(bool).any() else self.table.drop(columns="remark")
        return {"": table}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw RMSEA with its 90 % interval, a line a model. Return the Axes."""
        import matplotlib.pyplot as plt

        table = self.table.dropna(subset=["rmsea"]).iloc[::-1].reset_index(drop=True)
        if ax is None:
            _, ax = plt.subplots(figsize=(7, 0.42 * len(table) + 1.3), layout="constrained")
        ax.hlines(table.index, table["rmsea_lower"], table["rmsea_upper"], color="tab:blue", linewidth=2)
        ax.plot(table["rmsea"], table.index, "o", color="tab:blue")
        ax.axvline(0.08, color="0.35", linestyle="--", linewidth=1)
        ax.set_yticks(table.index, table["model"])
        ax.set_ylim(-0.6, len(table) - 0.4)
        ax.set_xlim(left=0)
        ax.set_xlabel("RMSEA with 90 % interval (dashed: .08)")
        return ax


_SHOWN = ["chi2", "df", "chi2_df", "rmsea", "rmsea_lower", "rmsea_upper", "cfi", "tli", "nfi", "srmr", "aic"]
_COUNT = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}


def nested(
    data: pd.DataFrame, scales: Mapping[str, Sequence[str]], *, convention: str = "lavaan", method_factor: bool = True
) -> NestedModels:
    """Fit the measurement model M1 and its rivals, and compare them.

    The rivals: one factor fewer at a time, down to one, each time merging the two
    (groups of) dimensions whose factors correlate most in M1 – the hardest rival
    there is with that many factors; a second-order factor behind all dimensions;
    and M1 with a common method factor on which all items load equally.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    scales : mapping
        ``{dimension: [item, …]}``, at least two dimensions.
    convention : {"lavaan", "amos"}
        As :func:`cfa`.
    method_factor : bool
        Include the model with the method factor.

    Returns
    -------
    NestedModels

    Raises
    ------
    InputError
        For data or scales that cannot be taken.
    EstimationError
        If M1 itself cannot be estimated.

    Notes
    -----
    A merged model sets a factor correlation to 1, the edge of what is possible, so
    the chi-square difference test is conservative there. With three dimensions the
    second-order model is M1 in other words: same chi-square.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> found = nested(answers, {code: scales[code] for code in ("DO", "CE")}, method_factor=False)
    >>> print(found.table[["model", "df"]].to_string(index=False))
              model  df
    M1: two factors  19
     M2: one factor  20
    """
    checked = scales_mapping(scales, getattr(data, "columns", None))
    if len(checked) < 2:
        raise InputError("Nested models need at least two dimensions; with one there is nothing to merge.")
    frame = items_frame(data, [item for items in checked.values() for item in items])
    k = len(checked)
    first_name = f"M1: {_factors(k)}"
    first = cfa(frame, checked, convention=convention)
    planned: list[tuple[str, Specification]] = []
    for groups in _merges(list(checked), first.phi.to_numpy()):
        merged = {" + ".join(group): [item for name in group for item in checked[name]] for group in groups}
        joined = [name for name in merged if " + " in name]
        what = "" if len(groups) == 1 else f" ({'; '.join(joined)})"
        planned.append((f"M{len(planned) + 2}: {_factors(len(groups))}{what}", _from_scales(merged)))
    if k >= 3:
        planned.append((f"M{len(planned) + 2}: second order", _second_order(checked)))
    if method_factor:
        planned.append((f"M{len(planned) + 2}: M1 and a method factor", _with_method(checked)))
    models, rows = {first_name: first}, [_row(first_name, first, first, "")]
    for name, specification in planned:
        try:
            models[name] = _fit(frame, specification, convention, used(frame, frame))
        except EstimationError as error:
            rows.append({"model": name, "remark": _reason(frame, checked, name, error)})
            continue
        remark = "equivalent to M1" if k == 3 and name.endswith("second order") else _remark(models[name])
        rows.append(_row(name, models[name], first, remark))
    table = pd.DataFrame(rows)
    table = table[["model", *_SHOWN, "delta_chi2", "delta_df", "delta_p", "remark"]]
    table[["df", "delta_df"]] = table[["df", "delta_df"]].astype("Int64")
    note = (
        f"Maximum likelihood, {used(frame, data)}, convention {convention}; differences are against M1. Dimensions "
        "merge in the order of their correlations."
    )
    return NestedModels(table, models, len(frame), convention, note)


def _factors(number: int) -> str:
    return f"{_COUNT.get(number, number)} factor{'s' if number > 1 else ''}"


def _row(name: str, model: Cfa, first: Cfa, remark: str) -> dict:
    row: dict = {"model": name} | {m: model.measure(m) if m in model.fit.index else np.nan for m in _SHOWN}
    row["remark"] = remark
    change, df = model.measure("chi2") - first.measure("chi2"), model.measure("df") - first.measure("df")
    row["delta_chi2"], row["delta_df"] = (change if df else 0.0), df
    row["delta_p"] = chdtrc(abs(df), abs(change)) if df and change * df > 0 else np.nan
    return row


def _remark(model: Cfa) -> str:
    heywood = model.warnings[model.warnings["warning"].str.startswith("Heywood")]
    return f"negative variance: {', '.join(heywood['subject'])}" if len(heywood) else ""


def _reason(frame: pd.DataFrame, scales: dict[str, list[str]], name: str, error: EstimationError) -> str:
    """Say why a rival failed; a method factor without variance is a finding, not a failure."""
    if name.endswith("method factor"):
        try:
            variance = _estimate_method_variance(frame, scales)
        except EstimationError:
            return str(error)
        if variance <= 1e-4:
            return "no method factor: its variance would be zero or negative, so the fit is M1's"
        if "gets a variance" in str(error):
            return "cannot be told from correlated dimensions: one would get a negative variance"
    return str(error)


def _estimate_method_variance(frame: pd.DataFrame, scales: dict[str, list[str]]) -> float:
    """Variance of a method factor with loadings 1, relative to the items' mean variance; may come out negative."""
    items = [item for group in scales.values() for item in group]
    extra = "CMV =~ " + " + ".join(f"1*y{i}" for i in range(len(items)))
    extra += "".join(f"\nCMV ~~ 0*f{i}" for i in range(len(scales)))
    specification = _from_scales(scales, extra, ["CMV"])
    sample = covariance(frame[list(specification.observed)].to_numpy(), divisor="N")
    fitted = ml.fit(sample, len(frame), specification.model)
    return float(fitted.total[-1, -1] / np.diag(sample).mean())


def _second_order(scales: dict[str, list[str]]) -> Specification:
    name = _fresh("general", scales)
    extra = f"{name} =~ " + " + ".join(f"f{i}" for i in range(len(scales)))
    return _from_scales(scales, extra, [name])


def _with_method(scales: dict[str, list[str]]) -> Specification:
    """M1 and an uncorrelated factor with one loading for all items, started at .2."""
    name = _fresh("method", scales)
    items = [item for group in scales.values() for item in group]
    terms = " + ".join(f"NA*start(0.2)*m*y{i}" for i in range(len(items)))
    extra = f"{name} =~ {terms}\n{name} ~~ 1*{name}" + "".join(f"\n{name} ~~ 0*f{i}" for i in range(len(scales)))
    return _from_scales(scales, extra, [name])


def _fresh(name: str, scales: dict[str, list[str]]) -> str:
    taken = {*scales, *(item for group in scales.values() for item in group)}
    while name in taken:
        name += "_"
    return name


def _merges(names: list[str], phi: np.ndarray) -> list[list[list[str]]]:
    """Return the groupings with one factor fewer each time, merging where mean correlations are highest."""
    groups = [[i] for i in range(len(names))]
    found = []
    while len(groups) > 1:
        pairs = [(i, j) for i in range(len(groups)) for j in range(i + 1, len(groups))]
        i, j = max(pairs, key=lambda pair: np.abs(phi[np.ix_(groups[pair[0]], groups[pair[1]])]).mean())
        groups = [sorted(groups[i] + groups[j]) if g == i else group for g, group in enumerate(groups) if g != j]
        found.append([[names[number] for number in group] for group in groups])
    return found


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

    Raises
    ------
    InputError, EstimationError
        As :func:`nested`.

    Notes
    -----
    None of these clears a study. That one factor fits badly shows that method is not
    *everything*; half of every answer could be method and one factor would still fit
    badly. The equal-loading factor supposes the method touches all items alike, and
    takes up shared substance too. Free method loadings have several optima and are
    not estimated here. What clears a study is design: another source, another
    time, another format (Podsakoff et al. 2003).

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> found = common_method(answers, {code: scales[code] for code in ("DO", "CE")})
    >>> round(found.harman_percent, 1), round(found.harman_factor_percent, 1)
    (64.2, 59.2)
    """
    models = nested(data, scales, convention=convention)
    names = [
        name for name in models.table["model"] if name.startswith("M1:") or "one factor" in name or "method" in name
    ]
    table = models.table[models.table["model"].isin(names)].reset_index(drop=True)
    items = [item for group in scales_mapping(scales).values() for item in group]
    r = correlation(items_frame(data, items).to_numpy())
    fitted = models.models.get(names[-1])
    share = float("nan")
    if fitted is not None and "method factor" in names[-1]:
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
        table,
        models.n,
        convention,
        note,
    )
