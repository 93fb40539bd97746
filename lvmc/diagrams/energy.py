"""The energy as a picture: stacked planes of units, and the couplings between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from lvmc.diagrams.captions import Entry, captions
from lvmc.diagrams.colours import filter_colours, lateral_name
from lvmc.diagrams.fold import Run, runs
from lvmc.diagrams.looks import INK, PURPLE, RED
from lvmc.diagrams.picture import Edge, Node, Picture, Point, Shape
from lvmc.diagrams.planes import Fan, Plane, fan, fan_shapes, plane_shapes, units_shown
from lvmc.diagrams.routes import Path, across, backwards, between, corner, joined, lanes, straight, upright
from lvmc.diagrams.texts import block_notes, coupling_text, head_note, lateral_text, text_width
from lvmc.graph import Coupling, EnergyGraph, HeadNode, InputNode

GAP, BESIDE, TURN = 54.0, 46.0, 22.0
NAME_WIDTH, HEAD_HEIGHT = 130.0, 34.0


@dataclass(frozen=True, slots=True)
class _Scene:
    """Where everything stands: a plane for every block drawn, by name, and who stands for each layer."""

    graph: EnergyGraph
    rows: tuple[Run, ...]
    planes: Mapping[str, Plane]
    stands: Mapping[str, str]
    colours: Mapping[str, str]

    @property
    def order(self) -> list[str]:
        """Layers drawn, bottom to top."""
        return [run.name for run in self.rows]


def energy(graph: EnergyGraph, fold: bool = False) -> Picture:
    """Layers as slanted planes of units with their couplings, after Fig. 2 of the rectified-Gaussian paper.

    Args:
        graph: The energy.
        fold: Draw each run of equal layers as one stack.
    """
    rows = runs(graph, fold)
    stands = {layer.name: run.name for run in rows for layer in run.layers} | {each.name: each.name for each in graph.inputs}
    scene = _Scene(graph, rows, _planes(graph, rows), stands, filter_colours(graph))
    links, right = _side_couplings(scene)
    heads = tuple(_heads(scene, right))
    edges = (*_couplings(scene), *links, *_laterals(scene), *_readings(scene, heads, right))
    entries, shapes = captions(_entries(graph), _foot(scene))
    nodes = (*_names(scene), *heads, *entries)
    return Picture(graph.name, nodes, edges, (*_shapes(scene), *shapes))


def _planes(graph: EnergyGraph, rows: tuple[Run, ...]) -> dict[str, Plane]:
    """Inputs side by side, then one layer above the other."""
    largest = max(max(node.size) for node in (*graph.inputs, *graph.layers))
    shown = [units_shown(node.size, largest, None) for node in graph.inputs]
    found: dict[str, Plane] = {}
    x = 0.0
    for node, units in zip(graph.inputs, shown, strict=True):
        x = x - Plane((0.0, 0.0), units).left + BESIDE if found else 0.0
        found[node.name] = Plane((x, 0.0), units)
        x = found[node.name].right
    y = max((plane.half_height for plane in found.values()), default=-GAP)
    for run in rows:
        layer = run.layers[0]
        window = layer.group.window if layer.group else (1, 1)
        units = units_shown(layer.size, largest, layer.group)
        half = Plane((0.0, 0.0), units).half_height
        y += GAP + half
        deep = layer.group is not None and layer.group.channels > 1
        found[run.name] = Plane((0.0, y), units, window, deep)
        y += half
    return found


def _shapes(scene: _Scene) -> Iterator[Shape]:
    for node in scene.graph.inputs:
        yield from plane_shapes(scene.planes[node.name], "#43586d", "#dfe6ec", "#7d8fa1", 1)
    for run in scene.rows:
        yield from plane_shapes(scene.planes[run.name], "#5b7088", "#f4f7fae6", "#ffffff", min(3, len(run.layers)))
        for coupling in run.layers[0].couplings:
            if _is_next(scene, coupling):
                yield from fan_shapes(_fan(scene, coupling), scene.colours[coupling.weight])


def _fan(scene: _Scene, coupling: Coupling) -> Fan:
    lower, upper = scene.planes[scene.stands[coupling.lower]], scene.planes[coupling.upper]
    sides = zip(coupling.kernel, coupling.geometry.dilation, coupling.replicate, strict=True)
    rows, columns = ((dilation * (kernel - 1) + 1) * window for kernel, dilation, window in sides)
    return fan(lower, upper, (rows, columns), coupling.replicate)


def _is_next(scene: _Scene, coupling: Coupling) -> bool:
    """Whether a coupling joins two rows of which one stands on the other."""
    row = scene.order.index(coupling.upper)
    inputs = {node.name for node in scene.graph.inputs}
    return coupling.lower in inputs if row == 0 else scene.stands[coupling.lower] == scene.order[row - 1]


def _drawn(scene: _Scene) -> list[Coupling]:
    return [coupling for run in scene.rows for coupling in run.layers[0].couplings]


def _couplings(scene: _Scene) -> Iterator[Edge]:
    """Couplings between neighbours: a line through the fan, the text beside it."""
    for coupling in _drawn(scene):
        if not _is_next(scene, coupling):
            continue
        lower, drawn = scene.planes[scene.stands[coupling.lower]], _fan(scene, coupling)
        text = coupling_text(coupling, scene.graph)
        y = lower.centre[1] + lower.half_height + GAP / 2
        x = drawn.right_at(y - 9) + 12 + text_width(text) / 2
        yield _link(scene, coupling, straight(drawn.centre, drawn.tip), text, (x, y))


def _link(scene: _Scene, coupling: Coupling, path: Path, text: str, at: Point) -> Edge:
    colour = scene.colours[coupling.weight]
    return Edge(scene.stands[coupling.lower], coupling.upper, "coupling", path, colour, False, text, at)


def _side_couplings(scene: _Scene) -> tuple[list[Edge], float]:
    """Couplings that skip rows, in lanes to the right of all layers; and the x where the lanes end."""
    skips = [coupling for coupling in _drawn(scene) if not _is_next(scene, coupling)]
    texts = [coupling_text(each, scene.graph) for each in skips]
    chosen = lanes([_span(scene, each) for each in skips])
    starts = [max(scene.planes[run.name].right for run in scene.rows) + _lateral_width(scene)]
    for lane in range(max(chosen, default=-1) + 1):
        width = max(text_width(text) for text, each in zip(texts, chosen, strict=True) if each == lane)
        starts.append(starts[-1] + width + 22)
    links: list[Edge] = []
    for index, (coupling, text, lane) in enumerate(zip(skips, texts, chosen, strict=True)):
        x, (low, high) = starts[lane], _span(scene, coupling)
        path = _lane_path(scene, coupling, x, sum(each.upper == coupling.upper for each in skips[:index]))
        at = (x + 7 + text_width(text) / 2, _between_rows(scene, (low + high) / 2))
        links.append(_link(scene, coupling, path, text, at))
    return links, starts[-1]


def _span(scene: _Scene, coupling: Coupling) -> tuple[float, float]:
    return (scene.planes[scene.stands[coupling.lower]].centre[1], scene.planes[coupling.upper].centre[1])


def _lane_path(scene: _Scene, coupling: Coupling, x: float, before: int) -> Path:
    """Out to a lane, up, and in; an input beside others leaves upwards. `before`: links that arrive at the same layer."""
    lower, upper = scene.planes[scene.stands[coupling.lower]], scene.planes[coupling.upper]
    end = upper.side(min(0.9, 0.62 + 0.07 * before))
    high = (x, end[1] - TURN)
    arrive = joined(backwards(corner((x - TURN, end[1]), high)), straight((x - TURN, end[1]), end))
    if coupling.lower not in scene.graph.layer and len(scene.graph.inputs) > 1:
        start = lower.back(0.75)
        low = (x, start[1] + GAP)
        return joined(upright(start, low), straight(low, high), arrive)
    start = lower.side(0.12)
    low = (x, start[1] + TURN)
    leave = joined(straight(start, (x - TURN, start[1])), corner((x - TURN, start[1]), low))
    return joined(leave, straight(low, high), arrive)


def _between_rows(scene: _Scene, y: float) -> float:
    """The middle of the gap between rows that is nearest to a height."""
    planes = [scene.planes[name] for name in scene.order]
    return min((plane.centre[1] - plane.half_height - GAP / 2 for plane in planes), key=partial(_apart, y))


def _apart(one: float, other: float) -> float:
    return abs(one - other)


def _lateral_width(scene: _Scene) -> float:
    texts = [lateral_text(run.layers[0], scene.graph) for run in scene.rows if run.layers[0].lateral]
    return 24 + max((34 + text_width(text) for text in texts), default=0.0)


def _laterals(scene: _Scene) -> Iterator[Edge]:
    """Couplings of a layer to itself: a loop at its right edge."""
    for run in scene.rows:
        if run.layers[0].lateral is None:
            continue
        start, end = scene.planes[run.name].side(0.4), scene.planes[run.name].side(0.5)
        x, y = between(start, end, 0.5)
        loop = (start, (x + 40, y + 24), (x + 32, y - 24), end)
        text = lateral_text(run.layers[0], scene.graph)
        colour = scene.colours[lateral_name(run.name)]
        yield Edge(run.name, run.name, "lateral", loop, colour, False, text, (x + 32 + text_width(text) / 2, y))


def _names(scene: _Scene) -> Iterator[Node]:
    left = min(plane.left for plane in scene.planes.values()) - 12 - NAME_WIDTH / 2
    for node in scene.graph.inputs:
        yield _input_name(node, scene, left)
    for run in scene.rows:
        notes = block_notes(run.layers[0])
        at = (left, scene.planes[run.name].centre[1])
        yield Node(run.name, "name", run.title, at, (NAME_WIDTH, 18 + 11.0 * len(notes)), notes)


def _input_name(node: InputNode, scene: _Scene, left: float) -> Node:
    """Beside the first input, under the others."""
    plane, notes = scene.planes[node.name], block_notes(node)
    alone = len(scene.graph.inputs) == 1
    at = (left, 0.0) if alone else (plane.centre[0], -plane.half_height - 20)
    return Node(node.name, "input", node.name, at, (max(56.0, 20 + text_width(node.name, 12)), 32.0), notes)


def _heads(scene: _Scene, right: float) -> Iterator[Node]:
    """Heads to the right, each as high as what it reads, none upon another."""
    free = float("-inf")
    for head in sorted(scene.graph.heads, key=lambda each: _reading_height(scene, each)):
        y = max(_reading_height(scene, head), free)
        free = y + HEAD_HEIGHT + 14
        width = max(90.0, 24 + text_width(head.name, 12))
        yield Node(head.name, "head", head.name, (right + 60 + width / 2, y), (width, HEAD_HEIGHT), (head_note(head),))


def _reading_height(scene: _Scene, head: HeadNode) -> float:
    heights = [scene.planes[scene.stands[reading.layer]].centre[1] for reading in head.readings]
    return sum(heights) / len(heights)


def _readings(scene: _Scene, heads: tuple[Node, ...], right: float) -> Iterator[Edge]:
    placed = {node.name: node for node in heads}
    for head in scene.graph.heads:
        node = placed[head.name]
        for reading in head.readings:
            start = scene.planes[scene.stands[reading.layer]].side(0.94)
            turn, end = (right, start[1]), (node.at[0] - node.size[0] / 2, node.at[1])
            path = joined(straight(start, turn), across(turn, end))
            yield Edge(scene.stands[reading.layer], head.name, "read", path, PURPLE)


def _foot(scene: _Scene) -> Point:
    left = min(plane.left for plane in scene.planes.values()) - NAME_WIDTH
    lowest = min(plane.centre[1] - plane.half_height for plane in scene.planes.values())
    return (left, lowest - (52 if len(scene.graph.inputs) > 1 else 30))


def _entries(graph: EnergyGraph) -> Iterator[Entry]:
    if graph.inputs:
        yield Entry("filled units: clamped", INK, "ellipse")
    if any(layer.group for layer in graph.layers):
        yield Entry("red: groups of which at most one unit is nonzero", RED, "polygon")
    if graph.heads:
        yield Entry("purple: heads and what they read", PURPLE, "line")
