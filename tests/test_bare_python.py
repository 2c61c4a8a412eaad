"""A Python as a browser has it: no threads, no processes, no signals, none of the libraries that can be done without.

One script runs in two processes, an ordinary one and a bare one, and tells every figure it computed, to the last digit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pandas as pd
import pytest
from reference import load
from test_house import FLOORS, PACKAGE

from cocreation import errors, progress
from cocreation.core import threads
from cocreation.steps.confirm import cfa
from cocreation.steps.purify import alpha

#: rooms for who teaches, grades, or sits at a terminal; a browser needs none of them
ELSEWHERE = {"authoring", "cli", "course", "golden", "grading", "__main__"}

AGREED = "semopy's standardized loadings agree within 1e-6."
#: where there were several starts: from its usual one, and at the minimum where that ends elsewhere
STAYED = (
    "semopy ends here from the usual start too, within 1e-6, which checks the arithmetic.",
    "semopy's search from the usual start ended elsewhere; started at this minimum, semopy stays within 1e-6, which "
    "checks the arithmetic.",
)
UNASKED = "semopy was not asked: not installed."

#: makes the Python it runs in a bare one
BARE = textwrap.dedent("""
    import importlib.abc, locale, multiprocessing, os, signal, subprocess, sys, threading, time
    import concurrent.futures
    import _thread

    import matplotlib.font_manager  # its list of fonts is made in a thread, once; a browser brings it along

    ABSENT = {"semopy", "factor_analyzer", "sklearn", "docx", "rich", "seaborn", "threadpoolctl", "typer"}

    class Absent(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in ABSENT:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    assert not ABSENT & set(sys.modules), "loaded before it could be kept out"
    sys.meta_path.insert(0, Absent())

    def refuse(error):
        def call(*arguments, **options):
            raise error
        return call

    no_thread = refuse(RuntimeError("can't start new thread"))
    threading.Thread.start = no_thread
    _thread.start_new_thread = no_thread
    no_process = refuse(OSError("processes are not supported"))
    subprocess.Popen.__init__ = no_process
    multiprocessing.Process.start = no_process
    concurrent.futures.ThreadPoolExecutor.submit = no_thread
    concurrent.futures.ProcessPoolExecutor.submit = no_process
    os.system = os.posix_spawn = no_process
    signal.signal = signal.setitimer = signal.alarm = refuse(ValueError("no signals here"))
    locale.setlocale = refuse(locale.Error("unsupported locale setting"))
    for owner, name in ((os, "fork"), (os, "forkpty"), (os, "kill"), (time, "tzset")):
        if hasattr(owner, name):
            delattr(owner, name)
""")

#: imports everything, computes much of it, and prints what came out as JSON
FIGURES = textwrap.dedent("""
    import dataclasses, importlib, json, pkgutil, sys

    import matplotlib
    matplotlib.use("Agg")
    import numpy as np
    import pandas as pd

    import cocreation
    from cocreation import progress

    golden, elsewhere = sys.argv[1], set(sys.argv[2].split(","))
    known = {module.name for module in pkgutil.iter_modules(cocreation.__path__)} - elsewhere
    rooms = [pkgutil.ModuleInfo(None, "cocreation." + name, True) for name in sorted(known)]
    for room in rooms:
        module = importlib.import_module(room.name)
        rooms += pkgutil.iter_modules(getattr(module, "__path__", ()), room.name + ".")

    from cocreation.audit import audit
    from cocreation.steps import purify
    from cocreation.steps.confirm import bootstrap, cfa, common_method, nested
    from cocreation.steps.explore import components, factors, n_factors
    from cocreation.steps.screen import describe
    from cocreation.steps.validate import invariance, latent_means, reliability, validity
    from cocreation.survey import datasets, population, sample

    def told(value):
        if isinstance(value, pd.DataFrame):
            return value.to_csv(float_format=repr)
        if isinstance(value, np.ndarray):
            return repr(value.tolist())
        return repr(value)

    progress.show(True)  # as if somebody watched: a bar that cannot be drawn must not stop the work
    progress._PATIENCE = 0
    pupils, model = pd.read_csv(golden + "/hs1939/data.csv"), open(golden + "/hs1939/model.lav").read()
    missing = pd.read_csv(golden + "/bfi_nec_missing/data.csv")
    missing_model = open(golden + "/bfi_nec_missing/model.lav").read()
    yes_no, yes_no_model = pd.read_csv(golden + "/yesno_sim/data.csv"), open(golden + "/yesno_sim/model.lav").read()
    items = [name for name in pupils if name != "school"]
    scales = {"visual": items[:3], "textual": items[3:6], "speed": items[6:]}
    drawn, kept = sample.draw(240, seed=3), population.load().scales(kept_only=True)
    results = {
        "alpha": purify.alpha(pupils, scales["visual"]),
        "purify": purify.purify(drawn, population.load().scales()),
        "ordinal alpha": purify.ordinal_alpha(yes_no, ["yes1", "yes2", "yes3", "yes4"]),
        "distributions": describe(drawn),
        "components": components(pupils, 3, items=items),
        "minres": factors(pupils, 3, items=items),
        "parallel analysis": n_factors(pupils, items=items, draws=1500),
        "ML": cfa(pupils, model),
        "MLR": cfa(pupils, model, estimator="MLR"),
        "WLSMV": cfa(yes_no, yes_no_model, estimator="WLSMV"),
        "FIML": cfa(missing, missing_model, missing="fiml"),
        "nested": nested(drawn, kept),
        "common method": common_method(pupils, scales),
        "validity": validity(pupils, scales),
        "reliability": reliability(pupils, scales),
        "invariance": invariance(pupils, model, "school"),
        "latent means": latent_means(pupils, model, "school"),
        "bootstrap": bootstrap(pupils, model, draws=100),
        "audit": audit.audit_study(),
    }
    found = {"modules": sorted(name for name in sys.modules if name.startswith("cocreation."))}
    for name, result in results.items():
        for field in dataclasses.fields(result):
            if field.name not in ("estimate", "model", "note", "agreement"):
                found[name + ": " + field.name] = told(getattr(result, field.name))
        found[name + ": note"] = str(getattr(result, "note", ""))
        found[name + ": HTML"] = result._repr_html_()
        found[name + ": Markdown"] = result.to_markdown()
        found[name + ": LaTeX"] = result.to_latex()
        found[name + ": text"] = repr(result)
    found |= {"survey: " + name: told(datasets.make(name)) for name in datasets.names()}
    axes = results["parallel analysis"].plot()
    axes.figure.canvas.draw()
    found["figure"] = __import__("hashlib").sha256(bytes(axes.figure.canvas.buffer_rgba())).hexdigest()
    print(json.dumps(found))
""")


def _run(script: str, *words: str, **variables: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"} | variables
    return subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def both(root) -> tuple[dict, dict]:
    """What the ordinary Python computed and what the bare one did."""
    found = []
    for before in ("", BARE):
        done = _run(before + FIGURES, str(root / "tests" / "golden"), ",".join(sorted(ELSEWHERE)))
        assert done.returncode == 0, done.stderr[-3000:]
        found.append(json.loads(done.stdout))
    return found[0], found[1]


def test_a_bare_python_imports_every_module_that_computes(both):
    ordinary, bare = both
    rooms = {name.split(".")[1] for name in bare["modules"]}
    assert rooms == set(FLOORS) - ELSEWHERE
    assert bare["modules"] == ordinary["modules"]
    assert len(bare["modules"]) > 70


def test_it_computes_and_prints_the_same_to_the_last_digit(both):
    ordinary, bare = both
    assert set(bare) == set(ordinary)
    assert len(ordinary) > 150
    different = {}
    for name in set(ordinary) - {"modules"}:
        # a note is broken into lines, which fall elsewhere where a sentence is another
        one, other = (" ".join(each[name].split()) for each in both)
        for told in (AGREED, *STAYED):
            for quote in ("'", "&#x27;"):
                one = one.replace(told.replace("'", quote), UNASKED)
        if one != other:
            different[name] = (one, other)
    assert not different


def test_the_note_says_whether_semopy_was_asked(both):
    ordinary, bare = both
    for name in ("ML", "MLR"):
        assert ordinary[f"{name}: note"].endswith(AGREED)
        assert bare[f"{name}: note"].endswith(UNASKED)
    assert "was not asked: not installed" not in "".join(map(str, ordinary.values()))
    assert bare["FIML: note"] == ordinary["FIML: note"]
    assert "wrong, was not asked" in bare["FIML: note"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "not installed"),
        ("import no_such_library", "it is installed, but importing it ends in ModuleNotFoundError"),
        ("from numpy import no_such_name", "it is installed, but importing it ends in ImportError"),
        ("import numpy\nnumpy.no_such_name", "it is installed, but importing it ends in AttributeError"),
        ("1 / 0", "it is installed, but importing it ends in ZeroDivisionError"),
    ],
)
def test_a_semopy_that_does_not_load_is_told_in_the_note_and_changes_no_estimate(monkeypatch, tmp_path, source, said):
    golden = load("hs1939")
    asked = cfa(golden.answers, golden.model)
    assert asked.note.endswith(AGREED)
    if source is None:
        monkeypatch.setitem(sys.modules, "semopy", None)
    else:
        (tmp_path / "semopy.py").write_text(source)
        monkeypatch.delitem(sys.modules, "semopy")
        monkeypatch.syspath_prepend(tmp_path)
    alone = cfa(golden.answers, golden.model)
    assert alone.note == asked.note.replace(AGREED, f"semopy was not asked: {said}.")
    assert np.isnan(alone.agreement)
    for name in ("fit", "parameters", "phi", "residuals", "modification", "warnings"):
        pd.testing.assert_frame_equal(getattr(alone, name), getattr(asked, name), check_exact=True)


def _without(monkeypatch, *names: str) -> None:
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


def test_without_python_docx_a_word_document_is_refused_in_one_sentence(monkeypatch, tmp_path):
    result = alpha(load("hs1939").answers, ["x1", "x2", "x3"])
    _without(monkeypatch, "docx")
    with pytest.raises(errors.CourseError, match=r"^A Word document needs the package python-docx, which is not ins"):
        result.to_docx(tmp_path / "table.docx")
    with pytest.raises(errors.InputError, match=r"ends in \.docx"):  # the user's own mistake is told first
        result.to_docx(tmp_path / "table.pdf")
    assert not list(tmp_path.iterdir())
    assert "α" in result.to_markdown()


def test_without_seaborn_its_figures_are_refused_in_one_sentence(monkeypatch):
    golden = load("hs1939")
    found = cfa(golden.answers, golden.model)
    _without(monkeypatch, "seaborn")
    for kind in ("loadings", "residuals"):
        with pytest.raises(errors.MissingPackageError, match=r"^This figure needs the package seaborn, which is not"):
            found.plot(kind=kind)


def test_every_figure_asks_for_seaborn_the_same_way():
    told = [path for path in PACKAGE.rglob("*.py") if "import seaborn" in path.read_text(encoding="utf-8")]
    assert {path.relative_to(PACKAGE).parts[0] for path in told} <= ELSEWHERE


def test_a_package_that_does_not_load_is_told_from_one_that_is_not_there(monkeypatch, tmp_path):
    (tmp_path / "half_there.py").write_text("import no_such_library")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        ImportError, match=r"needs the package half-there, which does not load: No module named 'no_such"
    ):
        errors.needed("half-there", "This figure", module="half_there")
    with pytest.raises(
        ImportError, match=r"needs the package no-there, which is not installed\. Install it \(pip inst"
    ):
        errors.needed("no-there", "This figure", module="no_there")


def test_without_anywidget_a_live_exercise_is_refused_in_one_sentence():
    done = _run("import sys; sys.modules['anywidget'] = None; from cocreation.widgets import CardSort")
    last = done.stderr.strip().splitlines()[-1]
    assert "MissingPackageError: A live exercise needs the package anywidget, which is not installed." in last


@pytest.mark.parametrize("lacking", ["rich", "a thread", "nothing"])
def test_a_bar_is_silent_where_it_cannot_be_drawn(monkeypatch, capfd, lacking):
    def start(self):
        raise RuntimeError("can't start new thread")

    for name in ("FORCE_COLOR", "TERM"):  # rich takes the error stream for a terminal
        monkeypatch.setenv(name, "xterm")
    if lacking == "rich":
        _without(monkeypatch, "rich", "rich.console", "rich.progress")
    elif lacking == "a thread":
        monkeypatch.setattr(threading.Thread, "start", start)
    monkeypatch.setattr(progress, "_PATIENCE", 0)
    monkeypatch.setattr(progress, "_asked", True)
    assert progress.gather("Counting", ([n] for n in range(3)), 3) == [[0], [1], [2]]
    with progress.bar() as shown:
        shown.update(shown.add_task("Work", total=None), completed=1, total=2, description="Work: half")
    out, err = capfd.readouterr()
    assert out == ""
    assert ("Counting" in err, "Work: half" in err) == ((lacking == "nothing"),) * 2
    assert bool(err) == (lacking == "nothing")
    assert progress._open == 0


def _no_libraries(*arguments, **options):
    raise OSError("this platform loads no libraries")


@pytest.mark.parametrize("broken", ["absent", "blind", "deaf"])
def test_where_nothing_sets_the_number_of_threads_work_goes_on(monkeypatch, broken):
    import threadpoolctl

    if broken == "absent":
        _without(monkeypatch, "threadpoolctl")
    elif broken == "blind":
        monkeypatch.setattr(threadpoolctl, "ThreadpoolController", _no_libraries)
    else:
        monkeypatch.setattr(threadpoolctl.ThreadpoolController, "limit", _no_libraries)
    threads._libraries.cache_clear()
    try:
        with threads.one_thread():
            assert threads._libraries() is None
    finally:
        threads._libraries.cache_clear()


def test_where_something_sets_the_number_of_threads_it_is_one():
    from threadpoolctl import threadpool_info, threadpool_limits

    with threadpool_limits(2), threads.one_thread():
        assert {library["num_threads"] for library in threadpool_info()} == {1}


def test_without_rich_the_command_line_says_so_and_prints_for_machines():
    script = "import sys; sys.modules['rich'] = None; from cocreation.cli import main; main()"
    for words in (["--help"], ["audit"], ["no-such-verb"]):
        done = _run(script, *words)
        assert done.returncode == 2
        assert done.stderr.startswith("cocreation: The package rich is not installed, and this needs it."), words
        assert len(done.stderr.splitlines()) == 1
    done = _run(script, "audit", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["table"]
    assert done.stderr == ""
