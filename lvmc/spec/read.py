"""From the values of a document to a `Spec`: every mistake found, in the user's words and at its place."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lvmc.errors import Problem
from lvmc.records import closest, shown
from lvmc.source import Document, plain
from lvmc.spec.keys import known_keys, union_at
from lvmc.spec.model import Spec
from lvmc.spec.words import problem_of
from lvmc.values import Path, at, holds, keyed, under

_ROUNDS = 6
_ENTRIES: dict[str, dict[str, Any]] = {
    "inputs": {"channels": 1, "size": 1024},
    "filters": {"size": 1},
    "layers": {"channels": 1, "filter": 1},
    "state": {"points": 1},
}
_VALUES: dict[str, Any] = {
    "lvmc": 1,
    "name": "unnamed",
    "channels": 1,
    "outputs": 1,
    "dims": 1,
    "kind": "drive",
    "reads": "unread",
    "render": "unread",
}
_TRAIN_VALUES: dict[str, Any] = {
    "epochs": 1,
    "steps": [1],
    **dict.fromkeys(("file", "images", "annotations", "masks", "box", "donor", "visible"), "unread"),
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A spec as far as it could be read.

    `unsure` holds the paths whose values were mended to read on: what depends on them is not judged.
    """

    spec: Spec | None
    problems: tuple[Problem, ...]
    unsure: frozenset[Path]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake pydantic found: its path in the spec, and the path that it probably leaves without its value."""

    path: Path
    meant: Path
    details: ErrorDetails

    @property
    def kind(self) -> str:
        """pydantic's name of it."""
        return self.details["type"]


def read_spec(document: Document) -> Parsed:
    """Validate a document's values; mistakes are set aside, so that the rest can still be judged."""
    if () not in document.spans:
        document = plain(document)
        if document.problems:
            return Parsed(None, document.problems, frozenset())
    problems, unsure = list(document.problems), set[Path]()
    values = keyed(deepcopy(document.values))
    if values is None:
        return Parsed(None, (*problems, _no_mapping(document)), frozenset())
    for _ in range(_ROUNDS):
        try:
            return Parsed(Spec.model_validate(values), tuple(problems), frozenset(unsure))
        except ValidationError as error:
            mistakes = [_mistake(details, values) for details in error.errors(include_url=False)]
        new = [mistake for mistake in mistakes if mistake.path not in unsure]
        problems += [problem_of(each.path, each.details, document) for each in _telling(new)]
        unsure |= {mistake.meant for mistake in new} | {mistake.path for mistake in new}
        for mistake in mistakes:
            _mend(values, mistake.path, mistake.kind)
    return Parsed(None, tuple(problems), frozenset(unsure))


def _no_mapping(document: Document) -> Problem:
    values = document.values
    remedy = "write a space after each colon" if isinstance(values, str) and ":" in values else "begin with lvmc: 1"
    return Problem(document.place(()), f"a spec is a mapping of sections, not {shown(values)}", remedy)


def _mistake(details: ErrorDetails, values: Any) -> Mistake:
    path = _path(details["loc"], values, details["type"])
    if details["type"] != "extra_forbidden":
        return Mistake(path, path, details)
    if path[-1] == "<<":
        return Mistake(path, path[:-1], details)
    near = closest(str(path[-1]), known_keys(path[:-1], values))
    return Mistake(path, (*path[:-1], near) if near else path, details)


def _path(location: tuple[int | str, ...], values: Any, kind: str) -> Path:
    """pydantic's location without the names of union members, which are no keys of the spec."""
    path: list[int | str] = []
    for step, key in enumerate(location):
        member = step == 2 and union_at(location[:2]) is not None and key == under(values, "kind")
        if holds(values, key) and not member:
            path.append(key)
            values = under(values, key)
        elif step == len(location) - 1 and kind == "missing":
            path.append(key)
    return tuple(path)


def _telling(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """Those that do not follow from another: a key missing as it is misspelt, a value that is wrong inside."""
    parents = {mistake.path[:-1] for mistake in mistakes}
    meant = {mistake.meant for mistake in mistakes if mistake.kind == "extra_forbidden"}

    def follows(mistake: Mistake) -> bool:
        match mistake.kind:
            case "missing":
                return mistake.path in meant or mistake.path[:-1] in meant
            case "literal_error":
                return mistake.path in parents
            case _:
                return False

    return [mistake for mistake in mistakes if not follows(mistake)]


def _mend_training(inside: dict[str, Any], key: str) -> None:
    """Every key of `train` has a default, but for some of its parts'."""
    if key in _TRAIN_VALUES:
        inside[key] = _TRAIN_VALUES[key]
    else:
        inside.pop(key, None)


def _mend(values: Any, path: Path, kind: str) -> None:
    """Take out what is wrong, or put a stand-in where something must be, so that reading can go on."""
    around, key = at(values, path[:-1]), str(path[-1]) if path else ""
    inside = keyed(around)
    if isinstance(around, list) and path[:2] == ("train", "stages"):
        around[cast("int", path[-1])] = {"epochs": 1}
    if inside is None:
        return
    if path[0] == "train" and kind != "extra_forbidden":
        _mend_training(inside, key)
    elif kind == "extra_forbidden" or kind.startswith("union_tag"):
        inside.pop(key, None)
    elif len(path) == 2 and path[0] in _ENTRIES:
        inside[key] = dict(_ENTRIES[str(path[0])])
    elif key in _VALUES:
        inside[key] = _VALUES[key]
    elif kind == "missing" and key in ("size", "filter"):
        inside[key] = 1
    else:
        inside.pop(key, None)
