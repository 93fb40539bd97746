"""What excites what along a direction: the energy of every coupling, by pairs of channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lvmc.diagnostics.answers import Excitation
from lvmc.diagnostics.field import correlate, summed
from lvmc.graph.form import Array, Edge, Form, Side

if TYPE_CHECKING:
    from torch import Tensor


def excitations(form: Form, z: Mapping[str, Array]) -> tuple[Excitation, ...]:
    """zᵀCz/zᵀDz along z (channels, height, width by layer), split by coupling and by pairs of channels, largest first.

    A pair's energy is Σ w ∂⟨z_upper, w ⋆ P z_lower⟩/∂w over its taps: the product is linear in the filter.
    """
    import torch

    state = {name: torch.as_tensor(values)[None].double() for name, values in z.items()}
    squares = {name: (values**2).sum((0, 2, 3)) for name, values in state.items()}
    norm = sum(float(squares[block.name] @ torch.as_tensor(block.diagonal)) for block in form.blocks)
    found = [Excitation(*_ends(each), *_energy(each, state, norm)) for each in (*form.edges, *form.sides)]
    return tuple(sorted(found, key=_size, reverse=True))


def _ends(each: Edge | Side) -> tuple[str, str]:
    return (each.upper, each.lower) if isinstance(each, Edge) else (each.layer, each.layer)


def _energy(each: Edge | Side, state: Mapping[str, Tensor], norm: float) -> tuple[float, Array]:
    import torch

    taps = torch.as_tensor(each.filter).requires_grad_()
    upper, lower = _ends(each)
    read = summed(state[lower], each.replicate) if isinstance(each, Edge) else state[lower]
    times = 2.0 if isinstance(each, Edge) else 1.0
    inner = (state[upper] * correlate(read, taps, each.geometry)).sum() * (times / norm)
    (gradient,) = torch.autograd.grad(inner, taps)
    return float(inner.detach()), (taps.detach() * gradient).sum((2, 3)).numpy()


def _size(each: Excitation) -> float:
    return abs(each.energy)
