"""Screening of respondents and description of what they answered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import NAMES, load

from cocreation.errors import InputError
from cocreation.steps.screen import RULES, describe, sample_description, screen

ITEMS = ["Q1", "Q2", "Q3"]


def _raw(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[*ITEMS, "trap", "back"])


SIX = _raw(
    ("5", "6", "7", "2", 1),
    ("", "", "", "", 0),
    ("5", "", "5|6", "3", 1),
    ("5", "3|5", "4", "7", 1),
    ("4", "4", "4", "7", 1),
    ("4", "4", "4", "2", 1),
)


class TestRules:
    result = screen(SIX, items=ITEMS, trap=("trap", 2), returned="back")

    def test_a_respondent_is_counted_under_the_first_rule_broken(self):
        assert self.result.flags["reason"].tolist() == ["", *RULES]

    def test_flags_tell_every_rule_broken(self):
        third = self.result.flags.iloc[2]
        assert third["missing"]
        assert third["two_ticks"]
        assert third["trap_failed"]
        assert not third["not_returned"]

    def test_recovery_counts_down_to_the_valid(self):
        assert self.result.recovery["n"].tolist() == [6, 5, 4, 3, 2, 1, 1]
        last = self.result.recovery.iloc[-1]
        assert last["percent_of_distributed"] == pytest.approx(100 / 6)
        assert last["percent_of_returned"] == pytest.approx(20)

    def test_valid_answers_are_numbers_and_other_columns_stay(self):
        assert self.result.valid[ITEMS].to_numpy().tolist() == [[5, 6, 7]]
        assert self.result.valid["trap"].tolist() == ["2"]
        assert self.result.valid[ITEMS].dtypes.astype(str).tolist() == ["int64"] * 3

    def test_decisions_have_one_row_a_group(self):
        assert self.result.decisions["decision"].tolist() == ["drop"] * 5 + ["keep"]
        assert self.result.decisions["evidence"].iloc[0] == "1 of 6 distributed"

    def test_only_the_rules_asked_for_are_applied(self):
        loose = screen(SIX.iloc[[0, 4, 5]], items=ITEMS, straightline=False)
        assert len(loose.valid) == 3
        assert loose.recovery["stage"].tolist() == ["distributed", "all items answered", "one answer an item", "valid"]

    def test_the_raw_data_are_left_alone(self):
        before = SIX.copy()
        screen(SIX, items=ITEMS, trap=("trap", 2), returned="back")
        pd.testing.assert_frame_equal(SIX, before)

    def test_empty_text_and_missing_values_are_the_same(self):
        with_nan = SIX.mask(SIX == "")
        other = screen(with_nan, items=ITEMS, trap=("trap", 2), returned="back")
        pd.testing.assert_frame_equal(other.recovery, self.result.recovery)

    def test_numbers_do_as_well_as_text(self):
        numbers = pd.DataFrame({"Q1": [1.0, np.nan], "Q2": [2.0, 2.0]})
        assert screen(numbers, items=["Q1", "Q2"]).flags["reason"].tolist() == ["", "missing"]

    @pytest.mark.parametrize("words", [("yes", "no"), ("True", "False"), (True, False), ("1", "0")])
    def test_returned_is_said_in_several_ways(self, words):
        raw = pd.DataFrame({"Q1": ["1", ""], "Q2": ["2", ""], "back": list(words)})
        assert screen(raw, items=["Q1", "Q2"], returned="back").recovery["n"].tolist() == [2, 1, 1, 1, 1, 1]


ANSWER = st.sampled_from(["", "1", "2", "3", "7", "3|5", " 4 "])


@given(st.lists(st.tuples(ANSWER, ANSWER, ANSWER, ANSWER, st.booleans()), min_size=1, max_size=30), st.booleans())
@settings(deadline=None, max_examples=60)
def test_valid_answers_are_complete_whatever_comes_in(rows, straightline):
    raw = _raw(*rows)
    result = screen(raw, items=ITEMS, trap=("trap", 2), returned="back", straightline=straightline)
    assert result.valid[ITEMS].notna().all(axis=None)
    assert result.valid[ITEMS].isin([1, 2, 3, 4, 7]).all(axis=None)
    assert (result.valid["trap"].str.strip() == "2").all()
    assert result.recovery["n"].is_monotonic_decreasing
    assert result.recovery["n"].iloc[-1] == len(result.valid) == (result.flags["reason"] == "").sum()
    assert (result.flags["reason"] == "").eq(~result.flags[list(RULES)].any(axis=1)).all()


class TestBadInput:
    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"items": ["Q1", "Q9"]}, "no item 'Q9'"),
            ({"items": "Q1"}, r"Write \['Q1'\]"),
            ({"items": ["Q1"]}, "at least two items"),
            ({"items": ["Q1", "Q1"]}, "'Q1' is named twice"),
            ({"trap": ("trick", 2)}, "no column 'trick'"),
            ({"trap": "trap"}, "pair"),
            ({"returned": "sent"}, "no column 'sent'"),
            ({"returned": "Q1"}, "True/False, 1/0 or yes/no"),
            ({"ticks": ""}, "cannot be empty"),
        ],
    )
    def test_a_wrong_argument_is_named(self, change, told):
        with pytest.raises(InputError, match=told):
            screen(SIX, **({"items": ITEMS} | change))

    @pytest.mark.parametrize("answer", ["8", "0", "often", "3,5", "inf"])
    def test_an_impossible_answer_is_named_with_item_and_row(self, answer):
        raw = SIX.copy()
        raw.loc[3, "Q2"] = answer
        with pytest.raises(InputError, match=f"'Q2', row 3, holds '{answer}'"):
            screen(raw, items=ITEMS)

    def test_an_empty_survey_is_refused(self):
        with pytest.raises(InputError, match="no questionnaires"):
            screen(SIX.iloc[:0], items=ITEMS)
        with pytest.raises(InputError, match="DataFrame"):
            screen([1, 2], items=ITEMS)


class TestDescribe:
    @pytest.mark.parametrize("name", NAMES)
    def test_equals_spss_definitions_on_data_nobody_here_made(self, name):
        golden = load(name)
        table = describe(golden.data, golden.items).table.set_index("item")
        other = describe(golden.data, golden.items, convention="psych").table.set_index("item")
        for row in golden.figures["descriptives"]:
            mine = table.loc[row["item"]]
            assert mine["n"] == row["n"]
            for ours, theirs in [
                ("mean", "mean"),
                ("sd", "sd"),
                ("skew", "skew_g1_spss"),
                ("kurtosis", "kurtosis_g2_spss"),
            ]:
                assert mine[ours] == pytest.approx(row[theirs], rel=1e-9, abs=1e-11)
            for shape, theirs in (("skew", "skew_psych_type3"), ("kurtosis", "kurtosis_psych_type3")):
                assert other.loc[row["item"], shape] == pytest.approx(row[theirs], rel=1e-9, abs=1e-11)

    def test_each_item_is_described_over_those_who_answered_it(self):
        data = pd.DataFrame({"Q1": [1, 2, 3, 7, None], "Q2": [1, 1, 7, 7, 7]})
        table = describe(data, points=(1, 7)).table.set_index("item")
        assert table["n"].tolist() == [4, 5]
        assert table["floor"].tolist() == pytest.approx([25, 40])
        assert table["ceiling"].tolist() == pytest.approx([25, 60])

    def test_a_constant_item_has_no_skewness(self):
        table = describe(pd.DataFrame({"Q1": [4, 4, 4, 4]})).table
        assert table.loc[0, "sd"] == 0
        assert table[["skew", "kurtosis"]].isna().all(axis=None)

    @given(st.lists(st.integers(1, 7), min_size=4, max_size=40))
    def test_turning_the_scale_round_turns_skewness_only(self, answers):
        data = pd.DataFrame({"Q1": answers})
        one, two = (describe(d, points=(1, 7)).table.iloc[0] for d in (data, 8 - data))
        assert one["skew"] == pytest.approx(-two["skew"], abs=1e-9, nan_ok=True)
        assert one["kurtosis"] == pytest.approx(two["kurtosis"], abs=1e-9, nan_ok=True)
        assert one["floor"] == two["ceiling"]

    def test_shares_of_an_item_add_up(self):
        shares = describe(pd.DataFrame({"Q1": [1, 2, 2], "Q2": [7, 7, None]})).shares
        assert shares.sum(axis=1).tolist() == pytest.approx([100, 100])
        assert list(shares) == [1, 2, 7]

    def test_an_unknown_convention_is_told_and_the_note_names_the_one_used(self):
        answers = pd.DataFrame({"Q1": [1, 2, 3, 7]})
        assert "as in psych" in describe(answers, convention="psych").note
        with pytest.raises(InputError, match="convention is 'spss' or 'psych', not 'sas'"):
            describe(answers, convention="sas")

    def test_bad_data_are_told(self):
        with pytest.raises(InputError, match="'Q1' is not numeric"):
            describe(pd.DataFrame({"Q1": ["3|5", "4"]}))
        with pytest.raises(InputError, match="no item 'Q9'"):
            describe(pd.DataFrame({"Q1": [1, 2]}), ["Q9"])
        with pytest.raises(InputError, match="has an answer"):
            describe(pd.DataFrame({"Q1": [np.nan, np.nan]}))

    def test_a_figure_of_too_many_values_is_refused(self):
        with pytest.raises(InputError, match="histogram"):
            describe(pd.DataFrame({"Q1": np.arange(20.0)})).plot()


class TestSample:
    firms = pd.DataFrame(
        {
            "size": ["small"] * 5 + ["large"] * 3 + [None] * 2,
            "age": ["over 20", "1–5", "16–20", "6–10", "6–10", "1–5", "1–5", "16–20", "11–15", "over 20"],
        }
    )

    def test_counts_and_percentages_of_those_who_answered(self):
        table = sample_description(self.firms, ["size"]).table
        assert table["category"].tolist() == ["small", "large"]
        assert table["percent"].tolist() == [62.5, 37.5]
        assert "2 did not answer 'size'" in sample_description(self.firms, ["size"]).note

    def test_categories_with_numbers_stand_in_their_order(self):
        table = sample_description(self.firms, ["age"]).table
        assert table["category"].tolist() == ["1–5", "6–10", "11–15", "16–20", "over 20"]

    def test_a_wanted_order_is_kept_and_must_be_complete(self):
        table = sample_description(self.firms, ["size"], order={"size": ["large", "medium", "small"]}).table
        assert table["n"].tolist() == [3, 0, 5]
        with pytest.raises(InputError, match="leaves out the category 'small'"):
            sample_description(self.firms, ["size"], order={"size": ["large"]})

    def test_bad_columns_are_told(self):
        with pytest.raises(InputError, match="no column 'colour'"):
            sample_description(self.firms, ["colour"])
        with pytest.raises(InputError, match="Nobody answered 'size'"):
            sample_description(self.firms.assign(size=None), ["size"])
        with pytest.raises(InputError, match="at least one column"):
            sample_description(self.firms, [])


def test_figures_show_every_stage_item_and_category():
    assert len(screen(SIX, items=ITEMS, trap=("trap", 2), returned="back").plot().patches) == 6
    assert len(describe(pd.DataFrame({"Q1": [1, 2, 2], "Q2": [2, 2, 1]})).plot().get_yticks()) == 2
    assert len(sample_description(TestSample.firms, ["size", "age"]).plot().get_yticks()) == 7
