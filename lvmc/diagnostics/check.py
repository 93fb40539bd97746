"""Checks a compiled model: its energy, whether S is bounded, how its passes go, and what to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound, Check, LayerMargin
from lvmc.diagnostics.boundedness import boundedness, free_layers
from lvmc.diagnostics.bounds import lower_of, nearest_witness, upper_of
from lvmc.diagnostics.decide import Decision, bound_below, decide, prove_psd
from lvmc.diagnostics.dominance.dominance import margins_by_layer
from lvmc.diagnostics.excitations import excitations
from lvmc.diagnostics.net import Net, net_of
from lvmc.diagnostics.outer import outer_loop
from lvmc.diagnostics.passes.watch import watch
from lvmc.diagnostics.remedies import remedies
from lvmc.graph.form import Form
from lvmc.runtime.module import compiled_of
from lvmc.verdicts import Array, Verdict, Witness

if TYPE_CHECKING:
    import torch


def check_model(
    model: torch.nn.Module,
    inputs: Sequence[torch.Tensor] = (),
    given: Mapping[str, torch.Tensor] | None = None,
    budget: Budget | None = None,
) -> Check:
    """Whether −W is copositive on K, S bounded, and the passes on some inputs converge; what to change if not.

    Args:
        model: Made by `lvmc.compile` or `lvmc.open`; its weights as they are.
        inputs: As `model` takes them; with them the passes are watched, and the form is checked at their size.
        given: Clamped layers, masks and start values by keyword.
        budget: Time, 60 s by default; what does not fit stays undecided.
    """
    budget = budget or Budget(60.0)
    compiled = compiled_of(model)
    if compiled.graph.feedback is not None:
        return _with_steps(model, inputs, given or {}, budget)
    if compiled.graph.why_no_energy:
        seen = watch(model, inputs, given or {}, None, budget) if inputs else None
        why = compiled.graph.why_no_energy
        return Check(
            compiled.graph.name, None, Verdict(None, None, None), None, why, remark=why,
            trace=seen and seen.trace, convergence=seen and seen.convergence, seconds=budget.spent,
        )  # fmt: skip
    net = net_of(model, [(int(x.shape[2]), int(x.shape[3])) for x in inputs])
    return _checked(model, net, inputs, given or {}, budget)


def _with_steps(
    model: torch.nn.Module, inputs: Sequence[torch.Tensor], given: Mapping[str, torch.Tensor], budget: Budget
) -> Check:
    """The energy of a step, and how the steps go; the passes inside a step are not watched."""
    graph = compiled_of(model).graph
    outer = outer_loop(model, inputs, given) if inputs else None
    if why := graph.why_no_energy:
        nothing = Verdict(None, None, None)
        return Check(graph.name, None, nothing, None, why, remark=why, outer=outer, seconds=budget.spent)
    checked = _checked(model, net_of(model), (), {}, budget)
    return replace(checked, outer=outer, seconds=budget.spent)


def _checked(
    model: torch.nn.Module,
    net: Net,
    inputs: Sequence[torch.Tensor],
    given: Mapping[str, torch.Tensor],
    budget: Budget,
) -> Check:
    seen = watch(model, inputs, given, net.form, budget.part(0.25)) if inputs else None
    core = net.form.without([name for name, layer in net.graph.layer.items() if layer.unit.mean_field])
    decision = decide(core, budget.part(0.6), seen.ray if seen else None)
    free = free_layers(net.form)
    growing = _growing(free, core, decision, budget.part(0.5))
    bounded, why = boundedness(net.graph, net.parameters, free, growing)
    verdict = _with_space(decision, net.form, core, budget.part(0.5))
    if bounded is False and growing is not None:
        verdict = replace(verdict, witness=_padded(growing.verdict.witness, core))
    further = bound_below(free, budget.part(0.4), growing) if bounded is False and growing is not None else ()
    stages = (*decision.stages, *(further if growing is decision else ()))
    if verdict.copositive is False and growing is decision:
        verdict = replace(verdict, witness=nearest_witness(stages))  # a stage that proves may have come lower
    shown = verdict.witness or nearest_witness(stages)
    excited = excitations(core, shown.arrays) if shown else ()
    tried = () if bounded or growing is None else remedies(free, (*growing.stages, *further), excited, budget)
    return Check(
        name=net.graph.name,
        form=core,
        verdict=replace(verdict, bounds=(lower_of(stages), upper_of(stages)), seconds=budget.spent),
        bounded=bounded,
        why=why,
        every_size=decision.every_size,
        growing=None if growing is decision or growing is None else growing.verdict,
        stages=stages,
        layers=_layers(core, stages, shown),
        excitations=excited,
        remedies=tried,
        convergence=seen.convergence if seen else None,
        trace=seen.trace if seen else None,
        seconds=budget.spent,
    )


def _growing(free: Form, core: Form, decision: Decision, budget: Budget) -> Decision | None:
    """The decision on the layers that can grow; a strictly copositive form has strictly copositive parts."""
    if not free.blocks:
        return None
    same = len(free.blocks) == len(core.blocks)
    return decision if same or decision.verdict.strict else decide(free, budget)


def _padded(witness: Witness | None, form: Form) -> Witness | None:
    """The witness with the layers that it leaves at 0."""
    if witness is None:
        return None
    nothing = {block.name: np.zeros((block.channels, *block.size)) for block in form.blocks}
    return replace(witness, arrays={**nothing, **witness.arrays})


def _weighs(bound: Bound) -> bool:
    proof = bound.certificate
    return proof is not None and proof.kind == "dominance" and proof.facts["groups"] == 0


def _with_space(decision: Decision, whole: Form, core: Form, budget: Budget) -> Verdict:
    """The verdict, its psd that of the whole form: Boltzmann layers count there, with their entropy's curvature."""
    if len(core.blocks) == len(whole.blocks):
        return decision.verdict
    proofs = prove_psd(whole, budget)
    psd = True if any(bound.lower > 0 for bound in proofs) else False if any(b.upper < 0 for b in proofs) else None
    remark = "Boltzmann layers, bounded by themselves, are left out; for psd their entropy counts as d = 4"
    return replace(decision.verdict, psd=psd, remarks=(*decision.verdict.remarks, remark))


def _layers(form: Form, stages: Sequence[Bound], witness: Witness | None) -> tuple[LayerMargin, ...]:
    proof = next((bound.certificate for bound in stages if _weighs(bound)), None)
    margin = margins_by_layer(form, proof) if proof is not None else {}
    share = _shares(form, witness.arrays) if witness is not None else {}
    return tuple(
        LayerMargin(name, block.units, margin.get(name, float("nan")), share.get(name, 0.0))
        for name, block in form.block.items()
    )


def _shares(form: Form, z: Mapping[str, Array]) -> dict[str, float]:
    """Each layer's part of zᵀDz."""
    parts = {name: float(((z[name] ** 2).sum((1, 2)) * block.diagonal).sum()) for name, block in form.block.items()}
    total = sum(parts.values())
    return {name: part / total for name, part in parts.items()}
