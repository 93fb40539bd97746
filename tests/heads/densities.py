"""An independent float64 evaluation of density heads: one candidate at a time, from a model's state alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ..laws.dense import Array


def spec_of(head: dict[str, Any], name: str = "y", **inference: Any) -> dict[str, Any]:
    """A small net with one density head."""
    return {
        "lvmc": 1,
        "name": "net",
        "inputs": {"image": {"channels": 2, "size": [4, 4]}},
        "layers": {
            "h1": {"channels": 3, "filter": 3, "nms": 2},
            "h2": {"channels": 4, "filter": 3, "init": {"bias": {"normal": 0.5}}},
        },
        "inference": {"passes": 2, **inference},
        "heads": {name: {"kind": "density", "reads": "h2", **head}},
    }


class Energy:
    """f(x, y) of a head by explicit products, and its gradient by the chain rule.

    The features and those of the target are concatenated, as the paper has it.
    """

    def __init__(self, state: Mapping[str, Array], activation: str, name: str = "y") -> None:
        own = {key.removeprefix(f"heads.{name}."): value for key, value in state.items() if f"heads.{name}." in key}
        target = [index for index in range(1, 99) if f"target{index}.weight" in own]
        joint = [index for index in range(1, 99) if f"joint{index}.weight" in own]
        self.target = [(own[f"target{index}.weight"], own[f"target{index}.bias"]) for index in target]
        first = own["joint1.weight"]
        self.joint = [(np.concatenate((np.eye(len(first)), first), 1), np.zeros(len(first)))]
        self.joint += [(own[f"joint{index}.weight"], own[f"joint{index}.bias"]) for index in joint[1:-1]]
        self.last = own[f"joint{joint[-1]}.weight"][0]
        self.relu = activation == "relu"

    def at(self, features: Array, y: Array) -> tuple[float, Array]:
        """f and ∂f/∂y at one candidate."""
        value, slope = y, np.eye(len(y))
        for weight, bias in self.target:
            value, slope = self._active(weight @ value + bias, weight @ slope)
        value, slope = np.concatenate((features, value)), np.concatenate((np.zeros((len(features), len(y))), slope))
        for weight, bias in self.joint:
            value, slope = self._active(weight @ value + bias, weight @ slope)
        return float(self.last @ value), self.last @ slope

    def _active(self, value: Array, slope: Array) -> tuple[Array, Array]:
        if self.relu:
            return np.maximum(value, 0), (value > 0)[:, None] * slope
        return np.tanh(value), (1 - np.tanh(value) ** 2)[:, None] * slope


def refined(energy: Energy, features: Array, y: Array, steps: int, step: Array, decay: float) -> tuple[Array, float]:
    """Algorithm 1, line by line, on one candidate."""
    length = 1.0
    for _ in range(steps):
        previous, slope = energy.at(features, y)
        moved = y + length * step * slope
        new, _ = energy.at(features, moved)
        if new > previous:
            y = moved
        else:
            length *= decay
    return y, energy.at(features, y)[0]


def importance(energy: Energy, features: Array, target: Array, samples: Array, sigmas: list[Array]) -> float:
    """One sample's term of equation (4), without logarithms until the end."""
    total = 0.0
    for y in samples:
        parts = [np.prod(np.exp(-0.5 * ((y - target) / sigma) ** 2) / (np.sqrt(2 * np.pi) * sigma)) for sigma in sigmas]
        total += np.exp(energy.at(features, y)[0]) / np.mean(parts)
    return float(np.log(total / len(samples)) - energy.at(features, target)[0])


def state_of(model: torch.nn.Module) -> dict[str, Array]:
    """Its parameters in float64."""
    return {name: value.detach().double().numpy() for name, value in model.state_dict().items()}
