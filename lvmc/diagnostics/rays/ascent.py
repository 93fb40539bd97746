"""The net's own passes at b = 0 as an ascent of zᵀCz/zᵀDz on K: each layer in turn takes its exact best."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from lvmc.diagnostics.field import Field
from lvmc.diagnostics.rays.cone import best_in_cone
from lvmc.diagnostics.semidefinite.flat import dot
from lvmc.graph.form import Array, Block, Edge, Form

if TYPE_CHECKING:
    from torch import Tensor


class Ascent:
    """A vector z of K that `sweep` makes better; `ratio` is its zᵀCz/zᵀDz in float32.

    Messages are kept until their sender moves, so that a sweep (every layer upwards, then downwards) computes each
    message about once, as one pass of inference does.
    """

    def __init__(self, field: Field, start: Mapping[str, Array]) -> None:
        import torch

        self.form = field.form
        self._field = field
        self._order = [*self.form.blocks, *reversed(self.form.blocks[:-1])]
        self._shift = _shifts(self.form)
        self._diagonal = {
            b.name: torch.as_tensor(b.diagonal, dtype=field.dtype)[:, None, None] for b in self.form.blocks
        }
        self._messages: dict[tuple[int, str], Tensor] = {}
        self.z: dict[str, Tensor] = {}
        self._norm: dict[str, float] = {}
        for block in self.form.blocks:
            self._set(block, torch.as_tensor(start[block.name], dtype=field.dtype)[None])
        self._measure()

    @property
    def norm(self) -> float:
        """zᵀDz."""
        return sum(self._norm.values())

    @property
    def ratio(self) -> float:
        """zᵀCz/zᵀDz; −∞ at z = 0."""
        return self._gain / self.norm if self.norm > 0 else -np.inf

    @property
    def layers(self) -> dict[str, Array]:
        """z in float64, (channels, height, width) by layer."""
        return {name: each[0].double().numpy() for name, each in self.z.items()}

    def sweep(self) -> float:
        """Every layer once upwards and once downwards; the ratio reached."""
        import torch

        with torch.no_grad():
            for block in self._order:
                self._improve(block)
            self._measure()
        return self.ratio

    def _improve(self, block: Block) -> None:
        """z_l ← P(g/d)/λ, λ the larger root of n λ² − q λ − a = 0: the exact best of (2 t a + q)/(t² a + n).

        g is the drive by the others, a = ‖P(g/d)‖²_D, q and n the others' zᵀCz and zᵀDz. Within a layer with lateral
        couplings L, L + σD is positive semidefinite, so its tangent at z_l bounds it from below: g gains (L + σD) z_l.
        """
        name, old, shift = block.name, self.z[block.name], self._shift[block.name]
        heard, rest = self._heard(block), self.norm - self._norm[block.name]
        own = dot(old, self._within(name, old)) if shift else 0.0
        others = self._gain - 2 * dot(old, heard) - own
        drive, gain = heard, others
        if shift:
            drive = heard + self._within(name, old) + shift * self._diagonal[name] * old
            gain = others - own + shift * (rest - self._norm[name])
        best = best_in_cone(drive, block)
        size = dot(best * self._diagonal[name], best)
        root = _larger_root(rest, gain, size)
        if root > 0:
            self._set(block, best / root if size > 0 else best)
            new = self.z[name]
            self._gain = others + 2 * dot(new, heard) + (dot(new, self._within(name, new)) if shift else 0.0)

    def _set(self, block: Block, z: Tensor) -> None:
        name = block.name
        self.z[name] = z
        self._norm[name] = dot(z * self._diagonal[name], z)
        self._messages = {key: each for key, each in self._messages.items() if key[1] != name}

    def _heard(self, block: Block) -> Tensor:
        """The drive of a layer by all others."""
        total: Tensor | None = None
        for edge in self.form.edges:
            if block.name in (edge.upper, edge.lower):
                message = self._message(edge, edge.lower if edge.upper == block.name else edge.upper)
                total = message if total is None else total + message
        return self.z[block.name] * 0 if total is None else total

    def _message(self, edge: Edge, sender: str) -> Tensor:
        key = (id(edge), sender)
        if key not in self._messages:
            rises = sender == edge.lower
            self._messages[key] = (self._field.up if rises else self._field.down)(edge, self.z[sender])
        return self._messages[key]

    def _within(self, layer: str, z: Tensor) -> Tensor:
        sides = [each for each in self.form.sides if each.layer == layer]
        return sum((self._field.within(each, z) for each in sides), start=z * 0)

    def _measure(self) -> None:
        """zᵀCz afresh, so that rounding does not add up over sweeps."""
        between = sum(2 * dot(self.z[edge.upper], self._message(edge, edge.lower)) for edge in self.form.edges)
        within = sum(dot(self.z[side.layer], self._field.within(side, self.z[side.layer])) for side in self.form.sides)
        self._gain = between + within


def _larger_root(rest: float, gain: float, size: float) -> float:
    """The larger λ with rest λ² − gain λ − size = 0; 0 where no z_l is better than the one there is."""
    if rest <= 0:
        return -size / gain if gain < 0 < size else 0.0
    spread = sqrt(gain * gain + 4 * rest * size)
    return (gain + spread) / (2 * rest) if gain >= 0 else 2 * size / (spread - gain)


def _shifts(form: Form) -> dict[str, float]:
    """σ of each layer: the row sums of its D^-½|L|D^-½, at least the norm of D^-½ L D^-½."""
    shifts = {block.name: 0.0 for block in form.blocks}
    for side in form.unit_diagonal().sides:
        shifts[side.layer] += float(np.abs(side.filter).sum((1, 2, 3)).max())
    return shifts
