"""Long inference is drawn once around: the first pass, a framed round with its true numbers, and what follows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lvmc import specs as zoo
from lvmc.assemble import Options, programs
from lvmc.costs import program_cost, run_cost
from lvmc.diagrams import Picture, net, unrolled
from lvmc.diagrams.formats.mermaid import mermaid_text
from lvmc.diagrams.unrolled_view.net import shortened
from lvmc.parts import parts
from tests.diagrams.nets import chain, forward, graph_of, links, nodes
from tests.diagrams.test_laws import check_drawable, check_messages

REPEATING = [name for name in zoo.names() if graph_of(name).repeats]
UNTIL = {"until": {"residual": 1e-4, "max_passes": 200}}


def heads_of(picture: Picture) -> list[str]:
    """Titles of the columns, after that of the frame, if there is one."""
    frame = [node.title for node in picture.nodes if node.name == "repeat"]
    return [*frame, *(node.title for node in nodes(picture, "title"))]


def frames(picture: Picture) -> int:
    return sum(shape.style == "dashed" and shape.kind == "polygon" for shape in picture.shapes)


def test_a_thousand_passes_of_the_example() -> None:
    picture = net(graph_of("qp_faces"), Options(passes=1000))
    assert heads_of(picture) == [
        "499 rounds", "pass 1 ↑ bottom-up", "pass 2, 4, … 998 ↓", "pass 3, 5, … 999 ↑", "pass 1000 ↓ top-down"
    ]  # fmt: skip
    assert frames(picture) == 1
    assert ("h1_p1000", "keypoints") in links(picture, "read")
    assert ("h5_p3", "h5_p1000") in links(picture, "same")
    assert "pass 2, 4, … 998 ↓" in mermaid_text(picture)
    assert "499 rounds" in mermaid_text(picture)


@pytest.mark.parametrize("passes", [2, 3, 6])
@pytest.mark.parametrize("name", ["qp_faces", "stereo", "nnls"])
def test_few_passes_are_all_drawn(name: str, passes: int) -> None:
    graph = graph_of(name)
    made = programs(graph, Options(passes=passes))
    assert net(graph, Options(passes=passes)) == unrolled(graph, made.forward)
    assert frames(net(graph, Options(passes=passes))) == 0


@pytest.mark.parametrize("passes", [7, 8, 12, 13, 50, 999])
@pytest.mark.parametrize("name", REPEATING)
def test_the_short_program_is_the_loop_with_one_round(name: str, passes: int) -> None:
    """It computes what the parts of the loop compute, each once; and its picture can be drawn, folded and not."""
    graph, options = graph_of(name), Options(passes=passes)
    short, repeat = shortened(graph, options)
    made = programs(graph, options)
    assert repeat is not None
    if made.loop is not None:
        assert repeat.rounds == made.loop.rounds
        once = run_cost(replace(part, times=1) for part in parts(made, "forward"))
        assert program_cost(short).messages == once.messages
    last = max(equation.origin.pass_ for equation in short.equations)
    assert repeat.number(last) <= passes
    check_messages(net(graph, options), short)
    for fold in (False, True):
        check_drawable(net(graph, options, fold))


def test_until_the_residual_is_small() -> None:
    """Every layer is computed in every pass; after which one the heads read is not known."""
    graph = graph_of(chain(3) | {"inference": UNTIL})
    for fold in (False, True):
        picture = net(graph, Options(), fold)
        assert heads_of(picture) == [
            "until the residual is ≤ 0.0001,\nat most 200 passes",
            "pass 1 ↑ bottom-up", "pass 2, 4, … ↓", "pass 3, 5, … ↑",
        ]  # fmt: skip
        assert not nodes(picture, "dotted")
        check_drawable(picture)
    assert "until the residual is ≤ 0.0001,<br/>at most 200 passes" in mermaid_text(net(graph, Options()))
    assert frames(net(graph, Options(passes=2))) == 0


@pytest.mark.parametrize(("most", "titles"), [(1, 1), (2, 3), (3, 4)])
def test_until_few_passes(most: int, titles: int) -> None:
    picture = net(graph_of(chain(3) | {"inference": {"until": {"max_passes": most}}}), Options())
    assert len(heads_of(picture)) == titles
    check_drawable(picture)


@pytest.mark.parametrize(("passes", "titles"), [(4, 4), (20, 5), (21, 4)])
def test_implicit_gradients_need_every_layer(passes: int, titles: int) -> None:
    graph = graph_of(chain(3) | {"inference": {"passes": passes, "gradient": "implicit"}})
    picture = net(graph, Options())
    assert len(heads_of(picture)) == titles
    assert not nodes(picture, "dotted")
    check_drawable(picture)


def test_passes_that_change_nothing() -> None:
    """One layer is where it stays after pass 1."""
    spec: dict[str, Any] = chain(1) | {"inference": {"passes": 100}}
    picture = net(graph_of(spec), Options())
    assert heads_of(picture)[0] == "49 rounds"
    assert heads_of(picture)[-1] == "pass 100 ↓ top-down"
    assert len(nodes(picture, "same")) == 3


def test_the_plain_unrolling_of_many_passes() -> None:
    graph, options = graph_of("two_layer"), Options(optimize=False, passes=1000)
    short, _ = shortened(graph, options)
    picture = net(graph, options)
    assert heads_of(picture)[0] == "499 rounds"
    check_messages(picture, short)
    check_drawable(picture)


def test_passes_of_their_own_are_all_drawn() -> None:
    """Filters of each pass cannot be a round."""
    spec = chain(2) | {"inference": {"passes": 8, "tying": "untied"}}
    picture = net(graph_of(spec), Options())
    assert picture == forward(graph_of(spec))
    assert len(heads_of(picture)) == 8


@pytest.mark.parametrize("clamp", [{"edges": "mask"}, {"parts": "all"}])
def test_given_layers(clamp: dict[str, Any]) -> None:
    for start in (False, True):
        picture = net(graph_of("stereo"), Options(passes=30, clamp=clamp, start=start))
        assert frames(picture) == 1
        check_drawable(picture)
