"""How a step's result prints: tidy tables with a note that says how they were computed."""

from __future__ import annotations

import html
from dataclasses import fields
from typing import Any

import pandas as pd

__all__ = ["Result", "fixed"]


def fixed(value: float, digits: int) -> str:
    """Return a number with so many decimals, zero without a sign.

    Examples
    --------
    >>> fixed(-0.0001, 3), fixed(0.0736, 3)
    ('0.000', '0.074')
    """
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


class Result:
    """Base of every step's frozen dataclass.

    A subclass is a frozen dataclass (``repr=False``) whose fields are tidy
    DataFrames, floats, integers or text, and sets ``title`` (class attribute).
    A field ``note`` says how the figures were computed: estimator, convention,
    N used, treatment of missing answers. ``digits`` is the number of decimals
    shown; the fields keep full precision. A column ``p`` holds p-values, which
    print as "<0.001" rather than as zero.
    """

    title: str = ""
    digits: int = 3

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables to show: by default the scalars, then every DataFrame field."""
        scalars = {
            field.name: getattr(self, field.name)
            for field in fields(self)  # type: ignore[arg-type]
            if field.name != "note" and isinstance(getattr(self, field.name), (int, float, str))
        }
        shown: dict[str, pd.DataFrame] = {}
        if scalars:
            shown[""] = pd.DataFrame([scalars])
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, pd.DataFrame):
                shown[field.name.replace("_", " ")] = value
        return shown

    def _format(self, value: float) -> str:
        return fixed(value, self.digits)

    def _format_p(self, value: float) -> str:
        """A p-value, which is never zero: below the last decimal shown it prints as such."""
        if pd.isna(value):
            return ""
        least = 10.0**-self.digits
        return f"<{least:.{self.digits}f}" if value < least / 2 else self._format(value)

    def _options(self, table: pd.DataFrame) -> dict[str, Any]:
        numeric_p = "p" in table.columns and pd.api.types.is_numeric_dtype(table["p"])
        return {
            "index": not isinstance(table.index, pd.RangeIndex),
            "float_format": self._format,
            "formatters": {"p": self._format_p} if numeric_p else None,
            "na_rep": "",
        }

    def _repr_html_(self) -> str:
        parts = [f"<p><strong>{html.escape(self.title)}</strong></p>"] if self.title else []
        for name, table in self.tables().items():
            if name:
                parts.append(f"<p><em>{html.escape(name)}</em></p>")
            # pandas would cut the evidence of a decision after fifty characters
            with pd.option_context("display.max_colwidth", None):
                parts.append(table.to_html(border=0, **self._options(table)))
        note = getattr(self, "note", "")
        if note:
            parts.append(f"<p><small>{html.escape(note)}</small></p>")
        return "\n".join(parts)

    def __repr__(self) -> str:
        parts = [self.title] if self.title else [type(self).__name__]
        for name, table in self.tables().items():
            if name:
                parts.append(name)
            parts.append(table.to_string(**self._options(table)))
        note = getattr(self, "note", "")
        if note:
            parts.append(note)
        return "\n".join(parts)
