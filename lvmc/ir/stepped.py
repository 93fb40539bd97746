"""A program that runs in steps: what no step changes once, then a step after another on what the last one left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lvmc.ir.interpret import all_values
from lvmc.ir.ops.base import Array
from lvmc.ir.program import Program


@dataclass(frozen=True, slots=True)
class Carried:
    """A value that steps hand on: its shape without the batch, and the statistic it starts from (empty: from 0)."""

    name: str
    shape: tuple[int, ...]
    start: str = ""


@dataclass(frozen=True, slots=True)
class Stepped:
    """`before`, then `steps` times a body.

    There is one body for all steps, or one a step. Besides parameters, inputs and what else is given, a body is given
    what is carried, and under `state.<entry>` the outputs of `before`. It gives what the step predicts, and what is
    carried as the step leaves it. `layers`, one a body, are the same steps whole, with the layers as outputs.
    """

    before: Program
    bodies: tuple[Program, ...]
    layers: tuple[Program, ...]
    carried: tuple[Carried, ...]
    steps: int

    def body(self, step: int) -> Program:
        """What step `step`, counted from 1, runs."""
        return self.bodies[0 if len(self.bodies) == 1 else step - 1]

    def layers_of(self, step: int) -> Program:
        """Likewise, with the layers as outputs."""
        return self.layers[0 if len(self.layers) == 1 else step - 1]


def entry_name(value: str) -> str:
    """The variable under which a body finds an output of `before`."""
    return f"state.{value}"


def interpret_steps(
    stepped: Stepped, given: Mapping[str, Array], *, steps: int | None = None, training: bool = False
) -> dict[str, Array]:
    """What every step gives, stacked in front, in numpy float64: a plain loop.

    Args:
        stepped: What to run.
        given: Inputs, parameters and statistics; carried values by name where they do not start as the spec says.
        steps: How many; as many as the spec says if not given.
        training: Whether updates are bounded, and norms use the statistics of the batch.
    """
    first = next(iter(stepped.before.variables))
    batch = given[first.name].shape[0]
    state = {each.name: start_of(each, given, batch) for each in stepped.carried}
    fixed = _outputs(stepped.before, given, batch, training)
    known = {**given, **{entry_name(name): value for name, value in fixed.items()}}
    found: list[dict[str, Array]] = []
    for step in range(1, (steps or stepped.steps) + 1):
        found.append(_outputs(stepped.body(step), {**known, **state}, batch, training))
        state = {name: found[-1][name] for name in state}
    return {name: np.stack([each[name] for each in found]) for name in found[0]}


def start_of(carried: Carried, given: Mapping[str, Array], batch: int) -> Array:
    """What a carried value is before the first step, (batch, *shape)."""
    if carried.name in given:
        return given[carried.name]
    shape = (batch, *carried.shape)
    return np.broadcast_to(given[carried.start], shape) if carried.start else np.zeros(shape)


def _outputs(program: Program, given: Mapping[str, Array], batch: int, training: bool) -> dict[str, Array]:
    values = all_values(program, given, batch=batch, training=training)
    return {key: values[value] for key, value in program.outputs}
