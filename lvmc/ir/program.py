"""A program: given variables, equations in static single assignment, and named outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lvmc.ir.ops.base import Op
from lvmc.ir.ops.messages import Adjoint, Correlate
from lvmc.ir.types import Plane, TensorType, Variable

Role = Literal[
    "start",
    "bottom",
    "top",
    "lateral",
    "drive",
    "winner",
    "update",
    "norm",
    "head",
    "score",
    "loss",
    "derived",
    "state",
]


@dataclass(frozen=True, slots=True)
class Origin:
    """What an equation is part of: a layer (or head) in a pass (0: before the first), and the sender of a message."""

    layer: str
    pass_: int
    role: Role
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Equation:
    """`out = op(*args)`: one value of the program, bound once and never changed.

    `origin` names the layer and pass it belongs to, for messages, listings and emitted comments.
    """

    out: str
    op: Op
    args: tuple[str, ...]
    type: TensorType
    origin: Origin


@dataclass(frozen=True, slots=True)
class Program:
    """Straight-line equations from given variables to outputs.

    `outputs` pairs what a caller sees (a head, a layer) with the value it is read from; `planes` holds the
    plane of every block, from which sizes other than the nominal ones follow.
    """

    name: str
    variables: tuple[Variable, ...]
    planes: tuple[Plane, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[tuple[str, str], ...]


def uses(program: Program) -> dict[str, int]:
    """How often each value is an argument or an output."""
    count: dict[str, int] = {}
    for equation in program.equations:
        for arg in equation.args:
            count[arg] = count.get(arg, 0) + 1
    for _, value in program.outputs:
        count[value] = count.get(value, 0) + 1
    return count


def messages(program: Program, role: Literal["bottom", "top"]) -> int:
    """How many bottom-up correlations, or top-down adjoints, a program computes between layers."""
    return sum(eq.origin.role == role and isinstance(eq.op, Correlate | Adjoint) for eq in program.equations)
