"""Figures in space are those of the pictures, and the zoo's basis is the one that the example learns from them."""

from __future__ import annotations

import numpy as np
import torch

import lvmc
from lvmc import specs
from lvmc.data.batches import Plan, batches
from lvmc.data.figures import FigureSet, draw_figure
from lvmc.data.figures3d import body_poses
from lvmc.graph import InputNode
from lvmc.lifting import fit_basis, read_basis
from lvmc.spec.train import Augment

FIGURES = FigureSet((56, 56), 3, seed=4, split=2, count=40, covered=0.5)


def test_pictures_are_projections() -> None:
    """Joints of a sample are its points in space, moved and scaled."""
    for index in range(10):
        sample = draw_figure(FIGURES, index)
        points, space = sample.points, sample.points3d
        assert points is not None
        assert space is not None
        flat = points - points.mean(0)
        scale = (flat * space[:, :2]).sum() / (space[:, :2] ** 2).sum()
        assert np.abs(flat - scale * space[:, :2]).max() < 1e-4
        assert 15 < scale < 84


def test_changed_pictures_are_projections() -> None:
    """Mirrored, turned, zoomed and shifted, with left and right changing places; lengths stay, depths too."""
    block = InputNode("image", 3, FIGURES.size, None)
    plan = Plan(batch=40, augment=Augment(flip=0.5, rotate=40.0, scale=0.3, shift=0.1))
    (batch,) = batches(FIGURES, block, plan, epoch=0)
    assert batch.points is not None
    assert batch.points3d is not None
    assert batch.visible is not None
    mirrored = 0
    for index, points, space, seen in zip(batch.index, batch.points, batch.points3d, batch.visible, strict=True):
        sample, there = draw_figure(FIGURES, int(index)), (seen > 0).numpy()
        assert sample.points3d is not None
        solid = space.numpy()
        one, other = points.numpy()[there], solid[there][:, :2]
        one, other = one - one.mean(0), other - other.mean(0)
        scale = (one * other).sum() / (other**2).sum()
        assert scale > 0
        assert np.abs(one - scale * other).max() < 1e-3
        same = np.abs(solid[:, 2] - sample.points3d[:, 2]).max() < 1e-6
        mirrored += not same
        order = np.arange(16) if same else np.asarray(FIGURES.about.flip)
        assert np.allclose(np.linalg.norm(solid, axis=1), np.linalg.norm(sample.points3d[order], axis=1), atol=1e-6)
    assert 10 < mirrored < 30


def test_bodies_stand_upright_and_look_ahead() -> None:
    """Heads above ankles, left joints to the left; the same number gives the same pose."""
    poses = body_poses(20)
    assert (poses[:, 2, 9] > poses[:, 2, [0, 5]].max(1)).mean() > 0.9
    assert (poses[:, 1, 3] > poses[:, 1, 2]).all()
    assert np.abs(poses.mean(2)).max() < 1e-12
    assert np.array_equal(body_poses(5), poses[:5])


def test_the_zoo_s_basis_is_of_these_bodies() -> None:
    """What examples/lifting.py writes."""
    basis = read_basis(specs.path("lift_figures").with_name("figures3d_basis.npz"))
    found = fit_basis(body_poses(3000), components=2, dimensions=12, rotations=40, align=False).basis
    for name, value in vars(basis).items():
        assert np.allclose(vars(found)[name], value, atol=1e-4), name


def test_known_joints_are_lifted() -> None:
    """Depth is found from the picture, with a fifth of the joints missing too."""
    lifting = lvmc.compile("lift_figures").heads.pose3d
    samples = [draw_figure(FIGURES, index) for index in range(40)]
    joints, space = np.stack([each.points for each in samples]), np.stack([each.points3d for each in samples])
    weights = torch.from_numpy(np.random.default_rng(0).random((40, 16)) > 0.2).float()
    flat = np.abs(space[..., 2]).mean()
    for given in (None, weights):
        out = lifting(torch.from_numpy(joints), given).numpy()
        assert np.abs(out[..., :2] - joints).mean() < 1.0
        assert np.abs(out[..., 4] - space[..., 2]).mean() < 0.8 * flat
