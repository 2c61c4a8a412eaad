"""Answers taken as ordered categories: polychoric correlations, ordinal alpha, WLSMV.

The room behind ``explore.polychoric``, ``purify.ordinal_alpha`` and
``confirm.cfa(estimator="WLSMV")``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from ..core import polychoric as core
from ..core.moments import correlation, covariance, to_correlation
from ..core.reliability import alpha_from_covariance
from ..core.sem import wls
from ..core.sem.terms import Specification
from ..errors import EstimationError, InputError
from ..inputs.answers import items_frame, refuse_singular, used
from ..results.result import Result
from ._cfa import Cfa
from ._estimate import hinting, positive, refuse_impossible
from ._fit_tables import modification_of, parameter_table, warnings_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["OrdinalAlpha", "Polychoric", "fit_ordinal", "ordinal_alpha", "polychoric"]

#: more different answers than this are hardly categories
MOST_CATEGORIES = 12


@dataclass(frozen=True, repr=False)
class Polychoric(Result):
    """Polychoric correlations of ordered answers beside Pearson's.

    Attributes
    ----------
    correlations : DataFrame, shape (items, items)
        Polychoric correlations.
    thresholds : DataFrame
        Columns item, threshold (t1, t2, …), below, above (the answers it parts), estimate,
        se: where the standard normal response behind an item is cut.
    pairs : DataFrame
        Columns first, second, pearson, polychoric, se, difference; a row a pair of items.
    warnings : DataFrame
        Columns subject, warning: thin or empty categories, a matrix that no factor
        analysis can take.
    n : int
        Respondents used.
    note : str
    """

    title = "Polychoric correlations"

    correlations: pd.DataFrame
    thresholds: pd.DataFrame
    pairs: pd.DataFrame
    warnings: pd.DataFrame
    n: int
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return both kinds of correlation in brief, those that differ most, the thresholds, and warnings."""
        sizes = self.pairs[["pearson", "polychoric"]].abs()
        brief = {"pairs": len(self.pairs)} | {f"mean |{name}|": sizes[name].mean() for name in sizes}
        brief |= {
            "largest difference": self.pairs["difference"].abs().max(),
            "smallest eigenvalue": np.linalg.eigvalsh(self.correlations)[0],
        }
        most = self.pairs["difference"].abs().sort_values(ascending=False, kind="stable").index[:5]
        groups = self.thresholds.groupby("item", sort=False)
        wide = pd.DataFrame({item: rows.set_index("threshold")["estimate"] for item, rows in groups}).T
        shown = {"Pearson and polychoric": pd.DataFrame([brief])}
        shown["pairs that differ most"] = self.pairs.loc[most].reset_index(drop=True)
        shown["thresholds"] = wide
        if len(self.warnings):
            shown["warnings"] = self.warnings
        return shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a heatmap: polychoric correlations below the diagonal, Pearson's above. Return the Axes."""
        import matplotlib.pyplot as plt

        sns = self._seaborn()
        size = len(self.correlations)
        if ax is None:
            width, height = min(7.0, 0.34 * size + 2.4), min(6.4, 0.3 * size + 1.6)
            _, ax = plt.subplots(figsize=(width, height), layout="constrained")
        shown = self.correlations.to_numpy().copy()
        place = {item: i for i, item in enumerate(self.correlations)}
        for row in self.pairs.itertuples():
            shown[place[row.first], place[row.second]] = row.pearson
        np.fill_diagonal(shown, np.nan)
        sns.heatmap(
            pd.DataFrame(shown, self.correlations.index, self.correlations.columns),
            ax=ax,
            cmap="RdBu",
            vmin=-1,
            vmax=1,
            square=True,
            linewidths=0.5,
            xticklabels=True,
            yticklabels=True,
            cbar_kws={"label": "correlation", "shrink": 0.8},
        )
        ax.set_title("below: polychoric · above: Pearson", fontsize=10)
        ax.grid(visible=False)
        ax.tick_params(axis="x", labelsize=9, rotation=90)
        ax.tick_params(axis="y", labelsize=9, rotation=0)
        return ax


def polychoric(data: pd.DataFrame, items: Iterable[str] | None = None) -> Polychoric:
    """Return the polychoric correlations of ordered answers, their thresholds, and Pearson's beside them.

    A Likert answer is taken as a normal response that was cut into categories. The
    polychoric correlation is that of the responses; Pearson's, of the category
    numbers, is smaller, the more so the fewer the categories and the more skewed they are.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers as whole numbers, at most 12 different ones an item; they need not begin
        at 1. Respondents with a missing one are left out.
    items : iterable of str, optional
        The items; all columns by default.

    Returns
    -------
    Polychoric

    Raises
    ------
    InputError
        For data that cannot be taken: not whole numbers, so many different answers that
        the item looks continuous, a constant item, no more respondents than items.
    EstimationError
        If no respondent contradicts a perfect correlation of two items.

    Notes
    -----
    Two steps (Olsson 1979): thresholds from each item's own proportions, then each
    correlation by maximum likelihood. As lavaan's ``lavCor(ordered=...)``, with which they
    agree to seven decimals; an empty cell in a table of 2 × 2 gets half a respondent,
    larger tables are left alone. psych's ``polychoric`` adds to empty cells of every table
    and so differs in the second or third decimal. Standard errors after Muthén (1984).

    Examples
    --------
    >>> from cocreation.survey import sample
    >>> found = polychoric(sample.draw(300, seed=1), ["DO01", "DO02", "DO05"])
    >>> print(found.pairs.round(3).to_string(index=False))
    first second  pearson  polychoric    se  difference
     DO01   DO02    0.894       0.930 0.010       0.035
     DO01   DO05    0.820       0.857 0.018       0.036
     DO02   DO05    0.791       0.826 0.022       0.035
    """
    frame = items_frame(data, items)
    refuse_singular(frame, "a factor analysis of it")
    codes, answers, warnings = _categories(frame)
    found = core.polychoric(codes, list(map(str, frame.columns)))
    names = list(frame.columns)
    row, column = found.pairs
    # in the order of reading: the first item with all others, then the second
    order = np.lexsort((row, column))
    pearson, r = correlation(frame.to_numpy()), found.correlations
    se = np.sqrt(np.diag(found.covariance))
    thresholds = len(se) - len(row)
    pairs = pd.DataFrame(
        {
            "first": [names[i] for i in column[order]],
            "second": [names[i] for i in row[order]],
            "pearson": pearson[row, column][order],
            "polychoric": r[row, column][order],
            "se": se[thresholds:][order],
        }
    )
    pairs["difference"] = pairs["polychoric"] - pairs["pearson"]
    note = (
        f"Two-step maximum likelihood over each pair's table, listwise: {used(frame, data)}; an empty cell of a 2 × 2 "
        "table gets half a respondent. It supposes a bivariate normal response behind each pair of items."
    )
    return Polychoric(
        pd.DataFrame(r, names, names),
        _thresholds(names, found.thresholds, answers, se[:thresholds]),
        pairs,
        pd.DataFrame([*warnings, *_singular(r)], columns=["subject", "warning"]),
        len(frame),
        note,
    )


def _thresholds(names: list[str], thresholds: list[np.ndarray], answers: list[list[int]], se: np.ndarray):
    rows = [
        (name, f"t{i + 1}", values[i], values[i + 1], cut)
        for name, cuts, values in zip(names, thresholds, answers, strict=True)
        for i, cut in enumerate(cuts)
    ]
    return pd.DataFrame(rows, columns=["item", "threshold", "below", "above", "estimate"]).assign(se=se)


def _categories(frame: pd.DataFrame) -> tuple[np.ndarray, list[list[int]], list[tuple[str, str]]]:
    """Return answers as category numbers from 0 on, the answers they stand for, and what to be careful about."""
    codes, answers, warnings = np.empty(frame.shape, dtype=int), [], []
    for i, name in enumerate(frame):
        values, codes[:, i], counts = np.unique(frame[name].to_numpy(), return_inverse=True, return_counts=True)
        broken = values[values != np.round(values)]
        if len(broken):
            raise InputError(
                f"Item '{name}' holds {broken[0]:g}, which is no category: ordered answers are whole numbers. Use the "
                "single items rather than means of them, or estimator='MLR', which takes numbers as they are."
            )
        if len(values) > MOST_CATEGORIES:
            raise InputError(
                f"Item '{name}' has {len(values)} different answers, more than {MOST_CATEGORIES}: it looks continuous. "
                "Use Pearson correlations or estimator='MLR' for it, or merge its answers to a few categories."
            )
        answers.append([int(value) for value in values])
        warnings += _thin(name, answers[-1], counts)
    return codes, answers, _narrow(list(frame.columns), answers) + warnings


def _thin(name: str, answers: list[int], counts: np.ndarray) -> list[tuple[str, str]]:
    found = []
    # answers may be coded 10, 20, 30, or as large as identifiers: gaps everywhere are no empty categories
    if len(answers) < answers[-1] - answers[0] + 1 < 2 * len(answers):
        gaps = sorted({*range(answers[0], answers[-1])} - {*answers})
        which = ", ".join(map(str, gaps))
        found.append((name, f"Nobody chose {which}, between others: the answers on both sides meet at one threshold."))
    found += [
        (name, f"Only one respondent chose {answer}: the threshold beside it rests on one answer. Merge it if you can.")
        for answer, count in zip(answers, counts, strict=True)
        if count == 1
    ]
    return found


def _narrow(names: list[str], answers: list[list[int]]) -> list[tuple[str, str]]:
    """Name the items whose first or last answers nobody chose, by what most items have."""
    (low, high), count = Counter((values[0], values[-1]) for values in answers).most_common(1)[0]
    if 2 * count <= len(answers):
        return []
    return [
        (
            name,
            f"Answers from {values[0]} to {values[-1]} where most items have {low} to {high}: a category nobody chose "
            "has no threshold. That is no fault.",
        )
        for name, values in zip(names, answers, strict=True)
        if low <= values[0] and values[-1] <= high and (low, high) != (values[0], values[-1])
    ]


def _singular(r: np.ndarray) -> list[tuple[str, str]]:
    least = np.linalg.eigvalsh(r)[0]
    if least >= wls.LEAST_EIGENVALUE:
        return []
    return [
        (
            "correlations",
            f"Not positive definite (smallest eigenvalue {least:.3f}), since each was estimated from its own pair: no "
            "factor analysis by maximum likelihood can take them, and robust fit indices do not exist. Merge rare "
            "categories, leave out items that nearly repeat each other, or collect more answers.",
        )
    ]


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
        """Return both coefficients, and warnings if there are any."""
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

    Raises
    ------
    InputError
        As :func:`polychoric`; and where the items' correlations cancel out, so that
        alpha does not exist.
    EstimationError
        As :func:`polychoric`.

    Notes
    -----
    k/(k−1)·(1 − k/ΣΣ r_ij) over the polychoric correlations (Zumbo, Gadermann & Zeisser
    2007). That it is no reliability of the sum score: Chalmers (2018), Revelle & Condon
    (2019). semTools' ``compRelSEM(ord.scale=FALSE)`` means the same scale, with a model.

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
    raw = alpha_from_covariance(covariance(items_frame(data, items).to_numpy()))
    note = (
        f"Coefficient alpha of the polychoric correlations (Zumbo, Gadermann & Zeisser 2007). {found.note} It is the "
        "reliability of a sum of unobserved responses, not of the sum score (Chalmers 2018): report alpha or omega "
        "beside it."
    )
    return OrdinalAlpha(alpha_from_covariance(r), raw, found.n, len(r), found.warnings, note)


def fit_ordinal(frame: pd.DataFrame, specification: Specification, who: str) -> Cfa:
    """Fit a model to complete answers by WLSMV, all observed variables as ordered categories.

    Parameters
    ----------
    frame : DataFrame, shape (respondents, items)
        Complete answers to the observed variables of the model, in its order.
    specification : Specification
    who : str
        Whose answers they are, for the note.

    Raises
    ------
    InputError
        For answers that are no categories; for a model with covariates or with a
        statement about an item's own variance.
    EstimationError
        If a polychoric correlation does not exist, or the model is not identified, does
        not converge or gives a factor a negative variance.
    """
    _refuse_unfit(specification)
    codes, answers, warnings = _categories(frame)
    n_obs, model, p = len(frame), specification.model, len(specification.observed)
    ordinal = core.polychoric(codes, list(specification.observed))
    try:
        with hinting(specification):
            fitted = wls.fit(ordinal, n_obs, model)
    except EstimationError as error:
        raise EstimationError(f"{error}{_weak_marker(specification, ordinal.correlations)}") from error
    refuse_impossible(specification, fitted)
    turned = positive(specification, fitted)
    if turned is not fitted:
        fitted = wls.fit(ordinal, n_obs, model, start=turned.theta)
    table = pd.DataFrame({"value": pd.Series(wls.measures(fitted), dtype=float)}).rename_axis("measure")
    parameters = _parameters(specification, fitted)
    loadings = parameters[parameters["op"] == "=~"].rename(columns={"left": "factor", "right": "item"})
    phi = pd.DataFrame(to_correlation(fitted.total[p:, p:]), specification.latent, specification.latent)
    doubts = warnings_of(specification, parameters, phi, 0.0)
    doubts = pd.concat([doubts, pd.DataFrame([*warnings, *_singular(fitted.sample)], columns=doubts.columns)])
    least, most = min(map(len, answers)), max(map(len, answers))
    note = (
        f"WLSMV: diagonally weighted least squares over polychoric correlations, {who}, answers as ordered categories "
        f"({least if least == most else f'{least} to {most}'}); standard errors robust. Judge by the figures called "
        "scaled, whose chi-square is corrected in mean and variance; the plain one, (N − 1)·F, has no chi-square "
        "distribution. Items standardized (delta parameterization), conventions as lavaan's. Modification indices are "
        "not corrected. semopy has no working WLSMV, so there is no second opinion."
    )
    return Cfa(
        fit=table,
        loadings=loadings[["factor", "item", "estimate", "se", "z", "p", "std"]].reset_index(drop=True),
        parameters=parameters,
        phi=phi,
        residuals=pd.DataFrame(fitted.sample - fitted.sigma, specification.observed, specification.observed),
        modification=modification_of(specification, fitted, wls.modification_indices),
        warnings=doubts.reset_index(drop=True),
        n=n_obs,
        convention="lavaan",
        agreement=float("nan"),
        note=note,
        estimator="WLSMV",
    )


def _weak_marker(specification: Specification, r: np.ndarray) -> str:
    """Say which factor begins with an item that hardly correlates with its others: no scale to measure it in."""
    place = {name: i for i, name in enumerate(specification.observed)}
    for factor, items in specification.indicators.items():
        at = [place[item] for item in items if item in place]
        if len(at) > 2 and np.abs(r[at[0], at[1:]]).max() < 0.15:
            return f" The first item of '{factor}', '{items[0]}', hardly correlates with the others: put another first."
    return ""


def _refuse_unfit(specification: Specification) -> None:
    if specification.covariates:
        raise InputError(
            f"'{specification.covariates[0]}' predicts without being an ordered answer that the model explains, which "
            "WLSMV here cannot take. Leave it out, or use estimator='MLR'."
        )
    for term in specification.terms:
        own = term.op == "~~" and term.left == term.right in specification.observed
        if own and (term.fixed is not None or term.label or term.start is not None):
            raise InputError(
                f"'{term.left} ~~ {term.right}': an ordered item has no variance of its own to fix or to name; it is "
                "what the model leaves of 1. Leave the line out."
            )
    predictors = [t.right for t in specification.terms if t.op == "~" and t.right in specification.observed]
    if predictors:
        raise InputError(
            f"The observed variable '{predictors[0]}' predicts, which WLSMV here cannot take. Give it a factor of its "
            "own, or use estimator='MLR'."
        )


def _parameters(specification: Specification, fitted: wls.WLSFit) -> pd.DataFrame:
    """Return every entry in lavaan's order: paths, thresholds, (co)variances, scales (~*~), intercepts, definitions."""
    table = parameter_table(specification, fitted.model, fitted.theta, fitted.covariance)
    observed, latent = specification.observed, specification.latent
    own = (table["op"] == "~~") & (table["left"] == table["right"]) & table["left"].isin(observed)
    table.loc[own, ["se", "z", "p", "lower", "upper"]] = np.nan
    thresholds = pd.DataFrame(
        [
            (name, "|", f"t{i + 1}", "", cut)
            for name, cuts in zip(observed, fitted.ordinal.thresholds, strict=True)
            for i, cut in enumerate(cuts)
        ],
        columns=["left", "op", "right", "label", "estimate"],
    )
    # lavaan divides by N − 1 here
    variance = np.diag(fitted.ordinal.covariance)[: len(thresholds)] * fitted.n_obs / (fitted.n_obs - 1)
    cut, se = thresholds["estimate"], np.sqrt(variance)
    reach = ndtri(0.975) * se
    thresholds = thresholds.assign(
        se=se, z=cut / se, p=2 * ndtr(-np.abs(cut / se)), lower=cut - reach, upper=cut + reach, std=cut, std_se=se
    )
    scales = [(name, "~*~", name, "", 1.0, 1.0, 0.0) for name in observed]
    scales += [(name, "~1", "", "", 0.0, 0.0, 0.0) for name in (*observed, *latent)]
    fixed = pd.DataFrame(scales, columns=["left", "op", "right", "label", "estimate", "std", "std_se"])
    fixed[["se", "z", "p", "lower", "upper"]] = np.nan
    mutual, defined = table["op"] == "~~", table["op"] == ":="
    parts = [table[~mutual & ~defined], thresholds, table[mutual], fixed[table.columns], table[defined]]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)
