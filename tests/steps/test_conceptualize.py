"""Agreement of coders and saturation of themes."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from cocreation.errors import InputError
from cocreation.steps.conceptualize import agreement, saturation
from cocreation.survey import fieldwork

CODES = st.sampled_from(["joy", "task", "people", "data"])


def _mentions(*interviews: str) -> pd.DataFrame:
    rows = [(f"I{i}", theme) for i, themes in enumerate(interviews, start=1) for theme in themes]
    return pd.DataFrame(rows, columns=["interview", "theme"])


class TestKappa:
    def test_equals_two_independent_implementations_on_the_interviews(self):
        talks = fieldwork.interviews()
        result = agreement(talks["coder_a"], talks["coder_b"])
        other = cohens_kappa(result.confusion.to_numpy())
        assert result.kappa == pytest.approx(cohen_kappa_score(talks["coder_a"], talks["coder_b"]), abs=1e-12)
        assert result.kappa == pytest.approx(other.kappa, abs=1e-12)
        assert result.se == pytest.approx(other.std_kappa, abs=1e-12)
        assert result.se0 == pytest.approx(other.std_kappa0, abs=1e-12)
        assert (result.lower, result.upper) == pytest.approx((other.kappa_low, other.kappa_upp), abs=1e-9)

    def test_an_interval_ends_where_kappa_does_and_says_where_it_would(self):
        """kappa .75 with a standard error of .226: the symmetric interval ends at 1.194 (psych prints 1)."""
        result = agreement(list("aaabbbab"), list("aaabbbaa"))
        assert (result.kappa, result.lower, result.upper) == pytest.approx((0.75, 0.306210, 1.0), abs=1e-6)
        assert "the symmetric one ends at 1.194." in result.note
        assert "cut" not in agreement(["yes", "no"] * 20, ["yes", "no", "no", "no"] * 10).note
        assert "cut" not in agreement(list("aabb"), list("aabb")).note

    def test_follows_its_definition_by_hand(self):
        # yes/yes 20, yes/no 5, no/yes 10, no/no 15: po = .70, pe = .50
        a = ["yes"] * 25 + ["no"] * 25
        b = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
        result = agreement(a, b)
        assert (result.percent, result.expected, result.kappa) == pytest.approx((70, 50, 0.4))
        assert result.codes.set_index("code").loc["yes", "agreement"] == pytest.approx(100 * 40 / 55)

    def test_standard_error_is_the_spread_over_samples(self):
        rng = np.random.default_rng(5)
        truth = rng.integers(0, 3, (400, 150))
        coded = [np.where(rng.random(truth.shape) < 0.8, truth, rng.integers(0, 3, truth.shape)) for _ in range(2)]
        results = [agreement(a, b) for a, b in zip(*coded, strict=True)]
        assert np.std([r.kappa for r in results]) == pytest.approx(np.mean([r.se for r in results]), rel=0.12)

    @given(st.lists(st.tuples(CODES, CODES), min_size=2, max_size=60))
    @settings(deadline=None)
    def test_is_symmetric_and_at_most_one(self, pairs):
        a, b = zip(*pairs, strict=True)
        if len({*a, *b}) == 1:
            with pytest.raises(InputError, match="not defined"):
                agreement(list(a), list(b))
            return
        one, two = agreement(list(a), list(b)), agreement(list(b), list(a))
        assert one.kappa == pytest.approx(two.kappa, abs=1e-12)
        assert one.kappa <= 1 + 1e-12
        assert (one.kappa == pytest.approx(1)) == (a == b)
        assert one.kappa == pytest.approx(cohen_kappa_score(a, b), abs=1e-9)

    def test_an_unused_code_changes_nothing_but_the_table(self):
        a, b = ["joy", "joy", "task"], ["joy", "task", "task"]
        plain, wide = agreement(a, b), agreement(a, b, order=["joy", "people", "task"])
        assert plain.kappa == wide.kappa
        assert np.isnan(wide.codes.set_index("code").loc["people", "agreement"])

    @pytest.mark.parametrize(
        ("weights", "kappa"),
        # psych::cohen.kappa of R on the same codes, for w given as 1 - steps/3 and by default
        [("linear", 0.662162162162162), ("quadratic", 0.786931818181818), (None, 0.517167381974249)],
    )
    def test_weights_let_near_codes_count_in_part(self, weights, kappa):
        a = [1, 2, 3, 4, 4, 2, 1, 3, 2, 1, 4, 3, 2, 2, 1, 3, 4, 4, 1, 2, 3, 3, 2, 1, 4]
        b = [1, 3, 3, 4, 3, 2, 1, 2, 2, 2, 4, 3, 1, 2, 1, 4, 4, 3, 1, 2, 2, 3, 2, 1, 2]
        result = agreement(a, b, order=[1, 2, 3, 4], weights=weights)
        other = cohens_kappa(result.confusion.to_numpy(), wt=weights)
        assert result.kappa == pytest.approx(kappa, abs=1e-13)
        assert (result.se, result.se0) == pytest.approx((other.std_kappa, other.std_kappa0), abs=1e-12)
        assert result.kappa == pytest.approx((result.percent - result.expected) / (100 - result.expected))

    def test_the_weighted_standard_error_is_the_spread_over_samples(self):
        rng = np.random.default_rng(7)
        truth = rng.integers(1, 6, (400, 150))
        coded = [np.clip(truth + rng.integers(-1, 2, truth.shape), 1, 5) for _ in range(2)]
        results = [agreement(a, b, order=[1, 2, 3, 4, 5], weights="quadratic") for a, b in zip(*coded, strict=True)]
        assert np.std([r.kappa for r in results]) == pytest.approx(np.mean([r.se for r in results]), rel=0.12)

    def test_weights_without_an_order_are_refused(self):
        with pytest.raises(InputError, match="which codes are near"):
            agreement([1, 2], [1, 1], weights="linear")
        with pytest.raises(InputError, match="'cubic'"):
            agreement([1, 2], [1, 1], order=[1, 2], weights="cubic")

    @pytest.mark.parametrize(
        ("a", "b", "told"),
        [
            (["joy"], ["joy", "task"], "first coder coded 1"),
            (["joy", None], ["joy", "task"], "excerpt number 2"),
            (["joy", "task"], ["joy", ""], "second coder gave no code"),
            (["joy"], ["joy"], "at least two excerpts"),
            ("joy", ["joy"], "must be a list"),
        ],
    )
    def test_bad_codings_are_told(self, a, b, told):
        with pytest.raises(InputError, match=told):
            agreement(a, b)

    def test_a_code_outside_the_scheme_is_named(self):
        with pytest.raises(InputError, match="'task' is not in the order"):
            agreement(["joy", "task"], ["joy", "joy"], order=["joy", "people"])


class TestSaturation:
    def test_counts_new_themes_interview_by_interview(self):
        result = saturation(_mentions("ab", "b", "bc", "a"))
        assert result.curve["new"].tolist() == [2, 0, 1, 0]
        assert result.curve["found"].tolist() == [2, 2, 3, 3]
        assert result.saturated_at == 3
        assert result.themes.set_index("theme")["interviews"].to_dict() == {"a": 2, "b": 3, "c": 1}

    def test_expected_curve_is_the_mean_over_all_orders(self):
        talks = _mentions("ab", "b", "bcd", "a", "e")
        sets = talks.groupby("interview")["theme"].apply(set).tolist()
        curves = [[len(set().union(*order[:n])) for n in range(1, 6)] for order in itertools.permutations(sets)]
        assert saturation(talks).curve["expected"].to_numpy() == pytest.approx(np.mean(curves, axis=0), abs=1e-12)

    def test_same_seed_same_band(self):
        talks = fieldwork.interviews()
        one, two = (saturation(talks, draws=50, seed=3) for _ in range(2))
        pd.testing.assert_frame_equal(one.curve, two.curve)

    @given(st.lists(st.text("abcdef", min_size=1, max_size=4), min_size=1, max_size=8))
    @settings(deadline=None, max_examples=50)
    def test_curve_never_falls_and_ends_with_all_themes(self, interviews):
        result = saturation(_mentions(*interviews), draws=20)
        assert (np.diff(result.curve["expected"]) >= -1e-9).all()
        last = result.curve.iloc[-1]
        assert last["found"] == len(result.themes) == last["lower"] == last["upper"]
        assert last["expected"] == pytest.approx(len(result.themes))
        assert (result.curve["lower"] <= result.curve["upper"]).all()

    def test_interviews_of_the_course_saturate_well_before_the_last(self):
        result = saturation(fieldwork.interviews())
        assert len(result.themes) == 14
        assert result.saturated_at <= 20
        assert result.curve["interviews"].iloc[-1] == 45

    def test_bad_input_is_told(self):
        talks = _mentions("ab", "c")
        with pytest.raises(InputError, match="no column 'talk'"):
            saturation(talks, interview="talk")
        with pytest.raises(InputError, match="empty in row 0"):
            saturation(talks.assign(theme=[None, "b", "c"]))
        with pytest.raises(InputError, match="no excerpts"):
            saturation(talks.iloc[:0])
        with pytest.raises(InputError, match="random orders"):
            saturation(talks, draws=0)


def test_figures_show_every_code_and_the_number_of_themes():
    talks = fieldwork.interviews()
    ax = agreement(talks["coder_a"], talks["coder_b"]).plot()
    assert len(ax.get_xticklabels()) == 14
    assert saturation(talks, draws=10).plot().get_ylim()[1] == 15
