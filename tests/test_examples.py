"""Every public function of steps and survey shows an example, and every example of the library is true."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import cocreation.core
import cocreation.steps
import cocreation.survey

MODULES = [
    f"{floor.__name__}.{found.name}"
    for floor in (cocreation.core, cocreation.survey, cocreation.steps)
    for found in pkgutil.iter_modules(floor.__path__)
]
#: searches for a minute; what it finds is tried every night
TOO_SLOW = {"calibrate"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", [name for name in MODULES if ".core." not in name and "._" not in name])
def test_every_public_function_shows_an_example(name):
    module = importlib.import_module(name)
    functions = {each: getattr(module, each) for each in module.__all__}
    functions = {each: f for each, f in functions.items() if inspect.isfunction(inspect.unwrap(f))}
    without = [each for each, f in functions.items() if ">>> " not in f.__doc__]
    assert set(without) <= TOO_SLOW


@pytest.mark.parametrize("name", [name for name in MODULES if "._" not in name])
def test_every_public_function_says_what_it_raises(name):
    """A function that can refuse its input says so; the rest raises nothing of its own."""
    module = importlib.import_module(name)
    for each in module.__all__:
        function = inspect.unwrap(getattr(module, each))
        if inspect.isfunction(function) and "raise " in inspect.getsource(function):
            assert "Raises\n" in function.__doc__, f"{name}.{each}"
