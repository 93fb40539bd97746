"""`lvmc compile`: a spec as a folder with the emitted module, its listing, its pictures and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lvmc.cli.options import AsJson, Force, Spec, clamp_of

if TYPE_CHECKING:
    from lvmc.cli.output import Json
    from lvmc.costs import Costs
    from lvmc.runtime.module import Compiled

Clamp = Annotated[
    list[str] | None,
    typer.Option(metavar="LAYER[:mask]", help="Give this layer from outside, all of it or where a mask is 1."),
]
Start = Annotated[Literal["given"] | None, typer.Option(help="Take the latents' first state from outside.")]
Passes = Annotated[
    int | None, typer.Option(metavar="K", help="Passes instead of the spec's, with the same parameters.")
]
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
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Compile a spec into a folder: a PyTorch module that imports only torch, listing, pictures, weights."""
    from lvmc.assemble import Options
    from lvmc.cli.folder import check_replaceable, files_of, write_folder
    from lvmc.costs import costs
    from lvmc.pipeline import emitted
    from lvmc.runtime.folder import BUILD

    options = Options(not no_optimize, passes, clamp_of(clamp or ()), start == "given", seed)
    compiled = emitted(spec, options)
    folder = out or Path("build") / compiled.graph.name
    check_replaceable(folder, BUILD, force)
    made = write_folder(folder, partial(_fill, compiled, weights), BUILD, force)
    _report(compiled, folder, files_of(made), costs(compiled.graph, options), as_json)


def _fill(compiled: Compiled, weights: bool, folder: Path) -> None:
    """Write what a compiled folder holds."""
    from lvmc import diagrams
    from lvmc.assemble import programs
    from lvmc.ir import listing
    from lvmc.runtime.folder import folder_files

    made = programs(compiled.graph, compiled.options)
    methods = {"forward": made.forward, "latents": made.latents, "score": made.score, "losses": made.losses}
    listings = [f"{name}:\n{listing(program)}" for name, program in methods.items() if program is not None]
    for name, text in (folder_files(compiled) | {"listing.txt": "\n".join(listings)}).items():
        (folder / name).write_text(text, encoding="utf-8")
    views = {"energy": diagrams.energy(compiled.graph), "unrolled": diagrams.unrolled(compiled.graph, made.forward)}
    for name, picture in views.items():
        for ending in ("svg", "png"):
            diagrams.write(picture, folder / f"{name}.{ending}")
    if weights:
        _write_weights(compiled, folder)


def _write_weights(compiled: Compiled, folder: Path) -> None:
    from safetensors.torch import save

    from lvmc.runtime.folder import WEIGHTS
    from lvmc.runtime.module import build_module

    (folder / WEIGHTS).write_bytes(save(build_module(compiled).state_dict()))


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
        "parameters": spent.parameters,
        "units": spent.units,
        "parts": [asdict(part) for part in spent.parts],
        "plain": asdict(spent.plain),
        "rewritten": asdict(spent.rewritten),
    }


def _show(compiled: Compiled, folder: Path, files: list[str], spent: Costs) -> None:
    from lvmc.cli.output import console, count, large, share, table

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
    passes = compiled.options.passes or compiled.graph.passes
    out = console()
    out.print(f"{compiled.graph.name}: {passes} {'pass' if passes == 1 else 'passes'}\n")
    out.print(table(("layer", "size", "units", "parameters", "FLOPs a pass"), rows, left=("layer", "size")))
    before, after = spent.plain, spent.rewritten
    compared = (
        ("FLOPs", large(before.flops), large(after.flops), share(before.flops, after.flops)),
        ("messages", str(before.messages), str(after.messages), share(before.messages, after.messages)),
        ("bytes moved", large(before.bytes, "B"), large(after.bytes, "B"), share(before.bytes, after.bytes)),
        ("peak live bytes", large(before.live, "B"), large(after.live, "B"), share(before.live, after.live)),
    )
    out.print()
    out.print(table(("forward, one sample", "plain", "rewritten", ""), compared, left=("forward, one sample",)))
    out.print(f"\n{folder}/: {', '.join(files)}", soft_wrap=True)
