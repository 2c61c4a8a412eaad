"""The tables that ``cocreation agree`` prints; a room behind :mod:`cocreation.golden.agree`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .agree import Agreement
from .optimum import OURS, SHORT, UNDECIDED, Optimum

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["show", "shown"]

#: figures outside their tolerance that are printed one by one, a metric
_MOST = 5
#: what the tolerances of the table mean
_RELATIVE = (
    "A tolerance of max(1, …) is relative, and so is the difference beside it: both are divided by that. "
    "*: or by what a thousandth of a standard error makes it, which is more in a flat optimum."
)
#: searches that are printed one by one, a verdict
_OPTIMA = 20


def shown(difference: float) -> str:
    """Return a difference rounded up to one significant digit, which stays the same from machine to machine."""
    if not math.isfinite(difference):
        return "–"
    if difference < 1e-15:
        return "0"
    power = math.floor(math.log10(difference))
    # a difference that is 3e-07 but for round-off is not 4e-07
    digit = math.ceil(difference / 10.0**power - 1e-6)
    return f"1e{power + 1:+03d}" if digit == 10 else f"{digit}e{power:+03d}"


def show(found: list[Agreement], out: Console) -> None:
    """Print, set by set, what was compared, what misses, and what was not compared and why."""
    for each in found:
        _set(each, out)
    figures = sum(row.compared for each in found for row in each.rows)
    misses, short = (sum(map(len, parts)) for parts in zip(*((each.misses, each.short) for each in found), strict=True))
    verdict = (
        "[green]all within tolerance[/green]" if not misses else f"[bold red]{misses} outside tolerance[/bold red]"
    )
    if short:
        verdict += f", but for {short} where R stopped short" if not misses else f", {short} more where R stopped short"
    sets = "1 set" if len(found) == 1 else f"{len(found)} sets"
    out.print(f"{sets}, {figures} figures compared, {verdict}.", highlight=False)


def _set(each: Agreement, out: Console) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    made = ", ".join(f"{name} {version}" for name, version in each.programs.items())
    table = Table(
        title=escape(each.name), caption=escape(made), header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1)
    )
    table.add_column("section", overflow="fold")
    table.add_column("metric", overflow="fold")
    for name in ("compared", "largest difference"):
        table.add_column(name, justify="right")
    table.add_column("tolerance", overflow="fold")
    table.add_column("verdict", no_wrap=True)
    section = each.rows[0].section if each.rows else ""
    for number, row in enumerate(each.rows):
        if row.section != section:
            table.add_section()
            section = row.section
        first = number == 0 or each.rows[number - 1].section != section
        verdict = f"[yellow]{SHORT}[/yellow]" if row.short else "[green]agrees[/green]"
        verdict = f"[bold red]{len(row.misses)} miss[/bold red]" if row.misses else verdict
        cells = (section if first else "", row.metric, str(row.compared), shown(row.largest), row.tolerance)
        table.add_row(*map(escape, cells), verdict)
    out.print(table)
    for row in each.rows:
        for figure in row.misses[:_MOST]:
            said = f"R has {figure.theirs}, here {figure.ours}" if figure.theirs is not None else str(figure.ours)
            out.print(f"[red]miss[/red] {escape(figure.key)}: {escape(said)}", highlight=False)
        if len(row.misses) > _MOST:
            out.print(f"  … and {len(row.misses) - _MOST} more of {escape(row.metric)}", highlight=False)
    if any(" of max(1" in row.tolerance for row in each.rows):
        out.print(_RELATIVE, highlight=False)
    _optima(each.optima, out)
    if each.remark:
        out.print(escape(each.remark), highlight=False)
    together: dict[str, list[str]] = {}
    for _, reason, keys in each.reasons():
        together.setdefault(reason, []).extend(keys)
    if together:
        out.print("[bold]Not compared[/bold]")
    for reason, keys in together.items():
        where = ", ".join(dict.fromkeys(key.split("/")[0] for key in keys))
        out.print(f"  {len(keys)} × {escape(reason)} ({escape(where)})", highlight=False)
    out.print()


def _optima(optima: Sequence[Optimum], out: Console) -> None:
    """Print what the searches minimize here and in R, the most of one kind in one line."""
    from rich.markup import escape

    for verdict, colour in ((OURS, "bold red"), (UNDECIDED, "yellow"), (SHORT, "yellow")):
        those = [optimum for optimum in optima if optimum.verdict == verdict]
        for each in those[:_OPTIMA]:
            follow = f"; {each.figures} figures outside tolerance follow" if each.figures else ""
            remark = f" ({each.remark})" if each.remark else ""
            values = f"{each.measure} {_value(each.ours)} here, {_value(each.theirs)} in R{remark}"
            out.print(f"[{colour}]{verdict}[/{colour}] {escape(f'{each.place}: {values}{follow}')}", highlight=False)
        if len(those) > _OPTIMA:
            out.print(f"  … and {len(those) - _OPTIMA} more where {verdict}", highlight=False)


def _value(value: float) -> str:
    return f"{value:.3f}" if abs(value) >= 10 else f"{value:.7g}"
