"""Correlation, its exact adjoint, and windows of planes, in numpy: the arithmetic behind the ops' meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lvmc.ir.types import Geometry, Group, Size

Array = NDArray[Any]


def correlate(x: Array, weight: Array, geometry: Geometry) -> Array:
    """w ⋆ x, what `conv2d` computes. x (B, c, h, w), weight (C, c, kh, kw) → (B, C, H, W)."""
    padded = _pad(x, geometry)
    height, width = geometry.size_above(_size(x), _size(weight))
    out = np.zeros((x.shape[0], weight.shape[0], height, width))
    for (i, j), rows, columns in _taps(_size(weight), geometry, (height, width)):
        out += np.einsum("oc,bchw->bohw", weight[:, :, i, j], padded[:, :, rows, columns], optimize=True)
    return out


def adjoint(z: Array, weight: Array, geometry: Geometry, size: Size) -> Array:
    """wᵀ z, the adjoint of `correlate` on planes of `size`. z (B, C, H, W) → (B, c, *size)."""
    ph, pw = geometry.padding
    padded = np.zeros((z.shape[0], weight.shape[1], size[0] + 2 * ph, size[1] + 2 * pw))
    for (i, j), rows, columns in _taps(_size(weight), geometry, _size(z)):
        padded[:, :, rows, columns] += np.einsum("oc,bohw->bchw", weight[:, :, i, j], z, optimize=True)
    return _unpad(padded, geometry, size)


def _taps(kernel: Size, geometry: Geometry, above: Size) -> Iterator[tuple[Size, slice, slice]]:
    """Each tap (i, j) of the filter with the rows and columns of the padded plane below that it meets."""
    (sh, sw), (dh, dw) = geometry.stride, geometry.dilation
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            rows = slice(i * dh, i * dh + sh * (above[0] - 1) + 1, sh)
            columns = slice(j * dw, j * dw + sw * (above[1] - 1) + 1, sw)
            yield (i, j), rows, columns


def _pad(x: Array, geometry: Geometry) -> Array:
    ph, pw = geometry.padding
    widths = ((0, 0), (0, 0), (ph, ph), (pw, pw))
    return np.pad(x, widths, mode="wrap") if geometry.circular else np.pad(x, widths)


def _unpad(padded: Array, geometry: Geometry, size: Size) -> Array:
    """Adjoint of `_pad`: crop the border, or add it where it was wrapped from."""
    ph, pw = geometry.padding
    if not geometry.circular:
        return padded[:, :, ph : ph + size[0], pw : pw + size[1]]
    out = np.zeros((*padded.shape[:2], *size))
    for row in range(padded.shape[2]):
        for column in range(padded.shape[3]):
            out[:, :, (row - ph) % size[0], (column - pw) % size[1]] += padded[:, :, row, column]
    return out


def grouped(x: Array, group: Group) -> Array:
    """(B, C, H, W) → (B, C/g, H/h, W/w, g·h·w): the units of a group side by side, in (channel, row, column) order."""
    batch, channels, height, width = x.shape
    g, h, w = group
    split = x.reshape(batch, channels // g, g, height // h, h, width // w, w)
    return split.transpose(0, 1, 3, 5, 2, 4, 6).reshape(batch, channels // g, height // h, width // w, g * h * w)


def ungrouped(x: Array, group: Group) -> Array:
    """Inverse of `grouped`."""
    batch, channels, height, width, _ = x.shape
    g, h, w = group
    split = x.reshape(batch, channels, height, width, g, h, w).transpose(0, 1, 4, 2, 5, 3, 6)
    return split.reshape(batch, channels * g, height * h, width * w)


def repeat_windows(x: Array, window: Size) -> Array:
    """Pᵀ: every value repeated over its window. (B, C, H, W) → (B, C, H·h, W·w)."""
    return x.repeat(window[0], axis=2).repeat(window[1], axis=3)


def sum_windows(x: Array, window: Size) -> Array:
    """P: the sum over each window. (B, C, H, W) → (B, C, H/h, W/w)."""
    return grouped(x, Group(1, *window)).sum(axis=-1)


def channelwise(values: Array) -> Array:
    """(C,) shaped to meet (B, C, H, W)."""
    return values.reshape(-1, 1, 1)


def _size(x: Array) -> Size:
    return (x.shape[2], x.shape[3])
