"""The card sort: statements sorted to bins, with feedback on what each answer reveals."""

from __future__ import annotations

import html
import pathlib
from typing import Any

import anywidget
import traitlets

from .cards import read

__all__ = ["CardSort"]

_HERE = pathlib.Path(__file__).parent
_SHOWN = ("title", "instructions", "closing", "bins", "statements", "answer", "attempts", "solved", "history")


class CardSort(anywidget.AnyWidget):
    """Sort statements to bins, by keyboard, touch or mouse.

    Make one with :meth:`load`. What the person does comes back in the traits
    below; nothing is marked.

    Attributes
    ----------
    answer : dict of str to str
        Statement id -> bin id, for the statements placed so far.
    attempts : int
        How often the sorting was checked.
    solved : bool
        Whether a check found every statement in its right bin.
    history : list of int
        Number of statements in the right bin at each check.

    Examples
    --------
    >>> from cocreation.widgets import CardSort
    >>> sort = CardSort.load("logics")
    >>> sort
    CardSort('Whose logic is speaking?': 0 of 15 placed, not checked yet)
    """

    _esm = _HERE / "card_sort.js"
    _css = _HERE / "card_sort.css"

    title = traitlets.Unicode().tag(sync=True)
    instructions = traitlets.Unicode().tag(sync=True)
    closing = traitlets.Unicode().tag(sync=True)
    bins = traitlets.List(traitlets.Dict()).tag(sync=True)
    statements = traitlets.List(traitlets.Dict()).tag(sync=True)
    answer = traitlets.Dict(key_trait=traitlets.Unicode(), value_trait=traitlets.Unicode()).tag(sync=True)
    attempts = traitlets.Int(0, min=0).tag(sync=True)
    solved = traitlets.Bool(False).tag(sync=True)
    history = traitlets.List(traitlets.Int()).tag(sync=True)

    @classmethod
    def load(cls, name: str | pathlib.Path) -> CardSort:
        """Return the card sort of ``exercises/<name>.yml``, or of the file at a path.

        Raises
        ------
        cocreation.errors.InputError
            If the file is missing or breaks a rule; see :func:`cocreation.widgets.cards.read`.
        """
        return cls(**read(name).traits())

    @traitlets.validate("answer")
    def _known(self, proposal: dict[str, Any]) -> dict[str, str]:
        statements = {each["id"] for each in self.statements}
        bins = {each["id"] for each in self.bins}
        for statement, into in proposal["value"].items():
            if statement not in statements:
                raise traitlets.TraitError(f"There is no statement {statement!r}; ids are {sorted(statements)}.")
            if into not in bins:
                raise traitlets.TraitError(f"There is no bin {into!r} for {statement!r}; bins are {sorted(bins)}.")
        return proposal["value"]

    def embedded(self) -> dict[str, Any]:
        """Return the widget's state as a page embeds it: what it shows, its module, its styles."""
        state = self.get_state()
        keys = [*_SHOWN, "_esm", "_css", "_anywidget_id", "_model_name", "_model_module", "_model_module_version"]
        keys += ["_view_name", "_view_module", "_view_module_version"]
        return {
            "model_name": state["_model_name"],
            "model_module": state["_model_module"],
            "model_module_version": state["_model_module_version"],
            "state": {key: state[key] for key in keys},
        }

    def fallback(self) -> str:
        """Return the exercise as plain HTML for readers without JavaScript, and for paper.

        The statements without their answers, and the bins to choose from.
        """
        say = html.escape
        rows = "".join(
            f'<tr><th scope="row">{number}</th><td>{say(each["text"])}</td><td></td></tr>'
            for number, each in enumerate(self.statements, 1)
        )
        bins = "".join(f"<li><strong>{say(each['name'])}</strong>: {say(each['essence'])}</li>" for each in self.bins)
        return (
            '<div class="cocreation-fallback">'
            f"<p><strong>{say(self.title)}</strong> {say(self.instructions)}</p>"
            "<p><em>Here the exercise is on paper: write beside each statement the logic it speaks from. In a browser "
            "with JavaScript, or in JupyterLab, it answers you.</em></p>"
            f'<ul>{bins}</ul><table class="table"><caption>Statements to sort</caption><thead><tr>'
            '<th scope="col">No.</th><th scope="col">Statement</th><th scope="col">Logic</th></tr></thead>'
            f"<tbody>{rows}</tbody></table></div>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            # A page or viewer that cannot run the widget shows the table instead.
            bundle[0]["text/html"] = self.fallback()
        return bundle

    def __repr__(self) -> str:
        checks = {0: "not checked yet", 1: "checked once"}.get(self.attempts, f"checked {self.attempts} times")
        done = ", solved" if self.solved else ""
        return f"CardSort({self.title!r}: {len(self.answer)} of {len(self.statements)} placed, {checks}{done})"
