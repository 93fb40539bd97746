"""A block as a slanted plane of units, after Fig. 2 of the rectified-Gaussian paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2

from lvmc.diagrams.drawing.looks import RED
from lvmc.diagrams.drawing.picture import Point, Shape
from lvmc.ir import Group, Size

STEP_X, STEP_Y, SLANT = 20.0, 10.0, 8.0
RADIUS_X, RADIUS_Y = 5.6, 3.1
MOST = 8
_CLOSER = 0.76


@dataclass(frozen=True, slots=True)
class Plane:
    """Rows × columns of units about a centre, row 0 at the back; what is drawn of a block of any size."""

    centre: Point
    units: Size
    window: Size = (1, 1)
    across_channels: bool = False

    def at(self, row: float, column: float) -> Point:
        """Where row and column lie; units sit at whole numbers, units of a group closer together."""
        (rows, columns), (x, y) = self.units, self.centre
        back = (rows - 1) / 2 - row
        return (x + (column - (columns - 1) / 2) * STEP_X + back * SLANT, y + back * STEP_Y)

    def unit(self, row: int, column: int) -> Point:
        """The place of a unit."""
        return self.at(_drawn_in(row, self.window[0]), _drawn_in(column, self.window[1]))

    @property
    def half_height(self) -> float:
        """From the centre to the front or back edge."""
        return (self.units[0] / 2 + 0.35) * STEP_Y

    @property
    def left(self) -> float:
        """The leftmost x."""
        return self.at(self.units[0] - 0.15, -0.8)[0]

    @property
    def right(self) -> float:
        """The rightmost x."""
        return self.at(-0.85, self.units[1] - 0.2)[0]

    def side(self, share: float) -> Point:
        """A point of the right edge: 0 at the back, 1 at the front."""
        return self.at(-0.85 + share * (self.units[0] + 0.7), self.units[1] - 0.2)

    def back(self, share: float) -> Point:
        """A point of the back edge: 0 at the left, 1 at the right."""
        return self.at(-0.85, -0.8 + share * (self.units[1] + 0.6))


@dataclass(frozen=True, slots=True)
class Fan:
    """A patch of a lower plane, its middle, and the upper unit coupled to it."""

    corners: tuple[Point, ...]
    centre: Point
    tip: Point

    def extent(self, y: float) -> tuple[float, float]:
        """How far left and right the fan reaches at a height."""
        shares = ((corner, (y - corner[1]) / (self.tip[1] - corner[1])) for corner in self.corners)
        reached = [corner[0] + share * (self.tip[0] - corner[0]) for corner, share in shares]
        return (min(reached), max(reached))


def units_shown(size: Size, largest: int, group: Group | None) -> Size:
    """Rows and columns to draw for a block: 8 for the largest, fewer by the logarithm, whole groups."""
    window = group.window if group else (1, 1)
    rows, columns = (_shown(side, largest, each) for side, each in zip(size, window, strict=True))
    return (rows, columns)


def plane_shapes(plane: Plane, line: str, fill: str, unit_fill: str, sheets: int) -> Iterator[Shape]:
    """The plane, stacked `sheets` high, its units, and red links inside groups."""
    rows, columns = plane.units
    for sheet in range(sheets):
        lift = 6.0 * (sheet - (sheets - 1) / 2)
        corners = [plane.at(*each) for each in _corners((-0.85, -0.8), (rows - 0.15, columns - 0.2))]
        yield Shape("polygon", tuple((x, y + lift) for x, y in corners), line, fill, 1.0)
    lift = 6.0 * (sheets - 1) / 2
    yield from _links(plane)
    ring = RED if plane.window != (1, 1) or plane.across_channels else line
    for row in range(rows):
        for column in range(columns):
            x, y = plane.unit(row, column)
            yield Shape("ellipse", ((x, y + lift), (RADIUS_X, RADIUS_Y)), ring, unit_fill, 1.0)
            if plane.across_channels:
                yield Shape("ellipse", ((x, y + lift), (RADIUS_X - 2, RADIUS_Y - 1.2)), RED, "", 0.8)


def fan(lower: Plane, upper: Plane, window: Size, step: Size) -> Fan:
    """The patch of `window` units that a front unit of the upper plane is coupled to, at a whole number of steps."""
    rows, columns = (min(wide, most) for wide, most in zip(window, lower.units, strict=True))
    top = _aligned(lower.units[0], rows, step[0])
    left = _aligned(lower.units[1], columns, step[1])
    corners = _corners((top - 0.5, left - 0.5), (top + rows - 0.5, left + columns - 0.5))
    tip = upper.unit(upper.units[0] - 1, upper.units[1] // 2)
    centre = lower.at(top + (rows - 1) / 2, left + (columns - 1) / 2)
    return Fan(tuple(lower.at(*each) for each in corners), centre, tip)


def fan_shapes(drawn: Fan, colour: str) -> Iterator[Shape]:
    """The patch, the lines from its corners, and the upper unit they meet in."""
    yield Shape("polygon", drawn.corners, colour, f"{colour}40", 1.3)
    for corner in drawn.corners:
        yield Shape("line", (corner, drawn.tip), f"{colour}90", "", 1.0)
    yield Shape("ellipse", (drawn.tip, (RADIUS_X, RADIUS_Y)), colour, colour, 1.2)


def _shown(side: int, largest: int, window: int) -> int:
    scale = MOST / max(1.0, log2(largest))
    even = 2 * round(log2(side) * scale / 2)
    shown = max(min(side, 2), min(even, MOST, side))
    return -(-shown // window) * window


def _drawn_in(index: int, window: int) -> float:
    """A unit's place, drawn towards the middle of its group."""
    middle = index // window * window + (window - 1) / 2
    return middle + (index - middle) * (_CLOSER if window > 1 else 1.0)


def _links(plane: Plane) -> Iterator[Shape]:
    """Red lines round each group, its first unit to its last."""
    height, width = plane.window
    if (height, width) == (1, 1):
        return
    for row in range(0, plane.units[0], height):
        for column in range(0, plane.units[1], width):
            ends = ((row, column), (row, column + width - 1))
            below = ((row + height - 1, column + width - 1), (row + height - 1, column))
            corners = tuple(plane.unit(*each) for each in dict.fromkeys((*ends, *below)))
            if len(corners) == 2:
                yield Shape("line", corners, RED, "", 1.4)
            else:
                yield Shape("polygon", corners, RED, f"{RED}18", 1.4)


def _corners(low: tuple[float, float], high: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    return (low, (low[0], high[1]), high, (high[0], low[1]))


def _aligned(most: int, wide: int, step: int) -> int:
    """The first row or column of a centred patch that starts at a whole window."""
    first = (most - wide) // 2
    return first - first % step if step <= wide else first
