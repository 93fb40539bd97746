"""A replicated top-down message is added after pooling instead of before."""

from __future__ import annotations

from lvmc.ir import Builder, Equation, Program, Size, rebuild
from lvmc.ir.ops import Add, RepeatWindows, Take, Winners
from lvmc.rewrites.sweep import sweep


def pool_before_add(program: Program) -> Program:
    """What is equal over a group moves all its units alike: it never changes the winner.

        winners(b + up(t)) = winners(b),   take(b + up(t), w) = take(b, w) + t

    `up` repeats t over windows that groups lie in. Works at a quarter of the elements for 2×2 groups. Holds
    where the drive alone decides the winner (rectified or Boltzmann units, d and the upper bound equal over
    a group), a group lies in one channel and in one window of the coupling above, and nothing else reads
    the sum; exact in real arithmetic.
    """
    readers = _readers(program)
    sources = {equation.out: equation.args[:1] for equation in program.equations}

    def rule(equation: Equation, build: Builder) -> str | None:
        window = _window(equation)
        add = build.definitions.get(equation.args[0]) if window else None
        if window is None or add is None or not isinstance(add.op, Add):
            return None
        drive = sources[equation.out][0]
        if any(reader is None or _window(reader) != window for reader in readers[drive]):
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


def _window(equation: Equation) -> Size | None:
    """The window over which an equation picks a winner by its first argument alone."""
    match equation.op:
        case Take(window):
            return window
        case Winners(group) if group.channels == 1 and len(equation.args) == 1:
            return group.window
        case _:
            return None


def _spans(build: Builder, value: str, window: Size) -> bool:
    op = build.defining(value)
    return isinstance(op, RepeatWindows) and op.window[0] % window[0] == 0 and op.window[1] % window[1] == 0


def _readers(program: Program) -> dict[str, list[Equation | None]]:
    """The equations that read each value; None among them for an output."""
    readers: dict[str, list[Equation | None]] = {}
    for equation in program.equations:
        for arg in equation.args:
            readers.setdefault(arg, []).append(equation)
    for _, value in program.outputs:
        readers.setdefault(value, []).append(None)
    return readers
