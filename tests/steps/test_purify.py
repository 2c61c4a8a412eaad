"""Alpha, CITC and the purification of scales."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from counting import counting
from hypothesis import given, settings
from reference import NAMES, load
from ugly import frames, says_why_or_is_finite, scales_of

from cocreation.core import reliability
from cocreation.errors import InputError
from cocreation.steps.purify import alpha, purify

CLOSED_FORM = {"rtol": 1e-9, "atol": 0}


@pytest.fixture(params=NAMES)
def golden(request):
    return load(request.param)


def test_alpha_and_its_interval_equal_psych(golden):
    for block in golden.figures["reliability"].values():
        ours = alpha(golden.data, block["items"])
        theirs = [block[name] for name in ("alpha", "alpha_std", "mean_inter_item_r", "n")]
        np.testing.assert_allclose([ours.alpha, ours.alpha_std, ours.mean_r, ours.n], theirs, **CLOSED_FORM)
        limits = block["alpha_ci95_feldt"]
        np.testing.assert_allclose([ours.lower, ours.upper], [limits["lower"], limits["upper"]], **CLOSED_FORM)


def test_item_statistics_equal_psych(golden):
    described = pd.DataFrame(golden.figures["descriptives"]).set_index("item")
    for block in golden.figures["reliability"].values():
        theirs = pd.DataFrame(block["item_stats"])
        ours = alpha(golden.data, block["items"]).items
        np.testing.assert_allclose(ours["citc"], theirs["citc_r_drop"], **CLOSED_FORM)
        np.testing.assert_allclose(ours["alpha_if_deleted"], theirs["alpha_if_deleted"], **CLOSED_FORM)
        if block["n"] < golden.figures["n_rows"]:  # R describes an item over all who answered it, alpha over the scale
            continue
        np.testing.assert_allclose(ours["mean"], described.loc[ours["item"], "mean"], **CLOSED_FORM)
        np.testing.assert_allclose(ours["sd"], described.loc[ours["item"], "sd"], **CLOSED_FORM)


def test_alpha_of_all_items_equals_psych(golden):
    block = golden.figures["reliability_all_items"]
    assert alpha(golden.answers).alpha == pytest.approx(block["alpha"], rel=1e-9)


def test_what_rests_on_multiple_correlations_and_the_sum_equals_psych(golden):
    for block in golden.figures["reliability"].values():
        ours = alpha(golden.data, block["items"])
        theirs = [block[name] for name in ("lambda6_smc", "scale_mean_of_sum", "scale_sd_of_sum")]
        np.testing.assert_allclose([ours.lambda6, ours.sum_mean, ours.sum_sd], theirs, **CLOSED_FORM)
        table = pd.DataFrame(block["item_stats"])
        np.testing.assert_allclose(ours.items[["smc", "r_cor"]], table[["smc", "r_cor"]], **CLOSED_FORM)


def test_items_that_mirror_each_other_have_no_multiple_correlations_and_the_note_says_so():
    found = alpha(pd.DataFrame({"a": [1, 2, 3, 5.0], "b": [1, 2, 3, 5.0], "c": [2, 1, 4, 4.0]}))
    assert found.items["smc"].isna().all()
    assert "items repeat or mirror each other" in found.note


def test_alpha_by_hand():
    answers = pd.DataFrame({"a": [1, 2, 3, 4], "b": [2, 1, 4, 3]})
    assert alpha(answers).alpha == pytest.approx(2 * (1 - (5 / 3 + 5 / 3) / (16 / 3)))


def test_an_item_of_huge_spread_does_not_drown_the_others():
    """CITC as pandas correlates: an item with the sum of the others."""
    answers = load("hs1939").answers[["x1", "x2", "x3"]] * [1e7, 1, 1]
    found = alpha(answers).items.set_index("item")["citc"]
    for item in answers:
        assert found[item] == pytest.approx(answers[item].corr(answers.drop(columns=item).sum(axis=1)), rel=1e-9)


def test_alpha_leaves_out_respondents_with_missing_answers_and_says_so():
    answers = load("hs1939").answers.copy()
    answers.iloc[:10, 0] = np.nan
    found = alpha(answers)
    assert found.n == 291
    assert "10 with missing answers left out" in found.note


def test_alpha_without_an_item_does_not_exist_for_two_items_and_the_note_says_so():
    found = alpha(load("hs1939").answers, ["x1", "x2"])
    assert found.items["alpha_if_deleted"].isna().all()
    assert "does not exist with two items" in found.note


def test_items_that_mirror_each_other_are_refused_with_the_remedy():
    answers = pd.DataFrame({"a": [1, 2, 3, 4, 7.0]})
    answers["b"] = 8 - answers["a"]
    with pytest.raises(InputError, match="Recode the reverse-keyed"):
        alpha(answers)
    with pytest.raises(InputError, match="Without item 'c'"):
        alpha(answers.assign(c=[1, 5, 2, 6, 3.0]))


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_confidence_outside_its_range_is_refused(level):
    with pytest.raises(InputError, match=r"0\.95 for 95 %"):
        alpha(load("hs1939").answers, level=level)


def test_sound_scales_lose_nothing_below_the_published_limit():
    golden = load("likert7_sim")
    found = purify(golden.data, golden.scales)
    assert found.kept == golden.scales
    assert (found.decisions["decision"] == "keep").all()


def test_an_item_that_does_not_belong_goes_and_the_log_says_why():
    golden = load("likert7_sim")
    rng = np.random.default_rng(3)
    data = golden.answers.assign(noise=rng.integers(1, 8, len(golden.data)))
    found = purify(data, {"PE": [*golden.scales["PE"], "noise"], "EE": golden.scales["EE"]})
    log = found.decisions.set_index("subject")
    assert log.index[log["decision"] == "drop"].tolist() == ["noise"]
    assert log.loc["noise", "rule"] == "CITC < 0.50"
    assert "among 5 items of PE" in log.loc["noise", "evidence"]
    assert found.kept["PE"] == golden.scales["PE"]
    scale = found.scales.set_index("dimension").loc["PE"]
    assert scale["alpha_after"] > scale["alpha_before"]
    assert scale["alpha_after"] == pytest.approx(alpha(data, golden.scales["PE"]).alpha)


def test_a_good_item_is_not_dropped_for_a_bad_neighbour():
    """Two noise items pull a sound item's CITC below .50; judged again without them, it stays."""
    rng = np.random.default_rng(11)
    factor = rng.standard_normal(400)
    good = {f"g{i}": factor + 0.75 * rng.standard_normal(400) for i in range(3)}
    noise = {f"n{i}": 2.5 * rng.standard_normal(400) for i in range(2)}
    data = pd.DataFrame(good | noise)
    at_first = alpha(data).items.set_index("item")["citc"]
    assert (at_first[list(good)] < 0.5).any()
    assert purify(data, {"D": list(data)}).kept["D"] == list(good)


def test_a_dimension_whose_last_two_items_fail_is_dropped_whole():
    rng = np.random.default_rng(5)
    data = load("hs1939").answers.assign(u=rng.standard_normal(301), v=rng.standard_normal(301))
    found = purify(data, {"textual": ["x4", "x5", "x6"], "empty": ["u", "v"]})
    assert "empty" not in found.kept
    assert found.decisions.set_index("subject").loc[["u", "v"], "decision"].eq("drop").all()


def test_every_item_of_the_pool_has_one_decision():
    golden = load("likert7_sim")
    found = purify(golden.data, golden.scales, citc_below=0.70)
    assert found.decisions["subject"].tolist() == golden.items
    kept = [item for items in found.kept.values() for item in items]
    assert found.decisions.loc[found.decisions["decision"] == "keep", "subject"].tolist() == kept


def test_the_plot_shows_every_item_and_the_limit():
    golden = load("likert7_sim")
    ax = purify(golden.data, golden.scales, citc_below=0.70).plot()
    assert sorted(label.get_text() for label in ax.get_yticklabels()) == sorted(golden.items)
    assert "0.70" in ax.get_title(loc="left")
    line, kept, dropped = ax.get_lines()
    assert set(line.get_xdata()) == {0.70}
    assert min(kept.get_xdata()) >= 0.70 > max(dropped.get_xdata())
    assert kept.get_markerfacecolor() != dropped.get_markerfacecolor() == "white"


@given(frames())
@settings(deadline=None, derandomize=True, max_examples=80)
def test_alpha_is_a_number_or_says_why_not(frame):
    # where items repeat or mirror each other nothing that rests on multiple correlations exists; the note says so
    may_be_empty = ("smc", "r_cor", "lambda6", *(["alpha_if_deleted"] if frame.shape[1] == 2 else []))
    says_why_or_is_finite(lambda: alpha(frame), may_be_empty=may_be_empty)


@given(frames(least=4))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_purification_is_complete_or_says_why_not(frame):
    # an item judged among two, and a dimension dropped whole, have no alpha to show
    empty = ("alpha_if_deleted", "alpha_after")
    says_why_or_is_finite(lambda: purify(frame, scales_of(frame, 3)), may_be_empty=empty)


@pytest.mark.parametrize("limit", [0.3, 0.5, 0.65, 1.0])
def test_a_round_computes_what_it_decides_by_and_no_more(golden, monkeypatch, limit):
    rounds = counting(monkeypatch, reliability.item_statistics)
    unshown = [
        counting(monkeypatch, function)
        for function in (reliability.alpha_interval, reliability.squared_multiple, reliability.overlap_corrected)
    ]
    found = purify(golden.data, golden.scales, citc_below=limit)
    dropped = found.scales["items_before"] - found.scales["items_after"]
    # a round an item dropped and one in which all stay, or in which the last two go
    assert len(rounds) == (dropped + np.where(found.scales["items_after"] > 0, 1, -1)).sum()
    assert unshown == [[], [], []]


@pytest.mark.parametrize("limit", [0.3, 0.5, 0.65])
def test_alpha_before_and_after_is_that_of_the_items_before_and_after(golden, limit):
    found = purify(golden.data, golden.scales, citc_below=limit)
    complete = golden.data[[item for items in golden.scales.values() for item in items]].dropna()
    for row in found.scales.itertuples():
        assert row.alpha_before == alpha(complete, golden.scales[row.dimension]).alpha
        if row.items_after:
            assert row.alpha_after == alpha(complete, found.kept[row.dimension]).alpha
        else:
            assert pd.isna(row.alpha_after)
