"""How long verdicts take and how tight they are, from explicit matrices to nets of 13.5 million units.

    python benchmarks/check.py [--quick] [--json FILE] [--only NAME…]

Each case is run once, on the threads that torch takes by itself. A band is the largest scale refuted over the largest
scale certified (both of all filters between layers): 1 means that everything is decided.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import lvmc
from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.bounds import lower_of
from lvmc.diagnostics.decide import Decision, bound_below, decide
from lvmc.diagnostics.dominance.dominance import dominance
from lvmc.diagnostics.net import net_of
from lvmc.diagnostics.rays.search import search
from lvmc.diagnostics.semidefinite.lanczos import lanczos
from lvmc.graph.form import Form
from report import environment, environment_line

Array = NDArray[np.float64]
Blocks = Sequence[tuple[int, int]]
Joint = Literal["stride", "nms"]


@dataclass(frozen=True)
class Finding:
    """One figure of a case, and what was wanted: at most `goal`."""

    case: str
    what: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.goal is None or self.value <= self.goal


def boundary(size: int, seed: int) -> Array:
    """PSD + nonnegative, unit diagonal, with zᵀAz = 0 for a z ≥ 0: on the boundary by construction.

    The PSD part has the null vector z; the nonnegative part is 0 between the units of z's support.
    """
    rng = np.random.default_rng(seed)
    support = size // 2
    z = np.concatenate([rng.uniform(0.5, 1.5, support), np.zeros(size - support)])
    factor = rng.normal(size=(size, 2 * size)) / np.sqrt(2 * size)
    factor -= np.outer(z, z @ factor) / (z @ z)
    positive = factor @ factor.T
    extra = np.abs(rng.normal(size=(size, size))) / np.sqrt(size)
    extra[:support, :support] = 0.0
    matrix = positive + extra + extra.T
    roots = np.sqrt(np.diag(matrix))
    return matrix / np.outer(roots, roots)


def pyramid(blocks: Blocks, size: int, joint: Joint = "stride") -> dict[str, Any]:
    """Blocks of (channels, layers) with 3×3 filters; sizes halve between them by strides, or by NMS windows of 2×2."""
    layers: dict[str, Any] = {}
    for number, (channels, depth) in enumerate(blocks):
        for place in range(depth):
            keys: dict[str, Any] = {"channels": channels, "filter": 3, "bias": False}
            if joint == "stride" and number and place == 0:
                keys["stride"] = 2
            if joint == "nms" and place == depth - 1 and number < len(blocks) - 1:
                keys["nms"] = 2
            layers[f"h{len(layers) + 1}"] = keys
    return {"lvmc": 1, "name": "pyramid", "inputs": {"image": {"channels": 3, "size": [size, size]}}, "layers": layers}


def form(spec: Mapping[str, Any], nonnegative: bool = False, seed: int = 0) -> Form:
    """A spec's form with He weights, or with their absolute values."""
    found = net_of(lvmc.compile(dict(spec), seed=seed)).form
    return found.part("absolute") if nonnegative else found


def tamed(net: Form) -> Form:
    """A net scaled to 0.95 of what dominance at every size certifies."""
    return net.scaled(0.95 / (1 - dominance(net, "positive", torus=True).lower))


def dense_cases(size: int, limit: float) -> Iterator[Finding]:
    """1 % on either side of a boundary known by construction."""
    edge = boundary(size, seed=size)
    for shift, strict in ((0.01, True), (-0.01, False)):
        verdict = lvmc.copositivity(edge + shift * np.eye(size), time_limit=limit)
        wrong = verdict.strict is not None and verdict.strict != strict
        assert not wrong, f"n = {size}, {shift:+}: {verdict}"
        said = "strict" if verdict.strict else "not copositive" if verdict.copositive is False else "undecided"
        decided = verdict.strict is not None
        name = f"dense n = {size}, {shift:+.0%} from the boundary"
        yield Finding(name, "verdict", verdict.seconds if decided else float("inf"), "s", limit, said)


def net_case(name: str, net: Form, limit: float, goal: float) -> Iterator[Finding]:
    """Seconds to certificate or verified ray."""
    decision = decide(net, Budget(limit))
    yield Finding(name, f"verdict: {_said(decision)}", decision.verdict.seconds, "s", goal)


def band_case(name: str, net: Form, limit: float, goal: float) -> Iterator[Finding]:
    """How far what is refuted is from what is certified: every stage runs, whether or not it is decided already."""
    start = perf_counter()
    found = search(net, Budget(limit))
    proved = bound_below(net, Budget(limit))
    bottom, top = 1 - found.upper, 1 - lower_of(proved)
    best = max(proved, key=_lower)
    note = f"max zᵀCz/zᵀDz in [{bottom:.4f}, {top:.4f}], by {best.stage}"
    yield Finding(name, "undecided band", top / bottom, "×", goal, note)
    yield Finding(name, "all stages", perf_counter() - start, "s", None)


def near_threshold(name: str, spec: Mapping[str, Any], limit: float) -> Iterator[Finding]:
    """Nonnegative couplings 1 % below and above their threshold, which dominance at this size knows from both sides."""
    net = form(spec, nonnegative=True)
    known = dominance(net, "positive", torus=False)
    assert known.upper - known.lower < 1e-6, "the Perron value is not known well enough"
    for factor, strict in ((0.99, True), (1.01, False)):
        decision = decide(net.scaled(factor / (1 - known.lower)), Budget(limit))
        right = decision.verdict.strict is strict
        yield Finding(name, f"{factor:.2f} of the threshold", decision.verdict.seconds if right else float("inf"), "s",
                      limit, _said(decision))  # fmt: skip


def lanczos_case(name: str, net: Form, goal: float) -> Iterator[Finding]:
    """60 Lanczos steps."""
    start = perf_counter()
    bound = lanczos(net, Budget(1000.0), steps=60)
    note = f"λ_min in [{bound.lower:.3f}, {bound.upper:.3f}]"
    yield Finding(name, "60 Lanczos steps", perf_counter() - start, "s", goal, note)


BIG: Blocks = ((64, 2), (128, 2), (256, 2), (512, 2))
VGG16: Blocks = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
SMALL: Blocks = ((8, 2), (16, 2))

CASES: Mapping[str, Callable[[], Iterator[Finding]]] = {
    "dense_400": partial(dense_cases, 400, 10.0),
    "dense_1000": partial(dense_cases, 1000, 60.0),
    "vgg_like": lambda: net_case("3.0 M units, He", form(pyramid(BIG, 112)), 60.0, 10.0),
    "vgg_like_nms": lambda: net_case("3.0 M units, NMS", form(pyramid(BIG, 112, "nms")), 60.0, 10.0),
    "vgg16": lambda: net_case("13.5 M units, He", form(pyramid(VGG16, 224)), 120.0, 40.0),
    "vgg_like_tamed": lambda: net_case("3.0 M units, tamed", tamed(form(pyramid(BIG, 112))), 60.0, 10.0),
    "vgg16_tamed": lambda: net_case("13.5 M units, tamed", tamed(form(pyramid(VGG16, 224))), 120.0, 40.0),
    "lanczos": lambda: lanczos_case("3.0 M units", form(pyramid(BIG, 112)), 20.0),
    "lanczos_vgg16": lambda: lanczos_case("13.5 M units", form(pyramid(VGG16, 224)), 120.0),
    "nonnegative": lambda: near_threshold("nonnegative couplings", pyramid(((8, 2), (16, 2)), 32), 20.0),
    "small_signed": lambda: band_case("signed, 8 channels, 8²", form(pyramid(((8, 4),), 8)), 60.0, 1.10),
    "small_signed_16": lambda: band_case("signed, 8 and 16 channels, 16²", form(pyramid(SMALL, 16)), 60.0, 1.10),
    "small_signed_nms": lambda: band_case("the same with NMS", form(pyramid(SMALL, 16, "nms")), 60.0, 1.15),
    "wide": lambda: band_case("wide random signs, 3.0 M units", form(pyramid(BIG, 112)), 120.0, 1.45),
}
QUICK = ("dense_400", "nonnegative", "small_signed")


def main() -> None:
    """Print a table; write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small cases only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything to FILE")
    parser.add_argument("--only", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}")
    asked = parser.parse_args()
    print(environment_line())
    found: list[Finding] = []
    for name in asked.only or (QUICK if asked.quick else CASES):
        for each in CASES[name]():
            found.append(each)
            print(_line(each), flush=True)
    wanted = [each for each in found if each.goal is not None]
    print(f"\n{sum(each.met for each in wanted)} of {len(wanted)} targets met")
    if asked.json:
        write_json(asked.json, found)


def _said(decision: Decision) -> str:
    verdict = decision.verdict
    return "strict" if verdict.strict else "refuted" if verdict.copositive is False else "undecided"


def _lower(bound: Bound) -> float:
    return bound.lower


def _line(each: Finding) -> str:
    wanted = "" if each.goal is None else f"wanted ≤ {each.goal:g} {'met' if each.met else 'MISSED'}"
    return f"{each.case:<50}{each.what:<28}{each.value:>9.3f} {each.unit:<3}{wanted:<22}{each.note}"


def write_json(path: Path, found: Sequence[Finding]) -> None:
    """Everything, with the environment."""
    document = {"environment": environment(), "findings": [asdict(each) | {"met": each.met} for each in found]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
