"""`lvmc repair`: the nearest rescaling of trained weights that is certified."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lvmc.cli.opening import FolderOrSpec, Seed, Weights, open_model
from lvmc.cli.options import AsJson

if TYPE_CHECKING:
    import torch

    from lvmc.diagnostics.answers import Check
    from lvmc.verdicts import Array

TimeLimit = Annotated[float, typer.Option(metavar="SECONDS", help="For the scale, and again for the check.", min=0.0)]
Out = Annotated[
    Path, typer.Option("--out", "-o", metavar="W.safetensors", help="Weights to write.", show_default=False)
]
To = Annotated[
    Literal["copositive", "contractive"],
    typer.Option(help="copositive: the score has a maximum. contractive: it has one only, which the passes come to."),
]


def repair(
    model: FolderOrSpec,
    *,
    out: Out,
    weights: Weights = None,
    to: To = "copositive",
    time_limit: TimeLimit = 60.0,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Scale filters down as little as a proof allows; write the weights, and check them."""
    from lvmc.budget import Budget
    from lvmc.cli.files import check_writable, write_file
    from lvmc.cli.output import print_json, progress, remark
    from lvmc.diagnostics.check import check_model
    from lvmc.diagnostics.repair import repair as repaired
    from lvmc.results.check import document_of

    check_writable(out)
    net, whence = open_model(model, seed, weights=weights)
    with progress(not as_json) as tell:
        found = repaired(net, to, Budget(time_limit, tell))
        content = _give(net, found.state)
        checked = check_model(net, budget=Budget(time_limit, tell))
    write_file(out, content)
    factors = dict(found.factors)
    if as_json:
        print_json({
            "model": model,
            "weights": whence,
            "to": to,
            "factors": factors,
            "file": str(out),
            "check": document_of(checked),
        })  # fmt: skip
        return
    remark(f"weights: {whence}")
    _show(factors, checked, out)


def _give(model: torch.nn.Module, state: Mapping[str, Array]) -> bytes:
    """Give the model the state, in its own precision; the state as a safetensors file."""
    import torch
    from safetensors.torch import save

    values = model.state_dict()
    with torch.no_grad():
        for name, value in values.items():
            value.copy_(torch.as_tensor(state[name]))
    return save({name: value.contiguous() for name, value in values.items()})


def _show(factors: Mapping[str, float], checked: Check, out: Path) -> None:
    from lvmc.cli.output import console
    from lvmc.results.check import said

    show = console()
    for name, factor in factors.items():
        show.print(f"{name} × {factor:g}", soft_wrap=True)
    if not factors:
        show.print("nothing had to change")
    show.print(f"now: {said(checked).sentence}", soft_wrap=True)
    show.print(f"{out}: written", soft_wrap=True)
