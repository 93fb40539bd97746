"""What a proof speaks of: a matrix with its groups, or a net's layers and couplings with their filters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, prod
from typing import TYPE_CHECKING

import numpy as np

from lvmc.verdicts.records import Array

if TYPE_CHECKING:
    from lvmc.graph.form import Block, Edge, Form, Side
    from lvmc.ir import Geometry

Pair = tuple[int, int]

MOST_UNITS = 10**9
"""Units of a net, or entries of a matrix, beyond which nothing is checked."""


@dataclass(frozen=True)
class Matrix:
    """A symmetric A (n × n) over z ≥ 0 with at most one nonzero entry in each group of indices.

    D, which margins are relative to, is the diagonal of A, 1 where that is not above 0.
    """

    values: Array
    groups: tuple[tuple[int, ...], ...] = ()

    @property
    def scale(self) -> Array:
        """The diagonal of D, (n,)."""
        diagonal = np.diag(self.values)
        return np.where(diagonal > 0, diagonal, 1.0)


@dataclass(frozen=True)
class Layer:
    """Units (channels, *size) with d > 0 of each channel; `group` is (channels, rows, columns) of an NMS group.

    Units lie between `least` (0, or −∞ where they take both signs) and `most`.
    """

    name: str
    channels: int
    size: Pair
    diagonal: Array
    least: float = 0.0
    most: float = inf
    group: tuple[int, int, int] = (1, 1, 1)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows, columns."""
        return (self.channels, *self.size)

    @property
    def signed(self) -> bool:
        """Whether units take both signs."""
        return self.least < 0


@dataclass(frozen=True)
class Coupling:
    """C holds `filter ⋆ P` from the lower to the upper layer and its transpose back; lateral where both are one.

    `filter` is (upper channels, lower channels, rows, columns). P sums over `replicate` windows of the lower layer. A
    lateral filter is symmetric: C holds it once. `full`: the upper layer is one position at whatever size.
    """

    upper: str
    lower: str
    weight: str
    filter: Array
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: Pair = (0, 0)
    circular: bool = False
    replicate: Pair = (1, 1)
    full: bool = False

    @property
    def lateral(self) -> bool:
        """Whether it couples a layer to itself."""
        return self.upper == self.lower

    @property
    def taps(self) -> Pair:
        """Rows and columns of the filter."""
        return (self.filter.shape[2], self.filter.shape[3])


@dataclass(frozen=True)
class Net:
    """A = D − C over a net's units, layers in file order, couplings before lateral ones."""

    name: str
    layers: tuple[Layer, ...]
    couplings: tuple[Coupling, ...]

    @cached_property
    def layer(self) -> dict[str, Layer]:
        """Layers by name."""
        return {layer.name: layer for layer in self.layers}

    @property
    def units(self) -> int:
        """n."""
        return sum(prod(layer.shape) for layer in self.layers)


Subject = Matrix | Net


def matrix_of(values: Array, groups: Iterable[Iterable[int]] | None = None) -> Matrix:
    """A matrix as a subject: ½(A + Aᵀ), and its groups of two indices or more."""
    whole = np.asarray(values, np.float64)
    found = tuple(tuple(int(index) for index in group) for group in groups or ())
    return Matrix(0.5 * (whole + whole.T), tuple(group for group in found if len(group) > 1))


def net_of(form: Form) -> Net:
    """A form of `lvmc.graph.form` as a subject."""
    couplings = [*map(_of_edge, form.edges), *map(_of_side, form.sides)]
    return Net(form.name, tuple(map(_of_block, form.blocks)), tuple(couplings))


def digest(subject: Subject) -> str:
    """SHA-256 of a net's filters and diagonals, or of a matrix, as float64 in order."""
    found = hashlib.sha256()
    for values in _numbers(subject):
        found.update(np.ascontiguousarray(values, "<f8").data)
    return found.hexdigest()


def _numbers(subject: Subject) -> Iterable[Array]:
    if isinstance(subject, Matrix):
        return [subject.values]
    return [*(layer.diagonal for layer in subject.layers), *(each.filter for each in subject.couplings)]


def _of_block(block: Block) -> Layer:
    group = (1, 1, 1) if block.group is None else tuple(block.group)
    return Layer(block.name, block.channels, block.size, block.diagonal, block.least, block.most, _triple(group))


def _of_edge(edge: Edge) -> Coupling:
    geometry = edge.geometry
    return _coupling(edge.upper, edge.lower, edge, geometry, edge.replicate, edge.full)


def _of_side(side: Side) -> Coupling:
    return _coupling(side.layer, side.layer, side, side.geometry, (1, 1), False)


def _coupling(upper: str, lower: str, of: Edge | Side, geometry: Geometry, window: Pair, full: bool) -> Coupling:
    return Coupling(
        upper, lower, of.weight, of.filter, geometry.stride, geometry.dilation, geometry.padding, geometry.circular,
        window, full,
    )  # fmt: skip


def _triple(group: Sequence[int]) -> tuple[int, int, int]:
    channels, rows, columns = group
    return (channels, rows, columns)
