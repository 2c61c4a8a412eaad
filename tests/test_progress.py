"""Bars where somebody watches, silence where nobody does, and what is left when long work is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from reference import load

from cocreation import progress
from cocreation.steps.explore import n_factors, number


def _interrupted(monkeypatch, owner, name: str, after: int):
    """Let Ctrl-C be pressed when a generator or function has given ``after`` pieces."""
    original, calls = getattr(owner, name), iter(range(10**6))

    def pieces(*arguments, **options):
        for place, piece in enumerate(original(*arguments, **options)):
            if place == after:
                signal.raise_signal(signal.SIGINT)
            yield piece

    def call(*arguments, **options):
        if next(calls) == after:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, pieces if name == "parallel_eigenvalues" else call)


def test_gather_returns_all_pieces_and_prints_nothing_where_nobody_watches(capfd):
    assert progress.gather("Work", (np.ones(2) for _ in range(3)), 6)[2].tolist() == [1, 1]
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_keeps_what_is_done(ctrl_c):
    def pieces():
        yield [1, 2]
        yield [3, 4]
        signal.raise_signal(signal.SIGINT)
        yield [5, 6]

    assert progress.gather("Work", pieces(), 6, least=4) == [[1, 2], [3, 4]]
    with pytest.raises(KeyboardInterrupt):
        progress.gather("Work", pieces(), 6, least=5)
    with progress.bar(), pytest.raises(KeyboardInterrupt):
        progress.gather("Part of larger work", pieces(), 6)


def test_an_error_is_not_an_interruption():
    def pieces():
        yield [1]
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        progress.gather("Work", pieces(), 2)


def test_what_is_asked_for_decides_whether_bars_show():
    try:
        progress.show(True)
        assert progress.visible()
        progress.show(False)
        assert not progress.visible()
    finally:
        progress.show(None)
    assert not progress.visible()


def test_an_interrupted_parallel_analysis_is_that_of_fewer_draws(ctrl_c, monkeypatch):
    answers = load("hs1939").answers
    whole = n_factors(answers, draws=2000)
    assert whole.draws == 2000
    assert "2000 random" in whole.note
    _interrupted(monkeypatch, number, "parallel_eigenvalues", after=2)
    cut = n_factors(answers, draws=5000)
    assert cut.draws == 2000
    assert "2000 (interrupted; 5000 were asked for) random" in cut.note
    assert "2000" in repr(cut).split("table")[0]
    pd.testing.assert_frame_equal(cut.table, whole.table)


def test_a_parallel_analysis_with_too_little_done_stays_interrupted(ctrl_c, monkeypatch):
    _interrupted(monkeypatch, number, "parallel_eigenvalues", after=0)
    with pytest.raises(KeyboardInterrupt):
        n_factors(load("hs1939").answers)


SLOW_WORK = textwrap.dedent("""
    from cocreation import progress
    progress._PATIENCE = -1  # none at all: the bar opens after the first piece, however quick
    print(len(progress.gather("Counting sheep", ([number] for number in range(4)), 4)), "pieces")
""")


def test_a_terminal_shows_the_bar_and_then_only_the_result():
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    running = subprocess.Popen([sys.executable, "-c", SLOW_WORK], stdin=theirs, stdout=theirs, stderr=theirs,
                               env=environment)  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            read = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not read:
            break
        shown += read
    os.close(ours)
    assert running.wait() == 0
    assert b"Counting sheep" in shown
    # the last thing done to the bar's line is to clear it
    after = shown.rsplit(b"Counting sheep", 1)[1]
    assert b"\x1b[2K" in after
    assert b"4 pieces" in after


def test_a_pipe_gets_the_result_only():
    told = subprocess.run([sys.executable, "-c", SLOW_WORK], capture_output=True, text=True, check=True)
    assert (told.stdout, told.stderr) == ("4 pieces\n", "")


@pytest.mark.parametrize(("watched", "shown"), [(True, True), (False, False)])
def test_a_notebook_shows_a_bar_only_where_a_person_runs_it(watched, shown):
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=300)
    try:
        messages = []
        reply = client.execute_interactive(
            SLOW_WORK, allow_stdin=watched, timeout=300, output_hook=messages.append, stdin_hook=lambda _: None
        )
        assert reply["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    kinds = {message["msg_type"] for message in messages} - {"status", "execute_input"}
    texts = "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
    assert "4 pieces" in texts
    assert ("display_data" in kinds) == shown
    assert shown or kinds == {"stream"}
