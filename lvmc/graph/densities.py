"""What density heads say of targets, as programs: f(x, y) or log p(y | x) of candidates, and the mean of a family."""

from __future__ import annotations

from lvmc.graph.losses import parameters_of
from lvmc.graph.records import EnergyGraph, HeadNode
from lvmc.heads import Desk
from lvmc.heads.density import Density
from lvmc.ir import Builder, Origin, Program, TensorType, Variable


def density_heads(graph: EnergyGraph) -> tuple[tuple[HeadNode, Density], ...]:
    """The density heads of a graph with their records."""
    return tuple((head, head.record) for head in graph.heads if isinstance(head.record, Density))


def value_program(graph: EnergyGraph, head: HeadNode, record: Density, candidates: int = 1) -> Program:
    """f(x, y), or log p(y | x): `value` (candidates,), from `given`, what the head gives, and `y` (candidates, dims).

    The program is written for a number of candidates; what is emitted of it takes any.
    """
    given = Variable("given", TensorType((record.outputs,)), "output")
    y = Variable("y", TensorType((candidates, record.dims)), "target")
    variables = (given, y, *parameters_of(graph, head))
    desk = _desk(head, variables)
    value = record.value(desk, "given", "y")
    name = f"{graph.name}.{head.name}.value"
    return Program(name, variables, graph.planes, desk.build.equations(), (("value", value),))


def mean_program(graph: EnergyGraph, head: HeadNode, record: Density) -> Program | None:
    """The mean (dims,) of a family, from `given`; None of an energy."""
    if record.model == "energy":
        return None
    variables = (Variable("given", TensorType((record.outputs,)), "output"),)
    desk = _desk(head, variables)
    mean = record.mean(desk, "given")
    name = f"{graph.name}.{head.name}.mean"
    return Program(name, variables, graph.planes, desk.build.equations(), (("mean", mean),))


def _desk(head: HeadNode, variables: tuple[Variable, ...]) -> Desk:
    return Desk(Builder(variables), head.name, head.name, Origin(head.name, 0, "head"))
