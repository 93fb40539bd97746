"""Writes programs: names values, infers their types, and, when sharing, gives equal equations one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from lvmc.ir.ops.base import Op
from lvmc.ir.program import Equation, Origin, Program
from lvmc.ir.types import TensorType, Variable

Rule = Callable[[Equation, "Builder"], str | None]


class Builder:
    """Collects equations. With `share`, an equation equal to an earlier one (op and arguments) is that one's value.

    `reserved` names are kept free for equations still to come.
    """

    def __init__(self, variables: tuple[Variable, ...], share: bool = False) -> None:
        self.types: dict[str, TensorType] = {variable.name: variable.type for variable in variables}
        self.definitions: dict[str, Equation] = {}
        self.reserved: set[str] = set()
        self._share = share
        self._values: dict[tuple[Op, tuple[str, ...]], str] = {}

    def add(self, op: Op, *args: str, name: str, origin: Origin) -> str:
        """Append `name = op(*args)` and return the value's name, made unique if it is taken."""
        known = self._values.get((op, args)) if self._share else None
        if known is not None:
            return known
        out = self._unique(name)
        inferred = op.type([self.types[arg] for arg in args])
        return self._append(Equation(out, op, args, inferred, origin))

    def keep(self, equation: Equation) -> str:
        """Append an equation as it stands, renamed if its name is taken."""
        known = self._values.get((equation.op, equation.args)) if self._share else None
        if known is not None:
            return known
        if equation.out in self.types:
            equation = replace(equation, out=self._unique(equation.out))
        return self._append(equation)

    def defining(self, value: str) -> Op | None:
        """The op that made a value; None for a variable."""
        equation = self.definitions.get(value)
        return equation.op if equation else None

    def equations(self) -> tuple[Equation, ...]:
        """What was collected, in order."""
        return tuple(self.definitions.values())

    def _append(self, equation: Equation) -> str:
        self.types[equation.out] = equation.type
        self.definitions[equation.out] = equation
        if self._share:
            self._values[equation.op, equation.args] = equation.out
        return equation.out

    def _unique(self, name: str) -> str:
        if name not in self.types and name not in self.reserved:
            return name
        count = 2
        while f"{name}__{count}" in self.types or f"{name}__{count}" in self.reserved:
            count += 1
        return f"{name}__{count}"


def rebuild(program: Program, rule: Rule, share: bool = False) -> Program:
    """Walk a program in order and let `rule` replace equations; the same program back if nothing changed.

    The rule sees each equation with its arguments already replaced, and the builder of the new program. It
    returns the name of a value to use instead, or None to keep the equation.
    """
    builder = Builder(program.variables, share)
    builder.reserved = {equation.out for equation in program.equations}
    renamed: dict[str, str] = {}
    for old in program.equations:
        builder.reserved.discard(old.out)
        equation = old
        if any(arg in renamed for arg in old.args):
            equation = replace(old, args=tuple(renamed.get(arg, arg) for arg in old.args))
        value = rule(equation, builder)
        value = builder.keep(equation) if value is None else value
        if value != old.out:
            renamed[old.out] = value
    equations = builder.equations()
    outputs = tuple((key, renamed.get(value, value)) for key, value in program.outputs)
    if equations == program.equations and outputs == program.outputs:
        return program
    changed = Program(program.name, program.variables, program.planes, equations, outputs)
    return _keeping_layer_names(changed, program, renamed)


def _keeping_layer_names(changed: Program, before: Program, renamed: dict[str, str]) -> Program:
    """A value that now stands for a layer after a pass takes that name, `h2_p1`."""
    made = {equation.out for equation in changed.equations}
    wanted: dict[str, str] = {}
    for equation in before.equations:
        value = renamed.get(equation.out)
        if value in made and is_layer_value(equation) and equation.out not in made | set(wanted.values()):
            wanted.setdefault(value, equation.out)
    taken = {equation.out for equation in changed.equations if is_layer_value(equation)}
    names = {value: name for value, name in wanted.items() if value not in taken}
    return with_names(changed, names) if names else changed


def is_layer_value(equation: Equation) -> bool:
    """Whether an equation is the final value of a layer's update in a pass."""
    return equation.out == f"{equation.origin.layer}_p{equation.origin.pass_}"


def with_names(program: Program, names: Mapping[str, str]) -> Program:
    """The program with some of its values renamed."""
    equations = tuple(
        replace(
            equation,
            out=names.get(equation.out, equation.out),
            args=tuple(names.get(arg, arg) for arg in equation.args),
        )
        for equation in program.equations
    )
    outputs = tuple((key, names.get(value, value)) for key, value in program.outputs)
    return replace(program, equations=equations, outputs=outputs)
