"""The maximiser of a chain of rectified layers as a fixed point, for the solvers of torchdeq (Geng & Kolter, 2023)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Map = Callable[[Tensor], Tensor]
SOLVERS = ("fixed_point_iter", "anderson", "broyden")


@dataclass(frozen=True, slots=True)
class Chain:
    """z_l = relu(b_l + w_l ⋆ z_{l−1} + w_{l+1}ᵀ z_{l+1}). A state is one tensor (batch, units), as solvers like."""

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    size: tuple[int, int]

    def split(self, state: Tensor) -> list[Tensor]:
        """Layers of a state, (batch, C, H, W)."""
        channels = [weight.shape[0] for weight in self.weights]
        parts = state.unflatten(1, (sum(channels), *self.size)).split(channels, 1)
        return list(parts)

    def join(self, layers: list[Tensor]) -> Tensor:
        """A state of layers."""
        return torch.cat(layers, 1).flatten(1)

    def start(self, batch: int) -> Tensor:
        """All zero."""
        units = sum(weight.shape[0] for weight in self.weights) * self.size[0] * self.size[1]
        return self.weights[0].new_zeros(batch, units)

    def bottom(self, image: Tensor) -> Tensor:
        """The message of the image, which never changes."""
        return F.conv2d(image, self.weights[0], self.biases[0], padding=1)

    def jacobi(self, first: Tensor) -> Map:
        """Every layer from the old values of all others."""

        def update(state: Tensor) -> Tensor:
            old = self.split(state)
            new: list[Tensor] = []
            for layer in range(len(old)):
                drive = first if layer == 0 else self._up(layer, old[layer - 1])
                if layer + 1 < len(old):
                    drive = drive + self._down(layer + 1, old[layer + 1])
                new.append(F.relu(drive))
            return self.join(new)

        return update

    def sweep(self, first: Tensor) -> Map:
        """Every layer from the newest values, up and then down; the way down keeps the messages of the way up."""

        def update(state: Tensor) -> Tensor:
            z = self.split(state)
            bottom: list[Tensor] = []
            for layer in range(len(z)):
                bottom.append(first if layer == 0 else self._up(layer, z[layer - 1]))
                above = [self._down(layer + 1, z[layer + 1])] if layer + 1 < len(z) else []
                z[layer] = F.relu(sum(above, start=bottom[layer]))
            for layer in range(len(z) - 2, -1, -1):
                z[layer] = F.relu(bottom[layer] + self._down(layer + 1, z[layer + 1]))
            return self.join(z)

        return update

    def coupling_norm(self, steps: int = 100) -> float:
        """The largest |eigenvalue| of the couplings between layers, by power iteration."""
        channels = sum(weight.shape[0] for weight in self.weights)
        random = torch.Generator().manual_seed(0)
        state = torch.rand((1, channels * self.size[0] * self.size[1]), generator=random).to(self.weights[0])
        norm = 0.0
        for _ in range(steps):
            z = self.split(state / state.norm())
            sent = [torch.zeros_like(each) for each in z]
            for layer in range(1, len(z)):
                sent[layer] = sent[layer] + F.conv2d(z[layer - 1], self.weights[layer], padding=1)
                sent[layer - 1] = sent[layer - 1] + self._down(layer, z[layer])
            state = self.join(sent)
            norm = float(state.norm())
        return norm

    def _up(self, layer: int, below: Tensor) -> Tensor:
        return F.conv2d(below, self.weights[layer], self.biases[layer], padding=1)

    def _down(self, layer: int, value: Tensor) -> Tensor:
        return F.conv_transpose2d(value, self.weights[layer], padding=1)


def solve(map_: Map, start: Tensor, solver: str, tolerance: float, most: int = 400) -> Tensor:
    """The fixed point by one of torchdeq's solvers, to ‖f(z) − z‖ ≤ tolerance."""
    from torchdeq import get_deq

    deq = get_deq(core="sliced", f_solver=solver, f_max_iter=most, f_tol=tolerance, f_stop_mode="abs", ift=True).eval()
    found, _ = deq(map_, start)
    return found[-1]
