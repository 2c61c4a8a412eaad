"""Test–retest: does the same person, asked again, answer alike?

A room behind :mod:`cocreation.steps.validate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import fdtri, ndtri, stdtr, stdtrit

from ... import style
from ...core.kappa import kappa_of_two
from ...errors import InputError, plain
from ...inputs.answers import items_frame, scales_mapping
from ...inputs.labels import refuse_alike, without_blanks
from ...inputs.matrices import refuse_matrix
from ...inputs.options import confidence, plain_table, quoted
from ...results.result import Result
from ...results.table import fixed
from ..purify.keying import keying

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Retest", "icc", "retest"]


@dataclass(frozen=True, repr=False)
class Retest(Result):
    """The scales of the same people on two occasions.

    Attributes
    ----------
    table : DataFrame
        One row a dimension: dimension, n, r with r_lower and r_upper; icc_a1 (absolute
        agreement) and icc_c1 (consistency), each with _lower and _upper; sem, the standard
        error of measurement, and sdc, the smallest change of a person that is more
        than error (both in scale points).
    change : DataFrame
        Bland and Altman: dimension, first, second (means), bias (second − first) with
        bias_lower and bias_upper, p (paired t), sd (of the differences), and the
        limits of agreement limit_lower and limit_upper.
    items : DataFrame
        dimension, item, n, r, kappa (quadratic weights), same (percent who gave the same
        answer), within_one (percent at most one point apart).
    people : DataFrame
        One row: first, second (respondents of each occasion), matched, dropped_out
        (in the first only), new (in the second only).
    dropout : DataFrame
        dimension, stayed, left (means on the first occasion), d (their difference in
        standard deviations), p (Welch's t). Empty if fewer than two left.
    scores : DataFrame
        The matched people's scale means: the key, dimension, first, second.
    note : str
    """

    title = "Test–retest"

    table: pd.DataFrame
    change: pd.DataFrame
    items: pd.DataFrame
    people: pd.DataFrame
    dropout: pd.DataFrame
    scores: pd.DataFrame
    note: str

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what is reported; the scores are what ``plot`` draws.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
        shown = {"": self.table, "change": self.change, "items": self.items, "people": self.people}
        return shown | ({"dropout": self.dropout} if len(self.dropout) else {})

    def plot(self, ax: Axes | None = None, *, dimension: str | None = None) -> Axes:
        """Draw the agreement of all dimensions, or one dimension's differences against means (Bland and Altman).

        Parameters
        ----------
        ax : Axes, optional
            Where to draw.
        dimension : str, optional
            Whose differences to draw.

        Returns
        -------
        Axes

        Raises
        ------
        InputError
            For an unknown dimension.
        """
        import matplotlib.pyplot as plt

        if dimension is None:
            return self._plot_all(ax)
        if dimension not in set(self.table["dimension"]):
            raise InputError(
                f"There is no dimension {plain(dimension)}; there are {quoted(self.table['dimension'])}. Choose one of "
                "them."
            )
        ax = ax if ax is not None else plt.subplots(figsize=(6.5, 4), layout="constrained")[1]
        pairs = self.scores[self.scores["dimension"] == dimension]
        row = self.change.set_index("dimension").loc[dimension]
        mean, apart = (pairs["first"] + pairs["second"]) / 2, pairs["second"] - pairs["first"]
        ax.axhspan(row["limit_lower"], row["limit_upper"], color="#20639b", alpha=0.1, lw=0)
        ax.axhline(0, color="0.6", lw=1)
        ax.axhline(row["bias"], color="#c0392b", lw=1.5)
        ax.plot(mean, apart, "o", color="#20639b", alpha=0.55, ms=5, mew=0)
        for name, word in (("limit_lower", "lower limit"), ("bias", "bias"), ("limit_upper", "upper limit")):
            words = f"{word} {fixed(row[name], 2)}".replace("-", "−")
            ax.annotate(words, (1.01, row[name]), xycoords=("axes fraction", "data"), va="center", fontsize=9)
        ax.set(xlabel=f"mean of both occasions, {dimension}", ylabel="second − first")
        return style.behind(ax, pd.DataFrame({"mean": mean, "difference": apart}))

    def _plot_all(self, ax: Axes | None) -> Axes:
        import matplotlib.pyplot as plt

        table = self.table.iloc[::-1].reset_index(drop=True)
        if ax is None:
            _, ax = plt.subplots(figsize=(6.5, 0.6 * len(table) + 1.4), layout="constrained")
        for name, words, shift, marker, colour in (
            ("icc_c1", "consistency, ICC(C,1)", 0.13, "s", "#7f8c8d"),
            ("icc_a1", "agreement, ICC(A,1)", -0.13, "o", "#20639b"),
        ):
            at = table.index + shift
            ax.hlines(at, table[f"{name}_lower"], table[f"{name}_upper"], color=colour, lw=2)
            ax.plot(table[name], at, marker, color=colour, label=words)
        ax.axvline(0.7, color="0.35", ls="--", lw=1)
        ax.set_yticks(table.index, table["dimension"])
        lowest = np.floor(10 * min(0.65, table[["icc_a1_lower", "icc_c1_lower"]].min(axis=None))) / 10
        ax.set(ylim=(-0.6, len(table) - 0.4), xlim=(lowest - 0.01, 1.01))
        ax.set_xlabel("intraclass correlation with its interval (dashed: .70)")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
        return style.behind(ax, self.table)


def icc(scores: np.ndarray, *, level: float = 0.95) -> dict[str, tuple[float, float, float]]:
    """Return ICC(A,1) and ICC(C,1) with their intervals, and the mean squares they come from.

    Parameters
    ----------
    scores : array, shape (people, occasions)
        Complete.
    level : float
        Of the intervals.

    Returns
    -------
    dict
        ``"A"`` and ``"C"``: (estimate, lower, upper); ``"squares"``: mean squares of
        people, occasions and error.
    """
    n, k = scores.shape
    person, occasion, grand = scores.mean(axis=1), scores.mean(axis=0), scores.mean()
    between = k * ((person - grand) ** 2).sum() / (n - 1)
    time = n * ((occasion - grand) ** 2).sum() / (k - 1)
    rest = ((scores - person[:, None] - occasion + grand) ** 2).sum() / ((n - 1) * (k - 1))
    agreement = (between - rest) / (between + (k - 1) * rest + k * (time - rest) / n)
    consistency = (between - rest) / (between + (k - 1) * rest)
    q, free = 0.5 + level / 2, (n - 1) * (k - 1)
    if rest < 1e-14 * between and time < 1e-14 * between:
        perfect = (1.0, 1.0, 1.0)
        return {"A": perfect, "C": perfect, "squares": (between, time, rest)}
    ratio = between / rest if rest > 0 else np.inf
    low, high = ratio / fdtri(n - 1, free, q), ratio * fdtri(free, n - 1, q)
    # Satterthwaite's degrees of freedom for the mixture of occasions and error
    a, b = k * agreement * time, (n * (1 + (k - 1) * agreement) - k * agreement) * rest
    v = free * (a + b) ** 2 / ((n - 1) * a**2 + b**2)
    upper, lower, mixed = fdtri(n - 1, v, q), fdtri(v, n - 1, q), k * time + (k * n - k - n) * rest
    limits = (
        n * (between - upper * rest) / (upper * mixed + n * between),
        n * (lower * between - rest) / (mixed + n * lower * between),
    )
    return {
        "A": (agreement, *limits),
        "C": (consistency, 1 - k / (low + k - 1), 1 - k / (high + k - 1)),
        "squares": (between, time, rest),
    }


def retest(
    first: pd.DataFrame,
    second: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    *,
    key: str = "respondent",
    level: float = 0.95,
) -> Retest:
    """Compare the answers of the same people on two occasions.

    Parameters
    ----------
    first, second : DataFrame, shape (respondents, columns)
        Answers of each occasion, with the column ``key``; who is in one only is left
        out and counted.
    scales : mapping
        ``{dimension: [item, …]}``; a dimension's score is the mean of its items.
    key : str
        The column that says who answered.
    level : float
        Of all intervals.

    Returns
    -------
    Retest
        A row a dimension with r, both ICC, sem and sdc in scale points; change and limits of agreement; a row an item;
        who dropped out; the scores.

    Raises
    ------
    InputError
        For data or scales that cannot be taken, a respondent without a key, with a blank
        one or with two rows, keys that look alike, fewer than three matched respondents, and an item or a score that is
        the same for everybody.

    See Also
    --------
    reliability : Reliability on one occasion.
    latent_means : Means of factors between groups.
    validity : Convergent and discriminant validity.
    cocreation.steps.conceptualize.agreement : The kappa of the items.

    Notes
    -----
    The names are McGraw and Wong's (1996, Psychological Methods, 1, 30-46): ICC(A,1),
    absolute agreement of single scores, is Shrout and Fleiss's ICC(2,1); ICC(C,1),
    consistency, is their ICC(3,1); in R ``psych::ICC(scores, lmer = FALSE)`` prints both. A shift of
    everybody lowers the first only; Pearson's r does not see a stretch of the scale
    either. sem is the agreement one, √(variance of occasions + error) (de Vet et al.,
    2006, Journal of Clinical Epidemiology, 59, 1033-1039), and sdc = z·√2·sem. Missing
    answers: within each dimension, who did not answer all its items on both
    occasions is left out.

    Examples
    --------
    >>> import pandas as pd
    >>> who = [f"R{i}" for i in range(8)]
    >>> one = pd.DataFrame({"respondent": who, "a": [1, 2, 3, 4, 5, 6, 7, 4], "b": [2, 2, 3, 5, 5, 6, 6, 4]})
    >>> two = pd.DataFrame({"respondent": who, "a": [2, 1, 3, 5, 4, 7, 7, 5], "b": [2, 3, 4, 4, 6, 6, 7, 5]})
    >>> found = retest(one, two, {"DO": ["a", "b"]})
    >>> print(found.table[["dimension", "n", "r", "icc_a1", "icc_c1"]].round(3).to_string(index=False))
    dimension  n     r  icc_a1  icc_c1
           DO  8 0.982   0.963   0.981
    """
    for frame, when in ((first, "first"), (second, "second")):
        plain_table(frame, what=f"data of the {when} occasion")
        refuse_matrix(frame, list(frame.columns))
        plain_table(frame, (key,), what=f"data of the {when} occasion")
    checked = scales_mapping(scales, first.columns, at_least=1)
    scales_mapping(checked, second.columns, at_least=1)
    confidence(level)
    one, two = (_by_key(frame, key, when) for frame, when in ((first, "first"), (second, "second")))
    pair = f"first[{plain(key)}], second[{plain(key)}]"
    refuse_alike([*one.index, *two.index], "respondents", f"{pair} = merge_alike({pair})")
    both = [who for who in one.index if who in set(two.index)]
    people = {"first": len(one), "second": len(two), "matched": len(both)}
    people |= {"dropped_out": len(one) - len(both), "new": len(two) - len(both)}
    if len(both) < 3:
        raise InputError(
            f"{len(both)} respondents answered on both occasions; this needs at least three. On the first they are "
            f"called {quoted(one.index, most=2) or 'nothing'}, on the second "
            f"{quoted(two.index, most=2) or 'nothing'}: check that '{key}' is written alike."
        )
    rows, change, items, dropout, scores, against = [], [], [], [], [], ""
    left = one.index.difference(both, sort=False)
    for name, columns in checked.items():
        pair = [_numeric(frame, columns, when) for frame, when in ((one, "first"), (two, "second"))]
        known = pair[0].loc[both].notna().all(axis=1) & pair[1].loc[both].notna().all(axis=1)
        who = known.index[known]
        matched = np.stack([frame.loc[who].to_numpy() for frame in pair])
        means = matched.mean(axis=2).T
        _refuse_flat(name, means, len(both), pair)
        rows.append({"dimension": name} | _agreement(means, level))
        change.append({"dimension": name} | _bland_altman(means, level))
        for answers, when in zip(matched, ("first", "second"), strict=True):
            if told := keying(pd.DataFrame(answers, columns=columns), {name: columns}, table=when):
                against += f" On the {when} occasion:{told}"
        items += [
            {"dimension": name, "item": item} | _item(matched[0, :, i], matched[1, :, i])
            for i, item in enumerate(columns)
        ]
        stayed, gone = (pair[0].loc[index].dropna().mean(axis=1) for index in (both, left))
        if len(gone) > 1:
            dropout.append({"dimension": name} | _attrition(stayed, gone))
        scores.append(pd.DataFrame({key: who, "dimension": name, "first": means[:, 0], "second": means[:, 1]}))
    note = (
        f"{len(both)} of {len(one)} respondents matched by '{key}'; who skipped an item of a dimension is left out of "
        f"it. Scores: means of the items. Intervals {100 * level:g} %: r by Fisher's z, ICC by F (McGraw & Wong 1996). "
        f"sem counts a shift of everybody as error; sdc = {ndtri(0.5 + level / 2):.2f}·√2·sem.{against}"
    )
    return Retest(
        pd.DataFrame(rows),
        pd.DataFrame(change),
        pd.DataFrame(items),
        pd.DataFrame([people]),
        pd.DataFrame(dropout, columns=["dimension", "stayed", "left", "d", "p"]),
        pd.concat(scores, ignore_index=True),
        note,
    )


def _by_key(frame: pd.DataFrame, key: str, when: str) -> pd.DataFrame:
    blank = without_blanks(frame[key]).isna()
    if blank.any():
        row = frame.index[blank][0]
        raise InputError(f"Row {row} of the {when} occasion does not say who answered. Complete '{key}' or drop it.")
    twice = frame.loc[frame[key].duplicated(), key]
    if len(twice):
        raise InputError(f"Respondent '{twice.iloc[0]}' stands in two rows of the {when} occasion. Keep one.")
    return frame.set_index(key)


def _numeric(frame: pd.DataFrame, items: list[str], when: str) -> pd.DataFrame:
    try:
        return items_frame(frame, items, missing="keep", respondents=3)
    except InputError as error:
        raise InputError(f"On the {when} occasion: {error}") from error


def _refuse_flat(name: str, means: np.ndarray, matched: int, pair: list[pd.DataFrame]) -> None:
    if len(means) < 3:
        raise InputError(
            f"Only {len(means)} of the {matched} matched respondents answered all items of '{name}' on both occasions; "
            "this needs at least three. Leave out the item that many skipped."
        )
    flat = np.ptp(means, axis=0) <= 1e-10 * np.abs(means).max()
    if flat.any():
        all_scores = pair[int(np.argmax(flat))].mean(axis=1).dropna()
        raise InputError(
            f"The {len(means)} respondents who answered all items of '{name}' on both occasions score the same"
            + (
                ", though not all who answered do: the others came once or skipped an item. Complete their answers, or "
                "leave the dimension out."
                if np.ptp(all_scores) > 1e-10 * np.abs(all_scores).max()
                else ". Leave the dimension out."
            )
        )


def _agreement(means: np.ndarray, level: float) -> dict[str, float]:
    n, z = len(means), ndtri(0.5 + level / 2)
    r = float(np.clip(np.corrcoef(means.T)[0, 1], -1, 1))
    reach = np.array([-1.0, 1.0])  # three respondents leave r anywhere
    if n > 3:
        with np.errstate(divide="ignore"):
            reach = np.tanh(np.arctanh(r) + reach * z / np.sqrt(n - 3))
    found = icc(means, level=level)
    _, time, rest = found["squares"]
    sem = np.sqrt(max(time - rest, 0.0) / n + rest)
    row = {"n": n, "r": r, "r_lower": reach[0], "r_upper": reach[1]}
    for name, kind in (("icc_a1", "A"), ("icc_c1", "C")):
        row |= dict(zip((name, f"{name}_lower", f"{name}_upper"), found[kind], strict=True))
    return row | {"sem": sem, "sdc": z * np.sqrt(2) * sem}


def _bland_altman(means: np.ndarray, level: float) -> dict[str, float]:
    n, apart = len(means), means[:, 1] - means[:, 0]
    bias, sd = apart.mean(), apart.std(ddof=1)
    error, reach = sd / np.sqrt(n), ndtri(0.5 + level / 2) * sd
    t = stdtrit(n - 1, 0.5 + level / 2)
    p = 2 * stdtr(n - 1, -abs(bias) / error) if error > 0 else float(bias == 0)
    return {
        "first": means[:, 0].mean(),
        "second": means[:, 1].mean(),
        "bias": bias,
        "bias_lower": bias - t * error,
        "bias_upper": bias + t * error,
        "p": p,
        "sd": sd,
        "limit_lower": bias - reach,
        "limit_upper": bias + reach,
    }


def _item(one: np.ndarray, two: np.ndarray) -> dict[str, float]:
    """An item's r and kappa are missing where one occasion's answers are all the same."""
    apart = np.abs(one - two)
    row = {"n": len(one), "r": np.nan, "kappa": np.nan}
    if min(np.ptp(one), np.ptp(two)) > 0:
        values, place = np.unique(np.concatenate([one, two]), return_inverse=True)
        counts = np.zeros((len(values), len(values)))
        np.add.at(counts, (place[: len(one)], place[len(one) :]), 1)
        weights = 1 - (np.subtract.outer(values, values) / np.ptp(values)) ** 2
        row |= {"r": np.corrcoef(one, two)[0, 1], "kappa": kappa_of_two(counts, weights).kappa}
    return row | {"same": 100 * (apart < 1e-9).mean(), "within_one": 100 * (apart < 1 + 1e-9).mean()}


def _attrition(stayed: pd.Series, gone: pd.Series) -> dict[str, float]:
    a, b = stayed.var(ddof=1) / len(stayed), gone.var(ddof=1) / len(gone)
    pooled = ((len(stayed) - 1) * stayed.var() + (len(gone) - 1) * gone.var()) / (len(stayed) + len(gone) - 2)
    apart = stayed.mean() - gone.mean()
    df = (a + b) ** 2 / (a**2 / (len(stayed) - 1) + b**2 / (len(gone) - 1)) if a + b > 0 else np.nan
    p = float(2 * stdtr(df, -abs(apart) / np.sqrt(a + b))) if a + b > 0 else np.nan
    return {
        "stayed": stayed.mean(),
        "left": gone.mean(),
        "d": apart / np.sqrt(pooled) if pooled > 0 else np.nan,
        "p": p,
    }
