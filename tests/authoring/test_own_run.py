"""The book's own run of its notebooks against what is stored in them."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import jupyter_cache
import nbformat
import pytest

from cocreation.authoring import build, notebooks

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.book
@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="outputs are stored on Linux x86-64; elsewhere the last bits of a picture may differ",
)
def test_the_books_own_run_gives_the_stored_outputs_byte_for_byte():
    """Figures too, which nbval does not compare. The book ran them; where it has not been built, they run now."""
    cache = jupyter_cache.get_cache(build.run_notebooks(ROOT, patience=600))
    paths = build.book_notebooks(ROOT)
    assert len(paths) >= 10
    for path in paths:
        stored = nbformat.read(path, as_version=4)
        _, ran = cache.merge_match_into_notebook(nbformat.from_dict(stored))
        differing = [
            "".join(one.source)
            for one, other in zip(notebooks.normalise(ran).cells, stored.cells, strict=True)
            if one.get("outputs") != other.get("outputs")
        ]
        assert not differing, f"{path.name}: run nox -s notebooks -- {path.relative_to(ROOT)}"
