"""Heatmaps that say at first how many of their pixels are near a point, and nothing else.

With biases at 0 every pixel starts at probability ½, while about one in a hundred is near a point: the first epochs
then go by in pushing all logits down, with filters that are wanted for other things, since Adam moves a bias by no more
than the rate in a step. From log p/(1 − p) training begins with the filters (as in Lin et al. 2017, §4.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lvmc.data.batches import in_order
from lvmc.data.sample import SampleSet
from lvmc.evaluation.calls import picture_input
from lvmc.graph import EnergyGraph, HeadNode
from lvmc.graph.states import common_name
from lvmc.heads.heatmap import Heatmap
from lvmc.runtime.module import compiled_of
from lvmc.spec.train import Train
from lvmc.training.fit import check_batch
from lvmc.training.targets import targets_of

if TYPE_CHECKING:
    from torch import Tensor

    from lvmc.runtime.module import Model

SAMPLES = 64
"""The first of the set, by which shares are measured."""

LEAST, MOST = 1e-4, 0.5


def start_at_shares(model: Model, train: Train, samples: SampleSet) -> None:
    """Set biases of logistic heatmaps, at the layer that each reads first, to the logits of their shares of ones."""
    import torch

    graph = compiled_of(model).graph
    heads = list(_logistic(graph))
    if not heads:
        return
    batch = next(in_order(samples, picture_input(graph), SAMPLES))
    check_batch(graph, batch, samples)
    targets = targets_of(graph, train, batch)
    state = model.state_dict()
    with torch.no_grad():
        for head in heads:
            logits = torch.logit(_shares(targets[head.name]))
            wanted = f"heads.{head.name}.{next(iter(head.record.reads))}.bias"
            for bias in (value for name, value in state.items() if common_name(name) == wanted):
                bias.copy_(logits.repeat_interleave(bias.numel() // logits.numel()))  # one a place, where maps are read


def _logistic(graph: EnergyGraph) -> Iterator[HeadNode]:
    for head in graph.heads:
        if isinstance(head.record, Heatmap) and head.record.loss == "logistic":
            yield head


def _shares(maps: Tensor) -> Tensor:
    """Of ones among what counts, (channels,)."""
    counted = (maps >= 0).sum((0, 2, 3)).clamp_min(1)
    return ((maps > 0).sum((0, 2, 3)) / counted).clamp(LEAST, MOST)
