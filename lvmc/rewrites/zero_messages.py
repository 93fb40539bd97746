"""Messages from a block that is still zero vanish."""

from __future__ import annotations

from lvmc.ir import Builder, Equation, Program, rebuild
from lvmc.ir.ops import Add, AddScaled, Adjoint, Correlate, DivChannel, Rectify, RepeatWindows, SumWindows, Zeros
from lvmc.rewrites.sweep import sweep


def zero_messages(program: Program) -> Program:
    """Linear maps of zero are zero, and zero is no term of a sum.

        w ⋆ 0 = 0,   wᵀ 0 = 0,   P 0 = 0,   0/d = 0,   clip(0, 0, u) = 0,   a + 0 = a,   a + σ 0 = a

    In pass 1 every message from above is one of these (unless the latents start at given values). A sum of
    zeros only is one of them. Holds for linear maps without a bias of their own.
    """
    return sweep(program, rebuild(program, _rule))


def _rule(equation: Equation, build: Builder) -> str | None:
    match equation.op:
        case Add():
            return _sum(equation, build)
        case AddScaled() if _is_zero(equation.args[1], build):
            return equation.args[0]
        case Correlate() | Adjoint() if len(equation.args) == 3:
            return None
        case Correlate() | Adjoint() | SumWindows() | RepeatWindows() | DivChannel() | Rectify():
            return _zeros(equation, build) if _is_zero(equation.args[0], build) else None
        case _:
            return None


def _sum(equation: Equation, build: Builder) -> str | None:
    terms = [arg for arg in equation.args if not _is_zero(arg, build)]
    match terms:
        case []:
            return equation.args[0]
        case [term]:
            return term
        case _ if len(terms) == len(equation.args):
            return None
        case _:
            return build.add(Add(), *terms, name=equation.out, origin=equation.origin)


def _zeros(equation: Equation, build: Builder) -> str:
    first = build.defining(equation.args[0])
    assert isinstance(first, Zeros)
    channels, height, width = equation.type.shape
    return build.add(Zeros((channels, height, width), equation.origin.layer), name=equation.out, origin=equation.origin)


def _is_zero(value: str, build: Builder) -> bool:
    return isinstance(build.defining(value), Zeros)
