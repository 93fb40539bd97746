"""Terms of the score, of the mean-field objective and of the residual: one number a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lvmc.ir.numeric import channelwise
from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require, require_channels, require_plane
from lvmc.ir.types import TensorType

_NUMBER = TensorType(())


@dataclass(frozen=True, slots=True)
class Inner(Op):
    """`scale · ⟨x, y⟩`, a number a sample."""

    scale: float = 1.0
    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require(args[0].shape == args[1].shape, "factors differ in shape")
        return _NUMBER

    def meaning(self, args: Arrays, context: Context) -> Array:
        return self.scale * (args[0] * args[1]).sum(axis=(1, 2, 3))

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * args[0].elements


@dataclass(frozen=True, slots=True)
class InnerChannel(Op):
    """`⟨b, z⟩`, b (C,) met with z (C, H, W): a number a sample."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the layer")
        require_channels(args[1], args[0].shape[0], "the bias")
        return _NUMBER

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.einsum("bchw,c->b", args[0], args[1])

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * args[0].elements


@dataclass(frozen=True, slots=True)
class SelfTerm(Op):
    """`−½ ⟨z, d z⟩`, d (C,): a number a sample."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the layer")
        require_channels(args[1], args[0].shape[0], "the diagonal")
        return _NUMBER

    def meaning(self, args: Arrays, context: Context) -> Array:
        return -0.5 * np.einsum("bchw,bchw,c->b", args[0], args[0], args[1])

    def flops(self, args: Types, out: TensorType) -> int:
        return 3 * args[0].elements


@dataclass(frozen=True, slots=True)
class MinusDiagonal(Op):
    """`−d z`, d (C,) met with z (C, H, W): the diagonal of W applied."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the layer")
        require_channels(args[1], args[0].shape[0], "the diagonal")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return -channelwise(args[1]) * args[0]

    def flops(self, args: Types, out: TensorType) -> int:
        return out.elements


@dataclass(frozen=True, slots=True)
class Entropy(Op):
    """`−Σ z log z + (1 − z) log(1 − z)`: what the mean-field objective adds to S for Boltzmann units."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the layer")
        return _NUMBER

    def meaning(self, args: Arrays, context: Context) -> Array:
        from scipy.special import entr  # slow to import, and only meanings need it

        return (entr(args[0]) + entr(1.0 - args[0])).sum(axis=(1, 2, 3))

    def flops(self, args: Types, out: TensorType) -> int:
        return 6 * args[0].elements


@dataclass(frozen=True, slots=True)
class LargestChange(Op):
    """`max |x − y|` over a layer: a number a sample."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require(args[0].shape == args[1].shape, "states differ in shape")
        return _NUMBER

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.abs(args[0] - args[1]).reshape(len(args[0]), -1).max(axis=1)

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * args[0].elements


@dataclass(frozen=True, slots=True)
class Largest(Op):
    """The largest of several numbers, sample by sample."""

    arity: ClassVar[tuple[int, int]] = (1, 10_000)

    def type(self, args: Types) -> TensorType:
        require(all(arg == _NUMBER for arg in args), "needs a number a sample")
        return _NUMBER

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.max(np.stack(args), axis=0)

    def flops(self, args: Types, out: TensorType) -> int:
        return len(args)
