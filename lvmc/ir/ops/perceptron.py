"""Multi-layer perceptrons over several candidates an image: linear maps, sums with features of the image, tanh."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require
from lvmc.ir.types import TensorType


@dataclass(frozen=True, slots=True)
class Linear(Op):
    """`W x + b` over the last axis: (…, n) → (…, m). Arguments: x, W (m, n), and b (m,) if there is one."""

    arity: ClassVar[tuple[int, int]] = (2, 3)

    def type(self, args: Types) -> TensorType:
        weight, biases = args[1], args[2:]
        require(not weight.batched and len(weight.shape) == 2, f"a matrix is (m, n), not {weight}")
        require(args[0].shape[-1:] == weight.shape[1:], f"a matrix of {weight} does not fit {args[0]}")
        require(all(bias.shape == weight.shape[:1] for bias in biases), f"the bias must be ({weight.shape[0]},)")
        return replace(args[0], shape=(*args[0].shape[:-1], weight.shape[0]))

    def meaning(self, args: Arrays, context: Context) -> Array:
        product = args[0] @ args[1].T
        return product + args[2] if len(args) == 3 else product

    def flops(self, args: Types, out: TensorType) -> int:
        return out.elements * (2 * args[1].shape[1] + len(args) - 2)


@dataclass(frozen=True, slots=True)
class AddEach(Op):
    """Features (n,) of an image added to those (M, n) of each candidate; features stacked over passes stack the sum."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        features, each = args
        require(len(each.shape) == 2 and features.shape == each.shape[1:], f"{features} does not fit each of {each}")
        return replace(each, stacked=features.stacked)

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0][..., None, :] + args[1]

    def flops(self, args: Types, out: TensorType) -> int:
        return out.elements


@dataclass(frozen=True, slots=True)
class Tanh(Op):
    """`tanh x`."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.tanh(args[0])

    def flops(self, args: Types, out: TensorType) -> int:
        return 4 * out.elements


@dataclass(frozen=True, slots=True)
class Squeeze(Op):
    """A last axis of one number left out: (…, 1) → (…)."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require(args[0].shape[-1:] == (1,), f"{args[0]} has no last axis of one")
        return replace(args[0], shape=args[0].shape[:-1])

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0][..., 0]

    def flops(self, args: Types, out: TensorType) -> int:
        return 0
