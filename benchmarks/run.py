"""Time what people wait for, each beside its plain alternative in the same run.

    python benchmarks/run.py            # all, some minutes
    python benchmarks/run.py import draw cfa

Machines are noisy and differ, so the figure to read is the ratio: both sides
run in turn, A B A B …, and the ratio is the median over the pairs. Nothing
here is asserted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
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


def cfa() -> list[Pair]:
    """The CFA report of 21 items and 486 respondents against semopy's own fit, estimates and indices."""
    import semopy
    from semopy.stats import calc_stats

    from cocreation.core import ml, syntax
    from cocreation.steps import confirm, screen
    from cocreation.survey import datasets, population

    scales = population.load().scales(kept_only=True)
    items = [item for part in scales.values() for item in part]
    raw = datasets.load("formal_survey")
    data = screen.screen(raw, items=items, trap=TRAP, returned="returned").valid[items]
    model = confirm.syntax(scales)

    def plain() -> object:
        fitted = semopy.Model(model)
        fitted.fit(data)
        return fitted.inspect(std_est=True), calc_stats(fitted)

    specification = syntax.parse(model)
    moments = data[list(specification.observed)].cov(ddof=0).to_numpy()
    return [
        (
            "CFA report: indices, SE, MI, cross-check of semopy and core",
            lambda: confirm.cfa(data, model),
            "semopy as it comes",
            plain,
            7,
        ),
        (
            "CFA fit through the core",
            lambda: ml.fit(moments, len(data), specification.model),
            "semopy as it comes",
            plain,
            7,
        ),
    ]


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

    book = "from pathlib import Path; from cocreation.course.build import build_book; build_book(Path('.'))"
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
GROUPS = {"import": imports, "draw": draw, "cfa": cfa, "nbval": nbval, "build": build}


def measure(pair: Pair) -> str:
    """Return the table row of a pair: medians in seconds and the median ratio."""
    what, ours, beside, plain, runs = pair
    times: list[tuple[float, float]] = []
    ours(), plain()
    for _ in range(runs):
        spans = []
        for run in (ours, plain):
            start = time.perf_counter()
            run()
            spans.append(time.perf_counter() - start)
        times.append((spans[0], spans[1]))
    one, other = (statistics.median(side) for side in zip(*times, strict=True))
    ratio = statistics.median(b / a for a, b in times)
    return f"| {what} | {_span(one)} | {beside} | {_span(other)} | {ratio:.2f}× | {runs} |"


def _span(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


def main() -> None:
    """Measure the groups named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", choices=[[], *GROUPS], metavar=f"{{{','.join(GROUPS)}}}")
    groups = parser.parse_args().groups or list(GROUPS)
    print("| what | ours | plain alternative | plain | times faster | runs |\n|---|---|---|---|---|---|")
    for group in groups:
        for pair in GROUPS[group]():
            print(measure(pair), flush=True)


if __name__ == "__main__":
    main()
