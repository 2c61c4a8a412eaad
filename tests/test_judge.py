"""Sorting, relevance, agreement of raters and the panel's decision."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import fleiss_kappa as their_kappa

from cocreation.errors import InputError
from cocreation.steps.judge import chance, fleiss_kappa, judge, relevance, sorting, substantive_critical
from cocreation.survey import fieldwork, population

# Fleiss (1971): 30 patients, 6 psychiatrists, 5 diagnoses; votes a patient and diagnosis
DIAGNOSES = """
00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006
"""


@pytest.fixture(scope="module")
def panel():
    votes = fieldwork.expert_sorts()
    pool = fieldwork.item_pool()
    sorts = votes[votes["group"] == "sorting"].pivot_table("sorted_to", "item", "expert", aggfunc="first")
    ratings = votes[votes["group"] == "rating"].pivot_table("relevance", "item", "expert")
    return pool.set_index("item")["dimension"], sorts.loc[pool["item"]], ratings.loc[pool["item"]]


def _sorts(*rows: str) -> pd.DataFrame:
    return pd.DataFrame([row.split() for row in rows], index=[f"X{i}" for i in range(1, len(rows) + 1)])


class TestChance:
    def test_three_random_sorters_agree_on_some_of_five_bins_half_of_the_time(self):
        assert chance(3, 5, 2).any_bin == pytest.approx(0.52)
        assert chance(3, 5, 2).intended == pytest.approx(0.104)

    @pytest.mark.parametrize(("raters", "bins", "at_least"), [(2, 3, 2), (3, 5, 2), (4, 3, 3), (5, 2, 3), (4, 4, 1)])
    def test_equals_counting_every_sequence(self, raters, bins, at_least):
        every = list(itertools.product(range(bins), repeat=raters))
        hit = [max(votes.count(b) for b in range(bins)) >= at_least for votes in every]
        aimed = [votes.count(0) >= at_least for votes in every]
        result = chance(raters, bins, at_least)
        assert result.any_bin == pytest.approx(np.mean(hit))
        assert result.intended == pytest.approx(np.mean(aimed))

    @pytest.mark.parametrize(("raters", "bins", "at_least"), [(3, 5, 2), (10, 3, 1), (1, 2, 1)])
    def test_figure_shows_panels_of_other_sizes_and_frames_its_own(self, raters, bins, at_least):
        result = chance(raters, bins, at_least)
        ax = result.plot()
        frame = ax.patches[-1]
        size = int(ax.get_xticklabels()[int(frame.get_x())].get_text())
        agree = int(ax.get_yticklabels()[int(frame.get_y())].get_text())
        assert (size, agree) == (raters, at_least)
        framed = [text for text in ax.texts if text.get_position() == (frame.get_x() + 0.5, frame.get_y() + 0.5)]
        assert [text.get_text() for text in framed] == [f"{100 * result.intended:.1f}"]

    def test_impossible_questions_are_told(self):
        with pytest.raises(InputError, match="cannot agree"):
            chance(2, 5, 3)
        with pytest.raises(InputError, match="bins is a whole number"):
            chance(3, 0, 2)


class TestSorting:
    def test_indices_follow_their_definitions(self):
        result = sorting(
            _sorts("A A A", "A A B", "B B A", "A none none", "B none A"),
            dict.fromkeys(["X1", "X2", "X3", "X4", "X5"], "A"),
            dimensions=["A", "B"],
        )
        table = result.items.set_index("item")
        assert table["p_sa"].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3, 1 / 3])
        assert table["c_sv"].tolist() == pytest.approx([1, 1 / 3, -1 / 3, 1 / 3, 0])
        assert table["modal"].tolist() == ["A", "A", "B", "none", "tie"]
        assert table["passed"].tolist() == [True, True, False, False, False]
        assert table["same"].tolist() == [True, True, True, False, False]

    def test_critical_values_are_binomial(self):
        assert np.isnan(substantive_critical(3))  # three sorters can never be significant: .5**3 = .125
        assert substantive_critical(5) == 1
        assert substantive_critical(20) == pytest.approx(0.5)

    @given(st.lists(st.lists(st.sampled_from(["A", "B", "C", "none"]), min_size=3, max_size=3), min_size=1))
    @settings(deadline=None, max_examples=60)
    def test_indices_stay_in_their_range(self, rows):
        sorts = pd.DataFrame(rows, index=[f"X{i}" for i in range(len(rows))])
        items = sorting(sorts, dict.fromkeys(sorts.index, "A"), dimensions=["A", "B", "C"]).items
        assert items["p_sa"].between(0, 1).all()
        assert items["c_sv"].between(-1, 1).all()
        assert (items["c_sv"] <= items["p_sa"] + 1e-12).all()
        assert (items["same"] | ~items["passed"]).all()

    @pytest.mark.parametrize(
        ("sorts", "intended", "told"),
        [
            (_sorts("A A", "A Q"), {"X1": "A", "X2": "A"}, "put item 'X2' to 'Q'"),
            (_sorts("A A", "A A"), {"X1": "A"}, "item 'X2' was written"),
            (_sorts("A", "A"), {"X1": "A", "X2": "A"}, "at least two"),
            (_sorts("A A").replace("A", None), {"X1": "A"}, "has no vote"),
            (pd.DataFrame(), {}, "got none"),
        ],
    )
    def test_bad_votes_are_told(self, sorts, intended, told):
        with pytest.raises(InputError, match=told):
            sorting(sorts, intended)

    def test_an_impossible_rule_is_told(self):
        with pytest.raises(InputError, match="from 1 to the 2 sorters"):
            sorting(_sorts("A A"), {"X1": "A"}, agree=3)


class TestRelevance:
    def test_modified_kappa_as_tabled_by_polit_beck_and_owen(self):
        # three experts: 3 of 3 give kappa 1.00, 2 of 3 give .47; six experts, 5 of 6: .82 (their table 4)
        three = relevance(pd.DataFrame([[4, 3, 4], [4, 3, 2]], index=["X1", "X2"])).items
        assert three["kappa"].tolist() == pytest.approx([1, 0.467], abs=5e-4)
        assert three["verdict"].tolist() == ["excellent", "fair"]
        six = relevance(pd.DataFrame([[4, 4, 4, 3, 3, 1]], index=["X1"])).items
        assert six.loc[0, "i_cvi"] == pytest.approx(5 / 6)
        assert six.loc[0, "kappa"] == pytest.approx(0.82, abs=0.005)

    def test_scale_indices_are_mean_and_share_of_unanimity(self):
        result = relevance(pd.DataFrame([[4, 3, 4], [4, 3, 2], [1, 1, 1]]))
        assert result.s_cvi_ave == pytest.approx((1 + 2 / 3 + 0) / 3)
        assert result.s_cvi_ua == pytest.approx(1 / 3)

    @pytest.mark.parametrize("rating", [0, 5, None, "often"])
    def test_an_impossible_rating_is_named(self, rating):
        with pytest.raises(InputError, match="item 'X1'"):
            relevance(pd.DataFrame([[4, rating]], index=["X1"], dtype=object))

    def test_one_rater_is_too_few(self):
        with pytest.raises(InputError, match="two or more"):
            relevance(pd.DataFrame([[4]]))


class TestFleiss:
    def test_published_example(self):
        counts = [[int(vote) for vote in patient] for patient in DIAGNOSES.split()]
        votes = pd.DataFrame([np.repeat(range(5), patient) for patient in counts])
        result = fleiss_kappa(votes)
        assert result.kappa == pytest.approx(0.430, abs=5e-4)
        assert result.z == pytest.approx(17.7, abs=0.05)  # as R's irr::kappam.fleiss prints
        assert result.kappa == pytest.approx(their_kappa(np.array(counts)), abs=1e-12)

    def test_standard_error_is_close_to_the_jackknife(self, panel):
        sorts = panel[1]
        without = np.array([fleiss_kappa(sorts.drop(item)).kappa for item in sorts.index])
        n = len(without)
        jackknife = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
        assert fleiss_kappa(sorts).se == pytest.approx(jackknife, rel=0.05)

    def test_standard_error_under_chance_is_the_spread_of_random_sorters(self):
        rng = np.random.default_rng(8)
        results = [fleiss_kappa(pd.DataFrame(rng.integers(0, 4, (60, 3)))) for _ in range(400)]
        assert np.std([r.kappa for r in results]) == pytest.approx(np.mean([r.se0 for r in results]), rel=0.12)

    @given(st.lists(st.lists(st.sampled_from("ABC"), min_size=3, max_size=3), min_size=2, max_size=20))
    @settings(deadline=None, max_examples=60)
    def test_order_of_raters_and_names_of_bins_do_not_matter(self, rows):
        votes = pd.DataFrame(rows)
        if len(set(votes.to_numpy().ravel())) == 1:
            with pytest.raises(InputError, match="undefined"):
                fleiss_kappa(votes)
            return
        one = fleiss_kappa(votes).kappa
        assert fleiss_kappa(votes.iloc[:, ::-1]).kappa == pytest.approx(one, abs=1e-12)
        assert fleiss_kappa(votes.replace({"A": "Q"})).kappa == pytest.approx(one, abs=1e-12)
        assert one <= 1 + 1e-12

    def test_bad_votes_are_told(self):
        with pytest.raises(InputError, match="at least two items"):
            fleiss_kappa(_sorts("A B"))
        with pytest.raises(InputError, match="no vote on item 'X2'"):
            fleiss_kappa(_sorts("A B", "A B").replace("B", None).iloc[::-1])


class TestPanel:
    def test_the_rules_leave_exactly_the_43_items_of_the_population(self, panel):
        intended, sorts, ratings = panel
        decision = judge(sorting(sorts, intended), relevance(ratings))
        assert decision.kept == population.load().items["item"].tolist()
        assert (decision.decisions["decision"] == "drop").sum() == 17

    def test_the_rule_read_literally_lets_items_of_another_dimension_pass(self, panel):
        intended, sorts, _ = panel
        items = sorting(sorts, intended).items
        assert items["same"].sum() > items["passed"].sum() > 43

    def test_an_item_is_dropped_under_the_first_rule_it_breaks(self):
        sorts = sorting(_sorts("A A", "B B", "A A"), dict.fromkeys(["X1", "X2", "X3"], "A"), dimensions=["A", "B"])
        ratings = relevance(pd.DataFrame([[4, 4], [1, 1], [1, 1]], index=["X1", "X2", "X3"]))
        log = judge(sorts, ratings).decisions.set_index("subject")
        assert log["decision"].tolist() == ["keep", "drop", "drop"]
        assert "sorters" in log.loc["X2", "rule"]
        assert "raters" in log.loc["X3", "rule"]
        assert "most said B" in log.loc["X2", "evidence"]

    def test_groups_must_judge_the_same_items(self, panel):
        intended, sorts, ratings = panel
        with pytest.raises(InputError, match="'DO01' was judged by one group only"):
            judge(sorting(sorts, intended), relevance(ratings.drop(index="DO01")))
        with pytest.raises(InputError, match="from 0 to the 3 raters"):
            judge(sorting(sorts, intended), relevance(ratings), raters=4)

    def test_figures_show_all_votes(self, panel):
        intended, sorts, ratings = panel
        result = sorting(sorts, intended)
        assert result.table.to_numpy().sum() == 180
        assert len(result.plot().get_xticklabels()) == 6
        drawn = judge(result, relevance(ratings)).plot()
        assert sum(int(text.get_text()) for text in drawn.texts) == 60
