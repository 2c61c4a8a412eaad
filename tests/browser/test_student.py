"""A student's way: `cocreation lab`, the assignment, a wrong answer, a right one."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def running_lab(tmp_path, start_lab):
    """JupyterLab as the command starts it, and its address."""
    words = [sys.executable, "-m", "cocreation", "lab", "--folder", str(tmp_path / "mine"), "--no-browser"]
    options = ["--", "--allow-root", "--LabApp.expose_app_in_browser=True", "--IdentityProvider.token=open",
               "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]  # fmt: skip
    with start_lab([*words, *options], tmp_path) as address:
        yield address


_KERNEL_READY = """() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"""
_ANSWER = """async ([id, source]) => {
  const cells = [...window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells];
  cells.find(cell => cell.getMetadata('nbgrader')?.grade_id === id).setSource(source);
}"""
_OUTPUT = """(id) => {
  const cells = [...window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells];
  const outputs = cells.find(cell => cell.getMetadata('nbgrader')?.grade_id === id).outputs;
  return outputs.map(one => one.text ? [one.text].flat().join('') : (one.traceback || []).join('')).join('');
}"""


@pytest.mark.slow
def test_a_student_opens_the_assignment_in_lab_and_is_told_what_an_answer_reveals(running_lab, watch):
    page = watch().context.new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    page.goto(f"{running_lab}lab/tree/exercises/purify.ipynb?token=open")
    page.wait_for_function(_KERNEL_READY)

    def told(answer: str, beginning: str) -> str:
        page.evaluate(_ANSWER, ["answer-spread", answer])
        page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function(f"({_OUTPUT})('check-spread').startsWith({beginning!r})")
        return page.evaluate(_OUTPUT, "check-spread")

    table = 'complete = answers.dropna()\nspread = pd.DataFrame({{"mean": complete.mean(), "sd": complete.std({})}})'
    wrong = told(table.format("ddof=0"), "Not yet")
    assert "Your standard deviations divide by n" in wrong
    assert "Traceback" not in wrong
    assert told(table.format(""), "Yes").startswith("Yes: means and standard deviations")
    assert asked == {running_lab.split("/")[2]}  # no news, no update check, no CDN
