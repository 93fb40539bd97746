"""Programs at a given state: what its heads read, how far it is from a fixed point, and gradients through one.

Where z is a fixed point, every unit with slope s = ∂z/∂a ≠ 0 has a = d z (Boltzmann: z = sigmoid(a)). So a change of
parameters that changes the drives by δa moves z by δz = s (δa + W δz), and a loss with gradient g has the gradient λ
with respect to the drives, λ = s (g + W λ): the same equation with linear units, g as bias and no inputs, which the
same passes solve (W is symmetric). Source: the implicit function theorem, as in deep equilibrium models (Bai 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from lvmc.graph import EnergyGraph, InputNode, LayerNode
from lvmc.graph.energy import add_score
from lvmc.graph.terms import norm_diagonal
from lvmc.ir import Builder, Origin, Program, TensorType, Variable
from lvmc.ir.naming import tidy
from lvmc.ir.ops import Add, DivChannel, Largest, LargestChange, MinusDiagonal, Select, Times, Zeros
from lvmc.ir.rolled import Rolled, state_name
from lvmc.rewrites import rewrite
from lvmc.rewrites.share_equal_values import share_equal_values
from lvmc.roll import roll_watched, sample_passes
from lvmc.units import Unit
from lvmc.unroll import Clamp, Unroller, unroll

_ORIGIN = Origin("state", 0, "score")


@dataclass(frozen=True, slots=True)
class Adjoint:
    """Programs of the gradient through a fixed point.

    `excess`: a − d z of every layer, differentiable in parameters and inputs (without d z where d is a constant).
    `slopes`: that of every unit. `loop` and `residual`: the passes for λ, from `<layer>_cotangent` and `<layer>_slope`.
    """

    excess: Program
    slopes: Program
    loop: Rolled
    residual: Program


def _at_state(graph: EnergyGraph, passes: int, clamp: Clamp, start: bool) -> tuple[Unroller, tuple[Variable, ...]]:
    """An unroller whose state is given, under the names of `Unroller.entries`; what its program is given."""
    at = Unroller(graph, passes, dict(clamp), start)
    entries = [
        Variable(state_name(node.name), TensorType((node.channels, *node.size)), "state") for node in graph.inputs
    ]
    for layer in graph.layers:
        kind = TensorType((layer.channels, *layer.size))
        entries.append(Variable(state_name(layer.name), kind, "state"))
        if layer.norm is not None:
            kind_of_moments = TensorType((2, layer.channels), False)
            entries.append(Variable(state_name(f"{layer.name}_moments"), kind_of_moments, "state"))
        if layer.keeps_first_winner and layer.group is not None:
            winner = replace(kind, mask=True, places=layer.group.units)
            entries.append(Variable(state_name(f"{layer.name}_winner"), winner, "state"))
    variables = (*entries, *at.variables())
    at.build = Builder(variables)
    at.state = {node.name: state_name(node.name) for node in (*graph.inputs, *graph.layers)}
    at.derive()
    for layer in graph.layers:
        if layer.norm is not None:
            moments = state_name(f"{layer.name}_moments")
            at.diagonals[layer.name] = norm_diagonal(at.build, layer, moments, _ORIGIN)
        if layer.keeps_first_winner:
            at.winners[layer.name] = state_name(f"{layer.name}_winner")
    return at, variables


def _finished(at: Unroller, name: str, variables: tuple[Variable, ...], outputs: Mapping[str, str]) -> Program:
    """What an unroller has written, as a rewritten program."""
    graph = at.graph
    equations = at.build.equations()
    program = Program(f"{graph.name}.{name}", variables, graph.planes, equations, tuple(outputs.items()))
    return tidy(rewrite(program))


def bindings(clamp: Clamp) -> dict[str, str]:
    """Which entries of the state the given values of clamped layers are, in the programs of this module."""
    masked = [layer for layer, how in clamp.items() if how == "mask"]
    return {layer: f"{layer}_given" for layer in masked} | {f"{layer}_mask": f"{layer}_mask" for layer in masked}


def looped(graph: EnergyGraph, clamp: Clamp, start: bool, optimize: bool = True) -> Rolled:
    """The passes as a loop whose state holds every layer after every pass.

    Rewrites may make the second pass unlike the fourth, where much of the first is known to be zero: then fewer of
    them are applied.
    """
    sample = unroll(graph, sample_passes(0), clamp, start, watch=True)
    improvements = (rewrite, share_equal_values) if optimize else (share_equal_values,)
    for improve in improvements:
        loop = roll_watched(improve(sample))
        if loop is not None:
            return loop
    loop = roll_watched(sample)
    assert loop is not None, f"the passes of {graph.name} do not repeat"
    return loop


def reading(graph: EnergyGraph, clamp: Clamp, start: bool) -> Program:
    """The heads, read off a given state."""
    at, variables = _at_state(graph, graph.passes, clamp, start)
    at.read(graph.passes)
    return _finished(at, "reading", variables, dict(at.outputs()))


def layers_of(graph: EnergyGraph, clamp: Clamp, start: bool) -> Program:
    """The layers of a given state."""
    at, variables = _at_state(graph, graph.passes, clamp, start)
    return _finished(at, "layers", variables, {layer.name: at.state[layer.name] for layer in graph.layers})


def residual(graph: EnergyGraph, clamp: Clamp, start: bool) -> Program:
    """Largest |z − update(z)| of each sample, all layers updated from the same given state."""
    at, variables = _at_state(graph, 1, clamp, start)
    return _finished(at, "residual", variables, {"residual": _residual(at, {})})


def measured(graph: EnergyGraph, clamp: Clamp, start: bool) -> Program:
    """`score`, `objective` and `residual` of a given state, and as `<layer>@next` each layer, were it updated now."""
    at, variables = _at_state(graph, 1, clamp, start)
    score, objective = add_score(at.build, graph, at.state)
    wanted: dict[str, str] = {}
    outputs = {"score": score, "objective": objective, "residual": _residual(at, wanted)}
    return _finished(at, "measured", variables, outputs | {f"{name}@next": value for name, value in wanted.items()})


def _residual(at: Unroller, wanted: dict[str, str]) -> str:
    """Largest |z − update(z)|; notes in `wanted` what each layer would be."""
    changes: list[str] = []
    for update in at.updates():
        if at.clamp.get(update.layer) != "all":
            here, name = at.state[update.layer], f"{update.layer}_change"
            wanted[update.layer] = at.update(update)
            changes.append(at.build.add(LargestChange(), wanted[update.layer], here, name=name, origin=_ORIGIN))
    if not changes:
        first = at.state[at.graph.layers[0].name]
        changes = [at.build.add(LargestChange(), first, first, name="no_change", origin=_ORIGIN)]
    return at.build.add(Largest(), *changes, name="residual", origin=_ORIGIN)


def adjoint(graph: EnergyGraph, clamp: Clamp, start: bool) -> Adjoint:
    """The gradient through a fixed point of the graph's passes."""
    linear = _linear(graph, clamp)
    return Adjoint(
        _excess(graph, clamp, start),
        slopes(graph, clamp, start),
        looped(linear, {}, start=False),
        residual(linear, {}, start=False),
    )


def _excess(graph: EnergyGraph, clamp: Clamp, start: bool) -> Program:
    at, variables = _at_state(graph, 1, clamp, start)
    outputs: dict[str, str] = {}
    for update in at.updates():
        layer = graph.layer[update.layer]
        if clamp.get(layer.name) == "all":
            continue
        value = at.drive(layer, update)
        if layer.diagonal == "learned":
            here, diagonal = at.state[layer.name], at.diagonals[layer.name][0]
            own = at.build.add(MinusDiagonal(), here, diagonal, name=f"{layer.name}_self", origin=_ORIGIN)
            value = at.build.add(Add(), value, own, name=f"{layer.name}_excess", origin=_ORIGIN)
        outputs[layer.name] = value
    return _finished(at, "excess", variables, outputs)


def slopes(graph: EnergyGraph, clamp: Clamp, start: bool) -> Program:
    """∂z/∂a · d (Boltzmann: ∂z/∂a) of every unit of the layers that move, at a given state."""
    at, variables = _at_state(graph, 1, clamp, start)
    outputs: dict[str, str] = {}
    for layer in graph.layers:
        how, name = clamp.get(layer.name), f"{layer.name}_slope"
        if how == "all":
            continue
        slope = layer.unit.slope(at.build, at.state[layer.name], layer.group is not None, name, _ORIGIN)
        if how == "mask":
            shape = (layer.channels, *layer.size)
            zero = at.build.add(Zeros(shape, layer.name), name=f"{layer.name}_fixed", origin=_ORIGIN)
            slope = at.build.add(Select(), f"{layer.name}_mask", zero, slope, name=name, origin=_ORIGIN)
        outputs[layer.name] = slope
    return _finished(at, "slopes", variables, outputs)


@dataclass(frozen=True, slots=True)
class _Linear(Unit):
    """λ = s (a + g) / d: the linear response of a unit with slope s to its drive and a cotangent g."""

    has_diagonal: ClassVar[bool] = True
    takes_upper: ClassVar[bool] = False
    mean_field: ClassVar[bool] = False

    def value(self, build: Builder, drive: str, diagonal: str, name: str, origin: Origin) -> str:
        layer = origin.layer
        total = build.add(Add(), drive, f"{layer}_cotangent", name=f"{name}_total", origin=origin)
        if diagonal:
            total = build.add(DivChannel(), total, diagonal, name=f"{name}_ratio", origin=origin)
        return build.add(Times(), total, f"{layer}_slope", name=name, origin=origin)

    def wins_by_drive(self, uniform: bool) -> bool:
        return True

    def project(self, build: Builder, given: str, name: str, origin: Origin) -> str:
        return given

    def slope(self, build: Builder, value: str, grouped: bool, name: str, origin: Origin) -> str:
        raise NotImplementedError


def _linear(graph: EnergyGraph, clamp: Clamp) -> EnergyGraph:
    """The graph with linear units, driven by cotangents alone; layers given as a whole do not move."""
    moving = [layer for layer in graph.layers if clamp.get(layer.name) != "all"]
    names = {layer.name for layer in moving}
    inputs = [
        InputNode(f"{layer.name}_{what}", layer.channels, layer.size, None)
        for layer in moving
        for what in ("cotangent", "slope")
    ]
    return replace(
        graph,
        name=f"{graph.name}.adjoint",
        inputs=tuple(inputs),
        layers=tuple(_unbiased(layer, names) for layer in moving),
        heads=(),
        until=None,
        implicit=False,
    )


def _unbiased(layer: LayerNode, names: set[str]) -> LayerNode:
    couplings = tuple(coupling for coupling in layer.couplings if coupling.lower in names)
    return replace(
        layer, unit=_Linear(), couplings=couplings, bias=False, group=None, keeps_first_winner=False, norm=None
    )
