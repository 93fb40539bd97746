"""Metrics of pixels and labels against torchmetrics and against loops."""

from __future__ import annotations

from collections import Counter
from math import isnan

import numpy as np
import pytest
import torch
from numpy.random import default_rng
from torchmetrics.functional.classification import multiclass_accuracy, multiclass_jaccard_index

from lvmc.evaluation.classes import labels_right
from lvmc.evaluation.pixels import class_accuracy, class_iou, confusion, pixel_accuracy, superpixel_votes
from lvmc.evaluation.points import mean


def random_masks(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = default_rng(seed)
    masks = draw.integers(0, 4, (3, 9, 8)).astype(np.uint8)
    said = np.where(draw.random(masks.shape) < 0.6, masks, draw.integers(0, 4, masks.shape)).astype(np.uint8)
    masks[draw.random(masks.shape) < 0.2] = 255
    return said, masks, draw.integers(-3, 6, masks.shape).astype(np.int32)


@pytest.mark.parametrize("seed", range(3))
def test_accuracies_and_iou_agree_with_torchmetrics(seed: int) -> None:
    said, masks, _ = random_masks(seed)
    counts = confusion(said, masks, 4).sum(0)
    given = torch.from_numpy(said.astype(np.int64)), torch.from_numpy(masks.astype(np.int64))
    accuracy = multiclass_accuracy(*given, 4, average="micro", ignore_index=255)
    by_class = multiclass_accuracy(*given, 4, average="none", ignore_index=255)
    iou = multiclass_jaccard_index(*given, 4, average="none", ignore_index=255)
    assert pixel_accuracy(counts) == pytest.approx(float(accuracy))
    assert np.allclose(class_accuracy(counts), by_class.numpy())
    assert np.allclose(class_iou(counts), iou.numpy())
    assert mean(class_iou(counts)) == pytest.approx(float(iou.mean()))


def test_a_class_that_does_not_occur_has_no_share_in_the_mean() -> None:
    masks = np.array([[[0, 0, 1, 255]]], np.uint8)
    counts = confusion(np.array([[[0, 1, 1, 2]]], np.uint8), masks, 3).sum(0)
    assert class_iou(counts).tolist()[:2] == [0.5, 0.5]
    assert isnan(class_iou(counts)[2])
    assert mean(class_accuracy(counts)) == 0.75
    assert isnan(pixel_accuracy(np.zeros((3, 3), np.int64)))


def test_a_mask_of_an_unknown_class_is_named() -> None:
    with pytest.raises(ValueError, match="class 3, but the head tells 3 apart: write channels: 4"):
        confusion(np.zeros((1, 1, 1), np.uint8), np.full((1, 1, 1), 3, np.uint8), 3)


@pytest.mark.parametrize("seed", range(3))
def test_superpixels_vote_as_in_a_loop(seed: int) -> None:
    said, masks, superpixels = random_masks(seed)
    wanted = np.zeros((3, 4, 4), np.int64)
    for n in range(3):
        for name in set(superpixels[n].ravel().tolist()):
            inside = (superpixels[n] == name) & (masks[n] != 255)
            if inside.any():
                winner = [_most(each[n][inside].tolist()) for each in (masks, said)]
                wanted[n, winner[0], winner[1]] += 1
    assert np.array_equal(superpixel_votes(said, masks, superpixels, 4), wanted)


def _most(votes: list[int]) -> int:
    tally = Counter(votes)
    return min(each for each in tally if tally[each] == max(tally.values()))


def test_labels() -> None:
    right = labels_right(np.array([1, 2, 0]), np.array([1, 0, -1]))
    assert right.tolist()[:2] == [1.0, 0.0]
    assert mean(right) == 0.5
