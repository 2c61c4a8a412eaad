"""Explore: is there something to factor, how many factors, which items carry them."""

from __future__ import annotations

from .comparison import Comparison, compare
from .extraction import Extraction, components, factors
from .number import Adequacy, NumberOfFactors, adequacy, n_factors
from .polychoric import Polychoric, polychoric
from .selection import Exploration, explore

__all__ = [
    "Adequacy",
    "Comparison",
    "Exploration",
    "Extraction",
    "NumberOfFactors",
    "Polychoric",
    "adequacy",
    "compare",
    "components",
    "explore",
    "factors",
    "n_factors",
    "polychoric",
]
