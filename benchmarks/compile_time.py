"""How long a spec takes to become source, and how that grows with passes and with layers.

    python benchmarks/compile_time.py [--json]

Times are of spec file (or dict) → source, after imports: the first run, which also reads the templates, and the
median of five more with their spread.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from lvmc.codegen import emit

from lvmc import specs
from lvmc.assemble import Options
from lvmc.loading import resolve
from lvmc.methods import plan
from lvmc.spec import dump

RUNS = 5


class Timing(NamedTuple):
    """Seconds of the runs of one case; `target` is what their median should stay below."""

    case: str
    first: float
    seconds: list[float]
    target: float | None
    lines: int

    @property
    def median(self) -> float:
        """Of the runs after the first."""
        return median(self.seconds)


class Growth(NamedTuple):
    """Medians as a linear function of a size."""

    of: str
    sizes: list[int]
    medians: list[float]
    slope: float
    start: float
    r2: float


def chain(layers: int, passes: int) -> dict[str, Any]:
    """A net of equal layers, read at both ends."""
    names = [f"h{number}" for number in range(1, layers + 1)]
    return {
        "lvmc": 1,
        "name": "chain",
        "inputs": {"image": {"channels": 3, "size": [64, 64]}},
        "layers": {name: {"channels": 16, "filter": 3} for name in names},
        "inference": {"passes": passes},
        "heads": {"points": {"kind": "heatmap", "channels": 5, "reads": {names[-1]: 1, names[0]: 1}}},
    }


def source_of(spec: Any, options: Options) -> str:
    """Spec → source, all stages."""
    read, graph = resolve(spec)
    return emit(plan(graph, options, dump(read)))


def timed(case: str, make: Callable[[], str], target: float | None = None) -> Timing:
    """Run a case once, and RUNS times more."""
    seconds: list[float] = []
    lines = 0
    for _ in range(RUNS + 1):
        start = perf_counter()
        lines = make().count("\n")
        seconds.append(perf_counter() - start)
    return Timing(case, seconds[0], seconds[1:], target, lines)


def growth(of: str, sizes: Sequence[int], make: Callable[[int], str]) -> Growth:
    """Least-squares line through the medians."""
    medians = [timed(f"{size}", lambda size=size: make(size)).median for size in sizes]
    slope, start = np.polyfit(sizes, medians, 1)
    rest = np.array(medians) - (slope * np.array(sizes) + start)
    spread = np.array(medians) - np.mean(medians)
    return Growth(of, list(sizes), medians, float(slope), float(start), 1 - float(rest @ rest) / float(spread @ spread))


def main() -> None:
    """Print a table, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    as_json = parser.parse_args().json
    vgg = specs.path("qp2_vgg16")
    timings = [
        timed("qp2_vgg16", lambda: source_of(vgg, Options()), 0.3),
        timed("qp2_vgg16, 6 passes", lambda: source_of(vgg, Options(passes=6))),
        timed("qp2_vgg16, 1000 passes", lambda: source_of(vgg, Options(passes=1000)), 0.5),
        timed("200 layers, 8 passes", lambda: source_of(chain(200, 8), Options()), 2.0),
    ]
    growths = [
        growth("passes of qp2_vgg16, unrolled", (2, 3, 4, 5, 6), lambda size: source_of(vgg, Options(passes=size))),
        growth("layers, 8 passes", (10, 25, 50, 100, 200), lambda size: source_of(chain(size, 8), Options())),
    ]
    if as_json:
        timed_cases = [each._asdict() | {"median": each.median} for each in timings]
        print(
            json.dumps({"runs": RUNS, "timings": timed_cases, "growth": [each._asdict() for each in growths]}, indent=2)
        )
        return
    print(f"{'spec → source':<24}{'first':>9}{'median':>9}{'least':>9}{'most':>9}{'target':>9}{'lines':>9}")
    for each in timings:
        target = f"{each.target:.1f} s" if each.target else ""
        numbers = [f"{value:.3f} s" for value in (each.first, each.median, min(each.seconds), max(each.seconds))]
        print(f"{each.case:<24}" + "".join(f"{number:>9}" for number in numbers) + f"{target:>9}{each.lines:>9}")
    for line in growths:
        print(f"\n{line.of}: {line.start * 1e3:.1f} ms + {line.slope * 1e3:.2f} ms each, R² = {line.r2:.4f}")
        print(
            "   "
            + ", ".join(f"{size}: {seconds:.3f} s" for size, seconds in zip(line.sizes, line.medians, strict=True))
        )


if __name__ == "__main__":
    main()
