"""The same people asked twice: agreement, error of measurement, who is missing."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cocreation.errors import InputError
from cocreation.steps.validate.retest import icc, retest
from cocreation.survey import datasets, population

matplotlib.use("Agg")

# Shrout and Fleiss (1979), table 2: six targets, four judges
SHROUT = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)


@pytest.fixture(scope="module")
def waves():
    scales = population.load().scales(kept_only=True)
    items = [item for group in scales.values() for item in group]
    first = datasets.load("formal_survey")
    first[items] = first[items].apply(pd.to_numeric, errors="coerce")  # an answer with two ticks is missing
    return first[first["returned"] == "yes"], datasets.load("follow_up"), scales


def _two(shift: float = 0.0, n: int = 40, noise: float = 0.5) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(4)
    true = rng.standard_normal((n, 1))
    who = [f"R{i:02}" for i in range(n)]
    one, two = (pd.DataFrame(true + noise * rng.standard_normal((n, 3)), columns=list("abc")) for _ in range(2))
    return one.assign(respondent=who), (two + shift).assign(respondent=who)


SCALE = {"A": ["a", "b", "c"]}


class TestIcc:
    def test_the_published_example(self):
        """Shrout and Fleiss: ICC(2,1) = .29 (.02, .76), ICC(3,1) = .71 (.34, .95); digits from psych::ICC of R."""
        found = icc(SHROUT)
        assert found["A"] == pytest.approx((0.289763779527559, 0.018786513374712, 0.761084369648953), rel=1e-10)
        assert found["C"] == pytest.approx((0.714840714840715, 0.342464765033925, 0.945858259955360), rel=1e-10)

    def test_the_shipped_waves_as_psych_gives_them(self, waves):
        """psych::ICC(lmer = FALSE) on the scale means of the same 120 people."""
        table = retest(*waves).table.set_index("dimension")
        theirs = {
            "DO": (0.860932077342588, 0.806327685146490, 0.900987461628046),
            "WC": (0.786747360660451, 0.707463174576484, 0.846457074140619),
        }
        for name, figures in theirs.items():
            row = table.loc[name, ["icc_a1", "icc_a1_lower", "icc_a1_upper"]]
            assert tuple(row) == pytest.approx(figures, abs=1e-12)
        fixed = table.loc["DO", ["icc_c1", "icc_c1_lower", "icc_c1_upper"]]
        assert tuple(fixed) == pytest.approx((0.860125906025705, 0.805224104332422, 0.900406213172883), abs=1e-12)

    @given(st.integers(3, 30), st.integers(0, 10**6), st.floats(0, 3), st.floats(-2, 2))
    @settings(deadline=None, max_examples=60, derandomize=True)
    def test_intervals_hold_their_estimate_and_never_pass_one(self, n, seed, noise, shift):
        rng = np.random.default_rng(seed)
        true = rng.standard_normal(n)
        found = icc(np.column_stack([true, true + shift + noise * rng.standard_normal(n)]))
        for kind in "AC":
            estimate, lower, upper = found[kind]
            assert lower - 1e-9 <= estimate <= upper + 1e-9 <= 1 + 2e-9

    def test_perfect_agreement_is_one(self):
        assert icc(np.column_stack([np.arange(9.0)] * 2))["A"] == (1, 1, 1)
        shifted = icc(np.column_stack([np.arange(9.0), np.arange(9.0) + 2]))
        assert shifted["C"] == pytest.approx((1, 1, 1))
        assert shifted["A"][0] < 0.9


class TestRetest:
    def test_a_shift_of_everybody_lowers_agreement_alone(self):
        plain, moved = (retest(*_two(shift), SCALE) for shift in (0.0, 1.0))
        a, b = plain.table.iloc[0], moved.table.iloc[0]
        assert (b["r"], b["icc_c1"]) == pytest.approx((a["r"], a["icc_c1"]))
        assert b["icc_a1"] < a["icc_a1"] - 0.1
        assert b["sem"] > a["sem"]
        assert moved.change.loc[0, "bias"] == pytest.approx(plain.change.loc[0, "bias"] + 1)

    def test_error_of_measurement_and_limits_follow_their_definitions(self):
        one, two = _two()
        found = retest(one, two, SCALE)
        means = np.column_stack([one[list("abc")].mean(axis=1), two[list("abc")].mean(axis=1)])
        apart = means[:, 1] - means[:, 0]
        change = found.change.iloc[0]
        assert change["limit_upper"] - change["limit_lower"] == pytest.approx(
            2 * 1.959964 * apart.std(ddof=1), rel=1e-6
        )
        # the mean squared difference of two scores of one person is twice the error variance
        row = found.table.iloc[0]
        _, time, rest = icc(means)["squares"]
        assert row["sem"] ** 2 == pytest.approx(rest + max(time - rest, 0) / 40)
        assert row["sdc"] == pytest.approx(1.959964 * np.sqrt(2) * row["sem"], rel=1e-6)

    def test_the_paired_t_test(self):
        from scipy.stats import ttest_rel

        one, two = _two(0.3)
        theirs = ttest_rel(two[list("abc")].mean(axis=1), one[list("abc")].mean(axis=1))
        row = retest(one, two, SCALE).change.iloc[0]
        assert row["p"] == pytest.approx(theirs.pvalue, rel=1e-9)
        interval = theirs.confidence_interval()
        assert (row["bias_lower"], row["bias_upper"]) == pytest.approx((interval.low, interval.high), rel=1e-9)

    def test_item_kappa_is_quadratic(self, waves):
        from sklearn.metrics import cohen_kappa_score

        first, second = waves[:2]
        row = retest(*waves).items.set_index("item").loc["DO01"]
        pair = first.merge(second, on="respondent")[["DO01_x", "DO01_y"]].dropna().astype(int)
        theirs = cohen_kappa_score(pair["DO01_x"], pair["DO01_y"], weights="quadratic", labels=range(1, 8))
        assert row["kappa"] == pytest.approx(theirs, abs=1e-12)
        assert row["n"] == len(pair)

    def test_people_are_matched_whatever_their_order_and_counted(self):
        one, two = _two()
        plain = retest(one, two, SCALE)
        mixed = retest(one, two.sample(frac=1, random_state=1), SCALE)
        pd.testing.assert_frame_equal(mixed.table, plain.table)
        fewer = retest(one, pd.concat([two.iloc[:25], two.iloc[:1].assign(respondent="new")]), SCALE)
        assert fewer.people.iloc[0].to_dict() == {
            "first": 40, "second": 26, "matched": 25, "dropped_out": 15, "new": 1
        }  # fmt: skip
        assert fewer.table.loc[0, "n"] == 25

    def test_those_who_left_are_compared_with_those_who_stayed(self):
        from scipy.stats import ttest_ind

        one, two = _two()
        order = one[list("abc")].mean(axis=1).sort_values(kind="stable").index
        row = retest(one, two.loc[order[:25]], SCALE).dropout.iloc[0]
        means = one[list("abc")].mean(axis=1)
        theirs = ttest_ind(means[order[:25]], means[order[25:]], equal_var=False)
        assert row["p"] == pytest.approx(theirs.pvalue, rel=1e-9)
        assert row["d"] < -1
        assert retest(one, two, SCALE).dropout.empty

    def test_who_skipped_an_item_is_left_out_of_its_dimension_only(self):
        one, two = (frame.assign(d=frame["a"] ** 2, e=frame["b"]) for frame in _two())
        one.loc[3, "e"] = np.nan
        table = retest(one, two, {"A": ["a", "b"], "B": ["d", "e"]}).table
        assert table["n"].tolist() == [40, 39]

    def test_figures(self, waves):
        found = retest(*waves)
        assert [text.get_text() for text in found.plot().get_yticklabels()] == ["EV", "WC", "DE", "CE", "DO"]
        ax = found.plot(dimension="CE")
        assert len(ax.lines[-1].get_xdata()) == 120
        words = [text.get_text() for text in found.plot(dimension="WC").texts]
        assert "bias 0.00" in words  # not −0.00
        with pytest.raises(InputError, match="no dimension 'XX'"):
            found.plot(dimension="XX")


def _broken(change) -> tuple:
    one, two = _two()
    return change(one, two)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a, b: (a.drop(columns="respondent"), b), "first occasion have no column 'respondent'"),
        (lambda a, b: (a, b["a"]), "second occasion.*Series"),
        (lambda a, b: (a, pd.concat([b, b.iloc[:1]])), "'R00' stands in two rows of the second"),
        (lambda a, b: (a.assign(respondent=[None, *a["respondent"][1:]]), b), "Row 0 of the first"),
        (lambda a, b: (a, b.assign(respondent=range(40))), "'R00', 'R01'.*'0', '1'.*check"),
        (lambda a, b: (a, b.assign(a="often")), "second occasion: Item 'a'.*'often'"),
        (lambda a, b: (a, b.drop(columns="c")), "'c'"),
        (lambda a, b: (a.assign(a=4, b=4, c=4), b), "first occasion: Item 'a', 'b', 'c' is constant"),
        (
            lambda a, b: (a.assign(a=[4, 5] * 15 + [6] * 10, b=[5, 4] * 15 + [2] * 10, c=[4] * 30 + [2] * 10), b[:30]),
            "The 30 respondents who answered all items of 'A' on both.* the others came once or skipped.*Complete",
        ),
        (lambda a, b: (a.assign(c=np.nan), b), "'c'"),
        (lambda a, b: (a.iloc[:2], b), "2 respondents answered on both"),
        (
            lambda a, b: (a.assign(a=a["a"].where(a.index < 5)), b.assign(b=b["b"].where(b.index > 2))),
            "Only 2 of the 40.*'A'",
        ),
    ],
)
def test_what_cannot_be_compared_is_told(change, says):
    with pytest.raises(InputError, match=says):
        retest(*_broken(change), SCALE)
