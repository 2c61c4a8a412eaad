"""The reference shows every public name of the library, without a warning and without a word from elsewhere."""

from __future__ import annotations

import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from modules import REFERENCE, modules, public

import cocreation.steps
import cocreation.survey
from cocreation.authoring.notebooks import normalise

ROOT = Path(__file__).resolve().parents[2]
#: as many public names as there were when the modules were last moved; more are welcome
NAMES = 149


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, str]:
    """The pages of the reference and a notebook that names a function, built with warnings as errors."""
    root = tmp_path_factory.mktemp("reference")
    shutil.copytree(REFERENCE, root / "book" / "reference")
    for chapter in (ROOT / "book").glob("*.md"):
        (root / "book" / chapter.name).write_text(f"# {chapter.stem}\n")
    cells = [
        nbformat.v4.new_markdown_cell("# A notebook\n\nWe call `purify` and `purify()`, but not `alpha`."),
        nbformat.v4.new_code_cell("from cocreation.steps.purify import (\n    purify\n)"),
    ]
    nbformat.write(normalise(nbformat.v4.new_notebook(cells=cells)), root / "notebook.ipynb")
    (root / "index.md").write_text("# Start\n\n```{toctree}\n:glob:\nbook/*\nbook/reference/*\nnotebook\n```\n")
    (root / "conf.py").write_text(
        "extensions = ['myst_nb', 'cocreation.authoring.reference']\nnb_execution_mode = 'off'\n"
        "suppress_warnings = ['myst.header']\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(root), str(root / "html")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {path.stem: path.read_text(encoding="utf-8") for path in root.glob("html/**/*.html")}


def test_every_public_name_of_steps_and_survey_has_an_entry(pages):
    anchors = set(re.findall(r'id="(cocreation\.[\w.]+)"', "".join(pages.values())))
    wanted = {f"{module.__name__}.{name}" for module in public() for name in module.__all__}
    assert len(wanted) >= NAMES
    assert wanted <= anchors


def test_the_core_is_shown_in_short(pages):
    shown = pages["core"]
    in_short = [module for module in modules("core") if not hasattr(module, "__path__")]
    assert len(in_short) >= 16
    for module in in_short:
        assert module.__name__ in shown
        for name in module.__all__:
            assert f">{name}</span>" in shown, (module.__name__, name)


def test_a_function_shows_what_it_takes_and_a_result_no_constructor(pages):
    text = re.sub(r"<[^>]+>", "", pages["confirm"])
    signature = re.search(r"^cfa\(.*$", text, re.MULTILINE).group()
    assert signature.startswith("cfa(data, model, *, convention='lavaan'")
    assert re.search(r"^class Cfa\W*$", text, re.MULTILINE)
    for section in ("Parameters:", "Returns:", "Raises:", "Notes", "Examples"):
        assert section in text


def test_a_field_of_a_result_is_told_once(pages):
    assert len(re.findall(r"<strong>modification</strong>", pages["confirm"])) == 1
    assert 'id="cocreation.steps.confirm.Cfa.modification"' not in pages["confirm"]


def test_names_a_notebook_imports_are_links(pages):
    links = re.findall(r'<a class="[^"]*" href="([^"]*)"[^>]*><code[^>]*><span class="pre">(\w+)', pages["notebook"])
    assert links == [("book/reference/purify.html#cocreation.steps.purify.purify", "purify")] * 2


def test_every_name_under_see_also_is_a_link(pages):
    lists = [
        each
        for page in pages.values()
        for each in re.findall(r'<div class="admonition seealso">(.*?)</div>', page, re.S)
    ]
    assert len(lists) >= 90
    for each in lists:
        names = re.findall(r"<dt>(.*?)</dt>", each, re.S)
        assert names, each
        for name in names:
            assert re.match(r'<a class="reference internal" href="[^"]*#cocreation\.', name), name


def test_the_reference_leads_nowhere_outside_and_names_no_folder(pages):
    for name in (path.stem for path in REFERENCE.glob("*.md")):
        body = pages[name][pages[name].index('<div class="body"') :]
        body = body[: body.index('<div class="sphinxsidebar"')]
        assert "http" not in body, name
        assert str(ROOT) not in pages[name], name


def test_every_step_has_a_page():
    contents = (ROOT / "_toc.yml").read_text()
    for path in REFERENCE.glob("*.md"):
        assert f"book/reference/{path.stem}\n" in contents
        start = (REFERENCE / "index.md").read_text(encoding="utf-8")
        assert path.stem == "index" or f"| [{path.stem}]({path.name}) |" in start
    shown = "".join(path.read_text() for path in REFERENCE.glob("*.md"))
    rooms = [cocreation.steps, cocreation.survey]
    faces = [f"{room.__name__}.{found.name}" for room in rooms for found in pkgutil.iter_modules(room.__path__)]
    faces = [face for face in faces if "._" not in face]
    assert len(faces) >= 17
    for face in faces:
        assert f"```{{reference}} {face}\n" in shown
