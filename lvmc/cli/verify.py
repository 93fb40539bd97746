"""`lvmc verify`: certificates and witnesses, checked again by code that finds none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvmc.cli.opening import Seed, Weights
from lvmc.cli.options import AsJson

if TYPE_CHECKING:
    from lvmc.cli.output import Json
    from lvmc.verdicts.files import Filed
    from lvmc.verdicts.subjects import Net
    from lvmc.verdicts.verify import Verification

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE…", help="Certificates and witnesses (.npz) of check.", show_default=False),
]
Model = Annotated[
    str | None,
    typer.Option("--spec", metavar="DIR|SPEC", help="Whether they speak of this net too: its layers and filters."),
]

Size = Annotated[str | None, typer.Option("--size", metavar="HxW", help="Of the net's inputs; nominal if not given.")]


def verify(
    files: Files,
    spec: Model = None,
    weights: Weights = None,
    size: Size = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Check certificates and witnesses again, with separate code.

    Exit status: 0 all hold, 1 one does not.
    """
    from lvmc.cli.output import print_json
    from lvmc.verdicts.files import read

    for option, value in (("--weights", weights), ("--size", size)):
        if value is not None and spec is None:
            raise typer.BadParameter("of which net? Write --spec SPEC too", param_hint=option)
    known = None if spec is None else _net_of(spec, seed, weights, size)
    found: list[tuple[Path, Filed, Verification]] = []
    for file in files:
        filed = read(file)
        found.append((file, filed, _checked(filed, known)))
    if as_json:
        print_json({"holds": all(each.holds for _, _, each in found), "files": [_document(*each) for each in found]})
    else:
        _show(found)
    if not all(each.holds for _, _, each in found):
        raise typer.Exit(1)


def _net_of(spec: str, seed: int, weights: Path | None, size: str | None) -> Net:
    """A spec with its weights, as what proofs speak of."""
    from lvmc.cli.opening import open_model, size_of
    from lvmc.diagnostics.net import net_of
    from lvmc.runtime.module import compiled_of
    from lvmc.verdicts import subjects

    model, _ = open_model(spec, seed, None, weights)
    sizes = [size_of(size)] * len(compiled_of(model).graph.plain_inputs) if size else []
    return subjects.net_of(net_of(model, sizes).form)


def _checked(filed: Filed, known: Net | None) -> Verification:
    """The proof checked, and whether it is of the net that is known."""
    from lvmc.verdicts.comparison import differences
    from lvmc.verdicts.verify import verify as check_again

    found = check_again(filed.subject, filed.proof)
    if known is None:
        return found
    compared = differences(filed.subject, filed.proof, known)
    said = () if compared.faults else (f"its layers, couplings and filters are those of '{known.name}', bit for bit",)
    return replace(
        found,
        holds=found.holds and not compared.faults,
        checked=(*found.checked, *said),
        remarks=(*compared.faults, *found.remarks, *compared.remarks),
    )


def _document(file: Path, filed: Filed, found: Verification) -> Json:
    return {
        "file": str(file),
        "holds": found.holds,
        "claim": found.claim,
        "margin": found.margin if abs(found.margin) < float("inf") else None,
        "chance": found.chance,
        "checked": list(found.checked),
        "remarks": list(found.remarks),
        "seconds": found.seconds,
        "version": filed.version,
        "made": filed.made,
        "sha256": filed.digest,
    }


def _show(found: Sequence[tuple[Path, Filed, Verification]]) -> None:
    from lvmc.cli.output import console

    out = console()
    for number, (file, filed, each) in enumerate(found):
        if number:
            out.print()
        out.print(sentence(file, each), soft_wrap=True)
        for text in (*each.remarks, *(f"checked: {text}" for text in each.checked)):
            out.print(f"  {text}", soft_wrap=True)
        made = f"made {filed.made} by lvmc {filed.version}; sha256 of its weights {filed.digest[:16]}…"
        out.print(f"  {made}; {each.seconds:.2f} s", soft_wrap=True)


def sentence(file: Path, found: Verification) -> str:
    """`net.certificate.npz holds: A is strictly copositive …`."""
    if not found.holds:
        return f"{file} does not hold. It says: {found.claim}."
    chance = f", but with a chance of {found.chance:.1g}" if found.chance else ""
    return f"{file} holds: {found.claim}{chance}."
