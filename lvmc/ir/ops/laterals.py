"""Couplings inside a layer: the symmetric filter, its bound, and the minoriser's shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require, require_plane
from lvmc.ir.types import TensorType


@dataclass(frozen=True, slots=True)
class SymmetricTaps(Op):
    """`L = ½(V + V with channels swapped and taps flipped)`, own tap zero. V (C, C, h, w), h and w odd."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        shape = args[0].shape
        require(len(shape) == 4 and shape[0] == shape[1], f"a lateral filter must be (C, C, h, w), not {args[0]}")
        require(shape[2] % 2 == 1 and shape[3] % 2 == 1, "a lateral filter must be odd")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        taps = 0.5 * (args[0] + args[0].transpose(1, 0, 2, 3)[:, :, ::-1, ::-1])
        for channel in range(taps.shape[0]):
            taps[channel, channel, taps.shape[2] // 2, taps.shape[3] // 2] = 0.0
        return taps

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * out.elements


@dataclass(frozen=True, slots=True)
class LateralBound(Op):
    """`σ = max_c Σ |L[c, …]|`: the shift that makes a lateral layer's update monotone. L (C, C, h, w) → scalar."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require(len(args[0].shape) == 4, "a lateral filter has four axes")
        return TensorType((), batched=False)

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.abs(args[0]).sum(axis=(1, 2, 3)).max()

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * args[0].elements


@dataclass(frozen=True, slots=True)
class AddScaled(Op):
    """`a + σ z`, σ a scalar. Arguments a, z (C, H, W), σ ()."""

    arity: ClassVar[tuple[int, int]] = (3, 3)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the drive")
        require(args[0] == args[1] and args[2].shape == (), "drive and value differ in shape")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0] + args[2] * args[1]

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * out.elements


@dataclass(frozen=True, slots=True)
class AddScalar(Op):
    """`d + σ`. Arguments d (C,), σ ()."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require(len(args[0].shape) == 1 and args[1].shape == (), "needs a vector and a scalar")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0] + args[1]

    def flops(self, args: Types, out: TensorType) -> int:
        return out.elements
