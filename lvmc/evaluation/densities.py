"""Densities of the first samples of a set beside what is true of them, ready to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvmc.data.sample import Sample, SampleSet
from lvmc.evaluation.numbers import densities_of, learned
from lvmc.evaluation.predict import outputs
from lvmc.evaluation.shown import Chosen
from lvmc.heads.density import Density
from lvmc.results.densities import Shape, shapes_of
from lvmc.runtime.module import compiled_of
from lvmc.spec.train import Train

if TYPE_CHECKING:
    from lvmc.runtime.module import Model


def first_shapes(model: Model, samples: SampleSet, train: Train, count: int) -> dict[str, list[tuple[Sample, Shape]]]:
    """By density head of one or two numbers, the first `count` samples with their densities."""
    chosen = Chosen(samples, tuple(range(min(count, len(samples)))))
    heads = [head for head in compiled_of(model).graph.heads if isinstance(head.record, Density)]
    found: dict[str, list[tuple[Sample, Shape]]] = {}
    for batch, out in outputs(model, chosen, train, 16) if heads and count else ():
        size = None if train.learns_values else (batch.images.shape[2], batch.images.shape[3])
        densities = densities_of(model, out)
        for head in heads:
            given = out[head.name].float()
            assert isinstance(head.record, Density)
            shapes = shapes_of(
                densities[head.name], head.record, given, size, learned(batch, train, head, given.device)
            )
            drawn = [(samples[int(row)], shape) for row, shape in zip(batch.index, shapes, strict=False)]
            if drawn:
                found.setdefault(head.name, []).extend(drawn)
    return found
