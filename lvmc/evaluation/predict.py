"""What a model says about all samples of a set, and what is true of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lvmc.data.batches import Batch, in_order
from lvmc.data.pointvectors import points_of_vector
from lvmc.data.sample import SampleSet
from lvmc.evaluation.decode import classes_of_maps, labels_of_logits, points_of_heatmaps
from lvmc.evaluation.mirrored import averaged, flip_of
from lvmc.evaluation.numbers import Numbers, numbers_said
from lvmc.graph import EnergyGraph, HeadNode, InputNode
from lvmc.heads.classes import Classes
from lvmc.heads.heatmap import Heatmap
from lvmc.heads.lift import Lift
from lvmc.heads.segmentation import Segmentation
from lvmc.runtime.module import compiled_of
from lvmc.spec.train import Evaluate, Train

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from lvmc.runtime.module import Model


@dataclass(frozen=True, slots=True)
class Predicted:
    """What one head says about a set.

    Attributes:
        points: (samples, points, 2) as x, y in pixels of the sample.
        confidence: (samples, points) the largest probability of each heatmap, or (samples,) that of the label.
        classes: (samples, H, W) the likeliest class of each pixel.
        labels: (samples,) the likeliest class of each sample.
        numbers: (samples, D) values.
        mean: As `numbers`, or as `points`: the mean of an energy.
        refined: As `numbers`, or as `points`: where the density of an energy moves them.
        log_likelihood: (samples,) log p(y | x) of the truth; nan where it is not known.
        log_error: (samples,) how far that may be off.
        below: (samples, D) P(Y ≤ y | x) of the truth, by coordinate.
    """

    points: NDArray[np.float32] | None = None
    confidence: NDArray[np.float32] | None = None
    classes: NDArray[np.uint8] | None = None
    labels: NDArray[np.int64] | None = None
    numbers: NDArray[np.float32] | None = None
    mean: NDArray[np.float32] | None = None
    refined: NDArray[np.float32] | None = None
    log_likelihood: NDArray[np.float32] | None = None
    log_error: NDArray[np.float32] | None = None
    below: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a set, as in `Sample`, stacked; -1 is no label."""

    units: NDArray[np.float32]
    points: NDArray[np.float32] | None = None
    visible: NDArray[np.uint8] | None = None
    masks: NDArray[np.uint8] | None = None
    labels: NDArray[np.int64] | None = None
    superpixels: NDArray[np.int32] | None = None
    values: NDArray[np.float32] | None = None


T = TypeVar("T", Predicted, Truth)
Seen = Callable[[Batch, "dict[str, Tensor]"], None]


def predict(model: Model, samples: SampleSet, train: Train, batch: int = 64) -> dict[str, Predicted]:
    """Run a model on a set in evaluation mode, where its parameters are.

    Args:
        model: Made by `lvmc.compile` or `lvmc.open`; its mode is left as it was.
        samples: What to run it on, without augmentation.
        train: Says how points are read off heatmaps (`evaluate`), and how many workers read samples.
        batch: Samples at a time.

    Returns:
        What each head says (with `at: each`, after the last pass), without heads that lvmc cannot judge.

    Raises:
        ValueError: The set is empty, or the model does not take one picture.
    """
    return predict_beside(model, samples, train, batch)[0]


def predict_beside(
    model: Model,
    samples: SampleSet,
    train: Train,
    batch: int = 64,
    seen: Seen | None = None,
    refine_with: Model | None = None,
) -> tuple[dict[str, Predicted], Truth]:
    """What each head says about a set, beside what is true of it; raises as `predict` does.

    `seen` is shown each batch with all that the heads put out, those of several passes stacked. An energy of
    `refine_with` refines numbers; without it, one of the model.
    """
    if not len(samples):
        raise ValueError("there are no samples to predict")
    given: list[dict[str, Predicted]] = []
    known: list[Truth] = []
    others = outputs(refine_with, samples, train, batch) if refine_with is not None else None
    for each, out in outputs(model, samples, train, batch, seen):
        by = (refine_with, next(others)[1]) if refine_with is not None and others is not None else None
        given.append(said_of(model, each, out, train, by))
        known.append(_truth(each))
    return {name: _joined([one[name] for one in given]) for name in given[0]}, _joined(known)


def outputs(
    model: Model, samples: SampleSet, train: Train, batch: int = 64, seen: Seen | None = None
) -> Iterator[tuple[Batch, dict[str, Tensor]]]:
    """Batches of a set in order, each with what the heads put out (after the last pass, where there are several).

    With `evaluate.mirror`, it is averaged with what they put out for the mirrored pictures.
    """
    import torch

    graph = compiled_of(model).graph
    stacked = {key for head in graph.heads if head.record.at == "each" for key in head.outputs}
    device, training = _device(model), model.training
    model.eval()
    try:
        for each in in_order(samples, picture_input(graph), batch, train.workers):
            with torch.no_grad():
                images = each.images.to(device, non_blocking=True)
                out = model(images)
                if seen is not None:
                    seen(each, out)
                last = _last(out, stacked)
                if train.evaluate.mirror:
                    last = averaged(graph, last, _last(model(images.flip(3)), stacked), flip_of(graph, samples))
            yield each, last
    finally:
        model.train(training)


def _last(out: dict[str, Tensor], stacked: set[str]) -> dict[str, Tensor]:
    return {name: value[-1] if name in stacked else value for name, value in out.items()}


def picture_input(graph: EnergyGraph) -> InputNode:
    """The one input of a model. Raises ValueError if there are none or several."""
    if len(graph.plain_inputs) != 1:
        names = ", ".join(node.name for node in graph.plain_inputs) or "none"
        raise ValueError(f"{graph.name} has inputs {names}: training and evaluation give one picture a sample")
    return graph.plain_inputs[0]


def said_of(
    model: Model, batch: Batch, out: dict[str, Tensor], train: Train, by: tuple[Model, dict[str, Tensor]] | None = None
) -> dict[str, Predicted]:
    """What each head says of a batch, by what it put out after the last pass; `by` as in `numbers_said`."""
    size = (batch.images.shape[2], batch.images.shape[3])
    numbers = numbers_said(model, batch, out, train, by)
    found: dict[str, Predicted] = {}
    for head in compiled_of(model).graph.heads:
        if head.name in numbers:
            said = _of_numbers(numbers[head.name], train, size)
        else:
            said = _decoded(head, out[head.outputs[0]], train.evaluate)
        if said is not None:
            found[head.name] = said
    return found


def _of_numbers(said: Numbers, train: Train, size: tuple[int, int]) -> Predicted | None:
    """Values as they are, and points in pixels; None of numbers that are neither."""
    if not train.learns_values and said.predicted.shape[1] % 2:
        return None

    def placed(numbers: Tensor | None) -> NDArray[np.float32] | None:
        return None if numbers is None else _floats(numbers if train.learns_values else points_of_vector(numbers, size))

    known: dict[str, Any] = {"numbers" if train.learns_values else "points": placed(said.predicted)}
    for name in ("log_likelihood", "log_error", "below"):
        known[name] = None if getattr(said, name) is None else _floats(getattr(said, name))
    return Predicted(mean=placed(said.mean), refined=placed(said.refined), **known)


def _decoded(head: HeadNode, output: Tensor, rule: Evaluate) -> Predicted | None:
    """What a head of another kind says, by its first output; None for kinds whose outputs have no such reading."""
    match head.record:
        case Heatmap() as record:
            points, confidence = points_of_heatmaps(output, record.loss, rule)
            return Predicted(points=_floats(points), confidence=_floats(confidence))
        case Lift():
            return Predicted(points=_floats(output))
        case Segmentation():
            return Predicted(classes=classes_of_maps(output)[0].cpu().numpy().astype(np.uint8))
        case Classes():
            label, probability = labels_of_logits(output)
            return Predicted(labels=label.cpu().numpy(), confidence=_floats(probability))
        case _:
            return None


def _floats(values: Tensor) -> NDArray[np.float32]:
    return values.cpu().numpy().astype(np.float32)


def _device(model: Model) -> torch.device | str:
    first = next(model.parameters(), None)
    return "cpu" if first is None else first.device


def _truth(batch: Batch) -> Truth:
    def array(values: Tensor | None) -> Any:
        return None if values is None else values.numpy()

    known: Mapping[str, Any] = {
        "units": batch.units, "points": batch.points, "visible": batch.visible, "masks": batch.masks,
        "labels": batch.labels, "superpixels": batch.superpixels, "values": batch.values,
    }  # fmt: skip
    return Truth(**{name: array(values) for name, values in known.items()})


def _joined(parts: Sequence[T]) -> T:
    """Batches of arrays, one after the other."""
    found: dict[str, Any] = {}
    for field in fields(parts[0]):
        arrays = [getattr(part, field.name) for part in parts]
        found[field.name] = None if arrays[0] is None else np.concatenate(arrays)
    return type(parts[0])(**found)
