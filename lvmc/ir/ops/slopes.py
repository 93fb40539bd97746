"""How units respond to their drives, and products with that: what gradients through a fixed point need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require
from lvmc.ir.types import TensorType


@dataclass(frozen=True, slots=True)
class Between(Op):
    """1 where 0 < z < u, 0 elsewhere: the slope of a rectified unit, u = ∞ when there is no upper bound."""

    upper: float | None = None
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        inside = args[0] > 0 if self.upper is None else (args[0] > 0) & (args[0] < self.upper)
        return inside.astype(np.float64)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Nonzero(Op):
    """1 where z ≠ 0, 0 elsewhere: the slope of Gaussian units of which a group keeps one."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return (args[0] != 0).astype(np.float64)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Ones(Op):
    """1 everywhere, in the shape of z: the slope of Gaussian units."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.ones_like(args[0])

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class SigmoidSlope(Op):
    """`z (1 − z)`: the slope of a mean-field Boltzmann unit; 0 where another unit of its group won."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0] * (1.0 - args[0])

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * out.elements


@dataclass(frozen=True, slots=True)
class Times(Op):
    """`x · y`, unit by unit."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require(args[0] == args[1], f"factors differ: {args[0]}, {args[1]}")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0] * args[1]

    def flops(self, args: Types, out: TensorType) -> int:
        return out.elements
