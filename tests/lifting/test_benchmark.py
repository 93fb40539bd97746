"""The benchmark compares like with like."""

from __future__ import annotations

import torch

import lifting
from lvmc.ir.lifting import lift


def test_all_lift_to_the_same_poses() -> None:
    """`subjects` raises where they do not; the loop is the interpreter."""
    timed = lifting.subjects()
    model = lifting.basis()
    points = timed[lifting.LOOP].points
    wanted = lift(model, points.double().numpy(), translate=True)
    found = timed[lifting.LOOP].lift(points)
    assert torch.allclose(found[..., 2:], torch.from_numpy(wanted.points3d).float(), atol=1e-2)
