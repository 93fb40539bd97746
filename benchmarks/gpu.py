"""The same on a GPU: QP2-VGG-16 at 224², batches 1, 8 and 64, bf16 and fp32, by backend.

    python benchmarks/gpu.py [--json FILE]

Times are of CUDA events around each call, with everything already on the device. The share of the peak is of what a
large matrix product of the same type reaches in the same run. Without CUDA it says so and exits with 0. Takes up to 8
minutes; cases that no longer fit are left out and named.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

import torch

from agreement import UnequalError, distances
from harness import Row, Section, interleave, ratio, rounds_of, spread, timed_rows
from limit import Convolutions, convolutions
from nets import SpecDict, zoo
from report import environment_line, summary, table, write_json
from subjects import CACHED, HAND, LIMIT, emitted, hand_written

BATCHES = (1, 8, 64)
TYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
AGREEMENT = {"bf16": 0.2, "fp32": 1e-2}
"""Largest relative distance of outputs: bf16 keeps 8 bits, fp32 may round through TF32, and groups tie in both."""

BACKENDS = ("eager", "inductor", "cudagraph")
DEADLINE = 420.0
"""Seconds after which no further case is begun."""


class Timed:
    """A call on the device, timed by CUDA events."""

    def __init__(self, run: Callable[[], object]) -> None:
        self.run = run

    def __call__(self) -> None:
        """Run to the end."""
        self.run()
        torch.cuda.synchronize()

    def seconds(self, clock: Callable[[], float]) -> float:
        """Between two events around the call; the host's clock is not asked."""
        before, after = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        before.record()
        self.run()
        after.record()
        torch.cuda.synchronize()
        return before.elapsed_time(after) / 1e3


def peak(dtype: torch.dtype, size: int = 8192) -> float:
    """Floating-point operations a second of a square matrix product, the best of ten."""
    a, b = (torch.randn(size, size, device="cuda", dtype=dtype) for _ in range(2))
    product = Timed(partial(torch.mm, a, b))
    product()
    return 2 * size**3 / min(product.seconds(perf_counter) for _ in range(10))


def case(spec: SpecDict, dtype: str, batch: int, peak_flops: float) -> Section:
    """One type and batch: every backend, two rivals, and the necessary convolutions."""
    kind = TYPES[dtype]
    torch.compiler.reset()
    models = {f"emitted, {each}": emitted(spec, backend=each).to("cuda", kind) for each in BACKENDS}
    image = torch.rand(batch, 3, 224, 224, device="cuda").to(kind)
    limit = convolutions(spec, batch=batch, device="cuda", dtype=kind)
    state = models["emitted, eager"].state_dict()
    runs: dict[str, Callable[[], object]] = {
        **{each: partial(model, image) for each, model in models.items()},
        HAND: partial(hand_written(HAND, spec, state), image),
        CACHED: partial(hand_written(CACHED, spec, state), image),
    }
    _require_equal(runs, AGREEMENT[dtype])
    samples = interleave({LIMIT: Timed(_together(limit)), **{each: Timed(run) for each, run in runs.items()}}, 8)
    work = batch * limit.flops
    shares = [
        Row(f"{each}, of the matrix product's rate", spread([100 * work / t / peak_flops for t in times]), "%")
        for each, times in samples.items()
        if each not in (HAND, CACHED)
    ]
    ratios = [ratio(samples, f"emitted, {each}", LIMIT) for each in BACKENDS]
    ratios += [ratio(samples, HAND, f"emitted, {each}") for each in BACKENDS]
    ratios.append(ratio(samples, CACHED, "emitted, eager"))
    notes = (f"{work / 1e9:.1f} GFLOP; the matrix product reaches {peak_flops / 1e12:.0f} TFLOP/s",)
    title = f"QP2-VGG-16, 224², {dtype}, batch {batch}"
    return Section(
        f"{dtype}-b{batch}", title, (*timed_rows(samples), *shares), tuple(ratios), notes, rounds_of(samples)
    )


def main() -> int:
    """Print tables and, if asked, write JSON; 0 done or no GPU, 1 competitors disagree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything to a file")
    given = parser.parse_args()
    if not torch.cuda.is_available():
        print("no CUDA device here: nothing to measure")
        return 0
    print(environment_line())
    start, spec = perf_counter(), zoo("qp2_vgg16")
    sections: list[Section] = []
    try:
        with torch.inference_mode():
            for dtype, kind in TYPES.items():
                reached = peak(kind)
                for batch in BATCHES:
                    if perf_counter() - start > DEADLINE:
                        print(f"\n{dtype}-b{batch}: left out, {DEADLINE:.0f} s are over")
                        continue
                    sections.append(case(spec, dtype, batch, reached))
                    print(table(sections[-1]), flush=True)
    except UnequalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(summary(sections))
    if given.json:
        write_json(given.json, sections)
    return 0


def _together(limit: Convolutions) -> Callable[[], object]:
    """All necessary convolutions in one go, so that the device, not the launches, is timed."""
    return limit.__call__


def _require_equal(runs: dict[str, Callable[[], object]], tolerance: float) -> None:
    (first, *others) = runs
    wanted = runs[first]()
    for each in others:
        found = runs[each]()
        assert isinstance(wanted, dict)
        assert isinstance(found, dict)
        apart = float(distances(wanted, found, each).max())
        if not apart <= tolerance:
            raise UnequalError(f"{each}: differs from {first} by {apart:.1e}")


if __name__ == "__main__":
    sys.exit(main())
