"""C z of a form, matrix-free in torch: both messages of every coupling, by direct convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Literal

from lvmc.graph.form import Edge, Form, Side
from lvmc.ir import Geometry, Size

if TYPE_CHECKING:
    from torch import Tensor, dtype

Precision = Literal["float32", "float64"]


class Field:
    """The couplings of a form as an operator on layers (batch, channels, height, width).

    Planes that wrap do so any number of times, so a torus of a single position is one too. Convolutions of float64
    are sums of products in some order (no Winograd, no Fourier transform), so that rounding bounds hold.
    """

    def __init__(self, form: Form, precision: Precision = "float64") -> None:
        import torch

        self.form = form
        self.dtype = torch.float64 if precision == "float64" else torch.float32
        self._filters = {id(each): _tensor(each, self.dtype) for each in (*form.edges, *form.sides)}

    def __call__(self, z: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """C z, every layer."""
        return {block.name: self.drive(block.name, z) for block in self.form.blocks}

    def drive(self, layer: str, z: Mapping[str, Tensor]) -> Tensor:
        """(C z) of one layer: messages from below, from above and from within."""
        import torch

        total = torch.zeros_like(z[layer])
        for edge in self.form.edges:
            if edge.upper == layer:
                total = total + self.up(edge, z[edge.lower])
            if edge.lower == layer:
                total = total + self.down(edge, z[edge.upper])
        for side in self.form.sides:
            if side.layer == layer:
                total = total + self.within(side, z[layer])
        return total

    def within(self, side: Side, z: Tensor) -> Tensor:
        """L ⋆ z: the message of a layer to itself."""
        return correlate(z, self._filters[id(side)], side.geometry)

    def up(self, edge: Edge, lower: Tensor) -> Tensor:
        """w ⋆ P(z_lower): the message of a coupling to its upper layer."""
        return correlate(summed(lower, edge.replicate), self._filters[id(edge)], edge.geometry)

    def down(self, edge: Edge, upper: Tensor) -> Tensor:
        """Pᵀ(wᵀ z_upper): the message of a coupling to its lower layer."""
        height, width = self.form.block[edge.lower].size
        pooled = (height // edge.replicate[0], width // edge.replicate[1])
        return _repeated(_adjoint(upper, self._filters[id(edge)], edge.geometry, pooled), edge.replicate)

    def zeros(self, batch: int = 1) -> dict[str, Tensor]:
        """The state 0."""
        import torch

        return {each.name: torch.zeros(batch, each.channels, *each.size, dtype=self.dtype) for each in self.form.blocks}


def _tensor(each: Edge | Side, dtype: dtype) -> Tensor:
    import torch

    return torch.as_tensor(each.filter, dtype=dtype).contiguous(memory_format=torch.channels_last)


def summed(z: Tensor, window: Size) -> Tensor:
    """P z: sums over disjoint windows."""
    import torch.nn.functional as F

    return z if window == (1, 1) else F.avg_pool2d(z, window) * prod(window)


def _repeated(z: Tensor, window: Size) -> Tensor:
    if window == (1, 1):
        return z
    rows, columns = window
    tall: Tensor = z.repeat_interleave(rows, 2)
    return tall.repeat_interleave(columns, 3)


def correlate(z: Tensor, taps: Tensor, geometry: Geometry) -> Tensor:
    """taps ⋆ z, around the torus where it is circular."""
    import torch.nn.functional as F

    stride, dilation = geometry.stride, geometry.dilation
    if _covers(z, taps, geometry):
        return (z.flatten(1) @ taps.flatten(1).T)[:, :, None, None]
    if not geometry.circular:
        return F.conv2d(z, taps, None, stride, geometry.padding, dilation)
    above = geometry.size_above(_size(z), _size(taps))
    rows, columns = (_wrapped(z, taps, geometry, above[axis], axis) for axis in (0, 1))
    return F.conv2d(z[:, :, rows][:, :, :, columns], taps, None, stride, 0, dilation)


def _adjoint(z: Tensor, taps: Tensor, geometry: Geometry, size: Size) -> Tensor:
    import torch
    import torch.nn.functional as F

    stride, dilation, padding = geometry.stride, geometry.dilation, geometry.padding
    if _size(z) == (1, 1) and size == _size(taps) and padding == (0, 0) and dilation == (1, 1):
        return (z.flatten(1) @ taps.flatten(1)).reshape(len(z), *taps.shape[1:])
    extent = geometry.extent(_size(taps))
    if not geometry.circular:
        rest = [size[a] - ((z.shape[2 + a] - 1) * stride[a] - 2 * padding[a] + extent[a]) for a in (0, 1)]
        # torch pads less than a stride or a dilation at the far side; what lies further is 0
        most = [min(rest[a], max(stride[a], dilation[a]) - 1) for a in (0, 1)]
        out = F.conv_transpose2d(z, taps, None, stride, padding, most, 1, dilation)
        return F.pad(out, (0, rest[1] - most[1], 0, rest[0] - most[0]))
    wide: Tensor = F.conv_transpose2d(z, taps, None, stride, 0, 0, 1, dilation)
    for axis in (0, 1):
        shape = list(wide.shape)
        shape[2 + axis] = size[axis]
        places = (torch.arange(wide.shape[2 + axis]) - padding[axis]) % size[axis]
        empty: Tensor = torch.zeros(shape, dtype=z.dtype)
        wide = empty.index_add(2 + axis, places, wide)
    return wide


def _wrapped(z: Tensor, taps: Tensor, geometry: Geometry, above: int, axis: int) -> Tensor:
    """Rows (columns) below that the filter meets, in order, around the torus."""
    import torch

    reach = (above - 1) * geometry.stride[axis] + geometry.extent(_size(taps))[axis]
    return (torch.arange(reach) - geometry.padding[axis]) % z.shape[2 + axis]


def _covers(z: Tensor, taps: Tensor, geometry: Geometry) -> bool:
    return _size(z) == _size(taps) and geometry.padding == (0, 0) and geometry.dilation == (1, 1)


def _size(each: Tensor) -> Size:
    return (each.shape[-2], each.shape[-1])
