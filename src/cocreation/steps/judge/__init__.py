"""Judging items: do experts put an item where it belongs, and do they find it relevant?"""

from __future__ import annotations

from .content import ContentRatio, Relevance, cvr, cvr_critical, relevance
from .judgement import Judgement, judge
from .raters import FleissKappa, Krippendorff, fleiss_kappa, krippendorff_alpha
from .sorting import Chance, Sorting, chance, sorting, substantive_critical

__all__ = [
    "Chance",
    "ContentRatio",
    "FleissKappa",
    "Judgement",
    "Krippendorff",
    "Relevance",
    "Sorting",
    "chance",
    "cvr",
    "cvr_critical",
    "fleiss_kappa",
    "judge",
    "krippendorff_alpha",
    "relevance",
    "sorting",
    "substantive_critical",
]
