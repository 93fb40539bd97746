"""Sums over all processes of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def summed(values: Tensor) -> Tensor:
    """The sum of every process's values; without gradients."""
    # torch annotates it in part only
    from torch.distributed import all_reduce  # pyright: ignore[reportUnknownVariableType]

    total = values.detach().clone()
    all_reduce(total)
    return total
