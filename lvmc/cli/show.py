"""`lvmc show`: a spec's program, and what each rewrite saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from lvmc.cli.options import AsJson, Spec

if TYPE_CHECKING:
    from lvmc.costs import ProgramCost
    from lvmc.graph import EnergyGraph
    from lvmc.ir import Program

Which = Literal["forward", "latents", "score"]
Of = Annotated[Which, typer.Option(help="What the heads need, all layers, or the score of a state.")]
StageName = Annotated[str | None, typer.Option(metavar="NAME", help="List the program after this rewrite.")]
Plain = Annotated[bool, typer.Option("--plain", metavar="", help="List the plain unrolling.")]


class Stage(NamedTuple):
    """A program after a rewrite (`plain`: before any), and what it costs."""

    name: str
    program: Program
    spent: ProgramCost


def show(
    spec: Spec, stage: StageName = None, of: Of = "forward", plain: Plain = False, as_json: AsJson = False
) -> None:
    """Show the program of a spec: what each rewrite saved, and the listing."""
    from lvmc.cli.output import console, print_json
    from lvmc.ir import listing

    reached = stages_of(spec, of)
    listed = listing(_chosen(reached, "plain" if plain else stage).program)
    if as_json:
        costs = [{"stage": name, **asdict(spent)} for name, _, spent in reached]
        print_json({"of": of, "stages": costs, "listing": listed})
        return
    out = console()
    if stage is None and not plain:
        _show_savings(reached)
        out.print()
    out.print(listed, end="", soft_wrap=True)


def stages_of(spec: str, of: Which) -> list[Stage]:
    """The plain program, the program after each rewrite, and what is emitted.

    Raises:
        ValueError: The spec has no score.
    """
    from lvmc.assemble import Options, programs
    from lvmc.costs import program_cost
    from lvmc.ir.naming import tidy
    from lvmc.loading import resolve
    from lvmc.rewrites.default import stages

    _, graph = resolve(spec)
    made = programs(graph, Options(optimize=False))
    first = _score_of(graph) if of == "score" else {"forward": made.forward, "latents": made.latents}[of]
    reached = [("plain", first), *((name, tidy(program)) for name, program in stages(first))]
    return [Stage(name, program, program_cost(program)) for name, program in reached]


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
