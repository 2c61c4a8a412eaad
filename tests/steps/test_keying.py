"""Reverse-keyed items that nobody recoded: every function that adds up items names them and the recoding."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from reference import load

from cocreation.core.reliability import against_the_rest, orientation
from cocreation.errors import InputError
from cocreation.steps.confirm import bootstrap
from cocreation.steps.decisions import write_decisions
from cocreation.steps.purify import alpha, ordinal_alpha, purify
from cocreation.steps.validate import htmt_intervals, omega, reliability, retest, validity

GOLDEN = load("bfi_nec_missing")
REVERSED = ["C4", "E1"]
#: as they came: these two of Goldberg's items say the opposite of their trait
RAW = GOLDEN.answers.assign(**{item: 7 - GOLDEN.answers[item] for item in REVERSED})
CONSC = {"Consc": GOLDEN.scales["Consc"]}


def occasions(data: pd.DataFrame) -> list[pd.DataFrame]:
    return [data.assign(respondent=range(len(data)))] * 2


NOTES = {
    "alpha": lambda d: alpha(d, CONSC["Consc"]).note,
    "ordinal_alpha": lambda d: ordinal_alpha(d, CONSC["Consc"]).note,
    "purify": lambda d: purify(d, GOLDEN.scales).note,
    "reliability": lambda d: reliability(d, GOLDEN.scales).note,
    "validity": lambda d: validity(d, GOLDEN.scales).note,
    "htmt_intervals": lambda d: htmt_intervals(d, GOLDEN.scales, draws=50, level=0.9).note,
    "bootstrap": lambda d: bootstrap(d, CONSC, draws=50, level=0.9).note,
    "retest": lambda d: retest(*occasions(d), CONSC).note,
}


@pytest.mark.parametrize("name", NOTES)
def test_an_item_against_the_rest_is_named_and_good_data_are_not_suspected(name):
    data = RAW.dropna().head(600)
    assert "Against the rest" not in NOTES[name](GOLDEN.answers.loc[data.index])
    assert re.search(r"Against the rest of (its|their) scale: 'C4'( of Consc)? \(CITC −0\.\d\d\)", NOTES[name](data))


def test_the_recoding_as_typed_gives_the_alpha_of_psych():
    block = next(b for b in GOLDEN.figures["reliability"].values() if b["items"] == CONSC["Consc"])
    data = GOLDEN.data.assign(C4=7 - GOLDEN.data["C4"])
    typed = re.search(r"first: (data\['C4'\] = 7 - data\['C4'\]) \(", alpha(data, block["items"]).note)[1]
    exec(typed, {"data": data})  # noqa: S102 - the very line a reader is told to type
    assert alpha(data, block["items"]).alpha == pytest.approx(block["alpha"], rel=1e-9)


def test_several_items_are_recoded_in_one_line():
    note = validity(RAW, GOLDEN.scales).note
    assert "data[['C4', 'E1']] = 7 - data[['C4', 'E1']]" in note
    assert "cancel in CR and alpha, but not in AVE and HTMT" in note


def test_purify_judges_the_others_as_if_the_item_were_recoded_and_leaves_it_open():
    raw, right = (purify(d, GOLDEN.scales, citc_below=0.3) for d in (RAW, GOLDEN.answers))
    raw_items, items = raw.items.set_index("item"), right.items.set_index("item")
    others = items.index.difference(REVERSED)
    pd.testing.assert_frame_equal(raw_items.loc[others], items.loc[others])
    assert raw_items.loc[REVERSED, "decision"].tolist() == ["recode?"] * 2
    np.testing.assert_allclose(raw_items.loc[REVERSED, "citc"], -items.loc[REVERSED, "citc"], rtol=1e-9)
    kept = {name: [item for item in group if item not in REVERSED] for name, group in right.kept.items()}
    assert raw.kept == kept
    for row in raw.scales.itertuples():
        assert row.alpha_before == pytest.approx(alpha(RAW.dropna(), GOLDEN.scales[row.dimension]).alpha, rel=1e-9)
        assert row.alpha_after == pytest.approx(alpha(RAW.dropna(), kept[row.dimension]).alpha, rel=1e-9)
    assert "recode?" in [text.get_text() for text in raw.plot().get_legend().get_texts()]


def test_a_log_with_an_open_decision_is_not_written(tmp_path):
    with pytest.raises(InputError, match=r"not 'recode\?' \(row 0\)\. Recode the item"):
        write_decisions(purify(RAW, {"Consc": ["C4", "C1", "C2", "C3"]}).decisions, "purify", tmp_path)


def four(reverse: str, n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    answers = np.clip(np.round(4 + rng.standard_normal((n, 1)) + 0.75 * rng.standard_normal((n, 4))), 1, 7)
    data = pd.DataFrame(answers, columns=list("abcd"))
    return data.assign(**{item: 8 - data[item] for item in reverse})


@pytest.mark.parametrize(
    ("reverse", "named"), [("", ""), ("a", "a"), ("d", "d"), ("cd", "cd"), ("bcd", "a"), ("abcd", "")]
)
def test_whichever_items_are_fewer_go_against_the_rest(reverse, named):
    found = purify(four(reverse), {"F": list("abcd")})
    assert "".join(found.items.loc[found.items["decision"] == "recode?", "item"]) == named
    assert ("As many items go the other way" in found.note) == (len(named) == 2)
    assert (found.items["decision"] != "drop").all()


def test_of_two_items_neither_is_kept_before_one_is_recoded():
    found = purify(four("b")[["a", "b"]], {"F": ["a", "b"]})
    assert found.items["decision"].tolist() == ["recode?", "recode?"]
    assert found.kept == {}


def test_an_unrelated_item_is_seldom_suspected_and_a_reversed_one_nearly_always_found():
    wolf = missed = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        n = (20, 60, 300)[seed % 3]
        x = 0.7 * rng.standard_normal((n, 1)) + 0.7 * rng.standard_normal((n, 5))
        wolf += against_the_rest(np.corrcoef(np.column_stack([x, rng.standard_normal(n)]), rowvar=False), n).any()
        missed += not against_the_rest(np.corrcoef(x * [1, 1, 1, 1, -1], rowvar=False), n)[4]
    assert wolf <= 9
    assert missed <= 9


@pytest.mark.parametrize(("n", "limit"), [(20, 0.378), (40, 0.30), (300, 0.134)])
def test_how_far_below_zero_a_correlation_must_be(n, limit):
    """One-tailed critical correlations as printed in tables: .378 (df 18, 5 %), .134 (df 298, 1 %)."""
    for r, against in ((limit - 0.01, False), (limit + 0.01, True)):
        assert against_the_rest(np.array([[1, -r], [-r, 1]]), n).any() == against


def test_a_tie_is_turned_by_the_first_item_whatever_the_rounding():
    assert orientation(np.array([[1, -0.5], [-0.5, 1]])).tolist() == [1, -1]


def test_omega_reverses_by_the_same_rule():
    assert "Reversed first: C4." in omega(RAW, 1, items=CONSC["Consc"]).note
