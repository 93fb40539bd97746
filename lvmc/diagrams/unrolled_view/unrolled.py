"""The unrolled net as a picture: layers by passes, one colour a filter, after the rectified-Gaussian paper's Fig. 3."""

from __future__ import annotations

from collections.abc import Iterator

from lvmc.diagrams.drawing.captions import Entry, captions
from lvmc.diagrams.drawing.looks import GREY, PALE, PURPLE, RED
from lvmc.diagrams.drawing.picture import Edge, Node, Picture, Point
from lvmc.diagrams.unrolled_view.links import kept_edges, message_edges, reading_edges, repeat_edges
from lvmc.diagrams.unrolled_view.repeat import Repeat
from lvmc.diagrams.unrolled_view.scene import Scene, scene
from lvmc.diagrams.unrolled_view.states import (
    block_nodes,
    column_bands,
    column_titles,
    head_nodes,
    message_nodes,
    repeat_frame,
)
from lvmc.graph import EnergyGraph
from lvmc.ir import Program


def unrolled(graph: EnergyGraph, program: Program, fold: bool = False, repeat: Repeat | None = None) -> Picture:
    """Layers (rows) by passes (columns): states, the messages between them, cached messages, and heads.

    Args:
        graph: The energy.
        program: Its unrolling, plain or rewritten; layers that it does not compute are dotted.
        fold: Draw runs of equal layers, and the alike passes of a long inference, as one.
        repeat: Which passes of the program stand for many; a frame around them says for how many.
    """
    drawn = scene(graph, program, fold, repeat)
    blocks, heads = block_nodes(drawn), head_nodes(drawn)
    nodes = (*blocks.values(), *message_nodes(drawn), *heads.values())
    edges = (
        *message_edges(drawn, blocks),
        *kept_edges(drawn, blocks),
        *repeat_edges(drawn, blocks),
        *reading_edges(drawn, blocks, heads),
    )
    label, frame = repeat_frame(drawn, nodes)
    keys, swatches = captions(_entries(nodes, edges), _foot(drawn))
    shapes = (*column_bands(drawn), *frame, *swatches)
    return Picture(f"{program.name}_unrolled", (*nodes, *label, *column_titles(drawn), *keys), edges, shapes)


def _entries(nodes: tuple[Node, ...], edges: tuple[Edge, ...]) -> Iterator[Entry]:
    """The key: what occurs in the picture and does not explain itself."""
    kinds, links = {node.kind for node in nodes}, {edge.kind for edge in edges}
    if "send" in links:
        yield Entry("message w ⋆ z; one colour a filter w", GREY)
    if any(edge.colour == GREY for edge in edges):
        yield Entry("grey: messages inside a run of layers", GREY)
    if any(edge.dashed for edge in edges):
        yield Entry("message wᵀ z: the same filter, transposed", GREY, style="dashed")
    if "cached" in links:
        yield Entry("cached message, used again", GREY, "arrow")
    if "nms" in kinds:
        yield Entry("groups of which at most one unit is nonzero (nms)", RED, "polygon")
    if "winner" in links:
        yield Entry("winners of another pass", RED, style="dashed")
    if "head" in kinds:
        yield Entry("heads and what they read", PURPLE)
    if "dotted" in kinds:
        yield Entry("not computed: nothing reads it", PALE, "polygon", "dotted")


def _foot(drawn: Scene) -> Point:
    lowest = drawn.grid.pitch * (0 if drawn.blocks.inputs else 1)
    columns = (drawn.grid.x[column] for column in drawn.blocks.columns)
    left = min((*columns, *(drawn.centre(each)[0] for each in drawn.flow.states)))
    return (left - drawn.blocks.width / 2, lowest - drawn.blocks.height / 2 - 30)
