"""Confirm: does the measurement model fit, and better than its rivals?"""

from __future__ import annotations

from ...cfa.result import Cfa
from .bootstrap import Bootstrap, bootstrap
from .common_method import CommonMethod, common_method
from .difference import Difference, difference
from .models import cfa, syntax
from .rivals import NestedModels, nested

__all__ = [
    "Bootstrap",
    "Cfa",
    "CommonMethod",
    "Difference",
    "NestedModels",
    "bootstrap",
    "cfa",
    "common_method",
    "difference",
    "nested",
    "syntax",
]
