"""Memory of a training step: what autograd keeps, and what to recompute so that it fits a budget."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

from lvmc.assemble import Options, Programs
from lvmc.graph import EnergyGraph
from lvmc.ir import Program
from lvmc.ir.cost import cost
from lvmc.ir.ops import Adjoint, Correlate, DivChannel, Moments, Rectify, ScaleFilter, Sigmoid, Winners

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?)?B?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_HEADS = 4
"""Tensors of the size of its output that a head and its loss hold at once: logits, target, losses, gradients."""


@dataclass(frozen=True, slots=True)
class Recompute:
    """How a training step fits into `budget` bytes, besides parameters, gradients and the optimiser's state.

    Filters used in several passes take `tied` bytes: their gradients are held until all passes have added theirs. One
    sample takes `heads` bytes for predictions and losses, which the whole batch needs at once, and `sample` bytes
    for the rest. As many samples go forward at a time as fit; what they keep is dropped and recomputed for the
    backward pass. Where not even one fits, `every` is above 0, and the whole batch keeps only the state after each
    `every` rounds of the loop. Nor is the batch split where it is `whole`: norms tie its samples together, or
    no tensor is given.
    """

    budget: int
    tied: int
    heads: int
    sample: int
    every: int
    whole: bool

    def rows(self, batch: int) -> int:
        """Samples that go forward at a time."""
        left = self.budget - self.tied - batch * self.heads
        return batch if self.whole or self.every else max(1, min(batch, left // max(1, self.sample)))

    def recomputes(self, batch: int) -> bool:
        """Whether anything is recomputed for a batch."""
        return self.rows(batch) < batch or self.every > 0

    def peak(self, batch: int) -> int:
        """Bytes that a batch takes."""
        return self.tied + batch * self.heads + self.rows(batch) * self.sample


def bytes_of(text: str | int) -> int:
    """`2GB` → 2,000,000,000; `2GiB` → 2,147,483,648.

    Raises:
        ValueError: No size, or nothing.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        return _above_zero(text, text)
    match = _SIZE.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"memory: {text!r} is no size; write for example '2GB' or '500MB'")
    unit = (match[2] or "").lower()
    return _above_zero(int(float(match[1]) * (1024 if unit.endswith("i") else 1000) ** _POWERS[unit[:1]]), text)


def recompute(graph: EnergyGraph, made: Programs, options: Options) -> Recompute:
    """The plan for a graph's forward pass under `options.memory`: split the batch first, then thin out the states of a
    long loop."""
    budget = options.memory or 0
    split = graph.inputs or options.start or options.clamp  # else no tensor comes in that could be split
    whole = not split or any(layer.norm is not None for layer in graph.layers)
    tail = made.forward
    types = {variable.name: variable.type for variable in tail.variables} | {e.out: e.type for e in tail.equations}
    heads = _HEADS * sum(types[value].bytes for _, value in tail.outputs) if graph.heads else 0
    if made.loop is None:
        return Recompute(budget, _tied([tail]), heads, kept(tail) + cost(tail).live, 0, whole)
    loop = made.loop
    state = sum(v.type.bytes for v in loop.down.variables if v.kind == "state" and v.type.batched)
    live = max(cost(part).live for part in (loop.first, loop.down, loop.up, tail))
    once = kept(loop.first) + kept(tail) + live + state
    a_round = kept(loop.down) + kept(loop.up)
    sample = once + loop.rounds * a_round
    every = max(1, isqrt(loop.rounds))
    lean = once + -(-loop.rounds // every) * state + every * a_round
    tied = _tied([loop.first, loop.down, loop.up, loop.up, tail])
    thin = lean < sample and (whole or tied + heads + sample > budget)
    return Recompute(budget, tied, heads, lean if thin else sample, every if thin else 0, whole)


def _tied(parts: Sequence[Program]) -> int:
    """Bytes of the parameters that more than one equation reads, and of filters under a constraint.

    Those are held three times: scaled, as a gradient, and as what their bound was worked out from.
    """
    read = Counter(arg for part in parts for equation in part.equations for arg in equation.args)
    sizes = {v.name: v.type.bytes for part in parts for v in part.variables if v.kind == "parameter"}
    scaled = {e.out: e.type.bytes for part in parts for e in part.equations if isinstance(e.op, ScaleFilter)}
    return sum(size for name, size in sizes.items() if read[name] > 1) + 3 * sum(scaled.values())


def kept(program: Program) -> int:
    """Bytes of one sample that autograd keeps of a program's values for the backward pass, at nominal size."""
    types = {equation.out: equation.type for equation in program.equations}
    values: set[str] = set()
    places = 0
    for equation in program.equations:
        match equation.op:
            case Correlate() | Adjoint() | DivChannel() | Moments():
                values.add(equation.args[0])
            case Rectify() | Sigmoid():
                values.add(equation.out)
            case Winners():
                places += equation.type.bytes
            case _:
                pass
    return sum(types[value].bytes for value in values if value in types) + places


def _above_zero(size: int, text: object) -> int:
    if size <= 0:
        raise ValueError(f"memory: should be above 0, not {text!r}")
    return size
