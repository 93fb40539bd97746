"""Where the unrolled net stands: rows of layers, columns of passes, and room between them for messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lvmc.diagrams.drawing.picture import Point
from lvmc.diagrams.drawing.routes import lanes
from lvmc.diagrams.drawing.texts import text_width
from lvmc.diagrams.unrolled_view.flow import Flow, Message, State

CHIP_FONT, CHIP_HEIGHT, ZERO = 8.5, 15.0, 22.0
GAP, CLEAR, STACK, BETWEEN, BESIDE, PORT = 60.0, 22.0, 18.0, 50.0, 8.0, 9.0


@dataclass(frozen=True, slots=True)
class Blocks:
    """What is drawn: inputs and rows of layers, bottom to top, the pass that heads each column, sizes of nodes."""

    inputs: tuple[str, ...]
    rows: tuple[str, ...]
    columns: tuple[int, ...]
    width: float
    height: float
    heads: Mapping[State, float]
    starts_given: bool = False

    def width_of(self, column: int) -> float:
        """Width of a column's nodes; zeros are small."""
        return self.width if column or self.starts_given else ZERO

    def row(self, block: str) -> int:
        """Row of a block; 0 for inputs."""
        return 0 if block in self.inputs else 1 + self.rows.index(block)

    def column(self, state: State) -> int:
        """Column of a state; an input stands under the first pass."""
        return min(each for each in self.columns if each) if state.block in self.inputs else state.pass_


@dataclass(frozen=True, slots=True)
class Grid:
    """Centres of columns, of the heads beside them, of rows, and of every message's chip; the lane of those in one."""

    x: Mapping[int, float]
    head_x: Mapping[int, float]
    pitch: float
    chips: Mapping[str, Point]
    lanes: Mapping[str, float]


def chip_name(message: Message) -> str:
    """Name of a message's node: its value's, told apart from states, which a message may be (a Gaussian's)."""
    return f"message {message.value}"


def chip_text(message: Message) -> str:
    """`h2.weightᵀ`: the filter as `state_dict` names it; ᵀ when it is used top-down."""
    return message.filter + ("ᵀ" if message.transposed else "")


def chip_width(message: Message) -> float:
    """Width of a message's chip."""
    return text_width(chip_text(message), CHIP_FONT) + 8


def grid(flow: Flow, blocks: Blocks) -> Grid:
    """Centres of everything, from left to right as wide as what each column needs beside it."""
    x: dict[int, float] = {}
    head_x: dict[int, float] = {}
    lane_x: dict[str, float] = {}
    edge = -GAP
    for column in blocks.columns:
        beside, wide = _in_lanes(flow, blocks, column), blocks.width_of(column)
        stack = max((chip_width(each) + CLEAR for each in flow.messages if _arrives(each, blocks, column)), default=0.0)
        offsets, depth = _lane_offsets(beside, wide / 2 + (stack if column % 2 else 0.0))
        left = max(depth - wide / 2, stack) if column % 2 else stack
        x[column] = edge + GAP + left + wide / 2
        lane_x |= {value: x[column] + (-offset if column % 2 else offset) for value, offset in offsets.items()}
        edge = x[column] + (wide / 2 if column % 2 else max(wide / 2, depth))
        heads = [width for head, width in blocks.heads.items() if head.pass_ == column]
        if heads:
            head_x[column] = edge + GAP + max(heads) / 2
            edge = head_x[column] + max(heads) / 2
    placed = Grid(x, head_x, blocks.height + BETWEEN, {}, lane_x)
    return replace(placed, chips=dict(_chips(flow, blocks, placed)))


def _lane_offsets(beside: Sequence[tuple[Message, int]], start: float) -> tuple[dict[str, float], float]:
    """How far from its column's centre each message runs, lanes as wide as their chips; and where the last one ends."""
    offsets: dict[str, float] = {}
    for lane in range(1 + max((lane for _, lane in beside), default=-1)):
        inside = [message for message, each in beside if each == lane]
        wide = max(map(chip_width, inside))
        offsets |= {message.value: start + CLEAR + wide / 2 for message in inside}
        start += CLEAR + wide
    return offsets, start


def centre(placed: Grid, blocks: Blocks, state: State) -> Point:
    """Centre of a state's node; inputs after the first stand to its left."""
    x, y = placed.x[blocks.column(state)], placed.pitch * blocks.row(state.block)
    return (x - blocks.inputs.index(state.block) * (blocks.width + 24), y) if state.block in blocks.inputs else (x, y)


def is_vertical(message: Message, blocks: Blocks) -> bool:
    """Whether a message goes to the next row of its column."""
    near = abs(blocks.row(message.source.block) - blocks.row(message.target.block)) == 1
    return near and _same_column(message, blocks) and message.source.block not in blocks.inputs[1:]


def _same_column(message: Message, blocks: Blocks) -> bool:
    return blocks.column(message.source) == blocks.column(message.target)


def _arrives(message: Message, blocks: Blocks, column: int) -> bool:
    """Whether a message comes to a column from another."""
    return blocks.column(message.target) == column and not _same_column(message, blocks)


def _in_lanes(flow: Flow, blocks: Blocks, column: int) -> list[tuple[Message, int]]:
    """Messages of a column that skip rows, each with its lane."""
    found = [
        each
        for each in flow.messages
        if blocks.column(each.target) == column and _same_column(each, blocks) and not is_vertical(each, blocks)
    ]
    rows = [sorted((blocks.row(each.source.block), blocks.row(each.target.block))) for each in found]
    return list(zip(found, lanes([(float(low), float(high)) for low, high in rows]), strict=True))


def _chips(flow: Flow, blocks: Blocks, placed: Grid) -> Iterator[tuple[str, Point]]:
    """Halfway between neighbours, just off the target's row in a lane, stacked left of a target in another column."""
    beside: dict[tuple[State, float], int] = {}
    level = {each.target for each in flow.messages if each.source.block == each.target.block}
    for message in flow.messages:
        (_, from_y), (x, y) = (centre(placed, blocks, each) for each in (message.source, message.target))
        towards = float((from_y > y) - (from_y < y))
        count = beside[message.target, towards] = beside.get((message.target, towards), -1) + 1
        if is_vertical(message, blocks):
            yield message.value, (x, (from_y + y) / 2)
        elif message.value in placed.lanes:
            off = blocks.height / 2 + BESIDE + 4.0 * (count % 3 - 1)
            yield message.value, (placed.lanes[message.value], y + towards * off)
        else:
            left = x - blocks.width / 2 - CLEAR - chip_width(message) / 2
            first = STACK if message.target in level else PORT
            yield message.value, (left, y + towards * (first + count * STACK))
