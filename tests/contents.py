"""The steps of the course as _toc.yml has them, so that no test keeps a list of its own."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import yaml

ROOT = Path(__file__).resolve().parents[1]


def _steps() -> dict[str, bool]:
    """Return the slugs of both halves of the course in their order, and whether a step has a notebook."""
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    chapters = [chapter for part in parts if part["caption"] in ("Theory", "Scale") for chapter in part["chapters"]]
    return {
        PurePosixPath(chapter["file"]).name: any(
            section["file"].startswith("notebooks/") for section in chapter.get("sections", [])
        )
        for chapter in chapters
    }


CHAPTERS = list(_steps())
WITH_NOTEBOOK = [slug for slug, has_one in _steps().items() if has_one]
