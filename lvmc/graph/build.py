"""From a spec to its energy graph: names resolved, sizes inferred, every mistake noted with its path."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Literal

from lvmc.graph.checks import check_inference, check_inputs, check_layer, check_limits, check_names
from lvmc.graph.constraint import constraints_of
from lvmc.graph.couplings import UNKNOWN, Below, Scope, dividing, divisors, resolve_couplings, text
from lvmc.graph.feedback import canvas_of, feedback_of, input_nodes, rendered_plane, with_steps
from lvmc.graph.feedback_checks import check_feedback
from lvmc.graph.findings import Findings
from lvmc.graph.landmarks import check_landmarks
from lvmc.graph.parameters import layer_parameters, shared_parameters
from lvmc.graph.records import EnergyGraph, HeadNode, InputNode, LayerNode, block
from lvmc.graph.train_checks import check_rates, check_train
from lvmc.heads import Canvas, HeadRecord, Reading
from lvmc.heads.lift import Lift
from lvmc.ir import Geometry, Group, Plane, Size, Variable
from lvmc.records import nearest, shorten
from lvmc.schedule import Message, schedule
from lvmc.spec import Inference, Layer, Spec
from lvmc.units import UNITS
from lvmc.values import Path

MAX_PARAMETERS = 10**9
MAX_UNITS = 10**9

_INPUT_KEYS = ("size",)
_SIZE_KEYS = ("from", "filter", "stride", "dilation", "padding", "replicate", "size", "nms")


def build(
    spec: Spec, findings: Findings, *, max_parameters: int = MAX_PARAMETERS, max_units: int = MAX_UNITS
) -> EnergyGraph | None:
    """The graph of a spec; None when mistakes (in `findings`) leave none.

    Args:
        spec: A spec whose records are valid each by itself.
        findings: Where mistakes go.
        max_parameters: More parameters than this are a mistake.
        max_units: More latent units than this are a mistake.
    """
    check_names(spec, findings)
    check_inputs(spec, findings)
    check_inference(spec, findings)
    check_feedback(spec, findings)
    inputs = input_nodes(spec)
    scope = Scope(spec, {node.name: _below(node, findings) for node in inputs})
    layers: list[LayerNode] = []
    for name, record in spec.layers.items():
        check_layer(name, record, findings)
        node = _layer(name, record, scope, findings)
        layers.append(node)
        scope.blocks[name] = _below(node, findings)
    canvas = _canvas(spec, scope)
    heads = _heads(spec, scope, canvas, findings)
    check_train(spec, findings)
    if findings.found or findings.unsure:
        return None
    inference = spec.inference
    graph = EnergyGraph(
        spec.name, inputs, tuple(layers), heads, canvas, _planes(inputs, layers, heads), (),
        inference.until.max_passes if inference.until else inference.passes, inference.until,
        inference.gradient == "implicit", inference.tying == "untied", spec.description,
        feedback=feedback_of(spec, inputs),
    )  # fmt: skip
    graph = with_steps(replace(graph, parameters=_parameters(spec, graph)))
    check_rates(spec, graph, findings)
    check_limits(graph, findings, max_parameters, max_units)
    if findings.found:
        return None
    every = tuple(map(_every_channel, graph.layers))
    return replace(graph, layers=every, constraints=constraints_of(inference.constraint, every))


def _below(node: InputNode | LayerNode, findings: Findings) -> Below:
    """The block as the layers above see it; of unknown size where a mistake may have changed that."""
    section, keys = ("inputs", _INPUT_KEYS) if isinstance(node, InputNode) else ("layers", _SIZE_KEYS)
    if node.size == UNKNOWN or any(findings.doubts((section, node.name, key)) for key in keys):
        return Below(node.name, node.channels, UNKNOWN)
    window = node.group.window if isinstance(node, LayerNode) and node.group else (1, 1)
    return Below(node.name, node.channels, node.size, window)


def _layer(name: str, record: Layer, scope: Scope, findings: Findings) -> LayerNode:
    resolved = resolve_couplings(name, record, scope, findings)
    size = _size(name, record, {coupling.lower: size for coupling, size in resolved}, findings)
    circular = record.padding_mode == "circular"
    return LayerNode(
        name=name,
        channels=record.channels,
        size=size,
        kind=record.unit,
        unit=UNITS[record.unit](record.upper),
        couplings=tuple(coupling for coupling, _ in resolved),
        diagonal=_diagonal(record) if UNITS[record.unit].has_diagonal else None,
        bias=record.bias,
        group=_group(name, record, size, findings),
        keeps_first_winner=record.nms is not None and record.nms.winner == "first",
        lateral=_lateral(name, record, size, circular, findings),
        norm=record.norm,
    )


def _size(name: str, record: Layer, sizes: dict[str, Size], findings: Findings) -> Size:
    known = {lower: size for lower, size in sizes.items() if size != UNKNOWN}
    if record.from_ == {}:
        return record.size or UNKNOWN
    if record.size is not None:
        remedy = "leave 'size' out, or write from: none"
        needs = (("layers", name, "from"),)
        findings.add(
            ("layers", name, "size"), f"the size of '{name}' follows from below", remedy, on_key=True, needs=needs
        )
    if len(set(known.values())) > 1:
        each = ", ".join(f"{text(size)} from {lower}" for lower, size in known.items())
        remedy = "choose strides, windows (replicate) or padding so that they agree"
        findings.add(("layers", name, "from"), f"'{name}' gets different sizes: {each}", remedy, needs=_sizes(name))
        return UNKNOWN
    return next(iter(known.values()), UNKNOWN) if len(known) == len(sizes) else UNKNOWN


def _diagonal(record: Layer) -> tuple[float, ...] | Literal["learned"]:
    """d as given: one entry for all channels is spread over them once the model is known not to be too large."""
    return record.diagonal if isinstance(record.diagonal, tuple | str) else (record.diagonal,)


def _every_channel(layer: LayerNode) -> LayerNode:
    if not isinstance(layer.diagonal, tuple) or len(layer.diagonal) == layer.channels:
        return layer
    return replace(layer, diagonal=layer.diagonal * layer.channels)


def _group(name: str, record: Layer, size: Size, findings: Findings) -> Group | None:
    if record.nms is None:
        return None
    group, path = Group(record.nms.channels, *record.nms.window), ("layers", name, "nms")
    if prod(group) == 1:
        remedy = "use a window or channels above 1, or leave 'nms' out"
        findings.add(path, "a group of one unit suppresses nothing", remedy)
    if size != UNKNOWN and (size[0] % group.height or size[1] % group.width):
        fault = f"windows of {text(group.window)} do not divide '{name}', which is {text(size)}"
        findings.add((*path, "window"), fault, dividing(size, group.window), needs=_sizes(name))
        return None
    if record.channels % group.channels:
        fault = f"groups of {group.channels} channels do not divide the {record.channels} channels of '{name}'"
        remedy, needs = f"numbers that do: {divisors(record.channels)}", (("layers", name, "channels"),)
        findings.add((*path, "channels"), fault, remedy, needs=needs)
        return None
    return group if prod(group) > 1 else None


def _lateral(name: str, record: Layer, size: Size, circular: bool, findings: Findings) -> Geometry | None:
    if record.lateral is None:
        return None
    kernel, path = record.lateral.filter, ("layers", name, "lateral", "filter")
    if kernel[0] % 2 == 0 or kernel[1] % 2 == 0:
        odd = shorten((kernel[0] // 2 * 2 + 1, kernel[1] // 2 * 2 + 1))
        findings.add(path, "a lateral filter must be odd, to have a middle", f"write filter: {odd}")
        return None
    if circular and size != UNKNOWN and (kernel[0] > size[0] or kernel[1] > size[1]):
        fault = f"a circular lateral filter larger than '{name}' ({text(size)}) couples units to themselves"
        findings.add(path, fault, "use a smaller filter", needs=_sizes(name))
        return None
    return Geometry(padding=(kernel[0] // 2, kernel[1] // 2), circular=circular)


def _canvas(spec: Spec, scope: Scope) -> Canvas:
    name = canvas_of(spec) or next(iter(spec.inputs), None) or next(iter(spec.layers))
    return Canvas(name, scope.blocks[name].size)


def _heads(spec: Spec, scope: Scope, canvas: Canvas, findings: Findings) -> tuple[HeadNode, ...]:
    heads: list[HeadNode] = []
    for name, record in spec.heads.items():
        path = ("heads", name)
        for layer in record.reads:
            if layer not in spec.layers:
                known = layer in spec.inputs
                fault = f"'{layer}' is an input; heads read layers" if known else f"no layer is named '{layer}'"
                findings.add((*path, "reads", layer), fault, nearest(layer, spec.layers), on_key=True)
        readings = [_reading(scope.blocks[layer]) for layer in record.reads if layer in spec.layers]
        source = record.landmarks if isinstance(record, Lift) else ""
        if isinstance(record, Lift) and (maps := check_landmarks(name, record, spec, findings)):
            readings = [Reading(source, "", maps.channels, canvas.size, (1, 1))]
        _check_at(name, record, spec.inference, findings)
        sized = [reading for reading in readings if reading.size != UNKNOWN]
        for fault in record.faults(sized, canvas):
            needs = tuple((*path, key) for key in ("channels", "reads", *fault.needs))
            findings.add((*path, *fault.path), fault.fault, fault.remedy, on_key=not fault.path, needs=needs)
        heads.append(HeadNode(name, record, () if source else tuple(readings), source))
    return tuple(heads)


def _check_at(name: str, record: HeadRecord, inference: Inference, findings: Findings) -> None:
    path, at = ("heads", name, "at"), record.at
    for key, given, why in (
        ("until", inference.until is not None, "how many passes there are shows only when it runs"),
        ("gradient", inference.gradient == "implicit", "gradients go through the last state alone"),
    ):
        if given and at != "last":
            shown = "gradient: implicit" if key == "gradient" else key
            fault = f"with '{shown}', {why}, so '{name}' cannot read at {at}"
            findings.add(path, fault, "write at: last, or leave it out", needs=(("inference", key),))
            return
    if isinstance(at, int) and at > inference.passes:
        fault = f"there is no pass {at}: the model runs {inference.passes}"
        remedy = f"passes count from 1 to {inference.passes}; or write last or each"
        findings.add(path, fault, remedy, needs=(("inference", "passes"),))


def _sizes(name: str) -> tuple[Path, ...]:
    return tuple(("layers", name, key) for key in _SIZE_KEYS)


def _reading(block: Below) -> Reading:
    size = (block.size[0] // block.window[0], block.size[1] // block.window[1])
    return Reading(block.name, "", block.channels, size, block.window)


def _planes(inputs: tuple[InputNode, ...], layers: list[LayerNode], heads: tuple[HeadNode, ...]) -> tuple[Plane, ...]:
    exact = {reading.layer for head in heads for reading in head.readings if head.record.reads_whole(reading.layer)}
    exact |= {coupling.lower for layer in layers for coupling in layer.couplings if coupling.full}
    planes = [Plane(node.name, node.size, exact=node.name in exact) for node in inputs if node.render is None]
    planes += [rendered_plane(node, node.name in exact) for node in inputs if node.render is not None]
    for layer in layers:
        window = layer.group.window if layer.group else (1, 1)
        plane = Plane(layer.name, layer.size, window=window, exact=layer.name in exact, fixed=not layer.couplings)
        if layer.couplings:
            first = layer.couplings[0]
            plane = replace(
                plane, below=first.lower, replicate=first.replicate, kernel=first.kernel, geometry=first.geometry
            )
        planes.append(plane)
    return tuple(planes)


def _parameters(spec: Spec, graph: EnergyGraph) -> tuple[Variable, ...]:
    """In file order: shared filters, layers, heads."""
    blocks = [block(layer, graph.above.get(layer.name, ())) for layer in graph.layers]
    messages: dict[str, set[Message]] = {layer.name: set() for layer in graph.layers}
    for update in schedule(blocks, graph.passes) if graph.why_no_energy else ():
        messages[update.layer] |= {message for message in update.messages if message.computed}
    found = list(shared_parameters(spec, graph))
    for layer in graph.layers:
        found += layer_parameters(layer, spec.layers[layer.name].init, graph, messages)
    for head in graph.heads:
        found += head.record.parameters(head.name, head.readings)
    return tuple(found)
