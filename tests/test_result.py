"""What a result shows is what its fields hold, rounded for a reader."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from cocreation.steps.result import Result


@dataclass(frozen=True, repr=False)
class Sample(Result):
    p: float
    table: pd.DataFrame
    note: str = "Computed <by hand>."

    title = "A sample"


@pytest.fixture
def sample():
    long = "item DO03 goes with its own dimension and with another at once"
    return Sample(1e-12, pd.DataFrame({"p": [np.nan, 4e-4, 0.0312], "x": [1.0, np.nan, -1e-9], "evidence": long}))


@pytest.mark.parametrize("show", [repr, Result._repr_html_], ids=["terminal", "notebook"])
def test_a_p_value_is_never_shown_as_zero(sample, show):
    shown = show(sample).replace("&lt;", "<")
    assert shown.count("<0.001") == 2
    assert "0.031" in shown
    assert "nan" not in shown.lower()


@pytest.mark.parametrize("show", [repr, Result._repr_html_], ids=["terminal", "notebook"])
def test_evidence_is_shown_to_its_end_and_zero_without_a_sign(sample, show):
    assert "with another at once" in show(sample)
    assert "-0.000" not in show(sample)


def test_a_note_cannot_break_the_page(sample):
    assert "Computed &lt;by hand&gt;." in sample._repr_html_()


def test_a_column_p_of_words_is_left_alone():
    words = Sample(0.5, pd.DataFrame({"p": ["left", "right"]}))
    assert "right" in repr(words)
    assert "0.500" in repr(words)
