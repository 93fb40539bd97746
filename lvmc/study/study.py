"""A study from its file to its tables: what is missing is run, what is there is reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lvmc.durable import save_text
from lvmc.study.kept import Result, is_done, now, result_of
from lvmc.study.one import train_and_evaluate
from lvmc.study.plan import Plan, read_plan
from lvmc.study.processes import spread
from lvmc.study.progress import Progress
from lvmc.study.report import STUDY, write_report
from lvmc.study.runner import RunOne, make_runs
from lvmc.study.summary import Summary, summary_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """A study as it stands: its runs, what they say, and the files that tell of it."""

    plan: Plan
    results: tuple[Result, ...]
    summary: Summary
    files: tuple[Path, ...]

    @property
    def whole(self) -> bool:
        """Whether no run failed, and none is missing that no other process makes."""
        return all(each.state in ("done", "under way") for each in self.results)


def run_study(
    file: Path,
    out: Path,
    *,
    jobs: int = 1,
    table_only: bool = False,
    run_one: RunOne = train_and_evaluate,
    tell: Callable[[str, float], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Outcome:
    """Make the runs that are missing, and write tables and plots of all.

    Args:
        file: The study, in YAML.
        out: The folder that keeps its runs; several processes may share it.
        jobs: How many runs are made at a time, each in a process of its own if there are several.
        table_only: Make no runs.
        run_one: Makes one run; a function of a module, where there are several processes.
        tell: Told what is done and how much of all, 0 to 1, again and again.
        say: Told a line whenever a run ends.

    Raises:
        SpecError: Mistakes of the study, or of the specs as it changes them.
        FileExistsError: The folder holds something else.
    """
    plan = read_plan(file)
    take(out, plan)
    if not table_only:
        progress = Progress([run.name for run in plan.runs], tell, say)
        since = now(out)
        ready = sum(is_done(run, out) for run in plan.runs)
        if say and ready:
            say(f"{ready} of {len(plan.runs)} runs are done already")
        if jobs > 1:
            spread(jobs, plan.runs, out, run_one, progress.hear, since)
        else:
            make_runs(plan.runs, out, run_one, progress.hear, since)
    results = tuple(result_of(run, out) for run in plan.runs)
    summary = summary_of(plan, results)
    return Outcome(plan, results, summary, write_report(plan, results, summary, out))


def take(out: Path, plan: Plan) -> None:
    """Make the folder of a study, or find it; raises FileExistsError if it holds something else."""
    marker = out / STUDY
    if out.exists() and not out.is_dir():
        raise FileExistsError(f"{out} is not a folder; name another one")
    if marker.is_file():
        known = json.loads(marker.read_text(encoding="utf-8")).get("name")
        if known != plan.study.name:
            raise FileExistsError(f"{out} holds the study '{known}', not '{plan.study.name}'; name another folder")
    elif out.is_dir() and any(out.iterdir()):
        raise FileExistsError(f"{out} holds files that are no study's (it has no {STUDY}); name another folder")
    out.mkdir(parents=True, exist_ok=True)
    if not marker.is_file():
        save_text(json.dumps({"name": plan.study.name}) + "\n", marker)
