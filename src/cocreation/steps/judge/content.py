"""Content validity: do experts find an item relevant, and essential?

A room behind :mod:`cocreation.steps.judge`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import bdtrc
from scipy.special import comb as combinations

from ...errors import InputError, plain
from ...inputs.labels import look, without_blanks
from ...inputs.options import between, confidence, ends, plain_table, whole
from ...results.result import Result

__all__ = ["ContentRatio", "Relevance", "cvr", "cvr_critical", "relevance"]

#: Polit, Beck and Owen's words for the modified kappa, from the lowest value on
_KAPPA_WORDS = ((0.75, "excellent"), (0.60, "good"), (0.40, "fair"), (-np.inf, "poor"))


@dataclass(frozen=True, repr=False)
class Relevance(Result):
    """Content validity from ratings of relevance.

    Attributes
    ----------
    items : DataFrame
        ``item``, ``n`` raters, ``relevant`` (how many said so), ``mean``,
        ``i_cvi``, ``chance`` (probability of exactly this agreement if raters
        toss a coin), ``kappa`` (modified), ``verdict``.
    s_cvi_ave : float
        Mean I-CVI of the items.
    s_cvi_ua : float
        Share of items all raters call relevant.
    note : str
    """

    items: pd.DataFrame
    s_cvi_ave: float
    s_cvi_ua: float
    note: str

    title = "Relevance of the items"


def relevance(ratings: pd.DataFrame, *, relevant: float = 3, points: tuple[int, int] = (1, 4)) -> Relevance:
    """Compute the indices of content validity.

    Parameters
    ----------
    ratings : DataFrame, shape (items, raters)
        Indexed by item.
    relevant : number
        A rating from here on says "relevant".
    points : (lowest, highest)
        The ends of the rating scale.

    Returns
    -------
    Relevance
        A row an item with I-CVI, modified kappa and verdict; both S-CVI.

    See Also
    --------
    sorting : Whether items belong to their dimension.
    judge : Both groups' decision.
    cvr : Votes on what is essential.
    krippendorff_alpha : How far the raters agree.

    Notes
    -----
    I-CVI is the share of raters who call the item relevant (Lynn, 1986). The
    modified kappa takes off chance: pc = C(n, a)·.5^n for a of n raters,
    κ* = (I-CVI − pc) / (1 − pc); "excellent" above .74, "good" from .60,
    "fair" from .40 (Polit, Beck and Owen, 2007, Research in Nursing & Health,
    30, 459-467).

    Raises
    ------
    InputError
        For no items, fewer than two raters, a missing or impossible rating.

    Examples
    --------
    >>> import pandas as pd
    >>> found = relevance(pd.DataFrame([[4, 3, 4], [4, 3, 2]], index=["x", "y"]))
    >>> print(found.items[["item", "i_cvi", "kappa", "verdict"]].round(2).to_string(index=False))
    item  i_cvi  kappa   verdict
       x   1.00   1.00 excellent
       y   0.67   0.47      fair
    """
    plain_table(ratings, what="ratings", row="an item")
    if ratings.empty or ratings.shape[1] < 2:
        raise InputError(
            f"Expected a row an item and a column for each of two or more raters, got {len(ratings)} items and "
            f"{ratings.shape[1]} raters. Add what is missing."
        )
    low, high = ends(points)
    between(relevant, "relevant", low, high, what="a rating")
    values = ratings.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = ~((values >= low) & (values <= high))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"Rater '{ratings.columns[column]}' gave item '{ratings.index[row]}' {plain(ratings.iloc[row, column])}; a "
            f"rating is from {low} to {high}. Ask for it or leave the item out."
        )
    n = values.shape[1]
    yes = (values >= relevant).sum(axis=1)
    i_cvi = yes / n
    by_chance = combinations(n, yes) * 0.5**n
    kappa = (i_cvi - by_chance) / (1 - by_chance)
    # rounded to the two decimals in which the limits are stated, so that .75 - 1e-17 is "excellent"
    words = [next(word for limit, word in _KAPPA_WORDS if round(k, 2) >= limit) for k in kappa]
    items = pd.DataFrame(
        {
            "item": ratings.index,
            "n": n,
            "relevant": yes,
            "mean": values.mean(axis=1),
            "i_cvi": i_cvi,
            "chance": by_chance,
            "kappa": kappa,
            "verdict": words,
        }
    )
    note = (
        f"{len(items)} items, {n} raters; {relevant:g} or more counts as relevant. I-CVI: share of raters; S-CVI/Ave: "
        "its mean; S-CVI/UA: share of items all call relevant; kappa: Polit, Beck and Owen (2007)."
    )
    return Relevance(items, float(i_cvi.mean()), float((yes == n).mean()), note)


@dataclass(frozen=True, repr=False)
class ContentRatio(Result):
    """Lawshe's content validity ratio of each item.

    Attributes
    ----------
    items : DataFrame
        ``item``, ``n`` experts who voted, ``essential`` (how many said so),
        ``cvr``, ``critical_votes`` and ``critical`` (the fewest such votes, and the
        ratio they give, that chance reaches too seldom; missing where the panel is
        too small), ``p`` (one-tailed, exact) and ``passed``.
    cvi : float
        Mean ratio of the items that passed (Lawshe's content validity index); NaN if none did.
    note : str
    """

    items: pd.DataFrame
    cvi: float
    note: str

    title = "Content validity ratio"


def cvr(votes: pd.DataFrame, *, essential: object = "essential", level: float = 0.95) -> ContentRatio:
    """Compute how far experts agree that an item is essential.

    Parameters
    ----------
    votes : DataFrame, shape (items, experts)
        Indexed by item; what each expert said. A missing vote, or blank text, is
        left out of its item's panel.
    essential : object
        The vote that says "essential", such as a word or a number, whatever its
        case and blanks: "Essential " says so too.
    level : float
        Confidence: 0.95 for a one-tailed test at .05.

    Returns
    -------
    ContentRatio
        A row an item with its ratio, exact p and critical ratio; the mean ratio of those that passed.

    See Also
    --------
    cvr_critical : The critical ratio alone.
    relevance : Ratings of relevance instead of votes.
    sorting : Whether items belong to their dimension.

    Notes
    -----
    CVR = (essential − n/2) / (n/2) (Lawshe, 1975, Personnel Psychology, 28,
    563-575). The critical values are exact, see :func:`cvr_critical`.

    No R call gives the table; ``p`` is that of ``stats::binom.test(essential, n, alternative = "greater")``.

    Raises
    ------
    InputError
        For no items, fewer than two experts, an item nobody voted on, or
        votes among which ``essential`` never occurs.

    Examples
    --------
    >>> import pandas as pd
    >>> votes = pd.DataFrame([["essential"] * 5, ["essential"] * 4 + ["useful"]], index=["x", "y"])
    >>> found = cvr(votes)
    >>> print(found.items[["item", "essential", "cvr", "critical", "passed"]].to_string(index=False))
    item  essential  cvr  critical  passed
       x          5  1.0       1.0    True
       y          4  0.6       1.0   False
    """
    plain_table(votes, what="votes", row="an item")
    if votes.empty or votes.shape[1] < 2:
        raise InputError(
            f"Expected a row an item and a column for each of two or more experts, got {len(votes)} items and "
            f"{votes.shape[1]} experts. Add what is missing."
        )
    confidence(level)
    if not pd.api.types.is_hashable(essential) or not votes.map(pd.api.types.is_hashable).all(axis=None):
        raise InputError("A vote is one word or number, not a list. Give essential='…' and one vote a cell.")
    votes = without_blanks(votes)
    silent = votes.index[votes.isna().all(axis=1)]
    if len(silent):
        raise InputError(f"No expert voted on item '{silent[0]}'. Ask for votes or leave the item out.")
    _refuse_names(votes)
    if not look(essential):
        raise InputError(f"essential is the vote that means it, not {plain(essential)}. Write essential='essential'.")
    exact = votes.eq(essential).fillna(False).to_numpy(dtype=bool)
    said = exact | (votes.map(look) == look(essential)).to_numpy(dtype=bool)
    if not said.any():
        heard = sorted(plain(vote) for vote in pd.unique(votes.to_numpy().ravel()) if not pd.isna(vote))
        raise InputError(
            f"No vote says {plain(essential)}; the votes are {', '.join(heard[:5])}. Name the one that means "
            "essential: cvr(votes, essential=…)."
        )
    n, yes = votes.notna().sum(axis=1).to_numpy(), said.sum(axis=1)
    needed = np.array([_votes_needed(size, 1 - level) for size in n])
    items = pd.DataFrame(
        {
            "item": votes.index,
            "n": n,
            "essential": yes,
            "cvr": 2 * yes / n - 1,
            "critical_votes": pd.array(np.where(needed > n, -1, needed), dtype="Int64"),
            "critical": np.where(needed > n, np.nan, 2 * needed / n - 1),
            "p": bdtrc(yes - 1, n, 0.5),
            "passed": yes >= needed,
        }
    )
    items["critical_votes"] = items["critical_votes"].mask(needed > n)
    passed = items.loc[items["passed"], "cvr"]
    holes, other = int(votes.isna().sum().sum()), int((said & ~exact).sum())
    note = (
        f"{len(items)} items, {votes.shape[1]} experts"
        + (f", {holes} missing votes left out" if holes else "")
        + (f", {other} written otherwise than {plain(essential)} counted as it" if other else "")
        + f". CVR: Lawshe (1975); critical values exact binomial, one-tailed at {1 - level:g}. CVI: mean CVR of the "
        f"{len(passed)} items that pass."
        + (" The panel is too small for any item to pass: even unanimity may be chance." if (needed > n).all() else "")
    )
    return ContentRatio(items, float(passed.mean()) if len(passed) else float("nan"), note)


def _refuse_names(votes: pd.DataFrame) -> None:
    """Refuse a column that holds a text of its own in every row: the items' names, which are no votes."""
    for name in votes if len(votes) > 2 else ():
        own = votes[name]
        others = votes.drop(columns=name).to_numpy(dtype=object).ravel()
        if own.is_unique and own.map(lambda vote: isinstance(vote, str)).all() and not own.isin(others).any():
            raise InputError(
                f"Column '{name}' holds a text of its own for every item ('{own.iloc[0]}', …), as names do, not votes. "
                f"Use it as the index: votes.set_index('{name}')."
            )


def _votes_needed(n: int, alpha: float) -> int:
    """Return the fewest of n votes that a fair coin reaches with a probability of at most alpha; n + 1 if none."""
    # a probability of exactly alpha counts, whatever its last digit
    return bisect_left(range(n + 1), True, key=lambda m: bdtrc(m - 1, n, 0.5) <= alpha * (1 + 1e-9))


def cvr_critical(n: int, *, level: float = 0.95) -> float:
    """Return the smallest significant content validity ratio of a panel of n, NaN if there is none.

    The definition of Ayre and Scally (2014, Measurement and Evaluation in
    Counseling and Development, 47, 79-86): with "essential" as likely as not, the
    fewest votes m of which the exact binomial probability of m or more is at most
    1 − ``level`` (one-tailed); the ratio is 2·m/n − 1.

    Parameters
    ----------
    n : int
        Experts.
    level : float
        Confidence: 0.95 for a one-tailed test at .05.

    Returns
    -------
    float
        Between 0 and 1, NaN where the panel is too small.

    See Also
    --------
    cvr : The ratios of a panel's votes.
    substantive_critical : The same for c_sv of a sort.

    Notes
    -----
    Lawshe's printed table (1975) is exact up to 9 experts, with .99 for unity. From 10
    on it holds what the normal approximation with continuity correction
    gives, 1.645/√n + 1/n, which is no ratio that votes can have: his .62 for 10
    lies between 8 votes (.60, p = .055) and 9 (.80, p = .011). As a limit to
    pass it asks for the same number of votes as the exact one.

    In R, with ``m = stats::qbinom(level, n, 0.5) + 1``: 2·m/n − 1, where m is at most n.

    Raises
    ------
    InputError
        If n is no positive whole number or ``level`` no confidence.

    Examples
    --------
    >>> [round(cvr_critical(n), 3) for n in (4, 5, 8, 10, 40)]
    [nan, 1.0, 0.75, 0.8, 0.3]
    """
    n = whole(n, "n", remedy="Write how many experts there were.")
    needed = _votes_needed(n, 1 - confidence(level))
    return 2 * needed / n - 1 if needed <= n else float("nan")
