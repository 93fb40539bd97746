"""p(y | x) of density heads of one or two numbers, at the points of a grid over where y lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lvmc.heads.density import Density as Record

if TYPE_CHECKING:
    from torch import Tensor

    from lvmc.runtime.density import Density, Integrals

POINTS = (401, 101)
"""Along each axis, of one number and of two."""

WIDE = 8.0
"""Deviations to both sides of the mean that a grid of a Gaussian or Laplace density reaches to."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Densities of a batch on a grid that all of its samples share.

    Attributes:
        axes: The points along each axis, in the head's numbers.
        density: (batch, points) or (batch, points, points), p(y | x) there.
        integrals: log Z, mean and variance over the grid, and how far they may be off.
    """

    axes: tuple[Tensor, ...]
    density: Tensor
    integrals: Integrals

    @property
    def peaks(self) -> Tensor:
        """The point of the grid where each density is largest, (batch, dims)."""
        import torch

        places = self.density.flatten(1).argmax(1)
        indices = torch.unravel_index(places, self.density.shape[1:])
        return torch.stack([axis[index] for axis, index in zip(self.axes, indices, strict=True)], 1)

    def cumulative(self, y: Tensor) -> Tensor:
        """P(Y_d ≤ y_d | x) of numbers y (batch, dims), by coordinate: cell by cell, linear within a cell."""
        import torch

        parts = [_share(self._marginal(number), axis, y[:, number]) for number, axis in enumerate(self.axes)]
        return torch.stack(parts, 1)

    def _marginal(self, number: int) -> Tensor:
        return self.density if len(self.axes) == 1 else self.density.sum(2 - number)


def grid_of(density: Density, record: Record, given: Tensor, size: tuple[int, int] | None = None) -> Grid | None:
    """The grid of a head; None of three numbers or more, or where nothing says where they lie.

    A point in a picture is asked for at its pixels. Else the grid is over `range` of the head, and of a Gaussian or
    Laplace density over eight deviations about the means of the batch.

    Args:
        density: As `model.densities` hands it out.
        record: Of the head.
        given: What the head gave, (batch, outputs), for the same samples.
        size: Height and width of the picture, if y is a point in it.
    """
    if record.dims == 2 and size is not None:
        return _of_pixels(density, given, size)
    box = (-1.1, 1.1) if size is not None and record.range is None else record.range
    if record.model in ("gaussian", "laplace"):
        box = _about(record, given)
    if record.dims > 2 or box is None:
        return None
    points = POINTS[record.dims - 1]
    axes, values = density.grid(*box, points)
    return Grid(axes, values, density.integrals(*box, points))


def _of_pixels(density: Density, given: Tensor, size: tuple[int, int]) -> Grid:
    import torch

    height, width = size
    integrals, share = density.heatmap(height, width)
    axes = tuple(torch.linspace(-1, 1, extent, dtype=share.dtype, device=share.device) for extent in (width, height))
    return Grid(axes, share.transpose(1, 2) * ((height - 1) * (width - 1) / 4), integrals)


def _about(record: Record, given: Tensor) -> tuple[list[float], list[float]]:
    """The least and largest of what is likely in the batch, by coordinate."""
    centre, spread = given.chunk(2, -1)
    scale = WIDE * (0.5 * spread if record.model == "gaussian" else spread).exp()
    return [float(each) for each in (centre - scale).amin(0)], [float(each) for each in (centre + scale).amax(0)]


def _share(density: Tensor, axis: Tensor, y: Tensor) -> Tensor:
    """Of densities (batch, points), not normalised, the share below y (batch,)."""
    import torch

    summed = torch.cumulative_trapezoid(density, dim=1)
    summed = torch.cat([torch.zeros_like(summed[:, :1]), summed], 1)
    place = ((y - axis[0]) / (axis[1] - axis[0])).clamp(0, len(axis) - 1).unsqueeze(1)
    cell = place.nan_to_num().floor().long().clamp_max(len(axis) - 2)
    first, last = summed.gather(1, cell), summed.gather(1, cell + 1)
    return ((first + (place - cell) * (last - first)) / summed[:, -1:]).squeeze(1)
