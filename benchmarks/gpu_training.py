"""QP1 and QP2 on VGG-16's convolutions, trained from scratch on drawn figures at 224² on a GPU.

    python benchmarks/gpu_training.py [--minutes 8] [--workers 14]

Prints images a second, peak memory, and PCKh of both. Each gets half of the time: a few steps tell how many epochs fit
in it. Without CUDA it says so and exits with 0.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

import lvmc
from lvmc.training import train_spec
from nets import SpecDict, vgg
from report import environment_line

PROBE = 20
"""Steps that tell the speed."""

SHARE = 0.8
"""Of the time, what epochs may take: the rest is for drawing figures, the probe and the evaluation."""


@dataclass(frozen=True, slots=True)
class Line:
    """What is told of one number of passes: images a second, GiB, epochs, and PCKh in the test and the covered set."""

    passes: int
    rate: float
    peak: float
    epochs: int
    clean: float
    hidden: float


def spec_of(net: SpecDict, passes: int, train: dict[str, Any]) -> SpecDict:
    """The net with a norm a message, as the authors trained it from scratch, and how to train it."""
    layers = {name: layer | {"norm": "message"} for name, layer in net["layers"].items()}
    return net | {"layers": layers, "inference": {"passes": passes}, "train": train}


def measure(
    net: SpecDict, passes: int, train: dict[str, Any], seconds: float, device: Literal["cpu", "cuda"] = "cuda"
) -> Line:
    """Train one net for about so many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "run"
        probe = lvmc.load(spec_of(net, passes, train | {"epochs": 1}))
        speed = train_spec(probe, place, stop_after=PROBE, accelerator=device)
        of_epoch = speed.seconds / speed.steps * (train["data"]["count"] // train["batch"])
        epochs = max(1, int(SHARE * seconds / of_epoch))
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        spec = lvmc.load(spec_of(net, passes, train | {"epochs": epochs}))
        trained = train_spec(spec, place, force=True, evaluate_on=("test", "covered"), accelerator=device)
        peak = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else float("nan")
    (head,) = net["heads"]
    figures = trained.evaluation.figures
    rate = trained.steps * train["batch"] / trained.seconds
    clean, hidden = figures[f"test/{head}/pck"], figures[f"covered/{head}/pck_hidden"]
    return Line(passes, rate, peak, epochs, clean, hidden)


def shown(lines: Sequence[Line]) -> str:
    """A table in Markdown."""
    head = "| | images/s | peak GiB | epochs | PCKh@.5 | PCKh@.5, hidden |\n|---|---|---|---|---|---|"
    rows = [
        f"| QP{each.passes} | {each.rate:.1f} | {each.peak:.1f} | {each.epochs} | "
        f"{each.clean:.3f} | {each.hidden:.3f} |"
        for each in lines
    ]
    return "\n".join([head, *rows])


def main(arguments: Sequence[str] | None = None) -> int:
    """Train both and print the table; 0 also where there is no GPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0, help="for both together")
    parser.add_argument("--workers", type=int, default=14, help="processes that draw and change pictures")
    given = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print("no CUDA device here: nothing to train on")
        return 0
    print(environment_line())
    train: dict[str, Any] = {
        "data": {"kind": "figures", "count": 8000, "validation": 500, "test": 1000},
        "batch": 64,
        "precision": "bfloat16",
        "optimizer": {"kind": "adam", "rate": 0.003},
        "targets": {"keypoints": {"pixels": 6.0}},
        "evaluate": {"pck": 0.5, "window": 5, "every": 1000},
        "augment": {"rotate": 10, "scale": 0.1},
        "workers": given.workers,
    }
    lines = [measure(vgg(224), passes, train, 30.0 * given.minutes) for passes in (1, 2)]
    print(shown(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
