"""The stick people of `figures` in space: their poses to learn a basis from, and what their pictures show in 3D.

Poses stand upright along their third coordinate: ahead, left, up. Seen by a level camera (`lvmc.lifting.rotations`)
they look at the viewer, left to the right. Lengths are in heights of the body.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lvmc.data.figures import FigureSet, figure_pose
from lvmc.data.pose import JOINTS, draw_body

Numbers = NDArray[np.float64]

_STREAM = 0x626F6479


def body_poses(count: int, seed: int = 0) -> Numbers:
    """Poses (count, 3, 16) of bodies that face the first axis, their mean joint at 0."""
    bodies = [draw_body(np.random.default_rng((_STREAM, seed % 2**64, number))) for number in range(count)]
    poses = np.stack(bodies)[:, :, [2, 0, 1]].transpose(0, 2, 1)
    return poses - poses.mean(2, keepdims=True)


def points_in_space(figures: FigureSet, index: int) -> Numbers:
    """Joints (16, 3) of sample `index` in the view: right, down, depth, in heights of the body, their mean at 0.

    The picture is their parallel projection, `pose.height` pixels a unit.
    """
    pose = figure_pose(figures, index)
    joints = pose.points[: len(JOINTS)] / pose.height * np.asarray([1.0, 1.0, -1.0])
    return joints - joints.mean(0)
