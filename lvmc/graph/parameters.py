"""The parameters of layers and shared filters, named and ordered as in `state_dict`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from math import prod, sqrt

from lvmc.graph.records import Coupling, EnergyGraph, LayerNode
from lvmc.ir import Init, TensorType, Variable
from lvmc.schedule import Message
from lvmc.spec import Normal, ParameterInit, Spec
from lvmc.spec.inits import LayerInit

Messages = Mapping[str, Set[Message]]


def shared_parameters(spec: Spec, graph: EnergyGraph) -> Iterator[Variable]:
    """`<filter>.weight` of every shared filter that is used."""
    for name, record in spec.filters.items():
        for layer in graph.layers:
            user = next((coupling for coupling in layer.couplings if coupling.shared == name), None)
            if user is not None:
                shape = _shape(user, layer, graph)
                yield _parameter(user.weight, shape, _init(record.init, prod(shape[1:])))
                break


def layer_parameters(layer: LayerNode, init: LayerInit, graph: EnergyGraph, messages: Messages) -> Iterator[Variable]:
    """A layer's filter, bias, diagonal and lateral filter, then its several filters or its norm."""
    fan_in = sum(prod(_shape(coupling, layer, graph)[1:]) for coupling in layer.couplings)
    filters = [
        _parameter(name, _shape(coupling, layer, graph), _init(init.weight, fan_in))
        for coupling in layer.couplings
        if coupling.shared is None
        for name in weight_names(coupling, graph.untied, messages)
    ]
    several = len(layer.couplings) > 1
    yield from () if several else filters
    if layer.bias:
        yield _parameter(f"{layer.name}.bias", (layer.channels,), _init(init.bias, max(1, fan_in)))
    if layer.diagonal == "learned":
        yield _parameter(f"{layer.name}.diagonal", (layer.channels,), Init("constant", 1.0))
    if layer.lateral is not None:
        kernel = tuple(2 * p + 1 for p in layer.lateral.padding)
        rule = "zeros" if init.weight == "he" else init.weight
        yield _parameter(f"{layer.name}.lateral", (layer.channels, layer.channels, *kernel), _init(rule, 1))
    yield from filters if several else ()
    if layer.norm is not None:
        yield from _norm_parameters(layer, messages)


def weight_names(coupling: Coupling, untied: bool, messages: Messages) -> tuple[str, ...]:
    """State names of a coupling's filter: one, or with `untied` one for each pass it is used in."""
    if not untied:
        return (coupling.weight,)
    up = {m.computed for m in messages[coupling.upper] if m.sender == coupling.lower and m.direction == "bottom"}
    down = {m.computed for m in messages.get(coupling.lower, ()) if m.sender == coupling.upper and m.direction == "top"}
    return tuple(f"{coupling.weight}_p{pass_}" for pass_ in sorted(up | down))


def _norm_parameters(layer: LayerNode, messages: Messages) -> Iterator[Variable]:
    stems = [f"{layer.name}.norm"]
    if layer.norm and layer.norm.kind == "message":
        order = [*(c.lower for c in layer.couplings)]
        heard = sorted(messages[layer.name], key=lambda m: (m.computed, m.direction, m.sender not in order, m.sender))
        stems = [f"{layer.name}.norm.{message.sender}_p{message.computed}" for message in heard]
    for stem in stems:
        yield _parameter(f"{stem}.weight", (layer.channels,), Init("constant", 1.0))
        yield _parameter(f"{stem}.bias", (layer.channels,), Init("constant", 0.0))
        for leaf, start in (("running_mean", 0.0), ("running_var", 1.0)):
            kind = TensorType((layer.channels,), batched=False)
            yield Variable(f"{stem}.{leaf}", kind, "statistic", Init("constant", start))


def _shape(coupling: Coupling, layer: LayerNode, graph: EnergyGraph) -> tuple[int, ...]:
    channels = {node.name: node.channels for node in (*graph.inputs, *graph.layers)}
    return (layer.channels, channels[coupling.lower], *coupling.kernel)


def _parameter(name: str, shape: tuple[int, ...], init: Init) -> Variable:
    return Variable(name, TensorType(shape, batched=False), "parameter", init)


def _init(rule: ParameterInit, fan_in: int) -> Init:
    match rule:
        case "zeros":
            return Init("constant", 0.0)
        case "he":
            return Init("normal", sqrt(2.0 / max(1, fan_in)))
        case Normal():
            return Init("normal", rule.normal)
