"""S as a quadratic form: W as a matrix-free linear operator, explicit W and b when small."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator

from lvmc.graph.constraint import Ends, scaled_filters
from lvmc.graph.energy import blocks
from lvmc.graph.records import EnergyGraph, LayerNode
from lvmc.graph.terms import bottom_message, lateral_filter, norm_diagonal, own_diagonal, spread, top_message
from lvmc.ir import Builder, Origin, Program, interpret
from lvmc.ir.ops import Add, AddChannel, Correlate, MinusDiagonal, RunningMoments, Zeros
from lvmc.rewrites import rewrite

Array = NDArray[np.float64]

MAX_DENSE = 4096
_ORIGIN = Origin("field", 0, "score")


def units(graph: EnergyGraph) -> int:
    """n: latent units of one sample, in file order, each layer flattened as (channel, row, column)."""
    return sum(layer.units for layer in graph.layers)


def weight_operator(graph: EnergyGraph, parameters: Mapping[str, Array]) -> LinearOperator:
    """W (n × n) of S = ½ zᵀWz + bᵀz, as matrix-vector products by convolutions; w_ii = −d_i, groups left out.

    Raises:
        ValueError: The spec is no single energy.
    """
    if graph.why_no_energy:
        raise ValueError(graph.why_no_energy)
    size, program = units(graph), _field(graph)

    def product(columns: Array) -> Array:
        batch = np.ascontiguousarray(columns.reshape(size, -1).T)
        return _apply(graph, program, parameters, batch).T.reshape(columns.shape)

    return LinearOperator((size, size), matvec=product, rmatvec=product, matmat=product, dtype=np.float64)


def linear_term(graph: EnergyGraph, parameters: Mapping[str, Array], inputs: Mapping[str, Array]) -> Array:
    """b (batch, n): biases (with what a drive norm adds) and the messages of the inputs."""
    batch = len(next(iter(inputs.values()))) if inputs else 1
    state = {layer.name: np.zeros((batch, layer.channels, *layer.size)) for layer in graph.layers}
    values = interpret(_field(graph, constants=True), {**inputs, **state, **parameters}, batch=batch)
    return np.concatenate([values[layer.name].reshape(batch, -1) for layer in graph.layers], axis=1)


def dense_form(graph: EnergyGraph, parameters: Mapping[str, Array], inputs: Mapping[str, Array]) -> tuple[Array, Array]:
    """Explicit W (n × n) and b (batch, n) of a tiny spec.

    Raises:
        ValueError: More than 4096 units, or no single energy.
    """
    if units(graph) > MAX_DENSE:
        raise ValueError(f"{units(graph):,} units; an explicit W is made for at most {MAX_DENSE:,}")
    operator = weight_operator(graph, parameters)
    return operator.matmat(np.eye(units(graph))), linear_term(graph, parameters, inputs)


def _apply(graph: EnergyGraph, program: Program, parameters: Mapping[str, Array], flat: Array) -> Array:
    bounds = np.cumsum([0, *(layer.units for layer in graph.layers)])
    state = {
        layer.name: flat[:, start : start + layer.units].reshape(len(flat), layer.channels, *layer.size)
        for layer, start in zip(graph.layers, bounds, strict=False)
    }
    values = interpret(program, {**state, **parameters}, batch=len(flat))
    return np.concatenate([values[layer.name].reshape(len(flat), -1) for layer in graph.layers], axis=1)


def _field(graph: EnergyGraph, constants: bool = False) -> Program:
    """W z of every layer, or with `constants` b: the terms that inputs and biases make."""
    variables = (*blocks(graph), *graph.parameters)
    build = Builder(variables)
    filters = scaled_filters(build, graph, _ORIGIN)
    outputs = tuple((layer.name, _terms(build, graph, layer, filters, constants)) for layer in graph.layers)
    program = Program(f"{graph.name}.field", variables, graph.planes, build.equations(), outputs)
    return rewrite(program)


def _terms(build: Builder, graph: EnergyGraph, layer: LayerNode, filters: Mapping[Ends, str], constants: bool) -> str:
    name, terms = layer.name, list[str]()
    for coupling in layer.couplings:
        if (coupling.lower in graph.layer) != constants:
            stem = f"{name}_bottom_{coupling.lower}"
            weight = filters.get((name, coupling.lower), coupling.weight)
            terms.append(bottom_message(build, coupling, coupling.lower, weight, stem, _ORIGIN))
    diagonal, shift = _diagonal(build, layer)
    if constants:
        zero = build.add(Zeros((layer.channels, *layer.size), name), name=f"{name}_zero", origin=_ORIGIN)
        for part in ([f"{name}.bias"] if layer.bias else []) + ([shift] if shift else []):
            terms.append(build.add(AddChannel(), zero, part, name=f"{name}_constant", origin=_ORIGIN))
        return build.add(Add(), *terms, zero, name=f"{name}_b", origin=_ORIGIN)
    for coupling in graph.above[name]:
        stem = f"{name}_top_{coupling.upper}"
        weight = filters.get((coupling.upper, name), coupling.weight)
        message = top_message(build, coupling, coupling.upper, weight, stem, _ORIGIN)
        terms.append(spread(build, coupling, message, f"{stem}_spread", _ORIGIN))
    if layer.lateral is not None:
        taps, _ = lateral_filter(build, layer, _ORIGIN, filters.get((name, name), ""))
        terms.append(build.add(Correlate(layer.lateral), name, taps, name=f"{name}_side", origin=_ORIGIN))
    if diagonal:
        terms.append(build.add(MinusDiagonal(), name, diagonal, name=f"{name}_self", origin=_ORIGIN))
    zero = build.add(Zeros((layer.channels, *layer.size), name), name=f"{name}_zero", origin=_ORIGIN)
    return build.add(Add(), *terms, zero, name=f"{name}_field", origin=_ORIGIN)


def _diagonal(build: Builder, layer: LayerNode) -> tuple[str, str]:
    if layer.norm is None:
        return own_diagonal(build, layer, _ORIGIN), ""
    running = (f"{layer.name}.norm.running_mean", f"{layer.name}.norm.running_var")
    moments = build.add(RunningMoments(), *running, name=f"{layer.name}_moments", origin=_ORIGIN)
    return norm_diagonal(build, layer, moments, _ORIGIN)
