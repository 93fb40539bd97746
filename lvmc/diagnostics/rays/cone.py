"""The cone K of a form: z ≥ 0 but in signed layers, at most one nonzero unit in a group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from lvmc.graph.form import Array, Block, Form

if TYPE_CHECKING:
    from torch import Tensor


def best_in_cone(drive: Tensor, block: Block) -> Tensor:
    """P(g/d): the z of the layer's cone with the largest 2 gᵀz − zᵀDz. `drive` (batch, channels, height, width).

    g/d rectified (as it is in signed layers); in a group the unit with the largest g²/d, the first of equals.
    """
    import torch

    diagonal = torch.as_tensor(block.diagonal, dtype=drive.dtype)[:, None, None]
    free = (drive if block.signed else drive.clamp(min=0)) / diagonal
    if block.group is None or block.group.units == 1:
        return free
    return _winners(free, free * free * diagonal, block)


def project(form: Form, z: Mapping[str, Array]) -> dict[str, Array]:
    """The point of K nearest to z in the norm of D, layers (channels, height, width); what is not finite becomes 0."""
    import torch

    near: dict[str, Array] = {}
    for block in form.blocks:
        values = np.nan_to_num(z[block.name], nan=0.0, posinf=0.0, neginf=0.0)
        drive = torch.as_tensor(values * block.diagonal[:, None, None])[None]
        near[block.name] = best_in_cone(drive, block)[0].numpy()
    return near


def _winners(values: Tensor, scores: Tensor, block: Block) -> Tensor:
    """`values` where `scores` are largest in their group, 0 elsewhere."""
    import torch
    import torch.nn.functional as F

    assert block.group is not None
    places = F.max_pool3d(scores[:, None], tuple(block.group), return_indices=True)[1].flatten(1)
    flat = values.flatten(1)
    return torch.zeros_like(flat).scatter_(1, places, flat.gather(1, places)).reshape(values.shape)
