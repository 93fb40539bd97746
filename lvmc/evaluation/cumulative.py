"""Where numbers lie in the densities of families: P(Y ≤ y | x), from which the coverage of intervals follows."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from lvmc.heads.density import Density

if TYPE_CHECKING:
    from torch import Tensor


def family_cumulative(record: Density, given: Tensor, y: Tensor) -> Tensor:
    """P(Y_d ≤ y_d | x) by coordinate, (batch, dims).

    Args:
        record: A Gaussian, Laplace or softmax density.
        given: What the head gave, (batch, outputs).
        y: (batch, dims).
    """
    import torch

    if record.model == "softmax":
        return _bins_cumulative(record, given, y)
    centre, spread = given.chunk(2, -1)
    if record.model == "gaussian":
        return 0.5 * (1 + torch.erf((y - centre) * (-0.5 * spread).exp() / sqrt(2)))
    offset = (y - centre) * (-spread).exp()
    tail = 0.5 * (-offset.abs()).exp()
    return torch.where(offset > 0, 1 - tail, tail)


def _bins_cumulative(record: Density, given: Tensor, y: Tensor) -> Tensor:
    """Linear within the bin that y falls in."""
    import torch

    assert record.bins is not None
    assert record.range is not None
    low, high = record.range
    share = torch.softmax(given.reshape(*y.shape, record.bins), -1)
    place = ((y - low) / (high - low) * record.bins).clamp(0, record.bins)
    cell = place.nan_to_num().floor().long().clamp_max(record.bins - 1).unsqueeze(-1)
    before = torch.cat([torch.zeros_like(share[..., :1]), share.cumsum(-1)], -1).gather(-1, cell).squeeze(-1)
    return before + share.gather(-1, cell).squeeze(-1) * (place - cell.squeeze(-1))
