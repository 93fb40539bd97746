"""Heads of several outputs, and densities, inside the steps of outer feedback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import lvmc

BASIS = str(Path(__file__).parents[2] / "specs" / "figures3d_basis.npz")
STATES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "points": ({"points": 16}, {"render": "memo", "sigma": 2.0}, "pose3d.points2d"),
    "map": ({"channels": 16, "size": [16, 16]}, {"render": "memo"}, "pose3d.belief"),
}


def spec_of(kind: str, tying: str) -> dict[str, Any]:
    state, shown, output = STATES[kind]
    below = {"image": {"filter": 3, "stride": 2}, "seen": {"filter": 3, "stride": 2 if kind == "points" else 1}}
    densities = {
        "energy": {"kind": "density", "dims": 2, "reads": "h2", "pool": "mean", "sigmas": [0.1], "samples": 4},
        "family": {"kind": "density", "model": "gaussian", "dims": 2, "reads": "h2", "pool": "mean"},
    }
    return {
        "lvmc": 1, "name": "net", "state": {"memo": state},
        "inputs": {"image": {"channels": 1, "size": [32, 32]}, "seen": shown},
        "layers": {"h1": {"channels": 4, "from": below, "nms": 2}, "h2": {"channels": 8, "filter": 3}},
        "heads": {
            "heat": {"kind": "heatmap", "channels": 16, "reads": "h2"},
            "pose3d": {"kind": "lift", "landmarks": "heat", "basis": BASIS, "rotations": 8},
            **(densities if tying == "tied" else {}),
        },
        "feedback": {"update": {"memo": {"set": output}}, "steps": 3, "tying": tying},
    }  # fmt: skip


@pytest.mark.parametrize("tying", ["tied", "untied"])
@pytest.mark.parametrize("kind", STATES)
def test_lifted_poses_are_carried_from_step_to_step(kind: str, tying: str) -> None:
    """Every output has the steps in front; the state is the projected pose, or its beliefs at the map's size."""
    model = lvmc.compile(spec_of(kind, tying)).eval()
    image = torch.randn(2, 1, 32, 32)
    out = model(image)
    lifted = out[STATES[kind][2]]
    if kind == "points":
        assert torch.equal(out["memo"], lifted)
    else:
        small = torch.nn.functional.interpolate(lifted[1], (16, 16), mode="bilinear")
        assert torch.allclose(out["memo"][1], small, atol=1e-6)
    assert out["pose3d.points3d"].shape == (3, 2, 16, 3)
    which = {} if tying == "tied" else {"number": 2}
    again = model.step(image, memo=out["memo"][0], **which)
    assert torch.allclose(again["pose3d.points3d"], out["pose3d.points3d"][1], atol=1e-4)
    assert not torch.allclose(out["heat"][0], out["heat"][2])


def test_a_loss_of_one_stage_reaches_the_keypoints_of_the_stage_before() -> None:
    """Through the lifted pose and its beliefs alone, with either gradient."""
    for gradient in ("autograd", "paper", "none"):
        spec = spec_of("map", "untied")
        spec["heads"]["pose3d"]["gradient"] = gradient
        model = lvmc.compile(spec, seed=0)
        model(torch.randn(2, 1, 32, 32))["heat"][1].square().sum().backward()
        first, last = (model.get_parameter(f"step{step}.heads.heat.h2.weight").grad for step in (1, 2))
        assert last is not None
        assert last.abs().max() > 0
        reached = first is not None and bool(first.abs().max() > 0)
        assert reached == (gradient != "none")


def test_stages_of_the_zoo_see_beliefs_of_the_image_and_of_the_pose() -> None:
    """A stage that sees no lifted beliefs says something else, and every stage has losses in 2D and in 3D."""
    model = lvmc.compile("cpm_lift", seed=0).eval()
    image = torch.randn(2, 3, 56, 56)
    out = model(image)
    for state, head in (("beliefs", "points"), ("lifted", "pose3d.belief")):
        small = torch.nn.functional.interpolate(out[head][0], (28, 28), mode="bilinear")
        assert torch.allclose(out[state][0], small, atol=1e-5)
    seen, nothing = out["beliefs"][0], torch.zeros(2, 16, 28, 28)
    second = model.step(image, beliefs=seen, lifted=out["lifted"][0], number=2)
    assert torch.allclose(second["points"], out["points"][1], atol=1e-4)
    assert not torch.allclose(model.step(image, beliefs=seen, lifted=nothing, number=2)["points"], second["points"])
    targets = {
        "points": torch.zeros(2, 16, 56, 56), "pose3d.points2d": torch.rand(2, 16, 2) * 56,
        "pose3d.points3d": torch.randn(2, 16, 3),
    }  # fmt: skip
    assert all(loss.isfinite() for loss in model.losses(out, targets).values())


def test_densities_are_those_of_the_last_step_and_losses_of_all() -> None:
    model = lvmc.compile(spec_of("points", "tied")).eval()
    out = model(torch.randn(2, 1, 32, 32))
    targets = {
        "heat": torch.zeros(2, 16, 32, 32), "pose3d.points2d": torch.rand(2, 16, 2) * 32,
        "energy": torch.randn(2, 2), "family": torch.randn(2, 2),
    }  # fmt: skip
    samples = {"energy": torch.randn(2, 4, 2)}
    whole = model.losses(out, targets, samples)
    each = [
        model.losses({name: value[step : step + 1] for name, value in out.items()}, targets, samples)
        for step in range(3)
    ]
    for name, loss in whole.items():
        assert torch.allclose(loss, torch.stack([one[name] for one in each]).mean(), rtol=1e-4)
    y = torch.randn(2, 5, 2)
    for name in samples:
        last = model.densities({name: value[-1:] for name, value in out.items()})[name]
        assert torch.equal(model.densities(out)[name].value(y), last.value(y))
        first = model.densities({name: value[:1] for name, value in out.items()})[name]
        assert not torch.equal(model.densities(out)[name].value(y), first.value(y))
