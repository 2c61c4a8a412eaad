"""Labels by kind: blank text is missing, what looks alike is refused by name or merged on request, everywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cocreation.audit.audit import audit
from cocreation.course.checks import compare
from cocreation.course.questions import Question
from cocreation.errors import InputError
from cocreation.inputs.answers import items_frame, scales_mapping
from cocreation.inputs.labels import bare, labels_in, look, merge_alike, refuse_alike, without_blanks
from cocreation.inputs.options import names_of
from cocreation.steps import conceptualize, decisions, generate, judge, screen, validate
from cocreation.survey import population, sample

#: the same label, written as people and exports write it
FORMS = [
    "joy",
    "JOY",
    "Joy ",
    "\tJoy\n",
    "J oy",
    "Joy\xa0",
    "Joy\u200b",
    "\ufeffJoy",
    "J\u00adoy",
    "Ｊｏｙ",
    "Joy\u3000",
    "Joy\u2800",
]
BLANKS = ["", " ", "\t", "\n", "\xa0", "\u3000", "\u200b", "\ufeff", " \u2060 ", "\u2800"]
GOOD = ["Joy", "task", "Joy", "task", "data", "Joy", "data", "task"]


def column(labels):
    """The labels as a column, of the kind they are."""
    return labels.reset_index(drop=True) if isinstance(labels, pd.Series) else pd.Series(labels, dtype=object)


def rated(labels):
    """The labels as two raters' of four items, in a table."""
    return pd.DataFrame({"one": column(labels[:4]), "two": column(labels[4:])})


def of_groups(labels):
    d = np.tile(np.random.default_rng(1).normal(size=(40, 1)), (1, 3)) + np.random.default_rng(2).normal(size=(40, 3))
    data = pd.DataFrame(d, columns=["a", "b", "c"])
    data["g"] = pd.concat([column(labels)] * 5, ignore_index=True)
    return validate.invariance(data, {"F": ["a", "b", "c"]}, "g", levels=["configural"])


def pool(labels):
    return pd.DataFrame({"item": range(8), "dimension": "A", "theme": column(labels)})


#: every function that finds its labels in the data
FINDS = {
    "agreement": lambda x: conceptualize.agreement(column(x[:4]), column(x[4:])),
    "fleiss_kappa": lambda x: judge.fleiss_kappa(rated(x)),
    "krippendorff_alpha": lambda x: judge.krippendorff_alpha(rated(x), draws=50),
    "sorting": lambda x: judge.sorting(
        rated(x), pd.Series(["Joy", "task", "data", "Joy"]), dimensions=["Joy", "task", "data"]
    ),
    "intended": lambda x: judge.sorting(rated(GOOD), column(x[:4]), dimensions=["Joy", "task", "data"]),
    "saturation of themes": lambda x: conceptualize.saturation(
        pd.DataFrame({"interview": [1, 1, 2, 2, 3, 3, 4, 4], "theme": column(x)}), draws=20
    ),
    "saturation of interviews": lambda x: conceptualize.saturation(
        pd.DataFrame({"interview": column(x), "theme": list("abcdabcd")}), draws=20
    ),
    "sample_description": lambda x: screen.sample_description(pd.DataFrame({"g": column(x)}), ["g"]),
    "coverage": lambda x: generate.coverage(pool(x)),
    "coverage of dimensions": lambda x: generate.coverage(pool(GOOD).assign(dimension=column(x), theme="t")),
    "groups": of_groups,
}


def outcome(call, labels):
    """What comes of labels: the result as it is shown, or what the refusal says."""
    try:
        return str(call(labels))
    except InputError as error:
        return f"refused: {error}"


@pytest.mark.parametrize("call", FINDS.values(), ids=FINDS)
class TestFoundInTheData:
    def test_good_labels_pass(self, call):
        assert not outcome(call, GOOD).startswith("refused")

    @pytest.mark.parametrize("form", FORMS, ids=ascii)
    def test_what_looks_alike_is_refused_by_name(self, call, form):
        with pytest.raises(InputError, match="look alike") as refused:
            call([form, *GOOD[1:]])
        assert ascii(form) in str(refused.value) or repr(form) in str(refused.value)

    def test_on_request_it_is_merged(self, call):
        typed = ["Joy ", "TASK", "Joy", "task", "data", "joy", "ｄata", "task"]
        assert outcome(call, typed).startswith("refused")
        assert outcome(call, merge_alike(typed, like=GOOD)) == outcome(call, GOOD)

    def test_blank_text_is_missing(self, call):
        expected = outcome(call, [None, *GOOD[1:]])
        for blank in [*BLANKS, np.nan, pd.NA, pd.NaT]:
            assert outcome(call, [blank, *GOOD[1:]]) == expected, ascii(blank)

    @pytest.mark.parametrize("ordered", [True, False])
    def test_a_categorical_counts_as_its_labels(self, call, ordered):
        kinds = pd.CategoricalDtype(["task", "never", "Joy", "data"], ordered=ordered)
        found = outcome(call, pd.Series(GOOD).astype(kinds))
        if call in (FINDS["sample_description"], FINDS["groups"]):  # which show the categories, or their order
            assert not found.startswith("refused")
        else:
            assert found == outcome(call, GOOD)

    def test_a_categorical_may_not_look_alike_or_be_blank_either(self, call):
        with pytest.raises(InputError, match="look alike"):
            call(pd.Series(["joy ", *GOOD[1:]]).astype("category"))
        assert outcome(call, pd.Series(["", *GOOD[1:]]).astype("category")) == outcome(
            call, pd.Series([None, *GOOD[1:]]).astype("category")
        )


class TestNumbers:
    @pytest.mark.parametrize("other", ["1", "1.0", " 1", "１"])
    @pytest.mark.parametrize("name", ["agreement", "fleiss_kappa", "saturation of themes", "sample_description"])
    def test_a_number_and_its_text_look_alike(self, name, other):
        with pytest.raises(InputError, match="look alike"):
            FINDS[name]([1, 2, other, 2, 1, 1, 2, 2])

    @pytest.mark.parametrize("name", ["agreement", "fleiss_kappa", "saturation of themes", "krippendorff_alpha"])
    def test_whole_numbers_are_one_whatever_their_type(self, name):
        of_one_type, of_two = ([1, 2, 1, 2, 1, 1, 2, 2], [1, 2, 1.0, np.int64(2), 1, np.float64(1), 2, 2])
        assert outcome(FINDS[name], of_two) == outcome(FINDS[name], of_one_type)

    def test_ratings_that_are_all_numbers_are_read_as_numbers(self):
        ratings = pd.DataFrame({"a": [1, "2", 3.0, "1.0", ""], "b": ["1", 2, "3", 1, 2]}, dtype=object)
        found = judge.krippendorff_alpha(ratings, draws=50)
        assert found.alpha == 1
        assert found.units == 4


class TestAsked:
    """Where the user says which answer is right, all that looks like it is it."""

    def test_cvr_by_hand(self):
        votes = pd.DataFrame(
            [
                ["essential"] * 9 + ["useful"],
                ["Essential"] * 5 + ["ESSENTIAL "] * 5,
                ["essential ", *["essential"] * 8, "\u200bＥssential"],
            ],
            index=["item1", "item2", "item3"],
        )
        found = judge.cvr(votes)
        assert found.items["cvr"].tolist() == [0.8, 1, 1]
        assert found.items["passed"].all()
        assert "12 written otherwise than 'essential' counted as it" in found.note

    def test_cvr_leaves_blank_votes_out(self):
        votes = pd.DataFrame([["essential"] * 8 + ["", " "], ["essential"] * 9 + ["\xa0"]])
        found = judge.cvr(votes)
        assert found.items["n"].tolist() == [8, 9]
        assert found.items["cvr"].tolist() == [1, 1]
        assert "3 missing votes" in found.note
        with pytest.raises(InputError, match="No expert voted on item '0'"):
            judge.cvr(pd.DataFrame([["", " "], ["essential", "essential"]]))

    @pytest.mark.parametrize(("essential", "vote"), [(1, "1"), ("1", 1), (1, 1.0), (1, True), ("yes", "Yes ")])
    def test_cvr_of_other_words(self, essential, vote):
        assert judge.cvr(pd.DataFrame([[vote] * 5] * 2), essential=essential).items["cvr"].tolist() == [1, 1]

    def test_a_blank_vote_cannot_be_the_essential_one(self):
        with pytest.raises(InputError, match="essential is the vote that means it"):
            judge.cvr(pd.DataFrame([["a", ""]] * 2), essential=" ")

    @pytest.mark.parametrize("right", ["agree", "Agree", " AGREE"])
    def test_the_trap_takes_every_way_of_writing_the_right_answer(self, right):
        given = ["agree", "Agree", "AGREE", "agree\xa0", "ａgree", "disagree", "", None, "agree|disagree", "\u200b"]
        raw = pd.DataFrame({"q1": [1, 2] * 5, "q2": [2, 1] * 5, "att": given})
        found = screen.screen(raw, items=["q1", "q2"], trap=("att", right))
        assert found.flags["trap_failed"].tolist() == [False] * 5 + [True] * 5

    @pytest.mark.parametrize(
        ("right", "given", "passes"),
        [
            (2, ["2", 2, 2.0, " 2", "2.0", "２", "3", "2|3", None], 6),
            ("2", ["2", 2, 2.0, " 2", "2.0", "２", "3", "2|3", None], 6),
            (True, [True, "TRUE", "true ", 1, "1", False, "no", "", None], 5),
        ],
    )
    def test_the_trap_in_numbers(self, right, given, passes):
        raw = pd.DataFrame({"q1": range(1, 8), "q2": [*range(2, 8), 1]}).iloc[[0] * 9].reset_index(drop=True)
        raw["att"] = pd.Series(given, dtype=object)
        flags = screen.screen(raw, items=["q1", "q2"], trap=("att", right)).flags
        assert (~flags["trap_failed"]).sum() == passes

    def test_a_blank_is_no_right_answer(self):
        raw = pd.DataFrame({"q1": [1, 2], "q2": [2, 1], "att": ["", "a"]})
        with pytest.raises(InputError, match="right answer to the trap question is blank"):
            screen.screen(raw, items=["q1", "q2"], trap=("att", " "))

    def test_what_came_back_and_what_was_answered(self):
        raw = pd.DataFrame(
            {
                "back": ["Yes ", "ＹES", "no", "1.0", 1, True, "yes\u200b"],
                "q1": ["１", " 2", "", "3\xa0", "\u200b", "\xa0", "5"],
                "q2": ["2", "3", "4", "4", "4", "5", "3｜4"],
            },
            dtype=object,
        )
        flags = screen.screen(raw, items=["q1", "q2"], returned="back").flags
        assert flags["reason"].tolist() == ["", "", "not_returned", "", "missing", "missing", "two_ticks"]

    def test_a_students_answer_in_words(self):
        question = Question("DO01", praise="Yes.", otherwise="No.")
        names = Question(["DO01", "CE02"], praise="Yes.", otherwise="No.")
        assert all(compare(each, question).right for each in ("DO01", " do01", "ＤO01\u200b"))
        assert compare(["do01 ", "CE02"], names).right
        assert not compare("DO02", question).right
        assert not compare(["CE02", "DO01"], names).right


class TestByHand:
    def test_agreement_of_four_units(self):
        one, two = merge_alike(["A", "B", "C", "A"], ["a", "B ", "Ｃ", "A\u200b"])
        ratings = pd.DataFrame({"r1": one, "r2": two})
        assert judge.krippendorff_alpha(ratings, draws=50).alpha == 1
        assert judge.fleiss_kappa(ratings).kappa == 1
        assert conceptualize.agreement(one, two).kappa == 1

    def test_three_themes_and_two_categories(self):
        talks = pd.DataFrame(
            {"interview": ["I1", "I1", "I2", "I2", "I3"], "theme": ["Trust", "speed", "trust ", "Speed", "cost"]}
        )
        talks["theme"] = merge_alike(talks["theme"])
        assert conceptualize.saturation(talks, draws=20).themes["interviews"].tolist() == [2, 2, 1]
        firms = pd.DataFrame({"g": merge_alike(pd.Series(["Male", "male", "MALE ", " Female", "female"]))})
        assert screen.sample_description(firms, ["g"]).table["n"].tolist() == [3, 2]

    def test_blank_answers_are_no_category(self):
        firms = pd.DataFrame({"g": ["a", "b", "", " ", "\xa0", None, "a"]})
        found = screen.sample_description(firms, ["g"])
        assert found.table[["category", "n"]].to_numpy().tolist() == [["a", 2], ["b", 1]]
        assert "4 did not answer 'g'" in found.note
        blank = pd.Categorical(["a", "", "b"], categories=["b", "", "a", "c"])
        assert screen.sample_description(pd.DataFrame({"g": blank}), ["g"]).table["category"].tolist() == list("bac")

    def test_an_order_that_writes_a_category_otherwise_is_told_how_to_merge(self):
        firms = pd.DataFrame({"g": ["Small", "large"]})
        with pytest.raises(InputError, match=r"like=\['small', 'large'\]"):
            screen.sample_description(firms, ["g"], order={"g": ["small", "large"]})
        firms["g"] = merge_alike(firms["g"], like=["small", "large"])
        found = screen.sample_description(firms, ["g"], order={"g": ["small", "large"]})
        assert found.table["category"].tolist() == ["small", "large"]

    def test_orders_of_coders_and_raters(self):
        with pytest.raises(InputError, match=r"look alike.*merge_alike.*like=order"):
            conceptualize.agreement(["low", "High"], ["low", "high"], order=["low", "high"])
        with pytest.raises(InputError, match=r"look alike.*merge_alike.*like=order"):
            judge.krippendorff_alpha(pd.DataFrame({"a": ["low", "High"], "b": ["low", "high"]}), order=["low", "high"])


class TestNames:
    """What is joined by name, or listed by name, may not look alike either."""

    def test_respondents_of_two_occasions(self):
        who = [f"R{i}" for i in range(8)]
        one = pd.DataFrame({"respondent": who, "a": [1, 2, 3, 4, 5, 6, 7, 4], "b": [2, 2, 3, 5, 5, 6, 6, 4]})
        two = one.assign(a=[2, 1, 3, 5, 4, 7, 7, 5], respondent=["r0 ", "R1\u200b", *who[2:]])
        with pytest.raises(InputError, match=r"respondents 'R0' and 'r0 ' look alike.*first\['respondent'\], second"):
            validate.retest(one, two, {"DO": ["a", "b"]})
        one["respondent"], two["respondent"] = merge_alike(one["respondent"], two["respondent"])
        assert validate.retest(one, two, {"DO": ["a", "b"]}).people["matched"].tolist() == [8]
        with pytest.raises(InputError, match="'r1' and 'R1' look alike"):
            validate.retest(one.assign(respondent=["r1", *who[1:]]), two, {"DO": ["a", "b"]})
        with pytest.raises(InputError, match=r"Row 3 of the first occasion does not say who"):
            validate.retest(one.assign(respondent=[*who[:3], "\xa0", *who[4:]]), two, {"DO": ["a", "b"]})

    def test_numbers_and_their_text_are_not_two_people(self):
        one = pd.DataFrame({"respondent": range(1, 7), "a": [1, 2, 3, 4, 5, 6]})
        two = one.assign(respondent=["1", "2", "3", "4", "5", "6"])
        with pytest.raises(InputError, match="respondents 1 and '1' look alike"):
            validate.retest(one, two, {"DO": ["a"]})

    def test_items_of_a_list(self):
        with pytest.raises(InputError, match=r"items 'Q1 ' and 'q1' look alike.*Rename one of them or leave it out"):
            names_of(["Q1 ", "q2", "q1"])
        data = pd.DataFrame(np.arange(12).reshape(6, 2), columns=["Q1 ", "q1"])
        with pytest.raises(InputError, match="look alike"):
            screen.describe(data, ["Q1 ", "q1"])

    def test_items_of_a_panel(self):
        sorts = pd.DataFrame([["A", "A"], ["B", "B"]], index=["x", "y"])
        with pytest.raises(InputError, match="items 'x' and 'X ' look alike"):
            judge.sorting(sorts, {"X ": "A", "y": "B"})
        ratings = pd.DataFrame([[4, 4], [3, 4]], index=["x", "Y"])
        with pytest.raises(InputError, match="items 'y' and 'Y' look alike"):
            judge.judge(judge.sorting(sorts, {"x": "A", "y": "B"}), judge.relevance(ratings))

    def test_items_of_a_pool(self):
        with pytest.raises(InputError, match="items 'DO01' and 'do01' look alike"):
            generate.wording({"DO01": "We ask.", "do01": "We listen."})
        scheme = pd.DataFrame({"dimension": ["A", "A", "A"], "theme": ["joy", "task", "data"]})
        with pytest.raises(InputError, match="themes 'joy' and 'Joy' of the scheme and the items look alike"):
            generate.coverage(pool(GOOD), scheme=scheme)
        with pytest.raises(InputError, match="dimensions 'A' and 'a' look alike"):
            generate.coverage(pool(GOOD), final={"a": 2})

    def test_subjects_of_a_decision_log(self, tmp_path):
        log = pd.DataFrame({"subject": ["DO01", "DO01 "], "decision": "keep", "rule": "CITC", "evidence": ""})
        for take in (decisions.kept, lambda each: decisions.write_decisions(each, "purify", tmp_path)):
            with pytest.raises(InputError, match="subjects 'DO01' and 'DO01 ' of the decisions look alike"):
                take(log)
            with pytest.raises(InputError, match="Row 1 of the decisions does not say what it decides on"):
                take(log.assign(subject=["DO01", "\u200b"]))
            with pytest.raises(InputError, match="'keep' or 'drop', not 'Keep'"):
                take(log.assign(subject=["a", "b"], decision=["keep", "Keep"]))
        (tmp_path / "explore.csv").write_text(log.to_csv(index=False), encoding="utf-8")
        with pytest.raises(InputError, match="look alike"):
            decisions.read_decisions("explore", tmp_path)

    def test_scales_of_a_report(self):
        figures = {
            "scales": [{"name": "Trust", "ave": "0.5"}],
            "correlations": [{"between": ["trust", "B"], "r": "0.8"}],
        }
        with pytest.raises(InputError, match="scales 'Trust' and 'trust' of the report look alike"):
            audit(figures)
        shares = {"percentages": [{"name": "sex", "n": 10, "percent": {"Male": 50, "male ": 50}}]}
        with pytest.raises(InputError, match="categories of sex 'Male' and 'male ' of the report look alike"):
            audit(shares)

    def test_firms_of_a_population(self):
        world = population.load()
        group = world.raw["groups"][0]
        firms = pd.DataFrame({each["column"]: "x" for each in world.raw["groups"]}, index=range(5))
        firms[group["column"]] = f"{group['value']} "
        with pytest.raises(InputError, match=r"look alike.*merge_alike"):
            sample.answers(sample.latent(5, seed=1, population=world), world, firms=firms)


class TestTheMechanism:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("don’t know", "Don't  know"),
            ("18–24", "18-24"),
            ("“new”", '"new"'),
            ("Café", "CAFE\u0301"),
            ("Straße", "STRASSE"),
            (True, "TRUE"),
            (2.5, "2.5"),
            ("ﬁrm", "Firm"),
        ],
    )
    def test_alike(self, one, other):
        assert look(one) == look(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [("1 12", "11 2"), ("2.1", "2.10"), ("01", "1"), ("cafe", "café"), ("a-b", "a b"), ("-1", "1"), ("<5", "5")],
    )
    def test_not_alike(self, one, other):
        refuse_alike([one, other], "labels")
        assert look(one) != look(other)

    @pytest.mark.parametrize("blank", [*BLANKS, None, np.nan, pd.NA, pd.NaT], ids=ascii)
    def test_blank(self, blank):
        assert bare(blank) == look(blank) == ""
        refuse_alike(["", blank, "a"], "labels")

    def test_labels_that_read_the_same_are_told_by_their_codes(self):
        with pytest.raises(InputError, match=r"'\\xe9' and 'e\\u0301'"):
            refuse_alike(["é", "e\u0301"], "labels")

    @pytest.mark.parametrize("dtype", ["object", "string", "category"])
    def test_blanks_of_every_kind_of_column(self, dtype):
        column = pd.Series(["a", "", " ", "b", None], dtype=dtype)
        assert without_blanks(column).tolist() == ["a", None, None, "b", None]
        assert labels_in(column.to_frame("x"), "labels", "x")["x"].tolist() == ["a", None, None, "b", None]

    def test_the_most_frequent_spelling_stands_for_all(self):
        assert merge_alike(["joy", "Joy ", "Joy ", "JOY", 1, "1", None, " "]) == ["Joy"] * 4 + [1, 1, None, None]
        assert merge_alike(["joy", "Joy", "Joy"], like=["JOY"]) == ["JOY"] * 3

    def test_what_is_given_comes_back(self):
        column = pd.Series(["lo", "Hi", "hi ", "", None], [5, 4, 3, 2, 1], name="x")
        merged = merge_alike(column)
        assert merged.index.tolist() == [5, 4, 3, 2, 1]
        assert merged.name == "x"
        ordered = column.astype(pd.CategoricalDtype(["lo", "hi ", "Hi", "", "no"], ordered=True))
        assert merge_alike(ordered).cat.categories.tolist() == ["lo", "Hi", "no"]
        assert merge_alike(ordered).cat.ordered
        table = pd.DataFrame({"a": ["x", "Y"], "b": ["X ", "y"]})
        assert merge_alike(table).to_numpy().tolist() == [["x", "x"], ["Y", "Y"]]
        assert merge_alike(["x"], ("X", "x")) == (["x"], ["x", "x"])

    @pytest.mark.parametrize("wrong", [(), ("joy",), (3,), ([["a"], "b"],)])
    def test_what_cannot_be_merged_is_refused(self, wrong):
        with pytest.raises(InputError, match=r"Give one label a cell|columns, tables or lists"):
            merge_alike(*wrong)


class TestItemsAndDimensions:
    def test_dimensions_and_items_that_look_alike_are_refused(self):
        with pytest.raises(InputError, match="dimensions 'PE' and 'pe ' look alike"):
            scales_mapping({"PE": ["a", "b"], "pe ": ["c", "d"]})
        with pytest.raises(InputError, match=r"items 'a' and 'A' look alike.*Rename one of them or leave it out"):
            scales_mapping({"PE": ["a", "b"], "EV": ["A", "d"]})

    def test_columns_taken_as_they_are(self):
        data = pd.DataFrame({"q1": [1, 2, 4, 3], "Q1 ": [2, 1, 3, 4]})
        with pytest.raises(InputError, match="items 'q1' and 'Q1 ' look alike"):
            items_frame(data)


class TestLettersOfOtherScripts:
    """Cyrillic and Greek letters that are drawn as Latin ones are; genuine words of these scripts stay themselves."""

    @pytest.mark.parametrize(
        "other", ["\u0410gree", "Agr\u0435e", "\u0391gree", "Ａgree", "A\u00adgree", "agree\u00a0"]
    )
    def test_a_word_with_one_such_letter_is_the_word(self, other):
        assert look(other) == "agree"
        with pytest.raises(InputError, match=r"The codes .* look alike, but count as two"):
            refuse_alike(["Agree", other], "codes")
        assert merge_alike(["Agree", "Agree", other]) == ["Agree"] * 3

    @pytest.mark.parametrize(("latin", "other"), [("A", "\u0410"), ("B", "\u0392"), ("COP", "\u0421\u041e\u0420")])
    def test_a_label_all_of_such_letters_is_told_beside_its_twin_and_alone_is_itself(self, latin, other):
        refuse_alike([other, "\u0416"], "codes")
        with pytest.raises(InputError, match=r"\\u0"):
            refuse_alike([latin, other], "codes")
        assert merge_alike([latin, latin, other]) == [latin] * 3
        assert merge_alike([other]) == [other]

    def test_genuine_words_stay_apart_and_differ_in_case_only_as_before(self):
        words = ["да", "нет", "ναι", "όχι", "同意", "不同意", "yes", "no"]
        refuse_alike(words, "codes")
        assert merge_alike(words) == words
        assert merge_alike(["Вода", "вода", "вода"]) == ["вода"] * 3
