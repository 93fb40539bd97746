"""Constraints on filters: the factor that brings them into a certified set, and a filter multiplied by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal

import numpy as np

from lvmc.ir import bounds
from lvmc.ir.bounds import Reach
from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require
from lvmc.ir.types import TensorType

Claim = Literal["contractive", "copositive"]

_BOUND: dict[Claim, Callable[..., float]] = {"contractive": bounds.contractive, "copositive": bounds.copositive}


@dataclass(frozen=True, slots=True)
class SafeScale(Op):
    """`α = min(1, limit/θ)` for the bound θ that is to stay below 1 (see `lvmc.ir.bounds`). A scalar.

    Arguments: the filter (C, c, kh, kw) of every entry of `reaches`, then d (C,) of every one of `layers`.
    """

    claim: Claim
    layers: tuple[str, ...]
    reaches: tuple[Reach, ...]
    limit: float = 0.999
    arity: ClassVar[tuple[int, int]] = (2, 10**6)

    def type(self, args: Types) -> TensorType:
        filters, diagonals = args[: len(self.reaches)], args[len(self.reaches) :]
        require(len(diagonals) == len(self.layers), "one diagonal a layer, one filter a coupling")
        channels = {name: each.shape for name, each in zip(self.layers, diagonals, strict=True)}
        for taps, reach in zip(filters, self.reaches, strict=True):
            fits = (*channels[reach.upper], *channels[reach.lower]) == taps.shape[:2]
            require(fits and len(taps.shape) == 4, f"a filter {taps} joins {reach.lower} to {reach.upper}")
        return TensorType((), batched=False)

    def meaning(self, args: Arrays, context: Context) -> Array:
        count = len(self.reaches)
        diagonals = dict(zip(self.layers, args[count:], strict=True))
        theta = _BOUND[self.claim](diagonals, args[:count], self.reaches)
        return np.array(self.limit / max(theta, self.limit))

    def flops(self, args: Types, out: TensorType) -> int:
        return sum(_bound_flops(taps) for taps in args[: len(self.reaches)])


@dataclass(frozen=True, slots=True)
class ScaleFilter(Op):
    """`α w`. Arguments w (C, c, kh, kw), α ()."""

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require(not args[0].batched and args[1].shape == (), "needs a filter and a scalar")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0] * args[1]

    def flops(self, args: Types, out: TensorType) -> int:
        return out.elements


def _bound_flops(taps: TensorType) -> int:
    """A Gram matrix and its squarings; every other term reads the filter a few times."""
    rows, columns = taps.shape[0], prod(taps.shape[1:])
    smaller = min(rows, columns)
    return 2 * smaller * taps.elements + 2 * bounds.SQUARINGS * smaller**3 + 10 * taps.elements
