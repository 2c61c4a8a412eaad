"""One study is one folder of data: other constructs, other scales, and files that do not go together."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from cocreation.course import checks, personal
from cocreation.course.assignments.flawed_scale import flawed_scale
from cocreation.course.assignments.purify import questions
from cocreation.errors import CourseError, InputError
from cocreation.steps import report, screen
from cocreation.survey import aims, calibrate, datasets, fieldwork, population, respondents, sample, study

SECOND = Path(__file__).parent / "second_study" / "datasets"
STUDENTS = [f"student {number}" for number in range(12)]


def raw(name: str = "population") -> dict[str, Any]:
    """What a file of the second study says, to be changed."""
    return tomllib.loads((SECOND / f"{name}.toml").read_text(encoding="utf-8"))


def as_toml(value: Any) -> str:
    """A value as TOML writes it within a line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def written(folder: Path, **files: dict[str, Any]) -> Path:
    """Write a study's files into ``folder/datasets``; what is not given is not there."""
    (folder / "datasets").mkdir(parents=True)
    for name, content in files.items():
        lines = [f"{json.dumps(key)} = {as_toml(value)}\n" for key, value in content.items() if key != "calibrated"]
        if "calibrated" in content:
            lines.append("[calibrated]\n")
            lines += [f"{key} = {as_toml(value)}\n" for key, value in content["calibrated"].items()]
        (folder / "datasets" / f"{name}.toml").write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def at(monkeypatch) -> Callable[[Path], population.Population]:
    """Make a folder's study the one at hand and return its population."""

    def chosen(folder: Path) -> population.Population:
        monkeypatch.setenv("COCREATION_ROOT", str(folder))
        return population.load()

    return chosen


@pytest.fixture
def second(tmp_path, at) -> population.Population:
    """The second study with its own fieldwork and figures, at hand."""
    shutil.copytree(SECOND, tmp_path / "study" / "datasets")
    return at(tmp_path / "study")


def command(*words: str, root: Path) -> subprocess.CompletedProcess:
    code = "import os, sys; os.environ['COCREATION_ROOT'] = sys.argv.pop(1); from cocreation.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, str(root), *words], capture_output=True, text=True, check=False, encoding="utf-8"
    )


# ── variants ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def three_dimensions(plan: dict[str, Any]) -> None:
    themes = [{"name": "price", "meaning": "about price"}, {"name": "worth", "meaning": "about worth"}]
    plan["dimensions"].append(
        {"code": "VA", "name": "value", "phase": "state", "meaning": "Worth it.", "themes": themes}
    )
    plan["items"] += [
        {**item, "item": item["item"].replace("LO", "VA"), "theme": "price" if number < 2 else "worth"}
        for number, item in enumerate(item for item in list(plan["items"]) if item["item"].startswith("LO"))
    ]
    plan["calibrated"]["loadings"]["VA"] = 0.78


def ten_points(plan: dict[str, Any]) -> None:
    plan["scale"] |= {"points": 10, "cuts": np.linspace(-1.6, 1.6, 9).round(2).tolist()}


def from_zero(plan: dict[str, Any]) -> None:
    plan["scale"] |= {"points": 11, "cuts": np.linspace(-1.8, 1.8, 10).round(2).tolist(), "lowest": 0}
    plan["scale"]["labels"] = ["never", "always"]
    plan["trap"] = {"wording": "Tick 0.", "right": 0}


def around_zero(plan: dict[str, Any]) -> None:
    plan["scale"]["lowest"] = -2
    plan["trap"] = {"wording": "Tick −1.", "right": -1}


def channels_and_roles(plan: dict[str, Any]) -> None:
    plan["roles"] = {"guest": 0.9, "host": 0.1}
    plan["pre_survey"]["channels"] = {"by pigeon": 0.5, "by post": 0.5}
    plan["formal_survey"] |= {"channels": {"by post": 1.0}, "days": 10}
    plan["follow_up"]["weeks"] = [2, 3]
    plan["codebook"] = {"pre_survey": {"channel": "how the bird flew"}}


def no_firms_no_outcomes(plan: dict[str, Any]) -> None:
    del plan["formal_survey"]["firms"], plan["outcomes"], plan["growth"]
    plan["groups"] = []


def no_spoiled(plan: dict[str, Any]) -> None:
    del plan["pre_survey"]["spoiled"], plan["formal_survey"]["spoiled"], plan["formal_survey"]["firms"]


def groups(plan: dict[str, Any]) -> None:
    plan["groups"] = [{"column": "industry", "value": "retail", "dimensions": {"TR": 0.5}}]


def flawed(plan: dict[str, Any]) -> None:
    about = {"theme": "skill", "role": "flawed", "location": 0.0}
    plan["items"] += [
        {"item": "TR05", "wording": "We fail.", "flaw": "reverse_keyed", "loading": -0.6, **about},
        {"item": "TR06", "wording": "They return.", "flaw": "cross_loading", "loading": 0.5, **about,
         "cross": {"dimension": "LO", "loading": 0.4}},
    ]  # fmt: skip


def unicode_codes(plan: dict[str, Any]) -> None:
    names = {"TR": "信", "LO": "Ö"}

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {renamed(key): renamed(each) for key, each in value.items()}
        if isinstance(value, list):
            return [renamed(each) for each in value]
        for old, new in names.items():
            value = value.replace(old, new) if isinstance(value, str) else value
        return value

    new = renamed(plan)
    plan.clear()
    plan |= new


def numbers_for_names(plan: dict[str, Any]) -> None:
    plan["formal_survey"]["firms"]["size"] = {"01": 100, "02": 140}


def two_points(plan: dict[str, Any]) -> None:
    plan["scale"] |= {"points": 2, "cuts": [0.1]}


def one_dimension(plan: dict[str, Any]) -> None:
    plan["dimensions"], plan["items"] = plan["dimensions"][:1], plan["items"][:4]
    plan["calibrated"]["loadings"] = {"TR": 0.8}
    plan["correlations"] = {"level": 0.4}
    plan["formal_survey"]["trap_after"] = "TR02"


def no_second_wave(plan: dict[str, Any]) -> None:
    del plan["follow_up"]


VARIANTS = [
    three_dimensions, ten_points, from_zero, around_zero, channels_and_roles, no_firms_no_outcomes, no_spoiled, groups,
    flawed, unicode_codes, numbers_for_names, two_points, one_dimension, no_second_wave,
]  # fmt: skip


@pytest.mark.parametrize("change", VARIANTS, ids=lambda change: change.__name__)
class TestVariant:
    """Each is drawn, written, read back, screened and turned into personal data."""

    def test_its_data_sets_are_written_and_read_back(self, change, tmp_path, at):
        plan = raw()
        change(plan)
        world = at(written(tmp_path / "study", population=plan))
        low, high = world.points
        files = datasets.write(tmp_path / "study" / "datasets")
        assert [file.name for file in files if ".codebook" not in file.name] == [f"{n}.csv" for n in datasets.names()]
        assert datasets.names() == [n for n in ("pre_survey", "formal_survey", "follow_up") if n in plan]
        for name in datasets.names():
            table, book = datasets.load(name), datasets.codebook(name)
            assert book["column"].tolist() == table.columns.tolist()
            made = datasets.make(name)
            for column in table:
                if pd.api.types.is_numeric_dtype(table[column]):
                    assert pd.to_numeric(made[column]).equals(table[column].astype(pd.to_numeric(made[column]).dtype))
                else:
                    assert table[column].fillna("").tolist() == made[column].tolist()
        for name, items in (("pre_survey", world.items["item"].tolist()), ("formal_survey", world.kept())):
            trap = ("trap", plan["trap"]["right"])
            survey, table = plan[name], datasets.load(name)
            found = screen.screen(table, items=items, trap=trap, returned="returned", points=(low, high))
            lost = survey.get("spoiled", {})
            assert len(table) == survey["distributed"]
            assert len(found.valid) == survey["distributed"] - sum(lost.values())
            values = found.valid[items].to_numpy()
            assert (values.min(), values.max()) == (low, high)
            first = world.items["item"].iloc[0]
            assert datasets.codebook(name).set_index("column").loc[first, "values"].startswith(f"{low} ")
            straight = found.flags["reason"] == "straight_line"
            assert straight.sum() <= lost.get("straight_lining", 0)

    def test_shares_of_the_answers_are_those_the_cuts_ask_for(self, change):
        plan = raw()
        change(plan)
        world = population.build(plan, population.read(SECOND / "population.toml").calibrated
                                 if change is not three_dimensions and change is not unicode_codes
                                 and change is not one_dimension
                                 else population.Calibrated(**plan["calibrated"]))  # fmt: skip
        drawn = sample.draw(4000, seed=3, population=world)
        edges = np.concatenate([[0], ndtr(plan["scale"]["cuts"]), [1]])
        lowest = plan["scale"].get("lowest", 1)
        assert world.points == (lowest, lowest + plan["scale"]["points"] - 1)
        for item in world.kept():
            shares = drawn[item].value_counts(normalize=True).reindex(range(lowest, world.points[1] + 1), fill_value=0)
            assert np.abs(shares.to_numpy() - np.diff(edges)).max() < 0.03

    def test_personal_data_stay_on_the_scale_and_their_questions_know_it(self, change, tmp_path, at):
        plan = raw()
        change(plan)
        world = at(written(tmp_path / "study", population=plan))
        low, high = world.points
        if change is two_points:
            # two answers carry too little for an item on the edge: said in a sentence
            with pytest.raises(CourseError, match="items are too weak"):
                [personal.data("purify", student) for student in STUDENTS]
            return
        for student in STUDENTS:
            scale = flawed_scale(personal.seed("purify", student))
            seen = set(np.unique(scale.data.to_numpy()[~np.isnan(scale.data.to_numpy())]))
            assert seen <= set(range(low, high + 1))
            asked = questions(scale.data)
            complete = scale.data.dropna()
            assert asked["reverse"].right == scale.reverse_keyed
            turned = complete.assign(**{scale.reverse_keyed: low + high - complete[scale.reverse_keyed]})
            assert checks.compare(turned, asked["recoded"]).right
            assert asked["recoded"].right.min().min() >= low


class TestSecondStudy:
    def test_a_population_is_loaded_by_its_file_its_folder_or_the_folder_above(self, root):
        for path in (SECOND, SECOND / "population.toml", SECOND.parent, str(SECOND)):
            assert repr(population.load(path)) == "Population(2 dimensions, 4 themes, 8 items, 8 of them kept)"
        assert population.load(root).points == (1, 7)
        assert population.load(SECOND).points == (1, 5)
        assert population.load(SECOND).straight_lining() == [3, 4, 5]

    def test_another_study_at_hand_is_seen_without_being_told(self, second, monkeypatch):
        assert len(datasets.names()) >= 6
        assert second.points == (1, 5)
        monkeypatch.delenv("COCREATION_ROOT")
        assert population.load().points == (1, 7)
        assert datasets.study()["respondents"] == 486

    def test_a_changed_file_is_read_again(self, second):
        file = study.find("population.toml")
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace('name = "trust"', 'name = "reliance"'), encoding="utf-8")
        assert population.load().dimensions["name"].tolist() == ["reliance", "loyalty"]
        assert population.load() is population.load()

    def test_its_fieldwork_is_about_its_own_dimensions(self, second):
        talks, pool, votes = fieldwork.interviews(), fieldwork.item_pool(), fieldwork.expert_sorts()
        assert talks["interview"].nunique() == 10
        assert set(talks["dimension"]) == set(pool["dimension"]) == {"TR", "LO"}
        assert talks.drop_duplicates("interview")["minutes"].mean() == 30
        assert not talks["text"].str.contains("[{}]").any()
        assert not talks.duplicated(["firm", "text"]).any()
        assert set(votes["sorted_to"].dropna()) <= {"TR", "LO", "none"}
        assert len(votes) == 9 * 5
        rated = votes.loc[votes["item"] != "TR05", "relevance"].dropna()
        assert set(rated) == {3, 4, 5}
        assert votes.loc[votes["item"] == "TR05", "relevance"].dropna().tolist() == [2, 3]

    def test_its_codebooks_tell_its_own_facts(self, second, tmp_path):
        told = {name: book.set_index("column")["values"].to_dict() for name, book in fieldwork.CODEBOOKS.items()}
        assert set(told) >= {"interviews", "item_pool", "expert_sorts"}
        assert told["interviews"]["interview"] == "I01–I10"
        assert told["interviews"]["minutes"] == "15–60"
        assert told["interviews"]["theme"] == "honesty, skill, return, advocacy"
        assert told["expert_sorts"]["expert"] == "E1–E4, E6"
        assert told["expert_sorts"]["relevance"] == "1–5"
        assert told["expert_sorts"]["sorted_to"] == "TR, LO, none"
        assert told["item_pool"]["shown"] == "1–9"
        datasets.write(tmp_path / "made")
        made = pd.read_csv(tmp_path / "made" / "formal_survey.codebook.csv").set_index("column")
        assert made.loc["TR01", "values"] == "1 … 5; empty = skipped; 2|4 = two ticks"
        assert made.loc["trap", "values"] == "1 … 5; right is 2"
        assert made.loc["growth", "meaning"] == "growth, from books"
        assert {"channel", "role", "day"}.isdisjoint(made.index)

    def test_the_whole_procedure_runs_and_compares_what_the_study_prints(self, second):
        datasets.write(study.find("population.toml").parent)
        table = report.twin().table.set_index("id")
        assert table.index.tolist() == datasets.published()["id"].tolist()
        assert table.loc[["interviews", "pool", "pre_valid", "formal_valid", "factors"], "reproduced"].tolist() == [
            *(10, 8, 104, 240, 2)
        ]
        assert set(table["verdict"]) == {"within", "not reported"}

    def test_what_the_calibration_aims_at_is_the_studys(self, second):
        assert dict(aims.AIMS) == {}
        with pytest.raises(CourseError, match=r"\[aims.alphas\]"):
            dict(aims.ALPHAS)
        figures = {"id": "alpha_lowest", "step": "validate", "kind": "estimate", "label": "a", "decimals": 3}
        plan = raw("published")
        for name, value in (("alpha_lowest", 0.75), ("alpha_highest", 0.85)):
            plan["figures"].append(figures | {"id": name, "value": value, "tolerance": 0.003})
        folder = study.find("published.toml").parent
        (folder / "published.toml").write_text(f"figures = {as_toml(plan['figures'])}\n", encoding="utf-8")
        assert dict(aims.AIMS) == {"alpha_lowest": (0.75, 0.003), "alpha_highest": (0.85, 0.003)}
        assert dict(aims.ALPHAS) == {"TR": 0.75, "LO": 0.85}
        with pytest.raises(CourseError, match="no RMSEA to aim at"):
            calibrate.solve(second.raw, 1)

    def test_the_command_line_writes_it_and_says_what_is_not_there(self, tmp_path):
        (tmp_path / "datasets").mkdir()
        shutil.copy(SECOND / "population.toml", tmp_path / "datasets")
        done = command("data", root=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "6 files" in done.stdout
        done = command("twin", root=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith("cocreation: The study has no published figures")
        assert done.stderr.count("\n") == 1
        (tmp_path / "datasets" / "formal_survey.csv").unlink()
        shutil.copy(SECOND / "published.toml", tmp_path / "datasets")
        done = command("twin", root=tmp_path)
        assert done.returncode == 2
        assert done.stderr.endswith("formal_survey.csv. Draw the study's data sets anew: cocreation data.\n")
        done = command("audit", root=tmp_path)
        assert done.returncode == 2
        assert "has no part [audit]" in done.stderr

    def test_the_courses_fieldwork_beside_it_is_one_sentence_and_nothing_is_written(self, tmp_path, root):
        (tmp_path / "datasets").mkdir()
        shutil.copy(SECOND / "population.toml", tmp_path / "datasets")
        for name in ("fieldwork.toml", "published.toml"):
            shutil.copy(root / "datasets" / name, tmp_path / "datasets")
        done = command("data", root=tmp_path)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        for part in ("fieldwork.toml", "panel.bins", "DO, CE, DE, WC, EV", "TR, LO", "take fieldwork.toml away"):
            assert part in done.stderr
        assert sorted(file.suffix for file in (tmp_path / "datasets").iterdir()) == [".toml"] * 3

    def test_a_data_set_the_study_has_not_is_refused_by_name(self, tmp_path, at):
        plan = raw()
        no_second_wave(plan)
        at(written(tmp_path / "study", population=plan))
        with pytest.raises(InputError, match=r"'interviews'.*no .*fieldwork\.toml.*Put it there"):
            datasets.make("interviews")
        with pytest.raises(InputError, match=r"no part \[follow_up\]"):
            datasets.make("follow_up")

    def test_saving_the_calibration_quotes_codes_that_toml_does_not_take_plain(self, tmp_path, at):
        plan = raw()
        unicode_codes(plan)
        world = at(written(tmp_path / "study", population=plan))
        calibrate.save(world.calibrated)
        again = population.load().calibrated
        assert dict(again.loadings) == {"信": 0.8, "Ö": 0.75}
        assert again == world.calibrated

    def test_a_narrow_scale_draws_on_until_enough_answers_vary(self):
        plan = raw()
        two_points(plan)
        world = population.build(plan, population.read(SECOND / "population.toml").calibrated)
        for survey in (respondents.pre_survey(world), respondents.formal_survey(world)):
            assert (survey.clean.min(axis=1) < survey.clean.max(axis=1)).all()

    def test_a_group_shifts_only_its_members(self):
        plan = raw()
        plain = respondents.formal_survey(population.build(plan, population.Calibrated(**plan["calibrated"])))
        groups(plan)
        shifted = respondents.formal_survey(population.build(plan, population.Calibrated(**plan["calibrated"])))
        retail = plain.firms["industry"] == "retail"
        more = shifted.clean.filter(like="TR").mean(axis=1) - plain.clean.filter(like="TR").mean(axis=1)
        assert more[retail].mean() > 0.3
        same = shifted.clean[~retail].eq(plain.clean[~retail]).all(axis=1)
        assert same.mean() > 0.95

    def test_channels_and_roles_are_drawn_by_their_shares(self):
        plan = raw()
        channels_and_roles(plan)
        world = population.build(plan, population.Calibrated(**plan["calibrated"]))
        pre, formal = respondents.pre_survey(world).raw, respondents.formal_survey(world)
        assert set(pre["channel"]) == {"by pigeon", "by post"}
        assert (pre["role"] == "guest").mean() == pytest.approx(0.9, abs=0.08)
        assert set(formal.raw["channel"]) == {"by post"}
        assert set(formal.raw["day"]) == {"", *map(str, range(1, 11))}
        assert set(respondents.follow_up(world, formal)["weeks"]) == {2, 3}


# ── what does not go together ────────────────────────────────────────────────────────────────────────────────────────


def put(*keys: str | int, value: Any = None) -> Callable[[dict[str, Any]], None]:
    """Return a change that sets the entry at these keys, or deletes it."""

    def change(plan: dict[str, Any]) -> None:
        for key in keys[:-1]:
            plan = plan[key]
        if value is None:
            del plan[keys[-1]]
        else:
            plan[keys[-1]] = value

    return change


POPULATION_WRONG = {
    "points": (put("scale", "points", value=7), r"scale\.cuts is a list of 4, but should be one of 6, for 7 points"),
    "points as text": (put("scale", "points", value="5"), r"scale\.points is '5', but should be a whole number"),
    "one point": (put("scale", "points", value=1), r"scale\.points is 1"),
    "cuts": (put("scale", "cuts", value=[1, 0, 2, 3]), r"scale\.cuts .* in rising order"),
    "lacking": (put("scale", "cuts"), r"lacks the entry 'scale\.cuts'"),
    "misspelt": (put("scale", "lowst", value=0), r"nothing reads the entry scale\.lowst; it may be meant as 'lowest'"),
    "straight": (put("scale", "straight_lining", value=[6]), r"scale\.straight_lining is 6.* from 1 to 5"),
    "right": (put("trap", "right", value=6), r"trap\.right is 6, but should be an answer from 1 to 5"),
    "no trap": (put("trap"), r"lacks the entry 'trap'"),
    "trap after": (put("pre_survey", "trap_after", value="DO01"), r"pre_survey\.trap_after is 'DO01'"),
    "theme": (put("items", 0, "theme", value="novelty"), r"items \(TR01\)\.theme is 'novelty'.*'honesty'"),
    "role": (put("items", 0, "role", value="keep"), r"items \(TR01\)\.role is 'keep'.*'kept', 'flawed'"),
    "no offset": (put("items", 0, "offset"), r"lacks the entry 'items \(TR01\)\.offset'"),
    "twice": (put("items", 1, "item", value="TR01"), r"items has 'TR01' twice"),
    "reserved": (put("items", 1, "item", value="channel"), r"'channel' names an item"),
    "pair": (put("correlations", "TR-DO", value=0.1), r"correlations\.TR-DO"),
    "loadings": (put("calibrated", "loadings", value={"DO": 0.8}), r"calibrated\.loadings is DO, but should be TR, LO"),
    "seed": (
        put("calibrated", "seeds", value={"pre_survey": 1}),
        r"lacks the entry 'calibrated\.seeds\.formal_survey'",
    ),
    "firms": (put("formal_survey", "firms", "age", value={"old": 9}), r"firms\.age is 9 firms.*the 240 valid"),
    "follow up": (put("follow_up", "respondents", value=241), r"follow_up\.respondents is 241.*at most the 240"),
    "all spoiled": (put("pre_survey", "spoiled", "careless", value=200), r"pre_survey\.spoiled is 214 in all"),
    "shares": (put("pre_survey", "channels", value={"a": 0.5, "b": 0.6}), r"channels is 1\.1 in all"),
    "group column": (put("groups", value=[{"column": "town", "value": "x"}]), r"column is 'town'.*'industry'"),
    "group value": (put("groups", value=[{"column": "age", "value": "9"}]), r"value is '9'.*'1-5'"),
    "weights": (put("outcomes", 0, "weights", value={"DO": 0.4}), r"outcomes \(SAT\)\.weights is 'DO'"),
    "wordings": (put("outcomes", 0, "wordings", value=["One."]), r"outcomes \(SAT\)\.loadings is a list of 2"),
    "all explained": (put("outcomes", 0, "loadings", value=[1.0, 0.8]), r"explain more than the whole variance"),
    "no item kept": (put("items", slice(4, 8), value=[]), r"dimension LO has no item"),
    "alphas": (put("aims", value={"alphas": {"TR": 0.9}}), r"aims\.alphas is TR, but should be TR, LO"),
    "too much": (put("items", 0, "offset", value=0.4), r"'TR01' explain"),
}
WEAK = {"sorting": 0.1, "fits_nowhere": True, "rating": 0.1, "three_or_four": [1, 0]}
FIELDWORK_WRONG = {
    "themes": (put("themes", "skill"), r"themes is honesty, return, advocacy, but should be honesty, skill, return"),
    "bins": (put("panel", "bins", value=["TR", "EV"]), r"panel\.bins is TR, EV, but should be TR, LO"),
    "neighbour": (put("themes", "skill", "confused_with", value=["design", "return"]), r"confused_with is 'design'"),
    "one neighbour": (put("themes", "skill", "confused_with", value=["return"]), r"one of two or more other themes"),
    "role": (put("roles", "owner", value=1), r"themes\.honesty\.weight is host, guest, but .* host, guest, owner"),
    "too few wordings": (put("roles", "guest", value=5), r"roles\.guest is 5 a firm.* within the 8 wordings"),
    "gap": (put("firms", 1, "room"), r"themes\.honesty\.host is a text with the gap \{room\}.*Birnlohe"),
    "open gap": (put("themes", "skill", "host", value=["{room"]), r"themes\.skill\.host"),
    "same firm": (put("firms", 1, "name", value="Goldhag"), r"firms has 'Goldhag' twice"),
    "mean": (put("interviews", "mean_minutes", value=70), r"interviews\.mean_minutes is 70.*15 to 60"),
    "doubts": (put("panel", "doubts", value={"weak": WEAK}), r"panel\.doubts is without 'without'"),
    "ratings": (put("panel", "doubts", "without", "three_or_four", value=[1.0]), r"2 shares .* for the ratings 4, 5"),
    "relevant": (put("panel", "relevant", value=6), r"panel\.relevant is 6"),
    "agree": (put("panel", "agree", value=4), r"panel\.agree is 4, but should be at most the 3 sorters"),
    "raters": (put("panel", "raters", value=3), r"panel\.raters is 3, but should be at most the 2 raters"),
    "group": (put("experts", 0, "group", value="talking"), r"experts \(E1\)\.group is 'talking'"),
    "votes": (put("rejected", 0, "sorted", value=["TR"]), r"rejected \(TR05\)\.sorted is a list of 1.*one of 3"),
    "vote": (put("rejected", 0, "sorted", value=["TR", "DO", "LO"]), r"rejected \(TR05\)\.sorted is 'DO'"),
    "rating": (put("rejected", 0, "relevance", value=[6, 1]), r"rejected \(TR05\)\.relevance is 6"),
    "known item": (put("rejected", 0, "item", value="TR01"), r"'TR01' twice"),
    "lacking": (put("panel", "seed"), r"lacks the entry 'panel\.seed'"),
}  # fmt: skip


def _told(call: Callable[[], object], pattern: str, file: str) -> None:
    with pytest.raises(CourseError, match=pattern) as caught:
        call()
    message = str(caught.value)
    assert file in message
    assert "\n" not in message
    assert message.endswith(".")


@pytest.mark.parametrize("case", POPULATION_WRONG)
def test_a_population_that_contradicts_itself_is_told_by_file_and_entry(case, tmp_path):
    change, pattern = POPULATION_WRONG[case]
    plan = raw()
    change(plan)
    folder = written(tmp_path / "study", population=plan)
    file = "" if case == "too much" else str(folder / "datasets" / "population.toml")
    _told(lambda: population.load(folder), pattern, file)


@pytest.mark.parametrize("case", FIELDWORK_WRONG)
def test_fieldwork_that_does_not_go_with_its_population_is_told_by_file_and_entry(case, tmp_path, at):
    change, pattern = FIELDWORK_WRONG[case]
    plan = raw("fieldwork")
    change(plan)
    at(written(tmp_path / "study", population=raw(), fieldwork=plan))
    for call in (
        fieldwork.interviews,
        fieldwork.item_pool,
        fieldwork.expert_sorts,
        fieldwork.rules,
        lambda: datasets.make("interviews"),
    ):
        _told(call, pattern, str(tmp_path / "study" / "datasets" / "fieldwork.toml"))


def test_outcomes_explained_by_more_than_everything_are_refused():
    plan = copy.deepcopy(raw())
    plan["outcomes"][0]["weights"] = {"TR": 0.9, "LO": 0.9}
    world = population.build(plan, population.Calibrated(**plan["calibrated"]))
    with pytest.raises(InputError, match="'SAT' explain"):
        respondents.formal_survey(world)


def test_personal_data_need_a_dimension_of_four_usable_items(tmp_path, at):
    plan = raw()
    plan["items"] = [item for item in plan["items"] if item["item"] not in ("TR01", "LO01")]
    at(written(tmp_path / "study", population=plan))
    with pytest.raises(CourseError, match="no dimension of the population has 4 items"):
        personal.data("purify", "example")


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (ten_points, "10 − answer turns 10 into 0. On a scale from 1 to 10 it is 11 − answer."),
        (from_zero, "11 − answer turns 10 into 1. On a scale from 0 to 10 it is 10 − answer."),
    ],
)
def test_the_hint_for_a_slip_in_recoding_speaks_of_the_studys_scale(change, hint, tmp_path, at):
    plan = raw()
    change(plan)
    low, high = at(written(tmp_path / "study", population=plan)).points
    scale = flawed_scale(personal.seed("purify", "example"))
    complete, reverse = scale.data.dropna(), scale.reverse_keyed
    slip = complete.assign(**{reverse: (high if low else high + 1) - complete[reverse]})
    verdict = checks.compare(slip, questions(scale.data)["recoded"])
    assert (verdict.right, verdict.message) == (False, hint)


def test_spoiling_follows_the_scale_it_is_told():
    clean = pd.DataFrame(np.arange(60).reshape(20, 3) % 4, columns=list("abc"))
    raw_answers = respondents.spoil(clean, seed=1, points=(0, 3), right=0, straight_lining=6, careless=4, straight=[3])
    straight = raw_answers[raw_answers["kind"] == "straight_lining"]
    assert set(straight[list("abc")].to_numpy().ravel()) == {"3"}
    assert sorted(straight["trap"]) == ["0", "0", "0", "3", "3", "3"]
    careless = raw_answers.loc[raw_answers["kind"] == "careless"]
    assert set(careless[list("abc")].to_numpy().ravel()) <= {"0", "1", "2", "3"}
    assert "0" not in set(careless["trap"])
