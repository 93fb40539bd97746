"""Which positions a coupling links along one axis, by which tap, and in which group the source lies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lvmc.ir import Geometry

Index = NDArray[np.int64]


class Link(NamedTuple):
    """Position `target` of one plane meets position `source` of the other through `tap`.

    `place` is the source's group: (times around the torus, window). `own`: the target lies in that very group.
    """

    target: int
    source: int
    tap: int
    place: tuple[int, int]
    own: bool = False


class Axis(NamedTuple):
    """A coupling along one axis: filter taps, geometry, positions of the planes and the lower plane's windows."""

    taps: int
    stride: int
    dilation: int
    padding: int
    circular: bool
    below: int
    above: int
    replicate: int = 1

    def met(self, upper: int, tap: int) -> tuple[int, int] | None:
        """The pooled position that a tap meets, and how often it went around; None outside the plane."""
        row, pooled = upper * self.stride - self.padding + tap * self.dilation, self.below // self.replicate
        if self.circular:
            return row % pooled, row // pooled
        return (row, 0) if 0 <= row < pooled else None


def axis_of(axis: int, kernel: tuple[int, ...], geometry: Geometry, sizes: tuple[int, int], replicate: int = 1) -> Axis:
    """Axis 0 (rows) or 1 (columns) of a coupling between planes of `sizes` = (below, above) positions."""
    return Axis(
        kernel[2 + axis], geometry.stride[axis], geometry.dilation[axis], geometry.padding[axis], geometry.circular,
        *sizes, replicate,
    )  # fmt: skip


def links_up(axis: Axis, window: int) -> list[Link]:
    """From units below (windows of `window` are groups) to positions above."""
    found = list[Link]()
    for target in range(axis.above):
        for tap in range(axis.taps):
            met = axis.met(target, tap)
            if met:
                units = range(met[0] * axis.replicate, (met[0] + 1) * axis.replicate)
                found += [Link(target, unit, tap, (met[1], unit // window)) for unit in units]
    return found


def links_down(axis: Axis, window: int) -> list[Link]:
    """From units above (windows of `window` are groups) to pooled positions below, in the targets' order."""
    found = list[Link]()
    for source in range(axis.above):
        for tap in range(axis.taps):
            met = axis.met(source, tap)
            if met:
                found.append(Link(met[0], source, tap, (-met[1], source // window)))
    return sorted(found)


def links_within(axis: Axis, window: int) -> list[Link]:
    """Between the units of one layer; `own` where both lie in one window."""
    return [
        link._replace(own=link.place == (0, link.target // window))
        for link in links_up(axis, window)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slot:
    """One group that every position of a class meets: by which taps, and at which sources (members, targets)."""

    own: bool
    taps: tuple[int, ...]
    sources: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """Positions that meet groups in the same way."""

    targets: Index
    slots: tuple[Slot, ...]


def alike(links: list[Link]) -> tuple[Alike, ...]:
    """Targets in classes by the taps with which they meet each of their groups."""
    met = dict[int, list[Link]]()
    for link in links:
        met.setdefault(link.target, []).append(link)
    classes = dict[Pattern, list[list[list[Link]]]]()
    for each in met.values():
        groups = [list(group) for _, group in groupby(sorted(each, key=_by_group), key=_group)]
        pattern = tuple(tuple((link.own, link.tap) for link in group) for group in groups)
        classes.setdefault(pattern, []).append(groups)
    return tuple(_class(members) for members in classes.values())


Pattern = tuple[tuple[tuple[bool, int], ...], ...]


def _group(link: Link) -> tuple[int, int]:
    return link.place


def _by_group(link: Link) -> tuple[tuple[int, int], int, int]:
    return (link.place, link.tap, link.source)


def _class(members: list[list[list[Link]]]) -> Alike:
    """Targets that meet their groups by the same taps: members[target][group] = its links."""
    targets = np.array([groups[0][0].target for groups in members])
    return Alike(targets, tuple(_slot([groups[number] for groups in members]) for number in range(len(members[0]))))


def _slot(groups: list[list[Link]]) -> Slot:
    taps = tuple(sorted({link.tap for link in groups[0]}))
    sources = tuple(
        np.array([[link.source for link in group if link.tap == tap] for group in groups]).T for tap in taps
    )
    return Slot(groups[0][0].own, taps, sources)
