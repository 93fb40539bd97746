"""Attenuated inhibition with one number a coupling and one a grouped layer: between dominance and semidefiniteness."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.field import Field
from lvmc.diagnostics.semidefinite.attenuate import Effort, attenuate
from lvmc.diagnostics.semidefinite.attenuation import Attenuation, couplings, free, grouped, worth_it
from lvmc.diagnostics.semidefinite.bracket import proved
from lvmc.diagnostics.semidefinite.flat import beside, precision_for, rows_of
from lvmc.graph.form import Array, Edge, Form, Side

if TYPE_CHECKING:
    from torch import Tensor

STAGE = "attenuated inhibition, by coupling"
SEARCH = 0.5
"""Part of the time that the search may take; the rest is for the proof."""
EFFORT = Effort(rounds=25, steps=40, vectors=4, most=100, close=2e-3)


def attenuated(form: Form, budget: Budget, seed: int = 0) -> Bound:
    """The best lower bound on the least zᵀAz/zᵀDz over K that a positive semidefinite bracket gives, by coupling.

    Args:
        form: A = D − C.
        budget: Time; a bound is proved whatever is left of it.
        seed: Of the start of the last Lanczos run, which proves.

    Returns:
        `lower` with a certificate of kind "spn"; −∞ where there is neither inhibition to attenuate nor a group.
    """
    begun = monotonic()
    if not worth_it(form):
        return Bound(STAGE, -inf, inf, seconds=0.0, remark="no inhibition and no groups: nothing to choose")
    chosen, remark = by_coupling(form, budget.part(SEARCH))
    found = proved(form, chosen, budget, STAGE, seed)
    return replace(found, seconds=monotonic() - begun, remark=remark)


def by_coupling(form: Form, budget: Budget) -> tuple[Attenuation, str]:
    """The best M and G found, from M = C₋ and G = 0 on, and a remark on how good they can be."""
    choice = Scalars(form)
    start = np.where(choice.low < 0, 0.0, 1.0)
    x, remark = attenuate(form, choice, start, EFFORT, budget, STAGE)
    return choice.attenuation(x), remark


class Scalars:
    """One kept share for every coupling that may be attenuated, then one m for every grouped layer."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._unit = form.unit_diagonal().part("negative")
        self._field = Field(self._unit, precision_for(form))
        self._free = [i for i, each in enumerate(couplings(form)) if free(form, each)]
        self._grouped = [block.name for block in grouped(form)]
        count = (len(self._free), len(self._grouped))
        self.low = np.concatenate([np.zeros(count[0]), -np.ones(count[1])])
        self.high = np.ones(sum(count))

    def attenuation(self, x: Array) -> Attenuation:
        """M and G at x."""
        kept = [np.ones(()) for _ in couplings(self._form)]
        for index, value in zip(self._free, x, strict=False):
            kept[index] = np.asarray(value)
        groups = dict(zip(self._grouped, map(float, x[len(self._free) :]), strict=True))
        return Attenuation(tuple(kept), groups)

    def nearest(self, attenuation: Attenuation) -> Array:
        """The x that stands for M and G."""
        kept = [float(attenuation.kept[index].mean()) for index in self._free]
        return np.array(kept + [attenuation.groups.get(name, 0.0) for name in self._grouped])

    def parts(self, rows: Tensor, new: Tensor) -> Array:
        """C₋ of a coupling, J − 1 of a layer's groups, between every row and every new vector."""
        import torch

        form = self._unit
        left, right = rows_of(form, rows), rows_of(form, new)
        each = couplings(form)
        found = [self._between(each[index], left, right) for index in self._free]
        for name in self._grouped:
            found.append(left[name].flatten(1) @ beside(right[name], form.block[name]).flatten(1).T)
        return torch.stack(found).double().numpy()

    def _between(self, each: Edge | Side, left: dict[str, Tensor], right: dict[str, Tensor]) -> Tensor:
        if not isinstance(each, Edge):
            return left[each.layer].flatten(1) @ self._field.within(each, right[each.layer]).flatten(1).T
        rising = left[each.upper].flatten(1) @ self._field.up(each, right[each.lower]).flatten(1).T
        falling = left[each.lower].flatten(1) @ self._field.down(each, right[each.upper]).flatten(1).T
        return rising + falling
