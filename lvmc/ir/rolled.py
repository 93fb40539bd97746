"""A program with a loop in it: straight-line parts that hand a state of named values on to one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lvmc.ir.interpret import all_values
from lvmc.ir.ops.base import Array
from lvmc.ir.program import Program
from lvmc.ir.types import Variable


@dataclass(frozen=True, slots=True)
class Rolled:
    """The first pass, `rounds` times a pass down and a pass up, and the rest.

    Every part is a straight-line program. Besides parameters, its variables are entries of the state, called
    `state.<entry>`; the outputs of `first`, `down` and `up` are the entries of the next state. The tails give what
    the whole program gives, each under the name of the method that gives it.
    """

    first: Program
    down: Program
    up: Program
    rounds: int
    tails: Mapping[str, Program]

    def parts(self, tail: str) -> tuple[tuple[Program, int], ...]:
        """Every part with how often it runs, in order."""
        return ((self.first, 1), (self.down, self.rounds), (self.up, self.rounds), (self.tails[tail], 1))


def state_name(entry: str) -> str:
    """The variable that stands for an entry of the state."""
    return f"state.{entry}"


def entry_of(variable: Variable) -> str | None:
    """The entry of the state that a variable stands for; None for a parameter or an input."""
    return variable.name.removeprefix("state.") if variable.kind == "state" else None


def interpret_rolled(
    rolled: Rolled, tail: str, given: Mapping[str, Array], *, batch: int | None = None, training: bool = False
) -> dict[str, Array]:
    """Outputs of a rolled program by key; arguments as those of `interpret`."""

    def run(program: Program, state: Mapping[str, Array]) -> dict[str, Array]:
        known = {**given, **{state_name(entry): value for entry, value in state.items()}}
        values = all_values(program, known, batch=batch, training=training)
        return {key: values[value] for key, value in program.outputs}

    state = run(rolled.first, {})
    for _ in range(rolled.rounds):
        state = run(rolled.up, run(rolled.down, state))
    return run(rolled.tails[tail], state)
