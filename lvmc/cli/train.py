"""`lvmc train`: a spec learns from its data; interrupted, it goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lvmc.cli.options import AsJson, Force, Spec

if TYPE_CHECKING:
    from lvmc.cli.output import Json
    from lvmc.spec import Spec as SpecRecord
    from lvmc.training import Trained

Out = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="RUN", help="Folder of the run; runs/NAME if not given.")
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a value of the spec first: train.epochs=5."),
]
Resume = Annotated[bool, typer.Option("--resume", metavar="", help="Go on from the run's checkpoint, if there is one.")]
Devices = Annotated[
    int, typer.Option(metavar="N", help="Processes on this machine; under torchrun its number counts.", min=1)
]
Strategy = Annotated[
    Literal["auto", "ddp", "fsdp"],
    typer.Option(help="Whether each process has the whole model (ddp, also auto) or a part of it."),
]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option("--device", help="Where to train.")]


def train(
    spec: Spec,
    out: Out = None,
    changes: Changes = None,
    resume: Resume = False,
    devices: Devices = 1,
    strategy: Strategy = "auto",
    device: Device = "auto",
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Train a spec as its `train` section says; without one, on drawn figures with the defaults.

    RUN becomes a compiled folder with weights, a checkpoint, logs (CSV, JSONL, TensorBoard) and an evaluation.
    """
    from lvmc.cli.output import progress, remark
    from lvmc.loading import load
    from lvmc.spec.train import Train
    from lvmc.training import Progress, in_words, is_first, train_spec

    loaded = load(spec, changes=changes or ())
    folder = out or Path("runs") / loaded.name
    watch = (loaded.train or Train()).evaluate.watch
    looks_on = is_first() and not as_json
    with progress(looks_on) as bar:

        def tell(told: Progress) -> None:
            bar(in_words(told, watch), told.share)
            if told.ended and looks_on:
                remark(in_words(told, watch))

        try:
            trained = train_spec(
                loaded, folder, resume=resume, force=force, devices=devices, strategy=strategy, accelerator=device,
                tell=tell,
            )  # fmt: skip
        except KeyboardInterrupt:
            remark(f"interrupted; the same command with --resume goes on from the newest checkpoint in {folder}")
            raise typer.Exit(130) from None
    if is_first():
        _report(trained, folder, watch, as_json)


def _report(trained: Trained, folder: Path, watch: str, as_json: bool) -> None:
    from lvmc.cli.output import print_json

    if as_json:
        print_json(_document(trained, folder))
    else:
        _show(trained, folder, watch)


def _document(trained: Trained, folder: Path) -> dict[str, Json]:
    return {
        "name": trained.spec.name,
        "folder": str(folder),
        "finished": trained.finished,
        "steps": trained.steps,
        "seconds": round(trained.seconds, 3),
        "best_epoch": trained.best,
        "figures": trained.evaluation.figures,
        "remarks": list(trained.remarks),
    }


def _show(trained: Trained, folder: Path, watch: str) -> None:
    from lvmc.cli.output import console, count, remark, table
    from lvmc.evaluation.tables import listings

    for text in trained.remarks:
        remark(text)
    show = console()
    kept = f"those of epoch {trained.best}, the best by {watch}" if trained.best else "the last ones"
    show.print(f"{count(trained.steps)} steps in {trained.seconds:.0f} s; the weights kept are {kept}", soft_wrap=True)
    for each in listings(trained.evaluation, _limit(trained.spec), rows_of=""):
        show.print(f"\n{each.title}")
        show.print(table(each.columns, each.rows, left=each.columns[:1]))
    files = f"{trained.spec.name}.py, weights.safetensors, evaluation.json, log.csv, log.jsonl, tensorboard/"
    show.print(f"\n{folder}/: {files}", soft_wrap=True)
    show.print(f"next: lvmc eval {folder} -o {folder}/eval; lvmc run {folder} PICTURE -o out", soft_wrap=True)


def _limit(spec: SpecRecord) -> float:
    from lvmc.spec.train import Train

    return (spec.train or Train()).evaluate.pck
