"""A form's channels alone: what it is on vectors that are constant over each layer's plane (frequency zero)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod, sqrt

import numpy as np

from lvmc.graph.form import Array, Edge, Form
from lvmc.ir import Geometry, Group


def reduced(form: Form) -> Form:
    """The form on planes of one position, for vectors of unit density: each filter's taps summed.

    A constant a/√N_u above and b/√N_l below gain aᵀ(ΣK) b · p √(N_u/N_l) from a coupling that sums over p units, but
    for what padding takes at the border (N: positions of a plane). Groups keep their channels only.
    """
    blocks = tuple(
        replace(block, size=(1, 1), group=None if block.group is None else Group(block.group.channels, 1, 1))
        for block in form.blocks
    )
    positions = {block.name: prod(block.size) for block in form.blocks}
    edges = tuple(_summed(edge, positions[edge.upper] / positions[edge.lower]) for edge in form.edges)
    sides = tuple(
        replace(side, filter=side.filter.sum((2, 3), keepdims=True), geometry=Geometry()) for side in form.sides
    )
    return replace(form, blocks=blocks, edges=edges, sides=sides)


def spread(form: Form, channels: Mapping[str, Array]) -> dict[str, Array]:
    """A vector of the reduced form as one of the form: the channels' values at every position, of the same norm."""
    return {
        block.name: np.broadcast_to(channels[block.name] / sqrt(prod(block.size)), (block.channels, *block.size)).copy()
        for block in form.blocks
    }


def _summed(edge: Edge, ratio: float) -> Edge:
    taps = edge.filter.sum((2, 3), keepdims=True) * (prod(edge.replicate) * sqrt(ratio))
    return replace(edge, filter=taps, geometry=Geometry(), replicate=(1, 1))
