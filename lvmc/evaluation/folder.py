"""An evaluation in a folder: tables, curves, predictions and pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lvmc.data.sample import SampleSet
from lvmc.evaluation.coco import coco_results
from lvmc.evaluation.curves import draw_pck, draw_precision_recall, draw_steps
from lvmc.evaluation.densities import first_shapes
from lvmc.evaluation.evaluate import Evaluated
from lvmc.evaluation.evaluation import Evaluation, save_errors
from lvmc.evaluation.pictures import draw_overview, draw_sample
from lvmc.evaluation.predict import Predicted
from lvmc.evaluation.shown import Shown, colours, look, worst
from lvmc.evaluation.tables import listings, markdown, write_figures, write_rows
from lvmc.results.densities import draw_densities
from lvmc.results.figures import save
from lvmc.spec.train import Train

if TYPE_CHECKING:
    from lvmc.runtime.module import Model

EVALUATION = "evaluation.json"


def write_numbers(evaluation: Evaluation, limit: float, folder: Path) -> None:
    """Write `evaluation.json`, `table.md`, `errors.npz`, figures, joints, classes and steps as .csv, and the curves.

    Args:
        evaluation: What to write; files that would be empty are left out.
        limit: The threshold of PCK.
        folder: Where.
    """
    (folder / EVALUATION).write_text(evaluation.to_json(), encoding="utf-8")
    (folder / "table.md").write_text(markdown(listings(evaluation, limit)), encoding="utf-8")
    write_figures(evaluation, folder / "figures.csv")
    save_errors(evaluation, folder / "errors.npz")
    if evaluation.joints:
        write_rows(evaluation.joints, "joint", folder / "joints.csv")
    if evaluation.classes:
        write_rows(evaluation.classes, "class", folder / "classes.csv")
    if evaluation.steps:
        write_rows(evaluation.steps, "step", folder / "steps.csv")
    drawn = {
        "curves.png": draw_pck(evaluation, limit),
        "precision_recall.png": draw_precision_recall(evaluation),
        "steps.png": draw_steps(evaluation),
    }
    for name, figure in drawn.items():
        if figure is not None:
            save(figure, folder / name)


def write_predictions(
    predicted: Mapping[str, Mapping[str, Predicted]], sets: Mapping[str, SampleSet], category: int, folder: Path
) -> None:
    """Write points as COCO results: `predictions.json`; of further sets and heads `predictions_<set>_<head>.json`."""
    first = True
    for place, heads in predicted.items():
        for head, said in heads.items():
            if said.points is not None:
                found = coco_results(said.points, said.confidence, sets[place], category)
                name = "predictions.json" if first else f"predictions_{place}_{head}.json"
                (folder / name).write_text(json.dumps(found), encoding="utf-8")
                first = False


def write_pictures(
    model: Model, sets: Mapping[str, SampleSet], evaluated: Evaluated, train: Train, count: int, folder: Path
) -> None:
    """Draw the first samples of each set and the worst ones, one by one and together, in `pictures/<set>/`.

    Args:
        model: As evaluated.
        sets: By name.
        evaluated: Of these sets.
        train: As for `evaluate`.
        count: How many of each.
        folder: Where.
    """
    for name, samples in sets.items():
        where = folder / "pictures" / name
        where.mkdir(parents=True)
        chosen = {"first": list(range(min(count, len(samples)))), "worst": worst(evaluated.evaluation, name, count)}
        for kind, indices in chosen.items():
            shown = look(model, samples, indices, train)
            said = [list(_judgements(evaluated.evaluation, name, *each)) for each in zip(indices, shown, strict=True)]
            for index, each, told in zip(indices, shown, said, strict=True):
                title = ": ".join(filter(None, (each.sample.name, ", ".join(told))))
                save(draw_sample(each, title), where / f"{kind}_{index:05d}.png")
            if shown:
                titles = [told[0] if told else each.sample.name for each, told in zip(shown, said, strict=True)]
                save(draw_overview(shown, titles), where / f"{kind}.png")


def write_densities(model: Model, sets: Mapping[str, SampleSet], train: Train, count: int, folder: Path) -> None:
    """Draw the densities of the first samples of each set with what is true: `pictures/<set>/density_<head>.png`."""
    for name, samples in sets.items():
        for head, shown in first_shapes(model, samples, train, count).items():
            figure = draw_densities(
                [shape for _, shape in shown],
                [each.name for each, _ in shown],
                [colours(each.image) for each, _ in shown],
            )
            save(figure, folder / "pictures" / name / f"density_{head}.png")


def _judgements(evaluation: Evaluation, name: str, index: int, shown: Shown) -> Iterator[str]:
    for said in shown.heads:
        errors = evaluation.errors.get(f"{name}/{said.head}/error")
        right = evaluation.errors.get(f"{name}/{said.head}/right")
        off = evaluation.errors.get(f"{name}/{said.head}/off")
        if errors is not None and not np.isnan(errors[index]).all():
            yield f"{said.head} NME {np.nanmean(errors[index]):.3f}"
        if off is not None and said.numbers is not None:
            yield f"{said.head} {', '.join(f'{each:.3g}' for each in said.numbers)}, off by {off[index].mean():.3g}"
        if right is not None and not np.isnan(right[index]):
            share = f"{100 * right[index]:.0f} %" if said.classes is not None else ("wrong", "right")[int(right[index])]
            yield f"{said.head} {share}"
