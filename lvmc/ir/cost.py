"""What a program costs: floating-point operations, bytes moved, parameters, and the peak of live bytes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from lvmc.ir.ops.arithmetic import Constant
from lvmc.ir.ops.readout import Reshape
from lvmc.ir.program import Equation, Program
from lvmc.ir.types import TensorType


@dataclass(frozen=True, slots=True)
class Cost:
    """Costs of one sample at nominal size, in float32.

    `bytes` counts every argument read and every value written; `live` is the largest sum of values (not
    parameters) that are alive at once when each is dropped after its last use.
    """

    flops: int
    bytes: int
    parameters: int
    live: int


def cost(program: Program) -> Cost:
    """Cost of a program."""
    types = {variable.name: variable.type for variable in program.variables}
    types |= {equation.out: equation.type for equation in program.equations}
    return Cost(
        flops=sum(equation_flops(equation, types) for equation in program.equations),
        bytes=sum(equation_bytes(equation, types) for equation in program.equations),
        parameters=sum(prod(v.type.shape) for v in program.variables if v.kind == "parameter"),
        live=peak_live(program, types),
    )


def equation_flops(equation: Equation, types: dict[str, TensorType]) -> int:
    """Floating-point operations of one equation."""
    return equation.op.flops([types[arg] for arg in equation.args], equation.type)


def equation_bytes(equation: Equation, types: dict[str, TensorType]) -> int:
    """Bytes that one equation reads and writes; a reshape moves none."""
    if isinstance(equation.op, Reshape | Constant):
        return 0
    return sum(types[arg].bytes for arg in equation.args) + equation.type.bytes


def peak_live(program: Program, types: dict[str, TensorType]) -> int:
    """Largest sum of batched values alive at once, in bytes; outputs and given values live to the end."""
    last = {arg: index for index, equation in enumerate(program.equations) for arg in equation.args}
    lasting = {value for _, value in program.outputs} | {variable.name for variable in program.variables}
    given = [v.type for v in program.variables if v.type.batched and v.name in last]
    live = sum(each.bytes for each in given)
    peak = live
    for index, equation in enumerate(program.equations):
        if equation.type.batched:
            live += equation.type.bytes
            peak = max(peak, live)
        ended = {value for value in (*equation.args, equation.out) if last.get(value, index) == index}
        live -= sum(types[value].bytes for value in ended - lasting if types[value].batched)
    return peak
