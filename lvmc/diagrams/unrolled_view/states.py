"""Nodes of the unrolled picture: blocks in every pass, messages, heads, and the columns they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lvmc.diagrams.drawing.looks import GREY, PALE
from lvmc.diagrams.drawing.picture import Node, NodeKind, Note, Shape
from lvmc.diagrams.drawing.texts import block_notes, head_note, text_width
from lvmc.diagrams.unrolled_view.flow import State
from lvmc.diagrams.unrolled_view.grid import CHIP_HEIGHT, ZERO, chip_name, chip_text, chip_width
from lvmc.diagrams.unrolled_view.scene import Scene, height

MARGIN, HEAD_SPACE = 12.0, 16.0


def block_nodes(scene: Scene) -> dict[State, Node]:
    """A node for every input, and for every layer in every pass, computed or not."""
    found: dict[State, Node] = {}
    for node in scene.graph.inputs:
        found[State(node.name, 0)] = _node(scene, State(node.name, 0), "input", block_notes(node))
    for state in sorted(scene.flow.states | set(scene.status)):
        if state.block in scene.rows:
            found[state] = _layer(scene, state)
    return found


def message_nodes(scene: Scene) -> Iterator[Node]:
    """A chip for every message computed, in the colour of its filter, dashed when the filter is transposed."""
    for message in scene.flow.messages:
        size, at = (chip_width(message), CHIP_HEIGHT), scene.grid.chips[message.value]
        colour, section = scene.colours[message.filter], scene.titles[message.target.pass_]
        title = chip_text(message)
        yield Node(chip_name(message), "message", title, at, size, (), colour, message.transposed, section)


def head_nodes(scene: Scene) -> dict[State, Node]:
    """A node for every head at every pass it reads after, about as high as what it reads."""
    records = {head.name: head for head in scene.graph.heads}
    found: dict[State, Node] = {}
    lowest: dict[int, float] = {}
    for head in sorted(scene.blocks.heads, key=lambda each: _reading_height(scene, each)):
        y = max(_reading_height(scene, head), lowest.get(head.pass_, float("-inf")))
        notes = (head_note(records[head.block]), *_when(scene, head))
        lowest[head.pass_] = y + height(len(notes)) + HEAD_SPACE
        size, at = (scene.blocks.heads[head], height(len(notes))), (scene.grid.head_x[head.pass_], y)
        found[head] = Node(scene.head_name(head), "head", head.block, at, size, notes, section="")
    return found


def column_titles(scene: Scene) -> Iterator[Node]:
    """`pass 1 ↑ bottom-up` above each column."""
    for column, title in scene.titles.items():
        at = (scene.grid.x[column], _title_height(scene))
        yield Node(f"title {column}", "title", title, at, (text_width(title, 10.5), 14.0))


def column_bands(scene: Scene) -> Iterator[Shape]:
    """A pale band behind the layers of each column."""
    low, high = (scene.grid.pitch * row for row in (1, len(scene.rows)))
    half, reach = scene.blocks.width / 2 + MARGIN, scene.blocks.height / 2 + MARGIN
    for x in (scene.grid.x[column] for column in scene.titles if column or scene.given):
        corners = ((x - half, low - reach), (x + half, low - reach), (x + half, high + reach), (x - half, high + reach))
        yield Shape("polygon", corners, "#eef1f4", "#fafbfc")


def repeat_frame(scene: Scene, nodes: Iterable[Node]) -> tuple[tuple[Node, ...], tuple[Shape, ...]]:
    """A dashed frame around the passes that repeat, and above it how often."""
    if scene.repeat is None:
        return (), ()
    titles = {title for column, title in scene.titles.items() if 2 <= column <= scene.repeat.last}
    inside = [node for node in nodes if node.section in titles]
    halves = [text_width(title, 10.5) / 2 for title in titles]
    left = min(node.at[0] - node.size[0] / 2 for node in inside) - MARGIN - 4
    right = max(node.at[0] + node.size[0] / 2 for node in inside) + MARGIN + 4
    columns = [x for column, x in scene.grid.x.items() if 2 <= column <= scene.repeat.last]
    left, right = min(left, min(columns) - max(halves)), max(right, max(columns) + max(halves))
    low, high = scene.grid.pitch - scene.blocks.height / 2 - MARGIN - 6, _title_height(scene) + 12
    frame = Shape("polygon", ((left, low), (right, low), (right, high), (left, high)), GREY, "", 1.3, "dashed")
    text = scene.repeat.text
    tall = 16.0 * (1 + text.count("\n"))
    at = ((left + right) / 2, high + 4 + tall / 2)
    return (Node("repeat", "name", text, at, (text_width(text, 13.0), tall)),), (frame,)


def _title_height(scene: Scene) -> float:
    return scene.grid.pitch * len(scene.rows) + scene.blocks.height / 2 + MARGIN + 12


def _layer(scene: Scene, state: State) -> Node:
    layer = scene.rows[state.block].layers[0]
    match scene.status.get(state):
        case None if state.block in scene.given:
            return _node(scene, state, "given", (Note("given"),))
        case None:
            section, at = scene.titles[state.pass_], scene.centre(state)
            return Node(scene.name(state), "zero", "0", at, (ZERO, ZERO), section=section)
        case "same":
            return _node(scene, state, "same", (Note("unchanged"),))
        case "dotted":
            return _node(scene, state, "dotted", (Note("not computed", PALE),))
        case "computed":
            return _node(scene, state, "nms" if layer.group else "layer", block_notes(layer))


def _node(scene: Scene, state: State, kind: NodeKind, notes: tuple[Note, ...]) -> Node:
    title = state.block if kind == "input" else scene.rows[state.block].title
    section = "" if kind == "input" else scene.titles[state.pass_]
    size = (scene.blocks.width, height(len(notes)))
    return Node(scene.name(state), kind, title, scene.centre(state), size, notes, section=section)


def _when(scene: Scene, head: State) -> tuple[Note, ...]:
    """After which pass a head reads, where it does so after several."""
    return (Note(f"after pass {head.pass_}"),) if scene.head_name(head) != head.block else ()


def _reading_height(scene: Scene, head: State) -> float:
    sources = [source for source, reader in scene.flow.readings if reader == head]
    heights = [
        _reading_height(scene, source) if source in scene.blocks.heads else scene.centre(source)[1]
        for source in sources
    ]
    return sum(heights) / len(heights)
