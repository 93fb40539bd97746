"""What heads that regress numbers learn: values, or points as a vector of numbers about −1 … 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lvmc.data.batches import Batch

if TYPE_CHECKING:
    from torch import Tensor


def numbers_of(batch: Batch, columns: Sequence[int] | None) -> Tensor | None:
    """The values of a batch (batch, D), or those in some columns; else its points as a vector; None without both."""
    if batch.values is not None:
        return batch.values if columns is None else batch.values[:, list(columns)]
    if batch.points is None:
        return None
    return vector_of_points(batch.points, (batch.images.shape[2], batch.images.shape[3]))


def points_of_vector(vector: Tensor, size: tuple[int, int]) -> Tensor:
    """x = (W − 1)/2 · (1 + v_x), y = (H − 1)/2 · (1 + v_y): the corners' pixel centres are at ±1.

    Args:
        vector: (batch, 2 · points) as v_x, v_y of the first point, then of the second, …
        size: Height and width of the input.

    Returns:
        (batch, points, 2) as x, y in pixels.
    """
    pairs = vector.reshape(vector.shape[0], -1, 2)
    return (1 + pairs) * _half(pairs, size)


def vector_of_points(points: Tensor, size: tuple[int, int]) -> Tensor:
    """The inverse of `points_of_vector`: (batch, points, 2) in pixels → (batch, 2 · points)."""
    return (points / _half(points, size) - 1).flatten(1)


def _half(like: Tensor, size: tuple[int, int]) -> Tensor:
    height, width = size
    return like.new_tensor([max(width - 1, 1) / 2, max(height - 1, 1) / 2])
