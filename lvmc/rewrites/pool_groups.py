"""NMS updates are computed at pooled size, where replicated couplings read them: only winners have values."""

from __future__ import annotations

from lvmc.ir import Builder, Equation, Group, Program, Size, rebuild, uses
from lvmc.ir.ops import AddChannel, DivChannel, Keep, Rectify, Sigmoid, Spread, SumWindows, Take, Winners
from lvmc.rewrites.sweep import sweep


def pool_groups(program: Program) -> Program:
    """Apply a unit's function to the winners alone, and spread the result.

        keep(f(x), winners) = spread(f(take(x, winners)), winners),   P(spread(u, winners)) = u

    The first holds where f acts unit by unit and alike over a group, so where a group lies in one channel (d and the
    upper bound are then equal over it), whoever the winners are; the second where groups tile the windows of P.
    A clamped or given layer is no `spread`, so its sum stays a sum. Applied where nothing else reads f(x) and
    fewer bytes move.
    """
    count = uses(program)
    reads = _pooled_reads(program)

    def rule(equation: Equation, build: Builder) -> str | None:
        if isinstance(equation.op, SumWindows):
            return _sum(equation, equation.op.window, build)
        if not isinstance(equation.op, Keep):
            return None
        winners = build.defining(equation.args[1])
        if not isinstance(winners, Winners) or winners.group.channels > 1:
            return None
        chain = _chain(equation.args[0], build, count)
        if not _pays(len(chain), winners.group, reads.get((equation.out, winners.group.window), 0)):
            return None
        return _pooled(equation, chain, winners.group, build)

    return sweep(program, rebuild(program, rule))


def _sum(equation: Equation, window: Size, build: Builder) -> str | None:
    source = build.definitions.get(equation.args[0])
    if source is None or not isinstance(source.op, Spread):
        return None
    inner = source.op.window
    if window[0] % inner[0] or window[1] % inner[1]:
        return None
    if window == inner:
        return source.args[0]
    left = (window[0] // inner[0], window[1] // inner[1])
    return build.add(SumWindows(left), source.args[0], name=equation.out, origin=equation.origin)


def _chain(value: str, build: Builder, count: dict[str, int]) -> list[Equation]:
    """The unit-by-unit equations that lead to a value and serve nothing else, last first."""
    chain: list[Equation] = []
    while isinstance(build.defining(value), Rectify | Sigmoid | DivChannel | AddChannel) and count[value] == 1:
        chain.append(build.definitions[value])
        value = build.definitions[value].args[0]
    return chain


def _pooled(equation: Equation, chain: list[Equation], group: Group, build: Builder) -> str:
    winners, origin = equation.args[1], equation.origin
    base = chain[-1].args[0]
    largest, pooled = (f"{origin.layer}_{what}_p{origin.pass_}" for what in ("max", "pooled"))
    value = build.add(Take(group.window), base, winners, name=largest, origin=origin)
    for step in reversed(chain):
        name = pooled if step is chain[0] else f"{origin.layer}_scaled_p{origin.pass_}"
        value = build.add(step.op, value, *step.args[1:], name=name, origin=step.origin)
    return build.add(Spread(group.window), value, winners, name=equation.out, origin=origin)


def _pays(steps: int, group: Group, pooled_reads: int) -> bool:
    """Fewer bytes for each unit: read and write 4, a place 8; `pooled_reads` sums over the window become free."""
    share = 1.0 / group.units
    before = 8 * steps + (8 + 8 * share) + pooled_reads * (4 + 4 * share)
    after = (4 + 12 * share) + 8 * share * steps + (4 + 12 * share)
    return steps > 0 and after <= before


def _pooled_reads(program: Program) -> dict[tuple[str, Size], int]:
    """How often each value is summed over windows of each size."""
    count: dict[tuple[str, Size], int] = {}
    for equation in program.equations:
        if isinstance(equation.op, SumWindows):
            key = (equation.args[0], equation.op.window)
            count[key] = count.get(key, 0) + 1
    return count
