"""The losses of the heads as one program, from outputs and targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lvmc.graph.records import EnergyGraph, HeadNode
from lvmc.heads import Desk, Sampled
from lvmc.ir import Builder, Origin, Program, TensorType, Variable
from lvmc.ir.ops import Weighted


def losses_program(graph: EnergyGraph, outputs: Mapping[str, TensorType]) -> Program:
    """Every head's loss times its weight, one number each for the batch.

    Variables are `out.<head>` and `targets.<head>`; of heads with parts, those of the parts that the loss is about; of
    heads whose loss takes samples, also `samples.<head>` and parameters.

    Args:
        graph: Whose heads.
        outputs: Type of each output, stacked if its head predicts after each pass.
    """
    variables: list[Variable] = []
    for head in graph.heads:
        for key in head.outputs:
            target = head.record.target(TensorType(outputs[key].shape))
            variables.append(Variable(f"out.{key}", outputs[key], "output"))
            variables.append(Variable(f"targets.{key}", target, "target"))
        variables += _drawn(graph, head)
    build = Builder(tuple(variables))
    values: list[tuple[str, str]] = []
    for head in graph.heads:
        origin = Origin(head.name, 0, "loss")
        desk = Desk(build, head.name, head.name, origin)
        loss = head.record.loss_equation(desk, f"out.{head.name}", f"targets.{head.name}")
        if head.record.weight != 1.0:
            loss = build.add(Weighted(head.record.weight), loss, name=f"{head.name}_weighted", origin=origin)
        values.append((head.name, loss))
    equations = build.equations()
    read = {arg for equation in equations for arg in equation.args}
    judged = tuple(variable for variable in variables if variable.name in read)
    return Program(f"{graph.name}.losses", judged, graph.planes, equations, tuple(values))


def _drawn(graph: EnergyGraph, head: HeadNode) -> Iterator[Variable]:
    samples = head.record.draws() if isinstance(head.record, Sampled) else None
    if samples is not None:
        yield Variable(f"samples.{head.name}", samples, "sample")
        yield from parameters_of(graph, head)


def parameters_of(graph: EnergyGraph, head: HeadNode) -> Iterator[Variable]:
    """The parameters of a head."""
    yield from (variable for variable in graph.parameters if variable.name.startswith(f"heads.{head.name}."))
