"""Types of a program's values, and the planes (heights and widths) they live on."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal, NamedTuple

Size = tuple[int, int]


class Group(NamedTuple):
    """An NMS group: consecutive channels × rows × columns of which at most one unit is nonzero."""

    channels: int
    height: int
    width: int

    @property
    def units(self) -> int:
        """Units of the group."""
        return self.channels * self.height * self.width

    @property
    def window(self) -> Size:
        """Rows and columns of the group."""
        return (self.height, self.width)

    def __str__(self) -> str:
        space = f"{self.height}×{self.width}"
        return space if self.channels == 1 else f"{self.channels}×{space}"


@dataclass(frozen=True, slots=True)
class TensorType:
    """Shape of a value at nominal size, without the batch axis that `batched` values have in front.

    `mask` values are boolean; `stacked` > 0 adds one more axis of that length before the batch. A mask with one unit
    in each group of `places` units is held as that unit's place.
    """

    shape: tuple[int, ...]
    batched: bool = True
    mask: bool = False
    stacked: int = 0
    places: int = 0

    @property
    def elements(self) -> int:
        """Elements of one sample."""
        return prod(self.shape) * max(1, self.stacked)

    @property
    def bytes(self) -> int:
        """Bytes of one sample, in float32 (masks: one byte a unit; places: 8 bytes a group)."""
        if self.places:
            return 8 * self.elements // self.places
        return self.elements * (1 if self.mask else 4)

    def __str__(self) -> str:
        text = "×".join(map(str, self.shape)) or "scalar"
        stack = f"{self.stacked}·" if self.stacked else ""
        return stack + text + (" mask" if self.mask else "")


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a filter meets its plane: stride, dilation, padding (rows, columns), and whether it wraps."""

    stride: Size = (1, 1)
    dilation: Size = (1, 1)
    padding: Size = (0, 0)
    circular: bool = False

    def extent(self, kernel: Size) -> Size:
        """Rows and columns that one application of the filter spans."""
        (kh, kw), (dh, dw) = kernel, self.dilation
        return (dh * (kh - 1) + 1, dw * (kw - 1) + 1)

    def size_above(self, below: Size, kernel: Size) -> Size:
        """Size of the plane that correlation makes of a plane of size `below`; below 1 where it does not fit."""
        (eh, ew), (ph, pw), (sh, sw) = self.extent(kernel), self.padding, self.stride
        return ((below[0] + 2 * ph - eh) // sh + 1, (below[1] + 2 * pw - ew) // sw + 1)


@dataclass(frozen=True, slots=True)
class Plane:
    """Height and width of a block, and the rule that gives them from the plane below.

    A plane without `below` is an input's (read off its tensor) or, if `fixed`, of constant size. Otherwise
    its size is `geometry.size_above(size of below // replicate, kernel)`.
    """

    name: str
    size: Size
    below: str | None = None
    replicate: Size = (1, 1)
    kernel: Size = (1, 1)
    geometry: Geometry = Geometry()
    window: Size = (1, 1)
    fixed: bool = False
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Init:
    """How a parameter starts: normal with mean 0 and deviation `scale`, or the constant `scale`."""

    kind: Literal["normal", "constant"]
    scale: float


Kind = Literal[
    "input", "latent", "mask", "state", "output", "target", "sample", "parameter", "statistic", "basis"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variable:
    """A value that a program is given.

    An input, a given latent or mask, an entry of a loop's state, a head's output, target or random samples, a
    parameter, a running statistic, or part of a basis that a file gives.
    """

    name: str
    type: TensorType
    kind: Kind
    init: Init | None = None
