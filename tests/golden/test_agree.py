"""``cocreation agree``: golden sets gone through figure by figure, and nothing left out in silence."""

from __future__ import annotations

import copy
import html
import json
import math
import re
import shutil
import sys

import pytest
import yaml
from reference import load

from cocreation import cli
from cocreation.authoring.build import build_book
from cocreation.errors import CourseError, InputError
from cocreation.golden import classical, models
from cocreation.golden import page as golden_page
from cocreation.golden.agree import agree, report
from cocreation.golden.ledger import TOLERANCES, Ledger, leaves
from cocreation.golden.sets import folders
from cocreation.golden.terminal import shown
from cocreation.steps import screen


@pytest.fixture(scope="module")
def golden_root(root):
    return root / "tests" / "golden"


@pytest.fixture(scope="module")
def everything(golden_root):
    return agree([golden_root])


@pytest.fixture
def small(tmp_path, golden_root):
    """Return what makes a copy of hs1939 that holds only some sections, after a change to its figures."""

    def make(*sections: str, change=lambda figures: None, name: str = "small"):
        folder = tmp_path / name
        folder.mkdir()
        for file in ("data.csv", "model.lav"):
            shutil.copy(golden_root / "hs1939" / file, folder / file)
        figures = {key: copy.deepcopy(load("hs1939").figures[key]) for key in ("meta", "items", *sections)}
        change(figures)
        (folder / "golden.json").write_text(json.dumps(figures), encoding="utf-8")
        return folder

    return make


def command(monkeypatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["cocreation", "agree", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return stopped.value.code or 0


@pytest.mark.parametrize("page", ["tests/golden/README.md", "book/agreement.md"])
def test_a_page_says_what_each_set_is(page, root, golden_root):
    told = re.findall(r"^- `(\w+)`: ", (root / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(folder.name for folder in folders([golden_root]))


@pytest.mark.slow
def test_every_figure_of_the_open_sets_agrees(everything, golden_root):
    names = [folder.name for folder in folders([golden_root])]
    assert len(names) >= 5
    assert [each.name for each in everything] == names
    assert [(each.name, figure) for each in everything for figure in each.misses] == []
    assert sum(row.compared for each in everything for row in each.rows) > 24000


def test_every_value_of_the_file_is_compared_or_said_not_to_be(everything):
    for each in everything:
        compared = sum(row.compared for row in each.rows)
        assert compared + len(each.omissions) == len(list(leaves(load(each.name).figures)))
        assert not [omission for omission in each.omissions if "unknown" in omission.reason]


def test_every_section_known_by_name_is_in_some_open_set(golden_root):
    found = [load(folder.name).figures for folder in folders([golden_root])]
    for path, _ in [*classical.SECTIONS, *models.SECTIONS]:
        assert any(path[0] in figures and (len(path) == 1 or path[1] in figures[path[0]]) for figures in found), path


@pytest.mark.parametrize(
    ("section", "place", "metric"),
    [
        ("descriptives", (0, "kurtosis_psych_type3"), "skewness, kurtosis (psych)"),
        ("reliability", ("visual", "alpha"), "alpha, λ6, mean r"),
        ("efa", ("paf", "oblimin_kaiser_spss", "phi", "values", 0, 1), "PAF, oblimin"),
        ("omega_exploratory", ("omega_h",), "omega, ECV"),
        ("cfa", ("modification_indices", 0, "mi"), "modification indices"),
        ("cfa", ("amos_convention", "cfi"), "AMOS convention, fit measures"),
        ("cfa", ("post_check",), "proper solution"),
        ("cfa_mlr", ("fit", "chisq.scaled"), "scaled chi-square"),
    ],
)
def test_a_wrong_figure_misses_and_only_there(small, section, place, metric):
    def spoil(figures):
        part = figures[section]
        for key in place[:-1]:
            part = part[key]
        value = part[place[-1]]
        part[place[-1]] = (not value) if isinstance(value, bool) else value + 2e-3 * max(1.0, abs(value))

    (found,) = agree([small(section, change=spoil)])
    assert [row.metric for row in found.rows if row.misses] == [metric]
    assert [figure.key for figure in found.misses] == ["/".join(map(str, (section, *place)))]


def test_the_order_and_signs_of_columns_do_not_matter(small):
    def mirror(figures):
        block = figures["efa"]["paf"]["oblimin_raw_gparotation"]
        turn = [2, 0, 1]
        for name in ("pattern", "structure"):
            block[name]["values"] = [[-row[j] for j in turn] for row in block[name]["values"]]
        block["phi"]["values"] = [[block["phi"]["values"][i][j] for j in turn] for i in turn]
        block["ss_loadings"] = [block["ss_loadings"][j] for j in turn]

    (found,) = agree([small("efa", change=mirror)])
    assert not found.misses


def test_what_is_new_in_a_file_is_listed_and_what_is_null_too(small):
    def add(figures):
        figures["efa"]["kmo"] = None
        figures["efa"]["kmo_of_tomorrow"] = 0.7
        figures["a_new_section"] = {"figures": [1.5, 2.5]}

    (found,) = agree([small("efa", change=add)])
    reasons = {key: omission.reason for omission in found.omissions for key in [omission.key]}
    for key in ("efa/kmo_of_tomorrow", "a_new_section/figures/0", "a_new_section/figures/1"):
        assert reasons[key] == "unknown to this version of cocreation"
    assert reasons["efa/kmo"] == "R gives no figure (null)"
    assert not found.misses


def test_models_that_r_could_not_fit_and_options_nobody_knows_are_told(small):
    def spoil(figures):
        figures["cfa_std_lv"] = {"syntax": "a =~ b", "error": "Error in f():\n  lavaan ERROR: no data\n"}
        figures["cfa_mlm"]["options"]["information"] = "observed"

    (found,) = agree([small("cfa_bifactor", "cfa_std_lv", "cfa_mlm", change=spoil)])
    told = {section: reason for section, reason, _ in found.reasons()}
    assert told["cfa_bifactor"] == "did not converge in R"
    assert told["cfa_std_lv"] == "R ended with an error: lavaan ERROR: no data"
    assert told["cfa_mlm"] == "option information of lavaan's cfa() is unknown to this version of cocreation"
    assert not found.rows


def test_a_fitted_model_of_any_name_is_compared(small):
    def rename(figures):
        figures["some_model"] = figures.pop("cfa_single")

    (found,) = agree([small("cfa_single", change=rename)])
    assert {row.section for row in found.rows} == {"some_model"}
    assert not found.misses


def test_a_minimum_that_r_did_not_reach_is_told(small):
    def raise_it(figures):
        for name in ("chisq", "fmin"):
            figures["cfa_single"]["fit"][name] *= 1.2

    (found,) = agree([small("cfa_single", change=raise_it)])
    assert [(optimum.place, optimum.verdict) for optimum in found.optima] == [("cfa_single", "R stopped short")]
    assert {figure.key for figure in found.short} == {"cfa_single/fit/chisq", "cfa_single/fit/fmin"}
    assert not found.misses


def test_no_difference_that_agrees_is_larger_than_the_tolerance_beside_it(everything):
    """Rounded up to a digit, a difference may reach the tolerance, and tolerances are printed as they were used."""
    for each in everything:
        for row in each.rows:
            number = re.match(r"\d[\d.e+-]*", row.tolerance)
            if number:
                limit = float(number[0]) / (100 if "%" in row.tolerance else 1)
                assert row.misses or row.largest <= limit * (1 + 1e-9), (each.name, row)


@pytest.mark.parametrize("error", [InputError("Item 'x1' is not numeric."), ZeroDivisionError("division by zero")])
def test_what_breaks_in_one_section_is_a_miss_there_and_the_rest_goes_on(small, monkeypatch, error):
    def broken(*args, **kwargs):
        raise error

    monkeypatch.setattr(screen, "describe", broken)
    (found,) = agree([small("descriptives", "reliability_all_items")])
    assert [row.section for row in found.rows if row.misses] == ["descriptives"]
    assert str(error) in found.misses[0].ours
    assert any(row.section == "reliability_all_items" and not row.misses for row in found.rows)
    assert ("descriptives", "could not be computed, see the miss") in {found[:2] for found in found.reasons()}


def test_what_is_no_number_never_agrees():
    for tolerance in TOLERANCES.values():
        for ours in (None, math.nan, math.inf):
            assert tolerance.difference(ours, 1.0) == math.inf
    ledger = Ledger({"a": 1.0, "b": {"values": [[1.0, 2.0]]}})
    ledger.compare(("a",), None, "a", "fit")
    ledger.compare(("b", "values", 0, 0), math.nan, "b", "fit")
    ledger.close()
    assert [figure.misses for figure in ledger.figures] == [True, True]
    assert [omission.key for omission in ledger.omissions] == ["b/values/0/1"]


def test_differences_are_measured_as_their_tolerance_says():
    assert TOLERANCES["closed form"].difference(2.0 + 2e-9, 2.0) == pytest.approx(1e-9, rel=1e-6)
    assert TOLERANCES["estimate"].difference(200.02, 200.0) == pytest.approx(1e-4)
    assert TOLERANCES["estimate"].difference(0.1001, 0.1) == pytest.approx(1e-4)
    assert TOLERANCES["method factor"].difference(90.0, 100.0) == 0
    assert TOLERANCES["method factor"].difference(100.5, 100.0) == pytest.approx(0.5)
    assert TOLERANCES["exact"].difference(True, False) == math.inf


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (0.0, "0"),
        (2.2e-16, "0"),
        (3e-7, "3e-07"),
        (3.01e-7, "4e-07"),
        (9.7e-6, "1e-05"),
        (0.031, "4e-02"),
        (math.inf, "–"),
    ],
)
def test_differences_are_printed_rounded_up(difference, text):
    assert shown(difference) == text


def test_the_command_prints_a_table_and_says_by_its_status_whether_all_agrees(small, monkeypatch, capsys):
    good = small("reliability_all_items", name="good")
    assert command(monkeypatch, good) == 0
    said = capsys.readouterr().out
    assert "reliability_all_items" in said
    assert "all within tolerance" in said
    assert "Not compared" in said

    def spoil(figures):
        figures["reliability_all_items"]["alpha"] = 0.5

    bad = small("reliability_all_items", change=spoil, name="bad")
    assert command(monkeypatch, good, bad) == 1
    said = capsys.readouterr().out
    assert "1 miss" in said
    assert "reliability_all_items/alpha: R has 0.5, here 0.7" in said
    assert "2 sets" in said


def test_json_has_one_shape(small, monkeypatch, capsys):
    def spoil(figures):
        figures["reliability_all_items"]["alpha"] = 0.5

    folder = small("reliability_all_items", change=spoil)
    assert command(monkeypatch, folder, "--json") == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(json.dumps(report(agree([folder]))))
    assert set(printed) == {"schema", "version", "agrees", "sets"}
    assert set(printed["sets"][0]) == {
        "name", "folder", "programs", "agrees", "rows", "optima", "remark", "not_compared",
    }  # fmt: skip
    row = next(row for row in printed["sets"][0]["rows"] if row["verdict"] == "misses")
    assert set(row) == {"section", "metric", "compared", "largest", "tolerance", "verdict", "misses", "short"}
    assert row["misses"][0] == {
        "key": "reliability_all_items/alpha", "ours": pytest.approx(0.76, abs=0.01), "theirs": 0.5,
        "difference": row["largest"],
    }  # fmt: skip
    assert set(printed["sets"][0]["not_compared"][0]) == {"section", "reason", "keys"}


@pytest.fixture
def small_book(tmp_path, root, small):
    """A book of one page that compares one small set, under the course's own extensions."""
    book = tmp_path / "book"
    (book / "golden").mkdir(parents=True)
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config = {"title": "Small", "sphinx": {"extra_extensions": config["sphinx"]["extra_extensions"]}}
    (book / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (book / "_toc.yml").write_text("format: jb-book\nroot: index\n", encoding="utf-8")
    page = "# Agreement\n\n```{agreement} golden\n```\n\n```{agreement-tolerances}\n```\n"
    (book / "index.md").write_text(page, encoding="utf-8")
    small("reliability_all_items", "correlations").rename(book / "golden" / "small")
    return book


def test_the_page_shows_the_tables_and_is_computed_again_only_when_a_figure_changes(small_book, monkeypatch):
    computed = []
    monkeypatch.setattr(golden_page, "agree", lambda given: computed.append(given) or agree(given))
    page = build_book(small_book) / "index.html"
    shown_first = page.read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", " ", shown_first)
    assert re.search(r"90 figures of 1 set compared, all within tolerance\.", text)
    assert "Pearson, listwise" in text
    assert "< 10⁻¹⁰" in html.unescape(text)
    build_book(small_book)
    assert len(computed) == 1
    golden = small_book / "golden" / "small" / "golden.json"
    figures = json.loads(golden.read_text(encoding="utf-8"))
    figures["reliability_all_items"]["alpha"] = 0.5
    golden.write_text(json.dumps(figures), encoding="utf-8")
    with pytest.raises(CourseError, match=r"reliability_all_items/alpha: R has 0\.5, here 0\.7"):
        build_book(small_book)


def test_a_page_without_golden_sets_fails_the_build(small_book):
    shutil.rmtree(small_book / "golden")
    with pytest.raises(CourseError, match="golden is not there"):
        build_book(small_book)


def test_a_set_named_twice_is_gone_through_once_and_progress_reaches_every_section(small):
    folder = small("reliability_all_items", "correlations")
    told = []
    found = agree([folder, folder.parent], progress=lambda done, total, name: told.append((done, total, name)))
    assert len(found) == 1
    assert [done for done, _, _ in told] == list(range(told[0][1]))
    assert told[0][2] == "hs1939, reliability_all_items"


def _without(name):
    return lambda folder: (folder / name).unlink()


def _write(name, text):
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_without("golden.json"), "holds no golden.json"),
        (_without("data.csv"), "has no data.csv"),
        (_without("model.lav"), "has no model.lav"),
        (_write("golden.json", '{"items": ['), "is not valid JSON"),
        (_write("golden.json", "[1, 2]"), "names no items"),
        (_write("golden.json", '{"items": []}'), "names no items"),
        (_write("data.csv", "x1,x2\n1,2\n"), "has no column 'x3'"),
        (_write("data.csv", ""), "is empty"),
        (_write("golden.json", "[" * 100_000), "is not valid JSON"),
        (_write("golden.json", '{"items": [["x1"], {"a": 1}]}'), "names no items"),
        (_write("golden.json", '{"items": ["x1"], "meta": [1], "cfa": {"syntax": "v =~ x1"}}'), "is not the model"),
        (_write("model.lav", "visual = x1 + x2"), "model.lav: The model line 'visual = x1 + x2' is not understood"),
        (_write("golden.json", '{"items": ["x1"], "invariance": {"group": "class"}}'), "has no column 'class'"),
    ],
)
def test_a_set_that_cannot_be_read_is_told_with_status_2(small, monkeypatch, capsys, spoil, says):
    folder = small("reliability_all_items")
    spoil(folder)
    assert command(monkeypatch, folder) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"nowhere is not there\. Name a folder"):
        agree([tmp_path / "nowhere"])
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file is a file\. Name a folder"):
        agree([tmp_path / "file"])
