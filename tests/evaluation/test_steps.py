"""Outer feedback judged: the last step's points, and those after every step, beyond the spec's too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lvmc
from lvmc.evaluation import Evaluation, evaluate, predict, predict_and_evaluate
from lvmc.evaluation.calls import calls
from lvmc.evaluation.curves import draw_steps
from lvmc.evaluation.evaluation import Curve
from lvmc.evaluation.folder import write_numbers
from lvmc.evaluation.steps import evaluate_steps
from lvmc.evaluation.tables import listings
from lvmc.spec.train import Evaluate, Train

from .sets import Drawn

TRAIN = Train(evaluate=Evaluate(pck=0.5))
SPEC: dict[str, Any] = {
    "lvmc": 1,
    "name": "small",
    "state": {"pose": {"points": 3, "init": "mean"}},
    "inputs": {"image": {"channels": 1, "size": [12, 16]}, "belief": {"render": "pose", "sigma": 2.0}},
    "layers": {"h1": {"channels": 4, "filter": 3, "nms": 2}, "h2": {"channels": 5, "filter": 3}},
    "heads": {
        "correction": {"kind": "vector", "outputs": 6, "reads": "h2"},
        "scene": {"kind": "classes", "outputs": 4, "reads": "h2"},
    },
    "feedback": {"update": {"pose": {"add": "correction"}}, "steps": 2},
}
STAGED: dict[str, Any] = {
    **SPEC,
    "state": {"maps": {"channels": 3}},
    "inputs": {"image": {"channels": 1, "size": [12, 16]}, "belief": {"render": "maps"}},
    "heads": {"points": {"kind": "heatmap", "channels": 3, "reads": "h2"}},
    "feedback": {"update": {"maps": {"set": "points"}}, "steps": 2, "tying": "untied"},
}


def model_of(spec: dict[str, Any] = SPEC) -> Any:
    model = lvmc.compile(spec, seed=1)
    if "pose" in spec["state"]:
        model.pose.start.copy_(torch.tensor([[2.0, 3.0], [9.0, 3.0], [6.0, 9.0]]))
    return model.eval()


def by_hand(model: Any, samples: Drawn, steps: int) -> np.ndarray:
    """The error after each step, from 0, one sample after another."""
    errors = []
    for sample in (samples[row] for row in range(len(samples))):
        image = torch.from_numpy(sample.image.astype(np.float32) / 255).permute(2, 0, 1)[None]
        with torch.no_grad():
            after = model(image, steps=steps)["pose"][:, 0]
        points = torch.cat((model.pose.start[None], after)).numpy()
        off = np.linalg.norm(points - sample.points, axis=-1) / sample.unit
        errors.append(np.where(sample.visible > 0, off, np.nan))
    return np.nanmean(np.stack(errors), axis=(0, 2))


def test_points_are_those_after_the_last_step() -> None:
    """Corrections are not judged as points; other heads say what they say at last."""
    model, samples = model_of(), Drawn()
    found = predict(model, samples, TRAIN, batch=3)
    assert list(found) == ["scene", "pose"]
    with torch.no_grad():
        out = next(each.out for each in calls(model, samples, TRAIN, 7))
    assert np.allclose(found["pose"].points, out["pose"][1].numpy(), atol=1e-4)
    assert np.array_equal(found["scene"].labels, out["scene"][1].argmax(1).numpy())


def test_every_step_is_judged_and_those_beyond() -> None:
    model, samples = model_of(), Drawn()
    found = evaluate(model, {"test": samples}, TRAIN)
    wanted = by_hand(model, samples, 4)
    assert list(found.steps) == ["test/pose"]
    assert list(found.steps["test/pose"]) == ["start", "1", "2", "3, beyond", "4, beyond"]
    assert np.allclose([row["nme"] for row in found.steps["test/pose"].values()], wanted, atol=1e-5)
    assert found.curves["test/pose/nme_by_step"] == Curve(
        (0.0, 1.0, 2.0, 3.0, 4.0), tuple(row["nme"] for row in found.steps["test/pose"].values())
    )
    assert [found.figures[f"test/pose/nme_step{step}"] for step in range(5)] == pytest.approx(wanted, abs=1e-5)
    assert found.figures["test/pose/nme"] == pytest.approx(wanted[2], abs=1e-5)
    assert found.counts["test/pose/steps"] == 2
    more = evaluate_steps(model, {"test": samples}, Train(evaluate=Evaluate(steps=7)))
    assert len(more.steps["test/pose"]) == 8
    assert Evaluation.from_json(found.to_json()) == found


def test_steps_with_weights_of_their_own_end_where_the_spec_does() -> None:
    found = evaluate(model_of(STAGED), {"test": Drawn()}, TRAIN)
    assert list(found.steps["test/points"]) == ["1", "2"]
    assert found.steps["test/points"]["2"]["nme"] == pytest.approx(found.figures["test/points/nme"])


def test_mirrored_pictures_are_brought_back() -> None:
    """½ (points + those of the mirrored picture, from its other end, names changed), at every step."""
    model, samples = model_of(), Drawn()
    train = Train(evaluate=Evaluate(pck=0.5, mirror=True))
    with torch.no_grad():
        (plain,) = (each.batch.images for each in calls(model, samples, TRAIN, 7))
        one, other = model(plain)["pose"], model(plain.flip(3))["pose"][:, :, [1, 0, 2]]
    back = torch.stack((15 - other[..., 0], other[..., 1]), -1)
    wanted = (one + back) / 2
    assert np.allclose(predict(model, samples, train)["pose"].points, wanted[-1].numpy(), atol=1e-4)
    judged = evaluate(model, {"test": samples}, train)
    assert judged.figures["test/pose/nme_step2"] == pytest.approx(judged.figures["test/pose/nme"])


def test_tables_and_curves_by_step_are_written(tmp_path: Path) -> None:
    sets = {"test": Drawn(), "covered": Drawn(5, seed=2)}
    found = evaluate(model_of(), sets, TRAIN)
    write_numbers(found, 0.5, tmp_path)
    assert (tmp_path / "steps.png").stat().st_size > 1000
    lines = (tmp_path / "steps.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "set,head,step,nme,pck"
    assert len(lines) == 1 + 2 * 5
    shown = {each.title: each for each in listings(found, 0.5, "test")}
    assert [row[0] for row in shown["test/pose, by step"].rows] == ["start", "1", "2", "3, beyond", "4, beyond"]
    assert not any("step" in row[0] for row in shown["pose"].rows)
    assert draw_steps(predict_and_evaluate(model_of(), sets, TRAIN).evaluation) is None
