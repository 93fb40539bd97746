"""The energy as a picture: stacked planes of units, and the couplings between them."""

from __future__ import annotations

from collections.abc import Iterator

from lvmc.diagrams.drawing.captions import Entry, captions
from lvmc.diagrams.drawing.looks import INK, PURPLE, RED
from lvmc.diagrams.drawing.picture import Edge, Node, Picture, Point, Shape
from lvmc.diagrams.drawing.routes import across, joined, straight
from lvmc.diagrams.drawing.texts import block_notes, head_note, text_width
from lvmc.diagrams.energy_view.bonds import far_couplings, lateral_couplings, near_couplings
from lvmc.diagrams.energy_view.planes import fan_shapes, plane_shapes
from lvmc.diagrams.energy_view.stage import Stage, stage
from lvmc.graph import EnergyGraph, HeadNode, InputNode

NAME_WIDTH, HEAD_HEIGHT = 130.0, 34.0


def energy(graph: EnergyGraph, fold: bool = False) -> Picture:
    """Layers as slanted planes of units with their couplings, after Fig. 2 of the rectified-Gaussian paper.

    Args:
        graph: The energy.
        fold: Draw each run of equal layers as one stack.
    """
    placed = stage(graph, fold)
    far, right = far_couplings(placed)
    heads = tuple(_heads(placed, right))
    edges = (*near_couplings(placed), *far, *lateral_couplings(placed), *_readings(placed, heads, right))
    keys, swatches = captions(_entries(graph), _foot(placed))
    return Picture(graph.name, (*_names(placed), *heads, *keys), edges, (*_shapes(placed), *swatches))


def _shapes(placed: Stage) -> Iterator[Shape]:
    for node in placed.graph.inputs:
        yield from plane_shapes(placed.planes[node.name], "#43586d", "#dfe6ec", "#7d8fa1", 1)
    for run in placed.rows:
        yield from plane_shapes(placed.planes[run.name], "#5b7088", "#f4f7fae6", "#ffffff", min(3, len(run.layers)))
        for coupling in run.layers[0].couplings:
            if placed.is_next(coupling):
                yield from fan_shapes(placed.fan(coupling), placed.colours[coupling.weight])


def _names(placed: Stage) -> Iterator[Node]:
    left = min(plane.left for plane in placed.planes.values()) - 12 - NAME_WIDTH / 2
    for node in placed.graph.inputs:
        yield _input_name(node, placed, left)
    for run in placed.rows:
        notes = block_notes(run.layers[0])
        at = (left, placed.planes[run.name].centre[1])
        yield Node(run.name, "name", run.title, at, (NAME_WIDTH, 18 + 11.0 * len(notes)), notes)


def _input_name(node: InputNode, placed: Stage, left: float) -> Node:
    """Beside the first input, under the others."""
    plane, notes = placed.planes[node.name], block_notes(node)
    alone = len(placed.graph.inputs) == 1
    at = (left, 0.0) if alone else (plane.centre[0], -plane.half_height - 20)
    return Node(node.name, "input", node.name, at, (max(56.0, 20 + text_width(node.name, 12)), 32.0), notes)


def _heads(placed: Stage, right: float) -> Iterator[Node]:
    """Heads to the right, each as high as what it reads, none upon another."""
    free = float("-inf")
    for head in sorted(placed.graph.heads, key=lambda each: _reading_height(placed, each)):
        y = max(_reading_height(placed, head), free)
        free = y + HEAD_HEIGHT + 14
        width = max(90.0, 24 + text_width(head.name, 12))
        yield Node(head.name, "head", head.name, (right + 60 + width / 2, y), (width, HEAD_HEIGHT), (head_note(head),))


def _reading_height(placed: Stage, head: HeadNode) -> float:
    read = _read(placed, head)
    heights = [placed.plane(reading.layer).centre[1] for reading in read.readings]
    return sum(heights) / len(heights)


def _read(placed: Stage, head: HeadNode) -> HeadNode:
    """The head itself, or the one whose output it reads."""
    return next((each for each in placed.graph.heads if each.name == head.source), head)


def _readings(placed: Stage, heads: tuple[Node, ...], right: float) -> Iterator[Edge]:
    nodes = {node.name: node for node in heads}
    for head in placed.graph.heads:
        node = nodes[head.name]
        if head.source:
            below = nodes[head.source]
            path = straight((below.at[0], below.at[1] + HEAD_HEIGHT / 2), (node.at[0], node.at[1] - HEAD_HEIGHT / 2))
            yield Edge(head.source, head.name, "read", path, PURPLE)
        for reading in head.readings:
            start = placed.plane(reading.layer).side(0.94)
            turn, end = (right, start[1]), (node.at[0] - node.size[0] / 2, node.at[1])
            path = joined(straight(start, turn), across(turn, end))
            yield Edge(placed.stands[reading.layer], head.name, "read", path, PURPLE)


def _foot(placed: Stage) -> Point:
    left = min(plane.left for plane in placed.planes.values()) - NAME_WIDTH
    lowest = min(plane.centre[1] - plane.half_height for plane in placed.planes.values())
    return (left, lowest - (52 if len(placed.graph.inputs) > 1 else 30))


def _entries(graph: EnergyGraph) -> Iterator[Entry]:
    if graph.inputs:
        yield Entry("filled units: clamped", INK, "ellipse")
    if any(layer.group for layer in graph.layers):
        yield Entry("red: groups of which at most one unit is nonzero", RED, "polygon")
    if graph.heads:
        yield Entry("purple: heads and what they read", PURPLE, "line")
    for claim in dict.fromkeys(part.claim for part in graph.constraints):
        yield Entry(f"constraint: {claim}; filters between layers are scaled down as far as needed", INK, "line")
