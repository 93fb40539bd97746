"""Outer feedback in `lvmc train`: what is learned on which path, from where, in which stages; that it is learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ruamel.yaml import YAML
from safetensors.torch import load_file

import lvmc
from lvmc.data.batches import Batch, in_order
from lvmc.data.sample import Splits
from lvmc.data.sources import open_data
from lvmc.evaluation.calls import picture_input
from lvmc.loading import resolve
from lvmc.runtime.module import compiled_of
from lvmc.spec import Spec
from lvmc.training import train_spec
from lvmc.training.feedback import run_along
from lvmc.training.paths import bounded_correction
from lvmc.training.stages import first_model, next_model, stretches
from tests.cli.test_emitted import run_alone

from .steps import JOINTS, SIZE, corrected, staged

BASIS = str(Path(__file__).parents[2] / "specs" / "figures3d_basis.npz")
KINDS: dict[str, Spec] = {
    "fixed": corrected(path="fixed", stages=[{"epochs": 2, "steps": 1}, {"epochs": 2, "steps": 2}, {"epochs": 2}]),
    "predicted": corrected(epochs=6),
    "stopped": corrected({"gradient": "stopped"}, epochs=6),
    "set": corrected({"update": {"pose": {"set": "correction", "scale": 16.0}}}, epochs=6),
    "maps": staged(stages=[{"epochs": 3, "steps": 1}, {"epochs": 3}]),
}


def sets_of(spec: Spec) -> Splits:
    assert spec.train is not None
    return open_data(spec.train.data, picture_input(resolve(spec)[1]), None)


def same(first: Path, second: Path, file: str) -> bool:
    a, b = load_file(first / file), load_file(second / file)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_losses_fall_and_a_resumed_run_ends_the_same(kind: str, tmp_path: Path) -> None:
    """Stopped in the first stage, in the middle of the last epoch, and not at all."""
    train_spec(KINDS[kind], tmp_path / "whole", accelerator="cpu")
    for stop in (2, 10, 17, None):
        train_spec(KINDS[kind], tmp_path / "parts", resume=True, stop_after=stop, accelerator="cpu")
    for name in ("weights.safetensors", "checkpoint.safetensors"):
        assert same(tmp_path / "whole", tmp_path / "parts", name)
    losses = [row["loss"] for row in rows(tmp_path / "whole") if "validation/loss" in row]
    assert len(losses) == 6
    print(f"\n{losses[0]:.4f} → {losses[-1]:.4f}")
    assert losses[-1] < 0.95 * losses[0]


@pytest.mark.parametrize("kind", ["fixed", "maps"])
def test_the_emitted_file_of_a_run_predicts_the_same_alone(kind: str, tmp_path: Path) -> None:
    """It starts where the run started: the median pose of the training set is among its weights."""
    train_spec(KINDS[kind], tmp_path / "out", accelerator="cpu")
    state = "pose" if kind == "fixed" else "beliefs"
    printed = run_alone(
        f"""
import torch
from safetensors.torch import load_file
from small import Small
model = Small()
model.load_state_dict(load_file("out/weights.safetensors"))
image = torch.linspace(-1, 1, {3 * SIZE * SIZE}).reshape(1, 3, {SIZE}, {SIZE})
with torch.no_grad():
    print(*model.eval()(image)["{state}"].flatten().tolist())
""",
        tmp_path,
    )
    image = torch.linspace(-1, 1, 3 * SIZE * SIZE).reshape(1, 3, SIZE, SIZE)
    with torch.no_grad():
        wanted = lvmc.open(tmp_path / "out").eval()(image)[state].flatten()
    assert np.allclose([float(word) for word in printed.split()], wanted.numpy(), atol=1e-4)


@pytest.mark.parametrize("how", ["median", "mean"])
def test_states_start_where_the_training_set_has_its_points(how: str, tmp_path: Path) -> None:
    """By coordinate, over annotated points, before augmentation; kept in the weights."""
    spec = corrected(epochs=1)
    spec = resolve(spec, [f"state.pose.init={how}", "train.augment={shift: 0.3, flip: 0.5}"])[0]
    train_spec(spec, tmp_path / "run", stop_after=1, accelerator="cpu")
    held = load_file(tmp_path / "run" / "checkpoint.safetensors")
    (start,) = (value for name, value in held.items() if name.endswith("pose.start"))
    samples = sets_of(spec).train
    for joint in range(JOINTS):
        every = [sample for sample in (samples[row] for row in range(len(samples))) if sample.visible[joint]]
        points = np.sort(np.stack([sample.points[joint] for sample in every]), axis=0)
        wanted = points[(len(points) - 1) // 2] if how == "median" else points.mean(0)
        assert np.allclose(start[joint].numpy(), wanted, atol=1e-4)


def ran_along(kind: str) -> tuple[Any, Batch, dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The first model of a kind, a batch, and what `run_along` makes of them."""
    spec = KINDS[kind]
    assert spec.train is not None
    samples = sets_of(spec).train
    model, _ = first_model(stretches(spec, spec.train)[-1], spec.train, samples)
    graph = compiled_of(model).graph
    batch = next(in_order(samples, picture_input(graph), 5))
    assert graph.feedback is not None
    return model, batch, *run_along(model, model, graph.feedback, spec.train, batch)


def test_a_fixed_path_trains_each_step_at_points_from_the_targets() -> None:
    """Step by step: what it says at the bounded path's points, towards the next of them."""
    model, batch, out, targets = ran_along("fixed")
    assert out["correction"].shape == targets["correction"].shape == (3, 5, 2 * JOINTS)
    now, known = model.pose.start.expand(5, -1, -1), batch.visible > 0
    for step in range(3):
        move = bounded_correction(batch.points, now, 4.0)
        told = targets["correction"][step].unflatten(1, (JOINTS, 2))
        assert torch.allclose(4.0 * told[known], move[known], atol=1e-5)
        assert told[~known].isnan().all()
        alone = model.step(batch.images, pose=now)
        assert torch.allclose(alone["correction"], out["correction"][step], atol=1e-5)
        now = torch.where(known[..., None], now + move, now)


def test_a_predicted_path_has_targets_from_where_each_step_begins() -> None:
    model, batch, out, targets = ran_along("predicted")
    begun, known = [model.pose.start.expand(5, -1, -1), *out["pose"][:-1].detach()], batch.visible > 0
    for step, now in enumerate(begun):
        move = bounded_correction(batch.points, now, 4.0) / 4.0
        assert torch.allclose(targets["correction"][step].unflatten(1, (JOINTS, 2))[known], move[known], atol=1e-5)


def test_stages_add_steps() -> None:
    """A tied stage has the same weights; a new untied step begins with those of the step before it."""
    for kind in ("fixed", "maps"):
        train = KINDS[kind].train
        assert train is not None
        each = stretches(KINDS[kind], train)
        steps = [stretch.spec.feedback.steps for stretch in each if stretch.spec.feedback]
        assert steps == ([1, 2, 3] if kind == "fixed" else [1, 2])
    first, second = stretches(KINDS["maps"], train)
    before, _ = first_model(first, train, sets_of(KINDS["maps"]).train)
    state = {name: value + 1 for name, value in before.state_dict().items()}
    after = next_model(second, train, state).state_dict()
    assert {name for name in after if name not in state} == {name for name in after if name.startswith("step2.")}
    for name, value in after.items():
        assert torch.equal(value, state[name.replace("step2.", "step1.")])


def test_every_stage_of_maps_starts_at_the_share_of_ones() -> None:
    spec = resolve(KINDS["maps"], ["train.stages=[{epochs: 1}]"])[0]
    assert spec.train is not None
    model, _ = first_model(stretches(spec, spec.train)[0], spec.train, sets_of(spec).train)
    biases = [value for name, value in model.state_dict().items() if name.endswith("heads.points.h.bias")]
    assert len(biases) == 2
    assert torch.equal(*biases)
    assert (biases[0] < -1).all()


@pytest.mark.parametrize("path", ["predicted", "fixed"])
def test_other_heads_learn_at_every_step(path: str, tmp_path: Path) -> None:
    """A heatmap, the pose lifted from it, which another state is set to, and a density, beside what is corrected."""
    document = yaml_of(corrected(path=path, epochs=4))
    document["state"]["more"] = {"points": JOINTS}
    document["inputs"]["other"] = {"render": "more", "sigma": 2.0}
    document["heads"] |= {
        "heat": {"kind": "heatmap", "channels": JOINTS, "reads": "h2"},
        "pose3d": {"kind": "lift", "landmarks": "heat", "basis": BASIS, "rotations": 4, "weight": 0.01},
        "where": {"kind": "density", "model": "gaussian", "dims": 2 * JOINTS, "reads": "h2"},
    }
    document["feedback"]["update"]["more"] = {"set": "pose3d.points2d"}
    document["train"] |= {"data": whole_figures(tmp_path), "optimizer": {"kind": "adam", "rate": 1e-3}}
    trained = train_spec(lvmc.load(document), tmp_path / "run", accelerator="cpu")
    assert trained.finished
    losses = [row for row in rows(tmp_path / "run") if "validation/loss" in row]
    for head in ("correction", "heat", "pose3d", "where"):
        assert np.isfinite(losses[-1][f"validation/{head}/loss"])
    assert losses[-1]["loss"] < losses[0]["loss"]
    assert {"validation/pose/nme", "validation/more/nme", "validation/heat/nme"} <= trained.evaluation.figures.keys()
    assert trained.evaluation.figures["validation/more/nme"] == trained.evaluation.figures["validation/pose3d/nme"]


def yaml_of(spec: Spec) -> dict[str, Any]:
    return YAML(typ="safe").load(lvmc.dump(spec))


def whole_figures(folder: Path) -> dict[str, Any]:
    """Figures of which all points are in the picture, which a density cannot do without."""
    drawn = sets_of(corrected()).train
    samples = [each for each in (drawn[row] for row in range(len(drawn))) if each.visible.all()]
    np.savez(
        folder / "set.npz",
        images=np.stack([each.image for each in samples]),
        keypoints=np.stack([each.points for each in samples]),
        split=np.repeat([0, 1], [len(samples) - 4, 4]),
    )
    return {"kind": "npz", "file": str(folder / "set.npz"), "unit": 10.0}
