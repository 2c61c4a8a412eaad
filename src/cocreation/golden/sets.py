"""A golden set: data, model and R's figures, and the fits that several sections of it ask for.

A room behind :mod:`cocreation.golden.agree`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from .._files import read_json, read_text
from ..core.sem.syntax import parse
from ..errors import EstimationError, InputError
from ..steps import confirm
from ..survey.tables import read_table
from .ledger import Ledger, as_list

__all__ = ["FILES", "Golden", "folders", "load"]

FILES = ("data.csv", "model.lav", "golden.json")


@dataclass
class Golden:
    """One golden set while it is gone through."""

    name: str
    folder: Path
    data: pd.DataFrame
    model: str
    figures: dict[str, Any]
    ledger: Ledger
    levels: dict[str, confirm.Cfa] = field(default_factory=dict)
    _fits: dict[tuple, confirm.Cfa | EstimationError] = field(default_factory=dict)

    @property
    def items(self) -> list[str]:
        """The items, in R's order."""
        return as_list(self.figures["items"])

    @property
    def complete(self) -> pd.DataFrame:
        """Respondents who answered every item."""
        return self.data[self.items].dropna()

    @property
    def scales(self) -> dict[str, list[str]]:
        """``{dimension: [item, …]}``."""
        return {name: as_list(block["items"]) for name, block in self.figures["reliability"].items()}

    @property
    def text(self) -> str:
        """The measurement model; model.lav's where golden.json has no section for it."""
        block = self.block("cfa")
        return block["syntax"] if isinstance(block, Mapping) and isinstance(block.get("syntax"), str) else self.model

    @property
    def unevenness(self) -> float:
        """How many times the largest variance of an item is the smallest; lavaan warns from 1000 on."""
        spread = self.complete.var()
        return float(spread.max() / spread.min())

    def block(self, *path: str) -> Any:
        """Return a part of R's figures; an empty mapping where there is none."""
        part: Any = self.figures
        for name in path:
            part = part.get(name) if isinstance(part, Mapping) else None
        return {} if part is None else part

    def cfa(self, text: str, **options: object) -> confirm.Cfa:
        """Return a fit, made once; one that was refused is refused again with the same words."""
        key = (text, *sorted((name, str(value)) for name, value in options.items()))
        if key not in self._fits:
            data = self.data if options.get("missing") == "fiml" else self.complete
            try:
                self._fits[key] = confirm.cfa(data, text, **options)
            except EstimationError as error:
                self._fits[key] = error
        found = self._fits[key]
        if isinstance(found, EstimationError):
            raise found.with_traceback(None)
        return found


def folders(given: list[Path]) -> list[Path]:
    """Return the folders that hold a golden set: those given, or all within one that is none itself.

    Raises
    ------
    InputError
        If a folder is not there or holds no golden set.
    """
    found: dict[Path, Path] = {}
    for folder in given:
        if not folder.is_dir():
            what = "is a file" if folder.exists() else "is not there"
            raise InputError(f"{folder} {what}. Name a folder with {', '.join(FILES)}, or a folder of such folders.")
        inner = [folder] if _is_golden(folder) else sorted(path for path in folder.iterdir() if _is_golden(path))
        if not inner:
            raise InputError(
                f"{folder} holds no golden.json, nor does a folder in it. Name a folder with {', '.join(FILES)}."
            )
        for each in inner:
            found.setdefault(each.resolve(), each)
    return list(found.values())


def _is_golden(folder: Path) -> bool:
    return (folder / "golden.json").is_file()


def load(folder: Path) -> Golden:
    """Read one golden set.

    Raises
    ------
    InputError
        If a file is missing or cannot be read, or the data have not the items the figures are of.
    """
    for name in FILES:
        if not (folder / name).is_file():
            raise InputError(f"{folder} has no {name}. A golden set is {', '.join(FILES)}; complete it.")
    figures = read_json(folder / "golden.json", remedy="Generate it anew.")
    names = as_list(figures.get("items")) if isinstance(figures, dict) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise InputError(f"{folder / 'golden.json'} names no items. Generate it anew with golden_lib.R.")
    again = "Write it anew in UTF-8."
    # R reads NA and an empty field as missing, and nothing else: "None" can be the name of a group
    data = read_table(folder / "data.csv", remedy=again, keep_default_na=False, na_values=["NA", ""])
    model = read_text(folder / "model.lav", remedy=again)
    _refuse_other_model(folder, model, figures)
    group = figures["invariance"].get("group") if isinstance(figures.get("invariance"), dict) else None
    wanted = [*names, *([group] if isinstance(group, str) and group else [])]
    absent = [name for name in wanted if name not in data.columns]
    if absent:
        raise InputError(
            f"{folder / 'data.csv'} has no column '{absent[0]}', of which golden.json has figures. Check that the "
            "files belong together."
        )
    meta = figures.get("meta")
    name = (meta.get("name") if isinstance(meta, dict) else "") or folder.resolve().name
    return Golden(str(name), folder, data, model, figures, Ledger(figures))


def _refuse_other_model(folder: Path, model: str, figures: dict[str, Any]) -> None:
    """Refuse a model.lav that cannot be read, or is not the model that golden.json has figures of."""
    cfa = figures.get("cfa")
    texts = [model, *([cfa["syntax"]] if isinstance(cfa, dict) and isinstance(cfa.get("syntax"), str) else [])]
    try:
        said = [{(term.left, term.op, term.right) for term in parse(text).terms} for text in texts]
    except InputError as error:
        raise InputError(f"{folder / 'model.lav'}: {error}") from None
    if said[0] != said[-1]:
        raise InputError(
            f"{folder / 'model.lav'} is not the model of the section 'cfa' of golden.json. Check that the files belong "
            "together."
        )
