"""`figures`: stick people drawn from a seed, each picture a function of (seed, split, number).

A person of 16 joints stands before clutter that looks like limbs. Its two sides wear the same, so that what is left
and right follows from how all of it stands, and from whether face or hair is seen. A joint is hidden where an occluder
covers it; a limb of the same body in front of a joint leaves it visible. Masks show what is on top: an occluder is
background. The unit of errors is MPII's: 0.6 × the diagonal of the head's box, which is the head's length, not
foreshortened, by its width. Joints in 3D are in heights of the body, about their mean; the picture is their parallel
projection.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

import numpy as np

from lvmc.data.kept import Kept
from lvmc.data.occluders import cover
from lvmc.data.paint import Plane
from lvmc.data.person import HEAD_WIDTH, draw_clothes, paint_person
from lvmc.data.pixels import Pixels
from lvmc.data.pose import FLIP, HEAD, JOINTS, SKELETON, draw_pose
from lvmc.data.sample import VISIBLE, About, Sample, Splits
from lvmc.data.scenery import draw_scenery
from lvmc.graph import InputNode
from lvmc.spec.data import Figures

CLASSES = ("background", "head", "torso", "arms", "legs")
TRAIN, VALIDATION, TEST = 0, 1, 2
UNIT = 0.6 * hypot(HEAD, HEAD_WIDTH)
"""The unit of errors in heights of the body."""

_STREAM, _COVERS = 0x666967, 0x636F76
_ABOUT = About(JOINTS, FLIP, SKELETON, CLASSES)


@dataclass(frozen=True, slots=True)
class FigureSet:
    """Figures of one split: `covered` is the share with occluders, drawn apart from the figures themselves."""

    size: tuple[int, int]
    channels: int
    seed: int
    split: int
    count: int
    covered: float

    @property
    def about(self) -> About:
        """Joints and classes."""
        return _ABOUT

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        return draw_figure(self, index)


def open_figures(record: Figures, block: InputNode) -> Splits:
    """The sets of a record at the size of an input; `covered` shows the figures of the test set, all with occluders.

    Raises:
        ValueError: The input has neither 1 nor 3 channels, or is too small to show a figure.
    """
    if block.channels not in (1, 3):
        raise ValueError(
            f"figures have 1 or 3 channels, but {block.name!r} has {block.channels}; give data of its kind"
        )
    if min(block.size) < 16:
        raise ValueError(f"{block.name!r} is {block.size[0]}×{block.size[1]}; figures take 16×16 at least")

    def drawn(split: int, count: int, covered: float) -> Kept:
        return Kept(FigureSet(block.size, block.channels, record.seed, split, count, covered))

    return Splits(
        drawn(TRAIN, record.count, record.occluders),
        drawn(VALIDATION, record.validation, record.occluders),
        drawn(TEST, record.test, record.occluders),
        {"covered": drawn(TEST, record.test, 1.0)},
    )


def draw_figure(figures: FigureSet, index: int) -> Sample:
    """Sample `index` of a set.

    Raises:
        IndexError: The set has no such sample.
    """
    if not 0 <= index < figures.count:
        raise IndexError(f"figure {index} of {figures.count}")
    place = (figures.seed % 2**64, figures.split, index)
    random, covers = np.random.default_rng((_STREAM, *place)), np.random.default_rng((_COVERS, *place))
    pose, clothes = draw_pose(random, figures.size), draw_clothes(random)
    scene = draw_scenery(random, figures.size, clothes)
    paint_person(scene, pose, clothes)
    hidden = np.zeros(len(JOINTS), np.bool_)
    if covers.random() < figures.covered:
        hidden = cover(scene, pose, covers)
    return Sample(
        name=f"figure {index} of {('train', 'validation', 'test')[figures.split]}",
        image=_pixels(scene.colours, clothes.noise, random, figures.channels),
        points=pose.joints,
        points3d=pose.joints3d,
        visible=np.where(hidden, 1, VISIBLE).astype(np.uint8),
        mask=scene.classes,
        unit=UNIT * pose.height,
        origin=np.eye(2, 3),
    )


def _pixels(colours: Plane, noise: float, random: np.random.Generator, channels: int) -> Pixels:
    """Colours (3, H, W) with a camera's noise as (H, W, channels) of 8 bits; grey is Rec. 601's."""
    grey = np.asarray([0.299, 0.587, 0.114], np.float32)
    planes = colours if channels == 3 else np.tensordot(grey, colours, 1)[None]
    noisy = random.standard_normal(planes.shape, np.float32)
    noisy *= np.float32(noise)
    noisy += planes
    return np.ascontiguousarray(np.clip(noisy, 0, 255).astype(np.uint8).transpose(1, 2, 0))
