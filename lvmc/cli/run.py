"""`lvmc run`: a compiled folder or a spec on an image: heads, latents and the score trace, as pictures and numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvmc.cli.options import AsJson, Force, RunBackend

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lvmc.cli.output import Json
    from lvmc.results import Ran
    from lvmc.runtime.backends import Backend
    from lvmc.runtime.module import Model

RUN = "run.json"

FolderOrSpec = Annotated[
    str, typer.Argument(metavar="DIR|SPEC", help="A compiled folder, a spec file or a zoo name.", show_default=False)
]
Images = Annotated[
    list[Path] | None, typer.Argument(metavar="IMAGE", help="A picture (or .npy) for each input.", show_default=False)
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Folder to make.", show_default=False)]
Height = Annotated[
    str | None, typer.Option("--size", metavar="HxW", help="Bring pictures to this size instead of the nominal one.")
]
Named = Annotated[
    list[str] | None,
    typer.Option("--given", metavar="NAME=FILE", help="A clamped layer, a mask or a start value: picture or .npy."),
]
Seed = Annotated[int, typer.Option(help="Of the weights, where SPEC has none.")]


def run(
    model: FolderOrSpec,
    images: Images = None,
    *,
    out: Out,
    size: Height = None,
    given: Named = None,
    seed: Seed = 0,
    backend: RunBackend = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Run a model on an image; write its heads, latents and score trace."""
    from lvmc.cli.folder import check_replaceable, write_folder
    from lvmc.cli.output import print_json, remark
    from lvmc.results import run_model

    shape, named = size_of(size) if size else None, files_of(given or ())
    check_replaceable(out, RUN, force)
    net, weights = _open(model, seed, backend)
    if not as_json:
        remark(f"weights: {weights}")
    ran = run_model(net, images or (), named, shape)
    document = _document(ran, model, weights, out)
    write_folder(out, partial(_fill, ran, document), RUN, force)
    if as_json:
        print_json(document)
    else:
        _show(ran, out)


def size_of(text: str) -> tuple[int, int]:
    """`224x320` → (224, 320).

    Raises:
        ValueError: It is not a height and a width.
    """
    height, _, width = text.lower().replace("×", "x").partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise ValueError(f"--size {text}: write height x width, for example 224x320")
    return int(height), int(width)


def files_of(texts: Sequence[str]) -> dict[str, Path]:
    """`h5=top.npy` → {h5: top.npy}.

    Raises:
        ValueError: A part is missing.
    """
    pairs = [text.partition("=") for text in texts]
    for name, _, file in pairs:
        if not (name and file):
            raise ValueError(f"--given {name}: write NAME=FILE, for example h5=top.npy")
    return {name: Path(file) for name, _, file in pairs}


def _open(model: str, seed: int, backend: Backend | None) -> tuple[Model, str]:
    """The model, and where its weights are from."""
    import lvmc
    from lvmc.runtime.folder import WEIGHTS

    folder = Path(model)
    if not folder.is_dir():
        return lvmc.compile(model, seed=seed, backend=backend), f"as first drawn (seed {seed}); not trained"
    if (folder / WEIGHTS).is_file():
        return lvmc.open(folder, backend=backend), str(folder / WEIGHTS)
    return lvmc.open(folder, backend=backend), f"as first drawn: {folder} holds no {WEIGHTS}; not trained"


def _fill(ran: Ran, document: Json, folder: Path) -> None:
    from lvmc.results import write_results

    write_results(ran, folder)
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
        "updates": len(trace.layers),
        "score": None if trace.score is None else _number(trace.score[-1].mean()),
        "residual": None if trace.residual is None else _number(trace.residual[-1].max()),
        "remark": trace.remark,
    }


def _figures(values: NDArray[np.float32]) -> dict[str, Json]:
    return {"shape": list(values.shape), "least": _number(values.min()), "largest": _number(values.max())}


def _number(value: np.floating) -> float | None:
    """A number that JSON has; None for infinity and nan."""
    return float(value) if abs(float(value)) < float("inf") else None


def _show(ran: Ran, out: Path) -> None:
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
    trace = ran.trace
    if trace.score is not None and trace.residual is not None:
        first, last = trace.score[0].mean(), trace.score[-1].mean()
        show.print(
            f"\nscore {first:.6g} → {last:.6g} in {len(trace.layers)} updates; residual {trace.residual[-1].max():.3g}"
        )
    else:
        show.print(f"\nno score: {trace.remark}")
    heads = "heads.npz, heads/*.png, " if ran.heads else ""
    show.print(f"{out}/: {heads}latents.npz, latents/*.png, trace.csv, trace.png", soft_wrap=True)
