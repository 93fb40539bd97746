"""The stick people of `figures` in space: poses to learn a basis from.

Poses stand upright along their third coordinate: ahead, left, up. Seen by a level camera (`lvmc.lifting.rotations`)
they look at the viewer, left to the right. Lengths are in heights of the body.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lvmc.data.pose import draw_body

Numbers = NDArray[np.float64]

_STREAM = 0x626F6479


def body_poses(count: int, seed: int = 0) -> Numbers:
    """Poses (count, 3, 16) of bodies that face the first axis, their mean joint at 0."""
    bodies = [draw_body(np.random.default_rng((_STREAM, seed % 2**64, number))) for number in range(count)]
    poses = np.stack(bodies)[:, :, [2, 0, 1]].transpose(0, 2, 1)
    return poses - poses.mean(2, keepdims=True)
