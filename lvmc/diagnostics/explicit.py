"""A = D − C of a small net as an explicit matrix, with its groups as index lists."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lvmc.diagnostics.field import Field
from lvmc.graph.form import Array, Block, Form
from lvmc.ir import numeric

BATCH = 64


def explicit(form: Form) -> Array:
    """A (n × n), units in the order of `Form.join`."""
    import torch

    field, size = Field(form), form.units
    rows: list[Array] = []
    for start in range(0, size, BATCH):
        units = np.eye(min(BATCH, size - start), size, start)
        z = {name: torch.as_tensor(np.ascontiguousarray(part)) for name, part in form.split(units).items()}
        coupled = {name: part.numpy() for name, part in field(z).items()}
        rows.append(units * diagonal(form) - form.join(coupled))
    matrix = np.concatenate(rows)
    return 0.5 * (matrix + matrix.T)


def diagonal(form: Form) -> Array:
    """d of every unit, (n,)."""
    return np.concatenate([np.repeat(block.diagonal, block.size[0] * block.size[1]) for block in form.blocks])


def groups(form: Form) -> list[list[int]]:
    """The units of every group of two or more, by their place in `Form.join`."""
    found: list[list[int]] = []
    start = 0
    for block in form.blocks:
        found += [[start + int(unit) for unit in group] for group in _groups(block)]
        start += block.units
    return found


def _groups(block: Block) -> list[NDArray[np.int64]]:
    if block.group is None or block.group.units == 1:
        return []
    places = np.arange(block.units).reshape(1, block.channels, *block.size)
    return list(numeric.grouped(places, block.group).reshape(-1, block.group.units))
