"""Exercises a person touches, in JupyterLab and in the built book.

A widget is one Python class with traits, one ECMAScript module and one style
sheet. All logic that must answer at once lives in the module, so that a page
needs neither kernel nor network. :mod:`cocreation.pages` is the
Sphinx extension that puts widgets into the book's pages.
"""

from __future__ import annotations

from ..errors import needed

needed("anywidget", "A live exercise")
from .card_sort import CardSort  # noqa: E402 – a Python without anywidget is told before

__all__ = ["WIDGETS", "CardSort"]

WIDGETS = {"card-sort": CardSort}
"""Name of a widget in a page's ``widget`` directive -> its class."""
