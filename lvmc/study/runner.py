"""Makes the runs that are missing, one after the other; processes that share a folder take each run once."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Literal

from lvmc.study.kept import claim, failed_since, is_done, keep_failure, keep_figures
from lvmc.study.plan import Run


@dataclass(frozen=True, slots=True)
class Event:
    """What happens to a run: `step` while it is made, `share` of it done; `remark`, for people to read."""

    run: str
    kind: Literal["kept", "begins", "step", "remark", "done", "failed"]
    text: str = ""
    share: float = 0.0


Tell = Callable[[Event], None]
RunOne = Callable[[Run, Path, Tell], Mapping[str, float]]
"""Trains and judges a run in a folder, which may hold an interrupted one, and returns its figures."""


def make_runs(runs: Iterable[Run], out: Path, run_one: RunOne, tell: Tell, since: int) -> None:
    """Make all that are not done; those that failed before the moment `since` are tried again.

    A mistake of a run is kept in its folder, and the others go on.
    """
    for run in runs:
        if is_done(run, out):
            tell(Event(run.name, "kept"))
            continue
        with claim(run, out) as mine:
            if mine and not is_done(run, out) and not failed_since(run, out, since):
                make_run(run, out, run_one, tell)


def make_run(run: Run, out: Path, run_one: RunOne, tell: Tell) -> None:
    """Make one run and keep its figures, or its mistake."""
    tell(Event(run.name, "begins"))
    start = monotonic()
    try:
        figures = run_one(run, run.folder(out), tell)
    except Exception as error:  # whatever a run does, the others go on
        said = f"{type(error).__name__}: {error}"
        keep_failure(run, out, said, monotonic() - start, traceback.format_exc())
        tell(Event(run.name, "failed", said))
    else:
        keep_figures(run, out, figures, monotonic() - start)
        tell(Event(run.name, "done", f"{monotonic() - start:.0f} s", 1.0))
