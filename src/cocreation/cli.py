"""The command line: one verb for each thing a person does with the course.

Thin on purpose: a verb reads its options, calls the library, and says what
came of it. Heavy imports stand inside the verbs, so that ``--help`` answers at
once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import __version__
from ._paths import course_root
from .errors import CourseError

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["app", "main"]

app = typer.Typer(
    name="cocreation",
    help="Value Co-Creation: from Theory to Scale. A course with a synthetic study, a book, exercises and data.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COLOURS = {"ok": "green", "within": "green", "agrees": "green", "passes": "green", "implied": "cyan", "info": "cyan",
            "warn": "yellow", "not attainable together": "yellow", "fails": "yellow", "differs": "bold yellow",
            "fail": "bold red", "outside": "bold red"}  # fmt: skip


def main() -> None:
    """Run the command line; what a user did wrong is one sentence on stderr and exit status 2.

    Lines after that sentence, such as the traceback of a notebook's cell, stay lines.
    """
    try:
        app(prog_name="cocreation")
    except CourseError as error:
        print(f"cocreation: {str(error).strip()}", file=sys.stderr)
        sys.exit(2)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        what = "cocreation: Tables and help on the terminal need the package rich, which is not installed."
        print(what, "Install it (pip install rich), or ask for --json where a verb has it.", file=sys.stderr)
        sys.exit(2)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"cocreation {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    pass


@app.command()
def lab(
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- OPTION…]", help="Further options for JupyterLab.", show_default=False),
    ] = None,
    *,
    folder: Annotated[Path, typer.Option(help="Your working copy; made if it is not there.")] = Path("~/cocreation"),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in your browser.")] = True,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port to use; by default a free one.")] = None,
    copy_only: Annotated[bool, typer.Option("--copy-only", help="Bring the copy up to date, start nothing.")] = False,
    allow_root: Annotated[bool, typer.Option("--allow-root", help="Start also as root, as in a container.")] = False,
) -> None:
    """Open JupyterLab on a working copy of notebooks, exercises and data.

    The copy is yours: files you have changed are never written to.
    Where the course has a newer version of one, it is laid beside yours as "name (newer)".

    Example: [cyan]cocreation lab --folder ~/my-course[/cyan]
    """
    from .course import lab as working_copy

    with _progress("Copying") as progress:
        done = working_copy.update(folder, progress=progress)
    out = _console()
    out.print(f"Working copy: {done.folder.resolve()}", soft_wrap=True, highlight=False)
    for names, what in ((done.added, "new"), (done.replaced, "brought up to date")):
        if names:
            files = "1 file" if len(names) == 1 else f"{len(names)} files"
            listed = f": {', '.join(names)}" if len(names) <= 5 else ""
            out.print(f"  {files} {what}{listed}", soft_wrap=True, highlight=False)
    for yours, newer in done.beside.items():
        out.print(
            f"  [yellow]You have changed {yours}, so it stays as it is; the newer version is “{newer}”.[/yellow]",
            soft_wrap=True,
            highlight=False,
        )
    if copy_only:
        return
    words = working_copy.command(done.folder, browser=browser, port=port, allow_root=allow_root, more=more or ())
    out.print("JupyterLab starts; end it with Ctrl-C.")
    raise typer.Exit(working_copy.start(done.folder, words))


@app.command()
def book(
    output: Annotated[Path | None, typer.Option(help="Where to build; by default _build in the checkout.")] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the book in your browser when it is built.")] = False,
) -> None:
    """Run the notebooks and build the HTML book.

    Only what has changed is run again.
    A cell that fails, or a warning, fails the build.

    Example: [cyan]cocreation book --open[/cyan]
    """
    from .authoring import build

    with _progress("Running notebooks") as progress:
        page = build.build_book(course_root(), output, progress=progress) / "index.html"
    print(f"The book: {page}")
    if show:
        typer.launch(page.as_uri())


@app.command()
def data(
    output: Annotated[Path | None, typer.Option(help="The folder to write to; by default the course's.")] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="First search for the population anew (some minutes).")
    ] = False,
) -> None:
    """Write the synthetic data sets, their codebooks and data sheets.

    The same population gives the same bytes on every machine.
    With --calibrate the course's population.toml is found anew first: the same one, as long as its rules are the same.

    Example: [cyan]cocreation data --output my-data[/cyan]
    """
    from .survey import datasets

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
    try:
        with _progress("Writing data sets"):
            written = datasets.write(folder)
    except OSError as error:
        raise CourseError(f"Cannot write to {folder}: {error.strerror}. Name another folder with --output.") from error
    _console().print(f"{len(written)} files in {folder.resolve()}", soft_wrap=True, highlight=False)


def _calibrate() -> None:
    from rich.table import Table

    from .survey import calibrate as search
    from .survey import population

    with _share("Calibrating") as progress:
        found = search.calibrate(progress=progress)
    search.save(found.calibrated)
    population.load.cache_clear()
    table = Table(title="What the calibration reached", header_style="bold")
    for name in found.figures.columns:
        table.add_column(name, justify="left" if name == "figure" else "right")
    for row in found.figures.itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    _console().print(table)


@app.command()
def twin(
    as_json: Annotated[bool, typer.Option("--json", help="Print the table for machines.")] = False,
) -> None:
    """Set the published figures beside those of the synthetic twin.

    Exit status 1 if a figure is outside its tolerance, else 0.

    Example: [cyan]cocreation twin --json > twin.json[/cyan]
    """
    from .steps import report

    with _progress("Running the whole procedure"):
        table = report.twin().table
    outside = int((table["verdict"] == "outside").sum())
    if as_json:
        print(table.to_json(orient="records", indent=1, force_ascii=False))
    else:
        _show_twin(table)
    raise typer.Exit(1 if outside else 0)


@app.command()
def audit(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[figures.toml]", help="The figures; without it, those of the published study.", show_default=False
        ),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything for machines.")] = False,
    template: Annotated[bool, typer.Option("--template", help="Print a commented figures.toml to start from.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with status 1 if a figure differs.")] = False,
) -> None:
    """Check the printed figures of a paper against each other.

    What follows from what, which figures can be true together, and what would reconcile the rest.
    Exit status 2 if the file cannot be read, 1 with --strict if a figure differs, else 0.

    Example: [cyan]cocreation audit --template > figures.toml[/cyan], then [cyan]cocreation audit figures.toml[/cyan]
    """
    from .audit import audit as steps

    if template:
        print(steps.template(), end="")
        return
    with _progress("Checking"):
        found = steps.audit_study() if file is None else steps.audit(file)
    if as_json:
        print(json.dumps(found.records(), indent=1, ensure_ascii=False))
    else:
        _show_audit(found)
    raise typer.Exit(1 if strict and not found.agrees else 0)


_AT_LENGTH = ("range", "from_figures", "remark")


def _show_audit(found) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    out = _console()
    wide = out.width >= 100
    for name, table in found.tables().items():
        if table.empty:
            continue
        if name == "readings":
            _show_readings(out, table)
            continue
        shown = Table(
            title=escape(name or found.title),
            header_style="bold",
            box=box.SIMPLE_HEAD,
            padding=(0, 1),
            title_justify="left",
        )
        # what does not fit goes, but never the figure's own name
        left_out = () if wide or name else ("from_figures", "remark") if out.width >= 80 else _AT_LENGTH
        columns = [column for column in table.columns if column not in left_out]
        for number, column in enumerate(columns):
            right = column in ("printed", "implied", "range")
            shown.add_column({"from_figures": "from"}.get(column, column), justify="right" if right else "left",
                             no_wrap=right or column == "verdict", overflow="fold",
                             min_width=None if number else 12)  # fmt: skip
        for row in table.to_dict("records"):
            cells = [escape(str(row[column])) for column in columns]
            colour = _COLOURS.get(row.get("verdict", ""), "dim")
            shown.add_row(
                *(f"[{colour}]{cell}[/{colour}]" if cell == row.get("verdict") and cell else cell for cell in cells)
            )
        out.print(shown)
    out.print(found.note, highlight=False)


def _show_readings(out, table) -> None:
    """A paragraph a reading: what is given up, then the figures as they would be."""
    out.print("[bold]readings[/bold]: what would reconcile them", highlight=False)
    for number, row in enumerate(table.to_dict("records"), start=1):
        figures = [f"{name.replace('chi2_df', 'chi2/df').replace('_', ' ')} {value}" for name, value in row.items()
                   if name not in ("reading", "alphas_possible", "least_baseline_chi2") and value]  # fmt: skip
        if row["alphas_possible"]:
            more = "" if row["alphas_possible"] == "yes" else ", which is more"
            figures.append(f"the alphas ask for {row['least_baseline_chi2']}{more}")
        out.print(f"  {number}. {row['reading']}.", highlight=False, markup=False)
        if figures:
            out.print(f"     [dim]{', '.join(figures)}[/dim]", highlight=False)
    out.print()


@app.command()
def agree(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER…", help="Golden sets, or folders of golden sets.", show_default=False),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print for machines; cocreation.golden.agree.report says in what shape.")
    ] = False,
) -> None:
    """Compute everything a golden set names, and set it beside R's figures.

    A golden set is a folder with data.csv, model.lav and golden.json: figures of lavaan, psych, semTools, GPArotation.
    Below each table stands what was not compared, and why.
    Exit status 1 if a figure is outside its tolerance, 2 if a set cannot be read, else 0.

    Example: [cyan]cocreation agree tests/golden[/cyan]
    """
    from .golden import agree as golden

    with _progress("Comparing") as progress:
        found = golden.agree(folders, progress=progress)
    if as_json:
        print(json.dumps(golden.report(found), indent=1, ensure_ascii=False))
    else:
        from .golden.terminal import show

        show(found, _console())
    raise typer.Exit(1 if any(each.misses for each in found) else 0)


def _show_twin(table) -> None:
    from rich import box
    from rich.table import Table

    out = _console()
    shown = Table(title="The published study and its twin", header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1))
    shown.add_column("figure", overflow="fold")
    for name in ("published", "reproduced", "difference", "±"):
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("verdict", max_width=None if out.width >= 100 else 12)
    reasons: dict[str, list[str]] = {}
    step = table["step"].iloc[0]
    for row in table.to_dict("records"):
        if row["step"] != step:
            shown.add_section()
            step = row["step"]
        colour = _COLOURS.get(row["verdict"], "dim")
        verdict = f"[{colour}]{row['verdict']}[/{colour}]"
        shown.add_row(row["figure"], *_twin_cells(row), verdict)
        if row["verdict"] in {"outside", "not attainable together"}:
            reasons.setdefault(row["reason"], []).append(row["figure"])
    out.print(shown)
    for reason, figures in reasons.items():
        out.print(f"[bold]{', '.join(figures)}[/bold]: {reason}", highlight=False)


def _twin_cells(row: dict) -> list[str]:
    """Return the four numbers of a row: as printed by the study, then with one more decimal."""
    decimals = int(row["decimals"])
    published, reproduced = row["published"], row["reproduced"]
    counted = decimals == 0 and float(reproduced).is_integer()
    shown = [_cell(published, decimals), _cell(reproduced, 0 if counted else decimals + 1)]
    difference = _cell(row["difference"], decimals + 1, sign="+")
    if difference and float(difference) == 0:
        difference = "0"
    tolerance = row["tolerance"]
    return [*shown, difference, "" if _absent(tolerance) else f"{tolerance:g}"]


def _cell(value: object, decimals: int = 3, *, sign: str = "-") -> str:
    if _absent(value):
        return ""
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:{sign}.{decimals}f}" if abs(value) >= 1e-6 or value == 0 else f"{value:.0e}"


def _absent(value: object) -> bool:
    return value is None or value != value


@app.command()
def release(
    assignments: Annotated[
        list[str] | None, typer.Argument(help="Such as 'purify'; all of them if you name none.", show_default=False)
    ] = None,
    output: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("release"),
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
    from .authoring import release as editions

    with _progress("Cutting and checking") as progress:
        done = editions.release(assignments or (), output=output, force=force, run=run, progress=progress)
    from rich.table import Table

    table = Table(header_style="bold")
    for name in ("file", "answers to write", "state"):
        table.add_column(name)
    for edition in done.editions:
        count = str(len(edition.questions)) if edition.questions else "–"
        table.add_row(edition.name, count, "written" if edition.name in done.written else "unchanged")
    out = _console()
    out.print(table)
    out.print(f"No solution, hidden test, output or note is left in {done.folder.resolve()}", soft_wrap=True,
              highlight=False)  # fmt: skip


@app.command()
def doctor(
    folder: Annotated[Path, typer.Option(help="The working copy to look at.")] = Path("~/cocreation"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings for machines.")] = False,
) -> None:
    """Look whether the course can run here, and say what to do where it cannot.

    Exit status 1 if something keeps it from running, else 0.

    Example: [cyan]cocreation doctor[/cyan]
    """
    from .course import doctor as looks

    with _progress("Looking") as progress:
        found = looks.examine(folder, progress=progress)
    if as_json:
        print(json.dumps(found.records(), indent=1, ensure_ascii=False))
    else:
        from rich.table import Table

        table = Table(header_style="bold")
        for name in ("", "what", "found", "what to do"):
            table.add_column(name, overflow="fold")
        for finding in found.findings:
            colour = _COLOURS[finding.state]
            table.add_row(f"[{colour}]{finding.state}[/{colour}]", finding.what, finding.found, finding.remedy)
        _console().print(table)
    raise typer.Exit(1 if found.failed else 0)


def _console() -> Console:
    """Return a console as wide as the terminal; a file or a pipe gets room enough for every table."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=120)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar on stderr while the block runs, if stderr is a terminal; yield what moves it."""
    with _bar() as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total, name: bar.update(task, completed=done, total=total, description=f"{what}: {name}")


@contextmanager
def _share(what: str) -> Iterator[Callable[[float, str], None]]:
    """The same for work that reports the share done, from 0 to 1."""
    with _bar() as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share, text: bar.update(task, completed=share, description=f"{what}: {text}")


def _bar():
    from .progress import bar

    return bar()


if __name__ == "__main__":
    main()
