"""The golden data sets: R's figures for data nobody here made (likert7_sim: simulated in R).

bfi_nec_missing has missing answers and a model that fits badly; R's figures are of complete cases, those of a
scale's reliability and of an item's distribution of all who answered the scale or the item.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

NAMES = ["hs1939", "likert7_sim", "bfi_nec_missing"]


@dataclass(frozen=True)
class Golden:
    """A data set with R's figures for it."""

    name: str
    data: pd.DataFrame
    model: str
    figures: dict

    @property
    def items(self) -> list[str]:
        return self.figures["items"]

    @property
    def answers(self) -> pd.DataFrame:
        return self.data[self.items].dropna()

    @property
    def scales(self) -> dict[str, list[str]]:
        return {name: block["items"] for name, block in self.figures["reliability"].items()}

    @property
    def n_factors(self) -> int:
        return self.figures["efa"]["n_factors"]


@functools.cache
def load(name: str) -> Golden:
    folder = Path(__file__).parent / "golden" / name
    figures = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    model = (folder / "model.lav").read_text(encoding="utf-8")
    return Golden(name, pd.read_csv(folder / "data.csv"), model, figures)


def matrix(block: dict) -> np.ndarray:
    return np.array(block["values"], dtype=float)
