"""Conceptualizing: do coders see the same themes, and do further interviews still bring new ones?"""

from __future__ import annotations

from .coders import Agreement, agreement
from .saturation import Saturation, saturation

__all__ = ["Agreement", "Saturation", "agreement", "saturation"]
