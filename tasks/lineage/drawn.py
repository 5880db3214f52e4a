"""A lineage as a picture: layers from top to bottom, drawn as SVG in the colours of the page.

Each node lies one layer below the lowest that leads to it. An edge over several layers is led
through a lane in each of them, so that it passes beside the nodes and not behind them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from statistics import mean

from tasks.lineage.graph import Lineage, Node

NODE_WIDTH = 200
LANE_WIDTH = 26
LINE_HEIGHT = 17
TITLE_HEIGHT = 21
PADDING = 10
GAP_X = 22
GAP_Y = 44
MARGIN = 8
ORDERINGS = 4  # times that layers are put in the order of what leads to them, and what they lead to
MOST_CHARS = 25  # of a line in a node


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node or a lane lies, in the picture's units."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Its centre, from the left."""
        return self.x + self.width / 2


Place = tuple[str, int]  # key and layer; a lane has the key of its edge


def svg_of(lineage: Lineage) -> str:
    """Return the picture as one `svg` element; same lineage, same text."""
    layers = _layers(lineage)
    routes = {edge: _route(edge, layers) for edge in lineage.edges}
    rows = _ordered(lineage, layers, routes)
    boxes = _boxes(lineage, rows)
    width = max(box.x + box.width for box in boxes.values()) + MARGIN
    height = max(box.y + box.height for box in boxes.values()) + MARGIN
    parts = [
        f'<svg class="lineage" role="img" aria-label="from sources to the dataset" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">',
        *(_edge([boxes[place] for place in routes[edge]]) for edge in lineage.edges),
        *(_node(node, boxes[node.key, layers[node.key]]) for node in lineage.nodes),
        "</svg>",
    ]
    return "\n".join(parts)


def _layers(lineage: Lineage) -> dict[str, int]:
    """Return each node's layer: the longest way to it."""
    layers = {node.key: 0 for node in lineage.nodes}
    for _ in lineage.nodes:
        for start, end in lineage.edges:
            layers[end] = max(layers[end], layers[start] + 1)
    return layers


def _route(edge: tuple[str, str], layers: Mapping[str, int]) -> list[Place]:
    """Return the places that an edge passes: its ends, and a lane in each layer between."""
    start, end = edge
    between = range(layers[start] + 1, layers[end])
    lanes = [(f"{start} > {end}", layer) for layer in between]
    return [(start, layers[start]), *lanes, (end, layers[end])]


def _ordered(
    lineage: Lineage, layers: Mapping[str, int], routes: Mapping[tuple[str, str], list[Place]]
) -> list[list[Place]]:
    """Return the places of each layer from left to right, with few edges that cross."""
    places = dict.fromkeys((node.key, layers[node.key]) for node in lineage.nodes)
    places |= dict.fromkeys(place for route in routes.values() for place in route)
    rows: list[list[Place]] = [[] for _ in range(max(layers.values()) + 1)]
    for place in places:
        rows[place[1]].append(place)
    steps = {step for route in routes.values() for step in pairwise(route)}
    for turn in range(ORDERINGS):
        forward = turn % 2 == 0
        order = range(1, len(rows)) if forward else range(len(rows) - 2, -1, -1)
        for layer in order:
            other = rows[layer - 1 if forward else layer + 1]
            pairs = steps if forward else {(end, start) for start, end in steps}
            rows[layer].sort(key=_Towards(other, pairs, rows[layer]))
    return rows


class _Towards:
    """Says where in its layer a place should lie: in the middle of what it is joined to."""

    def __init__(
        self, other: Sequence[Place], pairs: set[tuple[Place, Place]], own: Sequence[Place]
    ) -> None:
        self._other = {place: (at + 0.5) / len(other) for at, place in enumerate(other)}
        self._own = {place: (at + 0.5) / len(own) for at, place in enumerate(own)}
        self._joined: dict[Place, list[float]] = {}
        for start, end in pairs:
            if start in self._other:
                self._joined.setdefault(end, []).append(self._other[start])

    def __call__(self, place: Place) -> float:
        joined = self._joined.get(place)
        return mean(sorted(joined)) if joined else self._own[place]


def _boxes(lineage: Lineage, rows: Sequence[Sequence[Place]]) -> dict[Place, Box]:
    nodes = {node.key: node for node in lineage.nodes}
    widths = [
        sum(NODE_WIDTH if key in nodes else LANE_WIDTH for key, _ in row) + GAP_X * (len(row) - 1)
        for row in rows
    ]
    boxes: dict[Place, Box] = {}
    top = float(MARGIN)
    for row, width in zip(rows, widths, strict=True):
        left = MARGIN + (max(widths) - width) / 2
        height = max(_height(nodes[key]) for key, _ in row if key in nodes)
        for key, layer in row:
            wide = NODE_WIDTH if key in nodes else LANE_WIDTH
            boxes[key, layer] = Box(left, top, wide, height)
            left += wide + GAP_X
        top += height + GAP_Y
    return boxes


def _height(node: Node) -> float:
    return 2 * PADDING + TITLE_HEIGHT + LINE_HEIGHT * len(node.lines)


def _edge(boxes: Sequence[Box]) -> str:
    """Return a smooth line from the bottom of the first box to the top of the last."""
    first, *between, last = boxes
    path = [f"M{first.middle:.1f} {first.y + first.height:.1f}"]
    x, y = first.middle, first.y + first.height
    for box in (*between, last):
        half = (y + box.y) / 2
        path.append(f"C{x:.1f} {half:.1f} {box.middle:.1f} {half:.1f} {box.middle:.1f} {box.y:.1f}")
        x, y = box.middle, box.y
        if box is not last:
            y = box.y + box.height
            path.append(f"V{y:.1f}")
    return f'<path class="edge" d="{" ".join(path)}"/>'


def _node(node: Node, box: Box) -> str:
    left, top = box.x + PADDING + 2, box.y + PADDING
    texts = [f'<text class="title" x="{left:.1f}" y="{top + 14:.1f}">{_fitting(node.title)}</text>']
    for at, line in enumerate(node.lines):
        y = top + TITLE_HEIGHT + LINE_HEIGHT * (at + 0.75)
        texts.append(f'<text x="{left:.1f}" y="{y:.1f}">{_fitting(line)}</text>')
    changed = " changed" * node.changed
    told = f"<title>{escape(' · '.join((node.title, *node.lines)))}</title>"
    rectangle = (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        'rx="9"/>'
    )
    return f'<g class="node {node.kind}{changed}">{told}{rectangle}{"".join(texts)}</g>'


def _fitting(text: str) -> str:
    """Return a text cut to the width of a node, for SVG."""
    return escape(text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS - 1]}…")
