"""Folding draws runs of equal layers, and the alike passes of a long inference, as one."""

from __future__ import annotations

import pytest

from lvmc.diagrams import energy, unrolled
from lvmc.diagrams.drawing.fold import runs
from lvmc.unroll import unroll
from tests.diagrams.nets import chain, forward, graph_of, links, nodes, titles


def run_titles(**layers: dict[str, object]) -> list[str]:
    """Titles of the runs of a folded chain of six layers."""
    return [run.title for run in runs(graph_of(chain(6, **layers)), fold=True)]


def test_equal_layers_are_one_run() -> None:
    """All but h1, which a head reads."""
    assert run_titles() == ["h1", "h2…h6 ×5"]
    assert len(runs(graph_of(chain(6)), fold=False)) == 6


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"nms": 2}, ["h1", "h2…h3 ×2", "h4", "h5…h6 ×2"]),
        ({"lateral": {"filter": 3}}, ["h1", "h2…h3 ×2", "h4", "h5…h6 ×2"]),
        ({"channels": 6}, ["h1", "h2…h3 ×2", "h4", "h5…h6 ×2"]),
        ({"unit": "gaussian"}, ["h1", "h2…h3 ×2", "h4", "h5…h6 ×2"]),
        ({"filter": 5}, ["h1", "h2…h3 ×2", "h4…h6 ×3"]),
        ({"from": {"h3": {}, "h1": {}}}, ["h1", "h2…h3 ×2", "h4…h6 ×3"]),
        ({"from": {"h2": {}}}, ["h1", "h2", "h3", "h4…h6 ×3"]),
    ],
    ids=["nms", "lateral", "channels", "unit", "filter", "skip into", "skip past"],
)
def test_what_ends_a_run(keys: dict[str, object], expected: list[str]) -> None:
    """Layers that differ, or that something else meets. A run's lowest coupling may differ: it is drawn by itself."""
    assert run_titles(h4=keys) == expected


def test_fold_leaves_fewer_nodes() -> None:
    """In both pictures; what enters and leaves the run stays."""
    graph = graph_of(chain(6))
    plain, folded = forward(graph), forward(graph, fold=True)
    assert len(folded.nodes) < len(plain.nodes)
    assert titles(folded, "layer") == {"h1": 2, "h2…h6 ×5": 2}
    assert set(titles(folded, "message")) == {"h1.weight", "h2.weight", "h2.weightᵀ"}
    assert len(energy(graph, fold=True).nodes) == len(energy(graph).nodes) - 4


def test_cached_messages_inside_a_run_are_one_link() -> None:
    """Messages h3 to h6 of pass 1 are used again in pass 2, inside the run."""
    picture = forward(graph_of(chain(6)), fold=True)
    assert ("h2_p1", "h2_p2") in links(picture, "cached")
    assert ("h2.weight", "h2_p2") in links(picture, "cached")


def test_many_passes_are_one_column() -> None:
    """50 passes: the first four, the last two, and one column for those between."""
    graph = graph_of("nnls")
    picture = unrolled(graph, unroll(graph), fold=True)
    assert [node.title for node in nodes(picture, "title")][-3:] == [
        "passes 5 … 48",
        "pass 49 ↑ bottom-up",
        "pass 50 ↓ top-down",
    ]
    assert len(nodes(picture, "layer")) == 7
    assert len(nodes(unrolled(graph, unroll(graph)), "layer")) == 50
