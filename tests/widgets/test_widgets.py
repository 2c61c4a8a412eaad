"""The card sort's data, its Python side, and the Sphinx extension that puts it into pages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
import small_book
import traitlets
import yaml

from cocreation._paths import course_root
from cocreation.errors import InputError
from cocreation.widgets.card_sort import CardSort
from cocreation.widgets.cards import read

SMALL = {
    "kind": "card-sort",
    "title": "Two heaps",
    "instructions": "Sort.",
    "bins": [
        {"id": "fruit", "name": "Fruit", "short": "Fruit", "essence": "Grows on trees."},
        {"id": "root", "name": "Roots", "short": "Roots", "essence": "Grow in earth."},
    ],
    "sources": {"garden": "The garden (1900)"},
    "statements": [
        {
            "id": "pear",
            "text": "Pear",
            "bin": "fruit",
            "source": "garden",
            "feedback": {"fruit": "Yes.", "root": "You thought of parsnips."},
        }
    ],
}


@pytest.fixture
def written(tmp_path):
    """Write a changed copy of the small card sort; return its path."""

    def write(change=lambda tree: None) -> Path:
        tree = json.loads(json.dumps(SMALL))
        change(tree)
        path = tmp_path / "small.yml"
        path.write_text(yaml.safe_dump(tree, allow_unicode=True), "utf-8")
        return path

    return write


# The shipped card sorts ----------------------------------------------------------


@pytest.fixture(params=sorted((course_root() / "exercises").glob("*.yml")), ids=lambda path: path.stem)
def shipped(request) -> Path:
    return request.param


def test_every_bin_has_at_least_four_statements(shipped):
    deck = read(shipped.stem)
    for each in deck.bins:
        assert sum(statement.bin == each.id for statement in deck.statements) >= 4


def test_every_answer_to_every_statement_has_its_own_feedback(shipped):
    texts = [text for statement in read(shipped.stem).statements for text in statement.feedback.values()]
    assert len(texts) == len(set(texts))
    assert min(len(text.split()) for text in texts) >= 8


def test_every_source_is_in_the_bibliography(shipped):
    sources = yaml.safe_load(shipped.read_text("utf-8"))["sources"]
    bibliography = (course_root() / "book" / "references.bib").read_text("utf-8")
    assert set(sources) <= set(re.findall(r"@\w+\{([^,\s]+),", bibliography))


def test_the_order_of_the_statements_gives_nothing_away(shipped):
    bins = [statement.bin for statement in read(shipped.stem).statements]
    assert all(len(set(bins[at : at + 3])) > 1 for at in range(len(bins) - 2))


def test_a_page_of_the_book_shows_every_card_sort(shipped):
    pages = "".join(path.read_text("utf-8") for path in (course_root() / "book").glob("*.md"))
    assert f"```{{widget}} card-sort\n:data: {shipped.stem}\n" in pages


# Mistakes in a file are told with place and remedy --------------------------------


def _set(path, value):
    def change(tree):
        *way, last = path
        for step in way:
            tree = tree[step]
        tree[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_set(["statements", 0, "bin"], "leaf"), ["(pear)", "unknown bin 'leaf'", "fruit, root"]),
        (_set(["statements", 0, "feedback"], {"fruit": "Yes."}), ["(pear)", "no feedback for bin 'root'", "reveals"]),
        (_set(["statements", 0, "feedback"], {"root": "No."}), ["no feedback for bin 'fruit'", "why it is right"]),
        (_set(["statements", 0, "feedback", "leaf"], "?"), ["feedback for unknown bin 'leaf'"]),
        (_set(["statements", 0, "feedback", "root"], "  "), ["'root' is missing, empty or not text"]),
        (_set(["statements", 0, "source"], "shed"), ["unknown source 'shed'", "sources"]),
        (_set(["statements", 0, "texte"], "Pear"), ["unknown field 'texte'"]),
        (_set(["statements"], []), ["'statements' must be a list"]),
        (_set(["bins", 1, "id"], "fruit"), ["the id 'fruit' is given 2 times"]),
        (_set(["bins"], SMALL["bins"][:1]), ["1 bins", "2 to 5"]),
        (_set(["title"], ""), ["'title' is missing"]),
        (_set(["kind"], "quiz"), ["kind is 'quiz'"]),
        (lambda tree: tree["statements"].append(tree["statements"][0]), ["the id 'pear' is given 2 times"]),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(written, change, words):
    path = written(change)
    with pytest.raises(InputError) as caught:
        read(path)
    for word in ["small.yml", *words]:
        assert word in str(caught.value)


def test_a_key_given_twice_is_refused(written):
    path = written()
    path.write_text(path.read_text("utf-8") + "title: Once more\n", "utf-8")
    with pytest.raises(InputError, match="'title' is given 2 times"):
        read(path)


def test_a_file_that_is_no_mapping_is_refused(tmp_path):
    path = tmp_path / "list.yml"
    path.write_text("- a\n- b\n", "utf-8")
    with pytest.raises(InputError, match=r"list\.yml: expected fields"):
        read(path)


def test_an_unknown_name_lists_the_card_sorts_there_are():
    with pytest.raises(InputError, match=r"no card sort 'logic'.*logics"):
        read("logic")


# The widget in Python -----------------------------------------------------------


def test_a_widget_starts_with_nothing_placed_and_says_so(written):
    sort = CardSort.load(written())
    assert (sort.answer, sort.attempts, sort.solved, sort.history) == ({}, 0, False, [])
    assert repr(sort) == "CardSort('Two heaps': 0 of 1 placed, not checked yet)"


def test_an_answer_must_name_statements_and_bins_that_exist(written):
    sort = CardSort.load(written())
    sort.answer = {"pear": "root"}
    with pytest.raises(traitlets.TraitError, match="no statement 'plum'"):
        sort.answer = {"plum": "fruit"}
    with pytest.raises(traitlets.TraitError, match="no bin 'leaf'"):
        sort.answer = {"pear": "leaf"}
    assert sort.answer == {"pear": "root"}


def test_the_plain_form_shows_all_statements_and_no_answer():
    sort = CardSort.load("logics")
    plain = sort.fallback()
    for statement in read("logics").statements:
        assert plain.count(f"<td>{_escaped(statement.text)}</td><td></td>") == 1
        assert all(_escaped(text) not in plain for text in statement.feedback.values())
    assert sort._repr_mimebundle_()[0]["text/html"] == plain


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("'", "&#x27;")


def test_text_of_a_file_never_becomes_html(written):
    sort = CardSort.load(written(_set(["statements", 0, "text"], "<script>alert(1)</script>")))
    assert "<script" not in sort.fallback()


# The Sphinx extension -----------------------------------------------------------


def _widget_notebook(module: str, name: str, *, plain: bool):
    data = {"application/vnd.jupyter.widget-view+json": {"model_id": "abc", "version_major": 2, "version_minor": 0}}
    if plain:
        data["text/html"] = '<div class="cocreation-fallback">on paper</div>'
    model = {"model_module": module, "model_module_version": "1", "model_name": name, "state": {"_esm": "x"}}
    return small_book.notebook(nbformat.v4.new_output("display_data", data=data), state={"abc": model})


def test_a_chapter_holds_the_exercise_its_plain_form_and_the_script_that_runs_it(build):
    out, told = build({"index.md": "# Book\n\n```{widget} card-sort\n:data: logics\n```\n"})
    page = (out / "index.html").read_text("utf-8")
    assert told == ""
    assert page.count('src="_static/cocreation/widget-host.js') == 1
    assert (out / "_static" / "cocreation" / "widget-host.js").is_file()
    assert "cocreation-fallback" in page
    state = json.loads(re.search(r'widget-state\+json">(.*?)</script>', page, re.DOTALL).group(1))["state"]
    view = json.loads(re.search(r'widget-view\+json">(.*?)</script>', page, re.DOTALL).group(1))
    model = state[view["model_id"]]
    assert model["model_module"] == "anywidget"
    assert len(model["state"]["statements"]) == len(read("logics").statements)


def test_the_same_source_gives_the_same_page(build):
    source = {"index.md": "# Book\n\n```{widget} card-sort\n:data: logics\n```\n"}
    first, second = (build(source, to=folder)[0] / "index.html" for folder in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_a_page_without_exercise_or_formula_loads_nothing_for_them(build):
    out, _ = build({"index.md": "# Book\n\nText.\n"})
    page = (out / "index.html").read_text("utf-8")
    for word in ("widget-host", "katex", "thebe", "THEBE", "fontawesome.js", "tex-mml-chtml", "require.js"):
        assert word not in page


def test_a_formula_is_set_when_the_book_is_built_and_numbered_once(build):
    out, told = build({"index.md": "# Book\n\n$x^2$\n\n\\begin{align}\na &= b \\\\ c &= d\n\\end{align}\n"})
    page = (out / "index.html").read_text("utf-8")
    assert told == ""
    assert page.count('class="katex"') == 2
    assert 'class="tag"' not in page
    styles = (out / "_static" / "cocreation" / "katex" / "katex.min.css").read_text("utf-8")
    for font in re.findall(r"url\(([^)]*)\)", styles):
        assert (out / "_static" / "cocreation" / "katex" / font).is_file()


def test_a_formula_with_a_mistake_is_told(build):
    _, told = build({"index.md": "# Book\n\n$\\fraction{1}{2}$\n"})
    assert "index.md" in told
    assert "KaTeX cannot set this formula" in told


@pytest.mark.parametrize(
    ("directive", "words"),
    [
        ("{widget} flip-cards\n:data: logics", "There is no widget 'flip-cards'"),
        ("{widget} card-sort", "needs the option ':data:'"),
        ("{widget} card-sort\n:data: nothing", "no card sort 'nothing'"),
        ("{widget} card-sort\n:data: broken", "no feedback for bin 'root'"),
    ],
)
def test_a_directive_that_cannot_be_followed_is_told(build, directive, words):
    broken = json.loads(json.dumps(SMALL))
    del broken["statements"][0]["feedback"]["root"]
    files = {"index.md": f"# Book\n\n```{directive}\n```\n", "exercises/broken.yml": yaml.safe_dump(broken)}
    assert words in build(files)[1]


def test_a_figure_without_alt_text_is_told_at_every_build(build):
    for _ in range(2):  # the second build reads nothing anew
        _, told = build({"index.ipynb": small_book.figure()})
        assert "A figure of a notebook cell has no alt text" in told


def test_a_figure_with_alt_text_is_fine(build):
    out, told = build({"index.ipynb": small_book.figure(mystnb={"image": {"alt": "One dark pixel"}})})
    assert told == ""
    assert 'alt="One dark pixel"' in (out / "index.html").read_text("utf-8")


def test_a_widget_that_needs_a_kernel_is_told(build):
    notebook = _widget_notebook("@jupyter-widgets/controls", "IntSliderModel", plain=True)
    assert "need a kernel or the ipywidgets bundle: IntSliderModel" in build({"index.ipynb": notebook})[1]


def test_a_widget_with_nothing_to_show_on_paper_is_told(build):
    assert (
        "nothing to show without JavaScript"
        in build({"index.ipynb": _widget_notebook("anywidget", "A", plain=False)})[1]
    )


def test_a_notebook_page_keeps_the_plain_form_beside_the_live_one(build):
    out, told = build({"index.ipynb": _widget_notebook("anywidget", "AnyModel", plain=True)})
    page = (out / "index.html").read_text("utf-8")
    assert told == ""
    assert re.search(r'<div class="cocreation-widget"><div class="cocreation-fallback">on paper</div><script', page)
    assert page.count('src="_static/cocreation/widget-host.js') == 1
    assert "require.js" not in page
    assert "html-manager" not in page
