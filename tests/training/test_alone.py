"""The emitted file of a run takes its weights where lvmc is not installed, and predicts the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import lvmc
from lvmc.training import train_spec
from tests.cli.test_emitted import run_alone

from .small import SIZE, spec_of, write_set


def test_a_trained_run_goes_without_lvmc(tmp_path: Path) -> None:
    train_spec(spec_of(write_set(tmp_path / "set.npz"), {"norm": "drive"}), tmp_path / "out")
    printed = run_alone(
        f"""
import torch
from safetensors.torch import load_file
from small import Small
model = Small()
model.load_state_dict(load_file("out/weights.safetensors"))
image = torch.linspace(0, 1, {SIZE * SIZE}).reshape(1, 1, {SIZE}, {SIZE})
with torch.no_grad():
    print(*model.eval()(image)["keypoints"].flatten().tolist())
""",
        tmp_path,
    )
    image = torch.linspace(0, 1, SIZE * SIZE).reshape(1, 1, SIZE, SIZE)
    with torch.no_grad():
        wanted = lvmc.open(tmp_path / "out").eval()(image)["keypoints"].flatten()
    assert np.allclose([float(word) for word in printed.split()], wanted.numpy(), atol=1e-6)
