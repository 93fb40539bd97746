"""What can go wrong: the user's mistakes with their place and remedy, and ours with the rewrite's name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


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
        if isinstance(self.place, str):
            return f"{self.place}: {self.fault}" + self._help("  ")
        span = self.place
        margin = " " * len(str(span.line))
        caret = " " * (span.column - 1) + "^" * max(1, span.end - span.column)
        shown = f"{margin} |\n{span.line} | {span.text}\n{margin} | {caret}"
        return f"{span.file}:{span.line}:{span.column}: {self.fault}\n{shown}" + self._help(margin)

    def _help(self, margin: str) -> str:
        return f"\n{margin} = help: {self.remedy}" if self.remedy else ""


class SpecError(ValueError):
    """Every mistake found in a spec, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=_order))
        super().__init__("\n\n".join(problem.report() for problem in self.problems))


class RewriteError(RuntimeError):
    """A rewrite broke its program: ours to mend, not the user's. The message names the rewrite."""


def _order(problem: Problem) -> tuple[int, int, str]:
    place = problem.place
    return (0, 0, place) if isinstance(place, str) else (place.line, place.column, problem.fault)
