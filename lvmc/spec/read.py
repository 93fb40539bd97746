"""From the values of a document to a `Spec`: every mistake found, in the user's words and at its place."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lvmc.errors import Problem
from lvmc.heads import HEADS
from lvmc.records import PROBLEM, nearest, shown
from lvmc.source import Document, Path
from lvmc.spec.keys import known_keys, section
from lvmc.spec.model import LATER, Spec

LATER_HEADS = ("density", "lift")

_ROUNDS = 4
_PLACEHOLDERS: dict[str, Any] = {
    "lvmc": 1, "name": "unnamed", "channels": 1, "outputs": 1, "size": [1024, 1024], "filter": 1, "window": 1, "kind": "drive",
    "reads": "unread",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """A spec as far as it could be read.

    `unsure` holds the paths whose values were mended to read on: what depends on them is not judged.
    """

    spec: Spec | None
    problems: tuple[Problem, ...]
    unsure: frozenset[Path]


def read_spec(document: Document) -> Reading:
    """Validate a document's values; mistakes are set aside, so that the rest can still be judged."""
    if not isinstance(document.values, dict):
        fault = f"a spec is a mapping of sections, not {shown(document.values)}"
        return Reading(None, (Problem(document.place(()), fault, "begin with lvmc: 1"),), frozenset())
    values: dict[str, Any] = deepcopy(document.values)  # pyright: ignore[reportUnknownArgumentType]
    problems: list[Problem] = []
    unsure: set[Path] = set()
    for _ in range(_ROUNDS):
        try:
            return Reading(Spec.model_validate(values), (*document.problems, *problems), frozenset(unsure))
        except ValidationError as error:
            found = [(_path(each["loc"], values, each["type"]), each) for each in error.errors()]
            problems += [_problem(document, details, path) for path, details in found]
            unsure |= {path[:2] for path, _ in found}
            for path, details in found:
                _mend(values, path, details["type"])
    return Reading(None, (*document.problems, *problems), frozenset(unsure))


def _path(location: tuple[int | str, ...], values: Any, kind: str) -> Path:
    """pydantic's location without the names of union members, which are no keys of the spec."""
    path: list[int | str] = []
    for step, key in enumerate(location):
        last = step == len(location) - 1
        if isinstance(values, dict | list | tuple) and _has(values, key):
            path.append(key)
            values = values[key]  # pyright: ignore[reportUnknownVariableType, reportCallIssue, reportArgumentType]
        elif last and kind == "missing":
            path.append(key)
    return tuple(path)


def _has(values: Any, key: int | str) -> bool:
    return key in values if isinstance(values, dict) else isinstance(key, int) and key < len(values)


def _problem(document: Document, details: ErrorDetails, path: Path) -> Problem:
    kind, key = details["type"], str(path[-1]) if path else ""
    context: dict[str, Any] = details.get("ctx", {})
    where = section(path[:-1])
    match kind:
        case "missing":
            return Problem(document.place(path[:-1], on_key=True), f"{where} needs '{key}'", _example(key))
        case "extra_forbidden" if key in LATER:
            fault = f"'{key}' ({LATER[key]}) is part of the language, but this version does not compile it yet"
            return Problem(document.place(path, on_key=True), fault, f"leave '{key}' out")
        case "extra_forbidden":
            remedy = nearest(key, known_keys(path[:-1], document.values))
            return Problem(document.place(path, on_key=True), f"unknown key '{key}' in {where}", remedy)
        case "union_tag_invalid":
            return _unknown_head(document, path, str(context["tag"]))
        case "union_tag_not_found":
            return Problem(document.place(path, on_key=True), f"{section(path)} needs 'kind'", "one of " + ", ".join(HEADS))
        case _ if kind == PROBLEM:
            fault = str(context["fault"])
            named = f"'{key}' {fault}" if fault.startswith(("should", "names")) else fault
            return Problem(document.place(path), named, str(context["remedy"]))
        case _:
            return Problem(document.place(path), f"'{key}' {_expected(kind, context)}, not {shown(details['input'])}")


def _unknown_head(document: Document, path: Path, tag: str) -> Problem:
    place = document.place((*path, "kind"))
    if tag in LATER_HEADS:
        fault = f"heads of kind '{tag}' are part of the language, but this version does not compile them yet"
        return Problem(place, fault, "one of " + ", ".join(HEADS))
    return Problem(place, f"no head is of kind '{tag}'", nearest(tag, HEADS))


def _expected(kind: str, context: dict[str, Any]) -> str:
    if kind == "literal_error":
        return "should be " + str(context["expected"])
    plain = {"bool_type": "true or false", "string_type": "text", "string_too_long": "a shorter text", "too_short": "one or more entries"}
    return "should be " + plain.get(kind, "a mapping")


def _example(key: str) -> str:
    examples = {
        "lvmc": "begin with lvmc: 1", "channels": "for example channels: 32", "size": "for example size: [64, 64]",
        "layers": "for example layers: {h1: {channels: 32, filter: 3}}", "name": "for example name: my_model",
        "reads": "name the layers to read", "outputs": "how many numbers it gives",
    }  # fmt: skip
    return examples.get(key, "")


def _mend(values: Any, path: Path, kind: str) -> None:
    """Take out what is wrong, or put a stand-in where something must be, so that reading can go on."""
    *parents, key = path or ("",)
    for parent in parents:
        values = values[parent]
    if kind.startswith("union_tag"):
        values.pop(key)
    elif kind != "extra_forbidden" and key in _PLACEHOLDERS:
        values[key] = _PLACEHOLDERS[str(key)]
    elif isinstance(values, dict):
        values.pop(key, None)  # pyright: ignore[reportUnknownMemberType]
    else:
        values[key] = None
