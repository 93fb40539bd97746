"""Poses lifted a second: the emitted module with all joints, some missing, and weights, beside a plain loop.

    python benchmarks/lifting.py [--quick] [--threads N] [--cpu-time] [--json FILE]

100 rotations × 3 components of 25 dimensions and 17 points. All are first found to give the same poses.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import NamedTuple

for _pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_pool, "2")  # before numpy and torch make their pools

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import lvmc
from agreement import UnequalError, distances
from harness import Clock, Goal, Pace, Ratio, Row, Samples, Section, interleave, paired, rounds_of, spread
from lvmc.ir.lifting import Basis, lift_pixels
from lvmc.lifting import save_basis
from lvmc.lifting.rotations import LEVEL, turns
from report import environment_line, table, write_json

Numbers = NDArray[np.float64]

COMPONENTS, DIMENSIONS, POINTS, ROTATIONS = 3, 25, 17, 100
EMITTED, MISSING, WEIGHTED = "emitted, all joints", "emitted, 1 to 4 joints missing", "emitted, weights of their own"
LOOP = "loop of least squares, all joints"
BATCH = {EMITTED: 1024, MISSING: 1024, WEIGHTED: 64, LOOP: 2}
WANTED = 20_000
"""Poses a second on two threads, with and without missing joints."""

_CLOSE, _CHECKED = 1e-3, 32


class Subject(NamedTuple):
    """What lifts a batch of points (B, L, 2) to (B, L, 5), and with how many it is timed."""

    lift: Callable[[Tensor], Tensor]
    points: Tensor


def basis() -> Basis:
    """A made one, its mean point 0: deviations fall from 300 to 20, and about 18 are left over (as of people in mm)."""
    random = np.random.default_rng(0)
    flat = random.normal(size=(COMPONENTS, 3 * POINTS, 3 * POINTS))
    flat = flat.reshape(COMPONENTS, -1, 3, POINTS) - flat.reshape(COMPONENTS, -1, 3, POINTS).mean(3, keepdims=True)
    directions = [np.linalg.qr(each.reshape(len(each), -1).T)[0].T[:DIMENSIONS] for each in flat]
    return Basis(
        mean=_centred(300 * random.normal(size=(COMPONENTS, 3, POINTS))),
        basis=np.stack(directions).reshape(COMPONENTS, DIMENSIONS, 3, POINTS),
        sigma=np.tile(1 / np.geomspace(300, 20, DIMENSIONS), (COMPONENTS, 1)),
        noise=np.full(COMPONENTS, 1 / 18),
        rotations=turns(LEVEL, ROTATIONS),
    )


def _centred(poses: Numbers) -> Numbers:
    return poses - poses.mean(-1, keepdims=True)


def points_of(model: Basis, count: int) -> Tensor:
    """Projections of drawn poses, one unit a pixel, with noise; float32."""
    random = np.random.default_rng(1)
    k, r = random.integers(COMPONENTS, size=count), random.integers(ROTATIONS, size=count)
    a = random.normal(size=(count, DIMENSIONS)) / model.sigma[k]
    poses = model.mean[k] + np.einsum("nj,njxl->nxl", a, model.basis[k])
    seen = np.einsum("ndx,nxl->nld", model.rotations[r, :2], poses)
    noisy = seen + 18 * random.normal(size=seen.shape)
    return torch.from_numpy(noisy - noisy.mean(1, keepdims=True)).float()


def head_of(model: Basis) -> nn.Module:
    """The lifting module of an emitted file."""
    with TemporaryDirectory() as folder:
        save_basis(model, Path(folder) / "basis.npz")
        lift = {"kind": "lift", "landmarks": "joints", "basis": f"{folder}/basis.npz"}
        return lvmc.compile({
            "lvmc": 1,
            "name": "lifting",
            "inputs": {"image": {"channels": 1, "size": 8}},
            "layers": {"h1": {"channels": 1, "filter": 1}},
            "heads": {"joints": {"kind": "heatmap", "channels": POINTS, "reads": "h1"}, "pose": lift},
        }).heads.pose  # fmt: skip


def missing(count: int) -> Tensor:
    """Weights (count, L) of poses that miss one to four joints, any as likely as another."""
    random = np.random.default_rng(2)
    order = random.random((count, POINTS)).argsort(1)
    return torch.from_numpy(order >= random.integers(1, 5, size=(count, 1))).float()


def sure(count: int) -> Tensor:
    """Weights (count, L) between 0 and 1."""
    return torch.from_numpy(np.random.default_rng(3).random((count, POINTS))).float()


def loop(model: Basis, points: Tensor) -> Tensor:
    """Each pose, component and rotation by `numpy.linalg.lstsq`, as one would write it down."""
    found: list[Numbers] = []
    for each in points.double().numpy():
        best, least = np.zeros((POINTS, 5)), np.inf
        for k in range(COMPONENTS):
            for rotation in model.rotations:
                design = (rotation[:2] @ model.basis[k]).transpose(0, 2, 1).reshape(DIMENSIONS, -1).T
                middle = (rotation[:2] @ model.mean[k]).T.ravel()
                system = np.vstack([design, np.diag(model.sigma[k] / model.noise[k])])
                wanted = np.concatenate([each.ravel() - middle, np.zeros(DIMENSIONS)])
                a = np.linalg.lstsq(system, wanted, rcond=None)[0]
                cost = model.noise[k] ** 2 * np.sum((system @ a - wanted) ** 2)
                if cost < least:
                    pose = rotation @ (model.mean[k] + np.tensordot(a, model.basis[k], 1))
                    best, least = np.column_stack([(middle + design @ a).reshape(-1, 2), pose.T]), cost
        found.append(best)
    return torch.from_numpy(np.stack(found)).float()


def subjects() -> dict[str, Subject]:
    """Everything that is timed.

    Raises:
        UnequalError: They do not give the same poses.
    """
    model = basis()
    head, points = head_of(model), points_of(model, max(BATCH.values()))
    weights: dict[str, Tensor] = {MISSING: missing(BATCH[MISSING]), WEIGHTED: sure(BATCH[WEIGHTED])}
    lifts = {
        EMITTED: lambda given: head(given, scale=1.0),
        MISSING: lambda given: head(given, weights[MISSING][: len(given)], 1.0),
        WEIGHTED: lambda given: head(given, weights[WEIGHTED][: len(given)], 1.0),
        LOOP: lambda given: loop(model, given),
    }
    for name, lift in lifts.items():
        few = points[: min(_CHECKED, BATCH[name])]
        given = weights[name][: len(few)].double().numpy() if name in weights else None
        wanted = torch.from_numpy(lift_pixels(model, few.double().numpy(), given, 1.0)).float()
        apart = distances({"pose": wanted}, {"pose": lift(few)}, name)
        if not bool((apart < _CLOSE).all()):
            raise UnequalError(f"{name}: poses differ by {apart.max():.1e}")
    return {name: Subject(lift, points[: BATCH[name]]) for name, lift in lifts.items()}


def poses_a_second(pace: Pace, clock: Clock = perf_counter) -> Section:
    """The section of the table."""
    with torch.no_grad():
        timed = subjects()
        runs = {name: _run(subject) for name, subject in timed.items()}
        samples = interleave(runs, pace.seconds(40.0), clock)
    each: Samples = {name: [time / BATCH[name] for time in times] for name, times in samples.items()}
    rows = tuple(Row(name, spread([1 / time for time in times]), "/s") for name, times in each.items())
    ratios = (
        *(_wanted(name, each[name]) for name in (EMITTED, MISSING)),
        Ratio(f"{EMITTED} / {LOOP}", paired(each[LOOP], each[EMITTED])),
    )
    title = f"poses a second, {ROTATIONS} rotations × {COMPONENTS} components, float32"
    notes = (f"{torch.get_num_threads()} threads; batches of {', '.join(map(str, BATCH.values()))}",)
    return Section("lifting", title, rows, ratios, notes, rounds_of(samples))


def _wanted(name: str, seconds: Sequence[float]) -> Ratio:
    return Ratio(f"{name} / {WANTED:,} a second", spread([1 / (WANTED * each) for each in seconds]), Goal("≥", 1))


def _run(subject: Subject) -> Callable[[], object]:
    def run() -> object:
        with torch.no_grad():
            return subject.lift(subject.points)

    return run


def _own_time() -> float:
    return process_time() / torch.get_num_threads()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0 done, 1 the subjects disagree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few rounds")
    parser.add_argument("--threads", type=int, default=2, help="of torch")
    parser.add_argument("--cpu-time", action="store_true", help="processor time by threads, where others run beside")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything to a file")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    print(environment_line())
    try:
        section = poses_a_second(Pace(given.quick), _own_time if given.cpu_time else perf_counter)
    except UnequalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(section))
    if given.json:
        write_json(given.json, [section])
    return 0


if __name__ == "__main__":
    sys.exit(main())
