"""Is there something to factor, and how many factors?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import progress, style
from ...core.adequacy import bartlett_sphericity, kmo
from ...core.dimensionality import map_criterion, parallel_eigenvalues
from ...core.moments import correlation
from ...errors import InputError, plain
from ...inputs.answers import items_frame, refuse_singular, used
from ...inputs.options import whole
from ...results.result import Result
from .extraction import above_one

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Adequacy", "NumberOfFactors", "adequacy", "n_factors"]


#: the smallest eigenvalue that a log scale shows, and its ticks
_LEAST = 0.05
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, repr=False)
class Adequacy(Result):
    """Whether the correlations are worth factoring.

    Attributes
    ----------
    kmo : float
        Overall measure of sampling adequacy.
    bartlett_chi2, df, p : float, int, float
        Bartlett's test of sphericity.
    n : int
        Respondents used.
    kmo_items : DataFrame
        Columns item, kmo.
    note : str
    """

    title = "Adequacy for factor analysis"

    kmo: float
    bartlett_chi2: float
    df: int
    p: float
    n: int
    kmo_items: pd.DataFrame
    note: str

    @property
    def log_determinant(self) -> float:
        """ln det R, which Bartlett's test is a multiple of: 0 for items that share nothing."""
        return -self.bartlett_chi2 / (self.n - 1 - (2 * len(self.kmo_items) + 5) / 6)


def adequacy(data: pd.DataFrame, *, items: Iterable[str] | None = None) -> Adequacy:
    """Return the Kaiser–Meyer–Olkin measure and Bartlett's test of sphericity.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    items : iterable of str, optional
        The items; all columns by default.

    Returns
    -------
    Adequacy
        KMO overall and a row an item; Bartlett's chi-square, degrees of freedom, p.

    Raises
    ------
    InputError
        For data that cannot be taken; for items that repeat each other and no more respondents than items, since
        both statistics need the inverse of the correlation matrix; for items
        that correlate with nothing at all.

    See Also
    --------
    n_factors : How many factors.
    components : Principal components.
    factors : Common factors.
    polychoric : Correlations of ordered answers.

    Notes
    -----
    KMO after Kaiser & Rice (1974), Bartlett (1951). In R, ``psych::KMO(x)$MSA`` and
    ``psych::cortest.bartlett(cor(x), n = nrow(x))``. Both agree with
    factor_analyzer's ``calculate_kmo`` and ``calculate_bartlett_sphericity`` to
    twelve decimals. KMO > .50 is Kaiser's "miserable", not a sign of quality.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> world = population.load()
    >>> answers = sample.draw(300, seed=1, items=world.kept())
    >>> found = adequacy(answers)
    >>> round(found.kmo, 3), found.df
    (0.926, 210)
    """
    frame = items_frame(data, items)
    refuse_singular(frame, "KMO")
    r = correlation(frame.to_numpy())
    overall, of_items = kmo(r)
    lonely = [name for name, value in zip(frame.columns, of_items, strict=True) if np.isnan(value)]
    if lonely:
        raise InputError(f"Item '{lonely[0]}' correlates with no other item, so its KMO does not exist. Leave it out.")
    chi2, df, p = bartlett_sphericity(r, len(frame))
    table = pd.DataFrame({"item": list(frame.columns), "kmo": of_items})
    return Adequacy(overall, chi2, df, p, len(frame), table, f"Pearson correlations, listwise: {used(frame, data)}.")


@dataclass(frozen=True, repr=False)
class NumberOfFactors(Result):
    """What the rules say about the number of factors.

    Attributes
    ----------
    kaiser : int
        Eigenvalues above 1.
    parallel : int
        Eigenvalues, from the first on, above the 95th percentile of random data.
    parallel_mean : int
        The same against the mean of random data (Horn 1965).
    map, map_fourth : int
        Velicer's minimum average partial, squared (1976) and fourth power (2000).
    draws : int
        Random data sets drawn; fewer than asked for if parallel analysis was interrupted.
    table : DataFrame
        Columns number, eigenvalue, percent, random_mean, random_p95, map, map_fourth
        (the averages after that many components; empty where none exists).
    map_start : tuple of float
        The averages of MAP before any component is taken out: squared, fourth power.
    note : str
    """

    title = "Number of factors"

    kaiser: int
    parallel: int
    parallel_mean: int
    map: int
    map_fourth: int
    draws: int
    table: pd.DataFrame
    map_start: tuple[float, float]
    note: str

    @property
    def rules(self) -> pd.DataFrame:
        """One row a rule: rule, number (of factors it keeps)."""
        number = {
            "eigenvalue > 1": self.kaiser,
            "parallel analysis, 95th percentile": self.parallel,
            "parallel analysis, mean": self.parallel_mean,
            "MAP": self.map,
            "MAP, 4th power": self.map_fourth,
        }
        return pd.DataFrame({"rule": list(number), "number": list(number.values())})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the scree of the data, and what random data reach, on a log scale.

        As many components are shown as the decision needs: at least twelve, if there are so many. Filled are those
        above random data, by parallel analysis at the 95th percentile.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        ax = style.axes(ax, height=380)
        most = max(12, 2 * max(self.kaiser, self.parallel, self.map) + 2)
        # a component without variance has no place on a log scale
        shown = self.table[(self.table["number"] <= most) & (self.table["eigenvalue"] > _LEAST)]
        at, eigenvalue, high = shown["number"], shown["eigenvalue"], shown["random_p95"]
        bottom = 0.8 * min(1.0, eigenvalue.min())
        ax.set_yscale("log")
        ax.set(xlim=(0.5, at.max() + 0.25), ylim=(bottom, 1.35 * max(eigenvalue.max(), high.max())))
        ax.fill_between(at, bottom, high, color=style.SHADE, linewidth=0)
        ax.plot(at, eigenvalue, color=style.ACCENT)
        ax.plot(at, high, color=style.MUTED, linewidth=1.2)
        beyond = at > self.parallel
        for rows, ground in ((~beyond, style.ACCENT), (beyond, style.PAPER)):
            ax.plot(at[rows], eigenvalue[rows], "o", markerfacecolor=ground, markeredgecolor=style.ACCENT)
        for row in shown[~beyond].itertuples():
            style.note(ax, row.number, row.eigenvalue, f"{row.eigenvalue:.1f}", dx=6, dy=9)
        style.threshold(ax, 1, f"eigenvalue 1: {self.kaiser} lie above", above=False)
        # above where the words begin, for the line falls
        ax.annotate("95 % of random data lie below", (at.iloc[-1], high.iloc[int(0.7 * len(at))]), (0, 2),
                    textcoords="offset points", color=style.MUTED, fontsize=9, ha="right", va="bottom")  # fmt: skip
        stand = "component stands" if self.parallel == 1 else "components stand"
        ax.annotate(f"{self.parallel} {stand} above random data", (0.35, 0.88), xycoords="axes fraction",
                    color=style.ACCENT, fontsize=11, fontweight="bold")  # fmt: skip
        ax.annotate(f"MAP: {self.map}, 4th power: {self.map_fourth}", (0.35, 0.81), xycoords="axes fraction",
                    color=style.MUTED)  # fmt: skip
        low, top = ax.get_ylim()
        ticks = [tick for tick in _TICKS if low <= tick <= top]
        ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
        ax.set_xticks(at)
        ax.set(xlabel="component", ylabel="eigenvalue (log scale)")
        return style.behind(ax, self.table.drop(columns="percent"))


def n_factors(
    data: pd.DataFrame, *, items: Iterable[str] | None = None, draws: int = 1000, seed: int = 20240
) -> NumberOfFactors:
    """Return the eigenvalues beside those of random data, and how many factors each rule keeps.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    items : iterable of str, optional
        The items; all columns by default.
    draws, seed : int
        How many random data sets, at least 20, and the seed they are drawn with. Ctrl-C ends drawing; what is
        done by then is the result of so many draws.

    Returns
    -------
    NumberOfFactors
        How many factors each rule keeps, and a row an eigenvalue with the figures the rules compare.

    Raises
    ------
    InputError
        For data that cannot be taken, or fewer than 20 draws.

    See Also
    --------
    adequacy : Whether to factor at all.
    components : Principal components.
    factors : Common factors.
    compare : Both, with these rules.

    Notes
    -----
    Random eigenvalues come from Wishart matrices drawn by Bartlett's
    decomposition: exact in distribution, for normal answers, and quick. All
    rules judge the unreduced correlation matrix.

    In R, ``eigen(cor(x))$values``; MAP after one component and more is ``psych::vss(x)$map``. Random eigenvalues, as
    ``psych::fa.parallel(x, fa = "pc", n.iter = draws)$pc.sim`` has their means, agree as far as chance lets them.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> world = population.load()
    >>> answers = sample.draw(300, seed=1, items=world.kept())
    >>> found = n_factors(answers, draws=100)
    >>> found.kaiser, found.parallel, found.map
    (5, 5, 5)
    """
    whole(draws, "draws", least=20, remedy="A 95th percentile needs at least 20 random data sets. Use 1000.")
    frame = items_frame(data, items)
    r = correlation(frame.to_numpy())
    p = len(r)
    eigenvalues = np.linalg.eigvalsh(r)[::-1]
    pieces = parallel_eigenvalues(len(frame), p, draws=draws, seed=seed)
    random = np.concatenate(progress.gather("Parallel analysis", pieces, draws, least=20))
    mean, high = random.mean(axis=0), np.quantile(random, 0.95, axis=0)
    squared, fourth = map_criterion(r)
    table = pd.DataFrame(
        {
            "number": np.arange(1, p + 1),
            "eigenvalue": eigenvalues,
            "percent": 100 * eigenvalues / p,
            "random_mean": mean,
            "random_p95": high,
            "map": [*squared[1:], np.nan],
            "map_fourth": [*fourth[1:], np.nan],
        }
    )
    note = (
        f"Pearson correlations, listwise: {used(frame, data)}. Parallel analysis: "
        f"{progress.drawn(len(random), draws)} random correlation matrices, seed {plain(seed)}; MAP without "
        f"components: {squared[0]:.4f}."
    )
    return NumberOfFactors(
        above_one(eigenvalues),
        int(np.cumprod(eigenvalues > high).sum()),
        int(np.cumprod(eigenvalues > mean).sum()),
        int(np.nanargmin(squared)),
        int(np.nanargmin(fourth)),
        len(random),
        table,
        (float(squared[0]), float(fourth[0])),
        note,
    )
