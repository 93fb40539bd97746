"""`lvmc run`: a compiled folder or a spec on an image: heads, latents and the score trace as pictures and numbers."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvmc.cli.options import AsJson, Force

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import torch

    from lvmc.cli.output import Json
    from lvmc.diagnostics.trace import Trace
    from lvmc.graph import EnergyGraph, InputNode
    from lvmc.results import Given

RUN = "run.json"

Model = Annotated[str, typer.Argument(metavar="DIR|SPEC", help="A compiled folder, a spec file or a zoo name.", show_default=False)]
Images = Annotated[
    list[Path] | None, typer.Argument(metavar="[IMAGE]...", help="A picture or .npy for each input, in spec order.", show_default=False)
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Folder to make.", show_default=False)]
SizeText = Annotated[str | None, typer.Option("--size", metavar="HxW", help="Bring pictures to this size, not the nominal one.")]
Values = Annotated[
    list[str] | None, typer.Option("--given", metavar="NAME=FILE", help="A clamped layer, its mask, or a start value (.npy or a picture).")
]
NoTrace = Annotated[bool, typer.Option("--no-trace", help="Leave the trace out: it costs an update of every layer per update.")]


@dataclass(frozen=True)
class Ran:
    """What went into a run and what came out of it, as arrays of one sample."""

    graph: EnergyGraph
    inputs: Mapping[str, Given]
    heads: Mapping[str, torch.Tensor]
    latents: Mapping[str, torch.Tensor]
    trace: Trace | None


def run(
    model: Model,
    images: Images = None,
    *,
    out: Out,
    size: SizeText = None,
    given: Values = None,
    seed: Annotated[int, typer.Option(help="Of the weights, where a spec has none.")] = 0,
    no_trace: NoTrace = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Run a model on an image and write heads, latents and the score trace."""
    from lvmc.cli.folder import check_replaceable, write_folder
    from lvmc.cli.output import console, print_json, remark

    check_replaceable(out, RUN, force)
    net, weights = _open(model, seed)
    remark(weights)
    ...


