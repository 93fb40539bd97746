"""The unrolled picture says what the program computes: messages, caches, ties, groups, heads, and what is left out."""

from __future__ import annotations

from collections import Counter

from lvmc.diagrams import unrolled
from lvmc.diagrams.drawing.looks import NODES, PURPLE, RED
from lvmc.diagrams.formats.dot import dot_source
from lvmc.unroll import unroll
from tests.diagrams.nets import DAG, chain, edges, forward, graph_of, links, nodes, titles


def test_the_two_layer_toy_is_figure_3() -> None:
    """Bottom-up, then h1 again from the cached bottom-up message and the transposed filter; h2 is as it was."""
    picture = forward(graph_of("two_layer"))
    assert titles(picture, "message") == Counter(["h1.weight", "h2.weight", "h2.weightᵀ"])
    assert links(picture, "send") == {("x", "h1.weight"), ("h1_p1", "h2.weight"), ("h2_p2", "h2.weightᵀ")}
    assert links(picture, "deliver") == {("h1.weight", "h1_p1"), ("h2.weight", "h2_p1"), ("h2.weightᵀ", "h1_p2")}
    assert links(picture, "cached") == {("h1.weight", "h1_p2")}
    assert links(picture, "same") == {("h2_p1", "h2_p2")}
    assert [node.title for node in nodes(picture, "title")] == ["pass 1 ↑ bottom-up", "pass 2 ↓ top-down"]


def test_plain_vgg_computes_all_58_messages() -> None:
    """Without rewrites 15 bottom-up and 14 top-down messages a pass, none cached, the first top-down ones from zero."""
    graph = graph_of("qp2_vgg16")
    picture = unrolled(graph, unroll(graph))
    assert len(nodes(picture, "message")) == len(edges(picture, "send")) == len(edges(picture, "deliver")) == 58
    assert sum(node.dashed for node in nodes(picture, "message")) == 28
    assert not edges(picture, "cached")
    assert not nodes(picture, "dotted")
    assert len(nodes(picture, "zero")) == 14


def test_rewritten_vgg_computes_what_the_heads_read() -> None:
    """QP2 with heads down to pool2: fc7 is not revisited, layers below conv2_2 are dotted in pass 2."""
    picture = forward(graph_of("qp2_vgg16"))
    assert len([node for node in nodes(picture, "message") if not node.dashed]) == 15
    revisited = [
        "fc6",
        "conv5_3",
        "conv5_2",
        "conv5_1",
        "conv4_3",
        "conv4_2",
        "conv4_1",
        "conv3_3",
        "conv3_2",
        "conv3_1",
    ]
    assert links(picture, "cached") == {(f"{name}.weight", f"{name}_p2") for name in (*revisited, "conv2_2")}
    assert len([node for node in nodes(picture, "message") if node.dashed]) == 11
    assert {node.name for node in nodes(picture, "dotted")} == {"conv2_1_p2", "conv1_2_p2", "conv1_1_p2"}
    assert links(picture, "same") == {("fc7_p1", "fc7_p2")}


def test_one_colour_a_filter() -> None:
    """Both uses of a filter have its colour, the transposed one dashed; no two filters share one."""
    picture = forward(graph_of("qp2_vgg16"))
    colours: dict[str, set[str]] = {}
    for node in nodes(picture, "message"):
        assert node.dashed == node.title.endswith("ᵀ")
        colours.setdefault(node.title.rstrip("ᵀ"), set()).add(node.colour)
    assert all(len(found) == 1 for found in colours.values())
    assert len(set.union(*colours.values())) == len(colours) == 15
    dashed = [line for line in dot_source(picture).splitlines() if " -> " in line and "style=dashed" in line]
    assert len(dashed) == 2 * sum(node.dashed for node in nodes(picture, "message"))
    assert all(any(colour in line for colour in set.union(*colours.values())) for line in dashed)
    assert not set.union(*colours.values()) & {RED, PURPLE}


def test_untied_copies_have_colours_of_their_own() -> None:
    """Untied, the filters of pass 1 and of pass 2 are different parameters."""
    spec = chain(2) | {"inference": {"passes": 2, "tying": "untied"}}
    found = {node.title: node.colour for node in nodes(forward(graph_of(spec)), "message")}
    assert set(found) == {"h1.weight_p1", "h2.weight_p1", "h2.weight_p2ᵀ"}
    assert len(set(found.values())) == 3


def test_a_shared_filter_is_one_colour() -> None:
    """`edges` filters the left and the right view."""
    found = [node for node in nodes(forward(graph_of("stereo")), "message") if node.title.startswith("edges.weight")]
    assert len(found) == 2
    assert len({node.colour for node in found}) == 1


def test_groups_are_red_and_heads_purple() -> None:
    """In the picture and in its DOT source."""
    picture = forward(graph_of("qp_faces"))
    assert {node.name for node in nodes(picture, "nms")} == {"h2_p1", "h2_p2", "h4_p1", "h4_p2"}
    assert links(picture, "read") == {("h5_p2", "keypoints"), ("h3_p2", "keypoints"), ("h1_p2", "keypoints")}
    lines = dot_source(picture).splitlines()
    assert sum("fontsize=12" in line and RED in line for line in lines) == 4
    assert sum(line.strip().startswith("keypoints [") and PURPLE in line for line in lines) == 1
    assert sum("-> keypoints" in line and PURPLE in line for line in lines) == 3
    assert NODES["nms"].line == RED


def test_dotted_layers_are_dotted_grey() -> None:
    """A chain read at the top after one pass down computes nothing below."""
    picture = forward(graph_of(chain(3) | {"heads": {"heat": {"kind": "heatmap", "channels": 1, "reads": "h3"}}}))
    assert {node.name for node in nodes(picture, "dotted")} == {"h1_p2", "h2_p2"}
    dotted = [line for line in dot_source(picture).splitlines() if "dotted" in line and line.strip().startswith("h")]
    assert len(dotted) == 2


def test_lateral_messages_go_from_pass_to_pass() -> None:
    """c in pass 2 hears c of pass 1 through its lateral filter; in pass 1 it was zero."""
    picture = forward(graph_of(DAG))
    assert ("c_p1", "c.lateral") in links(picture, "send")
    assert ("c.lateral", "c_p2") in links(picture, "deliver")
    assert titles(picture, "message")["c.lateral"] == 1


def test_skip_couplings_carry_messages_past_rows() -> None:
    """d hears a and depth directly, and answers a."""
    picture = forward(graph_of(DAG))
    assert {("a_p1", "d.a.weight"), ("depth", "d.depth.weight"), ("d_p2", "d.a.weightᵀ")} <= links(picture, "send")
    assert ("d.a.weightᵀ", "a_p2") in links(picture, "deliver")
    assert {("d.a.weight", "d_p2"), ("d.depth.weight", "d_p2")} <= links(picture, "cached")


def test_a_gaussian_message_may_be_the_state() -> None:
    """With d = 1 the drive of a Gaussian layer is its value, and in pass 1 that is the message with its bias."""
    picture = forward(graph_of("gaussian"))
    assert ("image", "h1.weight") in links(picture, "send")
    assert ("h1.weight", "h1_p1") in links(picture, "deliver")
    assert ("h1_p1", "h2.weight") in links(picture, "send")
    assert links(picture, "cached") == {("h1.weight", f"h1_p{each}") for each in (2, 4, 6)}


def test_statistics_are_no_messages() -> None:
    """A drive norm keeps the statistics of pass 1 in all passes; only the image's message does the same."""
    picture = forward(graph_of("qpk_small"))
    late = {(message, state) for message, state in links(picture, "cached") if state.endswith(("_p3", "_p4"))}
    below = [name for name in graph_of("qpk_small").layer if name != "conv4_1"]
    assert {message for message, state in late if state.endswith("_p4")} == {f"{name}.weight" for name in below[1:]}
    assert {message for message, state in late if state.endswith("_p3")} == {
        f"{name}.weightᵀ" for name in (*below[2:], "conv4_1")
    }


def test_kept_winners_are_red() -> None:
    """`winner: first` keeps the winners of pass 1 in pass 2."""
    nms = {"window": 2, "winner": "first", "channels": 2}
    picture = forward(graph_of(chain(3, h2={"nms": nms})))
    assert links(picture, "winner") == {("h2_p1", "h2_p2")}
    assert any("h2_p1 -> h2_p2" in line and RED in line for line in dot_source(picture).splitlines())


def test_given_layers() -> None:
    """A clamped layer stands before the first pass; a given start is the zero state's place."""
    graph = graph_of("generator")
    clamped = forward(graph, clamp={"image": "all"})
    assert {node.name for node in nodes(clamped, "given")} == {"image_p0"}
    assert ("image_p0", "edges.weight") in links(clamped, "send")
    started = forward(graph, start=True)
    assert {node.name for node in nodes(started, "given")} == {"edges_p0", "parts_p0", "object_p0"}
    assert not nodes(started, "zero")


def test_heads_after_each_pass() -> None:
    """Intermediate supervision: one prediction a pass, each of the state it reads then."""
    spec = chain(2)
    spec["heads"]["heat"]["at"] = "each"
    picture = forward(graph_of(spec))
    assert links(picture, "read") == {("h1_p1", "heat_after1"), ("h1_p2", "heat_after2")}


def test_units_other_than_rectified_are_labelled() -> None:
    """Kind, and upper bound."""
    notes = {node.name: {note.text for note in node.notes} for node in forward(graph_of(DAG)).nodes}
    assert "gaussian" in notes["b_p1"]
    assert "boltzmann" in notes["e_p1"]
    assert "rectified ≤ 1.5" in notes["d_p1"]
    assert notes["a_p1"] == {"8×32×32"}
