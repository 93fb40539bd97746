"""Resolves outer feedback: inputs that show states, heads that change them, and whose weights are a step's own."""

from __future__ import annotations

from dataclasses import replace

from lvmc.graph.records import EnergyGraph, HeadNode, InputNode, LayerNode
from lvmc.graph.states import Change, FeedbackNode, Rendering, StateNode, own_name
from lvmc.ir import Init, Plane, Size, TensorType, Variable
from lvmc.spec import RenderedInput, Spec
from lvmc.spec.feedback import State
from lvmc.spec.inputs import Input


def canvas_of(spec: Spec) -> str | None:
    """The first plain input, whose pixels are those of points; None where there is none."""
    return next((name for name, record in spec.inputs.items() if isinstance(record, Input)), None)


def input_nodes(spec: Spec) -> tuple[InputNode, ...]:
    """Every input; a rendered one of size 0×0 where mistakes hide what it shows."""
    return tuple(
        InputNode(name, record.channels, record.size, record.normalize)
        if isinstance(record, Input)
        else _rendered(name, record, spec)
        for name, record in spec.inputs.items()
    )


def _rendered(name: str, record: RenderedInput, spec: Spec) -> InputNode:
    canvas, state = canvas_of(spec), spec.state.get(record.render)
    whole = _size_of(spec, canvas)
    if canvas is None or state is None:
        return InputNode(name, 1, (0, 0), None)
    how = record.as_ or ("gaussian" if state.points else "map")
    size = (record.size or whole) if state.points else (state.size or whole)
    channels = (state.points or state.channels or 1) + len(record.extra)
    keys = (record.sigma or 1.0, record.truncate, record.scale, record.offset)
    return InputNode(name, channels, size, None, Rendering(record.render, how, canvas, whole, record.extra, *keys))


def _size_of(spec: Spec, canvas: str | None) -> Size:
    record = spec.inputs.get(canvas or "")
    return record.size if isinstance(record, Input) else (0, 0)


def rendered_plane(node: InputNode, exact: bool) -> Plane:
    """The plane of an input that shows a state: that of the canvas, or a whole part of it."""
    rendering = node.render
    assert rendering is not None
    parts = (rendering.whole[0] // node.size[0], rendering.whole[1] // node.size[1])
    return Plane(node.name, node.size, below=rendering.canvas, replicate=parts, exact=exact)


def feedback_of(spec: Spec, inputs: tuple[InputNode, ...]) -> FeedbackNode | None:
    """The outer loop of a spec without mistakes."""
    record = spec.feedback
    if record is None:
        return None
    shown = {node.render.state: node for node in reversed(inputs) if node.render}
    states: list[StateNode] = []
    for name, state in spec.state.items():
        keys = record.update[name]
        head, _, output = (keys.add or keys.set or "").partition(".")
        how = "add" if keys.add else "set"
        change = Change(how, head, output, keys.bound, keys.norm == "each", keys.scale)
        states.append(StateNode(name, _shape(state, shown[name]), shown[name].name, state.init, change))
    extra = dict.fromkeys(each for node in inputs if node.render for each in node.render.extra)
    untied, through = record.tying == "untied", record.gradient == "through"
    return FeedbackNode(tuple(states), tuple(extra), record.steps, untied, through, record.stop)


def _shape(state: State, shown: InputNode) -> tuple[int, ...]:
    return (state.points, 2) if state.points else (state.channels or 1, *shown.size)


def with_steps(graph: EnergyGraph) -> EnergyGraph:
    """The graph with starting values of its states, and with a step's own parameters once for every step."""
    feedback = graph.feedback
    if feedback is None:
        return graph
    starts = tuple(
        Variable(state.start, TensorType(state.shape, batched=False), "statistic", Init("constant", 0.0))
        for state in feedback.states
        if state.start
    )
    if not feedback.untied:
        return replace(graph, parameters=(*graph.parameters, *starts))
    moving = reached(graph)
    stems = (*(f"{name}." for name in moving), *(f"heads.{head.name}." for head in graph.heads if _sees(head, moving)))
    own = tuple(variable for variable in graph.parameters if variable.name.startswith(stems))
    common = (*(variable for variable in graph.parameters if variable not in own), *starts)
    steps = range(1, feedback.steps + 1)
    copies = (replace(variable, name=own_name(variable.name, step)) for step in steps for variable in own)
    return replace(graph, parameters=(*common, *copies), feedback=replace(feedback, own=own, common=common))


def _sees(head: HeadNode, moving: frozenset[str]) -> bool:
    return any(reading.layer in moving for reading in head.readings)


def reached(graph: EnergyGraph) -> frozenset[str]:
    """Layers that the states change: those above the inputs that show them; with two passes or more, below too."""
    found = {node.name for node in graph.inputs if node.render is not None}
    while True:
        more = {layer.name for layer in graph.layers if layer.name not in found and _touches(layer, found, graph)}
        if not more:
            return frozenset(found & graph.layer.keys())
        found |= more


def _touches(layer: LayerNode, found: set[str], graph: EnergyGraph) -> bool:
    below = any(coupling.lower in found for coupling in layer.couplings)
    above = any(coupling.upper in found for coupling in graph.above.get(layer.name, ()))
    return below or (above and graph.passes > 1)
