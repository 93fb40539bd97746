"""A person painted from its pose: limbs from far to near, clothes alike on both sides, a head with face and hair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lvmc.data.paint import Canvas, Capsule, Colour, Heap, Plane, Texture, blend, paint, window
from lvmc.data.pose import HEAD, JOINTS, Pose

HEAD_CLASS, TORSO, ARMS, LEGS = 1, 2, 3, 4
HEAD_WIDTH = 0.72 * HEAD
"""Width of the head in heights of the body."""

_NUMBER = {name: number for number, name in enumerate(JOINTS)} | {
    "r_hand": 16,
    "l_hand": 17,
    "r_foot": 18,
    "l_foot": 19,
}
_SKIN = np.asarray([[236, 196, 165], [214, 162, 122], [170, 116, 80], [112, 72, 48]], np.float32)
_HAIR = np.asarray([[30, 24, 20], [84, 52, 28], [190, 150, 80], [120, 118, 116]], np.float32)
_ENDS = (
    ("hip", "knee"),
    ("knee", "ankle"),
    ("ankle", "foot"),
    ("shoulder", "elbow"),
    ("elbow", "wrist"),
    ("wrist", "hand"),
)
_LIMBS = {
    "knee": (0.046, 0.036, LEGS),
    "ankle": (0.036, 0.024, LEGS),
    "foot": (0.02, 0.017, LEGS),
    "elbow": (0.034, 0.027, ARMS),
    "wrist": (0.027, 0.02, ARMS),
    "hand": (0.02, 0.022, ARMS),
}
"""By its end: the radii of a limb where it starts and ends, in heights of the body, and its class."""


@dataclass(frozen=True, slots=True)
class Clothes:
    """What a person wears, on both sides alike, by the end of each limb; and how noisy its picture is."""

    shirt: Texture
    limbs: dict[str, Texture]
    skin: Colour
    hair: Colour
    noise: float


def draw_colour(random: np.random.Generator) -> Colour:
    """Any colour, (3,) in 10 … 245."""
    return np.asarray(10 + 235 * random.random(3), np.float32)


def draw_texture(random: np.random.Generator) -> Texture:
    """Plain, stripes or checks in two colours; its period is in heights of the body."""
    pattern = ("plain", "stripes", "checks")[int(random.integers(3))]
    return Texture(draw_colour(random), draw_colour(random), pattern, 0.05 + 0.07 * random.random())


def draw_clothes(random: np.random.Generator) -> Clothes:
    """Shirt with long or short sleeves, trousers long or short, shoes; skin and hair."""
    shirt, trousers, shoes = draw_texture(random), draw_texture(random), draw_colour(random)
    skin = _SKIN[random.integers(len(_SKIN))] * np.float32(0.9 + 0.15 * random.random())
    bare, shod = Texture(skin, skin), Texture(shoes, shoes)
    sleeves, legs = random.random(2) < 0.5
    limbs = {
        "elbow": shirt,
        "wrist": shirt if sleeves else bare,
        "hand": bare,
        "knee": trousers,
        "ankle": trousers if legs else bare,
        "foot": shod,
    }
    return Clothes(shirt, limbs, skin, _HAIR[random.integers(len(_HAIR))], 2 + 8 * random.random())


def sized(texture: Texture, height: float) -> Texture:
    """The texture on a body of so many pixels."""
    return Texture(texture.first, texture.second, texture.pattern, max(2.0, texture.period * height))


def paint_person(on: Canvas, pose: Pose, clothes: Clothes) -> None:
    """Paint all of a person, what is nearer to the viewer later."""
    for part in sorted(_parts(pose), key=_nearness):
        match part.name:
            case "torso":
                paint(on, _torso(pose), sized(clothes.shirt, pose.height), TORSO, round_by=0.06 * pose.height)
            case "head":
                _paint_head(on, pose, clothes)
            case end:
                wide, narrow, number = _LIMBS[end]
                capsule = _capsule(pose, part.start, part.end, wide, narrow)
                paint(on, capsule, sized(clothes.limbs[end], pose.height), number, round_by=capsule.start_radius)


class _Part(NamedTuple):
    """What is painted at once: from one point to another, limbs by the name of their end."""

    name: str
    start: int
    end: int
    nearness: float


def _nearness(part: _Part) -> float:
    return part.nearness


def _parts(pose: Pose) -> list[_Part]:
    ends = [("torso", "pelvis", "thorax"), ("head", "neck", "head")]
    ends += [(end, f"{side}_{start}", f"{side}_{end}") for side in "rl" for start, end in _ENDS]
    found = [(name, _NUMBER[start], _NUMBER[end]) for name, start, end in ends]
    return [_Part(*each, float(pose.points[each[1], 2] + pose.points[each[2], 2])) for each in found]


def _capsule(pose: Pose, first: int, last: int, wide: float, narrow: float) -> Capsule:
    (ax, ay, _), (bx, by, _) = pose.points[first].tolist(), pose.points[last].tolist()
    size = pose.height * pose.thick
    return Capsule((ax, ay), (bx, by), wide * size, narrow * size)


def _torso(pose: Pose) -> Heap:
    def joined(start: str, end: str, wide: float, narrow: float) -> Capsule:
        return _capsule(pose, _NUMBER[start], _NUMBER[end], wide, narrow)

    return Heap(
        (
            joined("pelvis", "thorax", 0.06, 0.072),
            joined("r_shoulder", "l_shoulder", 0.036, 0.036),
            joined("r_hip", "l_hip", 0.05, 0.05),
            joined("r_hip", "r_shoulder", 0.045, 0.03),
            joined("l_hip", "l_shoulder", 0.045, 0.03),
        )
    )


def _paint_head(on: Canvas, pose: Pose, clothes: Clothes) -> None:
    """Neck, then a head: hair behind and on top, eyes and mouth on the side that looks ahead."""
    neck, head = (pose.points[_NUMBER[name], :2] for name in ("neck", "head"))
    skin = Texture(clothes.skin, clothes.skin)
    radius = HEAD_WIDTH / 2 * pose.height
    paint(on, _capsule(pose, _NUMBER["thorax"], _NUMBER["neck"], 0.03, 0.028), skin, HEAD_CLASS, round_by=radius / 3)
    axis = head - neck
    inset = axis * min(0.5, radius / max(float(np.hypot(*axis)), 1e-3))
    (ax, ay), (bx, by) = (neck + inset).tolist(), (head - inset).tolist()
    capsule = Capsule((ax, ay), (bx, by), radius, radius)
    place = window(capsule, on.classes.shape)
    if place is None:
        return
    x, y = on.x[:, place[1]], on.y[place[0]]
    distance = capsule.field(x, y).distance
    blend(on, place, distance, _face(x - (ax + bx) / 2, y - (ay + by) / 2, radius, pose, clothes), HEAD_CLASS)


def _face(x: Plane, y: Plane, radius: float, pose: Pose, clothes: Clothes) -> Plane:
    """Colours (3, …) of a ball at points about its centre, by where its surface looks: n = (x, y, √(1 − x² − y²))."""
    nx, ny = x * (0.87 / radius), y * (0.87 / radius)
    nz = np.sqrt(np.maximum(1 - nx * nx - ny * ny, 0.02))

    def towards(direction: NDArray[np.float64]) -> Plane:
        a, b, c = np.asarray(direction, np.float32).tolist()
        return nx * a + ny * b + nz * c

    ahead, up = pose.ahead, pose.up
    side = np.cross(up, ahead)
    hair = 0.75 * towards(up) - towards(ahead) > 0.12
    eyes = np.maximum(*(towards(0.86 * ahead + sign * 0.42 * side + 0.12 * up) for sign in (1, -1))) > 0.93
    mouth = towards(0.84 * ahead - 0.54 * up) > 0.95
    shade = np.float32(0.7) + np.float32(0.3) * nz
    skin, black = clothes.skin[:, None, None], np.float32(25)
    red = np.asarray([150, 40, 45], np.float32)[:, None, None]
    face = np.where(eyes, black, np.where(mouth, red, skin))
    return np.where(hair, clothes.hair[:, None, None], face) * shade
