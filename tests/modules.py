"""The modules of the library: all of them, and those whose names the reference shows to a reader."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cocreation

REFERENCE = Path(__file__).resolve().parents[1] / "book" / "reference"
#: what computes, from the ground up; the rest serves the course around it
STATISTICS = ("progress", "inputs", "core", "results", "survey", "audit", "cfa", "steps")


def modules(*rooms: str) -> Iterator[ModuleType]:
    """Every module of the rooms (of all that compute, if none is named), however deep it lies."""
    for room in rooms or STATISTICS:
        top = importlib.import_module(f"cocreation.{room}")
        yield top
        for found in pkgutil.walk_packages(getattr(top, "__path__", []), f"{top.__name__}."):
            yield importlib.import_module(found.name)


def public() -> list[ModuleType]:
    """The modules that the pages of the reference show whole; packages shown in short are not among them."""
    pages = [page.read_text(encoding="utf-8") for page in sorted(REFERENCE.glob("*.md"))]
    named = [name for page in pages for name in re.findall(r"^```\{reference\} (\S+)$", page, re.MULTILINE)]
    found = [importlib.import_module(name) for name in named]
    return [module for module in found if hasattr(module, "__all__")]


def functions(module: ModuleType) -> dict[str, object]:
    """The public functions of a module, by name."""
    named = {name: getattr(module, name) for name in getattr(module, "__all__", ())}
    return {name: value for name, value in named.items() if inspect.isfunction(inspect.unwrap(value))}


def short(module: ModuleType) -> str:
    """Its name without the package's."""
    return module.__name__.removeprefix(f"{cocreation.__name__}.")
