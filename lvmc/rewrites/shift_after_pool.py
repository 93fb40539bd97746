"""What a norm adds to every channel is added after pooling instead of before."""

from __future__ import annotations

from lvmc.ir import Builder, Equation, Program, rebuild, uses
from lvmc.ir.ops import AddChannel, Adjoint, Correlate, Winners
from lvmc.rewrites.sweep import sweep
from lvmc.rewrites.windows import read_over_windows_only, readers_of, window_of


def shift_after_pool(program: Program) -> Program:
    """A shift by channel moves all units of a group alike.

        winners(a + c) = winners(a),   take(a + c, w) = take(a, w) + c

    Holds where the drive alone decides the winner, a group lies in one channel, and nothing else reads
    a + c; exact in real arithmetic. A bias that becomes part of its convolution costs less there, and stays.
    """
    count, readers = uses(program), readers_of(program)
    sources = {equation.out: equation.args[:1] for equation in program.equations}

    def rule(equation: Equation, build: Builder) -> str | None:
        window = window_of(equation)
        shift = build.definitions.get(equation.args[0]) if window else None
        if window is None or shift is None or not isinstance(shift.op, AddChannel):
            return None
        source = build.definitions.get(shift.args[0])
        folds = source is not None and isinstance(source.op, Correlate | Adjoint) and count[source.out] == 1
        if folds or not read_over_windows_only(sources[equation.out][0], window, readers):
            return None
        return _moved(equation, shift, build)

    return sweep(program, rebuild(program, rule))


def _moved(equation: Equation, shift: Equation, build: Builder) -> str:
    base = shift.args[0]
    if isinstance(equation.op, Winners):
        return build.add(equation.op, base, name=equation.out, origin=equation.origin)
    value = build.add(equation.op, base, equation.args[1], name=equation.out, origin=equation.origin)
    name = f"{shift.origin.layer}_shifted_p{shift.origin.pass_}"
    return build.add(AddChannel(), value, shift.args[1], name=name, origin=equation.origin)
