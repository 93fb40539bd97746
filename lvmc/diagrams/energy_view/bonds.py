"""Edges of the energy picture: couplings between neighbours, past other rows, and of a layer with itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from lvmc.diagrams.drawing.colours import lateral_name
from lvmc.diagrams.drawing.picture import Edge, Point
from lvmc.diagrams.drawing.routes import Path, backwards, between, corner, joined, lanes, straight, upright
from lvmc.diagrams.drawing.texts import coupling_text, lateral_text, text_width
from lvmc.diagrams.energy_view.stage import GAP, Stage
from lvmc.graph import Coupling

TURN = 22.0


def near_couplings(stage: Stage) -> Iterator[Edge]:
    """Couplings between neighbours: a line through the fan, the text beside it."""
    for coupling in stage.drawn():
        if stage.is_next(coupling):
            drawn, text = stage.fan(coupling), coupling_text(coupling, stage.graph)
            at = _text_place(stage, coupling, text)
            yield _link(stage, coupling, straight(drawn.centre, drawn.tip), text, at)


def _text_place(stage: Stage, coupling: Coupling, text: str) -> Point:
    """Right of the fan; left of it where another input's fan comes from the right."""
    lower, inputs = stage.plane(coupling.lower), [node.name for node in stage.graph.inputs]
    y = lower.centre[1] + lower.half_height + GAP / 2
    left, right = stage.fan(coupling).extent(y - 9)
    joined_by = {each.lower for each in stage.graph.layer[coupling.upper].couplings} & set(inputs[1:])
    if joined_by and coupling.lower == inputs[0]:
        return (left - 12 - text_width(text) / 2, y)
    return (right + 12 + text_width(text) / 2, y)


def _link(stage: Stage, coupling: Coupling, path: Path, text: str, at: Point) -> Edge:
    colour = stage.colours[coupling.weight]
    return Edge(stage.stands[coupling.lower], coupling.upper, "coupling", path, colour, False, text, at)


def far_couplings(stage: Stage) -> tuple[list[Edge], float]:
    """Couplings that skip rows, in lanes to the right of all layers; and the x where the lanes end."""
    skips = [coupling for coupling in stage.drawn() if not stage.is_next(coupling)]
    texts = [coupling_text(each, stage.graph) for each in skips]
    chosen = lanes([_span(stage, each) for each in skips])
    starts = [_right_end(stage) + 24]
    for lane in range(max(chosen, default=-1) + 1):
        width = max(text_width(text) for text, each in zip(texts, chosen, strict=True) if each == lane)
        starts.append(starts[-1] + width + 22)
    links: list[Edge] = []
    for index, (coupling, text, lane) in enumerate(zip(skips, texts, chosen, strict=True)):
        x, (low, high) = starts[lane], _span(stage, coupling)
        path = _lane_path(stage, coupling, x, sum(each.upper == coupling.upper for each in skips[:index]))
        at = (x + 7 + text_width(text) / 2, _between_rows(stage, (low + high) / 2 + 1))
        links.append(_link(stage, coupling, path, text, at))
    return links, starts[-1]


def _span(stage: Stage, coupling: Coupling) -> tuple[float, float]:
    return (stage.plane(coupling.lower).centre[1], stage.plane(coupling.upper).centre[1])


def _lane_path(stage: Stage, coupling: Coupling, x: float, before: int) -> Path:
    """Out to a lane, up, and in, below the `before` links that arrive there; an input beside others leaves upwards."""
    lower, upper = stage.plane(coupling.lower), stage.plane(coupling.upper)
    end = upper.side(min(0.9, 0.62 + 0.07 * before))
    high = (x, end[1] - TURN)
    arrive = joined(backwards(corner((x - TURN, end[1]), high)), straight((x - TURN, end[1]), end))
    if coupling.lower not in stage.graph.layer and len(stage.graph.inputs) > 1:
        start = lower.back(0.75)
        low = (x, start[1] + GAP)
        return joined(upright(start, low), straight(low, high), arrive)
    start = lower.side(0.12)
    low = (x, start[1] + TURN)
    leave = joined(straight(start, (x - TURN, start[1])), corner((x - TURN, start[1]), low))
    return joined(leave, straight(low, high), arrive)


def _between_rows(stage: Stage, y: float) -> float:
    """The middle of the gap between rows that is nearest to a height."""
    planes = [stage.planes[run.name] for run in stage.rows]
    return min((plane.centre[1] - plane.half_height - GAP / 2 for plane in planes), key=partial(_apart, y))


def _apart(one: float, other: float) -> float:
    return abs(one - other)


def _right_end(stage: Stage) -> float:
    """Where layers, and the texts beside them, end."""
    texts = (
        edge.text_at[0] + text_width(edge.text) / 2 for edge in (*near_couplings(stage), *lateral_couplings(stage))
    )
    return max((*(stage.planes[run.name].right for run in stage.rows), *texts))


def lateral_couplings(stage: Stage) -> Iterator[Edge]:
    """Couplings of a layer to itself: a loop at its right edge."""
    for run in stage.rows:
        if run.layers[0].lateral is None:
            continue
        start, end = stage.planes[run.name].side(0.4), stage.planes[run.name].side(0.5)
        x, y = between(start, end, 0.5)
        loop = (start, (x + 40, y + 24), (x + 32, y - 24), end)
        text = lateral_text(run.layers[0], stage.graph)
        colour = stage.colours[lateral_name(run.name)]
        yield Edge(run.name, run.name, "lateral", loop, colour, False, text, (x + 32 + text_width(text) / 2, y))
