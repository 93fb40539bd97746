"""Filters and heads of the hand-written nets, and their coarse-to-fine readout: what all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Head:
    """Layers read, coarse to fine, and the map that a whole-plane layer is shaped to."""

    reads: tuple[str, ...]
    maps: Mapping[str, tuple[int, int]]


class Network(nn.Module):
    """A stack of convolutions, some of them pooled 2×2, with heads on several scales.

    Reads the plain stacks among the specs: one input, one coupling a layer, stride 1, `norm: drive` or none.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        (image,) = spec["inputs"].values()
        self.names = list(spec["layers"])
        self.pooled = {name for name, layer in spec["layers"].items() if "nms" in layer}
        self.convs, self.norms, self.filters = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        below = image["channels"]
        for name, layer in spec["layers"].items():
            kernel = layer["filter"]
            self.convs[name] = nn.Conv2d(below, layer["channels"], kernel, padding=layer.get("padding", kernel // 2))
            if layer.get("norm"):
                self.norms[name] = nn.BatchNorm2d(layer["channels"])
            below = layer["channels"]
        self.heads = {name: self._head(name, head, spec["layers"]) for name, head in spec["heads"].items()}

    def _head(self, name: str, head: Mapping[str, Any], layers: Mapping[str, Any]) -> Head:
        maps: dict[str, tuple[int, int]] = {}
        filters = nn.ModuleDict()
        for layer, size in head["reads"].items():
            channels, kernel = head["channels"], size
            if isinstance(size, dict):
                maps[layer] = (size["map"][0], size["map"][1])
                channels, kernel = head["channels"] * size["map"][0] * size["map"][1], 1
            filters[layer] = nn.Conv2d(layers[layer]["channels"], channels, kernel, padding=kernel // 2)
        self.filters[name] = filters
        return Head(tuple(layer for layer in reversed(self.names) if layer in head["reads"]), maps)

    def take(self, state: Mapping[str, Tensor], share: bool = True) -> None:
        """Use the values of an emitted model's state dict: its very tensors, or copies to be trained."""
        own = {self._own_name(name): value.detach().contiguous() for name, value in state.items()}
        batches = {name: value for name, value in self.state_dict().items() if name.endswith("num_batches_tracked")}
        kept = {name: value if share else value.clone() for name, value in {**own, **batches}.items()}
        self.load_state_dict(kept, assign=True)

    def _own_name(self, name: str) -> str:
        stem, _, rest = name.partition(".")
        if stem == "heads":
            return f"filters.{rest}"
        return f"norms.{stem}.{rest.removeprefix('norm.')}" if rest.startswith("norm.") else f"convs.{name}"

    def norm(self, name: str, drive: Tensor) -> Tensor:
        """Batch norm, where the layer has one."""
        return self.norms[name](drive) if name in self.norms else drive

    def up(self, name: str, below: Tensor) -> Tensor:
        """The bottom-up message to a layer."""
        return self.convs[name](below)

    def down(self, name: str, value: Tensor) -> Tensor:
        """The top-down message of a layer to the one below."""
        conv = self.convs[name]
        assert isinstance(conv, nn.Conv2d)
        return F.conv_transpose2d(value, conv.weight, padding=_whole(conv.padding))

    def lowest_read(self) -> int:
        """Index of the lowest layer that a head reads."""
        return min(self.names.index(layer) for head in self.heads.values() for layer in head.reads)

    def readout(self, image: Tensor, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Heads from the layers' values (pooled ones at pooled size): n×n filters, added while upsampling."""
        out: dict[str, Tensor] = {}
        for name, head in self.heads.items():
            total: Tensor | None = None
            filters = self.filters[name]
            assert isinstance(filters, nn.ModuleDict)
            for layer in head.reads:
                part = filters[layer](values[layer])
                if layer in head.maps:
                    part = part.reshape(part.shape[0], -1, *head.maps[layer])
                if total is not None:
                    part = part + _resize(total, part.shape[2], part.shape[3])
                total = part
            assert total is not None
            out[name] = _resize(total, image.shape[2], image.shape[3])
        return out


def _whole(padding: str | tuple[int, ...]) -> tuple[int, ...]:
    assert not isinstance(padding, str)
    return padding


def _resize(x: Tensor, height: int, width: int) -> Tensor:
    if x.shape[2:] == (height, width):
        return x
    return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=False)
