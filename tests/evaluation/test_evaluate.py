"""A model judged on sets: predictions are the model's, figures are the metrics of these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

import lvmc
from lvmc.data.pointvectors import points_of_vector
from lvmc.data.sample import HIDDEN, VISIBLE, About, Sample
from lvmc.evaluation import Evaluation, evaluate, load_errors, predict, save_errors
from lvmc.evaluation.decode import points_of_heatmaps
from lvmc.spec.train import Evaluate, Train

from .sets import SPEC, Drawn, small_model

TRAIN = Train(evaluate=Evaluate(pck=0.5, window=2))


def test_predictions_are_those_of_the_model_sample_by_sample() -> None:
    """After the last pass, whatever the batch; the model's mode stays."""
    model, samples = small_model(), Drawn()
    model.train()
    found = predict(model, samples, TRAIN, batch=3)
    assert model.training
    assert list(found) == ["keypoints", "parts", "scene", "place"]
    model.eval()
    for index in range(len(samples)):
        image = torch.from_numpy(samples[index].image.astype(np.float32) / 255).permute(2, 0, 1)[None]
        with torch.no_grad():
            out = model(image)
        points, confidence = points_of_heatmaps(out["keypoints"][-1], "logistic", TRAIN.evaluate)
        assert np.allclose(found["keypoints"].points[index], points[0].numpy(), atol=1e-3)
        assert np.allclose(found["keypoints"].confidence[index], confidence[0].numpy(), atol=1e-5)
        assert np.array_equal(found["parts"].classes[index], out["parts"][0].argmax(0).numpy())
        assert found["scene"].labels[index] == int(out["scene"].argmax())
        assert np.allclose(found["place"].points[index], points_of_vector(out["place"], (12, 16))[0].numpy(), atol=1e-3)


def test_figures_are_the_metrics_of_the_predictions() -> None:
    model, samples = small_model(), Drawn(20)
    found = evaluate(model, {"test": samples}, TRAIN)
    said = predict(model, samples, TRAIN)
    error: dict[int, list[float]] = {HIDDEN: [], VISIBLE: []}
    right = counted = named = 0
    for index in range(20):
        sample = samples[index]
        for joint in range(3):
            if sample.visible[joint]:
                off = np.linalg.norm(said["keypoints"].points[index, joint] - sample.points[joint]) / sample.unit
                error[int(sample.visible[joint])].append(float(off))
        counts = sample.mask != 255
        right += int((said["parts"].classes[index] == sample.mask)[counts].sum())
        counted += int(counts.sum())
        named += int(said["scene"].labels[index] == sample.label)
    figures, everything = found.figures, error[HIDDEN] + error[VISIBLE]
    assert figures["test/keypoints/nme"] == pytest.approx(np.mean(everything))
    assert figures["test/keypoints/nme_hidden"] == pytest.approx(np.mean(error[HIDDEN]))
    assert figures["test/keypoints/pck_visible"] == pytest.approx(np.mean([each <= 0.5 for each in error[VISIBLE]]))
    assert figures["test/parts/accuracy"] == pytest.approx(right / counted)
    assert figures["test/scene/accuracy"] == named / 20
    wanted = {"nme", "pck", "auc"}
    apart = {f"{name}{suffix}" for name in wanted for suffix in ("", "_visible", "_hidden")}
    keypoints = {name.split("/")[2] for name in figures if "/keypoints/" in name}
    assert keypoints == apart | {"pcp", "visible_ap", "hidden_ap", "offset_x", "offset_y"}
    assert {name.split("/")[2] for name in figures if "/place/" in name} == apart | {"pcp", "offset_x", "offset_y"}
    assert "test/parts/superpixel_accuracy" in figures
    assert found.counts["test/keypoints/points_hidden"] == len(error[HIDDEN])


def test_joints_and_curves_agree_with_the_figures() -> None:
    found = evaluate(small_model(), {"test": Drawn(20)}, TRAIN)
    rows = found.joints["test/keypoints"]
    assert list(rows) == ["left", "right", "top"]
    total = sum(row["nme"] * row["points"] for row in rows.values()) / sum(row["points"] for row in rows.values())
    assert total == pytest.approx(found.figures["test/keypoints/nme"])
    curve = found.curves["test/keypoints/pck"]
    assert curve.y[curve.x.index(0.5)] == found.figures["test/keypoints/pck"]
    assert list(curve.y) == sorted(curve.y)
    assert curve.x[-1] == 1.0


def test_what_is_unknown_is_left_out() -> None:
    found = evaluate(small_model(), {"plain": Drawn(without=("points", "visible", "superpixels"))}, TRAIN)
    assert set(found.figures) == {
        "plain/parts/accuracy", "plain/parts/mean_accuracy", "plain/parts/miou", "plain/scene/accuracy"
    }  # fmt: skip
    assert not found.joints


def test_there_and_back(tmp_path: Path) -> None:
    found = evaluate(small_model(), {"test": Drawn(), "covered": Drawn(5, seed=2)}, TRAIN)
    back = Evaluation.from_json(found.to_json())
    assert back == found
    assert not back.errors
    save_errors(found, tmp_path / "errors.npz")
    errors = load_errors(tmp_path / "errors.npz")
    assert set(errors) == set(found.errors)
    assert errors["covered/keypoints/error"].shape == (5, 3)
    assert np.nanmean(errors["test/keypoints/error"]) == pytest.approx(found.figures["test/keypoints/nme"])
    with pytest.raises(ValueError, match="no evaluation"):
        Evaluation.from_json("{}")


def test_points_of_other_data_are_refused() -> None:
    spec = SPEC | {"heads": {"keypoints": {"kind": "heatmap", "channels": 5, "reads": "h2"}}}
    with pytest.raises(ValueError, match="gives 5 points, but samples have 3; write channels: 3"):
        evaluate(lvmc.compile(spec), {"test": Drawn()}, TRAIN)
    with pytest.raises(ValueError, match="no samples"):
        evaluate(small_model(), {"test": Drawn(0)}, TRAIN)


def test_perfect_predictions_have_perfect_figures() -> None:
    """Heads that are told the truth: every metric at its best."""
    from lvmc.evaluation.evaluate import evaluate_set
    from lvmc.evaluation.predict import predict_beside

    model, samples = small_model(), Drawn()
    said, truth = predict_beside(model, samples, TRAIN)
    told = {
        "keypoints": replace(said["keypoints"], points=truth.points, confidence=(truth.visible == 2) * np.float32(0.9)),
        "parts": replace(said["parts"], classes=np.where(truth.masks == 255, 0, truth.masks)),
        "scene": replace(said["scene"], labels=truth.labels),
    }
    figures = evaluate_set(model, "test", told, truth, samples.about, TRAIN).figures
    for name, value in figures.items():
        assert value == (0.0 if "nme" in name or "offset" in name else 1.0), name


@dataclass(frozen=True)
class Turned:
    """A set with every picture and all that is known of it mirrored."""

    samples: Drawn

    @property
    def about(self) -> About:
        return self.samples.about

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        sample = self.samples[index]
        return replace(sample, image=np.ascontiguousarray(sample.image[:, ::-1]))


def test_with_mirror_a_picture_and_its_mirror_image_say_the_same_mirrored() -> None:
    """Averaged over both, predictions are equivariant, whatever the weights."""
    model, samples = small_model(), Drawn()
    train = Train(evaluate=Evaluate(window=2, mirror=True))
    one, other = predict(model, samples, train), predict(model, Turned(samples), train)
    flip, width = list(samples.about.flip or ()), samples[0].image.shape[1]
    for head in ("keypoints", "place"):
        turned = other[head].points[:, flip] * [-1, 1] + [width - 1, 0]
        assert np.allclose(one[head].points, turned, atol=1e-3)
    assert np.array_equal(one["parts"].classes, other["parts"].classes[:, :, ::-1])
    assert np.array_equal(one["scene"].labels, other["scene"].labels)
    plain = predict(model, samples, TRAIN)
    assert not np.allclose(plain["place"].points, one["place"].points, atol=1e-3)


def test_without_mirror_images_of_points_there_is_no_mirror() -> None:
    samples = Drawn()
    with pytest.raises(ValueError, match=r"which point is whose mirror image; give data\.flip"):
        predict(small_model(), Nameless(samples), Train(evaluate=Evaluate(mirror=True)))


@dataclass(frozen=True)
class Nameless:
    """A set that does not say which point is whose mirror image."""

    samples: Drawn

    @property
    def about(self) -> About:
        return replace(self.samples.about, flip=None)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]
