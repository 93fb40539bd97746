"""Mistakes of `train` about the steps of outer feedback: their paths, how many a stage has, what they are given."""

from __future__ import annotations

from lvmc.graph.findings import Findings
from lvmc.heads.vector import Vector
from lvmc.spec import RenderedInput, Spec, Train
from lvmc.spec.feedback import Feedback
from lvmc.values import Path

_FEEDBACK: Path = ("feedback",)


def check_steps(spec: Spec, train: Train, findings: Findings) -> None:
    """What `train` says of steps fits `feedback`, and pictures are all that the model needs."""
    given: dict[Path, int] = {
        ("train", "stages", number, "steps"): stage.steps for number, stage in enumerate(train.stages) if stage.steps
    }
    if train.evaluate.steps:
        given[("train", "evaluate", "steps")] = train.evaluate.steps
    if spec.feedback is None:
        _check_none(given, train, findings)
        return
    for path, steps in given.items():
        _check_count(path, steps, spec.feedback, findings)
    _check_last(train, spec.feedback, findings)
    _check_extra(spec, findings)
    _check_shared(spec.feedback, spec, findings)
    if train.path == "fixed":
        _check_fixed(spec, spec.feedback, findings)


def _check_none(given: dict[Path, int], train: Train, findings: Findings) -> None:
    remedy = "leave it out, or add 'state' and 'feedback'"
    for path in given:
        findings.add(
            path, "'steps' are those of 'feedback', and there is none", remedy, on_key=True, needs=(_FEEDBACK,)
        )
    if train.path == "fixed":
        fault = "'path' is about the steps of 'feedback', and there is none"
        findings.add(("train", "path"), fault, remedy, on_key=True, needs=(_FEEDBACK,))


def _check_count(path: Path, steps: int, feedback: Feedback, findings: Findings) -> None:
    """A stage has no more steps than the spec; an evaluation may, where they share their weights."""
    if steps <= feedback.steps or (path[1] == "evaluate" and feedback.tying == "tied"):
        return
    untied = ", each with weights of its own" if feedback.tying == "untied" else ""
    fault = f"{steps} steps, but 'feedback' has {feedback.steps}{untied}"
    findings.add(path, fault, f"write steps: {feedback.steps} or fewer", needs=((*_FEEDBACK, "steps"),))


def _check_last(train: Train, feedback: Feedback, findings: Findings) -> None:
    last = train.stages[-1].steps if train.stages else None
    if last is not None and last < feedback.steps:
        fault = f"the last stage trains {last} of {feedback.steps} steps, and its model is the one that is kept"
        path: Path = ("train", "stages", len(train.stages) - 1, "steps")
        findings.add(path, fault, "leave 'steps' out of the last stage", needs=((*_FEEDBACK, "steps"),))


def _check_extra(spec: Spec, findings: Findings) -> None:
    for name, record in spec.inputs.items():
        if isinstance(record, RenderedInput) and record.extra:
            fault = f"'{name}' shows further points, which training data do not have"
            remedy = "leave 'extra' out, or 'train'"
            findings.add(("inputs", name, "extra"), fault, remedy, on_key=True, needs=(("train",),))


def _check_shared(feedback: Feedback, spec: Spec, findings: Findings) -> None:
    """A vector is trained towards what is missing to the targets from one state."""
    changed: dict[str, str] = {}
    for name, update in feedback.update.items():
        head = update.add or update.set or ""
        if head in changed and isinstance(spec.heads.get(head), Vector):
            fault = f"'{head}' changes '{changed[head]}' too, and can be trained for one of them"
            path: Path = (*_FEEDBACK, "update", name, "add" if update.add else "set")
            findings.add(path, fault, "give each state a head of its own, or leave 'train' out", needs=(("train",),))
        changed[head] = name


def _check_fixed(spec: Spec, feedback: Feedback, findings: Findings) -> None:
    """Targets alone say where points are before each step; of maps, and in other weights, nothing does."""
    path: Path = ("train", "path")
    maps = [name for name, state in spec.state.items() if state.channels]
    if maps:
        fault = f"a fixed path is one of points, and '{maps[0]}' is a map"
        findings.add(path, fault, "write path: predicted", needs=(("state", maps[0]),))
    elif feedback.tying == "untied":
        fault = "steps with weights of their own are not run on a fixed path"
        findings.add(path, fault, "write path: predicted, or tying: tied for 'feedback'",
                     needs=((*_FEEDBACK, "tying"),))  # fmt: skip
