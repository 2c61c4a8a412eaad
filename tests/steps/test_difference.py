"""The chi-square difference of two nested models."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from reference import NAMES, load

from cocreation.errors import InputError
from cocreation.steps.confirm import cfa, difference


@pytest.mark.parametrize("name", NAMES)
def test_the_difference_equals_lavaans(name):
    golden = load(name)
    blocks, theirs = golden.figures, golden.figures["comparisons"]["single_vs_correlated"]
    general, single = (cfa(golden.answers, blocks[block]["syntax"]) for block in ("cfa", "cfa_single"))
    found = difference(single, general)
    assert found.df == theirs["df_diff"]
    assert found.chi2 == pytest.approx(theirs["chi2_diff"], rel=1e-6)
    assert found.p == pytest.approx(theirs["p"], abs=1e-5)


def test_models_of_other_conventions_are_not_compared():
    golden = load("hs1939")
    general, single = golden.model, golden.figures["cfa_single"]["syntax"]
    with pytest.raises(InputError, match="conventions amos and lavaan"):
        difference(cfa(golden.answers, single, convention="amos"), cfa(golden.answers, general))
    with pytest.raises(InputError, match="Give the model with more degrees of freedom first"):
        difference(cfa(golden.answers, general), cfa(golden.answers, single))


@pytest.mark.parametrize(
    ("estimator", "chi2", "df"),
    [("MLM", 23.178431, 3), ("MLR", 19.847576, 3)],  # lavaan 0.6-14, lavTestLRT, satorra.bentler.2001
)
def test_the_scaled_difference_of_models_with_equal_loadings_and_errors_is_lavaans(estimator, chi2, df):
    equal = """v =~ x1 + a*x2 + a*x3
        t =~ x4 + b*x5 + b*x6
        s =~ x7 + x8 + x9
        x1 ~~ e*x1
        x2 ~~ e*x2
        x7 ~~ x8"""
    free = re.sub(r"[abe]\*", "", equal)
    found = difference(*(cfa(load("hs1939").data, text, estimator=estimator) for text in (equal, free)))
    assert found.df == df
    assert found.chi2 == pytest.approx(chi2, rel=2e-5)


@pytest.mark.parametrize(("estimator", "chi2"), [("MLM", 3.874499642), ("MLR", 3.895942281)])  # lavaan's lavTestLRT
def test_a_general_model_without_degrees_of_freedom_has_a_scaled_difference_too(estimator, chi2):
    models = (
        cfa(load("hs1939").data, text, estimator=estimator)
        for text in ("v =~ NA*x1 + a*x1 + a*x2 + a*x3\nv ~~ 1*v", "v =~ x1 + x2 + x3")
    )
    assert difference(*models).chi2 == pytest.approx(chi2, rel=2e-5)


def test_fits_that_have_no_difference_are_refused():
    data = load("hs1939").data
    three, two = "v =~ x1 + x2 + x3\ns =~ x7 + x8 + x9", "v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6"
    orthogonal = f"{three}\nv ~~ 0*s"
    with pytest.raises(InputError, match="Only one of the models speaks of 'x4', 'x5'"):
        difference(cfa(data, f"{two}\nv ~~ 0*t"), cfa(data, three))
    with pytest.raises(InputError, match=r"estimator='MLM'.*estimator='MLR'.*Fit both in the same way"):
        difference(cfa(data, orthogonal, estimator="MLM"), cfa(data, three, estimator="MLR"))
    with pytest.raises(InputError, match="different answers"):
        difference(cfa(data.iloc[:200], orthogonal), cfa(data.iloc[-200:], three))
    codes = data[[f"x{i}" for i in (1, 2, 3, 7, 8, 9)]].apply(lambda item: pd.qcut(item, 4, labels=False))
    with pytest.raises(InputError, match="WLSMV chi-squares is no chi-square"):
        difference(*(cfa(codes, text, estimator="WLSMV") for text in (orthogonal, three)))


@pytest.mark.parametrize("name", NAMES)
def test_a_method_factor_with_free_loadings_fits_no_worse_than_in_lavaan_and_its_several_minima_are_told(name):
    golden = load(name)
    block = golden.figures["ulmc_free"]
    found = cfa(golden.answers, block["syntax"])
    assert found.measure("chi2") <= block["fit"]["chisq"] + 0.01
    assert found.warnings["warning"].str.contains("the lowest of the minima").any()
    assert not cfa(golden.answers, golden.model).warnings["warning"].str.contains("minima").any()
