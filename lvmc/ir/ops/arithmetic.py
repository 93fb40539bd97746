"""Sums, per-channel arithmetic and the unit functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lvmc.ir.numeric import channelwise
from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require, require_channels, require_plane
from lvmc.ir.types import TensorType


@dataclass(frozen=True, slots=True)
class Constant(Op):
    """Known numbers, one a channel: (C,)."""

    values: tuple[float, ...]
    arity: ClassVar[tuple[int, int]] = (0, 0)

    def type(self, args: Types) -> TensorType:
        return TensorType((len(self.values),), batched=False)

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.array(self.values)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Zeros(Op):
    """A layer before its first update: z = 0. `plane` names the block whose size it has."""

    shape: tuple[int, int, int]
    plane: str
    arity: ClassVar[tuple[int, int]] = (0, 0)

    def type(self, args: Types) -> TensorType:
        return TensorType(self.shape)

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.zeros((context.batch, *self.shape))

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Add(Op):
    """Sum of values of one type, from left to right."""

    arity: ClassVar[tuple[int, int]] = (1, 10_000)

    def type(self, args: Types) -> TensorType:
        require(all(arg == args[0] for arg in args), f"terms differ: {', '.join(map(str, args))}")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return sum(args[1:], start=args[0])

    def flops(self, args: Types, out: TensorType) -> int:
        return (len(args) - 1) * out.elements


@dataclass(frozen=True, slots=True)
class AddChannel(Op):
    """`x + b`, b (C,) met with x (C, H, W)."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the value")
        require_channels(args[1], args[0].shape[0], "the addend")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0] + channelwise(args[1])

    def flops(self, args: Types, out: TensorType) -> int:
        return out.elements


@dataclass(frozen=True, slots=True)
class DivChannel(Op):
    """`x / d`, d (C,) > 0 met with x (C, H, W)."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the value")
        require_channels(args[1], args[0].shape[0], "the divisor")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0] / channelwise(args[1])

    def flops(self, args: Types, out: TensorType) -> int:
        return out.elements


@dataclass(frozen=True, slots=True)
class DivFilter(Op):
    """`w / d`: every filter w (C, c, kh, kw) divided by its channel's d (C,)."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require(not args[0].batched, "a filter is not batched")
        require_channels(args[1], args[0].shape[0], "the divisor")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0] / args[1].reshape(-1, *(1 for _ in args[0].shape[1:]))

    def flops(self, args: Types, out: TensorType) -> int:
        return out.elements


@dataclass(frozen=True, slots=True)
class Rectify(Op):
    """`clip(x, 0, u)`: the rectified unit, u = ∞ when there is no upper bound."""

    upper: float | None = None
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.clip(args[0], 0.0, self.upper)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Sigmoid(Op):
    """`1 / (1 + e⁻ˣ)`: the mean-field Boltzmann unit."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        from scipy.special import expit  # slow to import, and only meanings need it

        return expit(args[0])

    def flops(self, args: Types, out: TensorType) -> int:
        return 4 * out.elements


@dataclass(frozen=True, slots=True)
class ClipUnit(Op):
    """`clip(x, 0, 1)`: a given state brought into the domain of Boltzmann units."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.clip(args[0], 0.0, 1.0)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Select(Op):
    """Where the mask is 1 the second argument, elsewhere the third. The mask is a given tensor of zeros and ones."""

    arity: ClassVar[tuple[int, int]] = (3, 3)

    def type(self, args: Types) -> TensorType:
        require(args[0].mask and args[0].shape == args[1].shape == args[2].shape, "mask and values differ in shape")
        return args[2]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.where(args[0], args[1], args[2])

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Positive(Op):
    """`max(|x|, 1e-4)`: keeps a learned diagonal or scale away from 0 and differentiable on either side."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.maximum(np.abs(args[0]), 1e-4)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0
