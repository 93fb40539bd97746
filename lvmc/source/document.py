"""YAML 1.2 text to plain values, with the span of every key and value; never runs or constructs anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as File
from typing import Any, cast

from lvmc.errors import Problem, Span, SpecError
from lvmc.source.nodes import MAX_DEPTH, MAX_NODES, Node, compose
from lvmc.source.scalars import scalar
from lvmc.values import Path, at, dotted, keyed, listed

MAX_CHARACTERS = 400_000

_NOT_A_SPEC = "a spec is a short text; is this the right file?"


@dataclass(frozen=True, slots=True)
class Document:
    """Values of a text, and where each key and value stands."""

    name: str
    values: Any
    keys: dict[Path, Span] = field(default_factory=dict[Path, Span])
    spans: dict[Path, Span] = field(default_factory=dict[Path, Span])
    problems: tuple[Problem, ...] = ()

    def place(self, path: Path, on_key: bool = False) -> Span | str:
        """Where a problem with the value (or key) at `path` is shown: there, or at the nearest key around it."""
        if () not in self.spans:
            return self._given(path, on_key)
        if on_key and path in self.keys:
            return self.keys[path]
        if path in self.spans:
            return self.spans[path]
        around, last = at(self.values, path[:-1]), path[-1]
        named = listed(around) or []
        if isinstance(last, str) and last in named:
            return self.spans[(*path[:-1], named.index(last))]
        if path[:-1] in self.spans and keyed(around) is None:
            return self.spans[path[:-1]]
        return self.place(path[:-1], on_key=True)

    def _given(self, path: Path, on_key: bool) -> Span | str:
        """Where a text put into the values of a dict says it; else the dotted path, as far as the values go."""
        for end in range(len(path), 0, -1):
            spans = self.keys if on_key or end < len(path) else self.spans
            if path[:end] in spans:
                return spans[path[:end]]
        while path and not isinstance(at(self.values, path[:-1]), dict | list):
            path = path[:-1]
        return f"{self.name}: {dotted(path)}" if path else self.name


def read_text(file: File) -> str:
    """Text of a spec's file.

    Raises:
        SpecError: There is no such file, it is no text, or it is too large to be a spec.
    """
    if not file.is_file():
        raise SpecError([Problem(str(file), "there is no such file")])
    try:
        if file.stat().st_size > 4 * MAX_CHARACTERS:  # UTF-8 takes at most 4 bytes a character
            raise SpecError([Problem(str(file), f"longer than {MAX_CHARACTERS:,} characters", _NOT_A_SPEC)])
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError([Problem(str(file), f"not text in UTF-8, from byte {error.start} on", _NOT_A_SPEC)]) from None
    except OSError as error:
        raise SpecError([Problem(str(file), f"cannot be read: {error.strerror}")]) from None


def parse(text: str, name: str) -> Document:
    """Read one YAML document.

    Args:
        text: YAML 1.2.
        name: How messages call the text, usually its path.

    Raises:
        SpecError: The text is no YAML, is too large, or expands too far.
    """
    if len(text) > MAX_CHARACTERS:
        raise SpecError([Problem(name, f"longer than {MAX_CHARACTERS:,} characters", _NOT_A_SPEC)])
    node, problems = compose(text, name)
    reader = _Reader(problems)
    values = reader.read(node, ())
    return Document(name, values, reader.keys, reader.spans, tuple(reader.problems))


def plain(document: Document) -> Document:
    """The document with a copy of its values, given as a dict: text, numbers, lists and mappings, nothing else.

    Raises:
        SpecError: The values are too many or too deep.
    """
    copier = _Copier(document)
    values = copier.copy(document.values, ())
    return replace(document, values=values, problems=(*document.problems, *copier.problems))


class _Copier:
    """Copies given values, noting those that no spec can hold."""

    def __init__(self, document: Document) -> None:
        self.problems: list[Problem] = []
        self._document, self._count = document, 0

    def copy(self, value: Any, path: Path) -> Any:
        self._count += 1
        if self._count > MAX_NODES or len(path) > MAX_DEPTH:
            fault = f"more than {MAX_NODES:,} values or {MAX_DEPTH} levels"
            raise SpecError([Problem(self._document.place(path[:2]), fault, "a spec is a short text")])
        if (items := listed(value)) is not None:
            return [self.copy(item, (*path, index)) for index, item in enumerate(items)]
        if isinstance(value, Mapping):
            entries = cast("Mapping[Any, Any]", value)
            return {key: self.copy(each, (*path, key)) for key, each in entries.items() if self._word(key, path)}
        if isinstance(value, str) and not _unicode(value):
            return self._refuse(path, "half a surrogate pair is no text", "give text that can be written as UTF-8")
        if value is None or isinstance(value, bool | int | float | str):
            return value
        fault = f"a value of type {type(value).__name__} cannot stand in a spec"
        return self._refuse(path, fault, "give numbers, text, lists and dicts")

    def _word(self, key: Any, path: Path) -> bool:
        word = isinstance(key, str) and _unicode(key)
        if not word:
            self._refuse(path, f"the key {key!r:.40} is not text", "write keys as text")
        return word

    def _refuse(self, path: Path, fault: str, remedy: str) -> None:
        self.problems.append(Problem(self._document.place(path), fault, remedy))


def _unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


class _Reader:
    """Walks a YAML node graph once, collecting values, spans and problems."""

    def __init__(self, problems: list[Problem]) -> None:
        self.keys: dict[Path, Span] = {}
        self.spans: dict[Path, Span] = {}
        self.problems = problems
        self._nodes = 0

    def read(self, node: Node, path: Path) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            fault = f"aliases expand the spec to more than {MAX_NODES:,} values or {MAX_DEPTH} levels"
            raise SpecError(
                [Problem(self.keys.get(path[:1], node.span), fault, "write the values out, without nested aliases")]
            )
        self.spans[path] = node.span
        if node.items is not None:
            return [self.read(item, (*path, index)) for index, item in enumerate(node.items)]
        if node.entries is not None:
            return dict(self._entries(node.entries, path))
        return scalar(node.text) if node.plain else node.text

    def _entries(self, entries: list[tuple[Node, Node]], path: Path) -> Iterator[tuple[str, Any]]:
        first: dict[str, Span] = {}
        for key, value in entries:
            if key.items is not None or key.entries is not None:
                self.problems.append(Problem(key.span, "a key must be a word", "write name: value"))
            elif key.text in first:
                fault = f"'{key.text}' is given twice; first on line {first[key.text].line}"
                self.problems.append(Problem(key.span, fault, "keep one of the two"))
            else:
                first[key.text] = self.keys[(*path, key.text)] = key.span
                yield key.text, self.read(value, (*path, key.text))
