"""Things in front of a figure: textured boxes and heaps of discs over some of its joints."""

from __future__ import annotations

from math import pi

import numpy as np
from numpy.typing import NDArray

from lvmc.data.paint import Box, Canvas, Capsule, Heap, Shape, paint
from lvmc.data.person import draw_texture, sized
from lvmc.data.pose import Pose
from lvmc.data.scenery import BACKGROUND

_TRIES = 20


def cover(on: Canvas, pose: Pose, random: np.random.Generator) -> NDArray[np.bool_]:
    """Paint one to three occluders, at least one joint under them; which of the joints (16,) they hide."""
    joints = pose.joints
    hidden = np.zeros(len(joints), np.bool_)
    wanted = int(random.integers(1, 4))
    for number in range(wanted + _TRIES):
        if number >= wanted and hidden.any():
            break
        shape = _shape(random, pose)
        paint(on, shape, sized(draw_texture(random), pose.height), BACKGROUND, round_by=0.05 * pose.height)
        hidden |= shape.field(joints[:, 0], joints[:, 1]).distance < 0
    return hidden


def _shape(random: np.random.Generator, pose: Pose) -> Shape:
    """A box or a heap near a joint, 0.12 to 0.4 heights of the figure long."""
    joints = pose.joints
    spread = 0.05 * pose.height * random.standard_normal(2)
    x, y = (joints[int(random.integers(len(joints)))] + spread).tolist()
    half = (0.06 + 0.14 * random.random(2)) * pose.height
    if random.random() < 0.6:
        return Box((x, y), (float(half[0]), float(half[1])), pi * random.random())
    ends = np.asarray([x, y]) + 0.5 * half * random.standard_normal((3, 2, 2))
    radii = half.mean() * (0.5 + 0.4 * random.random((3, 2)))
    return Heap(tuple(_disc(*place) for place in zip(ends.tolist(), radii.tolist(), strict=True)))


def _disc(ends: list[list[float]], radii: list[float]) -> Capsule:
    (ax, ay), (bx, by) = ends
    return Capsule((ax, ay), (bx, by), radii[0], radii[1])
