"""What can go wrong: the user's mistakes with their place and remedy, and ours with the rewrite's name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from unicodedata import combining, east_asian_width

_WIDEST = 120


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one line of a source text: 1-based line and columns, `end` exclusive."""

    file: str
    line: int
    column: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake of a spec: where it is, what is wrong, and what to write instead.

    `place` is a span of the text, or the dotted path of the key when the spec was given as a dict.
    """

    place: Span | str
    fault: str
    remedy: str = ""

    def report(self) -> str:
        """The mistake as a user reads it: place and fault, the line with a caret, the remedy."""
        fault = printable(self.fault)
        if isinstance(self.place, str):
            return f"{printable(self.place)}: {fault}" + self._help("  ")
        span = self.place
        margin = " " * len(str(span.line))
        text, start, end = _window(printable(span.text), span.column - 1, max(span.end - 1, span.column))
        caret = " " * _width(text[:start]) + "^" * max(1, _width(text[start:end]))
        shown = f"{margin} |\n{span.line} | {text}\n{margin} | {caret}"
        return f"{printable(span.file)}:{span.line}:{span.column}: {fault}\n{shown}" + self._help(margin)

    def _help(self, margin: str) -> str:
        return f"\n{margin} = help: {printable(self.remedy)}" if self.remedy else ""


class SpecError(ValueError):
    """Every mistake found in a spec, each once, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(dict.fromkeys(problems), key=_order))
        super().__init__("\n\n".join(problem.report() for problem in self.problems))


class RewriteError(RuntimeError):
    """A rewrite broke its program: ours to mend, not the user's. The message names the rewrite."""


def printable(text: str) -> str:
    """The text with each character that would not print replaced: nothing of a file reaches a terminal as a command."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "�" for c in text)


def _order(problem: Problem) -> tuple[int, int, str]:
    place = problem.place
    return (0, 0, place) if isinstance(place, str) else (place.line, place.column, problem.fault)


def _window(text: str, start: int, end: int) -> tuple[str, int, int]:
    """As much of a long line as fits around [start, end), and where that stretch then is."""
    if len(text) <= _WIDEST:
        return text, start, end
    first = max(0, min(start - _WIDEST // 3, len(text) - _WIDEST))
    last = first + _WIDEST
    shown = ("…" if first else "") + text[first:last] + ("…" if last < len(text) else "")
    shift = first - (1 if first else 0)
    return shown, start - shift, min(end, last) - shift


def _width(text: str) -> int:
    """Columns that a terminal gives the text."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
