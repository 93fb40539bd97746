"""Errors of points in 3D: similarities are undone, roots are named, and what a lifting head says is judged by them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

import lvmc
from lvmc.data.figures import FigureSet
from lvmc.data.sample import About, Sample
from lvmc.evaluation import evaluate, predict
from lvmc.evaluation.points3d import root_errors, similarity_errors
from lvmc.spec.train import Train
from tests.data.sets import Flat

FIGURES = FigureSet((56, 56), 3, seed=4, split=2, count=6, covered=1.0)


def drawn() -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(size=(20, 7, 3))


def test_similarities_are_undone_and_mirror_images_are_not() -> None:
    true = drawn()
    turned = np.stack([0.4 * Rotation.random(rng=n).apply(pose) + n for n, pose in enumerate(true)])
    assert similarity_errors(turned, true).max() < 1e-9
    assert np.nanmean(similarity_errors(true * [-1, 1, 1], true)) > 0.1


def test_no_similarity_near_it_is_better() -> None:
    """Sum of squares, against small turns, scales and shifts of what is found."""
    true, said = drawn()[:1], drawn()[1:2]
    found = np.sqrt((similarity_errors(said, true) ** 2).sum())
    random = np.random.default_rng(1)
    for _ in range(200):
        turn = Rotation.random(rng=random)
        other = random.uniform(0.2, 1.5) * turn.apply(said[0])
        assert np.linalg.norm(other - other.mean(0) - (true[0] - true[0].mean(0))) >= found


def test_unknown_points_count_for_nothing() -> None:
    true, said = drawn(), drawn() * 2 + 1
    true[0, 2] = np.nan
    true[1, 2:] = np.nan
    for errors in (root_errors(said, true, ()), similarity_errors(said, true)):
        assert np.isnan(errors[0]).tolist() == [False, False, True, False, False, False, False]
        assert np.isfinite(errors[2:]).all()
    assert np.isnan(similarity_errors(said, true)[1]).all()
    kept = [0, 1, 3, 4, 5, 6]
    assert np.allclose(root_errors(said, true, ())[0, kept], root_errors(said[:, kept], true[:, kept], ())[0])


def test_the_root_is_the_pelvis_or_the_mean() -> None:
    true, said = drawn(), drawn() + 5.0
    said[:, 3] += [0.0, 0.0, 2.0]
    named = root_errors(said, true, ("a", "b", "c", "pelvis", "d", "e", "f"))
    assert np.allclose(named, np.where(np.arange(7) == 3, 0.0, 2.0))
    about_mean = root_errors(said, true, tuple("abcdefg"))
    assert np.allclose(about_mean, np.where(np.arange(7) == 3, 12 / 7, 2 / 7))


@dataclass(frozen=True)
class Some:
    """Figures, of the first of which two points are unknown in 3D."""

    @property
    def about(self) -> About:
        return FIGURES.about

    def __len__(self) -> int:
        return len(FIGURES)

    def __getitem__(self, index: int) -> Sample:
        sample = FIGURES[index]
        assert sample.points3d is not None
        lost = (np.arange(16) < 2)[:, None] & (index == 0)
        return replace(sample, points3d=np.where(lost, np.float32("nan"), sample.points3d))


def test_a_lifting_head_is_judged_in_both_spaces() -> None:
    """By the metrics of its predictions, visible and hidden apart; without 3D data by the picture alone."""
    model, train = lvmc.compile("lift_figures", seed=1), Train()
    found = evaluate(model, {"test": Some()}, train)
    said = predict(model, Some(), train)["pose3d"].points3d
    assert said is not None
    true, seen = np.stack([Some()[n].points3d for n in range(6)]), np.stack([FIGURES[n].visible for n in range(6)])
    names = FIGURES.about.points
    for metric, errors in (("mpjpe", root_errors(said, true, names)), ("pa_mpjpe", similarity_errors(said, true))):
        assert found.figures[f"test/pose3d/{metric}"] == pytest.approx(np.nanmean(errors))
        assert found.figures[f"test/pose3d/{metric}_hidden"] == pytest.approx(np.nanmean(errors[seen == 1]))
        assert found.joints["test/pose3d"]["head"][metric] == pytest.approx(np.nanmean(errors[:, 9]))
    assert found.counts["test/pose3d/points3d"] == 94
    figures = {name.split("/")[2] for name in found.figures if "/pose3d/" in name}
    assert {"nme_hidden", "nme_visible", "pck_hidden", "pck_visible"} <= figures
    flat = evaluate(model, {"test": Flat(FIGURES)}, train)
    assert not [name for name in flat.figures if "mpjpe" in name]
    assert flat.figures["test/pose3d/nme"] == found.figures["test/pose3d/nme"]
