"""Whether and how fast the passes of a run converge: measured, predicted from the units active at the end, promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lvmc.budget import Budget
from lvmc.diagnostics.net import net_of
from lvmc.diagnostics.passes.rates import Outcome, Rate, Run, grows, monotone, rate_of, swings
from lvmc.diagnostics.passes.response import Response, lateral_bounds, response
from lvmc.diagnostics.passes.trace import Trace
from lvmc.diagnostics.rays.cone import project
from lvmc.diagnostics.rays.ray import witness_at
from lvmc.graph.form import Form
from lvmc.runtime.module import compiled_of
from lvmc.verdicts import Array, Witness

if TYPE_CHECKING:
    import torch

WORST: tuple[Outcome, ...] = ("diverges", "oscillates", "undecided", "converging", "settled")


@dataclass(frozen=True)
class Convergence:
    """How the passes of a run went. All rates are factors for one pass: roots of those for a pass up and a pass down.

    Attributes:
        outcome: "settled": an update changes no unit by more than 10⁻⁵ of the largest. "converging": steps shrink at
            a rate below 1. "oscillates": passes, or rounds of a pass up and a pass down, have period 2. "diverges":
            numbers that are not finite; or steps that grow, with S growing faster and faster, and (where the model is
            given) a ray along which it does so for ever. "undecided": none of these; more passes may tell.
        outcomes: That of every sample; all else is about `sample`, one whose outcome is the worst.
        sample: Its place in the batch.
        passes: How many were run.
        monotone: Whether S (with entropy) never fell by more than rounding; None where there is no single energy.
        rate: The measured rate; None where too few passes stand out from rounding.
        predicted: The rate of small errors near the last state, exact for the units active there; above 1 the state
            would not hold. None without a model, without a single energy, or where time ran out.
        active: How many units `predicted` rests on.
        promised: A bound on the rate from `theta`, for any input and state; None without `theta`, or with groups.
        ray: A direction of the cone along which S grows for ever, by layer (channels, height, width), as the run
            showed it; None where it showed none.
        curvature: zᵀAz/zᵀDz of the ray, below 0, with a bound on its rounding error.
        remark: What a reader should know besides: why there is no single energy, what is open.
    """

    outcome: Outcome
    outcomes: tuple[Outcome, ...]
    sample: int
    passes: int
    monotone: bool | None
    rate: Rate | None
    predicted: float | None = None
    active: int = 0
    promised: float | None = None
    ray: Mapping[str, Array] | None = None
    curvature: tuple[float, float] | None = None
    remark: str = ""


def convergence(
    trace: Trace,
    model: torch.nn.Module | None = None,
    inputs: Sequence[torch.Tensor] = (),
    given: Mapping[str, torch.Tensor] | None = None,
    *,
    form: Form | None = None,
    theta: float | None = None,
    budget: Budget | None = None,
) -> Convergence:
    """What a trace says of convergence.

    Args:
        trace: Of a run, as `lvmc.trace` gives it.
        model: What ran: with it rates are predicted, and divergence is told by a ray that is checked.
        inputs: What it ran on, for their size.
        given: What else it was given; only masks matter.
        form: Its form at that size, layers clamped as a whole left out, if it is there already.
        theta: A bound on ρ(D⁻¹|C|), if one is known: every update then contracts by it, in a weighted maximum norm.
        budget: Time for the prediction, 10 s by default.

    Raises:
        ValueError: The trace has no update of any sample.
    """
    if trace.moved is None or not trace.moved.shape[1]:
        raise ValueError("convergence: the trace holds no update of any sample; give at least one sample to trace")
    runs = [Run.of(trace, sample) for sample in range(trace.moved.shape[1])]
    if form is None and model is not None and not trace.remark:
        form = net_of(model, [(int(x.shape[2]), int(x.shape[3])) for x in inputs]).form
    given_masks = {name: each for name, each in (given or {}).items() if name.endswith("_mask")}
    masks = [_sample(given_masks, n) for n in range(len(runs))]
    rays = [_ray(trace, form, run, n, masks[n]) for n, run in enumerate(runs)]
    each: list[Outcome] = [_outcome(run, ray, form is not None) for run, ray in zip(runs, rays, strict=True)]
    outcomes = tuple(each)
    sample = min(range(len(runs)), key=lambda n: (WORST.index(outcomes[n]), -_unrest(runs[n])))
    found = _of_sample(trace, runs[sample], rays[sample], sample, outcomes)
    if form is None or model is None:
        return found
    near = response(compiled_of(model).graph, form, _last(trace, sample), masks[sample], budget or Budget(10.0))
    return replace(_with(found, near), promised=_promised(form, theta))


def _of_sample(trace: Trace, run: Run, ray: Witness | None, sample: int, outcomes: tuple[Outcome, ...]) -> Convergence:
    """What the trace alone says of a sample."""
    steps = None if trace.objective is None else trace.objective[:, sample]
    outcome = outcomes[sample]
    shown = ray if outcome == "diverges" else None
    return Convergence(
        outcome=outcome,
        outcomes=outcomes,
        sample=sample,
        passes=len(run.moved),
        monotone=None if steps is None else monotone(run, steps[np.isfinite(steps)]),
        rate=rate_of(run),
        ray=shown.arrays if shown else None,
        curvature=(shown.value, shown.error) if shown else None,
        remark=f"not the ascent of one energy: {trace.remark}" if trace.remark else "",
    )


def _outcome(run: Run, ray: Witness | None, checked: bool) -> Outcome:
    """What a sample's run shows; with `checked`, growth counts only with a ray."""
    if not run.finite:
        return "diverges"
    if run.settled:
        return "settled"
    if swings(run):
        return "oscillates"
    if grows(run) and (ray is not None or not checked):
        return "diverges"
    rate = rate_of(run)
    if rate is not None and rate.factor**rate.passes <= 0.5:
        return "converging"
    return "undecided"


def _with(found: Convergence, near: Response) -> Convergence:
    """The prediction, and what it changes: slow shrinking is convergence if so predicted, and not if not."""
    told = replace(found, predicted=near.rate, active=near.active)
    if near.rate is None:
        late = "" if found.outcome == "diverges" else "the predicted rate did not fit the time"
        return replace(told, remark=told.remark or late)
    if near.rate >= 1 and found.outcome == "converging":
        return _changed(told, "undecided", "steps shrink, but near the last state small errors grow")
    if near.rate >= 1 and found.outcome == "settled":
        return replace(told, remark="the state is at rest, but would not hold: small errors near it grow")
    if found.rate is None:
        return told
    if found.rate.since is None:
        open_still = "units still change sides; the predicted rate holds once they no longer do"
        return replace(told, remark=told.remark or open_still)
    if near.rate < 1 and found.outcome == "undecided" and found.rate.factor < 1:
        return _changed(told, "converging", "")
    return told


def _changed(found: Convergence, outcome: Outcome, remark: str) -> Convergence:
    outcomes = (*found.outcomes[: found.sample], outcome, *found.outcomes[found.sample + 1 :])
    return replace(found, outcome=outcome, outcomes=outcomes, remark=remark or found.remark)


def _ray(trace: Trace, form: Form | None, run: Run, sample: int, masks: Mapping[str, Array]) -> Witness | None:
    """The direction in which a growing run goes, if S grows along it for ever: its last change, or its last state."""
    if form is None or (run.finite and not grows(run)):
        return None
    last = _last(trace, sample)
    before = {name: z[sample].astype(np.float64) for name, z in trace.states[0].items()}
    candidates = ({name: z - before[name] for name, z in last.items()}, last)
    found = [each for z in candidates if (each := _witness(form, z, masks)) is not None]
    best = min(found, key=lambda each: each.value, default=None)
    return best if best is not None and best.value < -best.error else None


def _witness(form: Form, z: Mapping[str, Array], masks: Mapping[str, Array]) -> Witness | None:
    """z brought into the cone, 0 in layers with an upper bound and where it is given, its largest entry 1."""
    free: dict[str, Array] = {}
    for block in form.blocks:
        given = masks.get(f"{block.name}_mask", np.zeros(())) > 0.5
        free[block.name] = np.zeros_like(z[block.name]) if block.bounded else np.where(given, 0.0, z[block.name])
    largest = max((float(np.abs(each).max(initial=0.0)) for each in free.values()), default=0.0)
    if not 0 < largest < np.inf:
        return None
    return witness_at(form, project(form, {name: each / largest for name, each in free.items()}))


def _promised(form: Form, theta: float | None) -> float | None:
    """θ, or (θ d + σ)/(d + σ) where laterals damp an update; no bound where groups may change their winners."""
    if theta is None or any(block.group is not None for block in form.blocks):
        return None
    bounds = lateral_bounds(form)
    damped = [(theta * form.block[n].diagonal + s) / (form.block[n].diagonal + s) for n, s in bounds.items()]
    return max([theta, *(float(each.max()) for each in damped)])


def _unrest(run: Run) -> float:
    return run.rest / run.largest if run.largest else 0.0


def _last(trace: Trace, sample: int) -> dict[str, Array]:
    return {name: z[sample].astype(np.float64) for name, z in trace.states[-1].items()}


def _sample(masks: Mapping[str, torch.Tensor], sample: int) -> dict[str, Array]:
    return {name: mask[sample].double().cpu().numpy() for name, mask in masks.items()}
