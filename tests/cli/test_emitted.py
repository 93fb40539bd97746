"""An emitted file stands alone: it runs where lvmc cannot be imported, and does what the live model does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

import lvmc

from .conftest import Call

WITHOUT_LVMC = """
import sys

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("lvmc", "pydantic", "ruamel"):
            raise ImportError(name + " is out of reach")

sys.meta_path.insert(0, Forbidden())
sys.path.insert(0, "out")
"""


def run_alone(text: str, folder: Path) -> str:
    """Output of a script in a Python that finds torch but not lvmc."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", WITHOUT_LVMC + text],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_small_module_runs_alone(lvmc_command: Call, tmp_path: Path) -> None:
    """Same outputs, latents and score as the live model with the same seed."""
    lvmc_command("compile", "qp_faces", "-o", "out")
    printed = run_alone(
        """
import torch
from qp_faces import QpFaces
model = QpFaces().eval()
image = torch.linspace(-1, 1, 64 * 64).reshape(1, 1, 64, 64)
with torch.no_grad():
    out, z = model(image), model.latents(image)
    print(float(out["keypoints"].double().sum()), float(z["h1"].double().sum()), float(model.score(image, z)))
""",
        tmp_path,
    )
    live = lvmc.compile("qp_faces").eval()
    image = torch.linspace(-1, 1, 64 * 64).reshape(1, 1, 64, 64)
    with torch.no_grad():
        out, z = live(image)["keypoints"], live.latents(image)
        wanted = [float(out.double().sum()), float(z["h1"].double().sum()), float(live.score(image, z))]
    assert np.allclose([float(word) for word in printed.split()], wanted, rtol=1e-4)


def test_vgg16_runs_alone(lvmc_command: Call, tmp_path: Path) -> None:
    """The full-size model at its nominal size; random weights would take most of the time, so there are none."""
    lvmc_command("compile", "qp2_vgg16", "-o", "out")
    printed = run_alone(
        """
import torch
from qp2_vgg16 import Qp2Vgg16
Qp2Vgg16.reset_parameters = lambda self, seed=0: None
with torch.device("meta"):
    model = Qp2Vgg16()
model = model.to_empty(device="cpu").eval()
for parameter in model.parameters():
    parameter.requires_grad_(False).fill_(0.001)
out = model(torch.ones(1, 3, 224, 224))
print(*out["keypoints"].shape, bool(out["keypoints"].isfinite().all()))
""",
        tmp_path,
    )
    assert printed.split() == ["1", "16", "224", "224", "True"]
