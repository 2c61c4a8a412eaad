"""Purify: drop items that do not go with the rest of their dimension (CITC), watch alpha."""

from __future__ import annotations

from .alpha import Alpha, alpha
from .ordinal import OrdinalAlpha, ordinal_alpha
from .purification import Purification, purify

__all__ = ["Alpha", "OrdinalAlpha", "Purification", "alpha", "ordinal_alpha", "purify"]
