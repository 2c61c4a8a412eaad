"""Every work named with its year in the code or the book stands in book/references.bib, complete."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from pybtex.database import BibliographyData, Person, parse_file, parse_string

ROOT = Path(__file__).resolve().parents[1]
BIBLIOGRAPHY = ROOT / "book" / "references.bib"
PATTERNS = [
    "src/cocreation/**/*.py",
    "src/cocreation/**/*.js",
    "book/**/*.md",
    "notebooks/*.ipynb",
    "exercises/*.ipynb",
    "exercises/*.yml",
    "datasets/*.md",
    "*.md",
]
SOURCES = sorted({path for pattern in PATTERNS for path in ROOT.glob(pattern)})

#: authors as cited, and the year
Works = set[tuple[tuple[str, ...], str]]

_LETTER = r"[^\W\d_]"
_SURNAME = (
    r"(?:\b(?:van|von|de|den|der|du|di|da|del|la|le|ten|ter) )*"
    rf"\b[A-ZÀ-ÖØ-ÞĀ-Ž](?:['’][A-Z])?(?!['’]s\b)[a-zß-öø-ÿā-ž]{_LETTER}*(?:-{_LETTER}+)*"
)
_INITIALS = r"(?:, (?:[A-Z]\.[ -]?)+(?<! ))?"
_YEAR = r"(?:1[89]|20)\d\d[a-z]?(?![\w-])"
#: A (1999), A 1999, A, 1999; A & B, A and B, A–B; A, B & C; A et al., A and others; A's (1999); A (1999, 2001)
CITATION = re.compile(
    rf"(?P<names>{_SURNAME}{_INITIALS}"
    rf"(?:(?:, {_SURNAME}{_INITIALS})*(?:,? (?:&|and) |–){_SURNAME}(?: {_SURNAME})?{_INITIALS})?)"
    r"(?P<more>,? et al\.?| (?:and|&) (?:others|colleagues))?"
    rf"(?:['’]s?)?,? \(?(?P<years>{_YEAR}(?:(?:,|;| and|,? &) {_YEAR})*)"
)
#: what stands before a year in prose and begins with a capital: the calendar, and the first word of a sentence
NOT_NAMES = frozenset(
    re.findall(
        r"\w+",
        """
        January February March April May June July August September October November December
        Spring Summer Autumn Fall Winter Easter Christmas Year Years Version Table Figure
        In Since Until Till From By After Before During Of Around About To On At For Between
        And Or The This That Only Also Already Not With Late Early
        """,
    )
)

#: named in the book and the code as the published study names them; its list of references is missing from the copy
#: the course works from, so that nobody here can say which works they are
OF_THE_STUDY = {"Strandvik et al. (2012)", "Velicer & Schinka (2003)"}
#: where a work appeared, by kind of entry
VENUE = {
    "article": "journal",
    "book": "publisher",
    "incollection": "booktitle",
    "inproceedings": "booktitle",
    "misc": "howpublished",
    "phdthesis": "school",
    "techreport": "institution",
}


class Citation(NamedTuple):
    """The surnames as cited, whether further authors are left out, and the year."""

    names: tuple[str, ...]
    more: bool
    year: str

    def __str__(self) -> str:
        return f"{' & '.join(self.names)}{' et al.' if self.more else ''} ({self.year})"


def citations(text: str) -> list[Citation]:
    """Return the works cited by name and year in a text, whose lines may break anywhere."""
    found = []
    for match in CITATION.finditer(" ".join(text.split())):
        names = re.sub(r", (?:[A-Z]\.[ -]?)+(?=,| |$)", "", match["names"])
        names = tuple(re.split(r",? (?:&|and) |, |–", names))
        if not NOT_NAMES & set(names):
            found += [Citation(names, bool(match["more"]), year[:4]) for year in re.findall(_YEAR, match["years"])]
    return found


def texts(path: Path) -> Iterator[str]:
    """Yield what a file says to people: of Python the strings and comments, of a notebook the cells, else all."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from strings(source)
        yield from comments(source)
    elif path.suffix == ".ipynb":
        yield from ("".join(cell["source"]) for cell in json.loads(source)["cells"])
    else:
        yield source


def strings(source: str) -> Iterator[str]:
    """Yield every string of a module, docstrings too, and each f-string whole, with {} for what is filled in."""
    nodes = list(ast.walk(ast.parse(source)))
    formatted = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    pieces = {id(piece) for node in formatted for piece in node.values}
    for node in formatted:
        yield "".join(piece.value if isinstance(piece, ast.Constant) else "{}" for piece in node.values)
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            yield node.value


def comments(source: str) -> Iterator[str]:
    """Yield the comments of a module, those on lines that follow each other as one."""
    block, last = [], 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if token.start[0] != last + 1:
                yield " ".join(block)
                block = []
            block.append(token.string.lstrip("#: "))
            last = token.start[0]
    yield " ".join(block)


def surname(person: Person) -> str:
    """Return the surname, particles included, without the markup of BibTeX."""
    parts = [*person.rich_prelast_names, *person.rich_last_names]
    return " ".join(str(part) for part in parts)


def works(bibliography: BibliographyData) -> Works:
    """Return the authors of every work, as they are cited, and its year."""
    return {
        (tuple(surname(person) for person in entry.persons.get("author", [])), entry.fields.get("year", ""))
        for entry in bibliography.entries.values()
    }


def unlisted(cited: Iterable[Citation], listed: Works) -> set[str]:
    """Return those that no work has the year of and all the authors, or the first and more where it says et al."""
    begun = {(authors[:some], year) for authors, year in listed for some in range(1, len(authors))}
    return {str(each) for each in cited if (each.names, each.year) not in (begun if each.more else listed)}


@cache
def cited_in(path: Path) -> frozenset[Citation]:
    """Return the works a file cites."""
    return frozenset(each for text in texts(path) for each in citations(text))


@pytest.fixture(scope="module")
def bibliography() -> BibliographyData:
    return parse_file(BIBLIOGRAPHY)  # refuses a key that is there twice


@pytest.fixture(scope="module")
def listed(bibliography) -> Works:
    return works(bibliography)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_work_cited_is_listed(path, listed):
    missing = sorted(unlisted(cited_in(path), listed) - OF_THE_STUDY)
    assert not missing, f"book/references.bib lists no such work (all authors, or et al., and the year): {missing}"


def test_what_the_study_alone_names_is_still_named_and_not_listed(listed):
    assert unlisted({each for path in SOURCES for each in cited_in(path)}, listed) >= OF_THE_STUDY


def test_citations_are_looked_for_everywhere():
    """Every pattern finds files, and what is read holds citations: 94 works when this was written."""
    assert all(any(ROOT.glob(pattern)) for pattern in PATTERNS)
    assert len({each for path in SOURCES for each in cited_in(path)}) >= 90


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("as in Bentler (1990), the", ["Bentler (1990)"]),
        ("(Horn 1965)", ["Horn (1965)"]),
        ("(Horn, 1965, p. 3)", ["Horn (1965)"]),
        ("Bartlett's (1951) test, Bartlett’s (1954)", ["Bartlett (1951)", "Bartlett (1954)"]),
        ("Tucker & Lewis (1973)", ["Tucker & Lewis (1973)"]),
        ("Satorra and Bentler's (2001);", ["Satorra & Bentler (2001)"]),
        ("Fornell–Larcker (1981)", ["Fornell & Larcker (1981)"]),
        ("(Henseler, Ringle & Sarstedt 2015)", ["Henseler & Ringle & Sarstedt (2015)"]),
        ("Fleiss, Cohen, and Everitt (1969)", ["Fleiss & Cohen & Everitt (1969)"]),
        ("(Muthén, du Toit & Spisic 1997; Olsson 1979)", ["Muthén & du Toit & Spisic (1997)", "Olsson (1979)"]),
        ("(de Vet et al., 2006)", ["de Vet et al. (2006)"]),
        ("Mulaik and others (1989)", ["Mulaik et al. (1989)"]),
        ("Strandvik and colleagues (2012)", ["Strandvik et al. (2012)"]),
        ("Meade, A. W., & Craig, S. B. (2012).", ["Meade & Craig (2012)"]),
        ("(Brosseau-Liard, Savalei & Li 2012)", ["Brosseau-Liard & Savalei & Li (2012)"]),
        ("Plé and Chumpitaz Cáceres (2010)", ["Plé & Chumpitaz Cáceres (2010)"]),
        ("O'Brien (1999), McDonald (1999)", ["O'Brien (1999)", "McDonald (1999)"]),
        ("Steiger (1990, 1998) and (Bollen 1986; 1989)", ["Steiger (1990, 1998)", "Bollen (1986, 1989)"]),
        ("a line that breaks (Kaiser &\n    Rice 1974)", ["Kaiser & Rice (1974)"]),
        ("In Mplus, Muthén (1984)", ["Muthén (1984)"]),
        ("the pre-survey (March and April 2020), in November 2021", []),
        ("In 2023 the third; Since 2010; Kute Smart (made-to-measure clothing, 1995)", []),
        ("HolzingerSwineford1939, satorra.bentler.2001, 2024-01-01, range(2000), {cite:p}`lihl2018`", []),
        ("at most 2000 resamples, AGFI 1989, N = 1850", []),
    ],
)
def test_what_is_taken_for_a_citation(text, cited):
    wanted = []
    for each in cited:
        names, years = each.removesuffix(")").rsplit(" (", 1)
        wanted += [f"{names} ({year})" for year in years.split(", ")]
    assert [str(each) for each in citations(text)] == wanted


def test_a_work_is_listed_by_all_its_authors_and_its_year():
    listed = works(
        parse_string(
            r"""@article{a, author = {Gr{\"o}nroos, Christian and de Vet, Henrica C. W. and Li, Libo}, year = {2013}}
        @article{b, author = {Horn, John L.}, year = {1965}}""",
            "bibtex",
        )
    )
    for text in ("Grönroos, de Vet & Li (2013)", "Grönroos et al. (2013)", "Grönroos and others 2013", "Horn 1965"):
        assert citations(text), text
        assert not unlisted(citations(text), listed), text
    for text in ("Grönroos (2013)", "Grönroos & Li (2013)", "de Vet et al. (2013)", "Horn & Li (1965)", "Madeup 1965"):
        assert len(unlisted(citations(text), listed)) == 1, text
    for text in ("Horn (1966)", "Horn et al. (1965)", "Grönroos, Horn & Li (2013)", "Li, Grönroos & de Vet (2013)"):
        assert len(unlisted(citations(text), listed)) == 1, text


def test_strings_docstrings_and_comments_of_a_module_are_read(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        '"""After Anton\n(1901)."""\n'
        "# after Berta\n"
        "#: & Cäsar 1902\n"
        'A = f"{1}: Dora "  # Emil (1903)\n'
        'B = ("Friedrich "\n     f"{A} Gustav "\n     "(1904)")\n',
        encoding="utf-8",
    )
    assert {str(each) for text in texts(path) for each in citations(text)} == {
        "Anton (1901)",
        "Berta & Cäsar (1902)",
        "Emil (1903)",
        "Gustav (1904)",
    }


def test_every_entry_says_who_what_when_and_where(bibliography):
    """Author, title, year and venue; where the copy the course works from lacks one, the note says so."""
    for key, entry in bibliography.entries.items():
        lacking = [name for name in ("title", "year", VENUE[entry.type]) if not entry.fields.get(name)]
        if entry.type == "misc" and set(lacking) <= {"year", "howpublished"}:
            lacking = lacking if "missing from the copy" not in entry.fields.get("note", "") else []
        assert entry.persons.get("author"), key
        assert not lacking, f"{key} lacks {lacking}"


def test_an_entry_is_there_once_and_its_fields_have_their_form(bibliography):
    keys = re.findall(r"^@\w+\{([^,\s]+),$", BIBLIOGRAPHY.read_text(encoding="utf-8"), re.MULTILINE)
    assert keys == list(bibliography.entries)  # none written so that the parser takes it for a remark
    assert all(re.fullmatch(r"[a-z0-9_]+", key) for key in keys)
    for name in ("doi", "title"):
        values = [entry.fields[name].lower() for entry in bibliography.entries.values() if name in entry.fields]
        doubled = {value for value in values if values.count(value) > 1}
        assert doubled <= {"{alternative ways of assessing model fit}"}  # an article, and a chapter of the same title
    for key, entry in bibliography.entries.items():
        assert re.fullmatch(r"(1[89]|20)\d\d", entry.fields.get("year", "2000")), key
        assert re.fullmatch(r"10\.\d{4,}/\S+", entry.fields.get("doi", "10.1000/1")), key
        assert re.fullmatch(r"\d+--\d+|e?\d+(v\d+)?|Article \d+", entry.fields.get("pages", "1--2")), key
        first, _, last = entry.fields.get("pages", "1--2").partition("--")
        assert not last or int(first) < int(last), key
