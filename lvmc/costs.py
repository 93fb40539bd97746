"""What a compiled spec costs: layer by layer, and the whole program before and after the rewrites."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

from lvmc.assemble import Options, programs
from lvmc.graph import EnergyGraph
from lvmc.ir import Program, Size, cost, messages
from lvmc.ir.cost import equation_flops
from lvmc.parts import Part, parts
from lvmc.roll import sample_passes
from lvmc.unroll import unroll


@dataclass(frozen=True, slots=True)
class ProgramCost:
    """Costs of a program for one sample at nominal size, in float32.

    `equations` are those that are written: a loop's body counts once. All else is what is run. Messages are
    correlations up and adjoints down; `live` is the largest sum of values alive at once, the state of a loop included.
    """

    equations: int
    messages: int
    flops: int
    bytes: int
    live: int


@dataclass(frozen=True, slots=True)
class PartCost:
    """Costs of a layer, a shared filter or a head. `flops` are those of one pass, all messages computed anew."""

    kind: Literal["layer", "filter", "head"]
    name: str
    channels: int | None
    size: Size | None
    units: int
    parameters: int
    flops: int


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of a spec: its parts, and `forward` as it is unrolled and as it is emitted.

    With `until` (`at_most`) both are those of the most passes that are run, and of one residual.
    """

    parts: tuple[PartCost, ...]
    plain: ProgramCost
    rewritten: ProgramCost
    at_most: bool = False

    @property
    def parameters(self) -> int:
        """Learned numbers."""
        return sum(part.parameters for part in self.parts)

    @property
    def units(self) -> int:
        """Latent variables of one sample."""
        return sum(part.units for part in self.parts)


def costs(graph: EnergyGraph, options: Options) -> Costs:
    """Costs of a graph compiled with some options."""
    made = programs(graph, options)
    passes = options.passes or graph.passes
    plain, at_most = plain_cost(graph, options), False
    if made.settling is not None and made.settling.until.residual > 0:
        plain, at_most = _added(plain, program_cost(made.settling.residual)), True
    plain = _repeated(plain, graph.feedback.steps) if graph.feedback else plain
    sample = _unrolled(graph, options, min(passes, sample_passes(passes)) if graph.repeats else passes)
    found = (*_layers(graph, sample), *_filters(graph), *_heads(graph, sample))
    return Costs(found, plain, run_cost(parts(made, "forward")), at_most)


def plain_cost(graph: EnergyGraph, options: Options) -> ProgramCost:
    """Costs of the plain unrolling.

    From one round of passes to the next all of them grow by the same numbers, so those of many passes follow from
    two unrollings of few.
    """
    passes = options.passes or graph.passes
    sample = sample_passes(passes)
    if not graph.repeats or passes <= sample + 2:
        return program_cost(_unrolled(graph, options, passes))
    few, more = (program_cost(_unrolled(graph, options, count)) for count in (sample, sample + 2))
    rounds = (passes - sample) // 2
    return ProgramCost(
        few.equations + rounds * (more.equations - few.equations),
        few.messages + rounds * (more.messages - few.messages),
        few.flops + rounds * (more.flops - few.flops),
        few.bytes + rounds * (more.bytes - few.bytes),
        max(few.live, more.live),
    )


def run_cost(run: Iterable[Part]) -> ProgramCost:
    """Costs of parts that run one after another, each as often as it does."""
    spent = [(program_cost(part.program), part.times) for part in run]
    return ProgramCost(
        sum(each.equations for each, _ in spent),
        sum(each.messages * times for each, times in spent),
        sum(each.flops * times for each, times in spent),
        sum(each.bytes * times for each, times in spent),
        max(each.live for each, _ in spent),
    )


def parameters(graph: EnergyGraph) -> int:
    """Learned numbers of a graph."""
    return sum(prod(variable.type.shape) for variable in graph.parameters if variable.kind == "parameter")


def program_cost(program: Program) -> ProgramCost:
    """Costs of a program."""
    total = cost(program)
    sent = messages(program, "bottom") + messages(program, "top")
    return ProgramCost(len(program.equations), sent, total.flops, total.bytes, total.live + _handed_on(program))


def _handed_on(program: Program) -> int:
    """Bytes of the entries of the state that a program does not read, but that are there for others to read."""
    read = {arg for equation in program.equations for arg in equation.args}
    kept = (v for v in program.variables if v.kind == "state" and v.type.batched and v.name not in read)
    outputs = {value for _, value in program.outputs}
    return sum(variable.type.bytes for variable in kept if variable.name in outputs)


def _unrolled(graph: EnergyGraph, options: Options, passes: int) -> Program:
    """The plain unrolling that gives what `forward` does."""
    program = unroll(graph, passes, options.clamp, options.start)
    names = set(graph.outputs) or set(graph.layer)
    names |= {state.name for state in graph.feedback.states} if graph.feedback else set()
    return replace(program, outputs=tuple(pair for pair in program.outputs if pair[0] in names))


def _repeated(once: ProgramCost, times: int) -> ProgramCost:
    """Costs of a program that runs several times, written once."""
    return ProgramCost(once.equations, once.messages * times, once.flops * times, once.bytes * times, once.live)


def _added(one: ProgramCost, other: ProgramCost) -> ProgramCost:
    return ProgramCost(
        one.equations + other.equations,
        one.messages + other.messages,
        one.flops + other.flops,
        one.bytes + other.bytes,
        max(one.live, other.live),
    )


def _layers(graph: EnergyGraph, latents: Program) -> list[PartCost]:
    spent = _flops(latents)
    found: list[PartCost] = []
    for layer in graph.layers:
        passes = [flops for (name, pass_), flops in spent.items() if name == layer.name and pass_ > 0]
        once = spent.get((layer.name, 0), 0)
        parameters = _parameters(graph, layer.name)
        flops = max(passes, default=0) + once
        found.append(PartCost("layer", layer.name, layer.channels, layer.size, layer.units, parameters, flops))
    return found


def _filters(graph: EnergyGraph) -> list[PartCost]:
    names = dict.fromkeys(c.shared for layer in graph.layers for c in layer.couplings if c.shared)
    return [PartCost("filter", name, None, None, 0, _parameters(graph, name), 0) for name in names]


def _heads(graph: EnergyGraph, forward: Program) -> list[PartCost]:
    spent = _flops(forward)
    found: list[PartCost] = []
    for head in graph.heads:
        flops = sum(each for (name, _), each in spent.items() if name == head.name)
        found.append(PartCost("head", head.name, None, None, 0, _parameters(graph, f"heads.{head.name}"), flops))
    return found


def _parameters(graph: EnergyGraph, stem: str) -> int:
    own = re.compile(rf"(step\d+\.)?{re.escape(stem)}\.")
    owned = [v for v in graph.parameters if v.kind == "parameter" and own.match(v.name)]
    return sum(prod(variable.type.shape) for variable in owned)


def _flops(program: Program) -> dict[tuple[str, int], int]:
    """Operations by layer (or head) and pass."""
    types = {variable.name: variable.type for variable in program.variables}
    types |= {equation.out: equation.type for equation in program.equations}
    spent: defaultdict[tuple[str, int], int] = defaultdict(int)
    for equation in program.equations:
        spent[equation.origin.layer, equation.origin.pass_] += equation_flops(equation, types)
    return dict(spent)
