"""Points read off maps, and coordinates as vectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lvmc.data.pointvectors import points_of_vector, vector_of_points
from lvmc.evaluation.decode import classes_of_maps, labels_of_logits, points_of_heatmaps
from lvmc.spec.train import Evaluate

PEAK, CENTROID = Evaluate(decode="peak"), Evaluate(decode="centroid", window=2)


@pytest.mark.parametrize("loss", ["logistic", "l2"])
def test_the_centroid_is_what_a_loop_finds(loss: str) -> None:
    """Windows reach over borders: 6 × 7 maps with their peak anywhere."""
    logits = torch.randn(5, 4, 6, 7, generator=torch.Generator().manual_seed(0))
    points, confidence = points_of_heatmaps(logits, loss, CENTROID)
    peaks, _ = points_of_heatmaps(logits, loss, PEAK)
    mass = (logits.sigmoid() if loss == "logistic" else logits.clamp_min(0)).numpy().astype(float)
    for n in range(5):
        for p in range(4):
            y, x = np.unravel_index(logits[n, p].numpy().argmax(), (6, 7))
            assert peaks[n, p].tolist() == [x, y]
            near = [(v, u) for v in range(6) for u in range(7) if max(abs(v - y), abs(u - x)) <= 2]
            total = sum(mass[n, p, v, u] for v, u in near)
            wanted = [sum(mass[n, p, v, u] * each[axis] for each in near for v, u in [each]) / total for axis in (1, 0)]
            assert points[n, p].tolist() == pytest.approx(wanted, abs=1e-5)
            assert float(confidence[n, p]) == pytest.approx(min(1, mass[n, p, y, x]), abs=1e-6)


def test_the_centroid_of_a_smooth_bump_lies_between_pixels() -> None:
    rows, columns = np.mgrid[0:12, 0:12]
    logits = torch.from_numpy(4 - 1.5 * ((columns - 5.3) ** 2 + (rows - 6.6) ** 2))[None, None]
    points, _ = points_of_heatmaps(logits, "logistic", Evaluate(window=3))
    assert points[0, 0].tolist() == pytest.approx([5.3, 6.6], abs=0.05)


def test_a_map_without_mass_has_its_peak_for_a_centroid() -> None:
    logits = torch.full((1, 1, 4, 5), -1.0)
    logits[0, 0, 2, 3] = -0.5
    points, confidence = points_of_heatmaps(logits, "l2", CENTROID)
    assert points.tolist() == [[[3.0, 2.0]]]
    assert confidence.tolist() == [[0.0]]


def test_saturated_logits_keep_their_order() -> None:
    """In float32 the sigmoids of 40 and 50 are equal; the peak is still that of 50."""
    logits = torch.zeros(1, 1, 1, 9)
    logits[..., 1], logits[..., 6] = 40.0, 50.0
    assert points_of_heatmaps(logits, "logistic", PEAK)[0].tolist() == [[[6.0, 0.0]]]


def test_vectors_and_points_are_inverse() -> None:
    vector = torch.tensor([[-1.0, -1.0, 1.0, 1.0, 0.0, 0.5]])
    points = points_of_vector(vector, (9, 17))
    assert points.tolist() == [[[0.0, 0.0], [16.0, 8.0], [8.0, 6.0]]]
    assert torch.allclose(vector_of_points(points, (9, 17)), vector)


def test_classes_and_labels() -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0]])
    label, probability = labels_of_logits(logits)
    assert label.tolist() == [1]
    assert float(probability) == pytest.approx(float(logits.softmax(1)[0, 1]))
    classes, shares = classes_of_maps(logits[..., None, None])
    assert classes.tolist() == [[[1]]]
    assert torch.allclose(shares[0, :, 0, 0], logits[0].softmax(0))
