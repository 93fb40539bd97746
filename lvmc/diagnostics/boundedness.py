"""Whether S has a maximum for every input: the form on the layers that can grow, and its boundary."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lvmc.diagnostics.decide import Decision
from lvmc.graph import EnergyGraph
from lvmc.graph.form import Form
from lvmc.graph.operator import linear_term
from lvmc.verdicts import Answer, Array


def free_layers(form: Form) -> Form:
    """The recession cone's part of the form: layers with an upper bound stay where they are."""
    return form.without([block.name for block in form.blocks if block.bounded])


def boundedness(
    graph: EnergyGraph, parameters: Mapping[str, NDArray[np.floating]], free: Form, decision: Decision | None
) -> tuple[Answer, str]:
    """Whether S is bounded above for every input, and why, in a sentence.

    `decision` is on `free`; None where no layer can grow. On the boundary (copositive, zᵀAz = 0 for a z ≠ 0 in K),
    S(t z) = t bᵀz: bounded only for drives b with bᵀz ≤ 0 (Eaves 1971; Frank and Wolfe 1956).
    """
    if decision is None:
        return True, "every layer has an upper bound, so S is bounded whatever the weights"
    verdict = decision.verdict
    among = _among(graph, free)
    if verdict.strict:
        return True, f"−W is strictly copositive{among}: along every direction S falls in the end"
    if verdict.copositive is False:
        return False, f"−W is not copositive{among}: S grows as t² along the witness, whatever the input"
    if verdict.strict is False and verdict.witness is not None:
        return _on_the_boundary(graph, parameters, free, verdict.witness.arrays)
    return None, f"whether −W is strictly copositive{among} is undecided"


def _on_the_boundary(
    graph: EnergyGraph, parameters: Mapping[str, NDArray[np.floating]], free: Form, zero: Mapping[str, Array]
) -> tuple[Answer, str]:
    names = {node.name for node in graph.inputs}
    support = [name for name, values in zero.items() if np.any(values != 0)]
    heard = [name for name in support if any(coupling.lower in names for coupling in graph.layer[name].couplings)]
    if heard:
        return False, (
            f"−W is copositive but not strictly: along the witness S is linear in t, and inputs that drive "
            f"{', '.join(heard)} along it make it grow for ever"
        )
    drive = _drive(graph, parameters)
    slope = sum(float((drive[name] * zero[name]).sum()) for name in support)
    if slope > 0:
        return False, f"−W is copositive but not strictly, and the biases drive S along the witness (slope {slope:.3g})"
    return None, "−W is copositive but not strictly: S is bounded only where no drive points along its zero directions"


def _drive(graph: EnergyGraph, parameters: Mapping[str, NDArray[np.floating]]) -> Mapping[str, Array]:
    """b of every layer with inputs at 0, (channels, height, width)."""
    nothing = {node.name: np.zeros((1, node.channels, *node.size)) for node in graph.inputs}
    values = {name: np.asarray(value, np.float64) for name, value in parameters.items()}
    flat, start = linear_term(graph, values, nothing)[0], 0
    drives: dict[str, Array] = {}
    for layer in graph.layers:
        drives[layer.name] = flat[start : start + layer.units].reshape(layer.channels, *layer.size)
        start += layer.units
    return drives


def _among(graph: EnergyGraph, free: Form) -> str:
    """Which layers count, where some do not."""
    if len(free.blocks) == len(graph.layers):
        return ""
    return f" on the layers without an upper bound ({', '.join(free.block)})"
