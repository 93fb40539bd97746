"""Both messages of every coupling of a net, C z, by taps: sums of products only, so that rounding bounds hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from lvmc.verdicts.records import Array
from lvmc.verdicts.subjects import Coupling, Net
from lvmc.verdicts.verify.meetings import Axis, Direction, Strand, places, strands

Layers = Mapping[str, Array]
"""(channels, rows, columns) by layer."""

Places = NDArray[np.intp]

STRIP = 2**18
"""Numbers gathered at a time: what a cache holds."""


class Planes:
    """Where a net's layers live: at their own sizes, or wrapped around a torus."""

    def __init__(self, net: Net, sizes: Mapping[str, tuple[int, int]] | None = None) -> None:
        self.net, self.torus = net, sizes is not None
        self.sizes = {layer.name: layer.size for layer in net.layers} if sizes is None else sizes

    def axes(self, coupling: Coupling) -> tuple[Axis, Axis]:
        """Rows and columns of a coupling."""
        above, below = self.sizes[coupling.upper], self.sizes[coupling.lower]
        rows, columns = (
            Axis(
                coupling.taps[a], coupling.stride[a], coupling.dilation[a], coupling.padding[a],
                coupling.replicate[a], above[a], below[a], self.torus or coupling.circular,
            )
            for a in (0, 1)
        )  # fmt: skip
        return rows, columns

    def shape(self, layer: str) -> tuple[int, int, int]:
        """Channels, rows, columns of a layer here."""
        return (self.net.layer[layer].channels, *self.sizes[layer])


def coupled(planes: Planes, filters: Mapping[int, Array], z: Layers) -> dict[str, Array]:
    """C z, where C is made of `filters` in place of the net's (by the coupling's number)."""
    total = {layer.name: np.zeros(planes.shape(layer.name)) for layer in planes.net.layers}
    for number, coupling in enumerate(planes.net.couplings):
        taps = filters[number]
        total[coupling.upper] += up(planes, coupling, taps, z[coupling.lower])
        if not coupling.lateral:
            total[coupling.lower] += down(planes, coupling, taps, z[coupling.upper])
    return total


def up(planes: Planes, coupling: Coupling, taps: Array, lower: Array) -> Array:
    """w ⋆ P(z_lower): the message to the upper layer."""
    summed = windowed(lower, coupling.replicate)
    axes = planes.axes(coupling)
    if _covered(axes):
        return (taps.reshape(len(taps), -1) @ summed.ravel())[:, None, None]
    return _message(axes, "up", taps, summed, planes.sizes[coupling.upper])


def down(planes: Planes, coupling: Coupling, taps: Array, upper: Array) -> Array:
    """Pᵀ(wᵀ z_upper): the message to the lower layer."""
    axes, window = planes.axes(coupling), coupling.replicate
    size = (axes[0].below // window[0], axes[1].below // window[1])
    if _covered(axes):
        found = (upper.ravel() @ taps.reshape(len(taps), -1)).reshape(taps.shape[1:])
    else:
        found = _message(axes, "down", taps.swapaxes(0, 1), upper, size)
    return found.repeat(window[0], 1).repeat(window[1], 2)


def roundings(net: Net) -> int:
    """Operations that a term of C z passes through at most."""
    found = dict.fromkeys(net.layer, 8 + 2 * len(net.couplings))
    for coupling in net.couplings:
        above, below, rows, columns = coupling.filter.shape
        found[coupling.upper] += below * rows * columns + prod(coupling.replicate)
        found[coupling.lower] += above * rows * columns
    return max(found.values(), default=8)


def windowed(z: Array, window: tuple[int, int]) -> Array:
    """The sum over each window."""
    if window == (1, 1):
        return z
    channels, height, width = z.shape
    return z.reshape(channels, height // window[0], window[0], width // window[1], window[1]).sum((2, 4))


def _message(axes: tuple[Axis, Axis], direction: Direction, taps: Array, z: Array, size: tuple[int, int]) -> Array:
    """Σ over taps of w (targets' channels × sources' channels) times what the targets meet."""
    out = np.zeros((len(taps), *size))
    framed = np.pad(z, ((0, 0), (0, 1), (0, 1)))
    for rows in strands(axes[0], direction):
        for columns in strands(axes[1], direction):
            _add(out[:, rows.targets, columns.targets], taps, framed, (rows, columns))
    return out


def _add(out: Array, taps: Array, framed: Array, met: tuple[Strand, Strand]) -> None:
    """Add what one strand of rows and columns gives, some rows at a time."""
    if not (met[0].cells and met[1].cells and out.size):
        return
    size = (framed.shape[1] - 1, framed.shape[2] - 1)
    (kept, rows), (beside, columns) = (_table(met[a], size[a]) for a in (0, 1))
    weights = taps[:, :, kept][:, :, :, beside].reshape(len(taps), -1)
    strip = max(1, STRIP // (weights.shape[1] * out.shape[2]))
    for start in range(0, out.shape[1], strip):
        some = rows[:, None, start : start + strip, None]
        gathered = framed[:, some, columns[None, :, None, :]].reshape(weights.shape[1], -1)
        out[:, start : start + strip] += (weights @ gathered).reshape(len(taps), -1, out.shape[2])


def _table(strand: Strand, size: int) -> tuple[list[int], Places]:
    """The taps of a strand, and where each meets its sources (taps, targets); −1 is a place of zeros."""
    members = [member for cell in strand.cells for member in cell]
    return [member.tap for member in members], np.stack([places(m.sources, size, strand.wraps) for m in members])


def _covered(axes: tuple[Axis, Axis]) -> bool:
    """Whether one position above meets the whole plane below, each window by the tap of its place."""
    return all(
        axis.above == 1 and axis.padding == 0 and axis.dilation == 1 and axis.below == axis.taps * axis.window
        for axis in axes
    )


def parts(net: Net, of: Callable[[Array], Array]) -> dict[int, Array]:
    """Filters changed tap by tap, by the coupling's number."""
    return {number: of(coupling.filter) for number, coupling in enumerate(net.couplings)}
