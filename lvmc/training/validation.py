"""How good a model is in mid-training: its losses and metrics on the validation set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from lvmc.data.batches import Batch
from lvmc.data.sample import SampleSet, Splits
from lvmc.evaluation.evaluate import predict_and_evaluate
from lvmc.graph import EnergyGraph
from lvmc.spec.train import Train
from lvmc.training.feedback import corrections_of
from lvmc.training.fit import check_batch
from lvmc.training.targets import counts_of, targets_of

if TYPE_CHECKING:
    from torch import Tensor

    from lvmc.runtime.module import Model


def validate(model: Model, graph: EnergyGraph, samples: SampleSet, train: Train, batch: int = 64) -> dict[str, float]:
    """Figures by "validation/loss", "validation/<head>/loss" and "validation/<head>/<metric>", in one run over the set.

    Losses are means over all entries that count, of predictions without augmentation, in full precision. Steps of outer
    feedback begin where the one before left off, whatever path they are trained on.
    """
    meter = _Meter(model, graph, samples, train)
    evaluated = predict_and_evaluate(model, {"validation": samples}, train, batch, meter.see)
    return meter.figures() | evaluated.evaluation.figures


def sets_of(splits: Splits, wanted: tuple[str, ...]) -> Mapping[str, SampleSet]:
    """The sets to report on, of those that the data have."""
    known = {"validation": splits.validation, "test": splits.test}
    found = {name: each for name, each in known.items() if name in wanted and each is not None and len(each)}
    return found | (splits.covered if "covered" in wanted else {})


@final
class _Meter:
    """Adds up the losses of batches, each with as much weight as entries of it count."""

    def __init__(self, model: Model, graph: EnergyGraph, samples: SampleSet, train: Train) -> None:
        self._model, self._graph, self._samples, self._train = model, graph, samples, train
        self._sums: Tensor | None = None
        self._counts: Tensor | None = None

    def see(self, batch: Batch, out: dict[str, Tensor]) -> None:
        import torch

        check_batch(self._graph, batch, self._samples)
        batch = batch.to(next(iter(out.values())).device)
        targets, feedback = targets_of(self._graph, self._train, batch), self._graph.feedback
        targets |= corrections_of(self._model, feedback, batch, out) if feedback else {}
        losses = self._model.losses(out, targets)
        counts = counts_of(self._graph, self._train, batch)
        sums = torch.stack(list(losses.values())) * counts
        self._sums = sums if self._sums is None else self._sums + sums
        self._counts = counts if self._counts is None else self._counts + counts

    def figures(self) -> dict[str, float]:
        assert self._sums is not None
        assert self._counts is not None
        means = [float(mean) for mean in (self._sums / self._counts.clamp_min(1)).cpu()]
        named = {f"validation/{head.name}/loss": mean for head, mean in zip(self._graph.heads, means, strict=True)}
        return {"validation/loss": sum(means), **named}
