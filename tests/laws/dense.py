"""Coordinate ascent on the explicit matrix W, written with loops from language.md §1; no code of lvmc's ops."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lvmc.graph import Coupling, EnergyGraph, LayerNode
from lvmc.graph.constraint import effective_filters

Array = NDArray[np.float64]
TIE = 1e-9


def index_of(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Flat indices of a block, in its shape."""
    return np.arange(int(np.prod(shape))).reshape(shape)


def coupling_matrix(coupling: Coupling, weight: Array, lower: tuple[int, ...], upper: tuple[int, ...]) -> Array:
    """The block of W between an upper (rows) and a lower block (columns), tap by tap and window by window."""
    below, above = index_of(lower), index_of(upper)
    matrix = np.zeros((above.size, below.size))
    (ph, pw), (sh, sw), (dh, dw) = coupling.geometry.padding, coupling.geometry.stride, coupling.geometry.dilation
    rh, rw = coupling.replicate
    height, width = lower[1] // rh, lower[2] // rw
    for y, x, i, j in product(range(upper[1]), range(upper[2]), range(coupling.kernel[0]), range(coupling.kernel[1])):
        row, column = y * sh - ph + i * dh, x * sw - pw + j * dw
        if coupling.geometry.circular:
            row, column = row % height, column % width
        if not (0 <= row < height and 0 <= column < width):
            continue
        for a, b in product(range(rh), range(rw)):
            units = below[:, row * rh + a, column * rw + b]
            matrix[np.ix_(above[:, y, x], units)] += weight[:, :, i, j]
    return matrix


def lateral_matrix(layer: LayerNode, taps: Array) -> tuple[Array, float]:
    """The block of W inside a layer, and the bound σ."""
    kernel = taps.shape[2:]
    sym = 0.5 * (taps + np.swapaxes(taps, 0, 1)[:, :, ::-1, ::-1])
    for c in range(layer.channels):
        sym[c, c, kernel[0] // 2, kernel[1] // 2] = 0.0
    units = index_of((layer.channels, *layer.size))
    matrix = np.zeros((units.size, units.size))
    assert layer.lateral is not None
    for y, x, i, j in product(range(layer.size[0]), range(layer.size[1]), range(kernel[0]), range(kernel[1])):
        row, column = y + i - kernel[0] // 2, x + j - kernel[1] // 2
        if layer.lateral.circular:
            row, column = row % layer.size[0], column % layer.size[1]
        if 0 <= row < layer.size[0] and 0 <= column < layer.size[1]:
            matrix[np.ix_(units[:, y, x], units[:, row, column])] += sym[:, :, i, j]
    return matrix, max(float(np.abs(sym[c]).sum()) for c in range(layer.channels))


@dataclass
class Dense:
    """A spec's W, b and d as plain arrays, and block coordinate ascent on them."""

    graph: EnergyGraph
    parameters: dict[str, Array]
    training: bool = False
    blocks: dict[str, slice] = field(default_factory=dict[str, slice])
    closest: float = np.inf
    winners: dict[str, NDArray[np.bool_]] = field(default_factory=dict[str, Any])
    norms: dict[str, tuple[Array, Array]] = field(default_factory=dict[str, Any])
    given: dict[str, Array] = field(default_factory=dict[str, Any])
    masks: dict[str, NDArray[np.bool_]] = field(default_factory=dict[str, Any])
    visited: list[tuple[str, Array]] = field(default_factory=list[Any])

    def __post_init__(self) -> None:
        self.shapes = {n.name: (n.channels, *n.size) for n in (*self.graph.inputs, *self.graph.layers)}
        start = 0
        for name, shape in self.shapes.items():
            self.blocks[name] = slice(start, start + int(np.prod(shape)))
            start = self.blocks[name].stop
        self.w = np.zeros((start, start))
        self.bounds: dict[str, float] = {}
        filters = effective_filters(self.graph, self.parameters)
        for layer in self.graph.layers:
            for coupling in layer.couplings:
                weight = filters.get((layer.name, coupling.lower), self.parameters[coupling.weight])
                block = coupling_matrix(coupling, weight, self.shapes[coupling.lower], self.shapes[layer.name])
                self.w[self.blocks[layer.name], self.blocks[coupling.lower]] += block
                self.w[self.blocks[coupling.lower], self.blocks[layer.name]] += block.T
            if layer.lateral is not None:
                taps = filters.get((layer.name, layer.name), self.parameters[f"{layer.name}.lateral"])
                block, self.bounds[layer.name] = lateral_matrix(layer, taps)
                self.w[self.blocks[layer.name], self.blocks[layer.name]] += block

    def spread(self, layer: LayerNode, values: Array) -> Array:
        """Per-channel values over the units of a layer, flat."""
        return np.repeat(values, layer.size[0] * layer.size[1])

    def bias(self, layer: LayerNode) -> Array:
        values = self.parameters[f"{layer.name}.bias"] if layer.bias else np.zeros(layer.channels)
        return self.spread(layer, values)

    def diagonal(self, layer: LayerNode) -> Array:
        if layer.diagonal is None:
            return np.zeros(layer.channels * layer.size[0] * layer.size[1])
        values = self.parameters[f"{layer.name}.diagonal"] if layer.diagonal == "learned" else np.array(layer.diagonal)
        return self.spread(layer, values)

    def normed(self, layer: LayerNode, drive: Array) -> tuple[Array, Array]:
        """d and the addition to b of a drive norm: s/γ and β s/γ − μ."""
        if layer.name in self.norms:
            return self.norms[layer.name]
        stem = f"{layer.name}.norm"
        assert layer.norm is not None
        mean, var = self.parameters[f"{stem}.running_mean"], self.parameters[f"{stem}.running_var"]
        if self.training:
            shaped = drive.reshape(len(drive), layer.channels, -1)
            mean = np.array([shaped[:, c].mean() for c in range(layer.channels)])
            var = np.array([((shaped[:, c] - mean[c]) ** 2).mean() for c in range(layer.channels)])
        d = np.sqrt(var + layer.norm.eps) / self.parameters[f"{stem}.weight"]
        shift = self.parameters[f"{stem}.bias"] * d - mean
        self.norms[layer.name] = (self.spread(layer, d), self.spread(layer, shift))
        return self.norms[layer.name]

    def run(self, inputs: dict[str, Array], passes: int, start: bool = False) -> dict[str, Array]:
        """Layers after k passes.

        `given` layers with a mask are clamped where it is 1, without one (and without `start`) wholly; with
        `start` the others begin at their given value, brought into the domain.
        """
        batch = len(next(iter(inputs.values())))
        z = np.zeros((batch, self.w.shape[0]))
        for name, value in inputs.items():
            z[:, self.blocks[name]] = value.reshape(batch, -1)
        fixed = {name for name in self.given if name not in self.masks and not start} | self.whole
        for layer in self.graph.layers:
            if layer.name in self.given:
                value = self.given[layer.name].reshape(batch, -1)
                begun = self.project(layer, value) if start else 0.0 * value
                z[:, self.blocks[layer.name]] = value if layer.name in fixed else self.clamped(layer, begun)
        self.visited = [("", z.copy())]
        for pass_ in range(1, passes + 1):
            for layer in self.graph.layers if pass_ % 2 else self.graph.layers[::-1]:
                if layer.name not in fixed:
                    z[:, self.blocks[layer.name]] = self.clamped(layer, self.update(layer, z))
                    self.visited.append((layer.name, z.copy()))
        return {
            layer.name: z[:, self.blocks[layer.name]].reshape(batch, *self.shapes[layer.name])
            for layer in self.graph.layers
        }

    whole: frozenset[str] = frozenset()

    def mask(self, layer: LayerNode) -> NDArray[np.bool_] | None:
        """Where a layer is clamped, flat."""
        mask = self.masks.get(layer.name)
        return None if mask is None else mask.reshape(len(mask), -1)

    def clamped(self, layer: LayerNode, value: Array) -> Array:
        mask = self.mask(layer)
        return value if mask is None else np.where(mask, self.given[layer.name].reshape(value.shape), value)

    def project(self, layer: LayerNode, value: Array) -> Array:
        """The nearest state of the domain."""
        if layer.kind != "gaussian":
            top = 1.0 if layer.kind == "boltzmann" else layer.unit.upper
            projected = np.clip(value, 0.0, top)
        else:
            projected = value
        if layer.group is None:
            return projected
        before, self.winners = dict(self.winners), {}
        kept = self.nms(layer, value, projected, value * projected - 0.5 * projected**2)
        self.winners = before
        return kept

    def update(self, layer: LayerNode, z: Array) -> Array:
        """The block maximiser, or the monotone step of a lateral layer."""
        here = self.blocks[layer.name]
        a = z @ self.w[:, here] + self.bias(layer)
        if layer.norm is not None and layer.norm.kind == "drive":
            d, shift = self.normed(layer, a)
            a = a + shift
        else:
            d = self.diagonal(layer)
        if layer.lateral is not None:
            a = a + self.bounds[layer.name] * z[:, here]
            d = d + self.bounds[layer.name]
        if layer.kind == "boltzmann":
            value, gain = 1 / (1 + np.exp(-a)), np.logaddexp(0, a)
        else:
            value = a / d
            if layer.kind == "rectified":
                value = np.clip(value, 0, layer.unit.upper)
            gain = a * value - 0.5 * d * value**2
        return value if layer.group is None else self.nms(layer, a, value, gain)

    def nms(self, layer: LayerNode, a: Array, value: Array, gain: Array) -> Array:
        """Keep each group's winner: largest gain, then drive, then first."""
        assert layer.group is not None
        keep = np.zeros(a.shape, bool)
        if layer.keeps_first_winner and layer.name in self.winners:
            return np.where(self.winners[layer.name], value, 0.0)
        mask = self.mask(layer)
        for sample, group in product(range(len(a)), self.groups(layer)):
            if mask is not None and mask[sample, group].any():
                free = [unit for unit in group if not mask[sample, unit]]
                taken = (self.given[layer.name].reshape(a.shape)[sample, group] != 0) & mask[sample, group]
                if taken.any() or not free:
                    keep[sample, [unit for unit, t in zip(group, taken, strict=True) if t][:1]] = True
                    continue
                keep[sample, min(free, key=lambda unit: (-gain[sample, unit], -a[sample, unit], unit))] = True
                continue
            order = sorted(group, key=lambda unit: (-gain[sample, unit], -a[sample, unit], unit))
            keep[sample, order[0]] = True
            lead = max(gain[sample, order[0]] - gain[sample, order[1]], a[sample, order[0]] - a[sample, order[1]])
            self.closest = min(self.closest, lead if lead > 0 else np.inf)
        self.winners[layer.name] = keep
        return np.where(keep, value, 0.0)

    def groups(self, layer: LayerNode) -> list[list[int]]:
        """Flat indices of each group, in (channel, row, column) order."""
        units = index_of(self.shapes[layer.name])
        assert layer.group is not None
        g, h, w = layer.group
        return [
            [int(u) for u in units[c : c + g, y : y + h, x : x + w].ravel()]
            for c, y, x in product(*(range(0, n, step) for n, step in zip(units.shape, (g, h, w), strict=True)))
        ]

    def score(self, inputs: dict[str, Array], state: dict[str, Array]) -> Array:
        """S = ½ zᵀWz + bᵀz with the inputs clamped (their own quadratic terms are none of S)."""
        batch = len(next(iter(inputs.values())))
        z = np.zeros((batch, self.w.shape[0]))
        for name, value in {**inputs, **state}.items():
            z[:, self.blocks[name]] = value.reshape(batch, -1)
        total = 0.5 * np.einsum("bi,ij,bj->b", z, self.w, z)
        for layer in self.graph.layers:
            own = z[:, self.blocks[layer.name]]
            d, shift = self.normed(layer, own) if layer.norm is not None else (self.diagonal(layer), 0.0)
            total += own @ (self.bias(layer) + shift) - 0.5 * (own**2) @ d
        return total
