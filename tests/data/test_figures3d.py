"""Figures in space are those of the pictures, and the zoo's basis is the one that the example learns from them."""

from __future__ import annotations

import numpy as np
import torch

import lvmc
from lvmc import specs
from lvmc.data.figures import FigureSet, draw_figure
from lvmc.data.figures3d import body_poses, points_in_space
from lvmc.lifting import fit_basis, read_basis

FIGURES = FigureSet((56, 56), 3, seed=4, split=2, count=40, covered=0.5)


def test_pictures_are_projections() -> None:
    """Joints of a sample are its points in space, moved and scaled."""
    for index in range(10):
        points, space = draw_figure(FIGURES, index).points, points_in_space(FIGURES, index)
        assert points is not None
        flat = points - points.mean(0)
        scale = (flat * space[:, :2]).sum() / (space[:, :2] ** 2).sum()
        assert np.abs(flat - scale * space[:, :2]).max() < 1e-4
        assert 15 < scale < 84


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
    joints = np.stack([draw_figure(FIGURES, index).points for index in range(40)])
    space = np.stack([points_in_space(FIGURES, index) for index in range(40)])
    weights = torch.from_numpy(np.random.default_rng(0).random((40, 16)) > 0.2).float()
    flat = np.abs(space[..., 2]).mean()
    for given in (None, weights):
        out = lifting(torch.from_numpy(joints), given).numpy()
        assert np.abs(out[..., :2] - joints).mean() < 1.0
        assert np.abs(out[..., 4] - space[..., 2]).mean() < 0.8 * flat
