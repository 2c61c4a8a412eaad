"""The chi-square difference of two nested models."""

from __future__ import annotations

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


@pytest.mark.parametrize("name", NAMES)
def test_a_method_factor_with_free_loadings_fits_no_worse_than_in_lavaan_and_its_several_minima_are_told(name):
    golden = load(name)
    block = golden.figures["ulmc_free"]
    found = cfa(golden.answers, block["syntax"])
    assert found.measure("chi2") <= block["fit"]["chisq"] + 0.01
    assert found.warnings["warning"].str.contains("the lowest of the minima").any()
    assert not cfa(golden.answers, golden.model).warnings["warning"].str.contains("minima").any()
