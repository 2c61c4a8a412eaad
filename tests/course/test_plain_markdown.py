"""The notebooks of a working copy show in any Jupyter what the book shows: boxes, citations, terms, numbers, links."""

from __future__ import annotations

import json
import posixpath
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
import yaml
from contents import CHAPTERS, WITH_NOTEBOOK

from cocreation.course import lab
from cocreation.course.plain_markdown import Known, convert, left_over, plain
from cocreation.course.plain_markdown.parser import EXTENSIONS, parse
from cocreation.course.plain_markdown.works import CITE_ID, LIST_STYLE, TEXT_STYLE
from cocreation.errors import CourseError

HERE = "notebooks/explore"
WORK = "/book/book/bibliography.html#ref-"
HORN = (
    f'[Horn, 1965]({WORK}horn1965 "John L. Horn. A rationale and test for the number of factors in factor analysis. '
    'Psychometrika, 30(2):179–185, 1965. doi:10.1007/BF02289447.")'
)
KAPPA = (
    '(/book/book/glossary.html#term-kappa "Agreement of coders or raters corrected for chance: 1 is full agreement, 0 '
    "what chance would give. Cohen's kappa is for two, Fleiss' for more.\")"
)


@pytest.fixture(scope="module")
def known(root) -> Known:
    return Known(root)


@pytest.fixture(scope="module")
def copied(root) -> dict[str, bytes]:
    """Everything a student gets, by its place in the copy."""
    return dict(lab.upstream(root))


@pytest.fixture
def written(known):
    return lambda text: plain(text, HERE, known)


def notebooks(copied: dict[str, bytes]) -> dict[str, dict]:
    return {name: json.loads(content) for name, content in copied.items() if name.endswith(".ipynb")}


def markdown(notebook: dict) -> list[str]:
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


class TestCitations:
    """In the words of the book, each work a link with its entry as the title."""

    def test_in_brackets(self, written):
        assert written("beats noise {cite:p}`horn1965`.") == f"beats noise [{HORN}]."

    def test_in_the_sentence(self, written):
        text = written("{cite:t}`kaiser1974` called it")
        assert text.startswith(f'Kaiser [[1974]({WORK}kaiser1974 "Henry F. Kaiser. An index of factorial simplicity. ')
        assert text.endswith('doi:10.1007/BF02291575.")] called it')

    def test_several_in_the_order_of_the_bibliography_with_et_al(self, written):
        text = re.sub(r'\(/book.*?"\)', "()", written("{cite:p}`fabrigar1999,costello2005`"))
        assert text == "[[Costello and Osborne, 2005](), [Fabrigar *et al.*, 1999]()]"

    def test_with_words_before_and_after(self, written):
        text = re.sub(r'\(/book.*?"\)', "()", written("{cite:p}`{see}horn1965{p. 180}`"))
        assert text == "[see [Horn, 1965](), p. 180]"

    @pytest.mark.parametrize(
        ("kind", "wanted"),
        [("cite", "[[Horn, 1965]()]"), ("cite:author", "[Horn]()"), ("cite:label", "[Hor65]()"),
         ("cite:year", "[1965]()")],
    )  # fmt: skip
    def test_of_other_kinds(self, written, kind, wanted):
        assert re.sub(r'\(/book.*?"\)', "()", written(f"{{{kind}}}`horn1965`")) == wanted

    @pytest.mark.parametrize("role", ["{cite:p}`nobody1900`", "{cite:p}`horn1965,nobody1900`", "{cite:nope}`horn1965`"])
    def test_of_a_work_or_kind_that_is_not_known_stays_and_is_told(self, written, role):
        assert written(role) == role
        assert left_over(role) == [role]

    def test_a_bibliography_that_cannot_be_read_is_told(self, tmp_path):
        (tmp_path / "book").mkdir()
        (tmp_path / "book" / "references.bib").write_text("@book{broken, title = {")
        with pytest.raises(CourseError, match=r"references\.bib is no bibliography"):
            plain("{cite:p}`broken`", HERE, Known(tmp_path))

    def test_styles_and_extensions_are_those_of_the_book(self, root):
        config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
        told = config["sphinx"]["config"]
        assert (told["bibtex_default_style"], told["bibtex_reference_style"]) == (LIST_STYLE, TEXT_STYLE)
        assert told["bibtex_cite_id"] == CITE_ID
        assert set(config["parse"]["myst_enable_extensions"]) == set(EXTENSIONS)


class TestTerms:
    """The word, its meaning as the title, and the glossary behind it."""

    def test_by_its_own_name(self, written):
        assert written("Compute {term}`kappa` now") == f"Compute [kappa]{KAPPA} now"

    def test_by_another_word(self, written):
        assert written("{term}`agreement <Kappa>`") == f"[agreement]{KAPPA}"

    def test_that_shares_its_meaning_and_has_capitals(self, written):
        text = written("{term}`VCC`")
        assert text.startswith('[VCC](/book/book/glossary.html#term-VCC "A firm, its customers and often others make')
        assert text.endswith('Sources define it differently; see value.")')  # a link in a meaning is its words

    def test_that_is_not_in_the_glossary_stays(self, written):
        assert written("{term}`nonesuch`") == "{term}`nonesuch`"

    def test_with_a_meaning_that_would_be_markup(self, tmp_path):
        (tmp_path / "book").mkdir()
        glossary = '```{glossary}\nA & B\n  A "quoted" $h^2$ | {term}`x <y>` \\ 5 < 6, `a_b` {cite:p}`k`.\n```\n'
        (tmp_path / "book" / "glossary.md").write_text(glossary)
        wanted = '[A & B](/book/book/glossary.html#term-A-B "A \\"quoted\\" h^2 &#124; x \\\\ 5 &lt; 6, a_b k.")'
        assert plain("{term}`A & B`", HERE, Known(tmp_path)) == wanted


class TestNumbers:
    """Figures and tables by their numbers in the book."""

    def test_in_the_same_notebook(self, written):
        assert written("In {numref}`fig-explore-scree` five") == "In [Figure 12.1](#fig-explore-scree) five"

    def test_in_another_notebook(self, known):
        link = "[Figure 12.1](explore.ipynb#fig-explore-scree)"
        assert plain("{numref}`fig-explore-scree`", "notebooks/confirm", known) == link
        link = "[Figure 12.1](../notebooks/explore.ipynb#fig-explore-scree)"
        assert plain("{numref}`fig-explore-scree`", "exercises/purify", known) == link

    def test_in_a_chapter(self, written):
        assert written("{numref}`tab-logics`") == "[Table 5.1](/book/book/logics.html#tab-logics)"

    def test_in_words_of_ones_own(self, written):
        assert written("{numref}`fig. %s <fig-spheres>`") == "[fig. 5.1](/book/book/logics.html#fig-spheres)"

    def test_that_nothing_has_stays(self, written):
        assert written("{numref}`fig-nope`") == "{numref}`fig-nope`"

    def test_count_through_a_step_and_through_what_is_no_step(self, tmp_path):
        (tmp_path / "book").mkdir()
        (tmp_path / "notebooks").mkdir()
        parts = [
            {"caption": "Theory", "numbered": 1, "chapters": [{"file": "book/a"}, {"file": "book/absent"}]},
            {"caption": "Scale", "numbered": 1, "chapters": [
                {"file": "book/b", "sections": [{"file": "notebooks/b"}]}]},
            {"caption": "Beyond", "chapters": [{"file": "notebooks/c"}, {"file": "book/d"}]},
        ]  # fmt: skip
        (tmp_path / "_toc.yml").write_text(yaml.safe_dump({"root": "index", "parts": parts}))
        chapter = (
            "# {0}\n```{{figure}} x.svg\n:name: fig-{0}\n\nA caption.\n```\n```{{figure}} without.svg\n```\n"
            "::::{{note}}\n:::{{list-table}} A title\n:name: tab-{0}\n* - x\n:::\n::::\n"
        )
        for slug in "abd":
            (tmp_path / "book" / f"{slug}.md").write_text(chapter.format(slug))

        def code(figure=None, tables=(), html=""):
            metadata = {"mystnb": {"figure": figure}} if figure else {}
            metadata |= {"cocreation": {"table": list(tables)}} if tables else {}
            output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": [html]}}
            return {"cell_type": "code", "id": "x", "metadata": metadata, "source": [], "outputs": [output]}

        apa, bare = '<div class="apa"><table><caption>Title</caption></table></div>', "<table></table>"
        for slug in "bc":
            cells = [
                code({"caption": "x", "name": f"fig-one-{slug}"}),
                code(html=apa),  # a result brings its title along
                code(html=bare),  # has no number
                code({"caption": "no name"}),
                code(tables=[{"caption": "x", "name": f"tab-one-{slug}"}, {"caption": "y"}], html=bare + bare),
                code({"caption": "x", "name": f"fig-two-{slug}"}, [{"caption": "z", "name": f"tab-two-{slug}"}], apa),
            ]
            (tmp_path / "notebooks" / f"{slug}.ipynb").write_text(json.dumps({"cells": cells}))
        numbers = {name: found.label for name, found in Known(tmp_path).numbers.items()}
        assert numbers == {
            "fig-a": "Figure 1.1", "tab-a": "Table 1.1", "fig-b": "Figure 3.1", "tab-b": "Table 3.1",
            "fig-one-b": "Figure 3.2", "fig-two-b": "Figure 3.4", "tab-one-b": "Table 3.3", "tab-two-b": "Table 3.5",
            "fig-one-c": "Figure 1", "fig-two-c": "Figure 3", "tab-one-c": "Table 2", "tab-two-c": "Table 4",
            "fig-d": "Figure 4", "tab-d": "Table 5",
        }  # fmt: skip


class TestLinks:
    """To a chapter in the book, to a notebook in the copy."""

    @pytest.mark.parametrize(
        ("link", "wanted"),
        [
            ("[c](../book/explore.md)", "[c](/book/book/explore.html)"),
            ('[c](../book/explore.md#rules "T")', '[c](/book/book/explore.html#rules "T")'),
            ("[a *b*](../book/value.md)", "[a *b*](/book/book/value.html)"),
            ("[r][q]\n\n[q]: ../book/value.md", "[r](/book/book/value.html)\n\n[q]: ../book/value.md"),
            ("[n](purify.ipynb)", "[n](purify.ipynb)"),
            ("[w](https://example.org/a.md)", "[w](https://example.org/a.md)"),
            ("[h](#what-purification-left)", "[h](#what-purification-left)"),
            ("`[c](../book/explore.md)`", "`[c](../book/explore.md)`"),
        ],
    )
    def test_lead_there(self, written, link, wanted):
        assert written(link) == wanted

    def test_hold_what_is_no_plain_markdown_either(self, written):
        assert written("[{term}`kappa`](../book/judge.md)") == f"[[kappa]{KAPPA}](/book/book/judge.html)"


class TestBoxes:
    """HTML around Markdown, which every renderer reads as Markdown where empty lines set it apart."""

    def test_an_admonition(self, written):
        text = written(
            "Before.\n\n:::{admonition} Before you *start*\n**You need** [c](../book/value.md).\n:::\nAfter."
        )
        before, div, title, body, end, after = text.split("\n\n")
        assert (before, title, end, after) == ("Before.", "**Before you *start***", "</div>", "After.")
        assert re.fullmatch(r'<div style="border-left: 3px solid #\w{6}; background-color: [^"]*">', div)
        assert body == "**You need** [c](/book/book/value.html)."

    def test_notes_and_warnings_have_their_names_and_colours(self, written):
        note, warning = written(":::{note} Mind\nthis.\n:::"), written("```{warning}\nMind this.\n```")
        assert "\n\n**Note**\n\nMind\nthis.\n\n" in note
        assert "\n\n**Warning**\n\nMind this.\n\n" in warning
        assert note.splitlines()[0] != warning.splitlines()[0]

    def test_one_in_another(self, written):
        text = written("::::{note}\nouter\n\n:::{tip}\ninner\n:::\n::::")
        assert re.sub(r'<div style="[^"]*">', "<div>", text) == (
            "<div>\n\n**Note**\n\nouter\n\n<div>\n\n**Tip**\n\ninner\n\n</div>\n\n</div>"
        )

    def test_one_in_a_list_stays_there(self, written):
        text = written("- one\n\n  :::{note}\n  x\n  :::\n- two")
        assert re.sub(r'<div style="[^"]*">', "<div>", text) == (
            "- one\n\n  <div>\n\n  **Note**\n\n  x\n\n  </div>\n\n- two"
        )

    def test_one_to_unfold(self, written):
        text = written(":::{admonition} An < answer\n:class: dropdown\nIt is $x$.\n:::")
        assert text == "<details>\n<summary><b>An &lt; answer</b></summary>\n\nIt is $x$.\n\n</details>"

    def test_another_directive_stays_and_is_told(self, written):
        text = "```{figure} x.svg\nCaption\n```"
        assert written(text) == text
        assert left_over(text) == ["{figure} x.svg"]


@pytest.mark.parametrize(
    "text",
    [
        "Code `{cite:p}`, ``{cite:p}`horn1965` `` and \\{cite:p}`horn1965`.",
        "```python\n{cite:p}`horn1965`\n:::{note}\n```",
        "    {cite:p}`horn1965`\n    :::{note}",
        "$$\\alpha = \\frac{k}{k-1}$$ and $F = \\ln|\\Sigma|$, *x*_y_ [a] (b) <b>c</b>  \nend\n",
        "| a | b |\n|---|:-:|\n| `x` | \\| |\n\n1. one\n2. two\n",
        "",
    ],
)
def test_what_is_no_myst_stays_to_the_letter(written, text):
    assert written(text) == text


def test_a_role_behind_the_same_in_code_is_the_one_that_changes(written):
    code = "``{cite:p}`horn1965` ``"
    assert written(f"{code}\n\n    {{cite:p}}`horn1965`\n\n> {code} {{cite:p}}`horn1965`") == (
        f"{code}\n\n    {{cite:p}}`horn1965`\n\n> {code} [{HORN}]"
    )


def test_a_role_over_two_lines_of_a_quotation(written):
    assert written("> so {term}`chance agreement\n> <kappa>` it is") == f"> so [chance agreement]{KAPPA} it is"


def test_in_a_table_no_title_ends_a_cell(written):
    text = written("| a | b |\n|---|---|\n| {term}`kappa` | {cite:p}`horn1965` |")
    assert text.splitlines()[2] == f"| [kappa]{KAPPA} | [{HORN}] |"
    assert sum(token.type == "td_open" for token in parse(text)) == 2


def test_what_jupyter_would_show_as_it_is_typed_is_named():
    pieces = ["(here)=", "# A", "{eq}`x`", "% note", "term\n: meaning", ":::{margin} M\n:::", "+++", "{{ sub }}",
              "a[^1]", "[^1]: b"]  # fmt: skip
    told = left_over("\n\n".join(pieces))
    assert told == ["a target (here)=", "{eq}`x`", "a comment %", "a list of definitions", "{margin} M",
                    "a break +++", "a substitution", "a footnote"]  # fmt: skip


class TestCopy:
    """All notebooks and exercises, as a student gets them."""

    def test_nothing_is_left_that_jupyter_does_not_render(self, copied):
        told = {}
        for name, notebook in notebooks(copied).items():
            for number, text in enumerate(markdown(notebook)):
                if found := left_over(text) + re.findall(r"\{[\w:-]+\}`[^`]*`|^:::.*", text, re.MULTILINE):
                    told[f"{name}, Markdown cell {number}"] = found
        assert not told, "teach it cocreation.course.plain_markdown.markdown, or write it another way"

    def test_there_was_something_to_render(self, root):
        source = "".join(path.read_text(encoding="utf-8") for path in (root / "notebooks").glob("*.ipynb"))
        assert source.count(":::{admonition}") >= len(WITH_NOTEBOOK)
        assert len(re.findall(r"\{(?:cite:[pt]|term|numref)\}`", source)) >= 90

    def test_code_and_outputs_are_the_courses_own(self, copied, root):
        for name, notebook in notebooks(copied).items():
            if name.startswith("notebooks/"):
                source = json.loads((root / name).read_text(encoding="utf-8"))
                ours, theirs = (
                    [cell for cell in each["cells"] if cell["cell_type"] == "code"] for each in (source, notebook)
                )
                assert ours == theirs, name

    def test_each_is_a_valid_notebook_stored_as_all_are(self, copied):
        for name, content in copied.items():
            if name.endswith(".ipynb"):
                notebook = nbformat.reads(content.decode(), as_version=4)
                nbformat.validate(notebook)
                assert nbformat.writes(notebook).rstrip("\n") + "\n" == content.decode(), name

    def test_every_link_leads_to_a_file_of_the_copy_or_a_page_of_the_book(self, copied, root):
        names, seen = {*copied}, set()
        for name, content in copied.items():
            if name.endswith(".ipynb"):
                texts = markdown(json.loads(content))
            elif name == lab.START:
                texts = [content.decode()]
            else:
                continue
            for text in texts:
                for link in re.findall(r'\]\((\S+?)(?: "(?:[^"\\]|\\.)*")?\)', text):
                    path, _, anchor = link.partition("#")
                    if path.startswith("/book/"):
                        seen.add(page := path.removeprefix("/book/").removesuffix(".html"))
                        assert any((root / f"{page}{kind}").is_file() for kind in (".md", ".ipynb")), (name, link)
                    elif path and "://" not in path:
                        assert posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) in names, (name, link)
                    elif not path:
                        assert f'id="{anchor}"' in "".join(texts), (name, link)
        assert {f"book/{slug}" for slug in CHAPTERS} <= seen

    def test_a_figure_has_its_number_and_caption_below_it(self, copied):
        cells = notebooks(copied)["notebooks/explore.ipynb"]["cells"]
        at = next(
            number
            for number, cell in enumerate(cells)
            if cell["metadata"].get("mystnb", {}).get("figure", {}).get("name") == "fig-explore-loadings"
        )
        caption = cells[at]["metadata"]["mystnb"]["figure"]["caption"]
        below = "".join(cells[at + 1]["source"])
        assert re.fullmatch(r'<span id="fig-explore-loadings"[^>]*></span>\*\*Figure 12\.2\*\* .*', below)
        assert below.endswith(f" {caption}")
        assert cells[at + 1]["metadata"] == {"cocreation": {"added": "caption"}}

    def test_each_step_ends_with_the_next(self, copied):
        book = notebooks(copied)
        for here, then in pairwise(WITH_NOTEBOOK):
            last = book[f"notebooks/{here}.ipynb"]["cells"][-1]
            assert last["metadata"] == {"cocreation": {"added": "onward"}}
            text = "".join(last["source"])
            assert f"**Next: step {CHAPTERS.index(then) + 1}, {then}.** Read the chapter [" in text
            assert f"](/book/book/{then}.html), then do its notebook [" in text
            assert f"]({then}.ipynb)." in text
            assert text.endswith("All steps: [start page](../start.md)")

    def test_an_exercise_of_ones_own_comes_before_the_next_step(self, copied):
        text = markdown(notebooks(copied)["notebooks/purify.ipynb"])[-1]
        assert text.startswith(
            "***\n\n**On your own:** [Purify a scale of your own](../exercises/purify.ipynb)\n\n**Next"
        )

    def test_after_the_last_step_come_the_further_notebooks(self, copied):
        book = notebooks(copied)
        assert "**Next:** [Real data: " in markdown(book["notebooks/report.ipynb"])[-1]
        assert "**Next:** [Which number is right?](numbers.ipynb)" in markdown(book["notebooks/realdata.ipynb"])[-1]
        assert markdown(book["notebooks/numbers.ipynb"])[-1] == "***\n\nAll steps: [start page](../start.md)"


def a_notebook(*cells: tuple[str, str, dict]) -> bytes:
    made = [
        {"cell_type": kind, "id": str(number), "metadata": metadata, "source": [source]}
        | ({"outputs": [], "execution_count": None} if kind == "code" else {})
        for number, (kind, source, metadata) in enumerate(cells)
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def test_an_exercise_is_rendered_and_nbgraders_own_cells_are_left_alone(known):
    graded = {"nbgrader": {"grade_id": "a", "locked": True, "checksum": "1"}}
    content = a_notebook(("markdown", "{term}`kappa`", {}), ("markdown", "{term}`kappa`", graded))
    texts = markdown(json.loads(convert(content, "exercises/judge", known)))
    assert texts == [f"[kappa]{KAPPA}", "{term}`kappa`"]


def test_captions_of_two_tables_stand_below_their_cell(known):
    told = [{"caption": "After {cite:p}`horn1965`"}, {"caption": "Of *alpha*"}]
    cells = json.loads(convert(a_notebook(("code", "x", {"cocreation": {"table": told}})), "exercises/x", known))[
        "cells"
    ]
    assert [cell["cell_type"] for cell in cells] == ["code", "markdown"]
    assert "".join(cells[1]["source"]) == f"After [{HORN}]\n\nOf *alpha*"


@pytest.mark.parametrize(
    "content", [b"first edition", b"{", b"[]", b"\xff", b'{"cells": 1}', a_notebook(("markdown", "plain *text*", {}))]
)
def test_where_there_is_nothing_to_do_the_bytes_stay(known, content):
    assert convert(content, "notebooks/elsewhere", known) == content


def test_converting_twice_changes_nothing_more(known, root):
    once = convert((root / "exercises" / "logics.ipynb").read_bytes(), "exercises/logics", known)
    assert convert(once, "exercises/logics", known) == once


def test_a_course_without_a_book_is_copied_as_it_is(tmp_path):
    known = Known(Path(tmp_path))
    assert known.pages == []
    assert known.numbers == {}
    content = a_notebook(("markdown", "{cite:p}`horn1965` and {term}`kappa`", {}))
    assert convert(content, "notebooks/x", known) == content
