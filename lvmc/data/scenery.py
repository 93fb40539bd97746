"""What stands behind a figure: a gradient, soft blobs, and capsules in twos that look like limbs."""

from __future__ import annotations

from math import cos, pi, sin

import numpy as np

from lvmc.data.paint import Canvas, Capsule, Plane, canvas, paint
from lvmc.data.person import Clothes, draw_colour, draw_texture, sized
from lvmc.ir import Size

BACKGROUND = 0


def draw_scenery(random: np.random.Generator, size: Size, clothes: Clothes) -> Canvas:
    """A background of `size`, cluttered; half of its limbs wear what the figure before it wears."""
    on = canvas(_gradient(random, size))
    for _ in range(int(random.integers(2, 6))):
        _blob(on, random)
    for _ in range(int(random.integers(1, 6))):
        _limb(on, random, clothes)
    return on


def _gradient(random: np.random.Generator, size: Size) -> Plane:
    first, last, angle = draw_colour(random), draw_colour(random), 2 * pi * random.random()
    x, y = np.linspace(-0.5, 0.5, size[1], dtype=np.float32), np.linspace(-0.5, 0.5, size[0], dtype=np.float32)
    share = x[None] * np.float32(cos(angle) * 0.7) + y[:, None] * np.float32(sin(angle) * 0.7) + np.float32(0.5)
    return first[:, None, None] + share * (last - first)[:, None, None]


def _blob(on: Canvas, random: np.random.Generator) -> None:
    """A soft stain whose opacity falls as (1 − r²)² from its centre."""
    high, wide = on.classes.shape
    cx, cy, reach = random.random() * wide, random.random() * high, (0.15 + 0.3 * random.random()) * max(high, wide)
    rows = slice(max(0, int(cy - reach)), min(high, int(cy + reach) + 1))
    columns = slice(max(0, int(cx - reach)), min(wide, int(cx + reach) + 1))
    dx, dy = (on.x[:, columns] - cx) / reach, (on.y[rows] - cy) / reach
    share = np.maximum(1 - dx * dx - dy * dy, 0)
    share *= share * np.float32(0.3 + 0.6 * random.random())
    below = on.colours[:, rows, columns]
    below += share * (draw_colour(random)[:, None, None] - below)


def _limb(on: Canvas, random: np.random.Generator, clothes: Clothes) -> None:
    """Two capsules with a joint between them."""
    high, wide = on.classes.shape
    height = 0.8 * min(high, wide)
    worn = (clothes.shirt, clothes.limbs["wrist"], clothes.limbs["knee"], clothes.limbs["ankle"])
    texture = worn[int(random.integers(4))] if random.random() < 0.5 else draw_texture(random)
    x, y, angle = random.random() * wide, random.random() * high, 2 * pi * random.random()
    radius = (0.02 + 0.03 * random.random()) * height
    for narrow in (0.85, 0.65):
        length = (0.12 + 0.16 * random.random()) * height
        end = (x + length * cos(angle), y + length * sin(angle))
        capsule = Capsule((x, y), end, radius, radius * narrow)
        paint(on, capsule, sized(texture, height), BACKGROUND, round_by=max(radius, 1.0))
        (x, y), radius, angle = end, radius * narrow, angle + 1.2 * float(random.standard_normal())
