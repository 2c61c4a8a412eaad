"""Who is nearer the optimum, where figures differ: R stopped short, ours did, or nobody can say."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from reference import load

from cocreation import cli
from cocreation.core.polychoric import pair_log_likelihood
from cocreation.golden import models, points
from cocreation.golden.agree import agree, report
from cocreation.golden.fitted import fit
from cocreation.golden.ledger import Ledger
from cocreation.golden.optimum import OURS, SHORT, UNDECIDED, Entry
from cocreation.golden.sets import Golden
from cocreation.steps import confirm, explore


@pytest.fixture(scope="module")
def pair(root):
    """A golden set in which lavaan stops short of the likelihood's maximum for the items x and y."""
    return root / "tests" / "golden_short"


@pytest.fixture
def changed(tmp_path, root):
    """Return what makes a copy of a golden set with some sections, after a change to its figures."""

    def make(source, *sections, change=lambda figures: None):
        folder = root / "tests" / source
        for file in ("data.csv", "model.lav"):
            shutil.copy(folder / file, tmp_path / file)
        figures = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
        figures = {key: figures[key] for key in sections or figures if key in figures}
        change(figures)
        (tmp_path / "golden.json").write_text(json.dumps(figures), encoding="utf-8")
        return tmp_path

    return make


KEPT = ("meta", "items", "reliability")


def moved(block, frame, by):
    """Move R's loadings from where it ended and give R the chi-square and likelihood of that place."""
    loadings = [row for row in block["parameters"] if row["op"] == "=~" and row["se"]]
    for row, sign in zip(loadings, np.resize([1, -1], len(loadings)), strict=True):
        row["est"] += sign * by * row["se"]
    names = [name for name in frame if name in {row["rhs"] for row in block["parameters"] if row["op"] == "=~"}]
    chi2 = points.chi_square([Entry(row) for row in block["parameters"]], {1: frame[names]})
    gap = chi2 - block["fit"]["chisq"]
    block["fit"]["chisq"], block["fit"]["fmin"] = chi2, chi2 / (2 * len(frame))
    block["fit"]["logl"] -= gap / 2
    return gap


def hs(root):
    return pd.read_csv(root / "tests" / "golden" / "hs1939" / "data.csv")


def verdicts(found):
    return {optimum.place.split(",")[0]: optimum.verdict for optimum in found.optima}


def test_a_pair_that_r_left_short_is_no_miss_and_both_likelihoods_are_printed(pair, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cocreation", "agree", str(pair)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    said = " ".join(capsys.readouterr().out.split())
    assert "R stopped short ordinal/polychoric, x and y, r 0.821049 and 0.882984: −log L 471.281 here, 475.158" in said
    assert "all within tolerance, but for 83 where R stopped short" in said
    (found,) = agree([pair])
    assert not found.misses
    assert len(found.short) == 83
    assert {row.verdict for row in found.rows if row.section != "ordinal"} == {"agrees"}


def test_json_says_who_is_nearer(pair):
    (found,) = report(agree([pair]))["sets"]
    assert found["agrees"]
    first = found["optima"][0]
    assert first["verdict"] == SHORT
    assert (first["ours"], first["theirs"]) == pytest.approx((471.281, 475.158), abs=5e-4)
    assert {row["verdict"] for row in found["rows"]} == {"agrees", SHORT}


def test_what_does_not_follow_from_the_pair_stays_a_miss(changed):
    def spoil(figures):
        figures["ordinal"]["polychoric"]["values"][2][3] += 1e-3
        figures["ordinal"]["thresholds"]["x|t1"] += 1e-3
        figures["ordinal"]["ordinal_alpha"]["use"] += 1e-3

    (found,) = agree([changed("golden_short", change=spoil)])
    left = {figure.key for figure in found.misses}
    assert {"ordinal/thresholds/x|t1", "ordinal/ordinal_alpha/use"} <= left
    # one of the two cells of z and w is R's no more, so that its value is no optimum either: R is told, not excused
    assert not {"ordinal/polychoric/values/0/1", "ordinal/polychoric/values/1/0"} & left


@pytest.mark.parametrize("r", [0.6, 0.95])
def test_a_pair_that_ours_left_short_is_a_miss(changed, monkeypatch, r):
    def right(figures):
        for i, j in ((0, 1), (1, 0)):
            figures["ordinal"]["polychoric"]["values"][i][j] = 0.8210487528938863

    original = explore.polychoric
    monkeypatch.setattr(
        models.explore, "polychoric", lambda data, items=None: _with(original(data, items), "x", "y", r)
    )
    (found,) = agree([changed("golden_short", change=right)])
    assert verdicts(found)["ordinal/polychoric"] == OURS
    assert {"ordinal/polychoric/values/0/1", "ordinal/polychoric/values/1/0"} <= {each.key for each in found.misses}


def _with(found, first, second, r):
    found.correlations.loc[first, second] = found.correlations.loc[second, first] = r
    return found


def test_the_likelihood_of_a_pair_is_largest_at_the_polychoric_correlation(pair):
    codes = pd.read_csv(pair / "data.csv")[["x", "y"]].rank(method="dense").astype(int).to_numpy() - 1
    best = pair_log_likelihood(codes, 0.8210487528938863)
    assert best == pytest.approx(-471.2809, abs=1e-4)
    assert all(pair_log_likelihood(codes, r) < best for r in np.linspace(-0.95, 0.98, 60))


@pytest.mark.parametrize("section", ["cfa", "cfa_single", "cfa_mlr", "cfa_std_lv"])
def test_a_fit_that_r_left_short_is_no_miss(changed, root, section):
    gaps = []
    folder = changed(
        "golden/hs1939", *KEPT, section, change=lambda figures: gaps.append(moved(figures[section], hs(root), 1.0))
    )
    (found,) = agree([folder])
    assert gaps[0] > 0.1
    assert verdicts(found) == {section: SHORT}
    assert not found.misses
    (optimum,) = found.optima
    assert optimum.theirs - optimum.ours == pytest.approx(gaps[0], rel=1e-4)
    assert optimum.figures == len(found.short) > 5


def test_other_sections_follow_only_from_the_fit_they_rest_on(changed, root):
    def change(figures):
        moved(figures["cfa"], hs(root), 1.0)
        figures["cfa_std_residuals_max"]["srmr"] += 1e-3
        figures["validity"]["cr_standardized"]["visual"] += 1e-3
        figures["validity"]["htmt_arithmetic_2015"]["values"][0][1] += 1e-3
        figures["cfa_single"]["fit"]["cfi"] += 1e-3
        figures["reliability"]["visual"]["alpha"] += 1e-3

    sections = (*KEPT, "cfa", "cfa_std_residuals_max", "validity", "cfa_single")
    (found,) = agree([changed("golden/hs1939", *sections, change=change)])
    assert {figure.key for figure in found.misses} == {
        "validity/htmt_arithmetic_2015/values/0/1", "cfa_single/fit/cfi", "reliability/visual/alpha",
    }  # fmt: skip
    assert {"cfa_std_residuals_max/srmr", "validity/cr_standardized/visual"} <= {each.key for each in found.short}


def test_a_little_short_excuses_only_a_little(changed, root):
    """A gap of a thousandth of chi-square moves no standard error by a tenth."""

    def change(figures):
        gap = moved(figures["cfa"], hs(root), 0.01)
        assert 1e-4 < gap < 1e-2
        figures["cfa"]["parameters"][1]["se"] *= 1.5

    (found,) = agree([changed("golden/hs1939", *KEPT, "cfa", change=change)])
    assert verdicts(found) == {"cfa": SHORT}
    assert [figure.key for figure in found.misses] == ["cfa/parameters/1/se"]
    assert any(figure.key.endswith("/est") for figure in found.short)


def test_a_chi_square_that_rs_own_estimates_do_not_give_says_nothing_of_them(changed):
    def change(figures):
        for name in ("chisq", "fmin"):
            figures["cfa_single"]["fit"][name] *= 1.2
        figures["cfa_single"]["parameters"][1]["est"] += 0.01

    (found,) = agree([changed("golden/hs1939", *KEPT, "cfa_single", change=change)])
    assert [figure.key for figure in found.misses] == ["cfa_single/parameters/1/est"]
    assert {figure.key for figure in found.short} == {"cfa_single/fit/chisq", "cfa_single/fit/fmin"}


def _worse(monkeypatch, *, honest):
    """Make our one-factor fit worse; an honest one reports the chi-square of its estimates, a faulty one too low."""
    original = Golden.cfa

    def cfa(golden, text, **options):
        found = original(golden, text, **options)
        table, fit = found.parameters.copy(), found.fit.copy()
        table.loc[table["op"] == "=~", "estimate"] *= np.resize([1.0, 1.1, 0.9], (table["op"] == "=~").sum())
        rows = [points.Entry(r.left, r.op, r.right, 1, r.estimate) for r in table.itertuples() if r.op != ":="]
        names = list(found.residuals.index)
        value = points.chi_square(rows, {1: golden.complete[names]}) if honest else 0.9 * found.measure("chi2")
        fit.loc["chi2", "value"] = value
        return replace(found, parameters=table, fit=fit)

    monkeypatch.setattr(Golden, "cfa", cfa)


@pytest.mark.parametrize(("honest", "verdict"), [(True, OURS), (False, UNDECIDED)])
def test_a_fault_of_ours_is_never_rs(changed, monkeypatch, honest, verdict):
    _worse(monkeypatch, honest=honest)
    (found,) = agree([changed("golden/hs1939", *KEPT, "cfa_single")])
    assert verdicts(found) == {"cfa_single": verdict}
    assert "cfa_single/fit/chisq" in {figure.key for figure in found.misses}
    assert not found.short


def test_extractions_and_rotations_are_judged_by_what_they_minimize(changed):
    def change(figures):
        efa = figures["efa"]
        efa["ml"]["uniquenesses"] = [u + d for u, d in zip(efa["ml"]["uniquenesses"], [0.02, -0.02] * 5, strict=False)]
        turn = np.array([[np.cos(0.1), -np.sin(0.1), 0], [np.sin(0.1), np.cos(0.1), 0], [0, 0, 1]])
        for place in (efa["pca"]["varimax_kaiser"], efa["paf"]["varimax_kaiser"]):
            place["values"] = (np.array(place["values"]) @ turn).tolist()
        efa["kmo"] += 1e-3

    (found,) = agree([changed("golden/hs1939", *KEPT, "efa", change=change)])
    assert verdicts(found) == {"efa/ml": SHORT, "efa/pca/varimax_kaiser": SHORT, "efa/paf/varimax_kaiser": SHORT}
    assert [figure.key for figure in found.misses] == ["efa/kmo"]


def test_a_rotation_of_ours_that_stopped_is_a_miss(changed, monkeypatch):
    original = explore.components

    def stopped(data, k, rotation="varimax", **options):
        found = original(data, k, rotation, **options)
        turn = np.array([[np.cos(0.1), -np.sin(0.1), 0], [np.sin(0.1), np.cos(0.1), 0], [0, 0, 1]])
        return replace(found, loadings=found.loadings @ turn) if rotation == "varimax" and k == 3 else found

    monkeypatch.setattr(explore, "components", stopped)
    (found,) = agree([changed("golden/hs1939", *KEPT, "efa")])
    assert verdicts(found)["efa/pca/varimax_kaiser"] == OURS
    assert not found.short
    assert found.misses


def test_a_level_of_invariance_that_r_left_short(changed, root):
    def change(figures):
        block = figures["invariance"]
        by_metric = block["fit"]["metric"]
        by_metric["chisq"] += 3.0
        by_metric["logl"] -= 1.5
        for name, first in (("metric vs configural", 3.0), ("scalar vs metric", -3.0)):
            block["comparisons"][name]["chi2_diff"] += first
        block["fit"]["strict"]["cfi"] += 1e-3

    (found,) = agree([changed("golden/hs1939", *KEPT, "invariance", change=change)])
    assert verdicts(found)["invariance/fit/metric"] == SHORT
    assert [figure.key for figure in found.misses] == ["invariance/fit/strict/cfi"]


def test_incomplete_answers_are_judged_by_their_likelihood(changed, root):
    """R's chi-square with missing answers is what its estimates give, by the formula that judges them."""
    figures = load("bfi_nec_missing").figures["cfa_fiml"]
    frame = pd.read_csv(root / "tests" / "golden" / "bfi_nec_missing" / "data.csv")
    names = [row["rhs"] for row in figures["parameters"] if row["op"] == "=~"]
    value = points.chi_square(
        [Entry(row) for row in figures["parameters"]], {1: frame[names]}, figures["fit"]["unrestricted.logl"]
    )
    assert value == pytest.approx(figures["fit"]["chisq"], rel=1e-6)


BOUNDARY = "no method factor: its variance would be zero or negative"


def test_a_method_factor_that_vanishes_is_told_as_nested_does(tmp_path):
    """Twelve items whose dimensions share no method: in R the method factor's loadings are zero."""
    rng = np.random.default_rng(4)
    phi = np.full((3, 3), 0.3) + 0.7 * np.eye(3)
    eta = rng.multivariate_normal(np.zeros(3), phi, 400)
    x = np.repeat(eta, 4, axis=1) * 0.8 + 0.6 * rng.standard_normal((400, 12))
    names = [f"s{i}" for i in range(1, 13)]
    data = pd.DataFrame(x.round(4), columns=names)
    scales = {name: names[4 * i : 4 * i + 4] for i, name in enumerate("ABC")}
    table = confirm.nested(data, scales).table.set_index("model")
    method = table.loc[next(name for name in table.index if "method" in name)]
    text = "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in scales.items())
    extra = "\nCMV =~ NA*s1 + " + " + ".join(f"m*{name}" for name in names) + "\nCMV ~~ 1*CMV\n"
    extra += "\n".join(f"CMV ~~ 0*{name}" for name in scales)
    plain = confirm.cfa(data, text)
    rows = [
        {"lhs": "CMV", "op": "=~", "rhs": name, "label": "m", "est": 7e-7, "se": 1e-7, "std_all": 1e-6}
        for name in names
    ]
    chi2 = plain.measure("chi2")
    block = {"syntax": text + extra, "options": {}, "converged": True, "post_check": True, "parameters": rows,
             "fit": {"chisq": chi2, "df": 50, "logl": plain.measure("logl")}}  # fmt: skip
    figures = {"items": names, "reliability": {name: {"items": items} for name, items in scales.items()},
               "cfa": {"syntax": text, "converged": True, "post_check": True, "fit": {"chisq": chi2}},
               "ulmc_equal": block,
               "comparisons": {"correlated_vs_ulmc_equal": {"chi2_diff": 6e-10, "df_diff": 1, "p": 1.0}}}  # fmt: skip
    data.to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "model.lav").write_text(text, encoding="utf-8")
    (tmp_path / "golden.json").write_text(json.dumps(figures), encoding="utf-8")
    (found,) = agree([tmp_path])
    assert "no method factor" in method["remark"]
    assert not found.misses
    told = {section for section, reason, _ in found.reasons() if reason.startswith(BOUNDARY)}
    assert told == {"ulmc_equal", "comparisons"}
    figures["ulmc_equal"]["fit"]["chisq"] = chi2 + 1
    (tmp_path / "golden.json").write_text(json.dumps(figures), encoding="utf-8")
    (found,) = agree([tmp_path])
    assert [figure.key for figure in found.misses] == ["ulmc_equal/fit/chisq"]


def test_an_rfi_below_zero_is_told_to_be_one_in_lavaan():
    for theirs, misses in ((1.0, 0), (0.9, 1)):
        ledger = Ledger({"m": {"fit": {"df": 10, "rfi": theirs}}})
        fit(ledger, ("m", "fit"), {"df": 10, "rfi": theirs}, pd.Series({"df": 10.0, "rfi": -0.2}), 100)
        assert sum(figure.misses for figure in ledger.figures) == misses
        assert any("below 0 as 1" in omission.reason for omission in ledger.omissions) == (misses == 0)
