"""C of a form, its majorants and T(v), written with loops; no code of lvmc's diagnostics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from lvmc.graph.form import Edge, Form, Side

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Loops:
    """Explicit C (n, n), tap-wise C₊ (|C| where a layer is signed) and |C|, d (n,), and every unit's group (n,)."""

    couplings: Array
    positive: Array
    absolute: Array
    diagonal: Array
    group: NDArray[np.int64]
    signed: NDArray[np.bool_]

    def root(self, majorant: Array) -> float:
        """The largest eigenvalue of D^-½ M D^-½."""
        scale = 1 / np.sqrt(self.diagonal)
        return float(np.linalg.eigvalsh(majorant * scale[:, None] * scale[None, :])[-1])

    def largest(self, v: Array) -> Array:
        """T(v): of every group but a unit's own the largest C₊_ij v_j."""
        out = np.zeros(len(v))
        for name in np.unique(self.group):
            members = np.flatnonzero(self.group == name)
            terms = (self.positive[:, members] * v[members]).max(1)
            if len(members) > 1:
                terms[members] = 0.0
            out += terms
        return out


def loops(form: Form) -> Loops:
    """Everything, unit by unit in the form's order."""
    index, count = dict[str, NDArray[np.int64]](), 0
    for block in form.blocks:
        index[block.name] = np.arange(count, count + block.units).reshape(block.channels, *block.size)
        count += block.units
    parts = [np.zeros((count, count)) for _ in range(3)]
    for one, other, weight in _terms(form, index):
        signed = np.logical_or.outer(_signed(form, index, one), _signed(form, index, other))
        sizes = (weight, np.where(signed, np.abs(weight), np.maximum(weight, 0)), np.abs(weight))
        for part, size in zip(parts, sizes, strict=True):
            part[np.ix_(one, other)] += size
    diagonal = np.concatenate([np.repeat(block.diagonal, block.size[0] * block.size[1]) for block in form.blocks])
    signed_units = np.concatenate([np.full(block.units, block.signed) for block in form.blocks])
    return Loops(parts[0], parts[1], parts[2], diagonal, _groups(form, index, count), signed_units)


def _signed(form: Form, index: dict[str, NDArray[np.int64]], units: NDArray[np.int64]) -> NDArray[np.bool_]:
    owner = next(block for block in form.blocks if units[0] in index[block.name])
    return np.full(len(units), owner.signed)


def _groups(form: Form, index: dict[str, NDArray[np.int64]], count: int) -> NDArray[np.int64]:
    group = np.arange(count)
    for block in form.blocks:
        if block.group:
            units, (deep, tall, wide) = index[block.name], block.group
            for c, y, x in product(*(range(0, n, s) for n, s in zip(units.shape, (deep, tall, wide), strict=True))):
                cell = units[c : c + deep, y : y + tall, x : x + wide].ravel()
                group[cell] = cell[0]
    return group


def _terms(
    form: Form, index: dict[str, NDArray[np.int64]]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], Array]]:
    """(rows, columns, weights) to be added, both ways round."""
    for edge in form.edges:
        upper, lower = index[edge.upper], index[edge.lower]
        rh, rw = edge.replicate
        for (y, x), (i, j), (r, c) in _met(edge, upper.shape, (lower.shape[1] // rh, lower.shape[2] // rw)):
            for a, b in product(range(rh), range(rw)):
                units, weight = lower[:, r * rh + a, c * rw + b], edge.filter[:, :, i, j]
                yield upper[:, y, x], units, weight
                yield units, upper[:, y, x], weight.T
    for side in form.sides:
        units = index[side.layer]
        for (y, x), (i, j), (r, c) in _met(side, units.shape, (units.shape[1], units.shape[2])):
            yield units[:, y, x], units[:, r, c], side.filter[:, :, i, j]


Place = tuple[int, int]


def _met(each: Edge | Side, above: tuple[int, ...], below: Place) -> Iterator[tuple[Place, Place, Place]]:
    """Position above, tap, position below."""
    (ph, pw), (sh, sw), (dh, dw) = each.geometry.padding, each.geometry.stride, each.geometry.dilation
    for y, x, i, j in product(range(above[1]), range(above[2]), *map(range, each.filter.shape[2:])):
        row, column = y * sh - ph + i * dh, x * sw - pw + j * dw
        if each.geometry.circular:
            row, column = row % below[0], column % below[1]
        if 0 <= row < below[0] and 0 <= column < below[1]:
            yield (y, x), (i, j), (row, column)
