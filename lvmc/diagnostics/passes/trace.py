"""How S, the residual and the active units go, update by update, when a compiled model runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.budget import Budget
from lvmc.diagnostics.passes.stepping import Step, check_updates, evaluating, passes_of, steps
from lvmc.graph import EnergyGraph
from lvmc.runtime.module import compiled_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]

KEPT = 3
"""States that a trace keeps: the last one, and those one and two passes before."""
BACK = 4
"""Passes that states are compared over: two rounds, each up and down."""

LEAST_PASSES = 3
"""Passes that are run whatever the time."""


@dataclass(frozen=True)
class Trace:
    """What a run looked like after each of its n updates, and after each of its p passes.

    A unit has one of three sides: at 0, active, or at its upper bound.

    Attributes:
        layers: The layer of each update, (n,).
        passes: The pass of each update, from 1, (n,).
        score: S before the first and after every update, (n + 1, batch); None where there is no single energy.
        objective: S plus the entropy of Boltzmann units, (n + 1, batch): what never falls.
        residual: Largest |z − update(z)| over all units, (n + 1, batch): 0 at a fixed point.
        step: Largest change made by each update, (n, batch).
        remark: Why there is no score; empty otherwise.
        active: Units of the updated layer that are not 0 after it (of a group, its winner), (n, batch).
        changed: Units of the updated layer that are on another side than after its last update, (n, batch).
        moved: ‖z after a pass − z before it‖ over all units, (p, batch).
        apart: ‖z after a pass − z two passes before‖, (p, batch); nan for the first pass. Passes go up and down in
            turn, so this compares like with like: it is 0 where `moved` is not if the passes have period 2.
        around: ‖z after a pass − z four passes before‖, (p, batch); nan for the first three passes. It is 0 where
            `apart` is not if the rounds (a pass up and a pass down) have period 2.
        states: The layers (batch, C, H, W) after the last passes, `KEPT` at most, oldest first; of a sample that
            stops being finite, the last finite ones.
    """

    layers: tuple[str, ...]
    passes: tuple[int, ...]
    score: Numbers | None
    objective: Numbers | None
    residual: Numbers | None
    step: Numbers | None
    remark: str = ""
    active: Counts | None = None
    changed: Counts | None = None
    moved: Numbers | None = None
    apart: Numbers | None = None
    around: Numbers | None = None
    states: tuple[Mapping[str, NDArray[np.floating]], ...] = ()


def trace_model(
    model: torch.nn.Module,
    inputs: Sequence[Tensor],
    given: Mapping[str, Tensor],
    passes: int | None = None,
    budget: Budget | None = None,
) -> Trace:
    """Run the plain passes of a compiled model in evaluation mode, measuring after every update.

    With `until` as many passes are traced as the sample that takes most runs.

    Args:
        model: Made by `lvmc.compile` or `lvmc.open`.
        inputs: As `model` takes them.
        given: Clamped layers, masks and start values by keyword, as `model` takes them.
        passes: How many, instead of the model's own.
        budget: Time: no pass is begun once it is spent, but the first three are run.

    Raises:
        ValueError: More updates than are traced.
    """
    tally = _Tally(compiled_of(model).graph)
    with evaluating(model):
        passes = passes or passes_of(model, inputs, given)
        check_updates("trace", tally.graph, passes)
        for step in steps(model, passes, inputs, given):
            if budget is not None and budget.left == 0 and tally.begins(step, LEAST_PASSES):
                break
            tally.add(step)
    return tally.trace()


@dataclass(slots=True)
class _Tally:
    """What has been measured so far."""

    graph: EnergyGraph
    updates: list[tuple[str, int]] = field(default_factory=list["tuple[str, int]"])
    series: dict[str, list[Tensor]] = field(default_factory=dict[str, "list[Tensor]"])
    sides: dict[str, Tensor] = field(default_factory=dict[str, "Tensor"])
    before: Mapping[str, Tensor] = field(default_factory=dict[str, "Tensor"])
    states: tuple[Mapping[str, Tensor], ...] = ()

    def add(self, step: Step) -> None:
        """Take in the start or an update."""
        for quantity, value in step.measured.items():
            self._note(quantity, value)
        if not step.layer:
            self.sides = {name: self._side(name, z) for name, z in step.state.items()}
            self.states = (step.state,)
        else:
            self._update(step)
        self.before = step.state

    def begins(self, step: Step, least: int) -> bool:
        """Whether a step begins a new pass after at least some others."""
        return bool(self.updates) and step.pass_ > max(least, self.updates[-1][1])

    def _update(self, step: Step) -> None:
        if self.updates and step.pass_ != self.updates[-1][1]:
            self._end_pass()
        self.updates.append((step.layer, step.pass_))
        new, old = step.state[step.layer], self.before[step.layer]
        side = self._side(step.layer, new)
        self._note("step", (new - old).abs().amax((1, 2, 3)))
        self._note("active", (side > 0).sum((1, 2, 3)))
        self._note("changed", (side != self.sides[step.layer]).sum((1, 2, 3)))
        self.sides[step.layer] = side

    def _side(self, layer: str, z: Tensor) -> Tensor:
        """0 at zero, 1 active, 2 at the upper bound."""
        import torch

        upper = self.graph.layer[layer].unit.upper
        active = (z != 0).to(torch.uint8)
        return active if upper is None else active + (z >= upper)

    def _end_pass(self) -> None:
        """Compare the state that a pass ends in with those before it, and keep it."""
        import torch

        now = self.before
        for quantity, back in (("moved", 1), ("apart", 2), ("around", BACK)):
            known = len(self.states) >= back
            nothing = torch.full((len(next(iter(now.values()))),), torch.nan)
            self._note(quantity, _distance(now, self.states[-back]) if known else nothing)
        kept, finite = (*self.states, now)[-BACK - 1 :], self.series["moved"][-1].isfinite()
        if not bool(finite.all()):  # a sample that is finite no longer keeps its states
            olds = (self.states[0], *self.states)[-len(kept) :]
            kept = tuple(_chosen(finite, new, old) for new, old in zip(kept, olds, strict=True))
        self.states = kept

    def _note(self, quantity: str, value: Tensor) -> None:
        self.series.setdefault(quantity, []).append(value)

    def trace(self) -> Trace:
        """All of it."""
        if self.updates:
            self._end_pass()
        found = self.series.get
        return Trace(
            layers=tuple(name for name, _ in self.updates),
            passes=tuple(number for _, number in self.updates),
            score=_stacked(found("score")),
            objective=_stacked(found("objective")),
            residual=_stacked(found("residual")),
            step=_stacked(found("step")),
            remark=self.graph.why_no_energy,
            active=_counts(found("active")),
            changed=_counts(found("changed")),
            moved=_stacked(found("moved")),
            apart=_stacked(found("apart")),
            around=_stacked(found("around")),
            states=tuple({name: z.cpu().numpy() for name, z in state.items()} for state in self.states[-KEPT:]),
        )


def _distance(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Tensor:
    """‖a − b‖ over all layers, (batch,)."""
    squares = [(a[name] - b[name]).square().sum((1, 2, 3)) for name in a]
    return sum(squares[1:], squares[0]).sqrt()


def _chosen(which: Tensor, yes: Mapping[str, Tensor], no: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """One state or the other, sample by sample."""
    import torch

    return {name: torch.where(which[:, None, None, None], yes[name], no[name]) for name in yes}


def _stacked(values: Sequence[Tensor] | None) -> Numbers | None:
    return np.stack([value.double().cpu().numpy() for value in values]) if values else None


def _counts(values: Sequence[Tensor] | None) -> Counts | None:
    return np.stack([value.cpu().numpy() for value in values]) if values else None
