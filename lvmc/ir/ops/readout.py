"""What heads compute besides correlations: upsampling, means, shapes, stacks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar, Literal

import numpy as np

from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require, require_plane
from lvmc.ir.types import Size, TensorType

UpsampleMode = Literal["bilinear", "fcn", "nearest"]


@dataclass(frozen=True, slots=True)
class Upsample(Op):
    """A map brought to the size of block `plane` pooled by `replicate` (nominally `size`).

    `bilinear` is `interpolate(align_corners=False)`, `nearest` likewise, `fcn` the fixed transposed
    convolution of fully convolutional networks (whole factors only).
    """

    mode: UpsampleMode
    size: Size
    plane: str
    replicate: Size = (1, 1)
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the map")
        channels, height, width = args[0].shape
        whole = self.size[0] % height == 0 and self.size[1] % width == 0
        require(self.mode != "fcn" or whole, f"fcn upsampling needs whole factors, not {args[0]} to {self.size}")
        return TensorType((channels, *self.size))

    def meaning(self, args: Arrays, context: Context) -> Array:
        height, width = args[0].shape[2:]
        rows = interpolation(self.mode, height, self.size[0])
        columns = interpolation(self.mode, width, self.size[1])
        return np.einsum("oh,bchw,pw->bcop", rows, args[0], columns, optimize=True)

    def flops(self, args: Types, out: TensorType) -> int:
        return 8 * out.elements


@dataclass(frozen=True, slots=True)
class MeanPlane(Op):
    """Mean over a plane: (C, H, W) → (C, 1, 1)."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the value")
        return TensorType((args[0].shape[0], 1, 1))

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0].mean(axis=(2, 3), keepdims=True)

    def flops(self, args: Types, out: TensorType) -> int:
        return args[0].elements


@dataclass(frozen=True, slots=True)
class Reshape(Op):
    """The same numbers of each sample in another shape."""

    shape: tuple[int, ...]
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require(
            args[0].batched and prod(args[0].shape) == prod(self.shape), f"{args[0]} cannot take shape {self.shape}"
        )
        return TensorType(self.shape)

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0].reshape(args[0].shape[0], *self.shape)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Stack(Op):
    """Values of one type, one after another in front of the batch: predictions after each pass."""

    arity: ClassVar[tuple[int, int]] = (1, 10_000)

    def type(self, args: Types) -> TensorType:
        require(all(arg == args[0] for arg in args), "stacked values differ in type")
        return replace(args[0], stacked=len(args))

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.stack(args)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


def interpolation(mode: UpsampleMode, before: int, after: int) -> Array:
    """The (after, before) matrix that resamples one axis."""
    places = np.arange(after)
    out = np.zeros((after, before))
    match mode:
        case "nearest":
            out[places, places * before // after] = 1.0
        case "bilinear":
            source = np.maximum((places + 0.5) * before / after - 0.5, 0.0)
            low = np.minimum(source.astype(int), before - 1)
            high = np.minimum(low + 1, before - 1)
            np.add.at(out, (places, low), 1.0 - (source - low))
            np.add.at(out, (places, high), source - low)
        case "fcn":
            kernel = fcn_kernel(after // before)
            factor = after // before
            border = (len(kernel) - factor) // 2
            for place in range(before):
                taps = np.arange(len(kernel)) + place * factor - border
                inside = (taps >= 0) & (taps < after)
                out[taps[inside], place] += kernel[inside]
    return out


def fcn_kernel(factor: int) -> Array:
    """The 1-D bilinear kernel of an FCN's fixed upsampling by a whole factor: length 2·factor − factor mod 2."""
    length = 2 * factor - factor % 2
    centre = factor - 1 if length % 2 == 1 else factor - 0.5
    return 1.0 - np.abs(np.arange(length) - centre) / factor
