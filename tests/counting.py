"""How often a function runs, whoever calls it: what a call computes can be held against what it shows."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

import pytest


def counting(monkeypatch: pytest.MonkeyPatch, function: Callable) -> list[tuple]:
    """Return the list to which each call of a function adds its arguments, in every module that has the function."""
    calls: list[tuple] = []

    @functools.wraps(function)
    def counted(*arguments, **options):
        calls.append(arguments)
        return function(*arguments, **options)

    modules = [module for name, module in sys.modules.items() if name.split(".")[0] == "cocreation"]
    places = [(module, name) for module in modules for name, value in vars(module).items() if value is function]
    assert places, f"nothing in the package has {function.__name__}"
    for module, name in places:
        monkeypatch.setattr(module, name, counted)
    return calls
