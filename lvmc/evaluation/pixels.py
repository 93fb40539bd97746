"""How well pixels are told apart: confusions, accuracies, intersection over union, and votes of superpixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lvmc.data.sample import UNCOUNTED

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Maps = NDArray[np.uint8]


def confusion(predicted: Maps, masks: Maps, classes: int) -> Counts:
    """How often pixels of each true class are given each class, by sample: (samples, true, predicted).

    Args:
        predicted: (samples, H, W), below `classes`.
        masks: The true classes; 255 does not count.
        classes: How many there are.

    Raises:
        ValueError: A mask holds a class that the head does not know.
    """
    counts = np.zeros((len(masks), classes, classes), np.int64)
    for each, (given, true) in enumerate(zip(predicted, masks, strict=True)):
        counted = true != UNCOUNTED
        pairs = true[counted].astype(np.int64) * classes + given[counted]
        if pairs.size and (top := int(true[counted].max())) >= classes:
            raise ValueError(f"masks hold class {top}, but the head tells {classes} apart: write channels: {top + 1}")
        counts[each] = np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    return counts


def pixel_accuracy(counts: Counts) -> float:
    """Share of right pixels, of those that count; nan if there are none."""
    total = counts.sum()
    return float(np.trace(counts) / total) if total else float("nan")


def class_accuracy(counts: Counts) -> Floats:
    """Share of right pixels of each class, (classes,); nan for classes that do not occur."""
    return _shares(np.diagonal(counts), counts.sum(1))


def class_iou(counts: Counts) -> Floats:
    """Intersection over union of each class, (classes,); nan for those neither true nor given anywhere."""
    hits = np.diagonal(counts)
    return _shares(hits, counts.sum(0) + counts.sum(1) - hits)


def superpixel_votes(predicted: Maps, masks: Maps, superpixels: NDArray[np.int32], classes: int) -> Counts:
    """The confusion of superpixels, (samples, true, predicted), each of the class that most of its pixels have.

    Pixels that do not count have no vote; equal votes go to the lower class.
    """
    counts = np.zeros((len(masks), classes, classes), np.int64)
    for each, (given, true, labels) in enumerate(zip(predicted, masks, superpixels, strict=True)):
        counted = true != UNCOUNTED
        names, numbers = np.unique(labels[counted], return_inverse=True)
        winners = [_winners(numbers, votes[counted], len(names), classes) for votes in (true, given)]
        np.add.at(counts[each], (winners[0], winners[1]), 1)
    return counts


def _winners(numbers: NDArray[np.intp], votes: Maps, superpixels: int, classes: int) -> NDArray[np.intp]:
    tally = np.bincount(numbers.ravel() * classes + votes, minlength=superpixels * classes)
    return tally.reshape(superpixels, classes).argmax(1)


def _shares(hits: Counts, of: Counts) -> Floats:
    return np.where(of > 0, hits / np.maximum(of, 1), np.nan)
