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
from lvmc.evaluation.numbers import Numbers, numbers_said
from lvmc.evaluation.outputs import Output, evaluated_outputs
from lvmc.heads.classes import Classes
from lvmc.heads.heatmap import Heatmap
from lvmc.heads.lift import POINTS3D, Lift
from lvmc.heads.segmentation import Segmentation
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
        points3d: (samples, points, 3) as right, down, depth, in units of a lifting head's basis.
        confidence: (samples, points) the largest probability of each heatmap, or (samples,) that of the label.
        classes: (samples, H, W) the likeliest class of each pixel.
        labels: (samples,) the likeliest class of each sample.
        numbers: (samples, D) values.
        mean: As `numbers`, or as `points`: the mean of an energy.
        refined: As `numbers`, or as `points`: where the density of an energy moves them.
        log_likelihood: (samples,) log p(y | x) of the truth; nan where it is not known.
        log_error: (samples,) how far that may be off.
        cumulative: (samples, D) P(Y ≤ y | x) of the truth, by coordinate.
    """

    points: NDArray[np.float32] | None = None
    points3d: NDArray[np.float32] | None = None
    confidence: NDArray[np.float32] | None = None
    classes: NDArray[np.uint8] | None = None
    labels: NDArray[np.int64] | None = None
    numbers: NDArray[np.float32] | None = None
    mean: NDArray[np.float32] | None = None
    refined: NDArray[np.float32] | None = None
    log_likelihood: NDArray[np.float32] | None = None
    log_error: NDArray[np.float32] | None = None
    cumulative: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of a set, as in `Sample`, stacked; -1 is no label."""

    units: NDArray[np.float32]
    points: NDArray[np.float32] | None = None
    points3d: NDArray[np.float32] | None = None
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
        What is evaluated, after the last pass or step, without heads that lvmc cannot evaluate.

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


def said_of(
    model: Model, batch: Batch, out: dict[str, Tensor], train: Train, by: tuple[Model, dict[str, Tensor]] | None = None
) -> dict[str, Predicted]:
    """What is evaluated, of a batch, by what a model put out after the last pass or step; `by` as in `numbers_said`."""
    size = (batch.images.shape[2], batch.images.shape[3])
    numbers = numbers_said(model, batch, out, train, by)
    found: dict[str, Predicted] = {}
    for each in evaluated_outputs(compiled_of(model).graph):
        own = numbers.get(each.name)
        said = _decoded(each, out, train.evaluate) if own is None else _of_numbers(own, train, size)
        if said is not None:
            found[each.name] = said
    return found


def _of_numbers(said: Numbers, train: Train, size: tuple[int, int]) -> Predicted | None:
    """Values as they are, and points in pixels; None of numbers that are neither."""
    if not train.learns_values and said.predicted.shape[1] % 2:
        return None

    def placed(numbers: Tensor | None) -> NDArray[np.float32] | None:
        return None if numbers is None else _floats(numbers if train.learns_values else points_of_vector(numbers, size))

    known: dict[str, Any] = {"numbers" if train.learns_values else "points": placed(said.predicted)}
    for name in ("log_likelihood", "log_error", "cumulative"):
        known[name] = None if getattr(said, name) is None else _floats(getattr(said, name))
    return Predicted(mean=placed(said.mean), refined=placed(said.refined), **known)


def _decoded(each: Output, out: Mapping[str, Tensor], rule: Evaluate) -> Predicted | None:
    """What an output says; None for kinds of heads whose outputs have no such reading."""
    output = out[each.key]
    match each.record:
        case None:
            return Predicted(points=_floats(output))
        case Heatmap() as record:
            points, confidence = points_of_heatmaps(output, record.loss, rule)
            return Predicted(points=_floats(points), confidence=_floats(confidence))
        case Lift():
            return Predicted(points=_floats(output), points3d=_floats(out[f"{each.name}.{POINTS3D}"]))
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
        "units": batch.units, "points": batch.points, "points3d": batch.points3d, "visible": batch.visible,
        "masks": batch.masks, "labels": batch.labels, "superpixels": batch.superpixels, "values": batch.values,
    }  # fmt: skip
    return Truth(**{name: array(values) for name, values in known.items()})


def joined(parts: Sequence[T]) -> T:
    """Batches of arrays, one after the other."""
    found: dict[str, Any] = {}
    for field in fields(parts[0]):
        arrays = [getattr(part, field.name) for part in parts]
        found[field.name] = None if arrays[0] is None else np.concatenate(arrays)
    return type(parts[0])(**found)
