"""Adds four points to the FASSEG masks, for a second task: the centres of both eyes, of the nose and of the mouth.

    python benchmarks/studies/fasseg_points.py SOURCE.npz TARGET.npz

An eye is the larger piece of class 3 on its side of the nose's centre; what a mask lacks is not annotated.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

EYES, NOSE, MOUTH = 3, 4, 5
LEAST = 6
"""Pixels: smaller pieces are no parts."""


def centre(part: NDArray[np.bool_]) -> NDArray[np.float32] | None:
    """The centre (x, y) of the largest piece of a part; None where it has none of LEAST pixels."""
    pieces, count = ndimage.label(part)
    sizes = np.bincount(pieces.ravel())[1:]
    if not count or sizes.max() < LEAST:
        return None
    rows, columns = np.nonzero(pieces == 1 + int(sizes.argmax()))
    return np.asarray([columns.mean(), rows.mean()], np.float32)


def points_of(mask: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Eye on the left of the picture, eye on the right, nose, mouth: (4, 2), and (4,) 2 where there is one, else 0."""
    nose, mouth = centre(mask == NOSE), centre(mask == MOUTH)
    middle = nose[0] if nose is not None else mask.shape[1] / 2
    left = np.arange(mask.shape[1]) < middle
    found = [centre((mask == EYES) & left), centre((mask == EYES) & ~left), nose, mouth]
    points = np.stack([np.zeros(2, np.float32) if each is None else each for each in found])
    return points, np.asarray([0 if each is None else 2 for each in found], np.uint8)


def main(source: Path, target: Path) -> None:
    """Write all arrays of the source, and `keypoints` and `visible` of its masks."""
    with np.load(source) as given:
        arrays = dict(given)
    found = [points_of(mask) for mask in arrays["masks"]]
    target.parent.mkdir(parents=True, exist_ok=True)
    points, visible = np.stack([each for each, _ in found]), np.stack([each for _, each in found])
    np.savez(target, **arrays, keypoints=points, visible=visible)
    print(f"{target}: {len(found)} pictures, {int((visible > 0).sum())} points of {visible.size}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
