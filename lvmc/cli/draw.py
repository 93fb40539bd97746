"""`lvmc draw`: a picture of a spec's energy or of its unrolled net."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from lvmc.cli.options import AsJson, Spec

Path_ = Annotated[
    Path, typer.Argument(metavar="PATH", help="svg, png, pdf, dot or mmd, by its ending.", show_default=False)
]
View = Annotated[
    Literal["energy", "unrolled"], typer.Option(help="Layers and couplings, or every update of every pass.")
]
Fold = Annotated[bool, typer.Option("--fold", metavar="", help="Draw a run of equal layers as one.")]


def draw(spec: Spec, path: Path_, view: View = "unrolled", fold: Fold = False, as_json: AsJson = False) -> None:
    """Draw a spec: its energy, or the net it unrolls to."""
    from lvmc.cli.output import print_json
    from lvmc.pipeline import draw as draw_spec

    written = draw_spec(spec, path, view, fold)
    if as_json:
        print_json({"path": str(written), "view": view, "fold": fold, "bytes": written.stat().st_size})
    else:
        typer.echo(f"{written}: {view}, {written.stat().st_size:,} bytes")
