"""NMS groups: who wins, what the winners keep, and the same at pooled size.

A mask of winners marks exactly one unit of every group; ties fall to the first in (channel, row, column) order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lvmc.ir import numeric
from lvmc.ir.numeric import channelwise
from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require, require_channels, require_plane
from lvmc.ir.ops.messages import pooled
from lvmc.ir.types import Group, Size, TensorType


@dataclass(frozen=True, slots=True)
class Gain(Op):
    """`a z − ½ d z²`: what S gains by a unit's value z over 0. Arguments a, z (C, H, W), d (C,)."""

    arity: ClassVar[tuple[int, int]] = (3, 3)

    def type(self, args: Types) -> TensorType:
        require(args[0] == args[1], "drive and value differ in shape")
        require_channels(args[2], args[0].shape[0], "the diagonal")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        drive, value, diagonal = args
        return drive * value - 0.5 * channelwise(diagonal) * value**2

    def flops(self, args: Types, out: TensorType) -> int:
        return 5 * out.elements


@dataclass(frozen=True, slots=True)
class ClampedKey(Op):
    """Winners' key where part of a layer is clamped: +∞ at clamped nonzero units, −∞ at clamped zeros.

    Arguments: mask, given values, key. A group with a clamped nonzero unit leaves nothing to the others.
    """

    arity: ClassVar[tuple[int, int]] = (3, 3)

    def type(self, args: Types) -> TensorType:
        require(args[0].mask and args[0].shape == args[1].shape == args[2].shape, "mask and values differ in shape")
        return args[2]

    def meaning(self, args: Arrays, context: Context) -> Array:
        mask, given, key = args
        return np.where(mask, np.where(given != 0, np.inf, -np.inf), key)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Winners(Op):
    """The mask of each group's winner: largest first argument; if equal, largest second; if equal, first in order."""

    group: Group
    arity: ClassVar[tuple[int, int]] = (1, 2)

    def type(self, args: Types) -> TensorType:
        require(all(arg.shape == args[0].shape for arg in args), "keys differ in shape")
        require(
            pooled(args[0], self.group.window).shape[0] % self.group.channels == 0, "groups do not divide the channels"
        )
        return TensorType(args[0].shape, mask=True, places=self.group.units)

    def meaning(self, args: Arrays, context: Context) -> Array:
        first = numeric.grouped(args[0], self.group)
        if len(args) == 2:
            tied = first == first.max(axis=-1, keepdims=True)
            first = np.where(tied, numeric.grouped(args[1], self.group), -np.inf)
        mask = np.zeros(first.shape, bool)
        np.put_along_axis(mask, first.argmax(axis=-1, keepdims=True), True, axis=-1)
        return numeric.ungrouped(mask, self.group)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Keep(Op):
    """`x` at the winners, 0 elsewhere. Arguments x, mask of winners."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require(args[1].mask and args[0].shape == args[1].shape, "value and mask of winners differ in shape")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.where(args[1], args[0], 0.0)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Take(Op):
    """The winners' values at pooled size. Arguments x (C, H, W), mask of winners; → (C, H/h, W/w)."""

    window: Size
    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require(args[1].mask and args[0].shape == args[1].shape, "value and mask of winners differ in shape")
        return pooled(args[0], self.window)

    def meaning(self, args: Arrays, context: Context) -> Array:
        return numeric.sum_windows(np.where(args[1], args[0], 0.0), self.window)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Spread(Op):
    """Pooled values back at the winners' places, 0 elsewhere ("unpool"). Arguments u (C, H/h, W/w), mask (C, H, W)."""

    window: Size
    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the pooled value")
        require(args[1].mask and pooled(args[1], self.window).shape == args[0].shape, "value and mask do not fit")
        return TensorType(args[1].shape)

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.where(args[1], numeric.repeat_windows(args[0], self.window), 0.0)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class MaxWindows(Op):
    """The largest value of each window: max-pooling. (C, H, W) → (C, H/h, W/w)."""

    window: Size
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return pooled(args[0], self.window)

    def meaning(self, args: Arrays, context: Context) -> Array:
        return numeric.grouped(args[0], Group(1, *self.window)).max(axis=-1)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0
