"""The losses of the heads as one program, from outputs and targets."""

from __future__ import annotations

from collections.abc import Mapping

from lvmc.graph.records import EnergyGraph
from lvmc.heads import Desk
from lvmc.ir import Builder, Origin, Program, TensorType, Variable
from lvmc.ir.ops import Weighted


def losses_program(graph: EnergyGraph, outputs: Mapping[str, TensorType]) -> Program:
    """Every head's loss times its weight, one number each for the batch.

    Variables are `out.<head>` and `targets.<head>`.

    Args:
        graph: Whose heads.
        outputs: Type of each head's output, stacked if it predicts after each pass.
    """
    variables: list[Variable] = []
    for head in graph.heads:
        output = outputs[head.name]
        plain = TensorType(output.shape)
        variables.append(Variable(f"out.{head.name}", output, "output"))
        variables.append(Variable(f"targets.{head.name}", head.record.target(plain), "target"))
    build = Builder(tuple(variables))
    values: list[tuple[str, str]] = []
    for head in graph.heads:
        origin = Origin(head.name, 0, "loss")
        desk = Desk(build, head.name, head.name, origin)
        loss = head.record.loss_equation(desk, f"out.{head.name}", f"targets.{head.name}")
        if head.record.weight != 1.0:
            loss = build.add(Weighted(head.record.weight), loss, name=f"{head.name}_weighted", origin=origin)
        values.append((head.name, loss))
    return Program(f"{graph.name}.losses", tuple(variables), graph.planes, build.equations(), tuple(values))
