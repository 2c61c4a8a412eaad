"""What sorters who choose at random agree on."""

from __future__ import annotations

from math import comb

from scipy.special import bdtrc

__all__ = ["agreeing_at_random"]


def agreeing_at_random(raters: int, bins: int, at_least: int) -> tuple[float, float]:
    """Return the probabilities that ``at_least`` of ``raters`` agree on any bin, and on a given one.

    Exact: the sequences of votes in which every bin stays below ``at_least``
    are counted (by the coefficients of a power of a polynomial) and taken
    from all bins**raters sequences.

    Parameters
    ----------
    raters, bins, at_least : int
        Raters, bins they choose among, and votes that count as agreement.

    Returns
    -------
    any_bin, given_bin : float
        Probabilities.
    """
    # ways[k]: sequences of k votes over the bins seen so far with fewer than at_least in each
    ways = [1] + [0] * raters
    for _ in range(bins):
        ways = [sum(ways[k - v] * comb(k, v) for v in range(min(k, at_least - 1) + 1)) for k in range(raters + 1)]
    return 1 - ways[raters] / bins**raters, float(bdtrc(at_least - 1, raters, 1 / bins))
