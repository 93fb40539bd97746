"""The programs of a compiled spec: straight-line ones, or loops with what leads to them and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from lvmc import fixed_point
from lvmc.feedback import stepped
from lvmc.fixed_point import Adjoint
from lvmc.graph import MAX_UPDATES, EnergyGraph
from lvmc.graph.energy import score_program
from lvmc.graph.losses import losses_program
from lvmc.ir import Program
from lvmc.ir.naming import tidy
from lvmc.ir.rolled import Rolled
from lvmc.ir.stepped import Stepped
from lvmc.rewrites import rewrite
from lvmc.rewrites.share_equal_values import share_equal_values
from lvmc.roll import SHORTEST, does_nothing_between, roll, sample_passes
from lvmc.spec import Until
from lvmc.unroll import unroll


@dataclass(frozen=True, slots=True)
class Options:
    """How a spec is compiled.

    `clamp` names layers given from outside, `all` of them or where a `mask` is 1; `start` takes the first
    state from outside; `optimize=False` leaves the plain unrolling.
    """

    optimize: bool = True
    passes: int | None = None
    clamp: Mapping[str, Literal["all", "mask"]] = field(default_factory=dict[str, Literal["all", "mask"]])
    start: bool = False
    seed: int = 0
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Settling:
    """Passes that go on until a residual is reached: `residual` and `loop` work on the state that `loop.first` gives.

    A residual of 0 stands for a given number of passes. `adjoint` is there if gradients go through the fixed point.
    """

    until: Until
    loop: Rolled
    residual: Program
    adjoint: Adjoint | None


@dataclass(frozen=True, slots=True)
class Programs:
    """What a compiled module computes.

    `forward` has the heads as outputs (the layers, without heads). With a `loop` or with `settling`, `forward` and
    `latents` take up the state that it leaves. With `stepped` they are the first of its bodies.
    """

    forward: Program
    latents: Program
    score: Program | None
    losses: Program | None
    loop: Rolled | None = None
    settling: Settling | None = None
    stepped: Stepped | None = None


def programs(graph: EnergyGraph, options: Options) -> Programs:
    """Unroll, find the loop of many passes, split into heads and layers, and rewrite each.

    Raises:
        ValueError: More updates than can be unrolled, and no loop.
    """
    score = None if graph.why_no_energy else tidy(rewrite(score_program(graph)))
    if graph.feedback is not None:
        return _steps(graph, options, score)
    settling = _settling(graph, options)
    if settling is not None:
        layers = fixed_point.layers_of(graph, options.clamp, options.start)
        heads = fixed_point.reading(graph, options.clamp, options.start) if graph.heads else layers
        return Programs(heads, layers, score, _losses(graph, heads), settling=settling)
    passes = options.passes or graph.passes
    loop = _loop(graph, options, passes) if options.optimize and passes >= SHORTEST and graph.repeats else None
    if isinstance(loop, Rolled):
        latents = loop.tails["latents"]
        heads = loop.tails.get("forward", latents)
        return Programs(heads, latents, score, _losses(graph, heads), loop=loop)
    if loop is None and passes * len(graph.layers) > MAX_UPDATES:
        raise ValueError(
            f"passes: {passes * len(graph.layers):,} updates to unroll, more than the {MAX_UPDATES:,} allowed; "
            "optimize=True makes a loop of them, where no head reads at single passes"
        )
    plain = unroll(graph, passes, options.clamp, options.start) if loop is None else loop
    improve = rewrite if options.optimize else _as_it_is
    latents = tidy(improve(_with_outputs(plain, [layer.name for layer in graph.layers])))
    heads = tidy(improve(_with_outputs(plain, list(graph.outputs)))) if graph.heads else latents
    return Programs(heads, latents, score, _losses(graph, heads))


def _steps(graph: EnergyGraph, options: Options, score: Program | None) -> Programs:
    """Steps of outer feedback, whose passes are written out."""
    passes = options.passes or graph.passes
    if passes * len(graph.layers) > MAX_UPDATES:
        fault = f"passes: {passes * len(graph.layers):,} updates in a step, more than the {MAX_UPDATES:,} allowed"
        raise ValueError(fault)
    made = stepped(graph, passes, options.clamp, options.start, options.optimize)
    losses = _losses(graph, made.bodies[0], made.steps)
    return Programs(made.bodies[0], made.layers[0], score, losses, stepped=made)


def _settling(graph: EnergyGraph, options: Options) -> Settling | None:
    """The parts of passes without a fixed number, or with gradients through the state they come to."""
    until = graph.until if options.passes is None else None
    if until is None and not graph.implicit:
        return None
    if until is None:
        until = Until.model_construct(residual=0.0, max_passes=options.passes or graph.passes)
    given = (options.clamp, options.start)
    return Settling(
        until,
        fixed_point.looped(graph, *given, options.optimize),
        fixed_point.residual(graph, *given),
        fixed_point.adjoint(graph, *given) if graph.implicit else None,
    )


def _loop(graph: EnergyGraph, options: Options, passes: int) -> Rolled | Program | None:
    """The loop of many passes; a plain program where all passes after the first change nothing; None if neither."""
    sample = unroll(graph, sample_passes(passes), options.clamp, options.start)
    tails = {"forward": list(graph.outputs)} if graph.heads else {}
    tails["latents"] = [layer.name for layer in graph.layers]
    for improve in (rewrite, share_equal_values):
        improved = improve(sample)
        if does_nothing_between(improved):
            return sample
        loop = roll(improved, passes, tails)
        if loop is not None:
            return loop
    return None


def _losses(graph: EnergyGraph, forward: Program, steps: int = 0) -> Program | None:
    """Losses of the outputs of `forward`, or of as many of them as there are steps, stacked."""
    if not graph.heads:
        return None
    types = {variable.name: variable.type for variable in forward.variables}
    types |= {equation.out: equation.type for equation in forward.equations}
    outputs = {key: types[value] for key, value in forward.outputs}
    if steps:
        outputs = {key: replace(kind, stacked=steps) for key, kind in outputs.items()}
    return losses_program(graph, outputs)


def _with_outputs(program: Program, keys: list[str]) -> Program:
    return replace(program, outputs=tuple(pair for pair in program.outputs if pair[0] in keys))


def _as_it_is(program: Program) -> Program:
    return program
