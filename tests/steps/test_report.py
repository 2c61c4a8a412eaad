"""The report: the published study beside its twin, and its figures checked against each other."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from counting import counting
from hypothesis import given
from hypothesis import strategies as st

from cocreation.audit import implied
from cocreation.core import reliability
from cocreation.core.sem import ml
from cocreation.core.sem.starts import optima
from cocreation.errors import InputError
from cocreation.steps import report
from cocreation.survey import datasets

ALPHA = st.floats(0.5, 0.98)
ITEMS = st.integers(2, 12)


@pytest.fixture(scope="module")
def twin() -> report.Twin:
    return report.twin()


class TestTwin:
    def test_no_figure_is_outside_its_tolerance(self, twin):
        assert twin.table.loc[twin.table["verdict"] == "outside", "figure"].tolist() == []

    def test_every_published_figure_that_data_can_show_is_compared(self, twin):
        published = datasets.published()
        comparable = published[~published["kind"].isin(["rule", "fact"])]
        assert twin.table["id"].tolist() == comparable["id"].tolist()
        assert set(twin.table["verdict"]) <= set(report.VERDICTS)

    def test_two_figures_cannot_be_met_together_with_the_others_and_the_reason_is_told(self, twin):
        rows = twin.table[twin.table["verdict"] == "not attainable together"].set_index("id")
        assert rows.index.tolist() == ["chi2_df", "nfi"]
        assert rows["reproduced"].round(1).tolist() == [3.6, 0.9]
        assert rows["reason"].str.contains("RMSEA").all()

    def test_the_study_is_reproduced_from_the_pool_to_the_scale(self, twin):
        found = twin.table.set_index("id")["reproduced"]
        assert found[["pool", "items_kept", "items_intended", "factors", "best_model"]].tolist() == [43, 21, 21, 5, 5]
        assert found[["pre_valid", "formal_returned", "formal_valid", "df"]].tolist() == [188, 600, 486, 179]
        assert found["formal_recovery"] == 81
        assert found["variance"] == pytest.approx(83.933, abs=0.5)
        assert found["rmsea"] == pytest.approx(0.073, abs=0.002)

    def test_only_the_models_whose_figures_are_compared_are_fitted(self, monkeypatch):
        fits, intervals = counting(monkeypatch, optima), counting(monkeypatch, reliability.alpha_interval)
        report.twin()
        # five factors, and four, three, two, one, of which the best is told
        assert len(fits) == 5
        assert intervals == []

    def test_differences_are_reproduced_minus_published(self, twin):
        table = twin.table.dropna(subset="published")
        assert np.allclose(table["difference"], table["reproduced"] - table["published"])

    def test_what_the_study_does_not_report_has_no_published_figure(self, twin):
        rows = twin.table[twin.table["verdict"] == "not reported"]
        assert rows[["published", "difference", "tolerance"]].isna().all(axis=None)
        assert rows["reproduced"].notna().all()

    def test_it_travels_as_json(self, twin):
        again = json.loads(json.dumps(twin.records()))
        assert len(again) == len(twin.table)
        assert {"figure", "published", "reproduced", "difference", "tolerance", "verdict", "reason"} <= set(again[0])

    def test_it_prints_figures_in_the_decimals_of_the_study(self, twin):
        assert "84.30" in repr(twin)
        assert "above .50" in repr(twin)
        assert ">above\xa0.50" in twin._repr_html_()  # not broken between the lines

    def test_a_probability_does_not_print_as_zero(self, twin):
        row = twin.tables()[""].set_index("figure").loc["largest p of a loading"]
        assert row[["published", "reproduced"]].tolist() == ["below .001", "< .001"]

    def test_the_plot_has_a_row_a_figure_with_a_tolerance_and_both_numbers(self, twin):
        axes = twin.plot()
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert len(labels) == (twin.table["tolerance"] > 0).sum()
        assert labels[::-1][0] == "mean minutes of an interview"
        numbers = [label.get_text() for label in axes.figure.axes[1].get_yticklabels()]
        assert numbers[labels.index("chi-square/df")] == "2.872 → 3.615"
        assert axes.get_xlabel()
        assert axes.figure.get_figwidth() <= 7

    def test_the_plot_marks_what_is_outside_and_what_is_beyond_its_edge(self, twin):
        figures = twin.table.set_index("id")["reproduced"].to_dict() | {"rmsea": 0.0761, "cfi": 0.93}
        axes = report.Twin(report.compare(figures), "").plot()
        assert [text.get_text() for text in axes.get_legend().get_texts()] == list(report.VERDICTS[:3])
        arrows = [line for line in axes.get_lines() if line.get_marker() == "<" and len(line.get_xdata())]
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert [labels[int(line.get_ydata()[0])] for line in arrows] == ["CFI"]

    def test_a_figure_off_by_more_than_its_tolerance_is_outside(self, twin):
        figures = twin.table.set_index("id")["reproduced"].to_dict()
        figures |= {"rmsea": 0.0761, "items_kept": 20, "ave_lowest": 0.5}
        verdicts = report.compare(figures).set_index("id")["verdict"]
        assert verdicts[["rmsea", "items_kept", "ave_lowest"]].tolist() == ["outside"] * 3

    def test_a_missing_or_unknown_figure_is_named(self, twin):
        figures = twin.table.set_index("id")["reproduced"].to_dict()
        with pytest.raises(InputError, match="'citc'"):
            report.compare(figures | {"citc": 1})
        del figures["rmsea"]
        with pytest.raises(InputError, match="'rmsea'"):
            report.compare(figures)


class TestAudit:
    def test_the_twin_follows_the_third_reading(self, twin):
        found = twin.table.set_index("id")["reproduced"]
        third = report.audit_study().readings.iloc[2]
        assert found["chi2_df"] == pytest.approx(third["chi2_df"], abs=0.2)
        assert found["nfi"] == pytest.approx(third["nfi"], abs=0.005)


class TestImpliedFigures:
    """The arithmetic agrees with what real fits show."""

    @given(st.lists(st.tuples(ALPHA, ITEMS), min_size=1, max_size=4), st.integers(50, 2000))
    def test_the_bound_is_reached_by_equal_correlations_in_uncorrelated_scales(self, scales, n):
        blocks = []
        for alpha, k in scales:
            r = implied.mean_r_from_alpha(alpha, k)
            blocks.append(np.full((k, k), r) + (1 - r) * np.eye(k))
        p = sum(map(len, blocks))
        matrix, at = np.eye(p), 0
        for block in blocks:
            matrix[at : at + len(block), at : at + len(block)] = block
            at += len(block)
        bound = implied.baseline_bound(n, [a for a, _ in scales], [k for _, k in scales])
        assert bound == pytest.approx(-(n - 1) * np.linalg.slogdet(matrix)[1], rel=1e-8, abs=1e-8)

    def test_a_real_baseline_is_above_the_bound_of_its_alphas(self):
        data = pd.DataFrame(datasets.load("follow_up").iloc[:, 2:])
        r = data.corr()
        groups = [[c for c in data if c.startswith(code)] for code in ("DO", "CE", "DE", "WC", "EV")]
        alphas = []
        for items in groups:
            k, total = len(items), r.loc[items, items].to_numpy().sum()
            alphas.append(k / (k - 1) * (1 - k / total))
        places = [[data.columns.get_loc(item) for item in items] for items in groups]
        fitted = ml.simple_structure(r.to_numpy(), len(data), places)
        bound = implied.baseline_bound(len(data), alphas, [len(items) for items in groups])
        assert 0 < bound < fitted.baseline_chi2 * (len(data) - 1) / len(data)

    @given(ALPHA, ITEMS)
    def test_alpha_and_mean_correlation_are_two_ways_to_say_it(self, alpha, k):
        r = implied.mean_r_from_alpha(alpha, k)
        assert k * r / (1 + (k - 1) * r) == pytest.approx(alpha)
        assert implied.ave_from_cr(alpha, k) == pytest.approx(r)

    @given(st.integers(1, 900), st.integers(1, 900))
    def test_a_count_is_always_among_those_its_own_percentage_allows(self, a, b):
        count, n = min(a, b), max(a, b)
        for decimals in (0, 1, 2):
            printed = round(implied.percentage(count, n), decimals)
            assert count in implied.counts_for_percentage(printed, n, decimals)

    def test_a_percentage_that_no_count_gives_is_found(self):
        assert implied.counts_for_percentage(12.0, 486, 1) == []
        assert implied.counts_for_percentage(26.5, 486, 1) == [129]
