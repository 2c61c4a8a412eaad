"""Regressions among factors against lavaan's sem, and what is said about the hypotheses."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from reference import load

from cocreation.errors import EstimationError, InputError
from cocreation.steps.confirm import cfa
from cocreation.steps.validate import nomological

matplotlib.use("Agg")

# figures of lavaan 0.6-14, sem(model, data): estimate, se, std.all, se of std.all
DEMOCRACY = """
ind60 =~ x1 + x2 + x3
dem60 =~ y1 + a*y2 + b*y3 + c*y4
dem65 =~ y5 + a*y6 + b*y7 + c*y8
dem60 ~ p*ind60
dem65 ~ q*ind60 + r*dem60
y1 ~~ y5
y2 ~~ y4 + y6
y3 ~~ y7
y4 ~~ y8
y6 ~~ y8
pr := p*r
tot := q + p*r
"""
CASES = {
    "democracy": (
        DEMOCRACY,
        {
            ("dem60", "ind60"): (1.4713302233583, 0.3923166888013, 0.4476390675392, 0.1032803114930),
            ("dem65", "ind60"): (0.6004746251458, 0.2256992441456, 0.1867390870238, 0.0706764175011),
            ("dem65", "dem60"): (0.8650429860213, 0.0748716917277, 0.8842202044459, 0.0512957740728),
            ("pr", "p*r"): (1.2727638898373, 0.3575848964055, 0.3958115078175, 0.0916475458437),
            ("tot", "q + p*r"): (1.8732385149831, 0.3708964897972, 0.5825505948413, 0.0876333313662),
        },
        {"dem60": 0.2003807348, "dem65": 0.9645438158},
        {
            "npar": 28, "chisq": 40.1794895297, "df": 38, "cfi": 0.996774252422, "tli": 0.995331154821,
            "rmsea": 0.0276538092915, "srmr": 0.055765564092, "logl": -1548.81807905, "aic": 3153.63615811,
            "gfi": 0.919711086309, "agfi": 0.860550834115, "baseline.chisq": 730.654085393, "baseline.df": 55,
        },
    ),
    "a covariate among factors": (
        "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + y2 + y3\ndem60 ~ ind60 + y5\ny7 ~ dem60 + ind60\ny8 ~ dem60",
        {
            ("dem60", "ind60"): (-0.0519034650662, 0.2768185797641, -0.0149880447279, 0.0799290801722),
            ("dem60", "y5"): (0.7330215443946, 0.0782089845268, 0.8232738592229, 0.0391328796913),
            ("y7", "dem60"): (1.1252598660706, 0.1301451378604, 0.8048375684837, 0.0461506237936),
            ("y7", "ind60"): (0.1886642247957, 0.3554512069001, 0.0389666970047, 0.0734243769024),
            ("y8", "dem60"): (1.0765411860271, 0.1345824952601, 0.7686094490240, 0.0523058235669),
        },
        {"dem60": 0.6780044888, "y7": 0.6483418091, "y8": 0.5907604851},
        {
            "npar": 20, "chisq": 52.5975516849, "df": 24, "cfi": 0.943766592876, "tli": 0.915649889314,
            "rmsea": 0.126045740562, "srmr": 0.237765522103, "logl": -1076.46225543745, "aic": 2192.92451087489,
            "gfi": 0.898160699065, "agfi": 0.809051310746, "baseline.chisq": 544.550933467, "baseline.df": 36,
        },
    ),
    "two covariates": (
        "dem60 =~ y1 + y2 + y3\ny5 ~ dem60 + x1\ny7 ~ y5 + x2\ny8 ~ x1",
        {
            ("y5", "dem60"): (0.719906286282, 0.0919204309556, 0.728303464183, 0.0593888370536),
            ("y5", "x1"): (1.147096252244, 0.2411265797618, 0.350362991390, 0.0693104747359),
            ("y7", "y5"): (0.526057959940, 0.1053340125480, 0.432910481788, 0.0816208760034),
            ("y7", "x2"): (0.351832419524, 0.1888208507330, 0.182280179911, 0.0951018578414),
            ("y8", "x1"): (2.030180670069, 0.4348736005826, 0.459543434036, 0.0830981800171),
        },
        {"y5": 0.6531801617, "y7": 0.2700986821, "y8": 0.2111801678},
        {
            "npar": 15, "chisq": 75.199955524093, "df": 18, "cfi": 0.806692720429, "tli": 0.710039080643,
            "rmsea": 0.205840563119, "srmr": 0.278200533208, "logl": -1025.60355490742, "aic": 2081.20710981484,
            "gfi": 0.803502170960, "agfi": 0.607004341921, "baseline.chisq": 322.901714881257, "baseline.df": 27,
        },
    ),
    "observed variables only": (
        "y1 ~ x1 + x2\ny5 ~ y1 + x3\ny6 ~ y1",
        {
            ("y1", "x1"): (1.693130028916, 0.8530966256676, 0.4731388845818, 0.2306639563692),
            ("y1", "x2"): (-0.176773573761, 0.4138829159407, -0.1018207743023, 0.2380421942956),
            ("y5", "y1"): (0.674241376742, 0.0749039405065, 0.6738630132965, 0.0594438680866),
            ("y5", "x3"): (0.467381540002, 0.1392538255279, 0.2503657662610, 0.0729153661940),
            ("y6", "y1"): (0.835323285803, 0.1128993508243, 0.6495635732861, 0.0665949525226),
        },
        {"y1": 0.1480425497, "y5": 0.6151522608, "y6": 0.4219328357},
        {
            "npar": 9, "chisq": 12.5149232636851, "df": 6, "cfi": 0.9479540466056, "tli": 0.8959080932113,
            "rmsea": 0.1203229290395, "srmr": 0.0593635343545, "logl": -490.940990146184, "aic": 999.881980292368,
            "gfi": 0.9081212514385, "agfi": 0.6784243800346, "baseline.chisq": 137.176365092617, "baseline.df": 12,
        },
    ),
    "outcomes, two of them observed, whose disturbances correlate": (
        "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + y2 + y3 + y4\ndem60 ~ ind60\ny5 ~ ind60\ny6 ~ ind60",
        {
            ("dem60", "ind60"): (1.479879079849, 0.396781943548, 0.442896689145, 0.102738887209),
            ("y5", "ind60"): (2.124240900645, 0.394391952642, 0.550124064805, 0.082894366345),
            ("y6", "ind60"): (1.839929816390, 0.553316543320, 0.369104678190, 0.102057863215),
            ("dem60", "y5"): (3.244913859750, 0.695193355559, 0.743687103378, 0.061855315669),
            ("y5", "y6"): (3.145076368887, 0.871718438779, 0.466099750278, 0.091201587804),
        },
        {"dem60": 0.1961574773, "y5": 0.3026364867, "y6": 0.1362382635},
        {
            "npar": 22, "chisq": 44.81719657813, "df": 23, "cfi": 0.958219951635, "tli": 0.9346051416895,
            "rmsea": 0.1124617721282, "srmr": 0.05309556854022, "logl": -1248.005899862, "aic": 2540.011799725,
            "gfi": 0.8799714057201, "agfi": 0.7651614459742, "baseline.chisq": 558.191750175, "baseline.df": 36,
        },
    ),
}  # fmt: skip
PERSONALITY = "\nExtra ~ Consc\nNeuro ~ Consc + Extra"


@pytest.fixture(scope="module")
def democracy() -> pd.DataFrame:
    from semopy.examples import political_democracy

    return political_democracy.get_data()


@pytest.fixture(scope="module")
def personality():
    golden = load("bfi_nec_missing")
    return golden.answers, golden.model + PERSONALITY


@pytest.fixture(scope="module", params=CASES)
def case(request, democracy):
    model, paths, explained, fit = CASES[request.param]
    return nomological(democracy, model), paths, explained, fit


class TestAgainstLavaan:
    def test_paths_and_defined_figures(self, case):
        found, paths, _, _ = case
        rows = found.model.parameters.set_index(["left", "right"])
        for key, (estimate, se, std, std_se) in paths.items():
            row = rows.loc[key].iloc[0] if isinstance(rows.loc[key], pd.DataFrame) else rows.loc[key]
            assert row["estimate"] == pytest.approx(estimate, abs=1e-4 * max(1, abs(estimate)))
            assert row["se"] == pytest.approx(se, abs=1e-4 * max(1, se))
            assert (row["std"], row["std_se"]) == pytest.approx((std, std_se), abs=5e-5)

    def test_explained_variance(self, case):
        found, _, explained, _ = case
        assert found.r_squared.set_index("outcome")["r2"].to_dict() == pytest.approx(explained, abs=5e-5)

    def test_fit(self, case):
        found, _, _, fit = case
        for name, figure in fit.items():
            assert found.model.measure(name) == pytest.approx(figure, rel=1e-6, abs=1e-5 if figure < 1 else 0), name


class TestOtherData:
    def test_three_factors_of_personality(self, personality):
        found = nomological(*personality)
        paths = found.paths.set_index(["outcome", "predictor"])
        theirs = {
            ("Extra", "Consc"): (0.738651570357, 0.1538601814326, 0.412604657565, 0.0590490301305),
            ("Neuro", "Consc"): (-0.584332963234, 0.1733906962195, -0.262747074309, 0.0691100249249),
            ("Neuro", "Extra"): (-0.205480870008, 0.0874792661036, -0.165407195354, 0.0682668739367),
        }
        for key, figures in theirs.items():
            assert tuple(paths.loc[key, ["estimate", "se", "std", "std_se"]]) == pytest.approx(figures, abs=5e-5)
        assert found.fit.loc[0, "chi2"] == pytest.approx(421.862959892, rel=1e-6)
        assert found.r_squared["r2"].tolist() == pytest.approx([0.1702426034, 0.1322593740], abs=5e-5)

    def test_regressing_all_factors_is_the_correlated_model_in_other_words(self, personality):
        golden = load("bfi_nec_missing")
        measured = cfa(golden.answers, golden.model)
        found = nomological(*personality)
        assert found.fit.loc[0, "chi2"] == pytest.approx(measured.measure("chi2"), rel=1e-9)
        # least squares on the factor correlations give the standardized paths
        phi = measured.phi
        beta = np.linalg.solve(phi.loc[["Consc", "Extra"], ["Consc", "Extra"]], phi.loc[["Consc", "Extra"], "Neuro"])
        rows = found.paths[found.paths["outcome"] == "Neuro"]
        assert rows["std"].tolist() == pytest.approx(beta, abs=1e-6)
        assert rows["vif"].tolist() == pytest.approx([1 / (1 - phi.loc["Consc", "Extra"] ** 2)] * 2, abs=1e-6)
        assert rows["r"].tolist() == pytest.approx(phi.loc[["Consc", "Extra"], "Neuro"], abs=1e-6)


class TestEffects:
    def test_equal_what_the_model_defines_by_labels(self, democracy):
        found = nomological(democracy, DEMOCRACY)
        row, defined = found.effects.iloc[0], found.defined.set_index("name")
        assert len(found.effects) == 1
        assert (row["source"], row["target"]) == ("ind60", "dem65")
        for name, label in (("indirect", "pr"), ("total", "tot")):
            assert row[name] == pytest.approx(defined.loc[label, "estimate"], rel=1e-12)
            assert row[f"{name}_se"] == pytest.approx(defined.loc[label, "se"], rel=1e-9)
            assert row[f"std_{name}"] == pytest.approx(defined.loc[label, "std"], rel=1e-12)
            assert row[f"{name}_p"] == pytest.approx(defined.loc[label, "p"], rel=1e-6)
        assert row["direct"] + row["indirect"] == pytest.approx(row["total"])

    def test_standard_errors_are_those_of_numerical_derivatives(self, democracy):
        text = "A =~ x1 + x2 + x3\nB =~ y1 + y2 + y3\nC =~ y5 + y6 + y7\nB ~ A\nC ~ A + B\ny8 ~ C + B"
        found = nomological(democracy, text)
        fitted, model = found.model.estimate.fitted, found.model.estimate.fitted.model
        names = [*found.model.estimate.specification.observed, *found.model.estimate.specification.latent]

        def total(theta, source, target):
            a = model.matrices(theta)[0]
            return np.linalg.inv(np.eye(len(a)) - a)[names.index(target), names.index(source)]

        assert len(found.effects) == 3
        for row in found.effects.itertuples():
            slope = np.zeros(len(fitted.theta))
            for i in range(len(slope)):
                moved = np.eye(len(slope))[i] * 1e-5
                ends = [total(fitted.theta + sign * moved, row.source, row.target) for sign in (1, -1)]
                slope[i] = (ends[0] - ends[1]) / 2e-5
            assert row.total_se == pytest.approx(np.sqrt(slope @ fitted.covariance @ slope), rel=1e-6)

    def test_without_a_mediator_there_are_none(self, personality):
        data, model = personality
        assert nomological(data, model.replace("+ Extra\n", "\n").replace("Consc + Extra", "Consc")).effects.empty


class TestVerdicts:
    @pytest.mark.parametrize(
        ("hypothesis", "expected", "verdict"),
        [
            ("Neuro ~ Consc", "-", "supported"),
            ("Neuro ~ Consc", "−", "supported"),
            ("Neuro~Consc", "+", "contradicted"),
            ("Neuro ~ Consc", "0", "contradicted"),
            ("Neuro ~ Extra", "0", "contradicted"),
            ("Extra ~ Consc", (0.2, 0.6), "supported"),
            ("Extra ~ Consc", (0.8, 1), "contradicted"),
            ("Extra ~ Consc", (0.45, 0.6), "undecided"),
            ("Neuro ~ Consc", (-1, 0.0), "supported"),
        ],
    )
    def test_of_signs_and_ranges(self, personality, hypothesis, expected, verdict):
        found = nomological(*personality, {hypothesis: expected})
        assert found.hypotheses["verdict"].tolist() == [verdict]

    def test_not_significant_is_no_support_for_nothing(self, democracy):
        model = CASES["a covariate among factors"][0]
        rows = nomological(democracy, model, {"dem60 ~ ind60": "0", "y7 ~ ind60": "+"}).hypotheses
        assert rows["verdict"].tolist() == ["undecided", "undecided"]

    def test_a_narrow_interval_about_zero_supports_zero(self):
        rng = np.random.default_rng(2)
        a, b = rng.standard_normal((2, 4000, 1))
        data = pd.DataFrame(
            np.hstack([x + 0.4 * rng.standard_normal((4000, 3)) for x in (a, b)]), columns=list("abcdef")
        )
        found = nomological(data, "A =~ a + b + c\nB =~ d + e + f\nB ~ A", {"B ~ A": "0"})
        assert found.hypotheses["verdict"].tolist() == ["supported"]

    def test_of_correlations_and_defined_figures(self, democracy):
        rows = nomological(democracy, DEMOCRACY, {"pr": (0.2, 0.6), "y5 ~~ y1": "+"}).hypotheses
        assert rows["std"].tolist() == pytest.approx([0.3958115, 0.2812570], abs=5e-5)
        assert rows["verdict"].tolist() == ["supported", "undecided"]


class TestWarnings:
    def test_a_path_against_its_correlation_is_called_suppression(self):
        rng = np.random.default_rng(1)
        a = rng.standard_normal((800, 1))
        b = 0.8 * a + 0.6 * rng.standard_normal((800, 1))
        y = 0.9 * a - 0.5 * b + 0.3 * rng.standard_normal((800, 1))
        blocks = [x + 0.3 * rng.standard_normal((800, 3)) for x in (a, b, y)]
        data = pd.DataFrame(np.hstack(blocks), columns=[f"q{i}" for i in range(9)])
        text = "A =~ q0 + q1 + q2\nB =~ q3 + q4 + q5\nY =~ q6 + q7 + q8\nY ~ A + B"
        found = nomological(data, text)
        said = found.warnings.set_index("subject")["warning"]
        assert found.paths["r"].min() > 0 > found.paths["std"].min()
        assert "what is left of the predictor" in said["Y ~ B"]
        assert "larger than the correlation" in said["Y ~ A"]

    def test_predictors_that_are_nearly_the_same_are_named(self):
        rng = np.random.default_rng(3)
        a = rng.standard_normal((600, 1))
        b = a + 0.2 * rng.standard_normal((600, 1))
        y = a + b + rng.standard_normal((600, 1))
        blocks = [x + 0.3 * rng.standard_normal((600, 3)) for x in (a, b, y)]
        data = pd.DataFrame(np.hstack(blocks), columns=[f"q{i}" for i in range(9)])
        found = nomological(data, "A =~ q0 + q1 + q2\nB =~ q3 + q4 + q5\nY =~ q6 + q7 + q8\nY ~ A + B")
        assert found.paths["vif"].min() > 5
        assert "'A', 'B' are nearly the same" in found.warnings.set_index("subject").loc["Y", "warning"]

    def test_predictors_that_correlate_beyond_one_cannot_be_told_apart(self, democracy):
        text = "A =~ x1 + x2 + x3\nB =~ y1 + y2 + y3\nC =~ y5 + y6 + y7\nB ~ A\nC ~ A + B\ny8 ~ C + B"
        found = nomological(democracy, text)
        assert np.isinf(found.paths.loc[found.paths["outcome"] == "y8", "vif"]).all()
        assert "variance inflation inf" in found.warnings.set_index("subject").loc["y8", "warning"]

    def test_one_predictor_gives_neither(self, democracy):
        found = nomological(democracy, "A =~ x1 + x2 + x3\nB =~ y1 + y2 + y3\nB ~ A")
        assert found.warnings.empty
        assert found.paths.loc[0, "std"] == pytest.approx(found.paths.loc[0, "r"])


@pytest.mark.parametrize(
    ("model", "expected", "error", "says"),
    [
        ("A =~ x1 + x2 + x3", None, InputError, "no path"),
        ({"A": ["x1", "x2", "x3"]}, None, InputError, "dict"),
        ("A =~ x1 + x2 + x3\ny1 ~ A", {"y1 ~ B": "+"}, InputError, "no 'y1 ~ B'; it has 'y1 ~ A'"),
        ("A =~ x1 + x2 + x3\ny1 ~ A", {"y1 ~ A": "strong"}, InputError, "not 'strong'"),
        ("A =~ x1 + x2 + x3\ny1 ~ A", {"y1 ~ A": (0.6, 0.2)}, InputError, r"not \(0.6, 0.2\)"),
        ("A =~ x1 + x2 + x3\ny1 ~ A", ["y1 ~ A"], InputError, "list"),
        ("A =~ x1 + x2 + x3\ny1 ~ 1*A", {"y1 ~ A": "+"}, InputError, "is fixed"),
        ("A =~ x1 + x2 + x3\ny1 ~ A\ny1 ~ zz", None, InputError, "'zz'"),
        ("A =~ x1 + x2 + x3\ny1 ~ A\nA ~ y1", None, EstimationError, "not identified"),
    ],
)
def test_what_cannot_be_tested_is_told(democracy, model, expected, error, says):
    with pytest.raises(error, match=says):
        nomological(democracy, model, expected)


def test_the_figure_shows_every_path_and_what_is_explained(democracy):
    ax = nomological(democracy, DEMOCRACY).plot()
    shown = {text.get_text() for text in ax.texts}
    assert {".45", ".19", ".88", "R² = .20", "R² = .96"} <= shown
