"""Heterotrait–monotrait ratios, and their intervals over resamples of the respondents.

The room behind ``validate.htmt`` and ``validate.htmt_intervals``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import progress, style
from ...core.moments import covariance
from ...core.reliability import heterotrait
from ...core.resampling import draw, enough, resamples, summary
from ...core.sem import batch
from ...errors import EstimationError, InputError, plain
from ...inputs.answers import items_frame, scales_mapping, used
from ...inputs.options import generator
from ...results.result import Result
from ..purify.keying import keying

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["HtmtIntervals", "htmt", "htmt_intervals"]

#: what HTMT's upper end is held against (Henseler, Ringle & Sarstedt 2015)
_LIMITS = {0.85: "below_085", 0.90: "below_090", 1.0: "below_1"}

_ALONE = (
    "Discriminant validity needs at least two dimensions to tell apart. Add a dimension; validity(data, scales) gives "
    "CR and AVE of one."
)


@dataclass(frozen=True, repr=False)
class HtmtIntervals(Result):
    """Heterotrait–monotrait ratios with intervals.

    Attributes
    ----------
    table : DataFrame
        Columns index ("HTMT" or "HTMT2"), left, right, ratio, se, lower, upper, and below_085, below_090, below_1:
        whether the upper end is below that limit, so that the two dimensions are told apart by it.
    draws : int
        Resamples drawn; fewer than asked for if it was interrupted.
    failed : int
        Those without a ratio: an item was constant, or a dimension's items did not correlate.
    n : int
    level : float
    note : str
    """

    title = "Heterotrait–monotrait ratios with bootstrap intervals"

    table: pd.DataFrame
    draws: int
    failed: int
    n: int
    level: float
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return a table an index.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        return {
            "draws": pd.DataFrame([{"draws": self.draws, "failed": self.failed}]),
            **{index: part.drop(columns="index") for index, part in self.table.groupby("index")},
        }

    def plot(self, ax: Axes | None = None, *, index: str = "HTMT", kind: str = "intervals") -> Axes:
        """Draw the ratios with their intervals, or the upper ends as a heatmap.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw.
        index : {"HTMT", "HTMT2"}
            Which ratio.
        kind : {"intervals", "heatmap"}
            How.

        Returns
        -------
        Axes

        Raises
        ------
        InputError
            For another index or kind.
        """
        if index not in ("HTMT", "HTMT2") or kind not in ("intervals", "heatmap"):
            raise InputError(
                f"index is 'HTMT' or 'HTMT2' and kind 'intervals' or 'heatmap', not {plain(index)} and {plain(kind)}. "
                "Choose among them."
            )
        part = self.table[self.table["index"] == index].reset_index(drop=True)
        if kind == "heatmap":
            return _heatmap(ax, part, index)
        ax = draw(ax, part["left"] + " – " + part["right"], part["ratio"], part["lower"], part["upper"])
        for limit in _LIMITS:
            ax.axvline(limit, color="0.35", linestyle="--", linewidth=1)
        ax.set_xlabel(f"{index} with {100 * self.level:g} % interval (dashed: .85, .90, 1)")
        return style.behind(ax, part.drop(columns="index"))


def htmt(data: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the heterotrait–monotrait ratios, HTMT and HTMT2, both symmetric with ones on the diagonal.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    scales : mapping
        ``{dimension: [item, …]}``, at least two dimensions of at least two items.

    Returns
    -------
    htmt, htmt2 : DataFrame, shape (dimensions, dimensions)
        From arithmetic and from geometric means.

    Raises
    ------
    InputError
        For data or scales that cannot be taken, and for a dimension whose items do
        not correlate, since the ratio then divides by zero.

    See Also
    --------
    htmt_intervals : With bootstrap intervals.
    validity : Beside CR, AVE and the Fornell–Larcker matrix.

    Notes
    -----
    In R, ``semTools::htmt(model, data, htmt2 = FALSE)`` of complete answers, and ``htmt2 = TRUE`` for the second;
    versions of semTools differ in which is the default.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> ratios, _ = htmt(answers, scales)
    >>> float(ratios.loc["DO", "CE"].round(3))
    0.523
    """
    checked = scales_mapping(scales, getattr(data, "columns", None))
    if len(checked) < 2:
        raise InputError(_ALONE)
    frame = items_frame(data, [item for items in checked.values() for item in items])
    square = _squares(covariance(frame.to_numpy())[None], checked)
    _refuse_unrelated(square, checked)
    names = list(checked)
    return pd.DataFrame(square[0, 0], names, names), pd.DataFrame(square[1, 0], names, names)


def _squares(s: np.ndarray, scales: dict[str, list[str]]) -> np.ndarray:
    """Return HTMT and HTMT2 for a stack of covariances of the items in order, shape (2, stack, k, k)."""
    owner = np.repeat(np.arange(len(scales)), [len(items) for items in scales.values()])
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(np.diagonal(s, axis1=1, axis2=2))
        r = s / (sd[:, :, None] * sd[:, None, :])
    return np.stack([heterotrait(r, owner, geometric=kind) for kind in (False, True)])


def _refuse_unrelated(square: np.ndarray, scales: dict[str, list[str]]) -> None:
    for number, name in enumerate(scales):
        if np.isnan(square[:, 0, number, number]).any():
            raise InputError(
                f"Items of dimension '{name}' do not correlate with each other at all, so HTMT does not exist. "
                "Look at the dimension's items first."
            )


def htmt_intervals(
    data: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    *,
    draws: int = 1000,
    seed: int = 4711,
    level: float = 0.95,
) -> HtmtIntervals:
    """Return HTMT and HTMT2 of each pair of dimensions with bootstrap intervals, and which limits they stay below.

    Parameters
    ----------
    data : DataFrame, shape (respondents, columns)
        Answers; respondents with a missing one are left out.
    scales : mapping
        ``{dimension: [item, …]}``, at least two dimensions of at least two items.
    draws, seed : int
        How many resamples of the respondents, at least 50, and the seed they are drawn with. Ctrl-C ends drawing; what
        is done by then is the result of so many draws.
    level : float
        Confidence of the two-sided intervals. The upper end of a 90 % interval is the limit of a one-sided test at 5 %.

    Returns
    -------
    HtmtIntervals
        A row an index and pair with ratio, standard error, interval and whether it lies below .85, .90 and 1.

    Raises
    ------
    InputError
        For data or scales that cannot be taken; for a dimension whose items do not correlate; too few draws for the
        level.
    EstimationError
        If fewer than 50 resamples gave ratios.

    See Also
    --------
    htmt : The ratios alone.
    validity : Beside CR, AVE and the Fornell–Larcker matrix.
    cocreation.steps.confirm.bootstrap : Intervals of a model's figures.

    Notes
    -----
    Ratios as :func:`~cocreation.steps.validate.htmt` and semTools' ``htmt`` (Henseler, Ringle & Sarstedt 2015; Roemer,
    Schuberth & Henseler 2021), of each resample; percentile intervals, quantiles of type 6. Two dimensions are told
    apart where the upper end is below the limit: below 1 says that they are not the same, .85 and .90 that they are
    distinct enough.

    No R call gives the intervals; each ratio is that of ``semTools::htmt(model, resample, htmt2 = FALSE)`` or
    ``htmt2 = TRUE``.

    Examples
    --------
    >>> from cocreation.survey import population, sample
    >>> answers, scales = sample.draw(300, seed=1), population.load().scales(kept_only=True)
    >>> found = htmt_intervals(answers, {code: scales[code] for code in ("DO", "CE")}, draws=200)
    >>> print(found.table[["index", "ratio", "lower", "upper", "below_085"]].round(3).to_string(index=False))
    index  ratio  lower  upper  below_085
     HTMT  0.523  0.433  0.589       True
    HTMT2  0.522  0.429  0.589       True
    """
    least = enough(draws, level)
    rng = generator(seed)
    checked = scales_mapping(scales, getattr(data, "columns", None))
    if len(checked) < 2:
        raise InputError(_ALONE)
    frame = items_frame(data, [item for items in checked.values() for item in items])
    x, (i, j) = frame.to_numpy(), np.tril_indices(len(checked), -1)
    square = _squares(covariance(x)[None], checked)
    _refuse_unrelated(square, checked)

    def ratios_of(s: np.ndarray) -> np.ndarray:
        return np.concatenate(_squares(s, checked)[:, :, i, j], axis=1)

    pieces = (ratios_of(batch.resampled(x, drawn)) for drawn in resamples(rng, len(x), draws))
    ratios = np.concatenate(progress.gather("HTMT intervals", pieces, draws, least=least))
    good = np.isfinite(ratios).all(axis=1)
    if good.sum() < least:
        raise EstimationError(
            f"Of {len(ratios)} resamples only {good.sum()} gave ratios. Leave out items that nearly everybody answers "
            "alike."
        )
    names = list(checked)
    rows = [(index, names[b], names[a]) for index in ("HTMT", "HTMT2") for a, b in zip(i, j, strict=True)]
    table = pd.concat(
        [
            pd.DataFrame(rows, columns=["index", "left", "right"]),
            summary(square[:, 0, i, j].ravel(), ratios[good], level),
        ],
        axis=1,
    ).rename(columns={"estimate": "ratio"})
    for limit, name in _LIMITS.items():
        table[name] = table["upper"] < limit
    note = (
        f"{used(frame, data)}, missing answers listwise. HTMT: mean absolute correlation between dimensions over the "
        "geometric mean of the mean absolute correlations within; HTMT2: geometric means throughout. Bootstrap, "
        f"{progress.drawn(len(ratios), draws)} draws, seed {plain(seed)}; {100 * level:g} % percentile intervals, "
        "quantiles of type 6. Told apart where the upper end is below .85, .90 or 1."
    )
    if against := keying(frame, checked):
        note += f"{against} These ratios take sizes and stay the same."
    return HtmtIntervals(table, len(ratios), int((~good).sum()), len(x), float(level), note)


def _heatmap(ax: Axes | None, part: pd.DataFrame, index: str) -> Axes:
    import matplotlib.pyplot as plt

    sns = Result._seaborn()
    names = list(dict.fromkeys([*part["left"], *part["right"]]))
    square = part.pivot_table(index="right", columns="left", values="upper").reindex(
        index=names[1:], columns=names[:-1]
    )
    if ax is None:
        size = len(square)
        _, ax = plt.subplots(figsize=(min(7.0, 0.9 * size + 2.2), min(6.0, 0.75 * size + 1.2)), layout="constrained")
    # light throughout, so that the figures in the cells are always dark and readable
    palette = sns.light_palette("#7fb2e5", as_cmap=True)
    sns.heatmap(
        square, ax=ax, vmin=0, vmax=1, cmap=palette, annot=True, fmt=".2f", linewidths=1, square=True,
        cbar_kws={"label": f"upper end of {index}"},
    )  # fmt: skip
    ax.set(xlabel="", ylabel="")
    ax.tick_params(axis="y", rotation=0)
    ax.grid(visible=False)
    return style.behind(ax, square.rename_axis(index="dimension", columns=None))
