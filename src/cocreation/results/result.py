"""How a step's result prints: APA-style tables with a note that says how they were computed."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pandas as pd

from ..errors import InputError, needed, plain
from . import formats, latex
from .table import Table, fixed, table_of

__all__ = ["Result", "fixed"]


class Result:
    """Base of every step's frozen dataclass: tables for a reader, in a notebook and out of it.

    A subclass is a frozen dataclass (``repr=False``) whose fields are tidy
    DataFrames, floats, integers or text, and sets ``title`` (class attribute).
    A field ``note`` says how the figures were computed: estimator, convention,
    N used, treatment of missing answers. ``digits`` is the number of decimals
    shown; the fields keep full precision. ``proportions`` names columns whose
    figures cannot exceed 1, beside those that are known by name.

    Notes
    -----
    Tables follow the Publication Manual of the APA (7th edition, chapter 7): number
    and title above, horizontal rules only, a note below; no zero before the point of
    figures that cannot exceed 1; p-values as "< .001"; statistical symbols in
    italics, Greek letters upright. Heads come from one dictionary.

    Examples
    --------
    >>> from cocreation.steps.purify import alpha
    >>> from cocreation.survey import sample
    >>> found = alpha(sample.draw(300, seed=1, items=["DO01", "DO02", "DO05", "DO06"]))
    >>> print(found.to_markdown().splitlines()[4])
    | α | CI: *LL* | CI: *UL* | α of standardized items | Mean *r* | *n* | Items |
    """

    title: ClassVar[str] = ""
    digits: ClassVar[int] = 3
    proportions: ClassVar[tuple[str, ...]] = ()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables to show: by default the scalars, then every DataFrame field.

        Returns
        -------
        dict
            ``{title: DataFrame}``, in the order they are shown.
        """
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

    def to_markdown(self, *, first: int = 1) -> str:
        """Return the tables as Markdown.

        Parameters
        ----------
        first : int
            Number of the first table.

        Returns
        -------
        str
        """
        return "\n".join(map(formats.to_markdown, self._apa(first)))

    def to_latex(self) -> str:
        """Return the tables as LaTeX floats with the rules of the package booktabs.

        LaTeX numbers them. What lies outside ASCII is written in commands, except
        scripts such as Chinese, which need XeLaTeX or LuaLaTeX. A table too wide for a
        page is turned and says that it needs the package rotating.

        Returns
        -------
        str
        """
        return "\n".join(map(latex.to_latex, self._apa(1)))

    def to_docx(self, path: str | Path, *, first: int = 1) -> Path:
        """Write the tables into a new Word document, landscape if one is too wide, and return its path.

        Parameters
        ----------
        path : str or Path
            The file, ending in .docx; it is replaced.
        first : int
            Number of the first table.

        Returns
        -------
        Path

        Raises
        ------
        InputError
            If the path does not end in .docx or cannot be written to.
        MissingPackageError
            If python-docx, which only this format needs, is not installed.
        """
        from .word import write_docx

        return write_docx(self._apa(first), path)

    @staticmethod
    def _seaborn() -> ModuleType:
        """What some figures are drawn with; importing it takes too long for those who draw none."""
        return needed("seaborn", "This figure")

    def _apa(self, first: int | None) -> list[Table]:
        """The one model behind every format; without a number for a page that numbers all its tables."""
        if first is None:
            return [replace(table, number=None) for table in self._numbered(1, "of the first of these tables")]
        if isinstance(first, bool) or not isinstance(first, int) or first < 1:
            raise InputError(
                f"first is the number of the first table, 1 or more, not {plain(first)}. Give a whole number."
            )
        return self._numbered(first, f"of Table {first}")

    def _numbered(self, first: int, where: str) -> list[Table]:
        note = str(getattr(self, "note", ""))
        found = []
        for number, (name, frame) in enumerate(self.tables().items(), start=first):
            title = self.title or type(self).__name__
            said = note if number == first or not note else f"See the note {where}."
            found.append(
                table_of(frame, number=number, title=title, name=name, note=said, digits=self.digits,
                         proportions=self.proportions)
            )  # fmt: skip
        return found

    def _repr_html_(self) -> str:
        return "\n".join(map(formats.to_html, self._apa(None)))

    def __repr__(self) -> str:
        return "\n\n".join(map(formats.to_text, self._apa(1)))
