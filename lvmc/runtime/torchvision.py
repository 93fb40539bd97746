"""Weights in torchvision's VGG layout, as the state of a VGG spec."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from lvmc.graph import EnergyGraph

if TYPE_CHECKING:
    from torch import Tensor

_EPS = 1e-5
"""What torchvision's batch norms add to variances."""

_NORM = ("weight", "bias", "running_mean", "running_var")
_ENTRY = re.compile(r"(features|classifier)\.(\d+)\.(\w+)")


@dataclass(frozen=True)
class Mapped:
    """A state for a spec's module, which names came from where, and what was left over on either side.

    `folded` names layers whose filter and bias took up a batch norm.
    """

    state: dict[str, Tensor]
    names: dict[str, str]
    unused: tuple[str, ...]
    missing: tuple[str, ...]
    folded: tuple[str, ...] = ()


def from_torchvision(graph: EnergyGraph, weights: Mapping[str, Tensor]) -> Mapped:
    """Map a torchvision VGG state dict (with or without batch norm) onto a spec with one coupling a layer.

    Convolutions and linear layers go, in their order, to the layers from bottom to top; a linear layer
    takes the shape of its filter (fc6: (4096, 25088) to (4096, 512, 7, 7), channels before rows and
    columns in both). Batch norms go to the `norm: drive` of the layer they follow, where one with a negative
    scale γ is met by negating its filter, its bias and its mean; in layers without one they are folded into filter
    and bias, as they act in evaluation.

    Args:
        graph: A spec whose layers follow the network's.
        weights: `features.<n>.weight|bias|running_mean|running_var` and `classifier.<n>.weight|bias`.

    Returns:
        The mapped state; `unused` names the classifier's last layer, and `missing` what the spec has
        besides (heads).

    Raises:
        ValueError: The weights are in another layout, or a layer's shape is not that of its weights.
    """
    stages = _stages(weights)
    if not stages:
        held = ", ".join(list(weights)[:3]) or "nothing"
        raise ValueError(f"torchvision's VGG has features.<n>.weight and classifier.<n>.weight, not {held}")
    state, names, folded = _taken(graph, stages, weights)
    wanted = {variable.name: variable.type.shape for variable in graph.parameters}
    state = {name: _shaped(name, value, wanted) for name, value in state.items()}
    used = set(names.values()) | {source for norm in folded.values() for source in norm}
    unused = tuple(name for name in weights if name not in used and not name.endswith("num_batches_tracked"))
    return Mapped(state, names, unused, tuple(name for name in wanted if name not in state), tuple(folded))


def _taken(
    graph: EnergyGraph, stages: list[dict[str, str]], weights: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, str], dict[str, list[str]]]:
    """The state, the names it comes from, and the names of norms that were folded, by layer."""
    state: dict[str, Tensor] = {}
    names: dict[str, str] = {}
    folded: dict[str, list[str]] = {}
    for layer, stage in zip(graph.layers, stages, strict=False):
        has_norm = layer.norm is not None and layer.norm.kind == "drive"
        norm = {leaf: source for leaf, source in stage.items() if leaf.startswith("norm.") and not has_norm}
        for leaf, source in stage.items():
            if leaf not in norm:
                name = f"{layer.name}.{leaf}"
                names[name], state[name] = source, weights[source]
        if norm:
            folded[layer.name] = list(norm.values())
            _fold_norm(layer.name, {leaf: weights[source] for leaf, source in norm.items()}, state)
        _turn_negative_scales(layer.name, state)
    return state, names, folded


def _stages(weights: Mapping[str, Tensor]) -> list[dict[str, str]]:
    """For each convolution or linear layer, in order: its leaves and those of the norm after it."""
    found: dict[tuple[str, int], dict[str, str]] = {}
    for name in weights:
        entry = _ENTRY.fullmatch(name)
        if entry is not None:
            found.setdefault((entry[1], int(entry[2])), {})[entry[3]] = name
    stages: list[dict[str, str]] = []
    for _, leaves in sorted(found.items(), key=lambda item: (item[0][0] == "classifier", item[0][1])):
        if "weight" not in leaves:
            raise ValueError(f"'{next(iter(leaves.values()))}' comes without its weight")
        if weights[leaves["weight"]].dim() > 1:
            stages.append(leaves)
        elif not stages:
            raise ValueError(f"'{leaves['weight']}' is a batch norm before any convolution")
        else:
            absent = [leaf for leaf in _NORM if leaf not in leaves]
            if absent:
                raise ValueError(f"the batch norm of '{leaves['weight']}' comes without its {absent[0]}")
            stages[-1] |= {f"norm.{leaf}": leaves[leaf] for leaf in _NORM}
    return stages


def _fold_norm(layer: str, norm: Mapping[str, Tensor], state: dict[str, Tensor]) -> None:
    """γ (w ⋆ x + b − μ)/s + β = (γw/s) ⋆ x + γ (b − μ)/s + β."""
    factor = norm["norm.weight"] * (norm["norm.running_var"] + _EPS).rsqrt()
    weight = state[f"{layer}.weight"]
    bias = state.get(f"{layer}.bias", 0.0) - norm["norm.running_mean"]
    state[f"{layer}.weight"] = weight * factor.reshape(-1, *(1 for _ in weight.shape[1:]))
    state[f"{layer}.bias"] = factor * bias + norm["norm.bias"]


def _turn_negative_scales(layer: str, state: dict[str, Tensor]) -> None:
    """γ (a − μ)/s = |γ| (−a + μ)/s where γ < 0: negate the channel's filter, bias and mean."""
    scale = state.get(f"{layer}.norm.weight")
    if scale is None or bool((scale > 0).all()):
        return
    sign = scale.sign()
    for leaf in ("weight", "bias", "norm.running_mean"):
        value = state.get(f"{layer}.{leaf}")
        if value is not None:
            state[f"{layer}.{leaf}"] = value * sign.reshape(-1, *(1 for _ in value.shape[1:]))
    state[f"{layer}.norm.weight"] = scale.abs()


def _shaped(name: str, value: Tensor, wanted: Mapping[str, tuple[int, ...]]) -> Tensor:
    if name not in wanted:
        raise ValueError(f"the spec has no '{name}', which the weights give; write bias: true or norm: drive to match")
    shape = wanted[name]
    if value.numel() != prod(shape) or tuple(value.shape[:1]) != tuple(shape[:1]):
        raise ValueError(f"'{name}' is {tuple(shape)} in the spec, but {tuple(value.shape)} in the weights")
    return value.reshape(shape)
