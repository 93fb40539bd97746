"""Batch norms over the joint batch of all processes, on any device, without a change of the emitted text.

Emitted norms take the moments of the batch before them. Here instances of them get methods that add up sums over all
processes first, and send gradients back through the sums; in evaluation they are as emitted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import MethodType
from typing import TYPE_CHECKING, Any, Protocol, cast

from lvmc.training.summed import summed

if TYPE_CHECKING:
    from torch import Tensor, nn

    class Norm(Protocol):
        """What both kinds of emitted norms hold."""

        training: bool
        momentum: float
        eps: float
        weight: Tensor
        bias: Tensor
        running_mean: Tensor
        running_var: Tensor


def synchronise_norms(model: nn.Module) -> int:
    """Let every norm of an emitted module take its moments over all processes; how many there are."""
    norms = [module for module in model.modules() if type(module).__name__ in _METHODS]
    for norm in norms:
        name, synced = _METHODS[type(norm).__name__]
        setattr(norm, name, MethodType(synced, norm))
    return len(norms)


def _drive_moments(norm: nn.Module, drive: Tensor) -> Tensor:
    """`DriveNorm.moments` over all processes: mean and variance by channel, (2, channels)."""
    import torch

    if not norm.training:
        return type(norm).moments(norm, drive)  # pyright: ignore[reportUnknownVariableType, reportAttributeAccessIssue, reportUnknownMemberType]
    own = cast("Norm", norm)
    mean, variance, count = _moments(drive)
    _follow(own, mean, variance, count)
    return torch.stack((mean, variance)).to(own.weight.dtype)


def _message_forward(norm: nn.Module, message: Tensor) -> Tensor:
    """`MessageNorm.forward` over all processes: γ (m − μ)/√(σ² + ε) + β."""
    if not norm.training:
        return cast("Tensor", type(norm).forward(norm, message))
    own = cast("Norm", norm)
    mean, variance, count = _moments(message)
    _follow(own, mean, variance, count)
    scale = own.weight * (variance + own.eps).rsqrt()
    shift = own.bias - mean * scale
    return (message * scale[:, None, None] + shift[:, None, None]).to(message.dtype)


_METHODS: dict[str, tuple[str, Callable[[Any, Tensor], Tensor]]] = {
    "DriveNorm": ("moments", _drive_moments),
    "MessageNorm": ("forward", _message_forward),
}


def _moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance by channel of (B, C, H, W) over all processes, and how many entries a channel has.

    Gradients go through E[x²] − E[x]²; the value is E[(x − E[x])²], which does not cancel.
    """
    import torch

    exact = x.to(torch.promote_types(x.dtype, torch.float32))
    entries = exact.new_tensor([x.numel() // x.shape[1]])
    sums = _summed(torch.cat((exact.sum((0, 2, 3)), exact.square().sum((0, 2, 3)), entries)))
    count, channels = sums[-1].detach(), x.shape[1]
    mean, squares = sums[:channels] / count, sums[channels:-1] / count
    with torch.no_grad():
        centred = summed((exact - mean[:, None, None]).square().sum((0, 2, 3)))
    variance = squares - mean.square()
    return mean, variance + (centred / count - variance.detach()), count


def _follow(norm: Norm, mean: Tensor, variance: Tensor, count: Tensor) -> None:
    """Move the running statistics towards those of the batch."""
    import torch

    with torch.no_grad():
        unbiased = variance * (count / (count - 1).clamp_min(1))
        norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), norm.momentum)
        norm.running_var.lerp_(unbiased.to(norm.running_var.dtype), norm.momentum)


def _summed(values: Tensor) -> Tensor:
    """The sum over all processes; its gradient is the sum of theirs."""
    return cast("Tensor", _summing().apply(values))


@cache
def _summing() -> Any:
    import torch

    class Summed(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004
            return summed(values)

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ARG004
            return summed(gradients[0])

    return Summed
