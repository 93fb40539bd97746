"""D^-½ C D^-½ of a form, and what is put between the units of a group, on flat vectors in the order of `Form.join`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from lvmc.diagnostics.field import Field, Precision
from lvmc.graph.form import Array, Block, Form

if TYPE_CHECKING:
    from torch import Tensor

SMALL = 200_000
"""Units up to which float64 is fast enough throughout."""

STRETCH = 4096
NOTHING: Mapping[str, float] = MappingProxyType({})


def precision_for(form: Form) -> Precision:
    """float64 for small nets, float32 for others (results are evaluated afresh in float64)."""
    return "float64" if form.units <= SMALL else "float32"


class Flat:
    """v ↦ (D^-½ C D^-½ − Σ_l m_l (J − 1)) v, J summing over each group of layer l.

    Args:
        form: D and C, as they are.
        groups: m by layer name; 0 where not named.
        precision: Of the arithmetic.
    """

    def __init__(self, form: Form, groups: Mapping[str, float] = NOTHING, precision: Precision | None = None) -> None:
        self.form = form.unit_diagonal()
        self.field = Field(self.form, precision or precision_for(form))
        self.groups = {
            name: value for name, value in groups.items() if value and group_units(self.form.block[name]) > 1
        }

    def __call__(self, v: Tensor) -> Tensor:
        """The product with one vector (n,)."""
        return self.batch(v[None])[0]

    def batch(self, rows: Tensor) -> Tensor:
        """The product with each row, (batch, n)."""
        import torch

        z = rows_of(self.form, rows)
        with torch.no_grad():
            product = self.field(z)
            for name, value in self.groups.items():
                product[name] = product[name] - value * beside(z[name], self.form.block[name])
        return torch.cat([product[block.name].flatten(1) for block in self.form.blocks], 1)


def rows_of(form: Form, rows: Tensor) -> dict[str, Tensor]:
    """Rows (batch, n) as layers (batch, channels, height, width)."""
    starts = np.cumsum([0, *(block.units for block in form.blocks)])
    return {
        block.name: rows[:, start : start + block.units].reshape(len(rows), block.channels, *block.size)
        for block, start in zip(form.blocks, starts, strict=False)
    }


def beside(z: Tensor, block: Block) -> Tensor:
    """(J − 1) z: the sum of the other units of each unit's group."""
    assert block.group is not None
    g, h, w = block.group
    batch, channels, height, width = z.shape
    split = z.reshape(batch, channels // g, g, height // h, h, width // w, w)
    return (split.sum((2, 4, 6), keepdim=True) - split).reshape(z.shape)


def dot(a: Tensor, b: Tensor) -> float:
    """The inner product of two tensors of one shape: stretches of 4096 in their precision, their sum in float64."""
    import torch

    left, right = a.reshape(-1), b.reshape(-1)
    whole = len(left) // STRETCH * STRETCH
    parts = torch.bmm(left[:whole].view(-1, 1, STRETCH), right[:whole].view(-1, STRETCH, 1))
    return float(parts.sum(dtype=torch.float64)) + float(torch.dot(left[whole:], right[whole:]))


def unscaled(form: Form, flat: Array) -> dict[str, Array]:
    """D^-½ y by layer, (channels, height, width): where yᵀD^-½CD^-½y/yᵀy is zᵀCz/zᵀDz."""
    return {
        name: each[0] / np.sqrt(form.block[name].diagonal)[:, None, None] for name, each in form.split(flat).items()
    }


def group_units(block: Block) -> int:
    """Units of a group of the layer; 1 without groups."""
    return 1 if block.group is None else block.group.units
