"""What pydantic says of a spec, in the user's words: the place, the fault, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from lvmc.errors import Problem
from lvmc.records import PROBLEM, closest, nearest, shown
from lvmc.source import Document
from lvmc.spec.keys import home, known_keys, section, union_at
from lvmc.values import Path

_EXAMPLES = {
    "lvmc": "begin with lvmc: 1",
    "name": "for example name: my_model",
    "channels": "for example channels: 32",
    "size": "for example size: [64, 64]",
    "filter": "for example filter: 3",
    "inputs": "for example inputs: {image: {channels: 3, size: [64, 64]}}",
    "filters": "for example filters: {edges: {size: 3}}",
    "layers": "for example layers: {h1: {channels: 32, filter: 3}}",
    "inference": "for example inference: {passes: 2}",
    "heads": "for example heads: {label: {kind: classes, outputs: 10, reads: h5}}",
    "reads": "name the layers to read, for example reads: {h5: 1, h3: 1}",
    "dims": "say how many numbers y is, for example dims: 2",
    "outputs": "say how many numbers it gives, for example outputs: 10",
    "normalize": "for example normalize: {range: 255}",
    "lateral": "for example lateral: {filter: 3}",
    "points": "for example points: {names: [left_eye, right_eye]}",
    "landmarks": "name the heatmap head whose points are lifted, for example landmarks: keypoints",
    "basis": "for example basis: poses_basis.npz",
    "norm": "write drive, message or {kind: message, eps: 1e-3}",
    "kind": "write drive or message",
    "train": "for example train: {data: figures, epochs: 20}",
    "epochs": "for example epochs: 20",
    "evaluate": "for example evaluate: {pck: 0.1}",
    "targets": "for example targets: {keypoints: {radius: 0.5}}",
    "stages": "for example stages: [{epochs: 5}, {epochs: 10}]",
    "occluders": "name the arrays: {box: occ_rect, donor: occ_donor, visible: occ_visible}",
    "file": "for example file: faces.npz",
    "annotations": "for example annotations: train.json",
    "images": "a folder of pictures, for example images: pictures",
    "masks": "a folder of masks, for example masks: masks",
    "steps": "for example steps: [20, 30]",
    "update": "for example update: {pose: {add: correction}}",
    "state": "for example state: {pose: {points: 16}}",
    "feedback": "for example feedback: {update: {pose: {add: correction}}, steps: 3}",
}
_ENTRY = {
    "inputs": "{channels: 3, size: [64, 64]}",
    "filters": "{size: 3}",
    "layers": "{channels: 32, filter: 3}",
    "heads": "{kind: classes, outputs: 10, reads: h5}",
    "state": "{points: 16}",
}
_EXPECTED = {
    "bool_type": "true or false",
    "string_type": "text",
    "string_too_long": "a text of at most 10,000 characters",
    "too_short": "a mapping of one or more entries",
}


def problem_of(path: Path, details: ErrorDetails, document: Document) -> Problem:
    """The report of one of pydantic's errors, which it found at `path`."""
    match details["type"]:
        case "missing":
            key, place = str(path[-1]), document.place(path[:-1], on_key=True)
            return Problem(place, f"{section(path[:-1])} needs '{key}'", _EXAMPLES.get(key, f"write {key}: …"))
        case "extra_forbidden":
            return _unknown_key(path, document)
        case "union_tag_invalid":
            return _unknown_kind(path, details["input"]["kind"], document)
        case "union_tag_not_found":
            return _no_kind(path, details["input"], document)
        case kind if kind == PROBLEM:
            return _wrong_value(path, details, document)
        case kind:
            return _wrong_type(path, kind, details, document)


def _unknown_key(path: Path, document: Document) -> Problem:
    key, place = str(path[-1]), document.place(path, on_key=True)
    if key == "<<":
        fault = "merge keys (<<) are not part of the language"
        return Problem(place, fault, "write the keys out, or alias the whole mapping")
    fault = f"unknown key {shown(key)} in {section(path[:-1])}"
    known = known_keys(path[:-1], document.values)
    if ":" in key:
        return Problem(place, fault, "write a space after the colon")
    elsewhere = "" if closest(key, known) else home(key)
    here = nearest(key, known) if known else f"leave '{key}' out"
    return Problem(place, fault, "; ".join(filter(None, (elsewhere, here))))


def _unknown_kind(path: Path, kind: Any, document: Document) -> Problem:
    place, (called, kinds) = document.place((*path, "kind")), _union(path)
    return Problem(place, f"no {called} of kind {shown(kind)}", nearest(str(kind), kinds))


def _no_kind(path: Path, given: dict[str, Any], document: Document) -> Problem:
    misspelt = next((key for key in given if closest(key, ["kind"])), None)
    if misspelt is not None:
        place = document.place((*path, misspelt), on_key=True)
        return Problem(place, f"unknown key '{misspelt}' in {section(path)}", "did you mean 'kind'?")
    kinds = ", ".join(_union(path)[1])
    return Problem(document.place(path, on_key=True), f"{section(path)} needs 'kind'", f"one of {kinds}")


def _union(path: Path) -> tuple[str, Mapping[str, type[BaseModel]]]:
    union = union_at(path)
    assert union is not None, f"nothing at {path} has kinds"
    return union


def _wrong_value(path: Path, details: ErrorDetails, document: Document) -> Problem:
    context: dict[str, Any] = details.get("ctx", {})
    fault = str(context["fault"])
    named = f"'{path[-1]}' {fault}" if path and fault.startswith(("should", "names")) else fault
    return Problem(document.place(path), named, str(context["remedy"]))


def _wrong_type(path: Path, kind: str, details: ErrorDetails, document: Document) -> Problem:
    key, given = str(path[-1]), details["input"]
    place = document.place(path, on_key=given is None)
    if path[-3:-1] == ("train", "stages"):
        return Problem(place, f"{section(path)} should be a mapping, not {shown(given)}", "for example {epochs: 5}")
    if len(path) == 2 and path[0] in _ENTRY:
        fault = f"{section(path)} should be a mapping, not {shown(given)}"
        return Problem(place, fault, f"for example {key}: {_ENTRY[str(path[0])]}")
    expected = _EXPECTED.get(kind, "a mapping")
    remedy = _EXAMPLES.get(key, "write it as {key: value}") if expected == "a mapping" else f"write {expected}"
    if kind == "string_type":
        remedy = "write a word, or text in quotes"
    if kind == "literal_error":
        expected = str(details.get("ctx", {})["expected"])
        remedy = f"write {expected.replace(chr(39), '')}"
    return Problem(place, f"'{key}' should be {expected}, not {shown(given)}", remedy)
