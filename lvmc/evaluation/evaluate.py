"""A model evaluated on sets of samples: every head by the metrics of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from lvmc.data.sample import About, SampleSet
from lvmc.evaluation.classes import labels_right
from lvmc.evaluation.evaluate_numbers import evaluate_numbers
from lvmc.evaluation.evaluate_pixels import evaluate_pixels
from lvmc.evaluation.evaluate_points import evaluate_points
from lvmc.evaluation.evaluate_points3d import with_points3d
from lvmc.evaluation.evaluation import Evaluation, merged, placed
from lvmc.evaluation.numbers import dims_of
from lvmc.evaluation.outputs import Output, evaluated_outputs
from lvmc.evaluation.points import mean
from lvmc.evaluation.predict import Predicted, Seen, Truth, predict_beside
from lvmc.evaluation.steps import evaluate_steps
from lvmc.heads.heatmap import Heatmap, Points
from lvmc.heads.segmentation import Segmentation
from lvmc.runtime.module import compiled_of
from lvmc.spec.train import Train

if TYPE_CHECKING:
    from lvmc.runtime.module import Model


class Evaluated(NamedTuple):
    """An evaluation, and the predictions it is of, by set and head."""

    evaluation: Evaluation
    predicted: dict[str, dict[str, Predicted]]


def evaluate(model: Model, sets: Mapping[str, SampleSet], train: Train, batch: int = 64) -> Evaluation:
    """Predict all samples of all sets and compare with what is true; points of outer feedback also step by step.

    Args:
        model: Made by `lvmc.compile` or `lvmc.open`.
        sets: By name, for example test and covered.
        train: Says how points are read off heatmaps, and within what they are right (`evaluate`).
        batch: Samples at a time.

    Raises:
        ValueError: A set is empty, or its points or classes are not the head's.
    """
    last = predict_and_evaluate(model, sets, train, batch).evaluation
    return merged([last, evaluate_steps(model, sets, train, batch)])


def predict_and_evaluate(
    model: Model,
    sets: Mapping[str, SampleSet],
    train: Train,
    batch: int = 64,
    seen: Seen | None = None,
    refine_with: Model | None = None,
) -> Evaluated:
    """As `evaluate`, with the predictions; `seen` and `refine_with` as in `predict_beside`."""
    parts: list[Evaluation] = []
    predicted: dict[str, dict[str, Predicted]] = {}
    for name, samples in sets.items():
        predicted[name], truth = predict_beside(model, samples, train, batch, seen, refine_with)
        parts.append(evaluate_set(model, name, predicted[name], truth, samples.about, train))
    return Evaluated(merged(parts), predicted)


def evaluate_set(
    model: Model, name: str, said: Mapping[str, Predicted], truth: Truth, about: About, train: Train
) -> Evaluation:
    """What heads said about a set, compared with what is true; raises as `evaluate` does."""
    known = [each for each in evaluated_outputs(compiled_of(model).graph) if each.name in said]
    parts = [_evaluate(each, f"{name}/{each.name}", said[each.name], truth, about, train) for each in known]
    return merged(parts)


def names_and_limbs(head: Output, about: About, count: int) -> tuple[list[str], tuple[tuple[int, int], ...]]:
    """What points are called, and the limbs between them: as the head says, else the data."""
    points = head.record.points if isinstance(head.record, Heatmap) and head.record.points else Points()
    names = points.names or about.points or tuple(map(str, range(count)))
    return list(names), points.skeleton or about.skeleton


def class_names(head: Output, about: About, count: int) -> list[str]:
    """What the classes of a head are called: as the head says, else the data."""
    own = head.record.classes if isinstance(head.record, Segmentation) else None
    known = about.classes if len(about.classes) == count else None
    return list(own or known or map(str, range(count)))


def _evaluate(head: Output, place: str, said: Predicted, truth: Truth, about: About, train: Train) -> Evaluation:
    plain = _evaluate_plain(head, place, said, truth, about, train)
    if dims_of(head.record) is None:
        return plain
    return merged([plain, evaluate_numbers(place, said, truth, train.columns(head.name))])


def _evaluate_plain(head: Output, place: str, said: Predicted, truth: Truth, about: About, train: Train) -> Evaluation:
    """Points, classes of pixels and labels."""
    if said.points is not None and truth.points is not None and truth.visible is not None:
        count, known = said.points.shape[1], truth.points.shape[1]
        if dims_of(head.record) is not None and count != known:
            return Evaluation()
        if count != known:
            key = "channels" if head.record else "points"
            remedy = f"write {key}: {known}, or choose points of the data"
            raise ValueError(f"head {head.name!r} gives {count} points, but samples have {known}; {remedy}")
        names, limbs = names_and_limbs(head, about, count)
        found = evaluate_points(place, said, truth, names, limbs, train.evaluate.pck)
        return with_points3d(found, place, said, truth, names)
    if said.classes is not None and truth.masks is not None and isinstance(head.record, Segmentation):
        count = head.record.channels
        return evaluate_pixels(place, said.classes, truth, class_names(head, about, count))
    if said.labels is not None and truth.labels is not None:
        right = labels_right(said.labels, truth.labels)
        counts = {f"{place}/samples": int((truth.labels >= 0).sum())}
        figures = placed(place, {"accuracy": mean(right)})
        return Evaluation(figures=figures, counts=counts, errors={f"{place}/right": right})
    return Evaluation()
