"""Principal components and common factors of answers, rotated; the room behind :mod:`cocreation.steps.explore`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from ... import style
from ...core import factor
from ...core.moments import correlation
from ...core.rotation import oblimin, promax, varimax
from ...core.ties import without_noise
from ...errors import EstimationError, InputError, plain
from ...inputs.answers import items_frame, refuse_singular, used
from ...inputs.options import between
from ...results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["METHODS", "ROTATIONS", "Extraction", "above_one", "components", "factors"]

METHODS = {"minres": "minimum residuals", "principal_axis": "principal axes", "ml": "maximum likelihood"}
ROTATIONS = ("varimax", "oblimin", "promax", "none")


def above_one(eigenvalues: np.ndarray) -> int:
    """Return how many eigenvalues exceed 1 by more than round-off."""
    return int((eigenvalues > 1 + 1e-10).sum())


@dataclass(frozen=True, repr=False)
class Extraction(Result):
    """Loadings of items on components or common factors.

    Attributes
    ----------
    loadings : DataFrame, shape (items, factors)
        The pattern: what each factor contributes to an item. Columns C1 … for
        components, F1 … for common factors, by falling explained variance.
    structure : DataFrame, shape (items, factors)
        Correlations of items with factors; equals ``loadings`` where the
        factors are uncorrelated.
    phi : DataFrame, shape (factors, factors)
        Correlations of the factors, in the order of the columns.
    communalities : Series
        Variance of each item that the factors explain together.
    variance : DataFrame
        Columns factor, ss_loadings, percent, cumulative (percent of the items' total variance).
    n : int
        Respondents used.
    method, rotation : str
        How the factors were found and turned.
    heywood : tuple of str
        Items whose unique variance ran into its floor.
    minimum : float
        What the extraction made smallest: the discrepancy F of maximum likelihood, half the
        squared residual correlations of minres and principal axes; NaN for components.
    criterion : float
        What oblimin made smallest (quartimin, of the rows that were turned); NaN for other rotations.
    note : str
    """

    title = "Extraction"

    loadings: pd.DataFrame
    structure: pd.DataFrame
    phi: pd.DataFrame
    communalities: pd.Series
    variance: pd.DataFrame
    n: int
    method: str
    rotation: str
    heywood: tuple[str, ...]
    minimum: float
    criterion: float
    note: str

    @property
    def df(self) -> int:
        """Degrees of freedom that n common factors leave: ((p − n)² − p − n)/2."""
        p, n = self.loadings.shape
        return ((p - n) ** 2 - p - n) // 2

    @property
    def chi2(self) -> float:
        """Bartlett's (1951) test that so many factors suffice, as factanal prints it; NaN unless maximum likelihood."""
        if self.method != METHODS["ml"]:
            return float("nan")
        p, n = self.loadings.shape
        return (self.n - 1 - (2 * p + 5) / 6 - 2 * n / 3) * self.minimum

    @property
    def p(self) -> float:
        """p of the test; NaN where there is none or no degree of freedom is left."""
        return float(chdtrc(self.df, self.chi2)) if self.df > 0 else float("nan")

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return loadings with communalities, explained variance, and phi where factors correlate.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        shown = {"loadings": self.loadings.assign(communality=self.communalities), "variance": self.variance}
        if self.rotation in ("oblimin", "promax") and len(self.phi) > 1:
            shown["factor correlations"] = self.phi
        return shown

    @property
    def primary(self) -> pd.DataFrame:
        """One row an item: item, factor, loading (the largest), cross (the largest of the others), communality."""
        size = self.loadings.abs().to_numpy()
        first = size.argmax(axis=1)
        rows = np.arange(len(size))
        others = size.copy()
        others[rows, first] = -1.0
        cross = np.maximum(others.max(axis=1), 0.0)
        return pd.DataFrame(
            {
                "item": list(self.loadings.index),
                "factor": self.loadings.columns[first],
                "loading": self.loadings.to_numpy()[rows, first],
                "cross": cross,
                "communality": self.communalities.to_numpy(),
            }
        )

    @property
    def scales(self) -> dict[str, list[str]]:
        """``{factor: [item, …]}``, each item with the factor it loads on most."""
        owner = self.primary
        return {
            str(name): owner.loc[owner["factor"] == name, "item"].tolist()
            for name in self.loadings.columns
            if (owner["factor"] == name).any()
        }

    def plot(self, ax: Axes | None = None, *, grouped: bool = True) -> Axes:
        """Draw the loadings as a table whose cells are darker the larger they are, items grouped by their factor.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.
        grouped : bool
            Items by the factor they load on most, else as they are.

        Returns
        -------
        Axes
        """
        table = self.loadings
        if grouped:
            position = {name: i for i, name in enumerate(table.columns)}
            order = self.primary.assign(rank=lambda t: t["factor"].map(position), size=lambda t: -t["loading"].abs())
            table = table.loc[order.sort_values(["rank", "size"], kind="stable", key=without_noise)["item"]]
        ax = style.axes(ax, width=min(style.COLUMN, 88 * table.shape[1] + 70), height=21 * len(table) + 40)
        style.heat(ax, table)
        return style.behind(ax, table.rename_axis("item"))


def components(
    data: pd.DataFrame,
    n: int | None = None,
    rotation: str = "varimax",
    *,
    items: Iterable[str] | None = None,
    kaiser: bool = True,
) -> Extraction:
    """Return principal components, rotated.

    Components are weighted sums that keep as much *total* variance as they can,
    error included: they are not factor analysis, and their loadings are larger
    than a common factor's turned the same way (see :func:`factors`).

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    n : int, optional
        How many; by default as many as eigenvalues exceed 1.
    rotation : {"varimax", "oblimin", "promax", "none"}
        Turn towards simple structure, orthogonally (varimax) or obliquely.
    items : iterable of str, optional
        The items; all columns by default.
    kaiser : bool
        Kaiser normalization while rotating, as SPSS does.

    Returns
    -------
    Extraction
        Loadings, shape (items, components), communalities and explained variance in percent.

    Raises
    ------
    InputError
        For data that cannot be taken, more components than items, or an unknown rotation.

    See Also
    --------
    factors : Common factors, error left out.
    n_factors : How many.
    explore : Drop items by the published rules.
    compare : Components beside factors.
    adequacy : Whether to factor at all.
    polychoric : Correlations of ordered answers.

    Notes
    -----
    In R, ``psych::principal(x, n, rotate = "none")``, turned by ``stats::varimax(L, eps = 1e-15)`` – its own rotation
    stops after three or four decimals – or by ``GPArotation::oblimin(L, normalize = TRUE, eps = 1e-9)``.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> world = population.load()
    >>> answers = sample.draw(300, seed=1, items=world.kept())
    >>> found = components(answers)
    >>> found.loadings.shape, float(found.variance["cumulative"].iloc[-1].round(1))
    ((21, 5), 85.7)
    """
    frame = items_frame(data, items)
    r = correlation(frame.to_numpy())
    if n is None:
        n = above_one(np.linalg.eigvalsh(r))
        if n == 0:
            raise EstimationError("No eigenvalue exceeds 1: the items do not correlate. There is nothing to reduce.")
    _check_number(n, len(r), "components", most=len(r))
    loadings = factor.principal_components(r, n)
    note = f"Eigen-decomposition of Pearson correlations, listwise: {used(frame, data)}."
    return _rotated(loadings, frame, "principal components", rotation, kaiser, note, "C")


def factors(
    data: pd.DataFrame,
    n: int,
    method: str = "minres",
    rotation: str = "oblimin",
    *,
    items: Iterable[str] | None = None,
    kaiser: bool = True,
    floor: float = factor.LOWEST_UNIQUENESS,
) -> Extraction:
    """Return common factors, rotated: what the items share, error left out.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    n : int
        How many; see :func:`n_factors`.
    method : {"minres", "principal_axis", "ml"}
        Smallest residual correlations; iterated principal axes (which end at the
        same place); maximum likelihood.
    rotation : {"oblimin", "varimax", "promax", "none"}
        Oblique by default, since dimensions of one construct correlate.
    items : iterable of str, optional
        The items; all columns by default.
    kaiser : bool
        Kaiser normalization while rotating, as SPSS does; psych's oblimin goes without.
    floor : float
        The least unique variance an item is left with, between 0 and 1; psych and factanal use .005.

    Returns
    -------
    Extraction
        Loadings, shape (items, factors), factor correlations, communalities and explained variance in percent;
        ``heywood`` names items whose unique variance ran into its floor.

    Raises
    ------
    InputError
        For data that cannot be taken, items that repeat each other, with "ml" no more respondents than items, more
        factors than the items can determine, or an unknown method or rotation.
    EstimationError
        If extraction or rotation does not converge.

    See Also
    --------
    components : Components, error included.
    n_factors : How many.
    compare : Components beside factors.
    adequacy : Whether to factor at all.
    polychoric : Correlations of ordered answers.
    cocreation.steps.validate.omega : What a general factor explains.
    cocreation.steps.confirm.cfa : A model given beforehand.

    Notes
    -----
    Extraction by Newton's method with exact second derivatives, oblimin by gradient
    projection from several starts; both reproduce converged psych and GPArotation
    solutions to 1e-7.

    In R, ``psych::fa(x, n, fm = "minres", rotate = "none")`` or ``stats::factanal(x, n, rotation = "none")`` for the
    extraction, turned by ``GPArotation::oblimin(L, normalize = TRUE, eps = 1e-9)``, which ``kaiser=False`` takes
    without ``normalize``.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> world = population.load()
    >>> answers = sample.draw(300, seed=1, items=world.kept())
    >>> found = factors(answers, 5)
    >>> found.scales["F1"], float(found.phi.loc["F1", "F2"].round(2))
    (['EV01', 'EV02', 'EV05', 'EV06', 'EV08'], 0.52)
    """
    if method not in METHODS:
        raise InputError(f"method is one of {', '.join(METHODS)}, not {plain(method)}.")
    between(floor, "floor", 1e-8, 1, what="a variance", remedy="Use 0.005.")
    frame = items_frame(data, items)
    p = frame.shape[1]
    _check_number(n, p, "factors", most=factor.most_factors(p))
    # minres inverts nothing; items that repeat each other it would take for a Heywood case
    if method == "ml" or len(frame) > p:
        refuse_singular(frame, f"a common-factor solution{' by maximum likelihood' if method == 'ml' else ''}")
    found = factor.extract(correlation(frame.to_numpy()), n, method, lowest=floor)
    heywood = tuple(name for name, hit in zip(frame.columns, found.heywood, strict=True) if hit)
    note = f"{METHODS[method].capitalize()} from Pearson correlations, listwise: {used(frame, data)}."
    if heywood:
        note += f" Heywood case: the unique variance of {', '.join(map(str, heywood))} ran into its floor of {floor:g}."
    turned = _rotated(found.loadings, frame, METHODS[method], rotation, kaiser, note, "F")
    return replace(turned, heywood=heywood, minimum=float(found.minimum))


def _check_number(n: int, p: int, what: str, *, most: int) -> None:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise InputError(f"The number of {what} is a whole number, not {plain(n)}.")
    if not 1 <= n <= most:
        limit = f"at most {most}" if most else "no"
        raise InputError(f"{p} items can determine {limit} {what}, not {n}. Ask for fewer {what} or add items.")


def _rotated(loadings, frame, method, rotation, kaiser, note, letter) -> Extraction:
    if rotation not in ROTATIONS:
        raise InputError(f"rotation is one of {', '.join(ROTATIONS)}, not {plain(rotation)}.")
    n = loadings.shape[1]
    phi, criterion = np.eye(n), float("nan")
    if rotation == "varimax":
        loadings = varimax(loadings, kaiser=kaiser)
    elif rotation in ("oblimin", "promax") and n > 1:
        oblique = {"oblimin": oblimin, "promax": promax}[rotation](loadings, kaiser=kaiser)
        loadings, phi, criterion = oblique.pattern, oblique.phi, oblique.criterion
    if rotation != "none" and n > 1:
        note += f" {rotation.capitalize()} {'with' if kaiser else 'without'} Kaiser normalization."
    names = [f"{letter}{i + 1}" for i in range(n)]
    structure = loadings @ phi
    explained = (loadings * structure).sum(axis=0)
    percent = 100 * explained / len(loadings)
    index = pd.Index(frame.columns, name="item")
    return Extraction(
        pd.DataFrame(loadings, index=index, columns=names),
        pd.DataFrame(structure, index=index, columns=names),
        pd.DataFrame(phi, index=names, columns=names),
        pd.Series((loadings * structure).sum(axis=1), index=index, name="communality"),
        pd.DataFrame({"factor": names, "ss_loadings": explained, "percent": percent, "cumulative": percent.cumsum()}),
        len(frame),
        method,
        rotation,
        (),
        float("nan"),
        criterion,
        note,
    )
