"""No more respondents than items: 30 people's answers to four simulated scales of ten items.

Nothing is refused but what needs the inverse of the items' correlations, and that says so. The figures are those of
R 4.2 with psych 2.2.9 and lavaan 0.6.14 on the same file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cocreation.core.dimensionality import parallel_eigenvalues
from cocreation.errors import InputError
from cocreation.steps import confirm, explore, purify, validate
from cocreation.steps import screen as screening

PILOT = pd.read_csv(Path(__file__).parent / "pilot.csv")
SCALES = {name: list(PILOT)[10 * i : 10 * i + 10] for i, name in enumerate("ABCD")}
CLOSED_FORM = {"rtol": 1e-8, "atol": 0}
FITTED = {"rtol": 1e-4, "atol": 0}


def test_alpha_and_the_items_figures_are_those_of_psych():
    found = purify.alpha(PILOT)
    figures = (found.alpha, found.alpha_std, found.mean_r, found.lower, found.upper)
    theirs = (0.8573774295, 0.8552579701, 0.1287081716, 0.7732757272, 0.9214585850)
    np.testing.assert_allclose(figures, theirs, **CLOSED_FORM)
    np.testing.assert_allclose(found.items["citc"][:3], (0.5018020826, 0.3846601281, 0.5787312942), **CLOSED_FORM)
    without = found.items["alpha_if_deleted"][:3]
    np.testing.assert_allclose(without, (0.8508627060, 0.8533854957, 0.8480730205), **CLOSED_FORM)
    assert found.items["smc"].isna().all()
    assert "do not exist: with no more respondents than items" in found.note


def test_purify_goes_scale_by_scale():
    found = purify.purify(PILOT, SCALES)
    alphas = (0.9068819193, 0.9344393509, 0.9110674320, 0.8891743954)
    np.testing.assert_allclose(found.scales["alpha_before"], alphas, **CLOSED_FORM)


def test_components_and_eigenvalues_are_those_of_psych():
    found = explore.components(PILOT, 4, "none")
    np.testing.assert_allclose(
        found.loadings["C1"].abs()[:3], (0.5927461651, 0.4356879089, 0.6784822326), **CLOSED_FORM
    )
    assert found.communalities.mean() == pytest.approx(0.6189740468, rel=1e-9)
    number = explore.n_factors(PILOT, draws=200)
    np.testing.assert_allclose(number.table["eigenvalue"][:4], (8.784, 6.311, 5.713, 3.951), atol=5e-4)
    assert np.abs(number.table["eigenvalue"][29:]).max() < 1e-12
    theirs = (0.08262762973, 0.07004214693, 0.05356526714, 0.04315652901)
    np.testing.assert_allclose(number.table["map"][:4], theirs, rtol=1e-8)
    assert (number.parallel, number.map) == (4, 4)


def test_random_eigenvalues_with_few_respondents_are_those_of_random_answers():
    rng = np.random.default_rng(7)
    answers = rng.standard_normal((2000, 6, 9))
    plain = np.array([np.linalg.eigvalsh(np.corrcoef(x, rowvar=False))[::-1] for x in answers])
    drawn = np.concatenate(list(parallel_eigenvalues(6, 9, draws=2000)))
    np.testing.assert_allclose(drawn.mean(axis=0), plain.mean(axis=0), atol=0.03)
    np.testing.assert_allclose(drawn.std(axis=0), plain.std(axis=0), atol=0.03)
    assert np.abs(drawn[:, 5:]).max() < 1e-12


@pytest.mark.parametrize("method", ["minres", "principal_axis"])
def test_factors_that_need_no_inverse_are_those_of_psych(method):
    found = explore.factors(PILOT, 2, method, "none")
    assert found.minimum == pytest.approx(23.49328116, rel=1e-9)
    np.testing.assert_allclose(found.communalities[:3], (0.39557056, 0.17054572, 0.48505627), **FITTED)
    assert explore.factors(PILOT, 4, method).minimum == pytest.approx(4.665536114, rel=1e-9)


@pytest.mark.parametrize(
    ("people", "factors", "total", "hierarchical"),
    [(8, 1, 0.86738287, 0.87486963), (9, 1, 0.85624844, 0.86161125), (10, 3, 0.93725853, 0.46356982)],
)
def test_omega_is_that_of_psych_and_lambda6_does_not_exist(people, factors, total, hierarchical):
    found = validate.omega(PILOT.iloc[:people], factors, items=SCALES["A"])
    np.testing.assert_allclose((found.omega_total, found.omega_hierarchical), (total, hierarchical), **FITTED)
    assert np.isnan(found.lambda6)
    assert "λ6 does not exist: with no more respondents than items" in found.note


def test_htmt_is_mean_correlation_over_mean_correlations():
    assert validate.htmt(PILOT, SCALES)[0].loc["A", "B"] == pytest.approx(0.260955168, rel=1e-8)
    assert len(validate.htmt_intervals(PILOT, SCALES, draws=100).table) == 12


def test_polychoric_correlations_and_wlsmv_are_those_of_lavaan():
    found = explore.polychoric(PILOT)
    theirs = (0.404707658, 0.646469837, 0.666132531)
    ours = found.correlations.loc["p00", "p01"], *found.correlations.loc["p02", ["p00", "p01"]]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert found.warnings["warning"].str.startswith("Not positive definite").any()
    fit = confirm.cfa(PILOT, SCALES, estimator="WLSMV")
    measures = [fit.measure(name) for name in ("chi2", "chi2_scaled", "df", "srmr", "cfi_scaled", "rmsea_scaled")]
    np.testing.assert_allclose(measures, (1010.592, 828.7225, 734, 0.1517234, 0.8972776, 0.06670826), **FITTED)
    np.testing.assert_allclose(fit.loadings["std"][1:3], (0.523134624, 0.906448226), **FITTED)


def test_the_rest_that_needs_no_inverse_computes():
    assert len(screening.describe(PILOT).table) == 40
    assert explore.explore(PILOT).kept
    assert len(explore.compare(PILOT, 4, draws=20).loadings) == 40
    assert purify.ordinal_alpha(PILOT[SCALES["A"]]).alpha == pytest.approx(0.9068819193, rel=1e-9)


MODEL = "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in SCALES.items())


@pytest.mark.parametrize(
    ("call", "purpose"),
    [
        (lambda: explore.adequacy(PILOT), "KMO"),
        (lambda: explore.factors(PILOT, 4, "ml"), "a common-factor solution by maximum likelihood"),
        (lambda: confirm.cfa(PILOT, SCALES), "a maximum-likelihood fit"),
        (lambda: confirm.cfa(PILOT, SCALES, estimator="MLR", missing="fiml"), "a maximum-likelihood fit"),
        (lambda: confirm.bootstrap(PILOT, SCALES, draws=50), "a maximum-likelihood fit"),
        (lambda: confirm.nested(PILOT, SCALES), "a maximum-likelihood fit"),
        (lambda: confirm.common_method(PILOT, SCALES), "a maximum-likelihood fit"),
        (lambda: validate.validity(PILOT, SCALES), "a maximum-likelihood fit"),
        (lambda: validate.reliability(PILOT, SCALES), "a maximum-likelihood fit"),
        (lambda: validate.nomological(PILOT, f"{MODEL}\nB ~ A"), "a maximum-likelihood fit"),
        (lambda: validate.invariance(PILOT.assign(g=["x", "y"] * 15), SCALES, "g"), "a maximum-likelihood fit"),
        (lambda: validate.latent_means(PILOT.assign(g=["x", "y"] * 15), SCALES, "g"), "a maximum-likelihood fit"),
    ],
)
def test_what_needs_the_inverse_is_refused_and_says_what_for(call, purpose):
    with pytest.raises(InputError, match=rf"30 .*respondents for 40 items.* no inverse.*{purpose} does not exist"):
        call()
