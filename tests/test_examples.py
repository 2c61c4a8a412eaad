"""Every public function of steps and survey shows an example, and every example of the library is true."""

from __future__ import annotations

import doctest
import inspect

import pytest
from modules import functions, modules, public, short

MODULES = list(modules())
PUBLIC = public()
#: as many as there were when the modules were last moved; more are welcome
EXAMPLES, FUNCTIONS = 99, 94
#: searches for a minute; what it finds is tried every night
TOO_SLOW = {"calibrate"}


def test_none_of_them_is_forgotten():
    """A floor whose modules are not found would leave everything below without a trial, and green."""
    examples = [test for module in MODULES for test in doctest.DocTestFinder().find(module) if test.examples]
    assert len(examples) >= EXAMPLES
    assert sum(len(functions(module)) for module in PUBLIC) >= FUNCTIONS


@pytest.mark.parametrize("module", MODULES, ids=short)
def test_examples_are_true(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("module", PUBLIC, ids=short)
def test_every_public_function_shows_an_example(module):
    without = [name for name, function in functions(module).items() if ">>> " not in function.__doc__]
    assert set(without) <= TOO_SLOW


@pytest.mark.parametrize("module", [*PUBLIC, *modules("core")], ids=short)
def test_every_public_function_says_what_it_raises(module):
    """A function that can refuse its input says so; the rest raises nothing of its own."""
    for name, function in functions(module).items():
        function = inspect.unwrap(function)
        if "raise " in inspect.getsource(function):
            assert "Raises\n" in function.__doc__, f"{short(module)}.{name}"
