"""Discs and Gaussians around points, as maps that heatmaps are trained towards."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LEAST = sqrt(0.5)
"""A disc of this radius always holds the centre of a pixel; smaller ones are enlarged to it."""


def discs(points: Tensor, radius: Tensor, size: tuple[int, int], widest: float) -> Tensor:
    """1 where ‖pixel − point‖ ≤ r, 0 elsewhere.

    Only pixels near points are visited, so the cost is that of filling the maps with 0.

    Args:
        points: (batch, points, 2) as x, y in pixels, pixel centres at whole numbers.
        radius: (batch, points) in pixels; negative: nothing is drawn.
        size: Height and width of the maps.
        widest: No radius is larger; told, so that it need not be read back from a GPU.

    Returns:
        (batch, points, H, W) float32, channels innermost in memory, as the losses read them.
    """
    import torch

    (height, width), (batch, count) = size, radius.shape
    side = min(ceil(max(widest, LEAST)), max(size))
    offsets = torch.arange(-side, side + 1, device=points.device)
    nearest = points.round().clamp(-side - 1, max(size) + side)  # what lies further off reaches no pixel
    x, y = (nearest[..., axis, None].long() + offsets for axis in (0, 1))
    across, down = (x - points[..., :1]).square(), (y - points[..., 1:]).square()
    square = torch.where(radius >= 0, radius.clamp_min(LEAST).square(), -1.0)[..., None, None]
    inside = down[..., :, None] + across[..., None, :] <= square
    inside &= ((y >= 0) & (y < height))[..., :, None] & ((x >= 0) & (x < width))[..., None, :]
    first = torch.arange(batch, device=points.device)[:, None, None] * height
    place = ((first + y)[..., :, None] * width + x[..., None, :]) * count
    place += torch.arange(count, device=points.device)[:, None, None]
    entries = batch * height * width * count
    maps = torch.zeros(entries + 1, device=points.device)  # the last one takes what lies outside
    maps.index_fill_(0, torch.where(inside, place, entries).flatten(), 1.0)
    return maps[:entries].view(batch, height, width, count).permute(0, 3, 1, 2)


def gaussians(points: Tensor, sigma: Tensor, size: tuple[int, int]) -> Tensor:
    """exp(−‖pixel − point‖²/2σ²); 0 everywhere where σ is negative. Arguments and result as of `discs`."""
    import torch

    across, down = (_bells(points[..., axis], sigma, length) for axis, length in ((0, size[1]), (1, size[0])))
    down = torch.where(sigma[:, None, :] < 0, 0.0, down)
    return (down[:, :, None] * across[:, None]).permute(0, 3, 1, 2)


def _bells(centre: Tensor, sigma: Tensor, length: int) -> Tensor:
    """(batch, length, points)."""
    import torch

    away = torch.arange(length, device=centre.device)[:, None] - centre[:, None, :]
    return torch.exp(-0.5 * (away / sigma[:, None, :]).square())
