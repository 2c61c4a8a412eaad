"""Two coders of one material: how often they agree, and how often beyond chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ... import style
from ...core.kappa import kappa_of_two, limits, weights_of
from ...errors import InputError, plain
from ...inputs.labels import look, refuse_alike
from ...inputs.options import confidence, names_of
from ...inputs.suspects import warn_of_codes
from ...results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Agreement", "agreement"]


@dataclass(frozen=True, repr=False)
class Agreement(Result):
    """How far two coders agree.

    Attributes
    ----------
    n : int
        Excerpts coded by both.
    percent : float
        Percent of them with the same code; with weights, the percent of agreement
        to which near codes count in part.
    expected : float
        Percent that chance would give two coders who use the codes as often as these did.
    kappa, se, lower, upper : float
        Cohen's kappa (weighted, if weights were asked for), its standard error and its interval.
    se0, z, p : float
        Standard error if there were no agreement beyond chance, and the two-sided test with it.
    codes : DataFrame
        ``code``, ``coder_a``, ``coder_b`` (how often each used it), ``both``,
        ``agreement``: the percent of its uses on which both agree,
        2·both / (coder_a + coder_b).
    confusion : DataFrame, shape (codes, codes)
        Rows what the first coder said, columns the second.
    note : str
    """

    n: int
    percent: float
    expected: float
    kappa: float
    se: float
    lower: float
    upper: float
    se0: float
    z: float
    p: float
    codes: pd.DataFrame
    confusion: pd.DataFrame
    note: str

    title = "Agreement of two coders"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the figures and the codes; the confusion is what ``plot`` draws.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        shown = super().tables()
        shown.pop("confusion")
        return shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw who confuses what: a cell off the diagonal is a disagreement.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a figure of its own by default.

        Returns
        -------
        Axes
        """
        import matplotlib.pyplot as plt

        sns = self._seaborn()
        side = 0.42 * len(self.confusion) + 2
        ax = ax if ax is not None else plt.subplots(figsize=(side + 0.8, side))[1]
        sns.heatmap(
            self.confusion,
            annot=self.confusion.astype(object).where(self.confusion > 0, "").astype(str),
            fmt="",
            cmap=sns.light_palette("#20639b", as_cmap=True),
            cbar=False,
            square=True,
            linewidths=0.5,
            ax=ax,
        )
        ax.set(xlabel="second coder", ylabel="first coder")
        ax.tick_params(axis="x", rotation=45)
        plt.setp(ax.get_xticklabels(), ha="right", rotation_mode="anchor")
        ax.tick_params(axis="y", rotation=0)
        return style.behind(ax, self.confusion.rename_axis("first coder"))


def agreement(
    coder_a: Sequence[object] | pd.Series,
    coder_b: Sequence[object] | pd.Series,
    *,
    order: Sequence[object] | None = None,
    weights: str | None = None,
    level: float = 0.95,
) -> Agreement:
    """Compare the codes two coders gave to the same excerpts.

    Parameters
    ----------
    coder_a, coder_b : sequence, length n
        The codes (nominal), in the same order of excerpts.
    order : sequence, optional
        All codes of the scheme, in the order to list them; by default those
        used, sorted. Codes nobody used do not change kappa without weights.
    weights : {"linear", "quadratic"}, optional
        For codes with an order (Cohen, 1968): a disagreement counts by the number of
        steps in ``order`` between the two codes, or by its square.
    level : float
        Of the interval.

    Returns
    -------
    Agreement
        Percent agreement, kappa with its standard errors, interval and test, a row a code, and the confusion of the
        two.

    See Also
    --------
    saturation : How soon interviews stop bringing new themes.
    cocreation.steps.judge.fleiss_kappa : Agreement of more than two raters.
    cocreation.steps.judge.krippendorff_alpha : Of any number, some of whose values may be missing.

    Notes
    -----
    kappa = (po − pe) / (1 − pe) (Cohen, 1960). The standard errors are the
    large-sample ones of Fleiss, Cohen and Everitt (1969, Psychological
    Bulletin, 72, 323-327): ``se`` for the interval, ``se0`` for the test that
    kappa is zero. With weights they are the same paper's, for w = 1 − steps/(k − 1)
    or 1 − steps²/(k − 1)² with k codes (statsmodels' figures; psych 2.2.9 prints
    weighted standard errors that simulation does not bear out). A symmetric
    interval may pass 1; it is cut there, as psych's, and the note says so. If one coder
    used a single code, kappa is 0 whatever the other did, and there is no test.

    In R, ``psych::cohen.kappa(cbind(a, b))$kappa``; with quadratic weights its ``$weighted.kappa``, with linear ones
    the same given ``w = 1 - abs(outer(1:k, 1:k, "-"))/(k - 1)``.

    Raises
    ------
    InputError
        For unequal lengths, a missing or blank code, codes that look alike, a code outside ``order``, weights
        without ``order``, fewer than two excerpts, or two coders who both used one and the same code
        for everything (kappa is then 0/0).

    Examples
    --------
    >>> found = agreement(["joy", "joy", "task", "task"], ["joy", "task", "task", "task"])
    >>> found.percent, found.kappa
    (75.0, 0.5)
    >>> grades = agreement([1, 2, 3, 3, 2, 1], [1, 3, 3, 2, 2, 1], order=[1, 2, 3], weights="quadratic")
    >>> round(grades.kappa, 3)
    0.75
    """
    a, b = _codings(coder_a, coder_b)
    if weights is not None and (not isinstance(weights, str) or weights not in ("linear", "quadratic")):
        raise InputError(f"weights is 'linear', 'quadratic' or None, not {plain(weights)}. Choose one of them.")
    if weights and order is None:
        raise InputError("Weights need to know which codes are near. Give the codes from the lowest on: order=[…].")
    warn_of_codes([*a, *b], "codes", "leave out the excerpts that hold {odd}")
    codes = sorted(dict.fromkeys([*a, *b]), key=str) if order is None else names_of(order, what="code")
    like = "" if order is None else ", like=order"
    refuse_alike([*codes, *a, *b], "codes", f"coder_a, coder_b = merge_alike(coder_a, coder_b{like})")
    unknown = [code for code in [*a, *b] if code not in codes]
    if unknown:
        raise InputError(f"The code {plain(unknown[0])} is not in the order given. Add it or correct the coding.")
    confidence(level)
    place = {code: i for i, code in enumerate(codes)}
    counts = np.zeros((len(codes), len(codes)), dtype=int)
    np.add.at(counts, ([place[code] for code in a], [place[code] for code in b]), 1)
    kappa, se, se0, observed, expected = kappa_of_two(counts, weights_of(len(codes), weights))
    lower, upper, cut = limits(kappa, se, level)
    z = kappa / se0 if se0 > 0 else float("nan")
    used = counts.sum(axis=1) + counts.sum(axis=0)
    table = pd.DataFrame(
        {
            "code": codes,
            "coder_a": counts.sum(axis=1),
            "coder_b": counts.sum(axis=0),
            "both": counts.diagonal(),
            "agreement": 100 * 2 * counts.diagonal() / np.where(used, used, np.nan),
        }
    )
    confusion = pd.DataFrame(counts, index=codes, columns=codes)
    note = (
        f"{len(a)} excerpts, two coders. Cohen's kappa{f', {weights} weights,' if weights else ''} with the "
        f"large-sample standard error of Fleiss, Cohen and Everitt (1969); interval {100 * level:g} %; se0, z and p "
        f"for the hypothesis of no agreement beyond chance.{cut}"
    )
    return Agreement(
        len(a),
        100 * observed,
        100 * expected,
        kappa,
        se,
        lower,
        upper,
        se0,
        z,
        float(2 * ndtr(-abs(z))),
        table,
        confusion,
        note,
    )


def _codings(coder_a: object, coder_b: object) -> tuple[list[object], list[object]]:
    both = []
    for name, codes in (("first", coder_a), ("second", coder_b)):
        if isinstance(codes, (str, Mapping, pd.DataFrame, set, frozenset)) or not hasattr(codes, "__len__"):
            raise InputError(
                f"The {name} coder's codes must be a list or a column, one code an excerpt, not a "
                f"{type(codes).__name__}. Pass the column, such as talks['coder_a']."
            )
        codes = list(codes)
        nested = [i for i, code in enumerate(codes) if isinstance(code, (list, dict, set, np.ndarray))]
        if nested:
            raise InputError(
                f"The {name} coder gave excerpt number {nested[0] + 1} more than one code. Split the excerpt, or "
                "compare code by code."
            )
        empty = [i for i, code in enumerate(codes) if not look(code)]
        if empty:
            raise InputError(
                f"The {name} coder gave no code to excerpt number {empty[0] + 1}. Leave out excerpts only one coded."
            )
        both.append(codes)
    a, b = both
    indexes = [codes.index for codes in (coder_a, coder_b) if isinstance(codes, pd.Series)]
    if len(a) == len(b) and len(indexes) == 2 and not indexes[0].equals(indexes[1]):
        raise InputError(
            "The two columns name their excerpts differently (their indexes differ), so which code stands beside which "
            "is not certain. Put both columns into one table, or pass lists in the same order: .tolist()."
        )
    if len(a) != len(b):
        raise InputError(f"The first coder coded {len(a)} excerpts, the second {len(b)}. Compare the same excerpts.")
    if len(a) < 2:
        raise InputError(f"Agreement needs at least two excerpts, got {len(a)}. Code more.")
    return a, b
