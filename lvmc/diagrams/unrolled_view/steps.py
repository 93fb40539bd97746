"""Outer feedback in the unrolled picture: one step in a frame, what it carries, and back to the input that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lvmc.diagrams.drawing.looks import GREY
from lvmc.diagrams.drawing.picture import Edge, Node, Note, Picture, Point, Shape
from lvmc.diagrams.drawing.routes import straight
from lvmc.diagrams.drawing.texts import text_width
from lvmc.graph import EnergyGraph
from lvmc.graph.states import FeedbackNode, StateNode

_MARGIN, _DIP = 14.0, 34.0


def one_step(graph: EnergyGraph) -> EnergyGraph:
    """The graph of a single step, its rendered inputs given like the others."""
    inputs = tuple(replace(node, render=None) for node in graph.inputs)
    return replace(graph, inputs=inputs, feedback=None, parameters=graph.step_parameters)


def with_steps(picture: Picture, graph: EnergyGraph) -> Picture:
    """The picture of a step with a frame `× 3 steps` around it, its states, and the way back to the inputs."""
    feedback = graph.feedback
    assert feedback is not None
    inside = [node for node in picture.nodes if node.kind not in ("caption", "title")]
    named = {node.name: node for node in inside}
    states = [_state(state, named[state.change.head]) for state in feedback.states if state.change.head in named]
    moved = [
        replace(node, at=(node.at[0], node.at[1] - _DIP)) if node.kind == "caption" else node for node in picture.nodes
    ]
    frame, label = _frame([*inside, *states, *(n for n in picture.nodes if n.kind == "title")], _title(feedback))
    shapes = tuple(_below(shape, inside) for shape in picture.shapes)
    edges = (*picture.edges, *_edges(graph, feedback, {**named, **{node.name: node for node in states}}))
    return replace(picture, nodes=(*moved, *states, label), edges=edges, shapes=(frame, *shapes))


def _title(feedback: FeedbackNode) -> str:
    many = "step" if feedback.steps == 1 else "steps"
    return f"× {feedback.steps} {many}" + (", each with weights of its own" if feedback.untied else "")


def _state(state: StateNode, head: Node) -> Node:
    """Under the head that changes it."""
    change = f"{'plus' if state.change.how == 'add' else 'becomes'} {state.change.key}"
    notes = (Note("×".join(map(str, state.shape))), Note(change))
    wide = max(head.size[0], 18 + max(text_width(state.name, 12), *(text_width(note.text, 9) for note in notes)))
    return Node(state.name, "given", state.name, (head.at[0], 0.0), (wide, 46.0), notes)


def _edges(graph: EnergyGraph, feedback: FeedbackNode, nodes: dict[str, Node]) -> Iterator[Edge]:
    for state in feedback.states:
        if state.name not in nodes:
            continue
        own, head = nodes[state.name], nodes[state.change.head]
        down = straight((head.at[0], head.at[1] - head.size[1] / 2), (own.at[0], own.at[1] + own.size[1] / 2))
        yield Edge(head.name, own.name, "read", down)
        for node in graph.inputs:
            if node.render is not None and node.render.state == state.name and node.name in nodes:
                yield Edge(own.name, node.name, "read", _back(own, nodes[node.name]), dashed=True)


def _back(state: Node, shown: Node) -> tuple[Point, ...]:
    """Below everything, from the state to the input that shows it in the next step."""
    start = (state.at[0], state.at[1] - state.size[1] / 2)
    end = (shown.at[0], shown.at[1] - shown.size[1] / 2)
    low = min(start[1], end[1]) - _DIP
    return (start, (start[0], low), (end[0], low), end)


def _frame(nodes: Sequence[Node], text: str) -> tuple[Shape, Node]:
    """A dashed frame around the nodes, and above it what is repeated."""
    left = min(node.at[0] - node.size[0] / 2 for node in nodes) - _MARGIN
    right = max(node.at[0] + node.size[0] / 2 for node in nodes) + _MARGIN
    low = min(node.at[1] - node.size[1] / 2 for node in nodes) - _DIP
    high = max(node.at[1] + node.size[1] / 2 for node in nodes) + _MARGIN
    frame = Shape("polygon", ((left, low), (right, low), (right, high), (left, high)), GREY, "", 1.3, "dashed")
    return frame, Node("steps", "name", text, ((left + right) / 2, high + 12), (text_width(text, 13.0), 16.0))


def _below(shape: Shape, inside: Sequence[Node]) -> Shape:
    """Swatches of the captions, which lie under all nodes, moved down with them."""
    lowest = min(node.at[1] - node.size[1] / 2 for node in inside)
    if max(y for _, y in shape.points) >= lowest - 4:
        return shape
    points = tuple((x, y - _DIP) for x, y in shape.points)
    if shape.kind == "ellipse":
        points = (points[0], shape.points[1])
    return replace(shape, points=points)
