"""Watches the passes on given inputs for as long as it takes to see where they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lvmc.budget import Budget
from lvmc.diagnostics.passes.convergence import Convergence, convergence
from lvmc.diagnostics.passes.trace import Trace, trace_model
from lvmc.graph.form import Form
from lvmc.runtime.module import compiled_of
from lvmc.verdicts import Array

if TYPE_CHECKING:
    import torch

ENOUGH = 60
"""Passes that usually tell; as many as the model itself runs, if those are more."""


@dataclass(frozen=True)
class Seen:
    """A run, what it says of convergence, and the ray along which it diverges, if it does."""

    trace: Trace
    convergence: Convergence

    @property
    def ray(self) -> Mapping[str, Array] | None:
        """By layer (channels, height, width)."""
        return self.convergence.ray


def watch(
    model: torch.nn.Module,
    inputs: Sequence[torch.Tensor],
    given: Mapping[str, torch.Tensor],
    form: Form | None,
    budget: Budget,
) -> Seen:
    """Run more passes than the model does, within a budget; a model without a single energy as it is."""
    compiled = compiled_of(model)
    passes = None
    if not compiled.graph.why_no_energy and (compiled.graph.until is None or compiled.options.passes is not None):
        passes = max(ENOUGH, compiled.options.passes or compiled.graph.passes)
    budget.tell("passes", 0.0)
    trace = trace_model(model, inputs, given, passes, budget.part(0.7))
    return Seen(trace, convergence(trace, model, inputs, given, form=form, budget=budget))
