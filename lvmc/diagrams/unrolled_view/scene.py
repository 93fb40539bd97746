"""What the unrolled picture shows of a program, and where: the flow, folded, on its grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lvmc.diagrams.drawing.colours import filter_colours
from lvmc.diagrams.drawing.fold import Run, runs
from lvmc.diagrams.drawing.picture import Point
from lvmc.diagrams.drawing.texts import block_notes, text_width
from lvmc.diagrams.unrolled_view.flow import Flow, State, flow
from lvmc.diagrams.unrolled_view.grid import Blocks, Grid, centre, grid
from lvmc.diagrams.unrolled_view.merge import Merging, columns, merged, merged_status
from lvmc.diagrams.unrolled_view.repeat import Repeat
from lvmc.diagrams.unrolled_view.status import Status, attached, statuses
from lvmc.graph import EnergyGraph
from lvmc.ir import Program

TITLE, NOTE, LINE = 12.0, 8.5, 11.0


@dataclass(frozen=True, slots=True)
class Scene:
    """The flow as it is drawn.

    `titles` are those of the columns; `given` are layers that start from given values; `repeat` tells the passes that
    are drawn once for many.
    """

    graph: EnergyGraph
    flow: Flow
    rows: Mapping[str, Run]
    status: Mapping[State, Status]
    blocks: Blocks
    grid: Grid
    titles: Mapping[int, str]
    colours: Mapping[str, str]
    given: frozenset[str]
    repeat: Repeat | None = None

    def name(self, state: State) -> str:
        """`h2_p1`; an input goes by its own name."""
        number = self.repeat.number(state.pass_) if self.repeat else state.pass_
        return state.block if state.block in self.blocks.inputs else f"{state.block}_p{number}"

    def head_name(self, head: State) -> str:
        """A head's name; with the pass if it reads after several."""
        several = sum(each.block == head.block for each in self.blocks.heads) > 1
        return f"{head.block}_after{head.pass_}" if several else head.block

    def centre(self, state: State) -> Point:
        """Where a state's node is centred."""
        return centre(self.grid, self.blocks, state)


def scene(graph: EnergyGraph, program: Program, fold: bool, repeat: Repeat | None = None) -> Scene:
    """Read a program and lay it out."""
    read = flow(program)
    passes = max((state.pass_ for state in (*read.states, *(head for _, head in read.readings))), default=1)
    status = statuses(graph, read, passes)
    rows = {run.name: run for run in runs(graph, fold)}
    stands = {layer.name: run.name for run in rows.values() for layer in run.layers}
    merging = Merging(stands, columns(max(1, passes), fold))
    drawn = merged(attached(graph, read, status), merging)
    titles = {column.first: repeat.title(column.first) if repeat else column.title for column in merging.columns}
    if any(state.pass_ == 0 and state.block in rows for state in drawn.states):
        titles = {0: "start", **titles}
    inputs = tuple(node.name for node in graph.inputs)
    heads = {head: max(90.0, 24 + text_width(head.block, TITLE)) for _, head in drawn.readings}
    given = frozenset(variable.name for variable in program.variables if variable.kind == "latent")
    blocks = Blocks(inputs, tuple(rows), tuple(titles), *_size(graph, rows), heads, bool(given))
    colours = filter_colours(graph, (message.filter for message in drawn.messages))
    status = merged_status(status, merging)
    return Scene(graph, drawn, rows, status, blocks, grid(drawn, blocks), titles, colours, given, repeat)


def height(notes: int) -> float:
    """Height of a node with a title and some notes."""
    return 23 + LINE * notes


def _size(graph: EnergyGraph, rows: Mapping[str, Run]) -> tuple[float, float]:
    """Width and height that hold the text of every block."""
    titles = [*(run.title for run in rows.values()), *(node.name for node in graph.inputs)]
    notes = [block_notes(node) for node in (*graph.inputs, *graph.layers)]
    wide = max(text_width(note.text, NOTE) for each in notes for note in each)
    return max(84.0, wide + 14, 18 + max(text_width(title, TITLE) for title in titles)), height(max(map(len, notes)))
