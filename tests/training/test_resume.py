"""A run that was killed ends as one that was not, bit for bit."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import lvmc
from lvmc.training import train_spec
from lvmc.training.checkpoints import read_checkpoint

from .small import spec_of, write_set

KILLED = """
import os, signal, sys
from pathlib import Path
import lvmc
from lvmc.training import loop, train_spec

learn, steps = loop.learn, []
def learn_until(*args):
    if len(steps) == 8:
        os.kill(os.getpid(), signal.SIGKILL)
    steps.append(1)
    return learn(*args)

loop.learn = learn_until
train_spec(lvmc.load(sys.argv[1]), Path(sys.argv[2]), save_every=3, accelerator="cpu")
"""

WHOLE = """
import sys
from pathlib import Path
import lvmc
from lvmc.training import train_spec

trained = train_spec(lvmc.load(sys.argv[1]), Path(sys.argv[2]), resume=True, accelerator="cpu")
assert trained.finished and trained.steps == 15, trained
"""
"""In a process of its own, as the killed one: what other tests set of torch's threads would change its rounding."""

RUNS = {
    "sgd": {"optimizer": {"kind": "sgd", "rate": 0.1}, "schedule": "cosine", "clip": 0.5},
    "adam": {"optimizer": "adam", "schedule": "one-cycle", "accumulate": 2, "batch": 2},
    "steps": {"optimizer": "adam", "schedule": {"steps": [1, 2]}, "rates": {"h1": 0.1}, "precision": "bfloat16"},
}


def same(first: Path, second: Path, file: str) -> bool:
    a, b = load_file(first / file), load_file(second / file)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_kill_in_mid_epoch(tmp_path: Path) -> None:
    """SIGKILL after 8 steps, 5 an epoch, the newest checkpoint after 6: the last 2 are made again, and nothing else."""
    file = write_set(tmp_path / "set.npz", 20)
    augment = {"flip": 0, "rotate": 20, "occlude": 0.5}
    spec = spec_of(file, {"norm": "drive"}, batch=4, epochs=3, augment=augment, optimizer="adam", schedule="one-cycle")
    (tmp_path / "small.yaml").write_text(lvmc.dump(spec))

    def run(script: str, folder: str) -> int:
        command = [sys.executable, "-c", script, str(tmp_path / "small.yaml"), str(tmp_path / folder)]
        return subprocess.run(command, check=False, timeout=120).returncode

    assert run(KILLED, "killed") == -signal.SIGKILL
    left = read_checkpoint(tmp_path / "killed")
    assert left is not None
    assert (left.standing.step, left.standing.epoch, left.standing.batch) == (6, 1, 1)
    assert run(WHOLE, "killed") == run(WHOLE, "whole") == 0
    judged = [(tmp_path / name / "evaluation.json").read_text(encoding="utf-8") for name in ("killed", "whole")]
    assert judged[0] == judged[1]
    for name in ("weights.safetensors", "checkpoint.safetensors"):
        assert same(tmp_path / "killed", tmp_path / "whole", name)


@pytest.mark.parametrize("kind", RUNS)
def test_stopping_anywhere_changes_nothing(kind: str, tmp_path: Path) -> None:
    """Whatever steps: momenta, schedule, what is accumulated, and sums of losses go on as they were."""
    spec = spec_of(write_set(tmp_path / "set.npz", 20), {"norm": "message"}, **({"batch": 4, "epochs": 3} | RUNS[kind]))
    train_spec(spec, tmp_path / "whole", accelerator="cpu")
    for stop in (1, 3, 5, 6, 13):
        stopped = train_spec(spec, tmp_path / "parts", resume=True, stop_after=stop, accelerator="cpu")
        assert (stopped.steps, stopped.finished) == (stop, False)
    train_spec(spec, tmp_path / "parts", resume=True, accelerator="cpu")
    for name in ("weights.safetensors", "checkpoint.safetensors"):
        assert same(tmp_path / "whole", tmp_path / "parts", name)
    rows = [(tmp_path / name / "log.csv").read_text().splitlines() for name in ("whole", "parts")]
    column = rows[0][0].split(",").index("seconds")
    kept = [[cell for n, cell in enumerate(row.split(",")) if n != column] for row in rows[0]]
    assert kept == [[cell for n, cell in enumerate(row.split(",")) if n != column] for row in rows[1]]


def test_heads_that_draw_samples_draw_the_same_again(tmp_path: Path) -> None:
    """The loss of a density takes random samples; torch's generator is in no checkpoint, and stands elsewhere."""
    file = write_set(tmp_path / "set.npz", 20)
    with np.load(file) as given:
        np.savez(file, **{**given, "visible": np.full_like(given["visible"], 2)})
    density = {"kind": "density", "dims": 6, "reads": "h2", "pool": "mean", "samples": 8, "sigmas": [0.1, 0.5]}
    spec = spec_of(file, None, {"pose": density}, batch=4, epochs=2)
    train_spec(spec, tmp_path / "whole", accelerator="cpu")
    for stop in (3, 5, None):
        torch.manual_seed(stop or 0)
        train_spec(spec, tmp_path / "parts", resume=True, stop_after=stop, accelerator="cpu")
    for name in ("weights.safetensors", "checkpoint.safetensors"):
        assert same(tmp_path / "whole", tmp_path / "parts", name)


def test_a_broken_checkpoint_is_named(tmp_path: Path) -> None:
    spec, run = spec_of(write_set(tmp_path / "set.npz")), tmp_path / "run"
    train_spec(spec, run, stop_after=1)
    (run / "checkpoint.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match=r"checkpoint\.safetensors is no checkpoint"):
        train_spec(spec, run, resume=True)
