"""How long a spec takes to become source: VGG-16, many passes, many layers, and whether the growth is linear.

    python benchmarks/compile_time.py [--json OUT.json]

Imports and one warm-up are not counted; each figure is the median of five runs, with the fastest and slowest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from lvmc.assemble import Options, plan
from lvmc.codegen import emit
from lvmc.loading import resolve
from lvmc.spec import dump

RUNS = 5


def chain(layers: int, passes: int) -> dict[str, Any]:
    """A chain of equal layers with a group every tenth."""
    record = {"channels": 8, "filter": 3}
    return {
        "lvmc": 1, "name": "chain", "inputs": {"image": {"channels": 3, "size": 64}}, "inference": {"passes": passes},
        "layers": {f"h{n}": record | ({"nms": 2} if n in (10, 20, 30) else {}) for n in range(layers)},
    }  # fmt: skip


def seconds(spec: Any, **options: Any) -> list[float]:
    """Spec to source, several times."""
    taken: list[float] = []
    for _ in range(RUNS):
        start = time.perf_counter()
        resolved, graph = resolve(spec)
        emit(plan(graph, Options(**options), dump(resolved)))
        taken.append(time.perf_counter() - start)
    return taken


def fit(sizes: list[int], medians: list[float]) -> dict[str, float]:
    """Least-squares line through the medians, its R², and the exponent of a power law through the same points."""
    slope, base = np.polyfit(sizes, medians, 1)
    residual = np.array(medians) - (slope * np.array(sizes) + base)
    spread = np.array(medians) - np.mean(medians)
    exponent = np.polyfit(np.log(sizes), np.log(medians), 1)[0]
    return {"per_step": float(slope), "base": float(base), "r2": float(1 - residual @ residual / (spread @ spread)), "exponent": float(exponent)}


def main() -> None:
    """Measure, print a table, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    where = parser.parse_args().json
    seconds("two_layer")
    cases: list[tuple[str, float, list[float]]] = [
        ("qp2_vgg16", 0.3, seconds("qp2_vgg16")),
        ("qp2_vgg16, 64 passes", 1.5, seconds("qp2_vgg16", passes=64)),
        ("200 layers × 8 passes", 2.0, seconds(chain(200, 8))),
    ]
    passes, layers = [8, 16, 32, 64], [25, 50, 100, 200]
    growth = {
        "passes of qp2_vgg16": fit(passes, [statistics.median(seconds("qp2_vgg16", passes=k)) for k in passes]),
        "layers at 8 passes": fit(layers, [statistics.median(seconds(chain(n, 8))) for n in layers]),
    }
    table = Table("spec to source", "median s", "fastest", "slowest", "target s")
    for name, target, taken in cases:
        table.add_row(name, *(f"{value:.3f}" for value in (statistics.median(taken), min(taken), max(taken), target)))
    console = Console()
    console.print(table)
    for name, line in growth.items():
        console.print(f"{name}: {1e3 * line['per_step']:.2f} ms each, R² of a line {line['r2']:.4f}, power law exponent {line['exponent']:.2f}")
    if where is not None:
        figures = {name: {"target": target, "seconds": taken} for name, target, taken in cases}
        where.write_text(json.dumps({"cases": figures, "growth": growth}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
