"""Nets that the pictures are tested on, and how to look into a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from lvmc.assemble import Options, programs
from lvmc.diagrams import Picture, unrolled
from lvmc.diagrams.drawing.picture import Edge, EdgeKind, Node, NodeKind
from lvmc.graph import EnergyGraph
from lvmc.loading import resolve

DAG: dict[str, Any] = {
    "lvmc": 1,
    "name": "dag",
    "inputs": {"image": {"channels": 3, "size": [32, 32]}, "depth": {"channels": 1, "size": [32, 32]}},
    "filters": {"blur": {"size": 3}},
    "layers": {
        "a": {"channels": 8, "filter": 3},
        "b": {"channels": 8, "filter": "blur", "unit": "gaussian"},
        "c": {"channels": 8, "filter": "blur", "lateral": {"filter": 3}},
        "d": {
            "channels": 16,
            "from": {
                "c": {"filter": 3, "stride": 2},
                "a": {"filter": 5, "stride": 2},
                "depth": {"filter": 3, "stride": 2, "dilation": 2, "padding": 2},
            },
            "nms": {"window": 2, "channels": 4},
            "upper": 1.5,
        },
        "e": {"channels": 4, "filter": 3, "unit": "boltzmann"},
        "f": {"channels": 4, "from": {"e": {}, "a": {}}, "filter": "full"},
    },
    "inference": {"passes": 2},
    "heads": {
        "seg": {"kind": "segmentation", "channels": 4, "reads": {"c": 1, "a": 1}},
        "cls": {"kind": "classes", "outputs": 10, "reads": "f"},
    },
}


def graph_of(source: str | Mapping[str, Any]) -> EnergyGraph:
    """The graph of a zoo model or of a spec as a dict."""
    return resolve(source)[1]


def chain(count: int, **layers: Mapping[str, Any]) -> dict[str, Any]:
    """`count` equal 3×3 layers h1, h2, …, two passes, a head on h1; `layers` overrides keys of single layers."""
    equal = {f"h{index + 1}": {"channels": 4, "filter": 3} for index in range(count)}
    return {
        "lvmc": 1,
        "name": "chain",
        "inputs": {"x": {"channels": 4, "size": [16, 16]}},
        "layers": {name: {**keys, **layers.get(name, {})} for name, keys in equal.items()},
        "inference": {"passes": 2},
        "heads": {"heat": {"kind": "heatmap", "channels": 1, "reads": "h1"}},
    }


def forward(graph: EnergyGraph, fold: bool = False, **options: Any) -> Picture:
    """The unrolled picture of the rewritten program that computes the heads."""
    return unrolled(graph, programs(graph, Options(**options)).forward, fold)


def nodes(picture: Picture, kind: NodeKind) -> list[Node]:
    """Nodes of a kind."""
    return [node for node in picture.nodes if node.kind == kind]


def edges(picture: Picture, kind: EdgeKind) -> list[Edge]:
    """Edges of a kind."""
    return [edge for edge in picture.edges if edge.kind == kind]


def titles(picture: Picture, kind: NodeKind) -> Counter[str]:
    """How often each title stands on nodes of a kind."""
    return Counter(node.title for node in nodes(picture, kind))


def links(picture: Picture, kind: EdgeKind) -> set[tuple[str, str]]:
    """What edges of a kind join: names of states and heads, filters of messages."""
    shown = {node.name: node.title if node.kind == "message" else node.name for node in picture.nodes}
    return {(shown[edge.tail], shown[edge.head]) for edge in edges(picture, kind)}
