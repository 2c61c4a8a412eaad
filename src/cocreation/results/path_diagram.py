"""A model as a picture: ellipses for factors, boxes for items, arrows with standardized estimates.

The room behind ``Cfa.plot(kind="path")`` and ``Nomological.plot()``. A measurement model
stands as columns – what joins the factors, the factors, their items, a factor behind all
items – a structural one as layers from causes to outcomes. The axes' unit is an inch, so what
fits here fits on the page; nothing depends on colour.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import comb
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from .. import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

_INK, _SOFT, _FILL = "#1b1b1b", "#6d6d6d", "#e4edf6"
_WIDEST = 7.0


class _Node(NamedTuple):
    """A variable's place: centre, half width, half height; ``latent`` ones are ellipses."""

    x: float
    y: float
    w: float
    h: float
    latent: bool

    def edge(self, towards: tuple[float, float]) -> tuple[float, float]:
        """Return where the line from the centre to a point leaves the shape."""
        dx, dy = towards[0] - self.x, towards[1] - self.y
        reach = np.hypot(dx / self.w, dy / self.h) if self.latent else max(abs(dx) / self.w, abs(dy) / self.h)
        scale = 1 / reach
        return self.x + scale * dx, self.y + scale * dy


class _Edge(NamedTuple):
    source: str
    target: str
    std: float
    sure: bool


@dataclass
class _Canvas:
    ax: Axes
    nodes: dict[str, _Node] = field(default_factory=dict)
    labels: list[tuple[float, float]] = field(default_factory=list)
    ways: list[np.ndarray] = field(default_factory=list)

    def node(self, name: str, node: _Node, *, below: str = "") -> None:
        from matplotlib.patches import Ellipse, FancyBboxPatch

        self.nodes[name] = node
        x, y, w, h, latent = node
        if latent:
            shape = Ellipse((x, y), 2 * w, 2 * h, fc=_FILL, ec=_INK, lw=1.2, zorder=3)
        else:
            box = "round,pad=0,rounding_size=0.03"
            shape = FancyBboxPatch((x - w, y - h), 2 * w, 2 * h, boxstyle=box, fc="white", ec=_INK, lw=0.9, zorder=3)
        self.ax.add_patch(shape)
        lines = textwrap.wrap(str(name), max(12, len(str(name)) // 2 + 2)) if latent else [str(name)]
        size = min(9.5 if latent else 8.5, 2 * w * (80 if latent else 100) / max(map(len, lines)), 25 / len(lines))
        lift, words = (0.08 if below else 0.0), "\n".join(lines)
        self.ax.text(x, y + lift, words, ha="center", va="center", fontsize=size, color=_INK, zorder=4)
        if below:
            self.ax.text(x, y - 0.1, below, ha="center", va="center", fontsize=7.5, color=_INK, zorder=4)

    def number(self, at: tuple[float, float], value: float, *, size: float = 8.0) -> None:
        self.labels.append(at)
        box = {"boxstyle": "square,pad=0.12", "fc": "white", "ec": "none"}
        self.ax.text(
            *at, _figure(value), ha="center", va="center", fontsize=size, color=_INK, bbox=box, zorder=5,
            gid="estimate",
        )  # fmt: skip

    def line(self, points: Sequence[tuple[float, float]], *, sure: bool, both: bool = False, soft: bool = False):
        """Draw an arrow along a Bézier curve, dashed if the estimate may be zero; return points along it."""
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        codes = [Path.MOVETO] + [{2: Path.LINETO, 3: Path.CURVE3, 4: Path.CURVE4}[len(points)]] * (len(points) - 1)
        self.ax.add_patch(
            FancyArrowPatch(
                path=Path(points, codes),
                arrowstyle="<|-|>" if both else "-|>",
                mutation_scale=7 if both else 9,
                lw=0.8 if both or soft else 1.0,
                ls="-" if sure else (0, (4, 3)),
                color=_SOFT if both or soft else _INK,
                shrinkA=0,
                shrinkB=0,
                zorder=2,
                gid="covariance" if both else "path",
            )
        )
        self.ways.append(_bezier(points))
        return self.ways[-1]

    def fit(self) -> Axes:
        """Cut the figure to what is drawn."""
        spots = [(n.x + i * n.w, n.y + i * n.h) for n in self.nodes.values() for i in (-1, 1)]
        spots += [(x + i * 0.16, y + i * 0.07) for x, y in self.labels for i in (-1, 1)]
        every = np.concatenate([np.array(spots), *self.ways])
        low, high = every.min(axis=0) - 0.08, every.max(axis=0) + 0.08
        self.ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        self.ax.figure.set_size_inches(high - low)
        return self.ax

    def arc(self, left: str, right: str, std: float, sure: bool, bulge: float) -> None:
        """Join two shapes of a column by a curve that stands off from them by ``bulge``, to the left if negative."""
        a, b = self.nodes[left], self.nodes[right]
        side = np.sign(bulge)
        ends = []
        for node, other in ((a, b), (b, a)):
            # long arcs leave nearer the tip, so that they do not run into the short ones
            angle = np.radians(np.clip(66 - 32 * abs(bulge), 12, 56)) * np.sign(other.y - node.y)
            if node.latent:
                ends.append((node.x + side * node.w * np.cos(angle), node.y + node.h * np.sin(angle)))
            else:
                ends.append((node.x + side * node.w, node.y))
        apex = side * max(a.w, b.w) + a.x + bulge
        reach = [(x + (apex - x) * 4 / 3, y) for x, y in ends]
        self.line([ends[0], *reach, ends[1]], sure=sure, both=True)
        self.number((apex, (ends[0][1] + ends[1][1]) / 2), std, size=7.5)


def _bezier(points: Sequence[tuple[float, float]]) -> np.ndarray:
    t, n = np.linspace(0, 1, 41)[:, None], len(points) - 1
    return sum(comb(n, k) * (1 - t) ** (n - k) * t**k * np.array(point) for k, point in enumerate(points))


def _figure(value: float) -> str:
    """A standardized estimate as papers print it: .83, −.12, 1.04."""
    if not np.isfinite(value):
        return "?"
    text = f"{abs(value):.2f}"
    text = text[1:] if text.startswith("0") else text
    return f"−{text}" if value < 0 and float(text) else text


def draw(parameters: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw a model from its table of parameters.

    Parameters
    ----------
    parameters : DataFrame
        Columns left, op, right, p and std, as :class:`~cocreation.steps.confirm.Cfa` has them;
        of several groups, the first.
    ax : Axes, optional
        Where to draw; by default a figure of the size the model needs.

    Returns
    -------
    Axes
        Its unit is an inch. Dashed: not significant at .05.
    """
    table = parameters
    if "group" in table:
        table = table[table["group"] == table["group"].iloc[0]]
    table = table[table["op"].isin(["=~", "~", "~~"]) & ((table["std"] != 0) | table["se"].notna())]
    latent = list(dict.fromkeys(table.loc[table["op"] == "=~", "left"]))
    edges = {
        op: [
            _Edge(row.left, row.right, row.std, not row.p >= 0.05)
            for row in table[table["op"] == op].itertuples()
            if row.left != row.right
        ]
        for op in ("=~", "~", "~~")
    }
    canvas = _structural(table, edges, latent, ax) if edges["~"] else _measurement(edges, latent, ax)
    drawn = canvas.fit() if ax is None else canvas.ax
    return style.behind(drawn, table[["left", "op", "right", "std", "p"]])


def _axes(ax: Axes | None, width: float, height: float) -> Axes:
    import matplotlib.pyplot as plt

    if ax is None:
        figure = plt.figure(figsize=(width, height), layout="constrained")
        # An engine that does nothing stays; where there is none, saving a figure leaves the one of the settings behind.
        figure.set_layout_engine("none")
        ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.axis("off")
    return ax


def _half_width(names: Iterable[str], low: float, high: float, letter: float) -> float:
    return float(np.clip(letter * max((len(str(name)) for name in names), default=1) + 0.12, low, high)) / 2


def _homes(loadings: list[_Edge]) -> dict[str, str]:
    """Return the factor each item stands beside: of several the one with fewest items, then the larger loading."""
    sizes = pd.Series([edge.source for edge in loadings]).value_counts()
    best: dict[str, tuple[float, float, str]] = {}
    for edge in loadings:
        rank = (sizes[edge.source], -abs(edge.std), edge.source)
        best[edge.target] = min(best.get(edge.target, rank), rank)
    return {item: rank[2] for item, rank in best.items()}


def _measurement(edges: dict[str, list[_Edge]], latent: list[str], ax: Axes | None) -> _Canvas:
    loadings = [edge for edge in edges["=~"] if edge.target not in latent]
    higher = [edge for edge in edges["=~"] if edge.target in latent]
    homes = _homes(loadings)
    factors = [name for name in latent if name in homes.values()]
    above = [name for name in latent if any(edge.source == name for edge in higher) and name not in factors]
    behind = [name for name in latent if name not in factors and name not in above]
    items = [item for name in factors for item in homes if homes[item] == name]
    place = {name: i for i, name in enumerate(factors)}
    arcs = [edge for edge in edges["~~"] if edge.source in place and edge.target in place]
    errors = [edge for edge in edges["~~"] if edge.source in homes and edge.target in homes]

    # the columns from left to right, then the rows from the top
    oval, box = _half_width(latent, 0.8, 1.5, 0.085), _half_width(items, 0.55, 1.9, 0.075)
    span = max((abs(place[edge.source] - place[edge.target]) for edge in arcs), default=0)
    step = min(0.4, 1.7 / max(span, 1))
    left = 0.15 + (0.15 + step * span if span else 0.0) + (2 * oval + 0.9 if above else 0.0)
    right = 0.15 + (2 * oval + 1.1 if behind else 0.0) + (0.65 if errors else 0.0)
    between = float(np.clip(_WIDEST - left - right - 2 * oval - 2 * box, 1.2, 1.9))
    width = left + 2 * oval + between + 2 * box + right
    pitch, gap = 0.27, 0.16
    height = max(len(items) * pitch + (len(factors) - 1) * gap + 0.3, 0.62 * len(factors) + 0.2)
    spread = (height - 0.3 - len(items) * pitch) / max(len(factors) - 1, 1) if len(factors) > 1 else 0.0
    canvas = _Canvas(_axes(ax, width, height))
    y = height - 0.15 - pitch / 2 - (0 if len(factors) > 1 else (height - 0.3 - len(items) * pitch) / 2)
    for name in factors:
        own = [item for item in items if homes[item] == name]
        middle = y - pitch * (len(own) - 1) / 2
        canvas.node(name, _Node(left + oval, middle, oval, min(0.24, 0.12 + 0.06 * len(own)), True))
        for item in own:
            canvas.node(item, _Node(left + 2 * oval + between + box, y, box, 0.105, False))
            y -= pitch
        y -= spread
    for column, x in ((above, oval + 0.15), (behind, width - oval - 0.15)):
        _beside(canvas, column, x, oval, edges["=~"], height)
    _loadings(canvas, loadings, homes, behind)
    for edge in higher:
        source, target = canvas.nodes[edge.source], canvas.nodes[edge.target]
        start, end = source.edge((target.x - target.w, target.y)), (target.x - target.w, target.y)
        canvas.line([start, end], sure=edge.sure)
        canvas.number((start[0] + 0.55 * (end[0] - start[0]), start[1] + 0.55 * (end[1] - start[1])), edge.std)
    for edge in arcs:
        canvas.arc(*edge, bulge=-0.3 - step * (abs(place[edge.source] - place[edge.target]) - 1))
    for edge in errors:
        apart = abs(items.index(edge.source) - items.index(edge.target))
        canvas.arc(*edge, bulge=min(0.24 + 0.06 * apart, 0.5))
    return canvas


def _beside(canvas: _Canvas, names: list[str], x: float, oval: float, loadings: list[_Edge], height: float) -> None:
    """Set factors into a column of their own, each at the middle of what it measures."""
    aims = {}
    for name in names:
        rows = [canvas.nodes[edge.target].y for edge in loadings if edge.source == name and edge.target in canvas.nodes]
        aims[name] = float(np.mean(rows)) if rows else height / 2
    order = sorted(names, key=aims.get, reverse=True)
    if len(order) > 1 and min(aims[a] - aims[b] for a, b in pairwise(order)) < 0.6:
        aims = {name: height * (1 - (i + 0.5) / len(order)) for i, name in enumerate(order)}
    for name in order:
        canvas.node(name, _Node(x, aims[name], oval, 0.26, True))


def _loadings(canvas: _Canvas, loadings: list[_Edge], homes: dict[str, str], behind: list[str]) -> None:
    """Draw arrows to the items, their figures in one column before the boxes so that none covers another."""
    for edge in loadings:
        source, item = canvas.nodes[edge.source], canvas.nodes[edge.target]
        side = 1 if edge.source in behind else -1
        end = (item.x + side * item.w, item.y)
        start, cross = source.edge(end), edge.source not in behind and homes[edge.target] != edge.source
        canvas.line([start, end], sure=edge.sure, soft=cross)
        # a cross-loading's figure keeps clear of the column of the others
        share = (0.75 if cross else 0.34) / np.hypot(end[0] - start[0], end[1] - start[1])
        canvas.number((end[0] + share * (start[0] - end[0]), end[1] + share * (start[1] - end[1])), edge.std, size=7.5)


def _structural(table: pd.DataFrame, edges: dict[str, list[_Edge]], latent: list[str], ax: Axes | None) -> _Canvas:
    """Draw paths among factors and observed variables in layers; their items are left out."""
    paths = [_Edge(edge.target, edge.source, edge.std, edge.sure) for edge in edges["~"]]
    paths += [edge for edge in edges["=~"] if edge.target in latent]
    names = list(dict.fromkeys([name for edge in paths for name in edge[:2]] + latent))
    layers = _layers(names, paths)
    oval = _half_width(names, 0.9, 1.6, 0.085)
    first, last = layers[0], layers[-1]
    joined = [edge for edge in edges["~~"] if edge.source in names and edge.target in names]
    reach = {
        side: max(
            (abs(c.index(e.source) - c.index(e.target)) for e in joined if e.source in c and e.target in c), default=0
        )
        for side, c in (("left", first), ("right", last))
    }
    step = min(0.42, 1.6 / max(*reach.values(), 1))
    room = {side: 0.15 + (0.35 + step * n if n else 0.0) for side, n in reach.items()}
    between = (_WIDEST - sum(room.values()) - 2 * oval * len(layers)) / max(len(layers) - 1, 1)
    between = float(np.clip(between, 0.8, 2.2))
    width = sum(room.values()) + 2 * oval * len(layers) + between * (len(layers) - 1)
    height = max(0.95 * max(map(len, layers)) + 0.1, 1.9 if len(layers) > 2 else 1.0)
    canvas = _Canvas(_axes(ax, width, height))
    own = table[(table["op"] == "~~") & (table["left"] == table["right"])].set_index("left")["std"]
    caused = {edge.target for edge in paths}
    for number, layer in enumerate(layers):
        x = room["left"] + oval + number * (2 * oval + between)
        for i, name in enumerate(layer):
            y = height * (1 - (i + 0.5) / len(layer))
            explained = f"R² = {_figure(1 - own[name])}" if name in caused and name in own.index else ""
            canvas.node(name, _Node(x, y, oval, 0.29, name in latent), below=explained)
    ways = {(edge.source, edge.target) for edge in paths}
    drawn = [
        (edge.std, _path(canvas, edge, bent=(edge.target, edge.source) in ways))
        for edge in sorted(paths, key=lambda edge: _length(canvas, edge))
    ]
    for edge in joined:
        column = next((layer for layer in layers if edge.source in layer and edge.target in layer), None)
        if column is None:
            drawn.append((edge.std, _path(canvas, edge, both=True, bent=True)))
            continue
        apart = abs(column.index(edge.source) - column.index(edge.target)) - 1
        canvas.arc(*edge, bulge=(0.35 + step * apart) * (1 if column is last and len(layers) > 1 else -1))
    for std, way in drawn:
        canvas.number(_roomiest(canvas, way), std)
    return canvas


def _layers(names: list[str], paths: list[_Edge]) -> list[list[str]]:
    """Return the variables in columns, each right of all its causes; a loop is cut where it closes."""
    depth = dict.fromkeys(names, 0)
    for _ in names:
        for edge in paths:
            if edge.source != edge.target and depth[edge.target] <= depth[edge.source] < len(names) - 1:
                depth[edge.target] = depth[edge.source] + 1
    used = sorted(set(depth.values()))
    columns = [[name for name in names if depth[name] == level] for level in used]
    for before, column in pairwise(columns):
        rank = {name: i / len(before) for i, name in enumerate(before)}
        causes = {name: [rank[e.source] for e in paths if e.target == name and e.source in rank] for name in column}
        column.sort(key=lambda name, causes=causes: np.mean(causes[name] or [1]))
    return columns


def _length(canvas: _Canvas, edge: _Edge) -> float:
    return abs(canvas.nodes[edge.target].x - canvas.nodes[edge.source].x)


def _path(canvas: _Canvas, edge: _Edge, *, both: bool = False, bent: bool = False) -> np.ndarray:
    """Draw one path, bent if asked or if something stands in its way; return points along it."""
    a, b = canvas.nodes[edge.source], canvas.nodes[edge.target]
    others = [node for name, node in canvas.nodes.items() if name not in edge[:2]]
    middle, across = ((a.x + b.x) / 2, (a.y + b.y) / 2), (a.y - b.y, b.x - a.x)

    def control(bow: float) -> tuple[float, float]:
        return middle[0] + bow * across[0], middle[1] + bow * across[1]

    def clear(bow: float) -> bool:
        x, y = _bezier([(a.x, a.y), control(bow), (b.x, b.y)]).T
        return all((np.maximum(abs(x - n.x) / (n.w + 0.12), abs(y - n.y) / (n.h + 0.12)) > 1).all() for n in others)

    bows = (0.25, -0.25, 0.4, -0.4, 0.55, -0.55)
    bow = next((size for size in (bows if bent else (0.0, *bows)) if clear(size)), 0.25 if bent else 0.0)
    turn = control(bow)
    points = [a.edge(turn), turn, b.edge(turn)] if bow else [a.edge(turn), b.edge(turn)]
    return canvas.line(points, sure=edge.sure, both=both)


def _roomiest(canvas: _Canvas, way: np.ndarray) -> tuple[float, float]:
    """Return the point of a path farthest from other paths, figures and shapes; the middle if all is clear."""
    inner = way[8:33]
    taken = [np.array(canvas.labels).reshape(-1, 2), np.array([[n.x, n.y] for n in canvas.nodes.values()])]
    taken = np.concatenate([*taken, *(other for other in canvas.ways if other is not way)])
    room = np.hypot(*(inner[:, None, :] - taken[None, :, :]).transpose(2, 0, 1)).min(axis=1)
    off = np.abs(np.arange(len(inner)) - len(inner) // 2)
    return tuple(inner[int(np.argmax(np.minimum(room, 0.35) - 0.004 * off))])
