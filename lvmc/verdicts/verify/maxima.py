"""T(v)_i = Σ_h max_{j ∈ h} c_ij v_j over groups h: of every group the largest term only, and none of i's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from lvmc.verdicts.records import Array
from lvmc.verdicts.verify.meetings import Axis, Direction, Member, Strand, places, strands
from lvmc.verdicts.verify.messages import Layers, Planes, down, up

CHUNK = 2**19
"""Products taken at a time."""


def largest(planes: Planes, filters: Mapping[int, Array], v: Layers) -> dict[str, Array]:
    """T(v) for filters ≥ 0 in place of the net's, by the coupling's number.

    Where a plane wraps, a group met twice by a filter counts twice: T on the endless lattice, a bound on T here.
    """
    total = {layer.name: np.zeros(planes.shape(layer.name)) for layer in planes.net.layers}
    for number, coupling in enumerate(planes.net.couplings):
        upper, lower, taps = planes.net.layer[coupling.upper], planes.net.layer[coupling.lower], filters[number]
        axes, window = planes.axes(coupling), coupling.replicate
        if lower.group == (1, 1, 1):
            total[upper.name] += up(planes, coupling, taps, v[lower.name])
        else:
            size, within = planes.sizes[upper.name], coupling.lateral
            total[upper.name] += _message(axes, "up", taps, v[lower.name], size, lower.group, within)
        if coupling.lateral:
            continue
        if upper.group == (1, 1, 1):
            total[lower.name] += down(planes, coupling, taps, v[upper.name])
        else:
            size = (axes[0].below // window[0], axes[1].below // window[1])
            found = _message(axes, "down", taps.swapaxes(0, 1), v[upper.name], size, upper.group, within=False)
            total[lower.name] += found.repeat(window[0], 1).repeat(window[1], 2)
    return total


def _message(
    axes: tuple[Axis, Axis], direction: Direction, taps: Array, v: Array, size: tuple[int, int],
    group: tuple[int, int, int], within: bool,
) -> Array:  # fmt: skip
    """What sources (channels, rows, columns) in groups send to targets of `size`."""
    out = np.zeros((len(taps), *size))
    framed = np.pad(v, ((0, 0), (0, 1), (0, 1)))
    for rows in strands(axes[0], direction, group[1]):
        for columns in strands(axes[1], direction, group[2]):
            target = out[:, rows.targets, columns.targets]
            for (down_, own_row), (across, own_column) in product(_cells(rows), _cells(columns)):
                weights = _without_own(taps, group[0]) if within and own_row and own_column else taps
                target += _cell((rows.wraps, columns.wraps), weights, framed, (down_, across), group[0])
    return out


def _cells(strand: Strand) -> Iterator[tuple[tuple[Member, ...], bool]]:
    return zip(strand.cells, strand.own, strict=True)


def _cell(
    wraps: tuple[bool, bool],
    taps: Array,
    framed: Array,
    cell: tuple[tuple[Member, ...], tuple[Member, ...]],
    width: int,
) -> Array:
    """The largest terms of one group of positions (the same beside every target), summed over groups of channels."""
    met: dict[tuple[int, int], Array] = {}
    for row, column in product(*cell):
        rows = places(row.sources, framed.shape[1] - 1, wraps[0])
        columns = places(column.sources, framed.shape[2] - 1, wraps[1])
        here, tap = framed[:, rows[:, None], columns[None, :]], (row.tap, column.tap)
        met[tap] = np.maximum(met[tap], here) if tap in met else here
    if len(met) == 1 and width == 1:
        (tap, here), *_ = met.items()
        return np.tensordot(taps[:, :, tap[0], tap[1]], here, 1)
    return _sum_of_maxima({tap: (taps[:, :, tap[0], tap[1]], here) for tap, here in met.items()}, width)


def _sum_of_maxima(met: Mapping[tuple[int, int], tuple[Array, Array]], width: int) -> Array:
    """Σ over groups of `width` channels of the max over their channels and taps of weight · source."""
    (weight, here), *_ = met.values()
    targets, positions = len(weight), prod(here.shape[1:])
    out = np.zeros((targets, positions))
    some = max(1, CHUNK // max(1, weight.shape[1] // width * positions))
    for start in range(0, targets, some):
        most: Array | None = None
        for (taps, sources), member in product(met.values(), range(width)):
            term = taps[start : start + some, member::width, None] * sources.reshape(-1, positions)[None, member::width]
            most = term if most is None else np.maximum(most, term, out=most)
        if most is not None:
            out[start : start + some] = most.sum(1)
    return out.reshape(targets, *here.shape[1:])


def _without_own(taps: Array, width: int) -> Array:
    """The taps but those between channels of one group."""
    targets: NDArray[np.intp] = np.arange(len(taps)) // width
    sources: NDArray[np.intp] = np.arange(len(taps[0])) // width
    return taps * (targets[:, None] != sources[None, :])[:, :, None, None]
