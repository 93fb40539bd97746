"""Messages between layers: correlation, its adjoint, and the windows of replicated couplings."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from lvmc.ir import numeric
from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require, require_channels, require_plane
from lvmc.ir.types import Geometry, Size, TensorType


@dataclass(frozen=True, slots=True)
class Correlate(Op):
    """`w ⋆ x (+ bias)`: the bottom-up message. Arguments x (c, h, w), w (C, c, kh, kw), optionally bias (C,)."""

    geometry: Geometry
    arity: ClassVar[tuple[int, int]] = (2, 3)

    def type(self, args: Types) -> TensorType:
        x, weight = args[0], args[1]
        require_plane(x, "the plane below")
        channels, kernel = _filter(weight, x.shape[0], side=1)
        size = self.geometry.size_above((x.shape[1], x.shape[2]), kernel)
        require(min(size) >= 1, f"a filter {kernel} does not fit a plane of {x.shape[1:]}")
        if len(args) == 3:
            require_channels(args[2], channels, "the bias")
        return TensorType((channels, *size))

    def meaning(self, args: Arrays, context: Context) -> Array:
        out = numeric.correlate(args[0], args[1], self.geometry)
        return out + numeric.channelwise(args[2]) if len(args) == 3 else out

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * prod(args[1].shape[1:]) * out.elements + (out.elements if len(args) == 3 else 0)


@dataclass(frozen=True, slots=True)
class Adjoint(Op):
    """`wᵀ z (+ bias)`: the top-down message, exact adjoint of `Correlate` on the plane below.

    Arguments z (C, H, W), w (C, c, kh, kw), optionally bias (c,). `plane` and `replicate` name the plane of
    the result: that of block `plane`, pooled by `replicate`; `size` is its nominal size.
    """

    geometry: Geometry
    size: Size
    plane: str
    replicate: Size = (1, 1)
    arity: ClassVar[tuple[int, int]] = (2, 3)

    def type(self, args: Types) -> TensorType:
        z, weight = args[0], args[1]
        require_plane(z, "the plane above")
        _, kernel = _filter(weight, z.shape[0], side=0)
        above = self.geometry.size_above(self.size, kernel)
        require(above == (z.shape[1], z.shape[2]), f"correlation makes {self.size} to {above}, not {z.shape[1:]}")
        if len(args) == 3:
            require_channels(args[2], weight.shape[1], "the bias")
        return TensorType((weight.shape[1], *self.size))

    def meaning(self, args: Arrays, context: Context) -> Array:
        out = numeric.adjoint(args[0], args[1], self.geometry, self.size)
        return out + numeric.channelwise(args[2]) if len(args) == 3 else out

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * prod(args[1].shape[1:]) * args[0].elements + (out.elements if len(args) == 3 else 0)


@dataclass(frozen=True, slots=True)
class SumWindows(Op):
    """`P x`: the sum over disjoint windows. (C, H, W) → (C, H/h, W/w)."""

    window: Size
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return pooled(args[0], self.window)

    def meaning(self, args: Arrays, context: Context) -> Array:
        return numeric.sum_windows(args[0], self.window)

    def flops(self, args: Types, out: TensorType) -> int:
        return args[0].elements


@dataclass(frozen=True, slots=True)
class RepeatWindows(Op):
    """`Pᵀ x`: every value repeated over its window. (C, H, W) → (C, H·h, W·w)."""

    window: Size
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the value to repeat")
        channels, height, width = args[0].shape
        return TensorType((channels, height * self.window[0], width * self.window[1]), mask=args[0].mask)

    def meaning(self, args: Arrays, context: Context) -> Array:
        return numeric.repeat_windows(args[0], self.window)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


def pooled(x: TensorType, window: Size) -> TensorType:
    """Type of x reduced over windows; raises TypeError where they do not divide it."""
    require_plane(x, "a windowed value")
    channels, height, width = x.shape
    require(height % window[0] == 0 and width % window[1] == 0, f"windows {window} do not divide {x}")
    return TensorType((channels, height // window[0], width // window[1]))


def _filter(weight: TensorType, channels: int, side: int) -> tuple[int, Size]:
    """Channels above and kernel of a filter whose axis `side` must have `channels` entries."""
    require(not weight.batched and len(weight.shape) == 4, f"a filter must be (C, c, kh, kw), not {weight}")
    require(weight.shape[side] == channels, f"a filter {weight} meets {channels} channels")
    return weight.shape[0], (weight.shape[2], weight.shape[3])
