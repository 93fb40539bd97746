"""What an op is: how many arguments it takes, the type it gives, its meaning in numpy, and its work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from lvmc.ir.types import TensorType

Array = NDArray[Any]
Types = Sequence[TensorType]
Arrays = Sequence[Array]


@dataclass(frozen=True, slots=True)
class Context:
    """What a meaning needs besides its arguments: the batch size, and whether norms use the batch's statistics."""

    batch: int
    training: bool = False


@dataclass(frozen=True, slots=True)
class Op(ABC):
    """One kind of equation; the fields of a leaf are its static attributes.

    Equal ops of equal arguments are one value.
    """

    arity: ClassVar[tuple[int, int]]

    @abstractmethod
    def type(self, args: Types) -> TensorType:
        """Type of the value; raises TypeError where the arguments do not fit."""

    @abstractmethod
    def meaning(self, args: Arrays, context: Context) -> Array:
        """The value, in numpy. Batched arguments are (B, *shape)."""

    @abstractmethod
    def flops(self, args: Types, out: TensorType) -> int:
        """Floating-point operations for one sample: a multiply-add counts 2; comparisons and copies cost bytes only."""


def require(condition: bool, fault: str) -> None:
    """Raise TypeError(fault) unless the condition holds."""
    if not condition:
        raise TypeError(fault)


def require_plane(value: TensorType, what: str) -> None:
    """The value must be batched with shape (C, H, W)."""
    require(value.batched and len(value.shape) == 3, f"{what} must be a batched (C, H, W) value, not {value}")


def require_channels(values: TensorType, channels: int, what: str) -> None:
    """The value must be unbatched with shape (channels,)."""
    require(not values.batched and values.shape == (channels,), f"{what} must be ({channels},), not {values}")
