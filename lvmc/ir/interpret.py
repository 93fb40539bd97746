"""Runs a program in numpy float64: the meaning that every law is checked against."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lvmc.ir.ops.base import Array, Context
from lvmc.ir.program import Program


def interpret(
    program: Program, given: Mapping[str, Array], *, batch: int | None = None, training: bool = False
) -> dict[str, Array]:
    """Outputs of a program by key.

    Args:
        program: What to run.
        given: Every variable the equations use, by name: (B, *shape) where batched; parameters by state name.
        batch: Batch size; read off the first batched variable if not given.
        training: Whether norms use the statistics of the batch instead of the running ones.

    Raises:
        KeyError: A variable is missing.
    """
    values = all_values(program, given, batch=batch, training=training)
    return {key: values[value] for key, value in program.outputs}


def all_values(
    program: Program, given: Mapping[str, Array], *, batch: int | None = None, training: bool = False
) -> dict[str, Array]:
    """Every value of a program by name, given variables included."""
    values = {name: value if value.dtype == bool else np.asarray(value, np.float64) for name, value in given.items()}
    context = Context(_batch(program, values) if batch is None else batch, training)
    for equation in program.equations:
        values[equation.out] = equation.op.meaning([values[arg] for arg in equation.args], context)
    return values


def _batch(program: Program, values: Mapping[str, Array]) -> int:
    for variable in program.variables:
        if variable.type.batched and variable.name in values:
            return values[variable.name].shape[variable.type.stacked > 0]
    return 1
