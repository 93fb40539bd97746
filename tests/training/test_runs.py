"""Whole runs: what is learned, when they stop, and what they leave."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

import lvmc
from lvmc.spec import Spec
from lvmc.training import Progress, train_spec
from lvmc.training.trouble import NotFiniteError

from .small import POINTS, SIZE, spec_of, write_set

RULE = {"hidden": "ignore", "unannotated": "ignore"}


@pytest.fixture(scope="module")
def set_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("data") / "set.npz")


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "weights.safetensors")


def furthest(first: Path, second: Path) -> float:
    a, b = weights(first), weights(second)
    assert a.keys() == b.keys()
    return max(float((a[name] - b[name]).abs().max()) for name in a)


def epochs(run: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [row for row in rows if row["kind"] == "epoch"]


def test_a_handful_of_samples_is_learned_by_heart(tmp_path: Path) -> None:
    """Every kind of head at once, with a small net: losses fall to a fraction, points are found, labels are right."""
    heads = {
        "keypoints": {"kind": "heatmap", "channels": POINTS, "reads": {"h2": 1, "h1": 3}, "at": "each"},
        "parts": {"kind": "segmentation", "channels": 4, "reads": {"h2": 3, "h1": 3}},
        "side": {"kind": "classes", "outputs": 2, "reads": "h2"},
    }
    spec = spec_of(
        write_set(tmp_path / "set.npz", 8, 0), {"norm": "drive", "filter": 5, "channels": 12}, heads,
        epochs=60, optimizer={"kind": "adam", "rate": 0.02}, schedule="one-cycle", targets={"keypoints": RULE},
    )  # fmt: skip
    train_spec(spec, tmp_path / "run")
    rows = epochs(tmp_path / "run")
    for head, least in (("keypoints", 0.4), ("parts", 0.3), ("side", 0.1)):
        assert rows[-1][f"{head}/loss"] < least * rows[0][f"{head}/loss"], head


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_batches_add_up_to_a_large_one(kind: str, set_file: Path, tmp_path: Path) -> None:
    """Two of 4 as one of 8, though maps that do not count are not evenly spread over them."""
    optimizer = {"kind": kind, "rate": 0.1 if kind == "sgd" else 1e-4}
    for name, batch, several in (("large", 8, 1), ("small", 4, 2)):
        spec = spec_of(
            set_file, targets={"keypoints": RULE}, optimizer=optimizer, batch=batch, accumulate=several, clip=0.1
        )
        train_spec(spec, tmp_path / name)
    assert furthest(tmp_path / "large", tmp_path / "small") < 1e-6
    first, second = (epochs(tmp_path / name)[-1] for name in ("large", "small"))
    assert first["loss"] == pytest.approx(second["loss"], rel=1e-5)
    assert first["step"] == second["step"] == 6


def test_a_loss_that_is_no_number_stops_the_run(set_file: Path, tmp_path: Path) -> None:
    """The step is named, the batch kept; no weights are."""
    spec = spec_of(set_file, optimizer={"kind": "sgd", "rate": 1e30})
    with pytest.raises(NotFiniteError, match=r"step 2: keypoints .*bad_batch\.safetensors.*lower train\.optimizer"):
        train_spec(spec, tmp_path / "run")
    kept = load_file(tmp_path / "run" / "bad_batch.safetensors")
    assert kept["images"].shape == (8, 1, SIZE, SIZE)
    assert set(kept) == {"images", "points", "visible", "masks", "labels", "units", "index"}
    with safe_open(tmp_path / "run" / "bad_batch.safetensors", "pt") as file:
        notes = file.metadata()
    assert notes["step"] == "2"
    assert notes["samples"].count("set.npz") == 8
    assert not (tmp_path / "run" / "weights.safetensors").exists()


def test_the_best_weights_are_kept_and_patience_ends(set_file: Path, tmp_path: Path) -> None:
    """At a rate that grows the loss again, the run ends early with the weights of its best epoch."""
    spec = spec_of(
        set_file, epochs=30, patience=3, optimizer={"kind": "sgd", "rate": 40.0}, evaluate={"watch": "keypoints/loss"}
    )
    told: list[Progress] = []
    trained = train_spec(spec, tmp_path / "run", tell=told.append)
    figures = [each.figures["validation/keypoints/loss"] for each in told if each.ended]
    assert trained.best is not None
    assert trained.finished
    assert figures.index(min(figures)) + 1 == trained.best
    assert len(figures) == trained.best + 3 < 30
    until = spec.model_copy(
        update={"train": spec.train and spec.train.model_copy(update={"epochs": trained.best, "patience": None})}
    )
    train_spec(until, tmp_path / "until")
    assert furthest(tmp_path / "run", tmp_path / "until") == 0


def test_mixed_precision_learns(set_file: Path, tmp_path: Path) -> None:
    train_spec(spec_of(set_file, {"norm": "drive"}, precision="bfloat16", epochs=4), tmp_path / "run")
    losses = [row["loss"] for row in epochs(tmp_path / "run")]
    assert losses[-1] < losses[0]
    assert all(value.dtype == torch.float32 for value in weights(tmp_path / "run").values())


def test_frozen_parameters_stay(set_file: Path, tmp_path: Path) -> None:
    spec = spec_of(set_file, rates={"h1": 0, "heads.keypoints.h2": 0.5})
    train_spec(spec, tmp_path / "run")
    before, after = lvmc.compile(spec).state_dict(), weights(tmp_path / "run")
    assert {name for name in after if torch.equal(before[name], after[name])} == {"h1.weight", "h1.bias"}


def test_a_run_is_a_compiled_folder(set_file: Path, tmp_path: Path) -> None:
    """It opens with its weights and its whole spec, and its logs are numbers."""
    spec = spec_of(set_file, data={"kind": "npz", "file": str(set_file), "validation": 0.25, "unit": 10.0})
    trained = train_spec(spec, tmp_path / "run")
    model = lvmc.open(tmp_path / "run")
    assert all(torch.equal(value, weights(tmp_path / "run")[name]) for name, value in model.state_dict().items())
    assert lvmc.load(tmp_path / "run" / "spec.yaml") == spec
    files = {path.name for path in (tmp_path / "run").iterdir()}
    assert files == {
        "small.py", "spec.yaml", "build.json", "weights.safetensors", "checkpoint.safetensors",
        "log.csv", "log.jsonl", "tensorboard", "evaluation.json",
    }  # fmt: skip
    assert "validation/keypoints/nme" in trained.evaluation.figures
    for row in epochs(tmp_path / "run"):
        assert all(isfinite(value) for value in row.values() if not isinstance(value, str))
        assert {"loss", "keypoints/loss", "validation/loss", "validation/keypoints/nme", "rate"} <= set(row)


def test_folders_of_others_are_left_alone(set_file: Path, tmp_path: Path) -> None:
    spec, run = spec_of(set_file, epochs=1), tmp_path / "run"
    train_spec(spec, run)
    with pytest.raises(FileExistsError, match=r"holds a run.*--resume"):
        train_spec(spec, run)
    (run / "notes.txt").write_text("mine")
    train_spec(spec, run, force=True)
    assert (run / "notes.txt").read_text() == "mine"
    with pytest.raises(FileExistsError, match="did not write"):
        train_spec(spec, tmp_path, force=True)


def test_a_checkpoint_of_another_spec_is_refused(set_file: Path, tmp_path: Path) -> None:
    """What differs is said; how many workers read does not matter, and nothing is trained twice."""
    run = tmp_path / "run"
    train_spec(spec_of(set_file), run, stop_after=2)
    other: Spec = spec_of(set_file, {"channels": 5}, clip=1.0)
    with pytest.raises(ValueError, match=r"layers\.h1\.channels is 5, was 4.*train\.clip is 1\.0, was not given"):
        train_spec(other, run, resume=True)
    done = train_spec(spec_of(set_file, workers=0), run, resume=True)
    again = train_spec(spec_of(set_file), run, resume=True)
    assert (again.steps, again.seconds, again.evaluation) == (done.steps, done.seconds, done.evaluation)


@pytest.mark.parametrize(
    ("train", "fault"),
    [
        ({"evaluate": {"watch": "keypoints/nmee"}}, "no metric is called 'nmee'.*'nme'"),
        ({"evaluate": {"watch": "keypoints/miou"}}, "gives no 'keypoints/miou'.*keypoints/nme"),
        ({"precision": "float16"}, "float16 needs a GPU"),
    ],
)
def test_what_cannot_be_done_is_said(train: dict[str, Any], fault: str, set_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=fault):
        train_spec(spec_of(set_file, **train), tmp_path / "run", accelerator="cpu")


def test_without_a_validation_set_the_last_weights_are_kept(tmp_path: Path) -> None:
    data = {"kind": "npz", "file": str(write_set(tmp_path / "set.npz", 8, 0)), "validation": 0, "unit": 10.0}
    with pytest.raises(ValueError, match="patience needs a validation set"):
        train_spec(spec_of(tmp_path, data=data, patience=2), tmp_path / "run")
    assert train_spec(spec_of(tmp_path, data=data), tmp_path / "run").best is None
    checkpoint = load_file(tmp_path / "run" / "checkpoint.safetensors")
    assert all(torch.equal(value, checkpoint[f"model.{name}"]) for name, value in weights(tmp_path / "run").items())


def test_the_best_by_the_likelihood_of_a_density_is_kept(tmp_path: Path) -> None:
    """`watch: age/nll`: less is better, the run stops when it grows, and what is kept has the least of all epochs."""
    file = write_set(tmp_path / "set.npz")
    with np.load(file) as given:
        across = given["keypoints"][:, 0, 0]
        np.savez(file, images=given["images"], split=given["split"], across=(across - 7.5) / 4)
    heads = {"age": {"kind": "density", "dims": 1, "reads": "h2", "sigmas": [0.3], "range": [-3, 3], "samples": 32}}
    spec = spec_of(
        file, None, heads, data={"kind": "npz", "file": str(file), "values": "across"}, epochs=60, patience=2,
        optimizer={"kind": "adam", "rate": 0.03}, evaluate={"watch": "age/nll"},
    )  # fmt: skip
    trained = train_spec(spec, tmp_path / "run")
    told = [row["validation/age/nll"] for row in epochs(tmp_path / "run")]
    assert 3 <= len(told) < 60
    assert min(told) == told[-3]
    assert min(told) < told[0] - 0.3
    assert trained.evaluation.figures["validation/age/nll"] == pytest.approx(min(told), abs=1e-4)
