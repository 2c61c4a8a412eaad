"""What a student asks for: lab, doctor."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from .._paths import book_folder
from ..errors import CourseError
from .terminal import COLOURS, console, expanded, progress_of

__all__ = ["doctor", "lab"]


def lab(
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- OPTION…]", help="Further options for JupyterLab.", show_default=False),
    ] = None,
    *,
    folder: Annotated[Path, typer.Option(help="Your working copy; made if it is not there.", callback=expanded)] = Path(
        "~/cocreation"
    ),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in your browser.")] = True,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port to use; by default a free one.")] = None,
    copy_only: Annotated[bool, typer.Option("--copy-only", help="Bring the copy up to date, start nothing.")] = False,
    allow_root: Annotated[bool, typer.Option("--allow-root", help="Start also as root, as in a container.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a folder with other files is used.")] = False,
) -> None:
    """Open JupyterLab on a working copy of notebooks, exercises and data.

    The copy is yours: files you have changed are never written to.
    Where the course has a newer version of one, it is laid beside yours as "name (newer)".
    If JupyterLab runs on the copy already, that one is opened; with --port a second one starts.

    Example: [cyan]cocreation lab --folder ~/my-course[/cyan]
    """
    from ..course import lab as working_copy

    others = working_copy.strangers(folder)
    if others and not yes:
        _ask_for(folder, others)
    with progress_of("Copying") as progress:
        done = working_copy.update(folder, progress=progress)
    out = console()
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
    if (address := working_copy.running(done.folder)) is not None:
        out.print(f"JupyterLab runs on this copy already: {address}", soft_wrap=True, highlight=False, markup=False)
        if port is None:
            if browser:
                typer.launch(address)
            return
    if not (book_folder() / "index.html").is_file():
        out.print(
            "The book is not built, so links to its chapters lead to a page that says how to build it: nox -s book.",
            soft_wrap=True,
            highlight=False,
        )
    words = working_copy.command(done.folder, browser=browser, port=port, allow_root=allow_root, more=more or ())
    out.print("JupyterLab starts; end it with Ctrl-C.")
    raise typer.Exit(working_copy.start(done.folder, words))


def _ask_for(folder: Path, others: list[str]) -> None:
    """Ask whether the course may be laid among other files; without a terminal nobody can answer."""
    held = f"{', '.join(others[:3])}{', …' if len(others) > 3 else ''}"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CourseError(
            f"{folder} holds other files ({held}) and is no working copy. Name another folder with --folder, or add "
            "--yes to lay the course among them."
        )
    print(
        f"{folder} holds other files ({held}). Lay the course among them? [y/N] ", end="", file=sys.stderr, flush=True
    )
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CourseError("Nothing was written. Name another folder with --folder.")


def doctor(
    folder: Annotated[Path, typer.Option(help="The working copy to look at.", callback=expanded)] = Path(
        "~/cocreation"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings for machines.")] = False,
) -> None:
    """Look whether the course can run here, and say what to do where it cannot.

    Exit status 1 if something keeps it from running, else 0.

    Example: [cyan]cocreation doctor[/cyan]
    """
    from ..course import doctor as looks

    with progress_of("Looking") as progress:
        found = looks.examine(folder, progress=progress)
    if as_json:
        print(json.dumps(found.records(), indent=1, ensure_ascii=False))
    else:
        _show_findings(found.findings)
    raise typer.Exit(1 if found.failed else 0)


def _show_findings(findings) -> None:
    """A table, or plain lines where rich is what is missing."""
    try:
        from rich.markup import escape
        from rich.table import Table
    except ImportError:
        for each in findings:
            print(f"{each.state:5}{each.what}: {each.found}{each.remedy and f' – {each.remedy}'}")
        return
    table = Table(header_style="bold")
    for name in ("", "what", "found", "what to do"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        colour = COLOURS[finding.state]
        words = (escape(text) for text in (finding.what, finding.found, finding.remedy))
        table.add_row(f"[{colour}]{finding.state}[/{colour}]", *words)
    console().print(table)
