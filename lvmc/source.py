"""YAML 1.2 text to plain values, with the span of every key and value; never runs or constructs anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lvmc.errors import Problem, Span, SpecError

MAX_BYTES = 1_000_000
MAX_NODES = 100_000
MAX_DEPTH = 50

Path = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"


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
        if not self.spans:
            return f"{self.name}: {dotted(path)}" if path else self.name
        if on_key and path in self.keys:
            return self.keys[path]
        if path in self.spans:
            return self.spans[path]
        parent = path[:-1]
        if parent in self.spans and not isinstance(self._at(parent), dict):
            return self.spans[parent]
        return self.place(parent, on_key=True) if path else self.spans[()]

    def _at(self, path: Path) -> Any:
        value = self.values
        for key in path:
            value = value[key]
        return value


def dotted(path: Path) -> str:
    """`layers.h2.nms`."""
    return ".".join(map(str, path))


def parse(text: str, name: str) -> Document:
    """Read one YAML document.

    Args:
        text: YAML 1.2.
        name: How messages call the text, usually its path.

    Raises:
        SpecError: The text is no YAML, is too large, expands too far, or uses tags.
    """
    if len(text.encode()) > MAX_BYTES:
        raise SpecError([Problem(name, f"larger than {MAX_BYTES:,} bytes", "a spec is a short text; is this the right file?")])
    lines = text.splitlines() or [""]
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)  # pyright: ignore[reportUnknownMemberType]
    except MarkedYAMLError as error:
        raise SpecError([_syntax_problem(error, name, lines)]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise SpecError([Problem(name, f"not YAML: {str(error).splitlines()[0]}")]) from None
    if node is None:
        raise SpecError([Problem(name, "the file is empty", "`lvmc init` writes a spec to start from")])
    reader = _Reader(name, lines)
    values = reader.read(node, ())
    return Document(name, values, reader.keys, reader.spans, tuple(reader.problems))


class _Reader:
    """Walks a YAML node graph once, collecting values, spans and problems."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self.keys: dict[Path, Span] = {}
        self.spans: dict[Path, Span] = {}
        self.problems: list[Problem] = []
        self._name, self._lines, self._nodes = name, lines, 0

    def read(self, node: Node, path: Path) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            fault = f"expands to more than {MAX_NODES:,} values or {MAX_DEPTH} levels"
            raise SpecError([Problem(self._span(node), fault, "write the values out, without nested aliases")])
        self.spans[path] = self._span(node)
        match node:
            case ScalarNode():
                return self._scalar(node)
            case SequenceNode():
                self._plain(node, "seq")
                return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
            case MappingNode():
                self._plain(node, "map")
                return dict(self._entries(node, path))
            case _:
                raise TypeError(f"unknown YAML node {node!r}")

    def _entries(self, node: MappingNode, path: Path) -> Iterator[tuple[str | int, Any]]:
        seen: dict[str | int, Span] = {}
        for key_node, value_node in node.value:
            key, span = self._key(key_node), self._span(key_node)
            if key in seen:
                fault = f"'{key}' is given twice; first on line {seen[key].line}"
                self.problems.append(Problem(span, fault, "keep one of the two"))
                continue
            seen[key] = self.keys[(*path, key)] = span
            yield key, self.read(value_node, (*path, key))

    def _key(self, node: Node) -> str:
        if isinstance(node, ScalarNode):
            return str(node.value)
        raise SpecError([Problem(self._span(node), "a key must be a word", "write `name: value`")])

    def _plain(self, node: Node, kind: str) -> None:
        if node.tag != _TAG + kind:
            self._refuse_tag(node)

    def _refuse_tag(self, node: Node) -> None:
        shown = str(node.tag).replace(_TAG, "!!")
        self.problems.append(Problem(self._span(node), f"tags such as {shown} are not part of the language", "write the plain value"))

    def _scalar(self, node: ScalarNode) -> Any:
        text = str(node.value)
        match str(node.tag).removeprefix(_TAG):
            case "str" | "merge" | "timestamp":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return _integer(text)
            case "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
            case _:
                self._refuse_tag(node)
                return text

    def _span(self, node: Node) -> Span:
        line, column = int(node.start_mark.line), int(node.start_mark.column)
        text = self._lines[line] if line < len(self._lines) else ""
        same_line = node.end_mark.line == line
        end = int(node.end_mark.column) if same_line else len(text.rstrip())
        return Span(self._name, line + 1, column + 1, max(end, column + 1) + 1, text)


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    return int(digits, 0) if digits.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else int(digits)


def _syntax_problem(error: MarkedYAMLError, name: str, lines: list[str]) -> Problem:
    mark = error.problem_mark
    fault = f"not YAML: {error.problem or error}"
    if mark is None:
        return Problem(name, fault)
    line = min(int(mark.line), len(lines) - 1)
    column = min(int(mark.column), len(lines[line]))
    return Problem(Span(name, line + 1, column + 1, column + 2, lines[line]), fault, "check brackets, colons and indentation")
