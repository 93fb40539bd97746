"""Poses of a stick person: joint angles within what limbs can do, seen from a direction, as points of a picture.

The body's axes are its left, up and ahead; the view's are right, up and towards the viewer. Lengths are in heights of
the body. Turning the body about its upright axis decides which side of the picture its left hand is on, so the two
sides, which look alike, are told apart by how the whole person stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from lvmc.ir import Size

Numbers = NDArray[np.float64]

JOINTS = (
    *("r_ankle", "r_knee", "r_hip", "l_hip", "l_knee", "l_ankle", "pelvis", "thorax", "neck", "head"),
    *("r_wrist", "r_elbow", "r_shoulder", "l_shoulder", "l_elbow", "l_wrist"),
)
"""In the order of MPII; `head` is its top, `neck` where it begins."""

FLIP = (5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10)
SKELETON = (
    *((0, 1), (1, 2), (2, 6), (5, 4), (4, 3), (3, 6), (6, 7), (7, 8), (8, 9)),
    *((10, 11), (11, 12), (12, 7), (15, 14), (14, 13), (13, 7)),
)

HIP, SHOULDER, TRUNK, NECK, HEAD = 0.055, 0.105, 0.28, 0.05, 0.165
THIGH, SHIN, FOOT, UPPER_ARM, FOREARM, HAND = 0.245, 0.235, 0.07, 0.165, 0.15, 0.04
"""Lengths in heights of the body, after Drillis & Contini's table; hips and shoulders from the middle."""

_SIDE = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_NUMBER = {name: number for number, name in enumerate(JOINTS)}


@dataclass(frozen=True, slots=True)
class Pose:
    """A person on a picture.

    Attributes:
        points: (20, 3): the joints, then the tips of right hand, left hand, right foot, left foot: x, y in pixels, and
            how near they are to the viewer, in pixels.
        height: Of the body, in pixels.
        ahead, up: (3,) where the face looks and where the head's top is, in the view: right, down, towards the viewer.
        thick: Width of the limbs, times the usual.
    """

    points: Numbers
    height: float
    ahead: Numbers
    up: Numbers
    thick: float

    @property
    def joints3d(self) -> NDArray[np.float32]:
        """(16, 3) right, down, depth in heights of the body, their mean at 0; `joints` are their projection."""
        joints = self.points[: len(JOINTS)] / self.height * np.asarray([1.0, 1.0, -1.0])
        return np.asarray(joints - joints.mean(0), np.float32)

    @property
    def joints(self) -> NDArray[np.float32]:
        """(16, 2) x, y in pixels."""
        return np.asarray(self.points[: len(JOINTS), :2], np.float32)


def draw_pose(random: np.random.Generator, size: Size) -> Pose:
    """A pose of a person who fills most of a picture of `size`, all joints within it."""
    body, head = _body(random.standard_normal(28), random.random(8))
    turned, roll, pitch = random.random(), *random.standard_normal(2)
    side = 0.0 if turned < 0.5 else 180.0
    yaw = side + float(np.clip(random.standard_normal() * 35, -80, 80))
    view = _about("z", roll * 12) @ _about("x", pitch * 6) @ _about("y", yaw)
    seen = body @ view.T * np.asarray([1, -1, 1])
    axes = (view @ head).T * np.asarray([1, -1, 1])
    return _placed(seen, axes, random.random(4), size)


def draw_body(random: np.random.Generator) -> Numbers:
    """Joints (16, 3) of a body in a drawn pose: its left, up and ahead, in its heights, pelvis at 0."""
    return _body(random.standard_normal(28), random.random(8))[0][: len(JOINTS)]


def _placed(seen: Numbers, axes: Numbers, share: Numbers, size: Size) -> Pose:
    thick = 0.8 + 0.45 * share[3]
    least, most = seen[:, :2].min(0) - 0.04 * thick, seen[:, :2].max(0) + 0.04 * thick
    room = np.asarray([size[1], size[0]], np.float64)
    fits = float(np.min(room / (most - least)))
    height = min((0.62 + 0.33 * share[0]) * fits, 1.5 * float(room.max()))
    corner = (room - (most - least) * height) * share[1:3] - 0.5
    points = np.column_stack([(seen[:, :2] - least) * height + corner, seen[:, 2] * height])
    return Pose(points, height, axes[2], axes[1], thick)


def _about(axis: str, degrees: float) -> Numbers:
    c, s = cos(radians(degrees)), sin(radians(degrees))
    rows = {
        "x": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }
    return np.asarray(rows[axis], np.float64)


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _body(normal: Numbers, share: Numbers) -> tuple[Numbers, Numbers]:
    """Points (20, 3) in the body's axes, pelvis at 0; and the axes of its head as columns."""
    points = np.zeros((20, 3))
    trunk = _about("z", _within(normal[0] * 7, -25, 25)) @ _about("x", _within(6 + normal[1] * 10, -20, 50))
    chest = trunk @ _about("y", _within(normal[2] * 10, -35, 35))
    head = chest @ _about("y", _within(normal[3] * 14, -45, 45)) @ _about("x", _within(5 + normal[4] * 8, -25, 35))
    points[_NUMBER["thorax"]] = trunk[:, 1] * TRUNK * (1 + 0.05 * normal[5])
    points[_NUMBER["neck"]] = points[_NUMBER["thorax"]] + chest[:, 1] * NECK
    points[_NUMBER["head"]] = points[_NUMBER["neck"]] + head[:, 1] * HEAD
    lengths = 1 + 0.06 * np.clip(normal[6:8], -2, 2)
    for number, (side, sign) in enumerate((("r", -1), ("l", 1))):
        shoulder = points[_NUMBER["thorax"]] + chest @ np.asarray([sign * SHOULDER, -0.01, 0])
        arm = _arm(shoulder, chest, sign, normal[8 + 5 * number :], share[4 * number :], lengths[0])
        leg = _leg(np.asarray([sign * HIP, 0, 0]), sign, normal[18 + 4 * number :], share[4 * number + 2], lengths[1])
        for name, place in zip(_SIDE, (*arm[:3], *leg[:3]), strict=True):
            points[_NUMBER[f"{side}_{name}"]] = place
        points[16 + number], points[18 + number] = arm[3], leg[3]
    return points, head


def _arm(start: Numbers, chest: Numbers, sign: int, normal: Numbers, share: Numbers, length: float) -> list[Numbers]:
    raised = share[0] * 165 if share[1] < 0.45 else 12 + abs(normal[0]) * 16
    ahead = _within(10 + normal[1] * 35, -45, 150)
    turn = _within(25 + normal[2] * 35, -40, 90)
    bend = _within(abs(20 + normal[3] * 50), 0, 145)
    upper = chest @ _about("z", sign * _within(raised, 2, 170)) @ _about("x", -ahead) @ _about("y", -sign * turn)
    fore = upper @ _about("x", -bend)
    elbow = start - upper[:, 1] * UPPER_ARM * length
    wrist = elbow - fore[:, 1] * FOREARM * length
    return [start, elbow, wrist, wrist - fore[:, 1] * HAND]


def _leg(start: Numbers, sign: int, normal: Numbers, share: float, length: float) -> list[Numbers]:
    stride = 55.0 if share < 0.2 else 10.0
    ahead = _within(stride * (share < 0.2) * 0.8 + normal[0] * (12 + stride * 0.4), -30, 105)
    apart = _within(7 + normal[1] * 10, -6, 45)
    bend = _within(abs(normal[2]) * (22 + 0.5 * stride) + max(ahead - 25, 0) * 0.6, 0, 130)
    upper = _about("z", sign * apart) @ _about("x", -ahead) @ _about("y", sign * _within(8 + normal[3] * 10, -20, 40))
    lower = upper @ _about("x", bend)
    knee = start - upper[:, 1] * THIGH * length
    ankle = knee - lower[:, 1] * SHIN * length
    return [start, knee, ankle, ankle + lower @ np.asarray([0, -0.35, 0.94]) * FOOT]
