"""Read and check the YAML file of a card sort.

A file is written by a person, so that each mistake is told with the place and
the remedy. Nothing here knows of notebooks or pages.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from .._files import read_text
from .._paths import course_root
from ..errors import InputError
from ..inputs.labels import refuse_alike

__all__ = ["Bin", "Deck", "Statement", "find", "read"]

MOST_BINS = 5  # the style sheet has five accents, and a hand has five fingers


@dataclass(frozen=True, kw_only=True)
class Bin:
    """A heap to sort to: its id, its full name, a short one, and what it stands for."""

    id: str
    name: str
    short: str
    essence: str


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A card: its text, the id of its right bin, and what each answer reveals (bin id -> text)."""

    id: str
    text: str
    bin: str
    feedback: dict[str, str]
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Deck:
    """Everything a card sort shows, checked."""

    title: str
    instructions: str
    closing: str
    bins: tuple[Bin, ...]
    statements: tuple[Statement, ...]

    def traits(self) -> dict[str, Any]:
        """Return the deck as plain lists and dicts, the way the widget's traits hold it."""
        return {
            "title": self.title,
            "instructions": self.instructions,
            "closing": self.closing,
            "bins": [asdict(each) for each in self.bins],
            "statements": [asdict(each) for each in self.statements],
        }


def find(name: str | Path) -> Path:
    """Return the file of the card sort `name`: a slug such as ``"logics"``, or a path.

    Raises
    ------
    InputError
        If there is no such file; the message lists the slugs there are.
    """
    if isinstance(name, Path) or str(name).endswith((".yml", ".yaml")):
        path = Path(name)
        if path.is_file():
            return path
        raise InputError(f"There is no card sort file {path}.")
    folder = course_root() / "exercises"
    path = folder / f"{name}.yml"
    if path.is_file():
        return path
    known = ", ".join(sorted(each.stem for each in folder.glob("*.yml"))) or "none"
    raise InputError(f"There is no card sort {name!r} in the folder exercises. There are: {known}.")


def read(name: str | Path) -> Deck:
    """Read and check a card sort.

    Parameters
    ----------
    name : str or Path
        A slug such as ``"logics"`` (the file ``exercises/logics.yml``) or a path.

    Raises
    ------
    InputError
        If the file is missing, is no YAML, or breaks a rule: every field there and
        not empty, ids unique, every bin and source known, feedback for every bin.
    """
    path = find(name)
    try:
        tree = yaml.load(read_text(path, remedy="Save it anew in UTF-8."), Loader=_Loader)  # noqa: S506 - a SafeLoader, see below
    except yaml.YAMLError as error:
        raise InputError(f"{path.name} is not valid YAML: {error}") from error
    except RecursionError:
        raise InputError(f"{path.name} nests its fields too deeply. Write a field as text.") from None
    return _deck(_Node(tree, path.name))


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice, which YAML would let the second one win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = Counter(key.value for key, _ in node.value)
        for key, count in keys.items():
            if count > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given {count} times; keep one", node.start_mark
                )
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class _Node:
    """A mapping of the file with the words that say where it is."""

    tree: Any
    where: str

    def __post_init__(self) -> None:
        if not isinstance(self.tree, dict):
            raise InputError(f"{self.where}: expected fields such as 'title: …', found {self.tree!r}.")

    def text(self, key: str, *, required: bool = True) -> str:
        value = self.tree.get(key)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"{self.where}: '{key}' is missing, empty or not text; write '{key}: some text'.")
        return value.strip()

    def children(self, key: str) -> list[_Node]:
        value = self.tree.get(key)
        if not isinstance(value, list) or not value:
            raise InputError(f"{self.where}: '{key}' must be a list with at least one entry.")
        return [_Node(each, f"{self.where}, {key} no. {number}") for number, each in enumerate(value, 1)]

    def child(self, key: str) -> _Node:
        return _Node(self.tree.get(key), f"{self.where}, '{key}'")

    def only(self, *known: str) -> None:
        for key in self.tree:
            if key not in known:
                raise InputError(f"{self.where}: unknown field {key!r}. Known are: {', '.join(known)}.")


def _deck(node: _Node) -> Deck:
    node.only("kind", "title", "instructions", "closing", "bins", "sources", "statements")
    if (kind := node.text("kind")) != "card-sort":
        raise InputError(f"{node.where}: kind is {kind!r}, expected 'card-sort'.")
    bins = tuple(_bin(each) for each in node.children("bins"))
    _unique([each.id for each in bins], f"{node.where}, bins")
    if not 2 <= len(bins) <= MOST_BINS:
        raise InputError(f"{node.where}: {len(bins)} bins; a card sort has 2 to {MOST_BINS}.")
    sources = node.child("sources").tree if "sources" in node.tree else {}
    statements = tuple(_statement(each, [b.id for b in bins], sources) for each in node.children("statements"))
    _unique([each.id for each in statements], f"{node.where}, statements")
    return Deck(
        title=node.text("title"),
        instructions=node.text("instructions"),
        closing=node.text("closing", required=False),
        bins=bins,
        statements=statements,
    )


def _bin(node: _Node) -> Bin:
    fields = ("id", "name", "short", "essence")
    node.only(*fields)
    return Bin(**{field: node.text(field) for field in fields})


def _statement(node: _Node, bins: list[str], sources: dict[str, str]) -> Statement:
    node = _Node(node.tree, f"{node.where} ({node.text('id')})")
    node.only("id", "text", "bin", "feedback", "source")
    right = node.text("bin")
    if right not in bins:
        raise InputError(f"{node.where}: unknown bin {right!r}. Bins are: {', '.join(bins)}.")
    source = node.text("source", required=False)
    if source and source not in sources:
        raise InputError(f"{node.where}: unknown source {source!r}. Add it under 'sources' at the top of the file.")
    feedback = node.child("feedback")
    for given in feedback.tree:
        if given not in bins:
            raise InputError(f"{node.where}: feedback for unknown bin {given!r}. Bins are: {', '.join(bins)}.")
    for needed in bins:
        if needed not in feedback.tree:
            told = "why it is right" if needed == right else "what this answer reveals"
            raise InputError(f"{node.where}: no feedback for bin {needed!r}; say {told}.")
    return Statement(
        id=node.text("id"),
        text=node.text("text"),
        bin=right,
        feedback={each: feedback.text(each) for each in bins},
        source=str(sources.get(source, "")),
    )


def _unique(ids: list[str], where: str) -> None:
    for each, count in Counter(ids).items():
        if count > 1:
            raise InputError(f"{where}: the id {each!r} is given {count} times; make each id unique.")
    refuse_alike(ids, "ids", where=f"in {where}")
