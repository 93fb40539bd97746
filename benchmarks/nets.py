"""The specs that are measured, derived from the zoo's."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from lvmc import specs

SpecDict = dict[str, Any]


def zoo(name: str) -> SpecDict:
    """A zoo model as a dict."""
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(specs.path(name).read_text(encoding="utf-8"))


def vgg(size: int, passes: int = 2) -> SpecDict:
    """The convolutional part of qp2_vgg16 at size × size, with heads on four scales."""
    spec = zoo("qp2_vgg16")
    spec["name"] = f"vgg{size}"
    spec["inputs"]["image"]["size"] = [size, size]
    del spec["layers"]["fc6"], spec["layers"]["fc7"]
    del spec["layers"]["conv5_3"]["nms"]
    spec["inference"] = {"passes": passes}
    reads = {"conv5_3": 1, "conv4_3": 1, "conv3_3": 1, "conv2_2": 1}
    spec["heads"] = {"keypoints": {"kind": "heatmap", "channels": 16, "reads": reads, "loss": "logistic"}}
    return spec


def small_vgg(passes: int = 2) -> SpecDict:
    """Its shape in little, for tests: an eighth of the channels, 32 × 32."""
    spec = vgg(32, passes)
    for layer in spec["layers"].values():
        layer["channels"] //= 8
    return spec


def one_head(spec: SpecDict, head: str) -> SpecDict:
    """A spec with one of its heads."""
    kept = deepcopy(spec)
    kept["heads"] = {head: kept["heads"][head]}
    return kept


def with_passes(spec: SpecDict, passes: int) -> SpecDict:
    """A spec at another k."""
    changed = deepcopy(spec)
    changed["inference"] = {**changed.get("inference", {}), "passes": passes}
    return changed
