"""Mistakes of outer feedback: states, the inputs that show them, and the heads that change them."""

from __future__ import annotations

from lvmc.graph.checks import MAX_UPDATES
from lvmc.graph.couplings import divisors, text
from lvmc.graph.feedback import canvas_of
from lvmc.graph.feedback_head_checks import check_change, check_untied
from lvmc.graph.findings import Findings
from lvmc.ir import Size
from lvmc.records import nearest
from lvmc.spec import RenderedInput, Spec
from lvmc.spec.feedback import State, Update
from lvmc.spec.inputs import Input
from lvmc.values import Path

_STATE: Path = ("state",)
_FEEDBACK: Path = ("feedback",)


def check_feedback(spec: Spec, findings: Findings) -> None:
    """Every state is shown by an input and changed by a head of its shape; the passes inside a step are fixed."""
    for name, record in spec.inputs.items():
        if isinstance(record, RenderedInput):
            _check_rendered(name, record, spec, findings)
    for name, state in spec.state.items():
        _check_state(name, state, spec, findings)
    if spec.feedback is None:
        return
    for name, update in spec.feedback.update.items():
        _check_update(name, update, spec, findings)
    check_untied(spec, findings)
    _check_inference(spec, findings)


def _check_rendered(name: str, record: RenderedInput, spec: Spec, findings: Findings) -> None:
    path, state = ("inputs", name), spec.state.get(record.render)
    canvas = canvas_of(spec)
    if canvas is None:
        fault = f"'{name}' shows a state, but no plain input says how large it is"
        remedy = "add an input, for example image: {channels: 3, size: [64, 64]}"
        findings.add(path, fault, remedy, on_key=True, needs=(("inputs",),))
    if state is None:
        if not findings.doubts(_STATE):
            findings.add((*path, "render"), f"no state is named '{record.render}'", nearest(record.render, spec.state))
        return
    needs: tuple[Path, ...] = ((*_STATE, record.render), (*path, "as"))
    if state.points:
        _check_gaussian(path, record, canvas, spec, findings, needs)
        return
    if record.as_ == "gaussian":
        fault = f"'{record.render}' is a map, which no Gaussians stand for"
        findings.add((*path, "as"), fault, "write as: map or as: sigmoid", needs=needs)
    for key in ("sigma", "truncate", "scale", "offset", "extra", "size"):
        if key in record.model_fields_set and getattr(record, key) not in (None, ()):
            findings.add((*path, key), f"'{key}' is about points, but '{record.render}' is a map",
                         f"leave '{key}' out", on_key=True, needs=needs)  # fmt: skip


def _check_gaussian(
    path: Path, record: RenderedInput, canvas: str | None, spec: Spec, findings: Findings, needs: tuple[Path, ...]
) -> None:
    if record.as_ in ("map", "sigmoid"):
        fault = f"'{record.render}' are points, which are shown as Gaussians"
        findings.add((*path, "as"), fault, "write as: gaussian", needs=needs)
    elif record.sigma is None:
        fault = f"{_called(path)} needs 'sigma', the width of its Gaussians in pixels"
        remedy = "for example sigma: 2.0; exp(−s d²) is sigma: 1/√(2s)"
        findings.add(path, fault, remedy, on_key=True, needs=(*needs, (*path, "sigma")))
    for place, extra in enumerate(record.extra):
        if extra in record.extra[:place]:
            findings.add((*path, "extra"), f"'{extra}' is named twice", "name each point once")
    if record.size is not None and canvas is not None:
        _check_part(record.size, canvas, (*path, "size"), spec, findings)


def _called(path: Path) -> str:
    return f"input '{path[1]}'"


def _check_part(size: Size, canvas: str, path: Path, spec: Spec, findings: Findings) -> None:
    """A size is the canvas's, divided by whole numbers."""
    record = spec.inputs[canvas]
    assert isinstance(record, Input)
    whole = record.size
    if whole[0] % size[0] or whole[1] % size[1]:
        fault = f"{text(size)} does not divide '{canvas}', which is {text(whole)}"
        remedy = f"rows that do: {divisors(whole[0])}; columns: {divisors(whole[1])}"
        findings.add(path, fault, remedy, needs=(("inputs", canvas, "size"),))


def _check_state(name: str, state: State, spec: Spec, findings: Findings) -> None:
    path, needs = (*_STATE, name), ((*_STATE, name),)
    if (state.points is None) == (state.channels is None):
        fault = f"state '{name}' is either points or a map"
        remedy = "write points: 16, or channels: 16 with a size" if state.points is None else "leave one of them out"
        findings.add(path, fault, remedy, on_key=True, needs=((*path, "points"), (*path, "channels")))
        return
    if state.points and state.size is not None:
        fault = f"'size' is of maps, but '{name}' are points"
        findings.add((*path, "size"), fault, "leave 'size' out", on_key=True, needs=needs)
    if state.channels and state.init in ("median", "mean"):
        fault = f"a map starts at zeros or from a file, not at a {state.init}"
        findings.add((*path, "init"), fault, "write init: zeros, or for example init: start.npz", needs=needs)
    canvas = canvas_of(spec)
    if state.channels and state.size and canvas is not None:
        _check_part(state.size, canvas, (*path, "size"), spec, findings)
    named = {each.render for each in spec.inputs.values() if isinstance(each, RenderedInput)}
    if named <= spec.state.keys() - {name} and not findings.doubts(("inputs",)):
        fault = f"no input shows '{name}', so a step would not depend on the one before"
        form = (
            f"belief: {{render: {name}, as: gaussian, sigma: 2.0}}" if state.points else f"belief: {{render: {name}}}"
        )
        findings.add(path, fault, f"add an input, for example {form}", on_key=True)
    if spec.feedback is None:
        fault = f"no step changes '{name}'"
        head = next(iter(spec.heads), "correction")
        remedy = f"write feedback: {{update: {{{name}: {{{'add' if state.points else 'set'}: {head}}}}}, steps: 3}}"
        findings.add(path, fault, remedy, on_key=True, needs=(_FEEDBACK,))
    elif name not in spec.feedback.update:
        fault = f"no step changes '{name}'"
        findings.add(path, fault, f"add it to feedback.update, for example {name}: {{add: correction}}",
                     on_key=True, needs=(_FEEDBACK,))  # fmt: skip


def _check_update(name: str, update: Update, spec: Spec, findings: Findings) -> None:
    path: Path = (*_FEEDBACK, "update", name)
    state = spec.state.get(name)
    if state is None:
        if not findings.doubts(_STATE):
            findings.add(path, f"no state is named '{name}'", nearest(name, spec.state), on_key=True)
        return
    if (update.add is None) == (update.set is None):
        remedy = "write add: or set: and a head" if update.add is None else "leave one of them out"
        fault = f"'{name}' is either added to or set"
        findings.add(path, fault, remedy, on_key=True, needs=((*path, "add"), (*path, "set")))
        return
    key = "add" if update.add else "set"
    if update.set and update.bound is not None:
        fault = "'bound' is of what is added, so it means nothing beside 'set'"
        findings.add((*path, "bound"), fault, "leave 'bound' out, or write add", on_key=True, needs=((*path, "set"),))
    if "norm" in update.model_fields_set and update.bound is None:
        fault = "'norm' says how 'bound' is measured, which is not given"
        findings.add(
            (*path, "norm"), fault, "add a bound, for example bound: 20.0", on_key=True, needs=((*path, "bound"),)
        )
    if state.channels and update.bound is not None and update.norm == "vector":
        fault = f"'{name}' is a map, whose numbers are bounded each"
        findings.add((*path, "bound"), fault, "write norm: each", on_key=True, needs=((*_STATE, name),))
    check_change(key, name, state, update, spec, findings)


def _check_inference(spec: Spec, findings: Findings) -> None:
    """A step runs a fixed number of passes, and heads are read once in it."""
    inference, needs = spec.inference, (_FEEDBACK,)
    for key, given in (("until", inference.until is not None), ("gradient", inference.gradient == "implicit")):
        if given:
            fault = f"a step of 'feedback' runs a fixed number of passes, so '{key}' cannot be given"
            findings.add(("inference", key), fault, f"leave '{key}' out", on_key=True, needs=needs)
    for name, head in spec.heads.items():
        if head.at == "each" and inference.until is None and inference.gradient == "unrolled":
            fault = f"with 'feedback' the predictions of the steps are stacked, so '{name}' cannot read at each pass"
            findings.add(("heads", name, "at"), fault, "write at: last, or the number of a pass", needs=needs)
    assert spec.feedback is not None
    times = spec.feedback.steps if spec.feedback.tying == "untied" else 1
    updates = times * inference.passes * len(spec.layers)
    if updates > MAX_UPDATES and inference.until is None:
        fault = f"{updates:,} updates to write out in all steps, more than the {MAX_UPDATES:,} allowed"
        path: Path = (*_FEEDBACK, "steps") if times > 1 else ("inference", "passes")
        findings.add(path, fault, "use fewer passes or steps", on_key=True, needs=(("inference",), _FEEDBACK))
