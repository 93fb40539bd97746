"""What a compiled spec costs: layer by layer, and the whole program before and after the rewrites."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import prod
from typing import Literal

from lvmc.assemble import Options, programs
from lvmc.graph import EnergyGraph
from lvmc.ir import Program, Size, cost, messages
from lvmc.ir.cost import equation_flops


@dataclass(frozen=True, slots=True)
class ProgramCost:
    """Costs of a program for one sample at nominal size, in float32; messages are correlations up and adjoints down."""

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
    """Costs of a spec: its parts, and `forward` as it is unrolled and as it is emitted."""

    parts: tuple[PartCost, ...]
    plain: ProgramCost
    rewritten: ProgramCost

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
    unrolled = Options(False, options.passes, options.clamp, options.start, options.seed)
    plain = programs(graph, unrolled)
    rewritten = programs(graph, options).forward if options.optimize else plain.forward
    parts = (*_layers(graph, plain.latents), *_filters(graph), *_heads(graph, plain.forward))
    return Costs(parts, program_cost(plain.forward), program_cost(rewritten))


def parameters(graph: EnergyGraph) -> int:
    """Learned numbers of a graph."""
    return sum(prod(variable.type.shape) for variable in graph.parameters if variable.kind == "parameter")


def program_cost(program: Program) -> ProgramCost:
    """Costs of a program."""
    total = cost(program)
    sent = messages(program, "bottom") + messages(program, "top")
    return ProgramCost(len(program.equations), sent, total.flops, total.bytes, total.live)


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
    owned = [v for v in graph.parameters if v.kind == "parameter" and v.name.startswith(f"{stem}.")]
    return sum(prod(variable.type.shape) for variable in owned)


def _flops(program: Program) -> dict[tuple[str, int], int]:
    """Operations by layer (or head) and pass."""
    types = {variable.name: variable.type for variable in program.variables}
    types |= {equation.out: equation.type for equation in program.equations}
    spent: defaultdict[tuple[str, int], int] = defaultdict(int)
    for equation in program.equations:
        spent[equation.origin.layer, equation.origin.pass_] += equation_flops(equation, types)
    return dict(spent)
