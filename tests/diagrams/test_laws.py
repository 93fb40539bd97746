"""What holds for the pictures of every net: over random specs and over the zoo."""

from __future__ import annotations

from itertools import combinations
from math import isfinite
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvmc import specs as zoo
from lvmc.diagrams import Picture, energy, unrolled
from lvmc.diagrams.unrolled_view.steps import one_step
from lvmc.graph import EnergyGraph
from lvmc.ir import Program
from lvmc.ir.ops import Adjoint, Correlate
from lvmc.rewrites import rewrite
from lvmc.unroll import unroll
from tests.diagrams.nets import graph_of, nodes
from tests.laws.specs import specs


def check_drawable(picture: Picture) -> None:
    """Names are unique, edges join nodes, every number is finite, and no two nodes lie upon one another."""
    names = [node.name for node in picture.nodes]
    assert len(set(names)) == len(names)
    assert {end for edge in picture.edges for end in (edge.tail, edge.head)} <= set(names)
    points = [point for edge in picture.edges for point in (*edge.path, edge.text_at)]
    assert all(isfinite(number) for point in (*points, *(node.at for node in picture.nodes)) for number in point)
    assert all(len(edge.path) % 3 == 1 for edge in picture.edges)
    for one, other in combinations([node for node in picture.nodes if node.kind not in ("caption", "title")], 2):
        apart = [abs(a - b) - (s + t) / 2 for a, b, s, t in zip(one.at, other.at, one.size, other.size, strict=True)]
        assert max(apart) > -0.5, (one.name, other.name)


def check_messages(picture: Picture, program: Program) -> None:
    """One node a message computed, sent once, taken in at least once, and not twice by the same update."""
    roles = ("bottom", "top", "lateral")
    computed = [
        each for each in program.equations if each.origin.role in roles and isinstance(each.op, Correlate | Adjoint)
    ]
    drawn = {node.name: node for node in nodes(picture, "message")}
    assert len(drawn) == len(computed)
    assert sum(node.dashed for node in drawn.values()) == sum(isinstance(each.op, Adjoint) for each in computed)
    taken = [(edge.tail, edge.head) for edge in picture.edges if edge.tail in drawn]
    assert len(set(taken)) == len(taken)
    assert {tail for tail, _ in taken} == set(drawn)
    assert sorted(edge.head for edge in picture.edges if edge.kind == "send") == sorted(drawn)


def check_all(graph: EnergyGraph) -> None:
    """Both pictures, plain and rewritten, unfolded and folded."""
    plain = unroll(graph)
    for program in (plain, rewrite(plain)):
        picture = unrolled(graph, program)
        check_messages(picture, program)
        check_drawable(picture)
        check_drawable(unrolled(graph, program, fold=True))
    check_drawable(energy(graph))
    check_drawable(energy(graph, fold=True))


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(specs())
def test_pictures_of_random_nets(spec: dict[str, Any]) -> None:
    check_all(graph_of(spec))


@pytest.mark.parametrize("name", zoo.names())
def test_pictures_of_the_zoo(name: str) -> None:
    graph = graph_of(name)
    check_all(one_step(graph) if graph.feedback else graph)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(specs(energy=True), st.sampled_from(["all", "mask"]), st.booleans(), st.data())
def test_pictures_of_given_layers(spec: dict[str, Any], how: Any, start: bool, data: st.DataObject) -> None:
    graph = graph_of(spec)
    name = data.draw(st.sampled_from([layer.name for layer in graph.layers]))
    plain = unroll(graph, clamp={name: how}, start=start)
    for program in (plain, rewrite(plain)):
        check_messages(unrolled(graph, program), program)
        check_drawable(unrolled(graph, program))
