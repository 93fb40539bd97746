"""Metrics of points against loops written from their definitions, and against torchmetrics."""

from __future__ import annotations

from math import hypot, isnan

import numpy as np
import pytest
import torch
from numpy.random import Generator, default_rng
from torchmetrics.functional.classification import binary_average_precision, binary_precision_recall_curve

from lvmc.evaluation.points import limbs_right, mean, mean_offset, only, pck, pck_area, pck_curve, point_errors
from lvmc.evaluation.visibility import average_precision, precision_recall

LIMBS = ((0, 1), (1, 2), (3, 0))


def random_points(seed: int) -> tuple[Generator, list[np.ndarray]]:
    draw = default_rng(seed)
    true = draw.uniform(0, 30, (7, 4, 2)).astype(np.float32)
    said = (true + draw.normal(0, 3, true.shape)).astype(np.float32)
    visible = draw.integers(0, 3, (7, 4)).astype(np.uint8)
    units = draw.uniform(5, 20, 7).astype(np.float32)
    return draw, [said, true, visible, units]


@pytest.mark.parametrize("seed", range(5))
def test_nme_and_pck_are_what_a_loop_finds(seed: int) -> None:
    _, (said, true, visible, units) = random_points(seed)
    found = point_errors(said, true, visible, units)
    for mark, errors in ((None, found), (1, only(found, visible, 1)), (2, only(found, visible, 2))):
        listed = []
        for n in range(7):
            for p in range(4):
                if visible[n, p] and mark in (None, visible[n, p]):
                    x, y = (said[n, p] - true[n, p]).astype(float)
                    listed.append(hypot(x, y) / units[n])
        assert mean(errors) == pytest.approx(sum(listed) / len(listed), rel=1e-5)
        for threshold in (0.0, 0.1, 0.3, 1.0, 100.0):
            assert pck(errors, threshold) == sum(each <= threshold for each in listed) / len(listed)


def test_an_offset_of_the_annotations_is_found() -> None:
    draw, (said, true, visible, _) = random_points(0)
    known = visible > 0
    assert mean_offset(said, true, visible) == pytest.approx((said - true)[known].mean(0), abs=1e-5)
    moved = true + np.asarray([0.6, -2], np.float32)
    moved[~known] = draw.normal(size=2)
    assert mean_offset(moved, true, visible) == pytest.approx([0.6, -2], abs=1e-5)
    assert np.isnan(mean_offset(said, true, 0 * visible)).all()


def test_the_area_is_that_under_the_curve() -> None:
    _, given = random_points(0)
    errors = point_errors(*given)
    thresholds = np.linspace(0, 0.4, 40001)
    assert pck_area(errors, 0.4) == pytest.approx(pck_curve(errors, thresholds).mean(), abs=1e-4)


def test_a_point_at_the_threshold_is_right_and_nothing_has_no_value() -> None:
    assert pck(np.array([[0.1, 0.2]]), 0.1) == 0.5
    nothing = np.full((2, 3), np.nan)
    assert isnan(mean(nothing))
    assert isnan(pck(nothing, 0.1))
    assert isnan(pck_area(nothing, 0.1))


@pytest.mark.parametrize("seed", range(5))
def test_strict_pcp_is_what_a_loop_finds(seed: int) -> None:
    _, (said, true, visible, _) = random_points(seed)
    found = limbs_right(said, true, visible, LIMBS)
    for n in range(7):
        for limb, (a, b) in enumerate(LIMBS):
            if not (visible[n, a] and visible[n, b]):
                assert isnan(found[n, limb])
                continue
            half = hypot(*(true[n, a] - true[n, b]).astype(float)) / 2
            off = [hypot(*(said[n, end] - true[n, end]).astype(float)) for end in (a, b)]
            assert found[n, limb] == (max(off) <= half)


def test_strict_means_both_ends_not_their_mean() -> None:
    """Ends off by .1 and .8 of a limb are within half on average; strictly the limb is wrong."""
    true = np.array([[[0, 0], [10, 0]]], np.float32)
    said = np.array([[[1, 0], [2, 0]]], np.float32)
    marks = np.full((1, 2), 2, np.uint8)
    assert limbs_right(said, true, marks, ((0, 1),)).tolist() == [[0.0]]
    assert limbs_right(true + np.float32(3), true, marks, ((0, 1),)).tolist() == [[1.0]]
    assert limbs_right(true, true, marks, ()).shape == (1, 0)


@pytest.mark.parametrize("seed", range(5))
def test_precision_and_recall_agree_with_torchmetrics(seed: int) -> None:
    """Scores in tenths, so that many are equal."""
    draw = default_rng(seed)
    scores, positive = draw.integers(0, 11, 60) / 10, draw.random(60) < 0.4
    given = torch.from_numpy(scores), torch.from_numpy(positive.astype(np.int64))
    found = precision_recall(scores, positive)
    precision, recall, thresholds = binary_precision_recall_curve(*given)
    assert np.allclose(found.precision[::-1], precision[:-1].numpy())
    assert np.allclose(found.recall[::-1], recall[:-1].numpy())
    assert np.allclose(found.thresholds[::-1], thresholds.numpy())
    assert average_precision(found) == pytest.approx(float(binary_average_precision(*given)), abs=1e-6)
