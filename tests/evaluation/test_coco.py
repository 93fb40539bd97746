"""COCO's results format, and COCO's own score of them against OKS written out."""

from __future__ import annotations

from math import exp
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng

from lvmc.data.sample import About, Sample
from lvmc.evaluation.coco import SPREAD, category_of, coco_results, oks_scores, to_file


class Cut:
    """Samples cut out of files: each twice as large there, and shifted."""

    about = About()

    def __init__(self, points: np.ndarray, visible: np.ndarray) -> None:
        self.points, self.visible = points, visible

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> Sample:
        origin = np.array([[2.0, 0, 10 * index], [0, 2.0, 5]])
        picture = np.zeros((40, 40, 1), np.uint8)
        return Sample(f"{index}", picture, self.points[index], self.visible[index], origin=origin, image_id=100 + index)


def cut_set() -> tuple[Cut, dict[str, Any]]:
    """Eight samples with an annotation each."""
    draw = default_rng(3)
    points = draw.uniform(2, 38, (8, 5, 2)).astype(np.float32)
    visible = draw.integers(0, 3, (8, 5)).astype(np.uint8)
    visible[:, 0] = 2
    samples = Cut(points, visible)
    records = []
    for index in range(8):
        there = to_file(points[index], samples[index])
        marks = np.column_stack([there, visible[index]])
        records.append({
            "id": index + 1, "image_id": 100 + index, "category_id": 7, "area": 900.0, "bbox": [0, 0, 80, 80],
            "keypoints": marks.ravel().tolist(), "num_keypoints": int((visible[index] > 0).sum()), "iscrowd": 0,
        })  # fmt: skip
    images = [{"id": 100 + index, "file_name": f"{index}.png", "width": 90, "height": 90} for index in range(9)]
    return samples, {"images": images, "annotations": records, "categories": [{"id": 7, "name": "thing"}]}


def test_results_are_in_pixels_of_the_file() -> None:
    samples, _ = cut_set()
    confidence = np.full((8, 5), 0.25, np.float32)
    found = coco_results(samples.points, confidence, samples, 7)[2]
    x, y = samples.points[2, 0].astype(float)
    assert (found["image_id"], found["category_id"], found["score"]) == (102, 7, 0.25)
    assert found["keypoints"][:3] == pytest.approx([2 * x + 20, 2 * y + 5, 0.25], abs=1e-3)
    assert len(found["keypoints"]) == 15


def test_perfect_points_have_average_precision_1() -> None:
    samples, annotations = cut_set()
    scores = oks_scores(annotations, coco_results(samples.points, None, samples, category_of(annotations, "thing")))
    assert scores == {"oks_ap": 1.0, "oks_ap50": 1.0, "oks_ap75": 1.0, "oks_ar": 1.0}


def test_recall_is_the_share_of_samples_whose_oks_reaches_each_threshold() -> None:
    """With one true and one predicted person a picture, AR is the mean over thresholds of the share of OKS above."""
    samples, annotations = cut_set()
    points = samples.points + default_rng(5).normal(0, 2, samples.points.shape).astype(np.float32)
    results = coco_results(points, None, samples, 7)
    similar = []
    for record, result in zip(annotations["annotations"], results, strict=True):
        true, said = (np.array(each["keypoints"]).reshape(5, 3) for each in (record, result))
        off = ((true - said)[:, :2] ** 2).sum(1)[true[:, 2] > 0]
        similar.append(np.mean([exp(-each / (2 * 900.0 * (2 * SPREAD) ** 2)) for each in off]))
    thresholds = np.linspace(0.5, 0.95, 10)
    wanted = np.mean([[each >= t for each in similar] for t in thresholds])
    assert 0 < wanted < 1
    assert oks_scores(annotations, results)["oks_ar"] == pytest.approx(wanted)


def test_an_unknown_category_is_named() -> None:
    with pytest.raises(ValueError, match="no category 'person'"):
        category_of(cut_set()[1], "person")
