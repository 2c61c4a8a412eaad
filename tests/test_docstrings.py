"""Docstrings say what goes in and comes out, which functions belong together, and what R call gives the same figure."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from modules import functions, modules, public, short
from numpydoc.docscrape import FunctionDoc

from cocreation.results.result import Result

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = public()
CORE = [module for module in modules("core") if functions(module)]
#: as many as there were when this was written; more are welcome
FUNCTIONS, METHODS, COMPARED = 180, 65, 15

NO_R_CALL = "No R call "
#: run by hand beside the functions here (irr and vegan: as their manuals say); the R scripts of the tests call the rest
CALLED_BY_HAND = {
    "base::prop.table",
    "base::table",
    "irr::kappam.fleiss",
    "irr::kripp.alpha",
    "lavaan::sem",
    "psych::ICC",
    "psych::alpha.ci",
    "psych::cohen.kappa",
    "psych::fa.parallel",
    "psych::principal",
    "psych::vss",
    "stats::binom.test",
    "stats::qbinom",
    "vegan::specaccum",
}


def methods(module: ModuleType) -> Iterator[tuple[str, Callable]]:
    """The public methods that the classes of a module have themselves, not their properties."""
    for name in module.__all__:
        if inspect.isclass(value := getattr(module, name)):
            for key, method in vars(value).items():
                method = getattr(method, "__func__", method)
                if inspect.isfunction(method) and not key.startswith("_"):
                    yield f"{name}.{key}", method


def sections(function: Callable) -> FunctionDoc:
    """The docstring, parsed as the reference does."""
    return FunctionDoc(inspect.unwrap(function))


def held(function: Callable) -> bool:
    """Whether it returns a result, whose fields are to be told."""
    returned = typing.get_type_hints(inspect.unwrap(function), _names(function)).get("return")
    return inspect.isclass(returned) and issubclass(returned, Result)


def _names(function: Callable) -> dict[str, object]:
    """What its annotations may name that is imported for a reader of types only: anything but results."""
    module = inspect.getmodule(inspect.unwrap(function))
    tree = ast.parse(inspect.getsource(module))
    imported = [alias for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    return {(alias.asname or alias.name): typing.Any for alias in imported} | vars(module)


def silent_about(function: Callable) -> list[str]:
    """What the docstring does not tell of what goes in and comes out, or tells of what does not."""
    told, signature = sections(function), inspect.signature(inspect.unwrap(function))
    returned = told["Returns"] or told["Yields"]
    faults = []
    if signature.return_annotation in ("None", None):
        faults += ["Returns of a function that returns nothing"] * bool(returned)
    elif not returned:
        faults.append("Returns")
    elif not all(each.type or each.name for each in returned):
        faults.append("the type in Returns")
    elif held(function) and not any("".join(each.desc).strip() for each in returned):
        faults.append("what the result holds")
    named = [name.strip().lstrip("*") for each in told["Parameters"] for name in each.name.split(",")]
    taken = [name for name in signature.parameters if name != "self"]
    faults += [f"parameter {name}" for name in taken if name not in named]
    return faults + [f"{name}, which is no parameter" for name in named if name not in taken]


def see_also(function: Callable) -> list[str]:
    """The names under See Also, as written."""
    return [name for entries, _ in sections(function)["See Also"] for name, _ in entries]


def resolved(name: str, module: ModuleType) -> object:
    """What a name means on the page of a module: one of the module's, or one by its full name; None if nothing."""
    if "." not in name:
        return getattr(module, name) if name in module.__all__ else None
    face, _, last = name.rpartition(".")
    return getattr(importlib.import_module(face), last) if face in {each.__name__ for each in PUBLIC} else None


def unrelated(function: Callable, module: ModuleType) -> list[str]:
    """What is wrong with See Also of a function with siblings."""
    names, siblings = see_also(function), [each for each in functions(module).values() if each is not function]
    meant = [resolved(name, module) for name in names]
    faults = [f"{name} is not in the reference" for name, found in zip(names, meant, strict=True) if found is None]
    faults += ["it names itself"] * (function in meant)
    faults += ["a name is there twice"] * (len(set(names)) < len(names))
    return faults + ["none of its siblings is named"] * (not any(each in siblings for each in meant))


def r_calls(function: Callable) -> set[str]:
    """The R functions named, as package::function."""
    text = " ".join(inspect.getdoc(function).split())
    literals = re.findall(r"``.*?``", text)
    return {call for each in literals for call in re.findall(r"\b\w+::[\w.]+", each)}


def compared_with_r() -> dict[str, set[str]]:
    """``{step: functions}`` whose figures ``cocreation agree`` sets beside R's."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "src/cocreation/golden").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "steps"
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in imported:
                found.setdefault(node.value.id, set()).add(node.attr)
    steps = {name: importlib.import_module(f"cocreation.steps.{name}") for name in found}
    return {name: attributes & functions(steps[name]).keys() for name, attributes in found.items()}


COMPARED_WITH_R = compared_with_r()


def test_none_of_them_is_forgotten():
    """Modules that are not found would leave everything below without a trial, and green."""
    assert len({each for module in [*PUBLIC, *CORE] for each in functions(module).values()}) >= FUNCTIONS
    assert len({each for module in PUBLIC for _, each in methods(module)}) >= METHODS
    assert sum(map(len, COMPARED_WITH_R.values())) >= COMPARED


@pytest.mark.parametrize("module", [*PUBLIC, *CORE], ids=short)
def test_a_function_says_what_goes_in_and_comes_out(module):
    faults = {name: silent_about(function) for name, function in functions(module).items()}
    assert not {name: found for name, found in faults.items() if found}


@pytest.mark.parametrize("module", PUBLIC, ids=short)
def test_a_method_says_what_goes_in_and_comes_out(module):
    faults = {name: silent_about(method) for name, method in methods(module)}
    assert not {name: found for name, found in faults.items() if found}


@pytest.mark.parametrize("module", [each for each in PUBLIC if len(functions(each)) > 1], ids=short)
def test_functions_that_belong_together_name_each_other(module):
    faults = {name: unrelated(function, module) for name, function in functions(module).items()}
    assert not {name: found for name, found in faults.items() if found}


@pytest.mark.parametrize("module", [each for each in PUBLIC if len(functions(each)) == 1], ids=short)
def test_a_lone_function_names_what_is_there(module):
    for name, function in functions(module).items():
        assert all(resolved(each, module) is not None for each in see_also(function)), name


@pytest.mark.parametrize("step", COMPARED_WITH_R)
def test_a_figure_that_r_gives_stands_beside_its_call(step):
    """Every function compared with R names the call; one of the same step that is not may say that there is none."""
    for name, function in functions(importlib.import_module(f"cocreation.steps.{step}")).items():
        if inspect.signature(function).return_annotation == "str":  # computes nothing
            continue
        named = bool(r_calls(function)) or (name not in COMPARED_WITH_R[step] and NO_R_CALL in inspect.getdoc(function))
        assert named, name


def in_scripts(call: str, scripts: str) -> bool:
    """Whether R scripts call a function: with its package before it, or from a package they load or R comes with."""
    package, _, name = call.partition("::")
    loaded = {*re.findall(r"library\((\w+)\)", scripts), "stats"}
    bare = rf"(?<![:\w.]){re.escape(name)}\("
    return f"{call}(" in scripts or (package in loaded and re.search(bare, scripts) is not None)


def test_an_r_call_is_one_that_was_run():
    """A slip in a name would be found here: the scripts behind the golden figures call it, or it is listed above."""
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("golden*/**/*.R"))
    shown = [function for module in [*PUBLIC, *CORE] for function in functions(module).values()]
    named = {call for function in shown for call in r_calls(function)}
    assert len(named) >= 30
    assert {call for call in named if not in_scripts(call, scripts)} == CALLED_BY_HAND


@pytest.mark.parametrize(
    ("call", "known"),
    [
        ("psych::alpha", True),
        ("lavaan::cfa", True),
        ("stats::factanal", True),
        ("psyhc::alpha", False),
        ("psych::alfa", False),
        ("lavaan::alpha", False),
        ("psych::cfa", False),
    ],
)
def test_a_slip_in_an_r_call_is_found(call, known):
    assert in_scripts(call, "library(lavaan)\npsych::alpha(x); cfa(m, x); factanal(x)") is known


def _whole(a: int, *, b: int = 1) -> int:
    """Add.

    Parameters
    ----------
    a, b : int
        Numbers.

    Returns
    -------
    int
    """


def _nothing(a: int) -> None:
    """Drop.

    Parameters
    ----------
    a : int
    """


def _told_too_much(a: int) -> None:
    """Drop.

    Parameters
    ----------
    a, c : int

    Returns
    -------
    int
    """


def _told_too_little(a: int, b: int) -> int:
    """Add.

    Parameters
    ----------
    a : int
    """


def _unheld() -> Result:
    """Compute.

    Returns
    -------
    Result
    """


@pytest.mark.parametrize(
    ("function", "faults"),
    [
        (_whole, []),
        (_nothing, []),
        (_told_too_much, ["Returns of a function that returns nothing", "c, which is no parameter"]),
        (_told_too_little, ["Returns", "parameter b"]),
        (_unheld, ["what the result holds"]),
    ],
)
def test_what_is_missing_is_found(function, faults):
    assert silent_about(function) == faults


@pytest.mark.parametrize(
    ("names", "faults"),
    [
        (["ordinal_alpha"], []),
        (["cocreation.steps.validate.omega", "purify"], []),
        ([], ["none of its siblings is named"]),
        (["cocreation.steps.validate.omega"], ["none of its siblings is named"]),
        (["purify", "alfa"], ["alfa is not in the reference"]),
        (
            ["purify", "cocreation.core.moments.covariance"],
            ["cocreation.core.moments.covariance is not in the reference"],
        ),
        (["purify", "alpha"], ["it names itself"]),
        (["purify", "purify"], ["a name is there twice"]),
    ],
)
def test_a_name_that_leads_nowhere_is_found(monkeypatch, names, faults):
    module = importlib.import_module("cocreation.steps.purify")
    text = "Compute.\n\nSee Also\n--------\n" + "".join(f"{name} : Words.\n" for name in names)
    monkeypatch.setattr(module.alpha, "__doc__", text if names else "Compute.")
    assert unrelated(module.alpha, module) == faults


def test_an_r_call_is_read_from_a_literal_that_may_break(monkeypatch):
    monkeypatch.setattr(
        _whole, "__doc__", "Add, ``psych::alpha(x,\n    level)$total``, ``f(lavaan::cfa(m))``; a::b is none."
    )
    assert r_calls(_whole) == {"psych::alpha", "lavaan::cfa"}
