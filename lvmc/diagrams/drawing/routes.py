"""Bézier curves between points, and lanes for links that run side by side."""

from __future__ import annotations

from collections.abc import Sequence

from lvmc.diagrams.drawing.picture import Point

Path = tuple[Point, ...]


def straight(start: Point, end: Point) -> Path:
    """A straight line."""
    return (start, between(start, end, 1 / 3), between(start, end, 2 / 3), end)


def across(start: Point, end: Point) -> Path:
    """A curve that leaves and arrives horizontally."""
    middle = (start[0] + end[0]) / 2
    return (start, (middle, start[1]), (middle, end[1]), end)


def upright(start: Point, end: Point) -> Path:
    """A curve that leaves and arrives vertically."""
    middle = (start[1] + end[1]) / 2
    return (start, (start[0], middle), (end[0], middle), end)


def corner(start: Point, end: Point) -> Path:
    """A quarter turn: leaves horizontally, arrives vertically."""
    turn = (end[0], start[1])
    return (start, between(start, turn, 0.75), between(end, turn, 0.6), end)


def joined(*paths: Path) -> Path:
    """Curves that follow each other, as one."""
    first, *rest = paths
    return first + tuple(point for path in rest for point in path[1:])


def backwards(path: Path) -> Path:
    """The same curve from its end."""
    return tuple(reversed(path))


def between(start: Point, end: Point, share: float) -> Point:
    """The point after a share of the way."""
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)


def lanes(spans: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """A lane for each span, from 0 outwards, such that spans of a lane do not overlap; short spans go inside."""
    taken: list[list[tuple[float, float]]] = []
    chosen = [0] * len(spans)
    for index in sorted(range(len(spans)), key=lambda each: spans[each][1] - spans[each][0]):
        low, high = spans[index]
        free = (lane for lane, used in enumerate(taken) if all(high <= start or low >= end for start, end in used))
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        chosen[index] = lane
    return tuple(chosen)
