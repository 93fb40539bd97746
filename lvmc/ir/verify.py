"""Checks that a program is one: bound before use, bound once, typed as its ops say, outputs bound."""

from __future__ import annotations

from lvmc.ir.program import Equation, Program
from lvmc.ir.types import TensorType


def verify(program: Program) -> None:
    """Raise TypeError naming the first equation that is wrong."""
    types = {variable.name: variable.type for variable in program.variables}
    if len(types) != len(program.variables):
        raise TypeError(f"{program.name}: two variables share a name")
    for equation in program.equations:
        fault = _fault(equation, types)
        if fault:
            raise TypeError(f"{program.name}: {equation.out}: {fault}")
        types[equation.out] = equation.type
    for key, value in program.outputs:
        if value not in types:
            raise TypeError(f"{program.name}: output {key} is the unbound value {value}")


def _fault(equation: Equation, types: dict[str, TensorType]) -> str:
    if equation.out in types:
        return "bound twice"
    unbound = [arg for arg in equation.args if arg not in types]
    if unbound:
        return f"uses {unbound[0]} before it is bound"
    low, high = equation.op.arity
    if not low <= len(equation.args) <= high:
        return f"{type(equation.op).__name__} takes {low} to {high} arguments, not {len(equation.args)}"
    try:
        inferred = equation.op.type([types[arg] for arg in equation.args])
    except TypeError as error:
        return str(error)
    return "" if inferred == equation.type else f"typed {equation.type}, but its op gives {inferred}"
