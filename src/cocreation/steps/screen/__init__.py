"""Screening: which respondents may stay, by which rule, and what their answers look like."""

from __future__ import annotations

from .distributions import Distributions, describe
from .sample import SampleDescription, sample_description
from .screening import RULES, Screening, screen

__all__ = [
    "RULES",
    "Distributions",
    "SampleDescription",
    "Screening",
    "describe",
    "sample_description",
    "screen",
]
