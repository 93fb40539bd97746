"""The quadratic form of a spec with its weights: zᵀAz = Σ d z² − zᵀCz, as layers, couplings and their filters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lvmc.graph.constraint import ENTROPY_CURVATURE, effective_filters
from lvmc.graph.records import EnergyGraph, LayerNode
from lvmc.graph.terms import norm_diagonal, own_diagonal
from lvmc.ir import Builder, Geometry, Group, Origin, Program, Size, interpret
from lvmc.ir.ops import RunningMoments, SymmetricTaps
from lvmc.rewrites import rewrite

Array = NDArray[np.float64]
Part = Literal["positive", "negative", "absolute"]


@dataclass(frozen=True, slots=True)
class Block:
    """A layer of the form: (channels, *size) units, d > 0 of each channel, their domain and groups.

    `least` and `most` bound every unit: 0 and ∞ rectified, −∞ and ∞ gaussian, 0 and 1 Boltzmann.
    """

    name: str
    channels: int
    size: Size
    diagonal: Array
    least: float = 0.0
    most: float = inf
    group: Group | None = None

    @property
    def units(self) -> int:
        """Units of one sample."""
        return self.channels * prod(self.size)

    @property
    def bounded(self) -> bool:
        """Whether no unit can grow for ever."""
        return self.most < inf

    @property
    def signed(self) -> bool:
        """Whether units take both signs."""
        return self.least < 0


@dataclass(frozen=True, slots=True)
class Edge:
    """A coupling between two layers: C holds `filter ⋆ P` from lower to upper, and its transpose back.

    `filter` is (upper channels, lower channels, kh, kw); P sums over `replicate` windows of the lower layer.
    """

    upper: str
    lower: str
    weight: str
    filter: Array
    geometry: Geometry
    replicate: Size = (1, 1)
    full: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """Couplings inside a layer: C holds the symmetric `filter` L (channels, channels, h, w), own tap zero."""

    layer: str
    weight: str
    filter: Array
    geometry: Geometry


@dataclass(frozen=True)
class Form:
    """A = D − C over a net's units: layers in file order, each flattened as (channel, row, column).

    The cone K: z ≥ 0 but in signed layers, at most one nonzero unit in a group.
    """

    name: str
    blocks: tuple[Block, ...]
    edges: tuple[Edge, ...]
    sides: tuple[Side, ...] = ()

    @cached_property
    def block(self) -> dict[str, Block]:
        """Layers by name."""
        return {block.name: block for block in self.blocks}

    @property
    def units(self) -> int:
        """n."""
        return sum(block.units for block in self.blocks)

    def part(self, which: Part) -> Form:
        """The form with C replaced by C₊ = max(C, 0), C₋ = max(−C, 0) or |C|, tap by tap.

        Where circular padding folds several taps onto one pair of units, their sum bounds that pair's part.
        """
        return self._with(lambda taps, _: _PART[which](taps))

    def unit_diagonal(self) -> Form:
        """D^-½ A D^-½: every d is 1, filters are divided by √(d_upper d_lower)."""
        blocks = tuple(replace(block, diagonal=np.ones(block.channels)) for block in self.blocks)
        return replace(self._with(self._by_roots), blocks=blocks)

    def scaled(self, factors: Mapping[str, float] | float) -> Form:
        """The form with every filter multiplied by a factor, or each by that of its weight name (1 if not named)."""
        if isinstance(factors, Mapping):
            return self._with(lambda taps, edge: taps * factors.get(edge.weight, 1.0))
        return self._with(lambda taps, _: taps * factors)

    def without(self, layers: Collection[str]) -> Form:
        """The principal block that leaves some layers out (their units are 0)."""
        return replace(
            self,
            blocks=tuple(block for block in self.blocks if block.name not in layers),
            edges=tuple(edge for edge in self.edges if not {edge.upper, edge.lower} & set(layers)),
            sides=tuple(side for side in self.sides if side.layer not in layers),
        )

    def split(self, flat: Array) -> dict[str, Array]:
        """Vectors (batch, n) or (n,) as layers (batch, channels, height, width)."""
        rows = np.atleast_2d(flat)
        bounds = np.cumsum([0, *(block.units for block in self.blocks)])
        return {
            block.name: rows[:, start : start + block.units].reshape(len(rows), block.channels, *block.size)
            for block, start in zip(self.blocks, bounds, strict=False)
        }

    def join(self, layers: Mapping[str, Array]) -> Array:
        """Layers (batch, channels, height, width) as vectors (batch, n)."""
        return np.concatenate([layers[block.name].reshape(len(layers[block.name]), -1) for block in self.blocks], 1)

    def _with(self, changed: Callable[[Array, Edge | Side], Array]) -> Form:
        return replace(
            self,
            edges=tuple(replace(edge, filter=changed(edge.filter, edge)) for edge in self.edges),
            sides=tuple(replace(side, filter=changed(side.filter, side)) for side in self.sides),
        )

    def _by_roots(self, taps: Array, edge: Edge | Side) -> Array:
        upper, lower = (edge.upper, edge.lower) if isinstance(edge, Edge) else (edge.layer, edge.layer)
        above, below = np.sqrt(self.block[upper].diagonal), np.sqrt(self.block[lower].diagonal)
        return taps / (above[:, None, None, None] * below[None, :, None, None])


def form_of(graph: EnergyGraph, parameters: Mapping[str, NDArray[np.floating]]) -> Form:
    """The form of a spec at its nominal size, inputs left out, from weights and running statistics by state name.

    With a `constraint` its filters are those that are used: multiplied by their factors.

    Raises:
        ValueError: The spec is no single energy.
    """
    if graph.why_no_energy:
        raise ValueError(graph.why_no_energy)
    values = {name: np.asarray(value, np.float64) for name, value in parameters.items()}
    derived, scaled = interpret(_derived(graph), values), effective_filters(graph, values)
    edges = [
        Edge(name, coupling.lower, coupling.weight, scaled.get((name, coupling.lower), values[coupling.weight]),
             coupling.geometry, coupling.replicate, coupling.full)
        for name, layer in graph.layer.items()
        for coupling in layer.couplings
        if coupling.lower in graph.layer
    ]  # fmt: skip
    sides = [
        Side(name, f"{name}.lateral", scaled.get((name, name), derived[f"{name}_lateral"]), layer.lateral)
        for name, layer in graph.layer.items()
        if layer.lateral is not None
    ]
    blocks = tuple(_block(layer, derived) for layer in graph.layers)
    return Form(graph.name, blocks, tuple(edges), tuple(sides))


def _block(layer: LayerNode, derived: Mapping[str, Array]) -> Block:
    name = layer.name
    diagonal = derived.get(f"{name}_diagonal", np.full(layer.channels, ENTROPY_CURVATURE))
    least, most = {"gaussian": (-inf, inf), "boltzmann": (0.0, 1.0)}.get(layer.kind, (0.0, layer.unit.upper or inf))
    return Block(name, layer.channels, layer.size, diagonal, least, most, layer.group)


def _derived(graph: EnergyGraph) -> Program:
    """Every layer's diagonal and lateral filter, from parameters and running statistics."""
    build, outputs = Builder(graph.parameters), list[tuple[str, str]]()
    for layer in graph.layers:
        name = layer.name
        if layer.norm is not None:
            running = (f"{name}.norm.running_mean", f"{name}.norm.running_var")
            moments = build.add(RunningMoments(), *running, name=f"{name}_moments", origin=_ORIGIN)
            outputs.append((f"{name}_diagonal", norm_diagonal(build, layer, moments, _ORIGIN)[0]))
        elif layer.diagonal is not None:
            outputs.append((f"{name}_diagonal", own_diagonal(build, layer, _ORIGIN)))
        if layer.lateral is not None:
            taps = build.add(SymmetricTaps(), f"{name}.lateral", name=f"{name}_lateral", origin=_ORIGIN)
            outputs.append((f"{name}_lateral", taps))
    return rewrite(Program(f"{graph.name}.derived", graph.parameters, graph.planes, build.equations(), tuple(outputs)))


def _positive(taps: Array) -> Array:
    return np.maximum(taps, 0.0)


def _negative(taps: Array) -> Array:
    return np.maximum(-taps, 0.0)


_PART: Mapping[Part, Callable[[Array], Array]] = {"positive": _positive, "negative": _negative, "absolute": np.abs}
_ORIGIN = Origin("form", 0, "score")
