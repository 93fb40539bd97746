"""`constraint`: which couplings one factor keeps in the certified set, and the equations of their scaled filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Literal

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from lvmc.ir import Builder, Origin, Program, Size, interpret
from lvmc.ir.bounds import Reach
from lvmc.ir.ops import Constant, Positive, SafeScale, ScaleFilter, SymmetricTaps
from lvmc.ir.ops.constraints import Claim

if TYPE_CHECKING:
    from lvmc.graph.records import Coupling, EnergyGraph, LayerNode

ENTROPY_CURVATURE = 4.0
"""Least curvature 1/(z (1 − z)) of a Boltzmann unit's entropy: its d, where one is needed."""

Ends = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Constraint:
    """A connected part of the net whose filters are multiplied by one factor.

    Attributes:
        claim: What the factor is to make true.
        diagonals: d of every layer of the part, or "learned".
        filters: State name and reach of every coupling between these layers, and of every lateral.
    """

    claim: Claim
    diagonals: tuple[tuple[str, tuple[float, ...] | Literal["learned"]], ...]
    filters: tuple[tuple[str, Reach], ...]


def constraints_of(claim: Literal["none"] | Claim, layers: tuple[LayerNode, ...]) -> tuple[Constraint, ...]:
    """The parts of a net that a claim is about.

    `contractive`: all couplings between layers. `copositive`: those between layers whose units have no upper bound;
    bounded ones cannot grow, whatever couples them.
    """
    if claim == "none":
        return ()
    known = {layer.name: layer for layer in layers if claim == "contractive" or not _bounded(layer)}
    filters = [
        (coupling.weight, _reach(coupling, known, claim))
        for layer in known.values()
        for coupling in layer.couplings
        if coupling.lower in known
    ]
    filters += [(f"{layer.name}.lateral", _lateral(layer)) for layer in known.values() if layer.lateral is not None]
    network: nx.Graph[str] = nx.Graph((reach.upper, reach.lower) for _, reach in filters)
    return tuple(
        Constraint(
            claim,
            tuple((name, _diagonal(layer)) for name, layer in known.items() if name in part),
            tuple(each for each in filters if each[1].upper in part),
        )
        for part in nx.connected_components(network)
    )


def scaled_filters(build: Builder, graph: EnergyGraph, at: Origin | None = None) -> dict[Ends, str]:
    """The values that stand for filters of constrained couplings, by upper and lower layer; laterals are symmetric."""
    values: dict[Ends, str] = {}
    for part in graph.constraints:
        origin = at or Origin(part.diagonals[0][0], 0, "derived")
        filters = [_filter(build, weight, reach, at) for weight, reach in part.filters]
        diagonals = [_diagonal_value(build, name, given, at) for name, given in part.diagonals]
        op = SafeScale(part.claim, tuple(name for name, _ in part.diagonals), tuple(r for _, r in part.filters))
        scale = build.add(op, *filters, *diagonals, name="safe_scale", origin=origin)
        for taps, (weight, reach) in zip(filters, part.filters, strict=True):
            name, here = weight.replace(".", "_"), at or Origin(reach.upper, 0, "derived")
            name = f"{name}_scaled" if reach.upper == reach.lower else name
            values[reach.upper, reach.lower] = build.add(ScaleFilter(), taps, scale, name=name, origin=here)
    return values


def effective_filters(
    graph: EnergyGraph, parameters: Mapping[str, NDArray[np.floating]]
) -> dict[Ends, NDArray[np.float64]]:
    """Filters of constrained couplings as they are used, (C, c, kh, kw), by upper and lower layer."""
    build = Builder(graph.step_parameters)
    values = scaled_filters(build, graph, Origin("constraint", 0, "score"))
    keys = {f"{upper}:{lower}": (upper, lower) for upper, lower in values}
    outputs = tuple((key, values[ends]) for key, ends in keys.items())
    program = Program(f"{graph.name}.constraint", graph.step_parameters, graph.planes, build.equations(), outputs)
    given = {name: np.asarray(value, np.float64) for name, value in parameters.items()}
    return {keys[key]: value for key, value in interpret(program, given).items()}


def _filter(build: Builder, weight: str, reach: Reach, at: Origin | None) -> str:
    if reach.upper != reach.lower:
        return weight
    origin = at or Origin(reach.upper, 0, "derived")
    return build.add(SymmetricTaps(), weight, name=f"{reach.upper}_lateral", origin=origin)


def _diagonal_value(
    build: Builder, layer: str, given: tuple[float, ...] | Literal["learned"], at: Origin | None
) -> str:
    name, origin = f"{layer}_diagonal", at or Origin(layer, 0, "derived")
    if given == "learned":
        return build.add(Positive(), f"{layer}.diagonal", name=name, origin=origin)
    return build.add(Constant(given), name=name, origin=origin)


def _bounded(layer: LayerNode) -> bool:
    return layer.unit.mean_field or layer.unit.upper is not None


def _diagonal(layer: LayerNode) -> tuple[float, ...] | Literal["learned"]:
    return (ENTROPY_CURVATURE,) * layer.channels if layer.diagonal is None else layer.diagonal


def _reach(coupling: Coupling, layers: Mapping[str, LayerNode], claim: Claim) -> Reach:
    """A coupling's reach. One that covers its plane stands there once, as if it moved by its own size.

    A replicated window counts in full for `contractive`, which is about every z; groups of the lower layer leave
    fewer of its units for `copositive`.
    """
    geometry, lower = coupling.geometry, layers[coupling.lower]
    windows = prod(coupling.replicate)
    if claim == "copositive" and lower.group is not None:
        pairs = zip(coupling.replicate, lower.group.window, strict=True)
        windows = prod(_groups_met(window, group) for window, group in pairs)
    if coupling.full:
        return Reach(coupling.upper, coupling.lower, coupling.kernel, (1, 1), windows, 0, _signed(coupling, layers))
    return Reach(
        coupling.upper, coupling.lower, geometry.stride, geometry.dilation, windows, _wraps(coupling),
        _signed(coupling, layers),
    )  # fmt: skip


def _signed(coupling: Coupling, layers: Mapping[str, LayerNode]) -> bool:
    return "gaussian" in (layers[coupling.upper].kind, layers[coupling.lower].kind)


def _groups_met(window: int, group: int) -> int:
    """Most groups that lie in or across one window, along an axis."""
    return max(((k + 1) * window - 1) // group - k * window // group + 1 for k in range(group))


def _wraps(coupling: Coupling) -> int:
    """How often a tap can meet one unit: a plane padded by no more than the filter's reach is gone over once.

    Otherwise the filter's places cover less than three planes, as padding is at most the plane.
    """
    geometry = coupling.geometry
    if not geometry.circular or geometry.padding == (0, 0):
        return 0
    extent: Size = geometry.extent(coupling.kernel)
    return prod(1 if 2 * pad < reach else 3 for pad, reach in zip(geometry.padding, extent, strict=True))


def _lateral(layer: LayerNode) -> Reach:
    assert layer.lateral is not None
    return Reach(layer.name, layer.name, wraps=int(layer.lateral.circular), signed=layer.kind == "gaussian")
