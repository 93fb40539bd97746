"""The node tree of a YAML text, built from the events of its parser and never larger than a spec needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from lvmc.errors import Problem, Span, SpecError

MAX_NODES = 20_000
MAX_DEPTH = 50

_ADVICE = {
    "mapping values are not allowed": (
        "a ':' is out of place here",
        "check the indentation; text with a colon goes in quotes",
    ),
    "character '\\t'": ("a tab cannot stand here", "use spaces"),
    "expected ',' or '}'": ("expected ',' or '}'", "close the bracket, or put a comma between the entries"),
    "expected ',' or ']'": ("expected ',' or ']'", "close the bracket, or put a comma between the entries"),
    "could not find expected ':'": ("expected a ':' after the key", "write name: value"),
    "expected <block end>": ("this does not line up with the lines above", "indent the keys of a mapping alike"),
    "unexpected end of stream": ("these quotes are never closed", "close the quotes"),
    "the node content, but found '<stream end>'": ("the text ends inside brackets", "close the bracket"),
    "that cannot start any token": ("a value cannot begin with this character", "put the text in quotes"),
}
"""What the parser's words mean to someone who writes a spec."""


@dataclass(frozen=True, slots=True)
class Node:
    """A scalar with its `text` (`plain`: unquoted), a sequence with its `items`, or a mapping with its `entries`."""

    span: Span
    text: str = ""
    plain: bool = False
    items: list[Node] | None = None
    entries: list[tuple[Node, Node]] | None = None


def compose(text: str, name: str) -> tuple[Node, list[Problem]]:
    """The root of a YAML text, and mistakes that do not keep it from being read.

    Raises:
        SpecError: The text is no YAML, is empty, or holds more than a spec.
    """
    lines = text.splitlines() or [""]
    composer = _Composer(name, lines, YAML(typ="safe", pure=True).parse(text))  # pyright: ignore[reportUnknownMemberType]
    try:
        return composer.root(), composer.problems
    except SpecError:
        raise
    except MarkedYAMLError as error:
        raise SpecError([*composer.problems, _syntax_problem(error, name, lines)]) from None
    except ReaderError as error:
        raise SpecError([_character_problem(error, name, text)]) from None
    except (YAMLError, ValueError) as error:
        raise SpecError([Problem(name, f"not YAML: {str(error).splitlines()[0]}")]) from None


class _Composer:
    """Reads events one by one, so that a text is refused as soon as it is too large or too deep.

    Events are `Any`: ruamel gives their attributes no types.
    """

    def __init__(self, name: str, lines: list[str], events: Iterator[Any]) -> None:
        self.problems: list[Problem] = []
        self._name, self._lines, self._events = name, lines, events
        self._anchors: dict[str, Node | None] = {}
        self._count = 0

    def root(self) -> Node:
        event = next(self._events)
        while _kind(event) not in ("DocumentStart", "StreamEnd"):
            event = next(self._events)
        if _kind(event) == "StreamEnd":
            raise SpecError([Problem(self._name, "there is nothing in it", "begin with lvmc: 1")])
        root = self._node(next(self._events), 0)
        for event in self._events:
            if _kind(event) == "DocumentStart":
                fault = "a second document begins here; a spec is one"
                self.problems.append(Problem(self._span(event), fault, "write each spec to a file of its own"))
                break
        return root

    def _node(self, event: Any, depth: int) -> Node:
        self._count += 1
        if self._count > MAX_NODES or depth > MAX_DEPTH:
            fault = f"more than {MAX_NODES:,} values" if depth <= MAX_DEPTH else f"more than {MAX_DEPTH} levels deep"
            raise SpecError([Problem(self._span(event), fault, "a spec is a short text; is this the right file?")])
        if _kind(event) == "Alias":
            return self._alias(event)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._refuse_tag(event)
        node = self._content(event, depth + 1)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _content(self, event: Any, depth: int) -> Node:
        match _kind(event):
            case "Scalar":
                return Node(self._span(event), str(event.value), plain=event.style is None)
            case "SequenceStart":
                items: list[Node] = []
                while _kind(item := next(self._events)) != "SequenceEnd":
                    items.append(self._node(item, depth))
                return Node(self._span(event, item), items=items)
            case "MappingStart":
                entries: list[tuple[Node, Node]] = []
                while _kind(key := next(self._events)) != "MappingEnd":
                    name = self._node(key, depth)
                    entries.append((name, self._node(next(self._events), depth)))
                return Node(self._span(event, key), entries=entries)
            case kind:
                raise TypeError(f"unknown YAML event {kind}")

    def _alias(self, event: Any) -> Node:
        name = str(event.anchor)
        node = self._anchors.get(name)
        if node is None:
            inside = name in self._anchors
            fault = f"*{name} stands inside the value it repeats" if inside else f"nothing above is named &{name}"
            raise SpecError([*self.problems, Problem(self._span(event), fault, "write the value out")])
        return node

    def _refuse_tag(self, event: Any) -> None:
        if event.tag:
            shown = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            fault = f"tags such as {shown} are not part of the language"
            self.problems.append(Problem(self._span(event), fault, "write the plain value"))

    def _span(self, event: Any, last: Any = None) -> Span:
        start, end = event.start_mark, (last or event).end_mark
        line, column = int(start.line), int(start.column)
        text = self._lines[line] if line < len(self._lines) else ""
        stop = int(end.column) if end.line == line else len(text.rstrip())
        return Span(self._name, line + 1, column + 1, max(stop, column + 1) + 1, text)


def _kind(event: Any) -> str:
    return type(event).__name__.removesuffix("Event")


def _syntax_problem(error: Any, name: str, lines: list[str]) -> Problem:
    said = str(error.problem or error)
    matches = [advice for words, advice in _ADVICE.items() if words in said]
    fault, remedy = matches[0] if matches else (said, "check brackets, colons and indentation")
    opened, mark = error.context_mark, error.problem_mark
    if opened is not None and "end of stream" in said:
        mark = opened
    elif opened is not None and mark is not None and opened.line != mark.line and "expected ',' or" in said:
        fault += f" in the bracket opened on line {opened.line + 1}"
    if mark is None:
        return Problem(name, f"not YAML: {fault}", remedy)
    line = min(int(mark.line), len(lines) - 1)
    column = min(int(mark.column), len(lines[line]))
    return Problem(Span(name, line + 1, column + 1, column + 2, lines[line]), f"not YAML: {fault}", remedy)


def _character_problem(error: Any, name: str, text: str) -> Problem:
    position = int(error.position)
    before = (text[:position] + "x").splitlines()
    row, column = len(before), len(before[-1])
    fault = f"the character U+{ord(text[position]):04X} cannot stand in a spec"
    return Problem(Span(name, row, column, column + 1, text.splitlines()[row - 1]), fault, "is this a text file?")
