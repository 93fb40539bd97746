"""A replicated top-down message is added after pooling instead of before."""

from __future__ import annotations

from lvmc.ir import Builder, Equation, Program, Size, rebuild
from lvmc.ir.ops import Add, RepeatWindows, Winners
from lvmc.rewrites.sweep import sweep
from lvmc.rewrites.windows import read_over_windows_only, readers_of, window_of


def pool_before_add(program: Program) -> Program:
    """What is equal over a group moves all its units alike: it never changes the winner.

        winners(b + up(t)) = winners(b),   take(b + up(t), w) = take(b, w) + t

    `up` repeats t over windows that groups lie in. Works at a quarter of the elements for 2×2 groups. Holds
    where the drive alone decides the winner (rectified or Boltzmann units, d and the upper bound equal over
    a group), a group lies in one channel and in one window of the coupling above, and nothing else reads
    the sum; exact in real arithmetic.
    """
    readers = readers_of(program)
    sources = {equation.out: equation.args[:1] for equation in program.equations}

    def rule(equation: Equation, build: Builder) -> str | None:
        window = window_of(equation)
        add = build.definitions.get(equation.args[0]) if window else None
        if window is None or add is None or not isinstance(add.op, Add):
            return None
        if not read_over_windows_only(sources[equation.out][0], window, readers):
            return None
        level = [arg for arg in add.args if _spans(build, arg, window)]
        rest = [arg for arg in add.args if arg not in level]
        return _moved(equation, add, rest, level, window, build) if level and rest else None

    return sweep(program, rebuild(program, rule))


def _moved(equation: Equation, add: Equation, rest: list[str], level: list[str], window: Size, build: Builder) -> str:
    base = _sum(add, tuple(rest), build)
    if isinstance(equation.op, Winners):
        return build.add(equation.op, base, name=equation.out, origin=equation.origin)
    value = build.add(equation.op, base, equation.args[1], name=f"{equation.out}_rest", origin=equation.origin)
    pooled = [_pooled(build, arg, window) for arg in level]
    return build.add(Add(), value, *pooled, name=equation.out, origin=equation.origin)


def _sum(add: Equation, rest: tuple[str, ...], build: Builder) -> str:
    """The sum of what is left; one value for the winners and for their drives."""
    if len(rest) == 1:
        return rest[0]
    known = build.definitions.get(f"{add.out}_rest")
    if known is not None and known.args == rest:
        return known.out
    return build.add(Add(), *rest, name=f"{add.out}_rest", origin=add.origin)


def _pooled(build: Builder, value: str, window: Size) -> str:
    """take(up(t)) for windows inside those of `up`: t, or t repeated over what is left."""
    repeat = build.definitions[value]
    assert isinstance(repeat.op, RepeatWindows)
    left = (repeat.op.window[0] // window[0], repeat.op.window[1] // window[1])
    if left == (1, 1):
        return repeat.args[0]
    return build.add(RepeatWindows(left), repeat.args[0], name=f"{value}_pooled", origin=repeat.origin)


def _spans(build: Builder, value: str, window: Size) -> bool:
    op = build.defining(value)
    return isinstance(op, RepeatWindows) and op.window[0] % window[0] == 0 and op.window[1] % window[1] == 0
