"""Every fit measure of a fitted model is named, shown, documented, bounded and compared with R, or says why not."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from reference import load

from cocreation.cfa.result import Cfa
from cocreation.core.measures import MEASURES, named
from cocreation.golden.ledger import TOLERANCES
from cocreation.results.heads import ABBREVIATIONS, BOUNDED, COUNTS, HEADS, PROBABILITIES
from cocreation.steps.confirm import cfa
from cocreation.steps.validate import invariance
from cocreation.survey import sample

GOLDEN = Path(__file__).parents[1] / "golden"
ORDINAL = Path(__file__).parents[1] / "golden_ordinal" / "figures.csv"


@cache
def offered() -> dict[str, frozenset[str]]:
    """The measures of fitted models, by how they were estimated."""
    scales = {"DO": ["DO01", "DO02", "DO03"], "CE": ["CE01", "CE02", "CE03"]}
    data = sample.draw(150, seed=5, items=[item for names in scales.values() for item in names]).astype(float)
    gaps = data.copy()
    gaps.iloc[::7, 0] = None
    fitted = {
        "ML": cfa(data, scales), "AMOS": cfa(data, scales, convention="amos"),
        "MLM": cfa(data, scales, estimator="MLM"),
        "MLR": cfa(data, scales, estimator="MLR"), "FIML": cfa(gaps, scales, missing="fiml"),
        "FIML, MLR": cfa(gaps, scales, missing="fiml", estimator="MLR"), "WLSMV": cfa(data, scales, estimator="WLSMV"),
    }  # fmt: skip
    found = {name: frozenset(each.fit.index) for name, each in fitted.items()}
    data["half"] = ["first", "second"] * 75
    for estimator in ("ML", "MLR"):
        groups = invariance(data, scales, group="half", levels=["configural", "metric"], estimator=estimator)
        found[f"groups, {estimator}"] = frozenset(groups.models["configural"].fit.index)
    return found


def all_offered() -> set[str]:
    return set().union(*offered().values())


def compared() -> set[str]:
    """Our names of the fit measures that R's figures beside the tests hold."""
    theirs: set[str] = set()

    def collect(block: object) -> None:
        if isinstance(block, dict):
            for key, value in block.items():
                if key == "fit" and isinstance(value, dict):
                    theirs.update(value)
                collect(value)
        elif isinstance(block, list):
            for value in block:
                collect(value)

    for path in GOLDEN.glob("*/golden.json"):
        collect(json.loads(path.read_text(encoding="utf-8")))
    figures = pd.read_csv(ORDINAL)
    theirs.update(figures.loc[figures["kind"] == "fit", "name"])
    # a second name counts for both: what it stands for depends on the estimator
    return {row.name for row in MEASURES.values() if {row.lavaan, *row.also} & theirs}


def test_models_offer_what_the_table_names_and_nothing_else():
    assert len(all_offered()) > 50
    assert all_offered() == set(MEASURES)


def test_every_measure_has_a_head_and_short_heads_are_explained():
    for name, row in MEASURES.items():
        assert HEADS[name] == row.head
        short = re.findall(r"\b[A-Z]{3,}\b", row.head.rpartition("|")[2])
        assert all(each in row.abbreviation for each in short), name
        assert ABBREVIATIONS.get(name, "") == row.abbreviation
        assert (name in BOUNDED, name in COUNTS, name in PROBABILITIES) == (
            row.kind == "fraction", row.kind == "count", row.kind == "probability",
        ), name  # fmt: skip


def test_every_measure_stands_in_the_docstring_of_the_result():
    told = set(re.findall(r"\w+", Cfa.__doc__[: Cfa.__doc__.index("loadings : DataFrame")]))
    assert all_offered() - told == set()  # those named here are to be added


def test_every_measure_has_a_figure_of_r_or_says_why_none():
    for name, row in MEASURES.items():
        assert row.closeness in TOLERANCES, name
        assert (name in compared()) != bool(row.unproved), name


def test_every_measure_lies_within_its_bounds():
    data = sample.draw(120, seed=2)
    scales = {"A": [*data.columns[:4]], "B": [*data.columns[20:24]]}
    fit = cfa(data, scales, estimator="MLR").fit["value"]
    for name, value in fit.items():
        low, high = MEASURES[name].bounds
        assert low <= value <= high, name


@pytest.mark.parametrize("given", ["tli", "nnfi"])
def test_both_names_lead_to_one_measure(given):
    assert named(given, MEASURES) == "tli"


def test_a_name_of_its_own_goes_before_another_measures_second_name():
    assert named("srmr_bentler", offered()["ML"]) == "srmr"
    assert named("srmr_bentler", offered()["WLSMV"]) == "srmr_bentler"
    assert not named("rmsea.ci.lower", {"rmsea_upper"})


def test_a_model_worse_than_independence_has_a_negative_rfi_where_lavaan_prints_one():
    """lavaan 0.6-14: TLI −1.742239, NFI −1.645900, RFI 1; RFI is 1 − (143.549/3)/(54.253/3) by its formula."""
    found = cfa(load("hs1939").answers, "v =~ 1*x1 + -1*x4 + -1*x7\nv ~~ 0.5*v")
    assert found.measure("tli") == pytest.approx(-1.742239, abs=5e-6)
    assert found.measure("nfi") == pytest.approx(-1.645900, abs=5e-6)
    assert found.measure("rfi") == pytest.approx(1 - (143.54906 / 3) / (54.25340 / 3), abs=5e-6)
