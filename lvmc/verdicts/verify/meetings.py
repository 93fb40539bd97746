"""Which unit meets which along one axis of a coupling, tap by tap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import lcm
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Direction = Literal["up", "down"]


class Axis(NamedTuple):
    """Rows (or columns) of a coupling: position p above meets positions p·stride − padding + tap·dilation below.

    Positions below are windows of `window` units each. Both planes wrap where `wraps`; else what lies outside is 0.
    """

    taps: int
    stride: int
    dilation: int
    padding: int
    window: int
    above: int
    below: int
    wraps: bool


class Member(NamedTuple):
    """A tap that targets meet their sources by; `sources` (targets,) on the endless lattice, after some `turns`."""

    tap: int
    sources: NDArray[np.intp]
    turns: int = 0


@dataclass(frozen=True)
class Strand:
    """Targets `first`, `first` + `step`, …, which the same taps reach; members lie in cells by their source's group.

    `own`: the cell is the group that the target itself would be in, were it of the sources' layer. `wraps`: sources
    beyond a plane come back at its other side; else they are 0.
    """

    first: int
    step: int
    cells: tuple[tuple[Member, ...], ...]
    own: tuple[bool, ...]
    wraps: bool

    @property
    def targets(self) -> slice:
        """The targets' places."""
        return slice(self.first, None, self.step)


def strands(axis: Axis, direction: Direction, group: int | None = None) -> Iterator[Strand]:
    """How targets meet sources: units above meet units below ("up"), or windows below meet units above ("down").

    Args:
        axis: The coupling along the axis.
        direction: Who is the target.
        group: Units of a source's group; None: sources below are the windows' sums, and every tap is its own cell.
    """
    unit = axis.stride * axis.window if direction == "up" and group else axis.stride
    count = axis.above if direction == "up" else axis.below // axis.window
    step = _step(direction, axis.stride, unit, group or 1)
    wraps = axis.wraps and (direction == "up" or _even(axis))
    for first in range(min(step, count)):
        targets = np.arange(first, count, step)
        members = list(_up(axis, targets, group) if direction == "up" else _down(axis, targets))
        cells: dict[tuple[int, int], list[Member]] = {}
        for number, member in enumerate(members):
            key = number if group is None else int(member.sources[0]) // group
            cells.setdefault((member.turns, key), []).append(member)
        own = tuple(group is not None and key == (0, first // group) for key in cells)
        yield Strand(first, step, tuple(map(tuple, cells.values())), own, wraps)


def _step(direction: Direction, stride: int, unit: int, group: int) -> int:
    """Targets this far apart meet their sources alike, group by group."""
    return lcm(group, unit) // unit if direction == "up" else stride * group


def _up(axis: Axis, targets: NDArray[np.intp], group: int | None) -> Iterator[Member]:
    for tap in range(axis.taps):
        windows = targets * axis.stride - axis.padding + tap * axis.dilation
        if group is None:
            yield Member(tap, windows)
        else:
            yield from (Member(tap, windows * axis.window + offset) for offset in range(axis.window))


def _down(axis: Axis, targets: NDArray[np.intp]) -> Iterator[Member]:
    """The taps of all turns around a plane that wraps; one turn where its planes wrap alike."""
    below = axis.below // axis.window
    reach = (axis.above - 1) * axis.stride - axis.padding + (axis.taps - 1) * axis.dilation
    turns = range(-((below - 1 + axis.padding) // below), reach // below + 1)
    for turn in turns if axis.wraps and not _even(axis) else (0,):
        for tap in range(axis.taps):
            ahead = targets + turn * below + axis.padding - tap * axis.dilation
            if not ahead[0] % axis.stride:
                yield Member(tap, ahead // axis.stride, turn)


def _even(axis: Axis) -> bool:
    """Whether both planes wrap after the same distance."""
    return axis.above * axis.stride * axis.window == axis.below


def places(sources: NDArray[np.intp], size: int, wraps: bool) -> NDArray[np.intp]:
    """Where sources lie in a plane of `size`; −1 for those outside it."""
    return sources % size if wraps else np.where((sources >= 0) & (sources < size), sources, -1)
