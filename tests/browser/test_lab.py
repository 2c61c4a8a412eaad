"""The live exercise in a real JupyterLab, where its answers come back to Python."""

from __future__ import annotations

import secrets
import shutil
import sys
from pathlib import Path

import pytest

KERNEL_IDLE = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"

RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"

SOURCES = """() => [...window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells]
  .map((cell) => [cell.cell_type, cell.getSource()])"""

# What Python holds, asked of the notebook's own kernel.
ASK = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({code});
  let text = "";
  future.onIOPub = (message) => { text += message.content.text ?? message.content.evalue ?? ""; };
  await future.done;
  return text.trim();
}"""


def wait_for_python(page, code: str, wanted: object) -> None:
    """Wait until the kernel prints `wanted` for `code`: Lab sends a widget's changes one after the other."""
    page.wait_for_function(f"async ([code, wanted]) => await ({ASK})(code) === wanted", arg=[code, str(wanted)])


@pytest.fixture(scope="module")
def lab(root: Path, tmp_path_factory, start_lab):
    """A JupyterLab of its own: own home, own settings, a copy of the notebook; yields its address."""
    home = tmp_path_factory.mktemp("home")
    work = tmp_path_factory.mktemp("work")
    shutil.copy(root / "exercises" / "logics.ipynb", work)
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    token = secrets.token_hex(16)
    own = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
        "COCREATION_ROOT": root,
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={work}",
        "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    with start_lab(command, home, **own) as address:
        yield f"{address}lab/tree/logics.ipynb?token={token}"


@pytest.mark.slow
def test_the_exercise_is_solved_by_keyboard_in_lab_and_python_reads_the_answer(watch, lab, play, deck):
    watched = watch(viewport={"width": 1200, "height": 1000})
    page = watched.page(lab)
    page.wait_for_function(KERNEL_IDLE)
    before = page.evaluate(SOURCES)
    page.evaluate(RUN_ALL)
    player = play(page)
    # Lab's own Tab order is Lab's affair; from the exercise's first control on it is keys alone.
    player.root.locator(f'[data-focus="bin-{deck.bins[0].id}"]').focus()
    statement = deck.statements[0]
    wrong = next(each.id for each in deck.bins if each.id != statement.bin)
    player.sort({statement.id: wrong})
    most, state = len(deck.statements), "print(sort.solved, sort.attempts, sort.history)"
    wait_for_python(page, state, f"False 1 {[most - 1]}")
    wait_for_python(page, f"print(sort.answer[{statement.id!r}])", wrong)
    player.tab_to("again")
    page.keyboard.press("Enter")
    player.sort()
    assert player.score() == f"All {most} in the right bin"
    wait_for_python(page, state, f"True 2 {[most - 1, most]}")
    wait_for_python(page, "print(sorted(sort.answer.items()))", sorted((each.id, each.bin) for each in deck.statements))
    # Digits are Lab's keys for headings, letters add and delete cells: none of them got through.
    assert page.evaluate(SOURCES) == before
    assert watched.outside == []


@pytest.mark.slow
def test_python_can_set_the_answer_and_the_exercise_follows(watch, lab, play, deck):
    page = watch(viewport={"width": 1200, "height": 1000}).page(lab)
    page.wait_for_function(KERNEL_IDLE)
    page.evaluate(RUN_ALL)
    player = play(page)
    statement = deck.statements[0]
    assert page.evaluate(ASK, f"sort.answer = {{{statement.id!r}: {statement.bin!r}}}") == ""
    player.root.get_by_role("button", name=statement.text).wait_for()
    assert player.current() == deck.statements[1]
