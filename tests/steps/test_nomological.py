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

DEMOCRACIES = load("political_democracy")
CASES = DEMOCRACIES.figures["regressions"]
DEMOCRACY = CASES["democracy"]["syntax"]
PERSONALITY = load("bfi_nec_missing").figures["regressions"]["three factors of personality"]
MEASURES = ["npar", "chisq", "df", "cfi", "tli", "rmsea", "srmr", "logl", "aic", "gfi", "agfi", "baseline.chisq",
            "baseline.df"]  # fmt: skip


@pytest.fixture(scope="module")
def democracy() -> pd.DataFrame:
    return DEMOCRACIES.data


@pytest.fixture(scope="module")
def personality():
    return load("bfi_nec_missing").answers, PERSONALITY["syntax"]


@pytest.fixture(scope="module", params=CASES)
def case(request, democracy):
    block = CASES[request.param]
    return nomological(democracy, block["syntax"]), block


def told(block: dict) -> dict[tuple[str, str], list[float]]:
    """lavaan's regressions, defined figures and covariances of different variables: estimate and se, plain and std."""
    rows = [row for row in block["parameters"] if row["op"] in ("~", ":=", "~~") and row["lhs"] != row["rhs"]]
    found = {(row["lhs"], row["rhs"]): [row[key] for key in ("est", "se", "std_all", "std_all_se")] for row in rows}
    assert len(found) == len(rows) > 0
    return found


class TestAgainstLavaan:
    def test_paths_and_defined_figures(self, case):
        found, block = case
        table = found.model.parameters
        # lavaan prints a formula without spaces; which side of a covariance comes first is nobody's choice
        table = table.assign(right=[None if right is None else str(right).replace(" ", "") for right in table["right"]])
        rows = {(row.left, row.right): row for row in table[table["op"] != "=~"].itertuples()}
        for (left, right), (estimate, se, std, std_se) in told(block).items():
            row = rows.get((left, right)) or rows[right, left]
            if not se:
                continue  # covariances of covariates: fixed at the data's
            assert row.estimate == pytest.approx(estimate, abs=1e-4 * max(1, abs(estimate)))
            assert row.se == pytest.approx(se, abs=1e-4 * max(1, se))
            assert (row.std, row.std_se) == pytest.approx((std, std_se), abs=5e-5)

    def test_explained_variance(self, case):
        found, block = case
        assert found.r_squared.set_index("outcome")["r2"].to_dict() == pytest.approx(block["r2"], abs=5e-5)

    def test_fit(self, case):
        found, block = case
        for name in MEASURES:
            figure = block["fit"][name]
            assert found.model.measure(name) == pytest.approx(figure, rel=1e-6, abs=1e-5 if figure < 1 else 0), name


class TestOtherData:
    def test_three_factors_of_personality(self, personality):
        found = nomological(*personality)
        paths = found.paths.set_index(["outcome", "predictor"])
        theirs = told(PERSONALITY)
        assert list(theirs) == [("Extra", "Consc"), ("Neuro", "Consc"), ("Neuro", "Extra")]
        for key, figures in theirs.items():
            assert paths.loc[key, ["estimate", "se", "std", "std_se"]].tolist() == pytest.approx(figures, abs=5e-5)
        assert found.fit.loc[0, "chi2"] == pytest.approx(PERSONALITY["fit"]["chisq"], rel=1e-6)
        assert found.r_squared.set_index("outcome")["r2"].to_dict() == pytest.approx(PERSONALITY["r2"], abs=5e-5)

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
        model = CASES["a covariate among factors"]["syntax"]
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

    def test_a_minimum_below_lavaans_that_semopy_leads_to_is_reported_beside_lavaans(self, democracy):
        """The search here ends where lavaan's does, at 56.306; of 200 random starts none ends below 56.271."""
        text = "A =~ x1 + x2 + x3\nB =~ y1 + y2 + y3\nC =~ y5 + y6 + y7\nB ~ A\nC ~ A + B\ny8 ~ C + B"
        found = nomological(democracy, text)
        assert found.fit.loc[0, "chi2"] == pytest.approx(56.2706, abs=1e-4)
        assert "A search of semopy's led to this minimum, below those of the searches here" in found.note
        assert "searches from 4 starts reached; that no lower one exists cannot be proved" in found.note
        told = found.warnings.set_index("subject").loc["model", "warning"]
        assert "The lowest minimum found, chi-square 56.27, is reported" in told
        assert "The lowest proper one has chi-square 56.31." in told

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
