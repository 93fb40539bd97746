"""A sample as every kind of data gives it, and what a set knows of its samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

HIDDEN, VISIBLE = 1, 2
"""Values of `visible`, as COCO writes them; 0: the point is not annotated."""

UNCOUNTED = 255
"""The class of pixels that do not count."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture and what is known of it.

    Attributes:
        name: File and record, for messages and predictions.
        image: Raw pixels (H, W, channels), uint8, at the nominal size of the input.
        points: (points, 2) as x, y in pixels of `image`, centres at whole numbers; float32. Unknown ones are 0.
        visible: (points,) uint8: 0 not annotated, 1 hidden, 2 visible.
        mask: (H, W) uint8, the class of each pixel; 255 does not count.
        label: The class of the picture.
        unit: Length in pixels that point errors are measured in.
        superpixels: (H, W) int32, the superpixel of each pixel.
        values: (D,) float32, numbers to regress.
        origin: (2, 3) affine map from pixels of `image` to pixels of the file, to write predictions.
        image_id: The picture's number in its annotation file, to write predictions.
        points3d: (points, 3) as right, down, depth in the view, in a unit of the data, anywhere; float32, NaN where
            unknown.
    """

    name: str
    image: NDArray[np.uint8]
    points: NDArray[np.float32] | None = None
    visible: NDArray[np.uint8] | None = None
    mask: NDArray[np.uint8] | None = None
    label: int | None = None
    unit: float = 1.0
    superpixels: NDArray[np.int32] | None = None
    values: NDArray[np.float32] | None = None
    origin: NDArray[np.float64] | None = None
    image_id: int | None = None
    points3d: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What all samples of a set have in common: names of points and classes, mirror images and signs, limbs."""

    points: tuple[str, ...] = ()
    flip: tuple[int, ...] | None = None
    skeleton: tuple[tuple[int, int], ...] = ()
    classes: tuple[str, ...] = ()
    signs: tuple[int, ...] | None = None


class SampleSet(Protocol):
    """Samples by number; reading one twice gives the same, in any process."""

    @property
    def about(self) -> About:
        """What its samples have in common."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...


@dataclass(frozen=True, slots=True)
class Splits:
    """The sets of a source: to learn from, to choose by, and to report on.

    `covered` is the test set under occluders, where the source has them; `remarks` say what was skipped.
    """

    train: SampleSet
    validation: SampleSet | None = None
    test: SampleSet | None = None
    covered: dict[str, SampleSet] = field(default_factory=dict[str, SampleSet])
    remarks: tuple[str, ...] = ()
