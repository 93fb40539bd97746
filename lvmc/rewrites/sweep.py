"""Takes out what a rewrite left without a reader."""

from __future__ import annotations

from dataclasses import replace

from lvmc.ir import Program, uses


def sweep(before: Program, after: Program) -> Program:
    """`after` without the equations that nothing reads any more; what had no reader before stays.

    So each rewrite tidies up after itself, and what no output reads is left to `dead_code`.
    """
    if after is before:
        return before
    unread = {equation.out for equation in before.equations} - uses(before).keys()
    needed = {value for _, value in after.outputs} | unread
    kept: list[bool] = []
    for equation in reversed(after.equations):
        kept.append(equation.out in needed)
        if kept[-1]:
            needed.update(equation.args)
    equations = tuple(eq for eq, keep in zip(after.equations, reversed(kept), strict=True) if keep)
    return after if len(equations) == len(after.equations) else replace(after, equations=equations)
