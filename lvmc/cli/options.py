"""Arguments and options that commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

Spec = Annotated[
    str, typer.Argument(metavar="SPEC", help="A spec file, or the name of a zoo model.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="Print one JSON document, for machines.")]
Force = Annotated[
    bool, typer.Option("--force", metavar="", help="Replace a folder even if it holds weights or other files.")
]
Passes = Annotated[
    int | None, typer.Option(metavar="K", help="Passes instead of the spec's, with the same parameters.")
]
Memory = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="Bytes a training step may take (2GB): the rest is recomputed."),
]
RunBackend = Annotated[
    Literal["eager", "inductor", "cudagraph"] | None,
    typer.Option("--backend", help="How the model runs; falls back to eager where it cannot.", show_default=False),
]
How = Literal["all", "mask"]


def clamp_of(texts: Sequence[str]) -> dict[str, How]:
    """`h5` → all of it, `h5:mask` → where its mask is 1.

    Raises:
        ValueError: It is neither.
    """
    found: dict[str, How] = {}
    for text in texts:
        name, _, how = text.partition(":")
        if how not in ("", "mask", "all"):
            raise ValueError(f"--clamp {text}: write {name}, or {name}:mask to give it only where its mask is 1")
        found[name] = "mask" if how == "mask" else "all"
    return found
