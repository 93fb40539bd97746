"""Learn a basis of 3D poses from procedural people, and lift their 2D joints with the zoo's model `lift_figures`."""

from pathlib import Path

import numpy as np
import torch

import lvmc
from lvmc.data.figures import FigureSet, draw_figure
from lvmc.data.figures3d import body_poses
from lvmc.lifting import fit_basis, save_basis

fit = fit_basis(body_poses(3000), components=2, dimensions=12, rotations=40, align=False)
save_basis(fit.basis, Path("figures3d_basis.npz"))
print(f"shares of the models {fit.shares.round(2)}, left over a coordinate {(1 / fit.basis.noise).round(3)}")

spec = lvmc.load("lift_figures", changes=["heads.pose3d.basis=figures3d_basis.npz"])
lifting = lvmc.compile(spec).heads.pose3d  # the module of the head, called on joints that are known

figures = FigureSet((56, 56), 3, seed=0, split=2, count=200, covered=0.0)
samples = [draw_figure(figures, number) for number in range(200)]
joints, true = np.stack([each.points for each in samples]), np.stack([each.points3d for each in samples])
visible = torch.from_numpy(np.random.default_rng(0).random((200, 16)) > 0.2).float()
for what, weights in {"all joints": None, "a fifth of them missing": visible}.items():
    with torch.no_grad():
        out = lifting(torch.from_numpy(joints), weights)
    error = np.linalg.norm(out[..., 2:].numpy() - true, axis=2).mean()
    flat = np.linalg.norm(out[..., :2].numpy() - joints, axis=2).mean()
    print(f"{what}: {error:.3f} heights off in 3D, {flat:.2f} pixels in the picture")
flat = np.linalg.norm(true[..., 2], axis=1).mean() / 4
print(f"without depth: {flat:.3f} heights")
