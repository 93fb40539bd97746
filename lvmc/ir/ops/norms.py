"""Batch norm of drives and of messages: batch statistics in training, running ones in evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lvmc.ir.numeric import channelwise
from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require_channels, require_plane
from lvmc.ir.types import TensorType


@dataclass(frozen=True, slots=True)
class Moments(Op):
    """Mean and variance of a drive by channel, stacked (2, C): the batch's in training, the running ones in evaluation.

    Arguments: drive (C, H, W), running mean (C,), running variance (C,). `momentum` is that of the running statistics.
    """

    momentum: float
    arity: ClassVar[tuple[int, int]] = (3, 3)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the drive")
        for arg in args[1:]:
            require_channels(arg, args[0].shape[0], "a running statistic")
        return TensorType((2, args[0].shape[0]), batched=False)

    def meaning(self, args: Arrays, context: Context) -> Array:
        return _moments(args[0], args[1], args[2], context)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class RunningMoments(Op):
    """Running mean (C,) and variance (C,) stacked as `Moments` gives them in evaluation: (2, C)."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require_channels(args[1], args[0].shape[0], "the running variance")
        return TensorType((2, args[0].shape[0]), batched=False)

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.stack([args[0], args[1]])

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class NormDiagonal(Op):
    """`d = s/γ`, s = √(variance + ε): the diagonal that a drive norm amounts to. Arguments: moments (2, C), γ (C,)."""

    eps: float
    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require_channels(args[1], args[0].shape[1], "the scale")
        return args[1]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.sqrt(args[0][1] + self.eps) / args[1]

    def flops(self, args: Types, out: TensorType) -> int:
        return 3 * out.elements


@dataclass(frozen=True, slots=True)
class NormBias(Op):
    """`β d − μ`: what a drive norm adds to the bias. Arguments: moments (2, C), β (C,), d (C,)."""

    arity: ClassVar[tuple[int, int]] = (3, 3)

    def type(self, args: Types) -> TensorType:
        require_channels(args[1], args[0].shape[1], "the shift")
        require_channels(args[2], args[0].shape[1], "the diagonal")
        return args[1]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[1] * args[2] - args[0][0]

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * out.elements


@dataclass(frozen=True, slots=True)
class MessageNorm(Op):
    """Batch norm of one message: γ (m − μ)/√(σ² + ε) + β. Arguments: m, γ, β, running mean, running variance."""

    eps: float
    momentum: float
    arity: ClassVar[tuple[int, int]] = (5, 5)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the message")
        for arg in args[1:]:
            require_channels(arg, args[0].shape[0], "a norm's parameter")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        message, weight, bias, *running = args
        mean, variance = _moments(message, running[0], running[1], context)
        scale = weight / np.sqrt(variance + self.eps)
        return (message - channelwise(mean)) * channelwise(scale) + channelwise(bias)

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * out.elements


def _moments(x: Array, mean: Array, variance: Array, context: Context) -> Array:
    if not context.training:
        return np.stack([mean, variance])
    return np.stack([x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))])
