"""In a notebook every DataFrame and Series is shown as a table of the house; what is printed is left as it is."""

from __future__ import annotations

from types import SimpleNamespace

import IPython
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter

from cocreation.results import display, house_style

FRAME = pd.DataFrame({"citc": [0.819, -0.448]}, index=pd.Index(["DO01", "DO07"], name="item"))


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would show of a value, after house_style()."""
    formatter = DisplayFormatter()
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(display_formatter=formatter))
    monkeypatch.setattr(display.style, "use", lambda: None)
    house_style()
    return lambda value: formatter.format(value)[0]


def test_frames_and_series_are_shown_as_tables(shown):
    for value in (FRAME, FRAME["citc"]):
        found = shown(value)
        assert found == display.bundle(value)
        assert "−.448" in found["text/html"]
        assert found["text/plain"].splitlines()[-2] == "DO07  -.448"


def test_what_is_no_table_and_what_is_printed_is_left_as_it_is(shown):
    assert shown(0.448) == {"text/plain": "0.448"}
    assert "dataframe" in shown(FRAME.style)["text/html"] or "<style" in shown(FRAME.style)["text/html"]
    assert "0.819" in repr(FRAME)
    assert "0.819" in FRAME.to_string()


def test_a_frame_that_cannot_be_read_is_shown_as_pandas_shows_it(shown, monkeypatch):
    def refuse(value):
        raise ValueError("no")

    monkeypatch.setattr(display, "displayed", refuse)
    found = shown(FRAME)
    assert "-0.448" in found["text/html"]
    assert found["text/plain"] == repr(FRAME)
    assert shown(FRAME["citc"]) == {"text/plain": repr(FRAME["citc"])}


def test_outside_ipython_nothing_is_registered(monkeypatch):
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    monkeypatch.setattr(display.style, "use", lambda: None)
    assert house_style() is None
