"""`lvmc eval`: a trained model evaluated on the samples of a split: tables, curves, predictions and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvmc.cli.opening import FolderOrSpec, Seed, Weights, open_model
from lvmc.cli.options import AsJson, Force

if TYPE_CHECKING:
    from lvmc.cli.output import Json
    from lvmc.data.sample import SampleSet, Splits
    from lvmc.evaluation import Evaluated, Evaluation
    from lvmc.runtime.module import Model
    from lvmc.spec.train import Train

EVAL = "eval.json"


class Split(StrEnum):
    """The sets of a source."""

    TEST = "test"
    VALIDATION = "validation"
    TRAIN = "train"


Data = Annotated[
    str | None,
    typer.Option(metavar="YAML", help="Samples to evaluate on instead of the spec's: as `data` in a `train` section."),
]
Which = Annotated[Split, typer.Option("--split", help="Which of the samples; test includes it under occluders.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="OUT", help="Folder to make: tables, curves, predictions, pictures."),
]
Count = Annotated[int, typer.Option("--pictures", metavar="N", help="Draw the first N samples and the worst N.", min=0)]
Refiner = Annotated[
    str | None,
    typer.Option("--refine-with", metavar="DIR|SPEC", help="A model whose energy refines numbers that this predicts."),
]
Batch = Annotated[int, typer.Option(metavar="N", help="Samples at a time.", min=1)]


def eval_model(
    model: FolderOrSpec,
    *,
    data: Data = None,
    split: Which = Split.TEST,
    out: Out = None,
    pictures: Count = 8,
    weights: Weights = None,
    refine_with: Refiner = None,
    batch: Batch = 64,
    seed: Seed = 0,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate a trained model on test samples: errors of points, pixels and numbers, likelihoods of densities."""
    from lvmc.cli.folder import check_replaceable, write_folder
    from lvmc.cli.output import print_json, remark
    from lvmc.data.sources import open_data
    from lvmc.evaluation.calls import picture_input
    from lvmc.evaluation.evaluate import predict_and_evaluate
    from lvmc.evaluation.evaluation import merged
    from lvmc.evaluation.steps import evaluate_steps
    from lvmc.runtime.module import compiled_of

    if out:
        check_replaceable(out, EVAL, force)
    net, whence = open_model(model, seed, weights=weights)
    train = _train(net, data)
    splits = open_data(train.data, picture_input(compiled_of(net).graph))
    sets = _sets(splits, split)
    if not as_json:
        for text in (f"weights: {whence}", *splits.remarks):
            remark(text)
    net.to(_device())
    refiner = _refiner(refine_with, net, train, seed)
    evaluated = predict_and_evaluate(net, sets, train, batch, refine_with=refiner)
    by_step = evaluate_steps(net, sets, train, batch)
    evaluated = evaluated._replace(evaluation=merged([evaluated.evaluation, by_step]))
    evaluated, category = _with_oks(evaluated, sets, train, split)
    document = _document(evaluated.evaluation, model, whence, train, split, sets, out)
    document["refine_with"] = refine_with
    if out:
        write_folder(out, partial(_fill, net, sets, evaluated, train, category, pictures, document), EVAL, force)
    if as_json:
        print_json(document)
    else:
        _show(evaluated.evaluation, train, sets, out)


def _train(net: Model, data: str | None) -> Train:
    """How a model was trained; with other data, if they are given.

    Raises:
        ValueError: Its spec does not say.
    """
    from lvmc.loading import resolve
    from lvmc.runtime.module import compiled_of

    spec = compiled_of(net).spec
    if data is not None:
        spec = resolve(spec, [f"train.data={data}"])[0]
    if spec.train is None:
        raise ValueError(f"{spec.name} has no train section, so there are no samples to judge on: give --data figures")
    return spec.train


def _refiner(model: str | None, net: Model, train: Train, seed: int) -> Model | None:
    """Another model, which takes the same pictures and has an energy of as many numbers.

    Raises:
        ValueError: It does not, or has none.
    """
    from lvmc.evaluation.calls import picture_input
    from lvmc.evaluation.numbers import refiners
    from lvmc.runtime.module import compiled_of

    if model is None:
        return None
    other = open_model(model, seed)[0].to(_device())
    graph, own = compiled_of(other).graph, compiled_of(net).graph
    given, wanted = picture_input(graph), picture_input(own)
    if (given.channels, given.size) != (wanted.channels, wanted.size):
        fault = f"{graph.name} takes {given.channels} channels of {given.size[0]}×{given.size[1]}"
        raise ValueError(f"--refine-with: {fault}, {own.name} {wanted.channels} of {wanted.size[0]}×{wanted.size[1]}")
    if not refiners(own, train, graph):
        raise ValueError(f"--refine-with: {graph.name} has no energy of as many numbers as a head of {own.name} gives")
    return other


def _sets(splits: Splits, split: Split) -> dict[str, SampleSet]:
    """The samples of a split; those of test under occluders too."""
    found = {Split.TRAIN: splits.train, Split.VALIDATION: splits.validation, Split.TEST: splits.test}
    samples = found[split]
    if samples is None or not len(samples):
        there = [each.value for each, some in found.items() if some is not None and len(some)]
        raise ValueError(f"the data has no {split.value} samples: write --split {' or --split '.join(there)}")
    return {split.value: samples, **(splits.covered if split == Split.TEST else {})}


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _with_oks(evaluated: Evaluated, sets: Mapping[str, SampleSet], train: Train, split: Split) -> tuple[Evaluated, int]:
    """With COCO's own score on COCO data, and the category that predictions are of."""
    from lvmc.evaluation.annotations import oks_of
    from lvmc.evaluation.evaluation import merged
    from lvmc.spec.data import Coco

    if not isinstance(train.data, Coco):
        return evaluated, 1
    scores, category = oks_of(train.data, split.value, evaluated.predicted[split.value], sets[split.value])
    return evaluated._replace(evaluation=merged([evaluated.evaluation, scores])), category


def _document(
    evaluation: Evaluation,
    model: str,
    whence: str,
    train: Train,
    split: Split,
    sets: Mapping[str, SampleSet],
    out: Path | None,
) -> dict[str, Json]:
    return {
        "model": model,
        "weights": whence,
        "data": train.data.model_dump(mode="json", exclude_unset=True),
        "split": split.value,
        "samples": {name: len(samples) for name, samples in sets.items()},
        "pck": train.evaluate.pck,
        "folder": None if out is None else str(out),
        **evaluation.document(),
    }


def _fill(
    net: Model,
    sets: Mapping[str, SampleSet],
    evaluated: Evaluated,
    train: Train,
    category: int,
    pictures: int,
    document: Mapping[str, Json],
    folder: Path,
) -> None:
    from lvmc.evaluation.folder import write_densities, write_numbers, write_pictures, write_predictions

    write_numbers(evaluated.evaluation, train.evaluate.pck, folder)
    write_predictions(evaluated.predicted, sets, category, folder)
    if pictures:
        write_pictures(net, sets, evaluated, train, pictures, folder)
        write_densities(net, sets, train, pictures, folder)
    noted = {key: document[key] for key in ("model", "weights", "data", "split", "samples", "pck", "refine_with")}
    (folder / EVAL).write_text(json.dumps(noted), encoding="utf-8")


def _show(evaluation: Evaluation, train: Train, sets: Mapping[str, SampleSet], out: Path | None) -> None:
    from lvmc.cli.output import console, count, table
    from lvmc.evaluation.tables import listings

    show = console()
    show.print("; ".join(f"{name}: {count(len(samples))} samples" for name, samples in sets.items()), soft_wrap=True)
    if not evaluation.figures:
        show.print("nothing to judge: no head says what these samples know")
    for each in listings(evaluation, train.evaluate.pck, next(iter(sets))):
        show.print(f"\n{each.title}")
        show.print(table(each.columns, each.rows, left=each.columns[:1]))
    if out:
        show.print(f"\n{out}/: evaluation.json, table.md, *.csv, *.png, predictions.json, pictures/", soft_wrap=True)
