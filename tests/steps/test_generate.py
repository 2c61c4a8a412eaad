"""Wording checks and coverage of the construct."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocreation.errors import InputError
from cocreation.steps.generate import FLAWS, coverage, wording
from cocreation.survey import fieldwork, population


def _flaws(text: str) -> set[str]:
    return set(wording({"X1": text}).flagged["flaw"])


@pytest.mark.parametrize(
    ("text", "flaws"),
    [
        ("We notice wishes early.", set()),
        ("We answer quickly and politely.", {"double_barrelled"}),
        ("We answer by mail or phone.", {"double_barrelled"}),
        ("We do not ask customers.", {"negation"}),
        ("We don't ask customers.", {"negation"}),
        ("We can’t ask customers.", {"negation"}),
        ("We always ask customers.", {"absolute"}),
        ("We never ask customers.", {"negation", "absolute"}),
        ("Our brand stands for northern candour.", set()),  # and, or, no within words
        (" ".join(["customers"] * 17) + ".", {"long"}),
    ],
)
def test_words_give_a_flaw_away(text, flaws):
    assert _flaws(text) == flaws


def test_the_words_found_and_the_remedy_are_told():
    flagged = wording({"X1": "We always answer and always smile."}).flagged.set_index("flaw")
    assert flagged.loc["absolute", "found"] == "always"
    assert flagged.loc["double_barrelled", "remedy"] == FLAWS["double_barrelled"]


def test_reading_grade_follows_the_formula():
    # 6 words, 1 sentence, 6 syllables
    table = wording({"X1": "We make what they ask for."}).items
    assert table.loc[0, "grade"] == pytest.approx(0.39 * 6 + 11.8 * 1 - 15.59)


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        *[("make", 1), ("asked", 1), ("smile", 1), ("we", 1), ("rules", 1), ("wanted", 2), ("table", 2), ("tables", 2)],
        *[("admires", 2), ("wishes", 2), ("changes", 2), ("idea", 2), ("customers", 3), ("services", 3)],
        ("everybody", 4),
    ],
)
def test_syllables_are_estimated_from_vowels(word, syllables):
    # one word, one sentence: the grade gives the syllables away ("idea" has three: an estimate, said openly)
    grade = wording({"X1": word}).items.loc[0, "grade"]
    assert (grade + 15.59 - 0.39) / 11.8 == pytest.approx(syllables)


@given(st.dictionaries(st.text("ABC123", min_size=1), st.text(min_size=1), min_size=1, max_size=5))
def test_any_text_is_judged_or_refused(items):
    if all(any(c.isalnum() for c in text) for text in items.values()):
        result = wording(items)
        assert result.items["item"].tolist() == list(items)
        assert (result.items["words"] >= 0).all()
        assert set(result.flagged["item"]) == set(result.items.loc[result.items[list(FLAWS)].any(axis=1), "item"])
    else:
        with pytest.raises(InputError, match="no wording"):
            wording(items)


def test_every_wording_flaw_of_the_pool_is_suspected():
    pool = fieldwork.item_pool().set_index("item")["wording"]
    suspected = set(wording(pool).flagged["item"])
    double = population.load().items.query("flaw == 'double_barrelled'")["item"]
    assert set(double) <= suspected
    assert {"DO10", "CE10", "CE13", "DE10", "DE11", "WC09", "WC11", "EV12"} <= suspected


def test_most_sound_items_are_not_suspected():
    sound = population.load().items.query("role == 'kept'").set_index("item")["wording"]
    assert wording(sound).flagged["item"].nunique() <= 2


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ({}, "no items"),
        ({"X1": ""}, "'X1' has no wording"),
        ({"X1": None}, "'X1' has no wording"),
        (["We ask."], "Expected a mapping"),
        (pd.Series(["a", "b"], index=["X1", "X1"]), "'X1' is named twice"),
    ],
)
def test_bad_items_are_told(items, told):
    with pytest.raises(InputError, match=told):
        wording(items)


class TestCoverage:
    pool = pd.DataFrame(
        {
            "item": ["A1", "A2", "A3", "B1", "B2"],
            "dimension": list("AAABB"),
            "theme": ["joy", "joy", "task", "data", "data"],
        }
    )

    def test_counts_items_a_theme_and_dimension(self):
        result = coverage(self.pool, final={"A": 2, "B": 1})
        assert result.themes["items"].tolist() == [2, 1, 2]
        table = result.dimensions.set_index("dimension")
        assert table["enough"].to_dict() == {"A": True, "B": False}
        assert table["twice"].to_dict() == {"A": False, "B": True}
        assert table.loc["A", "spare"] == -1

    def test_a_theme_without_an_item_is_seen(self):
        scheme = pd.DataFrame({"dimension": list("AABB"), "theme": ["joy", "task", "data", "people"]})
        themes = coverage(self.pool, scheme=scheme).themes.set_index("theme")
        assert themes.loc["people", "items"] == 0

    def test_the_43_meet_both_rules_and_the_second_by_one_item(self):
        truth = population.load()
        final = {code: len(items) for code, items in truth.scales(kept_only=True).items()}
        result = coverage(truth.items, scheme=truth.themes, final=final)
        assert result.dimensions["enough"].all()
        assert result.dimensions["twice"].all()
        assert result.dimensions["spare"].sum() == 43 - 2 * 21 == 1

    def test_bad_tables_are_told(self):
        with pytest.raises(InputError, match="have no column 'theme'"):
            coverage(self.pool.drop(columns="theme"))
        with pytest.raises(InputError, match="row without"):
            coverage(self.pool.assign(theme=None))
        with pytest.raises(InputError, match="'A1' is named twice"):
            coverage(pd.concat([self.pool, self.pool]))
        with pytest.raises(InputError, match="final says nothing of the dimension 'B'"):
            coverage(self.pool, final={"A": 2})
        with pytest.raises(InputError, match="'data' of dimension 'B' is not in the scheme"):
            coverage(self.pool, scheme=self.pool[self.pool["dimension"] == "A"])


def test_figures_show_every_item_and_theme():
    pool = fieldwork.item_pool()
    bars = wording(pool.set_index("item")["wording"]).plot().patches
    assert sum(bar.get_height() for bar in bars) == 60
    assert len(coverage(pool).plot().get_yticks()) == 14
