"""Convergent and discriminant validity, omega."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from counting import counting
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import NAMES, load, matrix
from ugly import frames, says_why_or_is_finite, scales_of

from cocreation.core.reliability import categorical_omega, composite, item_statistics
from cocreation.core.sem.search import search
from cocreation.errors import InputError
from cocreation.steps.confirm import cfa
from cocreation.steps.validate import htmt, omega, reliability, validity


@pytest.fixture(params=NAMES)
def golden(request):
    return load(request.param)


def test_reliability_and_variance_extracted_equal_r(golden):
    found = validity(golden.data, golden.scales).table.set_index("dimension")
    theirs = golden.figures["validity"]
    for ours, name in (("cr", "cr_standardized"), ("ave", "ave_standardized"), ("msv", "msv"), ("asv", "asv")):
        for dimension, value in theirs[name].items():
            assert found.loc[dimension, ours] == pytest.approx(value, abs=5e-5), (dimension, name)
    assert found["fornell_larcker"].to_dict() == theirs["fornell_larcker_pass"]
    for dimension, value in theirs["semtools_alpha"].items():
        assert found.loc[dimension, "alpha"] == pytest.approx(value, rel=1e-9)


def test_heterotrait_monotrait_ratios_equal_semtools(golden):
    found = validity(golden.data, golden.scales)
    theirs = golden.figures["validity"]
    np.testing.assert_allclose(found.htmt, matrix(theirs["htmt_arithmetic_2015"]), rtol=1e-9)
    np.testing.assert_allclose(found.htmt2, matrix(theirs["htmt2_geometric_2021"]), rtol=1e-9)


def test_latent_correlations_equal_lavaan(golden):
    theirs = golden.figures["validity"]["latent_correlations"]
    np.testing.assert_allclose(validity(golden.data, golden.scales).phi, matrix(theirs), rtol=0, atol=5e-5)


def test_the_fornell_larcker_matrix_holds_root_ave_on_its_diagonal(golden):
    found = validity(golden.data, golden.scales)
    values = found.fornell_larcker.to_numpy()
    np.testing.assert_allclose(np.diag(values), np.sqrt(found.table["ave"]))
    lower = np.tril_indices(len(values), -1)
    np.testing.assert_allclose(values[lower], found.phi.to_numpy()[lower])
    assert np.isnan(values[np.triu_indices(len(values), 1)]).all()


def test_omega_equals_psych(golden):
    found = omega(golden.answers, golden.n_factors)
    theirs = golden.figures["omega_exploratory"]
    assert found.omega_total == pytest.approx(theirs["omega_total"], abs=1e-5)
    assert found.omega_hierarchical == pytest.approx(theirs["omega_h"], abs=1e-5)
    assert found.omega_limit == pytest.approx(theirs["omega_lim"], abs=1e-5)
    assert found.ecv == pytest.approx(theirs["ecv"], abs=1e-5)
    assert found.alpha == pytest.approx(theirs["alpha"], rel=1e-9)
    assert found.lambda6 == pytest.approx(theirs["g6"], rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_reliability_of_the_unstandardized_model_equals_semtools(name):
    golden = load(name)
    found = reliability(golden.answers, golden.scales).table.set_index("dimension")
    theirs = golden.figures["validity"]
    for ours, key in (("omega", "semtools_omega"), ("alpha", "semtools_alpha"), ("ave", "semtools_ave")):
        assert found[ours].to_dict() == pytest.approx(theirs[key], abs=5e-5)


def test_omega_of_one_factor_has_nothing_but_a_general_factor():
    found = omega(load("hs1939").answers, 1, items=["x4", "x5", "x6"])
    assert found.omega_hierarchical == pytest.approx(found.omega_total, abs=1e-9)
    assert found.ecv == 1


def test_omega_reverses_items_first_and_names_them():
    golden = load("likert7_sim")
    mirrored = golden.answers.assign(q03=8 - golden.answers["q03"])
    found = omega(mirrored, 5)
    assert found.omega_total == pytest.approx(omega(golden.answers, 5).omega_total, abs=1e-9)
    assert "Reversed first: q03" in found.note


def test_htmt_does_not_cancel_when_an_item_is_reverse_keyed():
    golden = load("likert7_sim")
    mirrored = golden.answers.assign(q03=8 - golden.answers["q03"])
    pd.testing.assert_frame_equal(htmt(mirrored, golden.scales)[0], htmt(golden.answers, golden.scales)[0])


@pytest.mark.parametrize("name", ["hs1939", "likert7_sim", "bfi_nec_missing"])
def test_the_unstandardized_figures_stand_beside_under_semtools_name(name):
    golden = load(name)
    theirs = golden.figures["validity"]
    found = validity(golden.answers, golden.scales)
    table = found.unstandardized.set_index("dimension")
    for column in ("semtools_omega", "semtools_alpha", "semtools_ave"):
        assert table[column].to_dict() == pytest.approx(theirs[column], abs=5e-6)
    assert "semtools" not in repr(found)


def test_loadings_against_their_dimension_are_named():
    golden = load("bfi_nec_missing")
    assert "gainst the rest" not in validity(golden.answers, golden.scales).note
    reverse_keyed = golden.answers.assign(**{item: 7 - golden.answers[item] for item in ("C4", "E1")})
    note = validity(reverse_keyed, golden.scales).note
    assert re.search(r"Against the rest of their scale: 'C4' of Consc \(CITC −.{4}\), 'E1' of Extra \(CITC −", note)


def test_an_htmt2_of_zero_is_explained():
    """One item of each dimension without any correlation: exact, by design."""
    r = np.eye(6) * 0.5 + 0.5
    r[:3, 3:] = r[3:, :3] = 0.3
    r[0, 3] = r[3, 0] = 0.0
    z = np.random.default_rng(0).standard_normal((200, 6))
    z = (z - z.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z, rowvar=False))).T
    data = pd.DataFrame(z @ np.linalg.cholesky(r).T, columns=list("abcdef"))
    found = validity(data, {"A": ["a", "b", "c"], "B": ["d", "e", "f"]})
    assert found.htmt2.loc["A", "B"] == pytest.approx(0, abs=1e-12)
    assert found.htmt.loc["A", "B"] == pytest.approx(0.3 * 8 / 9 / 0.5, abs=1e-9)
    assert "HTMT2 of B and A is 0" in found.note


def test_two_scales_of_one_factor_have_an_htmt_near_one_and_fail_fornell_and_larcker():
    rng = np.random.default_rng(6)
    one = rng.standard_normal((500, 1)) + 0.9 * rng.standard_normal((500, 6))
    data = pd.DataFrame(one, columns=list("abcdef"))
    found = validity(data, {"A": ["a", "b", "c"], "B": ["d", "e", "f"]})
    assert found.htmt.loc["A", "B"] == pytest.approx(1, abs=0.06)
    assert not found.table["fornell_larcker"].any()


def test_a_fit_is_reused_only_if_it_measures_these_scales():
    golden = load("hs1939")
    fitted = cfa(golden.data, golden.model)
    again = validity(golden.data, golden.scales, model=fitted)
    assert again.model is fitted
    with pytest.raises(InputError, match="measures 'visual' by x1, x2, x3, the scales by x1, x2"):
        validity(golden.data, {**golden.scales, "visual": ["x1", "x2"]}, model=fitted)


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ("\nx1 ~~ x2", "errors of 'x1' and 'x2' correlate"),
        ("\ngeneral =~ visual + textual + speed", "has the factor 'general'"),
    ],
)
def test_a_fit_the_formulas_do_not_hold_for_is_refused(extra, says):
    golden = load("hs1939")
    with pytest.raises(InputError, match=says):
        validity(golden.data, golden.scales, model=cfa(golden.data, golden.model + extra))


def test_a_fit_of_other_respondents_is_refused():
    golden = load("hs1939")
    with pytest.raises(InputError, match="fitted to 201 respondents, the data have 301"):
        validity(golden.data, golden.scales, model=cfa(golden.data.head(201), golden.model))
    with pytest.raises(InputError, match="model is what cfa"):
        validity(golden.data, golden.scales, model=golden.model)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda d: htmt(d, {"t": ["x4", "x5", "x6"]}), "at least two dimensions"),
        (lambda d: validity(d, {"t": ["x4", "x5", "x6"]}).plot(), "no HTMT to draw"),
        (
            lambda d: reliability(d, {"t": ["x4", "x5", "x6"]}, model=cfa(d, "t =~ x4 + x5 + x6 + x7")),
            "measures 't' by",
        ),
        (lambda d: validity(d, {"v": ["x1"], "t": ["x4", "x5"]}), "'v' has 1 items"),
        (lambda d: validity(d, {"v": ["x1", "zz"], "t": ["x4", "x5"]}), "names the item 'zz'"),
        (lambda d: validity(d.assign(x1="a"), {"v": ["x1", "x2"], "t": ["x4", "x5"]}), "'x1' is not numeric"),
        (lambda d: validity(d.iloc[:3], {"v": ["x1", "x2"], "t": ["x4", "x5"]}), "3 complete respondents"),
        (lambda d: validity(d.assign(x2=d["x1"]), {"v": ["x1", "x2"], "t": ["x4", "x5"]}), "repeat each other"),
        (lambda d: omega(d, 9), "9 items takes 1 to 5 group factors, not 9"),
        (lambda d: omega(d[["x1", "x2", "x3"]], 2), "at least 5 items"),
        (lambda d: omega(d.assign(x1=d["x2"]), 3), "repeat each other"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(call, says):
    with pytest.raises(InputError, match=says):
        call(load("hs1939").answers)


def test_figures_of_a_heywood_case_are_marked_as_such():
    """x1 correlates with x2 and x3 more than they with each other: its loading exceeds 1."""
    r = np.eye(6)
    for i, j, value in [(0, 1, 0.9), (0, 2, 0.9), (1, 2, 0.7), (3, 4, 0.5), (3, 5, 0.5), (4, 5, 0.5)]:
        r[i, j] = r[j, i] = value
    r[:3, 3:] = r[3:, :3] = 0.2
    z = np.random.default_rng(0).standard_normal((150, 6))
    z = (z - z.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z, rowvar=False))).T
    data = pd.DataFrame(z @ np.linalg.cholesky(r).T, columns=list("abcdef"))
    found = validity(data, {"A": ["a", "b", "c"], "B": ["d", "e", "f"]})
    assert found.model.loadings["std"].max() > 1
    assert "Heywood case (a): CR and AVE of its dimension mean nothing." in found.note


def test_the_plot_counts_the_pairs_above_the_limit():
    golden = load("likert7_sim")
    ax = validity(golden.data, golden.scales).plot(limit=0.6)
    assert "".join(ax.get_title(loc=side) for side in ("left", "center")) == "1 of 10 pairs above 0.60"
    assert len(ax.patches) == 1


@given(frames(least=4, most=6), st.sampled_from([2, 3]))
@settings(deadline=None, derandomize=True, max_examples=25)
def test_validity_is_numbers_or_says_why_not(frame, size):
    # above the diagonal the Fornell–Larcker matrix is empty; the fit is tested on its own
    says_why_or_is_finite(lambda: validity(frame, scales_of(frame, size)), may_be_empty=("fornell_larcker", "model"))


@pytest.mark.filterwarnings("error::RuntimeWarning")
@given(frames(least=5, most=7), st.integers(2, 3))
@settings(deadline=None, derandomize=True, max_examples=50)
def test_omega_is_a_number_or_says_why_not(frame, n):
    # with no more respondents than items there is no λ6; the note says so
    says_why_or_is_finite(lambda: omega(frame, n), may_be_empty=("lambda6",))


def test_composite_reliability_and_ave_of_a_stack_are_those_of_each():
    loadings = np.array([[0.8, 0.7, 0.6], [0.9, 0.9, 0.9]])
    cr, ave = composite(loadings)
    # (Σλ)² / ((Σλ)² + Σ(1 − λ²)) by hand: 4.41 / (4.41 + 1.51); of equal loadings 3λ² / (1 + 2λ²)
    assert cr == pytest.approx([4.41 / 5.92, 2.43 / 2.62], rel=1e-14)
    assert ave == pytest.approx([1.49 / 3, 0.81], rel=1e-14)


def test_validity_fits_one_model_or_none_and_asks_of_alpha_the_coefficient_only(golden, monkeypatch):
    fits, unshown = counting(monkeypatch, search), counting(monkeypatch, item_statistics)
    found = validity(golden.data, golden.scales)
    assert len(fits) == 1
    again = validity(golden.data, golden.scales, model=found.model)
    assert len(fits) == 1
    assert unshown == []
    pd.testing.assert_frame_equal(again.table, found.table, check_exact=True)


ONE = {"visual": ["x1", "x2", "x3"]}


def test_one_dimension_has_cr_and_ave_as_semtools_and_lavaan_give_them():
    """lavaan 0.6-14, semTools 0.5-6: standardizedSolution by the formulas, compRelSEM, AVE."""
    found = validity(load("hs1939").answers, ONE)
    row = found.table.iloc[0]
    assert (row["cr"], row["ave"], row["alpha"]) == pytest.approx((0.6350718, 0.3728436, 0.6261171), abs=5e-6)
    assert found.unstandardized.iloc[0, 1:].tolist() == pytest.approx([0.6325532, 0.6261171, 0.3692859], abs=5e-6)
    assert row[["msv", "asv", "largest_correlation", "fornell_larcker"]].isna().all()
    assert not sum(map(len, (found.htmt, found.htmt2, found.fornell_larcker)))
    assert "one dimension and none to tell it from" in found.note


def test_one_dimension_reads_alike_in_every_format(tmp_path):
    found = validity(load("hs1939").answers, ONE)
    assert list(found.tables()) == ["table"]
    for text in (repr(found), found.to_markdown(), found.to_latex(), found._repr_html_()):
        assert "CR" in text
        assert "MSV" not in text.split("Note")[0]
    assert found.to_docx(tmp_path / "one.docx").exists()


def test_omega_of_ordered_answers_is_that_of_semtools_and_cr_says_that_it_is_not():
    """semTools 0.5-6, reliability(fit): omega, alpha, avevar. Uses holds an item keyed the other way."""
    golden = load("yesno_sim")
    model = cfa(golden.answers, golden.scales, estimator="WLSMV")
    table = reliability(golden.answers, golden.scales, model=model).table.set_index("dimension")
    assert table.loc["Uses", ["omega", "alpha", "ave"]].tolist() == pytest.approx(
        [0.331015, 0.025778, 0.521497], abs=5e-6
    )
    assert table.loc["Doubts", ["omega", "alpha", "ave"]].tolist() == pytest.approx(
        [0.562724, 0.518407, 0.530272], abs=5e-6
    )
    found = validity(golden.answers, golden.scales, model=model)
    assert "CR is the reliability of a sum of unobserved responses, not of the sum score" in found.note
    assert found.table.set_index("dimension").loc["Doubts", "cr"] > 0.75
    assert "unobserved" not in validity(golden.answers, golden.scales).note


def test_omega_of_ordered_answers_minds_how_far_apart_they_are():
    """By hand: two yes-or-no items cut at zero, one of them counting twice; 2 Φ2(0, 0; r) − .5 = arcsin(r)/π."""
    cut, loadings = [np.zeros(1)] * 2, np.array([0.8, 0.6])
    shared = {r: np.arcsin(r) / (2 * np.pi) for r in (0.64, 0.48, 0.36)}
    true = 4 * shared[0.64] + 4 * shared[0.48] + shared[0.36]
    total = 4 * 0.25 + 4 * shared[0.48] + 0.25
    found = categorical_omega(loadings, cut, [np.array([2.0]), np.array([1.0])])
    assert found == pytest.approx(true / total, rel=1e-12)
    assert np.isnan(categorical_omega(np.array([1.01, 0.5]), cut, cut))


def test_the_two_omegas_of_one_factor_are_told_apart():
    """psych 2.2.9, omega(r, 1) of nine items that one factor does not explain."""
    found = omega(load("hs1939").answers, 1)
    assert (found.omega_total, found.omega_hierarchical) == pytest.approx((0.770698, 0.743791), abs=2e-5)
    assert "the two differ by the correlations it leaves unexplained" in found.note
    assert "is omega total" not in found.note
