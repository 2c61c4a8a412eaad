"""CONTRIBUTING.md names only what exists: files, folders, sessions, commands, floors."""

from __future__ import annotations

import ast
import re

import pytest
from test_house import FLOORS, ROOT

from cocreation.cli.app import app

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
#: where a name without a folder may lie: at the top, in a study, in a golden set, in a step's folder
PLACES = [
    ROOT,
    ROOT / "tests" / "survey" / "second_study" / "datasets",
    ROOT / "tests" / "golden" / "political_democracy",
    ROOT / "src" / "cocreation" / "steps" / "purify",
]
_PATH = re.compile(r"[\w.<>-]+(?:/[\w.<>-]+)*/?")
_ENDING = re.compile(r"\.(?:md|py|toml|yml|csv|R|lav|json|bib|ipynb|lock|svg)$")
#: said to be made where the book is built
MADE = {".buildinfo"}


def snippets(text: str) -> list[str]:
    """What stands in backticks, and the lines of the blocks between three of them."""
    blocks = re.findall(r"^ *```\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^ *```\n.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    inline = [double or single for double, single in re.findall(r"`` *(.*?) *``|`([^`\n]+)`", rest)]
    return [*inline, *filter(None, lines)]


def paths(text: str) -> list[str]:
    """Files and folders, also those that a command is given."""
    words = [word for snippet in snippets(text) for word in snippet.split()]
    named = [word for word in words if _PATH.fullmatch(word) and (_ENDING.search(word) or "/" in word)]
    return sorted({word for word in named if not word.startswith(".nox/")} - MADE)


def exists(path: str) -> bool:
    """Whether there is such a file or folder; ``<slug>`` and the like stand for any name."""
    if path.startswith("<study>/"):
        path = path.replace("<study>", "tests/survey/second_study", 1)
    pattern = re.sub(r"<\w+>", "*", path.rstrip("/"))
    return any(next(place.glob(pattern), None) for place in PLACES)


def missing(text: str) -> list[str]:
    return [path for path in paths(text) if not exists(path)]


def sessions() -> set[str]:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {each.name for each in functions if any("session" in ast.unparse(mark) for mark in each.decorator_list)}


def unknown(text: str) -> set[str]:
    """Sessions of nox and verbs of the command line that nobody knows."""
    known = {f"nox -s {name}" for name in sessions()}
    known |= {f"cocreation {verb.name or verb.callback.__name__}" for verb in app.registered_commands}
    said = {found for each in snippets(text) for found in re.findall(r"^(?:nox -s|cocreation) [a-z]+", each)}
    return said - known


def test_every_file_and_folder_it_names_exists():
    assert len(paths(TEXT)) >= 75
    assert missing(TEXT) == []


def test_every_session_and_command_it_names_exists():
    assert len(sessions()) >= 7
    assert unknown(TEXT) == set()


def test_its_floors_are_those_of_the_house():
    said = re.search(r"imports only from floors below it: (.*?)\.", " ".join(TEXT.split())).group(1)
    assert re.findall(r"`(\w+)`", said) == FLOORS


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("`book/<slug>.md` and `_toc.yml`", []),
        ("`book/nowhere/<slug>.md` and `toc.yml`", ["book/nowhere/<slug>.md", "toc.yml"]),
        ("`nox -s tests -- tests/test_nothing.py`", ["tests/test_nothing.py"]),
        ("```\ncocreation agree tests/nothing\n```\n", ["tests/nothing"]),
    ],
)
def test_what_does_not_exist_is_found(text, wrong):
    assert missing(text) == wrong


def test_an_unknown_session_or_command_is_found():
    assert unknown("`nox -s dance`, `cocreation sing`, `nox -s tests`, `cocreation twin`") == {
        "nox -s dance", "cocreation sing",
    }  # fmt: skip
