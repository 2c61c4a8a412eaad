"""Model text means what it means in lavaan, or is refused."""

from __future__ import annotations

import numpy as np
import pytest
from reference import load

from cocreation.core.sem.syntax import parse
from cocreation.errors import InputError
from cocreation.steps.confirm import bootstrap, cfa
from cocreation.steps.validate import invariance, nomological


def _terms(text: str) -> dict[str, tuple[float | None, str]]:
    """What is fixed, and the label, of each loading."""
    return {term.right: (term.fixed, term.label) for term in parse(text).terms if term.op == "=~"}


def test_a_comment_ends_with_its_line_and_a_semicolon_in_it_begins_no_statement():
    plain = parse("F =~ x1 + x2 + x3")
    for text in ("F =~ x1 + x2 + x3 # tried before; x1 ~~ x2", "! no; x1 ~~ x2\nF =~ x1 +\n\n  x2 # second\n  + x3"):
        assert parse(text).model == plain.model
    assert parse("F =~ x1 + x2 + x3; x1 ~~ x2").model != plain.model


def test_a_label_on_the_fixed_first_loading_fixes_all_that_share_it():
    """lavaan: equal to a loading fixed at 1 means fixed at 1."""
    assert set(_terms("F =~ a*x1 + a*x2 + a*x3").values()) == {(1.0, "a")}
    golden = load("hs1939")
    labelled = cfa(golden.answers, "F =~ a*x1 + a*x2 + a*x3 + a*x4")
    written = cfa(golden.answers, "F =~ 1*x1 + 1*x2 + 1*x3 + 1*x4")
    assert labelled.measure("df") == written.measure("df") == 5
    # minimized by scipy's BFGS on the covariances alone
    assert labelled.measure("chi2") == pytest.approx(28.357035808, rel=1e-8)
    freed = cfa(golden.answers, "F =~ NA*x1 + a*x1 + a*x2 + a*x3 + a*x4\nF ~~ 1*F")
    assert freed.measure("chi2") == pytest.approx(written.measure("chi2"), rel=1e-9)
    assert freed.measure("df") == written.measure("df")


def test_a_term_may_be_repeated_to_ask_more_of_it_as_in_lavaan():
    assert _terms("F =~ NA*x1 + m*x1 + m*x2\nF ~~ 1*F") == {"x1": (None, "m"), "x2": (None, "m")}


def test_an_observed_variable_that_only_predicts_is_a_covariate():
    """As lavaan's fixed.x: its moments are those of the sample and no parameters."""
    found = parse("F =~ x1 + x2 + x3\nF ~ a + b\ny ~ F + a")
    assert found.observed == ("x1", "x2", "x3", "a", "b", "y")
    assert found.covariates == ("a", "b")
    given = [(term.left, term.right) for term in found.terms if term.given]
    assert given == [("a", "a"), ("b", "b"), ("a", "b")]
    # 2 loadings, 4 paths, 5 variances of items and disturbances: what lavaan counts; and the 3 given ones
    assert found.model.n_parameters == 2 + 4 + 5 + 3


@pytest.mark.parametrize(
    ("text", "covariates"),
    [
        ("F =~ x1 + x2 + x3\nF ~ a\na ~ b", ("b",)),
        ("F =~ x1 + x2 + x3\nF ~ a + b\na ~~ b", ()),
        ("F =~ x1 + x2 + x3\nF ~ a + b\na ~~ a", ("b",)),
        ("F =~ x1 + x2 + x3\nG =~ x4 + x5 + x6\nF ~ a\nG ~~ a", ()),
        ("F =~ x1 + x2 + x3\ny ~ x1", ()),
        ("y ~ a + b", ("a", "b")),
    ],
)
def test_a_variable_the_text_gives_a_variance_or_a_cause_is_none(text, covariates):
    assert parse(text).covariates == covariates


def test_outcomes_that_predict_nothing_correlate_whether_observed_or_not():
    free = {(term.left, term.right) for term in parse("F =~ x1 + x2\nG =~ x3 + x4\nG ~ F\ny ~ F\nz ~ y").terms}
    assert ("G", "z") in free
    assert ("G", "y") not in free


class TestDefinitions:
    def test_are_calculated_from_labels_and_from_one_another(self):
        found = parse("F =~ x1 + a*x2 + b*x3\nab := a*b\nmore := -(ab + 2)^2/a - 1e1").definitions
        assert [each.name for each in found] == ["ab", "more"]
        known = {"a": 2.0, "b": 3.0, "ab": 6.0}
        assert found[0].value(known) == 6
        assert found[1].value(known) == -(8**2) / 2 - 10

    def test_a_step_along_the_imaginary_axis_is_a_derivative(self):
        each = parse("F =~ x1 + a*x2 + b*x3\nab := a^2*b").definitions[0]
        assert each.value({"a": 2 + 1e-30j, "b": 3.0}).imag / 1e-30 == pytest.approx(12, rel=1e-15)

    def test_labels_may_hold_dots_and_letters_of_any_script(self):
        each = parse("F =~ x1 + a.1*x2 + β_2*x3\nab := a.1*β_2").definitions[0]
        assert each.value({"a.1": 2.0, "β_2": 0.5}) == 1

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("ab := a*c", "'c' in 'ab := a\\*c'.*no term bears that label"),
            ("ab := cd\ncd := a", "'cd' in"),
            ("ab := a\nab := b", "defines 'ab' twice"),
            ("ab := a**", "is not understood"),
            ("ab := __import__('os')", "is not understood"),
            ("ab := a.real()", "is not understood"),
            ("ab := [a]", "is not understood"),
            ("ab := a < b", "is not understood"),
            ("ab := a/0", "is not understood"),
            ("ab := 'a'", "is not understood"),
            ("a b := a", "'a b'.*is not a name"),
        ],
    )
    def test_what_is_no_formula_is_refused(self, line, says):
        with pytest.raises(InputError, match=says):
            parse(f"F =~ x1 + a*x2 + b*x3\n{line}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("F =~ x1 + x2 + x3 + x2", "'F =~ x2' twice"),
        ("F =~ x1 + x2 + x3\nF =~ x2", "'F =~ x2' twice"),
        ("F =~ x1 + x2 + x3\nx1 ~~ x2\nx2 ~~ x1", "'x2 ~~ x1' twice"),
        ("F =~ x1 + 1*x2 + 2*x2", "two different things of 'F =~ x2'"),
        ("F =~ a*x1 + b*x1 + x2", "two different things of 'F =~ x1'"),
        ("F =~ NA*1*x1 + x2", "two different things of 'F =~ x1'"),
        ("F =~ x1 + x2 + x3\nx2 ~ F", "'F =~ x2' and 'x2 ~ F' say the same path"),
        ("F =~ x1 + 2*a*x2 + 3*a*x3", "'a' stands for 2 and for 3"),
        ("F =~ NA*a*x1 + x2\nF ~~ 1*F\nG =~ a*x3 + x4", "'a' is fixed at 1 elsewhere"),
    ],
)
def test_what_is_said_twice_or_contradicts_itself_is_refused(text, says):
    with pytest.raises(InputError, match=says):
        parse(text)


@pytest.mark.parametrize(
    "line",
    [
        "F =~ x1 - x2", "F <~ x1 + x2", "x1 ~ 1", "z := x1 * x2", "a == b", "x1 | t1", "F =~ c(1, 1)*x1", "F ~*~ F",
        "F =~ 'x1'", "F = ~ x1", "F =~ x1 x2", "F =~ x1 +", "F =~ + x1", "=~ x1", "F =~", "F", "F =~ x1:x2",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_quoted_and_never_skipped(line):
    with pytest.raises(InputError, match=r"is not understood|is not a name|is not a number"):
        parse(f"G =~ y1 + y2 + y3\n{line}")


@pytest.mark.parametrize("text", ["", "  \n ; \n", "# only a comment; F =~ x1 + x2"])
def test_an_empty_model_is_refused(text):
    with pytest.raises(InputError, match="names no factor"):
        parse(text)


def test_a_factor_named_like_a_column_is_refused():
    """Is x1 the item of the data or the factor behind x2 to x4? lavaan does not guess either."""
    golden = load("hs1939")
    with pytest.raises(InputError, match="measures 'x1', but the data have a column of that name"):
        cfa(golden.data, "general =~ x1 + x7 + x8 + x9\nx1 =~ x2 + x3 + x4")
    named = cfa(golden.data, {"x1": ["x1", "x2", "x3"], "x2": ["x4", "x5", "x6"]})
    plain = cfa(golden.data, {"v": ["x1", "x2", "x3"], "t": ["x4", "x5", "x6"]})
    np.testing.assert_array_equal(named.loadings["std"], plain.loadings["std"])


@pytest.mark.parametrize(
    ("model", "subject", "says"),
    [
        (
            "v =~ x1 + x2 + x3\nv ~ x4*x5",
            "v ~ x4*x5",
            "data['x4_x5'] = data['x4'] * data['x5'], and write 'v ~ x4 + x5 +",
        ),
        ("v =~ x1 + x9*x2 + x3", "v =~ x9*x2", "write 'v =~ x9 + x2'"),
        ("v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6\nt ~ v*x7", "t ~ v*x7", "no interaction of factors"),
        ("v =~ x1 + x2 + x3\nt =~ x4 + x5 + x6\nt ~~ x8*v", "t ~~ x8*v", "is also a variable. If a label is meant"),
    ],
)
def test_a_label_that_names_a_variable_is_warned_of(model, subject, says):
    data = load("hs1939").answers
    told = cfa(data, model).warnings.set_index("subject")["warning"]
    assert says in told[subject]


def test_every_result_of_a_model_with_such_a_label_says_so():
    data = load("hs1939").answers.assign(group=np.arange(301) % 2)
    model = "v =~ x1 + x9*x2 + x3 + x7"
    assert "v =~ x9*x2" in cfa(data, model, estimator="MLR", missing="fiml").warnings["subject"].tolist()
    assert "v =~ x9*x2" in invariance(data, model, "group").warnings["subject"].tolist()
    assert "v =~ x9*x2: 'x9*' only labels" in bootstrap(data, model, draws=50, level=0.9).note
    paths = nomological(data, f"{model}\nv ~ x4*x5", {})
    assert {"v =~ x9*x2", "v ~ x4*x5"} <= set(paths.warnings["subject"])
    plain = cfa(data, model.replace("x9*", "a*")).warnings
    assert not plain["warning"].str.contains("label").any()
