"""Time what people wait for, each beside its plain alternative in the same run.

    python benchmarks/run.py            # all, some minutes
    python benchmarks/run.py import draw cfa
    python benchmarks/run.py --cpu      # processor time, on a busy machine

Machines are noisy and differ, so the figure to read is the ratio: both sides
run in turn, A B A B …, and the ratio is the median over the pairs. Nothing
here is asserted.
"""

from __future__ import annotations

import argparse
import atexit
import functools
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

ROOT = Path(__file__).resolve().parents[1]
#: what, ours, plain alternative, runs of each
Pair = tuple[str, Callable[[], object], str, Callable[[], object], int]


def command(*arguments: str, cwd: Path = ROOT) -> Callable[[], object]:
    """Return a function that runs Python with the arguments as a process of its own."""
    return lambda: subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def imports() -> list[Pair]:
    """Import of the package against that of what it would load if it were eager."""
    return [
        (
            "import of the package (process)",
            command("-c", "import cocreation"),
            "import pandas, semopy",
            command("-c", "import pandas, semopy"),
            5,
        )
    ]


def draw() -> list[Pair]:
    """A draw of 700 × 43 against the textbook way: multivariate normal, then one cut an item."""
    import numpy as np
    import pandas as pd

    from cocreation.survey import population, sample

    truth = population.load()
    answers = sample.draw(2000, seed=1, population=truth)
    moments = answers.mean().to_numpy(), answers.cov().to_numpy()

    def plain() -> pd.DataFrame:
        latent = np.random.default_rng(1).multivariate_normal(*moments, size=700)
        columns = {item: pd.cut(latent[:, place], [-np.inf, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, np.inf], labels=range(1, 8))
                   for place, item in enumerate(answers)}  # fmt: skip
        return pd.DataFrame(columns).astype(int)

    return [
        (
            "survey draw, 700 × 43",
            lambda: sample.draw(700, seed=1, population=truth),
            "multivariate_normal and pandas.cut",
            plain,
            20,
        )
    ]


def formal_survey():
    """Return the answers of the 486, the scales and the model's text: 21 items, five factors."""
    from cocreation.steps import confirm, screen
    from cocreation.survey import datasets, population

    scales = population.load().scales(kept_only=True)
    items = [item for part in scales.values() for item in part]
    raw = datasets.load("formal_survey")
    data = screen.screen(raw, items=items, trap=TRAP, returned="returned").valid[items]
    return data, scales, confirm.syntax(scales)


def cfa() -> list[Pair]:
    """The CFA report of 21 items and 486 respondents against semopy's own, and without asking semopy."""
    import semopy
    from semopy.stats import calc_stats

    from cocreation.cfa import result, specify
    from cocreation.core.sem import ml
    from cocreation.steps import confirm

    data, _, model = formal_survey()

    def plain() -> object:
        fitted = semopy.Model(model)
        fitted.fit(data)
        return fitted.inspect(std_est=True), calc_stats(fitted)

    task = specify.task_of(data, model, cross_check=False)
    moments = task.frame.cov(ddof=0).to_numpy()
    return [
        (
            "CFA report: indices, SE, MI, cross-check of semopy and core",
            lambda: confirm.cfa(data, model),
            "semopy as it comes",
            plain,
            15,
        ),
        (
            "the same report through the core alone",
            lambda: result.fit_model(task),
            "with the cross-check",
            lambda: confirm.cfa(data, model),
            15,
        ),
        (
            "CFA fit through the core",
            lambda: ml.fit(moments, len(data), task.specification.model),
            "semopy's fit as it comes",
            lambda: semopy.Model(model).fit(data),
            15,
        ),
    ]


def minima() -> list[Pair]:
    """CFA reports, of the usual model and of one factor of clusters, against the same from the usual start alone."""
    from cocreation.cfa import result, specify
    from cocreation.core.sem import starts

    data, scales, model = formal_survey()
    items = [item for part in scales.values() for item in part]
    usual = specify.task_of(data, model, cross_check=False)
    one = specify.task_of(data, {"one": items}, cross_check=False)

    def from_the_usual_start(task: specify.Task) -> None:
        known, starts.patterns = starts.patterns, lambda model, s: []
        try:
            result.fit_model(task)
        finally:
            starts.patterns = known

    return [
        (
            f"CFA report through the core, {name}",
            functools.partial(result.fit_model, task),
            "from the usual start, unasked whether others are needed",
            functools.partial(from_the_usual_start, task),
            runs,
        )
        for name, task, runs in (("usual model", usual, 40), ("all items on one factor", one, 15))
    ]


def bootstrap() -> list[Pair]:
    """A thousand refits of that model against as many by semopy, each from the last solution, and by the core."""
    import numpy as np
    import semopy

    from cocreation.core.sem import batch, ml, syntax
    from cocreation.steps import confirm, validate

    data, scales, model = formal_survey()
    specification = syntax.parse(model)
    x = data[list(specification.observed)].to_numpy(dtype=float)
    fitted = ml.fit(np.cov(x, rowvar=False, ddof=0), len(x), specification.model)
    rows = np.random.default_rng(1).integers(0, len(x), (1000, len(x)))

    def together() -> None:
        for piece in np.split(rows, 10):
            assert batch.refit(batch.resampled(x, piece), fitted).failed == 0

    def one_by_one() -> None:
        for drawn in rows:
            ml.fit(np.cov(x[drawn], rowvar=False, ddof=0), len(x), specification.model, start=fitted.theta)

    def by_semopy() -> None:
        model_of_semopy = semopy.Model(model)
        model_of_semopy.fit(data)
        for drawn in rows:
            model_of_semopy.fit(data.iloc[drawn])

    def ratios() -> None:
        for drawn in rows:
            validate.htmt(data.iloc[drawn], scales)

    return [
        ("1000 refits and their covariances", together, "semopy in a loop", by_semopy, 3),
        ("1000 refits and their covariances", together, "the core in a loop", one_by_one, 3),
        (
            "bootstrap report: 1000 draws, intervals, CR, AVE",
            lambda: confirm.bootstrap(data, model),
            "semopy in a loop, fits only",
            by_semopy,
            3,
        ),
        ("HTMT and HTMT2, 1000 draws", lambda: validate.htmt_intervals(data, scales), "htmt() in a loop", ratios, 3),
    ]


def parallel() -> list[Pair]:
    """Parallel analysis of 1000 draws against drawing the answers and factoring them."""
    import numpy as np
    from factor_analyzer import FactorAnalyzer

    from cocreation.core.dimensionality import parallel_eigenvalues

    def plain() -> list:
        rng, found = np.random.default_rng(1), []
        with warnings.catch_warnings():
            # a word of scikit-learn's on every fit, which would take longer than the fits
            warnings.simplefilter("ignore", FutureWarning)
            for _ in range(1000):
                fitted = FactorAnalyzer(n_factors=1, rotation=None, method="principal").fit(
                    rng.standard_normal((486, 21))
                )
                found.append(fitted.get_eigenvalues()[0])
        return found

    return [
        (
            "parallel analysis, 1000 draws, 486 × 21",
            lambda: list(parallel_eigenvalues(486, 21, draws=1000)),
            "FactorAnalyzer (principal, the quickest) in a loop",
            plain,
            5,
        )
    ]


class Lavaan:
    """An R process that does lavaan's jobs when told; start-up and reading of data are over before the first."""

    def __init__(self) -> None:
        data, _, model = formal_survey()
        folder = Path(tempfile.mkdtemp(prefix="cocreation-bench-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        data.to_csv(folder / "ordinal.csv", index=False)
        (folder / "ordinal.lav").write_text(f"{model}\n")
        files = [folder / "ordinal.csv", folder / "ordinal.lav", FIML / "data.csv", FIML / "model.lav"]
        self.process = subprocess.Popen(
            ["Rscript", str(ROOT / "benchmarks" / "lavaan.R"), *map(str, files)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = self._answer()

    def _answer(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            sys.exit("R stopped; run benchmarks/lavaan.R by hand to see why.")
        return line.strip()

    def run(self, job: str) -> float:
        """Do a job and return the chi-square it ended with."""
        self.process.stdin.write(f"{job}\n")
        self.process.stdin.flush()
        return float(self._answer())


@functools.cache
def lavaan() -> Lavaan | None:
    """Return the process, or None where there is no R with lavaan."""
    asked = ["Rscript", "-e", "quit(status = !requireNamespace('lavaan', quietly = TRUE))"]
    if shutil.which("Rscript") is None or subprocess.run(asked, stderr=subprocess.DEVNULL).returncode:
        return None
    started = Lavaan()
    print(started.version, file=sys.stderr)
    return started


def ordinal() -> list[Pair]:
    """WLSMV of 21 items with seven categories against lavaan's."""
    from cocreation.steps import confirm

    data, _, model = formal_survey()
    return _beside_lavaan(
        "ordinal", "WLSMV", lambda: confirm.cfa(data, model, estimator="WLSMV").measure("chi2_scaled"), 5
    )


def fiml() -> list[Pair]:
    """FIML of 600 respondents with missing answers to 15 items against lavaan's."""
    import pandas as pd

    from cocreation.steps import confirm

    data, model = pd.read_csv(FIML / "data.csv"), (FIML / "model.lav").read_text()
    return _beside_lavaan("fiml", "FIML", lambda: confirm.cfa(data, model, missing="fiml").measure("chi2"), 5)


def large() -> list[Pair]:
    """FIML of 60 items, 2000 respondents and 5 % missing, and robust invariance of as many, beside smaller ones."""
    import numpy as np
    import pandas as pd

    from cocreation.steps import confirm, validate

    rng, p = np.random.default_rng(1), 60
    factors = rng.multivariate_normal(np.zeros(6), np.full((6, 6), 0.4) + 0.6 * np.eye(6), 2000)
    answers = factors[:, np.arange(p) // 10] * rng.uniform(0.5, 0.9, p) + 0.7 * rng.standard_normal((2000, p))
    whole = pd.DataFrame(answers, columns=[f"x{i + 1}" for i in range(p)])
    model = {f"f{k + 1}": list(whole.columns[10 * k : 10 * k + 10]) for k in range(6)}
    gaps = whole.mask(rng.random(whole.shape) < 0.05)
    grouped = whole.assign(group=np.where(rng.random(2000) < 0.5, "a", "b"))
    return [
        ("MLR invariance, 60 items, 2000 respondents",
         lambda: validate.invariance(grouped, model, "group", estimator="MLR"),
         "the same by ML", lambda: validate.invariance(grouped, model, "group"), 2),
        ("FIML report, 60 items, 2000 respondents, 5 % missing", lambda: confirm.cfa(gaps, model, missing="fiml"),
         "the same report of complete answers", lambda: confirm.cfa(whole, model), 2),
    ]  # fmt: skip


def _beside_lavaan(job: str, name: str, ours: Callable[[], float], runs: int) -> list[Pair]:
    """The whole report beside lavaan's, and beside lavaan's fit alone; both sides must end at the same chi-square."""
    other = lavaan()
    if other is None:
        print(f"{job}: not run, needs R with lavaan. Debian has it: apt install r-cran-lavaan", file=sys.stderr)
        return []
    here, there = ours(), other.run(job)
    assert abs(here - there) < 1e-4 * there, (here, there)
    return [
        (f"{name} report: estimates, SE, standardized, indices, MI", ours, "lavaan: the same without MI",
         lambda: other.run(job), runs),
        (f"{name} report: estimates, SE, standardized, indices, MI", ours, "lavaan: cfa() alone",
         lambda: other.run(f"{job}_fit"), runs),
    ]  # fmt: skip


def build() -> list[Pair]:
    """The book, cold and with nothing changed, against jupyter-book's own command on the same sources."""
    work = Path(tempfile.mkdtemp(prefix="cocreation-bench-"))
    ours, plain = work / "ours", work / "plain"
    for place in (ours, plain):
        shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(".git", ".nox", ".venv", "_build", "__pycache__"))

    def cold(place: Path, run: Callable[[], object]) -> Callable[[], object]:
        def timed() -> object:
            shutil.rmtree(place / "_build", ignore_errors=True)
            return run()

        return timed

    book = "from pathlib import Path; from cocreation.authoring.build import build_book; build_book(Path('.'))"
    jupyter_book = "from jupyter_book.cli.main import main; main()"
    run_ours, run_plain = (
        command("-c", book, cwd=ours),
        command("-c", jupyter_book, "build", "-W", "--keep-going", ".", cwd=plain),
    )
    return [
        ("cold build of the book", cold(ours, run_ours), "jupyter-book build", cold(plain, run_plain), 2),
        ("build with nothing changed", run_ours, "jupyter-book build", run_plain, 3),
    ]


def nbval() -> list[Pair]:
    """nbval over all notebooks, two at a time against one after the other."""
    run = ("-m", "pytest", "-q", "--nbval", "--nbval-sanitize-with", "tests/nbval.cfg", "-p", "no:cacheprovider")
    return [
        (
            "nbval, all notebooks, two at a time",
            command(*run, "-n", "2", "--dist", "loadfile", "notebooks"),
            "pytest --nbval, serial",
            command(*run, "notebooks"),
            2,
        )
    ]


TRAP = ("trap", 2)
FIML = ROOT / "tests" / "golden" / "bfi_nec_missing"
GROUPS = {
    "import": imports, "draw": draw, "cfa": cfa, "minima": minima, "bootstrap": bootstrap, "parallel": parallel,
    "ordinal": ordinal, "fiml": fiml, "large": large, "nbval": nbval, "build": build,
}  # fmt: skip
#: groups that run no other program
ALONE = ("draw", "cfa", "minima", "bootstrap", "parallel", "large")


def measure(pair: Pair, clock: Callable[[], float] = time.perf_counter) -> str:
    """Return the table row of a pair: medians in seconds and the median ratio."""
    what, ours, beside, plain, runs = pair
    times: list[tuple[float, float]] = []
    ours(), plain()
    for _ in range(runs):
        spans = []
        for run in (ours, plain):
            start = clock()
            run()
            spans.append(clock() - start)
        times.append((spans[0], spans[1]))
    one, other = (statistics.median(side) for side in zip(*times, strict=True))
    ratio = statistics.median(b / a for a, b in times)
    return f"| {what} | {_span(one)} | {beside} | {_span(other)} | {ratio:.2f}× | {runs} |"


def _span(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _machine() -> str:
    """Return what the figures depend on: processor, versions, threads, and how busy the machine is."""
    import platform
    from importlib.metadata import version

    cpu = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", cpu.read_text()) if cpu.exists() else [platform.processor()]
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas", "semopy", "factor-analyzer")
    )
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{len(names)} × {names[0]}{load}; Python {platform.python_version()}, {packages}; one BLAS thread"


def main() -> None:
    """Measure the groups named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", choices=[[], *GROUPS], metavar=f"{{{','.join(GROUPS)}}}")
    parser.add_argument(
        "--cpu", action="store_true", help=f"processor time, for a busy machine; only {', '.join(ALONE)}"
    )
    asked = parser.parse_args()
    groups = asked.groups or list(ALONE if asked.cpu else GROUPS)
    if asked.cpu and not set(groups) <= set(ALONE):
        parser.error(f"--cpu sees this process only, so it measures {', '.join(ALONE)}")
    clock = time.process_time if asked.cpu else time.perf_counter
    print(_machine(), file=sys.stderr)
    print("| what | ours | plain alternative | plain | times faster | runs |\n|---|---|---|---|---|---|")
    for group in groups:
        for pair in GROUPS[group]():
            print(measure(pair, clock), flush=True)


if __name__ == "__main__":
    main()
