"""Random samples that losses take, as a function of (seed, step, process): a resumed run draws them again."""

from __future__ import annotations

import numpy as np

from lvmc.graph import EnergyGraph
from lvmc.heads.head import Sampled

_STREAM = 0x647261


def seed_draws(graph: EnergyGraph, seed: int, step: int, rank: int = 0) -> None:
    """Seed torch's generators for the samples of one step, where a head's loss takes any.

    Every process has samples of its own, so the losses of several are those of one only in expectation.
    """
    import torch

    if any(isinstance(head.record, Sampled) and head.record.draws() is not None for head in graph.heads):
        state = np.random.SeedSequence((_STREAM, seed % 2**64, step, rank)).generate_state(1, np.uint64)
        torch.manual_seed(int(state[0]))  # pyright: ignore[reportUnknownMemberType]: its argument is not annotated
