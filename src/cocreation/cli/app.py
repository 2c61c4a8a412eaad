"""The verbs in the order in which ``cocreation --help`` lists them."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from .. import __version__
from . import instructor, reader, student
from .terminal import Stopped

__all__ = ["app"]


class _Verbs(TyperGroup):
    """Lets the end by a signal through, which typer would turn into a silent exit."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as signal:
            raise Stopped(getattr(signal, "status", 130)) from signal


app = typer.Typer(
    name="cocreation",
    cls=_Verbs,
    help="Value Co-Creation: from Theory to Scale. A course with a synthetic study, a book, exercises and data.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


for _verb in (
    student.lab,
    instructor.book,
    instructor.data,
    reader.twin,
    reader.audit,
    reader.agree,
    instructor.release,
    student.doctor,
):
    app.command()(_verb)
