"""The nearest certified rescaling of trained weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Literal

import numpy as np

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.boundedness import free_layers
from lvmc.diagnostics.bounds import lower_of
from lvmc.diagnostics.decide import bound_below, decide, prove_psd
from lvmc.diagnostics.net import Net, net_of
from lvmc.diagnostics.prover import Prover, best_bound, prover_of
from lvmc.diagnostics.remedies import KEEPS, MOST_SINGLE, largest_factor, rounded_down
from lvmc.graph.form import Array, Edge, Form, Side, form_of
from lvmc.verdicts import Certificate

if TYPE_CHECKING:
    import torch

Goal = Literal["copositive", "contractive"]
SEARCHES = 6
"""How many times the proof's own time the search for one factor takes."""
SAME = 1e-9
"""Relative difference between factors that are one but for rounding."""


@dataclass(frozen=True)
class Repair:
    """Weights after which the goal is proved.

    Attributes:
        goal: "copositive": S is bounded for every input. "contractive": S has one maximum, which the passes come to
            (with groups: the passes converge).
        factors: What each filter between layers was multiplied by, by state name; empty where nothing had to change.
        state: The whole state, filters multiplied; float64.
        certificate: The proof for the changed weights; None where every layer that could grow has an upper bound.
        form: What it speaks of.
    """

    goal: Goal
    factors: Mapping[str, float]
    state: Mapping[str, Array]
    certificate: Certificate | None
    form: Form


def repair(model: torch.nn.Module, goal: Goal = "copositive", budget: Budget | None = None) -> Repair:
    """Multiply filters between layers by factors as near to 1 as a proof of the goal allows.

    All filters by one α < 1 always do: max zᵀCz/zᵀDz is linear in them. So may one filter alone.

    Raises:
        ValueError: The spec is no single energy; or no stage bounded the form within the budget.
    """
    budget = budget or Budget(120.0)
    net = net_of(model)
    form = free_layers(net.form) if goal == "copositive" else net.form
    if not form.edges and not form.sides:
        return Repair(goal, {}, dict(net.parameters), None, form)
    best = best_bound(_bounds(form, goal, budget.part(0.5)))
    if best is None or best.certificate is None or not isfinite(best.lower):
        raise ValueError("repair: no bound was found in the time given; give more with --time-limit")
    prove = prover_of(best.certificate)
    factors = _factors(form, best, prove, budget)
    proof = prove(form.scaled(factors), budget) if factors else best
    if proof.lower <= 0:
        raise ValueError(f"repair: the proof by {best.stage} did not go through in the time left; give more")
    return Repair(goal, factors, _state(net, factors), proof.certificate, form.scaled(factors))


def _bounds(form: Form, goal: Goal, budget: Budget) -> tuple[Bound, ...]:
    if goal == "contractive":
        return prove_psd(form, budget)
    decided = decide(form, budget.part(0.5))
    further = () if lower_of(decided.stages) > 0 else bound_below(form, budget, decided)
    return (*decided.stages, *further)


def _factors(form: Form, best: Bound, prove: Prover, budget: Budget) -> dict[str, float]:
    """Of scaling all filters alike and of scaling one alone, what changes the weights least (Frobenius)."""
    if best.lower > 0:
        return {}
    size: dict[str, float] = {each.weight: float(np.sum(each.filter**2)) for each in (*form.edges, *form.sides)}
    common = rounded_down(KEEPS / (1.0 - best.lower))
    candidates = [dict.fromkeys(sorted(size), common)]
    spare = budget.part(0.5)  # the rest is for the proof of what is chosen
    for weight in sorted(size, key=size.__getitem__, reverse=True)[:MOST_SINGLE] if len(size) > 1 else ():
        if spare.left < SEARCHES * best.seconds:
            break
        factor = largest_factor(form, weight, prove, spare)
        if factor:
            candidates.append({weight: factor})

    def change(factors: Mapping[str, float]) -> float:
        return sum((1 - factor) ** 2 * size[name] for name, factor in factors.items())

    return min(candidates, key=change)


def _state(net: Net, factors: Mapping[str, float]) -> dict[str, Array]:
    """The weights times the factors, and times what a `constraint` of the spec multiplies them by."""
    constrained = _constrained(net)
    return {name: value * constrained.get(name, 1.0) * factors.get(name, 1.0) for name, value in net.parameters.items()}


def _constrained(net: Net) -> dict[str, float]:
    """What the spec's `constraint` multiplies each filter by, by state name."""
    plain = form_of(replace(net.graph, constraints=()), net.parameters)
    used = {_ends(each): each for each in (*net.form.edges, *net.form.sides)}
    found: dict[str, float] = {}
    for each in (*plain.edges, *plain.sides):
        size = float(np.linalg.norm(each.filter))
        if _ends(each) not in used or size == 0:
            continue
        factor = float(np.linalg.norm(used[_ends(each)].filter)) / size
        if abs(found.setdefault(each.weight, factor) - factor) > SAME * factor:
            raise ValueError(
                f"repair: {each.weight} is shared by parts of the net that 'constraint' scales differently, so no one "
                "filter stands for both; give each coupling a filter of its own"
            )
    return found


def _ends(each: Edge | Side) -> tuple[str, str]:
    return (each.upper, each.lower) if isinstance(each, Edge) else (each.layer, each.layer)
