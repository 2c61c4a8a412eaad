"""The house keeps its own rules: floors, slugs, pins, stored notebooks."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from contents import CHAPTERS, WITH_NOTEBOOK

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "cocreation"
#: from the ground up; a floor imports only from floors below it
FLOORS = [
    *("errors", "_paths", "_files", "progress", "style"),
    *("inputs", "core", "results", "survey", "audit", "cfa", "steps", "golden"),
    *("widgets", "pages", "authoring", "course", "cli", "__main__"),
]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXERCISES = sorted((ROOT / "exercises").glob("*.ipynb"))


def _imported(path: Path) -> set[str]:
    """The floors of cocreation a module imports from, wherever in it the import stands."""
    package = path.relative_to(PACKAGE.parent).with_suffix("").parts[:-1]
    floors = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            full = [*base, *(node.module.split(".") if node.module else [])]
            names = [[*full, alias.name] for alias in node.names] if len(full) == 1 else [full]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        else:
            continue
        floors |= {name[1] for name in names if name[0] == "cocreation" and len(name) > 1}
    return floors


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_floor_imports_only_from_floors_below(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own == "__init__":
        assert not _imported(path)
        return
    above = {name for name in _imported(path) if name in FLOORS and FLOORS.index(name) > FLOORS.index(own)}
    assert not above, f"{path.name} reaches up to {above}"


class _Needed(ast.NodeVisitor):
    """The modules of cocreation that a module imports, wherever in it, but for the sake of types alone."""

    def __init__(self, path: Path) -> None:
        self.package = path.relative_to(PACKAGE.parent).parts[:-1]
        self.found: set[Path] = set()
        self.visit(ast.parse(path.read_text(encoding="utf-8")))
        self.found -= {path}

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name.split("."))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = [*self.package[: len(self.package) - node.level + 1]] if node.level else []
        base += node.module.split(".") if node.module else []
        for alias in node.names:
            self._add([*base, alias.name]) or self._add(base)

    def _add(self, name: list[str]) -> bool:
        place = PACKAGE.parent.joinpath(*name)
        found = [path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()]
        self.found.update(found)
        return bool(found)


def test_no_module_needs_itself_by_a_detour():
    needed = {path: _Needed(path).found for path in PACKAGE.rglob("*.py")}
    assert sum(map(len, needed.values())) > len(needed)
    for start in needed:
        reached, ahead = set(), list(needed[start])
        while ahead:
            reached.add(now := ahead.pop())
            ahead += needed[now] - reached
        assert start not in reached, f"{start.relative_to(PACKAGE)} is imported by what it imports"


def test_every_module_belongs_to_a_floor():
    rooms = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert rooms - {"__init__"} == set(FLOORS)


def test_a_slug_names_chapter_notebook_module_and_test():
    assert len(CHAPTERS) >= 15
    assert len(WITH_NOTEBOOK) >= 9
    for slug in CHAPTERS:
        assert (ROOT / "book" / f"{slug}.md").is_file(), slug
    for slug in WITH_NOTEBOOK:
        assert (ROOT / "notebooks" / f"{slug}.ipynb").is_file(), slug
        assert importlib.util.find_spec(f"cocreation.steps.{slug}"), slug
        assert (ROOT / "tests" / "steps" / f"test_{slug}.py").is_file(), slug


def test_the_tests_lie_in_the_rooms_they_test():
    """Beside them only what tests the house itself, and the browser, which opens all rooms at once."""
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert len(folders) >= 12
    assert folders - {"browser"} <= set(FLOORS)


def test_no_room_outgrows_the_house():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    rooms = {room: sum(n for path, n in lines.items() if PACKAGE / room in path.parents) for room in FLOORS}
    assert max(rooms.values()) <= 0.30 * sum(lines.values()), max(rooms, key=rooms.get)
    for folder in {path.parent for path in lines}:
        inside = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(inside) <= 14, f"{folder.name} holds {len(inside)} files"
    assert not [path.name for path, n in lines.items() if n > 425]


def test_every_page_of_the_book_is_in_the_table_of_contents():
    toc = (ROOT / "_toc.yml").read_text()
    pages = [*(ROOT / "book").glob("*.md"), *NOTEBOOKS]
    missing = [page.name for page in pages if f"{page.parent.name}/{page.stem}\n" not in toc]
    assert pages
    assert not missing


def test_the_start_page_leads_through_the_steps_and_the_picture_shows_them():
    page = (ROOT / "index.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+)\s\[(\w+)\]\(book/(\w+)\.md\) \|.*\|(.*)\|$", page, re.MULTILINE)
    assert [(int(number), word, slug) for number, word, slug, _ in rows] == [
        (number, slug, slug) for number, slug in enumerate(CHAPTERS, 1)
    ]
    assert [slug for _, _, slug, practice in rows if f"(notebooks/{slug}.ipynb)" in practice] == WITH_NOTEBOOK
    told = re.search(r"^:said: (.+)$", page, re.MULTILINE)[1]
    assert {pair.partition(":")[0].strip() for pair in told.split(";")} <= set(CHAPTERS)


def test_importing_the_package_or_the_command_line_loads_no_library():
    code = (
        "import sys, cocreation, cocreation.cli;"
        "print([name for name in ('numpy', 'pandas', 'scipy', 'matplotlib', 'semopy') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_importing_the_steps_loads_no_figures_no_semopy_and_no_distributions():
    heavy = ("semopy", "matplotlib", "seaborn", "sklearn", "factor_analyzer", "scipy.stats", "scipy.optimize",
             "docx", "rich", "typer", "anywidget", "threadpoolctl", "multiprocessing", "IPython")  # fmt: skip
    modules = ", ".join(f"cocreation.steps.{slug}" for slug in WITH_NOTEBOOK)
    code = f"import sys, {modules}; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_lock_file_pins_everything_with_hashes_and_names_no_host():
    text = (ROOT / "requirements.lock").read_text()
    requirements = re.split(r"\n(?=\S)", text.strip())
    assert len(requirements) > 100
    for requirement in requirements:
        assert re.match(r"[A-Za-z0-9._-]+(\[[^]]*\])?==\S+", requirement), requirement[:80]
        assert "--hash=sha256:" in requirement, requirement[:80]
    assert "://" not in text
    assert "index-url" not in text


def test_the_lock_file_serves_what_pyproject_asks_for():
    import tomllib

    from packaging.requirements import Requirement

    pinned = dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for line in [*project["dependencies"], *project["optional-dependencies"]["course"]]:
        requirement = Requirement(line)
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert requirement.specifier.contains(pinned[name], prereleases=True), line


def test_ci_runs_the_test_command_of_the_readme():
    command = "nox -s tests"
    readme = (ROOT / "README.md").read_text()
    assert f"pip install nox && {command}" in readme
    assert "pip install nox && nox -s book" in readme
    assert command in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    """Every notebook of the book."""

    def test_stores_an_output_and_no_error(self, path):
        cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        outputs = [output for cell in cells for output in cell["outputs"]]
        assert len(outputs) >= 3
        assert not [output for output in outputs if output["output_type"] == "error"]
        assert not [output for output in outputs if output.get("name") == "stderr"]

    def test_shows_no_address_of_an_object(self, path):
        outputs = [output for cell in json.loads(path.read_text())["cells"] for output in cell.get("outputs", [])]
        texts = [output.get("data", {}).get("text/plain", output.get("text", "")) for output in outputs]
        assert not re.search(r"0x[0-9a-f]{6,}", "".join("".join(text) for text in texts))

    def test_describes_every_figure_for_those_who_do_not_see_it(self, path):
        for cell in json.loads(path.read_text())["cells"]:
            pictures = [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
            if pictures:
                alt = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
                assert len(alt) > 20, "".join(cell["source"])[:60]

    def test_is_short(self, path):
        cells = json.loads(path.read_text())["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        # a figure has a cell of its own, which has nothing to learn from
        assert 3 <= len([cell for cell in code if "figure" not in cell["metadata"].get("mystnb", {})]) <= 25
        for cell in code:
            lines = [line for line in "".join(cell["source"]).splitlines() if line.strip()]
            assert len(lines) <= 12, "".join(cell["source"])

    def test_fits_the_column_of_the_page(self, path):
        """Eighty characters of code, ninety of printed text; what is longer is cut off on the page."""
        for cell in json.loads(path.read_text())["cells"]:
            if cell["cell_type"] != "code":
                continue
            assert max(map(len, "".join(cell["source"]).splitlines()), default=0) <= 80, "".join(cell["source"])
            for output in cell["outputs"]:
                assert max(map(len, "".join(output.get("text", "")).splitlines()), default=0) <= 90

    def test_leaves_nothing_of_the_run_that_made_it(self, path):
        import nbformat

        from cocreation.authoring.notebooks import normalise

        stored = path.read_text(encoding="utf-8")
        assert nbformat.writes(normalise(nbformat.reads(stored, as_version=4))).rstrip("\n") + "\n" == stored


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a checkout has git's files")
def test_a_checkout_has_the_same_bytes_on_every_system():
    told = subprocess.run(["git", "ls-files", "--eol"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = [line.split("\t", 1) for line in told.splitlines()]
    assert len(lines) > 300
    for about, name in lines:
        index, _, attributes = about.split(maxsplit=2)
        binary = "\0" in (ROOT / name).read_bytes()[:8000].decode("latin-1")
        assert index in (("i/-text",) if binary else ("i/lf", "i/none")), name
        assert attributes.split() in (
            [["attr/-text"]] if binary else [["attr/text", "eol=lf"], ["attr/text=auto", "eol=lf"]]
        ), name


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= len(WITH_NOTEBOOK) >= 9
    assert len(EXERCISES) >= 2


def test_every_random_draw_names_its_generator():
    """NumPy's global state would make a draw depend on all that were made before, here or in a library."""
    legacy = re.compile(r"\bnp\.random\.(?!default_rng|Generator|SeedSequence|PCG64|BitGenerator)\w+")
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    for path in [*NOTEBOOKS, *EXERCISES]:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts[path] = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert {path.name: found for path, text in texts.items() if (found := legacy.findall(text))} == {}
    jittered = [path.name for path in [*NOTEBOOKS, *EXERCISES] if re.search(r"stripplot|jitter=", texts[path])]
    assert jittered == []  # seaborn draws from the global state


def test_every_figure_of_a_notebook_has_a_caption_a_name_and_an_alt_text():
    names = []
    for path in NOTEBOOKS:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if not any("image/png" in output.get("data", {}) for output in cell.get("outputs", ())):
                continue
            told = cell["metadata"].get("mystnb", {})
            assert told.get("image", {}).get("alt"), (path.name, cell["source"][-2:])
            assert told.get("figure", {}).get("caption", "").strip().endswith("."), (path.name, cell["source"][-2:])
            names.append(told["figure"]["name"])
            assert names[-1].startswith(f"fig-{path.stem}-")
    assert len(names) > 30
    assert len(set(names)) == len(names)


def test_no_two_files_of_tests_share_a_name():
    """pytest imports them by their names alone; the second of a run is an error, whichever comes second."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
