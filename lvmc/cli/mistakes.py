"""The user's mistakes as a plain report on stderr and exit status 1; ours keep their traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer

from lvmc.cli.output import Json, print_json
from lvmc.errors import Problem, Span, SpecError

P = ParamSpec("P")


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """The command, with bad specs, bad options and files that cannot be read reported instead of raised."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except BrokenPipeError:
            raise
        except (ValueError, OSError) as error:
            if kwargs.get("as_json"):
                print_json({"error": message(error), "problems": problems(error)})
            print(message(error), file=sys.stderr)
            raise typer.Exit(1) from None

    return run


def message(error: ValueError | OSError) -> str:
    """What went wrong, as one reads it."""
    if isinstance(error, SpecError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"lvmc: {error.filename}: {error.strerror}"
    return f"lvmc: {error}"


def problems(error: ValueError | OSError) -> list[Json]:
    """Each mistake of a spec with its place."""
    return [_problem(problem) for problem in error.problems] if isinstance(error, SpecError) else []


def _problem(problem: Problem) -> dict[str, Json]:
    said: dict[str, Json] = {"fault": problem.fault, "help": problem.remedy}
    match problem.place:
        case Span(file, line, column):
            return {"file": file, "line": line, "column": column, **said}
        case path:
            return {"key": path, **said}
