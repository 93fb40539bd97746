"""Heads under outer feedback: which of them can change which state, and which cannot be a step's own."""

from __future__ import annotations

from lvmc.graph.findings import Findings
from lvmc.heads.density import Density
from lvmc.heads.heatmap import Heatmap
from lvmc.heads.lift import BELIEF, POINTS2D, Lift
from lvmc.heads.maps import MapHead
from lvmc.heads.segmentation import Segmentation
from lvmc.heads.vector import Vector
from lvmc.records import nearest
from lvmc.spec import Spec
from lvmc.spec.feedback import State, Update
from lvmc.values import Path


def check_change(key: str, name: str, state: State, update: Update, spec: Spec, findings: Findings) -> None:
    """The head that changes a state (`key`: add or set) has as many numbers, or as many planes."""
    path: Path = ("feedback", "update", name, key)
    named, _, output = (update.add or update.set or "").partition(".")
    head = spec.heads.get(named)
    if head is None:
        if not findings.doubts(("heads",)):
            findings.add(path, f"no head is named '{named}'", nearest(named, spec.heads))
        return
    needs: tuple[Path, ...] = (("heads", named), ("state", name))
    if isinstance(head, Lift):
        _check_lifted(path, state, head, spec, findings, needs)
    elif output:
        fault = f"'{named}' has one output, so '.{output}' names nothing"
        findings.add(path, fault, f"write {key}: {named}", needs=needs)
    elif state.points and not isinstance(head, Vector):
        fault = f"'{name}' are points, which only a vector or a lifting head changes; '{named}' is of another kind"
        remedy = f"name a head like {{kind: vector, outputs: {2 * state.points}, reads: …}}"
        findings.add(path, fault, remedy, needs=needs)
    elif state.points and isinstance(head, Vector) and head.outputs != 2 * state.points:
        fault = f"'{named}' gives {head.outputs} numbers for {state.points} points of two numbers each"
        findings.add(path, fault, f"write outputs: {2 * state.points} for '{named}'", needs=needs)
    elif state.channels and not isinstance(head, MapHead):
        fault = f"'{name}' is a map, which only a head of maps changes; '{named}' is of another kind"
        findings.add(path, fault, "name a heatmap, a segmentation, or the belief of a lifting head", needs=needs)
    elif state.channels and isinstance(head, Heatmap | Segmentation) and head.channels != state.channels:
        fault = f"'{named}' gives {head.channels} maps for the {state.channels} channels of '{name}'"
        findings.add(path, fault, f"write channels: {head.channels} for '{name}', or the other way round", needs=needs)


def _check_lifted(
    path: Path, state: State, head: Lift, spec: Spec, findings: Findings, needs: tuple[Path, ...]
) -> None:
    """A lifting head sets points to where its pose projects, or a map to its beliefs."""
    *_, name, key = map(str, path)
    update = spec.feedback.update[name] if spec.feedback else Update()
    named, _, output = (update.add or update.set or "").partition(".")
    wanted = POINTS2D if state.points else BELIEF
    right = f"write set: {named}.{wanted}"
    if key == "add":
        findings.add(path, f"'{named}' says where points are, not how they move", right, on_key=True, needs=needs)
    elif output != wanted:
        what = "points in pixels" if state.points else "a map"
        fault = f"'{name}' is {what}, and '{update.set}' is not"
        findings.add(path, fault, right, needs=needs)
    maps, count = spec.heads.get(head.landmarks), state.points or state.channels
    if isinstance(maps, Heatmap) and maps.channels != count:
        what = "points" if state.points else "channels"
        fault = f"'{named}' is of {maps.channels} points, but '{name}' has {count} {what}"
        findings.add(
            path, fault, f"write {what}: {maps.channels} for '{name}'", needs=(*needs, ("heads", head.landmarks))
        )


def check_untied(spec: Spec, findings: Findings) -> None:
    """A density is asked for by the weights of one head, which steps with weights of their own would not have."""
    if spec.feedback is None or spec.feedback.tying == "tied":
        return
    for name, head in spec.heads.items():
        if isinstance(head, Density):
            fault = f"with untied steps '{name}' would be another density in every step"
            remedy = "write tying: tied for 'feedback', or make the head a vector"
            findings.add(("heads", name, "kind"), fault, remedy, needs=(("feedback", "tying"),))
