"""A diagonal becomes part of the convolution it divides, where filters are smaller than planes."""

from __future__ import annotations

from dataclasses import replace

from lvmc.ir import Builder, Equation, Program, rebuild, uses
from lvmc.ir.ops import Correlate, DivChannel, DivFilter
from lvmc.rewrites.sweep import sweep


def fold_scale(program: Program) -> Program:
    """(w ⋆ x + b) / d = (w/d) ⋆ x + b/d.

    Exact in real arithmetic, for the bottom-up use alone: the top-down message keeps w. Applied where
    nothing else reads w ⋆ x + b, and where dividing the filter and the bias takes no more operations and
    bytes than dividing the plane.
    """
    count = uses(program)

    def rule(equation: Equation, build: Builder) -> str | None:
        source = build.definitions.get(equation.args[0]) if isinstance(equation.op, DivChannel) else None
        if source is None or not isinstance(source.op, Correlate) or count[source.out] > 1:
            return None
        channels, plane = equation.type.shape[0], equation.type.elements
        sizes = [build.types[parameter].elements for parameter in source.args[1:]]
        if sum(sizes) > plane or sum(2 * size + channels for size in sizes) > 2 * plane + channels:
            return None
        return _folded(equation, source, build)

    return sweep(program, rebuild(program, rule))


def _folded(equation: Equation, source: Equation, build: Builder) -> str:
    divisor, origin = equation.args[1], replace(equation.origin, role="derived")
    parts = [
        build.add(DivFilter(), parameter, divisor, name=f"{origin.layer}_{part}_folded", origin=origin)
        for parameter, part in zip(source.args[1:], ("weight", "bias"), strict=False)
    ]
    return build.add(source.op, source.args[0], *parts, name=f"{source.out}_scaled", origin=source.origin)
