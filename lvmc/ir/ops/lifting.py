"""Points read off maps, lifted to 3D poses, and rendered as maps again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from lvmc.ir import lifting
from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require, require_plane
from lvmc.ir.types import Size, TensorType

Gradient = Literal["autograd", "paper", "none"]
"""How gradients pass: through what was computed; by the rules of the paper; not at all."""

WIDTH = 5
"""Numbers of a lifted point: x̂, ŷ, and X, Y, Z."""


@dataclass(frozen=True, slots=True)
class Peaks(Op):
    """Where each map peaks, as x, y in its pixels: (C, H, W) → (C, 2); see `lifting.soft_peaks`."""

    window: int
    temperature: float
    gradient: Gradient = "autograd"
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the maps")
        require(self.window % 2 == 1, f"a window has a middle, unlike {self.window}")
        return TensorType((args[0].shape[0], 2))

    def meaning(self, args: Arrays, context: Context) -> Array:
        return lifting.soft_peaks(args[0], self.window, self.temperature)

    def flops(self, args: Types, out: TensorType) -> int:
        return 6 * args[0].shape[0] * self.window**2


@dataclass(frozen=True, slots=True)
class Confidence(Op):
    """How sure each map is of its peak: the sigmoid of its largest logit; with `least`, 1 from there on and else 0."""

    least: float | None = None
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require_plane(args[0], "the maps")
        return TensorType(args[0].shape[:1])

    def meaning(self, args: Arrays, context: Context) -> Array:
        largest = args[0].max(axis=(2, 3))
        sure = 0.5 * (1.0 + np.tanh(0.5 * largest))
        return sure if self.least is None else (sure >= self.least).astype(np.float64)

    def flops(self, args: Types, out: TensorType) -> int:
        return 2 * args[0].shape[0]


@dataclass(frozen=True, slots=True)
class LiftPoints(Op):
    """2D points as the best 3D pose of a mixture of bases: (L, 2) → (L, 5); see `lifting.lift_pixels`.

    Arguments: points, mean, basis, sigma, noise, rotations, and weights of the points (L,) if they have any.
    """

    scale: float | None
    gradient: Gradient = "autograd"
    arity: ClassVar[tuple[int, int]] = (6, 7)

    def type(self, args: Types) -> TensorType:
        points, mean = args[0], args[1]
        require(points.shape == (mean.shape[2], 2), f"points {points} do not fit a basis of {mean.shape[2]} points")
        require(len(args) == 6 or args[6].shape == points.shape[:1], "there is a weight for every point")
        return TensorType((points.shape[0], WIDTH))

    def meaning(self, args: Arrays, context: Context) -> Array:
        points, *parts = args[:6]
        return lifting.lift_pixels(lifting.Basis(*parts), points, args[6] if len(args) > 6 else None, self.scale)

    def flops(self, args: Types, out: TensorType) -> int:
        """Each candidate's cost as a quadratic form of the points; with weights, a factorisation each."""
        (components, dimensions, _, points), rotations = args[2].shape, args[5].shape[0]
        numbers = 2 * points
        each = 2 * (numbers * (numbers + 1) // 2 + numbers)
        if len(args) > 6:
            each = dimensions**3 // 3 + 2 * points * dimensions**2 + 4 * numbers * dimensions
        return components * rotations * each + 2 * dimensions * (numbers + 3 * points)


@dataclass(frozen=True, slots=True)
class Columns(Op):
    """Some of the last axis: (L, n) → (L, stop − start)."""

    start: int
    stop: int
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require(args[0].batched and args[0].shape[-1] >= self.stop, f"{args[0]} has no column {self.stop - 1}")
        return TensorType((*args[0].shape[:-1], self.stop - self.start))

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0][..., self.start : self.stop]

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Beliefs(Op):
    """A Gaussian of height 1 about each point on block `plane` (nominally `size`): (L, 2) → (L, H, W)."""

    sigma: float
    size: Size
    plane: str
    gradient: Gradient = "autograd"
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require(len(args[0].shape) == 2 and args[0].shape[1] == 2, f"points are (L, 2), not {args[0]}")
        return TensorType((args[0].shape[0], *self.size))

    def meaning(self, args: Arrays, context: Context) -> Array:
        return lifting.beliefs(args[0], self.sigma, self.size)

    def flops(self, args: Types, out: TensorType) -> int:
        return out.elements + 4 * args[0].shape[0] * sum(self.size)
