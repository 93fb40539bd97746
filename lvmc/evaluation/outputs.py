"""What lvmc evaluates of all that a model says: outputs of its heads, and the points that outer feedback carries."""

from __future__ import annotations

from dataclasses import dataclass

from lvmc.graph import EnergyGraph
from lvmc.heads import HeadRecord


@dataclass(frozen=True, slots=True)
class Output:
    """What a call gives as `key`, read as the output of a head; without a `record`, as points in pixels."""

    name: str
    key: str
    record: HeadRecord | None


def evaluated_outputs(graph: EnergyGraph) -> tuple[Output, ...]:
    """Heads, but for those that only say how points move; then the states of points."""
    feedback = graph.feedback
    moves = feedback.corrections if feedback else {}
    heads = (Output(head.name, head.outputs[0], head.record) for head in graph.heads if head.name not in moves)
    states = [state for state in feedback.states if not state.is_map] if feedback else []
    return (*heads, *(Output(state.name, state.name, None) for state in states))


def stacked_outputs(graph: EnergyGraph) -> frozenset[str]:
    """Outputs with passes or steps in front: of heads with `at: each`; all, with outer feedback."""
    if graph.feedback is not None:
        return frozenset((*graph.outputs, *(state.name for state in graph.feedback.states)))
    return frozenset(key for head in graph.heads if head.record.at == "each" for key in head.outputs)
