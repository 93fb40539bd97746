"""Edges of the unrolled picture: messages and who takes them in, what is kept, what repeats, what heads read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lvmc.diagrams.drawing.looks import GREY
from lvmc.diagrams.drawing.picture import Edge, Node, Point
from lvmc.diagrams.drawing.routes import Path, across, backwards, corner, joined, straight, upright
from lvmc.diagrams.unrolled_view.flow import Message, State
from lvmc.diagrams.unrolled_view.grid import BESIDE, CHIP_HEIGHT, CLEAR, PORT, chip_name, chip_width, is_vertical
from lvmc.diagrams.unrolled_view.scene import Scene

Nodes = Mapping[State, Node]


def message_edges(scene: Scene, nodes: Nodes) -> Iterator[Edge]:
    """From a sender to its message, and on to every update that takes it in; those of other passes use it again."""
    messages = {message.value: message for message in scene.flow.messages}
    for message in messages.values():
        colour, tail = scene.colours[message.filter], nodes[message.source]
        path = _sending(scene, message, tail)
        yield Edge(tail.name, chip_name(message), "send", path, colour, message.transposed)
    for value, user in scene.flow.uses:
        message, head = messages[value], nodes[user]
        path, kind = _delivering(scene, message, head, user), "deliver" if user == message.target else "cached"
        yield Edge(chip_name(message), head.name, kind, path, scene.colours[message.filter], message.transposed)


def kept_edges(scene: Scene, nodes: Nodes) -> Iterator[Edge]:
    """Winners kept from another pass; in grey, messages inside a folded run from one pass to another."""
    linked = {(message.source, message.target) for message in scene.flow.messages}
    for start, end, link in scene.flow.carries:
        if link == "state" and (start, end) in linked:
            continue
        tail, head = nodes[start], nodes[end]
        if link == "winner":
            yield Edge(tail.name, head.name, "winner", across(_side(tail, 1, -2 * PORT), _side(head, -1, -2 * PORT)))
        else:
            kind = "deliver" if link == "inside" else "cached"
            yield Edge(tail.name, head.name, kind, across(_side(tail, 1), _side(head, -1)), GREY)


def repeat_edges(scene: Scene, nodes: Nodes) -> Iterator[Edge]:
    """From a state to its unchanged copy."""
    for state in (each for each, status in scene.status.items() if status == "same"):
        before = max(each for each in nodes if each.block == state.block and each.pass_ < state.pass_)
        start, end = _side(nodes[before], 1), _side(nodes[state], -1)
        at = ((start[0] + end[0]) / 2, start[1] + 9)
        yield Edge(nodes[before].name, nodes[state].name, "same", straight(start, end), text="=", text_at=at)


def reading_edges(scene: Scene, nodes: Nodes, heads: Nodes) -> Iterator[Edge]:
    """From the states that a head reads to the head, or from the head that it reads, which is below it."""
    for source, head in scene.flow.readings:
        if source in heads:
            below, above = heads[source], heads[head]
            (x, y), (to_x, to_y) = below.at, above.at
            path = straight((x, y + below.size[1] / 2), (to_x, to_y - above.size[1] / 2))
            yield Edge(below.name, above.name, "read", path)
            continue
        path = across(_side(nodes[source], 1), _side(heads[head], -1))
        yield Edge(nodes[source].name, heads[head].name, "read", path)


def _sending(scene: Scene, message: Message, tail: Node) -> Path:
    (x, y), (to_x, to_y) = tail.at, scene.grid.chips[message.value]
    up = 1 if to_y > y else -1
    top, end = (x, y + up * tail.size[1] / 2), (to_x, to_y - up * CHIP_HEIGHT / 2)
    if is_vertical(message, scene.blocks):
        return straight(top, end)
    aside, arrival = message.source.block in scene.blocks.inputs[1:], (to_x - chip_width(message) / 2, to_y)
    if aside and message.value in scene.grid.lanes:
        return upright(top, end)
    if aside:
        turn = (x + CLEAR, scene.grid.pitch - _off(scene))
        return joined(backwards(corner(turn, top)), _past(scene, turn, arrival, message.source, message.target))
    if message.value not in scene.grid.lanes:
        return _past(scene, _side(tail, 1), arrival, message.source, message.target)
    start = _side(tail, 1 if to_x > x else -1, PORT * up)
    turn = (to_x, start[1] + up * scene.grid.pitch / 3)
    return joined(corner(start, turn), straight(turn, end))


def _delivering(scene: Scene, message: Message, head: Node, user: State) -> Path:
    """Straight or round a corner to the message's own update; to another one along the row, clear of the nodes."""
    (x, y), (to_x, to_y) = scene.grid.chips[message.value], head.at
    up, wide = 1 if to_y > y else -1, chip_width(message) / 2
    own, in_lane = user == message.target, message.value in scene.grid.lanes
    if own and is_vertical(message, scene.blocks):
        return straight((x, y + up * CHIP_HEIGHT / 2), (to_x, to_y - up * head.size[1] / 2))
    end = _side(head, -1, -up * PORT if abs(to_y - y) > 1 else 0.0)
    if own and in_lane:
        near = _side(head, 1 if x > to_x else -1, -up * PORT)
        return backwards(corner(near, (x, y + up * CHIP_HEIGHT / 2)))
    if own and x < end[0]:
        return across((x + wide, y), end)
    if x >= end[0]:
        bend = end[0] - 30
        return ((x - wide, y), (bend, y), (bend, end[1]), end)
    if in_lane or is_vertical(message, scene.blocks):
        return _past(scene, (x + wide, y), end, message.target, user)
    turn = (x + wide + CLEAR, scene.centre(message.target)[1] - up * _off(scene))
    return joined(backwards(corner(turn, (x, y - up * CHIP_HEIGHT / 2))), _past(scene, turn, end, message.target, user))


def _past(scene: Scene, start: Point, end: Point, source: State, target: State) -> Path:
    """A curve to another column; what starts left of its column, or skips columns, runs beside the row it goes to."""
    columns = scene.blocks.columns
    first, last = (columns.index(scene.blocks.column(each)) for each in (source, target))
    pieces: list[Path] = []
    if start[0] < scene.grid.x[columns[first]] - scene.blocks.width / 2:
        right = scene.grid.x[columns[first]] + scene.blocks.width / 2 + CLEAR
        pieces, start = [straight(start, (right, start[1]))], (right, start[1])
    if last - first > 1:
        row = scene.centre(target)[1]
        beside = row - _off(scene) if start[1] <= end[1] else row + _off(scene)
        enter = scene.grid.x[columns[first + 1]] - scene.blocks.width / 2 - CLEAR
        leave = scene.grid.x[columns[last - 1]] + scene.blocks.width / 2 + CLEAR
        pieces += [across(start, (enter, beside)), straight((enter, beside), (leave, beside))]
        start = (leave, beside)
    return joined(*pieces, across(start, end))


def _off(scene: Scene) -> float:
    """From a row's middle to where links run clear of its nodes and of the messages between rows."""
    return scene.blocks.height / 2 + BESIDE


def _side(node: Node, side: int, shift: float = 0.0) -> tuple[float, float]:
    """The middle of a node's right (1) or left (−1) edge, shifted upwards."""
    return (node.at[0] + side * node.size[0] / 2, node.at[1] + shift)
