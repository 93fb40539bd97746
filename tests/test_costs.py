"""What loops cost: those of many passes follow from few, and the parts of a loop add up to the straight program."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from lvmc.assemble import Options, programs
from lvmc.costs import costs, plain_cost, program_cost, run_cost
from lvmc.graph import EnergyGraph
from lvmc.ir import Program
from lvmc.ir.naming import tidy
from lvmc.loading import resolve
from lvmc.parts import parts, passes_text, series
from lvmc.rewrites import rewrite
from lvmc.unroll import unroll
from tests.laws.specs import specs

NET: dict[str, Any] = {
    "lvmc": 1, "name": "net", "inputs": {"x": {"channels": 1, "size": 8}},
    "layers": {"h1": {"channels": 2, "filter": 3}, "h2": {"channels": 2, "filter": 3, "nms": 2}},
    "heads": {"late": {"kind": "vector", "outputs": 1, "reads": "h1"}},
}  # fmt: skip
ZOO = ["two_layer", "qp_faces", "stereo", "boltzmann", "nnls", "generator", "strided", "gaussian"]


def straight(graph: EnergyGraph, passes: int) -> Program:
    """All passes one after another, as they are unrolled, with what `forward` gives."""
    program = unroll(graph, passes)
    names = {each.name for each in graph.heads or graph.layers}
    return replace(program, outputs=tuple(pair for pair in program.outputs if pair[0] in names))


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("passes", [1, 2, 7, 12, 13, 16, 29])
def test_the_plain_cost_of_many_passes_is_that_of_unrolling_them(name: str, passes: int) -> None:
    graph = resolve(name)[1]
    assert plain_cost(graph, Options(passes=passes)) == program_cost(straight(graph, passes))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(specs(energy=True))
def test_the_plain_cost_grows_evenly(spec: dict[str, Any]) -> None:
    graph = resolve(spec)[1]
    for passes in (14, 17):
        assert plain_cost(graph, Options(passes=passes)) == program_cost(straight(graph, passes))


@pytest.mark.parametrize("name", ["two_layer", "qp_faces", "stereo", "boltzmann", "generator", "strided"])
@pytest.mark.parametrize("passes", [7, 8, 12, 13, 20])
def test_a_loop_costs_what_it_runs(name: str, passes: int) -> None:
    """Equations are those of the text; the state that a loop hands on may live longer than in straight code, and its
    last round may find winners that nothing reads any more."""
    graph = resolve(name)[1]
    made = programs(graph, Options(passes=passes))
    assert made.loop is not None
    loop, unrolled = run_cost(parts(made, "forward")), program_cost(tidy(rewrite(straight(graph, passes))))
    assert (loop.messages, loop.flops) == (unrolled.messages, unrolled.flops)
    assert unrolled.bytes <= loop.bytes <= 1.02 * unrolled.bytes
    assert loop.equations == sum(len(part.program.equations) for part in parts(made, "forward"))
    assert 0.9 * unrolled.live <= loop.live <= 3 * unrolled.live


def test_a_thousand_passes_cost_a_thousand() -> None:
    """In a moment, and linearly."""
    graph = resolve("qp_faces")[1]
    some, twice = (costs(graph, Options(passes=count)) for count in (1000, 2000))
    third = costs(graph, Options(passes=3000))
    for each in ("plain", "rewritten"):
        first, second, last = (getattr(spent, each) for spent in (some, twice, third))
        assert last.flops - second.flops == second.flops - first.flops > 0
        assert (first.live, first.live) == (second.live, last.live)
    assert some.rewritten.equations == third.rewritten.equations < 200
    assert some.rewritten.flops < 0.55 * some.plain.flops
    assert not some.at_most


def test_settling_costs_the_most_passes_and_one_residual() -> None:
    until = resolve(NET | {"inference": {"until": {"residual": 1e-3, "max_passes": 200}}})[1]
    fixed = resolve(NET | {"inference": {"passes": 200, "gradient": "implicit"}})[1]
    made, spent, same = programs(until, Options()), costs(until, Options()), costs(fixed, Options())
    assert made.settling is not None
    assert spent.at_most
    assert not same.at_most
    residual = program_cost(made.settling.residual)
    assert spent.rewritten.flops == same.rewritten.flops + residual.flops
    assert spent.plain.flops == same.plain.flops + residual.flops
    assert spent.rewritten.messages == same.rewritten.messages + residual.messages
    assert same.plain == plain_cost(fixed, Options())
    times = {part.title.split(":")[0]: part.times for part in parts(programs(fixed, Options()), "forward")}
    assert times == {"first": 1, "down, pass 2, 4, … 200": 100, "up, pass 3, 5, … 199": 99, "then": 1}


@pytest.mark.parametrize("most", [1, 2, 3, 4])
def test_few_passes_at_most_have_no_part_that_never_runs(most: int) -> None:
    made = programs(resolve(NET | {"inference": {"until": {"max_passes": most}}})[1], Options())
    assert all(part.times > 0 for part in parts(made, "latents"))
    assert sum(part.times for part in parts(made, "latents")) == most + 2


def test_without_rewrites_plain_and_emitted_cost_the_same() -> None:
    graph = resolve(NET)[1]
    spent = costs(graph, Options(optimize=False, passes=16))
    assert spent.plain == spent.rewritten


def test_passes_in_words() -> None:
    graph = resolve(NET | {"inference": {"until": {"residual": 1e-4, "max_passes": 200}}})[1]
    assert passes_text(graph, Options()) == "passes until the residual is ≤ 0.0001, at most 200 passes"
    assert passes_text(graph, Options(passes=1)) == "1 pass"
    assert [series(2, 2), series(2, 6), series(3, 9), series(2, 999)] == ["2", "2, 4, 6", "3, 5, … 9", "2, 4, … 998"]
