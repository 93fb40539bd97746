"""What lvmc judges of all that a model says: the outputs of its heads, and the points that outer feedback carries."""

from __future__ import annotations

from dataclasses import dataclass

from lvmc.graph import EnergyGraph
from lvmc.heads import HeadRecord


@dataclass(frozen=True, slots=True)
class Judged:
    """The output `key`, read as that of a head is; without a `record`, as points in pixels."""

    name: str
    key: str
    record: HeadRecord | None


def judged(graph: EnergyGraph) -> tuple[Judged, ...]:
    """Heads, but for those that only say how points move; then the states of points."""
    feedback = graph.feedback
    moves = feedback.corrections if feedback else {}
    heads = (Judged(head.name, head.outputs[0], head.record) for head in graph.heads if head.name not in moves)
    states = [state for state in feedback.states if not state.is_map] if feedback else []
    return (*heads, *(Judged(state.name, state.name, None) for state in states))


def stacked_outputs(graph: EnergyGraph) -> frozenset[str]:
    """Outputs with passes or steps in front: of heads with `at: each`; all, with outer feedback."""
    if graph.feedback is not None:
        return frozenset((*graph.outputs, *(state.name for state in graph.feedback.states)))
    return frozenset(key for head in graph.heads if head.record.at == "each" for key in head.outputs)
