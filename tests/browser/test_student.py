"""A student's way: `cocreation lab`, the assignment, a wrong answer, a right one."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request

import pytest


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def running_lab(tmp_path):
    """JupyterLab as the command starts it, and its address."""
    port = _free_port()
    words = [
        sys.executable,
        "-m",
        "cocreation",
        "lab",
        "--folder",
        str(tmp_path / "mine"),
        "--no-browser",
        "--port",
        str(port),
    ]
    options = ["--", "--allow-root", "--LabApp.expose_app_in_browser=True", "--IdentityProvider.token=open"]
    log = (tmp_path / "lab.log").open("w")
    server = subprocess.Popen([*words, *options], stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            with urllib.request.urlopen(f"{address}/api?token=open", timeout=5):  # noqa: S310 – our own server
                break
        except OSError:
            assert server.poll() is None, (tmp_path / "lab.log").read_text()
            time.sleep(0.5)
    yield address
    server.terminate()
    server.wait(30)
    log.close()


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
def test_a_student_opens_the_assignment_in_lab_and_is_told_what_an_answer_reveals(running_lab, browser):
    page = browser.new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    page.goto(f"{running_lab}/lab/tree/exercises/purify.ipynb?token=open")
    page.wait_for_function(_KERNEL_READY, timeout=90_000)

    def told(answer: str, beginning: str) -> str:
        page.evaluate(_ANSWER, ["answer-spread", answer])
        page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function(f"({_OUTPUT})('check-spread').startsWith({beginning!r})", timeout=60_000)
        return page.evaluate(_OUTPUT, "check-spread")

    table = 'complete = answers.dropna()\nspread = pd.DataFrame({{"mean": complete.mean(), "sd": complete.std({})}})'
    wrong = told(table.format("ddof=0"), "Not yet")
    assert "Your standard deviations divide by n" in wrong
    assert "Traceback" not in wrong
    assert told(table.format(""), "Yes").startswith("Yes: means and standard deviations")
    assert asked == {running_lab.removeprefix("http://")}  # no news, no update check, no CDN
    page.close()
