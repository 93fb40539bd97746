"""The winner's drive is a maximum: max-pooling."""

from __future__ import annotations

from lvmc.ir import Builder, Equation, Program, Size, rebuild, uses
from lvmc.ir.ops import Keep, MaxWindows, SumWindows, Take, Winners
from lvmc.rewrites.sweep import sweep


def max_pool(program: Program) -> Program:
    """The winner's drive is the group's largest, and a sum over one nonzero value is that value.

        take(a, winners(a)) = maxpool(a),   P(keep(x, w)) = take(x, w)

    The first holds where the drive a alone decided the winners; the second where groups lie in one channel
    and are the windows of P, and nothing else reads the kept values. A clamped or given layer was not just
    kept, so its sum stays a sum.
    """
    count = uses(program)

    def rule(equation: Equation, build: Builder) -> str | None:
        match equation.op:
            case Take(window):
                return _maximum(equation, window, build)
            case SumWindows(window):
                return _sum(equation, window, build, count)
            case _:
                return None

    return sweep(program, rebuild(program, rule))


def _maximum(equation: Equation, window: Size, build: Builder) -> str | None:
    drive, mask = equation.args
    winners = build.definitions.get(mask)
    if winners is None or winners.args != (drive,) or not _tiles(winners, window):
        return None
    return build.add(MaxWindows(window), drive, name=equation.out, origin=equation.origin)


def _sum(equation: Equation, window: Size, build: Builder, count: dict[str, int]) -> str | None:
    source = build.definitions.get(equation.args[0])
    if source is None:
        return None
    if not isinstance(source.op, Keep) or count[source.out] > 1:
        return None
    if not _tiles(build.definitions.get(source.args[1]), window):
        return None
    return build.add(Take(window), *source.args, name=equation.out, origin=equation.origin)


def _tiles(winners: Equation | None, window: Size) -> bool:
    return winners is not None and isinstance(winners.op, Winners) and winners.op.group == (1, *window)
