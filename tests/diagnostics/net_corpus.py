"""Small nets whose answers are known by theorem; thresholds are worked out by hand in each family's docstring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import cos, pi, sqrt
from typing import Any

import numpy as np
import torch

import lvmc
from lvmc.verdicts import Answer

Taps = Any
ABOVE, BELOW = 1.005, 0.995
"""Half a percent past a threshold, and half a percent short of it."""


@dataclass(frozen=True)
class Known:
    """A net with its answers; None where theory says nothing. `weights` by state name, the others at their start."""

    name: str
    spec: Mapping[str, Any]
    weights: Mapping[str, Taps]
    strict: Answer
    copositive: Answer
    psd: Answer
    bounded: Answer
    source: str
    facts: Mapping[str, float] = field(default_factory=dict[str, float])

    def model(self) -> torch.nn.Module:
        """The compiled net with these weights."""
        model = lvmc.compile(dict(self.spec))
        state = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
        for name, value in model.state_dict().items():
            if name.endswith(("diagonal", "running_var", "norm.weight")):
                state[name] = torch.ones_like(value)
        for name, value in self.weights.items():
            state[name] = torch.as_tensor(np.asarray(value), dtype=torch.float32).reshape(state[name].shape)
        model.load_state_dict(state)
        return model


def spec(name: str, size: tuple[int, int], **layers: Mapping[str, Any]) -> dict[str, Any]:
    """A spec whose lowest layer lies on a one-channel image by a 1×1 filter, which is no part of the form."""
    first, *rest = layers
    blocks: dict[str, Any] = {first: {"filter": 1, "padding_mode": "zeros", **layers[first]}}
    blocks |= {each: dict(layers[each]) for each in rest}
    return {"lvmc": 1, "name": name, "inputs": {"image": {"channels": 1, "size": list(size)}}, "layers": blocks}


def verdict(strict: bool, psd: Answer = None) -> dict[str, Answer]:
    """Off the boundary copositive, strict and bounded are one."""
    return {"strict": strict, "copositive": strict, "bounded": strict, "psd": psd if strict else False}


def chains() -> Iterator[Known]:
    """L one-channel layers, stride 1, a nonnegative kernel of sum K, circular: ρ(C) = 2 K cos(π/(L + 1)).

    The path of L layers has that spectral radius; the constant vector attains K at every position. C ≥ 0, so PSD,
    strict and bounded are one.
    """
    for layers, kernel in ((2, (3, 3)), (3, (3, 3)), (4, (1, 3)), (5, (3, 1))):
        shape = np.arange(1.0, kernel[0] * kernel[1] + 1)
        shape /= shape.sum() * 2 * cos(pi / (layers + 1))
        for scale in (ABOVE, BELOW):
            keys = {"channels": 1, "filter": list(kernel), "padding_mode": "circular"}
            names = {f"h{i}": (keys if i > 1 else {"channels": 1}) for i in range(1, layers + 1)}
            weights = {f"h{i}.weight": scale * shape for i in range(2, layers + 1)}
            net = spec(f"chain{layers}", (6, 6), **names)
            yield Known(
                f"chain of {layers}, {scale}", net, weights, **verdict(scale < 1, True), source="T2; path spectrum"
            )


def strides() -> Iterator[Known]:
    """One channel, stride 2, circular: CᵀC is a multiple of the identity per phase, so ρ(C) = √Σ_phases k_phase².

    Each phase of a 2×2-strided 3×3 kernel sums its own taps; the channel formula K/s is smaller, so it would pass.
    """
    kernel = np.array([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]])
    phases = [kernel[r::2, c::2].sum() for r in (0, 1) for c in (0, 1)]
    uneven = np.array([[0.0, 0.0, 0.0], [0.0, 3.0, 1.0], [0.0, 1.0, 0.0]])
    uneven_phases = [uneven[r::2, c::2].sum() for r in (0, 1) for c in (0, 1)]
    for label, taps, each in (("smooth", kernel, phases), ("uneven", uneven, uneven_phases)):
        rho = sqrt(sum(value**2 for value in each))
        for scale in (ABOVE, BELOW):
            keys = {"channels": 1, "filter": 3, "stride": 2, "padding_mode": "circular"}
            net = spec("strided", (8, 8), h1={"channels": 1}, h2=keys)
            yield Known(
                f"{label} stride, {scale}", net, {"h2.weight": scale * taps / rho}, **verdict(scale < 1, True),
                source="T3: polyphase", facts={"channel_formula": scale * taps.sum() / 2 / rho},
            )  # fmt: skip


def windows() -> Iterator[Known]:
    """A 1×1 filter w reads 2×2 windows: ‖C‖ = 2 w on the orthant; with NMS one unit a window is on: w. NMS flips it."""
    for weight in (0.75, 0.55, 0.995, 1.005, 0.45):
        for grouped in (True, False):
            lower = {"channels": 1, "nms": 2} if grouped else {"channels": 1}
            net = spec("windows", (4, 4), h1=lower, h2={"channels": 1, "filter": 1, "replicate": 2})
            strict = weight < (1.0 if grouped else 0.5)
            answers = verdict(strict, weight < 0.5)
            yield Known(
                f"window {weight}{' nms' if grouped else ''}", net, {"h2.weight": weight}, **answers, source="T5"
            )


def channel_groups() -> Iterator[Known]:
    """p channels in one group under one unit with filter w: √p w on the orthant, w on the cone."""
    for weight in (0.6, 0.9, 1.01):
        for grouped in (True, False):
            lower: dict[str, Any] = {"channels": 4}
            if grouped:
                lower["nms"] = {"channels": 4}
            net = spec("channel_groups", (2, 2), h1=lower, h2={"channels": 1, "filter": 1, "replicate": 1})
            strict = weight < (1.0 if grouped else 0.5)
            yield Known(
                f"channel group {weight}{' nms' if grouped else ''}", net, {"h2.weight": [weight] * 4},
                **verdict(strict, weight < 0.5), source="T5",
            )  # fmt: skip


def differences() -> Iterator[Known]:
    """Kernel [a, −a]: channel sums are 0, yet units avoid the negative tap: threshold a = 1, as C₊ pairs them off."""
    for weight in (0.45, 0.9, 0.995, 1.005, 1.5):
        keys = {"channels": 1, "filter": [1, 2], "padding": 0}
        net = spec("difference", (1, 9), h1={"channels": 1}, h2=keys)
        limit = 2 * cos(pi / 18)  # singular value of the 8 × 9 difference matrix: the path of 17 alternating units
        yield Known(
            f"difference {weight}", net, {"h2.weight": [weight, -weight]}, **verdict(weight < 1, weight * limit < 1),
            source="T1 with v = 1; disjoint pairs refute",
        )  # fmt: skip


def hadamard() -> Iterator[Known]:
    """Filters c [[1, 1], [1, −1]]: ‖C‖ = √2 c, attained in the cone; ρ(C₊) = 1.618 c: between them only PSD proves."""
    for weight in (0.6, 0.65, BELOW / sqrt(2), ABOVE / sqrt(2), 0.9):
        net = spec("hadamard", (3, 3), h1={"channels": 2}, h2={"channels": 2, "filter": 1})
        taps = weight * np.array([[1.0, 1.0], [1.0, -1.0]])
        strict = weight < 1 / sqrt(2)
        yield Known(f"hadamard {weight:.3f}", net, {"h2.weight": taps}, **verdict(strict, strict), source="by hand")


def horn() -> Iterator[Known]:
    """A lateral ring of five with C = 1 beside and −1 two away: A is Horn's matrix + (d − 1) I."""
    for diagonal in (1.0, 1.01, 0.99):
        lateral = np.array([-1.0, 1.0, 0.0, 1.0, -1.0])
        layer = {
            "channels": 1, "diagonal": diagonal, "lateral": {"filter": [1, 5]}, "padding_mode": "circular",
        }  # fmt: skip
        net = spec("horn", (1, 5), h1=layer)
        # at the boundary the image drives the ring along zero vectors
        yield Known(
            f"Horn ring {diagonal}", net, {"h1.lateral": lateral, "h1.weight": 1.0}, diagonal > 1.0, diagonal >= 1.0,
            False, diagonal > 1.0, "Hall and Newman 1963",
        )  # fmt: skip


def laterals() -> Iterator[Known]:
    """A lateral filter of sum s, spread evenly, circular: ρ(C) = s if s ≥ 0; an inhibitory one is always strict.

    The symbol s/8 (sum of eight waves) is at least −|s|/2 … |s|: PSD holds for s > −1 at the latest, not for s = −3.
    """
    for total in (BELOW, ABOVE, -3.0, -0.4):
        layer = {"channels": 1, "lateral": {"filter": 3}, "padding_mode": "circular"}
        taps = np.full((3, 3), total / 8)
        taps[1, 1] = 0.0
        answers = verdict(total < 1, True) if total > 0 else verdict(True, total > -1.0)
        yield Known(f"lateral {total}", spec("beside", (6, 6), h1=layer), {"h1.lateral": taps}, **answers, source="T1")


def inhibition() -> Iterator[Known]:
    """No positive coupling: zᵀAz ≥ zᵀDz on the cone, however strong the inhibition."""
    for weight in (-0.3, -1.0, -50.0):
        net = spec("inhibition", (4, 4), h1={"channels": 2}, h2={"channels": 2, "filter": 3})
        yield Known(
            f"inhibition {weight}", net, {"h2.weight": np.full((2, 2, 3, 3), weight)},
            **verdict(True, False), source="C₊ = 0",
        )  # fmt: skip


def bounds() -> Iterator[Known]:
    """Three layers with strong couplings: an upper bound on the middle one leaves two that no longer meet."""
    keys = {"channels": 1, "filter": 1}
    for bounded in ((), ("h2",), ("h1",), ("h1", "h3"), ("h1", "h2", "h3")):
        layers = {name: {**keys, **({"upper": 1.0} if name in bounded else {})} for name in ("h1", "h2", "h3")}
        free = {"h1", "h2", "h3"} - set(bounded)
        meets = {"h1", "h2"} <= free or {"h2", "h3"} <= free
        weights = {"h2.weight": 1.5, "h3.weight": 1.5}
        yield Known(
            f"bounded {'+'.join(bounded) or 'nothing'}", spec("bounds", (2, 2), **layers), weights,
            False, False, False, not meets, "recession cone",
        )  # fmt: skip


def signed() -> Iterator[Known]:
    """Gaussian layers: z is any real, so copositive is PSD there: |w| < 1 for a 1×1 filter, whatever its sign."""
    for weight in (0.9, -0.9, 1.1, -1.1):
        layers = {"h1": {"channels": 1, "unit": "gaussian"}, "h2": {"channels": 1, "filter": 1, "unit": "gaussian"}}
        strict = abs(weight) < 1
        yield Known(
            f"gaussian {weight}", spec("gaussian", (2, 2), **layers), {"h2.weight": weight},
            **verdict(strict, strict), source="2×2 determinant",
        )  # fmt: skip


def mean_field() -> Iterator[Known]:
    """Boltzmann layers lie in (0, 1): always bounded; entropy curves by 4, so |w| < 4 leaves one maximum."""
    for weight in (3.9, 4.1):
        layers = {"h1": {"channels": 1, "unit": "boltzmann"}, "h2": {"channels": 1, "filter": 1, "unit": "boltzmann"}}
        yield Known(
            f"boltzmann {weight}", spec("boltzmann", (2, 2), **layers), {"h2.weight": weight},
            True, True, weight < 4, True, "entropy",
        )  # fmt: skip


def diagonals() -> Iterator[Known]:
    """Scaling: couplings w between d₁ and d₂ are w/√(d₁d₂) after it."""
    for first, second, weight in ((4.0, 1.0, 1.99), (4.0, 1.0, 2.01), (0.25, 0.25, 0.2), (0.25, 0.25, 0.3)):
        layers = {
            "h1": {"channels": 1, "diagonal": first}, "h2": {"channels": 1, "filter": 1, "diagonal": second},
        }  # fmt: skip
        strict = weight < sqrt(first * second)
        yield Known(
            f"diagonals {first} {second} {weight}", spec("diagonals", (3, 2), **layers), {"h2.weight": weight},
            **verdict(strict, strict), source="2×2 determinant",
        )  # fmt: skip


CORPUS: tuple[Known, ...] = (
    *chains(), *strides(), *windows(), *channel_groups(), *differences(), *hadamard(), *horn(), *laterals(),
    *inhibition(), *bounds(), *signed(), *mean_field(), *diagonals(),
)  # fmt: skip
