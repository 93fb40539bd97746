"""A compiled spec's programs in the order they run: each part under a title, and how often it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lvmc.assemble import Options, Programs, Settling
from lvmc.graph import EnergyGraph
from lvmc.ir import Program
from lvmc.ir.rolled import Rolled
from lvmc.ir.stepped import Stepped
from lvmc.spec import Until


@dataclass(frozen=True, slots=True)
class Part:
    """A straight-line program that runs `times` times; the title is empty where it is the only one."""

    title: str
    program: Program
    times: int = 1


def parts(made: Programs, of: Literal["forward", "latents"]) -> tuple[Part, ...]:
    """Everything that a call of `forward` or `latents` runs.

    With `until`, as often as it is run at most, and the residual once: after a pass that hardly moved a unit, mostly
    the last.
    """
    last = {"forward": made.forward, "latents": made.latents}[of]
    if made.stepped is not None:
        return _steps(made.stepped, of)
    if made.settling is not None:
        return _settling(made.settling, last)
    if made.loop is None:
        return (Part("", last),)
    count, loop = made.loop.rounds, made.loop
    rounds = f"{count:,} round{'' if count == 1 else 's'} of: "
    return (
        Part("first: pass 1", loop.first),
        Part(f"{rounds}down, pass {series(2, 2 * count)}", loop.down, count),
        Part(f"{rounds}up, pass {series(3, 2 * count + 1)}", loop.up, count),
        Part("then", last),
    )


def gradient_parts(made: Programs) -> tuple[Part, ...]:
    """What a gradient through a fixed point runs; nothing where gradients go through the passes."""
    if made.settling is None or made.settling.adjoint is None:
        return ()
    adjoint, most = made.settling.adjoint, made.settling.until.max_passes
    return (
        Part("gradient: a − d z of every layer", adjoint.excess),
        Part("gradient: slopes", adjoint.slopes),
        *_passes(adjoint.loop, made.settling.until, "gradient, ", most),
        Part("gradient, residual", adjoint.residual),
    )


def series(first: int, last: int) -> str:
    """Every other number: `2, 4, … 998`."""
    numbers = range(first, last + 1, 2)
    if len(numbers) <= 3:
        return ", ".join(map(str, numbers))
    return f"{first}, {first + 2}, … {numbers[-1]}"


def until_text(until: Until) -> str:
    """When passes end: `until the residual is ≤ 0.0001, at most 200 passes`."""
    most = f"at most {until.max_passes} {'pass' if until.max_passes == 1 else 'passes'}"
    return f"until the residual is ≤ {until.residual:g}, {most}"


def passes_text(graph: EnergyGraph, options: Options) -> str:
    """How many passes are run: `2 passes`, or when they end."""
    if graph.until is not None and options.passes is None:
        return "passes " + until_text(graph.until)
    passes = options.passes or graph.passes
    steps = f"{graph.feedback.steps} steps of " if graph.feedback and graph.feedback.steps > 1 else ""
    return f"{steps}{passes} {'pass' if passes == 1 else 'passes'}"


def _steps(stepped: Stepped, of: Literal["forward", "latents"]) -> tuple[Part, ...]:
    """What no step changes, and the steps; of `latents` the last one gives the layers."""
    whole = stepped.steps if of == "forward" else stepped.steps - 1
    found = [Part("what no step changes", stepped.before)] if stepped.before.outputs and whole else []
    if len(stepped.bodies) == 1:
        found += [Part(f"{whole} step{'' if whole == 1 else 's'}", stepped.bodies[0], whole)] if whole else []
    else:
        found += [Part(f"step {number}", body) for number, body in enumerate(stepped.bodies[:whole], 1)]
    if of == "latents":
        found.append(Part(f"step {stepped.steps}, its layers", stepped.layers[-1]))
    return tuple(found)


def _settling(settling: Settling, last: Program) -> tuple[Part, ...]:
    until = settling.until
    found = _passes(settling.loop, until, "", until.max_passes)
    if until.residual > 0:
        found.append(Part("residual, of samples that a pass hardly moved", settling.residual))
    return (*found, Part("then", last))


def _passes(loop: Rolled, until: Until, before: str, most: int) -> list[Part]:
    """The first pass, and those that follow it in turn."""
    found = [Part(f"{before}first: pass 1", loop.first)]
    for word, number, program in (("down", 2, loop.down), ("up", 3, loop.up)):
        times = (most - number) // 2 + 1
        if times <= 0:
            continue
        if until.residual > 0:
            title = f"{until_text(until)}: {word}, pass {number}" + (f", {number + 2}, …" if times > 1 else "")
        else:
            title = f"{word}, pass {series(number, most)}"
        found.append(Part(before + title, program, times))
    return found
