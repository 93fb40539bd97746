"""What a memory budget means for a training step: how it goes, what it takes, and what it computes again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lvmc.assemble import Options, Programs, programs
from lvmc.costs import run_cost
from lvmc.graph import EnergyGraph
from lvmc.memory.plan import Recompute, recompute
from lvmc.parts import parts


@dataclass(frozen=True, slots=True)
class Step:
    """A training step on `batch` samples: `rows` at a time, `again` the share of forward's FLOPs computed twice.

    `peak` is an estimate in bytes, besides parameters, gradients and the optimiser's state; `kept` says what is kept.
    """

    budget: int
    batch: int
    rows: int
    kept: str
    peak: int
    again: float

    @property
    def fits(self) -> bool:
        """Whether the estimate is within the budget."""
        return self.peak <= self.budget


def steps(graph: EnergyGraph, options: Options, budget: int, batches: Iterable[int]) -> list[Step]:
    """The step of every batch size under a budget."""
    made = programs(graph, options)
    plan = recompute(graph, made, replace(options, memory=budget))
    return [_step(made, plan, batch) for batch in batches]


def _step(made: Programs, plan: Recompute, batch: int) -> Step:
    rows = plan.rows(batch)
    if plan.every and made.loop is not None:
        every = "every round" if plan.every == 1 else f"each {plan.every} rounds"
        first, *rounds, last = parts(made, "forward")
        kept, again = f"the state after {every}", run_cost(rounds).flops / run_cost((first, *rounds, last)).flops
    elif rows < batch:
        kept, again = "what comes in and goes out of each part", 1.0
    else:
        kept, again = "everything", 0.0
    return Step(plan.budget, batch, rows, kept, plan.peak(batch), again)
