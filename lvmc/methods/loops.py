"""Methods of a loop: what gives its first state, each next one, and the statements that run it."""

from __future__ import annotations

import json
from dataclasses import replace
from math import prod

from lvmc.assemble import Programs
from lvmc.codegen import Method
from lvmc.graph import EnergyGraph
from lvmc.ir import Program
from lvmc.ir.rolled import Rolled
from lvmc.memory import Recompute
from lvmc.methods.call import STATE, Call, state_bindings


def setup_of(made: Programs, call: Call, plan: Recompute | None) -> tuple[str, ...]:
    """Statements of forward and latents before their own part: the loop."""
    if made.settling is not None:
        return (f"state = self._settle({call.arguments})",)
    if made.loop is None:
        return ()
    if plan is not None and plan.every:
        return (
            f"state = self._first({call.arguments})  # pass 1",
            f"state = rounds(state, size, self._down, self._up, {made.loop.rounds}, {plan.every})"
            f"  # passes 2 to {2 * made.loop.rounds + 1}",
        )
    return (
        f"state = self._first({call.arguments})  # pass 1",
        f"for _ in range({made.loop.rounds}):",
        f"    state = self._down(state, size)  # passes 2, 4, … {2 * made.loop.rounds}",
        f"    state = self._up(state, size)  # passes 3, 5, … {2 * made.loop.rounds + 1}",
    )


def loop_methods(loop: Rolled, call: Call, stem: str) -> list[Method]:
    """Methods that give the first state, and from each state the next."""
    return [
        Method(
            f"_{stem}first", call.inner, "dict[str, Tensor]", ("The state after pass 1, bottom-up.",), loop.first,
            call.bindings, sizes="given", headings=False,
        ),
        next_state(f"_{stem}down", "The state after an even pass, top-down.", loop.down, call),
        next_state(f"_{stem}up", "The state after an odd pass, bottom-up.", loop.up, call),
    ]  # fmt: skip


def next_state(name: str, docstring: str, program: Program, call: Call) -> Method:
    bound = state_bindings(program, call)
    return Method(name, STATE, "dict[str, Tensor]", (docstring,), program, bound, sizes="given", headings=False)


def in_parts(method: Method, graph: EnergyGraph, plan: Recompute, call: Call) -> list[Method]:
    """A public method that runs a few samples at a time when there will be gradients, and what runs them."""
    assert method.program is not None
    types = {v.name: v.type for v in method.program.variables} | {e.out: e.type for e in method.program.equations}
    axes = {key: 1 if types[value].stacked else 0 for key, value in method.program.outputs}
    first = call.names[0]
    nominal = next(plane.size for plane in graph.planes if plane.name == first)
    given = f"({call.names[0]},)" if len(call.names) == 1 else f"({', '.join(call.names)})"
    setup = (
        f"rows = rows_within({plan.budget - plan.tied}, {plan.heads / prod(nominal):.1f},"
        f" {plan.sample / prod(nominal):.1f}, {first})",
        f"axes = {json.dumps(axes)}",
        f"return in_parts(self._{method.name}, rows, {given}, axes)",
    )
    more = f"With gradients, as many samples at a time as {plan.budget:,} bytes hold, recomputed for the backward pass."
    public = replace(method, program=None, setup=setup, docstring=(*method.docstring, more), sizes="unused")
    names = ", ".join(f"{name}: Tensor" for name in call.names)
    return [public, replace(method, name=f"_{method.name}", arguments=names)]
