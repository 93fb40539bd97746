"""One colour a filter, so that tying is seen; none of them red or purple, which mean groups and heads."""

from __future__ import annotations

from collections.abc import Iterable
from colorsys import hls_to_rgb

from lvmc.graph import EnergyGraph

_FIRST = (
    "#1f77b4", "#e07b00", "#2a9235", "#0e9aa7", "#8c564b", "#8a8d0f", "#1b3a93", "#c59a00",
    "#4c9f70", "#56a0d8", "#14602b", "#b5713a", "#3d5a73", "#5aa800", "#00796b", "#9a6a00",
)  # fmt: skip
_GOLDEN = 0.618034


def filter_colours(graph: EnergyGraph, more: Iterable[str] = ()) -> dict[str, str]:
    """Colour of every filter of a graph by its state name, in file order, then of `more` (untied copies)."""
    names: list[str] = []
    for layer in graph.layers:
        names += [coupling.weight for coupling in layer.couplings]
        names += [lateral_name(layer.name)] if layer.lateral else []
    return {name: _colour(index) for index, name in enumerate(dict.fromkeys((*names, *more)))}


def lateral_name(layer: str) -> str:
    """State name of a layer's lateral filter."""
    return f"{layer}.lateral"


def _colour(index: int) -> str:
    """Beyond the hand-picked colours: hues from orange to blue by golden steps, in three depths."""
    if index < len(_FIRST):
        return _FIRST[index]
    hue = (35 + 215 * (index * _GOLDEN % 1.0)) / 360
    red, green, blue = hls_to_rgb(hue, (0.36, 0.46, 0.28)[index % 3], 0.72)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
