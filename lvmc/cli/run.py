"""`lvmc run`: a compiled folder or a spec on an image: heads, latents, score or steps, as pictures and numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvmc.cli.opening import FolderOrSpec, Height, Named, Seed, files_of, open_model, size_of
from lvmc.cli.options import AsJson, Force, RunBackend

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lvmc.cli.output import Json
    from lvmc.diagnostics.passes.trace import Trace
    from lvmc.results import Inside as Seen
    from lvmc.results import Ran

RUN = "run.json"

Images = Annotated[
    list[Path] | None, typer.Argument(metavar="IMAGE", help="A picture (or .npy) for each input.", show_default=False)
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Folder to make.", show_default=False)]
Steps = Annotated[
    int | None, typer.Option(metavar="N", help="Of outer feedback, instead of the spec's.", min=1, show_default=False)
]
Inside = Annotated[
    bool,
    typer.Option("--inside", metavar="", help="Also write layers by pass, heads with messages silenced, gradients."),
]


def run(
    model: FolderOrSpec,
    images: Images = None,
    *,
    out: Out,
    size: Height = None,
    given: Named = None,
    seed: Seed = 0,
    backend: RunBackend = None,
    steps: Steps = None,
    inside: Inside = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Run a model on an image; write its heads, latents, and score trace or (of outer feedback) steps."""
    from lvmc.cli.folder import check_replaceable, write_folder
    from lvmc.cli.output import print_json, remark
    from lvmc.results import look_inside, run_model

    shape, named = size_of(size) if size else None, files_of(given or ())
    check_replaceable(out, RUN, force)
    net, weights = open_model(model, seed, backend)
    if not as_json:
        remark(f"weights: {weights}")
    ran = run_model(net, images or (), named, shape, steps)
    seen = look_inside(net, ran) if inside else None
    document = _document(ran, model, weights, out)
    write_folder(out, partial(_fill, ran, seen, document), RUN, force)
    if as_json:
        print_json(document)
    else:
        _show(ran, seen, out)


def _fill(ran: Ran, seen: Seen | None, document: Json, folder: Path) -> None:
    from lvmc.results import write_inside, write_results

    write_results(ran, folder)
    if seen is not None:
        write_inside(seen, ran, folder)
    (folder / RUN).write_text(json.dumps(document), encoding="utf-8")


def _document(ran: Ran, model: str, weights: str, out: Path) -> Mapping[str, Json]:
    """What was run, and figures of what came out."""
    trace = ran.trace
    return {
        "model": model,
        "name": ran.graph.name,
        "weights": weights,
        "folder": str(out),
        "given": {
            name: {"shape": list(each.values.shape[1:]), "remarks": list(each.remarks)}
            for name, each in ran.given.items()
        },
        "heads": {name: _figures(values) for name, values in ran.heads.items()},
        "latents": {
            name: {**_figures(values), "nonzero": float((values != 0).mean())} for name, values in ran.latents.items()
        },
        **(_steps(ran) if trace is None else _updates(trace)),
    }


def _updates(trace: Trace) -> dict[str, Json]:
    return {
        "updates": len(trace.layers),
        "score": None if trace.score is None else _number(trace.score[-1].mean()),
        "residual": None if trace.residual is None else _number(trace.residual[-1].max()),
        "remark": trace.remark,
    }


def _steps(ran: Ran) -> dict[str, Json]:
    """Of outer feedback: by state, the largest move of each step."""
    from lvmc.results import moves

    largest = {name: [_number(each.max()) for each in moves(values)] for name, values in ran.states.items()}
    return {"steps": len(next(iter(ran.states.values()))) - 1, "moves": largest}


def _figures(values: NDArray[np.float32]) -> dict[str, Json]:
    return {"shape": list(values.shape), "least": _number(values.min()), "largest": _number(values.max())}


def _number(value: np.floating) -> float | None:
    """A number that JSON has; None for infinity and nan."""
    return float(value) if abs(float(value)) < float("inf") else None


def _show(ran: Ran, seen: Seen | None, out: Path) -> None:
    from lvmc.cli.output import console, table

    show = console()
    for name, each in ran.given.items():
        show.print(f"{name}: {'×'.join(map(str, each.values.shape[1:]))}; {'; '.join(each.remarks)}", soft_wrap=True)
    rows = [
        (
            name,
            "×".join(map(str, values.shape)),
            f"{values.min():.4g}",
            f"{values.max():.4g}",
            f"{(values != 0).mean():.0%}",
        )
        for name, values in (*ran.latents.items(), *ran.heads.items())
    ]
    show.print()
    show.print(table(("layer, head", "size", "least", "largest", "nonzero"), rows, left=("layer, head", "size")))
    show.print()
    for line in [_said(ran.trace)] if ran.trace is not None else _steps_said(ran):
        show.print(line, soft_wrap=True)
    heads = "heads.npz, heads/*.png, " if ran.heads else ""
    went = "states.npz, states/*.png, steps.csv" if ran.trace is None else "trace.csv, trace.png"
    looked = ", inside.npz, inside/*.png" if seen else ""
    show.print(f"{out}/: {heads}latents.npz, latents/*.png, {went}{looked}", soft_wrap=True)


def _said(trace: Trace) -> str:
    if trace.score is not None and trace.residual is not None:
        first, last = trace.score[0].mean(), trace.score[-1].mean()
        return f"score {first:.6g} → {last:.6g} in {len(trace.layers)} updates; residual {trace.residual[-1].max():.3g}"
    return f"no score: {trace.remark}"


def _steps_said(ran: Ran) -> list[str]:
    from lvmc.results import moves

    return [
        f"{name} moves by at most {', '.join(f'{each.max():.3g}' for each in moves(values))}, step by step"
        for name, values in ran.states.items()
    ]
