"""Running to convergence: against torchdeq's solvers, at equal residual, and against solvers of least squares."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn

from agreement import UnequalError
from harness import Goal, Pace, Ratio, Row, Section, Spread, interleave, ratio, rounds_of, timed_rows
from memory import MIB, peak_bytes
from nets import SpecDict
from rivals.fixed_point import SOLVERS, Chain, Map, solve
from rivals.least_squares import Array, scipy_nnls, sklearn_lasso
from subjects import emitted, image_of

RESIDUAL = 1e-6
COUPLING = 0.9
"""Norm of the couplings between layers, below the diagonal 1: −W is positive definite and every solver converges."""

CHANNELS = (16, 32, 32, 64)
MOST_PASSES = 200
MISSING = "not installed: pip install -e '.[bench]'"
LVMC = "lvmc"


def chain_spec(inference: dict[str, object], size: int = 32) -> SpecDict:
    """A chain of four rectified layers without heads."""
    layers = {f"h{number}": {"channels": channels, "filter": 3} for number, channels in enumerate(CHANNELS, 1)}
    image = {"channels": 3, "size": [size, size]}
    return {"lvmc": 1, "name": "chain", "inputs": {"image": image}, "layers": layers, "inference": inference}


def contracting(size: int = 32) -> tuple[dict[str, Tensor], Chain]:
    """Weights of the chain whose couplings have norm COUPLING, as a state dict and for the rivals."""
    state = dict(emitted(chain_spec({"passes": 1}, size)).state_dict())
    names = [f"h{number}" for number in range(1, len(CHANNELS) + 1)]
    for name in names:
        state[f"{name}.bias"] = torch.full_like(state[f"{name}.bias"], 0.02)
    weights = [state[f"{name}.weight"].contiguous() for name in names]
    biases = tuple(state[f"{name}.bias"] for name in names)
    norm = Chain(tuple(weights), biases, (size, size)).coupling_norm()
    for name in names[1:]:
        state[f"{name}.weight"] = state[f"{name}.weight"] * (COUPLING / norm)
    return state, Chain(tuple(state[f"{name}.weight"].contiguous() for name in names), biases, (size, size))


def residual(chain: Chain, image: Tensor, state: Tensor) -> float:
    """Largest |z − update(z)| over all units, in float64: how far the KKT conditions are from holding."""
    exact = Chain(tuple(w.double() for w in chain.weights), tuple(b.double() for b in chain.biases), chain.size)
    state = state.double()
    return float((exact.jacobi(exact.bottom(image.double()))(state) - state).abs().max())


@torch.inference_mode()
def fixed_points(pace: Pace) -> Section:
    """Time to residual 1e-6 of lvmc and of every solver of torchdeq, from the pixels and from zero."""
    weights, chain = contracting()
    image = image_of(chain_spec({"passes": 1}), 1)
    model = emitted(chain_spec({"until": {"residual": RESIDUAL, "max_passes": MOST_PASSES}}), weights)
    subjects: dict[str, Callable[[], object]] = {LVMC: partial(model, image)}
    wanted = chain.join(list(model(image).values()))
    notes = [f"{LVMC}: residual {residual(chain, image, wanted):.1e}"]
    maps: dict[str, Callable[[Tensor], Map]] = {"sweep": chain.sweep, "Jacobi": chain.jacobi}
    absent: list[Row] = []
    for solver in SOLVERS:
        for title, map_ in maps.items():
            name = f"torchdeq {solver}, {title}"
            if find_spec("torchdeq") is None:
                absent.append(Row(name, None, "ms", MISSING))
                continue
            run = _tuned(chain, image, map_, solver)
            if run is None:
                absent.append(Row(name, None, "ms", f"does not reach a residual of {RESIDUAL:.0e}"))
                continue
            _require_same(wanted, run(), name)
            notes.append(f"{name}: residual {residual(chain, image, run()):.1e}")
            subjects[name] = run
    samples = interleave(subjects, pace.seconds(15))
    rivals = [name for name in subjects if name != LVMC]
    goal = Goal("≥", 2.0)
    ratios = [Ratio("best of torchdeq / lvmc", None, goal, MISSING)]
    if rivals:
        best = min(rivals, key=lambda name: float(np.median(samples[name])))
        ratios = [ratio(samples, best, LVMC, goal, f"best of torchdeq ({best.removeprefix('torchdeq ')}) / lvmc")]
        ratios += [ratio(samples, name, LVMC) for name in rivals if name != best]
    title = f"four layers at 32², couplings of norm {COUPLING}, to a residual of {RESIDUAL:.0e}"
    return Section(
        "fixed-point", title, (*timed_rows(samples), *absent), tuple(ratios), tuple(notes), rounds_of(samples)
    )


def _tuned(chain: Chain, image: Tensor, map_: Callable[[Tensor], Map], solver: str) -> Callable[[], Tensor] | None:
    """A solver with the loosest tolerance that reaches the residual."""

    def run(tolerance: float) -> Tensor:
        return solve(map_(chain.bottom(image)), chain.start(image.shape[0]), solver, tolerance)

    for halvings in range(16):
        tolerance = 1e-2 * 0.5**halvings
        if residual(chain, image, run(tolerance)) <= RESIDUAL:
            return partial(run, tolerance)
    return None


def _require_same(wanted: Tensor, found: Tensor, who: str) -> None:
    apart = float((found - wanted).norm() / wanted.norm())
    if not apart <= 1e-4:
        raise UnequalError(f"{who}: its fixed point differs by {apart:.1e}")


def implicit(pace: Pace) -> Section:
    """Memory of a gradient by `gradient: implicit`, which should not grow with the passes."""
    name, title, goal = "implicit", "peak memory of a gradient, passes 100 against 2", Goal("≤", 1.2)
    specs = {passes: chain_spec({"passes": passes, "gradient": "implicit"}) for passes in (2, 100)}
    weights, _ = contracting()
    image = image_of(specs[2], 4)
    peaks: dict[int, float] = {}
    for passes, spec in specs.items():
        model = emitted(spec)
        model.load_state_dict(weights)
        model.requires_grad_(True)
        peaks[passes] = peak_bytes(partial(_gradient, model, image)) / MIB
    rows = tuple(Row(f"k = {passes}, peak", Spread(peak, peak, peak), "MiB") for passes, peak in peaks.items())
    value = peaks[100] / peaks[2]
    return Section(name, title, rows, (Ratio("k = 100 / k = 2", Spread(value, value, value), goal),))


def _gradient(model: nn.Module, image: Tensor) -> None:
    torch.stack([(each**2).sum() for each in model(image).values()]).sum().backward()
    model.zero_grad()


BLOCKS = 20
"""Unknowns are split into so many layers. One layer would take steps of 1/(d + σ) with σ the sum of all couplings of an
unknown; in blocks σ is that of the own block only, and the others are met exactly, one block after the other: with
2,000 random unknowns 70 passes instead of 930 reach the same objective."""

NNLS_RESIDUAL = 5e-5
"""For unknowns about 1 in size, this leaves the objective within 1e-6 of the least."""


def nnls_spec(unknowns: int) -> SpecDict:
    """½ xᵀ(−AᵀA) x + (Aᵀy)ᵀx over x ≥ 0: blocks of unknowns, each coupled to all before it."""
    size = unknowns // BLOCKS
    layers: dict[str, dict[str, object]] = {}
    for number in range(BLOCKS):
        below = list(layers)
        source = {"from": {name: {} for name in below}, "filter": 1} if below else {"from": "none", "size": [1, 1]}
        layers[f"x{number}"] = {"channels": size, "diagonal": "learned", "lateral": {"filter": 1}, **source}
    inference = {"until": {"residual": NNLS_RESIDUAL, "max_passes": 1000}}
    return {"lvmc": 1, "name": "nnls_blocks", "layers": layers, "inference": inference}


class BlockDescent:
    """Solves a dense problem with a compiled spec: Gram matrix into the couplings, then passes until nothing moves."""

    def __init__(self, unknowns: int) -> None:
        start = perf_counter()
        self.model = emitted(nnls_spec(unknowns))
        self.compiling = perf_counter() - start

    @torch.inference_mode()
    def __call__(self, a: Array, y: Array) -> Array:
        """x, to a residual of NNLS_RESIDUAL."""
        self._load(torch.from_numpy(a.T @ a).float(), torch.from_numpy(a.T @ y).float())
        z = self.model.latents()
        return torch.cat([part.flatten() for part in z.values()]).double().numpy()

    def _load(self, gram: Tensor, linear: Tensor) -> None:
        state: dict[str, Tensor] = {}
        size = len(linear) // BLOCKS
        blocks = [slice(number * size, (number + 1) * size) for number in range(BLOCKS)]
        for upper, rows in enumerate(blocks):
            own = gram[rows, rows]
            state[f"x{upper}.bias"] = linear[rows]
            state[f"x{upper}.diagonal"] = own.diagonal()
            state[f"x{upper}.lateral"] = (own.diagonal().diag() - own)[:, :, None, None]
            for lower in range(upper):
                key = "x1.weight" if upper == 1 else f"x{upper}.x{lower}.weight"
                state[key] = -gram[rows, blocks[lower]][:, :, None, None]
        self.model.load_state_dict(state)


def least_squares(pace: Pace) -> Section:
    """Dense non-negative least squares: 2,000 unknowns, 4,000 equations."""
    unknowns = 400 if pace.quick else 2000
    random = np.random.default_rng(0)
    a = random.normal(size=(2 * unknowns, unknowns)) / np.sqrt(2 * unknowns)
    y = a @ random.normal(size=unknowns).clip(0) + 0.1 * random.normal(size=2 * unknowns)
    descent = BlockDescent(unknowns)
    solvers: dict[str, Callable[[Array, Array], Array]] = {LVMC: descent, "scipy.optimize.nnls": scipy_nnls}
    absent: list[Row] = []
    if find_spec("sklearn"):
        solvers["sklearn Lasso(positive=True)"] = sklearn_lasso
    else:
        absent.append(Row("sklearn Lasso(positive=True)", None, "ms", MISSING))
    notes = _objectives(solvers, a, y)
    samples = interleave({name: partial(solver, a, y) for name, solver in solvers.items()}, pace.seconds(10))
    ratios = [ratio(samples, LVMC, "scipy.optimize.nnls", None if pace.quick else Goal("≤", 1.0))]
    if not absent:
        ratios.append(ratio(samples, LVMC, "sklearn Lasso(positive=True)"))
    notes.append(f"{LVMC}: {BLOCKS} blocks; compiling, once, took {descent.compiling:.1f} s")
    title = f"dense, {unknowns} unknowns, {2 * unknowns} equations, Gram matrix included"
    return Section("nnls", title, (*timed_rows(samples), *absent), tuple(ratios), tuple(notes), rounds_of(samples))


def _objectives(solvers: dict[str, Callable[[Array, Array], Array]], a: Array, y: Array) -> list[str]:
    """How far each solution's objective lies above the least; more than 1e-6 of it is an error."""
    values = {name: 0.5 * float(np.sum((y - a @ solver(a, y)) ** 2)) for name, solver in solvers.items()}
    least = min(values.values())
    above = {name: value / least - 1 for name, value in values.items()}
    for name, each in above.items():
        if not each <= 1e-6:
            raise UnequalError(f"{name}: its objective is {each:.1e} above the least")
    return [f"{name}: objective {each:.1e} above the least" for name, each in above.items()]


CASES: dict[str, Callable[[Pace], Section]] = {
    "fixed-point": fixed_points,
    "implicit": implicit,
    "nnls": least_squares,
}
QUICK = tuple(CASES)
