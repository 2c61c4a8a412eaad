"""Sorting figures that may be equal: round-off, which differs from processor to processor, is not to order them."""

from __future__ import annotations

import numpy as np

__all__ = ["without_noise"]


def without_noise(values: np.ndarray) -> np.ndarray:
    """Return figures in which those that round-off alone sets apart are equal, as keys for a stable sort.

    Parameters
    ----------
    values : array or Series
        Figures; NaN and infinities stay.

    Returns
    -------
    array or Series of the same shape
        To ten digits where larger than 1, else to nine decimals.

    Examples
    --------
    >>> equal = without_noise(np.array([0.1 + 0.2, 0.3, 1e5 / 3, 1e5 / 3 * (1 + 1e-15)]))
    >>> bool(equal[0] == equal[1] and equal[2] == equal[3])
    True
    """
    size = np.abs(values)
    whole = np.isfinite(size) & (size > 1)
    scale = 10.0 ** (9 - np.floor(np.log10(np.where(whole, size, 1.0))))
    return np.round(values * scale) / scale
