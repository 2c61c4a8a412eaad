"""What an instructor asks for: book, data, release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .._paths import course_root
from ..errors import CourseError
from .terminal import console, expanded, figure, progress_of, share_of

__all__ = ["book", "data", "release"]


def book(
    output: Annotated[
        Path | None, typer.Option(help="Where to build; by default _build in the checkout.", callback=expanded)
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the book in your browser when it is built.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print it to one PDF too, by Chromium.")] = False,
) -> None:
    """Run the notebooks and build the HTML book.

    Only what has changed is run again.
    A cell that fails, or a warning, fails the build.
    With --pdf the book, without the reference of functions, is also printed: cocreation.pdf beside the pages.

    Example: [cyan]cocreation book --open[/cyan]
    """
    from ..authoring import build, paper

    with progress_of("Running notebooks") as progress:
        page = build.build_book(course_root(), output, progress=progress) / "index.html"
    print(f"The book: {page}")
    if pdf:
        print(f"On paper: {paper.print_book(course_root(), page.parent, page.parents[1] / 'cocreation.pdf')}")
    if show:
        typer.launch(page.as_uri())


def data(
    output: Annotated[
        Path | None, typer.Option(help="The folder to write to; by default the course's.", callback=expanded)
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="First search for the population anew (some minutes).")
    ] = False,
) -> None:
    """Write the synthetic data sets, their codebooks and data sheets.

    The same population gives the same bytes on every machine.
    With --calibrate the course's population.toml is found anew first: the same one, as long as its rules are the same.

    Example: [cyan]cocreation data --output my-data[/cyan]
    """
    from ..survey import datasets

    if calibrate and output is not None:
        raise CourseError(
            "--calibrate changes the course's own population.toml, so it does not go with --output. "
            "Leave one out, or set COCREATION_ROOT to a copy of the course."
        )
    if calibrate:
        _calibrate()
    folder = course_root() / "datasets" if output is None else output
    if folder.exists() and not folder.is_dir():
        raise CourseError(f"{folder} is a file. Name a folder with --output.")
    with progress_of("Writing data sets"):
        written = datasets.write(folder)
    console().print(f"{len(written)} files in {folder.resolve()}", soft_wrap=True, highlight=False)


def _calibrate() -> None:
    from rich.table import Table

    from ..survey import calibrate as search
    from ..survey import population

    with share_of("Calibrating") as progress:
        found = search.calibrate(progress=progress)
    search.save(found.calibrated)
    population.load.cache_clear()
    table = Table(title="What the calibration reached", header_style="bold")
    for name in found.figures.columns:
        table.add_column(name, justify="left" if name == "figure" else "right")
    for row in found.figures.itertuples(index=False):
        table.add_row(*(figure(value) for value in row))
    console().print(table)


def release(
    assignments: Annotated[
        list[str] | None, typer.Argument(help="Such as 'purify'; all of them if you name none.", show_default=False)
    ] = None,
    output: Annotated[Path, typer.Option(help="The folder to write to.", callback=expanded)] = Path(
        "~/cocreation-release"
    ),
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder with other files, and over changed ones.")
    ] = False,
    run: Annotated[
        bool, typer.Option("--run/--no-run", help="Run each student edition up to the first answer.")
    ] = True,
) -> None:
    """Write the student editions of the assignments, and prove that they hold no solution.

    For instructors.
    Before anything is written, every edition is searched for solutions, hidden tests, outputs and notes.
    One that holds any stops the release.

    Example: [cyan]cocreation release purify --output for-students[/cyan]
    """
    from ..authoring import release as editions

    with progress_of("Cutting and checking") as progress:
        done = editions.release(assignments or (), output=output, force=force, run=run, progress=progress)
    from rich.table import Table

    table = Table(header_style="bold")
    for name in ("file", "answers to write", "state"):
        table.add_column(name)
    for edition in done.editions:
        count = str(len(edition.questions)) if edition.questions else "–"
        table.add_row(edition.name, count, "written" if edition.name in done.written else "unchanged")
    out = console()
    out.print(table)
    out.print(f"No solution, hidden test, output or note is left in {done.folder.resolve()}", soft_wrap=True,
              highlight=False)  # fmt: skip
