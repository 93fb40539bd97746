"""A cut: the rectangle of a picture that a sample shows, and the size it is brought to."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, sqrt

import numpy as np
from numpy.typing import NDArray

from lvmc.data.pixels import Pixels
from lvmc.data.sample import UNCOUNTED
from lvmc.ir import Size


@dataclass(frozen=True, slots=True)
class Cut:
    """A rectangle of a file's picture and the size (H, W) it is brought to.

    Edges are in pixels of the file, where pixel i reaches from i to i + 1, its centre is at i + ½, and is what points
    call i. So x ↦ (x + ½ − left) · W / width − ½.
    """

    left: float
    top: float
    width: float
    height: float
    size: Size

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the sample a pixel of the file, in x and y."""
        return self.size[1] / self.width, self.size[0] / self.height

    @property
    def zoom(self) -> float:
        """Length in the sample of a unit length of the file (the geometric mean over directions)."""
        return sqrt(self.scale[0] * self.scale[1])

    @property
    def origin(self) -> NDArray[np.float64]:
        """(2, 3) affine map from points of the sample to points of the file."""
        across, down = (1 / each for each in self.scale)
        x, y = self.left + across / 2 - 0.5, self.top + down / 2 - 0.5
        return np.asarray([[across, 0, x], [0, down, y]], np.float64)


def whole(given: Size, size: Size) -> Cut:
    """All of a picture of size `given`, stretched, as `lvmc run` does."""
    return Cut(0.0, 0.0, float(given[1]), float(given[0]), size)


def around(box: tuple[float, float, float, float], enlarge: float, size: Size) -> Cut:
    """A box (x, y, width, height), `enlarge` times as large about its centre and widened to the aspect of `size`."""
    x, y, width, height = box
    aspect = size[1] / size[0]
    wide = max(width, height * aspect) * enlarge
    high = wide / aspect
    return Cut(x + width / 2 - wide / 2, y + height / 2 - high / 2, wide, high, size)


def cut_points(points: NDArray[np.float64], cut: Cut) -> NDArray[np.float32]:
    """Points (…, 2) of the file in pixels of the sample."""
    moved = (points + 0.5 - np.asarray([cut.left, cut.top])) * np.asarray(cut.scale) - 0.5
    return np.asarray(moved, np.float32)


def within(points: NDArray[np.float32], size: Size) -> NDArray[np.bool_]:
    """Which points (…, 2) lie on a picture: the area of its pixels, half a pixel around their centres."""
    return np.all((points >= -0.5) & (points < np.asarray([size[1], size[0]]) - 0.5), axis=-1)


def cut_pixels(pixels: Pixels, cut: Cut) -> Pixels:
    """A picture (h, w, channels) cut and brought to size: bilinear, over the area of a pixel where it shrinks.

    Beyond the picture its edge is repeated.
    """
    from PIL import Image

    high, wide = pixels.shape[:2]
    if cut == whole((high, wide), (high, wide)):
        return pixels
    x, y = floor(cut.left), floor(cut.top)
    part = _patch(pixels, x, y, ceil(cut.left + cut.width), ceil(cut.top + cut.height))
    box = (cut.left - x, cut.top - y, cut.left - x + cut.width, cut.top - y + cut.height)
    planes = [part] if part.shape[2] == 3 else [part[:, :, number] for number in range(part.shape[2])]
    size = (cut.size[1], cut.size[0])
    shown = [np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BILINEAR, box)) for each in planes]
    return shown[0] if shown[0].ndim == 3 else np.stack(shown, axis=2)


def _patch(pixels: Pixels, left: int, top: int, right: int, bottom: int) -> Pixels:
    rows, columns = pixels.shape[:2]
    inside = pixels[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if inside.shape[:2] == (bottom - top, right - left):
        return np.ascontiguousarray(inside)
    down, across = np.clip(np.arange(top, bottom), 0, rows - 1), np.clip(np.arange(left, right), 0, columns - 1)
    return pixels[down[:, None], across[None]]


def cut_mask(mask: Pixels, cut: Cut) -> Pixels:
    """A mask (h, w) cut and brought to size: the class at each pixel's centre; beyond the picture none counts."""
    return np.asarray(cut_numbers(mask, cut, UNCOUNTED), np.uint8)


def cut_numbers(plane: NDArray[np.integer], cut: Cut, outside: int) -> NDArray[np.integer]:
    """Numbers (h, w) at each pixel's centre; `outside` beyond the picture."""
    down = np.floor(cut.top + (np.arange(cut.size[0]) + 0.5) / cut.scale[1]).astype(np.int64)
    across = np.floor(cut.left + (np.arange(cut.size[1]) + 0.5) / cut.scale[0]).astype(np.int64)
    rows, columns = plane.shape
    found = plane[np.clip(down, 0, rows - 1)[:, None], np.clip(across, 0, columns - 1)[None]]
    known = ((down >= 0) & (down < rows))[:, None] & ((across >= 0) & (across < columns))[None]
    return np.where(known, found, outside).astype(plane.dtype)
