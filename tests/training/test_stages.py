"""Stages: what one hands on to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lvmc.data.sample import About, Sample
from lvmc.spec.train import Train
from lvmc.training import train_spec
from lvmc.training.stages import Stretch, first_model, model_of, next_model, stretches

from .small import SIZE, spec_of, write_set

COARSE = [{"epochs": 2, "reads": {"keypoints": "h2"}, "passes": 1}, {"epochs": 3, "rate": 0.01}]


@dataclass(frozen=True)
class Blank:
    """Blank pictures with a point in each corner but one."""

    about: About = field(default_factory=About)

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Sample:
        corners = np.array([[0, 0], [SIZE - 1, 0], [0, SIZE - 1]], np.float32)
        return Sample(f"blank {index}", np.zeros((SIZE, SIZE, 1), np.uint8), corners, np.array([2, 2, 0], np.uint8))


def stages_of(**train: object) -> tuple[tuple[Stretch, ...], Train]:
    spec = spec_of(Path("set.npz"), {"norm": "drive"}, **train)
    assert spec.train is not None
    return stretches(spec, spec.train), spec.train


def test_a_stage_has_its_reads_passes_epochs_and_rate() -> None:
    (first, second), _ = stages_of(stages=COARSE)
    assert list(first.spec.heads["keypoints"].reads) == ["h2"]
    assert list(second.spec.heads["keypoints"].reads) == ["h2", "h1"]
    assert (first.spec.inference.passes, second.spec.inference.passes) == (1, 2)
    assert (first.epochs, first.before, first.rate) == (2, 0, 0.1)
    assert (second.epochs, second.before, second.rate) == (3, 2, 0.01)


def test_a_new_readout_changes_no_output() -> None:
    """It starts at 0; with the same passes the next stage says at first what the one before said last."""
    (first, second), train = stages_of(stages=[{"epochs": 1, "reads": {"keypoints": "h2"}}, {"epochs": 1}])
    before, _ = first_model(first, train, Blank())
    with torch.no_grad():
        for parameter in before.parameters():
            parameter.add_(torch.rand_like(parameter))
    before(torch.rand(5, 1, SIZE, SIZE))  # moves the running statistics, which are handed on too
    after = next_model(second, train, before.state_dict())
    image = torch.rand(2, 1, SIZE, SIZE)
    torch.testing.assert_close(after.eval()(image)["keypoints"], before.eval()(image)["keypoints"])
    assert not bool(after.state_dict()["heads.keypoints.h1.weight"].any())


def test_readouts_start_at_zero_if_told() -> None:
    (stretch,), train = stages_of(readouts="zeros")
    model, _ = first_model(stretch, train, Blank())
    drawn = model_of(stretch, train).state_dict()
    for name, value in model.state_dict().items():
        assert torch.equal(value, torch.zeros_like(value) if name.startswith("heads.") else drawn[name])


def test_heatmaps_start_at_their_share_of_ones() -> None:
    """A disc of radius 1 in a corner: 3 pixels of 256; a point that is nowhere: as seldom as may be."""
    (stretch,), train = stages_of(targets={"keypoints": {"pixels": 1.0}})
    model, _ = first_model(stretch, train, Blank())
    shares = model.state_dict()["heads.keypoints.h2.bias"].sigmoid()
    torch.testing.assert_close(shares, torch.tensor([3 / 256, 3 / 256, 1e-4]))
    assert not bool(model.state_dict()["heads.keypoints.h1.bias"].any())


def test_init_takes_what_fits_and_says_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "before.safetensors"
    save_file({"h1.weight": torch.ones(4, 1, 3, 3), "h2.weight": torch.ones(9), "fc8.bias": torch.ones(2)}, file)
    (stretch,), train = stages_of(init=str(file))
    model, remarks = first_model(stretch, train, Blank())
    assert bool((model.state_dict()["h1.weight"] == 1).all())
    assert not bool((model.state_dict()["h2.weight"] == 1).any())
    said = " ".join(remarks)
    assert "1 of the model's" in said
    assert "another shape: h2.weight" in said
    assert "not in the model: fc8.bias" in said
    assert "as first drawn: h1.bias" in said


def test_the_last_stage_is_the_whole_model() -> None:
    with pytest.raises(ValueError, match=r"train\.stages: the last stage leaves out"):
        stages_of(stages=[{"epochs": 1}, {"epochs": 2, "reads": {"keypoints": ["h2"]}}])


def test_stages_run_one_after_the_other(tmp_path: Path) -> None:
    """Coarse to fine, another rate each; resuming at any step changes no bit of the weights."""
    spec = spec_of(write_set(tmp_path / "set.npz"), {"norm": "drive"}, stages=COARSE)
    whole = train_spec(spec, tmp_path / "whole")
    assert (whole.steps, whole.finished) == (15, True)
    for stop in (4, 6, 8, 15):
        train_spec(spec, tmp_path / "parts", resume=True, stop_after=stop)
    train_spec(spec, tmp_path / "parts", resume=True)
    wanted, found = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "parts"))
    assert wanted.keys() == found.keys()
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)
    rows = [(tmp_path / name / "log.csv").read_text().splitlines() for name in ("whole", "parts")]
    assert len(rows[0]) == len(rows[1]) == 6
    assert without_seconds(rows[0]) == without_seconds(rows[1])


def without_seconds(rows: list[str]) -> list[list[str]]:
    column = rows[0].split(",").index("seconds")
    return [[cell for number, cell in enumerate(row.split(",")) if number != column] for row in rows]
