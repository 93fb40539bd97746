"""A model called on all samples of a set, and on their mirrored pictures where those count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lvmc.data.batches import Batch, in_order
from lvmc.data.sample import SampleSet
from lvmc.evaluation.mirrored import averaged, flip_of
from lvmc.evaluation.outputs import stacked_outputs
from lvmc.graph import EnergyGraph, InputNode
from lvmc.runtime.module import compiled_of
from lvmc.spec.train import Train

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from lvmc.runtime.module import Model


class Called(NamedTuple):
    """A batch, with all that a call puts out for it, and for its mirrored pictures (nothing, where they do not count).

    Outputs of several passes or steps have these in front; `flip` says which point is whose mirror image.
    """

    graph: EnergyGraph
    batch: Batch
    out: Mapping[str, Tensor]
    mirrored: Mapping[str, Tensor]
    flip: tuple[int, ...] | None

    def said(self, step: int = -1) -> dict[str, Tensor]:
        """What is said after the last pass, or after a step (from 0), averaged with what the mirrored pictures say."""
        stacked = stacked_outputs(self.graph)
        out, other = (
            {key: value[step] if key in stacked else value for key, value in each.items()}
            for each in (self.out, self.mirrored)
        )
        return averaged(self.graph, out, other, self.flip, self.batch.images.shape[3]) if other else out


def calls(model: Model, samples: SampleSet, train: Train, batch: int, **given: Any) -> Iterator[Called]:
    """Call a model in evaluation mode on a set, `batch` samples at a time in order, where its parameters are.

    Args:
        model: Its mode is as it was afterwards.
        samples: As they are.
        train: Says whether mirrored pictures count (`evaluate.mirror`), and how many workers read samples.
        batch: Samples at a time.
        given: By keyword, for every call.
    """
    import torch

    graph = compiled_of(model).graph
    device, training = _device(model), model.training
    model.eval()
    try:
        for each in in_order(samples, picture_input(graph), batch, train.workers):
            with torch.no_grad():
                images = each.images.to(device, non_blocking=True)
                out = model(images, **given)
                mirrored: dict[str, Tensor] = model(images.flip(3), **given) if train.evaluate.mirror else {}
            yield Called(graph, each, out, mirrored, flip_of(graph, samples))
    finally:
        model.train(training)


def picture_input(graph: EnergyGraph) -> InputNode:
    """The one input of a model. Raises ValueError if there are none or several."""
    if len(graph.plain_inputs) != 1:
        names = ", ".join(node.name for node in graph.plain_inputs) or "none"
        raise ValueError(f"{graph.name} has inputs {names}: training and evaluation give one picture a sample")
    return graph.plain_inputs[0]


def _device(model: Model) -> torch.device | str:
    first = next(model.parameters(), None)
    return "cpu" if first is None else first.device
