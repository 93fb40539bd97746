"""Changes of a spec by dotted path, `train.epochs: 5`: mistakes in them are shown where the change is written."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from lvmc.errors import Problem, Span, SpecError
from lvmc.records import shown
from lvmc.source import Document
from lvmc.values import Path, at, dotted, holds, keyed, listed

_RATES = "train.rates."


@dataclass(frozen=True, slots=True)
class Change:
    """A value to be set, and where the path (`key`) and the value with its parts (`spans`) are written.

    `path` is dotted; whole numbers count the entries of a list: `train.stages.0.epochs`.
    """

    path: str
    value: Any
    key: Span | str
    keys: tuple[tuple[Path, Span], ...] = ()
    spans: tuple[tuple[Path, Span], ...] = ()

    @property
    def steps(self) -> Path:
        """The path as keys and list numbers; parameters in `train.rates` have dots in their names."""
        if self.path.startswith(_RATES):
            return ("train", "rates", self.path.removeprefix(_RATES))
        return tuple(int(step) if step.isdecimal() else step for step in self.path.split("."))


def change(document: Document, key: Path, value: Path | None = None) -> Change:
    """The change of the path written as a key at `key`, to the value there, or at `value` of the same document."""
    value = key if value is None else value
    return change_to(str(key[-1]), document, value, document.place(key, on_key=True))


def change_to(path: str, document: Document, value: Path, key: Span | str) -> Change:
    """The change of a path to the value that a document has at `value`."""
    inside = len(value)
    keys = tuple(
        (each[inside:], span) for each, span in document.keys.items() if each[:inside] == value and each != value
    )
    spans = tuple((each[inside:], span) for each, span in document.spans.items() if each[:inside] == value)
    return Change(path, at(document.values, value), key, keys, spans)


def changed(document: Document, changes: Iterable[Change]) -> Document:
    """The document with values set, sections made where there are none.

    Raises:
        SpecError: A path leads through something that is no section.
    """
    values, keys, spans = deepcopy(document.values), dict(document.keys), dict(document.spans)
    for each in changes:
        _set(values, each)
        for place in (keys, spans):
            _forget(place, each.steps)
        if isinstance(each.key, Span):
            for around in (each.steps[:end] for end in range(1, len(each.steps))):
                keys.setdefault(around, each.key)
                spans.setdefault(around, each.key)
            keys[each.steps] = each.key
            keys |= {(*each.steps, *path): span for path, span in each.keys}
            spans |= {(*each.steps, *path): span for path, span in each.spans}
    return Document(document.name, values, keys, spans, document.problems)


def _forget(places: dict[Path, Span], path: Path) -> None:
    for each in [each for each in places if each[: len(path)] == path]:
        del places[each]


def _set(values: Any, change: Change) -> None:
    """Set one value in place."""
    *around, last = change.steps
    inside = values
    for number, step in enumerate(around):
        entries = keyed(inside)
        if entries is not None and entries.get(str(step)) is None:
            entries[str(step)] = {}
        inside = _under(inside, step, change, tuple(around[: number + 1]))
    if isinstance(inside, list) and isinstance(last, int) and holds(inside, last):
        inside[last] = deepcopy(change.value)
    elif (entries := keyed(inside)) is not None:
        entries[str(last)] = deepcopy(change.value)
    else:
        raise _no_way(change, tuple(around), inside)


def _under(inside: Any, step: str | int, change: Change, path: Path) -> Any:
    entries, items = keyed(inside), listed(inside)
    if entries is not None:
        return entries[str(step)]
    if items is not None and step in range(len(items)):
        return items[int(step)]
    raise _no_way(change, path[:-1], inside)


def _no_way(change: Change, path: Path, inside: Any) -> SpecError:
    whole = dotted(path) or "the spec"
    fault = f"{change.path} cannot be set: {whole} is {shown(inside)} there"
    return SpecError([Problem(change.key, fault, f"set {whole} as a whole")])
