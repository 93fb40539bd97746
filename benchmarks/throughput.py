"""Images a second of a whole training loop: `lvmc train` beside the loop that one writes in plain PyTorch."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import lvmc
from agreement import UnequalError
from harness import Clock, Goal, Pace, Row, Samples, Section, interleave, ratio, rounds_of, spread
from lvmc.spec import Spec
from lvmc.training import Progress, train_spec
from nets import SpecDict, zoo
from subjects import HAND, TRIMMED, emitted, hand_written

LVMC = "lvmc train"
IMAGES, BATCH, RADIUS, RATE, MOMENTUM = 64, 8, 2.5, 0.01, 0.9
BIAS = -4.0
"""Where heatmaps start: few pixels are near a point."""

SAME = 2e-2
"""What the mean losses of an epoch may differ by, relatively: the order of the pictures is not the same."""


@dataclass(slots=True)
class Ours:
    """An epoch by `train_spec`: batches, discs, steps, logs and the checkpoint at its end."""

    spec: Spec
    folder: Path

    def __call__(self) -> None:
        """Once, to warm up."""
        self.seconds(perf_counter)

    def seconds(self, clock: Clock) -> float:
        """Time between the first batch asked for and the last step, as the run itself measures it."""
        return train_spec(self.spec, self.folder, force=True, evaluate_on=()).seconds

    def loss(self) -> float:
        """Mean over an epoch from first weights."""
        found: list[float] = []

        def tell(told: Progress) -> None:
            if told.ended:
                found.append(told.figures["loss"])

        train_spec(self.spec, self.folder, force=True, evaluate_on=(), tell=tell)
        return found[-1]


@dataclass(slots=True)
class ByHand:
    """An epoch of a hand-written net: a DataLoader, discs by a mesh of pixels, BCE, SGD."""

    make: Callable[[], nn.Module]
    images: Tensor
    points: Tensor

    def __call__(self) -> None:
        """Once, to warm up."""
        self.seconds(perf_counter)

    def seconds(self, clock: Clock) -> float:
        """Time of the epoch, without making the net."""
        module, optimiser, loader = self._ready()
        start = clock()
        self._epoch(module, optimiser, loader)
        return clock() - start

    def loss(self) -> float:
        """Mean over an epoch from first weights."""
        return self._epoch(*self._ready())

    def _ready(self) -> tuple[nn.Module, torch.optim.Optimizer, DataLoader[tuple[Tensor, ...]]]:
        module = self.make().train()
        optimiser = torch.optim.SGD(module.parameters(), lr=RATE, momentum=MOMENTUM)
        return module, optimiser, DataLoader(TensorDataset(self.images, self.points), BATCH)

    def _epoch(
        self, module: nn.Module, optimiser: torch.optim.Optimizer, loader: DataLoader[tuple[Tensor, ...]]
    ) -> float:
        height, width = self.images.shape[2:]
        rows, columns = torch.arange(height)[:, None], torch.arange(width)
        losses: list[float] = []
        for pixels, points in loader:
            x, y = points[..., 0, None, None], points[..., 1, None, None]
            target = ((columns - x) ** 2 + (rows - y) ** 2 <= RADIUS**2).float()
            (maps,) = module(pixels / 255).values()
            loss = F.binary_cross_entropy_with_logits(maps, target)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        return float(np.mean(losses))


def throughput(name: str, title: str, seconds: float, pace: Pace) -> Section:
    """Images a second of one zoo net on made-up pictures, without augmentation on either side."""
    spec = zoo(name)
    with tempfile.TemporaryDirectory() as folder:
        pixels, points = _data(spec)
        np.savez(Path(folder) / "data.npz", images=pixels, keypoints=points, split=np.zeros(IMAGES, np.int64))
        subjects = _subjects(spec, Path(folder), pixels, points)
        _require_equal(subjects)
        samples = interleave(subjects, pace.seconds(seconds))
    rates: Samples = {each: [IMAGES / time for time in times] for each, times in samples.items()}
    rows = tuple(Row(each, spread(values), "images/s") for each, values in rates.items())
    ratios = (ratio(rates, LVMC, HAND, Goal("≥", 1.3)), ratio(rates, LVMC, TRIMMED))
    return Section(name, title, rows, ratios, (f"epochs of {IMAGES} images, batches of {BATCH}",), rounds_of(samples))


def _data(spec: SpecDict) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    (block,), (head,) = spec["inputs"].values(), spec["heads"].values()
    random = np.random.default_rng(0)
    height, width = block["size"]
    points = random.uniform(4, min(height, width) - 5, (IMAGES, head["channels"], 2)).astype(np.float32)
    return random.integers(0, 256, (IMAGES, height, width), np.uint8), points


def _subjects(
    spec: SpecDict, folder: Path, pixels: NDArray[np.uint8], points: NDArray[np.float32]
) -> dict[str, Ours | ByHand]:
    (head,) = spec["heads"]
    state = emitted(spec).state_dict()
    state[f"heads.{head}.{next(iter(spec['heads'][head]['reads']))}.bias"].fill_(BIAS)
    save_file({name: value.contiguous() for name, value in state.items()}, folder / "first.safetensors")
    train = {
        "data": {"kind": "npz", "file": str(folder / "data.npz"), "unit": 10.0, "validation": 0.0},
        "epochs": 1,
        "batch": BATCH,
        "optimizer": {"kind": "sgd", "rate": RATE, "momentum": MOMENTUM, "decay": 0},
        "schedule": "constant",
        "augment": "none",
        "targets": {head: {"pixels": RADIUS}},
        "init": str(folder / "first.safetensors"),
    }
    images = torch.from_numpy(pixels)[:, None].float()
    made: dict[str, Ours | ByHand] = {LVMC: Ours(lvmc.load(spec | {"train": train}), folder / "run")}
    for name in (HAND, TRIMMED):
        made[name] = ByHand(partial(hand_written, name, spec, state, share=False), images, torch.from_numpy(points))
    return made


def _require_equal(subjects: dict[str, Ours | ByHand]) -> None:
    """The mean loss of an epoch, which has the same pictures, weights and rate for all."""
    losses = {name: subject.loss() for name, subject in subjects.items()}
    for name, loss in losses.items():
        if not abs(loss - losses[LVMC]) <= SAME * losses[LVMC]:
            raise UnequalError(f"{name}: mean loss {loss:.5f} instead of {losses[LVMC]:.5f}")


CASES: dict[str, Callable[[Pace], Section]] = {
    "loop-qp_faces": partial(throughput, "qp_faces", "training loop of qp_faces: data, targets, steps", 40),
}
QUICK = ("loop-qp_faces",)
