"""The score of a state and the mean-field objective, as a program over given latents."""

from __future__ import annotations

from collections.abc import Mapping

from lvmc.graph.constraint import Ends, scaled_filters
from lvmc.graph.records import EnergyGraph, LayerNode
from lvmc.graph.terms import bottom_message, lateral_filter, norm_diagonal, own_diagonal, rendered
from lvmc.ir import Builder, Origin, Program, TensorType, Variable, interpret
from lvmc.ir.ops import Add, Correlate, Entropy, Inner, InnerChannel, RunningMoments, SelfTerm
from lvmc.ir.ops.base import Array

_ORIGIN = Origin("score", 0, "score")


def score_program(graph: EnergyGraph) -> Program:
    """`S(z; x)` and `objective` = S + entropy of Boltzmann units, a number a sample, from inputs and all layers.

    Raises:
        ValueError: The spec is no single energy.
    """
    if graph.why_no_energy:
        raise ValueError(graph.why_no_energy)
    variables = (*blocks(graph), *graph.parameters)
    build = Builder(variables)
    score, objective = add_score(build, graph, values_of_blocks(build, graph))
    outputs = (("score", score), ("objective", objective))
    return Program(f"{graph.name}.score", variables, graph.planes, build.equations(), outputs)


def score(
    graph: EnergyGraph, parameters: Mapping[str, Array], inputs: Mapping[str, Array], z: Mapping[str, Array]
) -> Array:
    """S(z; x) of every sample, (batch,), in float64, from parameters by state name, inputs and all layers.

    Raises:
        ValueError: The spec is no single energy.
    """
    return interpret(score_program(graph), {**parameters, **inputs, **z})["score"]


def add_score(build: Builder, graph: EnergyGraph, state: Mapping[str, str]) -> tuple[str, str]:
    """Add S of a state and the mean-field objective; their values' names. `state` names the value of every block."""
    filters = scaled_filters(build, graph, _ORIGIN)
    terms = [term for layer in graph.layers for term in _terms(build, layer, state, filters)]
    if not terms:  # no coupling, bias or diagonal anywhere: S is 0 whatever the state
        first = state[graph.layers[0].name]
        terms = [build.add(Inner(0.0), first, first, name="nothing", origin=_ORIGIN)]
    score = build.add(Add(), *terms, name="score", origin=_ORIGIN)
    entropies = [
        build.add(Entropy(), state[layer.name], name=f"{layer.name}_entropy", origin=_ORIGIN)
        for layer in graph.layers
        if layer.unit.mean_field
    ]
    objective = build.add(Add(), score, *entropies, name="objective", origin=_ORIGIN) if entropies else score
    return score, objective


def values_of_blocks(build: Builder, graph: EnergyGraph) -> dict[str, str]:
    """The value of every block by name, where blocks are given; inputs that show a state are rendered."""
    shown = {node.name: rendered(build, node, node.render) for node in graph.inputs if node.render}
    return {node.name: shown.get(node.name, node.name) for node in (*graph.inputs, *graph.layers)}


def blocks(graph: EnergyGraph) -> tuple[Variable, ...]:
    """Inputs (instead of rendered ones, the states they show) and layers as given variables."""
    inputs = [Variable(node.name, TensorType((node.channels, *node.size)), "input") for node in graph.plain_inputs]
    inputs += graph.feedback.given if graph.feedback else ()
    layers = [Variable(layer.name, TensorType((layer.channels, *layer.size)), "latent") for layer in graph.layers]
    return (*inputs, *layers)


def _terms(build: Builder, layer: LayerNode, state: Mapping[str, str], filters: Mapping[Ends, str]) -> list[str]:
    """⟨z, w ⋆ P(z_lower)⟩ of every coupling below, ½⟨z, L ⋆ z⟩, ⟨b, z⟩ and −½⟨z, d z⟩."""
    name, value, terms = layer.name, state[layer.name], list[str]()
    for coupling in layer.couplings:
        stem = f"{name}_from_{coupling.lower}"
        weight = filters.get((name, coupling.lower), coupling.weight)
        message = bottom_message(build, coupling, state[coupling.lower], weight, stem, _ORIGIN)
        terms.append(build.add(Inner(), value, message, name=f"{stem}_score", origin=_ORIGIN))
    if layer.lateral is not None:
        taps, _ = lateral_filter(build, layer, _ORIGIN, filters.get((name, name), ""))
        side = build.add(Correlate(layer.lateral), value, taps, name=f"{name}_side", origin=_ORIGIN)
        terms.append(build.add(Inner(0.5), value, side, name=f"{name}_side_score", origin=_ORIGIN))
    if layer.bias:
        terms.append(build.add(InnerChannel(), value, f"{name}.bias", name=f"{name}_bias_score", origin=_ORIGIN))
    diagonal = own_diagonal(build, layer, _ORIGIN)
    if layer.norm is not None:
        running = (f"{name}.norm.running_mean", f"{name}.norm.running_var")
        moments = build.add(RunningMoments(), *running, name=f"{name}_moments", origin=_ORIGIN)
        diagonal, shift = norm_diagonal(build, layer, moments, _ORIGIN)
        terms.append(build.add(InnerChannel(), value, shift, name=f"{name}_shift_score", origin=_ORIGIN))
    if diagonal:
        terms.append(build.add(SelfTerm(), value, diagonal, name=f"{name}_self_score", origin=_ORIGIN))
    return terms
