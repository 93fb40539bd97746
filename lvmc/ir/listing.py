"""A program as text: one equation a line, with its shape and what it is part of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import cast

from lvmc.ir.ops.base import Op
from lvmc.ir.program import Equation, Origin, Program
from lvmc.ir.types import Geometry, Group


def listing(program: Program) -> str:
    """The program as text; equal programs give equal text."""
    lines = [f"program {program.name}"]
    lines += [f"  {v.kind} {v.name}: {v.type}" for v in program.variables if _used(program, v.name)]
    section = None
    for equation in program.equations:
        heading = pass_heading(equation.origin)
        if heading != section:
            lines.append(f"  -- {heading}")
            section = heading
        lines.append("  " + equation_text(equation))
    lines += [f"  return {key} = {value}" for key, value in program.outputs]
    return "\n".join(lines) + "\n"


def equation_text(equation: Equation) -> str:
    """`h2_p1 = Rectify(h2_drive_p1)   # 32×64×64`."""
    return f"{equation.out} = {op_text(equation.op)}({', '.join(equation.args)})   # {equation.type}"


def op_text(op: Op) -> str:
    """The op's name with those static attributes that are not at their default: `Correlate[padding=(1,1)]`."""
    shown = ", ".join(_changed(op))
    return type(op).__name__ + (f"[{shown}]" if shown else "")


def pass_heading(origin: Origin) -> str:
    """Which part of the program an equation belongs to."""
    match origin:
        case Origin(role="head"):
            return "heads"
        case Origin(role="score"):
            return "score"
        case Origin(role="loss"):
            return "losses"
        case Origin(role="state"):
            return "what is carried on"
        case Origin(pass_=0):
            return "before the first pass"
        case Origin(pass_=k):
            return f"pass {k}, {'bottom-up' if k % 2 else 'top-down'}"


def _changed(record: Op | Geometry) -> Iterator[str]:
    """`name=value` of every attribute away from its default; those of a geometry stand for themselves."""
    for each in fields(record):
        value: object = getattr(record, each.name)
        if isinstance(value, Geometry):
            yield from _changed(value)
        elif value != each.default:
            yield f"{each.name}={_short(value)}"


def _short(value: object) -> str:
    if isinstance(value, Group) or not isinstance(value, tuple):
        return str(value)
    parts = [_short(part) for part in cast("tuple[object, ...]", value)]
    same = len(parts) > 2 and len(set(parts)) == 1
    return f"{parts[0]}×{len(parts)}" if same else f"({','.join(parts)})"


def _used(program: Program, name: str) -> bool:
    return any(name in equation.args for equation in program.equations) or any(name == v for _, v in program.outputs)
