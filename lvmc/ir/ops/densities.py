"""What density heads compute of targets: candidates, values of families of densities, and losses (Gustafsson 2019)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, prod
from typing import ClassVar, Literal

import numpy as np

from lvmc.ir.densities import bin_of, by_coordinate, centres, gaussian, laplace, log_proposal, log_sum
from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require
from lvmc.ir.types import TensorType

Family = Literal["gaussian", "laplace"]
_LOSS = TensorType((), batched=False)


@dataclass(frozen=True, slots=True)
class Candidates(Op):
    """A target (dims,) and, after it, the samples (M, dims) if there are any: (1 + M, dims)."""

    arity: ClassVar[tuple[int, int]] = (1, 2)

    def type(self, args: Types) -> TensorType:
        require(len(args[0].shape) == 1, f"a target is (dims,), not {args[0]}")
        samples = args[1] if len(args) == 2 else None
        require(samples is None or samples.shape[1:] == args[0].shape, f"samples {samples} do not fit {args[0]}")
        return TensorType((1 + (samples.shape[0] if samples else 0), *args[0].shape))

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.concatenate((args[0][:, None], *args[1:]), 1)

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class ImportanceLoss(Op):
    """Mean of log (1/M) Σ_m exp f(y_m) / q(y_m) − f(y_0): equation (4).

    q is the mixture of Gaussians at y_0, one for each of `sigmas` (of so many coordinates). Arguments: f (1 + M,) at
    the candidates, and these, (1 + M, dims), the target first.
    """

    sigmas: tuple[tuple[float, ...], ...]
    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require(args[0].shape == args[1].shape[:1], f"values {args[0]} are not those of candidates {args[1]}")
        require(args[0].shape[0] > 1, "there are no samples")
        return _LOSS

    def meaning(self, args: Arrays, context: Context) -> Array:
        value, y = args
        log_q = log_proposal(y[:, 1:], y[:, :1], self.sigmas)
        log_z = log_sum(value[..., 1:] - log_q) - log(log_q.shape[1])
        return mean(log_z - value[..., 0])

    def flops(self, args: Types, out: TensorType) -> int:
        return args[0].elements * (4 + len(self.sigmas) * (6 * args[1].shape[-1] + 4))


@dataclass(frozen=True, slots=True)
class FamilyLog(Op):
    """log p(y) at candidates (M, dims), p of a family with independent coordinates.

    Arguments: (2 · dims,), means and then log σ² (gaussian), or centres and then log β (laplace); the candidates.
    """

    family: Family
    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        given, y = args
        require(given.shape == (2 * y.shape[-1],), f"{given} is not two numbers for each coordinate of {y}")
        return TensorType(y.shape[:1], stacked=given.stacked)

    def meaning(self, args: Arrays, context: Context) -> Array:
        given, y = args
        centre, spread = np.split(given[..., None, :], 2, -1)
        return gaussian(y - centre, 0.5 * spread) if self.family == "gaussian" else laplace(y - centre, spread)

    def flops(self, args: Types, out: TensorType) -> int:
        return 8 * args[1].elements


@dataclass(frozen=True, slots=True)
class BinsLog(Op):
    """log p(y) at candidates (M, dims), each coordinate with a density that is constant over each of some bins.

    Arguments: logits (dims · bins,); the candidates. What lies beyond the range counts to the outermost bins.
    """

    bins: int
    low: float
    high: float
    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        given, y = args
        require(given.shape == (self.bins * y.shape[-1],), f"{given} is not {self.bins} logits a coordinate of {y}")
        return TensorType(y.shape[:1], stacked=given.stacked)

    def meaning(self, args: Arrays, context: Context) -> Array:
        logs = by_coordinate(args[0], self.bins) - log((self.high - self.low) / self.bins)
        place = bin_of(args[1], self.bins, self.low, self.high)[..., None]
        every = np.broadcast_to(logs[..., None, :, :], (*logs.shape[:-2], place.shape[-3], *logs.shape[-2:]))
        place = np.broadcast_to(place, (*every.shape[:-1], 1))
        return np.take_along_axis(every, place, -1)[..., 0].sum(-1)

    def flops(self, args: Types, out: TensorType) -> int:
        return 6 * args[0].elements + 4 * args[1].elements


@dataclass(frozen=True, slots=True)
class BinsMean(Op):
    """The expected value over the middles of bins: logits (dims · bins,) → (dims,)."""

    bins: int
    low: float
    high: float
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require(args[0].shape[-1] % self.bins == 0, f"{args[0]} is not {self.bins} logits a coordinate")
        return replace(args[0], shape=(args[0].shape[-1] // self.bins,))

    def meaning(self, args: Arrays, context: Context) -> Array:
        return np.exp(by_coordinate(args[0], self.bins)) @ centres(self.bins, self.low, self.high)

    def flops(self, args: Types, out: TensorType) -> int:
        return 6 * args[0].elements


@dataclass(frozen=True, slots=True)
class BinsPenalty(Op):
    """Mean of l2 · (expected value − target)² + variance · (variance over the bins), of all coordinates.

    Arguments: logits (dims · bins,), targets (dims,).
    """

    bins: int
    low: float
    high: float
    l2: float
    variance: float
    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require(args[0].shape[-1] == self.bins * prod(args[1].shape), f"{args[0]} does not fit targets {args[1]}")
        return _LOSS

    def meaning(self, args: Arrays, context: Context) -> Array:
        share, middle = np.exp(by_coordinate(args[0], self.bins)), centres(self.bins, self.low, self.high)
        expected = share @ middle
        spread = (share * (middle - expected[..., None]) ** 2).sum(-1)
        return mean(self.l2 * (expected - args[1]) ** 2 + self.variance * spread)

    def flops(self, args: Types, out: TensorType) -> int:
        return 10 * args[0].elements


@dataclass(frozen=True, slots=True)
class Leading(Op):
    """The first numbers of a vector: (n,) → (count,)."""

    count: int
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        require(len(args[0].shape) == 1 and args[0].shape[0] >= self.count, f"{args[0]} has no {self.count} numbers")
        return replace(args[0], shape=(self.count,))

    def meaning(self, args: Arrays, context: Context) -> Array:
        return args[0][..., : self.count]

    def flops(self, args: Types, out: TensorType) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class MinusMean(Op):
    """Minus the mean of all values: the negative log-likelihood, of log-likelihoods."""

    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return _LOSS

    def meaning(self, args: Arrays, context: Context) -> Array:
        return -mean(args[0])

    def flops(self, args: Types, out: TensorType) -> int:
        return args[0].elements


def mean(values: Array) -> Array:
    """Mean of all values; 0 where there are none."""
    return values.sum() / max(1, values.size)
