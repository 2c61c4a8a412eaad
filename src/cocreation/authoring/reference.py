"""Sphinx extension of the book: the reference of the library's functions, written from their docstrings.

Add ``cocreation.authoring.reference`` to the extensions; it brings autodoc and lets
numpydoc read the docstrings. A page
then says ``{reference} cocreation.steps.purify`` and shows every public name of that module, functions
first, so that nothing new can be forgotten. Of a package without a face, such as
``cocreation.core``, it shows a table a module.
In a notebook the name of a function that it imports from the steps is a link to its entry.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from jinja2 import PackageLoader, Template
from jinja2.sandbox import SandboxedEnvironment
from numpydoc.docscrape_sphinx import SphinxClassDoc, SphinxFunctionDoc, SphinxObjDoc
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from sphinx.application import Sphinx

__all__ = ["setup"]

_CONFIG = {
    # types stand in the list of parameters; in the signature they would hide the names
    "autodoc_typehints": "none",
    "add_module_names": False,
    "toc_object_entries_show_parents": "hide",
}


class Reference(SphinxDirective):
    """The public names of a module, or of a package's modules in short."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Return the module's docstring, a table of its names, and an entry each."""
        module = self._module(self.arguments[0])
        if not hasattr(module, "__all__"):
            found = pkgutil.walk_packages(module.__path__, f"{module.__name__}.")
            names = sorted(each.name for each in found if not each.ispkg)
            lines = [line for name in names for line in self._brief(self._module(name))]
        else:
            lines = _full(module)
            for name in module.__all__:  # what a step's face shows is written in the files behind it
                told = inspect.unwrap(value) if callable(value := getattr(module, name)) else module
                self.env.note_dependency(str(sys.modules[getattr(told, "__module__", module.__name__)].__file__))
        return self.parse_text_to_nodes("\n".join(["````{eval-rst}", *lines, "````"]))

    def _module(self, name: str) -> ModuleType:
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            raise self.error(f"There is no module {name} ({error}). Check the name.") from None
        self.env.note_dependency(str(module.__file__))
        return module

    def _brief(self, module: ModuleType) -> list[str]:
        name = module.__name__
        return [f".. rubric:: {name}", "", _summary(module), "", *_table(module, "``{}``"), ""]


def _full(module: ModuleType) -> list[str]:
    name = module.__name__
    lines = [f".. automodule:: {name}", "", f".. currentmodule:: {name}", "", *_table(module, ":py:obj:`{}`")]
    for each, kind in _public(module):
        lines += ["", f".. auto{kind}:: {name}.{each}"]
        lines += {"class": ["   :members:"], "data": ["   :no-value:"]}.get(kind, [])
    return lines


def _table(module: ModuleType, written: str) -> list[str]:
    lines = [".. list-table::", "   :widths: auto", ""]
    for name, kind in _public(module):
        said = "A constant." if kind == "data" else _summary(getattr(module, name))
        lines += [f"   * - {written.format(name)}", f"     - {said}"]
    return lines


def _summary(thing: object) -> str:
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def _public(module: ModuleType) -> list[tuple[str, str]]:
    """Names with their kind: functions in the order of ``__all__``, then classes, then constants."""
    kinds = {"function": [], "class": [], "data": []}
    for name in module.__all__:
        value = getattr(module, name)
        routine = inspect.isroutine(inspect.unwrap(value)) if callable(value) else False
        kinds["class" if inspect.isclass(value) else "function" if routine else "data"].append(name)
    return [(name, kind) for kind, names in kinds.items() for name in names]


def _read_docstring(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Let numpydoc turn a docstring into reStructuredText.

    Its own extension would compile a template and read the docstring twice for each name, which doubles the time
    of these pages.
    """
    if what == "module":
        return
    kind = {"class": SphinxClassDoc, "function": SphinxFunctionDoc, "method": SphinxFunctionDoc}.get(what, SphinxObjDoc)
    config = {"show_class_members": False, "template": _template()}
    lines[:] = str(kind(thing, doc="\n".join(lines), config=config)).split("\n")


@cache
def _template() -> Template:
    return SandboxedEnvironment(loader=PackageLoader("numpydoc")).get_template("numpydoc_docstring.rst")


def _without_constructor(
    app: Sphinx, what: str, name: str, thing: object, options: object, signature: str | None, returned: str | None
) -> tuple[str, str] | None:
    """Results are returned, not constructed: their fields stand under Attributes."""
    return ("", "") if what == "class" else None


def _link_names(app: Sphinx, doctree: nodes.document) -> None:
    """Make the names a notebook imports from the steps links to the reference."""
    docname = app.env.docname
    path = app.env.doc2path(docname)
    if not str(path).endswith(".ipynb"):
        return
    known = _imported(path)
    for literal in list(doctree.findall(nodes.literal)):
        target = known.get(literal.astext().removesuffix("()"))
        parent = literal.parent
        if target is None or any(isinstance(each, (nodes.reference, nodes.title)) for each in (parent, parent.parent)):
            continue
        link = pending_xref("", refdomain="py", reftype="obj", reftarget=target, refexplicit=True, refwarn=False,
                            refdoc=docname)  # fmt: skip
        literal.replace_self(link)
        link += literal


def _imported(path: str | Path) -> dict[str, str]:
    """``{name: full name}`` of what the notebook's code imports from the steps and the survey."""
    with open(path, encoding="utf-8") as file:
        cells = json.load(file)["cells"]
    known = {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or "cocreation." not in source:
            continue
        try:
            tree = ast.parse(source)
        except SyntaxError:  # a cell that shows an error on purpose imports nothing to link
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cocreation."):
                known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return known


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension with Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    for name, value in _CONFIG.items():
        app.config[name] = value
    app.add_directive("reference", Reference)
    app.connect("autodoc-process-docstring", _read_docstring)
    app.connect("autodoc-process-signature", _without_constructor)
    app.connect("doctree-read", _link_names)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
