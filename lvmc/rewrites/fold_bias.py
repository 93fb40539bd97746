"""A bias becomes part of the convolution it is added to."""

from __future__ import annotations

from lvmc.ir import Builder, Equation, Program, rebuild, uses
from lvmc.ir.ops import AddChannel, Adjoint, Correlate
from lvmc.rewrites.sweep import sweep


def fold_bias(program: Program) -> Program:
    """(w ⋆ x) + b = conv(x, w, b), and likewise for the adjoint.

    Holds where nothing else reads w ⋆ x: in the passes after the first, the cached message then carries its
    bias with it.
    """
    count = uses(program)

    def rule(equation: Equation, build: Builder) -> str | None:
        source = build.definitions.get(equation.args[0]) if isinstance(equation.op, AddChannel) else None
        if source is None or not isinstance(source.op, Correlate | Adjoint) or len(source.args) == 3:
            return None
        if count[source.out] > 1:
            return None
        args = (*source.args, equation.args[1])
        return build.add(source.op, *args, name=f"{source.out}_biased", origin=source.origin)

    return sweep(program, rebuild(program, rule))
