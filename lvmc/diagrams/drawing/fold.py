"""Runs of equal layers, which long nets are folded by."""

from __future__ import annotations

from dataclasses import dataclass

from lvmc.graph import Coupling, EnergyGraph, LayerNode


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive layers drawn as one; mostly a single layer."""

    layers: tuple[LayerNode, ...]

    @property
    def name(self) -> str:
        """Name of the first layer, which stands for all."""
        return self.layers[0].name

    @property
    def title(self) -> str:
        """`h5…h7 ×3`."""
        first, last = self.layers[0].name, self.layers[-1].name
        return first if first == last else f"{first}…{last} ×{len(self.layers)}"


def runs(graph: EnergyGraph, fold: bool) -> tuple[Run, ...]:
    """The layers, bottom to top; with `fold`, chains of equal layers as one run.

    A run's inner couplings are alike and the only ones its layers have inside; no layer of it has groups,
    couplings to itself or heads, so nothing but its two ends meets the rest of the net.
    """
    found: list[list[LayerNode]] = []
    for layer in graph.layers:
        if fold and found and _continues(found[-1], layer, graph):
            found[-1].append(layer)
        else:
            found.append([layer])
    return tuple(Run(tuple(layers)) for layers in found)


def _continues(run: list[LayerNode], layer: LayerNode, graph: EnergyGraph) -> bool:
    last = run[-1]
    if not (_plain(last, graph) and _plain(layer, graph) and _alike(last, layer)):
        return False
    above, below = graph.above[last.name], layer.couplings
    if len(above) != 1 or len(below) != 1 or below[0].lower != last.name:
        return False
    return len(run) == 1 or _filter(below[0]) == _filter(last.couplings[0])


def _plain(layer: LayerNode, graph: EnergyGraph) -> bool:
    read = any(reading.layer == layer.name for head in graph.heads for reading in head.readings)
    return layer.group is None and layer.lateral is None and not read


def _alike(one: LayerNode, other: LayerNode) -> bool:
    return (one.channels, one.size, one.unit, one.norm) == (other.channels, other.size, other.unit, other.norm)


def _filter(coupling: Coupling) -> tuple[object, ...]:
    return (coupling.kernel, coupling.geometry, coupling.replicate, coupling.shared)
