"""Shapes as signed distance fields, painted on a canvas with soft edges: capsules, boxes, heaps of discs.

Distances are in pixels, negative inside; an edge is one pixel wide: opacity = clip(½ − distance, 0, 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lvmc.ir import Size

Plane = NDArray[np.floating]
Colour = NDArray[np.float32]


class Field(NamedTuple):
    """A shape where it was asked for: distances to its edge, and coordinates along and across it, in pixels."""

    distance: Plane
    along: Plane
    across: Plane


@dataclass(frozen=True, slots=True)
class Capsule:
    """All points within a radius of a segment; the radius goes from `start_radius` to `end_radius` along it."""

    start: tuple[float, float]
    end: tuple[float, float]
    start_radius: float
    end_radius: float

    def extent(self) -> tuple[float, float, float, float]:
        """Least and greatest x, then least and greatest y."""
        (ax, ay), (bx, by) = self.start, self.end
        radius = max(self.start_radius, self.end_radius)
        return min(ax, bx) - radius, max(ax, bx) + radius, min(ay, by) - radius, max(ay, by) + radius

    def field(self, x: Plane, y: Plane) -> Field:
        """At points whose coordinates are broadcast."""
        dx, dy = self.end[0] - self.start[0], self.end[1] - self.start[1]
        length = max(hypot(dx, dy), 1e-3)
        ex, ey = dx / length, dy / length
        px, py = x - self.start[0], y - self.start[1]
        along, across = px * ex + py * ey, px * ey - py * ex
        nearest = np.minimum(np.maximum(along, 0), length)
        radius = self.start_radius + nearest * ((self.end_radius - self.start_radius) / length)
        beyond = along - nearest
        return Field(np.sqrt(beyond * beyond + across * across) - radius, along, across)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle turned by `angle`, of half lengths `half`."""

    centre: tuple[float, float]
    half: tuple[float, float]
    angle: float

    def extent(self) -> tuple[float, float, float, float]:
        """Least and greatest x, then least and greatest y."""
        reach = hypot(*self.half)
        return self.centre[0] - reach, self.centre[0] + reach, self.centre[1] - reach, self.centre[1] + reach

    def field(self, x: Plane, y: Plane) -> Field:
        """At points whose coordinates are broadcast; distances at corners are those to the sides."""
        px, py = x - self.centre[0], y - self.centre[1]
        c, s = cos(self.angle), sin(self.angle)
        along, across = px * c + py * s, py * c - px * s
        return Field(np.maximum(np.abs(along) - self.half[0], np.abs(across) - self.half[1]), along, across)


@dataclass(frozen=True, slots=True)
class Heap:
    """A union of shapes, with the coordinates of the first."""

    parts: tuple[Capsule | Box, ...]

    def extent(self) -> tuple[float, float, float, float]:
        """Least and greatest x, then least and greatest y."""
        left, right, top, bottom = zip(*(part.extent() for part in self.parts), strict=True)
        return min(left), max(right), min(top), max(bottom)

    def field(self, x: Plane, y: Plane) -> Field:
        """At points whose coordinates are broadcast."""
        first, *others = (part.field(x, y) for part in self.parts)
        distance = first.distance
        for each in others:
            distance = np.minimum(distance, each.distance)
        return Field(distance, first.along, first.across)


Shape = Capsule | Box | Heap


@dataclass(frozen=True, slots=True)
class Texture:
    """Two colours (3,) in 0 … 255 in a pattern of `period` pixels: `plain` (the first only), `stripes` or `checks`."""

    first: Colour
    second: Colour
    pattern: str = "plain"
    period: float = 4.0

    def at(self, field: Field) -> Plane:
        """(3, …) colours at points."""
        if self.pattern == "plain":
            return self.first[:, None, None]
        odd = np.floor(field.along * (2 / self.period)).astype(np.int32)
        if self.pattern == "checks":
            odd += np.floor(field.across * (2 / self.period)).astype(np.int32)
        share = (odd & 1).astype(np.float32)
        return self.first[:, None, None] + share * (self.second - self.first)[:, None, None]


@dataclass(frozen=True, slots=True)
class Canvas:
    """Colours (3, H, W) in 0 … 255 and the class (H, W) of what is on top; both are painted over in place."""

    colours: Plane
    classes: NDArray[np.uint8]
    x: Plane
    y: Plane


def canvas(colours: Plane) -> Canvas:
    """A canvas with these colours (3, H, W), of class 0."""
    high, wide = colours.shape[1:]
    x, y = np.arange(wide, dtype=np.float32)[None], np.arange(high, dtype=np.float32)[:, None]
    return Canvas(colours, np.zeros((high, wide), np.uint8), x, y)


def window(shape: Shape, size: Size) -> tuple[slice, slice] | None:
    """The rows and columns that a shape touches; None if it lies beside the picture."""
    left, right, top, bottom = shape.extent()
    rows = slice(max(0, int(top)), min(size[0], int(bottom) + 2))
    columns = slice(max(0, int(left)), min(size[1], int(right) + 2))
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None


def paint(on: Canvas, shape: Shape, texture: Texture, number: int, *, round_by: float = 0.0) -> None:
    """Paint a shape of class `number` on the canvas; `round_by` > 0 darkens it from there on towards its edge."""
    place = window(shape, on.classes.shape)
    if place is None:
        return
    field = shape.field(on.x[:, place[1]], on.y[place[0]])
    shown = texture.at(field)
    if round_by:
        shown = shown * (0.62 + 0.38 * np.minimum(np.maximum(field.distance * (-1 / round_by), 0), 1))
    blend(on, place, field.distance, shown, number)


def blend(on: Canvas, place: tuple[slice, slice], distance: Plane, shown: Plane, number: int) -> None:
    """Paint colours (3, …) in a window where distances are below ½, and their class where they are below 0."""
    opacity = np.minimum(np.maximum(0.5 - distance, 0), 1)
    below = on.colours[:, place[0], place[1]]
    below += opacity * (shown - below)
    on.classes[place][distance < 0] = number
