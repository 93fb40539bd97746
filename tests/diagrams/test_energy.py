"""The energy picture shows every coupling with its filter, the groups, the inputs, the heads."""

from __future__ import annotations

from lvmc.diagrams import energy
from lvmc.diagrams.drawing.looks import PURPLE, RED
from lvmc.diagrams.energy_view.planes import units_shown
from tests.diagrams.nets import DAG, chain, edges, graph_of, links, nodes


def texts(kind: str = "coupling") -> dict[tuple[str, str], str]:
    """What the edges of the DAG say."""
    return {(edge.tail, edge.head): edge.text for edge in energy(graph_of(DAG)).edges if edge.kind == kind}


def test_every_coupling_says_what_its_filter_is() -> None:
    """Size, channels, shared filter, stride, dilation, replication."""
    assert texts() == {
        ("image", "a"): "3×3 · 3→8",
        ("depth", "a"): "3×3 · 1→8",
        ("a", "b"): "3×3 · 8→8\nblur",
        ("b", "c"): "3×3 · 8→8\nblur",
        ("c", "d"): "3×3 · 8→16\nstride 2",
        ("a", "d"): "5×5 · 8→16\nstride 2",
        ("depth", "d"): "3×3 · 1→16\nstride 2 · dilation 2",
        ("d", "e"): "3×3 · 16→4\nreplicate 2×2",
        ("e", "f"): "full 8×8 · 4→4",
        ("a", "f"): "full 32×32 · 8→4",
    }


def test_lateral_couplings_are_loops() -> None:
    """From a layer to itself, with the size of the filter."""
    assert texts("lateral") == {("c", "c"): "lateral 3×3"}


def test_tied_couplings_have_one_colour() -> None:
    """b and c share `blur`; no other two couplings share a colour."""
    colours = {(edge.tail, edge.head): edge.colour for edge in edges(energy(graph_of(DAG)), "coupling")}
    assert colours["a", "b"] == colours["b", "c"]
    assert len(set(colours.values())) == len(colours) - 1


def test_groups_are_red() -> None:
    """A red outline about the units of every group drawn; none without groups, whatever the filters' colours."""
    picture = energy(graph_of(chain(3, h2={"nms": 2})))
    outlines = [shape for shape in picture.shapes if shape.line == RED and shape.kind == "polygon" and shape.fill]
    assert len(outlines) == 16  # 8 × 8 units in 2 × 2 groups
    assert not any(shape.line == RED for shape in energy(graph_of(chain(3))).shapes)


def test_groups_of_channels_are_rings() -> None:
    """Units of different channels lie upon one another: a group along channels alone doubles each unit's ring."""
    picture = energy(graph_of(chain(2, h1={"nms": {"window": 1, "channels": 2}})))
    red = [shape for shape in picture.shapes if shape.line == RED and shape.kind == "ellipse"]
    assert len(red) == 2 * 64


def test_inputs_and_heads_are_told_apart() -> None:
    """Inputs are filled, heads purple with what they read."""
    picture = energy(graph_of(DAG))
    assert [node.name for node in nodes(picture, "input")] == ["image", "depth"]
    assert {node.name for node in nodes(picture, "head")} == {"seg", "cls"}
    assert links(picture, "read") == {("c", "seg"), ("a", "seg"), ("f", "cls")}
    assert {edge.colour for edge in edges(picture, "read")} == {PURPLE}


def test_units_other_than_rectified_are_labelled() -> None:
    """Beside the layer's size and its groups."""
    notes = {node.name: [note.text for note in node.notes] for node in energy(graph_of(DAG)).nodes}
    assert notes["b"] == ["8×32×32", "gaussian"]
    assert notes["d"] == ["16×16×16", "nms 4×2×2", "rectified ≤ 1.5"]
    assert notes["a"] == ["8×32×32"]


def test_planes_shrink_with_their_size() -> None:
    """VGG's planes get smaller from 224 × 224 to 1 × 1, and keep whole groups."""
    layers = graph_of("qp2_vgg16").layers
    shown = [units_shown(layer.size, 224, layer.group) for layer in layers]
    assert shown == sorted(shown, reverse=True)
    assert (shown[0], shown[-1]) == ((8, 8), (1, 1))
    windows = [(layer.group.window, units) for layer, units in zip(layers, shown, strict=True) if layer.group]
    assert len(windows) == 5
    assert all(rows % window[0] == 0 and columns % window[1] == 0 for window, (rows, columns) in windows)
