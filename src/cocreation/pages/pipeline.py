"""The course at a glance: how many items each step leaves, drawn from the decision logs.

``{pipeline}`` draws the band of items, a colour a dimension, with every step a link; on a narrow page it is a list with
bars. Another study's logs draw another picture.
"""

from __future__ import annotations

import itertools
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from ..errors import CourseError
from ..steps.decisions import read_decisions
from .contents import Step, steps

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["items_left", "setup"]

_WIDTH, _MARGIN = 940, 34
_TOP, _LEVEL = 34, 108  # where the theory's steps stand, and where the band begins
_BAND = 150  # height of the band where it holds all items


class pipeline(nodes.General, nodes.Element):
    """Where the picture of all steps stands; drawn when the order of the steps is known."""


class Pipeline(SphinxDirective):
    """``pipeline``: the steps and what each leaves, with a line below each word in ``:said:`` (``slug: words; …``)."""

    option_spec: ClassVar[dict[str, Any]] = {"said": directives.unchanged}
    has_content = False

    def run(self) -> list[nodes.Node]:
        logs = Path(self.env.srcdir) / "notebooks" / "decisions"
        for path in [*sorted(logs.glob("*.csv")), Path(self.env.srcdir) / "datasets" / "item_pool.csv"]:
            self.env.note_dependency(str(path))
        pairs = (pair.partition(":") for pair in self.options.get("said", "").split(";") if pair.strip())
        node = pipeline(said={slug.strip(): words.strip() for slug, _, words in pairs})
        self.set_source_info(node)
        return [node]


def items_left(root: Path, slugs: list[str]) -> dict[str, dict[str, int]]:
    """Return how many items of each dimension are left after each step.

    Parameters
    ----------
    root : Path
        The folder with ``notebooks/decisions`` and ``datasets/item_pool.csv``.
    slugs : list of str
        The steps in their order.

    Returns
    -------
    dict of dicts
        By step, from the first that decides on items: items by dimension, in the order of the pool. A step whose log
        speaks of other things leaves what was there.

    Raises
    ------
    CourseError
        If a file cannot be read, or a log keeps no item.
    """
    path = root / "datasets" / "item_pool.csv"
    if not path.is_file():
        return {}
    pool = pd.read_csv(path, dtype=str).set_index("item")["dimension"]
    order = list(dict.fromkeys(pool))
    found: dict[str, dict[str, int]] = {}
    for slug in slugs:
        log_path = root / "notebooks" / "decisions" / f"{slug}.csv"
        if not log_path.is_file():
            continue
        log = read_decisions(slug, log_path.parent)
        on_items = log[log["subject"].isin(pool.index)]
        if len(on_items):
            kept = pool.loc[on_items.loc[on_items["decision"] == "keep", "subject"]]
            if not len(kept):
                raise CourseError(f"{log_path.name} keeps no item. Run its notebook again.")
            found[slug] = {code: int((kept == code).sum()) for code in order}
        elif found:
            found[slug] = dict(list(found.values())[-1])
    return found


def shares(root: Path, slugs: list[str]) -> dict[str, tuple[float, str]]:
    """Return by step the share of the first items that is left, and their layers as a style sheet takes them."""
    left = items_left(root, slugs)
    most = max((sum(counts.values()) for counts in left.values()), default=1)
    found = {}
    for slug, counts in left.items():
        total, at, stops = sum(counts.values()), 0.0, []
        for number, count in enumerate(counts.values(), start=1):
            stops.append(f"var(--cc-dimension-{number}) {at:.1f}% {(at := at + 100 * count / total):.1f}%")
        found[slug] = (round(total / most, 3), f"linear-gradient({','.join(stops)})")
    return found


def _prepare(app: Sphinx, env: BuildEnvironment) -> list[str]:
    env.cocreation_shares = shares(Path(env.srcdir), [step.slug for step in steps(env)])
    return []


def _draw(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(pipeline)):
        found = steps(app.env)
        left = items_left(Path(app.env.srcdir), [step.slug for step in found])
        links = {step.slug: app.builder.get_relative_uri(docname, step.chapter) for step in found}
        html = _wide(found, left, links, node["said"]) + _narrow(found, left, links, node["said"], app.env)
        node.replace_self(nodes.raw("", f'<div class="cc-pipeline">{html}</div>', format="html"))


def _wide(found: list[Step], left: dict, links: dict[str, str], said: dict[str, str]) -> str:
    """Return the picture: the steps before any item on a line, the others along the band that narrows."""
    before = [step for step in found if step.slug not in left]
    # the last of those before items stand at the head of the band, where it has a decision log of its own
    along = [step for step in found if step.slug in left]
    if not along:
        return ""
    lead_in, theory = (before[-1:], before[:-1]) if len(before) > 1 else ([], before)
    line = lead_in + along
    gap = (_WIDTH - 2 * _MARGIN) / max(1, len(line) - 1)
    x = {step.slug: _MARGIN + i * gap for i, step in enumerate(line)}
    middle = _LEVEL + _BAND / 2 + 24
    parts = [_theory(theory, links, said, x[line[0].slug], middle), _band(along, left, x, middle)]
    if lead_in:
        parts.append(f'<circle class="cc-dot" cx="{x[line[0].slug]:.0f}" cy="{middle:.0f}" r="5"/>')
    for i, step in enumerate(line):
        low = middle + _BAND / 2 + (26 if i % 2 == 0 else 58)
        anchor = "start" if i == 0 else "end" if i == len(line) - 1 else "middle"
        at = x[step.slug] - (_MARGIN - 4 if i == 0 else 4 - _MARGIN if i == len(line) - 1 else 0)
        if step in along:
            parts.append(
                f'<path class="cc-guide" d="M{x[step.slug]:.0f} {middle - _BAND / 2:.0f}V{middle + _BAND / 2:.0f}"/>'
            )
        parts.append(_label(step, links, said, at, low, anchor))
    height = middle + _BAND / 2 + 82
    return (
        f'<svg class="cc-wide" viewBox="0 0 {_WIDTH} {height:.0f}" role="group" aria-label="The steps of the course, '
        f'and how many items each leaves">{"".join(parts)}</svg>'
    )


def _theory(theory: list[Step], links: dict, said: dict, start: float, middle: float) -> str:
    if not theory:
        return ""
    gap = (_WIDTH - 2 * _MARGIN) / max(1, len(theory) - 1) if len(theory) > 1 else 0
    gap = min(gap, 160)
    x = [_MARGIN + i * gap for i in range(len(theory))]
    end = x[-1] + 40
    turn = (
        f'<path class="cc-thread" d="M{x[0]:.0f} {_TOP}H{end:.0f}c36 0 36 44 0 44H{start + 26:.0f}'
        f'c-26 0 -26 10 -26 34V{middle:.0f}"/>'
    )
    dots = "".join(f'<circle class="cc-dot" cx="{at:.0f}" cy="{_TOP}" r="5"/>' for at in x)
    anchors = ["start", *["middle"] * (len(x) - 1)]
    labels = "".join(
        _label(step, links, said, at - (8 if i == 0 else 0), _TOP - 14, anchors[i], below=38)
        for i, (step, at) in enumerate(zip(theory, x, strict=True))
    )
    return turn + dots + labels


def _label(step: Step, links: dict, said: dict, x: float, y: float, anchor: str, below: float = 16) -> str:
    words = said.get(step.slug, "")
    small = f'<text class="cc-said" x="{x:.0f}" y="{y + below:.0f}" text-anchor="{anchor}">{escape(words)}</text>'
    return (
        f'<a href="{links[step.slug]}"><text class="cc-word" x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">'
        f"{step.number} {escape(step.slug)}</text></a>{small if words else ''}"
    )


def _band(along: list[Step], left: dict, x: dict[str, float], middle: float) -> str:
    """Return the layers, a dimension each, as smooth as a river, and the totals where they change."""
    codes = list(left[along[0].slug])
    scale = _BAND / sum(left[along[0].slug].values())
    edges: dict[str, list[float]] = {}
    for step in along:
        counts = left[step.slug]
        top = middle - sum(counts.values()) * scale / 2
        edges[step.slug] = [top + sum(list(counts.values())[:k]) * scale for k in range(len(codes) + 1)]
    parts = []
    for k, code in enumerate(codes):
        upper = [(x[step.slug], edges[step.slug][k]) for step in along]
        lower = [(x[step.slug], edges[step.slug][k + 1]) for step in along][::-1]
        path = f"M{_point(upper[0])}{_curve(upper)}L{_point(lower[0])}{_curve(lower)}Z"
        parts.append(
            f'<path class="cc-layer" style="fill:var(--cc-dimension-{k + 1})" d="{path}">'
            f"<title>{escape(code)}</title></path>"
        )
    last = along[-1].slug
    for k, code in enumerate(codes):
        at = (edges[last][k] + edges[last][k + 1]) / 2
        parts.append(f'<text class="cc-code" x="{x[last] + 6:.0f}" y="{at + 4:.1f}">{escape(code)}</text>')
    before = None
    for step in along:
        total = sum(left[step.slug].values())
        if total != before:
            parts.append(
                f'<text class="cc-total" x="{x[step.slug]:.0f}" y="{edges[step.slug][0] - 8:.0f}" '
                f'text-anchor="middle">{total}</text>'
            )
        before = total
    return "".join(parts)


def _point(at: tuple[float, float]) -> str:
    return f"{at[0]:.1f} {at[1]:.1f}"


def _curve(points: list[tuple[float, float]]) -> str:
    """Return level Bézier curves from the first point to the last."""
    parts = []
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        half = (x0 + x1) / 2
        parts.append(f"C{half:.1f} {y0:.1f} {half:.1f} {y1:.1f} {_point((x1, y1))}")
    return "".join(parts)


def _narrow(found: list[Step], left: dict, links: dict, said: dict, env: BuildEnvironment) -> str:
    most = max((sum(counts.values()) for counts in left.values()), default=1)
    rows = []
    for step in found:
        counts = left.get(step.slug, {})
        bar = "".join(
            f'<i style="width:{100 * n / most:.1f}%;background:var(--cc-dimension-{k})"></i>'
            for k, n in enumerate(counts.values(), start=1)
        )
        total = sum(counts.values())
        told = (
            f'<span class="cc-bar" aria-hidden="true">{bar}</span><span class="cc-sum">{total} items</span>'
            if counts
            else ""
        )
        words = f'<span class="cc-said">{escape(said[step.slug])}</span>' if said.get(step.slug) else ""
        rows.append(
            f'<li><a href="{links[step.slug]}"><span class="cc-number">{step.number}</span> {escape(step.slug)}</a>'
            f"{words}{told}</li>"
        )
    return f'<ol class="cc-narrow">{"".join(rows)}</ol>'


def setup(app: Sphinx) -> None:
    """Register the directive and what it needs to know."""
    app.add_node(pipeline)
    app.add_directive("pipeline", Pipeline)
    app.connect("env-updated", _prepare)
    app.connect("doctree-resolved", _draw)
