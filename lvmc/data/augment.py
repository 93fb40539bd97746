"""How training pictures are changed: one affine warp, colours, and a piece of another picture pasted over them.

What happens to a picture is drawn from (seed, epoch, number of the sample) alone. In order: mirrored, turned and
zoomed about its middle, shifted (one warp, the edge repeated beyond the picture); contrast about its mean, brightness,
saturation; then a rectangle of another training picture, as that is in its set, lies over the same place of this one.
Points under the rectangle become hidden; pixels of masks under it no longer count. Points that leave the picture
are no longer annotated. Units of errors are zoomed. Points in 3D are mirrored and turned with the picture, no more.
"""

# kornia's functions are annotated in a way that pyright cannot always resolve.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.data.cuts import within
from lvmc.data.sample import HIDDEN, UNCOUNTED, VISIBLE
from lvmc.ir import Size
from lvmc.spec.train import Augment

if TYPE_CHECKING:
    from torch import Tensor

Numbers = NDArray[np.float64]

_STREAM = 0x617567
_DRAWS = 14


@dataclass(frozen=True, slots=True)
class Changes:
    """What happens to each of B pictures.

    Attributes:
        warp: (B, 2, 3) from pixels of the picture to pixels of the changed one.
        mirrored: (B,) whether left and right change places.
        zoom: (B,) length after of a unit length before.
        brightness: (B,) added, as a share of the range of pixels.
        contrast, saturation: (B,) factors.
        occluder: (B, 4) rows and columns covered: first row, end, first column, end; all 0 where nothing is.
        donor: (B,) number of the sample that the rectangle is from; -1: none.
    """

    warp: Numbers
    mirrored: NDArray[np.bool_]
    zoom: Numbers
    brightness: Numbers
    contrast: Numbers
    saturation: Numbers
    occluder: NDArray[np.int64]
    donor: NDArray[np.int64]


def draw_changes(augment: Augment, seed: int, epoch: int, index: NDArray[np.int64], size: Size, count: int) -> Changes:
    """The changes of samples `index` (B,) of a set of `count`, whose pictures are of `size`, in an epoch.

    Angles and shifts are uniform up to their largest either way; so are factors about 1; a zoom and its inverse are
    equally likely, and none is above 1 + `scale`.
    """
    streams = [np.random.default_rng((_STREAM, seed % 2**64, epoch, int(number))) for number in index]
    share = np.stack([stream.random(_DRAWS) for stream in streams], axis=1)
    spread = 2 * share - 1
    mirrored = share[0] < augment.flip
    zoom = (1 + augment.scale) ** spread[2]
    shift = spread[3:5].T * augment.shift * np.asarray([size[1], size[0]])
    covered = np.logical_and(share[8] < augment.occlude, count > 1)
    other = (index + 1 + np.floor(share[9] * (count - 1)).astype(np.int64)) % count
    return Changes(
        warp=affine(np.radians(augment.rotate * spread[1]), zoom, mirrored, shift, size),
        mirrored=mirrored,
        zoom=zoom,
        brightness=augment.brightness * spread[5],
        contrast=np.maximum(1 + augment.contrast * spread[6], 0),
        saturation=np.maximum(1 + augment.saturation * spread[7], 0),
        occluder=np.where(covered[:, None], _rectangles(share[10:14].T, augment.occluder, size), 0),
        donor=np.where(covered, other, -1),
    )


def affine(angle: Numbers, zoom: Numbers, mirrored: NDArray[np.bool_], shift: Numbers, size: Size) -> Numbers:
    """(B, 2, 3): x ↦ c + shift + zoom · R(angle) · M (x − c); c is the picture's middle, M mirrors left and right."""
    middle = np.asarray([(size[1] - 1) / 2, (size[0] - 1) / 2])
    c, s = np.cos(angle) * zoom, np.sin(angle) * zoom
    turned = np.stack([np.stack([c, -s], 1), np.stack([s, c], 1)], 1)
    turned[:, :, 0] *= np.where(mirrored, -1.0, 1.0)[:, None]
    return np.concatenate([turned, (middle + shift - turned @ middle)[:, :, None]], 2)


def _rectangles(share: Numbers, sides: tuple[float, float], size: Size) -> NDArray[np.int64]:
    """(B, 4): sides uniform between two fractions of the picture's, then a place uniform where they fit."""
    least, most = min(sides), max(sides)
    extent = np.asarray(size)
    lengths = np.clip(np.rint((least + (most - least) * share[:, :2]) * extent), 1, extent)
    starts = np.floor(share[:, 2:] * (extent - lengths + 1))
    return np.stack([starts, starts + lengths], 2).reshape(-1, 4).astype(np.int64)


def change_points(
    points: NDArray[np.float32], visible: NDArray[np.uint8], changes: Changes, flip: tuple[int, ...] | None, size: Size
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Points (B, P, 2) and visibilities (B, P) after the changes; what is not annotated is at 0."""
    if flip is not None:
        order = _order(changes, flip)
        points = np.take_along_axis(points, order[:, :, None], 1)
        visible = np.take_along_axis(visible, order, 1)
    warped = points @ changes.warp[:, :, :2].swapaxes(1, 2) + changes.warp[:, None, :, 2]
    moved = np.asarray(warped, np.float32)
    annotated = (visible > 0) & within(moved, size)
    top, bottom, left, right = (changes.occluder[:, edge, None] - 0.5 for edge in range(4))
    x, y = moved[:, :, 0], moved[:, :, 1]
    under = (y >= top) & (y < bottom) & (x >= left) & (x < right)
    seen = np.where(under & (visible == VISIBLE), HIDDEN, visible)
    return np.where(annotated[:, :, None], moved, 0), np.where(annotated, seen, 0).astype(np.uint8)


def _order(changes: Changes, flip: tuple[int, ...]) -> NDArray[np.int64]:
    """(B, P): which point stands where."""
    own, other = np.arange(len(flip)), np.asarray(flip, np.int64)
    return np.stack([other if mirrored else own for mirrored in changes.mirrored])


def change_points3d(points: NDArray[np.float32], changes: Changes, flip: tuple[int, ...] | None) -> NDArray[np.float32]:
    """Points (B, P, 3) in the view after the changes: right and down mirrored and turned, lengths and depths as before.

    What is seen of a point, or whether it is still in the picture, makes no difference.
    """
    if flip is not None:
        points = np.take_along_axis(points, _order(changes, flip)[:, :, None], 1)
    turned = changes.warp[:, :, :2] / changes.zoom[:, None, None]
    flat = points[:, :, :2] @ turned.swapaxes(1, 2)
    return np.concatenate([flat, points[:, :, 2:]], 2).astype(np.float32)


def change_images(images: Tensor, donors: Tensor, changes: Changes) -> Tensor:
    """Pictures (B, C, H, W) in 0 … 1 after the changes; `donors` (covered ones, C, H, W) in the order of the batch.

    Contrast is a·(x − m) + m about the picture's mean m and brightness adds to it, so both are one product and sum,
    cut to 0 … 1 once.
    """
    import torch
    from kornia.enhance import adjust_brightness, adjust_contrast, adjust_saturation_with_gray_subtraction

    warped = warp_planes(images, changes, "bilinear")
    if (changes.contrast != 1).any() or (changes.brightness != 0).any():
        means = np.asarray([each.mean(dtype=np.float64) for each in warped.numpy()])
        offset = changes.brightness + (1 - changes.contrast) * means
        stretched = adjust_contrast(warped, torch.from_numpy(changes.contrast).float(), clip_output=False)
        warped = adjust_brightness(stretched, torch.from_numpy(offset).float())
    if images.shape[1] == 3 and (changes.saturation != 1).any():
        warped = adjust_saturation_with_gray_subtraction(warped, torch.from_numpy(changes.saturation).float())
    for donor, row in enumerate(np.flatnonzero(changes.donor >= 0)):
        top, bottom, left, right = changes.occluder[row]
        warped[row, :, top:bottom, left:right] = donors[donor, :, top:bottom, left:right]
    return warped


def change_masks(masks: NDArray[np.uint8], changes: Changes) -> NDArray[np.uint8]:
    """Masks (B, H, W) after the changes: the class at the nearest pixel; 255 under occluders."""
    warped = change_numbers(masks, changes).astype(np.uint8)
    for row, (top, bottom, left, right) in enumerate(changes.occluder):
        warped[row, top:bottom, left:right] = UNCOUNTED
    return warped


def change_numbers(planes: NDArray[np.integer], changes: Changes) -> NDArray[np.int32]:
    """Whole numbers below 2²⁴ (B, H, W) warped to the nearest pixel."""
    import torch

    warped = warp_planes(torch.from_numpy(planes.astype(np.float32))[:, None], changes, "nearest")
    return warped[:, 0].numpy().astype(np.int32)


def warp_planes(planes: Tensor, changes: Changes, mode: str) -> Tensor:
    """Planes (B, C, H, W) warped, the edge repeated beyond the picture; the same tensor where nothing moves."""
    import torch
    from kornia.geometry.transform import warp_affine

    if np.array_equal(changes.warp, np.broadcast_to(np.eye(2, 3), changes.warp.shape)):
        return planes.clone()
    high, wide = planes.shape[2:]
    return warp_affine(planes, torch.from_numpy(changes.warp).float(), (high, wide), mode=mode, padding_mode="border")
