"""The golden data sets: R's figures for data nobody here made (likert7_sim: simulated in R).

bfi_nec_missing has missing answers and a model that fits badly; R's figures are of complete cases, those of a
scale's reliability and of an item's distribution of all who answered the scale or the item.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from cocreation.golden import sets

NAMES = ["hs1939", "likert7_sim", "bfi_nec_missing"]
FOLDER = Path(__file__).parent / "golden"


class Golden(sets.Golden):
    """A golden set as the tests ask for it."""

    answers = sets.Golden.complete

    @property
    def n_factors(self) -> int:
        return self.figures["efa"]["n_factors"]


@functools.cache
def load(name: str) -> Golden:
    """Read a set once a process, with the reader of `cocreation agree`."""
    return Golden(**vars(sets.load(FOLDER / name)))


def matrix(block: dict) -> np.ndarray:
    return np.array(block["values"], dtype=float)
