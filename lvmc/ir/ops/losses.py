"""Losses of head outputs against targets: one number for the batch, a mean over what counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lvmc.ir.ops.base import Array, Arrays, Context, Op, Types, require
from lvmc.ir.types import TensorType

_LOSS = TensorType((), batched=False)


@dataclass(frozen=True, slots=True)
class LogisticLoss(Op):
    """Mean of log(1 + eˣ) − t x over entries whose target t in {0, 1} is not ignored (t < 0).

    Arguments: logits, targets.
    """

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        return _same_shape(args)

    def meaning(self, args: Arrays, context: Context) -> Array:
        logits, targets = args
        return _mean_where(np.logaddexp(0.0, logits) - targets * logits, targets >= 0)

    def flops(self, args: Types, out: TensorType) -> int:
        return 8 * args[0].elements


@dataclass(frozen=True, slots=True)
class SoftmaxLoss(Op):
    """Mean of −log softmax(x)[t] over entries whose label t is not ignored (t < 0 or 255).

    Arguments: logits (C, …), labels (…), whole numbers.
    """

    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        require(args[0].shape[1:] == args[1].shape, f"labels {args[1]} do not fit logits {args[0]}")
        return _LOSS

    def meaning(self, args: Arrays, context: Context) -> Array:
        from scipy.special import log_softmax  # slow to import, and only meanings need it

        logits, labels = args[0], args[1].astype(int)
        axis = logits.ndim - labels.ndim
        counted = (labels >= 0) & (labels != 255)
        index = np.where(counted, labels, 0)[(None,) * (axis - 1)]
        index = np.expand_dims(np.broadcast_to(index, (*logits.shape[: axis - 1], *labels.shape)), axis)
        chosen = np.take_along_axis(log_softmax(logits, axis=axis), index, axis=axis)
        return _mean_where(-chosen.squeeze(axis), counted)

    def flops(self, args: Types, out: TensorType) -> int:
        return 6 * args[0].elements


@dataclass(frozen=True, slots=True)
class DistanceLoss(Op):
    """Mean of |x − t|ᵖ, p = 1 or 2, over entries with t ≥ 0 (`ignore`), else over those whose target is a number.

    Arguments: values, targets.
    """

    power: int
    ignore: bool
    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        return _same_shape(args)

    def meaning(self, args: Arrays, context: Context) -> Array:
        values, targets = args
        counted = targets >= 0 if self.ignore else ~np.isnan(targets)
        return _mean_where(np.abs(values - np.nan_to_num(targets)) ** self.power, counted)

    def flops(self, args: Types, out: TensorType) -> int:
        return 3 * args[0].elements


@dataclass(frozen=True, slots=True)
class KnownLoss(Op):
    """Mean of (x − t)² over entries whose target is a number, not NaN. Arguments: values, targets.

    With `anywhere` of points (…, L, n) that are known, both about their mean point: where they are does not count.
    """

    anywhere: bool = False
    arity: ClassVar[tuple[int, int]] = (2, 2)

    def type(self, args: Types) -> TensorType:
        return _same_shape(args)

    def meaning(self, args: Arrays, context: Context) -> Array:
        values, targets = args
        apart, known = values - np.nan_to_num(targets), ~np.isnan(targets)
        if self.anywhere:
            known &= known.all(-1, keepdims=True)
            apart = apart - (apart * known).sum(-2, keepdims=True) / np.maximum(known.sum(-2, keepdims=True), 1)
        return _mean_where(apart**2, known)

    def flops(self, args: Types, out: TensorType) -> int:
        return 3 * args[0].elements


@dataclass(frozen=True, slots=True)
class Weighted(Op):
    """A loss times its weight."""

    weight: float
    arity: ClassVar[tuple[int, int]] = (1, 1)

    def type(self, args: Types) -> TensorType:
        return args[0]

    def meaning(self, args: Arrays, context: Context) -> Array:
        return self.weight * args[0]

    def flops(self, args: Types, out: TensorType) -> int:
        return 1


def _same_shape(args: Types) -> TensorType:
    require(args[0].shape == args[1].shape, f"targets {args[1]} do not fit outputs {args[0]}")
    return _LOSS


def _mean_where(values: Array, counted: Array) -> Array:
    """Mean of the counted entries, over any stacked predictions too; 0 where nothing counts."""
    counted = np.broadcast_to(counted, values.shape)
    return np.where(counted, values, 0.0).sum() / max(1, counted.sum())
