"""Several processes make the steps of one: same losses and weights, with tied filters, norms over all samples."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors.torch import load_file

from lvmc.spec import Spec
from lvmc.training import train_spec

from .small import spec_of, write_set
from .steps import corrected

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no torch.distributed")


def spec_with(tmp_path: Path, norms: tuple[Any, Any], **train: Any) -> Spec:
    """Filters used on the way up and down, norms of both kinds or none, and maps of which some do not count."""
    file = write_set(tmp_path / "set.npz")
    rule = {"keypoints": {"unannotated": "ignore", "hidden": "ignore"}}
    spec = spec_of(file, targets=rule, clip=0.2, optimizer={"kind": "sgd", "rate": 0.1}, **train)
    layers = {
        name: layer.model_copy(update={} if norm is None else {"norm": norm})
        for (name, layer), norm in zip(spec.layers.items(), norms, strict=True)
    }
    return spec.model_copy(update={"layers": layers})


def furthest(first: Path, second: Path) -> float:
    a, b = load_file(first / "weights.safetensors"), load_file(second / "weights.safetensors")
    assert a.keys() == b.keys()
    return max(float((a[name] - b[name]).abs().max()) for name in a)


def losses(run: Path) -> list[float]:
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [row[name] for row in rows if row["kind"] == "epoch" for name in ("loss", "validation/loss")]


def norm(kind: Literal["drive", "message"]) -> Any:
    return spec_of(Path("set.npz"), {"norm": kind}).layers["h1"].norm


@pytest.mark.parametrize(
    ("strategy", "norms", "train"),
    [
        ("ddp", (None, None), {"accumulate": 2, "batch": 4}),
        ("ddp", ("drive", "message"), {}),
        ("fsdp", ("message", "drive"), {"accumulate": 2, "batch": 4}),
    ],
)
def test_two_processes_are_one(
    strategy: Literal["ddp", "fsdp"], norms: tuple[Any, Any], train: dict[str, Any], tmp_path: Path
) -> None:
    """Weights, running statistics and losses to 1e-5, though one process makes the first step and the last."""
    spec = spec_with(tmp_path, (norms[0] and norm(norms[0]), norms[1] and norm(norms[1])), **train)
    before = dict(os.environ)
    train_spec(spec, tmp_path / "one", accelerator="cpu")
    train_spec(spec, tmp_path / "two", accelerator="cpu", stop_after=1)
    train_spec(spec, tmp_path / "two", accelerator="cpu", devices=2, strategy=strategy, stop_after=5, resume=True)
    assert dict(os.environ) == before
    assert not torch.distributed.is_initialized()
    train_spec(spec, tmp_path / "two", accelerator="cpu", resume=True)
    assert furthest(tmp_path / "one", tmp_path / "two") < 1e-5
    assert losses(tmp_path / "one") == pytest.approx(losses(tmp_path / "two"), abs=1e-5)


@pytest.mark.parametrize(("strategy", "path"), [("ddp", "fixed"), ("fsdp", "predicted")])
def test_two_processes_take_the_steps_of_one(strategy: Literal["ddp", "fsdp"], path: str, tmp_path: Path) -> None:
    """Of outer feedback, on both paths, with points that are not annotated."""
    spec = corrected(path=path, epochs=1, accumulate=2, batch=4, optimizer={"kind": "sgd", "rate": 0.1})
    train_spec(spec, tmp_path / "one", accelerator="cpu")
    train_spec(spec, tmp_path / "two", accelerator="cpu", devices=2, strategy=strategy)
    assert furthest(tmp_path / "one", tmp_path / "two") < 1e-5
    assert losses(tmp_path / "one") == pytest.approx(losses(tmp_path / "two"), abs=1e-5)
