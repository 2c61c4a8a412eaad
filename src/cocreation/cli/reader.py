"""What a reader of the study or of a paper asks for: twin, audit, agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .terminal import COLOURS, absent, console, expanded, figure, progress_of

__all__ = ["agree", "audit", "twin"]


def twin(
    as_json: Annotated[bool, typer.Option("--json", help="Print the table for machines.")] = False,
) -> None:
    """Set the published figures beside those of the synthetic twin.

    Exit status 1 if a figure is outside its tolerance, else 0.

    Example: [cyan]cocreation twin --json > twin.json[/cyan]
    """
    from ..steps import report

    with progress_of("Running the whole procedure"):
        table = report.twin().table
    outside = int((table["verdict"] == "outside").sum())
    if as_json:
        print(table.to_json(orient="records", indent=1, force_ascii=False))
    else:
        _show_twin(table)
    raise typer.Exit(1 if outside else 0)


def audit(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[figures.toml]",
            help="The figures; without it, those of the published study.",
            show_default=False,
            callback=expanded,
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
    from ..audit import audit as steps

    if template:
        print(steps.template(), end="")
        return
    with progress_of("Checking"):
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

    out = console()
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
            colour = COLOURS.get(row.get("verdict", ""), "dim")
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


def agree(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER…", help="Golden sets, or folders of golden sets.", show_default=False, callback=expanded
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print for machines; cocreation.golden.agree.report says in what shape.")
    ] = False,
) -> None:
    """Compute everything a golden set names, and set it beside R's figures.

    A golden set is a folder with data.csv, model.lav and golden.json: figures of lavaan, psych, semTools, GPArotation.
    Below each table stands what was not compared, and why, and where figures differ, who is nearer the optimum: both
    values of what is minimized. Figures of a search that R left short of it are no misses.
    Exit status 1 if another figure is outside its tolerance, 2 if a set cannot be read, else 0.

    Example: [cyan]cocreation agree tests/golden[/cyan]
    """
    from ..golden import agree as golden

    with progress_of("Comparing") as progress:
        found = golden.agree(folders, progress=progress)
    if as_json:
        print(json.dumps(golden.report(found), indent=1, ensure_ascii=False))
    else:
        from ..golden.terminal import show

        show(found, console())
    raise typer.Exit(1 if any(each.misses for each in found) else 0)


def _show_twin(table) -> None:
    from rich import box
    from rich.table import Table

    out = console()
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
        colour = COLOURS.get(row["verdict"], "dim")
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
    shown = [figure(published, decimals), figure(reproduced, 0 if counted else decimals + 1)]
    difference = figure(row["difference"], decimals + 1, sign="+")
    if difference and float(difference) == 0:
        difference = "0"
    tolerance = row["tolerance"]
    return [*shown, difference, "" if absent(tolerance) else f"{tolerance:g}"]
