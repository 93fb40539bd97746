"""The pixels of one head on one set, evaluated: all together, by class, and by superpixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lvmc.evaluation.evaluation import Evaluation, placed
from lvmc.evaluation.pixels import class_accuracy, class_iou, confusion, pixel_accuracy, superpixel_votes
from lvmc.evaluation.points import mean
from lvmc.evaluation.predict import Truth


def evaluate_pixels(place: str, predicted: NDArray[np.uint8], truth: Truth, names: Sequence[str]) -> Evaluation:
    """Pixel accuracy, mean accuracy and mean IoU over classes, and the accuracy of superpixels where there are any.

    Args:
        place: "<set>/<head>", before the names of metrics.
        predicted: (samples, H, W) classes.
        truth: With masks.
        names: Of the classes.

    Raises:
        ValueError: A mask holds a class that has no name.
    """
    assert truth.masks is not None
    by_sample = confusion(predicted, truth.masks, len(names))
    counts = by_sample.sum(0)
    accuracy, iou = class_accuracy(counts), class_iou(counts)
    figures = {"accuracy": pixel_accuracy(counts), "mean_accuracy": mean(accuracy), "miou": mean(iou)}
    counted = {f"{place}/samples": len(predicted), f"{place}/pixels": int(counts.sum())}
    if truth.superpixels is not None:
        votes = superpixel_votes(predicted, truth.masks, truth.superpixels, len(names)).sum(0)
        figures["superpixel_accuracy"] = pixel_accuracy(votes)
        counted[f"{place}/superpixels"] = int(votes.sum())
    rows = zip(names, counts.sum(1), accuracy, iou, strict=True)
    table = {name: {"pixels": float(n), "accuracy": float(a), "iou": float(i)} for name, n, a, i in rows}
    return Evaluation(
        figures=placed(place, figures),
        classes={place: {name: {m: v for m, v in row.items() if not np.isnan(v)} for name, row in table.items()}},
        counts=counted,
        errors={f"{place}/right": np.array([pixel_accuracy(each) for each in by_sample])},
    )
