"""Codes of missing answers, and correlations in place of answers: told by whatever takes answers, not of good ones."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reference import NAMES, load
from test_inputs import GOOD, ITEMS, MODEL, SCALES, STATISTICS, WAVE

from cocreation.errors import AnswersWarning, EstimationError, InputError
from cocreation.inputs.answers import items_frame
from cocreation.inputs.matrices import refuse_matrix
from cocreation.inputs.suspects import suspects
from cocreation.steps import conceptualize, confirm, judge, purify, validate
from cocreation.steps import screen as screening
from cocreation.survey import population, respondents


def _rated(low: int, high: int, *, n: int = 120, items: int = 6, seed: int = 1) -> pd.DataFrame:
    """Answers on a scale, all points of it used."""
    rng = np.random.default_rng(seed)
    middle, wide = (low + high) / 2, (high - low) / 3.5
    x = middle + wide * (0.7 * rng.standard_normal((n, 1)) + 0.7 * rng.standard_normal((n, items)))
    return pd.DataFrame(np.clip(np.round(x), low, high), columns=list("abcdefghij")[:items])


def _with(frame: pd.DataFrame, item: str, value: float, times: int = 4) -> pd.DataFrame:
    spoiled = frame.astype(float)
    spoiled.loc[spoiled.index[3 : 3 + times], item] = value
    return spoiled


@pytest.mark.parametrize(
    ("low", "high", "codes"),
    [
        (1, 7, [9, 77, 88, 96, 97, 98, 99, 999, 9999, 0, -1, -7, -8, -9, -99, -999, 55]),
        (1, 5, [7.0 + 1, 9, 99, 0, -1, -9, 55]),
        (1, 6, [8, 9, 99, -1, -9]),
        (1, 10, [77, 88, 99, 999, -9]),
        (0, 1, [9, 99, -9, 8, 3]),
        (0, 3, [8, 9, 99, -9]),
        (0, 100, [999, -9, -99]),
    ],
)
def test_codes_of_missing_answers_are_suspicious_in_one_item(low, high, codes):
    frame = _rated(low, high, n=400)
    for code in codes:
        assert suspects(_with(frame, "c", code)) == {"c": [code]}, code


def test_codes_in_every_item_and_of_several_kinds_are_suspicious():
    frame = _rated(1, 5)
    assert suspects(frame.mask(frame == 5, 99)) == {name: [99.0] for name in frame}
    several = _with(_with(_with(frame, "b", 98), "b", 99, 2), "d", -9)
    assert suspects(several) == {"b": [98, 99], "d": [-9]}
    assert suspects(_with(frame[["a"]], "a", 99)) == {"a": [99]}


def test_a_code_among_broken_numbers_is_suspicious_where_it_is_far_or_alone_below_zero():
    rng = np.random.default_rng(2)
    times = pd.DataFrame(rng.lognormal(6, 0.3, (200, 3)), columns=["a", "b", "c"])
    assert suspects(_with(times, "b", 9999)) == {"b": [9999]}
    assert suspects(_with(times, "b", -9)) == {"b": [-9]}


def _good_sets() -> list[tuple[str, pd.DataFrame]]:
    return [*_good()]


def _good():
    rng = np.random.default_rng(5)
    yield from ((name, load(name).data.select_dtypes("number")) for name in NAMES)
    for low, high in ((1, 5), (1, 7), (0, 10), (1, 10), (0, 1), (0, 3), (-2, 2), (-3, 3), (1, 9), (0, 8), (0, 100)):
        yield from ((f"{low} to {high}, n={n}", _rated(low, high, n=n, seed=n)) for n in (12, 30, 100, 500))
    yield "continuous", pd.DataFrame(rng.normal(50, 25, (200, 5)))
    yield "standardized", pd.DataFrame(rng.normal(0, 1, (200, 5)).round())
    yield "sums", pd.DataFrame(rng.integers(8, 57, (200, 4)))
    yield "percentages that reach 99", pd.DataFrame(rng.integers(0, 101, (300, 4)))
    yield "ages beside ratings", _rated(1, 7, n=200).assign(age=rng.integers(18, 100, 200))
    yield "years beside ratings", _rated(1, 5, n=200).assign(year=rng.choice([1998, 1999, 2000], 200))
    yield "reaction times", pd.DataFrame(rng.lognormal(6, 0.6, (200, 4)).round())
    yield "counted, skewed", pd.DataFrame(rng.negative_binomial(0.6, 0.15, (300, 5)))
    yield "counted, few", pd.DataFrame(rng.poisson(1.2, (300, 5)))
    yield "coded by tens", _rated(1, 5, n=200) * 10
    yield "contrasts", _rated(0, 1, n=200) * 2 - 1
    yield (
        "scales of several lengths",
        pd.concat(
            [_rated(1, 4, n=200), _rated(1, 7, n=200, items=3).add_prefix("x"), _rated(0, 1, n=200).add_prefix("y")],
            axis=1,
        ),
    )
    yield "one longer scale", _rated(1, 4, n=200).assign(long=_rated(1, 5, n=200)["b"])
    yield "ceiling", pd.DataFrame(8 - np.clip(rng.poisson(0.8, (200, 6)) + 1, 1, 7))


@pytest.mark.parametrize(("name", "frame"), _good_sets(), ids=lambda value: value if isinstance(value, str) else "")
def test_good_answers_are_not_suspicious(name, frame):
    assert suspects(frame.astype(float)) == {}


def test_the_courses_own_answers_are_not_suspicious():
    world = population.load()
    pool = [item for items in world.scales().values() for item in items]
    assert suspects(respondents.valid_answers(world, "pre_survey")[pool].astype(float)) == {}
    assert suspects(respondents.valid_answers(world, "formal_survey")[world.kept()].astype(float)) == {}


#: what states the scale's points refuses what lies outside them
CODED = _with(GOOD, "b", 99, 3)


@pytest.mark.parametrize("function", STATISTICS)
def test_whatever_takes_answers_warns_of_a_code_of_a_missing_answer(function):
    if function == "screen.screen":
        with pytest.raises(InputError, match=r"'b'.*'99'.*raw\['b'\]\.replace\(99\.0, np\.nan\)"):
            STATISTICS[function](CODED)
        return
    # three such answers can keep a model from converging: the warning came before
    with pytest.warns(AnswersWarning) as caught, contextlib.suppress(EstimationError):
        STATISTICS[function](CODED)
    said = {str(each.message) for each in caught if each.category is AnswersWarning}
    assert len(said) == 1
    assert said.pop().startswith("Item 'b' holds 99, outside the other answers (1 to 7). If that stands for no answer")
    # the line that passed the answers, not one of the library's
    assert {Path(each.filename).name for each in caught if each.category is AnswersWarning} == {"test_inputs.py"}


@pytest.mark.parametrize("function", STATISTICS)
def test_good_answers_pass_without_a_word(function):
    with warnings.catch_warnings():
        warnings.simplefilter("error", AnswersWarning)
        STATISTICS[function](GOOD)


@pytest.mark.parametrize(
    "call",
    [
        lambda d: validate.nomological(d, MODEL + "\nB ~ A"),
        lambda d: validate.retest(d.assign(respondent=range(60)), WAVE, SCALES),
        lambda d: confirm.cfa(GOOD, MODEL).scores(d),
        lambda d: confirm.cfa(d, MODEL, estimator="WLSMV"),
        lambda d: confirm.cfa(d, MODEL, missing="fiml", estimator="MLR"),
        lambda d: screening.screen(d, items=ITEMS, points=None),
    ],
)
def test_the_rest_that_takes_answers_warns_too(call):
    with pytest.warns(AnswersWarning, match="Item 'b' holds 99"), contextlib.suppress(EstimationError):
        call(CODED)


@pytest.mark.parametrize("kind", ["float64", "int64", "Int64", "str", "category"])
def test_what_the_warning_says_to_type_gives_the_right_figures(kind):
    data = CODED.astype(int).astype(kind)
    with pytest.warns(AnswersWarning) as caught:
        purify.alpha(data, ITEMS)
    if kind in ("str", "category"):
        typed, recoded = "pd.to_numeric(data['b']).replace(99, np.nan)", pd.to_numeric(data["b"]).replace(99, np.nan)
    else:
        typed, recoded = "data['b'].replace(99, np.nan)", data["b"].replace(99, np.nan)
    assert f"say so first: data['b'] = {typed}. " in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error", AnswersWarning)
        found = purify.alpha(data.assign(b=recoded), ITEMS)
    assert found.alpha == purify.alpha(_with(GOOD, "b", np.nan, 3), ITEMS).alpha


def test_where_the_points_are_known_answers_outside_are_refused():
    assert len(screening.describe(GOOD, ITEMS, points=(1, 7)).table) == 6
    for value, points, told in ((99, (1, 7), "99"), (7, (1, 5), r"[67]"), (0, (1, 7), "0")):
        with pytest.raises(InputError, match=rf"Item '\w', row \d+, holds {told}, which is not an answer from 1 to"):
            screening.describe(_with(GOOD, "b", value), ITEMS, points=points)


def test_one_call_warns_once_and_the_next_call_again():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        STATISTICS["explore.compare"](CODED)
        assert [each.category for each in caught].count(AnswersWarning) == 1
        STATISTICS["explore.compare"](CODED)
    assert [each.category for each in caught].count(AnswersWarning) == 2


def test_answers_spoiled_after_they_were_checked_are_judged_anew():
    with pytest.warns(AnswersWarning, match="holds 99"):
        items_frame(_with(items_frame(GOOD), "b", 99))


R = pd.DataFrame([[1, 0.62, 0.6], [0.62, 1, 0.63], [0.6, 0.63, 1]], index=["a", "b", "c"], columns=["a", "b", "c"])


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (R, "correlation"),
        (R[["a", "b"]], "correlation"),
        (R.loc[["c", "a", "b"]], "correlation"),
        (R.reset_index(names="item"), "correlation"),
        (R.reset_index(names="item")[["item", "b", "c"]], "correlation"),
        (R.where(np.tril(np.ones((3, 3), dtype=bool))), "correlation"),
        (R.where(np.tril(np.ones((3, 3), dtype=bool)), ""), "correlation"),
        (R.where(np.triu(np.ones((3, 3), dtype=bool), 1)), "correlation"),
        (R.round(1), "correlation"),
        (R.reset_index(drop=True), "correlation"),
        (R.set_axis(range(3)).set_axis(range(3), axis=1), "correlation"),
        (pd.concat([pd.DataFrame([[4.1, 3.9, 4]], ["mean"], list(R)), R]), "correlation"),
        (R.assign(mean=[4.1, 3.9, 4]), "correlation"),
        (R * np.outer([1.2, 0.9, 1.4], [1.2, 0.9, 1.4]), "covariance"),
        ((R * np.outer([3, 4, 5], [3, 4, 5])).round().astype(int), "covariance"),
    ],
)  # fmt: skip
def test_a_matrix_is_recognized_however_it_is_handed_over(table, kind):
    with pytest.raises(InputError, match=rf"{kind} matrix.*not the answers of respondents.*Pass the answers"):
        refuse_matrix(table, list(table.columns))


@pytest.mark.parametrize(
    "answers",
    [
        GOOD,
        GOOD.iloc[:6],
        GOOD.set_axis([f"r{i}" for i in range(60)]),
        pd.DataFrame([[1, 2], [2, 1]]),
        pd.DataFrame([[1, 2, 3], [2, 1, 4], [3, 4, 1]], columns=["a", "b", "c"]),
        pd.DataFrame(np.eye(3), columns=["a", "b", "c"]),
        pd.DataFrame([[1, 5, 3], [2, 4, 1], [3, 3, 1]], index=["a", "b", "c"], columns=["a", "b", "c"]),
    ],
)
def test_answers_are_not_taken_for_a_matrix(answers):
    refuse_matrix(answers, list(answers.columns))


@pytest.mark.parametrize(
    "call",
    [
        lambda r: validate.nomological(r, MODEL + "\nB ~ A"),
        lambda r: validate.retest(r, r, SCALES),
        lambda r: confirm.cfa(GOOD, MODEL).scores(r),
        lambda r: screening.describe(r[["a", "b", "c"]]),
        lambda r: purify.alpha(r, ["a", "b", "c"]),
        lambda r: purify.purify(r, {"A": ["a", "b", "c"]}),
        lambda r: confirm.cfa(r, {"A": ["a", "b", "c"]}, estimator="WLSMV"),
    ],
)
def test_the_rest_refuses_a_matrix_too(call):
    with pytest.raises(InputError, match="correlation matrix"):
        call(GOOD.corr())


@pytest.mark.parametrize("step", [0, 1, 8])
def test_a_point_seldom_chosen_is_no_code_but_a_zero_or_an_eight_is(step):
    """Four items of 2 to 7, as in small samples of 1 to 7, or of 1 to 7; one answer stands beside them."""
    low = 2 if step == 1 else 1
    frame = pd.DataFrame({name: np.tile(np.arange(low, 8.0), 20) for name in "abcd"})
    frame.loc[3, "b"] = step
    assert suspects(frame) == ({} if step == 1 else {"b": [float(step)]})


VOTES = pd.DataFrame({"r1": [1, 2, 3, 4, 2, 1], "r2": [1, 2, 3, 4, 3, 1], "r3": [1, 2, 4, 4, 2, 99]})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda v: judge.krippendorff_alpha(v, draws=50, level=0.9),
            r"ratings hold 99, .*\(1 to 4\).*replace\(99, None\)",
        ),
        (
            lambda v: judge.krippendorff_alpha(v, metric="interval", draws=50, level=0.9),
            r"say so first: ratings = ratings\.replace\(99, None\)",
        ),
        (judge.fleiss_kappa, r"votes hold 99, .*leave out the items that hold 99"),
        (
            lambda v: conceptualize.agreement(v["r1"].tolist(), v["r3"].tolist()),
            r"codes hold 99, .*leave out the excerpts that hold 99",
        ),
    ],
)
def test_what_takes_raters_numbers_warns_too_and_not_of_good_ones(call, words):
    with pytest.warns(AnswersWarning, match=words) as caught:
        call(VOTES)
    assert [Path(each.filename).name for each in caught] == ["test_suspects.py"]
    with warnings.catch_warnings():
        warnings.simplefilter("error", AnswersWarning)
        call(VOTES.replace(99, 1))


def test_what_the_warning_says_to_type_gives_raters_alpha():
    with warnings.catch_warnings():
        warnings.simplefilter("error", AnswersWarning)
        found = judge.krippendorff_alpha(VOTES.replace(99, None), draws=50, level=0.9)
    assert found.alpha == judge.krippendorff_alpha(VOTES.astype(float).replace(99, np.nan), draws=50, level=0.9).alpha


def test_ratings_of_relevance_outside_their_points_are_refused():
    with pytest.raises(InputError, match="99"):
        judge.relevance(VOTES.set_axis(list("uvwxyz")))
