"""`lvmc check`: whether −W is copositive, S bounded, and the passes converge, with the proof and what to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvmc.cli.opening import FolderOrSpec, Height, Named, Seed, Weights, files_of, inputs_of, open_model, size_of
from lvmc.cli.options import AsJson

if TYPE_CHECKING:
    from lvmc.diagnostics.answers import Check
    from lvmc.verdicts import Answer


class Claim(StrEnum):
    """What can be required: strictly copositive; S bounded; positive semidefinite."""

    STRICT = "strict"
    BOUNDED = "bounded"
    PSD = "psd"


Listing = tuple[Sequence[str], Sequence[Sequence[str]], Sequence[str]]
"""A table: its columns, its rows, and the columns that are aligned left."""

Images = Annotated[
    list[Path] | None,
    typer.Option("--image", metavar="IMG", help="A picture (or .npy) for each input, to watch passes."),
]
TimeLimit = Annotated[float, typer.Option(metavar="SECONDS", help="What does not fit stays undecided.", min=0.0)]
Page = Annotated[Path | None, typer.Option("--out", "-o", metavar="PAGE.html", help="Write the report as a page.")]
Save = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write certificate and witness, for `lvmc verify`.")]
Require = Annotated[list[Claim] | None, typer.Option(help="Exit with 1 unless this is proved; may be repeated.")]


def check(
    model: FolderOrSpec,
    *,
    weights: Weights = None,
    image: Images = None,
    size: Height = None,
    given: Named = None,
    time_limit: TimeLimit = 60.0,
    seed: Seed = 0,
    require: Require = None,
    out: Page = None,
    save: Save = None,
    as_json: AsJson = False,
) -> None:
    """Say whether more passes are safe: whether the score has a maximum; with the proof, and what to change if not."""
    from lvmc.budget import Budget
    from lvmc.cli.files import check_writable, write_file
    from lvmc.cli.output import print_json, progress, remark
    from lvmc.diagnostics.check import check_model
    from lvmc.results.check import About, document_of, page_of

    if size and not image:
        raise typer.BadParameter("brings pictures to this size: give --image too", param_hint="--size")
    for target in filter(None, (out, save and save / "certificate")):
        check_writable(target)
    shape, named = size_of(size) if size else None, files_of(given or ())
    net, whence = open_model(model, seed, weights=weights)
    inputs, tensors = inputs_of(net, image or (), named, shape) if image or named else ([], {})
    with progress(not as_json) as tell:
        checked = check_model(net, inputs, tensors, Budget(time_limit, tell))
    files: Mapping[str, Path] = _save(checked, save) if save else {}
    if out:
        made = f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"
        write_file(out, page_of(checked, About(model, whence, _version(), made, files)).encode())
    required = {claim.value: _answer(checked, claim) for claim in require or ()}
    if as_json:
        print_json({
            "model": model,
            "weights": whence,
            **document_of(checked),
            "files": {name: str(path) for name, path in files.items()},
            "report": None if out is None else str(out),
            "required": required,
        })  # fmt: skip
    else:
        remark(f"weights: {whence}")
        _show(checked, [*files.values(), *([out] if out else [])])
    for claim in (claim for claim, answer in required.items() if answer is not True):
        remark(f"lvmc: required, {claim}: {'undecided' if required[claim] is None else 'refuted'}")
    if not all(required.values()):
        raise typer.Exit(1)


def _answer(checked: Check, claim: Claim) -> Answer:
    match claim:
        case Claim.BOUNDED:
            return checked.bounded
        case Claim.STRICT:
            return checked.verdict.strict
        case Claim.PSD:
            return checked.verdict.psd


def _save(checked: Check, folder: Path) -> Mapping[str, Path]:
    """Write the proofs of a check."""
    from lvmc.diagnostics.proofs import proofs
    from lvmc.verdicts.files import save

    files: dict[str, Path] = {}
    for each in proofs(checked):
        folder.mkdir(parents=True, exist_ok=True)
        files[each.name] = folder / f"{checked.name}.{each.name}.npz"
        save(files[each.name], each.subject, each.proof)
    return files


def _show(checked: Check, written: Sequence[Path]) -> None:
    """The verdict, then what it rests on."""
    from lvmc.cli.output import console, table
    from lvmc.results.check import band, duration, passes_said, said, size_words

    out = console()
    out.print(said(checked).sentence, soft_wrap=True)
    if size_words(checked.form):
        out.print(f"{checked.name}: {size_words(checked.form)}; {band(checked)}; {duration(checked.seconds)}.")
    for text in checked.verdict.remarks:
        out.print(f"{text}.", soft_wrap=True)
    for made in filter(None, (_stages(checked), _layers(checked))):
        out.print()
        out.print(table(*made))
    if checked.remedies:
        out.print("\nwhat to change, each tried:")
        for each in checked.remedies:
            holds = "holds" if each.holds else "undecided" if each.holds is None else "does not help"
            out.print(f"  {each.text}: {holds}", soft_wrap=True)
    if passes_said(checked):
        out.print(f"\npasses: {' '.join(passes_said(checked))}", soft_wrap=True)
    if checked.outer is not None:
        out.print(f"\nsteps: {checked.outer.said}", soft_wrap=True)
    if written:
        out.print(f"\nwritten: {', '.join(map(str, written))}", soft_wrap=True)


def _stages(checked: Check) -> Listing | None:
    from lvmc.results.check import duration, figure

    if not checked.stages:
        return None
    rows = [
        (
            each.stage,
            figure(each.lower, "down") if isfinite(each.lower) else "",
            figure(each.upper, "up") if isfinite(each.upper) else "",
            duration(each.seconds),
            each.remark,
        )
        for each in checked.stages
    ]
    return ("stage", "not less than", "not more than", "time", "remark"), rows, ("stage", "remark")


def _layers(checked: Check) -> Listing | None:
    from lvmc.cli.output import count
    from lvmc.results.check import figure, percent

    if not any(isfinite(each.margin) or each.share for each in checked.layers):
        return None
    columns = ["layer", "units", "margin"]
    rows = [[each.layer, count(each.units), figure(each.margin, "down")] for each in checked.layers]
    if any(each.share for each in checked.layers):
        columns.append("share of the witness")
        rows = [[*row, percent(each.share)] for row, each in zip(rows, checked.layers, strict=True)]
    return columns, rows, ("layer",)


def _version() -> str:
    from lvmc import __version__

    return __version__
