"""`lvmc compile`: a spec as a folder with the emitted module, its listing, its pictures and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lvmc.cli.options import AsJson, Force, Memory, Passes, Spec, clamp_of

if TYPE_CHECKING:
    from lvmc.cli.output import Json
    from lvmc.costs import Costs
    from lvmc.runtime.module import Compiled

Clamp = Annotated[
    list[str] | None,
    typer.Option(metavar="LAYER[:mask]", help="Give this layer from outside, all of it or where a mask is 1."),
]
Start = Annotated[Literal["given"] | None, typer.Option(help="Take the latents' first state from outside.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="DIR", help="Folder to make; build/NAME if not given.")
]
Seed = Annotated[int, typer.Option(help="Of the first weights.")]


def compile_spec(
    spec: Spec,
    out: Out = None,
    weights: Annotated[
        bool, typer.Option("--weights", metavar="", help="Write the first weights too (needs torch).")
    ] = False,
    passes: Passes = None,
    clamp: Clamp = None,
    start: Start = None,
    no_optimize: Annotated[bool, typer.Option("--no-optimize", metavar="", help="Emit the plain unrolling.")] = False,
    seed: Seed = 0,
    memory: Memory = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Compile a spec into a folder: a PyTorch module that imports only torch, listing, pictures, weights."""
    from lvmc.assemble import Options
    from lvmc.cli.folder import check_replaceable, files_of, write_folder
    from lvmc.costs import costs
    from lvmc.memory import bytes_of
    from lvmc.pipeline import emitted
    from lvmc.runtime.folder import BUILD

    budget = None if memory is None else bytes_of(memory)
    options = Options(not no_optimize, passes, clamp_of(clamp or ()), start == "given", seed, budget)
    compiled = emitted(spec, options)
    folder = out or Path("build") / compiled.graph.name
    check_replaceable(folder, BUILD, force)
    made = write_folder(folder, partial(_fill, compiled, weights), BUILD, force)
    _report(compiled, folder, files_of(made), costs(compiled.graph, options), as_json)


def _fill(compiled: Compiled, weights: bool, folder: Path) -> None:
    """Write what a compiled folder holds."""
    from lvmc import diagrams
    from lvmc.runtime.folder import folder_bases, folder_files

    for name, content in folder_bases(compiled).items():
        (folder / name).write_bytes(content)
    for name, text in (folder_files(compiled) | {"listing.txt": _listings(compiled)}).items():
        (folder / name).write_text(text, encoding="utf-8")
    views = {
        "energy": diagrams.energy(compiled.graph),
        "unrolled": diagrams.net(compiled.graph, compiled.options),
    }
    for name, picture in views.items():
        for ending in ("svg", "png"):
            diagrams.write(picture, folder / f"{name}.{ending}")
    if weights:
        _write_weights(compiled, folder)


def _listings(compiled: Compiled) -> str:
    """Every program of the module: those of a method under its name, in the order they run."""
    from lvmc.assemble import programs
    from lvmc.ir import listing
    from lvmc.parts import gradient_parts, parts

    made = programs(compiled.graph, compiled.options)
    run = [*parts(made, "forward"), *gradient_parts(made)]
    sections = [(f"forward, {part.title}" if part.title else "forward", part.program) for part in run]
    others = {"latents": made.latents, "score": made.score, "losses": made.losses}
    then = "latents" if len(run) == 1 else "latents, then"
    sections += [(then if name == "latents" else name, each) for name, each in others.items() if each is not None]
    return "\n".join(f"{title}:\n{listing(program)}" for title, program in sections)


def _write_weights(compiled: Compiled, folder: Path) -> None:
    from safetensors.torch import save

    from lvmc.runtime.folder import WEIGHTS
    from lvmc.runtime.initial import initialised

    state = initialised(compiled).state_dict()
    (folder / WEIGHTS).write_bytes(save({name: value.contiguous() for name, value in state.items()}))


def _report(compiled: Compiled, folder: Path, files: list[str], spent: Costs, as_json: bool) -> None:
    from lvmc.cli.output import print_json

    if as_json:
        print_json(_document(compiled, folder, files, spent))
    else:
        _show(compiled, folder, files, spent)


def _document(compiled: Compiled, folder: Path, files: list[str], spent: Costs) -> Mapping[str, Json]:
    """What was written, and what it costs."""
    return {
        "name": compiled.graph.name,
        "class": compiled.class_name,
        "folder": str(folder),
        "files": files,
        "passes": compiled.options.passes or compiled.graph.passes,
        "until": _until(compiled),
        "memory": compiled.options.memory,
        "parameters": spent.parameters,
        "units": spent.units,
        "parts": [asdict(part) for part in spent.parts],
        "plain": asdict(spent.plain),
        "rewritten": asdict(spent.rewritten),
    }


def _until(compiled: Compiled) -> Mapping[str, Json] | None:
    until = compiled.graph.until
    return None if until is None or compiled.options.passes else until.model_dump()


def _show(compiled: Compiled, folder: Path, files: list[str], spent: Costs) -> None:
    from lvmc.cli.output import console, count, large, share, table
    from lvmc.parts import passes_text

    rows = [
        (
            part.name if part.kind == "layer" else f"{part.name} ({part.kind})",
            f"{part.channels}×{part.size[0]}×{part.size[1]}" if part.size else "",
            count(part.units) if part.units else "",
            count(part.parameters),
            large(part.flops) if part.flops else "",
        )
        for part in spent.parts
    ]
    rows.append(("total", "", count(spent.units), count(spent.parameters), ""))
    out = console()
    claims = dict.fromkeys(f", constraint: {part.claim}" for part in compiled.graph.constraints)
    out.print(f"{compiled.graph.name}: {passes_text(compiled.graph, compiled.options)}{''.join(claims)}\n")
    out.print(table(("layer", "size", "units", "parameters", "FLOPs a pass"), rows, left=("layer", "size")))
    before, after = spent.plain, spent.rewritten
    compared = (
        ("FLOPs", large(before.flops), large(after.flops), share(before.flops, after.flops)),
        ("messages", count(before.messages), count(after.messages), share(before.messages, after.messages)),
        ("bytes moved", large(before.bytes, "B"), large(after.bytes, "B"), share(before.bytes, after.bytes)),
        ("peak live bytes", large(before.live, "B"), large(after.live, "B"), share(before.live, after.live)),
    )
    out.print()
    what = "forward, one sample" + (", at most" if spent.at_most else "")
    out.print(table((what, "plain", "rewritten", ""), compared, left=(what,)))
    out.print(f"\n{folder}/: {', '.join(files)}", soft_wrap=True)
