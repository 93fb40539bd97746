"""What a model says about all samples of a set, and what is true of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lvmc.data.batches import Batch
from lvmc.data.pointvectors import points_of_vector
from lvmc.data.sample import SampleSet
from lvmc.evaluation.calls import calls
from lvmc.evaluation.decode import classes_of_maps, labels_of_logits, points_of_heatmaps
from lvmc.evaluation.judged import Judged, judged
from lvmc.heads.classes import Classes
from lvmc.heads.heatmap import Heatmap
from lvmc.heads.lift import Lift
from lvmc.heads.segmentation import Segmentation
from lvmc.heads.vector import Vector
from lvmc.runtime.module import compiled_of
from lvmc.spec.train import Evaluate, Train

if TYPE_CHECKING:
    from torch import Tensor

    from lvmc.runtime.module import Model


@dataclass(frozen=True, slots=True)
class Predicted:
    """What one head says about a set, or where points of outer feedback are after the last step.

    Attributes:
        points: (samples, points, 2) as x, y in pixels of the sample.
        confidence: (samples, points) the largest probability of each heatmap, or (samples,) that of the label.
        classes: (samples, H, W) the likeliest class of each pixel.
        labels: (samples,) the likeliest class of each sample.
    """

    points: NDArray[np.float32] | None = None
    confidence: NDArray[np.float32] | None = None
    classes: NDArray[np.uint8] | None = None
    labels: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a set, as in `Sample`, stacked; -1 is no label."""

    units: NDArray[np.float32]
    points: NDArray[np.float32] | None = None
    visible: NDArray[np.uint8] | None = None
    masks: NDArray[np.uint8] | None = None
    labels: NDArray[np.int64] | None = None
    superpixels: NDArray[np.int32] | None = None


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
        What is `judged`, after the last pass or step, without heads that lvmc cannot judge.

    Raises:
        ValueError: The set is empty, or the model does not take one picture.
    """
    return predict_beside(model, samples, train, batch)[0]


def predict_beside(
    model: Model, samples: SampleSet, train: Train, batch: int = 64, seen: Seen | None = None
) -> tuple[dict[str, Predicted], Truth]:
    """What each head says about a set, beside what is true of it; raises as `predict` does.

    `seen` is shown each batch with all that the heads put out, those of several passes stacked.
    """
    if not len(samples):
        raise ValueError("there are no samples to predict")
    graph = compiled_of(model).graph
    given: list[dict[str, Predicted]] = []
    known: list[Truth] = []
    for each, out in outputs(model, samples, train, batch, seen):
        size = (each.images.shape[2], each.images.shape[3])
        said = {one.name: decoded(one, out[one.key], train.evaluate, size) for one in judged(graph)}
        given.append({name: one for name, one in said.items() if one is not None})
        known.append(truth_of(each))
    return {name: joined([one[name] for one in given]) for name in given[0]}, joined(known)


def outputs(
    model: Model, samples: SampleSet, train: Train, batch: int = 64, seen: Seen | None = None
) -> Iterator[tuple[Batch, dict[str, Tensor]]]:
    """Batches of a set in order, each with what the heads put out (after the last pass or step, if there are several).

    With `evaluate.mirror`, it is averaged with what they put out for the mirrored pictures.
    """
    import torch

    for called in calls(model, samples, train, batch):
        if seen is not None:
            with torch.no_grad():
                seen(called.batch, dict(called.out))
        yield called.batch, called.said()


def decoded(each: Judged, output: Tensor, rule: Evaluate, size: tuple[int, int]) -> Predicted | None:
    """What an output says in numbers; None for kinds of heads whose outputs have no such reading."""
    match each.record:
        case None:
            return Predicted(points=_floats(output))
        case Heatmap() as record:
            points, confidence = points_of_heatmaps(output, record.loss, rule)
            return Predicted(points=_floats(points), confidence=_floats(confidence))
        case Vector() if output.shape[1] % 2 == 0:
            return Predicted(points=_floats(points_of_vector(output.float(), size)))
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


def truth_of(batch: Batch) -> Truth:
    """What is known of a batch on the CPU."""

    def array(values: Tensor | None) -> Any:
        return None if values is None else values.numpy()

    known: Mapping[str, Any] = {
        "units": batch.units, "points": batch.points, "visible": batch.visible, "masks": batch.masks,
        "labels": batch.labels, "superpixels": batch.superpixels,
    }  # fmt: skip
    return Truth(**{name: array(values) for name, values in known.items()})


def joined(parts: Sequence[T]) -> T:
    """Batches of arrays, one after the other."""
    found: dict[str, Any] = {}
    for field in fields(parts[0]):
        arrays = [getattr(part, field.name) for part in parts]
        found[field.name] = None if arrays[0] is None else np.concatenate(arrays)
    return type(parts[0])(**found)
