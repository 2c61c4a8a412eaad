"""Standard errors and intervals from resampled respondents: for a measurement model.

The room behind ``confirm.bootstrap``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import progress, style
from ...cfa.result import Cfa, fit_model
from ...cfa.specify import task_of
from ...core.moments import covariance
from ...core.reliability import composite
from ...core.resampling import draw, enough, resamples, summary
from ...core.sem import batch, ml
from ...core.sem.terms import Specification
from ...errors import EstimationError, InputError, plain
from ...inputs.options import generator
from ...results.result import Result
from ..purify.keying import keying

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Bootstrap", "bootstrap"]

#: the least share of the first hundred resamples that must give figures
_HOPEFUL = 0.1


@dataclass(frozen=True, repr=False)
class Bootstrap(Result):
    """What a measurement model's figures are over resamples of the respondents.

    Attributes
    ----------
    loadings : DataFrame
        Columns factor, item, std, se, lower, upper: standardized loadings, as all tables here with the standard
        deviation over the resamples and the interval.
    correlations : DataFrame
        Columns left, right, estimate, se, lower, upper: of the factors.
    reliability : DataFrame
        Columns factor, measure ("CR" or "AVE"), estimate, se, lower, upper. Only of factors of two or more items that
        measure nothing else and whose errors are uncorrelated.
    defined : DataFrame
        Columns name, formula, estimate, se, lower, upper: figures that the model defines by labels (``ab := a*b``, an
        indirect effect), from unstandardized estimates. Empty without any.
    chi2, chi2_p : float
        The model's chi-square (N·F) and the share of the resamples with a larger one; the share is NaN unless ``kind``
        is "bollen-stine", and where there are no degrees of freedom to test.
    draws : int
        Resamples drawn; fewer than asked for if it was interrupted.
    used : int
        Those of them that the figures rest on.
    failed : int
        Those that did not converge or had no covariances to fit.
    improper : int
        Those with a factor of negative variance, which has no standardized loadings, or where a defined figure does
        not exist.
    alone : int
        Those that had to be fitted one by one.
    n : int
        Respondents.
    level : float
    kind : str
    replicates : DataFrame, shape (used, figures)
        The figures of each resample.
    model : Cfa
        The fit to all respondents.
    note : str
    """

    title = "Bootstrap of the measurement model"

    loadings: pd.DataFrame
    correlations: pd.DataFrame
    reliability: pd.DataFrame
    defined: pd.DataFrame
    chi2: float
    chi2_p: float
    draws: int
    used: int
    failed: int
    improper: int
    alone: int
    n: int
    level: float
    kind: str
    replicates: pd.DataFrame
    model: Cfa
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return how the draws went, the test of fit if there is one, and the figures with their intervals.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        went = ["draws", "used", "failed", "improper", "alone"]
        shown = {"draws": pd.DataFrame([{name: getattr(self, name) for name in went}])}
        if not np.isnan(self.chi2_p):
            shown["Bollen–Stine test"] = pd.DataFrame([{"chi2": self.chi2, "p": self.chi2_p}])
        shown["standardized loadings"] = self.loadings
        for name in ("correlations", "reliability", "defined"):
            if len(getattr(self, name)):
                shown[name] = getattr(self, name)
        return shown

    def plot(self, ax: Axes | None = None, *, kind: str = "loadings") -> Axes:
        """Draw the figures with their intervals.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw.
        kind : {"loadings", "correlations", "reliability"}
            Which table.

        Returns
        -------
        Axes

        Raises
        ------
        InputError
            For another kind.
        """
        named = {
            "loadings": ("item", "std"),
            "correlations": ("left", "estimate"),
            "reliability": ("factor", "estimate"),
        }
        if kind not in named:
            raise InputError(f"kind is one of {', '.join(named)}, not {plain(kind)}. Choose one of them.")
        table = getattr(self, kind)
        name, estimate = named[kind]
        labels = table[name].astype(str)
        if kind != "loadings":
            labels = labels + " · " + table["right" if kind == "correlations" else "measure"].astype(str)
        ax = draw(ax, labels, table[estimate], table["lower"], table["upper"])
        ax.set_xlabel(f"{'standardized loading' if kind == 'loadings' else kind} with {100 * self.level:g} % interval")
        return style.behind(ax, table)


def bootstrap(
    data: pd.DataFrame,
    model: str | Mapping[str, Sequence[str]],
    *,
    draws: int = 1000,
    seed: int = 4711,
    level: float = 0.95,
    kind: str = "nonparametric",
    interval: str = "percentile",
    orthogonal: bool = False,
) -> Bootstrap:
    """Fit a measurement model again to resamples of the respondents.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing answer to an item of the model are left out.
    model : str or mapping
        As :func:`~cocreation.steps.confirm.cfa`.
    draws, seed : int
        How many resamples, at least 50, and the seed they are drawn with. Ctrl-C ends drawing; what is done by then is
        the result of so many draws.
    level : float
        Confidence of the intervals.
    kind : {"nonparametric", "bollen-stine"}
        Resample the respondents as they are, for standard errors and intervals; or after their answers were turned so
        that the model holds exactly, for the distribution of chi-square under the model (Bollen & Stine 1992).
    interval : {"percentile", "bca"}
        Percentiles of the resamples, or bias-corrected and accelerated ones (Efron 1987), which allow for a lopsided
        distribution; the acceleration is from leaving out one respondent at a time.
    orthogonal : bool
        As :func:`~cocreation.steps.confirm.cfa`.

    Returns
    -------
    Bootstrap
        A row a loading, factor correlation, CR, AVE and defined figure, each with standard error and interval; the test
        of fit; how many resamples failed; the figures of each.

    Raises
    ------
    InputError
        For data, a model or arguments that cannot be taken; too few draws for the level.
    EstimationError
        If the model cannot be fitted to all respondents, fewer than one in ten of the first hundred resamples gave
        figures, or fewer than 50 of all.

    See Also
    --------
    cfa : The same figures with standard errors by formula.
    cocreation.steps.validate.htmt_intervals : Intervals of HTMT.
    cocreation.steps.validate.nomological : Indirect effects, whose intervals are best drawn here.

    Notes
    -----
    Maximum likelihood, each resample from the solution of all respondents to the same tolerance as that one; what does
    not converge is fitted alone, from other starts too, then counted. Quantiles are of type 6 (k/(draws + 1)), the
    p-value is the share of larger chi-squares, as lavaan's. CR and AVE as ``validate.validity``.

    In R, ``lavaan::bootstrapLavaan(fit, R = draws)`` with ``type = "ordinary"`` or ``"bollen.stine"``; its draws are
    others, so that the figures agree as far as chance lets them.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> found = bootstrap(answers, {"DO": scales["DO"]}, draws=200)
    >>> print(found.loadings.round(2).to_string(index=False))
    factor item  std   se  lower  upper
        DO DO01 0.93 0.02   0.90   0.95
        DO DO02 0.91 0.02   0.87   0.94
        DO DO05 0.91 0.02   0.87   0.94
        DO DO06 0.90 0.02   0.86   0.93
    """
    least = enough(draws, level)
    for name, value, known in (
        ("kind", kind, ("nonparametric", "bollen-stine")),
        ("interval", interval, ("percentile", "bca")),
    ):
        if value not in known:
            raise InputError(
                f"{name} is {plain(known[0])} or {plain(known[1])}, not {plain(value)}. Choose one of them."
            )
    rng = generator(seed)
    task = task_of(data, model, orthogonal=orthogonal)
    whole_fit = fit_model(task)
    x = task.frame.to_numpy()
    fitted = whole_fit.estimate.fitted
    figures = _Figures(task.specification)
    estimate = figures(fitted.theta[None])[0]
    jackknife = figures(batch.refit(_one_left_out(x), fitted).theta) if interval == "bca" else None
    source = x if kind == "nonparametric" else _as_the_model_says(x, fitted)
    pieces = _while_hopeful(
        (batch.refit(batch.resampled(source, drawn), fitted) for drawn in resamples(rng, len(x), draws)), figures
    )
    done = progress.gather("Bootstrap", pieces, draws, least=least, size=lambda piece: len(piece.minimum))
    theta, minimum = np.concatenate([piece.theta for piece in done]), np.concatenate([piece.minimum for piece in done])
    replicates = figures(theta)
    converged = np.isfinite(minimum)
    proper = np.isfinite(replicates).all(axis=1)
    if proper.sum() < least:
        raise _too_few(len(theta), proper.sum())
    table = summary(estimate, replicates[proper], level, jackknife)
    tested = kind == "bollen-stine" and fitted.df > 0
    chi2_p = float((minimum[converged] > fitted.minimum).mean()) if tested else float("nan")
    note = (
        f"Maximum likelihood, {task.who}, missing answers listwise; "
        f"{'Bollen–Stine' if kind == 'bollen-stine' else 'nonparametric'} bootstrap, "
        f"{progress.drawn(len(theta), draws)} draws, seed {plain(seed)}; {100 * level:g} % "
        f"{'percentile' if interval == 'percentile' else 'BCa'} intervals, quantiles of type 6."
    )
    if not proper.all():
        note += f" {len(theta) - proper.sum()} draws gave no figures and are left out: see failed and improper."
    if kind == "bollen-stine" and not tested:
        note += " df = 0: there is nothing to test."
    note += "".join(f" {subject}: {warning}" for subject, warning in task.specification.doubts)
    if against := keying(task.frame, figures.scales):
        note += f"{against} They cancel in CR, but not in AVE, which takes sizes."
    return Bootstrap(
        *figures.split(table), fitted.chi2, chi2_p, len(theta), int(proper.sum()),
        int((~converged).sum()), int((converged & ~proper).sum()), sum(piece.alone for piece in done), len(x),
        float(level), kind, pd.DataFrame(replicates[proper], columns=figures.names), whole_fit, note,
    )  # fmt: skip


def _while_hopeful(pieces: Iterable[batch.Refits], figures: _Figures) -> Iterator[batch.Refits]:
    """Yield the pieces; give up where hardly any of the first can be used: all others would fail slowly."""
    for number, piece in enumerate(pieces):
        usable = int(np.isfinite(figures(piece.theta)).all(axis=1).sum())
        if number == 0 and usable < _HOPEFUL * len(piece.minimum):
            raise _too_few(len(piece.minimum), usable)
        yield piece


def _too_few(resamples: int, usable: int) -> EstimationError:
    return EstimationError(
        f"Of {resamples} resamples only {usable} gave a solution with positive variances. Simplify the model or "
        "collect more answers."
    )


def _as_the_model_says(x: np.ndarray, fitted: ml.MLFit) -> np.ndarray:
    """Return answers that have exactly the covariances of the model: x·S^(−1/2)·Σ^(1/2)."""
    values, vectors = np.linalg.eigh(fitted.sample)
    other, turned = np.linalg.eigh(fitted.sigma)
    return (x - x.mean(axis=0)) @ (vectors / np.sqrt(values)) @ vectors.T @ (turned * np.sqrt(other)) @ turned.T


def _one_left_out(x: np.ndarray) -> np.ndarray:
    """Return the covariances (divisor: respondents left) without each respondent in turn."""
    n, away = len(x), x - x.mean(axis=0)
    return (n * covariance(x, divisor="N") - n / (n - 1) * away[:, :, None] * away[:, None, :]) / (n - 1)


class _Figures:
    """The standardized figures of a model for a stack of estimates: loadings, factor correlations, CR and AVE."""

    def __init__(self, specification: Specification) -> None:
        self.model, p = specification.model, len(specification.observed)
        number = {name: place for place, name in enumerate((*specification.observed, *specification.latent))}
        self.loadings = [(term.left, term.right) for term in specification.terms if term.op == "=~"]
        self.rows = [number[item] for _, item in self.loadings]
        self.columns = [number[factor] for factor, _ in self.loadings]
        latent = specification.latent
        self.pairs = [(latent[j], latent[i]) for i in range(len(latent)) for j in range(i)]
        self.left, self.right = ([number[pair[side]] for pair in self.pairs] for side in (0, 1))
        bound = {
            e.row for e in self.model.entries if e.matrix == "P" and e.row != e.column and max(e.row, e.column) < p
        }
        bound |= {e.column for e in self.model.entries if e.matrix == "P" and e.row != e.column}
        places: dict[str, list[int]] = {}
        for place, (factor, _) in enumerate(self.loadings):
            places.setdefault(factor, []).append(place)
        self.plain = {
            factor: own
            for factor, own in places.items()
            if len(own) > 1
            and all(self.rows[i] < p and self.rows[i] not in bound and self.rows.count(self.rows[i]) == 1 for i in own)
        }
        self.scales = {factor: [self.loadings[i][1] for i in own] for factor, own in self.plain.items()}
        self.names = [f"{factor} =~ {item}" for factor, item in self.loadings]
        self.names += [f"{left} ~~ {right}" for left, right in self.pairs]
        self.names += [f"{measure} {factor}" for factor in self.plain for measure in ("CR", "AVE")]
        self.definitions = specification.definitions
        self.names += [definition.name for definition in self.definitions]
        entries = zip(specification.terms, self.model.entries, strict=True)
        self.labelled = {term.label: entry for term, entry in entries if term.label}

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        """Return the figures, shape (stack, figures); NaN where a factor has no positive variance."""
        paths, correlations = batch.standardized(self.model, theta)
        loading = paths[:, self.rows, self.columns]
        found = [loading, correlations[:, self.left, self.right]]
        for own in self.plain.values():
            found.append(np.stack(composite(loading[:, own]), axis=1))
        if self.definitions:
            found.append(np.array([self._defined(row) for row in theta]))
        return np.concatenate(found, axis=1)

    def _defined(self, theta: np.ndarray) -> list[float]:
        known = {label: e.value if e.parameter < 0 else theta[e.parameter] for label, e in self.labelled.items()}
        if not np.isfinite(list(known.values())).all():
            return [np.nan] * len(self.definitions)
        for definition in self.definitions:
            try:
                known[definition.name] = definition.value(known).real
            except InputError:  # a division by zero in one resample is that resample's loss
                return [np.nan] * len(self.definitions)
        return [known[definition.name] for definition in self.definitions]

    def split(self, table: pd.DataFrame) -> list[pd.DataFrame]:
        """Return the rows of a summary as tables of loadings, correlations, reliability and defined figures."""
        measures = [(factor, measure) for factor in self.plain for measure in ("CR", "AVE")]
        parts, first = [], 0
        for names, keys in (
            (self.loadings, ["factor", "item"]), (self.pairs, ["left", "right"]), (measures, ["factor", "measure"]),
            ([(each.name, each.expression) for each in self.definitions], ["name", "formula"]),
        ):  # fmt: skip
            values = table.iloc[first : first + len(names)].reset_index(drop=True)
            parts.append(pd.concat([pd.DataFrame(names, columns=keys), values], axis=1))
            first += len(names)
        return [parts[0].rename(columns={"estimate": "std"}), *parts[1:]]
