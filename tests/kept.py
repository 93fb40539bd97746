"""How many bytes autograd keeps for a backward pass."""

from __future__ import annotations

from collections.abc import Callable

import torch

Heads = dict[str, torch.Tensor]


def kept_bytes(run: Callable[[], Heads]) -> tuple[int, Heads]:
    """Bytes of the tensors that autograd keeps while something runs, each storage once, and what it returned."""
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = run()
    return sum(kept.values()), out
