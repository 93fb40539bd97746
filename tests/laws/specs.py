"""Random specs, and random parameters and inputs for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from lvmc.graph import EnergyGraph

Array = NDArray[np.float64]


@st.composite
def specs(
    draw: st.DrawFn,
    *,
    groups: bool = True,
    lateral: bool = True,
    energy: bool | None = None,
    units: tuple[str, ...] = ("rectified", "rectified", "rectified", "gaussian", "boltzmann"),
    max_passes: int = 5,
) -> dict[str, Any]:
    """A valid spec as a dict, tiny, over the whole language.

    Args:
        draw: hypothesis.
        groups: Whether NMS groups occur.
        lateral: Whether lateral couplings occur.
        energy: Whether the spec is one energy; None for either.
        units: Kinds of units, as often as they are listed.
        max_passes: Most passes.
    """
    untied = energy is not True and draw(st.integers(0, 5)) == 0
    spec: dict[str, Any] = {
        "lvmc": 1,
        "name": "random_net",
        "description": "drawn at random",
        "layers": {},
        "heads": {},
    }
    size = draw(st.sampled_from([(4, 4), (8, 4), (4, 8), (8, 8)]))
    spec["inputs"] = {
        f"x{index}": {
            "channels": draw(st.integers(1, 2)),
            "size": list(size),
            "normalize": {"range": 255.0, "mean": [0.5], "std": [0.25]},
        }
        for index in range(draw(st.sampled_from([1, 1, 1, 2])))
    }
    for each in spec["inputs"].values():
        each["normalize"] = {"range": 255, "mean": [0.5] * each["channels"], "std": [0.25] * each["channels"]}
    if draw(st.integers(0, 2)) == 0 and not untied:
        spec["filters"] = {"common": {"size": 3, "init": {"normal": 0.1}}}
    sizes = dict.fromkeys(spec["inputs"], (size, (1, 1)))
    for index in range(draw(st.integers(1, 4))):
        _layer(draw, spec, f"h{index}", sizes, groups, lateral, energy, units)
    spec["inference"] = {"passes": draw(st.integers(1, max_passes)), "tying": "untied" if untied else "tied"}
    _heads(draw, spec, sizes)
    if not spec["heads"]:
        del spec["heads"]
    _constraint(draw, spec)
    return spec


def _constraint(draw: st.DrawFn, spec: dict[str, Any]) -> None:
    """Filters kept in a certified set, now and then, where norms and tying allow it."""
    normed = any("norm" in layer for layer in spec["layers"].values())
    if not normed and spec["inference"]["tying"] == "tied" and draw(st.booleans()):
        spec["inference"]["constraint"] = draw(st.sampled_from(["contractive", "copositive", "copositive", "none"]))


Sizes = dict[str, tuple[tuple[int, int], tuple[int, int]]]


def _layer(
    draw: st.DrawFn,
    spec: dict[str, Any],
    name: str,
    sizes: Sizes,
    groups: bool,
    lateral: bool,
    energy: bool | None,
    units: tuple[str, ...],
) -> None:
    below = list(sizes)
    layer: dict[str, Any] = {"channels": draw(st.sampled_from([1, 2, 2, 4]))}
    kind = draw(st.integers(0, 9))
    if kind == 0 and spec["layers"] == {}:
        layer |= {"from": "none", "size": list(sizes[below[0]][0])}
        size = sizes[below[0]][0]
    elif kind == 1 and len(below) > 1 and sizes[below[-1]] == sizes[below[-2]]:
        keys: dict[str, Any] = {"filter": 3, "padding_mode": draw(st.sampled_from(["zeros", "circular"]))}
        layer |= {"from": {below[-1]: keys, below[-2]: {}}, "filter": [3, 1], "padding": "same"}
        size = _pooled(sizes[below[-1]])
    elif kind == 2:
        layer |= {"filter": "full"}
        if spec["layers"]:
            layer["from"] = below[-1]
        size = (1, 1)
    else:
        size = _coupled(draw, spec, layer, sizes, below)
    if "filters" in spec and layer.get("filter") == 3 and "from" in layer and isinstance(layer["from"], str):
        _share(draw, spec, layer)
    window = _unit(draw, layer, size, groups, lateral, energy, units)
    spec["layers"][name] = layer
    sizes[name] = (size, window)


def _pooled(block: tuple[tuple[int, int], tuple[int, int]]) -> tuple[int, int]:
    (height, width), (rows, columns) = block
    return (height // rows, width // columns)


def _coupled(
    draw: st.DrawFn, spec: dict[str, Any], layer: dict[str, Any], sizes: Sizes, below: list[str]
) -> tuple[int, int]:
    """One coupling, to the block before or, for a first layer, to every input."""
    if spec["layers"]:
        layer["from"] = draw(st.sampled_from(below[-2:])) if draw(st.booleans()) else below[-1]
    lower = layer.get("from", below[0])
    pooled = _pooled(sizes[lower])
    if draw(st.integers(0, 4)) == 0:
        window = draw(st.sampled_from([1, 2]))
        if all(side % window == 0 for side in sizes[lower][0]):
            layer["replicate"] = window
            pooled = (sizes[lower][0][0] // window, sizes[lower][0][1] // window)
    layer["filter"] = draw(st.sampled_from([1, 3, 3, 3, [1, 3], 2, [3, 5]]))
    kernel = layer["filter"] if isinstance(layer["filter"], list) else [layer["filter"]] * 2
    stride = draw(st.sampled_from([1, 1, 1, 2, [2, 1], 3]))
    dilation = draw(st.sampled_from([1, 1, 1, 1, 2]))
    padding = draw(st.sampled_from(["same", "same", 0, 1, [0, 1]]))
    if padding == "same" and (kernel[0] % 2 == 0 or kernel[1] % 2 == 0):
        padding = 1
    layer |= {"stride": stride, "dilation": dilation, "padding": padding}
    if draw(st.integers(0, 3)) == 0:
        layer["padding_mode"] = "circular"
    strides, dilations = _two(stride), _two(dilation)
    pads = (
        tuple(d * (k - 1) // 2 for d, k in zip(dilations, kernel, strict=True)) if padding == "same" else _two(padding)
    )
    size = tuple(
        (p + 2 * pad - d * (k - 1) - 1) // s + 1
        for p, pad, d, k, s in zip(pooled, pads, dilations, kernel, strides, strict=True)
    )
    wraps = layer.get("padding_mode") == "circular" and any(pad > p for pad, p in zip(pads, pooled, strict=True))
    if min(size) < 1 or wraps:
        layer |= {"filter": 1, "stride": 1, "dilation": 1, "padding": 0}
        return pooled
    return (size[0], size[1])


def _share(draw: st.DrawFn, spec: dict[str, Any], layer: dict[str, Any]) -> None:
    """Use the shared filter if its channels fit."""
    channels = {
        **{k: v["channels"] for k, v in spec["inputs"].items()},
        **{k: v["channels"] for k, v in spec["layers"].items()},
    }
    shape = (layer["channels"], channels[layer["from"]])
    if spec.setdefault("_shape", shape) == shape:
        layer["filter"] = "common"


def _two(value: Any) -> tuple[int, int]:
    return (value[0], value[1]) if isinstance(value, list) else (value, value)


def _unit(
    draw: st.DrawFn,
    layer: dict[str, Any],
    size: tuple[int, int],
    groups: bool,
    lateral: bool,
    energy: bool | None,
    units: tuple[str, ...],
) -> tuple[int, int]:
    """Unit, bounds, diagonal, bias, groups, lateral and norm; the layer's nms window."""
    kind = draw(st.sampled_from(units))
    if kind != "rectified" or draw(st.booleans()):
        layer["unit"] = kind
    if kind == "rectified" and draw(st.integers(0, 3)) == 0:
        layer["upper"] = draw(st.sampled_from([0.3, 1.5]))
    if draw(st.integers(0, 3)) == 0:
        layer["bias"] = draw(st.booleans())
    if draw(st.integers(0, 3)) == 0:
        layer["init"] = draw(
            st.sampled_from(
                [
                    "he",
                    "zeros",
                    {"normal": 0.01},
                    {"weight": {"normal": 0.1}, "bias": "zeros"},
                    {"bias": {"normal": 0.1}},
                ]
            )
        )
    if kind != "boltzmann":
        _diagonal_and_norm(draw, layer, energy)
        if lateral and draw(st.integers(0, 4)) == 0:
            layer["lateral"] = {"filter": draw(st.sampled_from([1, 3, [1, 3]]))}
            if layer.get("padding_mode") == "circular" and min(size) < 3:
                layer["lateral"] = {"filter": 1}
    return _nms(draw, layer, size) if groups else (1, 1)


def _diagonal_and_norm(draw: st.DrawFn, layer: dict[str, Any], energy: bool | None) -> None:
    choice = draw(st.integers(0, 9))
    if choice < 3:
        numbers = st.sampled_from([0.5, 1.0, 2.5])
        listed = [draw(numbers) for _ in range(layer["channels"])]
        layer["diagonal"] = draw(st.sampled_from([2.0, 0.75, listed, "learned"]))
    elif choice < 6:
        kinds = ["drive"] if energy is True else ["drive", "message"]
        norm = draw(st.sampled_from(kinds))
        layer["norm"] = norm if draw(st.booleans()) else {"kind": norm, "eps": 1e-3, "momentum": 0.2}


def _nms(draw: st.DrawFn, layer: dict[str, Any], size: tuple[int, int]) -> tuple[int, int]:
    if draw(st.integers(0, 2)):
        return (1, 1)
    window = draw(st.sampled_from([(2, 2), (2, 2), (1, 2), (2, 1), (1, 1)]))
    window = window if size[0] % window[0] == 0 and size[1] % window[1] == 0 else (1, 1)
    channels = draw(st.sampled_from([1, 1, 2]))
    channels = channels if layer["channels"] % channels == 0 else 1
    if window == (1, 1) and channels == 1:
        return (1, 1)
    nms: dict[str, Any] = {"window": list(window), "channels": channels}
    if draw(st.integers(0, 2)) == 0:
        nms["winner"] = draw(st.sampled_from(["first", "every"]))
    layer["nms"] = window[0] if channels == 1 and window[0] == window[1] and "winner" not in nms else nms
    return window


DENSITIES: tuple[dict[str, Any], ...] = (
    {"dims": 2, "joint": [3, 2], "target": [2], "samples": 4, "sigmas": [0.5, [1.0, 2.0]]},
    {"dims": 1, "model": "gaussian"},
    {"dims": 2, "model": "softmax", "bins": 3, "range": [-1, 1]},
)


def _heads(draw: st.DrawFn, spec: dict[str, Any], sizes: Sizes) -> None:
    spec.pop("_shape", None)
    layers = list(spec["layers"])
    for index in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(["heatmap", "segmentation", "classes", "vector", "density"]))
        read = draw(st.lists(st.sampled_from(layers), min_size=1, max_size=3, unique=True))
        head: dict[str, Any] = {"kind": kind}
        if kind in ("heatmap", "segmentation"):
            head |= {"channels": 2, "reads": {layer: draw(st.sampled_from([1, 3])) for layer in read}}
            head["upsample"] = draw(st.sampled_from(["bilinear", "nearest"]))
        else:
            numbers = {"outputs": 3} if kind != "density" else draw(st.sampled_from(DENSITIES))
            head |= numbers | {"reads": read}
            head |= draw(st.sampled_from([{}, {"pool": "mean"}]))
        head["at"] = draw(st.sampled_from(["last", "each", 1]))
        head["weight"] = draw(st.sampled_from([1.0, 0.5]))
        spec["heads"][f"head{index}"] = head


def random_parameters(graph: EnergyGraph, random: np.random.Generator, scale: float = 0.6) -> dict[str, Array]:
    """Parameters of a size at which a few passes stay finite; positive where they must be."""
    values: dict[str, Array] = {}
    for variable in graph.parameters:
        shape, leaf = variable.type.shape, variable.name.rpartition(".")[2]
        if leaf in ("running_var", "diagonal") or (leaf == "weight" and len(shape) == 1):
            values[variable.name] = random.uniform(0.5, 2.0, shape)
        elif len(shape) == 4:
            values[variable.name] = random.normal(size=shape) * scale / np.sqrt(np.prod(shape[1:]))
        else:
            values[variable.name] = 0.3 * random.normal(size=shape)
    return values


def random_inputs(graph: EnergyGraph, random: np.random.Generator, batch: int = 2) -> dict[str, Array]:
    """Normal inputs (batch, channels, H, W)."""
    return {node.name: random.normal(size=(batch, node.channels, *node.size)) for node in graph.inputs}
