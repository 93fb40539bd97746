"""A plain loop over messages, for specs that are no single energy: untied filters and norms of messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np

from lvmc.graph import Coupling, LayerNode

from .dense import Array, Dense, coupling_matrix, index_of


def window_matrix(shape: tuple[int, ...], window: tuple[int, int]) -> Array:
    """P as a matrix: pooled units (rows) sum the units of their window (columns)."""
    below = index_of(shape)
    above = index_of((shape[0], shape[1] // window[0], shape[2] // window[1]))
    matrix = np.zeros((above.size, below.size))
    for c, y, x in product(*(range(n) for n in shape)):
        matrix[above[c, y // window[0], x // window[1]], below[c, y, x]] = 1.0
    return matrix


@dataclass
class Loop(Dense):
    """Each receiver keeps the last message from each sender, and asks for a new one when the sender has changed."""

    pass_: int = 0
    versions: dict[str, int] = field(default_factory=dict[str, int])
    kept: dict[tuple[str, str], tuple[int, Array]] = field(default_factory=dict[tuple[str, str], tuple[int, Array]])
    heard: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])

    def __post_init__(self) -> None:
        self.parameters = dict(self.parameters)
        for layer in self.graph.layers:
            for coupling in layer.couplings:
                uses = [name for name in self.parameters if name.startswith(f"{coupling.weight}_p")]
                if uses:
                    self.parameters.setdefault(coupling.weight, np.zeros_like(self.parameters[uses[0]]))
        super().__post_init__()
        self.versions = {layer.name: 0 for layer in self.graph.layers}

    def run(self, inputs: dict[str, Array], passes: int, start: bool = False) -> dict[str, Array]:
        batch = len(next(iter(inputs.values())))
        state = {name: value.reshape(batch, -1) for name, value in inputs.items()}
        state |= {layer.name: np.zeros((batch, int(np.prod(self.shapes[layer.name])))) for layer in self.graph.layers}
        clock = 0
        for self.pass_ in range(1, passes + 1):
            for layer in self.graph.layers if self.pass_ % 2 else self.graph.layers[::-1]:
                clock += 1
                seen = tuple(self.versions.get(name, -1) for name in self.senders(layer))
                if seen == self.heard.get(layer.name) and layer.lateral is None:
                    continue
                state[layer.name] = self.respond(layer, state)
                self.versions[layer.name], self.heard[layer.name] = clock, seen
        return {layer.name: state[layer.name].reshape(batch, *self.shapes[layer.name]) for layer in self.graph.layers}

    def senders(self, layer: LayerNode) -> list[str]:
        return [c.lower for c in layer.couplings] + [c.upper for c in self.graph.above[layer.name]]

    def respond(self, layer: LayerNode, state: dict[str, Array]) -> Array:
        """The update of a layer from the messages it hears; its own couplings by the dense matrix."""
        z = np.zeros((len(state[layer.name]), self.w.shape[0]))
        here = self.blocks[layer.name]
        z[:, here] = state[layer.name]
        total = np.zeros_like(state[layer.name])
        for coupling in layer.couplings:
            total = total + self.message(layer, coupling, coupling.lower, state)
        for coupling in self.graph.above[layer.name]:
            total = total + self.message(layer, coupling, coupling.upper, state)
        whole = self.w.copy()
        own = whole[here, here].copy()
        self.w[:, here] = 0.0
        self.w[here, here] = own
        self.extra = total
        result = self.update(layer, z)
        self.w[:] = whole
        return result

    extra: Array | float = 0.0

    def bias(self, layer: LayerNode) -> Array:
        return super().bias(layer) + self.extra

    def message(self, layer: LayerNode, coupling: Coupling, sender: str, state: dict[str, Array]) -> Array:
        version = self.versions.get(sender, -1)
        if version == 0:
            return np.zeros_like(state[layer.name])
        known = self.kept.get((sender, layer.name))
        if known is None or known[0] != version:
            self.kept[sender, layer.name] = (version, self.compute(layer, coupling, sender, state[sender]))
        return self.kept[sender, layer.name][1]

    def compute(self, layer: LayerNode, coupling: Coupling, sender: str, value: Array) -> Array:
        weight = self.parameters[f"{coupling.weight}_p{self.pass_}" if self.graph.untied else coupling.weight]
        lower = self.shapes[coupling.lower]
        pool = window_matrix(lower, coupling.replicate)
        pooled = (lower[0], lower[1] // coupling.replicate[0], lower[2] // coupling.replicate[1])
        plain = Coupling(
            coupling.upper, coupling.lower, "", coupling.kernel, coupling.geometry, (1, 1), coupling.pooled
        )
        matrix = coupling_matrix(plain, weight, pooled, self.shapes[coupling.upper])
        if sender == coupling.lower:
            return self.norm_message(layer, sender, value @ pool.T @ matrix.T)
        return self.norm_message(layer, sender, value @ matrix) @ pool

    def norm_message(self, layer: LayerNode, sender: str, message: Array) -> Array:
        if layer.norm is None or layer.norm.kind != "message":
            return message
        stem = f"{layer.name}.norm.{sender}_p{self.pass_}"
        weight, bias, mean, var = (
            self.parameters[f"{stem}.{leaf}"] for leaf in ("weight", "bias", "running_mean", "running_var")
        )
        shaped = message.reshape(len(message), layer.channels, -1)
        if self.training:
            mean, var = shaped.mean(axis=(0, 2)), shaped.var(axis=(0, 2))
        scale = weight / np.sqrt(var + layer.norm.eps)
        return ((shaped - mean[:, None]) * scale[:, None] + bias[:, None]).reshape(message.shape)
