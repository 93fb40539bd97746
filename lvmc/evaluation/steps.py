"""Points of a model with outer feedback evaluated after every step, beyond those that it was trained for too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.data.sample import SampleSet
from lvmc.evaluation.calls import Called, calls
from lvmc.evaluation.evaluation import Curve, Evaluation, Table, merged, placed
from lvmc.evaluation.points import mean, pck, point_errors
from lvmc.evaluation.predict import Truth, joined, said_of, truth_of
from lvmc.graph.states import FeedbackNode
from lvmc.runtime.module import compiled_of
from lvmc.runtime.starts import start_of_state
from lvmc.spec.train import Train

if TYPE_CHECKING:
    from lvmc.runtime.module import Model

Points = NDArray[np.float32]

BEYOND = 2
"""Steps that share their weights are watched up to so many times those that the spec has."""


def evaluate_steps(model: Model, sets: Mapping[str, SampleSet], train: Train, batch: int = 64) -> Evaluation:
    """NME and PCK after every step, by "<set>/<name>"; nothing without outer feedback.

    As many steps are run as `evaluate.steps` says, whatever `feedback.stop`; step 0 is where a state starts.
    """
    feedback = compiled_of(model).graph.feedback
    if feedback is None:
        return Evaluation()
    parts: list[Evaluation] = []
    for name, samples in sets.items():
        found, truth = _run(model, samples, train, batch, feedback)
        parts += [_evaluate(f"{name}/{of}", points, truth, train, feedback) for of, points in found.items()]
    return merged(parts)


def _run(
    model: Model, samples: SampleSet, train: Train, batch: int, feedback: FeedbackNode
) -> tuple[dict[str, dict[int, Points]], Truth]:
    """Points by name and step, (samples, points, 2), beside what is true."""
    count = train.evaluate.steps or feedback.steps * (1 if feedback.untied else BEYOND)
    found: dict[str, dict[int, list[Points]]] = {}
    known: list[Truth] = []
    for called in calls(model, samples, train, batch, steps=count, stop=0.0):
        for name, step, points in _points(model, called, train, feedback, count):
            found.setdefault(name, {}).setdefault(step, []).append(points)
        known.append(truth_of(called.batch))
    whole = {name: {step: np.concatenate(each) for step, each in steps.items()} for name, steps in found.items()}
    return whole, joined(known)


def _points(
    model: Model, called: Called, train: Train, feedback: FeedbackNode, steps: int
) -> list[tuple[str, int, Points]]:
    found: list[tuple[str, int, Points]] = []
    for state in feedback.states:
        if not state.is_map:
            start = start_of_state(model, state, called.out[state.name][0])
            found.append((state.name, 0, start.float().cpu().numpy()))
    for step in range(steps):
        said = said_of(model, called.batch, called.said(step), train)
        found += [(name, step + 1, each.points) for name, each in said.items() if each.points is not None]
    return found


def _evaluate(
    place: str, points: Mapping[int, Points], truth: Truth, train: Train, feedback: FeedbackNode
) -> Evaluation:
    """Nothing where the samples have no such points."""
    if truth.points is None or truth.visible is None or next(iter(points.values())).shape != truth.points.shape:
        return Evaluation()
    table: Table = {}
    figures: dict[str, float] = {}
    for step, each in points.items():
        errors = point_errors(each, truth.points, truth.visible, truth.units)
        row = {"nme": mean(errors), "pck": pck(errors, train.evaluate.pck)}
        if not np.isnan(row["nme"]):
            table[_called(step, feedback.steps)] = row
            figures |= {f"{metric}_step{step}": value for metric, value in row.items()}
    steps = tuple(float(step) for step in points)
    curves = {
        f"{place}/{metric}_by_step": Curve(steps, tuple(row[metric] for row in table.values()))
        for metric in ("nme", "pck")
        if table
    }
    return Evaluation(
        figures=placed(place, figures), steps={place: table}, curves=curves, counts={f"{place}/steps": feedback.steps}
    )


def _called(step: int, trained: int) -> str:
    return "start" if step == 0 else f"{step}" if step <= trained else f"{step}, beyond"
