"""A small net's A = D − C as a matrix with its groups, entry by entry and without rounding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from lvmc.verdicts.records import Array
from lvmc.verdicts.subjects import Layer, Matrix, Net
from lvmc.verdicts.verify.meetings import Axis, places, strands
from lvmc.verdicts.verify.messages import Planes
from lvmc.verdicts.verify.verification import BrokenError

Places = NDArray[np.intp]

MOST = 2000
"""Units of a net that is written out."""


def explicit(net: Net) -> Matrix:
    """A (n × n), units in file order, each layer as (channel, row, column), with the net's groups.

    Raises:
        BrokenError: The net is too large, its cone is not that of a matrix, or an entry is a sum that float64 rounds.
    """
    if any(layer.signed for layer in net.layers):
        raise BrokenError("it has a layer of both signs, so that its cone is not that of a matrix with groups")
    matrix, error = entries(net, {number: each.filter for number, each in enumerate(net.couplings)})
    if error.any():
        raise BrokenError("an entry of its matrix is a sum that float64 rounds")
    groups = [group for layer in net.layers for group in groups_of(layer, _numbered(net)[layer.name])]
    return Matrix(matrix, tuple(groups))


def entries(net: Net, filters: Mapping[int, Array]) -> tuple[Array, Array]:
    """D − C with filters in place of the net's, (n, n), and a bound on the rounding of each entry.

    Raises:
        BrokenError: The net is too large.
    """
    if net.units > MOST:
        raise BrokenError(f"a net of {net.units:,} units is too large to be written out ({MOST:,})")
    matrix = np.diag(np.concatenate([np.repeat(each.diagonal, prod(each.size)) for each in net.layers]))
    error, numbered = np.zeros_like(matrix), _numbered(net)
    for number, coupling in enumerate(net.couplings):
        axes = Planes(net).axes(coupling)
        for targets, sources, tap in _met(axes, numbered[coupling.upper], numbered[coupling.lower]):
            values = -filters[number][:, :, tap[0], tap[1]]
            _add(matrix, error, np.ix_(targets, sources), values)
            if not coupling.lateral:
                _add(matrix, error, np.ix_(sources, targets), values.T)
    return matrix, error


def _numbered(net: Net) -> dict[str, Places]:
    """The rows of each layer's units in the matrix."""
    found, start = dict[str, Places](), 0
    for layer in net.layers:
        found[layer.name] = np.arange(start, start + prod(layer.shape)).reshape(layer.shape)
        start += prod(layer.shape)
    return found


def _met(axes: tuple[Axis, Axis], upper: Places, lower: Places) -> Iterator[tuple[Places, Places, tuple[int, int]]]:
    """Units (of all channels) above and below that meet, with the tap that they meet by."""
    members = [[m for strand in strands(axis, "up", 1) for cell in strand.cells for m in cell] for axis in axes]
    for down, across in product(*members):
        rows = places(down.sources, axes[0].below, axes[0].wraps)
        columns = places(across.sources, axes[1].below, axes[1].wraps)
        for row, column in product(np.flatnonzero(rows >= 0), np.flatnonzero(columns >= 0)):
            yield upper[:, row, column], lower[:, rows[row], columns[column]], (down.tap, across.tap)


def _add(matrix: Array, error: Array, here: tuple[Places, ...], values: Array) -> None:
    """Add to some entries, and what is rounded away to their error (Knuth's two-sum)."""
    before = matrix[here]
    after = before + values
    added = after - before
    lost = (before - (after - added)) + (values - added)
    matrix[here] = after
    error[here] += np.abs(lost) * (1.0 + 2.0**-40)


def groups_of(layer: Layer, numbered: Places) -> list[tuple[int, ...]]:
    """The units of each group of a layer, by their numbers."""
    if layer.group == (1, 1, 1):
        return []
    split = numbered.reshape(_split(layer))
    units = split.transpose(0, 2, 4, 1, 3, 5).reshape(-1, prod(layer.group))
    return [tuple(map(int, group)) for group in units]


def _split(layer: Layer) -> list[int]:
    """(channels / g, g, rows / h, h, columns / w, w)."""
    return [part for size, of in zip(layer.shape, layer.group, strict=True) for part in (size // of, of)]
