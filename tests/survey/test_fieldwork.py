"""The invented fieldwork: interviews, item pool, expert panel."""

from __future__ import annotations

import pandas as pd
import pytest

from cocreation.steps.conceptualize import agreement
from cocreation.survey import fieldwork, population

NAMES = ["interviews", "item_pool", "expert_sorts"]


@pytest.mark.parametrize("name", NAMES)
def test_a_second_draw_is_the_same(name):
    pd.testing.assert_frame_equal(getattr(fieldwork, name)(), getattr(fieldwork, name)())


@pytest.mark.parametrize("name", NAMES)
def test_the_codebook_names_every_column_in_order(name):
    assert fieldwork.CODEBOOKS[name]["column"].tolist() == list(getattr(fieldwork, name)())


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_file_is_the_draw(name, root):
    drawn = getattr(fieldwork, name)().to_csv(index=False, lineterminator="\n").encode()
    assert (root / "datasets" / f"{name}.csv").read_bytes() == drawn


class TestInterviews:
    talks = fieldwork.interviews()

    def test_forty_five_interviews_of_54_minutes_in_three_firms(self):
        each = self.talks.drop_duplicates("interview")
        assert len(each) == 45
        assert each["minutes"].mean() == 54
        assert each["firm"].value_counts().tolist() == [15, 15, 15]
        assert set(each["role"]) == {"manager", "staff", "customer"}

    def test_an_interview_has_one_firm_role_and_length(self):
        assert len(self.talks[["interview", "firm", "role", "minutes"]].drop_duplicates()) == 45

    def test_no_sentence_is_said_twice_and_no_gap_is_left_open(self):
        assert self.talks["text"].is_unique
        assert not self.talks["text"].str.contains("[{}]").any()

    def test_every_theme_has_at_least_three_wordings(self):
        assert set(self.talks["theme"]) == set(population.load().themes["theme"])
        assert self.talks.groupby("theme")["text"].nunique().min() >= 3

    def test_the_coders_agree_as_trained_coders_do(self):
        result = agreement(self.talks["coder_a"], self.talks["coder_b"])
        assert result.kappa == pytest.approx(0.8, abs=0.02)
        assert (result.codes["agreement"] < 100).sum() >= 10

    def test_what_both_coders_saw_is_the_agreed_theme(self):
        same = self.talks[self.talks["coder_a"] == self.talks["coder_b"]]
        assert (same["theme"] == same["coder_a"]).all()

    @pytest.mark.parametrize("name", ["Haier", "Kute", "Xiaomi", "XM", "HG", "KS"])
    def test_no_real_firm_is_named(self, name):
        assert not self.talks.astype(str).apply(lambda column: column.str.contains(rf"\b{name}\b")).any(axis=None)


class TestPool:
    def test_the_pool_holds_the_43_and_17_more(self):
        pool = fieldwork.item_pool()
        assert len(pool) == 60
        assert set(population.load().items["item"]) < set(pool["item"])
        assert pool["item"].is_unique
        assert pool["wording"].is_unique
        assert sorted(pool["shown"]) == list(range(1, 61))

    def test_an_items_letters_are_its_dimension(self):
        pool = fieldwork.item_pool()
        assert (pool["item"].str[:2] == pool["dimension"]).all()


class TestPanel:
    votes = fieldwork.expert_sorts()

    def test_two_professors_and_four_doctoral_students_in_two_groups_of_three(self):
        experts = self.votes.drop_duplicates("expert")
        assert experts["role"].value_counts().to_dict() == {"doctoral student": 4, "professor": 2}
        assert experts["group"].value_counts().to_dict() == {"sorting": 3, "rating": 3}

    def test_sorters_sort_raters_rate_and_nobody_leaves_an_item_out(self):
        sorting = self.votes["group"] == "sorting"
        assert (self.votes["sorted_to"].notna() == sorting).all()
        assert (self.votes["relevance"].notna() == ~sorting).all()
        assert len(self.votes) == 60 * 6
