"""Tensors of a model that lie on one device or in shards on many: whole ones of them, and them of whole ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


def whole(value: Tensor) -> Tensor:
    """The whole tensor on the CPU; every process must ask for it where it is in shards."""
    import torch
    from torch.distributed.tensor import DTensor

    with torch.no_grad():
        full = value.full_tensor() if isinstance(value, DTensor) else value
        return full.detach().to("cpu", copy=True)


def laid_out_as(like: Tensor, value: Tensor) -> Tensor:
    """A whole tensor with the device, the layout in memory, and the shards of another one of its shape.

    The layout matters: sums over tensors laid out differently need not round alike.
    """
    import torch
    from torch.distributed.tensor import DTensor, distribute_tensor

    with torch.no_grad():
        if isinstance(like, DTensor):
            return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)
        return torch.empty_like(like, dtype=value.dtype).copy_(value)


def state_of(model: nn.Module) -> dict[str, Tensor]:
    """The whole state by name, on the CPU; every process must ask for it where it is in shards."""
    return {name: whole(value) for name, value in model.state_dict().items()}


def is_sharded(model: nn.Module) -> bool:
    """Whether parameters lie in shards on several devices."""
    from torch.distributed.tensor import DTensor

    return any(isinstance(parameter, DTensor) for parameter in model.parameters())
