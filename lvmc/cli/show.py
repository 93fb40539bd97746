"""`lvmc show`: a spec's program, what each rewrite saved, and how a training step fits into memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from lvmc.cli.options import AsJson, Memory, Passes, Spec

if TYPE_CHECKING:
    from lvmc.assemble import Options
    from lvmc.cli.output import Json
    from lvmc.costs import ProgramCost
    from lvmc.graph import EnergyGraph
    from lvmc.ir import Program
    from lvmc.memory.steps import Step

Which = Literal["forward", "latents", "score"]
Of = Annotated[Which, typer.Option(help="What the heads need, all layers, or the score of a state.")]
StageName = Annotated[str | None, typer.Option(metavar="NAME", help="List the program after this rewrite.")]
Plain = Annotated[bool, typer.Option("--plain", metavar="", help="List the plain unrolling.")]
Batch = Annotated[
    int | None, typer.Option(metavar="N", help="Samples of a training step; 1, 8 and 64 if not given.", min=1)
]
_BATCHES = (1, 8, 64)


class Stage(NamedTuple):
    """A program after a rewrite (`plain`: before any), and what it costs."""

    name: str
    program: Program
    spent: ProgramCost


def show(
    spec: Spec,
    stage: StageName = None,
    of: Of = "forward",
    plain: Plain = False,
    passes: Passes = None,
    memory: Memory = None,
    batch: Batch = None,
    as_json: AsJson = False,
) -> None:
    """Show the program of a spec: what each rewrite saved, and the listing; with --memory, what is recomputed."""
    from lvmc.assemble import Options
    from lvmc.loading import resolve
    from lvmc.memory import bytes_of
    from lvmc.pipeline import check_options

    if batch is not None and memory is None:
        raise ValueError(f"--batch {batch}: says for what --memory plans; write --memory SIZE too")
    _, graph = resolve(spec)
    options = Options(passes=passes, memory=None if memory is None else bytes_of(memory))
    check_options(graph, options)
    if options.memory is not None:
        _show_memory(graph, options, _BATCHES if batch is None else (batch,), as_json)
    else:
        _show_program(graph, options, of, "plain" if plain else stage, as_json)


def _show_program(graph: EnergyGraph, options: Options, of: Which, stage: str | None, as_json: bool) -> None:
    from lvmc.cli.output import console, print_json, remark
    from lvmc.ir import listing

    reached, sample = stages_of(graph, options, of)
    whole = stage is None and sample is not None
    listed = listing_of(graph, options, of) if whole else listing(_chosen(reached, stage).program)
    about = "" if sample is None else _about(graph, options, sample)
    if as_json:
        costs = [{"stage": name, **asdict(spent)} for name, _, spent in reached]
        print_json({"of": of, "stages": costs, "stages_of_passes": sample, "listing": listed})
        return
    out = console()
    if stage is None:
        _show_savings(reached)
        if about:
            out.print(f"\n{about}", soft_wrap=True)
        out.print()
    elif about:
        remark(about)
    out.print(listed, end="", soft_wrap=True)


def stages_of(graph: EnergyGraph, options: Options, of: Which) -> tuple[list[Stage], int | None]:
    """The plain program, the program after each rewrite, and what is emitted; and how many passes they are of.

    Passes that are run as a loop are many and alike: a few of them stand for all. None: all are there.

    Raises:
        ValueError: The spec has no score.
    """
    from lvmc.costs import program_cost
    from lvmc.ir.naming import tidy
    from lvmc.rewrites.default import stages

    first, sample = _first_stage(graph, options, of)
    reached = [("plain", first), *((name, tidy(program)) for name, program in stages(first))]
    return [Stage(name, program, program_cost(program)) for name, program in reached], sample


def listing_of(graph: EnergyGraph, options: Options, of: Literal["forward", "latents", "score"]) -> str:
    """All that is emitted of a method, part by part."""
    from lvmc.assemble import programs
    from lvmc.ir import listing
    from lvmc.parts import gradient_parts, parts

    made = programs(graph, options)
    if of == "score":
        return listing(_score_of(graph))
    found = (*parts(made, of), *gradient_parts(made))
    return "\n".join((f"== {part.title}\n" if part.title else "") + listing(part.program) for part in found)


def _first_stage(graph: EnergyGraph, options: Options, of: Which) -> tuple[Program, int | None]:
    """The plain program, of a sample where passes are a loop."""
    from lvmc.assemble import programs
    from lvmc.roll import SHORTEST, sample_passes
    from lvmc.unroll import unroll

    if of == "score":
        return _score_of(graph), None
    passes = options.passes or graph.passes
    loops = graph.repeats and passes >= SHORTEST
    looped = graph.feedback is not None or loops or programs(graph, options).settling is not None
    sample = min(passes, sample_passes(passes)) if looped and graph.feedback is None else passes
    program = unroll(graph, sample)
    names = set(graph.outputs if of == "forward" and graph.heads else graph.layer)
    names |= {state.name for state in graph.feedback.states} if graph.feedback and of == "forward" else set[str]()
    shown = replace(program, outputs=tuple(pair for pair in program.outputs if pair[0] in names))
    return shown, sample if looped else None


def _about(graph: EnergyGraph, options: Options, sample: int) -> str:
    """What a sample of passes stands for, and what all of them cost."""
    from lvmc.assemble import programs
    from lvmc.cli.output import large, share
    from lvmc.costs import costs
    from lvmc.parts import parts, passes_text

    spent = costs(graph, options)
    loops = len(parts(programs(graph, options), "forward")) > 1
    stages = f"{sample} passes" if graph.feedback is None else "one step"
    emitted = "Emitted is a loop" if loops else "Later ones change nothing"
    after, most = spent.rewritten, "at most " if spent.at_most else ""
    saved = share(spent.plain.flops, after.flops)
    flops = f"{most}{large(after.flops, 'FLOPs')}" + (f" ({saved})" if saved else "")
    sent = f"{most}{after.messages:,} message{'' if after.messages == 1 else 's'}"
    run = f"{emitted}; for {passes_text(graph, options)}: {flops}, {sent}, {large(after.live, 'B')} live."
    return f"Stages are those of {stages}. {run}"


def _score_of(graph: EnergyGraph) -> Program:
    """S alone, without the mean-field objective."""
    from lvmc.graph.energy import score_program

    program = score_program(graph)
    return replace(program, outputs=program.outputs[:1])


def _chosen(reached: Sequence[Stage], name: str | None) -> Stage:
    """The last stage of this name; the end, without a name."""
    found = [stage for stage in reached if name in (None, stage.name)]
    if not found:
        names = ", ".join(dict.fromkeys(stage.name for stage in reached))
        raise ValueError(f"--stage {name}: no rewrite has this name; there are {names}")
    return found[-1]


def _show_savings(reached: Sequence[Stage]) -> None:
    from lvmc.cli.output import console, large, share, table

    rows: list[tuple[str, ...]] = []
    for index, (name, _, spent) in enumerate(reached):
        before = reached[max(0, index - 1)].spent
        saved = share(before.flops, spent.flops)
        counts = (str(spent.equations), str(spent.messages), large(spent.flops), saved)
        rows.append((name, *counts, large(spent.bytes, "B"), large(spent.live, "B")))
    first, last = reached[0].spent, reached[-1].spent
    saved = (
        share(first.equations, last.equations),
        share(first.messages, last.messages),
        "",
        share(first.flops, last.flops),
    )
    rows.append(("in all", *saved, share(first.bytes, last.bytes), share(first.live, last.live)))
    columns = ("after", "equations", "messages", "FLOPs", "saved", "bytes moved", "peak live")
    console().print(table(columns, rows, left=("after",)))


def _show_memory(graph: EnergyGraph, options: Options, batches: Sequence[int], as_json: bool) -> None:
    from lvmc.cli.output import console, large, print_json, table
    from lvmc.memory.steps import steps

    assert options.memory is not None
    found = steps(graph, options, options.memory, batches)
    if as_json:
        print_json({"budget": options.memory, "steps": [_step_document(step) for step in found]})
        return
    out = console()
    budget = large(options.memory, "B")
    out.print(f"a training step within {budget}, besides parameters, gradients and the optimiser's state:\n")
    rows = [
        (
            str(step.batch),
            str(step.rows),
            step.kept,
            large(step.peak, "B"),
            f"{step.again:.0%}" if step.again else "none",
            "fits" if step.fits else f"exceeds {budget}",
        )
        for step in found
    ]
    columns = ("batch", "samples at a time", "kept for the backward pass", "peak", "forward FLOPs again", "")
    out.print(table(columns, rows, left=("kept for the backward pass", "")))
    for line in _in_words(found, budget, (options.passes or graph.passes) > 2 and graph.repeats):
        out.print(f"\n{line}", soft_wrap=True)


def _step_document(step: Step) -> Mapping[str, Json]:
    return {**asdict(step), "fits": step.fits}


def _in_words(found: Sequence[Step], budget: str, looped: bool) -> list[str]:
    """What the plan comes to."""
    from lvmc.cli.output import large

    said: list[str] = []
    if not any(step.again for step in found):
        said.append("Nothing need be recomputed: a step keeps everything." if all(step.fits for step in found) else
                    "Nothing can be recomputed that would save memory.")  # fmt: skip
    too_large = [step for step in found if not step.fits]
    if too_large:
        least = too_large[0]
        remedies = ["fewer samples"] * (least.batch > 1) + ["smaller inputs"]
        remedies += ["fewer passes", "gradient: implicit, which keeps one state however many passes"] * looped
        said.append(
            f"Even the smallest plan for a batch of {least.batch} takes {large(least.peak, 'B')}, more than {budget}: "
            f"allow more, or take {' or '.join(remedies)}."
        )
    return said
