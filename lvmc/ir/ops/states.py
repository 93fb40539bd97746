"""States of outer feedback: points rendered as Gaussians, and bounded moves (Carreira et al., CVPR 2016, §1, §2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require
from lvmc.ir.types import Size, TensorType


@dataclass(frozen=True, slots=True)
class Render(Op):
    """`scale · exp(−‖x − p‖²/(2σ²)) + offset`, a channel a point: g(y) of iterative error feedback.

    Arguments: points (K, 2) as x, y in pixels of block `canvas` (nominally `whole`), then further single points (2,).
    The maps lie on block `plane` (nominally `size`), whose pixel i is at (i + ½) · whole/size − ½. Farther than
    `truncate` σ from its point the exponential counts as 0.
    """

    size: Size
    plane: str
    whole: Size
    canvas: str
    sigma: float
    truncate: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    arity: ClassVar[tuple[int, int]] = (1, 10_000)

    def type(self, args: Types) -> TensorType:
        first, *single = args
        require(first.batched and len(first.shape) == 2 and first.shape[1] == 2, f"points are (K, 2), not {first}")
        require(all(each.batched and each.shape == (2,) for each in single), "a further point is (2,)")
        return TensorType((first.shape[0] + len(single), *self.size))

    def meaning(self, args: Arrays, context: Context) -> Array:
        points = np.concatenate([args[0], *(each[:, None] for each in args[1:])], axis=1)
        rows, columns = (
            (np.arange(size) + 0.5) * whole / size - 0.5 for size, whole in zip(self.size, self.whole, strict=True)
        )
        across = (columns - points[:, :, 0, None]) ** 2
        down = (rows - points[:, :, 1, None]) ** 2
        squared = down[:, :, :, None] + across[:, :, None, :]
        farthest = inf if self.truncate is None else (self.truncate * self.sigma) ** 2
        heights = np.where(squared <= farthest, np.exp(-squared / (2 * self.sigma**2)), 0.0)
        return self.scale * heights + self.offset

    def flops(self, args: Types, out: TensorType) -> int:
        return (2 if self.truncate is None else 4) * out.elements


@dataclass(frozen=True, slots=True)
class Move(Op):
    """`y + ε`, ε = scale · u; in training bounded: ε · min(1, L/‖ε‖), or each number of it clipped to ±L.

    Arguments y, u of one shape. The norm is that of each point's vector, the last axis.
    """

    scale: float = 1.0
    limit: float | None = None
    each: bool = False
    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require(args[0] == args[1], f"a state {args[0]} cannot move by {args[1]}")
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        moved = self.scale * args[1]
        if self.limit is None or not context.training:
            return args[0] + moved
        return args[0] + (np.clip(moved, -self.limit, self.limit) if self.each else bounded(moved, self.limit))

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * out.elements


def bounded(moved: Array, limit: float) -> Array:
    """min(L, ‖u‖) u/‖u‖ of the vectors along the last axis."""
    length = np.linalg.norm(moved, axis=-1, keepdims=True)
    return moved * (limit / np.maximum(length, limit))
